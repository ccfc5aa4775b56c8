"""The slips that people commit at matrices: arguments, transposes, inverses, the order of products, axes, positions.

A slip is a generator that is given an `Edge` and yields the wrong derivatives a person might write there instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jacobi.verification.diagnosis.chain_rule.edge import ORDINALS, Change, Edge, Matrix, dense
from jacobi.verification.evidence import Array

Changes = Iterator[Change]


# transposes and inverses ----------------------------------------------------------------------------------------


def square_matrix(value: Any) -> bool:
    """Whether a value is a square matrix that a transpose changes."""
    shape = np.shape(value)
    return len(shape) == 2 and shape[0] == shape[1] > 1 and not np.array_equal(value, np.transpose(value))


def transposed(edge: Edge) -> Iterator[tuple[Matrix, str, bool]]:
    """The local Jacobians with one square matrix transposed, and whether the matrix stands left of the operand."""
    if edge.operation is None:
        return
    if not edge.elementwise:
        for k, argument in enumerate(edge.arguments[: len(ORDINALS)]):
            if isinstance(argument, np.ndarray) and square_matrix(argument):
                yield edge.by_rule(edge.with_argument(k, argument.T)), f"the {ORDINALS[k]} operand", k < edge.operand
        if square_matrix(edge.y):
            yield edge.by_rule(y=edge.y.T), "the value", False
    shape = np.shape(edge.x)
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        order = np.arange(edge.x.size).reshape(shape).T.ravel()
        yield edge.local[:, order], "the result", False


def transpose_slip(missing: bool, symmetric: bool = False) -> Callable[[Edge], Changes]:
    """The slips with a transpose; which of the two it is depends on the layout that the person thinks in."""

    def changes(edge: Edge) -> Changes:
        for local, what, left in transposed(edge):
            # in numerator layout A @ x has the local Jacobian A, in that of gradients A.T
            plain = not edge.scalar and left != edge.gradient
            verb = "lacks its transpose" if missing else "has a transpose too many"
            says = f"in the derivative of {edge.place}, {what} {verb}"
            if symmetric:
                says = f"the derivative of {edge.place} was taken as if the matrix were equal to its transpose"
            yield Change(
                [(edge, local)],
                says,
                f"transpose {what} in the derivative of {edge.place}",
                weight=0.65 if symmetric else 0.75 if missing != plain else 0.7,
            )

    return changes


def inverse_missing(edge: Edge) -> Changes:
    """A matrix in place of its inverse."""
    text = f"the matrix stands for its inverse in the derivative of {edge.place}"
    repair = "use the inverse of the matrix"
    first = edge.arguments[0]
    if edge.name == "inv":
        yield Change([(edge, edge.by_rule(y=first))], text, repair)
    elif edge.name == "det" and np.ndim(first) == 2:
        yield Change([(edge, np.reshape(edge.y * first.swapaxes(-1, -2), edge.local.shape))], text, repair)
    elif edge.name in ("solve", "log_abs_det"):
        yield Change([(edge, edge.by_rule(edge.with_argument(0, np.linalg.inv(first))))], text, repair)


# products -------------------------------------------------------------------------------------------------------


def pulled(edge: Edge) -> tuple[Array, Any] | None:
    """The adjoint as a stack of square matrices, with the matrix that it is multiplied by in the chain rule."""
    shape = np.shape(edge.y)
    if len(shape) != 2 or shape[0] != shape[1] or shape != np.shape(edge.x) or edge.operation is None:
        return None
    if edge.name == "matmul":
        factor = np.asarray(edge.arguments[1 - edge.operand]).T
    elif edge.elementwise:
        factor = edge.partial
    else:
        return None
    return edge.adjoint.reshape(-1, *shape), factor


def with_contribution(edge: Edge, stack: Array, says: str, repair: str) -> Change:
    """A change of the contribution itself, from what arrives at the operand."""
    return Change([(edge, edge.local)], says, repair, stack.reshape(len(edge.adjoint), -1) @ edge.tangent)


def elementwise_for_matmul(edge: Edge) -> Changes:
    """``*`` where ``@`` belongs."""
    says, repair = f"the matrices at {edge.place} were multiplied entry by entry", "use the matrix product @"
    both = pulled(edge)
    if both is not None and edge.name == "matmul":
        yield with_contribution(edge, both[0] * both[1], says, repair)
        yield with_contribution(edge, both[0] * both[1].T, says, repair)
    A, L, T = edge.adjoint, edge.local, edge.tangent
    if A.shape == L.shape and A.size > 1:
        yield Change([(edge, L)], says, repair, (A * dense(L)) @ T)
    if T.shape == L.shape and T.size > 1:
        yield Change([(edge, L)], says, repair, A @ (dense(L) * T))


def matmul_for_elementwise(edge: Edge) -> Changes:
    """``@`` where ``*`` belongs."""
    both = pulled(edge)
    if both is not None and edge.elementwise:
        says, repair = f"a matrix product was used at {edge.place}", "multiply entry by entry with *"
        yield with_contribution(edge, both[0] @ both[1], says, repair)
        yield with_contribution(edge, both[1] @ both[0], says, repair)


def wrong_order(edge: Edge) -> Changes:
    """Two factors of the chain rule exchanged."""
    says, repair = f"the factors of the chain rule at {edge.place} are exchanged", "exchange the two matrix factors"
    both = pulled(edge)
    if both is not None and edge.name == "matmul":
        exchanged = both[0] @ both[1] if edge.operand else both[1] @ both[0]
        yield with_contribution(edge, exchanged, says, repair)
    A, L, T = edge.adjoint, edge.local, edge.tangent
    if A.shape == L.shape and A.shape[0] == A.shape[1] > 1:
        yield Change([(edge, L)], says, repair, L @ A @ T)
    if T.shape == L.shape and T.shape[0] == T.shape[1] > 1:
        yield Change([(edge, L)], says, repair, A @ T @ L)


# axes, counts, positions ----------------------------------------------------------------------------------------


def axis(edge: Edge) -> Changes:
    """The sum along another axis of the same length."""
    says, repair = f"{edge.place} was differentiated along another axis", f"use the axis of {edge.place}"
    shape = np.shape(edge.x)
    A, L, T = edge.adjoint, edge.local, edge.tangent
    if edge.elementwise and L.shape[0] == L.shape[1] > 1:  # diag(d) A scales the rows of A, A diag(d) the columns
        spread = "the factors of the rows were multiplied into the columns, or the other way round"
        if T.shape == L.shape:
            yield Change([(edge, L)], f"{spread}, at {edge.place}", repair, A @ (T @ L), weight=0.76)
        if A.shape == L.shape:
            yield Change([(edge, L)], f"{spread}, at {edge.place}", repair, (L @ A) @ T, weight=0.76)
    out = np.shape(edge.y)
    if edge.elementwise and len(shape) == 1 and len(out) == 2 and out[0] == out[1] == shape[0] > 1:
        along = dense(edge.spread).reshape(*out, -1).swapaxes(0, 1).reshape(edge.local.shape)
        yield Change([(edge, edge.partial.reshape(-1, 1) * along)], says, repair)


def sum_for_mean(edge: Edge) -> Changes:
    """A mean without its 1/N, or a sum with one."""
    shape = np.shape(edge.x)
    counts = {edge.local.shape[1] // max(edge.local.shape[0], 1), *shape} - {0, 1}
    verb, factor_is = ("many", "multiply") if edge.name == "sum" else ("few", "divide")
    for count in sorted(counts) if edge.name in ("sum", "mean", "average") else ():
        factor = 1.0 / count if edge.name == "sum" else float(count)
        says = f"one factor 1/{count} too {verb} at {edge.place}"
        yield Change([(edge, edge.local * factor)], says, f"{factor_is} by {count}")


def wrong_index(edge: Edge) -> Changes:
    """The neighbour of the entry that was picked."""
    shape = np.shape(edge.x)
    if edge.name not in ("indexing", "roll", "take") or not shape:
        return
    local = dense(edge.local).reshape(-1, *shape)
    for along in range(len(shape)):
        for by in (1, -1):
            yield Change(
                [(edge, np.roll(local, by, axis=along + 1).reshape(edge.local.shape))],
                f"{edge.place} picks the entry at i, the derivative was put at i {'+' if by > 0 else '-'} 1",
                f"shift the index by one at {edge.place}",
            )
