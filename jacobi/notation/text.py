"""Trees as a line of text: ``(2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import ClassVar

from jacobi.notation import tree as t
from jacobi.notation.names import FUNCTIONS, Function
from jacobi.notation.writer import ATOM, OPERATOR, PRODUCT, Writer, Written

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPTS = dict(zip("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))


def text(tree: t.Tree, *, ascii: bool = False) -> str:
    """Write a tree as a line of text, in Unicode or in ASCII.

    Examples
    --------
    >>> from jacobi.notation.tree import MATRIX, VECTOR, Hadamard, Product, Symbol, Transpose
    >>> X, u, v = Symbol("X", MATRIX), Symbol("u", VECTOR), Symbol("v", VECTOR)
    >>> formula = Product((Transpose(Hadamard((u, v))), X))
    >>> text(formula), text(formula, ascii=True)
    ('(u ∘ v)ᵀ X', '(u o v)^T X')
    """
    return (Plain if ascii else Unicode)(tree).inside(tree)


class Unicode(Writer):
    """Writes text with mathematical signs."""

    plus, minus, hadamard, kronecker, comma = " + ", " - ", " ∘ ", " ⊗ ", ", "
    sigma, delta, ones = "Σ", "δ", "1"
    inverse_mark, transpose_mark, both_marks = "⁻¹", "ᵀ", "⁻ᵀ"
    trace_name, diagonal_name, diagonal_of_name = "tr", "diag", "diagonal"
    relations: ClassVar[dict[str, str]] = {
        ">": " > ", "<": " < ", ">=": " ≥ ", "<=": " ≤ ", "==": " = ", "!=": " ≠ ",
    }  # fmt: skip

    def name(self, name: str) -> str:
        """The name as it is."""
        return name

    def function_name(self, name: str) -> str:
        """The name in the table, or the function's own."""
        if name.startswith("\0"):  # a template has no room for parameters
            return name[1:]
        return FUNCTIONS.get(name, Function()).text or name

    def subscript(self, base: str, indices: Sequence[str]) -> str:
        """Unicode's small letters where they exist."""
        joined = joined_indices(indices)
        if set(joined) <= set(SUBSCRIPTS):
            return base + "".join(SUBSCRIPTS[letter] for letter in joined)
        return plain_subscript(base, joined)

    def superscript(self, base: str, exponent: t.Tree) -> str:
        """Unicode's small digits for integers."""
        if is_integer(exponent):
            return base + self.inside(exponent).translate(SUPERSCRIPTS)
        return f"{base}^{self._exponent(exponent)}"

    def entrywise_power(self, base: str, exponent: t.Tree) -> str:
        """``A^(∘3)``."""
        return f"{base}^({self.hadamard.strip()}{self.at_least(ATOM, exponent).text})"

    def group(self, text: str) -> str:
        """Parentheses."""
        return f"({text})"

    def call(self, function: str, arguments: str) -> str:
        """``f(x, y)``."""
        return f"{function}({arguments})"

    def mask_of(self, relation: str) -> str:
        """``1[z > 0]``."""
        return f"1[{relation}]"

    def norm_of(self, inside: str, mark: str) -> str:
        """``‖x‖``, ``‖X‖_F``."""
        return f"‖{inside}‖" + (self.subscript("", [mark]) if mark else "")

    def fraction(self, above: Written, below: Written, tight: bool = False) -> Written:
        """``a / b``, or ``2/N``."""
        upper = above.text if above.level >= PRODUCT and not above.open else self.group(above.text)
        lower = below.text if below.level > PRODUCT and not below.signed else self.group(below.text)
        line = "/" if tight else " / "
        return Written(upper + line + lower, OPERATOR, above.signed and upper is above.text)

    def fraction_in_front(self, above: str, below: str) -> str:
        """``(2/N)``."""
        return f"({above}/{below if below.isalnum() else self.group(below)})"

    def number(self, value: Fraction | float) -> str:
        """Its digits."""
        return str(value)

    def beside(self, trees: Sequence[t.Tree], texts: Sequence[str]) -> str:
        """Spaces between the factors, but none between variables of one letter."""
        result = ""
        for run in runs(trees, texts):
            word = "".join(run)
            clash = any(name in word for name in (*self.names, *FUNCTIONS, "tr", "diag") if len(name) > 1)
            result += (" " if result else "") + (" " if clash else "").join(run)
        return result

    def _exponent(self, exponent: t.Tree) -> str:
        return self.at_least(ATOM, exponent).text


class Plain(Unicode):
    """Writes text in ASCII."""

    sigma, delta = "sum", "delta"
    inverse_mark, transpose_mark, both_marks = "^-1", "^T", "^-T"
    relations: ClassVar[dict[str, str]] = {relation: f" {relation} " for relation in Unicode.relations}

    def __init__(self, tree: t.Tree):
        super().__init__(tree)
        self.hadamard = " (o) " if "o" in self.names else " o "
        self.kronecker = " (x) "

    def function_name(self, name: str) -> str:
        """The name in the table where it is ASCII."""
        found = super().function_name(name)
        return found if found.isascii() else name

    def subscript(self, base: str, indices: Sequence[str]) -> str:
        """``x_i``."""
        return plain_subscript(base, joined_indices(indices))

    def superscript(self, base: str, exponent: t.Tree) -> str:
        """``x^2``, ``x^(-2)``."""
        return f"{base}^{self._exponent(exponent)}"

    def norm_of(self, inside: str, mark: str) -> str:
        """``||x||``."""
        return f"||{inside}||" + (self.subscript("", [mark]) if mark else "")

    def _exponent(self, exponent: t.Tree) -> str:
        found = super()._exponent(exponent)
        return "(T)" if found == "T" else found  # x^T is the transpose


def runs(trees: Sequence[t.Tree], texts: Sequence[str]) -> Iterator[list[str]]:
    """The factors, those that are variables of one letter together as long as they follow each other."""
    run: list[str] = []
    for tree, written in zip(trees, texts, strict=True):
        letter = isinstance(tree, t.Symbol) and len(written) == 1
        if not letter and run:
            yield run
            run = []
        if letter:
            run.append(written)
        else:
            yield [written]
    if run:
        yield run


def is_integer(tree: t.Tree) -> bool:
    """Whether a tree is an integer."""
    return isinstance(tree, t.Number) and isinstance(tree.value, Fraction) and tree.value.denominator == 1


def joined_indices(indices: Sequence[str]) -> str:
    """``ij``, or ``i1,j`` if an index has several letters."""
    return ("" if all(len(index) == 1 for index in indices) else ",").join(indices)


def plain_subscript(base: str, joined: str) -> str:
    """``x_i``, with braces where a reader could be in doubt."""
    return f"{base}_{joined}" if joined.isalnum() else f"{base}_{{{joined}}}"
