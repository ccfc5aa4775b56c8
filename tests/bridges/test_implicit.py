"""`implicit`: derivatives of solutions, against finite differences through the solver and against known formulas."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize, root

import jacobi as jb
from jacobi.bridges import implicit
from jacobi.errors import InputError, ShapeError

RNG = np.random.default_rng(0)
M = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
K = RNG.normal(size=(4, 3, 3)) + 3 * np.eye(3)
B = RNG.normal(size=3)


def coupled(x, p, q):
    return x + 0.2 * np.tanh(M @ x) - p * np.sin(q)


@implicit(coupled)
def solution(p, q):
    return root(coupled, np.zeros(3), args=(p, q), tol=1e-13).x


@pytest.mark.parametrize("argnum", [0, 1])
def test_against_finite_differences_through_the_solver(argnum):
    p, q = np.array([0.5, -1.0, 2.0]), np.array(0.7)
    J = jb.jacobian(solution, argnum)(p, q).toarray()
    numerical, error = jb.finite_difference(solution, argnum)(p, q)
    assert np.all(np.abs(J - numerical) <= error + 1e-9)
    assert np.linalg.norm(J) > 0.1


def test_inside_a_larger_function():
    def cost(p):
        return np.sum(solution(p**2, 0.7) ** 2)

    p = np.array([0.5, -1.0, 2.0])
    numerical, error = jb.finite_difference(cost)(p)
    assert np.all(np.abs(jb.gradient(cost)(p) - numerical[0]) <= error[0] + 1e-8)


@implicit(lambda x, A, b: A @ x - b)
def system(A, b):
    return np.linalg.solve(A, b)


def test_a_linear_system_is_that_of_numpy():
    for ours, theirs in zip(*(jb.jacobian(f, (0, 1))(M, B) for f in (system, np.linalg.solve)), strict=True):
        np.testing.assert_allclose(ours.toarray(), theirs.toarray(), atol=1e-14)


def test_second_derivatives():
    ours, theirs = (jb.hessian(lambda A, f=f: np.sum(f(A, B) ** 2))(M) for f in (system, np.linalg.solve))
    np.testing.assert_allclose(ours.toarray(), theirs.toarray(), atol=1e-12)

    @implicit(lambda x, p: x**2 - p)
    def square_root(p):
        return np.sqrt(p)

    H = jb.hessian(lambda p: np.sum(square_root(p)))(np.array([4.0, 9.0]))
    np.testing.assert_allclose(H.toarray(), np.diag([-1 / 32, -1 / 108]))
    assert H.structure == "diagonal"


def test_numbers():
    @implicit(lambda x, p: x * np.exp(x) - p)
    def lambert(p):
        return brentq(lambda x: x * np.exp(x) - p, 0, 10, xtol=1e-14)

    w = lambert(2.0)
    assert jb.gradient(lambert)(2.0) == pytest.approx(w / (2.0 * (1 + w)), rel=1e-12)


def test_a_fixed_point():
    def step(x, p):
        return p * np.cos(x)

    @implicit(step, fixed_point=True)
    def settled(p):
        x = np.zeros_like(p)
        for _ in range(100):
            x = step(x, p)
        return x

    p = np.array([0.3, 0.6])
    x = settled(p)
    J = jb.jacobian(settled)(p)
    assert J.structure == "diagonal"
    np.testing.assert_allclose(J.diagonal(), np.cos(x) / (1 + p * np.sin(x)), rtol=1e-12)


def test_a_minimiser():
    def cost(x, p):
        return np.sum((x - p) ** 2) + np.sum(np.cosh(x)) + x[0] * x[1]

    @implicit(jb.gradient(cost))
    def best(p):
        return minimize(cost, p, args=(p,), jac=jb.gradient(cost), options={"gtol": 1e-10}).x

    p = np.array([0.5, -0.3])
    x = best(p)
    H = np.array([[2 + np.cosh(x[0]), 1], [1, 2 + np.cosh(x[1])]])
    np.testing.assert_allclose(jb.jacobian(best)(p).toarray(), 2 * np.linalg.inv(H), rtol=1e-7)


def test_many_separate_equations_stay_separate():
    @implicit(lambda x, p: x**3 + x - p)
    def roots(p):
        x = np.cbrt(p)
        for _ in range(50):
            x = x - (x**3 + x - p) / (3 * x**2 + 1)
        return x

    p = np.linspace(-2, 2, 100_000)
    J = jb.jacobian(roots)(p)
    assert J.structure == "diagonal" and J.nbytes == 800_000
    np.testing.assert_allclose(J.diagonal(), 1 / (3 * roots(p) ** 2 + 1))

    @implicit(lambda x, p: np.einsum("bij,bj->bi", K, x) - p)
    def batch(p):
        return np.linalg.solve(K, p[..., None])[..., 0]

    J = jb.jacobian(batch)(RNG.normal(size=(4, 3)))
    assert J.structure == "block diagonal"
    np.testing.assert_allclose(J.blocks(), np.linalg.inv(K), atol=1e-12)


def test_a_sparse_system():
    def chain(u, load):
        padded = np.concatenate([[0.0], u, [0.0]])
        return 2 * u - padded[2:] - padded[:-2] + 0.1 * u**3 - load

    @implicit(chain)
    def deflection(load):
        u = np.zeros_like(load)
        for _ in range(20):
            u = u - np.linalg.solve(jb.jacobian(chain)(u, load).toarray(), chain(u, load))
        return u

    load = np.linspace(0.1, 0.4, 40)
    J = jb.jacobian(deflection)(load).toarray()
    expected = np.linalg.inv(jb.jacobian(chain)(deflection(load), load).toarray())
    np.testing.assert_allclose(J, expected, rtol=1e-10)


def test_what_is_no_root_is_refused():
    stopped = implicit(lambda x, p: x**2 - p)(lambda p: np.sqrt(p) + 1e-3)
    with pytest.raises(InputError, match="Newton step"):
        jb.jacobian(stopped)(np.array([1.0, 4.0]))
    loose = implicit(lambda x, p: x**2 - p, tol=1e-2)(lambda p: np.sqrt(p) + 1e-3)
    np.testing.assert_allclose(jb.jacobian(loose)(np.array([1.0])).toarray(), 0.5, rtol=1e-2)


def test_a_singular_point_is_refused():
    double = implicit(lambda x, p: x**2 - p)(lambda p: 0 * p)
    with pytest.raises(InputError, match="singular"):
        jb.jacobian(double)(np.zeros(2))
    dense = implicit(lambda x, p: np.ones((2, 2)) @ x - p)(lambda p: p / 2)
    with pytest.raises(InputError, match="singular"):
        jb.jacobian(dense)(np.ones(2))


def test_as_many_equations_as_unknowns():
    short = implicit(lambda x, p: x[:1] - p[:1])(lambda p: p + 0)
    with pytest.raises(ShapeError, match="2 numbers, and g has 1"):
        jb.jacobian(short)(np.ones(2))
    with pytest.raises(InputError, match="not a function"):
        implicit(3.0)
