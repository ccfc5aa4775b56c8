"""Sums, products and transposes of trees in the form that books print."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from jacobi.notation.tree import (
    SCALAR,
    Diagonal,
    Hadamard,
    Identity,
    Inverse,
    Kronecker,
    Mask,
    Number,
    Ones,
    Power,
    Product,
    Quotient,
    Size,
    Sum,
    Symbol,
    Transpose,
    Tree,
)

ONE = Number(Fraction(1))


def total(terms: Sequence[Tree]) -> Tree:
    """A sum."""
    parts: list[Tree] = []
    for term in terms:
        parts += term.terms if isinstance(term, Sum) else [term]
    return parts[0] if len(parts) == 1 else Sum(tuple(parts))


def product(factors: Sequence[Tree]) -> Tree:
    """A matrix product; scalars to the front, numbers first."""
    parts: list[Tree] = []
    for factor in factors:
        # a scalar such as u^T v stays together among vectors and matrices
        if not isinstance(factor, Product):
            parts.append(factor)
        elif factor.kind != SCALAR or len(factors) == 1:
            parts += factor.factors
        else:
            parts += [part for part in factor.factors if part.kind == SCALAR]
            rest = tuple(part for part in factor.factors if part.kind != SCALAR)
            parts += [Product(rest)] if rest else []
    parts = [part for part in parts if part != ONE]
    scalars = [part for part in parts if part.kind == SCALAR]
    matrices = [part for part in parts if part.kind != SCALAR]
    together = [part for part in scalars if isinstance(part, Product)]
    if not matrices and len(together) == 1:  # nothing to be kept apart from
        scalars = [part for part in scalars if part is not together[0]]
        scalars += [part for part in together[0].factors if part.kind == SCALAR]
        matrices = [part for part in together[0].factors if part.kind != SCALAR]
    if len(matrices) > 1:
        matrices = [part for part in matrices if not isinstance(part, Identity)] or matrices[:1]
    # numbers and fractions come first
    scalars.sort(key=lambda part: not isinstance(part, (Number, Quotient, Size)))
    ordered = [*scalars, *matrices]
    if not ordered:
        return ONE
    return ordered[0] if len(ordered) == 1 else Product(tuple(ordered))


def hadamard(factors: Sequence[Tree]) -> Tree:
    """A product entry by entry: equal factors as powers, quotients below a fraction line."""
    parts: list[Tree] = []
    for factor in factors:
        parts += factor.factors if isinstance(factor, Hadamard) else [factor]
    above = [p for p in parts if not (isinstance(p, Quotient) and p.numerator == ONE)]
    below = [p.denominator for p in parts if isinstance(p, Quotient) and p.numerator == ONE]
    numerator = one_of(sorted(grouped(above), key=lambda p: 0 if isinstance(p, Mask) else 1 if is_symbol(p) else 2))
    return numerator if not below else Quotient(numerator, one_of(grouped(below)))


def is_symbol(part: Tree) -> bool:
    """Whether a tree is a variable, perhaps transposed."""
    return isinstance(part.of if isinstance(part, Transpose) else part, Symbol)


def one_of(parts: Sequence[Tree]) -> Tree:
    """One factor, or the product of several entry by entry."""
    if not parts:
        return ONE
    return parts[0] if len(parts) == 1 else Hadamard(tuple(parts))


def grouped(parts: Sequence[Tree]) -> list[Tree]:
    """Equal factors as powers."""
    counts: dict[Tree, int] = {}
    for part in parts:
        counts[part] = counts.get(part, 0) + 1
    return [part if n == 1 else Power(part, Number(Fraction(n))) for part, n in counts.items()]


def powers(parts: Sequence[Tree]) -> Tree:
    """A product of scalars, equal ones as powers."""
    return product(grouped([part for part in parts if part != ONE]))


def kronecker(parts: Sequence[Tree]) -> Tree:
    """A Kronecker product; scalars were taken out before."""
    fronts: list[Tree] = []
    bodies: list[Tree] = []
    for part in parts:
        factors = part.factors if isinstance(part, Product) else (part,)
        fronts += [factor for factor in factors if factor.kind == SCALAR]
        bodies.append(product([factor for factor in factors if factor.kind != SCALAR]))
    result = bodies[-1]
    for body in bodies[-2::-1]:
        result = Kronecker(body, result)
    return product([*fronts, result])


def summed(weights: list[Tree], size: str | int) -> Tree:
    """The sum over an index with some weights: ``u^T v``, or ``1^T v``."""
    if not weights:
        return Size(size) if isinstance(size, str) else Number(Fraction(size))
    if len(weights) == 1:
        return product([transpose(Ones(size)), weights[0]])
    first, rest = weights[0], hadamard(weights[1:])
    return product([transpose(first), rest])


def transpose(body: Tree) -> Tree:
    """The transpose, pushed to the leaves of products."""
    if body.kind == SCALAR or isinstance(body, (Identity, Diagonal)):
        return body
    if isinstance(body, Transpose):
        return body.of
    if isinstance(body, Product):
        return product([transpose(factor) for factor in reversed(body.factors)])
    if isinstance(body, Kronecker):
        return Kronecker(transpose(body.left), transpose(body.right))
    if isinstance(body, Sum) and {transpose(term) for term in body.terms} == set(body.terms):
        return body  # symmetric, such as A + A^T
    if isinstance(body, Inverse) and transpose(body.of) == body.of:
        return body  # symmetric, such as (X^T X)^-1
    if isinstance(body, Hadamard) and all(isinstance(part, Transpose) or part.kind == SCALAR for part in body.factors):
        return Hadamard(tuple(transpose(part) for part in body.factors))
    return Transpose(body)
