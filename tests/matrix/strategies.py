"""Random Jacobians between random spaces, each with the full matrix that it must equal.

Every maker takes a source of chance (a ``random.Random``, or the one that hypothesis draws from and shrinks)
and the shape of the input, and returns a `Sample`.  The full matrix is worked out from the arguments of the
maker, entry by entry, and never from the Jacobian.
"""

from __future__ import annotations

from math import prod
from random import Random
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

from jacobi import layout
from jacobi.matrix import Jacobian, einstein, placed

Shape = tuple[int, ...]

SIZES = (0, 1, 2, 3, 4, 5, 6, 6, 8, 9, 12, 12, 12, 16, 18, 24)


class Sample(NamedTuple):
    """A Jacobian, and the full matrix that it must equal."""

    jacobian: Jacobian
    dense: np.ndarray


def chances() -> st.SearchStrategy[Random]:
    """A source of chance that hypothesis controls."""
    return st.randoms(use_true_random=False)


def shape_of_size(chance: Random, size: int) -> Shape:
    """A shape of rank 0 to 3 with this many entries."""
    if size == 1 and chance.random() < 0.4:
        return ()
    rest, lengths = size, []
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        length = chance.choice([n for n in range(1, max(rest, 1) + 1) if rest % n == 0])
        lengths.append(length)
        rest //= length
    lengths.append(rest)
    chance.shuffle(lengths)
    return tuple(lengths)


def some_shape(chance: Random) -> Shape:
    """A shape of rank 0 to 3."""
    return shape_of_size(chance, chance.choice(SIZES))


def numbers(chance: Random, shape: Shape, dtype: Any = None) -> np.ndarray:
    """Small whole numbers, some negative or zero: their sums and products are exact in every order."""
    generator = np.random.default_rng(chance.getrandbits(16))
    dtype = chance.choice((np.float64, np.float64, np.float32)) if dtype is None else dtype
    return generator.integers(-3, 4, size=shape).astype(dtype)


def coefficient(chance: Random) -> float:
    """A number in front."""
    return chance.choice((1, 1, 1, -1, 2, -0.5, 3.0, 0.25))


# From Einstein notation -------------------------------------------------------------------------------------


def from_einstein(chance: Random, in_shape: Shape, out_shape: Shape | None = None) -> Sample:
    """Deltas, diagonals, broadcasts, sums, outer and Kronecker products."""
    out_shape = some_shape(chance) if out_shape is None else out_shape
    sizes: dict[str, int] = {}
    columns = [label_for(chance, sizes, length, fresh=0.9) for length in in_shape]
    rows = [label_for(chance, sizes, length, fresh=0.35) for length in out_shape]
    for _ in range(chance.choice((0, 0, 1, 2))):
        label_for(chance, sizes, chance.choice((1, 2, 3)), fresh=1.0)
    factors, carried = [], []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        rank = chance.randint(0, min(3, len(sizes)))
        labels = [chance.choice(sorted(sizes)) for _ in range(rank)]
        shape = tuple(1 if chance.random() < 0.1 else sizes[label] for label in labels)
        factors.append(numbers(chance, shape))
        carried.append("".join(labels))
    front = coefficient(chance)
    subscripts = ";".join(["".join(rows), "".join(columns), *carried])
    jacobian = einstein(subscripts, out_shape, in_shape, *factors, coefficient=front)
    return Sample(jacobian, einstein_dense(subscripts, out_shape, in_shape, factors, front))


def label_for(chance: Random, sizes: dict[str, int], length: int, fresh: float) -> str:
    """A label for an axis: a new one, or one that already stands for this length."""
    known = [
        label for label, size in sizes.items() if size == length or (length == 1 and chance.random() < 0.3)
    ]
    if known and chance.random() > fresh:
        return chance.choice(known)
    label = "abcdefghijklmnop"[len(sizes)]
    sizes[label] = length
    return label


def einstein_dense(
    subscripts: str, out_shape: Shape, in_shape: Shape, factors: list[np.ndarray], front: float
) -> np.ndarray:
    """Einstein notation by its definition: a loop over all values of all labels."""
    rows, columns, *carried = subscripts.split(";")
    sizes: dict[str, int] = {}
    shapes = [out_shape, in_shape, *(factor.shape for factor in factors)]
    for labels, shape in zip((rows, columns, *carried), shapes, strict=True):
        for label, length in zip(labels, shape, strict=True):
            sizes[label] = length if sizes.get(label, 1) == 1 else sizes[label]
    result = np.zeros((prod(out_shape), prod(in_shape)))
    if 0 in sizes.values() or not result.size:
        return result
    values = dict(zip(sizes, np.indices(tuple(sizes.values())), strict=True))

    def place(labels: str, shape: Shape) -> Any:
        steps = layout.strides(shape)
        on = [values[k] * s for k, s, n in zip(labels, steps, shape, strict=True) if n > 1]
        return sum(on, np.zeros(tuple(sizes.values()), dtype=int))

    entries: Any = np.full(tuple(sizes.values()), float(front))
    for labels, factor in zip(carried, factors, strict=True):
        entries = entries * factor.ravel()[place(labels, factor.shape)]
    np.add.at(result, (place(rows, out_shape), place(columns, in_shape)), entries)
    return result


# From views -------------------------------------------------------------------------------------------------


def random_view(chance: Random, array: np.ndarray) -> np.ndarray:
    """Slices with steps, flips, transposes, diagonals, new axes and broadcasts of an array."""
    for _ in range(chance.randint(1, 3)):
        move = chance.choice(
            ("slice", "slice", "flip", "transpose", "diagonal", "broadcast", "axis", "window")
        )
        if move == "slice" and array.ndim:
            array = array[tuple(random_slice(chance, n) for n in array.shape)]
        elif move == "flip" and array.ndim:
            array = np.flip(array, axis=chance.randrange(array.ndim))
        elif move == "transpose":
            array = array.transpose(chance.sample(range(array.ndim), array.ndim))
        elif move == "diagonal" and array.ndim >= 2:
            array = array.diagonal(chance.choice((0, 0, 1, -1)))
        elif move == "broadcast" and array.ndim < 3 and array.size < 40:
            array = np.broadcast_to(array, (chance.choice((1, 2, 3)), *array.shape))
        elif move == "axis" and array.ndim < 3:
            array = np.expand_dims(array, chance.randint(0, array.ndim))
        elif move == "window" and array.ndim == 1 and array.size > 2:
            array = np.lib.stride_tricks.sliding_window_view(array, chance.choice((2, 3)))
    return array


def random_slice(chance: Random, length: int) -> slice:
    """A slice that mostly keeps something, forwards or backwards."""
    start = chance.randint(0, max(0, length // 2))
    stop = chance.randint(min(start + 1, length), length)
    step = chance.choice((1, 1, 1, 2, 3))
    if chance.random() < 0.25:
        return slice(stop - 1 if stop else 0, start - 1 if start else None, -step)
    return slice(start, stop, step)


def from_view(chance: Random, in_shape: Shape) -> Sample:
    """A move whose wiring is read off the strides of a NumPy view; at times with factors on its axes."""
    base = np.arange(prod(in_shape)).reshape(in_shape)
    view = random_view(chance, base)
    out_shape = view.shape
    dense = np.zeros((view.size, base.size))
    factors: list[tuple[np.ndarray, tuple[int, ...]]] = []
    entries: Any = np.ones(view.shape)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        axes = tuple(sorted(chance.sample(range(view.ndim), chance.randint(0, view.ndim))))
        factor = numbers(chance, tuple(view.shape[k] for k in axes))
        factors.append((factor, axes))
        entries = entries * np.expand_dims(factor, tuple(k for k in range(view.ndim) if k not in axes))
    front = coefficient(chance)
    dense[np.arange(view.size), view.ravel()] = (front * entries).ravel()
    if view.size:
        steps = [stride // base.itemsize for stride in view.strides]
        first = int(view.flat[0])
    else:
        steps, first = [0] * view.ndim, 0
    jacobian = placed(
        out_shape,
        in_shape,
        view.shape,
        (0, tuple(enumerate(layout.strides(out_shape)))),
        (first, tuple(enumerate(steps))),
        *factors,
        coefficient=front,
    )
    return Sample(jacobian, dense)


def from_padding(chance: Random, in_shape: Shape) -> Sample:
    """The opposite of a slice: the input is written into a larger array of zeros."""
    begin = [chance.choice((0, 0, 1, 2)) for _ in in_shape]
    step = [chance.choice((1, 1, 2, -1)) for _ in in_shape]
    more = [chance.choice((0, 0, 1)) for _ in in_shape]
    out_shape = tuple(
        b + abs(s) * max(n - 1, 0) + min(n, 1) + m
        for b, s, n, m in zip(begin, step, in_shape, more, strict=True)
    )
    first = [b if s > 0 else b - s * max(n - 1, 0) for b, s, n in zip(begin, step, in_shape, strict=True)]
    strides = layout.strides(out_shape)
    rows = (
        sum(f * stride for f, stride in zip(first, strides, strict=True)),
        tuple((k, s * stride) for k, (s, stride) in enumerate(zip(step, strides, strict=True))),
    )
    jacobian = placed(out_shape, in_shape, in_shape, rows, (0, tuple(enumerate(layout.strides(in_shape)))))
    dense = np.zeros((prod(out_shape), prod(in_shape)))
    for column, where in enumerate(np.ndindex(in_shape)):
        row = rows[0] + sum(tie * k for (_, tie), k in zip(rows[1], where, strict=True))
        dense[row, column] = 1
    return Sample(jacobian, dense)


def from_stencil(chance: Random, in_shape: Shape) -> Sample:
    """A sum of shifted and weighted slices of the input, each written to a part of the output: bands."""
    dense = np.zeros((prod(in_shape), prod(in_shape)))
    total = Jacobian.zero(in_shape, in_shape)
    if 0 in in_shape:
        return Sample(total, dense)
    positions = np.arange(prod(in_shape)).reshape(in_shape)
    strides = layout.strides(in_shape)
    for _ in range(chance.choice((1, 2, 3, 5))):
        shift = [chance.choice((-1, 0, 0, 1)) if n > 2 else 0 for n in in_shape]
        begin = [
            max(chance.choice((0, 0, 1)) if n > 2 else 0, -by) for n, by in zip(in_shape, shift, strict=True)
        ]
        end = [n - max(by, 0) for n, by in zip(in_shape, shift, strict=True)]
        written = positions[tuple(slice(b, e) for b, e in zip(begin, end, strict=True))]
        sizes = written.shape
        moved = sum(by * stride for by, stride in zip(shift, strides, strict=True))
        first = int(written.flat[0])
        ties = tuple(enumerate(strides))
        factors: list[tuple[np.ndarray, tuple[int, ...]]] = []
        entries: Any = np.ones(sizes)
        if chance.random() < 0.6:
            axes = tuple(k for k in range(len(sizes)) if chance.random() < 0.8)
            weights = numbers(chance, tuple(sizes[k] for k in axes))
            factors.append((weights, axes))
            entries = entries * np.expand_dims(weights, tuple(k for k in range(len(sizes)) if k not in axes))
        front = coefficient(chance)
        places = (first, ties), (first + moved, ties)
        total = total + placed(in_shape, in_shape, sizes, *places, *factors, coefficient=front)
        np.add.at(dense, (written.ravel(), written.ravel() + moved), front * entries.ravel())
    return Sample(total, dense)


# From positions ---------------------------------------------------------------------------------------------


def from_positions(chance: Random, in_shape: Shape) -> Sample:
    """A fancy index on one axis, ``x[..., positions, ...]``; entries may be picked several times or never."""
    if not in_shape or 0 in in_shape:
        return from_view(chance, in_shape)
    axis = chance.randrange(len(in_shape))
    length = in_shape[axis]
    positions = np.array(
        [chance.randrange(length) for _ in range(chance.randint(1, 2 * length))], dtype=np.intp
    )
    if chance.random() < 0.3:
        positions = np.array(chance.sample(range(length), length), dtype=np.intp)
    out_shape = (*in_shape[:axis], positions.size, *in_shape[axis + 1 :])
    columns = [(k, stride) for k, stride in enumerate(layout.strides(in_shape))]
    columns[axis] = (axis, positions * columns[axis][1])
    front = coefficient(chance)
    weights = numbers(chance, (positions.size,))
    weighted = chance.random() < 0.4
    jacobian = placed(
        out_shape,
        in_shape,
        out_shape,
        (0, tuple(enumerate(layout.strides(out_shape)))),
        (0, tuple(columns)),
        *([(weights, (axis,))] if weighted else []),
        coefficient=front,
    )
    dense = np.zeros((prod(out_shape), prod(in_shape)))
    picked = np.arange(prod(in_shape)).reshape(in_shape).take(positions, axis=axis)
    line = weights if weighted else np.ones(positions.size)
    entries = np.broadcast_to(line.reshape((-1,) + (1,) * (len(in_shape) - axis - 1)), out_shape)
    np.add.at(dense, (np.arange(picked.size), picked.ravel()), front * entries.ravel())
    return Sample(jacobian, dense)


def from_sparse(chance: Random, in_shape: Shape, out_shape: Shape | None = None) -> Sample:
    """A sparse matrix, with repeated places and explicit zeros."""
    out_shape = some_shape(chance) if out_shape is None else out_shape
    rows, columns = prod(out_shape), prod(in_shape)
    count = chance.randint(0, 2 * max(rows, columns)) if rows and columns else 0
    at = [[chance.randrange(n) for _ in range(count)] for n in (rows, columns)]
    values = numbers(chance, (count,))
    matrix = scipy.sparse.coo_array(
        (values, (np.array(at[0], int), np.array(at[1], int))), shape=(rows, columns)
    )
    chosen = chance.choice((matrix, matrix.tocsr(), matrix.tocsc()))
    return Sample(Jacobian.from_sparse(chosen, out_shape, in_shape), matrix.toarray())


# From arrays ------------------------------------------------------------------------------------------------


def from_dense(chance: Random, in_shape: Shape, out_shape: Shape | None = None) -> Sample:
    """A full matrix, given as a matrix or as a tensor, in C or in Fortran order."""
    out_shape = some_shape(chance) if out_shape is None else out_shape
    matrix = numbers(chance, (prod(out_shape), prod(in_shape)))
    given = matrix.reshape(out_shape + in_shape) if chance.random() < 0.5 else np.asfortranarray(matrix)
    return Sample(Jacobian.from_dense(given, out_shape, in_shape), matrix)


def from_diagonal(chance: Random, in_shape: Shape) -> Sample:
    """An elementwise function."""
    diagonal = numbers(chance, in_shape)
    return Sample(Jacobian.from_diagonal(diagonal), np.diag(diagonal.ravel()))


def from_identity(chance: Random, in_shape: Shape) -> Sample:
    """The identity."""
    return Sample(Jacobian.identity(in_shape), np.eye(prod(in_shape)))


def from_zero(chance: Random, in_shape: Shape) -> Sample:
    """The zero matrix."""
    out_shape = some_shape(chance)
    return Sample(Jacobian.zero(out_shape, in_shape), np.zeros((prod(out_shape), prod(in_shape))))


def from_kron(chance: Random, in_shape: Shape) -> Sample:
    """A Kronecker product; its input has two axes, the product of which fits the space."""
    size = prod(in_shape)
    inner = chance.choice([n for n in range(1, max(size, 1) + 1) if size % n == 0])
    left = numbers(chance, (chance.randint(0, 4), size // inner))
    right = numbers(chance, (chance.randint(1, 4), inner))
    return Sample(Jacobian.kron(left, right), np.kron(left, right))


FREE = (from_einstein, from_sparse, from_dense)  # these take any output
MOVES = (from_view, from_view, from_padding, from_positions)
OTHERS = (from_stencil, from_stencil, from_diagonal, from_identity, from_kron, from_zero)


def single(chance: Random, in_shape: Shape) -> Sample:
    """A Jacobian from one of the makers, transposed at times."""
    maker = chance.choice((*FREE, from_einstein, *MOVES, *MOVES, *OTHERS))
    if maker in FREE and chance.random() < 0.3:
        sample = maker(chance, some_shape(chance), in_shape)
        return Sample(sample.jacobian.T, sample.dense.T)
    return maker(chance, in_shape)


def fitting(chance: Random, out_shape: Shape, in_shape: Shape) -> Sample:
    """A Jacobian between two given spaces."""
    kind = chance.choice(("free", "free", "moved", "moved back"))
    if kind == "free":
        return chance.choice(FREE)(chance, in_shape, out_shape)
    if kind == "moved":
        inner = from_view(chance, in_shape)
        outer = chance.choice(FREE)(chance, inner.jacobian.out_shape, out_shape)
    else:
        back = from_view(chance, out_shape)
        outer = Sample(back.jacobian.T, back.dense.T)
        inner = chance.choice(FREE)(chance, in_shape, outer.jacobian.in_shape)
    return Sample(outer.jacobian @ inner.jacobian, outer.dense @ inner.dense)


def sample(chance: Random, in_shape: Shape | None = None) -> Sample:
    """A Jacobian of up to four summands."""
    in_shape = some_shape(chance) if in_shape is None else in_shape
    total = single(chance, in_shape)
    for _ in range(chance.choice((0, 0, 0, 1, 2, 3))):
        more = fitting(chance, total.jacobian.out_shape, in_shape)
        front = coefficient(chance)
        total = Sample(total.jacobian + front * more.jacobian, total.dense + front * more.dense)
    return total


def chained(chance: Random, count: int) -> list[Sample]:
    """Samples that can be multiplied, innermost first."""
    result = [sample(chance)]
    while len(result) < count:
        result.append(sample(chance, respaced(chance, result[-1].jacobian.shape[0])))
    return result


def respaced(chance: Random, size: int) -> Shape:
    """A space with so many entries, to which a Jacobian of that many columns or rows may be chained."""
    return shape_of_size(chance, size)


def samples() -> st.SearchStrategy[Sample]:
    """Jacobians with their full matrices."""
    return chances().map(sample)
