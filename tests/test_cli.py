"""The command line checks functions in files and derives formulas; its exit status says what was found."""

import json
import subprocess
import sys
from html import escape
from pathlib import Path

import numpy as np
import pytest

import jacobi as jb
from jacobi.bridges import doctor
from jacobi.cli import STATUS, main
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

def affine_of_one_shape(w, X, b=0.0):
    return X if len(X) == 2 else np.zeros(X.shape)

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

def inner(x):
    return x @ np.ones(77)

def failing(x):
    return inner(x)

def quitting(x):
    raise SystemExit(0)

def endless(x):
    return endless(x)

def interrupted(x):
    raise KeyboardInterrupt

def named(a, *, x):
    return x

class Model:
    @staticmethod
    def cube(x):
        return x**3

    @staticmethod
    def dcube(x):
        return 3 * x**2
"""


@pytest.fixture
def jacobi(tmp_path, monkeypatch, capfd):
    """The command line, run in a folder with the file `model.py`: its status, and what it printed."""
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "neighbour.py").write_text("exponent = 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "neighbour", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

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
    "more than it takes": (
        ["circuit", SQUARES[0], "--at", "1", "--at", "2"],
        "squares(x) cannot be called with 2 values",
    ),
    "text": (["check", *SQUARES, "--at", "'a'", "--points", "1"], "argument 0 is 'a'. Write a number"),
    "by name only": (["explain", "model.py:named", "--at", "1"], "argument: 'x'"),
    "no such wrt": (["check", *SQUARES, "--at", "[1]", "--wrt", "w"], "--wrt takes one of x"),
    "no such argnum": (["check", *SQUARES, "--at", "[1]", "--argnum", "1"], "Count from 0, or write --wrt NAME"),
    "both": (["check", *SQUARES, "--at", "[1]", "--argnum", "0", "--wrt", "x"], "not allowed with"),
    "no layout": (["check", *SQUARES, "--at", "[1]", "--layout", "row"], "invalid choice: 'row'"),
    "two values": (["check", *SQUARES, "--at", "x=1", "--at", "x=2"], "x is given two values"),
    "two shapes of check": (["check", *SQUARES, "--shape", "x=1", "--shape", "x=2"], "x is given two shapes"),
    "no size": (["check", *SQUARES, "--shape", "x=3;4"], "'x=3;4' is no shape"),
    "a size below zero": (["check", *SQUARES, "--shape", "x=n - 50"], "the size n - 50 is no whole number for n = "),
    "a superscript": (["check", *SQUARES, "--shape", "x=²"], "is no shape"),
    "too long": (["check", *SQUARES, "--shape", f"x={'9' * 5000}"], "is no shape"),
    "too large": (["check", *SQUARES, "--shape", f"x={10**17}"], "of x is too large"),
    "far too large": (["explain", SQUARES[0], "--shape", f"x={10**30}"], "of x is too large"),
    "no seed": (["check", *SQUARES, "--at", "1", "--seed", "-1"], "--seed: '-1' is no whole number from 0 on"),
    "no number of points": (["check", *SQUARES, "--at", "1", "--points", "few"], "'few' is no whole number"),
    "too deep": (["check", *SQUARES, "--at", "[" * 300], "is no value"),
    "no number": (["explain", SQUARES[0], "--at", "None"], "argument 0 is a builtins.NoneType"),
    "no claim": (["check", SQUARES[0]], "required: FILE.py:df (see jacobi check --help)"),
    "a file without a function": (["derive", "model.py"], "Write FILE.py:name"),
    "no picture": (["circuit", SQUARES[0], "--at", "[1]", "--out", "x.bmp"], "one of the endings .svg"),
    "a strange file": (["derive", "x", "--html", "a\0b"], "cannot write a\0b"),
    "an unfinished formula": (["derive", "sum(x"], "'(' was never closed (column 4)"),
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
    status, out, err = jacobi(*arguments)
    assert (status, out) == (4, "") and words in err and "Traceback" not in err
    assert len(err.splitlines()) == 1 and err.startswith("jacobi")


@pytest.mark.parametrize("name, words", {"text": "Write it with np.save", "empty": "np.save", "two": "several"}.items())
def test_a_file_that_holds_no_array(name, words, jacobi, tmp_path):
    (tmp_path / "text").write_text("1 2 3\n")
    (tmp_path / "empty").touch()
    with (tmp_path / "two").open("wb") as file:
        np.savez(file, x=np.ones(2), y=np.ones(2))
    status, out, err = jacobi("check", *SQUARES, "--at", f"x=@{name}")
    assert (status, out) == (4, "") and words in err and len(err.splitlines()) == 1


@pytest.mark.parametrize("line", ["import no_such_module", "raise SystemExit(0)", "1 / 0", "def f(:"])
def test_a_file_that_cannot_be_imported(line, jacobi, tmp_path):
    (tmp_path / "broken.py").write_text(line)
    status, _, err = jacobi("check", "broken.py:f", ":df", "--at", "1")
    assert status == 4 and "broken.py cannot be imported" in err and len(err.splitlines()) == 1
    assert "broken.py:1" in err or "broken.py, line 1" in err


def test_a_file_is_run_once(jacobi, tmp_path):
    (tmp_path / "counted.py").write_text("print('run')\ndef f(x):\n    return x\ndef df(x):\n    return 1.0\n")
    status, out, err = jacobi("check", "counted.py:f", "counted.py:df", "--at", "1")
    assert status == 0 and err == "run\n" and "run" not in out


def test_a_method_is_named_with_a_dot(jacobi):
    assert jacobi("check", "model.py:Model.cube", ":Model.dcube", "--at", "2")[0] == 0


def test_a_value_may_begin_with_a_minus(jacobi):
    assert jacobi("derive", "-sum(x**2)", "--gradient")[:2] == (0, "-2 x\n")
    assert '"worst": []' in jacobi("check", "model.py:Model.cube", ":Model.dcube", "--at", "-1e3", "--json")[1]


# letters for sizes ------------------------------------------------------------------------------------------------

LETTERS = ("--shape", "X=N,n", "--shape", "w=n")


def test_letters_for_all_sizes_are_several_sizes(jacobi):
    report = json.loads(jacobi("check", "model.py:affine", ":daffine", *LETTERS, "--json")[1])
    shapes = {(*point["out_shape"], *point["in_shape"]) for point in report["points"]}
    assert report["verdict"] == "correct" and len(shapes) == 3
    status, out, _ = jacobi("check", "model.py:affine", ":affine_of_one_shape", *LETTERS)
    assert status == 1 and "wrong at 2 of 3 sizes" in out


@pytest.mark.parametrize("more", [("--points", "2"), ("--at", "b=0.5"), ("--shape", "b=")])
def test_letters_stand_beside_anything_else(more, jacobi):
    assert jacobi("check", "model.py:affine", ":daffine", *LETTERS, *more)[0] == 0


def test_equal_letters_are_equal_sizes_and_others_differ(jacobi):
    for command in ("explain", "circuit"):
        assert jacobi(command, "model.py:affine", *LETTERS)[0] == 0
    assert jacobi("explain", "model.py:affine", "--shape", "X=N,n", "--shape", "w=N")[0] == 1
    assert jacobi("check", "model.py:affine", ":daffine", "--shape", "X=3,n - 2", "--shape", "w=n-2")[0] == 0


# the place of what is wrong ---------------------------------------------------------------------------------------


def line_of(text):
    return 1 + MODEL.splitlines().index(text)


def test_json_names_the_place_of_the_claim(jacobi, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "other.py").write_text("\n\ndef half(x):\n    return x\n")
    out = jacobi("check", "model.py:squares", "below/other.py:half", "--at", "[1, 2]", "--json")[1]
    report = json.loads(out)
    assert report["place"] == {"file": "below/other.py", "line": 3}
    assert report["function_place"] == {"file": "model.py", "line": line_of("def squares(x):")}


def test_the_line_that_raised_is_named(jacobi):
    place = f"model.py:{line_of('    return x @ np.ones(77)')}, in inner"
    for command in ("explain", "circuit"):
        status, out, err = jacobi(command, "model.py:failing", "--at", "[1, 2]")
        assert (status, out) == (1, "") and err.startswith(f"jacobi {command}: {place}: ValueError: ")
        assert len(err.splitlines()) == 1
    for pair in (("model.py:failing", ":half"), ("model.py:squares", ":failing"), ("model.py:failing", ":failing")):
        status, out, err = jacobi("check", *pair, "--at", "[1, 2]")
        assert status == 3 and err == "" and out.count(f"ValueError was raised at {place}") == 1
    for shape in ("x=3", "x=n"):
        assert place in jacobi("check", "model.py:failing", ":half", "--shape", shape)[1]


@pytest.mark.parametrize("name, words", {"quitting": "SystemExit: 0", "endless": "RecursionError"}.items())
def test_a_function_that_does_not_return(name, words, jacobi):
    for command in (["explain"], ["circuit"], ["derive"]):
        status, out, err = jacobi(*command, f"model.py:{name}", *(["--at", "1"] * (command != ["derive"])))
        assert (status, out) == (1, "") and words in err and f"in {name}" in err and len(err.splitlines()) == 1
    status, out, err = jacobi("check", f"model.py:{name}", ":half", "--at", "1")
    assert status == 3 and words in out + err


def test_an_interruption(jacobi):
    assert jacobi("explain", "model.py:interrupted", "--at", "1") == (130, "", "jacobi explain: interrupted\n")


def test_a_bug_of_ours_is_not_hidden(jacobi, monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        jacobi("doctor")


# the process ------------------------------------------------------------------------------------------------------


def test_the_version_says_where_it_was_loaded_from():
    version = [sys.executable, "-m", "jacobi", "--version"]
    done = subprocess.run(version, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"jacobi {jb.__version__}, loaded from {Path(jb.__file__).parent}\n"


def test_the_status_of_the_process(tmp_path):
    (tmp_path / "model.py").write_text("def f(x):\n    return x * x\ndef df(x):\n    return x\n")
    command = [sys.executable, "-m", "jacobi", "check", f"{tmp_path / 'model.py'}:f", ":df", "--at", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout.startswith("wrong: df as the derivative of f, 1 x 1"), done.stderr
