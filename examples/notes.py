"""The circuits of the CS231n notes and the rules of matrix calculus: derivatives computed and by formula.

The circuits are those of A. Karpathy's notes on back-propagation (Stanford CS231n); the rules are those of T.
Parr and J. Howard, "The Matrix Calculus You Need For Deep Learning" (arXiv 1802.01528).  Every line of the
table is a function, its value at a point, its derivative by one argument as jacobi computes it, and the same
by the formula of the notes.  The last part holds formulas that copies of the notes print wrong.

Run it with ``python examples/notes.py``.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import jacobi as jb


class Line(NamedTuple):
    """A function, a point, the number of the argument to differentiate by, and the result of the formula."""

    name: str
    f: Callable[..., Any]
    point: tuple[Any, ...]
    argnum: int
    formula: Any


def every_argument(
    name: str, f: Callable[..., Any], arguments: str, point: tuple[Any, ...], *formulas: Any
) -> list[Line]:
    """One line for each argument, with its formula."""
    return [
        Line(f"{name} by {argument}", f, point, k, formula)
        for k, (argument, formula) in enumerate(zip(arguments.split(), formulas, strict=True))
    ]


def sigmoid(x):
    """1 / (1 + e^-x)."""
    return 1.0 / (1 + np.exp(-x))


def gates() -> list[Line]:
    """The gates that circuits are made of."""
    s = sigmoid(1.0)
    return [
        *every_argument("x y", np.multiply, "x y", (4.0, -3.0), -3, 4),
        *every_argument("x + y", np.add, "x y", (4.0, -3.0), 1, 1),
        *every_argument("max(x, y)", np.maximum, "x y", (4.0, 2.0), 1, 0),
        *every_argument("1 / x", np.reciprocal, "x", (1.37,), -1 / 1.37**2),
        *every_argument("c + x", lambda x: 1 + x, "x", (0.37,), 1),
        *every_argument("e^x", np.exp, "x", (-1.0,), np.exp(-1.0)),
        *every_argument("a x", lambda x: -1 * x, "x", (1.0,), -1),
        *every_argument("sigmoid(x)", sigmoid, "x", (1.0,), (1 - s) * s),
    ]


def staged(x, y):
    """The function that the notes differentiate in stages."""
    return (x + sigmoid(y)) / (sigmoid(x) + (x + y) ** 2)


def staged_by_hand(x, y):
    """The hand-written backward pass of the notes."""
    sigy = sigmoid(y)
    num = x + sigy
    sigx = sigmoid(x)
    xpy = x + y
    den = sigx + xpy**2
    dnum = 1.0 / den
    dden = (-1.0 / den**2) * num
    dxpy = (2 * xpy) * dden
    dx = dxpy + ((1 - sigx) * sigx) * dden + dnum  # three branches of x: their gradients are added
    dy = dxpy + ((1 - sigy) * sigy) * dnum
    return dx, dy


def neuron(w, x):
    """The sigmoid neuron, written for lists as in the notes."""
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    return 1.0 / (1 + np.exp(-dot))


def circuits() -> list[Line]:
    """Gates in a row: the chain rule."""
    w, x = [2, -3, -3], [-1, -2]
    f = neuron(w, x)
    ddot = (1 - f) * f
    rng = np.random.default_rng(0)
    W, X = rng.normal(size=(5, 10)), rng.normal(size=(10, 3))
    return [
        *every_argument("(x + y) z", lambda x, y, z: (x + y) * z, "x y z", (-2.0, 5.0, -4.0), -4, -4, 3),
        *every_argument(
            "2 (x y + max(z, w))",
            lambda x, y, z, w: 2 * (x * y + np.maximum(z, w)),
            "x y z w",
            (3.0, -4.0, 2.0, -1.0),
            *(-8, 6, 2, 0),
        ),
        *every_argument(
            "sigmoid neuron",
            neuron,
            "w x",
            (w, x),
            [x[0] * ddot, x[1] * ddot, 1.0 * ddot],
            [w[0] * ddot, w[1] * ddot],
        ),
        *every_argument("staged function", staged, "x y", (3.0, -4.0), *staged_by_hand(3.0, -4.0)),
        *every_argument("W.dot(X)", np.dot, "W X", (W, X), np.kron(np.eye(5), X.T), np.kron(W, np.eye(3))),
    ]


def rules() -> list[Line]:
    """The rules of matrix calculus, in numerator layout."""
    w, x, z = np.array([2.0, -3.0, 0.5]), np.array([-1.0, 4.0, 2.0]), 2.5
    I, column = np.eye(3), np.ones((3, 1))
    u, v = 1.0, 2.0
    return [
        Line("3 x^2 y", lambda p: 3 * p[0] ** 2 * p[1], (np.array([u, v]),), 0, [6 * v * u, 3 * u**2]),
        Line(
            "[3 x^2 y, 2 x + y^8]",
            lambda p: [3 * p[0] ** 2 * p[1], 2 * p[0] + p[1] ** 8],
            (np.array([u, v]),),
            0,
            [[6 * v * u, 3 * u**2], [2, 8 * v**7]],
        ),
        *every_argument("x", lambda x: x, "x", (x,), I),
        *every_argument("w + x", np.add, "w x", (w, x), I, I),
        *every_argument("w - x", np.subtract, "w x", (w, x), I, -I),
        *every_argument("w o x", np.multiply, "w x", (w, x), np.diag(x), np.diag(w)),
        *every_argument("w / x", np.divide, "w x", (w, x), np.diag(1 / x), np.diag(-w / x**2)),
        *every_argument("x + z", np.add, "x z", (x, z), I, column),
        *every_argument("x z", np.multiply, "x z", (x, z), z * I, column * x[:, None]),
        *every_argument("sum(x)", np.sum, "x", (x,), column.T),
        *every_argument("sum(x z)", lambda x, z: np.sum(x * z), "x z", (x, z), z * column.T, x.sum()),
        *every_argument("w . x", np.dot, "w x", (w, x), x, w),
        *every_argument("x + x^2", lambda x: x + x**2, "x", (u,), 1 + 2 * u),
        *every_argument(
            "[ln(x^2), sin(3x)]",
            lambda x: [np.log(x**2), np.sin(3 * x)],
            "x",
            (v,),
            [[2 / v], [3 * np.cos(3 * v)]],
        ),
        *every_argument("sin(x^2)", lambda x: np.sin(x**2), "x", (x,), np.diag(np.cos(x**2) * 2 * x)),
    ]


def activation(w, x, b):
    """A neuron: affine, then rectified."""
    return np.maximum(0, np.dot(w, x) + b)


def mean_squared_error(w, b, X, y):
    """The loss of a neuron on the samples in the rows of X."""
    return np.mean((y - np.maximum(0, X @ w + b)) ** 2)


def samples():
    """Weights, a bias, four samples and their targets; some samples are active, others are not."""
    X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.5, -2.0], [2.0, 1.0]])
    return np.array([0.5, 1.0]), 0.25, X, np.array([1.0, 0.0, 2.0, 4.0])


def neurons() -> list[Line]:
    """A neuron on both sides of its kink and on it, and the loss that it is trained by."""
    w, x = np.array([2.0, -3.0]), np.array([1.0, 1.0])
    off, on, at = (w, x, -1.0), (w, x, 2.0), (w, x, 1.0)
    point = samples()
    weights, bias, X, y = point
    N, z = len(y), X @ weights + bias
    e = np.where(z > 0, z - y, 0)
    return [
        *every_argument("max(0, w.x+b), z < 0,", activation, "w x b", off, [0, 0], [0, 0], 0),
        *every_argument("max(0, w.x+b), z > 0,", activation, "w x b", on, x, w, 1),
        *every_argument("max(0, w.x+b), z = 0,", activation, "w x b", at, [0, 0], [0, 0], 0),
        *every_argument("squared error", mean_squared_error, "w b", point, 2 / N * e @ X, 2 / N * e.sum()),
    ]


def printed_wrong() -> list[Line]:
    """Formulas that a copy of the notes prints wrong."""
    w, x = np.array([2.0, -3.0]), np.array([1.0, 1.5])
    point = samples()
    weights, bias, X, y = point
    e = X @ weights + bias - y
    return [
        Line("w o x by w: diag(w)", np.multiply, (w, x), 0, np.diag(w)),
        Line("max(0, x) by x: a column", lambda x: np.maximum(0, x), (w,), 0, [[1], [0]]),
        Line("max(0, w.x+b) by x: x^T", activation, (w, x, 9.0), 1, x),
        Line("squared error by w: no mask", mean_squared_error, point, 0, 2 / len(y) * e @ X),
        Line("sigmoid(1) = -0.73", sigmoid, (1.0,), 0, (1 + 0.73) * -0.73),
    ]


PARTS = [
    ("Gates", gates),
    ("Circuits", circuits),
    ("Rules of matrix calculus", rules),
    ("A neuron and its loss", neurons),
    ("Printed wrong", printed_wrong),
]


def numbers(values) -> str:
    """Numbers, short."""
    return " ".join(f"{value:.4g}" for value in np.ravel(values) + 0.0)  # no -0


def text(matrix) -> str:
    """A matrix on one line: its entries, or its shape where there are too many of them."""
    matrix = np.asarray(matrix, dtype=float)
    if matrix.size > 9:
        return " x ".join(map(str, matrix.shape)) + " numbers"
    if matrix.ndim < 2 or matrix.shape == (1, 1):
        return numbers(matrix)
    if len(matrix) == 1:
        return f"[{numbers(matrix)}]"
    if matrix.shape[1] == 1:
        return f"[{numbers(matrix)}]^T"
    if np.array_equal(matrix, np.diag(np.diag(matrix))):
        return f"diag({numbers(np.diag(matrix))})"
    return "[" + "; ".join(numbers(line) for line in matrix) + "]"


def compare(line: Line) -> tuple[Any, Any, Any, bool]:
    """The value, the derivative as computed and by formula, and whether these agree."""
    value, J = jb.value_and_jacobian(line.f, line.argnum)(*line.point)
    found, formula = J.toarray(), np.atleast_2d(line.formula)
    agree = found.shape == formula.shape and np.allclose(found, formula, rtol=1e-12, atol=1e-12)
    return value, found, formula, agree


def main() -> None:
    """Print the table and count."""
    counts = {}
    for title, lines in PARTS:
        print(f"{title:<30} {'value':<22} {'derivative by jacobi':<27} {'by the formula':<27} agree?")
        verdicts = []
        for line in lines():
            value, found, formula, agree = compare(line)
            verdicts.append(agree)
            cells = f"{text(value):<22} {text(found):<27} {text(formula):<27}"
            print(f"  {line.name:<28} {cells} {'yes' if agree else 'NO'}")
        counts[title] = (sum(verdicts), len(verdicts))
        print()
    wrong = counts.pop("Printed wrong")
    agreeing, tried = (sum(column) for column in zip(*counts.values(), strict=True))
    print(f"{agreeing} of {tried} formulas agree; of {wrong[1]} that are printed wrong, {wrong[0]} agree.")


if __name__ == "__main__":
    main()
