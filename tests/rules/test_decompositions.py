"""Decompositions: closed forms from books, what NumPy reads of a matrix, and the places without a derivative.

Agreement with finite differences, second derivatives and the rest of the contract are in test_contracts.py.
"""

import numpy as np
import pytest

import jacobi as jb
from jacobi.errors import InputError, TraceError
from jacobi.finite_difference import finite_difference
from jacobi.rules import REGISTRY
from jacobi.rules import decompositions as d
from jacobi.rules import singular_values as s

RNG = np.random.default_rng(3)
SQUARE = RNG.uniform(-0.4, 0.4, (3, 3)) + np.diag([2.0, 4.0, 7.0])
DEFINITE = SQUARE @ SQUARE.T
TALL = RNG.uniform(-0.3, 0.3, (4, 2)) + np.eye(4, 2) * [1.0, 3.0]


def sym(jacobian, size):
    """The derivative along symmetric directions: columns (k, l) and (l, k) shared equally."""
    tensor = np.asarray(jacobian).reshape(-1, size, size)
    return (tensor + tensor.transpose(0, 2, 1)) / 2


def agrees(f, x):
    J, (numerical, bound) = jb.jacobian(f)(x).toarray(), finite_difference(f)(x)
    assert np.all(np.abs(J - numerical) <= 5 * bound + 1e-12 * (1 + np.abs(J).max(initial=0)))


# Closed forms ---------------------------------------------------------------------------------------------------


def test_log_det():
    """Magnus & Neudecker, ch. 8: d log det X = tr(X^-1 dX)."""
    gradient = jb.gradient(lambda x: np.linalg.slogdet(x).logabsdet)(SQUARE)
    assert gradient == pytest.approx(np.linalg.inv(SQUARE).T)


def test_log_det_through_cholesky_and_eigenvalues_and_qr_and_singular_values():
    expected = np.linalg.inv(DEFINITE)
    for f in (
        lambda a: 2 * np.sum(np.log(np.diag(np.linalg.cholesky(a)))),
        lambda a: np.sum(np.log(np.linalg.eigvalsh(a))),
        lambda a: np.sum(np.log(np.linalg.eigh(a).eigenvalues)),
        lambda a: np.sum(np.log(np.linalg.eigvals(a))),
        lambda a: np.sum(np.log(np.abs(np.diag(np.linalg.qr(a).R)))),
        lambda a: np.sum(np.log(np.linalg.svdvals(a))),
    ):
        assert sym(jb.gradient(f)(DEFINITE), 3)[0] == pytest.approx(expected)


def test_second_derivative_of_log_det_through_eigenvalues():
    """d2 log det X = -tr(X^-1 dX X^-1 dX)."""
    inverse = np.linalg.inv(DEFINITE)
    hessian = jb.hessian(lambda a: np.sum(np.log(np.linalg.eigvals(a))))(DEFINITE).tensor()
    assert hessian == pytest.approx(-np.einsum("li,jk->ijkl", inverse, inverse))


def test_inverse():
    """Magnus & Neudecker, ch. 8: d vec X^-1 = -(X^-T (x) X^-1) d vec X, in C order (X^-1 (x) X^-T)."""
    inverse = np.linalg.inv(SQUARE)
    for f in (np.linalg.inv, np.linalg.pinv, lambda a: np.linalg.matrix_power(a, -1)):
        assert jb.jacobian(f)(SQUARE).toarray() == pytest.approx(-np.kron(inverse, inverse.T))


def test_powers():
    """d X^3 = dX X X + X dX X + X X dX."""
    x = SQUARE
    expected = sum(np.kron(np.linalg.matrix_power(x, k), np.linalg.matrix_power(x, 2 - k).T) for k in range(3))
    assert jb.jacobian(lambda x: np.linalg.matrix_power(x, 3))(x).toarray() == pytest.approx(expected)
    assert jb.jacobian(lambda x: np.linalg.matrix_power(x, 0))(x).structure == "zero"
    assert jb.jacobian(lambda x: np.linalg.matrix_power(x, 1))(x).structure == "identity"


def test_eigenvalues_of_a_symmetric_matrix():
    """Magnus & Neudecker, ch. 8, theorem 7: dw = u^T dX u, and du = (w I - X)^+ dX u."""
    w, v = np.linalg.eigh(DEFINITE)
    by_value = sym(jb.jacobian(np.linalg.eigvalsh)(DEFINITE), 3)
    assert by_value == pytest.approx(np.einsum("ki,li->ikl", v, v))
    found = sym(jb.jacobian(lambda a: np.linalg.eigh(a).eigenvectors[:, 1])(DEFINITE), 3)
    full = np.einsum("ik,l->ikl", np.linalg.pinv(w[1] * np.eye(3) - DEFINITE), v[:, 1])
    assert found == pytest.approx((full + full.transpose(0, 2, 1)) / 2)


def test_eigenvalues_of_any_matrix():
    """dw = u^T dX v / u^T v with the left and right eigenvectors u and v."""
    v = np.linalg.eig(SQUARE).eigenvectors
    u = np.linalg.inv(v)
    assert jb.jacobian(np.linalg.eigvals)(SQUARE).tensor() == pytest.approx(np.einsum("ik,li->ikl", u, v))


def test_norms_by_singular_values():
    """The spectral norm has derivative u_1 v_1^T, the nuclear norm U V^T."""
    u, _, vh = np.linalg.svd(TALL, full_matrices=False)
    assert jb.gradient(lambda a: np.linalg.norm(a, 2))(TALL) == pytest.approx(np.outer(u[:, 0], vh[0]))
    assert jb.gradient(lambda a: np.linalg.matrix_norm(a, ord="nuc"))(TALL) == pytest.approx(u @ vh)
    assert jb.gradient(lambda a: np.linalg.norm(a, -2))(TALL) == pytest.approx(np.outer(u[:, -1], vh[-1]))


def test_least_squares_is_the_normal_equations():
    b = RNG.normal(size=4)
    by_lstsq = jb.jacobian(lambda a, b: np.linalg.lstsq(a, b)[0], (0, 1))(TALL, b)
    by_solve = jb.jacobian(lambda a, b: np.linalg.solve(a.T @ a, a.T @ b), (0, 1))(TALL, b)
    for one, other in zip(by_lstsq, by_solve, strict=True):
        assert one.toarray() == pytest.approx(other.toarray())


def test_pseudo_inverse_of_full_rank():
    for a in (TALL, TALL.T):
        direct = (lambda a: np.linalg.inv(a.T @ a) @ a.T) if a is TALL else (lambda a: a.T @ np.linalg.inv(a @ a.T))
        assert jb.jacobian(np.linalg.pinv)(a).toarray() == pytest.approx(jb.jacobian(direct)(a).toarray())


def test_products_put_together_give_the_identity():
    """U S V^T, Q R, V W V^-1 and L L^T are the matrix: the derivatives of all factors together are the identity."""

    def from_svd(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * s) @ vh

    def from_eig(a):
        w, v = np.linalg.eig(a)
        return v * w @ np.linalg.inv(v)

    def from_qr(a):
        q, r = np.linalg.qr(a)
        return q @ r

    for f, a in ((from_svd, TALL), (from_svd, TALL.T), (from_eig, SQUARE), (from_qr, TALL), (from_qr, TALL.T)):
        assert jb.jacobian(f)(a).toarray() == pytest.approx(np.eye(a.size), abs=1e-12)


def test_kronecker_structure_of_a_chain_of_products():
    a, b, x = RNG.normal(size=(2, 3)), RNG.normal(size=(5, 4)), RNG.normal(size=(3, 5))
    J = jb.jacobian(lambda x: np.linalg.multi_dot([a, x, b]))(x)
    assert J.structure == "kronecker"
    assert J.toarray() == pytest.approx(np.kron(a, b.T))


# What NumPy reads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "lower"),
    [
        (np.linalg.cholesky, True),
        (lambda a: np.linalg.cholesky(a, upper=True), False),
        (np.linalg.eigvalsh, True),
        (lambda a: np.linalg.eigvalsh(a, UPLO="U"), False),
        (lambda a: np.linalg.eigh(a, "U").eigenvectors, False),
        (lambda a: np.linalg.eigh(a).eigenvectors, True),
    ],
)
def test_only_one_triangle_is_read(f, lower):
    a = DEFINITE + (np.triu(np.ones((3, 3)), 1) if lower else np.tril(np.ones((3, 3)), -1))  # not symmetric
    agrees(f, a)
    tensor = jb.jacobian(f)(a).toarray().reshape(-1, 3, 3)
    assert not np.any(tensor * (np.triu(np.ones((3, 3)), 1) if lower else np.tril(np.ones((3, 3)), -1)))


def test_results_are_numpys_named_tuples():
    seen = {}

    def f(a):
        seen["eigh"], seen["eig"] = np.linalg.eigh(a), np.linalg.eig(a)
        seen["svd"], seen["qr"], seen["slogdet"] = np.linalg.svd(a), np.linalg.qr(a), np.linalg.slogdet(a)
        return a

    jb.jacobian(f)(SQUARE)
    for name, found in seen.items():
        expected = getattr(np.linalg, name)(SQUARE)
        assert type(found) is type(expected)
        for one, other in zip(found, expected, strict=True):
            assert one.value == pytest.approx(np.asarray(other))


def test_lstsq_gives_what_numpy_gives():
    b = RNG.normal(size=(4, 2))
    seen = {}

    def f(a, b):
        seen["result"] = np.linalg.lstsq(a, b)
        return seen["result"][0]

    jb.jacobian(f)(TALL, b)
    x, residuals, rank, sigma = seen["result"]
    expected = np.linalg.lstsq(TALL, b)
    assert x.value == pytest.approx(expected[0])
    assert residuals.value == pytest.approx(expected[1])
    assert rank == expected[2] and isinstance(rank, (int, np.integer))
    assert sigma.value == pytest.approx(expected[3])


def test_rank_is_a_plain_number():
    assert jb.gradient(lambda a: np.linalg.matrix_rank(a) * np.sum(a))(TALL) == pytest.approx(2 * np.ones((4, 2)))


@pytest.mark.parametrize("shape", [(5, 3, 3), (2, 1, 3, 3), (1, 1), (4, 1, 1)])
def test_stacks_are_block_diagonal(shape):
    a = RNG.uniform(-0.3, 0.3, shape) + np.diag(2.0 + 2 * np.arange(shape[-1]))
    for f in (np.linalg.cholesky, np.linalg.eigvalsh, np.linalg.eigvals, np.linalg.svdvals, np.linalg.pinv):
        J = jb.jacobian(f)(a)
        assert J.toarray() == pytest.approx(one_by_one(f, a))
    for f in (lambda a: np.linalg.eigh(a)[1], lambda a: np.linalg.svd(a)[0], lambda a: np.linalg.qr(a)[1]):
        assert jb.jacobian(f)(a).toarray() == pytest.approx(one_by_one(f, a))


def one_by_one(f, a):
    parts = [jb.jacobian(f)(part).toarray() for part in a.reshape(-1, *a.shape[-2:])]
    rows, columns = sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)
    total, row, column = np.zeros((rows, columns)), 0, 0
    for part in parts:
        total[row : row + part.shape[0], column : column + part.shape[1]] = part
        row, column = row + part.shape[0], column + part.shape[1]
    return total


def test_matrices_without_entries():
    empty = np.zeros((0, 0))
    for f in (np.linalg.eigvalsh, np.linalg.cholesky, lambda a: np.linalg.eigh(a)[1]):
        assert jb.jacobian(f)(empty).shape == (f(empty).size, 0)


# Where there is no derivative -----------------------------------------------------------------------------------

TWICE = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]])  # eigenvalues 1, 1, 4


def test_vectors_of_equal_eigenvalues_have_no_derivative():
    for a in (np.eye(3), TWICE):
        J = jb.jacobian(lambda a: np.linalg.eigh(a).eigenvectors)(a).toarray()
        assert not np.isfinite(J.reshape(3, 3, 9)[:, 0]).all()
        J = jb.jacobian(lambda a: np.linalg.svd(a).U)(a).toarray()
        assert not np.isfinite(J.reshape(3, 3, 9)[:, -1]).all()
    J = jb.jacobian(lambda a: np.linalg.eigh(a).eigenvectors[:, 2])(TWICE).toarray()
    assert np.isfinite(J).all()  # the eigenvector of 4 has one


def test_symmetric_functions_of_equal_eigenvalues_are_right():
    assert sym(jb.gradient(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3))(TWICE), 3)[0] == pytest.approx(
        3 * TWICE @ TWICE
    )
    assert jb.gradient(lambda a: np.linalg.norm(a, "nuc"))(np.eye(2)) == pytest.approx(np.eye(2))


def test_kinks_of_equal_values_are_declared():
    w = np.linalg.eigvalsh(TWICE)
    assert REGISTRY[np.linalg.eigvalsh].kink(w, TWICE).tolist() == [True, True, False]
    assert REGISTRY[np.linalg.svdvals].kink(np.array([4.0, 1.0, 1.0]), TWICE).tolist() == [False, True, True]
    assert REGISTRY[np.linalg.svdvals].kink(np.array([4.0, 1.0, 0.0]), TWICE).tolist() == [False, False, True]
    vectors = REGISTRY[d.symmetric_eigenvectors].kink(np.linalg.eigh(TWICE).eigenvectors, TWICE)
    assert np.broadcast_to(vectors, (3, 3)).tolist() == [[True, True, False]] * 3
    vectors = REGISTRY[s.right_singular_vectors].kink(np.eye(3), TWICE)
    assert np.broadcast_to(vectors, (3, 3)).tolist() == [[False] * 3, [True] * 3, [True] * 3]


def test_singular_values_at_zero_have_derivative_zero():
    """As the absolute value, which is the singular value of one number."""
    assert jb.gradient(lambda a: np.linalg.norm(a, 2))(np.zeros((2, 3))) == pytest.approx(np.zeros((2, 3)))
    assert jb.gradient(lambda a: np.linalg.norm(a, "nuc"))(np.outer([1.0, 0.0], [2.0, 0.0])).tolist() == [
        [1, 0],
        [0, 0],
    ]


def test_defective_matrices():
    jordan = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert not np.isfinite(jb.jacobian(np.linalg.eigvals)(jordan).toarray()).all()
    assert REGISTRY[np.linalg.eigvals].kink(np.ones(2), jordan).all()


def test_rank_deficient_matrices():
    flat = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])
    assert not np.isfinite(jb.jacobian(np.linalg.pinv)(flat).toarray()).any()
    assert REGISTRY[np.linalg.pinv].kink(flat.T, flat, cutoff=1e-15).all()
    assert not np.isfinite(jb.jacobian(lambda b: np.linalg.lstsq(flat, b)[0])(np.ones(3)).toarray()).any()
    assert REGISTRY[d.orthogonal_factor].kink(flat, flat).all()
    assert not np.isfinite(jb.jacobian(lambda a: np.linalg.qr(a).Q)(np.zeros((2, 2))).toarray()).all()


def test_complex_eigenvalues_are_refused():
    with pytest.raises(InputError, match="complex"):
        jb.jacobian(np.linalg.eigvals)(np.array([[0.0, -1.0], [1.0, 0.0]]))


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (np.linalg.svd, "full_matrices=False"),
        (lambda a: np.linalg.svd(a[:2] @ a[:2].T, hermitian=True), "eigh"),
        (lambda a: np.linalg.pinv(a[:2] @ a[:2].T, hermitian=True), "hermitian"),
        (lambda a: np.linalg.qr(a, "complete"), "reduced"),
        (lambda a: np.linalg.qr(a, "raw"), "reduced"),
        (lambda a: np.linalg.multi_dot([a, a.T], out=np.zeros((4, 4))), "out"),
    ],
)
def test_what_is_refused_says_what_to_write(f, words):
    with pytest.raises(TraceError, match=words):
        jb.jacobian(lambda a: f(a)[0])(TALL)


def test_eigenvalues_that_are_not_vectors_do_not_need_vectors_of_the_null_space():
    assert jb.jacobian(lambda a: np.linalg.svd(a, compute_uv=False))(TALL).shape == (2, 8)
    agrees(lambda a: np.linalg.svd(a, compute_uv=False), TALL)
