"""Operations on signals and polynomials: convolution, polynomials by their coefficients, interpolation.

The Jacobian of a convolution is a banded Toeplitz matrix: ``y[i + k] += a[i] * w[k]`` has the entry ``w[k]`` in row
``i + k`` and column ``i``, so two strides meet in the row and only ``w`` is stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, dispatchable, einstein, placed
from jacobi.rules.operations import diagonal
from jacobi.rules.registry import composed, refused, rule
from jacobi.rules.samples import above_one, calls, positive, real

# Convolution ----------------------------------------------------------------------------------------------------

SHORT = 64  # what a kernel of this length leaves out at the edges is stored entry by entry


@dispatchable
def convolved(a: Any, v: Any, mode: Any = "full") -> Any:
    """``numpy.convolve`` of two vectors, as one operation."""
    return np.convolve(a, v, mode)


def toeplitz(y: Any, x: Any, w: Any, mode: str = "full") -> Jacobian:
    """The Jacobian of a convolution by ``x``, the other operand being ``w``."""
    p, q = x.size, w.size
    if mode == "valid" and p < q:  # every entry has another place in w: the windows of w, which are a view
        windows = np.lib.stride_tricks.sliding_window_view(w, p)[:, ::-1]
        return einstein("i;j;ij", y.shape, x.shape, windows)
    if mode == "valid":
        return placed(y.shape, x.shape, (y.size, q), (0, ((0, 1),)), (q - 1, ((0, 1), (1, -1))), (w, (1,)))
    if mode == "full":
        return placed(y.shape, x.shape, (p, q), (0, ((0, 1), (1, 1))), (0, ((0, 1),)), (w, (1,)))
    return cut(y, x, w, (min(p, q) - 1) // 2)


def cut(y: Any, x: Any, w: Any, start: int) -> Jacobian:
    """The Jacobian by ``x`` of the full convolution from ``start`` on, as long as ``y`` (the longer operand).

    Places of the longer operand that meet every entry of the shorter one are strides; the others are listed.
    """
    p, q = x.size, w.size
    short, length = min(p, q), y.size
    first, last = start, length + start - short  # of the places that meet every entry of the shorter operand
    sizes = (last - first + 1, q) if p >= q else (p, last - first + 1)
    column, place = (first, 0) if p >= q else (0, first)
    inside = w if p >= q else w[place : place + sizes[1]]
    total = placed(y.shape, x.shape, sizes, (first - start, ((0, 1), (1, 1))), (column, ((0, 1),)), (inside, (1,)))
    far, near = np.meshgrid([*range(first), *range(last + 1, length)], np.arange(short), indexing="ij")
    there = (far + near >= start) & (far + near < start + length)
    far, near = far[there], near[there]
    if far.size:
        columns, places = (far, near) if p >= q else (near, far)
        sides = (0, ((0, far + near - start),)), (0, ((0, columns),))
        total = total + placed(y.shape, x.shape, (far.size,), *sides, (np.take(w, places), (0,)))
    return total


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """``numpy.convolve``."""
    a, v = np.atleast_1d(a), np.atleast_1d(v)
    if np.ndim(a) != 1 or np.ndim(v) != 1 or not np.size(a) or not np.size(v):
        raise ValueError("a and v must be vectors that are not empty")
    mode = {"f": "full", "s": "same", "v": "valid"}.get(str(mode)[:1], mode)
    if mode == "same" and min(np.size(a), np.size(v)) > SHORT:
        start = (min(np.size(a), np.size(v)) - 1) // 2
        return convolved(a, v)[start : start + max(np.size(a), np.size(v))]
    return convolved(a, v) if mode == "full" else convolved(a, v, mode=mode)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """``numpy.correlate``: the convolution with the reversed second operand."""
    if np.size(a) < np.size(v):
        return np.flip(correlate(v, a, mode))
    return convolve(a, np.flip(v), mode)


MODES = calls(
    *(
        (*pair, {"mode": mode})
        for mode in ("full", "same", "valid")
        for pair in (((7,), (3,)), ((2,), (5,)), ((6,), (4,)), ((3,), (1,)), ((3,), (3,)))
    ),
)
rule(
    convolved,
    lambda y, a, v, mode="full": toeplitz(y, a, v, mode),
    lambda y, a, v, mode="full": toeplitz(y, v, a, mode),
    samples=MODES,
    dense="in mode valid every entry of the shorter operand meets all windows of the longer one",
    name="convolved",
)
composed(np.convolve, convolve, samples=MODES)
composed(np.correlate, correlate, samples=MODES)


# Polynomials by their coefficients, the highest power first -----------------------------------------------------


def trimmed(p: Any) -> Any:
    """The coefficients without the zeros in front."""
    p = np.atleast_1d(p)
    there = np.flatnonzero(p)
    return p[there[0] :] if len(there) else p[-1:]


def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials."""
    a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
    longer, shorter = (a1, a2) if np.size(a1) >= np.size(a2) else (a2, a1)
    head = np.size(longer) - np.size(shorter)
    return np.concatenate([longer[:head], longer[head:] + shorter]) if head else longer + shorter


def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Quotient and remainder of two polynomials."""
    u, v = np.atleast_1d(u), np.atleast_1d(v)
    degree = np.size(v) - 1
    rest, quotient = +u if np.size(u) else u, []
    for _ in range(np.size(u) - degree):
        quotient.append(rest[0] / v[0])
        rest = np.concatenate([rest[1 : degree + 1] - quotient[-1] * v[1:], rest[degree + 1 :]])
    while np.size(rest) > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    nothing = np.zeros(1, np.result_type(u, v, 1.0))
    return np.stack(quotient) if quotient else nothing, rest if np.size(rest) else nothing


def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of a derivative."""
    for _ in range(m):
        p = p[:-1] * np.arange(np.size(p) - 1, 0, -1)
    return p if m else +p


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The coefficients of an integral, with its constants ``k``."""
    constants = np.zeros(m) if k is None else np.broadcast_to(np.ravel(k), (m,))
    for step in range(m):
        constant = np.reshape(constants[step], (1,)).astype(p.dtype)
        p = np.concatenate([p / np.arange(np.size(p), 0, -1), constant])
    return p if m else +p


def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with these zeros."""
    if np.ndim(seq_of_zeros) > 1:
        raise TraceError(
            at_users_line("np.poly of a matrix has no derivative rule", "Use np.poly(np.linalg.eigvalsh(A)).")
        )
    zeros = np.atleast_1d(seq_of_zeros)
    result: Any = np.ones(1, dtype=zeros.dtype)
    for k in range(np.size(zeros)):
        shifted = np.concatenate([np.zeros(1, zeros.dtype), result])
        result = np.concatenate([result, np.zeros(1, zeros.dtype)]) - zeros[k] * shifted
    return result


def powers(y: Any, p: Any, x: Any) -> Any:
    """The powers of ``x`` that belong to the coefficients, along a last axis."""
    return np.power(np.expand_dims(x, -1), np.arange(np.size(p))[::-1]).astype(y.dtype)


def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: bool = False) -> Any:
    """The coefficients of least squares."""
    if full or cov:
        raise TraceError(at_users_line("polyfit with full= or cov= has no derivative rule", "Leave it out."))
    weights = np.ones(np.shape(x)) if w is None else w
    left = np.vander(x, int(deg) + 1) * np.reshape(weights, (-1, 1))
    right = y * np.reshape(weights, (-1,) + (1,) * (np.ndim(y) - 1))
    scale = np.sqrt(np.sum(left * left, axis=0))
    rcond = np.size(x) * np.finfo(np.result_type(x, 1.0)).eps if rcond is None else rcond
    solution = np.linalg.lstsq(left / scale, right, rcond)[0]
    return solution / np.reshape(scale, (-1,) + (1,) * (np.ndim(y) - 1))


composed(np.polyadd, polyadd, samples=calls(((3,), (3,)), ((2,), (4,)), ((4,), (1,))))
composed(
    np.polysub, lambda a1, a2: polyadd(a1, -np.atleast_1d(a2)), samples=calls(((3,), (3,)), ((2,), (4,)), ((4,), (1,)))
)
composed(
    np.polymul,
    lambda a1, a2: np.convolve(trimmed(a1), trimmed(a2)),
    samples=calls(((3,), (3,)), ((2,), (4,)), ((4,), ())),
)
composed(np.polydiv, polydiv, samples=calls(((5,), (3,)), ((3,), (3,)), ((2,), (3,))))
composed(np.polyder, polyder, samples=calls((4,), ((4,), 2), ((4,), 0)))
composed(np.polyint, polyint, samples=calls((4,), ((3,), 2), ((3,), {"k": 2.0}), ((3,), {"m": 2, "k": [1.0, 3.0]})))
composed(np.poly, poly, samples=calls((3,), (1,)))
rule(
    np.polyval,
    lambda y, p, x: einstein((range(y.ndim), "p", (*range(y.ndim), "p")), y.shape, p.shape, powers(y, p, x)),
    lambda y, p, x: diagonal(np.polyval(np.polyder(p), x).astype(y.dtype), y.shape, x.shape),
    samples=calls(((4,), (3,)), ((3,), ()), ((4,), (2, 3)), ((1,), (3,))),
    dense="the powers of every argument",
)


# Interpolation --------------------------------------------------------------------------------------------------


@dispatchable
def interpolated(x: Any, xp: Any, fp: Any) -> Any:
    """Piecewise linear interpolation, constant outside."""
    return np.interp(x, xp, fp)


def hats(x: Any, xp: Any) -> tuple[Any, Any, Any]:
    """The interval of every ``x``, and the values there of the hat functions at its two ends."""
    interval = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, np.size(xp) - 2)
    rising = np.clip((x - np.take(xp, interval)) / np.take(np.diff(xp), interval), 0, 1)
    return interval, 1 - rising, rising


def slopes(x: Any, xp: Any, fp: Any) -> Any:
    """The slope at every ``x``: 0 outside."""
    interval, _, _ = hats(x, xp)
    inside = np.greater_equal(x, xp[0]) & np.less_equal(x, xp[-1])
    return np.take(np.diff(fp) / np.diff(xp), interval) * inside.astype(float)


def at_both_ends(y: Any, nodes: Any, interval: Any, left: Any, right: Any) -> Jacobian:
    """A Jacobian by what is given at the nodes: two entries for every point, at the ends of its interval."""
    rows = (0, ((0, 1),))
    total = Jacobian.zero(y.shape, nodes.shape)
    for shift, weight in ((0, left), (1, right)):
        columns = (0, ((0, np.ravel(interval) + shift),))
        total = total + placed(y.shape, nodes.shape, (y.size,), rows, columns, (np.ravel(weight), (0,)))
    return total


def by_nodes(y: Any, x: Any, xp: Any, fp: Any) -> Jacobian:
    """The Jacobian of an interpolation by the places of the nodes."""
    interval, left, right = hats(x, xp)
    slope = -slopes(x, xp, fp)
    return at_both_ends(y, xp, interval, slope * left, slope * right)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """``numpy.interp``; everything but ``period`` may be traced."""
    x, xp, fp = (part if hasattr(part, "dtype") else np.asarray(part, float) for part in (x, xp, fp))
    if period is not None:
        if period == 0:
            raise ValueError("period must be a non-zero value")
        x, xp = np.remainder(x, abs(period)), np.remainder(xp, abs(period))
        order = np.argsort(xp)
        xp, fp = np.take(xp, order), np.take(fp, order)
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        return interpolated(x, xp, fp)
    result = interpolated(x, xp, fp) if np.size(xp) > 1 else (fp[0] + 0.0 * x).astype(np.float64)
    for outside, value in ((np.less(x, xp[0]), left), (np.greater(x, xp[-1]), right)):
        if value is not None and np.any(outside):
            result = np.where(outside, value, result)
    return result


def near_nodes(rng: np.random.Generator) -> Any:
    """Calls whose points always lie in the same intervals, some outside."""
    nodes = np.cumsum(positive(rng, (4,))) + np.arange(4.0)
    inside = np.array([0.3, 0.7, 0.4])
    between = nodes[:-1] + inside * np.diff(nodes)
    values = real(rng, (4,))
    yield (between, nodes, values), {}
    yield (np.array([[between[2], nodes[0] - 0.3], [nodes[-1] + 0.5, between[0]]]), nodes, values), {}
    yield (np.asarray(between[1]), nodes, values), {}


def with_options(rng: np.random.Generator) -> Any:
    """The same, with constants outside, and periodic ones."""
    yield from near_nodes(rng)
    for (x, nodes, values), _ in near_nodes(rng):
        yield (x, nodes, values), {"left": 1.5, "right": -2.0}
    yield (
        (np.array([1.1, 6.2, -2.9]), np.array([0.3, 1.5, 3.2]) + rng.uniform(0, 0.1, 3), real(rng, (3,))),
        {"period": 4.0},
    )
    yield (np.array([0.2, 0.4]), np.array([0.3]), real(rng, (1,))), {}


rule(
    interpolated,
    lambda y, x, xp, fp: diagonal(slopes(x, xp, fp), y.shape, x.shape),
    by_nodes,
    lambda y, x, xp, fp: at_both_ends(y, fp, *hats(x, xp)),
    samples=near_nodes,
    kink=lambda y, x, xp, fp: np.isin(x, xp),
    name="interpolated",
)
composed(np.interp, interp, samples=with_options)
refused(
    "The roots of a polynomial are complex in general. Keep the coefficients constant, or solve f(p, x) = 0 for a "
    "single root yourself: its derivative by p is -(df/dp) / (df/dx).",
    np.roots,
)
composed(
    np.polyfit,
    polyfit,
    samples=lambda rng: (
        ((np.cumsum(above_one(rng, (shape[0],))), real(rng, shape), degree), keywords)
        for shape, degree, keywords in (((6,), 2, {}), ((5, 2), 1, {}), ((6,), 1, {"w": np.arange(1, 7)}))
    ),
)
