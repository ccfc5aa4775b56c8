"""Operations that sort, select and look up: entries move, and where to is read off the values.

The order of the entries is what a comparison finds at this point, like a branch that the user's code takes: the
positions are plain, and the rules read them from the values with functions that answer at once, such as ``argsort``.
Where two entries tie there is no derivative; the stable order is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi import layout
from jacobi.matrix import Jacobian, dispatchable
from jacobi.rules.moves import from_positions, move
from jacobi.rules.operations import Move
from jacobi.rules.registry import REGISTRY, composed, refused, silent
from jacobi.rules.samples import Samples, calls, real


def ranked(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Entries without ties whose order depends on the shape alone, so that all draws are sorted by the same moves."""
    count = layout.size(shape)
    values = np.cumsum(rng.uniform(0.1, 0.5, count)) - 0.15 * count
    return np.asarray(values[np.random.default_rng(count).permutation(count)].reshape(shape))


def taken(y: Any, a: Any, positions: Any) -> Jacobian:
    """The selection that reads the given positions of the flattened operand."""
    if not y.size or not a.size:
        return Jacobian.zero(y.shape, a.shape)
    return from_positions(positions, a.shape)


def order(a: Any, axis: int) -> Any:
    """The positions in the flattened array of the entries in ascending order along an axis."""
    positions = np.arange(a.size).reshape(a.shape)
    return np.take_along_axis(positions, np.argsort(a, axis=axis, kind="stable"), axis)


def ranks(y: Any, axis: int) -> Any:
    """How many entries come before each one in ascending order along an axis."""
    return np.argsort(np.argsort(y, axis=axis, kind="stable"), axis=axis, kind="stable")


@dispatchable
def repeated(a: Any, axis: int) -> Any:
    """For the entries in ascending order along an axis: whether a neighbour is equal."""
    ascending = np.moveaxis(np.sort(a, axis=axis), axis, -1)
    equal = ascending[..., 1:] == ascending[..., :-1]
    edge = np.zeros((*equal.shape[:-1], min(1, a.shape[axis])), bool)
    both = np.concatenate([edge, equal], axis=-1) | np.concatenate([equal, edge], axis=-1)
    return np.moveaxis(both, -1, axis)


silent(repeated)


def rearranging(function: Any, samples: Samples, **options: Any) -> None:
    """Declare an operation that arranges the entries along an axis in another order."""

    def by(y: Any, a: Any, axis: int, **parameters: Any) -> Jacobian:
        return taken(y, a, np.take_along_axis(order(a, axis), ranks(y, axis), axis))

    def kink(y: Any, a: Any, axis: int, **parameters: Any) -> Any:
        return np.take_along_axis(repeated(a, axis), ranks(y, axis), axis)

    REGISTRY[function] = Move(function, (by,), samples=samples, kink=kink, **options)


def sorted_call(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """A call of ``sort``: the method does not matter, since equal entries look alike."""
    if order is not None:
        raise ValueError("Cannot specify order when the array has no fields.")
    return (np.ravel(a) if axis is None else a,), {"axis": -1 if axis is None else axis}


def partitioned_call(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    """A call of ``partition``."""
    (a,), keywords = sorted_call(a, axis, kind, order)
    return (a,), {"kth": np.array(kth), **keywords}


rearranging(
    np.sort,
    unpack=sorted_call,
    samples=calls(
        (4,), (3, 4), ((3, 4), {"axis": 0}), ((2, 3, 2), {"axis": 1}), ((2, 3), {"axis": None}), (1,), (0,), (2, 0),
        ((5,), {"kind": "stable"}), domain=ranked,
    ),
)  # fmt: skip
rearranging(
    np.partition,
    unpack=partitioned_call,
    samples=calls(((5,), 2), ((3, 4), [0, 2]), ((3, 4), 1, {"axis": 0}), ((2, 3), 3, {"axis": None}), domain=ranked),
)


# Entries by rank ------------------------------------------------------------------------------------------------


@dispatchable
def order_statistics(a: Any, ranks: Any) -> Any:
    """The entries of the given ranks along the last axis: ``ranks`` has as many axes as ``a``, and broadcasts.

    Examples
    --------
    >>> order_statistics(np.array([3.0, 1.0, 2.0]), np.array([0, 2]))
    array([1., 3.])
    """
    return np.take_along_axis(np.sort(a, axis=-1), ranks, axis=-1)


def statistic_samples(rng: np.random.Generator) -> Any:
    """Calls with the same ranks in every row, and with others in each."""
    yield (ranked(rng, (5,)), np.array([0, 3])), {}
    yield (ranked(rng, (3, 4)), np.array([[2]])), {}
    yield (ranked(rng, (3, 4)), np.array([[2, 1], [0, 1], [3, 2]])), {}


REGISTRY[order_statistics] = Move(
    order_statistics,
    (lambda y, a, ranks: taken(y, a, np.take_along_axis(order(a, -1), ranks, -1)),),
    kink=lambda y, a, ranks: np.take_along_axis(repeated(a, -1), ranks, -1),
    samples=statistic_samples,
    name="order_statistics",
)


# Entries by plain positions and conditions ----------------------------------------------------------------------


def along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """A call of ``take_along_axis``; the positions are kept as they are now."""
    return (np.ravel(arr) if axis is None else arr,), {"indices": np.array(indices), "axis": axis or 0}


def places_along(shape: layout.Shape, indices: Any, axis: int) -> tuple[Any, ...]:
    """The index that writes or reads ``indices`` along an axis of an array."""
    if len(shape) != np.ndim(indices):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return tuple(indices if k == layout.normal_axis(axis, len(shape)) else line for k, line in enumerate(grid))


def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """``numpy.put_along_axis``: an assignment."""
    if axis is None:
        arr[np.unravel_index(indices, np.shape(arr))] = values
    else:
        arr[places_along(np.shape(arr), indices, axis)] = values


def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    """The entries, or slices, for which a condition holds."""
    return np.take(a, np.flatnonzero(condition), axis=axis)


def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    """From every place of ``a``, a number, the entry of that one of the choices."""
    number, *arrays = np.broadcast_arrays(a, *choices)
    count = len(arrays)
    if mode == "raise" and np.any((number < 0) | (number >= count)):
        raise ValueError("invalid entry in choice array")
    number = number % count if mode == "wrap" else np.clip(number, 0, count - 1)
    return np.take_along_axis(np.stack(arrays), np.asarray(number)[None], 0)[0]


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """From every place the entry of the first choice whose condition holds."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Functions of the parts of ``x`` where their conditions hold; the last condition wins."""
    conditions = [np.asarray(c) for c in ([condlist] if np.isscalar(condlist) else condlist)]
    if len(conditions) > 1 and np.ndim(condlist) == np.ndim(x) == 1 and conditions[0].ndim == 0:
        conditions = [np.asarray(condlist)]
    if len(funclist) == len(conditions) + 1:
        conditions = [*conditions, ~np.logical_or.reduce(conditions)]
    if len(funclist) != len(conditions):
        raise ValueError(f"with {len(conditions)} condition(s), either {len(conditions)} or one more functions")
    result = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if np.any(condition):
            result[condition] = function(x[condition], *args, **kw) if callable(function) else function
    return result


move(
    np.take_along_axis,
    unpack=along_axis,
    samples=lambda rng: (
        ((real(rng, shape), indices), {"axis": axis})
        for shape, indices, axis in (
            ((3, 4), np.array([[0], [3], [1]]), 1),
            ((3, 4), np.array([[0, 1, 2, 0], [2, 2, 1, 0]]), 0),
            ((5,), np.array([4, 0, 0]), -1),
            ((2, 3), np.array([5, 0]), None),
        )
    ),
)
composed(
    np.put_along_axis,
    put_along_axis,
    samples=lambda rng: (
        ((real(rng, (3, 4)), np.array([[0], [3], [1]]), real(rng, values), axis), {})
        for values, axis in (((3, 1), 1), ((), 1))
    ),
)
composed(
    np.compress,
    compress,
    samples=lambda rng: (
        (([True, False, True], real(rng, shape)), {"axis": axis})
        for shape, axis in (((3,), None), ((2, 3), 1), ((4, 2), 0))
    ),
)
composed(
    np.extract,
    lambda condition, arr: np.take(np.ravel(arr), np.flatnonzero(condition)),
    samples=lambda rng: (
        ((np.array([[True, False], [False, True], [True, True]]), real(rng, (3, 2))), {}),
        ((np.array([False, False]), real(rng, (2,))), {}),
    ),
)
composed(
    np.choose,
    choose,
    samples=lambda rng: (
        ((np.array(numbers), [real(rng, shape) for shape in shapes]), {"mode": mode})
        for numbers, shapes, mode in (
            ([0, 1, 0], [(3,), (3,)], "raise"),
            ([[2], [0]], [(3,), (), (2, 3)], "raise"),
            ([-1, 4, 1], [(3,), (3,)], "wrap"),
            ([-1, 4, 1], [(3,), (1,)], "clip"),
        )
    ),
)
composed(
    np.select,
    select,
    samples=lambda rng: (
        (([np.array([True, False, False]), np.array([True, True, False])], [real(rng, (3,)), real(rng, (2, 3))]), {}),
        (([np.array([True, False, False])], [real(rng, (3,))], 2.0), {}),
        (([np.array([True, False, False])], [real(rng, ())], -1.0), {}),
    ),
)
composed(
    np.piecewise,
    piecewise,
    samples=lambda rng: (
        ((real(rng, (3,)), [np.array([True, False, False])], [np.exp, np.sin]), {}),
        ((real(rng, (2, 2)), [np.eye(2) > 0, np.eye(2) < 0], [lambda x, c: c * x * x, 2.0]), {"c": 3.0}),
    ),
)


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """``p`` plus whole periods, so that steps along an axis stay below half a period."""
    steps = np.diff(p, axis=axis)
    limit = period / 2 if discont is None else discont
    turns = -np.floor_divide(steps + period / 2, period)
    turns = np.where((turns * period + steps == -period / 2) & (steps > 0), turns + 1, turns)
    corrections = np.cumsum(np.where(np.abs(steps) < limit, 0, turns) * period, axis=axis)
    first, rest = np.split(p, [1], axis=axis)
    return np.concatenate([first, rest + corrections], axis=axis)


composed(
    np.unwrap,
    unwrap,
    samples=lambda rng: (
        ((np.cumsum(rng.uniform(0.3, 0.9, shape) * np.array(signs), axis), discont, axis), {"period": period})
        for shape, signs, discont, axis, period in (
            ((5,), [1, 6, -6, 1, 9], None, -1, 2 * np.pi),
            ((2, 3), [1, 6, -6], None, 0, 3.0),
            ((4,), [1, 6, -6, 1], 5.5, 0, 2 * np.pi),
        )
    ),
)

silent(np.argpartition, np.lexsort, np.nanargmax, np.nanargmin, np.isin)
if hasattr(np, "in1d"):  # before NumPy 2.4
    silent(np.in1d)  # noqa: NPY201
refused(
    "Its result has as many entries as there are different values, and they change when values meet or part. "
    "Use np.sort, or take np.unique of plain labels.",
    np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values,
    np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d,
)  # fmt: skip
refused(
    "How many entries it keeps depends on which of them are exactly zero. Write the slice: x[first:last].",
    np.trim_zeros,
)
refused("It gives complex numbers; only real functions have a Jacobian here. Use np.sort.", np.sort_complex)
