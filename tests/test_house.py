"""The house: imports point down only, the public names are the documented ones, and importing stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jacobi as jb

PACKAGE = Path(jb.__file__).parent
FLOORS = {
    "errors": 0,
    "layout": 0,
    "matrix": 1,
    "expressions": 1,
    "rules": 2,
    "differentiate": 3,
    "notation": 3,
}
TOP = 4  # every other module
NEVER = {("matrix", "expressions"), ("expressions", "matrix"), ("rules", "expressions"), ("layout", "errors")}
WITHIN_TOP = {  # who may use whom on the top floor
    "finite_difference": {"spreading"},
    "transforms": {"arguments"},
    "testing": {"finite_difference", "transforms", "verification"},
    "verification": {"finite_difference", "spreading", "transforms", "arguments"},
    "pytest_plugin": {"testing", "verification"},
    "bridges": {"finite_difference", "spreading", "transforms", "verification", "__init__"},
    "cli": {"bridges", "explanation", "verification", "__init__"},
    "__main__": {"cli"},
    "coverage": {"functions"},
    "compilation": set(),
    "derivation": {"functions", "finite_difference", "transforms"},
    "explanation": {"arguments"},
    "pictures": {"arguments"},
    "local": {"functions"},
    "__init__": None,
}


def imports(path):
    """The modules of the package that a file imports, with the line of each import."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jacobi":
            parts = node.module.split(".")[1:]
            for alias in node.names:
                yield (parts or [alias.name])[0], node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "jacobi":
                    yield (alias.name.split(".")[1:] or ["__init__"])[0], node.lineno


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    relative = path.relative_to(PACKAGE)
    room = relative.parts[0].removesuffix(".py")
    floor = FLOORS.get(room, TOP)
    for target, line in imports(path):
        if target == room:
            continue
        where = f"{relative}:{line} imports jacobi.{target}"
        assert (room, target) not in NEVER, where
        below = FLOORS.get(target, TOP)
        if below == floor == TOP:
            allowed = WITHIN_TOP.get(room, set())
            assert allowed is None or target in allowed, f"{where}, which stands on the same floor"
        else:
            assert below < floor, f"{where}, which does not stand below"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_say_what_they_are_for(path):
    module = ast.parse(path.read_text())
    docstring = ast.get_docstring(module)
    assert docstring and len(docstring.splitlines()[0]) > 15
    assert path.stem not in {"utils", "misc", "common", "core", "helpers"}
    assert len(path.read_text().splitlines()) <= 600


def test_public_names():
    assert set(jb.__all__) <= set(dir(jb))
    documented = (PACKAGE.parent / "docs" / "reference" / "api.md").read_text()
    assert [name for name in jb.__all__ if name not in documented] == []


def test_public_functions_have_examples():
    for name in jb.__all__:
        thing = getattr(jb, name)
        if callable(thing):
            assert ">>>" in (thing.__doc__ or ""), name


def test_scipy_is_imported_where_it_is_used():
    code = "import sys, jacobi; sys.exit(any(name.split('.')[0] in ('scipy', 'matplotlib') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
