"""Functions under test: they get copies, their results are copied, and what they do on the side is noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.errors import InputError
from jacobi.finite_difference import fresh, real_array

FIRST_CALLS = 3  # in which changes of the arguments are looked for


class NoValueThere(ArithmeticError):
    """A function that has a value at the given point has none at another one, or none that fits."""


class Watched:
    """A function that can do no harm: every call gets fresh arguments, and results are the caller's own.

    What goes wrong in the first call is raised as it is.  After that the function is known to work, and an exception
    or a result of another shape means that the point lies outside its domain.

    Attributes
    ----------
    calls : int
        How often it was called.
    notes : list of str
        What it does on the side: changes its arguments, returns the same buffer again, fails elsewhere.
    """

    def __init__(self, function: Callable[..., Any], name: str):
        self.function = function
        self.name = name
        self.calls = 0
        self.notes: list[str] = []
        self._shape: tuple[int, ...] | None = None
        self._last: Any = None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function on copies; its result is a copy too."""
        self.calls += 1
        handed = [fresh(argument) for argument in arguments]
        try:
            result = self.function(*handed, **keywords)
        except Exception as problem:
            if self._shape is None:
                raise
            raise self.nothing(f"raises {type(problem).__name__}") from problem
        if self.calls <= FIRST_CALLS:
            changed = [k for k, pair in enumerate(zip(handed, arguments, strict=True)) if differ(*pair)]
            if changed:
                which = " and ".join(str(k) for k in changed)
                self.note(f"{self.name} changes its argument {which} in place; it was given copies")
        if isinstance(result, np.ndarray):
            if result is self._last:
                self.note(f"{self.name} returns the same buffer in every call; its values were copied each time")
            self._last = result
        return result if hasattr(result, "matvec") else self.fitting(result)

    def fitting(self, result: Any) -> Any:
        """A copy of a result; `NoValueThere` if it is of another shape than the first one, or holds no real numbers."""
        if self._shape is None:
            copied = fresh(result)
            self._shape = shape_of(result)
            return copied
        try:
            numbers = real_array(result, "the result")
        except InputError:
            raise self.nothing("has no real numbers as its result") from None
        if numbers.shape != self._shape:
            raise self.nothing(f"returns the shape {numbers.shape}")
        return numbers

    def nothing(self, what: str) -> NoValueThere:
        """The exception for a point without a value, with a note."""
        self.note(f"{self.name} {what} at other points, which were taken to lie outside its domain")
        return NoValueThere(what)

    def note(self, text: str) -> None:
        """Remember something once."""
        if text not in self.notes:
            self.notes.append(text)


def differ(left: Any, right: Any) -> bool:
    """Whether two arguments, or the arrays in them, differ in any bit."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.shape != right.shape or left.tobytes() != right.tobytes()
    if isinstance(left, (list, tuple)):
        return len(left) != len(right) or any(differ(*pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict):
        return left.keys() != right.keys() or any(differ(left[key], right[key]) for key in left)
    return False


def shape_of(result: Any) -> tuple[int, ...] | None:
    """The shape of a result; None if it is no array of numbers."""
    try:
        return real_array(result, "the result").shape
    except InputError:
        return None


def name_of(function: Any, otherwise: str) -> str:
    """What a function is called, for messages."""
    name = getattr(function, "__name__", None) or getattr(type(function), "__name__", otherwise)
    return otherwise if name in ("<lambda>", "partial", "method") else str(name)
