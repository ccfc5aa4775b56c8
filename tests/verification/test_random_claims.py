"""Random functions and points of all scales: right claims are never wrong, wrong ones never correct."""

from functools import lru_cache

import numpy as np
import pytest
from compositions import Composition
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

import jacobi as jb
from jacobi.verification import check

SCALES = st.integers(-6, 6).map(lambda k: 10.0**k)
SLIPS = {
    "sign": lambda J, place: -J,
    "twice": lambda J, place: 2 * J,
    "zero": lambda J, place: 0 * J,
    "rows permuted": lambda J, place: np.roll(J, 1, axis=0),
    "transposed": lambda J, place: J.T if J.shape[0] == J.shape[1] else J,
    "one entry by 1e-3": lambda J, place: multiplied(J, place, 1.001),
    "dropped": lambda J, place: multiplied(J, place, 0.0),
    "NaN": lambda J, place: multiplied(J, place, np.nan),
}


def multiplied(J, place, factor):
    J = J.copy()
    J.flat[place] *= factor
    return J


@pytest.fixture(autouse=True, scope="module")
def without_diagnosis():
    """Verdicts only: no time is spent on the search for slips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jacobi.verification.diagnosis.diagnose", lambda evidence: ())
        yield


@lru_cache
def composition(number):
    return Composition(number)


def scaled(number, out_scale, in_scale, hide):
    """A composition at other scales, its point, and its Jacobian; None at kinks and where it has none."""
    c = composition(number)

    def f(x, *rest):
        if hide and not isinstance(x, (np.ndarray, np.generic)):
            raise TypeError("plain arrays only")
        return out_scale * np.asarray(c.f(x / in_scale, *rest)) if hide else out_scale * c.f(x / in_scale, *rest)

    x, rest = np.asarray(c.arguments[0] * in_scale), c.arguments[1:]
    with np.errstate(all="ignore"):
        found = jb.jacobian(lambda x, *rest: out_scale * c.f(x / in_scale, *rest))(x, *rest)
    J = found.toarray().astype(float)
    return None if found.kinks or not np.isfinite(J).all() else (f, (x, *rest), J)


def slipped(J, slip, place):
    """A wrong claim that no rounding excuses; None if the slip makes no difference here."""
    size = np.abs(J).max(initial=0.0)
    places = np.flatnonzero(np.abs(J) > 1e-6 * size)
    if not places.size:
        return None
    claim = SLIPS[slip](J, places[place % places.size])
    rows, columns = np.abs(J).max(axis=1, keepdims=True), np.abs(J).max(axis=0, keepdims=True)
    natural = np.maximum(np.minimum(rows, columns), 1e-6 * size)
    return claim if (~(np.abs(claim - J) <= 1e-4 * natural)).any() else None


@seed(0)
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    number=st.integers(0, 10**6),
    out_scale=SCALES,
    in_scale=SCALES,
    hide=st.booleans(),
    slip=st.sampled_from(sorted(SLIPS)),
    place=st.integers(0, 10**6),
)
def test_verdicts_are_never_false(number, out_scale, in_scale, hide, slip, place):
    problem = scaled(number, out_scale, in_scale, hide)
    assume(problem is not None)
    f, args, J = problem
    assert check(f, J, *args).verdict in ("correct", "undecidable")
    claim = slipped(J, slip, place)
    if claim is not None:
        assert check(f, claim, *args).verdict in ("wrong", "undecidable")


def test_nearly_all_are_decided():
    verdicts = []
    for number in range(70):
        problem = scaled(number, 10.0 ** (number % 13 - 6), 10.0 ** (number % 7 - 3), hide=number % 2 == 0)
        if problem is not None:
            f, args, J = problem
            verdicts.append(check(f, J, *args).verdict)
            claim = slipped(J, sorted(SLIPS)[number % len(SLIPS)], number)
            if claim is not None:
                verdicts.append(check(f, claim, *args).verdict)
    assert len(verdicts) > 90
    assert sum(verdict != "undecidable" for verdict in verdicts) >= 0.98 * len(verdicts)
