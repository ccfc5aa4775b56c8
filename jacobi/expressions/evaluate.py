"""Evaluate a recorded graph again, at other inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jacobi.expressions.step import Step


def evaluate(steps: Sequence[Step], values: Mapping[int, Any], wanted: Sequence[Step]) -> list[Any]:
    """The values of the wanted steps for new values of the inputs.

    Parameters
    ----------
    steps : sequence of Step
        All steps of the graph, in their order.
    values : mapping
        New values by the number of the input; inputs that are left out keep the value of the trace.
    wanted : sequence of Step
        The steps whose values are returned.
    """
    now: dict[int, Any] = {}
    for step in steps:
        if step.operation is None:
            now[step.number] = values.get(step.number, step.value)
        else:
            arguments = [now[a.number] if isinstance(a, Step) else a for a in step.arguments]
            now[step.number] = step.operation.evaluate(*arguments, **step.keywords)
    return [now[step.number] for step in wanted]
