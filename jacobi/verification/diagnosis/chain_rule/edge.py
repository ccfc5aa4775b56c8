"""An edge of a traced function, as a derivation by hand meets it: an operation, an operand, a local Jacobian.

The contribution of an edge to the Jacobian is ``adjoint @ local @ tangent``, so a changed local Jacobian changes the
whole by ``adjoint @ (changed - local) @ tangent``, whatever else the function does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from jacobi.matrix import Jacobian
from jacobi.rules.operations import Elementwise, multiple
from jacobi.verification.evidence import Array, Mask

ORDINALS = ("first", "second", "third", "fourth")
Matrix = Any  # a dense array, or a sparse one where that is much smaller


def compact(jacobian: Jacobian) -> Matrix:
    """A local Jacobian as a matrix: sparse where few of many entries are stored."""
    rows, columns = jacobian.shape
    if rows * columns > 2500 and jacobian.nnz < 0.2 * rows * columns:
        return jacobian.tocsr()
    return np.asarray(jacobian.toarray(), float)


def dense(matrix: Matrix) -> Array:
    """A matrix as an array."""
    result: Array = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return result


def at_line(name: str, line: str) -> str:
    """The name of an operation and its line, where that is known."""
    return f"{name} ({line})" if line else name


@dataclass(eq=False)
class Edge:
    """An operation, one of its operands, and the local Jacobian by it.

    Attributes
    ----------
    operation : Operation or None
        The operation; None where several steps together were recognised as one function.
    name, line : str
        Its short name, and where the user's code calls it (may be empty).
    step, parent : int
        The numbers of the step and of the operand's step.
    operand : int
        Which of the arguments the operand is.
    y : array
        The value of the operation.
    arguments, keywords
        What it was called with.
    traced : sequence of int
        Which of the arguments are traced.
    local : matrix, (y.size, x.size)
        The local Jacobian.
    adjoint : array, (m, y.size)
        The derivative of the output by this operation's value.
    tangent : array, (x.size, n)
        The derivative of the operand by the input.
    sources : sequence of int
        The steps that the arguments come from; -1 for constants.
    scalar, gradient : bool
        Whether the function has one output, and whether the claim is laid out as a gradient.
    """

    operation: Any
    name: str
    line: str
    step: int
    parent: int
    operand: int
    y: Any
    arguments: list[Any]
    keywords: dict[str, Any]
    traced: Sequence[int]
    local: Matrix
    adjoint: Array = field(default_factory=lambda: np.empty(0))
    tangent: Array = field(default_factory=lambda: np.empty(0))
    siblings: list[Edge] = field(default_factory=list)
    sources: Sequence[int] = ()
    scalar: bool = False
    gradient: bool = False

    @property
    def x(self) -> Any:
        """The operand."""
        return self.arguments[self.operand]

    @property
    def ordinal(self) -> str:
        """Which operand it is, in words."""
        return ORDINALS[self.operand] if self.operand < len(ORDINALS) else "last"

    @property
    def place(self) -> str:
        """The name of the operation and its line."""
        return at_line(self.name, self.line)

    @property
    def elementwise(self) -> bool:
        """Whether the operation acts entry by entry."""
        recognised = self.operation is None and self.name != "softmax"
        return recognised or isinstance(self.operation, Elementwise)

    @cached_property
    def spread(self) -> Matrix:
        """The local Jacobian of broadcasting the operand to the shape of the value."""
        return compact(multiple(1.0, np.shape(self.y), np.shape(self.x)))

    @cached_property
    def partial(self) -> Array:
        """The partial derivative of an elementwise operation, shaped like its value."""
        result: Array = np.asarray(self.local.sum(axis=1)).reshape(np.shape(self.y))
        return result

    @cached_property
    def contribution(self) -> Array:
        """What this edge adds to the Jacobian."""
        result: Array = self.adjoint @ (self.local @ self.tangent)
        return result

    def by_partial(self, partial: Any) -> Matrix:
        """The local Jacobian of an elementwise operation with another partial derivative."""
        column: Array = np.broadcast_to(np.asarray(partial, float), np.shape(self.y)).reshape(-1, 1)
        if isinstance(self.spread, np.ndarray):
            return column * self.spread
        return self.spread.multiply(column).tocsr()

    def by_rule(
        self, arguments: Sequence[Any] | None = None, y: Any = None, keywords: dict[str, Any] | None = None
    ) -> Matrix:
        """The local Jacobian that the operation's own rule gives for other arguments or another value."""
        given = self.arguments if arguments is None else arguments
        names = self.keywords if keywords is None else keywords
        return compact(self.operation.local(self.operand, self.y if y is None else y, given, names, self.traced))

    def with_argument(self, position: int, value: Any) -> list[Any]:
        """The arguments with one of them replaced."""
        return [value if k == position else a for k, a in enumerate(self.arguments)]

    @cached_property
    def mask(self) -> Mask | None:
        """Where the operand is let through, for a choice such as ``maximum(0, x)`` or a product with a mask."""
        others = [a for k, a in enumerate(self.arguments) if k != self.operand]
        chosen = self.name in ("maximum", "minimum", "fmax", "fmin", "where", "relu") or (
            self.name == "multiply" and np.ndim(others[0]) > 0 and bool(np.all((others[0] == 0) | (others[0] == 1)))
        )
        if not chosen or not np.all((self.partial == 0) | (self.partial == 1)):
            return None
        return np.asarray(self.partial == 1)

    @property
    def alternative(self) -> Any:
        """What a choice takes where it does not take the operand."""
        if self.name in ("multiply", "relu"):
            return 0.0
        return self.arguments[3 - self.operand if self.name == "where" else 1 - self.operand]


class Change(NamedTuple):
    """What a slip does to the local Jacobians of one operation.

    Attributes
    ----------
    locals : list of (Edge, matrix)
        The edges, all of one step, with their wrong local Jacobians.
    says, repair : str
        What was done, and what to write instead.
    contribution : array, (m, n), or None
        The wrong contribution of the (only) edge, where no local Jacobian gives it.
    weight : float or None
        How well it fits, if it differs from the weight of its kind.
    """

    locals: list[tuple[Edge, Matrix]]
    says: str
    repair: str
    contribution: Array | None = None
    weight: float | None = None
