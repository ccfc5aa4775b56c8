"""Operations that build arrays out of others: join, split, insert, pad, spread over a grid, and run along axes.

Most are ``concatenate``, slices and reshapes under another name.  The others place entries in ways of their own: they
are run once on the positions of the entries, and the positions are taken (`arranged`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, dispatchable, einstein
from jacobi.rules.differences import part
from jacobi.rules.moves import at_least, move
from jacobi.rules.registry import composed, refused, rule, silent
from jacobi.rules.samples import Samples, calls, positive, real
from jacobi.rules.sorting import ranked


def arranged(function: Callable[..., Any], *arrays: Any) -> Any:
    """A move of the entries of several arrays, found by running it on positions."""
    sizes = [np.size(x) for x in arrays]
    starts = np.cumsum([0, *sizes])
    numbered = [start + np.arange(n).reshape(np.shape(x)) for start, n, x in zip(starts, sizes, arrays, strict=False)]
    positions = function(*numbered)
    if len(arrays) == 1:
        return np.take(np.ravel(arrays[0]), positions)
    return np.take(np.concatenate([np.ravel(x) for x in arrays]), positions)


def sequences(*cases: Any) -> Samples:
    """Calls with a list of arrays: every case is the list of their shapes, further arguments, and keywords."""
    return lambda rng: (
        (([real(rng, shape) for shape in shapes], *arguments), keywords) for shapes, *arguments, keywords in cases
    )


# Joining --------------------------------------------------------------------------------------------------------


def hstack(tup: Sequence[Any]) -> Any:
    """Arrays side by side: along the second axis, or the only one."""
    arrays = [at_least(1, x) for x in tup]
    return np.concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1)


def column_stack(tup: Sequence[Any]) -> Any:
    """Vectors as columns, and matrices, side by side."""
    return np.concatenate([x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in tup], axis=1)


def block(arrays: Any) -> Any:
    """Nested lists of arrays, joined along the last axis innermost."""

    def depth(parts: Any) -> int:
        depths = {depth(inner) for inner in parts} if isinstance(parts, list) else set()
        if isinstance(parts, list) and len(depths) != 1:
            raise ValueError("List depths are mismatched.")
        return 1 + depths.pop() if depths else 0

    def ranks(parts: Any) -> int:
        return max(map(ranks, parts)) if isinstance(parts, list) else np.ndim(parts)

    levels = depth(arrays)
    rank = max(levels, ranks(arrays))

    def joined(parts: Any, level: int) -> Any:
        if not isinstance(parts, list):
            return np.reshape(parts, (1,) * (rank - np.ndim(parts)) + np.shape(parts))
        return np.concatenate([joined(inner, level - 1) for inner in parts], axis=-level)

    return joined(arrays, levels) if levels else np.copy(arrays)


def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """Other entries put in before some positions."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    values = np.asarray(values) if not hasattr(values, "dtype") and np.ndim(values) == 0 else values
    return arranged(lambda a, v: np.insert(a, obj, v, axis), arr, values)


composed(np.hstack, hstack, samples=sequences(([(2,), (3,)], {}), ([(2, 3), (2, 1)], {}), ([(), ()], {})))
composed(
    np.vstack,
    lambda tup: np.concatenate([at_least(2, x) for x in tup]),
    samples=sequences(([(3,), (3,)], {}), ([(2, 3), (1, 3)], {}), ([(3,), (2, 3)], {})),
)
composed(
    np.dstack,
    lambda tup: np.concatenate([at_least(3, x) for x in tup], axis=2),
    samples=sequences(([(3,), (3,)], {}), ([(2, 3), (2, 3)], {}), ([(2, 3, 1), (2, 3, 2)], {})),
)
composed(np.column_stack, column_stack, samples=sequences(([(3,), (3,)], {}), ([(3,), (3, 2)], {}), ([(), (1,)], {})))
composed(
    np.block,
    block,
    samples=lambda rng: (
        (([[real(rng, (2, 2)), real(rng, (2, 3))], [real(rng, (1, 2)), real(rng, (1, 3))]],), {}),
        (([real(rng, (2,)), real(rng, ()), real(rng, (3,))],), {}),
        (([[real(rng, (3,))], [real(rng, (3,))]],), {}),
        ((real(rng, (2, 3)),), {}),
    ),
)
composed(
    np.append,
    lambda arr, values, axis=None: (
        np.concatenate([np.ravel(arr), np.ravel(values)]) if axis is None else np.concatenate([arr, values], axis=axis)
    ),
    samples=calls(((3,), (2,)), ((2, 3), (1, 3), {"axis": 0}), ((2, 3), ()), ((2, 3), (2, 2), 1)),
)
composed(
    np.insert,
    insert,
    samples=calls(
        ((4,), 1, ()), ((4,), [0, 4], (2,)), ((4,), [3, 1, 1], (3,)), ((2, 3), 1, (), {"axis": 1}),
        ((2, 3), 1, (3,), {"axis": 0}), ((2, 3), [0, 2], (2, 1), {"axis": 1}), ((2, 3), 2, ()), ((4,), -1, ()),
        ((4,), slice(0, 3, 2), ()),
    ),
)  # fmt: skip
move(
    np.delete,
    unpack=lambda arr, obj, axis=None: (
        (np.ravel(arr) if axis is None else arr,),
        {"obj": obj if isinstance(obj, slice) else np.array(obj), "axis": axis or 0},
    ),
    samples=calls(((4,), 1), ((4,), [0, 2]), ((2, 3), 1, {"axis": 1}), ((2, 3), 4), ((5,), slice(1, 4, 2)), ((4,), -1)),
)


# Splitting ------------------------------------------------------------------------------------------------------


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Slices of about equal length, or cut at some positions."""
    count = np.shape(ary)[axis]
    if np.ndim(indices_or_sections):
        cuts = [0, *(int(k) for k in indices_or_sections), count]
    else:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ValueError("number sections must be larger than 0.")
        length, longer = divmod(count, sections)
        cuts = [0, *np.cumsum([length + 1] * longer + [length] * (sections - longer)).tolist()]
    return [ary[part(axis, np.ndim(ary), slice(first, last))] for first, last in pairwise(cuts)]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Slices of equal length, or cut at some positions."""
    if not np.ndim(indices_or_sections) and np.shape(ary)[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


def needing(rank: int, function: Any) -> Callable[..., Any]:
    """``hsplit`` and its kin, which need some axes."""
    name = function.__name__

    def splitting(ary: Any, indices_or_sections: Any) -> list[Any]:
        if np.ndim(ary) < rank:
            raise ValueError(f"{name} only works on arrays of {rank} or more dimensions")
        axis = {"hsplit": min(1, np.ndim(ary) - 1), "vsplit": 0, "dsplit": 2}[name]
        return split(ary, indices_or_sections, axis)

    return splitting


composed(np.array_split, array_split, samples=calls(((7,), 3), ((2, 5), 2, 1), ((5,), [1, 1, 4]), ((2,), 3)))
composed(np.split, split, samples=calls(((6,), 3), ((2, 4), 2, 1), ((5,), [1, 3]), ((3, 2), [1], -2)))
composed(np.hsplit, needing(1, np.hsplit), samples=calls(((4,), 2), ((2, 4), 2), ((2, 4), [1])))
composed(np.vsplit, needing(2, np.vsplit), samples=calls(((4, 3), 2), ((4, 3), [1])))
composed(np.dsplit, needing(3, np.dsplit), samples=calls(((2, 3, 4), 2)))
if hasattr(np, "unstack"):
    composed(
        np.unstack,
        lambda x, /, *, axis=0: tuple(x[part(axis, np.ndim(x), k)] for k in range(np.shape(x)[axis])),
        samples=calls((3,), (2, 3), ((2, 3), {"axis": 1})),
    )


# Padding --------------------------------------------------------------------------------------------------------

MOVING = ("edge", "reflect", "symmetric", "wrap")
STATISTICS: dict[str, Any] = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}


def pad(array: Any, pad_width: Any, mode: Any = "constant", **keywords: Any) -> Any:
    """More entries around an array; constants and end values may be traced."""
    rank = np.ndim(array)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - rank, (0, 0))) for k in range(rank)]
    widths = np.broadcast_to(pad_width, (rank, 2)).tolist()
    if mode in MOVING and keywords.get("reflect_type", "even") == "even":
        return arranged(lambda positions: np.pad(positions, widths, mode, **keywords), array)
    if mode not in ("constant", "linear_ramp", *STATISTICS):
        what = f"np.pad(mode={mode!r})" if mode not in MOVING else 'np.pad(reflect_type="odd")'
        raise TraceError(at_users_line(f"{what} cannot be differentiated", "Join the parts with np.concatenate."))
    option = {"constant": "constant_values", "linear_ramp": "end_values"}.get(mode, "stat_length")
    unknown = set(keywords) - {option}
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {unknown}")
    values = keywords.get(option, None if mode in STATISTICS else 0)
    for axis, (before, after) in enumerate(widths):
        sides = (of_side(values, rank, axis, side) for side in (0, 1))
        first, last = (
            edge(array, axis, width, side, mode, value)
            for side, (width, value) in enumerate(zip((before, after), sides, strict=True))
        )
        array = np.concatenate([first, array, last], axis=axis)
    return array


def of_side(values: Any, rank: int, axis: int, side: int) -> Any:
    """The value for one side of one axis, from one for all, a pair for all axes, or a pair for each."""
    if values is None or np.ndim(values) == 0:
        return values
    if isinstance(values, (tuple, list)) and all(np.ndim(v) == 0 for v in values):
        return values[side] if len(values) == 2 else values[0]
    pair = values[axis] if len(values) > 1 else values[0]
    return pair[side] if np.ndim(pair) and len(pair) == 2 else pair[0] if np.ndim(pair) else pair


def edge(array: Any, axis: int, width: int, side: int, mode: str, value: Any) -> Any:
    """What is put on one side of one axis."""
    shape = tuple(width if k == axis else n for k, n in enumerate(np.shape(array)))
    if mode == "constant":
        kept = value if np.ndim(value) == 0 and hasattr(value, "graph") else np.asarray(value, dtype=array.dtype)
        return np.broadcast_to(kept, shape)
    if mode == "linear_ramp":
        nearest = array[part(axis, np.ndim(array), slice(-1, None) if side else slice(0, 1))]
        steps = np.arange(width) / max(width, 1)
        line = np.reshape(steps[::-1] if side else steps, [-1 if k == axis else 1 for k in range(np.ndim(array))])
        return value + (nearest - value) * line.astype(array.dtype)
    count = np.shape(array)[axis]
    length = count if value is None else min(int(value), count)
    inside = array[part(axis, np.ndim(array), slice(count - length, None) if side else slice(0, length))]
    return np.broadcast_to(STATISTICS[mode](inside, axis=axis, keepdims=True), shape)


composed(
    np.pad,
    pad,
    samples=lambda rng: (
        *(((ranked(rng, (4,)), (2, 1)), {"mode": mode}) for mode in (*MOVING, *STATISTICS)),
        *(((real(rng, (3, 4)), ((1, 2), (0, 3))), {"mode": mode}) for mode in (*MOVING, "constant", "linear_ramp")),
        ((real(rng, (3,)), 2), {"constant_values": 1.5}),
        ((real(rng, (2, 3)), 1), {"constant_values": ((0.0, 1.0), (2.0, 3.0))}),
        ((real(rng, (3,)), (2, 3), "linear_ramp"), {"end_values": (5.0, -4.0)}),
        ((real(rng, (5,)), 1, "mean"), {"stat_length": 2}),
        ((real(rng, (5,)), (7, 3), "symmetric"), {}),
    ),
)


# Grids and copies -----------------------------------------------------------------------------------------------


def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """All arrays in the shape that they have together."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(x, shape) for x in args)


def along_grid(*arrays: Any) -> list[Any]:
    """Vectors, each along an axis of its own."""
    rank = len(arrays)
    return [np.reshape(x, [-1 if k == axis else 1 for k in range(rank)]) for axis, x in enumerate(arrays)]


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of a grid."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    arrays = along_grid(*xi)
    if indexing == "xy" and len(xi) > 1:
        arrays = [np.swapaxes(x, 0, 1) for x in arrays]
    return tuple(arrays) if sparse else broadcast_arrays(*arrays)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of a vector as columns."""
    count = np.shape(x)[0] if N is None else N
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return x[:, None] ** powers


composed(np.broadcast_arrays, broadcast_arrays, samples=calls(((3,), (2, 1)), ((2, 3),)))
composed(
    np.meshgrid,
    meshgrid,
    samples=calls(
        ((3,), (2,)), ((3,), (2,), {"indexing": "ij"}), ((3,), (2,), (4,), {"sparse": True}), ((3,),), ((), (2,))
    ),
)
composed(np.ix_, lambda *args: tuple(along_grid(*args)), samples=calls(((3,), (2,))))
composed(np.vander, vander, samples=calls((3,), ((3,), {"N": 2}), ((2,), {"N": 4, "increasing": True})))
move(np.resize, samples=calls(((3,), {"new_shape": (2, 4)}), ((2, 3), {"new_shape": (4,)}), ((2, 3), {"new_shape": 7})))
move(
    np.lib.stride_tricks.sliding_window_view,
    samples=calls(
        ((5,), {"window_shape": 3}),
        ((4, 5), {"window_shape": (2, 3)}),
        ((4, 5), {"window_shape": 2, "axis": 1}),
        ((2, 5), {"window_shape": (2, 2), "axis": (1, 1)}),
    ),
)
for _function in (np.fft.fftshift, np.fft.ifftshift):
    move(_function, samples=calls((5,), (3, 4), ((3, 4), {"axes": 1}), ((2, 3), {"axes": (0,)})))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """Evenly spaced numbers; the ends may be traced."""
    if dtype is not None:
        raise TraceError(at_users_line("linspace with dtype= cannot be differentiated", "Use .astype afterwards."))
    intervals = num - 1 if endpoint else num
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    length = np.subtract(stop, start)
    parts = (np.arange(num) / max(intervals, 1)).reshape((-1,) + (1,) * np.ndim(length))
    parts = parts.astype(np.result_type(start, stop, 1.0))
    result = parts * length + start
    if axis:
        result = np.moveaxis(result, 0, axis)
    return (result, length / intervals if intervals else np.nan) if retstep else result


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers with a constant ratio; the ends may be traced."""
    if np.any(np.equal(start, 0)) or np.any(np.equal(stop, 0)):
        raise ValueError("Geometric sequence cannot include zero")
    if np.any(np.not_equal(np.sign(start), np.sign(stop))):
        raise TraceError(
            at_users_line("geomspace between numbers of different sign is complex", "Give ends of the same sign.")
        )
    start, stop = (end.astype(np.float64) if hasattr(end, "dtype") else end for end in (start, stop))
    signs = np.sign(start)
    logs = linspace(np.log(np.abs(start)), np.log(np.abs(stop)), num, endpoint, dtype=dtype, axis=axis)
    return np.exp(logs) * (np.expand_dims(signs, axis) if np.ndim(signs) else signs)


composed(
    np.linspace,
    linspace,
    samples=calls(
        ((), (), 5),
        ((), 2.0, 4, False),
        ((3,), (3,), 4),
        ((2,), (), 3, {"axis": -1}),
        ((), (), 1),
        ((), (), 3, True, True),
    ),
)
composed(
    np.geomspace, geomspace, samples=calls(((), (), 5), ((3,), (3,), 4), ((2,), (), 3, {"axis": -1}), domain=positive)
)
composed(
    np.logspace,
    lambda start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: np.power(
        base, linspace(start, stop, num, endpoint, dtype=dtype, axis=axis)
    ),
    samples=calls(((), (), 5), ((3,), (3,), 4), ((), (), 3, {"base": 2.0})),
)


# Running along axes ---------------------------------------------------------------------------------------------


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of vectors, run on every line along an axis."""
    axis = layout.normal_axis(axis, np.ndim(arr))
    lines = np.moveaxis(arr, axis, -1)
    outer = lines.shape[:-1]
    if not layout.size(outer):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = [func1d(lines[place], *args, **kwargs) for place in np.ndindex(outer)]
    rank = np.ndim(results[0])
    joined = np.reshape(np.stack(results), (*outer, *np.shape(results[0])))
    order = (*range(axis), *range(len(outer), len(outer) + rank), *range(axis, len(outer)))
    return np.transpose(joined, order)


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """A function that takes an array and an axis, over one axis after the other."""
    result = a
    for axis in np.atleast_1d(axes).tolist():
        reduced = func(result, axis)
        if np.ndim(reduced) != np.ndim(result):
            reduced = np.expand_dims(reduced, axis)
        if np.ndim(reduced) != np.ndim(result):
            raise ValueError("function is not returning an array of the correct shape")
        result = reduced
    return result


composed(
    np.apply_along_axis,
    apply_along_axis,
    samples=lambda rng: (
        ((np.sum, 0, real(rng, (3, 2))), {}),
        ((lambda v: v * v[0], 1, real(rng, (2, 3))), {}),
        ((lambda v, c: np.outer(v, v) * c, 0, real(rng, (2, 3)), 2.0), {}),
        ((np.cumsum, -2, real(rng, (2, 3, 2))), {}),
    ),
)
composed(
    np.apply_over_axes,
    apply_over_axes,
    samples=lambda rng: (((np.sum, real(rng, (2, 3, 4)), (0, 2)), {}), ((np.mean, real(rng, (2, 3)), 1), {})),
)


# Cross products -------------------------------------------------------------------------------------------------

SIGNS = np.array([[[(i - j) * (j - k) * (k - i) / 2 for k in range(3)] for j in range(3)] for i in range(3)])


@dispatchable
def cross_product(a: Any, b: Any) -> Any:
    """The cross products of vectors of three along the last axes."""
    return np.cross(a, b)


def turning(y: Any, x: Any, other: Any, sign: float) -> Jacobian:
    """The Jacobian of a cross product by one operand: for every vector the skew matrix of the other one."""
    skew = np.einsum("ijk,...k->...ij", SIGNS.astype(y.dtype), other)
    stacks = [tuple(range(1 - array.ndim, 0)) for array in (y, x, other)]
    labels = (*stacks[0], "i"), (*stacks[1], "j"), (*stacks[2], "i", "j")
    return einstein(labels, y.shape, x.shape, skew, coefficient=sign)


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    """The cross product of vectors in three dimensions."""
    if axis is not None:
        axisa = axisb = axisc = axis
    if np.shape(a)[axisa] != 3 or np.shape(b)[axisb] != 3:
        raise TraceError(
            at_users_line(
                "cross products are traced in three dimensions",
                "In two dimensions write a[0] * b[1] - a[1] * b[0].",
            )
        )
    return np.moveaxis(cross_product(np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)), -1, axisc)


CROSSES = calls(((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((4, 1, 3), (2, 3)))
rule(
    cross_product,
    lambda y, a, b: turning(y, a, b, 1),
    lambda y, a, b: turning(y, b, a, -1),
    samples=CROSSES,
    dense="a block of 3 by 3 for every vector",
    name="cross_product",
)
composed(np.cross, cross, samples=lambda rng: (*CROSSES(rng), *calls(((3, 2), (3, 2), {"axis": 0}))(rng)))
composed(np.linalg.cross, lambda x1, x2, /, *, axis=-1: cross(x1, x2, axis=axis), samples=CROSSES)

silent(np.tril_indices_from, np.triu_indices_from, np.diag_indices_from, np.einsum_path)
silent(np.unravel_index, np.ravel_multi_index)
refused(
    "It writes files. Save the result after the function has returned.",
    np.save, np.savetxt, np.savez, np.savez_compressed,
)  # fmt: skip
refused(
    "A traced array has no memory of its own. Ask for plain arrays, outside the function.",
    np.may_share_memory, np.shares_memory,
)  # fmt: skip
