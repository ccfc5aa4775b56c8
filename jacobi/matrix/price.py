"""What products of Jacobians cost, from the wirings alone: the same plans, without numbers.

A price is in units of about a nanosecond; see `jacobi.matrix.contract`.  Where entries lie at positions it would take
as long to tell the price of a product as to multiply, so only their number is kept, and the price is estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from math import prod
from typing import Any, NamedTuple, TypeVar

from jacobi.matrix.bands import along_lines, seam
from jacobi.matrix.contract import BLAS_SPEED, STEP, WRITE
from jacobi.matrix.planning import plan_product
from jacobi.matrix.products import MANY_TERMS
from jacobi.matrix.wiring import MOST_REMEMBERED, Wiring

Value = TypeVar("Value")
MANY_MATRICES = 64  # the number of prices that dynamic programming asks for grows with the cube
SPARSE_PAIR = 4  # the price of a pair of entries that meet in a product of two sparse matrices


class Shadow(NamedTuple):
    """A Jacobian without its numbers.

    Attributes
    ----------
    shape : (int, int)
        The shape of the matrix.
    wirings : tuple of Wiring
        The wirings of its terms, where all of them are strides.
    estimate : float or None
        The estimated number of entries, where the wirings are not kept.
    """

    shape: tuple[int, int]
    wirings: tuple[Wiring, ...]
    estimate: float | None = None

    @classmethod
    def of(cls, matrix: Any) -> Shadow:
        """The shadow of a Jacobian."""
        return cls.with_wirings(matrix.shape, tuple([term.wiring for term in matrix.terms]))

    @classmethod
    def with_wirings(cls, shape: tuple[int, int], wirings: tuple[Wiring, ...]) -> Shadow:
        """The shadow of some terms: their wirings, or the number of their entries where that is all that is kept."""
        if len(wirings) <= MANY_TERMS and all([w.regular for w in wirings]):
            return cls(shape, wirings)
        return cls.with_entries(shape, sum(w.volume for w in wirings))

    @classmethod
    def with_entries(cls, shape: tuple[int, int], count: float) -> Shadow:
        """The shadow of a matrix of which nothing but the number of entries is known."""
        return cls(shape, (), float(min(count, shape[0] * shape[1])))

    @classmethod
    def total(cls, summands: Sequence[Shadow]) -> tuple[float, Shadow]:
        """The price of a sum, and its shadow."""
        shape = summands[0].shape
        if any(summand.estimate is not None for summand in summands):
            count = sum(summand.entries for summand in summands)
            return STEP + WRITE * count, cls.with_entries(shape, count)
        return cls.collected(shape, [w for summand in summands for w in summand.wirings])

    @classmethod
    def collected(cls, shape: tuple[int, int], wirings: Iterable[Wiring]) -> tuple[float, Shadow]:
        """The price of a sum of terms with these wirings and its shadow: those with equal places merge."""
        every = cls(shape, tuple(wirings))
        if len(every.wirings) < 2:
            return 0.0, every
        found = _sums.get(every)
        return keep(_sums, every, every._collected()) if found is None else found

    def _collected(self) -> tuple[float, Shadow]:
        """The price of the sum and its shadow, worked out."""
        merged: dict[Any, Wiring] = {}
        for w in self.wirings:
            key = (w.place, len(w.factors) > 1)
            if key not in merged or len(w.factors) > len(merged[key].factors):
                merged[key] = w
        left = along_lines(list(merged.values()), lambda w: w, _joined)
        added = sum(map(held, self.wirings)) - sum(map(held, left))
        price = STEP * (len(self.wirings) - len(left)) + WRITE * max(added, 0)
        if len(left) > MANY_TERMS:  # they are made one term, entry by entry
            price += sum(STEP + WRITE * w.volume for w in left)
        return price, Shadow.with_wirings(self.shape, tuple(left))

    @property
    def entries(self) -> float:
        """The number of entries; those of two terms at one place count twice."""
        return sum(w.volume for w in self.wirings) if self.estimate is None else self.estimate

    def times(self, right: Shadow) -> tuple[float, Shadow]:
        """The price of a product, and its shadow."""
        found = _products.get((self, right))
        if found is None:
            known = self.estimate is None and right.estimate is None
            found = keep(_products, (self, right), self._times(right) if known else self._estimated(right))
        return found

    def _times(self, right: Shadow) -> tuple[float, Shadow]:
        """The price of a product and its shadow, from the plans of the products of terms."""
        price = 0.0
        wirings = []
        for one in self.wirings:
            for other in right.wirings:
                plan = plan_product(one, other)
                if plan is not None:
                    price += plan.price
                    wirings.append(plan.wiring)
        shape = (self.shape[0], right.shape[1])
        if not all(w.regular for w in wirings):
            return price, Shadow.with_wirings(shape, tuple(wirings))
        more, product = Shadow.collected(shape, wirings)
        return price + more, product

    def _estimated(self, right: Shadow) -> tuple[float, Shadow]:
        """The price of a product and its shadow, as if the entries were spread evenly."""
        pairs = self.entries * right.entries / max(self.shape[1], 1)
        result = Shadow.with_entries((self.shape[0], right.shape[1]), pairs)
        full = self.full + right.full
        per_pair = (SPARSE_PAIR, 1, 1 / BLAS_SPEED)[full]
        return STEP + per_pair * pairs + WRITE * result.entries, result

    @property
    def full(self) -> bool:
        """Whether most places of the matrix are entries."""
        return 2 * self.entries > self.shape[0] * self.shape[1]


# Interned wirings are the same in every run of a function, and so are the prices.
_products: dict[tuple[Shadow, Shadow], tuple[float, Shadow]] = {}
_sums: dict[Shadow, tuple[float, Shadow]] = {}


def keep(store: dict[Any, Value], key: Any, value: Value, most: int = MOST_REMEMBERED) -> Value:
    """Remember a result as long as there is room."""
    if len(store) >= most:
        store.clear()
    store[key] = value
    return value


def held(w: Wiring) -> int:
    """The numbers that the factors of a wiring hold."""
    return sum(prod([w.sizes[k] for k in axes]) for axes in w.factors)


def _joined(one: Wiring, other: Wiring) -> Wiring | None:
    """The wiring of the sum of two terms along the same lines; see `jacobi.matrix.term.joined`."""
    both = seam(one, other) if len(one.factors) < 2 and len(other.factors) < 2 else None
    return None if both is None else both.filled.wiring


def cheapest_splits(shadows: Sequence[Shadow]) -> dict[tuple[int, int], int]:
    """The cheapest way to put brackets into a product, by dynamic programming over all runs of matrices.

    For every run, given by the numbers of its first and its last matrix, the number of the last one of its left part.
    """
    count = len(shadows)
    best = {(k, k): (0.0, shadow) for k, shadow in enumerate(shadows)}
    splits: dict[tuple[int, int], int] = {}
    for length in range(2, count + 1):
        for first in range(count - length + 1):
            last = first + length - 1
            lowest: tuple[float, Shadow] | None = None
            for middle in range(first, last):
                left, right = best[first, middle], best[middle + 1, last]
                price, shadow = left[1].times(right[1])
                price += left[0] + right[0]
                if lowest is None or price < lowest[0]:
                    lowest = price, shadow
                    splits[first, last] = middle
            assert lowest is not None
            best[first, last] = lowest
    return splits


def folded(shadows: Sequence[Shadow], backwards: bool) -> float:
    """The price of multiplying from one end to the other."""
    total, *others = shadows if backwards else shadows[::-1]
    price = 0.0
    for shadow in others:
        more, total = total.times(shadow) if backwards else shadow.times(total)
        price += more
    return price


def cheapest(matrices: Sequence[Any], multiply: Callable[[Any, Any], Any]) -> Any:
    """The product in the order whose price, known from the wirings alone, is lowest.

    A product of very many matrices is taken from the better end.
    """
    shadows = [Shadow.of(matrix) for matrix in matrices]
    if len(shadows) > MANY_MATRICES:
        if folded(shadows, True) <= folded(shadows, False):
            return reduce(multiply, matrices)
        return reduce(lambda right, left: multiply(left, right), reversed(matrices))
    splits = cheapest_splits(shadows)

    def product(first: int, last: int) -> Any:
        """The product of a run of matrices."""
        if first == last:
            return matrices[first]
        middle = splits[first, last]
        return multiply(product(first, middle), product(middle + 1, last))

    return product(0, len(matrices) - 1)
