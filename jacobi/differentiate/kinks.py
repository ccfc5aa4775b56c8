"""Kinks: the places of a trace at which an operation has no derivative, so that a convention gave the result."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jacobi.expressions import Step


class Kink(NamedTuple):
    """An operation that stands at a kink or a singular point.

    Attributes
    ----------
    operation : str
        The name of the operation, such as ``numpy.maximum``.
    line : str
        ``file.py:12``, where the user's code calls it.
    affected : int
        How many entries of its result stand there.
    places : tuple
        The indices of the first of them in the result.
    """

    operation: str
    line: str
    affected: int
    places: tuple[Any, ...]

    def __str__(self) -> str:
        where = ", ".join(str(list(place)) for place in self.places if place)
        more = ", ..." if self.affected > len(self.places) else ""
        return f"{self.operation} ({self.line}) has no derivative at {f'[{where}{more}]' if where else 'this point'}"


def distances(step: Step) -> Any:
    """How far the operands of a step are from a kink, by the entry of the result; None where it has no kinks."""
    operation: Any = step.operation
    if operation is None or operation.kink is None:
        return None
    operands = [a.value if isinstance(a, Step) else a for a in step.arguments]
    return operation.distance(step.value, *operands, **step.keywords)


def kinks_of(steps: list[Step]) -> tuple[Kink, ...]:
    """The kinks among some steps, in the order of the calculation."""
    found = []
    for step in sorted(steps, key=lambda step: step.number):
        distance = distances(step)
        if distance is None or distance.all():
            continue
        places = tuple(tuple(int(k) for k in place) for place in np.argwhere(distance == 0)[:5])
        assert step.operation is not None
        found.append(Kink(step.operation.name, step.line, int(np.count_nonzero(distance == 0)), places))
    return tuple(found)
