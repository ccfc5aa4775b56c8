"""Elliptic integrals and the arithmetic-geometric mean of ``scipy.special``.

Complete integrals are differentiated as hypergeometric functions, smooth at ``m = 0``; incomplete ones
with Carlson's symmetric integrals, whose own derivatives divide by differences of the arguments: a second
derivative by ``m`` is NaN where two of these coincide, as at ``phi = 0`` or ``m = 0``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from jacobi.rules.samples import inside_unit, positive, probability
from jacobi.rules.special.operands import between, elementwise

PI = float(np.pi)
FOUR: tuple[Any, ...] = (between(0.2, 0.6), between(1.0, 1.4), between(1.8, 2.2), between(2.6, 3.0))


def complete_first(m: Any) -> Any:
    """The derivative of ``ellipk(m)``."""
    return PI / 8 * special.hyp2f1(0.5, 0.5, 2.0, m) / (1 - m)


def complete_second(m: Any) -> Any:
    """The derivative of ``ellipe(m)``."""
    return -PI / 8 * special.hyp2f1(0.5, 1.5, 2.0, m)


elementwise(
    special.ellipk, lambda y, m: complete_first(m), domain=inside_unit, source="DLMF 19.5.1, 15.5.1, 15.8.1"
)
elementwise(
    special.ellipkm1,
    lambda y, p: -PI / 8 * special.hyp2f1(0.5, 0.5, 2.0, 1 - p) / p,
    domain=probability,
    source="DLMF 19.5.1, 15.5.1, 15.8.1",
)
elementwise(special.ellipe, lambda y, m: complete_second(m), domain=inside_unit, source="DLMF 19.5.2, 15.5.1")


# Legendre's incomplete integrals: whole periods, and the rest between -pi/2 and pi/2
def rest(phi: Any) -> Any:
    """The number of whole periods of ``phi``, and the sine of what is left."""
    periods = np.rint(phi / PI)
    return periods, np.sin(phi - PI * periods)


def first_by_m(y: Any, phi: Any, m: Any) -> Any:
    """The derivative of ``ellipkinc(phi, m)`` by ``m``."""
    periods, s = rest(phi)
    s2 = s * s
    return 2 * periods * complete_first(m) + s * s2 / 6 * special.elliprd(1 - s2, 1.0, 1 - m * s2)


def second_by_m(y: Any, phi: Any, m: Any) -> Any:
    """The derivative of ``ellipeinc(phi, m)`` by ``m``."""
    periods, s = rest(phi)
    s2 = s * s
    return 2 * periods * complete_second(m) - s * s2 / 6 * special.elliprd(1 - s2, 1 - m * s2, 1.0)


elementwise(
    special.ellipkinc,
    lambda y, phi, m: 1 / np.sqrt(1 - m * np.sin(phi) ** 2),
    first_by_m,
    domain=(between(-4.5, 4.5), probability),
    source="DLMF 19.2.4, 19.25.5, 19.18.1",
)
elementwise(
    special.ellipeinc,
    lambda y, phi, m: np.sqrt(1 - m * np.sin(phi) ** 2),
    second_by_m,
    domain=(between(-4.5, 4.5), probability),
    source="DLMF 19.2.5, 19.4.6, 19.25.10",
)

# Carlson's symmetric integrals


def tied(x: Any, y: Any) -> Any:
    """``F(1, 1; 5/2; 1 - x / y)``, which is smooth at ``x = y``."""
    return special.hyp2f1(1.0, 1.0, 2.5, 1 - x / y)


elementwise(
    special.elliprc,
    lambda z, x, y: tied(x, y) / (-6 * y * np.sqrt(x)),
    lambda z, x, y: (np.sqrt(x) * tied(x, y) / (3 * y) - z) / (2 * y),
    domain=positive,
    source="DLMF 19.2.17, 15.5.1, 15.8.1",
)
elementwise(
    special.elliprf,
    lambda f, x, y, z: special.elliprd(y, z, x) / -6,
    lambda f, x, y, z: special.elliprd(z, x, y) / -6,
    lambda f, x, y, z: special.elliprd(x, y, z) / -6,
    domain=FOUR[:3],
    source="DLMF 19.18.1",
)


def shared(y: Any, z: Any, x: Any, p: Any, j: Any) -> Any:
    """The derivative of ``j = elliprj(x, y, z, p)`` by ``x``; ``elliprd`` is the case ``z = p``."""
    return (special.elliprd(y, z, x) - j) / (2 * (x - p))


def homogeneous(j: Any, p: Any, *terms: Any) -> Any:
    """The derivative by ``p`` from those by the others, by Euler's theorem: the degree is ``-3/2``."""
    return (-1.5 * j - sum(x * slope for x, slope in terms)) / p


elementwise(
    special.elliprd,
    lambda d, x, y, z: shared(y, z, x, z, d),
    lambda d, x, y, z: shared(z, x, y, z, d),
    lambda d, x, y, z: homogeneous(d, z, (x, shared(y, z, x, z, d)), (y, shared(z, x, y, z, d))),
    domain=FOUR[:3],
    source="DLMF 19.16.5, 19.18.1",
)
elementwise(
    special.elliprj,
    lambda j, x, y, z, p: shared(y, z, x, p, j),
    lambda j, x, y, z, p: shared(z, x, y, p, j),
    lambda j, x, y, z, p: shared(x, y, z, p, j),
    lambda j, x, y, z, p: homogeneous(
        j, p, (x, shared(y, z, x, p, j)), (y, shared(z, x, y, p, j)), (z, shared(x, y, z, p, j))
    ),
    domain=FOUR,
    source="DLMF 19.16.2, in partial fractions",
)
elementwise(
    special.elliprg,
    lambda g, x, y, z: (special.elliprf(x, y, z) - x / 3 * special.elliprd(y, z, x)) / 4,
    lambda g, x, y, z: (special.elliprf(x, y, z) - y / 3 * special.elliprd(z, x, y)) / 4,
    lambda g, x, y, z: (special.elliprf(x, y, z) - z / 3 * special.elliprd(x, y, z)) / 4,
    domain=FOUR[:3],
    source="DLMF 19.16.3, 19.18.1",
)


# the arithmetic-geometric mean, as pi/4 (a + b) / K(((a - b) / (a + b))**2)
def mean_by_first(y: Any, a: Any, b: Any) -> Any:
    """The derivative of ``agm(a, b)`` by ``a``."""
    total = a + b
    ratio = (a - b) / total
    share = y / total
    return share - share * share * (a - b) / (2 * a) * special.hyp2f1(0.5, 0.5, 2.0, ratio * ratio)


elementwise(
    special.agm,
    mean_by_first,
    lambda y, a, b: mean_by_first(y, b, a),
    domain=positive,
    source="DLMF 19.8.5, with the derivative of K",
)
