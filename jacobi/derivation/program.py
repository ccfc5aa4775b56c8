"""`Program`: the function that a derivation is about, read from NumPy source text or given as a Python function."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any

from jacobi.derivation.text import Interpreter
from jacobi.errors import InputError, at_function, at_users_line

Values = dict[str, Any]


class Program:
    """A function of named arrays.

    Attributes
    ----------
    text : str
        The source text, or the name of the function.
    arguments : tuple of str
        The names of its arguments, in the order in which they occur.
    letters : tuple of str
        The names in the text that stand for sizes, such as the ``N`` of ``sum(x) / N``; they are given by name too.
    defaults : dict
        Values of parameters of a Python function that need not be given.
    assigned : tuple of str
        The names that the text gives to intermediate results; those of a function are known after `run`.
    result : str or None
        The name that the text gives to its result, as in ``C = mean(x)``.
    unknown_functions : tuple of str
        Functions that were not given, such as ``f`` in ``f(W @ x)``; see `jacobi.derivation.stand_ins`.

    Examples
    --------
    >>> program = read("z = X @ w + b; mean(maximum(0, z)**2)")
    >>> program.arguments, program.assigned
    (('X', 'w', 'b'), ('z',))
    >>> import numpy as np
    >>> float(program(X=np.eye(2), w=np.ones(2), b=1.0))
    4.0
    """

    def __init__(
        self,
        text: str,
        arguments: tuple[str, ...],
        body: Callable[[Values], tuple[Any, Values]],
        plain: Callable[[Values], Any],
        *,
        letters: tuple[str, ...] = (),
        defaults: Values | None = None,
        assigned: tuple[str, ...] = (),
        result: str | None = None,
        unknown_functions: tuple[str, ...] = (),
    ):
        self.text = text
        self.arguments = arguments
        self.letters = letters
        self.defaults = defaults or {}
        self.assigned = assigned
        self.result = result
        self.unknown_functions = unknown_functions
        self._body = body
        self._plain = plain

    def __repr__(self) -> str:
        return f"<program {self.text!r} of {', '.join(self.arguments)}>"

    def __call__(self, *positional: Any, **values: Any) -> Any:
        """The result for these values: by position in the order of ``arguments``, or by name."""
        return self._plain(self.values(positional, values))

    def run(self, *positional: Any, **values: Any) -> tuple[Any, Values]:
        """The result, and the intermediate results by name (local variables, of a Python function)."""
        return self._body(self.values(positional, values))

    def values(self, positional: tuple[Any, ...], named: Values) -> Values:
        """The value of every name; a missing or a strange one is an error."""
        expected = (*self.arguments, *self.letters)
        if len(positional) > len(expected):
            raise InputError(
                at_users_line(f"{len(positional)} values for {', '.join(expected)}", "Give one value for each name.")
            )
        values = dict(zip(expected, positional, strict=False)) | named
        missing = [name for name in expected if name not in values]
        strange = [name for name in values if name not in expected and name not in self.defaults]
        if missing or strange:
            what = f"no value is given for {missing[0]}" if missing else f"{strange[0]} does not occur in {self.text}"
            raise InputError(at_users_line(what, f"Give values for {', '.join(expected)}."))
        return values


def read(source: str | Callable[..., Any], names: Iterable[str] = (), letters: Iterable[str] = ()) -> Program:
    """The program of NumPy source text, or of a Python function.

    Parameters
    ----------
    source : str or callable
        An expression; or statements ``z = ...`` and an expression, in lines or separated by ``;``.  Or a function.
    names : iterable of str
        The names that are known to be arguments; they win over constants and functions of the same name.
    letters : iterable of str
        The names that stand for sizes.

    Raises
    ------
    InputError
        For text that is no formula, with the place in it.

    Examples
    --------
    >>> read("sum(x**2) / n", letters=["n"]).letters
    ('n',)
    >>> read("x ^ 2")
    Traceback (most recent call last):
    ...
    jacobi.derivation.source_text.TextError: x ^ 2 uses an operator that formulas do not have (column 1)...
    """
    if isinstance(source, str):
        reader = Interpreter(source, names, letters)
        return Program(
            reader.text.source,
            tuple(reader.used),
            reader.run,
            lambda values: reader.run(values)[0],
            letters=tuple(reader.letters),
            assigned=tuple(reader.assigned),
            result=reader.result,
            unknown_functions=tuple(reader.unknown),
        )
    if callable(source):
        return of_function(source, frozenset(names), frozenset(letters))
    raise InputError(
        at_users_line(
            f"a {type(source).__name__} cannot be derived", "Give NumPy source text, or a Python function of arrays."
        )
    )


def of_function(function: Callable[..., Any], names: frozenset[str], letters: frozenset[str]) -> Program:
    """The program of a Python function; its parameters are the arguments."""
    name = getattr(function, "__name__", type(function).__name__)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        cure = f'Give it as text, such as "{name}(x)".'
        raise InputError(at_function(function, f"the parameters of {name} cannot be known", cure)) from None
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            what = f"{name} takes any number of arguments ({parameter})"
            raise InputError(at_function(function, what, "Write a function whose arguments have names."))
    optional = {p.name: p.default for p in parameters.values() if p.default is not p.empty and p.name not in names}
    required = [key for key in parameters if key not in optional]
    sizes = tuple(key for key in required if key in letters - names)
    arguments = tuple(key for key in required if key not in sizes)
    first = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_ONLY]

    def plain(values: Values) -> Any:
        named = {key: value for key, value in values.items() if key not in first}
        return function(*(values.get(key, optional.get(key)) for key in first), **named)

    def body(values: Values) -> tuple[Any, Values]:
        found: Values = {}
        code = getattr(inspect.unwrap(function), "__code__", None)

        def watch(frame: Any, event: str, _: Any) -> None:
            if event == "return" and frame.f_code is code:
                found.update(frame.f_locals)

        before = sys.getprofile()
        sys.setprofile(watch)
        try:
            result = plain(values)
        finally:
            sys.setprofile(before)
        return result, {key: value for key, value in found.items() if key not in parameters}

    return Program(name, arguments, body, plain, letters=sizes, defaults=optional)
