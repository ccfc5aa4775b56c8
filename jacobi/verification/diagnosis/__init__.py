"""The diagnosis: the slips that fit the numbers, the formula and the chain rule of a wrong claim, best first.

Six witnesses are asked, each in a folder or file of its own: ``numbers`` compares two matrices, ``formula`` edits the
user's line, ``chain_rule`` differentiates the function again with one mistake, ``places`` tries other points.  Each
gives candidates with a weight; a slip without free constants outweighs one with constants that could be fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from jacobi.verification.diagnosis.chain_rule.derivations import derivations
from jacobi.verification.diagnosis.formula.edits import edits
from jacobi.verification.diagnosis.numbers.comparison import Comparison, counted
from jacobi.verification.diagnosis.numbers.patterns import patterns, readings
from jacobi.verification.diagnosis.places import independent_of_x, other_arguments, other_points, outside_slopes
from jacobi.verification.evidence import Evidence
from jacobi.verification.slips import Candidate

if TYPE_CHECKING:
    from jacobi.verification.report import Report

Witness = Callable[[Evidence], list[Candidate]]

SHOWN = 6  # candidates in a report
STRONG = 0.5  # the weight from which a slip is believed besides a wrong shape
WITNESSES: tuple[Witness, ...] = (patterns, edits, derivations, other_arguments, other_points, independent_of_x)


def diagnose(evidence: Evidence) -> tuple[Candidate, ...]:
    """All slips that fit, best first, one of each name; none if a witness cannot say anything."""
    with np.errstate(all="ignore"):
        if evidence.claimed is not None and evidence.proves(evidence.claimed):
            return tuple(heard(outside_slopes, evidence))  # only kinks are left that can be wrong
        found = [candidate for witness in WITNESSES for candidate in heard(witness, evidence)]
        if not found and evidence.claimed is None:
            found = heard(misshapen, evidence)
    best: dict[str, Candidate] = {}
    for candidate in sorted(found, key=lambda candidate: -candidate.weight):
        best.setdefault(candidate.identifier, candidate)
    return tuple(best.values())[:SHOWN]


def heard(witness: Witness, evidence: Evidence) -> list[Candidate]:
    """What a witness says; nothing where it fails, because a user's code may do anything and a verdict needs none."""
    try:
        return witness(evidence)
    except Exception:
        return []


def misshapen(evidence: Evidence) -> list[Candidate]:
    """The slips of a claim that has the wrong shape and wrong numbers as well."""
    seen = Comparison(evidence)
    for identifier, matrix, words, _ in readings(seen):
        turned = replace(evidence, given=matrix, claimed=matrix, layout="numerator", claim=None)
        inner = [candidate for witness in (patterns, derivations) for candidate in heard(witness, turned)]
        inner.sort(key=lambda candidate: -candidate.weight)
        if inner and inner[0].weight >= STRONG:
            besides = f"{inner[0].identifier}, {inner[0].sentence}"
            return [Candidate(identifier, f"{words}; besides, {besides}", inner[0].repair, 0.8 * inner[0].weight)]
        if identifier == "column_for_row":  # that is a matter of the shape alone
            wrong = int(np.count_nonzero(evidence.known & ~(np.abs(matrix - evidence.right) <= evidence.tolerance)))
            besides = f"{counted(wrong, 'number')} of {matrix.size} {'is' if wrong == 1 else 'are'} wrong"
            return [Candidate(identifier, f"{words}; besides, {besides}", "", STRONG)]
    return []


def explain(candidate: Candidate) -> str:
    """The sentence of a candidate with its repair."""
    sentence = candidate.sentence.rstrip(". ")
    return f"{sentence}. Repair: {candidate.repair}" if candidate.repair else f"{sentence}."


def common_candidates(reports: Iterable[Report]) -> tuple[Candidate, ...]:
    """The slips that fit at all points or sizes where a claim is wrong, best first.

    Parameters
    ----------
    reports : iterable of Report
        The reports of one claim at several points; only wrong ones count.

    Returns
    -------
    tuple of Candidate
        In the words of the first wrong report, with the mean of the weights.

    Examples
    --------
    >>> from jacobi.verification.report import Report
    >>> sign, one = Candidate("sign_flip", "", "-J", 0.9), Candidate("wrong_entry", "", "", 0.5)
    >>> wrong = [Report("wrong", candidates=(one, sign)), Report("correct"), Report("wrong", candidates=(sign,))]
    >>> [candidate.identifier for candidate in common_candidates(wrong)]
    ['sign_flip']
    """
    listed = [report.candidates for report in reports if report.verdict == "wrong"]

    def shared() -> Iterator[Candidate]:
        for candidate in listed[0] if listed else ():
            weights = [other.weight for found in listed for other in found if other.identifier == candidate.identifier]
            if len(weights) == len(listed):
                yield candidate._replace(weight=sum(weights) / len(weights))

    return tuple(sorted(shared(), key=lambda candidate: -candidate.weight))
