"""The chain rule in index notation: local Jacobians multiplied from the output to an input."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.derivation.expression import Expression, added, contracted
from jacobi.derivation.meaning import Meaning
from jacobi.differentiate.accumulate import local_jacobians
from jacobi.differentiate.trace import Trace
from jacobi.expressions import Step

Edges = dict[int, list[tuple[int, Expression]]]


def edges_of(trace: Trace, output: Step, source: Step, meaning: Meaning) -> Edges:
    """The local Jacobians between an input and the output, as arrays with the axes of both ends; later steps first."""
    return {
        number: [(parent, meaning.tensor(local)) for parent, local in found]
        for number, found in local_jacobians(trace, output, [source]).items()
    }


def times(left: Expression, right: Expression, middle: int) -> Expression:
    """The product of two Jacobians: the last ``middle`` axes of one are the first of the other."""
    outer = len(left.shape) - middle
    rows = range(outer)
    inner = range(outer, outer + middle)
    columns = range(outer + middle, outer + len(right.shape))
    return contracted([left, right], [(*rows, *inner), (*inner, *columns)], (*rows, *columns), whole=True)


def accumulated(edges: Edges, output: Step, source: Step, steps: list[Step], tidy: Any) -> Expression | None:
    """The whole Jacobian, ``tidy`` applied to what arrives at every step; None if nothing arrives."""
    adjoint: dict[int, Expression | None] = {output.number: None}
    for number, found in edges.items():
        if number not in adjoint:
            continue
        so_far = adjoint.pop(number)
        if so_far is not None:
            so_far = tidy(so_far)
        for parent, local in found:
            new = local if so_far is None else times(so_far, local, len(np.shape(steps[number].value)))
            known = adjoint.get(parent)
            adjoint[parent] = new if known is None else added(known, new)
    return adjoint.get(source.number)
