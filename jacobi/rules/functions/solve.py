"""Linear systems and factorisations under SciPy's names: triangular and Cholesky solvers.

All functions take stacks of matrices, except where SciPy has no reading of a stack.  What is read of a matrix (one
triangle, with or without the diagonal) is what SciPy reads; by the other entries the derivative is zero.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from jacobi.errors import InputError, at_users_line
from jacobi.matrix import Jacobian, dispatchable, einstein
from jacobi.rules.decompositions import inverse_or_nan, turned
from jacobi.rules.linalg import SOURCE, solve_labels, well_conditioned
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import Samples

SYMMETRIC = ("sym", "symmetric", "her", "hermitian", "pos", "positive definite")
GENERAL = (None, "gen", "general", "banded", "tridiagonal")
TRIANGULAR = {"upper triangular": False, "lower triangular": True}


def solve(a: Any, b: Any, lower: bool = False, assume_a: str | None = None, transposed: bool = False) -> Any:
    """The solution ``x`` of ``a @ x = b``, as ``scipy.linalg.solve``.

    Parameters
    ----------
    a : array of shape (..., n, n)
    b : array of shape (n,) or (..., n, k)
    lower : bool
        Which triangle is read where ``a`` is assumed to be symmetric.
    assume_a : str, optional
        ``"symmetric"`` and ``"positive definite"`` read one triangle only, ``"diagonal"``, ``"upper triangular"`` and
        ``"lower triangular"`` what they say; the others read everything.
    transposed : bool
        Whether to solve ``a.T @ x = b``.

    Returns
    -------
    array of shape (n,) or (..., n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> A, b = np.array([[2.0, 1.0], [5.0, 4.0]]), np.array([4.0, 5.0])
    >>> jacobian(lambda A: solve(A, b, assume_a="pos"))(A).toarray().round(3)[:, 2]     # A[1, 0] is not read
    array([0., 0.])
    """
    return np.linalg.solve(turned(assumed(a, assume_a, lower)) if transposed else assumed(a, assume_a, lower), b)


def inv(a: Any, *, assume_a: str | None = None, lower: bool = False) -> Any:
    """The inverse of a matrix, as ``scipy.linalg.inv``.

    Parameters
    ----------
    a : array of shape (..., n, n)
    assume_a, lower
        What is read of ``a``; see `solve`.

    Returns
    -------
    array of shape (..., n, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(inv)(np.diag([1.0, 2.0])).diagonal()
    array([-1.  , -0.5 , -0.5 , -0.25])
    """
    return np.linalg.inv(assumed(a, assume_a, lower))


def det(a: Any) -> Any:
    """The determinant, as ``scipy.linalg.det``.

    Parameters
    ----------
    a : array of shape (..., n, n)

    Returns
    -------
    array of shape (...)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> gradient(det)(np.array([[2.0, 1.0], [5.0, 4.0]])).round(12)     # the transposed adjugate
    array([[ 4., -5.],
           [-1.,  2.]])
    """
    return np.linalg.det(a)


def assumed(a: Any, assume_a: str | None, lower: bool) -> Any:
    """The matrix that SciPy works with when it assumes a structure."""
    if assume_a in GENERAL:
        return a
    if assume_a in SYMMETRIC:
        read = np.tril(a) if lower else np.triu(a)
        return read + turned(np.tril(a, -1) if lower else np.triu(a, 1))
    if assume_a in TRIANGULAR:
        return np.tril(a) if TRIANGULAR[assume_a] else np.triu(a)
    if assume_a == "diagonal":
        return a * np.eye(np.shape(a)[-1])
    known = ", ".join(repr(name) for name in (*GENERAL[1:], *SYMMETRIC, *TRIANGULAR, "diagonal"))
    raise InputError(at_users_line(f"assume_a={assume_a!r} is not known", f"It is one of {known}."))


def cholesky(a: Any, lower: bool = False) -> Any:
    """The Cholesky factor, as ``scipy.linalg.cholesky``: the upper one by default.

    Parameters
    ----------
    a : array of shape (..., n, n)
        Positive definite; one triangle is read.
    lower : bool
        Whether to read the lower triangle and give the lower factor.

    Returns
    -------
    array of shape (..., n, n)
        ``U`` with ``U.T @ U = a``, or ``L`` with ``L @ L.T = a``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(cholesky)(np.diag([1.0, 4.0])).diagonal().round(12)
    array([0.5 , 1.  , 0.  , 0.25])
    """
    return np.linalg.cholesky(a, upper=not lower)


def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """The Cholesky factor for `cho_solve`, as ``scipy.linalg.cho_factor``; the other triangle is zero here.

    Parameters
    ----------
    a : array of shape (..., n, n)
        Positive definite; one triangle is read.
    lower : bool
        Which triangle is read.

    Returns
    -------
    c : array of shape (..., n, n)
    lower : bool

    Examples
    --------
    >>> import numpy as np
    >>> cho_factor(np.diag([1.0, 4.0]))
    (array([[1., 0.],
           [0., 2.]]), False)
    """
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any) -> Any:
    """The solution ``x`` of ``a @ x = b`` from the Cholesky factor of ``a``, as ``scipy.linalg.cho_solve``.

    Parameters
    ----------
    c_and_lower : tuple (array of shape (..., n, n), bool)
        What `cho_factor` gives.
    b : array of shape (n,) or (..., n, k)

    Returns
    -------
    array of shape (n,) or (..., n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> b = np.array([1.0, 2.0])
    >>> gradient(lambda a: b @ cho_solve(cho_factor(a), b))(np.diag([1.0, 2.0])).round(12)   # the lower one is not read
    array([[-1., -2.],
           [ 0., -1.]])
    """
    c, lower = c_and_lower
    first = solve_triangular(c, b, 0 if lower else 1, lower)
    return solve_triangular(c, first, 1 if lower else 0, lower)


def solve_triangular(a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The solution ``x`` of ``a @ x = b`` for a triangular matrix, as ``scipy.linalg.solve_triangular``.

    Parameters
    ----------
    a : array of shape (..., n, n)
        One triangle is read.
    b : array of shape (n,) or (..., n, k)
    trans : {0, 1, 2, "N", "T", "C"}
        0 for ``a @ x = b``, 1 or 2 for ``a.T @ x = b``.
    lower : bool
        Which triangle is read.
    unit_diagonal : bool
        Whether the diagonal is taken as ones and not read.

    Returns
    -------
    array of shape (n,) or (..., n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> a, b = np.array([[2.0, 1.0], [0.0, 4.0]]), np.array([2.0, 4.0])
    >>> jacobian(solve_triangular, argnums=1)(a, b).toarray()
    array([[ 0.5  , -0.125],
           [ 0.   ,  0.25 ]])
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise InputError(at_users_line(f"trans={trans!r} is not known", "It is 0, 1 or 2, or 'N', 'T' or 'C'."))
    return triangular_solution(a, b, trans not in (0, "N"), bool(lower), bool(unit_diagonal))


def triangle(a: Any, lower: bool, unit: bool) -> Any:
    """The triangle that is read, with its diagonal."""
    if unit:
        return (np.tril(a, -1) if lower else np.triu(a, 1)) + np.eye(a.shape[-1], dtype=a.dtype)
    return np.tril(a) if lower else np.triu(a)


@dispatchable
def triangular_solution(a: Any, b: Any, transposed: bool, lower: bool, unit: bool) -> Any:
    """`solve_triangular` as one operation."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim == 2 and b.ndim <= 2:
        linalg: Any = importlib.import_module("scipy.linalg")
        return linalg.solve_triangular(a, b, int(transposed), lower, unit)
    matrix = triangle(a, lower, unit)
    return np.linalg.solve(turned(matrix) if transposed else matrix, b)


def triangular_inverse(a: Any, transposed: bool, lower: bool, unit: bool) -> Any:
    """The inverse of the matrix of the system."""
    inverse = inverse_or_nan(triangle(a, lower, unit))
    return turned(inverse) if transposed else inverse


def triangular_by_matrix(y: Any, a: Any, b: Any, transposed: bool, lower: bool, unit: bool) -> Jacobian:
    """``dX = -A^-1 dA X``, for the entries that are read."""
    of_a, _, of_y, columns = solve_labels(y, a, b)
    read = np.tri(a.shape[-1], k=-1 if unit else 0, dtype=a.dtype)
    entry = (*of_a, "j", "k") if transposed else (*of_a, "k", "j")
    subscripts = ((*of_y, "i", *columns), entry, (*of_a, "i", "k"), (*of_y, "j", *columns), entry[-2:])
    inverse = triangular_inverse(a, transposed, lower, unit)
    return einstein(subscripts, y.shape, a.shape, inverse, y, read if lower else read.T, coefficient=-1)


def triangular_by_right_side(y: Any, a: Any, b: Any, transposed: bool, lower: bool, unit: bool) -> Jacobian:
    """``dX = A^-1 dB``."""
    of_a, of_b, of_y, columns = solve_labels(y, a, b)
    subscripts = ((*of_y, "i", *columns), (*of_b, "k", *columns), (*of_a, "i", "k"))
    return einstein(subscripts, y.shape, b.shape, triangular_inverse(a, transposed, lower, unit))


# Tested like operations ------------------------------------------------------------------------------------------


def systems(**keywords: Any) -> Samples:
    """Calls with well-conditioned matrices and right-hand sides."""
    draw = well_conditioned((3, 3), (3, 3), (1, 1), (4, 2, 2), right=((3,), (3, 2), (1,), (4, 2, 3)))
    return lambda rng: ((arguments, dict(keywords)) for arguments, _ in draw(rng))


def every_triangle(rng: np.random.Generator) -> Any:
    """Calls that read either triangle, as it is or transposed, with or without its diagonal."""
    for transposed in (False, True):
        for lower in (False, True):
            for unit in (False, True):
                for arguments, _ in systems()(rng):
                    yield (*arguments, transposed, lower, unit), {}


rule(
    triangular_solution,
    triangular_by_matrix,
    triangular_by_right_side,
    samples=every_triangle,
    name="scipy.linalg.solve_triangular",
    source=SOURCE,
)
composed(
    solve_triangular,
    lambda *a, **k: solve_triangular(*a, **k),
    samples=systems(trans=1, lower=True),
    name="jacobi.functions.solve_triangular",
)
