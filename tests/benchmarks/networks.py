"""Small neural networks, with their derivatives by hand."""

import numpy as np


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


def layers(xp, X, V, W):
    """Two layers, applied to a batch of samples, one in each row."""
    return xp.tanh(X @ V) @ W


def layers_by_hand(X, V, W):
    a = np.tanh(X @ V)
    return (W.T * (1 - a * a)[:, None, :]) @ V.T


def rectified_loss(xp, x, V, W, y):
    return 0.5 * xp.sum((W @ xp.maximum(V @ x, 0.0) - y) ** 2)


def rectified_loss_by_hand(x, V, W, y):
    active = V @ x > 0
    A = W[:, active] @ V[active]
    return A.T @ A
