"""A program traced for a derivation: its graph at sizes that can be told from all other numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobi.derivation.sizes import Sizes
from jacobi.derivation.symbolic import graph_of
from jacobi.differentiate.trace import Trace, result_of, without_rule
from jacobi.expressions import Graph, Node, Step

# Primes p with (p - 1) / 2 prime as well: no decimal fraction has them in its denominator, so that 1/N and 1/(N - 1)
# can be read off a number.
TELLING = (23, 47, 59, 83, 107, 167, 179, 227)


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


def telling(sizes: Sizes) -> Sizes:
    """The same shapes with numbers that can be told from all others."""
    taken = {token for shape in sizes.shapes.values() for token in shape if isinstance(token, int)}
    free = [number for number in TELLING if number not in taken]
    return replace(sizes, letters=dict(zip(sizes.letters, free, strict=False)), domains={})


def traced(sizes: Sizes, values: Mapping[str, Any], run: Any = None) -> Traced:
    """Run a program, or another function ``run(**values)`` of its arguments, on nodes."""
    graph = graph_of(without_rule)
    inputs = {name: graph.input(np.asarray(values[name], dtype=float)[()]) for name in sizes.program.arguments}
    nodes: dict[str, Any] = {name: Node(graph, step) for name, step in inputs.items()}
    nodes |= {letter: values[letter] for letter in sizes.program.letters}
    try:
        result, scope = sizes.program.run(**nodes) if run is None else (run(**nodes), {})
        output = result_of(graph, result, None)  # type: ignore[arg-type]
        named = {
            value.current().number: name
            for name, value in scope.items()
            if isinstance(value, Node) and value.current().operation is not None
        }
    finally:
        graph.release()
    return Traced(graph, inputs, output, named, sizes)
