"""The slips that people commit when they differentiate by hand, as one table: the likely ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from jacobi.verification.diagnosis.chain_rule.edge import Change, Edge
from jacobi.verification.diagnosis.chain_rule.faults_of_entries import (
    coefficient,
    exponent,
    factor_dropped,
    mask_inverted,
    mask_missing,
    mask_outside_sum,
    off_diagonal_dropped,
    term_dropped,
    term_sign,
    wrong_function,
)
from jacobi.verification.diagnosis.chain_rule.faults_of_matrices import (
    axis,
    elementwise_for_matmul,
    inverse_missing,
    matmul_for_elementwise,
    sum_for_mean,
    transpose_slip,
    wrong_index,
    wrong_order,
)


class Fault(NamedTuple):
    """A kind of slip: its identifier, its weight, its changes, and whether people commit it at every such operation."""

    identifier: str
    weight: float
    changes: Callable[[Edge], Iterator[Change]]
    repeated: bool = False


FAULTS = (
    Fault("mask_missing", 0.85, mask_missing, repeated=True),
    Fault("mask_inverted", 0.85, mask_inverted, repeated=True),
    Fault("mask_outside_sum", 0.85, mask_outside_sum),
    Fault("factor_dropped", 0.85, factor_dropped, repeated=True),
    Fault("term_dropped", 0.85, term_dropped),
    Fault("off_diagonal_dropped", 0.85, off_diagonal_dropped),
    Fault("term_sign", 0.85, term_sign),
    Fault("wrong_function", 0.8, wrong_function, repeated=True),
    Fault("exponent", 0.8, exponent, repeated=True),
    Fault("coefficient", 0.8, coefficient, repeated=True),
    Fault("sum_for_mean", 0.75, sum_for_mean),
    Fault("axis", 0.75, axis),
    Fault("missing_transpose", 0.75, transpose_slip(missing=True), repeated=True),
    Fault("extra_transpose", 0.75, transpose_slip(missing=False), repeated=True),
    Fault("symmetric_only", 0.65, transpose_slip(missing=True, symmetric=True), repeated=True),
    Fault("inverse_missing", 0.75, inverse_missing, repeated=True),
    Fault("wrong_order", 0.75, wrong_order),
    Fault("elementwise_for_matmul", 0.75, elementwise_for_matmul),
    Fault("matmul_for_elementwise", 0.75, matmul_for_elementwise),
    Fault("wrong_index", 0.75, wrong_index),
)
