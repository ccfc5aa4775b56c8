"""A term as a matrix between the axes of the output and those of the input: a Kronecker product of one factor per axis.

What connects two axes of the same side scales rows or columns: ``A_ij`` between the rows ``ij`` of an elementwise
function of a matrix is ``diag(vec(A))``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jacobi.derivation.elimination import Elimination
from jacobi.derivation.expression import Unreadable
from jacobi.notation import tree
from jacobi.notation.compose import hadamard, kronecker, product, transpose
from jacobi.notation.tree import Tree

if TYPE_CHECKING:
    from jacobi.derivation.reading import Reader

Indices = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """One factor of a Kronecker product, with the axes of the rows and of the columns that it stands for."""

    rows: Indices
    columns: Indices
    body: Tree


def matrix_between(reader: Reader, graph: Elimination, rows: Indices, columns: Indices) -> Tree:
    """The matrix of a graph whose summed indices have been eliminated."""
    left = side(reader, graph, rows) if len(rows) > 1 else None
    right = side(reader, graph, columns) if len(columns) > 1 else None
    if graph.stretches:
        raise Unreadable("merged axes")
    blocks, layers = blocks_of(reader, graph, rows, columns)
    if left is not None and not any(b.columns and b.rows for b in blocks):
        blocks = [Block(rows, (), left), *(b for b in blocks if b.columns)]
        left = None
    if right is not None and not any(b.columns and b.rows for b in blocks):
        blocks = [*(b for b in blocks if b.rows), Block((), columns, transpose(right))]
        right = None
    whole = joined(reader, blocks, rows, columns, graph.sizes)
    for layer in layers:
        whole = hadamard([whole, joined(reader, layer, rows, columns, graph.sizes)])
    before = [tree.Diagonal(left)] if left is not None else []
    after = [tree.Diagonal(right)] if right is not None else []
    return product([*graph.scalars, *before, whole, *after])


def side(reader: Reader, graph: Elimination, axes: Indices) -> Tree | None:
    """What connects axes of one side, as a vector over the whole side; it is taken out of the graph."""
    inner = [edge for edge in graph.edges if set(edge) <= set(axes)]
    spans = [indices for _, indices in graph.stretches if set(indices) <= set(axes)]
    if not inner and not spans:
        return None
    place = {index: k for k, index in enumerate(axes)}
    vectors: list[Tree] = []
    for body, indices in [pair for pair in graph.stretches if pair[1] in spans]:
        vectors.append(stretched(reader, graph, body, indices, axes))
        graph.stretches.remove((body, indices))
    for edge in inner:
        i, j = sorted(edge, key=lambda index: place[index])
        vector = tree.Apply("vec", (graph.scaled(i, j),), tree.VECTOR)
        graph.weights[i], graph.weights[j] = [], []
        vectors.append(stretched(reader, graph, vector, (i, j), axes))
        del graph.edges[edge]
    return hadamard(vectors)


def stretched(reader: Reader, graph: Elimination, vector: Tree, indices: Indices, axes: Indices) -> Tree:
    """A vector over some neighbouring axes as one over all of them."""
    start = axes.index(indices[0])
    if axes[start : start + len(indices)] != indices:
        raise Unreadable("axes that are apart")
    ones = [tree.Ones(reader.size(graph.sizes[index])) for index in axes]
    return kronecker([*ones[:start], vector, *ones[start + len(indices) :]])


def blocks_of(
    reader: Reader, graph: Elimination, rows: Indices, columns: Indices
) -> tuple[list[Block], list[list[Block]]]:
    """One block per axis; the edges for which there is no room make up further layers, multiplied entry by entry."""
    blocks: list[Block] = []
    taken: set[int] = set()
    rest = []
    for i, j in list(graph.edges):
        if taken & {i, j}:
            rest.append((i, j))
            continue
        row, column = (i, j) if i in rows and j in columns else (j, i)
        if row not in rows or column not in columns:
            raise Unreadable("a matrix between axes of the same side")
        taken |= {i, j}
        blocks.append(Block((row,), (column,), graph.scaled(row, column)))
        graph.weights[row], graph.weights[column] = [], []
    for index in dict.fromkeys((*rows, *columns)):
        if index in taken:
            continue
        if index in rows and index in columns:
            size = reader.size(graph.sizes[index])
            body: Tree = tree.Diagonal(graph.weight(index)) if graph.weights[index] else tree.Identity(size)
            blocks.append(Block((index,), (index,), body))
        else:
            vector = graph.weight(index)
            on_rows = index in rows
            body = vector if on_rows else transpose(vector)
            blocks.append(Block((index,) if on_rows else (), () if on_rows else (index,), body))
    layers = []
    for i, j in rest:
        row, column = (i, j) if i in rows and j in columns else (j, i)
        if row not in rows or column not in columns:
            raise Unreadable("a matrix between axes of the same side")
        others = [ones(reader, graph, index, True) for index in rows if index != row]
        others += [ones(reader, graph, index, False) for index in columns if index != column]
        layers.append([Block((row,), (column,), graph.matrix(row, column)), *others])
    return blocks, layers


def ones(reader: Reader, graph: Elimination, index: int, on_rows: bool) -> Block:
    """A block that repeats the others."""
    vector = tree.Ones(reader.size(graph.sizes[index]))
    return Block((index,), (), vector) if on_rows else Block((), (index,), transpose(vector))


def joined(reader: Reader, blocks: Sequence[Block], rows: Indices, columns: Indices, sizes: Sequence[int]) -> Tree:
    """The Kronecker product of the blocks; axes in another order are brought into it by a commutation matrix."""
    if not rows and not columns:
        return product([])
    alone = all(isinstance(block.body, tree.Identity) for block in blocks)
    if not any(block.rows and block.columns for block in blocks):  # an outer product
        tall = ordered(tuple(b for b in blocks if b.rows), rows, ())
        wide = ordered(tuple(b for b in blocks if b.columns), (), columns)
        if tall is not None and wide is not None:
            sides = [kronecker([b.body for b in part]) for part in (tall, wide) if part]
            return product(sides)
    for turned in (False, True):
        for swapped in (False, True):
            if (swapped and len(columns) != 2) or (turned and len(rows) != 2):
                continue
            order = ordered(blocks, rows[::-1] if turned else rows, columns[::-1] if swapped else columns)
            if order is None:
                continue
            first = [commutation(reader, rows, sizes, True)] if turned else []
            last = [commutation(reader, columns, sizes, False)] if swapped else []
            if alone and not first and not last:
                return tree.Identity(" ".join(str(reader.size(sizes[index])) for index in rows))
            return product([*first, *([] if alone else [kronecker(side_by_side(order))]), *last])
    raise Unreadable("the parts are interleaved")


def side_by_side(blocks: Sequence[Block]) -> list[Tree]:
    """The factors of a Kronecker product; a vector beside a row is an outer product."""
    result: list[Tree] = []
    before: Block | None = None
    for block in blocks:
        if before is not None and bool(before.rows) + bool(before.columns) == 1 and before.rows and not block.rows:
            result[-1] = product([before.body, block.body])
            before = None
        else:
            result.append(block.body)
            before = block
    return result


def commutation(reader: Reader, axes: Indices, sizes: Sequence[int], on_rows: bool) -> Tree:
    """The matrix that exchanges two axes."""
    one, other = (reader.size(sizes[index]) for index in axes)
    return tree.Commutation(other, one) if on_rows else tree.Commutation(one, other)


def ordered(blocks: Iterable[Block], rows: Indices, columns: Indices) -> list[Block] | None:
    """The blocks in the order of their rows and of their columns, or None where these contradict each other."""
    waiting, result = list(blocks), []
    while waiting:
        fitting = [b for b in waiting if b.rows == rows[: len(b.rows)] and b.columns == columns[: len(b.columns)]]
        if not fitting:
            return None
        chosen = max(fitting, key=lambda b: bool(b.rows))
        waiting.remove(chosen)
        rows, columns = rows[len(chosen.rows) :], columns[len(chosen.columns) :]
        result.append(chosen)
    return result
