"""Steps: the recorded operations of a trace, those among them whose values are let go, and what they know of a rule."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Protocol
from weakref import ref

import numpy as np

from jacobi.errors import Place, shown, users_place

LARGE = 2**16  # bytes; smaller values are kept, which is quicker


class Operation(Protocol):
    """What the graph needs to know of an operation; the rules of `jacobi.rules` are such objects.

    Attributes
    ----------
    name : str
        The name for messages.
    kind : {"primitive", "composed", "silent", "fresh"}
        Recorded as a step; defined through other operations; evaluated on plain values; or that as well, but the
        result is an array that traced values can be assigned to.
    arity : int or None
        How many of the leading arguments are arrays; None when all are.
    regular : bool
        Whether calls without keywords can be recorded as they come.
    piecewise_constant : bool
        Whether the derivative is zero wherever there is one.
    moves : bool
        Whether the operation moves entries around, so that its result may be a view.
    kink : callable or None
        Tells how far the operands are from a place where the result has no derivative, or whether they are there.
    """

    name: str
    kind: str
    arity: int | None
    regular: bool
    piecewise_constant: bool
    moves: bool
    kink: Callable[..., Any] | None
    evaluate: Callable[..., Any]

    def operands(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call brought into the form in which it is recorded: arrays first, parameters as keywords."""

    def needed(self, traced: tuple[int, ...]) -> tuple[bool, Container[int]]:
        """Whether the derivatives by some operands look at the result, and at which operands."""


class Step:
    """One recorded operation: ``value = operation.evaluate(*arguments, **keywords)``.

    Attributes
    ----------
    operation : Operation or None
        The operation; None for an input of the traced function.
    arguments : tuple
        Steps where a traced value was passed, and constants.
    keywords : dict
        Parameters of the operation; never traced.
    parents : tuple of (int, Step)
        The positions in ``arguments`` at which steps stand.
    value : array
        The result at the point of the trace.
    number : int
        The position in the graph.
    place : tuple or None
        Where the user's code calls the operation; `line` shows it.
    composed : bool
        Whether it was recorded in place of another operation, so that its layout in memory may differ from NumPy's.
    """

    __slots__ = ("arguments", "composed", "keywords", "number", "operation", "parents", "place", "value")

    def __init__(
        self,
        operation: Operation | None,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        parents: tuple[tuple[int, Step], ...],
        value: Any,
        number: int,
    ):
        self.operation = operation
        self.arguments = arguments
        self.keywords = keywords
        self.parents = parents
        self.value = value
        self.number = number
        self.composed = False
        self.place: Place = None if operation is None else users_place()

    @property
    def line(self) -> str:
        """``file.py:12``, where the user's code calls the operation, or ``""``."""
        return shown(self.place)

    def __repr__(self) -> str:
        name = "input" if self.operation is None else self.operation.name
        return f"<step {self.number}: {name} {np.shape(self.value)}>"


class Fleeting(Step):
    """A step whose value is held by the traced function only, as long as that holds it, until a derivative needs it.

    Large values that no derivative looks at, such as those of sums and slices, then take no more memory in a trace
    than in the function itself.  A value that is asked for all the same is calculated again.
    """

    __slots__ = ("kept", "seen", "shape", "type")

    @property
    def value(self) -> Any:
        """The result at the point of the trace."""
        array = self.seen() if self.kept is None else self.kept
        return evaluated(self) if array is None else array

    @value.setter
    def value(self, value: Any) -> None:
        self.kept = None
        self.seen = ref(value)
        self.shape, self.type = value.shape, value.dtype

    def keep(self) -> None:
        """Hold the value from now on."""
        self.kept = self.value

    def value_or_stand_in(self) -> Any:
        """The value, or where it is gone an array of its shape and type that nobody should look into."""
        array = self.seen() if self.kept is None else self.kept
        if array is None:
            nothing = np.full((), np.nan if self.type.kind == "f" else 0, self.type)
            array = np.broadcast_to(nothing, self.shape)
        return array


def evaluated(step: Fleeting) -> Any:
    """The value of a step that has let it go; it and those that it needs are calculated again and kept."""
    wanted: dict[int, Any] = {step.number: step}
    stack: list[Step] = [step]
    while stack:
        for _, parent in stack.pop().parents:
            missing = type(parent) is Fleeting and parent.kept is None and parent.seen() is None
            if missing and parent.number not in wanted:
                wanted[parent.number] = parent
                stack.append(parent)
    for number in sorted(wanted):
        gone = wanted[number]
        arguments = [a.value if isinstance(a, Step) else a for a in gone.arguments]
        gone.kept = np.asarray(gone.operation.evaluate(*arguments, **gone.keywords)).astype(gone.type, copy=False)
    return step.kept
