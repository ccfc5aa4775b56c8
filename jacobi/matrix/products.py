"""Lists of terms: the terms of plain arrays, the products of two sums, and sums that have become too long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jacobi import layout
from jacobi.errors import ShapeError, at_users_line
from jacobi.matrix import exits
from jacobi.matrix.contract import STEP, Draft
from jacobi.matrix.plan import carry_out
from jacobi.matrix.planning import plan_sides
from jacobi.matrix.term import Term, collected, numeric
from jacobi.matrix.wiring import Wiring, wiring

MANY_TERMS = 24


def diagonal_terms(factors: tuple[Any, ...], size: int) -> list[Term]:
    """The terms of a diagonal matrix: with its diagonal as the only factor, or of the identity without."""
    if size == 0:
        return []
    if size == 1:
        w = wiring((), ((),) * len(factors), (0, ()), (0, ()))
        return [Term(1, tuple(f.reshape(()) for f in factors), w)]
    return [Term(1, factors, wiring((size,), ((0,),) * len(factors), (0, ((0, 1),)), (0, ((0, 1),))))]


def dense_terms(array: Any) -> list[Term]:
    """The terms of a full column or matrix, an array or a node."""
    if 0 in array.shape:
        return []
    w = _dense_wiring(array.shape)
    return [Term(1, (array if array.shape == w.sizes else array.reshape(w.sizes),), w)]


def kronecker_terms(left: Any, right: Any) -> list[Term]:
    """The term of ``left (x) right``: ``i, k`` of the left factor are the outer digits, ``l, j`` the inner ones."""
    (p, q), (r, s) = left.shape, right.shape
    if 0 in (p, q, r, s):
        return []
    rows, columns = (0, ((0, r), (1, 1))), (0, ((2, s), (3, 1)))
    plan = plan_sides((p, r, q, s), rows, columns, (((0, 2), left.shape), ((1, 3), right.shape)))
    return [Term(1, carry_out(plan, (left, right)), plan.wiring)]


@lru_cache(maxsize=4096)
def _dense_wiring(shape: layout.Shape) -> Wiring:
    """The wiring of a column or of a matrix, an index for every axis longer than 1."""
    lengths = tuple(count for count in shape if count > 1)
    order = tuple(range(len(lengths)))
    rows = ((0, 1),) if shape[0] > 1 else ()
    columns = ((len(rows), 1),) if len(shape) > 1 and shape[1] > 1 else ()
    return wiring(lengths, (order,), (0, rows), (0, columns))


def span(start: int, stop: int | None, length: int) -> tuple[int, int]:
    """A range of rows counted from the front; the error of a list when the first is not there."""
    if not -length <= start < length and not (start == stop):
        raise ShapeError(at_users_line(f"there is no row {start} among {length}", "Rows are counted from 0."))
    first = start % length if length else 0
    last = first + 1 if stop is None else min(stop + length if stop < 0 else stop, length)
    return first, max(first, last)


def picking(count: int, first: int) -> list[Term]:
    """The matrix that picks rows ``first, first + 1, ...``, as its only term."""
    if count < 2:
        return [Term(1, (), wiring((), (), (0, ()), (first, ())))]
    return [Term(1, (), wiring((count,), (), (0, ((0, 1),)), (first, ((0, 1),))))]


def multiple(term: Term, number: Any) -> Term:
    """The multiple of a term by a node of no axes."""
    w = term.wiring
    plan = Draft([*w.factors, ()], dict(enumerate(w.sizes)), w.rows, w.columns).finish()
    return Term(term.coefficient, carry_out(plan, (*term.factors, number)), plan.wiring)


def products(left: Sequence[Term], right: Sequence[Term]) -> list[Term]:
    """The products of all pairs, collected while they are made: they need not all be held at once."""
    if len(left) == len(right) == 1:
        product = left[0] @ right[0]
        return [] if product is None else [product]
    pairs = (one @ other for one in left for other in right)
    return collected(product for product in pairs if product is not None)


def shortened(terms: list[Term], shape: tuple[int, int], dtype: Any) -> list[Term]:
    """A sum that has become too long as fewer terms.

    Those that write few entries become one sparse term; when too many are left, and the full matrix is
    smaller than what they hold or faster than so many calls, it takes their place.
    """
    if len(terms) <= MANY_TERMS or not numeric(terms):
        return terms
    most = STEP if len(terms) <= 8 * MANY_TERMS else max(shape)
    thin = [term for term in terms if is_thin(term, most)]
    if len(thin) > 1:
        short = exits.compacted(thin, dtype)
        if 10 * sum(term.wiring.volume for term in short) >= 9 * shape[0] * shape[1]:
            short = dense_terms(exits.dense(short, shape, dtype))  # full but for a few entries: no positions
        terms = [*(term for term in terms if not is_thin(term, most)), *short]
    held = sum(factor.size for term in terms for factor in term.factors)
    if len(terms) > MANY_TERMS and shape[0] * shape[1] <= max(held, STEP * len(terms)):
        return dense_terms(exits.dense(terms, shape, dtype))
    return terms


def is_thin(term: Term, most: int) -> bool:
    """Whether a term is sparse, or writes so few entries that a position for each costs less than a call."""
    w = term.wiring
    return w.volume <= most or (not w.regular and len(w.sizes) == 1)
