"""Decompositions of matrices: Cholesky, eigenvalues and eigenvectors, QR.

Every rule holds for stacks of matrices.  Operations with several results are composed of one operation per result.
Vectors that are fixed up to their sign follow the sign that NumPy chose at the point.  Where NumPy reads one triangle
only, the derivative by the entries of the other one is zero, and each entry that is read stands for its mirror image
as well.

Where eigenvalues are equal (up to rounding), their vectors have no derivative: the entries are NaN.  The equal values
themselves have a kink there: their derivatives are those along the vectors that NumPy chose, so that symmetric
functions of them (the trace, sums of powers ...) stay right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, chain, dispatchable, einstein, indicator
from jacobi.rules.linalg import SQUARE, batch, well_conditioned
from jacobi.rules.moves import selection
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import Call, Samples

MAGNUS = "J. R. Magnus, On differentiating eigenvalues and eigenvectors, Econometric Theory 1 (1985) 179-191"
MURRAY = "I. Murray, Differentiation of the Cholesky decomposition, arXiv 1602.07527"
WALTER = "S. F. Walter, L. Lehmann, Algorithmic differentiation of linear algebra functions, arXiv 1009.6112"
EVERY_COLUMN = "a matrix for every column: n^3 numbers stand for the n^4 of the Jacobian"


# What the rules share --------------------------------------------------------------------------------------------


def added(out_shape: layout.Shape, in_shape: layout.Shape, *parts: tuple[Any, ...]) -> Jacobian:
    """The sum of some terms in Einstein notation, each with its subscripts and its factors."""
    first, *others = (einstein(subscripts, out_shape, in_shape, *factors) for subscripts, *factors in parts)
    for other in others:
        first += other
    return first


def turned(a: Any) -> Any:
    """The transposed matrices of a stack."""
    return np.swapaxes(a, -1, -2)


def half_triangle(size: int, lower: bool, dtype: Any) -> Any:
    """Ones in the triangle that is read, one half on its diagonal: ``dS = M o dA + (M o dA)^T``."""
    ones = np.tri(size, dtype=dtype)
    return (ones if lower else ones.T) - np.eye(size, dtype=dtype) / 2


def sandwiched(left: Any, weights: Any, right: Any) -> Any:
    """For every column ``j`` the matrix ``left diag(weights[:, j]) right^T``; its axes are ``(..., j, i, k)``."""
    weighted = left[..., None, :, :] * turned(weights)[..., :, None, :]
    return weighted @ turned(right)[..., None, :, :]


def epsilon(a: Any) -> float:
    """The relative spacing of the numbers in which LAPACK works on an array."""
    return float(np.finfo(np.result_type(a.dtype, np.float32)).eps)


def rounding(w: Any) -> Any:
    """The size of rounding in eigenvalues or singular values, kept as an axis of length 1."""
    return np.sum(np.abs(w), axis=-1, keepdims=True) * (4 * epsilon(w))


def reciprocal_gaps(w: Any) -> Any:
    """The matrix ``F[p, j] = 1 / (w[j] - w[p])``: 0 on its diagonal, NaN where two values are equal."""
    gaps = w[..., None, :] - w[..., :, None]
    equal = indicator(np.abs(gaps), rounding(w)[..., None], np.less_equal, w.dtype)
    same = np.eye(w.shape[-1], dtype=w.dtype)
    return (1 - same) * (1 - equal) / (gaps * (1 - equal) + same)


def repeated(w: Any) -> Any:
    """Which of some numbers are equal to another one, up to rounding."""
    with np.errstate(invalid="ignore"):
        return np.any(np.isnan(reciprocal_gaps(w)), axis=-1)


def positive_part(s: Any) -> Any:
    """1 for singular values above 0, 0 for those that are 0 up to rounding."""
    return indicator(s, rounding(s), np.greater, s.dtype)


def symmetric(*shapes: tuple[int, ...], **keywords: Any) -> Samples:
    """Calls with positive definite matrices whose eigenvalues are apart; the triangle that is not read is arbitrary."""

    def generate(rng: np.random.Generator) -> Any:
        for shape in shapes:
            matrix = rng.uniform(-0.4, 0.4, shape) + np.diag(2.5 + 2.0 * np.arange(shape[-1]))
            call: Call = ((matrix,), dict(keywords))
            yield call

    return generate


def rectangular(*shapes: tuple[int, ...], **keywords: Any) -> Samples:
    """Calls with matrices of full rank whose singular values are apart."""

    def generate(rng: np.random.Generator) -> Any:
        for shape in shapes:
            matrix = rng.uniform(-0.3, 0.3, shape)
            for k in range(min(shape[-2:])):
                matrix[..., k, k] += 1.5 + 1.5 * k
            call: Call = ((matrix,), dict(keywords))
            yield call

    return generate


def both(*samples: Samples) -> Samples:
    """The calls of several samples."""
    return lambda rng: (call for draw in samples for call in draw(rng))


RECTANGLES = ((3, 2), (2, 3), (3, 3), (1, 1), (3, 1), (4, 3, 2), (2, 1, 2, 3))


# Symmetric matrices ----------------------------------------------------------------------------------------------


def cholesky(y: Any, a: Any, upper: bool = False) -> Jacobian:
    """``dL = L Phi(L^-1 dS L^-T)``, where ``Phi`` takes the lower triangle with half its diagonal."""
    s, size = batch(a, 2), a.shape[-1]
    factor = turned(y) if upper else y
    inverse = np.linalg.inv(factor)
    lower = np.broadcast_to(half_triangle(size, True, a.dtype), factor.shape)
    columns = sandwiched(factor, lower, turned(inverse))
    entry = (*s, "j", "i") if upper else (*s, "i", "j")
    read = half_triangle(size, not upper, a.dtype)
    return added(
        y.shape,
        a.shape,
        ((entry, (*s, "k", "l"), (*s, "j", "i", "k"), (*s, "j", "l"), "kl"), columns, inverse, read),
        ((entry, (*s, "k", "l"), (*s, "j", "i", "l"), (*s, "j", "k"), "kl"), columns, inverse, read),
    )


def by_symmetric_eigenvalue(y: Any, a: Any, UPLO: str = "L") -> Jacobian:
    """``dw_i = v_i^T dS v_i``."""
    s = batch(a, 2)
    v = symmetric_eigenvectors(a, UPLO)
    read = half_triangle(a.shape[-1], UPLO.upper() == "L", a.dtype)
    subscripts = ((*s, "i"), (*s, "k", "l"), (*s, "k", "i"), (*s, "l", "i"), "kl")
    return einstein(subscripts, y.shape, a.shape, v, v, read, coefficient=2)


def by_symmetric_eigenvector(y: Any, a: Any, UPLO: str = "L") -> Jacobian:
    """``dV = V (F o (V^T dS V))`` with ``F[p, j] = 1 / (w[j] - w[p])``."""
    s = batch(a, 2)
    columns = sandwiched(y, reciprocal_gaps(symmetric_eigenvalues(a, UPLO)), y)
    read = half_triangle(a.shape[-1], UPLO.upper() == "L", a.dtype)
    entry = (*s, "i", "j"), (*s, "k", "l")
    return added(
        y.shape,
        a.shape,
        ((*entry, (*s, "j", "i", "k"), (*s, "l", "j"), "kl"), columns, y, read),
        ((*entry, (*s, "j", "i", "l"), (*s, "k", "j"), "kl"), columns, y, read),
    )


@dispatchable
def symmetric_eigenvalues(a: Any, UPLO: Any = "L") -> Any:
    """The eigenvalues that ``eigh`` gives."""
    return np.linalg.eigh(a, UPLO).eigenvalues


@dispatchable
def symmetric_eigenvectors(a: Any, UPLO: Any = "L") -> Any:
    """The eigenvectors that ``eigh`` gives."""
    return np.linalg.eigh(a, UPLO).eigenvectors


SYMMETRIC = both(symmetric(*SQUARE), symmetric((3, 3), UPLO="U"))

rule(
    np.linalg.cholesky,
    cholesky,
    samples=both(symmetric(*SQUARE), symmetric((3, 3), upper=True)),
    source=MURRAY,
    dense=EVERY_COLUMN,
)
_function: Any
for _function in (np.linalg.eigvalsh, symmetric_eigenvalues):
    rule(
        _function,
        by_symmetric_eigenvalue,
        samples=SYMMETRIC,
        kink=lambda y, a, UPLO="L": repeated(y),
        source=MAGNUS,
    )
rule(
    symmetric_eigenvectors,
    by_symmetric_eigenvector,
    samples=SYMMETRIC,
    kink=lambda y, a, UPLO="L": repeated(np.linalg.eigvalsh(a, UPLO))[..., None, :],
    source=MAGNUS,
    dense=EVERY_COLUMN,
)
EighResult = type(np.linalg.eigh(np.eye(1)))
composed(
    np.linalg.eigh,
    lambda a, UPLO="L": EighResult(symmetric_eigenvalues(a, UPLO), symmetric_eigenvectors(a, UPLO)),
    samples=SYMMETRIC,
)


# Square matrices with real eigenvalues ---------------------------------------------------------------------------


@dispatchable
def inverse_or_nan(a: Any) -> Any:
    """The inverse, and NaN for a singular matrix."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.full(a.shape, np.nan, dtype=a.dtype)
        return np.stack([inverse_or_nan(part) for part in a])


def by_eigenvalue(y: Any, a: Any) -> Jacobian:
    """``dw_i = u_i^T dA v_i`` with the rows ``u_i`` of ``V^-1``; NaN where the matrix is defective."""
    s = batch(a, 2)
    v = eigenvectors(a)
    u = inverse_or_nan(v)
    limit = 0.1 / (a.shape[-1] * epsilon(a))
    sound = indicator(np.sum(u * u, axis=-1), limit * limit, np.less, a.dtype)
    subscripts = ((*s, "i"), (*s, "k", "l"), (*s, "i", "k"), (*s, "l", "i"), (*s, "i"))
    return einstein(subscripts, y.shape, a.shape, u, v, sound / sound)


def by_eigenvector(y: Any, a: Any) -> Jacobian:
    """``V (F o (V^-1 dA V))``, less the part along each vector, which keeps its length 1."""
    s = batch(a, 2)
    left = turned(inverse_or_nan(y))
    gaps = reciprocal_gaps(eigenvalues(a))
    columns = sandwiched(y, gaps, left)
    along = turned(turned(y) @ y * gaps) @ turned(left)
    entry = (*s, "i", "j"), (*s, "k", "l")
    return added(
        y.shape,
        a.shape,
        ((*entry, (*s, "j", "i", "k"), (*s, "l", "j")), columns, y),
        ((*entry, (*s, "i", "j"), (*s, "j", "k"), (*s, "l", "j")), y, -along, y),
    )


def real_if_all_are(values: Any) -> Any:
    """Real numbers instead of complex ones without imaginary parts, which NumPy gives from 2.5 on."""
    return values.real if np.iscomplexobj(values) and not np.any(values.imag) else values


def eigvals(a: Any) -> Any:
    """The eigenvalues that ``eigvals`` gives."""
    return real_if_all_are(np.linalg.eigvals(a))


@dispatchable
def eigenvalues(a: Any) -> Any:
    """The eigenvalues that ``eig`` gives."""
    return real_if_all_are(np.linalg.eig(a).eigenvalues)


@dispatchable
def eigenvectors(a: Any) -> Any:
    """The eigenvectors that ``eig`` gives."""
    return real_if_all_are(np.linalg.eig(a).eigenvectors)


def nearly_defective(y: Any, a: Any) -> Any:
    """Where eigenvalues are so close that a small change may make them complex."""
    gaps = np.abs(y[..., None, :] - y[..., :, None]) + np.diag(np.full(y.shape[-1], np.inf))
    scale = epsilon(y) ** 0.5 * np.sum(np.abs(y), axis=-1, keepdims=True)
    return np.any(gaps <= scale[..., None], axis=-1)


def spread_out(*shapes: tuple[int, ...]) -> Samples:
    """Calls with matrices whose Gershgorin discs are apart, so that their eigenvalues are real and distinct."""

    def generate(rng: np.random.Generator) -> Any:
        for shape in shapes:
            call: Call = ((rng.uniform(-0.9, 0.9, shape) + np.diag(1.5 + 6.0 * np.arange(shape[-1])),), {})
            yield call

    return generate


rule(
    inverse_or_nan,
    lambda y, a: einstein(
        (
            (*batch(a, 2), "i", "l"),
            (*batch(a, 2), "k", "j"),
            (*batch(a, 2), "i", "k"),
            (*batch(a, 2), "j", "l"),
        ),
        y.shape,
        a.shape,
        y,
        y,
        coefficient=-1,
    ),
    samples=well_conditioned(*SQUARE),
)
for _function, _evaluate in ((np.linalg.eigvals, eigvals), (eigenvalues, None)):
    rule(
        _function, by_eigenvalue, samples=spread_out(*SQUARE), kink=nearly_defective, source=MAGNUS, evaluate=_evaluate
    )
rule(
    eigenvectors,
    by_eigenvector,
    samples=spread_out(*SQUARE),
    kink=lambda y, a: nearly_defective(eigvals(a), a)[..., None, :],
    source=MAGNUS,
    dense=EVERY_COLUMN,
)
EigResult = type(np.linalg.eig(np.eye(1)))
composed(
    np.linalg.eig,
    lambda a: EigResult(eigenvalues(a), eigenvectors(a)),
    samples=spread_out(*SQUARE),
)


# QR --------------------------------------------------------------------------------------------------------------


def by_orthogonal_factor(y: Any, a: Any) -> Jacobian:
    """``dQ = Q (T - T^T) + (I - Q Q^T) dA R^-1``, ``T`` the part of ``Q^T dA R^-1`` below its diagonal."""
    rows, columns = a.shape[-2:]
    if rows < columns:  # the first columns decide
        first = by_orthogonal_factor(y, a[..., :rows])
        chosen = selection(first.in_shape, a.shape, lambda positions: positions[..., :rows])
        return chain(first, chosen)
    s = batch(a, 2)
    inverse = inverse_or_nan(triangular_factor(a))
    below = np.broadcast_to(np.tri(columns, k=-1, dtype=a.dtype), (*a.shape[:-2], columns, columns))
    outside = 1 if rows > columns else 0
    mine = sandwiched(y, below - outside, y)
    crossed = sandwiched(y, turned(below), inverse)
    entry = (*s, "i", "j"), (*s, "k", "l")
    parts: list[tuple[Any, ...]] = [
        ((*entry, (*s, "j", "i", "k"), (*s, "l", "j")), mine, inverse),
        ((*entry, (*s, "j", "i", "l"), (*s, "k", "j")), crossed, -y),
    ]
    if outside:
        parts.append((((*s, "i", "j"), (*s, "i", "l"), (*s, "l", "j")), inverse))
    return added(y.shape, a.shape, *parts)


def by_triangular_factor(y: Any, a: Any) -> Jacobian:
    """``dR = (C - T + T^T) R`` with ``C = Q^T dA R^-1`` and ``T`` its part below the diagonal."""
    rows, columns = a.shape[-2:]
    s = batch(a, 2)
    if rows < columns:
        q = orthogonal_factor(a)
        by_q = einstein(((*s, "j", "l"), (*s, "i", "j"), (*s, "i", "l")), y.shape, q.shape, a)
        by_a = einstein(((*s, "j", "l"), (*s, "i", "l"), (*s, "i", "j")), y.shape, a.shape, q)
        total: Jacobian = chain(by_q, by_orthogonal_factor(q, a)) + by_a
        return total
    q, inverse = orthogonal_factor(a), inverse_or_nan(y)
    below = np.broadcast_to(np.tri(columns, k=-1, dtype=a.dtype), y.shape)
    upper = sandwiched(turned(y), turned(1 - below), inverse)  # axes j, column of R, l
    mirrored = sandwiched(turned(y), below, q)  # axes j, column of R, k
    entry = (*s, "j", "c"), (*s, "k", "l")
    return added(
        y.shape,
        a.shape,
        ((*entry, (*s, "j", "c", "l"), (*s, "k", "j")), upper, q),
        ((*entry, (*s, "j", "c", "k"), (*s, "l", "j")), mirrored, inverse),
    )


@dispatchable
def orthogonal_factor(a: Any) -> Any:
    """The factor ``Q`` of the reduced QR decomposition."""
    return np.linalg.qr(a).Q


@dispatchable
def triangular_factor(a: Any) -> Any:
    """The factor ``R`` of the reduced QR decomposition."""
    return np.linalg.qr(a).R


QRResult = type(np.linalg.qr(np.eye(1)))


def qr(a: Any, mode: str = "reduced") -> Any:
    """``numpy.linalg.qr`` through one operation per factor."""
    if mode == "r":
        return triangular_factor(a)
    if mode == "reduced" or (mode == "complete" and a.shape[-2] <= a.shape[-1]):
        return QRResult(orthogonal_factor(a), triangular_factor(a))
    raise TraceError(
        at_users_line(f"numpy.linalg.qr(..., mode={mode!r}) cannot be differentiated", "Use mode='reduced'.")
    )


def rank_deficient(y: Any, a: Any) -> Any:
    """Where the columns that decide on ``Q`` depend on each other."""
    size = min(a.shape[-2:])
    sigma = np.linalg.svdvals(a[..., :size])
    return np.any(positive_part(sigma) == 0, axis=-1)[..., None, None]


for _function, _partial in ((orthogonal_factor, by_orthogonal_factor), (triangular_factor, by_triangular_factor)):
    rule(
        _function,
        _partial,
        samples=rectangular(*RECTANGLES),
        kink=rank_deficient,
        source=WALTER,
        dense=EVERY_COLUMN,
    )
composed(
    np.linalg.qr,
    qr,
    samples=both(rectangular(*RECTANGLES), rectangular((3, 2), mode="r"), rectangular((2, 3), mode="complete")),
)
