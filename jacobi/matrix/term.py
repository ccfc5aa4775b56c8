"""A term: a coefficient, the factors and their wiring; its product, its sum with another, its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from operator import attrgetter
from typing import Any

import numpy as np

from jacobi.matrix.arrays import add_at
from jacobi.matrix.bands import Seam, along_lines, seam
from jacobi.matrix.plan import carry_out
from jacobi.matrix.planning import plan_contracted, plan_product
from jacobi.matrix.wiring import Wiring, all_indices, transposed


class Term:
    """One term of Einstein notation; see `jacobi.matrix.wiring` for what it stands for.

    Attributes
    ----------
    coefficient : float
        A number in front.
    factors : tuple of arrays
        The arrays whose axes carry the indices.
    wiring : Wiring
        The indices and where the entries lie.
    """

    __slots__ = ("coefficient", "factors", "wiring")

    def __init__(self, coefficient: float, factors: tuple[Any, ...], wiring: Wiring):
        self.coefficient = coefficient
        self.factors = factors
        self.wiring = wiring

    def __repr__(self) -> str:
        return f"Term({self.coefficient}, {[f.shape for f in self.factors]}, {self.wiring})"

    def __matmul__(self, right: Term) -> Term | None:
        """The product with a term to the right; None when it is zero."""
        plan = plan_product(self.wiring, right.wiring)
        if plan is None:
            return None
        factors = self.factors + right.factors
        if plan.program or len(plan.slots) != len(factors):
            factors = carry_out(plan, factors)
        return Term(self.coefficient * right.coefficient * plan.scale, factors, plan.wiring)

    def contracted(self) -> Term:
        """The term with all its sums carried out."""
        if not self.wiring.summed:
            return self
        plan = plan_contracted(self.wiring)
        return Term(self.coefficient * plan.scale, carry_out(plan, self.factors), plan.wiring)

    @property
    def T(self) -> Term:
        """The term with rows and columns exchanged."""
        return Term(self.coefficient, self.factors, transposed(self.wiring))

    def values(self, order: tuple[int, ...]) -> Any:
        """Coefficient times the product of the factors: an array that broadcasts to the grid of ``order``."""
        total: Any = None
        for factor, axes in zip(self.factors, self.wiring.factors, strict=True):
            lined_up = aligned(factor, axes, order)
            total = lined_up if total is None else total * lined_up
        if total is None:
            return self.coefficient
        return total if self.coefficient == 1 else total * self.coefficient


def aligned(factor: Any, axes: tuple[int, ...], order: tuple[int, ...]) -> Any:
    """A factor with its axes moved to the places of its indices in ``order``; length 1 elsewhere."""
    if axes == order:
        return factor
    inner = tuple(k for k in order if k in axes)
    if inner != axes:
        factor = factor.transpose(tuple(axes.index(k) for k in inner))
    key = tuple(slice(None) if k in axes else None for k in order)
    return factor[key] if None in key else factor


def collected(terms: Iterable[Term]) -> list[Term]:
    """The terms with equal places added up, as long as no factor has to grow for it."""
    result: list[Term] = []
    there: dict[Any, list[int]] = {}  # where the terms of a place stand in the result
    for term in terms:
        numbers = there.setdefault(term.wiring.place, [])
        for number in numbers:
            total = added(result[number], term)
            if total is not None:
                result[number] = total
                break
        else:
            numbers.append(len(result))
            result.append(term)
    left = [term for term in result if term.coefficient or term.factors]  # I - I is zero
    return along_lines(left, attrgetter("wiring"), joined) if len(left) > 1 else left


def joined(one: Term, other: Term) -> Term | None:
    """The sum of two terms along the same lines, where their boxes make up a box."""
    both = seam(one.wiring, other.wiring) if numeric((one, other)) else None
    if both is None or not (len(one.factors) < 2 > len(other.factors) or takes(both, one, other)):
        return None
    factors = one.factors + other.factors
    if not factors and one.coefficient == other.coefficient and not both.overlap:
        return Term(one.coefficient, (), both.bare.wiring)
    line = np.zeros(prod(both.sizes), dtype=np.result_type(*factors) if factors else float)
    for term, side in ((one, both.here), (other, both.there)):
        add_at(line, term.values(all_indices(term.wiring)), side, term.wiring.sizes)
    return Term(1, carry_out(both.filled, (line.reshape(both.sizes),)), both.filled.wiring)


def takes(both: Seam, one: Term, other: Term) -> bool:
    """Whether one of two terms has a full array, for the whole box, that takes the product of the other."""
    return any(
        len(term.factors) == 1 and term.factors[0].size == term.wiring.volume == prod(both.sizes)
        for term in (one, other)
    )


def numeric(terms: Iterable[Term]) -> bool:
    """Whether all factors are arrays of numbers, none a node."""
    return all(isinstance(factor, (np.ndarray, np.generic)) for term in terms for factor in term.factors)


def added(one: Term, other: Term) -> Term | None:
    """The sum of two terms whose entries lie at the same places, if it is again a term of that size."""
    if len(one.factors) > len(other.factors):
        one, other = other, one
    if len(other.factors) > 1:
        return added_product(one, other)
    if not other.factors:
        return Term(one.coefficient + other.coefficient, (), one.wiring)
    (right,) = other.factors
    (right_axes,) = other.wiring.factors
    if not one.factors:
        return Term(1, (right * other.coefficient + one.coefficient,), other.wiring)
    (left,) = one.factors
    (left_axes,) = one.wiring.factors
    wiring = other.wiring
    if left_axes != right_axes:
        if set(left_axes) > set(right_axes):
            one, other, left, right = other, one, right, left
            left_axes, right_axes, wiring = right_axes, left_axes, other.wiring
        elif not set(left_axes) <= set(right_axes):
            return None
        left = aligned(left, left_axes, right_axes)
    if one.coefficient == other.coefficient:
        return Term(one.coefficient, (left + right,), wiring)
    if one.coefficient == -other.coefficient:
        return Term(one.coefficient, (left - right,), wiring)
    return Term(1, (left * one.coefficient + right * other.coefficient,), wiring)


def added_product(one: Term, other: Term) -> Term | None:
    """The sum with a product of several factors: only where a full array is there already to take it."""
    w = one.wiring
    if len(one.factors) == 1 and len(w.factors[0]) == len(w.sizes):
        total = one.factors[0] * one.coefficient + other.values(w.factors[0])
        return Term(1, (total,), w)
    if one.wiring is other.wiring and all(a is b for a, b in zip(one.factors, other.factors, strict=True)):
        return Term(one.coefficient + other.coefficient, one.factors, w)
    return None


def spread(term: Term, order: tuple[int, ...]) -> Any:
    """The values of a term on the full grid of its indices."""
    values = term.values(order)
    sizes = tuple([term.wiring.sizes[k] for k in order])
    return values if np.shape(values) == sizes else np.broadcast_to(values, sizes)
