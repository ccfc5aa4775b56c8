"""Patterns: where the entries of a sum of terms stand in the data of a sparse array, known from the wirings alone.

A pattern is made once and filled with the numbers of every point: to sort the places of the entries costs several
times what it costs to write the numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobi.matrix.exits import sparse
from jacobi.matrix.term import Term, spread
from jacobi.matrix.wiring import Side, Wiring, all_indices, grid

Positions = NDArray[np.intp]
MOST = 4  # patterns that are kept of one function


class Pattern(NamedTuple):
    """The pattern of a sparse array, and where the entries of every term stand in its data.

    Attributes
    ----------
    wirings : tuple of Wiring
        Those of the terms.
    template : sparse array
        The array without its numbers.
    places : tuple of ndarray of int
        One position in the data for every entry of a term, in the order of its indices.
    writes : tuple of (place, operator)
        How each term is written, one after the other: ``"="``, ``"+="``, or ``"at"`` where positions are repeated.
    complete : bool
        Whether every number of the data is written by an ``"="``.
    """

    wirings: tuple[Wiring, ...]
    template: Any
    places: tuple[Positions, ...]
    writes: tuple[tuple[Any, str], ...]
    complete: bool

    def filled(self, terms: Sequence[Term], dtype: Any) -> Any:
        """The sparse array of some terms; it shares its indices with the pattern."""
        data = (np.empty if self.complete else np.zeros)(self.template.nnz, dtype)
        for term, (place, operator) in zip(terms, self.writes, strict=True):
            values = entries(term)
            if operator == "=":
                data[place] = values
            elif operator == "+=":
                data[place] += values
            else:
                np.add.at(data, place, values)
        result = copy.copy(self.template)
        result.data = data
        return result


class Patterns:
    """The patterns that a function needs again and again; made for one function, and gone with it.

    A pattern is worth making when it is needed for the second time.

    Parameters
    ----------
    format : {"csr", "csc", "coo"}
        Of the sparse arrays.
    """

    def __init__(self, format: str):
        self.format = format
        # both are replaced as a whole, because threads may share them
        self.known: tuple[tuple[tuple[int, int], Pattern], ...] = ()
        self.seen: tuple[tuple[tuple[int, int], list[Wiring]], ...] = ()

    def filled(self, terms: Sequence[Term], shape: tuple[int, int], dtype: Any) -> Any:
        """The sparse array of some terms; it shares nothing with later ones."""
        terms = [term.contracted() for term in terms]
        wirings = [term.wiring for term in terms]
        known = self.known
        found = next((made for size, made in known if size == shape and same_wirings(made.wirings, wirings)), None)
        if found is None:
            if not any(size == shape and same_wirings(others, wirings) for size, others in self.seen):
                self.seen = ((shape, wirings), *self.seen[: MOST - 1])
                return sparse(terms, shape, dtype, self.format)
            found = pattern(wirings, shape, self.format)
            self.known = ((shape, found), *known[: MOST - 1])
        result = found.filled(terms, dtype)
        if self.format == "coo":
            result.coords = tuple(axis.copy() for axis in result.coords)
        else:
            result.indices, result.indptr = result.indices.copy(), result.indptr.copy()
        return result


def pattern(wirings: Sequence[Wiring], shape: tuple[int, int], format: str) -> Pattern:
    """The pattern of terms with these wirings, which have no sums that were put off.

    The entries of the sparse array are sorted, and no place is repeated.
    """
    turn = sorted(range(len(wirings)), key=lambda k: wirings[k].columns[0] - wirings[k].rows[0])  # from left to right
    rows = [positions(wirings[k].rows, wirings[k].sizes) for k in turn]
    columns = [positions(wirings[k].columns, wirings[k].sizes) for k in turn]
    bounds = np.cumsum([0, *map(len, rows)])
    kind = np.int32 if max(*shape, bounds[-1]) < 2**31 else np.int64
    row, column = (np.concatenate([np.zeros(0, kind), *parts], dtype=kind) for parts in (rows, columns))
    by_columns = format == "csc"
    major, minor, lines, length = (column, row, *shape[::-1]) if by_columns else (row, column, *shape)
    order, new = sorted_places(major, minor, lines, length)
    where = np.empty(order.size, np.intp)
    where[order] = np.cumsum(new) - 1
    first = order[new]
    template = without_numbers(major[first], minor[first], shape, format)
    found = dict(zip(turn, (where[begin:end] for begin, end in pairwise(bounds)), strict=True))
    places = tuple(found[k] for k in range(len(wirings)))
    written = np.zeros(first.size, bool)
    operators = [operator_of(place, written) for place in places]
    assigned = sum(place.size for place, operator in zip(places, operators, strict=True) if operator == "=")
    writes = tuple((compact(place), operator) for place, operator in zip(places, operators, strict=True))
    return Pattern(tuple(wirings), template, places, writes, assigned == first.size)


def positions(side: Side, sizes: tuple[int, ...]) -> Positions:
    """The positions on a side, one for every entry in the order of its indices."""
    return np.broadcast_to(grid(side, tuple(range(len(sizes))), sizes), sizes).reshape(-1)


def sorted_places(major: Any, minor: Any, lines: int, length: int) -> tuple[Any, Any]:
    """The order that sorts places, and which of them, in that order, differ from the one before."""
    order = sorted_by(major, lines)
    new = differing(major[order], minor[order])
    if new is None:  # within a line the entries are out of order
        order = sorted_by(minor, length)
        order = order[sorted_by(major[order], lines)]
        new = differing(major[order], minor[order])
    return order, new


def sorted_by(keys: Any, count: int) -> Any:
    """The order that sorts keys below ``count``, equal ones as they come: SciPy's way from csr to csc, which counts."""
    from scipy.sparse import csr_array

    pointers = np.arange(keys.size + 1, dtype=keys.dtype)
    return csr_array((np.zeros(keys.size, np.int8), keys, pointers), shape=(keys.size, count)).tocsc().indices


def differing(major: Any, minor: Any) -> Any:
    """Which places differ from the one before; None where they are not sorted."""
    new = np.ones(major.size, bool)
    new[1:] = major[1:] != major[:-1]
    steps = minor[1:] - minor[:-1]
    if ((steps < 0) & ~new[1:]).any():
        return None
    new[1:] |= steps != 0
    return new


def without_numbers(major: Any, minor: Any, shape: tuple[int, int], format: str) -> Any:
    """The sparse array with entries at these places, which are sorted and differ, and with no numbers."""
    import scipy.sparse

    numbers, lines = np.zeros(major.size, bool), shape[1] if format == "csc" else shape[0]
    starts = np.zeros(lines + 1, major.dtype)
    np.cumsum(np.bincount(major, minlength=lines), out=starts[1:])
    parts: Any = (numbers, (major, minor)) if format == "coo" else (numbers, minor, starts)
    template: Any = getattr(scipy.sparse, f"{format}_array")(parts, shape=shape)
    template.has_canonical_format = True
    return template


def operator_of(place: Positions, written: NDArray[np.bool_]) -> str:
    """How entries are written at these positions; ``written`` is brought up to date."""
    fresh = not written[place].any()
    written[place] = True
    return "at" if repeats(place) else "=" if fresh else "+="


def repeats(place: Positions) -> bool:
    """Whether a position is there more than once."""
    return not (np.diff(place) > 0).all() and np.unique(place).size < place.size


def compact(place: Positions) -> Any:
    """Positions as a slice where they are regular, which is written four times as fast."""
    step = int(place[1]) - int(place[0]) if place.size > 1 else 1
    if place.size and step > 0 and (np.diff(place) == step).all():
        return slice(int(place[0]), int(place[-1]) + 1, step)
    return place


def same_wirings(some: Sequence[Wiring], others: Sequence[Wiring]) -> bool:
    """Whether two sums of terms have their entries at the same places."""
    return len(some) == len(others) and all(map(same_places, some, others))


def same_places(one: Wiring, other: Wiring) -> bool:
    """Whether the entries of two wirings lie at the same places, index by index."""
    if one.regular or other.regular:
        return one.place is other.place
    return one.sizes == other.sizes and all(map(same_side, (one.rows, one.columns), (other.rows, other.columns)))


def same_side(one: Side, other: Side) -> bool:
    """Whether two sides are equal, positions included."""
    pairs = zip(one[1], other[1], strict=False)
    return one[0] == other[0] and len(one[1]) == len(other[1]) and all(
        index == its and np.array_equal(tie, tied) for (index, tie), (its, tied) in pairs
    )


def entries(term: Term) -> Any:
    """The numbers of a term in the order of its indices; one number where there are no factors."""
    return spread(term, all_indices(term.wiring)).reshape(-1) if term.factors else term.coefficient
