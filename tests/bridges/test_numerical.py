"""`jacobi`, the call of the distribution of that name: its shapes and options, with bounds that hold."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobi.bridges import jacobi
from jacobi.errors import InputError, ShapeError


def running_squares(x):
    return np.cumsum(x**2)


def test_shapes_are_those_of_the_output_and_the_input():
    for y_shape in [(), (2,), (2, 3)]:
        for x_shape in [(), (3,), (2, 2), (0,)]:
            weights = np.arange(1.0, 1 + np.prod(y_shape + x_shape)).reshape(y_shape + x_shape)

            def f(x, weights=weights):
                return np.tensordot(weights, x, x.ndim)

            value, error = jacobi(f, np.ones(x_shape))
            assert value.shape == error.shape == y_shape + x_shape
            assert np.all(np.abs(value - weights) <= error)


def test_lists_and_whole_numbers_are_taken():
    value, _ = jacobi(lambda x: [x[0] * x[1], x[0]], [2, 3])
    np.testing.assert_allclose(value, [[3, 2], [1, 0]], atol=1e-9)
    value, _ = jacobi(lambda x, a, b: a * x**b, 2, 3.0, 2)
    assert value.shape == () and value == pytest.approx(12)


@pytest.mark.parametrize(
    "f, derivative, x",
    [
        (np.exp, np.exp, [-3.0, 0.0, 1e-9, 20.0]),
        (np.sin, np.cos, [1e-8, 0.3, 5.0, 1e4, 1e8, 0.0]),
        (np.log, lambda x: 1 / x, [1e-12, 1e-5, 2.0, 1e9]),
        (lambda x: x**3, lambda x: 3 * x**2, [1e-6, 1.0, 1e6]),
        (lambda x: 1e8 + np.sqrt(x), lambda x: 0.5 / np.sqrt(x), [0.5, 2.0]),
    ],
    ids=["exp", "sin", "log", "cube", "cancellation"],
)
def test_the_diagonal_lies_within_its_bounds_at_mixed_scales(f, derivative, x):
    x = np.array(x)
    value, error = jacobi(f, x, diagonal=True)
    assert np.all(np.abs(value - derivative(x)) <= error)
    sure = derivative(x) > 1e-6
    assert np.all(error[sure] <= 0.1 * np.abs(derivative(x))[sure])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6))
def test_the_diagonal_is_that_of_the_full_matrix(x):
    def f(x):
        return np.tanh(x) + x**2

    narrow, narrow_error = jacobi(f, x, diagonal=True)
    full, full_error = jacobi(f, x)
    assert np.all(np.abs(narrow - np.diagonal(full)) <= narrow_error + np.diagonal(full_error))


def test_many_entries_cost_few_calls():
    x = np.linspace(-3, 3, 100_000)
    diagnostic = {}
    value, error = jacobi(np.tanh, x, diagonal=True, diagnostic=diagnostic)
    assert np.all(np.abs(value - (1 - np.tanh(x) ** 2)) <= error) and error.max() < 1e-8
    assert diagnostic["call"] < 200


def test_a_diagonal_is_verified():
    x = np.array([1.0, 2.0, 3.0])
    for mixing in (lambda x: x * x.sum(), lambda x: x[::-1], lambda x: x + 1e-3 * np.roll(x, 1)):
        with pytest.raises(InputError, match="more than its own entry"):
            jacobi(mixing, x, diagonal=True)
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        jacobi(np.diff, x, diagonal=True)


def test_sides():
    def guarded(x):
        assert np.all(x >= [1.0, 2.0])
        return np.abs(x - 1) + x**2

    for diagonal in (False, True):
        value, error = jacobi(guarded, [1.0, 2.0], method=1, diagonal=diagonal)
        slopes = value if diagonal else np.diagonal(value)
        bounds = error if diagonal else np.diagonal(error)
        assert np.all(np.abs(slopes - [3.0, 5.0]) <= bounds) and np.all(bounds < 1e-6)
    assert jacobi(np.abs, 0.0, method=-1)[0] == -1.0
    assert jacobi(np.abs, 0.0)[1] == np.inf
    assert jacobi(np.sqrt, 4.0, method=0)[0] == pytest.approx(0.25)


def test_masks():
    x, mask = np.arange(1.0, 5.0), np.array([True, False, True, False])
    full, _ = jacobi(running_squares, x)
    value, error = jacobi(running_squares, x, mask=mask)
    np.testing.assert_allclose(value, np.where(mask, full, 0.0), atol=1e-9)
    assert not error[:, ~mask].any()
    narrow, _ = jacobi(np.sin, x, mask=mask, diagonal=True)
    np.testing.assert_allclose(narrow, np.where(mask, np.cos(x), 0.0), atol=1e-9)
    nothing, _ = jacobi(running_squares, x, mask=np.zeros(4, dtype=bool))
    assert nothing.shape == (4, 4) and not nothing.any()


def test_options_of_the_other_distribution_are_looked_at():
    value, _ = jacobi(np.sin, 0.3, rtol=1e-3, maxiter=3, maxgrad=1, step=(0.25, 0.5))
    assert value == pytest.approx(np.cos(0.3))
    for wrong in ({"method": 2}, {"maxiter": 0}, {"maxgrad": -1}, {"step": (1.0, 0.5)}, {"mask": [1.0]}):
        with pytest.raises(ValueError):
            jacobi(np.sin, [0.3], **wrong)
    with pytest.raises(InputError, match="complex"):
        jacobi(lambda x: x * 1j, [0.3])


PROCESSES = partial(ProcessPoolExecutor, mp_context=get_context("spawn"))  # a fork would copy the threads of a BLAS


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, PROCESSES], ids=["threads", "processes"])
def test_workers_and_progress(pool):
    x = np.arange(50.0)
    seen = []
    with pool(2) as executor:
        value, error = jacobi(
            running_squares, x, workers=executor.map, progress=lambda done, of: seen.append((done, of))
        )
    assert np.all(np.abs(value - np.tril(np.broadcast_to(2 * x, (50, 50)))) <= error)
    assert seen[-1] == (50, 50) and seen == sorted(seen) and len(seen) > 5
