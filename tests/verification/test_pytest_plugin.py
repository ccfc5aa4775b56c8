"""The pytest plugin checks with the options of the session, collects pairs, and does nothing unless it is used."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import jacobi as jb
import jacobi.testing  # what a run inside this process imports first is forgotten after it
import jacobi.verification.check
import jacobi.verification.verified

pytest_plugins = "pytester"
ROOT = Path(jb.__file__).parents[1]
LOADED = [] if entry_points(group="pytest11", name="jacobi") else ["-p", "jacobi.pytest_plugin"]

FUNCTIONS = """
import numpy as np
import pytest

def squares(x):
    return x**2

def right(x):
    return np.diag(2 * x)

def half(x):
    return np.diag(x)

X = np.array([1.0, 2.0])
"""

PAIRS = """
import numpy as np
from jacobi.verification.verified import verified

@verified(lambda x: np.diag(2 * x), at={"x": (3,)})
def squares(x):
    return x**2

@verified(lambda w, x: w, argnum=1, layout="gradient", at=(np.ones(2), np.array([3.0, 4.0])))
def dot(w, x):
    return w @ x

@verified(lambda x: np.diag(3 * x**2))
def cubes(x):
    return x**3
"""

WRONG_PAIR = """
import numpy as np
from jacobi.verification.verified import verified

for power in (2, 3):
    @verified(lambda x: np.diag(2 * x), at=lambda rng: rng.uniform(1, 2, 3))
    def powers(x, power=power):
        return x**power
"""


@pytest.fixture
def run(pytester):
    def run(*arguments):
        return pytester.runpytest_inprocess(*LOADED, "-p", "no:cacheprovider", *arguments)

    return run


def test_the_fixture_passes_and_fails(pytester, run):
    pytester.makepyfile(
        FUNCTIONS
        + """
def test_right(jacobian_check):
    assert jacobian_check(squares, right, X).verdict == "correct"

def test_half(jacobian_check):
    jacobian_check(squares, half, X)
"""
    )
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E *AssertionError: wrong: half as the derivative of squares, 2 x 2, numerator layout"]
    )
    result.stdout.fnmatch_lines(["E *factor_two_missing: *"])
    result.stdout.fnmatch_lines(
        ["*derivatives: 2 checked, seed 0, coarsest resolutions*", "*right of squares*::test_right"]
    )
    assert "jacobi/testing" not in result.stdout.str(), "the traceback ends in the test"


def test_the_session_and_the_marker_give_options(pytester, run):
    pytester.makepyfile(
        FUNCTIONS
        + """
@pytest.mark.jacobian(points=3)
def test_points(jacobian_check):
    report = jacobian_check(squares, right, X)
    assert (len(report.points), report.seed) == (3, 17)

@pytest.mark.jacobian(points=3)
class TestInside:
    @pytest.mark.jacobian(points=2)
    def test_the_closest_marker_wins(self, jacobian_check):
        assert len(jacobian_check(squares, right, X).points) == 2

    def test_own_options_win(self, jacobian_check):
        assert jacobian_check(squares, right, X, rng=5, points=None).seed == 5
"""
    )
    result = run("--jacobi-seed=17", "--strict-markers")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*derivatives: 3 checked, seed 17,*"])


def test_the_budget_reaches_the_check(pytester, run):
    pytester.makepyfile(
        FUNCTIONS
        + """
def test_large(jacobian_check):
    report = jacobian_check(squares, right, np.linspace(1, 2, 200))
    assert "random directions" in report.method
"""
    )
    run("--jacobi-budget=300").assert_outcomes(passed=1)
    run().assert_outcomes(failed=1)


def test_nothing_happens_unless_used(pytester, run):
    pytester.makepyfile("def test_nothing():\n    pass")
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*derivatives*")


def test_pairs_of_a_test_module_are_tests(pytester, run):
    pytester.makepyfile(PAIRS)
    result = run("-v", "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*.py::squares PASSED*", "*.py::dot PASSED*", "*.py::cubes SKIPPED*"])
    result.stdout.fnmatch_lines(["SKIPPED*cubes needs x,*give at= to verified, or --jacobi-shape x=SIZES to pytest"])
    run("--jacobi-shape", "x=2,2").assert_outcomes(passed=2, failed=1)  # a diagonal of a matrix does not fit
    run("--jacobi-shape", "x=4").assert_outcomes(passed=3)


def test_pairs_are_selected_as_tests_are(pytester, run):
    path = pytester.makepyfile(PAIRS)
    run(f"{path.name}::dot").assert_outcomes(passed=1)
    run("-k", "squares").assert_outcomes(passed=1, deselected=2)


def test_every_pair_counts_and_the_report_is_the_message(pytester, run):
    pytester.makepyfile(WRONG_PAIR)
    result = run("-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*::powers PASSED*", "*::powers[[]2[]] FAILED*", "wrong: *of powers, 3 x 3*"])
    assert "Traceback" not in result.stdout.str()


def test_pairs_of_named_modules(pytester, run):
    pytester.makepyfile(
        model=PAIRS, test_other="from model import squares\n\ndef test_it():\n    assert squares(2) == 4"
    )
    pytester.syspathinsert()
    run("test_other.py").assert_outcomes(passed=1)
    result = run("test_other.py", "--jacobi-verified=model", "-v")
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(["model::squares PASSED*"])


def test_a_module_is_not_checked_twice(pytester, run):
    pytester.makepyfile(test_model=PAIRS)
    pytester.syspathinsert()
    run("--jacobi-verified=test_model").assert_outcomes(passed=2, skipped=1)


@pytest.mark.parametrize(
    "module, message", [("no_such", "No module named"), ("json", "no function in it is decorated")]
)
def test_modules_without_pairs(module, message, pytester, run):
    pytester.makepyfile("def test_nothing():\n    pass")
    result = run(f"--jacobi-verified={module}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--jacobi-verified={module}: *{message}*"])


def test_several_workers_make_one_summary(pytester, monkeypatch):
    pytest.importorskip("xdist")
    pytester.makepyfile(PAIRS)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    result = pytester.runpytest_subprocess(*LOADED, "-n", "2", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["*derivatives: 2 checked*"])


def test_the_plugin_imports_only_what_the_package_does():
    code = """
import sys, jacobi
before = set(sys.modules)
import jacobi.pytest_plugin
print(*(name for name in set(sys.modules) - before if name.startswith("jacobi")))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["jacobi.pytest_plugin"]
