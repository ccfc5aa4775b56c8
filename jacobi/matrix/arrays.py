"""Functions of arrays that NumPy lacks and the terms need; they dispatch to nodes as NumPy's own do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from jacobi.matrix.wiring import Side, grid, injective

Function = TypeVar("Function", bound=Callable[..., Any])


def dispatchable(function: Function) -> Function:
    """Let ``__array_function__`` of the arguments take over the call, as for a function of NumPy."""

    @wraps(function)
    def dispatching(*args: Any, **keywords: Any) -> Any:
        for argument in (*args, *keywords.values()):
            takes_over = getattr(type(argument), "__array_function__", None)
            if takes_over is not None and not isinstance(argument, np.ndarray):
                return takes_over(argument, dispatching, (type(argument),), args, keywords)
        return function(*args, **keywords)

    return dispatching  # type: ignore[return-value]


@dispatchable
def scatter(values: Any, side: Side, sizes: tuple[int, ...], length: int) -> Any:
    """A vector of zeros to which ``values`` have been added at the positions of a side.

    Parameters
    ----------
    values : array
        Broadcasts to ``sizes``.
    side : Side
        The position of every entry; see `jacobi.matrix.wiring`.
    sizes : tuple of int
        The sizes of the indices 0, 1, ... of the side.
    length : int
        The length of the result.

    Examples
    --------
    >>> scatter(np.array([1.0, 2.0]), (1, ((0, 2),)), (2,), 5)
    array([0., 1., 0., 2., 0.])
    """
    result = np.zeros(length, dtype=values.dtype)
    add_at(result, values, side, sizes)
    return result


def add_at(result: Any, values: Any, side: Side, sizes: tuple[int, ...]) -> None:
    """Add ``values`` to the vector ``result`` in place, at the positions of a side."""
    offset, ties = side
    steps = dict(ties)
    regular = all(type(tie) is int for tie in steps.values())
    if regular and injective((steps.get(k, 0), count) for k, count in enumerate(sizes)):
        # NumPy's constructor refuses to leave the buffer; as_strided would not.
        width = result.itemsize
        strides = tuple([steps[k] * width for k in range(len(sizes))])
        view: Any = np.ndarray(sizes, result.dtype, result, offset * width, strides)
        view += values
        return
    order = tuple(range(len(sizes)))
    positions = np.broadcast_to(grid(side, order, sizes), sizes)
    np.add.at(result, positions.ravel(), np.broadcast_to(values, sizes).ravel())


@dispatchable
def indicator(left: Any, right: Any, comparison: Any, dtype: Any) -> Any:
    """1 where a comparison holds and 0 elsewhere, as numbers: the masks of the rules.

    Comparing traced values with ``<`` gives plain booleans, so that a user's ``if`` works; a rule uses this
    function instead, which stays part of the expression.

    Examples
    --------
    >>> indicator(np.array([-1.0, 2.0]), 0.0, np.greater, float)
    array([0., 1.])
    """
    return np.asarray(comparison(left, right), dtype=dtype)
