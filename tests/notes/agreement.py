"""The comparison behind every test of the notes: the library, a closed form and finite differences agree.

The notes are translations of A. Karpathy's Stanford CS231n notes on back-propagation (``test_circuits``) and
notes on T. Parr and J. Howard, "The Matrix Calculus You Need For Deep Learning", arXiv 1802.01528
(``test_matrix_calculus``, ``test_neuron_and_loss``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import jacobi as jb

ROUNDINGS = 64 * np.finfo(float).eps


class Rule(NamedTuple):
    """A formula of the notes: a function, a point, and the closed form of its derivative by each argument."""

    name: str
    f: Callable[..., Any]
    point: tuple[Any, ...]
    closed: tuple[Callable[..., Any], ...]
    structures: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def agreed(f: Callable[..., Any], point: tuple[Any, ...], closed: Any, argnum: int = 0) -> jb.Jacobian:
    """The Jacobian by one argument, once shape, closed form and finite differences confirm it."""
    J = jb.jacobian(f, argnum)(*point)
    y, x = np.asarray(f(*point), dtype=float), np.asarray(point[argnum], dtype=float)
    assert (J.out_shape, J.in_shape) == (y.shape, x.shape)
    assert J.shape == (y.size, x.size)

    full = J.toarray()
    wanted = np.array(closed, dtype=float, ndmin=2)
    np.testing.assert_allclose(full, wanted, rtol=ROUNDINGS, atol=ROUNDINGS, strict=True)

    numerical, error = jb.finite_difference(f, argnum)(*point)
    assert np.all(error <= 1e-8 * np.maximum(1.0, np.abs(numerical))), "no smooth point, or a poor bound"
    assert np.all(np.abs(full - numerical) <= error + ROUNDINGS * np.abs(full))
    return J


def follow(rule: Rule) -> list[jb.Jacobian]:
    """Check a rule by every argument; its Jacobians."""
    found = [agreed(rule.f, rule.point, closed(*rule.point), k) for k, closed in enumerate(rule.closed)]
    assert len(found) == len(rule.point)
    if rule.structures:
        assert tuple(J.structure for J in found) == rule.structures
    return found


def row(entries: Any) -> np.ndarray:
    """The entries as a matrix of one row: the derivative of a scalar."""
    return np.reshape(entries, (1, -1))


def column(entries: Any) -> np.ndarray:
    """The entries as a matrix of one column: the derivative by a scalar."""
    return np.reshape(entries, (-1, 1))
