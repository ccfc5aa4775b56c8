"""The matrix algebra of Jacobians: sums of Einstein terms, whose structure survives products and sums."""

from jacobi.matrix.arrays import dispatchable, indicator, scatter
from jacobi.matrix.build import einstein, placed
from jacobi.matrix.jacobian import Jacobian, chain

__all__ = ["Jacobian", "chain", "dispatchable", "einstein", "indicator", "placed", "scatter"]
