"""`propagate`: the covariance of measured numbers carried through a function, with its structure kept."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any
from warnings import warn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jacobi.bridges.numerical import jacobi
from jacobi.errors import InputError, JacobiError, ShapeError, at_users_line
from jacobi.matrix import Jacobian, chain
from jacobi.transforms import jacobian

Array = NDArray[Any]

DIAGONAL = ("zero", "identity", "scalar", "diagonal")


def propagate(fn: Callable[..., Any], x: ArrayLike, cov: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
    """The value of a function of uncertain numbers, and its covariance ``J C J^T``.

    ``J`` is traced where ``fn`` is plain NumPy code, and numerical elsewhere.  What is linear in the errors only holds
    where ``fn`` is nearly linear over them.

    Parameters
    ----------
    fn : callable
        ``fn(x)``, or ``fn(x, x2, ...)`` of several arguments that are not correlated with each other.
    x : array_like
        The measured numbers, of any shape.
    cov : float, array_like, sparse matrix or Jacobian
        Their covariance: a number for equal variances without correlations; variances, shaped like ``x``; or a matrix
        of shape ``(x.size, x.size)``.
    *args
        Further arguments with their covariances, in pairs: ``x2, cov2, ...``.
    **options
        Options of `jacobi`, such as ``method``, ``workers`` or ``progress``: with any, ``J`` is numerical.  ``mask``
        says which entries of ``x`` are uncertain.

    Returns
    -------
    y : array
        ``fn(x, ...)``.
    ycov : float, array, sparse array or Jacobian
        A number for a number ``y``.  Variances, shaped like ``y``, where each output depends on its own entry of
        ``x`` only and all covariances were given as variances.  Else a matrix of shape ``(y.size, y.size)``, of the
        kind of ``cov``: an array, a ``csr_array``, a `Jacobian`.

    Raises
    ------
    ShapeError
        If a covariance does not fit, or an argument has none.
    InputError
        If `fn` is no function of real arrays.
    MemoryError
        If a full matrix would take more than 1 GiB: give ``cov`` as a sparse matrix or a `Jacobian`.

    Warns
    -----
    RuntimeWarning
        If the function has a kink, or no finite slope, at the measured point.

    Examples
    --------
    >>> import numpy as np
    >>> y, ycov = propagate(lambda v: v[0] * v[1], [2.0, 3.0], [0.01, 0.04])
    >>> float(y), float(ycov.round(12))         # 3^2 0.01 + 2^2 0.04
    (6.0, 0.25)
    >>> propagate(np.sqrt, [4.0, 9.0], [0.16, 0.36])[1].round(6)        # entry by entry: variances stay variances
    array([0.01, 0.01])
    >>> propagate(lambda a, b: a - b, 5.0, 0.3, 2.0, 0.4)[1].round(12)      # independent arguments
    np.float64(0.7)
    """
    if len(args) % 2:
        what = f"{1 + len(args)} numbers after x, which come in pairs of a value and a covariance"
        raise ShapeError(at_users_line(what, "Write propagate(fn, x, cov, x2, cov2)."))
    points = [np.array(value, dtype=float) for value in (x, *args[::2])]
    given = [cov, *args[1::2]]
    covariances = [covariance(C, point, k) for k, (C, point) in enumerate(zip(given, points, strict=True))]
    y = np.asarray(fn(*(point.copy() for point in points)))
    total: Jacobian | None = None
    for k, C in enumerate(covariances):
        J = derivative(fn, points, k, y, options)
        part = chain(J, C, J.T)
        total = part if total is None else total + part
    assert total is not None
    return y[()], as_given(total, given, points, y.shape)


def covariance(given: Any, point: Array, k: int) -> Jacobian:
    """A covariance in any form as a matrix on the space of its argument."""
    n = point.size
    if isinstance(given, Jacobian) or hasattr(given, "tocsr"):
        if tuple(given.shape) != (n, n):
            raise misfit(given.shape, point, k)
        if isinstance(given, Jacobian):
            return Jacobian(given.terms, point.shape, point.shape, given.dtype)
        return Jacobian.from_sparse(given.tocsr(), point.shape, point.shape)
    array = np.asarray(given, dtype=float)
    if array.ndim == 0:
        return Jacobian.from_diagonal(np.full(point.shape, not_negative(array, k)))
    if array.shape == point.shape or (n == 1 and array.size == 1):
        not_negative(array, k)
        return Jacobian.from_diagonal(array.reshape(point.shape))
    if array.shape != (n, n):
        raise misfit(array.shape, point, k)
    not_negative(np.diagonal(array), k)
    if not np.allclose(array, array.T, rtol=1e-8, atol=1e-12 * np.abs(array).max(initial=0.0), equal_nan=True):
        what, cure = f"covariance {k} is not symmetric", "Give a symmetric matrix, such as (C + C.T) / 2."
        raise InputError(at_users_line(what, cure))
    return Jacobian.from_dense(array, point.shape, point.shape)


def not_negative(variances: Array, k: int) -> Array:
    """The variances; an error if one of them is negative."""
    if np.any(variances < 0):
        what = f"covariance {k} has a negative variance, {np.min(variances):.6g}"
        raise InputError(at_users_line(what, "Give variances, the squares of standard deviations."))
    return variances


def misfit(shape: Any, point: Array, k: int) -> ShapeError:
    """The error for a covariance of the wrong shape."""
    what = f"covariance {k} has the shape {tuple(shape)}, and its argument the shape {point.shape}"
    cure = f"Give variances of shape {point.shape}, or a matrix of shape {(point.size, point.size)}."
    return ShapeError(at_users_line(what, cure))


def derivative(fn: Callable[..., Any], points: list[Array], k: int, y: Array, options: dict[str, Any]) -> Jacobian:
    """The Jacobian by one argument: traced where that is possible, and numerical elsewhere."""
    traced = None if options else exact(fn, points, k)
    if traced is not None:
        if traced.kinks:
            doubt(f"the function has a kink at argument {k} ({traced.kinks[0].operation})")
        return Jacobian(traced.terms, y.shape, points[k].shape, traced.dtype)
    own = {name: masked(value, points, k) if name == "mask" else value for name, value in options.items()}

    def alone(point: Any) -> Any:
        return fn(*points[:k], point, *points[k + 1 :])

    value, error = jacobi(alone if len(points) > 1 else fn, points[k], **own)
    if np.isinf(error).any():
        doubt(f"the function has a kink, or no finite slope, at argument {k}")
    if options.get("diagonal") and points[k].ndim:
        return Jacobian.from_diagonal(value)
    matrix = value.reshape(y.size, points[k].size)
    if y.shape == points[k].shape and y.ndim:
        # An output without a value has no derivative by any entry; if nothing else stands beside the diagonal, the
        # function acts entry by entry and the other outputs are not touched by it.
        beside = matrix[~np.eye(y.size, dtype=bool)]
        if not np.any(beside[~np.isnan(beside)]):
            return Jacobian.from_diagonal(np.diagonal(matrix).reshape(y.shape))
    return Jacobian.from_dense(matrix, y.shape, points[k].shape)


def exact(fn: Callable[..., Any], points: list[Array], k: int) -> Jacobian | None:
    """The traced Jacobian, or None where the function cannot be traced."""
    try:
        traced: Jacobian = jacobian(fn, k)(*(point.copy() for point in points))
        return traced
    except (JacobiError, TypeError, AttributeError, ValueError):  # a function may do anything with a traced value
        return None


def masked(mask: Any, points: list[Array], k: int) -> Any:
    """The mask of one argument: of its shape, or a sequence of masks, one each."""
    if mask is None or np.shape(mask) == points[k].shape:
        return mask
    if len(points) > 1 and len(mask) == len(points) and np.shape(mask[k]) == points[k].shape:
        return np.asarray(mask[k])
    raise ShapeError(
        at_users_line("the masks do not match the arguments", "Give one mask of the shape of x, or one per argument.")
    )


def doubt(what: str) -> None:
    """Warn that propagation is not linear here."""
    cure = "The covariance holds on one side of it at most: sample instead, or move off the kink."
    warn(at_users_line(what, cure), RuntimeWarning, stacklevel=4)


def as_given(total: Jacobian, given: list[Any], points: list[Array], out_shape: tuple[int, ...]) -> Any:
    """The covariance of the result, in the form of those that were given."""
    if any(isinstance(C, Jacobian) for C in given):
        return total
    if any(hasattr(C, "tocsr") for C in given):
        return total.tocsr()
    variances = all(np.ndim(C) == 0 or np.shape(C) == p.shape for C, p in zip(given, points, strict=True))
    elementwise = all(p.shape == out_shape for p in points)
    if not out_shape or (variances and elementwise and total.structure in DIAGONAL):
        return total.diagonal().reshape(out_shape)[()]
    if prod(total.shape) * 8 > 2**30:
        what = f"the covariance of shape {total.shape} would be a full matrix"
        raise MemoryError(at_users_line(what, "Give cov as a sparse matrix or jb.Jacobian.from_diagonal(variances)."))
    return total.toarray()
