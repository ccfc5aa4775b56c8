"""Exits: a Jacobian in a full or a sparse matrix, whose pattern is made once; every call writes the numbers only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import mul
from typing import Any

import numpy as np

from jacobi.matrix import Jacobian
from jacobi.matrix.exits import flat_places
from jacobi.matrix.given import is_node
from jacobi.matrix.patterns import compact, operator_of, pattern, positions
from jacobi.matrix.term import Term, aligned, spread
from jacobi.matrix.wiring import Side, all_indices, injective

SMALL = 4096  # entries of a full matrix up to which positions are worth their memory


@dataclass(frozen=True)
class Strided:
    """Places at regular distances, of which there may be several axes.

    Attributes
    ----------
    sizes, strides : tuple of int
        How many there are along every axis, and how far apart.
    offset : int
        The first of them.
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class Filled:
    """An array of numbers that is written anew in every call, and what is made of it.

    Attributes
    ----------
    writes : list of (values, places, operator)
        What is written where: values are steps, or nodes that stand for them; the operator is ``"="``, ``"+="`` or
        ``"at"``, the latter where places repeat.
    start : ndarray or None
        The array before; None where everything is written.
    length, dtype
        Of the array.
    shape : tuple of int or None
        The shape of a full matrix.
    template : sparse array or None
        A sparse matrix that takes the array as its data.
    """

    writes: list[tuple[Any, Any, str]]
    start: Any
    length: int
    dtype: Any
    shape: tuple[int, int] | None = None
    template: Any = None


def dense(J: Jacobian) -> Any:
    """A full matrix: a node where the values are the matrix, else how it is filled."""
    terms = J.terms
    order = reading_order(terms[0], J.shape) if len(terms) == 1 and any(map(is_node, terms[0].factors)) else None
    if order is not None:
        return values_of(terms[0], J.dtype, order).reshape(J.shape)
    small = J.shape[0] * J.shape[1] <= SMALL
    places = [flat(flat_places(t.wiring, J.shape[1]), t.wiring.sizes, not small) for t in terms]
    return filled(J, places, J.shape[0] * J.shape[1], shape=J.shape)


def reading_order(term: Term, shape: tuple[int, int]) -> tuple[int, ...] | None:
    """The order of the indices in which the entries of a term are the matrix, entry by entry; None if there is none."""
    sizes = term.wiring.sizes
    place = flat(flat_places(term.wiring, shape[1]), sizes, True)
    if not isinstance(place, Strided) or place.offset or prod(sizes) != shape[0] * shape[1]:
        return None
    order = tuple(sorted(range(len(sizes)), key=lambda k: (-place.strides[k], k)))
    expected = [prod(sizes[k] for k in order[position + 1 :]) for position in range(len(order))]
    return order if [place.strides[k] for k in order] == expected else None


def sparse(J: Jacobian, format: str) -> Filled:
    """A sparse array."""
    found = pattern([term.wiring for term in J.terms], J.shape, format)
    template: Any = found.template
    for indices in template.coords if format == "coo" else (template.indices, template.indptr):
        indices.flags.writeable = False  # all results share them
    return filled(J, list(found.places), template.nnz, template=template)


EXITS: dict[str | None, Callable[[Jacobian], Any]] = {
    "array": dense,
    "csr": lambda J: sparse(J, "csr"),
    "csc": lambda J: sparse(J, "csc"),
    "coo": lambda J: sparse(J, "coo"),
}


def flat(side: Side, sizes: tuple[int, ...], may_be_strided: bool = False) -> Any:
    """The positions of a side, one for every entry in the order of its indices, or how they are strided."""
    offset, ties = side
    steps = dict(ties)
    regular = all(type(tie) is int for tie in steps.values())
    if may_be_strided and regular and injective((steps.get(k, 0), count) for k, count in enumerate(sizes)):
        return Strided(sizes, tuple(steps.get(k, 0) for k in range(len(sizes))), offset)
    return positions(side, sizes)


def filled(J: Jacobian, places: list[Any], length: int, **result: Any) -> Filled:
    """How the entries of the terms are written into an array: those of constant terms once and for all."""
    pairs = list(zip(J.terms, places, strict=True))
    constant = [pair for pair in pairs if not any(map(is_node, pair[0].factors))]
    start = np.zeros(length, J.dtype)
    written = np.zeros(length if all(isinstance(place, np.ndarray) for place in places) else 0, bool)
    for term, place in constant:
        np.add.at(start, all_places(place), values_of(term, J.dtype))
        written[all_places(place) if written.size else ()] = True
    writes = []
    needed = bool(constant)
    for term, place in pairs:
        if any(map(is_node, term.factors)):
            operator = "+="
            if isinstance(place, np.ndarray):
                operator = operator_of(place, written if written.size else np.ones(length, bool))
            needed = needed or operator != "="
            values = values_of(term, J.dtype)
            values = values.reshape(place.sizes) if isinstance(place, Strided) else values.reshape(-1)
            writes.append((values if values.size != 1 else values.reshape(()), placed(place), operator))
    needed = needed or not written.all() or not written.size
    return Filled(writes, start if needed else None, length, J.dtype, **result)


def all_places(place: Any) -> Any:
    """Places as positions."""
    if isinstance(place, np.ndarray):
        return place
    return positions((place.offset, tuple(enumerate(place.strides))), place.sizes)


def values_of(term: Term, dtype: Any, order: tuple[int, ...] | None = None) -> Any:
    """The entries of a term in some order of its indices: an array or a node."""
    if not term.factors:
        return np.full(prod(term.wiring.sizes), term.coefficient, dtype)
    if order is None:
        values = spread(term, all_indices(term.wiring))
    else:  # a product lies in memory as its factors do
        pairs = [lying_in(*pair, order) for pair in zip(term.factors, term.wiring.factors, strict=True)]
        parts = [aligned(*pair, order) for pair in pairs]
        values = np.broadcast_to(reduce(mul, parts), tuple(term.wiring.sizes[k] for k in order))
        values = values if term.coefficient == 1 else values * term.coefficient
    values = values if values.dtype == dtype else values.astype(dtype)
    return values if is_node(values) else values.reshape(-1)


def lying_in(factor: Any, axes: tuple[int, ...], order: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """A factor whose axes lie in memory in the order of their indices."""
    inner = tuple(k for k in order if k in axes)
    return (factor, axes) if inner == axes else (factor.transpose(tuple(axes.index(k) for k in inner)).copy(), inner)


def placed(places: Any) -> Any:
    """Positions in the shortest form: a single number, a slice or an array."""
    if isinstance(places, Strided):
        return places
    return int(places[0]) if places.size == 1 else compact(places)
