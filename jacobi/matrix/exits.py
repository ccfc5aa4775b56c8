"""The ways out of a Jacobian: dense array, sparse formats, diagonal, blocks, tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobi.matrix.arrays import add_at, scatter
from jacobi.matrix.contract import Draft, carry_out
from jacobi.matrix.meet import Nothing, meet
from jacobi.matrix.term import Term, spread
from jacobi.matrix.wiring import Side, Wiring, affine, entries_apart, grid


def flat_places(w: Wiring, width: int) -> Side:
    """The side of the flattened matrix: row times width plus column."""
    total: dict[int, Any] = {}
    for index, tie in w.rows[1]:
        total[index] = tie * width
    for index, tie in w.columns[1]:
        so_far = total.get(index)
        if so_far is None:
            total[index] = tie
        else:
            line = np.arange(w.sizes[index])
            one = so_far * line if type(so_far) is int and type(tie) is not int else so_far
            other = tie * line if type(tie) is int and type(so_far) is not int else tie
            total[index] = one + other
    return w.rows[0] * width + w.columns[0], tuple(total.items())


def order_of(w: Wiring) -> tuple[int, ...]:
    """All indices of a contracted wiring, in reading order."""
    return tuple(range(len(w.sizes)))


def fills(w: Wiring, shape: tuple[int, int]) -> bool:
    """Whether the entries, in reading order, are the matrix."""
    if w.volume != shape[0] * shape[1] or not entries_apart(w, shape[1]):
        return False
    return all(step > 0 for _, step in w.rows[1] + w.columns[1]) and not (
        {k for k, _ in w.rows[1]} & {k for k, _ in w.columns[1]}
    )


def dense(terms: Sequence[Term], shape: tuple[int, int], dtype: Any) -> NDArray[Any]:
    """The full matrix, a new array in C order."""
    if len(terms) == 1 and fills(terms[0].wiring, shape):
        values = spread(terms[0], order_of(terms[0].wiring))
        return np.array(values, dtype=dtype, order="C").reshape(shape)
    result: NDArray[Any] = np.zeros(shape[0] * shape[1], dtype=dtype)
    for term in terms:
        w = term.wiring
        values = np.asarray(term.values(order_of(w))).astype(dtype, copy=False)
        add_at(result, values, flat_places(w, shape[1]), w.sizes)
    return result.reshape(shape)


def recorded(terms: Sequence[Term], shape: tuple[int, int], dtype: Any) -> Any:
    """The full matrix, flattened, in functions that nodes can record; works on arrays as well."""
    total: Any = None
    for term in terms:
        w = term.wiring
        order = order_of(w)
        values = term.values(order)
        if isinstance(values, (int, float)):
            values = np.full((1,) * len(order), values, dtype=dtype)
        if fills(w, shape):
            part = np.broadcast_to(values, w.sizes).reshape(shape[0] * shape[1])
        else:
            part = scatter(values, flat_places(w, shape[1]), w.sizes, shape[0] * shape[1])
        total = part if total is None else total + part
    return np.zeros(shape[0] * shape[1], dtype=dtype) if total is None else total


def coordinates(terms: Sequence[Term], dtype: Any) -> tuple[Any, Any, Any]:
    """Row numbers, column numbers and values of all entries of all terms (places may repeat)."""
    rows, columns, values = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)], [np.zeros(0, dtype)]
    for term in terms:
        w = term.wiring
        order = order_of(w)
        rows.append(np.broadcast_to(grid(w.rows, order, w.sizes), w.sizes).ravel())
        columns.append(np.broadcast_to(grid(w.columns, order, w.sizes), w.sizes).ravel())
        values.append(np.asarray(spread(term, order), dtype=dtype).ravel())
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)


def compacted(terms: Sequence[Term], dtype: Any) -> Term:
    """One sparse term for a sum of many: every entry has its own index value and both sides are positions."""
    rows, columns, values = coordinates(terms, dtype)
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    first = np.ones(rows.size, dtype=bool)
    first[1:] = (np.diff(rows) != 0) | (np.diff(columns) != 0)
    if not first.all():
        values = np.add.reduceat(values, np.flatnonzero(first))
        rows, columns = rows[first], columns[first]
    if rows.size == 1:
        return Term(1, (values.reshape(()),), Wiring((), ((),), (int(rows[0]), ()), (int(columns[0]), ())))
    sides = (affine(0, rows), affine(0, columns))
    return Term(1, (values,), Wiring((rows.size,), ((0,),), *sides))


def diagonal(terms: Sequence[Term], length: int, dtype: Any) -> NDArray[Any]:
    """The main diagonal, without the matrix: rows and columns are made to meet."""
    result: NDArray[Any] = np.zeros(length, dtype=dtype)
    for term in terms:
        w = term.wiring
        places = dict(flat_places(w, -1)[1])  # column minus row, index by index
        apart = w.columns[0] - w.rows[0]
        left = tuple((k, -tie) for k, tie in places.items() if type(tie) is not int or tie < 0)
        right = tuple((k, tie) for k, tie in places.items() if type(tie) is int and tie > 0)
        lower = (-min(apart, 0), left)
        sizes = dict(enumerate(w.sizes))
        frozen = {k for k, tie in w.rows[1] if type(tie) is not int}
        try:
            meeting = meet(lower, (max(apart, 0), right), sizes, frozen)
        except Nothing:
            continue
        draft = Draft(list(w.factors), sizes, w.rows, (0, ()))
        draft.substitute(meeting)
        plan = draft.finish()
        values = Term(term.coefficient * plan.scale, carry_out(plan, term.factors), plan.wiring)
        add_at(
            result,
            np.asarray(values.values(order_of(plan.wiring))).astype(dtype, copy=False),
            plan.wiring.rows,
            plan.wiring.sizes,
        )
    return result


def on_blocks(terms: Sequence[Term], count: int, height: int, width: int) -> list[Term] | None:
    """The terms as the rows of a ``(count * height, width)`` stack of diagonal blocks; None if any lies outside.

    A block diagonal matrix has an index on both sides that counts blocks.  Splitting the indices at the block
    sizes brings it to light.
    """
    result = []
    for term in terms:
        w = term.wiring
        row_digits = _digits(count, height)
        column_digits = _digits(count, width)
        shaped = _multiplied(_multiplied(term, row_digits, left=True), column_digits, left=False)
        if shaped is None:
            return None
        w = shaped.wiring
        if not w.regular:
            return None
        block_of_row, rest = _high(w.rows, height, w.sizes)
        block_of_column, column_rest = _high(w.columns, width, w.sizes)
        if block_of_row is None or block_of_row != block_of_column:
            return None
        plan = Draft(list(w.factors), dict(enumerate(w.sizes)), w.rows, column_rest).finish()
        result.append(Term(shaped.coefficient * plan.scale, carry_out(plan, shaped.factors), plan.wiring))
    return result


def _digits(count: int, length: int) -> Term:
    """The identity, with one index that counts blocks and one within them."""
    sizes, ties = [], []
    for size, step in ((count, length), (length, 1)):
        if size > 1:
            ties.append((len(sizes), step))
            sizes.append(size)
    return Term(1, (), Wiring(tuple(sizes), (), (0, tuple(ties)), (0, tuple(ties))))


def _multiplied(term: Term | None, digits: Term, left: bool) -> Term | None:
    """The product with an identity, its indices left split."""
    if term is None:
        return None
    one, other = (digits, term) if left else (term, digits)
    plan = Draft.of_product(one.wiring, other.wiring, fuse=False)
    if plan is None:
        return None
    factors = carry_out(plan, one.factors + other.factors)
    return Term(term.coefficient * plan.scale, factors, plan.wiring)


def _high(side: Side, step: int, sizes: tuple[int, ...]) -> tuple[Any, Side]:
    """The part of a side that counts blocks, in blocks, and the rest; None when they cannot be told apart."""
    offset, ties = side
    high = tuple(sorted((k, tie // step) for k, tie in ties if tie % step == 0))
    low = tuple((k, tie) for k, tie in ties if tie % step)
    base = offset % step
    reach = [tie * (sizes[k] - 1) for k, tie in low]
    if base + sum(r for r in reach if r < 0) < 0 or base + sum(r for r in reach if r > 0) >= step:
        return None, side
    return (offset // step, high), (base, low)
