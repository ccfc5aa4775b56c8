"""Where a formula holds: no kink, no pole, and what the operations ask of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.derivation.expression import Expression, Unreadable
from jacobi.derivation.meaning import Meaning, function_name
from jacobi.derivation.reading import Reader
from jacobi.derivation.simplify import simplified
from jacobi.derivation.tracing import Traced
from jacobi.differentiate.accumulate import relevant
from jacobi.expressions import Step
from jacobi.notation.text import text

CONDITIONS: dict[str, Callable[..., str]] = {
    "maximum": lambda u, v: f"no entry of {v} equals {u} (there the derivative by it is taken as 0)"
    if u == "0"
    else f"{u} and {v} differ in every entry",
    "minimum": lambda u, v: f"{u} and {v} differ in every entry",
    "absolute": lambda u: f"no entry of {u} is 0 (there the derivative is taken as 0)",
    "relu": lambda u: f"no entry of {u} is 0 (there the derivative is taken as 0)",
    "sign": lambda u: f"no entry of {u} is 0",
    "sqrt": lambda u: f"{u} > 0",
    "log": lambda u: f"{u} > 0",
    "norm": lambda u: f"{u} ≠ 0",
    "inv": lambda u: f"{u} is invertible",
    "solve": lambda u, v: f"{u} is invertible",
    "log_abs_det": lambda u: f"{u} is invertible",
    "reciprocal": lambda u: f"{u} ≠ 0",
    "indicator": lambda u, v: f"{u} ≠ {v} in every entry",
}


def domain_of(found: Traced, output: Step, source: Step, meaning: Meaning, reader: Reader) -> list[str]:
    """The conditions of the operations between an argument and the output."""
    conditions: list[str] = []
    for step in reversed(relevant(output, [source])):
        operation: Any = step.operation
        name = "" if operation is None else function_name(operation.name)
        if name in CONDITIONS:
            try:
                arguments = [text(reader.array(tidy(meaning, argument))) for argument in step.arguments]
                condition = CONDITIONS[name](*sorted(arguments, key=lambda a: a != "0"))
            except (Unreadable, TypeError):
                continue
            if condition not in conditions:
                conditions.append(condition)
    return conditions


def tidy(meaning: Meaning, argument: Any) -> Expression:
    """What an argument of a step is, simplified."""
    return simplified(meaning.argument(argument if isinstance(argument, Step) else np.asarray(argument)))
