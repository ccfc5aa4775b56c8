"""``explain``: what a traced function consists of, operation by operation, and the order of its Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from jacobi.arguments import Argnums, Call
from jacobi.differentiate import trace
from jacobi.differentiate.accumulate import local_jacobians
from jacobi.differentiate.elimination import Elimination, Multiplication, used_up
from jacobi.differentiate.kinks import distances
from jacobi.differentiate.plan import MANY_STEPS, Order, Plan, carry_out, plan, priced
from jacobi.expressions import Step
from jacobi.matrix import Jacobian

ROUNDS = 3  # of a measurement; the shortest counts


class Factor(NamedTuple):
    """The local Jacobian of an operation by one of its operands.

    Attributes
    ----------
    operand : str
        The operand: ``x0`` for an argument of the function, ``t3`` for the result of operation 3.
    shape : tuple of int
        The shape of the matrix.
    structure : str
        The name of its structure.
    nnz : int
        How many entries are not zero by structure.
    """

    operand: str
    shape: tuple[int, int]
    structure: str
    nnz: int


class Operation(NamedTuple):
    """An operation of a traced function.

    Attributes
    ----------
    name : str
        The function that was called, such as ``numpy.tanh``.
    result : str
        What the result is called in the table.
    shape : tuple of int
        The shape of the result.
    line : str
        ``file.py:12``, where the user's code calls it.
    factors : tuple of Factor
        Its local Jacobians, by the operands that depend on the arguments; zero ones are left out.
    distance : float
        How far the nearest entry is from a place without derivative, in the operation's own operands: 0 at a kink,
        inf where it has none or where the distance is not known.
    """

    name: str
    result: str
    shape: tuple[int, ...]
    line: str
    factors: tuple[Factor, ...]
    distance: float


class Product(NamedTuple):
    """A product of two Jacobians that is formed on the way.

    Attributes
    ----------
    result : str
        What is differentiated, ``t5``.
    through : str
        The eliminated operation: the factors are the Jacobians of ``result`` by ``through`` and of it by ``operand``.
    operand : str
        What it is differentiated by.
    shape : tuple of int
        The shape of the product.
    structure : str
        The name of its structure.
    nnz : int
        How many entries are not zero by structure.
    """

    result: str
    through: str
    operand: str
    shape: tuple[int, int]
    structure: str
    nnz: int


class Ordering(NamedTuple):
    """An order in which the local Jacobians could be multiplied.

    Attributes
    ----------
    name : {"reverse", "forward", "greedy", "dynamic programming"}
        How it was found.
    eliminated : tuple of str
        The operations in the order in which they are eliminated.
    price : float or None
        What the products cost by prediction, in seconds; only ratios of prices mean much.  None for a very large graph.
    chosen : bool
        Whether it is the order that is carried out.
    time : float or None
        What they take, in seconds, if it was measured.
    """

    name: str
    eliminated: tuple[str, ...]
    price: float | None
    chosen: bool
    time: float | None


class Explanation(NamedTuple):
    """What a function does at a point; print it to see tables.

    Attributes
    ----------
    operations : tuple of Operation
        The operations that the result depends on, in the order in which they ran.
    orders : tuple of Ordering
        The orders of multiplication that were compared.
    reason : str
        Why the chosen one was chosen.
    products : tuple of Product
        The products of the chosen order, one after the other.
    """

    operations: tuple[Operation, ...]
    orders: tuple[Ordering, ...] = ()
    reason: str = ""
    products: tuple[Product, ...] = ()

    def __str__(self) -> str:
        operations = [
            (
                operation.result,
                operation.name,
                str(operation.shape),
                ", ".join(f"{f.operand}: {f.structure} {f.shape}" for f in operation.factors) or "zero",
                "" if operation.distance == np.inf else f"{operation.distance:.2g}",
                operation.line,
            )
            for operation in self.operations
        ]
        orders = [
            (
                f"{order.name} *" if order.chosen else order.name,
                milliseconds(order.price),
                milliseconds(order.time),
                shortened(order.eliminated),
            )
            for order in self.orders
        ]
        products = [
            (f"{p.result} by {p.operand}", f"through {p.through}", f"{p.structure} {p.shape}", f"{p.nnz:,} entries")
            for p in self.products
        ]
        parts = [table(("", "operation", "shape", "local Jacobians", "kink at", "line"), operations)]
        if orders:
            parts.append(table(("order", "price", "time", "eliminated"), orders) + f"\n* chosen: {self.reason}")
        if products:
            parts.append(table(("product", "", "structure", ""), products))
        return "\n\n".join(parts)


def milliseconds(seconds: float | None) -> str:
    """A time for the table."""
    return "" if seconds is None else f"{1000 * seconds:.4g} ms"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Rows below a head, in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    )


def shortened(names: Sequence[str], most: int = 12) -> str:
    """Names side by side, the middle left out when there are many."""
    half = most // 2
    return " ".join(names if len(names) <= most else (*names[:half], "...", *names[-half:]))


def explain(f: Callable[..., Any], *args: Any, argnums: Argnums = 0, measure: bool = False) -> Explanation:
    """The operations of a function with their local Jacobians, and the order in which these are multiplied.

    Parameters
    ----------
    f : callable
        A function of arrays in plain NumPy.
    *args
        Its arguments.
    argnums : int or sequence of int
        The arguments to differentiate by.
    measure : bool
        Whether to carry out every order that was compared, and to say how long it took.

    Returns
    -------
    Explanation
        ``print`` shows tables; ``operations``, ``orders`` and ``products`` hold the same as data.

    Raises
    ------
    TraceError, InputError
        As `jacobian` does.

    Examples
    --------
    >>> import numpy as np
    >>> found = explain(lambda w: np.sum(np.maximum(0, np.cbrt(w))), np.array([-8.0, 1.0]))
    >>> [(operation.name, operation.factors[0].structure) for operation in found.operations]
    [('numpy.cbrt', 'diagonal'), ('numpy.maximum', 'diagonal'), ('numpy.sum', 'row')]
    >>> found.operations[1].distance
    1.0
    >>> [(product.result, product.operand, product.structure) for product in found.products]
    [('t3', 't1', 'row'), ('t3', 'x0', 'row')]
    >>> found.reason
    'the output is a scalar'
    """
    call = Call(f, args, argnums)
    traced = trace(call.function, call.arrays, {}, call.positions)
    if not isinstance(traced.output, Step):
        return Explanation(())
    inputs = [traced.inputs[position] for position in call.positions]
    names = {step.number: f"x{position}" for position, step in zip(call.positions, inputs, strict=True)}
    operations: list[Operation] = []
    with np.errstate(all="ignore"):
        edges = local_jacobians(traced, traced.output, inputs)
        for number, found in reversed(edges.items()):
            step = traced.graph.steps[number]
            assert step.operation is not None
            names[number] = f"t{len(operations) + 1}"
            distance = distances(step)
            operations.append(
                Operation(
                    name=step.operation.name,
                    result=names[number],
                    shape=np.shape(step.value),
                    line=step.line,
                    factors=tuple(factor(names[parent], local) for parent, local in found),
                    distance=float(np.fmin.reduce(np.ravel(np.inf if distance is None else distance), initial=np.inf)),
                )
            )
        planned = plan(edges, traced.output, inputs)
        few = len(edges) <= MANY_STEPS
        planned = priced(planned) if few else planned
        orders = tuple(
            Ordering(
                order.name,
                tuple(names[vertex] for vertex in order.vertices),
                None if order.price is None else 1e-9 * order.price,
                order is planned.choice.order,
                measured(planned, order) if measure else None,
            )
            for order in planned.choice.considered
        )
        products = products_of(planned, names) if few else ()
    return Explanation(tuple(operations), orders, planned.choice.reason, products)


def factor(operand: str, local: Jacobian) -> Factor:
    """What is said of one local Jacobian."""
    return Factor(operand, local.shape, local.structure, local.nnz)


def measured(planned: Plan, order: Order) -> float:
    """How long it takes to multiply in an order, in seconds."""
    times = []
    for _ in range(ROUNDS):
        attempt = planned._replace(edges=dict(planned.edges), choice=planned.choice._replace(order=order))
        start = perf_counter()
        carry_out(attempt)
        times.append(perf_counter() - start)
    return min(times)


def products_of(planned: Plan, names: dict[int, str]) -> tuple[Product, ...]:
    """What every product of a plan gives, before it is added to others."""
    sizes: dict[int, int] = {}
    graph = Elimination(used_up(dict(planned.edges), sizes), Multiplication(sizes, (planned.output.value,)))
    result = []
    for vertex in planned.choice.order.vertices:
        below = list(graph.rows[vertex])
        above = [user for user in graph.users.get(vertex, ()) if user in graph.rows]
        graph.run((vertex,))
        for user in above:
            for operand in below:
                J = Jacobian(graph.rows[user][operand][-1], (sizes[user],), (sizes[operand],))
                result.append(Product(names[user], names[vertex], names[operand], J.shape, J.structure, J.nnz))
    return tuple(result)
