"""Random values for the arguments of a program: as assumed, and otherwise inside the domain of the program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jacobi.derivation.program import Program
from jacobi.errors import InputError, at_users_line

Array = Any
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
TRIES = 8


class Assumption(NamedTuple):
    """What may be assumed of an argument: how to draw such arrays, and whether it makes a matrix square."""

    draw: Draw
    square: bool = False


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers."""
    return rng.normal(size=shape)


def gram(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A symmetric matrix with positive eigenvalues."""
    root = rng.normal(size=shape)
    return root @ root.swapaxes(-1, -2) / shape[-1] + 0.5 * np.eye(shape[-1])


def orthonormal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A matrix with orthonormal columns (rows, if it has fewer)."""
    rows, columns = shape[-2:]
    return np.linalg.qr(rng.normal(size=shape))[0] if rows >= columns else orthonormal(rng, (columns, rows)).T


def projection(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A matrix that is its own square, and not symmetric."""
    rank = (shape[-1] + 1) // 2
    onto, along = rng.normal(size=(2, shape[-1], rank))
    return onto @ np.linalg.solve(along.T @ onto, along.T)


def simplex(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Positive numbers whose sum over the last axis is one."""
    parts = rng.uniform(0.1, 1.0, shape)
    return parts / parts.sum(axis=-1, keepdims=True)


ASSUMPTIONS: dict[str, Assumption] = {
    "symmetric": Assumption(lambda rng, shape: (m := rng.normal(size=shape)) + m.swapaxes(-1, -2), True),
    "skew": Assumption(lambda rng, shape: (m := rng.normal(size=shape)) - m.swapaxes(-1, -2), True),
    "positive definite": Assumption(gram, True),
    "diagonal": Assumption(lambda rng, shape: rng.normal(size=shape) * np.eye(shape[-1]), True),
    "lower triangular": Assumption(lambda rng, shape: np.tril(rng.normal(size=shape)), True),
    "upper triangular": Assumption(lambda rng, shape: np.triu(rng.normal(size=shape)), True),
    "orthogonal": Assumption(orthonormal, True),
    "orthonormal columns": Assumption(orthonormal),
    "idempotent": Assumption(projection, True),
    "sum to one": Assumption(simplex),
    "positive": Assumption(lambda rng, shape: rng.uniform(0.1, 2.0, shape)),
    "+-1": Assumption(lambda rng, shape: rng.choice([-1.0, 1.0], shape)),
    "between 0 and 1": Assumption(lambda rng, shape: rng.uniform(0.1, 0.9, shape)),
    "between -1 and 1": Assumption(lambda rng, shape: rng.uniform(-0.9, 0.9, shape)),
    "above one": Assumption(lambda rng, shape: rng.uniform(1.2, 3.0, shape)),
    "integer": Assumption(lambda rng, shape: rng.integers(1, 5, shape).astype(float)),
}


def assumption(name: str, text: str) -> Assumption:
    """The assumption of a text; ``"y**2 = 1"`` says of ``y`` that its entries are +-1."""
    plain = text.replace(" ", "").replace("==", "=").replace("^", "**")
    key = "+-1" if plain in (f"{name}**2=1", "±1", "+-1") else " ".join(text.split()).lower()
    if key not in ASSUMPTIONS:
        what = f"nothing is known about arrays that are {text!r}, as assumed of {name}"
        raise InputError(at_users_line(what, f"Assume one of {', '.join(ASSUMPTIONS)}, {name}**2 = 1."))
    return ASSUMPTIONS[key]


# Domains ----------------------------------------------------------------------------------------------------------


def around(low: float, high: float, weight: float) -> Draw:
    """Numbers in an interval; a square matrix gets a diagonal on top, so that it is regular but not symmetric."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        entries = rng.uniform(low, high, shape)
        square = len(shape) >= 2 and shape[-1] == shape[-2]
        return entries + weight * shape[-1] * np.eye(shape[-1]) if square else entries

    return draw


def definite(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Positive numbers; a square matrix is positive definite as well."""
    square = len(shape) >= 2 and shape[-1] == shape[-2]
    return gram(rng, shape) if square else rng.uniform(0.1, 2.0, shape)


DOMAINS: tuple[Draw, ...] = (  # positive definite matrices come last, because they hide a lost transpose
    around(0.1, 2.0, 2.0), around(-0.9, 0.9, 0.0), around(0.1, 0.9, 0.0), around(1.2, 3.0, 2.0), definite,
)  # fmt: skip
safe = around(0.1, 0.9, 0.5)  # inside most domains: to find out about sizes


def plans(names: tuple[str, ...]) -> Iterator[dict[str, Draw]]:
    """What to draw every argument from: normal numbers first, then as few restricted arguments as possible."""
    everywhere: dict[str, Draw] = dict.fromkeys(names, normal)
    yield everywhere
    for domain in DOMAINS:
        yield from (everywhere | {name: domain} for name in names)
    for domain in DOMAINS:
        yield dict.fromkeys(names, domain)


def sampled(
    program: Program,
    shapes: Mapping[str, tuple[int, ...]],
    letters: Mapping[str, int],
    rng: np.random.Generator,
    assume: Mapping[str, str],
    found: dict[Any, dict[str, Draw]],
) -> dict[str, Any]:
    """Random values at which the program is finite.

    Parameters
    ----------
    program : Program
        The program.
    shapes : mapping
        The shape of every argument.
    letters : mapping
        The values of the sizes that the program asks for by name.
    rng : Generator
        The source of random numbers.
    assume : mapping
        What is assumed of arguments.
    found : dict
        Domains that worked before, by the assumptions; the one that works now is added.
    """
    key = tuple(sorted(assume.items()))
    assumed: dict[str, Draw] = {name: assumption(name, text).draw for name, text in assume.items()}
    free = tuple(name for name in shapes if name not in assumed)
    reason: Exception | str = "the result was not finite"
    for plan in [*([found[key]] if key in found else []), *plans(free)]:
        for _ in range(TRIES):
            draws = plan | assumed
            values = {name: np.asarray(draws[name](rng, shape))[()] for name, shape in shapes.items()} | dict(letters)
            try:
                if finite(program, values):
                    found[key] = plan
                    return values
            except (ArithmeticError, ValueError, InputError) as error:
                reason = error
    raise InputError(
        at_users_line(
            f"no random values were found at which {program.text} can be computed: {reason}",
            'Say what holds of the arguments, as in assume={"A": "positive definite"}.',
        )
    )


def finite(program: Program, values: dict[str, Any]) -> bool:
    """Whether the program gives finite real numbers."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = np.asarray(program(**values))
    return result.dtype.kind in "fiub" and bool(np.all(np.isfinite(result)))
