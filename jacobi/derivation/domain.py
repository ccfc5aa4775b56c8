"""Where a formula holds: no kink, no pole, and what the operations ask of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.derivation.expression import Call, Expression, Unreadable
from jacobi.derivation.meaning import Meaning, function_name
from jacobi.derivation.reading import Reader
from jacobi.derivation.simplify import simplified
from jacobi.derivation.tracing import Traced
from jacobi.differentiate.accumulate import relevant
from jacobi.expressions import Step
from jacobi.notation.text import text

NO_ZERO = "no entry of {} is 0 (there the derivative is taken as 0)"
CONDITIONS: dict[str, Callable[..., str]] = {
    "maximum": lambda u, v: (
        f"no entry of {v} equals {u} (there the derivative by it is taken as 0)"
        if u == "0"
        else f"{u} and {v} differ in every entry"
    ),
    **dict.fromkeys(("minimum", "fmax", "fmin"), lambda u, v: f"{u} and {v} differ in every entry"),
    "max": lambda u: f"the largest entry of {u} is attained once",
    "min": lambda u: f"the smallest entry of {u} is attained once",
    "sort": lambda u: f"all entries of {u} are different",
    **dict.fromkeys(("abs", "relu"), NO_ZERO.format),
    **dict.fromkeys(("sign", "prod", "cbrt"), lambda u: f"no entry of {u} is 0"),
    "heaviside": lambda u, v: f"no entry of {u} is 0",
    "copysign": lambda u, v: f"no entry of {u} or {v} is 0",
    **dict.fromkeys(("hypot", "arctan2"), lambda u, v: f"{u} and {v} are nowhere both 0"),
    **dict.fromkeys(("floor", "ceil", "trunc"), lambda u: f"no entry of {u} is a whole number"),
    "rint": lambda u: f"no entry of {u} lies half way between whole numbers",
    **dict.fromkeys(("remainder", "fmod", "floor_divide"), lambda u, v: f"no entry of {u} is a multiple of {v}"),
    "nan_to_num": lambda u: f"{u} is finite",
    **dict.fromkeys(("sqrt", "log", "log2", "log10", "gammaln"), lambda u: f"{u} > 0"),
    "log1p": lambda u: f"{u} > -1",
    **dict.fromkeys(("arcsin", "arccos", "arctanh"), lambda u: f"|{u}| < 1"),
    "arccosh": lambda u: f"{u} > 1",
    "norm": lambda u: f"{u} ≠ 0",
    "std": lambda u: f"the entries of {u} are not all equal",
    "reciprocal": lambda u: f"{u} ≠ 0",
    "divide": lambda u, v: f"{v} ≠ 0",
    "power": lambda u, v: "" if v.isdigit() else f"{u} ≠ 0" if v[1:].isdigit() else f"{u} > 0",
    "float_power": lambda u, v: f"{u} > 0",
    "indicator": lambda u, v: f"{u} ≠ {v} in every entry",
    **dict.fromkeys(("inv", "log_abs_det", "det", "cofactors"), lambda u: f"{u} is invertible"),
    "solve": lambda u, v: f"{u} is invertible",
}
POLES = ("divide", "reciprocal", "sqrt", "log", "log2", "log10", "log1p")
POSITIVE = ("exp", "expit", "softmax", "cosh", "norm")  # norm: it has a condition of its own
FIRST_ZERO = ("maximum", "minimum")  # conditions that do not change if the operands do


def domain_of(found: Traced, output: Step, source: Step, meaning: Meaning, reader: Reader) -> list[str]:
    """The conditions of the operations between an argument and the output."""
    conditions: list[str] = []
    for step in reversed(relevant(output, [source])):
        operation: Any = step.operation
        name = "" if operation is None else function_name(operation.name)
        if name in CONDITIONS:
            try:
                arguments = [text(reader.array(tidy(meaning, argument))) for argument in step.arguments]
                ordered = sorted(arguments, key=lambda a: a != "0") if name in FIRST_ZERO else arguments
                condition = CONDITIONS[name](*ordered)
            except (Unreadable, TypeError):
                continue
            if condition and condition not in conditions and not (name in POLES and never_zero(meaning, step)):
                conditions.append(condition)
    return conditions


def never_zero(meaning: Meaning, step: Step) -> bool:
    """Whether what must not be zero, or not negative, never is: an exponential, a norm that was met before."""
    last = tidy(meaning, step.arguments[-1])
    return bool(last.terms) and all(
        term.coefficient > 0 and all(isinstance(leaf, Call) and leaf.name in POSITIVE for leaf, _ in term.factors)
        for term in last.terms
    )


def tidy(meaning: Meaning, argument: Any) -> Expression:
    """What an argument of a step is, simplified."""
    return simplified(meaning.argument(argument if isinstance(argument, Step) else np.asarray(argument)))
