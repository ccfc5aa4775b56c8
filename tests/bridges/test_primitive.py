"""`primitive`: hand-given derivatives of opaque functions, in every form, take part in traced functions."""

import math

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import jacobi as jb
from jacobi.bridges import primitive
from jacobi.errors import InputError, NoRuleError, ShapeError

A = np.arange(6.0).reshape(2, 3) - 1.5
X = np.array([0.3, -0.7, 1.1])

FORMS = {
    "array": lambda A: A,
    "list": np.ndarray.tolist,
    "csr": scipy.sparse.csr_array,
    "coo matrix": scipy.sparse.coo_matrix,
    "Jacobian": jb.Jacobian.from_dense,
    "operator": aslinearoperator,
    "operator of functions": lambda A: LinearOperator(A.shape, matvec=A.__matmul__, rmatvec=A.T.__matmul__),
}


def sines(x):
    return np.array([math.sin(entry) for entry in x])  # math.sin cannot be traced


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_derivative(form):
    @primitive(lambda x: form(A))
    def product(x):
        return np.array([math.fsum(row * x) for row in A])

    np.testing.assert_allclose(product(X), A @ X)
    J = jb.jacobian(lambda x: product(x**2) * 3)(X)
    np.testing.assert_allclose(J.toarray(), 3 * A * (2 * X))


def test_structure_is_kept():
    opaque = primitive(lambda x: jb.Jacobian.from_diagonal(np.cos(x)))(sines)
    J = jb.jacobian(lambda x: opaque(2 * x) ** 2)(np.linspace(0, 1, 1000))
    assert J.structure == "diagonal"
    sparse = primitive(lambda x: scipy.sparse.diags_array(np.cos(x)))(sines)
    assert jb.jacobian(sparse)(np.linspace(0, 1, 1000)).nnz == 1000


def test_arrays_of_any_shape_and_numbers():
    @primitive(lambda x: np.einsum("ij,kl->ikjl", np.eye(2), np.eye(3)))
    def same(x):
        return np.array(x.tolist())

    np.testing.assert_array_equal(jb.jacobian(same)(A).toarray(), np.eye(6))

    @primitive(lambda x: math.cos(x))
    def sine(x):
        return math.sin(x)

    assert jb.gradient(lambda x: sine(2 * x))(0.0) == 2.0

    @primitive(lambda x: 2 * x)
    def square(x):
        return math.fsum(x * x)

    np.testing.assert_allclose(jb.gradient(square)(X), 2 * X)


def test_several_arguments_and_parameters():
    calls = []

    def by_x(x, w, power, name="plain"):
        calls.append((power, name))
        return np.diag(w * power * x ** (power - 1))

    @primitive(by_x, lambda x, w, power, name="plain": np.diag(x**power))
    def weighted(x, w, power, name="plain"):
        return np.array([float(b) * float(a) ** power for a, b in zip(x, w, strict=True)])

    w = np.array([1.0, 2.0, 3.0])
    by_x, by_w = jb.jacobian(lambda x, w: weighted(x, w=w, power=3, name="other"), argnums=(0, 1))(X, w)
    np.testing.assert_allclose(by_x.toarray(), np.diag(3 * w * X**2))
    np.testing.assert_allclose(by_w.toarray(), np.diag(X**3))
    assert calls == [(3, "other")]


def test_what_is_not_known_is_an_error():
    @primitive(lambda x, w: np.diag(w), None)
    def product(x, w):
        return np.array([float(a) * float(b) for a, b in zip(x, w, strict=True)])

    np.testing.assert_array_equal(jb.jacobian(product)(X, X).toarray(), np.diag(X))
    with pytest.raises(NoRuleError, match="argument w"):
        jb.jacobian(product, argnums=1)(X, X)


def test_shapes_that_do_not_fit():
    wrong = primitive(lambda x: np.cos(x))(sines)
    with pytest.raises(ShapeError, match=r"\(3, 3\).*from_diagonal"):
        jb.jacobian(wrong)(X)
    turned = primitive(lambda x: A.T)(lambda x: np.array([math.fsum(row * x) for row in A]))
    with pytest.raises(ShapeError, match=r"\(3, 2\).*\(2, 3\)"):
        jb.jacobian(turned)(X)


def test_a_derivative_in_plain_numpy_is_differentiated_again():
    opaque = primitive(lambda x: np.diag(np.cos(x)))(sines)
    H = jb.hessian(lambda x: np.sum(opaque(x) ** 2))(X)
    np.testing.assert_allclose(H.toarray(), np.diag(2 * np.cos(2 * X)), atol=1e-14)


def test_a_derivative_may_be_a_primitive():
    def second(x):
        return -np.einsum("i,ij,ik->ijk", sines(x), np.eye(3), np.eye(3))

    @primitive(second)
    def cosines(x):
        return np.diag([math.cos(entry) for entry in x])

    opaque = primitive(cosines)(sines)
    H = jb.hessian(lambda x: np.sum(opaque(x) ** 2))(X)
    np.testing.assert_allclose(H.toarray(), np.diag(2 * np.cos(2 * X)), atol=1e-14)


def test_an_opaque_derivative_is_not_differentiated_in_silence():
    opaque = primitive(lambda x: np.diag([math.cos(entry) for entry in x]))(sines)
    with pytest.raises(NoRuleError, match="cannot be traced"):
        jb.hessian(lambda x: np.sum(opaque(x) ** 2))(X)


def test_compiled_functions_ask_for_it_anew():
    opaque = primitive(lambda x: np.diag([math.cos(entry) for entry in x]))(sines)
    F = jb.compile(jb.jacobian(lambda x: opaque(2 * x)), X)
    np.testing.assert_allclose(F(X + 1).toarray(), np.diag(2 * np.cos(2 * X + 2)))


def test_arrays_of_the_user_are_not_changed():
    @primitive(lambda x: np.eye(3))
    def greedy(x):
        x += 1
        return x

    def f(x):
        y = 2 * x
        return greedy(y) * y

    np.testing.assert_allclose(jb.jacobian(f)(X).toarray(), np.diag(8 * X + 2))


def test_check_proves_it():
    opaque = primitive(lambda x: np.diag(np.sin(x)))(sines)
    report = jb.check(opaque.__wrapped__, lambda x: jb.jacobian(opaque)(x), X)
    assert report.verdict == "wrong"


def test_misuse():
    with pytest.raises(InputError, match="functions that return derivatives"):
        primitive(np.eye(3))
    with pytest.raises(InputError, match="2 derivatives for the 1 arguments"):
        primitive(np.cos, np.sin)(sines)
    with pytest.raises(InputError, match="0 derivatives"):
        primitive()(sines)
    with pytest.raises(MemoryError, match="sparse"):
        huge = primitive(lambda x: aslinearoperator(scipy.sparse.eye_array(20_000)))(lambda x: x + 0)
        jb.jacobian(huge)(np.zeros(20_000))


def test_defaults_of_the_function_reach_its_derivative():
    @primitive(lambda x, scale: np.diag(scale * np.cos(x)))
    def scaled(x, scale=2.0):
        return scale * sines(x)

    np.testing.assert_allclose(jb.jacobian(scaled)(X).toarray(), np.diag(2 * np.cos(X)))


@pytest.mark.parametrize("shape", [(2, 300), (300, 2)])
def test_the_entries_of_an_operator_cost_products_on_its_shorter_side(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    products = []

    def times(A):
        return lambda v: products.append(1) or A @ v

    operator = LinearOperator(shape, matvec=times(matrix), rmatvec=times(matrix.T), dtype=float)
    product = primitive(lambda x: operator)(lambda x: np.array((matrix @ x).tolist()))
    np.testing.assert_allclose(jb.jacobian(product)(np.ones(shape[1])).toarray(), matrix)
    assert len(products) <= 4
