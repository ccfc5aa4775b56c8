"""The ufuncs of ``scipy.special``: elementary, logistic and error functions here, the rest by family.

Importing this module fills the registry; that happens when a traced value first meets one of the functions.
"DLMF" in a source is the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

import jacobi.rules.special.bessel
import jacobi.rules.special.distributions
import jacobi.rules.special.elliptic
import jacobi.rules.special.gamma
import jacobi.rules.special.hypergeometric
import jacobi.rules.special.orthogonal
import jacobi.rules.special.refused  # noqa: F401
from jacobi.matrix import indicator
from jacobi.rules.registry import piecewise_constant
from jacobi.rules.samples import between_integers, inside_unit, positive, probability, real
from jacobi.rules.special.operands import between, elementwise, quotient

ROOT_PI = float(np.sqrt(np.pi))
ROOT_2PI = float(np.sqrt(2 * np.pi))
ROOT_HALF = float(np.sqrt(0.5))
DEGREE = float(np.pi) / 180

# exponentials, powers, logarithms
elementwise(special.exp2, lambda y, x: y * float(np.log(2)))
elementwise(special.exp10, lambda y, x: y * float(np.log(10)))
elementwise(special.expm1, lambda y, x: y + 1)
elementwise(special.exprel, lambda y, x: special.hyp1f1(2.0, 3.0, x) / 2, source="DLMF 13.6.2, 13.3.15")
elementwise(special.log1p, lambda y, x: 1 / (1 + x), domain=positive)
elementwise(special.cbrt, lambda y, x: 1 / (3 * y * y), kink=lambda y, x: x)
elementwise(
    special.powm1,
    lambda z, x, y: y * x ** (y - 1),
    lambda z, x, y: special.xlogy(x**y, x),
    domain=(positive, real),
)
elementwise(
    special.xlogy, lambda z, x, y: np.log(y), lambda z, x, y: quotient(x, y, z.dtype), domain=(real, positive)
)
elementwise(
    special.xlog1py,
    lambda z, x, y: np.log1p(y),
    lambda z, x, y: quotient(x, 1 + y, z.dtype),
    domain=(real, positive),
)

# transformations of Box and Cox; by the exponent p as functions that are smooth at p = 0
elementwise(
    special.boxcox,
    lambda y, x, p: x ** (p - 1),
    lambda y, x, p: np.log(x) ** 2 * special.hyp1f1(2.0, 3.0, p * np.log(x)) / 2,
    domain=(positive, real),
    source="boxcox = log(x) exprel(p log(x))",
)
elementwise(
    special.boxcox1p,
    lambda y, x, p: np.exp(special.xlog1py(p - 1, x)),
    lambda y, x, p: np.log1p(x) ** 2 * special.hyp1f1(2.0, 3.0, p * np.log1p(x)) / 2,
    domain=(positive, real),
    source="boxcox1p = log1p(x) exprel(p log1p(x))",
)
elementwise(
    special.inv_boxcox,
    lambda x, y, p: x / (1 + p * y),
    lambda x, y, p: x * y * y * special.hyp2f1(2.0, 2.0, 3.0, -p * y) / -2,
    domain=(positive, probability),
    source="inv_boxcox = exp(y F(1, 1; 2; -p y)), DLMF 15.4.1, 15.5.1",
)
elementwise(
    special.inv_boxcox1p,
    lambda x, y, p: (x + 1) / (1 + p * y),
    lambda x, y, p: (x + 1) * y * y * special.hyp2f1(2.0, 2.0, 3.0, -p * y) / -2,
    domain=(positive, probability),
    source="inv_boxcox1p = exp(y F(1, 1; 2; -p y)) - 1",
)

# trigonometric functions
elementwise(special.cosm1, lambda y, x: -np.sin(x))
elementwise(special.sindg, lambda y, x: DEGREE * special.cosdg(x), domain=between(-80, 80))
elementwise(special.cosdg, lambda y, x: -DEGREE * special.sindg(x), domain=between(-80, 80))
elementwise(special.tandg, lambda y, x: DEGREE * (1 + y * y), domain=between(-80, 80))
elementwise(special.cotdg, lambda y, x: -DEGREE * (1 + y * y), domain=between(10, 80))
elementwise(
    special.radian,
    lambda y, d, m, s: DEGREE,
    lambda y, d, m, s: DEGREE / 60,
    lambda y, d, m, s: DEGREE / 3600,
)
piecewise_constant(
    special.round, domain=between_integers, kink=lambda y, x: x - np.floor(x) - 0.5
)

# logistic functions
elementwise(special.expit, lambda y, x: y * special.expit(-x))  # 1 - y loses all digits for large x
elementwise(special.log_expit, lambda y, x: special.expit(-x))
elementwise(special.logit, lambda y, x: 1 / (x * (1 - x)), domain=probability)

# error functions
elementwise(special.erf, lambda y, x: 2 / ROOT_PI * np.exp(-x * x), source="DLMF 7.2.1")
elementwise(special.erfc, lambda y, x: -2 / ROOT_PI * np.exp(-x * x), source="DLMF 7.2.2")
elementwise(special.erfcx, lambda y, x: 2 * x * y - 2 / ROOT_PI, source="DLMF 7.2.2")
elementwise(special.erfi, lambda y, x: 2 / ROOT_PI * np.exp(x * x), source="DLMF 7.2.1")
elementwise(special.erfinv, lambda y, x: ROOT_PI / 2 * np.exp(y * y), domain=inside_unit)
elementwise(special.erfcinv, lambda y, x: -ROOT_PI / 2 * np.exp(y * y), domain=between(0.1, 1.9))
elementwise(special.dawsn, lambda y, x: 1 - 2 * x * y, source="DLMF 7.2.5")


# the normal distribution
def inverse_mills_ratio(x: Any) -> Any:
    """``phi(x) / Phi(x)``, the density over the distribution function, without underflow on either side."""
    left = indicator(x, 0, np.less, x.dtype)
    right = 1 - left
    below, above = x * left, x * right
    ratio_below = 2 / ROOT_2PI / special.erfcx(-ROOT_HALF * below)
    ratio_above = np.exp(above * above / -2) / (ROOT_2PI * special.ndtr(above))
    return left * ratio_below + right * ratio_above


elementwise(special.ndtr, lambda y, x: np.exp(x * x / -2) / ROOT_2PI)
elementwise(special.ndtri, lambda y, p: ROOT_2PI * np.exp(y * y / 2), domain=probability)
elementwise(special.log_ndtr, lambda y, x: inverse_mills_ratio(x))
elementwise(special.ndtri_exp, lambda y, x: 1 / inverse_mills_ratio(y), domain=between(-3, -0.1))
elementwise(
    special.owens_t,
    lambda y, h, a: -np.exp(h * h / -2) * special.erf(ROOT_HALF * a * h) / (2 * ROOT_2PI),
    lambda y, h, a: np.exp(h * h * (1 + a * a) / -2) / (float(2 * np.pi) * (1 + a * a)),
    source="D. B. Owen, Annals of Mathematical Statistics 27 (1956) 1075-1090",
)

# entropies
elementwise(special.entr, lambda y, x: -np.log(x) - 1, domain=positive)
elementwise(
    special.rel_entr,
    lambda z, x, y: np.log(x / y) + 1,
    lambda z, x, y: -quotient(x, y, z.dtype),
    domain=positive,
)
elementwise(
    special.kl_div,
    lambda z, x, y: np.log(x / y),
    lambda z, x, y: 1 - quotient(x, y, z.dtype),
    domain=positive,
)

# losses
elementwise(
    special.huber,
    lambda y, delta, r: np.maximum(np.abs(r) - delta, 0),
    lambda y, delta, r: np.minimum(np.maximum(r, -delta), delta),
    domain=(between(0.3, 0.6), lambda rng, shape: real(rng, shape) * rng.choice([0.1, 1.0], shape)),
)


def pseudo_huber_by_delta(y: Any, delta: Any, r: Any) -> Any:
    """``2 delta (s - 1) - r**2 / (delta s)``, ``s = sqrt(1 + (r / delta)**2)``, without its cancellation."""
    slope = r / delta
    s = np.hypot(1.0, slope)
    return r * (slope / s) * (slope / (s + 1)) ** 2


elementwise(
    special.pseudo_huber,
    pseudo_huber_by_delta,
    lambda y, delta, r: r / np.hypot(1.0, r / delta),
    domain=(positive, real),
)
