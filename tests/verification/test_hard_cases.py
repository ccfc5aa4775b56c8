"""The cases that checkers of derivatives get wrong: scale, kinks, cancellation, edges, noise, broken functions.

A case is a function, a claim, a point and the verdict, under the number of the requirement it belongs to.
"""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

from jacobi.verification import check

X = np.array([1.0, 2.0, 3.0])
A = np.random.default_rng(0).normal(size=(4, 3))
W = np.random.default_rng(1).normal(size=(250, 3))
TINY_ROW = A * np.array([[1], [1e-12], [1], [1]])
TINY_ROW_FLIPPED = A * np.array([[1], [-1e-12], [1], [1]])


class Hard(NamedTuple):
    """A case; ``reason`` is part of the reason or the explanation that the report must give."""

    name: str
    verdict: str
    f: Any
    claim: Any
    x: Any = X
    reason: str = ""


def square_roots(x):
    return [math.sqrt(v) for v in x]  # raises below zero


def squares_above_zero(x):
    if np.any(x < 0):
        raise ValueError("below zero")
    return x**2


def raising_oddly(x):
    if np.any(x < 0):
        raise KeyError("any exception at all")
    return x**2


def complex_below_zero(x):
    return [v**0.5 for v in x.tolist()]


def growing(x):
    return np.concatenate([x, x[x > 0.9]])


def returning_nothing_elsewhere(x):
    return x**2 if np.all(x > 0.7) else None


def in_single_precision(x):
    return [float(np.float32(math.sin(np.float32(v)))) for v in x]


def mutating(x):
    x *= 2
    return x**2


class SameBuffer:
    """A function that returns the same array every time."""

    def __init__(self):
        self.buffer = np.zeros(3)

    def __call__(self, x):
        self.buffer[:] = np.asarray(x) ** 2
        return self.buffer


class Noisy:
    """A function with relative noise."""

    def __init__(self, size):
        self.size, self.rng = size, np.random.default_rng(1)

    def __call__(self, x):
        return np.sin(x) * (1 + self.size * self.rng.normal(size=x.shape))


class Stateful:
    """A function that remembers how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x * self.calls


def squares(x):
    return x**2


def twice(x):
    return np.diag(2 * x)


def opaque_sum(x):
    return math.fsum(1e8 + math.sin(v) for v in x)


SCALE = [
    Hard("right", "correct", squares, twice),
    Hard("zero for 1e-9", "wrong", lambda x: 1e-9 * np.sin(x), lambda x: np.zeros((3, 3))),
    Hard("1e-9", "correct", lambda x: 1e-9 * np.sin(x), lambda x: 1e-9 * np.diag(np.cos(x))),
    Hard("1e-300", "correct", lambda x: 1e-300 * x, np.eye(3) * 1e-300),
    Hard("1e-300, sign", "wrong", lambda x: 1e-300 * x, -np.eye(3) * 1e-300),
    Hard("1e300", "correct", lambda x: 1e300 * x, np.eye(3) * 1e300, 1e-10 * X),
    Hard("row of 1e-12", "correct", lambda x: TINY_ROW @ x, TINY_ROW),
    Hard("sign of a row of 1e-12", "wrong", lambda x: TINY_ROW @ x, TINY_ROW_FLIPPED),
    Hard("x from 1e-12 to 1e12", "correct", squares, twice, np.array([1e-12, 1.0, 1e12])),
    Hard("one per cent at 1e-12", "wrong", squares, lambda x: twice(x * [1.01, 1, 1]), np.array([1e-12, 1.0, 1e12])),
    Hard("steep at zero", "correct", lambda x: np.tanh(x / 1e-8), [[1e8]], np.array([0.0])),
    Hard("steep at zero, half", "wrong", lambda x: np.tanh(x / 1e-8), [[5e7]], np.array([0.0])),
    Hard("fast waves", "correct", lambda x: np.sin(1e6 * x), lambda x: np.diag(1e6 * np.cos(1e6 * x)), X[:2] * 0.3),
    Hard("fast waves, sin", "wrong", lambda x: np.sin(1e6 * x), lambda x: np.diag(1e6 * np.sin(1e6 * x)), X[:2] * 0.3),
    Hard("one entry by 1e-4", "wrong", lambda x: A @ x, A * (1 + 1e-4 * (np.arange(12).reshape(4, 3) == 5))),
    Hard("rounding", "correct", lambda x: A @ x, A * (1 + 1e-14)),
    Hard(
        "rounding of zero", "correct", lambda x: np.stack([x[0], 0 * x[1] + 1.0]), [[1.0, 0.0, 0.0], [1e-16, 0.0, 0.0]]
    ),
]

KINKS = [
    Hard("abs at 0", "undecidable", np.abs, np.zeros((1, 1)), np.zeros(1), "kink"),
    Hard("abs at 0, outside", "wrong", np.abs, np.full((1, 1), 2.0), np.zeros(1)),
    Hard("ReLU at 0, half", "undecidable", lambda x: np.maximum(x, 0), np.full((1, 1), 0.5), np.zeros(1), "kink"),
    Hard("branch", "undecidable", lambda x: x if x > 0 else -x, 1.0, 0.0, "kink"),
    Hard(
        "kink beside a wrong row",
        "wrong",
        lambda x: np.stack([np.abs(x[0]), x[1] ** 2]),
        lambda x: np.array([[0, 0], [0, x[1]]]),
        np.array([0.0, 2.0]),
    ),
    Hard(
        "ReLU near 0", "correct", lambda x: np.maximum(x, 0), lambda x: np.diag(1.0 * (x > 0)), np.array([1e-9, -1e-9])
    ),
    Hard(
        "inverted near 0",
        "wrong",
        lambda x: np.maximum(x, 0),
        lambda x: np.diag(1.0 * (x < 0)),
        np.array([1e-9, -1e-9]),
    ),
    Hard("250 ReLUs", "correct", lambda x: np.sum(np.maximum(W @ x, 0)), lambda x: (1.0 * (W @ x > 0)) @ W, X * 0.01),
    Hard("250 ReLUs, no mask", "wrong", lambda x: np.sum(np.maximum(W @ x, 0)), lambda x: np.sum(W, axis=0), X * 0.01),
    Hard("kinks that cancel", "correct", lambda x: np.maximum(x, 0) + np.minimum(x, 0), np.eye(2), np.array([0.0, 1])),
    Hard("smooth x |x|", "correct", lambda x: x * np.abs(x), lambda x: np.diag(2 * np.abs(x)), np.array([0.0, 1.0])),
    Hard("floor", "undecidable", np.floor, np.zeros((3, 3)), np.array([-1.0, 0.5, 2.0]), "jump"),
    Hard("floor between jumps", "correct", np.floor, np.zeros((3, 3)), np.array([-1.3, 0.5, 2.2])),
    Hard("sqrt at 0", "undecidable", np.sqrt, [[np.inf, 0], [0, 0.5]], np.array([0.0, 1.0]), "diverging slope"),
]

PRECISION = [
    Hard("cancellation", "correct", lambda x: 1e8 + np.sin(x), lambda x: np.diag(np.cos(x))),
    Hard("cancellation, sign", "wrong", lambda x: 1e8 + np.sin(x), lambda x: np.diag(-np.cos(x))),
    Hard("cancellation, opaque", "correct", opaque_sum, lambda x: np.cos(x)),
    Hard("cancellation, opaque, zero", "wrong", opaque_sum, np.zeros(3)),
    Hard("(x - 1)**7", "correct", lambda x: (x - 1) ** 7, lambda x: 7 * (x - 1) ** 6, 1.001),
    Hard("expanded", "correct", lambda x: x**3 - 3 * x**2 + 3 * x - 1, lambda x: 3 * (x - 1) ** 2, 1.001),
    Hard("constant", "correct", lambda x: np.array([3.0, 1.0]), np.zeros((2, 3))),
    Hard("constant zero, opaque", "correct", lambda x: [0.0 * math.sin(x[0])], np.zeros((1, 3))),
    Hard("zero but for rounding", "correct", lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, np.zeros((3, 3))),
    Hard("lost in rounding", "correct", lambda x: 5.0 + 1e-16 * x[0], [[1e-16, 0.0, 0.0]]),
    Hard("lost in rounding, sign", "undecidable", lambda x: 5.0 + 1e-16 * x[0], [[-1e-16, 0.0, 0.0]], X, "precision"),
    Hard("constant, not zero", "wrong", lambda x: 3.0 + 0 * x[0], np.full(3, 1e-3)),
    Hard("float32", "correct", np.sin, lambda x: np.diag(np.cos(x)), X.astype(np.float32)),
    Hard("float32, one per cent", "wrong", np.sin, lambda x: np.diag(1.01 * np.cos(x)), X.astype(np.float32)),
    Hard(
        "float32 inside", "correct", lambda x: np.sin(x.astype(np.float32)).astype(float), lambda x: np.diag(np.cos(x))
    ),
    Hard("float32 inside, opaque", "correct", in_single_precision, lambda x: np.diag(np.cos(x))),
    Hard("float32 inside, ten per cent", "wrong", in_single_precision, lambda x: np.diag(1.1 * np.cos(x))),
    Hard("noise", "correct", Noisy(1e-6), lambda x: np.diag(np.cos(x))),
    Hard("noise, twice", "wrong", Noisy(1e-6), lambda x: np.diag(2 * np.cos(x))),
    Hard("dropout", "invalid", Noisy(0.5), lambda x: np.diag(np.cos(x)), X, "not deterministic"),
    Hard("counter", "invalid", Stateful(), np.eye(3), X, "not deterministic"),
]

EDGES = [
    Hard("log at 1e-10", "correct", np.log, lambda x: np.diag(1 / x), np.array([1e-10, 1.0])),
    Hard("sqrt at 1e-12", "correct", np.sqrt, lambda x: np.diag(0.5 / np.sqrt(x)), np.array([1e-12, 1.0])),
    Hard("raises outside", "correct", square_roots, lambda x: np.diag(0.5 / np.sqrt(x)), np.array([1e-12, 1.0])),
    Hard("raises outside, twice", "wrong", square_roots, lambda x: np.diag(1 / np.sqrt(x)), np.array([1e-12, 1.0])),
    Hard("one-sided", "correct", squares_above_zero, twice, np.array([0.0, 1.0])),
    Hard("one-sided, wrong", "wrong", squares_above_zero, lambda x: np.diag(2 * x + 1), np.array([0.0, 1.0])),
    Hard("any exception outside", "correct", raising_oddly, twice, np.array([0.01, 1.0])),
    Hard("complex outside", "correct", complex_below_zero, lambda x: np.diag(0.5 * x**-0.5), np.array([0.01, 1.0])),
    Hard("another shape elsewhere", "correct", growing, [[1, 0], [0, 1], [1, 0]], np.array([1.0, 0.89])),
    Hard("None elsewhere", "correct", returning_nothing_elsewhere, twice, np.array([0.8, 1.0])),
]

BROKEN = [
    Hard("x infinite", "invalid", np.exp, lambda x: np.diag(np.exp(x)), np.array([1.0, np.inf]), "index [1]"),
    Hard("x NaN", "invalid", np.exp, lambda x: np.diag(np.exp(x)), np.array([np.nan, 1.0]), "index [0]"),
    Hard("NaN in the claim", "wrong", np.exp, [[np.nan, 0], [0, np.e]], np.ones(2)),
    Hard("NaN everywhere in the claim", "wrong", np.exp, np.full((2, 2), np.nan), np.ones(2)),
    Hard("inf in the claim", "wrong", np.exp, [[np.inf, 0], [0, np.e]], np.ones(2)),
    Hard("NaN on both sides", "undecidable", np.log, [[np.nan, 0], [0, 1]], np.array([-1.0, 1.0]), "no value"),
    Hard("broadcast (3,)", "wrong", lambda x: np.ones((3, 1)) * np.sum(x**2), lambda x: 2 * x, X, "(3, 1, 3)"),
    Hard("broadcast (1, 3, 3)", "invalid", squares, lambda x: 2 * x[None, None] + np.ones((1, 3, 3)), X, "shape"),
    Hard("broadcast scalar", "invalid", lambda x: np.sum(x) * np.ones(4), 1.0, X, "(4, 3)"),
    Hard("same buffer", "correct", SameBuffer(), twice),
    Hard("same buffer, zero", "wrong", SameBuffer(), np.zeros((3, 3))),
    Hard("changes x", "correct", mutating, lambda x: np.diag(8 * x)),
    Hard("the claim changes x", "correct", squares, lambda x: np.diag(np.multiply(x, 2, out=x))),
    Hard("complex x", "invalid", squares, twice, X + 1j, "complex"),
    Hard("complex f", "invalid", lambda x: x * 1j, np.eye(3) * 1j, X, "complex"),
    Hard("complex claim", "invalid", squares, lambda x: np.diag(2j * x), X, "complex"),
    Hard("boolean x", "invalid", squares, twice, X > 1, "boolean"),
    Hard("text x", "invalid", squares, twice, "abc", "str"),
    Hard("ragged x", "invalid", squares, twice, [[1.0], [1.0, 2.0]], "ragged"),
    Hard("None as x", "invalid", squares, twice, None, "NoneType"),
    Hard("no return", "invalid", lambda x: None, twice, X, "forgotten return"),
    Hard("claim without return", "invalid", squares, lambda x: None, X, "return"),
    Hard("dict result", "invalid", lambda x: {"y": x}, twice, X, "dict"),
    Hard("ragged result", "invalid", lambda x: [[1.0], [x[0], 2.0]], twice, X, "ragged"),
    Hard("text result", "invalid", lambda x: "text", twice, X, "str"),
    Hard("f raises", "invalid", lambda x: 1 / 0, twice, X, "ZeroDivisionError"),
    Hard("the claim raises", "invalid", squares, lambda x: 1 / 0, X, "ZeroDivisionError"),
    Hard("text as claim", "invalid", squares, lambda x: "text", X, "str"),
    Hard("dict as claim", "invalid", squares, lambda x: {}, X, "dict"),
]

INPUTS = [
    Hard("int array", "correct", squares, twice, np.array([1, 2, 3])),
    Hard("list", "correct", lambda x: [x[0] * x[1], x[1]], lambda x: [[x[1], x[0]], [0, 1]], [1.0, 2.0]),
    Hard("tuple", "correct", lambda x: x[0] * x[1], lambda x: (x[1], x[0]), (1.0, 2.0)),
    Hard("float", "correct", squares, lambda x: 2 * x, 3.0),
    Hard("int", "correct", squares, lambda x: 2 * x, 3),
    Hard("0-d", "correct", squares, lambda x: 2 * x, np.array(3.0)),
    Hard("NumPy scalar", "correct", squares, lambda x: 2 * x, np.float64(3.0)),
    Hard("empty", "correct", squares, np.zeros((0, 0)), np.zeros(0)),
    Hard("sum of nothing", "correct", np.sum, np.zeros((1, 0)), np.zeros(0)),
    Hard("nothing of something", "correct", lambda x: x[:0], np.zeros((0, 3))),
    Hard("one entry", "correct", squares, [[4.0]], np.array([2.0])),
    Hard("int result", "correct", lambda x: [1, 2], np.zeros((2, 3))),
    Hard("int claim", "correct", lambda x: 2 * x, 2 * np.eye(3, dtype=int)),
    Hard("boolean claim", "correct", lambda x: 1.0 * x, np.eye(3, dtype=bool)),
    Hard(
        "3-D",
        "correct",
        squares,
        lambda x: np.diag(2 * x.ravel()).reshape(x.shape * 2),
        np.arange(1.0, 9).reshape(2, 2, 2),
    ),
    Hard("Fortran order", "correct", lambda x: x @ X, np.kron(np.eye(4), X), np.asfortranarray(A)),
    Hard("strided", "correct", squares, twice, np.arange(1.0, 7.0)[::-2]),
]

TABLES = {"scale": SCALE, "kinks": KINKS, "precision": PRECISION, "edges": EDGES, "broken": BROKEN, "inputs": INPUTS}
CASES = [pytest.param(case, id=f"{table}: {case.name}") for table, cases in TABLES.items() for case in cases]


@pytest.mark.parametrize("case", CASES)
def test_verdict(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check(case.f, case.claim, case.x)
    assert report.verdict == case.verdict, report
    assert bool(report) == (case.verdict == "correct")
    assert case.reason in f"{report.reason} {report.explanation}", report
    assert str(report) and report.to_html()


@pytest.mark.parametrize(
    ("f", "claim", "x", "note"),
    [
        (mutating, lambda x: np.diag(8 * x), X, "mutating changes its argument 0 in place"),
        (squares, lambda x: np.diag(np.multiply(x, 2, out=x)), X, "changes its argument 0 in place"),
        (SameBuffer(), twice, X, "same buffer"),
        (Noisy(1e-6), lambda x: np.diag(np.cos(x)), X, "noise"),
        (in_single_precision, lambda x: np.diag(np.cos(x)), X, "single precision"),
        (squares, twice, np.array([1, 2, 3]), "whole numbers"),
        (squares_above_zero, twice, np.array([0.0, 1.0]), "one side only"),
        (raising_oddly, twice, np.array([0.01, 1.0]), "KeyError"),
        (growing, [[1, 0], [0, 1], [1, 0]], np.array([1.0, 0.89]), "returns the shape"),
        (np.abs, np.zeros((1, 1)), np.zeros(1), "slopes -1 and 1"),
        (squares, twice, np.zeros(2), "the derivative is zero here"),
        (lambda X: X @ X.T, np.zeros((4, 4)), np.eye(2), "symmetric"),
        (square_roots, lambda x: np.diag(0.5 / np.sqrt(x)), X, "not traceable"),
        (squares, lambda x: 2 * np.diag(X), X, "not at a point nearby"),
    ],
)
def test_what_is_noticed_on_the_way(f, claim, x, note):
    report = check(f, claim, x)
    if report.verdict == "correct" or "symmetric" not in note:
        assert any(note in text for text in report.notes), report.notes


def test_the_slopes_at_a_kink_are_reported():
    entry = check(np.abs, np.zeros((1, 1)), np.zeros(1)).worst[0]
    assert (entry.left, entry.right) == pytest.approx((-1.0, 1.0))
    assert entry.error == np.inf and np.isnan(entry.reference)


def test_a_kink_leaves_the_other_entries_their_verdicts():
    report = check(lambda x: np.maximum(x, 0), np.diag([0.5, 1.0]), np.array([0.0, 2.0]))
    np.testing.assert_array_equal(report.verdicts, [["undecidable", "correct"], ["correct", "correct"]])


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 0.1])
def test_errors_above_the_resolution_are_seen(factor):
    right = check(np.sin, lambda x: np.diag(np.cos(x)), X)
    assert right.resolution < 1e-6
    wrong = check(np.sin, lambda x: np.diag(np.cos(x)) * (1 + factor), X)
    assert (wrong.verdict == "wrong") == (factor > right.resolution)


def test_a_relative_tolerance_only_loosens():
    claim = np.diag(2 * X) * 1.001
    assert check(squares, claim, X).verdict == "wrong"
    assert check(squares, claim, X, rtol=0.01).verdict == "correct"
    assert check(squares, np.diag(2 * X), X, rtol=1e-30).verdict == "correct"
    assert check(squares, np.zeros((3, 3)), X, rtol=0.5).verdict == "wrong"


def huber(r):
    return np.sum(np.where(np.abs(r) <= 1, r**2 / 2, np.abs(r) - 0.5))


def test_a_case_that_no_point_reached_is_named():
    def without_sign(r):
        return np.where(np.abs(r) <= 1, r, 1.0)

    inside = check(huber, without_sign, np.array([0.1, -0.5]), points=[np.array([0.3, 0.2])])
    assert inside.verdict == "correct"
    assert any("where" in note and "its other case was not compared" in note for note in inside.notes)
    both = check(huber, without_sign, np.array([0.1, -0.5]), points=[np.array([0.3, 2.0])])
    assert both.verdict == "correct" and not any("its other case" in note for note in both.notes)
    assert check(huber, without_sign, np.array([0.1, -2.0])).verdict == "wrong"


@pytest.mark.parametrize(("function", "derivative"), [
    (np.maximum, lambda x: (x > 0) * 1.0), (np.minimum, lambda x: (x < 0) * 1.0), (lambda x, _: abs(x), np.sign),
])  # fmt: skip
def test_sides_are_those_of_the_entries(function, derivative):
    def f(x):
        return np.sum(function(x, 0.0))

    for x, count in ((np.array([1.0, 2.0]), 1), (np.array([-1.0, -2.0]), 1), (np.array([1.0, -2.0]), 0)):
        report = check(f, derivative, x)
        assert report.verdict == "correct"
        assert sum("for every entry" in note for note in report.notes) == count


def test_a_list_is_an_array_for_the_function_and_for_the_claim():
    assert check(lambda w: np.sum(w**3), lambda w: 3 * w**2, [1, 2, 3]).verdict == "correct"
    assert check(lambda w: np.sum(w**2), lambda w: 2 * w, [1.0, 2.0]).verdict == "correct"
    assert check(lambda a, w: np.sum(w**2), lambda a, w: 2 * w, "a", (1.0, 2.0), argnum=1).verdict == "correct"
