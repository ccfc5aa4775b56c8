"""Hypergeometric functions, and those of Wright and Lambert, of ``scipy.special``: by the argument.

By a parameter there is no closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from jacobi.rules.samples import inside_unit, positive, real
from jacobi.rules.special.operands import between, elementwise, given, unknown

elementwise(
    special.hyp0f1,
    unknown("v"),
    lambda y, v, z: special.hyp0f1(v + 1, z) / v,
    domain=(given(positive), real),
    source="DLMF 16.3.1",
)
elementwise(
    special.hyp1f1,
    unknown("a"),
    unknown("b"),
    lambda y, a, b, x: a / b * special.hyp1f1(a + 1, b + 1, x),
    domain=(given(positive), given(positive), real),
    source="DLMF 13.3.15",
)
elementwise(
    special.hyp2f1,
    unknown("a"),
    unknown("b"),
    unknown("c"),
    lambda y, a, b, c, z: a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, z),
    domain=(given(positive), given(positive), given(between(1, 3)), inside_unit),
    source="DLMF 15.5.1",
)
elementwise(
    special.hyperu,
    unknown("a"),
    unknown("b"),
    lambda y, a, b, x: -a * special.hyperu(a + 1, b + 1, x),
    domain=(given(between(0.5, 2)), given(between(0.3, 0.7)), between(0.3, 0.7)),  # for larger x, SciPy jumps
    source="DLMF 13.3.22",
)
elementwise(
    special.wrightomega,
    lambda y, x: y / (1 + y),
    source="R. M. Corless and D. J. Jeffrey, The Wright omega function, AISC 2002",
)
elementwise(
    special.wright_bessel,
    unknown("a"),
    unknown("b"),
    lambda y, a, b, x: special.wright_bessel(a, a + b, x),
    domain=(given(positive), given(positive), positive),
    source="DLMF 10.46.1, term by term",
)
if hasattr(special, "log_wright_bessel"):  # SciPy 1.14
    log_wright_bessel: Any = special.log_wright_bessel
    elementwise(
        log_wright_bessel,
        unknown("a"),
        unknown("b"),
        lambda y, a, b, x: np.exp(log_wright_bessel(a, a + b, x) - y),
        domain=(given(positive), given(positive), positive),
        source="DLMF 10.46.1, term by term",
    )
