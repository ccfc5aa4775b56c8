"""Tracing: run the user's function on nodes and keep the graph of what it did."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jacobi.errors import InputError, JacobiError, NoRuleError, TraceError, at_function, at_users_line, causes
from jacobi.expressions import Graph, Node, Step, StrangerError
from jacobi.expressions.graph import changed_in_place
from jacobi.expressions.node import record
from jacobi.expressions.operands import stacked
from jacobi.expressions.step import Fleeting
from jacobi.rules import REFUSED, REGISTRY, full_name
from jacobi.rules.operations import Rule


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
    frugal: bool = False,
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
    frugal : bool
        Whether values that no derivative looks at are let go.
    """
    outer = next((a.graph for a in arguments if isinstance(a, Node)), None)
    others = [k for k, a in enumerate(arguments) if k not in positions and is_floating_array(a)]
    try:
        return recorded(function, arguments, keywords, [*positions, *others], outer, frugal)
    except (TraceError, InputError) as error:
        if not others or isinstance(error, StrangerError):
            return in_outer_graph(error, function, arguments, keywords, positions)
    # some code needs plain arrays: those that are not differentiated by can be left alone
    return recorded(function, arguments, keywords, positions, outer, frugal)


def in_outer_graph(
    error: Exception,
    function: Callable[..., Any],
    arguments: Sequence[Any],
    keywords: dict[str, Any],
    positions: Sequence[int],
) -> Trace:
    """Trace again, in a trace that is still going on and whose values the function uses without being given them."""
    graphs = error.graphs if isinstance(error, StrangerError) else ()
    outer = next((graph for graph in graphs if graph.open), None)
    if outer is None:
        raise error
    return recorded(function, arguments, keywords, positions, outer, False)


def recorded(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    keywords: dict[str, Any],
    positions: Sequence[int],
    outer: Graph | None,
    frugal: bool,
) -> Trace:
    """Run ``function`` on nodes, in a graph of their own or in that of a trace that is going on."""
    graph = Graph(REGISTRY, without_rule, frugal) if outer is None else outer
    if outer is not None:
        outer.frugal = False  # derivatives that are recorded look at more than derivatives do
    inputs: dict[int, Step] = {}
    nodes = list(arguments)
    for position, argument in enumerate(arguments):
        if isinstance(argument, Node):  # a fresh variable with the same value, so that only its uses count
            nodes[position] = record(graph, np.positive, (argument,))
            inputs[position] = nodes[position].step
        elif position in positions:
            inputs[position] = graph.input(real_array(argument, f"argument {position}"))
            nodes[position] = Node(graph, inputs[position])
    try:
        result = function(*nodes, **keywords)
        output = result_of(graph, result, function)
        if isinstance(output, Fleeting):
            output.keep()
        graph.verify()
    except (ValueError, TypeError, AttributeError) as error:
        if graph.locked and "read-only" in str(error):
            raise changed_in_place() from None
        raise hidden_cause(error) from error.__cause__
    finally:
        graph.open = outer is not None
        if outer is None:
            graph.release()
    return Trace(graph, inputs, output, outer is not None)


OBJECTS = ("dtype('O')", "type Node", "'Node' object", "argument 0 of type float", "argument 1 of type float")


def hidden_cause(error: Exception) -> Exception:
    """Our own error where NumPy has put a vaguer one in front of it (as in ``plain[0] = traced``)."""
    for cause in causes(error):
        if isinstance(cause, TraceError):
            return cause
    if not isinstance(error, JacobiError) and any(word in str(error) for word in OBJECTS):
        return TraceError(
            at_users_line(
                f"NumPy met an array of traced objects, such as np.array([x[0], 1.0]): {error}",
                "Build the array with np.stack([x[0], 1.0]).",
            )
        )
    return error


def is_floating_array(value: Any) -> bool:
    """Whether an argument that is not differentiated takes part in the trace."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def real_array(value: Any, what: str, function: Any = None) -> Any:
    """A value as an array of floating numbers; integers are promoted.

    Raises `InputError`, which names the line of ``function`` if it is given, for anything else.
    """
    if not isinstance(value, (np.ndarray, np.generic, float, int, complex, list, tuple)) or isinstance(
        value, (np.ma.MaskedArray, np.matrix)
    ):
        raise InputError(
            at_function(
                function,
                f"{what} is a {type(value).__module__}.{type(value).__name__}, not an array of numbers",
                "Convert it first, for example with np.asarray(x), x.to_numpy() or x.detach().numpy().",
            )
        )
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(
            at_function(function, f"{what} is a ragged list", "All rows of an array have the same length.")
        ) from None
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        kind = "complex" if array.dtype.kind == "c" else f"of type {array.dtype}"
        raise InputError(
            at_function(
                function, f"{what} is {kind}", "Use real numbers; treat real and imaginary part as separate arrays."
            )
        )
    return array if array.ndim else array[()]


def result_of(graph: Graph, result: Any, function: Callable[..., Any]) -> Any:
    """The step of what the function returned, or an array when nothing in it is traced."""
    if isinstance(result, np.ndarray) and result.dtype.kind == "O" and result.ndim == 0:
        result = result[()]
    if isinstance(result, Node):
        return result.current()
    if result is None:
        raise InputError(
            at_function(function, "the function returned None", "Is a return statement missing at its end?")
        )
    if isinstance(result, (list, tuple)) or (isinstance(result, np.ndarray) and result.dtype.kind == "O"):
        parts = {np.shape(part) for part in result}
        if len(parts) > 1:
            raise InputError(
                at_function(
                    function,
                    f"the function returned parts of the shapes {sorted(parts)}",
                    "Join them to one array: np.concatenate([np.ravel(a), np.ravel(b)]).",
                )
            )
        result = stacked(graph, result)
        if isinstance(result, Node):
            return result.current()
    if isinstance(result, (np.ndarray, np.generic, int, float, complex)):
        return real_array(result, "the result of the function", function)
    raise InputError(
        at_function(
            function,
            f"the function returned a {type(result).__name__}, not an array",
            "Return an array, a number, or a list of numbers.",
        )
    )


def without_rule(function: Any) -> Any:
    """The operation of a function that is not in the registry yet, or the error that names it."""
    own = getattr(function, "operation", None)  # of a function that was made and declared by the user
    if isinstance(own, Rule):
        return own
    import jacobi.rules.library

    if function in REGISTRY:
        return REGISTRY[function]
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
