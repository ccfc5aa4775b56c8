"""Filling: the lines that write values into the array of a full or sparse matrix, from within blocks where possible."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jacobi.compilation.exits import Strided
from jacobi.compilation.instructions import Fill, Value

LARGE = 2**14  # entries from which on zeros are not copied: the system has zeroed pages


class Filling:
    """Writes the lines of all fills of a program.

    Parameters
    ----------
    writer : Writer
        Writes everything else.
    """

    def __init__(self, writer: Any):
        self.writer = writer
        self.begun: set[int] = set()
        uses = Counter(value.number for part in writer.program for value in part.operands)
        uses.update(value.number for value in writer.outputs)
        self.alone: dict[int, tuple[Fill, slice]] = {  # what is needed for one regular write only
            value.number: (fill, place)
            for fill in writer.program if isinstance(fill, Fill)
            for value, place, operator in fill.writes
            if isinstance(place, slice) and operator == "=" and uses[value.number] == 1
        }  # fmt: skip
        self.done: set[int] = set()

    def begin(self, fill: Fill) -> str:
        """The name of the array, which is made when it is asked for first."""
        target, writer = fill.target, self.writer
        if target.number not in self.begun:
            self.begun.add(target.number)
            name = writer.name(target)
            writer.rooted(target, ())
            dtype = f"np.{target.dtype.name}"
            if fill.start is None:
                made = f"np.empty({target.size}, {dtype})"
            elif fill.start.any() or target.size < LARGE:
                made = f"{writer.bind('c', fill.start)}.copy()"
            else:
                made = f"np.zeros({target.size}, {dtype})"
            writer.lines.append(f"{name} = {made}")
        return str(writer.names[target.number])

    def directly(self, value: Value) -> tuple[str, slice] | None:
        """Where a value may be written piece by piece as it is computed: the array and the places."""
        if value.number not in self.alone:
            return None
        fill, place = self.alone[value.number]
        self.done.add(value.number)
        return self.begin(fill), place

    def write(self, fill: Fill) -> None:
        """The lines of a fill that are left."""
        name = self.begin(fill)
        for value, place, operator in fill.writes:
            if value.number in self.done:
                continue
            values = self.writer.text(value)
            if isinstance(place, Strided):
                size = fill.target.dtype.itemsize
                strides = tuple(stride * size for stride in place.strides)
                whole = (
                    f"np.ndarray({place.sizes}, np.{fill.target.dtype.name}, {name}, {place.offset * size}, {strides})"
                )
                lines = [f"view = {whole}", f"view += {values}", "del view"]
            elif operator == "at":
                lines = [f"np.add.at({name}, {self.place(place)}, {values})"]
            else:
                lines = [f"{name}[{self.place(place)}] {operator} {values}"]
            self.writer.lines += lines

    def place(self, place: Any) -> str:
        """A place as it stands in brackets."""
        if isinstance(place, slice):
            return f"{place.start}:{place.stop}" + (f":{place.step}" if place.step != 1 else "")
        return str(place) if isinstance(place, int) else str(self.writer.bind("c", place))
