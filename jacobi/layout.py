"""Layout: how arrays of any rank are laid out as the rows and columns of a Jacobian.

``J[i, j] = dy_i / dx_j`` (numerator layout).  Arrays are flattened in C order, so the entry ``y[a, b]`` of a
``(p, q)`` array is row ``a * q + b``.  This file is the only one that knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]


def size(shape: Sequence[int]) -> int:
    """The number of entries of an array of this shape."""
    return prod(shape)


def strides(shape: Sequence[int]) -> Shape:
    """How far one step along each axis moves in the flattened array.

    >>> strides((2, 3, 4))
    (12, 4, 1)
    """
    steps: list[int] = []
    step = 1
    for length in reversed(shape):
        steps.append(step)
        step *= length
    return tuple(reversed(steps))


def axes(shape: Sequence[int]) -> list[tuple[int, int, int]]:
    """The axes longer than 1, as ``(axis, length, stride)``."""
    return [(k, n, s) for k, (n, s) in enumerate(zip(shape, strides(shape), strict=True)) if n != 1]


def textbook_order(shape: Shape) -> NDArray[np.intp]:
    """The C-order positions of the entries in column-major order: ``vec``, ``order="F"`` at the exits."""
    return np.arange(size(shape)).reshape(shape).ravel(order="F")


def normal_axis(axis: int, rank: int) -> int:
    """The axis counted from the front; NumPy's own error when there is no such axis."""
    return range(rank)[axis] if -rank <= axis < rank else _no_such_axis(axis, rank)


def normal_axes(axis: Any, rank: int) -> Shape:
    """The axes that ``axis=None | int | tuple`` names, counted from the front."""
    if axis is None:
        return tuple(range(rank))
    if isinstance(axis, tuple):
        return tuple(normal_axis(int(k), rank) for k in axis)
    return (normal_axis(int(axis), rank),)


def _no_such_axis(axis: int, rank: int) -> int:
    raise np.exceptions.AxisError(axis, rank)
