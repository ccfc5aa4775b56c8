"""A version of a compiled function: one recording of it as a program, for arguments of one form and one course."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobi.compilation.blocks import gathered
from jacobi.compilation.entry import MISSING, Assembler, Body, Reader, entry_source
from jacobi.compilation.forms import Form, Leaf, as_names, filled, leaves_of, paths
from jacobi.compilation.instructions import Builder, without_dead_ones
from jacobi.compilation.masks import without_zeros
from jacobi.compilation.recording import recorded
from jacobi.compilation.scattering import in_place
from jacobi.compilation.writing import Writer

MISMATCH: Any = object()  # what `Version.enter` returns where the recording does not hold
INLINED = 100  # lines of a program that is made part of the entry


class Version:
    """One recording of a function.

    Parameters
    ----------
    function : callable
        The function.
    arguments : sequence
        Positional arguments and those by keyword.
    forms : sequence of Form
        Their forms.
    keys : sequence of str
        The names of the latter.
    weak : str
        The type that Python's floats stand for.

    Attributes
    ----------
    enter : callable
        ``enter(arguments, keywords)`` gives the result, or `MISMATCH` where the recording does not hold.
    quick : callable or None
        The same, but where the recording does not hold it calls what looks for another one.
    source : str
        The source of the program.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        forms: Sequence[Form],
        keys: Sequence[str],
        weak: str,
    ):
        plain, exit = getattr(function, "without_format", None) or (function, None)
        count = len(arguments) - len(keys)
        names = argument_names(function, count, keys)
        parts = [part for name, form in zip(names, forms, strict=True) for part in paths(form, name)]
        found = [path for path, part in parts if isinstance(part, Leaf)]
        leaves = [leaf for argument, form in zip(arguments, forms, strict=True) for leaf in leaves_of(argument, form)]

        def of_leaves(*values: Any) -> Any:
            taken = iter(values)
            whole = [filled(form, taken) for form in forms]
            return plain(*whole[:count], **dict(zip(keys, whole[count:], strict=True)))

        recording = recorded(of_leaves, leaves, found, exit)
        builder = Builder(recording.inputs)
        for answer in recording.answers:
            builder.check(answer)
        assembler = Assembler(builder, exit)
        result = assembler.result(recording.output)
        program = without_dead_ones(builder.program, assembler.outputs)
        for improved in (without_zeros, in_place):
            program = without_dead_ones(improved(program, assembler.outputs), assembler.outputs)
        self.program = gathered(program)
        self.inputs, self.outputs, self.kept = builder.inputs, assembler.outputs, assembler.kept
        self.title = title_of(function)
        writer = self.writer(as_names(found), numbers=True)
        self.source = writer.source(self.title)
        places = [f"z{k}" for k in range(count)]
        reader = Reader(places, weak)
        for form, place in zip(forms, [*places, *(f"q{k}" for k in range(len(keys)))], strict=True):
            reader.read(form, place)
        if len(writer.lines) <= INLINED:  # saves the call of another function
            writer = self.writer(reader.leaves, numbers=True)
            body = Body(writer.lines, writer.returned(), writer.loud)
        else:
            space = dict(writer.bound)
            exec(builtins.compile(self.source, f"<{self.title}>", "exec"), space)
            writer.bound = {"program": space[self.title]}
            call = f"found = program({', '.join(reader.leaves)})"
            body = Body([call], [f"found[{k}]" for k in range(len(self.outputs))], writer.loud)
        source = entry_source(reader, keys, body, assembler, result)
        self.space = {**writer.bound, **assembler.bound, **reader.bound, "safe": self.safe}
        self.code = builtins.compile(source, f"<call of {self.title}>", "exec")
        self.enter = self.entry(lambda arguments, keywords: MISMATCH)
        self.quick: Any = None
        self._safe: Any = None

    def entry(self, again: Callable[[tuple[Any, ...], dict[str, Any]], Any]) -> Callable[..., Any]:
        """The function of the arguments, which calls another one where the recording does not hold."""

        def again_with(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
            return again(tuple(a for a in arguments if a is not MISSING), keywords)

        space = {**self.space, "again": again_with}
        exec(self.code, space)
        return space["enter"]  # type: ignore[no-any-return]

    def writer(self, names: Sequence[str], numbers: bool) -> Writer:
        """What has written the program, with its inputs called by some names."""
        named = {value.number: name for value, name in zip(self.inputs, names, strict=True)}
        return Writer(self.program, self.inputs, named, self.outputs, self.kept, numbers)

    def safe(self) -> Callable[..., Any]:
        """The program without Python's numbers, which raise where those of NumPy give inf or NaN."""
        if self._safe is None:
            writer = self.writer([f"x{k}" for k in range(len(self.inputs))], numbers=False)
            source = writer.source(self.title)  # which may refer to more constants
            space = dict(writer.bound)
            exec(source, space)
            run = space[self.title]
            self._safe = lambda *leaves: run(*[np.float64(x) if type(x) is float else x for x in leaves])
        return self._safe  # type: ignore[no-any-return]


def argument_names(function: Any, count: int, keys: Sequence[str]) -> list[str]:
    """The names of the arguments of a call."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*(known[k] if k < len(known) else f"argument {k}" for k in range(count)), *keys]


def title_of(function: Any) -> str:
    """What the program is called: ``gradient_of_cost``."""
    name, transform = str(getattr(function, "__name__", "f")), getattr(function, "transform", "")
    name = name if name.isidentifier() else "f"
    return f"{transform}_of_{name}" if transform else name
