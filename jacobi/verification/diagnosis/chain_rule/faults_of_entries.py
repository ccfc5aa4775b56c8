"""The slips that people commit at an operation that acts entry by entry: masks, factors, terms, functions, exponents.

A slip is a generator that is given an `Edge` and yields the wrong derivatives a person might write there instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobi.verification.diagnosis.chain_rule.edge import Change, Edge, Matrix, dense
from jacobi.verification.diagnosis.chain_rule.wrong_functions import WRONG_DERIVATIVES
from jacobi.verification.evidence import Mask

Changes = Iterator[Change]


# masks ----------------------------------------------------------------------------------------------------------


def branches(edge: Edge, mask: Any) -> list[tuple[Edge, Matrix]]:
    """The local Jacobians of a choice whose operand wins where a mask says so, and the other operand elsewhere."""
    others = [(other, other.by_partial(1.0 - mask)) for other in edge.siblings if other.mask is not None]
    return [(edge, edge.by_partial(mask)), *others]


def mask_missing(edge: Edge) -> Changes:
    """Every unit counts as active."""
    if edge.mask is not None and not edge.mask.all():
        yield Change(
            branches(edge, np.ones(edge.mask.shape)),
            f"the derivative of {edge.place} was taken as 1 everywhere, "
            f"but {np.sum(~edge.mask)} of {edge.mask.size} units are inactive",
            f"multiply by the mask of {edge.place}: 1 where the operand passes, 0 elsewhere",
        )


def mask_inverted(edge: Edge) -> Changes:
    """The inactive units count as active, and the other way round."""
    if edge.mask is not None:
        yield Change(
            branches(edge, 1.0 - edge.mask),
            f"the derivative of {edge.place} was taken as 1 where it is 0, and as 0 where it is 1",
            f"turn the comparison in the mask of {edge.place} round",
        )


def decisions(edge: Edge) -> Iterator[tuple[Mask, str]]:
    """One decision taken for all entries, or for all along one axis."""
    if edge.mask is None or edge.mask.size < 2:
        return
    mask = edge.mask
    margin = edge.x - (edge.alternative if edge.name != "where" else 0.0)
    lower = edge.name in ("minimum", "fmin") or (edge.name == "where" and edge.operand == 2)
    margin = np.broadcast_to(np.asarray(-margin if lower else margin, float), mask.shape)
    for axis in (None, *range(mask.ndim)) if mask.ndim > 1 else (None,):
        first = mask.reshape(-1)[:1] if axis is None else mask.take([0], axis)
        tried = {
            "every entry": mask.all(axis=axis, keepdims=True),
            "any entry": mask.any(axis=axis, keepdims=True),
            "the sum": margin.sum(axis=axis, keepdims=True) > 0,
            "the first entry": first,
        }
        for text, decision in tried.items():
            yield np.broadcast_to(decision.reshape([1] * mask.ndim) if axis is None else decision, mask.shape), text


def mask_outside_sum(edge: Edge) -> Changes:
    """One decision for all samples."""
    for decision, text in decisions(edge):
        yield Change(
            branches(edge, 1.0 * decision),
            f"the mask of {edge.place} was decided once, by {text}, for all {decision.size} entries",
            f"decide for every sample: put the mask of {edge.place} inside the sum",
            weight=0.75 if decision.all() or not decision.any() else 0.85,
        )


# factors and terms ----------------------------------------------------------------------------------------------


def factor_dropped(edge: Edge) -> Changes:
    """An inner derivative that was forgotten."""
    repair = f"multiply by the derivative of {edge.place}"
    known = power_of(edge)
    if known is not None:
        says = f"x^(p-1) in the derivative p x^(p-1) of {edge.place} is missing"
        for sign in (1, -1):  # of (y - a)^2 and (a - y)^2, either is kept in mind
            yield Change([(edge, edge.by_partial(sign * known[0] * np.asarray(known[1])))], says, repair)
    if edge.elementwise and edge.mask is None and edge.name not in ("add", "subtract", "negative"):
        yield Change([(edge, edge.by_partial(1.0))], f"the derivative of {edge.place} was taken as 1", repair)
    elif edge.name == "det":
        yield Change([(edge, edge.local / edge.y)], f"det itself is missing in the derivative of {edge.place}", repair)
    elif edge.operation is not None and not edge.elementwise and edge.local.shape[0] == edge.local.shape[1] > 1:
        identity = np.eye(edge.local.shape[0])
        yield Change([(edge, identity)], f"the derivative of {edge.place} was taken as the identity", repair)


TERMS = {
    "multiply": "one term of the product rule",
    "matmul": "one term of the product rule",
    "dot": "one term of the product rule",
    "inner": "one term of the product rule",
    "divide": "one term of the quotient rule",
}


def term_dropped(edge: Edge) -> Changes:
    """One path by which the variable reaches the output."""
    term = TERMS.get(edge.name, "one path of the chain rule")
    if edge.name == "softmax":
        diagonal = np.diag(np.ravel(edge.y))
        yield Change([(edge, diagonal)], f"diag(s) was written for diag(s) - s s^T of {edge.place}", "subtract s s^T")
        yield Change([(edge, dense(edge.local) - diagonal)], f"diag(s) is missing at {edge.place}", "add diag(s)")
    yield Change(
        [(edge, 0.0 * edge.local)],
        f"{term}, through the {edge.ordinal} operand of {edge.place}, is missing",
        f"add the derivative of {edge.place} by its {edge.ordinal} operand",
    )


def off_diagonal_dropped(edge: Edge) -> Changes:
    """A function of a whole row treated as if it acted entry by entry."""
    if edge.name in ("softmax", "log_softmax"):
        diagonal = np.diag(np.diag(dense(edge.local)))
        yield Change(
            [(edge, diagonal)], f"{edge.place} was differentiated as if it acted entry by entry", "use diag(s) - s s^T"
        )


def term_sign(edge: Edge) -> Changes:
    """One path with the wrong sign."""
    yield Change(
        [(edge, -edge.local)],
        f"the derivative of {edge.place} by its {edge.ordinal} operand has the wrong sign",
        f"change the sign of the derivative of {edge.place} by its {edge.ordinal} operand",
    )


# functions of one variable --------------------------------------------------------------------------------------


def wrong_function(edge: Edge) -> Changes:
    """The derivative of another function."""
    for text, partial in WRONG_DERIVATIVES.get(edge.name, {}).items():
        yield Change(
            [(edge, edge.by_partial(partial(edge.y, edge.x)))],
            f"{text} was used as the derivative of {edge.place}, y = {edge.name}(x)",
            f"replace {text} by the derivative of {edge.place}",
        )


POWERS = {"square": 2.0, "reciprocal": -1.0, "sqrt": 0.5, "cbrt": 1 / 3}


def power_of(edge: Edge) -> tuple[Any, Any] | None:
    """The exponent ``p`` and the factor ``c`` of an operation ``c x^p``, if it is one."""
    if edge.name in ("power", "float_power") and edge.operand == 0:
        return edge.arguments[1], 1.0
    if edge.name == "divide" and edge.operand == 1:
        return -1.0, edge.arguments[0]
    return (POWERS[edge.name], 1.0) if edge.name in POWERS else None


def exponent(edge: Edge) -> Changes:
    """The power rule with another exponent."""
    known = power_of(edge)
    if known is None:
        return
    p, c = known
    p, x = np.asarray(p, float), np.asarray(edge.x, float)
    wrong = {
        "x^p": x**p,
        "p x^p": p * x**p,
        "p x^(p-2)": p * x ** (p - 2),
        "p x^(p+1)": p * x ** (p + 1),
        "x^(p+1)/(p+1)": x ** (p + 1) / (p + 1),
        "(p-1) x^(p-2)": (p - 1) * x ** (p - 2),
    }
    for text, partial in wrong.items():
        yield Change(
            [(edge, edge.by_partial(c * partial))],
            f"{text} was used as the derivative of x^p at {edge.place}",
            "the derivative of x^p is p x^(p-1)",
        )


def coefficient(edge: Edge) -> Changes:
    """The power rule with another coefficient."""
    known = power_of(edge)
    if known is None:
        return
    p = np.asarray(known[0], float)
    for text, ratio in {"x^(p-1)": 1 / p, "(p-1) x^(p-1)": (p - 1) / p, "(p+1) x^(p-1)": (p + 1) / p}.items():
        yield Change(
            [(edge, edge.by_partial(edge.partial * ratio))],
            f"{text} was used as the derivative of x^p at {edge.place}",
            "the derivative of x^p is p x^(p-1)",
            weight=0.8,
        )
