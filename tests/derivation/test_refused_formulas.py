"""What has no formula is refused with a reason, and numbers never pass for sizes or the other way round."""

import numpy as np
import pytest

import jacobi as jb
from jacobi.derivation.derive import DerivationError
from jacobi.errors import InputError


@pytest.mark.parametrize(
    "text, shapes, reason",
    [
        ("ifft(fft(a) * fft(x)).real", dict(a="n", x="n"), "no formula"),
        ("expm(x)", dict(x=("n", "n")), "no formula"),
        ("median(x)", dict(x="n"), "not shown"),
        ("sort(x, axis=1)", dict(x=("m", "n")), "no formula"),
        ("x @ arange(len(x))", dict(x="n"), "no formula"),
    ],
)
def test_refused(text, shapes, reason):
    with pytest.raises(DerivationError, match=reason):
        jb.derive(text, wrt="x", shapes=shapes)


def test_numbers_are_no_sizes():
    for number in (23, 22, 24, 46, 59, 529):  # the sizes at which formulas are derived, and what is made of them
        d = jb.derive(f"sum({number} * x**2)", wrt="x", shapes=dict(x="n"))
        assert d.formula == f"{2 * number} xᵀ"


def test_sizes_are_no_numbers():
    d = jb.derive("sum((x - sum(x) / len(x))**2) / (len(x) - 1)", wrt="x", shapes=dict(x="n"))
    assert "n" in d.formula and not any(digit in d.formula for digit in ("23", "22"))
    d = jb.derive("x / sqrt(len(x))", wrt="x", shapes=dict(x="n"))
    assert d.formula == "(1 / sqrt(n)) I"
    d = jb.derive("sum(x) * log(len(x) + 0.0)", wrt="x", shapes=dict(x=(5,)))
    np.testing.assert_allclose(d(x=np.ones(5)), np.log(5.0) * np.ones((1, 5)))


def test_a_size_in_a_number_that_cannot_be_read_is_refused():
    with pytest.raises(DerivationError, match="does not hold"):
        jb.derive("sum(x) * log(len(x))", wrt="x", shapes=dict(x="n"))


def test_values_that_decide_are_refused():
    def shifted(x):
        return x * float(np.asarray([2.0, 3.0])[len(x) % 2])

    with pytest.raises(DerivationError, match="does not hold"):
        jb.derive(shifted, wrt="x", shapes=dict(x="n"))


def test_options_are_checked():
    for option in ({"order": 3}, {"layout": "C"}, {"vec": "numerator"}, {"wrt": "q"}):
        with pytest.raises(InputError):
            jb.derive("x**2", **{"wrt": "x", "shapes": dict(x="n"), **option})
