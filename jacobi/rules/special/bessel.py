"""Bessel, Struve, Kelvin and spherical Bessel functions of ``scipy.special``.

Derivatives are differences of neighbouring orders, without a pole at 0 and differentiable again; by the
order there is no closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from jacobi.rules.samples import positive
from jacobi.rules.special.operands import elementwise, given, integers, unknown, whole

hidden: Any = special._ufuncs
ROOT_PI = float(np.sqrt(np.pi))
ORDERS: dict[str, Any] = {"domain": (given(positive), positive), "source": "DLMF 10.6.1"}
MODIFIED: dict[str, Any] = {"domain": (given(positive), positive), "source": "DLMF 10.29.1"}


def at_zero(y: Any, x: Any) -> Any:
    """The kink of functions of ``|x|``."""
    return x == 0


# Bessel functions
elementwise(special.j0, lambda y, x: -special.j1(x), source="DLMF 10.6.3")
elementwise(special.y0, lambda y, x: -special.y1(x), domain=positive, source="DLMF 10.6.3")
elementwise(special.j1, lambda y, x: (special.j0(x) - special.jv(2, x)) / 2, source="DLMF 10.6.1")
elementwise(special.y1, lambda y, x: special.y0(x) - y / x, domain=positive, source="DLMF 10.6.2")
elementwise(
    special.jv, unknown("v"), lambda y, v, x: (special.jv(v - 1, x) - special.jv(v + 1, x)) / 2, **ORDERS
)
elementwise(
    special.yv, unknown("v"), lambda y, v, x: (special.yv(v - 1, x) - special.yv(v + 1, x)) / 2, **ORDERS
)
elementwise(
    special.jve, unknown("v"), lambda y, v, x: (special.jve(v - 1, x) - special.jve(v + 1, x)) / 2, **ORDERS
)
elementwise(
    special.yve, unknown("v"), lambda y, v, x: (special.yve(v - 1, x) - special.yve(v + 1, x)) / 2, **ORDERS
)
elementwise(
    special.yn,
    whole("n"),
    lambda y, n, x: (special.yv(n - 1, x) - special.yv(n + 1, x)) / 2,
    domain=(integers(0, 4), positive),
    source="DLMF 10.6.1",
)

# modified Bessel functions; the names in e are scaled by exp(-|x|) or exp(x)
elementwise(special.i0, lambda y, x: special.i1(x), source="DLMF 10.29.3")
elementwise(special.k0, lambda y, x: -special.k1(x), domain=positive, source="DLMF 10.29.3")
elementwise(special.i1, lambda y, x: (special.i0(x) + special.iv(2, x)) / 2, source="DLMF 10.29.1")
elementwise(special.k1, lambda y, x: -special.k0(x) - y / x, domain=positive, source="DLMF 10.29.2")
elementwise(special.i0e, lambda y, x: special.i1e(x) - np.sign(x) * y, kink=at_zero, source="DLMF 10.29.3")
elementwise(special.k0e, lambda y, x: y - special.k1e(x), domain=positive, source="DLMF 10.29.3")
elementwise(
    special.i1e,
    lambda y, x: (special.i0e(x) + special.ive(2, x)) / 2 - np.sign(x) * y,
    source="DLMF 10.29.1",
)
elementwise(special.k1e, lambda y, x: y - special.k0e(x) - y / x, domain=positive, source="DLMF 10.29.2")
elementwise(
    special.iv, unknown("v"), lambda y, v, x: (special.iv(v - 1, x) + special.iv(v + 1, x)) / 2, **MODIFIED
)
elementwise(
    special.kv, unknown("v"), lambda y, v, x: (special.kv(v - 1, x) + special.kv(v + 1, x)) / -2, **MODIFIED
)
elementwise(
    special.ive,
    unknown("v"),
    lambda y, v, x: (special.ive(v - 1, x) + special.ive(v + 1, x)) / 2 - np.sign(x) * y,
    kink=lambda y, v, x: (x == 0) & (v == 0),
    **MODIFIED,
)
elementwise(
    special.kve,
    unknown("v"),
    lambda y, v, x: y - (special.kve(v - 1, x) + special.kve(v + 1, x)) / 2,
    **MODIFIED,
)
elementwise(
    special.kn,
    whole("n"),
    lambda y, n, x: (special.kv(n - 1, x) + special.kv(n + 1, x)) / -2,
    domain=(integers(0, 4), positive),
    source="DLMF 10.29.1",
)
elementwise(
    special.besselpoly,
    lambda y, a, p, v: special.besselpoly(a, p + 1, v - 1) - special.besselpoly(a, p + 1, v + 1),
    unknown("lmb"),
    unknown("nu"),
    domain=(positive, given(positive), integers(1, 4)),
    source="DLMF 10.6.1 under the integral",
)

# Struve functions and their integrals


def half_power(v: Any, x: Any) -> Any:
    """``(x / 2)**v / (sqrt(pi) gamma(v + 3/2))``, the inhomogeneous part of Struve's equation."""
    return (x / 2) ** v * special.rgamma(v + 1.5) / ROOT_PI


elementwise(
    special.struve,
    unknown("v"),
    lambda y, v, x: (special.struve(v - 1, x) - special.struve(v + 1, x) + half_power(v, x)) / 2,
    domain=(given(positive), positive),
    source="DLMF 11.4.24",
)
elementwise(
    special.modstruve,
    unknown("v"),
    lambda y, v, x: (special.modstruve(v - 1, x) + special.modstruve(v + 1, x) + half_power(v, x)) / 2,
    domain=(given(positive), positive),
    source="DLMF 11.4.26",
)
elementwise(special.itstruve0, lambda y, x: special.struve(0, x), domain=positive)
elementwise(special.itmodstruve0, lambda y, x: special.modstruve(0, x), domain=positive)
elementwise(special.it2struve0, lambda y, x: -special.struve(0, x) / x, domain=positive)

# Kelvin functions
elementwise(special.ber, lambda y, x: special.berp(x), domain=positive)
elementwise(special.bei, lambda y, x: special.beip(x), domain=positive)
elementwise(special.ker, lambda y, x: special.kerp(x), domain=positive)
elementwise(special.kei, lambda y, x: special.keip(x), domain=positive)
elementwise(special.berp, lambda y, x: -special.bei(x) - y / x, domain=positive, source="DLMF 10.61.3")
elementwise(special.beip, lambda y, x: special.ber(x) - y / x, domain=positive, source="DLMF 10.61.3")
elementwise(special.kerp, lambda y, x: -special.kei(x) - y / x, domain=positive, source="DLMF 10.61.3")
elementwise(special.keip, lambda y, x: special.ker(x) - y / x, domain=positive, source="DLMF 10.61.3")


# spherical Bessel functions: the ufuncs that SciPy's Python functions call for values and for derivatives
def spherical(kind: str, before: int, after: int) -> None:
    """Declare ``(2 n + 1) f_n' = before n f_(n - 1) + after (n + 1) f_(n + 1)`` and its derivative."""
    for ufunc, name in (
        (f"_spherical_{kind}", f"spherical_{kind}"),
        (f"_spherical_{kind}_d", f"spherical_{kind}_derivative"),
    ):
        function: Any = getattr(hidden, ufunc)

        def by_x(y: Any, n: Any, x: Any, function: Any = function) -> Any:
            lower, higher = function(np.maximum(n - 1, 0), x), function(n + 1, x)
            return (before * n * lower + after * (n + 1) * higher) / (2 * n + 1)

        elementwise(
            function,
            whole("n"),
            by_x,
            domain=(integers(0, 4), positive),
            name=f"scipy.special.{name}",
            source="DLMF 10.51.1, 10.51.4",
        )


spherical("jn", 1, -1)
spherical("yn", 1, -1)
spherical("in", 1, 1)
spherical("kn", -1, -1)
