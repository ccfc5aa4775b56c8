"""A function recorded once: its steps, what it returns, and the plain values on which its course depends."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.differentiate.trace import real_array, without_rule
from jacobi.errors import InputError, at_function
from jacobi.expressions import Graph, Node, Step
from jacobi.expressions.graph import Answer
from jacobi.matrix import Jacobian
from jacobi.rules import REGISTRY
from jacobi.rules.registry import Elementwise

STATIC = ("shape", "ndim", "size", "result_type", "can_cast", "common_type", "min_scalar_type")


def truth(function: Any) -> Elementwise:
    """A comparison as a step of its own: its derivative is zero, and its value is asked for again at every call."""
    return Elementwise(function, [lambda y, *x: 0] * function.nin, piecewise_constant=True)


# Comparisons are silent elsewhere; in a recording they are steps, so that masks follow the arguments.
RECORDED = {
    function: truth(function)
    for function in (
        np.greater, np.less, np.greater_equal, np.less_equal, np.equal, np.not_equal,
        np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.isfinite, np.isnan, np.isinf, np.signbit,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Recording:
    """What a call of a function did.

    Attributes
    ----------
    steps : list of Step
        All steps.
    inputs : tuple of Step
        The steps of the arrays among the arguments.
    output : object
        What was returned: steps where there were nodes, in tuples, lists, dictionaries and Jacobians.
    answers : list of Answer
        The plain values that the function was given.
    """

    steps: list[Step]
    inputs: tuple[Step, ...]
    output: Any
    answers: list[Answer]


def recorded(function: Callable[..., Any], arguments: Sequence[Any], arrays: Sequence[int]) -> Recording:
    """Run a function on nodes in place of the arrays among its arguments."""
    graph = Graph(ChainMap(RECORDED, REGISTRY), without_rule)  # type: ignore[arg-type]
    graph.answers = []
    inputs = {k: graph.input(real_array(arguments[k], f"argument {k}", function)) for k in arrays}
    nodes = [Node(graph, inputs[k]) if k in inputs else argument for k, argument in enumerate(arguments)]
    try:
        output = as_steps(function(*nodes), function)
        graph.verify()
    finally:
        graph.open = False
        graph.release()
    answers = [a for a in graph.answers if a.operation is None or a.operation.name.rpartition(".")[2] not in STATIC]
    return Recording(graph.steps, tuple(inputs.values()), output, answers)


def as_steps(result: Any, function: Any) -> Any:
    """What a function returned, with steps in place of nodes."""
    if isinstance(result, Node):
        return result.current()
    if isinstance(result, (tuple, list)):
        return type(result)(as_steps(part, function) for part in result)
    if isinstance(result, dict):
        return {key: as_steps(part, function) for key, part in result.items()}
    if isinstance(result, (Jacobian, np.ndarray, np.generic, int, float)) or result is None:
        return result
    raise InputError(
        at_function(
            function,
            f"the function returned a {type(result).__name__}, which cannot be compiled",
            "Return arrays, Jacobians, and tuples, lists and dictionaries of them.",
        )
    )
