"""Numerical Jacobians: the bound holds at all scales, is tight and cheap, and survives bad functions."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special

from jacobi.errors import InputError, ShapeError
from jacobi.finite_difference import finite_difference, measure

# --------------------------------------------------------- the bound against closed forms over scales

anywhere, positive, inside = (lambda t: True), (lambda t: t > 0), (lambda t: abs(t) < 1)
KNOWN = {  # name: function of t, its derivative, domain
    "sin": (np.sin, np.cos, anywhere),
    "cos": (np.cos, lambda t: -np.sin(t), anywhere),
    "exp": (np.exp, np.exp, lambda t: abs(t) < 300),
    "sinh": (np.sinh, np.cosh, lambda t: abs(t) < 300),
    "tanh": (np.tanh, lambda t: 1 / np.cosh(np.minimum(abs(t), 300)) ** 2, anywhere),
    "arctan": (np.arctan, lambda t: 1 / (1 + t * t), anywhere),
    "Runge": (lambda t: 1 / (1 + t * t), lambda t: -2 * t / (1 + t * t) ** 2, anywhere),
    "hypotenuse": (lambda t: np.sqrt(1 + t * t), lambda t: t / np.sqrt(1 + t * t), anywhere),
    "log of square": (lambda t: np.log(1 + t * t), lambda t: 2 * t / (1 + t * t), anywhere),
    "cubic": (lambda t: t**3 - 2 * t, lambda t: 3 * t * t - 2, anywhere),
    "septic": (lambda t: t**7 - 3 * t**4 + t, lambda t: 7 * t**6 - 12 * t**3 + 1, anywhere),
    "bell": (lambda t: np.exp(-t * t), lambda t: -2 * t * np.exp(-t * t), anywhere),
    "erf": (special.erf, lambda t: 2 / math.sqrt(math.pi) * np.exp(-t * t), anywhere),
    "expit": (special.expit, lambda t: special.expit(t) * special.expit(-t), lambda t: abs(t) < 500),
    "softplus": (lambda t: np.logaddexp(0, t), special.expit, lambda t: abs(t) < 500),
    "Bessel": (special.j0, lambda t: -special.j1(t), lambda t: abs(t) < 100),
    "reciprocal": (lambda t: 1 / t, lambda t: -1 / t**2, anywhere),
    "sqrt": (np.sqrt, lambda t: 0.5 / np.sqrt(t), positive),
    "power": (lambda t: t**1.5, lambda t: 1.5 * np.sqrt(t), positive),
    "log": (np.log, lambda t: 1 / t, positive),
    "entropy": (lambda t: t * np.log(t), lambda t: np.log(t) + 1, positive),
    "arcsin": (np.arcsin, lambda t: 1 / np.sqrt((1 - t) * (1 + t)), inside),
    "arctanh": (np.arctanh, lambda t: 1 / ((1 - t) * (1 + t)), inside),
    "careless log": (lambda t: np.log(1 + t), lambda t: 1 / (1 + t), positive),
    "careless exp": (lambda t: np.exp(t) - 1, np.exp, lambda t: abs(t) < 300),
    "relu": (lambda t: np.maximum(t, 0), lambda t: float(t > 0), anywhere),
    "abs": (np.abs, np.sign, anywhere),
    "constant": (lambda t: 3.0 + 0 * t, lambda t: 0 * t, anywhere),
}


def rounding_of_truth(t, truth):
    return 1e-14 * (1 + abs(t)) * abs(truth) + 1e-300


@pytest.mark.parametrize("name", KNOWN)
def test_the_bound_holds_the_derivative_at_all_scales(name):
    function, derivative, domain = KNOWN[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    for _ in range(60):
        scale, height = 10.0 ** rng.uniform(-6, 6, size=2)
        x = scale * rng.uniform(0.1, 3) * rng.choice((-1.0, 1.0))
        width = scale * 10 ** rng.uniform(-1, 1)
        t = x / width
        if domain(t):
            J, err = finite_difference(lambda x, a=width, b=height: b * function(x / a))(x)
            truth = height * derivative(t) / width
            assert abs(J[0, 0] - truth) <= err[0, 0] + rounding_of_truth(t, truth), (x, width, height)


@pytest.mark.parametrize("inside_too", (False, True))
@pytest.mark.parametrize("name", ("sin", "arctan", "log", "cubic", "softplus", "sqrt"))
def test_the_bound_holds_the_derivative_under_cancellation(name, inside_too):
    function, derivative, _ = KNOWN[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    for _ in range(40):
        x = rng.uniform(0.1, 3)
        offset = 10.0 ** rng.uniform(0, 10)
        J, err = finite_difference(
            lambda x, c=offset: function(x) + c - c if inside_too else function(x) + c
        )(x)
        truth = derivative(x)
        assert abs(J[0, 0] - truth) <= err[0, 0] + rounding_of_truth(x, truth), (x, offset)


def stairs_under_a_slope(t):
    """On the stairs of 1 - y*y the second factor is a smooth function, with another slope."""
    y = np.tanh(9.192088783031624 - 0.23244132644493298 * t + 0.4671282618116046 * t * t)
    return (1 - y * y) * (-0.24984789588230405 - 1.0129655535145283 * t)


W = 0.8366275454699815
RNG = np.random.default_rng(11)
HARD = [  # name, function, point, derivative, the largest error that is still useful
    ("cancellation", lambda x: 1e8 + np.sin(x), 0.5, math.cos(0.5), 1e-4),
    ("cancellation inside", lambda x: (1e8 + np.sin(x)) - 1e8, 0.5, math.cos(0.5), 1e-4),
    ("hidden cancellation", lambda x: ((1e8 + np.sin(x)) - 1e8) ** 2, 0.5, math.sin(1.0), 1e-4),
    ("logarithm near zero", np.log, 1e-10, 1e10, 1e2),
    ("root near zero", np.sqrt, 1e-12, 0.5e6, 1e-2),
    ("root by exceptions", lambda x: math.sqrt(x), 1e-12, 0.5e6, 1e-2),
    ("root of almost nothing", np.sqrt, 1e-200, 0.5e100, 1e92),
    ("steep tanh", lambda x: np.tanh(x / 1e-8), 0.0, 1e8, 1e-1),
    ("steep tanh beside zero", lambda x: np.tanh(x / 1e-8), 3e-9, 1e8 / math.cosh(0.3) ** 2, 1e1),
    ("kink at 1e-9", lambda x: np.maximum(x, 0), 1e-9, 1.0, 1e-8),
    ("kink at -1e-9", lambda x: np.maximum(x, 0), -1e-9, 0.0, 1e-8),
    ("kink at -1e-12", lambda x: np.maximum(x, 0), -1e-12, 0.0, 1e-8),
    ("high frequency", lambda x: np.sin(1e6 * x), 0.7, 1e6 * math.cos(7e5), 1e2),
    ("large argument", np.sin, 1e6, math.cos(1e6), 1e-5),
    ("tiny argument", np.sin, 1e-12, 1.0, 1e-12),
    ("float32 inside", lambda x: np.float64(np.sin(np.float32(x))), 0.7, math.cos(0.7), 1e-3),
    ("small steep part", lambda x: x + 1e-9 * np.tanh(x / 1e-10), 0.0, 11.0, 1e-8),
    ("small beside its stairs", lambda x: np.log(np.cosh(W * x - 0.137)), 0.0, -W * math.tanh(0.137), 1e-9),
    ("stairs under a slope", stairs_under_a_slope, 0.0, -4.684373136e-8, 1e-11),
    ("noise of 1e-6", lambda x: np.sin(x) + RNG.normal(scale=1e-6), 0.5, math.cos(0.5), 1e-2),
    ("many kinks", lambda x: np.maximum(x - np.linspace(-3, 3, 250), 0).sum(), 0.5, 146.0, 1e-5),
    ("careless quotient", lambda x: (1 - np.cos(x)) / x**2, 1e-4, -1e-4 / 12, 1e-1),
    ("one side, smooth", lambda x: x * np.sqrt(x), 0.0, 0.0, 1e-6),
    ("one side at 1", lambda x: np.sqrt(1 - x) ** 3, 1.0, 0.0, 1e-4),
    ("steps beside the next jump", np.floor, 0.3, 0.0, 1e-8),
]


@pytest.mark.parametrize(
    ("function", "x", "truth", "useful"), [c[1:] for c in HARD], ids=[c[0] for c in HARD]
)
def test_hard_cases(function, x, truth, useful):
    J, err = finite_difference(function)(x)
    assert abs(J[0, 0] - truth) <= err[0, 0] <= useful


def test_sizes_from_tiny_to_huge_in_one_argument():
    x = np.array([1e-12, 1e12, 1.0, -3e5, 2e-7])
    J, err = finite_difference(np.square)(x)
    assert (abs(J - np.diag(2 * x)) <= err).all()
    J, err = finite_difference(lambda x: np.log(abs(x)))(x)
    assert (abs(J - np.diag(1 / x)) <= err).all()
    assert (np.diag(err) <= 1e-8 * np.diag(abs(J))).all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.floats(-100, 100), st.integers(-6, 6))
@example([1.0, 1.0], 0.0, 0)
def test_the_bound_holds_the_derivative_of_polynomials(coefficients, x, exponent):
    p = np.polynomial.Polynomial(coefficients) * 10.0**exponent
    J, err = finite_difference(p)(x)
    size = np.polynomial.Polynomial(np.abs(p.coef)).deriv()(abs(x))
    assert abs(J[0, 0] - p.deriv()(x)) <= err[0, 0] + 1e-15 * size


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 6), st.integers(-6, 6))
def test_the_bound_holds_the_matrix_of_linear_maps(seed, m, n, exponent):
    rng = np.random.default_rng(seed)
    A, x = rng.normal(size=(m, n)), rng.normal(size=n) * 10.0**exponent
    J, err = finite_difference(lambda A, x: A @ x, argnum=1)(A, x)
    assert J.shape == err.shape == (m, n)
    assert (abs(J - A) <= err).all()
    J, err = finite_difference(lambda A, x: A @ x)(A, x)
    assert (abs(J - np.kron(np.eye(m), x)) <= err).all()


def test_functions_of_matrices():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(4, 4)) + 3 * np.eye(4)
    Y = np.linalg.inv(X)
    for function, truth in (
        (np.linalg.inv, -np.kron(Y, Y.T)),
        (lambda X: X.T, np.eye(16).reshape(4, 4, 16).transpose(1, 0, 2).reshape(16, 16)),
        (lambda X: np.linalg.slogdet(X)[1], Y.T.reshape(1, 16)),
        (lambda X: X @ X, np.kron(X, np.eye(4)) + np.kron(np.eye(4), X.T)),
    ):
        J, err = finite_difference(function)(X)
        assert (abs(J - truth) <= err + 1e-14 * abs(truth).max()).all()
        assert err.max() < 1e-8


# --------------------------------------------------------- tight and cheap


def test_the_bound_is_tight_for_smooth_functions_of_moderate_size():
    points = np.random.default_rng(0).uniform(0.2, 0.9, size=20)
    relative = []
    for name in set(KNOWN) - {"constant", "relu", "abs"}:
        for x in points:
            J, err = finite_difference(KNOWN[name][0])(x)
            relative.append(err[0, 0] / max(abs(J[0, 0]), 1.0))
    assert np.median(relative) <= 1e-10
    assert np.quantile(relative, 0.9) <= 1e-8


@pytest.mark.parametrize("n", (1, 3, 30))
@pytest.mark.parametrize(
    "function",
    (
        np.sin,
        np.sum,
        np.zeros_like,
        np.linalg.norm,
        lambda x: np.maximum(x, 0),
        lambda x: np.outer(x, x) @ x,
        lambda x: special.softmax(x),
        lambda x: np.cos(np.outer(np.arange(50), np.arange(x.size))) @ x,
    ),
)
def test_a_smooth_column_costs_few_calls(function, n):
    x = np.linspace(0.3, 2.7, n)
    found = measure(function, (x,))
    assert found.calls <= 14 * n + 35


def test_calls_are_counted():
    calls = 0

    def counted(x):
        nonlocal calls
        calls += 1
        return np.tanh(x / 1e-8)

    assert measure(counted, (np.array([0.0, 1e-9]),)).calls == calls


# --------------------------------------------------------- where there is no derivative


@pytest.mark.parametrize(
    ("function", "x", "left", "right"),
    (
        (np.abs, 0.0, -1.0, 1.0),
        (lambda x: np.maximum(x, 0), 0.0, 0.0, 1.0),
        (lambda x: 1e3 + 2 * np.abs(x), 0.0, -2.0, 2.0),
        (lambda x: np.abs(x - 1) + np.exp(x), 1.0, math.e - 1, math.e + 1),
        (lambda x: np.maximum(1e-3 * x, x), 0.0, 1e-3, 1.0),
    ),
)
def test_kinks_have_no_bound_and_two_slopes(function, x, left, right):
    found = measure(function, (x,))
    assert found.error[0, 0] == np.inf
    assert found.sides[0, 0] == pytest.approx((left, right), abs=1e-6)
    assert found.value[0, 0] == pytest.approx((left + right) / 2, abs=1e-3)


@pytest.mark.parametrize(
    ("function", "x"),
    (
        (np.sqrt, 0.0),
        (np.sign, 0.0),
        (lambda x: np.sqrt(np.abs(x)), 0.0),
        (lambda x: np.where(x >= 0, 1.0, 0.0), 0.0),
        (lambda x: np.cbrt(x), 0.0),
        (np.arcsin, 1.0),
        (lambda x: int(x), 2.0),
    ),
)
def test_jumps_and_infinite_slopes_have_no_bound(function, x):
    _, err = finite_difference(function)(x)
    assert not np.isfinite(err[0, 0])


def test_a_kink_in_one_row_leaves_the_other_rows_alone():
    J, err = finite_difference(lambda x: np.stack([abs(x[0]), np.sin(x[0]), x[1] ** 2]))(np.array([0.0, 1.0]))
    assert err[0, 0] == np.inf
    rest = err.ravel()[1:]
    assert (rest <= 1e-9).all()
    assert abs(J[1, 0] - 1) <= err[1, 0]


def test_one_sided_entries_are_marked():
    found = measure(lambda x: x ** np.array([1.5, 2.0]), (np.array([0.0, 1.0]),))
    assert found.one_sided.tolist() == [[True, False], [False, False]]


def test_outputs_of_all_sorts_do_not_disturb_each_other():
    """A root at its edge, a kink, stairs, a steep and a smooth function, float32 inside, a constant."""
    functions = (
        lambda x: x**1.5,
        abs,
        lambda x: (1e8 + np.sin(x)) - 1e8,
        lambda x: np.tanh(x / 1e-8),
        np.exp,
        lambda x: np.float64(np.sin(np.float32(x + 1))),
        lambda x: 7.0,
    )
    found = measure(lambda x: [f(x) for f in functions], (0.0,))
    truth = np.array([[0, np.nan, 1, 1e8, 1, math.cos(1), 0]]).T
    sharp = np.isfinite(truth)
    assert (abs(found.value - truth) <= found.error)[sharp].all()
    assert (found.error[sharp] <= [1e-6, 1e-3, 1e-1, 1e-9, 1e-3, 1e-9]).all()
    assert np.isinf(found.error[1, 0])
    assert found.one_sided.ravel().tolist() == [True] + 6 * [False]


ALONE = (
    lambda t: np.log(np.cosh(-0.137 + 0.8366275454699815 * t)),  # values small beside the stairs they stand on
    lambda t: abs(t) ** 1.5,
    abs,
    np.sqrt,
    np.floor,
    np.exp,
    lambda t: (1e8 + np.sin(t)) - 1e8,
    lambda t: np.tanh(t / 1e-8),
    lambda t: t + 1e-9 * np.tanh(t / 1e-10),
    lambda t: np.sin(1e6 * t),
    lambda t: np.float64(np.sin(np.float32(t + 1))),
    lambda t: 1 - np.tanh(9 + 0.3 * t) ** 2,
    lambda t: 7.0,
)


@pytest.mark.parametrize("copies", (2, 9))
@pytest.mark.parametrize("x", ((0.0,), (0.3, -2e-7), (4e5, 0.0, -1e-3)))
def test_an_output_gets_the_same_numbers_alone_and_beside_others(x, copies):
    def total(f, x):
        return np.float64(sum(f(t) for t in x))

    with np.errstate(invalid="ignore"):
        alone = [measure(lambda x, f=f: total(f, x), (np.array(x),)) for f in ALONE]
        copied = [measure(lambda x, f=f: [total(f, x)] * copies, (np.array(x),)) for f in ALONE]
        stacked = measure(lambda x: [total(f, x) for f in ALONE], (np.array(x),))
    for part in ("value", "error", "one_sided", "noise"):
        expected = [getattr(found, part)[0] for found in alone]
        np.testing.assert_array_equal(getattr(stacked, part), expected)
        for found, numbers in zip(copied, expected, strict=True):
            np.testing.assert_array_equal(getattr(found, part), [numbers] * copies)


def test_entries_without_values_are_nan():
    J, err = finite_difference(np.log)(np.array([-1.0, 1.0]))
    assert np.isnan(J[0]).all() and np.isnan(err[0]).all()
    assert (abs(J[1] - [0, 1]) <= err[1]).all()
    J, err = finite_difference(np.sin)(np.array([1.0, np.nan, np.inf]))
    assert np.isnan(J[:, 1:]).all() and np.isnan(err[:, 1:]).all()
    assert abs(J[0, 0] - math.cos(1)) <= err[0, 0]


def test_randomness_is_seen_as_noise():
    rng = np.random.default_rng(0)
    _, err = finite_difference(lambda x: x + rng.normal(size=2))(np.ones(2))
    assert (err > 1).all()


# --------------------------------------------------------- arguments and results of all kinds


@pytest.mark.parametrize(
    ("argument", "n"),
    (
        (3, 1),
        (0.5, 1),
        (True, 1),
        (np.float64(0.5), 1),
        (np.array(0.5), 1),
        ([1, 2.5], 2),
        ([[1.0], [2.0]], 2),
        (np.arange(3), 3),
        (np.array([True, False]), 2),
        (np.arange(12.0)[::4], 3),
        (np.asfortranarray(np.arange(6.0).reshape(2, 3)), 6),
        (np.broadcast_to(np.float64(2.0), (2, 2)), 4),
        (np.arange(24.0).reshape(2, 1, 3, 4)[..., ::2], 12),
        (np.longdouble(0.5), 1),
    ),
)
def test_arguments_of_all_kinds(argument, n):
    def function(x):
        return np.sin(x) if isinstance(x, np.ndarray) else math.sin(x)

    x = np.array(argument, dtype=float).ravel()
    J, err = finite_difference(function)(argument)
    assert type(J) is type(err) is np.ndarray
    assert J.dtype == err.dtype == np.float64
    assert J.shape == err.shape == (n, n)
    assert (abs(J - np.diag(np.cos(x))) <= err + 1e-16).all()
    assert err.max() < 1e-9


@pytest.mark.parametrize(
    ("function", "truth"),
    (
        (lambda x: x[0] * x[1], [[3, 2]]),
        (lambda x: float(x[0] * x[1]), [[3, 2]]),
        (lambda x: np.array(x[0] * x[1]), [[3, 2]]),
        (lambda x: [x[0] * x[1], x[0]], [[3, 2], [1, 0]]),
        (lambda x: (x[0] * x[1], 7), [[3, 2], [0, 0]]),
        (lambda x: [[x[1]], [x[0]]], [[0, 1], [1, 0]]),
        (lambda x: np.outer(x, x), [[4, 0], [3, 2], [3, 2], [0, 6]]),
        (lambda x: np.array([x[0], x[1]], dtype=object), [[1, 0], [0, 1]]),
        (lambda x: np.array([5, 6]), [[0, 0], [0, 0]]),
        (lambda x: x[:0], np.zeros((0, 2))),
    ),
)
def test_results_of_all_kinds(function, truth):
    J, err = finite_difference(function)(np.array([2.0, 3.0]))
    assert J.shape == err.shape == np.shape(truth)
    assert (abs(J - truth) <= err).all()
    assert (err < 1e-9).all()


def test_empty_arguments_have_no_columns():
    J, err = finite_difference(lambda x: np.ones((2, 3)))(np.zeros((0, 4)))
    assert J.shape == err.shape == (6, 0)


@pytest.mark.parametrize("argument", (np.float32(0.7), np.linspace(0.5, 2, 4, dtype=np.float32)))
def test_float32_is_moved_as_float32_and_bounded_by_its_own_rounding(argument):
    seen = set()

    def function(x):
        seen.add(np.asarray(x).dtype)
        return np.sin(x)

    J, err = finite_difference(function)(argument)
    assert seen == {np.dtype(np.float32)}
    assert (abs(J - np.diag(np.cos(np.ravel(argument).astype(float)))) <= err).all()
    assert err.max() < 1e-3


def test_many_outputs_are_handled_in_parts():
    w = np.linspace(-1, 1, 10_001)
    found = measure(lambda x: np.tanh(w * x[0]) + x[1], (np.array([0.5, 1.0]),))
    assert (abs(found.value[:, 0] - w / np.cosh(0.5 * w) ** 2) <= found.error[:, 0] + 1e-16).all()
    assert (abs(found.value[:, 1] - 1) <= found.error[:, 1]).all()
    assert found.calls <= 63


def test_other_arguments_and_keywords_reach_the_function():
    J, err = finite_difference(lambda a, x, *, p: a * x**p, argnum=-1)(2.0, np.array([1.0, 3.0]), p=2)
    assert (abs(J - np.diag([4.0, 12.0])) <= err).all()


# --------------------------------------------------------- functions that misbehave


def test_a_reused_output_buffer_does_no_harm():
    buffer = np.empty(3)

    def reuses(x):
        return np.multiply(x, x, out=buffer)

    x = np.arange(1.0, 4.0)
    J, err = finite_difference(reuses)(x)
    assert (abs(J - np.diag(2 * x)) <= err).all()


def test_a_function_that_changes_its_arguments_changes_copies():
    def changes(w, x, more):
        w *= 2
        x += 1
        more[0][:] = 0
        return np.sum(w * x)

    w, x, more = np.arange(3.0), np.ones(3), [np.ones(2)]
    J, err = finite_difference(changes, argnum=1)(w, x, more)
    assert (abs(J - 2 * np.arange(3.0)) <= err).all()
    assert w.tolist() == [0, 1, 2]
    assert x.tolist() == [1, 1, 1]
    assert more[0].tolist() == [1, 1]

    def changes_and_fails(x):
        x[:] = 0
        raise KeyError("after the harm")

    with pytest.raises(KeyError):
        finite_difference(changes_and_fails)(x)
    assert x.tolist() == [1, 1, 1]


def test_read_only_arguments_stay_as_they_are():
    x = np.arange(3.0)
    x.flags.writeable = False
    finite_difference(lambda x: np.add(x, 1, out=x))(x)
    assert x.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "error", (ValueError, ArithmeticError, FloatingPointError, ZeroDivisionError, np.linalg.LinAlgError)
)
def test_exceptions_outside_the_domain_count_as_missing_values(error):
    def partial(x):
        if x < 0:
            raise error("outside")
        return x**1.5 + x

    found = measure(partial, (0.0,))
    assert found.one_sided[0, 0]
    assert abs(found.value[0, 0] - 1) <= found.error[0, 0] < 1e-6
    with pytest.raises(error, match="outside"):
        finite_difference(partial)(-1.0)


def test_other_exceptions_propagate():
    def fails(x):
        if x != 1.0:
            raise KeyError("elsewhere")
        return x

    with pytest.raises(KeyError, match="elsewhere"):
        finite_difference(fails)(1.0)


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    (
        (np.sin, 1j, "argument 0 is complex.*real and the imaginary part"),
        (lambda x: 1j * x, 1.0, "result is complex.*real and the imaginary part"),
        (lambda x: [1j, 2], 1.0, "complex"),
        (lambda x: None, 1.0, "returned None: forgotten return"),
        (lambda x: "one", 1.0, "type str"),
        (lambda x: {"y": x}, 1.0, "type dict"),
        (lambda x: {1.0}, 1.0, "type set"),
        (lambda x: [[1.0, 2.0], [3.0]], 1.0, "ragged"),
        (lambda x: [None, x], 1.0, "NoneType"),
        (np.sin, "one", "argument 0, of type str"),
        (np.sin, None, "argument 0 is None"),
        (np.sin, [[1.0], [1.0, 2.0]], "argument 0.*ragged"),
    ),
)
def test_what_is_no_array_of_real_numbers_is_named(function, argument, message):
    with pytest.raises(InputError, match=message):
        finite_difference(function)(argument)


def test_a_missing_argument_is_named():
    with pytest.raises(InputError, match="argnum=2, but there are 1"):
        finite_difference(np.sin, argnum=2)(1.0)
    with pytest.raises(InputError, match="there are 0"):
        finite_difference(np.sin)()


def test_a_result_of_changing_shape_is_an_error():
    with pytest.raises(ShapeError, match=r"shape \(1,\) first and shape \(2,\)"):
        finite_difference(lambda x: x[x > 1.5])(np.array([1.5, 1.6]))


def test_global_state_is_left_alone():
    np.random.seed(7)
    state, filters, handling = np.random.get_state()[1].copy(), list(warnings.filters), np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        finite_difference(lambda x: np.log(x) / np.sqrt(x))(np.array([1e-9, 1.0]))
    with np.errstate(all="raise"):
        finite_difference(np.exp)(np.array([700.0, -700.0]))
    assert (np.random.get_state()[1] == state).all()
    assert list(warnings.filters) == filters
    assert np.geterr() == handling
