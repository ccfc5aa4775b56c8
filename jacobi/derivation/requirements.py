"""What operations require of the sizes of their operands, and the watch that sees which operation failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from jacobi.derivation.names import words
from jacobi.derivation.program import Program
from jacobi.differentiate.trace import without_rule
from jacobi.errors import causes
from jacobi.expressions import Graph, Node
from jacobi.rules import REGISTRY

Shapes = Sequence[tuple[int, ...]]
Position = tuple[int, int]  # an operand, and one of its axes
Pair = tuple[Position, Position | int]  # a size equals another one, or a number

WISHED = words("trace diagonal diag")  # NumPy takes other matrices too, but square ones are meant
REGULAR = words("inv solve det slogdet log_abs_det cofactors cholesky")  # singular matrices are no example
SINGULAR = 1e-10


# What is required -------------------------------------------------------------------------------------------------


def square(shapes: Shapes, _: dict[str, Any]) -> Iterator[Pair]:
    """The first operand has as many rows as columns."""
    if len(shapes[0]) >= 2:
        rank = len(shapes[0])
        yield (0, rank - 1), (0, rank - 2)


def broadcast(shapes: Shapes, _: dict[str, Any], leave: int = 0) -> Iterator[Pair]:
    """Sizes are equal, counted from the last axis, unless one of them is 1."""
    for i, j in combinations(range(len(shapes)), 2):
        for back in range(1 + leave, min(len(shapes[i]), len(shapes[j])) + 1):
            yield (i, len(shapes[i]) - back), (j, len(shapes[j]) - back)


def product(shapes: Shapes, keywords: dict[str, Any]) -> Iterator[Pair]:
    """The last size on the left is the last but one on the right, or its only one."""
    left, right = (len(shape) for shape in shapes[:2])
    if left and right:
        yield (0, left - 1), (1, max(right - 2, 0))
    yield from broadcast(shapes[:2], keywords, 2)


def last_with_last(shapes: Shapes, _: dict[str, Any]) -> Iterator[Pair]:
    """Both operands end with the same size."""
    if shapes[0] and shapes[1]:
        yield (0, len(shapes[0]) - 1), (1, len(shapes[1]) - 1)


def solution(shapes: Shapes, keywords: dict[str, Any]) -> Iterator[Pair]:
    """A square matrix, and a right-hand side with as many rows."""
    yield from square(shapes, keywords)
    yield from product(shapes, keywords)


def rows(shapes: Shapes, _: dict[str, Any]) -> Iterator[Pair]:
    """As many equations as right-hand sides."""
    yield (0, 0), (1, 0)


def sylvester(shapes: Shapes, keywords: dict[str, Any]) -> Iterator[Pair]:
    """Two square matrices, and one with the rows of the first and the columns of the second."""
    yield from square(shapes, keywords)
    yield (1, 1), (1, 0)
    if len(shapes) > 2:
        yield (2, 0), (0, 0)
        yield (2, 1), (1, 0)


def lyapunov(shapes: Shapes, keywords: dict[str, Any]) -> Iterator[Pair]:
    """Two square matrices of the same size."""
    yield from square(shapes, keywords)
    yield (1, 0), (0, 0)
    yield (1, 1), (0, 0)


def joined(shapes: Shapes, keywords: dict[str, Any]) -> Iterator[Pair]:
    """All sizes but that of the axis along which the operands are joined."""
    axis = keywords.get("axis", 0) or 0
    for j in range(1, len(shapes)):
        for k in range(min(len(shapes[0]), len(shapes[j]))):
            if k != axis % max(len(shapes[0]), 1):
                yield (0, k), (j, k)


def equal(shapes: Shapes, _: dict[str, Any]) -> Iterator[Pair]:
    """All sizes."""
    for j in range(1, len(shapes)):
        for k in range(min(len(shapes[0]), len(shapes[j]))):
            yield (0, k), (j, k)


def three(shapes: Shapes, _: dict[str, Any]) -> Iterator[Pair]:
    """Vectors in space."""
    yield from (((k, len(shape) - 1), 3) for k, shape in enumerate(shapes[:2]) if shape)


def summed(shapes: Shapes, keywords: dict[str, Any]) -> Iterator[Pair]:
    """Equal letters of ``einsum`` are equal sizes."""
    text = next((value for value in keywords.values() if isinstance(value, str) and "," in value + ","), "")
    inputs = text.replace(" ", "").split("->")[0].split(",")
    places = [
        (letter, (i, k))
        for i, letters in enumerate(inputs[: len(shapes)])
        if "." not in letters and len(letters) == len(shapes[i])
        for k, letter in enumerate(letters)
    ]
    yield from ((a, b) for (one, a), (two, b) in combinations(places, 2) if one == two)


REQUIREMENTS: dict[str, Callable[[Shapes, dict[str, Any]], Iterator[Pair]]] = {
    name: requirement
    for names, requirement in {
        """inv det slogdet log_abs_det sign_of_det cofactors cholesky matrix_power eig eigh eigvals eigvalsh expm logm
        sqrtm cosm sinm tanm coshm sinhm tanhm lu_factor cho_factor""": square,
        "matmul dot multi_dot matvec": product,
        "inner": last_with_last,
        "vdot vecdot tensordot": last_with_last,
        "solve solve_triangular triangular_solution cho_solve": solution,
        "lstsq": rows,
        "solve_sylvester": sylvester,
        "solve_continuous_lyapunov solve_discrete_lyapunov": lyapunov,
        "concatenate hstack vstack column_stack append": joined,
        "stack": equal,
        "einsum": summed,
        "cross": three,
    }.items()
    for name in names.split()
}


# Who failed -------------------------------------------------------------------------------------------------------


class Unfit(Exception):
    """An operation failed.

    Attributes
    ----------
    name : str
        The operation.
    shapes : list of tuple of int
        Of its operands.
    pairs : list
        The sizes that it requires to be equal.
    """

    def __init__(self, name: str, shapes: list[tuple[int, ...]], pairs: list[Pair], reason: Exception):
        super().__init__(str(reason))
        self.name = name
        self.shapes = shapes
        self.pairs = pairs
        self.reason = reason

    def size(self, place: Position | int) -> int:
        """The size at a position; a number is itself."""
        return place if isinstance(place, int) else self.shapes[place[0]][place[1]]


class Watch:
    """What was seen while a program ran.

    Attributes
    ----------
    singular : bool
        Whether a matrix that should have an inverse had none.
    wishes : list of (int, int)
        Sizes that are meant to be equal, though they need not be.
    shape : tuple of int
        The shape of the result.
    """

    def __init__(self) -> None:
        self.singular = False
        self.wishes: list[tuple[int, int]] = []
        self.shape: tuple[int, ...] = ()

    def get(self, function: Any) -> Any:
        """The operation of a function, watched; as of a mapping."""
        operation = REGISTRY.get(function)
        return WatchedOperation(without_rule(function) if operation is None else operation, self)


    __getitem__ = get


class WatchedOperation:
    """An operation that tells which operands it failed on."""

    def __init__(self, operation: Any, watch: Watch):
        self.operation = operation
        self.watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.operation, name)

    def evaluate(self, *values: Any, **keywords: Any) -> Any:
        """The value of the operation."""
        operation = self.operation
        name = operation.name.rpartition(".")[2]
        if name in WISHED | REGULAR and np.ndim(values[0]) >= 2:
            rows, columns = np.shape(values[0])[-2:]
            if name in WISHED:
                self.watch.wishes.append((rows, columns))
            elif rows == columns and is_singular(values[0]):
                self.watch.singular = True
        try:
            return operation.evaluate(*values, **keywords)
        except Unfit:
            raise
        except Exception as error:
            parts = [p for v in values for p in (v if isinstance(v, (list, tuple)) else [v]) if not isinstance(p, str)]
            shapes = [np.shape(part) for part in parts]
            given = keywords | {str(k): v for k, v in enumerate(values) if isinstance(v, str)}
            requirement = REQUIREMENTS.get(name, broadcast)
            pairs = list(requirement(shapes, given)) if shapes else []
            places = [[place for place in pair if not isinstance(place, int)] for pair in pairs]
            there = [all(i < len(shapes) and k < len(shapes[i]) for i, k in found) for found in places]
            fitting = [pair for pair, exists in zip(pairs, there, strict=True) if exists]
            raise Unfit(name, shapes, fitting, error) from error


def is_singular(matrix: Any) -> bool:
    """Whether a matrix has no inverse, up to rounding."""
    array = matrix.value if isinstance(matrix, Node) else np.asarray(matrix)
    if array.size == 0 or not np.all(np.isfinite(array)):
        return False
    values = np.linalg.svd(array, compute_uv=False)
    return bool(np.any(values[..., -1] <= SINGULAR * values[..., 0]))


def watched(program: Program, values: dict[str, Any]) -> Watch:
    """Run a program on traced values; raises what it raises, with an `Unfit` behind it where an operation failed."""
    watch = Watch()
    graph = Graph(watch, without_rule)  # type: ignore[arg-type]
    nodes = {
        name: Node(graph, graph.input(np.asarray(value, float)[()])) if name in program.arguments else value
        for name, value in values.items()
    }
    try:
        with np.errstate(all="ignore"):
            watch.shape = np.shape(program(**nodes))
    finally:
        graph.open = False
        graph.release()
    return watch


def unfit(error: BaseException | None) -> Unfit | None:
    """The failed operation behind an error."""
    return next((cause for cause in causes(error) if isinstance(cause, Unfit)), None)
