"""What a diagnosis may look at: the established derivative, the claim, and the functions behind both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """The established derivative, the claim, and the functions behind both; ``m`` outputs, ``n`` inputs.

    Attributes
    ----------
    right : array, (m, n)
        The established derivative in numerator layout, rows and columns in C order.
    given : array of any shape
        The claim's numbers, dense, with the axes that the user gave them, in the layout ``layout``.
    claimed : array, (m, n), or None
        The claim in numerator layout; None if its shape does not fit.
    tolerance : array, (m, n)
        By how much two values of an entry may differ and still count as equal.
    known : bool array, (m, n)
        The entries of ``right`` that are established; the others stand at kinks or are unknown, and prove nothing.
    out_shape, in_shape : tuple of int
        The shapes of the output and of the argument.
    layout : {"numerator", "gradient", "denominator"}
        The layout in which the claim was made.
    f : callable
        The function, safe to call: it gets copies, and its results are nobody else's.
    args : tuple
        Its positional arguments.
    argnum : int
        The one that is differentiated by.
    claim : callable or None
        The user's function ``claim(*args)``, as it was given, if the claim is one.
    """

    right: Array
    given: Array
    claimed: Array | None
    tolerance: Array
    known: Mask
    out_shape: tuple[int, ...]
    in_shape: tuple[int, ...]
    layout: str
    f: Callable[..., Any]
    args: tuple[Any, ...]
    argnum: int
    claim: Callable[..., Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arguments: those of the parameters of `f`, or ``args[k]``."""
        if isinstance(self.f, np.ufunc):
            return tuple(f"args[{k}]" for k in range(len(self.args)))
        try:
            listed = list(signature(self.f).bind(*self.args).arguments.items())
        except (TypeError, ValueError):  # a function that does not tell
            listed = []
        named = [name for name, value in listed if any(value is argument for argument in self.args)]
        if len(named) != len(self.args):
            return tuple(f"args[{k}]" for k in range(len(self.args)))
        return tuple(named)

    def argument(self, position: int) -> str:
        """What an argument is called in a sentence: ``argument 1 (x)``."""
        name = self.names[position]
        return f"argument {position}" if name.startswith("args[") else f"argument {position} ({name})"

    def fits(self, candidate: Any, slack: float = 1.0) -> bool:
        """Whether a matrix of shape (m, n) equals the claim on all established entries."""
        if self.claimed is None or np.shape(candidate) != self.right.shape:
            return False
        with np.errstate(all="ignore"):
            near = np.abs(candidate - self.claimed) <= slack * (self.tolerance + 1e-9 * np.abs(candidate))
        return bool(np.all(near | ~self.known))

    def proves(self, repaired: Any, slack: float = 1.0) -> bool:
        """Whether a repaired claim of shape (m, n) equals the established derivative."""
        if np.shape(repaired) != self.right.shape:
            return False
        with np.errstate(all="ignore"):
            near = np.abs(repaired - self.right) <= slack * self.tolerance
        return bool(np.all(near | ~self.known))
