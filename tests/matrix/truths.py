"""What the name of a structure promises, checked on the full matrix and on the places of the entries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jacobi.matrix import Jacobian, structure
from jacobi.matrix.exits import dense
from jacobi.matrix.term import Term
from jacobi.matrix.wiring import wiring


def pattern(jacobian: Jacobian) -> np.ndarray:
    """Where the matrix has entries, whatever numbers the factors hold."""
    terms = [Term(1, (), wiring(w.sizes, (), w.rows, w.columns)) for w in (t.wiring for t in jacobian.terms)]
    return dense(terms, jacobian.shape, float) != 0


def rank(matrix: np.ndarray) -> int:
    return int(np.linalg.matrix_rank(matrix, tol=1e-4)) if matrix.size else 0


def occupied_diagonals(there: np.ndarray) -> int:
    rows, columns = np.nonzero(there)
    return np.unique(columns - rows).size


def is_row_by_row(jacobian: Jacobian) -> bool:
    """Zeros and ones, at most a one in every row."""
    matrix = jacobian.toarray()
    return bool(np.isin(matrix, (0, 1)).all() and (matrix.sum(axis=1) <= 1).all())


def is_permutation(jacobian: Jacobian) -> bool:
    matrix = jacobian.toarray()
    return is_row_by_row(jacobian) and bool(
        (matrix.sum(axis=0) == 1).all() and (matrix.sum(axis=1) == 1).all()
    )


def is_kronecker(jacobian: Jacobian) -> bool:
    """Some splitting of rows and columns makes the rearranged matrix one of rank one (Van Loan)."""
    matrix = jacobian.toarray()
    rows, columns = matrix.shape
    for height in (h for h in range(1, rows + 1) if rows % h == 0):
        for width in (w for w in range(1, columns + 1) if columns % w == 0):
            if height * width == 1 or height * width == rows * columns:
                continue
            split = matrix.reshape(rows // height, height, columns // width, width).transpose(0, 2, 1, 3)
            if rank(split.reshape(-1, height * width)) <= 1:
                return True
    return False


def is_block_diagonal(jacobian: Jacobian) -> bool:
    count = jacobian.block_count
    return count is not None and count > 1 and not outside_blocks(jacobian).any()


def outside_blocks(jacobian: Jacobian) -> np.ndarray:
    """The entries that are on no diagonal block along the first axes."""
    there = pattern(jacobian)
    count = jacobian.out_shape[0]
    height, width = there.shape[0] // count, there.shape[1] // count
    for k in range(count):
        there[k * height : (k + 1) * height, k * width : (k + 1) * width] = False
    return there


def is_diagonal_plus_low_rank(jacobian: Jacobian) -> bool:
    rest = [term for term in jacobian.terms if not structure.on_diagonal(term.wiring)]
    low = Jacobian(rest, jacobian.out_shape, jacobian.in_shape, jacobian.dtype)
    return rank(low.toarray()) <= structure.rank(rest) < min(jacobian.shape)


TRUTHS: dict[str, Callable[[Jacobian, np.ndarray], bool]] = {
    "zero": lambda jacobian, there: not there.any() and not jacobian.toarray().any(),
    "identity": lambda jacobian, there: np.array_equal(jacobian.toarray(), np.eye(*jacobian.shape)),
    "diagonal": lambda jacobian, there: not there[~np.eye(*there.shape, dtype=bool)].any(),
    "row": lambda jacobian, there: there.shape[0] == 1,
    "column": lambda jacobian, there: there.shape[1] == 1,
    "permutation": lambda jacobian, there: is_permutation(jacobian),
    "selection": lambda jacobian, there: is_row_by_row(jacobian),
    "banded": lambda jacobian, there: (
        occupied_diagonals(there) <= max(len(jacobian.terms), min(there.shape) // 2)
    ),
    "rank one": lambda jacobian, there: (
        rank(jacobian.toarray()) <= 1
        and np.array_equal(there, np.outer(there.any(axis=1), there.any(axis=0)))
    ),
    "kronecker": lambda jacobian, there: is_kronecker(jacobian),
    "block diagonal": lambda jacobian, there: is_block_diagonal(jacobian),
    "diagonal plus low rank": lambda jacobian, there: is_diagonal_plus_low_rank(jacobian),
    "low rank": lambda jacobian, there: (
        rank(jacobian.toarray()) <= structure.rank(jacobian.terms) < min(there.shape)
    ),
    "sparse": lambda jacobian, there: 2 * there.sum() <= there.size,
    "dense": lambda jacobian, there: True,
}


def broken_promise(jacobian: Jacobian) -> str | None:
    """What is wrong with the name of the structure; None if nothing is."""
    name, there = jacobian.structure, pattern(jacobian)
    if not TRUTHS[name](jacobian, there):
        return f"it is not {name}"
    if not there.any() and name != "zero":
        return f"it is zero, not {name}"
    on_diagonals = there.shape[0] == there.shape[1] and TRUTHS["diagonal"](jacobian, there)
    if on_diagonals and name not in ("zero", "identity", "diagonal"):
        return f"it is diagonal, not {name}"
    ones = all(not term.factors and term.coefficient == 1 for term in jacobian.terms)
    square = there.shape[0] == there.shape[1] > 1
    if ones and square and is_permutation(jacobian) and name not in ("identity", "permutation"):
        return f"it is a permutation, not {name}"
    if ones and on_diagonals and there.any() and TRUTHS["identity"](jacobian, there) and name != "identity":
        return f"it is the identity, not {name}"
    return None
