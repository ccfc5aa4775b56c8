"""``check`` finds every misprint of the notes, names it where it has a name, and rejects nothing that is right."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from fragments import NUMPY_FOR_MATH, PRODUCT_OF_SUM, SIGMOID_NEURON, STAGED, run

import jacobi as jb

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
try:
    import check_the_notes
finally:
    sys.path.remove(str(EXAMPLES))

LINES = {line.name: line for lines in check_the_notes.parts().values() for line in lines}

# What each misprint looks like.  The text says what was meant; None: no slip of the list gives these numbers.
MISPRINTS = {
    "w o x by w: diag(w)": "wrong_argument",  # diag(x)
    "[f_1(w) o g_i(x)] by w: diag": None,  # the function is misprinted: f_i(w), and then the derivative is right
    "[f_1(w) o g_i(x)] by x: diag": "wrong_entry",  # the same: in all rows but the first
    "sum(w o x) by w: 1^T": "factor_dropped",  # the derivative by u = w o x
    "max(0, x) by x: a column": "diagonal_as_vector",
    "activation by w, z > 0: x": "column_for_row",  # x^T
    "activation by x, z <= 0: 0": "column_for_row",  # 0^T
    "max(0, w.x+b) by x: x^T": "wrong_argument",  # w^T
    "C with 1/n by w": "scaled",  # 1/N
    "C by w: cases around the sum": "mask_outside_sum",
    "C by b: cases around the sum": "mask_outside_sum",
    "C by w: 2/N sum e x^T": "mask_missing",
    "C by b: 2/N sum e": "mask_missing",
    "squared error by w: no mask": "mask_outside_sum",
    "sigmoid(1) = -0.73": "scaled",  # +0.73
}
TWO_SLIPS = "activation by x, z > 0: dz/dw = x"  # w^T: another variable, and a column, which has no one name
AT_KINKS = {
    "max(x, y) by x where x = y",
    "max(0, z), z = 0: 0",
    *(f"max(0, w.x+b), z = 0, by {argument}" for argument in "wxb"),
}
RIGHT = [line for name, line in LINES.items() if name not in {*MISPRINTS, *AT_KINKS, TWO_SLIPS}]


def test_no_name_stands_for_two_lines():
    assert len(LINES) == sum(map(len, check_the_notes.parts().values()))
    assert LINES.keys() >= {*MISPRINTS, *AT_KINKS, TWO_SLIPS}


@pytest.mark.parametrize("line", RIGHT, ids=lambda line: line.name)
def test_a_right_formula_is_not_rejected(line):
    report = line.check()
    assert report.verdict == "correct", report


@pytest.mark.parametrize("line", RIGHT, ids=lambda line: line.name)
def test_the_same_formula_made_wrong_is_found(line):
    right = line.derivative(*line.point) if callable(line.derivative) else line.derivative
    error = 0.01 + 2 * (line.rtol or 0.0)
    wrong = line._replace(derivative=np.array(right, dtype=float) * (1 + error))
    if not np.any(right):  # a zero stays zero
        wrong = line._replace(derivative=np.array(right, dtype=float) + error)
    assert wrong.check().verdict == "wrong"


@pytest.mark.parametrize(("name", "slip"), MISPRINTS.items(), ids=MISPRINTS)
def test_a_misprint_is_found_and_named(name, slip):
    report = LINES[name].check()
    assert (report.verdict, report.diagnosis) == ("wrong", slip), report


def test_two_slips_in_one_line():
    line = LINES[TWO_SLIPS]
    report = line.check()
    assert not report
    assert "denominator" in report.explanation
    as_row = line._replace(layout="denominator").check()
    assert (as_row.verdict, as_row.diagnosis) == ("wrong", "wrong_argument")


@pytest.mark.parametrize("name", sorted(AT_KINKS))
def test_at_a_kink_there_is_nothing_to_be_right(name):
    report = LINES[name].check()
    assert (report.verdict, report.reason) == ("undecidable", "kink")


def test_cases_around_the_sum_are_right_where_all_samples_are_active():
    line = LINES["C by w: cases around the sum"]
    w, _, X, y = line.point
    assert line._replace(point=(w, 50.0, X, y)).check().verdict == "correct"
    assert line._replace(point=(w, -50.0, X, y)).check().verdict == "correct"


CIRCUITS = [PRODUCT_OF_SUM, SIGMOID_NEURON, STAGED]
WIRES = [(circuit, name) for circuit in CIRCUITS for name in circuit.variables()]


@pytest.mark.parametrize("module", [NUMPY_FOR_MATH, math], ids=["numpy", "math"])  # math cannot be traced
@pytest.mark.parametrize(("circuit", "name"), WIRES, ids=[f"{circuit}, d{name}" for circuit, name in WIRES])
def test_a_printed_backward_pass(circuit, name, module):
    values = circuit.values()
    rest = "".join(line for line in circuit.forward.splitlines(True) if not line.startswith(f"{name} ="))

    def output(value):
        return run(rest, math=module, **(circuit.values_of_inputs() | {name: value}))["f"]

    by_hand = values.get(f"d{name}", values.get(f"dfd{name}"))
    assert jb.check(output, by_hand, values[name]).verdict == "correct"
    opposite = jb.check(output, -np.array(by_hand), values[name])
    assert opposite.verdict == "wrong"
    assert "sign_flip" in {candidate.identifier for candidate in opposite.candidates}


def test_the_program_prints_every_line_and_counts(capsys):
    check_the_notes.main()
    printed = capsys.readouterr().out
    table, _, counts = printed.strip().rpartition("\n")
    assert all(f"  {name:<36} " in table for name in LINES)
    assert f"{len(RIGHT)} correct, {len(AT_KINKS)} undecidable, {len(MISPRINTS) + 1} wrong" == counts
