"""The user's code: the functions that the command line names, and the line in them where something was raised."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from inspect import unwrap
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from jacobi.cli.outcomes import REFUSED, Failure, UsageError
from jacobi.errors import PACKAGE_FOLDER, JacobiError, users_line

NAMED = 10  # functions of a file in an error message
MODULES: dict[Path, ModuleType] = {}  # by their files, so that a file is run once
INSTALLED = {"site-packages", "dist-packages"}  # folders of packages
NOT_USERS = (PACKAGE_FOLDER, os.path.dirname(os.__file__) + os.sep)


# Functions --------------------------------------------------------------------------------------------------------


def loaded(target: str, other: Path | None = None) -> tuple[Path, Callable[..., Any]]:
    """The file and the function that ``FILE.py:name`` means; ``:name`` is one of the other file.

    The name may have dots, as in ``FILE.py:Model.loss``.
    """
    file, colon, name = target.strip().rpartition(":")
    parts = name.split(".")
    if not colon or not all(part.isidentifier() for part in parts) or not (file or other):
        raise UsageError(f"{target.strip()!r} names no function. Write FILE.py:name")
    path = Path(file).resolve() if file else other
    assert path is not None
    function: Any = module_of(path)
    for part in parts:
        function = getattr(function, part, None)
    if not callable(function):
        raise UsageError(f"{path.name} has no function {name}. It has {functions_of(path)}")
    return path, function


def module_of(path: Path) -> ModuleType:
    """The module that a file makes; its neighbours can be imported as when it is run."""
    if path in MODULES:
        return MODULES[path]
    name = f"{path.stem}_of_the_command_line"  # no other module's name
    specification = spec_from_file_location(name, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise UsageError(f"{path} is no Python file")
    module = module_from_spec(specification)
    sys.modules[name] = module  # pickle and dataclasses look for it
    sys.path.insert(0, str(path.parent))
    MODULES[path] = module
    try:
        with redirect_stdout(sys.stderr):
            specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a script that exits must not decide the status of the command
        where = raised_at(error)
        del MODULES[path]
        raise UsageError(f"{path.name} cannot be imported: {said(error)}{f' ({where})' if where else ''}") from error
    return module


def functions_of(path: Path) -> str:
    """The names of the functions that a file defines."""
    module = module_of(path)
    names = [
        name
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
    ]
    return ", ".join(names[:NAMED] + ["..."] * (len(names) > NAMED)) or "none"


def definition(function: Callable[..., Any]) -> dict[str, Any] | None:
    """The file and the line where a function is defined; None where Python does not know them.

    The file is named from the current folder, if it lies below it.
    """
    function = unwrap(getattr(function, "func", function))
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    if code is None:
        return None
    path = Path(code.co_filename)
    here = Path.cwd()
    file = path.relative_to(here) if path.is_relative_to(here) else path
    return {"file": file.as_posix(), "line": code.co_firstlineno}


# What is raised ---------------------------------------------------------------------------------------------------


@contextmanager
def running(status: int = REFUSED) -> Iterator[None]:
    """Around everything that calls the user's code: what it prints goes to stderr, what it raises names its line.

    Errors of ours pass, and so does everything that was not raised in the user's code: that is a bug of ours.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except JacobiError:
        raise
    except (Exception, SystemExit) as error:
        where = raised_at(error)
        if not where:
            raise
        raise Failure(f"{where}: {said(error)}", status) from error


def raised_at(error: BaseException) -> str:
    """The innermost line of the user's code that an exception went through, as ``model.py:12, in loss``; or ``""``."""
    found = ""
    for frame, line in walk_tb(error.__traceback__):
        code = frame.f_code
        if is_users(code.co_filename):
            inside = "" if code.co_name.startswith("<") else f", in {code.co_name}"
            found = f"{Path(code.co_filename).name}:{line}{inside}"
    return found


def is_users(file: str) -> bool:
    """Whether a file is the user's own: none of this package, of an installed one, or of Python."""
    path = Path(file)
    others = file.startswith(NOT_USERS) or not INSTALLED.isdisjoint(path.parts) or not path.is_file()
    return path in MODULES or not others


def said(error: BaseException) -> str:
    """What an exception says: its kind, and its message."""
    if isinstance(error, SystemExit):
        return f"the code ends the process (SystemExit: {error})"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def reason(error: Exception) -> str:
    """The message of an error of ours, without the line of the script that runs the command."""
    return str(error).replace(f" ({users_line()})", "")
