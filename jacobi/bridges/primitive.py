"""`primitive`: a function that cannot be traced, with a derivative that its author knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Signature, signature
from math import prod
from typing import Any, TypeVar, cast

import numpy as np

from jacobi.errors import InputError, JacobiError, NoRuleError, ShapeError, at_users_line
from jacobi.matrix import Jacobian, dispatchable
from jacobi.matrix.given import is_node
from jacobi.rules import rule
from jacobi.rules.registry import attached

Function = TypeVar("Function", bound=Callable[..., Any])

LARGEST = 2**30  # bytes that the entries of an operator may take


def primitive(*derivatives: Callable[..., Any] | None) -> Callable[[Function], Function]:
    """Declare the derivative of an opaque function, by hand.

    Inside a traced function the decorated one is a single operation.  It may call compiled code, a simulation, a
    file: it gets plain arrays.

    Parameters
    ----------
    *derivatives : callable or None
        One for each of the first arguments, in their order.  It takes all arguments of the function and returns the
        derivative in numerator layout: a matrix ``(y.size, x.size)`` or a tensor of shape ``y.shape + x.shape``, as an
        array, a sparse matrix, a `Jacobian` (``Jacobian.from_diagonal``, ...), a ``LinearOperator``.  None says that
        it is not known; differentiating by that argument is an error.

    Returns
    -------
    callable
        A decorator.  On plain arrays the decorated function does what it did.

    Raises
    ------
    InputError
        If something is no function, or there are more derivatives than arguments.
    NoRuleError
        When differentiated by an argument without a derivative; or twice, where the derivative cannot be traced
        itself.  Write it in plain NumPy, or make it a primitive of its own.
    ShapeError
        When a derivative does not fit.

    See Also
    --------
    implicit : where the function solves an equation.

    Notes
    -----
    A decorated function is remembered for ever: decorate at the level of a module.  `check` proves the derivative:
    ``check(f.__wrapped__, df, x)``.  The entries of a ``LinearOperator`` are asked for, by rows or by columns.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> from jacobi import Jacobian, gradient, jacobian
    >>> @primitive(lambda x: Jacobian.from_diagonal(np.cos(x)))
    ... def sine(x):
    ...     return np.array([math.sin(entry) for entry in x])
    >>> jacobian(lambda x: sine(2 * x))(np.zeros(3)).diagonal()
    array([2., 2., 2.])
    >>> gradient(lambda x: np.sum(sine(x) ** 2))(np.array([0.0, math.pi / 4])).round(12)
    array([0., 1.])
    """
    for derivative in derivatives:
        if derivative is not None and not callable(derivative):
            what = f"primitive takes functions that return derivatives, not {type(derivative).__name__}"
            raise InputError(at_users_line(what, "Write @primitive(lambda x: matrix), with the arguments of f."))

    def declare(function: Function) -> Function:
        form = signature_of(function)
        if not derivatives or len(derivatives) > len(form.parameters):
            what = f"{len(derivatives)} derivatives for the {len(form.parameters)} arguments of {function.__name__}"
            raise InputError(at_users_line(what, "Give one function for each of the first arguments."))
        name = function.__qualname__
        count = len(derivatives)
        locally = [None if d is None else local(name, d, k, count) for k, d in enumerate(derivatives)]

        def each(operand: int, y: Any, *operands: Any, **parameters: Any) -> Jacobian:
            by = locally[operand] if operand < len(locally) else None
            if by is None:
                argument = list(form.parameters)[operand]
                what = f"{name} was given no derivative by its argument {argument}"
                raise NoRuleError(at_users_line(what, "Give @primitive one function for each of the first arguments."))
            return by(y, *operands, **parameters)

        return declared(function, form, count, name, each=each)

    return declare


def declared(function: Function, form: Signature, arity: int, name: str, **options: Any) -> Function:
    """A function as one operation of traced functions; calls are recorded with all arguments by position."""

    def by_position(*args: Any, **keywords: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        bound = form.bind(*args, **keywords)
        bound.apply_defaults()
        return bound.args, bound.kwargs

    @wraps(function)
    def on_copies(*args: Any, **keywords: Any) -> Any:  # what was recorded must not change
        return function(*(a.copy() if isinstance(a, np.ndarray) else a for a in args), **keywords)

    dispatching = dispatchable(function)
    operation = attached(rule(dispatching, unpack=by_position, evaluate=on_copies, name=name, **options))
    operation.arity = arity  # further arguments may be anything
    return dispatching


def signature_of(function: Any) -> Signature:
    """The signature of a function whose calls are to be recorded."""
    if not callable(function):
        what = f"{type(function).__name__} is not a function"
        cure = "primitive takes the derivatives, and gives a decorator: write @primitive(df) above the function."
        raise InputError(at_users_line(what, cure))
    try:
        return signature(function)
    except (TypeError, ValueError):
        what = f"{getattr(function, '__name__', 'the function')} does not tell its arguments"
        raise InputError(at_users_line(what, "Wrap it in a Python function.")) from None


def local(name: str, derivative: Callable[..., Any], operand: int, arity: int) -> Callable[..., Jacobian]:
    """The rule by one of the operands, for arrays and for nodes."""

    @dispatchable
    def entries(out_shape: Any, *operands: Any, **parameters: Any) -> Any:
        """The full matrix, as one recorded operation that is not traced itself."""
        matrix = derivative(*operands, **parameters)
        return as_jacobian(matrix, out_shape, np.shape(operands[operand]), name).toarray()

    def again(*_: Any, **__: Any) -> Any:
        what = f"the derivative of {name} cannot be traced, so it cannot be differentiated again"
        raise NoRuleError(at_users_line(what, "Write it in plain NumPy, or make it a primitive with its derivative."))

    opaque = attached(rule(
        entries,
        name=f"the derivative of {name}",
        each=again,
        unpack=lambda out_shape, *operands, **parameters: (operands, {"out_shape": out_shape, **parameters}),
        evaluate=lambda *operands, out_shape, **parameters: entries(out_shape, *operands, **parameters),
    ))
    opaque.arity = arity

    def by_operand(y: Any, *operands: Any, **parameters: Any) -> Jacobian:
        out_shape, in_shape = np.shape(y), np.shape(operands[operand])
        if not any(map(is_node, (y, *operands))):
            return as_jacobian(derivative(*operands, **parameters), out_shape, in_shape, name)
        try:  # a derivative in plain NumPy can be traced, and so differentiated again
            return as_jacobian(derivative(*operands, **parameters), out_shape, in_shape, name)
        except (JacobiError, TypeError, AttributeError, ValueError):
            return Jacobian.from_dense(entries(out_shape, *operands, **parameters), out_shape, in_shape)

    return by_operand


def as_jacobian(value: Any, out_shape: tuple[int, ...], in_shape: tuple[int, ...], name: str) -> Jacobian:
    """The derivative that somebody gave, in whatever form, as a `Jacobian` between two spaces."""
    shape = prod(out_shape), prod(in_shape)
    if isinstance(value, Jacobian) or hasattr(value, "tocsr") or hasattr(value, "matvec"):
        if tuple(value.shape) != shape:
            raise misfit(name, value.shape, out_shape, in_shape)
        if isinstance(value, Jacobian):
            return Jacobian(value.terms, out_shape, in_shape, value.dtype)
        if hasattr(value, "tocsr"):
            return Jacobian.from_sparse(value.tocsr(), out_shape, in_shape)
        return Jacobian.from_dense(entries_of(value), out_shape, in_shape)
    array = stacked(value)
    if np.shape(array) not in (shape, out_shape + in_shape):
        raise misfit(name, np.shape(array), out_shape, in_shape)
    return Jacobian.from_dense(array, out_shape, in_shape)


def misfit(name: str, shape: Any, out_shape: tuple[int, ...], in_shape: tuple[int, ...]) -> ShapeError:
    """The error for a derivative of the wrong shape."""
    wanted = dict.fromkeys([(prod(out_shape), prod(in_shape)), out_shape + in_shape])
    cure = f"Return the shape {' or '.join(map(str, wanted))}."
    if tuple(shape) == in_shape == out_shape:
        cure += " A diagonal is Jacobian.from_diagonal(d)."
    return ShapeError(at_users_line(f"the derivative of {name} has the shape {tuple(shape)}", cure))


def entries_of(operator: Any) -> Any:
    """The full matrix of an operator, from products with an identity on its shorter side."""
    rows, columns = operator.shape
    if rows * columns * 8 > LARGEST:
        what = f"an operator of shape {(rows, columns)} has too many entries to write them out"
        raise MemoryError(at_users_line(what, "Return a sparse matrix, or a Jacobian with structure."))
    if rows < columns:
        return np.asarray(operator.T @ np.eye(rows)).T
    return np.asarray(operator @ np.eye(columns))


def stacked(value: Any) -> Any:
    """An array or a node; nested lists of nodes are joined."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        parts = [stacked(part) for part in value]
        return np.stack(parts) if any(map(is_node, parts)) else np.asarray(value)
    return value if is_node(value) else cast(Any, np.asarray(value))
