"""``compile``: a function, or a transform of one, as straight-line NumPy code for arguments of fixed shapes."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from jacobi.compilation.blocks import in_pieces
from jacobi.compilation.instructions import Builder, Value, scheduled
from jacobi.compilation.recording import Recording, recorded
from jacobi.compilation.results import EXITS, Make, jacobian, own
from jacobi.compilation.writing import Check, Stale, Writer
from jacobi.errors import InputError, at_users_line
from jacobi.expressions import Step
from jacobi.matrix import Jacobian
from jacobi.matrix.given import is_node

VERSIONS = 8  # recordings of one function that are kept for arguments of the same shapes
NUMBERS_FAIL = (ArithmeticError, ValueError)  # where Python's numbers raise, and those of NumPy give inf or NaN


def compile(function: Callable[..., Any], *arguments: Any) -> Compiled:
    """Compile a function, or a transform of one, for arguments of certain shapes.

    Parameters
    ----------
    function : callable
        What to compile: ``jacobian(f)``, ``gradient(f)``, ``hessian(f)``, ``value_and_jacobian(f)``, a function that
        calls `jvp`, or a plain function of arrays.
    *arguments
        Arguments to record it at.  Arrays and numbers may change from call to call; everything else is fixed.

    Returns
    -------
    Compiled
        Called like the function.  ``source`` is the generated NumPy code.

    Raises
    ------
    TraceError, InputError
        Where the function cannot be traced.

    Notes
    -----
    Arrays that the function captures are copied when it is recorded: a later change of a captured variable is not
    seen, which is why compilation is asked for, not done by itself.  Branches on values become guards; where one fails,
    and for other shapes or types, the function is recorded again.  `Jacobian.kinks` stays empty.

    Examples
    --------
    >>> import numpy as np
    >>> import jacobi as jb
    >>> F = compile(jb.jacobian(lambda x: np.sin(x) * x), np.ones(3))
    >>> F(np.zeros(3)).structure
    'diagonal'
    >>> print(F.source)
    def jacobian_of_f(x):
        ...
    """
    result = Compiled(function)
    result.version(arguments)
    return result


class Compiled:
    """A compiled function: call it with arguments as the function itself.

    Attributes
    ----------
    function : callable
        The function.
    """

    def __init__(self, function: Callable[..., Any]):
        if not callable(function):
            raise InputError(
                at_users_line(f"{type(function).__name__} is not a function", "Write compile(jacobian(f), x).")
            )
        wraps(function)(self)
        self.function = function
        self._versions: dict[Any, list[Version]] = {}
        self._latest: Version | None = None

    @property
    def source(self) -> str:
        """The generated source of the latest recording."""
        assert self._latest is not None
        return self._latest.source

    def __call__(self, *arguments: Any) -> Any:
        """Evaluate, at arguments that may be recorded for first."""
        if any(is_node(argument) for argument in arguments):  # inside another trace
            return self.function(*arguments)
        versions = self._versions.get(tuple([signature(argument) for argument in arguments]), ())
        for version in versions:
            try:
                return version(arguments)
            except Stale:
                continue
        if len(versions) >= VERSIONS:  # the course depends too much on the values
            return self.function(*arguments)
        return self.version(arguments)(arguments)

    def version(self, arguments: Sequence[Any]) -> Version:
        """A new recording for these arguments."""
        key = tuple([signature(argument) for argument in arguments])
        known = self._versions.get(key)
        if known is None and self._latest is not None:
            check_arguments(self._latest.key, key)
        found = Version(self.function, arguments, key)
        self._versions[key] = [found, *(known or [])]
        self._latest = found
        return found


def signature(argument: Any) -> Any:
    """What must be alike for a recording to hold: kind, shape and type; the value of what is no array."""
    if type(argument) is float:
        return "d"
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.dtype.char
    if isinstance(argument, np.floating):
        return argument.dtype.char
    if isinstance(argument, (list, tuple)):
        return (type(argument).__name__, *map(signature, argument))
    return "fixed", argument


def check_arguments(expected: tuple[Any, ...], found: tuple[Any, ...]) -> None:
    """Refuse another number of arguments, and what is no array where one was before."""
    if len(expected) != len(found):
        raise InputError(
            at_users_line(f"{len(found)} arguments, compiled for {len(expected)}", "Give as many as at compile time.")
        )
    for k, (one, other) in enumerate(zip(expected, found, strict=True)):
        if (one[0] == "fixed") != (other[0] == "fixed"):
            what = f"argument {k} is {other[-1]!r:.60}, and an array or a number was compiled for"
            raise InputError(at_users_line(what, "Give an array of real numbers there."))


class Version:
    """One recording of a function: the program for some shapes, types and branches.

    Attributes
    ----------
    source : str
        The source of the program.
    key : tuple
        What it holds for.
    """

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any], key: tuple[Any, ...]):
        self.key = key
        plain, exit = plain_form(function)
        self.arrays = [k for k, argument in enumerate(arguments) if is_array(argument)]
        recording = recorded(plain, arguments, self.arrays)
        builder = Builder(recording.inputs)
        program = guarded(builder, recording)
        self.outputs: list[Value] = []
        self.make = self.output(builder, recording.output, exit)
        program += builder.instructions[len([p for p in program if not isinstance(p, Check)]) :]
        program = scheduled(program, in_pieces)
        names = dict(zip([v.number for v in builder.inputs], parameter_names(function, self.arrays), strict=True))
        title = title_of(function)
        self._run, self.source = made(program, names, self.outputs, True, title)
        self._safe: Any = None
        self._again = (program, names, title)
        self.dtypes = [v.dtype for v in builder.inputs]
        self.numbers = [not v.shape for v in builder.inputs]

    def __call__(self, arguments: Sequence[Any]) -> Any:
        """The result at some arguments; `Stale` where it took another course."""
        values = [
            float(arguments[k]) if number and dtype.char == "d" else np.asarray(arguments[k], dtype=dtype)
            for k, dtype, number in zip(self.arrays, self.dtypes, self.numbers, strict=True)
        ]
        try:
            if all(self.numbers):
                found = self._run(*values)
            else:
                with np.errstate(all="ignore"):
                    found = self._run(*values)
        except NUMBERS_FAIL:
            with np.errstate(all="ignore"):
                found = self.safe()(*map(np.asarray, values))
        return self.make(found)

    def safe(self) -> Callable[..., Any]:
        """The program without Python's numbers, which raise where those of NumPy give inf or NaN."""
        if self._safe is None:
            program, names, title = self._again
            self._safe, _ = made(program, names, self.outputs, False, title)
        return self._safe  # type: ignore[no-any-return]

    def output(self, builder: Builder, result: Any, exit: str | None) -> Make:
        """What makes the result of the values that the program returns."""
        if isinstance(result, Step):
            return self.array(builder, result)
        if isinstance(result, Jacobian):
            return self.matrix(builder, result, exit)
        if isinstance(result, (tuple, list)):
            parts = [self.output(builder, part, exit) for part in result]
            kind = type(result)
            return lambda found: kind(part(found) for part in parts)
        if isinstance(result, dict):
            by_key = {key: self.output(builder, part, exit) for key, part in result.items()}
            return lambda found: {key: part(found) for key, part in by_key.items()}
        fixed = np.copy(result) if isinstance(result, np.ndarray) else result
        return lambda found: fixed.copy() if isinstance(fixed, np.ndarray) else fixed

    def position(self, value: Value) -> int:
        """Where a value stands among those that the program returns."""
        for k, known in enumerate(self.outputs):
            if known is value:
                return k
        self.outputs.append(value)
        return len(self.outputs) - 1

    def array(self, builder: Builder, step: Step) -> Make:
        """An array, or a number, of its own."""
        value = builder.of(step)
        k = self.position(value)
        shared = self.shared(builder, value)
        kind = value.dtype.type
        if not value.shape:
            return lambda found: kind(found[k])
        return lambda found: own(found[k], shared)

    def shared(self, builder: Builder, value: Value) -> bool:
        """Whether the memory of a value may be that of an input, a constant or another result."""
        made_by = next((i for i in builder.instructions if i.target is value), None)
        return made_by is None or made_by.view

    def matrix(self, builder: Builder, J: Jacobian, exit: str | None) -> Make:
        """A Jacobian, or what it is converted to."""
        places, shared, dtypes = [], [], []
        for term in J.terms:
            for factor in term.factors:
                step = factor.current() if is_node(factor) else None
                value = builder.constant(factor) if step is None else builder.of(step)
                places.append(self.position(value))
                shared.append(self.shared(builder, value))
                dtypes.append(value.dtype)
        make = EXITS[exit](J) if exit in EXITS else jacobian(J, dtypes)
        copied = exit not in EXITS

        def result(found: Sequence[Any]) -> Any:
            factors = [
                own(found[k], held) if copied else found[k] for k, held in zip(places, shared, strict=True)
            ]
            made_matrix = make(factors)
            return made_matrix.aslinearoperator() if exit == "operator" else made_matrix

        return result


def guarded(builder: Builder, recording: Recording) -> list[Any]:
    """The instructions that lead to the answers that the function was given, each with its check."""
    program: list[Any] = []
    for answer in recording.answers:
        before = len(builder.instructions)
        arguments = tuple(builder.of(a) if isinstance(a, Step) else a for a in answer.arguments)
        program += builder.instructions[before:]
        if any(isinstance(a, Value) and a.constant is None for a in arguments):
            program.append(Check(answer.operation, arguments, answer.keywords, answer.value))
    return program


def plain_form(function: Any) -> tuple[Callable[..., Any], str | None]:
    """A transform without its format, and the format, which is carried out after the program."""
    form = getattr(function, "without_format", None)
    return (function, None) if form is None else form


def title_of(function: Any) -> str:
    """What the program is called: ``gradient_of_cost``."""
    name = getattr(function, "__name__", "f")
    name = name if name.isidentifier() else "f"
    transform = getattr(function, "transform", "")
    return f"{transform}_of_{name}" if transform else name


def is_array(argument: Any) -> bool:
    """Whether an argument takes part in the recording."""
    if isinstance(argument, (list, tuple)):
        return bool(argument) and all(is_array(part) for part in argument)
    return isinstance(argument, (np.ndarray, np.generic, float)) and np.asarray(argument).dtype.kind == "f"


def parameter_names(function: Any, positions: Sequence[int]) -> list[str]:
    """The names of the arrays among the arguments of a function."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = [known[k] if k < len(known) else f"x{k}" for k in positions]
    return [name if name not in ("np", "math", "require", "block", "i", "j") else f"{name}_" for name in names]


def made(
    program: list[Any], names: dict[int, str], outputs: list[Value], numbers: bool, title: str
) -> tuple[Callable[..., Any], str]:
    """The program as a function, and its source."""
    writer = Writer(program, names, outputs, numbers)
    source = writer.write(title, list(names.values()))
    namespace = dict(writer.bound)
    exec(builtins.compile(source, f"<{title}>", "exec"), namespace)
    return namespace[title], source
