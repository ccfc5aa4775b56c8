"""Statistics: averages, quantiles, covariances, counts, and what leaves out NaN.

A quantile is piecewise linear: an interpolation between two entries of given ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import dispatchable, indicator, scatter
from jacobi.rules.registry import composed, elementwise, refused, silent
from jacobi.rules.samples import Samples, apart, calls, over_axes, positive, real
from jacobi.rules.sorting import order_statistics, ranked

# Averages -------------------------------------------------------------------------------------------------------


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """``sum(a * weights) / sum(weights)``; both may be traced."""
    rank = np.ndim(a)
    axes = layout.normal_axes(axis, rank)
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        total: Any = np.full(result.shape, layout.size([np.shape(a)[k] for k in axes]), dtype=result.dtype)[()]
        return (result, total) if returned else result
    if np.shape(weights) != np.shape(a):
        if axis is None or np.shape(weights) != tuple(np.shape(a)[k] for k in axes):
            raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
        shape = [np.shape(a)[k] if k in axes else 1 for k in range(rank)]
        weights = np.reshape(np.transpose(weights, np.argsort(axes)), shape)
    total = np.sum(np.broadcast_to(weights, np.shape(a)), axis=axis, keepdims=keepdims)
    if np.any(np.equal(total, 0)):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    result = np.sum(np.multiply(a, weights), axis=axis, keepdims=keepdims) / total
    return (result, np.broadcast_to(total, result.shape)) if returned else result


composed(
    np.ptp,
    lambda a, axis=None, keepdims=False: np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims),
    samples=over_axes(apart, empty=False),
)
composed(
    np.average,
    average,
    samples=lambda rng: (
        ((real(rng, shape), axis), {**({} if w is None else {"weights": positive(rng, w)}), **keywords})
        for shape, axis, w, keywords in (
            ((3,), None, None, {}),
            ((2, 3), 0, None, {"keepdims": True}),
            ((3,), None, (3,), {}),
            ((2, 3), None, (2, 3), {}),
            ((2, 3), 1, (3,), {"returned": True}),
            ((2, 3), 0, (2, 3), {"keepdims": True}),
            ((2, 3, 4), (2, 0), (4, 2), {}),
        )
    ),
)


# Quantiles ------------------------------------------------------------------------------------------------------

CONTINUOUS: dict[str, tuple[float, float]] = {  # Hyndman and Fan (1996): alpha and beta
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "linear": (1, 1),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
DISCRETE: dict[str, Callable[[Any, Any], Any]] = {  # the rank, counted from 0, that q falls on; halves lie between two
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
    "inverted_cdf": lambda n, q: np.ceil(n * q) - 1,
    "averaged_inverted_cdf": lambda n, q: (np.ceil(n * q) + np.floor(n * q)) / 2 - 0.5,
}


@dispatchable
def whole(x: Any) -> Any:
    """The whole part as plain integers, for positions."""
    return np.floor(x).astype(np.intp)


silent(whole)


def rank_of(q: Any, n: Any, method: str) -> Any:
    """The rank, between two integers in general, of a quantile among ``n`` entries."""
    if method == "linear":
        return (n - 1) * q
    if method in CONTINUOUS:
        alpha, beta = CONTINUOUS[method]
        return n * q + (alpha + q * (1 - alpha - beta)) - 1
    if method in DISCRETE:
        return DISCRETE[method](n, q)
    raise TraceError(
        at_users_line(f'quantiles with method="{method}" cannot be differentiated', 'Use method="linear".')
    )


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    skip_nan: bool = False,
    unit: float = 1,
) -> Any:
    """The entries at the rank that belongs to ``q``, interpolated between neighbours; ``q`` may be traced as well."""
    weak = type(q) in (int, float)  # a Python number does not widen the result
    q = np.true_divide(q, unit)
    if weights is not None:
        raise TraceError(
            at_users_line("weighted quantiles cannot be differentiated", "Leave weights= out, or use np.average.")
        )
    if np.any(np.less(q, 0)) or np.any(np.greater(q, 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    shape, rank = np.shape(a), np.ndim(a)
    axes = layout.normal_axes(axis, rank)
    kept = tuple(k for k in range(rank) if k not in axes)
    rows = np.reshape(np.transpose(a, (*kept, *axes)), (*(shape[k] for k in kept), -1))
    missing = np.isnan(rows)
    count: Any = np.sum(~missing, axis=-1, keepdims=True) if skip_nan else np.shape(rows)[-1]
    levels = np.ravel(q)
    at = np.clip(rank_of(levels, np.maximum(count, 1), method), 0, np.maximum(count, 1) - 1)
    lower = whole(at)
    weight = (at - lower).astype(a.dtype if weak else np.result_type(a.dtype, levels))
    lower = np.reshape(lower, (1,) * (len(kept) + 1 - np.ndim(lower)) + np.shape(lower))
    result = order_statistics(rows, lower)
    if np.any(weight != 0) or np.ndim(q) or method in CONTINUOUS:
        upper = np.minimum(lower + 1, np.maximum(count, 1) - 1)
        result = (1 - weight) * result + weight * order_statistics(rows, upper)
    if not skip_nan and np.any(missing):
        result = np.where(np.any(missing, axis=-1, keepdims=True), np.nan, result)
    outer = tuple(1 if k in axes else shape[k] for k in range(rank)) if keepdims else tuple(shape[k] for k in kept)
    return np.reshape(np.moveaxis(result, -1, 0), np.shape(q) + outer)


def median(a: Any, axis: Any = None, *, keepdims: bool = False, skip_nan: bool = False) -> Any:
    """The middle entry, or the mean of the two in the middle."""
    return quantile(a, 0.5, axis, keepdims=keepdims, skip_nan=skip_nan)


def with_gaps(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Entries in a fixed order; about a fifth of them, always the same, are NaN."""
    count = layout.size(shape)
    gaps = np.random.default_rng(count).random(shape) < 0.2
    return np.where(gaps, np.nan, ranked(rng, shape))


def quantiles(*levels: Any, domain: Any = ranked) -> Samples:
    """Calls of a quantile: levels, axes and methods."""
    return calls(
        *(((5,), q) for q in levels),
        *(((2, 4), levels[0], {"axis": axis}) for axis in (0, 1, -1, (0, 1))),
        ((2, 3, 4), levels[0], {"axis": (2, 0), "keepdims": True}),
        ((3, 4), list(levels), {"axis": 0}),
        *(((6,), levels[0], {"method": method}) for method in (*CONTINUOUS, *DISCRETE)),
        domain=domain,
    )


def medians(domain: Any) -> Samples:
    """Calls of a median: odd and even counts along every kind of axes."""
    return calls(
        (5,), (4,), (1,), (2, 3), ((4, 3), {"axis": 0}), ((4, 3), {"axis": 1, "keepdims": True}),
        ((2, 3, 4), {"axis": (2, 0)}), ((4, 3), {"keepdims": True}), domain=domain,
    )  # fmt: skip


composed(np.median, median, samples=medians(ranked))
composed(np.quantile, quantile, samples=quantiles(0.3, 0.0, 1.0, 0.65))
composed(np.percentile, partial(quantile, unit=100), samples=quantiles(30, 0, 100.0, 65.0))
composed(np.nanmedian, partial(median, skip_nan=True), samples=medians(with_gaps))
composed(
    np.nanquantile,
    partial(quantile, skip_nan=True),
    samples=quantiles(0.3, 0.65, domain=with_gaps),
)
composed(
    np.nanpercentile,
    partial(quantile, skip_nan=True, unit=100),
    samples=quantiles(30, 65.0, domain=with_gaps),
)


# What leaves out NaN --------------------------------------------------------------------------------------------


@dispatchable
def filled(a: Any, value: float) -> Any:
    """The array with a number in the place of every NaN."""
    return np.where(np.isnan(a), np.asarray(value, dtype=a.dtype), a)


def present(a: Any) -> Any:
    """1 where there is a number and 0 where there is NaN."""
    return indicator(a, a, np.equal, a.dtype)


def nan_where_empty(result: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """The result with NaN where all entries are NaN."""
    empty = np.all(np.isnan(a), axis=axis, keepdims=keepdims)
    return np.where(empty, np.nan, result) if np.any(empty) else result


def nanmean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the numbers."""
    return np.sum(filled(a, 0.0), axis, keepdims=keepdims) / np.sum(present(a), axis, keepdims=keepdims)


def nanvar(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False, correction: float = 0) -> Any:
    """The variance of the numbers."""
    there = present(a)
    apart_from_mean = (filled(a, 0.0) - nanmean(a, axis, keepdims=True)) * there
    free = np.sum(there, axis, keepdims=keepdims) - (ddof or correction)
    result = np.sum(apart_from_mean * apart_from_mean, axis, keepdims=keepdims) / free
    return np.where(free <= 0, np.nan, result) if np.any(free <= 0) else result


elementwise(
    filled,
    lambda y, a, value: present(a),
    samples=calls(((5,), 0.0), ((2, 3), 1.5), domain=with_gaps),
    name="filled",
)
composed(
    np.nansum,
    lambda a, axis=None, keepdims=False: np.sum(filled(a, 0.0), axis, keepdims=keepdims),
    samples=over_axes(with_gaps),
)
composed(
    np.nanprod,
    lambda a, axis=None, keepdims=False: np.prod(filled(a, 1.0), axis, keepdims=keepdims),
    samples=over_axes(with_gaps),
)
composed(
    np.nancumsum,
    lambda a, axis=None: np.cumsum(filled(a, 0.0), axis),
    samples=calls((5,), ((3, 4), 1), domain=with_gaps),
)
composed(
    np.nancumprod,
    lambda a, axis=None: np.cumprod(filled(a, 1.0), axis),
    samples=calls((5,), ((3, 4), 1), domain=with_gaps),
)
SOME = calls(  # no row or column of these is all NaN
    (5,), (3, 4), ((3, 4), {"axis": 0}), ((3, 4), {"axis": 1, "keepdims": True}), ((2, 3, 4), {"axis": (2, 0)}),
    domain=with_gaps,
)  # fmt: skip
composed(np.nanmean, nanmean, samples=SOME)
composed(np.nanvar, nanvar, samples=SOME)
composed(
    np.nanstd,
    lambda a, axis=None, ddof=0, keepdims=False, correction=0: np.sqrt(nanvar(a, axis, ddof, keepdims, correction)),
    samples=calls(
        (5,), (4, 5), ((4, 5), {"axis": 0, "keepdims": True}), ((4, 5), {"axis": 1, "ddof": 1}), domain=with_gaps
    ),
)
composed(
    np.nanmax,
    lambda a, axis=None, keepdims=False: nan_where_empty(
        np.max(filled(a, -np.inf), axis, keepdims=keepdims), a, axis, keepdims
    ),
    samples=SOME,
)
composed(
    np.nanmin,
    lambda a, axis=None, keepdims=False: nan_where_empty(
        np.min(filled(a, np.inf), axis, keepdims=keepdims), a, axis, keepdims
    ),
    samples=SOME,
)


# Covariances ----------------------------------------------------------------------------------------------------


def variables_in_rows(m: Any, rowvar: bool, single: bool) -> Any:
    """The observations with a row for every variable; ``single`` says whether they are of one variable already."""
    rows = np.atleast_2d(m)
    return rows if rowvar or single else np.transpose(rows)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Any:
    """The covariance matrix; the weights of the observations may be traced as well."""
    ddof = (0 if bias else 1) if ddof is None else ddof
    rows = variables_in_rows(m, rowvar, np.ndim(m) == 1).astype(np.float64)
    if y is not None:
        rows = np.concatenate([rows, variables_in_rows(y, rowvar, np.atleast_2d(y).shape[0] == 1)])
    weights = fweights if aweights is None else aweights if fweights is None else np.multiply(fweights, aweights)
    mean, total = np.average(rows, axis=1, weights=weights, returned=True)
    total = total[0]
    total = total - ddof * (1 if aweights is None else np.sum(np.multiply(weights, aweights)) / total)
    if np.any(np.less_equal(total, 0)):
        raise TraceError(
            at_users_line("the covariance of too few observations is not finite", "Give more observations, or ddof=0.")
        )
    centred = rows - mean[:, None]
    weighted = centred if weights is None else centred * weights
    return np.squeeze(np.matmul(centred, np.transpose(weighted)) / total)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """The correlations: covariances divided by both standard deviations."""
    c = cov(x, y, rowvar)
    if c.ndim == 0:
        return c / c
    deviations = np.sqrt(np.diagonal(c))
    return c / deviations[:, None] / deviations


composed(
    np.cov,
    cov,
    samples=lambda rng: (
        (tuple(real(rng, shape) for shape in shapes), keywords)
        for shapes, keywords in (
            (((3, 5),), {}),
            (((4,),), {}),
            (((4,), (4,)), {}),
            (((5, 3),), {"rowvar": False, "bias": True}),
            (((3, 5), (2, 5)), {"ddof": 0}),
            (((2, 4),), {"fweights": np.array([1, 2, 1, 3])}),
            (((2, 4),), {"aweights": positive(rng, (4,))}),
            (((2, 4),), {"fweights": np.array([1, 2, 1, 3]), "aweights": positive(rng, (4,))}),
        )
    ),
)
composed(np.corrcoef, corrcoef, samples=calls((3, 5), ((4,), (4,)), ((5, 3), {"rowvar": False})))


# Counting -------------------------------------------------------------------------------------------------------


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """The sums of the weights that share a number."""
    if weights is None or (x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype).kind == "f":
        raise TraceError(
            at_users_line(
                "np.bincount counts, and counts do not change with small steps",
                "Give plain integers, and traced values as weights: np.bincount(labels, weights=values).",
            )
        )
    positions = whole(x)
    length = max(int(positions.max(initial=-1)) + 1, minlength)
    return scatter(weights.astype(np.float64), (0, ((0, positions),)), (positions.size,), length)


composed(
    np.bincount,
    bincount,
    samples=lambda rng: (
        ((np.array([0, 3, 0, 1]), real(rng, (4,))), {}),
        ((np.array([2]), real(rng, (1,)), 5), {}),
    ),
)
refused(
    "Counts do not change with small steps of the data. For sums of traced weights in plain bins use "
    "np.bincount(np.digitize(x, edges) - 1, weights=w).",
    np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges,
)  # fmt: skip
