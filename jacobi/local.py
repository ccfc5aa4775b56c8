"""Local Jacobians of one operation: ``local.multiply(w, x)`` is the tuple ``(diag(x), diag(w))``.

Every operation that has a rule is here under its NumPy (or SciPy) name.  There is one Jacobian per array argument, in
their order (NumPy's scalars and 0-d arrays are arrays).  Python's numbers are constants and parameters, as in
``local.maximum(0, z)`` and ``local.sum(x, 0)``, unless nothing but numbers is given (``local.multiply(2.0, 3.0)``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi.differentiate import jacobians, trace
from jacobi.errors import InputError, at_users_line
from jacobi.matrix import Jacobian
from jacobi.rules import REGISTRY

RECORDED = ("primitive", "composed")


def operations() -> dict[str, Any]:
    """The functions by the names under which they are offered here; NumPy's come before SciPy's."""
    from scipy import special

    import jacobi.rules.library
    import jacobi.rules.special  # noqa: F401
    from jacobi import functions

    found = {name: getattr(functions, name) for name in functions.__all__}
    for module in (special, np.linalg, np):
        for name, function in vars(module).items():
            operation = REGISTRY.get(function) if callable(function) and not isinstance(function, type) else None
            if operation is not None and operation.kind in RECORDED:
                found[name] = function
    return found


def __getattr__(name: str) -> Callable[..., tuple[Jacobian, ...]]:
    if name.startswith("__"):
        raise AttributeError(name)
    for module in (np, np.linalg):  # the usual names need neither SciPy nor the whole list
        function: Any = vars(module).get(name)
        if getattr(REGISTRY.get(function) if callable(function) else None, "kind", None) in RECORDED:
            return local(function)
    try:
        return local(operations()[name])
    except KeyError:
        raise AttributeError(f"jacobi.local has no operation {name!r}: it has no rule") from None


def __dir__() -> list[str]:
    return sorted(operations())


def local(function: Callable[..., Any]) -> Callable[..., tuple[Jacobian, ...]]:
    """The function that gives the local Jacobians of ``function`` by all its array arguments."""

    def local_jacobians(*arguments: Any, **keywords: Any) -> tuple[Jacobian, ...]:
        flat: list[Any] = []
        template: list[Any] = []
        for argument in arguments:
            if isinstance(argument, (list, tuple)) and argument and all(hasattr(a, "dtype") for a in argument):
                template.append(range(len(flat), len(flat) + len(argument)))  # a sequence of arrays
                flat += argument
            else:
                template.append(len(flat))
                flat.append(argument)

        def call(*values: Any) -> Any:
            return function(
                *([values[k] for k in at] if isinstance(at, range) else values[at] for at in template), **keywords
            )

        arity = getattr(REGISTRY.get(function), "arity", None)
        leading = flat if arity is None else flat[:arity]
        positions = [k for k, value in enumerate(leading) if is_variable(value)]
        if all(type(value) in (int, float) for value in leading):
            positions = list(range(len(leading)))
        if not positions:
            raise InputError(at_users_line("no array was given", "Pass the operands as arrays."))
        return tuple(jacobians(trace(call, flat, {}, positions), positions))

    local_jacobians.__name__ = local_jacobians.__qualname__ = function.__name__
    local_jacobians.__doc__ = f"Local Jacobians of ``{function.__name__}`` by each of its array arguments."
    return local_jacobians


def is_variable(value: Any) -> bool:
    """Whether a value is differentiated by: floating arrays and NumPy's scalars, integer arrays, lists of numbers."""
    if type(value) in (bool, int, float) or not isinstance(value, (np.ndarray, np.generic, list, tuple)):
        return False
    array = np.asarray(value)
    return array.dtype.kind in "fiu" and (array.ndim > 0 or array.dtype.kind == "f")
