"""The programs in ``examples/`` run, and what they print is right."""

import re
import runpy
import time
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = 30  # an example takes two; other work on the machine may slow it down


@pytest.fixture
def printed(capsys):
    """What a program prints."""

    def run(name):
        began = time.perf_counter()
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert time.perf_counter() - began < SECONDS
        return capsys.readouterr().out

    return run


def numbers(pattern, text):
    """The numbers that the groups of a pattern match, one row for each place."""
    found = re.findall(pattern, text)
    assert found, pattern
    return np.array(found, dtype=float)


def test_newton_on_bratu(printed):
    text = printed("newton_on_bratu")
    assert "banded, 11328 entries" in text  # five a row, but for the neighbours that the border lacks
    norms = numbers(r"\|r\| = (\S+)", text)
    assert norms[-1] < 1e-9 and len(norms) < 9
    assert np.all(norms[3:5] < 2 * norms[2:4] ** 1.5)  # quadratic, until rounding
    table = numbers(r"\n +(\d\.\d) +(\d\.\d+) +(\d\.\d+) +(\d\.\d+)", text)
    np.testing.assert_allclose(table[:, 2], table[:, 3], rtol=1e-4)
    assert abs(numbers(r"ignition at p = (\S+)", text) - 6.808) < 0.1  # the known value of the fold


def test_stiff_ode(printed):
    text = printed("stiff_ode")
    (plain, pattern, exact) = numbers(r" +\d+\.\d+ +(\d+) +(\S+e-\d+)", text)
    assert exact[0] < pattern[0] < plain[0]  # calls of f
    assert max(plain[1], pattern[1], exact[1]) < 1e-4
    assert "transposed" in text


def test_curve_fit(printed):
    text = printed("curve_fit")
    assert numbers(r"agree: (\S+) of the estimates", text) > 9
    assert numbers(r"estimates, (\S+) of the deviations", text) > 8
    band = numbers(r"volume +(\S+) \+- +(\S+) +\(\+- +(\S+)\)", text)
    assert np.all(band[:, 1] < band[:, 2])  # the parameters are strongly correlated


def test_error_propagation(printed):
    text = printed("error_propagation")
    g = numbers(r"g = (\S+) \+- (\S+) m/s\^2 +\(samples: (\S+) \+- (\S+)\)", text)[0]
    np.testing.assert_allclose(g[:2], g[2:], rtol=0.03)
    polar = numbers(r"\+- (\S+) +bearing = \S+ \+- (\S+) +\(samples: (\S+), (\S+)\)", text)
    np.testing.assert_allclose(polar[:, :2], polar[:, 2:], rtol=0.1)
    assert "12 numbers are kept of 36" in text and "increments is banded" in text
    spread = numbers(r"lands at \S+ \+- (\S+) m,.*\n?.*50 samples: \+- (\S+) m", text)[0]
    assert 0.7 < spread[0] / spread[1] < 1.4


def test_two_layer_classifier(printed):
    text = printed("two_layer_classifier")
    assert text.count("correct ") == 9
    assert "wrong: Every entry is 6 times too large" in text
    losses = numbers(r"loss (\d\.\d+)", text)
    assert np.all(np.diff(losses) < 0)
    assert numbers(r"(\d+)% of the others", text)[-1] > 65
    assert numbers(r"differ by (\S+)", text) < 1e-12
