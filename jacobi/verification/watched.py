"""Functions under test: they get copies, their results are copied, and what they do on the side is noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.finite_difference import fresh

FIRST_CALLS = 3  # in which changes of the arguments are looked for


class Watched:
    """A function that can do no harm: every call gets fresh arguments, and results are the caller's own.

    Attributes
    ----------
    calls : int
        How often it was called.
    notes : list of str
        What it does on the side: changes its arguments, returns the same buffer again.
    """

    def __init__(self, function: Callable[..., Any], name: str):
        self.function = function
        self.name = name
        self.calls = 0
        self.notes: list[str] = []
        self._last: Any = None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the function on copies; its result is a copy too."""
        self.calls += 1
        handed = [fresh(argument) for argument in arguments]
        result = self.function(*handed, **keywords)
        if self.calls <= FIRST_CALLS:
            changed = [k for k, pair in enumerate(zip(handed, arguments, strict=True)) if differ(*pair)]
            if changed:
                which = " and ".join(str(k) for k in changed)
                self.note(f"{self.name} changes its argument {which} in place; it was given copies")
        if isinstance(result, np.ndarray):
            if result is self._last:
                self.note(f"{self.name} returns the same buffer in every call; its values were copied each time")
            self._last = result
        return result if hasattr(result, "matvec") else fresh(result)

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


def name_of(function: Any, otherwise: str) -> str:
    """What a function is called, for messages."""
    name = getattr(function, "__name__", None) or getattr(type(function), "__name__", otherwise)
    return otherwise if name in ("<lambda>", "partial", "method") else str(name)
