"""Patterns of order: the right entries of a derivative at the wrong places (vec, Kronecker products, shifts, swaps)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from math import isqrt, prod

import numpy as np

from jacobi.verification.diagnosis.numbers.comparison import (
    Comparison,
    Factor,
    Indices,
    axes,
    listed,
    pattern,
    repaired_by,
)
from jacobi.verification.evidence import Array
from jacobi.verification.slips import Candidate

MOST_AXES = 5  # so many axes have 120 orders
MOST_SHIFTS = 50  # so many shifts are tried per axis


@pattern("vec_order", any_shape=True)
def vec_order(seen: Comparison) -> Iterator[Candidate]:
    """The axes of the output or of the argument flattened in another order."""
    if seen.right.size < 2 or len(seen.out_shape) + len(seen.in_shape) > MOST_AXES:
        return
    for base, other in _matrices(seen):
        for rows, row_words, row_code in _orders(seen.out_shape, "rows"):
            for columns, column_words, column_code in _orders(seen.in_shape, "columns"):
                changed = [words for words in (row_words, column_words) if words]
                if changed:
                    textbook = all("column-major" in words for words in changed)
                    words = f"The {' and the '.join(changed)}{other}"
                    matrix = "J.T" if other else seen.matrix_code
                    code = f"{matrix}{row_code and f'[{row_code}]'}{column_code and f'[:, {column_code}]'}"
                    for factor in _permuted(seen, base, rows, columns):
                        yield repaired_by(factor, "vec_order", words, code, 0.85 if textbook else 0.8)
    yield from _tensor_axes(seen)


def _matrices(seen: Comparison) -> Iterator[tuple[Array, str]]:
    """The claim as a matrix, and as the transposed matrix."""
    if seen.evidence.claimed is not None:
        yield seen.claimed, ""
    if seen.m == seen.n and seen.evidence.claimed is not None:
        yield seen.claimed.T, ", and the matrix is transposed"
    elif seen.given.shape == (seen.n, seen.m):
        yield seen.given.T, ", and the matrix is transposed"


def _orders(shape: tuple[int, ...], name: str) -> Iterator[tuple[Indices, str, str]]:
    """The ways to flatten an array: where in the claim each entry stands, words, code; the right way first."""
    size, rank = prod(shape), len(shape)
    seen: list[Indices] = []
    usual = [tuple(range(rank)), order_f(rank)]
    for order in [*usual, *(order for order in permutations(range(rank)) if order not in usual)]:
        sizes = tuple(shape[k] for k in order)
        back = tuple(int(k) for k in np.argsort(order))
        index = np.arange(size).reshape(sizes).transpose(back).ravel()
        if not any(np.array_equal(index, other) for other in seen):
            identity = not seen
            seen.append(index)
            textbook = order == order_f(rank)
            words = f"{name} are in {'column-major order' if textbook else f'the order of the axes {order}'}"
            turned = ".T" if textbook else f".transpose{back}"
            code = f"np.arange({size}).reshape{sizes}{turned}.ravel()"
            yield index, "" if identity else words, "" if identity else code


def order_f(rank: int) -> tuple[int, ...]:
    """The axes in column-major order."""
    return tuple(reversed(range(rank)))


def _permuted(seen: Comparison, base: Array, rows: Indices, columns: Indices) -> list[Factor]:
    """The factors that are left when rows and columns stand where they belong; only factors with a name count."""
    i, j = seen.sample
    if not seen.plausible(base[rows[i], columns[j]]):
        return []
    factors = seen.factors(base[np.ix_(rows, columns)])
    return [factor for factor in factors if not factor.identifier.startswith("scaled")]


def _tensor_axes(seen: Comparison) -> Iterator[Candidate]:
    """A claim with the axes of output and argument, but in another order."""
    given, wanted = seen.given, (*seen.out_shape, *seen.in_shape)
    rank = len(wanted)
    if given.ndim != rank or sorted(given.shape) != sorted(wanted) or given.shape == (seen.n, seen.m):
        return
    i, j = seen.sample
    where = (*axes(i, seen.out_shape), *axes(j, seen.in_shape))
    swap = (*range(len(seen.in_shape), rank), *range(len(seen.in_shape)))
    for order in permutations(range(rank)):
        turned = given.transpose(order)
        if order in (tuple(range(rank)), swap) or turned.shape != wanted or not seen.plausible(turned[where]):
            continue
        for factor in seen.factors(turned.reshape(seen.m, seen.n)):
            words = f"The axes of the claim are in another order than those of the output, then the argument, {wanted}"
            yield repaired_by(factor, "vec_order", words, f"np.transpose(J, {order})", 0.85)


@pattern("kron_order", any_shape=True)
def kron_order(seen: Comparison) -> Iterator[Candidate]:
    """B kron A where A kron B is right."""
    if seen.right.size < 2:
        return
    weight = 0.88 if min(seen.m, seen.n) > 1 else 0.8
    i, j = seen.sample
    sizes = [(p, q) for p in _divisors(seen.m) for q in _divisors(seen.n)]
    for base, other in _matrices(seen):
        for p, q in sizes:
            r, s = seen.m // p, seen.n // q
            moves = min(p, r) > 1 or min(q, s) > 1
            if not moves or not seen.plausible(base[i % r * p + i // r, j % s * q + j // s]):
                continue
            rows, columns = np.arange(seen.m).reshape(r, p).T.ravel(), np.arange(seen.n).reshape(s, q).T.ravel()
            for factor in _permuted(seen, base, rows, columns):
                if _is_kron(base[np.ix_(rows, columns)], seen.tolerance / abs(factor.value), p, q):
                    words = f"The claim is kron(B, A), and kron(A, B) is right, with A {(p, q)} and B {(r, s)}{other}"
                    yield repaired_by(factor, "kron_order", words, "np.kron(A, B)", weight)
                    return


def _divisors(size: int) -> list[int]:
    small = [a for a in range(1, isqrt(size) + 1) if size % a == 0]
    return sorted({*small, *(size // a for a in small)})


def _is_kron(matrix: Array, tolerance: Array, p: int, q: int) -> bool:
    """Whether a matrix is a Kronecker product with a first factor of shape (p, q)."""
    m, n = matrix.shape

    def rearranged(array: Array) -> Array:
        return array.reshape(p, m // p, q, n // q).transpose(0, 2, 1, 3).reshape(p * q, -1)

    return outer_factors(rearranged(matrix), rearranged(tolerance)) is not None


def outer_factors(matrix: Array, tolerance: Array) -> tuple[Array, Array] | None:
    """The column u and the row v with ``matrix = u v^T`` within what the tolerance of the entries allows, or None."""
    if not np.isfinite(matrix).all() or not matrix.any():
        return None
    p, q = np.unravel_index(np.argmax(np.abs(matrix)), matrix.shape)
    u, v = matrix[:, q], matrix[p] / matrix[p, q]
    weight = np.abs(u / matrix[p, q])[:, None]
    allowed = tolerance + np.abs(v) * tolerance[:, [q]] + weight * (tolerance[p] + np.abs(v) * tolerance[p, q])
    product = np.outer(u, v)
    return (u, v) if np.all(np.abs(matrix - product) <= allowed + 1e-9 * np.abs(product)) else None


@pattern("missing_transpose", "extra_transpose", any_shape=True)
def partial_transposes(seen: Comparison) -> Iterator[Candidate]:
    """One factor of a product of matrices transposed: an axis of the output and one of the argument exchanged."""
    tensor, outputs = (*seen.out_shape, *seen.in_shape), len(seen.out_shape)
    claim = seen.given if seen.evidence.claimed is None else seen.claimed
    if not 2 < len(tensor) <= MOST_AXES or seen.evidence.layout == "denominator":
        return
    for a, b in product(range(outputs), range(outputs, len(tensor))):
        axes_now = list(tensor)
        axes_now[a], axes_now[b] = tensor[b], tensor[a]
        shape = (prod(axes_now[:outputs]), prod(axes_now[outputs:]))
        if max(tensor[a], tensor[b]) < 2 or claim.shape not in (shape, tuple(axes_now)):
            continue
        if seen.proves(claim.reshape(axes_now).swapaxes(a, b).reshape(seen.right.shape)):
            words = f"axis {a} of the output and axis {b - outputs} of the argument are exchanged"
            repair = f"np.reshape(J, {tuple(axes_now)}).swapaxes({a}, {b}).reshape({seen.m}, {seen.n})"
            # In C order A @ X @ B has the derivative kron(A, B.T): the last factor is transposed, the first is not.
            for verb, weight in (("extra", 0.8 - 0.05 * (a > 0)), ("missing", 0.75 + 0.05 * (a > 0))):
                what = f"a transpose is {verb} in one factor" if verb == "missing" else "one factor is transposed"
                yield Candidate(f"{verb}_transpose", f"In the claim {what}: {words}.", repair, weight)


@pattern("rolled")
def rolled(seen: Comparison) -> Iterator[Candidate]:
    """A cyclic shift along an axis, or of the flattened matrix."""
    tensor = (*seen.out_shape, *seen.in_shape)
    outputs = len(seen.out_shape)
    matrix: tuple[int, ...] = (seen.m, seen.n)
    views = [(matrix, 0, "the rows (outputs)", "axis=0"), (matrix, 1, "the columns (inputs)", "axis=1")]
    for axis in range(len(tensor)):
        if (outputs if axis < outputs else len(seen.in_shape)) > 1:
            owner = f"axis {axis} of the output" if axis < outputs else f"axis {axis - outputs} of the argument"
            views.append((tensor, axis, owner, ""))
    if min(seen.m, seen.n) > 1:
        views.append(((seen.m * seen.n,), 0, "the flattened matrix", "flat"))
    for shape, axis, words, how in views:
        shift = _shift(seen, shape, axis)
        if shift:
            code = f"np.roll(np.reshape(J, {shape}), {-shift}, axis={axis}).reshape({seen.m}, {seen.n})"
            if how:
                code = f"np.roll({seen.matrix_code}, {-shift}{'' if how == 'flat' else f', {how}'})"
            places = f"{abs(shift)} place{'s' if abs(shift) > 1 else ''} {'forwards' if shift > 0 else 'backwards'}"
            sentence = f"The entries are right, but shifted cyclically by {places} along {words}."
            yield Candidate("rolled", sentence, code, 0.75 if shape[axis] == 2 else 0.85)


def _shift(seen: Comparison, shape: tuple[int, ...], axis: int) -> int:
    """By how much the claim is shifted along an axis; 0 if it is not."""
    length = shape[axis]
    if length < 2 or not seen.support.any():
        return 0
    i, j = seen.sample
    where = [np.asarray(k) for k in np.unravel_index(i * seen.n + j, shape)]
    tensor = seen.claimed.reshape(shape)
    start = int(where[axis][0])
    line = tensor[tuple(slice(None) if k == axis else int(where[k][0]) for k in range(len(shape)))]
    same = np.abs(line - seen.right[seen.pivot]) <= seen.tolerance[seen.pivot] + 1e-9 * np.abs(line)
    shifts = (np.flatnonzero(same) - start) % length
    for shift in sorted(shifts[shifts > 0], key=lambda k: min(k, length - k))[:MOST_SHIFTS]:
        moved = tuple((k + shift) % length if a == axis else k for a, k in enumerate(where))
        likely = np.all(np.abs(tensor[moved] - seen.right[i, j]) <= seen.tolerance[i, j])
        if likely and seen.proves(np.roll(tensor, -shift, axis).reshape(seen.m, seen.n)):
            return int(shift) if 2 * shift <= length else int(shift) - length
    return 0


@pattern("swapped_rows", "swapped_columns")
def swapped(seen: Comparison) -> Iterator[Candidate]:
    """Whole rows, or whole columns, at each other's place."""
    for identifier, name, axis in (("swapped_rows", "rows (outputs)", 0), ("swapped_columns", "columns (inputs)", 1)):
        wrong = seen.wrong if axis == 0 else seen.wrong.T
        lines = np.flatnonzero(wrong.any(axis=1))
        if lines.size < 2 or (seen.m, seen.n)[1 - axis] == 0:
            continue
        source = _matching(seen, lines, axis)
        place = np.arange(len(wrong))
        place[lines] = source
        if seen.proves(np.take(seen.claimed, place, axis=axis)):
            matrix = seen.matrix_code
            code = f"{matrix}[{place.tolist()}]" if axis == 0 else f"{matrix}[:, {place.tolist()}]"
            if lines.size == 2:
                sentence = f"The {name} {lines[0]} and {lines[1]} are swapped."
            else:
                moves = listed([f"{i} stands at {k}" for i, k in zip(lines.tolist(), source.tolist(), strict=True)])
                sentence = f"The {name} are right, but permuted: {moves}."
            yield Candidate(identifier, sentence, code, 0.85 if lines.size == 2 else 0.6)


def _matching(seen: Comparison, lines: Indices, axis: int) -> Indices:
    """For each of the right lines, which of the claimed ones could be it: both sorted by a random projection."""
    right, claimed = (np.take(a, lines, axis=axis) for a in (seen.right, seen.claimed))
    right, claimed = (right, claimed) if axis == 0 else (right.T, claimed.T)
    known = ~np.isnan(right).any(axis=0)
    direction = np.random.default_rng(0).standard_normal(int(known.sum()))
    by_right, by_claim = np.argsort(right[:, known] @ direction), np.argsort(claimed[:, known] @ direction)
    source = np.empty_like(lines)
    source[by_right] = lines[by_claim]
    return source
