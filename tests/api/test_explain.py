"""``explain`` names every operation with its line, the structure of its local Jacobians and the distance to kinks."""

from itertools import pairwise

import numpy as np

import jacobi as jb

X = np.array([[1.0, 2.0], [3.0, -1.0], [-1.0, -1.0]])


def neuron(w, b):
    z = X @ w + b
    a = np.maximum(0, z)
    return np.mean(a**2)


def test_every_operation_is_listed_with_its_line():
    found = jb.explain(neuron, np.array([1.0, 0.5]), 0.25, argnums=(0, 1)).operations
    names = [operation.name for operation in found]
    assert names == ["numpy.matmul", "numpy.add", "numpy.maximum", "numpy.square", "numpy.mean"]
    lines = [int(operation.line.removeprefix("test_explain.py:")) for operation in found]
    assert np.diff([neuron.__code__.co_firstlineno, *lines]).tolist() == [1, 0, 1, 1, 0]


def test_the_local_jacobians_are_listed_with_their_structure():
    found = jb.explain(neuron, np.array([1.0, 0.5]), 0.25, argnums=(0, 1)).operations
    assert [(f.operand, f.shape, f.structure) for f in found[1].factors] == [
        ("t1", (3, 3), "identity"),
        ("x1", (3, 1), "column"),
    ]
    assert found[0].factors[0].nnz == X.size
    assert "x0: dense (3, 2)" in str(jb.explain(neuron, np.array([1.0, 0.5]), 0.25))


def test_the_distance_to_the_nearest_kink():
    w, b = np.array([1.0, 0.5]), 0.25
    relu = jb.explain(neuron, w, b).operations[2]
    assert relu.distance == np.abs(X @ w + b).min()
    at_kink = jb.explain(np.abs, np.array([1.0, 0.0])).operations[0]
    assert at_kink.distance == 0
    assert jb.explain(np.exp, 1.0).operations[0].distance == np.inf


def test_a_constant_function_has_no_operations():
    assert jb.explain(lambda x: 1.0, 2.0).operations == ()


def bottleneck():
    """A network that squeezes 200 numbers into 40, and a point."""
    rng = np.random.default_rng(0)
    sizes = [200, 200, 40, 200, 200]
    weights = [rng.normal(size=(m, n)) / n**0.5 for n, m in pairwise(sizes)]

    def network(x):
        for W in weights[:-1]:
            x = np.tanh(W @ x)
        return weights[-1] @ x

    return network, rng.normal(size=200)


def test_the_orders_are_compared_by_price():
    found = jb.explain(*bottleneck())
    assert [order.name for order in found.orders] == ["reverse", "forward", "greedy", "dynamic programming"]
    (chosen,) = [order for order in found.orders if order.chosen]
    assert chosen.price == min(order.price for order in found.orders)
    assert all(sorted(order.eliminated) == [f"t{k}" for k in range(1, 7)] for order in found.orders)
    assert found.orders[0].eliminated == ("t6", "t5", "t4", "t3", "t2", "t1")
    assert found.reason == "the lowest price"
    assert all(order.time is None for order in found.orders)


def test_the_orders_are_measured_when_asked():
    f, x = bottleneck()
    found = jb.explain(f, x, measure=True)
    assert all(0 < order.time < 10 for order in found.orders)
    assert found.products == jb.explain(f, x).products


def test_the_products_of_the_chosen_order_are_listed_with_their_structure():
    found = jb.explain(lambda x: np.cumsum(np.tanh(x) * x), np.linspace(0, 1, 5))
    assert [(p.result, p.through, p.operand, p.structure, p.shape) for p in found.products] == [
        ("t3", "t2", "t1", "dense", (5, 5)),
        ("t3", "t2", "x0", "dense", (5, 5)),
        ("t3", "t1", "x0", "dense", (5, 5)),
    ]
    elementwise = jb.explain(lambda x: np.sin(np.tanh(np.exp(x))), np.linspace(0, 1, 5)).products
    assert {(p.structure, p.nnz) for p in elementwise} == {("diagonal", 5)}


def test_the_table_can_be_read():
    text = str(jb.explain(*bottleneck(), measure=True))
    operations, orders, products = text.split("\n\n")
    assert operations.splitlines()[1].split()[:2] == ["t1", "numpy.matmul"]
    assert [line.split("  ")[0] for line in orders.splitlines()[:5]] == [
        "order", "reverse", "forward", "greedy *" if "greedy *" in orders else "greedy",
        "dynamic programming *" if "dynamic programming *" in orders else "dynamic programming",
    ]  # fmt: skip
    assert orders.splitlines()[-1] == "* chosen: the lowest price"
    assert products.splitlines()[-1].startswith("t7 by x0") and "dense (200, 200)" in products
    assert max(map(len, text.splitlines())) <= 120


def test_what_is_taken_at_once_says_why():
    x = np.linspace(0.0, 1.0, 4)
    for f, point, name, reason in (
        (neuron, np.array([1.0, 0.5]), "reverse", "the output is a scalar"),
        (lambda t: np.tanh(t * x) + x * t, 2.0, "forward", "the input is a scalar"),
        (np.tanh, x, "reverse", "there is no other order"),
    ):
        found = jb.explain(f, point, *([0.25] if f is neuron else []))
        assert found.reason == reason
        assert [order.name for order in found.orders if order.chosen] == [name]


def test_a_long_loop_is_listed_without_prices():
    def loop(x):
        for _ in range(600):
            x = np.tanh(x) + x
        return x

    found = jb.explain(loop, np.linspace(0, 1, 3))
    assert len(found.operations) == 1200
    ((name, eliminated, price, chosen, _),) = found.orders
    assert (name, len(eliminated), price, chosen) == ("reverse", 1199, None, True)
    assert "too many operations" in found.reason and found.reason in str(found)
