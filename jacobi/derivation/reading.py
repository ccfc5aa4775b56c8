"""Reading index notation as matrix notation: ``sum_k A_ik B_kj`` is the product ``A B``.

A term is a graph: its indices are the vertices, a factor with one index is a weight of a vertex, one with two an edge.
A vertex that is summed is eliminated: at the end of one edge, ``A_ij w_j`` makes the weight ``A w``; between two edges,
``A_ij w_j B_jk`` makes the edge ``A diag(w) B``.  What remains between the row and the column is the matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from jacobi.derivation.algebra import closed_parts, number_of, product_of
from jacobi.derivation.elimination import Elimination
from jacobi.derivation.expression import (
    Call,
    Constant,
    Draft,
    Expression,
    Group,
    Leaf,
    Number,
    Term,
    Unreadable,
    Variable,
    flat,
)
from jacobi.derivation.sides import matrix_between
from jacobi.derivation.tokens import candidates
from jacobi.derivation.tokens import number as value_of
from jacobi.notation import tree
from jacobi.notation.compose import ONE, powers, product, total, transpose
from jacobi.notation.parts import parts, rebuilt
from jacobi.notation.tree import MATRIX, SCALAR, TENSOR, VECTOR, Tree

KINDS = {0: SCALAR, 1: VECTOR, 2: MATRIX}
LETTERS = "ijklmnopqrstuvabcdefgh"


def simpler(whole: Tree, symmetric: Collection[str]) -> Tree:
    """The tree without transposes of symmetric matrices."""

    def change(part: Tree) -> Tree:
        if isinstance(part, tree.Transpose):
            inner = part.of.of if isinstance(part.of, tree.Inverse) else part.of
            if isinstance(inner, tree.Symbol) and inner.name in symmetric:
                return part.of
        return part

    return rebuilt(whole, change) if symmetric else whole


@dataclass(frozen=True)
class Reader:
    """Turns expressions into trees.

    Parameters
    ----------
    letters : dict
        The letter of every size of a dimension.
    symmetric : tuple of str
        The names of symmetric matrices, which are not transposed.
    """

    letters: dict[int, str] = field(default_factory=dict)
    symmetric: tuple[str, ...] = ()

    def size(self, number: int) -> str | int:
        """The letter of a size, an expression of letters such as ``2*n``, or the number."""
        if number in self.letters or number < min(self.letters, default=number + 1) - 2:
            return self.letters.get(number, number)
        letters = {letter: size for size, letter in self.letters.items()}
        found = (token for token in candidates(list(letters)) if value_of(token, letters) == number)
        token = next(found, None)
        return number if token is None else token.replace(" ", "")

    def argument(self, expression: Expression) -> Tree:
        """An argument of a function: zeros have a shape there."""
        if expression.terms or not 0 < len(expression.shape) <= 2:
            return self.array(expression)
        ones: list[Tree] = [tree.Ones(self.size(size)) for size in expression.shape]
        return product([tree.Number(Fraction(0)), *ones[:1], *(transpose(one) for one in ones[1:])])

    def size_of(self, expression: Expression) -> Tree:
        """A number that is a size."""
        found = number_of(expression)
        assert isinstance(found, Fraction)
        size = self.size(int(found))
        return tree.Size(size) if isinstance(size, str) else tree.Number(found)

    # arrays

    def array(self, expression: Expression) -> Tree:
        """An array of at most two axes as a scalar, a vector or a matrix; of more in index notation."""
        ndim = len(expression.shape)
        if ndim > 2:
            return total([self.entrywise(term) for term in expression.terms])
        varies = any(touched(term) == term.outer for term in expression.terms)

        def read(term: Term) -> Tree:
            plain = len(set(flat(term.axes))) == len(flat(term.axes)) and not touched(term)
            if varies and len(expression.terms) > 1 and plain:  # scalars broadcast in sums
                return self.term(Term(term.coefficient, (), term.factors, term.sizes), (), ())
            return self.term(term, term.axes[:1], term.axes[1:])

        return self.sum_of(expression, read)

    def jacobian(self, expression: Expression, outer: int) -> Tree:
        """An array with the axes of the output and of the input as the Jacobian, a matrix ``(m, n)``.

        That of a scalar is a row, that by a scalar a column; arrays are flattened in C order.
        """
        inner = len(expression.shape) - outer
        if (outer, inner) in ((0, 2), (2, 0)) and expression.terms:
            array = self.array(expression)
            factors = array.factors if isinstance(array, tree.Product) else (array,)
            front, body = ([f for f in factors if (f.kind == SCALAR) == scalar] for scalar in (True, False))
            if not body or front == list(factors):
                front, body = [], [array]
            vector = product([*front, tree.Apply("vec", (product(body),), VECTOR)])
            return transpose(vector) if outer == 0 else vector
        try:
            return self.sum_of(
                expression, lambda term: self.matrix(term, flat(term.axes[:outer]), flat(term.axes[outer:]))
            )
        except Unreadable:
            found = self.sum_of(expression, self.entrywise)
            return transpose(found) if (outer, inner) == (0, 1) else found  # a row

    def sum_of(self, expression: Expression, read: Callable[[Term], Tree]) -> Tree:
        """The sum of its terms, the common factors of all of them in front."""
        if not expression.terms:
            return tree.Number(Fraction(0))
        terms = sorted(expression.terms, key=lambda term: float(term.coefficient) < 0)
        common = common_parts(terms) if len(terms) > 1 else []
        number = common_number(terms) if len(terms) > 1 else Fraction(1)
        rest = [without(term, common, number) for term in terms] if common or number != 1 else terms
        whole = total([part for _, part in sorted(((term, read(term)) for term in rest), key=place_in_sum)])
        if whole.kind == TENSOR:  # no factor of a product
            return total([read(term) for term in terms])
        if not common and number == 1:
            return simpler(whole, self.symmetric)
        draft = Draft()
        draft.coefficient = number if isinstance(number, Fraction) else Fraction(number)
        for part in common:
            draft.take(part)
        return simpler(product([self.matrix(draft.finish(()), (), ()), whole]), self.symmetric)

    def term(self, term: Term, rows: Any, columns: Any, outer: int = 1) -> Tree:
        """One term as a matrix between the indices of the rows and those of the columns."""
        try:
            return self.matrix(term, flat(rows), flat(columns))
        except Unreadable:
            return self.entrywise(term)

    def matrix(self, term: Term, rows: tuple[int, ...], columns: tuple[int, ...]) -> Tree:
        """The same, where index notation can be read as matrix notation."""
        scalars = tuple(factor for factor in term.factors if not flat(factor[1]))
        others = [factor for factor in term.factors if flat(factor[1])]
        front = self.scalar_part(Term(term.coefficient, (), scalars, ()))
        graph = Elimination(self, others, term.sizes, {*rows, *columns, *(k for _, on in others for k in flat(on))})
        rows, columns = graph.without_repetition(rows), graph.without_repetition(columns)
        graph.eliminate({*rows, *columns})
        return product([front, matrix_between(self, graph, rows, columns)])

    def leaf(self, leaf: Leaf, ndim: int) -> Tree:
        """A factor."""
        kind = KINDS.get(ndim, TENSOR)
        if isinstance(leaf, Variable):
            name, sample, _ = leaf.name.partition("[")  # one sample of an array has the index of the sample
            return tree.Symbol(name.lower() if sample and ndim else name, kind, "i" if sample else "")
        if isinstance(leaf, Constant):
            return tree.Number(leaf.value)
        if isinstance(leaf, Group):
            return self.array(leaf.inside)
        assert isinstance(leaf, Call)
        if leaf.name in SIZED:
            arguments = tuple(self.array(a) if a.shape else self.size_of(a) for a in leaf.arguments)
            return tree.Apply(leaf.name, arguments, kind, leaf.parameters)
        arguments = tuple(self.argument(argument) for argument in leaf.arguments)
        special = SPECIAL.get(leaf.name)
        if special is not None:
            return special(arguments, dict(leaf.parameters), kind)
        parameters = tuple((name, value) for name, value in leaf.parameters if value is not None)
        return tree.Apply(leaf.name, arguments, kind, parameters)

    def scalar_part(self, term: Term) -> Tree:
        """The number and the scalar factors in front of a term: what is below a fraction line goes there."""
        negative = term.coefficient < 0 and any(inside_reciprocal(leaf) is not None for leaf, _ in term.factors)
        sign = tree.Number(Fraction(-1)) if negative else ONE
        above, below = self.number(-term.coefficient if negative else term.coefficient)
        for leaf, _ in term.factors:
            inner = inside_reciprocal(leaf)
            if inner is None:
                above.append(self.leaf(leaf, 0))
            else:
                below.append(self.array(inner))
        if len(below) and above and isinstance(above[0], tree.Number) and isinstance(above[0].value, Fraction):
            fraction = above[0].value  # one fraction line is enough
            if fraction.denominator != 1:
                above[0] = tree.Number(Fraction(fraction.numerator))
                below = [tree.Number(Fraction(fraction.denominator)), *below]
        numerator, denominator = powers(above), powers(below)
        return product([sign, numerator if denominator == ONE else tree.Quotient(numerator, denominator)])

    def number(self, number: Number) -> tuple[list[Tree], list[Tree]]:
        """A coefficient as a fraction of numbers and sizes."""
        if not isinstance(number, Fraction):
            return [tree.Number(number)], []
        above, over = self.sizes_in(abs(number.numerator))
        below, under = self.sizes_in(number.denominator)
        rest = over / under * (1 if number >= 0 else -1)
        if not below:
            return ([tree.Number(rest)] if rest != 1 or not above else []) + above, []
        numerator = [tree.Number(Fraction(rest.numerator))] if rest.numerator != 1 or not above else []
        if rest.denominator != 1:
            below = [tree.Number(Fraction(rest.denominator)), *below]
        return numerator + above, below

    def sizes_in(self, number: int) -> tuple[list[Tree], Fraction]:
        """The sizes ``N`` and ``N - 1`` that divide a whole number, and what is left of it."""
        found: list[Tree] = []
        rest = Fraction(1)
        for size, letter in self.letters.items():
            while number % size == 0 and size > 1:
                found.append(tree.Size(letter))
                number //= size
        for size, letter in self.letters.items():
            half = size // 2  # N - 1 is twice a prime
            while half > 10 and number % half == 0:
                found.append(tree.Sum((tree.Size(letter), tree.Number(Fraction(-1)))))
                number, rest = number // half, rest / 2
        return found, rest * number

    def entrywise(self, term: Term) -> Tree:
        """A term in index notation."""
        if any(len(axis) > 1 for _, on in term.factors for axis in on):
            raise Unreadable("merged axes")
        names = dict(zip(range(len(term.sizes)), LETTERS, strict=False))
        scalars = tuple(f for f in term.factors if not flat(f[1]))
        others = [f for f in term.factors if flat(f[1])]
        indices = tuple(names[k] for k in flat(term.axes))
        body = tree.Entrywise(
            indices,
            tuple((self.leaf(leaf, len(on)), tuple(names[k] for axis in on for k in axis)) for leaf, on in others),
            tuple((names[k], self.size(size)) for k, size in enumerate(term.sizes)),
        )
        front = self.scalar_part(Term(term.coefficient, (), scalars, ()))
        if body.kind == TENSOR and front != ONE:  # no factor of a matrix product
            return replace(body, factors=((front, ()), *body.factors))
        return product([front, body])


def place_in_sum(pair: tuple[Term, Tree]) -> tuple[bool, bool, int, int]:
    """What terms are sorted by: positive ones first, the identity, what is not transposed; short matrices first."""
    term, body = pair
    inside = list(parts(body))
    turned = sum(isinstance(part, tree.Transpose) and part.kind == MATRIX for part in inside)
    length = len(inside) if body.kind == MATRIX else 0
    return float(term.coefficient) < 0, not any(isinstance(part, tree.Identity) for part in inside), turned, length


def touched(term: Term) -> frozenset[int]:
    """The indices on the axes of an array that also stand on a factor."""
    return term.outer & {index for _, on in term.factors for index in flat(on)}


# looking at terms


def inside_reciprocal(leaf: Leaf) -> Expression | None:
    """The expression of which a factor is the reciprocal."""
    return leaf.arguments[0] if isinstance(leaf, Call) and leaf.name == "reciprocal" else None


def common_parts(terms: Sequence[Term]) -> list[Term]:
    """The scalars that all terms have as a factor, such as ``u^T v``."""
    lists = [closed_parts(term)[1] for term in terms]
    common = []
    for part in list(lists[0]):
        if all(part in others for others in lists):
            common.append(part)
            for others in lists:
                others.remove(part)
    return common


def common_number(terms: Sequence[Term]) -> Number:
    """The number that all coefficients are small whole multiples of, with the sign of the first."""
    sizes = {abs(term.coefficient) for term in terms}
    (size,) = sizes if len(sizes) == 1 else (Fraction(1),)
    return size if isinstance(size, Fraction) and size else Fraction(1)


def without(term: Term, common: Sequence[Term], number: Number) -> Term:
    """A term divided by common factors."""
    rest, parts = closed_parts(term)
    for part in common:
        parts.remove(part)
    result = product_of(rest, parts)
    return result.times(1 / number) if number != 1 else result


def index_text(index: Any) -> str:
    """What stands in the brackets of an index."""
    if isinstance(index, tuple) and index[:1] == ("slice",):
        start, stop, step = ("" if k is None else str(k) for k in index[1:])
        return f"{start}:{stop}:{step}" if step not in ("", "1") else f"{start}:{stop}"
    if isinstance(index, tuple):
        return ", ".join(index_text(part) for part in index)
    return "..." if index is Ellipsis else str(index)


SIZED = ("eye", "convolution_matrix")  # functions whose numbers are sizes
RELATIONS = {"greater": ">", "less": "<", "greater_equal": ">=", "less_equal": "<=", "equal": "==", "not_equal": "!="}

SPECIAL: dict[str, Callable[[tuple[Tree, ...], dict[str, Any], str], Tree]] = {
    "indicator": lambda a, p, kind: tree.Mask(RELATIONS[p["relation"]], *a[:2]),
    "reciprocal": lambda a, p, kind: tree.Quotient(ONE, a[0]),
    "inv": lambda a, p, kind: tree.Inverse(a[0]),
    "power": lambda a, p, kind: tree.Power(*a),
    "norm": lambda a, p, kind: (
        tree.Norm(a[0], "fro" if a[0].kind == MATRIX else "2")
        if p.get("axis") is None
        else tree.Apply("norm", a, kind, tuple(p.items()))
    ),
    "indexing": lambda a, p, kind: tree.Part(a[0], index_text(p["index"]), kind),
}
