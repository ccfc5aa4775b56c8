"""The order in which a graph of local Jacobians is multiplied, chosen by price before a number is touched.

A plan is an order of vertex elimination.  Reverse and forward accumulation are two of them; a greedy order always takes
the vertex that is cheapest to eliminate; on a chain, dynamic programming finds the best order there is.  What is chosen
is never dearer than the better of reverse and forward.  Where thinking costs more than multiplying, one of these two is
taken at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any, NamedTuple

from jacobi.differentiate.elimination import Edge, Elimination, Pricing, eliminated
from jacobi.expressions import Step
from jacobi.matrix import Jacobian
from jacobi.matrix.price import MANY_MATRICES, Shadow, cheapest_splits, keep
from jacobi.matrix.term import Term

MANY_STEPS = 1000  # a larger graph is not priced
MANY_PRICES = 10_000  # are not asked for, even to explain a plan
MANY_CHOICES = 256  # that are remembered
NOT_WORTH_PRICING = 5_000  # multiplications at an edge; about what it costs to price them
ROUGH = 0.9  # prices are: an order other than reverse and forward has to promise a gain of more than that
PRICING = 40_000  # what the price of a product costs when it is asked for the first time

Edges = dict[int, list[Edge]]
Shadows = dict[int, tuple[tuple[int, Shadow], ...]]


class Order(NamedTuple):
    """An order of elimination.

    Attributes
    ----------
    name : {"reverse", "forward", "greedy", "dynamic programming"}
        How it was found.
    vertices : tuple of int
        The inner vertices in the order in which they are eliminated.
    price : float or None
        What its products cost, in units of about a nanosecond; None where that was not asked.
    """

    name: str
    vertices: tuple[int, ...]
    price: float | None = None


class Choice(NamedTuple):
    """The order that was chosen.

    Attributes
    ----------
    order : Order
        The order.
    reason : str
        Why it was chosen.
    considered : tuple of Order
        It and those that were not chosen.
    """

    order: Order
    reason: str
    considered: tuple[Order, ...]


class Plan(NamedTuple):
    """A graph of local Jacobians, and the order in which they are multiplied.

    Attributes
    ----------
    edges : dict
        By vertex its operands and the local Jacobians by them, later vertices first.
    output : Step
        The vertex whose Jacobians are wanted.
    inputs : sequence of Step
        The vertices by which they are wanted.
    choice : Choice
        The order, and why.
    """

    edges: Edges
    output: Step
    inputs: Sequence[Step]
    choice: Choice


def plan(edges: Edges, output: Step, inputs: Sequence[Step]) -> Plan:
    """Choose the order in which a graph of local Jacobians is multiplied.

    Parameters
    ----------
    edges : dict
        By vertex its operands and the local Jacobians by them, later vertices first.
    output : Step
        The vertex whose Jacobians are wanted.
    inputs : sequence of Step
        The vertices by which they are wanted.
    """
    known = at_once(edges, output, inputs)
    if known is not None:
        order = Order(known[0], direction(known[0], edges, output.number))
        return Plan(edges, output, inputs, Choice(order, known[1], (order,)))
    shadows = shadows_of(edges)
    numbers = tuple([step.number for step in inputs])
    key = (output.number, numbers, tuple(shadows.items()))
    choice = _choices.get(key)
    if choice is None:
        choice = keep(_choices, key, decided(considered(shadows, output.number, numbers)), MANY_CHOICES)
    return Plan(edges, output, inputs, choice)


# Wirings are interned, so the choice is the same object in every run of a function.
_choices: dict[Any, Choice] = {}


def priced(planned: Plan) -> Plan:
    """The plan with the prices of all orders, even where it costs more to find them than to multiply."""
    numbers = tuple(step.number for step in planned.inputs)
    orders = considered(shadows_of(planned.edges), planned.output.number, numbers, MANY_PRICES)
    name, reason, compared = planned.choice.order.name, planned.choice.reason, planned.choice.considered
    taken = Choice(next(order for order in orders if order.name == name), reason, orders)
    return planned._replace(choice=taken if len(compared) == 1 else decided(orders))


# What need not be priced


def at_once(edges: Edges, output: Step, inputs: Sequence[Step]) -> tuple[str, str] | None:
    """The name of an order that is taken without asking for its price, and the reason; None if there is none."""
    rows, columns = output.value.size, sum(step.value.size for step in inputs)
    if len(edges) < 3:
        return "reverse", "there is no other order"
    if rows <= 1:
        return "reverse", "the output is a scalar"
    if columns <= 1:
        return "forward", "the input is a scalar"
    shorter = "reverse" if rows <= columns else "forward"
    if len(edges) > MANY_STEPS:
        return shorter, "the smaller end, as there are too many operations to price"
    stored = sum(local.nnz for found in edges.values() for _, local in found)
    if rows * stored < NOT_WORTH_PRICING * len(edges):
        return shorter, "the smaller end, as pricing would cost more than multiplying"
    return None


def direction(name: str, edges: dict[int, Any], output: int) -> tuple[int, ...]:
    """The inner vertices in reverse or in forward order."""
    inner = tuple([vertex for vertex in edges if vertex != output])
    return inner if name == "reverse" else inner[::-1]


# What is priced


def shadows_of(edges: Edges) -> Shadows:
    """The graph without numbers."""
    return {vertex: tuple([(operand, Shadow.of(local)) for operand, local in found]) for vertex, found in edges.items()}


def considered(shadows: Shadows, output: int, inputs: Sequence[int], most: float | None = None) -> tuple[Order, ...]:
    """The orders to choose from: reverse, forward, and others that are found by asking for at most so many prices.

    By default they are so many that asking costs no more than multiplying in the better of the two.
    """
    orders = [
        walked(name, direction(name, shadows, output), shadows, output, inputs) for name in ("reverse", "forward")
    ]
    if most is None:
        most = min(order.price or 0.0 for order in orders) / PRICING
    for name, search in SEARCHES.items():
        vertices = search(shadows, output, inputs, most)
        if vertices is not None:
            orders.append(walked(name, vertices, shadows, output, inputs))
    return tuple(orders)


def walked(name: str, vertices: tuple[int, ...], shadows: Shadows, output: int, inputs: Sequence[int]) -> Order:
    """An order with its price."""
    pricing = Pricing()
    graph = Elimination(shadows.items(), pricing)
    graph.run(vertices)
    for end in inputs:
        graph.result(output, end)
    return Order(name, vertices, pricing.price)


def decided(orders: tuple[Order, ...]) -> Choice:
    """The order with the lowest price; reverse or forward if the gain is small."""

    def price(order: Order) -> float:
        return inf if order.price is None else order.price

    simple, best = min(orders[:2], key=price), min(orders, key=price)
    if best is simple or price(best) < ROUGH * price(simple):
        return Choice(best, "the lowest price", orders)
    return Choice(simple, "the lower price of reverse and forward, as no other is much lower", orders)


def greedy(shadows: Shadows, output: int, inputs: Sequence[int], most: float) -> tuple[int, ...] | None:
    """The order that always eliminates the cheapest vertex; None if it takes more than so many prices to find it."""
    asking = Pricing()
    graph = Elimination(shadows.items(), Pricing())

    def price(vertex: int) -> float:
        """What eliminating a vertex costs now."""
        before = asking.price
        above, below = graph.pairs(vertex)
        for left in above:
            for right in below:
                asking.times(left, right, vertex, vertex)
        return asking.price - before

    prices = {}
    for vertex in direction("reverse", shadows, output):
        prices[vertex] = price(vertex)
        if asking.count > most:
            return None
    waiting = [(cost, -vertex) for vertex, cost in prices.items()]
    heapify(waiting)
    order = []
    while prices:
        cost, negative = heappop(waiting)
        vertex = -negative
        if prices.get(vertex) != cost:
            continue  # eliminated, or priced anew
        del prices[vertex]
        order.append(vertex)
        touched = graph.neighbours(vertex)
        graph.run((vertex,))
        for other in touched & prices.keys():
            prices[other] = price(other)
            heappush(waiting, (prices[other], -other))
        if asking.count > most:
            return None
    return tuple(order)


def dynamic_programming(shadows: Shadows, output: int, inputs: Sequence[int], most: float) -> tuple[int, ...] | None:
    """The best order of a chain; None for another graph, or if it takes more than so many prices to find it."""
    found = chain(shadows, output, inputs)
    if found is None:
        return None
    vertices, factors = found
    count = len(factors)
    if not 1 < count <= MANY_MATRICES or count**3 / 6 > most:
        return None
    splits = cheapest_splits(factors)
    order = []  # the outermost brackets first, which is the last product
    runs = [(0, count - 1)]
    while runs:
        first, last = runs.pop()
        if first < last:
            middle = splits[first, last]
            order.append(vertices[middle])
            runs += [(first, middle), (middle + 1, last)]
    return tuple(reversed(order))


SEARCHES = {"greedy": greedy, "dynamic programming": dynamic_programming}


def chain(shadows: Shadows, output: int, inputs: Sequence[int]) -> tuple[list[int], list[Shadow]] | None:
    """The inner vertices and the factors of a chain from the output to the input; None for another graph."""
    vertices, factors = [output], []
    while vertices[-1] in shadows:
        found = shadows[vertices[-1]]
        if len({operand for operand, _ in found}) != 1:
            return None
        factors.append(Shadow.total([local for _, local in found])[1])
        vertices.append(found[0][0])
    return (vertices[1:-1], factors) if vertices[-1:] == list(inputs) else None


# Multiplying


def carry_out(planned: Plan) -> list[Sequence[Term]]:
    """Multiply in the planned order; the terms of the Jacobian by every input.

    The local Jacobians are used up, so that none is held longer than it is needed.
    """
    output, inputs = planned.output, planned.inputs
    ends = (output.value, *[step.value for step in inputs])
    graph = eliminated(planned.edges, planned.choice.order.vertices, ends)
    return [
        Jacobian.identity(step.value.shape).terms if step is output else graph.result(output.number, step.number)
        for step in inputs
    ]
