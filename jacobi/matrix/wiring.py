"""The wiring of a term: its indices, which factor carries which, and where its entries lie in the matrix.

A term with the indices ``i, j, ...`` stands for the matrix that is built by ::

    for i, j, ... in all values of the indices:
        J[row(i, j, ...), column(i, j, ...)] += coefficient * F(i, j) * G(j) * ...

The row and the column are *sides*: an offset plus one contribution per index, which is a stride (an affine
index map, exactly like the strides of a NumPy view) or an array of positions (anything else).  An index on
both sides is a Kronecker delta, an index on neither is summed.  So slices, flips, transposes, broadcasts,
diagonals and reshapes are all strides, and a wiring is known without looking at a single number.

Wirings of strides only are interned: equal ones are the same object, and what was worked out for them once
(products, sums) is remembered on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

Tie = Any  # int (a stride) or NDArray[np.intp] (the position of every value of the index)
Ties = tuple[tuple[int, Tie], ...]
Side = tuple[int, Ties]  # offset, and the contribution of each index


class Wiring:
    """Indices with sizes, the indices on every factor's axes, and the two sides.

    Attributes
    ----------
    sizes : tuple of int
        The number of values of index 0, 1, 2, ...
    factors : tuple of tuple of int
        The indices on the axes of every factor.
    rows, columns : Side
        Where the entries lie.
    volume : int
        The number of entries written: the product of the sizes of the indices that stand on a side.
    place : Place
        The same object for wirings whose entries lie at the same places, index by index.
    regular : bool
        Whether all ties are strides.
    summed : tuple of int
        The indices on neither side, whose sums have been put off.
    remembered : dict
        Results that depend on the wiring alone.
    """

    __slots__ = (
        "__weakref__", "columns", "factors", "place", "regular", "remembered", "rows", "sizes", "summed", "volume",
    )  # fmt: skip

    def __init__(
        self, sizes: tuple[int, ...], factors: tuple[tuple[int, ...], ...], rows: Side, columns: Side
    ):
        self.sizes = sizes
        self.factors = factors
        self.rows = rows
        self.columns = columns
        self.regular = all(type(tie) is int for _, tie in rows[1] + columns[1])
        on_sides = {index for index, _ in rows[1] + columns[1]}
        self.summed = tuple(index for index in range(len(sizes)) if index not in on_sides)
        self.volume = prod(sizes[index] for index in on_sides)
        self.place = _place(self) if self.regular else Place()
        self.remembered: dict[Any, Any] = {}

    def __reduce__(self) -> Any:
        """A copy is interned anew: places are objects of one process."""
        return wiring, (self.sizes, self.factors, self.rows, self.columns)

    def __repr__(self) -> str:
        return f"Wiring(sizes={self.sizes}, factors={self.factors}, rows={self.rows}, columns={self.columns})"


class Place:
    """The set of places at which the entries of a regular wiring lie, index by index."""

    __slots__ = ("__weakref__",)


MOST_REMEMBERED = 20_000
_interned: WeakValueDictionary[Any, Wiring] = WeakValueDictionary()  # as long as a term or a plan holds them
_places: WeakValueDictionary[Any, Place] = WeakValueDictionary()


def _place(w: Wiring) -> Place:
    """The places of the entries of a wiring; the same object for the same places."""
    return _places.setdefault((w.sizes, w.rows, w.columns), Place())


def wiring(sizes: tuple[int, ...], factors: tuple[tuple[int, ...], ...], rows: Side, columns: Side) -> Wiring:
    """The wiring with these parts; the same object for the same strides."""
    key = (sizes, factors, rows, columns)
    try:
        found = _interned.get(key)
    except TypeError:  # an array of positions cannot be hashed
        return Wiring(*key)
    if found is None:
        found = _interned[key] = Wiring(*key)
    return found


def remember(store: Wiring, key: Any, value: Any) -> Any:
    """Keep what was worked out for this wiring while there is room, which is little where it holds arrays."""
    if len(store.remembered) >= (256 if store.regular else 8):
        store.remembered.clear()
    store.remembered[key] = value
    return value


def transposed(w: Wiring) -> Wiring:
    """The wiring with rows and columns exchanged."""
    found: Wiring | None = w.remembered.get("transposed")
    if found is None:
        found, _ = canonical(w.sizes, w.factors, w.columns, w.rows)
        remember(w, "transposed", found)
    return found


def canonical(
    sizes: Any, factors: Iterable[tuple[int, ...]], rows: Side, columns: Side
) -> tuple[Wiring, dict[int, int]]:
    """The wiring with its indices numbered in reading order: rows, then columns, each by falling stride.

    Returns the wiring and the new number of every index that is left.
    """
    rows, columns = in_reading_order(rows), in_reading_order(columns)
    number: dict[int, int] = {}
    for index, _ in rows[1] + columns[1]:
        number.setdefault(index, len(number))
    for factor in factors:
        for index in factor:
            number.setdefault(index, len(number))
    renamed = wiring(
        tuple(sizes[index] for index in number),
        tuple(tuple(number[index] for index in factor) for factor in factors),
        (rows[0], tuple((number[index], tie) for index, tie in rows[1])),
        (columns[0], tuple((number[index], tie) for index, tie in columns[1])),
    )
    return renamed, number


def in_reading_order(side: Side) -> Side:
    """The side with its ties by falling stride, arrays of positions last."""
    if len(side[1]) < 2:
        return side
    return side[0], tuple(sorted(side[1], key=lambda tie: -tie[1] if type(tie[1]) is int else 1))


def reach(side: Side, sizes: Any) -> tuple[int, int]:
    """The lowest and the highest position on a side."""
    lines = [line_of(tie, 2) * (sizes[k] - 1) if type(tie) is int else tie for k, tie in side[1]]
    return (
        side[0] + sum(int(np.min(line)) for line in lines),
        side[0] + sum(int(np.max(line)) for line in lines),
    )


def all_indices(w: Wiring) -> tuple[int, ...]:
    """All indices of a wiring, in reading order."""
    return tuple(range(len(w.sizes)))


def injective(strides_and_sizes: Iterable[tuple[int, int]]) -> bool:
    """Whether different values of the indices certainly lie at different positions."""
    reach = 0
    for stride, size in sorted((abs(stride), size) for stride, size in strides_and_sizes):
        if stride <= reach:
            return False
        reach += stride * (size - 1)
    return True


def is_number_system(ties: Any, sizes: dict[int, int], count: int) -> bool:
    """Whether the indices are the digits of one index of size ``count``."""
    if any(type(step) is not int for _, step in ties):
        return False
    reach = 1
    for index, step in sorted(ties, key=lambda tie: tie[1]):
        if step != reach:
            return False
        reach *= sizes[index]
    return reach == count


def entries_apart(w: Wiring, width: int) -> bool:
    """Whether no two entries of a term share a place in a matrix with ``width`` columns."""
    if not w.regular:
        return False
    places: dict[int, int] = {}
    for index, stride in w.rows[1]:
        places[index] = stride * width
    for index, stride in w.columns[1]:
        places[index] = places.get(index, 0) + stride
    return injective((stride, w.sizes[index]) for index, stride in places.items())


def grid(side: Side, order: tuple[int, ...], sizes: Any) -> NDArray[np.intp]:
    """The positions on a side for all values of the indices: an array that broadcasts to their grid."""
    position: Any = np.full((1,) * len(order), side[0], dtype=np.intp)
    for index, tie in side[1]:
        shape = [1] * len(order)
        shape[order.index(index)] = sizes[index]
        position = position + line_of(tie, sizes[index]).reshape(shape)
    result: NDArray[np.intp] = position
    return result


def affine(index: int, positions: NDArray[np.intp]) -> Side:
    """The side on which an index stands for these positions: a stride for an arithmetic progression."""
    first = int(positions[0])
    if positions.size == 1:
        return first, ()
    step = int(positions[1]) - first
    if positions[-1] == first + step * (positions.size - 1) and (np.diff(positions) == step).all():
        return first, ((index, step),) if step else ()
    return 0, ((index, positions),)


def distinct(positions: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The positions in rising order, each once, and for every position which of them it is."""
    steps = np.diff(positions)
    if (steps >= 0).all():
        new = np.concatenate([[True], steps > 0])
        return positions[new], np.cumsum(new) - 1
    first = int(positions.min())
    if int(positions.max()) - first > 8 * positions.size:
        once, group = np.unique(positions, return_inverse=True)
        return once, group
    taken = np.bincount(positions - first) > 0
    return first + np.flatnonzero(taken), (np.cumsum(taken) - 1)[positions - first]


def straightened(side: Side) -> Side:
    """The side with strides for those positions that are arithmetic progressions."""
    if all(type(tie) is int for _, tie in side[1]):
        return side
    offset = side[0]
    ties: list[tuple[int, Tie]] = []
    for index, tie in side[1]:
        first, line = (0, ((index, tie),)) if type(tie) is int else affine(index, tie)
        offset += first
        ties.extend(line)
    return offset, tuple(ties)


def trimmed(side: Side, sizes: Any) -> Side:
    """The side without the indices that do not move on it, and with every other index once."""
    offset = int(side[0])
    ties: list[tuple[int, Tie]] = []
    for index, tie in side[1]:
        if np.ndim(tie):
            ties.append((index, np.asarray(tie, dtype=np.intp)))
        elif sizes[index] > 1:
            ties.append((index, int(tie)))
    return substituted(straightened((offset, tuple(ties))), {}, sizes)


def substituted(side: Side, expressions: Mapping[int, Side], sizes: Any) -> Side:
    """The side after indices have been replaced by expressions of others.

    An index that is tied through positions may be replaced by an expression of one index only.
    """
    offset, ties = side
    total: dict[int, Tie] = {}
    for index, tie in ties:
        if index not in expressions:
            total[index] = sum_of_ties(total.get(index, 0), tie, sizes[index])
            continue
        inner_offset, inner_ties = expressions[index]
        if type(tie) is int:
            offset += tie * inner_offset
            for inner, step in inner_ties:
                total[inner] = sum_of_ties(total.get(inner, 0), tie * step, sizes[inner])
        elif not inner_ties:
            offset += int(tie[inner_offset])
        else:
            ((inner, step),) = inner_ties
            looked_up = tie[inner_offset + line_of(step, sizes[inner])]
            total[inner] = sum_of_ties(total.get(inner, 0), looked_up, sizes[inner])
    return offset, tuple((k, tie) for k, tie in total.items() if type(tie) is not int or tie)


def sum_of_ties(one: Tie, other: Tie, size: int) -> Tie:
    """Two contributions of one index together: a stride where both are."""
    if type(one) is int and type(other) is int:
        return one + other
    if type(one) is int and one == 0:
        return other
    return line_of(one, size) + line_of(other, size)


def line_of(tie: Tie, size: int) -> Any:
    """The positions of all values of an index."""
    return np.arange(size) * tie if type(tie) is int else tie
