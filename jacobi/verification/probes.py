"""Large problems: random directions instead of every entry, and a search for the entry that is wrong.

A direction ``v`` of random signs shows any single wrong entry in the residual ``C v - df(x + t v)/dt`` of its output,
because nothing in a row cancels one entry.  Two errors of equal size in a row cancel with probability 1/2 in each
direction.  A wrong entry is found by halving the support of ``v``.  Where the function can be traced, the directions
confirm the traced Jacobian instead, and the claim is compared with that one entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.finite_difference import NO_VALUE, SAFETY, measure
from jacobi.finite_difference.ladder import Ladder, Noise, slope
from jacobi.matrix import Jacobian
from jacobi.verification.claims import Claim
from jacobi.verification.decision import ALIKE, COARSE, ROUNDINGS, WIDER
from jacobi.verification.entrywise import unravelled
from jacobi.verification.evidence import Array, Mask
from jacobi.verification.problem import Problem
from jacobi.verification.report import Entry, Report
from jacobi.verification.witnesses import Traced, directional

DIRECTIONS = 3
MORE_DIRECTIONS = 6  # where some of many outputs are not settled by these
CALLS_PER_DIRECTION = 25
RUNGS = tuple(4.0**-k for k in (2, 3, 4, 5, 8, 11))  # powers of two, so that hardly an argument is rounded
FEW_OUTPUTS = 64  # which are measured with care where the rungs do not settle them
MANY_WRONG = 0.01  # part of the outputs that can be wrong without a wrong entry being shown
CAREFUL = 5.0  # how many more bounds an output may be away where there are many outputs
STEPS = (1e-3, 1e-3 / 4)  # of the search, in units of a direction; the error of their extrapolation is of fourth order
COMPARED = 50_000_000  # entries of a claim that are compared with the traced derivative


@dataclass(frozen=True)
class Probe:
    """A random direction and what is known of the derivative along it; the last four are (m,).

    Attributes
    ----------
    direction : array, (n,)
        The direction.
    value, error : arrays
        The numerical derivative along it with its bound.
    claimed : array
        The product of the claim with it.
    tolerance : array
        How far the two may be apart.
    """

    direction: Array
    value: Array
    error: Array
    claimed: Array
    tolerance: Array

    @property
    def wrong(self) -> Mask:
        """The outputs for which the claim is certainly wrong."""
        known = np.isfinite(self.value) & np.isfinite(self.error)
        return known & ~(np.abs(self.claimed - self.value) <= self.tolerance)

    @property
    def correct(self) -> Mask:
        """The outputs for which the claim holds along this direction, within a bound that means something."""
        fine = WIDER * self.error <= COARSE * np.maximum(np.abs(self.value), typical(self.value))
        return np.asarray((np.abs(self.claimed - self.value) <= self.tolerance) & fine)


def typical(values: Array) -> float:
    """The size of most of some numbers."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.median(finite)) if finite.size else 0.0


def directions(problem: Problem, count: int, rng: np.random.Generator) -> list[Array]:
    """Random signs, scaled by powers of two so that every input moves by a part of its own size."""
    x = np.abs(problem.point.x.astype(float).ravel())
    scale = np.maximum(x, 0.3 * np.median(x)) if x.size else x
    scale = np.where(scale > 0, scale, 1.0)
    powers = 2.0 ** np.clip(np.ceil(np.log2(scale)), -1000, 1000)
    return [powers * rng.choice([-1.0, 1.0], scale.size) for _ in range(count)]


def probe(problem: Problem, claim: Claim, direction: Array, rtol: float, noise: Array) -> Probe:
    """The claim and the numerical derivative along a direction."""
    along = directional(problem.f, problem.args, problem.argnum, problem.point.x, direction)
    claimed = claim.times(direction)
    value, error = slopes_along(problem, along, claimed, noise)
    unit = max(claim.unit, problem.point.argument_unit)
    rounding = ROUNDINGS / 4 * unit * claim.sizes(direction)
    wider = WIDER * (CAREFUL if value.size > FEW_OUTPUTS else 1.0)
    return Probe(direction, value, error, claimed, wider * error + rounding + np.maximum(ALIKE, rtol) * np.abs(value))


def slopes_along(problem: Problem, along: Callable[[Any], Any], claimed: Array, noise: Array) -> tuple[Array, Array]:
    """The numerical derivative of all outputs along a line, with its bound, from a dozen calls.

    A few outputs that these do not settle, and that do not agree with the claim either, are measured with care.
    """
    point = problem.point
    steps = np.array(RUNGS)
    right, left = (np.array([values_along(problem, along, sign * step) for step in steps]) for sign in (1.0, -1.0))
    same = np.ones(point.y.size)
    found = slope(
        Ladder(steps, steps, right, left, point.y), Noise(noise, point.unit * same, 0.0 * same, point.smallest)
    )
    value, error = found.value, SAFETY * found.error
    agreed = (np.abs(claimed - value) <= WIDER * error) & (WIDER * error <= COARSE * np.abs(value))
    if point.y.size <= FEW_OUTPUTS and not (found.settled | agreed).all():
        with_care = measure(lambda t: values_along(problem, along, t), (0.0,))
        return with_care.value[:, 0], with_care.error[:, 0]
    return value, error


def values_along(problem: Problem, along: Callable[[Any], Any], t: float) -> Array:
    """The values at a place on the line; NaN where there are none."""
    try:
        return np.ravel(np.asarray(along(t), float))
    except NO_VALUE:
        return np.full(problem.point.y.size, np.nan)


def compare_directions(
    problem: Problem, claim: Claim, tracing: Traced | str, rtol: float, budget: int, rng: np.random.Generator
) -> Report:
    """The report on a claim that is too large for a comparison of every entry."""
    count = max(1, min(DIRECTIONS, (budget - problem.f.calls) // CALLS_PER_DIRECTION))
    noise = problem.point.noise()
    if isinstance(tracing, Traced):
        report = compare_with_traced(problem, claim, tracing, rtol, directions(problem, count, rng), noise)
        if report is not None:
            return report
    probes = [probe(problem, claim, direction, rtol, noise) for direction in directions(problem, count, rng)]
    suspect, correct = outcomes(probes)
    worst = locate(problem, claim, next(p for p in probes if p.wrong.any()), budget, noise) if suspect.any() else ()
    while not worst and suspect.size > FEW_OUTPUTS and not (correct | suspect).all():
        if len(probes) == DIRECTIONS + MORE_DIRECTIONS or problem.f.calls + CALLS_PER_DIRECTION > budget:
            break
        probes.append(probe(problem, claim, directions(problem, 1, rng)[0], rtol, noise))
        suspect, correct = outcomes(probes)
    count = len(probes)
    notes = list(problem.notes)
    if worst or (suspect.size <= FEW_OUTPUTS and suspect.any()) or suspect.mean() > MANY_WRONG:
        verdict = "wrong"
    else:
        verdict = "correct" if correct.all() else "undecidable"
        if not correct.all():
            notes.append(f"{int((~correct).sum())} of {correct.size} outputs could not be decided along any direction")
    if isinstance(tracing, str):
        notes.append(f"the function could not be traced: {tracing.splitlines()[0]}")
    error, tolerance, resolution = extremes(probes)
    factor = common_factor(probes) if verdict == "wrong" else None
    return Report(
        verdict=verdict,
        reason=reason_along(probes) if verdict == "undecidable" else "",
        explanation="" if factor is None else f"along every direction the claim is {factor:.6g} times the derivative",
        max_error=error,
        tolerance=tolerance,
        resolution=resolution,
        worst=worst,
        method=f"{count} random directions, against the numerical derivative",
        missed=(
            f"errors that cancel each other along {count} random directions: two equal ones in a row with probability "
            f"1/{2**count}"
        ),
        notes=tuple(notes),
    )


def outcomes(probes: list[Probe]) -> tuple[Mask, Mask]:
    """The outputs that look wrong along some direction, and those that are right along one and wrong along none."""
    suspect = np.any([p.wrong for p in probes], axis=0)
    return np.asarray(suspect), np.asarray(np.any([p.correct for p in probes], axis=0) & ~suspect)


def extremes(probes: list[Probe]) -> tuple[float, float, float]:
    """The largest error along a direction, what was allowed there, and the resolution."""
    gaps = np.array([np.abs(p.claimed - p.value) for p in probes])
    ratios = np.array([p.tolerance / np.maximum(np.abs(p.value), typical(p.value)) for p in probes])
    resolution = np.min(np.where(np.isfinite(ratios), ratios, np.inf), axis=0)
    resolution = float(resolution[np.isfinite(resolution)].max(initial=0.0))
    if not np.isfinite(gaps).any():
        return np.nan, np.nan, resolution
    k = np.unravel_index(np.nanargmax(np.where(np.isfinite(gaps), gaps, np.nan)), gaps.shape)
    return float(gaps[k]), float(probes[k[0]].tolerance[k[1]]), resolution


def reason_along(probes: list[Probe]) -> str:
    """Why random directions decide nothing."""
    errors = np.array([p.error for p in probes])
    if np.isnan(errors).any():
        return "no value"
    return "kink" if np.isinf(errors).any() and errors.shape[1] <= FEW_OUTPUTS else "precision"


def common_factor(probes: list[Probe]) -> float | None:
    """The constant by which the claim is off along all directions, if there is one."""
    value = np.concatenate([p.value for p in probes])
    claimed = np.concatenate([p.claimed for p in probes])
    tolerance = np.concatenate([p.tolerance for p in probes])
    known = np.isfinite(value) & np.isfinite(tolerance)
    if not known.any() or not (value[known] ** 2).sum() > 0:
        return None
    factor = float((claimed[known] * value[known]).sum() / (value[known] ** 2).sum())
    fits = np.abs(claimed - factor * value)[known] <= (1 + abs(factor)) * tolerance[known]
    return factor if factor and fits.all() and known.sum() > 1 else None


def compare_with_traced(
    problem: Problem, claim: Claim, tracing: Traced, rtol: float, lines: list[Array], noise: Array
) -> Report | None:
    """The claim against the traced Jacobian, entry by entry, after random directions have confirmed that one."""
    J = tracing.jacobian
    if claim.form == "operator" or (claim.form == "dense" and claim.shape[0] * claim.shape[1] > COMPARED):
        return None
    right = Claim(claim.shape, "structured", None, problem.point.unit, J)
    seen = [probe(problem, right, direction, 0.0, noise) for direction in lines]
    confirmed = outcomes(seen)[1]
    if not confirmed.mean() >= 1 - MANY_WRONG * (confirmed.size > FEW_OUTPUTS):
        return None
    bound = extremes(seen)[2]
    count = len(lines)
    rows, columns, numbers, gaps, allowed, reference, sizes = differences(claim, J, rtol)
    wrong = ~(gaps <= allowed)
    notes = list(problem.notes)
    if wrong.any() and J.kinks:
        return None
    worst = []
    for k in np.argsort(-np.where(np.isnan(gaps), np.inf, gaps / np.maximum(sizes, 1e-300)), kind="stable")[:5]:
        if wrong[k]:
            i, j = int(rows[k]), int(columns[k])
            worst.append(
                Entry(
                    unravelled(i, problem.out_shape),
                    unravelled(j, problem.in_shape),
                    float(numbers[k]),
                    float(reference[k]),
                    float(allowed[k]),
                    "wrong",
                )
            )
    finite = gaps[~np.isnan(gaps)]
    return Report(
        verdict="wrong" if wrong.any() else "correct",
        max_error=float(finite.max(initial=0.0)),
        tolerance=float(allowed[np.nanargmax(gaps)]) if finite.size else 0.0,
        resolution=max(ALIKE, rtol),
        worst=tuple(worst),
        notes=tuple(notes),
        method=f"every entry, against the traced derivative, which {count} random directions confirmed to {bound:.1g}",
        missed=f"errors of the traced derivative that cancel each other along {count} random directions",
    )


def differences(claim: Claim, J: Jacobian, rtol: float) -> Any:
    """Every entry at which the claim or the derivative is not zero: row, column, claim, gap, tolerance, value, size."""
    from scipy.sparse import coo_array, csr_array

    right = csr_array(J.tocsr()).astype(float)
    if claim.form == "dense":
        numbers, reference = claim.dense().ravel(), right.toarray().ravel()
        rows, columns = np.divmod(np.arange(numbers.size), claim.shape[1])
        gaps = np.abs(numbers - reference)
    else:
        claimed = claim.sparse()
        apart = coo_array(claimed - right)
        rows, columns, gaps = apart.row, apart.col, np.abs(apart.data)
        reference, numbers = (np.asarray(matrix[rows, columns]).ravel() for matrix in (right, claimed))
    largest = abs(right)
    row_size = np.asarray(largest.max(axis=1).toarray()).ravel()
    column_size = np.asarray(largest.max(axis=0).toarray()).ravel()
    sizes = np.minimum(row_size[rows], column_size[columns])
    unit = max(claim.unit, float(np.finfo(J.dtype).eps))
    allowed = np.maximum(ALIKE, rtol) * np.abs(reference) + ROUNDINGS * unit * np.maximum(np.abs(numbers), sizes)
    return rows, columns, numbers, gaps, allowed, reference, sizes


def locate(problem: Problem, claim: Claim, failed: Probe, budget: int, noise: Array) -> tuple[Entry, ...]:
    """The wrong entry, measured alone; nothing if it was not found or turns out to be right."""
    place = claim.not_a_number() or bisected(problem, claim, failed, budget)
    if place is None:
        return ()
    i, j = place
    alone = np.zeros_like(failed.direction)
    alone[j] = failed.direction[j]
    product = claim.times(alone)
    along = directional(problem.f, problem.args, problem.argnum, problem.point.x, alone)
    claimed, value, error = (
        float(numbers[i] / alone[j]) for numbers in (product, *slopes_along(problem, along, product, noise))
    )
    if not np.isfinite(error) or abs(claimed - value) <= WIDER * abs(error):
        return ()
    where = unravelled(i, problem.out_shape), unravelled(j, problem.in_shape)
    return (Entry(*where, claimed, value, abs(error), "wrong"),)


def bisected(problem: Problem, claim: Claim, failed: Probe, budget: int) -> tuple[int, int] | None:
    """The row that is furthest off and a column in which it is, by halving the direction along which that was seen."""
    gap = np.where(failed.wrong, np.abs(failed.claimed - failed.value), -1.0)
    i = int(np.argmax(gap))
    support = np.arange(failed.direction.size)
    remaining = float(failed.claimed[i] - failed.value[i])
    while support.size > 1:
        if problem.f.calls + 2 * len(STEPS) > budget:
            return None
        half = support[: support.size // 2]
        residual = residual_along(problem, claim, failed.direction, half, i)
        rest = remaining - residual
        support, remaining = (half, residual) if abs(residual) >= abs(rest) else (support[support.size // 2 :], rest)
    return i, int(support[0])


def residual_along(problem: Problem, claim: Claim, direction: Array, support: Any, i: int) -> float:
    """What the claim is off by along a part of a direction, for one output: four calls."""
    part = np.zeros_like(direction)
    part[support] = direction[support]
    along = directional(problem.f, problem.args, problem.argnum, problem.point.x, part)
    coarse, fine = (
        (values_along(problem, along, step)[i] - values_along(problem, along, -step)[i]) / (2 * step) for step in STEPS
    )
    slope = fine + (fine - coarse) / ((STEPS[0] / STEPS[1]) ** 2 - 1)
    return float(claim.times(part)[i] - slope)
