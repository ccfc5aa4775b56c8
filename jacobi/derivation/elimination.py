"""Elimination: the graph of a term, whose summed indices are eliminated until a matrix product is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jacobi.derivation.expression import Term, Unreadable, flat
from jacobi.notation import tree
from jacobi.notation.compose import hadamard, product, summed, transpose
from jacobi.notation.tree import Tree

if TYPE_CHECKING:
    from jacobi.derivation.reading import Reader


@dataclass(frozen=True)
class Component:
    """Factors that are connected by indices, with the indices that stand on the rows and on the columns."""

    factors: tuple[Any, ...]
    indices: frozenset[int]
    rows: tuple[int, ...]
    columns: tuple[int, ...]


def components(term: Term, rows: tuple[int, ...], columns: tuple[int, ...]) -> list[Component]:
    """The connected parts of a term, in reading order; factors without indices make up one part."""
    groups: list[tuple[set[int], list[Any]]] = [({k}, []) for k in dict.fromkeys((*rows, *columns))]
    for factor in term.factors:
        indices = set(flat(factor[1]))
        touched = [group for group in groups if group[0] & indices] if indices else []
        merged: tuple[set[int], list[Any]] = (set(indices), [])
        for group in touched:
            merged[0].update(group[0])
            merged[1].extend(group[1])
        merged[1].append(factor)
        groups = [group for group in groups if all(group is not t for t in touched)] + [merged]
    return [
        Component(
            tuple(factors),
            frozenset(indices),
            tuple(k for k in rows if k in indices),
            tuple(k for k in columns if k in indices),
        )
        for indices, factors in groups
    ]


def kronecker_order(
    body: list[tuple[Component, Tree]], rows: tuple[int, ...], columns: tuple[int, ...]
) -> list[tuple[Component, Tree]] | None:
    """The parts in the order of their rows and of their columns, or None where these contradict each other."""
    waiting, result = list(body), []
    left_rows, left_columns = list(rows), list(columns)
    while waiting:
        fitting = [
            pair
            for pair in waiting
            if pair[0].rows == tuple(left_rows[: len(pair[0].rows)])
            and pair[0].columns == tuple(left_columns[: len(pair[0].columns)])
        ]
        if not fitting:
            return None
        chosen = max(fitting, key=lambda pair: bool(pair[0].rows))
        waiting = [pair for pair in waiting if pair is not chosen]
        left_rows = left_rows[len(chosen[0].rows) :]
        left_columns = left_columns[len(chosen[0].columns) :]
        result.append(chosen)
    return result


class Elimination:
    """The graph of one connected part, whose summed indices are eliminated one by one."""

    def __init__(self, reader: Reader, part: Component, sizes: Sequence[int]):
        self.reader, self.part, self.sizes = reader, part, sizes
        self.weights: dict[int, list[Tree]] = {k: [] for k in part.indices}
        self.edges: dict[tuple[int, int], list[Tree]] = {}
        self.scalars: list[Tree] = []
        for leaf, on in part.factors:
            if any(len(axis) > 1 for axis in on):
                raise Unreadable("merged axes")
            indices = flat(on)
            body = reader.leaf(leaf, len(on))
            if len(on) > 2:
                raise Unreadable("a tensor")
            if len(on) == 2 and len(indices) < 2:
                raise Unreadable("an axis of length 1")
            if len(indices) == 1:
                self.weights[indices[0]].append(body)
            elif indices[0] == indices[1]:
                self.weights[indices[0]].append(tree.DiagonalOf(body))
            else:
                self.edge(indices[0], indices[1], body)

    def edge(self, i: int, j: int, matrix: Tree) -> None:
        """Add a matrix from index ``i`` to index ``j``."""
        if i > j:
            i, j, matrix = j, i, transpose(matrix)
        self.edges.setdefault((i, j), []).append(matrix)

    def matrix(self, i: int, j: int) -> Tree:
        """The matrix from ``i`` to ``j``; several are multiplied entry by entry."""
        found = hadamard(self.edges[min(i, j), max(i, j)])
        return found if i < j else transpose(found)

    def neighbours(self, index: int) -> list[int]:
        """The indices at the other ends of the edges of an index."""
        return [a if b == index else b for a, b in self.edges if index in (a, b)]

    def eliminate(self, kept: set[int]) -> None:
        """Eliminate the summed indices, ends of chains first."""
        left = [k for k in sorted(self.part.indices) if k not in kept]
        while left:
            index = min(left, key=lambda k: len(self.neighbours(k)))
            around = self.neighbours(index)
            if len(around) > 2:
                raise Unreadable("an index on three matrices")
            left.remove(index)
            weights = self.weights.pop(index)
            if not around:
                self.scalars.append(summed(weights, self.reader.size(self.sizes[index])))
            elif len(around) == 1:
                (other,) = around
                both = self.edges[min(index, other), max(index, other)]
                closed = other in left and not self.weights[other] and len(self.neighbours(other)) == 1
                if len(both) == 2 and not weights and closed:
                    first, second = both if other < index else [transpose(matrix) for matrix in both]
                    self.scalars.append(tree.Trace(product([transpose(first), second])))
                    left.remove(other)
                    del self.weights[other], self.edges[min(index, other), max(index, other)]
                    continue
                matrix = self.matrix(other, index)
                del self.edges[min(index, other), max(index, other)]
                vector = hadamard(weights) if weights else tree.Ones(self.reader.size(self.sizes[index]))
                self.weights[other].append(product([matrix, vector]))
            else:
                one, two = around
                before, after = self.matrix(one, index), self.matrix(index, two)
                del self.edges[min(index, one), max(index, one)], self.edges[min(index, two), max(index, two)]
                middle = [tree.Diagonal(hadamard(weights))] if weights else []
                self.edge(one, two, product([before, *middle, after]))

    def result(self) -> Tree:
        """The part as a scalar, a vector, a row or a matrix."""
        row = self.part.rows[0] if self.part.rows else None
        column = self.part.columns[0] if self.part.columns else None
        self.eliminate({k for k in (row, column) if k is not None})
        if row is None and column is None:
            return product(self.scalars)
        if row is not None and column is not None and row != column:
            matrix = self.matrix(row, column)
            before = [tree.Diagonal(hadamard(self.weights[row]))] if self.weights[row] else []
            after = [tree.Diagonal(hadamard(self.weights[column]))] if self.weights[column] else []
            return product([*self.scalars, *before, matrix, *after])
        index = row if row is not None else column
        assert index is not None
        size = self.reader.size(self.sizes[index])
        weights = self.weights[index]
        if row == column:
            return product([*self.scalars, tree.Diagonal(hadamard(weights)) if weights else tree.Identity(size)])
        vector = hadamard(weights) if weights else tree.Ones(size)
        return product([*self.scalars, vector if row is not None else transpose(vector)])
