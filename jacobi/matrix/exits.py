"""The ways out of a Jacobian: dense array, sparse formats, diagonal, blocks, tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobi.matrix.arrays import add_at, scatter
from jacobi.matrix.contract import Draft
from jacobi.matrix.meet import Nothing, meet
from jacobi.matrix.plan import carry_out
from jacobi.matrix.planning import plan_sides
from jacobi.matrix.term import Term, aligned, numeric, spread
from jacobi.matrix.wiring import (
    Side,
    Wiring,
    all_indices,
    entries_apart,
    grid,
    line_of,
    remember,
    sum_of_ties,
)


def flat_places(w: Wiring, width: int) -> Side:
    """The side of the flattened matrix: row times width plus column."""
    total: dict[int, Any] = {index: tie * width for index, tie in w.rows[1]}
    for index, tie in w.columns[1]:
        total[index] = sum_of_ties(total.get(index, 0), tie, w.sizes[index])
    return w.rows[0] * width + w.columns[0], tuple(total.items())


def fills(w: Wiring, shape: tuple[int, int]) -> bool:
    """Whether the entries, in reading order, are the matrix."""
    key = ("fills", *shape)
    known: bool | None = w.remembered.get(key)
    return remember(w, key, _fills(w, shape)) if known is None else known


def _fills(w: Wiring, shape: tuple[int, int]) -> bool:
    """Whether every place is an entry, none is repeated, and none comes before its turn."""
    if w.volume != shape[0] * shape[1] or not entries_apart(w, shape[1]):
        return False
    return all(step > 0 for _, step in w.rows[1] + w.columns[1]) and not (
        {k for k, _ in w.rows[1]} & {k for k, _ in w.columns[1]}
    )


def full(terms: Sequence[Term], shape: tuple[int, int], dtype: Any) -> Any:
    """The full matrix: an array, or a node where the factors are nodes."""
    return (dense if numeric(terms) else recorded)(terms, shape, dtype)


@np.errstate(invalid="ignore", over="ignore")  # what is infinite or undefined shows in the result
def dense(terms: Sequence[Term], shape: tuple[int, int], dtype: Any) -> NDArray[Any]:
    """The full matrix, a new array in C order."""
    terms = [term.contracted() for term in terms]
    whole = next((term for term in terms if fills(term.wiring, shape)), None)
    result: NDArray[Any] = np.zeros(shape[0] * shape[1], dtype) if whole is None else written_out(whole, dtype)
    if whole is not None and len(terms) > 1:
        result += 0.0  # a sum has no minus in front of a zero
    for term in terms:
        if term is not whole:
            w = term.wiring
            values = np.asarray(term.values(all_indices(w))).astype(dtype, copy=False)
            add_at(result, values, flat_places(w, shape[1]), w.sizes)
    return result.reshape(shape)


def written_out(term: Term, dtype: Any) -> NDArray[Any]:
    """The entries of a term in the order of its indices, a new vector; no other array of its size is made."""
    w = term.wiring
    result: NDArray[Any] = np.empty(w.sizes, dtype)
    factors = [aligned(factor, axes, all_indices(w)) for factor, axes in zip(term.factors, w.factors, strict=True)]
    if len(factors) > 1:
        np.multiply(factors[0], factors[1], out=result, casting="unsafe")
    else:
        result[...] = factors[0] if factors else term.coefficient
    for factor in factors[2:]:
        np.multiply(result, factor, out=result, casting="unsafe")
    if factors and term.coefficient != 1:
        result *= term.coefficient
    return result.reshape(-1)


def recorded(terms: Sequence[Term], shape: tuple[int, int], dtype: Any) -> Any:
    """The full matrix, in functions that nodes can record; works on arrays as well."""
    total: Any = None
    for term in (term.contracted() for term in terms):
        w = term.wiring
        order = all_indices(w)
        values = term.values(order)
        if isinstance(values, (int, float)):
            values = np.full((1,) * len(order), values, dtype=dtype)
        if fills(w, shape):
            part = np.broadcast_to(values, w.sizes).reshape(shape[0] * shape[1])
        else:
            part = scatter(values, flat_places(w, shape[1]), w.sizes, shape[0] * shape[1])
        total = part if total is None else total + part
    return np.zeros(shape, dtype=dtype) if total is None else total.reshape(shape)


def coordinates(terms: Sequence[Term], dtype: Any, kind: Any = np.intp) -> tuple[Any, Any, Any]:
    """Row numbers, column numbers and values of all entries of all terms (places may repeat)."""
    rows, columns, values = [np.zeros(0, kind)], [np.zeros(0, kind)], [np.zeros(0, dtype)]
    for term in (term.contracted() for term in terms):
        w = term.wiring
        order = all_indices(w)
        rows.append(np.broadcast_to(grid(w.rows, order, w.sizes).astype(kind), w.sizes).ravel())
        columns.append(np.broadcast_to(grid(w.columns, order, w.sizes).astype(kind), w.sizes).ravel())
        values.append(np.asarray(spread(term, order), dtype=dtype).ravel())
    if len(terms) == 1:
        return rows[1], columns[1], values[1]
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)


def sparse(terms: Sequence[Term], shape: tuple[int, int], dtype: Any, format: str) -> Any:
    """A sparse array of SciPy, with sorted indices and no repeated places."""
    from scipy.sparse import coo_array

    kind = np.int32 if max(shape) < 2**31 else np.int64
    rows, columns, values = coordinates(terms, dtype, kind)
    listed: Any = coo_array((values, (rows, columns)), shape=shape)
    result = listed.tocsc() if format == "csc" else listed.tocsr()
    result.sum_duplicates()
    result = result.asformat(format)
    result.has_canonical_format = True  # SciPy 1.13 does not hand this on to "coo"
    return result


def compacted(terms: Sequence[Term], dtype: Any) -> list[Term]:
    """A sum of many terms as one sparse term, or as a few diagonals where that is what it is."""
    term = summed(*coordinates(terms, dtype))
    w = term.wiring
    if w.regular or not w.rows[1] or not w.columns[1]:
        return [term]
    rows, columns = (side[0] + line_of(side[1][0][1], w.sizes[0]) for side in (w.rows, w.columns))
    return runs_along_diagonals(rows, columns, term.factors[0]) or [term]


MANY_DIAGONALS = 9


def runs_along_diagonals(rows: Any, columns: Any, values: Any) -> list[Term]:
    """Entries sorted by rows as runs along a few diagonals without gaps; empty where they are none."""
    offsets = columns - rows
    if len(np.unique(offsets[: 4 * MANY_DIAGONALS])) > MANY_DIAGONALS:
        return []
    found = np.unique(offsets)
    result = []
    for offset in found if len(found) <= MANY_DIAGONALS else ():
        mine = np.flatnonzero(offsets == offset)
        row, count = int(rows[mine[0]]), len(mine)
        if (np.diff(rows[mine]) != 1).any():
            return []
        plan = plan_sides((count,), (row, ((0, 1),)), (row + int(offset), ((0, 1),)), (((0,), (count,)),))
        result.append(Term(1, carry_out(plan, (values[mine],)), plan.wiring))
    return result


def summed(rows: Any, columns: Any, values: Any) -> Term:
    """A sparse term: every entry has its own index value, both sides are positions, and no place repeats."""
    place = rows * (int(columns.max()) + 1) + columns
    if (np.diff(place) < 0).any():
        order = np.argsort(place)
        rows, columns, values, place = rows[order], columns[order], values[order], place[order]
    first = np.append(True, np.diff(place) != 0)
    if not first.all():
        values = np.add.reduceat(values, np.flatnonzero(first))
        rows, columns = rows[first], columns[first]
    sides = (0, ((0, rows),)), (0, ((0, columns),))
    plan = plan_sides((values.size,), *sides, (((0,), values.shape),))
    return Term(1, carry_out(plan, (values,)), plan.wiring)


def diagonal(terms: Sequence[Term]) -> list[Term]:
    """The main diagonal as the terms of a column, without the matrix: rows and columns are made to meet."""
    result = []
    for term in terms:
        w = term.wiring
        places = dict(flat_places(w, -1)[1])  # column minus row, index by index
        apart = w.columns[0] - w.rows[0]
        left = tuple((k, -tie) for k, tie in places.items() if type(tie) is not int or tie < 0)
        right = tuple((k, tie) for k, tie in places.items() if type(tie) is int and tie > 0)
        sizes = dict(enumerate(w.sizes))
        frozen = {k for k, tie in w.rows[1] if type(tie) is not int}
        try:
            meeting = meet((max(-apart, 0), left), (max(apart, 0), right), sizes, frozen)
        except Nothing:
            continue
        draft = Draft(list(w.factors), sizes, w.rows, (0, ()))
        draft.substitute(meeting)
        plan = draft.finish()
        result.append(Term(term.coefficient * plan.scale, carry_out(plan, term.factors), plan.wiring))
    return result


def inside_blocks(w: Wiring, height: int, width: int) -> bool:
    """Whether all entries lie in diagonal blocks of this height and width."""
    order = all_indices(w)
    on_rows, on_columns = {k for k, _ in w.rows[1]}, {k for k, _ in w.columns[1]}
    of_row = grid(w.rows, order, w.sizes) // height
    of_column = grid(w.columns, order, w.sizes) // width
    rows_only, columns_only = tuple(on_rows - on_columns), tuple(on_columns - on_rows)
    first = of_row.min(axis=rows_only, keepdims=True)
    return bool(
        (of_row == first).all()
        and (of_column == of_column.min(axis=columns_only, keepdims=True)).all()
        and (first == of_column.min(axis=columns_only, keepdims=True)).all()
    )


def stacked_blocks(terms: Sequence[Term], count: int, width: int) -> list[Term]:
    """The diagonal blocks on top of each other, as terms of a matrix of this width."""
    sides = (0, ((0, width), (1, 1))), (0, ((1, 1),))
    folding = Term(1, (), plan_sides((count, width), *sides).wiring)
    return [product for term in terms if (product := term @ folding) is not None]
