"""What users hand over: arrays of real numbers, and nodes that stand for such arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import InputError, at_users_line


def is_node(value: Any) -> bool:
    """Whether a value records what is done to it, as the nodes of an expression do."""
    return hasattr(type(value), "__array_function__") and not isinstance(value, np.ndarray)


def real_numbers(value: Any) -> Any:
    """An array, or a node, of real numbers; whole numbers become float64."""
    array = value if is_node(value) else np.asarray(value)
    dtype = real_type(array.dtype)
    return array if array.dtype == dtype else array.astype(dtype)


def real_factors(factors: Iterable[Any]) -> tuple[Any, ...]:
    """Factors of real numbers: whole numbers would overflow in products."""
    return tuple([f if hasattr(f, "dtype") and f.dtype.kind == "f" else real_numbers(f) for f in factors])


def real_type(dtype: Any) -> np.dtype[Any]:
    """The type of real numbers that stands for a type: whole numbers and truth values become float64."""
    result: np.dtype[Any] = np.dtype(dtype)
    if result.kind == "f":
        return result
    if result.kind in "iub":
        return np.dtype(float)
    kind = "complex" if result.kind == "c" else str(result)
    raise InputError(at_users_line(f"an array of {kind} numbers is not supported", "Use real numbers."))


def shape_of(shape: int | Sequence[int]) -> layout.Shape:
    """A shape; a number is the length of a vector."""
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)


def refused_summand(other: Any) -> Any:
    """Refuse arrays and numbers, whose sum with a matrix is ambiguous; leave the rest to the other side."""
    if not (np.isscalar(other) or hasattr(other, "shape") or isinstance(other, (list, tuple))):
        return NotImplemented
    raise InputError(
        at_users_line(
            f"cannot add a Jacobian and {type(other).__name__}",
            "Write J + Jacobian.from_dense(array), J + Jacobian.from_sparse(matrix) or J.toarray() + array.",
        )
    )
