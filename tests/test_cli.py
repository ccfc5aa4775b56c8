"""The command line checks functions in files and derives formulas; its exit status says what was found."""

import json
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import pytest

import jacobi as jb
from jacobi.cli import COMMANDS, STATUS, main
from jacobi.verification.report import VERDICTS

ROOT = Path(jb.__file__).parents[1]

MODEL = """
import numpy as np
from neighbour import exponent

def squares(x):
    return x**exponent

def dsquares(x):
    return np.diag(2 * x)

def half(x):
    return np.diag(x)

def affine(w, X, b=0.0):
    print("called")
    return X @ w + b

def daffine(w, X, b=0.0):
    return X

def by_b(w, X, b):
    return np.ones(len(X))

def absolute(x):
    return np.abs(x)

def zero(x):
    return np.zeros((x.size, x.size))

def shapeless(x):
    return {}

def scaled(x, exponent):
    assert isinstance(exponent, int)
    return x**exponent

def dscaled(x, exponent):
    return np.diag(exponent * x ** (exponent - 1))
"""


@pytest.fixture
def jacobi(tmp_path, monkeypatch, capfd):
    """The command line, run in a folder with the file `model.py`: its status, and what it printed."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "neighbour.py").write_text("exponent = 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "neighbour", raising=False)

    def run(*arguments):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = end.code
        return status, *capfd.readouterr()

    return run


def test_the_statuses():
    assert set(STATUS) == set(VERDICTS) and sorted(STATUS.values()) == [0, 1, 2, 3]


CASES = {
    "correct": (0, "dsquares", ["--at", "x=[1.0, 2.0]"], "correct: dsquares as the derivative of squares, 2 x 2"),
    "by position": (0, "dsquares", ["--at", "[1, 2]"], "correct"),
    "random": (0, "dsquares", ["--shape", "x=3"], "3 x 3"),
    "points": (0, "dsquares", ["--shape", "x=3", "--points", "2"], "other points: 2 correct"),
    "seed": (0, "dsquares", ["--shape", "x=3", "--seed", "5"], "seed 5"),
    "transposed": (0, "dsquares", ["--shape", "x=3", "--layout", "denominator"], "denominator layout"),
    "wrong": (1, "half", ["--at", "[1, 2]"], "factor_two_missing"),
}


@pytest.mark.parametrize("status, claim, options, words", CASES.values(), ids=CASES)
def test_check(status, claim, options, words, jacobi):
    found, out, _ = jacobi("check", "model.py:squares", f"model.py:{claim}", *options)
    assert found == status and words in out


def test_undecidable_and_invalid(jacobi):
    assert jacobi("check", "model.py:absolute", ":zero", "--at", "[0, 0]")[0] == 2
    assert jacobi("check", "model.py:shapeless", ":zero", "--at", "[1, 2]")[0] == 3


def test_several_arguments(jacobi, tmp_path):
    np.save(tmp_path / "X.npy", np.arange(6.0).reshape(3, 2))
    by_name = ("--at", "w=[1, 2]", "--at", "X=@X.npy")
    for options in (by_name, ("--at", "[1, 2]", "--shape", "X=3,2"), ("--shape", "w=2", "--at", "X=[[1, 2], [3, 4]]")):
        assert jacobi("check", "model.py:affine", "model.py:daffine", *options, "--wrt", "w")[0] == 0
    by_b = ("check", "model.py:affine", ":by_b", *by_name, "--at", "b=1")
    assert jacobi(*by_b, "--wrt", "b")[0] == 0
    assert jacobi(*by_b, "--argnum", "2")[0] == 0
    assert jacobi(*by_b, "--argnum", "0")[0] != 0


def test_integers_stay_integers_unless_they_are_the_point(jacobi):
    assert jacobi("check", "model.py:scaled", ":dscaled", "--at", "[1, 2]", "--at", "exponent=3")[0] == 0


def test_json_is_all_that_is_printed(jacobi):
    status, out, err = jacobi("check", "model.py:affine", ":daffine", "--shape", "w=2", "--shape", "X=3,2", "--json")
    assert status == 0 and json.loads(out)["verdict"] == "correct"
    assert "called" in err


def test_html(jacobi, tmp_path):
    assert jacobi("check", "model.py:squares", ":half", "--at", "[1, 2]", "--html", "report.html")[0] == 1
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_integer_point_is_the_real_point(jacobi):
    *_, whole = (
        json.loads(jacobi("check", "model.py:squares", ":half", "--at", at, "--json")[1]) for at in ("[1, 2]",)
    )
    real = json.loads(jacobi("check", "model.py:squares", ":half", "--at", "[1.0, 2.0]", "--json")[1])
    assert whole["reference"] == real["reference"] and whole["notes"] == real["notes"]


# derive -----------------------------------------------------------------------------------------------------------

LOSS = ("derive", "mean((y - X @ w)**2)", "--wrt", "w", "--shape", "X=N,n", "--shape", "w=n", "--shape", "y=N")
LOSS_ARGUMENTS = ("mean((y - X @ w)**2)", "w", {"X": "N,n", "w": "n", "y": "N"})


def test_derive_prints_the_formula(jacobi):
    derivation = jb.derive(*LOSS_ARGUMENTS)
    forms = {
        "": derivation.formula,
        "--latex": derivation.latex(),
        "--source": derivation.source,
        "--steps": str(derivation),
        "--gradient": derivation.gradient.formula,
        "--gradient --latex": derivation.gradient.latex(),
        "--gradient --source": derivation.gradient.source,
    }
    printed = {options: jacobi(*LOSS, *options.split()) for options in forms}
    assert printed == {options: (0, f"{text}\n", "") for options, text in forms.items()}
    assert len(set(forms.values())) == len(forms)


def test_the_source_that_is_printed_runs(jacobi):
    scope = {}
    exec(jacobi(*LOSS, "--source")[1], scope)
    X, w, y = np.array([[1.0, 2.0], [3.0, 5.0], [-1.0, 1.0]]), np.array([1.0, -2.0]), np.array([1.0, 0.0, 2.0])
    arguments = {"X": X, "w": w, "y": y}
    found = scope["derivative"](**arguments)
    np.testing.assert_allclose(found, [2 / 3 * (X @ w - y) @ X], rtol=1e-12)


def test_derive_a_number_and_numbers_for_sizes(jacobi):
    assert jacobi("derive", "sum(x * z)", "--wrt", "z", "--shape", "z=", "--shape", "x=3")[:2] == (0, "1ᵀ x\n")


@pytest.mark.parametrize("assumption", ["A=symmetric", " A = symmetric"])
def test_derive_under_an_assumption(assumption, jacobi):
    form = ("derive", "x @ A @ x", "--wrt", "x", "--gradient")
    assert jacobi(*form, "--assume", assumption)[:2] == (0, "2 Ax\n")
    assert "(A + Aᵀ) x" in jacobi(*form)[1]


@pytest.mark.parametrize("assumption", ["y**2 = 1", "y**2 == 1", "y=y**2 = 1"])
def test_derive_under_a_statement(assumption, jacobi):
    logistic = ("derive", "sum(log(1 + exp(-y * (X @ w))))", "--wrt", "w", "--order", "2")
    assert "y²" in jacobi(*logistic)[1]
    status, out, _ = jacobi(*logistic, "--assume", assumption, "--steps")
    assert status == 0 and "uses y_i^2 = 1" in out


def test_derive_a_hessian(jacobi):
    assert jacobi("derive", "sum(x**3)", "--order", "2")[:2] == (0, "6 diag(x)\n")


def test_derive_a_function_of_a_file(jacobi):
    status, out, err = jacobi("derive", "model.py:affine", "--wrt", "w", "--shape", "X=N,n", "--shape", "w=n")
    assert (status, out) == (0, "X\n")
    assert "called" in err


def test_derive_writes_a_page(jacobi, tmp_path):
    status, out, _ = jacobi("derive", "maximum(0, x)", "--html", "page.html")
    derivation = jb.derive("maximum(0, x)", "x")
    assert (status, out) == (0, f"{derivation.formula}\n")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "1[x > 0]" not in page
    for text in (str(derivation), derivation.latex(), derivation.source):
        assert escape(text) in page


def test_a_formula_that_cannot_be_given(jacobi):
    status, out, err = jacobi("derive", "sum(kv(a, x))", "--wrt", "a")
    assert (status, out) == (1, "") and "Traceback" not in err
    assert "No closed form of this derivative is known" in err and "(test_cli.py" not in err


SQUARES = ("model.py:squares", "model.py:dsquares")
USAGE = {
    "no command": ([], "required: COMMAND"),
    "no such command": (["prove"], "invalid choice: 'prove'"),
    "no such file": (["check", "none.py:f", ":df", "--at", "1"], "none.py is no Python file"),
    "a folder": (["check", ".:f", ":df", "--at", "1"], "is no Python file"),
    "no function name": (["check", "model.py", "model.py:dsquares"], "Write FILE.py:name"),
    "no such function": (["check", "model.py:f", ":half", "--at", "1"], "has no function f. It has squares, dsquares,"),
    "no function": (["check", "model.py:exponent", ":half"], "has no function exponent. It has squares"),
    "no point": (
        ["check", *SQUARES],
        'squares needs x, and nothing says what to take for it. Write --at "x=[1, 2, 3]"',
    ),
    "half a point": (["check", "model.py:affine", ":daffine", "--at", "w=[1]"], "or --shape X=3"),
    "no value": (["check", *SQUARES, "--at", "x=[1, 2"], "'[1, 2' is no value"),
    "ragged": (["check", *SQUARES, "--at", "x=[[1, 2], [3]]"], "rows of equal lengths"),
    "code": (["check", *SQUARES, "--at", "x=__import__('os')"], "is no value"),
    "no such array": (["check", *SQUARES, "--at", "x=@none.npy"], "cannot read none.npy: No such file"),
    "no shape": (["check", *SQUARES, "--shape", "3"], "Write the name and the sizes: x=3,4"),
    "no such argument": (["check", *SQUARES, "--at", "z=1"], "squares has no argument z: it takes x"),
    "twice": (["check", *SQUARES, "--at", "x=1", "--shape", "x="], "x is given by value and by shape"),
    "too many": (["check", *SQUARES, "--at", "1", "--at", "2", "--shape", "x="], "too many. Write --at NAME=VALUE"),
    "no such wrt": (["check", *SQUARES, "--at", "[1]", "--wrt", "w"], "--wrt takes one of x"),
    "no such argnum": (["check", *SQUARES, "--at", "[1]", "--argnum", "1"], "Count from 0, or write --wrt NAME"),
    "both": (["check", *SQUARES, "--at", "[1]", "--argnum", "0", "--wrt", "x"], "not allowed with"),
    "no layout": (["check", *SQUARES, "--at", "[1]", "--layout", "row"], "invalid choice: 'row'"),
    "no formula": (["derive", "x ^ 2"], "Write ** for a power: x**2."),
    "no argument of derive": (["derive", "A @ x", "--wrt", "z"], "'z' is no argument. The arguments are A, x."),
    "no wrt of derive": (["derive", "A @ x"], "The arguments are A, x."),
    "no shape of derive": (["derive", "A @ x", "--wrt", "x", "--shape", "A"], "X=N,n; a number is b="),
    "two shapes": (["derive", "A @ x", "--wrt", "x", "--shape", "x=n", "--shape", "x=m"], "x is given two shapes"),
    "shapes that differ": (["derive", "A @ x", "--wrt", "x", "--shape", "A=m,n", "--shape", "x=m"], "equal m"),
    "no assumption": (["derive", "A @ x", "--wrt", "x", "--assume", "="], "'=' is no assumption"),
    "two assumptions": (
        ["derive", "x @ A @ x", "--wrt", "x", "--assume", "A=symmetric", "--assume", "A=orthogonal"],
        "two things are assumed of A",
    ),
    "an unknown assumption": (["derive", "A @ x", "--wrt", "x", "--assume", "A=round"], "'round'"),
    "third order": (["derive", "sum(x)", "--order", "3"], "invalid choice: 3"),
    "a Hessian of a vector": (["derive", "A @ x", "--wrt", "x", "--order", "2"], "belongs to scalar functions"),
    "no gradient": (["derive", "A @ x", "--wrt", "x", "--gradient"], "--gradient belongs to"),
    "two forms": (["derive", "sum(x)", "--latex", "--source"], "not allowed with"),
    "no function of derive": (["derive", "model.py:f"], "has no function f. It has squares"),
    "no folder of derive": (["derive", "sum(x)", "--html", "none/page.html"], "cannot write none/page.html"),
    "no folder": (["check", *SQUARES, "--at", "[1]", "--html", "none/report.html"], "cannot write none/report.html"),
}


@pytest.mark.parametrize("arguments, words", USAGE.values(), ids=USAGE)
def test_a_command_that_makes_no_sense(arguments, words, jacobi):
    status, _, err = jacobi(*arguments)
    assert status == 4 and words in err and "Traceback" not in err


@pytest.mark.parametrize("line", ["import no_such_module", "raise SystemExit(0)", "1 / 0", "def f(:"])
def test_a_file_that_cannot_be_imported(line, jacobi, tmp_path):
    (tmp_path / "broken.py").write_text(line)
    status, _, err = jacobi("check", "broken.py:f", ":df", "--at", "1")
    assert status == 4 and "broken.py cannot be imported" in err


def test_a_file_is_run_once(jacobi, tmp_path):
    (tmp_path / "counted.py").write_text("print('run')\ndef f(x):\n    return x\ndef df(x):\n    return 1.0\n")
    status, out, _ = jacobi("check", "counted.py:f", "counted.py:df", "--at", "1")
    assert status == 0 and out.count("run\n") == 1


def test_help_names_every_command(jacobi):
    status, out, _ = jacobi("--help")
    assert status == 0 and all(f"    {name} " in out for name in COMMANDS)
    for name in COMMANDS:
        status, out, _ = jacobi(name, "--help")
        assert status == 0 and "Example: jacobi" in " ".join(out.split())


def test_as_a_module():
    version = [sys.executable, "-m", "jacobi", "--version"]
    done = subprocess.run(version, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"jacobi {jb.__version__}\n"


def test_the_status_of_the_process(tmp_path):
    (tmp_path / "model.py").write_text("def f(x):\n    return x * x\ndef df(x):\n    return x\n")
    command = [sys.executable, "-m", "jacobi", "check", f"{tmp_path / 'model.py'}:f", ":df", "--at", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout.startswith("wrong: df as the derivative of f, 1 x 1"), done.stderr
