"""Tracing: run the user's function on nodes and keep the graph of what it did."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jacobi.errors import InputError, NoRuleError, at_users_line
from jacobi.expressions import Graph, Node, Step
from jacobi.expressions.node import operand, record
from jacobi.rules import REFUSED, REGISTRY, full_name


class Trace(NamedTuple):
    """What tracing a function gave.

    Attributes
    ----------
    graph : Graph
        All steps.
    inputs : dict
        The input step by the position of the argument.
    output : Step or array
        The step of the result; an array when it does not depend on the inputs.
    recording : bool
        Whether the trace runs inside another one, so that derivatives are recorded as well.
    """

    graph: Graph
    inputs: dict[int, Step]
    output: Any
    recording: bool

    @property
    def value(self) -> Any:
        """The result of the function: an array, or a node inside another trace."""
        if not isinstance(self.output, Step):
            return self.output
        return Node(self.graph, self.output) if self.recording else self.output.value


def trace(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    keywords: dict[str, Any],
    positions: Sequence[int],
) -> Trace:
    """Run ``function`` on nodes.

    Parameters
    ----------
    function : callable
        Plain NumPy code.
    arguments, keywords
        Its arguments; those at ``positions``, and all floating arrays among the positional ones, are traced.
    positions : sequence of int
        The arguments to differentiate by.
    """
    graph = next((a.graph for a in arguments if isinstance(a, Node)), None)
    recording = graph is not None
    if graph is None:
        graph = Graph(REGISTRY, without_rule)
    inputs: dict[int, Step] = {}
    nodes = list(arguments)
    for position, argument in enumerate(arguments):
        if isinstance(argument, Node):  # a fresh variable with the same value, so that only its uses count
            nodes[position] = record(graph, np.positive, (argument,))
            inputs[position] = nodes[position].step
        elif position in positions or is_floating_array(argument):
            inputs[position] = graph.input(real_array(argument, f"argument {position}"))
            nodes[position] = Node(graph, inputs[position])
    result = function(*nodes, **keywords)
    output = result_of(graph, result)
    graph.verify()
    return Trace(graph, inputs, output, recording)


def is_floating_array(value: Any) -> bool:
    """Whether an argument that is not differentiated takes part in the trace."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def real_array(value: Any, what: str) -> Any:
    """An argument as an array of floating numbers; integers are promoted."""
    if not isinstance(value, (np.ndarray, np.generic, float, int, list, tuple)):
        raise InputError(
            at_users_line(
                f"{what} is a {type(value).__module__}.{type(value).__name__}, not an array of numbers",
                "Convert it first, for example with np.asarray(x), x.to_numpy() or x.detach().numpy().",
            )
        )
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(
            at_users_line(f"{what} is a ragged list", "All rows of an array have the same length.")
        ) from None
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        kind = "complex" if array.dtype.kind == "c" else f"of type {array.dtype}"
        raise InputError(
            at_users_line(
                f"{what} is {kind}", "Pass real numbers; treat real and imaginary part as separate arguments."
            )
        )
    return array if array.ndim else array[()]


def result_of(graph: Graph, result: Any) -> Any:
    """The step of what the function returned, or an array when nothing in it is traced."""
    if isinstance(result, Node):
        return result.current()
    if result is None:
        raise InputError(
            at_users_line("the function returned None", "Is a return statement missing at its end?")
        )
    if isinstance(result, (np.ndarray, np.generic, list, tuple, int, float, complex)):
        kept = operand(graph, result)
        if isinstance(kept, Node):
            return kept.current()
        return real_array(kept, "the result of the function")
    raise InputError(
        at_users_line(
            f"the function returned a {type(result).__name__}, not an array",
            "Return an array, a number, or a list of numbers.",
        )
    )


def without_rule(function: Any) -> Any:
    """The operation of a function that is not in the registry yet, or the error that names it."""
    if isinstance(function, np.ufunc) and "scipy.special" in sys.modules:
        import jacobi.rules.special  # noqa: F401

        if function in REGISTRY:
            return REGISTRY[function]
    name = full_name(function)
    if function in REFUSED:
        raise NoRuleError(at_users_line(f"{name} cannot be differentiated", REFUSED[function]))
    raise NoRuleError(
        at_users_line(
            f"{name} has no derivative rule",
            "Write it with other NumPy functions, or declare a rule: see jacobi.rules.elementwise and "
            "jacobi.rules.rule.",
        )
    )
