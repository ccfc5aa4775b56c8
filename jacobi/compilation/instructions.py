"""Instructions: the steps that a result needs, each once, constants evaluated beforehand."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from jacobi.expressions import Step
from jacobi.matrix.arrays import indicator
from jacobi.rules.moves import SHAPE
from jacobi.rules.operations import Elementwise

SMALL = 4096  # entries; larger constants are told apart by what they are, not by their contents
VIEWS = (np.reshape, np.transpose, np.ravel, np.swapaxes, np.squeeze, np.expand_dims, np.diagonal, np.broadcast_to)
NOTHING = (np.reshape, np.ravel, np.positive, np.broadcast_to, np.ndarray.astype, np.squeeze)  # ... to an equal shape


@dataclass(frozen=True, eq=False)
class Value:
    """A value in the generated program: an input, a constant, or the result of an instruction.

    Attributes
    ----------
    number : int
        Its number.
    shape : tuple of int
        Its shape.
    dtype : dtype
        Its type.
    constant : object
        The value of a constant, else None.
    """

    number: int
    shape: tuple[int, ...]
    dtype: Any
    constant: Any = None

    @property
    def size(self) -> int:
        """The number of entries."""
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Instruction:
    """A call of an operation.

    Attributes
    ----------
    target : Value
        The result.
    operation : object
        The operation.
    arguments : tuple
        Values, and plain parameters.
    keywords : dict
        Parameters.
    view : bool
        Whether the result may share the memory of an operand.
    line : str
        The line of the user's code that it belongs to.
    """

    target: Value
    operation: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    view: bool = False
    line: str = ""

    @property
    def function(self) -> Any:
        """The function that the operation stands for."""
        return self.operation.function

    @property
    def operands(self) -> list[Value]:
        """The arguments that are values."""
        return list(values_in(self.arguments))

    @property
    def entrywise(self) -> bool:
        """Whether it is a ufunc, or a mask, that acts entry by entry, so that it can be evaluated in pieces."""
        if self.function is indicator:
            return True
        return isinstance(self.operation, Elementwise) and isinstance(self.function, np.ufunc) and not self.keywords


@dataclass(frozen=True, eq=False)
class Check:
    """A plain value that the function was given: the program must come to the same one.

    Attributes
    ----------
    operation : object or None
        The silent operation; None where a value itself is compared.
    arguments : tuple
        Values and plain parameters.
    keywords : dict
        Parameters.
    answer : object
        The value at the time of the recording.
    """

    operation: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    answer: Any

    @property
    def operands(self) -> list[Value]:
        """The arguments that are values."""
        return list(values_in((self.arguments, self.keywords)))


@dataclass(frozen=True, eq=False)
class Fill:
    """A new array of numbers into which values are written.

    Attributes
    ----------
    target : Value
        The array.
    writes : list of (value, place, operator)
        What is written where; see `jacobi.compilation.exits.Filled`.
    start : ndarray or None
        The array before; None where everything is written.
    """

    target: Value
    writes: list[tuple[Value, Any, str]]
    start: Any
    entrywise = False

    @property
    def operands(self) -> list[Value]:
        """The values that are written."""
        return list(values_in([value for value, _, _ in self.writes]))


Part = Instruction | Check | Fill
Program = list[Part]


def values_in(argument: Any) -> Iterable[Value]:
    """The values in an argument, those in sequences and dictionaries as well; constants are left out."""
    if isinstance(argument, Value):
        if argument.constant is None:
            yield argument
    elif isinstance(argument, (tuple, list)):
        for part in argument:
            yield from values_in(part)
    elif isinstance(argument, dict):
        yield from values_in(tuple(argument.values()))


class Builder:
    """Makes instructions of steps: the same call of the same operands is one instruction.

    Attributes
    ----------
    program : list
        The instructions so far, and checks between them.
    inputs : list of Value
        The inputs.
    """

    def __init__(self, inputs: Iterable[Step]):
        self.program: Program = []
        self.inputs: list[Value] = []
        self.values: dict[int, Value] = {}
        self.known: dict[Any, Value] = {}
        self.made_by: dict[int, Instruction] = {}
        self.kept: list[Any] = []  # what is told apart by its identity must not go away meanwhile
        self.count = 0
        for step in inputs:
            value = self.new(np.shape(step.value), step.value.dtype)
            self.values[step.number] = value
            self.inputs.append(value)

    def new(self, shape: tuple[int, ...], dtype: Any, constant: Any = None) -> Value:
        """A new value."""
        self.count += 1
        return Value(self.count, tuple(shape), np.dtype(dtype), constant)

    def constant(self, array: Any) -> Value:
        """An array that does not depend on the inputs; a copy that nobody else can write into."""
        array = np.asarray(array)
        key = ("constant", self.told(array))
        if key not in self.known:
            copy = array.copy()
            copy.flags.writeable = False
            self.known[key] = self.new(array.shape, array.dtype, copy[()])
        return self.known[key]

    def of(self, step: Step) -> Value:
        """The value of a step, with the instructions that lead to it."""
        waiting = [step]
        while waiting:
            current = waiting[-1]
            if current.number in self.values:
                waiting.pop()
                continue
            missing = [a for a in current.arguments if isinstance(a, Step) and a.number not in self.values]
            if missing:
                waiting += missing[::-1]
            else:
                self.values[current.number] = self.made(current)
                waiting.pop()
        return self.values[step.number]

    def check(self, answer: Any) -> None:
        """The instructions that lead to an answer that the function was given, and its check."""
        arguments = self.with_values(answer.arguments)
        keywords = self.with_values(answer.keywords)
        check = Check(answer.operation, arguments, keywords, answer.value)
        key = ("check", id(answer.operation), self.told(arguments), self.told(keywords))
        if check.operands and key not in self.known:  # the answer to the same question is the same
            self.known[key] = check.operands[0]
            self.program.append(check)

    def fill(self, how: Any) -> Value:
        """An array that is filled with the values of steps."""
        writes = [(self.of(step), place, operator) for step, place, operator in how.writes]
        fill = Fill(self.new((how.length,), how.dtype), writes, how.start)
        self.program.append(fill)
        return fill.target

    def with_values(self, part: Any) -> Any:
        """A part of a question with values in place of steps."""
        if isinstance(part, Step):
            return self.of(part)
        if isinstance(part, (tuple, list)) and not hasattr(part, "_fields"):
            return type(part)(map(self.with_values, part))
        if isinstance(part, dict):
            return {key: self.with_values(value) for key, value in part.items()}
        return part

    def made(self, step: Step) -> Value:
        """The value of a step whose operands are known."""
        if step.operation is None:
            return self.constant(step.value)
        operation: Any = step.operation
        arguments = self.unreshaped(operation, tuple(self.operand(a) for a in step.arguments))
        if not any(True for _ in values_in(arguments)):
            return self.constant(step.value)
        short = shortened(operation, arguments, step)
        if short is not None:
            return short
        key = (id(operation), self.told(arguments), self.told(step.keywords))
        if key not in self.known:
            target = self.new(np.shape(step.value), step.value.dtype)
            instruction = Instruction(
                target, operation, arguments, step.keywords, may_be_view(operation, step), step.line
            )
            self.known[key] = target
            self.program.append(instruction)
            self.made_by[target.number] = instruction
        return self.known[key]

    def unreshaped(self, operation: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of a reshape, with what was reshaped before in place of its result."""
        while operation.function in (np.reshape, np.ravel) and isinstance(arguments[0], Value):
            before = self.made_by.get(arguments[0].number)
            if before is None or before.function is not np.reshape or set(before.keywords) != {SHAPE}:
                break
            arguments = (before.arguments[0], *arguments[1:])
        return arguments

    def operand(self, argument: Any) -> Any:
        """An argument of a step as a value, where it is an array."""
        if isinstance(argument, Step):
            return self.values[argument.number]
        return self.constant(argument) if isinstance(argument, np.ndarray) else argument

    def told(self, thing: Any) -> Any:
        """What tells a thing from others, so that it can be looked up; 0.0, -0.0, 0 and False are not the same."""
        if isinstance(thing, Value):
            return thing.number
        if isinstance(thing, np.ndarray) and thing.dtype.kind != "O" and thing.size <= SMALL:
            return thing.shape, thing.dtype.str, thing.tobytes()
        if isinstance(thing, (tuple, list)):
            return (type(thing), *map(self.told, thing))
        if isinstance(thing, dict):
            return tuple((key, self.told(thing[key])) for key in sorted(thing))
        if isinstance(thing, slice):
            return "slice", self.told(thing.start), self.told(thing.stop), self.told(thing.step)
        if thing is None or thing is Ellipsis or isinstance(thing, (bool, int, float, str, np.generic)):
            return type(thing), repr(thing)
        self.kept.append(thing)
        return "itself", id(thing)


def may_be_view(operation: Any, step: Step) -> bool:
    """Whether the result of a step may share the memory of an operand."""
    function = operation.function
    if function is operator.getitem or function in VIEWS or operation.moves or function is np.positive:
        return True
    return any(np.may_share_memory(step.value, parent.value) for _, parent in step.parents)


def shortened(operation: Any, arguments: tuple[Any, ...], step: Step) -> Value | None:
    """The operand itself, where the operation changes nothing."""
    first = arguments[0] if arguments else None
    if not isinstance(first, Value) or first.shape != np.shape(step.value) or first.dtype != step.value.dtype:
        return None
    if operation.function in NOTHING:
        return first
    if operation.function in (np.multiply, np.divide) and is_number(arguments[1], 1):
        return first
    return None


def is_number(value: Any, number: float) -> bool:
    """Whether an argument is a certain number."""
    if isinstance(value, Value):
        value = value.constant
    return isinstance(value, (int, float, np.generic)) and value == number


def without_dead_ones(program: Sequence[Part], outputs: Iterable[Value]) -> Program:
    """The program without instructions that nothing needs."""
    needed = {value.number for value in outputs}
    result: Program = []
    for part in reversed(program):
        if isinstance(part, Check) or part.target.number in needed:
            needed |= {value.number for value in part.operands}
            result.append(part)
    return result[::-1]


def last_uses(program: Sequence[Part]) -> dict[int, int]:
    """After which position every value is needed no more."""
    return {value.number: position for position, part in enumerate(program) for value in part.operands}
