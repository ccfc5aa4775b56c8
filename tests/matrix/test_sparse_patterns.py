"""Patterns of sparse arrays: filled at every point, they hold what the exits hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import samples

import jacobi as jb
from jacobi.matrix import Jacobian
from jacobi.matrix.patterns import MOST, Patterns, pattern
from jacobi.matrix.term import Term

FORMATS = ("csr", "csc", "coo")
EXAMPLES = settings(max_examples=150, derandomize=True, deadline=None)


def scaled(J, factor):
    """The same matrix with other numbers at the same places."""
    terms = []
    for term in J.terms:
        first, *others = (*term.factors, None)
        factors = () if first is None else (first * factor, *others[:-1])
        terms.append(Term(term.coefficient * (factor if first is None else 1), factors, term.wiring))
    return Jacobian(terms, J.out_shape, J.in_shape, J.dtype)


@EXAMPLES
@given(samples(), st.sampled_from(FORMATS))
def test_any_sum_of_terms_is_filled_at_every_point(sample, format):
    J, patterns = sample.jacobian, Patterns(format)
    for factor in (1.0, 2.0, -3.0, 0.5):
        other = scaled(J, factor)
        found = patterns.filled(other.terms, other.shape, other.dtype)
        exact = other.tocsr()
        assert found.format == format and found.dtype == other.dtype and found.shape == other.shape
        size = np.abs(J.toarray()).max(initial=1)
        np.testing.assert_allclose(found.toarray(), exact.toarray(), rtol=1e-6, atol=1e-6 * size)
        assert found.nnz == exact.nnz
        assert found.has_canonical_format
    assert len(patterns.known) == 1


@EXAMPLES
@given(samples(), st.sampled_from(FORMATS))
def test_places_are_those_of_the_entries(sample, format):
    J = sample.jacobian
    terms = [term.contracted() for term in J.terms]
    made = pattern([term.wiring for term in terms], J.shape, format)
    template = made.template.copy()
    template.data = np.arange(1.0, template.nnz + 1)
    listed = template.tocoo()
    where = {(int(i), int(j)): int(k) for i, j, k in zip(listed.row, listed.col, listed.data, strict=True)}
    for term, places in zip(terms, made.places, strict=True):
        rows, columns = (np.broadcast_to(side, term.wiring.sizes).ravel() for side in grids(term.wiring))
        assert [where[int(i), int(j)] - 1 for i, j in zip(rows, columns, strict=True)] == list(places)


def grids(w):
    """Rows and columns of all entries, built index by index."""
    total = []
    for offset, ties in (w.rows, w.columns):
        side = np.full(w.sizes, offset)
        for index, tie in ties:
            line = np.arange(w.sizes[index]) * tie if isinstance(tie, int) else np.asarray(tie)
            side = side + line.reshape([-1 if k == index else 1 for k in range(len(w.sizes))])
        total.append(side)
    return total


@pytest.mark.parametrize("format", FORMATS)
def test_results_share_nothing_and_can_be_changed(format):
    F = jb.jacobian(lambda x: x[1:] * x[:-1], format=format)
    x = np.arange(1.0, 6.0)
    results = [F(x), F(x), F(x), F(x)]
    before = [r.toarray() for r in results]
    for result in results:
        assert all(a.flags.writeable for a in arrays(result))
    results[2].data[:] = 0
    results[2].eliminate_zeros()
    assert results[2].nnz == 0
    for k in (0, 1, 3):
        np.testing.assert_array_equal(results[k].toarray(), before[k])
    np.testing.assert_array_equal(F(x).toarray(), before[0])


def arrays(matrix):
    """The arrays that a sparse array consists of."""
    return [matrix.data, *(matrix.coords if matrix.format == "coo" else (matrix.indices, matrix.indptr))]


def test_other_shapes_and_other_places_have_other_patterns():
    def f(x, order):
        return x[order] ** 2

    F, x = jb.jacobian(f, format="csr"), np.arange(1.0, 7.0)
    rng = np.random.default_rng(0)
    for _ in range(3 * MOST):
        for size in (4, 6):
            order = rng.permutation(size)
            for _ in range(3):
                np.testing.assert_array_equal(F(x[:size], order).toarray(), jb.jacobian(f)(x[:size], order).toarray())


def test_a_pattern_is_made_at_the_second_call(monkeypatch):
    import jacobi.matrix.patterns as module

    made = []
    monkeypatch.setattr(module, "pattern", lambda *args: made.append(1) or pattern(*args))
    F = jb.jacobian(np.sin, format="csr")
    for count in (0, 1, 1, 1):
        F(np.ones(4))
        assert len(made) == count
