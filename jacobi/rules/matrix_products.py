"""The rest of ``numpy.linalg``: chained products and powers, norms and condition numbers, tensor equations, aliases."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, einstein
from jacobi.rules.calls import is_default
from jacobi.rules.linalg import well_conditioned
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import Samples, apart, calls


def chained(matrices: Any) -> Any:
    """The product of some matrices; one of them is itself."""
    return matrices[0] if len(matrices) == 1 else np.linalg.multi_dot(matrices)


def multi_dot_each(operand: int, y: Any, *matrices: Any) -> Jacobian:
    """``d(L X R) = L dX R``: the Kronecker product of what stands on both sides."""
    x, last = matrices[operand], len(matrices) - 1
    left = chained(matrices[:operand]) if operand else None
    right = chained(matrices[operand + 1 :]) if operand < last else None
    inside: Any
    rows = () if left is None and x.ndim == 1 else ("k",)
    columns = () if right is None and x.ndim == 1 else ("l",)
    factors, subscripts = [], []
    out_rows, out_columns = rows, columns
    if left is not None:
        out_rows = ("i",) * (left.ndim - 1)
        factors.append(left)
        subscripts.append((*out_rows, "k"))
    if right is not None:
        out_columns = ("j",) * (right.ndim - 1)
        factors.append(right)
        subscripts.append(("l", *out_columns))
    if x.ndim == 1:  # a row in front, a column at the end
        out_rows, out_columns = (out_rows, ()) if left is not None else ((), out_columns)
        inside = ("k",) if left is not None else ("l",)
    else:
        inside = ("k", "l")
    return einstein(((*out_rows, *out_columns), inside, *subscripts), y.shape, x.shape, *factors)


def multi_dot_call(arrays: Any, **keywords: Any) -> tuple[Any, dict[str, Any]]:
    """A call with a sequence of matrices, as operands."""
    for name, value in keywords.items():
        if not is_default(name, value):
            what = f"numpy.linalg.multi_dot(..., {name}=...) cannot be differentiated"
            raise TraceError(at_users_line(what, f"Leave {name}= out."))
    return tuple(arrays), {}


def sequences(*cases: tuple[tuple[int, ...], ...]) -> Samples:
    """Calls with one sequence of arrays."""
    return lambda rng: ((([rng.normal(size=shape) for shape in shapes],), {}) for shapes in cases)


rule(
    np.linalg.multi_dot,
    each=multi_dot_each,
    unpack=multi_dot_call,
    evaluate=lambda *matrices: np.linalg.multi_dot(matrices),
    samples=sequences(
        ((2, 3), (3, 4)),
        ((2, 3), (3, 4), (4, 2)),
        ((3,), (3, 4), (4, 2)),
        ((2, 3), (3, 4), (4,)),
        ((3,), (3, 3), (3,)),
        ((3,), (3,)),
        ((1, 2), (2, 1), (1, 1)),
        ((2, 3), (3, 2), (2, 4), (4, 3)),
    ),
)


def with_options(name: str, values: Any) -> Samples:
    """Calls with well-conditioned matrices and every value of a parameter."""
    draw = well_conditioned((3, 3), (2, 1, 2, 2))
    return lambda rng: ((arguments, {name: value}) for value in values for arguments, _ in draw(rng))


def matrix_power(a: Any, n: int) -> Any:
    """Powers by repeated squaring; negative ones of the inverse."""
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 1:
        return +a
    result: Any = None
    while n:
        n, bit = divmod(n, 2)
        if bit:
            result = a if result is None else np.matmul(result, a)
        if n:
            a = np.matmul(a, a)
    return result


composed(
    np.linalg.matrix_power,
    matrix_power,
    samples=with_options("n", (0, 1, 2, 3, 5, -1, -2)),
)


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of ``numpy.linalg.norm`` over one axis, several axes taken as one, or all of them."""
    axes = layout.normal_axes(axis, x.ndim)
    kept = tuple(k for k in range(x.ndim) if k not in axes)
    shape = (*(x.shape[k] for k in kept), prod(x.shape[k] for k in axes))
    result = np.linalg.norm(np.reshape(np.transpose(x, (*kept, *axes)), shape), ord, -1)
    return np.reshape(result, tuple(1 if k in axes else n for k, n in enumerate(x.shape))) if keepdims else result


def cond(x: Any, p: Any = None) -> Any:
    """The condition number in the norm ``p``: the quotient of singular values, or ``norm(x) norm(x^-1)``."""
    if p in (None, 2, -2):
        values = np.linalg.svdvals(x)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of the map from the last axes to the first ``ind``."""
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows = prod(a.shape[:ind])
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), (*a.shape[ind:], *a.shape[:ind]))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The solution ``x`` of ``tensordot(a, x, x.ndim) = b``."""
    if axes is not None:
        moved = [layout.normal_axis(k, np.ndim(a)) for k in axes]
        a = np.transpose(a, (*(k for k in range(np.ndim(a)) if k not in moved), *moved))
    shape = np.shape(a)[np.ndim(b) :]
    size = prod(shape)
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, size)), np.ravel(b)), shape)


def cross(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """The cross product of vectors in three dimensions."""
    a, b = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")
    pairs = ((1, 2), (2, 0), (0, 1))
    return np.stack([a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in pairs], axis=axis)


def outer(x1: Any, x2: Any) -> Any:
    """The outer product of two vectors."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError("Input arrays must be one-dimensional")
    return np.outer(x1, x2)


def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """The dot product along an axis."""
    return np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))


def tensors(*cases: tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]) -> Samples:
    """Calls with tensors that map an array to one of the same size, and a right-hand side where there is one."""

    def generate(rng: np.random.Generator) -> Any:
        for of_a, of_b, keywords in cases:
            size = round(prod(of_a) ** 0.5)
            a = rng.uniform(-0.2, 0.2, of_a) + 1.5 * np.eye(size).reshape(of_a)
            yield (a, *((rng.normal(size=of_b),) if of_b else ())), keywords

    return generate


NORMS = (*({"ord": order} for order in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")), {"keepdims": True}, {})
composed(
    np.linalg.matrix_norm,
    lambda x, *, keepdims=False, ord="fro": np.linalg.norm(x, ord, (-2, -1), keepdims),
    samples=calls(*((shape, options) for shape in ((2, 3), (2, 3, 2)) for options in NORMS), domain=apart),
)
composed(
    np.linalg.vector_norm,
    vector_norm,
    samples=calls(
        *((shape, {"ord": order}) for shape in ((3,), (2, 3)) for order in (2, 1, 3, np.inf, -np.inf, 0)),
        *(((2, 3, 2), {"axis": axis, "keepdims": keep}) for axis in (0, -1, (2, 0), None) for keep in (False, True)),
        domain=apart,
    ),
)
composed(
    np.linalg.cond,
    cond,
    samples=with_options("p", (None, 2, -2, "fro", 1, np.inf)),
)
composed(np.linalg.tensorinv, tensorinv, samples=tensors(((2, 3, 6), (), {}), ((6, 2, 3), (), {"ind": 1})))
composed(
    np.linalg.tensorsolve,
    tensorsolve,
    samples=tensors(((2, 3, 6), (2, 3), {}), ((6, 2, 3), (6,), {}), ((2, 3, 2, 3), (2, 3), {"axes": (0, 1)})),
)

composed(np.linalg.matmul, lambda x1, x2: np.matmul(x1, x2), samples=calls(((2, 3), (3, 4)), ((5, 2, 3), (3, 1))))
composed(np.linalg.outer, outer, samples=calls(((2,), (3,))))
composed(
    np.linalg.cross, cross, samples=calls(((3,), (3,)), ((2, 3), (3,)), ((3, 2), (3, 2), {"axis": 0}), ((1, 3), (4, 3)))
)
composed(np.linalg.vecdot, vecdot, samples=calls(((3,), (3,)), ((2, 3), (3,)), ((3, 2), (3, 2), {"axis": 0})))
composed(
    np.linalg.tensordot,
    lambda x1, x2, *, axes=2: np.tensordot(x1, x2, axes),
    samples=calls(((2, 3, 4), (3, 4, 5)), ((2, 3), (3, 4), {"axes": 1})),
)
composed(np.linalg.matrix_transpose, lambda x: np.swapaxes(x, -1, -2), samples=calls((2, 3), (4, 2, 3)))
composed(
    np.linalg.diagonal,
    lambda x, *, offset=0: np.diagonal(x, offset, -2, -1),
    samples=calls((3, 4), (2, 3, 4), ((2, 3, 4), {"offset": -1})),
)


def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of the diagonals of a stack."""
    if dtype is not None:
        x = x.astype(dtype)
    return np.trace(x, offset, -2, -1)


composed(np.linalg.trace, trace, samples=calls((3, 4), (2, 3, 4), ((2, 3, 4), {"offset": 1})))
