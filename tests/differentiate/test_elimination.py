"""Every order of elimination gives the same Jacobian, and holds nothing longer than it needs."""

import tracemalloc
import weakref

import graphs
import numpy as np
import pytest

import jacobi as jb
from jacobi.differentiate.elimination import eliminated
from jacobi.differentiate.plan import Choice, Order, carry_out, plan, priced
from jacobi.matrix import Jacobian


def jacobians(sample, order):
    """The full Jacobians of a graph, multiplied in an order."""
    planned = plan(dict(sample.edges), sample.output, sample.inputs)._replace(choice=Choice(order, "", ()))
    shape = sample.output.value.shape
    return [
        Jacobian(terms, shape, x.value.shape).toarray()
        for x, terms in zip(sample.inputs, carry_out(planned), strict=True)
    ]


@pytest.mark.parametrize("seed", range(150))
def test_every_order_gives_the_same(seed):
    rng = np.random.default_rng(seed)
    sample = graphs.graph(rng)
    inner = [vertex for vertex in sample.edges if vertex != sample.output.number]
    orders = [*priced(plan(dict(sample.edges), sample.output, sample.inputs)).choice.considered]
    orders += [Order("random", tuple(rng.permutation(inner).tolist())) for _ in range(3)]
    for order in orders:
        assert sorted(order.vertices) == sorted(inner) or order.name == "dynamic programming"
        for found, expected in zip(jacobians(sample, order), sample.expected, strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=order.name)


def test_the_jacobian_by_the_output_itself_is_the_identity():
    x = graphs.step(0, 3)
    ((term,),) = carry_out(plan({}, x, [x]))
    np.testing.assert_array_equal(Jacobian([term], (3,), (3,)).toarray(), np.eye(3))


def test_an_input_that_does_not_matter_has_no_terms():
    edges = {2: [(0, Jacobian.identity(3))]}
    assert carry_out(plan(edges, graphs.step(2, 3), [graphs.step(0, 3), graphs.step(1, 2)]))[1] == []


def test_local_jacobians_are_used_up():
    sample = graphs.graph(np.random.default_rng(5))
    alive = [
        weakref.ref(factor)
        for found in sample.edges.values()
        for _, J in found
        for t in J.terms
        for factor in t.factors
    ]
    edges = dict(sample.edges)
    sample.edges.clear()
    assert alive
    carry_out(plan(edges, sample.output, sample.inputs))
    assert edges == {} and not any(factor() is not None for factor in alive)


def test_memory_of_a_long_chain():
    size, count = 100_000, 60
    for reverse in (True, False):
        edges = {k: [(k - 1, Jacobian.from_diagonal(np.ones(size)))] for k in range(count, 0, -1)}
        order = list(edges)[1:]
        tracemalloc.start()
        eliminated(edges, order if reverse else order[::-1], (np.ones(1),))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 * 8 * size


@pytest.mark.parametrize("reverse", [True, False])
def test_no_recursion_limit(reverse):
    count = 20_000
    edges = {k: [(k - 1, Jacobian.from_diagonal(np.full(2, 1.0)))] for k in range(count, 0, -1)}
    order = list(edges)[1:]
    graph = eliminated(edges, order if reverse else order[::-1], (np.ones(2),))
    (term,) = graph.result(count, 0)
    np.testing.assert_array_equal(term.factors[0], [1.0, 1.0])


def test_sums_over_very_many_paths_become_short():
    def repeated(x):
        return sum(np.roll(x, k) * (k + 1) for k in range(60))

    x = np.linspace(0.0, 1.0, 60)
    J = jb.jacobian(repeated)(x)
    expected = sum(np.roll(np.eye(60), k, axis=0) * (k + 1) for k in range(60))
    np.testing.assert_allclose(J.toarray(), expected)
    assert len(J.terms) == 1


def test_a_loop_over_entries():
    def loop(x):
        out = np.zeros_like(x)
        out[0] = x[0]
        for i in range(1, len(x)):
            out[i] = 0.5 * x[i] + x[i - 1] ** 2 * x[0]
        return out

    x = np.linspace(0.5, 1.0, 30)
    J = jb.jacobian(loop)(x)
    expected = 0.5 * np.eye(30) + np.diag(2 * x[:-1] * x[0], -1)
    expected[1:, 0] += x[:-1] ** 2
    expected[0, 0] = 1
    np.testing.assert_allclose(J.toarray(), expected)


def test_directions_and_covectors():
    def f(x, w):
        for _ in range(3):
            x = np.tanh(w @ x) * x + x[::-1]
        return x

    rng = np.random.default_rng(1)
    x, w, v, u = rng.normal(size=4), rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    by_x, by_w = jb.jacobian(f, argnums=(0, 1))(x, w)
    np.testing.assert_allclose(jb.jvp(f, (x, w), (v, w))[1], by_x @ v + by_w @ w.ravel())
    pull = jb.vjp(f, x, w)[1]
    for covector in (u, 2 * u):  # the graph can be pulled back again
        np.testing.assert_allclose(pull(covector)[0], covector @ by_x)
        np.testing.assert_allclose(pull(covector)[1].ravel(), covector @ by_w)
