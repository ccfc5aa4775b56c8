"""What the rules of ``scipy.special`` share: operands without a derivative, domains, guarded quotients."""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from jacobi.matrix import indicator
from jacobi.rules import registry
from jacobi.rules.operations import Partial
from jacobi.rules.registry import NoClosedForm
from jacobi.rules.samples import Array, Domain


def unknown(operand: str) -> Partial:
    """An operand by which no closed form of the derivative is known."""
    return NoClosedForm(operand, "No closed form of this derivative is known. Pass it as a constant.")


def whole(operand: str) -> Partial:
    """An operand that counts: the function is defined, or meant, for integers there."""
    return NoClosedForm(operand, "It is a whole number, not a variable. Pass it as a constant.")


def between(low: float, high: float) -> Domain:
    """The domain of the real numbers from ``low`` to ``high``."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.uniform(low, high, shape))

    return draw


def integers(low: int, high: int) -> Domain:
    """The domain of the integers from ``low`` to ``high``, both included."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.integers(low, high + 1, shape))

    return draw


def given(domain: Domain) -> Any:
    """A domain of constants: nested lists of numbers, which no test takes for variables."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        return domain(rng, shape).tolist()

    return draw


def quotient(x: Any, y: Any, dtype: Any) -> Any:
    """``x / y``, and 0 where both are 0."""
    return x / (y + indicator(x, 0, np.equal, dtype) * indicator(y, 0, np.equal, dtype))


def elementwise(function: Any, *partials: Partial, **options: Any) -> None:
    """Declare an operation as `jacobi.rules.elementwise` does, with derivatives of the type of the value.

    SciPy's ufuncs compute in double precision as soon as one operand, a parameter say, is a Python float.
    """
    registry.elementwise(function, *map(in_precision_of_value, partials), **options)


def in_precision_of_value(partial: Partial) -> Partial:
    """A partial derivative that is converted to the type of ``y`` where it has another one."""
    if isinstance(partial, NoClosedForm):
        return partial

    @wraps(partial)
    def converted(y: Any, *operands: Any) -> Any:
        slope = partial(y, *operands)
        return slope.astype(y.dtype) if getattr(slope, "dtype", y.dtype) != y.dtype else slope

    return converted
