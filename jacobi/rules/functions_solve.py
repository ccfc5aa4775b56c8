"""Linear systems and factorisations under SciPy's names: triangular and Cholesky solvers, LU, Sylvester, Lyapunov.

All functions take stacks of matrices, except where SciPy has no reading of a stack.  What is read of a matrix (one
triangle, with or without the diagonal) is what SciPy reads; by the other entries the derivative is zero.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np

from jacobi.errors import InputError, at_users_line
from jacobi.matrix import Jacobian, dispatchable, einstein
from jacobi.rules.decompositions import EVERY_COLUMN, added, inverse_or_nan, sandwiched, turned
from jacobi.rules.functions_build import toeplitz
from jacobi.rules.linalg import SOURCE, solve_labels, well_conditioned
from jacobi.rules.registry import composed, rule, silent
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


# LU --------------------------------------------------------------------------------------------------------------


class LUResult(NamedTuple):
    """What `lu_factor` gives."""

    lu: Any
    piv: Any


def lu_factor(a: Any) -> LUResult:
    """The packed LU factors and the pivots for `lu_solve`, as ``scipy.linalg.lu_factor``.

    Parameters
    ----------
    a : array of shape (n, n)

    Returns
    -------
    lu : array of shape (n, n)
        ``U`` on and above the diagonal, ``L`` below it.
    piv : array of shape (n,)
        The row with which each row was exchanged; constant near ``a``.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import gradient
    >>> a = np.array([[2.0, 1.0], [5.0, 4.0]])
    >>> gradient(lambda a: np.sum(np.log(np.abs(np.diag(lu_factor(a)[0])))))(a).round(12) * np.linalg.det(a).round(12)
    array([[ 4., -5.],
           [-1.,  2.]])
    """
    return LUResult(packed_factors(a), pivots(a))


@dispatchable
def pivots(a: Any) -> Any:
    """The pivots of Gaussian elimination."""
    from scipy import linalg

    return linalg.lu_factor(a)[1]


@dispatchable
def packed_factors(a: Any) -> Any:
    """The packed LU factors."""
    from scipy import linalg

    return linalg.lu_factor(a)[0]


@dispatchable
def permutation(a: Any) -> Any:
    """The permutation matrix ``P`` of ``P A = L U``."""
    n = a.shape[-1]
    order = np.arange(n)
    for row, other in enumerate(pivots(a)):
        order[[row, other]] = order[[other, row]]
    return np.eye(n, dtype=a.dtype)[order]


def by_packed_factors(y: Any, a: Any) -> Jacobian:
    """``dL = L F_below`` and ``dU = F_above U`` with ``F = L^-1 P dA U^-1``."""
    n = a.shape[-1]
    below = np.tri(n, k=-1, dtype=a.dtype)
    lower, upper = triangle(y, True, True), triangle(y, False, False)
    left, right = inverse_or_nan(lower) @ permutation(a), inverse_or_nan(upper)
    of_lower = sandwiched(lower, below, turned(left))  # axes j, i, k
    of_upper = sandwiched(turned(upper), 1 - below.T, right)  # axes i, j, l
    return added(y.shape, a.shape, ("ij;kl;jik;lj", of_lower, right), ("ij;kl;ijl;ik", of_upper, left))


def lu_solve(lu_and_piv: tuple[Any, Any], b: Any, trans: int = 0) -> Any:
    """The solution ``x`` of ``a @ x = b`` from the LU factors of ``a``, as ``scipy.linalg.lu_solve``.

    Parameters
    ----------
    lu_and_piv : tuple (array of shape (n, n), array of shape (n,))
        What `lu_factor` gives.
    b : array of shape (n,) or (n, k)
    trans : {0, 1, 2}
        0 for ``a @ x = b``, 1 or 2 for ``a.T @ x = b``.

    Returns
    -------
    array of shape (n,) or (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> a = np.array([[2.0, 1.0], [5.0, 4.0]])
    >>> jacobian(lambda b: lu_solve(lu_factor(a), b))(np.ones(2)).toarray().round(12) * 3
    array([[ 4., -1.],
           [-5.,  2.]])
    """
    lu, piv = lu_and_piv
    order = np.arange(np.shape(lu)[-1])
    for row, other in enumerate(piv):
        order[[row, other]] = order[[other, row]]
    if trans == 0:
        return solve_triangular(lu, solve_triangular(lu, b[order], lower=True, unit_diagonal=True))
    first = solve_triangular(lu, b, 1)
    return solve_triangular(lu, first, 1, lower=True, unit_diagonal=True)[np.argsort(order)]


# Matrix equations ------------------------------------------------------------------------------------------------


@dispatchable
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The solution ``X`` of ``A X + X B = Q``, as ``scipy.linalg.solve_sylvester``.

    Parameters
    ----------
    a : array of shape (m, m)
    b : array of shape (n, n)
    q : array of shape (m, n)

    Returns
    -------
    array of shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(solve_sylvester, argnums=2)(np.diag([1.0, 3.0]), np.eye(1), np.ones((2, 1))).toarray()
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    from scipy import linalg

    return linalg.solve_sylvester(a, b, q)


def sylvester_inverse(a: Any, b: Any) -> Any:
    """The inverse of ``X -> A X + X B``, with the axes of ``X`` and those of ``Q``."""
    m, n = a.shape[0], b.shape[0]
    dtype = np.result_type(a.dtype, b.dtype)
    matrix = np.kron(a, np.eye(n, dtype=dtype)) + np.kron(np.eye(m, dtype=dtype), turned(b))
    return np.reshape(inverse_or_nan(matrix), (m, n, m, n))


def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The solution ``X`` of ``A X + X A^T = Q``, as ``scipy.linalg.solve_continuous_lyapunov``.

    Parameters
    ----------
    a, q : array of shape (n, n)

    Returns
    -------
    array of shape (n, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(solve_continuous_lyapunov)(np.diag([1.0, 2.0]), np.eye(2)).diagonal().round(4)
    array([-0.5   , -0.0833, -0.1667, -0.125 ])
    """
    return solve_sylvester(a, np.transpose(a), q)


def solve_discrete_lyapunov(a: Any, q: Any) -> Any:
    """The solution ``X`` of ``A X A^T - X + Q = 0``, as ``scipy.linalg.solve_discrete_lyapunov``.

    Parameters
    ----------
    a, q : array of shape (n, n)

    Returns
    -------
    array of shape (n, n)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(solve_discrete_lyapunov, argnums=1)(np.diag([0.0, 0.5]), np.eye(2)).diagonal().round(4)
    array([1.    , 1.    , 1.    , 1.3333])
    """
    n = np.shape(a)[0]
    return np.reshape(np.linalg.solve(np.eye(n * n) - np.kron(a, a), np.ravel(q)), (n, n))


def solve_toeplitz(c_or_cr: Any, b: Any) -> Any:
    """The solution ``x`` of ``toeplitz(c, r) @ x = b``, as ``scipy.linalg.solve_toeplitz``, but by elimination.

    Parameters
    ----------
    c_or_cr : array of shape (n,), or tuple of two
        The first column, or the first column and the first row.
    b : array of shape (n,) or (n, k)

    Returns
    -------
    array of shape (n,) or (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi import jacobian
    >>> jacobian(solve_toeplitz, argnums=1)(np.array([2.0, 0.0]), np.ones(2)).toarray()
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return np.linalg.solve(toeplitz(c, r), b)


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


def equations(rng: np.random.Generator) -> Any:
    """Calls of Sylvester's equation."""
    for m, n in ((2, 3), (1, 2), (2, 2)):
        a, b = (rng.uniform(-0.3, 0.3, (k, k)) + 1.5 * np.eye(k) for k in (m, n))
        yield (a, b, rng.normal(size=(m, n))), {}


def apart_rows(rng: np.random.Generator) -> Any:
    """Matrices whose pivots are certain, and in need of exchanges."""
    for n in (3, 1, 2):
        yield (np.roll(rng.uniform(-0.4, 0.4, (n, n)) + 2.0 * np.eye(n), 1, axis=0),), {}


rule(
    triangular_solution,
    triangular_by_matrix,
    triangular_by_right_side,
    samples=every_triangle,
    name="scipy.linalg.solve_triangular",
    source=SOURCE,
)
rule(
    packed_factors,
    by_packed_factors,
    samples=apart_rows,
    name="scipy.linalg.lu_factor",
    source="S. F. Walter, L. Lehmann, Algorithmic differentiation of linear algebra functions, arXiv 1009.6112",
    dense=EVERY_COLUMN,
)
silent(pivots)
rule(
    permutation,
    lambda y, a: Jacobian.zero(y.shape, a.shape),
    samples=apart_rows,
    piecewise_constant=True,
)
rule(
    solve_sylvester,
    lambda y, a, b, q: einstein("ij;kp;ijkl;pl", y.shape, a.shape, sylvester_inverse(a, b), y, coefficient=-1),
    lambda y, a, b, q: einstein("ij;pl;ijkl;kp", y.shape, b.shape, sylvester_inverse(a, b), y, coefficient=-1),
    lambda y, a, b, q: einstein("ij;kl;ijkl", y.shape, q.shape, sylvester_inverse(a, b)),
    samples=equations,
    name="scipy.linalg.solve_sylvester",
    dense="the inverse of X -> A X + X B",
)

for _function, _samples in (
    (solve_triangular, systems(trans=1, lower=True)),
    (solve_continuous_lyapunov, lambda rng: (((a, q), {}) for (a, _, q), _ in equations(rng) if a.shape == q.shape)),
    (solve_discrete_lyapunov, lambda rng: (((a / 3, q), {}) for (a, _, q), _ in equations(rng) if a.shape == q.shape)),
    (solve_toeplitz, lambda rng: (((a[0] + a[1] / 9, b), {}) for (a, b), _ in systems()(rng) if b.shape == (3,))),
):
    composed(
        _function,
        lambda *a, _f=_function, **k: _f(*a, **k),
        samples=_samples,
        name=f"jacobi.functions.{_function.__name__}",
    )
