"""A neuron, its loss and its training, as the notes on Parr and Howard (arXiv 1802.01528) work them out.

Misprints are marked as in ``test_matrix_calculus``.
"""

import numpy as np
import pytest
from agreement import Rule, agreed, column, follow, row

import jacobi as jb

w = np.array([2.0, -3.0, 0.5, 1.5])
x = np.array([-1.0, 4.0, 2.0, -0.7])
n = x.size

# The activation of a neuron -------------------------------------------------------------------------------


def test_the_dot_product_by_local_jacobians():
    # dy/dw = dy/du du/dw = 1^T diag(x) = x^T with u = w o x, y = sum(u).
    # Misprint: dy/du is written as the derivative of sum(u) by w.  By u it is 1^T; by w it is already x^T.
    (by_u,) = jb.local.sum(w * x)
    u_by_w, u_by_x = jb.local.multiply(w, x)
    assert (by_u.structure, u_by_w.structure) == ("row", "diagonal")
    assert np.array_equal(by_u.toarray(), np.ones((1, n)))
    assert np.array_equal(u_by_w.toarray(), np.diag(x))
    for product, closed in ((by_u @ u_by_w, x), (jb.chain(by_u, u_by_w), x), (by_u @ u_by_x, w)):
        assert (product.shape, product.structure) == ((1, n), "row")
        assert np.array_equal(product.toarray(), row(closed))
    by_w, by_x = jb.local.dot(w, x)
    assert np.array_equal(by_w.toarray(), row(x))
    assert np.array_equal(by_x.toarray(), row(w))


def test_the_maximum_with_zero():
    follow(Rule("max(0, z), z < 0", lambda z: np.maximum(0, z), (-0.4,), (lambda z: 0,)))
    follow(Rule("max(0, z), z > 0", lambda z: np.maximum(0, z), (0.4,), (lambda z: 1,)))
    J = agreed(lambda x: np.maximum(0, x), (x,), np.diag(x > 0))
    assert J.structure == "diagonal"
    # Misprint: the derivative of max(0, x) by the vector x is printed as a column of the derivatives of the
    # entries.  In numerator layout it is the diagonal matrix of them.
    printed = column(x > 0)
    assert J.shape != printed.shape
    assert np.array_equal(J.diagonal(), printed.ravel())


def activation(w, x, b):
    return np.maximum(0, np.dot(w, x) + b)


@pytest.mark.parametrize("b", [9.0, 16.0], ids=["inactive", "active"])
def test_the_activation_of_a_neuron(b):
    active = float(w @ x + b > 0)
    by_w, by_x, by_b = follow(
        Rule(
            "max(0, w . x + b)",
            activation,
            (w, x, b),
            (lambda w, x, b: active * x, lambda w, x, b: active * w, lambda w, x, b: active),
        )
    )
    assert (by_w.shape, by_x.shape, by_b.shape) == ((1, n), (1, n), (1, 1))
    assert by_w.structure == "row"  # Misprint: one line has x, a column, for z > 0; it is the row x^T.

    # By the chain rule, d activation / dz dz/dw.
    (slope,) = jb.jacobian(lambda z: np.maximum(0, z), argnums=(0,))(w @ x + b)
    z_by_w = jb.local.dot(w, x)[0]
    np.testing.assert_allclose((slope @ z_by_w).toarray(), by_w.toarray(), rtol=1e-15)


def test_the_kink_of_a_neuron():
    b = -float(w @ x)
    for k, value in enumerate((w, x, b)):
        J = jb.jacobian(activation, k)(w, x, b)
        assert J.shape == (1, np.size(value))
        assert not J.toarray().any()  # the notes: 0 where w . x + b <= 0
        _, error = jb.finite_difference(activation, k)(w, x, b)
        assert np.isinf(error).all(), "there is no derivative"


def test_misprint_of_the_variable_of_the_activation():
    # Misprint: x^T is given as the derivative by x; it is the one by w, and the derivative by x is w^T.
    b = 16.0
    by_w, by_x, _ = jb.jacobian(activation, argnums=(0, 1, 2))(w, x, b)
    assert np.array_equal(by_w.toarray(), row(x))
    assert np.array_equal(by_x.toarray(), row(w))
    assert not np.array_equal(by_x.toarray(), row(x))


# The loss -------------------------------------------------------------------------------------------------

rng = np.random.default_rng(7)
N = 9
X = rng.normal(size=(N, n))  # one sample to a row; the notes write the samples as columns
y = rng.normal(size=N)
# Misprint: the case distinction is drawn out of the sum over the samples.  That is right only if all samples
# fall into the same case; the mask of sample i belongs inside the sum.
BIASES = {"all inactive": -50.0, "all active": 50.0, "mixed": 0.1}


def loss(w, b):
    return np.mean((y - np.maximum(0, X @ w + b)) ** 2)


def loss_sample_by_sample(w, b):
    """The loss as the notes write it: (1/N) times the sum of (y_i - max(0, w . x_i + b))^2."""
    return sum((y_i - np.maximum(0, np.dot(w, x_i) + b)) ** 2 for x_i, y_i in zip(X, y, strict=True)) / N


def by_cases(w, b):
    """The derivatives as the first lines of the derivation: the case distinction inside the sum."""
    by_w, by_b = np.zeros((1, n)), 0.0
    for x_i, y_i in zip(X, y, strict=True):
        if w @ x_i + b > 0:
            by_w += -2 * (y_i - np.maximum(0, w @ x_i + b)) * row(x_i) / N
            by_b += -2 * (y_i - np.maximum(0, w @ x_i + b)) / N
    return by_w, by_b


def by_errors(w, b):
    """The same by the errors e_i = w . x_i + b - y_i of the active samples."""
    e = np.where(X @ w + b > 0, X @ w + b - y, 0)
    return 2 / N * row(e @ X), 2 / N * e.sum()


def by_errors_without_cases(w, b):
    """The last lines: the errors of all samples, "only the nonzero case"."""
    e = X @ w + b - y
    return 2 / N * row(e @ X), 2 / N * e.sum()


@pytest.mark.parametrize("cost", [loss, loss_sample_by_sample], ids=["vectorised", "sample by sample"])
@pytest.mark.parametrize("formulas", [by_cases, by_errors])
@pytest.mark.parametrize("b", BIASES.values(), ids=BIASES)
def test_the_loss(b, formulas, cost):
    for k, closed in enumerate(formulas(w, b)):
        J = agreed(cost, (w, b), closed, k)
        assert J.shape == (1, (n, 1)[k])


@pytest.mark.parametrize(("case", "b"), BIASES.items(), ids=BIASES)
def test_misprint_of_the_cases_outside_the_sum(case, b):
    J = jb.jacobian(loss)(w, b).toarray()
    nothing, everything = np.zeros((1, n)), by_errors_without_cases(w, b)[0]
    assert np.allclose(J, nothing) == (case == "all inactive")
    assert np.allclose(J, everything) == (case == "all active")


def test_the_loss_by_its_local_jacobians():
    # u = max(0, X w + b), v = y - u, C = mean(v^2)
    b = BIASES["mixed"]
    u = np.maximum(0, X @ w + b)
    v = y - u
    links = [
        jb.local.mean(v**2)[0],
        jb.local.square(v)[0],
        jb.local.subtract(y, u)[1],
        jb.jacobian(lambda z: np.maximum(0, z))(X @ w + b),
        jb.local.matmul(X, w)[1],
    ]
    assert [J.structure for J in links[:-1]] == ["row", "diagonal", "diagonal", "diagonal"]
    assert np.array_equal(links[2].toarray(), -np.eye(N))
    assert np.array_equal(links[4].toarray(), X)
    product = jb.chain(*links)
    assert product.structure == "row"
    np.testing.assert_allclose(product.toarray(), by_errors(w, b)[0], rtol=1e-13)


def test_samples_as_columns():
    # With X = [x_1, ..., x_N] as the notes write it, the errors stand on the right: (2/N) (X e)^T.
    samples, b = X.T, BIASES["mixed"]
    agreed(lambda w: np.mean((y - np.maximum(0, w @ samples + b)) ** 2), (w,), by_errors(w, b)[0])


@pytest.mark.parametrize("b", BIASES.values(), ids=BIASES)
def test_weights_and_bias_in_one_vector(b):
    # w_hat = [w^T, b], x_hat = [x^T, 1], so that w . x + b = w_hat . x_hat
    w_hat, X_hat = np.append(w, b), np.hstack([X, np.ones((N, 1))])
    np.testing.assert_allclose(X_hat @ w_hat, X @ w + b, rtol=1e-14)

    def cost(w_hat):
        return np.mean((y - np.maximum(0, X_hat @ w_hat)) ** 2)

    by_w, by_b = by_errors(w, b)
    J = agreed(cost, (w_hat,), np.append(by_w, by_b))
    assert (J.shape, J.structure) == ((1, n + 1), "row")
    parts = [part.toarray() for part in jb.jacobian(loss, argnums=(0, 1))(w, b)]
    np.testing.assert_allclose(J.toarray(), np.hstack(parts), rtol=1e-13, atol=1e-15)


def test_a_step_of_gradient_descent():
    b, eta = BIASES["mixed"], 0.05
    before, (by_w, by_b) = jb.value_and_gradient(loss, argnums=(0, 1))(w, b)
    assert by_w.shape == w.shape  # shaped like w, so that it can be subtracted; the derivative is a row
    new_w, new_b = w - eta * by_w, b - eta * by_b
    hand_w, hand_b = by_errors(w, b)
    np.testing.assert_allclose(new_w, w - eta * hand_w.ravel(), rtol=1e-13)
    np.testing.assert_allclose(new_b, b - eta * hand_b, rtol=1e-13)
    assert loss(new_w, new_b) < before

    # The two steps are one step of w_hat.
    w_hat, X_hat = np.append(w, b), np.hstack([X, np.ones((N, 1))])
    together = w_hat - eta * jb.gradient(lambda v: np.mean((y - np.maximum(0, X_hat @ v)) ** 2))(w_hat)
    np.testing.assert_allclose(together, np.append(new_w, new_b), rtol=1e-13)
