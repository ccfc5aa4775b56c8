"""The comparison of every entry: numerical derivative, traced derivative and claim side by side."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from jacobi.finite_difference import NumericalJacobian, measure_at
from jacobi.verification.claims import Claim
from jacobi.verification.decision import COARSE, DOUBLE, ROUNDINGS, Decision, decide
from jacobi.verification.evidence import Array
from jacobi.verification.problem import Problem
from jacobi.verification.report import Entry, Report
from jacobi.verification.witnesses import KINDS, Traced, kinds_of_limits

NOTHING = 1e-280  # a size to which nothing can be relative
SHOWN = 5  # entries in a report
SINGLE = float(np.finfo(np.float32).eps)


def compare_entries(problem: Problem, claim: Claim, tracing: Traced | str, rtol: float) -> tuple[Report, Decision]:
    """The report on all entries, without a diagnosis."""
    notes = list(problem.notes)
    claimed = claim.dense()
    expected = [claimed] if isinstance(tracing, str) else [claimed, tracing.jacobian.toarray()]
    found = measure_at(problem.point, expected, problem.spread)
    kinds = limits(problem, found)
    sides = slopes_at_kinks(found, kinds)
    witness = trusted(tracing, problem, found, kinds, notes)
    single = in_single_precision(problem)
    noise = relative_noise(problem, found, single)
    decision = decide(claimed, claim.unit, found.value, found.error, sides, witness, rtol, problem.secant, noise)
    notes += ["the function computes in single precision (float32) inside"] * single
    notes += remarks(problem, found, tracing, witness, decision, sides)
    verdict = verdict_of(decision)
    verdicts = np.where(decision.wrong, "wrong", np.where(decision.correct, "correct", "undecidable"))
    worst = worst_entries(problem, claimed, found, decision, sides, verdicts)
    error, tolerance = largest_error(claimed, decision)
    report = Report(
        verdict=verdict,
        reason=reason_of(decision, found, kinds) if verdict == "undecidable" else "",
        max_error=error,
        tolerance=tolerance,
        resolution=resolution_of(decision, problem.secant),
        worst=worst,
        reference=decision.reference,
        claimed=claimed,
        error=found.error,
        verdicts=verdicts,
        method=f"every entry, against the numerical derivative{' and the traced one' if witness is not None else ''}",
        notes=tuple(notes),
    )
    return report, decision


def limits(problem: Problem, found: NumericalJacobian) -> Any:
    """Why entries have no slope, as numbers in `KINDS`, (m, n); -1 where they have one or no value."""
    kinds = np.full(found.value.shape, -1)
    unsettled = np.isinf(found.error)
    for j in np.flatnonzero(unsettled.any(axis=0)):
        with np.errstate(all="ignore"):
            kinds[:, j] = np.where(unsettled[:, j], kinds_of_limits(problem.point, int(j)), -1)
    return kinds


def slopes_at_kinks(found: NumericalJacobian, kinds: Any) -> tuple[Array, Array]:
    """The slopes on both sides of the entries that stand at a kink, NaN elsewhere.

    Where the two are equal, or one of them is unknown, no kink was seen after all.
    """
    left, right = np.full((2, *found.value.shape), np.nan)
    for place, sides in found.sides.items():
        if kinds[place] == KINDS.index("kink"):
            if abs(sides[1] - sides[0]) > COARSE * max(map(abs, sides)):
                left[place], right[place] = sides
            else:
                kinds[place] = KINDS.index("precision")
    return left, right


def trusted(tracing: Traced | str, problem: Problem, found: NumericalJacobian, kinds: Any, notes: list[str]) -> Any:
    """The entries of the traced Jacobian that may bear witness; NaN where it follows a convention instead."""
    if isinstance(tracing, str):
        return None
    y = problem.point.y.reshape(problem.out_shape)
    scale = np.maximum(np.abs(tracing.value), np.abs(y))
    finite = np.isfinite(scale)
    rounding = ROUNDINGS * DOUBLE * np.max(scale, where=finite, initial=0.0)  # of what cancels to zero
    if (~(np.abs(tracing.value - y) <= 1e-5 * scale + rounding) & finite).any():
        notes.append("the traced function has other values than the function called; its derivative was not used")
        return None
    traced = tracing.jacobian.toarray().astype(float)
    traced[kinds > 0] = np.nan
    traced[~np.isfinite(problem.point.y)] = np.nan
    if tracing.jacobian.kinks:  # a convention holds somewhere on the way: only numbers can confirm it
        with np.errstate(all="ignore"):
            traced[~(np.abs(traced - found.value) <= 5 * found.error + 1e-7 * np.abs(traced))] = np.nan
    return traced


def verdict_of(decision: Decision) -> str:
    """The verdict in total: one wrong entry is enough."""
    if decision.wrong.any():
        return "wrong"
    return "correct" if decision.correct.all() else "undecidable"


def reason_of(decision: Decision, found: NumericalJacobian, kinds: Any) -> str:
    """Why entries are undecidable: the most frequent reason."""
    open_entries = ~(decision.wrong | decision.correct)
    reasons = Counter[str]()
    reasons["witnesses disagree"] = int(decision.conflict.sum())
    rest = open_entries & ~decision.conflict
    reasons["no value"] = int((rest & np.isnan(found.error)).sum())
    for number, name in enumerate(KINDS):
        reasons[name] += int((rest & (kinds == number)).sum())
    finite = rest & np.isfinite(found.error)
    noisy = found.noise[:, None] > 1e-10 * np.abs(found.value).max(initial=0.0)
    reasons["noise"] = int((finite & noisy).sum())
    reasons["precision"] += int((finite & ~noisy).sum())
    order = ("witnesses disagree", "kink", "jump", "diverging slope", "no value", "noise", "precision")
    return max(order, key=lambda name: reasons[name])


def resolution_of(decision: Decision, secant: Array) -> float:
    """The smallest error that would have been seen in every decided entry.

    It is relative to the entry, and for one that is zero to its natural size: that of its row and column, or of the
    secant from zero.
    """
    zero = np.abs(decision.reference) <= decision.tolerance
    size = np.maximum(np.abs(decision.reference), np.where(zero, np.maximum(decision.size, secant), decision.size))
    usable = (decision.correct | decision.wrong) & (size > NOTHING) & np.isfinite(decision.tolerance)
    usable &= ~np.isnan(decision.reference)  # at a kink there is an interval, and no derivative to compare with
    return float((decision.tolerance[usable] / size[usable]).max(initial=0.0)) if usable.any() else np.nan


def largest_error(claimed: Array, decision: Decision) -> tuple[float, float]:
    """The largest difference between the claim and the established derivative, and what was allowed there."""
    with np.errstate(all="ignore"):
        gap = np.abs(claimed - decision.reference)
    decided = (decision.wrong | decision.correct) & ~np.isnan(gap)
    if not decided.any():
        return np.nan, np.nan
    k = int(np.argmax(np.where(decided, gap, -1.0)))
    return float(gap.flat[k]), float(decision.tolerance.flat[k])


def worst_entries(
    problem: Problem, claimed: Array, found: NumericalJacobian, decision: Decision, sides: Any, verdicts: Any
) -> tuple[Entry, ...]:
    """At most five entries that speak against the claim, or that cannot be decided."""
    with np.errstate(all="ignore"):
        gap = np.abs(claimed - decision.reference) / np.maximum(decision.size, 1e-300)
    wrongness = np.where(np.isnan(gap), np.inf, gap) + 1e300
    badness = np.where(decision.wrong, wrongness, np.where(decision.correct, -1.0, 0.0))
    order = np.argsort(-badness, axis=None, kind="stable")[:SHOWN]
    entries = []
    for k in order:
        i, j = divmod(int(k), claimed.shape[1])
        if badness[i, j] < 0:
            break
        entries.append(
            Entry(
                output=unravelled(i, problem.out_shape),
                input=unravelled(j, problem.in_shape),
                claimed=float(claimed[i, j]),
                reference=float(decision.reference[i, j]),
                error=float(found.error[i, j]),
                verdict=str(verdicts[i, j]),
                left=float(sides[0][i, j]),
                right=float(sides[1][i, j]),
            )
        )
    return tuple(entries)


def unravelled(k: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of an entry in an array."""
    return tuple(int(i) for i in np.unravel_index(k, shape)) if shape else ()


def in_single_precision(problem: Problem) -> bool:
    """Whether a function of float64 arrays has values of single precision, with more digits than simple fractions."""
    y = problem.point.y
    with np.errstate(all="ignore"):
        single = (y.astype(np.float32) == y).all() and (np.frexp(y)[0] % 2.0**-11 > 0).any()
    return bool(y.size and single and problem.point.unit < SINGLE)


def relative_noise(problem: Problem, found: NumericalJacobian, single: bool) -> Array:
    """The noise of the values relative to their size, (m, 1); at least a rounding."""
    unit = SINGLE if single else problem.point.unit
    with np.errstate(all="ignore"):
        noise = found.noise / np.abs(problem.point.y)
    return np.maximum(np.where(np.isfinite(noise), noise, 0.0), unit)[:, None]


def remarks(
    problem: Problem,
    found: NumericalJacobian,
    tracing: Traced | str,
    witness: Array | None,
    decision: Decision,
    sides: Any,
) -> list[str]:
    """What else was seen on the way."""
    notes = []
    y = problem.point.y
    if found.one_sided.any():
        count = int(found.one_sided.sum())
        notes.append(f"{count} entries are one-sided slopes: the function has values on one side only")
    if not np.isfinite(y).all():
        notes.append(f"{int((~np.isfinite(y)).sum())} values of the function are not finite")
    if witness is not None and decision.conflict.any():
        i, j = (int(k) for k in np.argwhere(decision.conflict)[0])
        notes.append(
            f"the traced derivative {witness[i, j]:.6g} and the numerical one {found.value[i, j]:.6g} of entry "
            f"{[i, j]} disagree: neither is trusted; does the function have effects that tracing cannot see?"
        )
    if isinstance(tracing, Traced):
        notes += [str(kink) for kink in tracing.jacobian.kinks[:3]]
        at_kink = np.isfinite(sides[0])
        if at_kink.any():
            notes.append(kink_note(at_kink, tracing, sides))
    return notes


def kink_note(at_kink: Any, tracing: Traced, sides: Any) -> str:
    """What the slopes at the first kink are, and what the convention of the library gives there."""
    i, j = (int(k) for k in np.argwhere(at_kink)[0])
    convention = float(tracing.jacobian.toarray()[i, j]) + 0.0  # no minus in front of a zero
    count = int(at_kink.sum())
    return (
        f"{count} {'entry stands' if count == 1 else 'entries stand'} at a kink; entry {[i, j]} has the slopes "
        f"{sides[0][i, j]:.6g} and {sides[1][i, j]:.6g}, and the convention of this library gives {convention:.6g}"
    )
