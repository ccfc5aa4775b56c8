"""The workloads of the benchmarks: functions, and their derivatives by hand in the same form of output.

A function takes the array library as its first argument, so that every contestant runs the same code.  By hand means:
the closed form as somebody would write it who knows the structure, with index patterns made beforehand.
"""

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array

import jacobi as jb


class Workload(NamedTuple):
    """A function to differentiate by its first argument, at one size.

    Attributes
    ----------
    name, size : str
        What it is.
    function : callable
        ``function(xp, *arguments)``.
    transform : callable
        What jacobi does with it.
    by_hand : callable or None
        The closed form.
    arguments : tuple
        The point.
    kind : {"jacobian", "gradient", "hessian"}
        What other systems do with it.
    numbers : callable
        The result as an array that contestants are compared by.
    compiled_target, traced_target : float
        How many times the closed form, or ``f``, it may take.
    """

    name: str
    size: str
    function: Callable[..., Any]
    transform: Callable[..., Any]
    by_hand: Callable[..., Any] | None
    arguments: tuple[Any, ...]
    kind: str = "jacobian"
    numbers: Callable[[Any], Any] = np.asarray
    compiled_target: float = 1.3
    traced_target: float | None = None

    @property
    def plain(self) -> Callable[..., Any]:
        """The function on NumPy."""
        return partial(self.function, np)


# Elementwise and stencils -----------------------------------------------------------------------------------------


def wave(xp, x):
    return xp.tanh(x) * x + xp.exp(-(x**2))


def wave_by_hand(x):
    t = np.tanh(x)
    return t + x * (1 - t * t) - 2 * x * np.exp(-(x**2))


def diagonal(result):
    return result if isinstance(result, np.ndarray) and result.ndim == 1 else np.asarray(result.diagonal())


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


def full(result):
    """A sparse matrix or a Jacobian as a small array: its products with two vectors."""
    if isinstance(result, np.ndarray):
        return np.concatenate([result @ np.ones(result.shape[1]), np.ones(result.shape[0]) @ result])
    return np.concatenate([result @ np.ones(result.shape[1]), result.T @ np.ones(result.shape[0])])


# Networks ---------------------------------------------------------------------------------------------------------


def neuron(xp, w, b, X, y):
    return xp.mean((y - xp.maximum(X @ w + b, 0.0)) ** 2)


def neuron_by_hand(w, b, X, y):
    z = X @ w + b
    return ((z > 0) * (z - y) * (2 / len(y))) @ X


def network(xp, x, *weights):
    for W in weights[:-1]:
        x = xp.tanh(W @ x)
    return weights[-1] @ x


def network_by_hand(x, *weights):
    """From left to right."""
    values = []
    for W in weights[:-1]:
        x = np.tanh(W @ x)
        values.append(x)
    result = weights[-1]
    for W, a in zip(weights[-2::-1], values[::-1], strict=True):
        result = (result * (1 - a * a)) @ W
    return result


def bottleneck_by_hand(x, A, B, C, D):
    """Through the narrow middle."""
    a = np.tanh(A @ x)
    b = np.tanh(B @ a)
    c = np.tanh(C @ b)
    return ((D * (1 - c * c)) @ C) @ ((1 - b * b)[:, None] * ((B * (1 - a * a)) @ A))


def rectified(xp, x, V, W):
    return W @ xp.maximum(V @ x, 0.0)


def rectified_by_hand(x, V, W):
    active = V @ x > 0
    return W[:, active] @ V[active]


def softmax(xp, z):
    e = xp.exp(z)
    return e / xp.sum(e, 1)[:, None]


def softmax_by_hand(z):
    p = softmax(np, z)
    return p[:, :, None] * np.eye(z.shape[1]) - p[:, :, None] * p[:, None, :]


def softmax_blocks(xp, z):
    return softmax(xp, z)


# Matrices and Hessians --------------------------------------------------------------------------------------------


def sandwich(xp, X, A, B):
    return A @ X @ B


def inverse_gradient(X):
    return np.linalg.inv(X).T


def log_det(xp, X):
    return xp.linalg.slogdet(X)[1]


def logistic(xp, w, X, y):
    return xp.sum(xp.log(1 + xp.exp(-y * (X @ w))))


def logistic_by_hand(w, X, y):
    s = 1 / (1 + np.exp(y * (X @ w)))
    return X.T @ ((s * (1 - s) * y * y)[:, None] * X)


def quadratic(xp, x, Q):
    return x @ Q @ x


def factorisation(xp, U, V, R):
    return 0.5 * xp.sum((U @ V.T - R) ** 2)


def factorisation_by_hand(U, V, R):
    return np.kron(np.eye(U.shape[0]), V.T @ V)


# Tiny functions ---------------------------------------------------------------------------------------------------


def polynomial(xp, p):
    return xp.stack([3 * p[0] ** 2 * p[1], 2 * p[0] + p[1] ** 8])


def polynomial_by_hand(p):
    x, y = p.tolist()
    return np.array([[6 * x * y, 3 * x * x], [2.0, 8 * y**7]])


def staged(xp, x):
    u = x**2
    return xp.sin(x + u)


def staged_by_hand(x):
    return (1 + 2 * x) * math.cos(x + x * x)


def product(xp, x, y, z):
    return (x + y) * z


# The list ---------------------------------------------------------------------------------------------------------


def workloads(largest: bool = True) -> list[Workload]:
    """All workloads; the largest sizes can be left out."""
    rng = np.random.default_rng(0)
    csr, array = partial(jb.jacobian, format="csr"), partial(jb.jacobian, format="array")
    gradient, hessian = partial(jb.gradient), partial(jb.hessian)
    dense_hessian = hessian
    result = [
        Workload("polynomial of two numbers", "2", polynomial, array, polynomial_by_hand, (np.array([1.2, 0.7]),),
                 compiled_target=2),
        Workload("staged function", "1", staged, gradient, staged_by_hand, (1.3,), "gradient", compiled_target=1.5),
        Workload("(x + y) z", "1", product, partial(jb.gradient, argnums=(0, 1, 2)), lambda x, y, z: (z, z, x + y),
                 (1.3, 0.2, 0.7), "several", compiled_target=1.5),
    ]  # fmt: skip
    for n in (10, 1_000, 100_000, 1_000_000):
        x = rng.normal(size=n)
        target = 0.55 if n == 1_000_000 else 1.3 if n > 10_000 else 2
        result.append(Workload("elementwise", f"{n:,}", wave, jb.jacobian, wave_by_hand, (x,), "jacobian", diagonal,
                               target, 5 if n == 1_000_000 else None))  # fmt: skip
    for n in (100, 10_000, 100_000, 1_000_000):
        x = rng.normal(size=n)
        target = 1.3 if n > 1000 else 2
        large = 5 if n == 1_000_000 else None
        result.append(Workload("Broyden tridiagonal, csr", f"{n:,}", broyden, csr, broyden_by_hand(n), (x,),
                               "jacobian", full, target, large))  # fmt: skip
        result.append(Workload("Burgers, csr", f"{n:,}", burgers, csr, burgers_by_hand(n), (x,), "jacobian", full,
                               target, large))  # fmt: skip
    for n in (10, 70, 225, 700):
        y = rng.uniform(0.5, 2, 2 * n * n)
        result.append(Workload("Brusselator, csr", f"2 x {n} x {n}", brusselator(n), csr, brusselator_by_hand(n), (y,),
                               "jacobian", full, 1.3 if n > 10 else 2, 5 if n == 700 else None))  # fmt: skip
    for n in (100, 10_000, 200_000):
        arguments = (rng.normal(size=100), 0.1, rng.normal(size=(n, 100)), rng.normal(size=n))
        result.append(Workload("neuron, gradient", f"{n:,} x 100", neuron, gradient, neuron_by_hand, arguments,
                               "gradient", compiled_target=1.3 if n > 100 else 2,
                               traced_target=5 if n == 200_000 else None))  # fmt: skip
    for n in (10, 100, 1_000):
        weights = [rng.normal(size=(n, n)) / n**0.5 for _ in range(3)]
        result.append(Workload("dense network", f"{n:,}", network, array, network_by_hand,
                               (rng.normal(size=n), *weights), compiled_target=1.3 if n > 10 else 2))  # fmt: skip
    n, narrow = 1_000, 16
    weights = [rng.normal(size=shape) / 30 for shape in ((n, n), (narrow, n), (n, narrow), (n, n))]
    result.append(Workload("network with a bottleneck", "1000-1000-16-1000-1000", network, array, bottleneck_by_hand,
                           (rng.normal(size=n), *weights)))  # fmt: skip
    for n in (100, 1_000):
        weights = [rng.normal(size=(n, n)) for _ in range(2)]
        result.append(Workload("rectified network", f"{n:,}", rectified, array, rectified_by_hand,
                               (rng.normal(size=n), *weights)))  # fmt: skip
    z = rng.normal(size=(2_000, 10))
    result.append(Workload("softmax per sample, blocks", "2,000 x 10", softmax_blocks, blocks_of, softmax_by_hand, (z,),
                           "samples"))  # fmt: skip
    for n in (60, 300):
        X, A, B = (rng.normal(size=(n, n)) for _ in range(3))
        result.append(Workload("A X B by X, factors kept", f"{n}", sandwich, jb.jacobian, None, (X, A, B), "jacobian",
                               lambda J: np.zeros(0)))  # fmt: skip
    X, A, B = (rng.normal(size=(60, 60)) for _ in range(3))
    result.append(Workload("A X B by X, dense", "60", sandwich, array, lambda X, A, B: np.kron(A, B.T), (X, A, B),
                           "jacobian", full))  # fmt: skip
    X = 60 * np.eye(60) + rng.normal(size=(60, 60))
    result.append(Workload("log det, gradient", "60", log_det, gradient, inverse_gradient, (X,), "gradient"))
    for n in (30, 300, 1_000):
        arguments = (rng.normal(size=n) / n, rng.normal(size=(2 * n, n)), np.sign(rng.normal(size=2 * n)))
        result.append(Workload("logistic regression, Hessian", f"{n:,}", logistic, dense_hessian, logistic_by_hand,
                               arguments, "hessian", full, compiled_target=1.3 if n > 30 else 2))  # fmt: skip
    Q = rng.normal(size=(1_000, 1_000))
    result.append(Workload("quadratic form, Hessian", "1,000", quadratic, hessian, lambda x, Q: Q + Q.T,
                           (rng.normal(size=1_000), Q), "hessian", full))  # fmt: skip
    U, V = rng.normal(size=(50, 5)), rng.normal(size=(60, 5))
    result.append(Workload("matrix factorisation, Hessian", "50 x 60, rank 5", factorisation, hessian,
                           factorisation_by_hand, (U, V, rng.normal(size=(50, 60))), "hessian", full))  # fmt: skip
    return result if largest else [w for w in result if nbytes(w.arguments) < 2_000_000]


def blocks_of(f):
    """The Jacobian of every sample: a stack of blocks."""
    J = jb.jacobian(f)
    return lambda z: J(z).blocks()


def nbytes(arguments):
    """The size of the arrays."""
    return sum(np.asarray(a).nbytes for a in arguments)
