"""Every identity that formulas are simplified by, proved by numbers: before = after, where it applies."""

import warnings

import numpy as np
import pytest

import jacobi as jb
from jacobi.derivation.algebra import count_of_leaves
from jacobi.derivation.assumptions import ASSUMPTIONS, identities_of
from jacobi.derivation.identities import OF_FUNCTIONS, OF_SUMS, OF_TERMS
from jacobi.derivation.meaning import Meaning
from jacobi.derivation.program import read
from jacobi.derivation.random_points import assumption
from jacobi.derivation.reading import Reader
from jacobi.derivation.simplify import simplified
from jacobi.derivation.sizes import assign
from jacobi.derivation.tracing import telling, traced
from jacobi.notation.source import evaluate
from tests.derivation.random_text import SHAPES

# where every identity applies; the arguments are those of `SHAPES`, and z stands for positive numbers
WHERE = {
    "log exp u = u": ["log(exp(x))", "sum(log(exp(A @ x)) * u)"],
    "exp log u = u": ["exp(log(z))", "y @ exp(log(z))"],
    "1 / c is a number": ["y / (expit(x) + expit(-x))"],
    "1 / (u v) = (1 / u) (1 / v)": [],  # only where names are substituted: see below
    "a function of 0 is a number": ["tan(x - x) * y", "y + cos(A.T @ u - A.T @ u)"],
    "1 / (1 + e^u) = σ(-u)": ["1 / (1 + exp(-x))", "B / (1 + exp(A))", "y / (exp(x) + 1)"],
    "log sum e^u = logsumexp(u)": ["log(sum(exp(x)))", "log(sum(exp(A), axis=1))", "log(sum(exp(A), axis=0))"],
    "e^(u - logsumexp(u)) = softmax(u)": ["exp(x - logsumexp(x))", "exp(A - logsumexp(A, axis=1)[:, None])"],
    "exp log softmax = softmax, log softmax in one": ["exp(log_softmax(x))", "log(softmax(A, axis=1))"],
    "sqrt(u)^2 = u, sqrt of a square is an absolute value": ["sqrt(x**2)", "sqrt(sum(A * A))", "sqrt(x @ x)"],
    "max(u, 0) = max(0, u)": ["maximum(x, 0)", "minimum(A, 2)"],
    "max(0, u) written relu(u)": ["relu(x)", "relu(A @ x)"],
    "A^-1 b is the solution of A x = b": ["solve(S, x)", "solve(S, R)"],
    "cof(A) = det(A) A^-T": [],  # only in derivatives: see below
    "(A^-1)^-1 = A": ["inv(inv(S))", "1 / (2 / (x + y)) * 2"],
    "numbers are multiplied": ["pi * x * e"],
    "u / u = 1": ["x * y / x", "(1 + x) * y / (1 + x)"],
    "u^T v / u^T v = 1": ["(x @ y) * z / (x @ y)", "(x @ S @ x) / (x @ S @ x) * sum(y)"],
    "sqrt(u) sqrt(u) = u": ["sqrt(z) * y * sqrt(z)", "y / (sqrt(z) * sqrt(z))", "sqrt(1 + z) * sqrt(1 + z)"],
    "sqrt(u) / u = 1 / sqrt(u)": ["sqrt(z) / z", "y * sqrt(1 + z) / (1 + z)"],
    "e^u σ(-u) = σ(u)": ["exp(x) * expit(-x)", "exp(A) * B * expit(-A)"],
    "e^u / sum e^u = softmax(u)": ["exp(x) / sum(exp(x))", "exp(A) / sum(exp(A), axis=1, keepdims=True)"],
    "m ∘ m = m for a mask m": ["(x > 0) * (x > 0) * y", "(A > B) * (A > B) * A"],
    "1[u > 0] ∘ max(0, u) = 1[u > 0] ∘ u": [
        "(x > 0) * maximum(0, x)", "(x > 0) * (y - maximum(0, x))", "(x > y) * maximum(x, y)",
    ],
    "1[u > 0] ∘ 1[u < 0] = 0": ["(x > 0) * (x < 0) * y", "y + (x > 0) * (x < 0)"],
    "A^-1 A = I": ["inv(S) @ S @ x", "trace(R @ S @ inv(S))"],
    "(X^T X)^-T = (X^T X)^-1": ["inv(C.T @ C).T @ u"],
    "sum(u - mean(u)) = 0, and other sums that are shorter than their parentheses": [
        "sum(2 * (x - mean(x)))", "sum(2 * (A - mean(A, axis=0)), axis=0)",
    ],
    "sign(u) |u| = u": ["sign(x) * abs(x)", "sign(A @ x) * u * abs(A @ x)"],
    "sign(u)^2 = 1": ["sign(x)**2 * y", "sign(1 + A) * sign(1 + A) * B"],
    "-(u - v) = v - u": ["(x - y) * z * -1", "A @ (x - 2 * y) * -3"],
    "sum softmax(u) = 1": ["sum(softmax(x)) * y", "sum(softmax(A, axis=1), axis=1)"],
    "1 - σ(u) = σ(-u)": ["1 - expit(x)", "B * (2 - 2 * expit(A))", "y - expit(x) * y"],
    "σ(u) + σ(-u) = 1": ["expit(x) + expit(-x)", "expit(A) * B + expit(-A) * B"],
    "1 - 1[u > 0] = 1[u <= 0]": ["1 - (x > 0)", "where(x > 0, x, 2 * y)"],
}  # fmt: skip
NOTATION = ("cof(A) = det(A) A^-T", "max(u, 0) = max(0, u)", "A^-1 b is the solution of A x = b")
SHAPES_HERE = SHAPES | {"z": ("n",)}
TWICE = {  # what an assumption is about, where it applies
    "symmetric": ["x @ A @ y - y @ A @ x", "inv(A).T @ x"],
    "positive definite": ["A.T @ x"],
    "positive semidefinite": ["A.T @ x"],
    "orthogonal": ["A.T @ A @ x", "trace(A @ B @ A.T)"],
    "orthonormal": ["A.T @ A @ x"],
    "sum to one": ["sum(x) * y", "sum(x) + x @ y"],
    "idempotent": ["A @ A @ x", "A @ (A @ (A @ x))"],
    "positive": ["abs(x) * y", "sign(x) * y"],
}


def expression_of(text, shapes, assume=None):
    """The meaning of a text, its reader, and values for its arguments."""
    program = read(text)
    sizes = telling(assign(program, {name: shapes[name] for name in program.arguments}))
    rng = np.random.default_rng(0)
    values = {}
    for name in program.arguments:
        shape = sizes.shape(name)
        square = len(shape) == 2 and shape[0] == shape[1]
        values[name] = rng.normal(size=shape) + (8 * np.eye(shape[0]) if square else 0)
        if name == "z":
            values[name] = rng.uniform(0.5, 2, shape)
        if name in (assume or {}):
            values[name] = assumption(name, assume[name]).draw(rng, shape)
    found = traced(sizes, values)
    meaning = Meaning(found.graph, {step.number: name for name, step in found.inputs.items()}, sizes.letters.values())
    return meaning.of(found.output), Reader({n: letter for letter, n in sizes.letters.items()}), values, sizes.letters


def assert_same(before, after, reader, values, letters):
    """Two expressions have the same value."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        left, right = (evaluate(reader.array(e), values, letters) for e in (before, after))
    np.testing.assert_allclose(np.broadcast_to(right, np.shape(left)), left, rtol=1e-9, atol=1e-9)


def test_every_identity_is_tested():
    declared = [identity.statement for identity in (*OF_TERMS, *OF_FUNCTIONS, *OF_SUMS)]
    assert sorted(declared) == sorted(WHERE)
    assert set(TWICE) == set(ASSUMPTIONS)


@pytest.mark.parametrize("statement, text", [(s, text) for s, texts in WHERE.items() for text in texts])
def test_identity(statement, text):
    before, reader, values, letters = expression_of(text, SHAPES_HERE)
    used = []
    after = simplified(before, used)
    assert statement in used
    assert_same(before, after, reader, values, letters)
    if statement not in NOTATION:
        assert count_of_leaves(after) <= count_of_leaves(before)
    again = []
    assert simplified(after, again) == after  # nothing is left to be done


def test_cofactors():
    d = jb.derive("det(S)**2", wrt="S", shapes={"S": ("n", "n")})
    assert "cof(A) = det(A) A^-T" in d.identities and d.check()


@pytest.mark.parametrize("what, text", [(what, text) for what, texts in TWICE.items() for text in texts])
def test_assumption(what, text):
    name = "x" if what in ("sum to one", "positive") else "A"
    shapes = {"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",)}
    drawn = {"positive semidefinite": "positive definite", "orthonormal": "orthogonal"}.get(what, what)
    before, reader, values, letters = expression_of(text, shapes, {name: drawn})
    used = []
    after = simplified(before, used, identities_of({name: what}))
    assert used
    assert_same(before, after, reader, values, letters)
    assert count_of_leaves(after) <= count_of_leaves(before)


def test_products_below():
    d = jb.derive("x / (x * y)", wrt="x", shapes={"x": ("n",), "y": ("n",)})
    assert d.formula == "0" and "1 / (u v) = (1 / u) (1 / v)" in d.identities and d.check()


def test_squares_of_signs():
    before, reader, values, letters = expression_of("y**2 @ x", {"x": ("n",), "y": ("n",)}, {"y": "+-1"})
    after = simplified(before, [], identities_of({"y": "y**2 = 1"}))
    assert count_of_leaves(after) == 1
    assert_same(before, after, reader, values, letters)


@pytest.mark.parametrize(
    "text",
    [
        "diag(S + 1)", "trace(exp(S) + 1)", "(S + 1) @ x - S @ x", "A / A.T.T * 0 + A",
        "sum(A - mean(A))", "inv(S) @ R", "inv(S).T @ S", "x * (x > 0) * maximum(0, y)", "sqrt(abs(A)) * sqrt(abs(B))",
        "softmax(A, axis=0).sum(axis=1)", "1 - expit(x) * y", "exp(x) / sum(exp(y))", "exp(x - logsumexp(y))",
        "exp(A - logsumexp(A, axis=0))", "sign(x) * abs(y)", "x / y", "(x > 0) * (y < 0)", "expit(x) + expit(-y)",
    ],
)  # fmt: skip
def test_what_looks_like_an_identity_keeps_its_value(text):
    shapes = SHAPES_HERE | {"A": ("m", "n"), "B": ("m", "n")}
    before, reader, values, letters = expression_of(text, shapes)
    assert_same(before, simplified(before), reader, values, letters)
