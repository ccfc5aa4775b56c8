"""The problem that a check is posed: a function at a point, looked over before any difference is taken."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from math import prod
from time import perf_counter
from typing import Any, Self

import numpy as np

from jacobi.errors import JacobiError
from jacobi.finite_difference import Point, fresh
from jacobi.spreading import ALONE, Spread
from jacobi.verification.watched import NoValueThere, Watched, name_of

REPEATS = 8  # calls that measure the noise of a function whose values differ from call to call
NOT_DETERMINISTIC = 1e-3  # scatter of repeated calls, relative to the values


class Invalid(Exception):
    """There is nothing to compare: bad input, or a broken function.

    Attributes
    ----------
    reason : str
        In a few words.
    """

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


class WatchedPoint(Point):
    """A function that is watched at a point; what it does elsewhere is known here in the end."""

    f: Watched

    def apart(self) -> Self:
        """The same point for a part of the work, with a watcher of its own."""
        point = super().apart()
        point.f = copy(self.f)
        point.f.notes = []
        return point

    def remarks(self) -> list[str]:
        """What was noticed in the calls of a part."""
        return self.f.notes

    def join(self, calls: int, remarks: list[str]) -> None:
        """Take over what a part has counted and noticed."""
        super().join(calls, remarks)
        self.f.calls += calls
        for remark in remarks:
            self.f.note(remark)


@dataclass
class Problem:
    """A function at a point.

    Attributes
    ----------
    f : Watched
        The function, safe to call.
    args : tuple
        Copies of its arguments.
    argnum : int
        The position of the argument to differentiate by.
    point : Point
        The point, with the values there.
    seconds : float
        What a call costs.
    spread : Spread
        Who takes the differences.
    notes : list of str
        What was noticed.
    """

    f: Watched
    args: tuple[Any, ...]
    argnum: int
    point: WatchedPoint
    seconds: float
    spread: Spread
    notes: list[str] = field(default_factory=list)

    @property
    def out_shape(self) -> tuple[int, ...]:
        """The shape of the output."""
        return tuple(self.point.shape)

    @property
    def in_shape(self) -> tuple[int, ...]:
        """The shape of the argument."""
        return tuple(self.point.x.shape)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the Jacobian."""
        return prod(self.out_shape), prod(self.in_shape)

    @property
    def secant(self) -> Any:
        """How large a derivative would be natural: ``|f(x)| / |x|``, (m, n)."""
        magnitude = np.abs(self.point.x.astype(float).ravel())
        smallest = self.point.smallest / self.point.unit  # normal number; the size of a value that is zero
        return (np.abs(self.point.y)[:, None] + smallest) / np.where(magnitude > 0, magnitude, 1.0)


def pose(f: Callable[..., Any], args: tuple[Any, ...], argnum: int, spread: Spread = ALONE) -> Problem:
    """Look a function and its arguments over; `Invalid` if nothing can be compared."""
    notes = look_at_argument(args[argnum], argnum)
    watched = Watched(f, name_of(f, "the function"))
    args = tuple(fresh(argument) for argument in args)
    if isinstance(args[argnum], (list, tuple)):  # the function and the claim are given an array
        args = (*args[:argnum], np.asarray(args[argnum], float), *args[argnum + 1 :])
    start = perf_counter()
    try:
        with np.errstate(all="ignore"):
            point = WatchedPoint(watched, args, argnum, {})
    except JacobiError as problem:
        text = str(problem)
        reason = next((word for word in ("complex", "returned None", "ragged") if word in text), "no array of numbers")
        raise Invalid(reason, text) from None
    except Exception as problem:
        text = f"the function raised {type(problem).__name__} at the given point: {problem}"
        raise Invalid("the function fails", text) from problem
    seconds = perf_counter() - start
    found = Problem(watched, args, argnum, point, seconds, spread, notes)
    if not np.isfinite(point.x).all():
        where = [int(k) for k in np.argwhere(~np.isfinite(point.x))[0]]
        text = f"argument {argnum} is {point.x[tuple(where)]} at index {where}; use finite numbers"
        raise Invalid("not finite", text)
    measure_repetition(found)
    return found


def look_at_argument(x: Any, argnum: int) -> list[str]:
    """Refuse arguments that are no real numbers; note those that are promoted."""
    if isinstance(x, (str, bytes, dict, set)) or x is None:
        raise Invalid("no array of numbers", f"argument {argnum} is a {type(x).__name__}; use an array of numbers")
    try:
        kind = np.asarray(x).dtype.kind
    except ValueError:
        text = f"argument {argnum} is a ragged list; all rows of an array have the same length"
        raise Invalid("ragged", text) from None
    if kind == "b":
        raise Invalid("boolean", f"argument {argnum} is boolean and has no derivative; use real numbers")
    if kind == "c":
        raise Invalid("complex", f"argument {argnum} is complex; use its real and imaginary part as real arguments")
    return [f"argument {argnum} holds whole numbers; they were taken as float64"] if kind in "iu" else []


def measure_repetition(problem: Problem) -> None:
    """Call the function again at the same point: the values must be the same, up to a little noise."""
    point = problem.point
    start = perf_counter()
    again = repeated(problem)
    problem.seconds = min(problem.seconds, perf_counter() - start)  # the first call may have to warm up
    if np.array_equal(again, point.y, equal_nan=True):
        return
    values = np.array([point.y, again, *(repeated(problem) for _ in range(REPEATS))])
    scatter = np.ptp(values, axis=0)
    size = np.abs(values).max(axis=0, initial=0.0)
    worst = float(np.nanmax(np.where(size > 0, scatter / np.where(size > 0, size, 1.0), 0.0), initial=0.0))
    if np.isnan(values).any() or worst > NOT_DETERMINISTIC:
        text = (
            f"the function is not deterministic: at the same point its values differ by {worst:.1g} of their size; "
            "fix its random numbers (a seed inside the function), or pass them as an argument"
        )
        raise Invalid("not deterministic", text)
    problem.notes.append(f"noise: repeated calls of the function differ by {worst:.1g} of their size")


def repeated(problem: Problem) -> Any:
    """The values at the same point, once more."""
    with np.errstate(all="ignore"):
        try:
            return problem.point.call(problem.point.x).ravel().astype(float)
        except NoValueThere as other:
            text = f"the function is not deterministic: called again at the same point, it {other}"
            raise Invalid("not deterministic", text) from None
