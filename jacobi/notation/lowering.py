"""What every node of a tree is in NumPy: trees become the instructions of a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from jacobi.errors import InputError
from jacobi.notation import chains
from jacobi.notation import tree as t
from jacobi.notation.chains import Chains, Factor
from jacobi.notation.names import DEFINITIONS, identifier, source_of
from jacobi.notation.numerals import closed, is_plain_index, literal, numeral
from jacobi.notation.parts import ONE, Coefficient, as_coefficient, coefficient, symbols
from jacobi.notation.program import ATOM, COMPARISON, MATMUL, POWER, SUM, TIMES, Program

LETTERS = "ijklmnopqrstuvwxyzabcdefghABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Lowering:
    """Turns trees into the instructions of a program."""

    def __init__(self, signature: Sequence[str], sizes: Mapping[str, str], names: Mapping[str, t.Tree]):
        self.program = Program()
        self.chains = Chains(self.program)
        self.signature = set(signature)
        self.sizes = sizes
        self.names = names
        self.loops: set[str] = set()
        self.known: dict[t.Tree, tuple[bool, int]] = {}

    def code(self, tree: t.Tree) -> int:
        """The instruction for a tree; it may be a mask."""
        return self.negative(*self.signed(tree))

    def full(self, tree: t.Tree) -> int:
        """The instruction for a tree, as numbers."""
        return self.chains.numeric(self.code(tree))

    def signed(self, tree: t.Tree) -> tuple[bool, int]:
        """Whether there is a minus sign in front, and the instruction for the rest."""
        found = self.known.get(tree)
        if found is None:
            lowered = LOWERINGS[type(tree)](self, tree)
            found = self.known[tree] = lowered if isinstance(lowered, tuple) else (False, lowered)
        return found

    def negative(self, negative: bool, code: int) -> int:
        """With a minus sign in front, or as it is."""
        if not negative:
            return code
        code = first = self.chains.numeric(code)
        while self.program[first].template.startswith("{0} ") and not self.program[first].boolean:
            first = self.program[first].parts[0]
        # -(A @ v), since -A @ v would negate all of A, and -((z > 0) * v), since NumPy has no -(z > 0)
        need = POWER if self.program[code].level == MATMUL or self.program[first].boolean else TIMES
        return self.program.add("-{0}", code, level=TIMES, needs=(need,))

    def size(self, size: str | int) -> int:
        """The instruction for a size."""
        if str(size).isdigit():
            return self.program.add(str(size), cheap=True)
        if size not in self.sizes:
            raise InputError(f"There is no source for the size {size!r}: give it in sizes.")
        text = self.sizes[str(size)]
        level = ATOM if closed(text) else COMPARISON
        return self.program.add(text.replace("{", "{{").replace("}", "}}"), level=level, cheap=True)

    def number(self, value: Fraction | float) -> int:
        """The instruction for a number without sign."""
        return self.program.add(numeral(value), level=ATOM if closed(numeral(value)) else TIMES, cheap=True)

    def coefficient(self, found: Coefficient) -> int:
        """The instruction for a number times sizes over sizes."""
        above, below = ([self.size(name) for name in names] for names in (found.above, found.below))
        number = found.number
        if below and found.denominator != 1:
            number = found.numerator
            below = [self.number(Fraction(found.denominator)), *below]
        if number != 1 or not above:
            above = [self.number(number), *above]
        numerator = self.joined(above)
        if not below:
            return numerator
        return self.program.add("{0} / {1}", numerator, self.joined(below), level=TIMES, needs=(TIMES, POWER))

    def joined(self, codes: Sequence[int]) -> int:
        """The product of numbers or arrays, entry by entry."""
        product = codes[0]
        for code in codes[1:]:
            product = self.chains.times(product, code)
        return product

    # products

    def factors(self, tree: t.Tree, flipped: bool, scalars: list[t.Tree]) -> list[Factor]:
        """The factors of a tree, or of its transpose, as a matrix product; its scalars go to a list."""
        if tree.kind == t.SCALAR and not isinstance(tree, t.Product):
            scalars.append(tree)
            return []
        if isinstance(tree, t.Transpose) and not (isinstance(tree.of, t.Product) and tree.kind != t.MATRIX):
            return self.factors(tree.of, not flipped, scalars)
        if isinstance(tree, t.Product):
            found: list[Factor] = []
            for part in reversed(tree.factors) if flipped else tree.factors:
                if part.kind == t.SCALAR:
                    scalars.append(part)
                else:
                    found += self.factors(part, flipped, scalars)
            return found
        factor = self.factor(tree)
        return [self.chains.flipped(factor) if flipped else factor]

    def factor(self, tree: t.Tree) -> Factor:
        """A tree as one factor of a matrix product."""
        if isinstance(tree, t.Diagonal):
            return Factor(self.code(tree.vector), True, True, chains.DIAGONAL)
        if isinstance(tree, t.Inverse) and isinstance(tree.of, t.Diagonal):
            return self.factor(t.Diagonal(t.Quotient(t.Number(Fraction(1)), tree.of.vector)))
        if isinstance(tree, t.Inverse):
            return Factor(self.full(tree.of), True, True, chains.INVERSE)
        if isinstance(tree, t.Ones):
            return Factor(self.size(tree.size), True, False, chains.ONES)
        if isinstance(tree, t.Identity):
            return Factor(self.size(tree.size), True, True, chains.IDENTITY)
        if isinstance(tree, t.Commutation):
            rows, columns = self.size(tree.rows), self.size(tree.columns)
            return Factor(self._order(rows, columns), True, True, chains.COMMUTATION, self._order(columns, rows))
        if tree.kind == t.TENSOR:
            raise InputError("An array of more than two axes is no factor of a matrix product. Write it as Entrywise.")
        return Factor(self.code(tree), tree.kind in (t.VECTOR, t.MATRIX), tree.kind in (t.ROW, t.MATRIX))

    def _order(self, rows: int, columns: int) -> int:
        """Where ``vec(X^T)`` finds its entries in ``vec(X)``, in C order."""
        template = "np.arange({0} * {1}).reshape({0}, {1}).T.ravel()"
        return self.program.add(template, rows, columns, needs=(POWER, POWER))

    def scaled(self, scalars: list[t.Tree], factors: list[Factor], kind: str) -> tuple[bool, int]:
        """The product of scalars and factors: scalars meet what is smallest."""
        found, others = coefficient(scalars)
        negative = found.number < 0
        found = -found if negative else found
        codes = [self.coefficient(found)] if found != ONE or not (others or factors) else []
        codes += [self.code(other) for other in others]
        if not factors:
            return negative, self.joined(codes)
        if codes and kind == t.MATRIX:  # scale a vector rather than the matrix that it makes
            place = next((k for k, factor in enumerate(factors) if factor.slim), None)
            if place is not None:
                chosen = factors[place]
                scaled = chosen._replace(code=self.joined([*codes, chosen.code]))
                factors = [*factors[:place], scaled, *factors[place + 1 :]]
                codes = []
        return negative, self.joined([*codes, self.chains.array(self.chains.product(factors))])


def lower_chain(lowering: Lowering, tree: t.Tree) -> tuple[bool, int]:
    """Lower all that takes part in matrix products."""
    scalars: list[t.Tree] = []
    if isinstance(tree, t.Transpose) and tree.kind in (t.SCALAR, t.VECTOR, t.ROW):  # one axis, whichever way it lies
        return lowering.signed(tree.of)
    factors = lowering.factors(tree, False, scalars)
    return lowering.scaled(scalars, factors, tree.kind)


def lower_symbol(lowering: Lowering, tree: t.Symbol) -> int:
    """Lower ``x``, or ``x[i]``."""
    rows, index = _rows(lowering, tree), _index(lowering, tree.index)
    return lowering.program.add(f"{{0}}[{index}]", rows, needs=(ATOM,), cheap=True, loop=index) if index else rows


def _rows(lowering: Lowering, tree: t.Symbol) -> int:
    """The array that a symbol names, or of whose rows it names one: ``x_i`` is one of ``x``, else of ``X``."""
    name = tree.name
    if tree.index and name not in lowering.signature and name not in lowering.names:
        name = name.upper()
    if name in lowering.names:
        return lowering.code(lowering.names[name])
    if name not in lowering.signature:
        raise InputError(f"The formula has the symbol {tree.name!r}, which is no argument. Add it to the arguments.")
    return lowering.program.add(identifier(name), cheap=True)


def _index(lowering: Lowering, index: str) -> str:
    """The variable of a loop over an index."""
    if index:
        identifier(index)
        while index in lowering.signature or index in lowering.names:
            index += "_"
        lowering.loops.add(index)
    return index


def lower_coefficient(lowering: Lowering, tree: t.Tree) -> tuple[bool, int]:
    """Lower a number or a size."""
    found = as_coefficient(tree) or ONE
    negative = found.number < 0
    return negative, lowering.coefficient(-found if negative else found)


def lower_sum(lowering: Lowering, tree: t.Sum) -> int:
    """Lower ``a + b - c``."""
    code = lowering.full(tree.terms[0])
    for term in tree.terms[1:]:
        negative, part = lowering.signed(term)
        template, need = ("{0} - {1}", TIMES) if negative else ("{0} + {1}", SUM + 1)
        code = lowering.program.add(template, code, lowering.chains.numeric(part), level=SUM, needs=(SUM, need))
    return code


def lower_hadamard(lowering: Lowering, tree: t.Hadamard) -> int:
    """Lower the product entry by entry."""
    return lowering.joined([lowering.code(factor) for factor in tree.factors])


def lower_quotient(lowering: Lowering, tree: t.Quotient) -> tuple[bool, int]:
    """Lower the quotient entry by entry."""
    if as_coefficient(tree) is not None:
        return lower_coefficient(lowering, tree)
    negative, above = lowering.signed(tree.numerator)
    below = lowering.full(tree.denominator)
    above = lowering.chains.numeric(above)
    return negative, lowering.program.add("{0} / {1}", above, below, level=TIMES, needs=(TIMES, POWER))


def lower_power(lowering: Lowering, tree: t.Power) -> int:
    """Lower the power: no negative integer, which NumPy refuses for integers, and a root where it is one."""
    exponent = tree.exponent.value if isinstance(tree.exponent, t.Number) else None
    base = lowering.full(tree.base)
    if exponent is not None and exponent < 0:
        below = lowering.full(t.Power(tree.base, t.Number(-exponent)))
        return lowering.program.add("1 / {0}", below, level=TIMES, needs=(POWER,))
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return lowering.program.add("np.sqrt({0})", base)
    return lowering.program.add("{0}**{1}", base, lowering.full(tree.exponent), level=POWER, needs=(ATOM, ATOM))


def lower_apply(lowering: Lowering, tree: t.Apply) -> int | tuple[bool, int]:
    """Lower a function: by its definition, or by its name in NumPy or SciPy."""
    if tree.name in DEFINITIONS and not tree.parameters:
        return lowering.signed(DEFINITIONS[tree.name](*tree.arguments))
    name, module = source_of(tree.name, lowering.signature)
    called = f"{name}_function" if module and name in lowering.signature | set(lowering.names) else name
    arguments = [lowering.code(argument) for argument in tree.arguments]
    if tree.name != "where":
        arguments = [lowering.chains.numeric(argument) for argument in arguments]
    slots = [f"{{{k}}}" for k in range(len(arguments))]
    slots += [f"{identifier(parameter)}={literal(value)}" for parameter, value in tree.parameters]
    template = called.replace("{0}", ", ".join(slots)) if "{0}" in called else f"{called}({', '.join(slots)})"
    return lowering.program.add(template, *arguments, imports=(module, name, called) if module else ())


def lower_part(lowering: Lowering, tree: t.Part) -> int:
    """Lower ``x[1:]``: a view, if the index is made of numbers and slices."""
    if not is_plain_index(tree.index):
        raise InputError(f"{tree.index!r} cannot be an index in source: numbers and slices can.")
    return lowering.program.add(f"{{0}}[{tree.index}]", lowering.full(tree.of), needs=(ATOM,), cheap=True)


def lower_mask(lowering: Lowering, tree: t.Mask) -> int:
    """Lower the mask to a comparison."""
    if tree.relation not in (">", "<", ">=", "<=", "==", "!="):
        raise InputError(f"{tree.relation!r} is no relation.")
    template = f"{{0}} {tree.relation} {{1}}"
    sides = lowering.full(tree.left), lowering.full(tree.right)
    return lowering.program.add(template, *sides, level=COMPARISON, needs=(SUM, SUM), boolean=True)


def lower_diagonal_of(lowering: Lowering, tree: t.DiagonalOf) -> int:
    """Lower the diagonal of a matrix."""
    if isinstance(tree.matrix, t.Diagonal):
        return lowering.code(tree.matrix.vector)
    if isinstance(tree.matrix, t.Product):
        scalars: list[t.Tree] = []
        factors = lowering.factors(tree.matrix, False, scalars)
        if len(factors) > 1 and not scalars and all(factor.form == chains.FULL for factor in factors):
            return lowering.chains.diagonal_of_product(factors)
    return lowering.chains.diagonal(lowering.full(tree.matrix))


def lower_kronecker(lowering: Lowering, tree: t.Kronecker) -> int:
    """Lower the Kronecker product; a vector beside a matrix gets its second axis."""
    kinds = tree.left.kind, tree.right.kind
    left, right = lowering.full(tree.left), lowering.full(tree.right)
    if t.SCALAR in kinds:
        return lowering.chains.times(left, right)
    if set(kinds) == {t.VECTOR, t.ROW}:
        column, row = (left, right) if kinds[0] == t.VECTOR else (right, left)
        return lowering.program.add("np.outer({0}, {1})", column, row)
    if t.MATRIX in kinds:
        views = {t.VECTOR: "{0}[:, None]", t.ROW: "{0}[None, :]"}
        left, right = (
            lowering.program.add(views[kind], code, needs=(ATOM,), cheap=True) if kind in views else code
            for kind, code in zip(kinds, (left, right), strict=True)
        )
    return lowering.program.add("np.kron({0}, {1})", left, right)


def lower_trace(lowering: Lowering, tree: t.Trace) -> tuple[bool, int]:
    """Lower the trace: of ``A B`` without the product."""
    scalars: list[t.Tree] = []
    factors = lowering.factors(tree.of, False, scalars)
    negative, scale = lowering.scaled(scalars, [], t.SCALAR)
    trace = lowering.chains.trace(factors)
    return negative, trace if scalars == [] else lowering.chains.times(scale, trace)


def lower_norm(lowering: Lowering, tree: t.Norm) -> int:
    """Lower the norm: of a matrix, ``"2"`` is the largest singular value."""
    template = {"fro": "np.linalg.norm({0})", "2": "np.linalg.norm({0})"}.get(tree.order)
    if template is None:
        raise InputError(f"There is no source for the norm {tree.order!r}.")
    if tree.order == "2" and tree.of.kind == t.MATRIX:
        template = "np.linalg.norm({0}, 2)"
    return lowering.program.add(template, lowering.full(tree.of))


def lower_entrywise(lowering: Lowering, tree: t.Entrywise) -> tuple[bool, int]:
    """Lower index notation to ``np.einsum``: a delta is an identity, and an index on no factor runs over ones."""
    sizes = dict(tree.sizes)
    used = dict.fromkeys([*(index for _, on in tree.factors for index in on), *tree.indices, *sizes])
    names = dict(zip(used, LETTERS, strict=False))
    spare = iter(LETTERS[len(names) :])
    operands = [(lowering.full(factor), "".join(names[k] for k in on)) for factor, on in tree.factors if on]
    result = ""
    for index in tree.indices:
        letter = names[index]
        if letter in result:
            other = next(spare)
            operands.append((lowering.program.add("np.eye({0})", lowering.size(sizes[index])), letter + other))
            letter = other
        result += letter
    for index, letter in names.items():
        if not any(letter in letters for _, letters in operands):
            operands.append((lowering.program.add("np.ones({0})", lowering.size(sizes[index])), letter))
    negative, scale = lowering.scaled([factor for factor, on in tree.factors if not on], [], t.SCALAR)
    if not operands:
        return negative, scale
    if len(operands) == 1 and operands[0][1] == result:
        array = operands[0][0]
    else:
        subscripts = ",".join(letters for _, letters in operands)
        slots = "".join(f", {{{k}}}" for k in range(len(operands)))
        path = ", optimize=True" if len(operands) > 2 else ""
        template = f'np.einsum("{subscripts}->{result}"{slots}{path})'
        array = lowering.program.add(template, *(code for code, _ in operands))
    return negative, array if all(on for _, on in tree.factors) else lowering.chains.times(scale, array)


def lower_sum_over(lowering: Lowering, tree: t.SumOver) -> int:
    """Lower ``sum_i body`` to a sum over the rows of the first array that has the index."""
    first = next((symbol for symbol in symbols(tree.body) if symbol.index == tree.index), None)
    if first is None:
        raise InputError(f"Nothing under the sum over {tree.index} has that index, so that its end is not known.")
    index = _index(lowering, tree.index)
    template = f"sum({{0}} for {index} in range(len({{1}})))"
    return lowering.program.add(template, lowering.full(tree.body), _rows(lowering, first), closes=index)


LOWERINGS: dict[type[t.Tree], Callable[[Lowering, Any], int | tuple[bool, int]]] = {
    t.Symbol: lower_symbol,
    t.Number: lower_coefficient,
    t.Size: lower_coefficient,
    t.Sum: lower_sum,
    t.Product: lower_chain,
    t.Hadamard: lower_hadamard,
    t.Quotient: lower_quotient,
    t.Power: lower_power,
    t.Apply: lower_apply,
    t.Mask: lower_mask,
    t.Part: lower_part,
    t.Diagonal: lower_chain,
    t.DiagonalOf: lower_diagonal_of,
    t.Transpose: lower_chain,
    t.Inverse: lower_chain,
    t.Kronecker: lower_kronecker,
    t.Ones: lower_chain,
    t.Identity: lower_chain,
    t.Commutation: lower_chain,
    t.Trace: lower_trace,
    t.Norm: lower_norm,
    t.Entrywise: lower_entrywise,
    t.SumOver: lower_sum_over,
}
