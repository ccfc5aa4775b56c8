"""Operations that contract arrays: products of vectors, matrices and tensors, every one a choice of labels.

A contraction is bilinear, so its local Jacobian by one operand is the other operand with the labels of all three:
``y_il = sum_k a_ik b_kl`` gives ``dy_il/da_jk = delta_ij b_kl``, which is ``einstein("il;ik;kl", ..., b)``.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, einstein
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import calls

Labels = tuple[Any, ...]


def matmul_labels(a: Any, b: Any) -> tuple[Labels, Labels, Labels]:
    """The labels of both operands and of ``a @ b``, batches included."""
    if not a.ndim or not b.ndim:
        raise ValueError("matmul: an operand is 0-d; use * for multiples")
    batch_a = tuple(range(2 - a.ndim, 0))
    batch_b = tuple(range(2 - b.ndim, 0))
    batch = batch_a if len(batch_a) >= len(batch_b) else batch_b
    rows = () if a.ndim == 1 else ("row",)
    columns = () if b.ndim == 1 else ("column",)
    return (*batch_a, *rows, "sum"), (*batch_b, "sum", *columns), (*batch, *rows, *columns)


def dot_labels(a: Any, b: Any) -> tuple[Labels, Labels, Labels]:
    """``dot`` sums over the last axis of ``a`` and the last but one of ``b``."""
    if not a.ndim or not b.ndim:
        return tensordot_labels(a, b, 0)
    return tensordot_labels(a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),)))


def inner_labels(a: Any, b: Any) -> tuple[Labels, Labels, Labels]:
    """``inner`` sums over the last axes of both."""
    return tensordot_labels(a, b, ((-1,), (-1,)) if a.ndim and b.ndim else 0)


def tensordot_labels(a: Any, b: Any, axes: Any = 2) -> tuple[Labels, Labels, Labels]:
    """``tensordot`` sums over pairs of axes."""
    if isinstance(axes, (int, np.integer)):
        pairs = [(a.ndim - axes + k, k) for k in range(axes)]
    else:
        of_a, of_b = (tuple(np.atleast_1d(side).tolist()) for side in axes)
        pairs = [
            (layout.normal_axis(i, a.ndim), layout.normal_axis(j, b.ndim))
            for i, j in zip(of_a, of_b, strict=True)
        ]
    labels_a: list[Any] = [("a", k) for k in range(a.ndim)]
    labels_b: list[Any] = [("b", k) for k in range(b.ndim)]
    summed_a, summed_b = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, j in pairs:
        labels_b[j] = labels_a[i]
    kept = [label for k, label in enumerate(labels_a) if k not in summed_a]
    kept += [label for k, label in enumerate(labels_b) if k not in summed_b]
    return tuple(labels_a), tuple(labels_b), tuple(kept)


def no_number(x: Any) -> Any:
    """A Python number as an array; arrays and nodes as they are."""
    return np.asarray(x) if type(x) in (int, float, bool) else x


def bilinear(function: Any, labels: Callable[..., Any], samples: Any, **options: Any) -> None:
    """Declare a contraction of two operands by its labels."""

    def by_a(y: Any, a: Any, b: Any, **parameters: Any) -> Jacobian:
        b = no_number(b)
        of_a, of_b, of_y = labels(a, b, **parameters)
        return einstein((of_y, of_a, of_b), y.shape, a.shape, b)

    def by_b(y: Any, a: Any, b: Any, **parameters: Any) -> Jacobian:
        a = no_number(a)
        of_a, of_b, of_y = labels(a, b, **parameters)
        return einstein((of_y, of_b, of_a), y.shape, b.shape, a)

    operation = rule(function, by_a, by_b, samples=samples, **options)
    operation.parameters = frozenset({"axes"}) if function is np.tensordot else frozenset()


MATRICES = (
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((2, 0), (0, 3)),
)
BATCHES = (
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((4, 1, 2, 3), (5, 3, 1)),
    ((3,), (4, 3, 2)),
    ((4, 2, 3), (3,)),
)

bilinear(np.matmul, matmul_labels, calls(*MATRICES, *BATCHES))
bilinear(np.dot, dot_labels, calls(*MATRICES, ((), (2, 3)), ((2, 3), ()), ((4, 2, 3), (3, 2)), ((2, 3), (5, 3, 4))))
bilinear(np.inner, inner_labels, calls(((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((), (3,)), ((2, 1, 3), (4, 3))))
bilinear(
    np.tensordot,
    tensordot_labels,
    calls(
        ((2, 3, 4), (3, 4, 5), {}),
        ((2, 3), (3, 4), {"axes": 1}),
        ((2,), (3,), {"axes": 0}),
        ((2, 3, 4), (4, 5, 2), {"axes": ([0, 2], [2, 0])}),
        ((2, 3, 4), (3, 5), {"axes": (1, 0)}),
    ),
)
if hasattr(np, "vecdot"):
    bilinear(
        np.vecdot,
        lambda a, b: (
            (*range(1 - a.ndim, 0), "sum"),
            (*range(1 - b.ndim, 0), "sum"),
            tuple(range(1 - max(a.ndim, b.ndim), 0)),
        ),
        calls(((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((2, 1, 3), (4, 3))),
    )
if hasattr(np, "matvec"):
    bilinear(
        np.matvec,
        lambda a, b: (
            (*range(2 - a.ndim, 0), "row", "sum"),
            (*range(1 - b.ndim, 0), "sum"),
            (*range(min(2 - a.ndim, 1 - b.ndim), 0), "row"),
        ),
        calls(((2, 3), (3,)), ((5, 2, 3), (3,)), ((2, 3), (5, 3)), ((4, 1, 2, 3), (5, 3))),
    )
    bilinear(
        np.vecmat,
        lambda a, b: (
            (*range(1 - a.ndim, 0), "sum"),
            (*range(2 - b.ndim, 0), "sum", "column"),
            (*range(min(1 - a.ndim, 2 - b.ndim), 0), "column"),
        ),
        calls(((3,), (3, 2)), ((5, 3), (3, 2)), ((3,), (5, 3, 2)), ((4, 1, 3), (5, 3, 2))),
    )
composed(
    np.vdot,
    lambda a, b: np.dot(np.ravel(a), np.ravel(b)),
    samples=calls(((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (6,))),
)
composed(
    np.outer,
    lambda a, b: np.tensordot(np.ravel(a), np.ravel(b), axes=0),
    samples=calls(((3,), (2,)), ((2, 3), (4,)), ((), (3,))),
)
composed((np.multiply, "outer"), lambda a, b: np.tensordot(a, b, axes=0), samples=calls(((3,), (2,)), ((2, 3), (4,))))
for _ufunc in (np.add, np.subtract, np.divide, np.maximum, np.minimum):
    composed(
        (_ufunc, "outer"),
        lambda a, b, _f=_ufunc: _f(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b),
        samples=calls(((3,), (2,)), ((2, 3), (4,))),
    )


def kron_shape(y: Any, a: Any, b: Any) -> tuple[Labels, Labels, layout.Shape]:
    """The labels of both operands of ``kron`` and the shape in which their axes alternate."""
    rank = max(a.ndim, b.ndim)
    lengths_a = (1,) * (rank - a.ndim) + a.shape
    lengths_b = (1,) * (rank - b.ndim) + b.shape
    shape = tuple(n for pair in zip(lengths_a, lengths_b, strict=True) for n in pair)
    of_a = tuple(("a", k) for k in range(rank - a.ndim, rank))
    of_b = tuple(("b", k) for k in range(rank - b.ndim, rank))
    return of_a, of_b, shape


def kron_by(operand: int) -> Callable[..., Jacobian]:
    """The rule of ``kron`` by one operand."""

    def by(y: Any, a: Any, b: Any) -> Jacobian:
        a, b = no_number(a), no_number(b)
        of_a, of_b, shape = kron_shape(y, a, b)
        of_y = tuple(label for k in range(len(shape) // 2) for label in (("a", k), ("b", k)))
        labels, other, x = ((of_a, of_b, a), (of_b, of_a, b))[operand]
        local = einstein((of_y, labels, other), shape, x.shape, (b, a)[operand])
        return Jacobian(local.terms, y.shape, x.shape)

    return by


rule(
    np.kron,
    kron_by(0),
    kron_by(1),
    samples=calls(((2, 3), (4, 1)), ((3,), (2,)), ((2, 3), (2,)), ((), (3,)), ((2,), (3, 1, 2))),
)


def einsum_labels(subscripts: str, ranks: list[int]) -> tuple[list[Labels], Labels]:
    """The labels of the operands and of the result of ``einsum``; the dots stand for negative numbers."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    operands = []
    for part, rank in zip(inputs.split(","), ranks, strict=True):
        before, dots, after = part.partition("...")
        hidden = rank - len(before) - len(after) if dots else 0
        operands.append((*before, *range(-hidden, 0), *after))
    widest = min((label for labels in operands for label in labels if isinstance(label, int)), default=0)
    if arrow:
        before, dots, after = output.partition("...")
        return operands, (*before, *(range(widest, 0) if dots else ()), *after)
    letters = [label for labels in operands for label in labels if isinstance(label, str)]
    return operands, (*range(widest, 0), *sorted(x for x in set(letters) if letters.count(x) == 1))


def einsum_each(operand: int, y: Any, *operands: Any, subscripts: str) -> Jacobian:
    """The rule of ``einsum`` by one operand: all other operands are factors."""
    labels, of_y = einsum_labels(subscripts, [x.ndim for x in operands])
    others = [k for k in range(len(operands)) if k != operand]
    return einstein(
        (of_y, labels[operand], *(labels[k] for k in others)),
        y.shape,
        operands[operand].shape,
        *(operands[k] for k in others),
    )


def einsum_call(*arguments: Any, optimize: Any = False, **keywords: Any) -> tuple[Any, dict[str, Any]]:
    """Both forms of calling ``einsum``, as operands and subscripts."""
    for name, value in keywords.items():
        if value is not None and (name, value) not in (("order", "K"), ("casting", "safe")):
            raise TraceError(
                at_users_line(f"numpy.einsum(..., {name}=...) cannot be differentiated", f"Leave {name}= out.")
            )
    if isinstance(arguments[0], str):
        return tuple(arguments[1:]), {"subscripts": arguments[0]}
    pairs = [(arguments[k], arguments[k + 1]) for k in range(0, len(arguments) - 1, 2)]
    letters = string.ascii_letters
    parts = ["".join("..." if n is Ellipsis else letters[n] for n in labels) for _, labels in pairs]
    output = "".join("..." if n is Ellipsis else letters[n] for n in arguments[-1]) if len(arguments) % 2 else None
    subscripts = ",".join(parts) + ("" if output is None else "->" + output)
    return tuple(array for array, _ in pairs), {"subscripts": subscripts}


rule(
    np.einsum,
    each=einsum_each,
    unpack=einsum_call,
    evaluate=lambda *operands, subscripts: np.einsum(subscripts, *operands),
    samples=calls(
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("ij->ji", (2, 3)),
        ("ij->", (2, 3)),
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
        ("iij->j", (3, 3, 2)),
        ("i,i,i->i", (3,), (3,), (3,)),
        ("i,j->ij", (3,), (2,)),
        ("bij,bjk,bk->bi", (5, 2, 3), (5, 3, 4), (5, 4)),
        ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
        ("...i->...", (2, 3)),
        ("ab,bc,cd->ad", (2, 3), (3, 4), (4, 2)),
        ((2, 3), [0, 1], (3, 4), [1, 2], [0, 2]),
    ),
)
