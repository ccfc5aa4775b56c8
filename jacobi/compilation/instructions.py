"""Instructions: the steps that a result needs, each once, constants evaluated beforehand."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.expressions import Step
from jacobi.matrix.arrays import indicator
from jacobi.rules.registry import Elementwise

VIEWS = (np.reshape, np.transpose, np.ravel, np.swapaxes, np.squeeze, np.expand_dims, np.diagonal, np.broadcast_to)


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
        return int(np.prod(self.shape))


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
        Parameters by name.
    """

    target: Value
    operation: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    @property
    def function(self) -> Any:
        """The function that the operation stands for."""
        return self.operation.function

    @property
    def operands(self) -> list[Value]:
        """The arguments that are values."""
        return [a for a in self.arguments if isinstance(a, Value)]

    @property
    def entrywise(self) -> bool:
        """Whether it is a ufunc, or a mask, that acts entry by entry, so that it can be evaluated in blocks."""
        if self.function is indicator:
            return True
        return isinstance(self.operation, Elementwise) and isinstance(self.function, np.ufunc) and not self.keywords

    @property
    def view(self) -> bool:
        """Whether the result may share the memory of its first operand."""
        basic = self.function is operator.getitem
        return basic or self.function in VIEWS or self.operation.moves or self.function is np.positive


class Builder:
    """Makes instructions of steps: the same call of the same operands is one instruction."""

    def __init__(self, inputs: Iterable[Step]):
        self.values: dict[int, Value] = {}
        self.instructions: list[Instruction] = []
        self.inputs: list[Value] = []
        self.known: dict[Any, Value] = {}
        self.made_by: dict[int, Instruction] = {}
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
        """An array that does not depend on the inputs; a copy that nobody else holds."""
        array = np.asarray(array)
        key = (array.shape, array.dtype.str, array.tobytes()) if array.size <= 64 else id(array)
        if key not in self.known:
            self.known[key] = self.new(array.shape, array.dtype, array.copy()[()])
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
                waiting += missing
            else:
                self.values[current.number] = self.made(current)
                waiting.pop()
        return self.values[step.number]

    def made(self, step: Step) -> Value:
        """The value of a step whose operands are known."""
        if step.operation is None:
            return self.constant(step.value)
        operation: Any = step.operation
        arguments = tuple(self.operand(a) for a in step.arguments)
        arguments = self.unreshaped(operation, arguments)
        operands = [a for a in arguments if isinstance(a, Value)]
        if all(value.constant is not None for value in operands):
            return self.constant(step.value)
        short = self.shortened(operation, arguments, step)
        if short is not None:
            return short
        key = (operation.name, tuple(named(a) for a in arguments), tuple(sorted(map(repr, step.keywords.items()))))
        if key not in self.known:
            target = self.new(np.shape(step.value), step.value.dtype)
            self.known[key] = target
            self.instructions.append(Instruction(target, operation, arguments, step.keywords))
            self.made_by[target.number] = self.instructions[-1]
        return self.known[key]

    def unreshaped(self, operation: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of a reshape, with what was reshaped before in place of its result."""
        while operation.function in (np.reshape, np.ravel) and isinstance(arguments[0], Value):
            before = self.made_by.get(arguments[0].number)
            if before is None or before.function is not np.reshape or set(before.keywords) != {"shape"}:
                break
            arguments = (before.arguments[0], *arguments[1:])
        return arguments

    def operand(self, argument: Any) -> Any:
        """An argument of a step as a value, where it is an array."""
        if isinstance(argument, Step):
            return self.values[argument.number]
        return self.constant(argument) if isinstance(argument, np.ndarray) else argument

    def shortened(self, operation: Any, arguments: tuple[Any, ...], step: Step) -> Value | None:
        """The operand itself, where the operation changes nothing."""
        first = arguments[0] if arguments else None
        if not isinstance(first, Value):
            return None
        same = first.shape == np.shape(step.value) and first.dtype == step.value.dtype
        nothing = (np.reshape, np.ravel, np.positive, np.broadcast_to, np.ndarray.astype, np.squeeze)
        if same and operation.function in nothing:
            return first
        if operation.function in (np.multiply, np.divide) and same and is_number(arguments[1], 1):
            return first
        return None


def is_number(value: Any, number: float) -> bool:
    """Whether an argument is a certain number."""
    if isinstance(value, Value):
        value = value.constant
    return value is not None and np.ndim(value) == 0 and not isinstance(value, str) and value == number


def named(argument: Any) -> Any:
    """What tells an argument from others."""
    return argument.number if isinstance(argument, Value) else ("plain", repr(argument))


def scheduled(program: Sequence[Any], in_pieces: Callable[[Any], bool]) -> list[Any]:
    """The same program, what is evaluated in pieces as late and as much together as possible.

    Checks keep their place before everything that comes after them: what follows may not even be defined if they fail.
    """
    result: list[Any] = []
    part: list[Any] = []
    for item in program:
        part.append(item)
        if not isinstance(item, Instruction):
            result += gathered(part[:-1], in_pieces)
            result.append(item)
            part = []
    return result + gathered(part, in_pieces)


def gathered(part: Sequence[Instruction], in_pieces: Callable[[Any], bool]) -> list[Instruction]:
    """Instructions in an order that keeps those of one shape that are evaluated in pieces together."""
    made = {instruction.target.number for instruction in part}
    waiting = list(part)
    done: set[int] = set()
    result: list[Instruction] = []
    shape: Any = None
    while waiting:
        ready = [i for i in waiting if all(v.number in done or v.number not in made for v in i.operands)]
        same = [i for i in ready if in_pieces(i) and i.target.shape == shape]
        others = [i for i in ready if not in_pieces(i)]
        chosen = same if shape is not None and same else others or ready[:1]
        shape = chosen[0].target.shape if in_pieces(chosen[0]) else None
        result += chosen
        done |= {i.target.number for i in chosen}
        taken = set(map(id, chosen))
        waiting = [i for i in waiting if id(i) not in taken]
    return result


def values_of(instructions: Sequence[Instruction]) -> dict[int, int]:
    """After which instruction every value is needed no more."""
    last: dict[int, int] = {}
    for position, instruction in enumerate(instructions):
        for value in instruction.operands:
            last[value.number] = position
    return last
