"""Orthogonal polynomials and Legendre functions of ``scipy.special``: by the argument.

Derivatives are polynomials of one degree less: there is no division by zero at the ends of the interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from jacobi.matrix import indicator
from jacobi.rules.samples import inside_unit, positive, probability, small_integer
from jacobi.rules.special.operands import between, elementwise, given, integers, unknown, whole


def lower(n: Any) -> Any:
    """The degree of the derivative; the polynomial of degree -1 is zero, and so is its derivative."""
    return n - 1 + indicator(n, -1, np.equal, int)


def legendre_slope(n: Any, x: Any) -> Any:
    """The derivative of the Legendre polynomial; degrees ``n`` and ``-1 - n`` have the same one."""
    return special.eval_gegenbauer(lower(np.maximum(n, -1 - n)), 1.5, x)


def chebyshev_slope(n: Any, x: Any) -> Any:
    """The derivative of the Chebyshev polynomial of the second kind, which is odd in ``n + 1``."""
    return 2 * np.sign(n + 1) * special.eval_gegenbauer(lower(np.abs(n + 1) - 1), 2.0, x)


# Legendre
elementwise(
    special.eval_legendre,
    whole("n"),
    lambda y, n, x: legendre_slope(n, x),
    domain=(small_integer, inside_unit),
    source="DLMF 18.7.9, 18.9.19",
)
elementwise(
    special.eval_sh_legendre,
    whole("n"),
    lambda y, n, x: 2 * legendre_slope(n, 2 * x - 1),
    domain=(small_integer, probability),
    source="DLMF 18.7.10, 18.9.19",
)
elementwise(
    special.lpmv,
    whole("m"),
    unknown("v"),
    lambda y, m, v, x: ((m - v - 1) * special.lpmv(m, v + 1, x) + (v + 1) * x * y) / (1 - x * x),
    domain=(integers(0, 2), given(positive), inside_unit),
    source="DLMF 14.10.5",
)

# Chebyshev
elementwise(
    special.eval_chebyt,
    whole("n"),
    lambda y, n, x: n * special.eval_chebyu(n - 1, x),
    domain=(small_integer, inside_unit),
    source="DLMF 18.9.21",
)
elementwise(
    special.eval_chebyu,
    whole("n"),
    lambda y, n, x: chebyshev_slope(n, x),
    domain=(small_integer, inside_unit),
    source="DLMF 18.7.4, 18.9.19",
)
elementwise(
    special.eval_chebyc,
    whole("n"),
    lambda y, n, x: n * special.eval_chebyu(n - 1, x / 2),
    domain=(small_integer, inside_unit),
    source="DLMF 18.1.3, 18.9.21",
)
elementwise(
    special.eval_chebys,
    whole("n"),
    lambda y, n, x: chebyshev_slope(n, x / 2) / 2,
    domain=(small_integer, inside_unit),
    source="DLMF 18.1.3, 18.9.19",
)
elementwise(
    special.eval_sh_chebyt,
    whole("n"),
    lambda y, n, x: 2 * n * special.eval_chebyu(n - 1, 2 * x - 1),
    domain=(small_integer, probability),
    source="DLMF 18.7.7, 18.9.21",
)
elementwise(
    special.eval_sh_chebyu,
    whole("n"),
    lambda y, n, x: 2 * chebyshev_slope(n, 2 * x - 1),
    domain=(small_integer, probability),
    source="DLMF 18.7.8, 18.9.19",
)

# Gegenbauer and Jacobi
elementwise(
    special.eval_gegenbauer,
    whole("n"),
    unknown("alpha"),
    lambda y, n, alpha, x: 2 * alpha * special.eval_gegenbauer(lower(n), alpha + 1, x),
    domain=(small_integer, given(positive), inside_unit),
    source="DLMF 18.9.19",
)
elementwise(
    special.eval_jacobi,
    whole("n"),
    unknown("alpha"),
    unknown("beta"),
    lambda y, n, a, b, x: (n + a + b + 1) / 2 * special.eval_jacobi(lower(n), a + 1, b + 1, x),
    domain=(small_integer, given(positive), given(positive), inside_unit),
    source="DLMF 18.9.15",
)


def shifted_jacobi_slope(y: Any, n: Any, p: Any, q: Any, x: Any) -> Any:
    """The derivative of ``binom(2 n + p - 1, n)**-1 P(n, p - q, q - 1, 2 x - 1)`` by ``x``."""
    scale = (n + p) / special.binom(2 * n + p - 1, n)
    return scale * special.eval_jacobi(lower(n), p - q + 1, q, 2 * x - 1)


elementwise(
    special.eval_sh_jacobi,
    whole("n"),
    unknown("p"),
    unknown("q"),
    shifted_jacobi_slope,
    domain=(small_integer, given(between(2, 3)), given(positive), probability),
    source="DLMF 18.1.2, 18.9.15",
)

# Laguerre and Hermite
elementwise(
    special.eval_laguerre,
    whole("n"),
    lambda y, n, x: -special.eval_genlaguerre(lower(n), 1.0, x),
    domain=(small_integer, positive),
    source="DLMF 18.9.23",
)
elementwise(
    special.eval_genlaguerre,
    whole("n"),
    unknown("alpha"),
    lambda y, n, alpha, x: -special.eval_genlaguerre(lower(n), alpha + 1, x),
    domain=(small_integer, given(positive), positive),
    source="DLMF 18.9.23",
)
elementwise(
    special.eval_hermite,
    whole("n"),
    lambda y, n, x: 2 * n * special.eval_hermite(np.maximum(n - 1, 0), x),
    domain=(small_integer, inside_unit),
    source="DLMF 18.9.25",
)
elementwise(
    special.eval_hermitenorm,
    whole("n"),
    lambda y, n, x: n * special.eval_hermitenorm(np.maximum(n - 1, 0), x),
    domain=(small_integer, inside_unit),
    source="DLMF 18.9.27",
)
