"""Forms: what the arguments of a call look like, their arrays and numbers (the leaves) aside."""

from __future__ import annotations

import builtins
import copy
import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.matrix.given import is_node

PLAIN = (bool, int, float, np.floating, str, bytes, complex, type(None), type(Ellipsis), np.integer, np.bool_)
RESERVED = re.compile(  # the words of generated code
    r"([a-z]\d+|i|j|np|math|same|Stale|in_blocks|block|start|stop|new|view|empty|zeros|ndarray|add|asarray|float64|safe"
    r"|again|errstate|arguments|keywords|nothing|Jacobian|Term)$"
)


@dataclass(frozen=True)
class Leaf:
    """An array, or a number where the shape is empty, that may change from call to call.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    type : str
        The name of its type.
    """

    shape: tuple[int, ...]
    type: str

    def __str__(self) -> str:
        return f"{self.type} {self.shape}" if self.shape else f"a number of type {self.type}"


class Fixed:
    """Anything else: another value is another recording.

    Integers, strings and arrays of integers are compared by value, other objects by identity.

    Parameters
    ----------
    value : object
        The value.
    """

    __slots__ = ("held", "key")

    def __init__(self, value: Any):
        self.held = value
        self.key: Any = (type(value), id(value))
        if isinstance(value, PLAIN):
            self.key = (type(value), repr(value))
        elif isinstance(value, np.ndarray) and value.dtype.kind != "O":
            self.held = value.copy()
            self.key = (type(value), value.shape, value.dtype.str)
        elif isinstance(value, (tuple, list)):
            self.held = copy.deepcopy(value)
            self.key = (type(value), repr(value))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self.key == other.key and self.holds(other.held)

    def holds(self, value: Any) -> bool:
        """Whether a value is this one."""
        if isinstance(value, np.ndarray):
            return self.key == (type(value), value.shape, value.dtype.str) and np.array_equal(self.held, value)
        if isinstance(value, PLAIN):
            return bool(self.key == (type(value), repr(value)))
        return value is self.held or (isinstance(value, (tuple, list)) and self.key == (type(value), repr(value)))

    def __str__(self) -> str:
        return f"{self.held!r:.40}" if isinstance(self.held, PLAIN) else type(self.held).__name__


@dataclass(frozen=True)
class Parts:
    """A tuple, a list or a dictionary of forms.

    Attributes
    ----------
    type : type
        What it is.
    keys : tuple
        The keys of a dictionary; the numbers of the parts elsewhere.
    forms : tuple
        The forms of the parts.
    """

    type: type
    keys: tuple[Any, ...]
    forms: tuple[Any, ...]

    def __str__(self) -> str:
        return f"a {self.type.__name__} with the keys {list(self.keys)}"


Form = Leaf | Fixed | Parts


def forms_of(arguments: Sequence[Any], held: int | None = None) -> tuple[tuple[Form, ...], str]:
    """The forms of some arguments, one of which may be held fixed, and the type of Python's floats among them.

    As in NumPy, a Python float next to arrays of lower precision does not raise it.
    """
    kinds = set(array_types(arguments))
    weak = kinds.pop() if len(kinds) == 1 else "float64"
    return tuple([Fixed(a) if k == held else form_of(a, weak) for k, a in enumerate(arguments)]), weak


def array_types(argument: Any) -> Iterator[str]:
    """The types of the arrays of floats in an argument."""
    if is_array(argument):
        yield argument.dtype.name
    elif isinstance(argument, (dict, tuple, list)):
        for part in argument.values() if isinstance(argument, dict) else argument:
            yield from array_types(part)


def is_array(argument: Any) -> bool:
    """Whether an argument is an array of floats, and no subclass with a meaning of its own."""
    return type(argument) in (np.ndarray, np.memmap) and argument.dtype.kind == "f"


def form_of(argument: Any, weak: str) -> Form:
    """The form of an argument."""
    if isinstance(argument, (float, np.floating)):
        return Leaf((), weak if type(argument) is float else np.dtype(type(argument)).name)
    if is_array(argument):
        return Leaf(argument.shape, argument.dtype.name)
    if isinstance(argument, dict):
        return Parts(type(argument), tuple(argument), tuple([form_of(part, weak) for part in argument.values()]))
    if isinstance(argument, (tuple, list)) and argument:
        if is_numbers(argument):
            array = np.asarray(argument)
            return Leaf(array.shape, array.dtype.name) if array.dtype.kind == "f" else Fixed(argument)
        return Parts(type(argument), tuple(range(len(argument))), tuple([form_of(part, weak) for part in argument]))
    return Fixed(argument)


def is_numbers(argument: Any) -> bool:
    """Whether a tuple or list holds plain numbers only, so that it stands for one array."""
    if isinstance(argument, (tuple, list)) and not hasattr(argument, "_fields"):
        lengths = {len(part) if isinstance(part, (tuple, list)) else -1 for part in argument}
        return len(lengths) == 1 and all(map(is_numbers, argument))
    return isinstance(argument, (int, float, np.generic)) and not isinstance(argument, bool)


def leaves_of(argument: Any, form: Form) -> Iterator[Any]:
    """The arrays and numbers of an argument, as NumPy has them, in this machine's order of bytes."""
    if isinstance(form, Leaf):
        if form.shape:
            dtype: Any = form.type
            yield argument if type(argument) is np.ndarray and argument.dtype == dtype else np.asarray(argument, dtype)
        else:
            yield np.asarray(argument, form.type)[()]
    elif isinstance(form, Parts):
        for key, part in zip(form.keys, form.forms, strict=True):
            yield from leaves_of(argument[key], part)


def filled(form: Form, leaves: Iterator[Any]) -> Any:
    """An argument of a form, with these leaves."""
    if isinstance(form, Leaf):
        return next(leaves)
    if isinstance(form, Fixed):
        return form.held
    parts = [filled(part, leaves) for part in form.forms]
    kind: Any = form.type
    if issubclass(kind, dict):
        return kind(zip(form.keys, parts, strict=True))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def has_nodes(argument: Any) -> bool:
    """Whether there are traced values in an argument."""
    if isinstance(argument, dict):
        return any(map(has_nodes, argument.values()))
    if isinstance(argument, (tuple, list)):
        return any(map(has_nodes, argument))
    return is_node(argument)


def paths(form: Form, path: str) -> Iterator[tuple[str, Form]]:
    """Every leaf and every fixed part of a form, with its path, such as ``params['w']``."""
    if isinstance(form, Parts):
        for key, part in zip(form.keys, form.forms, strict=True):
            yield from paths(part, f"{path}[{key!r}]")
    else:
        yield path, form


def as_names(texts: Sequence[str]) -> list[str]:
    """A name of its own for every path: ``params_w``."""
    result: list[str] = []
    for text in texts:
        name = re.sub(r"\W+", "_", text).strip("_") or "x"
        name = f"x_{name}" if name[0].isdigit() else name
        while name in result or RESERVED.match(name) or keyword.iskeyword(name) or hasattr(builtins, name):
            name += "_"
        result.append(name)
    return result


def difference(names: Sequence[str], before: Sequence[Form], now: Sequence[Form]) -> str:
    """What differs between the arguments of two calls."""
    for name, one, other in zip(names, before, now, strict=False):
        if one != other:
            old, new = dict(paths(one, name)), dict(paths(other, name))
            for path in new:
                if path in old and old[path] != new[path]:
                    return f"{path} is {new[path]}, recorded for {old[path]}"
            return f"{name} is {other}, recorded for {one}"
    return f"{len(now)} arguments, recorded for {len(before)}"
