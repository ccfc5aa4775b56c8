"""``compile``: a function, or a transform of one, as straight-line NumPy code for arguments of fixed shapes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np

from jacobi.compilation.forms import Form, Leaf, difference, filled, forms_of, has_nodes, leaves_of
from jacobi.compilation.version import MISMATCH, Version, argument_names
from jacobi.errors import InputError, at_users_line

COURSES = 8  # recordings for arguments of one form, which differ in branches on values
ERRORS = (TypeError, ValueError, AttributeError, IndexError)  # that tell that a function cannot be recorded
VERSIONS = 64  # recordings of one function


def compile(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Compiled:
    """Compile a function, or a transform of one, for arguments of certain shapes.

    Parameters
    ----------
    function : callable
        What to compile: ``jacobian(f)``, ``gradient(f)``, ``hessian(f)``, ``value_and_jacobian(f)``, `jvp`, a function
        that calls `vjp`, or a plain function of arrays.
    *arguments, **keywords
        Arguments to record it at.  Arrays of floats and numbers, also in tuples, lists and dictionaries, may change
        from call to call.  Everything else (integers, strings, arrays of integers, functions) is fixed.

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
    Variables that the function captures are part of the recording: a later change of them is not seen, which is why
    compilation is asked for, not done by itself.  Branches on values become checks.  Where one fails, and for
    arguments of another form, the function is recorded again; if there have been too many recordings, or it cannot be
    recorded, the function itself is called.  `Jacobian.kinks` stays empty.

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
    if not callable(function):
        raise InputError(
            at_users_line(f"{type(function).__name__} is not a function", "Write compile(jacobian(f), x).")
        )
    if not arguments and not keywords and needs_arguments(function):
        what = "compile was given no arguments to record the function at"
        raise InputError(at_users_line(what, "Write compile(jacobi.jacobian(f), x), with an x of the right shape."))
    result = Compiled(function)
    call = Call(arguments, keywords, None)
    try:
        result._record(call)
    except ERRORS:
        if not result._record_with_one_held(arguments, keywords, len(call.forms)):
            raise
    return result


def needs_arguments(function: Callable[..., Any]) -> bool:
    """Whether a function cannot be called without arguments, as far as Python knows."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):  # a ufunc, before NumPy 2.4
        return hasattr(function, "transform")
    return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


class Compiled:
    """A compiled function: call it with arguments as the function itself.

    Parameters
    ----------
    function : callable
        The function.

    Attributes
    ----------
    function : callable
        The function.
    recordings : list of str
        Why it was recorded: once at first, and again for other arguments and other branches.
    """

    def __new__(cls, function: Callable[..., Any]) -> Compiled:
        """An instance with a class of its own: calls go to generated code at once."""
        return super().__new__(type(cls.__name__, (cls,), {"__module__": cls.__module__, "__doc__": function.__doc__}))

    def __init__(self, function: Callable[..., Any]):
        wraps(function)(self)
        self.function = function
        self.recordings: list[str] = []
        self._versions: dict[Any, list[Version]] = {}
        self._first: Call | None = None
        self._impossible: set[Any] = set()
        self._latest: Version | None = None
        self._lock = threading.RLock()

    @property
    def source(self) -> str:
        """The generated source of the latest recording."""
        return "" if self._latest is None else self._latest.source

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__name__', 'function')}, {len(self.recordings)} recordings>"

    def __reduce__(self) -> Any:
        raise TypeError("a compiled function cannot be pickled; pickle the function and compile it where it is needed")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Evaluate, at arguments that may be recorded for first."""
        return self._search(arguments, keywords)

    def _search(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """The result by a version that holds, by a new one, or by the function itself."""
        if has_nodes(arguments) or has_nodes(keywords):  # inside another trace
            return self.function(*arguments, **keywords)
        call = Call(arguments, keywords, self._first, None if self._first is None else self._first.held)
        result = self._known(call)
        if result is MISMATCH:
            with self._lock:  # another thread may have recorded it meanwhile
                result = self._known(call)
                if result is MISMATCH:
                    result = self._new(call)
        return self.function(*arguments, **keywords) if result is MISMATCH else result

    def _known(self, call: Call) -> Any:
        """The result by a version that there is; `MISMATCH` where none holds."""
        for version in tuple(self._versions.get(call.key, ())):
            result = version.enter(*call.arguments, **call.keywords)
            if result is not MISMATCH:
                self._use(version)
                return result
        return MISMATCH

    def _new(self, call: Call) -> Any:
        """The result by a new version; `MISMATCH` where there have been too many, or it cannot be recorded."""
        full = len(self._versions.get(call.key, ())) >= COURSES or len(self.recordings) >= VERSIONS
        if full or call.key in self._impossible:
            return MISMATCH
        try:
            return self._record(call).enter(*call.arguments, **call.keywords)
        except ERRORS:
            self._impossible.add(call.key)
            return MISMATCH

    def _record(self, call: Call) -> Version:
        """A new recording for these arguments."""
        version = Version(self.function, call.values, call.forms, call.keys, call.weak)
        self.recordings.append(self._reason(call))
        self._first = self._first or call
        self._latest = version
        self._versions[call.key] = [version, *self._versions.get(call.key, ())]
        self._use(version)
        return version

    def _record_with_one_held(self, arguments: Sequence[Any], keywords: dict[str, Any], count: int) -> bool:
        """Record with one argument fixed, as some code needs plain arrays: whether that is possible."""
        for held in range(count):
            try:
                self._record(Call(arguments, keywords, None, held))
            except ERRORS:
                continue
            return True
        return False

    def _use(self, version: Version) -> None:
        """Send calls to a version first."""
        if version.quick is None:
            version.quick = staticmethod(version.entry(self._search))
        type(self).__call__ = version.quick  # type: ignore[method-assign]

    def _reason(self, call: Call) -> str:
        """Why a call needs a recording."""
        if self._first is None:
            return "for the first time"
        if self._versions.get(call.key):
            return "a branch on values went another way"
        names = argument_names(self.function, len(call.arguments), call.keys)
        return difference(names, self._first.forms, call.forms)


class Call:
    """The arguments of a call in the form in which a program takes them.

    Parameters
    ----------
    arguments, keywords
        The arguments.
    first : Call or None
        The first one: whole numbers are taken as floats where that one has floats.
    held : int or None
        The argument that is fixed although it is an array.
    """

    keys: list[str]
    values: list[Any]
    forms: tuple[Form, ...]

    def __init__(self, arguments: Sequence[Any], keywords: dict[str, Any], first: Call | None, held: int | None = None):
        self.held = held
        self.keys = sorted(keywords)
        values = [*arguments, *(keywords[key] for key in self.keys)]
        if first is not None and (len(first.values), first.keys) == (len(values), self.keys):
            values = [as_floats(value, form) for value, form in zip(values, first.forms, strict=True)]
        self.forms, self.weak = forms_of(values, held)
        self.values = [filled(form, leaves_of(value, form)) for value, form in zip(values, self.forms, strict=True)]
        self.key = (len(arguments), tuple(self.keys), self.forms, self.weak)
        self.arguments = tuple(self.values[: len(arguments)])
        self.keywords = dict(zip(self.keys, self.values[len(arguments) :], strict=True))


def as_floats(value: Any, form: Form) -> Any:
    """Whole numbers as floats, where floats were compiled for."""
    whole = isinstance(form, Leaf) and isinstance(value, (int, np.integer, np.ndarray, tuple, list))
    if not whole or isinstance(value, bool) or np.asarray(value).dtype.kind not in "iu":
        return value
    return np.asarray(value, float) if np.shape(value) else float(value)
