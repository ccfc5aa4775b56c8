"""Every Python example in the README and in the documentation is run and prints what the page says."""

import doctest
import re
from pathlib import Path
from unittest.mock import patch

import pytest

from jacobi.rules import REGISTRY

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def python_only(text: str) -> str:
    """The page with every line outside a ``python`` fence made blank, so that line numbers stay."""
    lines = []
    inside = False
    for line in text.splitlines():
        fence = line.strip().startswith("```")
        lines.append(line if inside and not fence else "")
        inside = line.strip() == "```python" if fence else inside
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(python_only(source), {}, page.name, str(page), 0)
    log: list[str] = []
    with patch.dict(REGISTRY):  # a page may declare an operation
        doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=log.append)
    assert not log, "".join(log)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_python_fence_is_an_example(page: Path) -> None:
    fences = re.findall(r"^ *```python\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.M | re.S)
    assert all(fence.lstrip().startswith(">>> ") for fence in fences)
