"""Vertex elimination: a graph of local Jacobians is reduced, step by step, to the Jacobians between its ends.

Eliminating a vertex multiplies the Jacobian of each of its users by it with its own Jacobian by each of its operands
and adds the product to that of the user by the operand.  Every order gives the same result.  From the output to the
inputs it is reverse accumulation, from the inputs to the output it is forward accumulation.

The walk is written once.  It runs on terms, which multiplies, and on shadows, which tells what that would cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import mul
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from jacobi.matrix import Jacobian
from jacobi.matrix.price import Shadow
from jacobi.matrix.products import MANY_TERMS, products, shortened
from jacobi.matrix.term import Term, collected
from jacobi.matrix.wiring import wiring

Edge = tuple[int, Jacobian]  # the number of the operand, and the local Jacobian by it
Local = TypeVar("Local")


class Algebra(Protocol[Local]):
    """What elimination needs to know of the things that stand on the edges."""

    def times(self, left: Local, right: Local, user: int, operand: int) -> Local:
        """The product, which is a part of the Jacobian of the user by the operand."""

    def total(self, summands: list[Local], user: int, operand: int) -> Local:
        """The sum."""


class Elimination(Generic[Local]):
    """A graph while its vertices are eliminated.

    Parameters
    ----------
    graph : iterable of (int, sequence of (int, Local))
        The vertices with their operands and what stands on the edges.
    algebra : Algebra
        How to multiply and add.

    Attributes
    ----------
    rows : dict
        By vertex and operand the summands of the Jacobian of the vertex by the operand.  What has been multiplied is
        let go.
    users : dict
        By vertex those that had an edge to it; some may have been eliminated.
    """

    __slots__ = ("rows", "times", "total", "users")

    def __init__(self, graph: Iterable[tuple[int, Any]], algebra: Algebra[Local]):
        self.times = algebra.times
        self.total = algebra.total
        self.rows: dict[int, dict[int, list[Local]]] = {}
        self.users: dict[int, list[int]] = {}
        users = self.users
        for vertex, found in graph:
            row: dict[int, list[Local]] = {}
            self.rows[vertex] = row
            for operand, local in found:
                if operand in row:
                    row[operand].append(local)
                    continue
                row[operand] = [local]
                if operand in users:
                    users[operand].append(vertex)
                else:
                    users[operand] = [vertex]

    def run(self, order: Iterable[int]) -> None:
        """Eliminate vertices one after the other: multiply along all paths of two edges through each of them."""
        rows, users, times, total = self.rows, self.users, self.times, self.total
        for vertex in order:
            row = rows.pop(vertex)
            for user in users.pop(vertex, ()):
                target = rows.get(user)
                if target is None:
                    continue
                summands = target.pop(vertex)
                left = summands[0] if len(summands) == 1 else total(summands, user, vertex)
                for operand, summands in row.items():
                    if len(summands) > 1:
                        summands[:] = [total(summands, vertex, operand)]
                    product = times(left, summands[0], user, operand)
                    if operand in target:
                        target[operand].append(product)
                    else:
                        target[operand] = [product]
                        users[operand].append(user)

    def result(self, user: int, operand: int) -> Local | list[Any]:
        """The Jacobian between two ends, an empty list where they are not joined."""
        summands = self.rows.get(user, {}).get(operand, ())
        return self.total(summands, user, operand) if summands else []

    def pairs(self, vertex: int) -> tuple[list[Local], list[Local]]:
        """The Jacobians by a vertex and those of the vertex, which its elimination would multiply."""
        above = [self.edge(user, vertex) for user in self.users.get(vertex, ()) if user in self.rows]
        return above, [self.edge(vertex, operand) for operand in self.rows[vertex]]

    def edge(self, user: int, operand: int) -> Local:
        """The Jacobian of a vertex by one of its operands."""
        summands = self.rows[user][operand]
        if len(summands) > 1:
            summands[:] = [self.total(summands, user, operand)]
        return summands[0]

    def neighbours(self, vertex: int) -> set[int]:
        """The vertices that are still joined to one by an edge."""
        return {user for user in self.users.get(vertex, ()) if user in self.rows}.union(self.rows[vertex])


class Multiplication:
    """The algebra of terms.

    Parameters
    ----------
    sizes : dict
        The number of entries of every vertex.
    ends : sequence of arrays
        The values at the ends of the graph, whose type a sum gets that becomes a full matrix.
    """

    def __init__(self, sizes: dict[int, int], ends: Sequence[Any]):
        self.sizes = sizes
        self.ends = ends

    def times(self, left: Sequence[Term], right: Sequence[Term], user: int, operand: int) -> Sequence[Term]:
        """The product."""
        if len(left) == len(right) == 1:
            one, other = left[0], right[0]
            product = one @ other if one.wiring.sizes or other.wiring.sizes else entry(one, other)
            return [] if product is None else [product]
        many = products(left, right)
        return many if len(many) <= MANY_TERMS else self.shortened(many, user, operand)

    def total(self, summands: list[Sequence[Term]], user: int, operand: int) -> Sequence[Term]:
        """The sum, as few terms."""
        terms = summands[0] if len(summands) == 1 else [term for summand in summands for term in summand]
        if len(terms) < 2:
            return terms
        terms = collected(terms)
        return terms if len(terms) <= MANY_TERMS else self.shortened(terms, user, operand)

    def shortened(self, terms: list[Term], user: int, operand: int) -> list[Term]:
        """A sum that has become too long as fewer terms."""
        dtype = np.result_type(*self.ends)
        if dtype.kind != "f":
            dtype = np.dtype(float)
        return shortened(terms, (self.sizes[user], self.sizes[operand]), dtype)


def entry(one: Term, other: Term) -> Term | None:
    """The product of two terms of a single entry each; None when it is zero.

    Loops over entries make very many of them, at places of their own, so that a plan would serve only once.
    """
    rows, columns = one.wiring.rows, other.wiring.columns
    if one.wiring.columns[0] != other.wiring.rows[0]:
        return None
    factors = one.factors + other.factors
    if len(factors) > 1:
        factors = (reduce(mul, factors),)
    return Term(one.coefficient * other.coefficient, factors, wiring((), ((),) * len(factors), rows, columns))


class Pricing:
    """The algebra of shadows, which adds up the prices.

    Attributes
    ----------
    price : float
        The price of everything so far.
    count : int
        How many products there were.
    """

    def __init__(self) -> None:
        self.price = 0.0
        self.count = 0

    def times(self, left: Shadow, right: Shadow, user: int, operand: int) -> Shadow:
        """The product."""
        price, product = left.times(right)
        self.price += price
        self.count += 1
        return product

    def total(self, summands: list[Shadow], user: int, operand: int) -> Shadow:
        """The sum."""
        price, total = Shadow.total(summands)
        self.price += price
        return total


def eliminated(edges: dict[int, list[Edge]], order: Iterable[int], ends: Sequence[Any]) -> Elimination[Sequence[Term]]:
    """Eliminate vertices of a graph of Jacobians, which is used up.

    Parameters
    ----------
    edges : dict
        By vertex its operands and the Jacobians by them.
    order : iterable of int
        The vertices to eliminate.
    ends : sequence of arrays
        The values at the ends of the graph, whose type a sum gets that becomes a full matrix.
    """
    sizes: dict[int, int] = {}
    graph = Elimination(used_up(edges, sizes), Multiplication(sizes, ends))
    graph.run(order)
    return graph


def used_up(edges: dict[int, list[Edge]], sizes: dict[int, int]) -> Iterator[tuple[int, Any]]:
    """The vertices with their operands and the terms of the Jacobians, taken out of a graph; notes the sizes."""
    while edges:
        vertex, found = edges.popitem()
        pairs = []
        for operand, local in found:
            sizes[vertex], sizes[operand] = local.shape
            pairs.append((operand, local.terms))
        yield vertex, pairs
