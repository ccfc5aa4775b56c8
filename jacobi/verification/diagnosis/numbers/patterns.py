"""Patterns: which slip a wrong claim looks like, from the numbers alone; layout, factors and wrong places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jacobi.verification.diagnosis.numbers import formula_patterns, order_patterns
from jacobi.verification.diagnosis.numbers.comparison import (
    PATTERNS,
    Comparison,
    axes,
    counted,
    listed,
    pattern,
    repaired_by,
)
from jacobi.verification.evidence import Array, Evidence, Mask
from jacobi.verification.slips import Candidate

NOISE = 3e-5  # relative size up to which a difference all over may be noise
FEW = 4  # at most every fourth entry may be wrong to be called single
TWO_AND_N = ("factor_two_missing", "factor_two_extra", "one_over_n_missing", "one_over_n_extra")
MODULES = (order_patterns, formula_patterns)  # importing them declares their patterns


def patterns(evidence: Evidence) -> list[Candidate]:
    """The slips that turn the right numbers into the claimed ones, the simplest first.

    Every candidate is proved: the slip, or its repair, reproduces all established numbers within their tolerance.
    A slip that speaks of a part of the matrix counts half where one of the whole matrix fits as well.

    Parameters
    ----------
    evidence : Evidence
        The right matrix and the claim.

    Returns
    -------
    list of Candidate
        At most one of each identifier, the largest weight first; empty if nothing fits, or nothing is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> evidence = Evidence(A, A.T, A.T, 1e-9 * A, A > 0, (2,), (2,), "numerator", lambda x: A @ x, (np.ones(2),), 0)
    >>> best = patterns(evidence)[0]
    >>> best.identifier, best.repair
    ('transposed', 'J.T')
    """
    with np.errstate(all="ignore"):
        seen = Comparison(evidence)
        misshapen = evidence.claimed is None
        if not seen.known.any() or not (misshapen or seen.wrong.any()):
            return []
        usable = [rule for rule in PATTERNS if rule.any_shape or not misshapen]
        found = [candidate for rule in usable if not rule.part for candidate in rule.find(seen)]
        share = 0.5 if found else 1.0
        for rule in usable:
            if rule.part:
                found += [candidate._replace(weight=share * candidate.weight) for candidate in rule.find(seen)]
    found.sort(key=lambda candidate: -candidate.weight)
    first = {candidate.identifier: candidate for candidate in reversed(found)}
    return [candidate for candidate in found if first[candidate.identifier] is candidate]


@pattern("zero")
def zero(seen: Comparison) -> Iterator[Candidate]:
    """Nothing but zeros."""
    if not seen.claimed_support.any() and not seen.claimed.any():
        yield Candidate("zero", "The claim is identically zero, and the derivative is not.", "", 0.95)


@pattern("sign_flip", *TWO_AND_N, "scaled", "scaled_slightly")
def constant_factor(seen: Comparison) -> Iterator[Candidate]:
    """One factor for all entries."""
    for factor in seen.factors(seen.claimed):
        if factor.identifier:
            words = factor.words[0].upper() + factor.words[1:]
            yield Candidate(factor.identifier, f"{words}.", factor.code.format("J"), factor.weight)


@pattern("transposed", "column_for_row", "flattened", any_shape=True)
def layouts(seen: Comparison) -> Iterator[Candidate]:
    """All numbers of the claim, read in another layout."""
    for identifier, matrix, words, code in readings(seen):
        for factor in seen.factors(matrix):
            weight = 0.95 if factor.identifier in ("", "sign_flip") else 0.9
            yield repaired_by(factor, identifier, words, code, weight)


def readings(seen: Comparison) -> Iterator[tuple[str, Array, str, str]]:
    """The other layouts of the claim: identifier, matrix of shape (m, n), words, repair."""
    given, m, n = seen.given, seen.m, seen.n
    shape, tensor, swapped = given.shape, (*seen.out_shape, *seen.in_shape), (*seen.in_shape, *seen.out_shape)
    misshapen = seen.evidence.claimed is None
    if given.size != m * n:
        return
    order = (*range(len(seen.in_shape), given.ndim), *range(len(seen.in_shape)))
    turned = f"np.transpose(J, {order})"
    if not misshapen and m == n > 1:
        code = "J.T" if given.ndim == 2 else turned
        yield "transposed", seen.claimed.T, "The claim is transposed: it is the other layout", code
    elif misshapen and m == 1 and shape == (n, 1):
        words = f"The claim is a column of shape ({n}, 1), where numerator layout wants a row of shape (1, {n})"
        yield "column_for_row", given.T, words, "J.T"
    elif misshapen and shape in ((n, m), (m, n)):
        words = f"The claim is transposed: it has the shape {shape} of the other layout, not {shape[::-1]}"
        yield "transposed", given if shape == (m, n) else given.T, words, "J.T"
    elif misshapen and shape == swapped:
        words = f"The claim is transposed: it has the axes of the argument first; the shape {tensor} is wanted"
        yield "transposed", given.reshape(n, m).T, words, turned
    if m == 1 and len(seen.in_shape) > 1 and shape == seen.in_shape[::-1]:
        yield "transposed", given.T.reshape(1, n), "The gradient is given transposed", "J.T"
    if misshapen and shape not in ((m, n), (n, m), swapped):
        wanted = seen.in_shape if seen.evidence.layout == "gradient" else (m, n)
        words = f"The numbers are right, but they have the shape {shape} instead of {wanted}"
        yield "flattened", given.reshape(m, n), words, f"np.reshape(J, {wanted})"
    if misshapen and given.ndim == 1:
        words = f"The numbers are right, but they are flattened, column by column, to the shape {shape}"
        yield "flattened", given.reshape(m, n, order="F"), words, f"np.reshape(J, {(m, n)}, order='F')"


@pattern("diagonal_as_vector", any_shape=True)
def diagonal_as_vector(seen: Comparison) -> Iterator[Candidate]:
    """The diagonal of a diagonal matrix, as a vector or broadcast over all rows or columns."""
    n = seen.n
    if seen.m != n or n < 2:
        return
    vector = max(seen.given.shape, default=1) == n or seen.given.shape in (seen.in_shape, seen.out_shape)
    if seen.given.size == n and vector:
        for factor in seen.factors(np.diag(seen.given.ravel())):
            words = "Only the diagonal is given, as a vector: the Jacobian of an elementwise function is diagonal"
            yield repaired_by(factor, "diagonal_as_vector", words, "np.diag(np.ravel(J))", 0.95)
    elif seen.evidence.claimed is not None:
        diagonal = np.diag(seen.claimed)
        if seen.agrees(np.broadcast_to(diagonal, (n, n))) or seen.agrees(np.broadcast_to(diagonal[:, None], (n, n))):
            for factor in seen.factors(np.diag(diagonal)):
                words = "The diagonal is repeated all over the matrix; off the diagonal belong zeros"
                yield repaired_by(factor, "diagonal_as_vector", words, f"np.diag(np.diag({seen.matrix_code}))", 0.9)


@pattern("off_diagonal_dropped", any_shape=True)
def off_diagonal_dropped(seen: Comparison) -> Iterator[Candidate]:
    """The right diagonal, and nothing else."""
    n = seen.n
    if seen.m != n or n < 2 or not seen.support[~np.eye(n, dtype=bool)].any() or not np.diag(seen.support).any():
        return
    missing = int(np.count_nonzero(seen.support) - np.count_nonzero(np.diag(seen.support)))
    words = f"The diagonal is right, but all off it is missing, {counted(missing, 'entry')} that should not be zero"
    if seen.evidence.claimed is not None and seen.agrees(np.diag(np.diag(seen.right))):
        yield Candidate("off_diagonal_dropped", f"{words}.", "", 0.9)
    elif seen.given.shape in ((n,), (n, 1), (1, n), seen.in_shape) and _close(
        seen, seen.given.ravel(), np.diag(seen.right), np.diag(seen.tolerance)
    ):
        yield Candidate("off_diagonal_dropped", f"{words}, and the diagonal is given as a vector.", "", 0.8)


@pattern("summed_over_outputs", any_shape=True)
def summed_over_outputs(seen: Comparison) -> Iterator[Candidate]:
    """The gradient of sum(f)."""
    if seen.m < 2 or seen.given.size != seen.n or not seen.support.any():
        return
    total, tolerance = seen.right.sum(axis=0), seen.tolerance.sum(axis=0)
    for value, words in ((1.0, "the sum"), (seen.m, "the mean"), (-1.0, "minus the sum")):
        if _close(seen, value * seen.given.ravel(), total, tolerance):
            sentence = f"The claim is {words} of the {seen.m} rows of the Jacobian, one row instead of {seen.m}."
            repair = "one row for every output: do not sum over the outputs"
            yield Candidate("summed_over_outputs", sentence, repair, 0.93 if value == 1.0 else 0.85)


def _close(seen: Comparison, given: Array, right: Array, tolerance: Array) -> bool:
    """Whether two vectors agree where the right one is known, which is somewhere."""
    known = ~np.isnan(right)
    near = np.abs(given - right) <= tolerance + 1e-9 * np.abs(right)
    return bool(known.any() and np.all(near | ~known))


@pattern("noise", part=True)
def noise(seen: Comparison) -> Iterator[Candidate]:
    """A tiny difference nearly everywhere that is no common factor."""
    size = np.abs(np.where(seen.known, seen.right, 0.0))
    natural = np.maximum(size.max(axis=1, keepdims=True), size.max(axis=0, keepdims=True))
    difference = np.where(seen.known, np.abs(seen.claimed - seen.right), 0.0)
    common = seen.certainty == 1.0 and seen.factors(seen.claimed)
    all_over = 2 * np.count_nonzero(seen.wrong & seen.support) >= np.count_nonzero(seen.support) > 0
    if all_over and not common and np.all(difference <= NOISE * natural):
        relative = float(np.max(difference / natural, initial=0.0, where=natural > 0.0))
        origin = "float32 arithmetic" if relative < 1e-6 else "finite differences"
        sentence = f"No formula error: the claim is right up to {relative:.1g} of its size, as {origin} would give."
        yield Candidate("noise", sentence, "", 0.7 * seen.certainty)


@pattern("wrong_entry", "wrong_row", "wrong_rows", "wrong_column", "wrong_columns", part=True)
def places(seen: Comparison) -> Iterator[Candidate]:
    """A few wrong entries, rows or columns, and everything else right."""
    count, known = int(np.count_nonzero(seen.wrong)), int(np.count_nonzero(seen.known))
    if count == known or (count > 1 and not (seen.claimed_support & ~seen.wrong).any()):
        return
    lines = list(_lines(seen, "row", seen.wrong, count)) + list(_lines(seen, "column", seen.wrong.T, count))
    yield from lines
    if not lines and (count == 1 or FEW * count <= known):
        found = [f"{_entry(seen, int(i), int(j))}" for i, j in np.argwhere(seen.wrong)[:5]]
        few = "A single entry is wrong" if count == 1 else f"{count} entries are wrong"
        more = f", and {count - 5} more" if count > 5 else ""
        how = _how(*(array[seen.wrong] for array in (seen.right, seen.claimed, seen.tolerance)))
        common = f" (in common{how})" if how and count > 1 else ""
        sentence = f"{few}{common}, the other {known - count} are right: {'; '.join(found)}{more}."
        yield Candidate("wrong_entry", sentence, "", 0.6 if count == 1 else 0.5)


def _lines(seen: Comparison, name: str, wrong: Mask, count: int) -> Iterator[Candidate]:
    """The wrong rows, or columns, if they are few and wrong nearly everywhere."""
    row = name == "row"
    lines = np.flatnonzero(wrong.any(axis=1))
    filled = (seen.support | seen.claimed_support) if row else (seen.support | seen.claimed_support).T
    if 2 * lines.size > len(wrong) or count <= lines.size or count < 0.6 * np.count_nonzero(filled[lines]):
        return
    kind, shape = ("output", seen.out_shape) if row else ("input", seen.in_shape)
    places = [str([int(k) for k in axes(int(line), shape)]) for line in lines]
    single = lines.size == 1
    numbers, indices = listed([str(line) for line in lines]), listed(places)
    which = f"{name.capitalize()} {numbers} ({kind} {indices})"
    which = which if single else f"The {name}s {numbers} ({kind}s {indices})"
    part = np.ix_(lines, np.arange(seen.n)) if row else np.ix_(np.arange(seen.m), lines)
    how = _how(seen.right[part], seen.claimed[part], seen.tolerance[part])
    sentence = f"{which} {'is' if single else 'are'} wrong{how}; the other {len(wrong) - lines.size} {name}s are right."
    yield Candidate(f"wrong_{name}{'' if single else 's'}", sentence, "", 0.6 if single else 0.5)


def _how(right: Array, claimed: Array, tolerance: Array) -> str:
    """What is the matter with the wrong entries, if it is the same in all."""
    if not claimed.any():
        return ": all zeros are claimed"
    ratio = float(np.nansum(right * claimed) / np.nansum(right * right))
    if np.all((np.abs(claimed - ratio * right) <= abs(ratio) * tolerance + 1e-9 * np.abs(claimed)) | np.isnan(right)):
        return ": the sign is wrong" if np.isclose(ratio, -1.0) else f": {ratio:.7g} times the right values"
    return ""


def _entry(seen: Comparison, i: int, j: int) -> str:
    """An entry with what is claimed and what is right."""
    return f"{seen.place(i, j)} is {seen.right[i, j]:.6g}, not {seen.claimed[i, j]:.6g}"
