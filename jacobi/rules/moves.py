"""Operations that move entries around: their Jacobians are selections, read off NumPy itself.

A move that is a view is run once on a dummy array, and the strides of the result are the index map.  Any other move
is run on the positions 0, 1, ..., and the map is taken apart into axes, each affine or an array of positions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, placed, scatter
from jacobi.rules.calls import is_default, parameter_names
from jacobi.rules.operations import Move
from jacobi.rules.registry import REGISTRY, composed, elementwise, rule
from jacobi.rules.samples import calls


def selection(y_shape: layout.Shape, x_shape: layout.Shape, move: Callable[..., Any]) -> Jacobian:
    """The Jacobian of a move that maps an array of shape ``x_shape`` to one of shape ``y_shape``."""
    count = layout.size(x_shape)
    if not count or not layout.size(y_shape):
        return Jacobian.zero(y_shape, x_shape)
    dummy = np.empty(count, dtype=np.int8)
    moved = move(dummy.reshape(x_shape))
    if np.may_share_memory(moved, dummy):
        start = moved.__array_interface__["data"][0] - dummy.__array_interface__["data"][0]
        return strided(y_shape, x_shape, start, moved.strides)
    return from_positions(move(np.arange(count).reshape(x_shape)), x_shape)


def strided(y_shape: layout.Shape, x_shape: layout.Shape, start: int, steps: layout.Shape) -> Jacobian:
    """The selection whose entry ``y[k, l, ...]`` reads position ``start + k * steps[0] + l * steps[1] + ...``."""
    axes = layout.axes(y_shape)
    rows = tuple((k, stride) for k, (_, _, stride) in enumerate(axes))
    columns = tuple((k, steps[axis]) for k, (axis, _, _) in enumerate(axes) if steps[axis])
    return placed(y_shape, x_shape, tuple(n for _, n, _ in axes), (0, rows), (start, columns))


def from_positions(positions: Any, x_shape: layout.Shape) -> Jacobian:
    """The selection that reads the given positions of the flattened input."""
    axes = layout.axes(positions.shape)
    corner = int(positions.flat[0])
    lines = [positions[tuple(slice(None) if k == axis else 0 for k in range(positions.ndim))] for axis, _, _ in axes]
    expected: Any = corner
    for (axis, count, _), line in zip(axes, lines, strict=True):
        expected = expected + (line - corner).reshape([count if k == axis else 1 for k in range(positions.ndim)])
    if not np.array_equal(np.broadcast_to(expected, positions.shape), positions):
        sides = (0, ((0, 1),)), (0, ((0, positions.reshape(-1)),))
        return placed(positions.shape, x_shape, (positions.size,), *sides)
    total = Jacobian.zero(positions.shape, x_shape)
    for pieces in product(*(runs(line - corner) for line in lines)):
        sizes: list[int] = []
        rows: list[tuple[int, int]] = []
        columns: list[tuple[int, Any]] = []
        row, column = 0, corner
        for (_, _, stride), (first, count, start, step) in zip(axes, pieces, strict=True):
            row += first * stride
            column += start
            if count > 1:
                index = len(sizes)
                sizes.append(count)
                rows.append((index, stride))
                if type(step) is not int or step:
                    columns.append((index, step))
        total = total + placed(
            positions.shape, x_shape, tuple(sizes), (row, tuple(rows)), (column, tuple(columns))
        )
    return total


def runs(line: Any) -> list[tuple[int, int, int, Any]]:
    """An index map as at most two arithmetic progressions ``(first, count, start, step)``, or one array."""
    steps = np.diff(line)
    breaks = np.flatnonzero(np.diff(steps)) + 1 if len(steps) > 1 else np.zeros(0, int)
    if not len(breaks):
        return [(0, len(line), int(line[0]), int(steps[0]) if len(steps) else 0)]
    for cut in {int(breaks[0]), int(breaks[0]) + 1}:
        rest = np.diff(line[cut:])
        head = np.diff(line[:cut])
        if (rest == rest[:1]).all() and (head == head[:1]).all():
            return [
                (0, cut, int(line[0]), int(head[0]) if len(head) else 0),
                (cut, len(line) - cut, int(line[cut]), int(rest[0]) if len(rest) else 0),
            ]
    return [(0, len(line), 0, line)]


def move(function: Any, samples: Any, **options: Any) -> None:
    """Declare an operation that moves the entries of its operand."""
    run = options.get("evaluate", function)

    def by(y: Any, x: Any, **parameters: Any) -> Jacobian:
        return selection(y.shape, x.shape, lambda positions: run(positions, **parameters))

    operation = Move(function, (by,), samples=samples, needs=(False, ()), **options)
    REGISTRY[function] = operation


def moves(declarations: dict[Any, Any]) -> None:
    """Declare several moves with their samples."""
    for function, samples in declarations.items():
        move(function, samples)


SHAPE = parameter_names(np.reshape)[1]  # what `reshape` calls it: "newshape" in NumPy 2.0, "shape" since then

moves(
    {
        np.reshape: calls(
            ((2, 3), {SHAPE: (3, 2)}),
            ((6,), {SHAPE: (2, -1)}),
            ((), {SHAPE: (1, 1)}),
            ((2, 3), {SHAPE: (3, 2), "order": "F"}),
        ),
        np.ravel: calls((2, 3), ((2, 3), {"order": "F"}), (), (2, 1, 3)),
        np.transpose: calls((2, 3), (2, 3, 4), ((2, 3, 4), {"axes": (1, 2, 0)}), (3,)),
        np.swapaxes: calls(((2, 3, 4), {"axis1": 0, "axis2": -1})),
        np.moveaxis: calls(((2, 3, 4), {"source": 0, "destination": -1})),
        np.squeeze: calls((1, 3, 1), ((1, 3, 1), {"axis": 0}), (2, 3)),
        np.expand_dims: calls(((2, 3), {"axis": 1}), ((3,), {"axis": (0, 2)})),
        np.broadcast_to: calls(((3,), {"shape": (2, 3)}), ((2, 1), {"shape": (4, 2, 3)}), ((), {"shape": (3,)})),
        np.flip: calls((3,), (2, 3), ((2, 3), {"axis": 1})),
        np.roll: calls(
            ((5,), {"shift": 2}),
            ((2, 3), {"shift": 1}),
            ((2, 3), {"shift": -1, "axis": 1}),
            ((4, 3), {"shift": (1, 2), "axis": (0, 1)}),
        ),
        np.repeat: calls(
            ((3,), {"repeats": 2}),
            ((2, 3), {"repeats": 2, "axis": 1}),
            ((3,), {"repeats": [1, 0, 2]}),
            ((2, 3), {"repeats": 2}),
        ),
        np.tile: calls(((3,), {"reps": 2}), ((2, 3), {"reps": (2, 2)}), ((3,), {"reps": (2, 1)})),
        np.take: calls(
            ((5,), {"indices": [3, 0, 0]}),
            ((2, 3), {"indices": [2, 0], "axis": 1}),
            ((2, 3), {"indices": 4}),
            ((5,), {"indices": [[3, 0], [1, 1], [2, 2]]}),
        ),
        np.diagonal: calls((3, 4), ((3, 4), {"offset": 1}), ((2, 3, 4), {"axis1": 2, "axis2": 0})),
        np.rot90: calls((2, 3), ((2, 3), {"k": 2}), ((2, 3, 4), {"k": 3, "axes": (1, 2)})),
        np.fliplr: calls((2, 3)),
        np.flipud: calls((2, 3)),
        np.rollaxis: calls(((2, 3, 4), {"axis": 2})),
    }
)  # fmt: skip
composed(np.matrix_transpose, lambda x: np.swapaxes(x, -1, -2), samples=calls((2, 3), (4, 2, 3)))
elementwise(
    np.copy,
    lambda y, a, order="K": 1,
    evaluate=lambda a, order="K": np.array(a, order=order),
    samples=calls((2, 3), ((2, 3), {"order": "F"}), ()),
)


def below(m: Any, k: int) -> Any:
    """Where the entries of a matrix lie at or below its k-th diagonal."""
    return np.tri(m.shape[-2] if m.ndim > 1 else m.shape[0], m.shape[-1], k=k, dtype=bool)


composed(
    np.tril,
    lambda m, k=0: np.where(below(m, k), m, 0),
    samples=calls((3, 4), ((2, 3, 4), {"k": 1}), ((3, 4), {"k": -1}), (3,)),
)
composed(
    np.triu,
    lambda m, k=0: np.where(below(m, k - 1), 0, m),
    samples=calls((3, 4), ((2, 3, 4), {"k": 1}), ((3, 4), {"k": -1}), (3,)),
)
elementwise(
    np.ndarray.astype,
    lambda y, x, dtype: 1,
    evaluate=lambda x, dtype: x.astype(dtype),
    unpack=lambda x, dtype: ((x,), {"dtype": dtype}),
    samples=calls(((2, 3), float), ((), np.float64)),
    name="astype",
)

if hasattr(np, "astype"):
    composed(np.astype, lambda x, dtype, copy=True: x.astype(dtype), samples=calls(((2, 3), np.float64)))


def at_least(rank: int, x: Any) -> Any:
    """An array with axes of length 1 where it has too few, as NumPy places them."""
    shape = np.shape(x)
    missing = {(3, 1): (1, *shape, 1), (3, 2): (*shape, 1)}.get((rank, len(shape)), (1,) * (rank - len(shape)) + shape)
    return np.reshape(x, missing) if len(shape) < rank else x


for _rank, _function in ((1, np.atleast_1d), (2, np.atleast_2d), (3, np.atleast_3d)):
    composed(
        _function,
        lambda *arrays, _rank=_rank: (
            at_least(_rank, arrays[0]) if len(arrays) == 1 else tuple(at_least(_rank, x) for x in arrays)
        ),
        samples=calls((), (3,), (2, 3), (2, 1, 3), ((3,), (2, 3))),
    )


def read(array: Any, index: Any) -> Any:
    """``array[index]``."""
    return array[index]


move(
    operator.getitem,
    evaluate=read,
    unpack=lambda x, index: ((x,), {"index": index}),
    name="indexing",
    samples=calls(
        ((5,), 2),
        ((5,), -1),
        ((5,), slice(1, 4)),
        ((5,), slice(None, None, -2)),
        ((5,), [0, 3, 3]),
        ((5,), np.array([True, False, True, True, False])),
        ((5,), None),
        ((4, 3), 1),
        ((4, 3), Ellipsis),
        ((4, 3), (slice(None), 1)),
        ((4, 3), (2, ..., 1)),
        ((4, 3), (slice(None), None, [2, 0])),
        ((4, 3), []),
        ((), ...),
        ((4, 3), np.array([[0, 1], [2, 3], [3, 3]])),
        ((4, 3, 2), slice(0, 0)),
    ),
)


@lru_cache(maxsize=1024)
def joined_at(y_shape: layout.Shape, x_shape: layout.Shape, axis: int, start: int) -> Jacobian:
    """The selection of an operand that fills a part of the result, from ``start`` on along ``axis``."""
    axes = layout.axes(x_shape)
    steps = layout.strides(y_shape)
    rows = tuple((k, steps[a]) for k, (a, _, _) in enumerate(axes))
    columns = tuple((k, stride) for k, (_, _, stride) in enumerate(axes))
    sizes = tuple(n for _, n, _ in axes)
    if 0 in x_shape:
        return Jacobian.zero(y_shape, x_shape)
    return placed(y_shape, x_shape, sizes, (start * steps[axis], rows), (0, columns))


def concatenate_each(operand: int, y: Any, *arrays: Any, axis: int | None = 0) -> Jacobian:
    """The rule of ``concatenate`` by one operand."""
    x_shape = np.shape(arrays[operand])
    if axis is None:
        start = sum(np.size(a) for a in arrays[:operand])
        local = joined_at(y.shape, (layout.size(x_shape),), 0, start)
        return Jacobian(local.terms, y.shape, x_shape)
    axis = layout.normal_axis(axis, y.ndim)
    return joined_at(y.shape, x_shape, axis, sum(np.shape(a)[axis] for a in arrays[:operand]))


def stack_each(operand: int, y: Any, *arrays: Any, axis: int = 0) -> Jacobian:
    """The rule of ``stack`` by one operand."""
    axis = layout.normal_axis(axis, y.ndim)
    x_shape = np.shape(arrays[operand])
    local = joined_at(y.shape, (*x_shape[:axis], 1, *x_shape[axis:]), axis, operand)
    return Jacobian(local.terms, y.shape, x_shape)


def sequence_call(arrays: Any, axis: Any = 0, **keywords: Any) -> tuple[Any, dict[str, Any]]:
    """A call with a sequence of arrays, as operands."""
    for name, value in keywords.items():
        if not is_default(name, value):
            raise TraceError(
                at_users_line(f"joining arrays with {name}= cannot be differentiated", f"Leave {name}= out.")
            )
    return tuple(arrays), {"axis": axis}


_joins: tuple[tuple[Any, Any, Any], ...] = (
    (
        np.concatenate,
        concatenate_each,
        (([(2,), (3,)], {}), ([(2, 3), (1, 3)], {}), ([(2, 3), (2, 1)], {"axis": 1}), ([(2, 3), (2,)], {"axis": None})),
    ),
    (
        np.stack,
        stack_each,
        (([(3,), (3,)], {}), ([(2, 3), (2, 3)], {"axis": 1}), ([(), (), ()], {}), ([(2, 3)], {"axis": -1})),
    ),
)
for _joining, _each, _cases in _joins:
    rule(
        _joining,
        each=_each,
        unpack=sequence_call,
        evaluate=lambda *arrays, _f=_joining, **p: _f(arrays, **p),
        samples=lambda rng, _cases=_cases: (
            (([rng.normal(size=shape) for shape in shapes],), keywords) for shapes, keywords in _cases
        ),
    )


@lru_cache(maxsize=64)
def _on_diagonal(count: int, k: int) -> Any:
    size = count + abs(k)
    return max(k, 0) + max(-k, 0) * size, size


def diag(v: Any, k: int = 0) -> Any:
    """A diagonal matrix from a vector, or the diagonal of a matrix."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    start, size = _on_diagonal(v.shape[0], k)
    return np.reshape(scatter(v, (start, ((0, size + 1),)), (v.shape[0],), size * size), (size, size))


composed(np.diag, diag, samples=calls((3,), ((3,), {"k": 1}), ((3,), {"k": -2}), (3, 4), ((3, 4), {"k": 1}), (1,)))
composed(np.diagflat, lambda v, k=0: diag(np.ravel(v), k), samples=calls((3,), (2, 3)))


def scattered(y: Any, values: Any, side: Any, sizes: Any, length: int) -> Jacobian:
    """The rule of ``scatter``: the transposed selection."""
    offset, ties = side
    rank = len(sizes)
    shape = (1,) * (rank - values.ndim) + values.shape
    steps = layout.strides(shape)
    columns = tuple((k, steps[k]) for k in range(rank) if shape[k] != 1)
    return placed(y.shape, values.shape, sizes, (offset, ties), (0, columns))


rule(
    scatter,
    scattered,
    samples=calls(
        ((3,), {"side": (1, ((0, 2),)), "sizes": (3,), "length": 7}),
        ((2, 3), {"side": (0, ((0, 1), (1, 1))), "sizes": (2, 3), "length": 4}),
        ((1, 3), {"side": (0, ((0, 1), (1, 2))), "sizes": (2, 3), "length": 6}),
        ((3,), {"side": (0, ((0, np.array([4, 0, 4])),)), "sizes": (3,), "length": 5}),
    ),
)
