"""A workload: a function of one size, what is asked of it, and by which numbers two answers are compared."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np


class Workload(NamedTuple):
    """A function to differentiate by its first argument, at one size.

    Attributes
    ----------
    name, size : str
        What it is.
    function : callable
        ``function(xp, *arguments)``, where ``xp`` is the array library.
    transform : callable
        What jacobi does with it.
    by_hand : callable or None
        The closed form.
    arguments : tuple
        The point.
    kind : {"jacobian", "gradient", "several", "hessian", "samples"}
        What other systems do with it: ``several`` asks for the derivative by every argument, ``samples`` for the
        Jacobian of every row of a batch.
    form : {"array", "csr", "diagonal", "blocks", "repeated block", "factors"}
        What the result is.
    numbers : callable
        The result as an array that contestants are compared by.
    compiled_target, traced_target : float
        How many times the closed form, or ``f``, it may take.
    lead : bool
        Whether no other system that is not told the structure may be faster.
    """

    name: str
    size: str
    function: Callable[..., Any]
    transform: Callable[..., Any]
    by_hand: Callable[..., Any] | None
    arguments: tuple[Any, ...]
    kind: str = "jacobian"
    form: str = "array"
    numbers: Callable[[Any], Any] = np.asarray
    compiled_target: float = 1.3
    traced_target: float | None = None
    lead: bool = False

    @property
    def plain(self) -> Callable[..., Any]:
        """The function on NumPy."""
        return partial(self.function, np)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the derivative as one matrix."""
        columns = np.size(self.arguments[0])
        if self.kind in ("gradient", "several"):
            return 1, columns
        return (columns if self.kind == "hessian" else np.size(self.plain(*self.arguments))), columns


def products(result):
    """A matrix of any form by its products with two vectors; a vector stands for a diagonal matrix."""
    rows, columns = result.shape if len(result.shape) == 2 else 2 * result.shape
    right, left = np.random.default_rng(1).uniform(0.5, 1.5, columns), np.random.default_rng(2).uniform(0.5, 1.5, rows)
    if len(result.shape) == 1:
        return np.concatenate([result * right, left * result])
    return np.concatenate([result @ right, result.T @ left])


def nbytes(arguments):
    """The size of the arrays."""
    return sum(np.asarray(a).nbytes for a in arguments)
