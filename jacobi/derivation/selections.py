"""The indices on the axes of one side of a Jacobian, and the rows of the identity that select a part of an axis."""

from __future__ import annotations

from typing import Any

from jacobi import layout
from jacobi.derivation.algebra import constant, identity
from jacobi.derivation.expression import Axes, Call, Digits, Draft, Unreadable
from jacobi.matrix.wiring import Side, is_number_system

LONGEST_SHIFT = 20  # larger numbers are letters


def side_axes(draft: Draft, side: Side, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]) -> Axes:
    """The indices on the axes of one side of a Jacobian."""
    offset, ties = side
    count = layout.size(shape)
    if offset == 0 and is_number_system(ties, dict(enumerate(sizes)), count):
        flat = tuple(index[k] for k, _ in sorted(ties, key=lambda tie: -tie[1]))
        axes = tuple(draft.axis(size) for size in shape)
        draft.tie(flat, tuple(digit for axis in axes for digit in axis))
        return axes
    try:
        return repeated_axes(side, shape, sizes, index)
    except Unreadable:
        return selected_axes(draft, side, shape, sizes, index)


def repeated_axes(side: Side, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]) -> Axes:
    """The indices on the axes where one index may stand on several of them, as on the diagonal of a matrix."""
    offset, ties = side
    strides = layout.strides(shape)
    carried: list[Digits | None] = [() if size == 1 else None for size in shape]
    for k, stride in ties:
        if type(stride) is not int:
            raise Unreadable("positions")
        for axis, size in enumerate(shape):
            if carried[axis] is None and size == sizes[k] and strides[axis] <= stride:
                stride -= strides[axis]
                carried[axis] = (index[k],)
        if stride:
            raise Unreadable("strides")
    if offset or None in carried:
        raise Unreadable("a part of an axis")
    return tuple(axis for axis in carried if axis is not None)


def selected_axes(draft: Draft, side: Side, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]) -> Axes:
    """The indices on the axes where an index stands for a part of an axis: rows of the identity select it."""
    offset, ties = side
    waiting = digits_of_side(draft, ties, shape, sizes, index)
    axes: list[Digits] = []
    for size, stride in zip(shape, layout.strides(shape), strict=True):
        if size == 1:
            axes.append(())
            continue
        start, offset = divmod(offset, stride)
        here = [k for k, step in waiting.items() if step % stride == 0]
        if len(here) > 1:
            raise Unreadable("an axis with several indices")
        axis = draft.axis(size)
        axes.append(axis)
        if not here or draft.sizes[here[0]] == 1:
            draft.factors.append((rows_of_identity(size, from_the_end(start, size)), (axis,)))
            continue
        step, count = waiting.pop(here[0]) // stride, draft.sizes[here[0]]
        if (start, step, count) == (0, 1, size):
            draft.tie(axis, (here[0],))
        else:
            draft.factors.append((rows_that_select(start, step, count, size), ((here[0],), axis)))
    if waiting or offset:
        raise Unreadable("positions that are given by numbers")
    return tuple(axes)


def digits_of_side(
    draft: Draft, ties: Any, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]
) -> dict[int, int]:
    """The indices of one side with their strides; one that runs over several axes is split into its digits."""
    if any(type(stride) is not int for _, stride in ties):
        raise Unreadable("positions that are given by numbers")
    strides = layout.strides(shape)
    found: dict[int, int] = {}
    for k, stride in ties:
        for here in reversed(draft.resolved((index[k],))):
            axis = strides.index(stride) if stride in strides else 0
            while axis > 0 and draft.sizes[here] > shape[axis] and draft.sizes[here] % shape[axis] == 0:
                draft.split(here, shape[axis])
                outer, inner = draft.resolved((here,))
                found[inner] = stride
                here, stride, axis = outer, stride * shape[axis], axis - 1
            found[here] = stride
            stride *= draft.sizes[here]
    return found


def rows_that_select(start: int, step: int, count: int, size: int) -> Call:
    """The matrix that selects every so many entries of an axis."""
    stop = start + step * (count - 1) + (1 if step > 0 else -1)
    if step == 1 and max(min(start, size - start), min(stop, size - stop)) > LONGEST_SHIFT:
        numbers = [constant(count), constant(size), *([constant(start)] if start else [])]
        return Call("eye", tuple(numbers), (), elementwise=False)  # the ends are letters
    if step > 0:
        return rows_of_identity(size, ("slice", start or None, from_the_end(stop, size) or None, step))
    first = None if start == size - 1 else from_the_end(start, size)
    return rows_of_identity(size, ("slice", first, None if stop < 0 else from_the_end(stop, size), step))


def from_the_end(place: int, size: int) -> int:
    """A place on an axis, counted from its end where that is nearer: sizes are letters in a formula."""
    return place if place <= size // 2 else place - size


def rows_of_identity(size: int, part: Any) -> Call:
    """Some rows of the identity matrix: what selects a part of an axis."""
    return Call("indexing", (identity(size),), (("index", part),), elementwise=False)
