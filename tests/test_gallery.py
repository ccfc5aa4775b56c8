"""The pages of the gallery are the ones that the library would write, and all of their code runs."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import jacobi as jb

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
before = list(sys.path)
sys.path.insert(0, str(GALLERY))
try:
    import generate
finally:
    sys.path[:] = before


@pytest.mark.parametrize("path", generate.PAGES, ids=lambda path: path.name)
def test_a_page_is_not_stale(path):
    fresh = generate.PAGES[path]()
    assert path.read_text(encoding="utf-8") == fresh, "run python docs/gallery/generate.py"


@pytest.mark.parametrize("example", generate.EXAMPLES, ids=[example.title for example in generate.EXAMPLES])
def test_the_source_on_the_page_gives_the_derivative(example):
    page = (GALLERY / "formulas.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", page, flags=re.M)[1 + generate.EXAMPLES.index(example)]
    assert section.startswith(f"{example.title}\n")
    if "\nRefused: " in section:
        with pytest.raises(jb.errors.NoRuleError):
            jb.derive(*example[1:-1])
        return
    (code,) = re.findall(r"^```\{code-block\} python\n(.*?)^```$", section, re.M | re.S)
    scope = {}
    exec(code, scope)
    derivation = jb.derive(*example[1:-1])
    values = derivation.jacobian.sizes.sample(np.random.default_rng(3), example.assume)
    functions = derivation.jacobian.functions
    np.testing.assert_allclose(
        scope["derivative"](**values, **functions), derivation(**values, **functions), rtol=1e-12, atol=1e-12
    )


def test_every_formula_of_the_notes_is_on_its_page():
    page = (GALLERY / "notes.md").read_text(encoding="utf-8")
    for _, rule, lines in generate.derive_the_notes.comparisons():
        assert f"| `{rule.text}` |" in page
        for found in lines:
            assert f"`{found.printed}`" in page, found.line.name
