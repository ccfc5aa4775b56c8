"""The decision: every entry of a claim against the witnesses, and what may be said of it.

An entry is wrong if it lies outside the bound of the numerical derivative by more than rounding, and correct if it
lies inside a bound that is small against the natural size of the entry: the smaller of the largest entry of its row and
that of its column.  Where the bound is too wide to tell, the traced derivative decides, if the numerical one does not
contradict it.  A comparison with NaN never makes an entry correct.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.verification.evidence import Array, Mask

WIDER = 2.0  # how many bounds of the numerical derivative a right claim may be away
ALIKE = 1e-7  # relative difference that is no error of a formula
ROUNDINGS = 64.0  # roundings that a claim may have made
DOUBLE = float(np.finfo(float).eps)
COARSE, COARSE_SIZE = 1e-3, 1e-5  # a bound wider than this, of the entry and of its natural size, decides nothing
CONSTANT = 1e-5  # a derivative below this part of |f(x)| / |x| is that of a constant
COARSER, COARSEST = 1e4, 1e-2  # ... or than so many times the relative noise of the values, up to a limit
CLEARLY = 1e-4  # relative difference from the traced derivative that is an error where numbers cannot tell


@dataclass(frozen=True)
class Decision:
    """The verdicts on all entries of a claim; every field is (m, n).

    Attributes
    ----------
    wrong, correct : bool array
        What is certain; the rest is undecidable.
    conflict : bool array
        Where the traced and the numerical derivative contradict each other.
    reference : array
        The established derivative; NaN where there is none.
    tolerance : array
        How far a claim may be from it.
    size : array
        The natural size of the entry.
    """

    wrong: Mask
    correct: Mask
    conflict: Mask
    reference: Array
    tolerance: Array
    size: Array


def natural_size(matrix: Array) -> Any:
    """The smaller of the largest entry of the row and the largest of the column, finite ones only."""
    return np.minimum(*largest(matrix))


def rounding_size(matrix: Array, secant: Array) -> Any:
    """What roundings are relative to: the natural size.

    In a row or a column of exact zeros it is the larger of the two, and where both are zero the secant: what cancels
    in the derivative may leave a few roundings in a claim, as the imaginary part of a Fourier transform does.
    """
    rows, columns = largest(matrix)
    larger = np.maximum(rows, columns)
    return np.where((rows > 0) & (columns > 0), np.minimum(rows, columns), np.where(larger > 0, larger, secant))


def largest(matrix: Array) -> tuple[Any, Any]:
    """The largest entry of every row, (m, 1), and of every column, (1, n)."""
    absolute = np.where(np.isfinite(matrix), np.abs(matrix), 0.0)
    return absolute.max(axis=1, keepdims=True, initial=0.0), absolute.max(axis=0, keepdims=True, initial=0.0)


def decide(
    claimed: Array,
    unit: float,
    value: Array,
    error: Array,
    sides: tuple[Array, Array],
    traced: Array | None,
    rtol: float,
    secant: Array,
    noise: Array,
) -> Decision:
    """Compare every entry.

    Parameters
    ----------
    claimed : array, (m, n)
        The claim.
    unit : float
        The relative rounding error of its numbers.
    value, error : arrays, (m, n)
        The numerical derivative and its bound: inf at kinks and the like, NaN where there are no values.
    sides : pair of arrays, (m, n)
        The slopes on both sides where they meet at a kink, else NaN.
    traced : array, (m, n), or None
        The traced derivative; NaN where it stands at a kink.
    rtol : float
        A relative difference that the user allows.
    secant : array, (m, n)
        The value of the function over the size of its argument.  It stands in for the natural size where that is
        zero, or where a claim is zero and nothing is traced.
    noise : array, (m, 1)
        The relative noise of the values of the function, of which the traced derivative has its share.
    """
    with np.errstate(all="ignore"):
        known = np.isfinite(value) & np.isfinite(error)
        reference = np.where(known, value, np.nan)
        told = np.zeros_like(known) if traced is None else np.isfinite(traced)
        best = reference if traced is None else np.where(told, traced, reference)
        size, rounding = natural_size(best), ROUNDINGS * rounding_size(best, secant)
        claimed_size = np.where(np.isfinite(claimed), np.abs(claimed), 0.0)  # inf must not widen its own tolerance
        tolerance = WIDER * error + unit * np.maximum(ROUNDINGS * claimed_size, rounding)
        alike = np.maximum(ALIKE, rtol) * np.abs(reference)
        vanishing = ROUNDINGS * DOUBLE * secant  # below this, a derivative is lost in rounding
        lost = np.where(reference == 0, vanishing, 0.0)
        gap = np.abs(claimed - reference)
        near = gap <= np.maximum(np.maximum(tolerance, alike), lost)
        blurred = np.minimum(COARSER * noise, COARSEST)
        secant = np.where((np.abs(claimed) <= ROUNDINGS * unit * secant) & ~told, secant, 0.0)
        flat = (reference == 0) & (error <= COARSE * secant)  # not a bit of the values ever changed
        fine = error <= np.maximum(
            np.maximum(np.maximum(COARSE, rtol), blurred) * np.abs(reference),
            np.maximum(COARSE_SIZE, blurred) * np.maximum(size, CONSTANT * secant),
        )
        wrong = known & ~near
        correct = known & near & (fine | flat)
        conflict = np.zeros_like(known)
        if traced is not None:
            apart = np.abs(traced - value)
            own = WIDER * error + DOUBLE * np.maximum(ROUNDINGS * np.abs(traced), rounding)
            conflict = known & told & ~(apart <= np.maximum(np.maximum(own, ALIKE * np.abs(traced)), lost))
            silent = told & ~conflict & ~correct & (~known | near) & np.isnan(sides[0])
            off = np.abs(claimed - traced)
            share = np.maximum(max(ALIKE, rtol), np.minimum(10.0 * noise, CLEARLY))
            equal = share * np.abs(traced) + unit * np.maximum(ROUNDINGS * claimed_size, rounding)
            same = (off <= equal) | ((claimed == 0) & (np.abs(traced) <= vanishing))
            tolerance = np.where(silent & same, equal, tolerance)
            correct |= silent & same
            clearly = max(CLEARLY, rtol) * np.maximum(np.abs(traced), claimed_size)
            wrong |= silent & ~same & ~(off <= np.maximum(clearly + 1e-8 * size, vanishing))
            exact = told & ~conflict
            reference = np.where(exact, traced, reference)
            size = natural_size(reference)
        correct &= ~conflict
        wrong &= ~conflict
        low, high = np.fmin(*sides), np.fmax(*sides)
        slack = 1e-3 * (high - low) + max(ALIKE, rtol) * np.maximum(np.abs(low), np.abs(high))
        slack += COARSE_SIZE * size
        at_kink = ~known & np.isfinite(low) & np.isfinite(high)
        wrong |= at_kink & ~((claimed >= low - slack) & (claimed <= high + slack))
        correct &= ~at_kink
        tolerance = np.maximum(tolerance, alike)
    return Decision(wrong, correct, conflict, reference, tolerance, size)
