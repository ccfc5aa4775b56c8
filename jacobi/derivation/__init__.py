"""Derivation: the closed matrix formula of a derivative, with steps, LaTeX and NumPy source."""

from jacobi.derivation.derivation import Derivation, Line, Verification
from jacobi.derivation.derive import derive
from jacobi.derivation.formula import Formula
from jacobi.derivation.refusals import DerivationError

__all__ = ["Derivation", "DerivationError", "Formula", "Line", "Verification", "derive"]
