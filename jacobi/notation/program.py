"""Programs as numbered NumPy expressions: equal ones are one, and what is used twice becomes a variable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

# How tightly Python's operators hold together.
COMPARISON, SUM, TIMES, MATMUL, POWER, ATOM = range(6)
LONGEST = 76  # characters of an expression that is not given a variable of its own


class Instruction(NamedTuple):
    """A NumPy expression whose parts are instructions, by number.

    Attributes
    ----------
    template : str
        The expression, with ``{0}`` for its first part.
    parts : tuple of int
        The parts.
    level, needs : int, tuple of int
        How tightly the expression holds together, and how tightly each of its parts must.
    cheap : bool
        Whether evaluating it twice costs nothing: a view, a name or a number.
    boolean : bool
        Whether it is a mask.
    loops : frozenset of str
        The variables of the loops that it must stay inside of.
    imports : tuple of str
        The import that it needs: a module, a function and its name here; or nothing.
    """

    template: str
    parts: tuple[int, ...]
    level: int
    needs: tuple[int, ...]
    cheap: bool
    boolean: bool
    loops: frozenset[str]
    imports: tuple[str, ...]


class Program:
    """Instructions, each of which uses only earlier ones."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.numbers: dict[Instruction, int] = {}

    def __getitem__(self, number: int) -> Instruction:
        return self.instructions[number]

    def add(
        self,
        template: str,
        *parts: int,
        level: int = ATOM,
        needs: Sequence[int] = (),
        cheap: bool = False,
        boolean: bool = False,
        loop: str = "",
        closes: str = "",
        imports: tuple[str, ...] = (),
    ) -> int:
        """The number of an expression; ``loop`` is a variable that it uses, ``closes`` one that it binds."""
        loops = frozenset[str]().union(*(self[part].loops for part in parts), {loop} - {""}) - {closes}
        needed = (*needs, *([COMPARISON] * (len(parts) - len(needs))))
        instruction = Instruction(template, parts, level, needed, cheap, boolean, loops, imports)
        number = self.numbers.setdefault(instruction, len(self.instructions))
        if number == len(self.instructions):
            self.instructions.append(instruction)
        return number

    def reachable(self, result: int) -> list[int]:
        """The instructions that a result needs, in order."""
        found: set[int] = set()
        waiting = [result]
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += self[number].parts
        return sorted(found)

    def uses(self, order: Sequence[int]) -> dict[int, int]:
        """How often every instruction would be evaluated if only those before it had variables."""
        count = dict.fromkeys(order, 0)
        for number in reversed(order):
            instruction = self[number]
            times = max(count[number], 1) if instruction.cheap or instruction.loops else 1
            for place, part in enumerate(instruction.parts):
                count[part] += times * instruction.template.count(f"{{{place}}}")
        return count

    def imports(self, result: int) -> list[tuple[str, ...]]:
        """The functions to import, as (module, function, name here), in alphabetical order."""
        return sorted({self[number].imports for number in self.reachable(result)} - {()})

    def lines(self, result: int, names: Mapping[int, str], taken: Iterable[str]) -> list[str]:
        """The statements that compute the result, the last of which returns it.

        ``names`` gives names to instructions; the variables of others are called ``t1``, ``t2`` ... unless ``taken``.
        """
        order = self.reachable(result)
        uses = self.uses(order)
        taken = {*taken, *names.values()}
        fresh = (name for name in (f"t{k}" for k in range(1, len(order) + len(taken) + 2)) if name not in taken)
        written: dict[int, tuple[str, int]] = {}
        lines: list[str] = []
        for number in order:
            instruction = self[number]
            parts = zip([written[part] for part in instruction.parts], instruction.needs, strict=True)
            texts = [text if level >= need else f"({text})" for (text, level), need in parts]
            text, level = instruction.template.format(*texts), instruction.level
            shared = uses[number] > 1 and not instruction.cheap
            long = len(text) > LONGEST and bool(instruction.parts)
            if number != result and not instruction.loops and (number in names or shared or long):
                name = names.get(number) or next(fresh)
                lines.append(f"{name} = {text}")
                text, level = name, ATOM
            written[number] = text, level
        return [*lines, f"return {written[result][0]}"]


def words(source: str) -> set[str]:
    """The names that occur in source."""
    return set(re.findall(r"[^\W\d]\w*", source))
