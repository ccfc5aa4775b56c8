"""Compilation: a function recorded once becomes straight-line NumPy code."""

from jacobi.compilation.compile import Compiled, compile

__all__ = ["Compiled", "compile"]
