"""Every gate, circuit and code fragment of the CS231n notes on back-propagation.

Where a copy of the notes prints something wrong, a comment that starts with "Misprint" says so, and the test
asserts what is right.
"""

import math

import numpy as np
import pytest
from agreement import Rule, agreed, follow
from fragments import MATRIX_PRODUCT, PRODUCT_OF_SUM, SIGMOID_NEURON, STAGED, Fragment, run

import jacobi as jb


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


# Gates ----------------------------------------------------------------------------------------------------

BY_ONE = (lambda *_: 1.0,)
GATES = [
    Rule("x y", lambda x, y: x * y, (4, -3), (lambda x, y: y, lambda x, y: x), ("diagonal", "diagonal")),
    Rule("x + y", lambda x, y: x + y, (4, -3), 2 * BY_ONE, ("identity", "identity")),
    Rule("max(x, y), x larger", np.maximum, (4.0, 2.0), (lambda x, y: 1, lambda x, y: 0)),
    Rule("max(x, y), y larger", np.maximum, (2.0, 4.0), (lambda x, y: 0, lambda x, y: 1)),
    Rule("Python's max(x, y)", max, (4.0, 2.0), (lambda x, y: 1, lambda x, y: 0), ("identity", "zero")),
    Rule("1 / x", lambda x: 1 / x, (-1.37,), (lambda x: -1 / x**2,)),
    Rule("e^x", np.exp, (-1.0,), (np.exp,)),
    # The notes keep c and a fixed, as gates of one argument; by c and a they are the gates x + y and x y.
    Rule("c + x", lambda c, x: c + x, (1.0, 0.37), 2 * BY_ONE, ("identity", "identity")),
    Rule("a x", lambda a, x: a * x, (-1.0, 2.0), (lambda a, x: x, lambda a, x: a), ("diagonal", "diagonal")),
    Rule("sigmoid(x)", sigmoid, (1.0,), (lambda x: (1 - sigmoid(x)) * sigmoid(x),), ("diagonal",)),
    Rule("sigmoid(x), unsimplified", sigmoid, (1.0,), (lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,)),
]
LOCAL = [
    (jb.local.multiply, (4.0, -3.0), (-3.0, 4.0)),
    (jb.local.add, (4.0, -3.0), (1.0, 1.0)),
    (jb.local.maximum, (4.0, 2.0), (1.0, 0.0)),
    (jb.local.reciprocal, (-1.37,), (-1 / 1.37**2,)),
    (jb.local.divide, (1.0, -1.37), (-1 / 1.37, -1 / 1.37**2)),
    (jb.local.exp, (-1.0,), (np.exp(-1.0),)),
    (jb.local.negative, (2.0,), (-1.0,)),
]


@pytest.mark.parametrize("rule", GATES, ids=str)
def test_a_gate(rule):
    for J in follow(rule):
        assert J.shape == (1, 1)


@pytest.mark.parametrize("rule", [gate for gate in GATES if gate.f is not max], ids=str)
def test_a_gate_acts_on_arrays_entry_by_entry(rule):
    point = tuple(value * np.array([1.0, 0.5, 2.0]) for value in rule.point)
    for k, closed in enumerate(rule.closed):
        J = agreed(rule.f, point, np.diag(np.broadcast_to(closed(*point), 3)), k)
        assert J.structure in ("identity", "diagonal", "zero")


@pytest.mark.parametrize(("gate", "inputs", "wanted"), LOCAL, ids=[gate.__name__ for gate, *_ in LOCAL])
def test_a_gate_knows_its_local_gradients(gate, inputs, wanted):
    assert [J.toarray() for J in gate(*inputs)] == pytest.approx(wanted)


def test_a_derivative_is_the_sensitivity_to_a_variable():
    def f(x, y):
        return x * y

    (value, by_x), (_, by_y) = (jb.value_and_gradient(f, k)(4, -3) for k in range(2))
    assert (value, by_x, by_y) == (-12, -3, 4)
    # f(x + h) = f(x) + h df/dx, which is exact where f is linear in x.
    for h in (0.5, 1e3):
        assert f(4 + h, -3) == value + h * by_x
        assert f(4, -3 + h) == value + 4 * h == value + h * by_y


def test_the_gradient_is_the_vector_of_the_partial_derivatives():
    assert jb.gradient(lambda v: v[0] * v[1])(np.array([4.0, -3.0])).tolist() == [-3, 4]
    agreed(lambda v: v[0] * v[1], (np.array([4.0, -3.0]),), [[-3.0, 4.0]])


def test_the_derivative_is_the_limit_of_difference_quotients():
    quotients = [(sigmoid(1.0 + h) - sigmoid(1.0)) / h for h in (1e-2, 1e-4, 1e-6)]
    errors = np.abs(quotients - jb.gradient(sigmoid)(1.0))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6


def test_the_derivative_of_a_maximum_says_nothing_about_large_steps():
    by_y = jb.jacobian(np.maximum, 1)
    assert by_y(4.0, 2.0).toarray() == 0  # the output is 4 for y = 2 + h, h small
    assert by_y(4.0, 2.0 + 3.0).toarray() == 1  # h = 3 is not small: the output is 5


def test_a_tie_of_two_variables_is_shared():
    # The notes print 1 [x >= y] and 1 [y >= x], which is 1 for both at a tie.  Then x and y growing together
    # would make the maximum grow twice as fast; the library shares the 1, and along (1, 1) it is right.
    by_x, by_y = (J.toarray().item() for J in jb.jacobian(np.maximum, argnums=(0, 1))(4.0, 4.0))
    assert (by_x, by_y) == (0.5, 0.5)
    _, along = jb.jvp(np.maximum, (4.0, 4.0), (1.0, 1.0))
    assert along == 1

    _, error = jb.finite_difference(np.maximum)(4.0, 4.0)
    assert np.isinf(error).all(), "there is no derivative at a tie"


def test_a_variable_tied_with_a_constant_gets_nothing():
    assert jb.jacobian(lambda z: np.maximum(0, z))(0.0).toarray() == 0


# (x + y) z ------------------------------------------------------------------------------------------------

CIRCUITS = [PRODUCT_OF_SUM, SIGMOID_NEURON, STAGED]
WIRES = [(circuit, name) for circuit in CIRCUITS for name in circuit.variables()]
PRINTED_VALUES = [
    (PRODUCT_OF_SUM, {"q": 3, "f": -12, "dfdz": 3, "dfdq": -4, "dfdx": -4, "dfdy": -4}),
    # Misprint: one copy gives sigmoid(1.0) = -0.73; it is +0.73, and no sigmoid is negative.
    (SIGMOID_NEURON, {"dot": 1.0, "f": 0.73, "ddot": 0.2, "dw": [-0.2, -0.39, 0.2], "dx": [0.39, -0.59]}),
]


@pytest.mark.parametrize(("circuit", "printed"), PRINTED_VALUES, ids=["(x + y) z", "sigmoid neuron"])
def test_a_fragment_gives_the_printed_values(circuit, printed):
    values = circuit.values()
    for name, value in printed.items():
        assert np.round(values[name], 2).tolist() == value, name


@pytest.mark.parametrize(("circuit", "name"), WIRES, ids=[f"{circuit}, d{name}" for circuit, name in WIRES])
def test_a_hand_written_backward_pass(circuit: Fragment, name):
    values = circuit.values()
    by_hand = values.get(f"d{name}", values.get(f"dfd{name}"))

    def output(value):
        return circuit.output(**{name: value})

    assert agreed(output, (values[name],), by_hand).shape == (1, np.size(values[name]))
    assert jb.gradient(output)(values[name]).shape == np.shape(values[name])


@pytest.mark.parametrize("circuit", CIRCUITS, ids=str)
def test_one_pass_gives_the_gradient_by_all_inputs(circuit: Fragment):
    inputs, values = circuit.values_of_inputs(), circuit.values()

    def output(*given):
        return circuit.output(**dict(zip(inputs, given, strict=True)))

    y, pullback = jb.vjp(output, *inputs.values())
    assert y == values["f"]
    for name, by_input in zip(inputs, pullback(1.0), strict=True):
        np.testing.assert_allclose(by_input, values.get(f"d{name}", values.get(f"dfd{name}")), rtol=1e-14)


def test_the_product_of_a_sum_by_local_gradients_and_the_chain_rule():
    x, y, z = -2.0, 5.0, -4.0
    q = x + y
    by_q, by_z = jb.local.multiply(q, z)
    q_by_x, q_by_y = jb.local.add(x, y)
    # The notes say that df/dq is of no use; no one asks for it, but df/dx and df/dy are made of it.
    wanted = {"q": by_q, "z": by_z, "x": by_q @ q_by_x, "y": jb.chain(by_q, q_by_y)}
    assert {name: J.toarray().item() for name, J in wanted.items()} == {"q": -4, "z": 3, "x": -4, "y": -4}


def test_inputs_that_follow_the_gradient_raise_the_output():
    def f(v):
        return (v[0] + v[1]) * v[2]

    v = np.array([-2.0, 5.0, -4.0])
    moved = v + 0.01 * jb.gradient(f)(v)
    assert moved[0] + moved[1] < v[0] + v[1]  # the sum has a negative gradient: it becomes smaller,
    assert f(moved) > f(v)  # and the product larger


# The sigmoid neuron ---------------------------------------------------------------------------------------

# Gate, its inputs at w = [2, -3, -3], x = [-1, -2], the input that lies on the chain from the output to w_0,
# and the gradient that the figure shows there, to two places.
NEURON_GATES = [
    (jb.local.reciprocal, (1 + np.exp(-1.0),), 0, -0.53),
    (jb.local.add, (np.exp(-1.0), 1.0), 0, -0.53),
    (jb.local.exp, (-1.0,), 0, -0.2),
    (jb.local.multiply, (-1.0, 1.0), 1, 0.2),
    (jb.local.add, (4.0, -3.0), 0, 0.2),
    (jb.local.add, (-2.0, 6.0), 0, 0.2),
    (jb.local.multiply, (2.0, -1.0), 0, -0.2),
]


@pytest.mark.parametrize("count", range(1, len(NEURON_GATES) + 1))
def test_the_neuron_gate_by_gate(count):
    chain = [gate(*inputs)[k] for gate, inputs, k, _ in NEURON_GATES[:count]]
    found = jb.chain(*chain) if count > 1 else chain[0]
    assert np.round(found.toarray().item(), 2) == NEURON_GATES[count - 1][-1]


def test_one_gate_in_place_of_four():
    dot = 1.0
    long = jb.chain(*(gate(*inputs)[k] for gate, inputs, k, _ in NEURON_GATES[:4]))
    short = jb.jacobian(sigmoid)(dot)
    np.testing.assert_allclose(long.toarray(), short.toarray(), rtol=1e-14)
    # Misprint: with the sign of the copy that prints -0.73, the rule would give (1 + 0.73) (-0.73) = -1.26.
    assert round(float(sigmoid(dot)), 2) == 0.73
    assert round((1 - 0.73) * 0.73, 1) == round(short.toarray().item(), 1) == 0.2


def test_the_neuron_on_arrays():
    w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
    s = sigmoid(1.0)
    follow(
        Rule(
            "sigmoid neuron",
            lambda w, x: sigmoid(w[:2] @ x + w[2]),
            (w, x),
            (lambda w, x: (1 - s) * s * np.append(x, 1.0), lambda w, x: (1 - s) * s * w[:2]),
            ("row", "row"),
        )
    )


# In the staged computation x is traced and y is a plain number, so the first line may apply math.exp to it.
@pytest.mark.parametrize(("circuit", "line"), [(SIGMOID_NEURON, 2), (STAGED, 3)], ids=str)
def test_math_exp_is_a_clear_error(circuit: Fragment, line):
    name, value = next(iter(circuit.values_of_inputs().items()))

    def with_math(given):
        return run(circuit.forward, math=math, **(circuit.values_of_inputs() | {name: given}))["f"]

    message = rf"fragment\.py:{line}\b.*np\.sin\(x\) instead of math\.sin\(x\)"
    with pytest.raises(jb.errors.TraceError, match=message):
        jb.jacobian(with_math)(value)


# The staged computation -----------------------------------------------------------------------------------


def staged(x, y):
    return (x + sigmoid(y)) / (sigmoid(x) + (x + y) ** 2)


def test_the_staged_computation_is_the_formula():
    values = STAGED.values()
    assert values["f"] == pytest.approx(staged(3, -4), rel=1e-15)
    for k, name in enumerate(("x", "y")):
        agreed(staged, (3, -4), values[f"d{name}"], k)


def test_gradients_of_several_branches_are_added():
    overwritten = run(STAGED.inputs + STAGED.forward + STAGED.backward.replace("+=", "="))
    by_x, by_y = jb.gradient(staged, argnums=(0, 1))(3, -4)
    assert abs(overwritten["dx"] - by_x) > 0.1
    assert abs(overwritten["dy"] - by_y) > 0.1


def test_the_stages_act_on_arrays_too():
    x, y = np.array([3.0, -1.0, 0.5]), np.array([-4.0, 2.0, 1.5])
    values = run(STAGED.forward + STAGED.backward, x=x, y=y)
    for k, name in enumerate(("x", "y")):
        assert agreed(staged, (x, y), np.diag(values[f"d{name}"]), k).structure == "diagonal"


def test_the_backward_pass_is_a_function_that_can_be_differentiated():
    def by_hand(v):
        values = run(STAGED.forward + STAGED.backward, x=v[0], y=v[1])
        return [values["dx"], values["dy"]]

    v = np.array([3.0, -4.0])
    H = jb.hessian(lambda v: staged(v[0], v[1]))(v)
    agreed(by_hand, (v,), H.toarray())
    np.testing.assert_allclose(H.toarray(), H.T.toarray(), rtol=1e-12)


# Patterns in the backward flow ----------------------------------------------------------------------------


def test_the_figure_with_an_add_a_max_and_a_multiply_gate():
    x, y, z, w = 3.0, -4.0, 2.0, -1.0

    def f(x, y, z, w):
        return (x * y + np.maximum(z, w)) * 2

    assert f(x, y, z, w) == -20
    for k, by_hand in enumerate((-8.0, 6.0, 2.0, 0.0)):
        agreed(f, (x, y, z, w), by_hand, k)

    doubled = jb.local.multiply(-10.0, 2.0)[0]
    by_product, by_maximum = (doubled @ J for J in jb.local.add(x * y, 2.0))
    assert by_product.toarray() == by_maximum.toarray() == 2  # the add gate gives both inputs the same,
    routed = [(by_maximum @ J).toarray().item() for J in jb.local.maximum(z, w)]
    assert routed == [2, 0]  # the max gate gives all to the larger,
    swapped = [(by_product @ J).toarray().item() for J in jb.local.multiply(x, y)]
    assert swapped == [2 * y, 2 * x] == [-8, 6]  # the multiply gate gives each a multiple of the other


@pytest.mark.parametrize("point", [(-2.0, 5.0), (1e6, 0.0), (-3.0, -3.0)])
def test_the_add_gate_ignores_its_inputs(point):
    for J in jb.local.add(*point):
        assert J.structure == "identity"


def test_the_multiply_gate_gives_the_large_gradient_to_the_small_input():
    small, large = 1e-3, 1e3
    by_small, by_large = jb.gradient(np.multiply, argnums=(0, 1))(small, large)
    assert (by_small, by_large) == (large, small)


def test_data_scaled_by_1000_scale_the_gradient_of_the_weights_by_1000():
    rng = np.random.default_rng(0)
    X, w, upstream = rng.normal(size=(7, 4)), rng.normal(size=4), rng.normal(size=7)

    def gradients(X, w):
        _, pullback = jb.vjp(lambda X, w: X @ w, X, w)
        return pullback(upstream)

    (by_X, by_w), (by_scaled_X, scaled_by_w) = gradients(X, w), gradients(1000 * X, w)
    np.testing.assert_allclose(scaled_by_w, 1000 * by_w, rtol=1e-12)
    np.testing.assert_allclose(by_scaled_X, by_X, rtol=1e-12)
    # A learning rate of 1/1000 makes the step of the weights what it was.
    np.testing.assert_allclose(w - 1e-3 * 0.1 * scaled_by_w, w - 0.1 * by_w, rtol=1e-12)


def test_the_loss_of_a_support_vector_machine():
    # The notes name this loss as the f whose gradient by W and b, and for pictures by the data, is wanted.
    rng = np.random.default_rng(1)
    N, n, classes = 6, 4, 3
    X, W, b = rng.normal(size=(N, n)), rng.normal(size=(classes, n)), rng.normal(size=classes)
    labels = rng.integers(classes, size=N)

    def loss(W, b, X):
        scores = X @ W.T + b
        right = scores[np.arange(N), labels]
        return np.sum(np.maximum(0, scores - right[:, np.newaxis] + 1)) / N - 1

    scores = X @ W.T + b
    missed = (scores - scores[np.arange(N), labels][:, None] + 1 > 0).astype(float)
    missed[np.arange(N), labels] = 0
    dscores = missed
    dscores[np.arange(N), labels] = -missed.sum(axis=1)
    dscores /= N
    for k, by_hand in enumerate((dscores.T @ X, dscores.sum(axis=0), dscores @ W)):
        assert agreed(loss, (W, b, X), by_hand.reshape(1, -1), k).structure == "row"
        np.testing.assert_allclose(jb.gradient(loss, k)(W, b, X), by_hand, rtol=1e-12, atol=1e-15)


# Vectorised operations ------------------------------------------------------------------------------------


def test_the_gradient_of_a_matrix_product():
    np.random.seed(0)
    made = run(MATRIX_PRODUCT)
    W, X, D, dD = (made[name] for name in ("W", "X", "D", "dD"))

    y, pullback = jb.vjp(lambda W, X: W.dot(X), W, X)
    assert np.array_equal(y, D)
    for found, name in zip(pullback(dD), ("dW", "dX"), strict=True):
        np.testing.assert_allclose(found, made[name], rtol=1e-12, atol=1e-12, strict=True)

    closed = (lambda W, X: np.kron(np.eye(5), X.T), lambda W, X: np.kron(W, np.eye(3)))
    rule = Rule("W.dot(X)", lambda W, X: W.dot(X), (W, X), closed, ("kronecker", "kronecker"))
    for J, name, shape in zip(follow(rule), ("dW", "dX"), ((5, 10), (10, 3)), strict=True):
        np.testing.assert_allclose((dD.ravel() @ J).reshape(shape), made[name], rtol=1e-12, atol=1e-12)


# The notes say "also for a matrix and a vector, and for two vectors".
# Misprint: the translations say that W and X are numbers in the example above; they are matrices.  The
# formulas hold for numbers too, as matrices of size 1 x 1.
SHAPES = [((5, 10), (10,)), ((10,), (10,)), ((1, 10), (10, 1)), ((1, 1), (1, 1)), ((10,), (10, 3))]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_the_same_formulas_for_vectors_and_numbers(shapes):
    rng = np.random.default_rng(2)
    W, X = (rng.normal(size=shape) for shape in shapes)
    y, pullback = jb.vjp(lambda W, X: W.dot(X), W, X)
    dD = rng.normal(size=np.shape(y))

    # As matrices: a vector on the left is a row, a vector on the right a column.
    rows, columns = np.atleast_2d(W), X if X.ndim == 2 else X[:, None]
    upstream = np.reshape(dD, (rows.shape[0], columns.shape[1]))
    dW, dX = pullback(dD)
    np.testing.assert_allclose(dW, upstream.dot(columns.T).reshape(W.shape), rtol=1e-12, strict=True)
    np.testing.assert_allclose(dX, rows.T.dot(upstream).reshape(X.shape), rtol=1e-12, strict=True)
