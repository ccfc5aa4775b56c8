"""Operations that a derivation sees otherwise than a calculation: comparisons are masks, a choice is a sum."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

import numpy as np

from jacobi.expressions import Graph, Node
from jacobi.matrix import indicator
from jacobi.rules import REGISTRY
from jacobi.rules.operations import Composed, Rule
from jacobi.rules.reductions import lasting, reduced


def mask(comparison: Any) -> Composed:
    """A comparison as 1 where it holds and 0 elsewhere."""
    return Composed(comparison, lambda x, y: indicator(x, y, comparison, np.dtype(float)))


def choice(condition: Any, x: Any, y: Any) -> Any:
    """``where(c, x, y)`` is ``c x + (1 - c) y``."""
    mask: Any = condition if isinstance(condition, Node) else np.asarray(condition, dtype=float)
    return mask * x + (1 - mask) * y


def unmasked(x: Any) -> Any:
    """The mask that is 1 where another one is 0."""
    return 1 - x


def triangle(mask: Any) -> Any:
    """A triangle of a matrix is a product with a triangle of ones."""
    return lambda m, k=0: mask(np.ones(m.shape[-2:]), k) * m


def diagonal(v: Any, k: int = 0) -> Any:
    """``diag(v)`` is the identity with its rows scaled."""
    return np.eye(v.shape[0]) * v[:, None] if v.ndim == 1 and k == 0 else REGISTRY[np.diag].evaluate(v, k)


def product(y: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of the others is the whole divided by one: no zeros here, so that there is a formula."""
    return reduced(y, a, axis, lasting(y, a, axis) / a)


def extreme(y: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """A mask of the entry that attains the maximum or minimum: there is only one, away from kinks."""
    return reduced(y, x, axis, indicator(x, lasting(y, x, axis), np.equal, x.dtype))


OTHERWISE: dict[Any, Any] = {
    **{function: Rule(function, (extreme,)) for function in (np.max, np.min, np.amax, np.amin)},
    np.tril: Composed(np.tril, triangle(np.tril)),
    np.triu: Composed(np.triu, triangle(np.triu)),
    np.diag: Composed(np.diag, diagonal),
    np.prod: Rule(np.prod, (product,)),
    **{c: mask(c) for c in (np.greater, np.less, np.greater_equal, np.less_equal, np.equal, np.not_equal)},
    np.where: Composed(np.where, choice),
    np.logical_not: Composed(np.logical_not, unmasked),
    np.logical_and: Composed(np.logical_and, lambda x, y: x * y),
    np.logical_or: Composed(np.logical_or, lambda x, y: x + y - x * y),
}


def operations() -> Mapping[Any, Any]:
    """The operations of a graph that formulas are read from."""
    return ChainMap(OTHERWISE, REGISTRY)


def graph_of(missing: Any) -> Graph:
    """A graph for a derivation."""
    return Graph(operations(), missing)
