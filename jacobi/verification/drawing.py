"""Drawings of a report: the claimed entries against the established ones, as SVG and with matplotlib."""

from __future__ import annotations

from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobi.errors import InputError

if TYPE_CHECKING:
    from jacobi.verification.report import Report

CELLS = 40  # per side; larger matrices are drawn in blocks
SLENDER = 8  # how much longer than broad a matrix is drawn with square cells
SIDE = 14  # of one cell of the SVG, in pixels
VERDICTS = ("correct", "undecidable", "wrong")  # the worst of a block stands for it
COLOURS = {"correct": (0.16, 0.63, 0.37), "undecidable": (0.5, 0.5, 0.5), "wrong": (0.86, 0.15, 0.15)}

STYLE = """<style>
.jacobi-report { --correct: #1a7f4b; --undecidable: #8a6d00; --wrong: #c62828; color: inherit; background: transparent }
@supports (color: light-dark(red, red)) { /* the page says which it is, not the system */
.jacobi-report { --correct: light-dark(#1a7f4b, #4cc38a); --undecidable: light-dark(#8a6d00, #e5c04b) }
.jacobi-report { --wrong: light-dark(#c62828, #ff6b6b) }
}
.jacobi-report .correct { color: var(--correct); fill: var(--correct) }
.jacobi-report .undecidable, .jacobi-report .invalid { color: var(--undecidable); fill: var(--undecidable) }
.jacobi-report .wrong { color: var(--wrong); fill: var(--wrong) }
.jacobi-report table { border-collapse: collapse; background: transparent }
.jacobi-report th, .jacobi-report td { border: 1px solid currentColor; padding: 2px 8px; text-align: right }
.jacobi-report tr { background: transparent }
</style>"""


class HeatMap(NamedTuple):
    """How the entries of a claim compare with the established derivative, one cell per entry or block of entries.

    Attributes
    ----------
    verdicts : int array, (rows, columns)
        The worst verdict of each cell, a position in `VERDICTS`.
    strength : array, (rows, columns)
        How strong its colour is, from 0 (both are zero) to 1 (the relative error is 1 or more).
    edges : tuple of two int arrays
        Where the cells begin in the rows and in the columns of the Jacobian, and where the last one ends.
    """

    verdicts: NDArray[np.intp]
    strength: NDArray[np.float64]
    edges: tuple[NDArray[np.intp], NDArray[np.intp]]


def heat_map(report: Report, cells: int = CELLS) -> HeatMap | None:
    """The heat map of a report; None if it holds no entries."""
    claimed, reference, verdicts = report.claimed, report.reference, report.verdicts
    if claimed is None or reference is None or verdicts is None or not claimed.size:
        return None
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(claimed), np.abs(reference))
        relative = np.where(size == 0, 0, np.abs(claimed - reference) / size)  # NaN where there is no number
        digits = 1 + np.log10(np.maximum(relative, 1e-16)) / 16  # 0: equal to the last digit, 1: no digit is right
    codes = np.searchsorted(VERDICTS, verdicts)  # the names are in alphabetical order
    wrong = 0.35 + 0.65 * np.clip(np.nan_to_num(digits, nan=1), 0, 1)
    strength = np.where(codes == VERDICTS.index("wrong"), wrong, np.where(size == 0, 0.12, 0.5))
    edges = tuple(np.unique(np.linspace(0, n, min(n, cells) + 1).astype(np.intp)) for n in claimed.shape)
    for axis, starts in enumerate(edges):
        codes = np.maximum.reduceat(codes, starts[:-1], axis=axis)
        strength = np.maximum.reduceat(strength, starts[:-1], axis=axis)
    return HeatMap(codes, strength, (edges[0], edges[1]))


def span(name: str, start: int, stop: int) -> str:
    """A row or column of the Jacobian, or a block of them."""
    return f"{name} {start}" if stop - start == 1 else f"{name}s {start} to {stop - 1}"


def picture(report: Report, heat: HeatMap) -> str:
    """The heat map as SVG; undecidable entries are hatched, so that colour is not the only sign."""
    rows, columns = heat.verdicts.shape
    width, height = columns * SIDE, rows * SIDE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2}" height="{height + 2}" '
        f'viewBox="-1 -1 {width + 2} {height + 2}" role="img" aria-label="claimed against established entries">'
    ]
    for i, j in np.ndindex(rows, columns):
        verdict = VERDICTS[heat.verdicts[i, j]]
        block = [edge[k : k + 2] for edge, k in zip(heat.edges, (i, j), strict=True)]
        said = f"{span('row', *block[0])}, {span('column', *block[1])}: {verdict}"
        if all(stop - start == 1 for start, stop in block):
            assert report.claimed is not None and report.reference is not None
            place = block[0][0], block[1][0]
            said += f", claimed {report.claimed[place]:.6g}, established {report.reference[place]:.6g}"
        x, y = j * SIDE, i * SIDE
        opacity = 0.15 if verdict == "undecidable" else heat.strength[i, j]
        parts.append(
            f'<g class="{verdict}"><title>{escape(said)}</title>'
            f'<rect x="{x}" y="{y}" width="{SIDE - 1}" height="{SIDE - 1}" fill-opacity="{opacity:.2f}"/>'
        )
        if verdict == "undecidable":
            half, full = SIDE // 2, SIDE - 1
            strokes = ((0, half, half), (0, full, full), (half, full, half))  # begin in x and y, and length
            path = "".join(f"M{x + a} {y + b}l{length} -{length}" for a, b, length in strokes)
            parts.append(f'<path d="{path}" stroke="currentColor" fill="none"/>')
        parts.append("</g>")
    frame = f'<rect width="{width}" height="{height}" fill="none" stroke="currentColor" stroke-opacity="0.5"/>'
    return "".join([*parts, frame, "</svg>"])


def plot(report: Report, ax: Any = None) -> Any:
    """The heat map on axes of matplotlib."""
    heat = heat_map(report, 2 * CELLS)
    if heat is None:
        raise InputError("the report holds no entries to draw. Print it instead, or check every entry")
    if ax is None:
        ax = pyplot().subplots()[1]
    image = np.zeros((*heat.verdicts.shape, 4))
    for code, verdict in enumerate(VERDICTS):
        image[heat.verdicts == code, :3] = COLOURS[verdict]
    image[..., 3] = heat.strength
    rows, columns = (int(edge[-1]) for edge in heat.edges)
    aspect = "equal" if max(rows, columns) <= SLENDER * min(rows, columns) else "auto"
    ax.imshow(image, extent=(-0.5, columns - 0.5, rows - 0.5, -0.5), aspect=aspect, interpolation="nearest")
    if max(rows, columns) <= CELLS:  # white lines between the cells, and ticks where there are entries
        ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1)
        ax.tick_params(which="minor", length=0)
    ax.locator_params(integer=True)
    for i, j in np.argwhere(heat.verdicts == VERDICTS.index("undecidable")):
        top, bottom = heat.edges[0][i : i + 2]
        left, right = heat.edges[1][j : j + 2]
        across, down = np.array([left, right, right, left]) - 0.5, np.array([top, top, bottom, bottom]) - 0.5
        ax.fill(across, down, fill=False, hatch="///", linewidth=0)
    ax.set_xlabel("entries of the argument")
    ax.set_ylabel("entries of the output")
    ax.set_title(f"{report.verdict}: {report.diagnosis}" if report.diagnosis else report.verdict)
    return ax


def pyplot() -> Any:
    """The module `matplotlib.pyplot`, which is optional."""
    try:
        return import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError("plotting needs matplotlib: pip install jacobi-calculus[plot]") from error
