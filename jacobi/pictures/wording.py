"""What is written on a circuit: numbers and shapes on the wires, the names of operations in the boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.expressions import Step
from jacobi.matrix import Jacobian

FEW = 3  # entries of a vector that are written out on a wire
SMALL = 36  # entries of a local Jacobian that are written out in the text of a box

INFIX = {
    "numpy.add": "+",
    "numpy.subtract": "−",
    "numpy.multiply": "×",
    "numpy.divide": "/",
    "numpy.power": "**",
    "numpy.float_power": "**",
    "numpy.matmul": "@",
}
COMMUTATIVE = "+×"
SHORT = {
    "numpy.maximum": "max",
    "numpy.minimum": "min",
    "numpy.negative": "× −1",
    "numpy.reciprocal": "1 / ·",
    "numpy.square": "** 2",
    "numpy.absolute": "| · |",
    "numpy.transpose": "·.T",
    "scipy.special.expit": "sigmoid",
}


def number(value: Any, digits: int) -> str:
    """A number with a few digits, with the sign of mathematics and without a negative zero."""
    text = f"{float(value) + 0.0:.{digits}g}"
    return (text.removeprefix("-") if float(text) == 0 else text).replace("-", "−").replace("inf", "∞")


def array(value: Any, digits: int) -> str:
    """A number, a short vector, or the shape and the norm of an array."""
    value = np.asarray(value)
    if value.ndim == 0:
        return number(value, digits)
    if value.ndim == 1 and 0 < value.size <= FEW:
        return f"[{', '.join(number(entry, digits) for entry in value)}]"
    if value.size == 0:
        return shape(value)
    with np.errstate(all="ignore"):
        return f"{shape(value)} norm {number(np.linalg.norm(value), digits)}"


def shape(value: Any) -> str:
    """The shape of an array: ``(3, 4)``."""
    return str(np.shape(value))


def derivative(matrix: Jacobian | None, scalar: bool, digits: int) -> str:
    """The derivative of the output along a wire: a gradient for a scalar function, else structure and shape."""
    if matrix is None:
        return ""
    if scalar:
        return array(matrix.tensor().reshape(matrix.in_shape), digits)
    return structure(matrix)


def structure(matrix: Jacobian) -> str:
    """The structure and the shape of a Jacobian."""
    rows, columns = matrix.shape
    return f"{matrix.structure} {rows}×{columns}"


# The boxes --------------------------------------------------------------------------------------------------------


def label(step: Step, digits: int) -> tuple[str, ...]:
    """The lines in the box of an operation: its sign with its constants, and its parameters.

    A sign stands alone between two wires, the upper one first; with a constant it stands as it is read: ``/ 2``,
    ``1 / ·``.
    """
    operation: Any = step.operation
    name = operation.name
    constants = [None if isinstance(a, Step) else constant(a, digits) for a in step.arguments]
    if name in INFIX and len(constants) == 2:
        first, second = constants
        if second is None and INFIX[name] in COMMUTATIVE:
            first, second = None, first
        hole = None if first is None else "·"
        return (" ".join(part for part in (first, INFIX[name], hole or second) if part is not None),)
    if "index" in step.keywords:
        return (index(step.keywords["index"]),)
    if "places" in step.keywords:
        places = list(dict.fromkeys(map(index, step.keywords["places"])))  # one per assignment
        return (", ".join(places[:FEW]) + (" …" if len(places) > FEW else "") + " =",)
    text = sign(step)
    if any(part is not None for part in constants):
        text = f"{text}({', '.join('·' if part is None else part for part in constants)})"
    chosen = [f"{key}={parameter(value, digits)}" for key, value in step.keywords.items() if value is not None]
    return (text, ", ".join(chosen)) if chosen else (text,)


def sign(step: Step) -> str:
    """An operation without its constants: what it is called when these differ from round to round."""
    operation: Any = step.operation
    if "index" in step.keywords:
        return "[…]"
    return INFIX.get(operation.name) or SHORT.get(operation.name) or operation.name.rpartition(".")[2]


def constant(value: Any, digits: int) -> str:
    """A constant operand: a number, or the shape of an array."""
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(constant(part, digits) for part in value)}]"
    return number(value, digits) if np.ndim(value) == 0 and not isinstance(value, str) else shape(value)


def parameter(value: Any, digits: int) -> str:
    """A parameter of an operation, as Python writes it; an array by its shape."""
    if isinstance(value, np.ndarray):
        return constant(value, digits)
    text = f"{value:.{digits}g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 24 else text[:23] + "…"


def index(found: Any) -> str:
    """What stands in the brackets of an index."""
    parts = found if isinstance(found, tuple) else (found,)
    return f"[{', '.join(map(index_part, parts))}]"


def index_part(part: Any) -> str:
    """One axis of an index: a number, a slice, ``...`` or an array of positions."""
    if isinstance(part, slice):
        ends = [("" if end is None else str(end)) for end in (part.start, part.stop)]
        return ":".join(ends if part.step is None else [*ends, str(part.step)])
    if part is Ellipsis:
        return "..."
    if isinstance(part, (np.ndarray, list)):
        return f"array {shape(part)}"
    return str(part)


# The texts that appear under the pointer --------------------------------------------------------------------------


def entries(matrix: Jacobian, digits: int) -> str:
    """The numbers of a small matrix, row by row; nothing for a large one."""
    if not 0 < matrix.shape[0] * matrix.shape[1] <= SMALL:
        return ""
    return "; ".join(" ".join(number(entry, digits) for entry in row) for row in matrix.toarray())


def local(operand: str, matrix: Jacobian, digits: int) -> str:
    """The line about one local Jacobian of a box."""
    numbers = entries(matrix, digits)
    if matrix.shape == (1, 1):
        return f"by {operand}: {numbers}"
    return f"by {operand}: {structure(matrix)}{f' [{numbers}]' if numbers else ''}"
