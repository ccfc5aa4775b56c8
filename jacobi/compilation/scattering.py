"""Scattering: what is added at positions of an array is added there in place, instead of to zeros in a second array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from jacobi.compilation.instructions import Instruction, Program, Value
from jacobi.matrix import scatter
from jacobi.matrix.arrays import add_at
from jacobi.rules.operations import Rule


def plus_scattered(total: Any, values: Any, side: Any, sizes: tuple[int, ...], out: Any = None) -> Any:
    """``total + scatter(values, ...)`` for a vector ``total``, which may take the result.

    Examples
    --------
    >>> plus_scattered(np.zeros(5), np.array([1.0, 2.0]), (1, ((0, 2),)), (2,))
    array([0., 1., 0., 2., 0.])
    """
    result = total.copy() if out is None else out
    add_at(result, values, side, sizes)
    return result


SUM = Rule(plus_scattered, (None, None))


def in_place(program: Program, outputs: Iterable[Value]) -> Program:
    """The program with sums of a vector and scattered values in the form of `plus_scattered`."""
    made_by = {part.target.number: part for part in program if isinstance(part, Instruction)}
    uses = Counter(value.number for part in program for value in part.operands)
    uses.update(value.number for value in outputs)
    result: Program = []
    for part in program:
        if isinstance(part, Instruction) and (found := scattered_operand(part, made_by, uses)) is not None:
            total, how = found
            keywords = {"side": how.keywords["side"], "sizes": how.keywords["sizes"]}
            part = replace(part, operation=SUM, arguments=(total, how.arguments[0]), keywords=keywords)
        result.append(part)
    return result


def scattered_operand(part: Instruction, made_by: dict[int, Instruction], uses: Counter[int]) -> Any:
    """The other operand of a sum, and how the one was scattered that nothing else needs; else None."""
    if part.function is not np.add or part.keywords or not all(isinstance(a, Value) for a in part.arguments):
        return None
    for total, other in (part.arguments, part.arguments[::-1]):
        how = made_by.get(other.number)
        alike = total.shape == other.shape == part.target.shape and total.dtype == other.dtype
        if how is not None and how.function is scatter and uses[other.number] == 1 and alike and total is not other:
            return (total, how) if set(how.keywords) >= {"side", "sizes"} else None
    return None
