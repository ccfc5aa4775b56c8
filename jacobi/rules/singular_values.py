"""Singular values and what stands on them: the pseudo-inverse and least squares.

Where singular values are equal (up to rounding), their vectors have no derivative: the entries are NaN.
The equal values themselves have a kink there: their derivatives are those along the vectors that NumPy chose, so that
symmetric functions of them (the nuclear norm ...) stay right.  The derivative of a singular value at 0 is 0, as that
of ``abs``.  The pseudo-inverse jumps where the rank falls: its derivative there is NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, dispatchable, einstein, indicator
from jacobi.rules.decompositions import (
    EVERY_COLUMN,
    RECTANGLES,
    added,
    both,
    epsilon,
    positive_part,
    reciprocal_gaps,
    rectangular,
    repeated,
    sandwiched,
    turned,
)
from jacobi.rules.linalg import batch
from jacobi.rules.registry import composed, rule, silent
from jacobi.rules.samples import Call, Samples

GILES = "M. B. Giles, An extended collection of matrix derivative results (2008)"
GOLUB = "G. H. Golub, V. Pereyra, SIAM Journal on Numerical Analysis 10 (1973) 413-432"


def by_singular_value(y: Any, a: Any) -> Jacobian:
    """``ds_i = u_i^T dA v_i``, and 0 where ``s_i`` is 0."""
    s = batch(a, 2)
    u, vh = left_singular_vectors(a), right_singular_vectors(a)
    subscripts = ((*s, "i"), (*s, "k", "l"), (*s, "k", "i"), (*s, "i", "l"), (*s, "i"))
    return einstein(subscripts, y.shape, a.shape, u, vh, positive_part(y))


def by_singular_vector(own: Any, other: Any, sigma: Any, a: Any, left: bool) -> Jacobian:
    """Of ``A = U S V^T``: ``dU = U (F o (C S + S C^T)) + (I - U U^T) dA V S^-1`` with ``C = U^T dA V``.

    Here ``F[p, j] = 1 / (s[j]**2 - s[p]**2)``; the right vectors are the left ones of the transposed matrix.
    """
    s, size = batch(a, 2), sigma.shape[-1]
    of_j, of_p = sigma[..., None, :], sigma[..., :, None]
    weights = reciprocal_gaps(sigma) / (of_j + of_p + np.eye(size, dtype=a.dtype))
    tall = own.shape[-2] > size
    positive = positive_part(sigma)
    inverse = positive / (sigma * positive)
    mine = sandwiched(own, weights * of_j - inverse[..., None, :] if tall else weights * of_j, own)
    crossed = sandwiched(own, weights * of_p, other)
    entry = (*s, "i", "j") if left else (*s, "j", "i")
    out_shape = own.shape if left else (*own.shape[:-2], size, own.shape[-2])

    def change(k: Any, l: Any) -> tuple[Any, ...]:
        return (*s, k, l) if left else (*s, l, k)

    parts: list[tuple[Any, ...]] = [
        ((entry, change("k", "l"), (*s, "j", "i", "k"), (*s, "l", "j")), mine, other),
        ((entry, change("k", "l"), (*s, "j", "i", "l"), (*s, "k", "j")), crossed, own),
    ]
    if tall:
        parts.append(((entry, change("i", "l"), (*s, "l", "j"), (*s, "j")), other, inverse))
    return added(out_shape, a.shape, *parts)


@dispatchable
def singular_values(a: Any) -> Any:
    """The singular values that ``svd`` gives beside the vectors."""
    return np.linalg.svd(a, full_matrices=False).S


@dispatchable
def left_singular_vectors(a: Any) -> Any:
    """The left singular vectors, as many as there are singular values."""
    return np.linalg.svd(a, full_matrices=False).U


@dispatchable
def right_singular_vectors(a: Any) -> Any:
    """The right singular vectors, as rows, as many as there are singular values."""
    return np.linalg.svd(a, full_matrices=False).Vh


def vector_kink(y: Any, a: Any, tall: bool) -> Any:
    """Where singular vectors have no derivative: at equal values, and at 0 where they have room to turn."""
    sigma = np.linalg.svdvals(a)
    return repeated(sigma) | (positive_part(sigma) == 0) & tall


SVDResult = type(np.linalg.svd(np.eye(1)))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """``numpy.linalg.svd`` through one operation per result."""
    if hermitian:
        raise TraceError(
            at_users_line(
                "numpy.linalg.svd(..., hermitian=True) cannot be differentiated", "Use np.linalg.eigh, or leave it out."
            )
        )
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        raise TraceError(
            at_users_line(
                "the vectors that numpy.linalg.svd adds to fill a square matrix are arbitrary, without a derivative",
                "Use np.linalg.svd(a, full_matrices=False).",
            )
        )
    return SVDResult(left_singular_vectors(a), singular_values(a), right_singular_vectors(a))


for _function in (np.linalg.svdvals, singular_values):
    rule(
        _function,
        by_singular_value,
        samples=rectangular(*RECTANGLES),
        kink=lambda y, a: repeated(y) | (positive_part(y) == 0),
        source=GILES,
    )
rule(
    left_singular_vectors,
    lambda y, a: by_singular_vector(y, turned(right_singular_vectors(a)), singular_values(a), a, True),
    samples=rectangular(*RECTANGLES),
    kink=lambda y, a: vector_kink(y, a, a.shape[-2] > a.shape[-1])[..., None, :],
    source=GILES,
    dense=EVERY_COLUMN,
)
rule(
    right_singular_vectors,
    lambda y, a: by_singular_vector(turned(y), left_singular_vectors(a), singular_values(a), a, False),
    samples=rectangular(*RECTANGLES),
    kink=lambda y, a: vector_kink(y, a, a.shape[-2] < a.shape[-1])[..., :, None],
    source=GILES,
    dense=EVERY_COLUMN,
)
composed(
    np.linalg.svd,
    svd,
    samples=both(
        rectangular(*RECTANGLES, full_matrices=False),
        rectangular((3, 3)),
        rectangular((3, 2), (2, 2, 3), compute_uv=False),
    ),
)
silent(np.linalg.matrix_rank)


# Pseudo-inverse and least squares --------------------------------------------------------------------------------


def has_full_rank(a: Any, cutoff: Any) -> Any:
    """1 for matrices of full rank, 0 for others."""
    sigma = np.linalg.svdvals(a)
    smallest = max(a.shape[-2:]) * epsilon(a)
    limit = np.maximum(np.asarray(cutoff), smallest) * np.max(sigma, axis=-1)
    return indicator(np.min(sigma, axis=-1), limit, np.greater, a.dtype)


def full_rank(a: Any, cutoff: Any) -> Any:
    """1 for matrices of full rank; NaN for others, at which the pseudo-inverse jumps."""
    full = has_full_rank(a, cutoff)
    return full / full


def projection_terms(p: Any, a: Any) -> tuple[Any, Any]:
    """``P P^T`` where there are more rows than columns, ``I - P A`` where there are fewer; None elsewhere."""
    rows, columns = a.shape[-2:]
    inner = p @ turned(p) if rows > columns else None
    return inner, np.eye(columns, dtype=a.dtype) - p @ a if rows < columns else None


def pseudo_inverse(y: Any, a: Any, cutoff: Any) -> Jacobian:
    """``dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P``."""
    if 0 in a.shape:
        return Jacobian.zero(y.shape, a.shape)
    s, whole = batch(a, 2), full_rank(a, cutoff)
    inner, outer = projection_terms(y, a)
    entry = (*s, "i", "l"), (*s, "k", "j")
    parts: list[tuple[Any, ...]] = [((*entry, (*s, "i", "k"), (*s, "j", "l"), s), -y, y, whole)]
    if inner is not None:
        rest = np.eye(a.shape[-2], dtype=a.dtype) - a @ y
        parts.append(((*entry, (*s, "i", "j"), (*s, "k", "l"), s), inner, rest, whole))
    if outer is not None:
        parts.append(((*entry, (*s, "i", "j"), (*s, "k", "l"), s), outer, turned(y) @ y, whole))
    return added(y.shape, a.shape, *parts)


def pinv_call(
    a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue
) -> tuple[Any, dict[str, Any]]:
    """A call of ``pinv`` with its threshold of singular values."""
    if hermitian:
        raise TraceError(
            at_users_line("numpy.linalg.pinv(..., hermitian=True) cannot be differentiated", "Leave hermitian= out.")
        )
    if rcond is not None:
        return (a,), {"cutoff": rcond}
    if rtol is np._NoValue:
        return (a,), {"cutoff": 1e-15}
    return (a,), {"cutoff": max(a.shape[-2:]) * epsilon(a) if rtol is None else rtol}


rule(
    np.linalg.pinv,
    pseudo_inverse,
    unpack=pinv_call,
    evaluate=lambda a, cutoff: np.linalg.pinv(a, rcond=cutoff),
    samples=both(rectangular(*RECTANGLES), rectangular((3, 2), rtol=1e-8)),
    kink=lambda y, a, cutoff: (has_full_rank(a, cutoff) == 0)[..., None, None],
    source=GOLUB,
    dense="the projector on the space of the residuals",
)


@dispatchable
def least_squares_solution(a: Any, b: Any, rcond: Any = None) -> Any:
    """The least-squares solution of ``a x = b``, the smallest one where there are many."""
    return np.linalg.lstsq(a, b, rcond)[0]


@dispatchable
def squared_residuals(a: Any, b: Any, rcond: Any = None) -> Any:
    """The sums of squared residuals of least squares; empty where there are none."""
    return np.linalg.lstsq(a, b, rcond)[1]


@dispatchable
def rank_of_least_squares(a: Any, b: Any, rcond: Any = None) -> Any:
    """The rank that ``lstsq`` finds."""
    return np.linalg.lstsq(a, b, rcond)[2]


def cutoff_of(a: Any, rcond: Any) -> float:
    """The threshold of ``lstsq`` below which it takes a singular value for 0, in units of the largest one."""
    eps = epsilon(a)
    return eps * max(a.shape) if rcond is None else eps if rcond < 0 else float(rcond)


def solution_by_matrix(y: Any, a: Any, b: Any, rcond: Any = None) -> Jacobian:
    """``dx = -P dA x + P P^T dA^T r + (I - P A) dA^T P^T x`` with the residual ``r = b - A x``."""
    columns = ("c",) * (b.ndim - 1)
    p, whole = np.linalg.pinv(a), full_rank(a, cutoff_of(a, rcond))
    inner, outer = projection_terms(p, a)
    entry = ("i", *columns), "kj"
    of_x, of_b = ("j", *columns), ("k", *columns)
    parts: list[tuple[Any, ...]] = [((*entry, "ik", of_x, ()), -p, y, whole)]
    if inner is not None:
        parts.append(((*entry, "ij", of_b, ()), inner, b - a @ y, whole))
    if outer is not None:
        parts.append(((*entry, "ij", of_b, ()), outer, turned(p) @ y, whole))
    return added(y.shape, a.shape, *parts)


def solution_by_right_side(y: Any, a: Any, b: Any, rcond: Any = None) -> Jacobian:
    """``dx = P db``."""
    columns = ("c",) * (b.ndim - 1)
    p, whole = np.linalg.pinv(a), full_rank(a, cutoff_of(a, rcond))
    return einstein((("i", *columns), ("k", *columns), "ik", ()), y.shape, b.shape, p, whole)


def residuals_by(operand: int) -> Any:
    """``d(r^T r) = 2 r^T (db - dA x)``, since ``r^T A = 0``."""

    def by(y: Any, a: Any, b: Any, rcond: Any = None) -> Jacobian:
        x = (a, b)[operand]
        if not y.size:
            return Jacobian.zero(y.shape, x.shape)
        columns = ("c",) * (b.ndim - 1)
        solution = least_squares_solution(a, b, rcond)
        residual = b - a @ solution
        of_y, of_b, of_x = columns or ("one",), ("k", *columns), ("j", *columns)
        if operand:
            return einstein((of_y, of_b, of_b), y.shape, b.shape, residual, coefficient=2)
        return einstein((of_y, "kj", of_b, of_x), y.shape, a.shape, residual, solution, coefficient=-2)

    return by


def systems(*shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> Samples:
    """Calls with matrices of full rank and right-hand sides."""

    def generate(rng: np.random.Generator) -> Any:
        matrices = rectangular(*(of_a for of_a, _ in shapes))(rng)
        for (_, of_b), ((a,), _) in zip(shapes, matrices, strict=True):
            call: Call = ((a, rng.uniform(0.5, 2.0, of_b)), {})
            yield call

    return generate


SYSTEMS = systems(((4, 2), (4,)), ((4, 2), (4, 3)), ((3, 3), (3, 1)), ((2, 4), (2,)), ((2, 3), (2, 2)), ((1, 1), (1,)))

rule(
    least_squares_solution,
    solution_by_matrix,
    solution_by_right_side,
    samples=SYSTEMS,
    kink=lambda y, a, b, rcond=None: has_full_rank(a, cutoff_of(a, rcond)) == 0,
    source=GOLUB,
    dense="the pseudo-inverse; where there are many solutions, the projector on the space of their differences",
)
rule(squared_residuals, residuals_by(0), residuals_by(1), samples=SYSTEMS, source=GOLUB)
silent(rank_of_least_squares)
composed(
    np.linalg.lstsq,
    lambda a, b, rcond=None: (
        least_squares_solution(a, b, rcond),
        squared_residuals(a, b, rcond),
        rank_of_least_squares(a, b, rcond),
        np.linalg.svdvals(a),
    ),
    samples=SYSTEMS,
)
