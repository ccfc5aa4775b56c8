"""Benchmarks: jacobi against the function itself and against closed forms by hand, as ratios in one run.

``python tests/benchmarks/run.py`` prints a table; ``--write`` puts it into ``docs/benchmarks.md`` as well.  Every
result is compared with the closed form before anything is timed.  The time of a case is the smallest of five rounds,
the contestants taking turns, so that what else the machine does hits all of them alike.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import jacobi as jb

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MARK = "<!-- figures: written by tests/benchmarks/run.py -->"


class Case(NamedTuple):
    """A workload: the function, its derivative by jacobi and by hand, the arguments, and the target."""

    name: str
    function: Callable[..., Any]
    derivative: Callable[..., Any]
    by_hand: Callable[..., Any]
    arguments: tuple[Any, ...]
    target: float | None
    numbers: Callable[[Any], Any] = lambda J: J.toarray()
    expected: Callable[[Any], Any] = lambda result: result


def wave(x):
    """An elementwise function."""
    return np.tanh(x) * x + np.exp(-(x**2))


def wave_by_hand(x):
    """Its diagonal."""
    t = np.tanh(x)
    return t + x * (1 - t * t) - 2 * x * np.exp(-(x**2))


def burgers(u):
    """The right-hand side of Burgers' equation in one dimension."""
    return -u[1:-1] * (u[2:] - u[:-2]) / 0.2 + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])


def burgers_by_hand(u):
    """Its three bands."""
    side = u[1:-1] / 0.2
    return np.stack([side + 0.1, -(u[2:] - u[:-2]) / 0.2 - 0.2, 0.1 - side])


def bands(J):
    """The three bands of a Jacobian of the shape (n - 2, n)."""
    csr = J.tocsr()
    return np.stack([csr.diagonal(k) for k in (0, 1, 2)])


def cost(w, b, X, y):
    """The mean squared error of a rectified neuron."""
    return np.mean((y - np.maximum(0, X @ w + b)) ** 2)


def cost_by_hand(w, b, X, y):
    """Its gradient by w and b."""
    z = X @ w + b
    e = (z > 0) * (z - y) * (2 / len(y))
    return e @ X, e.sum()


def softmax(z):
    """The softmax of every row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_by_hand(z):
    """Its blocks."""
    p = softmax(z)
    return p[:, :, None] * np.eye(z.shape[1]) - p[:, :, None] * p[:, None, :]


def repeated(x):
    """Thirty operations on a short vector."""
    for _ in range(10):
        x = np.tanh(x) * 1.1 + x
    return x


def repeated_by_hand(x):
    """The diagonal."""
    d = np.ones_like(x)
    for _ in range(10):
        t = np.tanh(x)
        x, d = t * 1.1 + x, d * (1.1 * (1 - t * t) + 1)
    return d


def diagonal(J):
    """The diagonal of a Jacobian."""
    return J.diagonal()


def cases() -> list[Case]:
    """All workloads."""
    rng = np.random.default_rng(0)
    result = []
    for n in (1_000, 100_000, 1_000_000):
        x = rng.normal(size=n)
        target = 5 if n == 1_000_000 else None
        result.append(Case(f"elementwise, n = {n:,}", wave, jb.jacobian(wave), wave_by_hand, (x,), target, diagonal))
        target = 6 if n == 1_000_000 else None
        result.append(
            Case(f"Burgers stencil, n = {n:,}", burgers, jb.jacobian(burgers), burgers_by_hand, (x,), target, bands)
        )
    for N in (1_000, 100_000):
        X = rng.normal(size=(N, 100))
        arguments = (rng.normal(size=100), 0.1, X, rng.normal(size=N))
        gradient = jb.gradient(cost, argnums=(0, 1))
        target = 4 if N == 100_000 else None
        result.append(Case(f"neuron, N = {N:,}, n = 100", cost, gradient, cost_by_hand, arguments, target))
    z = rng.normal(size=(10_000, 10))
    blocks = jb.jacobian(softmax)
    result.append(
        Case("softmax of 10,000 rows of 10", softmax, lambda z: blocks(z).blocks(), softmax_by_hand, (z,), None)
    )
    A, B, X = rng.normal(size=(300, 300)), rng.normal(size=(300, 300)), rng.normal(size=(300, 300))
    sandwich = jb.jacobian(lambda X: A @ X @ B)
    result.append(
        Case(
            "A X B by X, 300 x 300, factors kept",
            lambda X: A @ X @ B,
            sandwich,
            lambda X: (A.copy(), B.copy()),
            (X,),
            None,
            lambda J: J @ X.ravel(),
            lambda factors: (factors[0] @ X @ factors[1]).ravel(),
        )
    )
    result.append(
        Case(
            "30 operations on 10 numbers",
            repeated,
            jb.jacobian(repeated),
            repeated_by_hand,
            (rng.normal(size=10),),
            None,
            diagonal,
        )
    )
    return result


def agree(case: Case) -> None:
    """Raise an error unless jacobi and the closed form give the same numbers."""
    found = case.derivative(*case.arguments)
    expected = case.by_hand(*case.arguments)
    if isinstance(found, jb.Jacobian):
        found, expected = case.numbers(found), case.expected(expected)
    pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def seconds(case: Case, rounds: int = 5) -> tuple[float, float, float]:
    """The times of the function, of its derivative by jacobi and of that by hand."""
    contestants = (case.function, case.derivative, case.by_hand)
    repeats = []
    for contestant in contestants:
        contestant(*case.arguments)
        begin = time.perf_counter()
        contestant(*case.arguments)
        repeats.append(max(1, int(0.05 / max(time.perf_counter() - begin, 1e-7))))
    best = [np.inf] * 3
    for _ in range(rounds):
        for k, contestant in enumerate(contestants):
            begin = time.perf_counter()
            for _ in range(repeats[k]):
                contestant(*case.arguments)
            best[k] = min(best[k], (time.perf_counter() - begin) / repeats[k])
    return best[0], best[1], best[2]


def import_times() -> tuple[float, float]:
    """Milliseconds that importing NumPy takes, and jacobi on top of it."""
    code = (
        "import time; a = time.perf_counter(); import numpy; b = time.perf_counter(); import jacobi;"
        "print(b - a, time.perf_counter() - b)"
    )
    runs = [
        [float(t) for t in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()]
        for _ in range(7)
    ]
    return min(run[0] for run in runs) * 1e3, min(run[1] for run in runs) * 1e3


def table() -> str:
    """The figures as a page."""
    lines = [
        f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()} {platform.machine()}; the "
        "smallest of five rounds, the contestants taking turns.",
        "",
        "| workload | f | jacobi | by hand | jacobi / f | jacobi / by hand | target |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case in cases():
        agree(case)
        f, ours, hand = seconds(case)
        target = "" if case.target is None else f"<= {case.target:g} f"
        lines.append(
            f"| {case.name} | {unit(f)} | {unit(ours)} | {unit(hand)} | {ours / f:.1f} | {ours / hand:.1f} | {target} |"
        )
        if case.name.startswith("30 operations"):
            per_operation = (ours - f) / 30 * 1e6
    numpy_time, ours = import_times()
    lines += [
        "",
        f"- Tracing and accumulating cost {per_operation:.1f} µs per recorded operation on arrays of 10 numbers "
        "(target: at most 10 µs).",
        f"- `import jacobi` takes {ours:.0f} ms on top of {numpy_time:.0f} ms for `import numpy` "
        "(target: at most 40 ms).",
    ]
    return "\n".join(lines)


def unit(t: float) -> str:
    """A time with a unit."""
    return f"{t * 1e3:.3g} ms" if t >= 1e-3 else f"{t * 1e6:.3g} µs"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    figures = table()
    print(figures)
    if parser.parse_args().write:
        head = PAGE.read_text().partition(MARK)[0]
        PAGE.write_text(f"{head}{MARK}\n\n{figures}\n")
