"""Numerical differences: SciPy's, and the extrapolated ones of numdifftools."""

import numpy as np
from workload import nbytes

from peers.contestant import Contestant, Way, as_asked, entries, form_of_array

MOST_ENTRIES = {"scipy": 4_000_000, "numdifftools": 10_000}  # of a result: beyond these a call takes seconds
MOST_COLUMNS = {"scipy": 4_000, "numdifftools": 300}
MOST_BYTES = {"scipy": 2**30, "numdifftools": 10_000_000}  # of arguments


def vector_function(workload):
    """The function of a flat first argument, with a flat result."""
    shape = np.shape(workload.arguments[0])
    return lambda v, *others: np.ravel(workload.plain(np.reshape(v, shape), *others))


def affordable(system):
    """Whether as many evaluations can be waited for, as a function of a workload."""

    def can(workload):
        few = entries(workload) <= MOST_ENTRIES[system] and workload.shape[1] <= MOST_COLUMNS[system]
        return few and nbytes(workload.arguments) <= MOST_BYTES[system] and workload.kind in ("jacobian", "gradient")

    return can


def contestant(workload, call):
    def place(x, *others):
        return np.ravel(x), *others

    return Contestant(call, place, lambda result: as_asked(workload, result), form_of_array(workload))


def scipy_forward(workload):
    """Forward differences by ``scipy.optimize.approx_fprime``."""
    from scipy.optimize import approx_fprime

    f = vector_function(workload)
    return contestant(workload, lambda x, *others: approx_fprime(x, f, 1.5e-8, *others))


def numdifftools_extrapolated(workload):
    """``numdifftools.Jacobian``."""
    import numdifftools

    derivative = numdifftools.Jacobian(vector_function(workload))
    return contestant(workload, lambda x, *others: derivative(x, *others))


SCIPY = (Way(scipy_forward, affordable("scipy")),)
NUMDIFFTOOLS = (Way(numdifftools_extrapolated, affordable("numdifftools")),)
