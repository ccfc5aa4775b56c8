"""A function recorded once: its steps, what it returns, and the plain values on which its course depends."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jacobi.compilation.exits import EXITS, Filled
from jacobi.differentiate.trace import real_array, without_rule
from jacobi.errors import InputError, at_function
from jacobi.expressions import Graph, Node, Step
from jacobi.expressions.graph import Answer, Traced
from jacobi.expressions.operands import stacked
from jacobi.matrix import Jacobian
from jacobi.rules import REGISTRY
from jacobi.rules.operations import Elementwise

STATIC = ("shape", "ndim", "size", "result_type", "can_cast", "common_type", "min_scalar_type")


def truth(function: Any) -> Elementwise:
    """A comparison as a step of its own: its derivative is zero, and its value is asked for again at every call."""
    return Elementwise(function, [lambda y, *x: 0] * function.nin, piecewise_constant=True)


# Comparisons are silent elsewhere; in a recording they are steps, so that masks follow the arguments.
MASKS = {
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
    inputs : list of Step
        The steps of the arrays among the arguments.
    output : object
        What was returned: steps where there were nodes, in tuples, lists, dictionaries and Jacobians.
    answers : list of Answer
        The plain values that the function was given.
    """

    inputs: list[Step]
    output: Any
    answers: list[Answer]


class AnsweringGraph(Graph):
    """A graph that notes all plain values that it gives away, as they are at that moment."""

    __slots__ = ()

    def answered(self, operation: Any, arguments: Any, keywords: dict[str, Any], value: Any) -> None:
        """Note an answer, with steps in place of nodes wherever they stand in the question."""
        if operation is not None and operation.name.rpartition(".")[2] in STATIC:
            return
        assert self.answers is not None
        value = value.copy() if isinstance(value, np.ndarray) else value
        self.answers.append(Answer(operation, question(arguments), question(keywords), value, len(self.steps)))


def question(part: Any) -> Any:
    """A part of a question with steps in place of nodes."""
    if isinstance(part, Traced):
        return part.current()
    if isinstance(part, (tuple, list)) and not hasattr(part, "_fields"):
        return type(part)(map(question, part))
    if isinstance(part, dict):
        return {key: question(value) for key, value in part.items()}
    return part.copy() if isinstance(part, np.ndarray) else part


def recorded(function: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str], exit: str | None) -> Recording:
    """Run a function on nodes.

    Parameters
    ----------
    function : callable
        Takes the arrays one by one.
    leaves : sequence
        The arrays and numbers.
    names : sequence of str
        What they are called in messages.
    exit : str or None
        The format that Jacobians are brought into afterwards.

    Notes
    -----
    Masks are steps, so that they follow the arguments.  A function that does with a mask what a traced value does
    not allow is recorded again with plain masks, which are compared at every call.
    """
    try:
        return attempt(function, leaves, names, exit, ChainMap(MASKS, REGISTRY))
    except (TypeError, AttributeError, IndexError, ValueError):
        return attempt(function, leaves, names, exit, REGISTRY)


def attempt(
    function: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str], exit: str | None, operations: Any
) -> Recording:
    """Run a function on nodes of a graph with certain operations."""
    graph = AnsweringGraph(operations, without_rule)
    graph.answers = []
    try:
        inputs = [graph.input(real_array(leaf, name, function)) for leaf, name in zip(leaves, names, strict=True)]
        output = as_steps(function(*[Node(graph, step) for step in inputs]), function, exit)
        graph.verify()
    finally:
        graph.open = False
        graph.release()
    return Recording(inputs, output, graph.answers)


def as_steps(result: Any, function: Any, exit: str | None) -> Any:
    """What a function returned, with steps in place of nodes."""
    if isinstance(result, Node):
        return result.current()
    if isinstance(result, Jacobian):
        if exit in (None, "operator"):
            return result
        terms = [term.contracted() for term in result.terms]  # an exit writes every entry, so sums come before
        return as_steps(EXITS[exit](Jacobian(terms, result.out_shape, result.in_shape, result.dtype)), function, None)
    if isinstance(result, Filled):
        return replace(result, writes=[(as_steps(values, function, None), *how) for values, *how in result.writes])
    if isinstance(result, np.ndarray) and result.dtype.kind == "O":
        graph = next((part.graph for part in result.reshape(-1) if isinstance(part, Node)), None)
        if graph is not None:
            return as_steps(stacked(graph, result), function, exit)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(as_steps(part, function, exit) for part in result))
    if isinstance(result, (tuple, list)):
        return type(result)(as_steps(part, function, exit) for part in result)
    if isinstance(result, dict):
        return {key: as_steps(part, function, exit) for key, part in result.items()}
    if isinstance(result, (np.ndarray, np.generic, bool, int, float, str)) or result is None:
        return result
    raise InputError(
        at_function(
            function,
            f"the function returned a {type(result).__name__}, which cannot be compiled",
            "Return arrays, Jacobians, and tuples, lists and dictionaries of them.",
        )
    )
