"""A function at one point: it is called with copies, its values are taken as numbers, and its calls are counted."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacobi.errors import InputError, ShapeError, at_users_line
from jacobi.finite_difference.ladder import PLACES, Array, scatter

Real: TypeAlias = NDArray[np.floating[Any]]

NO_VALUE = (ValueError, ArithmeticError)  # of a function outside its domain; FloatingPointError is arithmetic


class Point:
    """A function at one point: hands it fresh copies, takes its values as a flat copy, counts the calls."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], argnum: int, kwargs: dict[str, Any]) -> None:
        if not -len(args) <= argnum < len(args):
            what = f"argnum={argnum}, but there are {len(args)} positional arguments"
            raise InputError(at_users_line(what, "Give the position of the argument to differentiate by."))
        self.f, self.args, self.kwargs = f, args, kwargs
        self.position = argnum % len(args)
        given = args[self.position]
        self.x = real_array(given, f"argument {self.position}")
        self.scalar = self.x.ndim == 0 and not isinstance(given, np.ndarray)
        self.calls = 0
        first = self.call(self.x)
        self.shape, self.y = first.shape, first.ravel().astype(np.float64)
        double, limits = float(np.finfo(np.float64).eps), np.finfo(first.dtype)
        self.argument_unit = max(float(np.finfo(self.x.dtype).eps), double)
        self.unit = max(float(limits.eps), double)
        self.smallest = float(limits.smallest_subnormal)

    def call(self, x: Real) -> Real:
        """``f`` with its argument replaced: an array of real numbers that is nobody else's."""
        args = [fresh(a) for a in self.args]
        args[self.position] = x[()].copy() if self.scalar else x.copy()
        kwargs = {name: fresh(a) for name, a in self.kwargs.items()}
        self.calls += 1
        y = self.f(*args, **kwargs)
        if y is None:
            what = "the function returned None: forgotten return?"
            raise InputError(at_users_line(what, "End it with `return y`."))
        return real_array(y, "the function's result")

    def values(self, x: Real) -> Array:
        """The values at another point, (m,); NaN where the function has none."""
        try:
            y = self.call(x)
        except NO_VALUE:
            return np.full(self.y.size, np.nan)
        if y.shape != self.shape:
            what = f"the function returned shape {self.shape} first and shape {y.shape} at another point"
            raise ShapeError(at_users_line(what, "Return the same shape for all values of the arguments."))
        return y.ravel().astype(np.float64)

    def apart(self) -> Self:
        """The same point for a part of the work, which counts its own calls."""
        point = copy(self)
        point.calls = 0
        return point

    def remarks(self) -> list[str]:
        """What was noticed in the calls of a part."""
        return []

    def join(self, calls: int, remarks: list[str]) -> None:
        """Take over what a part has counted and noticed."""
        self.calls += calls

    def noise(self) -> Array:
        """The noise of the values, (m,), seen at neighbouring points where all inputs are moved at once."""
        signs = np.where(np.arange(self.x.size) % 3 == 1, -1.0, 1.0).reshape(self.x.shape)
        stride = 67.0 * self.argument_unit * signs
        values = np.array([self.values((self.x * (1.0 + place * stride)).astype(self.x.dtype)) for place in PLACES])
        by_three, by_five = scatter(values)
        found = np.minimum(by_three, by_five)
        # Where it is large, or smooth, it may be the function itself: that is for the scan to find out.
        noise = (by_five >= 0.2 * by_three) & (found <= 0.01 * np.abs(self.y))
        return np.where(noise, 4.0 * found, 0.0)


def fresh(value: Any) -> Any:
    """A copy of arrays, also inside containers, so that the function cannot change the caller's."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if type(value) in (list, tuple):
        return type(value)(fresh(entry) for entry in value)
    return {key: fresh(entry) for key, entry in value.items()} if type(value) is dict else value


def real_array(value: Any, name: str) -> Real:
    """A new array of floating point numbers, in C order; integers and booleans become float64.

    Raises
    ------
    InputError
        For everything that is no array of real numbers, and for complex ones.
    """
    kind = type(value).__name__
    cure = "Give a number, an array, or a list of numbers."
    if value is None:
        raise InputError(at_users_line(f"{name} is None", cure))
    try:
        array = np.array(value, order="C")
        if array.dtype.kind == "O" and not any(isinstance(entry, complex) for entry in array.flat):
            array = np.array([float(entry) for entry in array.flat]).reshape(array.shape)
    except (TypeError, ValueError) as problem:
        ragged = "ragged: " if "inhomogeneous" in str(problem) else ""
        what = f"{name}, of type {kind}, is no array of numbers ({ragged}{problem})"
        raise InputError(at_users_line(what, cure)) from None
    if array.dtype.kind in "cO":
        cure = "Differentiate by the real and the imaginary part, as a function of real arrays."
        raise InputError(at_users_line(f"{name} is complex", cure))
    if array.dtype.kind not in "fiub":
        raise InputError(at_users_line(f"{name}, of type {kind}, is no array of numbers but of {array.dtype}", cure))
    return array if array.dtype.kind == "f" else array.astype(np.float64)
