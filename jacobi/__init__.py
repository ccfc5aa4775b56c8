"""Jacobians and matrix calculus in numerator layout for plain NumPy code."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:  # what `LATER` imports, for type checkers and editors
    from jacobi import functions, testing
    from jacobi.bridges.error_propagation import propagate
    from jacobi.bridges.for_scipy import for_scipy
    from jacobi.bridges.implicit import implicit
    from jacobi.bridges.numerical import jacobi
    from jacobi.bridges.primitive import primitive
    from jacobi.compilation.compile import compile
    from jacobi.derivation.derive import derive
    from jacobi.explanation import explain
    from jacobi.pictures.circuit import circuit
    from jacobi.verification.chains import check_chain
    from jacobi.verification.check import check
    from jacobi.verification.verified import verified

__version__ = "0.1.0"

__all__ = [
    "Jacobian",
    "chain",
    "check",
    "check_chain",
    "circuit",
    "compile",
    "derive",
    "errors",
    "explain",
    "finite_difference",
    "for_scipy",
    "functions",
    "gradient",
    "hessian",
    "implicit",
    "jacobi",
    "jacobian",
    "jvp",
    "local",
    "primitive",
    "propagate",
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
    "circuit": "pictures",
    "compile": "compilation",
    "derive": "derivation",
    "explain": "explanation",
    "for_scipy": "bridges",
    "implicit": "bridges",
    "jacobi": "bridges",
    "primitive": "bridges",
    "propagate": "bridges",
    "verified": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module 'jacobi' has no attribute {name!r}")
    module = import_module(f"jacobi.{LATER[name] or name}")
    return getattr(module, name) if LATER[name] else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
