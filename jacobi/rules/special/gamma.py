"""Gamma and beta functions of ``scipy.special``, zeta functions, exponential integrals, the dilogarithm."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from jacobi.matrix import indicator
from jacobi.rules.registry import piecewise_constant
from jacobi.rules.samples import above_one, between_integers, positive, probability
from jacobi.rules.special.operands import between, elementwise, given, integers, unknown, whole

hidden: Any = special._ufuncs  # where the ufuncs live that SciPy's Python functions call

elementwise(special.gamma, lambda y, x: y * special.psi(x), domain=positive, source="DLMF 5.2.2")
elementwise(special.rgamma, lambda y, x: -y * special.psi(x), domain=positive, source="DLMF 5.2.2")
elementwise(special.gammaln, lambda y, x: special.psi(x), domain=positive, source="DLMF 5.2.2")
elementwise(special.loggamma, lambda y, x: special.psi(x), domain=positive, source="DLMF 5.2.2")
elementwise(special.psi, lambda y, x: special.zeta(2.0, x), domain=positive, source="DLMF 5.15.1")
elementwise(
    hidden._zeta,
    unknown("x"),
    lambda y, s, q: -s * special.zeta(s + 1, q),
    domain=(given(above_one), positive),
    name="scipy.special.zeta",
    source="DLMF 25.11.17",
)
piecewise_constant(special.gammasgn, domain=between_integers, kink=lambda y, x: (x <= 0) & (x == np.floor(x)))
elementwise(
    special.poch,
    lambda y, z, m: y * (special.psi(z + m) - special.psi(z)),
    lambda y, z, m: y * special.psi(z + m),
    domain=positive,
    source="DLMF 5.2.5",
)

# the incomplete gamma functions


def gamma_density(a: Any, x: Any) -> Any:
    """``x**(a - 1) exp(-x) / gamma(a)``, the derivative of ``gammainc(a, x)`` by ``x``."""
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))


elementwise(
    special.gammainc,
    unknown("a"),
    lambda y, a, x: gamma_density(a, x),
    domain=(given(positive), positive),
    source="DLMF 8.8.13",
)
elementwise(
    special.gammaincc,
    unknown("a"),
    lambda y, a, x: -gamma_density(a, x),
    domain=(given(positive), positive),
    source="DLMF 8.8.13",
)
elementwise(
    special.gammaincinv,
    unknown("a"),
    lambda x, a, y: 1 / gamma_density(a, x),
    domain=(given(above_one), probability),
)
elementwise(
    special.gammainccinv,
    unknown("a"),
    lambda x, a, y: -1 / gamma_density(a, x),
    domain=(given(above_one), probability),
)

# beta functions and binomial coefficients

elementwise(
    special.beta,
    lambda y, a, b: y * (special.psi(a) - special.psi(a + b)),
    lambda y, a, b: y * (special.psi(b) - special.psi(a + b)),
    domain=positive,
    source="DLMF 5.12.1",
)
elementwise(
    special.betaln,
    lambda y, a, b: special.psi(a) - special.psi(a + b),
    lambda y, a, b: special.psi(b) - special.psi(a + b),
    domain=positive,
    source="DLMF 5.12.1",
)
elementwise(
    special.binom,
    lambda y, n, k: y * (special.psi(n + 1) - special.psi(n - k + 1)),
    lambda y, n, k: y * (special.psi(n - k + 1) - special.psi(k + 1)),
    domain=(between(4, 6), positive),
    source="DLMF 1.2.6",
)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """``x**(a - 1) (1 - x)**(b - 1) / beta(a, b)``, the derivative of ``betainc(a, b, x)`` by ``x``."""
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


BETA: dict[str, Any] = {"domain": (given(positive), given(positive), probability), "source": "DLMF 8.17.1"}

elementwise(special.betainc, unknown("a"), unknown("b"), lambda y, a, b, x: beta_density(a, b, x), **BETA)
elementwise(special.betaincc, unknown("a"), unknown("b"), lambda y, a, b, x: -beta_density(a, b, x), **BETA)
elementwise(
    special.betaincinv, unknown("a"), unknown("b"), lambda x, a, b, y: 1 / beta_density(a, b, x), **BETA
)
elementwise(
    special.betainccinv, unknown("a"), unknown("b"), lambda x, a, b, y: -1 / beta_density(a, b, x), **BETA
)

# exponential integrals and the dilogarithm

elementwise(special.exp1, lambda y, x: -np.exp(-x) / x, domain=positive, source="DLMF 6.2.1")
elementwise(special.expi, lambda y, x: np.exp(x) / x, source="DLMF 6.2.5")
elementwise(
    special.spence, lambda y, x: -special.hyp2f1(1.0, 1.0, 2.0, 1 - x), domain=positive, source="DLMF 25.12.2"
)


def expn_by_x(y: Any, n: Any, x: Any) -> Any:
    """``-E(n - 1, x)``; SciPy has no ``E(-1, x)``, which is ``E(0, x) (1 + 1 / x)``."""
    lowest = indicator(n, 0, np.equal, y.dtype)
    return -special.expn(np.maximum(n - 1, 0), x) * (1 + lowest / (x + 1 - lowest))


elementwise(special.expn, whole("n"), expn_by_x, domain=(integers(0, 4), positive), source="DLMF 8.19.13")
