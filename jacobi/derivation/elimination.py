"""Elimination: the graph of a term, whose summed indices are eliminated until only the axes of a matrix are left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from jacobi.derivation.expression import Factor, Unreadable, flat
from jacobi.notation import tree
from jacobi.notation.compose import hadamard, product, summed, transpose
from jacobi.notation.tree import Tree

if TYPE_CHECKING:
    from jacobi.derivation.reading import Reader

Edge = tuple[int, int]


class Elimination:
    """The graph of a term: its indices are the vertices, a vector is a weight of one and a matrix an edge between two.

    Parameters
    ----------
    reader : Reader
        Turns factors into trees.
    factors : sequence of Factor
        The factors that carry indices.
    sizes : sequence of int
        The size of every index.
    indices : collection of int
        The indices of the term.

    Attributes
    ----------
    weights : dict
        The vectors on every index that is left; they are multiplied entry by entry.
    edges : dict
        The matrices between two indices, from the smaller one to the larger.
    stretches : list of (Tree, tuple of int)
        The vectors over several indices, the digits of a merged axis.
    scalars : list of Tree
        What came from indices that are connected to no others.
    """

    def __init__(self, reader: Reader, factors: Sequence[Factor], sizes: Sequence[int], indices: Collection[int]):
        self.reader, self.sizes = reader, list(sizes)
        self.weights: dict[int, list[Tree]] = {k: [] for k in sorted(indices)}
        self.edges: dict[Edge, list[Tree]] = {}
        self.stretches: list[tuple[Tree, tuple[int, ...]]] = []
        self.scalars: list[Tree] = []
        self.repeated: dict[tuple[int, int], int] = {}  # the index for the second, third ... time that one stands there
        for leaf, on in factors:
            self.add(reader.leaf(leaf, len(on)), on)

    def add(self, body: Tree, on: Sequence[tuple[int, ...]]) -> None:
        """Add a factor."""
        indices = flat(on)
        if len(on) == 1 and len(indices) > 1:
            self.stretches.append((body, indices))
            return
        if len(on) > 2 or any(len(axis) > 1 for axis in on):
            raise Unreadable("a tensor" if len(on) > 2 else "merged axes")
        if len(on) == 2 and len(indices) < 2:
            raise Unreadable("an axis of length 1")
        if len(indices) == 1:
            self.weights[indices[0]].append(body)
        elif indices[0] == indices[1]:
            self.weights[indices[0]].append(tree.DiagonalOf(body))
        else:
            self.edge(indices[0], indices[1], body)

    def without_repetition(self, axes: tuple[int, ...]) -> tuple[int, ...]:
        """The axes of a side, an index that stands on two of them replaced by two that the identity connects."""
        result: list[int] = []
        for index in axes:
            times = axes[: len(result)].count(index)
            if times and (index, times) not in self.repeated:
                new = self.repeated[index, times] = len(self.sizes)
                self.sizes.append(self.sizes[index])
                self.weights[new] = []
                self.edge(index, new, tree.Identity(self.reader.size(self.sizes[index])))
            result.append(self.repeated.get((index, times), index))
        return tuple(result)

    def edge(self, i: int, j: int, matrix: Tree) -> None:
        """Add a matrix from index ``i`` to index ``j``."""
        if i > j:
            i, j, matrix = j, i, transpose(matrix)
        self.edges.setdefault((i, j), []).append(matrix)

    def matrix(self, i: int, j: int) -> Tree:
        """The matrix from ``i`` to ``j``; several are multiplied entry by entry."""
        found = hadamard(self.edges[min(i, j), max(i, j)])
        return found if i < j else transpose(found)

    def scaled(self, i: int, j: int) -> Tree:
        """The matrix from ``i`` to ``j`` with the weights of both."""
        before, after = ([tree.Diagonal(hadamard(self.weights[k]))] if self.weights[k] else [] for k in (i, j))
        return product([*before, self.matrix(i, j), *after])

    def weight(self, index: int) -> Tree:
        """The vector on an index."""
        size = self.reader.size(self.sizes[index])
        return hadamard(self.weights[index]) if self.weights[index] else tree.Ones(size)

    def neighbours(self, index: int) -> list[int]:
        """The indices at the other ends of the edges of an index."""
        return [a if b == index else b for a, b in self.edges if index in (a, b)]

    def eliminate(self, kept: Collection[int]) -> None:
        """Eliminate the summed indices, ends of chains first."""
        self.sum_stretches(kept)
        left = [k for k in self.weights if k not in kept]
        while left:
            index = min(left, key=lambda k: len(self.neighbours(k)))
            around = self.neighbours(index)
            if len(around) > 2:
                raise Unreadable("an index on three matrices")
            left.remove(index)
            if not around:
                weights = self.weights.pop(index)
                self.scalars.append(summed(weights, self.reader.size(self.sizes[index])))
            elif len(around) == 1 and self.is_trace(index, around[0], left):
                left.remove(around[0])
                self.trace(index, around[0])
            elif len(around) == 1:
                matrix, weight = self.matrix(around[0], index), self.weight(index)
                self.drop(index, around[0])
                self.weights[around[0]].append(product([matrix, weight]))
            else:
                one, two = around
                before, after = self.matrix(one, index), self.matrix(index, two)
                middle = [tree.Diagonal(self.weight(index))] if self.weights[index] else []
                self.drop(index, one, two)
                self.edge(one, two, product([before, *middle, after]))

    def drop(self, index: int, *others: int) -> None:
        """Remove an index and its edges."""
        del self.weights[index]
        for other in others:
            del self.edges[min(index, other), max(index, other)]

    def is_trace(self, index: int, other: int, left: Sequence[int]) -> bool:
        """Whether two indices make up a sum over all entries of two matrices."""
        both = self.edges[min(index, other), max(index, other)]
        bare = not self.weights[index] and not self.weights[other]
        return len(both) == 2 and bare and other in left and len(self.neighbours(other)) == 1

    def trace(self, index: int, other: int) -> None:
        """Write the sum over all entries of two matrices as a trace."""
        first, second = self.edges[min(index, other), max(index, other)]
        self.scalars.append(tree.Trace(product([transpose(first), second])))
        self.drop(index, other)
        del self.weights[other]

    def sum_stretches(self, kept: Collection[int]) -> None:
        """Vectors over merged axes that are summed: ``vec(A)^T v``."""
        waiting, self.stretches = self.stretches, []
        for vector, indices in waiting:
            if set(indices) <= set(kept):
                self.stretches.append((vector, indices))
                continue
            same = [other for other in waiting if other[1] == indices]
            around = [edge for edge in self.edges if set(edge) & set(indices)]
            if set(indices) & set(kept) or len(indices) != 2 or any(set(e) != set(indices) for e in around):
                raise Unreadable("merged axes")
            if len(same) > 1 or sum(bool(set(indices) & set(other)) for _, other in waiting) > 1:
                raise Unreadable("merged axes")
            i, j = indices
            if around:
                matrix: Tree = self.scaled(i, j)
            else:
                matrix = product([self.weight(i), transpose(self.weight(j))])
            self.scalars.append(product([transpose(tree.Apply("vec", (matrix,), tree.VECTOR)), vector]))
            for edge in around:
                del self.edges[edge]
            del self.weights[i], self.weights[j]
