"""Replays: the function, or one derivative in it, computed again with a variant of one of its operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from time import thread_time
from typing import Any, NamedTuple

import numpy as np

from jacobi.differentiate.trace import Trace
from jacobi.expressions import Step
from jacobi.verification.diagnosis.chain_rule.edge import Edge
from jacobi.verification.diagnosis.chain_rule.network import Branch, Network, TooLarge
from jacobi.verification.diagnosis.chain_rule.variants import Variant, variants
from jacobi.verification.evidence import Array
from jacobi.verification.slips import Candidate

MOST_SECONDS = 0.8
MOST_WORK = 1e9  # multiplications
ONCE = 0.95  # how likely a wrong value is that is used in one place only, compared with everywhere


class Site(NamedTuple):
    """A step with its edges, those that use its value, and those of the steps that compute the same."""

    step: Step
    edges: list[Edge]
    consumers: list[Edge]
    twins: Mapping[int, list[Edge]]


def with_variants(
    values: Mapping[str, Any], traced: Trace, start: Step, network: Network
) -> Iterator[tuple[Array, Candidate]]:
    """Every operation replaced by its variants: in the function, in its value, in one derivative.

    Parameters
    ----------
    values : mapping of str to array
        The variables that could be mistaken for each other, by what they are called.
    traced, start, network
        The function, the input that is differentiated by, and the network between them.
    """
    deadline, work = thread_time() + MOST_SECONDS, 0.0
    for site in sites(network):
        for variant in variants(site.step, values):
            work += 4 * network.entries * min(network.m, network.n)
            if work > MOST_WORK or thread_time() > deadline:
                return
            said = variant.candidate(site.step)
            try:
                for matrix, share in effects(variant, site, traced, start, network):
                    yield matrix, said._replace(weight=share * said.weight)
            except (TooLarge, np.linalg.LinAlgError, ValueError, TypeError, ArithmeticError, IndexError):
                continue  # the variant cannot be computed


def sites(network: Network) -> Iterator[Site]:
    """The steps at which something can be replaced."""
    own: dict[int, list[Edge]] = defaultdict(list)
    users: dict[int, list[Edge]] = defaultdict(list)
    for edge in network.edges:
        own[edge.step].append(edge)
        for source in set(edge.sources):
            users[source].append(edge)
    same = twins(network)
    for step in network.all_steps:
        if step.operation is not None and not step.operation.piecewise_constant:
            group = {number: own[number] for number in same[step.number]}
            yield Site(step, own[step.number], users[step.number], group)


def twins(network: Network) -> dict[int, list[int]]:
    """The steps that compute the same, such as the two ``x - m`` in ``(x - m) @ P @ (x - m)``, for every step."""
    groups: dict[Any, list[int]] = defaultdict(list)
    key_of: dict[int, Any] = {}
    for step in network.all_steps:
        key: Any = step.number
        if step.operation is not None:
            arguments = [key_of.get(a.number) if isinstance(a, Step) else repr(a) for a in step.arguments]
            key = (step.operation, *arguments, repr(step.keywords))
        groups[key].append(step.number)
        key_of[step.number] = groups[key][0]
    return {number: group for group in groups.values() for number in group}


def effects(
    variant: Variant, site: Site, traced: Trace, start: Step, network: Network
) -> Iterator[tuple[Array, float]]:
    """The Jacobians in which an operation is a variant of what it should be, and how likely each is."""
    value = variant.value()
    if np.shape(value) != np.shape(site.step.value) or not np.all(np.isfinite(value)):
        return
    for edge in site.edges:  # in the derivative of this operation only
        yield network.total + edge.adjoint @ ((variant.local(edge, value) - edge.local) @ edge.tangent), 1.0
    if np.array_equal(value, site.step.value):
        return
    for number in {edge.step for edge in site.consumers}:  # where its value stands in the derivative of another
        total = network.total
        for edge in (edge for edge in site.consumers if edge.step == number):
            pairs = zip(edge.sources, edge.arguments, strict=True)
            local = edge.by_rule([value if source == site.step.number else a for source, a in pairs])
            total = total + edge.adjoint @ ((local - edge.local) @ edge.tangent)
        yield total, ONCE

    def again(local: Any) -> Array:
        branches = {number: {edge.operand: local(edge) for edge in edges} for number, edges in site.twins.items()}
        return Network(traced, start, {number: Branch(value, locals_) for number, locals_ in branches.items()}).total

    yield again(lambda edge: variant.local(edge, value)), 1.0  # the derivative of another function
    yield again(lambda edge: edge.local), 1.0  # the right derivative with a wrong value
    if variant.replaced:
        yield again(lambda edge: edge.by_rule(y=value)), 1.0
