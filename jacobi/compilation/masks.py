"""Masks: rows and columns that a mask makes zero are left out of matrix products, as for inactive rectified units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from jacobi.compilation.instructions import Instruction, Program, Value
from jacobi.matrix.arrays import indicator
from jacobi.rules.operations import Rule

WORTH = 2**18  # multiplications of a product from which on it pays to look for zeros
MANY = 0.75  # the share of places that are not zero, above which the product is faster as it stands


def weighted_product(left: Any, weights: Any, right: Any) -> Any:
    """``(left * weights) @ right`` without the places where the weights are zero.

    Parameters
    ----------
    left : array of shape (m, k)
        The left matrix.
    weights : array with k entries
        What its columns are multiplied with.
    right : array of shape (k, n)
        The right matrix.

    Examples
    --------
    >>> weighted_product(np.ones((1, 3)), np.array([1.0, 0.0, 2.0]), np.eye(3))
    array([[1., 0., 2.]])
    """
    weights = weights.reshape(-1)
    kept = np.flatnonzero(weights)
    if kept.size > MANY * weights.size:
        return (left * weights) @ right
    return (left[:, kept] * weights[kept]) @ right[kept]


PRODUCT = Rule(weighted_product, (None, None, None))


def without_zeros(program: Program, outputs: Iterable[Value]) -> Program:
    """The program with products whose middle is weighted by a mask in the form of `weighted_product`."""
    made_by = {part.target.number: part for part in program if isinstance(part, Instruction)}
    uses = Counter(value.number for part in program for value in part.operands)
    uses.update(value.number for value in outputs)
    result: Program = []
    for part in program:
        if isinstance(part, Instruction):
            found = weights_of(part, made_by, uses)
            part = part if found is None else replace(part, operation=PRODUCT, arguments=found)
        result.append(part)
    return result


def weights_of(product: Instruction, made_by: dict[int, Instruction], uses: Counter[int]) -> Any:
    """Left matrix, weights and right matrix of a product that is worth it, else None."""
    if product.function is not np.matmul or not all(isinstance(a, Value) for a in product.arguments):
        return None
    left, right = product.arguments
    if not len(left.shape) == len(right.shape) == 2 or left.size * right.shape[1] < WORTH:
        return None
    for side, length in ((left, left.shape[1]), (right, right.shape[0])):
        scaling = made_by.get(side.number)
        if scaling is None or scaling.function is not np.multiply or uses[side.number] > 1:
            continue
        shapes = ((length,), (1, length)) if side is left else ((length, 1),)
        for matrix, weights in (scaling.arguments, scaling.arguments[::-1]):
            fits = isinstance(weights, Value) and isinstance(matrix, Value)
            if fits and weights.shape in shapes and matrix.shape == side.shape and is_masked(weights, made_by):
                return (matrix, weights, right) if side is left else (left, weights, matrix)
    return None


def is_masked(value: Value, made_by: dict[int, Instruction]) -> bool:
    """Whether a value is a mask, perhaps with new axes, or something multiplied with one."""
    instruction = made_by.get(value.number)
    if instruction is None:
        return False
    if instruction.function is indicator:
        return True
    through = instruction.view or instruction.function is np.multiply
    return through and any(is_masked(operand, made_by) for operand in instruction.operands)
