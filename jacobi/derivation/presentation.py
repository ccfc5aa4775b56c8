"""Derivations as text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jacobi.derivation.derivation import Derivation, Line

TITLES = {
    "variable": "intermediate variables",
    "local derivative": "their derivatives ({layout} layout)",
    "chain rule": "chain rule",
    "substitution": "substitute",
    "result": "result",
}


def shown(shape: Sequence[Any]) -> str:
    """A shape as text: ``(N, n)``, ``(n,)``, ``()``."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def title(derivation: Derivation) -> str:
    """The function and the shapes of its arguments."""
    shapes = derivation.jacobian.sizes.shapes
    return "   ".join([derivation.function, *(f"{name}: {shown(shape)}" for name, shape in shapes.items())])


def sections(derivation: Derivation) -> list[tuple[str, list[Line]]]:
    """The titles of the parts, and their lines."""
    found: list[tuple[str, list[Line]]] = []
    for part, heading in TITLES.items():
        lines = [line for line in (*derivation.steps, *derivation.results) if line.part == part]
        if lines:
            # the rules of local derivatives are in numerator layout, however the result is written
            found.append((f"{len(found) + 1}. {heading.format(layout='numerator')}", lines))
    return found


def as_text(derivation: Derivation) -> str:
    """The derivation as lines of text."""
    parts = [title(derivation)]
    for heading, lines in sections(derivation):
        parts += [heading, *table(lines)]
    return "\n".join([*parts, *(f"   {note}" for note in derivation.notes)])


def table(lines: Sequence[Line]) -> list[str]:
    """Equations in columns: both sides, the shape, the rule."""
    left = max(len(line.left) for line in lines)
    right = max(len(line.right) for line in lines)
    shapes = [shown(line.shape) if line.shape else "" for line in lines]
    return [
        f"   {line.left:<{left}} = {line.right:<{right}}   {shape:<8}   {line.rule}".rstrip()
        for line, shape in zip(lines, shapes, strict=True)
    ]


def as_markdown(derivation: Derivation) -> str:
    """The derivation as Markdown with formulas in LaTeX."""
    parts = [f"**{escape(title(derivation))}**"]
    for heading, lines in sections(derivation):
        parts.append(f"**{heading}**")
        parts += [f"$$ {line.latex} $$" if line.latex else f"`{line.left} = {line.right}`" for line in lines]
    return "\n\n".join([*parts, *(f"- {escape(note)}" for note in derivation.notes)])


def as_html(derivation: Derivation) -> str:
    """The derivation as HTML with formulas in LaTeX, which notebooks typeset."""
    parts = [f"<p><b>{escape(title(derivation))}</b></p>"]
    for heading, lines in sections(derivation):
        rows = "".join(
            f"<tr><td>{equation(line)}</td><td>{escape(shown(line.shape)) if line.shape else ''}</td>"
            f"<td>{escape(line.rule)}</td></tr>"
            for line in lines
        )
        parts.append(f"<p>{escape(heading)}</p><table>{rows}</table>")
    notes = "".join(f"<li>{escape(note)}</li>" for note in derivation.notes)
    return "\n".join([*parts, f"<ul>{notes}</ul>"] if notes else parts)


def equation(line: Line) -> str:
    """An equation in LaTeX, or as text where there is none."""
    return f"${escape(line.latex)}$" if line.latex else f"<code>{escape(f'{line.left} = {line.right}')}</code>"
