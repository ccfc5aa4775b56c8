"""Links lead somewhere, addresses are well formed, and formulas close what they open, on every page."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())

PAIRS = {"{": "}", r"\left": r"\right", r"\begin": r"\end"}
TOKENS = re.compile(r"\\(?:left|right|begin|end)(?![a-zA-Z])|\\.|[{}]")


def prose(text: str) -> str:
    """A page without its code: fences and code spans are blank."""
    return re.sub(r"(`+).+?\1", "", re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.M | re.S))


def links(text: str) -> list[str]:
    """The targets of all links and pictures of a page."""
    words = re.sub(r"\$\$.+?\$\$|\$[^$]+\$", "", prose(text), flags=re.S)
    return re.findall(r"\]\(<?([^)>\s]+)>?\)", words) + re.findall(r"<(https?:[^>]*)>", words)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def fault(target: str, page: Path) -> str:
    """What is wrong with a link of a page; empty if nothing is."""
    if "://" in target or target.startswith("mailto:"):
        address = urlsplit(target)
        good = address.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", address.netloc)
        return "" if good else "no address of the web, with https"
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists():
        return "no such file"
    return f"no heading {anchor}" if anchor and anchor not in anchors(file) else ""


def unclosed(formula: str) -> str:
    """The first thing that a formula opens and does not close, or closes and did not open; empty if there is none."""
    opened: list[str] = []
    for token in TOKENS.findall(formula):
        if token in PAIRS:
            opened.append(token)
        elif token in PAIRS.values() and (not opened or PAIRS[opened.pop()] != token):
            return token
    return opened[-1] if opened else ""


def formulas(text: str) -> list[str]:
    """The formulas of a page, displayed and in the line."""
    plain = prose(text)
    return re.findall(r"\$\$(.+?)\$\$", plain, re.S) + re.findall(r"(?<![\\$])\$([^$]+)\$(?!\$)", plain)


@each_page
def test_links_lead_somewhere(page):
    found = {target: fault(target, page) for target in links(page.read_text(encoding="utf-8"))}
    assert {target: wrong for target, wrong in found.items() if wrong} == {}


@each_page
def test_formulas_close_what_they_open(page):
    text = page.read_text(encoding="utf-8")
    assert {formula: unclosed(formula) for formula in formulas(text) if unclosed(formula)} == {}
    assert prose(text).replace(r"\$", "").count("$") % 2 == 0


@each_page
def test_pictures_say_what_they_show(page):
    for words, target in re.findall(r"!\[(.*?)\]\((.*?)\)", prose(page.read_text(encoding="utf-8"))):
        assert len(words) > 5, target


def test_every_page_is_in_a_table_of_contents():
    listed = {DOCS / "index.md"}
    for page in PAGES[1:]:
        for options in re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
            for line in options.splitlines():
                if line and not line.startswith(":"):
                    folder, _, name = line.rpartition("/")
                    listed |= {file.resolve() for file in (page.parent / folder).glob(f"{name}.md")}
    assert set(PAGES[1:]) - listed == set()


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ("nowhere.md", "no such file"),
        ("how_to/solvers.md#nowhere", "no heading nowhere"),
        ("#where-to-go", ""),
        ("http://example.org/", "no address of the web, with https"),
        ("https://example/", "no address of the web, with https"),
        ("https://example.org/a#b", ""),
    ],
)
def test_a_wrong_link_is_noticed(target, wrong):
    assert fault(target, DOCS / "index.md") == wrong


def test_what_is_not_closed_is_noticed():
    assert unclosed(r"\frac{1}{2") == "{"
    assert unclosed(r"\left(\frac{1}{2}\right)") == ""
    assert unclosed(r"\left(x)") == r"\left"
    assert unclosed(r"x\}\{{}") == ""
    assert unclosed(r"\begin{matrix}x\right)") == r"\right"
