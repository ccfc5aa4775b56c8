"""Every use of a derivative by NumPy and SciPy, with the Jacobian itself and with every ``format=`` that fits it."""

import numpy as np
import pytest
import scipy.sparse
from scipy.integrate import solve_ivp
from scipy.optimize import NonlinearConstraint, least_squares, minimize, root
from scipy.sparse.linalg import aslinearoperator, lsmr

import jacobi as jb

N = 5
V = np.linspace(1.0, 2.0, N)
MATRIX = np.arange(2.0 * N).reshape(2, N)
FULL, SPARSE = (None, "array"), ("csr", "csc", "coo")
ANY = (*FULL, *SPARSE, "operator")


def f(x):
    y = x + 0.1 * x**3 - 2
    y[1:] += 0.2 * x[:-1]
    return y


def energy(x):
    return np.sum(np.cosh(x - 1)) + np.sum((x[1:] - x[:-1]) ** 2)


def full(x):
    """The Jacobian of ``f`` by hand."""
    return np.diag(1 + 0.3 * x**2) + np.diag(np.full(N - 1, 0.2), -1)


def dense(value):
    return value.toarray() if hasattr(value, "toarray") else np.asarray(value)


ROOT = root(f, V, jac=full, tol=1e-12).x
DECAY = scipy.linalg.expm(-0.5 * full(V)) @ V


def jac(format):
    return jb.jacobian(f, format=format)


def hess(format):
    return jb.jacobian(jb.gradient(energy), format=format)


def integrated(method, jac):
    return solve_ivp(lambda t, y: -full(V) @ y, (0, 0.5), V, method=method, jac=jac, rtol=1e-8, atol=1e-10).y[:, -1]


def minimised(method, format):
    return minimize(energy, V, method=method, jac=jb.gradient(energy), hess=hess(format)).x


def constrained(format):
    constraint = NonlinearConstraint(f, 0, 0, jac=jac(format))
    gradient = jb.gradient(energy)
    return minimize(energy, V, method="trust-constr", jac=gradient, constraints=constraint, options={"gtol": 1e-9}).x


# A use: the formats that fit it, what it gives, what it should give, and how closely.
USES = {
    "np.asarray": (FULL, lambda k: np.asarray(jac(k)(V)), full(V), 1e-12),
    "J @ v": (ANY, lambda k: jac(k)(V) @ V, full(V) @ V, 1e-12),
    "v @ J": (ANY, lambda k: V @ jac(k)(V), V @ full(V), 1e-12),
    "M @ J": (ANY, lambda k: dense(MATRIX @ jac(k)(V)), MATRIX @ full(V), 1e-12),
    "np.linalg.solve": (FULL, lambda k: np.linalg.solve(jac(k)(V), V), np.linalg.solve(full(V), V), 1e-12),
    "assert_allclose": (FULL, lambda k: np.testing.assert_allclose(jac(k)(V), full(V)) or 0.0, 0.0, 0.0),
    "aslinearoperator": (ANY, lambda k: aslinearoperator(jac(k)(V)).rmatvec(V), V @ full(V), 1e-12),
    "csr_array": ((*FULL, *SPARSE), lambda k: scipy.sparse.csr_array(jac(k)(V)).toarray(), full(V), 1e-12),
    "lsmr": (ANY, lambda k: lsmr(jac(k)(V), V, atol=1e-13, btol=1e-13)[0], np.linalg.solve(full(V), V), 1e-8),
    "least_squares trf": (ANY, lambda k: least_squares(f, V, jac(k)).x, ROOT, 1e-6),
    "least_squares lsmr": (ANY, lambda k: least_squares(f, V, jac(k), tr_solver="lsmr").x, ROOT, 1e-5),
    "least_squares lm": (FULL, lambda k: least_squares(f, V, jac(k), method="lm").x, ROOT, 1e-6),
    "root hybr": (FULL, lambda k: root(f, V, jac=jac(k)).x, ROOT, 1e-6),
    "root lm": (FULL, lambda k: root(f, V, jac=jac(k), method="lm").x, ROOT, 1e-6),
    "solve_ivp constant": ((*FULL, *SPARSE), lambda k: integrated("Radau", -1 * jac(k)(V)), DECAY, 1e-6),
    "solve_ivp callable": ((*FULL, *SPARSE), lambda k: integrated("BDF", lambda t, y: -1 * jac(k)(V)), DECAY, 1e-6),
    "trust-constr constraint": ((*FULL, *SPARSE), constrained, ROOT, 1e-4),
    "Newton-CG hessian": (ANY, lambda k: minimised("Newton-CG", k), np.ones(N), 1e-4),
    "trust-krylov hessian": (FULL, lambda k: minimised("trust-krylov", k), np.ones(N), 1e-4),
}
CASES = [(use, format) for use, (formats, *_) in USES.items() for format in formats]


@pytest.mark.parametrize("use, format", CASES, ids=[f"{use}-{format or 'Jacobian'}" for use, format in CASES])
def test_use(use, format):
    _, run, expected, tolerance = USES[use]
    np.testing.assert_allclose(run(format), expected, atol=tolerance, rtol=tolerance)


def test_the_jacobian_itself_is_accepted_in_all_uses():
    assert len(USES) == 19 and all(None in formats for formats, *_ in USES.values())
