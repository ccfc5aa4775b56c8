"""The entry: the source of the function that checks the arguments of a call, runs the program and builds the result.

It is generated, because on a few numbers a call through general code takes longer than the program itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jacobi.compilation.exits import Filled
from jacobi.compilation.forms import Fixed, Form, Leaf, Parts
from jacobi.compilation.instructions import Builder, Value
from jacobi.compilation.writing import Stale
from jacobi.expressions import Step
from jacobi.matrix import Jacobian
from jacobi.matrix.given import is_node
from jacobi.matrix.term import Term

MISSING = object()  # in the place of an argument that was not given
QUIET = 'with errstate(all="ignore"):'


class Reader:
    """Writes the lines that take the leaves out of the arguments, if these have the form of the recording.

    Parameters
    ----------
    places : sequence of str
        The names of the positional arguments.
    weak : str
        The type that Python's floats stand for.

    Attributes
    ----------
    leave : str
        What to do where the recording does not hold.
    """

    def __init__(self, places: Sequence[str], weak: str):
        self.places, self.weak = places, weak
        self.leave = f"return again(({''.join(f'{place}, ' for place in places)}*others), keywords)"
        self.bound: dict[str, Any] = {"ndarray": np.ndarray, "float64": np.float64, "missing": MISSING}
        self.lines: list[str] = []
        self.leaves: list[str] = []

    def require(self, condition: str) -> None:
        """A line that leaves unless a condition holds."""
        self.lines.append(f"if not ({condition}): {self.leave}")

    def read(self, form: Form, place: str) -> None:
        """The lines for one argument, which is found at some place."""
        name = f"a{len(self.bound)}"
        if isinstance(form, Fixed):
            self.bound[name] = form.held if isinstance(form.held, type(None)) else form.holds
            self.require(f"{place} is None" if form.held is None else f"{name}({place})")
        elif isinstance(form, Parts):
            self.bound[name] = form.type
            self.require(f"type({place}) is {name} and len({place}) == {len(form.keys)}")
            if issubclass(form.type, dict):
                self.bound[f"{name}_keys"] = list(form.keys)
                self.require(f"list({place}) == {name}_keys")
            for key, part in zip(form.keys, form.forms, strict=True):
                self.bound[f"{name}_{len(self.bound)}"] = key
                self.read(part, f"{place}[{name}_{len(self.bound) - 1}]")
        elif form.shape:
            self.bound[name] = np.dtype(form.type)
            self.lines.append(f"x{len(self.leaves)} = {place}")
            leaf = f"x{len(self.leaves)}"
            self.require(f"type({leaf}) is ndarray and {leaf}.shape == {form.shape} and {leaf}.dtype is {name}")
            self.leaves.append(leaf)
        else:
            self.number(form, place, name)

    def number(self, form: Leaf, place: str, name: str) -> None:
        """The lines for a number."""
        leaf = f"x{len(self.leaves)}"
        kind = np.dtype(form.type).type
        self.bound[name] = kind
        self.lines.append(f"{leaf} = {place}")
        if kind is np.float64:
            self.lines.append(f"if type({leaf}) is not float:")
            self.lines.append(f"    if type({leaf}) is not float64: {self.leave}")
            self.lines.append(f"    {leaf} = float({leaf})")
            if self.weak != "float64":
                self.lines[-3:-2] = [f"if type({leaf}) is float: {self.leave}", "else:"]
        else:
            weak = f" or type({leaf}) is float" if self.weak == form.type else ""
            self.require(f"type({leaf}) is {name}{weak}")
            self.lines.append(f"{leaf} = {name}({leaf})")
        self.leaves.append(leaf)


class Assembler:
    """Writes the lines that build the result of the values that the program returns.

    Parameters
    ----------
    builder : Builder
        Knows the values of steps.
    exit : str or None
        The format of Jacobians.

    Attributes
    ----------
    outputs : list of Value
        What the program returns.
    kept : list of bool
        Which of them the user gets as they are.
    """

    def __init__(self, builder: Builder, exit: str | None):
        self.builder, self.exit = builder, exit
        self.outputs: list[Value] = []
        self.kept: list[bool] = []
        self.bound: dict[str, Any] = {
            "new": object.__new__, "Jacobian": Jacobian, "Term": Term, "Stale": Stale, "errstate": np.errstate,
            "float64": np.float64, "asarray": np.asarray,
        }  # fmt: skip
        self.lines: list[str] = []
        self.numbers: dict[tuple[Value, Any], str] = {}

    def bind(self, thing: Any) -> str:
        """The name of a thing."""
        name = f"k{len(self.bound)}"
        self.bound[name] = thing
        return name

    def output(self, value: Value, kept: bool) -> str:
        """The name of a value among those that the program returns."""
        for k, (known, its) in enumerate(zip(self.outputs, self.kept, strict=True)):
            if known is value and not its and not kept:
                return f"y{k}"
        self.outputs.append(value)
        self.kept.append(kept)
        return f"y{len(self.outputs) - 1}"

    def result(self, part: Any) -> str:
        """A part of the result as an expression, after the lines that it needs."""
        if isinstance(part, Step):
            value = self.builder.of(part)
            return self.output(value, True) if value.shape else self.number(value, value.dtype)
        if isinstance(part, Jacobian):
            return self.matrix(part)
        if isinstance(part, Filled):
            return self.filled(part)
        if isinstance(part, dict):
            return "{" + ", ".join(f"{self.bind(key)}: {self.result(value)}" for key, value in part.items()) + "}"
        if isinstance(part, (tuple, list)):
            parts = [self.result(entry) for entry in part]
            if type(part) is tuple:
                return "(" + "".join(f"{text}, " for text in parts) + ")"
            texts = ", ".join(parts)
            return f"[{texts}]" if type(part) is list else f"{self.bind(type(part))}({texts})"
        if isinstance(part, np.ndarray):
            return f"{self.bind(part.copy())}.copy()"
        return self.bind(part)

    def number(self, value: Value, dtype: Any) -> str:
        """A number of a type of NumPy; it is made once, since nobody can change it."""
        known = self.numbers.get((value, dtype))
        if known is None:
            known = self.numbers[value, dtype] = f"n{len(self.numbers)}"
            name, kind = self.output(value, True), "float64" if dtype.char == "d" else self.bind(dtype.type)
            self.lines.append(f"{known} = {kind}({name})")
        return known

    def factor(self, factor: Any, dtype: Any) -> str:
        """A factor of a Jacobian."""
        value = self.builder.of(factor.current()) if is_node(factor) else self.builder.constant(factor)
        if not value.shape:
            return self.number(value, dtype)
        name = self.output(value, False)
        return name if value.dtype == dtype else f"asarray({name}, {self.bind(dtype)})"

    def matrix(self, J: Jacobian) -> str:
        """A Jacobian, made without its constructor."""
        terms = []
        for term in J.terms:
            factors = [self.factor(factor, J.dtype) for factor in term.factors]
            name = f"m{len(self.lines)}"
            self.lines += [
                f"{name} = new(Term)",
                f"{name}.coefficient = {self.bind(term.coefficient)}",
                f"{name}.factors = ({''.join(f'{factor}, ' for factor in factors)})",
                f"{name}.wiring = {self.bind(term.wiring)}",
            ]
            terms.append(name)
        name = f"m{len(self.lines)}"
        attributes = {
            "out_shape": self.bind(J.out_shape), "in_shape": self.bind(J.in_shape), "shape": self.bind(J.shape),
            "dtype": self.bind(J.dtype), "kinks": "()", "terms": f"[{', '.join(terms)}]",
        }  # fmt: skip
        self.lines.append(f"{name} = new(Jacobian)")
        self.lines += [f"{name}.{attribute} = {value}" for attribute, value in attributes.items()]
        return f"{name}.aslinearoperator()" if self.exit == "operator" else name

    def filled(self, how: Filled) -> str:
        """A full or sparse matrix, of the array that the program has filled."""
        name = self.output(self.builder.fill(how), True)
        if how.shape is not None:
            return f"{name}.reshape({how.shape})"
        matrix = f"m{len(self.lines)}"
        self.lines += [
            f"{matrix} = new({self.bind(type(how.template))})",
            f"{matrix}.__dict__.update({self.bind(how.template.__dict__)})",
            f"{matrix}.data = {name}",
        ]
        return matrix


class Body(NamedTuple):
    """The program as a part of the entry.

    Attributes
    ----------
    lines, returned : list of str
        Its lines, and what it returns, on the leaves as the reader calls them.
    loud : bool
        Whether NumPy may warn.
    """

    lines: list[str]
    returned: list[str]
    loud: bool


def entry_source(reader: Reader, keys: Sequence[str], body: Body, assembler: Assembler, result: str) -> str:
    """The source of the entry, a function of the same arguments as the compiled one.

    Parameters
    ----------
    reader : Reader
        Holds the lines before the program.
    keys : sequence of str
        The names of the arguments by keyword.
    body : Body
        The program.
    assembler : Assembler
        Holds the lines after the program.
    result : str
        The result as an expression.
    """
    returned, loud, leave = body.returned, body.loud, reader.leave
    program = [*body.lines, *(f"y{k} = {value}" for k, value in enumerate(returned))] or ["pass"]
    outputs = "".join(f"y{k}, " for k in range(len(returned))) or "nothing"
    others = "others or " + (f"list(keywords) != {list(keys)!r}" if keys else "keywords")
    last = "".join(f" or {place} is missing" for place in reader.places[-1:])
    parameters = [*(f"{place}=missing" for place in reader.places), *("/" for _ in reader.places[:1])]
    lines = [
        f"if {others}{last}: {leave}",
        *(f"q{k} = keywords[{key!r}]" for k, key in enumerate(keys)),
        *reader.lines,
        "try:",
        *([f"    {QUIET}", *(f"        {line}" for line in program)] if loud else [f"    {line}" for line in program]),
        f"except Stale: {leave}",
        "except (ArithmeticError, ValueError):",
        f"    {QUIET}",
        f"        try: {outputs} = safe()({', '.join(reader.leaves)})",
        f"        except Stale: {leave}",
        *assembler.lines,
        f"return {result}",
    ]
    head = f"def enter({', '.join([*parameters, '*others', '**keywords'])}):"
    return "\n".join([head, *(f"    {line}" for line in lines), ""])
