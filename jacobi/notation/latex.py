r"""Trees as LaTeX: ``\frac{2}{N}\left(\mathbf 1[Xw+b>0]\odot(Xw+b-y)\right)^{\top}X``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

from jacobi.notation import tree as t
from jacobi.notation.names import FUNCTIONS, Function
from jacobi.notation.writer import POSTFIX, Writer, Written

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})  # fmt: skip
TALL = re.compile(r"\\(frac|left|sum)(?![A-Za-z])")
NEEDLESS_SPACE = re.compile(r"(\\[A-Za-z]+) (?![A-Za-z\d])")


def latex(tree: t.Tree) -> str:
    r"""Write a tree in LaTeX, for mathematics mode.

    Examples
    --------
    >>> from jacobi.notation.tree import MATRIX, VECTOR, Hadamard, Product, Symbol, Transpose
    >>> X, u, v = Symbol("X", MATRIX), Symbol("u", VECTOR), Symbol("v", VECTOR)
    >>> print(latex(Product((Transpose(Hadamard((u, v))), X))))
    (u\odot v)^{\top}X
    """
    return NEEDLESS_SPACE.sub(r"\1", Latex(tree).inside(tree))


def letter(name: str) -> str:
    """A name in LaTeX."""
    symbol = t.Symbol(name, t.SCALAR)
    return Latex(symbol).inside(symbol)


def derivative(above: str, below: str) -> str:
    """The derivative of one name by another in LaTeX, as a fraction."""
    return rf"\frac{{\mathrm d {letter(above)}}}{{\mathrm d {letter(below)}}}"


class Latex(Writer):
    """Writes LaTeX."""

    plus, minus, hadamard, kronecker, comma = "+", "-", r"\odot ", r"\otimes ", ","
    sigma, delta, ones = r"\sum", r"\delta", r"\mathbf 1"
    inverse_mark, transpose_mark, both_marks = "^{-1}", r"^{\top}", r"^{-\top}"
    trace_name, diagonal_name, diagonal_of_name = (rf"\operatorname{{{name}}}" for name in ("tr", "diag", "diagonal"))
    relations: ClassVar[dict[str, str]] = {
        ">": ">", "<": "<", ">=": r"\ge ", "<=": r"\le ", "==": "=", "!=": r"\ne ",
    }  # fmt: skip

    def name(self, name: str) -> str:
        """A letter, a Greek letter or a word; what follows an underscore, and digits, become a subscript."""
        found = re.fullmatch(r"(.*?[^\d_])_*(\d+)", name) or re.fullmatch(r"([^_]+)_+(.+)", name)
        if found:
            return f"{word(found[1])}_{{{word(found[2])}}}"
        return word(name)

    def function_name(self, name: str) -> str:
        """The name in the table, or the function's own, upright."""
        bare = name.removeprefix("\0")
        known = FUNCTIONS.get(bare, Function()).latex
        if known and bare == name and not ("sigma" in self.names and known == r"\sigma"):
            return known
        stem = bare.rstrip("'")
        primes = bare[len(stem) :]
        return (stem if len(stem) == 1 else rf"\operatorname{{{escaped(stem)}}}") + primes

    def subscript(self, base: str, indices: Sequence[str]) -> str:
        """``x_{i}``; a second subscript joins the first."""
        joined = ("" if all(len(index) == 1 for index in indices) else ",").join(map(self.name, indices))
        found = re.fullmatch(r"(\\?[^_\W]+)_\{([^{}]*)\}", base)
        return f"{found[1]}_{{{found[2]},{joined}}}" if found else f"{base}_{{{joined}}}"

    def superscript(self, base: str, exponent: t.Tree) -> str:
        """``x^{2}``."""
        return f"{base}^{{{self.inside(exponent)}}}"

    def entrywise_power(self, base: str, exponent: t.Tree) -> str:
        r"""``A^{\circ 3}``."""
        return rf"{base}^{{\circ {self.at_least(POSTFIX, exponent).text}}}"

    def group(self, text: str) -> str:
        r"""Parentheses; ``\left(`` and ``\right)`` around what is tall or has parentheses itself."""
        return rf"\left({text}\right)" if "(" in text or TALL.search(text) else f"({text})"

    def call(self, function: str, arguments: str) -> str:
        """``f(x, y)``."""
        return rf"{function}\left({arguments}\right)" if TALL.search(arguments) else f"{function}({arguments})"

    def mask_of(self, relation: str) -> str:
        r"""``\mathbf 1[z>0]``."""
        return rf"\mathbf 1\left[{relation}\right]" if TALL.search(relation) else rf"\mathbf 1[{relation}]"

    def norm_of(self, inside: str, mark: str) -> str:
        r"""``\lVert x\rVert``."""
        return rf"\lVert {inside}\rVert" + (f"_{mark}" if mark else "")

    def fraction(self, above: Written, below: Written, tight: bool = False) -> Written:
        r"""``\frac{a}{b}``; the sign of a product above goes in front."""
        sign = "-" if above.signed else ""
        return Written(rf"{sign}\frac{{{above.text[len(sign) :]}}}{{{below.text}}}", POSTFIX, bool(sign))

    def fraction_in_front(self, above: str, below: str) -> str:
        r"""``\frac{2}{N}``."""
        return rf"\frac{{{above}}}{{{below}}}"

    def number(self, value: Fraction | float) -> str:
        """Its digits, with a power of ten where Python writes one."""
        digits, power, exponent = str(value).partition("e")
        digits = {"inf": r"\infty ", "nan": r"\mathrm{nan}"}.get(digits, digits)
        return rf"({digits}\cdot 10^{{{int(exponent)}}})" if power else digits

    def beside(self, trees: Sequence[t.Tree], texts: Sequence[str]) -> str:
        """The factors without spaces, but for those that end a command."""
        result = ""
        for written in texts:
            command = re.search(r"\\[A-Za-z]+$", result) and written[:1].isalpha()
            digits = result[-1:].isdigit() and written[:1].isdigit()
            result += (" " if command else r"\cdot " if digits else "") + written
        return result


def word(name: str) -> str:
    """A name in mathematics: letters and digits as they are, Greek letters by command, words upright."""
    if name in GREEK:
        return "\\" + name
    return name if len(name) == 1 or name.isdigit() else rf"\mathrm{{{escaped(name)}}}"


def escaped(name: str) -> str:
    """A name in which underscores are printed."""
    return name.replace("_", r"\_")
