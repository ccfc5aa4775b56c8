"""NumPy and SciPy accept a Jacobian, and every `format=` of it, wherever they take a matrix or a derivative."""

import numpy as np
import pytest
import scipy.sparse
from scipy.integrate import solve_bvp, solve_ivp
from scipy.optimize import NonlinearConstraint, curve_fit, fsolve, least_squares, minimize, root
from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, gmres, lsmr, lsqr, splu, spsolve

import jacobi as jb

FULL = (None, "array")
SPARSE = ("csr", "csc", "coo")
N = 6


def broyden(x):
    f = (3 - 2 * x) * x + 1
    f[1:] -= x[:-1]
    f[:-1] -= 2 * x[1:]
    return f


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def overdetermined(x):
    return np.concatenate([x[1:] - x[:-1] ** 2, 1 - x])


START = np.full(N, -1.0)
SOLUTION = root(broyden, START, tol=1e-12).x  # by SciPy alone, with its differences


@pytest.fixture(scope="module")
def J():
    """A square Jacobian that is not symmetric, well conditioned."""
    return jb.jacobian(broyden)(START)


@pytest.fixture(scope="module")
def full(J):
    return J.toarray()


@pytest.fixture(scope="module")
def b():
    return np.arange(1.0, N + 1)


# A matrix among arrays and sparse arrays --------------------------------------------------------------------------


def test_conversions(J, full):
    for array in (np.asarray(J), np.array(J), np.asarray(J, dtype=float), np.atleast_2d(J), np.asanyarray(J)):
        assert type(array) is np.ndarray and array.shape == J.shape
        np.testing.assert_array_equal(array, full)
    assert np.asarray(J, dtype=np.float32).dtype == np.float32
    np.testing.assert_allclose(J, full)
    np.testing.assert_allclose(full, J)
    with pytest.raises(ValueError, match="copy"):
        np.array(J, copy=False)
    copy = np.asarray(J)
    copy[:] = 0
    np.testing.assert_array_equal(J.toarray(), full)
    assert (np.shape(J), np.ndim(J), J.shape, J.ndim) == ((N, N), 2, (N, N), 2)


def test_products_from_both_sides(J, full, b):
    M = np.arange(3.0 * N).reshape(3, N)
    np.testing.assert_allclose(J @ b, full @ b)
    np.testing.assert_allclose(b @ J, b @ full)
    for product, expected in ((M @ J, M @ full), (J @ M.T, full @ M.T)):
        np.testing.assert_allclose(np.asarray(product), expected)
    S = scipy.sparse.csr_array(M)
    for product, expected in ((S @ J, M @ full), (J @ S.T, full @ M.T)):
        np.testing.assert_allclose(product.toarray() if hasattr(product, "toarray") else product, expected)
    np.testing.assert_allclose(np.asarray(2.0 * J), 2 * full)
    np.testing.assert_allclose(np.asarray(np.float64(2) * J), 2 * full)
    np.testing.assert_allclose(np.asarray(J / 2), full / 2)


def test_products_with_short_vectors_are_refused(J, b):
    for product in (lambda: J @ b[:-1], lambda: b[:-1] @ J, lambda: np.ones((2, N - 1)) @ J):
        with pytest.raises(ValueError, match=str(N - 1)):
            product()


def test_linear_algebra(J, full, b):
    np.testing.assert_allclose(np.linalg.solve(J, b), np.linalg.solve(full, b))
    np.testing.assert_allclose(np.linalg.lstsq(J, b, rcond=None)[0], np.linalg.solve(full, b))
    np.testing.assert_allclose(np.linalg.svd(J, compute_uv=False), np.linalg.svd(full, compute_uv=False))
    np.testing.assert_allclose(scipy.linalg.solve(J, b), np.linalg.solve(full, b))


def test_sparse_arrays(J, full, b):
    expected = np.linalg.solve(full, b)
    csr = scipy.sparse.csr_array(J.tocsr())
    assert isinstance(J.tocsr(), scipy.sparse.csr_array) and csr.has_canonical_format
    assert csr.nnz == 3 * N - 2
    np.testing.assert_array_equal(csr.toarray(), full)
    np.testing.assert_array_equal(scipy.sparse.csr_array(J).toarray(), full)
    np.testing.assert_allclose(spsolve(J.tocsr(), b), expected)
    np.testing.assert_allclose(splu(J.tocsc()).solve(b), expected)
    assert isinstance(J.tocsc(), scipy.sparse.csc_array)
    assert isinstance(J.tocoo(), scipy.sparse.coo_array)
    stacked = scipy.sparse.block_array([[J.tocsr(), None], [None, J.tocsr()]])
    assert stacked.shape == (2 * N, 2 * N)
    np.testing.assert_array_equal(jb.Jacobian.from_sparse(J.tocsr()).toarray(), full)


def test_iterative_solvers(J, full, b):
    expected = np.linalg.solve(full, b)
    for operator in (J, aslinearoperator(J), J.aslinearoperator(), J.tocsr()):
        np.testing.assert_allclose(lsmr(operator, b, atol=1e-14, btol=1e-14)[0], expected, rtol=1e-8)
        np.testing.assert_allclose(lsqr(operator, b, atol=1e-14, btol=1e-14)[0], expected, rtol=1e-8)
        np.testing.assert_allclose(gmres(operator, b, rtol=1e-12)[0], expected, rtol=1e-8)
    operator = aslinearoperator(J)
    assert isinstance(operator, LinearOperator) and operator.shape == J.shape and operator.dtype == J.dtype
    np.testing.assert_allclose(operator.T @ b, full.T @ b)
    np.testing.assert_allclose(operator.rmatvec(b), full.T @ b)
    np.testing.assert_allclose(operator @ np.eye(N), full)
    H = jb.hessian(lambda x: np.sum(np.cosh(x)) + np.sum((x[1:] - x[:-1]) ** 2))(b / 3)
    np.testing.assert_allclose(cg(H, b, rtol=1e-12)[0], np.linalg.solve(H.toarray(), b), rtol=1e-8)


def test_large_matrices_are_not_made_full_in_silence():
    J = jb.jacobian(np.tanh)(np.linspace(-1, 1, 100_000))
    with pytest.raises(MemoryError, match=r'format="csr".*format="operator"'):
        np.asarray(J)
    with pytest.raises(MemoryError, match="100000"):
        np.linalg.norm(J)
    assert J.tocsr().nnz == 100_000
    np.testing.assert_array_equal(J @ np.ones(100_000), J.diagonal())


# Solvers of equations and least squares ---------------------------------------------------------------------------


@pytest.mark.parametrize("format", [*FULL, *SPARSE, "operator"])
@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_least_squares(method, format):
    jac = jb.jacobian(broyden, format=format)
    found = least_squares(broyden, START, jac, method=method, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    np.testing.assert_allclose(found.x, SOLUTION, atol=1e-6)
    assert found.cost < 1e-16


@pytest.mark.parametrize("format", [*FULL, *SPARSE, "operator"])
def test_least_squares_within_bounds(format):
    jac = jb.jacobian(overdetermined, format=format)
    solver = None if format in FULL else "lsmr"
    found = least_squares(overdetermined, START / 2, jac, bounds=(-2, 3), tr_solver=solver, xtol=1e-12)
    np.testing.assert_allclose(found.x, 1, atol=1e-6)


@pytest.mark.parametrize("format", FULL)
def test_levenberg_marquardt(format):
    jac = jb.jacobian(overdetermined, format=format)
    np.testing.assert_allclose(least_squares(overdetermined, START / 2, jac, method="lm").x, 1, atol=1e-6)


@pytest.mark.parametrize("format", FULL)
@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root(method, format):
    found = root(broyden, START, jac=jb.jacobian(broyden, format=format), method=method)
    assert found.success
    np.testing.assert_allclose(found.x, SOLUTION, atol=1e-6)


@pytest.mark.parametrize("format", FULL)
def test_fsolve(format):
    np.testing.assert_allclose(fsolve(broyden, START, fprime=jb.jacobian(broyden, format=format)), SOLUTION, atol=1e-6)


@pytest.mark.parametrize("format", [*FULL, *SPARSE])
def test_newton_by_hand(format):
    x = START.copy()
    for _ in range(10):
        J = jb.jacobian(broyden, format=format)(x)
        x = x - (spsolve(J.tocsc(), broyden(x)) if format in SPARSE else np.linalg.solve(J, broyden(x)))
    np.testing.assert_allclose(broyden(x), 0, atol=1e-12)


def test_value_and_jacobian_for_root():
    def both(x):
        y, J = jb.value_and_jacobian(broyden, format="array")(x)
        return y, J

    np.testing.assert_allclose(root(both, START, jac=True).x, SOLUTION, atol=1e-6)


@pytest.mark.parametrize("format", FULL)
@pytest.mark.parametrize("method", ["lm", "trf"])
def test_curve_fit(method, format):
    t = np.linspace(0, 4, 15)
    truth = np.array([2.5, 1.3, 0.5])

    def model(t, a, k, c):
        return a * np.exp(-k * t) + c

    together = jb.jacobian(lambda p, t: model(t, p[0], p[1], p[2]), format=format)
    found, covariance = curve_fit(
        model, t, model(t, *truth), p0=np.ones(3), jac=lambda t, *p: together(np.array(p), t), method=method
    )
    np.testing.assert_allclose(found, truth, rtol=1e-6)
    assert covariance.shape == (3, 3)
    columns = jb.jacobian(model, argnums=(1, 2, 3))
    found, _ = curve_fit(
        model, t, model(t, *truth), p0=np.ones(3), jac=lambda t, *p: np.hstack([np.asarray(J) for J in columns(t, *p)])
    )
    np.testing.assert_allclose(found, truth, rtol=1e-6)


# Minimisation -----------------------------------------------------------------------------------------------------


GRADIENT = jb.gradient(rosenbrock)


@pytest.mark.parametrize("format", [*FULL, *SPARSE, "operator"])
@pytest.mark.parametrize("method", ["Newton-CG", "trust-constr"])
def test_minimize_with_any_hessian(method, format):
    hess = jb.jacobian(GRADIENT, format=format)
    found = minimize(rosenbrock, START / 2, method=method, jac=GRADIENT, hess=hess, options={"maxiter": 500})
    np.testing.assert_allclose(found.x, 1, atol=1e-3)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-constr", "trust-krylov", "trust-ncg", "trust-exact", "dogleg"])
def test_minimize_with_the_hessian_itself(method):
    hess = jb.hessian(rosenbrock) if method != "dogleg" else lambda x: jb.hessian(rosenbrock)(x).toarray()
    start = np.full(N, 1.2) if method == "dogleg" else START / 2
    found = minimize(rosenbrock, start, method=method, jac=GRADIENT, hess=hess, options={"maxiter": 500})
    np.testing.assert_allclose(found.x, 1, atol=1e-3)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-krylov", "trust-ncg"])
def test_minimize_with_products_only(method):
    def product(x, p):
        return jb.jvp(GRADIENT, (x,), (p,))[1]

    found = minimize(rosenbrock, START / 2, method=method, jac=GRADIENT, hessp=product)
    np.testing.assert_allclose(found.x, 1, atol=1e-3)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP"])
def test_minimize_with_the_gradient(method):
    found = minimize(rosenbrock, START / 2, method=method, jac=GRADIENT, options={"maxiter": 1000})
    np.testing.assert_allclose(found.x, 1, atol=1e-2)
    both = minimize(jb.value_and_gradient(rosenbrock), START / 2, method=method, jac=True, options={"maxiter": 1000})
    np.testing.assert_allclose(both.x, found.x, atol=1e-6)


def circle(x):
    return np.array([x @ x])


@pytest.mark.parametrize("format", FULL)
def test_slsqp_with_constraints(format):
    constraint = {"type": "eq", "fun": lambda x: circle(x) - 1, "jac": jb.jacobian(circle, format=format)}
    target = np.arange(1.0, 4.0)

    def distance(x):
        return np.sum((x - target) ** 2)

    found = minimize(distance, np.ones(3), method="SLSQP", jac=jb.gradient(distance), constraints=constraint)
    np.testing.assert_allclose(found.x, target / np.linalg.norm(target), atol=1e-6)


@pytest.mark.parametrize("format", [*FULL, *SPARSE])
def test_nonlinear_constraint(format):
    target = np.arange(1.0, 4.0)

    def distance(x):
        return np.sum((x - target) ** 2)

    def hess(x, v):
        H = jb.hessian(lambda x: circle(x) @ v)(x)
        return H.tocsr() if format in SPARSE else H.toarray() if format else H

    constraint = NonlinearConstraint(circle, 1, 1, jac=jb.jacobian(circle, format=format), hess=hess)
    found = minimize(
        distance,
        np.ones(3),
        method="trust-constr",
        jac=jb.gradient(distance),
        hess=jb.hessian(distance),
        constraints=constraint,
    )
    np.testing.assert_allclose(found.x, target / np.linalg.norm(target), atol=1e-4)


# Differential equations -------------------------------------------------------------------------------------------


def heat(t, u):
    padded = np.concatenate([[0.0], u, [0.0]])
    return 30 * (padded[2:] - 2 * u + padded[:-2]) - u**3


@pytest.fixture(scope="module")
def reference():
    u = np.sin(np.linspace(0.3, 2.8, N))
    return u, solve_ivp(heat, (0, 0.2), u, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]


@pytest.mark.parametrize("format", [*FULL, *SPARSE])
@pytest.mark.parametrize("method", ["Radau", "BDF"])
def test_solve_ivp(method, format, reference):
    u, expected = reference
    jac = jb.jacobian(heat, 1, format=format)
    found = solve_ivp(heat, (0, 0.2), u, method=method, jac=jac, rtol=1e-7, atol=1e-9)
    assert found.success
    np.testing.assert_allclose(found.y[:, -1], expected, atol=1e-5)
    constant = jac(0.0, u)
    linear = solve_ivp(lambda t, u: constant @ u, (0, 0.1), u, method=method, jac=constant, rtol=1e-7)
    exact = scipy.linalg.expm(0.1 * jb.jacobian(heat, 1)(0.0, u).toarray()) @ u
    np.testing.assert_allclose(linear.y[:, -1], exact, atol=1e-4)


def bratu(x, y):
    return np.stack([y[1], -np.exp(y[0])])


def test_solve_bvp():
    def rows(x, y):  # all points of the mesh at once: one block for every point
        blocks = jb.jacobian(lambda z: bratu(x, z.T).T)(y.T).blocks()
        return np.moveaxis(blocks, 0, -1)

    def ends(ya, yb):
        return np.stack([ya[0], yb[0]])

    def ends_jac(ya, yb):
        return tuple(np.asarray(J) for J in jb.jacobian(ends, (0, 1))(ya, yb))

    def ends_jac_itself(ya, yb):
        return jb.jacobian(ends, (0, 1))(ya, yb)

    mesh = np.linspace(0, 1, 7)
    plain = solve_bvp(bratu, ends, mesh, np.zeros((2, 7)))
    for bc_jac in (ends_jac, ends_jac_itself):
        found = solve_bvp(bratu, ends, mesh, np.zeros((2, 7)), fun_jac=rows, bc_jac=bc_jac)
        assert found.success
        np.testing.assert_allclose(found.sol(mesh), plain.sol(mesh), atol=1e-4)
