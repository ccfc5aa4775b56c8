"""``jacobi.functions``: SciPy's values on plain arrays, the same in a trace, closed forms, kinks, refusals.

Agreement with finite differences, second derivatives and the rest of the contract are in test_contracts.py; here for
the functions that have the name of one of NumPy's.
"""

import subprocess
import sys

import numpy as np
import pytest
from scipy import integrate, linalg, special

import jacobi as jb
import jacobi.functions as jf
from jacobi.errors import InputError, TraceError
from jacobi.finite_difference import finite_difference
from jacobi.rules import REGISTRY

RNG = np.random.default_rng(5)
A = RNG.uniform(-0.4, 0.4, (3, 3)) + np.diag([2.0, 4.0, 7.0])
B, V = RNG.normal(size=(3, 2)), RNG.normal(size=3)
Z = RNG.normal(size=(2, 3))
WEIGHTS = np.array([1.0, -0.2, 0.5])


def agrees(f, *arguments):
    """The Jacobian, and that of the gradient of a weighted sum, agree with finite differences."""
    for k in range(len(arguments)):

        def by_one(x, k=k):
            return f(*arguments[:k], x, *arguments[k + 1 :])

        def gradient(x, by_one=by_one, k=k):
            weights = np.cos(np.arange(np.size(by_one(x)))).reshape(np.shape(by_one(x)))
            return jb.gradient(lambda x: np.sum(weights * by_one(x)))(x)

        for function in (by_one, gradient):
            J, (numerical, bound) = (
                jb.jacobian(function)(arguments[k]).toarray(),
                finite_difference(function)(arguments[k]),
            )
            assert np.all(np.abs(J - numerical) <= 5 * bound + 1e-11 * (1 + np.abs(J).max(initial=0)))


# Values ---------------------------------------------------------------------------------------------------------

LU = linalg.lu_factor(A)
CHOLESKY = linalg.cho_factor(A @ A.T, lower=True)
ANALYTIC = ("expm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm")
CALLS = [
    ("softmax", special.softmax, (Z,), {}),
    ("softmax", special.softmax, (Z,), {"axis": -1}),
    ("softmax", special.softmax, (Z,), {"axis": (0, 1)}),
    ("log_softmax", special.log_softmax, (1000 * Z,), {"axis": 0}),
    ("logsumexp", special.logsumexp, (1000 * Z,), {"axis": 1, "keepdims": True}),
    ("logsumexp", special.logsumexp, (Z,), {"axis": 1, "b": WEIGHTS}),
    ("logsumexp", special.logsumexp, (Z,), {"b": -WEIGHTS, "return_sign": True}),
    ("logsumexp", special.logsumexp, (Z,), {"b": -WEIGHTS}),
    ("logsumexp", special.logsumexp, (Z,), {"return_sign": True}),
    ("sigmoid", special.expit, (100 * Z,), {}),
    ("gelu", lambda x: x * special.ndtr(x), (10 * Z,), {}),
    ("silu", lambda x: x * special.expit(x), (100 * Z,), {}),
    ("relu", lambda x: np.maximum(x, 0), (Z,), {}),
    ("softplus", lambda x: np.logaddexp(x, 0), (1000 * Z,), {}),
    *((name, getattr(linalg, name), (A / 9,), {}) for name in ANALYTIC),
    ("logm", linalg.logm, (A,), {}),
    ("sqrtm", linalg.sqrtm, (A,), {}),
    ("expm_frechet", linalg.expm_frechet, (A / 9, A.T), {}),
    ("expm_frechet", linalg.expm_frechet, (A / 9, A.T), {"compute_expm": False}),
    ("solve", linalg.solve, (A, V), {}),
    ("solve", linalg.solve, (A, B), {"transposed": True}),
    *(("solve", linalg.solve, (A, B), {"assume_a": kind}) for kind in ("gen", "sym", "her", "pos")),
    *(("solve", linalg.solve, (A, B), {"assume_a": kind, "lower": True}) for kind in ("gen", "sym", "her", "pos")),
    ("inv", linalg.inv, (A,), {}),
    ("det", linalg.det, (A,), {}),
    ("cholesky", linalg.cholesky, (A,), {}),
    ("cholesky", linalg.cholesky, (A,), {"lower": True}),
    ("cho_solve", linalg.cho_solve, (CHOLESKY, V), {}),
    ("cho_solve", linalg.cho_solve, (linalg.cho_factor(A @ A.T), B), {}),
    *(
        ("solve_triangular", linalg.solve_triangular, (A, b), {"trans": trans, "lower": lower, "unit_diagonal": unit})
        for b in (V, B)
        for trans in (0, 1, 2, "N", "T", "C")
        for lower in (False, True)
        for unit in (False, True)
    ),
    ("lu_factor", linalg.lu_factor, (A[::-1],), {}),
    *(("lu_solve", linalg.lu_solve, (linalg.lu_factor(A[::-1]), b), {"trans": t}) for b in (V, B) for t in (0, 1)),
    ("solve_sylvester", linalg.solve_sylvester, (A, np.eye(2), B), {}),
    ("solve_continuous_lyapunov", linalg.solve_continuous_lyapunov, (A, A.T), {}),
    ("solve_discrete_lyapunov", linalg.solve_discrete_lyapunov, (A / 9, A.T), {}),
    ("solve_toeplitz", linalg.solve_toeplitz, (A[0], V), {}),
    ("solve_toeplitz", linalg.solve_toeplitz, ((A[0], A[1]), B), {}),
    ("toeplitz", linalg.toeplitz, (V,), {}),
    ("toeplitz", linalg.toeplitz, (V, np.arange(5.0)), {}),
    ("hankel", linalg.hankel, (V,), {}),
    ("hankel", linalg.hankel, (V, np.arange(5.0)), {}),
    ("circulant", linalg.circulant, (V,), {}),
    ("block_diag", linalg.block_diag, (A, V, 2.0, B), {}),
    *(
        ("convolution_matrix", linalg.convolution_matrix, (V, n, m), {})
        for n in (1, 2, 3, 5)
        for m in ("full", "same", "valid")
    ),
    *(("polygamma", special.polygamma, (n, np.array([0.3, 2.0])), {}) for n in (0, 1, 4, np.array([[0], [3]]))),
    ("multigammaln", special.multigammaln, (np.array([3.0, 4.5]), 3), {}),
    *(
        (name, getattr(integrate, name), (RNG.normal(size=(2, n)),), {**places, "axis": axis})
        for name in ("trapezoid", "simpson", "cumulative_trapezoid")
        for n, axis in ((4, 1), (5, -1), (3, 0))
        for places in ({}, {"dx": 0.3}, {"x": np.array([0.0, 0.5, 2.0, 2.5, 4.0])[: (2 if axis == 0 else n)]})
    ),
    ("cumulative_trapezoid", integrate.cumulative_trapezoid, (Z,), {"initial": 0}),
]


@pytest.mark.parametrize(("name", "scipys", "arguments", "keywords"), CALLS, ids=[call[0] for call in CALLS])
def test_plain_arrays_give_what_scipy_gives(name, scipys, arguments, keywords):
    with np.errstate(all="ignore"):
        found, expected = getattr(jf, name)(*arguments, **keywords), scipys(*arguments, **keywords)
    both = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for one, other in both:
        assert np.shape(one) == np.shape(other)
        assert one == pytest.approx(other, nan_ok=True, rel=1e-10, abs=1e-12)


def test_every_function_is_compared_with_scipy():
    assert {call[0] for call in CALLS} | {"cho_factor"} == set(jf.__all__)


def test_cho_factor_has_zeros_where_scipy_leaves_what_was_there():
    for lower in (False, True):
        c, kept = jf.cho_factor(A, lower)
        assert kept is lower
        assert c == pytest.approx(linalg.cholesky(A, lower=lower))


def test_stacks():
    stack = np.stack([A, A.T])
    for f in (jf.expm, jf.logm, jf.sqrtm, jf.cosm, jf.inv, jf.det, jf.cholesky):
        assert f(stack / 4) == pytest.approx(np.stack([f(part) for part in stack / 4]))
        parts = [jb.jacobian(f)(part).toarray() for part in stack / 4]
        assert jb.jacobian(f)(stack / 4).toarray() == pytest.approx(linalg.block_diag(*parts))
    for lower in (False, True):
        right = np.stack([B, 2 * B])
        expected = np.stack([jf.solve_triangular(a, b, lower=lower) for a, b in zip(stack, right, strict=True)])
        assert jf.solve_triangular(stack, right, lower=lower) == pytest.approx(expected)


# Derivatives of the functions that share a name with NumPy's, and of those that take or give tuples --------------


@pytest.mark.parametrize("assume_a", [None, "gen", "sym", "pos", "upper triangular", "lower triangular", "diagonal"])
@pytest.mark.parametrize("lower", [False, True])
def test_solve(assume_a, lower):
    agrees(lambda a, b: jf.solve(a, b, lower, assume_a, transposed=lower), A, B)


@pytest.mark.parametrize("lower", [False, True])
def test_factors(lower):
    agrees(lambda a: jf.cholesky(a, lower), A)
    agrees(lambda a: jf.inv(a, assume_a="sym", lower=lower), A)
    agrees(lambda a, b: jf.cho_solve(jf.cho_factor(a, lower), b), A, V)
    agrees(lambda a, b: jf.cho_solve((a, lower), b), A, B)
    agrees(jf.det, A)


@pytest.mark.parametrize("trans", [0, 1])
def test_lu(trans):
    agrees(lambda a, b: jf.lu_solve(jf.lu_factor(a), b, trans), A[::-1], B)
    solve = jb.jacobian(lambda a: np.linalg.solve(a.T if trans else a, V))(A[::-1])
    assert jb.jacobian(lambda a: jf.lu_solve(jf.lu_factor(a), V, trans))(A[::-1]).toarray() == pytest.approx(
        solve.toarray()
    )


def test_solution_by_cholesky_is_the_solution():
    """By a symmetric matrix: the derivatives of both triangles together."""
    definite = A @ A.T
    expected = jb.jacobian(lambda a: np.linalg.solve(a, V))(definite).toarray().reshape(3, 3, 3)
    found = jb.jacobian(lambda a: jf.cho_solve(jf.cho_factor(a), V))(definite).toarray().reshape(3, 3, 3)
    assert found + found.transpose(0, 2, 1) == pytest.approx(expected + expected.transpose(0, 2, 1))


def test_weights_of_logsumexp_as_a_keyword():
    agrees(lambda b: jf.logsumexp(Z, axis=1, b=b), WEIGHTS)
    agrees(lambda a, b: jf.logsumexp(a, b=b, return_sign=True)[0], Z, -WEIGHTS)


def test_simpson_with_places():
    x = np.array([0.0, 0.5, 2.0, 2.5])
    agrees(lambda y: jf.simpson(y, x), RNG.normal(size=(3, 4)))
    agrees(lambda y: jf.simpson(y, x, axis=0), RNG.normal(size=(4, 3)))


# Closed forms ---------------------------------------------------------------------------------------------------


def test_softmax_is_two_terms():
    """Per row diag(s) - s s^T."""
    J = jb.jacobian(lambda z: jf.softmax(z, axis=1))(Z)
    s = special.softmax(Z, axis=1)
    assert J.blocks() == pytest.approx(np.stack([np.diag(row) - np.outer(row, row) for row in s]))
    assert len(J.terms) == 2


def test_softmax_of_a_large_batch_stays_small():
    J = jb.jacobian(lambda z: jf.softmax(z, axis=-1))(np.ones((5000, 10)))
    assert J.nbytes <= 5000 * 10 * 8 * 3


def test_cross_entropy():
    """The textbook's ``softmax(z) - target``."""
    target = np.array([0.0, 1.0, 0.0])
    gradient = jb.gradient(lambda z: -np.sum(target * jf.log_softmax(z)))(1000 * V)
    assert gradient == pytest.approx(special.softmax(1000 * V) - target)


def test_expm():
    """d expm(t A) / dt = A expm(t A); at 0 the derivative of expm is the identity; tr expm has the gradient expm^T."""
    assert jb.jacobian(lambda t: jf.expm(t * A))(0.3).toarray().ravel() == pytest.approx(
        (A @ linalg.expm(0.3 * A)).ravel()
    )
    assert jb.gradient(lambda a: np.trace(jf.expm(a)))(A / 4) == pytest.approx(linalg.expm(A / 4).T)
    _, frechet = linalg.expm_frechet(A / 4, B @ B.T)
    assert jb.jacobian(jf.expm)(A / 4) @ (B @ B.T).ravel() == pytest.approx(frechet.ravel())


def test_logm_and_sqrtm_undo():
    for there, back in ((jf.logm, jf.expm), (jf.sqrtm, lambda a: a @ a)):
        assert jb.jacobian(lambda a, f=there, g=back: g(f(a)))(A).toarray() == pytest.approx(np.eye(9), abs=1e-10)


def test_sine_and_cosine():
    """cos^2 + sin^2 = I has derivative zero."""
    J = jb.jacobian(lambda a: jf.cosm(a) @ jf.cosm(a) + jf.sinm(a) @ jf.sinm(a))(A / 4)
    assert np.abs(J.toarray()).max() < 1e-12


def test_functions_of_a_diagonal_matrix_are_divided_differences():
    """Daleckii and Krein: entry (i, j) is multiplied by (f(w_i) - f(w_j)) / (w_i - w_j)."""
    w = np.array([0.5, 1.0, 2.0])
    f = np.exp(w)
    gaps = w[:, None] - w + np.eye(3)
    divided = (f[:, None] - f) / gaps + np.diag(f)
    assert jb.jacobian(jf.expm)(np.diag(w)).toarray() == pytest.approx(np.diag(divided.ravel()))


def test_structured_matrices_are_selections():
    for f in (jf.toeplitz, jf.circulant, jf.hankel, lambda c: jf.convolution_matrix(c, 4)):
        J = jb.jacobian(f)(np.arange(1.0, 6.0))
        assert set(np.unique(J.toarray())) == {0.0, 1.0}


def test_linear_quadratures_have_constant_derivatives():
    assert jb.gradient(jf.trapezoid)(np.ones(4)).tolist() == [0.5, 1, 1, 0.5]
    assert jb.gradient(jf.simpson)(np.ones(5)) == pytest.approx(np.array([1, 4, 2, 4, 1]) / 3)


# Kinks and singular points --------------------------------------------------------------------------------------


def test_relu():
    assert jb.jacobian(jf.relu)(np.array([-1.0, 0.0, 2.0])).diagonal().tolist() == [0, 0, 1]
    assert REGISTRY[jf.relu].distance(np.zeros(2), np.array([0.0, 1.0])).tolist() == [0, 1]


def test_no_overflow():
    big = np.array([-1e4, 0.0, 1e4])
    for f, expected in (
        (jf.sigmoid, [0, 0.25, 0]),
        (jf.softplus, [0, 0.5, 1]),
        (jf.silu, [0, 0.5, 1]),
        (jf.gelu, [0, 0.5, 1]),
    ):
        assert jb.jacobian(f)(big).diagonal().tolist() == expected
        assert np.isfinite(jb.hessian(lambda x, f=f: np.sum(f(x)))(big).toarray()).all()
    assert jb.gradient(jf.logsumexp)(big).tolist() == [0, 0, 1]
    assert jb.jacobian(jf.log_softmax)(big).toarray().tolist() == [[1, 0, -1], [0, 1, -1], [0, 0, 0]]


@pytest.mark.filterwarnings("ignore:Matrix is singular")
def test_roots_of_singular_matrices_have_no_derivative():
    singular = np.diag([1.0, 0.0])
    assert not np.isfinite(jb.jacobian(jf.sqrtm)(singular).toarray()).all()


def test_complex_results_are_refused():
    for f in (jf.sqrtm, jf.logm):
        with pytest.raises(InputError, match="complex"):
            jb.jacobian(f)(-np.eye(2))


def test_singular_systems():
    with pytest.raises(np.linalg.LinAlgError):
        jb.jacobian(jf.solve_triangular)(np.zeros((2, 2)), np.ones(2))
    with pytest.raises(np.linalg.LinAlgError):
        jb.jacobian(jf.cholesky)(-np.eye(2))


# Errors ---------------------------------------------------------------------------------------------------------


def test_what_does_not_exist_says_what_exists():
    with pytest.raises(AttributeError, match=r"jacobi\.functions has no function 'funm'.*expm.*softmax"):
        jf.funm  # noqa: B018
    assert "expm" in dir(jf)


def test_what_is_refused_says_what_to_write():
    with pytest.raises(TraceError, match="trapezoid"):
        jb.jacobian(lambda x: jf.simpson(np.ones(3), x))(np.arange(3.0))
    with pytest.raises(InputError, match="positive definite"):
        jf.solve(A, V, assume_a="nonsense")
    with pytest.raises(InputError, match="trans"):
        jf.solve_triangular(A, V, trans=3)
    with pytest.raises(InputError, match="two axes"):
        jf.block_diag(np.zeros((1, 1, 1)))


def test_lists_and_numbers_are_taken():
    assert jf.softmax([1.0, 1.0]) == pytest.approx(np.array([0.5, 0.5]))
    assert jf.relu(-1.0) == 0 and jf.silu([0.0, 1.0])[0] == 0
    assert jf.toeplitz([1, 2, 3]).tolist() == [[1, 2, 3], [2, 1, 2], [3, 2, 1]]
    assert jf.trapezoid([1, 2, 3]) == 4
    assert jf.expm([[0.0]]).tolist() == [[1.0]]
    assert jf.solve_sylvester([[1.0]], [[1.0]], [[4.0]]).tolist() == [[2.0]]


def test_the_module_does_not_import_scipy():
    code = "import sys, jacobi.functions; print(any(name.startswith('scipy') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
