"""The numerical Jacobian of any function of arrays, with a bound on the error of every entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jacobi.errors import InputError, ShapeError, at_users_line
from jacobi.ladder import (
    PLACES,
    ROUNDINGS,
    Array,
    Indices,
    Ladder,
    Mask,
    Noise,
    Sample,
    Slope,
    explained,
    scatter,
    slope,
)

__all__ = ["NumericalJacobian", "finite_difference", "measure"]

Real: TypeAlias = NDArray[np.floating[Any]]

FACTOR = 4.0  # between neighbouring rungs
TOP = 0.4112  # largest step, in units of max(|x|, 1); no simple fraction, so that hardly a period matches it
SPACINGS = 64.0  # smallest step, in units of the spacing of floating point numbers around x
SMALLEST = 1e-300  # step of all
STRIDE = 3  # rungs from one spacing to the next in the scan for noise
GROWTH = 1e5  # how much more a smooth function may scatter at the next rung's spacing; 64 is the rule
EXPECTED = 1e-6  # relative difference from an expected slope, and error bound, that confirm one
SAFETY = 2.0  # what estimates of errors are multiplied with to make a bound
OUTPUTS_AT_ONCE = 4096  # tables of so many outputs fit into the caches

NO_VALUE = (ValueError, ArithmeticError)  # of a function outside its domain; FloatingPointError is arithmetic


@dataclass(slots=True)
class NumericalJacobian:
    """A numerical Jacobian and what is known about it; ``m`` outputs, ``n`` inputs."""

    value: Array  # (m, n)
    error: Array  # (m, n): inf at kinks, jumps and slopes without limit, NaN where there are no values
    one_sided: Mask  # (m, n): where the function has values on one side only
    noise: Array  # (m,) size of the errors of the function's own values, beyond their rounding
    calls: int
    sides: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    """Left and right slope of the entries whose error is inf."""


def finite_difference(
    f: Callable[..., Any], argnum: int = 0
) -> Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return a function that gives the numerical Jacobian of `f` and a bound on its error.

    Every entry is the limit of difference quotients over a ladder of steps.  The step is chosen for each
    entry by consistency with all smaller ones, so neither a kink close by, nor a mixture of scales, nor
    cancellation inside `f`, nor the edge of its domain needs attention.  A smooth column costs twelve calls
    of `f`, a difficult one up to some hundreds, no further than ``0.42 * max(abs(x[j]), 1)`` from `x`.

    Parameters
    ----------
    f : callable
        Takes arrays or numbers and returns a number, an array of any rank, or a list of numbers.  It is
        called with fresh copies (of a list to differentiate by: with an array), and may raise ``ValueError``
        or ``ArithmeticError`` outside its domain.
    argnum : int
        Position of the argument ``x`` to differentiate by.

    Returns
    -------
    callable
        Takes the arguments of `f` and returns ``J`` and ``err``, both float64 of shape ``(y.size, x.size)``,
        rows and columns in C order.  The derivative lies in ``J ± err``.  ``err`` is inf where there is a
        kink, a jump or no finite slope, and NaN (like ``J``) where `f` or `x` is not finite.  Where `f` is
        defined on one side only, the slope is that side's.

    Raises
    ------
    InputError
        By the returned function, for an argument or a result that is not an array of real numbers.
    ShapeError
        By the returned function, when the shape of the result changes from call to call.

    Notes
    -----
    The extrapolation of difference quotients is L. F. Richardson's (1911), the table with its own error
    estimate that of C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in
    Engineering Software 4 (1982) 75-76.  The choice of the step is O. V. Lepski's, "On a problem of adaptive
    estimation in Gaussian white noise", Theory of Probability and its Applications 35 (1991) 454-466.  Noise
    is told from detail by tables of differences: J. J. Moré and S. M. Wild, "Estimating computational noise",
    SIAM Journal on Scientific Computing 33 (2011) 1292-1314.

    A bound from finitely many values is no proof.  Detail that lies below a hundred roundings of the values,
    or is narrower than the smallest step (about 1e-14, relative to `x`), cannot be seen.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi.finite_difference import finite_difference
    >>> x = np.array([0.5, 2.0])
    >>> J, err = finite_difference(lambda x: [x[0] * x[1], np.sin(x[0]), abs(x[1] - 2)])(x)
    >>> np.round(J, 6)
    array([[2.      , 0.5     ],
           [0.877583, 0.      ],
           [0.      , 0.      ]])
    >>> bool(abs(J[1, 0] - np.cos(0.5)) <= err[1, 0] < 1e-9)
    True
    >>> float(err[2, 1])  # a kink
    inf
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
        return measure_at(Point(f, args, argnum, kwargs or {}))


def measure_at(point: Point, expected: Sequence[Array] = ()) -> NumericalJacobian:
    """The numerical Jacobian at a point.

    Slopes that agree with one of the `expected` Jacobians, (m, n) each, are not looked at any further.
    """
    guesses = np.array(expected).reshape(len(expected), point.y.size, point.x.size)
    m, n = point.y.size, point.x.size
    value, error = np.full((2, m, n), np.nan)
    result = NumericalJacobian(value, error, np.zeros((m, n), dtype=np.bool_), np.zeros(m), point.calls)
    if m and n:
        quiet = result.noise = point.noise()
        good = np.isfinite(point.y)
        small_first = np.zeros(m, dtype=np.bool_)
        for j in np.flatnonzero(np.isfinite(point.x)):
            column = Column(point, int(j), quiet, result.noise, guesses[:, :, j])
            small_first = column.explore(small_first)
            result.noise, found = column.heard, column.found
            value[good, j], error[good, j] = found.value[good], SAFETY * found.error[good]
            result.one_sided[good, j] = found.one_sided[good]
            for i in np.flatnonzero(np.isinf(found.error)):
                result.sides[int(i), int(j)] = float(found.left[i]), float(found.right[i])
    result.calls = point.calls
    return result


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
    """One column of the Jacobian: climbs more rungs of the ladder until every entry is settled.

    Outputs share the calls of the function and nothing else: each is estimated as if it were the only one.
    """

    def __init__(self, point: Point, j: int, noise: Array, heard: Array, expected: Array) -> None:
        entry = point.x.ravel()[j]
        magnitude = abs(float(entry))
        scale = max(magnitude, 1.0)
        smallest = min(1e-14 * scale, 1e-5 * magnitude) if magnitude else 1e-14
        self.point, self.j, self.magnitude = point, j, magnitude
        self.noise = noise  # (m,) of the values when all inputs move,
        self.heard = heard  # and also where single inputs moved
        self.expected = expected  # (any number, m)
        self.top = TOP * scale
        self.spacing = float(np.spacing(np.abs(entry)))
        self.last = self.rung(max(SPACINGS * self.spacing, smallest))
        self.climbed: dict[int, tuple[float, Array, float, Array]] = {}
        self.found = Slope.unknown(point.y.size)

    def step(self, k: int) -> float:
        """The step of rung `k`."""
        return self.top * FACTOR**-k

    def rung(self, step: float) -> int:
        """The number of the rung nearest to a step."""
        return max(round(log(self.top / max(step, SMALLEST), FACTOR)), 0)

    def explore(self, small_first: Mask) -> Mask:
        """Measure the column, cheaply where that is enough; for which outputs the smaller of two scales fitted."""
        scales = [max(self.magnitude, 1.0)]
        if self.magnitude and not 0.1 <= self.magnitude <= 10.0:
            scales.append(min(self.magnitude, 1.0))
        small_fitted, pending = small_first.copy(), np.isfinite(self.point.y)
        for order, group in ((scales, ~small_first), (scales[::-1], small_first)):
            rungs: list[int] = []
            outputs = np.flatnonzero(pending & group)
            for scale in order:
                rungs += self.quick_rungs(scale)
                left = self.climb(rungs, outputs, self.noise)
                if self.heard[left].any():
                    left = self.climb(rungs, left, self.heard)
                settled = np.setdiff1d(outputs, left)
                pending[settled] = False
                if len(scales) > 1:
                    small_fitted[settled] = scale != scales[0]
                outputs = left
        rungs = [k for scale in scales for k in self.quick_rungs(scale)] + self.all_rungs()
        outputs = self.climb(rungs, np.flatnonzero(pending), self.noise)
        outputs = outputs[self.found.of(outputs).doubtful]
        if outputs.size:
            self.listen(rungs, outputs)
        return small_fitted

    def quick_rungs(self, scale: float) -> list[int]:
        """Four rungs for a function that varies over a length `scale`, and some below to contradict them."""
        unit = max(self.point.unit, self.point.argument_unit)
        first = self.rung(scale * unit**0.1)
        check = [self.rung(scale * unit**power) for power in (1 / 3, 1 / 2)]
        if 0.0 < self.magnitude < 0.1 * scale:
            check.append(self.rung(0.25 * self.magnitude))
        return [k for k in (*range(first, first + 4), *check) if k <= self.last]

    def all_rungs(self) -> list[int]:
        """Every rung; next to a tiny x the steps between the scale of 1 and that of x are left out."""
        steps = [(k, self.step(k)) for k in range(self.last + 1)]
        return [k for k, h in steps if h >= 1e-14 * self.top or h <= 64.0 * self.magnitude]

    def climb(self, rungs: list[int], outputs: Indices, noise: Array) -> Indices:
        """Estimate outputs from some rungs; those that are not settled by them."""
        if not outputs.size or not rungs:
            return outputs
        for k in rungs:
            if k not in self.climbed:
                self.climbed[k] = (*self.moved(self.step(k)), *self.moved(-self.step(k)))
        parts = zip(*(self.climbed[k] for k in sorted(set(rungs))), strict=True)
        ahead, right, behind, left = (np.array(part) for part in parts)
        ladder = Ladder(ahead, -behind, right, left, self.point.y)
        same = np.ones_like(noise)
        argument = self.point.argument_unit * self.magnitude * same
        known = Noise(noise, self.point.unit * same, argument, self.point.smallest)
        for start in range(0, outputs.size, OUTPUTS_AT_ONCE):
            some = outputs[start : start + OUTPUTS_AT_ONCE]
            self.found.put(some, slope(ladder.of(some), known.of(some)))
        return outputs[~(self.found.of(outputs).settled | self.confirmed(outputs))]

    def confirmed(self, outputs: Indices) -> Mask:
        """Which slopes are expected ones to six digits: too many for an accident, whatever larger steps say."""
        value, error = self.found.value[outputs], SAFETY * self.found.error[outputs]
        near = np.abs(self.expected[:, outputs] - value) <= error + EXPECTED * np.abs(value)
        return np.asarray(near.any(axis=0) & (error <= EXPECTED * np.abs(value)) & (value != 0.0))

    def listen(self, rungs: list[int], outputs: Indices) -> None:
        """Look for noise in some outputs, and estimate them again."""
        scan = Scan(self, outputs)
        scan.run()
        noise = self.heard.copy()
        noise[outputs] = np.maximum(noise[outputs], scan.noise)
        before = self.found.of(outputs)
        self.climb(rungs, outputs, noise)
        # What scatters by so much that it may be the function after all: the bound holds both slopes.
        after = self.found.of(outputs)
        both = np.fmax(after.error, np.abs(after.value - before.value) + before.error)
        self.found.error[outputs] = np.where(scan.gross, both, after.error)
        self.heard = np.where(np.isin(np.arange(noise.size), outputs[scan.gross]), self.heard, noise)
        self.found.error[outputs[scan.hopeless]] = np.inf

    def moved(self, distance: float) -> tuple[float, Array]:
        """The distance as it happened in floating point, and the values there, (m,)."""
        x = self.point.x.copy()
        entries = x.reshape(-1)
        old = entries[self.j]
        entries[self.j] = old + x.dtype.type(distance)
        return float(entries[self.j] - old), self.point.values(x)

    def points(self, spacing: float, beyond: float = 0.0) -> Array:
        """Values at places some spacing (negative: behind x) apart, each a little `beyond`; (places, m)."""
        return np.array([self.moved(float(place) * spacing + beyond)[1] for place in PLACES])


class Scan:
    """Tells noise from detail of the function, by how values scatter at spacings from the smallest upwards.

    Rounding inside a function, of ``1e8 + x`` say, makes stairs.  On the stair where x stands the function is
    smooth, with a wrong slope.  Where values begin to scatter on both sides of x, either the values at
    smaller spacings lie on a curve, or the slopes at these points explain it, or it is noise.
    """

    def __init__(self, column: Column, outputs: Indices) -> None:
        self.column, self.outputs = column, outputs
        self.noise = np.zeros(outputs.size)  # a bound on the noise found
        self.hopeless = np.zeros(outputs.size, dtype=np.bool_)  # where noise cannot be told from the function
        self.gross = np.zeros(outputs.size, dtype=np.bool_)  # where the noise is no small part of the values
        self.undecided = np.ones(outputs.size, dtype=np.bool_)
        climbed = [side[outputs] for _, right, _, left in column.climbed.values() for side in (right, left)]
        values = np.abs(climbed)
        self.typical = np.quantile(np.where(np.isfinite(values), values, 0.0), 0.75, axis=0)
        self.points: dict[tuple[int, float], Array] = {}

    def run(self) -> None:
        """Scan until every output is decided."""
        rungs = [k for k in self.column.all_rungs() if k > 2][::-1]
        for first in range(0, len(rungs), STRIDE):
            group = rungs[first : first + STRIDE]
            for k in group:
                suspects = self.undecided & self.sample(group[-1], 1.0).suspicious
                if suspects.any():
                    self.judge(k, suspects)

    def judge(self, k: int, suspects: Mask) -> None:
        """Decide the suspects whose values scatter at the spacing of rung `k`."""
        sides = self.sample(k, 1.0), self.sample(k, -1.0)
        silent = [np.isnan(side.noise) for side in sides]
        rough = suspects & ~(silent[0] & silent[1])
        for side, missing in zip(sides, silent, strict=True):
            rough &= side.rough | missing
        if not rough.any():
            return
        height = np.fmin(sides[0].noise, sides[1].noise)
        noisy, sure = rough.copy(), np.zeros_like(rough)
        # Below the smallest spacing nobody has looked, so slopes there say nothing.
        if k < self.column.last:
            for sign, side in zip((1.0, -1.0), sides, strict=True):
                self.ask_slopes(k, sign, side, noisy, sure)
            noisy &= ~self.on_curve(k, height)
        louder = noisy & (sure | (self.noise == 0.0))
        # Nothing can be said of waves too short for the smallest step, nor of what is hardly more than noise.
        unresolved = rough if k == self.column.last else louder & ~sure
        self.hopeless |= unresolved & (height > 0.01 * self.typical)
        if louder.any():  # a few more stairs, to measure their height
            wider = np.fmin(self.sample(k - 1, 1.0).noise, self.sample(k - 1, -1.0).noise)
            height = np.fmax(height, np.fmin(wider, 64.0 * height))
            self.noise[louder] = 4.0 * height[louder]
        self.gross |= louder & (height > 0.01 * self.typical)
        self.undecided &= ~rough | louder

    def ask_slopes(self, k: int, sign: float, side: Sample, noisy: Mask, sure: Mask) -> None:
        """Strike out of `noisy` what slopes explain, over distances within which hardly a stair ends."""
        spacing = self.column.step(k)
        longest = spacing / 1024.0
        shortest = 16.0 * side.rounding / side.noise * spacing  # for the sake of rounding
        near = longest / 4.0 ** np.floor(np.log2(np.fmax(longest / shortest, 1.0)) / 4.0)
        usable = noisy & ~sure & (shortest <= longest) & (near >= 4.0 * self.column.spacing)
        for distance in np.unique(near[usable]):
            these = usable & (near == distance)
            nearby = self.column.points(sign * spacing, sign * distance)[:, self.outputs[these]]
            noisy[these] = ~explained(
                side.values[:, these], nearby, spacing, distance, side.noise[these], side.rounding[these]
            )
        sure |= usable

    def on_curve(self, k: int, height: Array) -> Mask:
        """Whether the values at closer spacings lie on a curve that is just no more resolved at this one.

        Stairs may look like a curve at one spacing by accident, but then scatter again at a closer one.
        """
        curved, lasting = [], []
        for sign in (1.0, -1.0):
            closer, closest = (self.sample(min(k + i, self.column.last), sign) for i in (1, 2))
            curved.append(closer.wave & ~closest.rough & (height <= GROWTH * closer.three))
            lasting.append(curved[-1] & closest.wave & (k + 2 <= self.column.last))
        return np.asarray((curved[0] & curved[1]) | lasting[0] | lasting[1])

    def sample(self, k: int, sign: float) -> Sample:
        """What the values on one side of x look like at the spacing of rung `k`."""
        point, spacing = self.column.point, self.column.step(k)
        if (k, sign) not in self.points:
            self.points[k, sign] = self.column.points(sign * spacing)[:, self.outputs]
        values = self.points[k, sign]
        three, five = scatter(values)
        flat = np.ptp(values, axis=0) == 0.0
        three[flat] = five[flat] = np.nan
        steepness = np.median(np.abs(np.diff(values, axis=0)), axis=0) / spacing
        rounding = ROUNDINGS * point.unit * np.median(np.abs(values), axis=0)
        rounding += 2.0 * point.argument_unit * self.column.magnitude * steepness
        known = np.maximum(self.noise, self.column.noise[self.outputs])
        return Sample(values, three, five, np.maximum(rounding, known))


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
