"""Identities of products: what cancels, and what two factors make together; one declaration each."""

# ruff: noqa: D103  (the statement of an identity is in its decorator)
from __future__ import annotations

from fractions import Fraction
from typing import Any

from jacobi.derivation.algebra import (
    closed_parts,
    complexity,
    constant,
    from_leaf,
    number_of,
    product_of,
    scaled,
    summed,
    transposed,
)
from jacobi.derivation.expression import Axes, Call, Constant, Expression, Group, Leaf, Term, collected
from jacobi.derivation.identities import (
    alone,
    calls,
    contracted_to_identity,
    grouped,
    in_place_of,
    lone_factor,
    of_terms,
    term_shape,
    with_factors,
    without_factor,
)


@of_terms("numbers are multiplied")
def numbers(term: Term) -> list[Term] | None:
    found = [k for k, (leaf, _) in enumerate(term.factors) if isinstance(leaf, Constant)]
    if len(found) < 2:
        return None
    value = 1.0
    for k in found:
        leaf = term.factors[k][0]
        value *= leaf.value if isinstance(leaf, Constant) else 1
    return list(scaled(Expression(term.shape, (with_factors(term, set(found)),)), value).terms)


@of_terms("u / u = 1")
def cancel(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "reciprocal"):
        inner = lone_factor(leaf.arguments[0])
        wanted = inner[0] if inner else Group(leaf.arguments[0])
        for j, (other, other_on) in enumerate(term.factors):
            if other == wanted and other_on == on:
                return [with_factors(term, {j, k})]
    return None


@of_terms("u^T v / u^T v = 1")
def cancel_scalars(term: Term) -> list[Term] | None:
    rest, parts = closed_parts(term)
    for part in parts:
        for k, leaf, on in calls(part, "reciprocal"):
            (below,) = leaf.arguments
            if on == () and len(part.factors) == 1 and len(below.terms) == 1 and k == 0:
                whole, wanted = closed_parts(below.terms[0])
                if wanted and whole.coefficient == 1 and all(parts.count(w) >= wanted.count(w) for w in wanted):
                    for gone in (part, *wanted):
                        parts.remove(gone)
                    return [product_of(rest, parts)]
    return None


@of_terms("sqrt(u) sqrt(u) = u")
def roots(term: Term) -> list[Term] | None:
    seen: dict[Any, int] = {}
    for k, (leaf, on) in enumerate(term.factors):
        inside = under_root(leaf)
        if inside is None:
            continue
        if (leaf, on) not in seen:
            seen[leaf, on] = k
            continue
        lone = lone_factor(inside)
        new: Leaf = lone[0] if lone else Group(inside)
        if isinstance(leaf, Call) and leaf.name == "reciprocal":
            new = Call("reciprocal", (inside,))
        return [with_factors(term, {seen[leaf, on], k}, [(new, on)])]
    return None


def under_root(leaf: Leaf) -> Expression | None:
    """What stands under a square root, or under one below a fraction line."""
    if isinstance(leaf, Call) and leaf.name == "reciprocal":
        lone = lone_factor(leaf.arguments[0])
        return under_root(lone[0]) if lone else None
    return leaf.arguments[0] if isinstance(leaf, Call) and leaf.name == "sqrt" else None


@of_terms("e^u σ(-u) = σ(u)")
def exp_times_sigmoid(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "exp"):
        for j, other, other_on in calls(term, "expit"):
            if on == other_on and other.arguments[0] == -leaf.arguments[0]:
                return [with_factors(term, {j, k}, [(Call("expit", leaf.arguments), on)])]
    return None


@of_terms("e^u / sum e^u = softmax(u)")
def softmax(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "reciprocal"):
        below = leaf.arguments[0]
        if len(below.terms) != 1:
            continue
        (inner,) = below.terms
        if inner.coefficient != 1 or len(inner.factors) != 1:
            continue
        exponential, inner_on = inner.factors[0]
        if not isinstance(exponential, Call) or exponential.name != "exp":
            continue
        summed = [a for a, axis in enumerate(inner_on) if not set(axis) & inner.outer]
        if len(summed) == 0 or (len(summed) > 1 and len(summed) != len(inner_on)):
            continue
        for j, (other, other_on) in enumerate(term.factors):
            if other != exponential:
                continue
            # the axes that are not summed must carry the indices that the denominator carries
            carried = dict(zip(inner.axes, on, strict=True))
            if all(a in summed or carried.get(inner_on[a]) == other_on[a] for a in range(len(inner_on))):
                axis = () if len(summed) == len(inner_on) else (("axis", summed[0]),)
                new = Call("softmax", exponential.arguments, axis, elementwise=False)
                return [with_factors(term, {j, k}, [(new, other_on)])]
    return None


@of_terms("m ∘ m = m for a mask m")
def mask_twice(term: Term) -> list[Term] | None:
    seen = set()
    for k, leaf, on in calls(term, "indicator"):
        if (leaf, on) in seen:
            return [with_factors(term, {k})]
        seen.add((leaf, on))
    return None


@of_terms("1[u > 0] ∘ max(0, u) = 1[u > 0] ∘ u")
def masked_maximum(term: Term) -> list[Term] | None:
    for _, mask, on in calls(term, "indicator"):
        for j, (leaf, other_on) in enumerate(term.factors):
            active = active_side(mask, leaf)
            if active is not None and other_on == on:
                return in_place_of(term, j, grouped(active))
            if isinstance(leaf, Group):
                changed = masked_inside(leaf.inside, mask, on, other_on)
                if changed is not None:
                    return in_place_of(term, j, grouped(changed))
    return None


def active_side(mask: Call, leaf: Leaf) -> Expression | None:
    """What ``max(a, u)`` or ``min(a, u)`` is where the mask ``1[u > a]`` or ``1[u < a]`` is 1."""
    if not isinstance(leaf, Call) or leaf.name not in ("maximum", "minimum", "abs"):
        return None
    relation = dict(mask.parameters).get("relation")
    larger, smaller = mask.arguments if relation in ("greater", "greater_equal") else mask.arguments[::-1]
    if leaf.name == "abs":
        return leaf.arguments[0] if larger == leaf.arguments[0] and number_of(smaller) == 0 else None
    winner, loser = (larger, smaller) if leaf.name == "maximum" else (smaller, larger)
    pair = list(leaf.arguments)
    if all(any(same_value(part, a) for a in pair) for part in (winner, loser)) and not same_value(winner, loser):
        return winner if winner.shape == mask_shape(mask) else None
    return None


def mask_shape(mask: Call) -> tuple[int, ...]:
    """The shape of a mask."""
    return max((a.shape for a in mask.arguments), key=len)


def same_value(one: Expression, other: Expression) -> bool:
    """Whether two expressions are equal, or the same number."""
    return one == other or (number_of(one) is not None and number_of(one) == number_of(other))


def masked_inside(inside: Expression, mask: Call, on: Axes, group_on: Axes) -> Expression | None:
    """A sum that is multiplied by a mask: in it a maximum is replaced by its active side."""
    changed = False
    terms: list[Term] = []
    for term in inside.terms:
        carried = dict(zip(term.axes, group_on, strict=True)) if len(term.axes) == len(group_on) else {}
        for k, (leaf, leaf_on) in enumerate(term.factors):
            active = active_side(mask, leaf)
            if active is not None and tuple(carried.get(axis) for axis in leaf_on) == on:
                terms += in_place_of(term, k, active)
                changed = True
                break
        else:
            terms.append(term)
    return collected(inside.shape, terms) if changed else None


@of_terms("A^-1 A = I")
def inverse_product(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "inv"):
        inner = lone_factor(leaf.arguments[0])
        if inner is None:
            continue
        for j, (other, other_on) in enumerate(term.factors):
            if other != inner[0] or j == k or len(on) != 2 or len(other_on) != 2:
                continue
            for (a, b), (c, d) in ((on, other_on), (other_on, on)):
                if b == c and len(b) == 1 and alone(term, b[0], {j, k}):
                    return [contracted_to_identity(term, {j, k}, a, d)]
    return None


@of_terms("(X^T X)^-T = (X^T X)^-1")
def inverse_of_symmetric(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "inv"):
        (inside,) = leaf.arguments
        if len(on) == 2 and on[0] != on[1] and transposed(inside, (1, 0)) == inside:
            turned = with_factors(term, {k}, [(leaf, on[::-1])])
            if repr(turned) < repr(term):
                return [turned]
    return None


@of_terms("sum(u - mean(u)) = 0, and other sums that are shorter than their parentheses")
def summed_group(term: Term) -> list[Term] | None:
    for k, (leaf, on) in enumerate(term.factors):
        if not isinstance(leaf, Group):
            continue
        free = [a for a, axis in enumerate(on) if len(axis) == 1 and on.count(axis) == 1 and alone(term, axis[0], {k})]
        if not free:
            continue
        total = summed(leaf.inside, free)
        if complexity(total) < complexity(leaf.inside):
            rest = tuple(axis for a, axis in enumerate(on) if a not in free)
            gone = {on[a][0] for a in free}
            return without_factor(term, k, gone, total, rest)
    return None


@of_terms("sign(u) |u| = u")
def sign_times_abs(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "sign"):
        for j, (other, other_on) in enumerate(term.factors):
            if isinstance(other, Call) and other.name == "abs" and other.arguments == leaf.arguments and on == other_on:
                lone = lone_factor(leaf.arguments[0])
                new: Leaf = lone[0] if lone else Group(leaf.arguments[0])
                return [with_factors(term, {j, k}, [(new, on)])]
    return None


@of_terms("-(u - v) = v - u")
def positive_front(term: Term) -> list[Term] | None:
    if not isinstance(term.coefficient, Fraction) or term.coefficient > 0:
        return None
    for k, (leaf, on) in enumerate(term.factors):
        if isinstance(leaf, Group) and sum(t.coefficient < 0 for t in leaf.inside.terms) > 0:
            alike = sum(other in (leaf, Group(-leaf.inside)) for other, _ in term.factors)
            if alike == 1:
                return [with_factors(term, {k}, [(Group(-leaf.inside), on)], -1)]
    return None


@of_terms("sign(u)^2 = 1")
def sign_twice(term: Term) -> list[Term] | None:
    seen: dict[Any, int] = {}
    for k, leaf, on in calls(term, "sign"):
        if (leaf, on) in seen:
            return [with_factors(term, {k, seen[leaf, on]})]
        seen[leaf, on] = k
    return None


@of_terms("1[u > 0] ∘ 1[u < 0] = 0")
def masks_apart(term: Term) -> list[Term] | None:
    masks = [(dict(mask.parameters)["relation"], mask.arguments, on) for _, mask, on in calls(term, "indicator")]
    for relation, sides, on in masks:
        opposite = {"greater": "less", "less": "greater"}.get(relation)
        if (opposite, sides, on) in masks or ((relation, sides[::-1], on) in masks and opposite):
            return []
    return None


@of_terms("sum softmax(u) = 1")
def softmax_summed(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "softmax"):
        axis = dict(leaf.parameters).get("axis")
        if axis is None and len(on) != 1:
            continue
        place = 0 if axis is None else axis
        kept = tuple(digits for a, digits in enumerate(on) if a != place)
        if len(on[place]) == 1 and on.count(on[place]) == 1 and alone(term, on[place][0], {k}):
            one = constant(1, tuple(s for a, s in enumerate(term_shape(on, term)) if a != place))
            return without_factor(term, k, {on[place][0]}, one, kept)
    return None


@of_terms("sqrt(u) / u = 1 / sqrt(u)")
def root_below(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "sqrt"):
        for j, other, other_on in calls(term, "reciprocal"):
            if on == other_on and other.arguments == leaf.arguments:
                root = from_leaf(leaf, term_shape(on, term))
                return [with_factors(term, {j, k}, [(Call("reciprocal", (root,)), on)])]
    return None
