"""The traced function as a network of edges with their local Jacobians, ready to be changed one edge at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jacobi.differentiate.accumulate import relevant
from jacobi.differentiate.trace import Trace
from jacobi.expressions import Step
from jacobi.verification.diagnosis.chain_rule.edge import Edge, Matrix, at_line, compact
from jacobi.verification.evidence import Array

MOST_STEPS = 300
MOST_ENTRIES = 10_000_000  # of all local Jacobians, adjoints and tangents together


class TooLarge(Exception):
    """The network does not fit into the limits."""


class Branch(NamedTuple):
    """What stands in the place of a step: another value, and local Jacobians by operand (those of its rule if None)."""

    value: Any
    locals: Mapping[int, Matrix] | None


class Network:
    """The edges of a traced function, in the order in which they were computed.

    Parameters
    ----------
    traced : Trace
        The function at the point.
    start : Step
        The input to differentiate by.
    branches : mapping
        What stands in the place of some steps, by their numbers; everything after them is computed again.
    """

    def __init__(self, traced: Trace, start: Step, branches: Mapping[int, Branch] | None = None):
        self.start, self.output = start.number, traced.output.number
        self.m, self.n = traced.output.value.size, start.value.size
        self.all_steps = relevant(traced.output, list(traced.inputs.values()))[::-1]
        active = {step.number for step in relevant(traced.output, [start])}
        self.steps = [step for step in self.all_steps if step.number in active]
        self.entries = 0
        self.values: dict[int, Any] = {}
        self.edges = list(self.found(branches or {}))
        self.tangents = self.forward({})
        self.total: Array = self.tangents.get(self.output, np.zeros((self.m, self.n)))

    def connected(self) -> Network:
        """The same network with the adjoints of its steps and edges; edges that lead nowhere are left out."""
        self.adjoints = self.backward()
        empty = np.zeros((0, 0))
        for edge in self.edges:
            edge.adjoint = self.adjoints.get(edge.step, empty)
            edge.tangent = self.tangents.get(edge.parent, empty)
        self.edges = [edge for edge in self.edges if edge.adjoint.size and edge.tangent.size]
        return self

    def hold(self, entries: int) -> None:
        """Count the entries of a matrix that is about to be stored."""
        self.entries += entries
        if self.entries > MOST_ENTRIES:
            raise TooLarge

    def value(self, argument: Any) -> Any:
        """An argument as an array."""
        return self.values.get(argument.number, argument.value) if isinstance(argument, Step) else argument

    def found(self, branches: Mapping[int, Branch]) -> Iterator[Edge]:
        """The edges with their local Jacobians."""
        if len(self.all_steps) > MOST_STEPS:
            raise TooLarge
        active = {step.number for step in self.steps}
        for step in self.all_steps:
            operation: Any = step.operation
            self.hold((self.m + self.n) * step.value.size)
            if operation is None or step.number == self.start:
                continue
            arguments = [self.value(argument) for argument in step.arguments]
            branch = branches.get(step.number)
            if branch is not None:
                self.values[step.number] = branch.value
            elif any(isinstance(argument, Step) and argument.number in self.values for argument in step.arguments):
                self.values[step.number] = operation.evaluate(*arguments, **step.keywords)
            if operation.piecewise_constant or step.number not in active:
                continue
            y = self.value(step)
            traced = [operand for operand, _ in step.parents]
            operands = [(operand, parent) for operand, parent in step.parents if parent.number in active]
            locals_ = operation.locals([operand for operand, _ in operands], y, arguments, step.keywords, traced)
            together: list[Edge] = []
            for (operand, parent), J in zip(operands, locals_, strict=True):
                self.hold(min(2 * J.nnz, J.shape[0] * J.shape[1]))
                local = compact(J)
                if branch is not None and branch.locals is not None:
                    local = branch.locals[operand]
                together.append(
                    Edge(
                        operation, short_name(operation), step.line, step.number, parent.number, operand, y,
                        arguments, step.keywords, traced, local,
                    )
                )  # fmt: skip
            sources = [argument.number if isinstance(argument, Step) else -1 for argument in step.arguments]
            for edge in together:
                edge.sources = sources
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
