"""Operations that act entry by entry: NumPy's ufuncs, a line each.

Derivatives at kinks: ``abs'(0) = 0``; tied variables share a maximum or minimum equally, and a variable that is tied
with a constant gets 0, so that ``maximum(0, x)`` has derivative 0 at 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.matrix import dispatchable, indicator
from jacobi.rules.calls import parameter_names
from jacobi.rules.registry import composed, elementwise, piecewise_constant
from jacobi.rules.samples import above_one, between_integers, broadcast, calls, inside_unit, positive, real


def where(condition: Any, x: Any) -> Any:
    """The mask of a condition, as numbers of the type of ``x``."""
    return indicator(condition, 0, np.not_equal, x.dtype)


def beats(comparison: Any, x: Any, other: Any, y: Any) -> Any:
    """1 where ``x`` wins the comparison, 0 where it loses or ties."""
    return indicator(x, other, comparison, y.dtype)


def shares(comparison: Any, x: Any, other: Any, y: Any) -> Any:
    """1 where ``x`` wins the comparison, 0 where it loses, one half each at a tie."""
    return beats(comparison, x, other, y) + indicator(x, other, np.equal, y.dtype) * 0.5


def safe_log(x: Any) -> Any:
    """The logarithm, and 0 at 0: for ``d(x**p)/dp = x**p log x``, whose limit at 0 is 0."""
    if type(x) in (int, float, bool):
        return float(np.log(x)) if x else 0.0
    return np.log(x + indicator(x, 0, np.equal, np.result_type(x.dtype, np.float32)))


@dispatchable
def quotient(x: Any, y: Any) -> Any:
    """``x / y``, and 0 where both are 0: for derivatives of norms, whose kink at 0 is that of ``abs``."""
    return x / np.where(y == 0, 1, y)


def power_by_base(y: Any, x: Any, p: Any) -> Any:
    """``p * x**(p - 1)``, and 0 for ``p = 0`` at ``x = 0`` as well."""
    if type(p) in (int, float, bool):
        return p * x ** (p - 1) if p else 0
    both = indicator(p, 0, np.equal, p.dtype) * indicator(x, 0, np.equal, p.dtype)
    return p * x ** (p - 1 + both)


# arithmetic
elementwise(np.add, lambda z, x, y: 1, lambda z, x, y: 1)
elementwise(np.subtract, lambda z, x, y: 1, lambda z, x, y: -1)
elementwise(np.multiply, lambda z, x, y: y, lambda z, x, y: x)
elementwise(np.divide, lambda z, x, y: 1 / y, lambda z, x, y: -z / y)
elementwise(np.negative, lambda y, x: -1)
elementwise(np.positive, lambda y, x: 1)
elementwise(np.square, lambda y, x: 2 * x)
elementwise(np.reciprocal, lambda y, x: -y * y)
elementwise(np.power, power_by_base, lambda y, x, p: y * safe_log(x), domain=(positive, real))
elementwise(np.float_power, power_by_base, lambda y, x, p: y * safe_log(x), domain=(positive, real))
elementwise(
    quotient,
    lambda z, x, y: quotient(1.0, y),
    lambda z, x, y: -quotient(z, y),
    kink=lambda z, x, y: np.maximum(np.abs(x), np.abs(y)),
    name="quotient",
)
elementwise(
    np.remainder,
    lambda z, x, y: 1,
    lambda z, x, y: -np.floor_divide(x, y),
    domain=(between_integers, above_one),
    kink=lambda z, x, y: np.minimum(np.abs(z), np.abs(y - z) + (z == 0)),
)
elementwise(
    np.fmod,
    lambda z, x, y: 1,
    lambda z, x, y: -np.trunc(x / y),
    domain=(between_integers, above_one),
    kink=lambda z, x, y: z,
)
elementwise(np.fabs, lambda y, x: np.sign(x), kink=lambda y, x: x)
elementwise(np.absolute, lambda y, x: np.sign(x), kink=lambda y, x: x)
elementwise(np.conjugate, lambda y, x: 1)

# roots, powers, exponentials, logarithms
elementwise(np.sqrt, lambda y, x: 0.5 / y, domain=positive, kink=lambda y, x: x)
elementwise(np.cbrt, lambda y, x: 1 / (3 * y * y), kink=lambda y, x: x)
elementwise(np.exp, lambda y, x: y)
elementwise(np.exp2, lambda y, x: y * float(np.log(2)))
elementwise(np.expm1, lambda y, x: y + 1)
elementwise(np.log, lambda y, x: 1 / x, domain=positive)
elementwise(np.log2, lambda y, x: 1 / (x * float(np.log(2))), domain=positive)
elementwise(np.log10, lambda y, x: 1 / (x * float(np.log(10))), domain=positive)
elementwise(np.log1p, lambda y, x: 1 / (1 + x), domain=positive)
elementwise(np.logaddexp, lambda z, x, y: np.exp(x - z), lambda z, x, y: np.exp(y - z))
elementwise(np.logaddexp2, lambda z, x, y: np.exp2(x - z), lambda z, x, y: np.exp2(y - z))

# trigonometric and hyperbolic functions
elementwise(np.sin, lambda y, x: np.cos(x))
elementwise(np.cos, lambda y, x: -np.sin(x))
elementwise(np.tan, lambda y, x: 1 + y * y, domain=inside_unit)
elementwise(np.arcsin, lambda y, x: 1 / np.sqrt(1 - x * x), domain=inside_unit)
elementwise(np.arccos, lambda y, x: -1 / np.sqrt(1 - x * x), domain=inside_unit)
elementwise(np.arctan, lambda y, x: 1 / (1 + x * x))
elementwise(
    np.arctan2,
    lambda z, y, x: x / np.hypot(x, y) / np.hypot(x, y),  # the squares of huge and tiny numbers would overflow
    lambda z, y, x: -y / np.hypot(x, y) / np.hypot(x, y),
    kink=lambda z, y, x: np.hypot(x, y),
)
elementwise(
    np.hypot, lambda z, x, y: quotient(x, z), lambda z, x, y: quotient(y, z), kink=lambda z, x, y: z
)
elementwise(np.sinh, lambda y, x: np.cosh(x))
elementwise(np.cosh, lambda y, x: np.sinh(x))
elementwise(np.tanh, lambda y, x: 1 - y * y)
elementwise(np.arcsinh, lambda y, x: 1 / np.hypot(x, 1.0))
elementwise(np.arccosh, lambda y, x: 1 / np.sqrt(x * x - 1), domain=above_one)
elementwise(np.arctanh, lambda y, x: 1 / (1 - x * x), domain=inside_unit)
elementwise(np.degrees, lambda y, x: 180 / float(np.pi))
elementwise(np.rad2deg, lambda y, x: 180 / float(np.pi))
elementwise(np.radians, lambda y, x: float(np.pi) / 180)
elementwise(np.deg2rad, lambda y, x: float(np.pi) / 180)

# choices
for function, comparison in (
    (np.maximum, np.greater),
    (np.minimum, np.less),
    (np.fmax, np.greater),
    (np.fmin, np.less),
):
    elementwise(
        function,
        lambda z, x, y, wins=comparison: shares(wins, x, y, z),
        lambda z, x, y, wins=comparison: shares(wins, y, x, z),
        alone=(
            lambda z, x, y, wins=comparison: beats(wins, x, y, z),
            lambda z, x, y, wins=comparison: beats(wins, y, x, z),
        ),
        domain=(real, lambda rng, shape: real(rng, shape) + 0.05),
        kink=lambda z, x, y: x - y,
    )
elementwise(
    np.copysign,
    lambda z, x, y: np.sign(x) * np.copysign(1.0, y),
    lambda z, x, y: 0,
    kink=lambda z, x, y: np.minimum(np.abs(x), np.abs(y)),
)
elementwise(
    np.where,
    None,
    lambda z, condition, x, y: where(condition, z),
    lambda z, condition, x, y: 1 - where(condition, z),
    domain=(lambda rng, shape: rng.random(shape) < 0.5, real, real),
    name="numpy.where",
)
elementwise(
    np.ldexp,
    lambda y, x, k: np.exp2(k).astype(y.dtype),
    None,
    domain=(real, lambda rng, shape: np.asarray(rng.integers(-2, 3, shape))),
)
elementwise(
    np.nan_to_num,
    lambda y, x, nan=0.0, posinf=None, neginf=None: indicator(x, y, np.equal, y.dtype),
    kink=lambda y, x, nan=0.0, posinf=None, neginf=None: x != y,
)

# derivative zero
piecewise_constant(np.sign, domain=real, kink=lambda y, x: x)
piecewise_constant(np.floor, np.ceil, kink=lambda y, x: x - np.rint(x))
piecewise_constant(np.trunc, kink=lambda y, x: (x == y) & (x != 0))
piecewise_constant(np.rint, kink=lambda y, x: np.abs(x - np.trunc(x)) - 0.5)
elementwise(
    np.floor_divide,
    lambda z, x, y: 0,
    lambda z, x, y: 0,
    domain=(between_integers, above_one),
    piecewise_constant=True,
    kink=lambda z, x, y: x == z * y,
)
elementwise(
    np.heaviside,
    lambda z, x, h: 0,
    lambda z, x, h: indicator(x, 0, np.equal, z.dtype),
    kink=lambda z, x, h: x,
)
elementwise(np.spacing, lambda y, x: 0, piecewise_constant=True)
elementwise(
    indicator,
    lambda y, left, right, comparison, dtype: 0,
    lambda y, left, right, comparison, dtype: 0,
    piecewise_constant=True,
    samples=calls(((3,), (3,), np.greater, float), ((2, 3), (3,), np.less, float), ((3,), 0, np.equal, float)),
    name="indicator",
)


def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """``minimum(maximum(x, lowest), highest)``; either bound may be missing."""
    lowest = a_min if min is None else min
    highest = a_max if max is None else max
    if lowest is not None:
        x = np.maximum(x, lowest)
    if highest is not None:
        x = np.minimum(x, highest)
    return x if lowest is not None or highest is not None else +x


def sinc(x: Any) -> Any:
    """``sin(pi x) / (pi x)``, and its power series near 0, where the derivatives of the quotient lose all digits."""
    near = indicator(np.abs(x), 0.1, np.less, x.dtype)
    far = 1 - near
    scaled = np.pi * x
    square = scaled * scaled * near
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72 * (1 - square / 110))))
    return far * np.sin(scaled) / (scaled * far + near) + near * series


def i0(x: Any) -> Any:
    """The modified Bessel function of order 0."""
    from scipy import special

    return special.i0(x)


def rounded(a: Any, decimals: int = 0) -> Any:
    """The nearest multiple of a power of ten."""
    if decimals < 0:
        return np.rint(a / 10.0**-decimals) * 10.0**-decimals
    return np.rint(a * 10.0**decimals) / 10.0**decimals if decimals else np.rint(a)


composed(
    np.clip,
    clip,
    samples=calls(
        ((2, 3), {"a_min": -1.0, "a_max": 1.01}),
        *([((3,), {"max": 0.1}), ((), {"min": 0.1})] if "max" in parameter_names(np.clip) else []),  # NumPy 2.1
        ((2, 3), (3,), None),
        ((), (1, 3), (2, 1)),
    ),
)
composed(np.sinc, sinc, samples=broadcast(real))
composed(np.real, lambda val: val, samples=broadcast(real))
composed(np.i0, i0, samples=broadcast(real))
composed(
    np.round,
    rounded,
    samples=calls((3,), ((2, 3), {"decimals": 1}), ((3,), {"decimals": -1}), domain=between_integers),
)
composed(np.around, rounded, samples=calls((3,), domain=between_integers))
composed(np.fix, lambda x: np.trunc(x), samples=broadcast(between_integers))  # deprecated in NumPy 2.5
composed(np.modf, lambda x: (x - np.trunc(x), np.trunc(x)), samples=broadcast(between_integers))
composed(
    np.divmod,
    lambda x, y: (np.floor_divide(x, y), np.remainder(x, y)),
    samples=broadcast(between_integers, above_one),
)

__all__ = ["beats", "quotient", "shares"]
