"""Functions of square matrices: exponential, logarithm, root, trigonometric and hyperbolic functions.

The derivative of an analytic function at ``A`` in a direction ``E`` is the upper right block of ``f([[A, E], [0, A]])``
(R. Mathias, SIAM Journal on Matrix Analysis and Applications 17 (1996) 610-620; N. J. Higham, Functions of Matrices,
theorem 3.6).  A rule asks for it in all ``n^2`` directions at once, so the Jacobian is a full ``n^2 x n^2`` matrix, one
for every matrix of a stack.  It is a value of the same function, so that second derivatives need nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.matrix import Jacobian, dispatchable, einstein
from jacobi.rules.decompositions import inverse_or_nan, symmetric, turned
from jacobi.rules.linalg import SQUARE, batch, well_conditioned
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import Samples

HIGHAM = "N. J. Higham, Functions of Matrices (SIAM, 2008), ch. 3"
FULL = "every entry of a function of a matrix depends on every entry of the matrix"


def over_stack(function: Callable[[Any], Any], a: Any) -> Any:
    """A function of one matrix, for every matrix of a stack."""
    a = np.asarray(a)
    if a.ndim == 2:
        return function(a)
    if not a.size:
        return np.zeros(a.shape)
    results = [function(matrix) for matrix in a.reshape(-1, *a.shape[-2:])]
    return np.stack(results).reshape(*a.shape[:-2], *results[0].shape)


def real_part(y: Any) -> Any:
    """The real part where the rest is rounding: older versions of SciPy give a complex root."""
    if np.iscomplexobj(y) and np.all(np.abs(y.imag) <= 1000 * np.finfo(y.dtype).eps * np.max(np.abs(y), initial=0)):
        return y.real
    return y


def block_triangular(a: Any, directions: Any) -> Any:
    """The matrices ``[[A, E], [0, A]]``."""
    zeros = np.zeros(directions.shape, dtype=directions.dtype)
    upper = np.concatenate([a, directions], axis=-1)
    return np.concatenate([upper, np.concatenate([zeros, a], axis=-1)], axis=-2)


def derivatives(function: Callable[[Any], Any], a: Any) -> Any:
    """The derivatives of a function of matrices by every entry: axes ``(..., k, l, i, j)`` for ``df_ij / dA_kl``."""
    n = a.shape[-1]
    shape = (*a.shape[:-2], n, n, n, n)
    directions = np.broadcast_to(np.eye(n * n, dtype=a.dtype).reshape(n, n, n, n), shape)
    return function(block_triangular(np.broadcast_to(a[..., None, None, :, :], shape), directions))[..., :n, n:]


def by_blocks(function: Callable[[Any], Any]) -> Callable[[Any, Any], Jacobian]:
    """The rule of an analytic function of matrices."""

    def by(y: Any, a: Any) -> Jacobian:
        s = batch(a, 2)
        subscripts = ((*s, "i", "j"), (*s, "k", "l"), (*s, "k", "l", "i", "j"))
        return einstein(subscripts, y.shape, a.shape, derivatives(function, a))

    return by


def by_inverse(matrix: Any, y: Any, a: Any) -> Jacobian:
    """The rule of an inverse function from the derivative ``dA_ij / dY_kl``, with the axes ``(..., k, l, i, j)``."""
    s, n = batch(a, 2), a.shape[-1]
    stack = a.shape[:-2]
    inverse = np.reshape(inverse_or_nan(np.reshape(matrix, (*stack, n * n, n * n))), (*stack, n, n, n, n))
    subscripts = ((*s, "k", "l"), (*s, "i", "j"), (*s, "i", "j", "k", "l"))
    return einstein(subscripts, y.shape, a.shape, inverse)


@dispatchable
def expm(A: Any) -> Any:
    """The exponential of a matrix, as ``scipy.linalg.expm``.

    Parameters
    ----------
    A : array of shape (..., n, n)

    Returns
    -------
    array of shape (..., n, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(expm)(np.zeros((2, 2))).toarray()
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.],
           [0., 0., 1., 0.],
           [0., 0., 0., 1.]])
    """
    from scipy import linalg

    return linalg.expm(A)


@dispatchable
def logm(A: Any) -> Any:
    """The principal logarithm of a matrix, as ``scipy.linalg.logm``.

    Parameters
    ----------
    A : array of shape (..., n, n)
        Without eigenvalues that are zero or negative.

    Returns
    -------
    array of shape (..., n, n)

    Raises
    ------
    InputError
        In a traced function, where the result is complex.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(logm)(np.diag([2.0, 4.0])).diagonal().round(4)
    array([0.5   , 0.3466, 0.3466, 0.25  ])
    """
    from scipy import linalg

    return over_stack(linalg.logm, np.array(A, dtype=float))  # SciPy warns of float32, and gives float64


@dispatchable
def sqrtm(A: Any) -> Any:
    """The principal square root of a matrix, as ``scipy.linalg.sqrtm``.

    Parameters
    ----------
    A : array of shape (..., n, n)
        Without eigenvalues that are zero or negative.

    Returns
    -------
    array of shape (..., n, n)

    Raises
    ------
    InputError
        In a traced function, where the result is complex.

    Notes
    -----
    The derivative solves ``Y dY + dY Y = dA``; it is NaN where ``A`` is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(sqrtm)(np.diag([1.0, 9.0])).diagonal().round(4)
    array([0.5   , 0.25  , 0.25  , 0.1667])
    """
    from scipy import linalg

    return over_stack(lambda matrix: real_part(linalg.sqrtm(matrix)), A)


def analytic(name: str, summary: str, example: str) -> Any:
    """A function of ``scipy.linalg`` that is analytic everywhere it is defined."""

    def function(A: Any) -> Any:
        from scipy import linalg

        return over_stack(getattr(linalg, name), A)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}, as ``scipy.linalg.{name}``.

    Parameters
    ----------
    A : array of shape (..., n, n)

    Returns
    -------
    array of shape (..., n, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian({name})(np.diag([0.0, 1.0])).diagonal().round(4)
    {example}
    """
    return dispatchable(function)


sinm = analytic("sinm", "The sine of a matrix", "array([1.    , 0.8415, 0.8415, 0.5403])")
cosm = analytic("cosm", "The cosine of a matrix", "array([ 0.    , -0.4597, -0.4597, -0.8415])")
tanm = analytic("tanm", "The tangent of a matrix", "array([1.    , 1.5574, 1.5574, 3.4255])")
sinhm = analytic("sinhm", "The hyperbolic sine of a matrix", "array([1.    , 1.1752, 1.1752, 1.5431])")
coshm = analytic("coshm", "The hyperbolic cosine of a matrix", "array([0.    , 0.5431, 0.5431, 1.1752])")
tanhm = analytic("tanhm", "The hyperbolic tangent of a matrix", "array([1.    , 0.7616, 0.7616, 0.42  ])")


def expm_frechet(A: Any, E: Any, compute_expm: bool = True) -> Any:
    """The derivative of `expm` at ``A`` in the direction ``E``, as ``scipy.linalg.expm_frechet``.

    Parameters
    ----------
    A, E : array of shape (..., n, n)
    compute_expm : bool
        Whether to give the exponential as well.

    Returns
    -------
    array of shape (..., n, n), or tuple of two
        ``(expm(A), L(A, E))``, or ``L(A, E)`` alone.

    Examples
    --------
    >>> import numpy as np
    >>> expm_frechet(np.zeros((2, 2)), np.ones((2, 2)), compute_expm=False)
    array([[1., 1.],
           [1., 1.]])
    """
    n = np.shape(A)[-1]
    both = expm(block_triangular(A, E))
    return (both[..., :n, :n], both[..., :n, n:]) if compute_expm else both[..., :n, n:]


def by_sqrtm(y: Any, a: Any) -> Jacobian:
    """``dY`` solves ``Y dY + dY Y = dA``."""
    eye = np.eye(a.shape[-1], dtype=a.dtype)
    across = turned(y)[..., :, None, :, None] * eye[:, None, :]  # Y_ik delta_lj with the axes k, l, i, j
    return by_inverse(across + eye[:, None, :, None] * y[..., None, :, None, :], y, a)


def pairs(*shapes: tuple[int, ...]) -> Samples:
    """Calls with two matrices."""
    return lambda rng: (((rng.normal(size=shape), rng.normal(size=shape)), {}) for shape in shapes)


SHAPES = ((3, 3), (1, 1), (2, 2, 2))

for _function in (expm, sinm, cosm, tanm, sinhm, coshm, tanhm):
    rule(
        _function,
        by_blocks(_function),
        samples=lambda rng: (((0.3 * a,), k) for (a,), k in well_conditioned(*SHAPES)(rng)),
        name=f"scipy.linalg.{_function.__name__}",
        source=HIGHAM,
        dense=FULL,
    )
rule(
    logm,
    lambda y, a: by_inverse(derivatives(expm, y), y, a),
    samples=symmetric(*SHAPES),
    name="scipy.linalg.logm",
    source=HIGHAM,
    dense=FULL,
)
rule(
    sqrtm,
    by_sqrtm,
    samples=symmetric(*SQUARE),
    name="scipy.linalg.sqrtm",
    source=HIGHAM,
    dense=FULL,
)
composed(
    expm_frechet,
    lambda *a, **k: expm_frechet(*a, **k),
    samples=pairs((2, 2), (2, 1, 1)),
    name="jacobi.functions.expm_frechet",
)
