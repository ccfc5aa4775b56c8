"""Bridges to code that knows nothing of this library: solvers, opaque functions, implicit equations, measurements."""

from jacobi.bridges.error_propagation import propagate
from jacobi.bridges.for_scipy import DerivativeError, Guarded, for_scipy
from jacobi.bridges.implicit import implicit
from jacobi.bridges.numerical import jacobi
from jacobi.bridges.primitive import primitive

__all__ = ["DerivativeError", "Guarded", "for_scipy", "implicit", "jacobi", "primitive", "propagate"]
