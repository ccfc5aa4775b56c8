"""Of every operation with a rule the true Jacobian is found correct, and every mutation of it is found wrong."""

import numpy as np
import pytest

import jacobi as jb
import jacobi.rules.library
import jacobi.rules.special
from jacobi.rules import REGISTRY, Composed, Rule
from jacobi.testing.cases import Case, of_one
from jacobi.verification import check

LARGEST = 24  # entries of a Jacobian
GROUPS = 12
RULES = [rule for rule in REGISTRY.values() if isinstance(rule, (Rule, Composed)) and rule.samples is not None]


@pytest.fixture(autouse=True)
def without_diagnosis(monkeypatch):
    """Verdicts only: no time is spent on the search for slips."""
    monkeypatch.setattr("jacobi.verification.diagnosis.diagnose", lambda evidence: ())


def small_case(rule):
    """A call of an operation, and which of its variables to differentiate by; None if all are large or not finite."""
    rng = np.random.default_rng(0)
    for call in rule.samples(rng):
        case = Case(rule, call, call, rng)
        for k, x in enumerate(case.variables):
            if 0 < case.value.size * x.size <= LARGEST and np.isfinite(x).all():
                return case, k
    return None


def mutations(J):
    """Slips in a matrix, by name."""
    rng = np.random.default_rng(1)
    yield "sign", -J
    yield "twice", 2 * J
    yield "zero", 0 * J
    yield "rows permuted", np.roll(J, 1, axis=0)
    if J.shape[0] == J.shape[1]:
        yield "transposed", J.T
    places = np.argwhere(J)
    if len(places):
        place = tuple(rng.choice(places))
        for name, factor in (("one entry by 1e-4", 1 + 1e-4), ("dropped", 0.0), ("NaN", np.nan)):
            yield name, changed(J, place, factor)


def changed(J, place, factor):
    """A matrix with one entry multiplied."""
    changed = J.copy()
    changed[place] *= factor
    return changed


def differs(claim, J):
    """Whether an entry differs by more than half of 1e-4 of its natural size, so that rounding is no excuse."""
    rows, columns = np.abs(J).max(axis=1, keepdims=True), np.abs(J).max(axis=0, keepdims=True)
    return bool((~(np.abs(claim - J) <= 5e-5 * np.minimum(rows, columns))).any())


@pytest.mark.parametrize("group", range(GROUPS))
def test_right_is_correct_and_mutations_are_wrong(group):
    decided = 0
    for rule in RULES[group::GROUPS]:
        found = small_case(rule)
        if found is None:
            continue
        case, k = found
        f, x = of_one(case, k), case.variables[k]
        with np.errstate(all="ignore"):
            J = jb.jacobian(f)(x).toarray().astype(float)
        report = check(f, J, x)
        assert report.verdict == "correct", f"{case}: {report}"
        for name, claim in mutations(J):
            if differs(claim, J):
                assert check(f, claim, x).verdict == "wrong", f"{case}: {name}"
                decided += 1
    assert decided > 100
