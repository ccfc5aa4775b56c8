"""Pieces: the source of a run of entrywise instructions on large arrays, as a loop over pieces of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.compilation.blocks import in_two_threads, piece_of
from jacobi.compilation.instructions import Instruction, Value, last_uses
from jacobi.matrix.arrays import indicator


class Pieces:
    """Writes a loop over pieces.

    Parameters
    ----------
    writer : Writer
        Knows the names of all values outside the loop.
    run : list of Instruction
        What to do with every piece.
    whole : list of Value
        The results that are needed afterwards; all others live in buffers of the size of a piece.
    direct : dict
        The array and the regular places where a result is written piece by piece, in place of an array of its own.
    """

    def __init__(self, writer: Any, run: list[Instruction], whole: list[Value], direct: dict[Value, tuple[str, slice]]):
        self.writer, self.run, self.whole, self.direct = writer, run, whole, direct
        self.last = last_uses(run)
        self.names: dict[int, str] = {}  # of the pieces
        self.buffers: list[str] = []  # their types
        self.free: list[int] = []
        self.holder: dict[int, int] = {}
        self.before: list[str] = []
        self.inside: list[str] = []

    def lines(self) -> list[str]:
        """The lines of the whole loop, and of what it needs."""
        shape, size = self.run[0].target.shape, self.run[0].target.size
        two = in_two_threads(self.run)
        names, piece = self.writer.names, piece_of(size, 2 if two else 1)
        made = [f"{names[v.number]} = np.empty({size}, np.{v.dtype.name})" for v in self.whole]
        for position, instruction in enumerate(self.run):
            self.instruction(instruction, position)
        loop = [
            "def block(start, stop):",
            *(f"    b{k} = np.empty({piece}, np.{dtype})" for k, dtype in enumerate(self.buffers)),
            f"    for i in range(start, stop, {piece}):",
            f"        j = min(i + {piece}, stop)",
            *(f"        {line}" for line in self.inside),
            f"in_blocks(block, {size})" if two else f"block(0, {size})",
        ]
        after = [f"{names[v.number]} = {names[v.number]}.reshape({shape})" for v in self.whole if len(shape) > 1]
        if self.before:
            after.append(f"del {', '.join(line.partition(' ')[0] for line in self.before)}")
        return [*made, *self.before, *loop, *after]

    def piece(self, argument: Any, instruction: Instruction) -> str:
        """An operand inside the loop."""
        if not isinstance(argument, Value) or not argument.shape:
            return str(self.writer.operand(argument, instruction))
        if argument.number not in self.names:
            name = self.names[argument.number] = f"p{len(self.names)}"
            flat = f"{name}_whole" if len(argument.shape) > 1 else self.writer.text(argument)
            if len(argument.shape) > 1:
                self.before.append(f"{flat} = {self.writer.text(argument)}.reshape(-1)")
            self.inside.append(f"{name} = {flat}[i:j]")
        return self.names[argument.number]

    def instruction(self, instruction: Instruction, position: int) -> None:
        """One line of the loop."""
        target = instruction.target
        mask = instruction.function is indicator
        function: Any = instruction.keywords["comparison"] if mask else instruction.function
        arguments = [self.piece(a, instruction) for a in instruction.arguments[: function.nin]]
        for number in {v.number for v in instruction.operands if self.last[v.number] == position}:
            if number in self.holder:
                self.free.append(self.holder.pop(number))
        name = self.names[target.number] = f"p{len(self.names)}"
        out = self.room(target)
        self.inside.append(f"{name} = {self.writer.called(function)}({', '.join(arguments)}, out={out})")
        if target in self.direct:
            array, place = self.direct[target]
            first, step = (f"{place.start} + " if place.start else ""), (f"{place.step} * " if place.step != 1 else "")
            stop = f"{first}{step}(j - 1) + 1" if step else f"{first}j"
            self.inside.append(f"{array}[{first}{step}i:{stop}" + (f":{place.step}] = " if step else "] = ") + name)

    def room(self, target: Value) -> str:
        """Where a piece of a result is written."""
        if target in self.whole:
            return f"{self.writer.names[target.number]}[i:j]"
        dtype = np.dtype(target.dtype).name
        fitting = next((k for k in reversed(self.free) if self.buffers[k] == dtype), None)
        if fitting is None:
            fitting = len(self.buffers)
            self.buffers.append(dtype)
        else:
            self.free.remove(fitting)
        self.holder[target.number] = fitting
        return f"b{fitting}[:j - i]"
