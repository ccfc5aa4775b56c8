"""Identities of sums: two terms that make one together; one declaration each."""

# ruff: noqa: D103  (the statement of an identity is in its decorator)
from __future__ import annotations

from fractions import Fraction

from jacobi.derivation.expression import Call, Expression, Term, collected
from jacobi.derivation.identities import (
    calls,
    of_sums,
    with_factors,
)


@of_sums("1 - σ(u) = σ(-u)")
def opposite_sigmoid(expression: Expression) -> Expression | None:
    for term in expression.terms:
        for k, leaf, on in calls(term, "expit"):
            other = without_opposite(expression, with_factors(term, {k}))
            if other is not None:
                turned = with_factors(term, {k}, [(Call("expit", (-leaf.arguments[0],)), on)], -1)
                return collected(expression.shape, [*(t for t in other.terms if t != term), turned])
    return None


@of_sums("σ(u) + σ(-u) = 1")
def both_sigmoids(expression: Expression) -> Expression | None:
    for term in expression.terms:
        for k, leaf, on in calls(term, "expit"):
            opposite = with_factors(term, {k}, [(Call("expit", (-leaf.arguments[0],)), on)])
            if opposite in expression.terms and opposite != term:
                rest = [other for other in expression.terms if other not in (term, opposite)]
                return collected(expression.shape, [*rest, with_factors(term, {k})])
    return None


@of_sums("1 - 1[u > 0] = 1[u <= 0]")
def opposite_mask(expression: Expression) -> Expression | None:
    for term in expression.terms:
        for k, leaf, on in calls(term, "indicator"):
            other = without_opposite(expression, with_factors(term, {k}))
            relation = OPPOSITE[dict(leaf.parameters)["relation"]]
            if other is not None:
                mask = Call("indicator", leaf.arguments, (("relation", relation),))
                turned = with_factors(term, {k}, [(mask, on)], -1)
                return collected(expression.shape, [*(t for t in other.terms if t != term), turned])
    return None


OPPOSITE = {
    "greater": "less_equal", "less_equal": "greater", "less": "greater_equal", "greater_equal": "less",
    "equal": "not_equal", "not_equal": "equal",
}  # fmt: skip


def without_opposite(expression: Expression, wanted: Term) -> Expression | None:
    """The expression without the opposite of a term, if it has that."""
    opposite = wanted.times(Fraction(-1))
    if opposite not in expression.terms:
        return None
    return Expression(expression.shape, tuple(term for term in expression.terms if term != opposite))
