"""``derive`` gives every derivative of the notes, and differs from what is printed exactly where that is wrong."""

import sys
from pathlib import Path

import numpy as np
import pytest
from test_check_the_notes import AT_KINKS, LINES, MISPRINTS, TWO_SLIPS

import jacobi as jb

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))
try:
    import derive_the_notes
finally:
    sys.path.remove(str(EXAMPLES))

RULES = [rule for _, rules in derive_the_notes.PARTS for rule in rules()]
PAIRS = [(rule, line, wrt) for rule in RULES for line, wrt in rule.pairs()]
NAMES = [line.name for _, line, _ in PAIRS]


def test_every_line_of_the_notes_is_derived_once():
    assert sorted(NAMES) == sorted(LINES)


@pytest.mark.parametrize(("rule", "line", "wrt"), PAIRS, ids=NAMES)
def test_a_line(rule, line, wrt):
    found = derive_the_notes.compare(rule, line, wrt)
    if line.name in AT_KINKS:
        assert (found.numerical, found.agrees) == (None, None)
    else:
        assert found.numerical is True, found.formula
        assert found.agrees is (line.name not in {*MISPRINTS, TWO_SLIPS}), found.formula


@pytest.mark.parametrize("rule", RULES, ids=[rule.text for rule in RULES])
def test_a_text_is_the_function_of_its_lines(rule):
    for line, wrt in rule.pairs():
        values = dict(zip(rule.arguments, line.point, strict=False)) | dict(rule.given)
        functions = {name: value for name, value in values.items() if callable(value)}
        numbers = [np.asarray(values[name], dtype=float) for name in rule.arguments]
        scope = {name: getattr(np, name) for name in ("maximum", "dot", "sum", "mean", "stack", "log", "sin", "exp")}
        scope |= {"expit": lambda x: 1 / (1 + np.exp(-x)), "n": len(numbers[0]) if numbers[0].ndim else None}
        result = eval(rule.text, scope | functions | dict(zip(rule.arguments, numbers, strict=True)))
        np.testing.assert_allclose(result, line.f(*line.point), rtol=1e-12, err_msg=line.name)
        assert wrt in rule.arguments


FORMULAS = {
    "squared error by w": "(2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X",
    "w o x by w": "diag(x)",
    "w . x by w": "xᵀ",
    "sum(x) by x": "1ᵀ",
    "x + z by z": "1",
    "max(0, x) by x: a column": "diag(1[x > 0])",
    "W.dot(X) by W": "I ⊗ Xᵀ",
    "f(g(x)): df/du du/dx": "f'(g(x)) g'(x)",
}


@pytest.mark.parametrize(("name", "formula"), FORMULAS.items(), ids=FORMULAS)
def test_a_formula_is_the_one_of_textbooks(name, formula):
    rule, line, wrt = PAIRS[NAMES.index(name)]
    assert derive_the_notes.compare(rule, line, wrt).formula == formula


def test_a_wrong_formula_would_be_seen():
    rule, line, _ = PAIRS[NAMES.index("w o x by w")]
    assert derive_the_notes.compare(rule, line, "x").numerical is False


@pytest.mark.parametrize("rule", RULES, ids=[rule.text for rule in RULES])
def test_a_derivation_passes_its_own_check(rule):
    for wrt in {wrt for _, wrt in rule.pairs()}:
        assert jb.derive(rule.text, wrt=wrt, shapes=dict(rule.arguments)).check(rng=1)


def test_the_program_prints_the_derivation_and_every_line_and_counts(capsys):
    derive_the_notes.main()
    printed = capsys.readouterr().out
    table, _, counts = printed.strip().rpartition("\n")
    assert table.startswith("mean((y - maximum(0, X @ w + b))**2)")
    assert all(f"    {name:<34} " in table for name in NAMES)
    right, kinks = len(LINES) - len(AT_KINKS), len(AT_KINKS)
    wrong = len(MISPRINTS) + 1
    assert counts == (
        f"{right} of {right} formulas equal the numerical derivative, {right - wrong} agree with what is printed; "
        f"{kinks} stand at a kink."
    )
    assert table.count(": derived ") == wrong
