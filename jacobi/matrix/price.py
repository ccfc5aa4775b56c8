"""What products of Jacobians cost, from the wirings alone: the same plans, without numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from jacobi.matrix.bands import along_lines, seam
from jacobi.matrix.contract import plan_product
from jacobi.matrix.wiring import Wiring


class Shadow(NamedTuple):
    """A Jacobian without its numbers: the wirings of its terms."""

    wirings: tuple[Wiring, ...]

    @classmethod
    def of(cls, matrix: Any) -> Shadow:
        """The shadow of a Jacobian."""
        return cls(tuple(term.wiring for term in matrix.terms))

    def times(self, right: Shadow) -> tuple[float, Shadow]:
        """The price of a product, and its shadow."""
        price = 0.0
        wirings = []
        for one in self.wirings:
            for other in right.wirings:
                plan = plan_product(one, other)
                if plan is not None:
                    price += plan.price
                    wirings.append(plan.wiring)
        return price, Shadow.collected(wirings)

    @classmethod
    def collected(cls, wirings: Iterable[Wiring]) -> Shadow:
        """Wirings with equal places and at most one factor merge, as their terms do."""
        merged: dict[Any, Wiring] = {}
        for w in wirings:
            key = (w.place, len(w.factors) > 1)
            if key not in merged or len(w.factors) > len(merged[key].factors):
                merged[key] = w
        return cls(tuple(along_lines(list(merged.values()), lambda w: w, _joined)))


def _joined(one: Wiring, other: Wiring) -> Wiring | None:
    """The wiring of the sum of two terms along the same lines; see `jacobi.matrix.term.joined`."""
    both = seam(one, other) if len(one.factors) < 2 and len(other.factors) < 2 else None
    return None if both is None else both.filled.wiring
