"""Functions of networks and statistics that NumPy lacks: ``softmax`` and its kin, ``relu``, ``sigmoid``, ``gelu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi import layout
from jacobi.matrix import Jacobian, dispatchable, einstein, indicator
from jacobi.rules.decompositions import added
from jacobi.rules.registry import composed, elementwise, rule
from jacobi.rules.samples import Samples, calls, over_axes, positive, real

ROOT_2PI = float(np.sqrt(2 * np.pi))


# Entry by entry --------------------------------------------------------------------------------------------------


@dispatchable
def relu(x: Any) -> Any:
    """The positive part ``max(x, 0)``; its derivative at 0 is 0.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array
        Of the shape of ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(relu)(np.array([-1.0, 0.0, 2.0])).diagonal()
    array([0., 0., 1.])
    """
    return np.maximum(x, 0)


@dispatchable
def sigmoid(x: Any) -> Any:
    """The logistic function ``1 / (1 + exp(-x))``, as ``scipy.special.expit``.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array
        Of the shape of ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(sigmoid)(np.array([0.0, 800.0])).diagonal()
    array([0.25, 0.  ])
    """
    from scipy import special

    return special.expit(x)


@dispatchable
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` without overflow: a smooth `relu`, whose derivative is `sigmoid`.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array
        Of the shape of ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(softplus)(np.array([-800.0, 0.0, 800.0])).diagonal()
    array([0. , 0.5, 1. ])
    """
    return np.logaddexp(x, 0)


@dispatchable
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array
        Of the shape of ``x``.

    Notes
    -----
    S. Elfwing, E. Uchibe, K. Doya, arXiv 1702.03118.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(silu)(np.array([0.0, 800.0])).diagonal()
    array([0.5, 1. ])
    """
    return np.multiply(x, sigmoid(x))


@dispatchable
def gelu(x: Any) -> Any:
    """``x * Phi(x)`` with the distribution function ``Phi`` of the normal distribution (exact, no approximation).

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array
        Of the shape of ``x``.

    Notes
    -----
    D. Hendrycks, K. Gimpel, arXiv 1606.08415.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(gelu)(np.array([-40.0, 0.0, 40.0])).diagonal().round(12)
    array([0. , 0.5, 1. ])
    """
    return np.multiply(x, normal_distribution(x))


@dispatchable
def normal_distribution(x: Any) -> Any:
    """``Phi(x)``."""
    from scipy import special

    return special.ndtr(x)


def silu_slope(y: Any, x: Any) -> Any:
    """``s + x s (1 - s)``."""
    s = sigmoid(x)
    return s + y * sigmoid(-x)


elementwise(
    relu, lambda y, x: indicator(x, 0, np.greater, y.dtype), kink=lambda y, x: x, name="jacobi.functions.relu"
)
elementwise(sigmoid, lambda y, x: y * sigmoid(-x), name="jacobi.functions.sigmoid")
elementwise(softplus, lambda y, x: sigmoid(x), name="jacobi.functions.softplus")
elementwise(silu, silu_slope, name="jacobi.functions.silu")
elementwise(normal_distribution, lambda y, x: np.exp(x * x / -2) / ROOT_2PI, name="scipy.special.ndtr")
elementwise(gelu, lambda y, x: normal_distribution(x) + x * np.exp(x * x / -2) / ROOT_2PI, name="jacobi.functions.gelu")


# Along axes ------------------------------------------------------------------------------------------------------


@dispatchable
def softmax(x: Any, axis: Any = None) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, as ``scipy.special.softmax``.

    Parameters
    ----------
    x : array of any shape
    axis : int, tuple of int or None
        Where to sum; over all entries by default, as in SciPy.

    Returns
    -------
    array
        Of the shape of ``x``.

    Notes
    -----
    The Jacobian of every row is ``diag(s) - s s^T``; that of a batch is block diagonal and is kept as two terms.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> J = jacobian(lambda z: softmax(z, axis=-1))(np.zeros((1000, 4)))
    >>> J.shape, J.nbytes <= 3 * 4000 * 8
    ((4000, 4000), True)
    >>> J.blocks()[0, 0]
    array([ 0.1875, -0.0625, -0.0625, -0.0625])
    """
    from scipy import special

    return special.softmax(x, axis)


@dispatchable
def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of `softmax`, as ``scipy.special.log_softmax``; exact where `softmax` underflows.

    Parameters
    ----------
    x : array of any shape
    axis : int, tuple of int or None
        Where to sum; over all entries by default, as in SciPy.

    Returns
    -------
    array
        Of the shape of ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(log_softmax)(np.array([0.0, 1000.0])).toarray()
    array([[ 1., -1.],
           [ 0.,  0.]])
    """
    from scipy import special

    return special.log_softmax(x, axis)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """``log(sum(b * exp(a)))`` along an axis without overflow, as ``scipy.special.logsumexp``.

    Parameters
    ----------
    a : array of any shape
    axis : int, tuple of int or None
        Where to sum; over all entries by default.
    b : array, optional
        Weights that broadcast with ``a``.
    keepdims : bool
        Whether the axes that are summed stay, with length 1.
    return_sign : bool
        Whether to give ``(log(abs(sum)), sign(sum))``; otherwise a negative sum gives NaN.

    Returns
    -------
    array, or tuple of two arrays
        Without the axes that are summed.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> gradient(logsumexp)(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    if b is None:
        value = log_of_sum(a, axis, keepdims)
        return (value, np.ones(np.shape(value), dtype=value.dtype)[()]) if return_sign else value
    value = log_of_weighted_sum(a, b, axis, keepdims)
    sign = sign_of_weighted_sum(a, b, axis, keepdims)
    if return_sign:
        return value, sign
    plain_sign = np.where(np.less(sign, 0), np.nan, 0.0).astype(value.dtype)
    return value + plain_sign if np.any(np.isnan(plain_sign)) else value


@dispatchable
def log_of_sum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`logsumexp` without weights."""
    from scipy import special

    return special.logsumexp(a, axis=axis, keepdims=keepdims)


@dispatchable
def log_of_weighted_sum(a: Any, b: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the absolute value of the weighted sum of exponentials."""
    from scipy import special

    return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)[0]


@dispatchable
def sign_of_weighted_sum(a: Any, b: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sign of the weighted sum of exponentials."""
    from scipy import special

    return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)[1]


def row_labels(rank: int, axis: Any) -> tuple[Any, Any, Any]:
    """The labels of an array, those of an array that meets it only outside an axis, and those outside."""
    axes = layout.normal_axes(axis, rank)
    rows = tuple(range(rank))
    columns = tuple(("column", k) if k in axes else k for k in rows)
    return rows, columns, tuple(k for k in rows if k not in axes)


def by_softmax(y: Any, x: Any, axis: Any = None) -> Jacobian:
    """``diag(s) - s s^T`` for every row."""
    rows, columns, _ = row_labels(x.ndim, axis)
    return added(y.shape, x.shape, ((rows, rows, rows), y), ((rows, columns, rows, columns), y, -y))


def by_log_softmax(y: Any, x: Any, axis: Any = None) -> Jacobian:
    """``I - 1 s^T`` for every row."""
    rows, columns, _ = row_labels(x.ndim, axis)
    return added(y.shape, x.shape, ((rows, rows),), ((rows, columns, columns), -np.exp(y)))


def shares_of_sum(y: Any, axis: Any, shape: Any, *operands: Any) -> tuple[Any, Any, Any]:
    """The labels and shape of the result of a sum over an axis of ``shape``, and its value with that axis kept."""
    rank = len(shape)
    _, _, kept = row_labels(rank, axis)
    out_shape = tuple(shape[k] for k in kept)
    return kept, out_shape, np.reshape(y, tuple(n if k in kept else 1 for k, n in enumerate(shape)))


def by_log_of_sum(y: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Jacobian:
    """The weights are those of `softmax`."""
    kept, out_shape, total = shares_of_sum(y, axis, a.shape)
    rows = tuple(range(a.ndim))
    return Jacobian(einstein((kept, rows, rows), out_shape, a.shape, np.exp(a - total)).terms, y.shape, a.shape)


def by_log_of_weighted_sum(operand: int) -> Any:
    """``sign b exp(a - y)`` by ``a``, and ``sign exp(a - y)`` by ``b``."""

    def by(y: Any, a: Any, b: Any, axis: Any = None, keepdims: bool = False) -> Jacobian:
        shape = np.broadcast_shapes(np.shape(a), np.shape(b))
        kept, out_shape, total = shares_of_sum(y, axis, shape)
        sign = np.reshape(sign_of_weighted_sum(a, b, axis, keepdims), total.shape)
        rows = tuple(range(len(shape)))
        x = (a, b)[operand]
        factor = sign * np.exp(a - total)
        if not operand:
            factor = factor * b
        own = rows[len(rows) - x.ndim :]
        local = einstein((kept, own, rows[len(rows) - factor.ndim :]), out_shape, x.shape, factor)
        return Jacobian(local.terms, y.shape, x.shape)

    return by


def weighted(domain: Any) -> Samples:
    """Calls with weights that broadcast."""
    return lambda rng: (
        ((real(rng, of_a), domain(rng, of_b)), keywords)
        for of_a, of_b, keywords in (
            ((3,), (3,), {}),
            ((2, 3), (3,), {"axis": 1}),
            ((3,), (2, 3), {"axis": 0, "keepdims": True}),
            ((2, 3), (2, 1), {"axis": (0, 1)}),
            ((), (), {}),
        )
    )


AXES = over_axes(empty=False)
ALONG = calls((3,), (2, 3), (), *(((2, 3, 4), {"axis": axis}) for axis in (0, -1, (0, 2), None)), ((1, 3), {"axis": 0}))

rule(softmax, by_softmax, samples=ALONG, name="scipy.special.softmax")
rule(log_softmax, by_log_softmax, samples=ALONG, name="scipy.special.log_softmax")
rule(log_of_sum, by_log_of_sum, samples=AXES, name="scipy.special.logsumexp")
rule(
    log_of_weighted_sum,
    by_log_of_weighted_sum(0),
    by_log_of_weighted_sum(1),
    samples=weighted(lambda rng, shape: np.asarray(positive(rng, shape) * rng.choice([-0.1, 1.0], shape))),
    kink=lambda y, a, b, axis=None, keepdims=False: np.isneginf(y),
    name="scipy.special.logsumexp with weights",
)
rule(
    sign_of_weighted_sum,
    lambda y, a, b, axis=None, keepdims=False: Jacobian.zero(y.shape, a.shape),
    lambda y, a, b, axis=None, keepdims=False: Jacobian.zero(y.shape, b.shape),
    samples=weighted(positive),
    piecewise_constant=True,
)
composed(logsumexp, lambda *a, **k: logsumexp(*a, **k), samples=AXES, name="jacobi.functions.logsumexp")
