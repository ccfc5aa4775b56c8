"""Subscripts: entries, rows, columns and blocks of a Jacobian, without the rest of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jacobi.errors import InputError, at_users_line

if TYPE_CHECKING:
    from jacobi.matrix.jacobian import Jacobian


def subscript(matrix: Jacobian, key: Any) -> Any:
    """The entries at a pair of whole numbers and slices; only the rows, or columns, that they lie in are formed."""
    plain = isinstance(key, tuple) and len(key) == 2
    if not plain or any(not isinstance(k, (int, np.integer, slice)) or isinstance(k, bool) for k in key):
        cure = "Write J[i, j], J[i, :], J[:, j] or J[a:b, c:d]; for anything else J.toarray() or J.tocsr()."
        raise InputError(at_users_line("a Jacobian has entries by row and column", cure))
    for axis, (k, length) in enumerate(zip(key, matrix.shape, strict=True)):
        if not isinstance(k, slice) and not -length <= k < length:
            raise IndexError(f"index {k} is out of bounds for axis {axis} with size {length}")
    down, across = key
    if not isinstance(down, slice):
        return matrix.rows(int(down))[0][across]
    if not isinstance(across, slice):
        return subscript(matrix.T, (across, down))
    rows = range(*down.indices(matrix.shape[0]))
    if not rows:
        return matrix.rows(0, 0)[:, across]
    return matrix.rows(min(rows), max(rows) + 1)[:: rows.step, across]
