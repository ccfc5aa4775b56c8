"""The identities that formulas are simplified by, one declaration each.

Every identity acts on one term of an expression, or on one function in it, and says the same in fewer symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from jacobi.derivation.expression import (
    Axes,
    Call,
    Draft,
    Expression,
    Factor,
    Group,
    Leaf,
    Term,
    collected,
    complexity,
    constant,
    contracted,
    from_leaf,
    leaves,
    number_of,
    replaced,
    summed,
    transposed,
)


class Identity(NamedTuple):
    """An identity.

    Attributes
    ----------
    statement : str
        As books write it.
    apply : callable
        ``apply(term)`` gives terms that replace a term (or None); for identities of functions, ``apply(leaf)`` gives
        an Expression of the shape of the leaf.
    """

    statement: str
    apply: Callable[..., Any]


OF_TERMS: list[Identity] = []
OF_FUNCTIONS: list[Identity] = []


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


# looking at factors


def calls(term: Term, name: str) -> Iterator[tuple[int, Call, Axes]]:
    """The factors of a term that are a function of this name."""
    for k, (leaf, on) in enumerate(term.factors):
        if isinstance(leaf, Call) and leaf.name == name:
            yield k, leaf, on


def with_factors(term: Term, dropped: Any, added: Any = (), coefficient: Any = 1) -> Term:
    """The term with some factors replaced by others, whose axes carry indices of the term."""
    draft = Draft()
    for size in term.sizes:
        draft.index(size)
    draft.coefficient = term.coefficient * coefficient
    draft.factors = [factor for k, factor in enumerate(term.factors) if k not in dropped] + list(added)
    return draft.finish(term.axes)


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
    return term.factors[0]


# identities of functions


@of_functions("log exp u = u")
def log_of_exp(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name == "log" else None
    return inner[0].arguments[0] if inner and isinstance(inner[0], Call) and inner[0].name == "exp" else None


@of_functions("exp log u = u")
def exp_of_log(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name == "exp" else None
    return inner[0].arguments[0] if inner and isinstance(inner[0], Call) and inner[0].name == "log" else None


@of_functions("1 / (1 + e^u) = σ(-u)")
def sigmoid(call: Call) -> Expression | None:
    if call.name != "reciprocal" or len(call.arguments[0].terms) != 2:
        return None
    inside = call.arguments[0]
    for one, other in (inside.terms, inside.terms[::-1]):
        lone = lone_factor(Expression(inside.shape, (other,)))
        if one.coefficient == 1 and not one.factors and lone and isinstance(lone[0], Call) and lone[0].name == "exp":
            return from_leaf(Call("expit", (-lone[0].arguments[0],)), inside.shape)
    return None


@of_functions("log sum e^u = logsumexp(u)")
def logsumexp(call: Call) -> Expression | None:
    if call.name != "log" or len(call.arguments[0].terms) != 1:
        return None
    (term,) = call.arguments[0].terms
    found = list(calls(term, "exp"))
    if len(term.factors) != 1 or not found or term.coefficient != 1:
        return None
    _, inner, on = found[0]
    summed = [k for k, axis in enumerate(on) if not set(axis) & term.outer]
    kept = tuple(axis for k, axis in enumerate(on) if k not in summed)
    if not summed or kept != term.axes:
        return None
    axis = () if len(summed) == len(on) else (("axis", summed[0]),)
    if len(summed) > 1 and axis:
        return None
    return from_leaf(Call("logsumexp", inner.arguments, axis, elementwise=False), call.arguments[0].shape)


@of_functions("sqrt(u)^2 = u, sqrt of a square is an absolute value")
def root_of_square(call: Call) -> Expression | None:
    if call.name != "sqrt" or len(call.arguments[0].terms) != 1:
        return None
    (term,) = call.arguments[0].terms
    if term.coefficient != 1 or len(term.factors) != 2 or term.factors[0] != term.factors[1]:
        return None
    leaf, on = term.factors[0]
    if on == term.axes:
        return from_leaf(Call("abs", (from_leaf(leaf, call.arguments[0].shape),)), call.arguments[0].shape)
    if not term.axes and len(on) in (1, 2) and len({k for axis in on for k in axis}) == len(on):
        inside = from_leaf(leaf, term_shape(on, term))
        return from_leaf(Call("norm", (inside,), (("axis", None),), elementwise=False), ())
    return None


def term_shape(on: Axes, term: Term) -> tuple[int, ...]:
    """The shape of a factor of a term."""
    shape = []
    for axis in on:
        size = 1
        for k in axis:
            size *= term.sizes[k]
        shape.append(size)
    return tuple(shape)


@of_functions("max(u, 0) = max(0, u)")
def zero_first(call: Call) -> Expression | None:
    if call.name not in ("maximum", "minimum", "fmax", "fmin") or len(call.arguments) != 2:
        return None
    left, right = call.arguments
    if number_of(right) is None or number_of(left) is not None:
        return None
    return from_leaf(Call(call.name, (right, left)), left.shape if left.shape else right.shape)


@of_functions("max(0, u) written relu(u)")
def relu(call: Call) -> Expression | None:
    if call.name != "relu":
        return None
    return from_leaf(Call("maximum", (constant(0), call.arguments[0])), call.arguments[0].shape)


@of_functions("A^-1 b is the solution of A x = b")
def solution(call: Call) -> Expression | None:
    if call.name != "solve" or len(call.arguments[0].shape) != 2:
        return None
    a, b = call.arguments
    inverse = from_leaf(Call("inv", (a,), (), elementwise=False), a.shape)
    rest = range(2, 1 + len(b.shape))
    return contracted([inverse, b], [(0, 1), (1, *rest)], (0, *rest))


@of_functions("cof(A) = det(A) A^-T")
def cofactors(call: Call) -> Expression | None:
    if call.name != "cofactors" or len(call.arguments[0].shape) != 2:
        return None
    inverse = from_leaf(Call("inv", call.arguments, (), elementwise=False), call.arguments[0].shape)
    determinant = from_leaf(Call("det", call.arguments, (), elementwise=False), ())
    return contracted([determinant, transposed(inverse, (1, 0))], [(), (0, 1)], (0, 1))


@of_functions("(A^-1)^-1 = A")
def double_inverse(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name in ("inv", "reciprocal") else None
    return inner[0].arguments[0] if inner and isinstance(inner[0], Call) and inner[0].name == call.name else None


# identities of terms


@of_terms("u / u = 1")
def cancel(term: Term) -> list[Term] | None:
    for k, leaf, on in calls(term, "reciprocal"):
        inner = lone_factor(leaf.arguments[0])
        wanted = inner[0] if inner else Group(leaf.arguments[0])
        for j, (other, other_on) in enumerate(term.factors):
            if other == wanted and other_on == on:
                return [with_factors(term, {j, k})]
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


def grouped(expression: Expression) -> Expression:
    """A sum in parentheses."""
    return expression if len(expression.terms) <= 1 else from_leaf(Group(expression), expression.shape)


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


def alone(term: Term, index: int, factors: set[int]) -> bool:
    """Whether an index is summed and stands on these factors only."""
    others = [on for k, (_, on) in enumerate(term.factors) if k not in factors]
    return index not in term.outer and not any(index in axis for on in others for axis in on)


@of_terms("sum(u - mean(u)) = 0, and other sums that are shorter than their parentheses")
def summed_group(term: Term) -> list[Term] | None:
    for k, (leaf, on) in enumerate(term.factors):
        if not isinstance(leaf, Group):
            continue
        free = [a for a, axis in enumerate(on) if len(axis) == 1 and alone(term, axis[0], {k})]
        if not free:
            continue
        total = summed(leaf.inside, free)
        if complexity(total) < complexity(leaf.inside):
            rest = tuple(axis for a, axis in enumerate(on) if a not in free)
            gone = {on[a][0] for a in free}
            return without_factor(term, k, gone, total, rest)
    return None


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


@of_terms("1[u = v] = 0 where u and v differ")
def no_ties(term: Term) -> list[Term] | None:
    for _, leaf, _ in calls(term, "indicator"):
        if dict(leaf.parameters)["relation"] == "equal" and not any(
            isinstance(inner, Call) and inner.name in EXTREMES for a in leaf.arguments for inner in leaves(a)
        ):
            return []
    return None


EXTREMES = ("max", "min", "amax", "amin")


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
