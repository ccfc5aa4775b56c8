"""`Sizes`: the shapes of the arguments in letters, with numbers for the letters and random values to test on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jacobi.derivation.inference import Search
from jacobi.derivation.program import Program
from jacobi.derivation.random_points import sampled
from jacobi.derivation.tokens import Numbers, Shapes, number, shape_of
from jacobi.errors import InputError, at_users_line


@dataclass(frozen=True)
class Sizes:
    """The shapes of the arguments of a program in letters, and numbers for the letters.

    Attributes
    ----------
    program : Program
        The program.
    shapes : dict
        The shape of every argument: letters, expressions of letters such as ``"n - 1"``, and numbers.
    letters : dict
        The number of every letter.
    others : dict
        Another number for every letter; see `another`.
    inferred : tuple of str
        The arguments whose shapes were found, not given.

    Examples
    --------
    >>> from jacobi.derivation.program import read
    >>> sizes = assign(read("mean((y - X @ w)**2)"), {"X": ("N", "n")}, np.random.default_rng(0))
    >>> sizes.shapes, sizes.inferred
    ({'y': ('N',), 'X': ('N', 'n'), 'w': ('n',)}, ('y', 'w'))
    >>> sizes.letters, sizes.another().letters, sizes.letter_of(7), sizes.where("n")
    ({'N': 7, 'n': 5}, {'N': 6, 'n': 4}, 'N', ('X', 1))
    """

    program: Program
    shapes: Shapes
    letters: Numbers
    others: Numbers
    inferred: tuple[str, ...]
    domains: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an argument in numbers."""
        return tuple(number(token, self.letters) for token in self.shapes[name])

    def letter_of(self, size: int) -> str | None:
        """The letter, or the expression of letters, that has this number."""
        tokens = [*self.letters, *(t for shape in self.shapes.values() for t in shape if isinstance(t, str))]
        return next((token for token in tokens if number(token, self.letters) == size), None)

    def where(self, letter: str) -> tuple[str, int] | None:
        """An argument and an axis of it that have this size, for code: ``("X", 0)`` stands for ``X.shape[0]``."""
        places = ((name, axis) for name, shape in self.shapes.items() for axis, t in enumerate(shape) if t == letter)
        return next(places, None)

    def another(self) -> Sizes:
        """The same shapes with other numbers: what changes is a size, and what stays is a constant."""
        return replace(self, letters=self.others, others=self.letters, domains={})

    def sample(self, rng: np.random.Generator, assume: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Random values of all arguments (and letters) at which the program is finite.

        Parameters
        ----------
        rng : Generator
            The source of random numbers.
        assume : mapping
            What is assumed of arguments; see `jacobi.derivation.random_points.ASSUMPTIONS`.
        """
        shapes = {name: self.shape(name) for name in self.shapes}
        letters = {letter: self.letters[letter] for letter in self.program.letters}
        return sampled(self.program, shapes, letters, rng, assume or {}, self.domains)


def assign(
    program: Program,
    shapes: Mapping[str, Any] | None = None,
    rng: np.random.Generator | None = None,
    assume: Mapping[str, str] | None = None,
) -> Sizes:
    """Find the shapes of all arguments of a program, and numbers for the letters.

    Parameters
    ----------
    program : Program
        The program.
    shapes : mapping
        The shapes that are given: tuples of letters, numbers or expressions of letters; a single letter is a vector.
    rng : Generator
        The source of random numbers.
    assume : mapping
        What is assumed of arguments: symmetric matrices and the like are square.

    Raises
    ------
    InputError
        For given sizes that contradict the program, and where shapes must be given because they cannot be found.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    given = {name: shape_of(name, shape) for name, shape in (shapes or {}).items()}
    for name in [*given, *(assume or {})]:
        if name not in program.arguments:
            what = f"{name} is no argument of {program.text}"
            raise InputError(at_users_line(what, f"Its arguments are {', '.join(program.arguments) or 'none'}."))
    found = Search(program, given, rng, dict(assume or {})).found()
    return Sizes(program, found.shapes, found.letters, found.others, found.inferred)
