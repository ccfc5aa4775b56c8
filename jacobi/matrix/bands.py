"""Bands: terms whose entries lie along the same lines of the matrix are added up, each at its place.

The product of two stencils writes every diagonal several times, over ranges that differ a little at the ends.
Such ranges are boxes on one lattice; where two boxes make up a larger one exactly, their terms become one.
No place becomes an entry that was none before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

from jacobi.matrix.plan import Plan
from jacobi.matrix.planning import plan_sides
from jacobi.matrix.wiring import Wiring, remember

Item = TypeVar("Item", bound=Any)


class Box(NamedTuple):
    """The entries of a wiring as a box of points on a lattice.

    Attributes
    ----------
    lattice : tuple
        The strides on rows and columns along every axis, and the place of the origin.
    begin, end : tuple of int
        The box, axis by axis.
    """

    lattice: Any
    begin: tuple[int, ...]
    end: tuple[int, ...]


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
    return Box((steps, row, column), tuple(begin), end)


class Seam(NamedTuple):
    """How two boxes make up a larger one.

    Attributes
    ----------
    sizes : tuple of int
        The larger box.
    here, there : tuple of slice
        The two boxes in it.
    overlap : bool
        Whether they have points in common.
    bare, filled : Plan
        The plans of a term on the larger box: without factors, and with one that fills it.
    """

    sizes: tuple[int, ...]
    here: tuple[slice, ...]
    there: tuple[slice, ...]
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
    whole = None if here is None or there is None else union(here, there)
    result: Seam | None = remember(one, key, None if whole is None else _seam(whole, here, there))
    return result


def union(one: Box, other: Box) -> Box | None:
    """The box that two boxes on one lattice make up; None if they make up no box."""
    if one.lattice != other.lattice:
        return None
    begin = tuple(map(min, one.begin, other.begin))
    end = tuple(map(max, one.end, other.end))
    whole = Box(one.lattice, begin, end)
    if whole in (one, other):
        return whole
    ranges = zip(one.begin, one.end, other.begin, other.end, strict=True)
    apart = [(b, e, c, f) for b, e, c, f in ranges if (b, e) != (c, f)]
    touching = len(apart) == 1 and all(max(b, c) <= min(e, f) for b, e, c, f in apart)
    return whole if touching else None


def _seam(whole: Box, here: Any, there: Any) -> Seam:
    """The seam of two boxes that make up a whole one."""
    sizes = tuple(end - begin for begin, end in zip(whole.begin, whole.end, strict=True))
    overlap = all(map(int.__lt__, here.begin, there.end)) and all(map(int.__lt__, there.begin, here.end))
    places = _within(whole, here), _within(whole, there)
    return Seam(sizes, *places, overlap, plan_of(whole, filled=False), plan_of(whole, filled=True))


def _within(whole: Box, part: Box) -> tuple[slice, ...]:
    """Where a box lies in a larger one."""
    return tuple(slice(b - z, e - z) for b, e, z in zip(part.begin, part.end, whole.begin, strict=True))


def plan_of(box: Box, filled: bool) -> Plan:
    """The plan of a term on a box, with one factor that fills it or with none."""
    steps, row, column = box.lattice
    sizes = tuple(end - begin for begin, end in zip(box.begin, box.end, strict=True))
    order = tuple(range(len(sizes)))
    for first, (row_step, column_step) in zip(box.begin, steps, strict=True):
        row, column = row + first * row_step, column + first * column_step
    rows = (row, tuple((k, step) for k, (step, _) in enumerate(steps)))
    columns = (column, tuple((k, step) for k, (_, step) in enumerate(steps)))
    return plan_sides(sizes, rows, columns, ((order, sizes),) if filled else ())


def along_lines(
    items: list[Item], wiring_of: Callable[[Item], Wiring], join: Callable[[Item, Item], Item | None]
) -> list[Item]:
    """The items (terms, or bare wirings), those joined that lie along the same lines and can be."""
    lines: dict[Hashable, list[Item]] = {}
    for item in items:
        box = box_of(wiring_of(item))
        lines.setdefault(wiring_of(item) if box is None else box.lattice, []).append(item)
    if len(lines) == len(items):
        return items
    return [item for line in lines.values() for item in _joined(line, join)]


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
