"""Generated source evaluates formulas as an interpreter with dense matrices does, and cheaply."""

from fractions import Fraction

import numpy as np
import pytest
from formulas import SIZES, Formulas, interpret, kind, number, times

import jacobi as jb
from jacobi.errors import InputError
from jacobi.notation import tree as t
from jacobi.notation.source import evaluate, source

A, B, X = (t.Symbol(name, t.MATRIX) for name in "ABX")
u, v, w, x, y, z, p = (t.Symbol(name, t.VECTOR) for name in "uvwxyzp")
b = t.Symbol("b", t.SCALAR)
T, D, P = t.Transpose, t.Diagonal, lambda *factors: t.Product(factors)
NAMES = list("ABXuvwxyzpb")
SIZE_CODE = {"N": "X.shape[0]", "n": "X.shape[1]"}
Xw_b = t.Sum((P(X, w), b))
RESIDUAL = t.Sum((Xw_b, times(-1, y)))
RELU_LOSS = P(number(2), t.Quotient(number(1), t.Size("N")), T(t.Hadamard((t.Mask(">", Xw_b, number(0)), RESIDUAL))), X)


def body(tree, **options):
    """The statements of the generated function."""
    return source(tree, NAMES, SIZE_CODE, **options).partition("):\n    ")[2].rstrip().split("\n    ")


def agree(tree, values, sizes):
    found = evaluate(tree, values, sizes, matrix=True)
    truth = np.atleast_2d(interpret(tree, values, sizes))
    assert found.shape == truth.shape
    assert np.abs(found - truth).max(initial=0) <= 1e-9 * max(1, np.abs(truth).max(initial=0))


@pytest.mark.parametrize("block", range(20))
def test_random_formulas(block):
    for seed in range(100 * block, 100 * block + 100):
        formulas = Formulas(seed, indices=True)
        tree = formulas.any()
        try:
            agree(tree, formulas.values(), SIZES | {"N": 5})
        except Exception as error:
            raise AssertionError(f"seed {seed}: {tree}") from error


def test_the_random_formulas_have_every_kind_of_node():
    seen = set()
    for seed in range(600):
        waiting = [Formulas(seed, indices=True).any()]
        while waiting:
            part = waiting.pop()
            if isinstance(part, tuple):
                waiting += part
            elif isinstance(part, t.Tree):
                seen.add(type(part))
                waiting += vars(part).values()
    assert seen == set(t.Tree.__subclasses__()) - {t.SumOver}


@pytest.mark.parametrize("shape", [("", ""), ("n", ""), ("", "n"), ("n", "m")])
def test_shapes_without_and_with_two_axes(shape):
    for seed in range(30):
        formulas = Formulas(seed)
        tree, values = formulas.draw(*shape, 3), formulas.values()
        assert tree.kind == kind(*shape)
        flat = evaluate(tree, values, SIZES | {"N": 5})
        assert flat.shape == tuple(SIZES[size] for size in shape if size)
        both = evaluate(tree, values, SIZES | {"N": 5}, matrix=True)
        assert both.shape == tuple(SIZES.get(size, 1) for size in shape)
        assert np.array_equal(flat.ravel(), both.ravel())


GOLDEN = [
    (RELU_LOSS, ["t1 = X @ w + b", "return 2 / X.shape[0] * (((t1 > 0) * (t1 - y)) @ X)"]),
    (P(D(v), A), ["return v[:, None] * A"]),
    (P(A, D(v)), ["return A * v"]),
    (P(D(u), D(v), w), ["return u * v * w"]),
    (P(number(2), D(v)), ["return np.diag(2 * v)"]),
    (P(T(t.Ones("n")), v), ["return np.sum(v)"]),
    (P(T(t.Ones("N")), X), ["return np.sum(X, axis=0)"]),
    (P(A, t.Ones("n")), ["return np.sum(A, axis=1)"]),
    (P(T(t.Ones("n")), D(v)), ["return v"]),
    (P(u, T(v)), ["return np.outer(u, v)"]),
    (P(number(3), u, T(v), A), ["return np.outer(3 * u, v @ A)"]),
    (P(A, B, v), ["return A @ (B @ v)"]),
    (P(T(v), A, B), ["return v @ A @ B"]),
    (P(A, u, T(v), B, w), ["return A @ u * (v @ B @ w)"]),
    (P(t.Inverse(A), b, v), ["return b * np.linalg.solve(A, v)"]),
    (P(T(v), t.Inverse(A)), ["return np.linalg.solve(A.T, v)"]),
    (P(T(t.Inverse(A)), B), ["return np.linalg.solve(A.T, B)"]),
    (P(B, t.Inverse(A)), ["return np.linalg.solve(A.T, B.T).T"]),
    (t.Inverse(D(v)), ["return np.diag(1 / v)"]),
    (T(P(A, v)), ["return A @ v"]),
    (P(T(P(A, v)), t.Hadamard((u, P(A, v)))), ["t1 = A @ v", "return t1 @ (u * t1)"]),
    (T(P(A, T(B))), ["return B @ A.T"]),
    (t.Trace(P(A, B)), ["return np.sum(A * B.T)"]),
    (t.Trace(P(A, T(B))), ["return np.sum(A * B)"]),
    (t.Trace(P(A, u, T(v))), ["return v @ A @ u"]),
    (t.Trace(P(D(v), A)), ["return np.sum(v * np.diagonal(A))"]),
    (t.Trace(P(t.Inverse(A), B)), ["return np.trace(np.linalg.solve(A, B))"]),
    (t.Trace(t.Identity("n")), ["return X.shape[1]"]),
    (t.DiagonalOf(P(A, B)), ["return np.sum(A * B.T, axis=1)"]),
    (t.Kronecker(A, T(B)), ["return np.kron(A, B.T)"]),
    (t.Kronecker(t.Identity("n"), T(x)), ["return np.kron(np.eye(X.shape[1]), x[None, :])"]),
    (P(A, t.Identity("n"), v), ["return A @ v"]),
    (t.Sum((D(p), times(-1, P(p, T(p))))), ["return np.diag(p) - np.outer(p, p)"]),
    (times(-1, P(T(X), v)), ["return -(X.T @ v)"]),
    (t.Hadamard((t.Mask(">", z, number(0)), y)), ["return (z > 0) * y"]),
    (t.Mask(">", z, number(0)), ["return 1.0 * (z > 0)"]),
    (t.Power(v, number(-2)), ["return 1 / v**2"]),
    (t.Power(v, number(Fraction(1, 2))), ["return np.sqrt(v)"]),
    (t.Part(P(A, v), "1:", t.VECTOR), ["return (A @ v)[1:]"]),
    (t.Apply("vec", (A,), t.VECTOR), ["return np.ravel(A)"]),
    (t.Apply("softplus", (v,), t.VECTOR), ["return np.logaddexp(0, v)"]),
    (t.Apply("softmax", (A,), t.MATRIX, (("axis", 0),)), ["return softmax(A, axis=0)"]),
    (t.Entrywise(("i", "j"), ((A, ("i", "k")), (B, ("j", "k"))), ()), ['return np.einsum("ij,kj->ik", A, B)']),
]


@pytest.mark.parametrize(("tree", "statements"), GOLDEN, ids=lambda value: value[-1] if isinstance(value, list) else "")
def test_golden_source(tree, statements):
    assert body(tree) == statements


def test_masks_are_added_and_multiplied_as_numbers():
    mask = t.Mask(">", z, number(0))
    values = {"z": np.array([1.0, 2.0, -1.0])}
    for tree in (
        times(-1, t.Hadamard((mask, z))),
        t.Sum((mask, mask)),
        P(T(mask), mask),
        times(-1, mask),
        P(mask, T(mask)),
        t.Sum((number(1), times(-1, mask))),
    ):
        agree(tree, values, {})
    assert evaluate(P(T(mask), mask), values, {}) == 2


def test_the_trace_of_a_kronecker_product_of_matrices_that_are_not_square():
    values = {"A": np.arange(6.0).reshape(2, 3), "B": np.arange(6.0).reshape(3, 2) ** 2}
    agree(t.Trace(t.Kronecker(A, B)), values, {})


def test_imports_only_what_is_used():
    head = source(t.Apply("sigmoid", (t.Apply("sin", (v,), t.VECTOR),), t.VECTOR), NAMES, {}).split("\n\n")[0]
    assert head == "import numpy as np\nfrom scipy.special import expit"


def test_an_argument_named_like_a_function():
    gamma = t.Symbol("gamma", t.VECTOR)
    tree = P(T(gamma), t.Apply("gamma", (gamma,), t.VECTOR))
    assert "gamma @ gamma_function(gamma)" in source(tree, ["gamma"], {})
    assert evaluate(tree, {"gamma": np.array([4.0, 1.0])}, {}) == pytest.approx(25)


def test_names_of_intermediate_results():
    e = t.Symbol("e", t.VECTOR)
    tree = P(number(2), T(t.Hadamard((t.Mask(">", t.Symbol("r", t.VECTOR), number(0)), e))), X)
    names = {"r": Xw_b, "e": t.Sum((t.Symbol("r", t.VECTOR), times(-1, y)))}
    assert body(tree, names=names) == ["r = X @ w + b", "e = r - y", "return 2 * (((r > 0) * e) @ X)"]


def test_matrix_and_docstring():
    written = source(RELU_LOSS, NAMES, SIZE_CODE, "gradient", 'says "it" \\top', matrix=True)
    namespace = {}
    exec(written, namespace)
    assert namespace["gradient"].__doc__ == 'says "it" \\top'
    assert written.rstrip().endswith("[None, :]")


def test_sum_over_samples_equals_the_matrix_form():
    rng = np.random.default_rng(0)
    values = {"X": rng.normal(size=(5, 3)), "w": rng.normal(size=3), "b": np.array(0.1), "y": rng.normal(size=5)}
    row = t.Symbol("x", t.VECTOR, "i")
    linear = t.Sum((P(T(w), row), b))
    error = t.Sum((linear, times(-1, t.Symbol("y", t.SCALAR, "i"))))
    tree = P(t.Quotient(number(2), t.Size("N")), t.SumOver("i", P(t.Mask(">", linear, number(0)), error, T(row))))
    expected = evaluate(RELU_LOSS, values, {"N": 5})
    assert np.allclose(evaluate(tree, values, {"N": 5}), expected, rtol=1e-13)
    pairs = t.SumOver("i", t.SumOver("j", P(t.Symbol("y", t.SCALAR, "i"), t.Symbol("y", t.SCALAR, "j"))))
    assert evaluate(pairs, values, {}) == pytest.approx(values["y"].sum() ** 2)


def test_unknown_functions_are_arguments():
    tree = P(D(t.Apply("f'", (P(A, x),), t.VECTOR)), A)
    assert "f_prime(A @ x)[:, None] * A" in source(tree, ["A", "x", "f_prime"], {})
    values = {"A": np.arange(6.0).reshape(2, 3), "x": np.ones(3), "f_prime": np.cos}
    assert np.allclose(evaluate(tree, values, {}), np.cos(values["A"] @ values["x"])[:, None] * values["A"])


def library_of_functions():
    return {name: getattr(jb.functions, name) for name in jb.functions.__all__}


@pytest.mark.parametrize(
    "tree",
    [
        T(P(T(X), t.Hadamard((t.Mask(">", P(X, w), number(0)), P(X, w))))),
        P(T(w), t.Sum((D(w), times(-1, P(w, T(w)))))),
        P(T(w), t.Inverse(t.Sum((t.Identity("n"), P(w, T(w)))))),
        t.Apply("softmax", (w,), t.VECTOR),
        t.Apply("expit", (w,), t.VECTOR),
        t.Apply("slogdet", (t.Sum((t.Identity("n"), P(w, T(w)))),), t.SCALAR),
        t.Kronecker(w, t.Apply("exp", (w,), t.VECTOR)),
        t.Quotient(w, t.Norm(w)),
        t.Trace(P(D(w), t.Identity("n"), P(w, T(w)))),
        t.Entrywise(("i", "i"), ((w, ("i",)), (X, ("k", "i"))), (("i", "n"), ("k", "N"))),
        t.SumOver("i", t.Power(t.Symbol("w", t.SCALAR, "i"), number(3))),
    ],
    ids=lambda tree: type(tree).__name__,
)
def test_traced_values_pass(tree):
    rng = np.random.default_rng(1)
    X0, w0 = rng.normal(size=(5, 3)), rng.normal(size=3)

    def f(w):
        return evaluate(tree, {"X": X0, "w": w}, {"n": 3, "N": 5}, library=library_of_functions())

    numerical, error = jb.finite_difference(f)(w0)
    assert np.all(np.abs(np.asarray(jb.jacobian(f)(w0)) - numerical) <= 10 * error + 1e-8)


def test_float32_stays():
    values = {name: np.ones(shape, np.float32) for name, shape in {"X": (4, 3), "w": 3, "b": (), "y": 4}.items()}
    assert evaluate(RELU_LOSS, values, {"N": 4}).dtype == np.float32


@pytest.mark.parametrize(
    "tree, values",
    [
        (t.Symbol("class", t.VECTOR), {"class": np.ones(2)}),
        (t.Symbol("__class__", t.VECTOR), {"__class__": np.ones(2)}),
        (t.Symbol("v; import os", t.VECTOR), {"v; import os": np.ones(2)}),
        (t.Symbol("missing", t.VECTOR), {}),
        (t.Apply("no_such_function", (v,), t.VECTOR), {"v": np.ones(2)}),
        (t.Apply("sum", (v,), t.SCALAR, (("axis", object()),)), {"v": np.ones(2)}),
        (t.Ones("n"), {}),
        (P(v, v), {"v": np.ones(2)}),
        (t.Part(v, "exit()", t.VECTOR), {"v": np.ones(2)}),
        (t.Part(v, "0](", t.VECTOR), {"v": np.ones(2)}),
        (t.Mask("or", v, v), {"v": np.ones(2)}),
        (v, {"v": np.ones(2), "np": np.ones(2)}),
    ],
)
def test_what_has_no_source_is_an_error(tree, values):
    with pytest.raises(InputError):
        evaluate(tree, values, {})
