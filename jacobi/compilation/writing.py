"""Writing: a program as the source of a NumPy function, one line for each instruction, with buffers used again."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobi.compilation.blocks import in_blocks, runs
from jacobi.compilation.filling import Filling
from jacobi.compilation.forms import RESERVED
from jacobi.compilation.instructions import Check, Fill, Instruction, Program, Value, last_uses
from jacobi.compilation.pieces import Pieces
from jacobi.compilation.scattering import plus_scattered
from jacobi.compilation.words import BY_POSITION, COMPARED, INFIX, METHODS, in_parentheses, template_of
from jacobi.matrix.arrays import indicator

REUSED = 2048  # entries from which on it pays to write a result into the memory of an operand, and to free it

CONSTANT = 0  # stands for the memory of all constants


class Stale(Exception):
    """The function would have taken another course: its recording does not hold for these arguments."""


def same(found: Any, answer: Any) -> bool:
    """Whether a plain value is the one that the function was given."""
    if isinstance(answer, (tuple, list)):
        return len(found) == len(answer) and all(map(same, found, answer))
    if isinstance(answer, np.ndarray):
        return np.array_equal(found, answer, equal_nan=answer.dtype.kind == "f")
    return bool(found == answer) or bool(found != found and answer != answer)


class Writer:
    """Writes a program.

    Parameters
    ----------
    program : sequence of Instruction and Check
        What to do, in order.
    inputs : sequence of Value
        The inputs.
    names : dict
        Their names, by the number of the value.
    outputs : sequence of Value
        What is returned.
    kept : sequence of bool
        Which of them the user may write into, so that nothing else may share their memory; the others are factors of
        Jacobians, which may be constants.
    numbers : bool
        Whether numbers are calculated with Python's functions.

    Attributes
    ----------
    lines : list of str
        The body of the function.
    bound : dict
        What it refers to.
    loud : bool
        Whether NumPy may warn.
    """

    def __init__(
        self,
        program: Program,
        inputs: Sequence[Value],
        names: dict[int, str],
        outputs: Sequence[Value],
        kept: Sequence[bool],
        numbers: bool,
    ):
        self.program, self.parameters, self.outputs, self.kept, self.numbers = program, inputs, outputs, kept, numbers
        self.names = dict(names)
        self.reserved = set(names.values())
        self.bound: dict[str, Any] = {"np": np, "math": math, "Stale": Stale, "same": same}
        self.by_identity: dict[int, str] = {}
        self.lines: list[str] = []
        self.last = last_uses(program)
        self.held = {value.number for value in outputs}
        self.needed = {v.number for part in program if not isinstance(part, Check) for v in part.operands} | self.held
        self.inputs = set(names)
        self.roots = {number: {number} for number in names}  # whose memory a value may share
        self.views: dict[int, set[int]] = {}  # who may share the memory of a value
        self.whole: set[int] = set()  # arrays every number of which has a place of its own
        self.python: set[int] = set()  # numbers of Python rather than NumPy
        self.loud = False
        self.place = ""
        self.count = 0
        self.filling = Filling(self)
        self.write()

    def source(self, name: str) -> str:
        """The source of the whole function."""
        body = [*self.lines, f"return [{', '.join(self.returned())}]"]
        parameters = ", ".join(self.names[value.number] for value in self.parameters)
        return "\n".join([f"def {name}({parameters}):", *(f"    {line}" for line in body)])

    def write(self) -> None:
        """Write all lines."""
        if self.numbers:
            self.python |= {v.number for v in self.parameters if not v.shape and v.dtype == float}
        position = 0
        for part in runs(self.program):
            if isinstance(part, Check):
                self.check(part)
            elif isinstance(part, Fill):
                self.filling.write(part)
            elif isinstance(part, list):
                self.block(part, position)
            else:
                self.instruction(part, position)
            last = position + (len(part) if isinstance(part, list) else 1)
            self.free(position, last)
            position = last

    def returned(self) -> list[str]:
        """The outputs; copied where somebody else holds their memory."""
        users: set[int] = set(self.inputs)  # what the user may write into
        given: set[int] = {CONSTANT}
        result = []
        for value, kept in zip(self.outputs, self.kept, strict=True):
            roots = self.roots.get(value.number, {CONSTANT})
            copied = value.shape and roots & (users | given if kept else users)
            result.append(f"{self.text(value)}.copy()" if copied else self.text(value))
            if not copied:
                given |= roots
                users |= roots if kept else set()
        return result

    # words

    def text(self, argument: Any) -> str:
        """An argument as source."""
        if isinstance(argument, Value):
            if argument.constant is None:
                return self.names[argument.number]
            argument = argument.constant
        if isinstance(argument, (bool, int, str)) or argument is None or argument is Ellipsis:
            return repr(argument)
        if isinstance(argument, (float, np.float64)) and math.isfinite(argument):
            return repr(float(argument))
        if isinstance(argument, slice):
            return f"slice({self.text(argument.start)}, {self.text(argument.stop)}, {self.text(argument.step)})"
        if isinstance(argument, tuple) and not hasattr(argument, "_fields"):
            return "(" + "".join(f"{self.text(part)}, " for part in argument).rstrip() + ")"
        if isinstance(argument, list):
            return "[" + ", ".join(map(self.text, argument)) + "]"
        return self.bind("c", argument)

    def bind(self, prefix: str, thing: Any) -> str:
        """The name of a thing that the source refers to."""
        if id(thing) not in self.by_identity:
            name = f"{prefix}{len(self.by_identity)}"
            self.by_identity[id(thing)], self.bound[name] = name, thing
        return self.by_identity[id(thing)]

    def called(self, function: Any) -> str:
        """What a function is called in source."""
        name = getattr(function, "__name__", "")
        for prefix, home in (("np.", np), ("np.linalg.", np.linalg)):
            if getattr(home, name, None) is function:
                return prefix + name
        taken = name in self.reserved or RESERVED.match(name) or hasattr(builtins, name)
        if name.isidentifier() and not taken and self.bound.setdefault(name, function) is function:
            return str(name)
        return self.bind("f", function)

    def index(self, index: Any) -> str:
        """An index as it stands in brackets."""
        texts = []
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, slice):
                start, stop, step = ("" if k is None else str(k) for k in (part.start, part.stop, part.step))
                texts.append(f"{start}:{stop}" + (f":{step}" if step else ""))
            else:
                texts.append(self.text(part))
        return ", ".join(texts) or "()"

    # lines

    def name(self, value: Value) -> str:
        """A name for a new value."""
        self.count += 1
        self.names[value.number] = f"t{self.count}"
        return self.names[value.number]

    def instruction(self, instruction: Instruction, position: int) -> None:
        """One instruction as one line."""
        target = instruction.target
        buffer = self.buffer(instruction, position)
        words = self.expression(instruction, buffer)
        if buffer is None:
            line = f"{self.name(target)} = {words}"
        else:
            self.names[target.number], line = buffer, words
        if instruction.line != self.place:
            self.place = instruction.line
            line = f"{line}  # {self.place}" if self.place else line
        self.lines.append(line)
        self.rooted(target, instruction.operands if instruction.view else ())
        reshaped = instruction.function is np.reshape and instruction.operands[0].number in self.whole
        if not instruction.view or reshaped:
            self.whole.add(target.number)

    def rooted(self, target: Value, sources: Sequence[Value]) -> None:
        """Note whose memory a new value may share."""
        roots = set().union(*(self.roots.get(value.number, {0}) for value in sources))
        self.roots[target.number] = roots or {target.number}
        for root in self.roots[target.number]:
            self.views.setdefault(root, set()).add(target.number)

    def expression(self, instruction: Instruction, buffer: str | None) -> str:
        """What an instruction calculates."""
        template = template_of(instruction) if self.numbers else None
        if template is not None:
            self.python.add(instruction.target.number)
            return template.format(*[in_parentheses(self.text(a)) for a in instruction.arguments])
        target, function = instruction.target, instruction.function
        on_numbers = not target.shape and not any(value.shape for value in instruction.operands)
        if function in COMPARED and on_numbers and target.number not in self.needed:  # for a check alone
            left, right = map(self.text, instruction.arguments)
            return f"{left} {COMPARED[function]} {right}"
        arguments = [self.operand(a, instruction) for a in instruction.arguments]
        self.loud = self.loud or not instruction.view
        if function is indicator:
            return self.mask(instruction, arguments)
        if function is operator.getitem and self.numbers and is_entry(instruction):
            self.python.add(target.number)
            return f"{arguments[0]}.item({self.index(instruction.keywords['index'])})"
        if function is operator.getitem:
            return f"{arguments[0]}[{self.index(instruction.keywords['index'])}]"
        if function in INFIX and not instruction.keywords and buffer is None and not on_numbers:
            left, right = map(in_parentheses, arguments)
            return f"{left} {INFIX[function]} {right}"
        words = [*arguments, *(f"{key}={self.text(value)}" for key, value in instruction.keywords.items())]
        array = instruction.operation.evaluate is function and bool(instruction.operands[0].shape)
        if array and list(instruction.keywords) == [BY_POSITION.get(function)]:
            return f"{arguments[0]}.{function.__name__}({self.text(*instruction.keywords.values())})"
        if array and function in METHODS:
            return f"{arguments[0]}.{METHODS[function]}({', '.join(words[1:])})"
        if buffer is not None:
            words.append(f"out={buffer}")
        result = f"{self.called(instruction.operation.evaluate)}({', '.join(words)})"
        if isinstance(function, np.ufunc) and "O" in function.types[0]:  # made by np.frompyfunc
            return f"np.asarray({result}, np.{target.dtype.name})[()]"
        if on_numbers and self.numbers and target.dtype == float:
            self.python.add(target.number)
            return f"float({result})"
        return result

    def operand(self, argument: Any, instruction: Instruction) -> str:
        """An operand; a number of Python as one of NumPy where it would not have the same meaning."""
        text = self.text(argument)
        if instruction.function is operator.setitem and argument is instruction.arguments[0] and not argument.shape:
            return f"np.asarray({text})"
        if isinstance(argument, Value) and argument.number in self.python:
            alike = all(value.dtype == float for value in instruction.operands)
            return text if alike and isinstance(instruction.function, np.ufunc) else f"np.float64({text})"
        if isinstance(argument, Value) and argument.constant is not None and not argument.shape:
            known = argument.dtype == float and instruction.target.dtype == float
            return text if known and isinstance(instruction.function, np.ufunc) else self.bind("c", argument.constant)
        return text

    def mask(self, instruction: Instruction, arguments: list[str]) -> str:
        """A mask as numbers."""
        dtype, sign = instruction.target.dtype.name, COMPARED[instruction.keywords["comparison"]]
        left, right = map(in_parentheses, arguments[:2])
        if not instruction.target.shape:
            return f"np.{dtype}({left} {sign} {right})"
        return f"({left} {sign} {right}).astype(np.{dtype})"

    def buffer(self, instruction: Instruction, position: int) -> str | None:
        """An operand that is needed no more and whose memory fits the result."""
        target = instruction.target
        function = instruction.function
        if target.size < REUSED:
            return None
        if function is plus_scattered:
            first = instruction.operands[0]
            own = all(not self.alive(root, position) for root in self.roots.get(first.number, {CONSTANT}))
            return self.names[first.number] if own and first.number in self.whole else None
        if not instruction.entrywise or function is indicator or "O" in function.types[0]:
            return None
        for value in instruction.operands:
            fits = value.shape == target.shape and value.dtype == target.dtype
            if fits and self.roots.get(value.number) == {value.number} and not self.alive(value.number, position):
                return self.names[value.number]
        return None

    def alive(self, number: int, position: int) -> bool:
        """Whether the memory of a value is needed after a position, or is not the program's own."""
        family = self.views.get(number, set()) | {number}
        foreign = bool(family & (self.inputs | self.held))
        return foreign or any(self.last.get(member, -1) > position for member in family)

    def free(self, start: int, stop: int) -> None:
        """Let go of large values that are needed no more."""
        parts = self.program[start:stop]
        used = {self.names.get(part.target.number) for part in parts if isinstance(part, Instruction)}
        done = [value for part in parts for value in part.operands if value.size >= REUSED]
        done = [value for value in done if self.last[value.number] < stop and value.number in self.names]
        kept = self.inputs | self.held
        names = dict.fromkeys(self.names[value.number] for value in done if value.number not in kept)
        names = {name: None for name in names if name not in used}
        if names and stop < len(self.program):
            self.lines.append(f"del {', '.join(names)}")

    def check(self, check: Check) -> None:
        """A line that stops the program where the function would have taken another course."""
        if check.operation is None:
            found = self.text(check.arguments[0])
        else:
            self.loud = True
            words = [*map(self.text, check.arguments), *(f"{k}={self.text(v)}" for k, v in check.keywords.items())]
            found = f"{self.called(check.operation.evaluate)}({', '.join(words)})"
        if isinstance(check.answer, (bool, np.bool_)):
            self.lines.append(f"if {'not ' if check.answer else ''}{found}: raise Stale")
        else:
            self.lines.append(f"if not same({found}, {self.text(check.answer)}): raise Stale")

    def block(self, run: list[Instruction], position: int) -> None:
        """Entrywise instructions on large arrays, evaluated piece by piece so that all stay in the cache."""
        self.loud = True
        self.bound["in_blocks"] = in_blocks
        end = position + len(run) - 1
        whole = [i.target for i in run if i.target.number in self.held or self.last.get(i.target.number, -1) > end]
        direct = {value: place for value in whole if (place := self.filling.directly(value)) is not None}
        pieces = Pieces(self, run, [value for value in whole if value not in direct], direct)
        for value in pieces.whole:
            self.name(value)
            self.rooted(value, ())
        self.lines += pieces.lines()


def is_entry(instruction: Instruction) -> bool:
    """Whether an instruction reads one entry of an array of floats by whole numbers."""
    index = instruction.keywords["index"]
    parts = index if isinstance(index, tuple) else (index,)
    (array,) = instruction.operands
    return len(parts) == len(array.shape) > 0 and array.dtype == float and all(type(part) is int for part in parts)
