"""`Node`: what a traced function holds instead of an array; it records what is done to it."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobi.errors import InputError, TraceError, at_users_line
from jacobi.expressions.graph import Graph, Operation, Step

NO_KEYWORDS: dict[str, Any] = {}


class Node:
    """A traced array: it has a value, speaks NumPy's protocols and records every operation in its graph.

    Comparisons give plain booleans, so ``if`` and ``while`` follow the branch taken at this point.  The step that a
    node stands for changes when the user's code changes the array in place.
    """

    __slots__ = ("base", "graph", "step")
    __hash__ = object.__hash__
    __array_priority__ = 1000.0

    def __init__(self, graph: Graph, step: Step, base: tuple[Node, Step] | None = None):
        self.graph = graph
        self.step = step
        self.base = base  # for a view: the node it looks at, and that node's step when the view was made

    def current(self) -> Step:
        """The step of this node; an error for a view of an array that was changed since."""
        if self.base is not None and self.base[0].current() is not self.base[1]:
            raise TraceError(
                at_users_line(
                    "this view looks at a traced array that was changed in place since",
                    "Take the view again after the change, or copy it with .copy() before.",
                )
            )
        return self.step

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
        return record(self.graph, function, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        return record(self.graph, function, arguments, keywords)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TraceError(
            at_users_line(
                "a traced value cannot become a plain array (by np.asarray, np.array of arrays, assignment into a "
                "plain array, or a function that NumPy does not let us see)",
                "Use np.stack([...]) or np.concatenate([...]) to build arrays, np.zeros_like(x) instead of "
                "np.zeros(...), and NumPy functions on the traced value itself.",
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
        return np.transpose(self)  # type: ignore[call-overload]

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        return np.swapaxes(self, -1, -2)  # type: ignore[call-overload]

    @property
    def real(self) -> Node:
        """The array itself: traced values are real."""
        return self

    @property
    def imag(self) -> Any:
        """Zeros: traced values are real."""
        return np.zeros_like(self.value)

    @property
    def flat(self) -> Iterator[Any]:
        """The entries, one by one."""
        return iter(self.ravel())

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
        return bool(self.value)

    def __float__(self) -> float:
        self._only_a_number("float")
        return float(self.value)

    def __int__(self) -> int:
        self._only_a_number("int")
        return int(self.value)

    def __index__(self) -> int:
        self._only_a_number("an index")
        return self.value.__index__()  # type: ignore[no-any-return]

    def __complex__(self) -> complex:
        self._only_a_number("complex")
        return complex(self.value)

    def _only_a_number(self, what: str) -> None:
        """Refuse to lose the derivative; a value that is constant piece by piece has none to lose."""
        operation = self.step.operation
        if operation is None or not operation.piecewise_constant:
            raise TraceError(
                at_users_line(
                    f"a traced value cannot become {what} without losing its derivative (math.sin(x), float(x), "
                    "int(x), range(x), x.item() and plain[i] = x do that)",
                    "Use NumPy's functions (np.sin(x) instead of math.sin(x)), keep the value as it is, and build "
                    "arrays with np.stack([...]).",
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
        return Node(self.graph, self.current())

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    # reading and writing

    def __getitem__(self, index: Any) -> Any:
        result = record(self.graph, operator.getitem, (self, index))
        return looking_at(self, result) if isinstance(result, Node) and is_view(index) else result

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TraceError(
            at_users_line(
                "assignment into a traced array is not supported yet",
                "Build the array with np.concatenate([...]), np.stack([...]) or np.where(mask, a, b).",
            )
        )

    def _changed(self, result: Any) -> Node:
        """The outcome of an in-place operator: the same array for everybody who holds it, or a new scalar."""
        if self.ndim == 0:
            return result  # type: ignore[no-any-return]
        if self.base is not None:
            raise TraceError(
                at_users_line(
                    "an in-place operator on a view would change the traced array behind it",
                    "Write y = y + ... instead of y += ..., or copy the view with .copy() first.",
                )
            )
        if result.shape != self.shape:
            raise ValueError(f"non-broadcastable output of shape {self.shape} for a result of shape {result.shape}")
        self.step = (result if result.dtype == self.dtype else result.astype(self.dtype)).step
        return self


def looking_at(base: Node, view: Node) -> Node:
    """A node that shares, as a view in NumPy, the memory of another."""
    return Node(view.graph, view.step, (base, base.step)) if view.ndim else view


def is_view(index: Any) -> bool:
    """Whether NumPy gives a view for this index."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer)) for part in parts)


def record(graph: Graph, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any] = NO_KEYWORDS) -> Any:
    """Do to nodes what a call of ``function`` does to arrays: the way that every operation takes."""
    operation = graph.operations.get(function)
    if operation is None:
        operation = graph.missing(function)
    if operation.kind == "composed":
        return operation.evaluate(*arguments, **keywords)
    if operation.kind == "silent":
        return operation.evaluate(*map(plain, arguments), **{name: plain(v) for name, v in keywords.items()})
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
        if kind is not Node and kind is not float and kind is not int:
            if operation.arity is None or position < operation.arity:
                argument = operand(graph, argument)
                kind = type(argument)
        if kind is Node:
            if argument.graph is not graph:
                raise TraceError(
                    at_users_line(
                        "a traced value was kept after its trace had ended, or belongs to another one",
                        "Pass it to the function as an argument, and return what you need of it.",
                    )
                )
            step = argument.step if argument.base is None else argument.current()
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
        refuse_result(operation, value)
    return Node(graph, graph.add(operation, tuple(stored), keywords, tuple(parents), value))


def operand(graph: Graph, value: Any) -> Any:
    """A constant operand as a safe array or number; sequences and object arrays of nodes are stacked."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "O":
            return stacked(graph, value)
        if value.dtype.kind == "c":
            raise InputError(
                at_users_line("a complex array meets a traced value", "Treat real and imaginary part separately.")
            )
        return graph.constant(value)
    if isinstance(value, (list, tuple)):
        return stacked(graph, value)
    if isinstance(value, complex):
        raise InputError(
            at_users_line("a complex number meets a traced value", "Treat real and imaginary part separately.")
        )
    if isinstance(value, (bool, np.generic)) or value is None:
        return value
    raise InputError(
        at_users_line(
            f"a traced value meets an object of type {type(value).__module__}.{type(value).__name__}",
            "Convert it to a NumPy array first, for example with np.asarray(...) or .to_numpy().",
        )
    )


def stacked(graph: Graph, values: Any) -> Any:
    """Nested sequences or an object array of numbers and nodes, as one array or node."""
    array = values if isinstance(values, np.ndarray) else as_objects(values)
    flat = list(array.reshape(-1)) if array.dtype.kind == "O" else []
    if not any(isinstance(entry, Node) for entry in flat):
        try:
            return np.asarray(values if array.dtype.kind != "O" else array.tolist(), dtype=float)
        except (TypeError, ValueError):
            raise InputError(
                at_users_line(f"{values!r:.80} is not an array of numbers", "Use arrays of real numbers.")
            ) from None
    if any(getattr(entry, "ndim", 0) for entry in flat):
        entries = [entry if isinstance(entry, Node) else np.asarray(entry, dtype=float) for entry in flat]
        joined = record(graph, np.stack, (entries,))
        return joined.reshape(array.shape + joined.shape[1:])
    joined = record(graph, np.stack, (flat,))
    return joined if array.ndim == 1 else joined.reshape(array.shape)


def as_objects(values: Any) -> Any:
    """A nested sequence as an object array whose entries are nodes and numbers (nodes are never taken apart)."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        values = list(values)
    if not isinstance(values, (list, tuple, np.ndarray)) or (isinstance(values, np.ndarray) and values.ndim == 0):
        cell = np.empty((), dtype=object)
        cell[()] = values
        return cell
    parts = [as_objects(value) for value in values]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise InputError(
            at_users_line(
                "a list whose parts have different shapes is no array",
                "Use np.concatenate([...]) of parts that were made 1-d with np.ravel.",
            )
        )
    result = np.empty((len(parts), *(shapes.pop() if shapes else ())), dtype=object)
    for position, part in enumerate(parts):
        result[position] = part[()] if part.ndim == 0 else part
    return result


def plain(value: Any) -> Any:
    """The value of a node, inside sequences as well."""
    if type(value) is Node:
        return value.value
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    return value


def refuse_result(operation: Operation, value: Any) -> None:
    """Complex and other results that have no real Jacobian."""
    what = "a complex result" if value.dtype.kind == "c" else f"a result of type {value.dtype}"
    raise InputError(
        at_users_line(
            f"{operation.name} gave {what}, which is not supported", "Use real functions of real numbers."
        )
    )


# Operators and methods: each is the NumPy function of that name ------------------------------------------------

BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "matmul": np.matmul,
    "floordiv": np.floor_divide, "mod": np.remainder,
}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute}
COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
METHODS = {
    name: getattr(np, name)
    for name in (
        "sum mean prod var std max min cumsum cumprod trace dot ravel transpose swapaxes squeeze repeat take diagonal "
        "clip argmax argmin argsort any all nonzero searchsorted compress choose"
    ).split()
}


def _binary(function: Any) -> Any:
    def forward(self: Node, other: Any) -> Any:
        return record(self.graph, function, (self, other))

    def backward(self: Node, other: Any) -> Any:
        return record(self.graph, function, (other, self))

    def in_place(self: Node, other: Any) -> Any:
        return self._changed(record(self.graph, function, (self, other)))

    return forward, backward, in_place


def _unary(function: Any) -> Any:
    def apply(self: Node) -> Any:
        return record(self.graph, function, (self,))

    return apply


def _comparison(function: Any) -> Any:
    def compare(self: Node, other: Any) -> Any:
        return function(self.value, other.value if isinstance(other, Node) else other)

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
    result = record(self.graph, np.reshape, (self, target), {"order": order} if order != "C" else NO_KEYWORDS)
    return looking_at(self, result)


def _transpose(self: Node, *axes: Any) -> Any:
    order = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))) else axes or None
    return looking_at(self, record(self.graph, np.transpose, (self,) if order is None else (self, order)))


def _astype(self: Node, dtype: Any, *arguments: Any, **keywords: Any) -> Any:
    return record(self.graph, np.ndarray.astype, (self, np.dtype(dtype)))


def _flatten(self: Node, order: str = "C") -> Any:
    return record(self.graph, np.ravel, (self,), {"order": order})


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
for _name, _function in METHODS.items():
    setattr(Node, _name, _method(_function))
for _name, _function in {
    "__pow__": _power,
    "__rpow__": lambda self, base: record(self.graph, np.power, (base, self)),
    "__ipow__": lambda self, exponent: self._changed(_power(self, exponent)),
    "__round__": _round, "round": _round, "reshape": _reshape, "transpose": _transpose, "astype": _astype,
    "flatten": _flatten, "conj": lambda self: self, "conjugate": lambda self: self,
}.items():  # fmt: skip
    setattr(Node, _name, _function)
