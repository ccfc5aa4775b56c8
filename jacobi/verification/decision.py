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
COARSE, COARSE_SIZE = 1e-3, 1e-5  # a bound wider than this, of the entry and of its natural size, decides nothing
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
    absolute = np.where(np.isfinite(matrix), np.abs(matrix), 0.0)
    if not absolute.size:
        return absolute
    return np.minimum(absolute.max(axis=1, keepdims=True), absolute.max(axis=0, keepdims=True))


def decide(
    claimed: Array,
    unit: float,
    value: Array,
    error: Array,
    sides: tuple[Array, Array],
    traced: Array | None,
    rtol: float,
    floor: Array,
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
    floor : array, (m, n)
        A size below which a derivative is that of a constant: the value of the function over the size of its argument,
        times a small number.
    noise : array, (m, 1)
        The relative noise of the values of the function, of which the traced derivative has its share.
    """
    with np.errstate(all="ignore"):
        known = np.isfinite(value) & np.isfinite(error)
        reference = np.where(known, value, np.nan)
        size = natural_size(reference if traced is None else np.where(known, reference, traced))
        tolerance = WIDER * error + ROUNDINGS * unit * np.maximum(np.abs(claimed), size)
        alike = np.maximum(ALIKE, rtol) * np.abs(reference)
        gap = np.abs(claimed - reference)
        near = gap <= np.maximum(tolerance, alike)
        blurred = np.minimum(COARSER * noise, COARSEST)
        fine = error <= np.maximum(
            np.maximum(np.maximum(COARSE, rtol), blurred) * np.abs(reference),
            np.maximum(COARSE_SIZE, blurred) * np.maximum(size, floor),
        )
        wrong = known & ~near
        correct = known & near & fine
        conflict = np.zeros_like(known)
        if traced is not None:
            told = np.isfinite(traced)
            apart = np.abs(traced - value)
            conflict = known & told & ~(apart <= np.maximum(tolerance_of(traced, error, size), ALIKE * np.abs(traced)))
            silent = told & ~conflict & ~correct & (~known | near) & np.isnan(sides[0])
            off = np.abs(claimed - traced)
            share = np.maximum(max(ALIKE, rtol), 10.0 * noise)
            equal = share * np.abs(traced) + ROUNDINGS * unit * np.maximum(np.abs(claimed), size)
            same = off <= equal
            tolerance = np.where(silent & same, equal, tolerance)
            correct |= silent & same
            clearly = np.maximum(np.maximum(CLEARLY, rtol), share) * np.maximum(np.abs(traced), np.abs(claimed))
            wrong |= silent & ~(off <= clearly + 1e-8 * size)
            exact = told & ~conflict
            reference = np.where(exact, traced, reference)
            size = natural_size(reference)
        correct &= ~conflict
        wrong &= ~conflict
        low, high = np.fmin(*sides), np.fmax(*sides)
        slack = 1e-3 * (high - low) + np.maximum(ALIKE, rtol) * np.maximum(np.abs(low), np.abs(high))
        at_kink = ~known & np.isfinite(low) & np.isfinite(high)
        wrong |= at_kink & ~((claimed >= low - slack) & (claimed <= high + slack))
        correct &= ~at_kink
        tolerance = np.maximum(tolerance, alike)
    return Decision(wrong, correct, conflict, reference, tolerance, size)


def tolerance_of(traced: Array, error: Array, size: Array) -> Any:
    """How far the traced derivative may be from the numerical one."""
    return WIDER * error + ROUNDINGS * float(np.finfo(float).eps) * np.maximum(np.abs(traced), size)
