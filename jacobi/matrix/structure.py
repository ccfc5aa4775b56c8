"""What a Jacobian looks like: the names of structures, recognised from the wiring in one table.

The first name whose condition holds is the structure.  Nothing here looks at the numbers in a factor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd, inf, prod
from typing import TYPE_CHECKING

import numpy as np

from jacobi.matrix.exits import flat_places, inside_blocks
from jacobi.matrix.term import Term
from jacobi.matrix.wiring import Side, Wiring, all_indices, grid, injective, line_of

if TYPE_CHECKING:
    from jacobi.matrix.jacobian import Jacobian

Condition = Callable[["Jacobian"], bool]


def structure(matrix: Jacobian) -> str:
    """The name of the structure of a Jacobian."""
    return next(name for name, holds in STRUCTURES if holds(matrix))


def is_identity(matrix: Jacobian) -> bool:
    """Ones on the whole diagonal."""
    return is_diagonal(matrix) and matrix.nnz == matrix.shape[0] and is_selection(matrix)


def is_diagonal(matrix: Jacobian) -> bool:
    """Square, and every entry has equal row and column."""
    return matrix.shape[0] == matrix.shape[1] and all(on_diagonal(t.wiring) for t in matrix.terms)


def on_diagonal(w: Wiring) -> bool:
    """Whether all entries lie on the main diagonal."""
    return w.rows[0] == w.columns[0] and same_side(w)


def same_side(w: Wiring) -> bool:
    """Whether rows and columns move together, along a diagonal."""
    rows, columns = dict(w.rows[1]), dict(w.columns[1])
    return rows.keys() == columns.keys() and all(
        type(tie) is type(columns[k]) and (tie is columns[k] or np.array_equal(tie, columns[k]))
        for k, tie in rows.items()
    )


def is_selection(matrix: Jacobian) -> bool:
    """Ones only, at most one in every row: entries are picked, moved or repeated."""
    return all(not t.factors and t.coefficient == 1 for t in matrix.terms) and at_most_one(matrix, "rows")


def is_permutation(matrix: Jacobian) -> bool:
    """A square selection that uses every column once."""
    (rows, columns) = matrix.shape
    return rows == columns == matrix.nnz and is_selection(matrix) and at_most_one(matrix, "columns")


def at_most_one(matrix: Jacobian, side: str) -> bool:
    """Whether every row, or every column, holds at most one entry."""
    length = matrix.shape[0 if side == "rows" else 1]
    if matrix.nnz > length:
        return False
    wirings = [t.wiring for t in matrix.terms]
    if len(wirings) == 1 and wirings[0].regular:
        steps = dict(getattr(wirings[0], side)[1])
        if injective((steps.get(k, 0), size) for k, size in enumerate(wirings[0].sizes)):
            return True
    places = [grid(getattr(w, side), all_indices(w), w.sizes) for w in wirings]
    filled = [np.broadcast_to(at, w.sizes).ravel() for at, w in zip(places, wirings, strict=True)]
    return bool((np.bincount(np.concatenate(filled), minlength=1) <= 1).all())


def is_banded(matrix: Jacobian) -> bool:
    """Every term runs along a diagonal."""
    return all(same_side(t.wiring) for t in matrix.terms)


def is_narrow(matrix: Jacobian) -> bool:
    """The terms cover few diagonals: fewer than half of the shorter side."""
    return 2 * sum(diagonals(t.wiring) for t in matrix.terms) <= min(matrix.shape)


def diagonals(w: Wiring) -> int:
    """How many diagonals the entries stretch over."""
    return 1 + sum(int(np.ptp(line_of(tie, w.sizes[k]))) for k, tie in flat_places(w, -1)[1])


def is_rank_one(matrix: Jacobian) -> bool:
    """A column times a row."""
    return rank(matrix.terms) == 1


def rank(terms: Sequence[Term]) -> float:
    """The number of outer products that terms consist of; infinite when rows are tied to columns."""
    return sum(prod(t.wiring.sizes[k] for k in t.wiring.summed) if is_outer(t) else inf for t in terms)


def is_outer(term: Term) -> bool:
    """Whether no factor, and no index, ties rows to columns."""
    w = term.wiring
    rows, columns = {k for k, _ in w.rows[1]}, {k for k, _ in w.columns[1]}
    return not rows & columns and all(not (set(f) & rows and set(f) & columns) for f in w.factors)


def is_kronecker(matrix: Jacobian) -> bool:
    """One term whose indices fall into an outer and an inner group that share nothing: ``A (x) B``."""
    if len(matrix.terms) != 1 or not matrix.terms[0].wiring.regular:
        return False
    w = matrix.terms[0].wiring
    groups = connected(w)
    return len(groups) > 1 and any(
        splits(w.rows, inner, w.sizes, matrix.shape[0]) and splits(w.columns, inner, w.sizes, matrix.shape[1])
        for inner in groups
    )


def splits(side: Side, inner: set[int], sizes: Sequence[int], length: int) -> bool:
    """Whether some indices move within the equal parts of a side, and the others by whole parts."""
    offset, ties = side
    part = gcd(length, *(tie for k, tie in ties if k not in inner))
    moves = [tie * (sizes[k] - 1) for k, tie in ties if k in inner]
    lowest = offset % part + sum(move for move in moves if move < 0)
    highest = offset % part + sum(move for move in moves if move > 0)
    return lowest >= 0 and bool(highest < part)


def connected(w: Wiring) -> list[set[int]]:
    """The indices in groups that are connected by a common factor."""
    groups: list[set[int]] = [{k} for k in range(len(w.sizes))]
    for factor in w.factors:
        touched = [g for g in groups if g & set(factor)]
        if touched:
            groups = [g for g in groups if g not in touched] + [set().union(*touched)]
    return groups


def is_block_diagonal(matrix: Jacobian) -> bool:
    """Blocks along the first axis of output and input, zeros elsewhere."""
    count = matrix.block_count
    if count is None or count < 2:
        return False
    (rows, columns) = matrix.shape
    return all(inside_blocks(t.wiring, rows // count, columns // count) for t in matrix.terms)


def is_diagonal_plus_low_rank(matrix: Jacobian) -> bool:
    """A diagonal and a few outer products."""
    others = [t for t in matrix.terms if not on_diagonal(t.wiring)]
    square = matrix.shape[0] == matrix.shape[1]
    return square and len(others) < len(matrix.terms) and rank(others) < matrix.shape[0]


def is_low_rank(matrix: Jacobian) -> bool:
    """A sum of fewer outer products than there are rows or columns."""
    return rank(matrix.terms) < min(matrix.shape)


def is_sparse(matrix: Jacobian) -> bool:
    """At most half of the entries are stored."""
    return 2 * matrix.nnz <= matrix.shape[0] * matrix.shape[1]


STRUCTURES: tuple[tuple[str, Condition], ...] = (
    ("zero", lambda matrix: not matrix.terms),
    ("identity", is_identity),
    ("diagonal", is_diagonal),
    ("row", lambda matrix: matrix.shape[0] == 1),
    ("column", lambda matrix: matrix.shape[1] == 1),
    ("permutation", is_permutation),
    ("selection", lambda matrix: is_selection(matrix) and is_banded(matrix)),
    ("banded", is_banded),
    ("rank one", is_rank_one),
    ("kronecker", is_kronecker),
    ("selection", is_selection),
    ("block diagonal", is_block_diagonal),
    ("diagonal plus low rank", is_diagonal_plus_low_rank),
    ("low rank", is_low_rank),
    ("banded", is_narrow),
    ("sparse", is_sparse),
    ("dense", lambda matrix: True),
)
