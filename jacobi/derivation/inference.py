"""Shapes that have not been given, found by running the program.

Every letter has two different numbers, and the program runs on arrays of the first and of the second ones.  Where an
operation fails, the sizes that it requires to be equal are known, and their two numbers tell which letters they are:
5 and 4 may be ``n``, 4 and 3 are then ``n - 1``, and 3 and 3 are the number 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from jacobi.derivation.names import words
from jacobi.derivation.program import Program
from jacobi.derivation.random_points import assumption, safe
from jacobi.derivation.requirements import Unfit, Watch, unfit, watched
from jacobi.derivation.tokens import Numbers, Shape, Shapes, Token, distinct, explained, letters_of, number
from jacobi.errors import InputError, at_users_line

FIRST, SECOND = (5, 7, 3, 11), (4, 6, 9, 13)  # the numbers to take if nothing speaks against them
POOL = "nmpqrskldhuvtabcfghij"
FOUND = "found_"  # begins the letters of sizes that have not been given
SCALARS = words(
    """alpha beta gamma delta epsilon eps eta kappa lam lambda_ lambd nu rho tau omega N n k α β γ δ ε η κ λ ν ρ τ
    ω"""
)  # arguments that are tried as numbers first
EITHER = words("c d m s t mu sigma theta phi psi xi zeta μ σ θ φ ψ ξ ζ")  # numbers, or vectors of the size of another
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
KINDS = ("a number", "a vector", "a matrix")
ATTEMPTS = 80
LARGEST = 40  # index that a vector of unknown size is made long enough for
MOST_KINDS = 128


class Contradiction(Exception):
    """Sizes that cannot be as the program needs them: what is wrong, and whether it is that of given sizes."""

    def __init__(self, what: str, given: bool = False):
        super().__init__(what)
        self.given = given


class Found(NamedTuple):
    """The shapes of all arguments, two numbers for every letter, and the arguments whose shapes had not been given."""

    shapes: Shapes
    letters: Numbers
    others: Numbers
    inferred: tuple[str, ...]


class Search:
    """The search for the shapes of the arguments of a program.

    Parameters
    ----------
    program : Program
        The program.
    given : dict
        The shapes that are given.
    rng : Generator
        The source of random numbers.
    assume : dict
        What is assumed of arguments.
    """

    def __init__(self, program: Program, given: Shapes, rng: np.random.Generator, assume: dict[str, str]):
        self.program = program
        self.given = given
        self.rng = rng
        self.square = [name for name, text in assume.items() if assumption(name, text).square]
        self.unknown = tuple(name for name in program.arguments if name not in given)
        self.count = 0

    def found(self) -> Found:
        """The shapes; raises `InputError` where there are none."""
        faults: list[Contradiction] = []
        for ranks in self.ranks():
            try:
                shapes, letters, others = self.unified(ranks)
            except Contradiction as fault:
                faults.append(fault)
                continue
            return self.renamed(*self.without_strangers(ranks, shapes, letters, others))
        if faults[0].given:
            raise InputError(at_users_line(str(faults[0]), "Correct shapes=, or the formula."))
        if not self.unknown:
            what, cure = "the formula cannot be evaluated for these shapes", "Correct shapes=, or the formula."
        else:
            tried = "; ".join(f"{name} was tried as {self.tried(name)}" for name in self.unknown)
            example = ", ".join(f'"{name}": ("n",)' for name in self.unknown)
            what = f"no shapes were found with which the formula can be evaluated: {tried}"
            cure = f"Give the shapes: shapes={{{example}}}, () for a number."
        raise InputError(f"{at_users_line(what, cure)}\n{faults[0]}")

    def tried(self, name: str) -> str:
        """The kinds that an argument may have."""
        return " and as ".join(KINDS[rank] for rank in self.options(name))

    def options(self, name: str) -> tuple[int, ...]:
        """The ranks of an argument of unknown shape, the likeliest first: capitals are matrices."""
        if name in self.square:
            return (2,)
        if name in SCALARS:
            return (0, 1)
        return (2, 0) if name[0].isupper() else (1, 0)

    def ranks(self) -> Iterator[dict[str, int]]:
        """Ranks for all arguments of unknown shape; those with the fewest changes from the likeliest first."""
        options = [self.options(name) for name in self.unknown]
        choices = islice(product(*(range(len(option)) for option in options)), 4096)
        for choice in islice(sorted(choices, key=sum), MOST_KINDS):
            yield {name: options[k][choice[k]] for k, name in enumerate(self.unknown)}

    def without_strangers(self, ranks: dict[str, int], shapes: Shapes, letters: Numbers, others: Numbers) -> Any:
        """The same with numbers for what may be either, where a vector would give the result a size of its own."""
        outcome = self.run(shapes, letters)
        sizes = outcome.shape if isinstance(outcome, Watch) else ()
        for name in EITHER.intersection(self.unknown):
            alone = [letter for other, shape in shapes.items() if other != name for letter in map(str, shape)]
            letter = str(shapes[name][0]) if shapes[name] else ""
            if alone and ranks[name] == 1 and letter not in alone and letters.get(letter) in sizes:
                fewer = {**ranks, name: 0}
                try:
                    return self.without_strangers(fewer, *self.unified(fewer))
                except Contradiction:
                    continue
        return shapes, letters, others

    def fresh(self) -> str:
        """A letter for a size that has not been given."""
        self.count += 1
        return f"{FOUND}{self.count}"

    def unified(self, ranks: dict[str, int]) -> tuple[Shapes, Numbers, Numbers]:
        """Shapes and numbers with which the program runs; raises `Contradiction` if there are none."""
        shapes: Shapes = {
            name: self.given[name] if name in self.given else tuple(self.fresh() for _ in range(ranks[name]))
            for name in self.program.arguments
        }
        for name in self.square:
            if len(shapes[name]) < 2:
                raise Contradiction(f"{name} is assumed to be a square matrix, and has the shape {shapes[name]}")
            shapes = self.equated(shapes, shapes[name][-1], shapes[name][-2], f"the assumption about {name}")
        least, descending = 2, True
        for _ in range(ATTEMPTS):
            letters, others = self.numbers(shapes, least, descending)
            outcome, again = self.run(shapes, letters), self.run(shapes, others)
            failed, second = (None if isinstance(seen, Watch) else unfit(seen) for seen in (outcome, again))
            if isinstance(outcome, Watch) and isinstance(again, Watch):
                wished = self.wished(shapes, letters, others, outcome, again)
                if wished != shapes:
                    shapes = wished
                elif outcome.singular and descending and len(letters) > 1:
                    descending = False  # X.T @ X has an inverse only if X has more rows than columns
                else:
                    return shapes, letters, others
            elif any(fault and isinstance(fault.reason, IndexError) for fault in (failed, second)) and least < LARGEST:
                least += 4  # x[9] needs ten entries
            else:
                error = again if isinstance(outcome, Watch) else outcome
                shapes = self.resolved(shapes, letters, others, failed, second, error)
        raise Contradiction("the sizes could not be found")

    def numbers(self, shapes: Shapes, least: int, descending: bool) -> tuple[Numbers, Numbers]:
        """Two numbers for every letter; letters that come first have the larger ones."""
        tokens = [token for shape in shapes.values() for token in shape]
        letters = tuple(dict.fromkeys(letter for token in tokens for letter in letters_of(token)))
        taken = {token for token in tokens if isinstance(token, int)}
        first = distinct(len(letters), taken, FIRST, least, set())
        second = distinct(len(letters), taken, SECOND, least, set(first))
        step = 1 if descending else -1
        return dict(zip(letters, first[::step], strict=True)), dict(zip(letters, second[::step], strict=True))

    def run(self, shapes: Shapes, letters: Numbers) -> Watch | Exception:
        """What was seen in a run of the program, or what it raised."""
        values: dict[str, Any] = {letter: letters[letter] for letter in self.program.letters}
        for name, shape in shapes.items():
            values[name] = safe(self.rng, tuple(number(token, letters) for token in shape))
        try:
            return watched(self.program, values)
        except (Unfit, InputError, ValueError, IndexError, ArithmeticError, AttributeError) as error:
            return error

    def resolved(
        self,
        shapes: Shapes,
        letters: Numbers,
        others: Numbers,
        failed: Unfit | None,
        second: Unfit | None,
        error: Any,
    ) -> Shapes:
        """The shapes after two sizes that a failed operation requires to be equal have been made equal."""
        if failed is not None and second is not None and failed.pairs == second.pairs:
            for one, two in failed.pairs:
                here = failed.size(one), failed.size(two)
                there = second.size(one), second.size(two)
                if here[0] == here[1] or 1 in here:
                    continue
                left, right = (explained(*sizes, letters, others) for sizes in zip(here, there, strict=True))
                if left is None or right is None:
                    break
                return self.equated(shapes, left, right, getattr(error, "expression", "") or failed.name)
        raise Contradiction(str(error).rstrip(". "))

    def wished(self, shapes: Shapes, letters: Numbers, others: Numbers, first: Watch, second: Watch) -> Shapes:
        """The shapes after the matrices whose trace is taken have become square, unless they are given otherwise."""
        for here, there in zip(first.wishes, second.wishes, strict=True):
            rows, columns = (explained(*sizes, letters, others) for sizes in zip(here, there, strict=True))
            if rows is None or columns is None or rows == columns:
                continue
            with suppress(Contradiction):
                return self.equated(shapes, rows, columns, "the trace")
        return shapes

    def equated(self, shapes: Shapes, left: Token, right: Token, expression: str) -> Shapes:
        """The shapes with two equal sizes: one that has not been given becomes the other one."""
        for old, new in ((left, right), (right, left)):
            if old == new:
                return shapes
            if isinstance(old, str) and old.startswith(FOUND) and old.isidentifier() and old not in letters_of(new):
                return {name: replaced(shape, old, new) for name, shape in shapes.items()}
        for old, new in ((left, right), (right, left)):  # found - 1 = n, so found = n + 1
            solved = re.fullmatch(rf"({FOUND}\d+) ([+-]) (\d+)", str(old))
            if solved and solved[1] not in letters_of(new):
                step = int(solved[3]) * (1 if solved[2] == "-" else -1)
                target = new + step if isinstance(new, int) else f"{new} {'+' if step > 0 else '-'} {abs(step)}"
                return {name: replaced(shape, solved[1], target) for name, shape in shapes.items()}
        places = [self.place(shapes, token) for token in (left, right)]
        tokens = [left, right]
        if not places[0]:
            places.reverse()
            tokens.reverse()
        if not places[0]:
            raise Contradiction(f"{expression} needs {tokens[0]} and {tokens[1]} to be equal")
        of = f", the {places[1]}" if places[1] else ""
        needs = f"{expression} needs it to equal {shown(tokens[1])}{of}"
        raise Contradiction(f"the {places[0]} is {shown(tokens[0])}, but {needs}", given=True)

    def place(self, shapes: Shapes, token: Token) -> str:
        """Where a size stands: ``second size of X (given in shapes)``."""
        for name, shape in shapes.items():
            for axis, found in enumerate(shape):
                if found == token:
                    given = " (given in shapes)" if name in self.given else ""
                    return f"{ORDINALS[min(axis, len(ORDINALS) - 1)]} size of {name}{given}"
        return ""

    def renamed(self, shapes: Shapes, letters: Numbers, others: Numbers) -> Found:
        """The same with the usual letters in place of those that were made up."""
        program = self.program
        taken = {*program.arguments, *program.letters, *program.assigned, *program.unknown_functions, *letters}
        pool = [letter for letter in POOL if letter not in taken]
        pool += [f"n{k}" for k in range(1, 100) if f"n{k}" not in taken]
        names: dict[str, str] = {}
        for shape in sorted(shapes.values(), key=len, reverse=True):
            new = [t for token in shape for t in letters_of(token) if t.startswith(FOUND) and t not in names]
            new = list(dict.fromkeys(new))
            names.update(zip(new, sorted(pool[: len(new)]), strict=True))
            del pool[: len(new)]
        for old, name in names.items():
            shapes = {argument: replaced(shape, old, name) for argument, shape in shapes.items()}
        return Found(
            shapes,
            {names.get(letter, letter): size for letter, size in letters.items()},
            {names.get(letter, letter): size for letter, size in others.items()},
            self.unknown,
        )


def replaced(shape: Shape, old: str, new: Token) -> Shape:
    """A shape in which a letter has become another size, inside expressions as well."""

    def of(token: Token) -> Token:
        if token == old:
            return new
        if isinstance(token, str) and old in letters_of(token):
            plain = isinstance(new, int) or new.isidentifier()
            return re.sub(rf"\b{old}\b", str(new) if plain else f"({new})", token)
        return token

    return tuple(map(of, shape))


def shown(token: Token) -> str:
    """A size for messages; made-up letters have no name for people."""
    return "unknown" if isinstance(token, str) and FOUND in token else str(token)
