"""Calls: what a function is called, what its parameters are, and which of them say only what happens anyway."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from typing import Any

import numpy as np

from jacobi.errors import TraceError, at_users_line


def full_name(function: Any) -> str:
    """``numpy.linalg.inv`` and the like."""
    if isinstance(function, tuple):
        return f"{full_name(function[0])}.{function[1]}"
    module = getattr(function, "__module__", None) or ("numpy" if isinstance(function, np.ufunc) else "")
    if isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is not function:
        special = sys.modules.get("scipy.special")
        module = "scipy.special" if getattr(special, function.__name__, None) is function else ""
    return f"{module}.{function.__name__}" if module else str(function.__name__)


# Before NumPy 2.4, functions that are written in C do not tell their parameters.
WRITTEN_IN_C: dict[Any, tuple[str, ...]] = {
    np.concatenate: ("arrays", "axis", "out"),
    np.dot: ("a", "b", "out"),
    np.inner: ("a", "b"),
    np.where: ("condition", "x", "y"),
}


@cache
def parameter_names(function: Any) -> tuple[str, ...]:
    """The names of the parameters of a function, without those of unknown length."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return WRITTEN_IN_C.get(function, ())
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


def as_it_is_now(parameter: Any) -> Any:
    """A parameter that later changes of an array of the user do not reach."""
    if isinstance(parameter, (list, tuple)):
        return type(parameter)([as_it_is_now(part) for part in parameter]) if parameter else parameter
    return np.array(parameter) if isinstance(parameter, np.ndarray) else parameter


DEFAULTS: dict[str, Any] = {
    "out": None,
    "dtype": None,
    "where": True,
    "casting": "same_kind",
    "subok": True,
    "copy": True,
    "overwrite_input": False,
    "device": None,
}


def is_default(name: str, value: Any) -> bool:
    """Whether a keyword only says what happens anyway."""
    if value is np._NoValue:
        return True
    return name in DEFAULTS and (value is DEFAULTS[name] or (type(value) is str and value == DEFAULTS[name]))


@cache
def takes_any_keyword(function: Any) -> bool:
    """Whether a function has parameters that cannot be known from its signature."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def unknown_parameter(operation: str, name: str) -> TraceError:
    """The error for a parameter that a rule does not know."""
    cure = "Assign the result instead: y = ..." if name == "out" else f"Leave {name}= out."
    return TraceError(at_users_line(f"{operation}(..., {name}=...) cannot be differentiated", cure))
