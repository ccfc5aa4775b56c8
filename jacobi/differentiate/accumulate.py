"""Accumulation: the local Jacobians of a graph are multiplied along its paths, in the cheaper direction.

Reverse order starts at the output, forward order at the inputs; each starts with a local Jacobian, never with an
identity.  A scalar output is differentiated in reverse and a scalar input forward; otherwise both orders are priced
from the wirings alone and the cheaper one is carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from jacobi.differentiate.kinks import kinks_of
from jacobi.differentiate.trace import Trace
from jacobi.expressions import Graph, Node, Step, owner
from jacobi.matrix import Jacobian
from jacobi.matrix.price import Shadow
from jacobi.matrix.products import dense_terms, products, shortened
from jacobi.matrix.term import Term, collected

Edge = tuple[int, Jacobian]  # the number of the operand's step, and the local Jacobian by it
MANY_STEPS = 1000
NOT_WORTH_PRICING = 20_000  # multiplications; about what pricing itself costs


def jacobians(trace: Trace, positions: Sequence[int]) -> list[Jacobian]:
    """The Jacobians of a trace by the inputs at some positions."""
    output = trace.output
    inputs = [trace.inputs[position] for position in positions]
    if not isinstance(output, Step):
        return [Jacobian.zero(output.shape, step.value.shape, kind(output, step.value)) for step in inputs]
    with np.errstate(all="ignore"):  # where a derivative is infinite or undefined, the result shows it
        edges = local_jacobians(trace, output, inputs)
        kinks = () if trace.recording else kinks_of([trace.graph.steps[number] for number in edges])
        order = in_reverse if backwards(edges, output, inputs) else forward
        results = []
        for step, terms in zip(inputs, order(edges, output, inputs, trace.graph.steps), strict=True):
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
        if number in active or any(parent.number in active for _, parent in step.parents):
            active.add(number)
            result.append(step)
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
        edges: list[Edge] = []
        result[step.number] = edges
        if operation.piecewise_constant:
            continue
        y, values = as_nodes(graph, step) if trace.recording else as_arrays(step)
        traced = [operand for operand, _ in step.parents]
        wanted = [operand for operand, parent in step.parents if parent.number in active]
        numbers = [parent.number for _, parent in step.parents if parent.number in active]
        found = operation.locals(wanted, y, values, step.keywords, traced)
        edges += [edge for edge in zip(numbers, found, strict=True) if edge[1].terms]
    return result


def as_arrays(step: Step) -> tuple[Any, list[Any]]:
    """The value of a step and its arguments, as arrays."""
    return step.value, [a.value if type(a) is Step else a for a in step.arguments]


def as_nodes(graph: Graph, step: Step) -> tuple[Any, list[Any]]:
    """The same as nodes, so that what is done with them is recorded."""
    return Node(graph, step), [Node(graph, a) if type(a) is Step else a for a in step.arguments]


def backwards(edges: dict[int, list[Edge]], output: Step, inputs: Sequence[Step]) -> bool:
    """Whether reverse order is the cheaper one."""
    rows, columns = output.value.size, sum(step.value.size for step in inputs)
    if rows <= 1 or len(edges) < 2:
        return True
    if columns <= 1:
        return False
    stored = sum(local.nnz for found in edges.values() for _, local in found)
    if len(edges) > MANY_STEPS or rows * stored < NOT_WORTH_PRICING:
        return bool(rows <= columns)
    shadows = {
        number: [(parent, Shadow.of(local)) for parent, local in found] for number, found in edges.items()
    }
    reverse, ahead = price_in_reverse(shadows, output), price_forward(shadows, inputs)
    return bool(rows <= columns) if reverse == ahead == inf else reverse <= ahead


def in_reverse(
    edges: dict[int, list[Edge]], output: Step, inputs: Sequence[Step], steps: Sequence[Step]
) -> list[list[Term]]:
    """Multiply from the output to the inputs."""
    adjoint: dict[int, list[Term] | None] = {output.number: None}  # None is the identity
    for number, found in edges.items():
        if number not in adjoint:
            continue
        so_far = adjoint.pop(number)
        if so_far is not None:
            so_far = tidied(so_far, output, steps[number])
        for parent, local in found:
            new = list(local.terms) if so_far is None else products(so_far, local.terms)
            known = adjoint.get(parent)
            adjoint[parent] = new if known is None else known + new
    return [end_terms(adjoint, step.number, output, step) for step in inputs]


def tidied(terms: list[Term], output: Step, step: Step) -> list[Term]:
    """The sum of what has arrived at a step, as few terms."""
    if len(terms) < 2:
        return terms
    shape = (output.value.size, step.value.size)
    return shortened(collected(terms), shape, kind(output.value, step.value))


def end_terms(reached: dict[int, Any], number: int, output: Step, step: Step) -> list[Term]:
    """The terms collected at an end of the graph."""
    if output.number == step.number:
        return list(Jacobian.identity(output.value.shape).terms)
    return tidied(reached.get(number) or [], output, step)


def forward(
    edges: dict[int, list[Edge]], output: Step, inputs: Sequence[Step], steps: Sequence[Step]
) -> list[list[Term]]:
    """Multiply from the inputs to the output, for every input."""
    results = []
    for start in inputs:
        tangent: dict[int, list[Term] | None] = {start.number: None}
        waiting = {number: 0 for number in (start.number, *edges)}
        for found in edges.values():
            for parent, _ in found:
                waiting[parent] = waiting.get(parent, 0) + 1
        for number in reversed(edges):
            total: list[Term] = []
            for parent, local in edges[number]:
                if parent in tangent:
                    inner = tangent[parent]
                    total += local.terms if inner is None else products(local.terms, inner)
                    waiting[parent] -= 1
                    if not waiting[parent] and parent != output.number:
                        del tangent[parent]
            if total:
                tangent[number] = tidied(total, steps[number], start)
        results.append(end_terms(tangent, output.number, output, start))
    return results


def priced(left: Shadow | None, right: Shadow | None) -> tuple[float, Shadow]:
    """The price of a product and its shadow; infinite where it takes as long to tell as to multiply."""
    if left is None or right is None:  # None is the identity
        return 0.0, left or right or Shadow(())
    return left.times(right) if left.regular and right.regular else (inf, Shadow(()))


def price_in_reverse(edges: dict[int, Any], output: Step) -> float:
    """The price of `in_reverse`, from the wirings alone."""
    price = 0.0
    adjoint: dict[int, list[Shadow] | None] = {output.number: None}
    for number, found in edges.items():
        if number not in adjoint:
            continue
        parts = adjoint.pop(number)
        so_far = None if parts is None else Shadow.collected(w for part in parts for w in part.wirings)
        for parent, local in found:
            cost, new = priced(so_far, local)
            if cost == inf:
                return inf
            price += cost
            known = adjoint.get(parent)
            adjoint[parent] = [new] if known is None else [*known, new]
    return price


def price_forward(edges: dict[int, Any], inputs: Sequence[Step]) -> float:
    """The price of `forward`, from the wirings alone."""
    price = 0.0
    for start in inputs:
        tangent: dict[int, Shadow | None] = {start.number: None}
        for number in reversed(edges):
            parts = []
            for parent, local in edges[number]:
                if parent in tangent:
                    inner = tangent[parent]
                    cost, new = priced(local, inner)
                    if cost == inf:
                        return inf
                    price += cost
                    parts.append(new)
            if parts:
                tangent[number] = Shadow.collected(w for part in parts for w in part.wirings)
    return price


def independent(term: Term, graph: Graph, dtype: Any) -> Term:
    """The term with factors of its own, of the type of the Jacobian.

    Factors that share memory with arrays of the user are copied, because these may be changed later.
    """
    theirs = [id(owner(factor)) in graph.foreign for factor in term.factors]
    if not any(theirs) and all(factor.dtype == dtype for factor in term.factors):
        return term
    factors = tuple(
        factor.astype(dtype, copy=foreign) for factor, foreign in zip(term.factors, theirs, strict=True)
    )
    return Term(term.coefficient, factors, term.wiring)


@np.errstate(all="ignore")
def pushed_forward(trace: Trace, directions: dict[int, Any]) -> Any:
    """The product of the Jacobian with a direction: forward accumulation from a column."""
    output = trace.output
    shape = np.shape(trace.value)
    if not isinstance(output, Step):
        return np.zeros(shape)
    inputs = [trace.inputs[position] for position in directions]
    tangent = {step.number: column(v) for step, v in zip(inputs, directions.values(), strict=True)}
    edges = local_jacobians(trace, output, inputs)
    for number in reversed(edges):
        found: list[Term] = []
        for parent, local in edges[number]:
            if parent in tangent:
                found += products(local.terms, tangent[parent])
        if found:
            tangent[number] = collected(found)
    terms = tangent.get(output.number, [])
    return Jacobian(terms, shape, (), kind(output.value, output.value)).tensor()


@np.errstate(all="ignore")
def pulled_back(trace: Trace, positions: Sequence[int]) -> Any:
    """The map that multiplies a covector with the Jacobian: reverse accumulation from a row."""
    output = trace.output
    inputs = [trace.inputs[position] for position in positions]
    edges = local_jacobians(trace, output, inputs) if isinstance(output, Step) else {}
    if not trace.recording:
        for number, found in edges.items():
            edges[number] = [
                (parent, Jacobian([independent(t, trace.graph, J.dtype) for t in J.terms], J.out_shape, J.in_shape))
                for parent, J in found
            ]

    @np.errstate(all="ignore")
    def pull(u: Any) -> list[Any]:
        row = [term.T for term in column(u)]
        adjoint: dict[int, list[Term]] = {output.number: row} if isinstance(output, Step) else {}
        for number, found in edges.items():
            if number in adjoint:
                so_far = collected(adjoint.pop(number))
                for parent, local in found:
                    adjoint[parent] = adjoint.get(parent, []) + products(so_far, local.terms)
        results = []
        for step in inputs:
            terms = collected(adjoint.get(step.number, []))
            dtype = kind(np.asarray(trace.value) if not isinstance(output, Step) else output.value, step.value)
            results.append(Jacobian(terms, (), step.value.shape, dtype).tensor())
        return results

    return pull


def column(array: Any) -> list[Term]:
    """The terms of an array as a column."""
    return dense_terms(array.reshape(-1) if np.ndim(array) != 1 else array)
