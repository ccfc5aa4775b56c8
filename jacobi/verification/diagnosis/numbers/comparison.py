"""The numbers of a wrong claim beside the right ones: the questions that patterns ask, and the table of patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobi.verification.evidence import Array, Evidence, Mask
from jacobi.verification.slips import Candidate

Indices = NDArray[np.intp]

ROUNDING = 1e-9  # relative; what a claim that is right up to the slip may lose to rounding
SAMPLE = 64  # so many entries are looked at before all are
CLOSE_TO_ONE = 0.05  # a factor so close to 1 is more likely a wrong constant than a missing factor
MEANT, MEANINGLESS = 0.55, 0.3  # how far a factor is to be trusted that is a constant of mathematics, or is none
CONSTANTS = {"pi": np.pi, "log(2)": np.log(2), "log(10)": np.log(10), "sqrt(2)": np.sqrt(2), "e": np.e}


class Factor(NamedTuple):
    """A number that repairs the claim: ``right = value * claim``."""

    value: float
    identifier: str
    words: str
    code: str  # with {} for the claim
    weight: float
    double: bool = False  # a product of two factors


class Pattern(NamedTuple):
    """How the slips of some names are recognised.

    ``part`` tells that the pattern speaks of a part of the matrix, ``any_shape`` that it can read claims of a
    wrong shape.
    """

    identifiers: tuple[str, ...]
    find: Callable[[Comparison], Iterator[Candidate]]
    part: bool
    any_shape: bool


PATTERNS: list[Pattern] = []

Find = Callable[["Comparison"], Iterator[Candidate]]


def pattern(*identifiers: str, part: bool = False, any_shape: bool = False) -> Callable[[Find], Find]:
    """Declare a function that yields the slips of these names that fit."""

    def declare(find: Find) -> Find:
        PATTERNS.append(Pattern(identifiers, find, part, any_shape))
        return find

    return declare


class Comparison:
    """The right matrix and the claim, both (m, n), side by side; what is not established is NaN in ``right``."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.given = np.asarray(evidence.given)
        self.out_shape, self.in_shape = evidence.out_shape, evidence.in_shape
        self.m, self.n = evidence.right.shape
        self.known: Mask = evidence.known & np.isfinite(evidence.right)
        self.right: Array = np.where(self.known, evidence.right, np.nan)
        self.tolerance: Array = np.where(self.known, evidence.tolerance, 0.0)
        self.claimed: Array = np.full(self.right.shape, np.nan) if evidence.claimed is None else evidence.claimed

    def proves(self, repaired: Array, slack: float = 1.0) -> bool:
        """Whether a repaired claim, (m, n), equals the right matrix wherever that is known."""
        if repaired.shape != self.right.shape:
            return False
        return bool(np.all((np.abs(repaired - self.right) <= slack * self.tolerance) | ~self.known))

    def agrees(self, slip: Array, tolerance: Array | None = None) -> bool:
        """Whether the claim is what a slip makes of the right matrix; NaN in ``slip`` explains nothing."""
        allowed = (self.tolerance if tolerance is None else tolerance) + ROUNDING * np.abs(slip)
        return bool(np.all((np.abs(slip - self.claimed) <= allowed) | (np.isnan(slip) & ~self.wrong)))

    @cached_property
    def wrong(self) -> Mask:
        """The known entries that are not as claimed; a claimed NaN is wrong."""
        return self.known & ~(np.abs(self.claimed - self.right) <= self.tolerance)

    @cached_property
    def support(self) -> Mask:
        """The known entries that are not zero."""
        return np.abs(self.right) > self.tolerance

    @cached_property
    def claimed_support(self) -> Mask:
        """The known entries that are claimed not to be zero."""
        return self.known & ~(np.abs(self.claimed) <= self.tolerance)

    @cached_property
    def certainty(self) -> float:
        """By how much a factor without a name can be trusted: a single number has a ratio to every other."""
        return 1.0 if np.count_nonzero(self.support) > 1 else 0.5

    @cached_property
    def pivot(self) -> tuple[int, int]:
        """The entry that is known with the smallest relative error."""
        score = np.where(self.support, np.abs(self.right) / (self.tolerance + np.finfo(float).tiny), 0.0)
        i, j = np.unravel_index(np.argmax(score), score.shape)
        return int(i), int(j)

    @cached_property
    def sample(self) -> tuple[Indices, Indices]:
        """Some known entries, the pivot first, and if possible not zero."""
        places = np.flatnonzero(self.support if self.support.any() else self.known)
        few = np.random.default_rng(0).permutation(places)[: SAMPLE - 1] if places.size > SAMPLE else places
        rows, columns = np.unravel_index(few, self.right.shape)
        return np.r_[self.pivot[0], rows], np.r_[self.pivot[1], columns]

    def plausible(self, values: Array) -> bool:
        """Whether the repaired values of the sample are the right ones up to one factor."""
        right, tolerance = self.right[self.sample], self.tolerance[self.sample]
        distance = np.abs(values * (right[0] / values[0]) - right)
        return bool(np.all(distance <= 4.0 * tolerance + ROUNDING * np.abs(right)))

    def factors(self, matrix: Array) -> list[Factor]:
        """The ways to say by which factor the matrix differs from the right one; none if no single one does.

        The factor 1 has no name: it comes with an empty identifier.
        """
        if matrix.shape != self.right.shape:
            return []
        if self.proves(matrix):
            return [Factor(1.0, "", "", "{}", 1.0)]
        if not self.support.any():
            return []
        ratio = float(self.right[self.pivot] / matrix[self.pivot])
        if not np.isfinite(ratio) or ratio == 0.0:
            return []
        # No entry is known better than the pivot, so its ratio spends at most one more tolerance elsewhere.
        if not self.proves(ratio * matrix, 2.0):
            return []
        near = [factor for factor in self.known_factors if abs(factor.value - ratio) <= 0.01 * abs(ratio)]
        named = [factor for factor in near if self.proves(factor.value * matrix)]
        named = [factor for factor in named if not factor.double] or named
        if any("over_n" not in factor.identifier for factor in named):
            return named
        # A size of the problem may be what it is by accident: the plain factor stays possible.
        return [*named, self._plain(ratio, matrix, bool(named))]

    def _plain(self, ratio: float, matrix: Array, named: bool) -> Factor:
        """The factor as a number, with the constant that it could be."""
        wrong_by = 1.0 / ratio
        guesses = CONSTANTS | {f"1/{name}": 1.0 / value for name, value in CONSTANTS.items()}
        fraction = Fraction(wrong_by if np.isfinite(wrong_by) else 0.0).limit_denominator(12)
        guesses |= (
            {str(fraction): float(fraction)} if 1 < max(abs(fraction.numerator), fraction.denominator) < 13 else {}
        )
        for size, place in self.sizes.items():
            guesses |= {f"N/(N - 1), where N = {size} is {place}": size / (size - 1)}
            guesses |= {f"(N - 1)/N, where N = {size} is {place}": (size - 1) / size}
            if size**0.5 not in self.sizes:  # else it is that size
                guesses |= {f"sqrt(N), where N = {size} is {place}": size**0.5}
        near = {name: value for name, value in guesses.items() if abs(value - wrong_by) <= 1e-3 * abs(wrong_by)}
        names = " or ".join(name for name, value in near.items() if self.proves(matrix / value))
        meaning = f" (that is {names})" if names else ""
        identifier = "scaled_slightly" if abs(wrong_by - 1.0) < CLOSE_TO_ONE else "scaled"
        subject = "every entry is the right one" if self.right.size > 1 else "the claim is the right value"
        words = f"{subject} times {wrong_by:.7g}{meaning}"
        slight = identifier == "scaled_slightly"
        weight = MEANT if (names or slight) and not named else MEANINGLESS
        if self.right.size == 1 and not names:  # a number has a ratio to every other
            words = f"the claim is {matrix[0, 0]:.6g} where the derivative is {self.right[0, 0]:.6g}"
            return Factor(ratio, identifier, f"{words}, in no simple ratio", "", weight * self.certainty)
        return Factor(ratio, identifier, words, f"{ratio:.12g} * {{}}", weight * self.certainty)

    @cached_property
    def known_factors(self) -> list[Factor]:
        """The factors that have a name, and the products of two of them."""
        every = "every entry is" if self.right.size > 1 else "the claim is"
        trust = (1.0 + self.certainty) / 2.0
        single = [
            Factor(-1.0, "sign_flip", "the sign is wrong everywhere", "-{}", 0.95),
            Factor(2.0, "factor_two_missing", f"{every} half of the right value", "2 * {}", 0.95 * trust),
            Factor(0.5, "factor_two_extra", f"{every} twice the right value", "{} / 2", 0.95 * trust),
        ]
        for size, place in self.sizes.items():
            too = f"{every} {size} times too"
            large = f"{too} large, and N = {size} is {place}: divide by N (a mean, not a sum)"
            small = f"{too} small, and N = {size} is {place}: multiply by N (a sum, not a mean)"
            single.append(Factor(1.0 / size, "one_over_n_missing", large, f"{{}} / {size}", 0.9 * trust))
            single.append(Factor(float(size), "one_over_n_extra", small, f"{size} * {{}}", 0.9 * trust))
        pairs = [(a, b) for k, a in enumerate(single[:3]) for b in single[k + 1 :] if a.value * b.value != 1.0]
        return single + [_both(a, b) for a, b in pairs]

    @cached_property
    def sizes(self) -> dict[int, str]:
        """The sizes of the problem above 1, each with the place where it is found, the nearest first."""
        shapes = {"the output": self.out_shape, "the argument": self.in_shape}
        shapes |= {name: array.shape for name, array in self.arguments.items()}
        found: dict[int, str] = {}
        for name, shape in shapes.items():
            for axis, length in enumerate(shape):
                found.setdefault(length, f"the length of axis {axis} of {name}")
        lengths = sorted(n for n in found if n > 1)[:16]
        for name, shape in shapes.items():
            found.setdefault(prod(shape), f"the number of entries of {name}")
        for a, b in combinations_with_replacement(lengths, 2):
            found.setdefault(a * b, f"the product of the lengths {a} and {b}")
        return {n: place for n, place in found.items() if n > 1}

    @cached_property
    def arguments(self) -> dict[str, Array]:
        """The arguments that are arrays of numbers, by their names."""
        found = {}
        for name, argument in zip(self.evidence.names, self.evidence.args, strict=True):
            if isinstance(argument, np.ndarray | np.number | int | float):
                array = np.asarray(argument)
                if array.dtype.kind in "fiu":
                    found[name] = array.astype(float)
        return found

    @cached_property
    def output(self) -> Array:
        """The values of the function, flattened; empty if there are none."""
        try:
            return np.asarray(self.evidence.f(*self.evidence.args), dtype=float).ravel()
        except Exception:  # the user's function: what it gives only decorates a sentence
            return np.empty(0)

    @property
    def matrix_code(self) -> str:
        """The claim ``J`` as a matrix of shape (m, n), in code."""
        shape = (self.m, self.n)
        if self.given.shape == shape:
            return "J"
        return "J.T" if self.given.shape == shape[::-1] else f"np.reshape(J, {shape})"

    def place(self, i: int, j: int) -> str:
        """The name of an entry, by its indices in the shapes of output and argument."""
        names = (", ".join(str(int(k)) for k in axes(*at)) for at in ((i, self.out_shape), (j, self.in_shape)))
        output, argument = (f"[{name}]" if name else "" for name in names)
        return f"dy{output}/dx{argument}"


def axes(positions: Indices | int, shape: tuple[int, ...]) -> tuple[Indices, ...]:
    """The index along each axis; unlike `numpy.unravel_index` also for a single number, which has no axes."""
    return np.unravel_index(positions, shape) if shape else ()


def _both(first: Factor, second: Factor) -> Factor:
    """Two factors at once, under the name of the first."""
    besides = second.words.removeprefix("every entry is").removeprefix("the claim is")
    words = f"{first.words}, and {second.words if besides == second.words else f'it is also{besides}'}"
    code = first.code.format(f"({second.code})")
    return Factor(first.value * second.value, first.identifier, words, code, 0.9 * first.weight, double=True)


def repaired_by(factor: Factor, identifier: str, words: str, code: str, weight: float) -> Candidate:
    """A slip after whose repair a factor may be left over."""
    if factor.identifier == "":
        return Candidate(identifier, f"{words}.", code, weight)
    sentence = f"{words}; besides, {factor.words}."
    return Candidate(identifier, sentence, factor.code.format(f"({code})"), weight * factor.weight)


def counted(count: int, name: str) -> str:
    """A number of things: ``1 entry``, ``3 rows``."""
    plural = f"{name.removesuffix('y')}ies" if name.endswith("y") else f"{name}s"
    return f"{count} {name if count == 1 else plural}"


def listed(names: list[str], most: int = 5) -> str:
    """Names with commas, the rest counted."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
