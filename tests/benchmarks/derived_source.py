"""How fast the source of derived formulas is, beside what an expert writes.

Run ``python tests/benchmarks/derived_source.py``.
Prints the time of the source, that of the expert's function, and their ratio; and how long the derivation itself took.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, softmax

import jacobi as jb


class Case(NamedTuple):
    """A formula, its argument, the shapes in letters and in numbers, and what an expert writes."""

    text: str
    wrt: str
    shapes: dict[str, Any]
    sizes: dict[str, int]
    expert: Callable[..., Any]
    order: int = 1


def neuron(y, X, w, b):
    z = X @ w + b
    return (2 / len(y) * (((z > 0) * (z - y)) @ X))[None, :]


def logistic_hessian(X, w):
    p = expit(X @ w)
    return (X.T * (p * (1 - p))) @ X


def softmax_jacobian(z):
    p = softmax(z)
    return np.diag(p) - np.outer(p, p)


CASES = {
    "neuron": Case(
        "mean((y - maximum(0, X @ w + b))**2)", "w", {"X": ("N", "n"), "w": "n", "b": (), "y": "N"},
        {"N": 100_000, "n": 100}, neuron,
    ),
    "logistic Hessian": Case(
        "sum(log(1 + exp(X @ w)))", "w", {"X": ("N", "n"), "w": "n"}, {"N": 20_000, "n": 100}, logistic_hessian, 2
    ),
    "softmax": Case("exp(z) / sum(exp(z))", "z", {"z": "n"}, {"n": 1000}, softmax_jacobian),
    "log det": Case(
        "slogdet(X)[1]", "X", {"X": ("n", "n")}, {"n": 300}, lambda X: np.linalg.inv(X).T.reshape(1, -1)
    ),
    "A X B": Case(
        "A @ X @ B", "X", {"A": ("m", "n"), "X": ("n", "p"), "B": ("p", "q")}, dict.fromkeys("mnpq", 30),
        lambda A, X, B: np.kron(A, B.T),
    ),
    "least squares": Case(
        "norm(A @ x - b)**2", "x", {"A": ("m", "n"), "x": "n", "b": "m"}, {"m": 20_000, "n": 200},
        lambda A, x, b: (2 * ((A @ x - b) @ A))[None, :],
    ),
}  # fmt: skip


def best(function: Callable[[], Any], seconds: float = 0.5) -> float:
    """The shortest of many runs, in seconds."""
    function()
    shortest, end = np.inf, perf_counter() + seconds
    while perf_counter() < end:
        start = perf_counter()
        function()
        shortest = min(shortest, perf_counter() - start)
    return float(shortest)


def compiled(source: str) -> Callable[..., Any]:
    """The function of generated source."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "<derived>", "exec"), namespace)
    function: Callable[..., Any] = namespace["derivative"]
    return function


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print(f"{'formula':<18}{'derived [ms]':>14}{'source [ms]':>14}{'expert [ms]':>14}{'ratio':>8}")
    for name, case in CASES.items():
        jb.derive(case.text, case.wrt, case.shapes, order=case.order)  # imports are not counted
        start = perf_counter()
        d = jb.derive(case.text, case.wrt, case.shapes, order=case.order)
        derived = perf_counter() - start
        function = compiled(d.source)
        values = {}
        for argument, shape in d.jacobian.sizes.shapes.items():
            values[argument] = rng.normal(size=tuple(case.sizes[letter] for letter in shape))[()]
        np.testing.assert_allclose(function(**values), case.expert(**values), rtol=1e-6, atol=1e-9)
        pairs = [(best(lambda: function(**values)), best(lambda: case.expert(**values))) for _ in range(3)]  # noqa: B023
        ours, theirs = (min(column) for column in zip(*pairs, strict=True))
        print(f"{name:<18}{derived * 1e3:>14.1f}{ours * 1e3:>14.3f}{theirs * 1e3:>14.3f}{ours / theirs:>8.2f}")


if __name__ == "__main__":
    main()
