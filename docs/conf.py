"""Settings of the documentation. The build needs no network; in the browser, MathJax is fetched to show formulas.

To read the pages offline, build them with ``-D mathjax_path=`` and the place of a copy of MathJax 4.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the pages describe the tree they stand in, installed or not

project = "jacobi"
author = "The jacobi developers"
copyright = f"2026, {author}"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
nitpicky = True  # a link that leads nowhere is a warning, and a warning fails the build
nitpick_ignore_regex = [("py:class", ".*")]  # the words in which docstrings state types

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings state types together with shapes
autosummary_generate = False  # the reference is one page; its tables link to places on it
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "jacobi"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_sidebars = {page: [] for page in ("index", "contributing", "security")}  # they have no neighbours to list
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}


class PicturesInThePage(SphinxPostTransform):
    """Put circuits into the page itself, where they have its colours and answer to the pointer; images have neither."""

    default_priority = 10
    formats: ClassVar = ("html",)

    def run(self, **_: Any) -> None:
        """Replace every SVG of the document."""
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.app.srcdir) / image["uri"]
            if path.suffix == ".svg" and path.exists():  # Sphinx warns of what is missing
                svg = path.read_text(encoding="utf-8")
                image.replace_self(nodes.raw("", f'<span class="circuit">{svg}</span>', format="html"))


def setup(app: Sphinx) -> None:
    """Register what is declared here."""
    app.add_post_transform(PicturesInThePage)
