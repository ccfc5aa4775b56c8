"""Finite differences: the numerical Jacobian of any function, with a bound on the error of every entry."""

from jacobi.finite_difference.column import SAFETY
from jacobi.finite_difference.measure import NumericalJacobian, finite_difference, measure, measure_at
from jacobi.finite_difference.point import NO_VALUE, Point, fresh, real_array

__all__ = [
    "NO_VALUE",
    "SAFETY",
    "NumericalJacobian",
    "Point",
    "finite_difference",
    "fresh",
    "measure",
    "measure_at",
    "real_array",
]
