"""How identities are declared by which formulas are simplified, and how they look at the factors of a term.

Every identity acts on one function in an expression, on one term of it, or on the whole sum, and says the same in
fewer symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jacobi.derivation.algebra import from_leaf, replaced
from jacobi.derivation.expression import Axes, Call, Draft, Expression, Factor, Group, Leaf, Term


class Identity(NamedTuple):
    """An identity.

    Attributes
    ----------
    statement : str
        As books write it.
    apply : callable
        ``apply(term)`` gives terms that replace a term (or None); for identities of functions, ``apply(call)`` gives
        an Expression of the shape of the function, and for those of sums ``apply(expression)`` an Expression.
    """

    statement: str
    apply: Callable[..., Any]


OF_TERMS: list[Identity] = []
OF_FUNCTIONS: list[Identity] = []
OF_SUMS: list[Identity] = []


def of_terms(statement: str) -> Callable[[Callable[[Term], Any]], Callable[[Term], Any]]:
    """Declare an identity of terms."""

    def declare(apply: Callable[[Term], Any]) -> Callable[[Term], Any]:
        OF_TERMS.append(Identity(statement, apply))
        return apply

    return declare


def of_functions(statement: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Declare an identity of functions."""

    def declare(apply: Callable[[Call], Any]) -> Callable[[Call], Any]:
        OF_FUNCTIONS.append(Identity(statement, apply))
        return apply

    return declare


def of_sums(statement: str) -> Callable[[Callable[[Expression], Any]], Callable[[Expression], Any]]:
    """Declare an identity of sums."""

    def declare(apply: Callable[[Expression], Any]) -> Callable[[Expression], Any]:
        OF_SUMS.append(Identity(statement, apply))
        return apply

    return declare


# looking at factors


def calls(term: Term, name: str) -> Iterator[tuple[int, Call, Axes]]:
    """The factors of a term that are a function of this name."""
    for k, (leaf, on) in enumerate(term.factors):
        if isinstance(leaf, Call) and leaf.name == name:
            yield k, leaf, on


def with_factors(term: Term, dropped: Any, added: Any = (), coefficient: Any = 1, gone: Any = ()) -> Term:
    """The term with some factors replaced by others, whose axes carry indices of the term; summed indices may go."""
    draft = Draft()
    new = {old: draft.index(size) for old, size in enumerate(term.sizes) if old not in gone}

    def renamed(axes: Axes) -> Axes:
        return tuple(tuple(new[k] for k in axis) for axis in axes)

    draft.coefficient = term.coefficient * coefficient
    kept = [factor for k, factor in enumerate(term.factors) if k not in dropped]
    draft.factors = [(leaf, renamed(on)) for leaf, on in (*kept, *added)]
    return draft.finish(renamed(term.axes))


def in_place_of(term: Term, k: int, expression: Expression) -> list[Term]:
    """The terms that come from a factor replaced by an expression with the same axes."""
    count = -1

    def change(leaf: Leaf, _: Term) -> Expression | None:
        nonlocal count
        count += 1
        return expression if count == k else None

    return list(replaced(Expression(term.shape, (term,)), change).terms)


def lone_factor(expression: Expression) -> Factor | None:
    """The only factor of an expression that is nothing else, entry by entry."""
    if len(expression.terms) != 1:
        return None
    (term,) = expression.terms
    if term.coefficient != 1 or len(term.factors) != 1 or term.factors[0][1] != term.axes:
        return None
    return term.factors[0] if len(term.outer) == sum(map(len, term.axes)) else None  # no diagonal of a matrix


def term_shape(on: Axes, term: Term) -> tuple[int, ...]:
    """The shape of a factor of a term."""
    shape = []
    for axis in on:
        size = 1
        for k in axis:
            size *= term.sizes[k]
        shape.append(size)
    return tuple(shape)


def grouped(expression: Expression) -> Expression:
    """A sum in parentheses."""
    return expression if len(expression.terms) <= 1 else from_leaf(Group(expression), expression.shape)


def alone(term: Term, index: int, factors: set[int]) -> bool:
    """Whether an index is summed and stands on these factors only."""
    others = [on for k, (_, on) in enumerate(term.factors) if k not in factors]
    return index not in term.outer and not any(index in axis for on in others for axis in on)


def contracted_to_identity(term: Term, dropped: set[int], one: Any, other: Any) -> Term:
    """The term without two matrices whose product is the identity between two of its axes."""
    gone = {i for k in dropped for axis in term.factors[k][1] for i in axis} - {*one, *other}
    numbers = [k for k in range(len(term.sizes)) if k not in gone]
    draft = Draft()
    new = {old: draft.index(term.sizes[old]) for old in numbers}

    def renamed(axes: Axes) -> Axes:
        return tuple(tuple(new[i] for i in axis) for axis in axes)

    draft.coefficient = term.coefficient
    draft.factors = [(leaf, renamed(on)) for k, (leaf, on) in enumerate(term.factors) if k not in dropped]
    draft.tie(*renamed((one, other)))
    return draft.finish(renamed(term.axes))


def without_factor(term: Term, k: int, gone: set[int], new: Expression, on: Axes) -> list[Term]:
    """The term with an expression in place of a factor, whose summed indices are gone with it."""
    terms = []
    for part in new.terms:
        draft = Draft()
        index = {old: draft.index(size) for old, size in enumerate(term.sizes) if old not in gone}
        draft.coefficient = term.coefficient
        draft.factors = [
            (leaf, tuple(tuple(index[i] for i in axis) for axis in axes))
            for j, (leaf, axes) in enumerate(term.factors)
            if j != k
        ]
        for axis, tied in zip(draft.take(part), on, strict=True):
            draft.tie(axis, tuple(index[i] for i in tied))
        terms.append(draft.finish(tuple(tuple(index[i] for i in axis) for axis in term.axes)))
    return terms
