"""The LU factorisation under SciPy's names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jacobi.matrix import Jacobian, dispatchable
from jacobi.rules.decompositions import EVERY_COLUMN, WALTER, added, inverse_or_nan, sandwiched, turned
from jacobi.rules.functions.solve import solve_triangular, triangle
from jacobi.rules.registry import rule, silent


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


def apart_rows(rng: np.random.Generator) -> Any:
    """Matrices whose pivots are certain, and in need of exchanges."""
    for n in (3, 1, 2):
        yield (np.roll(rng.uniform(-0.4, 0.4, (n, n)) + 2.0 * np.eye(n), 1, axis=0),), {}


rule(
    packed_factors,
    by_packed_factors,
    samples=apart_rows,
    name="scipy.linalg.lu_factor",
    source=WALTER,
    dense=EVERY_COLUMN,
)
silent(pivots)
rule(
    permutation,
    lambda y, a: Jacobian.zero(y.shape, a.shape),
    samples=apart_rows,
    piecewise_constant=True,
)
