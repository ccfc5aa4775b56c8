"""The witnesses that a claim is held against: the numerical Jacobian with its bound, and the traced one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.differentiate import jacobians, trace
from jacobi.errors import JacobiError
from jacobi.expressions import Step
from jacobi.finite_difference import Point, fresh
from jacobi.matrix import Jacobian
from jacobi.verification.evidence import Array

LEVELS = tuple(4.0**-k for k in (10, 12, 14, 16))  # the steps at which the kind of a limit is looked at
FIRST, SECOND, ABOVE, BELOW = "its first operand", "its second operand", "positive numbers", "negative numbers"
NOT_COMPARED = "its other case was not compared"
SIDES: dict[Any, tuple[str, str]] = {  # of case distinctions: where what tells them apart is positive, or true; else
    **dict.fromkeys((np.maximum, np.fmax, np.where), (FIRST, SECOND)),
    **dict.fromkeys((np.minimum, np.fmin), (SECOND, FIRST)),
    **dict.fromkeys((np.absolute, np.fabs), (ABOVE, BELOW)),
}
KINDS = ("precision", "kink", "jump", "diverging slope")


@dataclass(frozen=True)
class Traced:
    """What tracing the function gave.

    Attributes
    ----------
    value : array
        The result of the function.
    jacobian : Jacobian
        Its derivative, structure kept.
    one_sided : tuple of str
        The case distinctions that went one way for every entry.
    """

    value: Any
    jacobian: Jacobian
    one_sided: tuple[str, ...] = ()


def traced(f: Callable[..., Any], arguments: tuple[Any, ...], argnum: int) -> Traced | str:
    """The traced Jacobian, or why there is none."""
    try:
        with np.errstate(all="ignore"):
            found = trace(f, [fresh(a) for a in arguments], {}, (argnum,))
            (J,) = jacobians(found, (argnum,))
            sides = tuple(dict.fromkeys(filter(None, map(one_side, found.graph.steps))))
        return Traced(np.asarray(found.value, float), J, sides)
    except JacobiError as problem:
        return str(problem)
    except Exception as problem:  # the user's function may do anything with a node
        return f"{type(problem).__name__}: {problem}"


def one_side(step: Step) -> str:
    """What to say of a case distinction that went one way for every entry; "" for any other step."""
    operation: Any = step.operation
    sides = None if operation is None else SIDES.get(operation.function)
    if sides is None:
        return ""
    operands = [a.value if isinstance(a, Step) else a for a in step.arguments]
    on = np.asarray(operands[0], bool) if operation.kink is None else operation.kink(step.value, *operands) > 0
    if not np.size(on) or (np.any(on) and not np.all(on)):
        return ""
    name = operation.name.rpartition(".")[2]
    return f"{name} ({step.line}) took {sides[0 if np.all(on) else 1]} for every entry: {NOT_COMPARED}"


def kinds_of_limits(point: Point, j: int) -> Any:
    """Why there is no slope by input ``j``, for every output: a number in `KINDS`, (m,).

    The difference of the two one-sided slopes stays at a kink, grows like ``1/h`` at a jump and like a smaller power
    where the slope has no bound; it vanishes, or is lost in noise, where a derivative exists that cannot be resolved.
    """
    steps = np.array(LEVELS) * max(abs(float(point.x.ravel()[j])), 1.0)
    right, left = (one_sided_slopes(point, j, sign * steps) for sign in (1.0, -1.0))
    bars = 8.0 * point.unit * np.abs(point.y) / steps[:, None]
    ratio = np.log(LEVELS[0] / LEVELS[1])
    kinds = np.zeros(point.y.size, dtype=int)
    gap = np.abs(right - left)
    kinds[(gap[-1] > 10 * bars[-1]) & (gap[-1] > 0.5 * gap[0]) & np.isfinite(gap[-1])] = KINDS.index("kink")
    for slopes in (right, left):
        powers = np.diff(np.log(np.abs(slopes)), axis=0) / ratio  # 0 for a slope, 1 for a jump
        growing = ((np.abs(slopes) > 10 * bars) & np.isfinite(slopes)).all(axis=0) & (powers > 0.2).all(axis=0)
        kinds[growing & (powers[-1] <= 0.9)] = KINDS.index("diverging slope")
        kinds[growing & (powers[-1] > 0.9)] = KINDS.index("jump")
    return kinds


def one_sided_slopes(point: Point, j: int, steps: Array) -> Array:
    """The difference quotients of all outputs by input ``j``, (steps, m)."""
    slopes = []
    for step in steps:
        x = point.x.copy()
        entries = x.reshape(-1)
        old = entries[j]
        entries[j] = old + x.dtype.type(step)
        slopes.append((point.values(x) - point.y) / float(entries[j] - old))
    return np.array(slopes)


def directional(
    f: Callable[..., Any], arguments: tuple[Any, ...], argnum: int, x: Any, direction: Array
) -> Callable[[Any], Any]:
    """The function along a line through the point, ``t -> f(x + t v)``."""
    v = direction.reshape(x.shape)

    def along(t: Any) -> Any:
        moved = (x + t * v).astype(x.dtype)
        return f(*arguments[:argnum], moved, *arguments[argnum + 1 :])

    return along
