"""Expressions in index notation: sums of products of factors whose axes carry indices, as formulas are derived.

An `Expression` is an array, such as ``y_i - sum_k X_ik w_k``.  Each of its terms is a number times a product of
factors; the axes of the array and those of every factor carry indices.  An index on two axes of the array is a
Kronecker delta, one on no axis of it is summed, and one on no factor broadcasts.  So products, transposes, sums over
axes, diagonals and the chain rule are all renamings of indices.

An axis carries a tuple of indices, its digits in C order: none for an axis of length 1, and several where axes have
been merged by a reshape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod
from time import perf_counter
from typing import Any

Digits = tuple[int, ...]
Axes = tuple[Digits, ...]
Number = Fraction | float


# The sizes at which formulas are derived: primes p with (p - 1) / 2 prime as well.  No decimal fraction has them in its
# denominator, so that 1/N and 1/(N - 1) can be read off a number.  None is the sum of two others and 1, or twice
# another and 1.
TELLING = (23, 59, 107, 179, 227, 263, 347, 359)


_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give up, as `Unreadable`, what takes longer."""
    token = _deadline.set(perf_counter() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


class Unreadable(Exception):
    """Something that index notation cannot say."""


@dataclass(frozen=True)
class Leaf:
    """An array that is not taken apart."""


@dataclass(frozen=True)
class Variable(Leaf):
    """An argument, or an intermediate result that has a name."""

    name: str


@dataclass(frozen=True)
class Constant(Leaf):
    """A number that is no fraction, such as pi."""

    value: float


@dataclass(frozen=True)
class Call(Leaf):
    """A function of expressions: entry by entry where ``elementwise``, else of whole arrays."""

    name: str
    arguments: tuple[Expression, ...]
    parameters: tuple[tuple[str, Any], ...] = ()
    elementwise: bool = True


@dataclass(frozen=True)
class Group(Leaf):
    """A sum in parentheses."""

    inside: Expression


Factor = tuple[Leaf, Axes]


@dataclass(frozen=True)
class Term:
    """A number times a product of factors.

    Attributes
    ----------
    coefficient : Fraction or float
        The number.
    axes : tuple of tuples of int
        The indices on every axis of the array.
    factors : tuple of (Leaf, axes)
        The factors with the indices on their axes.
    sizes : tuple of int
        The size of index 0, 1, 2, ...
    """

    coefficient: Number
    axes: Axes
    factors: tuple[Factor, ...]
    sizes: tuple[int, ...]

    @property
    def outer(self) -> frozenset[int]:
        """The indices that stand on the array."""
        return frozenset(index for axis in self.axes for index in axis)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(prod(self.sizes[index] for index in axis) for axis in self.axes)

    def times(self, number: Number) -> Term:
        """A multiple."""
        return Term(self.coefficient * number, self.axes, self.factors, self.sizes)


@dataclass(frozen=True)
class Expression:
    """A sum of terms of one shape.

    Attributes
    ----------
    shape : tuple of int
        The shape of the array.
    terms : tuple of Term
        The terms in canonical form, none like another; empty for zero.
    """

    shape: tuple[int, ...]
    terms: tuple[Term, ...]

    def __neg__(self) -> Expression:
        return Expression(self.shape, tuple(term.times(Fraction(-1)) for term in self.terms))


def exact(number: Any, tolerance: float = 4e-16) -> Number:
    """A number as a fraction, if it is one with a denominator below a million."""
    if isinstance(number, Fraction):
        return number
    value = float(number)
    if value != value or value in (float("inf"), float("-inf")):
        return value
    fraction = Fraction(value).limit_denominator(1_000_000)
    return fraction if abs(float(fraction) - value) <= tolerance * abs(value) else value


class Draft:
    """A term in the making: factors with indices of their own, which are then tied together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.parent: list[int] = []
        self.digits: dict[int, Digits] = {}  # an index that was split into several
        self.coefficient: Number = Fraction(1)
        self.factors: list[Factor] = []

    def index(self, size: int) -> int:
        """A new index."""
        self.sizes.append(size)
        self.parent.append(len(self.parent))
        return len(self.sizes) - 1

    def axis(self, size: int) -> Digits:
        """A new axis of a size."""
        return (self.index(size),) if size != 1 else ()

    def take(self, term: Term) -> Axes:
        """Add the factors of a term, with new indices; its axes."""
        shift = len(self.sizes)
        for size in term.sizes:
            self.index(size)
        self.coefficient *= term.coefficient
        self.factors += [(leaf, moved(axes, shift)) for leaf, axes in term.factors]
        return moved(term.axes, shift)

    def put(self, leaf: Leaf, shape: Sequence[int]) -> Axes:
        """Add a factor with new indices; its axes."""
        axes = tuple(self.axis(size) for size in shape)
        self.factors.append((leaf, axes))
        return axes

    def find(self, index: int) -> int:
        """The index that stands for this one."""
        while self.parent[index] != index:
            index = self.parent[index]
        return index

    def resolved(self, axis: Digits) -> Digits:
        """An axis with every index replaced by what stands for it."""
        result: list[int] = []
        for index in axis:
            root = self.find(index)
            result += self.resolved(self.digits[root]) if root in self.digits else (root,)
        return tuple(result)

    def tie(self, one: Digits, other: Digits) -> None:
        """Make two axes of one size carry the same indices."""
        left, right = list(self.resolved(one)), list(self.resolved(other))
        while left and right:
            a, b = left[-1], right[-1]
            if self.sizes[a] == self.sizes[b]:
                left.pop(), right.pop()
                if a != b:
                    self.parent[a] = b
                    left, right = list(self.resolved(tuple(left))), list(self.resolved(tuple(right)))
            elif self.sizes[a] > self.sizes[b]:
                self.split(a, self.sizes[b])
                left = list(self.resolved(tuple(left)))
            else:
                self.split(b, self.sizes[a])
                right = list(self.resolved(tuple(right)))
        if left or right:
            raise Unreadable("axes of different sizes")

    def split(self, index: int, inner: int) -> None:
        """Replace an index by two digits, the last of size ``inner``."""
        if self.sizes[index] % inner:
            raise Unreadable("axes that do not divide each other")
        self.digits[index] = (self.index(self.sizes[index] // inner), self.index(inner))

    def finish(self, axes: Axes) -> Term:
        """The term in canonical form."""
        resolved = tuple(self.resolved(axis) for axis in axes)
        factors = [(leaf, tuple(self.resolved(axis) for axis in on)) for leaf, on in self.factors]
        used = {index for _, on in factors for axis in on for index in axis}
        used |= {index for axis in resolved for index in axis}
        roots = {root for index in range(len(self.sizes)) for root in self.resolved((index,))}
        free = prod(self.sizes[index] for index in roots - used)
        return canonical(self.coefficient * free, resolved, factors, self.sizes)


def flat(axes: Iterable[Digits]) -> tuple[int, ...]:
    """All indices of some axes."""
    return tuple(index for axis in axes for index in axis)


def moved(axes: Axes, shift: int) -> Axes:
    """The axes with other numbers of the indices."""
    return tuple(tuple(index + shift for index in axis) for axis in axes)


def canonical(coefficient: Number, axes: Axes, factors: Iterable[Factor], sizes: Sequence[int]) -> Term:
    """The term with its factors sorted and its indices numbered in reading order."""
    if perf_counter() > _deadline.get():
        raise Unreadable("a formula that short")
    number: dict[int, int] = {}
    for axis in axes:
        for index in axis:
            number.setdefault(index, len(number))
    waiting = sorted(factors, key=lambda factor: key_of(factor[0]))
    ordered = []
    while waiting:
        # next the factor whose indices are known best, so that the order does not depend on how the term was made
        best = min(
            range(len(waiting)),
            key=lambda k: (
                [number.get(index, 10**6) for axis in waiting[k][1] for index in axis] or [-1],
                key_of(waiting[k][0]),
            ),
        )
        leaf, on = waiting.pop(best)
        for axis in on:
            for index in axis:
                number.setdefault(index, len(number))
        ordered.append((leaf, tuple(tuple(number[index] for index in axis) for axis in on)))
    return Term(
        exact(coefficient),
        tuple(tuple(number[index] for index in axis) for axis in axes),
        tuple(ordered),
        tuple(sizes[index] for index in number),
    )


@lru_cache(maxsize=10_000)
def sizes_in(number: Number) -> tuple[tuple[int, int], ...]:
    """The sizes in a number, and in how often."""
    found = []
    if isinstance(number, Fraction) and (number.denominator > 1 or abs(number.numerator) > 1):
        for size in (*TELLING, *(size // 2 for size in TELLING)):
            times = multiplicity(number.numerator, size) - multiplicity(number.denominator, size)
            if times:
                found.append((size, times))
    return tuple(found)


def multiplicity(number: int, prime: int) -> int:
    """How often a prime divides a number."""
    times = 0
    while number and number % prime == 0:
        number //= prime
        times += 1
    return times


def key_of(leaf: Leaf) -> str:
    """What leaves are sorted by."""
    return repr(leaf)


def collected(shape: tuple[int, ...], terms: Iterable[Term]) -> Expression:
    """The sum of terms, like ones added up; ``2 x`` and ``x / N`` stay apart, since ``N`` is a letter."""
    total: dict[Any, Term] = {}
    for term in terms:
        like = (term.axes, term.factors, term.sizes)
        key = (like, sizes_in(term.coefficient))
        known = total.get(key)
        coefficient = term.coefficient if known is None else known.coefficient + term.coefficient
        total[key] = Term(coefficient, *like)
    return Expression(shape, tuple(term for term in total.values() if term.coefficient != 0))
