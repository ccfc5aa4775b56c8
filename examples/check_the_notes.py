"""``check`` on every derivative that the notes print, as it is printed: which are wrong, and what is wrong with them.

The notes are those of ``notes.py``, whose list of formulas is taken over.  This file adds what the notes print besides
results: the rules for scalars, the steps of a backward pass, and every line of the derivations of a neuron and of its
loss.  Where a line has no index, as in ``w . x + b`` under a sum over samples, the index of the sum is meant.

Run it with ``python examples/check_the_notes.py``.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import notes
import numpy as np
from notes import activation, mean_squared_error, sigmoid

import jacobi as jb


class Printed(NamedTuple):
    """A function, a point, and the derivative that is printed: a value, or a function of the same arguments."""

    name: str
    f: Callable[..., Any]
    point: tuple[Any, ...]
    argnum: int
    derivative: Any
    layout: str = "numerator"
    rtol: float | None = None  # of numbers that are printed with few digits

    def check(self) -> Any:
        """The report."""
        return jb.check(self.f, self.derivative, *self.point, argnum=self.argnum, layout=self.layout, rtol=self.rtol)


def at(point: tuple[Any, ...], *lines: tuple[str, Any, Any], argnum: int = 0, **options: Any) -> list[Printed]:
    """Printed lines, each a name, a function and its derivative, that are checked at the same point."""
    return [Printed(name, f, point, argnum, derivative, **options) for name, f, derivative in lines]


w, x = np.array([2.0, -3.0, 0.5]), np.array([-1.0, 4.0, 2.0])


def gates() -> list[Printed]:
    """What is said of single gates besides their formulas."""
    return [
        *at((np.array([4.0, -3.0]),), ("grad(x y): [y, x]", lambda v: v[0] * v[1], lambda v: [v[1], v[0]])),
        *at((4.0, 2.0), ("max(x, y) by x: 1(x >= y)", np.maximum, lambda x, y: 1.0 * (x >= y))),
        *at((4.0, 2.0), ("max(x, y) by y: 1(y >= x)", np.maximum, lambda x, y: 1.0 * (y >= x)), argnum=1),
        *at((2.0, 2.0), ("max(x, y) by x where x = y", np.maximum, lambda x, y: 1.0 * (x >= y))),
        *at((3.0, -4.0), ("q z by q", np.multiply, lambda q, z: z)),
        *at((3.0, -4.0), ("q z by z", np.multiply, lambda q, z: q), argnum=1),
        *at((w, 1000 * x), ("w . x by w, the data times 1000", np.dot, 1000 * x)),
        *at(
            (1.0,),
            ("sigmoid: e^-x / (1+e^-x)^2", sigmoid, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
            (
                "sigmoid: plus 1, minus 1",
                sigmoid,
                lambda x: (1 + np.exp(-x) - 1) / (1 + np.exp(-x)) * (1 / (1 + np.exp(-x))),
            ),
        ),
        *at((1.0,), ("sigmoid at 1: (1 - 0.73) 0.73", sigmoid, (1 - 0.73) * 0.73), rtol=5e-3),
        *at((1.0,), ("sigmoid at 1: about 0.2", sigmoid, 0.2), rtol=0.05),
    ]


def steps() -> list[Printed]:
    """The backward pass of the staged function, step by step, and that of a matrix product."""
    sigx, sigy, xpy = sigmoid(3.0), sigmoid(-4.0), 3.0 - 4.0
    num, den = 3.0 + sigy, sigx + xpy**2
    rng = np.random.default_rng(0)
    W, X, dD = rng.normal(size=(5, 10)), rng.normal(size=(10, 3)), rng.normal(size=(5, 3))

    def by_D(W, X):  # a function whose gradient by D = W X is dD
        return np.sum(dD * W.dot(X))

    return [
        *at((num,), ("dnum", lambda num: num * (1.0 / den), 1.0 / den)),
        *at((1.0 / den,), ("dinvden", lambda invden: num * invden, num)),
        *at((den,), ("dden", lambda den: num * (1.0 / den), lambda den: (-1.0 / (den**2)) * num)),
        *at((sigx,), ("den by sigx", lambda sigx: sigx + xpy**2, 1)),
        *at((xpy**2,), ("den by xpysqr", lambda xpysqr: sigx + xpysqr, 1)),
        *at((xpy,), ("xpysqr by xpy", lambda xpy: xpy**2, lambda xpy: 2 * xpy)),
        *at((3.0, -4.0), ("xpy by x", np.add, 1)),
        *at((3.0, -4.0), ("xpy by y", np.add, 1), argnum=1),
        *at((3.0,), ("sigx by x", sigmoid, (1 - sigx) * sigx), ("num by x", lambda x: x + sigy, 1)),
        *at((sigy,), ("num by sigy", lambda sigy: 3.0 + sigy, 1)),
        *at((-4.0,), ("sigy by y", sigmoid, (1 - sigy) * sigy)),
        *at((W, X), ("dW = dD.dot(X.T)", by_D, lambda W, X: dD.dot(X.T)), layout="gradient"),
        *at((W, X), ("dX = W.T.dot(dD)", by_D, lambda W, X: W.T.dot(dD)), argnum=1, layout="gradient"),
    ]


def scalars() -> list[Printed]:
    """The rules for functions of one number, with their examples."""
    f, by_x, g, of_g = np.sin, np.cos, np.exp, np.exp  # two functions with their derivatives
    return [
        *at(
            (1.7,),
            ("c: 0", lambda x: 99.0, 0),
            ("c f", lambda x: 3 * f(x), lambda x: 3 * by_x(x)),
            ("3 x", lambda x: 3 * x, 3),
            ("x^n: n x^(n-1)", lambda x: x**5, lambda x: 5 * x ** (5 - 1)),
            ("x^3: 3 x^2", lambda x: x**3, lambda x: 3 * x**2),
            ("x^2: 2 x", lambda x: x**2, lambda x: 2 * x),
            ("f + g", lambda x: f(x) + g(x), lambda x: by_x(x) + of_g(x)),
            ("x^2 + 3 x: 2 x + 3", lambda x: x**2 + 3 * x, lambda x: 2 * x + 3),
            ("f - g", lambda x: f(x) - g(x), lambda x: by_x(x) - of_g(x)),
            ("x^2 - 3 x: 2 x - 3", lambda x: x**2 - 3 * x, lambda x: 2 * x - 3),
            ("f g: f dg + df g", lambda x: f(x) * g(x), lambda x: f(x) * of_g(x) + by_x(x) * g(x)),
            ("x^2 x: x^2 + x 2 x", lambda x: x**2 * x, lambda x: x**2 + x * 2 * x),
            ("x^2 x: 3 x^2", lambda x: x**2 * x, lambda x: 3 * x**2),
            ("f(g(x)): df/du du/dx", lambda x: f(g(x)), lambda x: by_x(g(x)) * of_g(x)),
            ("f(g(x)): du/dx df/du", lambda x: f(g(x)), lambda x: of_g(x) * by_x(g(x))),
            ("ln x^2: 1/x^2 2 x", lambda x: np.log(x**2), lambda x: 1 / x**2 * 2 * x),
            ("ln x^2: 2 / x", lambda x: np.log(x**2), lambda x: 2 / x),
        ),
        *at((5.0,), ("x^2 at 5: 10", lambda x: x**2, 10)),
    ]


def vectors() -> list[Printed]:
    """The general forms of the rules for vectors."""
    rng = np.random.default_rng(1)
    B = rng.normal(size=(2, 3))

    def product(w, x):
        return np.sin(w) * x**2

    def first(w, x):  # printed with f_1 in every row, where row i has f_i
        return w[0] * x

    return [
        *at((w, x), ("f(w) o g(x) by w: diag", product, lambda w, x: np.diag(np.cos(w) * x**2))),
        *at((w, x), ("f(w) o g(x) by x: diag", product, lambda w, x: np.diag(np.sin(w) * 2 * x)), argnum=1),
        *at((w, x), ("[f_1(w) o g_i(x)] by w: diag", first, lambda w, x: np.diag(x))),
        *at((w, x), ("[f_1(w) o g_i(x)] by x: diag", first, lambda w, x: np.diag(w)), argnum=1),
        *at((x,), ("sum(f(x)): sum_i df_i/dx_j", lambda x: np.sum((B @ x) ** 2), lambda x: (2 * (B @ x)) @ B)),
        *at(
            (np.append(x, 2.5),),
            (
                "sum(x z): [dy/dx dy/dz]",
                lambda v: np.sum(v[:-1] * v[-1]),
                lambda v: np.append(v[-1] * np.ones(3), np.sum(v[:-1])),
            ),
        ),
    ]


def chains() -> list[Printed]:
    """The chain rules in the forms that the notes give them."""
    rng = np.random.default_rng(2)
    A, B = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))

    def last(x):  # f(x, u, v) with u = x^2 and v = e^x
        return x * x**2 + np.sin(np.exp(x))

    def by_inner(x):  # its derivatives by x, u and v
        return np.array([x**2, x, np.cos(np.exp(x))])

    def inner(x):  # the derivatives of x, u and v by x
        return np.array([1, 2 * x, np.exp(x)])

    def two(x):
        return [np.log(x**2), np.sin(3 * x)]

    def by_g(x):
        return np.array([[1 / x**2, 0], [0, np.cos(3 * x)]])

    return [
        *at(
            (1.3,),
            ("x + x^2: total derivative", lambda x: x + x**2, lambda x: 1 + 1 * (2 * x)),
            ("df/dx + sum df/du_i du_i/dx", last, lambda x: x**2 + x * 2 * x + np.cos(np.exp(x)) * np.exp(x)),
            ("df/du . du/dx", last, lambda x: np.dot(by_inner(x), inner(x))),
            ("df/du du/dx, row by column", last, lambda x: by_inner(x)[None, :] @ inner(x)[:, None]),
            ("[x^2, 3 x] by x", lambda x: [x**2, 3 * x], lambda x: [[2 * x], [3]]),
            ("f(g(x)), scalar form", two, lambda x: [[1 / x**2 * 2 * x + 0], [0 + np.cos(3 * x) * 3]]),
            ("f(g(x)), df/dg dg/dx", two, lambda x: by_g(x) @ [[2 * x], [3]]),
        ),
        *at(
            (np.array([1.69, 3.9]),),
            (
                "[ln g1, sin g2] by g",
                lambda g: [np.log(g[0]), np.sin(g[1])],
                lambda g: np.diag([1 / g[0], np.cos(g[1])]),
            ),
        ),
        *at(
            (x,),
            (
                "f(g(x)), m by k times k by n",
                lambda x: A @ np.sin(B @ x) ** 2,
                lambda x: (A * (2 * np.sin(B @ x))) @ (np.cos(B @ x)[:, None] * B),
            ),
            ("f(g(x)), diag(df/dg dg/dx)", lambda x: np.sin(x**2), lambda x: np.diag(np.cos(x**2) * 2 * x)),
        ),
    ]


def neuron() -> list[Printed]:
    """The derivation of the activation of a neuron, line by line."""
    off, on = (w, x, 9.0), (w, x, 16.0)  # w . x = -13
    row, column = x[None, :], x[:, None]

    def affine(w, x, b):
        return np.dot(w, x) + b

    def dot(w, x):
        return np.sum(w * x)

    return [
        *at((w * x,), ("sum(u) by u: 1^T", np.sum, np.ones((1, 3)))),
        *at(
            (w, x),
            ("sum(w o x) by w: 1^T", dot, np.ones((1, 3))),  # printed in the same line: the derivative by u is meant
            ("sum(w o x) by w: 1^T diag(x)", dot, lambda w, x: np.ones((1, 3)) @ np.diag(x)),
            ("sum(w o x) by w: x^T", dot, row),
            ("w . x by w: [x_1, ..., x_n]", np.dot, [x[0], x[1], x[2]]),
        ),
        *at(on, ("w . x + b by w: x^T + 0^T", affine, row + 0 * row)),
        *at(on, ("w . x + b by b: 0 + 1", affine, 0 + 1), argnum=2),
        *at((-0.4,), ("max(0, z), z < 0: 0", lambda z: np.maximum(0, z), 0)),
        *at((0.4,), ("max(0, z), z > 0: 1", lambda z: np.maximum(0, z), 1)),
        *at((0.0,), ("max(0, z), z = 0: 0", lambda z: np.maximum(0, z), 0)),
        *at(off, ("activation by x, z <= 0: 0^T", activation, 0 * row), argnum=1),
        *at(on, ("activation by x, z > 0: dz/dw = x", activation, column), argnum=1),
        *at(off, ("activation by x, z <= 0: 0", activation, 0 * column), argnum=1),
        *at(on, ("activation by w, z > 0: x", activation, column)),  # the derivative that the line works out
    ]


def loss() -> list[Printed]:
    """The derivation of the loss of a neuron, line by line, at samples of which three are active and two are not."""
    rng = np.random.default_rng(4)
    X, y, weights, b = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3), 0.3
    N, n = X.shape
    C = mean_squared_error

    def other_mean(w, b, X, y):  # printed with 1/n, the number of weights; N is the number of samples
        return np.sum((y - np.maximum(0, X @ w + b)) ** 2) / n

    def by_links(w, b, X, y):  # 1/N sum 2v dv/dw
        v, z = y - np.maximum(0, X @ w + b), X @ w + b
        return 1 / N * (2 * v) @ np.where(z[:, None] > 0, -X, 0)

    def cases_of_v(w, b, X, y):  # 1/N sum of the cases 0^T and -2v x^T
        total = np.zeros(n)
        for x_i, y_i in zip(X, y, strict=True):
            if w @ x_i + b > 0:
                total += -2 * (y_i - np.maximum(0, w @ x_i + b)) * x_i
        return 1 / N * total

    def cases_of_z(w, b, X, y):  # 1/N sum of the cases 0^T and -2 (y - (w . x + b)) x^T
        total = np.zeros(n)
        for x_i, y_i in zip(X, y, strict=True):
            if w @ x_i + b > 0:
                total += -2 * (y_i - (w @ x_i + b)) * x_i
        return 1 / N * total

    def sum_in_cases(w, b, X, y):  # the cases 0^T and -2/N sum (y - (w . x + b)) x^T
        z = X @ w + b
        return -2 / N * (y - z) @ X if (z > 0).any() else np.zeros(n)

    def of_errors(w, b, X, y):  # 2/N sum e x^T
        e = X @ w + b - y
        return 2 / N * e @ X

    def links_by_b(w, b, X, y):
        v, z = y - np.maximum(0, X @ w + b), X @ w + b
        return 1 / N * np.sum(2 * v * np.where(z > 0, -1, 0))

    def cases_by_b(w, b, X, y):
        z = X @ w + b
        return 1 / N * np.sum(np.where(z > 0, -2 * (y - z), 0))

    def sum_in_cases_by_b(w, b, X, y):
        z = X @ w + b
        return -2 / N * np.sum(y - z) if (z > 0).any() else 0.0

    def of_errors_by_b(w, b, X, y):
        e = X @ w + b - y
        return 2 / N * np.sum(e)

    return [
        *at(
            (weights, b, X, y),
            ("C by w: 1/N sum 2v dv/dw", C, by_links),
            ("C by w: cases of -2v x^T", C, cases_of_v),
            ("C by w: cases of -2(y-z) x^T", C, cases_of_z),
            ("C by w: cases around the sum", C, sum_in_cases),
            ("C by w: 2/N sum e x^T", C, of_errors),
            ("C with 1/n by w", other_mean, by_links),
        ),
        *at(
            (weights, b, X, y),
            ("C by b: 1/N sum 2v dv/db", C, links_by_b),
            ("C by b: cases of -2(y-z)", C, cases_by_b),
            ("C by b: cases around the sum", C, sum_in_cases_by_b),
            ("C by b: 2/N sum e", C, of_errors_by_b),
            argnum=1,
        ),
    ]


def parts() -> dict[str, list[Printed]]:
    """Every derivative of the notes: the list of ``notes.py``, and what this file adds."""
    taken = {title: [Printed(*line) for line in lines()] for title, lines in notes.PARTS}
    wrong = taken.pop("Printed wrong")
    return {
        **taken,
        "Gates, what is said of them": gates(),
        "Backward passes, step by step": steps(),
        "Rules for scalars": scalars(),
        "Rules for vectors": vectors(),
        "Chain rules": chains(),
        "A neuron, line by line": neuron(),
        "Its loss, line by line": loss(),
        "Printed wrong in some copies": wrong,
    }


def main() -> None:
    """Print the table, what is wrong in detail, and count."""
    verdicts = Counter()
    wrong = []
    for title, lines in parts().items():
        print(f"{title:<38} {'verdict':<12} diagnosis")
        for line in lines:
            report = line.check()
            verdicts[report.verdict] += 1
            print(f"  {line.name:<36} {report.verdict:<12} {report.diagnosis or report.reason}".rstrip())
            if report.verdict in ("wrong", "invalid"):
                wrong.append((line.name, report.explanation))
        print()
    for name, explanation in wrong:
        print(f"{name}\n  {explanation}")
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()))


if __name__ == "__main__":
    main()
