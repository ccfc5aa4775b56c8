"""Functions of matrices, losses to take Hessians of, and functions of a few numbers, with their derivatives by hand."""

import math

import numpy as np


def product_with_vector(xp, W, x):
    return W @ x


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


# Functions of a few numbers ---------------------------------------------------------------------------------------


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
