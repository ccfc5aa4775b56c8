"""Writing: instructions as the source of a NumPy function, one line each, with buffers used again."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jacobi.compilation.blocks import LARGE, runs
from jacobi.compilation.instructions import Instruction, Value, values_of
from jacobi.matrix.arrays import indicator
from jacobi.rules.elementwise import quotient

REUSED = 2048  # entries from which on it pays to write a result into the memory of an operand

INFIX = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.matmul: "@", np.power: "**",
    np.greater: ">", np.less: "<", np.greater_equal: ">=", np.less_equal: "<=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip
NUMBERS = {  # the same on Python's numbers, which are faster than those of NumPy
    np.add: "{0} + {1}", np.subtract: "{0} - {1}", np.multiply: "{0} * {1}", np.divide: "{0} / {1}",
    np.negative: "-{0}", np.positive: "{0}", np.square: "{0} * {0}", np.reciprocal: "1.0 / {0}",
    np.exp: "math.exp({0})", np.sin: "math.sin({0})", np.cos: "math.cos({0})", np.tan: "math.tan({0})",
    np.tanh: "math.tanh({0})", np.sinh: "math.sinh({0})", np.cosh: "math.cosh({0})", np.sqrt: "math.sqrt({0})",
    np.log: "math.log({0})", np.log1p: "math.log1p({0})", np.expm1: "math.expm1({0})", np.absolute: "abs({0})",
    np.arctan: "math.atan({0})", np.arcsin: "math.asin({0})", np.arccos: "math.acos({0})",
    np.hypot: "math.hypot({0}, {1})", np.power: "{0} ** {1}", np.arctan2: "math.atan2({0}, {1})",
}  # fmt: skip
RELATIONS = (">", "<", ">=", "<=", "==", "!=")
COMPARED: dict[Any, str] = {function: sign for function, sign in INFIX.items() if sign in RELATIONS}


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

    def __init__(self, operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], answer: Any):
        self.operation, self.arguments, self.keywords, self.answer = operation, arguments, keywords, answer

    @property
    def operands(self) -> list[Value]:
        """The arguments that are values."""
        return [a for a in self.arguments if isinstance(a, Value)]


class Stale(Exception):
    """The function would have taken another course: its recording does not hold for these arguments."""


def require(holds: Any) -> None:
    """Raise `Stale` unless something holds."""
    if not holds:
        raise Stale


class Writer:
    """Writes a program.

    Parameters
    ----------
    program : sequence of Instruction and Check
        What to do, in order.
    names : dict
        The names of the inputs, by the number of the value.
    outputs : sequence of Value
        What is returned.
    numbers : bool
        Whether numbers are calculated with Python's functions.
    """

    def __init__(
        self, program: Sequence[Instruction | Check], names: dict[int, str], outputs: Sequence[Value], numbers: bool
    ):
        self.program, self.outputs, self.numbers = program, outputs, numbers
        self.names = dict(names)
        self.bound: dict[str, Any] = {"np": np, "math": math, "require": require}
        self.lines: list[str] = []
        self.last = values_of(program)  # type: ignore[arg-type]
        self.roots: dict[int, int] = {number: number for number in names}
        self.owned: set[int] = set()
        self.held = {value.number for value in outputs}

    def write(self, name: str, parameters: Sequence[str]) -> str:
        """The source of the whole function."""
        for position, part in self.parts():
            if isinstance(part, Check):
                self.check(part)
            elif isinstance(part, list):
                self.block(part)
            else:
                self.instruction(part, position)
        result = ", ".join(self.text(value) for value in self.outputs)
        body = [*self.lines, f"return [{result}]"]
        return "\n".join([f"def {name}({', '.join(parameters)}):", *(f"    {line}" for line in body), ""])

    def parts(self) -> Any:
        """The program with runs of entrywise instructions on large arrays as lists."""
        position = 0
        for part in runs(self.program, self.held):
            yield position, part
            position += len(part) if isinstance(part, list) else 1

    # words

    def text(self, argument: Any) -> str:
        """An argument as source."""
        if isinstance(argument, Value):
            if argument.constant is None:
                return self.names[argument.number]
            argument = argument.constant
        if isinstance(argument, (bool, int, str)) or argument is None or argument is Ellipsis:
            return repr(argument)
        if isinstance(argument, (float, np.floating)) and math.isfinite(argument):
            kept = isinstance(argument, float) or argument.dtype == float
            return repr(float(argument)) if kept else self.bind("c", argument)
        if isinstance(argument, slice):
            return f"slice({argument.start}, {argument.stop}, {argument.step})"
        if isinstance(argument, tuple):
            return "(" + "".join(f"{self.text(part)}, " for part in argument).rstrip() + ")"
        return self.bind("c", argument)

    def bind(self, prefix: str, thing: Any) -> str:
        """The name of a thing that the source refers to."""
        for name, known in self.bound.items():
            if known is thing:
                return name
        name = next(n for k in range(10**6) if (n := f"{prefix}{k}") not in self.bound)
        self.bound[name] = thing
        return name

    def called(self, operation: Any) -> str:
        """What an operation is called in source."""
        evaluate = operation.evaluate
        name = getattr(evaluate, "__name__", "")
        for prefix, home in (("np.", np), ("np.linalg.", np.linalg)):
            if getattr(home, name, None) is evaluate:
                return prefix + name
        if name.isidentifier() and self.bound.setdefault(name, evaluate) is evaluate:
            return str(name)
        return self.bind("f", evaluate)

    def index(self, index: Any) -> str:
        """An index as it stands in brackets."""
        parts = index if isinstance(index, tuple) else (index,)
        texts = []
        for part in parts:
            if isinstance(part, slice):
                start, stop, step = ("" if k is None else str(k) for k in (part.start, part.stop, part.step))
                texts.append(f"{start}:{stop}" + (f":{step}" if step else ""))
            else:
                texts.append("None" if part is None else self.text(part))
        return ", ".join(texts) or "()"

    # lines

    def instruction(self, instruction: Instruction, position: int) -> None:
        """One instruction as one line."""
        target = instruction.target
        name = self.names[target.number] = f"t{target.number}"
        self.lines.append(f"{name} = {self.expression(instruction, position)}")
        first = next(iter(instruction.operands), None)
        if instruction.view and first is not None:
            self.roots[target.number] = self.roots.get(first.number, first.number)
        else:
            self.roots[target.number] = target.number
            self.owned.add(target.number)

    def expression(self, instruction: Instruction, position: int) -> str:
        """What an instruction calculates."""
        scalar = self.scalar(instruction)
        if scalar is not None:
            return scalar
        arguments = [self.text(a) for a in instruction.arguments]
        function = instruction.function
        if function is indicator:
            return self.mask(instruction, arguments)
        if function is operator.getitem:
            return f"{arguments[0]}[{self.index(instruction.keywords['index'])}]"
        buffer = self.buffer(instruction, position)
        if function in INFIX and not instruction.keywords and buffer is None:
            return f"{arguments[0]} {INFIX[function]} {arguments[1]}"
        if function is np.negative and buffer is None:
            return f"-{arguments[0]}"
        if function is np.reshape and set(instruction.keywords) == {"shape"}:
            return f"{arguments[0]}.reshape({self.text(instruction.keywords['shape'])})"
        words = [*arguments, *(f"{key}={self.text(value)}" for key, value in instruction.keywords.items())]
        if buffer is not None:
            words.append(f"out={buffer}")
        return f"{self.called(instruction.operation)}({', '.join(words)})"

    def mask(self, instruction: Instruction, arguments: list[str]) -> str:
        """A mask as numbers."""
        dtype = np.dtype(instruction.target.dtype).name
        sign = COMPARED[instruction.keywords["comparison"]]
        if not instruction.target.shape:
            return f"np.{dtype}({arguments[0]} {sign} {arguments[1]})"
        return f"({arguments[0]} {sign} {arguments[1]}).astype(np.{dtype})"

    def scalar(self, instruction: Instruction) -> str | None:
        """An instruction on numbers in Python's own words, if there are such."""
        if not self.numbers or instruction.target.shape or instruction.target.dtype != float:
            return None
        if any(value.shape or value.dtype != float for value in instruction.operands):
            return None
        arguments = [self.text(a) for a in instruction.arguments]
        if instruction.function is indicator:
            sign = COMPARED[instruction.keywords["comparison"]]
            return f"1.0 if {arguments[0]} {sign} {arguments[1]} else 0.0"
        if instruction.keywords:
            return None
        if instruction.function is quotient:
            return f"{arguments[0]} / {arguments[1]} if {arguments[1]} else {arguments[0]}"
        template = NUMBERS.get(instruction.function)
        return None if template is None else template.format(*map(in_parentheses, arguments))

    def buffer(self, instruction: Instruction, position: int) -> str | None:
        """An operand that is needed no more and whose memory fits the result."""
        target = instruction.target
        if not isinstance(instruction.function, np.ufunc) or instruction.keywords or target.size < REUSED:
            return None
        for value in instruction.operands:
            root = self.roots.get(value.number)
            fits = value.shape == target.shape and value.dtype == target.dtype and root == value.number
            if fits and value.number in self.owned and not self.alive(value.number, position):
                self.owned.discard(value.number)
                return self.names[value.number]
        return None

    def alive(self, root: int, position: int) -> bool:
        """Whether the memory of a value is needed after an instruction."""
        family = [number for number, known in self.roots.items() if known == root]
        return any(number in self.held or self.last.get(number, -1) > position for number in family)

    def check(self, check: Check) -> None:
        """A line that stops the program where the function would have taken another course."""
        arguments = [self.text(a) for a in check.arguments]
        if check.operation is None:
            found = arguments[0]
        else:
            words = [*arguments, *(f"{key}={self.text(value)}" for key, value in check.keywords.items())]
            found = f"{self.called(check.operation)}({', '.join(words)})"
        if np.ndim(check.answer) == 0 and not isinstance(check.answer, tuple):
            self.lines.append(f"require({found} == {self.text(check.answer)})")
        else:
            self.lines.append(f"require(np.array_equal({found}, {self.text(check.answer)}))")

    # blocks

    def block(self, run: list[Instruction]) -> None:
        """Entrywise instructions on large arrays, evaluated piece by piece so that all stay in the cache."""
        from jacobi.compilation.blocks import BLOCK, in_blocks

        shape, size = run[0].target.shape, run[0].target.size
        inside = {instruction.target.number for instruction in run}
        end = max(k for k, part in enumerate(self.program) if part is run[-1])
        kept = [i.target for i in run if i.target.number in self.held or self.last.get(i.target.number, -1) > end]
        self.bound["in_blocks"] = in_blocks
        flat: dict[int, str] = {}
        for instruction in run:
            for value in instruction.operands:
                if value.shape and value.number not in inside and value.number not in flat:
                    flat[value.number] = f"s{value.number}"
                    self.lines.append(f"s{value.number} = np.ravel({self.text(value)})")
        for value in kept:
            self.names[value.number] = f"t{value.number}"
            self.roots[value.number] = value.number
            self.owned.add(value.number)
            self.lines.append(f"t{value.number} = np.empty({size}, np.{np.dtype(value.dtype).name})")
        inner, buffers = self.pieces(run, flat, {value.number for value in kept})
        self.lines.append("def block(start, stop):")
        self.lines += [f"    b{k} = np.empty({BLOCK}, np.{dtype})" for k, dtype in enumerate(buffers)]
        self.lines += [f"    for i in range(start, stop, {BLOCK}):", f"        j = min(i + {BLOCK}, stop)"]
        self.lines += [f"        {line}" for line in inner]
        self.lines.append(f"in_blocks(block, {size})")
        if len(shape) > 1:
            self.lines += [f"t{v.number} = t{v.number}.reshape({shape})" for v in kept]

    def pieces(self, run: list[Instruction], flat: dict[int, str], kept: set[int]) -> tuple[list[str], list[str]]:
        """The lines inside the loop over pieces, and the types of the buffers that they need."""
        last = values_of(run)
        lines = [f"p{number} = {name}[i:j]" for number, name in flat.items()]
        buffers: list[str] = []
        free: list[int] = []
        holder: dict[int, int] = {}

        def piece(argument: Any) -> str:
            if isinstance(argument, Value) and argument.constant is None and argument.shape:
                return f"p{argument.number}"
            return self.text(argument) if not is_array(argument) else f"{self.text(argument)}.ravel()[i:j]"

        for position, instruction in enumerate(run):
            target = instruction.target
            dtype = np.dtype(target.dtype).name
            arguments = [piece(a) for a in instruction.arguments]
            done = [v.number for v in instruction.operands if last.get(v.number) == position and v.number in holder]
            for number in done:
                free.append(holder.pop(number))
            if target.number in kept:
                out = f"t{target.number}[i:j]"
            else:
                fitting = next((k for k in reversed(free) if buffers[k] == dtype), None)
                if fitting is None:
                    fitting = len(buffers)
                    buffers.append(dtype)
                else:
                    free.remove(fitting)
                holder[target.number] = fitting
                out = f"b{fitting}[:j - i]"
            mask = instruction.function is indicator
            function: Any = instruction.keywords["comparison"] if mask else instruction.function
            called = str(function.__name__)
            name = f"np.{called}" if getattr(np, called, None) is function else self.bind("f", function)
            arguments = arguments[: function.nin]
            lines.append(f"p{target.number} = {name}({', '.join(arguments)}, out={out})")
        return lines, buffers


def is_array(argument: Any) -> bool:
    """Whether an argument is a constant array with axes."""
    return isinstance(argument, Value) and argument.constant is not None and bool(argument.shape)


def in_parentheses(text: str) -> str:
    """A negative number as an operand."""
    return f"({text})" if text.startswith("-") else text


__all__ = ["LARGE", "Check", "Stale", "Writer"]
