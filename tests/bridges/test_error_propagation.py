"""`propagate`: covariances by the formula, against sampling, and in the form in which they were given."""

import math

import numpy as np
import pytest
import scipy.sparse

import jacobi as jb
from jacobi.bridges import propagate
from jacobi.errors import InputError, ShapeError


def test_the_examples_of_the_other_distribution():
    y, ycov = propagate(lambda x: x**2 + 1, [1, 2], [[3, 1], [1, 4]])
    np.testing.assert_allclose(y, [2, 5])
    np.testing.assert_allclose(ycov, [[12, 8], [8, 64]])
    y, same = propagate(lambda x: x**2 + 1, [1, 2], [[3, 1], [1, 4]], diagonal=True)
    np.testing.assert_allclose(same, ycov)
    z, zcov = propagate(lambda x, y: x + y, 1, 2, 2, 3)
    assert (z, zcov) == (3, 5) and np.ndim(zcov) == 0
    cov = 0.5 * 6**0.5
    z, zcov = propagate(lambda r: r[0] + r[1], [1, 2], [[2, cov], [cov, 3]])
    assert (z, zcov) == (3, pytest.approx(5 + 2 * cov))


def mixture(x):
    return np.array([x[0] * x[1], np.exp(x[2]) / x[0], x[1] - x[2], np.sin(x[0] + x[2])])


def test_the_covariance_is_that_of_samples():
    rng = np.random.default_rng(0)
    x, L = np.array([1.0, 2.0, 0.5]), 1e-3 * np.tril(rng.normal(size=(3, 3)))
    _, cov = propagate(mixture, x, L @ L.T)
    samples = np.array([mixture(x + L @ v) for v in rng.normal(size=(20_000, 3))])
    np.testing.assert_allclose(cov, np.cov(samples.T), atol=0.03 * np.abs(cov).max())


def opaque(x):
    return np.array([math.exp(x[0]) * math.sin(x[1]), float(x[0]) * float(x[1])])


def test_opaque_functions_are_differentiated_numerically():
    x, cov = np.array([0.3, 1.2]), np.array([[0.04, 0.01], [0.01, 0.09]])
    J = np.array([[np.exp(0.3) * np.sin(1.2), np.exp(0.3) * np.cos(1.2)], [1.2, 0.3]])
    for options in ({}, {"method": 0}, {"workers": map}):
        np.testing.assert_allclose(propagate(opaque, x, cov, **options)[1], J @ cov @ J.T, rtol=1e-8)


def test_variances_stay_variances_where_outputs_are_separate():
    for f in (np.sin, lambda x: np.array([math.sin(entry) for entry in x])):
        x, variances = np.array([0.1, 0.7, 2.0]), np.array([1.0, 2.0, 3.0])
        np.testing.assert_allclose(propagate(f, x, variances)[1], np.cos(x) ** 2 * variances, rtol=1e-8)
        np.testing.assert_allclose(propagate(f, x, 2.0)[1], np.cos(x) ** 2 * 2, rtol=1e-8)
        full = propagate(f, x, np.diag(variances))[1]
        np.testing.assert_allclose(full, np.diag(np.cos(x) ** 2 * variances), rtol=1e-8)
    image = np.arange(6.0).reshape(2, 3)
    assert propagate(np.sqrt, image + 1, image)[1].shape == (2, 3)
    assert propagate(np.cumsum, image.ravel(), 0.1)[1].shape == (6, 6)


def test_a_million_measurements():
    n = 1_000_000
    y, variances = propagate(np.tanh, np.linspace(-1, 1, n), np.full(n, 0.01))
    np.testing.assert_allclose(variances, (1 - y**2) ** 2 * 0.01)


def test_the_kind_of_matrix_is_that_of_the_covariance():
    x = np.arange(10_000.0)
    variances = np.linspace(1, 2, x.size)
    expected = scipy.sparse.diags_array(
        [variances[1:] + variances[:-1], -variances[1:-1], -variances[1:-1]], offsets=[0, 1, -1]
    )
    found = propagate(np.diff, x, scipy.sparse.diags_array(variances))[1]
    assert scipy.sparse.issparse(found) and abs(found - expected).max() < 1e-12
    kept = propagate(np.diff, x, jb.Jacobian.from_diagonal(variances))[1]
    assert kept.structure == "banded" and abs(kept.tocsr() - expected).max() < 1e-12
    with pytest.raises(MemoryError, match="sparse"):
        propagate(np.diff, np.arange(20_000.0), 1.0)


def test_independent_arguments():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    _, cov = propagate(np.multiply, x, [0.1, 0.2], y, [0.3, 0.4])
    np.testing.assert_allclose(cov, y**2 * [0.1, 0.2] + x**2 * [0.3, 0.4])
    _, cov = propagate(np.multiply, x, [0.1, 0.2], y, [[0.3, 0.1], [0.1, 0.4]])
    np.testing.assert_allclose(cov, np.diag(y**2 * [0.1, 0.2]) + np.outer(x, x) * [[0.3, 0.1], [0.1, 0.4]])
    _, cov = propagate(np.multiply, x, [0.1, 0.2], y, [0.3, 0.4], mask=[[True, True], [False, False]])
    np.testing.assert_allclose(cov, y**2 * [0.1, 0.2], rtol=1e-8)


@pytest.mark.parametrize("slope", [np.sqrt, lambda x: np.array([math.sqrt(v) if v > 0 else math.nan for v in x])])
def test_an_output_without_a_value_leaves_the_others_alone(slope):
    with np.errstate(all="ignore"):
        y, cov = propagate(slope, [-1.0, 4.0], [1.0, 1.0])
    assert np.isnan(y[0]) and np.isnan(cov[0]) and cov[1] == pytest.approx(1 / 16)


@pytest.mark.parametrize("f", [np.abs, lambda x: np.array([abs(float(v)) for v in x])])
def test_a_kink_is_a_warning(f):
    with pytest.warns(RuntimeWarning, match="kink"):
        propagate(f, [0.0, 1.0], [1.0, 1.0])


def test_what_does_not_fit():
    with pytest.raises(ShapeError, match="pairs"):
        propagate(np.add, 1.0, 0.1, 2.0)
    for cov in (np.ones(3), np.ones((2, 3)), scipy.sparse.eye_array(3), jb.Jacobian.identity(3)):
        with pytest.raises(ShapeError, match=r"variances of shape \(2,\)"):
            propagate(np.sin, [1.0, 2.0], cov)
    with pytest.raises(InputError, match="its own entry"):
        propagate(np.cumsum, [1.0, 2.0], 0.1, diagonal=True)
