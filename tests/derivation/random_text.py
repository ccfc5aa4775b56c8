"""Random formulas as NumPy text: a grammar over shapes of letters, for tests that no one could write by hand.

A production of `PRODUCTIONS` makes the text of an array of one shape from texts of others; arguments end the recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Shape = tuple[str, ...]
ARGUMENTS: dict[Shape, tuple[str, ...]] = {
    (): ("a", "b"),
    ("n",): ("x", "y"),
    ("m",): ("u", "v"),
    ("m", "n"): ("A", "B"),
    ("n", "m"): ("C",),
    ("n", "n"): ("S", "R"),
    ("m", "m"): ("P",),
    ("k", "m", "n"): ("T",),
    ("k",): ("t",),
}
SHAPES = {name: shape for shape, names in ARGUMENTS.items() for name in names}
ELEMENTWISE = (
    "exp sin cos tanh sqrt square abs arctan log1p expit logaddexp(0, {}) erf sinh cosh log expm1 softplus sign tan "
    "gammaln maximum(0,{}) minimum(1,{}) where({}>0,{},0) clip({},-1,1) relu digamma"
).replace(", ", ",").split()  # fmt: skip


class Maker:
    """Makes random texts.

    Parameters
    ----------
    rng : Generator
        The source of random numbers.
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng

    def choice(self, options: Any) -> Any:
        """One of several."""
        return options[int(self.rng.integers(len(options)))]

    def made(self, shape: Shape, depth: int) -> str:
        """The text of an array of a shape."""
        productions = [make for fits, make in PRODUCTIONS if fits(shape)] if depth > 0 else []
        if not productions or (depth < 3 and self.rng.random() < 0.15):
            return self.choice(ARGUMENTS[shape]) if shape in ARGUMENTS else self.joined(shape)
        text: str = self.choice(productions)(self, shape, depth - 1)
        return text

    def joined(self, shape: Shape) -> str:
        """An outer product of arguments, for a shape that none has."""
        return f"({self.choice(ARGUMENTS[shape[:1]])}[:, None] * {self.choice(ARGUMENTS[shape[1:]])})"

    def letter(self, *but: str) -> str:
        """A letter."""
        return self.choice([letter for letter in ("m", "n") if letter not in but] or ["m", "n"])

    def any_shape(self, largest: int = 2) -> Shape:
        """The shape of some argument."""
        return self.choice([shape for shape in ARGUMENTS if len(shape) <= largest])


Make = Callable[[Maker, Shape, int], str]


def elementwise(m: Maker, s: Shape, d: int) -> str:
    """A function entry by entry."""
    name, inner = m.choice(ELEMENTWISE), m.made(s, d)
    return name.replace("{}", inner) if "{}" in name else f"{name}({inner})"


def operator(m: Maker, s: Shape, d: int) -> str:
    """An operator, perhaps with broadcasting."""
    sign = m.choice("+-*/+-*")
    left, other = m.made(s, d), m.choice([s, s, (), s[1:]] if s else [s])
    right = m.made(other, d)
    if len(s) == 2 and m.rng.random() < 0.2:
        right = f"{m.made((s[0],), d)}[:, None]"
    return f"({left} {sign} {right})" if m.rng.random() < 0.7 else f"({right} {sign} {left})"


def outer(m: Maker, s: Shape, d: int) -> str:
    """An outer product."""
    a, b = m.made((s[0],), d), m.made((s[1],), d)
    return m.choice((f"outer({a}, {b})", f"({a}[:, None] * {b})", f"({a}[:, None] @ {b}[None, :])"))


def matmul(m: Maker, s: Shape, d: int) -> str:
    """A matrix product."""
    k = m.letter()
    if len(s) == 2:
        left, right = m.made((s[0], k), d), m.made((k, s[1]), d)
    elif len(s) == 1 and m.rng.random() < 0.5:
        left, right = m.made((s[0], k), d), m.made((k,), d)
    elif len(s) == 1:
        left, right = m.made((k,), d), m.made((k, s[0]), d)
    else:
        left, right = m.made((k,), d), m.made((k,), d)
    return m.choice((f"({left} @ {right})", f"({left} @ {right})", f"dot({left}, {right})"))


def reduction(m: Maker, s: Shape, d: int) -> str:
    """A sum over an axis or over all."""
    name = m.choice(["sum", "sum", "mean", "mean", "var", "std", "max", "logsumexp", "prod"])
    if not s:
        return f"{name}({m.made(m.any_shape(3 if d > 0 else 2), d)})"
    k = m.letter()
    if m.rng.random() < 0.5:
        return f"{name}({m.made((k, *s), d)}, axis=0)" if len(s) == 1 else f"sum(T * {m.made(s, d)}, axis=0)"
    return f"{name}({m.made((*s, k), d)}, axis=-1)"


def of_matrix(m: Maker, s: Shape, d: int) -> str:
    """A scalar of a matrix or a vector."""
    k = m.letter()
    square, wide, vector = (k, k), ("m", "n"), (k,)
    return m.choice(
        (
            lambda: f"trace({m.made(square, d)})",
            lambda: f"trace({m.made(wide, d)} @ {m.made(wide[::-1], d)})",
            lambda: f"slogdet({m.made(square, d)})[1]",
            lambda: f"det({m.made(square, d)})",
            lambda: f"norm({m.made(vector, d)})",
            lambda: f"norm({m.made(vector, d)})**2",
            lambda: f"norm({m.made(wide, d)})",
            lambda: f"sum(abs({m.made(vector, d)}))",
            lambda: f"inner({m.made(vector, d)}, {m.made(vector, d)})",
            lambda: f"einsum('i,ij,j', {m.made(('m',), d)}, {m.made(wide, d)}, {m.made(('n',), d)})",
            lambda: f"{m.made(vector, d)}[0]",
            lambda: f"{m.made(wide, d)}[1, -1]",
        )
    )()


def of_vector(m: Maker, s: Shape, d: int) -> str:
    """A vector of the same length."""
    (k,) = s
    return m.choice(
        (
            lambda: f"softmax({m.made(s, d)})",
            lambda: f"log_softmax({m.made(s, d)})",
            lambda: f"solve({m.made((k, k), d)}, {m.made(s, d)})",
            lambda: f"(inv({m.made((k, k), d)}) @ {m.made(s, d)})",
            lambda: f"diag({m.made((k, k), d)})",
            lambda: f"cumsum({m.made(s, d)})",
            lambda: f"{m.made(s, d)}[::-1]",
            lambda: f"roll({m.made(s, d)}, 1)",
            lambda: f"{m.made((m.letter(k), k), d)}[1]",
            lambda: f"{m.made((k, m.letter(k)), d)}[:, 0]",
            lambda: f"sort({m.made(s, d)})",
            lambda: f"concatenate([{m.made(s, d)}[:1], {m.made(s, d)}[1:]])",
        )
    )()


def same_matrix(m: Maker, s: Shape, d: int) -> str:
    """A matrix of the same shape."""
    return m.choice(
        (
            lambda: f"{m.made(s[::-1], d)}.T",
            lambda: f"transpose({m.made(s[::-1], d)})",
            lambda: f"softmax({m.made(s, d)}, axis={m.choice((0, 1, -1))})",
            lambda: f"({m.made(s, d)} - {m.made(s, d)}.mean(axis=0))",
            lambda: f"({m.made(s, d)} / sum({m.made(s, d)}, axis=1, keepdims=True))",
            lambda: f"reshape(ravel({m.made(s, d)}), {s[0]}, {s[1]})".replace(f"{s[0]}, {s[1]}", f"({s[0]}, {s[1]})"),
            lambda: f"einsum('ij,jk->ik', {m.made((s[0], 'm'), d)}, {m.made(('m', s[1]), d)})",
            lambda: f"tril({m.made(s, d)})",
            lambda: f"({m.made((s[0],), d)}[:, None] * {m.made(s, d)})",
        )
    )()


def square_matrix(m: Maker, s: Shape, d: int) -> str:
    """A square matrix."""
    k = s[0]
    return m.choice(
        (
            lambda: f"inv({m.made(s, d)})",
            lambda: f"solve({m.made(s, d)}, {m.made(s, d)})",
            lambda: f"diag({m.made((k,), d)})",
            lambda: f"({m.made(s, d)} + eye({k}))",
            lambda: f"({m.made((k, m.letter(k)), d)} @ {m.made((m.letter(k), k), d)})",
            lambda: f"matrix_power({m.made(s, d)}, 2)",
        )
    )()


def power(m: Maker, s: Shape, d: int) -> str:
    """A power."""
    return f"(({m.made(s, d)})**{m.choice(('2', '3', '0.5', '1.5', '-1'))})"


def scaled(m: Maker, s: Shape, d: int) -> str:
    """A multiple."""
    return m.choice((f"(2 * {m.made(s, d)})", f"(-{m.made(s, d)})", f"({m.made(s, d)} / 3)", f"(1 + {m.made(s, d)})"))


PRODUCTIONS: tuple[tuple[Callable[[Shape], bool], Make], ...] = (
    (lambda s: True, elementwise),
    (lambda s: True, operator),
    (lambda s: True, operator),
    (lambda s: len(s) <= 2, scaled),
    (lambda s: len(s) <= 2, power),
    (lambda s: len(s) <= 2, matmul),
    (lambda s: len(s) == 0, of_matrix),
    (lambda s: len(s) <= 1, reduction),
    (lambda s: len(s) == 1, of_vector),
    (lambda s: len(s) == 2, outer),
    (lambda s: len(s) == 2, same_matrix),
    (lambda s: len(s) == 2 and s[0] == s[1], square_matrix),
)
