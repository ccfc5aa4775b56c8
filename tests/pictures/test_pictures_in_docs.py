"""The gallery of circuits is what the library draws."""

import importlib.util
from pathlib import Path

import pytest
from geometry import Picture

import jacobi as jb

GALLERY = Path(jb.__file__).parents[1] / "docs" / "gallery"


def drawn():
    specification = importlib.util.spec_from_file_location("draw_circuits", GALLERY / "draw_circuits.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.files()


FILES = drawn()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_of_the_gallery(path):
    assert path.read_text(encoding="utf-8") == FILES[path]
    if path.suffix == ".svg":
        assert list(Picture(FILES[path]).faults()) == []


def test_no_picture_is_left_over():
    assert sorted((GALLERY / "circuits").iterdir()) == sorted(path for path in FILES if path.suffix == ".svg")
