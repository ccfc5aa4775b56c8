"""Products with sparse terms as one instruction of a plan: SciPy's products of compressed rows.

A sparse term is a list of numbers at positions.  Joined entry by entry with a full matrix it would hold a
number for every entry and every column, and with a sparse one a number for every pair of entries that meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobi.matrix.arrays import scatter
from jacobi.matrix.wiring import Side, Wiring, affine, distinct, line_of

Positions = NDArray[np.signedinteger[Any]]


class Step(NamedTuple):
    """A product of two terms of one factor each, as one instruction; its result is one factor.

    Attributes
    ----------
    operation : callable
        Takes both factors and ``argument``.
    argument : tuple
        What the operation needs to know.
    sizes : tuple of int
        The sizes of the indices 0, 1, ..., which are the axes of the result.
    rows, columns : Side
        Where the entries of the result lie.
    price : float
        The cost in units of one multiplication and addition.
    """

    operation: Callable[[Any, Any, Any], Any]
    argument: tuple[Any, ...]
    sizes: tuple[int, ...]
    rows: Side
    columns: Side
    price: float


class Compressed(NamedTuple):
    """The positions of a sparse term in compressed rows.

    Attributes
    ----------
    order : ndarray of int or None
        Sorts the entries by rows; None when they are sorted.
    rows : ndarray of int
        The rows that have entries, each once.
    groups : ndarray of int
        Which of ``rows`` every entry stands in.
    pointers, columns : ndarray of int
        SciPy's ``indptr`` and ``indices``.
    """

    order: Positions | None
    rows: Positions
    groups: Positions
    pointers: Positions
    columns: Positions

    def matrix(self, values: Any, width: int) -> Any:
        """The rows that have entries, as a ``scipy.sparse.csr_array``."""
        from scipy.sparse import csr_array

        return csr_array((values, self.columns, self.pointers), shape=(self.rows.size, width))


def compressed(rows: Positions, columns: Positions) -> Compressed:
    """The compressed rows of entries at these positions."""
    order = None if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
    if order is not None:
        rows, columns = rows[order], columns[order]
    once, groups = distinct(rows)
    pointers = np.searchsorted(groups, np.arange(once.size + 1))
    short = np.int32 if max(columns.size, columns.max()) < 2**31 - 1 else np.intp  # SciPy's own choice
    return Compressed(order, once, groups, pointers.astype(short), columns.astype(short))


def one_step(left: Wiring, right: Wiring) -> Step | None:
    """The product as one instruction, where a sparse term meets a sparse or a full one; None otherwise."""
    if is_sparse(left):
        if is_sparse(right):
            return sparse_with_sparse(left, right)
        return sparse_with_full(left, right, "columns") if is_full(right, right.rows) else None
    return sparse_with_full(right, left, "rows") if is_sparse(right) and is_full(left, left.columns) else None


def is_sparse(w: Wiring) -> bool:
    """Whether a wiring is a list of numbers at positions."""
    one_index = len(w.sizes) == len(w.rows[1]) == len(w.columns[1]) == 1
    return one_index and not w.regular and w.factors == ((0,),)


def is_full(w: Wiring, shared: Side) -> bool:
    """Whether a wiring is a matrix whose index on the shared side counts its places one by one."""
    return (
        w.regular
        and len(w.sizes) == 2
        and len(w.rows[1]) == len(w.columns[1]) == 1
        and w.rows[1][0][0] != w.columns[1][0][0]
        and w.factors in (((0, 1),), ((1, 0),))
        and shared[0] == 0
        and shared[1][0][1] == 1
    )


def positions(side: Side, size: int) -> Positions:
    """The positions of the entries of a sparse wiring."""
    at: Positions = side[0] + line_of(side[1][0][1], size)
    return at


# A sparse term and a full one


def sparse_with_full(sparse: Wiring, full: Wiring, shared: str) -> Step | None:
    """``S @ M`` where the columns of S are shared, ``M @ S`` where its rows are."""
    sides = {"rows": sparse.rows, "columns": sparse.columns}
    kept = "columns" if shared == "rows" else "rows"
    ((k, stride),) = getattr(full, shared)[1]  # the other index of the full term
    inner, width = full.sizes[1 - k], full.sizes[k]
    entries = compressed(*(positions(sides[name], sparse.sizes[0]) for name in (kept, shared)))
    if entries.columns.max() >= inner or entries.rows.size == 1:
        return None
    result = {kept: affine(0, entries.rows), shared: (getattr(full, shared)[0], ((1, stride),))}
    return Step(
        sparse_full_product,
        (entries, shared == "rows", full.factors[0][0] == k),
        (entries.rows.size, width),
        result["rows"],
        result["columns"],
        entries.columns.size * width,
    )


def sparse_full_product(left: Any, right: Any, how: tuple[Compressed, bool, bool]) -> Any:
    """The rows of ``S @ M`` that are not empty, for ``S, M`` or ``M.T, S.T``; M may be given transposed."""
    entries, full_first, transposed = how
    values, matrix = (right, left) if full_first else (left, right)
    if transposed:
        matrix = matrix.T
    if entries.order is not None:
        values = values[entries.order]
    if isinstance(values, np.ndarray) and isinstance(matrix, np.ndarray):
        return entries.matrix(values, matrix.shape[0]) @ matrix
    count, width = entries.rows.size, matrix.shape[1]
    products = values[:, None] * matrix[entries.columns]
    side: Side = (0, ((0, entries.groups * width), (1, 1)))
    return scatter(products, side, (entries.groups.size, width), count * width).reshape((count, width))


# Two sparse terms


def sparse_with_sparse(left: Wiring, right: Wiring) -> Step | None:
    """The product of two sparse terms, sparse again; None when they share no position."""
    outer = compressed(*(positions(side, left.sizes[0]) for side in (left.rows, left.columns)))
    inner = compressed(*(positions(side, right.sizes[0]) for side in (right.rows, right.columns)))
    # Columns of the left term are numbered like the rows of the right one, those without a partner last.
    partner = np.searchsorted(inner.rows, outer.columns)
    partner[inner.rows[np.minimum(partner, inner.rows.size - 1)] != outer.columns] = inner.rows.size
    outer = outer._replace(columns=partner.astype(outer.columns.dtype))
    inner = inner._replace(
        pointers=np.append(inner.pointers, inner.pointers[-1]), rows=np.append(inner.rows, -1)
    )
    places = product_of(outer, inner, np.ones(partner.size), np.ones(inner.columns.size))
    if places.nnz < 2:
        return None
    rows = np.repeat(outer.rows, np.diff(places.indptr))
    columns = places.indices.astype(np.intp)
    result = affine(0, rows), affine(0, columns)
    count = int(np.diff(inner.pointers)[partner].sum())
    return Step(sparse_product, (outer, inner, places), (columns.size,), *result, 4 * count)


def product_of(outer: Compressed, inner: Compressed, left: Any, right: Any) -> Any:
    """SciPy's product of two sparse matrices."""
    width = int(inner.columns.max()) + 1
    return outer.matrix(left, inner.rows.size) @ inner.matrix(right, width)


def sparse_product(left: Any, right: Any, how: tuple[Compressed, Compressed, Any]) -> Any:
    """The values of a product of two sparse terms, in the order of ``places``, its pattern."""
    outer, inner, places = how
    left = left if outer.order is None else left[outer.order]
    right = right if inner.order is None else right[inner.order]
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        product = product_of(outer, inner, left, right)
        if product.nnz == places.nnz:
            return product.data
        rows = np.repeat(np.arange(places.shape[0]), np.diff(places.indptr))
        return product[rows, places.indices]  # SciPy leaves out sums that happen to be 0
    counts = np.diff(inner.pointers)[outer.columns]
    of_left = np.repeat(np.arange(counts.size), counts)
    within = np.arange(of_left.size) - np.repeat(np.cumsum(counts) - counts, counts)
    of_right = inner.pointers[outer.columns][of_left] + within
    numbered = places.copy()
    numbered.data = np.arange(1.0, places.nnz + 1)
    group = numbered[outer.groups[of_left], inner.columns[of_right]].astype(np.intp) - 1
    return scatter(left[of_left] * right[of_right], (0, ((0, group),)), (of_left.size,), places.nnz)
