"""A stand-in for the nodes of expressions: it is no array, and lets NumPy's protocols do everything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from jacobi.matrix import Jacobian
from jacobi.matrix.term import Term


class Recorded(NDArrayOperatorsMixin):
    """A wrapped array that refuses to become a plain one."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any):
        self.value = np.asarray(value)

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    T = property(lambda self: Recorded(self.value.T))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("a node is no array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        return Recorded(getattr(ufunc, method)(*map(plain, inputs), **keywords))

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        return Recorded(function(*map(plain, arguments), **keywords))

    def __getitem__(self, key: Any) -> Any:
        return Recorded(self.value[key])

    def __getattr__(self, name: str) -> Any:
        if name not in ("transpose", "reshape", "sum", "diagonal", "astype", "ravel"):
            raise AttributeError(name)
        return lambda *arguments, **keywords: Recorded(getattr(self.value, name)(*arguments, **keywords))


def plain(value: Any) -> Any:
    """The array of a node; tuples entry by entry."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.value if isinstance(value, Recorded) else value


def recorded(jacobian: Jacobian) -> Jacobian:
    """The Jacobian with nodes for factors."""
    terms = [Term(t.coefficient, tuple(map(Recorded, t.factors)), t.wiring) for t in jacobian.terms]
    return Jacobian(terms, jacobian.out_shape, jacobian.in_shape, jacobian.dtype)
