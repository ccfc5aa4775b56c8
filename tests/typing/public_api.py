"""What a type checker knows of the public names; mypy reads this file, and nothing runs it."""

from collections.abc import Callable
from typing import Any, reveal_type

import numpy as np
from numpy.typing import NDArray

import jacobi as jb

x = np.array([1.0, 2.0])


def f(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x**2


def df(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diag(2 * x)


# The matrix
J = jb.Jacobian.from_diagonal(x)
reveal_type(J)  # jacobi.matrix.jacobian.Jacobian
reveal_type(J.T)  # jacobi.matrix.jacobian.Jacobian
reveal_type(-J)  # jacobi.matrix.jacobian.Jacobian
reveal_type(2.0 * J)  # jacobi.matrix.jacobian.Jacobian
reveal_type(J.shape)  # tuple[int, int]
reveal_type(J.out_shape)  # tuple[int, ...]
reveal_type(J.structure)  # str
reveal_type(J.nnz)  # int
reveal_type(jb.chain(J, J))  # jacobi.matrix.jacobian.Jacobian

# Transforms keep no signature, because the shapes of structures decide what they return
reveal_type(jb.jacobian(f))  # def (*Any, **Any) -> Any
reveal_type(jb.gradient(f))  # def (*Any, **Any) -> Any
reveal_type(jb.vjp(f, x)[1])  # def (*Any, **Any) -> Any

# Verification
report = jb.check(f, df, x)
reveal_type(report)  # jacobi.verification.report.Report
reveal_type(report.verdict)  # str
reveal_type(report.diagnosis)  # str | None
reveal_type(report.max_error)  # float
reveal_type(jb.finite_difference(f)(x)[0].dtype)  # numpy.dtype[numpy.float64]

# Derivation
d = jb.derive("sum(x**2)", wrt="x", shapes={"x": ("n",)})
reveal_type(d)  # jacobi.derivation.derivation.Derivation
reveal_type(d.formula)  # str
reveal_type(d.latex())  # str


# Bridges keep the signature of what they decorate
@jb.primitive(lambda x: np.diag(np.cos(x)))
def opaque(x: NDArray[np.float64], scale: int = 1) -> NDArray[np.float64]:
    return scale * np.sin(x)


@jb.implicit(lambda x, p: x**2 - p)
def root(p: float) -> float:
    return float(p**0.5)


reveal_type(opaque(x, 2).ndim)  # int
reveal_type(root(2.0))  # float
reveal_type(jb.for_scipy(f, df))  # jacobi.bridges.for_scipy.Guarded
reveal_type(jb.for_scipy(f, df).reports)  # dict[Any, jacobi.verification.report.Report]
reveal_type(jb.jacobi(f, x)[1].ndim)  # int
reveal_type(jb.propagate(f, x, 0.1))  # tuple[Any, Any]
accepted: Callable[..., Any] = jb.for_scipy(f, df)

# What must not pass
jb.check(f, df, x, argnum="0")  # error: arg-type
jb.jacobian(f, format=3)  # error: arg-type
root("two")  # error: arg-type
jb.propagate(f, x)  # error: call-arg
misspelt = J.structures  # error: attr-defined
