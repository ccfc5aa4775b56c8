"""The diagnosis as a whole: it never fails, says nothing that is not proven, and names things as the user does."""

import types

import numpy as np
import pytest

import jacobi as jb
from jacobi.verification import diagnosis
from jacobi.verification.diagnosis import common_candidates, diagnose
from jacobi.verification.evidence import Evidence
from jacobi.verification.report import Report
from jacobi.verification.slips import SLIPS, Candidate

w = np.array([1.0, -2.0, 3.0])


def evidence_of(right, given, f, args):
    known = np.ones(right.shape, dtype=bool)
    return Evidence(right, given, given, 1e-9 * known, known, (len(right),), args[0].shape, "numerator", f, args, 0)


def test_a_witness_that_fails_says_nothing(monkeypatch):
    def failing(evidence):
        raise AttributeError("a user's object")

    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    evidence = evidence_of(A, -A, lambda x: A @ x, (np.ones(2),))
    monkeypatch.setattr(diagnosis, "WITNESSES", (failing, *diagnosis.WITNESSES))
    assert diagnose(evidence)[0].identifier == "sign_flip"


def test_an_interruption_is_not_swallowed(monkeypatch):
    def interrupted(evidence):
        raise KeyboardInterrupt

    monkeypatch.setattr(diagnosis, "WITNESSES", (interrupted,))
    with pytest.raises(KeyboardInterrupt):
        diagnose(evidence_of(np.eye(2), -np.eye(2), lambda x: x, (np.ones(2),)))


def test_a_function_without_a_module():
    """As those are that were made by hand, or by a tool that copies functions."""

    def inner(x):
        return np.cos(x)

    def claim(x):
        return -inner(x)

    inner = types.FunctionType(inner.__code__, {"np": np})
    inner.__module__ = None
    assert jb.check(np.sin, claim, 0.3).diagnosis == "sign_flip"


def test_wrong_at_a_kink_only():
    report = jb.check(lambda x: np.maximum(0, x), np.diag([0.0, 2.0, 1.0]), np.array([-1.0, 0.0, 2.0]))
    assert report.verdict == "wrong" and report.diagnosis == "outside_slopes"
    assert "entry [1, 1] is claimed to be 2 and does not lie between 0 and 1" in report.explanation
    assert "where 0 would pass" not in str(report)


@pytest.mark.parametrize(("change", "words"), [(-1.0, "sign is wrong"), (np.array([1, 2, 1]), "A single entry")])
def test_a_column_with_wrong_numbers(change, words):
    report = jb.check(lambda x: w @ x, (change * w)[:, None], np.ones(3))
    assert report.verdict == "wrong" and report.diagnosis == "column_for_row"
    assert words in report.explanation


def test_a_column_of_other_numbers():
    report = jb.check(lambda x: w @ x, np.array([[0.3], [1.7], [-0.4]]), np.ones(3))
    assert report.diagnosis == "column_for_row" and "3 numbers of 3 are wrong" in report.explanation


@pytest.mark.parametrize("x", [0.3, np.array([0.3])])
def test_the_sign_of_a_single_number(x):
    assert jb.check(np.sin, lambda x: -np.cos(x), x).diagnosis == "sign_flip"


def test_a_meaningless_ratio_is_no_repair():
    report = jb.check(lambda x: 1 / (1 + np.exp(-x)), -0.73, 1.0)
    assert report.diagnosis == "scaled" and report.candidates[0].weight < 0.2
    assert "is -0.73 where the derivative is 0.196612, in no simple ratio" in report.explanation


def test_arguments_are_called_by_their_names():
    def f(state, weights):
        return np.sum(state * weights**2)

    rng = np.random.default_rng(0)
    state, weights = rng.normal(size=4), rng.normal(size=4)
    found = jb.check(f, weights, state, weights)
    assert found.diagnosis and "weights" in found.explanation and "args[" not in str(found)
    evidence = evidence_of(np.ones((1, 4)), np.ones((1, 4)), f, (state, weights))
    assert evidence.names == ("state", "weights") and evidence.argument(1) == "argument 1 (weights)"
    assert evidence_of(np.ones((1, 4)), np.ones((1, 4)), np.sin, (state, weights)).argument(1) == "argument 1"


def test_common_candidates():
    one, two = Candidate("sign_flip", "first", "-J", 0.9), Candidate("wrong_entry", "", "", 0.95)
    reports = [
        Report("wrong", candidates=(two, one)),
        Report("correct"),
        Report("wrong", candidates=(one._replace(sentence="second", weight=0.7),)),
    ]
    (common,) = common_candidates(reports)
    assert common.identifier == "sign_flip" and common.sentence == "first" and common.weight == pytest.approx(0.8)
    assert common_candidates([Report("correct")]) == ()


def test_every_candidate_has_a_name():
    rng = np.random.default_rng(1)
    X, w0, y = rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=6)
    for claim in (X.T @ (X @ w0), 2 * X.T @ (X @ w0 - y), rng.normal(size=3)):
        report = jb.check(lambda w, X, y: 0.5 * np.sum((X @ w - y) ** 2), claim, w0, X, y)
        assert report.verdict == "wrong" and {c.identifier for c in report.candidates} <= set(SLIPS)
