"""Faulty derivations: the function is differentiated again with one slip at a time, until the claim comes out.

A claim is often only numbers.  Where the function can be traced, the slips that people commit when they apply the
chain rule by hand are tried one by one: each is a wrong local Jacobian somewhere in the network.  A slip is reported
only if the whole claim follows from it within the tolerance, and only if the right derivative does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobi.differentiate import trace
from jacobi.differentiate.trace import Trace
from jacobi.expressions import Step
from jacobi.verification.diagnosis.chain_rule.edge import Change, Edge, Matrix
from jacobi.verification.diagnosis.chain_rule.faults import FAULTS, Fault
from jacobi.verification.diagnosis.chain_rule.faults_of_entries import decisions
from jacobi.verification.diagnosis.chain_rule.network import Branch, Network, TooLarge, place
from jacobi.verification.diagnosis.chain_rule.recognised import recognised
from jacobi.verification.evidence import Array, Evidence
from jacobi.verification.slips import SLIPS, Candidate

MOST_ENTRIES = 100_000  # of the Jacobian
MOST_WORK = 3e9  # multiplications, about a second
MOST_PAIRS = 300
MOST_VARIABLES = 12

Attempt = tuple[Array, Candidate]


def derivations(evidence: Evidence) -> list[Candidate]:
    """The slips of a derivation by hand that lead to the claim, best first.

    Parameters
    ----------
    evidence : Evidence
        The claim and the established derivative, both (m, n).

    Returns
    -------
    list of Candidate
        At most one for every identifier; empty where the function cannot be traced or is too large.

    Examples
    --------
    >>> x = np.array([0.5, 1.0, 2.0])
    >>> f, right, claimed = lambda x: np.sum(np.sin(x**2)), 2 * x * np.cos(x**2), np.cos(x**2)
    >>> evidence = Evidence(
    ...     right[None], claimed, claimed[None], np.full((1, 3), 1e-9), np.ones((1, 3), bool), (), (3,), "numerator",
    ...     f, (x,), 0,
    ... )
    >>> print(derivations(evidence)[0].sentence)
    one factor of the chain rule (an inner derivative) is missing: the derivative of square ... was taken as 1
    """
    if evidence.claimed is None or not 0 < evidence.right.size <= MOST_ENTRIES:
        return []
    with np.errstate(all="ignore"):
        try:
            traced = trace(evidence.f, evidence.args, {}, (evidence.argnum,))
            if not isinstance(traced.output, Step) or traced.recording:
                return []
            start = traced.inputs[evidence.argnum]
            network = Network(traced, start)
        except Exception:  # the user's function may fail in any way when it is run on traced values
            return []
        if not evidence.proves(network.total):
            return []
        return best(evidence, attempts(evidence, traced, start, network))


def best(evidence: Evidence, tried: Iterator[Attempt]) -> list[Candidate]:
    """The slips whose result is the claim and not the derivative, one for every identifier."""
    found: dict[str, Candidate] = {}
    simple = 0.7 if evidence.right.size == 1 or proportional(evidence.claimed, evidence.right) else 1.0
    for matrix, candidate in tried:
        if meaningful(evidence, matrix) and evidence.fits(matrix) and not evidence.proves(matrix):
            # a constant factor, and a single number, come out of many slips
            candidate = candidate._replace(weight=round(simple * candidate.weight, 3))
            known = found.get(candidate.identifier)
            if known is None or known.weight < candidate.weight:
                found[candidate.identifier] = candidate
    return sorted(found.values(), key=lambda candidate: -candidate.weight)


def meaningful(evidence: Evidence, matrix: Array) -> bool:
    """Whether a result is finite, since infinity lies within a relative tolerance of anything, and not all zero."""
    return bool(np.all(np.isfinite(matrix) | ~evidence.known) and np.any(matrix))


def proportional(one: Any, other: Any) -> bool:
    """Whether two matrices differ by a constant factor, or nearly so."""
    one, other = np.ravel(one), np.ravel(other)
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return lengths > 0 and abs(abs(float(one @ other)) / lengths - 1) < 1e-12


def attempts(evidence: Evidence, traced: Trace, start: Step, network: Network) -> Iterator[Attempt]:
    """The results of all slips, the likely ones first, until the work becomes too much."""
    edges = [*network.edges, *recognised(network)]
    prepare(evidence, traced, network, edges)
    yield from at_one_operation(network, edges)
    yield from paths_cut_short(network)
    yield from with_another_coefficient(evidence, network)
    yield from decided_once(traced, start, network)


def prepare(evidence: Evidence, traced: Trace, network: Network, edges: list[Edge]) -> None:
    """Tell the edges what the slips ask for: the layout, and the variables that could be mistaken for each other."""
    named = {f"argument {k + 1} of the function": np.asarray(a) for k, a in enumerate(evidence.args) if plain(a)}
    steps = {f"the result of {place(step)}": step.value for step in network.steps if step.number != network.output}
    variables = dict(list({**named, **steps}.items())[:MOST_VARIABLES])
    for edge in edges:
        edge.variables = {name: value for name, value in variables.items() if not same(value, edge.y)}
        edge.scalar = network.m == 1
        edge.gradient = evidence.layout != "numerator"


def plain(value: Any) -> bool:
    """Whether an argument is an array or a number."""
    return isinstance(value, (np.ndarray, np.floating, float)) and np.asarray(value).dtype.kind == "f"


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal."""
    return bool(np.array_equal(one, other))


def at_one_operation(network: Network, edges: list[Edge]) -> Iterator[Attempt]:
    """Every slip at every operation, and the repeated slips at all operations of the same name."""
    work = 0.0
    for fault in FAULTS:
        together: dict[tuple[str, int], list[Change]] = defaultdict(list)
        for edge in edges:
            for k, change in enumerate(safely(fault, edge)):
                work += (stored(edge.local) + edge.adjoint.size) * network.n
                if work > MOST_WORK:
                    return
                yield changed(network, change), candidate(fault, change)
                if fault.repeated and edge.operation is not None:
                    together["" if fault.identifier.startswith("mask") else edge.name, k].append(change)
        for changes in together.values():
            if len({change.locals[0][0].step for change in changes}) > 1:
                work += network.entries * network.n
                if work > MOST_WORK:
                    return
                every = dict(pair for change in changes for pair in change.locals)
                matrix = network.forward(every)[network.output]
                says = f"{changes[0].says}, and likewise at {len(changes) - 1} more"
                yield matrix, candidate(fault, changes[0]._replace(says=says))


def stored(matrix: Matrix) -> int:
    """How many entries of a matrix are stored."""
    return int(matrix.size if isinstance(matrix, np.ndarray) else matrix.nnz)


def safely(fault: Fault, edge: Edge) -> Iterator[Change]:
    """The changes of a slip; none more where a rule refuses the wrong arguments, such as a singular matrix."""
    try:
        yield from fault.changes(edge)
    except (np.linalg.LinAlgError, ValueError, ArithmeticError):
        return


def candidate(fault: Fault, change: Change) -> Candidate:
    """The report of a slip."""
    weight = fault.weight if change.weight is None else change.weight
    sentence = f"{SLIPS[fault.identifier]}: {change.says}"
    return Candidate(fault.identifier, sentence, change.repair, weight)


def changed(network: Network, change: Change) -> Array:
    """The Jacobian with the changes at one operation."""
    edge = change.locals[0][0]
    if change.contribution is not None:
        return network.total - edge.contribution + change.contribution
    difference = sum((local - edge.local) @ edge.tangent for edge, local in change.locals)
    result: Array = network.total + edge.adjoint @ difference
    return result


def paths_cut_short(network: Network) -> Iterator[Attempt]:
    """An inner function differentiated as if it were the variable itself: all its factors are missing."""
    values = {step.number: step for step in network.steps if step.number in network.tangents}
    tried = 0
    for later, step in values.items():
        if later not in network.adjoints:
            continue
        adjoint, tangent = network.adjoints[later], network.tangents[later]
        for earlier, inner in values.items():
            if earlier >= later or np.shape(inner.value) != np.shape(step.value):
                continue
            tried += 1
            if tried > MOST_PAIRS:
                return
            yield (
                network.total + adjoint @ (network.tangents[earlier] - tangent),
                Candidate(
                    "factor_dropped",
                    f"{SLIPS['factor_dropped']}: {place(step)} was differentiated as if it were {place(inner)}",
                    f"multiply by the derivative of {place(step)} by {place(inner)}",
                    0.8,
                ),
            )


def with_another_coefficient(evidence: Evidence, network: Network) -> Iterator[Attempt]:
    """One contribution multiplied by the constant that fits best."""
    difference = np.where(evidence.known, np.subtract(np.asarray(evidence.claimed), network.total), 0.0)
    for edge in network.edges:
        part = np.where(evidence.known, edge.contribution, 0.0)
        significant = np.count_nonzero(np.abs(part) > 1e3 * evidence.tolerance)
        if significant < 2 or not np.all(np.isfinite(part)) or proportional(part, network.total):
            continue
        factor = 1.0 + float(np.vdot(part, difference) / np.vdot(part, part))
        if min(abs(factor - ordinary) for ordinary in (-1.0, 0.0, 1.0)) < 1e-6:
            continue  # a sign or a term, which are slips of their own
        often = min(abs(factor - ratio) for ratio in (0.5, 2.0)) < 1e-6
        yield (
            network.total + (factor - 1.0) * edge.contribution,
            Candidate(
                "coefficient",
                f"{SLIPS['coefficient']}: {factor:.6g} times the derivative of {edge.place} "
                f"by its argument {edge.operand + 1}",
                f"divide that term by {factor:.6g}",
                0.75 if often else 0.6,
            ),
        )


def decided_once(traced: Trace, start: Step, network: Network) -> Iterator[Attempt]:
    """The case distinction taken out of the sum: function and derivative follow one branch for all samples."""
    work = 0.0
    for edge in network.edges:
        for decision, text in decisions(edge):
            work += 2 * network.entries * min(network.m, network.n)
            if work > MOST_WORK:
                return
            value = np.where(decision, edge.x, edge.alternative)
            local = {edge.operand: edge.by_partial(1.0 * decision)}
            local |= {sibling.operand: sibling.by_partial(1.0 - decision) for sibling in edge.siblings}
            try:
                again = Network(traced, start, {edge.step: Branch(value, local)})
            except (TooLarge, np.linalg.LinAlgError, ValueError, ArithmeticError):
                continue
            yield (
                again.total,
                Candidate(
                    "mask_outside_sum",
                    f"{SLIPS['mask_outside_sum']}: {edge.place} was decided once, by {text}, "
                    f"for all {decision.size} entries, in the function and in its derivative",
                    f"decide for every sample: keep {edge.place} inside the sum",
                    0.85,
                ),
            )
