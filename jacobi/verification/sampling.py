"""The arguments of a call from their names: given values, and random numbers of given shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

import numpy as np

from jacobi.errors import InputError
from jacobi.layout import Shape


class MissingArguments(InputError):
    """Nothing is known of some of the arguments of a function."""

    def __init__(self, function: str, names: list[str]):
        super().__init__(f"{function} needs {' and '.join(names)}, and nothing says what to take for it")
        self.names = names


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a function that can be given by position; empty where Python does not know them."""
    try:
        known = signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C
        return []
    return [p for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def in_order(function: Callable[..., Any], values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The positional arguments of a call, from their names.

    >>> in_order(lambda w, x, b=0: w * x + b, {"x": 2, "w": 3})
    (3, 2)
    """
    expected = parameters(function)
    name = getattr(function, "__name__", "the function")
    if unknown := [given for given in values if given not in {p.name for p in expected}]:
        takes = ", ".join(p.name for p in expected) or "arguments without names"
        raise InputError(f"{name} has no argument {unknown[0]}: it takes {takes}")
    if missing := [p.name for p in expected if p.default is p.empty and p.name not in values]:
        raise MissingArguments(name, missing)
    count = 1 + max((k for k, p in enumerate(expected) if p.name in values), default=-1)
    return tuple(values.get(p.name, p.default) for p in expected[:count])


def sampled(shapes: Mapping[str, Shape | int], rng: np.random.Generator) -> dict[str, Any]:
    """Standard normal numbers for every name; a Python number for the shape ``()``.

    >>> sampled({"W": (2, 3)}, np.random.default_rng(0))["W"].shape
    (2, 3)
    """
    return {
        name: rng.standard_normal(shape) if shape != () else float(rng.standard_normal())
        for name, shape in shapes.items()
    }


def named_shape(text: str) -> tuple[str, Shape]:
    """The name and the shape of an argument from what a user writes.

    >>> named_shape("W=3,4"), named_shape("b=")
    (('W', (3, 4)), ('b', ()))
    """
    name, equals, sizes = text.partition("=")
    try:
        shape = tuple(int(size) for size in sizes.strip("() ").split(",") if size.strip())
    except ValueError:
        equals = ""
    if not equals or not name.strip().isidentifier() or min(shape, default=0) < 0:
        raise InputError(f"{text!r} is no shape. Write the name and the sizes: x=3,4 (a number is x=)")
    return name.strip(), shape
