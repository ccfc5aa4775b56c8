"""The traced function as a network of edges with their local Jacobians, ready to be changed one edge at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jacobi.differentiate.accumulate import relevant
from jacobi.differentiate.trace import Trace
from jacobi.expressions import Step
from jacobi.verification.diagnosis.chain_rule.edge import Edge, Maker, Matrix, at_line, compact
from jacobi.verification.evidence import Array

MOST_STEPS = 300
MOST_ENTRIES = 10_000_000  # of all local Jacobians, adjoints and tangents together


class TooLarge(Exception):
    """The network does not fit into the limits."""


class Branch(NamedTuple):
    """A choice between two operands, such as ``maximum(0, x)``, that was decided in another way."""

    value: Any
    locals: Mapping[int, Matrix]  # by operand


class Network:
    """The edges of a traced function, in the order in which they were computed.

    Parameters
    ----------
    traced : Trace
        The function at the point.
    start : Step
        The input to differentiate by.
    branches : mapping
        Choices decided in another way, by the number of the step; everything after them is computed again.
    """

    def __init__(self, traced: Trace, start: Step, branches: Mapping[int, Branch] | None = None):
        self.start, self.output = start.number, traced.output.number
        self.m, self.n = traced.output.value.size, start.value.size
        self.steps = relevant(traced.output, [start])[::-1]
        self.entries = 0
        self.values: dict[int, Any] = {}
        self.edges = list(self.found(branches or {}))
        self.tangents = self.forward({})
        self.adjoints = self.backward()
        empty = np.zeros((0, 0))
        for edge in self.edges:
            edge.adjoint = self.adjoints.get(edge.step, empty)
            edge.tangent = self.tangents.get(edge.parent, empty)
        self.edges = [edge for edge in self.edges if edge.adjoint.size and edge.tangent.size]
        self.total: Array = self.tangents.get(self.output, np.zeros((self.m, self.n)))

    def hold(self, entries: int) -> None:
        """Count the entries of a matrix that is about to be stored."""
        self.entries += entries
        if self.entries > MOST_ENTRIES:
            raise TooLarge

    def value(self, argument: Any) -> Any:
        """An argument as an array."""
        return self.values.get(argument.number, argument.value) if isinstance(argument, Step) else argument

    def maker(self, argument: Any) -> Maker | None:
        """The operation that made an argument."""
        if not isinstance(argument, Step) or argument.operation is None:
            return None
        arguments = [self.value(a) for a in argument.arguments]
        return Maker(argument.operation, short_name(argument.operation), arguments, argument.keywords)

    def found(self, branches: Mapping[int, Branch]) -> Iterator[Edge]:
        """The edges with their local Jacobians."""
        if len(self.steps) > MOST_STEPS:
            raise TooLarge
        active = {step.number for step in self.steps}
        for step in self.steps:
            operation: Any = step.operation
            self.hold((self.m + self.n) * step.value.size)
            if operation is None or step.number == self.start:
                continue
            arguments = [self.value(argument) for argument in step.arguments]
            branch = branches.get(step.number)
            if branch is not None:
                self.values[step.number] = branch.value
            elif self.values:
                self.values[step.number] = operation.evaluate(*arguments, **step.keywords)
            if operation.piecewise_constant:
                continue
            y = self.value(step)
            traced = [operand for operand, _ in step.parents]
            operands = [(operand, parent) for operand, parent in step.parents if parent.number in active]
            locals_ = operation.locals([operand for operand, _ in operands], y, arguments, step.keywords, traced)
            made_by = [self.maker(argument) for argument in step.arguments]
            together: list[Edge] = []
            for (operand, parent), J in zip(operands, locals_, strict=True):
                self.hold(min(2 * J.nnz, J.shape[0] * J.shape[1]))
                local = compact(J) if branch is None else branch.locals[operand]
                together.append(
                    Edge(
                        operation, short_name(operation), step.line, step.number, parent.number, operand, y,
                        arguments, step.keywords, made_by, traced, local,
                    )
                )  # fmt: skip
            for edge in together:
                edge.siblings = [other for other in together if other is not edge]
            yield from together

    def forward(self, changed: Mapping[Edge, Matrix]) -> dict[int, Array]:
        """The derivative of every step by the input, with some local Jacobians changed."""
        result: dict[int, Array] = {self.start: np.eye(self.n)}
        for edge in self.edges:
            if edge.parent in result:
                part = changed.get(edge, edge.local) @ result[edge.parent]
                result[edge.step] = result[edge.step] + part if edge.step in result else part
        return result

    def backward(self) -> dict[int, Array]:
        """The derivative of the output by every step."""
        result: dict[int, Array] = {self.output: np.eye(self.m)}
        for edge in reversed(self.edges):
            if edge.step in result:
                part = result[edge.step] @ edge.local
                result[edge.parent] = result[edge.parent] + part if edge.parent in result else part
        return result


def short_name(operation: Any) -> str:
    """The name of an operation without its module."""
    return str(operation.name).rsplit(".", 1)[-1]


def place(step: Step) -> str:
    """The name of a step and its line."""
    return "the variable" if step.operation is None else at_line(short_name(step.operation), step.line)
