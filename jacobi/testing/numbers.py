"""Numbers against numbers: found against expected ones, within a bound, and the error that names the worst entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.finite_difference import finite_difference
from jacobi.matrix import Jacobian

BARS = 5.0  # the bounds of finite differences are estimates; so many of them are allowed
BLUNT = 1e-4  # a numerical derivative with a larger relative error proves nothing


def slope_along(function: Callable[[Any], Any], x: Any, direction: Any) -> tuple[Any, Any]:
    """The numerical derivative of a function along a direction, with its bound."""
    return slope_of(lambda t: function(x + (t - 1) * direction), np.size(function(x)))


def slope_of(function: Callable[[Any], Any], size: int) -> tuple[Any, Any]:
    """The numerical derivative of a curve at 1, with its bound; an error where there is none."""
    __tracebackhide__ = True
    if not size:
        return np.zeros(0), np.zeros(0)
    slope, bound = (part.reshape(-1) for part in finite_difference(function)(1.0))
    sharp = bound <= BLUNT * (1 + np.abs(slope))  # false for NaN
    assert sharp.all(), (
        f"there is no numerical derivative at a sample (bound {bound[~sharp][0]:.2g}): "
        "give the domain on which the derivative exists"
    )
    return slope, BARS * bound


def rounding(numbers: Any) -> float:
    """What rounding may change in numbers of this size."""
    finite = np.where(np.isfinite(numbers), numbers, 0)
    return float(1e-12 * (1 + np.max(np.abs(finite), initial=0)))


def within(found: Any, expected: Any, bound: Any) -> bool:
    """Whether numbers agree; NaN agrees with NaN only."""
    same = (np.abs(found - expected) <= bound) | (found == expected) | (np.isnan(found) & np.isnan(expected))
    return bool(np.all(same))


def agree(found: Any, expected: Any, bound: Any, what: str, reference: str) -> None:
    """Raise an error that names the worst entry, unless the numbers agree."""
    __tracebackhide__ = True
    if not within(found, expected, bound):
        gap = np.nan_to_num(np.abs(found - expected), nan=np.inf) - bound
        worst = np.unravel_index(int(np.argmax(gap)), np.shape(gap))
        place = f"[{', '.join(map(str, worst))}]" if worst else ""
        raise AssertionError(f"{what}{place} is {found[worst]!s}, but {expected[worst]!s} by {reference}")


def explain(function: Callable[[Any], Any], x: Any, J: Jacobian, what: str) -> None:
    """Raise an error that names the worst entry of a Jacobian."""
    __tracebackhide__ = True
    numerical, bound = finite_difference(function)(x)
    agree(J.toarray(), numerical, BARS * bound + rounding(J.toarray()), what, "finite differences")
