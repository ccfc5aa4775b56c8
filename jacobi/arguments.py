"""Arguments and results of the transforms: structures of arrays taken apart and put together, auxiliary outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from jacobi.errors import InputError, at_function, at_users_line
from jacobi.expressions.graph import Traced
from jacobi.expressions.operands import plain

Function = Callable[..., Any]
Argnums = int | Sequence[int]


class Call:
    """A call of a function, with its structured arguments (dictionaries, tuples of arrays) as separate arrays.

    Attributes
    ----------
    function : callable
        The function of the separate arrays; the function itself where no argument is a structure.
    arrays : sequence
        All arguments, structures taken apart.
    positions : list of int
        Which of them are differentiated by.
    """

    def __init__(self, function: Function, arguments: Sequence[Any], argnums: Argnums, has_aux: bool = False):
        numbers, self.single = chosen(argnums, arguments)
        self.auxiliary: list[Any] = []
        self.function = self._without_auxiliary(function) if has_aux else function
        self.arrays: Sequence[Any] = arguments
        self.positions = numbers
        self.trees: list[Any] = [0] * len(numbers)
        if any(is_structure(arguments[number]) for number in numbers):
            self._take_apart(arguments, numbers)

    def _take_apart(self, arguments: Sequence[Any], numbers: list[int]) -> None:
        function = self.function
        arrays: list[Any] = []
        spans: list[range] = []
        trees = [tree_of(argument) if k in numbers else 0 for k, argument in enumerate(arguments)]
        for argument, tree in zip(arguments, trees, strict=True):
            parts = leaves(argument, tree)
            spans.append(range(len(arrays), len(arrays) + len(parts)))
            arrays += parts

        @wraps(function)
        def of_arrays(*values: Any, **keywords: Any) -> Any:
            whole = [build(tree, iter(values[span.start : span.stop])) for tree, span in zip(trees, spans, strict=True)]
            return function(*whole, **keywords)

        self.function, self.arrays = of_arrays, arrays
        self.positions = [position for number in numbers for position in spans[number]]
        self.trees = [trees[number] for number in numbers]

    def _without_auxiliary(self, function: Function) -> Function:
        @wraps(function)
        def first_output(*arguments: Any, **keywords: Any) -> Any:
            result = function(*arguments, **keywords)
            if not isinstance(result, tuple) or len(result) != 2:
                raise InputError(
                    at_function(function, "has_aux=True, but the function does not return a pair", "Return y, aux.")
                )
            self.auxiliary.append(result[1])
            return result[0]

        return first_output

    def together(self, results: Sequence[Any]) -> Any:
        """One result per differentiated array, in the structure of the arguments that were asked for."""
        remaining = iter(results)
        parts = tuple(build(tree, remaining) for tree in self.trees)
        return parts[0] if self.single else parts

    def with_auxiliary(self, result: Any) -> Any:
        """The result, with the auxiliary output of the function if there is one."""
        return (result, plain_deep(self.auxiliary[-1])) if self.auxiliary else result


def is_structure(argument: Any) -> bool:
    """Whether an argument is a dictionary, or a tuple or list that holds arrays or structures."""
    if isinstance(argument, dict):
        return True
    return isinstance(argument, (tuple, list)) and any(
        isinstance(part, (dict, np.ndarray)) or hasattr(type(part), "__array_function__") or is_structure(part)
        for part in argument
        if not isinstance(part, np.generic)
    )


def tree_of(argument: Any) -> Any:
    """The structure of an argument: 0 for an array, a dictionary or a sequence of trees for the others."""
    if isinstance(argument, dict):
        return {name: tree_of(part) for name, part in argument.items()}
    if is_structure(argument):
        trees = [tree_of(part) for part in argument]
        return type(argument)(*trees) if hasattr(argument, "_fields") else type(argument)(trees)
    return 0


def leaves(argument: Any, tree: Any) -> list[Any]:
    """The arrays of an argument, in the order of its structure."""
    if isinstance(tree, dict):
        return [leaf for name, part in tree.items() for leaf in leaves(argument[name], part)]
    if isinstance(tree, (tuple, list)):
        return [leaf for value, part in zip(argument, tree, strict=True) for leaf in leaves(value, part)]
    return [argument]


def build(tree: Any, values: Any) -> Any:
    """A structure filled with values from an iterator."""
    if isinstance(tree, dict):
        return {name: build(part, values) for name, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        parts = [build(part, values) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return next(values)


def plain_deep(value: Any) -> Any:
    """An auxiliary output without traced values."""
    if isinstance(value, dict):
        return {name: plain_deep(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(plain_deep(part) for part in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return np.array([plain(part) for part in value.reshape(-1)]).reshape(value.shape)
    if isinstance(value, Traced) and value.graph.open:  # of a trace around this one, which goes on
        return value
    value = plain(value)
    return value.copy() if isinstance(value, np.ndarray) else value


def check_argnums(argnums: Any) -> None:
    """Refuse what is no argument number, with the usual slip named."""
    numbers = argnums if isinstance(argnums, (list, tuple, range)) else [argnums]
    whole = all(isinstance(number, (int, np.integer)) and not isinstance(number, bool) for number in numbers)
    if not whole or not len(numbers):
        raise InputError(
            at_users_line(
                f"argnums={argnums!r:.60} is neither an integer nor some integers",
                "A transform takes a function and gives a function: write jacobian(f)(x), not jacobian(f, x).",
            )
        )


def chosen(argnums: Argnums, arguments: Sequence[Any]) -> tuple[list[int], bool]:
    """The positions to differentiate by, counted from the front, and whether one alone was asked for."""
    single = isinstance(argnums, (int, np.integer))
    numbers: list[Any] = [argnums] if single else list(argnums)  # type: ignore[arg-type]
    for number in numbers:
        if not -len(arguments) <= number < len(arguments):
            raise InputError(
                at_users_line(
                    f"argument {number} is to be differentiated, but the number of positional arguments is "
                    f"{len(arguments)}",
                    "argnums counts positional arguments from 0; pass them by position.",
                )
            )
    return [int(number) % len(arguments) for number in numbers], single
