"""Strategies for hypothesis: the points at which derivatives are worth checking.

They differ in what they are good at.  Points in a box shrink to simple numbers; points off kinks keep a function
differentiable; mixed scales find fixed step sizes and absolute tolerances; degenerate points (zeros, ones, equal
entries, symmetric matrices) hide slips and find kinks; matrices whose sizes all differ show a missing transpose.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobi.layout import Shape

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["box", "degenerate", "mixed_scales", "off_kinks", "sizes", "sphere"]


def hypothesis() -> tuple[Any, Any]:
    """The modules of strategies for plain values and for arrays, imported when they are needed."""
    try:
        return import_module("hypothesis.strategies"), import_module("hypothesis.extra.numpy")
    except ImportError as error:
        raise ImportError("strategies need hypothesis: pip install jacobi-calculus[test]") from error


def of_entries(shape: Shape, entries: SearchStrategy[float]) -> SearchStrategy[Any]:
    """Arrays whose entries are drawn one by one, so that those without a part in a failure shrink to zero."""
    strategies, arrays = hypothesis()
    return arrays.arrays(np.float64, shape, elements=entries, fill=strategies.nothing())  # type: ignore[no-any-return]


def box(shape: Shape, low: float = -2.0, high: float = 2.0) -> SearchStrategy[Any]:
    """Arrays with entries between two bounds.

    Parameters
    ----------
    shape : tuple of int
        The shape of the arrays.
    low, high : float
        The smallest and the largest entry.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(box((3,), 1, 2), lambda x: True)
    array([1., 1., 1.])
    """
    strategies, _ = hypothesis()
    return of_entries(shape, strategies.floats(low, high, allow_subnormal=False))


def sphere(shape: Shape, radius: float = 1.0) -> SearchStrategy[Any]:
    """Arrays of one Euclidean norm.

    Parameters
    ----------
    shape : tuple of int
        The shape of the arrays, which has at least one entry.
    radius : float
        The norm.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import find
    >>> x = find(sphere((2, 2), 3.0), lambda x: True)
    >>> bool(np.isclose(np.linalg.norm(x), 3.0))
    True
    """

    def scaled(x: Any) -> Any:
        return radius * x / np.linalg.norm(x)

    return box(shape, -1.0, 1.0).filter(lambda x: np.linalg.norm(x) > 1e-3).map(scaled)


def off_kinks(
    shape: Shape, kinks: tuple[float, ...] = (0.0,), margin: float = 0.1, low: float = -2.0, high: float = 2.0
) -> SearchStrategy[Any]:
    """Arrays whose entries keep a distance from the kinks of an elementwise function.

    Parameters
    ----------
    shape : tuple of int
        The shape of the arrays.
    kinks : tuple of float
        Where the kinks are.
    margin : float
        The least distance from them.
    low, high : float
        The smallest and the largest entry.

    Examples
    --------
    >>> import numpy as np
    >>> from hypothesis import find
    >>> x = find(off_kinks((2,), margin=0.5), lambda x: x[0] < 0)
    >>> np.abs(x).min() >= 0.5
    np.True_
    """
    strategies, _ = hypothesis()
    ends = [low, *(side for kink in sorted(kinks) for side in (kink - margin, kink + margin)), high]
    pieces = [piece for piece in zip(ends[::2], ends[1::2], strict=True) if piece[0] <= piece[1]]
    # the pieces nearest to zero come first: hypothesis shrinks towards the first
    pieces.sort(key=lambda piece: (min(map(abs, piece)), piece[0] < 0))
    entries = strategies.one_of([strategies.floats(*piece, allow_subnormal=False) for piece in pieces])
    return of_entries(shape, entries)


def mixed_scales(shape: Shape, smallest: int = -6, largest: int = 6) -> SearchStrategy[Any]:
    """Arrays whose entries have very different sizes and either sign.

    Parameters
    ----------
    shape : tuple of int
        The shape of the arrays.
    smallest, largest : int
        The powers of ten between which the entries lie.

    Examples
    --------
    >>> from hypothesis import find
    >>> x = find(mixed_scales((2,)), lambda x: x[0] > 1e9 * x[1] > 0)
    >>> 1e-6 <= x[1] < x[0] < 1e7
    np.True_
    """
    strategies, _ = hypothesis()
    entries = strategies.builds(
        lambda sign, mantissa, power: sign * mantissa * 10.0**power,
        strategies.sampled_from([1.0, -1.0]),
        strategies.floats(1.0, 9.5),
        strategies.integers(smallest, largest),
    )
    return of_entries(shape, entries)


def degenerate(shape: Shape) -> SearchStrategy[Any]:
    """Arrays that hide slips and sit on kinks: zeros, ones, equal entries; symmetric and identity matrices.

    Parameters
    ----------
    shape : tuple of int
        The shape of the arrays.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(degenerate((2, 3)), lambda X: True)
    array([[0., 0., 0.],
           [0., 0., 0.]])
    >>> X = find(degenerate((2, 2)), lambda X: X[0, 1] not in (0, X[0, 0]))
    >>> X[0, 1] == X[1, 0]
    np.True_
    """
    strategies, _ = hypothesis()
    kinds = [
        strategies.builds(np.zeros, strategies.just(shape)),
        strategies.builds(np.ones, strategies.just(shape)),
        strategies.floats(-2.0, 2.0, allow_subnormal=False).map(lambda value: np.full(shape, value)),
    ]
    if len(shape) == 2 and shape[0] == shape[1]:
        kinds += [strategies.builds(np.eye, strategies.just(shape[0])), box(shape, -1.0, 1.0).map(lambda X: X + X.T)]
    return strategies.one_of(kinds)  # type: ignore[no-any-return]


def sizes(count: int, low: int = 2, high: int = 7) -> SearchStrategy[tuple[int, ...]]:
    """Sizes of matrices that all differ, so that no product fits by accident.

    Parameters
    ----------
    count : int
        How many sizes.
    low, high : int
        The smallest and the largest.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(sizes(3), lambda drawn: True)
    (2, 3, 4)
    """
    strategies, _ = hypothesis()
    drawn = strategies.lists(strategies.integers(low, high), min_size=count, max_size=count, unique=True)
    return drawn.map(tuple)  # type: ignore[no-any-return]
