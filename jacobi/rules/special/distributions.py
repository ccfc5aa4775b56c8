"""Distribution functions of ``scipy.special``, whose derivatives are densities, and the inverses of these.

By a number of degrees of freedom, or another shape, there is no closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from jacobi.matrix import indicator
from jacobi.rules.samples import above_one, inside_unit, positive, probability, real
from jacobi.rules.special.gamma import beta_density, gamma_density
from jacobi.rules.special.operands import between, elementwise, given, integers, unknown, whole

ROOT_2PI = float(np.sqrt(2 * np.pi))
TRIALS: dict[str, Any] = {"domain": (integers(0, 4), integers(6, 9), probability), "source": "DLMF 8.17.5"}
COUNTS: dict[str, Any] = {"domain": (integers(0, 4), positive), "source": "DLMF 8.4.10"}


# binomial, negative binomial and Poisson distributions: beta and gamma densities, as the counts are whole
def binomial(k: Any, n: Any, p: Any) -> Any:
    """The derivative of ``-bdtr(k, n, p)`` by ``p``."""
    successes = np.floor(k)
    return beta_density(successes + 1, n - successes, p)


def negative_binomial(k: Any, n: Any, p: Any) -> Any:
    """The derivative of ``nbdtr(k, n, p)`` by ``p``."""
    return beta_density(n, np.floor(k) + 1, p)


def poisson(k: Any, m: Any) -> Any:
    """The derivative of ``-pdtr(k, m)`` by ``m``."""
    return gamma_density(np.floor(k) + 1, m)


elementwise(special.bdtr, whole("k"), whole("n"), lambda y, k, n, p: -binomial(k, n, p), **TRIALS)
elementwise(special.bdtrc, whole("k"), whole("n"), lambda y, k, n, p: binomial(k, n, p), **TRIALS)
elementwise(special.bdtri, whole("k"), whole("n"), lambda p, k, n, y: -1 / binomial(k, n, p), **TRIALS)
elementwise(special.nbdtr, whole("k"), whole("n"), lambda y, k, n, p: negative_binomial(k, n, p), **TRIALS)
elementwise(special.nbdtrc, whole("k"), whole("n"), lambda y, k, n, p: -negative_binomial(k, n, p), **TRIALS)
elementwise(
    special.nbdtri, whole("k"), whole("n"), lambda p, k, n, y: 1 / negative_binomial(k, n, p), **TRIALS
)
elementwise(special.pdtr, whole("k"), lambda y, k, m: -poisson(k, m), **COUNTS)
elementwise(special.pdtrc, whole("k"), lambda y, k, m: poisson(k, m), **COUNTS)
elementwise(
    special.pdtri, whole("k"), lambda m, k, y: -1 / poisson(k, m), domain=(integers(0, 4), probability)
)

# normal distribution


def standard(mean: Any, deviation: Any, x: Any) -> Any:
    """The reciprocal of the standard normal density at ``(x - mean) / deviation``."""
    u = (x - mean) / deviation
    return ROOT_2PI * np.exp(u * u / 2)


elementwise(
    special.nrdtrimn,
    lambda mean, p, deviation, x: -deviation * standard(mean, deviation, x),
    lambda mean, p, deviation, x: (mean - x) / deviation,
    lambda mean, p, deviation, x: 1,
    domain=(probability, positive, real),
)
elementwise(
    special.nrdtrisd,
    lambda deviation, mean, p, x: deviation / (mean - x),
    lambda deviation, mean, p, x: deviation * deviation / (mean - x) * standard(mean, deviation, x),
    lambda deviation, mean, p, x: deviation / (x - mean),
    domain=(inside_unit, between(0.6, 0.9), above_one),
)


# gamma and chi-squared distributions
def chi_squared(v: Any, x: Any) -> Any:
    """The density with ``v`` degrees of freedom."""
    return gamma_density(v / 2, x / 2) / 2


elementwise(
    special.chdtr, unknown("v"), lambda y, v, x: chi_squared(v, x), domain=(given(positive), positive)
)
elementwise(
    special.chdtrc, unknown("v"), lambda y, v, x: -chi_squared(v, x), domain=(given(positive), positive)
)
elementwise(
    special.chdtri,
    unknown("v"),
    lambda x, v, p: -1 / chi_squared(v, x),
    domain=(given(positive), probability),
)
elementwise(
    special.gdtr,
    lambda y, a, b, x: x * gamma_density(b, a * x),
    unknown("b"),
    lambda y, a, b, x: a * gamma_density(b, a * x),
    domain=(positive, given(positive), positive),
)
elementwise(
    special.gdtrc,
    lambda y, a, b, x: -x * gamma_density(b, a * x),
    unknown("b"),
    lambda y, a, b, x: -a * gamma_density(b, a * x),
    domain=(positive, given(positive), positive),
)
elementwise(
    special.gdtria,
    lambda a, p, b, x: 1 / (x * gamma_density(b, a * x)),
    unknown("b"),
    lambda a, p, b, x: -a / x,
    domain=(probability, given(positive), positive),
)
elementwise(
    special.gdtrix,
    lambda x, a, b, p: -x / a,
    unknown("b"),
    lambda x, a, b, p: 1 / (a * gamma_density(b, a * x)),
    domain=(positive, given(positive), probability),
)


# Student's t and Fisher's F distributions
def student(df: Any, t: Any) -> Any:
    """The density with ``df`` degrees of freedom."""
    return np.exp(-(df + 1) / 2 * np.log1p(t * t / df) - special.betaln(df / 2, 0.5)) / np.sqrt(df)


def fisher(dfn: Any, dfd: Any, x: Any) -> Any:
    """The density with ``dfn`` and ``dfd`` degrees of freedom."""
    a, b, ratio = dfn / 2, dfd / 2, dfn / dfd
    logarithm = special.xlogy(a - 1, ratio * x) - (a + b) * np.log1p(ratio * x) - special.betaln(a, b)
    return ratio * np.exp(logarithm)


elementwise(special.stdtr, unknown("df"), lambda y, df, t: student(df, t), domain=(given(positive), real))
elementwise(
    special.stdtrit,
    unknown("df"),
    lambda t, df, p: 1 / student(df, t),
    domain=(given(above_one), probability),
)
elementwise(
    special.fdtr,
    unknown("dfn"),
    unknown("dfd"),
    lambda y, dfn, dfd, x: fisher(dfn, dfd, x),
    domain=(given(positive), given(positive), positive),
)
elementwise(
    special.fdtrc,
    unknown("dfn"),
    unknown("dfd"),
    lambda y, dfn, dfd, x: -fisher(dfn, dfd, x),
    domain=(given(positive), given(positive), positive),
)
elementwise(
    special.fdtri,
    unknown("dfn"),
    unknown("dfd"),
    lambda x, dfn, dfd, p: 1 / fisher(dfn, dfd, x),
    domain=(given(above_one), given(above_one), probability),
)


# noncentral chi-squared and F distributions: mixtures over a Poisson distribution of mean nc / 2
def noncentral_chi_squared(x: Any, df: Any, nc: Any) -> Any:
    """The density, a Bessel function."""
    order = df / 2 - 1
    distance = np.sqrt(x) - np.sqrt(nc)
    return (
        np.exp(special.xlogy(order / 2, x / nc) - distance * distance / 2)
        * special.ive(order, np.sqrt(nc * x))
        / 2
    )


def more_noncentral(y: Any, x: Any, df: Any, nc: Any) -> Any:
    """The derivative of ``y = chndtr(x, df, nc)`` by ``nc``."""
    return (special.chndtr(x, df + 2, nc) - y) / 2


BOOK = "N. L. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate Distributions 2"

elementwise(
    special.chndtr,
    lambda y, x, df, nc: noncentral_chi_squared(x, df, nc),
    unknown("df"),
    lambda y, x, df, nc: more_noncentral(y, x, df, nc),
    domain=(positive, given(above_one), positive),
    source=BOOK + ", ch. 29",
)
elementwise(
    special.chndtrix,
    lambda x, p, df, nc: 1 / noncentral_chi_squared(x, df, nc),
    unknown("df"),
    lambda x, p, df, nc: -more_noncentral(p, x, df, nc) / noncentral_chi_squared(x, df, nc),
    domain=(probability, given(positive), positive),
    source=BOOK + ", ch. 29",
)
elementwise(
    special.chndtrinc,
    lambda nc, x, df, p: -noncentral_chi_squared(x, df, nc) / more_noncentral(p, x, df, nc),
    unknown("df"),
    lambda nc, x, df, p: 1 / more_noncentral(p, x, df, nc),
    domain=(between(4, 6), given(positive), between(0.1, 0.4)),
    source=BOOK + ", ch. 29",
)


def noncentral_fisher(dfn: Any, dfd: Any, nc: Any, x: Any) -> Any:
    """The density, a confluent hypergeometric function."""
    share = dfn * x / (dfn * x + dfd)
    series = special.hyp1f1((dfn + dfd) / 2, dfn / 2, nc * share / 2)
    return np.exp(-nc / 2) * fisher(dfn, dfd, x) * series


def more_noncentral_fisher(dfn: Any, dfd: Any, nc: Any, x: Any) -> Any:
    """The derivative of ``ncfdtr(dfn, dfd, nc, x)`` by ``nc``."""
    a, b = dfn / 2, dfd / 2
    share = dfn * x / (dfn * x + dfd)
    logarithm = special.xlogy(a, share) + special.xlog1py(b, -share) - special.betaln(a, b) - nc / 2
    return np.exp(logarithm) / -dfn * special.hyp1f1(a + b, a + 1, nc * share / 2)


elementwise(
    special.ncfdtr,
    unknown("dfn"),
    unknown("dfd"),
    lambda y, dfn, dfd, nc, x: more_noncentral_fisher(dfn, dfd, nc, x),
    lambda y, dfn, dfd, nc, x: noncentral_fisher(dfn, dfd, nc, x),
    domain=(given(positive), given(positive), positive, positive),
    source=BOOK + ", ch. 30",
)
elementwise(
    special.ncfdtri,
    unknown("dfn"),
    unknown("dfd"),
    lambda x, dfn, dfd, nc, p: -more_noncentral_fisher(dfn, dfd, nc, x) / noncentral_fisher(dfn, dfd, nc, x),
    lambda x, dfn, dfd, nc, p: 1 / noncentral_fisher(dfn, dfd, nc, x),
    domain=(given(above_one), given(above_one), positive, probability),
    source=BOOK + ", ch. 30",
)


# Tukey's lambda distribution, whose inverse is boxcox(y, p) - boxcox(1 - y, p)
def inside(y: Any) -> Any:
    """1 where a probability is neither 0 nor 1, else 0; and the probability, moved away from there."""
    mask = indicator(y * (1 - y), 0, np.greater, y.dtype)
    return mask, y * mask + (1 - mask) / 2


def tukey_by_x(y: Any, x: Any, p: Any) -> Any:
    """The density at the probability ``y``; 0 outside the support."""
    mask, q = inside(y)
    return mask / (q ** (p - 1) + (1 - q) ** (p - 1))


def tukey_by_shape(y: Any, x: Any, p: Any) -> Any:
    """The derivative of ``tklmbda(x, p)`` by ``p``, of the inverse implicitly."""
    _, q = inside(y)
    left, right = np.log(q), np.log1p(-q)
    quantile = left**2 * special.hyp1f1(2.0, 3.0, p * left) - right**2 * special.hyp1f1(2.0, 3.0, p * right)
    return quantile / -2 * tukey_by_x(y, x, p)


elementwise(
    special.tklmbda,
    tukey_by_x,
    tukey_by_shape,
    domain=(inside_unit, probability),
    kink=lambda y, x, p: (p > 0) & (np.abs(x) * p == 1),
)
