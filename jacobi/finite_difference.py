"""The numerical Jacobian of any function of arrays, with a bound on the error of every entry."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacobi.errors import InputError, ShapeError
from jacobi.ladder import PLACES, ROUNDINGS, Array, Ladder, Mask, Noise, Slope, explained, scatter, slope

__all__ = ["NumericalJacobian", "finite_difference", "measure"]

Real: TypeAlias = NDArray[np.floating[Any]]

FACTOR = 4.0  # between neighbouring rungs
TOP = 0.4112  # largest step, in units of max(|x|, 1); no fraction of small numbers, so periods do not match it
SPACINGS = 64.0  # smallest step, in units of the spacing of floating point numbers around x
SCAN_STRIDE = 3  # rungs from one spacing to the next
SCAN_GROWTH = 1e5  # from one rung's spacing to the next that a smooth function may scatter more; 64 is the rule
SCAN_LOUD = 3.0  # scatter that counts as noise, in units of the rounding of the values
OUTPUTS_AT_ONCE = 4096  # tables of so many outputs fit into the caches

NO_VALUE = (ValueError, ArithmeticError)  # of a function outside its domain; FloatingPointError is arithmetic


@dataclass(slots=True)
class NumericalJacobian:
    """A numerical Jacobian and what is known about it; ``m`` outputs, ``n`` inputs."""

    value: Array  # (m, n)
    error: Array  # (m, n): inf at kinks, jumps and slopes without limit, NaN where there are no values
    noise: Array  # (m,) size of the errors of the function's own values
    calls: int
    sides: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    """Left and right slope of the entries where these do not meet."""


def finite_difference(
    f: Callable[..., Any], argnum: int = 0
) -> Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return a function that gives the numerical Jacobian of `f` and a bound on its error.

    Every column is the limit of difference quotients over a ladder of steps; the step is chosen for each entry by
    consistency with all smaller ones, so neither a kink close by, nor a mixture of scales, nor cancellation inside
    `f`, nor the edge of its domain needs attention.  A smooth column costs about twelve calls of `f`.

    Parameters
    ----------
    f : callable
        Takes arrays (or numbers) and returns a number, an array of any rank, or a list of numbers.  It is called
        with fresh copies, and may raise ``ValueError`` or ``ArithmeticError`` outside its domain.
    argnum : int
        Position of the argument to differentiate by.

    Returns
    -------
    callable
        Takes the arguments of `f`; returns ``J`` and ``err``, both float64 of shape ``(y.size, x.size)``, rows and
        columns in C order.  The derivative lies in ``J ± err``.  ``err`` is inf where there is a kink, a jump or no
        finite slope, and NaN (like ``J``) where `f` or `x` is not finite.  Where `f` is defined on one side only,
        the slope is that side's.

    Raises
    ------
    InputError
        By the returned function, for arguments or results that are not arrays of real numbers.
    ShapeError
        When the shape of the result changes from call to call.

    Notes
    -----
    Extrapolation of difference quotients goes back to L. F. Richardson (1911); the table with its own error estimate
    is that of C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4
    (1982) 75-76.  The choice of the step is O. V. Lepski's: "On a problem of adaptive estimation in Gaussian white
    noise", Theory of Probability and its Applications 35 (1991) 454-466.  Noise is told from detail by difference
    tables: J. J. Moré and S. M. Wild, "Estimating computational noise", SIAM Journal on Scientific Computing 33
    (2011) 1292-1314.

    A bound from finitely many values is no proof: detail below the noise of the values, or narrower than the smallest
    step (about 1e-14, relative to `x`) cannot be seen.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi.finite_difference import finite_difference
    >>> x = np.array([0.5, 2.0])
    >>> J, err = finite_difference(lambda x: np.array([x[0] * x[1], np.sin(x[0]), np.abs(x[1] - 2)]))(x)
    >>> np.round(J, 6)
    array([[2.      , 0.5     ],
           [0.877583, 0.      ],
           [0.      , 0.      ]])
    >>> bool(abs(J[1, 0] - np.cos(0.5)) <= err[1, 0] < 1e-9)
    True
    >>> err[2]  # a kink
    array([ 0., inf])
    """

    def jacobian_with_error(*args: Any, **kwargs: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = measure(f, args, argnum, kwargs)
        return found.value, found.error

    return jacobian_with_error


def measure(
    f: Callable[..., Any], args: tuple[Any, ...], argnum: int = 0, kwargs: dict[str, Any] | None = None
) -> NumericalJacobian:
    """The numerical Jacobian of `f` at `args` with everything that is known about it."""
    with np.errstate(all="ignore"):
        return _measure(Point(f, args, argnum, kwargs or {}))


def _measure(point: Point) -> NumericalJacobian:
    m, n = point.y.size, point.x.size
    result = NumericalJacobian(np.full((m, n), np.nan), np.full((m, n), np.nan), np.zeros(m), point.calls)
    if m and n:
        quiet = result.noise = point.noise()
        good = np.isfinite(point.y)
        small_first = False
        for j in np.flatnonzero(np.isfinite(point.x.ravel())):
            column = Column(point, int(j), quiet, result.noise)
            small_first = column.explore(small_first)
            result.noise = column.heard
            found = column.found
            result.value[good, j], result.error[good, j] = found.value[good], found.error[good]
            for i in np.flatnonzero(good & np.isinf(found.error)):
                result.sides[int(i), int(j)] = float(found.left[i]), float(found.right[i])
    result.calls = point.calls
    return result


class Point:
    """A function at one point: hands it fresh copies, takes its values as a flat copy, counts the calls."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], argnum: int, kwargs: dict[str, Any]) -> None:
        if not -len(args) <= argnum < len(args):
            raise InputError(f"argnum={argnum}, but there are {len(args)} positional arguments")
        self.f, self.args, self.kwargs = f, args, kwargs
        self.position = argnum % len(args)
        given = args[self.position]
        self.x = real_array(given, f"argument {self.position}")
        self.scalar = self.x.ndim == 0 and not isinstance(given, np.ndarray)
        self.calls = 0
        first = self.call(self.x)
        self.shape, self.y = first.shape, first.ravel().astype(np.float64)
        self.argument_unit = max(float(np.finfo(self.x.dtype).eps), float(np.finfo(np.float64).eps))
        self.limits = np.finfo(first.dtype)
        self.unit = max(float(self.limits.eps), float(np.finfo(np.float64).eps))

    def call(self, x: Real) -> Real:
        """``f`` with its argument replaced: an array of real numbers that is nobody else's."""
        args = [fresh(a) for a in self.args]
        args[self.position] = x[()].copy() if self.scalar else x.copy()
        kwargs = {name: fresh(a) for name, a in self.kwargs.items()}
        self.calls += 1
        return real_array(self.f(*args, **kwargs), "the function's result")

    def values(self, x: Real) -> Array:
        """The values at another point, (m,); NaN where the function has none."""
        try:
            y = self.call(x)
        except NO_VALUE:
            return np.full(self.y.size, np.nan)
        if y.shape != self.shape:
            raise ShapeError(f"the function returned shape {self.shape} first and {y.shape} at another point")
        return y.ravel().astype(np.float64)

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


class Column:
    """One column of the Jacobian: climbs more rungs of the ladder until every entry is settled."""

    def __init__(self, point: Point, j: int, noise: Array, heard: Array) -> None:
        entry = point.x.ravel()[j]
        magnitude = abs(float(entry))
        scale = max(magnitude, 1.0)
        smallest = min(1e-14 * scale, 1e-5 * magnitude) if magnitude else 1e-14
        self.point, self.j, self.noise, self.heard = point, j, noise, heard
        self.magnitude, self.top = magnitude, TOP * scale
        self.spacing = float(np.spacing(np.abs(entry)))
        self.last = self.rung(max(SPACINGS * self.spacing, smallest))
        self.climbed: dict[int, tuple[float, Array, float, Array]] = {}
        self.pending = np.flatnonzero(np.isfinite(point.y))
        self.found = Slope.unknown(point.y.size)

    def rung(self, step: float) -> int:
        """The number of the rung nearest to a step."""
        return max(round(log(self.top / step, FACTOR)), 0)

    def explore(self, small_first: bool) -> bool:
        """Measure the column, cheaply where that is enough; whether the smaller scale was the one that fitted."""
        scales = [max(self.magnitude, 1.0)]
        if self.magnitude and not 0.1 <= self.magnitude <= 10.0:
            scales.append(min(self.magnitude, 1.0))
        for scale in reversed(scales) if small_first else scales:
            self.climb(self.quick(scale), self.noise)
            if self.pending.size and self.heard.any():
                self.climb((), self.heard)
            if not self.pending.size:
                return scale != scales[0]
        self.climb(self.all(), self.noise)
        if self.pending.size and self.found.of(self.pending).doubtful.any():
            self.scan()
        return small_first

    def quick(self, scale: float) -> list[int]:
        """Four rungs for a function that varies over a length `scale`, and two far below to contradict them."""
        unit = max(self.point.unit, self.point.argument_unit)
        first = self.rung(scale * unit**0.1)
        check = [self.rung(scale * unit**power) for power in (1 / 3, 1 / 2)]
        return [k for k in (*range(first, first + 4), *check) if k <= self.last]

    def all(self) -> list[int]:
        """Every rung; next to a tiny x the steps between the scale of 1 and that of x are left out."""
        steps = [(k, self.top / FACTOR**k) for k in range(self.last + 1)]
        return [k for k, h in steps if h >= 1e-14 * self.top or h <= 64.0 * self.magnitude]

    def climb(self, rungs: Iterable[int], absolute: Array) -> None:
        """Evaluate rungs and estimate the pending outputs from all rungs evaluated so far."""
        for k in rungs:
            if k not in self.climbed:
                h = self.top / FACTOR**k
                self.climbed[k] = (*self.moved(h), *self.moved(-h))
        if not self.climbed:
            return
        ahead, right, behind, left = (np.array(part) for part in zip(*(self.climbed[k] for k in sorted(self.climbed)), strict=True))
        ladder = Ladder(ahead, -behind, right, left, self.point.y)
        argument = self.point.argument_unit * self.magnitude
        smallest = float(self.point.limits.smallest_subnormal)
        noise = Noise(np.maximum(self.noise, absolute), self.point.unit, argument, smallest)
        for start in range(0, self.pending.size, OUTPUTS_AT_ONCE):
            some = self.pending[start : start + OUTPUTS_AT_ONCE]
            self.found.put(some, slope(ladder.of(some), noise.of(some)))
        self.pending = self.pending[~self.found.of(self.pending).settled]

    def moved(self, distance: float) -> tuple[float, Array]:
        """The distance as it happened in floating point, and the values there."""
        x = self.point.x.copy()
        entries = x.reshape(-1)
        old = entries[self.j]
        entries[self.j] = old + x.dtype.type(distance)
        return float(entries[self.j] - old), self.point.values(x)

    def scan(self) -> None:
        """Look for noise that no single rung can tell from detail of the function, and estimate again."""
        outputs = self.pending
        scan = Scan(self, outputs)
        scan.run()
        self.heard = self.heard.copy()
        self.heard[outputs] = np.maximum(self.heard[outputs], scan.noise)
        self.climb((), self.heard)
        self.found.error[outputs[scan.hopeless]] = np.inf

    def points(self, spacing: float, beyond: float = 0.0) -> Array:
        """Values at places some spacing (negative: behind x) apart, each a little `beyond`; (places, m)."""
        return np.array([self.moved(float(place) * spacing + beyond)[1] for place in PLACES])


@dataclass(frozen=True, slots=True)
class Sample:
    """Values at some spacing on one side; every field but the first has one entry per output."""

    values: Array  # (places, outputs)
    three: Array  # scatter of the values by differences of order 3, NaN where values are missing or all equal
    five: Array  # the same of order 5
    rounding: Array  # what rounding may contribute

    @property
    def noise(self) -> Array:
        """The standard deviation of what may be noise."""
        return np.minimum(self.three, self.five)

    def rough(self, known: Array) -> Array:
        """1 where the values scatter by more than known, 0 where they lie on a smooth curve, NaN where unknown."""
        rough = (self.five >= 0.2 * self.three) & (self.five <= 5.0 * self.three) & (self.noise > SCAN_LOUD * np.maximum(self.rounding, known))
        return np.where(np.isnan(self.noise), np.nan, rough)

    def suspicious(self, known: Array) -> Mask:
        """Whether the values are neither constant within what is known nor on a smooth curve."""
        quiet = np.fmax(self.three, self.five) <= SCAN_LOUD * np.maximum(self.rounding, known)
        return ~(quiet | (self.wave(known) > 0.0))

    def wave(self, known: Array) -> Array:
        """1 where the values lie on a curve that bends by more than noise, 0 where not, NaN where unknown."""
        wave = (self.five < 0.2 * self.three) & (self.three > 6.0 * np.maximum(self.rounding, known))
        return np.where(np.isnan(self.noise), np.nan, wave)


class Scan:
    """Tells noise from detail of the function, by how values scatter at spacings from the smallest upwards.

    Rounding inside a function, of ``1e8 + x`` say, makes stairs.  On the stair where x stands the function is smooth,
    with a wrong slope.  Where values begin to scatter on both sides of x, either the slopes at these points explain
    it, or the values at smaller spacings lie on a curve, or it is noise.
    """

    def __init__(self, column: Column, outputs: NDArray[np.intp]) -> None:
        self.column, self.outputs = column, outputs
        self.noise = np.zeros(outputs.size)
        self.hopeless = np.zeros(outputs.size, dtype=np.bool_)
        self.undecided = np.ones(outputs.size, dtype=np.bool_)
        self.samples: dict[tuple[int, float], Sample] = {}

    def run(self) -> None:
        """Scan until every output is decided."""
        rungs = [k for k in self.column.all() if k > 2][::-1]
        for first in range(0, len(rungs), SCAN_STRIDE):
            group = rungs[first : first + SCAN_STRIDE]
            for k in group:
                if (self.undecided & self.sample(group[-1], 1.0).suspicious(self.known)).any():
                    self.judge(k)

    @property
    def known(self) -> Array:
        """The noise known so far."""
        return np.maximum(self.noise, self.column.noise[self.outputs])

    def judge(self, k: int) -> None:
        """Decide the outputs whose values scatter at the spacing of rung `k`."""
        ahead, behind = self.sample(k, 1.0), self.sample(k, -1.0)
        known = self.known
        spacing = self.column.top / FACTOR**k
        rough = self.undecided & (np.fmin(ahead.rough(known), behind.rough(known)) > 0.0)
        if not rough.any():
            return
        height = np.fmin(ahead.noise, behind.noise)
        silent = self.noise == 0.0
        noisy, sure = rough.copy(), np.zeros_like(rough)
        for sign, here in ((1.0, ahead), (-1.0, behind)):
            # Slopes are asked over a distance within which hardly a stair ends, but rounding is small.
            longest = spacing / 1024.0
            shortest = 16.0 * np.maximum(here.rounding, known) / here.noise * spacing
            near = longest / 4.0 ** np.floor(np.log2(np.fmax(longest / shortest, 1.0)) / 4.0)
            usable = rough & ~sure & (k < self.column.last) & (shortest <= longest) & (near >= 4.0 * self.column.spacing)
            for distance in np.unique(near[usable]):
                these = usable & (near == distance)
                nearby = self.column.points(sign * spacing, sign * distance)[:, self.outputs[these]]
                noisy[these] = ~explained(
                    here.values[:, these], nearby, spacing, distance, here.noise[these], here.rounding[these]
                )
            sure |= usable
        if noisy.any():
            noisy &= ~self.curve(k, known)
        louder = noisy & (sure | silent)
        # Nothing can be said of waves too short for the smallest step, nor of what is hardly more than noise.
        unresolved = rough if k == self.column.last else louder & ~sure
        typical = np.fmin(np.median(np.abs(ahead.values), axis=0), np.median(np.abs(behind.values), axis=0))
        self.hopeless |= unresolved & (height > 0.01 * typical)
        if louder.any():  # a few more stairs, to measure their height
            more = np.fmin(self.sample(k - 1, 1.0).noise, self.sample(k - 1, -1.0).noise)
            height = np.fmax(height, np.fmin(more, 64.0 * height))
            self.noise[louder] = 4.0 * height[louder]
        self.undecided &= ~rough | louder

    def curve(self, k: int, known: Array) -> Mask:
        """Whether the values at closer spacings lie on a curve that is just no more resolved at this one."""
        ahead, behind = ([self.sample(min(k + i, self.column.last), sign) for i in range(3)] for sign in (1.0, -1.0))
        height = np.fmin(ahead[0].noise, behind[0].noise)
        curved = [
            (side[1].wave(known) > 0.0) & (height <= SCAN_GROWTH * side[1].three) for side in (ahead, behind)
        ]
        lasting = [here & (side[2].wave(known) > 0.0) for here, side in zip(curved, (ahead, behind), strict=True)]
        return np.asarray((curved[0] & curved[1]) | lasting[0] | lasting[1])

    def sample(self, k: int, sign: float) -> Sample:
        """What the values on one side of x look like at the spacing of rung `k`."""
        if (k, sign) not in self.samples:
            point, spacing = self.column.point, self.column.top / FACTOR**k
            values = self.column.points(sign * spacing)[:, self.outputs]
            three, five = scatter(values)
            flat = np.ptp(values, axis=0) == 0.0
            three[flat] = five[flat] = np.nan
            run = np.median(np.abs(np.diff(values, axis=0)), axis=0) / spacing
            rounding = ROUNDINGS * point.unit * np.median(np.abs(values), axis=0)
            rounding += 2.0 * point.argument_unit * self.column.magnitude * run
            self.samples[k, sign] = Sample(values, three, five, rounding)
        return self.samples[k, sign]


def fresh(value: Any) -> Any:
    """A copy of an array or a list, so that the function cannot change the caller's."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return copy.deepcopy(value) if isinstance(value, list) else value


def real_array(value: Any, name: str) -> Real:
    """A new array of floating point numbers, in C order; integers and booleans become float64."""
    if value is None:
        raise InputError(f"{name} is None: forgotten return?" if "result" in name else f"{name} is None")
    cure = "give an array of real numbers"
    try:
        array = np.array(value, order="C")
        if array.dtype.kind == "O" and not any(isinstance(entry, complex) for entry in array.flat):
            array = array.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise InputError(f"{name}, of type {type(value).__name__}, is no array of numbers ({problem}): {cure}") from None
    if array.dtype.kind in "cO":
        raise InputError(
            f"{name} is complex: differentiate by the real and the imaginary part, "
            "as a function of real arrays with real results"
        )
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name}, of type {type(value).__name__} and dtype {array.dtype}, is no array of numbers: {cure}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)
