"""`Node`: what a traced function holds instead of an array; it records what is done to it."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobi.errors import InputError, TraceError, at_users_line
from jacobi.expressions.assignment import View, Writes, changes, frozen
from jacobi.expressions.graph import Graph, StrangerError, Traced
from jacobi.expressions.operands import ForeignError, operand, outranks, plain
from jacobi.expressions.step import Operation, Step

NO_KEYWORDS: dict[str, Any] = {}


class Node(Traced):
    """A traced array: it has a value, speaks NumPy's protocols and records every operation in its graph.

    Comparisons give plain booleans, so ``if`` and ``while`` follow the branch taken at this point.  The step that a
    node stands for changes when the user's code changes the array in place.
    """

    __slots__ = ()
    __hash__ = object.__hash__
    __array_priority__ = 1000.0

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if "out" in keywords:
            outputs = keywords["out"]
            if any(output is not None for output in outputs):
                raise TraceError(
                    at_users_line(
                        f"numpy.{ufunc.__name__} cannot write a traced result into an array that exists "
                        "(out=, or an in-place operator such as +=)",
                        f"Write y = np.{ufunc.__name__}(...), or y = y + ... instead of y += ...",
                    )
                )
            del keywords["out"]
        function = ufunc if method == "__call__" else (ufunc, method)
        try:
            return record(self.graph, function, inputs, keywords)
        except ForeignError:
            if any(outranks(other, self) for other in inputs):
                return NotImplemented
            raise

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        try:
            return record(self.graph, function, arguments, keywords)
        except ForeignError:
            if any(outranks(other, self) for other in types):
                return NotImplemented
            raise

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.ndim == 0 and dtype in (None, object):  # np.array([a, b]) of traced numbers: see `operands.stacked`
            cell = np.empty((), dtype=object)
            cell[()] = self
            return cell
        raise TraceError(
            at_users_line(
                "a traced value cannot become a plain array (by np.asarray, np.array of arrays, assignment into a "
                "plain array, or a function that NumPy does not let us see)",
                "Use np.stack([...]) or np.concatenate([...]) to build arrays, np.zeros_like(x) or "
                "np.zeros_like(x, shape=...) instead of np.zeros(...), np functions on the traced value itself, and "
                "jacobi.functions for those of SciPy.",
            )
        )

    # attributes of arrays

    @property
    def value(self) -> Any:
        """The array at the point of the trace."""
        return self.current().value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.step.value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries."""
        return self.step.value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.step.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.step.value.size  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """Bytes per entry."""
        return self.step.value.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return self.step.value.nbytes  # type: ignore[no-any-return]

    @property
    def T(self) -> Any:
        """The transpose."""
        return self.transpose()

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        return record(self.graph, np.swapaxes, (self, -1, -2))

    @property
    def real(self) -> Node:
        """The array itself: traced values are real."""
        return self

    @property
    def imag(self) -> Any:
        """Zeros: traced values are real."""
        return np.zeros_like(self.value)

    @property
    def flat(self) -> Any:
        """The entries in one row, for reading and writing."""
        return self.ravel()

    def __len__(self) -> int:
        return len(self.step.value)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    def __getattr__(self, name: str) -> Any:
        ufunc = None if name.startswith("_") else getattr(np, name, None)
        if isinstance(ufunc, np.ufunc) and ufunc.nin == 1:  # NumPy's way to apply it to arrays of objects
            return lambda: record(self.graph, ufunc, (self,))
        raise AttributeError(
            at_users_line(f"traced arrays have no attribute {name!r}", f"Use the NumPy function np.{name}, if any.")
        )

    def __repr__(self) -> str:
        return f"Traced({self.value!r})"

    def __format__(self, specification: str) -> str:
        return format(self.value, specification)

    # conversions

    def __bool__(self) -> bool:
        return bool(self._told(self.value))

    def __float__(self) -> float:
        self._only_a_number("float")
        return float(self._told(self.value))

    def __int__(self) -> int:
        self._only_a_number("int")
        return int(self._told(self.value))

    def __index__(self) -> int:
        self._only_a_number("an index")
        return self._told(self.value).__index__()  # type: ignore[no-any-return]

    def __complex__(self) -> complex:
        self._only_a_number("complex")
        return complex(self._told(self.value))

    def _told(self, value: Any) -> Any:
        """The value, of which the graph is told that the user's code knows it."""
        self.graph.answered(None, (self,), NO_KEYWORDS, value)
        return value

    def _only_a_number(self, what: str) -> None:
        """Refuse to lose the derivative; a value that is constant piece by piece has none to lose."""
        operation = self.step.operation
        if operation is None or not operation.piecewise_constant:
            raise TraceError(
                at_users_line(
                    f"a traced value cannot become {what} without losing its derivative (math.sin(x), float(x), "
                    "int(x), range(x), x.item() and plain[i] = x do that)",
                    "Use NumPy's functions (np.sin(x) instead of math.sin(x)), keep the value as it is, and build "
                    "arrays with np.stack([...]) or in np.zeros_like(x).",
                )
            )

    def item(self, *index: Any) -> Any:
        """The only entry (or the one at an index), still traced."""
        if index:
            return self.ravel()[index[0]] if len(index) == 1 and self.ndim != 1 else self[index]
        return self.reshape(())

    def tolist(self) -> Any:
        """Nested lists of traced entries."""
        return self if self.ndim == 0 else [entry.tolist() for entry in self]

    def copy(self, order: str = "C") -> Any:
        """The same values; later changes of one do not reach the other."""
        return record(self.graph, np.copy, (self,), {"order": order})

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    # reading and writing

    def __getitem__(self, index: Any) -> Any:
        if self.writes is not None:
            found = self.writes.entry(index)
            if found is not None:
                value, rest = found
                step = value if isinstance(value, Step) else self.graph.constant_step(np.asarray(value, self.dtype))
                whole = Node(self.graph, step)
                result = whole[rest] if rest != () else whole
                if result.ndim:
                    take, put = operator.itemgetter(index), lambda parent, new: operator.setitem(parent, index, new)
                    result.origin = View(self, take, put, index)
                return result
        return record(self.graph, operator.getitem, (self, frozen(index)))

    def __setitem__(self, index: Any, value: Any) -> None:
        view = value.origin if type(value) is Node else None
        if view is not None and view.parent is self and view.index is index and view.version == changes(self):
            return  # the second half of x[index] += ...: the view has already been put back
        if type(value) is not float and type(value) is not int:
            value = value if type(value) is Node else operand(self.graph, value)
        if type(value) is Node:
            if value.graph is not self.graph:
                raise StrangerError(self.graph, value.graph)
            value = value.current()
        if self.origin is not None:
            self.origin.follow(self)
        if self.writes is None:
            self.writes = Writes(self.step)
        self.writes.add(frozen(index), value)
        self._changed()

    def _changed(self) -> None:
        """Note a change in place, and pass it on to the array behind a view."""
        self.version += 1
        if self.origin is not None:
            if self.writes is not None:
                self.written()
            self.origin.put_back(self)

    def _updated(self, result: Any) -> Any:
        """The outcome of an in-place operator: the same array for everybody who holds it, or a new scalar."""
        if self.ndim == 0 and self.origin is None:
            return result
        if result.shape != self.shape:
            raise ValueError(f"non-broadcastable output of shape {self.shape} for a result of shape {result.shape}")
        new = result if result.dtype == self.dtype else result.astype(self.dtype)
        self.step, self.held = new.current(), new.held
        self.writes = None
        self._changed()
        return self

    def fill(self, value: Any) -> None:
        """Assign one value to all entries."""
        self[...] = value


def record(graph: Graph, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any] = NO_KEYWORDS) -> Any:
    """Do to nodes what a call of ``function`` does to arrays: the way that every operation takes."""
    operation = graph.operations.get(function)
    if operation is None:
        operation = graph.missing(function)
    if operation.kind == "composed":
        graph.composing += 1
        try:
            return operation.evaluate(*arguments, **keywords)
        finally:
            graph.composing -= 1
    if operation.kind == "fresh":
        value = operation.evaluate(*map(plain, arguments), **keywords)
        return Node(graph, graph.constant_step(value)) if value.dtype.kind == "f" else value
    if operation.kind == "silent":
        answer = operation.evaluate(*map(plain, arguments), **{name: plain(v) for name, v in keywords.items()})
        if graph.answers is not None:
            graph.answered(operation, arguments, keywords, answer)
        return answer
    if keywords or not operation.regular:
        arguments, keywords = operation.operands(arguments, keywords)
    return perform(graph, operation, arguments, keywords)


def perform(graph: Graph, operation: Operation, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Node:
    """Evaluate an operation and record it as a step."""
    stored: list[Any] = []
    values: list[Any] = []
    parents: list[tuple[int, Step]] = []
    for position, argument in enumerate(arguments):
        kind = type(argument)
        is_operand = operation.arity is None or position < operation.arity
        if is_operand and kind is not Node and kind is not float and kind is not int:
            argument = operand(graph, argument)
            kind = type(argument)
        if kind is Node:
            if argument.graph is not graph or not graph.open:
                raise StrangerError(graph, argument.graph)
            fresh = argument.origin is None and argument.writes is None
            step = argument.step if fresh else argument.current()
            parents.append((position, step))
            values.append(step.value)
            stored.append(step)
        else:
            values.append(argument)
            stored.append(argument)
    value = operation.evaluate(*values, **keywords)
    if not hasattr(value, "dtype"):
        value = np.asarray(value)
    if value.dtype.kind not in "fiub":
        value = real_result(operation, value)
    result = Node(graph, graph.add(operation, tuple(stored), keywords, tuple(parents), value))
    if operation.moves and isinstance(value, np.ndarray) and parents:
        reshaped = operation.evaluate is np.reshape or operation.evaluate is np.ravel
        certain = not reshaped or values[0].ndim == 1 or not parents[0][1].composed
        if keywords.get("order") in ("K", "A") and not values[0].flags.c_contiguous:
            raise TraceError(
                at_users_line('order="K" depends on how the array lies in memory', 'Use order="C" or order="F".')
            )
        if not certain or np.may_share_memory(value, values[0]):
            result.origin = view_of(arguments[0], operation, keywords, certain)
    return result


def view_of(parent: Any, operation: Operation, keywords: dict[str, Any], certain: bool) -> View:
    """How the result of a move, which is a view in NumPy, is taken again and put back."""

    def take(array: Any) -> Any:
        return perform(array.graph, operation, (array,), keywords)

    def put(array: Any, new: Any) -> None:
        if not certain:
            raise TraceError(
                at_users_line(
                    "whether this array is a view of another one depends on how that one lies in memory",
                    "Copy it with .copy() before writing into it.",
                )
            )
        if "index" in keywords:
            array[keywords["index"]] = new
        else:
            positions = operation.evaluate(np.arange(array.size).reshape(array.shape), **keywords)
            array[np.unravel_index(positions, array.shape)] = new

    return View(parent, take, put, keywords.get("index"))


def real_result(operation: Operation, value: Any) -> Any:
    """The objects that a ufunc made by ``np.frompyfunc`` gives, as numbers; anything else has no real Jacobian."""
    if value.dtype.kind == "O":
        try:
            return value.astype(float)
        except (TypeError, ValueError):
            pass
    what = "a complex result" if value.dtype.kind == "c" else f"a result of type {value.dtype}"
    raise InputError(
        at_users_line(f"{operation.name} gave {what}, which is not supported", "Use real functions of real numbers.")
    )


# Operators and methods: each is the NumPy function of that name ------------------------------------------------

BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "matmul": np.matmul,
    "floordiv": np.floor_divide, "mod": np.remainder, "divmod": np.divmod,
}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute}
COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
METHODS: tuple[Any, ...] = (
    np.sum, np.mean, np.prod, np.var, np.std, np.max, np.min, np.cumsum, np.cumprod, np.trace, np.dot, np.ravel,
    np.transpose, np.swapaxes, np.squeeze, np.repeat, np.take, np.diagonal, np.clip, np.argmax, np.argmin, np.argsort,
    np.any, np.all, np.nonzero, np.searchsorted, np.compress, np.choose,
)  # fmt: skip


def _binary(function: Any) -> Any:
    def forward(self: Node, other: Any) -> Any:
        try:
            return record(self.graph, function, (self, other))
        except ForeignError:
            if outranks(other, self):
                return NotImplemented
            raise

    def backward(self: Node, other: Any) -> Any:
        return record(self.graph, function, (other, self))

    def in_place(self: Node, other: Any) -> Any:
        return self._updated(record(self.graph, function, (self, other)))

    return forward, backward, in_place


def _unary(function: Any) -> Any:
    def apply(self: Node) -> Any:
        return record(self.graph, function, (self,))

    return apply


def _comparison(function: Any) -> Any:
    def compare(self: Node, other: Any) -> Any:
        return record(self.graph, function, (self, other))

    return compare


def _method(function: Any) -> Any:
    def method(self: Node, *arguments: Any, **keywords: Any) -> Any:
        return record(self.graph, function, (self, *arguments), keywords)

    return method


def _power(self: Node, exponent: Any) -> Any:
    simple = SIMPLE_POWERS.get(exponent) if type(exponent) in (int, float) else None
    if simple is not None:
        return record(self.graph, simple, (self,))
    return record(self.graph, np.power, (self, exponent))


def _reshape(self: Node, *shape: Any, order: str = "C", **keywords: Any) -> Any:
    target = shape[0] if len(shape) == 1 else shape
    return record(self.graph, np.reshape, (self, target), {"order": order} if order != "C" else NO_KEYWORDS)


def _transpose(self: Node, *axes: Any) -> Any:
    order = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))) else axes or None
    return record(self.graph, np.transpose, (self,) if order is None else (self, order))


def _astype(self: Node, dtype: Any, *arguments: Any, **keywords: Any) -> Any:
    kind = np.dtype(dtype)
    if kind == self.dtype and keywords.get("copy", True) is False:
        return self
    if kind.kind in "iub":  # steps: the derivative is zero, and the plain integers can be used as an index
        return self._told(self.value).astype(kind)
    return record(self.graph, np.ndarray.astype, (self, kind))


def _flatten(self: Node, order: str = "C") -> Any:
    return record(self.graph, np.ravel, (self,), {"order": order}).copy()


def _round(self: Node, decimals: int = 0) -> Any:
    return record(self.graph, np.round, (self, decimals))


SIMPLE_POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}

for _name, _function in BINARY.items():
    _forward, _backward, _in_place = _binary(_function)
    setattr(Node, f"__{_name}__", _forward)
    setattr(Node, f"__r{_name}__", _backward)
    setattr(Node, f"__i{_name}__", _in_place)
for _name, _function in UNARY.items():
    setattr(Node, f"__{_name}__", _unary(_function))
for _name, _function in COMPARISONS.items():
    setattr(Node, f"__{_name}__", _comparison(_function))
for _method_function in METHODS:
    setattr(Node, _method_function.__name__, _method(_method_function))
for _name, _define in {
    "__pow__": _power,
    "__rpow__": lambda self, base: record(self.graph, np.power, (base, self)),
    "__ipow__": lambda self, exponent: self._updated(_power(self, exponent)),
    "__round__": _round, "round": _round, "reshape": _reshape, "transpose": _transpose, "astype": _astype,
    "flatten": _flatten, "conj": lambda self: self, "conjugate": lambda self: self,
}.items():  # fmt: skip
    setattr(Node, _name, _define)
