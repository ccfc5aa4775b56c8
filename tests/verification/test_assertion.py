"""A wrong derivative fails a test with its report, a search finds the simplest point, and pairs say where."""

import pickle

import hypothesis
import numpy as np
import pytest
from hypothesis import given

import jacobi as jb
from jacobi.testing import assert_jacobian, check_jacobian, strategies
from jacobi.testing.search import as_code
from jacobi.verification.sampling import MissingArguments, in_order, named_shape, sampled
from jacobi.verification.verified import PAIRS, pairs_of, verified

X = np.array([1.0, 2.0])


def squares(x):
    return x**2


def right(x):
    return np.diag(2 * x)


def half(x):
    return np.diag(x)


def test_a_right_derivative_passes():
    assert assert_jacobian(squares, right, X).verdict == "correct"


def test_a_wrong_derivative_fails_with_the_report():
    with pytest.raises(AssertionError) as caught:
        assert_jacobian(squares, half, X)
    assert str(caught.value) == str(caught.value.report)
    assert caught.value.report.diagnosis == "factor_two_missing"
    hidden = [
        entry.frame.f_locals.get("__tracebackhide__") for entry in caught.traceback if entry.path.name == "assertion.py"
    ]
    assert hidden and hidden[0] is True


def test_options_reach_the_check():
    gradient = lambda w, x: w  # noqa: E731
    assert assert_jacobian(lambda w, x: np.dot(w, x), gradient, X, 3 * X, argnum=1, layout="gradient")


def test_undecidable_fails_unless_it_may_pass():
    at_a_kink = (np.abs, lambda x: np.diag(np.zeros(2)), np.zeros(2))
    with pytest.raises(AssertionError, match="undecidable"):
        assert_jacobian(*at_a_kink)
    assert assert_jacobian(*at_a_kink, undecidable="pass").verdict == "undecidable"
    with pytest.raises(AssertionError, match="wrong"):
        assert_jacobian(np.abs, lambda x: np.diag(3 + x), np.zeros(2), undecidable="pass")
    with pytest.raises(jb.errors.InputError, match='"fail" or "pass"'):
        assert_jacobian(*at_a_kink, undecidable="ignore")


# Search -----------------------------------------------------------------------------------------------------------


def test_the_search_finds_the_simplest_point():
    def claim(x):
        return np.diag(np.where(x > 1, 3.0, 2 * x))

    with pytest.raises(AssertionError) as caught:
        check_jacobian(squares, claim, strategies.box((2,)))
    point = str(caught.value).splitlines()[1]
    x = eval(point.removeprefix("x = "), {"np": np})
    assert point.startswith("x = np.array([") and np.count_nonzero(x > 1) == 1

    assert np.count_nonzero(x == 0) == 1, "the other entry is shrunk"


def test_a_right_claim_passes_everywhere_and_in_several_arguments():
    check_jacobian(squares, right, strategies.degenerate((2,)), examples=10)
    arguments = [strategies.box((2, 3)), strategies.mixed_scales((3,), -2, 2)]
    check_jacobian(lambda A, x: A @ x, lambda A, x: A, arguments, argnum=1, examples=10)


def test_kinks_pass_a_search_unless_they_may_not():
    relu = (lambda x: np.maximum(x, 0.0), lambda x: np.diag((x > 0).astype(float)), strategies.degenerate((2,)))
    check_jacobian(*relu, examples=20)
    with pytest.raises(AssertionError, match=r"x = np.array\(\[0.0, 0.0\]\)"):
        check_jacobian(*relu, examples=20, undecidable="fail")


@pytest.mark.parametrize(
    "value", [X, np.eye(2, dtype=np.float32), np.array([np.nan, -np.inf]), np.zeros((2, 0)), 1.5, np.arange(3)]
)
def test_a_point_as_code(value):
    again = eval(as_code(value), {"np": np})
    np.testing.assert_array_equal(again, value, strict=isinstance(value, np.ndarray))


@given(strategies.sphere((2, 3), 5.0))
def test_points_on_a_sphere(x):
    assert x.shape == (2, 3) and np.isclose(np.linalg.norm(x), 5)


@given(strategies.off_kinks((4,), kinks=(1.0, -1.0), margin=0.25, low=-1.1, high=3.0))
def test_points_off_kinks(x):
    assert np.all(np.abs(np.abs(x) - 1) >= 0.25 - 1e-12) and np.all((x >= -1.1) & (x <= 3))


@given(strategies.mixed_scales((3,), -3, 2))
def test_points_of_mixed_scales(x):
    assert np.all((np.abs(x) >= 0.999e-3) & (np.abs(x) < 1e3))


@given(strategies.sizes(4))
def test_sizes_differ(drawn):
    assert len(set(drawn)) == 4


def test_degenerate_points_are_all_kinds():
    for wanted in (
        lambda X: not X.any(),
        lambda X: np.all(X == 1),
        lambda X: np.ptp(X) == 0 and X[0, 0] not in (0, 1),
        lambda X: np.array_equal(X, np.eye(3)),
        lambda X: np.array_equal(X, X.T) and len(np.unique(X)) > 2,
    ):
        hypothesis.find(strategies.degenerate((3, 3)), wanted)


def test_without_hypothesis_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "hypothesis.strategies", None)
    with pytest.raises(ImportError, match=r"pip install jacobi-calculus\[test\]"):
        strategies.box((2,))


# Pairs ------------------------------------------------------------------------------------------------------------


@verified(lambda x, power=2: np.diag(power * x ** (power - 1)), at={"x": (3,)})
def powers(x, power=2):
    """Powers."""
    return x**power


def test_a_verified_function_behaves_as_before():
    assert powers.__name__ == "powers" and powers.__doc__ == "Powers."
    np.testing.assert_array_equal(powers(X, power=3), X**3)
    np.testing.assert_array_equal(powers.derivative(X), right(X))
    assert pickle.loads(pickle.dumps(powers)) is powers
    np.testing.assert_array_equal(jb.jacobian(powers)(X), right(X))


def test_the_registry_knows_the_module():
    (pair,) = (pair for pair in pairs_of(__import__("sys").modules[__name__]) if pair.name == "powers")
    assert pair.function is powers.__wrapped__ and pair.derivative is powers.derivative
    assert pairs_of(jb) == []


def pair(at, function=lambda w, b=0.0: w + b):
    verified(lambda w, b=0.0: np.eye(w.size), at=at)(function)
    return PAIRS.pop()


def test_where_a_pair_is_checked():
    rng = np.random.default_rng(0)
    assert pair((1, 2)).arguments(rng) == (1, 2)
    assert pair(lambda rng: rng.random() < 1).arguments(rng) == (True,)
    (w,) = pair({"w": (2, 3)}).arguments(rng)
    assert w.shape == (2, 3)
    w, b = pair({"w": 4, "b": ()}).arguments(rng)
    assert w.shape == (4,) and type(b) is float
    (w,) = pair(None).arguments(rng, {"w": (5,), "X": (3, 4)})
    assert w.shape == (5,)
    with pytest.raises(MissingArguments, match="needs w"):
        pair(None).arguments(rng, {"b": ()})


def test_random_points_follow_the_seed():
    first, second = (pair({"w": 3}).arguments(np.random.default_rng(7))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("at", [[1.0], X, 3, "x"], ids=str)
def test_points_that_are_none(at):
    with pytest.raises(jb.errors.InputError, match=r"at=\(x,\)"):
        verified(right, at=at)


def test_a_pair_needs_a_derivative():
    with pytest.raises(jb.errors.InputError, match=r"@verified\(df\)"):
        verified(X)


def test_arguments_in_order():
    def f(a, /, b, c=3, *rest, d=4):
        return a

    assert in_order(f, {"b": 2, "a": 1}) == (1, 2)
    assert in_order(lambda a, b=2, c=3: a, {"c": 5, "a": 1}) == (1, 2, 5)
    with pytest.raises(jb.errors.InputError, match="it takes a, b, c"):
        in_order(f, {"a": 1, "b": 2, "z": 3})
    with pytest.raises(MissingArguments) as caught:
        in_order(f, {"c": 1})
    assert caught.value.names == ["a", "b"]
    assert in_order(f, {"a": 1, **sampled({"b": (2, 0)}, np.random.default_rng(0))})[1].shape == (2, 0)


@pytest.mark.parametrize("text", ["3,4", "x=3;4", "x=-1", "=3", "2x=3", ""])
def test_shapes_that_are_none(text):
    with pytest.raises(jb.errors.InputError, match="x=3,4"):
        named_shape(text)
