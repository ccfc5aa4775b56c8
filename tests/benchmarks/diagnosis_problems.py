"""Problems for the measurement of diagnoses: functions as people write them, their derivatives, and slips in these.

A problem is a paragraph of ``diagnosis_problems.txt``, or of ``diagnosis_problems_kept_back.txt``, which nothing was
ever adjusted to: its name and the shapes of its arguments, the function, the derivative, and one line for every slip:
an identifier and what to replace in the text of the derivative.  Statements are separated by ``;``, the last expression
is returned.  A shape is made of the letters of sizes; ``+`` marks positive numbers, ``spd`` symmetric positive definite
matrices, ``det`` matrices with a positive determinant, ``01`` and ``pm`` entries 0 or 1 and -1 or 1, ``hot`` rows with
a single 1.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HERE = Path(__file__).parent


class Slip(NamedTuple):
    """A slip in the text of a derivative."""

    identifier: str
    old: str
    new: str


class Problem(NamedTuple):
    """A function of named arguments, its derivative by one of them, and slips in that."""

    name: str
    shapes: dict[str, list[str]]
    function: str
    layout: str
    by: str
    derivative: str
    slips: list[Slip]

    def letters(self) -> list[str]:
        """The sizes that it has."""
        return sorted({word for shape in self.shapes.values() for word in shape if len(word) == 1 and word.isalpha()})

    def arguments(self, sizes: dict[str, int], rng: np.random.Generator) -> tuple[Any, ...]:
        """Random arguments of these sizes, near no kink of a usual function."""
        return tuple(drawn(words, sizes, rng) for words in self.shapes.values())

    def code(self, text: str, name: str, with_source: bool = True) -> Callable[..., Any]:
        """A function of the arguments made of its statements, from a file or without one."""
        *lines, last = text.split("; ")
        body = "".join(f"    {line}\n" for line in [*lines, f"return {last}"])
        source = f"def {name}({', '.join(self.shapes)}):\n{body}"
        file = f"<{name} {next(NUMBERS)}>"
        if with_source:
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        scope: dict[str, Any] = {"np": np}
        exec(compile(source, file, "exec"), scope)
        return scope[name]  # type: ignore[no-any-return]

    def slipped(self, slip: Slip) -> str:
        """The derivative with a slip."""
        old, new = slip.old.removesuffix(" return"), slip.new.removesuffix(" return")  # that is at the end
        head, found, tail = self.derivative.rpartition(old) if old != slip.old else self.derivative.partition(old)
        if not found:
            raise ValueError(f"{self.name}: {slip.old!r} is not in {self.derivative!r}")
        return head + new + tail


NUMBERS = count()


def drawn(words: list[str], sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """A random argument."""
    shape = tuple(sizes[word.rstrip("+")] for word in words if word.rstrip("+") in sizes)
    values = rng.choice([-1.0, 1.0], shape) * rng.uniform(0.3, 1.5, shape)
    kind = words[-1] if words else ""
    if kind.endswith("+"):
        values = np.abs(values)
    elif kind in ("spd", "det"):
        values = values @ values.T + np.eye(len(values)) + (kind == "det") * 0.3 * values
        values = values if np.linalg.det(values) > 0 else values @ values.T
    elif kind == "01":
        values = (rng.permutation(values.size) % 2).reshape(shape).astype(float)
    elif kind == "pm":
        values = np.sign(values)
    elif kind == "hot":
        values = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    return values if shape else float(values)


def problems(file: str = "diagnosis_problems.txt") -> list[Problem]:
    """The problems of a file."""
    found = []
    for paragraph in (HERE / file).read_text(encoding="utf-8").strip().split("\n\n"):
        title, function, derivative, *slips = paragraph.split("\n")
        name, arguments = title.split(" | ")
        shapes = {key: shape.split() for key, _, shape in (part.partition(":") for part in arguments.split(";"))}
        shapes = {key.strip(): shape for key, shape in shapes.items()}
        (layout, by), text = derivative.partition(" = ")[0].split(), derivative.partition(" = ")[2]
        listed = [Slip(line.split()[0], *halves(line.split(" ", 1)[1])) for line in slips]
        layout = "numerator" if layout == "jacobian" else layout
        found.append(Problem(name, shapes, function.removeprefix("function "), layout, by, text, listed))
    return found


def halves(text: str) -> tuple[str, str]:
    """What is replaced, and by what."""
    old, _, new = text.partition(" ->")
    return old, new.removeprefix(" ")
