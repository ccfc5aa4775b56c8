"""Results: how the values of a program become what the function returns; index patterns are made once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobi.compilation.instructions import Value
from jacobi.matrix import Jacobian
from jacobi.matrix.exits import fills, flat_places
from jacobi.matrix.term import Term, spread
from jacobi.matrix.wiring import all_indices, grid

Make = Callable[[Sequence[Any]], Any]


def own(value: Any, shared: bool) -> Any:
    """An array that nobody else holds."""
    return value.copy() if shared and isinstance(value, np.ndarray) else value


def jacobian(J: Jacobian, dtypes: Sequence[Any]) -> Make:
    """What puts factors into a Jacobian: ``make(factors)``."""
    counts = [len(term.factors) for term in J.terms]
    parts = [(term.coefficient, term.wiring) for term in J.terms]
    convert = [dtype != J.dtype for dtype in dtypes]
    out_shape, in_shape, dtype = J.out_shape, J.in_shape, J.dtype

    def make(factors: Sequence[Any]) -> Jacobian:
        fitting = [
            np.asarray(factor, dtype=dtype) if other or not hasattr(factor, "dtype") else factor
            for factor, other in zip(factors, convert, strict=True)
        ]
        terms, start = [], 0
        for (coefficient, wiring), count in zip(parts, counts, strict=True):
            terms.append(Term(coefficient, tuple(fitting[start : start + count]), wiring))
            start += count
        return Jacobian(terms, out_shape, in_shape, dtype)

    return make


def placed(positions: Any) -> Any:
    """Positions as a slice where they are an arithmetic progression, which is written four times as fast."""
    if positions.size < 2:
        return positions
    step = int(positions[1]) - int(positions[0])
    if step > 0 and (np.diff(positions) == step).all():
        return slice(int(positions[0]), int(positions[-1]) + 1, step)
    return positions


class Filling:
    """Where the entries of the terms of a Jacobian go in one array of numbers.

    Parameters
    ----------
    J : Jacobian
        The Jacobian, of which only the wirings matter.
    positions : list of arrays
        The position of every entry of every term.
    length : int
        The length of the array.
    """

    def __init__(self, J: Jacobian, positions: list[Any], length: int):
        self.terms = [(term.coefficient, term.wiring, len(term.factors)) for term in J.terms]
        self.length, self.dtype = length, J.dtype
        everything = np.concatenate(positions) if positions else np.zeros(0, np.intp)
        counts = np.bincount(everything, minlength=length)
        self.once = bool((counts <= 1).all())
        self.full = bool((counts == 1).all())
        self.places = [placed(place) for place in positions]

    def __call__(self, factors: Sequence[Any]) -> Any:
        """The array for these factors."""
        result = (np.empty if self.full else np.zeros)(self.length, self.dtype)
        start = 0
        for (coefficient, wiring, count), place in zip(self.terms, self.places, strict=True):
            term = Term(coefficient, tuple(np.asarray(f) for f in factors[start : start + count]), wiring)
            start += count
            values = np.asarray(spread(term, all_indices(wiring))).reshape(-1)
            if self.once:
                result[place] = values
            elif isinstance(place, slice):
                result[place] += values
            else:
                np.add.at(result, place, values)
        return result


def dense(J: Jacobian) -> Make:
    """What puts factors into a full matrix."""
    if len(J.terms) == 1 and fills(J.terms[0].wiring, J.shape):
        wiring, coefficient = J.terms[0].wiring, J.terms[0].coefficient

        def fill(factors: Sequence[Any]) -> Any:
            term = Term(coefficient, tuple(np.asarray(f) for f in factors), wiring)
            return np.array(spread(term, all_indices(wiring)), dtype=J.dtype, order="C").reshape(J.shape)

        return fill
    positions = []
    for term in J.terms:
        w = term.wiring
        place = grid(flat_places(w, J.shape[1]), all_indices(w), w.sizes)
        positions.append(np.broadcast_to(place, w.sizes).reshape(-1))
    filling = Filling(J, positions, J.shape[0] * J.shape[1])
    return lambda factors: filling(factors).reshape(J.shape)


def sparse(J: Jacobian, format: str) -> Make:
    """What puts factors into a sparse array whose pattern is made once."""
    from scipy.sparse import coo_array

    rows, columns = [], []
    for term in J.terms:
        w = term.wiring
        order = all_indices(w)
        rows.append(np.broadcast_to(grid(w.rows, order, w.sizes), w.sizes).reshape(-1))
        columns.append(np.broadcast_to(grid(w.columns, order, w.sizes), w.sizes).reshape(-1))
    row = np.concatenate(rows) if rows else np.zeros(0, np.intp)
    column = np.concatenate(columns) if columns else np.zeros(0, np.intp)
    major, minor = (column, row) if format == "csc" else (row, column)
    width = J.shape[0] if format == "csc" else J.shape[1]
    keys, where = np.unique(major.astype(np.int64) * width + minor, return_inverse=True)
    pattern = coo_array((np.arange(1.0, keys.size + 1), divided(keys, width, format)), shape=J.shape)
    template: Any = {"csr": pattern.tocsr, "csc": pattern.tocsc, "coo": pattern.copy}[format]()
    bounds = np.cumsum([len(part) for part in rows])[:-1]
    filling = Filling(J, np.split(where, bounds) if rows else [], keys.size)

    def make(factors: Sequence[Any]) -> Any:
        result = copy.copy(template)
        result.data = filling(factors)
        return result

    return make


def divided(keys: Any, width: int, format: str) -> tuple[Any, Any]:
    """Row and column numbers from the numbers of places."""
    major, minor = np.divmod(keys, max(width, 1))
    kind = np.int32 if max(keys.size, width) < 2**31 - 1 else np.int64
    pair = major.astype(kind), minor.astype(kind)
    return pair[::-1] if format == "csc" else pair


EXITS: dict[str | None, Callable[..., Make]] = {
    "array": dense,
    "csr": lambda J: sparse(J, "csr"),
    "csc": lambda J: sparse(J, "csc"),
    "coo": lambda J: sparse(J, "coo"),
}


def is_value(part: Any) -> bool:
    """Whether a part of a result is computed by the program."""
    return isinstance(part, Value)
