"""What a compiled function promises: about its arguments, the arrays it returns, captured variables and threads."""

import pickle
import threading
from collections import namedtuple

import numpy as np
import pytest
from alike import agrees, same

import jacobi as jb

X = np.array([0.3, -1.2, 2.1, 0.7, -0.4])
Y = np.array([-0.9, 0.2, 0.1, -1.7, 1.3])
A = np.array([[1.0, 2.0, 0.5, 0.0, 1.0], [0.3, -1.0, 0.0, 2.0, 1.0]])
Pair = namedtuple("Pair", "w b")


def affine(p, x):
    return np.sum((p["w"] @ x + p["b"]) ** 2)


ARGUMENTS = {
    "dictionary": (
        jb.gradient(affine), ({"w": A, "b": Y[:2]}, X), ({"w": 2 * A, "b": X[:2]}, Y), ({"w": A[:1], "b": X[:1]}, Y)
    ),
    "tuple": (jb.jacobian(lambda p, x: p[0] @ x + p[1]), ((A, Y[:2]), X), ((-A, X[:2]), Y)),
    "namedtuple": (jb.gradient(lambda p: np.sum(p.w * p.b)), (Pair(X, Y),), (Pair(Y, Y),)),
    "list of numbers": (jb.gradient(lambda x: np.sum(x**2)), ([1.0, 2.0],), ([3, 4],), (np.ones(2),), ([1.0],)),
    "float32": (jb.jacobian(lambda x: np.tanh(x) * x), (X.astype("f4"),), (Y.astype("f4"),), (Y,)),
    "float32 and a number": (
        jb.gradient(lambda w, b: np.mean((w * b) ** 2)), (X.astype("f4"), 0.1), (Y.astype("f4"), 0.3),
        (Y.astype("f4"), np.float64(0.3)), (Y, 0.3), (Y.astype("f4"), 0.2),
    ),
    "whole number": (jb.jacobian(lambda x, n: x**n), (X, 2), (Y, 3), (Y, 4), (X, 2)),
    "whole numbers": (jb.gradient(lambda x, i: np.sum(x[i] ** 2)), (X, np.array([0, 1])), (Y, np.array([2, 1]))),
    "whole number for a float": (jb.gradient(lambda x: x**2), (1.0,), (2,), (np.int64(3),)),
    "differentiated by whole numbers": (jb.gradient(lambda x: x**2), (1,), (2,), (3.0,)),
    "flag": (jb.gradient(lambda x, square: np.sum(x**2 if square else x)), (X, True), (Y, False), (Y, True)),
    "empty": (jb.jacobian(lambda x: x**2), (np.zeros(0),), (np.zeros((0, 3)),)),
    "0-d": (jb.gradient(lambda x: x**2), (np.array(2.0),), (np.array(3.0),), (3.0,), (np.float64(1),)),
    "other strides": (
        jb.jacobian(lambda x: x.reshape(-1) ** 2), (np.arange(12.0).reshape(3, 4)[:, ::2],),
        (np.arange(6.0).reshape(3, 2),), (np.arange(6.0).reshape(2, 3).T,), (np.arange(6.0).reshape(3, 2)[::-1],),
    ),
    "other byte order": (jb.jacobian(lambda x: x**2), (X.astype(">f8"),), (Y,), (Y.astype(">f8"),)),
    "auxiliary output": (jb.gradient(lambda x: (np.sum(x**2), {"a": x * 3}), has_aux=True), (X,), (-X,)),
    "value and auxiliary output": (
        jb.value_and_gradient(lambda x: (np.sum(x**2), [x[0], 1]), has_aux=True), (X,), (-X,)
    ),
    "Jacobian and auxiliary output": (
        jb.value_and_jacobian(lambda x: (x**2, x), format="csr", has_aux=True), (X,), (-X,)
    ),
    "results of all kinds": (lambda x: (x * 2, [x[0], {"a": x}], np.ones(2), 3, None, "text"), (X,), (-X,)),
    "array of numbers": (lambda x: np.array([x[0], x[1] * 2]), (X,), (-X,)),
    "jvp itself": (jb.jvp, (np.sin, (X,), (Y,)), (np.sin, (Y,), (X,)), (np.cos, (Y,), (X,))),
    "vjp": (lambda x, u: jb.vjp(np.tanh, x)[1](u), (X, Y), (Y, X)),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name):
    function, *points = ARGUMENTS[name]
    agrees(function, *points, rounding=1e-6 if "float32" in name else 1e-12)


def test_keywords_are_traced_as_positions_are():
    def f(x, *, scale=1.0, power=2):
        return np.sum(scale * x**power)

    F = jb.compile(jb.gradient(f), X, scale=2.0, power=3)
    for keywords in ({"scale": 3.0, "power": 3}, {"power": 3, "scale": -1.0}, {"scale": X, "power": 2}, {}):
        same(F(Y, **keywords), jb.gradient(f)(Y, **keywords))
    assert F.recordings[1:] == ["power is 2, recorded for 3", "1 arguments, recorded for 3"]


def test_arguments_are_never_changed_nor_returned():
    def f(x, y):
        z = x.copy()
        z *= 2
        x[0] = 1.0
        return z, x, x[1:], y.T, y.reshape(-1), y * 1, np.positive(y), z[:2]

    for n in (5, 5000):
        x, y = np.linspace(0, 1, n), np.ones((2, 3))
        for array in (x, y):
            array.flags.writeable = False
        F = jb.compile(f, x, y)
        first, second = F(x, y), F(x, y)
        arrays = [*first, *second]
        for k, one in enumerate(arrays):
            assert one.flags.writeable
            for other in (x, y, *arrays[:k]):
                assert not np.may_share_memory(one, other)
            one[...] = np.nan
        same(F(x, y), f(np.array(x), y))


def test_results_do_not_share_the_memory_of_constants_or_of_each_other():
    B = np.arange(25.0).reshape(5, 5)
    F = jb.compile(jb.value_and_gradient(lambda x: np.sum(B @ x)), X)
    expected = F(X)[1].copy()
    F(X)[1][...] = 0
    same(F(X)[1], expected)
    G = jb.compile(jb.value_and_jacobian(np.exp), X)  # the derivative of exp is its value
    y, J = G(X)
    y[...] = 0
    same(J.diagonal(), np.exp(X))
    H = jb.compile(jb.jacobian(lambda x: B @ x), X)
    with pytest.raises(ValueError, match="read-only"):
        H(X).terms[0].factors[0][0, 0] = 7
    dense = H(X).toarray()
    dense[...] = 0
    same(H(X).toarray(), B)
    csr = jb.compile(jb.jacobian(lambda x: B @ x, format="csr"), X)
    csr(X).data[...] = 0
    same(csr(X).toarray(), B)


def test_captured_variables_are_part_of_the_recording():
    c = np.array([1.0, 2.0])
    F = jb.compile(jb.gradient(lambda x: np.sum(c * x)), np.ones(2))
    c[0] = 7.0
    same(F(np.ones(2)), np.array([1.0, 2.0]))


def test_what_differs_is_named_where_it_cannot_be_recorded():
    F = jb.compile(jb.gradient(lambda x, y: np.sum(x * y)), X, Y)
    with pytest.raises(TypeError):
        F(X)
    with pytest.raises((TypeError, ValueError)):
        F("text", Y)
    with pytest.raises(jb.errors.InputError, match="MaskedArray"):
        F(np.ma.array(X), Y)
    with pytest.raises(jb.errors.InputError, match="not a function"):
        jb.compile(3.0, X)
    with pytest.raises(jb.errors.InputError, match="cannot be compiled"):
        jb.compile(lambda x: {1, 2}, X)
    same(F(X, Y), Y)


def test_a_compiled_function_inside_a_trace_is_traced():
    F = jb.compile(lambda x: np.sin(x) * x, X)
    same(jb.jacobian(F)(Y), jb.jacobian(F.function)(Y))
    G = jb.compile(jb.jacobian(F), X)
    same(G(Y), jb.jacobian(F.function)(Y))
    same(jb.compile(jb.compile(F.function, X), X)(Y), F(Y))


def test_code_that_needs_a_plain_array_holds_it_fixed():
    def f(x, y):
        table = np.zeros(5)
        table[:] = y
        return x * table

    F = agrees(jb.jacobian(f), (X, Y), (Y, X), (X, X), (Y, X))
    assert len(F.recordings) == 2


def test_threads():
    def f(x):
        return np.tanh(x) * x if x[0] > 0 else np.exp(x)

    F = jb.compile(jb.value_and_jacobian(f), X)
    rng = np.random.default_rng(0)
    points = [rng.normal(size=rng.choice([5, 40_000])) for _ in range(40)]
    wrong = []

    def work(own):
        for x in own:
            y, J = F(x)
            expected = np.exp(x) if x[0] <= 0 else np.tanh(x) + x / np.cosh(x) ** 2
            if not (np.allclose(y, f(x)) and np.allclose(J.diagonal(), expected)):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(points[k:] + points[:k],)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(F.recordings) <= 4


def test_pickling_is_refused_clearly():
    with pytest.raises(TypeError, match="compile it where it is needed"):
        pickle.dumps(jb.compile(np.sin, X))


def test_large_arrays_in_blocks_and_threads():
    def f(x, y):
        return np.tanh(x) * y + np.exp(-(x**2)) * np.where(x > y, x, 1.0)

    rng = np.random.default_rng(0)
    for shape in ((2**15 + 3,), (300, 200), (2**18 + 5,)):
        points = [(rng.normal(size=shape), rng.normal(size=shape)) for _ in range(2)]
        F = agrees(f, *points, (points[0][0][::-1], points[1][1]), recordings=1)
        assert "block(" in F.source
        J, K = jb.compile(jb.jacobian(f, (0, 1)), *points[0])(*points[1])
        for found, expected in zip((J, K), jb.jacobian(f, (0, 1))(*points[1]), strict=True):
            np.testing.assert_allclose(found.diagonal(), expected.diagonal(), 1e-12, 1e-14)


@pytest.mark.parametrize("shape", [(200,), (300, 1), (1, 1), (1,), ()])
def test_constants_of_other_shapes_in_large_programs(shape):
    rng = np.random.default_rng(0)
    constant = rng.normal(size=shape)
    points = [(rng.normal(size=(300, 200)),) for _ in range(2)]

    def f(X):
        return np.sin(X * X + constant) * X

    agrees(f, *points, recordings=1)
    agrees(jb.gradient(lambda X: np.sum(f(X))), *points, recordings=1)


def test_scattered_summands_are_added_in_place_where_nobody_else_needs_the_array():
    def blocks(z):
        return jb.jacobian(lambda z: np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True))(z).blocks()

    def twice(z):  # the array is needed again, and a constant, and an argument
        total, parts = np.outer(z, z).ravel(), jb.jacobian(np.sin)(z).toarray().ravel()
        return parts + total, total * 2, parts + np.ones(z.size**2)

    rng = np.random.default_rng(0)
    for size in ((3, 4), (50, 10)):
        agrees(blocks, (rng.normal(size=size),), (rng.normal(size=size),), recordings=1)
    for size in (3, 60):
        agrees(twice, (rng.normal(size=size),), (rng.normal(size=size),), recordings=1)
    assert "plus_scattered" in jb.compile(blocks, np.ones((50, 10))).source


def test_constants_are_told_apart():
    large = np.arange(10_000)
    first, second = large.copy(), large.copy()
    second[5000] = 0
    x = np.linspace(0, 1, 10_000)
    agrees(lambda x: (x[first] + x[second], x * 0.0, x * -0.0, x * 1, x * first, x * second), (x,), (1 - x,))


def test_source_is_readable():
    def cost(w, b, X, y):
        return np.mean((y - np.maximum(0, X @ w + b)) ** 2)

    F = jb.compile(jb.gradient(cost), X, 0.1, np.ones((3, 5)), np.ones(3))
    assert F.source.startswith("def gradient_of_cost(w, b, X, y):\n    t1 = X @ w  # test_contract.py:")
    assert F.source.count("@") == 2  # the product with w is shared
    assert len(F.source.splitlines()) <= 12
    assert jb.compile(jb.jacobian(lambda np, t1, max: np * t1 * max), X, X, X)(Y, X, X).shape == (5, 5)


def test_a_loop_over_many_entries():
    def f(x):
        out = np.zeros_like(x)
        for i in range(1, len(x)):
            out[i] = x[i] * x[i - 1]
        return out

    rng = np.random.default_rng(0)
    agrees(jb.jacobian(f, format="csr"), (rng.normal(size=500),), (rng.normal(size=500),), recordings=1)


def test_memory():
    import tracemalloc

    n = 2_000_000
    x = np.linspace(-1, 1, n)
    F = jb.compile(jb.jacobian(lambda x: np.tanh(x) * x + np.exp(-(x**2))), x)
    F(x)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    J = F(x)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 1.3 * J.nbytes


def test_zeros_of_masks_are_left_out_of_products():
    def f(x, V, W):
        return W @ np.maximum(V @ x, 0)

    rng = np.random.default_rng(0)
    points = [(rng.normal(size=100), rng.normal(size=(100, 100)), rng.normal(size=(100, 100))) for _ in range(3)]
    points.append((np.ones(100), np.abs(points[0][1]), points[0][2]))  # all active
    points.append((np.ones(100), -np.abs(points[0][1]), points[0][2]))  # none
    F = agrees(jb.jacobian(f, format="array"), *points, recordings=1)
    assert "weighted_product(" in F.source


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "array"])
def test_patterns_are_filled(format):
    def stencil(u):
        return -u[1:-1] * (u[2:] - u[:-2]) + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])

    def twice(x):
        return np.concatenate([x[::2] ** 2, x[:3] + 1, np.sum(x)[None] * x[0]])

    rng = np.random.default_rng(0)
    for function in (stencil, twice):
        for n in (7, 100, 40_000) if format != "array" else (7, 100):
            points = [rng.normal(size=n) for _ in range(2)]
            F = jb.compile(jb.jacobian(function, format=format), points[0])
            for x in points:
                found, expected = F(x), jb.jacobian(function, format=format)(x)
                assert type(found) is type(expected)
                assert abs(found - expected).max() < 1e-12


def test_a_compiled_stencil_writes_into_the_data_of_the_matrix():
    u = np.linspace(0, 1, 50_000)
    F = jb.compile(jb.jacobian(lambda u: u[1:] * np.exp(u[:-1]) * np.tanh(u[1:]), format="csr"), u)
    assert "[1 + 2 * i:" in F.source
    assert F(u).indices is F(2 * u).indices
    with pytest.raises(ValueError, match="read-only"):
        F(u).indices[0] = 3
