"""The algebra of Jacobians against full matrices: products, sums, exits, names of structures, memory."""

from __future__ import annotations

import pickle
import time
import tracemalloc
from contextlib import contextmanager
from math import isfinite
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from recorded import Recorded, plain, recorded
from strategies import (
    Sample,
    chained,
    chances,
    fitting,
    from_diagonal,
    from_einstein,
    from_kron,
    from_padding,
    from_positions,
    from_sparse,
    from_stencil,
    from_view,
    sample,
    samples,
    some_shape,
)
from truths import broken_promise, outside_blocks, pattern

import jacobi.matrix.jacobian as implementation
from jacobi import layout
from jacobi.errors import InputError, ShapeError
from jacobi.matrix import Jacobian, chain, contract, einstein, indicator, placed, scatter
from jacobi.matrix.price import Shadow
from jacobi.matrix.products import MANY_TERMS
from jacobi.matrix.term import collected
from jacobi.matrix.wiring import Wiring

EXAMPLES = settings(
    max_examples=200, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
FEW = settings(EXAMPLES, max_examples=60)
SPACE = st.sampled_from([(), (1,), (0,), (0, 3), (3,), (5,), (2, 3), (3, 1, 4)])


def assert_same(actual: Any, expected: np.ndarray) -> None:
    """Equal up to the rounding of float32, measured by the largest entry."""
    actual = np.asarray(actual)
    assert actual.shape == expected.shape
    assert_allclose(actual, expected, rtol=0, atol=1e-6 * max(1.0, np.abs(expected).max(initial=0)))


def matrix(chance, rows, columns):
    """A full matrix of small whole numbers."""
    return np.array([[chance.randint(-3, 3) for _ in range(columns)] for _ in range(rows)], float).reshape(
        rows, columns
    )


# What is built ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "maker",
    [
        from_einstein,
        from_view,
        from_padding,
        from_stencil,
        from_positions,
        from_sparse,
        from_diagonal,
        from_kron,
    ],
)
@settings(EXAMPLES, max_examples=100)
@given(chance=chances())
def test_a_constructor_gives_the_matrix(maker, chance):
    made = maker(chance, some_shape(chance))
    assert made.jacobian.shape == made.dense.shape
    assert_same(made.jacobian.toarray(), made.dense)


@EXAMPLES
@given(samples())
def test_the_shapes_are_those_of_the_spaces(made):
    jacobian = made.jacobian
    assert jacobian.shape == (layout.size(jacobian.out_shape), layout.size(jacobian.in_shape))
    assert jacobian.ndim == 2
    assert jacobian.dtype in (np.float32, np.float64)
    assert jacobian.toarray().dtype == jacobian.dtype


def test_einstein_broadcasts_axes_of_length_one():
    assert_array_equal(einstein("ab;ab", (3, 4), (1, 4)).toarray(), np.tile(np.eye(4), (3, 1)))
    factor = np.arange(4.0).reshape(1, 4)
    assert_array_equal(einstein("ab;ab;ab", (3, 4), (3, 4), factor).diagonal(), np.tile(factor[0], 3))


def test_einstein_counts_labels_that_nothing_carries():
    assert_array_equal(einstein("a;b;ca", (2,), (3,), np.ones((4, 2))).toarray(), np.full((2, 3), 4.0))


def test_whole_numbers_in_factors_become_floats():
    hundred = einstein("a;a;a", (2,), (2,), np.full(2, 100, dtype=np.int8))
    assert hundred.dtype == np.float64
    assert_array_equal((hundred @ hundred).diagonal(), [1e4, 1e4])


def test_float32_stays_float32():
    x = np.arange(3, dtype=np.float32)
    diagonal = Jacobian.from_diagonal(x)
    for jacobian in (
        diagonal,
        2.5 * diagonal,
        diagonal @ diagonal,
        diagonal + diagonal,
        diagonal.T,
        -diagonal,
    ):
        assert jacobian.dtype == np.float32
        assert all(factor.dtype == np.float32 for term in jacobian.terms for factor in term.factors)
    assert (diagonal @ x).dtype == np.float32
    assert (diagonal @ x.astype(float)).dtype == np.float64
    assert diagonal.tocsr().dtype == np.float32
    assert (diagonal + Jacobian.identity(3)).dtype == np.float64
    assert (diagonal @ Jacobian.identity(3, dtype=np.float32)).dtype == np.float32


# Products and sums ------------------------------------------------------------------------------------------


@settings(EXAMPLES, max_examples=600)
@given(chances())
def test_a_product_is_the_product(chance):
    inner, outer = chained(chance, 2)
    product = outer.jacobian @ inner.jacobian
    assert product.out_shape == outer.jacobian.out_shape
    assert product.in_shape == inner.jacobian.in_shape
    assert_same(product.toarray(), outer.dense @ inner.dense)


@pytest.mark.parametrize("read", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("write", [1, 2, 3, 4, 6])
def test_progressions_meet(read, write):
    length, count = 24, 4
    for first, start in np.ndindex(5, 5):
        left = placed((count,), (length,), (count,), (0, ((0, 1),)), (first, ((0, read),)))
        right = placed((length,), (count,), (count,), (start, ((0, write),)), (0, ((0, 1),)))
        assert_array_equal((left @ right).toarray(), left.toarray() @ right.toarray())
        assert (left @ right).nbytes == 0


@EXAMPLES
@given(chances())
def test_products_are_associative(chance):
    (a, x), (b, y), (c, z) = chained(chance, 3)
    expected = z @ y @ x
    assert_same(((c @ b) @ a).toarray(), expected)
    assert_same((c @ (b @ a)).toarray(), expected)
    assert_same(chain(c, b, a).toarray(), expected)


@EXAMPLES
@given(chances())
def test_the_transpose_of_a_product(chance):
    (a, x), (b, y) = chained(chance, 2)
    expected = (y @ x).T
    assert_same((b @ a).T.toarray(), expected)
    assert_same((a.T @ b.T).toarray(), expected)
    assert_same(a.T.T.toarray(), x)


@EXAMPLES
@given(samples())
def test_products_with_the_own_transpose(made):
    jacobian, dense = made
    assert_same((jacobian.T @ jacobian).toarray(), dense.T @ dense)
    assert_same((jacobian @ jacobian.T).toarray(), dense @ dense.T)


@EXAMPLES
@given(chances())
def test_sums_and_multiples(chance):
    (a, x) = sample(chance)
    (b, y) = fitting(chance, a.out_shape, a.in_shape)
    number = chance.choice((2, -1, 0.5, -3.25, 0))
    assert_same((a + b).toarray(), x + y)
    assert_same((a - b).toarray(), x - y)
    assert_same((b - a).toarray(), y - x)
    assert_same((-a).toarray(), -x)
    assert_same((number * a).toarray(), number * x)
    assert_same((a * number).toarray(), number * x)
    assert_same((a / 4).toarray(), x / 4)
    assert_same((a + a).toarray(), 2 * x)
    assert_same((a - a).toarray(), 0 * x)
    assert_same(sum([a, b, a]).toarray(), 2 * x + y)


@EXAMPLES
@given(chances())
def test_products_with_arrays(chance):
    (a, x) = sample(chance)
    rows, columns = a.shape
    v, u = matrix(chance, 1, columns)[0], matrix(chance, 1, rows)[0]
    M, N = matrix(chance, columns, 3), matrix(chance, 2, rows)
    assert_same(a @ v, x @ v)
    assert_same(u @ a, u @ x)
    assert_same(a @ M, x @ M)
    assert_same(N @ a, N @ x)
    assert_same(a @ M[:, :1], x @ M[:, :1])
    assert_same(a.matvec(v), x @ v)
    assert_same(a.rmatvec(u), x.T @ u)
    assert_same(a.matmat(M), x @ M)
    assert_same(a.rmatmat(N.T), x.T @ N.T)
    assert_same(a @ list(v), x @ v)


@FEW
@given(chances())
def test_products_with_sparse_matrices(chance):
    (a, x) = sample(chance)
    right = scipy.sparse.csr_array(matrix(chance, a.shape[1], 4))
    left = scipy.sparse.coo_array(matrix(chance, 3, a.shape[0]))
    product = a @ right
    assert isinstance(product, Jacobian)
    assert_same(product.toarray(), x @ right.toarray())
    assert_same(np.asarray(left @ a), left.toarray() @ x)  # SciPy gets the full matrix
    assert_same((Jacobian.from_sparse(left) @ a).toarray(), left.toarray() @ x)


@FEW
@given(chances())
def test_rounding_is_that_of_float64(chance):
    (a, _), (b, _) = chained(chance, 2)
    if a.dtype == b.dtype == np.float64:
        generator = np.random.default_rng(chance.getrandbits(16))
        for jacobian in (a, b):
            for term in jacobian.terms:
                term.factors = tuple(f.astype(float) * generator.standard_normal() for f in term.factors)
        expected = b.toarray() @ a.toarray()
        atol = 1e-13 * max(1.0, np.abs(b.toarray()).max(initial=0) * np.abs(a.toarray()).sum(initial=0))
        assert_allclose((b @ a).toarray(), expected, rtol=0, atol=atol)


@EXAMPLES
@given(chances())
def test_arguments_are_not_changed(chance):
    (a, x), (b, y) = chained(chance, 2)
    before = [factor.copy() for jacobian in (a, b) for term in jacobian.terms for factor in term.factors]
    product = b @ a
    product.toarray()
    (product + product).tocsr()
    (product.T @ product).diagonal()
    after = [factor for jacobian in (a, b) for term in jacobian.terms for factor in term.factors]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert_same(a.toarray(), x)
    assert_same(b.toarray(), y)


@FEW
@given(chances())
def test_what_comes_out_may_be_changed(chance):
    (a, x) = sample(chance)
    for exit in (a.toarray(), a.tensor(), a.diagonal(), a.tocsr().data, a @ np.ones(a.shape[1])):
        exit[...] = 7.0
    assert_same(a.toarray(), x)


@FEW
@given(chances())
def test_long_sums_become_short(chance):
    (total, dense) = sample(chance)
    for _ in range(40):
        (more, x) = fitting(chance, total.out_shape, total.in_shape)
        total, dense = total + more, dense + x
    assert_same(total.toarray(), dense)
    assert len(total.terms) <= MANY_TERMS


@FEW
@given(chances())
def test_nodes_give_what_arrays_give(chance):
    (a, x), (b, y) = chained(chance, 2)
    (c, z) = fitting(chance, b.out_shape, a.in_shape)
    node = recorded(b) @ recorded(a) + 2 * recorded(c)
    expected = y @ x + 2 * z
    assert_same(plain(node.toarray()), expected)
    assert_same(plain(node.T.toarray()), expected.T)
    assert_same(plain(node.tensor()).reshape(expected.shape), expected)
    assert_same(plain(node.diagonal()), expected.diagonal())
    v = Recorded(np.ones(expected.shape[1]))
    assert_same(plain(node @ v), expected.sum(axis=1))
    assert_same(plain((b @ a) @ v), (y @ x).sum(axis=1))
    assert_same(plain((node * Recorded(3.0)).toarray()), 3 * expected)


@contextmanager
def sums_put_off(*jacobians):
    """Hardly any product of factors is carried out before an exit."""

    def forget():
        for jacobian in jacobians:
            for term in jacobian.terms:
                term.wiring.remembered.clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "LARGE", 2)
        patch.setattr(contract, "GROWTH", 0.5)
        forget()
        yield
        forget()


@EXAMPLES
@given(chances())
def test_sums_may_be_put_off(chance):
    (a, x), (b, y), (c, z) = chained(chance, 3)
    with sums_put_off(a, b, c):
        product = c @ b @ a
        expected = z @ y @ x
        assert_same(product.toarray(), expected)
        assert_same((product.T @ product).toarray(), expected.T @ expected)
        assert_same(product @ np.ones(a.shape[1]), expected.sum(axis=1))
        assert_same(product.diagonal(), expected.diagonal())
        assert_same(product.tocsr().toarray(), expected)
        assert_same((product + c @ b @ a).toarray(), 2 * expected)
        assert broken_promise(product) is None
        node = recorded(c) @ recorded(b) @ recorded(a)
        assert_same(plain(node.toarray()), expected)


# The exits --------------------------------------------------------------------------------------------------


@EXAMPLES
@given(samples())
def test_the_full_matrix_in_both_orders(made):
    jacobian, dense = made
    assert_same(jacobian.tensor(), dense.reshape(jacobian.out_shape + jacobian.in_shape))
    assert_same(jacobian, dense)
    rows, columns = (
        np.arange(n).reshape(shape).ravel(order="F")
        for n, shape in zip(jacobian.shape, (jacobian.out_shape, jacobian.in_shape), strict=True)
    )
    assert_same(jacobian.toarray(order="F"), dense[rows][:, columns])


@EXAMPLES
@given(samples())
def test_the_sparse_exits(made):
    jacobian, dense = made
    csr, csc, coo = jacobian.tocsr(), jacobian.tocsc(), jacobian.tocoo()
    assert (csr.format, csc.format, coo.format) == ("csr", "csc", "coo")
    for exit in (csr, csc, coo):
        assert exit.shape == jacobian.shape
        assert_same(exit.toarray(), dense)
        places = list(zip(*exit.tocoo().coords, strict=True))
        assert len(places) == len(set(places))
    assert csr.has_sorted_indices
    assert csr.nnz == pattern(jacobian).sum() <= jacobian.nnz


@EXAMPLES
@given(chances())
def test_the_diagonal(chance):
    (a, x), (b, y) = chained(chance, 2)
    assert_same(a.diagonal(), x.diagonal())
    assert_same((b @ a).diagonal(), (y @ x).diagonal())
    assert_same((a.T @ a).diagonal(), (x.T @ x).diagonal())


def samples_with_blocks(chance):
    """Jacobians whose output and input begin with the same axis, many of them block diagonal."""
    count, height, width = chance.choice((1, 2, 3, 4)), chance.choice((1, 2, 3)), chance.choice((1, 2, 4))
    kind = chance.choice(("any", "batch", "sum", "sparse"))
    out_shape, in_shape = (count, height), (count, width)
    if kind == "any":
        return fitting(chance, out_shape, in_shape)
    if kind == "sparse":
        inside = np.kron(np.eye(count), np.ones((height, width))) * matrix(
            chance, count * height, count * width
        )
        return Sample(Jacobian.from_sparse(scipy.sparse.csr_array(inside), out_shape, in_shape), inside)
    factor = matrix(chance, count, height * width).reshape(count, height, width)
    batch = Sample(
        einstein("ni;nk;nik", out_shape, in_shape, factor), scipy.linalg.block_diag(*factor)
    )
    if kind == "batch":
        return batch
    more = fitting(chance, out_shape, in_shape)
    return Sample(batch.jacobian + more.jacobian, batch.dense + more.dense)


@settings(EXAMPLES, max_examples=300)
@given(chances())
def test_blocks_are_the_blocks_or_an_error(chance):
    jacobian, dense = chance.choice((samples_with_blocks, sample))(chance)
    if jacobian.block_count is None:
        with pytest.raises(ShapeError):
            jacobian.blocks()
        return
    count = jacobian.block_count
    if count and outside_blocks(jacobian).any():
        with pytest.raises(ShapeError, match="samples"):
            jacobian.blocks()
        return
    height, width = layout.size(jacobian.out_shape[1:]), layout.size(jacobian.in_shape[1:])
    expected = np.zeros((count, height, width))
    for k in range(count):
        expected[k] = dense[k * height : (k + 1) * height, k * width : (k + 1) * width]
    assert_same(jacobian.blocks(), expected)


def test_printing():
    assert str(Jacobian.identity(2)).startswith("1  .\n.  1\n<2x2 Jacobian, identity")
    wide = Jacobian.from_diagonal(np.ones(100))
    assert str(wide) == repr(wide) == "<100x100 Jacobian, diagonal, (100,) <- (100,), float64, 800 bytes>"


@FEW
@given(samples())
def test_printing_never_fails(made):
    assert made.jacobian.structure in str(made.jacobian)


@FEW
@given(samples())
def test_rows_and_columns_on_demand(made):
    a, x = made.jacobian, made.dense
    for first, last in ((0, a.shape[0]), (0, 1), (1, 2), (-1, a.shape[0]), (a.shape[0] // 2, a.shape[0])):
        if -a.shape[0] <= first < a.shape[0]:
            assert_same(a.rows(first, last), x[first:last])
    for j in range(min(3, a.shape[1])):
        assert_same(a.columns(j), x[:, j : j + 1])
    parts = [(start, block) for start, block in a.row_blocks(memory=3 * 8 * max(a.shape[1], 1))]
    assert all(len(block) <= 6 for _, block in parts)
    assert_same(np.concatenate([block for _, block in parts]) if parts else x, x)
    with pytest.raises(ShapeError, match="no row"):
        a.rows(a.shape[0] + 1)


@FEW
@given(chances())
def test_copies_and_files(chance):
    (a, x) = sample(chance)
    (b, y) = fitting(chance, a.out_shape, a.in_shape)
    copy = pickle.loads(pickle.dumps(a))
    assert_same(copy.toarray(), x)
    assert_same((copy + b).toarray(), x + y)
    assert_same((copy + a - b).toarray(), 2 * x - y)


# The order of products --------------------------------------------------------------------------------------


@FEW
@given(chances())
def test_prices_are_finite_and_shadows_are_shadows(chance):
    (a, _), (b, _) = chained(chance, 2)
    price, shadow = Shadow.of(b).times(Shadow.of(a))
    assert isfinite(price) and price >= 0
    product = b @ a
    volumes = sorted(w.volume for w in shadow.wirings)
    if len(product.terms) == len(volumes):
        assert volumes == sorted(term.wiring.volume for term in product.terms)


def test_chain_takes_the_cheap_order(monkeypatch):
    row = Jacobian.from_dense(np.ones((1, 1000)))
    square = Jacobian.from_dense(np.ones((1000, 1000)))
    shapes = []
    multiply = Jacobian.__matmul__
    monkeypatch.setattr(
        Jacobian, "__matmul__", lambda a, b: shapes.append((a.shape, b.shape)) or multiply(a, b)
    )
    chain(row, square, square)
    assert all(left[0] == 1 for left, _ in shapes)
    shapes.clear()
    chain(square.T, square.T, row.T)
    assert all(right[1] == 1 for _, right in shapes)


def test_chain_of_one_and_of_none():
    identity = Jacobian.identity(2)
    assert chain(identity) is identity
    with pytest.raises(InputError):
        chain()
    with pytest.raises(InputError, match="ndarray"):
        chain(identity, np.eye(2))


# The names of structures ------------------------------------------------------------------------------------


@settings(EXAMPLES, max_examples=300)
@given(chances())
def test_a_name_is_no_lie(chance):
    (a, _), (b, _) = chained(chance, 2)
    for jacobian in (a, b, b @ a, a.T @ a, samples_with_blocks(chance).jacobian):
        assert broken_promise(jacobian) is None


n = 6
x = np.arange(1.0, n + 1)
A, B = np.arange(6.0).reshape(2, 3) + 1, np.arange(20.0).reshape(4, 5) + 1
batch = np.arange(24.0).reshape(3, 2, 4) + 1
rows_of_softmax = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])


def shift(by, length=n):
    """``x[by : by + length - 2]``: a slice of two less."""
    return placed((length - 2,), (length,), (length - 2,), (0, ((0, 1),)), (by, ((0, 1),)))


def take(positions, length=n):
    """``x[positions]``."""
    positions = np.asarray(positions)
    return placed((positions.size,), (length,), (positions.size,), (0, ((0, 1),)), (0, ((0, positions),)))


def roll(by, length=n):
    """``np.roll(x, by)``."""
    kept = placed((length,), (length,), (length - by,), (by, ((0, 1),)), (0, ((0, 1),)))
    return kept + placed((length,), (length,), (by,), (0, ((0, 1),)), (length - by, ((0, 1),)))


def diagonal(values):
    return Jacobian.from_diagonal(values)


def softmax(p):
    batch_axes = "n" if p.ndim == 2 else ""
    square = f"{batch_axes}i;{batch_axes}i;{batch_axes}i"
    outer = f"{batch_axes}i;{batch_axes}j;{batch_axes}i;{batch_axes}j"
    return einstein(square, p.shape, p.shape, p) - einstein(outer, p.shape, p.shape, p, p)


def weighted(matrix, seed=0):
    """The matrix times a diagonal."""
    return matrix @ diagonal(np.random.default_rng(seed).random(matrix.in_shape) + 1)


IDENTITY = Jacobian.identity
TRANSPOSE = einstein("ab;ba", (3, 2), (2, 3))
EXAMPLES_OF_NAMES = [
    # the table of the design
    ("identity", einstein("a;a", (n,), (n,)), "I"),
    ("identity", einstein("ab;ab", (2, 3), (2, 3)), "reshape"),
    ("diagonal", einstein("a;a;a", (n,), (n,), x), "w * x"),
    ("row", einstein(";a", (), (n,)), "sum"),
    ("row", einstein(";a;a", (), (n,), x), "dot"),
    ("kronecker", einstein("ba;a", (3, n), (n,)), "broadcast to rows"),
    ("dense", einstein("i;k;ik", (2,), (3,), A), "W @ x by x"),
    ("kronecker", einstein("i;ik;k", (2,), (2, 3), x[:3]), "W @ x by W"),
    ("kronecker", einstein("il;kj;ik;jl", (2, 5), (3, 4), A, B), "A @ X @ B by X"),
    ("block diagonal", softmax(rows_of_softmax), "softmax of rows"),
    ("selection", shift(1), "x[1:-1]"),
    ("sparse", Jacobian.from_sparse(scipy.sparse.csr_array(np.random.default_rng(1).random((9, 8)) > 0.8)), "sparse"),
    # what a specialist expects
    ("zero", Jacobian.zero((2,), (3,)), "0"),
    ("zero", IDENTITY(3) - IDENTITY(3), "I - I"),
    ("zero", shift(0, 8) @ placed((8,), (1,), (), (7, ()), (0, ())), "a slice of what lies beside it"),
    ("identity", 3 * IDENTITY(4) - IDENTITY(4) - IDENTITY(4), "3 I - 2 I"),
    ("identity", IDENTITY(()), "the identity on numbers"),
    ("identity", roll(2) @ roll(4), "roll there and back"),
    ("identity", TRANSPOSE @ TRANSPOSE.T, "transpose twice"),
    ("identity", take([3, 0, 5, 1, 2, 4]) @ take([3, 0, 5, 1, 2, 4]).T, "P P^T"),
    ("identity", take([3, 0, 5, 1, 2, 4]).T @ take([3, 0, 5, 1, 2, 4]), "P^T P"),
    ("diagonal", 2.0 * IDENTITY((2, 3)), "2 I"),
    ("diagonal", diagonal(x) @ diagonal(x) + IDENTITY(n), "diag(x)^2 + I"),
    ("diagonal", shift(1) @ diagonal(x) @ shift(1).T, "a slice of a diagonal"),
    ("diagonal", Jacobian.from_sparse(scipy.sparse.diags_array(x).tocsr()), "a sparse diagonal"),
    ("diagonal", Jacobian.from_sparse(scipy.sparse.diags_array([1.0, 0, 3, 4, 0, 6])), "with gaps"),
    ("row", Jacobian.from_dense(np.ones((1, 5))), "a full row"),
    ("column", Jacobian.from_dense(np.ones((5, 1))), "a full column"),
    ("permutation", roll(1), "roll"),
    ("permutation", placed((n,), (n,), (n,), (0, ((0, 1),)), (n - 1, ((0, -1),))), "flip"),
    ("permutation", TRANSPOSE, "transpose"),
    ("permutation", take([3, 0, 5, 1, 2, 4]), "a permutation by positions"),
    ("selection", take([1, 1, 0, 5]), "positions"),
    ("selection", placed((n + 2,), (n,), (n,), (1, ((0, 1),)), (0, ((0, 1),))), "pad"),
    ("banded", placed((n - 1,), (n,), (n - 1,), (0, ((0, 1),)), (1, ((0, 1),)))
     - placed((n - 1,), (n,), (n - 1,), (0, ((0, 1),)), (0, ((0, 1),))), "x[1:] - x[:-1]"),
    ("banded", shift(2) - 2 * shift(1) + shift(0), "second differences"),
    ("banded", weighted(shift(2) - shift(0)), "weighted differences"),
    ("banded", (shift(2) - shift(0)).T @ (shift(2) - shift(0)), "D^T D"),
    ("banded", placed((20,), (22,), (20, 3), (0, ((0, 1),)), (0, ((0, 1), (1, 1))), (x[:3], (1,))), "filter"),
    ("rank one", einstein("i;j;i;j", (3,), (4,), x[:3], x[:4]), "u v^T"),
    ("rank one", einstein("i;j", (3,), (4,)), "1 1^T"),
    ("rank one", einstein("i;;i", (3,), (), x[:3]) @ einstein(";j;j", (), (4,), x[:4]), "u (v^T)"),
    ("kronecker", Jacobian.kron(A, B), "A (x) B"),
    ("kronecker", Jacobian.kron(A, B) @ Jacobian.kron(A.T, B.T), "(A (x) B) (C (x) D)"),
    ("kronecker", Jacobian.kron(A, B).T, "(A (x) B)^T"),
    ("kronecker", einstein("a;ab", (3,), (3, 4)), "sum of the last axis"),
    ("block diagonal", einstein("ni;nk;nik", (3, 2), (3, 4), batch), "a batch"),
    ("block diagonal", einstein("ni;nk;nik", (3, 2), (3, 4), batch) @ diagonal(np.ones((3, 4))), "batch D"),
    ("block diagonal", einstein("ni;nk;nik", (3, 2), (3, 4), batch)
     + einstein("ni;nk;ik", (3, 2), (3, 4), batch[0]), "batch plus I (x) A"),
    ("diagonal plus low rank", softmax(rows_of_softmax[0]), "diag(p) - p p^T"),
    ("diagonal plus low rank", IDENTITY(n) - (1 / n) * einstein("i;j", (n,), (n,)), "x - mean(x)"),
    ("low rank", einstein("i;j;i;j", (4,), (5,), x[:4], x[:5]) + einstein("i;j", (4,), (5,)), "u v^T + ones"),
    ("sparse", einstein("b;ab;ab", (4,), (3, 4), batch.reshape(3, 8)[:, :4]), "sum of the first axis"),
    ("dense", Jacobian.from_dense(A), "a full matrix"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "jacobian", "what"),
    EXAMPLES_OF_NAMES,
    ids=[f"{name}: {what}" for name, _, what in EXAMPLES_OF_NAMES],
)
def test_the_name_that_a_specialist_gives(name, jacobian, what):
    assert jacobian.structure == name
    assert broken_promise(jacobian) is None


def test_the_name_is_known_without_a_look_at_the_numbers():
    # Zeros on a diagonal are entries, and a full matrix of zeros is full.
    assert diagonal(np.zeros(3)).structure == "diagonal"
    assert Jacobian.from_dense(np.eye(3)).structure == "dense"


# Never denser than needed -----------------------------------------------------------------------------------


def peak(action):
    """The result of an action, and the most memory in use while it ran beyond what was in use before."""
    action()  # plans are remembered
    tracemalloc.start()
    result = action()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, most


def test_diagonals_stay_one_vector():
    d = diagonal(np.ones(1000))
    for jacobian in (
        d @ d,
        d + d,
        d @ d - 3 * d,
        d.T,
        d @ Jacobian.identity(1000),
        d + Jacobian.identity(1000),
    ):
        assert jacobian.nbytes == 8000 and len(jacobian.terms) == 1


def test_equal_wirings_are_recognised():
    X = np.arange(6.0).reshape(2, 3)
    for other in (
        einstein("ab;ab;ab", (2, 3), (2, 3), X),
        einstein("ab;ab", (2, 3), (2, 3)),
        TRANSPOSE.T @ diagonal(X.T) @ TRANSPOSE,
        einstein("ab;ab;a;b", (2, 3), (2, 3), np.ones(2), np.ones(3)),
    ):
        total = diagonal(X) + other
        assert len(total.terms) == 1 and total.nbytes == 48 and total.structure == "diagonal"
    reshaped = einstein("ab;ab", (2, 3), (2, 3))
    assert reshaped.terms[0].wiring is IDENTITY(6).terms[0].wiring


def test_bands_stay_bands():
    length = 100_000
    vector = 8 * length
    second = shift(2, length) - 2 * shift(1, length) + shift(0, length)
    assert second.nbytes == 0
    normal, most = peak(lambda: second.T @ diagonal(np.ones(length - 2)) @ second)
    assert normal.structure == "banded" and len(normal.terms) == 5
    assert normal.nbytes <= 5 * vector and most < 20 * vector
    square, most = peak(lambda: normal @ normal)
    assert len(square.terms) == 9 and square.nbytes <= 9 * vector and most < 40 * vector
    cube, most = peak(lambda: square @ normal)
    assert len(cube.terms) == 13 and cube.nbytes <= 13 * vector and most < 60 * vector
    v = np.sin(np.arange(length))
    assert_allclose(cube @ v, normal @ (normal @ (normal @ v)), atol=1e-11)
    csr = normal.tocsr()
    assert_allclose(cube.diagonal(), (csr @ csr @ csr).diagonal())


def laplacian(height, width):
    """The five-point stencil on the inside of a grid, zero on its edge."""
    shape, inside = (height, width), (height - 2, width - 2)
    rows = (width + 1, ((0, width), (1, 1)))

    def neighbour(down, right):
        return placed(shape, shape, inside, rows, ((1 + down) * width + 1 + right, ((0, width), (1, 1))))

    around = [neighbour(0, 1), neighbour(0, -1), neighbour(1, 0), neighbour(-1, 0)]
    return sum(around) - 4 * neighbour(0, 0)


@EXAMPLES
@given(chances())
def test_stencils(chance):
    (a, x) = from_stencil(chance, some_shape(chance))
    (b, y) = from_stencil(chance, a.out_shape)
    assert_same((b @ a).toarray(), y @ x)
    assert_same((b @ a @ b).toarray(), y @ x @ y)
    assert_same((a + b).toarray(), x + y)
    if all(term.factors for term in (*a.terms, *b.terms)):  # others may cancel
        assert_array_equal(pattern(a + b), pattern(a) | pattern(b))
        assert (a + b).nnz == (pattern(a) | pattern(b)).sum() or len((a + b).terms) > 1


def test_pieces_of_a_grid_make_up_the_grid():
    def piece(begin, end, left=1, right=4):
        sizes, first = (end - begin, right - left), 5 * begin + left
        return placed((6, 5), (6, 5), sizes, *[(first, ((0, 5), (1, 1)))] * 2)

    assert (piece(0, 2) + piece(2, 4)).nbytes == 0
    assert len((piece(0, 2) + piece(2, 4)).terms) == 1
    assert len((piece(0, 2) + piece(4, 6) + piece(2, 4)).terms) == 1
    assert len((piece(0, 2) + piece(3, 6)).terms) == 2
    assert len((piece(0, 4, 0, 3) + piece(2, 6, 2, 4)).terms) == 2  # not a box, although they overlap
    overlapping = piece(0, 4) + piece(1, 6)
    assert len(overlapping.terms) == 1 and overlapping.nbytes == 18 * 8
    assert_array_equal(overlapping.diagonal().reshape(6, 5)[:, 2], [1, 2, 2, 2, 1, 1])


def test_entries_written_one_by_one():
    def entry(row, column):
        return placed((200,), (200,), (), (row, ()), (column, ()), (np.array(2.0), ()))

    difference = sum([entry(k, k + 1) for k in range(100)] + [entry(k, k) for k in range(100)])
    assert difference.structure == "banded" and difference.nbytes == 2 * 100 * 8
    places = np.random.default_rng(0).permutation(200)
    gaps, one = np.sort(places[:100]), places[:1].repeat(200)
    for rows, columns in ((places, places[::-1]), (one, places), (places, one), (gaps, gaps)):
        total = sum(entry(int(row), int(column)) for row, column in zip(rows, columns, strict=True))
        expected = np.zeros((200, 200))
        np.add.at(expected, (rows, columns), 2.0)
        assert len(total.terms) <= MANY_TERMS
        assert_array_equal(total.toarray(), expected)


def test_entries_that_meet_at_one_place_are_added_up():
    weights = np.array([1.0, 2, 3])
    convolution = placed((50,), (52,), (50, 3), (0, ((0, 1),)), (0, ((0, 1), (1, 1))), (weights, (1,)))
    square = convolution @ convolution.T
    assert square.nnz == pattern(square).sum() == 5 * 50 - 2 * (1 + 2)
    assert_array_equal(square.toarray(), convolution.toarray() @ convolution.toarray().T)


def test_stencils_on_a_grid_stay_bands():
    height, width = 300, 333
    vector = 8 * height * width
    stencil = laplacian(height, width)
    assert stencil.nbytes == 0 and len(stencil.terms) == 5
    twice, most = peak(lambda: stencil @ stencil)
    assert twice.structure == "banded" and twice.nbytes <= 13 * vector and most < 20 * vector
    coefficients = diagonal(np.ones((height, width)))
    _, most = peak(lambda: stencil @ coefficients @ stencil)
    assert most < 30 * vector
    v = np.cos(np.arange(height * width))
    assert_allclose(twice @ v, stencil @ (stencil @ v), atol=1e-12)
    small = laplacian(5, 6)
    assert_same((small @ small).toarray(), small.toarray() @ small.toarray())


def test_kronecker_products_stay_apart():
    generator = np.random.default_rng(0)
    left, right = generator.random((300, 300)), generator.random((300, 300))
    K = Jacobian.kron(left, right)
    both = 2 * 300 * 300 * 8
    assert K.nbytes == both
    product, most = peak(lambda: K @ K)
    assert product.nbytes == both and most < 3 * both
    assert_allclose(product.terms[0].factors[0], left @ left)
    v = generator.random(90_000)
    result, most = peak(lambda: K @ v)
    assert most < 4 * both
    assert_allclose(result, (left @ v.reshape(300, 300) @ right.T).ravel())
    _, most = peak(lambda: K.diagonal())
    assert most < 2 * both


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("step", [1, 2, -1])
def test_kronecker_products_meet_slices(axis, step):
    left, right = np.ones((300, 300)), np.ones((300, 300))
    K = Jacobian.kron(left, right)
    positions = np.arange(90_000).reshape(300, 300)
    key = [slice(None), slice(None)]
    key[axis] = slice(3, 203, step) if step > 0 else slice(203, 3, step)
    view = positions[tuple(key)]
    rows = (0, tuple(enumerate(layout.strides(view.shape))))
    columns = (int(view[0, 0]), tuple((k, s // 8) for k, s in enumerate(view.strides)))
    cut = placed(view.shape, (300, 300), view.shape, rows, columns)
    assert cut.nbytes == 0
    for action in (lambda: cut @ K, lambda: K @ cut.T, lambda: cut @ K @ cut.T):
        product, most = peak(action)
        assert product.structure == "kronecker" and product.nbytes <= K.nbytes and most < 1e5


def test_batches_stay_batches():
    b, k = 50, 20
    blocks = np.random.default_rng(0).random((b, k, k))
    J = einstein("ni;nk;nik", (b, k), (b, k), blocks)
    for jacobian in (J @ J, J @ diagonal(np.ones((b, k))), diagonal(np.ones((b, k))) @ J, J.T @ J, J + J @ J):
        assert jacobian.structure == "block diagonal" and jacobian.nbytes == b * k * k * 8
    assert_allclose((J @ J).blocks(), blocks @ blocks)
    p = np.full((b, k), 1 / k)
    twice = softmax(p) @ softmax(p)
    assert twice.structure == "block diagonal" and twice.nbytes <= 8 * b * k * 8


def test_selections_hold_no_factors():
    cut, flip = shift(1, 1000), placed((998,), (998,), (998,), (0, ((0, 1),)), (997, ((0, -1),)))
    for jacobian in (cut, flip @ cut, cut.T @ flip, cut @ cut.T, roll(3, 1000), roll(3, 998) @ flip @ cut):
        assert jacobian.nbytes == 0
    assert (flip @ flip).structure == "identity"
    turned = flip @ diagonal(np.arange(998.0)) @ flip + diagonal(np.arange(998.0))
    assert len(turned.terms) == 1 and turned.nbytes == 998 * 8
    assert_array_equal(turned.diagonal(), np.full(998, 997.0))
    permutation = take(np.random.default_rng(0).permutation(1000), 1000)
    for jacobian in (permutation @ permutation, permutation.T @ permutation, cut @ permutation):
        assert not any(term.factors for term in jacobian.terms)


def test_slices_of_full_matrices_are_views():
    W = Jacobian.from_dense(np.ones((500, 400)))
    product, most = peak(lambda: shift(1, 500) @ W @ shift(1, 400).T)
    assert product.shape == (498, 398) and most < 1e5


def test_what_holds_positions_dies_with_its_terms():
    d = diagonal(np.ones(1000))
    permutation = take(np.random.default_rng(0).permutation(1000), 1000)
    assert_array_equal((d @ permutation).toarray(), permutation.toarray())
    assert_array_equal((permutation @ d).toarray(), permutation.toarray())
    keys = [key if isinstance(key, tuple) else (key,) for key in d.terms[0].wiring.remembered]
    assert all(part.regular for key in keys for part in key if isinstance(part, Wiring))


def test_rank_one_stays_apart():
    u = np.ones(10_000)
    outer = einstein("i;j;i;j", (u.size,), (u.size,), u, u)
    for action in (
        lambda: outer @ outer,
        lambda: diagonal(u) @ outer,
        lambda: outer.T + outer.T,
        lambda: softmax(u) @ softmax(u),
    ):
        product, most = peak(action)
        assert product.nbytes <= 8 * u.nbytes and most < 20 * u.nbytes


def test_low_rank_is_not_multiplied_out():
    size, inner = 20_000, 3
    generator = np.random.default_rng(0)
    U, V = generator.random((size, inner)), generator.random((inner, size))
    left, right = Jacobian.from_dense(U), Jacobian.from_dense(V)
    v = generator.random(size)
    product, most = peak(lambda: left @ right)
    assert product.structure == "low rank" and product.nbytes == 2 * U.nbytes and most < 1e5
    assert_allclose(product @ v, U @ (V @ v))
    assert_allclose(product.diagonal(), (U * V.T).sum(axis=1))
    square, most = peak(lambda: product @ product)
    assert square.nbytes == 2 * U.nbytes and most < 4 * U.nbytes
    assert_allclose(square @ v, U @ (V @ (U @ (V @ v))))
    around = Jacobian.identity(size) + product
    assert around.structure == "diagonal plus low rank"
    assert_allclose((around @ diagonal(v)) @ v, v * v + U @ (V @ (v * v)))
    small = Jacobian.from_dense(U[:400]) @ Jacobian.from_dense(V[:, :500])
    assert_allclose(small.toarray(), U[:400] @ V[:, :500])
    assert_allclose(small.tocsr().toarray(), U[:400] @ V[:, :500])
    assert_allclose((small + small).toarray(), 2 * U[:400] @ V[:, :500])


def test_sparse_terms_meet_full_ones_through_scipy():
    rng = np.random.default_rng(0)
    places = tuple(rng.integers(0, (3000, 4000), (24000, 2)).T)
    S = scipy.sparse.coo_array((rng.random(24000), places), (3000, 4000)).tocsr()
    J = Jacobian.from_sparse(S)
    M = np.random.default_rng(0).random((4000, 30))
    result, most = peak(lambda: J @ M)
    assert_allclose(result, S @ M)
    assert most < 4 * result.nbytes
    product = J @ Jacobian.from_dense(M)
    assert product.nbytes < 1.2 * result.nbytes
    assert_allclose(product.toarray(), S @ M)
    N = np.random.default_rng(1).random((20, 3000))
    assert_allclose(N @ J, N @ S)
    twice = J @ J.T
    assert twice.nnz == (S @ S.T).nnz
    assert_allclose(twice.toarray(), (S @ S.T).toarray())


def test_sparse_products_keep_places_whose_sum_is_zero():
    left = Jacobian.from_sparse(scipy.sparse.csr_array([[1.0, 1, 0], [2, 0, 3]]))
    right = Jacobian.from_sparse(scipy.sparse.csr_array([[1.0, 2], [-1, 0], [0, 4]]))
    assert_array_equal((left @ right).toarray(), [[0, 2], [2, 16]])
    assert (left @ right).tocsr().nnz == 4


def test_repeated_positions_are_added_up():
    positions = np.random.default_rng(0).integers(0, 10, 1000)
    picked = take(positions, 10)
    counted = np.ones(1000) @ picked
    assert_array_equal(counted, np.bincount(positions, minlength=10))
    summed = Jacobian.from_dense(np.ones((3, 1000))) @ picked
    assert summed.nbytes <= 3 * 10 * 8 + 80
    assert_array_equal((picked.T @ picked).toarray(), np.diag(np.bincount(positions, minlength=10)))


def test_the_memory_of_a_sum_is_that_of_its_terms():
    d = diagonal(np.ones(1000))
    assert (d + 2 * d.T).nbytes == 8000
    total = d + einstein("i;j;i;j", (1000,), (1000,), np.ones(1000), np.ones(1000))
    assert total.nbytes == 3 * 8000
    assert Jacobian.identity(10**6).nbytes == 0


# Other libraries --------------------------------------------------------------------------------------------


REGULAR = np.array([[4.0, 1, 0], [1, 5, 2], [0, 2, 6]])


@pytest.fixture(params=["dense", "sparse", "sum"])
def regular(request):
    """A regular matrix in several forms."""
    dense = Jacobian.from_dense(REGULAR)
    sparse = Jacobian.from_sparse(scipy.sparse.csr_array(REGULAR))
    halves = diagonal(REGULAR.diagonal()) + Jacobian.from_dense(REGULAR - np.diag(REGULAR.diagonal()))
    return {"dense": dense, "sparse": sparse, "sum": halves}[request.param]


def test_numpy_takes_it_for_a_matrix(regular):
    b = np.array([1.0, 2, 3])
    assert_allclose(np.linalg.solve(regular, b), np.linalg.solve(REGULAR, b))
    assert_allclose(regular, REGULAR)
    assert_allclose(np.linalg.norm(regular), np.linalg.norm(REGULAR))
    assert np.asarray(regular, dtype=np.float32).dtype == np.float32
    assert np.array(regular).shape == np.shape(regular) == (3, 3)
    assert np.ndim(regular) == 2
    with pytest.raises(ValueError, match="copy"):
        np.asarray(regular, copy=False)


def test_scipy_takes_it_for_a_matrix(regular):
    b = np.array([1.0, 2, 3])
    solution = np.linalg.solve(REGULAR, b)
    assert_allclose(scipy.linalg.solve(regular, b), solution)
    assert_allclose(scipy.sparse.csr_array(regular).toarray(), REGULAR)
    assert_allclose(scipy.sparse.linalg.splu(regular.tocsc()).solve(b), solution)
    operator = scipy.sparse.linalg.aslinearoperator(regular)
    assert operator.shape == (3, 3) and operator.dtype == np.float64
    assert_allclose(operator @ b, REGULAR @ b)
    assert_allclose(operator.rmatvec(b), REGULAR.T @ b)
    assert_allclose(operator @ np.eye(3), REGULAR)
    assert_allclose(regular.aslinearoperator().H @ b, REGULAR.T @ b)
    assert_allclose(scipy.sparse.linalg.lsmr(regular, b, atol=1e-12, btol=1e-12)[0], solution)
    assert_allclose(scipy.sparse.linalg.lsqr(regular, b, atol=1e-12, btol=1e-12)[0], solution)
    assert_allclose(scipy.sparse.linalg.cg(regular, b, rtol=1e-12)[0], solution)
    assert_allclose(scipy.sparse.linalg.gmres(regular, b, rtol=1e-12)[0], solution)
    assert_allclose(scipy.sparse.linalg.svds(regular, k=1)[1], np.linalg.norm(REGULAR, 2))


def test_the_full_matrix_is_not_made_by_accident(monkeypatch):
    large = Jacobian.identity(200_000)
    with pytest.raises(MemoryError, match="tocsr"):
        np.asarray(large)
    with pytest.raises(MemoryError):
        np.linalg.solve(large, np.ones(200_000))
    monkeypatch.setattr(implementation, "LARGEST_IMPLICIT", 70)
    with pytest.raises(MemoryError, match="format="):
        np.asarray(Jacobian.identity(3))
    assert_array_equal(np.asarray(Jacobian.identity(2)), np.eye(2))
    assert_array_equal(Jacobian.identity(3).toarray(), np.eye(3))


# Errors -----------------------------------------------------------------------------------------------------


def test_spaces_that_do_not_fit():
    left, right = Jacobian.zero((2, 3), (4,)), Jacobian.zero((5,), (7, 2))
    for action, spaces in (
        (lambda: left @ right, ["(2, 3) <- (4,)", "(5,) <- (7, 2)"]),
        (lambda: left + right, ["(2, 3) <- (4,)", "(5,) <- (7, 2)"]),
        (lambda: left - right, ["(2, 3) <- (4,)", "(5,) <- (7, 2)"]),
        (lambda: chain(left, right), ["(2, 3) <- (4,)", "(5,) <- (7, 2)"]),
        (lambda: left @ np.ones(5), ["(2, 3) <- (4,)", "5 rows"]),
        (lambda: np.ones((2, 5)) @ left, ["(4,) <- (2, 3)", "5 rows"]),
        (lambda: left @ np.ones((4, 1, 1)), ["(4, 1, 1)"]),
        (lambda: np.ones((1, 1, 6)) @ left, ["(1, 1, 6)"]),
        (lambda: left @ 3, ["()"]),
        (lambda: left @ scipy.sparse.eye_array(5), ["(2, 3) <- (4,)", "(5,) <- (5,)"]),
        (lambda: left * np.ones(4), ["@"]),
        (lambda: left * right, ["@"]),
        (lambda: Jacobian.from_dense(np.ones((2, 3)), (2,), (4,)), ["(2, 3)", "(2,) <- (4,)"]),
        (lambda: Jacobian.from_dense(np.ones(3)), ["(3,)"]),
        (lambda: Jacobian.from_sparse(scipy.sparse.eye_array(3), (2,), (3,)), ["(3, 3)", "(2,) <- (3,)"]),
        (lambda: Jacobian.kron(np.ones(3), np.ones((2, 2))), ["(3,)", "(2, 2)"]),
        (lambda: left.blocks(), ["(2, 3) <- (4,)"]),
        (lambda: einstein("a;b", (2, 3), (4,)), ["(2, 3)"]),
        (lambda: einstein("a;b;c", (2,), (4,)), ["3 groups"]),
        (lambda: einstein("a;b;a", (2,), (4,), np.ones(3)), ["'a'", "2", "3"]),
        (lambda: placed((2,), (3,), (2,), (0, ((0, 1),)), (0, ((0, 3),))), ["0 to 3", "3 entries"]),
        (lambda: placed((2,), (3,), (2,), (1, ((0, -2),)), (0, ((0, 1),))), ["-1 to 1", "2 entries"]),
        (lambda: placed((2,), (3,), (2,), (0, ((0, 1),)), (0, ((0, np.array([0, 5])),))), ["0 to 5"]),
        (
            lambda: placed((2,), (3,), (2,), (0, ((0, 1),)), (0, ((0, 1),)), (np.ones(3), (0,))),
            ["(3,)", "(2,)"],
        ),
    ):
        with pytest.raises(ShapeError) as caught:
            action()
        assert all(space in str(caught.value) for space in spaces), str(caught.value)


WRONG = {
    "complex": np.array([1j, 2]),
    "objects": np.array([None, 1], dtype=object),
    "words": np.array(["a", "b"]),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_only_real_numbers(wrong):
    square = Jacobian.identity(2)
    for action in (
        lambda: Jacobian.from_diagonal(wrong),
        lambda: Jacobian.from_dense(np.stack([wrong, wrong])),
        lambda: Jacobian.kron(np.stack([wrong, wrong]), np.eye(2)),
        lambda: einstein("a;a;a", (2,), (2,), wrong),
        lambda: placed((2,), (2,), (2,), (0, ((0, 1),)), (0, ((0, 1),)), (wrong, (0,))),
        lambda: square @ wrong,
        lambda: wrong @ square,
        lambda: square * wrong[0],
    ):
        with pytest.raises(InputError, match="not supported"):
            action()


def test_other_refusals():
    square = Jacobian.identity(2)
    for action, words in (
        (lambda: Jacobian.zero((2,), (2,), complex), "complex"),
        (lambda: Jacobian.identity(2, dtype=complex), "complex"),
        (lambda: Jacobian.from_sparse(scipy.sparse.csr_array(1j * np.eye(2))), "complex"),
        (lambda: Jacobian.from_sparse(np.eye(2)), "from_dense"),
        (lambda: square * 1j, "complex"),
        (lambda: square + np.eye(2), "from_dense"),
        (lambda: np.eye(2) - square, "from_dense"),
        (lambda: square + 1, "from_dense"),
        (lambda: square.toarray(order="K"), "order"),
    ):
        with pytest.raises(InputError, match=words):
            action()
    with pytest.raises(TypeError):
        square + object()
    with pytest.raises(ZeroDivisionError):
        square / 0


# Empty spaces -----------------------------------------------------------------------------------------------


@given(SPACE, SPACE, SPACE)
@EXAMPLES
def test_empty_spaces_are_spaces(out_shape, middle, in_shape):
    left = Jacobian.from_dense(np.ones((layout.size(out_shape), layout.size(middle))), out_shape, middle)
    right = Jacobian.from_dense(np.ones((layout.size(middle), layout.size(in_shape))), middle, in_shape)
    expected = np.full((left.shape[0], right.shape[1]), float(layout.size(middle)))
    product = left @ right
    assert_same(product.toarray(), expected)
    for jacobian in (product, product + product, -product, product.T.T, product / 2, chain(left, right)):
        assert jacobian.shape == expected.shape and (jacobian.out_shape, jacobian.in_shape) == (
            out_shape,
            in_shape,
        )
        assert (
            jacobian.toarray("F").shape == jacobian.tocsr().shape == jacobian.tocoo().shape == expected.shape
        )
        assert jacobian.tensor().shape == out_shape + in_shape
        assert jacobian.diagonal().shape == (min(expected.shape),)
        assert broken_promise(jacobian) is None
        assert jacobian.structure in str(jacobian)
    assert (product @ np.ones(expected.shape[1])).shape == expected.shape[:1]
    assert (np.ones((2, expected.shape[0])) @ product).shape == (2, expected.shape[1])
    assert (product @ np.ones((expected.shape[1], 0))).shape == (expected.shape[0], 0)
    assert (product @ scipy.sparse.csr_array((expected.shape[1], 3))).shape == (expected.shape[0], 3)


def test_constructors_of_empty_spaces():
    for jacobian in (
        Jacobian.identity(0),
        Jacobian.identity((0, 3)),
        Jacobian.from_diagonal(np.ones((2, 0))),
        Jacobian.from_sparse(scipy.sparse.csr_array((0, 3))),
        Jacobian.from_sparse(scipy.sparse.csr_array((4, 3))),
        Jacobian.kron(np.ones((0, 2)), np.ones((2, 3))),
        einstein("a;a;a", (0,), (0,), np.ones(0)),
        einstein("a;b;bc", (2,), (3,), np.ones((3, 0))),
        placed((0,), (5,), (0,), (0, ((0, 1),)), (0, ((0, 1),))),
    ):
        assert jacobian.structure == "zero" and jacobian.nbytes == 0 and not jacobian.toarray().any()
    assert Jacobian.zero((0, 3), (0, 4)).blocks().shape == (0, 3, 4)


# The functions of arrays ------------------------------------------------------------------------------------


def test_indicator_and_scatter_dispatch():
    assert_array_equal(indicator(np.array([1.0, 3]), 2.0, np.less, float), [1, 0])
    assert_array_equal(plain(indicator(Recorded([1.0, 3]), 2.0, np.less, float)), [1, 0])
    side = (1, ((0, 2),))
    assert_array_equal(scatter(np.array([1.0, 2]), side, (2,), 5), [0, 1, 0, 2, 0])
    assert_array_equal(plain(scatter(Recorded([1.0, 2]), side, (2,), 5)), [0, 1, 0, 2, 0])
    repeated = (0, ((0, np.array([1, 1, 4])),))
    assert_array_equal(scatter(np.ones(3), repeated, (3,), 5), [0, 2, 0, 0, 1])


# Speed ------------------------------------------------------------------------------------------------------


def test_small_products_and_sums_are_fast():
    # The floors are 2.5 and 3 microseconds on an idle machine; this catches a slip by an order of magnitude.
    (left,), (right,) = diagonal(np.arange(10.0)).terms, diagonal(np.ones(10)).terms

    def fastest(action):
        times = []
        for _ in range(20):
            start = time.perf_counter()
            for _ in range(200):
                action()
            times.append((time.perf_counter() - start) / 200)
        return min(times)

    assert fastest(lambda: left @ right) < 25e-6
    assert fastest(lambda: collected([left, right])) < 30e-6
