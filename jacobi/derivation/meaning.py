"""What the steps of a traced function and its local Jacobians mean in index notation.

There is no second table of operations: an operation that is linear in an operand is its own local Jacobian times that
operand, so the rules tell what sums, products, transposes and contractions are.  All others stay functions.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.derivation.algebra import (
    added,
    broadcast,
    constant,
    from_leaf,
    identity,
    multiplied,
    multiply,
    number_of,
    reshaped,
    scaled,
    single,
    times,
    variable,
)
from jacobi.derivation.expression import Axes, Call, Digits, Draft, Expression, Term, Unreadable, collected
from jacobi.derivation.linear_maps import named_local
from jacobi.derivation.selections import side_axes
from jacobi.expressions import Graph, Node, Step
from jacobi.matrix import Jacobian
from jacobi.matrix.arrays import indicator
from jacobi.matrix.term import Term as MatrixTerm
from jacobi.rules.elementwise import quotient
from jacobi.rules.operations import Elementwise

# Operations that are linear in their first operand, and those that are linear in all operands together.
LINEAR = (
    np.negative, np.positive, np.conjugate, np.multiply, np.divide, quotient, np.sum, np.mean, np.matmul, np.dot,
    np.inner, np.tensordot, np.einsum, np.kron, np.transpose, np.swapaxes, np.moveaxis, np.reshape, np.ravel,
    np.squeeze, np.expand_dims, np.broadcast_to, np.diagonal, np.copy, np.diag,
)  # fmt: skip
JOINTLY_LINEAR = (np.add, np.subtract)
MOST_TERMS = 200


class Meaning:
    """The meaning of the steps of one graph.

    Parameters
    ----------
    graph : Graph
        The graph; steps that the rules record on the way are added to it.
    names : mapping
        The name of every step that is written as a variable, by its number.
    """

    def __init__(self, graph: Graph, names: Mapping[int, str], sizes: Iterable[int] = ()):
        self.graph = graph
        self.sizes = set(sizes)  # numbers that stand for letters: no array of constants has them
        self.names = dict(names)
        self.constants: dict[str, Any] = {}  # arrays that are neither arguments nor numbers, by the name they got
        self.known: dict[int, Expression] = {}
        self.traced = len(graph.steps)  # later steps are those of rules
        self.recognised: dict[Any, str] = {}  # the names of definitions, axes of length 1 left out

    def of(self, step: Step) -> Expression:
        """The meaning of a step."""
        if step.number in self.names:
            shape = np.shape(step.value)
            if step.operation is None:
                return variable(self.names[step.number], shape)
            return reshaped(variable(self.names[step.number], without_ones(shape)), shape)
        found = self.known.get(step.number)
        if found is None:
            found = self._of(step)
            if found.shape != np.shape(step.value):
                raise Unreadable(f"the shape of {step}")
            name = self.recognised.get(squeezed(found))
            if name is not None:
                found = reshaped(variable(name, squeezed(found).shape), found.shape)
            self.known[step.number] = found
        return found

    def named(self, names: Mapping[int, str]) -> Meaning:
        """The same graph, with other steps written as variables."""
        other = Meaning(self.graph, names, self.sizes)
        other.constants, other.traced = self.constants, self.traced
        return other

    def argument(self, value: Any) -> Expression:
        """The meaning of an argument of a step: a step, a number, or an array of constants."""
        if isinstance(value, Node):
            value = value.current()
        if isinstance(value, Step):
            return self.of(value)
        array = np.asarray(value)
        if array.size and (array == array.flat[0]).all():
            return constant(array.flat[0], array.shape)
        for name, known in self.constants.items():
            if known.shape == array.shape and np.array_equal(known, array):
                return variable(name, array.shape)
        known_matrix = triangle(array) or multiple_of_identity(array)
        if known_matrix is not None:
            return known_matrix
        for rows in self.sizes if array.ndim == 1 else ():  # a matrix, flattened
            matrix = array.reshape(rows, -1) if array.size % rows == 0 and array.size > rows else array
            found = triangle(matrix) or multiple_of_identity(matrix)
            if found is not None:
                return reshaped(found, array.shape)
        if any(size % letter == 0 for size in array.shape for letter in self.sizes if size):
            raise Unreadable("an array of numbers whose size is a letter")
        name = f"c{len(self.constants) + 1}"
        self.constants[name] = array
        return variable(name, array.shape)

    def _of(self, step: Step) -> Expression:
        if step.operation is None:
            return self.argument(step.value)
        operation: Any = step.operation
        function = operation.function
        shape = np.shape(step.value)
        if function in JOINTLY_LINEAR:
            signs = (1, 1) if function is np.add else (1, -1)
            return added(*(scaled(self.argument(a), s) for a, s in zip(step.arguments, signs, strict=True)))
        if function is np.square:
            base = self.argument(step.arguments[0])
            return multiplied(base, base)
        if function in (np.reciprocal, np.divide, quotient) and isinstance(step.arguments[-1], (Step, Node)):
            below = self.argument(step.arguments[-1])
            above = constant(1) if function is np.reciprocal else self.argument(step.arguments[0])
            return multiplied(above, inverted(below))
        if function in (np.power, np.float_power):
            return self._power(step)
        if function is operator.getitem:
            return self._part(step)
        if function is np.multiply:
            return multiplied(*(self.argument(a) for a in step.arguments))
        if function is np.concatenate and len(shape) == 1:
            parts = [squeezed(self.argument(a)) for a in step.arguments]
            return reduce(lambda one, other: appended(one, other), parts)
        if function in (np.concatenate, np.stack):
            return added(*(self._part_of_join(step, k) for k in range(len(step.arguments))))
        if function in LINEAR:
            try:
                return self._linear(step)
            except Unreadable:
                pass
        of_a_rule = function is indicator and step.number >= self.traced
        if of_a_rule and step.keywords["comparison"] is np.equal and ties_by_chance(*step.arguments):
            return constant(0, shape)
        arguments = tuple(self.argument(a) for a in step.arguments)
        arguments, keywords = without_single_axes(arguments, dict(step.keywords))
        parameters = tuple(sorted((k, plain(v)) for k, v in keywords.items() if k not in SILENT_PARAMETERS))
        elementwise = isinstance(operation, Elementwise) or function is indicator
        name = function_name(operation.name)
        if function is indicator:
            name, parameters = "indicator", (("relation", step.keywords["comparison"].__name__),)
        if elementwise:
            return acting(name, arguments, parameters, shape)
        return reshaped(from_leaf(Call(name, arguments, parameters, False), without_ones(shape)), shape)

    def _part(self, step: Step) -> Expression:
        """An entry, a slice or a new axis of an array."""
        index = step.keywords["index"]
        parts = index if isinstance(index, tuple) else (index,)
        base = single(self.argument(step.arguments[0]))
        if any(isinstance(part, np.ndarray) for part in parts):
            raise Unreadable("positions that are given by numbers")
        if all(part is None or part is Ellipsis or part == slice(None) for part in parts):
            return reshaped(base, np.shape(step.value))
        if any(part is None for part in parts):
            raise Unreadable("a part of an array with a new axis")
        return from_leaf(Call("indexing", (base,), (("index", plain(index)),), elementwise=False), np.shape(step.value))

    def _power(self, step: Step) -> Expression:
        base, exponent = (self.argument(a) for a in step.arguments)
        number = number_of(exponent)
        if number is not None:
            if number == 0.5:
                return from_leaf(Call("sqrt", (base,)), base.shape)
            if isinstance(number, Fraction) and number.denominator == 1 and 0 < number <= 8:
                return multiplied(*([base] * int(number))) if number > 1 else base
            if number == -1:
                return inverted(base)
        return from_leaf(Call("power", (base, exponent)), np.shape(step.value))

    def _linear(self, step: Step) -> Expression:
        """An operation that is linear in its first operand: its local Jacobian times the operand."""
        operation: Any = step.operation
        first = next((k for k, a in enumerate(step.arguments) if isinstance(a, Step)), 0)
        if operation.function in (np.divide, quotient):
            first = 0
        nodes = [Node(self.graph, a) if type(a) is Step else a for a in step.arguments]
        (local,) = operation.locals([first], Node(self.graph, step), nodes, step.keywords, [first])
        whole = self.argument(step.arguments[first])
        operand = whole if operation.function in MULTIPLIED_OUT else single(whole)
        return times(self.tensor(local), operand, len(local.in_shape))

    def _part_of_join(self, step: Step, k: int) -> Expression:
        """What one of the arrays that are joined contributes: the others are zero."""
        operation: Any = step.operation
        nodes = [Node(self.graph, a) if type(a) is Step else np.asarray(a) for a in step.arguments]
        (local,) = operation.locals([k], Node(self.graph, step), nodes, step.keywords, [k])
        return times(self.tensor(local), single(self.argument(step.arguments[k])), len(local.in_shape))

    def local(self, step: Step, parent: int, local: Jacobian) -> Expression:
        """The local Jacobian of a step by one of its operands."""
        place = next(k for k, a in enumerate(step.arguments) if type(a) is Step and a.number == parent)
        named = named_local(step, place, self.argument)
        return self.tensor(local) if named is None else named

    def tensor(self, local: Jacobian) -> Expression:
        """A Jacobian as an array with the axes of the output and of the input."""
        shape = (*local.out_shape, *local.in_shape)
        terms: list[Term] = []
        for term in local.terms:
            terms += self._tensor(term, local.out_shape, local.in_shape)
        return collected(shape, terms)

    def _tensor(self, term: MatrixTerm, out_shape: tuple[int, ...], in_shape: tuple[int, ...]) -> list[Term]:
        draft = Draft()
        multiply(draft, term.coefficient)
        wiring = term.wiring
        index = [draft.index(size) for size in wiring.sizes]
        for factor, on in zip(term.factors, wiring.factors, strict=True):
            meaning = single(self.argument(factor))
            if not meaning.terms:
                return []
            for axis, k in zip(draft.take(meaning.terms[0]), on, strict=True):
                draft.tie(axis, (index[k],))
        axes: list[Digits] = []
        for side, shape in ((wiring.rows, out_shape), (wiring.columns, in_shape)):
            axes += side_axes(draft, side, shape, wiring.sizes, index)
        return [draft.finish(tuple(axes))]


def triangle(array: Any) -> Expression | None:
    """A triangle of ones, as running sums have it."""
    if array.ndim != 2 or min(array.shape) < 2:
        return None
    ones = constant(1, array.shape)
    for name, part, first in (("tril", np.tril, array[0]), ("triu", np.triu, array[:, 0])):
        k = int(np.count_nonzero(first)) - 1
        k = k if name == "tril" else -k
        if abs(k) < 4 and np.array_equal(array, part(np.ones(array.shape), k)):
            parameters = (("k", k),) if k else ()
            return from_leaf(Call(name, (ones,), parameters, elementwise=False), array.shape)
    return None


def multiple_of_identity(array: Any) -> Expression | None:
    """The identity matrix and its multiples."""
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
    if not square or not np.array_equal(array, array[0, 0] * np.eye(len(array))):
        return None
    return scaled(identity(len(array)), array[0, 0])


def ties_by_chance(left: Any, right: Any) -> bool:
    """Whether the arguments of a mask of a rule are equal nowhere but at kinks; an extreme is equal to an entry."""
    for step in (left, right):
        while isinstance(step, Step) and getattr(step.operation, "function", None) is np.reshape:
            step = step.arguments[0]
        if isinstance(step, Step) and getattr(step.operation, "function", None) in EXTREMES:
            return False
    return True


EXTREMES = (np.max, np.min, np.amax, np.amin)
MULTIPLIED_OUT = (np.negative, np.positive, np.conjugate, np.copy)  # the others leave sums in parentheses
SILENT_PARAMETERS = ("dtype", "comparison", "keepdims")


def without_single_axes(
    arguments: tuple[Expression, ...], keywords: dict[str, Any]
) -> tuple[tuple[Expression, ...], dict[str, Any]]:
    """The operands and parameters of a function along an axis, without axes of length 1.

    Axes are counted from the first one, and that of a vector is not named.
    """
    if not arguments or not arguments[0].shape or keywords.get("axis") is None:
        return arguments, keywords
    shape = arguments[0].shape
    axes = layout.normal_axes(keywords["axis"], len(shape))
    if any(shape[axis] == 1 for axis in axes):
        raise Unreadable("a function along an axis of length 1")
    places = [sum(size != 1 for size in shape[:axis]) for axis in axes]
    whole = len(places) == sum(size != 1 for size in shape)
    axis: Any = None if whole else places[0] if len(places) == 1 else places
    return (squeezed(arguments[0]), *arguments[1:]), {**keywords, "axis": axis}


def acting(name: str, arguments: tuple[Expression, ...], parameters: Any, shape: tuple[int, ...]) -> Expression:
    """A function entry by entry: axes of length 1 stay outside of it, and so do the axes of what was flattened."""
    finest = [digits_of(argument) for argument in arguments if argument.shape]
    if len(finest) == 1 and finest[0] != shape and all(not a.shape or a.shape == shape for a in arguments):
        inner = tuple(reshaped(a, finest[0]) if a.shape else a for a in arguments)
        return reshaped(from_leaf(Call(name, inner, parameters), finest[0]), shape)
    if 1 in shape:
        kept = [k - len(shape) for k, size in enumerate(shape) if size != 1]  # axes counted from the last one
        inner = tuple(reshaped(a, tuple(a.shape[k] for k in kept if k >= -len(a.shape))) for a in arguments)
        return reshaped(from_leaf(Call(name, inner, parameters), without_ones(shape)), shape)
    whole = tuple(broadcast(a, shape) if without_ones(a.shape) else a for a in arguments)
    return from_leaf(Call(name, whole, parameters), shape)


def appended(one: Expression, other: Expression) -> Expression:
    """A vector after another one; a number is a vector of length 1."""
    length = sum(e.shape[0] if e.shape else 1 for e in (one, other))
    return from_leaf(Call("append", (one, other), (), elementwise=False), (length,))


def digits_of(expression: Expression) -> tuple[int, ...]:
    """The sizes of the digits on the axes, if all terms agree on them; else the shape."""
    found = {tuple(term.sizes[k] for axis in term.axes for k in axis) for term in expression.terms}
    return found.pop() if len(found) == 1 else expression.shape


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without axes of length 1."""
    return tuple(size for size in shape if size != 1)


def squeezed(expression: Expression) -> Expression:
    """The expression without its axes of length 1."""
    return reshaped(expression, without_ones(expression.shape))


def inverted(expression: Expression) -> Expression:
    """One over an expression: one factor below each factor of a single term, so that equal ones cancel."""
    number = number_of(expression)
    if number is not None and number != 0:
        return constant(1 / number if isinstance(number, float) else Fraction(1) / number, expression.shape)
    (term,) = expression.terms if len(expression.terms) == 1 else (None,)
    if term is not None and term.factors and not summed_indices(term):
        draft = Draft()
        axes = draft.take(term)
        draft.coefficient = Fraction(1) / term.coefficient if term.coefficient else float("inf")
        draft.factors = [(reciprocal(leaf, factor_shape(on, draft.sizes)), on) for leaf, on in draft.factors]
        if delta_free(term):
            return collected(expression.shape, [draft.finish(axes)])
    return from_leaf(Call("reciprocal", (expression,)), expression.shape)


def reciprocal(leaf: Any, shape: tuple[int, ...]) -> Any:
    """One over a factor."""
    if isinstance(leaf, Call) and leaf.name == "reciprocal" and len(leaf.arguments[0].terms) == 1:
        inner = leaf.arguments[0].terms[0]
        if len(inner.factors) == 1 and inner.coefficient == 1 and inner.factors[0][1] == inner.axes:
            return inner.factors[0][0]
    return Call("reciprocal", (from_leaf(leaf, shape),))


def factor_shape(on: Axes, sizes: list[int]) -> tuple[int, ...]:
    """The shape of a factor with these indices on its axes."""
    return tuple(layout.size([sizes[k] for k in axis]) for axis in on)


def summed_indices(term: Term) -> set[int]:
    """The indices of a term that are summed."""
    return {k for _, on in term.factors for axis in on for k in axis} - term.outer


def delta_free(term: Term) -> bool:
    """Whether no index stands on two axes of the array."""
    indices = [index for axis in term.axes for index in axis]
    return len(indices) == len(set(indices))


def function_name(name: str) -> str:
    """A function's name without its module."""
    last = name.rpartition(".")[2]
    return {"convolved": "convolve", "absolute": "abs", "fabs": "abs", "amax": "max", "amin": "min"}.get(last, last)


def plain(value: Any) -> Any:
    """A parameter as something that can be compared and hashed."""
    if isinstance(value, np.ndarray):
        return tuple(value.ravel().tolist())
    if isinstance(value, (list, tuple)):
        return tuple(plain(v) for v in value)
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    return value
