"""The transforms: arguments, structures, auxiliary outputs, formats, nesting, types."""

import numpy as np
import pytest
import scipy.sparse

import jacobi as jb

X = np.array([0.5, -1.0, 2.0])


def test_argnums():
    J, K = jb.jacobian(lambda w, x: w * x, argnums=(0, 1))(X, X + 1)
    np.testing.assert_array_equal(J.diagonal(), X + 1)
    np.testing.assert_array_equal(K.diagonal(), X)
    assert isinstance(jb.jacobian(np.multiply, argnums=-1)(X, X), jb.Jacobian)
    assert len(jb.gradient(lambda w, x: w @ x, argnums=[1])(X, X)) == 1


def test_keywords_and_other_arguments_pass_through():
    def f(x, n, power=1, mode="a"):
        assert mode == "b" and type(n) is int
        return x[:n] ** power

    np.testing.assert_array_equal(jb.jacobian(f)(X, 2, power=2, mode="b").toarray(), [[1, 0, 0], [0, -2, 0]])


def test_dictionaries_and_tuples_of_arrays():
    parameters = {"W": np.ones((2, 3)), "b": (np.zeros(2), np.ones(3))}

    def layer(p, x):
        return np.tanh(p["W"] @ x + p["b"][0])

    blocks = jb.jacobian(layer)(parameters, X)
    assert set(blocks) == {"W", "b"} and isinstance(blocks["b"], tuple)
    assert blocks["W"].shape == (2, 6) and blocks["W"].in_shape == (2, 3)
    assert blocks["b"][1].structure == "zero"
    by_p, by_x = jb.jacobian(layer, argnums=(0, 1))(parameters, X)
    np.testing.assert_array_equal(by_p["W"].toarray(), blocks["W"].toarray())
    np.testing.assert_allclose(by_x.toarray(), blocks["b"][0].toarray() @ parameters["W"])
    by_p, by_x = jb.vjp(layer, parameters, X)[1](np.array([1.0, 2.0]))
    np.testing.assert_allclose(by_p["b"][0], np.array([1.0, 2.0]) @ blocks["b"][0])
    assert by_x.shape == (3,)


def test_auxiliary_outputs():
    def f(x):
        return np.sum(x**2), {"doubled": 2 * x, "text": "a"}

    g, aux = jb.gradient(f, has_aux=True)(X)
    np.testing.assert_array_equal(g, 2 * X)
    assert type(aux["doubled"]) is np.ndarray and aux["text"] == "a"
    (value, aux), J = jb.value_and_jacobian(f, has_aux=True)(X)
    assert value == np.sum(X**2) and J.shape == (1, 3)
    with pytest.raises(jb.errors.InputError, match="pair"):
        jb.jacobian(np.sin, has_aux=True)(X)


@pytest.mark.parametrize(
    ("format", "kind"),
    [
        ("array", np.ndarray),
        ("csr", scipy.sparse.csr_array),
        ("csc", scipy.sparse.csc_array),
        ("coo", scipy.sparse.coo_array),
        ("operator", scipy.sparse.linalg.LinearOperator),
    ],
)
def test_formats(format, kind):
    J = jb.jacobian(lambda x: x[1:] * x[:-1], format=format)(X)
    assert isinstance(J, kind)
    np.testing.assert_array_equal(J @ np.eye(3), [[-1.0, 0.5, 0.0], [0.0, 2.0, -1.0]])
    np.testing.assert_array_equal(J.T @ np.eye(2), np.array([[-1.0, 0.5, 0.0], [0.0, 2.0, -1.0]]).T)


def test_results_of_every_kind():
    assert jb.jacobian(lambda x: 1.0)(X).structure == "zero"
    assert jb.jacobian(lambda x: np.ones(2))(X).shape == (2, 3)
    assert jb.jacobian(lambda x: x)(X).structure == "identity"
    assert jb.jacobian(lambda x: [x[0], 1.0, x[1] * x[2]])(X).shape == (3, 3)
    assert jb.jacobian(lambda x: (x, 2 * x))(X).out_shape == (2, 3)
    assert jb.jacobian(lambda x: np.array([x[0], x[1]]))(X).structure == "selection"
    assert jb.jacobian(lambda x: np.array([[x[0], 1.0], [2.0, x[1]]]))(X).out_shape == (2, 2)
    assert jb.jacobian(lambda x: np.exp(np.array([x[0], x[1]])))(X).shape == (2, 3)
    value, J = jb.value_and_jacobian(lambda x: x * 2)(3)
    assert value == 6.0 and J.toarray() == [[2.0]]


def test_jvp_and_vjp_are_products_with_the_jacobian():
    def f(x, y):
        return np.outer(np.sin(x), y) @ np.ones(2)

    y = np.array([3.0, 4.0])
    J, K = jb.jacobian(f, argnums=(0, 1))(X, y)
    _, tangent = jb.jvp(f, (X, y), (X, y))
    np.testing.assert_allclose(tangent, J @ X + K @ y)
    np.testing.assert_allclose(jb.jvp(f, (X, y), (None, y))[1], K @ y)
    _, pullback = jb.vjp(f, X, y)
    for u in np.eye(3):
        np.testing.assert_allclose(pullback(u)[0], u @ J)
        np.testing.assert_allclose(pullback(u)[1], u @ K)
    assert jb.jvp(lambda x: np.ones(2), (X,), (X,))[1].tolist() == [0, 0]
    assert jb.vjp(lambda x: np.ones(2), X)[1](np.ones(2)).tolist() == [0, 0, 0]


def test_derivatives_of_derivatives():
    def cubes(x):
        return np.sum(x**3)

    np.testing.assert_allclose(jb.gradient(lambda x: np.sum(jb.gradient(cubes)(x) ** 2))(X), 36 * X**3)
    np.testing.assert_allclose(jb.hessian(cubes)(X).diagonal(), 6 * X)
    third = jb.jacobian(lambda x: jb.hessian(cubes)(x).toarray())(X)
    assert third.shape == (9, 3) and third.tensor()[1, 1, 1] == 6
    np.testing.assert_allclose(jb.jacobian(lambda x: jb.jacobian(lambda z: z**3)(x) @ x)(X).diagonal(), 9 * X**2)
    np.testing.assert_allclose(jb.jvp(jb.gradient(cubes), (X,), (X,))[1], 6 * X**2)
    np.testing.assert_allclose(jb.vjp(jb.gradient(cubes), X)[1](X), 6 * X**2)
    np.testing.assert_allclose(jb.jacobian(lambda x: jb.hessian(cubes)(x).diagonal())(X).diagonal(), [6, 6, 6])


def test_inner_and_outer_variables_are_kept_apart():
    # d/dx [x * d/dy (x + y)] = 1, the classical confusion of perturbations
    assert jb.gradient(lambda x: x * jb.gradient(lambda y: x + y)(1.0))(1.0) == 1.0
    closing = jb.gradient(lambda x: np.sum(jb.gradient(lambda z: np.sum(z**2 * x))(np.ones(3)) ** 2))(X)
    np.testing.assert_allclose(closing, 8 * X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept(dtype):
    x = X.astype(dtype)
    assert jb.jacobian(lambda x: np.tanh(x) * 2)(x).dtype == dtype
    assert jb.jacobian(lambda x: np.tanh(x) * 2)(x).toarray().dtype == dtype
    assert jb.gradient(lambda x: np.mean(x**2))(x).dtype == dtype
    assert jb.hessian(lambda x: np.sum(np.exp(x)))(x).dtype == dtype


def test_integers_become_floats():
    assert jb.jacobian(lambda x: x**2)(np.array([1, 2])).diagonal().tolist() == [2.0, 4.0]
    assert jb.gradient(lambda x: x**-1)(2) == -0.25


def test_empty_arrays():
    J = jb.jacobian(lambda x: x**2)(np.zeros(0))
    assert J.shape == (0, 0) and J.toarray().shape == (0, 0)
    assert jb.gradient(lambda x: np.sum(x))(np.zeros((0, 2))).shape == (0, 2)


def test_branches_follow_the_value():
    def f(x):
        return x**2 if np.all(x > 0) else -x

    assert jb.jacobian(f)(X).diagonal().tolist() == [-1, -1, -1]
    assert jb.jacobian(f)(np.ones(2)).diagonal().tolist() == [2, 2]


def test_strided_and_read_only_arguments():
    x = np.arange(12.0).reshape(3, 4)[:, ::-2]
    x.flags.writeable = False
    np.testing.assert_array_equal(jb.gradient(lambda x: np.sum(x**2))(x), 2 * x)
    np.testing.assert_array_equal(jb.jacobian(lambda x: x.T)(np.asfortranarray(x)).toarray() @ x.ravel(), x.T.ravel())
