"""Local Jacobians written in Einstein notation: ``einstein("il;ik;kl", y.shape, a.shape, b)``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jacobi import layout
from jacobi.errors import ShapeError, at_users_line
from jacobi.matrix.contract import Draft
from jacobi.matrix.given import real_factors
from jacobi.matrix.jacobian import Jacobian
from jacobi.matrix.plan import Plan, carry_out
from jacobi.matrix.planning import plan_sides
from jacobi.matrix.term import Term
from jacobi.matrix.wiring import Side, reach, trimmed

Labels = Sequence[Any]


def einstein(
    subscripts: str | Sequence[Labels],
    out_shape: layout.Shape,
    in_shape: layout.Shape,
    *factors: Any,
    coefficient: float = 1,
) -> Jacobian:
    """A Jacobian of one term: the indices of the output; of the input; of every factor.

    Parameters
    ----------
    subscripts : str or sequence of sequences
        ``"rows;columns;factor;factor..."``, a letter per axis, or a sequence of sequences of labels.
        A label on the output and on the input is a Kronecker delta; one on neither is summed.
    out_shape, in_shape : tuple of int
        The shapes of the output and of the input.
    *factors : array
        The factors; an axis of length 1 broadcasts.
    coefficient : float
        A number in front.

    Returns
    -------
    Jacobian
        Of shape ``(size of out_shape, size of in_shape)``.

    Examples
    --------
    >>> import numpy as np
    >>> W, x = np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    >>> einstein("i;ik;k", (2,), (2, 3), x).structure     # d(W x)/dW = I (x) x^T
    'kronecker'
    """
    if isinstance(subscripts, str):
        subscripts = tuple(subscripts.split(";"))
    factors = real_factors(factors)
    plan = _plan(tuple(map(tuple, subscripts)), out_shape, in_shape, tuple(f.shape for f in factors))
    if plan is None:
        return Jacobian([], out_shape, in_shape)
    carried = carry_out(plan, factors) if factors else ()
    return Jacobian([Term(coefficient * plan.scale, carried, plan.wiring)], out_shape, in_shape)


@lru_cache(maxsize=4096)
def _plan(
    subscripts: tuple[tuple[Any, ...], ...],
    out_shape: layout.Shape,
    in_shape: layout.Shape,
    factor_shapes: tuple[layout.Shape, ...],
) -> Plan | None:
    """The wiring of an Einstein term, and what has to be done to its factors."""
    if len(subscripts) != 2 + len(factor_shapes):
        raise _mismatch(f"{len(subscripts)} groups of subscripts for {2 + len(factor_shapes)} arrays")
    rows, columns, *carried = subscripts
    sizes: dict[Any, int] = {}
    for labels, shape in zip((rows, columns, *carried), (out_shape, in_shape, *factor_shapes), strict=True):
        if len(labels) != len(shape):
            raise _mismatch(f"{len(labels)} labels {labels} for the shape {shape}")
        for label, count in zip(labels, shape, strict=True):
            if sizes.setdefault(label, count) == 1:
                sizes[label] = count
            elif count not in (1, sizes[label]):
                raise _mismatch(f"the label {label!r} stands for the sizes {sizes[label]} and {count}")
    if 0 in sizes.values():
        return None
    number = {label: k for k, label in enumerate(sizes)}
    counts = {number[label]: count for label, count in sizes.items()}
    draft = Draft([], counts, _side(rows, out_shape, number), _side(columns, in_shape, number))
    for labels, shape in zip(carried, factor_shapes, strict=True):
        draft.carry(tuple(number[label] for label in labels), shape)
    return draft.finish()


def _mismatch(what: str) -> ShapeError:
    """The error of subscripts that do not fit the shapes."""
    return ShapeError(at_users_line(what, "Write a label per axis: rows; columns; factor; factor ..."))


def _side(labels: Labels, shape: layout.Shape, number: dict[Any, int]) -> Side:
    """The side of an array in C order; a label on two axes adds their strides."""
    total: dict[int, int] = {}
    for label, count, stride in zip(labels, shape, layout.strides(shape), strict=True):
        if count != 1:
            total[number[label]] = total.get(number[label], 0) + stride
    return 0, tuple(total.items())


def placed(
    out_shape: layout.Shape,
    in_shape: layout.Shape,
    sizes: tuple[int, ...],
    rows: Side,
    columns: Side,
    *factors: tuple[Any, tuple[int, ...]],
    coefficient: float = 1,
) -> Jacobian:
    """A Jacobian of one term from its sides, for operations that move entries around.

    Parameters
    ----------
    out_shape, in_shape : tuple of int
        The shapes of the output and of the input.
    sizes : tuple of int
        The number of values of index 0, 1, ...
    rows, columns : Side
        Where the entries lie: an offset and, for every index, a stride or an array of positions; see
        `jacobi.matrix.wiring`.
    *factors : (array, tuple of int)
        The factors and the indices on their axes.
    coefficient : float
        A number in front.

    Raises
    ------
    ShapeError
        If a factor does not fit its indices, or if a side leaves its space.

    Examples
    --------
    >>> placed((2,), (5,), (2,), (0, ((0, 1),)), (1, ((0, 3),))).toarray()      # x[1::3]
    array([[0., 1., 0., 0., 0.],
           [0., 0., 0., 0., 1.]])
    """
    spaces = layout.size(out_shape), layout.size(in_shape)
    if 0 in sizes or 0 in spaces:
        return Jacobian([], out_shape, in_shape)
    arrays = real_factors([array for array, _ in factors])
    shapes = tuple([(axes, array.shape) for array, (_, axes) in zip(arrays, factors, strict=True)])
    arguments = spaces, sizes, rows, columns, shapes
    try:
        plan = _plan_of_sides(*arguments)
    except TypeError:  # an array of positions cannot be hashed
        plan = _plan_of_sides.__wrapped__(*arguments)
    carried = carry_out(plan, arrays) if arrays else ()
    return Jacobian([Term(coefficient * plan.scale, carried, plan.wiring)], out_shape, in_shape)


@lru_cache(maxsize=4096)
def _plan_of_sides(
    spaces: tuple[int, int], sizes: tuple[int, ...], rows: Side, columns: Side, carried: tuple[Any, ...]
) -> Plan:
    """The plan of a term from its sides, after a look at whether they stay in their spaces."""
    sides = trimmed(rows, sizes), trimmed(columns, sizes)
    for side, count in zip(sides, spaces, strict=True):
        lowest, highest = reach(side, sizes)
        if lowest < 0 or highest >= count:
            raise ShapeError(
                at_users_line(
                    f"the side {side} runs from {lowest} to {highest} in a space of {count} entries",
                    "Its offset and the largest contributions of its indices must stay inside.",
                )
            )
    for axes, shape in carried:
        expected = tuple(sizes[k] for k in axes)
        if len(shape) != len(expected) or any(n not in (1, m) for n, m in zip(shape, expected, strict=True)):
            raise ShapeError(
                at_users_line(
                    f"a factor of shape {shape} carries indices of the sizes {expected}",
                    "Give an index for every axis; an axis of length 1 broadcasts.",
                )
            )
    return plan_sides(sizes, *sides, carried)
