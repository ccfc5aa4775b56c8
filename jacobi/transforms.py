"""The functions that differentiate functions: ``jacobian``, ``gradient``, ``hessian``, ``jvp``, ``vjp``.

Each takes a function of arrays, written in plain NumPy, and returns a function of the same arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from jacobi.arguments import Argnums, Call, Function, check_argnums
from jacobi.differentiate import Trace, jacobians, trace
from jacobi.differentiate.accumulate import pulled_back, pushed_forward
from jacobi.differentiate.trace import real_array
from jacobi.errors import InputError, ShapeError, at_function, at_users_line
from jacobi.matrix import Jacobian
from jacobi.matrix.patterns import Patterns


def jacobian(f: Function, argnums: Argnums = 0, *, format: str | None = None, has_aux: bool = False) -> Function:
    """The Jacobian of a function, in numerator layout: ``J[i, j] = dy_i / dx_j``.

    Parameters
    ----------
    f : callable
        A function of arrays and numbers in plain NumPy, that returns an array of any shape, a number, or a list of
        numbers.
    argnums : int or sequence of int
        The arguments to differentiate by; a tuple of Jacobians is returned for a sequence.  For an argument that is a
        dictionary or a tuple of arrays, the result has the same structure.
    format : {None, "array", "csr", "csc", "coo", "operator"}
        None keeps the `Jacobian` with its structure; the others are what solvers of SciPy take.  The returned function
        keeps the pattern of a sparse format for its next call, which then only fills in numbers.
    has_aux : bool
        Whether ``f`` returns a pair of the value to differentiate and anything else, which is passed on.

    Returns
    -------
    callable
        ``jacobian(f)(*args)`` is a `Jacobian` of shape ``(y.size, x.size)``; with ``has_aux`` the pair ``(J, aux)``.

    Raises
    ------
    TraceError
        If ``f`` does something that cannot be traced; the message names the line and the cure.
    InputError
        If an argument or the result is not an array of real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> J = jacobian(lambda x: np.tanh(x) * x)(np.array([0.0, 1.0, 2.0]))
    >>> J.structure, J.shape
    ('diagonal', (3, 3))
    >>> print(jacobian(lambda x, y: [3 * x**2 * y, 2 * x + y**8], argnums=(0, 1))(1.0, 2.0)[1].toarray())
    [[   3.]
     [1024.]]
    """
    check_call(f, argnums)
    convert = converter(format)

    @wraps(f)
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = Call(f, args, argnums, has_aux)
        traced = trace(call.function, call.arrays, kwargs, call.positions, frugal=True)
        return call.with_auxiliary(call.together([convert(J) for J in jacobians(traced, call.positions)]))

    if format is not None:  # what is compiled keeps the Jacobian, and fills a pattern that is made once
        jacobian_of_f.without_format = jacobian(f, argnums, has_aux=has_aux), format  # type: ignore[attr-defined]
    jacobian_of_f.transform = "jacobian"  # type: ignore[attr-defined]
    return jacobian_of_f


def value_and_jacobian(
    f: Function, argnums: Argnums = 0, *, format: str | None = None, has_aux: bool = False
) -> Function:
    """The value and the Jacobian of a function, from one evaluation.

    Parameters
    ----------
    f, argnums, format, has_aux
        As for `jacobian`.

    Returns
    -------
    callable
        ``value_and_jacobian(f)(*args)`` is ``(y, J)``; with ``has_aux``, ``((y, aux), J)``.

    Examples
    --------
    >>> import numpy as np
    >>> y, J = value_and_jacobian(np.sum)(np.array([1.0, 2.0]))
    >>> float(y), J.toarray()
    (3.0, array([[1., 1.]]))
    """
    check_call(f, argnums)
    convert = converter(format)

    @wraps(f)
    def value_and_jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = Call(f, args, argnums, has_aux)
        traced = trace(call.function, call.arrays, kwargs, call.positions, frugal=True)
        found = [convert(J) for J in jacobians(traced, call.positions)]
        return call.with_auxiliary(own(traced)), call.together(found)

    if format is not None:
        plain = value_and_jacobian(f, argnums, has_aux=has_aux)
        value_and_jacobian_of_f.without_format = plain, format  # type: ignore[attr-defined]
    value_and_jacobian_of_f.transform = "value_and_jacobian"  # type: ignore[attr-defined]
    return value_and_jacobian_of_f


def gradient(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """The gradient of a scalar function, shaped like the argument (the layout of practitioners).

    Parameters
    ----------
    f : callable
        A function whose result has one entry.
    argnums : int or sequence of int
        The arguments to differentiate by; a tuple of gradients is returned for a sequence.  For an argument that is a
        dictionary or a tuple of arrays, the result has the same structure.
    has_aux : bool
        Whether ``f`` returns a pair of the value to differentiate and anything else, which is passed on.

    Returns
    -------
    callable
        ``gradient(f)(*args)`` is an array of the shape of the argument; with ``has_aux`` the pair ``(g, aux)``.

    Raises
    ------
    ShapeError
        If the result of ``f`` has more than one entry.

    Examples
    --------
    >>> import numpy as np
    >>> gradient(lambda x: np.sum(x**2))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 4.],
           [6., 8.]])
    """
    with_value = value_and_gradient(f, argnums, has_aux=has_aux)

    @wraps(f)
    def gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        value, found = with_value(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    gradient_of_f.transform = "gradient"  # type: ignore[attr-defined]
    return gradient_of_f


def value_and_gradient(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """The value and the gradient of a scalar function, from one evaluation.

    Parameters
    ----------
    f, argnums, has_aux
        As for `gradient`.

    Returns
    -------
    callable
        ``value_and_gradient(f)(*args)`` is ``(y, g)``; with ``has_aux``, ``((y, aux), g)``.

    Examples
    --------
    >>> import numpy as np
    >>> y, g = value_and_gradient(lambda w, x: w @ x)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> float(y), g
    (11.0, array([3., 4.]))
    """
    check_call(f, argnums)

    @wraps(f)
    def value_and_gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        call = Call(f, args, argnums, has_aux)
        traced = trace(call.function, call.arrays, kwargs, call.positions, frugal=True)
        only_one_entry(traced, f)
        found = [J.tensor().reshape(J.in_shape) for J in jacobians(traced, call.positions)]
        return call.with_auxiliary(own(traced)), call.together(found)

    value_and_gradient_of_f.transform = "value_and_gradient"  # type: ignore[attr-defined]
    return value_and_gradient_of_f


def hessian(f: Function, argnums: int = 0) -> Function:
    """The Hessian of a scalar function: the Jacobian of its gradient, with its structure kept.

    Parameters
    ----------
    f : callable
        A function whose result has one entry.
    argnums : int
        The argument to differentiate by, twice.

    Returns
    -------
    callable
        ``hessian(f)(*args)`` is a `Jacobian` of shape ``(x.size, x.size)``.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0])).structure
    'diagonal'
    """
    check_call(f, argnums)
    if not isinstance(argnums, (int, np.integer)):
        raise InputError(
            at_users_line(f"hessian takes one argument number, not {argnums!r}", "Concatenate the arguments.")
        )
    twice = jacobian(gradient(f, argnums), argnums)

    @wraps(f)
    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        if args[argnums:] and isinstance(args[argnums], dict):
            what = f"hessian is for an array, and argument {argnums} is a dictionary"
            raise InputError(at_users_line(what, "Write f as a function of one array, joined by np.concatenate."))
        return twice(*args, **kwargs)

    hessian_of_f.transform = "hessian"  # type: ignore[attr-defined]
    return hessian_of_f


def jvp(f: Function, arguments: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of a function and the product of its Jacobian with a direction; no matrix is formed.

    Parameters
    ----------
    f : callable
        A function of arrays.
    arguments : tuple
        The arguments of ``f``.
    tangents : tuple
        A direction for every argument, of its shape; None stands for zero.

    Returns
    -------
    y, t : arrays
        ``f(*arguments)``, and the sum of ``J_k @ tangents[k]`` in the shape of ``y``.

    Examples
    --------
    >>> import numpy as np
    >>> y, t = jvp(lambda x: x**2, (np.array([1.0, 3.0]),), (np.array([1.0, 1.0]),))
    >>> t
    array([2., 6.])
    """
    check_call(f)
    if not isinstance(arguments, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise InputError(at_users_line("jvp takes tuples", "Write jvp(f, (x,), (v,))."))
    if len(arguments) != len(tangents):
        raise InputError(
            at_users_line(
                f"{len(arguments)} arguments and {len(tangents)} directions",
                "Give a direction for every argument; None stands for zero.",
            )
        )
    positions = [k for k, tangent in enumerate(tangents) if tangent is not None]
    traced = trace(f, arguments, {}, positions, frugal=True)
    directions = {k: shaped(tangents[k], traced.inputs[k].value.shape, f"direction {k}") for k in positions}
    if not directions:
        return own(traced), np.zeros(np.shape(traced.value))
    return own(traced), pushed_forward(traced, directions)


def vjp(f: Function, *arguments: Any) -> tuple[Any, Function]:
    """The value of a function and the map ``u -> u^T J``; no matrix is formed.

    Parameters
    ----------
    f : callable
        A function of arrays.
    *arguments
        Its arguments.

    Returns
    -------
    y : array
        ``f(*arguments)``.
    pullback : callable
        Takes an array of the shape of ``y`` and returns an array of the shape of the argument (a tuple of them for
        several arguments; None for arrays of integers, which are labels and positions).

    Examples
    --------
    >>> import numpy as np
    >>> y, pullback = vjp(lambda x: x**2, np.array([1.0, 3.0]))
    >>> pullback(np.array([1.0, 10.0]))
    array([ 2., 60.])
    """
    check_call(f)
    numbers = [k for k, a in enumerate(arguments) if not is_integer_array(a)] or list(range(len(arguments)))
    call = Call(f, arguments, 0 if len(arguments) == 1 else numbers)
    traced = trace(call.function, call.arrays, {}, call.positions, frugal=True)
    pull = pulled_back(traced, call.positions)
    shape = np.shape(traced.value)

    def pullback(u: Any) -> Any:
        found = call.together(pull(shaped(u, shape, "the covector")))
        if len(arguments) == 1:
            return found
        by_number = dict(zip(numbers, found, strict=True))
        return tuple(by_number.get(k) for k in range(len(arguments)))

    return own(traced), pullback


def is_integer_array(value: Any) -> bool:
    """Whether an argument is an array of integers or booleans: labels, positions, masks."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "iub"


def check_call(f: Any, argnums: Any = 0) -> None:
    """Refuse what cannot be called, and what is no argument number, with the usual slips named."""
    check_argnums(argnums)
    if not callable(f):
        raise InputError(
            at_users_line(
                f"{type(f).__name__} is not a function",
                "Pass the function itself, jacobian(f)(x), not its value, jacobian(f(x)).",
            )
        )


def own(traced: Trace) -> Any:
    """The value of a traced function, never an array that the user or the graph holds."""
    value = traced.value
    return value.copy() if isinstance(value, np.ndarray) else value


def only_one_entry(traced: Trace, f: Function) -> None:
    """Refuse a vector function."""
    shape = np.shape(traced.value)
    if int(np.prod(shape)) != 1:
        raise ShapeError(
            at_function(
                f,
                "the gradient belongs to scalar functions; this one returns an array of shape " f"{shape}",
                "Use jacobian(f), or reduce the result, for example with np.sum.",
            )
        )


def shaped(value: Any, shape: tuple[int, ...], what: str) -> Any:
    """A direction as an array of the right shape."""
    array = value if hasattr(type(value), "__array_function__") else real_array(value, what)
    if np.shape(array) != shape:
        raise ShapeError(
            at_users_line(f"{what} has the shape {np.shape(array)}", f"It belongs to an array of shape {shape}.")
        )
    return array


FORMATS: dict[str | None, Callable[[Jacobian], Any]] = {
    None: lambda J: J,
    "array": lambda J: J.toarray(),
    "operator": lambda J: J.aslinearoperator(),
}
SPARSE_FORMATS = ("csr", "csc", "coo")


def converter(format: str | None) -> Callable[[Jacobian], Any]:
    """The exit of a Jacobian that a format names; it keeps the pattern of a sparse array for the next point."""
    if format in SPARSE_FORMATS:
        patterns = Patterns(str(format))
        return lambda J: patterns.filled(J.terms, J.shape, J.dtype)
    if format not in FORMATS:
        names = ", ".join(repr(name) for name in (*FORMATS, *SPARSE_FORMATS))
        raise InputError(at_users_line(f"format={format!r} is not known", f"The formats are {names}."))
    return FORMATS[format]
