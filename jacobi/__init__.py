"""Jacobians and matrix calculus in numerator layout for plain NumPy code."""

from jacobi import errors, functions, local, rules, testing
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
