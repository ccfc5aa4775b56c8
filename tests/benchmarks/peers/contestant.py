"""A contestant: a derivative of another system, set up for one workload."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

LARGEST = 30_000_000  # entries of a full result that is asked for


class Contestant(NamedTuple):
    """What is called and timed, and how to come to it and from it.

    Attributes
    ----------
    call : callable
        ``call(*place(*arguments))`` is the result as the system holds it, finished when the call returns.
    place : callable
        The arguments as the system holds them: on its device, in its buffers.  Not timed.
    numbers : callable
        The result as an array or a csr array.  Not timed.
    form : str
        What the result is: see `Workload`; an array is ``"dense"`` where jacobi keeps structure.
    """

    call: Callable[..., Any]
    place: Callable[..., tuple[Any, ...]]
    numbers: Callable[[Any], Any]
    form: str


class Way(NamedTuple):
    """A way to a derivative: ``prepare(workload)`` is a `Contestant`, wherever ``can(workload)``."""

    prepare: Callable[[Any], Contestant]
    can: Callable[[Any], bool]


def entries(workload):
    """How many entries the whole matrix has."""
    rows, columns = workload.shape
    return rows * columns


def whole(workload):
    """Whether the whole matrix can be held."""
    return workload.kind != "samples" and entries(workload) <= LARGEST


def whole_jacobian(workload):
    """Whether it can, and there is more than one order to compute it in."""
    return workload.kind == "jacobian" and whole(workload)


def apart(workload):
    """Whether entries, or samples, do not meet."""
    return workload.form == "diagonal" or workload.kind == "samples"


def form_of_array(workload):
    """The form of a full array."""
    return "array" if workload.form == "array" else "dense"


def as_asked(workload, result):
    """A full array in the shape that jacobi's result has: a matrix, or shaped like the argument."""
    if workload.kind == "several":
        return tuple(float(part) for part in result)
    if workload.kind == "gradient":
        return np.reshape(result, np.shape(workload.arguments[0]))
    return np.reshape(result, workload.shape)


def csr_maker(rows, columns, shape):
    """A function of data: the csr array with entries at these places, which are sorted by rows."""
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    indices, starts = np.asarray(columns, np.int32), starts.astype(np.int32)
    return lambda data: csr_array((data, indices, starts), shape=shape)
