"""Sizes of dimensions as letters, expressions of letters such as ``n - 1``, and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from jacobi.derivation.text import Interpreter
from jacobi.errors import InputError, at_users_line

Token: TypeAlias = str | int
Shape: TypeAlias = tuple[Token, ...]
Shapes: TypeAlias = dict[str, Shape]
Numbers: TypeAlias = dict[str, int]

LARGEST = 200


def shape_of(name: str, shape: Any) -> Shape:
    """The given shape of an argument as a tuple.

    Examples
    --------
    >>> shape_of("X", ("N", 5)), shape_of("X", "N, n"), shape_of("y", "N"), shape_of("d", "n - 1"), shape_of("b", ())
    (('N', 5), ('N', 'n'), ('N',), ('n - 1',), ())
    """
    parts = shape.strip("() ").split(",") if isinstance(shape, str) else shape
    tokens: list[Token] = []
    for part in parts if isinstance(parts, (tuple, list)) else [parts]:
        token = " ".join(part.split()) if isinstance(part, str) else part
        if isinstance(token, str) and token.isdigit():
            token = int(token)
        if isinstance(token, bool) or not isinstance(token, (str, int, np.integer)) or token in range(-LARGEST, 0):
            what = f"{part!r} is not a size, in the shape {shape!r} of {name}"
            raise InputError(at_users_line(what, 'Write letters or numbers: ("N", "n"), (3, 4), () for a number.'))
        if token != "":
            tokens.append(token if isinstance(token, str) else int(token))
    return tuple(tokens)


def letters_of(token: Token) -> tuple[str, ...]:
    """The letters in one size."""
    return () if isinstance(token, int) else tuple(dict.fromkeys(re.findall(r"[^\W\d]\w*", token)))


def letters_in(shapes: Mapping[str, Any]) -> tuple[str, ...]:
    """The letters in given shapes, in the order in which they occur.

    Examples
    --------
    >>> letters_in({"X": ("N", "n"), "y": "N", "d": ("n - 1",)})
    ('N', 'n')
    """
    tokens = [token for name, shape in shapes.items() for token in shape_of(name, shape)]
    return tuple(dict.fromkeys(letter for token in tokens for letter in letters_of(token)))


def number(token: Token, letters: Numbers) -> int:
    """The number of a size.

    Examples
    --------
    >>> number("2 * n - 1", {"n": 5})
    9
    """
    if isinstance(token, int):
        return token
    if token in letters:
        return letters[token]
    value = Interpreter(token, letters=letters).run(dict(letters))[0]
    if value != int(value) or value < 0:
        raise InputError(at_users_line(f"the size {token} is {value}", "Write a size that is a whole number."))
    return int(value)


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
