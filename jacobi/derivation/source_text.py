"""The source text of a derivation: its syntax tree, and error messages that point into it."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from jacobi.errors import InputError, message

NOT_TEXT = (
    "Text may use numbers, names, + - * / // % ** @, comparisons, calls of NumPy's functions, indices, conditions "
    "(a if c else b), sums over generators, and assignments z = ... before the result."
)


class TextError(InputError):
    """Text that cannot be read or evaluated.

    Attributes
    ----------
    expression : str
        The part of the text.
    """

    expression: str = ""


class Text:
    """The source, its syntax tree, and messages that point into it."""

    def __init__(self, source: str):
        self.source = inspect.cleandoc(source)
        try:
            self.statements = ast.parse(self.source).body
        except SyntaxError as error:
            line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
            cure = "Write NumPy source: products as 2 * x or X @ w, powers as x**2, the transpose as X.T."
            raise self._fault(f"{error.msg}", cure, line, column, column + 1) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise TextError(message(f"the text cannot be read: {error}", "", NOT_TEXT)) from None
        if not self.statements:
            raise TextError(message("the text is empty", "", "Write an expression, such as sum(x**2)."))

    def part(self, node: ast.AST) -> str:
        """The text of a part."""
        return " ".join((ast.get_source_segment(self.source, node) or "").split())

    def error(self, node: ast.AST, what: str, cure: str) -> TextError:
        """An error that names a part of the text and points to it."""
        place: Any = node
        line = self.source.splitlines()[place.lineno - 1].encode()
        end = place.end_col_offset if place.end_lineno == place.lineno else len(line)
        start, stop = (len(line[:k].decode()) for k in (place.col_offset, end))
        fault = self._fault(what, cure, place.lineno, start, stop)
        fault.expression = self.part(node)
        return fault

    def _fault(self, what: str, cure: str, line: int, start: int, stop: int) -> TextError:
        """What happened, where, what to write instead, and the line with a caret."""
        lines = self.source.splitlines() or [""]
        where = f"column {start + 1}" if len(lines) == 1 else f"line {line}, column {start + 1}"
        shown = lines[min(line, len(lines)) - 1]
        return TextError(f"{message(what, where, cure)}\n    {shown}\n    {' ' * start}{'^' * max(stop - start, 1)}")
