"""Claims: a derivative in any form and layout that people write it in, read as a matrix in numerator layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from jacobi.matrix import Jacobian
from jacobi.verification.evidence import Array

LAYOUTS = ("numerator", "gradient", "denominator")
Shape = tuple[int, ...]


class UnfitClaim(Exception):
    """A claim that is no derivative of the right shape.

    Attributes
    ----------
    given : array or None
        Its numbers, if it has any.
    """

    def __init__(self, message: str, given: Any = None):
        super().__init__(message)
        self.given = given


@dataclass(frozen=True)
class Claim:
    """A claimed derivative, ``(m, n)`` in numerator layout.

    Attributes
    ----------
    shape : tuple of int
        ``(m, n)``.
    form : {"dense", "sparse", "structured", "operator"}
        What kind of matrix it was given as.
    given : array or None
        The numbers with the axes that the user gave them; None for sparse matrices and operators.
    unit : float
        The relative rounding error of its numbers.
    matrix : array, sparse array or operator
        The matrix.
    adjoint : bool
        Whether the matrix stands for the transpose of the claim, as in denominator layout.
    """

    shape: tuple[int, int]
    form: str
    given: Any
    unit: float
    matrix: Any
    adjoint: bool = False

    def dense(self) -> Array:
        """All entries, (m, n)."""
        if self.form == "operator":
            m, n = self.shape
            found = applied(self.matrix.__matmul__, np.eye(m if self.adjoint else n))
        else:
            found = np.asarray(self.matrix if self.form == "dense" else self.matrix.toarray(), float)
        return found.T if self.adjoint else found

    def sparse(self) -> Any:
        """All entries that are not zero by structure, as a csr array."""
        from scipy.sparse import csr_array

        found = csr_array(self.matrix if self.form == "sparse" else self.matrix.tocsr()).astype(float)
        return csr_array(found.T) if self.adjoint else found

    def times(self, v: Array) -> Array:
        """The product with a direction, (m,)."""
        if self.form == "operator":
            return applied(self.matrix.rmatvec if self.adjoint else self.matrix.matvec, v)
        return np.asarray((self.matrix.T if self.adjoint else self.matrix) @ v, float)

    def sizes(self, v: Array) -> Array:
        """What rounding in the product with a direction is measured by, ``|C| |v|``, (m,)."""
        if self.form in ("operator", "structured"):  # whose entries are not at hand: an estimate
            return np.abs(self.times(v)) + np.abs(self.times(np.abs(v)))
        absolute = abs(self.matrix.T if self.adjoint else self.matrix)
        return np.asarray(absolute @ np.abs(v), float)

    def not_a_number(self) -> tuple[int, int] | None:
        """The row and the column of the first NaN, where the entries are at hand."""
        places: Any = ()
        if self.form == "dense":
            places = np.argwhere(np.isnan(self.matrix))
        elif self.form == "sparse":
            entries = self.matrix.tocoo()
            places = np.transpose((entries.row, entries.col))[np.isnan(entries.data)]
        if not len(places):
            return None
        i, j = (int(k) for k in places[0])
        return (j, i) if self.adjoint else (i, j)


def applied(operator: Callable[[Array], Any], v: Array) -> Array:
    """The product of an operator that the user wrote; `UnfitClaim` where it fails."""
    try:
        return np.asarray(operator(v), float)
    except Exception as problem:
        raise UnfitClaim(f"the operator raised {type(problem).__name__}: {problem}") from problem


def read(value: Any, layout: str, order: str, out_shape: Shape, in_shape: Shape) -> Claim:
    """A claim from whatever the user gives for it.

    Parameters
    ----------
    value : number, nested list, array, sparse matrix, LinearOperator, Jacobian
        The claim.
    layout : {"numerator", "gradient", "denominator"}
        Its layout.
    order : {"C", "F"}
        How rows and columns of a matrix number the entries of arrays.
    out_shape, in_shape : tuple of int
        The shapes of the output and the argument.

    Raises
    ------
    UnfitClaim
        If it is no array of real numbers, or its shape does not fit exactly.
    """
    m, n = prod(out_shape), prod(in_shape)
    if layout == "gradient" and m != 1:
        raise UnfitClaim(
            f"layout='gradient' is for functions with one output, and this one returns an array of shape {out_shape}; "
            f"use layout='numerator' and a matrix of shape {(m, n)}",
            numbers(value) if not is_matrix(value) else None,
        )
    if is_matrix(value):
        return read_matrix(value, layout, order, out_shape, in_shape)
    given = numbers(value)
    if given.shape not in accepted(layout, out_shape, in_shape):
        raise UnfitClaim(misfit(given.shape, layout, out_shape, in_shape), given)
    unit = float(np.finfo(given.dtype).eps)
    return Claim((m, n), "dense", given, unit, in_numerator_layout(given, layout, order, out_shape, in_shape))


def in_numerator_layout(given: Any, layout: str, order: str, out_shape: Shape, in_shape: Shape) -> Any:
    """The numbers of a claim of an accepted shape as the matrix ``(m, n)``, rows and columns in C order."""
    m, n = prod(out_shape), prod(in_shape)
    given = np.asarray(given, float)
    if layout == "denominator":
        if order == "F" and given.shape == (n, m):
            return in_numerator_layout(given.T, "numerator", order, out_shape, in_shape)
        return given.reshape(n, m).T
    if order == "F" and given.shape == (m, n):
        reversed_axes = given.reshape(out_shape[::-1] + in_shape[::-1])
        outer, inner = len(out_shape), len(in_shape)
        axes = (*range(outer - 1, -1, -1), *range(outer + inner - 1, outer - 1, -1))
        return np.asarray(reversed_axes.transpose(axes).reshape(m, n))
    return given.reshape(m, n)


def accepted(layout: str, out_shape: Shape, in_shape: Shape) -> list[Shape]:
    """The shapes that a claim may have in a layout: the matrix, the full tensor, and a vector for one output."""
    m, n = prod(out_shape), prod(in_shape)
    vector = [(n,)] if m == 1 and len(in_shape) == 1 else []
    if layout == "gradient":
        return [in_shape, out_shape + in_shape]
    if layout == "denominator":
        return [(n, m), in_shape + out_shape, *vector]
    return [(m, n), out_shape + in_shape, *vector]


def misfit(shape: Shape, layout: str, out_shape: Shape, in_shape: Shape) -> str:
    """What to say of a claim of the wrong shape: what was expected, and which other layout it fits."""
    wanted = list(dict.fromkeys(accepted(layout, out_shape, in_shape)))
    text = f"the claim has the shape {shape}; {layout} layout wants {' or '.join(map(str, wanted))}"
    others = [name for name in LAYOUTS if name != layout and shape in accepted(name, out_shape, in_shape)]
    if prod(out_shape) != 1:
        others = [name for name in others if name != "gradient"]
    if others:
        text += f"; this shape fits layout={others[0]!r}"
    return text


def is_matrix(value: Any) -> bool:
    """Whether a claim is a matrix that is not stored as an array: sparse, an operator, a `Jacobian`."""
    return hasattr(value, "shape") and any(hasattr(value, name) for name in ("tocsr", "matvec", "rmatvec"))


def is_value(value: Any) -> bool:
    """Whether a claim is the derivative itself, not a function that gives it; operators can be called as well."""
    return is_matrix(value) or not callable(value)


def read_matrix(value: Any, layout: str, order: str, out_shape: Shape, in_shape: Shape) -> Claim:
    """A claim that is a sparse matrix, an operator or a `Jacobian`."""
    m, n = prod(out_shape), prod(in_shape)
    shape = tuple(int(k) for k in value.shape)
    denominator = layout == "denominator"
    if layout == "gradient" or (order == "F" and not isinstance(value, Jacobian)):
        if not hasattr(value, "toarray"):
            raise UnfitClaim(f"an operator cannot be read with layout={layout!r}, order={order!r}; use the defaults")
        return read(np.asarray(value.toarray()), layout, order, out_shape, in_shape)
    if shape != ((n, m) if denominator else (m, n)):
        given = np.asarray(value.toarray()) if hasattr(value, "toarray") and prod(shape) <= 10**6 else None
        raise UnfitClaim(misfit(shape, layout, out_shape, in_shape), given)
    dtype = np.dtype(getattr(value, "dtype", None) or float)
    if dtype.kind == "c":
        raise UnfitClaim("the claim is complex; use real numbers")
    unit = float(np.finfo(dtype).eps) if dtype.kind == "f" else float(np.finfo(float).eps)
    if isinstance(value, Jacobian):
        return Claim((m, n), "structured", None, unit, value, denominator)
    if hasattr(value, "tocsr"):
        return Claim((m, n), "sparse", None, unit, value.tocsr(), denominator)
    return Claim((m, n), "operator", None, unit, value, denominator)


def numbers(value: Any) -> Any:
    """An array of real floating numbers; `UnfitClaim` for anything else."""
    if value is None:
        raise UnfitClaim("the claim is None: is a return statement missing?")
    if isinstance(value, (str, bytes, dict, set, np.ma.MaskedArray)):
        raise UnfitClaim(f"the claim is a {type(value).__name__}, not an array of numbers")
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = np.array([float(entry) for entry in array.flat]).reshape(array.shape)
    except (TypeError, ValueError) as problem:
        raise UnfitClaim(f"the claim, a {type(value).__name__}, is no array of numbers: {problem}") from None
    if array.dtype.kind == "c":
        raise UnfitClaim("the claim is complex; use real numbers")
    if array.dtype.kind not in "fiub":
        raise UnfitClaim(f"the claim is an array of {array.dtype}, not of numbers")
    return array if array.dtype.kind == "f" else array.astype(float)


def call(claim: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The value of a claim that is a function; `UnfitClaim` where it fails."""
    try:
        return claim(*arguments)
    except Exception as problem:
        raise UnfitClaim(f"the claim raised {type(problem).__name__}: {problem}") from problem
