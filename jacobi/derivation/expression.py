"""Expressions in index notation: sums of products of factors whose axes carry indices, as formulas are derived.

An `Expression` is an array, such as ``y_i - sum_k X_ik w_k``.  Each of its terms is a number times a product of
factors; the axes of the array and those of every factor carry indices.  An index on two axes of the array is a
Kronecker delta, one on no axis of it is summed, and one on no factor broadcasts.  So products, transposes, sums over
axes, diagonals and the chain rule are all renamings of indices.

An axis carries a tuple of indices, its digits in C order: none for an axis of length 1, and several where axes have
been merged by a reshape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

Digits = tuple[int, ...]
Axes = tuple[Digits, ...]
Number = Fraction | float


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
        return scaled(self, Fraction(-1))


def exact(number: Any) -> Number:
    """A number as a fraction, if it is one with a denominator below a million."""
    if isinstance(number, Fraction):
        return number
    value = float(number)
    if value != value or value in (float("inf"), float("-inf")):
        return value
    fraction = Fraction(value).limit_denominator(1_000_000)
    return fraction if abs(float(fraction) - value) <= 4e-16 * abs(value) else value


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


def key_of(leaf: Leaf) -> str:
    """What leaves are sorted by."""
    return repr(leaf)


def collected(shape: tuple[int, ...], terms: Iterable[Term]) -> Expression:
    """The sum of terms, like ones added up."""
    total: dict[Any, Term] = {}
    for term in terms:
        like = (term.axes, term.factors, term.sizes)
        known = total.get(like)
        coefficient = term.coefficient if known is None else exact(known.coefficient + term.coefficient)
        total[like] = Term(coefficient, *like)
    return Expression(shape, tuple(term for term in total.values() if term.coefficient != 0))


# making expressions


def variable(name: str, shape: tuple[int, ...]) -> Expression:
    """An argument."""
    return from_leaf(Variable(name), shape)


def from_leaf(leaf: Leaf, shape: tuple[int, ...]) -> Expression:
    """An array that is not taken apart."""
    draft = Draft()
    return Expression(shape, (draft.finish(draft.put(leaf, shape)),))


def constant(number: Any, shape: tuple[int, ...] = ()) -> Expression:
    """The same number everywhere."""
    draft = Draft()
    draft.coefficient = exact(number)
    return collected(shape, [draft.finish(tuple(draft.axis(size) for size in shape))])


def number_of(expression: Expression) -> Number | None:
    """The number that an expression is everywhere, or None."""
    if not expression.terms:
        return Fraction(0)
    if len(expression.terms) == 1 and not expression.terms[0].factors and len(expression.terms[0].sizes) == len(
        {index for axis in expression.terms[0].axes for index in axis}
    ):
        indices = [index for axis in expression.terms[0].axes for index in axis]
        return expression.terms[0].coefficient if len(indices) == len(set(indices)) else None
    return None


def scaled(expression: Expression, number: Any) -> Expression:
    """A multiple."""
    number = exact(number)
    return Expression(expression.shape, tuple(term.times(number) for term in expression.terms) if number != 0 else ())


def added(*expressions: Expression) -> Expression:
    """The sum, with NumPy's broadcasting."""
    shape = broadcast_shape([e.shape for e in expressions])
    return collected(shape, [term for e in expressions for term in broadcast(e, shape).terms])


def broadcast_shape(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that all these broadcast to."""
    result: list[int] = []
    for shape in shapes:
        padded = [1] * (len(result) - len(shape)) + list(shape)
        result = [1] * (len(shape) - len(result)) + result
        result = [b if a == 1 else a for a, b in zip(result, padded, strict=True)]
    return tuple(result)


def broadcast(expression: Expression, shape: tuple[int, ...]) -> Expression:
    """The expression spread to a shape."""
    if expression.shape == shape:
        return expression
    terms = []
    for term in expression.terms:
        draft = Draft()
        axes = draft.take(term)
        axes = ((),) * (len(shape) - len(axes)) + axes
        old = (1,) * (len(shape) - len(expression.shape)) + expression.shape
        spread = [axis if a == b else draft.axis(b) for axis, a, b in zip(axes, old, shape, strict=True)]
        terms.append(draft.finish(tuple(spread)))
    return collected(shape, terms)


def single(expression: Expression) -> Expression:
    """The expression as one term: a sum is put in parentheses."""
    if len(expression.terms) <= 1:
        return expression
    return from_leaf(Group(expression), expression.shape)


def contracted(
    operands: Sequence[Expression], labels: Sequence[Sequence[Any]], out: Sequence[Any], whole: bool = False
) -> Expression:
    """The product of arrays with labels on their axes, as in ``np.einsum``; labels that are not in ``out`` are summed.

    Sums in the operands are put in parentheses, or multiplied out where ``whole`` is set.
    """
    if not whole:
        operands = [single(operand) for operand in operands]
    size: dict[Any, int] = {}
    for operand, names in zip(operands, labels, strict=True):
        for name, count in zip(names, operand.shape, strict=True):
            size[name] = max(size.get(name, 1), count)
    shape = tuple(size[name] for name in out)
    combinations: list[list[Term]] = [[]]
    for operand in operands:
        combinations = [[*chosen, term] for chosen in combinations for term in operand.terms]
    terms = []
    for chosen in combinations:
        draft = Draft()
        carried: dict[Any, Digits] = {}
        for term, names, operand in zip(chosen, labels, operands, strict=True):
            for axis, name, count in zip(draft.take(term), names, operand.shape, strict=True):
                if count == 1 and size[name] != 1:
                    continue
                if name in carried:
                    draft.tie(carried[name], axis)
                else:
                    carried[name] = axis
        for name, count in size.items():
            if name not in carried:
                carried[name] = draft.axis(count)
        terms.append(draft.finish(tuple(carried[name] for name in out)))
    return collected(shape, terms)


def multiplied(*operands: Expression) -> Expression:
    """The product entry by entry, with NumPy's broadcasting."""
    shape = broadcast_shape([e.shape for e in operands])
    ndim = len(shape)
    labels = [range(ndim - len(e.shape), ndim) for e in operands]
    return contracted(operands, labels, range(ndim))


def summed(expression: Expression, axes: Iterable[int]) -> Expression:
    """The sum over some axes, which are dropped."""
    dropped = set(axes)
    kept = [k for k in range(len(expression.shape)) if k not in dropped]
    return contracted([expression], [range(len(expression.shape))], kept, whole=True)


def transposed(expression: Expression, order: Sequence[int]) -> Expression:
    """The axes in another order."""
    return contracted([expression], [range(len(expression.shape))], order, whole=True)


def reshaped(expression: Expression, shape: tuple[int, ...]) -> Expression:
    """Axes merged and split, in C order."""
    if expression.shape == shape:
        return expression
    terms = []
    for term in expression.terms:
        draft = Draft()
        flat = tuple(index for axis in draft.take(term) for index in axis)
        axes = tuple(draft.axis(size) for size in shape)
        draft.tie(flat, tuple(index for axis in axes for index in axis))
        terms.append(draft.finish(axes))
    return collected(shape, terms)


def replaced(expression: Expression, change: Any) -> Expression:
    """The expression with ``change(leaf, term)`` in place of every leaf for which that is an Expression."""
    terms: list[Term] = []
    for term in expression.terms:
        drafts = [Draft()]
        axes = None
        drafts[0].coefficient = term.coefficient
        shift = len(drafts[0].sizes)
        for size in term.sizes:
            drafts[0].index(size)
        axes = moved(term.axes, shift)
        for leaf, on in term.factors:
            new = change(leaf, term)
            if new is None:
                for draft in drafts:
                    draft.factors.append((leaf, on))
                continue
            following = []
            for draft in drafts:
                for part in new.terms:
                    copy = copied(draft)
                    for axis, tied in zip(copy.take(part), on, strict=True):
                        copy.tie(axis, tied)
                    following.append(copy)
            drafts = following
        terms += [draft.finish(axes) for draft in drafts]
    return collected(expression.shape, terms)


def copied(draft: Draft) -> Draft:
    """A draft that can be continued by itself."""
    other = Draft()
    other.sizes, other.parent = list(draft.sizes), list(draft.parent)
    other.digits, other.coefficient = dict(draft.digits), draft.coefficient
    other.factors = list(draft.factors)
    return other


def expanded(expression: Expression) -> Expression:
    """The expression with its parentheses multiplied out, one level."""
    return replaced(expression, lambda leaf, term: leaf.inside if isinstance(leaf, Group) else None)


def leaves(expression: Expression) -> Iterable[Leaf]:
    """All leaves, those inside others included."""
    for term in expression.terms:
        for leaf, _ in term.factors:
            yield leaf
            if isinstance(leaf, Group):
                yield from leaves(leaf.inside)
            elif isinstance(leaf, Call):
                for argument in leaf.arguments:
                    yield from leaves(argument)


def count_of_leaves(expression: Expression) -> int:
    """How many symbols and functions a formula has."""
    total = 0
    for term in expression.terms:
        for leaf, _ in term.factors:
            if isinstance(leaf, Group):
                total += count_of_leaves(leaf.inside)
            else:
                inner = leaf.arguments if isinstance(leaf, Call) else ()
                total += 1 + sum(count_of_leaves(argument) for argument in inner)
    return total


def complexity(expression: Expression) -> int:
    """How long a formula is: factors, terms and what is inside functions."""
    total = 0
    for term in expression.terms:
        total += 1
        for leaf, _ in term.factors:
            if isinstance(leaf, Group):
                total += complexity(leaf.inside)
            elif isinstance(leaf, Call):
                total += 1 + sum(complexity(argument) for argument in leaf.arguments)
            else:
                total += 1
    return total
