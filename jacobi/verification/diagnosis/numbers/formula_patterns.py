"""Patterns of structure: what the numbers tell about a part of the formula (symmetry, masks, bands, terms, factors)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from jacobi.verification.diagnosis.numbers.comparison import Comparison, counted, listed, pattern
from jacobi.verification.diagnosis.numbers.order_patterns import outer_factors
from jacobi.verification.evidence import Array, Mask
from jacobi.verification.slips import Candidate

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "{}": lambda a: a,
    "{} ** 2": lambda a: a**2,
    "1 / {}": lambda a: 1 / a,
    "1 / {} ** 2": lambda a: 1 / a**2,
    "exp({})": np.exp,
    "cos({})": np.cos,
    "sin({})": np.sin,
    "1 - tanh({}) ** 2": lambda a: 1 - np.tanh(a) ** 2,
    "({} > 0)": lambda a: (a > 0).astype(float),
}
RECOGNISED = 1e-6  # relative agreement at which a vector is called by a name


class Square(NamedTuple):
    """The matrix as a stack of square matrices (count, k, k): the gradients by a square argument, or itself."""

    right: Array
    tolerance: Array
    shape: tuple[int, ...]
    name: str

    def back(self, stack: Array) -> Array:
        """A stack of squares as a matrix of shape (m, n)."""
        return stack.reshape(self.shape)


def _squares(seen: Comparison) -> Iterator[Square]:
    """The square matrices in the derivative."""
    shape = seen.in_shape
    views = []
    if len(shape) >= 2 and shape[-1] == shape[-2] > 1:
        views.append(((-1, shape[-1], shape[-1]), "G, the gradient by the square argument"))
    if seen.m == seen.n > 1:
        views.append(((1, seen.m, seen.n), "G, the matrix"))
    for view, name in views:
        yield Square(seen.right.reshape(view), seen.tolerance.reshape(view), seen.right.shape, name)


def _turned(stack: Array) -> Array:
    return stack.swapaxes(-1, -2)


@pattern("symmetric_convention", "symmetrised")
def symmetric(seen: Comparison) -> Iterator[Candidate]:
    """The derivative added to its transpose, by the convention of tied entries or halved."""
    for square in _squares(seen):
        G, T = square.right, square.tolerance
        diagonal = G * np.eye(G.shape[-1])
        both = square.back(T + _turned(T))
        if seen.agrees(square.back(G + _turned(G) - diagonal), both):
            sentence = f"The claim is G + G.T - diag(G), with {square.name}: X[i, j] and X[j, i] were taken as one."
            yield Candidate("symmetric_convention", sentence, "G, with all entries independent", 0.8)
        for factor, words in ((0.5, "(G + G.T) / 2"), (1.0, "G + G.T")):
            if seen.agrees(square.back(factor * (G + _turned(G))), both):
                sentence = f"The claim is {words}, with {square.name}: it was made symmetric."
                yield Candidate("symmetrised", sentence, "G, which is not symmetric", 0.8)


@pattern("triangle_only")
def triangle_only(seen: Comparison) -> Iterator[Candidate]:
    """One triangle of a square matrix, the other is zero."""
    for square in _squares(seen):
        support = seen.support.reshape(square.right.shape)
        # A symmetric matrix can be completed from its triangle.
        whole = "G + G.T - np.diag(np.diag(G))" if np.allclose(square.right, _turned(square.right), rtol=1e-6) else ""
        for triangle, other, name, side in ((np.tril, np.triu, "lower", -1), (np.triu, np.tril, "upper", 1)):
            if not triangle(support, side).any() or not other(support, -side).any():
                continue
            for k, diagonal, repair in ((0, "", whole), (side, " without the diagonal", "")):
                if seen.agrees(square.back(triangle(square.right, k))):
                    sentence = f"Only the {name} triangle{diagonal} of {square.name}, is filled in; there it is right."
                    yield Candidate("triangle_only", sentence, repair, 0.85)


@pattern("missing_entries")
def missing_entries(seen: Comparison) -> Iterator[Candidate]:
    """Zeros in place of some entries, the others right."""
    missing = seen.support & ~seen.claimed_support
    count, kept = int(np.count_nonzero(missing)), int(np.count_nonzero(seen.claimed_support))
    if not count or not kept or (seen.wrong & ~missing).any():
        return
    words = _offsets(missing, seen.claimed_support) or _blocks(seen, missing)
    if words or count > 1:
        number = f"{counted(count, 'entry')} of {count + kept} {'is' if count == 1 else 'are'} missing"
        sentence = f"What is not zero in the claim is right, but {number}{words and ': '}{words}."
        yield Candidate("missing_entries", sentence, "", 0.8 if words else 0.55)


def _offsets(missing: Mask, kept: Mask) -> str:
    """The diagonal bands that are missing, if whole bands are."""
    lost, there = _bands(missing), _bands(kept)
    if not there or there & lost or 2 * len(lost | there) > missing.shape[0] + missing.shape[1] - 1:
        return ""
    return f"the band{'s' if len(lost) > 1 else ''} at offset {listed([str(k) for k in sorted(lost)])}"


def _bands(mask: Mask) -> set[int]:
    """The offsets ``j - i`` of the entries in a mask."""
    i, j = np.nonzero(mask)
    first = len(mask) - 1
    return {int(k) - first for k in np.flatnonzero(np.bincount(j - i + first))}


def _blocks(seen: Comparison, missing: Mask) -> str:
    """The axes of output and argument that are wrongly tied, if only entries with equal indices are kept."""
    tensor = (*seen.out_shape, *seen.in_shape)
    lost, kept = missing.reshape(tensor).nonzero(), seen.claimed_support.reshape(tensor).nonzero()
    outputs = len(seen.out_shape)
    for a in range(outputs):
        for b in range(outputs, len(tensor)):
            if tensor[a] == tensor[b] > 1 and np.all(lost[a] != lost[b]) and np.all(kept[a] == kept[b]):
                return f"all with different indices in axis {a} of the output and axis {b - outputs} of the argument"
    return ""


@pattern("mask_missing", "mask_inverted")
def masks(seen: Comparison) -> Iterator[Candidate]:
    """Rows or columns that should be zero and are not, or that are zero where the others should be."""
    for axis, name in ((1, "rows (outputs)"), (0, "columns (inputs)")):
        known = seen.known.any(axis=axis)
        active, claimed = seen.support.any(axis=axis), seen.claimed_support.any(axis=axis)
        off = known & ~active
        if not off.any() or not active.any():
            continue
        beyond = seen.wrong & np.expand_dims(active, axis)
        extra = np.flatnonzero(off & claimed)
        where = listed([str(k) for k in extra])
        if extra.size and not beyond.any():
            sentence = f"The claim is right, but the {name} {where} should be zero: a mask is missing."
            # One such line alone may be wrong for any reason.
            weight = 0.8 if extra.size > 1 else 0.25
            yield Candidate("mask_missing", sentence, "multiply by the mask, such as (z > 0)", weight)
        elif not (active & claimed).any() and np.array_equal(active | claimed, known):
            sentence = f"The claim is zero just where it should not be: of the {name}, only {where} should be zero."
            weight = 0.8 if known.sum() > 2 else 0.5
            yield Candidate("mask_inverted", sentence, "the opposite comparison in the mask", weight)


@pattern("band_shifted")
def band_shifted(seen: Comparison) -> Iterator[Candidate]:
    """One band, or all bands, at another offset."""
    right, claimed = _bands(seen.support), _bands(seen.claimed_support)
    lost, new = right - claimed, claimed - right
    if not lost or not new:
        return
    shift = min(claimed) - min(right)
    if len(lost) == len(new) == 1:
        (a,), (b,) = lost, new
        i, j = np.nonzero(seen.wrong)
        old, moved = np.diagonal(seen.right, a), np.diagonal(seen.claimed, b)
        tolerance = np.diagonal(seen.tolerance, a)
        # Aligned by their starts, and by rows or columns: these differ where a band starts at a border.
        starts = ((0, 0), (max(0, -b) - max(0, -a), 0), (max(0, b) - max(0, a), 0))
        if set((j - i).tolist()) <= {a, b} and any(_same_band(old, moved, tolerance, start) for start, _ in starts):
            sentence = f"The band at offset {a} (input - output) stands at offset {b}; everything else is right."
            yield Candidate("band_shifted", sentence, f"np.diag(band, {a})", 0.75)
    elif {k + shift for k in right} >= claimed and 2 * len(right | claimed) < seen.m + seen.n:
        for axis, places in ((1, shift), (0, -shift)):
            if seen.agrees(_moved(seen.right, places, axis), _moved(seen.tolerance, places, axis)):
                stands = listed([str(k) for k in sorted(claimed)])
                sentence = f"All bands are shifted by {shift}: they stand at the offsets {stands}."
                yield Candidate("band_shifted", sentence, "", 0.75)
                return


def _same_band(right: Array, claimed: Array, tolerance: Array, start: int) -> bool:
    """Whether two bands agree where they overlap, the claimed one beginning ``start`` entries later."""
    right, tolerance = right[max(0, start) :], tolerance[max(0, start) :]
    claimed = claimed[max(0, -start) :]
    length = min(right.size, claimed.size)
    near = np.abs(right[:length] - claimed[:length]) <= tolerance[:length] + 1e-9 * np.abs(right[:length])
    return length > 1 and bool(np.all(near | np.isnan(right[:length])))


def _moved(matrix: Array, places: int, axis: int) -> Array:
    """The matrix shifted along an axis, with zeros moving in."""
    moved = np.roll(matrix, places, axis)
    moved = moved if axis == 0 else moved.T
    moved[slice(None, places) if places > 0 else slice(places, None)] = 0.0
    return moved if axis == 0 else moved.T


@pattern("row_factor", "column_factor", "factor_dropped", part=True)
def line_factors(seen: Comparison) -> Iterator[Candidate]:
    """A factor for each row, or for each column."""
    for axis, identifier, name in ((0, "row_factor", "row"), (1, "column_factor", "column")):
        right, claimed, tolerance = (a if axis == 0 else a.T for a in (seen.right, seen.claimed, seen.tolerance))
        support: Mask = seen.support if axis == 0 else seen.support.T
        if right.size == 0:
            continue
        score = np.where(support, np.abs(right) / (tolerance + np.finfo(float).tiny), 0.0)
        lines, best = np.arange(len(right)), np.argmax(score, axis=1)
        factor = np.where(support.any(axis=1), right[lines, best] / claimed[lines, best], 1.0)
        scaled = factor[:, None] * claimed
        if not np.isfinite(factor).all() or not seen.proves(scaled if axis == 0 else scaled.T, 2.0):
            continue
        changed = np.abs(factor - 1.0) > 1e-9
        # A factor is proved by the second entry of its line, or by its name.
        confirmed = np.count_nonzero(changed & (np.count_nonzero(support, axis=1) > 1))
        noise = np.abs(factor - 1.0).max() < 1e-3  # and no factor at all
        missing = _name(seen, factor) if len(factor) > 2 and not noise else ""
        if np.ptp(factor) <= 1e-6 * np.abs(factor).max() or (confirmed < 2 and not missing):
            continue
        factors = listed([f"{value:.6g}" for value in 1.0 / factor], 6)
        meaning = f": the factors {missing} are missing" if missing else f" (claimed / right: {factors})"
        sentence = f"Every {name} is right up to a factor of its own{meaning}."
        index = "[:, None]" if axis == 0 else ""
        code = f"d{index} * {seen.matrix_code}, with d = {missing or np.array2string(factor, precision=8, threshold=8)}"
        yield Candidate(identifier, sentence, code, 0.7 if missing else 0.45)
        if missing:
            yield Candidate("factor_dropped", sentence, code, 0.75)


def _name(seen: Comparison, vector: Array, proportional: bool = False) -> str:
    """The function of an argument that a vector is equal or proportional to; empty if none is known."""
    largest = np.abs(vector).max()
    named: dict[str, Array] = {}
    if proportional:
        named["constant"] = np.ones_like(vector)
        named |= {"the output": seen.output} if seen.output.size == vector.size else {}
    for key, argument in seen.arguments.items():
        if argument.size == vector.size:
            named |= {name.format(key): function(argument.ravel()) for name, function in FUNCTIONS.items()}
    for name, known in named.items():
        if np.isfinite(known).all() and known.any():
            constant = vector @ known / (known @ known) if proportional else 1.0
            if np.abs(vector - constant * known).max() <= RECOGNISED * largest:
                return name
    return ""


@pattern("rank_one_missing", part=True)
def rank_one_missing(seen: Comparison) -> Iterator[Candidate]:
    """A term u v^T too many or missing."""
    views = [(seen.m, seen.n, "the Jacobian")]
    if seen.m == 1 and len(seen.in_shape) == 2:
        views.append((*seen.in_shape, "the gradient"))
    for rows, columns, name in views:
        shape = (rows, columns)
        difference = (seen.right - seen.claimed).reshape(shape)
        tolerance = seen.tolerance.reshape(shape)
        wrong = seen.wrong.reshape(shape)
        if min(wrong.any(axis=0).sum(), wrong.any(axis=1).sum()) < 2 or seen.factors(seen.claimed):
            continue
        pair = outer_factors(difference, tolerance)
        if pair is None:
            continue
        if outer_factors(seen.right.reshape(shape), tolerance):
            continue  # which is of rank one itself
        u, v = pair
        names = [_name(seen, vector, proportional=True) for vector in (u, v)]
        p, q = np.abs(u).argmax(), np.abs(v).argmax()
        others = np.abs(np.delete(np.delete(difference, p, 0), q, 1))
        # One entry beside the pivot's row and column, well above its tolerance, is what proves the rank.
        if not (others > 10 * np.delete(np.delete(tolerance, p, 0), q, 1)).any():
            continue
        known = [f"{letter} is {_words(word)}" for letter, word in zip("uv", names, strict=True) if word]
        sentence = f"What is missing from {name} has rank one, u v^T{': ' + ' and '.join(known) if known else ''}."
        code = f"{seen.matrix_code if rows == seen.m else f'np.reshape(J, {shape})'} + np.outer(u, v)"
        yield Candidate("rank_one_missing", sentence, code, 0.8 if min(shape) > 2 or known else 0.6)


def _words(name: str) -> str:
    return name if name == "constant" else f"proportional to {name}"


@pattern("symmetric_only")
def symmetric_only(seen: Comparison) -> Iterator[Candidate]:
    """``2 A v`` for ``(A + A.T) v``, as in the derivative of a quadratic form."""
    for name, A in seen.arguments.items():
        if A.ndim != 2 or A.shape[0] != A.shape[1] or len(A) < 2 or np.array_equal(A, A.T):
            continue
        others = {f" @ {key}": a for key, a in seen.arguments.items() if a.shape[:1] == A.shape[:1] and key != name}
        for dot, v in {"": np.eye(len(A)), **others}.items():
            right = A @ v + A.T @ v
            scale = _factor(right, seen.right, seen.tolerance) if right.size == seen.right.size else 0.0
            if scale and any(seen.agrees((2 * scale * B @ v).reshape(seen.right.shape)) for B in (A, A.T)):
                sentence = f"The claim takes {name} for symmetric: 2 {name}{dot} in place of ({name} + {name}.T){dot}."
                yield Candidate("symmetric_only", sentence, f"({name} + {name}.T){dot}", 0.9)


def _factor(form: Array, right: Array, tolerance: Array) -> float:
    """The constant with ``right = constant * form``, both flattened; 0 if there is none."""
    form, right, tolerance = form.ravel(), right.ravel(), tolerance.ravel()
    known = ~np.isnan(right)
    if not form[known].any() or np.count_nonzero(known) < 2:
        return 0.0
    constant = float(form[known] @ right[known] / (form[known] @ form[known]))
    near = np.abs(constant * form - right) <= 2.0 * tolerance + 1e-9 * np.abs(constant * form)
    return constant if np.all(near | ~known) else 0.0
