"""`Jacobian`: the matrix of all partial derivatives, kept as a sum of Einstein terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobi import layout
from jacobi.errors import InputError, ShapeError, at_users_line
from jacobi.matrix import exits, printing, structure
from jacobi.matrix.given import is_node, real_numbers, real_type, refused_summand, shape_of
from jacobi.matrix.price import cheapest
from jacobi.matrix.products import (
    dense_terms,
    diagonal_terms,
    kronecker_terms,
    multiple,
    picking,
    products,
    shortened,
    span,
)
from jacobi.matrix.subscripts import subscript
from jacobi.matrix.term import Term, collected

__all__ = ["Jacobian", "chain", "products", "shortened"]

LARGEST_IMPLICIT = 2**30  # bytes that np.asarray(J) may allocate


class Jacobian:
    """The Jacobian of ``y = f(x)`` in numerator layout: ``J[i, j] = dy_i / dx_j``.

    Rows count the entries of the output and columns those of the input, both flattened in C order.  The
    matrix is held as a sum of terms that keep their structure; `shape`, `@`, `T`, `toarray`, `tocsr` work as
    in ``scipy.sparse``, and NumPy and SciPy accept the object where they accept a matrix.

    Parameters
    ----------
    terms : sequence of Term
        The terms; an empty sequence is the zero matrix.
    out_shape, in_shape : tuple of int
        The shapes of the output and of the input.
    dtype : dtype, optional
        The type of the entries; that of the factors by default.

    Attributes
    ----------
    kinks : tuple
        Where a traced function stands at a kink or a singular point, so that a convention gave the
        derivative.

    Examples
    --------
    >>> import numpy as np
    >>> D = Jacobian.from_diagonal(np.array([1.0, 2.0, 3.0]))
    >>> D.structure, D.shape, D.nbytes
    ('diagonal', (3, 3), 24)
    >>> (D @ D).diagonal()
    array([1., 4., 9.])
    """

    __slots__ = ("dtype", "in_shape", "kinks", "out_shape", "shape", "terms")
    kinks: tuple[Any, ...]
    terms: Sequence[Term]
    out_shape: layout.Shape
    in_shape: layout.Shape
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    __array_ufunc__ = None  # arrays leave `array @ J` and `array * J` to this class
    ndim = 2

    def __init__(
        self, terms: Sequence[Term], out_shape: layout.Shape, in_shape: layout.Shape, dtype: Any = None
    ):
        self.terms = terms
        self.out_shape = out_shape
        self.in_shape = in_shape
        self.shape = (layout.size(out_shape), layout.size(in_shape))
        if dtype is None:
            kinds = [factor.dtype for term in terms for factor in term.factors]
            dtype = real_type(np.result_type(*kinds)) if kinds else np.dtype(float)
        self.dtype = np.dtype(dtype)
        self.kinks = ()

    # constructors

    @classmethod
    def zero(
        cls, out_shape: int | layout.Shape, in_shape: int | layout.Shape, dtype: Any = float
    ) -> Jacobian:
        """The zero matrix between two spaces."""
        return cls([], shape_of(out_shape), shape_of(in_shape), real_type(dtype))

    @classmethod
    def identity(cls, shape: int | layout.Shape, dtype: Any = float) -> Jacobian:
        """The identity on arrays of a shape.

        >>> Jacobian.identity((2, 3)).shape
        (6, 6)
        """
        shape = shape_of(shape)
        return cls(diagonal_terms((), layout.size(shape)), shape, shape, real_type(dtype))

    @classmethod
    def from_diagonal(cls, diagonal: Any) -> Jacobian:
        """``diag(d)``: the Jacobian of an elementwise function whose derivatives are ``d``, of any shape.

        The array is kept, not copied.
        """
        diagonal = real_numbers(diagonal)
        return cls(diagonal_terms((diagonal.reshape(-1),), diagonal.size), diagonal.shape, diagonal.shape)

    @classmethod
    def from_dense(
        cls,
        array: Any,
        out_shape: int | layout.Shape | None = None,
        in_shape: int | layout.Shape | None = None,
    ) -> Jacobian:
        """A Jacobian from a full matrix, or from a tensor of shape ``out_shape + in_shape``.

        Parameters
        ----------
        array : array_like
            Of shape ``(rows, columns)`` or ``out_shape + in_shape``; not copied.
        out_shape, in_shape : int or tuple of int, optional
            The shapes of output and input; ``(rows,)`` and ``(columns,)`` by default.

        Raises
        ------
        ShapeError
            If the array does not fit the spaces.
        InputError
            If it is no array of real numbers.
        """
        array = real_numbers(array)
        if out_shape is None or in_shape is None:
            if array.ndim != 2:
                raise ShapeError(
                    at_users_line(
                        f"an array of shape {array.shape} is not a matrix", "Give out_shape and in_shape."
                    )
                )
            out_shape = (array.shape[0],) if out_shape is None else out_shape
            in_shape = (array.shape[1],) if in_shape is None else in_shape
        out_shape, in_shape = shape_of(out_shape), shape_of(in_shape)
        rows, columns = layout.size(out_shape), layout.size(in_shape)
        if array.shape not in ((rows, columns), out_shape + in_shape):
            raise ShapeError(
                at_users_line(
                    f"an array of shape {array.shape} does not fit {out_shape} <- {in_shape}",
                    f"It takes the shape {(rows, columns)} or {out_shape + in_shape}.",
                )
            )
        return cls(dense_terms(array.reshape(rows, columns)), out_shape, in_shape, array.dtype)

    @classmethod
    def from_sparse(
        cls,
        matrix: Any,
        out_shape: int | layout.Shape | None = None,
        in_shape: int | layout.Shape | None = None,
    ) -> Jacobian:
        """A Jacobian from a ``scipy.sparse`` matrix or array.

        Parameters
        ----------
        matrix : sparse matrix or array
            Of shape ``(rows, columns)``; repeated places are added up, explicit zeros stay entries.
        out_shape, in_shape : int or tuple of int, optional
            The shapes of output and input; ``(rows,)`` and ``(columns,)`` by default.

        Raises
        ------
        ShapeError
            If the matrix does not fit the spaces.
        InputError
            If it is not sparse, or not of real numbers.
        """
        if not hasattr(matrix, "tocoo"):
            raise InputError(
                at_users_line(f"{type(matrix).__name__} is not sparse", "Use Jacobian.from_dense(array).")
            )
        csr = matrix.tocsr()
        if not csr.has_canonical_format:
            csr = csr.copy()
            csr.sum_duplicates()
        values = real_numbers(csr.data)
        out_shape = shape_of(csr.shape[0] if out_shape is None else out_shape)
        in_shape = shape_of(csr.shape[1] if in_shape is None else in_shape)
        if (layout.size(out_shape), layout.size(in_shape)) != csr.shape:
            raise ShapeError(
                at_users_line(
                    f"a matrix of shape {csr.shape} does not fit {out_shape} <- {in_shape}",
                    "The sizes of the spaces are the numbers of rows and columns.",
                )
            )
        if not values.size:
            return cls([], out_shape, in_shape, values.dtype)
        rows = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
        term = exits.summed(rows, csr.indices.astype(np.intp), values)
        return cls([term], out_shape, in_shape, values.dtype)

    @classmethod
    def kron(cls, left: Any, right: Any) -> Jacobian:
        """``A (x) B`` with both factors kept: the Jacobian of ``X -> A @ X @ B.T`` in C order.

        >>> Jacobian.kron(np.eye(2), np.ones((3, 4))).shape
        (6, 8)
        """
        left, right = real_numbers(left), real_numbers(right)
        if left.ndim != 2 or right.ndim != 2:
            raise ShapeError(
                at_users_line(
                    f"kron takes two matrices, not shapes {left.shape} and {right.shape}",
                    "Reshape both to two axes.",
                )
            )
        out_shape, in_shape = (left.shape[0], right.shape[0]), (left.shape[1], right.shape[1])
        return cls(kronecker_terms(left, right), out_shape, in_shape, np.result_type(left, right))

    # what it is

    @property
    def nnz(self) -> int:
        """The number of entries that the terms write; entries of two terms at one place count twice."""
        return sum(term.wiring.volume for term in self.terms)

    @property
    def nbytes(self) -> int:
        """The memory held by factors and positions, every array counted once."""
        arrays: dict[int, int] = {}
        for term in self.terms:
            ties = [tie for _, tie in term.wiring.rows[1] + term.wiring.columns[1] if type(tie) is not int]
            for array in (*term.factors, *ties):
                arrays[id(array)] = array.nbytes
        return sum(arrays.values())

    @property
    def structure(self) -> str:
        """The name of the structure: "zero" "identity" "diagonal" "kronecker" ... "dense"."""
        return structure.structure(self)

    @property
    def block_count(self) -> int | None:
        """The number of diagonal blocks that the leading axes of output and input allow; None if none."""
        if not self.out_shape or not self.in_shape or self.out_shape[0] != self.in_shape[0]:
            return None
        return self.out_shape[0]

    def __repr__(self) -> str:
        """One line: shape, structure, spaces, type and memory."""
        spaces = f"{self.out_shape} <- {self.in_shape}"
        rows, columns = self.shape
        return f"<{rows}x{columns} Jacobian, {self.structure}, {spaces}, {self.dtype}, {self.nbytes} bytes>"

    def __str__(self) -> str:
        """A small matrix entry by entry, with dots where there is none; a large one term by term."""
        return printing.text(self)

    def _repr_html_(self) -> str:
        return printing.html(self)

    def _repr_latex_(self) -> str | None:
        return printing.latex(self)

    # algebra

    @property
    def T(self) -> Jacobian:
        """The transposed matrix."""
        return Jacobian([term.T for term in self.terms], self.in_shape, self.out_shape, self.dtype)

    def __matmul__(self, other: Any) -> Any:
        """``J2 @ J1`` is the chain rule; ``J @ v``, ``J @ M`` are arrays, ``J @ S`` (sparse) a Jacobian."""
        if isinstance(other, Jacobian):
            if self.shape[1] != other.shape[0]:
                raise ShapeError(
                    at_users_line(
                        f"cannot chain {self.out_shape} <- {self.in_shape} with "
                        f"{other.out_shape} <- {other.in_shape}: the left takes {self.shape[1]} numbers, "
                        f"the right gives {other.shape[0]}",
                        "The chain rule multiplies outer @ inner.",
                    )
                )
            dtype = np.result_type(self.dtype, other.dtype)
            shape = (self.shape[0], other.shape[1])
            terms = shortened(products(self.terms, other.terms), shape, dtype)
            return Jacobian(terms, self.out_shape, other.in_shape, dtype)
        if hasattr(other, "tocoo"):
            return self @ Jacobian.from_sparse(other)
        return self._times_array(other)

    def __rmatmul__(self, other: Any) -> Any:
        """``u @ J``, ``M @ J`` and ``S @ J``; see `__matmul__`."""
        if hasattr(other, "tocoo"):
            return Jacobian.from_sparse(other) @ self
        other = real_numbers(other)
        if other.ndim == 1:
            return self.T._times_array(other)
        if other.ndim != 2:
            what = f"cannot multiply an array of shape {other.shape} with J"
            raise ShapeError(at_users_line(what, TWO_AXES))
        return self.T._times_array(other.T).T

    def _times_array(self, other: Any) -> Any:
        """The product with a vector or a matrix: an array."""
        other = real_numbers(other)
        if other.ndim not in (1, 2):
            what = f"cannot multiply J with an array of shape {other.shape}"
            raise ShapeError(at_users_line(what, TWO_AXES))
        if other.shape[0] != self.shape[1]:
            raise ShapeError(
                at_users_line(
                    f"J has {self.shape[1]} columns ({self.out_shape} <- {self.in_shape}) and the array has "
                    f"{other.shape[0]} rows",
                    "Flatten an array of the shape of the input with .ravel() first.",
                )
            )
        terms = products(self.terms, dense_terms(other))
        dtype = np.result_type(self.dtype, other.dtype)
        product = Jacobian(terms, (self.shape[0],), other.shape[1:], dtype)
        return product.tensor()

    def __add__(self, other: Any) -> Any:
        """The sum of two Jacobians between the same spaces."""
        if not isinstance(other, Jacobian):
            return refused_summand(other)
        if self.shape != other.shape:
            raise ShapeError(
                at_users_line(
                    f"cannot add {self.out_shape} <- {self.in_shape} and {other.out_shape} <- "
                    f"{other.in_shape}: the matrices have the shapes {self.shape} and {other.shape}",
                    "Both must have the same output and input.",
                )
            )
        dtype = np.result_type(self.dtype, other.dtype)
        terms = shortened(collected([*self.terms, *other.terms]), self.shape, dtype)
        return Jacobian(terms, self.out_shape, self.in_shape, dtype)

    def __sub__(self, other: Any) -> Any:
        """The difference of two Jacobians between the same spaces."""
        return self + (-other) if isinstance(other, Jacobian) else refused_summand(other)

    def __radd__(self, other: Any) -> Any:
        """``0 + J``, with which ``sum`` begins."""
        return self if type(other) is int and other == 0 else refused_summand(other)

    def __rsub__(self, other: Any) -> Any:
        """An error: only Jacobians are subtracted."""
        return refused_summand(other)

    def __neg__(self) -> Jacobian:
        """The matrix with all signs changed."""
        return self * -1

    def __mul__(self, number: Any) -> Jacobian:
        """A multiple of the matrix; ``@`` is the matrix product."""
        if type(number) is int or type(number) is float:
            return self._multiple(number, self.dtype)
        if isinstance(number, (list, tuple)) or getattr(number, "shape", ()) != ():
            raise ShapeError(at_users_line("J * array is not defined", "Use @ for the matrix product."))
        if is_node(number):
            terms = [multiple(term, number) for term in self.terms]
            return Jacobian(terms, self.out_shape, self.in_shape, np.result_type(self.dtype, number.dtype))
        factor = real_numbers(number)
        wider = np.result_type(self.dtype, factor.dtype) if hasattr(number, "dtype") else self.dtype
        return self._multiple(float(factor), wider)

    def _multiple(self, number: float, dtype: Any) -> Jacobian:
        """The multiple by a plain number."""
        terms = [Term(term.coefficient * number, term.factors, term.wiring) for term in self.terms]
        return Jacobian(terms, self.out_shape, self.in_shape, dtype)

    __rmul__ = __mul__

    def __truediv__(self, number: Any) -> Jacobian:
        """The multiple by ``1 / number``."""
        result: Jacobian = self * (1 / number)
        return result

    # SciPy's interface of a linear operator

    def matvec(self, vector: Any) -> Any:
        """``J @ v`` for a vector of length ``shape[1]`` (or a column)."""
        return self._times_array(vector)

    def rmatvec(self, vector: Any) -> Any:
        """``J.T @ u``."""
        return self.T._times_array(vector)

    def matmat(self, matrix: Any) -> Any:
        """``J @ M``."""
        return self._times_array(matrix)

    def rmatmat(self, matrix: Any) -> Any:
        """``J.T @ M``."""
        return self.T._times_array(matrix)

    def aslinearoperator(self) -> Any:
        """The matrix as a ``scipy.sparse.linalg.LinearOperator``, for solvers that ask for one."""
        from scipy.sparse.linalg import aslinearoperator

        return aslinearoperator(self)

    # exits

    def toarray(self, order: str = "C") -> Any:
        """The full matrix.

        Parameters
        ----------
        order : {"C", "F"}
            How output and input are flattened: row by row as in NumPy, or column by column as ``vec`` in
            textbooks.
        """
        if order not in ("C", "F"):
            raise InputError(at_users_line(f"order={order!r}", 'Use order="C" or order="F".'))
        full = exits.full(self.terms, self.shape, self.dtype)
        if order == "C":
            return full
        rows, columns = layout.textbook_order(self.out_shape), layout.textbook_order(self.in_shape)
        return full[rows[:, None], columns]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """What NumPy makes of a Jacobian: the full matrix, unless it is larger than `LARGEST_IMPLICIT`."""
        needed = self.shape[0] * self.shape[1] * self.dtype.itemsize
        if needed > LARGEST_IMPLICIT:
            raise MemoryError(
                at_users_line(
                    f"the full matrix of shape {self.shape} takes {needed / 2**30:.1f} GiB",
                    "Use J.tocsr(), J @ v or J.diagonal(); J.toarray() makes it all the same. "
                    'format="csr" and format="operator" are for solvers.',
                )
            )
        if copy is False:
            raise ValueError("a Jacobian is not an array: a copy is needed")
        full: NDArray[Any] = self.toarray()
        return full if dtype is None else full.astype(dtype, copy=False)

    def tensor(self) -> Any:
        """The full derivative as an array of shape ``out_shape + in_shape``."""
        return exits.full(self.terms, self.shape, self.dtype).reshape(self.out_shape + self.in_shape)

    def tocsr(self) -> Any:
        """A ``scipy.sparse.csr_array`` with sorted indices and no repeated places."""
        return exits.sparse(self.terms, self.shape, self.dtype, "csr")

    def tocsc(self) -> Any:
        """A ``scipy.sparse.csc_array``, likewise."""
        return exits.sparse(self.terms, self.shape, self.dtype, "csc")

    def tocoo(self) -> Any:
        """A ``scipy.sparse.coo_array``, likewise."""
        return exits.sparse(self.terms, self.shape, self.dtype, "coo")

    def diagonal(self) -> Any:
        """The main diagonal, of length ``min(shape)``; the matrix is not formed."""
        length = min(self.shape)
        return exits.full(exits.diagonal(self.terms), (length, 1), self.dtype).reshape((length,))

    def rows(self, start: int, stop: int | None = None) -> Any:
        """Some rows as a full array; nothing else of the matrix is formed.

        Parameters
        ----------
        start, stop : int
            Rows ``start`` to ``stop - 1``; the one row ``start`` by default.  Negative numbers count from the end.

        Returns
        -------
        array
            Of shape ``(stop - start, shape[1])``.

        Examples
        --------
        >>> Jacobian.from_diagonal(np.array([1.0, 2.0, 3.0])).rows(1, 3)
        array([[0., 2., 0.],
               [0., 0., 3.]])
        """
        first, last = span(start, stop, self.shape[0])
        picked = picking(last - first, first)
        terms = products(picked, self.terms) if last > first else []
        return Jacobian(terms, (last - first,), self.in_shape, self.dtype).toarray()

    def columns(self, start: int, stop: int | None = None) -> Any:
        """Some columns as a full array of shape ``(shape[0], stop - start)``; see `rows`."""
        return self.T.rows(start, stop).T

    __iter__ = None  # what has entries by pairs of numbers is no sequence

    def __getitem__(self, key: Any) -> Any:
        """An entry, or a full array of entries in a row, a column or a block: ``J[i, j]``, ``J[i, :]``, ``J[a:b, j]``.

        Nothing is formed but the rows, or the columns, that are asked for.
        """
        return subscript(self, key)

    def row_blocks(self, memory: int = 2**26) -> Iterator[tuple[int, Any]]:
        """The full matrix, a few rows at a time.

        Parameters
        ----------
        memory : int
            Bytes that a block may take; a single row is given in any case.

        Yields
        ------
        (int, array)
            The number of the first row, and the rows.
        """
        step = max(1, memory // max(1, self.shape[1] * self.dtype.itemsize))
        for start in range(0, self.shape[0], step):
            yield start, self.rows(start, min(start + step, self.shape[0]))

    def blocks(self) -> Any:
        """The diagonal blocks along the first axis of output and input: per-sample Jacobians of a batch.

        Returns
        -------
        ndarray
            Of shape ``(b, rows / b, columns / b)`` for ``b = out_shape[0] = in_shape[0]``.

        Raises
        ------
        ShapeError
            If the first axes differ, or if entries lie outside the blocks.
        """
        count = self.block_count
        if count is None:
            raise ShapeError(
                at_users_line(
                    f"no common first axis in {self.out_shape} <- {self.in_shape}",
                    "Blocks belong to the samples along the first axis of output and input.",
                )
            )
        height, width = layout.size(self.out_shape[1:]), layout.size(self.in_shape[1:])
        if not all(exits.inside_blocks(term.wiring, height, width) for term in self.terms):
            raise ShapeError(
                at_users_line(
                    f"the Jacobian is {self.structure}, not block diagonal: samples depend on each other",
                    "Use J.toarray() or J.tocsr().",
                )
            )
        terms = exits.stacked_blocks(self.terms, count, width)
        return exits.full(terms, (count * height, width), self.dtype).reshape((count, height, width))

    def spy(self, ax: Any = None, **keywords: Any) -> Any:
        """Draw where the entries are (needs matplotlib), with keywords of ``Axes.spy``; returns the axes."""
        return printing.spy(self, ax, **keywords)

    def heat_map(self, ax: Any = None, **keywords: Any) -> Any:
        """Draw the entries as colours (needs matplotlib), with keywords of ``Axes.imshow``; returns the axes."""
        return printing.heat_map(self, ax, **keywords)


TWO_AXES = "Vectors and matrices have one or two axes."


def chain(*matrices: Jacobian) -> Jacobian:
    """The product of Jacobians, outermost first, in the cheapest order.

    Examples
    --------
    >>> A, B = Jacobian.from_dense(np.ones((1, 3))), Jacobian.from_diagonal(np.arange(3.0))
    >>> chain(A, B, B).toarray()
    array([[0., 1., 4.]])
    """
    if not matrices:
        raise InputError(at_users_line("chain() needs at least one Jacobian", "Write chain(J3, J2, J1)."))
    for matrix in matrices:
        if not isinstance(matrix, Jacobian):
            raise InputError(
                at_users_line(
                    f"chain() takes Jacobians, not {type(matrix).__name__}", "Use Jacobian.from_dense(array)."
                )
            )
    product: Jacobian = cheapest(list(matrices), lambda left, right: left @ right)
    return product
