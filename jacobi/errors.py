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

__all__ = ["InputError", "JacobiError", "NoRuleError", "ShapeError", "TraceError", "users_line"]

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


def users_line() -> str:
    """``file.py:12`` of the innermost running line outside this package and NumPy, or ``""``."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        inside_numpy = f"{os.sep}numpy{os.sep}" in path and "site-packages" in path
        if not (path.startswith(PACKAGE_FOLDER) or inside_numpy or path.startswith("<frozen")):
            return f"{os.path.basename(path)}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def at_users_line(what: str, cure: str) -> str:
    """A message of the common form: what happened, where, and what to write instead."""
    line = users_line()
    place = f" ({line})" if line else ""
    return f"{what}{place}. {cure}"
