"""Words: how operations are written in source, on arrays and on Python's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.compilation.instructions import Instruction, Value
from jacobi.matrix.arrays import indicator
from jacobi.rules.elementwise import quotient
from jacobi.rules.moves import SHAPE

INFIX: dict[Any, str] = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.matmul: "@",
    np.greater: ">", np.less: "<", np.greater_equal: ">=", np.less_equal: "<=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip
COMPARED = {function: sign for function, sign in INFIX.items() if sign in (">", "<", ">=", "<=", "==", "!=")}

# The same on Python's numbers, which are faster than those of NumPy; where these raise, the program runs on NumPy's.
NUMBERS: dict[Any, str] = {
    np.add: "{0} + {1}", np.subtract: "{0} - {1}", np.multiply: "{0} * {1}", np.divide: "{0} / {1}",
    np.negative: "-{0}", np.positive: "{0}", np.square: "{0} * {0}", np.reciprocal: "1.0 / {0}",
    np.exp: "math.exp({0})", np.sin: "math.sin({0})", np.cos: "math.cos({0})", np.tan: "math.tan({0})",
    np.tanh: "math.tanh({0})", np.sinh: "math.sinh({0})", np.cosh: "math.cosh({0})", np.sqrt: "math.sqrt({0})",
    np.log: "math.log({0})", np.log1p: "math.log1p({0})", np.expm1: "math.expm1({0})", np.absolute: "abs({0})",
    np.log2: "math.log2({0})", np.log10: "math.log10({0})", np.arctan: "math.atan({0})",
    np.arcsin: "math.asin({0})", np.arccos: "math.acos({0})", np.arctan2: "math.atan2({0}, {1})",
    np.arcsinh: "math.asinh({0})", np.arccosh: "math.acosh({0})", np.arctanh: "math.atanh({0})",
    np.hypot: "math.hypot({0}, {1})", np.power: "math.pow({0}, {1})", np.float_power: "math.pow({0}, {1})",
    np.maximum: "{0} if {0} >= {1} or {0} != {0} else {1}", np.minimum: "{0} if {0} <= {1} or {0} != {0} else {1}",
    quotient: "{0} / {1} if {1} else {0}",
}  # fmt: skip
METHODS: dict[Any, str] = {np.sum: "sum", np.prod: "prod", np.max: "max", np.min: "min"}  # called faster
BY_POSITION = {np.reshape: SHAPE, np.transpose: "axes"}  # methods, and their only parameter
NAMED = {"scipy.special.expit": "1.0 / (1.0 + math.exp(-{0}))"}
LARGEST_POWER = 64  # x ** 7 is written with the operator: a whole exponent gives no complex number


def template_of(instruction: Instruction) -> str | None:
    """How an instruction on numbers is written in Python's own words, if there are such."""
    function, target = instruction.function, instruction.target
    numbers = [a for a in instruction.arguments if isinstance(a, Value)]
    if target.shape or any(value.shape or value.dtype != float for value in numbers):
        return None
    if any(not isinstance(a, (Value, int, float)) for a in instruction.arguments[:2]):
        return None
    if function is indicator and target.dtype == float:
        return f"1.0 if {{0}} {COMPARED[instruction.keywords['comparison']]} {{1}} else 0.0"
    if instruction.keywords or target.dtype != float:
        return None
    if function is np.power and type(instruction.arguments[1]) is int and abs(instruction.arguments[1]) < LARGEST_POWER:
        return "{0} ** {1}"
    return NUMBERS.get(function) or NAMED.get(instruction.operation.name)


def in_parentheses(text: str) -> str:
    """A negative number as an operand."""
    return f"({text})" if text.startswith("-") else text
