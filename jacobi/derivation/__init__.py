"""Derivation: the closed matrix formula of a derivative, with steps, LaTeX and NumPy source."""

from jacobi.derivation.derivation import Derivation, Line, Verification
from jacobi.derivation.derive import DerivationError, derive
from jacobi.derivation.formula import Formula

__all__ = ["Derivation", "DerivationError", "Formula", "Line", "Verification", "derive"]
