"""Subscripts of a Jacobian are those of its full array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import samples

import jacobi as jb
from jacobi.errors import InputError


def keys(length):
    return st.integers(-length, length - 1) | st.slices(length) if length else st.slices(length)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(samples(), st.data())
def test_subscripts_are_those_of_the_array(sample, data):
    J = sample.jacobian
    key = data.draw(keys(J.shape[0])), data.draw(keys(J.shape[1]))
    found, expected = J[key], J.toarray()[key]
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(J.toarray()).max(initial=1.0))


def test_only_what_is_asked_for_is_formed():
    J = jb.jacobian(np.sin)(np.zeros(1_000_000))
    assert J[999_999, 999_999] == 1.0 and J[0, 1] == 0.0
    assert J[5, :].shape == J[:, -1].shape == (1_000_000,)


@pytest.mark.parametrize("key", [0, slice(None), (0,), (0, 0, 0), ([0], 0), (0, None), (True, 0), (0.0, 0), ...])
def test_other_keys_are_refused(key):
    with pytest.raises(InputError, match=r"Write J\[i, j\]"):
        jb.jacobian(np.sin)(np.ones(2))[key]


@pytest.mark.parametrize("key", [(2, 0), (0, 2), (-3, 0), (slice(None), 5)])
def test_places_outside_are_errors(key):
    with pytest.raises(IndexError):
        jb.jacobian(np.sin)(np.ones(2))[key]


def test_it_is_no_sequence():
    J = jb.jacobian(np.sin)(np.zeros(2))
    with pytest.raises(TypeError):
        iter(J)
    np.testing.assert_array_equal(np.asarray(J), np.eye(2))
