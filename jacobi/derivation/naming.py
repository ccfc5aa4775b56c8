"""Names for what occurs twice in a formula: ``(1/s) (I - (1/n) h hᵀ)`` with ``s = sqrt(var(x) + eps)``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import fields
from typing import Any

from jacobi.notation.parts import rebuilt
from jacobi.notation.text import text
from jacobi.notation.tree import MATRIX, SCALAR, VECTOR, Symbol, Tree

NAMES = {SCALAR: ("s", "c", "d"), VECTOR: ("h", "u", "v"), MATRIX: ("H", "G", "M")}
SHORTEST = 8  # characters of what is given a name
MOST = 3


def named(formula: Tree, taken: Collection[str]) -> tuple[Tree, list[tuple[str, Tree]]]:
    """The formula with names for its repeated parts, and what they stand for; names are only given if that is shorter.

    Parameters
    ----------
    formula : Tree
        The formula.
    taken : collection of str
        Names that are in use.
    """
    given: list[tuple[str, Tree]] = []
    used = set(taken)
    for _ in range(MOST):
        counts = Counter(occurrences(formula))
        saved = {
            part: (count - 1) * len(text(part)) - 6
            for part, count in counts.items()
            if count > 1 and part.kind in NAMES and not isinstance(part, Symbol) and len(text(part)) >= SHORTEST
        }
        best = max(saved, key=lambda part: saved[part], default=None)
        if best is None or saved[best] <= 0:
            break
        name = next((name for name in NAMES[best.kind] if name not in used), None)
        if name is None:
            break
        used.add(name)
        formula = substituted(formula, best, Symbol(name, best.kind))
        given = [(other, substituted(body, best, Symbol(name, best.kind))) for other, body in given]
        given.insert(0, (name, best))
    return formula, given


def occurrences(part: Any) -> Iterator[Tree]:
    """All trees in a tree, as often as they occur."""
    if isinstance(part, tuple):
        for inner in part:
            yield from occurrences(inner)
    elif isinstance(part, Tree):
        yield part
        for field in fields(part):
            yield from occurrences(getattr(part, field.name))


def substituted(whole: Tree, old: Tree, new: Tree) -> Tree:
    """A tree with another one in place of a part."""
    return rebuilt(whole, lambda part: new if part == old else part)
