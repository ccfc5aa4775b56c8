"""The registry of operations: one declaration each, in one of a few forms, and everything else follows from it.

========================  =====================================================================================
``elementwise``           acts entry by entry; one line with the partial derivative by each operand
``piecewise_constant``    acts entry by entry and has derivative zero wherever there is one
``rule``                  anything else: one line per operand that returns the local Jacobian
``composed``              defined through other operations
``silent``                answers at once with plain values (shapes, comparisons, positions)
``refused``               has no derivative here, and why
========================  =====================================================================================

A rule is called as ``partial(y, *operands, **parameters)`` with the value ``y`` of the operation.  It is blind: the
operands may be arrays or nodes, so it uses NumPy functions and `jacobi.matrix`, and never looks at values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from jacobi.errors import InputError, NoRuleError, at_users_line
from jacobi.rules import samples
from jacobi.rules.calls import full_name, is_default, parameter_names, takes_any_keyword, unknown_parameter
from jacobi.rules.operations import Composed, Elementwise, Partial, Rule, Silent

REGISTRY: dict[Any, Any] = {}
REFUSED: dict[Any, str] = {}


class NoClosedForm:
    """A partial derivative that is not known: it stands in a declaration and raises when it is asked for.

    Attributes
    ----------
    operand : str
        The name of the operand in SciPy's documentation.
    reason : str
        Why there is no derivative, and what to write instead.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import special
    >>> from jacobi import gradient
    >>> gradient(lambda a: special.gammainc(a, 1.0))(2.0)
    Traceback (most recent call last):
    ...
    jacobi.errors.NoRuleError: scipy.special.gammainc cannot be differentiated by its operand a...
    """

    def __init__(self, operand: str, reason: str):
        self.operand = operand
        self.reason = reason

    def __repr__(self) -> str:
        return f"<no derivative by {self.operand}>"

    def __call__(self, y: Any, *operands: Any) -> Any:
        """Raise `NoRuleError` with the names of the operation and of the operand."""
        name = next(
            (o.name for o in REGISTRY.values() if self in getattr(o, "partials", ())), "this operation"
        )
        raise NoRuleError(
            at_users_line(f"{name} cannot be differentiated by its operand {self.operand}", self.reason)
        )


def attached(operation: Any) -> Any:
    """Keep an operation on its function instead of in the registry: it lives as long as the function does."""
    del REGISTRY[operation.function]
    operation.function.operation = operation
    return operation


def elementwise(function: Any, *partials: Partial | None, domain: Any = samples.real, **options: Any) -> Any:
    """Declare an operation that acts entry by entry.

    Parameters
    ----------
    function : ufunc
        The operation.
    *partials : callable or None
        ``partial(y, *operands)``, the derivative by each operand; a number, or an array that broadcasts to ``y``.
    domain : callable or tuple of callables
        ``domain(rng, shape)`` draws operands from where the derivative exists; one for all operands, or one each.
    **options
        ``samples``, ``kink``, ``alone``, ``source``, ``name`` of `Rule` and `Elementwise`.

    Without partials, a decorator of a function that gives the derivative, or a tuple of them for several operands.
    The operation must be one that NumPy lets us see: a ufunc, or a function decorated with `dispatchable`.

    Examples
    --------
    >>> import numpy as np
    >>> elementwise(np.tanh, lambda y, x: 1 - y * y)
    <rule of numpy.tanh>
    >>> import math
    >>> lgamma = np.frompyfunc(math.lgamma, 1, 1)
    >>> @elementwise(lgamma)
    ... def derivative(y, x):
    ...     from scipy.special import digamma
    ...     return digamma(x)
    """
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        raise InputError(
            at_users_line(
                f"{function.__name__} is a plain Python function, whose calls cannot be seen",
                "Decorate it with @jacobi.rules.dispatchable first, or make it a ufunc with np.frompyfunc.",
            )
        )
    if not partials:
        return lambda derivative: _decorated(function, derivative, domain, options)
    domains = domain if isinstance(domain, tuple) else (domain,) * len(partials)
    operation = Elementwise(function, partials, **{"samples": samples.broadcast(*domains), **options})
    REGISTRY[function] = operation
    return operation


def _decorated(function: Any, derivative: Any, domain: Any, options: dict[str, Any]) -> Any:
    """Declare an operation by one function for all its operands."""
    count = len(parameter_names(derivative)) - 1

    def partial(k: int) -> Partial:
        def by(y: Any, *operands: Any) -> Any:
            found = derivative(y, *operands)
            return found[k] if isinstance(found, tuple) else found

        return by

    elementwise(function, *(partial(k) for k in range(count)), domain=domain, **options)
    return derivative


def piecewise_constant(*functions: Any, domain: Any = samples.between_integers, **options: Any) -> None:
    """Declare operations that act entry by entry and have derivative zero wherever there is one."""
    for function in functions:
        zeros = [lambda y, *x: 0] * function.nin
        elementwise(function, *zeros, domain=domain, piecewise_constant=True, **options)


def rule(function: Any, *partials: Partial | None, **options: Any) -> Any:
    """Declare an operation by its local Jacobian for each operand.

    Parameters
    ----------
    function : callable
        The operation.
    *partials : callable or None
        ``partial(y, *operands, **parameters)`` returns a `Jacobian`.
    **options
        ``samples``, ``kink``, ``source``, ``dense``, ``once``, ``name``, ``evaluate``, ``each``, ``unpack`` of `Rule`.
    """
    operation = Rule(function, partials, **options)
    REGISTRY[function] = operation
    return operation


def composed(function: Any, definition: Callable[..., Any], samples: Any = None, name: str | None = None) -> None:
    """Declare an operation through other operations: ``composed(np.std, lambda x: np.sqrt(np.var(x)))``."""
    name = name or full_name(function)
    REGISTRY[function] = Composed(function, strict(name, definition), samples, name)


def strict(name: str, definition: Callable[..., Any]) -> Callable[..., Any]:
    """A definition that knows which keywords say only what happens anyway, and refuses those that it has not."""

    @wraps(definition)
    def defined(*arguments: Any, **keywords: Any) -> Any:
        if keywords and not takes_any_keyword(definition):
            for key in keywords.keys() - set(parameter_names(definition)):
                if not is_default(key, keywords.pop(key)):
                    raise unknown_parameter(name, key)
        return definition(*arguments, **keywords)

    return defined


def silent(*functions: Any) -> None:
    """Declare operations that answer with plain values."""
    for function in functions:
        REGISTRY[function] = Silent(function, function)


def refused(reason: str, *functions: Any) -> None:
    """Declare operations that have no derivative here, and say why or what to use instead."""
    for function in functions:
        REFUSED[function] = reason
