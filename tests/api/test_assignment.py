"""Assignment, views and in-place operators inside traced functions mean what they mean in NumPy."""

import time

import numpy as np
import pytest

import jacobi as jb


def central(x):
    out = np.zeros_like(x)
    out[1:-1] = x[2:] - x[:-2]
    return out


def edges(x):
    out = x.copy()
    out[0] = 0
    out[-1] = x[0] * 2
    return out * x


def recursion(x):
    out = np.empty_like(x)
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = 0.5 * out[i - 1] + x[i] ** 2
    return out


def updates(x):
    y = x * 1
    y[2:5] += x[:3] ** 2
    y[::2] *= 2
    y += 1
    return y


def two_dimensions(x):
    u = x.reshape(2, 4)
    r = np.zeros_like(u)
    r[:, 1:] = u[:, 1:] - u[:, :-1]
    r[0] += 1
    r[1] += u[0]
    return r


def through_a_view(x):
    y = x * 1
    v = y[2:6]
    v *= 3
    y[3] = 1
    return y * np.sum(v)


def masks(x):
    y = x * 1
    positive = x > 0
    y[positive] = np.sqrt(x[positive])
    y[~positive] = 0
    return y


def view_of_a_view(x):
    y = x * 1
    t = y.reshape(2, 4).T
    t[0] = x[:2]
    s = np.transpose(t)[1]
    s[1:3] = x[0] ** 2
    return y


def scattered(x):
    y = np.zeros_like(x)
    np.add.at(y, [0, 0, 3], x[:3])
    np.copyto(y[5:], x[5:] ** 2)
    np.put(y, [1, 2], x[1] * x[2])
    return y


def matrices(x):
    A = np.zeros_like(np.outer(x[:3], x[:3]))
    np.fill_diagonal(A, x[:3])
    A[0, 1] = x[4]
    return A @ A


def relaxation(x):
    u = np.zeros_like(x)
    for _ in range(3):
        u[1:-1] = 0.5 * (u[2:] + u[:-2]) + x[1:-1]
    return u


def gauss_seidel(x):
    u = x * 1
    for i in range(1, len(x) - 1):
        u[i] = 0.5 * (u[i - 1] + u[i + 1]) + x[i] ** 2
    return u


def aliases(x):
    a = x + 0
    b = a
    b += x
    return a * b


def scalars_are_no_aliases(x):
    total = x[0]
    first = total
    total += x[1]
    return [first * total, total]


def trajectory(x):
    path = np.zeros_like(np.outer(np.ones(5), x))
    path[0] = x
    for k in range(4):
        path[k + 1] = path[k] + 0.1 * np.sin(path[k])
    return path


def nested_loops(x):
    u = x.reshape(2, 4)
    r = np.zeros_like(u)
    for i in range(2):
        for j in range(1, 3):
            r[i, j] = u[i, j + 1] - u[i, j - 1]
    return r


def the_argument_itself(x):
    x[0] = 3 * x[1]
    x[2:] = x[:-2]
    return x**2


def fancy(x):
    y = np.ones_like(x)
    y[[4, 0, 4]] = x[:3]
    y[np.array([1, 2])] += x[5]
    return y


def swapped_columns(x):
    u = x.reshape(4, 2) * 1
    u[:, 0], u[:, 1] = u[:, 1].copy(), u[:, 0].copy()
    return u


def filled(x):
    y = np.full_like(x, 2.0)
    y.fill(3.0)
    y[1] = x[1]
    return y * x


def rows_of_rows(x):
    u = x.reshape(2, 4)
    y = np.zeros_like(u)
    for i in range(2):
        for j in range(4):
            y[i][j] = u[i, j] ** 2
    return y


def rows_that_were_written(x):
    u = x.reshape(2, 4)
    y = u * 1
    y[0] = u[1]
    r = y[1]
    r *= 2
    y[0][1:] = x[0]
    stale = y[0]
    y[0] = u[1] * u[0]
    for row in y:
        row += 1
    return y * stale[2]


def constants_that_were_written(x):
    y = np.zeros_like(x.reshape(2, 4))
    y[0] = np.ones(4)
    y[0][0] = x[0]
    r = y[0]
    r += x[1]
    return y * x[2]


def views_without_axes(x):
    y = x * 1
    v = y[2, ...]
    v += x[0]
    v *= 2
    z = y[3:4].reshape(())
    z *= x[1]
    w = np.real(y)
    w[4] = 5 * x[0]
    w.astype(float, copy=False)[5] = x[6]
    y.flat[7] = x[3] ** 2
    return y


def parameters_that_change(x):
    total, places = 0, [0, 0]
    for k in range(3):
        places[0] = k
        total = total + np.take(x, places) * (k + 1)
    return total


FUNCTIONS = [
    rows_of_rows, rows_that_were_written, constants_that_were_written, views_without_axes, parameters_that_change,
    central, edges, recursion, updates, two_dimensions, through_a_view, masks, view_of_a_view, scattered, matrices,
    relaxation, gauss_seidel, aliases, scalars_are_no_aliases, trajectory, nested_loops, the_argument_itself, fancy,
    swapped_columns, filled,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_agrees_with_differences(function):
    x = np.array([0.7, -1.2, 1.9, 0.4, -0.6, 1.1, 2.3, -0.9])
    before = x.copy()
    value, J = jb.value_and_jacobian(function)(x)
    numerical, error = jb.finite_difference(function)(x)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(value, function(x.copy()), rtol=1e-15)
    assert (np.abs(J.toarray() - numerical) <= error + 1e-14).all()
    weights = np.arange(1.0, value.size + 1)

    def weighted(x):
        return np.ravel(function(x)) @ weights

    gradient_differences, gradient_error = jb.finite_difference(jb.gradient(weighted))(x)
    assert (np.abs(jb.hessian(weighted)(x).toarray() - gradient_differences) <= gradient_error + 1e-12).all()


def test_structure_is_kept():
    assert jb.jacobian(central)(np.ones(9)).structure == "banded"
    assert jb.jacobian(central)(np.ones(100_000)).nbytes == 0
    assert jb.jacobian(masks)(np.arange(9.0) - 4.5).structure == "diagonal"


def test_loops_over_entries_grow_linearly():
    def second_difference(x):
        out = np.zeros_like(x)
        for i in range(1, len(x) - 1):
            out[i] = x[i - 1] - 2 * x[i] + x[i + 1]
        return out

    begin = time.perf_counter()
    J = jb.jacobian(second_difference)(np.ones(3_000))
    assert time.perf_counter() - begin < 60  # a hang, not a benchmark
    reference = np.zeros((3_000, 3_000))
    i = np.arange(1, 2_999)
    reference[i, i - 1], reference[i, i], reference[i, i + 1] = 1, -2, 1
    np.testing.assert_array_equal(J.toarray(), reference)


def test_plain_arrays_are_refused_with_the_cure():
    def plain(x):
        out = np.zeros(len(x))
        out[0] = x[0]
        return out

    with pytest.raises(jb.errors.TraceError, match="zeros_like"):
        jb.jacobian(plain)(np.ones(3))


def test_an_array_filled_with_a_traced_value_depends_on_it():
    x = np.array([1.0, 2.0, 3.0])
    J = jb.jacobian(lambda x: np.full_like(x, x[0]) * x)(x)
    assert np.array_equal(J.toarray(), [[2, 0, 0], [2, 1, 0], [3, 0, 1]])
    assert jb.gradient(lambda x: np.full_like(x, 2.0) * x)(3.0) == 2
