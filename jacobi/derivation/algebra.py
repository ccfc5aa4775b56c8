"""Sums, products, reshapes and the like of expressions in index notation, and how long a formula is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from jacobi.derivation.expression import (
    Axes,
    Call,
    Constant,
    Digits,
    Draft,
    Expression,
    Factor,
    Group,
    Leaf,
    Number,
    Term,
    Variable,
    collected,
    exact,
    flat,
    moved,
)


def multiply(draft: Draft, number: Any) -> None:
    """Multiply a draft by a number; one that is no fraction becomes a factor, so that sizes can be read off."""
    found = exact(number)
    if isinstance(found, Fraction):
        draft.coefficient *= found
        return
    square = exact(found * found, 2e-15)
    if not isinstance(square, Fraction):
        draft.factors.append((Constant(found), ()))
        return
    draft.coefficient *= 1 if found > 0 else -1
    below = square.numerator == 1
    root = Call("sqrt", (constant(1 / square if below else square),))
    draft.factors.append((Call("reciprocal", (from_leaf(root, ()),)) if below else root, ()))


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
    multiply(draft, number)
    return collected(shape, [draft.finish(tuple(draft.axis(size) for size in shape))])


def identity(size: int) -> Expression:
    """The identity matrix."""
    draft = Draft()
    axis = draft.axis(size)
    return Expression((size, size), (draft.finish((axis, axis)),))


def number_of(expression: Expression) -> Number | None:
    """The number that an expression is everywhere, or None."""
    if not expression.terms:
        return Fraction(0)
    if (
        len(expression.terms) == 1
        and not expression.terms[0].factors
        and len(expression.terms[0].sizes) == len({index for axis in expression.terms[0].axes for index in axis})
    ):
        indices = [index for axis in expression.terms[0].axes for index in axis]
        return expression.terms[0].coefficient if len(indices) == len(set(indices)) else None
    return None


def scaled(expression: Expression, number: Any) -> Expression:
    """A multiple."""
    number = exact(number)
    if not isinstance(number, Fraction):
        return multiplied(constant(number), expression)
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


def times(left: Expression, right: Expression, middle: int) -> Expression:
    """The product of two arrays: the last ``middle`` axes of one are the first of the other."""
    outer = len(left.shape) - middle
    rows = range(outer)
    inner = range(outer, outer + middle)
    columns = range(outer + middle, outer + len(right.shape))
    return contracted([left, right], [(*rows, *inner), (*inner, *columns)], (*rows, *columns), whole=True)


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


def closed_parts(term: Term) -> tuple[Term, list[Term]]:
    """A term as what carries the axes of the array, and scalars: the factors that are connected to no axis."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for factor in term.factors:
        indices = set(flat(factor[1]))
        touching = [group for group in groups if group[0] & indices]
        groups = [group for group in groups if all(group is not other for other in touching)]
        factors = [f for group in touching for f in group[1]] + [factor]
        groups.append((indices.union(*(group[0] for group in touching)), factors))
    closed = [factors for indices, factors in groups if not indices & term.outer]
    rest = [factor for indices, factors in groups if indices & term.outer for factor in factors]
    return drafted(term, rest, term.axes, term.coefficient), [drafted(term, part, (), Fraction(1)) for part in closed]


def product_of(term: Term, scalars: Sequence[Term]) -> Term:
    """A term times scalars."""
    draft = Draft()
    axes = draft.take(term)
    for part in scalars:
        draft.take(part)
    return draft.finish(axes)


def drafted(term: Term, factors: Sequence[Factor], axes: Axes, number: Number) -> Term:
    """A term with some of the factors of another one."""
    draft = Draft()
    new = {k: draft.index(term.sizes[k]) for k in sorted({*flat(axes), *(k for _, on in factors for k in flat(on))})}
    draft.coefficient = number if isinstance(number, Fraction) else Fraction(number)
    draft.factors = [(leaf, tuple(tuple(new[k] for k in axis) for axis in on)) for leaf, on in factors]
    return draft.finish(tuple(tuple(new[k] for k in axis) for axis in axes))


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
