"""Where operations are tested: random operands from their domains, in all the shapes that matter.

A *domain* is ``domain(rng, shape)``, an array on which the derivative exists.  *Samples* are ``samples(rng)``, an
iterable of calls ``(arguments, keywords)``.  No shape is square, and sizes 0 and 1 are among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# in quotes, so that numpy.random is imported where it is used
Array: TypeAlias = "NDArray[Any]"
Domain: TypeAlias = "Callable[[np.random.Generator, tuple[int, ...]], Array]"
Call: TypeAlias = "tuple[tuple[Any, ...], dict[str, Any]]"
Samples: TypeAlias = "Callable[[np.random.Generator], Iterator[Call]]"

SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (2, 1, 3), (1,), (0,), (2, 0))
PAIRS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((), ()),
    ((3,), (3,)),
    ((3,), ()),
    ((), (2, 3)),
    ((2, 3), (3,)),
    ((2, 1), (3,)),
    ((1, 3), (2, 1)),
    ((2, 3), (2, 3)),
    ((4, 1, 3), (2, 1)),
    ((1,), (3,)),
    ((0,), (1,)),
    ((2, 0), (0,)),
)


def real(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Real numbers away from zero, so that kinks and poles at zero are not met."""
    return np.asarray(rng.uniform(0.2, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Between 0.2 and 3."""
    return np.asarray(rng.uniform(0.2, 3.0, shape))


def inside_unit(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Between -0.9 and 0.9."""
    return np.asarray(rng.uniform(-0.9, 0.9, shape))


def probability(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Between 0.1 and 0.9."""
    return np.asarray(rng.uniform(0.1, 0.9, shape))


def above_one(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Between 1.2 and 4."""
    return np.asarray(rng.uniform(1.2, 4.0, shape))


def between_integers(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Away from integers and half integers."""
    return np.asarray(rng.integers(-3, 4, shape) + rng.choice([0.2, 0.3, 0.7, 0.8], shape))


def apart(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Entries that differ from each other by at least 0.1 (no ties), in random order."""
    count = int(np.prod(shape))
    values = np.cumsum(rng.uniform(0.1, 0.5, count)) - 0.15 * count
    return np.asarray(rng.permutation(values).reshape(shape))


def small_integer(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The integers 0 to 4, for orders and counts."""
    return np.asarray(rng.integers(0, 5, shape))


def broadcast(*domains: Domain) -> Samples:
    """Calls of an elementwise operation: all shapes, and all patterns of broadcasting."""

    def calls(rng: np.random.Generator) -> Iterator[Call]:
        if len(domains) == 1:
            for shape in SHAPES:
                yield (domains[0](rng, shape),), {}
            return
        for pair in PAIRS:
            shapes = [pair[k % 2] for k in range(len(domains))]
            yield tuple(domain(rng, shape) for domain, shape in zip(domains, shapes, strict=True)), {}

    return calls


def over_axes(domain: Domain = real, empty: bool = True, **parameters: Any) -> Samples:
    """Calls of a reduction: every axis, several axes, all axes, with and without ``keepdims``."""

    def calls(rng: np.random.Generator) -> Iterator[Call]:
        for shape in ((3,), (2, 3), (2, 3, 4), (1, 3), (3, 1), ()) + (((2, 0), (0,)) if empty else ()):
            axes: list[Any] = [None, *range(len(shape))]
            axes += [-1] if shape else []
            axes += [(0, 2), (-1, 0)] if len(shape) == 3 else []
            for axis in axes:
                if not empty and 0 in shape:
                    continue
                yield (domain(rng, shape),), {"axis": axis, **parameters}
            yield (domain(rng, shape),), {"keepdims": True, **parameters}
            if shape:
                yield (domain(rng, shape),), {"axis": 0, "keepdims": True, **parameters}

    return calls


def calls(*cases: Any, domain: Domain = real) -> Samples:
    """Explicit calls: every case is a shape, or a tuple of operands and, last, a dict of parameters.

    A shape is a tuple of integers and stands for an array; any other operand is passed as it is.
    """

    def generate(rng: np.random.Generator) -> Iterator[Call]:
        for case in cases:
            *operands, keywords = (case, {}) if is_shape(case) else case if type(case[-1]) is dict else (*case, {})
            yield tuple(domain(rng, part) if is_shape(part) else part for part in operands), dict(keywords)

    return generate


def is_shape(part: Any) -> bool:
    """Whether a part of a case is a tuple of integers."""
    return type(part) is tuple and all(type(n) is int for n in part)
