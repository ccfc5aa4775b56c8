"""What products of Jacobians cost, from the wirings alone: the same plans, without numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from jacobi.matrix.bands import along_lines, seam
from jacobi.matrix.planning import plan_product
from jacobi.matrix.wiring import MOST_REMEMBERED, Wiring


class Shadow(NamedTuple):
    """A Jacobian without its numbers: the wirings of its terms."""

    wirings: tuple[Wiring, ...]

    @classmethod
    def of(cls, matrix: Any) -> Shadow:
        """The shadow of a Jacobian."""
        return cls(tuple(term.wiring for term in matrix.terms))

    @property
    def regular(self) -> bool:
        """Whether all sides are strides, so that products are priced without joining positions."""
        return all(w.regular for w in self.wirings)

    def times(self, right: Shadow) -> tuple[float, Shadow]:
        """The price of a product, and its shadow."""
        found = _products.get((self, right))
        if found is None:
            found = self._times(right)
            if self.regular and right.regular:
                keep(_products, (self, right), found)
        return found

    def _times(self, right: Shadow) -> tuple[float, Shadow]:
        """The price of a product, and its shadow, worked out."""
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
        every = cls(tuple(wirings))
        if len(every.wirings) < 2:
            return every
        found = _sums.get(every)
        if found is None:
            found = every._collected()
            if every.regular:
                keep(_sums, every, found)
        return found

    def _collected(self) -> Shadow:
        """The merged wirings, worked out."""
        merged: dict[Any, Wiring] = {}
        for w in self.wirings:
            key = (w.place, len(w.factors) > 1)
            if key not in merged or len(w.factors) > len(merged[key].factors):
                merged[key] = w
        return Shadow(tuple(along_lines(list(merged.values()), lambda w: w, _joined)))


# Interned wirings are the same in every run of a function, and so are the prices.
_products: dict[tuple[Shadow, Shadow], tuple[float, Shadow]] = {}
_sums: dict[Shadow, Shadow] = {}


def keep(store: dict[Any, Any], key: Any, value: Any) -> None:
    """Remember a result as long as there is room."""
    if len(store) >= MOST_REMEMBERED:
        store.clear()
    store[key] = value


def _joined(one: Wiring, other: Wiring) -> Wiring | None:
    """The wiring of the sum of two terms along the same lines; see `jacobi.matrix.term.joined`."""
    both = seam(one, other) if len(one.factors) < 2 and len(other.factors) < 2 else None
    return None if both is None else both.filled.wiring


def cheapest(matrices: list[Any], multiply: Callable[[Any, Any], Any]) -> Any:
    """The product in the order whose price, known from the wirings alone, is lowest: dynamic programming."""
    count = len(matrices)
    best: dict[tuple[int, int], tuple[float, Any, int]] = {
        (k, k): (0.0, Shadow.of(matrix), k) for k, matrix in enumerate(matrices)
    }
    for length in range(2, count + 1):
        for first in range(count - length + 1):
            last = first + length - 1
            options = []
            for middle in range(first, last):
                left, right = best[first, middle], best[middle + 1, last]
                price, shadow = left[1].times(right[1])
                options.append((left[0] + right[0] + price, shadow, middle))
            best[first, last] = min(options, key=lambda option: option[0])

    def product(first: int, last: int) -> Any:
        """The product of a run of matrices."""
        if first == last:
            return matrices[first]
        middle = best[first, last][2]
        return multiply(product(first, middle), product(middle + 1, last))

    return product(0, count - 1)
