"""Slips of the place: the claim is the derivative at another point, is the same at all points, or fails at a kink."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.errors import JacobiError
from jacobi.finite_difference import fresh
from jacobi.verification.claims import UnfitClaim, call, read
from jacobi.verification.evidence import Evidence
from jacobi.verification.slips import Candidate
from jacobi.verification.witnesses import Traced, traced

MOST_ENTRIES = 10**6  # of a derivative at another point
MOST_COLUMNS = 50  # with kinks that are looked at


def other_points(evidence: Evidence) -> list[Candidate]:
    """Whether the claim is the derivative at another point: at another argument, at 0, at ``-x`` or at ``f(x)``."""
    if evidence.right.size > MOST_ENTRIES:
        return []
    x = np.asarray(evidence.args[evidence.argnum], float)
    places: dict[str, Any] = {"0": np.zeros(x.shape), "-x": -x, "2 x": 2.0 * x}
    for k, argument in enumerate(evidence.args):
        if k != evidence.argnum and isinstance(argument, np.ndarray) and argument.shape == x.shape:
            places[evidence.argument(k)] = argument
    if evidence.out_shape == evidence.in_shape:
        places["f(x)"] = np.asarray(evidence.f(*fresh(evidence.args)), float)
    for name, place in places.items():
        found = traced(evidence.f, moved(evidence, place), evidence.argnum)
        if isinstance(found, Traced):
            there = found.jacobian.toarray()
            if there.any() and evidence.fits(there) and not evidence.proves(there):
                sentence = f"the claim is the derivative at {name} instead of x = {evidence.argument(evidence.argnum)}"
                return [Candidate("wrong_point", sentence, "", 0.5)]
    return []


def other_arguments(evidence: Evidence) -> list[Candidate]:
    """Whether the claim is the derivative by another argument."""
    columns = evidence.right.shape[1]
    for k, argument in enumerate(evidence.args):
        if k == evidence.argnum or not isinstance(argument, np.ndarray) or argument.size != columns:
            continue
        found = traced(evidence.f, evidence.args, k)
        if isinstance(found, Traced) and evidence.right.size <= MOST_ENTRIES:
            there = found.jacobian.toarray()
            if there.any() and evidence.fits(there) and not evidence.proves(there):
                asked = evidence.argument(evidence.argnum)
                sentence = f"this is the derivative by {evidence.argument(k)}, and {asked} is asked for"
                return [Candidate("wrong_argument", sentence, f"differentiate by {asked}", 0.9)]
    return []


def moved(evidence: Evidence, x: Any) -> tuple[Any, ...]:
    """The arguments with another value of the differentiated one."""
    arguments = list(fresh(evidence.args))
    arguments[evidence.argnum] = x if np.ndim(x) else np.asarray(x)[()]
    return tuple(arguments)


def independent_of_x(evidence: Evidence) -> list[Candidate]:
    """Whether the claim, a function, is the same everywhere though the derivative is not."""
    if evidence.claim is None or evidence.claimed is None or evidence.right.size > MOST_ENTRIES:
        return []
    x = np.asarray(evidence.args[evidence.argnum], float)
    step = 0.1 * np.maximum(np.abs(x), 1.0) * np.random.default_rng(0).uniform(0.5, 1.0, x.shape)
    arguments = moved(evidence, x + step)
    try:
        value = call(evidence.claim, arguments)
        there = read(value, evidence.layout, "C", evidence.out_shape, evidence.in_shape).dense()
    except (UnfitClaim, JacobiError):
        return []
    found = traced(evidence.f, arguments, evidence.argnum)
    if isinstance(found, str) or not np.array_equal(there, evidence.claimed):
        return []
    if np.allclose(found.jacobian.toarray(), evidence.right, rtol=1e-6, atol=0.0):
        return []
    name = evidence.argument(evidence.argnum)
    sentence = f"the claim does not depend on {name}, which is differentiated by, but the derivative does"
    return [Candidate("wrong_point", sentence, "", 0.3)]


def outside_slopes(evidence: Evidence) -> list[Candidate]:
    """Entries at kinks whose claim does not lie between the slopes of both sides, where everything else is right."""
    if evidence.claimed is None:
        return []
    x = np.asarray(evidence.args[evidence.argnum], float)
    y = np.ravel(evidence.f(*moved(evidence, x)))
    found = []
    for j in np.flatnonzero(~evidence.known.all(axis=0))[:MOST_COLUMNS]:
        step = np.zeros(x.size)
        step[j] = 1e-6 * max(abs(x.flat[j]), 1.0)
        ahead, back = (moved(evidence, x + sign * step.reshape(x.shape)) for sign in (1.0, -1.0))
        slopes = [(np.ravel(evidence.f(*ahead)) - y) / step[j], (y - np.ravel(evidence.f(*back))) / step[j]]
        low, high = np.minimum(*slopes), np.maximum(*slopes)
        slack = 1e-3 * np.maximum(np.abs(low), np.abs(high))
        claimed = evidence.claimed[:, j]
        outside = ~evidence.known[:, j] & ((claimed < low - slack) | (claimed > high + slack)) & (high - low > slack)
        for i in np.flatnonzero(outside):
            found.append(f"entry [{i}, {j}] is claimed to be {claimed[i]:.6g}, between {low[i]:.6g} and {high[i]:.6g}")
    if not found:
        return []
    where = found[0].replace(", between", " and does not lie between")
    more = f" ({len(found)} such entries)" if len(found) > 1 else ""
    sentence = f"the function has a kink here, and the claim lies outside the two slopes: {where}{more}"
    return [Candidate("outside_slopes", sentence, "", 0.9)]
