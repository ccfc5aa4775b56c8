"""``jacobi circuit`` draws what `jacobi.circuit` draws."""

import sys

import numpy as np
import pytest

import jacobi as jb
from jacobi.cli import main

MODEL = """
import math
import numpy as np

def loss(w, X):
    print("called")
    return np.sum((X @ w) ** 2)

def untraceable(x):
    return math.sin(x)
"""


@pytest.fixture
def jacobi(tmp_path, monkeypatch, capfd):
    """The command line, run in a folder with the file `model.py`: its status, and what it printed."""
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*arguments):
        try:
            status = main(["circuit", *arguments])
        except SystemExit as end:
            status = end.code
        return status, *capfd.readouterr()

    return run


AT = ("--at", "w=[1, 2]", "--at", "X=[[1.0, 0], [2, 5]]")


def loss(w, X):
    return np.sum((X @ w) ** 2)


def drawn(**options):
    w, X = np.array([1.0, 2.0]), np.array([[1.0, 0.0], [2.0, 5.0]])
    return jb.circuit(loss, w, X, **options).to_svg()


def without_lines(svg):
    """The picture without the lines of the code that it names, which stands in different files here."""
    return "\n".join(line.split(", ")[0] for line in svg.splitlines() if ".py:" in line), svg.count("<text")


def test_the_picture_is_printed(jacobi):
    status, out, err = jacobi("model.py:loss", *AT)
    assert status == 0 and out.startswith("<svg") and err == "called\n"
    assert without_lines(out) == without_lines(drawn())


def test_one_argument_can_be_chosen(jacobi):
    status, out, _ = jacobi("model.py:loss", *AT, "--wrt", "w")
    assert status == 0 and without_lines(out) == without_lines(drawn(argnums=0)) != without_lines(drawn())


@pytest.mark.parametrize("ending", ["svg", "html", "dot"])
def test_the_picture_is_written(jacobi, tmp_path, ending):
    status, out, _ = jacobi("model.py:loss", *AT, "--out", f"c.{ending}")
    assert status == 0 and out == ""
    assert (tmp_path / f"c.{ending}").stat().st_size > 100


def test_what_goes_wrong(jacobi):
    status, _, err = jacobi("model.py:untraceable", "--at", "1")
    assert status == 1 and "np.sin(x) instead of math.sin(x)" in err
    status, _, err = jacobi("model.py:loss", *AT, "--out", "nowhere/c.svg")
    assert status == 4 and "cannot write nowhere/c.svg" in err
    status, _, err = jacobi("model.py:loss", *AT, "--out", "c.bmp")
    assert status != 0 and ".svg, .html, .dot, .png" in err
