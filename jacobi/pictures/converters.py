"""SVG as PNG, by a program or package that is there: none is needed for anything else."""

from __future__ import annotations

import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec

SCALE = 2  # pixels of the PNG per unit of the SVG
PROGRAMS = {  # each reads SVG from a pipe and writes PNG to one
    "rsvg-convert": ("--format=png", f"--zoom={SCALE}", "--background-color=white"),
    "inkscape": (
        "--pipe",
        "--export-type=png",
        "--export-filename=-",
        f"--export-dpi={96 * SCALE}",
        "--export-background=white",
    ),
    "resvg": (f"--zoom={SCALE}", "--background=white", "-", "-c"),
}


def to_png(svg: str) -> bytes:
    """The picture as PNG on a white background.

    Raises
    ------
    ImportError
        If nothing that converts SVG is installed.
    """
    if find_spec("cairosvg") is not None:
        png: bytes = import_module("cairosvg").svg2png(svg.encode(), scale=SCALE, background_color="white")
        return png
    for name, options in PROGRAMS.items():
        if (program := shutil.which(name)) is not None:
            return subprocess.run([program, *options], input=svg.encode(), capture_output=True, check=True).stdout
    raise ImportError(
        f"a PNG is made by cairosvg (pip install cairosvg) or by one of the programs {', '.join(PROGRAMS)}, none of "
        "which is there. Save the picture as .svg or .html, which need nothing"
    )
