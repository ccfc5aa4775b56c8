"""Operations on neighbours along an axis: differences, slopes, integrals, and running sums with a start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.rules.registry import composed
from jacobi.rules.samples import calls, positive, real


def part(axis: int, rank: int, index: Any) -> tuple[Any, ...]:
    """The index that takes ``index`` along one axis and everything along the others."""
    return (*(slice(None),) * layout.normal_axis(axis, rank), index)


def lined_up(line: Any, axis: int, rank: int) -> Any:
    """A vector as an array that broadcasts along one axis of others."""
    return np.reshape(line, (*(-1,), *(1,) * (rank - 1 - layout.normal_axis(axis, rank))))


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """``a[1:] - a[:-1]``, ``n`` times."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    shape = list(np.shape(a))
    rank = len(shape)
    if not rank:
        raise ValueError("diff requires input that is at least one dimensional")
    shape[layout.normal_axis(axis, rank)] = 1
    ends = [None if end is None or end is MISSING else end for end in (prepend, append)]
    if any(end is not None for end in ends):
        before, after = (
            [] if end is None else [end if np.ndim(end) else np.broadcast_to(end, tuple(shape))] for end in ends
        )
        a = np.concatenate([*before, a, *after], axis=axis)
    for _ in range(n):
        a = a[part(axis, rank, slice(1, None))] - a[part(axis, rank, slice(None, -1))]
    return a if n else +a


MISSING = np._NoValue


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flattened array, between other numbers."""
    parts = [to_begin, np.diff(np.ravel(ary)), to_end]
    parts = [np.ravel(p) for p in parts if p is not None]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def slope(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    """The derivative of samples along an axis: central differences inside, one-sided ones at the edges.

    ``spacing`` is the distance of neighbours, one for all or one for each pair.
    """
    rank = f.ndim

    def at(first: int, last: int | None) -> Any:
        return f[part(axis, rank, slice(first, last))]

    if np.ndim(spacing) == 0:
        inner = (at(2, None) - at(0, -2)) / (2.0 * spacing)
        left = right = (spacing, spacing)
    else:
        h = lined_up(spacing, axis, rank)
        before, after = h[:-1], h[1:]
        weights = (-after / (before * (before + after)), (after - before) / (before * after))
        inner = weights[0] * at(0, -2) + weights[1] * at(1, -1) + before / (after * (before + after)) * at(2, None)
        left, right = (spacing[0], spacing[1] if edge_order == 2 else 0), (spacing[-1], spacing[-edge_order])
    if edge_order == 1:
        first, last = (at(1, 2) - at(0, 1)) / left[0], (at(-1, None) - at(-2, -1)) / right[0]
    else:
        first = one_sided(left, (at(0, 1), at(1, 2), at(2, 3)))
        last = -one_sided(right, (at(-1, None), at(-2, -1), at(-3, -2)))
    return np.concatenate([first, inner, last], axis=axis)


def one_sided(spacing: tuple[Any, Any], entries: tuple[Any, Any, Any]) -> Any:
    """The slope at the first of three entries of a parabola."""
    (near, far), (a, b, c) = spacing, entries
    return (
        -(2.0 * near + far) / (near * (near + far)) * a
        + (near + far) / (near * far) * b
        - near / (far * (near + far)) * c
    )


def numerical_gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """``numpy.gradient``; the coordinates may be traced as well."""
    axes = layout.normal_axes(axis, np.ndim(f))
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError("invalid number of arguments")
    if len(varargs) == 1 and np.ndim(varargs[0]) and len(axes) > 1:
        raise TypeError("invalid number of arguments")
    places = (varargs or (1.0,)) * (1 if len(varargs) == len(axes) else len(axes))
    results = []
    for along, place in zip(axes, places, strict=True):
        count = np.shape(f)[along]
        if np.ndim(place) and np.shape(place) != (count,):
            raise ValueError("distances must match the length of the corresponding dimension")
        if count < edge_order + 1:
            raise ValueError("Shape of array too small to calculate a numerical gradient")
        results.append(slope(+f if np.ndim(f) else f, np.diff(place) if np.ndim(place) else place, along, edge_order))
    return results[0] if len(axes) == 1 else tuple(results)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of samples by the trapezoidal rule."""
    rank = np.ndim(y)
    width = dx if x is None else np.diff(x) if np.ndim(x) == 1 else np.diff(x, axis=axis)
    if x is not None and np.ndim(x) == 1:
        width = lined_up(width, axis, rank)
    means = (y[part(axis, rank, slice(1, None))] + y[part(axis, rank, slice(None, -1))]) / 2.0
    return np.sum(width * means, axis=axis)


composed(
    np.diff,
    diff,
    samples=calls(
        (5,), ((5,), {"n": 2}), (2, 4), ((4, 2), {"axis": 0}), ((5,), {"n": 0}), (1,), ((2, 4), {"n": 3}),
        ((4,), 1, -1, (), (2,)), ((4, 3), 1, 0, (1, 3), ()),
    ),
)  # fmt: skip
composed(np.ediff1d, ediff1d, samples=calls((5,), (2, 3), ((4,), (2,), ()), (1,)))
composed(
    np.gradient,
    numerical_gradient,
    samples=lambda rng: (
        ((real(rng, shape), *(np.cumsum(positive(rng, (n,))) if n else positive(rng, ()) for n in spacing)), keywords)
        for shape, spacing, keywords in (
            ((5,), (), {}),
            ((2,), (), {}),
            ((5,), (0,), {"edge_order": 2}),
            ((5,), (5,), {}),
            ((5,), (5,), {"edge_order": 2}),
            ((3, 4), (), {}),
            ((3, 4), (0, 4), {"edge_order": 2}),
            ((3, 4), (3,), {"axis": 0}),
        )
    ),
)
if hasattr(np, "trapezoid"):
    composed(
        np.trapezoid,
        trapezoid,
        samples=calls(
            (5,),
            (2, 4),
            ((4, 2), {"axis": 0}),
            ((5,), (5,)),
            ((3, 4), (3,), 1.0, 0),
            ((2, 4), (2, 4)),
            ((5,), {"dx": 0.3}),
        ),
    )


def cumulative(function: Any, start: float) -> Callable[..., Any]:
    """A running sum or product, with the start in front if wanted."""

    def running(x: Any, *, axis: Any = None, include_initial: bool = False) -> Any:
        if axis is None and np.ndim(x) > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0 if axis is None else axis
        result = function(x, axis=axis)
        shape = tuple(1 if k == layout.normal_axis(axis, np.ndim(x)) else n for k, n in enumerate(np.shape(x)))
        first = np.full(shape, start, dtype=result.dtype)
        return np.concatenate([first, result], axis=axis) if include_initial else result

    return running


for _name, _function, _start in (("cumulative_sum", np.cumsum, 0), ("cumulative_prod", np.cumprod, 1)):
    if hasattr(np, _name):
        composed(
            getattr(np, _name),
            cumulative(_function, _start),
            samples=calls((4,), ((2, 3), {"axis": 1}), ((2, 3), {"axis": 0, "include_initial": True})),
        )
