"""Matrix notation as a tree: what printers turn into text, LaTeX and NumPy source.

A tree stands for an array.  Its ``kind`` says how it takes part in matrix products: a scalar, a (column) vector, a row
(a transposed vector), a matrix, or a tensor of higher rank that only index notation can write.  Sums, `Hadamard`
products and functions act entry by entry and broadcast scalars, as NumPy does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

SCALAR, VECTOR, ROW, MATRIX, TENSOR = "scalar", "vector", "row", "matrix", "tensor"


@dataclass(frozen=True)
class Tree:
    """A node of matrix notation; trees are equal if they are written alike."""

    @property
    def kind(self) -> str:
        """``"scalar"``, ``"vector"``, ``"row"``, ``"matrix"`` or ``"tensor"``."""
        raise NotImplementedError


@dataclass(frozen=True)
class Symbol(Tree):
    """A variable, or an intermediate result that has a name: ``X``, ``z``; ``x_i`` is ``x`` with the index ``i``."""

    name: str
    of_kind: str
    index: str = ""

    @property
    def kind(self) -> str:
        """The kind of the variable."""
        return self.of_kind


@dataclass(frozen=True)
class Number(Tree):
    """A number: exact where it is a fraction."""

    value: Fraction | float

    @property
    def kind(self) -> str:
        """Always a scalar."""
        return SCALAR


@dataclass(frozen=True)
class Size(Tree):
    """The size of a dimension, as a number: the ``N`` of ``1/N``."""

    name: str

    @property
    def kind(self) -> str:
        """Always a scalar."""
        return SCALAR


@dataclass(frozen=True)
class Sum(Tree):
    """``a + b - c``: terms may be products with a negative number in front; scalars broadcast."""

    terms: tuple[Tree, ...]

    @property
    def kind(self) -> str:
        """That of the terms; scalars broadcast."""
        return next((term.kind for term in self.terms if term.kind != SCALAR), SCALAR)


@dataclass(frozen=True)
class Product(Tree):
    """A matrix product in this order; scalar factors stand in front.  ``v w^T`` (vector, row) is an outer product."""

    factors: tuple[Tree, ...]

    @property
    def kind(self) -> str:
        """What the outer sizes make of it."""
        inner = [factor.kind for factor in self.factors if factor.kind != SCALAR]
        if not inner:
            return SCALAR
        if TENSOR in inner:
            return TENSOR
        tall = inner[0] in (MATRIX, VECTOR)  # more than one row
        wide = inner[-1] in (MATRIX, ROW)  # more than one column
        return {(True, True): MATRIX, (True, False): VECTOR, (False, True): ROW, (False, False): SCALAR}[tall, wide]


@dataclass(frozen=True)
class Hadamard(Tree):
    """The product entry by entry, ``u o v``."""

    factors: tuple[Tree, ...]

    @property
    def kind(self) -> str:
        """That of the factors; scalars broadcast."""
        return next((factor.kind for factor in self.factors if factor.kind != SCALAR), SCALAR)


@dataclass(frozen=True)
class Quotient(Tree):
    """The quotient, entry by entry."""

    numerator: Tree
    denominator: Tree

    @property
    def kind(self) -> str:
        """That of the larger part."""
        return self.numerator.kind if self.numerator.kind != SCALAR else self.denominator.kind


@dataclass(frozen=True)
class Power(Tree):
    """A power, entry by entry: ``v^2``; of a square matrix it is written ``A o A``, never ``A^2``."""

    base: Tree
    exponent: Tree

    @property
    def kind(self) -> str:
        """That of the larger part."""
        return self.base.kind if self.base.kind != SCALAR else self.exponent.kind


@dataclass(frozen=True)
class Apply(Tree):
    """A function: entry by entry (``exp``), or of a whole array (``softmax``, ``cumsum``); parameters by name.

    ``name`` is the function's name in NumPy, ``scipy.special``, ``numpy.linalg`` or `jacobi.functions`, without prefix.
    A name with a prime, such as ``f'``, is the derivative of an unknown function.
    """

    name: str
    arguments: tuple[Tree, ...]
    of_kind: str
    parameters: tuple[tuple[str, object], ...] = ()

    @property
    def kind(self) -> str:
        """The kind of the result."""
        return self.of_kind


@dataclass(frozen=True)
class Part(Tree):
    """A part of an array, ``x[1:]``: ``index`` is what stands in the brackets."""

    of: Tree
    index: str
    of_kind: str

    @property
    def kind(self) -> str:
        """The kind of the part."""
        return self.of_kind


@dataclass(frozen=True)
class Mask(Tree):
    """1 where a relation holds and 0 elsewhere, entry by entry: ``1[z > 0]``; relations are ``>``, ``<``, ``==`` ..."""

    relation: str
    left: Tree
    right: Tree

    @property
    def kind(self) -> str:
        """That of the larger side."""
        return self.left.kind if self.left.kind != SCALAR else self.right.kind


@dataclass(frozen=True)
class Diagonal(Tree):
    """``diag(v)``, a matrix."""

    vector: Tree

    @property
    def kind(self) -> str:
        """Always a matrix."""
        return MATRIX


@dataclass(frozen=True)
class DiagonalOf(Tree):
    """The vector of the diagonal entries of a matrix."""

    matrix: Tree

    @property
    def kind(self) -> str:
        """Always a vector."""
        return VECTOR


@dataclass(frozen=True)
class Transpose(Tree):
    """The transpose; that of a vector is a row."""

    of: Tree

    @property
    def kind(self) -> str:
        """Rows become vectors and the other way round."""
        return {VECTOR: ROW, ROW: VECTOR}.get(self.of.kind, self.of.kind)


@dataclass(frozen=True)
class Inverse(Tree):
    """The inverse of a square matrix."""

    of: Tree

    @property
    def kind(self) -> str:
        """Always a matrix."""
        return MATRIX


@dataclass(frozen=True)
class Kronecker(Tree):
    """The Kronecker product ``A (x) B``; a vector is a matrix with one column, a row one with one row."""

    left: Tree
    right: Tree

    @property
    def kind(self) -> str:
        """What the outer sizes make of it."""
        pair = {self.left.kind, self.right.kind}
        if pair <= {SCALAR}:
            return SCALAR
        return next((kind for kind in (VECTOR, ROW) if pair <= {kind, SCALAR}), MATRIX)


@dataclass(frozen=True)
class Ones(Tree):
    """The vector of ones of a size."""

    size: str | int

    @property
    def kind(self) -> str:
        """Always a vector."""
        return VECTOR


@dataclass(frozen=True)
class Identity(Tree):
    """The identity matrix of a size."""

    size: str | int

    @property
    def kind(self) -> str:
        """Always a matrix."""
        return MATRIX


@dataclass(frozen=True)
class Commutation(Tree):
    """The matrix ``K`` with ``K vec(X) = vec(X^T)`` for ``X`` of shape (rows, columns)."""

    rows: str | int
    columns: str | int

    @property
    def kind(self) -> str:
        """Always a matrix."""
        return MATRIX


@dataclass(frozen=True)
class Trace(Tree):
    """The trace of a square matrix."""

    of: Tree

    @property
    def kind(self) -> str:
        """Always a scalar."""
        return SCALAR


@dataclass(frozen=True)
class Norm(Tree):
    """The Euclidean norm of a vector (``"2"``) or the Frobenius norm of a matrix (``"fro"``)."""

    of: Tree
    order: str = "2"

    @property
    def kind(self) -> str:
        """Always a scalar."""
        return SCALAR


@dataclass(frozen=True)
class Entrywise(Tree):
    """Index notation: the sum over all indices that are not on the left of ``prod factor[indices]``, for any rank.

    ``indices`` are the axes of the result; a letter that stands twice is a Kronecker delta.  ``factors`` are pairs of a
    tree and the indices on its axes.  ``sizes`` gives the size of every index.  Source is ``np.einsum``.
    """

    indices: tuple[str, ...]
    factors: tuple[tuple[Tree, tuple[str, ...]], ...]
    sizes: tuple[tuple[str, str | int], ...]

    @property
    def kind(self) -> str:
        """By the number of axes."""
        return {0: SCALAR, 1: VECTOR, 2: MATRIX}.get(len(self.indices), TENSOR)


@dataclass(frozen=True)
class SumOver(Tree):
    """``sum_i body``: the body holds symbols with the index ``i``, such as ``x_i``."""

    index: str
    body: Tree

    @property
    def kind(self) -> str:
        """That of the body."""
        return self.body.kind
