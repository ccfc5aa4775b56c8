"""The graph of a traced function: one step per operation, in the order in which they ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from jacobi.errors import TraceError, at_users_line
from jacobi.expressions.step import LARGE, Fleeting, Operation, Step

SMALL = 16_384  # entries; constants up to this size are copied, larger ones are watched by a sample


class StrangerError(TraceError):
    """A traced value of one graph met another graph.

    Attributes
    ----------
    graphs : tuple of Graph
        The graphs that met.
    """

    def __init__(self, *graphs: Graph):
        super().__init__(
            at_users_line(
                "a traced value was kept after its trace had ended, or belongs to another one",
                "Pass it to the function as an argument, and return what you need of it.",
            )
        )
        self.graphs = graphs


class Answer(NamedTuple):
    """A plain value that the user's code was given for traced ones.

    Attributes
    ----------
    operation : Operation or None
        The silent operation that gave it; None for a conversion of one traced value, as by ``if x > 0``.
    arguments : tuple
        Steps and constants.
    keywords : dict
        Parameters.
    value : object
        The answer.
    number : int
        How many steps there were.
    inside : bool
        Whether a composed operation asked, not the user's code.
    """

    operation: Operation | None
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    value: Any
    number: int
    inside: bool = False


class Graph:
    """All steps of a trace.

    Parameters
    ----------
    operations : mapping
        The operation of every NumPy or SciPy function that a node may meet.
    missing : callable
        Called with a function that is not among them; gives its operation after all, or raises the error.
    frugal : bool
        Whether large values that no derivative looks at are let go as soon as the traced function does so.
    """

    __slots__ = (
        "answers", "composing", "fleeting", "foreign", "frugal", "locked", "missing", "open", "operations", "steps",
        "watched",
    )  # fmt: skip

    def __init__(
        self, operations: Mapping[Any, Operation], missing: Callable[[Any], Operation], frugal: bool = False
    ):
        self.operations = operations
        self.missing = missing
        self.frugal = frugal
        self.fleeting = False  # whether there are values that are let go
        self.steps: list[Step] = []
        self.watched: list[tuple[Any, Any]] = []
        self.locked: list[Any] = []
        self.foreign: set[int] = set()
        self.composing = 0  # how many composed operations are being recorded in terms of others
        self.open = True  # until the traced function has returned
        self.answers: list[Answer] | None = None  # the plain values that the user's code was given, if somebody asks

    def input(self, value: Any) -> Step:
        """A step without an operation: an input of the traced function."""
        if isinstance(value, np.ndarray):
            value = self.constant(value)  # the function may change the array of its caller behind our back
        step = Step(None, (), {}, (), value, len(self.steps))
        self.steps.append(step)
        self.foreign.add(id(owner(value)))
        return step

    def constant_step(self, value: Any) -> Step:
        """A step for an array that depends on nothing, such as ``np.zeros_like(x)``."""
        step = Step(None, (), {}, (), value, len(self.steps))
        self.steps.append(step)
        return step

    def add(
        self,
        operation: Operation,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        parents: tuple[tuple[int, Step], ...],
        value: Any,
    ) -> Step:
        """Append a step."""
        kind = Step
        if self.frugal and (self.fleeting or value.nbytes >= LARGE):
            kind = self.kind_of(operation, parents, value)
        step = kind(operation, arguments, keywords, parents, value, len(self.steps))
        step.composed = self.composing > 0
        self.steps.append(step)
        return step

    def kind_of(self, operation: Operation, parents: tuple[tuple[int, Step], ...], value: Any) -> type[Step]:
        """Which kind of step this is to be; the operands that its derivative looks at are kept."""
        result, operands = operation.needed(tuple([position for position, _ in parents]))
        for position, parent in parents:
            if type(parent) is Fleeting and position in operands:
                parent.keep()
        if result or value.nbytes < LARGE:
            return Step
        self.fleeting = True
        return Fleeting

    def constant(self, array: Any) -> Any:
        """A constant operand, safe from later changes: a buffer may be written again while tracing goes on.

        Small arrays are copied.  Large ones are made read-only until the trace has ended, and a sample is kept that
        `verify` compares, because they may be written through other views.
        """
        if array.size <= SMALL:
            return array.copy(order="K")
        self.foreign.add(id(owner(array)))
        if array.flags.writeable:
            array.flags.writeable = False
            self.locked.append(array)
        self.watched.append((array, sample(array)))
        return array

    def answered(self, operation: Operation | None, arguments: Any, keywords: dict[str, Any], value: Any) -> None:
        """Note that the user's code was given a plain value, on which its course may depend."""
        if self.answers is not None:
            steps = tuple(a.current() if isinstance(a, Traced) else a for a in arguments)
            self.answers.append(Answer(operation, steps, keywords, value, len(self.steps), self.composing > 0))

    def forget(self, output: Step) -> None:
        """Let go of all steps behind the output: the derivatives have been taken, and hold what they need."""
        output.arguments = output.parents = ()
        self.steps.clear()

    def release(self) -> None:
        """Let the arrays that were made read-only be written again."""
        owners_first = sorted(self.locked, key=lambda array: array.base is not None)  # a view cannot be unlocked before
        self.locked.clear()
        for array in owners_first:
            with suppress(ValueError):  # its owner has been made read-only by somebody else meanwhile
                array.flags.writeable = True

    def verify(self) -> None:
        """Raise an error if a large constant was changed while it was in use."""
        for array, before in self.watched:
            if not np.array_equal(sample(array), before, equal_nan=before.dtype.kind == "f"):
                raise changed_in_place()


def changed_in_place() -> TraceError:
    """The error for an array that a traced function has used and then changed."""
    return TraceError(
        at_users_line(
            "an array was changed in place after it had been used with traced values, so its derivative would be wrong",
            "Use a new array instead of writing into the old one.",
        )
    )


class Traced:
    """A traced array as the user's code holds it: it stands for a step, and for another one after a change in place.

    Attributes
    ----------
    graph : Graph
        The graph that records.
    step : Step
        The step whose value this is, when there are no pending writes.
    origin : View or None
        What the array looks at, if it is a view.
    writes : Writes or None
        Assignments that have not become a step yet.
    version : int
        Counts the changes in place.
    held : array or None
        The value of a step that does not hold it itself.
    """

    __slots__ = ("graph", "held", "origin", "step", "version", "writes")

    def __init__(self, graph: Graph, step: Step, origin: Any = None):
        self.graph = graph
        self.step = step
        self.origin = origin
        self.writes: Any = None
        self.version = 0
        self.held = step.value if type(step) is Fleeting else None

    def current(self) -> Step:
        """The step of this array, after all changes so far."""
        if self.origin is not None:
            self.origin.follow(self)
        if self.writes is not None:
            self.written()
        return self.step

    def written(self) -> None:
        """Make the pending writes one step."""
        self.step = step = self.writes.step(self.graph)
        self.held = step.value if type(step) is Fleeting else None  # before the writes let it go
        self.writes = None


def sample(array: Any) -> Any:
    """About a thousand entries, spread evenly over an array."""
    per_axis = 1024 ** (1 / array.ndim)
    return array[tuple(slice(None, None, max(1, int(count / per_axis))) for count in array.shape)].copy()


def owner(array: Any) -> Any:
    """The object whose memory an array looks at."""
    base = getattr(array, "base", None)
    while base is not None:
        array = base
        base = getattr(array, "base", None)
    return array
