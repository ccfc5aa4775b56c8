"""Jacobians and matrix calculus in numerator layout for plain NumPy code."""

from importlib import import_module
from types import ModuleType

from jacobi import errors, local, rules
from jacobi.finite_difference import finite_difference
from jacobi.matrix import Jacobian, chain
from jacobi.transforms import (
    gradient,
    hessian,
    jacobian,
    jvp,
    value_and_gradient,
    value_and_jacobian,
    vjp,
)

__version__ = "0.1.0"

__all__ = [
    "Jacobian",
    "chain",
    "errors",
    "finite_difference",
    "functions",
    "gradient",
    "hessian",
    "jacobian",
    "jvp",
    "local",
    "rules",
    "testing",
    "value_and_gradient",
    "value_and_jacobian",
    "vjp",
]


def __getattr__(name: str) -> ModuleType:
    if name in ("functions", "testing"):  # imported where they are used, so that `import jacobi` stays quick
        return import_module(f"jacobi.{name}")
    raise AttributeError(f"module 'jacobi' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
