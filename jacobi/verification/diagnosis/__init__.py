"""The diagnosis: the slips that fit the numbers, the chain rule and the formula of a wrong claim, best first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.errors import JacobiError
from jacobi.finite_difference import fresh
from jacobi.verification.claims import UnfitClaim, call, read
from jacobi.verification.diagnosis.chain_rule.derivations import derivations
from jacobi.verification.diagnosis.formula.edits import edits
from jacobi.verification.diagnosis.numbers.patterns import patterns
from jacobi.verification.evidence import Evidence
from jacobi.verification.slips import Candidate
from jacobi.verification.witnesses import Traced, traced

SHOWN = 6  # candidates in a report


def diagnose(evidence: Evidence) -> tuple[Candidate, ...]:
    """All slips that fit, best first, one of each name."""
    found: list[Candidate] = []
    for witness in WITNESSES:
        with np.errstate(all="ignore"):
            found += witness(evidence)
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda candidate: -candidate.weight):
        best.setdefault(candidate.identifier, candidate)
    return tuple(best.values())[:SHOWN]


def explain(candidate: Candidate) -> str:
    """The sentence of a candidate with its repair."""
    sentence = candidate.sentence.rstrip(". ")
    return f"{sentence}. Repair: {candidate.repair}" if candidate.repair else f"{sentence}."


def other_points(evidence: Evidence) -> list[Candidate]:
    """Whether the claim is the derivative at another point: at another argument, at 0, at ``-x`` or at ``f(x)``."""
    x = evidence.args[evidence.argnum]
    shape = np.shape(x)
    places: dict[str, Any] = {"0": np.zeros(shape), "-x": -np.asarray(x, float), "2 x": 2.0 * np.asarray(x, float)}
    for k, argument in enumerate(evidence.args):
        if k != evidence.argnum and isinstance(argument, np.ndarray) and argument.shape == shape:
            places[f"argument {k}"] = argument
    if evidence.out_shape == evidence.in_shape:
        places["f(x)"] = np.asarray(evidence.f(*evidence.args), float)
    for name, place in places.items():
        arguments = (*evidence.args[: evidence.argnum], place, *evidence.args[evidence.argnum + 1 :])
        found = traced(evidence.f, arguments, evidence.argnum)
        if isinstance(found, Traced) and found.jacobian.shape[0] * found.jacobian.shape[1] <= 10**6:
            there = found.jacobian.toarray()
            if evidence.fits(there) and not evidence.proves(there):
                return [Candidate("wrong_point", f"the claim is the derivative at {name} instead of x", "", 0.75)]
    return []


def independent_of_x(evidence: Evidence) -> list[Candidate]:
    """Whether the claim, a function, is the same everywhere though the derivative is not."""
    if evidence.claim is None or evidence.claimed is None:
        return []
    rng = np.random.default_rng(0)
    x = np.asarray(evidence.args[evidence.argnum], float)
    moved = x + 0.1 * np.maximum(np.abs(x), 1.0) * rng.uniform(0.5, 1.0, x.shape)
    arguments = tuple(fresh(a) for a in evidence.args)
    arguments = (*arguments[: evidence.argnum], moved[()], *arguments[evidence.argnum + 1 :])
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
    sentence = "the claim does not depend on the argument that is differentiated by, but the derivative does"
    return [Candidate("wrong_point", sentence, "", 0.3)]


WITNESSES: tuple[Callable[[Evidence], list[Candidate]], ...] = (
    patterns,
    edits,
    derivations,
    other_points,
    independent_of_x,
)
