"""``explain``: what a traced function consists of, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jacobi.arguments import Argnums, Call
from jacobi.differentiate import trace
from jacobi.differentiate.accumulate import local_jacobians
from jacobi.differentiate.kinks import distances
from jacobi.expressions import Step
from jacobi.matrix import Jacobian


class Factor(NamedTuple):
    """The local Jacobian of an operation by one of its operands.

    Attributes
    ----------
    operand : str
        The operand: ``x0`` for an argument of the function, ``t3`` for the result of operation 3.
    shape : tuple of int
        The shape of the matrix.
    structure : str
        The name of its structure.
    nnz : int
        How many entries are not zero by structure.
    """

    operand: str
    shape: tuple[int, int]
    structure: str
    nnz: int


class Operation(NamedTuple):
    """An operation of a traced function.

    Attributes
    ----------
    name : str
        The function that was called, such as ``numpy.tanh``.
    result : str
        What the result is called in the table.
    shape : tuple of int
        The shape of the result.
    line : str
        ``file.py:12``, where the user's code calls it.
    factors : tuple of Factor
        Its local Jacobians, by the operands that depend on the arguments; zero ones are left out.
    distance : float
        How far the nearest entry is from a place without derivative, in the operation's own operands: 0 at a kink,
        inf where it has none or where the distance is not known.
    """

    name: str
    result: str
    shape: tuple[int, ...]
    line: str
    factors: tuple[Factor, ...]
    distance: float


class Explanation(NamedTuple):
    """What a function does at a point; print it to see a table.

    Attributes
    ----------
    operations : tuple of Operation
        The operations that the result depends on, in the order in which they ran.
    """

    operations: tuple[Operation, ...]

    def __str__(self) -> str:
        head = ("", "operation", "shape", "local Jacobians", "kink at", "line")
        rows = [
            (
                operation.result,
                operation.name,
                str(operation.shape),
                ", ".join(f"{f.operand}: {f.structure} {f.shape}" for f in operation.factors) or "zero",
                "" if operation.distance == np.inf else f"{operation.distance:.2g}",
                operation.line,
            )
            for operation in self.operations
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (head, *rows)
        )


def explain(f: Callable[..., Any], *args: Any, argnums: Argnums = 0) -> Explanation:
    """The operations of a function: where each was called, its local Jacobians, and the distance to a kink.

    Parameters
    ----------
    f : callable
        A function of arrays in plain NumPy.
    *args
        Its arguments.
    argnums : int or sequence of int
        The arguments to differentiate by.

    Returns
    -------
    Explanation
        ``print`` shows a table; ``operations`` holds the same as data.

    Raises
    ------
    TraceError, InputError
        As `jacobian` does.

    Examples
    --------
    >>> import numpy as np
    >>> operations = explain(lambda w: np.sum(np.maximum(0, 3 * w)), np.array([-1.0, 0.5])).operations
    >>> [(operation.name, operation.factors[0].structure) for operation in operations]
    [('numpy.multiply', 'scalar'), ('numpy.maximum', 'diagonal'), ('numpy.sum', 'row')]
    >>> operations[1].distance
    1.5
    """
    call = Call(f, args, argnums)
    traced = trace(call.function, call.arrays, {}, call.positions)
    if not isinstance(traced.output, Step):
        return Explanation(())
    inputs = [traced.inputs[position] for position in call.positions]
    names = {step.number: f"x{position}" for position, step in zip(call.positions, inputs, strict=True)}
    operations: list[Operation] = []
    with np.errstate(all="ignore"):
        for number, edges in reversed(local_jacobians(traced, traced.output, inputs).items()):
            step = traced.graph.steps[number]
            assert step.operation is not None
            names[number] = f"t{len(operations) + 1}"
            distance = distances(step)
            operations.append(
                Operation(
                    name=step.operation.name,
                    result=names[number],
                    shape=np.shape(step.value),
                    line=step.line,
                    factors=tuple(factor(names[parent], local) for parent, local in edges),
                    distance=float(np.fmin.reduce(np.ravel(np.inf if distance is None else distance), initial=np.inf)),
                )
            )
    return Explanation(tuple(operations))


def factor(operand: str, local: Jacobian) -> Factor:
    """What is said of one local Jacobian."""
    return Factor(operand, local.shape, local.structure, local.nnz)
