"""Numbers, parameters and indices as source."""

from __future__ import annotations

import ast
from fractions import Fraction

import numpy as np

from jacobi.errors import InputError


def numeral(value: Fraction | float) -> str:
    """A number: a decimal where it is exact, else a fraction.

    >>> numeral(Fraction(1, 2)), numeral(Fraction(2, 3)), numeral(float("inf"))
    ('0.5', '2 / 3', 'np.inf')
    """
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        return f"{value.numerator} / {value.denominator}" if 1000 % value.denominator else repr(float(value))
    return repr(value) if np.isfinite(value) else f"np.{value}"


def closed(text: str) -> bool:
    """Whether source is a name, a number, an attribute, an entry or a call, and so needs no parentheses."""
    kinds = (ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Call)
    return isinstance(ast.parse(text, mode="eval").body, kinds)


def literal(value: object) -> str:
    """A parameter, in a template: braces are doubled."""
    if isinstance(value, tuple):
        return "(" + "".join(f"{literal(entry)}, " for entry in value).rstrip() + ")"
    if isinstance(value, float) and not np.isfinite(value):
        return f"np.{value}" if value > 0 or value != value else f"-np.{-value}"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value).replace("{", "{{").replace("}", "}}")
    raise InputError(f"{value!r} cannot be a parameter in source: numbers, strings, None and tuples can.")


def is_plain_index(text: str) -> bool:
    """Whether what stands in brackets is made of numbers and slices.

    >>> is_plain_index("1:, ::-1"), is_plain_index("f()")
    (True, False)
    """
    allowed = (ast.Slice, ast.Tuple, ast.Constant, ast.UnaryOp, ast.USub, ast.Load)
    try:
        entry = ast.parse(f"x[{text}]", mode="eval").body
    except SyntaxError:
        return False
    return isinstance(entry, ast.Subscript) and all(isinstance(node, allowed) for node in ast.walk(entry.slice))
