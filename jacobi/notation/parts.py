"""Taking trees apart: all parts of a tree, its symbols, and the plain coefficient of a product."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, NamedTuple

from jacobi.notation.tree import SCALAR, Number, Product, Quotient, Size, Symbol, Transpose, Tree


def parts(tree: Tree) -> Iterator[Tree]:
    """The tree and all trees inside it, each object once.

    >>> [type(part).__name__ for part in parts(Quotient(Symbol("v", "vector"), Size("n")))]
    ['Quotient', 'Symbol', 'Size']
    """
    seen: set[int] = set()
    waiting: list[object] = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting += reversed(part)
        elif isinstance(part, Tree) and id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += [getattr(part, field.name) for field in reversed(fields(part))]


def rebuilt(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The tree with every part, inner ones first, replaced by what ``change`` makes of it.

    >>> rebuilt(Quotient(Size("n"), Size("m")), lambda part: Size("k") if part == Size("m") else part)
    Quotient(numerator=Size(name='n'), denominator=Size(name='k'))
    """

    def inside(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(inside(inner) for inner in value)
        return rebuilt(value, change) if isinstance(value, Tree) else value

    return change(replace(tree, **{field.name: inside(getattr(tree, field.name)) for field in fields(tree)}))


def symbols(tree: Tree) -> list[Symbol]:
    """The different symbols of a tree, in the order in which they are read."""
    return list(dict.fromkeys(part for part in parts(tree) if isinstance(part, Symbol)))


def flattened(factors: Iterable[Tree]) -> Iterator[Tree]:
    """The factors of a product, those of matrix products inside it included; a number inside it stays together."""
    for whole in factors:
        factor = whole
        while isinstance(factor, Transpose) and factor.kind == SCALAR:
            factor = factor.of
        if isinstance(factor, Product) and factor.kind != SCALAR:
            yield from flattened(factor.factors)
        else:
            yield factor


class Coefficient(NamedTuple):
    """A number times sizes over sizes, such as ``2/N``; ``number`` is exact where it is a fraction."""

    number: Fraction | float
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    def __mul__(self, other: object) -> Coefficient:
        if not isinstance(other, Coefficient):
            return NotImplemented
        above, below = [*self.above, *other.above], [*self.below, *other.below]
        for name in list(above):
            if name in below:
                above.remove(name)
                below.remove(name)
        return Coefficient(self.number * other.number, tuple(above), tuple(below))

    def __neg__(self) -> Coefficient:
        return self._replace(number=-self.number)

    def inverse(self) -> Coefficient:
        """One over the coefficient."""
        return Coefficient(1 / self.number, self.below, self.above)

    @property
    def numerator(self) -> Fraction | float:
        """What stands above the line: an integer, if the number is a fraction."""
        return Fraction(self.number.numerator) if isinstance(self.number, Fraction) else self.number

    @property
    def denominator(self) -> int:
        """What stands below the line, beside the sizes."""
        return self.number.denominator if isinstance(self.number, Fraction) else 1


ONE = Coefficient(Fraction(1))


def as_coefficient(tree: Tree) -> Coefficient | None:
    """A tree of numbers and sizes alone as a coefficient; None for all others."""
    if isinstance(tree, Number):
        exact = isinstance(tree.value, (Fraction, int))
        return Coefficient(Fraction(tree.value) if exact else tree.value)
    if isinstance(tree, Size):
        return Coefficient(Fraction(int(tree.name))) if tree.name.isdigit() else Coefficient(Fraction(1), (tree.name,))
    if isinstance(tree, Transpose):
        return as_coefficient(tree.of)
    if isinstance(tree, Product):
        found = ONE
        for factor in tree.factors:
            part = as_coefficient(factor)
            if part is None:
                return None
            found *= part
        return found
    if isinstance(tree, Quotient):
        above, below = as_coefficient(tree.numerator), as_coefficient(tree.denominator)
        if above is not None and below is not None and below.number != 0:
            return above * below.inverse()
    return None


def coefficient(factors: Iterable[Tree]) -> tuple[Coefficient, list[Tree]]:
    """The coefficient of a product, and the other factors.

    >>> n = Quotient(Number(Fraction(1)), Size("N"))
    >>> coefficient([Number(Fraction(-2)), n, Symbol("X", "matrix")])
    (Coefficient(number=Fraction(-2, 1), above=(), below=('N',)), [Symbol(name='X', of_kind='matrix', index='')])
    """
    found, rest = ONE, []
    for factor in factors:
        part = as_coefficient(factor)
        if part is None:
            rest.append(factor)
        else:
            found *= part
    return found, rest
