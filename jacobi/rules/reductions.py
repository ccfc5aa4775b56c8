"""Operations that reduce axes: sums, means, products, extremes, norms, and running sums."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.matrix import Jacobian, dispatchable, einstein, indicator, placed
from jacobi.rules.elementwise import quotient
from jacobi.rules.registry import REGISTRY, composed, rule
from jacobi.rules.samples import apart, calls, over_axes, real


def reduced(y: Any, x: Any, axis: Any, *factors: Any, coefficient: float = 1) -> Jacobian:
    """The Jacobian of a reduction over ``axis``: kept axes are Kronecker deltas, factors are shaped like ``x``."""
    labels = tuple(range(x.ndim))
    dropped = layout.normal_axes(axis, x.ndim)
    kept = tuple(k for k in labels if k not in dropped)
    out_shape = tuple(x.shape[k] for k in kept)
    local = einstein(
        (kept, labels, *(labels,) * len(factors)), out_shape, x.shape, *factors, coefficient=coefficient
    )
    return Jacobian(local.terms, y.shape, x.shape)


def lasting(y: Any, x: Any, axis: Any) -> Any:
    """The result of a reduction with the reduced axes put back with length 1, so that it broadcasts with ``x``."""
    shape = list(x.shape)
    for k in layout.normal_axes(axis, x.ndim):
        shape[k] = 1
    return np.reshape(y, tuple(shape))


def count(x: Any, axis: Any) -> int:
    """How many entries are reduced to one."""
    return layout.size([x.shape[k] for k in layout.normal_axes(axis, x.ndim)])


def per(number: float) -> float:
    """One of so many; NaN for none, as in NumPy."""
    return 1 / number if number else float("nan")


def product_of_others(x: Any, axis: Any) -> Any:
    """For every entry the product of the other entries along ``axis``, without dividing (zeros are fine)."""
    axes = layout.normal_axes(axis, x.ndim)
    kept = [k for k in range(x.ndim) if k not in axes]
    order = (*kept, *axes)
    inner = layout.size([x.shape[k] for k in axes])
    rows = np.reshape(np.transpose(x, order), (layout.size([x.shape[k] for k in kept]), inner))
    others = _others(rows)
    back = tuple(order.index(k) for k in range(x.ndim))
    return np.transpose(np.reshape(others, tuple(x.shape[k] for k in order)), back)


def _others(rows: Any) -> Any:
    """The product of the other entries in every row, by halving."""
    length = rows.shape[1]
    if length <= 1:
        return np.ones(rows.shape, dtype=rows.dtype)
    half = length // 2
    first, second = rows[:, :half], rows[:, half : 2 * half]
    pairs = first * second
    if length % 2:
        pairs = np.concatenate([pairs, rows[:, 2 * half :]], axis=1)
    outside = _others(pairs)
    parts = [outside[:, :half] * second, outside[:, :half] * first]
    return np.concatenate([*parts, outside[:, half:]] if length % 2 else parts, axis=1)


def extreme(y: Any, x: Any, axis: Any) -> Jacobian:
    """The Jacobian of a maximum or minimum: a mask of the entries that attain it, shared among ties."""
    mask = indicator(x, lasting(y, x, axis), np.equal, x.dtype)
    return reduced(y, x, axis, mask / np.sum(mask, axis=axis, keepdims=True))


def ties(y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Where more than one entry attains the extreme."""
    return np.sum(x == lasting(y, x, axis), axis=axis, keepdims=keepdims) > 1


rule(np.sum, lambda y, a, axis=None, keepdims=False: reduced(y, a, axis), samples=over_axes())
rule(
    np.mean,
    lambda y, a, axis=None, keepdims=False: reduced(y, a, axis, coefficient=per(count(a, axis))),
    samples=over_axes(empty=False),
)
rule(
    np.prod,
    lambda y, a, axis=None, keepdims=False: reduced(y, a, axis, product_of_others(a, axis)),
    samples=over_axes(lambda rng, shape: np.asarray(real(rng, shape) * (rng.random(shape) < 0.8))),
)
rule(
    np.var,
    lambda y, a, axis=None, ddof=0, keepdims=False: reduced(
        y, a, axis, a - np.mean(a, axis=axis, keepdims=True), coefficient=2 * per(count(a, axis) - ddof)
    ),
    samples=over_axes(empty=False),
)
rule(
    np.std,
    lambda y, a, axis=None, ddof=0, keepdims=False: reduced(
        y,
        a,
        axis,
        quotient(a - np.mean(a, axis=axis, keepdims=True), lasting(y, a, axis)),
        coefficient=per(count(a, axis) - ddof),
    ),
    samples=lambda rng: (
        call
        for call in over_axes(empty=False)(rng)
        if count(call[0][0], call[1].get("axis")) > 1  # the deviation of one number is 0, a kink
    ),
    kink=lambda y, a, axis=None, ddof=0, keepdims=False: y,
)
rule(
    np.max,
    lambda y, a, axis=None, keepdims=False: extreme(y, a, axis),
    samples=over_axes(apart, empty=False),
    kink=ties,
)
rule(
    np.min,
    lambda y, a, axis=None, keepdims=False: extreme(y, a, axis),
    samples=over_axes(apart, empty=False),
    kink=ties,
)
REGISTRY[np.amax], REGISTRY[np.amin] = REGISTRY[np.max], REGISTRY[np.min]


def cumulated(y: Any, a: Any, axis: Any = None) -> Jacobian:
    """The Jacobian of a running sum: ones at and below the diagonal of the summed axis."""
    shape = (a.size,) if axis is None else a.shape
    axis = 0 if axis is None else layout.normal_axis(axis, a.ndim)
    return Jacobian(triangle(shape, axis, 0, shape[axis], a.dtype), y.shape, a.shape, a.dtype)


def triangle(shape: layout.Shape, axis: int, start: int, count: int, dtype: Any) -> list[Any]:
    """The terms of a running sum over ``count`` places of an axis; together they store about ``2 * count`` numbers.

    A long triangle is cut into blocks of about the square root of its length: a triangle in every block, and ones
    for every pair of an earlier and a later block.
    """
    step = layout.strides(shape)[axis]
    others = [(n, stride) for k, (n, stride) in enumerate(zip(shape, layout.strides(shape), strict=True)) if k != axis]
    sizes, ties = tuple(n for n, _ in others), tuple((k, stride) for k, (_, stride) in enumerate(others))
    first = len(others)

    def block(rows: Any, columns: Any, lengths: Any, *factors: Any, later: int = 0) -> list[Any]:
        row, column = (start + later) * step, start * step
        sides = (row, ties + rows), (column, ties + columns)
        return list(placed(shape, shape, sizes + lengths, *sides, *factors).terms)

    if count <= SHORT:
        rows, columns = ((first, step),), ((first + 1, step),)
        return block(rows, columns, (count, count), (np.tri(count, dtype=dtype), (first, first + 1)))
    length = isqrt(count)
    blocks = count // length
    done = blocks * length
    a, b, c = first, first + 1, first + 2
    within = block(
        ((a, length * step), (b, step)),
        ((a, length * step), (c, step)),
        (blocks, length, length),
        (np.tri(length, dtype=dtype), (b, c)),
    )
    between = block(
        ((a, length * step), (b, step)),
        ((c, length * step), (c + 1, step)),
        (blocks, length, blocks, length),
        (np.tri(blocks, k=-1, dtype=dtype), (a, c)),
    )
    rest = count - done
    if not rest:
        return within + between
    below = block(((a, step),), ((b, step),), (rest, done), later=done)
    return within + between + below + triangle(shape, axis, start + done, rest, dtype)


SHORT = 32  # a triangle of this size is not cut into blocks

rule(
    np.cumsum,
    lambda y, a, axis=None: cumulated(y, a, axis),
    samples=calls((4,), (2, 3), ((2, 3), {"axis": 0}), ((2, 3, 2), {"axis": -2}), ((1, 3), {"axis": 1}), (0,), (37,)),
    dense="a triangle of ones; long ones are kept as blocks",
)


def cumulated_product(y: Any, a: Any, axis: Any = None) -> Jacobian:
    """The Jacobian of a running product: row i holds the products of the first i entries but one."""
    if axis is None:
        local = cumulated_product(y, np.reshape(a, (a.size,)), 0)
        return Jacobian(local.terms, y.shape, a.shape)
    axis = layout.normal_axis(axis, a.ndim)
    below = np.tri(a.shape[axis], dtype=bool)
    factors = np.where(below, np.expand_dims(np.moveaxis(a, axis, -1), -2), 1)
    rows = tuple(range(a.ndim))
    columns = tuple(-1 if k == axis else k for k in rows)
    labels = (*(k for k in rows if k != axis), axis, -1)
    return einstein((rows, columns, labels), y.shape, a.shape, np.where(below, product_of_others(factors, -1), 0))


rule(
    np.cumprod,
    lambda y, a, axis=None: cumulated_product(y, a, axis),
    samples=calls(((4,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3, 2), {"axis": -2}), ((1, 3), {"axis": 1})),
    dense="every row has its own products",
)


composed(
    np.trace,
    lambda a, offset=0, axis1=0, axis2=1: np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1),
    samples=calls((3, 4), ((3, 4), {"offset": 1}), ((3, 4), {"offset": -2}), ((2, 3, 4), {"axis1": 2, "axis2": 0})),
)


@dispatchable
def root_of_squares(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm over some axes, as one operation."""
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


rule(
    root_of_squares,
    lambda y, x, axis=None, keepdims=False: reduced(y, x, axis, quotient(x, lasting(y, x, axis))),
    samples=over_axes(empty=False),
    kink=lambda y, x, axis=None, keepdims=False: y,
    name="numpy.linalg.norm",
)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector norms of every order, and the entrywise matrix norms; the others by singular values."""
    if axis is None and ord is None:
        result = root_of_squares(x, None)
        return np.reshape(result, (1,) * x.ndim) if keepdims else result
    axes = layout.normal_axes(axis, x.ndim)
    if len(axes) == 1:
        return vector_norm(x, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    row, column = axes
    if ord in (None, "fro"):
        return root_of_squares(x, axes, keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        summed, rest = (row, column) if ord in (1, -1) else (column, row)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        result = (np.max if ord > 0 else np.min)(sums, axis=rest, keepdims=True)
        return result if keepdims else np.squeeze(result, axes)
    if ord in (2, -2, "nuc"):
        values = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        reduction: Any = {2: np.max, -2: np.min, "nuc": np.sum}[ord]
        result = reduction(values, axis=-1)
        return np.expand_dims(result, tuple(sorted(axes))) if keepdims else result
    raise ValueError("Invalid norm order for matrices.")


def vector_norm(x: Any, order: Any, axis: int, keepdims: bool) -> Any:
    """``sum(abs(x)**p)**(1/p)`` and its limits."""
    if order in (2, "fro"):
        return root_of_squares(x, axis, keepdims)
    if order == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if order == np.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    if order == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if order == 0:
        return np.sum(np.sign(np.abs(x)), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(x) ** order, axis=axis, keepdims=keepdims) ** (1 / order)


composed(
    np.linalg.norm,
    norm,
    samples=calls(
        *(((3,), {"ord": order}) for order in (None, 1, 2, 3, 2.5, np.inf, -np.inf, 0)),
        *(((2, 3), {"ord": order}) for order in (None, "fro", 1, -1, np.inf, -np.inf)),
        *(((2, 3, 4), {"ord": order, "axis": (2, 0)}) for order in (None, 1, np.inf)),
        *(((2, 3), {"ord": order, "axis": axis, "keepdims": True}) for order in (1, 2, 3) for axis in (0, -1)),
        ((2, 3), {"keepdims": True}),
        ((2, 3, 4), {}),
        domain=apart,
    ),
)

for _ufunc, _function in (
    (np.add, np.sum),
    (np.multiply, np.prod),
    (np.maximum, np.max),
    (np.minimum, np.min),
):
    composed((_ufunc, "reduce"), lambda a, axis=0, _f=_function, **p: _f(a, axis=axis, **p), samples=calls((2, 3)))
for _ufunc, _running in ((np.add, np.cumsum), (np.multiply, np.cumprod)):
    composed(
        (_ufunc, "accumulate"), lambda a, axis=0, _f=_running, **p: _f(a, axis=axis, **p), samples=calls((2, 3))
    )
