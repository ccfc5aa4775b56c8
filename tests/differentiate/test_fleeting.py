"""Values that no derivative looks at are let go during a trace, and nothing else changes by that."""

import tracemalloc

import numpy as np
import pytest
from compositions import Composition

import jacobi as jb
from jacobi.differentiate import jacobians, trace
from jacobi.expressions import graph, step


@pytest.fixture
def everything_large(monkeypatch):
    """Arrays of two numbers count as large, so that every value that may go does."""
    monkeypatch.setattr(graph, "LARGE", 9)


@pytest.mark.parametrize("first", range(0, 200, 25))
def test_random_functions_have_the_same_jacobians(first, everything_large):
    for seed in range(first, first + 25):
        c = Composition(seed)
        positions = list(range(len(c.arguments)))
        expected = jacobians(trace(c.f, c.arguments, {}, positions), positions)
        found = jb.jacobian(c.f, tuple(positions))(*c.arguments)
        for J, reference in zip(found, expected, strict=True):
            np.testing.assert_array_equal(J.toarray(), reference.toarray(), c.source)
            assert [str(kink) for kink in J.kinks] == [str(kink) for kink in reference.kinks]


def chains(x, y):
    total = (x + y)[::-1] - 2.0
    kept = total
    total += x[0]
    swapped = np.concatenate([total[3:], kept[:3]])
    return np.tanh(swapped) * x + np.where(x > 1, swapped, -y) / (1 + total**2)


@pytest.mark.parametrize("transform", ["jacobian", "gradient", "hessian", "vjp", "jvp", "has_aux"])
def test_every_transform_gives_the_same(transform, monkeypatch):
    x, y = np.linspace(0.5, 1.5, 7), np.linspace(-1.0, 1.0, 7)

    def scalar(x, y):
        return np.sum(chains(x, y) ** 2)

    def run():
        return {
            "jacobian": lambda: [J.toarray() for J in jb.jacobian(chains, (0, 1))(x, y)],
            "gradient": lambda: list(jb.gradient(scalar, (0, 1))(x, y)),
            "hessian": lambda: [jb.hessian(scalar)(x, y).toarray()],
            "vjp": lambda: [*jb.vjp(chains, x, y)[1](x), *jb.vjp(chains, x, y)[1](y)],
            "jvp": lambda: list(jb.jvp(chains, (x, y), (y, x))),
            "has_aux": lambda: list(jb.gradient(lambda x: (scalar(x, y), x + y), has_aux=True)(x)),
        }[transform]()

    expected = run()
    monkeypatch.setattr(graph, "LARGE", 9)
    for found, reference in zip(run(), expected, strict=True):
        np.testing.assert_array_equal(found, reference)


def test_nothing_is_calculated_twice(everything_large, monkeypatch):
    monkeypatch.setattr(step, "evaluated", lambda its: pytest.fail(f"{its.operation.name} is calculated again"))
    x = np.linspace(0.5, 1.5, 7)
    jb.jacobian(chains, (0, 1))(x, -x)
    jb.vjp(chains, x, -x)[1](x)


def test_a_value_that_is_asked_for_after_all_is_calculated_again(everything_large):
    def f(x):
        return np.sum(x + 1) * 1.0

    traced = trace(f, (np.arange(3.0),), {}, [0], frugal=True)
    fleeting = [its for its in traced.graph.steps if type(its) is step.Fleeting]
    assert fleeting
    assert all(its.seen() is None or its.kept is not None for its in fleeting)
    np.testing.assert_array_equal(fleeting[0].value, [1.0, 2.0, 3.0])


def test_a_long_chain_of_values_that_are_gone_is_calculated_again(everything_large):
    def f(x):
        for _ in range(5000):
            x = x + 1
        return np.sum(x[:1])

    traced = trace(f, (np.arange(3.0),), {}, [0], frugal=True)
    last = [its for its in traced.graph.steps if its.value.shape == (3,)][-1]
    np.testing.assert_array_equal(last.value, [5000.0, 5001.0, 5002.0])


def test_a_long_sum_takes_the_memory_of_a_few_arrays():
    def f(x):
        y = x
        for k in range(40):
            y = y + k * x
        return y

    x = np.ones(200_000)
    jb.jacobian(f)(x)
    tracemalloc.start()
    try:
        jb.jacobian(f)(x)
        assert tracemalloc.get_traced_memory()[1] < 6 * x.nbytes
    finally:
        tracemalloc.stop()


def test_assignments_in_a_loop_are_calculated_once(everything_large, monkeypatch):
    monkeypatch.setattr(step, "evaluated", lambda its: pytest.fail(f"{its.operation.name} is calculated again"))

    def f(u):
        for _ in range(20):
            out = np.zeros_like(u)
            out[1:-1] = ((u[2:] + u[:-2]) / 2 + u[1:-1])[:]
            u = out + u
        return u

    x = np.linspace(0.0, 1.0, 12)
    jb.jvp(f, (x,), (x,))
    jb.jacobian(f)(x)


def test_many_values_that_are_gone_are_calculated_once_each(everything_large, monkeypatch):
    def f(x):
        for _ in range(40):
            x = x + x[::-1]
        return np.sum(x[:1])

    traced = trace(f, (np.arange(3.0),), {}, [0], frugal=True)
    last = [its for its in traced.graph.steps if type(its) is step.Fleeting and its.shape == (3,)][-1]
    np.testing.assert_allclose(last.value, np.full(3, 2.0**40), rtol=1e-12)


def test_a_rule_of_a_user_is_given_all_values(everything_large):
    power = np.frompyfunc(lambda x, k: x**k, 2, 1)
    jb.rules.elementwise(power, lambda y, x, k: np.ones_like(x) if np.all(np.equal(k, 1)) else k * x ** (k - 1.0), None)
    try:
        x = np.linspace(1.0, 2.0, 5)
        J = jb.jacobian(lambda x: power(x + 1.0, np.full(5, 3.0)))(x)
        np.testing.assert_allclose(J.diagonal(), 3 * (x + 1) ** 2)
    finally:
        del jb.rules.REGISTRY[power]
