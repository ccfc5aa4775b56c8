"""Accumulation: the local Jacobians of a trace are multiplied along the paths of its graph.

A Jacobian is accumulated in the order that is planned for it.  Its product with a direction is the same graph with a
column below the inputs, eliminated forward; with a covector it has a row above the output and is eliminated in reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobi.differentiate.elimination import Edge, eliminated
from jacobi.differentiate.kinks import kinks_of
from jacobi.differentiate.plan import carry_out, plan
from jacobi.differentiate.trace import Trace
from jacobi.expressions import Graph, Node, Step, owner
from jacobi.expressions.step import Fleeting
from jacobi.matrix import Jacobian
from jacobi.matrix.products import dense_terms
from jacobi.matrix.term import Term


def jacobians(trace: Trace, positions: Sequence[int]) -> list[Jacobian]:
    """The Jacobians of a trace by the inputs at some positions."""
    output = trace.output
    inputs = [trace.inputs[position] for position in positions]
    if not isinstance(output, Step):
        return [Jacobian.zero(output.shape, step.value.shape, kind(output, step.value)) for step in inputs]
    with np.errstate(all="ignore"):  # where a derivative is infinite or undefined, the result shows it
        edges = local_jacobians(trace, output, inputs)
        kinks = () if trace.recording else kinks_of([trace.graph.steps[number] for number in edges])
        if trace.graph.frugal:
            trace.graph.forget(output)
        results = []
        for step, terms in zip(inputs, carry_out(plan(edges, output, inputs)), strict=True):
            dtype = kind(output.value, step.value)
            if not trace.recording:
                terms = [independent(term, trace.graph, dtype) for term in terms]
            J = Jacobian(terms, output.value.shape, step.value.shape, dtype)
            J.kinks = kinks
            results.append(J)
    return results


def kind(y: Any, x: Any) -> Any:
    """The type of the entries of a Jacobian."""
    dtype = np.result_type(y.dtype, x.dtype)
    return dtype if dtype.kind == "f" else np.dtype(float)


def relevant(output: Step, inputs: Sequence[Step]) -> list[Step]:
    """The steps between the inputs and the output, in reverse order."""
    first = min(step.number for step in inputs)
    wanted = {output.number: output}
    stack = [output]
    while stack:
        for _, parent in stack.pop().parents:
            if parent.number >= first and parent.number not in wanted:
                wanted[parent.number] = parent
                stack.append(parent)
    active = {step.number for step in inputs}
    result = []
    for number in sorted(wanted):
        step = wanted[number]
        if number in active:
            result.append(step)
            continue
        for _, parent in step.parents:
            if parent.number in active:
                active.add(number)
                result.append(step)
                break
    return result[::-1]


def local_jacobians(trace: Trace, output: Step, inputs: Sequence[Step]) -> dict[int, list[Edge]]:
    """The local Jacobians of all steps that matter, by the number of the step; later steps come first."""
    graph = trace.graph
    steps = relevant(output, inputs)
    active = {step.number for step in steps}
    ends = {step.number for step in inputs}
    result: dict[int, list[Edge]] = {}
    for step in steps:
        operation: Any = step.operation
        if operation is None or step.number in ends:
            continue
        if operation.piecewise_constant:
            result[step.number] = []
            continue
        y, values = as_nodes(graph, step) if trace.recording else as_arrays(step)
        traced = [operand for operand, _ in step.parents]
        wanted, numbers = traced, [parent.number for _, parent in step.parents]
        if len(numbers) > 1 and not active.issuperset(numbers):
            wanted = [operand for operand, parent in step.parents if parent.number in active]
            numbers = [number for number in numbers if number in active]
        found = operation.locals(wanted, y, values, step.keywords, traced)
        result[step.number] = [edge for edge in zip(numbers, found, strict=True) if edge[1].terms]
    return result


def as_arrays(step: Step) -> tuple[Any, list[Any]]:
    """The value of a step and its arguments, as arrays."""
    return looked_at(step), [looked_at(a) if isinstance(a, Step) else a for a in step.arguments]


def looked_at(step: Step) -> Any:
    """The value of a step, or what stands in for one that its rule does not look at."""
    return step.value_or_stand_in() if type(step) is Fleeting else step.value


def as_nodes(graph: Graph, step: Step) -> tuple[Any, list[Any]]:
    """The same as nodes, so that what is done with them is recorded."""
    return Node(graph, step), [Node(graph, a) if isinstance(a, Step) else a for a in step.arguments]


def independent(term: Term, graph: Graph, dtype: Any) -> Term:
    """The term with factors of its own, of the type of the Jacobian.

    Factors that share memory with arrays of the user are copied, because these may be changed later.
    """
    theirs = [id(owner(factor)) in graph.foreign for factor in term.factors]
    if not any(theirs) and all(factor.dtype == dtype for factor in term.factors):
        return term
    factors = tuple(factor.astype(dtype, copy=foreign) for factor, foreign in zip(term.factors, theirs, strict=True))
    return Term(term.coefficient, factors, term.wiring)


SEED, SUM = -1, -2  # the vertex that a direction comes from, and the one that a covector leads to


@np.errstate(all="ignore")
def pushed_forward(trace: Trace, directions: dict[int, Any]) -> Any:
    """The product of the Jacobian with a direction: forward order, from columns that lead to the inputs."""
    output = trace.output
    shape = np.shape(trace.value)
    if not isinstance(output, Step):
        return np.zeros(shape)
    inputs = [trace.inputs[position] for position in directions]
    edges = local_jacobians(trace, output, inputs)
    for step, v in zip(inputs, directions.values(), strict=True):
        edges[step.number] = [(SEED, column(v))]
    order = [number for number in sorted(edges) if number != output.number]
    terms = eliminated(edges, order, (output.value,)).result(output.number, SEED)
    return Jacobian(terms, shape, (), kind(output.value, output.value)).tensor()


@np.errstate(all="ignore")
def pulled_back(trace: Trace, positions: Sequence[int]) -> Any:
    """The map that multiplies a covector with the Jacobian: reverse order, from a row that leads to the output."""
    output = trace.output
    inputs = [trace.inputs[position] for position in positions]
    edges = local_jacobians(trace, output, inputs) if isinstance(output, Step) else {}
    order = list(edges)
    if not trace.recording:
        for number, found in edges.items():
            edges[number] = [(parent, own(local, trace.graph)) for parent, local in found]
    value = output.value if isinstance(output, Step) else np.asarray(output)

    @np.errstate(all="ignore")
    def pull(u: Any) -> list[Any]:
        row = [(output.number, column(u).T)] if isinstance(output, Step) else []
        graph = eliminated({**edges, SUM: row}, order, (value,))
        results = [graph.result(SUM, step.number) for step in inputs]
        return [
            Jacobian(terms, (), step.value.shape, kind(value, step.value)).tensor()
            for terms, step in zip(results, inputs, strict=True)
        ]

    return pull


def own(local: Jacobian, graph: Graph) -> Jacobian:
    """A local Jacobian that does not change when the arrays of the user do."""
    terms = [independent(term, graph, local.dtype) for term in local.terms]
    return Jacobian(terms, local.out_shape, local.in_shape, local.dtype)


def column(array: Any) -> Jacobian:
    """An array as a column."""
    flat = array.reshape(-1) if np.ndim(array) != 1 else array
    return Jacobian(dense_terms(flat), flat.shape, (), array.dtype)
