"""Other points and sizes: a claim can be right at one point only, and some points cannot tell it from a slip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacobi.errors import InputError, at_users_line
from jacobi.finite_difference import fresh
from jacobi.notation.shapes import letters_in, numbers_of
from jacobi.verification.claims import UnfitClaim, call, read
from jacobi.verification.problem import Problem
from jacobi.verification.report import Report
from jacobi.verification.sampling import in_order, sampled
from jacobi.verification.witnesses import NOT_COMPARED, Traced, traced

Compare = Callable[[Sequence[tuple[Any, ...]]], list[Report]]  # at several points

TRIES = 8  # how often a point is drawn anew, closer each time, where the function has no values
RADIUS = 0.5  # of the box that points are drawn from, in units of max(|x|, 1)
SIZES = ((2, 3, 5, 7, 4, 6), (3, 1, 4, 2, 6, 5), (1, 4, 2, 5, 3, 7))  # of the dimensions that are letters, by the round


def others(points: Any, args: tuple[Any, ...], argnum: int, usable: Callable[[Any], bool], seed: int) -> list[Any]:
    """Other points: drawn around the given one, listed, or drawn by the user's generator."""
    rng = np.random.default_rng(seed)
    if isinstance(points, (int, np.integer)) and not isinstance(points, bool):
        return [nearby(args, argnum, usable, rng) for _ in range(points)]
    if callable(points):
        return [as_arguments(points(rng), len(args)) for _ in range(3)]
    if isinstance(points, Sequence) and not isinstance(points, str):
        return [as_arguments(point, len(args)) for point in points]
    raise InputError(
        at_users_line(
            f"points={points!r} is no number of points, list of points or function of a generator",
            "Write points=5, points=[(x1, y1), (x2, y2)] or points=lambda rng: (rng.normal(size=3),).",
        )
    )


def as_arguments(point: Any, count: int) -> tuple[Any, ...]:
    """The arguments at a point; a single argument need not be wrapped."""
    arguments = point if isinstance(point, tuple) else (point,)
    if len(arguments) != count:
        raise InputError(
            at_users_line(f"a point has {len(arguments)} arguments, and the given one {count}", "Give all arguments.")
        )
    return arguments


def nearby(args: tuple[Any, ...], argnum: int, usable: Callable[[Any], bool], rng: np.random.Generator) -> Any:
    """The arguments with the differentiated one moved at random, as far as the function has values."""
    x = np.asarray(args[argnum])
    if x.dtype.kind != "f":
        x = x.astype(float)
    found = args
    for attempt in range(TRIES):
        radius = RADIUS * 4.0**-attempt * np.maximum(np.abs(x), 1.0)
        moved = (x + radius * rng.uniform(-1.0, 1.0, x.shape)).astype(x.dtype)
        found = (*args[:argnum], moved if isinstance(args[argnum], np.ndarray) else moved[()], *args[argnum + 1 :])
        if usable(found):
            break
    return found


def finite_there(f: Callable[..., Any]) -> Callable[[Any], bool]:
    """A test whether a function has finite values."""

    def usable(arguments: Any) -> bool:
        try:
            with np.errstate(all="ignore"):
                return bool(np.isfinite(np.asarray(f(*(fresh(a) for a in arguments)), float)).all())
        except Exception:  # outside its domain a function may do anything
            return False

    return usable


def over_points(first: Report, others: Sequence[Report]) -> Report:
    """The report at the given point, with those at others; the first wrong one decides."""
    reports = tuple(others)
    wrong = next((k for k, report in enumerate(reports) if report.verdict == "wrong"), None)
    if first.verdict in ("wrong", "invalid"):
        return replace(first, points=reports)
    if wrong is not None:
        worst = reports[wrong]
        where = "right" if first.verdict == "correct" else first.verdict
        text = f"{where} at the given point, but wrong at point {wrong + 1} of {len(reports)}. {worst.explanation}"
        return replace(worst, explanation=text, points=reports, notes=(*first.notes, *worst.notes))
    open_points = [report for report in (first, *reports) if report.verdict != "correct"]
    if open_points and first.verdict == "correct":
        bad = open_points[0]
        text = f"correct at the given point, {bad.verdict} at another one: {bad.reason}"
        return replace(first, notes=(*first.notes, text), points=reports)
    return replace(seen_everywhere(first, reports), points=reports)


def over_shapes(compare: Compare, f: Callable[..., Any], shapes: Mapping[str, Any], seed: int) -> Report:
    """The reports at several sizes of all dimensions; the first wrong one decides."""
    rng = np.random.default_rng(seed)
    letters = sorted(letters_in(shapes))
    if len(letters) > len(SIZES[0]):
        raise InputError(at_users_line(f"{len(letters)} different letters in shapes=", f"Use at most {len(SIZES[0])}."))
    several = [dict(zip(letters, numbers, strict=False)) for numbers in (SIZES if letters else SIZES[:1])]
    points = []
    for sizes in several:
        points.append(in_order(f, sampled(numbers_of(shapes, sizes), rng)))
    reports = compare(points)
    if letters:
        chosen = [", ".join(f"{letter} = {size}" for letter, size in sizes.items()) for sizes in several]
        pairs = zip(reports, chosen, strict=True)
        reports = [replace(report, notes=(*report.notes, f"sizes: {text}")) for report, text in pairs]
    for verdict in ("wrong", "invalid", "undecidable"):
        bad = [report for report in reports if report.verdict == verdict]
        if bad:
            right = sum(report.verdict == "correct" for report in reports)
            text = f"{verdict} at {len(bad)} of {len(reports)} sizes, correct at {right}"
            return replace(same_slip(bad, text), points=tuple(reports))
    return replace(seen_everywhere(reports[0], reports[1:]), points=tuple(reports))


def same_slip(bad: list[Report], text: str) -> Report:
    """The first of some bad reports, with the slips that fit all of them."""
    from jacobi.verification.diagnosis import common_candidates, explain

    first = bad[0]
    if first.verdict != "wrong":
        return replace(first, explanation=f"{text}. {first.explanation}")
    found = common_candidates(bad)
    text = f"{text}. {explain(found[0])}" if found else text
    return replace(first, explanation=text, diagnosis=found[0].identifier if found else None, candidates=found)


def seen_everywhere(first: Report, others: Sequence[Report]) -> Report:
    """The first report without those case distinctions that went the other way at another point."""
    right = [report for report in others if report.verdict == "correct"]
    notes = [note for note in first.notes if not note.endswith(NOT_COMPARED) or all(note in r.notes for r in right)]
    return replace(first, notes=tuple(notes))


def blind_spots(problem: Problem, reference: Any) -> list[str]:
    """Which typical slips the point cannot tell from the right derivative, with a better point."""
    found = []
    finite = np.where(np.isfinite(reference), reference, 0.0)
    m, n = problem.shape
    shape = problem.in_shape
    if not finite.any() and finite.size:
        found.append("the derivative is zero here, so no sign and no factor can be told from another")
    elif m == n > 1 and np.array_equal(finite, finite.T) and np.count_nonzero(finite - np.diag(np.diag(finite))):
        found.append("the derivative is symmetric here, so it cannot be told from its transpose")
    for k, argument in enumerate(problem.args):
        if not isinstance(argument, np.ndarray) or argument.dtype.kind != "f" or argument.size < 2:
            continue
        if (argument == argument.flat[0]).all():
            shape = argument.shape
            found.append(f"all entries of argument {k} are {argument.flat[0]:g}: exchanged entries look the same")
        elif argument.ndim == 2 and argument.shape[0] == argument.shape[1] and np.array_equal(argument, argument.T):
            shape = argument.shape
            found.append(f"argument {k} is a symmetric matrix: a missing transpose or 2 A for A + A.T is not seen")
    if found:
        found[-1] += f"; a better point: np.random.default_rng(0).normal(size={shape})"
    return found


def holds_nearby(problem: Problem, claim: Callable[..., Any], layout: str, order: str, seed: int) -> bool | None:
    """Whether a claim, a function, also equals the traced derivative at a point nearby; None if that is unknown."""
    rng = np.random.default_rng(seed)
    x = np.asarray(problem.args[problem.argnum], problem.point.x.dtype)
    moved = (x + 0.1 * np.maximum(np.abs(x), 1.0) * rng.uniform(-1.0, 1.0, x.shape)).astype(x.dtype)
    arguments = tuple(fresh(argument) for argument in problem.args)
    arguments = (*arguments[: problem.argnum], moved[()], *arguments[problem.argnum + 1 :])
    there = traced(problem.f.function, arguments, problem.argnum)
    if not isinstance(there, Traced) or there.jacobian.kinks or not np.isfinite(there.value).all():
        return None
    try:
        with np.errstate(all="ignore"):
            claimed = read(call(claim, arguments), layout, order, problem.out_shape, problem.in_shape).dense()
    except UnfitClaim:
        return None
    right = there.jacobian.toarray().astype(float)
    if not (np.isfinite(right).all() and np.isfinite(claimed).all()):
        return None
    size = np.abs(right).max(initial=0.0)
    return bool((np.abs(claimed - right) <= 1e-5 * np.abs(right) + 1e-7 * size).all())
