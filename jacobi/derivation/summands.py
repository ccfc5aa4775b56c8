"""The formula as a sum over samples: ``(2/N) Σ_i 1[w·x_i + b > 0] (w·x_i + b - y_i) x_iᵀ``."""

from __future__ import annotations

from jacobi.derivation.expression import (
    Call,
    Draft,
    Expression,
    Group,
    Leaf,
    Term,
    Unreadable,
    Variable,
    collected,
    flat,
)
from jacobi.derivation.reading import Reader, common_number
from jacobi.notation import tree
from jacobi.notation.compose import product


def sum_over_samples(J: Expression, reader: Reader) -> tree.Tree | None:
    """The derivative of a scalar as a sum over the index that all its terms sum over; None if there is none."""
    if len(J.shape) > 1 or not J.terms:
        return None
    sizes = None
    for term in J.terms:
        summed = {k for _, on in term.factors for k in flat(on)} - term.outer
        here = {term.sizes[k] for k in summed if sum(k in flat(on) for _, on in term.factors) > 0}
        sizes = here if sizes is None else sizes & here
    samples = [size for size in sizes or () if isinstance(reader.size(size), str)]
    if not samples:
        return None
    try:
        terms = [summand(term, samples[0]) for term in J.terms]
        number = common_number(J.terms) if len(J.terms) > 1 else J.terms[0].coefficient
        inside = collected(J.shape, [term.times(1 / number) for term in terms])
        front = reader.scalar_part(Term(number, (), (), ()))
        body = reader.jacobian(inside, 0) if J.shape else reader.array(inside)
    except Unreadable:
        return None
    return product([front, tree.SumOver("i", body)])


def summand(term: Term, size: int) -> Term:
    """The summand of a term for one value of the index of a size."""
    candidates = [k for k, count in enumerate(term.sizes) if count == size and k not in term.outer]
    if len(candidates) != 1:
        raise Unreadable("several sums over samples")
    (index,) = candidates
    draft = Draft()
    new = {k: draft.index(count) for k, count in enumerate(term.sizes) if k != index}
    draft.coefficient = term.coefficient
    for leaf, on in term.factors:
        positions = [k for k, axis in enumerate(on) if index in axis]
        kept = tuple(tuple(new[i] for i in axis) for axis in on if index not in axis)
        if len(positions) > 1 or any(len(on[k]) > 1 for k in positions):
            raise Unreadable("an index on several axes")
        draft.factors.append((sliced(leaf, positions[0]) if positions else leaf, kept))
    return draft.finish(tuple(tuple(new[i] for i in axis) for axis in term.axes))


def sliced(leaf: Leaf, axis: int) -> Leaf:
    """A factor for one value of the index on an axis."""
    if isinstance(leaf, Variable):
        if axis:
            raise Unreadable("a column")
        return Variable(f"{leaf.name}[i]")
    if isinstance(leaf, Group):
        return Group(slice_of(leaf.inside, axis))
    assert isinstance(leaf, Call)
    if not leaf.elementwise:
        raise Unreadable("a function of the whole array")
    ndim = max(len(argument.shape) for argument in leaf.arguments)
    arguments = []
    for argument in leaf.arguments:
        position = axis - (ndim - len(argument.shape))
        arguments.append(argument if position < 0 or argument.shape[position] == 1 else slice_of(argument, position))
    return Call(leaf.name, tuple(arguments), leaf.parameters)


def slice_of(expression: Expression, axis: int) -> Expression:
    """An expression for one value of the index on an axis."""
    shape = expression.shape[:axis] + expression.shape[axis + 1 :]
    terms = []
    for term in expression.terms:
        if len(term.axes[axis]) != 1:
            raise Unreadable("merged axes")
        (index,) = term.axes[axis]
        if any(index in other for k, other in enumerate(term.axes) if k != axis):
            raise Unreadable("a Kronecker delta")
        draft = Draft()
        new = {k: draft.index(count) for k, count in enumerate(term.sizes) if k != index}
        draft.coefficient = term.coefficient
        for leaf, on in term.factors:
            positions = [k for k, digits in enumerate(on) if index in digits]
            if len(positions) > 1:
                raise Unreadable("an index on several axes")
            kept = tuple(tuple(new[i] for i in digits) for digits in on if index not in digits)
            draft.factors.append((sliced(leaf, positions[0]) if positions else leaf, kept))
        axes = tuple(tuple(new[i] for i in digits) for k, digits in enumerate(term.axes) if k != axis)
        terms.append(draft.finish(axes))
    return collected(shape, terms)
