"""Faulty derivations: the function is differentiated again with one slip at a time, until the claim comes out.

A claim is often only numbers.  Where the function can be traced, the slips that people commit when they apply the
chain rule by hand are tried one by one: each is a wrong local Jacobian somewhere in the network.  A slip is reported
only if the whole claim follows from it within the tolerance, and only if the right derivative does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from time import thread_time
from typing import Any

import numpy as np

from jacobi.differentiate import trace
from jacobi.differentiate.trace import Trace
from jacobi.errors import JacobiError
from jacobi.expressions import Step
from jacobi.verification.diagnosis.chain_rule.edge import Change, Edge, Matrix
from jacobi.verification.diagnosis.chain_rule.faults import FAULTS, Fault
from jacobi.verification.diagnosis.chain_rule.faults_of_entries import decisions
from jacobi.verification.diagnosis.chain_rule.network import Branch, Network, TooLarge, place
from jacobi.verification.diagnosis.chain_rule.recognised import recognised
from jacobi.verification.diagnosis.chain_rule.replays import with_variants
from jacobi.verification.evidence import Array, Evidence
from jacobi.verification.slips import SLIPS, Candidate

MOST_ENTRIES = 100_000  # of the Jacobian
MOST_WORK = 3e9  # multiplications, about a second
MOST_PAIRS = 300
MOST_SECONDS = 1.2
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
            traced = recorded(evidence)
            if not isinstance(traced.output, Step) or traced.recording:
                return []
            start = traced.inputs[evidence.argnum]
            network = Network(traced, start).connected()
        except Exception:  # the user's function may fail in any way when it is run on traced values
            return []
        if not evidence.proves(network.total):
            return []
        return best(evidence, attempts(evidence, traced, start, network))


def recorded(evidence: Evidence) -> Trace:
    """The traced function, with its plain numbers traced as well where it allows that."""
    numbers = [k for k, argument in enumerate(evidence.args) if isinstance(argument, (float, np.floating))]
    try:
        return trace(evidence.f, evidence.args, {}, (evidence.argnum, *numbers))
    except JacobiError:
        return trace(evidence.f, evidence.args, {}, (evidence.argnum,))


def best(evidence: Evidence, tried: Iterator[Attempt]) -> list[Candidate]:
    """The slips whose result is the claim and not the derivative, one for every identifier."""
    found: dict[str, Candidate] = {}
    simple = 0.7 if evidence.right.size == 1 or proportional(evidence.claimed, evidence.right) else 1.0
    deadline = thread_time() + MOST_SECONDS
    for matrix, candidate in tried:
        if thread_time() > deadline:
            break
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
    for edge in edges:
        edge.scalar, edge.gradient = network.m == 1, evidence.layout != "numerator"
    yield from at_one_operation(network, edges)
    yield from paths_cut_short(network)
    yield from with_variants(named_values(evidence, traced, network), traced, start, network)
    yield from with_a_scalar_factor(evidence, network)
    yield from with_another_coefficient(evidence, network)
    yield from decided_once(traced, start, network)


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


def named_values(evidence: Evidence, traced: Trace, network: Network) -> dict[str, Any]:
    """The values of the arguments and of the steps, by what they are called in a sentence."""
    steps = [step for step in network.all_steps if step.operation is not None and step.number != network.output]
    values = {evidence.argument(k): step.value for k, step in traced.inputs.items()}
    values |= {f"the result of {place(step)}": step.value for step in steps}
    return dict(list(values.items())[:MOST_VARIABLES])


def with_a_scalar_factor(evidence: Evidence, network: Network) -> Iterator[Attempt]:
    """The whole multiplied or divided by a number that occurs in the function, or by its square."""
    scalars = {evidence.argument(k): a for k, a in enumerate(evidence.args) if np.size(a) == 1}
    scalars |= {f"the result of {place(step)}": step.value for step in network.all_steps if step.operation is not None}
    # What the derivative is divided by: a power of it that is too high is a wrong exponent, no missing factor.
    below = {edge.parent for edge in network.edges if edge.name in ("log", "reciprocal")}
    below |= {edge.parent for edge in network.edges if edge.name == "divide" and edge.operand == 1}
    below |= {edge.step for edge in network.edges if edge.name in ("sqrt", "norm")}
    under = {f"the result of {place(step)}" for step in network.steps if step.number in below}
    for name, scalar in scalars.items():
        if np.size(scalar) != 1 or not np.isfinite(scalar) or abs(abs(number := float(np.ravel(scalar)[0])) - 1) < 1e-3:
            continue
        for power, text in ((1, name), (2, f"the square of {name}")):
            for factor, verb in ((number**power, "many"), (number**-power, "few")):
                if factor == 0.0 or not np.isfinite(factor):
                    continue
                does = "divide" if verb == "many" else "multiply"
                says = f"the claim has one factor too {verb}: {text}"
                first, second = "factor_dropped", "exponent"
                if name in under and verb == "few":
                    first, second = second, first
                for identifier, weight in ((first, 0.85), (second, 0.83)):
                    sentence = f"{SLIPS[identifier]}: {says}"
                    yield network.total * factor, Candidate(identifier, sentence, f"{does} by {text}", weight)


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
                f"by its {edge.ordinal} operand",
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
