"""Rules: one declaration per operation, blind to what flows through it.

Importing this package fills the registry with the operations that most code uses.  `jacobi.rules.library` holds the
rest of NumPy and `jacobi.rules.special` the ufuncs of SciPy; they are imported when one of theirs is first met.
"""

import jacobi.rules.assignment
import jacobi.rules.contractions
import jacobi.rules.elementwise
import jacobi.rules.linalg
import jacobi.rules.moves
import jacobi.rules.reductions
import jacobi.rules.silent  # noqa: F401
from jacobi.matrix import dispatchable, einstein
from jacobi.rules.calls import full_name
from jacobi.rules.operations import Composed, Elementwise, Move, Rule, Silent
from jacobi.rules.registry import REFUSED, REGISTRY, composed, elementwise, piecewise_constant, refused, rule, silent

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
