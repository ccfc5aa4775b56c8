"""What a Jacobian looks like: as text, as HTML, as LaTeX, and drawn with matplotlib."""

from __future__ import annotations

from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jacobi.matrix import exits
from jacobi.matrix.term import Term, numeric
from jacobi.matrix.wiring import wiring

if TYPE_CHECKING:
    from jacobi.matrix.jacobian import Jacobian

WIDEST = 12  # columns of a matrix that is shown entry by entry
LARGEST = 400  # its entries
LISTED = 6  # terms of a larger one
DRAWN = 10**6  # entries that are looked through for a small picture
CELLS = 40  # of the small picture, per side
SIDE = 4  # of a cell, in pixels

STYLE = """<style>
.jacobi-matrix table { border-collapse: collapse; background: transparent; color: inherit }
.jacobi-matrix tr { background: transparent }
.jacobi-matrix td { border: 1px solid currentColor; padding: 2px 8px; text-align: right }
.jacobi-matrix .zero { opacity: 0.6 }
.jacobi-matrix rect { fill: currentColor }
.jacobi-matrix .frame { fill: none; stroke: currentColor; stroke-opacity: 0.5 }
</style>"""


def cells(matrix: Jacobian) -> list[list[str]] | None:
    """The entries of a small matrix in words, ``.`` where the structure has none; None for a large one."""
    rows, columns = matrix.shape
    if rows * columns > LARGEST or columns > WIDEST or not numeric(matrix.terms):
        return None
    filled = exits.dense([ones(term) for term in matrix.terms], matrix.shape, float) != 0
    return [
        [f"{entry + 0.0:.4g}" if there else "." for entry, there in zip(row, mask, strict=True)]
        for row, mask in zip(matrix.toarray(), filled, strict=True)
    ]


def ones(term: Term) -> Term:
    """The places of a term, without its numbers."""
    w = term.wiring
    return Term(1, (), wiring(w.sizes, (), w.rows, w.columns))


# Text -------------------------------------------------------------------------------------------------------------


def text(matrix: Jacobian) -> str:
    """A small matrix entry by entry, a large one term by term; with the line of ``repr``."""
    table = cells(matrix)
    if table is None:
        several = len(matrix.terms) > 1 and numeric(matrix.terms)  # of one term, the name of the structure says enough
        return "\n".join([repr(matrix), *(summary(matrix) if several else ())])
    width = max((len(cell) for line in table for cell in line), default=1)
    return "\n".join([*("  ".join(cell.rjust(width) for cell in line) for line in table), repr(matrix)])


def summary(matrix: Jacobian) -> list[str]:
    """The terms of a matrix, one line each: the coefficient, the shapes of the factors, and how much they fill."""
    terms = matrix.terms
    lines = [f"{counted(len(terms), 'term')}, {counted(matrix.nnz, 'entry', 'entries')}"]
    for term in terms[:LISTED]:
        factors = " * ".join(f"array {np.shape(factor)}" for factor in term.factors)
        number = "" if factors and term.coefficient == 1 else f"{term.coefficient:.4g}{' * ' if factors else ''}"
        lines.append(f"  {number}{factors}: {counted(term.wiring.volume, 'entry', 'entries')}")
    return lines if len(terms) <= LISTED else [*lines, f"  and {len(terms) - LISTED} more"]


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"


# Notebooks --------------------------------------------------------------------------------------------------------


def html(matrix: Jacobian) -> str:
    """A small matrix as a table; a large one as its summary and a small picture of where its entries are."""
    table = cells(matrix)
    if table is not None:
        shown = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in table)
        body = f"<table>{shown}</table><p><code>{escaped(repr(matrix))}</code></p>"
    else:
        body = f"<pre>{escaped(text(matrix))}</pre>{picture(matrix)}"
    return f'<div class="jacobi-matrix">{STYLE}{body}</div>'


def cell(entry: str) -> str:
    """A cell of the table."""
    return f'<td class="zero">{entry}</td>' if entry == "." else f"<td>{entry}</td>"


def escaped(words: str) -> str:
    """Text for HTML."""
    return escape(words, quote=False)


def picture(matrix: Jacobian) -> str:
    """Where the entries are, as SVG: the darker, the more of a cell is filled; nothing where it would take long."""
    density = filling(matrix)
    if density is None:
        return ""
    rows, columns = density.shape
    size = f'width="{columns * SIDE + 2}" height="{rows * SIDE + 2}"'
    view = f'viewBox="-1 -1 {columns * SIDE + 2} {rows * SIDE + 2}"'
    marks = "".join(
        f'<rect x="{j * SIDE}" y="{i * SIDE}" width="{SIDE}" height="{SIDE}" '
        f'fill-opacity="{0.25 + 0.75 * density[i, j]:.2f}"/>'
        for i, j in np.argwhere(density)
    )
    frame = f'<rect class="frame" width="{columns * SIDE}" height="{rows * SIDE}"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img" aria-label="where the entries are">'
    return f"{head}{marks}{frame}</svg>"


def filling(matrix: Jacobian) -> NDArray[np.float64] | None:
    """How much of every cell of a coarse grid is filled, from 0 to 1; None for many entries, or for none."""
    if not numeric(matrix.terms) or not 0 < matrix.nnz <= DRAWN:
        return None
    height, width = matrix.shape
    rows, columns, _ = exits.coordinates([ones(term) for term in matrix.terms], np.dtype(float), np.int64)
    rows, columns = np.divmod(np.unique(rows * width + columns), width)  # every place once
    grid = min(height, CELLS), min(width, CELLS)
    counts = np.zeros(grid)
    np.add.at(counts, (rows * grid[0] // height, columns * grid[1] // width), 1)
    density: NDArray[np.float64] = counts / np.multiply.outer(parts(height, grid[0]), parts(width, grid[1]))
    return density


def parts(length: int, count: int) -> NDArray[np.intp]:
    """How many rows or columns belong to every cell of a side."""
    return np.bincount(np.arange(length) * count // length, minlength=count)


# LaTeX ------------------------------------------------------------------------------------------------------------


def latex(matrix: Jacobian) -> str | None:
    """A small matrix in LaTeX; None for a large one."""
    table = cells(matrix)
    if not table or not table[0]:
        return None
    rows = [" & ".join(map(latex_number, line)) for line in table]
    inner = r" \\ ".join(rows)
    return rf"$\displaystyle \begin{{pmatrix}} {inner} \end{{pmatrix}}$"


def latex_number(entry: str) -> str:
    """An entry in LaTeX."""
    mantissa, _, exponent = entry.partition("e")
    special = {".": r"\cdot", "inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}
    return special.get(entry) or (rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else entry)


# matplotlib -------------------------------------------------------------------------------------------------------


def spy(matrix: Jacobian, ax: Any = None, **keywords: Any) -> Any:
    """Draw where the entries are."""
    axes = labelled(matrix, ax)
    axes.spy(matrix.tocsr(), **({"markersize": 2, "precision": "present"} | keywords))
    return axes


def heat_map(matrix: Jacobian, ax: Any = None, **keywords: Any) -> Any:
    """Draw the entries as colours."""
    full = np.asarray(matrix)
    size = np.abs(full[np.isfinite(full)]).max(initial=0) or 1.0
    axes = labelled(matrix, ax)
    look = {"cmap": "RdBu_r", "vmin": -size, "vmax": size, "interpolation": "nearest"}
    image = axes.imshow(full, **(look | keywords))
    axes.figure.colorbar(image, ax=axes)
    return axes


def labelled(matrix: Jacobian, ax: Any) -> Any:
    """Axes that name input and output; new ones where none are given."""
    axes = pyplot().subplots()[1] if ax is None else ax
    axes.set_xlabel(f"input {matrix.in_shape}")
    axes.set_ylabel(f"output {matrix.out_shape}")
    return axes


def pyplot() -> Any:
    """The module `matplotlib.pyplot`, which is optional."""
    try:
        return import_module("matplotlib.pyplot")
    except ImportError as error:
        raise ImportError("drawing needs matplotlib: pip install jacobi-calculus[plot]") from error
