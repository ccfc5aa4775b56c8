"""Functions composed at random from operations of all families have the derivatives that differences find."""

import numpy as np
import pytest
from compositions import Composition

import jacobi as jb

ROUNDINGS = 1e-12
BARS = 5.0  # the bounds of differences are estimates; so many of them are allowed


def slope(f, arguments, directions, shape):
    """The derivative along a direction by differences, and its bound; both infinite where f has no such value."""

    def along(t):
        try:
            value = np.asarray(f(*(np.asarray(a + t * v) for a, v in zip(arguments, directions, strict=True))))
        except (IndexError, ValueError, np.linalg.LinAlgError):
            return np.full(shape, np.nan)
        return value if value.shape == shape else np.full(shape, np.nan)

    value, bound = jb.finite_difference(along)(0.0)
    return value.ravel(), BARS * np.where(np.isnan(bound), np.inf, bound).ravel()


def agree(found, expected, bound, what):
    """Fail, with the worst entry, where two vectors differ by more than a bound."""
    __tracebackhide__ = True
    found, expected = np.ravel(found), np.ravel(expected)
    assert found.shape == expected.shape, f"{what}: {found.shape} and {expected.shape}"
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(found - expected) <= bound)
    if wrong.any():
        k = int(np.argmax(wrong))
        allowed = np.broadcast_to(bound, found.shape)[k]
        raise AssertionError(f"{what}: entry {k} is {found[k]} and {expected[k]}, the bound is {allowed}")


def check(c):
    """Check the first and second derivatives of a composition; the number of entries that differences decided."""
    __tracebackhide__ = True
    f, arguments = c.f, c.arguments
    everything = tuple(range(len(arguments)))
    plain = np.asarray(f(*(a.copy() for a in arguments)))
    before = [a.copy() for a in arguments]
    value, found = jb.value_and_jacobian(f, everything)(*arguments)
    for a, b in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(a, b, "the argument was changed")
    assert np.shape(value) == plain.shape, f"shape {np.shape(value)} for {plain.shape}"
    np.testing.assert_allclose(value, plain, ROUNDINGS, ROUNDINGS)
    full = np.concatenate([J.toarray() for J in found], axis=1)
    assert full.shape == (plain.size, sum(a.size for a in arguments))
    if any(J.kinks for J in found):
        return 0
    assert np.isfinite(full).all(), "infinite or NaN without a kink"
    size = 1 + np.abs(full).sum()
    for J in found:
        shapes_agree(J)

    directions = [c.rng.uniform(0.5, 1, a.shape) * c.rng.choice([-1.0, 1.0], a.shape) for a in arguments]
    v = np.concatenate([np.ravel(d) for d in directions])
    u = c.rng.uniform(0.5, 1, plain.shape) * c.rng.choice([-1.0, 1.0], plain.shape)
    numerical, bound = slope(f, arguments, directions, plain.shape)
    decided = np.isfinite(bound)
    agree((full @ v)[decided], numerical[decided], bound[decided] + 1e-13 * size, "J v and differences")
    agree(jb.jvp(f, tuple(arguments), tuple(directions))[1], full @ v, ROUNDINGS * size, "jvp and J v")
    covectors = jb.vjp(f, *arguments)[1](u)
    covectors = covectors if isinstance(covectors, tuple) else (covectors,)
    agree(np.concatenate([np.ravel(w) for w in covectors]), np.ravel(u) @ full, ROUNDINGS * size, "vjp and u J")

    def weighted(*arguments):
        return np.sum(f(*arguments) * u)

    gradient = jb.gradient(weighted, 0)
    hessian = jb.hessian(weighted)(*arguments)
    H = hessian.toarray()
    agree(gradient(*arguments), np.ravel(u) @ found[0], ROUNDINGS * size, "gradient and u J")
    if not decided.all() or hessian.kinks:
        return int(decided.sum())
    scale = 1 + np.abs(H).sum()
    agree(H, H.T, 1e-9 * scale, "the Hessian and its transpose")
    alone = [directions[0], *(0 * d for d in directions[1:])]
    numerical, bound = slope(gradient, arguments, alone, arguments[0].shape)
    smooth = np.isfinite(bound)
    product = H @ np.ravel(directions[0])
    agree(product[smooth], numerical[smooth], bound[smooth] + 1e-12 * scale, "H v and differences")
    return int(decided.sum() + smooth.sum())


def shapes_agree(J):
    """The exits of a Jacobian tell the same, and its structure is true of its entries."""
    full = J.toarray()
    np.testing.assert_allclose(J.tocsr().toarray(), full, 1e-14, 1e-14 * (1 + np.abs(full).max()))
    np.testing.assert_allclose(J.diagonal(), np.diagonal(full), 1e-14, 1e-14 * (1 + np.abs(full).max()))
    np.testing.assert_array_equal(J.T.toarray(), full.T)
    assert J.nnz >= np.count_nonzero(full)
    filled = [(full != 0).sum(axis=0).max(), (full != 0).sum(axis=1).max()]
    n = min(full.shape)
    true = {
        "zero": not full.any(),
        "identity": full.shape == (n, n) and (full == np.eye(n)).all(),
        "diagonal": full.shape == (n, n) and (full == np.diag(np.diagonal(full))).all(),
        "permutation": full.shape == (n, n) and filled == [1, 1] and full.sum() == n,
        "selection": filled[1] <= 1 and set(np.unique(full)) <= {0.0, 1.0},
        "rank one": np.linalg.matrix_rank(full, 1e-9 * (1 + np.abs(full).max())) <= 1,
        "row": full.shape[0] == 1,
        "column": full.shape[1] == 1,
    }
    assert true.get(J.structure, True), f"structure {J.structure!r} of\n{full}"
    if J.structure == "block diagonal":
        np.testing.assert_allclose(J.blocks().sum(), full.sum(), 1e-12, 1e-12 * (1 + np.abs(full).sum()))


@pytest.mark.parametrize("first", range(0, 320, 20))
def test_compositions(first):
    decided = 0
    for seed in range(first, first + 20):
        composition = Composition(seed)
        try:
            decided += check(composition)
        except Exception as error:
            error.add_note(f"in\n{composition}")
            raise
    assert decided > 60, "differences decided hardly anything"
