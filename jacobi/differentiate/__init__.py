"""Differentiation of traced functions: trace, price, accumulate."""

from jacobi.differentiate.accumulate import jacobians
from jacobi.differentiate.trace import Trace, trace

__all__ = ["Trace", "jacobians", "trace"]
