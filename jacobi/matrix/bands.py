"""Bands: terms whose entries lie along the same lines of the matrix are added up, each at its place.

The product of two stencils writes every diagonal several times, over ranges that differ a little at the ends.
Such ranges are boxes on one lattice; where two boxes make up a larger one exactly, their terms become one.
So do a line and a box that lies on it.  No place becomes an entry that was none before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from math import gcd
from typing import Any, NamedTuple, TypeVar

from jacobi import layout
from jacobi.matrix.plan import Plan
from jacobi.matrix.planning import plan_sides
from jacobi.matrix.wiring import Side, Wiring, remember

Item = TypeVar("Item", bound=Any)
MANY = 32  # more pieces on one line are compacted at once; see `jacobi.matrix.products.shortened`


class Box(NamedTuple):
    """The entries of a wiring as a box of points on a lattice.

    Attributes
    ----------
    steps : tuple of (int, int)
        The strides on rows and columns along every axis.
    origin : (int, int)
        The row and the column of the point 0, 0, ... of the lattice.
    begin, end : tuple of int
        The box, axis by axis.
    line : hashable
        What boxes on one line of the matrix have in common; see `common_line`.
    """

    steps: tuple[tuple[int, int], ...]
    origin: tuple[int, int]
    begin: tuple[int, ...]
    end: tuple[int, ...]
    line: Hashable

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of points along every axis."""
        return tuple(end - begin for begin, end in zip(self.begin, self.end, strict=True))

    @property
    def first(self) -> tuple[int, int]:
        """The row and the column of the first point."""
        row, column = self.origin
        for count, (row_step, column_step) in zip(self.begin, self.steps, strict=True):
            row, column = row + count * row_step, column + count * column_step
        return row, column


def common_line(steps: tuple[tuple[int, int], ...], origin: tuple[int, int]) -> Hashable:
    """Equal for boxes on one line of the matrix, or on one lattice when its axes have several directions."""
    directions = {(down // gcd(down, right), right // gcd(down, right)) for down, right in steps}
    if len(directions) > 1:
        return steps, origin
    ((down, right),) = directions
    return down, right, origin[0] * right - origin[1] * down


def box_of(w: Wiring) -> Box | None:
    """The box of a wiring all of whose indices stand on both sides; None for any other."""
    if "box" in w.remembered:
        found: Box | None = w.remembered["box"]
        return found
    box: Box | None = remember(w, "box", _box_of(w))
    return box


def _box_of(w: Wiring) -> Box | None:
    """The box, worked out: the offsets of both sides are taken apart into steps along the axes and a rest."""
    rows, columns = dict(w.rows[1]), dict(w.columns[1])
    if not w.regular or not len(rows) == len(columns) == len(w.sizes):
        return None
    # A single entry is a piece of a diagonal.
    steps = tuple((rows[k], columns[k]) for k in rows) or ((1, 1),)
    sizes = tuple(w.sizes[k] for k in rows) or (1,)
    row, column = w.rows[0], w.columns[0]
    begin = []
    for row_step, column_step in steps:
        first, row = divmod(row, row_step)
        column -= first * column_step
        begin.append(first)
    end = tuple(first + size for first, size in zip(begin, sizes, strict=True))
    return Box(steps, (row, column), tuple(begin), end, common_line(steps, (row, column)))


class Seam(NamedTuple):
    """How two boxes make up a larger one.

    Attributes
    ----------
    sizes : tuple of int
        The larger box.
    here, there : Side
        Where the entries of the two boxes stand in it, flattened.
    overlap : bool
        Whether they may have points in common.
    bare, filled : Plan
        The plans of a term on the larger box: without factors, and with one that fills it.
    """

    sizes: tuple[int, ...]
    here: Side
    there: Side
    overlap: bool
    bare: Plan
    filled: Plan


def seam(one: Wiring, other: Wiring) -> Seam | None:
    """How the boxes of two wirings make up a larger one; None if they do not."""
    key = ("seam", other)
    if key in one.remembered:
        found: Seam | None = one.remembered[key]
        return found
    here, there = box_of(one), box_of(other)
    result: Seam | None = None if here is None or there is None else _seam(here, there)
    return remember(one, key, result)  # type: ignore[no-any-return]


def _seam(here: Box, there: Box) -> Seam | None:
    """The seam of two boxes."""
    for whole in (union(here, there), here, there):
        left = None if whole is None else inside(whole, here)
        right = None if whole is None else inside(whole, there)
        if whole is not None and left is not None and right is not None:
            beside = any(map(int.__le__, here.end, there.begin)) or any(
                map(int.__le__, there.end, here.begin)
            )
            overlap = here.steps != there.steps or not beside
            return Seam(whole.sizes, left, right, overlap, plan_of(whole, False), plan_of(whole, True))
    return None


def union(one: Box, other: Box) -> Box | None:
    """The box that two boxes on one lattice make up; None if they make up no box."""
    if (one.steps, one.origin) != (other.steps, other.origin):
        return None
    begin = tuple(map(min, one.begin, other.begin))
    end = tuple(map(max, one.end, other.end))
    whole = one._replace(begin=begin, end=end)
    if whole in (one, other):
        return whole
    ranges = zip(one.begin, one.end, other.begin, other.end, strict=True)
    apart = [(b, e, c, f) for b, e, c, f in ranges if (b, e) != (c, f)]
    touching = len(apart) == 1 and all(max(b, c) <= min(e, f) for b, e, c, f in apart)
    return whole if touching else None


def inside(whole: Box, part: Box) -> Side | None:
    """Where the points of a box stand in a larger one, flattened; None if they are not all in it.

    The larger one is a box on the same lattice, or a line.
    """
    if (whole.steps, whole.origin) == (part.steps, part.origin):
        strides = layout.strides(whole.sizes)
        apart = [b - z for b, z in zip(part.begin, whole.begin, strict=True)]
        if min(apart) < 0 or any(e > f for e, f in zip(part.end, whole.end, strict=True)):
            return None
        return sum(a * stride for a, stride in zip(apart, strides, strict=True)), _ties(part, strides)
    ((step, _), *more) = whole.steps
    if more or whole.line != part.line or any(down % step for down, _ in part.steps):
        return None
    first, rest = divmod(part.first[0] - whole.first[0], step)
    strides = tuple(down // step for down, _ in part.steps)
    last = first + sum((size - 1) * stride for size, stride in zip(part.sizes, strides, strict=True))
    return None if rest or first < 0 or last >= whole.sizes[0] else (first, _ties(part, strides))


def _ties(box: Box, strides: tuple[int, ...]) -> Any:
    """A stride for every index of the wiring of a box; a single entry has none."""
    return tuple((k, stride) for k, stride in enumerate(strides) if box.sizes != (1,))


def plan_of(box: Box, filled: bool) -> Plan:
    """The plan of a term on a box, with one factor that fills it or with none."""
    (row, column), sizes = box.first, box.sizes
    order = tuple(range(len(sizes)))
    rows = (row, tuple((k, step) for k, (step, _) in enumerate(box.steps)))
    columns = (column, tuple((k, step) for k, (_, step) in enumerate(box.steps)))
    return plan_sides(sizes, rows, columns, ((order, sizes),) if filled else ())


def along_lines(
    items: list[Item], wiring_of: Callable[[Item], Wiring], join: Callable[[Item, Item], Item | None]
) -> list[Item]:
    """The items (terms, or bare wirings), those joined that lie along the same lines and can be."""
    lines: dict[Hashable, list[Item]] = {}
    for item in items:
        box = box_of(wiring_of(item))
        lines.setdefault(wiring_of(item) if box is None else box.line, []).append(item)
    if len(lines) == len(items):
        return items
    return [item for line in lines.values() for item in (_joined(line, join) if len(line) <= MANY else line)]


def _joined(line: list[Item], join: Callable[[Item, Item], Item | None]) -> list[Item]:
    """The items along the same lines, joined until no two of them can be."""
    result: list[Item] = []
    for item in line:
        position = 0
        while position < len(result):
            both = join(result[position], item)
            position += 1
            if both is not None:  # the larger one may touch those before
                del result[position - 1]
                item, position = both, 0
        result.append(item)
    return result
