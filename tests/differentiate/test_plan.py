"""The plan with the lowest price is taken, never a dearer one than reverse or forward, and planning is cheap."""

import itertools
import time

import graphs
import numpy as np
import pytest
import scipy.sparse

import jacobi as jb
from jacobi.differentiate import plan as planning
from jacobi.differentiate.elimination import Elimination, Pricing
from jacobi.differentiate.plan import plan, priced
from jacobi.matrix import Jacobian, chain
from jacobi.matrix.price import MANY_MATRICES, Shadow


def price(edges, vertices):
    """The price of the products of an order."""
    pricing = Pricing()
    Elimination(planning.shadows_of(edges).items(), pricing).run(vertices)
    return pricing.price


def multiplications(sizes, vertices):
    """How many multiplications of numbers an order of elimination of a chain takes."""
    left = dict(enumerate(reversed(sizes)))
    total = 0
    for vertex in vertices:
        below = max(k for k in left if k < vertex)
        above = min(k for k in left if k > vertex)
        total += left[below] * left.pop(vertex) * left[above]
    return total


@pytest.fixture
def asked(monkeypatch):
    """Counts the prices that are asked for."""
    count = [0]
    times = Shadow.times

    def counted(self, right):
        count[0] += 1
        return times(self, right)

    monkeypatch.setattr(Shadow, "times", counted)
    return count


@pytest.mark.parametrize("seed", range(60))
def test_never_dearer_than_reverse_and_forward(seed):
    sample = graphs.graph(np.random.default_rng(seed), inner=10, sizes=(6, 48, 96, 240))
    for planned in (plan(sample.edges, sample.output, sample.inputs), priced(plan(*sample[:3]))):
        chosen, found = planned.choice.order, {order.name: order for order in planned.choice.considered}
        if chosen.price is None:
            continue
        assert chosen.price <= min(found["reverse"].price, found["forward"].price)
        assert all(order.price >= price(sample.edges, order.vertices) for order in found.values())


def test_the_textbook_matrix_chain():
    # Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, section 15.2 (third edition): 15125 multiplications
    sizes = [40 * n for n in (30, 35, 15, 5, 10, 20, 25)]
    choice = plan(*graphs.chain(*sizes)).choice
    found = {order.name: multiplications(sizes, order.vertices) for order in choice.considered}
    assert found["dynamic programming"] == 15125 * 40**3
    assert multiplications(sizes, choice.order.vertices) == 15125 * 40**3


@pytest.mark.parametrize("seed", range(12))
def test_dynamic_programming_finds_the_best_order_of_a_chain(seed):
    rng = np.random.default_rng(seed)
    sizes = [int(n) for n in rng.integers(100, 400, 6)]
    edges, output, inputs = graphs.chain(*sizes)
    found = priced(plan(edges, output, inputs)).choice.considered
    best = next(order for order in found if order.name == "dynamic programming")
    assert best.price == pytest.approx(min(price(edges, order) for order in itertools.permutations([1, 2, 3, 4])))


def test_a_bottleneck_is_multiplied_from_both_sides():
    sizes = (1000, 1000, 100, 1000, 1000)
    choice = plan(*graphs.chain(*sizes)).choice
    found = {order.name: order for order in choice.considered}
    assert choice.order.price == min(found["greedy"].price, found["dynamic programming"].price)
    assert choice.order.vertices[-1] == 2  # the narrow place comes last
    assert multiplications(sizes, choice.order.vertices) == 3 * 10**8
    assert choice.order.price < 0.4 * min(found["reverse"].price, found["forward"].price)


def test_a_graph_that_is_no_chain_can_have_a_bottleneck_too():
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(size=(100, 400)) / 20, rng.normal(size=(400, 100)) / 10
    outer, inner = rng.normal(size=(400, 400)) / 20, rng.normal(size=(400, 400)) / 20

    def f(x):
        h = np.tanh(narrow @ np.tanh(inner @ x))
        return outer @ np.sin(wide @ h) + outer @ (wide @ h**2)

    x = rng.normal(size=400)
    found = jb.explain(f, x)
    best = {order.name: order.price for order in found.orders}
    assert [order.name for order in found.orders if order.chosen] == ["greedy"]
    assert best["greedy"] < 0.8 * min(best["reverse"], best["forward"])
    by_hand = jb.jvp(f, (x,), (np.eye(400)[3],))[1]
    np.testing.assert_allclose(jb.jacobian(f)(x).toarray()[:, 3], by_hand)


def test_sparse_matrices_are_priced_by_their_entries():
    rng = np.random.default_rng(0)
    sparse = [
        Jacobian.from_sparse(scipy.sparse.csr_array(np.where(rng.random((400, 400)) < 0.01, 1.5, 0)))
        for _ in range(3)
    ]
    full = Jacobian.from_dense(rng.normal(size=(400, 400)))
    for factors, best in (([*sparse, full], "forward"), ([full, *sparse], "reverse")):
        edges = {4 - k: [(3 - k, J)] for k, J in enumerate(factors)}
        choice = plan(edges, graphs.step(4, 400), [graphs.step(0, 400)]).choice
        found = {order.name: order.price for order in choice.considered}
        assert min(found, key=found.get) == best
        assert choice.order.price == found[best]


# Planning is cheap ------------------------------------------------------------------------------------------------


def test_what_need_not_be_priced(asked):
    for edges, output, inputs in (
        graphs.chain(1, 500, 500, 500),
        graphs.chain(500, 500, 500, 1),
        graphs.chain(500, 500, 500),
        graphs.chain(5, 10, 10, 5),
        graphs.chain(*[3] * (planning.MANY_STEPS + 10)),
    ):
        planned = plan(edges, output, inputs)
        assert [planned.choice.order] == list(planned.choice.considered)
        assert planned.choice.order.price is None
    assert asked == [0]


def test_a_plan_is_remembered(asked):
    graph = graphs.chain(500, 300, 500, 310, 500)
    first = plan(*graph)
    count = asked[0]
    assert count > 0
    assert plan(*graphs.chain(500, 300, 500, 310, 500)).choice is first.choice
    assert asked[0] == count


def test_no_more_prices_are_asked_for_than_they_are_worth(asked):
    edges, output, inputs = graphs.chain(*[200] * 60)
    choice = plan(edges, output, inputs).choice
    assert asked[0] * planning.PRICING < 3 * choice.order.price
    asked[0] = 0
    shadows = planning.shadows_of(edges)
    assert [order.name for order in planning.considered(shadows, 59, [0], most=5)] == ["reverse", "forward"]
    assert asked[0] < 2 * 59 + 10


def test_planning_takes_a_small_part_of_the_time_of_multiplying():
    sizes = [1000 + 10 * (k % 7) for k in range(40)]
    start = time.perf_counter()
    choice = plan(*graphs.chain(*sizes)).choice
    assert time.perf_counter() - start < 0.2 * 1e-9 * choice.order.price


def test_a_product_of_very_many_matrices():
    rng = np.random.default_rng(0)
    matrices = [Jacobian.from_dense(rng.normal(size=(3, 3)) / 2) for _ in range(MANY_MATRICES + 20)]
    expected = np.linalg.multi_dot([J.toarray() for J in matrices])
    np.testing.assert_allclose(chain(*matrices).toarray(), expected, rtol=1e-9)
    row = Jacobian.from_dense(np.ones((1, 3)))
    column = Jacobian.from_dense(np.ones((3, 1)))
    np.testing.assert_allclose(chain(row, *matrices).toarray(), np.ones((1, 3)) @ expected, rtol=1e-9)
    np.testing.assert_allclose(chain(*matrices, column).toarray(), expected @ np.ones((3, 1)), rtol=1e-9)
