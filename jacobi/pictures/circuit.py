"""``circuit``: the circuit of a function, with values and gradients on every wire, to look at and to save."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from jacobi.arguments import Argnums
from jacobi.errors import InputError, at_users_line
from jacobi.pictures import drawing
from jacobi.pictures.converters import to_png
from jacobi.pictures.diagram import Diagram, diagram
from jacobi.pictures.flow import flow

__all__ = ["Circuit", "circuit"]

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ margin: 2em; overflow-x: auto }}</style>
{svg}</html>
"""


class Circuit:
    """The circuit of a function; notebooks show it as a picture.

    Attributes
    ----------
    diagram : Diagram
        Its boxes and wires with all that is written on them.
    """

    def __init__(self, diagram: Diagram):
        self.diagram = diagram

    def __repr__(self) -> str:
        boxes, wires = self.diagram.boxes, self.diagram.wires
        return f"<circuit of {self.diagram.name}, {len(boxes)} boxes, {len(wires)} wires>"

    def to_svg(self) -> str:
        """The picture as SVG; equal for equal functions and arguments."""
        return drawing.svg(self.diagram)

    def to_html(self) -> str:
        """A page that shows the picture and needs nothing from elsewhere."""
        return PAGE.format(title=escape(f"The circuit of {self.diagram.name}"), svg=self.to_svg())

    def to_dot(self) -> str:
        """The circuit in the language DOT of Graphviz, for other programs."""
        lines = [f"digraph {quoted(self.diagram.name)} {{", "  rankdir=LR;"]
        for number, box in enumerate(self.diagram.boxes):
            shape = "box" if box.kind in ("operation", "folded") else "plaintext"
            label, tooltip = quoted("\n".join(box.lines)), quoted(box.title)
            lines.append(f"  n{number} [label={label}, shape={shape}, tooltip={tooltip}];")
        for wire in self.diagram.wires:
            outlet = self.diagram.boxes[wire.source].outlets[wire.outlet]
            label = quoted("\n".join(text for text in (outlet.value, wire.share or outlet.gradient) if text))
            lines.append(f"  n{wire.source} -> n{wire.target} [label={label}];")
        return "\n".join([*lines, "}\n"])

    def save(self, path: str | Path) -> None:
        """Write the circuit to a file.

        Parameters
        ----------
        path : str or Path
            Its ending decides what is written: ``.svg``, ``.html``, ``.dot``, or ``.png``, which needs a program that
            converts SVG.

        Raises
        ------
        InputError
            If the ending is another one.
        ImportError
            If it is ``.png`` and there is nothing that converts SVG.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            what = f"a circuit cannot be saved as {path.name!r}"
            raise InputError(at_users_line(what, f"Use one of the endings {', '.join(FORMATS)}."))
        path.write_bytes(FORMATS[path.suffix](self))

    def _repr_svg_(self) -> str:
        return self.to_svg()


FORMATS: dict[str, Callable[[Circuit], bytes]] = {
    ".svg": lambda found: found.to_svg().encode(),
    ".html": lambda found: found.to_html().encode(),
    ".dot": lambda found: found.to_dot().encode(),
    ".png": lambda found: to_png(found.to_svg()),
}


def quoted(text: str) -> str:
    """A string of DOT; lines become lines."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def circuit(f: Callable[..., Any], *args: Any, argnums: Argnums | None = None, digits: int = 3) -> Circuit:
    """The circuit of a function: a box for every operation, and on every wire what flows through it at a point.

    Above a wire stands the value, below it the derivative of the result by this value: the gradient of a scalar
    function, the structure and the shape of the Jacobian for others.  Where a variable is used several times its wire
    branches: the gradient at its beginning is the sum of those at the ends of the branches.  The text under the pointer
    gives the local Jacobians of a box and its line in the code.

    Circuits of more than 40 operations are folded: the rounds of a loop become one box, then the operations of a line.

    Parameters
    ----------
    f : callable
        A function of arrays in plain NumPy.
    *args
        Its arguments.
    argnums : int or sequence of int, optional
        The arguments to differentiate by; by default all numbers, floating arrays, and structures of arrays.
    digits : int
        How many significant digits numbers have.

    Returns
    -------
    Circuit
        Shown as a picture in notebooks; `save` writes it to a file.

    Raises
    ------
    TraceError, InputError
        As `jacobian` does.

    Notes
    -----
    The cost is that of a Jacobian in reverse accumulation, with the derivative by every intermediate result kept.

    Examples
    --------
    >>> picture = circuit(lambda x, y, z: (x + y) * z, -2.0, 5.0, -4.0)
    >>> [(box.lines, [(out.value, out.gradient) for out in box.outlets]) for box in picture.diagram.boxes[:3]]
    [(('x',), [('−2', '−4')]), (('y',), [('5', '−4')]), (('z',), [('−4', '3')])]
    >>> picture.to_svg().startswith("<svg")
    True
    """
    if not isinstance(digits, int) or digits < 1:
        raise InputError(at_users_line(f"digits={digits!r}", "Use a whole number from 1 on."))
    name = getattr(f, "__name__", "f")
    return Circuit(diagram(flow(f, args, argnums), name if name.isidentifier() else "f", digits))
