"""Structured matrices, gamma functions of two arguments, and quadrature of samples, under SciPy's names.

All of them are written with NumPy's functions; the structured matrices are selections of the entries of their operands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import InputError, TraceError, at_users_line
from jacobi.rules.registry import composed
from jacobi.rules.samples import Samples, calls, positive


def array(x: Any) -> Any:
    """Nodes and arrays as they are, anything else as an array."""
    return x if hasattr(x, "ndim") else np.asarray(x)


# Structured matrices ---------------------------------------------------------------------------------------------


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with constant diagonals, as ``scipy.linalg.toeplitz``.

    Parameters
    ----------
    c : array of shape (m,)
        The first column.
    r : array of shape (n,), optional
        The first row, whose first entry is not read; ``c`` by default.

    Returns
    -------
    array of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> toeplitz(np.array([1.0, 2.0]), np.array([0.0, 5.0, 6.0]))
    array([[1., 5., 6.],
           [2., 1., 5.]])
    >>> jacobian(toeplitz)(np.array([1.0, 2.0])).toarray()
    array([[1., 0.],
           [0., 1.],
           [0., 1.],
           [1., 0.]])
    """
    c = np.ravel(array(c))
    r = c if r is None else np.ravel(array(r))
    line = np.concatenate([c[::-1], r[1:]])
    return line[np.arange(c.size)[::-1, None] + np.arange(r.size)]


def circulant(c: Any) -> Any:
    """The circulant matrix with first column ``c``, as ``scipy.linalg.circulant``.

    Parameters
    ----------
    c : array of shape (..., n)

    Returns
    -------
    array of shape (..., n, n)

    Examples
    --------
    >>> import numpy as np
    >>> circulant(np.array([1.0, 2.0, 3.0]))
    array([[1., 3., 2.],
           [2., 1., 3.],
           [3., 2., 1.]])
    """
    c = np.atleast_1d(array(c))
    steps = np.arange(c.shape[-1])
    return c[..., (steps[:, None] - steps) % c.shape[-1]]


def hankel(c: Any, r: Any = None) -> Any:
    """The matrix with constant antidiagonals, as ``scipy.linalg.hankel``.

    Parameters
    ----------
    c : array of shape (m,)
        The first column.
    r : array of shape (n,), optional
        The last row, whose first entry is not read; zeros by default.

    Returns
    -------
    array of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> hankel(np.array([1.0, 2.0]), np.array([9.0, 4.0, 5.0]))
    array([[1., 2., 4.],
           [2., 4., 5.]])
    """
    c = np.ravel(array(c))
    r = np.zeros(c.size, dtype=c.dtype) if r is None else np.ravel(array(r))
    line = np.concatenate([c, r[1:]])
    return line[np.arange(c.size)[:, None] + np.arange(r.size)]


def block_diag(*arrs: Any) -> Any:
    """The matrix with some matrices on its diagonal, as ``scipy.linalg.block_diag``.

    Parameters
    ----------
    *arrs : array of shape (m_k, n_k)
        A vector is a matrix of one row.

    Returns
    -------
    array of shape (sum of m_k, sum of n_k)

    Examples
    --------
    >>> import numpy as np
    >>> block_diag(np.array([[1.0, 2.0]]), 3.0)
    array([[1., 2., 0.],
           [0., 0., 3.]])
    """
    blocks = [np.atleast_2d(array(block)) for block in arrs] or [np.zeros((1, 0))]
    if any(block.ndim != 2 for block in blocks):
        raise InputError(at_users_line("block_diag joins matrices", "Give it arrays with at most two axes."))
    dtype = np.result_type(*(block.dtype for block in blocks))
    width, left, rows = sum(block.shape[1] for block in blocks), 0, []
    for block in blocks:
        height, here = block.shape
        zeros = (np.zeros((height, n), dtype=dtype) for n in (left, width - left - here))
        before, after = zeros
        rows.append(np.concatenate([before, block, after], axis=1))
        left += here
    return np.concatenate(rows, axis=0)


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix ``A`` with ``A @ v = convolve(a, v, mode)``, as ``scipy.linalg.convolution_matrix``.

    Parameters
    ----------
    a : array of shape (m,)
    n : int
        The length of ``v``.
    mode : {"full", "same", "valid"}
        As for ``numpy.convolve``.

    Returns
    -------
    array of shape (k, n)
        ``k`` is ``m + n - 1``, ``max(m, n)`` or ``max(m, n) - min(m, n) + 1``.

    Examples
    --------
    >>> import numpy as np
    >>> convolution_matrix(np.array([1.0, 2.0]), 3, "same")
    array([[1., 0., 0.],
           [2., 1., 0.],
           [0., 2., 1.]])
    """
    a, n = array(a), int(n)
    m = a.shape[0]
    if a.ndim != 1 or not m or n < 1:
        raise ValueError("convolution_matrix expects a vector a and a positive number of columns n")
    if mode not in ("full", "same", "valid"):
        raise ValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    padding = np.zeros(n - 1, dtype=a.dtype)
    line = np.concatenate([padding, a, padding])
    full = line[np.arange(m + n - 1)[:, None] + np.arange(n)[::-1]]
    count = {"full": m + n - 1, "same": max(m, n), "valid": max(m, n) - min(m, n) + 1}[mode]
    start = {"full": 0, "same": (min(m, n) - 1) // 2, "valid": min(m, n) - 1}[mode]
    return full[start : start + count]


# Gamma functions -------------------------------------------------------------------------------------------------


def polygamma(n: Any, x: Any) -> Any:
    """The derivative of order ``n`` of the digamma function, as ``scipy.special.polygamma``.

    Parameters
    ----------
    n : array of whole numbers
        The order; not differentiated by.
    x : array
        Broadcasts with ``n``.

    Returns
    -------
    array

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> x = np.array([1.0, 2.0])
    >>> np.allclose(jacobian(lambda x: polygamma(1, x))(x).diagonal(), polygamma(2, x))
    True
    """
    from scipy import special

    orders = np.asarray(n)
    if orders.ndim == 0 and orders == 0:
        return special.psi(x)
    slope = (-1.0) ** (orders + 1) * special.gamma(orders + 1.0)
    derivatives = slope * special.zeta(orders + 1.0 + (orders == 0), x)
    return np.where(orders == 0, special.psi(x), derivatives) if np.any(orders == 0) else derivatives


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function, as ``scipy.special.multigammaln``.

    Parameters
    ----------
    a : array
        Above ``(d - 1) / 2``.
    d : int
        The dimension.

    Returns
    -------
    array
        Of the shape of ``a``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> gradient(lambda a: multigammaln(a, 2))(2.0).round(12) == (polygamma(0, 2.0) + polygamma(0, 1.5)).round(12)
    np.True_
    """
    from scipy import special

    if int(d) != d or d < 1:
        raise ValueError("d should be a positive integer (dimension)")
    if np.any(np.less_equal(a, 0.5 * (d - 1))):
        raise ValueError(f"condition a > 0.5 * (d - 1) = {0.5 * (d - 1)} not met")
    total = special.gammaln(a) + d * (d - 1) * 0.25 * float(np.log(np.pi))
    for k in range(1, int(d)):
        total = total + special.gammaln(np.subtract(a, k / 2))
    return total


# Quadrature ------------------------------------------------------------------------------------------------------


def steps(x: Any, dx: float, axis: int, y: Any) -> Any:
    """The distances of neighbouring samples, so that they broadcast with ``y``."""
    if x is None:
        return dx
    x = array(x)
    later, earlier = neighbours(x, axis if x.ndim != 1 else 0)
    distances = later - earlier
    if x.ndim != 1:
        return distances
    return np.reshape(distances, tuple(-1 if k == layout.normal_axis(axis, y.ndim) else 1 for k in range(y.ndim)))


def neighbours(y: Any, axis: int) -> tuple[Any, Any]:
    """All samples but the first, and all but the last."""
    rank = layout.normal_axis(axis, y.ndim)
    before = (slice(None),) * rank
    return y[(*before, slice(1, None))], y[(*before, slice(None, -1))]


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule, as ``scipy.integrate.trapezoid``.

    Parameters
    ----------
    y : array
        The samples.
    x : array, optional
        Where they were taken: a vector, or an array that broadcasts with ``y``.
    dx : float
        Their distance, if ``x`` is not given.
    axis : int
        The axis to integrate over.

    Returns
    -------
    array
        Without that axis.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> gradient(trapezoid)(np.array([1.0, 2.0, 3.0]))
    array([0.5, 1. , 0.5])
    """
    y = array(y)
    later, earlier = neighbours(y, axis)
    return np.sum(steps(x, dx, axis, y) * (later + earlier) / 2.0, axis=axis)


def cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, initial: float | None = None) -> Any:
    """The running integral by the trapezoidal rule, as ``scipy.integrate.cumulative_trapezoid``.

    Parameters
    ----------
    y, x, dx, axis
        As for `trapezoid`.
    initial : {0, None}
        0 puts the value at the first sample in front.

    Returns
    -------
    array
        One shorter along the axis, or as long as ``y`` with ``initial=0``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(cumulative_trapezoid)(np.array([1.0, 2.0, 3.0])).toarray()
    array([[0.5, 0.5, 0. ],
           [0.5, 1. , 0.5]])
    """
    y = array(y)
    later, earlier = neighbours(y, axis)
    result = np.cumsum(steps(x, dx, axis, y) * (later + earlier) / 2.0, axis=axis)
    if initial is None:
        return result
    if initial != 0:
        raise ValueError("`initial` parameter must be `None` or `0`.")
    k = layout.normal_axis(axis, y.ndim)
    return np.concatenate([np.zeros((*y.shape[:k], 1, *y.shape[k + 1 :]), dtype=result.dtype), result], axis=axis)


def simpson(y: Any, x: Any = None, *, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral by Simpson's rule, as ``scipy.integrate.simpson``.

    Parameters
    ----------
    y : array
        The samples.
    x : array of one axis, optional
        Where they were taken; not differentiated by.
    dx : float
        Their distance, if ``x`` is not given.
    axis : int
        The axis to integrate over.

    Returns
    -------
    array
        Without that axis.

    Raises
    ------
    TraceError
        If ``x`` is traced: use `trapezoid`.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> gradient(simpson)(np.zeros(3)) * 3
    array([1., 4., 1.])
    """
    from scipy import integrate

    y = array(y)
    if x is not None and (np.ndim(x) != 1 or not isinstance(array(x), np.ndarray)):
        raise TraceError(
            at_users_line(
                "simpson has no derivative by the places of its samples, which must be a plain vector",
                "Use jacobi.functions.trapezoid.",
            )
        )
    kind = y.dtype if y.dtype.kind == "f" else np.dtype(float)
    weights = np.asarray(integrate.simpson(np.eye(y.shape[axis]), x=x, dx=dx), dtype=kind)  # one sample at a time
    return np.tensordot(y, weights, axes=((axis,), (0,)))


# Tested like operations ------------------------------------------------------------------------------------------


def several(*shapes: tuple[tuple[int, ...], ...]) -> Samples:
    """Calls with several arrays."""
    return lambda rng: (((*(rng.normal(size=shape) for shape in of_all),), {}) for of_all in shapes)


def with_places(rng: np.random.Generator) -> Any:
    """Calls of quadratures."""
    for shape, axis in (((4,), -1), ((5,), 0), ((2, 3), -1), ((3, 2), 0), ((2, 4, 3), 1)):
        yield (rng.normal(size=shape),), {"axis": axis}
        yield (rng.normal(size=shape),), {"axis": axis, "dx": 0.3}
        yield (rng.normal(size=shape), np.cumsum(rng.uniform(0.5, 1.0, shape[axis]))), {"axis": axis}
        if len(shape) == 2:
            yield (rng.normal(size=shape), np.cumsum(rng.uniform(0.5, 1.0, shape), axis=axis)), {"axis": axis}


def without_places(rng: np.random.Generator) -> Any:
    """The same with samples at equal distances."""
    return (call for call in with_places(rng) if len(call[0]) == 1)


def equally_spaced(rng: np.random.Generator) -> Any:
    """The same, and with a value in front."""
    for arguments, keywords in with_places(rng):
        yield arguments, keywords
        yield arguments, {**keywords, "initial": 0}


def above_one_and_half(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Arguments of the gamma function in up to four dimensions."""
    return np.asarray(2.0 + positive(rng, shape))


ORDERS = (0, 1, 3, np.array([[0], [2]]))

for _function, _samples in (
    (toeplitz, several(((3,),), ((3,), (2,)), ((1,), (4,)), ((2, 2),))),
    (circulant, several(((3,),), ((1,),), ((2, 3),))),
    (hankel, several(((3,),), ((3,), (2,)), ((1,), (4,)))),
    (block_diag, several(((2, 3),), ((2, 3), (1, 1), (2,)), ((), (2, 1)))),
    (convolution_matrix, calls(*(((m,), 3, mode) for m in (1, 2, 4) for mode in ("full", "same", "valid")))),
    (multigammaln, calls(*((shape, d) for shape in ((), (2, 3)) for d in (1, 2, 4)), domain=above_one_and_half)),
    (trapezoid, with_places),
    (cumulative_trapezoid, equally_spaced),
    (simpson, without_places),
):
    composed(
        _function,
        lambda *a, _f=_function, **k: _f(*a, **k),
        samples=_samples,
        name=f"jacobi.functions.{_function.__name__}",
    )
composed(
    polygamma,
    lambda n, x: polygamma(n, x),
    samples=lambda rng: (((n, positive(rng, shape)), {}) for shape in ((), (3,)) for n in ORDERS),
    name="jacobi.functions.polygamma",
)
