"""Jacobians and matrix calculus in numerator layout for plain NumPy code."""

from importlib import import_module
from typing import Any

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
    "check",
    "check_chain",
    "compile",
    "derive",
    "errors",
    "explain",
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
    "verified",
    "vjp",
]


# Imported where they are used, so that `import jacobi` stays quick: modules, and functions with their modules.
LATER = {
    "functions": "",
    "testing": "",
    "check": "verification",
    "check_chain": "verification",
    "compile": "compilation",
    "derive": "derivation",
    "explain": "explanation",
    "verified": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module 'jacobi' has no attribute {name!r}")
    module = import_module(f"jacobi.{LATER[name] or name}")
    return getattr(module, name) if LATER[name] else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
