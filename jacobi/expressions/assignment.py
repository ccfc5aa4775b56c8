"""Assignment: writes into a traced array, and views that share the memory of another one.

Nobody's memory is really shared.  The writes into an array are gathered and become one step when the array is read
(one entry that was written can be read without that, so loops over entries stay linear).  A view remembers how it was
taken: what is written into it is put back, and it is taken again after the array behind it has changed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.errors import TraceError, at_users_line
from jacobi.expressions.graph import Graph, Traced
from jacobi.expressions.step import Step


class View:
    """How a view was taken from another array.

    Attributes
    ----------
    parent : Traced
        The array it looks at.
    take : callable
        Takes the view of the parent (again).
    put : callable
        Puts new contents of the view back into the parent.
    index : object
        The index, for a view by indexing.
    version : int
        The version of the parent when the view was taken.
    """

    __slots__ = ("index", "parent", "put", "take", "version")

    def __init__(
        self, parent: Traced, take: Callable[[Any], Any], put: Callable[[Any, Any], None], index: Any = None
    ):
        self.parent = parent
        self.take = take
        self.put = put
        self.index = index
        self.version = changes(parent)

    def follow(self, view: Traced) -> None:
        """Take the view again if the array behind it has changed."""
        now = changes(self.parent)
        if now != self.version:
            taken = self.take(self.parent)
            view.step, view.held = taken.step, taken.held
            view.version += 1
            self.version = now

    def put_back(self, view: Traced) -> None:
        """Write the contents of a changed view into the array behind it."""
        self.put(self.parent, type(view)(view.graph, view.step))
        self.version = changes(self.parent)


def changes(array: Traced) -> int:
    """How often an array was changed, directly or through the arrays behind it."""
    return array.version + (0 if array.origin is None else changes(array.origin.parent))


class Writes:
    """Assignments into an array that wait to become one step.

    Attributes
    ----------
    before : Step
        The array before the first of them.
    array : ndarray
        Its value with all of them.
    places, values : list
        The index of every assignment, and the step or constant assigned.
    entries : dict or None
        The number of the assignment by its leading integers, while all indices have equally many of them.
    """

    __slots__ = ("array", "before", "entries", "places", "values")

    def __init__(self, before: Step):
        self.before = before
        self.array = before.value.copy(order="K")
        self.places: list[Any] = []
        self.values: list[Any] = []
        self.entries: dict[tuple[int, ...], int] | None = {}

    def add(self, index: Any, value: Any) -> None:
        """Append an assignment of a step or a constant."""
        self.array[index] = value.value if isinstance(value, Step) else value
        key = integers(index, self.array.shape)
        if self.entries is not None:
            if key and (not self.entries or len(next(iter(self.entries))) == len(key)):
                self.entries[key] = len(self.places)
            else:
                self.entries = None
        self.places.append(index)
        self.values.append(value)

    def step(self, graph: Graph) -> Step:
        """All assignments as one step."""
        arguments = (self.before, *self.values)
        parents = tuple((k, a) for k, a in enumerate(arguments) if isinstance(a, Step))
        operation = graph.operations[operator.setitem]
        return graph.add(operation, arguments, {"places": tuple(self.places)}, parents, self.array)

    def entry(self, index: Any) -> tuple[Any, Any] | None:
        """What an index reads, if that can be told without a step: a step or constant, and the rest of the index."""
        if not self.entries:
            return None
        depth = len(next(iter(self.entries)))
        key = integers(index, self.array.shape)
        if len(key) < depth:
            return None
        number = self.entries.get(key[:depth])
        if number is None:
            return self.before, index
        value = self.values[number]
        if np.shape(value.value if isinstance(value, Step) else value) != self.array.shape[depth:]:
            return None
        rest = index[depth:] if isinstance(index, tuple) else ()
        return value, rest


def integers(index: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The leading integers of an index, counted from the front; empty where the rest holds arrays or masks."""
    parts = index if type(index) is tuple else (index,)
    key: list[int] = []
    for part, length in zip(parts, shape, strict=False):
        if not isinstance(part, (int, np.integer)) or isinstance(part, (bool, np.bool_)):
            break
        key.append(int(part) % length if length else 0)
    return tuple(key) if all(is_basic(part) for part in parts) else ()


def is_basic(part: Any) -> bool:
    """Whether a part of an index is an integer, a slice, a new axis or dots, so that NumPy gives a view."""
    if isinstance(part, (bool, np.bool_)):
        return False
    return part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer))


def frozen(index: Any) -> Any:
    """An index as it is now: lists and arrays in it may be changed later."""
    if isinstance(index, tuple):
        return index if all(map(is_basic, index)) else tuple(frozen(part) for part in index)
    if isinstance(index, Traced):
        value = index.current().value
        if value.dtype.kind == "b":  # a comparison that is recorded; elsewhere comparisons are plain
            index.graph.answered(None, (index,), {}, value)
            return value
        raise TraceError(
            at_users_line("a traced value is used as an index", "Indices are plain integers; convert them first.")
        )
    if isinstance(index, (list, np.ndarray)):
        return np.array(index, dtype=None if np.size(index) else np.intp)
    return index
