"""Simplification: all identities are applied, inside functions first, until none makes a formula shorter."""

from __future__ import annotations

from typing import Any

from jacobi.derivation import identities_of_functions, identities_of_sums, identities_of_terms  # noqa: F401
from jacobi.derivation.algebra import complexity, count_of_leaves, expanded, from_leaf, replaced, scaled, transposed
from jacobi.derivation.expression import Call, Draft, Expression, Group, Leaf, Term, collected, exact
from jacobi.derivation.identities import (
    OF_FUNCTIONS,
    OF_SUMS,
    OF_TERMS,
    grouped,
    lone_factor,
    term_shape,
    with_factors,
)


def simplified(expression: Expression, used: list[str] | None = None, assumed: Any = None) -> Expression:
    """The expression with all identities applied until none makes it shorter.

    Parameters
    ----------
    expression : Expression
        The formula.
    used : list, optional
        The statements of the identities that were used are added to it.
    assumed : callable, optional
        ``assumed(term)`` applies what is assumed of the arguments, as identities of terms do.
    """
    used = [] if used is None else used
    before = None
    for _ in range(ROUNDS):
        if before == expression:
            break
        before = expression = opened(expression)
        expression = inside_simplified(expression, used, assumed)
        expression = terms_simplified(expression, used, assumed)
        expression = sums_simplified(expression, used)
        flat = expanded(expression)
        if flat != expression and count_of_leaves(flat) < count_of_leaves(expression):
            expression = flat
        shorter = factored(expression)
        if shorter is not None and complexity(shorter) <= complexity(expression):
            note(used, "u v + u w = u (v + w)")
            expression = shorter
    return expression


def sums_simplified(expression: Expression, used: list[str]) -> Expression:
    """Pairs of terms that make one together."""
    for _ in range(len(expression.terms)):
        for identity in OF_SUMS:
            found = identity.apply(expression) if len(expression.terms) > 1 else None
            if found is not None:
                note(used, identity.statement)
                expression = found
                break
        else:
            break
    return expression


ROUNDS = 50  # far more than any formula needs: an end is certain


def factored(expression: Expression) -> Expression | None:
    """Two terms that differ in one factor only, written as one: ``x^T A + x^T A^T = x^T (A + A^T)``."""
    terms = expression.terms
    for a, one in enumerate(terms):
        for b in range(a + 1, len(terms)):
            found = common_part(one, terms[b])
            if found is not None:
                rest = [term for k, term in enumerate(terms) if k not in (a, b)]
                return collected(expression.shape, [*rest, found])
    return None


def common_part(one: Term, other: Term) -> Term | None:
    """One term for two that differ in one factor, if they have another one in common."""
    if len(one.factors) != len(other.factors) or len(one.factors) < 2:
        return None
    remainders = {}
    for k, (_, on) in enumerate(one.factors):
        if 0 < len(on) <= 2 and all(len(axis) == 1 for axis in on) and len(set(on)) == len(on):
            remainders[remainder(one, k, range(len(on)))] = k
    for j, (leaf, on) in enumerate(other.factors):
        for order in ((0, 1), (1, 0)) if len(on) == 2 else (tuple(range(len(on))),):
            found = remainders.get(remainder(other, j, order)) if on else None
            if found is None or len(one.factors[found][1]) != len(on):
                continue
            shape = term_shape(one.factors[found][1], one)
            first = from_leaf(one.factors[found][0], shape)
            turned = tuple(shape[i] for i in order)
            second = from_leaf(leaf, turned)
            if order == (1, 0):
                second = transposed(second, (1, 0))
            ratio = exact(other.coefficient / one.coefficient)
            inside = collected(shape, [*opened(first).terms, *scaled(opened(second), ratio).terms])
            return with_factors(one, {found}, [(Group(inside), one.factors[found][1])])
    return None


def opened(expression: Expression) -> Expression:
    """A sum without the parentheses around the whole of it."""
    lone = lone_factor(expression)
    return lone[0].inside if lone and isinstance(lone[0], Group) else expression


def remainder(term: Term, k: int, order: Any) -> Term:
    """What is left of a term without a factor, whose axes become axes of the array; the number is left out."""
    draft = Draft()
    for size in term.sizes:
        draft.index(size)
    draft.factors = [factor for j, factor in enumerate(term.factors) if j != k]
    on = term.factors[k][1]
    return draft.finish((*term.axes, *(on[i] for i in order)))


def inside_simplified(expression: Expression, used: list[str], assumed: Any) -> Expression:
    """The functions and parentheses of an expression simplified."""

    def change(leaf: Leaf, term: Term) -> Expression | None:
        if isinstance(leaf, Group):
            inside = simplified(leaf.inside, used, assumed)
            if len(inside.terms) <= 1:
                return inside
            return None if inside == leaf.inside else from_leaf(Group(inside), inside.shape)
        if not isinstance(leaf, Call):
            return None
        arguments = tuple(simplified(argument, used, assumed) for argument in leaf.arguments)
        changed = Call(leaf.name, arguments, leaf.parameters, leaf.elementwise)
        for identity in OF_FUNCTIONS:
            found = identity.apply(changed)
            if found is not None:
                note(used, identity.statement)
                return grouped(simplified(found, used, assumed))
        shape = shape_of(leaf, term)
        return None if changed == leaf else from_leaf(changed, shape)

    return replaced(expression, change)


def shape_of(leaf: Leaf, term: Term) -> tuple[int, ...]:
    """The shape of a factor of a term."""
    return next(term_shape(on, term) for other, on in term.factors if other == leaf)


def terms_simplified(expression: Expression, used: list[str], assumed: Any) -> Expression:
    """The terms simplified one by one, and like ones collected."""
    terms: list[Term] = []
    for term in expression.terms:
        waiting = [term]
        while waiting:
            current = waiting.pop()
            for identity in (*OF_TERMS, *(assumed or ())):
                found = identity.apply(current)
                if found is not None:
                    note(used, identity.statement)
                    waiting += found
                    break
            else:
                terms.append(current)
    return collected(expression.shape, terms)


def note(used: list[str], statement: str) -> None:
    """Remember that an identity was used."""
    if statement not in used:
        used.append(statement)
