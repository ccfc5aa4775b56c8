"""Shapes as people write them: sizes are numbers, letters, or sums and products of them, such as ``n - 1``.

``derive`` keeps the letters, ``check`` and the command line put numbers in their places: one reader serves them all.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from jacobi.errors import InputError, at_users_line

__all__ = ["Shape", "Token", "letters_in", "letters_of", "number", "numbers_of", "shape_of"]

Token: TypeAlias = str | int
Shape: TypeAlias = tuple[Token, ...]

OPERATIONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}  # fmt: skip


def shape_of(name: str, shape: Any) -> Shape:
    """The given shape of an argument as a tuple; a single size is the length of a vector.

    Examples
    --------
    >>> shape_of("X", ("N", 5)), shape_of("X", "N, n"), shape_of("y", "N"), shape_of("d", "n - 1"), shape_of("b", ())
    (('N', 5), ('N', 'n'), ('N',), ('n - 1',), ())
    """
    parts = listed(shape) if isinstance(shape, str) else shape if isinstance(shape, (tuple, list)) else [shape]
    tokens = tuple(map(token_of, parts))
    for part, token in zip(parts, tokens, strict=True):
        if token is None:
            what = f"{part!r} is not a size, in the shape {shape!r} of {name}"
            raise InputError(at_users_line(what, 'Write letters or numbers: ("N", "n"), (3, 4), () for a number.'))
    return tuple(token for token in tokens if token is not None)


def listed(text: str) -> list[str]:
    """The sizes in a text, with or without brackets around them.

    Examples
    --------
    >>> listed("N, n"), listed("(3, 2*(n+1))"), listed("4,"), listed("")
    (['N', 'n'], ['3', '2 * (n + 1)'], ['4'], [])
    """
    try:
        tree: Any = ast.parse(f"[{text}]", mode="eval").body
        if isinstance(tree, ast.List) and len(tree.elts) == 1 and isinstance(tree.elts[0], (ast.List, ast.Tuple)):
            tree = tree.elts[0]
        return [ast.unparse(part) for part in tree.elts]
    except (SyntaxError, ValueError, AttributeError, RecursionError, MemoryError):
        return [text]


def token_of(part: Any) -> Token | None:
    """One size as a number or as text; None if it is no size."""
    if isinstance(part, str):
        tree = tree_of(part.strip())
        if isinstance(tree, ast.Constant):
            return int(tree.value)  # type: ignore[arg-type]
        return None if tree is None else ast.unparse(tree)
    if isinstance(part, (int, np.integer)) and not isinstance(part, bool) and part >= 0:
        return int(part)
    return None


@lru_cache(maxsize=1000)
def tree_of(token: str) -> ast.expr | None:
    """The syntax tree of a size; None if it is anything but arithmetic of letters and whole numbers."""
    try:
        tree = ast.parse(token, mode="eval").body
        return tree if is_size(tree) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_size(tree: ast.expr) -> bool:
    """Whether a tree consists of letters, whole numbers and the known operations."""
    if isinstance(tree, ast.BinOp):
        return type(tree.op) in OPERATIONS and is_size(tree.left) and is_size(tree.right)
    return isinstance(tree, ast.Name) or (isinstance(tree, ast.Constant) and type(tree.value) is int)


def letters_of(token: Token) -> tuple[str, ...]:
    """The letters in one size."""
    return () if isinstance(token, int) else tuple(dict.fromkeys(re.findall(r"[^\W\d]\w*", token)))


def letters_in(shapes: Mapping[str, Any]) -> tuple[str, ...]:
    """The letters in given shapes, in the order in which they occur.

    Examples
    --------
    >>> letters_in({"X": ("N", "n"), "y": "N", "d": ("n - 1",)})
    ('N', 'n')
    """
    tokens = [token for name, shape in shapes.items() for token in shape_of(name, shape)]
    return tuple(dict.fromkeys(letter for token in tokens for letter in letters_of(token)))


def number(token: Token, letters: Mapping[str, int]) -> int:
    """The number of a size.

    Examples
    --------
    >>> number("2 * n - 1", {"n": 5})
    9
    """
    if isinstance(token, int):
        return token
    if token in letters:
        return letters[token]
    tree = tree_of(token)
    if tree is None:
        raise InputError(at_users_line(f"{token!r} is not a size", "Write letters and numbers, such as n - 1."))
    try:
        value = evaluated(tree, letters)
    except KeyError as missing:
        what = f"nothing says how large {missing.args[0]} is, in the size {token}"
        raise InputError(at_users_line(what, "Use it alone as a size somewhere.")) from None
    except ZeroDivisionError:
        value = -1
    if value != int(value) or value < 0:
        given = ", ".join(f"{letter} = {letters[letter]}" for letter in letters_of(token))
        what = f"the size {token} is no whole number{f' for {given}' if given else ''}"
        raise InputError(at_users_line(what, "Write a size that is a whole number from 0 on."))
    return int(value)


def evaluated(tree: ast.expr, letters: Mapping[str, int]) -> Any:
    """The value of a tree of a size."""
    if isinstance(tree, ast.BinOp):
        return OPERATIONS[type(tree.op)](evaluated(tree.left, letters), evaluated(tree.right, letters))
    return letters[tree.id] if isinstance(tree, ast.Name) else tree.value  # type: ignore[attr-defined]


def numbers_of(shapes: Mapping[str, Any], letters: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The shapes with numbers in place of letters.

    Examples
    --------
    >>> numbers_of({"X": "N, n", "d": "n - 1", "b": ()}, {"N": 3, "n": 2})
    {'X': (3, 2), 'd': (1,), 'b': ()}
    """
    return {name: tuple(number(token, letters) for token in shape_of(name, shape)) for name, shape in shapes.items()}
