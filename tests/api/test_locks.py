"""Arrays of the user can be written again after a trace, however they were used, and whatever happened."""

import numpy as np
import pytest

import jacobi as jb

N = 20_000  # entries, so that arrays are locked instead of copied


def arrays():
    whole = np.linspace(0.0, 1.0, N + 1)
    return np.linspace(1.0, 2.0, N), whole, whole[:-1]


ORDERS = {
    "the array, then its view": lambda x, whole, view: np.sum(x * whole[1:] * view),
    "the view, then the array": lambda x, whole, view: np.sum(x * view) + np.sum(whole * 2.0) * x[0],
    "both in one call": lambda x, whole, view: np.sum(np.concatenate([x * view, whole])),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("compiled", [False, True])
def test_views_and_their_owners_are_unlocked(order, compiled):
    x, whole, view = arrays()

    def f(x):
        return ORDERS[order](x, whole, view)

    (jb.compile(jb.gradient(f), x) if compiled else jb.gradient(f))(x)
    assert x.flags.writeable and whole.flags.writeable and view.flags.writeable


def test_an_error_unlocks_everything():
    x, whole, view = arrays()

    def f(x):
        return np.sum(x * whole[1:] * view) + float(x[0])

    for transform in (jb.gradient(f), lambda x: jb.compile(jb.gradient(f), x)):
        with pytest.raises(jb.errors.TraceError):
            transform(x)
        assert x.flags.writeable and whole.flags.writeable and view.flags.writeable
