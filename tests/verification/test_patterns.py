"""Patterns: planted slips are named, and nothing is said that the numbers do not prove."""

import numpy as np
import pytest

from jacobi.verification.diagnosis.numbers.comparison import PATTERNS
from jacobi.verification.diagnosis.numbers.patterns import patterns
from jacobi.verification.evidence import Evidence
from jacobi.verification.slips import SLIPS

SEEDS = range(5)
SCALES = (1e-6, 1.0, 1e6)


def evidence_of(right, given, out_shape, in_shape, args=(), layout="numerator", known=None, claimed="read", f=None):
    """The evidence as a check would collect it: shapes that fit are read, others are left unread."""
    right, given = np.asarray(right, dtype=float), np.asarray(given, dtype=float)
    m, n = right.shape
    if isinstance(claimed, str):
        accepted = {
            "numerator": {(m, n), (*out_shape, *in_shape), *([(n,)] if m == 1 else [])},
            "gradient": {in_shape},
            "denominator": {(n, m), (*in_shape, *out_shape)},
        }[layout]
        claimed = None
        if given.shape in accepted:
            claimed = given.reshape(n, m).T if layout == "denominator" else given.reshape(m, n)
    tolerance = 1e-8 * np.abs(right) + 1e-10 * np.abs(right).max(initial=0.0)
    known = np.ones((m, n), dtype=bool) if known is None else known
    f = f or (lambda *args: np.zeros(out_shape))
    return Evidence(right, given, claimed, tolerance, known, out_shape, in_shape, layout, f, tuple(args), 0)


def identifiers(evidence):
    return [candidate.identifier for candidate in patterns(evidence)]


def entries(random, shape):
    """Numbers of both signs, none of them small."""
    return random.choice([-1.0, 1.0], shape) * random.uniform(0.5, 2.0, shape)


def matrix(random, m, n):
    return entries(random, (m, n))


def diagonal(random, m, n):
    return np.diag(entries(random, m))


def banded(random, m, n):
    """Four bands, of which the outermost stand alone."""
    return sum(np.diag(entries(random, m - abs(k)), k) for k in (-3, -1, 0, 1))


def wrong_at(*index):
    def plant(right, random):
        given = right.copy()
        given[index] *= entries(random, given[index].shape) * 1.7
        return given

    return plant


def lines_scaled(axis):
    def plant(right, random):
        factors = random.uniform(0.3, 3.0, right.shape[axis])
        return right * (factors[:, None] if axis == 0 else factors)

    return plant


def with_noise(right, random):
    return right + 1e-6 * np.abs(right) * random.standard_normal(right.shape)


def with_rank_one(right, random):
    return right + np.abs(right).max() * np.outer(*(entries(random, size) for size in right.shape))


def exchanged(axis):
    def plant(right, random):
        order = np.arange(right.shape[axis])
        order[[0, 2]] = 2, 0
        return np.take(right, order, axis)

    return plant


def order_of(shape):
    return np.arange(np.prod(shape)).reshape(shape).ravel(order="F")


def gradient_like(change):
    """A slip of the square gradient matrix of each output."""

    def plant(right, random):
        k = round(right.shape[1] ** 0.5)
        return np.stack([change(row.reshape(k, k)).ravel() for row in right])

    return plant


def without(mask):
    return lambda right, random: np.where(mask(*np.indices(right.shape)), 0.0, right)


def blocks(right, random):
    """The blocks of equal first indices only, for shapes (2, 3) and (2, 4)."""
    i, j = np.indices(right.shape)
    return np.where(i // 3 == j // 4, right, 0.0)


def band_moved(right, random):
    return right - np.diag(np.diag(right, -3), -3) + np.diag(np.diag(right, -3)[:-1], -4)


def kron_of(p, q, r, s):
    return lambda random, m, n: np.kron(entries(random, (p, q)), entries(random, (r, s)))


def identity_kron_row(random, m, n):
    return np.kron(np.eye(3), entries(random, 4))


def turned_kron(p, q, r, s):
    def plant(right, random):
        rows = np.arange(p * r).reshape(p, r).T.ravel()
        return right[rows][:, np.arange(q * s).reshape(q, s).T.ravel()]

    return plant


def masked(axis, off):
    """A matrix with rows or columns of zeros."""

    def build(random, m, n):
        right = matrix(random, m, n)
        right[off if axis == 0 else (slice(None), off)] = 0.0
        return right

    return build


def filled(off, axis, sign=1):
    def plant(right, random):
        given = right.copy() if sign > 0 else np.zeros_like(right)
        index = off if axis == 0 else (slice(None), off)
        given[index] = entries(random, given[index].shape) * np.abs(right).max()
        return given

    return plant


A43, A44, A12, A66, ROW = ((4,), (3,)), ((4,), (4,)), ((), (12,)), ((6,), (6,)), ((), (3, 4))
SQUARE, TENSOR = ((), (4, 4)), ((2, 3), (2, 4))

# What is planted: name, shapes of output and argument, builder of the right matrix, the slip.
PLANTED = [
    ("transposed", (A43, A44, TENSOR), matrix, lambda J, random: J.T),
    ("column_for_row", (A12,), matrix, lambda J, random: J.T),
    ("flattened", (A43, A44, TENSOR), matrix, lambda J, random: J.ravel()),
    ("flattened", (A43, A44), matrix, lambda J, random: J.ravel(order="F")),
    ("flattened", (A12, A43), matrix, lambda J, random: J[None]),
    ("diagonal_as_vector", (A44, A66), diagonal, lambda J, random: np.diag(J)),
    ("diagonal_as_vector", (A44, A66), diagonal, lambda J, random: np.diag(J)[:, None]),
    ("diagonal_as_vector", (A44, A66), diagonal, lambda J, random: np.tile(np.diag(J), (len(J), 1))),
    ("off_diagonal_dropped", (A44, A66), matrix, lambda J, random: np.diag(np.diag(J))),
    ("summed_over_outputs", (A43, A44, A66), matrix, lambda J, random: J.sum(axis=0)),
    ("sign_flip", (A43, A44, A12, TENSOR), matrix, lambda J, random: -J),
    ("factor_two_missing", (A43, A44, A12, TENSOR), matrix, lambda J, random: J / 2),
    ("factor_two_extra", (A43, A44, A12), matrix, lambda J, random: 2 * J),
    ("one_over_n_missing", (A43, A12), matrix, lambda J, random: max(J.shape) * J),
    ("one_over_n_extra", (A43, A12, ROW), matrix, lambda J, random: J / max(J.shape)),
    ("scaled", (A43, A12, TENSOR), matrix, lambda J, random: 1.37 * J),
    ("scaled_slightly", (A43, A12, TENSOR), matrix, lambda J, random: 1.001 * J),
    ("noise", (A43, A44, A12, TENSOR), matrix, with_noise),
    ("rolled", (A43, A44, A12), matrix, lambda J, random: np.roll(J, 1, axis=-1)),
    ("rolled", (A43, A66, TENSOR), matrix, lambda J, random: np.roll(J, 1)),
    ("rolled", (A66, A44), matrix, lambda J, random: np.roll(J, -1, axis=0)),
    ("rolled", (TENSOR,), matrix, lambda J, random: np.roll(J.reshape(2, 3, 2, 4), 1, axis=3).reshape(J.shape)),
    ("wrong_entry", (A43, A44), matrix, wrong_at([1], [2])),
    ("wrong_entry", (A66, TENSOR), matrix, wrong_at([0, 4, 5], [1, 5, 2])),
    ("wrong_entry", (A12,), matrix, wrong_at([0, 0], [1, 7])),
    ("wrong_row", (A43, A44, TENSOR), matrix, wrong_at([2])),
    ("wrong_row", (A43, A44), matrix, lambda J, random: J * np.array([1, 1, -1, 1])[:, None]),
    ("wrong_column", (A43, A44, TENSOR), matrix, wrong_at(slice(None), [1])),
    ("wrong_rows", (A66, TENSOR), matrix, wrong_at([1, 4])),
    ("wrong_columns", (A66, TENSOR), matrix, wrong_at(slice(None), [1, 4])),
    ("swapped_rows", (A43, A44, TENSOR), matrix, exchanged(0)),
    ("swapped_columns", (A43, A44, A12), matrix, exchanged(1)),
    ("vec_order", (ROW, ((5,), (3, 4))), matrix, lambda J, random: J[:, order_of((3, 4))]),
    ("vec_order", (((3, 4), (5,)),), matrix, lambda J, random: J[order_of((3, 4))]),
    ("vec_order", (TENSOR,), matrix, lambda J, random: J[order_of((2, 3))][:, order_of((2, 4))]),
    ("vec_order", (((2, 3), (4,)),), matrix, lambda J, random: J.reshape(2, 3, 4).transpose(1, 0, 2)),
    ("kron_order", (TENSOR,), kron_of(2, 2, 3, 4), turned_kron(2, 2, 3, 4)),
    ("kron_order", (((3,), (3, 4)),), identity_kron_row, turned_kron(3, 3, 1, 4)),
    ("symmetric_convention", (SQUARE,), matrix, gradient_like(lambda G: G + G.T - np.diag(np.diag(G)))),
    ("symmetrised", (SQUARE,), matrix, gradient_like(lambda G: (G + G.T) / 2)),
    ("symmetrised", (A44,), matrix, lambda J, random: (J + J.T) / 2),
    ("triangle_only", (A44, A66), matrix, lambda J, random: np.tril(J)),
    ("triangle_only", (SQUARE,), matrix, gradient_like(lambda G: np.triu(G))),
    ("zero", (A43, A44, A12, TENSOR), matrix, lambda J, random: np.zeros_like(J)),
    ("row_factor", (A43, A66, TENSOR), matrix, lines_scaled(0)),
    ("column_factor", (A43, A66, TENSOR), matrix, lines_scaled(1)),
    ("band_shifted", (((12,), (12,)),), banded, band_moved),
    ("rank_one_missing", (A66, TENSOR), matrix, with_rank_one),
    ("missing_entries", (((12,), (12,)),), banded, lambda J, random: J - np.diag(np.diag(J, -1), -1)),
    ("missing_entries", (TENSOR,), matrix, blocks),
    ("mask_missing", (A66, TENSOR), masked(0, [1, 3, 4]), filled([1, 3, 4], 0)),
    ("mask_missing", (A66, A12), masked(1, [1, 4]), filled([1, 4], 1)),
    ("mask_inverted", (A66, TENSOR), masked(0, [1, 3, 4]), filled([1, 3, 4], 0, -1)),
    ("mask_inverted", (A66, A12), masked(1, [1, 4]), filled([1, 4], 1, -1)),
]
NEED_ARGUMENTS = {"symmetric_only", "missing_transpose", "extra_transpose", "factor_dropped"}


def planted(name, shapes, build, slip, seed, scale):
    """The evidence of one planted slip, with rounding noise in the claim."""
    random = np.random.default_rng([seed, *map(ord, name)])
    out_shape, in_shape = shapes
    m, n = int(np.prod(out_shape)), int(np.prod(in_shape))
    right = scale * build(random, m, n)
    given = slip(right, random) * (1 + 1e-13 * random.standard_normal(slip(right, random).shape))
    return evidence_of(right, given, out_shape, in_shape)


@pytest.mark.parametrize("case", PLANTED, ids=[f"{k}-{case[0]}" for k, case in enumerate(PLANTED)])
def test_planted_slips_are_named_first(case):
    name, kinds, build, slip = case
    named = [
        (identifiers(planted(name, shapes, build, slip, seed, scale)) or [""])[0]
        for shapes in kinds
        for seed in SEEDS
        for scale in SCALES
    ]
    assert named.count(name) >= 0.9 * len(named), {other: named.count(other) for other in set(named)}


def test_every_identifier_is_declared_and_planted():
    declared = {identifier for pattern in PATTERNS for identifier in pattern.identifiers}
    assert declared <= set(SLIPS)
    assert declared == {case[0] for case in PLANTED} | NEED_ARGUMENTS


def test_patterns_yield_only_what_they_declare():
    for name, kinds, build, slip in PLANTED:
        evidence = planted(name, kinds[0], build, slip, 0, 1.0)
        declared = {identifier for pattern in PATTERNS for identifier in pattern.identifiers}
        found = patterns(evidence)
        assert {candidate.identifier for candidate in found} <= declared
        assert [c.weight for c in found] == sorted((c.weight for c in found), reverse=True)
        assert all(0 < c.weight <= 1 and c.sentence.endswith(".") for c in found)
        assert len({c.identifier for c in found}) == len(found)


@pytest.mark.parametrize("shapes", [A43, A44, A12, A66, ROW, SQUARE, TENSOR, ((2,), (2,)), ((3,), ()), ((), (3,))])
@pytest.mark.parametrize("scale", SCALES)
def test_nothing_is_said_about_unrelated_matrices(shapes, scale):
    out_shape, in_shape = shapes
    m, n = int(np.prod(out_shape)), int(np.prod(in_shape))
    random = np.random.default_rng(7)
    for _ in range(20):
        right, given = scale * random.standard_normal((m, n)), scale * random.standard_normal((m, n))
        args = (random.standard_normal(in_shape), random.standard_normal((n, n)), random.standard_normal(in_shape))
        for shaped in (given, given.reshape(n, m), given.ravel(), given.reshape(*out_shape, *in_shape)):
            assert patterns(evidence_of(right, shaped, out_shape, in_shape, args)) == []


REPAIRS = {"transposed", "column_for_row", "flattened", "sign_flip", "factor_two_missing", "factor_two_extra", "scaled"}
REPAIRS |= {"one_over_n_missing", "one_over_n_extra", "scaled_slightly", "rolled", "vec_order", "diagonal_as_vector"}


@pytest.mark.parametrize("case", [case for case in PLANTED if case[0] in REPAIRS], ids=lambda case: case[0])
def test_repairs_are_code_that_repairs(case):
    name, kinds, build, slip = case
    for shapes in kinds:
        evidence = planted(name, shapes, build, slip, 0, 1.0)
        first = patterns(evidence)[0]
        shape = evidence.right.shape
        repaired = np.reshape(eval(first.repair, {"np": np, "J": evidence.given}), shape)
        np.testing.assert_allclose(repaired, evidence.right, rtol=1e-7)


COMBINED = [
    ("transposed", lambda J: -J.T, ["transposed", "sign"]),
    ("transposed", lambda J: 2 * J.T, ["transposed", "twice"]),
    ("transposed", lambda J: J.T / 5, ["transposed", "N = 5"]),
    ("sign_flip", lambda J: -2 * J, ["sign", "twice"]),
    ("factor_two_missing", lambda J: 5 * J / 2, ["half", "N = 5"]),
]


@pytest.mark.parametrize("name, slip, words", COMBINED)
def test_two_slips_are_both_said(name, slip, words):
    right = np.random.default_rng(3).standard_normal((5, 3))
    best = patterns(evidence_of(right, slip(right), (5,), (3,)))[0]
    assert best.identifier == name
    assert all(word in best.sentence for word in words), best.sentence


def test_size_is_named_with_its_place():
    X = np.ones((50, 3))
    right = np.array([[1.0, -2.0, 0.5]])
    best = patterns(evidence_of(right, 50 * right, (), (3,), (np.ones(3), X)))[0]
    assert best.identifier == "one_over_n_missing"
    assert "N = 50 is the length of axis 0 of args[1]" in best.sentence and best.repair == "J / 50"


def test_degrees_of_freedom_are_recognised():
    right = np.array([[1.0, -2.0, 0.5]])
    best = patterns(evidence_of(right, right * 50 / 49, (), (3,), (np.ones(3), np.ones(50))))[0]
    assert best.identifier == "scaled_slightly" and "N/(N - 1)" in best.sentence


def test_row_with_a_common_factor_is_scaled_not_a_wrong_row():
    right = np.array([[1.0, 2.0, 3.0, 4.5]])
    assert identifiers(evidence_of(right, 1.3 * right, (), (4,))) == ["scaled"]


def test_arguments_tell_what_is_missing():
    random = np.random.default_rng(5)
    A, x, z = random.standard_normal((4, 4)), random.standard_normal(4), random.standard_normal(4)
    row = ((A + A.T) @ x)[None]
    assert identifiers(evidence_of(row, 2 * (A @ x)[None], (), (4,), (x, A)))[0] == "symmetric_only"
    assert identifiers(evidence_of(row / 2, (A.T @ x)[None], (), (4,), (x, A)))[0] == "symmetric_only"
    assert identifiers(evidence_of(A + A.T, 2 * A, (4,), (4,), (x, A)))[0] == "symmetric_only"
    factor = patterns(evidence_of(np.diag(np.cos(x) * z), np.diag(z), (4,), (4,), (x,)))[0]
    assert factor.identifier == "factor_dropped" and "cos(args[0])" in factor.sentence


@pytest.mark.parametrize("n, l", [(3, 3), (2, 4)])
def test_one_transposed_factor_of_a_kronecker_product(n, l):
    random = np.random.default_rng(6)
    A, B = random.standard_normal((3, n)), random.standard_normal((n, l))
    shapes = (3, l), (n, n)
    evidence = evidence_of(np.kron(A, B.T), np.kron(A, B), *shapes)
    best = patterns(evidence)[0]
    assert best.identifier == "missing_transpose"
    assert np.array_equal(eval(best.repair, {"np": np, "J": np.kron(A, B)}), np.kron(A, B.T))
    evidence = evidence_of(np.kron(A, B.T), np.kron(A.T, B.T), *shapes)
    assert identifiers(evidence)[0] == "extra_transpose"


def test_vectors_of_a_missing_term_are_recognised():
    x = np.array([0.3, -1.0, 2.0, 0.4])
    s = np.exp(x) / np.exp(x).sum()
    right = np.diag(s) - np.outer(s, s)
    found = patterns(evidence_of(right, np.diag(s), (4,), (4,), (x,), f=lambda x: np.exp(x) / np.exp(x).sum()))
    best = next(candidate for candidate in found if candidate.identifier == "rank_one_missing")
    assert "u is proportional to the output and v is proportional to the output" in best.sentence
    centred = patterns(evidence_of(right - 0.25, right, (4,), (4,), (x,)))[0]
    assert centred.identifier == "rank_one_missing" and "u is constant and v is constant" in centred.sentence


def test_entries_are_named_by_their_indices():
    right = np.random.default_rng(0).standard_normal((6, 8))
    given = right.copy()
    given[4, 7] = 9.0
    best = patterns(evidence_of(right, given, (2, 3), (2, 4)))[0]
    assert best.identifier == "wrong_entry" and "dy[1, 1]/dx[1, 3]" in best.sentence


def test_layouts_that_were_promised():
    random = np.random.default_rng(1)
    G, J = random.standard_normal((3, 4)), random.standard_normal((3, 4))
    assert identifiers(evidence_of(G.reshape(1, -1), G.T, (), (3, 4), layout="gradient"))[0] == "transposed"
    assert identifiers(evidence_of(J, J, (3,), (4,), layout="denominator"))[0] == "transposed"
    assert identifiers(evidence_of(G.reshape(1, -1), G.ravel(), (), (3, 4), layout="gradient"))[0] == "flattened"
    tensor = random.standard_normal((2, 3, 4))
    given = tensor.transpose(2, 0, 1)
    assert identifiers(evidence_of(tensor.reshape(6, 4), given, (2, 3), (4,)))[0] == "transposed"
    assert identifiers(evidence_of(J, -J.T, (3,), (4,)))[0] == "transposed"


SHAPES = [(0, 3), (3, 0), (0, 0), (1, 1), (1, 2), (2, 1), (2, 2), (1, 5), (5, 1), (3, 4)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_odd_numbers_are_safe(shape):
    random = np.random.default_rng(2)
    m, n = shape
    rights = [random.standard_normal(shape), np.zeros(shape), np.ones(shape), np.full(shape, np.nan)]
    for right in rights:
        for value in (0.0, 1.0, np.nan, np.inf, -np.inf, 1e308, 5e-324):
            with np.errstate(all="ignore"):
                multiple = right * value
            constant = [np.full(of, value) for of in (shape, (n, m), (n,), ())]
            for given in (*constant, multiple):
                for known in (None, np.zeros(shape, dtype=bool), random.random(shape) < 0.5):
                    for candidate in patterns(evidence_of(right, given, (m,), (n,), (np.ones(n),), known=known)):
                        assert candidate.identifier in SLIPS


def test_a_single_nan_is_a_wrong_entry():
    right = np.random.default_rng(2).standard_normal((3, 4))
    given = right.copy()
    given[1, 2] = np.nan
    assert identifiers(evidence_of(right, given, (3,), (4,))) == ["wrong_entry"]


def test_a_single_number_is_trusted_less():
    (candidate,) = patterns(evidence_of([[2.0]], [[1.0]], (1,), (1,)))
    assert candidate.identifier == "factor_two_missing" and candidate.weight < 0.8
    (candidate,) = patterns(evidence_of([[2.0]], [[1.7]], (1,), (1,)))
    assert candidate.identifier == "scaled" and candidate.weight < 0.2 and not candidate.repair


def test_unknown_entries_prove_nothing():
    right = np.random.default_rng(4).standard_normal((4, 3))
    known = np.ones((4, 3), dtype=bool)
    known[1] = False
    given = right.copy()
    given[1] = 100.0
    assert patterns(evidence_of(right, given, (4,), (3,), known=known)) == []
    assert identifiers(evidence_of(right, -given, (4,), (3,), known=known))[0] == "sign_flip"
    assert patterns(evidence_of(right, -given, (4,), (3,), known=np.zeros((4, 3), dtype=bool))) == []


def test_right_claims_get_no_diagnosis():
    right = np.random.default_rng(4).standard_normal((4, 3))
    assert patterns(evidence_of(right, right, (4,), (3,))) == []


def test_everything_that_fits_is_named():
    random = np.random.default_rng(6)
    antisymmetric = random.standard_normal((4, 4))
    antisymmetric -= antisymmetric.T
    found = identifiers(evidence_of(antisymmetric, -antisymmetric, (4,), (4,)))
    assert {"transposed", "sign_flip"} <= set(found)
    found = identifiers(evidence_of([[1.0, 3.0]], [[2.0, 6.0]], (), (2,)))
    assert {"factor_two_extra", "one_over_n_missing"} <= set(found)
