"""The input of derivations: names that text may use, text and functions as programs, and the sizes of dimensions."""

import ast
import operator

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from scipy import linalg, special

import jacobi as jb
from jacobi.derivation import names
from jacobi.derivation.program import read
from jacobi.derivation.random_points import ASSUMPTIONS
from jacobi.derivation.sizes import assign
from jacobi.derivation.source_text import TextError
from jacobi.derivation.stand_ins import stand_in
from jacobi.derivation.tokens import distinct, explained, letters_in, number
from jacobi.errors import InputError, TraceError
from jacobi.rules import REFUSED, REGISTRY

RNG = np.random.default_rng(7)
X, A = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3)) + 3 * np.eye(3)
VALUES = {"X": X, "A": A, "w": RNG.normal(size=3), "y": RNG.normal(size=4), "x": RNG.uniform(0.2, 0.8, 3), "b": 0.3}
w, y, x, b = (VALUES[name] for name in "wyxb")

# names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, function",
    [
        ("exp", np.exp), ("np.exp", np.exp), ("numpy.linalg.det", np.linalg.det), ("norm", np.linalg.norm),
        ("expit", special.expit), ("special.erf", special.erf), ("scipy.special.softmax", jb.functions.softmax),
        ("scipy.linalg.expm", jb.functions.expm), ("relu", jb.functions.relu), ("eye", np.eye),
        ("fft.rfft", np.fft.rfft),
        ("np.relu", None), ("np.load", None), ("np.random.normal", None), ("np.put", None), ("np.nothing", None),
    ],
)  # fmt: skip
def test_functions_by_name(text, function):
    assert names.function(text) is function


def test_text_can_call_nothing_but_what_is_known():
    makers = {getattr(np, name) for name in names.MAKERS} | {np.fft.fftfreq, np.fft.rfftfreq}
    ours = {getattr(jb.functions, name) for name in jb.functions.__all__} | set(names.PYTHON.values())
    for table in names.tables().values():
        for function in table.values():
            assert function in makers | ours or function in REGISTRY or function in REFUSED


REFUSED_TEXT = [
    ("__import__('os').system('ls')", "__import__ is not a function"),
    ("open('x')", "open is not a function"),
    ("eval('1')", "eval is not a function"),
    ("np.load('x')", "np.load is not a function"),
    ("x.tofile('x')", "no method tofile"),
    ("x.__class__", "no __class__"),
    ("(lambda t: t)(x)", "lambda t: t cannot stand"),
    ("[t for t in ().__class__.__bases__]", "no __class__"),
    ("exp(x, out=x)", "out="),
    ("exp(x, w)", "write into"),
    ("np.sum(x, 0, None, w)", "write into"),
    ("x.cumsum(0, None, w)", "write into"),
    ("x.dot(w, b)", "write into"),
    ("f'{x}'", "cannot stand in text"),
    ("{1: x}", "cannot stand in text"),
    ("(t := x)", "cannot stand in text"),
    ("'a' * 10**9", "is not a real number"),
    ("2j * x", "is not a real number"),
    ("x ^ 2", r"Write \*\* for a power"),
    ("2 x", "products as"),
    ("2(x + 1)", "Write products with"),
    ("y(x) + y", r"Write y \* \("),
    ("exp * x", "name of a function"),
    ("sofmax(x)", "Did you mean softmax"),
    ("logdet(A)", r"slogdet\(A\)\[1\]"),
    ("math.sin(x)", "without prefix"),
    ("np.angle(x)", "complex"),
    ("f(x, y)", "one argument"),
    ("x = x + 1; x", "name of its own"),
    ("x + 1; y", "Give it a name"),
    ("s, l = slogdet(A)", "not part of a formula"),
    ("import os; x", "leave the import out"),
    ("_x + 1", "underscore"),
    ("", "empty"),
    ("x +", "invalid syntax"),
    ("+".join(["x"] * 20000), "read|deeply"),
]


@pytest.mark.parametrize("text, message", REFUSED_TEXT, ids=[text[:20] for text, _ in REFUSED_TEXT])
def test_other_text_is_refused_before_anything_runs(text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_messages_point_into_the_text():
    with pytest.raises(TextError) as caught:
        read("z = X @ w\nmean(é + np.foo(z))")
    *_, line, carets = str(caught.value).splitlines()
    assert line[carets.index("^") : carets.rindex("^") + 1] == "np.foo" == caught.value.expression
    assert "line 2, column 10" in str(caught.value)


def test_whole_powers_end():
    with pytest.raises(TextError, match="at most 1000"):
        read("9**9**9 * x")(x)


# text -------------------------------------------------------------------------------------------------------------

TEXTS = [
    ("mean((y - maximum(0, X @ w + b))**2)", lambda: np.mean((y - np.maximum(0, X @ w + b)) ** 2)),
    ("max(0, X @ w) + min(y)", lambda: np.maximum(0, X @ w) + np.min(y)),
    ("max(w, x, 0.1)", lambda: np.maximum(np.maximum(w, x), 0.1)),
    ("np.linalg.inv(A) @ w", lambda: np.linalg.inv(A) @ w),
    ("scipy.linalg.expm(A) @ w", lambda: linalg.expm(A) @ w),
    ("special.logsumexp(w) + abs(b)", lambda: special.logsumexp(w) + abs(b)),
    ("sum(x[i]**2 for i in range(3) if i != 1)", lambda: x[0] ** 2 + x[2] ** 2),
    ("sum(X[i, j] * w[j] for i in range(2) for j in range(len(w)))", lambda: (X[:2] @ w).sum()),
    ("sum(s * t for s, t in zip(w, x))", lambda: w @ x),
    ("sum(X, axis=0)", lambda: X.sum(axis=0)),
    ("where(w > 0, w, 0) + (0 < w < 1)", lambda: np.where(w > 0, w, 0) + ((w > 0) & (w < 1))),
    ("w * (w >= 0) if b > 0 else x", lambda: w * (w >= 0)),
    ("x if b < 0 or not b else -x", lambda: -x),
    ("X[1:, ::2] - X[:-1, None, 0]", lambda: X[1:, ::2] - X[:-1, None, 0]),
    ("X[..., -1] / X.shape[0] + X.T.sum() + w.dot(x)", lambda: X[:, -1] / 4 + X.sum() + w @ x),
    ("s, l = slogdet(A); s * l", lambda: np.prod(np.linalg.slogdet(A))),
    ("slogdet(A).logabsdet", lambda: np.linalg.slogdet(A)[1]),
    ("einsum('ij,j->i', X, w)", lambda: X @ w),
    ("np.array([[w[0], 1], [b, w[1]]]) @ [1, 2]", lambda: np.array([[w[0], 1], [b, w[1]]]) @ [1, 2]),
    ("[w @ x, b]", lambda: np.array([w @ x, b])),
    ("z = X @ w\nr = z - y\nC = r @ r / len(y)", lambda: np.sum((X @ w - y) ** 2) / 4),
    ("e = y - X @ w; e @ e", lambda: np.sum((X @ w - y) ** 2)),
    ("e**x + pi", lambda: np.exp(x) + np.pi),
    ("norm(x) + x.reshape(3, 1).ravel()[0]", lambda: np.linalg.norm(x) + x[0]),
    ("-x % 2 // 1 + ~(x > 0.5)", lambda: -x % 2 // 1 + ~(x > 0.5)),
]


@pytest.mark.parametrize("text, expected", TEXTS, ids=[text for text, _ in TEXTS])
def test_text_means_what_numpy_means(text, expected):
    program = read(text)
    values = {name: VALUES[name] for name in program.arguments}
    np.testing.assert_allclose(program(**values), expected(), rtol=1e-13)
    traced = jb.jacobian(program, argnums=tuple(range(len(values))))(*values.values())
    assert all(J.in_shape == np.shape(value) for J, value in zip(traced, values.values(), strict=True))
    numerical = jb.finite_difference(lambda first: program(first, *list(values.values())[1:]))(
        next(iter(values.values()))
    )
    np.testing.assert_allclose(traced[0].toarray(), numerical[0], atol=1e-6)


@pytest.mark.parametrize(
    "text, arguments, assigned, unknown, result",
    [
        ("z = X @ w + b; mean(z)", ("X", "w", "b"), ("z",), (), None),
        ("C = mean(f(W @ x))", ("W", "x"), (), ("f",), "C"),
        ("sum(x[i] for i in range(n))", ("x", "n"), (), (), None),
        ("gamma * x + special.gamma(x)", ("gamma", "x"), (), (), None),
        ("g(f(x)) + e", ("x",), (), ("f", "g"), None),
    ],
)
def test_what_occurs_in_text(text, arguments, assigned, unknown, result):
    program = read(text)
    assert (program.arguments, program.assigned, program.result) == (arguments, assigned, result)
    assert set(program.unknown_functions) == set(unknown)


def test_given_names_win_over_constants_and_letters_are_sizes():
    program = read("e @ e / N", ["e"], ["N"])
    assert (program.arguments, program.letters) == (("e",), ("N",))
    assert program(e=np.ones(3), N=3) == 1
    assert read("e + x").arguments == ("x",)


def test_intermediate_results_are_given():
    value, found = read("z = X @ w; r = z - y; r @ r").run(X=X, w=w, y=y)
    np.testing.assert_array_equal(found["r"], X @ w - y)
    assert list(found) == ["z", "r"] and value == found["r"] @ found["r"]


def test_functions_are_programs():
    def loss(X, w, y, rate=0.5):
        r = X @ w - y
        return r @ r + rate * np.sum(w)

    program = read(loss)
    assert program.arguments == ("X", "w", "y") and program.defaults == {"rate": 0.5}
    value, found = program.run(X=X, w=w, y=y)
    assert value == loss(X, w, y) and set(found) == {"r"}
    assert program(X=X, w=w, y=y, rate=0.0) == loss(X, w, y, 0.0)
    assert read(loss, ["rate"]).arguments == ("X", "w", "y", "rate")
    for wrong in (lambda *values: values, 3):
        with pytest.raises(InputError):
            read(wrong)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="ufuncs do not tell their parameters")
def test_ufuncs_are_programs():
    assert read(np.sin).arguments == ("x",) and read(np.sin)(0.0) == 0


def test_values_must_fit_the_names():
    program = read("X @ w")
    for values in ({"X": X}, {"X": X, "w": w, "z": w}):
        with pytest.raises(InputError, match="Give values for X, w"):
            program(**values)
    with pytest.raises(InputError):
        program(X, w, w)


def test_errors_while_running_name_the_part():
    with pytest.raises(TextError, match=r"X has the shape \(4, 3\), and y - 1 has the shape \(4,\)") as caught:
        read("1 + X @ (y - 1)")(X=X, y=y)
    assert caught.value.expression == "X @ (y - 1)"
    with pytest.raises(TraceError, match="three dimensions") as refused:
        jb.jacobian(read("sum(cross(x, x))"))(np.ones(2))
    assert str(refused.value).splitlines()[-1] == "    " + " " * 4 + "^" * len("cross(x, x)")


LEAVES = st.sampled_from(["x", "w", "b", "1.5", "2"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/@"), inner),
        st.builds("{}({})".format, st.sampled_from(["np.exp", "np.sin", "-", "np.sum", "abs"]), inner),
        st.builds("({} > {})".format, inner, inner),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
@settings(max_examples=150, deadline=None)
def test_text_is_python(text):
    def outcome(compute):
        with np.errstate(all="ignore"):
            try:
                value = np.asarray(compute())
                assume(value.dtype != np.float16)  # a function of np.True_, where Python has True
                return value.astype(float)
            except (ValueError, TypeError):
                return None
            except ZeroDivisionError:  # Python's numbers raise it, those of NumPy give infinity
                return reject()

    program = read(text)
    found = outcome(lambda: program(**{name: VALUES[name] for name in program.arguments}))
    python = outcome(lambda: eval(compile(ast.parse(text, mode="eval"), "", "eval"), {"np": np, **VALUES}))
    assert (found is None) == (python is None)
    if python is not None:
        np.testing.assert_array_equal(found, python)


# unknown functions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", range(3))
def test_stand_ins_have_their_derivatives(order):
    f, derivative = stand_in("f", order), stand_in("f", order + 1)
    np.testing.assert_allclose(jb.jacobian(f)(x).diagonal(), derivative(x), rtol=1e-13)
    numerical, _ = jb.finite_difference(f)(x)
    np.testing.assert_allclose(np.diagonal(numerical), derivative(x), atol=1e-6)
    assert f.__name__ == "f" + "'" * order and f.operation.name == f.__name__ and stand_in("f", order) is f


def test_stand_ins_are_told_apart():
    points = np.linspace(-2, 2, 9)
    found = [stand_in(name, order)(points) for name in "fgh" for order in range(4)]
    assert np.linalg.matrix_rank(np.stack(found)) == 9


# sizes ------------------------------------------------------------------------------------------------------------


def shapes_of(text, given=None, assume=None):
    program = read(text, [*(given or {}), *(assume or {})], letters_in(given or {}))
    return assign(program, given, np.random.default_rng(0), assume)


INFERRED = [
    ("mean((y - maximum(0, X @ w + b))**2)", {"X": ("N", "n"), "b": ()}, {"y": ("N",), "w": ("n",)}),
    ("A @ X @ B", {}, {"A": ("m", "n"), "X": ("n", "p"), "B": ("p", "q")}),
    ("trace(X.T @ B @ X @ C)", {}, {"X": ("m", "n"), "B": ("m", "m"), "C": ("n", "n")}),
    ("sum((R - U @ V.T)**2)", {}, {"R": ("m", "n"), "U": ("m", "p"), "V": ("n", "p")}),
    ("log(det(X))", {}, {"X": ("n", "n")}),
    ("solve(A, b) + c", {}, {"A": ("n", "n"), "b": ("n",), "c": ("n",)}),
    ("expm(A) @ x", {}, {"A": ("n", "n"), "x": ("n",)}),
    ("einsum('ij,jk->ik', A, B)", {"A": ("m", "n")}, {"B": ("n", "p")}),
    ("concatenate([x, y]) * z", {}, {"x": ("n",), "y": ("m",), "z": ("n + m",)}),
    ("x[1:] - x[:-1] - y", {}, {"x": ("n",), "y": ("n - 1",)}),
    ("diff(x) @ y", {"y": "n"}, {"x": ("n + 1",)}),
    ("kron(A, B) @ x", {}, {"A": ("m", "n"), "B": ("p", "q"), "x": ("n * q",)}),
    ("x[:3] * y", {}, {"x": ("n",), "y": (3,)}),
    ("cross(a, b)", {}, {"a": (3,), "b": (3,)}),
    ("(x - mean(x)) / sqrt(var(x) + eps)", {}, {"x": ("n",), "eps": ()}),
    ("sum((X @ w - y)**2) / N", {"X": ("N", "n")}, {"w": ("n",), "y": ("N",)}),
    ("solve_sylvester(A, B, Q)", {}, {"A": ("n", "n"), "B": ("m", "m"), "Q": ("n", "m")}),
    ("a * log(det(A)) + A @ c", {"A": (4, 4)}, {"a": (4,), "c": (4,)}),
    ("(x @ w) * t @ t", {"x": "n"}, {"w": ("n",), "t": ("m",)}),
    ("f(W @ x) + b", {"b": ()}, {"W": ("m", "n"), "x": ("n",)}),
]


@pytest.mark.parametrize("text, given, found", INFERRED, ids=[text for text, *_ in INFERRED])
def test_sizes_are_found(text, given, found):
    sizes = shapes_of(text, given)
    assert {name: sizes.shapes[name] for name in found} == found
    assert set(sizes.inferred) == set(found)
    other = sizes.another()
    assert other.another().letters == sizes.letters and other.shapes == sizes.shapes
    assert all(sizes.letters[letter] != other.letters[letter] for letter in sizes.letters)
    for version in (sizes, other):
        values = version.sample(np.random.default_rng(1))
        assert np.all(np.isfinite(version.program(**values)))
        for name in version.shapes:
            assert np.shape(values[name]) == version.shape(name)


CONTRADICTIONS = [
    ("W @ x", {"W": ("m", "n"), "x": "k"}, None,
     r"the second size of W \(given in shapes\) is n, but W @ x needs it to equal k, the first size of x"),
    ("A @ x", {"A": (3, 4), "x": 5}, None, "is 4, but A @ x needs it to equal 5"),
    ("1 + inv(A)", {"A": ("m", "n")}, None, r"inv\(A\) needs it to equal m"),
    ("x @ A", {"A": ("m", "n")}, {"A": "symmetric"}, "the assumption about A needs it"),
    ("x @ y @ z", {}, None, "Give the shapes: shapes="),
    ("x + y", {"q": "n"}, None, "q is no argument"),
    ("x + y", {"x": (1.5,)}, None, "is not a size"),
    ("x + y", {}, {"x": "tall"}, "nothing is known"),
]  # fmt: skip


@pytest.mark.parametrize("text, given, assume, message", CONTRADICTIONS, ids=[text for text, *_ in CONTRADICTIONS])
def test_contradictions_are_named(text, given, assume, message):
    with pytest.raises(InputError, match=message):
        shapes_of(text, given, assume)


def test_the_places_of_sizes():
    sizes = shapes_of("mean((y - X @ w)**2)", {"y": "N", "X": ("N", "n"), "w": "n"})
    assert sizes.where("n") == ("X", 1) and sizes.where("N") == ("y", 0) and sizes.where("k") is None
    assert [sizes.letter_of(sizes.letters[letter]) for letter in "Nn"] == ["N", "n"] and sizes.letter_of(1) is None


def test_matrices_that_must_be_regular_get_sizes_that_allow_it():
    for text in ("inv(X.T @ X)", "inv(X @ X.T)"):
        sizes = shapes_of(text, {"X": ("N", "n")})
        for version in (sizes, sizes.another()):
            values = version.sample(np.random.default_rng(0))
            gram = values["X"].T @ values["X"] if ".T @" in text else values["X"] @ values["X"].T
            assert np.linalg.matrix_rank(gram) == len(gram)


def test_functions_have_sizes_too():
    def loss(X, w, y, rate=0.1):
        r = X @ w - y
        return r @ jb.functions.softplus(r) + rate * np.sum(w)

    assert assign(read(loss), {"w": "n"}).shapes == {"X": ("m", "n"), "w": ("n",), "y": ("m",)}
    with pytest.raises(InputError, match="the second size of X"):
        assign(read(loss), {"X": ("N", "n"), "w": "m"})


def test_vectors_are_long_enough_for_their_indices():
    for text in ("x[9] * y", "sum(x[i] for i in range(12))"):
        sizes = shapes_of(text)
        assert min(sizes.letters.values()) >= 10 and sizes.shapes["x"] == ("n",)
    with pytest.raises(InputError, match="out of bounds"):
        shapes_of("x[9]", {"x": 4})


@pytest.mark.parametrize("count", range(9))
def test_numbers_are_told_apart(count):
    found = distinct(count, {5}, (5, 7, 3), 2, {9})
    together = [*found, 5]
    assert len(set(together)) == count + 1 and 9 not in found and found == sorted(found, reverse=True)
    sums = {f(s, t) for s in together for t in together for f in (operator.add, operator.mul)}
    assert count > 4 or not sums & set(together)


@given(st.sampled_from(["m", "n", "n - 1", "m + 1", "2 * n", "m * n", "m + n", "m + n - 1", 4]))
def test_two_numbers_tell_the_size(token):
    letters, others = {"m": 7, "n": 5}, {"m": 6, "n": 4}
    assert explained(number(token, letters), number(token, others), letters, others) == token


# random points ----------------------------------------------------------------------------------------------------

PROPERTIES = {
    "symmetric": lambda m: np.allclose(m, m.T),
    "skew": lambda m: np.allclose(m, -m.T),
    "positive definite": lambda m: np.allclose(m, m.T) and np.linalg.eigvalsh(m)[0] > 0,
    "diagonal": lambda m: np.count_nonzero(m) == len(m),
    "lower triangular": lambda m: np.allclose(m, np.tril(m)),
    "upper triangular": lambda m: np.allclose(m, np.triu(m)),
    "orthogonal": lambda m: np.allclose(m.T @ m, np.eye(len(m))),
    "orthonormal columns": lambda m: np.allclose(m.T @ m, np.eye(m.shape[1])),
    "idempotent": lambda m: np.allclose(m @ m, m) and not np.allclose(m, m.T),
    "sum to one": lambda m: np.allclose(m.sum(axis=-1), 1) and m.min() > 0,
    "positive": lambda m: m.min() > 0,
    "+-1": lambda m: set(np.unique(m)) <= {-1, 1},
    "between 0 and 1": lambda m: m.min() > 0 and m.max() < 1,
    "between -1 and 1": lambda m: np.abs(m).max() < 1,
    "above one": lambda m: m.min() > 1,
    "integer": lambda m: np.all(m == np.round(m)),
}


@pytest.mark.parametrize("name", ASSUMPTIONS)
def test_values_are_as_assumed(name):
    assume = {"A": "A ** 2 = 1" if name == "+-1" else name}
    sizes = shapes_of("A @ x", None, assume)
    value = sizes.sample(np.random.default_rng(3), assume)["A"]
    assert PROPERTIES[name](value)
    if ASSUMPTIONS[name].square:
        assert sizes.shapes["A"] == ("n", "n")


@pytest.mark.parametrize(
    "text", ["log(x)", "arcsin(x)", "arccosh(x) + sqrt(A)", "log(det(X))", "cholesky(A)", "log(w) @ y", "log(1 - x)",
             "sqrt(1 - norm(x)**2)", "logit(p)"]
)  # fmt: skip
def test_values_lie_in_the_domain(text):
    sizes = shapes_of(text)
    for seed in range(3):
        values = sizes.sample(np.random.default_rng(seed))
        assert np.all(np.isfinite(sizes.program(**values)))


def test_domains_keep_general_matrices_general():
    matrix = shapes_of("log(det(X))").sample(np.random.default_rng(0))["X"]
    assert not np.allclose(matrix, matrix.T)


def test_empty_domains_are_an_error():
    with pytest.raises(InputError, match="no random values were found"):
        shapes_of("log(-(x @ x) - 1)").sample(np.random.default_rng(0))


def test_errors_that_are_the_cause_of_each_other_come_to_an_end():
    with pytest.raises(jb.errors.JacobiError, match="no shapes were found"):
        jb.derive("x * range(3)")


@pytest.mark.parametrize(("text", "shapes"), [
    ("alpha*x@x + beta*sum(x) + sigma**2", {"alpha": 0, "x": 1, "beta": 0, "sigma": 0}),
    ("exp(-(x-m)@(x-m)/(2*s**2))", {"x": 1, "m": 1, "s": 0}),
    ("x@A@x + b@x + c", {"x": 1, "A": 2, "b": 1, "c": 0}),
    ("sum(log(1 + exp(-y*(X@w)))) + mu*sum(w**2)", {"y": 1, "X": 2, "w": 1, "mu": 0}),
    ("sum(x)/m", {"x": 1, "m": 0}),
    ("c*x", {"c": 1, "x": 1}),
    ("c**2", {"c": 1}),
])  # fmt: skip
def test_names_that_may_be_either_are_numbers_where_a_vector_would_be_a_stranger(text, shapes):
    found = jb.derive(text, wrt=next(iter(shapes))).jacobian.sizes.shapes
    assert {name: len(shape) for name, shape in found.items()} == shapes


def test_a_size_may_have_the_name_of_an_argument():
    shapes = {"x": ("d",), "d": ("d",)}
    assert jb.derive("x @ d", wrt="x", shapes=shapes).formula == "dᵀ"
    assert jb.derive(lambda x, d: x @ d, wrt="x", shapes=shapes).formula == "dᵀ"
