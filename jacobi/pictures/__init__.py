"""Pictures of what a function does: its circuit, with values and gradients on every wire."""

from jacobi.pictures.circuit import Circuit, circuit

__all__ = ["Circuit", "circuit"]
