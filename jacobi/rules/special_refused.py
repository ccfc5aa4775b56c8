"""The ufuncs of ``scipy.special`` without a rule, and why; the rules name single operands without a derivative."""

from __future__ import annotations

from typing import Any

from scipy import special

from jacobi.rules.registry import refused


def named(names: str) -> list[Any]:
    """The ufuncs of these names that this SciPy has; one underscore marks those behind a Python function."""
    hidden: Any = special._ufuncs
    found = (getattr(hidden if name.startswith("_") else special, name, None) for name in names.split())
    return [function for function in found if function is not None]


refused(
    "It gives several arrays at once, which is not supported. Use a function that gives the one you need.",
    *named(
        """
        airy airye ellipj fresnel itairy iti0k0 it2i0k0 itj0y0 it2j0y0 sici shichi pbdv pbvv pbwa
        mathieu_cem mathieu_sem mathieu_modcem1 mathieu_modcem2 mathieu_modsem1 mathieu_modsem2
        obl_ang1 obl_ang1_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv
        pro_ang1 pro_ang1_cv pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv
        """
    ),
)
refused(
    "It gives complex numbers, which are not supported.",
    *named("hankel1 hankel1e hankel2 hankel2e kelvin modfresnelm modfresnelp sph_harm wofz"),
)
refused(
    "It gives complex numbers, which are not supported. For z > 0 write scipy.special.wrightomega(np.log(z)).",
    *named("_lambertw"),
)
refused(
    "Its derivative is an imaginary part of the complex function wofz, and complex numbers are not supported.",
    *named("voigt_profile"),
)
refused(
    "No closed form of its derivative is known. Use jacobi.finite_difference, or keep its operand constant.",
    *named("_riemann_zeta zetac"),
)
refused(
    "It gives a number of degrees of freedom, or another shape of a distribution, and no closed form of the "
    "derivative by that shape is known. Keep its operands constant.",
    *named(
        """
        bdtrik bdtrin nbdtrik nbdtrin pdtrik btdtria btdtrib chdtriv chndtridf fdtridfd gdtrib stdtridf
        ncfdtridfd ncfdtridfn nctdtridf
        """
    ),
)
refused(
    "SciPy finds its value by a search with about five digits, too few for a derivative. Keep its operands constant.",
    *named("ncfdtrinc"),
)
refused(
    "Its derivative takes parabolic cylinder functions, which SciPy gives two at a time. Keep its operands constant.",
    *named("nctdtr nctdtrinc nctdtrit"),
)
refused(
    "The density of this statistic is a series that SciPy does not offer. Keep its operands constant.",
    *named("kolmogorov kolmogi smirnov smirnovi"),
)
refused(
    "The derivative of this characteristic value is an integral over its eigenfunction. Keep its operands constant.",
    *named("mathieu_a mathieu_b obl_cv pro_cv"),
)
