"""A slope with a bound on its error, from the values of a function on a ladder of ever smaller steps.

On every rung of the ladder the same values give a left, a right and a central slope.  Extrapolation to step
zero makes an estimate of each rung from it and the coarser ones; the distance to its neighbours in the table,
and the noise of the values divided by the step, are its error bar.  Large steps suffer from curvature, small
ones from noise, and neither can be told from one rung alone: an estimate counts only as far as *all* smaller
steps agree with it (Lepski's choice from below).  So a kink, a jump or a wiggle close by spoils the rungs
above it and no other.

All functions handle every output at once: a rung is a row, an output is a column.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.intp]

ROUNDINGS = 2.0  # relative roundings within which a value is taken to be right, until more noise is seen
SINGLE = float(np.finfo(np.float32).eps)
HIDDEN_NOISE = 100.0  # noise up to so many times that is read off the small steps
LOUD = 3.0  # scatter that may be noise, in units of what is known to scatter
CENTRAL_ORDERS = 5  # how many powers h^2, h^4, ... are extrapolated away
ONE_SIDED_ORDERS = 6  # the same for h, h^2, ...


@dataclass(frozen=True, slots=True)
class Ladder:
    """The values of a function along one line, at descending distances on both sides of a point."""

    ahead: Array  # (rungs,) distances as they happened in floating point
    behind: Array  # (rungs,)
    right: Array  # (rungs, outputs) values ahead; NaN where the function has none
    left: Array  # (rungs, outputs) values behind
    centre: Array  # (outputs,) values at the point

    def of(self, outputs: Indices) -> Ladder:
        """The same ladder for some of the outputs."""
        return Ladder(self.ahead, self.behind, self.right[:, outputs], self.left[:, outputs], self.centre[outputs])


@dataclass(frozen=True, slots=True)
class Noise:
    """What is known about the errors of the values before the ladder is looked at."""

    absolute: Array  # (outputs,) measured size of the errors
    relative: Array  # (outputs,) rounding unit of the values
    argument: Array  # (outputs,) distance by which a function may round its own argument
    smallest: float  # smallest positive value of the dtype

    def of(self, outputs: Indices) -> Noise:
        """The same knowledge for some of the outputs."""
        return Noise(self.absolute[outputs], self.relative[outputs], self.argument[outputs], self.smallest)


@dataclass(frozen=True, slots=True)
class Slope:
    """The slopes of the outputs, their error bounds, and what these rest on; every field is (outputs,)."""

    value: Array
    error: Array  # inf where there is a kink, a jump or a slope without limit; NaN where there are no values
    left: Array  # slopes of the two sides where these do not meet, elsewhere the slope
    right: Array
    size: Array  # natural size of the slope: the largest of it and the secants two rungs above the chosen one
    bar: Array  # what noise alone contributes to the error two rungs above the chosen one
    contradicted: Mask  # steps of other sizes claim, with a small bar of their own, another slope
    one_sided: Mask  # there are values on one side only

    @classmethod
    def unknown(cls, outputs: int) -> Slope:
        """Nothing is known yet."""
        return cls(*np.full((6, outputs), np.nan), *np.zeros((2, outputs), dtype=np.bool_))

    def of(self, outputs: Indices) -> Slope:
        """The slopes of some of the outputs."""
        return Slope(*(getattr(self, part.name)[outputs] for part in fields(self)))

    def put(self, outputs: Indices, found: Slope) -> None:
        """Set the slopes of some of the outputs."""
        for part in fields(self):
            getattr(self, part.name)[outputs] = getattr(found, part.name)

    @property
    def noisy(self) -> Mask:
        """Outputs whose error comes from known noise."""
        return self.error <= 400.0 * self.bar

    @property
    def settled(self) -> Mask:
        """Outputs for which more steps would not be worth their cost."""
        precise = self.error <= 1e-8 * self.size
        nothing_to_gain = (self.error <= 1e-5 * self.size) | (np.abs(self.value) <= 4.0 * self.error)
        return (precise | (self.noisy & nothing_to_gain)) & ~(self.contradicted | self.one_sided)

    @property
    def doubtful(self) -> Mask:
        """Outputs for which it matters whether what the smallest steps show is the function or its noise."""
        return self.contradicted | ~((self.error <= 1e-6 * self.size) | self.noisy)


def slope(ladder: Ladder, noise: Noise) -> Slope:
    """The slope of every output with a bound on its error.

    Noise that the small steps show beyond the rounding of the values is read off and taken into account, as
    long as it is not so large that it could be a feature of the function.
    """
    coarser = np.where(single_precision(ladder), SINGLE / noise.relative, 1.0)
    if (coarser > 1.0).any():
        louder = np.maximum(coarser, 1.0)
        noise = replace(noise, relative=noise.relative * louder, argument=noise.argument * louder)
    errors = value_errors(ladder, noise)
    first, excess = _estimate(ladder, noise, errors)
    rounding = ROUNDINGS * noise.relative * np.abs(ladder.centre) + noise.smallest
    hidden = (excess > 1.0) & (excess <= np.fmax(HIDDEN_NOISE * np.fmin(rounding / noise.absolute, 1.0), 3.0))
    if not hidden.any():
        return first
    second, _ = _estimate(ladder, noise, errors * np.where(hidden, 1.5 * excess, 1.0))
    return replace(second, contradicted=second.contradicted | (hidden & (excess > 10.0)))


def single_precision(ladder: Ladder) -> Mask:
    """Whether all values are float32 numbers, with more digits than small integers and fractions have."""
    values = np.concatenate((ladder.right, ladder.left, ladder.centre[None]))
    single = (values.astype(np.float32) == values) | np.isnan(values)
    mantissas, _ = np.frexp(values)
    return np.asarray(single.all(axis=0) & (mantissas % 2.0**-11 > 0.0).any(axis=0))


def value_errors(ladder: Ladder, noise: Noise) -> Array:
    """A bound on the error of each rung's values: their rounding, that of the argument, measured noise."""
    largest = np.fmax(np.fmax(np.abs(ladder.right), np.abs(ladder.left)), np.abs(ladder.centre))
    risen = np.fmax(np.abs(ladder.right - ladder.centre), np.abs(ladder.left - ladder.centre))
    steepness = risen / (ladder.ahead + ladder.behind)[:, None]
    rounding = ROUNDINGS * noise.relative * largest + noise.smallest
    return np.fmax(rounding, noise.absolute) + 2.0 * noise.argument * steepness


def _estimate(ladder: Ladder, noise: Noise, errors: Array) -> tuple[Slope, Array]:
    """The slope, and how many times its bar the worst of the much smaller steps misses it."""
    ahead, behind = ladder.ahead[:, None], ladder.behind[:, None]
    right = (ladder.right - ladder.centre) / ahead
    left = (ladder.centre - ladder.left) / behind
    # Weighted so that curvature cancels even when rounding made the two steps unequal.
    central = (behind * right + ahead * left) / (ahead + behind)
    step = np.sqrt(ladder.ahead) * np.sqrt(ladder.behind)  # a product of tiny steps would be zero
    bars = errors / step[:, None] + 4.0 * noise.relative * (np.abs(right) + np.abs(left))
    one_sided = np.asarray(~np.isfinite(central[-4:]).all(axis=0))

    choice = _choose(step, 2, central, 1.1 * bars, CENTRAL_ORDERS)
    choice.error[:] += kink(step, right - left, 6.0 * bars)
    choice.error[one_sided] = np.nan
    sides = choice.value.copy(), choice.value.copy()
    ask = np.flatnonzero(one_sided | ~np.isfinite(choice.error))
    if ask.size:
        for side, distance, slopes in zip(sides, (ladder.behind, ladder.ahead), (left, right), strict=True):
            side_bars = errors[:, ask] / distance[:, None] + 4.0 * (noise.relative * np.abs(slopes))[:, ask]
            found = _choose(distance, 1, slopes[:, ask], 3.0 * side_bars, ONE_SIDED_ORDERS)
            side[ask] = found.value
            use = one_sided[ask] & ~np.isnan(found.error) & ~(found.error >= choice.error[ask])
            choice.put(ask[use], found.of(use))

    above = np.maximum(choice.rung - 2, 0), np.arange(choice.rung.size)
    secants = np.fmax(np.abs(right[above]), np.abs(left[above]))
    size = np.fmax(np.where(np.isfinite(secants), secants, 0.0), np.abs(choice.value))
    error = np.fmax(choice.error, ROUNDINGS * noise.relative * np.abs(choice.value))
    # Where no value differs at all, nothing was extrapolated, and the slope is below one rounding per step.
    constant, longest = unchanging(ladder)
    rounding = 2.0 * noise.relative * np.abs(ladder.centre) + noise.smallest
    choice.value[constant] = 0.0
    error[constant] = (rounding / longest)[constant]
    found_slope = Slope(
        choice.value, error, *sides, size, bars[above], contradicted=choice.contradicted, one_sided=one_sided
    )
    return found_slope, choice.excess


def unchanging(ladder: Ladder) -> tuple[Mask, Array]:
    """Which outputs have the same value wherever they have one, and over which distance at least three times."""
    sides = ((ladder.right, ladder.ahead), (ladder.left, ladder.behind))
    same = np.all([((values == ladder.centre) | np.isnan(values)).all(axis=0) for values, _ in sides], axis=0)
    longest = np.zeros(same.size)
    for values, distance in sides:
        there = ~np.isnan(values)
        third = np.argmax(np.cumsum(there, axis=0) == min(3, len(there)), axis=0)
        seen = there.sum(axis=0) >= min(3, len(there))
        longest = np.where(seen, np.maximum(longest, distance[third]), longest)
    return np.asarray(same & (longest > 0.0)), np.where(longest > 0.0, longest, 1.0)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The chosen estimate of each output; every field has shape (outputs,)."""

    value: Array
    error: Array
    rung: Indices
    contradicted: Mask  # some coarser rung claims, with a small error, another value
    excess: Array  # how many times its bar the worst of the much finer rungs misses the value

    def of(self, outputs: Mask) -> _Choice:
        return _Choice(*(getattr(self, part.name)[outputs] for part in fields(self)))

    def put(self, outputs: Indices, found: _Choice) -> None:
        for part in fields(self):
            getattr(self, part.name)[outputs] = getattr(found, part.name)


def _choose(step: Array, power: int, slopes: Array, bars: Array, orders: int) -> _Choice:
    """Extrapolate, and choose the rung with the smallest error that all finer rungs allow it."""
    values, errors = extrapolate(step, power, slopes, bars, orders)
    totals = agreement(values, errors, bars)
    rung = np.argmin(totals, axis=0)
    column = np.arange(rung.size)
    value, error = values[rung, column], totals[rung, column]
    error[diverges(slopes, bars)] = np.inf
    error[np.isnan(value)] = np.nan
    above = np.arange(step.size)[:, None] < rung
    contradicted = (above & (np.abs(values - value) > errors + error)).any(axis=0)
    far_below = step[:, None] <= step[rung] / 50.0
    excess = np.where(far_below, np.abs(slopes - value) / bars, 0.0).max(axis=0)
    return _Choice(value, error, rung, contradicted, excess)


def extrapolate(step: Array, power: int, slopes: Array, bars: Array, orders: int) -> tuple[Array, Array]:
    """The best estimate of each rung from it and the coarser ones, by Neville's scheme, with its error.

    The error of an estimate is its distance to the two it was made from (as in Ridders' method), which is
    about the error of the worse of *them*, and the noise.  The slope is a polynomial in the ``power`` of the
    step.
    """
    values = slopes.copy()
    errors = np.full_like(slopes, np.inf)
    errors[1:] = np.abs(np.diff(slopes, axis=0)) + bars[1:]
    errors[np.isnan(errors)] = np.inf
    row = slopes
    for order in range(1, min(orders + 1, step.size)):
        coarser, finer = row[:-1], row[1:]
        ratio = (step[:-order] / step[order:]) ** power
        row = finer + (finer - coarser) / (ratio - 1.0)[:, None]
        error = np.maximum(np.abs(row - coarser), np.abs(row - finer)) + bars[order:]
        better = error < errors[order:]
        values[order:][better] = row[better]
        errors[order:][better] = error[better]
    return values, errors


def agreement(values: Array, errors: Array, bars: Array) -> Array:
    """The error of each rung's estimate, enlarged by what all finer rungs say against it.

    A finer rung may differ by its noise; what it differs beyond that counts.  The difference to the next
    finer rung counts in full, because an error bar may be small by accident.
    """
    against = np.zeros_like(values)
    for k in range(1, len(values)):
        difference = np.abs(values[:k] - values[k])
        difference[:-1] -= bars[k]
        difference[np.isnan(difference)] = np.inf
        np.maximum(against[:k], difference, out=against[:k])
    # Nothing finer confirms the last one, and that it agrees with the one before may be an accident.
    against[-1] = np.abs(np.diff(values[-3:], axis=0)).max(axis=0, initial=0.0)
    total = errors + against
    total[np.isnan(total)] = np.inf
    return total


def diverges(slopes: Array, bars: Array) -> Mask:
    """Whether the slopes still change at the end of the ladder, beyond noise and without slowing down."""
    if len(slopes) < 3:
        return np.zeros(slopes.shape[1], dtype=np.bool_)
    change = np.abs(np.diff(slopes[-3:], axis=0))
    loud = change > 3.0 * (bars[-3:-1] + bars[-2:])
    return np.asarray(loud.all(axis=0) & (change[1] >= 0.7 * change[0]))


def kink(step: Array, gap: Array, bars: Array) -> Array:
    """The part of the error that a kink at the point may have: inf where one is seen.

    ``gap`` is the right slope minus the left one, (rungs, outputs).  It is an odd function of the step where
    the function is smooth, so its limit at step zero follows by removing the powers h and h^3; that limit is
    held against zero on every rung, again as far as all finer rungs agree.
    """
    if step.size < 3:
        return np.zeros(gap.shape[1])
    pair = step[:-1] / step[1:]
    limit = gap[1:] + np.diff(gap, axis=0) / (pair - 1.0)[:, None]
    cubic = pair[:-1] * pair[1:] * (step[:-2] + step[1:-1]) / (step[1:-1] + step[2:])
    limit = limit[1:] + np.diff(limit, axis=0) / (cubic - 1.0)[:, None]
    bars = bars[2:]
    distance = np.abs(limit)
    below = np.maximum.accumulate(np.fmax(distance - bars, 0.0)[::-1], axis=0)[::-1]
    bound = np.fmin.reduce(np.maximum(distance, below) + bars, axis=0)
    # A kink is seen where the limit is not zero and stays so from one rung to the next, down to where noise
    # begins.
    seen = distance > 4.0 * bars
    last = np.where(seen, np.arange(len(distance))[:, None], 0).max(axis=0)
    column = np.arange(last.size)
    before = np.maximum(last - 1, 0), column
    now = distance[last, column]
    lasting = (last > 0) & seen[before] & (now >= 0.8 * distance[before])
    return np.where(lasting & (bound >= 0.5 * now), np.inf, bound)


@dataclass(frozen=True, slots=True)
class Sample:
    """Values at some spacing on one side; every field but the first has shape (outputs,)."""

    values: Array  # (places, outputs)
    three: Array  # scatter of the values by differences of order 3, NaN where values are missing or all equal
    five: Array  # the same of order 5
    rounding: Array  # what is known to scatter: rounding, and noise found at smaller spacings

    @property
    def noise(self) -> Array:
        """The standard deviation of what may be noise."""
        return np.minimum(self.three, self.five)

    @property
    def rough(self) -> Mask:
        """Outputs whose values scatter."""
        alike = (self.five >= 0.2 * self.three) & (self.five <= 5.0 * self.three)
        return alike & (self.noise > LOUD * self.rounding)

    @property
    def wave(self) -> Mask:
        """Outputs whose values lie on a curve that bends by more than noise."""
        return (self.five < 0.2 * self.three) & (self.three > 6.0 * self.rounding)

    @property
    def suspicious(self) -> Mask:
        """Outputs whose values are neither constant within rounding nor on a smooth curve."""
        return ~(self.wave | (np.fmax(self.three, self.five) <= LOUD * self.rounding))


def explained(values: Array, nearby: Array, spacing: float, near: float, noise: Array, rounding: Array) -> Mask:
    """Whether slopes at the points explain why the values scatter: the function is rough, not noisy.

    ``nearby`` are the values at the distance ``near`` from the same points.  Kinks and waves that the spacing
    does not resolve are continuous and change the slope from place to place.  The stairs that rounding makes
    have the same slope everywhere, and jump.
    """
    step = nearby - values
    continuous = np.median(np.abs(step), axis=0) <= 0.3 * noise
    low, high = np.quantile(step, (0.3, 0.7), axis=0)  # which a jump in one of them does not move,
    varied = np.minimum(high - low, np.minimum(*scatter(step)))  # nor a slope that changes steadily
    return np.asarray(continuous & (varied > 4.0 * rounding) & (varied / near * spacing >= 0.1 * noise))


def scatter(values: Array) -> tuple[Array, Array]:
    """The standard deviation of noise in values at ``PLACES``, by differences of order 3 and of order 5.

    Differences of a smooth function die out as the order grows, those of noise do not: the two agree only on
    noise (Hamming; Moré and Wild).  Medians, so that a single kink or jump among the points does not count.

    The first value is taken away for the sake of rounding: equal values do not scatter.  Sums run in the same
    order for any number of outputs, which those of a matrix product do not.
    """
    rises = values - values[0]
    by_three, by_five = (
        np.median(np.abs(sum(np.multiply.outer(w, rise) for w, rise in zip(weights.T, rises, strict=True))), axis=0)
        for weights in DIFFERENCES
    )
    return by_three, by_five


def differences(order: int) -> Array:
    """Divided differences of neighbouring places as rows of length 1, (places - order, places)."""
    rows = np.zeros((PLACES.size - order, PLACES.size))
    for first, row in enumerate(rows):
        window = slice(first, first + order + 1)
        distances = PLACES[window, None] - PLACES[window]
        weights = 1.0 / np.prod(distances + np.eye(order + 1), axis=1)
        row[window] = weights / np.linalg.norm(weights)
    return rows


# Where values are compared to find noise, in units of their spacing: not quite equally spaced, because stairs
# whose width divides the spacing would look smooth.
PLACES: Array = np.arange(1.0, 11.0) + 0.6 * (np.arange(1.0, 11.0) * 0.6180339887 % 1.0 - 0.5)
DIFFERENCES = differences(3), differences(5)
