"""Plans by what they are for: a product, a term between two sides, sums put off; most are remembered."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.matrix.contract import Draft
from jacobi.matrix.plan import Plan
from jacobi.matrix.wiring import Side, Wiring, remember, trimmed

MISSING = object()
MOST_BYTES = 2**27  # of positions, in all plans of interned wirings together


def plan_product(left: Wiring, right: Wiring) -> Plan | None:
    """The plan of the product of two terms with these wirings; None when the product is zero."""
    keeper, partner = left, right
    if left.regular and not right.regular:  # what holds arrays must not outlive the terms it belongs to
        keeper, partner = right, ("to the left", left)  # type: ignore[assignment]
    plan: Any = keeper.remembered.get(partner, MISSING)
    if plan is MISSING:
        plan = remember(keeper, partner, Draft.of_product(left, right))
        if keeper.regular and plan is not None:
            limit_memory(keeper, partner, plan)
    return plan  # type: ignore[no-any-return]


_heavy: dict[tuple[Wiring, Any], int] = {}  # plans that hold positions, oldest first, and their bytes


def limit_memory(keeper: Wiring, partner: Any, plan: Plan) -> None:
    """Forget the oldest plans that hold positions when there are too many."""
    weight = bytes_of((plan.program, plan.wiring.rows, plan.wiring.columns))
    if weight:
        _heavy[keeper, partner] = weight
        while sum(_heavy.values()) > MOST_BYTES:
            oldest = next(iter(_heavy))
            del _heavy[oldest]
            oldest[0].remembered.pop(oldest[1], None)


def bytes_of(value: Any) -> int:
    """The memory of the arrays in nested tuples."""
    if isinstance(value, tuple):
        return sum(map(bytes_of, value))
    return value.nbytes if isinstance(value, np.ndarray) else 0


def plan_sides(
    sizes: tuple[int, ...],
    rows: Side,
    columns: Side,
    carried: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (),
) -> Plan:
    """The plan of a term between two sides; a factor is given by the indices on its axes and its shape."""
    draft = Draft([], dict(enumerate(map(int, sizes))), trimmed(rows, sizes), trimmed(columns, sizes))
    for axes, shape in carried:
        draft.carry(axes, shape)
    return draft.finish()


def plan_contracted(w: Wiring) -> Plan:
    """The plan that carries out the sums of a term that were put off."""
    found: Plan | None = w.remembered.get("contracted")
    if found is not None:
        return found
    draft = Draft(list(w.factors), dict(enumerate(w.sizes)), w.rows, w.columns)
    draft.everything = True
    plan: Plan = remember(w, "contracted", draft.finish())
    return plan
