"""Matrix equations under SciPy's names: Sylvester, Lyapunov, Toeplitz systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.matrix import dispatchable, einstein
from jacobi.rules.decompositions import inverse_or_nan, turned
from jacobi.rules.functions.build import toeplitz
from jacobi.rules.functions.solve import systems
from jacobi.rules.registry import composed, rule


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

    return linalg.solve_sylvester(np.asarray(a), np.asarray(b), np.asarray(q))


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


def equations(rng: np.random.Generator) -> Any:
    """Calls of Sylvester's equation."""
    for m, n in ((2, 3), (1, 2), (2, 2)):
        a, b = (rng.uniform(-0.3, 0.3, (k, k)) + 1.5 * np.eye(k) for k in (m, n))
        yield (a, b, rng.normal(size=(m, n))), {}


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
