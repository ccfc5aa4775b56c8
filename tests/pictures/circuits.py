"""Circuits to draw: those of the CS231n notes, a two-layer net, stencils, loops and odd cases."""

import numpy as np

rng = np.random.default_rng(0)


def product_of_sum(x, y, z):
    return (x + y) * z


def sigmoid_neuron(w0, x0, w1, x1, w2):
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def staged(x, y):
    return (x + sigmoid(y)) / (sigmoid(x) + (x + y) ** 2)


def patterns(x, y, z, w):
    return (x * y + np.maximum(z, w)) * 2


def neuron(w, X, b):
    return np.mean((1 - np.maximum(0, X @ w + b)) ** 2)


def net(W1, b1, W2, b2, X, y):
    hidden = np.maximum(0, X @ W1 + b1)
    scores = hidden @ W2 + b2
    return np.mean((scores - y) ** 2)


def stencil(u):
    out = np.zeros_like(u)
    out[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    return out


def heat(u):
    v = u.copy()
    v[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return v


def recurrent(x, w):
    state = x
    for k in range(30):
        state = np.tanh(w * state + x[k % 3])
    return state.sum()


def trajectory(x):
    found = []
    for _ in range(30):
        x = np.sin(x) * x
        found.append(x.sum())
    return np.stack(found)


def straight(x):
    x = np.sin(x) + np.cos(x) * np.tanh(x) - np.exp(-x * x) + np.sqrt(1 + x * x) - np.log(1 + np.exp(x))
    x = np.cos(x) + np.tanh(x) * np.sin(x) - np.exp(-x * x) + np.log(1 + x * x) - np.sqrt(1 + np.exp(x))
    x = np.tanh(x) + np.sin(x) * np.cos(x) - np.exp(-x * x) + np.sqrt(2 + x * x) - np.log(2 + np.exp(x))
    return x


def of_parameters(layer, x):
    return np.sum(np.tanh(layer["W"] @ x + layer["b"]))


def crowded(a, b, c, d):
    return a * b + b * c + c * d + d * a + a * c + b * d + (a - d) / (b - c)


LAYER = {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=2)}
NOTES = {
    product_of_sum: (-2.0, 5.0, -4.0),
    sigmoid_neuron: (2.0, -1.0, -3.0, -2.0, -3.0),
    sigmoid: (1.0,),
    staged: (3.0, -4.0),
    patterns: (3.0, -4.0, 2.0, -1.0),
}
SCALAR = {
    **NOTES,
    neuron: (rng.normal(size=3), rng.normal(size=(5, 3)), 0.5),
    net: tuple(rng.normal(size=shape) for shape in ((3, 4), (4,), (4, 2), (2,), (5, 3), (5, 2))),
    recurrent: (rng.normal(size=3), 0.5),
    crowded: (1.0, 2.0, 3.5, -4e-20),
}
OTHERS = {
    stencil: (rng.normal(size=8),),
    heat: (rng.normal(size=(5, 6)),),
    trajectory: (rng.normal(size=3),),
    straight: (rng.normal(size=4),),
    of_parameters: (LAYER, rng.normal(size=3)),
}
EVERY = SCALAR | OTHERS
