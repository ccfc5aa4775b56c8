"""An elementwise function and stencils, with their sparse derivatives by hand."""

import copy

import numpy as np
from scipy.sparse import coo_array


def wave(xp, x):
    return xp.tanh(x) * x + xp.exp(-(x**2))


def wave_by_hand(x):
    t = np.tanh(x)
    return t + x * (1 - t * t) - 2 * x * np.exp(-(x**2))


def broyden(xp, x):
    """Moré, Garbow and Hillstrom, problem 30."""
    left = xp.concatenate([x[:1] * 0, x[:-1]])
    right = xp.concatenate([x[1:], x[:1] * 0])
    return (3 - 2 * x) * x - left - 2 * right + 1


def pattern_of(rows, columns, shape):
    """A csr array of some pattern, and where each entry stands in its data."""
    where = np.argsort(rows * shape[1] + columns, kind="stable")
    template = coo_array((np.zeros(rows.size), (rows, columns)), shape=shape).tocsr()
    place = np.empty(rows.size, np.intp)
    place[where] = np.arange(rows.size)
    return template, place


def with_data(template, data):
    result = copy.copy(template)
    result.data = data
    return result


def broyden_by_hand(n):
    k = np.arange(n)
    rows, columns = np.concatenate([k, k[1:], k[:-1]]), np.concatenate([k, k[:-1], k[1:]])
    template, place = pattern_of(rows, columns, (n, n))
    start = np.empty(rows.size)
    start[place[n : 2 * n - 1]], start[place[2 * n - 1 :]] = -1, -2
    main = place[:n]

    def derivative(x):
        data = start.copy()
        data[main] = 3 - 4 * x
        return with_data(template, data)

    return derivative


def burgers(xp, u):
    return -u[1:-1] * (u[2:] - u[:-2]) / 0.2 + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])


def burgers_by_hand(n):
    k = np.arange(n - 2)
    rows, columns = np.concatenate([k, k, k]), np.concatenate([k, k + 1, k + 2])
    template, _ = pattern_of(rows, columns, (n - 2, n))

    def derivative(u):
        data = np.empty((n - 2, 3))
        side = u[1:-1] / 0.2
        data[:, 0] = side + 0.1
        data[:, 1] = -(u[2:] - u[:-2]) / 0.2 - 0.2
        data[:, 2] = 0.1 - side
        return with_data(template, data.reshape(-1))

    return derivative


def brusselator(n):
    """The two-dimensional Brusselator on a torus of n by n points, both substances in one vector."""

    def laplacian(xp, w):
        return xp.roll(w, 1, 0) + xp.roll(w, -1, 0) + xp.roll(w, 1, 1) + xp.roll(w, -1, 1) - 4 * w

    def function(xp, y):
        u, v = y[: n * n].reshape(n, n), y[n * n :].reshape(n, n)
        du = 1.0 + u**2 * v - 4.4 * u + 0.1 * laplacian(xp, u)
        dv = 3.4 * u - u**2 * v + 0.1 * laplacian(xp, v)
        return xp.concatenate([du.reshape(-1), dv.reshape(-1)])

    return function


def brusselator_by_hand(n):
    cells = np.arange(n * n).reshape(n, n)
    k, size = cells.ravel(), n * n
    around = [np.roll(cells, shift, axis).ravel() for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1))]
    rows = [np.tile(k, 4), np.tile(k, 4) + size, k, k + size, k, k + size]
    columns = [np.concatenate(around), np.concatenate(around) + size, k, k, k + size, k + size]
    template, place = pattern_of(np.concatenate(rows), np.concatenate(columns), (2 * size, 2 * size))
    start = np.zeros(12 * size)
    start[place[: 8 * size]] = 0.1
    blocks = [place[8 * size + j * size : 8 * size + (j + 1) * size] for j in range(4)]

    def derivative(y):
        u, v = y[:size], y[size:]
        data = start.copy()
        mixed, square = 2 * u * v, u * u
        data[blocks[0]] = mixed - 4.8
        data[blocks[1]] = 3.4 - mixed
        data[blocks[2]] = square
        data[blocks[3]] = -square - 0.4
        return with_data(template, data)

    return derivative
