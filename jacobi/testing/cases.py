"""One call of an operation as a function of its arrays: what the properties of a rule are checked on."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from types import MethodDescriptorType
from typing import Any

import numpy as np

from jacobi.expressions import Node
from jacobi.rules import Composed, Rule
from jacobi.rules.registry import NoClosedForm

COMPLEX_IN_FORM = {np.linalg.eig, np.linalg.eigvals}  # from NumPy 2.5 on, where all their numbers are real as well


class Case:
    """One call of an operation; all arrays of floating numbers in it are its variables.

    Attributes
    ----------
    rule : Rule or Composed
        The operation.
    variables : list of arrays
        The operands that are differentiated by.
    elsewhere : list of arrays
        Operands of the same shapes at another point of the domain.
    weights : array
        Random numbers in the shape of the result: a covector.
    directions : list of arrays
        Random numbers in the shapes of the variables.
    """

    def __init__(self, rule: Rule | Composed, call: Any, other: Any, rng: np.random.Generator):
        self.rule = rule
        self.call = constants_held(rule, call)
        self.variables = list(variables_of(self.call))
        self.elsewhere = list(variables_of(constants_held(rule, other)))
        self.function = callable_of(rule.function)
        self.value = self(*self.variables)
        self.weights = away_from_zero(rng, self.value.shape)
        self.directions = [away_from_zero(rng, x.shape) for x in self.variables]

    def __call__(self, *variables: Any) -> Any:
        """The result for other values of the variables; several results are joined to a vector."""
        rest = iter(variables)
        arguments, keywords = replaced(self.call, rest)
        result = self.function(*arguments, **keywords)
        if self.rule.function in COMPLEX_IN_FORM:
            result = tuple(map(np.real, result)) if isinstance(result, tuple) else np.real(result)
        if not isinstance(result, (tuple, list)) and np.iscomplexobj(result):
            result = result.real, result.imag
        if isinstance(result, (tuple, list)):
            return np.concatenate([np.ravel(part) for part in result])
        return result if hasattr(result, "dtype") and result.dtype.kind != "O" else np.asarray(result, dtype=float)

    def weighted(self, *variables: Any) -> Any:
        """A scalar function of the variables: the results times the weights."""
        return np.sum(self(*variables) * self.weights.astype(self.value.dtype))

    def __str__(self) -> str:
        name = self.rule.name.removeprefix("numpy.")
        arguments, keywords = replaced(self.call, (f"array{x.shape}" for x in self.variables))
        parts = [*map(str, arguments), *(f"{name}={value}" for name, value in keywords.items())]
        return f"{name}({', '.join(parts)})"


class Held:
    """An array of floating numbers that stays a constant: there is no derivative by it."""

    def __init__(self, array: Any):
        self.array = array

    def __str__(self) -> str:
        return f"constant{self.array.shape}"


def constants_held(rule: Rule | Composed, call: Any) -> Any:
    """A call with the operands held constant by which no derivative is known."""
    arguments, keywords = call
    fixed = {k for k, p in enumerate(getattr(rule, "partials", ())) if isinstance(p, NoClosedForm)}
    return tuple(Held(a) if k in fixed else a for k, a in enumerate(arguments)), keywords


def variables_of(part: Any) -> Iterator[Any]:
    """The arrays of floating numbers in a call, inside sequences and keywords as well."""
    if isinstance(part, np.ndarray):
        if part.dtype.kind == "f":
            yield part
    elif isinstance(part, (tuple, list, dict)):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from variables_of(inner)


def replaced(part: Any, variables: Iterator[Any]) -> Any:
    """A call with other variables in the places of its arrays of floating numbers."""
    if isinstance(part, np.ndarray):
        return next(variables) if part.dtype.kind == "f" else part
    if isinstance(part, Held):
        return part.array
    if isinstance(part, dict):
        return {name: replaced(inner, variables) for name, inner in part.items()}
    if isinstance(part, (tuple, list)):
        return type(part)(replaced(inner, variables) for inner in part)
    return part


def callable_of(function: Any) -> Callable[..., Any]:
    """What a user calls: the method of a ufunc for ``(np.add, "reduce")``, a method of arrays for a descriptor."""
    if isinstance(function, tuple):
        method = getattr(function[0], function[1])
        return changing(method) if function[1] == "at" else method
    if function in CHANGING:
        return changing(function)
    if isinstance(function, MethodDescriptorType):
        return lambda x, *arguments, **keywords: getattr(x, function.__name__)(*arguments, **keywords)
    return written if function is operator.setitem else function


CHANGING = frozenset({np.copyto, np.put, np.putmask, np.place, np.fill_diagonal, np.put_along_axis})


def changing(function: Callable[..., None]) -> Callable[..., Any]:
    """A function that changes its first argument, as one that returns the changed copy."""

    def changed(array: Any, *arguments: Any, **keywords: Any) -> Any:
        result = to_be_written(array, arguments)
        function(result, *arguments, **keywords)
        return result

    return changed


def written(array: Any, *values: Any, places: Sequence[Any]) -> Any:
    """A copy of an array after assignments, made as user's code makes it."""
    result = to_be_written(array, values)
    for place, value in zip(places, values, strict=True):
        result[place] = value
    return result


def to_be_written(array: Any, values: Sequence[Any]) -> Any:
    """A copy of an array that takes traced values if any of the values is traced."""
    traced = next((part for part in (array, *values) if isinstance(part, Node)), array)
    result = np.zeros_like(traced, shape=np.shape(array))
    result[...] = array
    return result


def away_from_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Random numbers of either sign between 0.5 and 1: a combination with them hides no wrong entry."""
    return np.asarray(rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape))


def everything(case: Case) -> tuple[int, ...]:
    """The positions of all variables."""
    return tuple(range(len(case.variables)))


def of_one(case: Case, k: int, constants: Sequence[Any] | None = None) -> Callable[[Any], Any]:
    """The case as a function of one variable; the others are constants."""
    held = case.variables if constants is None else constants
    return lambda x: case(*held[:k], x, *held[k + 1 :])
