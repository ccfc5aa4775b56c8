"""Notation: matrix notation as trees, and their printers."""
