"""Numbers for the letters of shapes that tell them apart, and letters for numbers that were met."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TypeAlias

from jacobi.notation.shapes import Shape, Token, letters_in, letters_of, number, shape_of

__all__ = [
    "Numbers",
    "Shape",
    "Shapes",
    "Token",
    "candidates",
    "distinct",
    "explained",
    "letters_in",
    "letters_of",
    "number",
    "shape_of",
]

Shapes: TypeAlias = dict[str, Shape]
Numbers: TypeAlias = dict[str, int]

LARGEST = 200


def distinct(count: int, taken: set[int], preferred: tuple[int, ...], least: int, without: set[int]) -> list[int]:
    """Small numbers, the larger ones first, that are told apart from the sums, products and neighbours of the others.

    Parameters
    ----------
    count : int
        How many.
    taken : set of int
        Numbers that are in use beside them.
    preferred : tuple of int
        The numbers to take if nothing speaks against them.
    least : int
        The smallest one allowed.
    without : set of int
        Numbers that may not be among them.

    Examples
    --------
    >>> distinct(4, set(), (5, 7, 3), 2, set())
    [11, 7, 5, 3]
    """
    found: list[int] = []
    for strict in (True, False):
        for candidate in (*preferred, *range(3, LARGEST)):
            if len(found) == count:
                break
            others = [*found, *taken]
            confusing = {f(a, b) for a in others for b in others for f in (int.__add__, int.__mul__)}
            confusing |= {other + step for other in others for step in (-1, 1)}
            allowed = candidate >= least and candidate not in others and candidate not in without
            if allowed and (candidate not in confusing or not strict):
                found.append(candidate)
    return sorted(found, reverse=True)


def explained(first: int, second: int, letters: Numbers, others: Numbers) -> Token | None:
    """The size that is ``first`` under one assignment and ``second`` under another one, or None.

    Examples
    --------
    >>> letters, others = {"m": 7, "n": 5}, {"m": 6, "n": 4}
    >>> [explained(*pair, letters, others) for pair in ((5, 4), (6, 5), (35, 24), (3, 3), (17, 1))]
    ['n', 'm - 1', 'm * n', 3, None]
    """
    if first == second:
        return first
    tokens = candidates(list(letters))
    return next((t for t in tokens if (number(t, letters), number(t, others)) == (first, second)), None)


def candidates(letters: list[str]) -> Iterator[str]:
    """Letters and simple expressions of them, the simplest first."""
    yield from letters
    for form in ("{} - 1", "{} + 1", "{} - 2", "{} + 2", "2 * {}"):
        yield from (form.format(letter) for letter in letters)
    for form in ("{} * {}", "{} + {}", "{} + {} - 1", "{} + {} + 1"):
        yield from (form.format(a, b) for a, b in product(letters, letters))
