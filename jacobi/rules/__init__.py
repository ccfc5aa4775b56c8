"""Rules: one declaration per operation, blind to what flows through it.

Importing this package fills the registry with NumPy's operations; those of ``scipy.special`` are added when one of
them is met, so that SciPy is imported where it is used.
"""

import jacobi.rules.assignment
import jacobi.rules.building
import jacobi.rules.contractions
import jacobi.rules.decompositions
import jacobi.rules.differences
import jacobi.rules.elementwise
import jacobi.rules.fourier
import jacobi.rules.functions
import jacobi.rules.linalg
import jacobi.rules.matrix_products
import jacobi.rules.moves
import jacobi.rules.reductions
import jacobi.rules.signals
import jacobi.rules.silent
import jacobi.rules.singular_values
import jacobi.rules.sorting
import jacobi.rules.statistics  # noqa: F401
from jacobi.matrix import dispatchable, einstein
from jacobi.rules.registry import (
    REFUSED,
    REGISTRY,
    Composed,
    Elementwise,
    Move,
    Rule,
    Silent,
    composed,
    elementwise,
    full_name,
    piecewise_constant,
    refused,
    rule,
    silent,
)

__all__ = [
    "REFUSED",
    "REGISTRY",
    "Composed",
    "Elementwise",
    "Move",
    "Rule",
    "Silent",
    "composed",
    "dispatchable",
    "einstein",
    "elementwise",
    "full_name",
    "piecewise_constant",
    "refused",
    "rule",
    "silent",
]
