"""What the form of a formula shows: that a Hessian is positive semidefinite, and how matrices are flattened."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from jacobi.derivation.expression import Axes, Call, Constant, Expression, Factor, Group, Leaf, Term, Variable, flat
from jacobi.derivation.identities import lone_factor

NOT_NEGATIVE = (
    "abs", "absolute", "cosh", "exp", "exp2", "expit", "indicator", "ndtr", "norm", "softmax", "sqrt", "std", "var",
)  # fmt: skip
SEMIDEFINITE = "positive semidefinite, because it is a sum of v vᵀ whose weights are not negative"
COVARIANCE = "positive semidefinite, because diag(p) - p pᵀ is for p ≥ 0 whose sum is 1"


def semidefinite(hessian: Expression, definite: Collection[str] = (), positive: Collection[str] = ()) -> str:
    """Why a Hessian is positive semidefinite, or an empty text where its form does not show it.

    Parameters
    ----------
    hessian : Expression
        The Hessian by a vector.
    definite, positive : collection of str
        The arguments that are assumed to be positive definite, and to have positive entries.
    """
    if len(hessian.shape) != 2 or not hessian.terms:
        return ""
    rest = [term for term in hessian.terms if not is_sum_of_squares(term, definite, positive)]
    if not rest:
        return SEMIDEFINITE
    others = [term for term in hessian.terms if term not in rest]
    for term in rest:
        diagonal = next((other for other in others if is_covariance(other, term)), None)
        if diagonal is None:
            return ""
        others.remove(diagonal)
    return COVARIANCE


def is_sum_of_squares(term: Term, definite: Collection[str], positive: Collection[str]) -> bool:
    """Whether a term is ``sum_k w_k v_ki v_kj`` with weights ``w`` that are not negative."""
    if any(len(axis) != 1 for axis in term.axes) or not is_positive(term.coefficient):
        return False
    (row,), (column,) = term.axes
    if len(term.factors) == 1 and term.factors[0][0] in [Variable(name) for name in definite]:
        return term.factors[0][1] in (term.axes, term.axes[::-1])
    if row == column:
        return not_negative(term.factors, positive)
    left = [(leaf, renamed(on, row)) for leaf, on in term.factors if row in flat(on)]
    right = [(leaf, renamed(on, column)) for leaf, on in term.factors if column in flat(on)]
    both = [f for f in term.factors if row in flat(f[1]) and column in flat(f[1])]
    weights = [f for f in term.factors if row not in flat(f[1]) and column not in flat(f[1])]
    same = sorted(map(repr, left)) == sorted(map(repr, right))
    return bool(left) and not both and same and not_negative(weights, positive)


def renamed(on: Axes, index: int) -> Axes:
    """The axes of a factor with the index of the row or the column left out."""
    return tuple(tuple(-1 if k == index else k for k in axis) for axis in on)


def is_covariance(diagonal: Term, product: Term) -> bool:
    """Whether two terms are ``diag(p)`` and ``-p pᵀ`` with a softmax."""
    if len(diagonal.factors) != 1 or len(product.factors) != 2 or diagonal.coefficient != -product.coefficient:
        return False
    leaf = diagonal.factors[0][0]
    alike = all(other == leaf and len(on) == 1 for other, on in product.factors)
    softmax = isinstance(leaf, Call) and leaf.name == "softmax"
    return alike and softmax and diagonal.axes[0] == diagonal.axes[1] == diagonal.factors[0][1][0]


def is_positive(number: Fraction | float) -> bool:
    """Whether a number is positive."""
    return number > 0


def not_negative(factors: Collection[Factor], positive: Collection[str]) -> bool:
    """Whether a product is nowhere negative: every factor is not, or stands in it twice."""
    counts: dict[Factor, int] = {}
    for factor in factors:
        counts[factor] = counts.get(factor, 0) + 1
    return all(count % 2 == 0 or leaf_not_negative(leaf, positive) for (leaf, _), count in counts.items())


def leaf_not_negative(leaf: Leaf, positive: Collection[str]) -> bool:
    """Whether a factor is nowhere negative."""
    if isinstance(leaf, Variable):
        return leaf.name in positive
    if isinstance(leaf, Constant):
        return leaf.value >= 0
    if isinstance(leaf, Group):
        return all(is_positive(t.coefficient) and not_negative(t.factors, positive) for t in leaf.inside.terms)
    assert isinstance(leaf, Call)
    if leaf.name == "reciprocal":
        inner = lone_factor(leaf.arguments[0])
        terms = leaf.arguments[0].terms
        if inner is not None:
            return leaf_not_negative(inner[0], positive)
        return all(is_positive(t.coefficient) and not_negative(t.factors, positive) for t in terms)
    return leaf.name in NOT_NEGATIVE
