"""What a Jacobian looks like: the names of structures, recognised from the wiring in one table.

The first name whose condition holds is the structure.  Nothing here looks at a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from jacobi.matrix.exits import on_blocks
from jacobi.matrix.term import Term
from jacobi.matrix.wiring import Wiring, injective

if TYPE_CHECKING:
    from jacobi.matrix.jacobian import Jacobian

Condition = Callable[["Jacobian"], bool]


def structure(matrix: Jacobian) -> str:
    """The name of the structure of a Jacobian."""
    return next(name for name, holds in STRUCTURES if holds(matrix))


def is_identity(matrix: Jacobian) -> bool:
    """Ones on the whole diagonal."""
    return (
        is_diagonal(matrix)
        and len(matrix.terms) == 1
        and not matrix.terms[0].factors
        and matrix.terms[0].coefficient == 1
        and matrix.terms[0].wiring.volume == matrix.shape[0]
    )


def is_diagonal(matrix: Jacobian) -> bool:
    """Square, and every entry has equal row and column."""
    return matrix.shape[0] == matrix.shape[1] and all(
        t.wiring.regular and same_side(t.wiring) and t.wiring.rows[0] == t.wiring.columns[0]
        for t in matrix.terms
    )


def same_side(w: Wiring) -> bool:
    """Whether rows and columns move together."""
    return w.rows[1] == w.columns[1]


def is_selection(matrix: Jacobian) -> bool:
    """Ones only, at most one in every row: entries are picked, moved or repeated."""
    return all(
        not t.factors
        and t.coefficient == 1
        and t.wiring.regular
        and len(t.wiring.rows[1]) == len(t.wiring.sizes)
        and injective((step, t.wiring.sizes[k]) for k, step in t.wiring.rows[1])
        for t in matrix.terms
    ) and (len(matrix.terms) == 1 or matrix.nnz <= matrix.shape[0])


def is_permutation(matrix: Jacobian) -> bool:
    """A square selection that uses every column once."""
    return (
        matrix.shape[0] == matrix.shape[1] == matrix.nnz
        and is_selection(matrix)
        and all(
            len(t.wiring.columns[1]) == len(t.wiring.sizes)
            and injective((step, t.wiring.sizes[k]) for k, step in t.wiring.columns[1])
            for t in matrix.terms
        )
    )


def is_banded(matrix: Jacobian) -> bool:
    """Every term runs parallel to the diagonal."""
    return all(t.wiring.regular and same_side(t.wiring) for t in matrix.terms)


def is_rank_one(matrix: Jacobian) -> bool:
    """A column times a row."""
    return len(matrix.terms) == 1 and is_outer(matrix.terms[0])


def is_outer(term: Term) -> bool:
    """Whether no factor, and no index, ties rows to columns."""
    w = term.wiring
    rows, columns = {k for k, _ in w.rows[1]}, {k for k, _ in w.columns[1]}
    return not rows & columns and all(not (set(f) & rows and set(f) & columns) for f in w.factors)


def is_kronecker(matrix: Jacobian) -> bool:
    """One term whose indices fall into an outer and an inner group that share nothing: ``A (x) B``."""
    if len(matrix.terms) != 1:
        return False
    w = matrix.terms[0].wiring
    if not w.regular:
        return False
    groups = connected(w)
    rows, columns = dict(w.rows[1]), dict(w.columns[1])
    if len(groups) < 2 or w.rows[0] or w.columns[0]:
        return False
    return all(nested([sides.get(k, 0) for k in range(len(w.sizes))], groups, w) for sides in (rows, columns))


def nested(steps: Sequence[int], groups: Sequence[set[int]], w: Wiring) -> bool:
    """Whether the strides of the groups on one side do not interleave."""
    spans = []
    for group in groups:
        mine = [(steps[k], w.sizes[k]) for k in group if steps[k]]
        if any(step < 0 for step, _ in mine):
            return False
        if mine:
            spans.append((min(step for step, _ in mine), 1 + sum(step * (size - 1) for step, size in mine)))
    return all(reach <= step for (_, reach), (step, _) in pairwise(sorted(spans)))


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
    return on_blocks(matrix.terms, count, rows // count, columns // count) is not None


def is_diagonal_plus_low_rank(matrix: Jacobian) -> bool:
    """A diagonal and a few outer products."""
    others = [t for t in matrix.terms if not (t.wiring.regular and same_side(t.wiring))]
    return (
        matrix.shape[0] == matrix.shape[1]
        and 0 < len(others) < len(matrix.terms)
        and all(t.wiring.rows[0] == t.wiring.columns[0] for t in matrix.terms if t not in others)
        and all(map(is_outer, others))
    )


def is_low_rank(matrix: Jacobian) -> bool:
    """A sum of outer products."""
    return all(map(is_outer, matrix.terms))


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
    ("sparse", is_sparse),
    ("dense", lambda matrix: True),
)
