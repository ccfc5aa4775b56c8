"""Jacobians and matrix calculus in numerator layout for plain NumPy code."""

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
    "gradient",
    "hessian",
    "jacobian",
    "jvp",
    "local",
    "rules",
    "value_and_gradient",
    "value_and_jacobian",
    "vjp",
]
