"""Plans: short straight-line programs over the factors of terms, and the instructions they consist of.

The instructions call NumPy functions only, so the same plan runs on arrays and on nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from jacobi.matrix.arrays import scatter
from jacobi.matrix.wiring import Side, Wiring


class Plan(NamedTuple):
    """How two terms are multiplied.

    Attributes
    ----------
    program : tuple of (operation, destination, sources, argument)
        The steps; slots are numbered from the left term's factors on.
    slots : tuple of int
        The slots that hold the factors of the result.
    wiring : Wiring
        The wiring of the result.
    scale : int
        The number of equal summands that were left out.
    price : float
        The cost in units of one multiplication and addition, memory traffic included.
    """

    program: tuple[tuple[Callable[..., Any], int, Any, Any], ...]
    slots: tuple[int, ...]
    wiring: Wiring
    scale: int
    price: float


# The instructions


def take_index(array: Any, key: Any) -> Any:
    """Basic or fancy indexing."""
    return array[key]


def reshape(array: Any, shape: tuple[int, ...]) -> Any:
    """A new shape for the same entries."""
    return array.reshape(shape)


def diagonal(array: Any, pair: tuple[int, int]) -> Any:
    """The entries whose positions on two axes are equal; the common axis comes last."""
    return array.diagonal(0, pair[0], pair[1])


def add_up(array: Any, axes: tuple[int, ...]) -> Any:
    """The sum over some axes."""
    return array.sum(axis=axes)


def multiply(left: Any, right: Any, keys: Any) -> Any:
    """The element-wise product, after new axes have been put in place."""
    left_key, right_key = keys
    if left_key is not None:
        left = left[left_key]
    if right_key is not None:
        right = right[right_key]
    return left * right


def gathered(array: Any, how: tuple[Side, tuple[int, ...], tuple[int, ...]]) -> Any:
    """Entries that go to one place added up: a scattered copy of the array, with the shape that is left."""
    side, sizes, shape = how
    return scatter(array, side, sizes, prod(shape)).reshape(shape)


def matrix_product(left: Any, right: Any, how: Any) -> Any:
    """Sum over the shared indices in a matrix product, batched over indices that stay on both."""
    left_axes, left_shape, right_axes, right_shape, shape = how
    if left_axes is not None:
        left = left.transpose(left_axes)
    if left_shape is not None:
        left = left.reshape(left_shape)
    if right_axes is not None:
        right = right.transpose(right_axes)
    if right_shape is not None:
        right = right.reshape(right_shape)
    product = left @ right
    return product if shape is None else product.reshape(shape)


def carry_out(plan: Plan, factors: tuple[Any, ...]) -> tuple[Any, ...]:
    """Run a plan on the factors of both terms, left ones first."""
    slots: Any = list(factors)
    for operation, destination, sources, argument in plan.program:
        if type(sources) is tuple:
            slots[destination] = operation(slots[sources[0]], slots[sources[1]], argument)
        else:
            slots[destination] = operation(slots[sources], argument)
    return tuple([slots[slot] for slot in plan.slots])


# Their arguments


def permutation(axes: tuple[int, ...], order: tuple[int, ...]) -> Any:
    """The transposition that brings axes into an order; None when they are in it."""
    return None if axes == order else tuple(axes.index(k) for k in order)


def progression(offset: int, step: int, count: int) -> slice:
    """The slice ``offset, offset + step, ...`` with ``count`` places."""
    end = offset + step * count
    return slice(offset, end if end >= 0 else None, step)
