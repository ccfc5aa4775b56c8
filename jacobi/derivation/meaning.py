"""What the steps of a traced function and its local Jacobians mean in index notation.

There is no second table of operations: an operation that is linear in an operand is its own local Jacobian times that
operand, so the rules tell what sums, products, transposes and contractions are.  All others stay functions.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.derivation.expression import (
    Axes,
    Call,
    Digits,
    Draft,
    Expression,
    Term,
    Unreadable,
    added,
    collected,
    constant,
    contracted,
    exact,
    from_leaf,
    multiplied,
    number_of,
    reshaped,
    scaled,
    single,
    variable,
)
from jacobi.expressions import Graph, Node, Step
from jacobi.matrix import Jacobian
from jacobi.matrix.arrays import indicator
from jacobi.matrix.term import Term as MatrixTerm
from jacobi.matrix.wiring import Side, is_number_system
from jacobi.rules.elementwise import quotient
from jacobi.rules.registry import Elementwise

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
        self.recognised: dict[Any, str] = {}  # the names of definitions, axes of length 1 left out

    def of(self, step: Step) -> Expression:
        """The meaning of a step."""
        if step.number in self.names:
            return variable(self.names[step.number], np.shape(step.value))
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
        other.constants = self.constants
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
        triangle = self.triangle(array)
        if triangle is not None:
            return triangle
        if set(array.shape) & self.sizes:
            raise Unreadable("an array of numbers whose size is a letter")
        name = f"c{len(self.constants) + 1}"
        self.constants[name] = array
        return variable(name, array.shape)

    def triangle(self, array: Any) -> Expression | None:
        """A triangle of ones, as running sums have it."""
        if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] < 2:
            return None
        ones = constant(1, array.shape)
        for name, triangle in (("tril", np.tril), ("triu", np.triu)):
            if np.array_equal(array, triangle(np.ones(array.shape))):
                return from_leaf(Call(name, (ones,), (), elementwise=False), array.shape)
        return None

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
        if function in LINEAR:
            try:
                return self._linear(step)
            except Unreadable:
                pass
        arguments = tuple(self.argument(a) for a in step.arguments)
        parameters = tuple(sorted((k, plain(v)) for k, v in step.keywords.items() if k not in SILENT_PARAMETERS))
        elementwise = isinstance(operation, Elementwise)
        name = function_name(operation.name)
        if function is indicator:
            name, parameters = "indicator", (("relation", step.keywords["comparison"].__name__),)
        return from_leaf(Call(name, arguments, parameters, elementwise), shape)

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
        outer = len(local.out_shape)
        rows, columns = range(outer), range(outer, outer + len(local.in_shape))
        return contracted([self.tensor(local), operand], [(*rows, *columns), columns], rows, whole=True)

    def tensor(self, local: Jacobian) -> Expression:
        """A Jacobian as an array with the axes of the output and of the input."""
        shape = (*local.out_shape, *local.in_shape)
        terms: list[Term] = []
        for term in local.terms:
            terms += self._tensor(term, local.out_shape, local.in_shape)
        return collected(shape, terms)

    def _tensor(self, term: MatrixTerm, out_shape: tuple[int, ...], in_shape: tuple[int, ...]) -> list[Term]:
        draft = Draft()
        draft.coefficient = exact(term.coefficient)
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


MULTIPLIED_OUT = (np.negative, np.positive, np.conjugate, np.copy)  # the others leave sums in parentheses
SILENT_PARAMETERS = ("dtype", "comparison", "keepdims")


def squeezed(expression: Expression) -> Expression:
    """The expression without its axes of length 1."""
    return reshaped(expression, tuple(size for size in expression.shape if size != 1))


def side_axes(
    draft: Draft, side: Side, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]
) -> Axes:
    """The indices on the axes of one side of a Jacobian."""
    offset, ties = side
    count = layout.size(shape)
    if offset == 0 and is_number_system(ties, dict(enumerate(sizes)), count):
        flat = tuple(index[k] for k, _ in sorted(ties, key=lambda tie: -tie[1]))
        axes = tuple(draft.axis(size) for size in shape)
        draft.tie(flat, tuple(digit for axis in axes for digit in axis))
        return axes
    try:
        return repeated_axes(side, shape, sizes, index)
    except Unreadable:
        return selected_axes(draft, side, shape, sizes, index)


def repeated_axes(side: Side, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]) -> Axes:
    """The indices on the axes where one index may stand on several of them, as on the diagonal of a matrix."""
    offset, ties = side
    strides = layout.strides(shape)
    carried: list[Digits | None] = [() if size == 1 else None for size in shape]
    for k, stride in ties:
        if type(stride) is not int:
            raise Unreadable("positions")
        for axis, size in enumerate(shape):
            if carried[axis] is None and size == sizes[k] and strides[axis] <= stride:
                stride -= strides[axis]
                carried[axis] = (index[k],)
        if stride:
            raise Unreadable("strides")
    if offset or None in carried:
        raise Unreadable("a part of an axis")
    return tuple(axis for axis in carried if axis is not None)


def selected_axes(
    draft: Draft, side: Side, shape: tuple[int, ...], sizes: tuple[int, ...], index: list[int]
) -> Axes:
    """The indices on the axes where an index stands for a part of an axis: rows of the identity select it."""
    offset, ties = side
    waiting = dict(ties)
    axes: list[Digits] = []
    for size, stride in zip(shape, layout.strides(shape), strict=True):
        if size == 1:
            axes.append(())
            continue
        start, offset = divmod(offset, stride)
        here = [k for k, step in waiting.items() if type(step) is int and step % stride == 0]
        if len(here) > 1 or (here and waiting[here[0]] < 0):
            raise Unreadable("an axis with several indices")
        axis = draft.axis(size)
        axes.append(axis)
        if here:
            step, count = waiting.pop(here[0]) // stride, sizes[here[0]]
            if (start, step, count) == (0, 1, size):
                draft.tie(axis, (index[here[0]],))
                continue
            stop = start + step * (count - 1) + 1
            part = ("slice", start or None, from_the_end(stop, size) or None, step)
            draft.factors.append((rows_of_identity(size, part), ((index[here[0]],), axis)))
        else:
            draft.factors.append((rows_of_identity(size, from_the_end(start, size)), (axis,)))
    if waiting or offset:
        raise Unreadable("positions that are given by numbers")
    return tuple(axes)


def from_the_end(place: int, size: int) -> int:
    """A place on an axis, counted from its end where that is nearer: sizes are letters in a formula."""
    return place if place <= size // 2 else place - size


def rows_of_identity(size: int, part: Any) -> Call:
    """Some rows of the identity matrix: what selects a part of an axis."""
    whole = Draft()
    axis = whole.axis(size)
    identity = Expression((size, size), (whole.finish((axis, axis)),))
    return Call("indexing", (identity,), (("index", part),), elementwise=False)


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
    return name.rpartition(".")[2]


def plain(value: Any) -> Any:
    """A parameter as something that can be compared and hashed."""
    if isinstance(value, np.ndarray):
        return tuple(value.ravel().tolist())
    if isinstance(value, (list, tuple)):
        return tuple(plain(v) for v in value)
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    return value

