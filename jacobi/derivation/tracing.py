"""A program traced for a derivation: its graph at sizes that can be told from all other numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobi.derivation.expression import TELLING
from jacobi.derivation.refusals import DerivationError
from jacobi.derivation.sizes import Sizes
from jacobi.derivation.symbolic import graph_of
from jacobi.differentiate.trace import Trace, result_of, without_rule
from jacobi.errors import at_users_line
from jacobi.expressions import Graph, Node, Step
from jacobi.expressions.graph import Answer

STATIC = ("shape", "ndim", "size", "result_type")  # what is asked of shapes, not of values


@dataclass(frozen=True)
class Traced:
    """A program that has run on nodes.

    Attributes
    ----------
    graph : Graph
        Its steps.
    inputs : dict
        The step of every argument.
    output : Step
        The step of the result.
    named : dict
        The names that the program gives to intermediate results, by the number of the step.
    sizes : Sizes
        The numbers of the letters.
    """

    graph: Graph
    inputs: dict[str, Step]
    output: Any
    named: dict[int, str]
    sizes: Sizes

    def trace(self) -> Trace:
        """The trace as the accumulation of derivatives wants it: derivatives are recorded as well."""
        return Trace(self.graph, dict(enumerate(self.inputs.values())), self.output, True)


def refuse_branches(answers: list[Answer]) -> None:
    """Refuse a program whose course depends on values: its formula would hold on one branch only."""
    for answer in answers:
        name = "a traced value" if answer.operation is None else answer.operation.name
        silent = answer.inside or name.rpartition(".")[2] in STATIC
        if not silent and any(isinstance(a, Step) for a in answer.arguments):
            value = f"{answer.value!r:.40}"
            what = f"no formula, because the course of the function depends on values ({name} gave {value})"
            cure = "Write np.where(condition, a, b) instead of if, so that both cases are in the formula."
            raise DerivationError(at_users_line(what, cure))


def telling(sizes: Sizes, skipped: int = 0) -> Sizes:
    """The same shapes with numbers that can be told from all others; the first of them may be skipped."""
    taken = {token for shape in sizes.shapes.values() for token in shape if isinstance(token, int)}
    taken |= {int(number) for number in re.findall(r"[0-9]+", sizes.program.text)} - {0}
    free = [p for p in TELLING[skipped:] if all(other % p and other % (p // 2) for other in taken)]
    return replace(sizes, letters=dict(zip(sizes.letters, free, strict=False)), domains={})


def traced(sizes: Sizes, values: Mapping[str, Any], run: Any = None) -> Traced:
    """Run a program, or another function ``run(**values)`` of its arguments, on nodes."""
    graph = graph_of(without_rule)
    inputs = {name: graph.input(np.asarray(values[name], dtype=float)[()]) for name in sizes.program.arguments}
    nodes: dict[str, Any] = {name: Node(graph, step) for name, step in inputs.items()}
    nodes |= {letter: values[letter] for letter in sizes.program.letters}
    answers = graph.answers = []
    try:
        result, scope = sizes.program.run(**nodes) if run is None else (run(**nodes), {})
        output = result_of(graph, result, None)  # type: ignore[arg-type]
        named = {
            value.current().number: name
            for name, value in scope.items()
            if isinstance(value, Node) and value.current().operation is not None
        }
    finally:
        graph.answers = None  # rules may ask what they like
        graph.release()
    refuse_branches(answers)
    return Traced(graph, inputs, output, named, sizes)
