"""Operands: what may meet a traced value, and how sequences and object arrays of traced values become arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.errors import InputError, at_users_line
from jacobi.expressions.graph import Graph, Traced


class ForeignError(InputError):
    """An object that is no array met a traced value; if its ``__array_priority__`` is higher, it takes the call."""


def outranks(value: Any, traced: Any) -> bool:
    """Whether an object, or a class, takes calls over from traced values, as pairs of real and imaginary part do."""
    priority = getattr(value, "__array_priority__", 0.0)
    return isinstance(priority, float) and priority > float(traced.__array_priority__)


def operand(graph: Graph, value: Any) -> Any:
    """A constant operand as a safe array or number; sequences and object arrays of nodes are stacked."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "O":
            return stacked(graph, value)
        if value.dtype.kind == "c":
            raise InputError(
                at_users_line("a complex array meets a traced value", "Treat real and imaginary part separately.")
            )
        return graph.constant(value)
    if isinstance(value, (list, tuple)):
        return stacked(graph, value)
    if isinstance(value, complex):
        raise InputError(
            at_users_line("a complex number meets a traced value", "Treat real and imaginary part separately.")
        )
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, np.generic) or value is None:
        return value
    raise ForeignError(
        at_users_line(
            f"a traced value meets an object of type {type(value).__module__}.{type(value).__name__}",
            "Convert it to a NumPy array first, for example with np.asarray(...) or .to_numpy().",
        )
    )


def stacked(graph: Graph, values: Any) -> Any:
    """Nested sequences or an object array of numbers and nodes, as one array or node."""
    array = values if isinstance(values, np.ndarray) else as_objects(values)
    flat = list(array.reshape(-1)) if array.dtype.kind == "O" else []
    if not any(isinstance(entry, Traced) for entry in flat):
        try:
            return np.asarray(values if array.dtype.kind != "O" else array.tolist(), dtype=float)
        except (TypeError, ValueError):
            raise InputError(
                at_users_line(f"{values!r:.80} is not an array of numbers", "Use arrays of real numbers.")
            ) from None
    if any(getattr(entry, "ndim", 0) for entry in flat):
        entries: list[Any] = [e if isinstance(e, Traced) else np.asarray(e, dtype=float) for e in flat]
        shapes = {entry.shape for entry in entries}
        if len(shapes) > 1:
            raise InputError(
                at_users_line(
                    f"a list of parts with the shapes {sorted(shapes)} is no array",
                    "Join the parts with np.concatenate([np.ravel(a), np.ravel(b), ...]).",
                )
            )
        joined = np.stack(entries)
        return joined.reshape(array.shape + joined.shape[1:])
    joined = np.stack(flat)  # NumPy hands the call to the nodes
    return joined if array.ndim == 1 else joined.reshape(array.shape)


def as_objects(values: Any) -> Any:
    """A nested sequence as an object array whose entries are nodes and numbers (nodes are never taken apart)."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        values = list(values)
    if not isinstance(values, (list, tuple, np.ndarray)) or (isinstance(values, np.ndarray) and values.ndim == 0):
        cell = np.empty((), dtype=object)
        cell[()] = values
        return cell
    parts = [as_objects(value) for value in values]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise InputError(
            at_users_line(
                "a list whose parts have different shapes is no array",
                "Use np.concatenate([...]) of parts that were made 1-d with np.ravel.",
            )
        )
    result = np.empty((len(parts), *(shapes.pop() if shapes else ())), dtype=object)
    for position, part in enumerate(parts):
        result[position] = part[()] if part.ndim == 0 else part
    return result


def plain(value: Any) -> Any:
    """The value of a node, inside sequences as well."""
    if isinstance(value, Traced):
        return value.current().value
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    return value
