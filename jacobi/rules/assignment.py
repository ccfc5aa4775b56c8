"""Writing into arrays: several assignments are one operation, and functions that change an array are assignments.

The operation is recorded under ``operator.setitem`` as ``assigned(array, value, value, ..., places=indices)``.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, placed, scatter
from jacobi.matrix.given import is_node
from jacobi.rules.operations import Fresh, Rule
from jacobi.rules.registry import REGISTRY, composed
from jacobi.rules.samples import calls, real


def assigned(array: Any, *values: Any, places: Sequence[Any]) -> Any:
    """A copy of an array after assignments, one after the other."""
    result = array.copy()
    for place, value in zip(places, values, strict=True):
        result[place] = value
    return result


def writers(shape: layout.Shape, places: Sequence[Any]) -> Any:
    """The number of the assignment that wrote every entry last; -1 where none did."""
    result = np.full(shape, -1)
    for number, place in enumerate(places):
        result[place] = number
    return result


def assigned_locals(wanted: Sequence[int], y: Any, *arguments: Any, places: Sequence[Any]) -> list[Jacobian]:
    """The local Jacobians by the array (operand 0) and by the assigned values, for the wanted operands."""
    last = writers(y.shape, places).reshape(-1)
    positions = np.arange(last.size).reshape(y.shape)
    result = []
    for operand in wanted:
        x_shape = np.shape(arguments[operand])
        if operand == 0:
            kept = np.flatnonzero(last == -1)
            result.append(written(y.shape, x_shape, kept, kept))
            continue
        targets = positions[places[operand - 1]]
        if type(targets) is not np.ndarray:
            column = ((int(targets),), (0,)) if last[targets] == operand - 1 else ((), ())
            result.append(written(y.shape, x_shape, np.array(column[0], int), np.array(column[1], int)))
            continue
        sources = np.broadcast_to(np.arange(layout.size(x_shape)).reshape(x_shape), targets.shape)
        rows, columns = targets.reshape(-1), sources.reshape(-1)
        mine = last[rows] == operand - 1
        if not mine.all() or not first_of_each(rows).all():
            rows, columns = last_of_each(rows[mine], columns[mine])
        result.append(written(y.shape, x_shape, rows, columns))
    return result


def first_of_each(rows: Any) -> Any:
    """Whether a position is written for the first time, in the order of writing (all true without repetition)."""
    if len(rows) < 2 or (np.diff(rows) > 0).all():
        return np.ones(len(rows), bool)
    result = np.zeros(len(rows), bool)
    result[np.unique(rows, return_index=True)[1]] = True
    return result


def last_of_each(rows: Any, columns: Any) -> tuple[Any, Any]:
    """Of several writes to one position, the last one stays."""
    _, from_the_end = np.unique(rows[::-1], return_index=True)
    kept = np.sort(len(rows) - 1 - from_the_end)
    return rows[kept], columns[kept]


def written(y_shape: layout.Shape, x_shape: layout.Shape, rows: Any, columns: Any) -> Jacobian:
    """The selection with a one in each of the given rows and columns; slices of any rank stay strides."""
    if not len(rows):
        return Jacobian.zero(y_shape, x_shape)
    sizes, row_steps, column_steps = digits(rows, columns)
    if row_steps is None:
        return placed(y_shape, x_shape, (len(rows),), (0, ((0, rows),)), (0, ((0, columns),)))
    sides = [
        (int(start), tuple((k, step) for k, step in enumerate(steps) if step))
        for start, steps in ((rows[0], row_steps), (columns[0], column_steps))
    ]
    return placed(y_shape, x_shape, tuple(sizes), sides[0], sides[1])


def digits(rows: Any, columns: Any) -> tuple[list[int], Any, Any]:
    """Two lists of positions that run in step as nested loops with constant strides; None if they do not."""
    sizes: list[int] = []
    steps: list[tuple[int, int]] = []
    while len(rows) > 1:
        step, other = int(rows[1] - rows[0]), int(columns[1] - columns[0])
        same = (np.diff(rows) == step) & (np.diff(columns) == other)
        count = len(rows) if same.all() else int(np.argmin(same)) + 1
        if len(rows) % count or count == 1:
            return [], None, None
        blocks, partners = rows.reshape(-1, count), columns.reshape(-1, count)
        line = np.arange(count)
        if not ((blocks == blocks[:, :1] + step * line).all() and (partners == partners[:, :1] + other * line).all()):
            return [], None, None
        sizes.insert(0, count)
        steps.insert(0, (step, other))
        rows, columns = blocks[:, 0], partners[:, 0]
    return sizes, [step for step, _ in steps], [other for _, other in steps]


def samples(rng: np.random.Generator) -> Any:
    """Assignments of every kind."""
    vector, matrix = real(rng, (6,)), real(rng, (3, 4))
    mask = np.array([True, False, True, True, False, False])
    for array, *writes in (
        (vector, (slice(1, -1), real(rng, (4,)))),
        (vector, (0, real(rng, ())), (5, real(rng, ())), (0, real(rng, ()))),
        (vector, (mask, real(rng, (3,)))),
        (vector, (mask, real(rng, ()))),
        (vector, ([4, 0, 4], real(rng, (3,)))),
        (vector, (slice(None, None, -2), real(rng, (3,))), (slice(0, 2), real(rng, (1,)))),
        (matrix, ((slice(1, None), slice(0, 3)), real(rng, (2, 3)))),
        (matrix, (1, real(rng, (4,))), ((slice(None), 2), real(rng, (3,)))),
        (matrix, (Ellipsis, real(rng, (4,)))),
        (matrix, ((slice(0, 0), 0), real(rng, (0,)))),
    ):
        places = tuple(place for place, _ in writes)
        yield (array, *(value for _, value in writes)), {"places": places}


REGISTRY[operator.setitem] = Rule(
    operator.setitem,
    (),
    together=assigned_locals,
    evaluate=assigned,
    samples=samples,
    needs=(False, ()),  # only the shapes
    name="assignment",
)
for _function in (np.zeros_like, np.ones_like, np.empty_like):
    REGISTRY[_function] = Fresh(_function, _function)


def full_like(a: Any, fill_value: Any, **parameters: Any) -> Any:
    """``numpy.full_like``: an array to be filled, and filled with what may be traced."""
    if is_node(fill_value) and not is_node(a):
        return np.copy(np.broadcast_to(fill_value, np.shape(np.zeros_like(a, **parameters))))
    result = np.zeros_like(a, **parameters)
    result[...] = fill_value
    return result


composed(np.full_like, full_like, samples=calls(((3,), {"fill_value": 2.0}), ((2, 3), {"fill_value": -1.5})))


# Functions that change their first argument ---------------------------------------------------------------------


def copyto(dst: Any, src: Any, where: Any = True) -> None:
    """``numpy.copyto``."""
    if where is True:
        dst[...] = src
    else:
        dst[where] = np.broadcast_to(src, np.shape(dst))[where]


def put(a: Any, ind: Any, v: Any) -> None:
    """``numpy.put``: by flat positions; values are repeated in turn."""
    positions = np.ravel(ind)
    a[np.unravel_index(positions, np.shape(a))] = in_turn(v, np.arange(positions.size))


def putmask(a: Any, mask: Any, values: Any) -> None:
    """``numpy.putmask``: every entry has its own value."""
    a[mask] = in_turn(values, np.flatnonzero(mask))


def place(arr: Any, mask: Any, vals: Any) -> None:
    """``numpy.place``: the first entry of the mask takes the first value, and so on."""
    arr[mask] = in_turn(vals, np.arange(np.count_nonzero(mask)))


def in_turn(values: Any, positions: Any) -> Any:
    """The values at some positions, repeated in turn without end."""
    return np.ravel(values)[positions % np.size(values)]


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """``numpy.fill_diagonal`` of matrices."""
    if np.ndim(a) != 2 or wrap:
        raise TraceError(at_users_line("fill_diagonal is traced for matrices", "Assign to a[index, index]."))
    k = np.arange(min(np.shape(a)))
    a[k, k] = val


def add_at(a: Any, indices: Any, b: Any) -> None:
    """``numpy.add.at``: repeated positions add up."""
    shape = np.shape(a)
    targets = np.arange(layout.size(shape)).reshape(shape)[indices]
    side = (0, ((0, np.ravel(targets)),))
    values = np.reshape(np.broadcast_to(b, np.shape(targets)), (targets.size,))
    a[...] = a + np.reshape(scatter(values, side, (targets.size,), layout.size(shape)), shape)


MASK = np.array([[True, False, True], [False, True, True]])

composed(np.copyto, copyto, samples=calls(((2, 3), (3,)), ((2, 3), (2, 3), {"where": MASK}), ((3,), ())))
composed(np.put, put, samples=calls(((2, 3), [4, 1], (2,)), ((5,), [0, 3, 1], (2,)), ((5,), [2], ())))
composed(np.putmask, putmask, samples=calls(((2, 3), MASK, (2, 3)), ((2, 3), MASK, (2,)), ((2, 3), MASK, ())))
composed(np.place, place, samples=calls(((2, 3), MASK, (4,)), ((2, 3), MASK, (2,)), ((2, 3), MASK, (2, 3))))
composed(np.fill_diagonal, fill_diagonal, samples=calls(((2, 3), ()), ((3, 2), (2,))))
composed((np.add, "at"), add_at, samples=calls(((5,), [1, 3, 1], (3,)), ((2, 3), 1, (3,)), ((5,), [0, 0], ())))
composed((np.subtract, "at"), lambda a, indices, b: add_at(a, indices, -b), samples=calls(((5,), [1, 1], (2,))))
