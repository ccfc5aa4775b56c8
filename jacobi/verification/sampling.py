"""The arguments of a call from their names: given values, and random numbers of given shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any

import numpy as np

from jacobi.errors import InputError
from jacobi.notation.shapes import letters_in, numbers_of, shape_of

SMALLEST = 3  # of the sizes that are drawn: so that n - 2 is one as well


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


def sampled(shapes: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Standard normal numbers for every name; a Python number for the shape ``()``.

    Letters in the shapes are sizes that are drawn too.

    >>> sampled({"W": (2, 3)}, np.random.default_rng(0))["W"].shape
    (2, 3)
    >>> found = sampled({"X": "N, n", "w": "n"}, np.random.default_rng(0))
    >>> (found["X"] @ found["w"]).shape
    (5,)
    """
    found: dict[str, Any] = {}
    for name, shape in numbers_of(shapes, drawn(letters_in(shapes), rng)).items():
        try:
            found[name] = rng.standard_normal(shape) if shape != () else float(rng.standard_normal())
        except (MemoryError, ValueError):
            raise InputError(f"the shape {shape} of {name} is too large. Write smaller sizes") from None
    return found


def drawn(letters: Sequence[str], rng: np.random.Generator) -> dict[str, int]:
    """Numbers for sizes that are letters: small, and all different, so that no two sizes are taken for each other."""
    if not letters:
        return {}
    sizes = rng.permutation(np.arange(SMALLEST, SMALLEST + max(5, len(letters))))
    return dict(zip(letters, sizes.tolist(), strict=False))


def named_shape(text: str) -> tuple[str, Any]:
    """The name and the shape of an argument from what a user writes.

    >>> named_shape("W=3,4"), named_shape("X=N,n"), named_shape("b=")
    (('W', (3, 4)), ('X', ('N', 'n')), ('b', ()))
    """
    name, equals, sizes = (part.strip() for part in text.partition("="))
    try:
        shape = shape_of(name, sizes)
    except InputError:
        equals = ""
    if not equals or not name.isidentifier():
        raise InputError(f"{text!r} is no shape. Write the name and the sizes: x=3,4 or X=N,n; a number is b=")
    return name, shape
