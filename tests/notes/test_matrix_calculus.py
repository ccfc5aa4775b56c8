"""Every rule of the notes on the matrix calculus of Parr and Howard (arXiv 1802.01528), with its examples.

The shapes are those of numerator layout: a scalar's derivative is a row, the derivative by a scalar a column.
Where the notes print something wrong, a comment that starts with "Misprint" says so, and the test asserts
what is right, and that the printed formula is another matrix.
"""

import numpy as np
import pytest
from agreement import Rule, agreed, column, follow, row

import jacobi as jb

w = np.array([2.0, -3.0, 0.5, 1.5])
x = np.array([-1.0, 4.0, 2.0, -0.7])
z = 2.5
n = x.size
I = np.eye(n)
ones = np.ones(n)


# Rules for scalars ----------------------------------------------------------------------------------------

SCALARS = [
    Rule("c", lambda x: 99.0, (1.7,), (lambda x: 0,), ("zero",)),
    Rule("c f", lambda x: 3 * x, (1.7,), (lambda x: 3,)),
    Rule("x^n", lambda x: x**3, (1.7,), (lambda x: 3 * x**2,)),
    Rule("f + g", lambda x: x**2 + 3 * x, (1.7,), (lambda x: 2 * x + 3,)),
    Rule("f - g", lambda x: x**2 - 3 * x, (1.7,), (lambda x: 2 * x - 3,)),
    Rule("f g", lambda x: x**2 * x, (1.7,), (lambda x: x**2 + x * 2 * x,)),
    Rule("f g, simplified", lambda x: x**2 * x, (1.7,), (lambda x: 3 * x**2,)),
    Rule("f(g(x))", lambda x: np.log(x**2), (-1.7,), (lambda x: 1 / x**2 * 2 * x,)),
    Rule("f(g(x)), simplified", lambda x: np.log(x**2), (-1.7,), (lambda x: 2 / x,)),
    Rule("x^2 at 5", lambda x: x**2, (5,), (lambda x: 10,)),
    Rule(
        "a x + b",
        lambda a, x, b: a * x + b,
        (2.0, 3.0, 1.0),
        (lambda a, x, b: x, lambda a, x, b: a, lambda a, x, b: 1),
    ),
]


@pytest.mark.parametrize("rule", SCALARS, ids=str)
def test_a_rule_for_scalars(rule):
    for J in follow(rule):
        assert (J.shape, J.out_shape, J.in_shape) == ((1, 1), (), ())


# Gradients and Jacobian matrices --------------------------------------------------------------------------


def f(x, y):
    return 3 * x**2 * y


def g(x, y):
    return 2 * x + y**8


POINTS = [(1.0, 2.0), (-0.5, 1.1), (0.0, -1.0)]


@pytest.mark.parametrize(("x", "y"), POINTS)
def test_a_gradient_is_a_row(x, y):
    v = np.array([x, y])
    J = agreed(lambda v: f(v[0], v[1]), (v,), [[6 * y * x, 3 * x**2]])
    assert (J.structure, J.shape) == ("row", (1, 2))
    assert jb.gradient(lambda v: f(v[0], v[1]))(v).shape == (2,)
    follow(Rule("3 x^2 y", f, (x, y), (lambda x, y: 6 * y * x, lambda x, y: 3 * x**2)))


@pytest.mark.parametrize(("x", "y"), POINTS)
def test_a_jacobian_matrix_has_the_gradients_as_rows(x, y):
    v = np.array([x, y])
    agreed(lambda v: [f(*v), g(*v)], (v,), [[6 * y * x, 3 * x**2], [2, 8 * y**7]])
    follow(
        Rule(
            "[3 x^2 y, 2 x + y^8]",
            lambda x, y: [f(x, y), g(x, y)],
            (x, y),
            (lambda x, y: column([6 * y * x, 2]), lambda x, y: column([3 * x**2, 8 * y**7])),
            ("column", "column"),
        )
    )


def test_outputs_run_down_and_inputs_run_across():
    def three(v):
        return [v[0] * v[1], v[0] + v[1], v[1] ** 2]

    v = np.array([2.0, 5.0])
    J = agreed(three, (v,), [[5, 2], [1, 1], [0, 10]])
    assert J.shape == (3, 2)
    assert J.T.shape == (2, 3)  # denominator layout


def test_a_component_is_a_function_of_the_whole_vector():
    agreed(lambda x: 2 * x[0] ** 2 + 3 * x[1], (x,), row([4 * x[0], 3, 0, 0]))


# Element by element ---------------------------------------------------------------------------------------

VECTORS = [
    Rule("identity function", lambda x: x, (x,), (lambda x: I,), ("identity",)),
    Rule("w + x", lambda w, x: w + x, (w, x), (lambda w, x: I, lambda w, x: I), ("identity", "identity")),
    Rule("w - x", lambda w, x: w - x, (w, x), (lambda w, x: I, lambda w, x: -I), ("identity", "diagonal")),
    Rule(
        "w o x",
        lambda w, x: w * x,
        (w, x),
        (lambda w, x: np.diag(x), lambda w, x: np.diag(w)),
        2 * ("diagonal",),
    ),
    Rule(
        "w / x",
        lambda w, x: w / x,
        (w, x),
        (lambda w, x: np.diag(1 / x), lambda w, x: np.diag(-w / x**2)),
        ("diagonal", "diagonal"),
    ),
    Rule(
        "f(w) o g(x)",
        lambda w, x: np.sin(w) * x**2,
        (w, x),
        (lambda w, x: np.diag(np.cos(w) * x**2), lambda w, x: np.diag(np.sin(w) * 2 * x)),
        ("diagonal", "diagonal"),
    ),
    # A number expands to g(z) = 1 z.
    Rule(
        "x + z",
        lambda x, z: x + z,
        (x, z),
        (lambda x, z: I, lambda x, z: column(ones)),
        ("identity", "column"),
    ),
    Rule(
        "x - z",
        lambda x, z: x - z,
        (x, z),
        (lambda x, z: I, lambda x, z: column(-ones)),
        ("identity", "column"),
    ),
    Rule(
        "x z",
        lambda x, z: x * z,
        (x, z),
        (lambda x, z: z * I, lambda x, z: column(x)),
        ("diagonal", "column"),
    ),
    Rule(
        "x / z",
        lambda x, z: x / z,
        (x, z),
        (lambda x, z: I / z, lambda x, z: column(-x / z**2)),
        ("diagonal", "column"),
    ),
    Rule("1 z", lambda z: ones * z, (z,), (lambda z: column(ones),), ("column",)),
]
LOCAL = {
    "w + x": jb.local.add,
    "w - x": jb.local.subtract,
    "w o x": jb.local.multiply,
    "w / x": jb.local.divide,
}


@pytest.mark.parametrize("rule", VECTORS, ids=str)
def test_an_operation_on_entries(rule):
    for J in follow(rule):
        assert J.nnz == n  # nothing off the diagonal, or one column


@pytest.mark.parametrize("rule", [rule for rule in VECTORS if rule.name in LOCAL], ids=str)
def test_its_local_jacobians(rule):
    for J, closed, structure in zip(LOCAL[rule.name](w, x), rule.closed, rule.structures, strict=True):
        np.testing.assert_allclose(J.toarray(), closed(w, x), rtol=1e-15)
        assert J.structure == structure


def test_operations_act_entry_by_entry():
    assert np.add([1, 2], [3, 4]).tolist() == [4, 6]


def test_misprint_of_the_derivative_of_w_o_x_by_w():
    # Misprint: diag(w).  It is diag(x), as the notes use it further down; diag(w) is the derivative by x.
    by_w, by_x = jb.jacobian(np.multiply, argnums=(0, 1))(w, x)
    assert np.array_equal(by_w.toarray(), np.diag(x))
    assert not np.array_equal(by_w.toarray(), np.diag(w))
    assert np.array_equal(by_x.toarray(), np.diag(w))


def test_misprint_of_the_rows_of_f_o_g():
    # Misprint: f_1 stands in every row, where row i has f_i.  With f_1 in every row there is no diagonal.
    def as_printed(w, x):
        return w[0] * x

    J = agreed(as_printed, (w, x), np.outer(x, I[0]))
    assert J.structure != "diagonal"
    assert jb.jacobian(np.multiply)(w, x).structure == "diagonal"


# Sums -----------------------------------------------------------------------------------------------------

SUMS = [
    Rule("sum(x)", np.sum, (x,), (lambda x: ones,), ("row",)),
    Rule("sum(f(x))", lambda x: np.sum(np.sin(x)), (x,), (np.cos,), ("row",)),
    Rule(
        "sum(x z) by x and by z",
        lambda x, z: np.sum(x * z),
        (x, z),
        (lambda x, z: z * ones, lambda x, z: x.sum()),
    ),
    Rule("w . x", lambda w, x: w @ x, (w, x), (lambda w, x: x, lambda w, x: w), ("row", "row")),
    Rule("sum(w o x)", lambda w, x: np.sum(w * x), (w, x), (lambda w, x: x, lambda w, x: w), ("row", "row")),
    Rule(
        "w . x + b",
        lambda w, x, b: np.dot(w, x) + b,
        (w, x, 0.3),
        (lambda w, x, b: x, lambda w, x, b: w, lambda w, x, b: 1),
        ("row", "row", "identity"),
    ),
]


@pytest.mark.parametrize("rule", SUMS, ids=str)
def test_a_scalar_function_of_vectors_has_a_row(rule):
    for J, value in zip(follow(rule), rule.point, strict=True):
        assert J.shape == (1, np.size(value))


def test_the_gradient_by_all_variables_is_one_row():
    # nabla y = [dy/dx  dy/dz] for y = sum(x z)
    def y(v):
        return np.sum(v[:-1] * v[-1])

    J = agreed(y, (np.append(x, z),), row(np.append(z * ones, x.sum())))
    parts = jb.jacobian(lambda x, z: np.sum(x * z), argnums=(0, 1))(x, z)
    assert np.array_equal(J.toarray(), np.hstack([part.toarray() for part in parts]))


# Chain rules ----------------------------------------------------------------------------------------------

# Name, the links from the inside out with their derivatives, and the derivative of the whole.  The last two
# examples are the article's.
SINGLE_VARIABLE = [
    ("ln(x^2)", [(np.square, lambda x: 2 * x), (np.log, lambda u: 1 / u)], lambda x: 2 / x),
    ("sin(3x)", [(lambda x: 3 * x, lambda x: 3), (np.sin, np.cos)], lambda x: 3 * np.cos(3 * x)),
    ("sin(x^2)", [(np.square, lambda x: 2 * x), (np.sin, np.cos)], lambda x: 2 * x * np.cos(x**2)),
    (
        "ln(sin(x^3)^2)",
        [
            (lambda x: x**3, lambda x: 3 * x**2),
            (np.sin, np.cos),
            (np.square, lambda u: 2 * u),
            (np.log, lambda u: 1 / u),
        ],
        lambda x: 6 * x**2 * np.cos(x**3) / np.sin(x**3),
    ),
]


@pytest.mark.parametrize(("name", "links", "whole"), SINGLE_VARIABLE, ids=[n for n, *_ in SINGLE_VARIABLE])
def test_the_single_variable_chain_rule(name, links, whole):
    def nested(x):
        for link, _ in links:
            x = link(x)
        return x

    value, found = 1.3, []
    for link, derivative in links:
        found.append(agreed(link, (value,), derivative(value)))
        value = link(value)
    agreed(nested, (1.3,), whole(1.3))

    # Numbers commute, so du/dx dy/du ("forward") and dy/du du/dx ("backward") are the same product.
    backward = jb.chain(*reversed(found))
    forward = jb.chain(*found)
    np.testing.assert_allclose(backward.toarray(), [[whole(1.3)]], rtol=1e-14)
    np.testing.assert_allclose(forward.toarray(), [[whole(1.3)]], rtol=1e-14)


# Name, u_1(x), the last step f(x, u_1) with its partial derivatives by x and u_1, du_1/dx, and the total
# derivative by x.  The notes work the first example; the others are the article's.
TOTAL = [
    (
        "x + x^2",
        lambda x: x**2,
        np.add,
        (lambda x, u: 1, lambda x, u: 1),
        lambda x: 2 * x,
        lambda x: 1 + 2 * x,
    ),
    (
        "x x^2",
        lambda x: x**2,
        np.multiply,
        (lambda x, u: u, lambda x, u: x),
        lambda x: 2 * x,
        lambda x: 3 * x**2,
    ),
    (
        "sin(x + x^2)",
        lambda x: x**2,
        lambda x, u: np.sin(x + u),
        (lambda x, u: np.cos(x + u), lambda x, u: np.cos(x + u)),
        lambda x: 2 * x,
        lambda x: np.cos(x + x**2) * (1 + 2 * x),
    ),
]


@pytest.mark.parametrize(
    ("name", "inner", "last", "partials", "slope", "total"),
    TOTAL,
    ids=[name for name, *_ in TOTAL],
)
def test_the_single_variable_total_derivative(name, inner, last, partials, slope, total):
    value = 0.8
    u = inner(value)
    by_x, by_u = follow(Rule(name, last, (value, u), partials))
    u_by_x = agreed(inner, (value,), slope(value))
    whole = agreed(lambda x: last(x, inner(x)), (value,), total(value))

    # df/dx + df/du_1 du_1/dx; the partial derivative by x, with u_1 held, is not the total one.
    np.testing.assert_allclose((by_x + by_u @ u_by_x).toarray(), whole.toarray(), rtol=1e-14)
    assert abs(by_x.toarray() - whole.toarray()) > 0.1

    # The same as a product: df/du du/dx with u = [x, u_1], a row times a column.
    both = np.array([value, u])
    by_both = agreed(lambda v: last(v[0], v[1]), (both,), row([partial(*both) for partial in partials]))
    both_by_x = agreed(lambda x: [x, inner(x)], (value,), column([1, slope(value)]))
    assert (by_both.structure, both_by_x.structure) == ("row", "column")
    np.testing.assert_allclose((by_both @ both_by_x).toarray(), whole.toarray(), rtol=1e-14)
    dot = np.dot(by_both.toarray().ravel(), both_by_x.toarray().ravel())
    np.testing.assert_allclose([[dot]], whole.toarray(), rtol=1e-14)


def test_the_vector_chain_rule():
    value = 1.3

    def inner(x):
        return [x**2, 3 * x]

    def outer(g):
        return [np.log(g[0]), np.sin(g[1])]

    g = np.array(inner(value))
    g_by_x = agreed(inner, (value,), column([2 * value, 3]))
    f_by_g = agreed(outer, (g,), np.diag([1 / g[0], np.cos(g[1])]))
    f_by_x = agreed(lambda x: outer(inner(x)), (value,), column([2 / value, 3 * np.cos(3 * value)]))
    assert (f_by_g.structure, g_by_x.structure, f_by_x.structure) == ("diagonal", "column", "column")

    product = f_by_g @ g_by_x
    assert (product.shape, product.structure) == ((2, 1), "column")
    np.testing.assert_allclose(product.toarray(), f_by_x.toarray(), rtol=1e-14)
    sums = f_by_g.toarray() * g_by_x.toarray().T  # the scalar form: the sum over k of df_i/dg_k dg_k/dx
    np.testing.assert_allclose(sums.sum(axis=1, keepdims=True), f_by_x.toarray(), rtol=1e-14)


@pytest.mark.parametrize(("m", "k", "size"), [(2, 3, 4), (4, 3, 2), (1, 3, 5), (3, 1, 2), (3, 4, 1)])
def test_the_jacobian_of_a_composition_is_a_product(m, k, size):
    rng = np.random.default_rng(m + 10 * k)
    A, B = rng.normal(size=(m, k)), rng.normal(size=(k, size))
    v = rng.normal(size=size)

    def inner(x):
        return np.sin(B @ x)

    def outer(g):
        return A @ g**2

    g_by_x = agreed(inner, (v,), np.cos(B @ v)[:, None] * B)
    f_by_g = agreed(outer, (inner(v),), 2 * A * inner(v))
    whole = agreed(lambda x: outer(inner(x)), (v,), f_by_g.toarray() @ g_by_x.toarray())
    assert (f_by_g.shape, g_by_x.shape, whole.shape) == ((m, k), (k, size), (m, size))
    for product in (f_by_g @ g_by_x, jb.chain(f_by_g, g_by_x)):
        np.testing.assert_allclose(product.toarray(), whole.toarray(), rtol=1e-12, atol=1e-14)
    if m != size:
        with pytest.raises(jb.errors.ShapeError):  # the outer function stands on the left
            g_by_x @ f_by_g


def test_the_product_of_diagonals_is_a_diagonal():
    # f_i depends on g_i only, and g_i on x_i only: diag(df_i/dg_i dg_i/dx_i)
    f_by_g, g_by_x = jb.jacobian(np.sin)(x**2), jb.jacobian(np.square)(x)
    whole = agreed(lambda x: np.sin(x**2), (x,), np.diag(np.cos(x**2) * 2 * x))
    for J in (f_by_g, g_by_x, f_by_g @ g_by_x, whole):
        assert (J.structure, J.nnz) == ("diagonal", n)
    np.testing.assert_allclose((f_by_g @ g_by_x).diagonal(), np.cos(x**2) * 2 * x, rtol=1e-15)


def test_backward_differentiation_gives_the_derivative_by_all_inputs_at_once():
    def y(w, x, b):
        return np.tanh(w @ x + b)

    point = (w, x, 0.3)
    _, pullback = jb.vjp(y, *point)
    for k, by_input in enumerate(pullback(1.0)):
        J = jb.jacobian(y, k)(*point)
        np.testing.assert_allclose(np.reshape(by_input, (1, -1)), J.toarray(), rtol=1e-14)
        direction = np.ones_like(point[k])
        _, change = jb.jvp(y, point, tuple(direction if k == j else None for j in range(3)))
        np.testing.assert_allclose(change, (J.toarray() @ np.ravel(direction)).item(), rtol=1e-14)
