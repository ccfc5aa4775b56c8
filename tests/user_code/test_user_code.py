"""Unchanged user code: right derivatives at a small size, and at a larger one the structure a specialist expects.

Every case is small enough for finite differences and names what the Jacobian (for scalar functions also the Hessian)
must look like when it is larger: a structure, or how much may be stored for every entry that is not zero.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import functions as user
import numpy as np
import pytest

import jacobi as jb

SPARSE = 24  # bytes for an entry that is not zero: a value, a row and a column
DENSE = 8  # bytes for an entry of a full matrix


class Kept(NamedTuple):
    """What a derivative at the larger size must look like.

    Attributes
    ----------
    names : set of str
        The acceptable structures; any if empty.
    entries : float
        How many entries may be stored for each that is not zero.
    nbytes : float
        How many bytes may be stored for each entry that is not zero.
    """

    names: frozenset[str] = frozenset()
    entries: float = np.inf
    nbytes: float = SPARSE


def named(*names: str, entries: float = 1.0, nbytes: float = DENSE) -> Kept:
    """One of some structures, with at most the entries that are not zero."""
    return Kept(frozenset(names), entries, nbytes)


def sparse(entries: float = 1.0) -> Kept:
    """Whatever its name, hardly more entries than those that are not zero."""
    return Kept(entries=entries, nbytes=SPARSE * entries)


FULL = Kept(nbytes=SPARSE)  # no structure, and little that is stored twice
SMALL = Kept(nbytes=np.inf)  # a matrix much smaller than the data: factors may stay apart
ROW = Kept(frozenset({"row"}), nbytes=4 * DENSE)  # a sum of a few vectors
BLOCKS = Kept(frozenset({"block diagonal"}), nbytes=3 * DENSE)  # with products that are not multiplied out


class Case(NamedTuple):
    """A user's function with arguments for every size.

    Attributes
    ----------
    function : callable
        The user's function.
    arguments : callable
        ``arguments(rng, n)`` for a size ``n``.
    by : dict
        What the derivative by each argument looks like.
    hessian : Kept or None
        What the Hessian of a scalar function by its first argument looks like.
    small, large : int
        The sizes.
    per_sample : bool
        Whether the first axis of the first argument counts independent samples.
    """

    function: Callable[..., Any]
    arguments: Callable[[np.random.Generator, int], tuple[Any, ...]]
    by: dict[int, Kept]
    hessian: Kept | None = None
    small: int = 5
    large: int = 40
    per_sample: bool = False

    def at(self, n: int) -> tuple[Any, ...]:
        """The arguments for a size."""
        return self.arguments(np.random.default_rng(20), n)


def spd(rng, n):
    """A symmetric positive definite matrix."""
    A = rng.normal(size=(n, n + 2))
    return A @ A.T / n + np.eye(n)


def bars_of_truss(n):
    """A ladder of n fields: the bars."""
    below, above = np.arange(0, 2 * n, 2), np.arange(1, 2 * n, 2)
    pairs = [(below[:-1], below[1:]), (above[:-1], above[1:]), (below, above)]
    return np.concatenate([np.stack(pair, axis=1) for pair in pairs])


def nodes_of_truss(n):
    """A ladder of n fields: the nodes."""
    return np.array([[k // 2, k % 2] for k in range(2 * n)], dtype=float)


CASES = [
    # Partial differential equations
    Case(user.burgers, lambda r, n: (r.normal(size=n + 2), 0.1, 0.5), {0: sparse()}),
    Case(user.heat_periodic, lambda r, n: (r.normal(size=n), 0.3, 0.5), {0: sparse()}),
    Case(user.upwind_advection, lambda r, n: (r.normal(size=n), 1.0, 0.1, 0.3), {0: named("banded", "sparse")}),
    Case(user.wave_equation, lambda r, n: (r.normal(size=n), 0.4, 3), {0: sparse(2.0)}, small=9),
    Case(user.bratu_1d, lambda r, n: (r.normal(size=n), 2.0), {0: sparse(1.4)}),
    Case(user.bratu_2d, lambda r, n: (r.normal(size=(n, n + 1)), 2.0), {0: sparse(1.4)}, small=3, large=12),
    Case(
        user.laplacian_with_boundary_rows, lambda r, n: (r.normal(size=(n, n + 2)), r.normal(size=n + 2)),
        {0: sparse(), 1: sparse()}, small=4, large=12,
    ),
    Case(
        user.brusselator_2d, lambda r, n: (r.uniform(0.5, 2, 2 * n * (n + 1)), n, n + 1, 0.1), {0: sparse(1.4)},
        small=3, large=12,
    ),
    Case(
        user.gray_scott, lambda r, n: (r.uniform(0.2, 1, (2, n, n + 1)), 0.16, 0.08, 0.035, 0.065), {0: sparse(1.4)},
        small=3, large=12,
    ),
    Case(
        user.implicit_heat_residual, lambda r, n: (r.normal(size=n), r.normal(size=n), 0.1),
        {0: sparse(1.4), 1: named("diagonal")},
    ),
    Case(user.shallow_water, lambda r, n: (r.uniform(1, 2, (2, n)), 0.01, 0.1), {0: sparse(1.4)}),
    Case(user.cahn_hilliard, lambda r, n: (r.normal(size=n), 0.2), {0: sparse(2.0)}, small=7),
    Case(user.loop_laplacian, lambda r, n: (r.normal(size=(n, n + 1)),), {0: sparse()}, small=4, large=10),
    # Systems of equations and test functions of optimisation
    Case(user.broyden_tridiagonal, lambda r, n: (r.normal(size=n),), {0: named("banded", "sparse")}),
    Case(user.discrete_integral_equation, lambda r, n: (r.normal(size=n),), {0: FULL}),
    Case(user.rosenbrock, lambda r, n: (r.normal(size=n),), {0: ROW}, sparse(2.0)),
    Case(user.powell_singular, lambda r, n: (r.normal(size=4 * n),), {0: ROW}, sparse(2.0), small=2),
    Case(
        user.quadratic_form, lambda r, n: (r.normal(size=n), r.normal(size=(n, n)), r.normal(size=n)),
        {0: ROW, 1: ROW, 2: ROW}, FULL,
    ),
    Case(
        user.thomas,
        lambda r, n: (r.normal(size=n), 4 + r.normal(size=n), r.normal(size=n), r.normal(size=n)),
        {k: FULL for k in range(4)}, large=25,
    ),
    Case(
        user.total_variation, lambda r, n: (r.normal(size=(n, n + 1)), 0.1), {0: ROW}, sparse(2.5),
        small=3, large=12,
    ),
    Case(
        user.tikhonov, lambda r, n: (r.normal(size=n), r.normal(size=(n + 2, n)), r.normal(size=n + 2), 0.3),
        {0: ROW}, FULL,
    ),
    Case(
        user.chebyshev_series, lambda r, n: (r.uniform(-1, 1, n), r.normal(size=4)),
        {0: named("diagonal"), 1: FULL}, per_sample=True,
    ),
    # Layers and losses of networks
    Case(
        user.dense_layer, lambda r, n: (r.normal(size=(n, 3)), r.normal(size=(4, 3)), r.normal(size=4)),
        {0: BLOCKS, 1: sparse(), 2: sparse()}, per_sample=True,
    ),
    Case(
        user.mlp_loss,
        lambda r, n: (
            r.normal(size=(3, 4)), r.normal(size=4), r.normal(size=(4, 1)), r.normal(size=1), r.normal(size=(n, 3)),
            r.normal(size=n),
        ),
        {k: ROW for k in range(3)}, FULL,
    ),
    Case(
        user.softmax_cross_entropy, lambda r, n: (r.normal(size=(n, 3)), r.integers(0, 3, n)),
        {0: ROW}, BLOCKS,
    ),
    Case(user.softmax, lambda r, n: (r.normal(size=(n, 3)),), {0: BLOCKS}, per_sample=True),
    Case(
        user.layer_norm, lambda r, n: (r.normal(size=(n, 4)), r.normal(size=4), r.normal(size=4)),
        {0: BLOCKS, 1: sparse(), 2: sparse()}, per_sample=True,
    ),
    Case(
        user.batch_norm, lambda r, n: (r.normal(size=(n, 3)), r.normal(size=3), r.normal(size=3)),
        {0: sparse(4.0), 1: sparse(), 2: sparse()},
    ),
    Case(
        user.attention,
        lambda r, n: (r.normal(size=(n, 3, 4)), r.normal(size=(4, 2)), r.normal(size=(4, 2)), r.normal(size=(4, 3))),
        {0: BLOCKS, 1: FULL, 3: sparse()},
        small=2, large=10, per_sample=True,
    ),
    Case(
        user.causal_attention_heads, lambda r, n: (r.normal(size=(n, 3, 4)), r.normal(size=(3, 2, 4, 2))),
        {0: BLOCKS, 1: FULL}, small=2, large=10, per_sample=True,
    ),
    Case(
        user.conv1d, lambda r, n: (r.normal(size=n + 2), r.normal(size=3)),
        {0: named("banded", "sparse"), 1: FULL},
    ),
    Case(
        user.conv2d, lambda r, n: (r.normal(size=(n + 1, n + 2)), r.normal(size=(2, 3))), {0: sparse(), 1: FULL},
        small=3, large=12,
    ),
    Case(
        user.embedding_mean, lambda r, n: (r.normal(size=(n, 3)), r.integers(0, n, (4, 2))), {0: sparse(2.0)},
    ),
    Case(
        user.embedding, lambda r, n: (r.normal(size=(n, 3)), r.integers(0, n, (4, 2))),
        {0: named("selection", nbytes=SPARSE)},
    ),
    Case(
        user.rnn,
        lambda r, n: (
            r.normal(size=3), r.normal(size=(3, 3)) / 2, r.normal(size=(3, 2)), r.normal(size=3), r.normal(size=(n, 2))
        ),
        {0: FULL, 1: FULL, 4: FULL}, small=3, large=12,
    ),
    Case(
        user.lstm_cell,
        lambda r, n: (
            r.normal(size=(n, 2)), r.normal(size=(n, 3)), r.normal(size=(n, 3)), r.normal(size=(5, 12)),
            r.normal(size=12)
        ),
        {0: BLOCKS, 2: named("diagonal"), 3: sparse(1.5)},
        small=2, per_sample=True,
    ),
    Case(user.max_pool, lambda r, n: (r.normal(size=(n, 4, 6)),), {0: sparse(4.0)}, small=2, per_sample=True),
    Case(
        user.logistic_regression, lambda r, n: (r.normal(size=3), r.normal(size=(n, 3)), r.integers(0, 2, n)),
        {0: ROW}, FULL,
    ),
    Case(
        user.hinge_loss, lambda r, n: (r.normal(size=3), r.normal(size=(n, 3)), np.sign(r.normal(size=n))),
        {0: ROW}, named("identity", "diagonal"),
    ),
    Case(user.softplus, lambda r, n: (r.normal(size=(n, 3)),), {0: named("diagonal")}, per_sample=True),
    Case(user.gelu, lambda r, n: (r.normal(size=(n, 3)),), {0: named("diagonal")}, per_sample=True),
    Case(
        user.matrix_factorisation,
        lambda r, n: (
            r.normal(size=(n, 2)), r.normal(size=(n + 1, 2)), r.normal(size=3 * n), r.integers(0, n, 3 * n),
            r.integers(0, n + 1, 3 * n),
        ),
        {0: ROW, 1: ROW}, sparse(4.0),
    ),
    # Statistics
    Case(user.logsumexp, lambda r, n: (r.normal(size=n),), {0: ROW}, FULL),
    Case(
        user.gaussian_log_likelihood, lambda r, n: (r.normal(size=3), spd(r, 3), r.normal(size=(n, 3))),
        {0: ROW, 1: ROW}, FULL,
    ),
    Case(
        user.gaussian_cholesky, lambda r, n: (r.normal(size=6) / 2, r.normal(size=(n, 3))),
        {0: ROW}, FULL,
    ),
    Case(
        user.gp_marginal_likelihood, lambda r, n: (r.normal(size=3) / 2, r.normal(size=n), r.normal(size=n)),
        {0: ROW, 1: ROW}, FULL, large=20,
    ),
    Case(user.rbf_kernel, lambda r, n: (r.normal(size=(n, 2)), 0.4), {0: sparse(4.0)}, small=4, large=20),
    Case(
        user.kalman_step,
        lambda r, n: (
            r.normal(size=n), spd(r, n), r.normal(size=2), r.normal(size=(n, n)), r.normal(size=(2, n)), spd(r, n),
            spd(r, 2)
        ),
        {k: FULL for k in range(7)}, small=3, large=8,
    ),
    Case(user.arma_residuals, lambda r, n: (r.normal(size=3) / 3, r.normal(size=n + 2)), {0: FULL, 1: FULL}),
    Case(
        user.garch_likelihood, lambda r, n: (np.array([0.1, 0.2, 0.7]), r.normal(size=n)), {0: ROW, 1: ROW}, FULL,
    ),
    Case(
        user.iir_filter, lambda r, n: (r.normal(size=n), np.array([0.2, 0.3, 0.2]), np.array([1.0, -0.5, 0.2])),
        {0: sparse(), 1: FULL, 2: FULL},
    ),
    Case(
        user.gaussian_mixture, lambda r, n: (r.normal(size=(2, 3)), r.normal(size=(n, 3)), np.log([0.3, 0.7])),
        {0: ROW, 1: ROW, 2: ROW}, FULL,
    ),
    Case(user.student_t, lambda r, n: (r.normal(size=3), r.normal(size=n)), {0: ROW, 1: ROW}, FULL),
    Case(
        user.poisson_regression, lambda r, n: (r.normal(size=3), r.normal(size=(n, 3)), r.integers(0, 5, n)),
        {0: ROW}, FULL,
    ),
    Case(
        user.pca_reconstruction_error, lambda r, n: (r.normal(size=(4, 2)), r.normal(size=(n, 4))),
        {0: ROW, 1: ROW}, SMALL,
    ),
    Case(
        user.sharpe_ratio, lambda r, n: (r.uniform(0.5, 1, n), r.normal(size=n), spd(r, n)),
        {0: ROW, 1: ROW, 2: ROW}, FULL,
    ),
    # Mechanics and chemistry
    Case(user.robot_arm, lambda r, n: (r.normal(size=n), r.uniform(0.5, 1, n)), {0: FULL, 1: FULL}),
    Case(user.rotation_about_axis, lambda r, n: (r.normal(size=3), r.normal(size=(n, 3))), {0: FULL, 1: sparse()}),
    Case(user.quaternion_rotate, lambda r, n: (r.normal(size=4), r.normal(size=(n, 3))), {0: FULL, 1: sparse(4.0)}),
    Case(user.nbody_accelerations, lambda r, n: (r.normal(size=(n, 2)), r.uniform(1, 2, n)), {0: FULL, 1: FULL}),
    Case(user.lennard_jones, lambda r, n: (2 * r.normal(size=(n, 3)),), {0: ROW}, SMALL, small=4, large=12),
    Case(
        user.spring_chain_energy, lambda r, n: (r.normal(size=(n, 2)), 3.0, 0.5), {0: ROW}, sparse(2.5),
    ),
    Case(
        user.lotka_volterra_rk4, lambda r, n: (np.array([1.0, 0.6]), np.array([1.1, 0.4, 0.1, 0.4]), 0.1, n),
        {0: FULL, 1: FULL}, small=3, large=15,
    ),
    Case(
        user.pendulum_implicit_euler, lambda r, n: (r.normal(size=(n, 2)), r.normal(size=2), 0.1),
        {0: sparse(1.5), 1: sparse()},
    ),
    Case(
        user.michaelis_menten_residuals, lambda r, n: (np.array([2.0, 0.7]), r.uniform(0.1, 3, n), r.uniform(0, 2, n)),
        {0: FULL, 1: named("diagonal"), 2: named("diagonal")},
    ),
    Case(
        user.pharmacokinetics, lambda r, n: (np.array([0.3, -1.0, 0.5]), np.linspace(0.1, 8, n), 10.0),
        {0: FULL, 1: named("diagonal")},
    ),
    Case(
        user.arrhenius_network, lambda r, n: (r.uniform(0.5, 1, n), r.uniform(1, 2, n - 1)),
        {0: sparse(1.5), 1: sparse(1.5)},
    ),
    Case(
        user.broken_power_law, lambda r, n: (np.array([2.0, 1.0, 0.5, -1.5]), r.uniform(0.1, 4, n)),
        {0: FULL, 1: named("diagonal", entries=np.inf)},
    ),
    Case(
        user.natural_spline, lambda r, n: (r.normal(size=n), np.sort(r.uniform(0, 1, n)), r.uniform(0.3, 0.6, n + 3)),
        {0: FULL, 2: named("diagonal")}, large=20,
    ),
    Case(
        user.power_flow,
        lambda r, n: (r.uniform(0.9, 1.1, n), r.normal(size=n) / 9, r.normal(size=(n, n)), r.normal(size=(n, n))),
        {0: FULL, 1: FULL},
    ),
    Case(
        user.truss_residual,
        lambda r, n: (r.normal(size=(2 * n, 2)) / 20, nodes_of_truss(n), bars_of_truss(n), 7.0),
        {0: sparse(4.0)}, small=3,
    ),
    Case(user.least_squares_line, lambda r, n: (r.normal(size=n), r.normal(size=n)), {0: FULL, 1: FULL}),
    Case(
        user.polynomial_residuals, lambda r, n: (r.normal(size=4), r.normal(size=n), r.normal(size=n)),
        {0: FULL, 1: named("diagonal")},
    ),
    Case(user.projectile_range, lambda r, n: (np.array([9.0, 0.8, 0.05]),), {0: ROW}, FULL),
    Case(user.newton_square_root, lambda r, n: (r.uniform(1, 4, n),), {0: named("diagonal")}, per_sample=True),
]  # fmt: skip
SCALAR = [case for case in CASES if case.hessian]
PER_SAMPLE = [case for case in CASES if case.per_sample]
each = {"ids": lambda case: case.function.__name__}


def within(found, numerical, error):
    """Whether a derivative lies within the bounds of differences, and these say something."""
    scale = np.maximum(1.0, np.abs(numerical).max(initial=0.0))
    assert np.isfinite(error).all(), "a kink at this point, or a poor bound"
    assert (error <= 1e-4 * scale).all(), "a poor bound"
    np.testing.assert_array_less(np.abs(found - numerical) - error, 1e-13 * scale * found.shape[1])


@pytest.mark.parametrize("case", CASES, **each)
def test_jacobian_is_right_and_arrays_stay(case):
    arguments = case.at(case.small)
    before = [np.array(a) for a in arguments]
    plain = np.asarray(case.function(*(np.array(a) if isinstance(a, np.ndarray) else a for a in arguments)))
    value, found = jb.value_and_jacobian(case.function, tuple(case.by))(*arguments)
    np.testing.assert_allclose(value, plain, rtol=1e-12, atol=1e-12)
    for argument, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, copy)
    for k, J in zip(case.by, found, strict=True):
        assert (J.out_shape, J.in_shape) == (plain.shape, np.shape(arguments[k]))
        assert not J.kinks
        within(J.toarray(), *jb.finite_difference(case.function, k)(*arguments))
        alone = jb.jacobian(case.function, k)(*arguments)
        np.testing.assert_allclose(alone.toarray(), J.toarray(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", SCALAR, **each)
def test_gradient_and_hessian_are_right(case):
    arguments = case.at(case.small)
    gradient = jb.gradient(case.function)
    row = jb.jacobian(case.function)(*arguments)
    np.testing.assert_allclose(gradient(*arguments).ravel(), row.toarray()[0], rtol=1e-12, atol=1e-12)
    H = jb.hessian(case.function)(*arguments).toarray()
    np.testing.assert_allclose(H, H.T, rtol=1e-9, atol=1e-10 * np.abs(H).max())
    within(H, *jb.finite_difference(gradient)(*arguments))
    v = np.random.default_rng(1).normal(size=arguments[0].shape)
    product = jb.jvp(gradient, arguments, (v, *(None for _ in arguments[1:])))[1]
    np.testing.assert_allclose(product.ravel(), H @ v.ravel(), rtol=1e-9, atol=1e-10 * np.abs(H).max())


@pytest.mark.parametrize("case", CASES, **each)
def test_jvp_and_vjp_agree_with_the_matrix(case):
    arguments = case.at(case.small)
    J = jb.jacobian(case.function)(*arguments)
    rng = np.random.default_rng(2)
    v, u = rng.normal(size=J.in_shape), rng.normal(size=J.out_shape)
    forward = jb.jvp(case.function, arguments, (v, *(None for _ in arguments[1:])))[1]
    floats = [k for k, a in enumerate(arguments) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    if case.function is user.natural_spline:
        floats = [0, 2]  # it writes the others into a plain matrix
    backward = jb.vjp(of_some(case.function, arguments, floats), *(arguments[k] for k in floats))[1](u)
    backward = backward[0] if isinstance(backward, tuple) else backward
    size = np.abs(J.toarray()).sum()
    np.testing.assert_allclose(np.ravel(forward), J @ v.ravel(), rtol=1e-10, atol=1e-13 * size)
    np.testing.assert_allclose(np.ravel(backward), u.ravel() @ J, rtol=1e-10, atol=1e-13 * size)


def of_some(function, arguments, positions):
    """A function of some of its arguments."""

    def restricted(*some):
        chosen = dict(zip(positions, some, strict=True))
        return function(*(chosen.get(k, argument) for k, argument in enumerate(arguments)))

    return restricted


def kept(J, expected):
    """Fail where a derivative has lost the structure that was expected."""
    exact = int(np.count_nonzero(J.tocsr().data))
    assert not expected.names or J.structure in expected.names, f"{J!r}: not {sorted(expected.names)}"
    assert J.nnz <= expected.entries * exact, f"{J!r}: {J.nnz} entries are stored for {exact}"
    assert J.nbytes <= expected.nbytes * exact + 1000, f"{J!r}: {J.nbytes / exact:.1f} bytes for each entry"


@pytest.mark.parametrize(
    ("case", "k"), [pytest.param(case, k, id=f"{case.function.__name__}-{k}") for case in CASES for k in case.by]
)
def test_structure_is_kept(case, k):
    kept(jb.jacobian(case.function, k)(*case.at(case.large)), case.by[k])


@pytest.mark.parametrize("case", SCALAR, **each)
def test_structure_of_the_hessian_is_kept(case):
    kept(jb.hessian(case.function)(*case.at(case.large)), case.hessian)


@pytest.mark.parametrize("case", PER_SAMPLE, **each)
def test_blocks_are_the_jacobians_of_the_samples(case):
    X, *others = case.at(case.small)
    J = jb.jacobian(case.function)(X, *others)
    found = J.blocks()
    assert found.shape == (len(X), J.shape[0] // len(X), J.shape[1] // len(X))
    for k in range(len(X)):
        alone = [a[k : k + 1] if case.function is user.lstm_cell and len(a) == len(X) else a for a in others]
        one = jb.jacobian(case.function)(X[k : k + 1], *alone)
        np.testing.assert_allclose(found[k], one.toarray(), rtol=1e-10, atol=1e-12)
