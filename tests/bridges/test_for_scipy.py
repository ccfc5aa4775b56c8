"""`for_scipy` lets right derivatives through to every solver and stops wrong ones before the first step."""

import math

import numpy as np
import pytest
import scipy.sparse
from scipy.integrate import solve_ivp
from scipy.optimize import NonlinearConstraint, curve_fit, fsolve, least_squares, minimize, root
from scipy.sparse.linalg import aslinearoperator

from jacobi import Jacobian
from jacobi.bridges import DerivativeError, for_scipy
from jacobi.errors import InputError

START = np.array([1.0, 2.0])
TIMES = np.linspace(0, 4, 30)


def circle_and_line(x):
    return np.array([x[0] ** 2 + x[1] ** 2 - 3, x[0] - 2 * x[1]])


def derivative(x):
    return np.array([[2 * x[0], 2 * x[1]], [1.0, -2.0]])


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def gradient(x):
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def decay(t, y):
    return np.array([-50 * y[0] + y[1] ** 2, y[0] - y[1]])


def by_state(t, y):
    return np.array([[-50.0, 2 * y[1]], [1.0, -1.0]])


def model(t, a, k, c):
    return a * np.exp(-k * t) + c


def by_parameters(t, a, k, c):
    return np.stack([np.exp(-k * t), -a * t * np.exp(-k * t), np.ones_like(t)], axis=1)


def constrained(jac):
    constraint = NonlinearConstraint(circle_and_line, 0, 0, jac=jac)
    return minimize(lambda x: x @ x, START, jac=lambda x: 2 * x, method="trust-constr", constraints=constraint)


SOLVERS = {
    "least_squares": (circle_and_line, derivative, {}, lambda jac: least_squares(circle_and_line, START, jac)),
    "root": (circle_and_line, derivative, {}, lambda jac: root(circle_and_line, START, jac=jac)),
    "fsolve": (circle_and_line, derivative, {}, lambda jac: fsolve(circle_and_line, START, fprime=jac)),
    "NonlinearConstraint": (circle_and_line, derivative, {}, constrained),
    "minimize": (rosenbrock, gradient, {}, lambda jac: minimize(rosenbrock, START, jac=jac)),
    "solve_ivp": (
        decay,
        by_state,
        {"argnum": 1},
        lambda jac: solve_ivp(decay, (0, 1), START, jac=jac, method="BDF"),
    ),
    "curve_fit": (
        model,
        by_parameters,
        {"argnum": slice(1, None)},
        lambda jac: curve_fit(model, TIMES, model(TIMES, 2.0, 1.0, 0.5), p0=[1.0, 1.0, 1.0], jac=jac),
    ),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_a_right_derivative_gives_what_the_solver_gives_without_a_guard(name):
    f, jac, options, solve = SOLVERS[name]
    guarded = for_scipy(f, jac, **options)
    found, expected = solve(guarded), solve(jac)
    of = {"solve_ivp": lambda r: r.y, "curve_fit": lambda r: r[0], "fsolve": np.asarray}.get(name, lambda r: r.x)
    np.testing.assert_array_equal(of(found), of(expected))
    assert [report.verdict for report in guarded.reports.values()] == ["correct"]
    assert "correct" in repr(guarded)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_wrong_derivative_never_reaches_the_solver(name):
    f, jac, options, solve = SOLVERS[name]
    calls = []

    def wrong(*args):
        calls.append(args)
        return -jac(*args)

    with pytest.raises(DerivativeError, match="sign") as raised:
        solve(for_scipy(f, wrong, **options))
    assert raised.value.report.diagnosis == "sign_flip"
    assert len(calls) < 100


@pytest.mark.parametrize("form", [scipy.sparse.csr_array, aslinearoperator, Jacobian.from_dense, np.ndarray.tolist])
def test_all_forms_of_a_derivative_are_passed_through_as_they_are(form):
    guarded = for_scipy(circle_and_line, lambda x: form(derivative(x)))
    assert type(guarded(START)) is type(form(derivative(START)))


def test_one_check_for_each_shape():
    calls = []

    def squares(x):
        calls.append(x.size)
        return x**2

    guarded = for_scipy(squares, lambda x: np.diag(2 * x))
    guarded(np.array([1.0, 2.0]))
    after_first = len(calls)
    guarded(np.array([3.0, 4.0]))
    assert len(calls) == after_first
    guarded(np.array([3.0, 4.0, 5.0]))
    assert len(calls) > after_first and len(guarded.reports) == 2


def test_a_derivative_that_is_right_at_the_start_only():
    guarded = for_scipy(lambda x: np.sum(x**3), lambda x: 3 * x)  # right at x = 1
    with pytest.raises(DerivativeError, match="correct at the solver's point, but wrong near it"):
        guarded(np.ones(3))


def test_keywords_of_a_solver_reach_both_functions():
    def scaled(x, factor):
        return factor * circle_and_line(x)

    guarded = for_scipy(scaled, lambda x, factor: factor * derivative(x))
    found = least_squares(scaled, START, guarded, kwargs={"factor": 2.0})
    assert found.cost < 1e-12 and bool(next(iter(guarded.reports.values())))


def test_the_argument_of_an_ode_is_named():
    with pytest.raises(DerivativeError, match="argnum=1"):
        for_scipy(decay, by_state)(0.0, START)


def test_large_problems_cost_few_calls():
    calls = []

    def cubes(x):
        calls.append(1)
        return np.array([math.pow(entry, 3) for entry in x])

    slope = np.linspace(1.0, 2.0, 400)
    for_scipy(cubes, lambda x: scipy.sparse.diags_array(3 * x**2), points=0)(slope)
    assert len(calls) <= 100
    with pytest.raises(DerivativeError):
        for_scipy(cubes, lambda x: scipy.sparse.diags_array(3.01 * x**2), points=0)(slope)


def test_a_kink_is_a_warning():
    guarded = for_scipy(np.abs, lambda x: np.diag(np.sign(x)), points=0)
    with pytest.warns(RuntimeWarning, match="kink"):
        guarded(np.zeros(2))
    for_scipy(np.abs, lambda x: np.diag(np.sign(x)), points=[np.ones(2)])(np.zeros(2))  # decided elsewhere


def test_rough_derivatives_may_be_allowed():
    def rough(x):
        return derivative(x) * (1 + 1e-5)

    with pytest.raises(DerivativeError):
        for_scipy(circle_and_line, rough)(START)
    for_scipy(circle_and_line, rough, rtol=1e-4)(START)


def test_a_matrix_is_no_function():
    with pytest.raises(InputError, match=r"for_scipy\(f, jac\)"):
        for_scipy(circle_and_line, derivative(START))
