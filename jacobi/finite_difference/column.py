"""One column of a numerical Jacobian: the steps that it takes, and whether what they show is noise or the function."""

from __future__ import annotations

from math import log

import numpy as np

from jacobi.finite_difference.ladder import (
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
from jacobi.finite_difference.point import Point

FACTOR = 4.0  # between neighbouring rungs
TOP = 0.4112  # largest step, in units of max(|x|, 1); no simple fraction, so that hardly a period matches it
SPACINGS = 64.0  # smallest step, in units of the spacing of floating point numbers around x
SMALLEST = 1e-300  # step of all
STRIDE = 3  # rungs from one spacing to the next in the scan for noise
GROWTH = 1e5  # how much more a smooth function may scatter at the next rung's spacing; 64 is the rule
EXPECTED = 1e-6  # relative difference from an expected slope, and error bound, that confirm one
SAFETY = 2.0  # what estimates of errors are multiplied with to make a bound
OUTPUTS_AT_ONCE = 4096  # tables of so many outputs fit into the caches


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
