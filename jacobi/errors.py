"""The errors of the library, and the finder of the line of the user's code that they name.

Every message says what happened, on which line of the user's code, and what to write instead::

    JacobiError
    ├── TraceError (also a TypeError)      something that tracing cannot see through
    │   └── NoRuleError                    an operation without a derivative
    ├── ShapeError (also a ValueError)     spaces that do not fit together
    └── InputError (also a TypeError)      an argument or a result that is no array of real numbers
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import CodeType

__all__ = ["InputError", "JacobiError", "NoRuleError", "ShapeError", "TraceError", "users_line"]

OTHER_FOLDERS = tuple(f"site-packages{os.sep}{name}{os.sep}" for name in ("numpy", "scipy"))
PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class JacobiError(Exception):
    """The base of all errors that the library raises on purpose."""


class TraceError(JacobiError, TypeError):
    """Something in the user's function cannot be traced."""


class NoRuleError(TraceError):
    """An operation has no derivative rule."""


class ShapeError(JacobiError, ValueError):
    """Shapes, or the spaces of two Jacobians, do not fit together."""


class InputError(JacobiError, TypeError):
    """An argument or a result is not an array of real numbers."""


Place = tuple[CodeType, int] | None  # code, and the instruction in it; the line is worked out when it is asked for
USERS: dict[str, bool] = {}  # by the path of a file: whether it lies outside this package, NumPy and SciPy


def users_place() -> Place:
    """Where the user's code is running: its innermost frame outside this package, NumPy and SciPy."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        users = USERS.get(path)
        if users is None:
            theirs = path.startswith((PACKAGE_FOLDER, "<frozen")) or any(name in path for name in OTHER_FOLDERS)
            users = USERS[path] = not theirs
        if users:
            return frame.f_code, frame.f_lasti
        frame = frame.f_back  # type: ignore[assignment]
    return None


def shown(place: Place) -> str:
    """A place as messages name it: ``file.py:12``, or ``""``."""
    if place is None:
        return ""
    code, instruction = place
    line = next((line for first, end, line in code.co_lines() if first <= instruction < end), None)
    return f"{os.path.basename(code.co_filename)}:{line or code.co_firstlineno}"


def users_line() -> str:
    """``file.py:12`` of the innermost running line of the user's code, or ``""``."""
    return shown(users_place())


def at_users_line(what: str, cure: str) -> str:
    """A message of the common form: what happened, where, and what to write instead."""
    return message(what, users_line(), cure)


def at_function(function: object, what: str, cure: str) -> str:
    """The same for a fault of a whole function: names the line where it is defined."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if code is None:
        return at_users_line(what, cure)
    return message(what, f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}, in {code.co_name}", cure)


def message(what: str, place: str, cure: str) -> str:
    """What happened, where, and what to write instead."""
    return f"{what} ({place}). {cure}" if place else f"{what}. {cure}"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those behind it, each once: the way back can run in a circle."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
