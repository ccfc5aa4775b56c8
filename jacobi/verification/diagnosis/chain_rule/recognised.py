"""Several steps recognised as one known function by their values: a sigmoid written as ``1 / (1 + exp(-x))``.

People differentiate such a function in one go, so their slips concern it as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jacobi.rules.linalg import log_abs_det
from jacobi.rules.registry import REGISTRY
from jacobi.verification.diagnosis.chain_rule.edge import Edge
from jacobi.verification.diagnosis.chain_rule.network import Network, short_name
from jacobi.verification.evidence import Array

MOST_PAIRS = 400

# The value for x, and the partial derivative for the value y.
SHAPES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
}


def recognised(network: Network) -> Iterator[Edge]:
    """The edges from a step to a later one that is a known function of it; proven by value and by derivative."""
    yield from logarithms_of_determinants(network)
    steps = [step for step in network.steps if step.number in network.tangents]
    tried = 0
    for later in steps:
        if later.operation is None or later.number not in network.adjoints:
            continue
        for earlier in steps:
            direct = any(parent is earlier for _, parent in later.parents)
            if earlier.number >= later.number or np.shape(earlier.value) != np.shape(later.value):
                continue
            tried += 1
            if tried > MOST_PAIRS:
                return
            x, y = np.asarray(earlier.value), np.asarray(later.value)
            for name, local in known(x, y):
                tangent = network.tangents[earlier.number]
                if direct and name == short_name(later.operation):
                    continue
                if np.allclose(local @ tangent, network.tangents[later.number], rtol=1e-9, atol=1e-12):
                    yield Edge(
                        None, name, later.line, later.number, earlier.number, 0, y, [x], {}, [0], local,
                        network.adjoints[later.number], tangent,
                    )  # fmt: skip


def logarithms_of_determinants(network: Network) -> Iterator[Edge]:
    """The edges from a matrix to the logarithm of its determinant, which was written as ``log(det(A))``."""
    edges = {edge.step: edge for edge in network.edges if edge.name == "det" and np.ndim(edge.x) == 2}
    operation = REGISTRY[log_abs_det]
    for edge in network.edges:
        inner = edges.get(edge.parent)
        if edge.name == "log" and inner is not None:
            yield Edge(
                operation, short_name(operation), edge.line, edge.step, inner.parent, 0, edge.y, [inner.x], {},
                [0], edge.local @ inner.local, edge.adjoint, inner.tangent,
            )  # fmt: skip


def known(x: Array, y: Array) -> Iterator[tuple[str, Array]]:
    """The names and local Jacobians of the known functions with the value ``y`` for ``x``."""
    for name, (value, partial) in SHAPES.items():
        if close(value(x), y):
            yield name, np.diag(np.ravel(partial(y)))
    raised = np.exp(x - x.max()) if x.size else x
    for axis in (None, *range(x.ndim)) if x.ndim > 1 else (None,):
        if x.size > 1 and close(raised / raised.sum(axis=axis, keepdims=True), y):
            positions = np.indices(x.shape).reshape(x.ndim, -1)
            kept = [k for k in range(x.ndim) if axis is not None and k != axis]
            together = np.all(positions[kept][:, :, None] == positions[kept][:, None, :], axis=0)
            s = y.ravel()
            yield "softmax", np.diag(s) - np.outer(s, s) * together


def close(value: Any, y: Array) -> bool:
    """Whether two values are equal but for rounding."""
    return bool(np.allclose(value, y, rtol=1e-12, atol=1e-14))
