"""The steps of a derivation: intermediate variables, their local Jacobians, the chain rule, the substitution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from jacobi.derivation.algebra import added, from_leaf, replaced, times
from jacobi.derivation.derivation import Line
from jacobi.derivation.expression import Call, Draft, Expression, Group, Leaf, Term, Variable
from jacobi.derivation.identities import Identity
from jacobi.derivation.meaning import Meaning, squeezed
from jacobi.derivation.reading import Reader
from jacobi.derivation.simplify import shape_of, simplified
from jacobi.derivation.tracing import Traced
from jacobi.differentiate.accumulate import local_jacobians
from jacobi.expressions import Step
from jacobi.notation.compose import product
from jacobi.notation.latex import derivative, latex, letter
from jacobi.notation.parts import parts
from jacobi.notation.text import text
from jacobi.notation.tree import Entrywise, Kronecker, Sum, Tree

NAMES = ("z", "a", "v", "s", "u", "p", "q", "r", "t", "g", "h")
SUMS = (np.add, np.subtract)
INNER = (np.matmul, np.dot, np.inner, np.einsum, np.tensordot, np.multiply, np.negative)
QUIET = (np.reshape, np.transpose, np.ravel, np.negative, np.positive, np.copy, np.swapaxes, np.diagonal, np.squeeze)


class Story:
    """The way from a traced program to the formula of its derivative.

    Parameters
    ----------
    found : Traced
        The program.
    wrt : str
        The argument to differentiate by.
    reader : Reader
        Turns expressions into trees.
    meaning : Meaning
        The meaning of the steps in terms of the arguments.
    assumed : sequence of Identity
        What is assumed of the arguments.
    """

    def __init__(self, found: Traced, wrt: str, reader: Reader, meaning: Meaning, assumed: Sequence[Identity]):
        self.found, self.wrt, self.reader, self.meaning, self.assumed = found, wrt, reader, meaning, assumed
        self.source, self.output = found.inputs[wrt], found.output
        self.locals = local_jacobians(found.trace(), self.output, [self.source])
        self.used: list[str] = []
        self.names = self.named_steps()
        self.inside = meaning.named({**meaning.names, **self.names})
        for number, name in sorted(self.names.items()):
            definition = squeezed(self.inside._of(found.graph.steps[number]))
            if any(term.factors for term in definition.terms):
                self.inside.recognised.setdefault(definition, name)
        self.edges = self.named_edges()

    # names

    def named_steps(self) -> dict[int, str]:
        """The steps that get a name in the derivation, in their order; the output is among them."""
        taken = {*self.found.inputs, *self.found.named.values(), *self.reader.letters.values()}
        pool = [name for name in (*NAMES, *(f"t{k}" for k in range(1, 100))) if name not in taken]
        consumers: dict[int, list[Step]] = {}
        for number in self.locals:
            for parent, _ in self.locals[number]:
                consumers.setdefault(parent, []).append(self.found.graph.steps[number])
        names: dict[int, str] = {}
        for number in sorted(self.locals):
            step = self.found.graph.steps[number]
            if number == self.output.number:
                continue
            if number in self.found.named:
                names[number] = self.found.named[number]
            elif not self.merged(step, consumers.get(number, [])):
                names[number] = pool.pop(0)
        if self.output.number != self.source.number:
            names[self.output.number] = self.result_name(taken | set(names.values()))
        return names

    def merged(self, step: Step, consumers: list[Step]) -> bool:
        """Whether a step is written inside the next one: a product inside a sum, and what only moves entries."""
        function = getattr(step.operation, "function", None)
        if function in QUIET:
            return True
        following = [getattr(consumer.operation, "function", None) for consumer in consumers]
        return len(consumers) == 1 and function in INNER and following[0] in (*SUMS, *INNER[:-1])

    def result_name(self, taken: set[str]) -> str:
        """What the result is called."""
        given = self.found.sizes.program.result
        if given:
            return given
        wanted = ("C", "L", "J", "f") if np.size(self.output.value) == 1 else ("f", "F", "y", "g")
        return next(name for name in wanted if name not in taken)

    # local derivatives between names

    def named_edges(self) -> dict[int, list[tuple[int, Expression]]]:
        """The local Jacobians of the named steps by the named steps and the source, simplified; later steps first."""
        result: dict[int, list[tuple[int, Expression]]] = {}
        for number in sorted(self.names, reverse=True):
            reached: dict[int, Expression] = {}
            waiting: dict[int, Expression | None] = {number: None}
            while waiting:
                current = max(waiting)
                so_far = waiting.pop(current)
                for parent, local in self.locals.get(current, []):
                    part = self.inside.local(self.found.graph.steps[current], parent, local)
                    middle = len(np.shape(self.found.graph.steps[current].value))
                    new = part if so_far is None else times(so_far, part, middle)
                    goal: Any = reached if parent in self.names or parent == self.source.number else waiting
                    known = goal.get(parent)
                    goal[parent] = new if known is None else added(known, new)
            result[number] = [(parent, self.tidy(local)) for parent, local in sorted(reached.items())]
        return result

    def tidy(self, expression: Expression, used: list[str] | None = None) -> Expression:
        """The expression simplified; the identities are noted."""
        found: list[str] = [] if used is None else used
        result = simplified(expression, found, self.assumed)
        self.used += [statement for statement in found if statement not in self.used]
        return result

    def accumulate(self) -> tuple[dict[int, Expression], Expression | None]:
        """The derivative of the output by every named step, and by the source, in terms of the named steps."""
        adjoint: dict[int, Expression | None] = {self.output.number: None}
        told: dict[int, Expression] = {}
        for number, found in self.edges.items():
            if number not in adjoint:
                continue
            so_far = adjoint.pop(number)
            if so_far is not None:
                so_far = told[number] = self.tidy(so_far)
            for parent, local in found:
                middle = len(np.shape(self.found.graph.steps[number].value))
                new = local if so_far is None else times(so_far, local, middle)
                known = adjoint.get(parent)
                adjoint[parent] = new if known is None else added(known, new)
        last = adjoint.get(self.source.number)
        return told, None if last is None else self.tidy(last)

    def result(self) -> Expression:
        """The derivative in terms of the arguments."""
        self.told, self.last = self.accumulate()
        if self.last is None:
            shape = (*np.shape(self.output.value), *np.shape(self.source.value))
            if self.output.number == self.source.number:
                return from_identity(shape)
            return Expression(shape, ())
        expression = self.last
        for number in sorted(self.names, reverse=True):
            expression = replaced_name(expression, self.names[number], self.definition(number))
        self.substituted = expression
        return self.tidy(expression)

    def definition(self, number: int) -> Expression:
        """What a named step is, in terms of the others."""
        return self.tidy(squeezed(self.inside._of(self.found.graph.steps[number])))

    # lines

    def lines(self) -> tuple[Line, ...]:
        """The derivation as equations."""
        if self.last is None:
            return ()
        return (*self.variables(), *self.local_derivatives(), *self.chain(), *self.substitution())

    def variables(self) -> list[Line]:
        """The intermediate variables."""
        found = []
        for number in sorted(self.names):
            step = self.found.graph.steps[number]
            body = self.reader.array(self.definition(number))
            shape = tuple(self.reader.size(size) for size in np.shape(step.value))
            name = self.names[number]
            found.append(Line("variable", name, text(body), shape, "", f"{letter(name)} = {latex(body)}"))
        return found

    def local_derivatives(self) -> list[Line]:
        """Their derivatives by each other."""
        found = []
        for number in sorted(self.edges):
            for parent, local in self.edges[number]:
                outer = len(np.shape(self.found.graph.steps[number].value))
                body = self.reader.jacobian(local, outer)
                found.append(self.equation("local derivative", number, parent, body, local))
        return found

    def equation(self, part: str, above: int, below: int, body: Tree, J: Expression, rule: str = "") -> Line:
        """The derivative of one name by another."""
        one, other = self.name(above), self.name(below)
        outer = len(np.shape(self.found.graph.steps[above].value))
        shape = tuple(self.side(J.shape[:outer])), tuple(self.side(J.shape[outer:]))
        sides = tuple(" ".join(side) if side else 1 for side in shape)
        return Line(part, f"d{one}/d{other}", text(body), sides, rule, f"{derivative(one, other)} = {latex(body)}")

    def side(self, shape: tuple[int, ...]) -> list[str]:
        """The letters of one side of a Jacobian."""
        return [str(self.reader.size(size)) for size in shape if size != 1]

    def name(self, number: int) -> str:
        """The name of a step."""
        return self.wrt if number == self.source.number else self.names[number]

    def chain(self) -> list[Line]:
        """The chain rule, from the output to the argument."""
        found: list[Line] = []
        outer = len(np.shape(self.output.value))
        path = self.only_path()
        top = self.name(self.output.number)
        if path is not None and len(path) > 2:
            pairs = [(self.name(a), self.name(b)) for a, b in pairwise(path)]
            written = "".join(derivative(*pair) for pair in pairs)
            left, factors = f"d{top}/d{self.wrt}", " ".join(f"d{a}/d{b}" for a, b in pairs)
            equation = f"{derivative(top, self.wrt)} = {written}"
            found.append(Line("chain rule", left, factors, (), "chain rule", equation))
            matrices: list[str] = []
            in_latex: list[str] = []
            for a, b in pairwise(path):
                local = dict(self.edges[a])[b]
                factor = self.reader.jacobian(local, len(np.shape(self.found.graph.steps[a].value)))
                inside = isinstance(factor, (Sum, Kronecker)) or (bool(matrices) and text(factor).startswith("-"))
                matrices.append(f"({text(factor)})" if inside else text(factor))
                in_latex.append(rf"\left({latex(factor)}\right)" if inside else latex(factor))
            found.append(Line("chain rule", "", " · ".join(matrices), (), "", "= " + r" \cdot ".join(in_latex)))
        for number in sorted(self.told, reverse=True):
            body = self.reader.jacobian(self.told[number], outer)
            found.append(self.equation("chain rule", self.output.number, number, body, self.told[number]))
        if self.last is not None:
            body = self.reader.jacobian(self.last, outer)
            found.append(self.equation("chain rule", self.output.number, self.source.number, body, self.last))
        return found

    def product(self) -> Tree | None:
        """The Jacobian as the product of the local ones, where it can be written so; the names are substituted."""
        path = self.only_path()
        if path is None:
            return None
        factors = []
        for a, b in pairwise(path):
            local = dict(self.edges[a])[b]
            for number in sorted(self.names, reverse=True):
                local = replaced_name(local, self.names[number], self.definition(number))
            factors.append(self.reader.jacobian(self.tidy(local), len(np.shape(self.found.graph.steps[a].value))))
        whole = product(factors)
        return None if any(isinstance(part, Entrywise) for part in parts(whole)) else whole

    def only_path(self) -> list[int] | None:
        """The steps from the output to the argument, if there is only one way."""
        path = [self.output.number]
        while path[-1] != self.source.number:
            below = self.edges.get(path[-1], [])
            if len(below) != 1:
                return None
            path.append(below[0][0])
        return path

    def substitution(self) -> list[Line]:
        """The names replaced by what they stand for, with the identities that were used."""
        outer = len(np.shape(self.output.value))
        top = self.name(self.output.number)
        before = self.reader.jacobian(self.substituted, outer)
        identities: list[str] = []
        after = self.reader.jacobian(self.tidy(self.substituted, identities), outer)
        left = f"d{top}/d{self.wrt}"
        equation = f"{derivative(top, self.wrt)} = {latex(before)}"
        lines = [Line("substitution", left, text(before), (), "definitions", equation)]
        if after != before:
            lines.append(Line("substitution", "", text(after), (), "; ".join(identities), f"= {latex(after)}"))
        return lines


def from_identity(shape: tuple[int, ...]) -> Expression:
    """The identity between two arrays of the same shape."""
    draft = Draft()
    axes = tuple(draft.axis(size) for size in shape[: len(shape) // 2])
    return Expression(shape, (draft.finish(axes + axes),))


def replaced_name(expression: Expression, name: str, definition: Expression) -> Expression:
    """The expression with a definition in place of a name, also inside functions and parentheses."""
    body = definition if len(definition.terms) <= 1 else from_leaf(Group(definition), definition.shape)

    def change(leaf: Leaf, term: Term) -> Expression | None:

        if leaf == Variable(name):
            return body
        if isinstance(leaf, Group):
            inside = replaced_name(leaf.inside, name, definition)
            if inside == leaf.inside:
                return None
            return from_leaf(Group(inside), inside.shape) if len(inside.terms) > 1 else inside
        if isinstance(leaf, Call):
            arguments = tuple(replaced_name(argument, name, definition) for argument in leaf.arguments)
            if arguments == leaf.arguments:
                return None
            return from_leaf(Call(leaf.name, arguments, leaf.parameters, leaf.elementwise), shape_of(leaf, term))
        return None

    return replaced(expression, change)
