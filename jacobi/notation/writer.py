"""Writing trees for readers: the order of operations and parentheses, common to text and LaTeX.

From loose to tight: sums; entrywise and Kronecker products and quotients, which never meet without parentheses; matrix
products by juxtaposition; powers and transposes; what cannot be torn apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

from jacobi.notation import tree as t
from jacobi.notation.names import FUNCTIONS, Function
from jacobi.notation.parts import ONE, Coefficient, as_coefficient, coefficient, flattened, symbols

SUM, OPERATOR, PRODUCT, POSTFIX, ATOM = range(5)


class Written(NamedTuple):
    """Something written.

    Attributes
    ----------
    text : str
        How it is written.
    level : int
        How tightly it holds together.
    signed : bool
        Whether it starts with a minus sign, which a sum may take over.
    open : bool
        Whether it reaches to the right as far as it can, as ``sum_i`` does.
    """

    text: str
    level: int = ATOM
    signed: bool = False
    open: bool = False


class Writer:
    """Writes one tree; subclasses say what the signs look like."""

    plus = minus = hadamard = kronecker = sigma = delta = inverse_mark = transpose_mark = both_marks = ""
    relations: ClassVar[dict[str, str]] = {}
    trace_name = diagonal_name = diagonal_of_name = ones = comma = ""

    def __init__(self, tree: t.Tree):
        self.names = {symbol.name for symbol in symbols(tree)}

    # what subclasses say

    def name(self, name: str) -> str:
        """The name of a variable or a size."""
        raise NotImplementedError

    def function_name(self, name: str) -> str:
        """The name of a function, or its template."""
        raise NotImplementedError

    def subscript(self, base: str, indices: Sequence[str]) -> str:
        """Something with indices."""
        raise NotImplementedError

    def superscript(self, base: str, exponent: t.Tree) -> str:
        """A power."""
        raise NotImplementedError

    def entrywise_power(self, base: str, exponent: t.Tree) -> str:
        """A power of the entries of a matrix, which differs from that of the matrix."""
        raise NotImplementedError

    def group(self, text: str) -> str:
        """Parentheses."""
        raise NotImplementedError

    def call(self, function: str, arguments: str) -> str:
        """A function and its arguments."""
        raise NotImplementedError

    def mask_of(self, relation: str) -> str:
        """1 where a relation holds."""
        raise NotImplementedError

    def norm_of(self, inside: str, mark: str) -> str:
        """A norm; the mark says which, if it is not the Euclidean norm of a vector."""
        raise NotImplementedError

    def fraction(self, above: Written, below: Written, tight: bool = False) -> Written:
        """A quotient; a tight one is of numbers and sizes."""
        raise NotImplementedError

    def fraction_in_front(self, above: str, below: str) -> str:
        """A quotient of numbers and sizes as the coefficient of a product."""
        raise NotImplementedError

    def number(self, value: Fraction | float) -> str:
        """A number that is no fraction and has no sign."""
        raise NotImplementedError

    def beside(self, trees: Sequence[t.Tree], texts: Sequence[str]) -> str:
        """The factors of a product side by side."""
        raise NotImplementedError

    # what is common

    def write(self, tree: t.Tree) -> Written:
        """A tree, without parentheses around it."""
        return WRITERS[type(tree)](self, tree)

    def inside(self, tree: t.Tree) -> str:
        """A tree where any parentheses are already there."""
        return self.write(tree).text

    def at_least(self, level: int, tree: t.Tree, sign: bool = False, last: bool = False) -> Written:
        """A tree, in parentheses if it is looser than the level, or has a sign or an open end where none may be."""
        written = self.write(tree)
        tight = written.level >= level or (written.open and last and written.level >= PRODUCT)
        fits = tight and (sign or not written.signed) and (last or not written.open)
        return written if fits else Written(self.group(written.text))

    def quantity(self, number: Fraction | float, sizes: Iterable[str]) -> str:
        """A number times sizes."""
        texts = [self.name(name) for name in sizes]
        if number != 1 or not texts:
            texts = [self.number(number), *texts]
        return self.beside([t.Size(text) for text in texts], texts)

    def coefficient(self, found: Coefficient, in_front: bool) -> Written:
        """A coefficient without its sign, alone or in front of other factors; nothing in front if it is 1."""
        above = self.quantity(found.numerator, found.above)
        if in_front and found == ONE:
            return Written("")
        if found.denominator == 1 and not found.below:
            return Written(above, PRODUCT if len(found.above) + (found.numerator != 1) > 1 else ATOM)
        below = self.quantity(found.denominator, found.below)
        if in_front:
            return Written(self.fraction_in_front(above, below))
        compound = len(found.below) + (found.denominator != 1) > 1
        return self.fraction(Written(above, PRODUCT), Written(below, PRODUCT if compound else ATOM), tight=True)


def signed(written: Written, negative: bool) -> Written:
    """With a minus sign in front, or as it is."""
    return Written("-" + written.text, min(written.level, PRODUCT), True, written.open) if negative else written


def write_symbol(writer: Writer, tree: t.Symbol) -> Written:
    """Write ``x``, or ``x_i``."""
    name = writer.name(tree.name)
    return Written(writer.subscript(name, [tree.index]) if tree.index else name)


def write_coefficient(writer: Writer, tree: t.Tree) -> Written:
    """Write a number, a size, or what is made of them."""
    found = as_coefficient(tree) or ONE
    negative = found.number < 0
    return signed(writer.coefficient(-found if negative else found, in_front=False), negative)


def write_sum(writer: Writer, tree: t.Sum) -> Written:
    """Write ``a + b - c``; the sign of a term becomes that of the sum."""
    text = ""
    for written in map(writer.write, terms_of(tree)):
        if not text:
            text = written.text
        elif written.signed:
            text += writer.minus + written.text[1:]
        else:
            text += writer.plus + (writer.group(written.text) if written.level == SUM else written.text)
    return Written(text, SUM)


def terms_of(tree: t.Sum) -> Iterable[t.Tree]:
    """The terms, with those of sums among them."""
    for term in tree.terms:
        yield from terms_of(term) if isinstance(term, t.Sum) else [term]


def write_product(writer: Writer, tree: t.Product) -> Written:
    """Write ``(2/N) A x``: the coefficient, and the factors side by side."""
    found, factors = coefficient(flattened(tree.factors))
    if not factors:
        return write_coefficient(writer, tree)
    negative = found.number < 0
    front = writer.coefficient(-found if negative else found, in_front=True).text
    if not front and len(factors) == 1:
        only = writer.write(factors[0])
        if negative and (only.level == SUM or only.signed):
            only = Written(writer.group(only.text))
        return signed(only, negative)
    last = len(factors) - 1
    texts = [writer.at_least(POSTFIX, factor, last=k == last) for k, factor in enumerate(factors)]
    trees = [t.Number(Fraction(1)), *factors] if front else factors
    body = writer.beside(trees, ([front] if front else []) + [written.text for written in texts])
    return signed(Written(body, PRODUCT, open=texts[-1].open), negative)


def operator(sign: str, operands: Callable[[t.Tree], Iterable[t.Tree]]) -> Callable[[Writer, t.Tree], Written]:
    """Write operands with a sign between them; the sign of the first is that of the whole."""

    def write(writer: Writer, tree: t.Tree) -> Written:
        written = [writer.at_least(PRODUCT, part, sign=k == 0) for k, part in enumerate(operands(tree))]
        return Written(getattr(writer, sign).join(w.text for w in written), OPERATOR, written[0].signed)

    return write


def hadamard_factors(tree: t.Tree) -> Iterable[t.Tree]:
    """The factors, with those of entrywise products among them."""
    if isinstance(tree, t.Hadamard):
        for factor in tree.factors:
            yield from hadamard_factors(factor)
    else:
        yield tree


def kronecker_factors(tree: t.Tree) -> Iterable[t.Tree]:
    """The factors, with those of Kronecker products among them."""
    if isinstance(tree, t.Kronecker):
        yield from kronecker_factors(tree.left)
        yield from kronecker_factors(tree.right)
    else:
        yield tree


def write_quotient(writer: Writer, tree: t.Quotient) -> Written:
    """Write ``a / b``, entry by entry."""
    if as_coefficient(tree) is not None:
        return write_coefficient(writer, tree)
    return writer.fraction(writer.write(tree.numerator), writer.write(tree.denominator))


def write_power(writer: Writer, tree: t.Power) -> Written:
    """Write ``v^2``; of a matrix, ``A o A``."""
    if t.MATRIX not in (tree.base.kind, tree.exponent.kind):
        return Written(writer.superscript(writer.at_least(ATOM, tree.base).text, tree.exponent), POSTFIX)
    if tree.exponent == t.Number(Fraction(2)):
        return writer.write(t.Hadamard((tree.base, tree.base)))
    return Written(writer.entrywise_power(writer.at_least(ATOM, tree.base).text, tree.exponent), POSTFIX)


def write_apply(writer: Writer, tree: t.Apply) -> Written:
    """Write ``f(x, axis=0)``."""
    function = writer.function_name(tree.name)
    arguments = [writer.inside(argument) for argument in tree.arguments]
    level = POSTFIX if FUNCTIONS.get(tree.name, Function()).compound else ATOM
    if "{0}" in function and not tree.parameters:
        return Written(function.format(*arguments), level)
    if "{0}" in function:
        function = writer.function_name("\0" + tree.name)
    arguments += [f"{name}={value}" for name, value in tree.parameters]
    return Written(writer.call(function, writer.comma.join(arguments)), level)


def write_part(writer: Writer, tree: t.Part) -> Written:
    """Write ``x[1:]``."""
    return Written(f"{writer.at_least(ATOM, tree.of).text}[{tree.index}]")


def write_mask(writer: Writer, tree: t.Mask) -> Written:
    """Write ``1[z > 0]``."""
    left, right = writer.inside(tree.left), writer.inside(tree.right)
    return Written(writer.mask_of(left + writer.relations[tree.relation] + right))


def called(name: str, argument: str) -> Callable[[Writer, t.Tree], Written]:
    """Write a function of one tree, such as ``diag(v)``."""

    def write(writer: Writer, tree: t.Tree) -> Written:
        return Written(writer.call(getattr(writer, name), writer.inside(getattr(tree, argument))))

    return write


def write_transpose(writer: Writer, tree: t.Transpose) -> Written:
    """Write ``A^T``; that of an inverse has one mark for both."""
    if tree.of.kind == t.SCALAR:  # a transposed 1 would be read as the row of ones
        return writer.write(tree.of)
    inner, mark = tree.of, writer.transpose_mark
    if isinstance(inner, t.Inverse):
        inner, mark = inner.of, writer.both_marks
    return Written(writer.at_least(ATOM, inner).text + mark, POSTFIX)


def write_inverse(writer: Writer, tree: t.Inverse) -> Written:
    """Write ``A^-1``; that of a transpose has one mark for both."""
    inner, mark = tree.of, writer.inverse_mark
    if isinstance(inner, t.Transpose):
        inner, mark = inner.of, writer.both_marks
    return Written(writer.at_least(ATOM, inner).text + mark, POSTFIX)


def write_ones(writer: Writer, tree: t.Ones) -> Written:
    """Write the vector of ones."""
    return Written(writer.ones)


def write_identity(writer: Writer, tree: t.Identity) -> Written:
    """Write ``I``, with its size if that is also the name of a variable."""
    return Written(writer.subscript("I", [str(tree.size)]) if "I" in writer.names else "I")


def write_commutation(writer: Writer, tree: t.Commutation) -> Written:
    """Write ``K``, with its sizes if that is also the name of a variable."""
    return Written(writer.subscript("K", [str(tree.rows), str(tree.columns)]) if "K" in writer.names else "K")


def write_norm(writer: Writer, tree: t.Norm) -> Written:
    """Write the norm; that of a matrix says which."""
    mark = {"2": "2" if tree.of.kind == t.MATRIX else "", "fro": "F" if tree.of.kind == t.MATRIX else ""}[tree.order]
    return Written(writer.norm_of(writer.inside(tree.of), mark))


def write_entrywise(writer: Writer, tree: t.Entrywise) -> Written:
    """Write ``(sum_j A_ij v_j)_i``: the axes of the result are outside the parentheses."""
    used = {index for _, on in tree.factors for index in on} | set(tree.indices) | {index for index, _ in tree.sizes}
    axes: list[str] = []
    texts: list[str] = []
    for index in tree.indices:
        if index in axes:  # the axis gets a letter of its own, tied by a delta
            other = next(letter for letter in "ijklmnpqrstuvwxyzabcdefgh" if letter not in used)
            used.add(other)
            texts.append(writer.subscript(writer.delta, [index, other]))
            index = other
        axes.append(index)
    for factor, on in tree.factors:
        bare = isinstance(factor, t.Symbol) and not factor.index
        if on:
            text = writer.inside(factor)
            texts.append(writer.subscript(text if bare else writer.group(text), on))
        else:
            texts.append(writer.at_least(POSTFIX, factor).text)
    summed = dict.fromkeys(index for _, on in tree.factors for index in on if index not in tree.indices)
    signs = [writer.subscript(writer.sigma, [index]) for index in summed]
    body = " ".join([*signs, *texts]) or writer.number(Fraction(1))
    if tree.indices:
        return Written(writer.subscript(writer.group(body), axes))
    return Written(body, PRODUCT, open=bool(signs))


def write_sum_over(writer: Writer, tree: t.SumOver) -> Written:
    """Write ``sum_i body``."""
    body = writer.at_least(PRODUCT, tree.body, last=True).text
    return Written(f"{writer.subscript(writer.sigma, [tree.index])} {body}", PRODUCT, open=True)


WRITERS: dict[type[t.Tree], Callable[[Writer, Any], Written]] = {  # every function takes the type it stands under
    t.Symbol: write_symbol,
    t.Number: write_coefficient,
    t.Size: write_coefficient,
    t.Sum: write_sum,
    t.Product: write_product,
    t.Hadamard: operator("hadamard", hadamard_factors),
    t.Quotient: write_quotient,
    t.Power: write_power,
    t.Apply: write_apply,
    t.Mask: write_mask,
    t.Part: write_part,
    t.Diagonal: called("diagonal_name", "vector"),
    t.DiagonalOf: called("diagonal_of_name", "matrix"),
    t.Transpose: write_transpose,
    t.Inverse: write_inverse,
    t.Kronecker: operator("kronecker", kronecker_factors),
    t.Ones: write_ones,
    t.Identity: write_identity,
    t.Commutation: write_commutation,
    t.Trace: called("trace_name", "of"),
    t.Norm: write_norm,
    t.Entrywise: write_entrywise,
    t.SumOver: write_sum_over,
}
