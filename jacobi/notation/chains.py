"""Products of matrices in NumPy: the cheapest association, and no matrix formed that need not be.

A factor of a product has a form: ``diag(v)`` scales, ones sum, an inverse solves, the identity is left out and a
commutation matrix reorders.  `FORMS` says what each does to its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jacobi.errors import InputError
from jacobi.notation.program import ATOM, MATMUL, POWER, TIMES, Program

FULL, DIAGONAL, ONES, IDENTITY, INVERSE, COMMUTATION = "full", "diagonal", "ones", "identity", "inverse", "commutation"
MANY = 100  # a guess at a size, which is all that the association needs: matrices are large, and one is 1


class Factor(NamedTuple):
    """A factor of a product.

    Attributes
    ----------
    code : int
        What stands for it in the program: the array, the diagonal, the size, the matrix to invert, or the order of
        the rows.
    tall, wide : bool
        Whether it has more than one row, and more than one column.
    form : str
        What the code means.
    other : int
        Of a commutation matrix, the order of the columns.
    """

    code: int
    tall: bool
    wide: bool
    form: str = FULL
    other: int = 0

    @property
    def slim(self) -> bool:
        """Whether it is stored in one axis, so that it is cheap to scale."""
        return self.form == DIAGONAL or (self.form == FULL and not self.matrix)

    @property
    def matrix(self) -> bool:
        """Whether it is neither vector, row nor scalar."""
        return self.tall and self.wide


class Chains:
    """Multiplies factors in a program."""

    def __init__(self, program: Program):
        self.program = program

    # entry by entry

    def numeric(self, code: int) -> int:
        """A mask as numbers: NumPy adds and multiplies booleans by other laws."""
        return self.times(self.program.add("1.0", cheap=True), code) if self.program[code].boolean else code

    def times(self, left: int, right: int) -> int:
        """The product entry by entry."""
        both = self.program[left].boolean and self.program[right].boolean
        return self.program.add("{0} * {1}", left, right, level=TIMES, needs=(TIMES, POWER), boolean=both)

    def transposed(self, code: int) -> int:
        """The transpose of a matrix."""
        instruction = self.program[code]
        if instruction.template == "{0}.T":
            return instruction.parts[0]
        return self.program.add("{0}.T", self.numeric(code), needs=(ATOM,), cheap=True)

    # factors

    def full(self, factor: Factor) -> int:
        """The factor as an array of numbers."""
        return self.numeric(self.array(factor))

    def array(self, factor: Factor) -> int:
        """The factor as an array, perhaps of booleans."""
        return FORMS[factor.form][0](self, factor)

    def flipped(self, factor: Factor) -> Factor:
        """The transpose of a factor."""
        code, other = factor.code, factor.other
        if factor.form == INVERSE or (factor.form == FULL and factor.matrix):
            code = self.transposed(code)
        elif factor.form == COMMUTATION:
            code, other = other, code
        return Factor(code, factor.wide, factor.tall, factor.form, other)

    def product(self, factors: list[Factor]) -> Factor:
        """The product of all factors, associated as cheaply as dynamic programming finds."""
        kept = [factor for factor in factors if factor.form != IDENTITY] or factors[:1]
        best: dict[tuple[int, int], tuple[int, int]] = {}  # by first and last factor: cost, and where to split
        for length in range(2, len(kept) + 1):
            for first in range(len(kept) - length + 1):
                last = first + length - 1
                best[first, last] = min(
                    (
                        best.get((first, split), (0, 0))[0]
                        + best.get((split + 1, last), (0, 0))[0]
                        + cost(kept, first, split, last),
                        -split,  # of equals, the one that reads from left to right
                    )
                    for split in range(first, last)
                )

        def multiplied(first: int, last: int) -> Factor:
            if first == last:
                return kept[first]
            split = -best[first, last][1]
            return self.pair(multiplied(first, split), multiplied(split + 1, last))

        return multiplied(0, len(kept) - 1)

    def pair(self, left: Factor, right: Factor) -> Factor:
        """The product of two factors."""
        if left.wide != right.tall:
            raise InputError("The factors of a matrix product do not fit together: a row and a column are mixed up.")
        if not left.wide:
            return Factor(self._outer(left, right), left.tall, right.wide)
        if left.form == right.form == DIAGONAL:
            return Factor(self.times(left.code, right.code), True, True, DIAGONAL)
        for form in (DIAGONAL, INVERSE, ONES, COMMUTATION):
            if left.form == form:
                return Factor(FORMS[form][1](self, left, right), left.tall, right.wide)
            if right.form == form:
                return Factor(FORMS[form][2](self, left, right), left.tall, right.wide)
        code = self.program.add("{0} @ {1}", self.full(left), self.full(right), level=MATMUL, needs=(MATMUL, POWER))
        return Factor(code, left.tall, right.wide)

    def trace(self, factors: list[Factor]) -> int:
        """The trace of a product, without the product where there is a way around it."""
        row = next((k for k, factor in enumerate(factors) if not factor.tall), None)
        if row is not None:  # tr(u v^T) = v^T u
            return self.full(self.product([*factors[row:], *factors[:row]]))
        kept = [factor for factor in factors if factor.form != IDENTITY] or factors[:1]
        if len(kept) == 1 or INVERSE in [factor.form for factor in kept]:
            whole = self.product(kept)
            if whole.form == IDENTITY:
                return whole.code
            if whole.form == DIAGONAL:
                return self.program.add("np.sum({0})", whole.code)
            return self.program.add("np.trace({0})", self.full(whole))
        left, right = self.product(kept[:-1]), kept[-1]
        for one, other in ((left, right), (right, left)):
            if one.form == DIAGONAL:
                diagonal = other.code if other.form == DIAGONAL else self.diagonal(self.full(other))
                return self.program.add("np.sum({0})", self.times(one.code, diagonal))
        return self.program.add("np.sum({0})", self.times(self.full(left), self.transposed(self.full(right))))

    def diagonal(self, code: int) -> int:
        """The diagonal of a matrix."""
        return self.program.add("np.diagonal({0})", code, cheap=True)

    def diagonal_of_product(self, factors: list[Factor]) -> int:
        """The diagonal of a product of full factors, without the product."""
        left, right = self.product(factors[:-1]), factors[-1]
        if not left.wide:
            return self.times(self.full(left), self.full(right))
        rows = self.times(self.full(left), self.transposed(self.full(right)))
        return self.program.add("np.sum({0}, axis=1)", rows)

    def inverse(self, code: int) -> int:
        """The inverse of a matrix; that of a transpose is the transpose of one."""
        instruction = self.program[code]
        if instruction.template == "{0}.T":
            return self.transposed(self.inverse(instruction.parts[0]))
        return self.program.add("np.linalg.inv({0})", code)

    def _outer(self, left: Factor, right: Factor) -> int:
        if left.tall and right.wide:
            return self.program.add("np.outer({0}, {1})", self.full(left), self.full(right))
        return self.times(self.full(left), self.full(right))

    def _scaled_rows(self, left: Factor, right: Factor) -> int:
        if right.form == ONES:
            return left.code
        scale = self.program.add("{0}[:, None]", left.code, needs=(ATOM,), cheap=True) if right.wide else left.code
        return self.times(scale, self.full(right))

    def _scaled_columns(self, left: Factor, right: Factor) -> int:
        return right.code if left.form == ONES else self.times(self.full(left), right.code)

    def _summed_rows(self, left: Factor, right: Factor) -> int:
        if right.form == ONES:
            return right.code
        return self.program.add("np.sum({0}, axis=0)" if right.wide else "np.sum({0})", self.array(right))

    def _summed_columns(self, left: Factor, right: Factor) -> int:
        return self.program.add("np.sum({0}, axis=1)" if left.tall else "np.sum({0})", self.array(left))

    def _solved(self, left: Factor, right: Factor) -> int:
        return self.program.add("np.linalg.solve({0}, {1})", left.code, self.full(right))

    def _solved_from_right(self, left: Factor, right: Factor) -> int:
        other_side = self.transposed(self.full(left)) if left.tall else self.full(left)
        solution = self.program.add("np.linalg.solve({0}, {1})", self.transposed(right.code), other_side)
        return self.transposed(solution) if left.tall else solution

    def _reordered_rows(self, left: Factor, right: Factor) -> int:
        return self.program.add("{0}[{1}]", self.full(right), left.code, needs=(ATOM,))

    def _reordered_columns(self, left: Factor, right: Factor) -> int:
        template = "{0}[:, {1}]" if left.tall else "{0}[{1}]"
        return self.program.add(template, self.full(left), right.other, needs=(ATOM,))


def cost(factors: list[Factor], first: int, split: int, last: int) -> int:
    """What it costs to multiply the product of the factors up to a split by that of the others."""
    left, right = factors[first : split + 1], factors[split + 1 : last + 1]
    rows, inner, columns = (MANY if many else 1 for many in (left[0].tall, left[-1].wide, right[-1].wide))
    inverse = any(len(part) == 1 and part[0].form == INVERSE for part in (left, right))
    if scales(left) or scales(right):  # a scaled inverse has to be formed
        return max(rows * inner, inner * columns, rows * columns) + (3 * MANY**3 if inverse else 0)
    return rows * inner * columns + (MANY**3 if inverse else 0)


def scales(factors: list[Factor]) -> bool:
    """Whether a product only scales, sums or reorders the entries of its neighbour."""
    forms = {factor.form for factor in factors}
    return forms == {DIAGONAL} or (len(factors) == 1 and forms <= {ONES, COMMUTATION})


Pair = Callable[[Chains, Factor, Factor], int]


def _never(chains: Chains, left: Factor, right: Factor) -> int:
    raise AssertionError("full factors meet in a matrix product, and identities are left out")


# What a form is as an array, what it does to the factor on its right, and what it does to the factor on its left.
FORMS: dict[str, tuple[Callable[[Chains, Factor], int], Pair, Pair]] = {
    FULL: (lambda chains, factor: factor.code, _never, _never),
    DIAGONAL: (
        lambda chains, factor: chains.program.add("np.diag({0})", chains.numeric(factor.code)),
        Chains._scaled_rows,
        Chains._scaled_columns,
    ),
    ONES: (
        lambda chains, factor: chains.program.add("np.ones({0})", factor.code),
        Chains._summed_rows,
        Chains._summed_columns,
    ),
    IDENTITY: (lambda chains, factor: chains.program.add("np.eye({0})", factor.code), _never, _never),
    INVERSE: (
        lambda chains, factor: chains.inverse(factor.code),
        Chains._solved,
        Chains._solved_from_right,
    ),
    COMMUTATION: (
        lambda chains, factor: chains.program.add("np.eye(len({0}))[{0}]", factor.code),
        Chains._reordered_rows,
        Chains._reordered_columns,
    ),
}
