"""The ufuncs of ``scipy.special`` without a rule, and why; single operands without one stand in the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from scipy import special

import jacobi.rules.special.distributions
import jacobi.rules.special.hypergeometric  # noqa: F401
from jacobi.rules.registry import REGISTRY, refused


def named(names: str) -> list[Any]:
    """The ufuncs of these names that this SciPy has; one underscore marks those behind a Python function."""
    hidden: Any = special._ufuncs
    found = (getattr(hidden if name.startswith("_") else special, name, None) for name in names.split())
    return [function for function in found if isinstance(function, np.ufunc)]


SEVERAL = (
    "It gives several arrays at once, which is not supported. Use a function that gives the one you need."
)
COMPLEX = "It gives complex numbers, which are not supported."
LAMBERT = (
    "It gives complex numbers. For positive z write scipy.special.wrightomega(np.log(z)), which is real."
)
FADDEEVA = (
    "Its derivative is an imaginary part of the complex function wofz; complex numbers are not supported."
)
UNKNOWN = (
    "No closed form of its derivative is known. Use jacobi.finite_difference, or keep its operand constant."
)
SHAPE = (
    "No closed form of the derivative by a shape of this distribution is known. Keep its operands constant."
)
SERIES = "The density of this statistic is a series that SciPy does not offer. Keep its operands constant."
CYLINDER = (
    "Its derivative takes parabolic cylinder functions, two arrays at once. Keep its operands constant."
)
INTEGRAL = "Its derivative is an integral over an eigenfunction. Keep its operands constant."
BETA = "SciPy gave it up. Write scipy.special.betainc or betaincinv, which are the same functions."
SEARCH = "SciPy finds it by a search with few digits, too few for a derivative. Keep its operands constant."
OLD = "In this version of SciPy its values are not accurate enough for a derivative. Use a newer one."

refused(
    SEVERAL,
    *named("airy airye ellipj fresnel itairy iti0k0 it2i0k0 itj0y0 it2j0y0 sici shichi pbdv pbvv pbwa"),
    *named("mathieu_cem mathieu_sem mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2"),
    *named("obl_ang1 obl_ang1_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv"),
    *named("pro_ang1 pro_ang1_cv pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv"),
)
refused(COMPLEX, *named("hankel1 hankel1e hankel2 hankel2e kelvin modfresnelm modfresnelp sph_harm wofz"))
refused(LAMBERT, *named("_lambertw"))
refused(FADDEEVA, *named("voigt_profile"))
refused(UNKNOWN, *named("_riemann_zeta zetac"))
refused(
    SHAPE,
    *named("bdtrik bdtrin nbdtrik nbdtrin pdtrik btdtria btdtrib chdtriv chndtridf gdtrib stdtridf"),
    *named("fdtridfd ncfdtridfd ncfdtridfn nctdtridf"),
)
refused(SERIES, *named("kolmogorov kolmogi smirnov smirnovi"))
refused(CYLINDER, *named("nctdtr nctdtrinc nctdtrit"))
refused(INTEGRAL, *named("mathieu_a mathieu_b obl_cv pro_cv"))
refused(BETA, *named("btdtr btdtri"))
refused(SEARCH, *named("ncfdtrinc"))

# rules that this SciPy is too old for: the first version whose values pass the tests of their derivatives
VERSION = tuple(map(int, scipy.__version__.split(".")[:2]))
for names, version in {"log_wright_bessel ncfdtr ncfdtri": (1, 15), "chndtrix chndtrinc": (1, 17)}.items():
    if version > VERSION:
        for function in named(names):
            del REGISTRY[function]
            refused(OLD, function)
