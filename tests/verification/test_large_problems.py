"""Up to a million inputs: right claims are confirmed and one wrong entry is found in at most 200 calls."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import jacobi as jb
from jacobi.verification import check

MILLION = np.random.default_rng(0).normal(size=10**6)
N = 10**5
X = MILLION[:N]
MOST_CALLS = 200


@pytest.fixture(autouse=True)
def without_diagnosis(monkeypatch):
    """Verdicts only: no time is spent on the search for slips."""
    monkeypatch.setattr("jacobi.verification.diagnosis.diagnose", lambda evidence: ())


def opaque(f):
    """The same function in a form that cannot be traced."""

    def hidden(x):
        if not isinstance(x, np.ndarray):
            raise TypeError("plain arrays only")
        return f(x)

    return hidden


def energy(x):
    return np.sum(np.sin(x) * x)


def slope_of_energy(x):
    return np.cos(x) * x + np.sin(x)


def activation(x):
    return np.tanh(x) * x


def slopes_of_activation(x):
    return (1 - np.tanh(x) ** 2) * x + np.tanh(x)


def stencil(u):
    return u[2:] ** 2 - 2 * u[1:-1] + u[:-2] * u[1:-1]


def bands(x, offsets=(0, 1, 2)):
    diagonals = dict(enumerate([x[1:-1], -2 + x[:-2], 2 * x[2:]]))
    shape = x.size - 2, x.size
    return sparse.diags_array([diagonals[k] for k in offsets], offsets=list(offsets), shape=shape).tocsr()


def spoiled(values, place, factor):
    values = values.copy()
    values[place] *= factor
    return values


BOTH = pytest.mark.parametrize("hide", [opaque, lambda f: f], ids=["opaque", "traced"])


@BOTH
@pytest.mark.parametrize("factor", [1.0, 1.5, -1.0, 0.0, np.nan])
def test_one_entry_of_a_gradient(hide, factor):
    place = 12_345
    report = check(hide(energy), spoiled(slope_of_energy(X), place, factor)[None], X)
    assert report.calls <= MOST_CALLS
    if factor == 1.0:
        assert report.verdict == "correct" and report.resolution < 1e-6 and report.missed
    else:
        assert report.verdict == "wrong"
        assert report.worst[0].input == (place,)
        assert report.worst[0].reference == pytest.approx(slope_of_energy(X)[place], rel=1e-4)


def test_one_entry_among_a_million():
    report = check(opaque(energy), spoiled(slope_of_energy(MILLION), 123_456, 1.5)[None], MILLION)
    assert report.verdict == "wrong" and report.calls <= MOST_CALLS
    assert report.worst[0].input == (123_456,)


@BOTH
def test_one_entry_of_a_diagonal(hide):
    right = slopes_of_activation(X)
    assert check(hide(activation), sparse.diags_array(right), X).verdict == "correct"
    report = check(hide(activation), sparse.diags_array(spoiled(right, 77_777, 1.01)), X)
    assert report.verdict == "wrong" and report.calls <= MOST_CALLS
    assert (report.worst[0].output, report.worst[0].input) == ((77_777,), (77_777,))


@BOTH
@pytest.mark.parametrize(
    "form", [lambda J: J, sparse.csc_matrix, aslinearoperator], ids=["csr", "csc matrix", "operator"]
)
def test_a_sparse_matrix(hide, form):
    x = X[:20_000]
    J = bands(x)
    right = check(hide(stencil), form(J), x)
    assert right.verdict == "correct" and right.calls <= MOST_CALLS
    one = J.copy()
    one.data[5_555] *= 1.1
    report = check(hide(stencil), form(one), x)
    assert report.verdict == "wrong" and report.calls <= MOST_CALLS
    place = tuple(int(k[0]) for k in (one - J).nonzero())
    assert (report.worst[0].output[0], report.worst[0].input[0]) == place
    missing = check(hide(stencil), form(bands(x, (0, 1))), x)
    assert missing.verdict == "wrong" and missing.worst[0].claimed == 0


def test_a_wrong_entry_between_many_of_other_sizes():
    scales = 10.0 ** np.random.default_rng(1).uniform(-3, 3, 10**5)
    x = X * scales
    right = 2 * x / scales
    assert check(opaque(lambda x: np.sum(x * x / scales)), right[None], x).verdict == "correct"
    report = check(opaque(lambda x: np.sum(x * x / scales)), spoiled(right, 99, 1.1)[None], x)
    assert report.verdict == "wrong" and report.worst[0].input == (99,)


def test_the_whole_gradient_off_by_a_factor():
    report = check(opaque(energy), 1.001 * slope_of_energy(X)[None], X)
    assert report.verdict == "wrong" and "1.001 times" in report.explanation


def test_two_equal_errors_in_a_row_are_what_may_be_missed():
    x = X[:2000]
    claim = slope_of_energy(x)
    claim[[3, 5]] += 1.0
    reports = [check(opaque(energy), claim[None], x, rng=seed, budget=300) for seed in range(8)]
    assert sum(report.verdict == "wrong" for report in reports) >= 4  # 7 are expected
    assert check(opaque(energy), slope_of_energy(x)[None], x, budget=300).missed.endswith("1/8")


def test_kinks_by_the_million_are_no_reason_to_reject():
    relu = opaque(lambda x: np.sum(np.maximum(x, 0.0)))
    assert check(relu, 1.0 * (X > 0)[None], X).verdict in ("correct", "undecidable")
    assert check(relu, 1.0 * (X < 0)[None], X).verdict != "correct"
    assert check(relu, np.zeros((1, N)), X).verdict != "correct"


def test_a_jacobian_of_the_library():
    x = X[:5000]
    assert check(opaque(activation), jb.jacobian(activation), x).verdict == "correct"
    assert check(opaque(activation), lambda x: jb.jacobian(np.tanh)(x), x).verdict == "wrong"


def test_a_wrong_transpose_of_an_operator():
    A = np.random.default_rng(2).normal(size=(5, 4))
    good = LinearOperator((5, 4), matvec=lambda v: A @ v, rmatvec=lambda u: A.T @ u, dtype=float)
    bad = LinearOperator((5, 4), matvec=lambda v: A @ v, rmatvec=lambda u: 2 * A.T @ u, dtype=float)
    half = LinearOperator((5, 4), matvec=lambda v: A @ v, dtype=float)
    x = np.ones(4)
    assert check(lambda x: A @ x, good, x).verdict == "correct"
    report = check(lambda x: A @ x, bad, x)
    assert report.verdict == "wrong" and "rmatvec" in report.explanation
    assert any("adjoint of the operator was not tested" in note for note in check(lambda x: A @ x, half, x).notes)


def test_a_wrong_transpose_of_a_large_operator():
    n, x = 10_000, X[:10_000]
    d = slopes_of_activation(x)
    operator = LinearOperator((n, n), matvec=lambda v: d * np.ravel(v), rmatvec=lambda u: -d * np.ravel(u), dtype=float)
    report = check(activation, operator, x)
    assert report.verdict == "wrong" and "rmatvec" in report.explanation


@pytest.mark.parametrize("budget", [30, 60, 100, 0.05])
def test_a_budget_is_kept(budget):
    x = X[:1000]
    report = check(opaque(energy), slope_of_energy(x)[None], x, budget=budget)
    assert report.verdict == "correct" and "random directions" in report.method
    if isinstance(budget, int):
        assert report.calls <= max(budget, 60)
    wrong = check(opaque(energy), -slope_of_energy(x)[None], x, budget=budget)
    assert wrong.verdict == "wrong"


def test_no_limit():
    assert check(energy, slope_of_energy(X[:50])[None], X[:50], budget=np.inf).verdict == "correct"


@BOTH
def test_a_large_claim_of_another_shape(hide):
    report = check(hide(energy), slope_of_energy(X)[:, None], X)
    assert report.verdict in ("wrong", "invalid") and report.calls < MOST_CALLS
    assert "layout='denominator'" in report.explanation


def test_a_budget_that_suffices_compares_every_entry():
    x = X[:50]
    assert "every entry" in check(opaque(energy), slope_of_energy(x)[None], x, budget=2000).method
