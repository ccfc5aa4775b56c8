"""Linear maps along an axis whose matrix has a name: rolled rows of the identity, a permutation, a triangle of ones.

The rules of operations that move entries give positions, which are numbers; a formula wants the matrix itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.derivation.algebra import constant, from_leaf, identity
from jacobi.derivation.expression import Call, Draft, Expression
from jacobi.expressions import Step
from jacobi.rules.signals import convolved

Matrix = Callable[[Expression, tuple[int, int], dict[str, Any]], Expression]


def of_identity(name: str, *parameters: str) -> Matrix:
    """The function of the rows of the identity matrix."""

    def matrix(operand: Expression, shape: tuple[int, int], keywords: dict[str, Any]) -> Expression:
        kept = {key: keywords[key] for key in parameters if key in keywords}
        if any(isinstance(value, np.ndarray) and value.ndim for value in kept.values()):
            kept = {key: tuple(np.asarray(value).tolist()) for key, value in kept.items()}
        given = tuple(sorted({**kept, "axis": 0}.items()))
        return from_leaf(Call(name, (identity(shape[1]),), given, elementwise=False), shape)

    return matrix


def running_sum(operand: Expression, shape: tuple[int, int], keywords: dict[str, Any]) -> Expression:
    """A triangle of ones."""
    return from_leaf(Call("tril", (constant(1, shape),), (), elementwise=False), shape)


def permutation(operand: Expression, shape: tuple[int, int], keywords: dict[str, Any]) -> Expression:
    """The rows of the identity in the order of the entries of a vector."""
    if len(operand.shape) != 1:
        raise ValueError("every row has its own permutation")
    order = from_leaf(Call("argsort", (operand,), (), elementwise=False), operand.shape)
    given = (("axis", 0),)
    return from_leaf(Call("take", (identity(shape[1]), order), given, elementwise=False), shape)


ALONG_AN_AXIS: dict[Any, Matrix] = {
    np.roll: of_identity("roll", "shift"),
    np.repeat: of_identity("repeat", "repeats"),
    np.cumsum: running_sum,
    np.sort: permutation,
}


def convolution(step: Step, place: int, argument: Callable[[Any], Expression]) -> Expression:
    """The Toeplitz matrix that convolves with the other operand."""
    other, size = argument(step.arguments[1 - place]), np.shape(step.arguments[place].value)[0]
    given = (("mode", step.keywords.get("mode", "full")),)
    toeplitz = Call("convolution_matrix", (other, constant(size)), given, elementwise=False)
    return from_leaf(toeplitz, (*np.shape(step.value), size))


def named_local(step: Step, place: int, argument: Callable[[Any], Expression]) -> Expression | None:
    """The local Jacobian of a step with the axes of both sides, where its matrix has a name; else None."""
    operation: Any = step.operation
    if operation.function is convolved:
        return convolution(step, place, argument)
    matrix = ALONG_AN_AXIS.get(operation.function)
    if matrix is None or place != 0:
        return None
    out, shape = np.shape(step.value), np.shape(step.arguments[0].value)
    axis = step.keywords.get("axis", -1 if operation.function is np.sort else None)
    if axis is None and len(shape) != 1:
        return None
    axis = layout.normal_axis(0 if axis is None else axis, len(shape))
    if len(out) != len(shape) or shape[axis] == 1 or out[axis] == 1:
        return None
    try:
        factor = matrix(argument(step.arguments[0]), (out[axis], shape[axis]), dict(step.keywords))
    except ValueError:
        return None
    draft = Draft()
    rows, columns = [], []
    ((above, below),) = (draft.take(term) for term in factor.terms)
    for k, size in enumerate(shape):
        same = () if k == axis else draft.axis(size)
        rows.append(above if k == axis else same)
        columns.append(below if k == axis else same)
    return Expression((*out, *shape), (draft.finish((*rows, *columns)),))
