"""Complex arrays on the way from real inputs to real results: pairs of traced real arrays.

Traced values are real.  A Fourier transform gives a `ComplexPair`, which knows enough of complex arithmetic to come
back to real numbers: ``abs(F)``, ``F.real``, ``np.angle(F)``, ``np.fft.irfft(F * H)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.errors import NoRuleError, at_users_line
from jacobi.rules.calls import full_name


class ComplexPair:
    """A complex array whose real and imaginary parts are traced.

    Attributes
    ----------
    real, imag : node or array
        Both parts, of equal shape.
    """

    __slots__ = ("imag", "real")
    __array_priority__ = 2000.0  # traced real arrays leave their products with it to this class

    def __init__(self, real: Any, imag: Any):
        self.real = real
        self.imag = imag

    @property
    def shape(self) -> layout.Shape:
        """The shape."""
        return self.real.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.real.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.real.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the entries."""
        return np.result_type(self.real.dtype, np.complex64)

    @property
    def T(self) -> ComplexPair:
        """The transpose, not conjugated."""
        return both(np.transpose, self)

    def conj(self) -> ComplexPair:
        """The conjugate."""
        return ComplexPair(self.real, -self.imag)

    conjugate = conj

    def reshape(self, *shape: Any) -> ComplexPair:
        """The entries in another shape."""
        return both(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def sum(self, *arguments: Any, **keywords: Any) -> ComplexPair:
        """The sum of the entries."""
        return both(np.sum, self, *arguments, **keywords)

    def mean(self, *arguments: Any, **keywords: Any) -> ComplexPair:
        """The mean of the entries."""
        return both(np.mean, self, *arguments, **keywords)

    def __len__(self) -> int:
        return len(self.real)

    def __getitem__(self, index: Any) -> ComplexPair:
        return ComplexPair(self.real[index], self.imag[index])

    def __repr__(self) -> str:
        return f"ComplexPair({self.real!r}, {self.imag!r})"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        definition = ARITHMETIC.get(ufunc)
        if definition is None or method != "__call__" or keywords:
            raise unknown(ufunc)
        return definition(*(as_pair(x) for x in inputs))

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        if function in LINEAR:
            return both(function, *arguments, **keywords)
        if function not in FUNCTIONS:
            raise unknown(function)
        return FUNCTIONS[function](*arguments, **keywords)

    def __pow__(self, exponent: Any) -> ComplexPair:
        if not isinstance(exponent, (int, np.integer)) or exponent < 1:
            raise unknown(np.power)
        result = self
        for _ in range(int(exponent) - 1):
            result = times(result, self)
        return result


def unknown(function: Any) -> NoRuleError:
    """The error for what cannot be done to a pair."""
    return NoRuleError(
        at_users_line(
            f"{full_name(function)} of a complex array on the way has no derivative rule",
            "Take real and imaginary part first (F.real, F.imag, abs(F), np.angle(F)).",
        )
    )


def is_real(z: ComplexPair) -> bool:
    """Whether the imaginary part is the number 0."""
    return type(z.imag) is float and z.imag == 0.0


def as_pair(x: Any) -> ComplexPair:
    """Real and complex numbers, arrays and nodes as a pair."""
    if isinstance(x, ComplexPair):
        return x
    if np.iscomplexobj(x):
        return ComplexPair(np.real(x), np.imag(x))
    return ComplexPair(x, 0.0)


def both(function: Callable[..., Any], z: ComplexPair, *arguments: Any, **keywords: Any) -> ComplexPair:
    """A linear function with real coefficients, of both parts."""
    return ComplexPair(function(z.real, *arguments, **keywords), function(z.imag, *arguments, **keywords))


# Arithmetic -----------------------------------------------------------------------------------------------------


def times(a: ComplexPair, b: ComplexPair) -> ComplexPair:
    """The product."""
    if is_real(b):
        return ComplexPair(a.real * b.real, a.imag * b.real)
    if is_real(a):
        return times(b, a)
    return ComplexPair(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


def over(a: ComplexPair, b: ComplexPair) -> ComplexPair:
    """The quotient."""
    if is_real(b):
        return ComplexPair(a.real / b.real, a.imag / b.real)
    scale = b.real * b.real + b.imag * b.imag
    product = times(a, ComplexPair(b.real, -b.imag))
    return ComplexPair(product.real / scale, product.imag / scale)


def exponential(z: ComplexPair) -> ComplexPair:
    """``exp(x) (cos y + i sin y)``."""
    size = np.exp(z.real)
    return ComplexPair(size * np.cos(z.imag), size * np.sin(z.imag))


def plus(a: ComplexPair, b: ComplexPair) -> ComplexPair:
    """The sum; both parts in the common shape."""
    real = a.real + b.real
    return ComplexPair(real, np.broadcast_to(a.imag + b.imag, real.shape))


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of complex numbers, in radians or degrees."""
    result = np.arctan2(z.imag, z.real)
    return np.degrees(result) if deg else result


ARITHMETIC: dict[Any, Callable[..., Any]] = {
    np.add: plus,
    np.subtract: lambda a, b: plus(a, ComplexPair(-b.real, -b.imag)),
    np.multiply: times,
    np.divide: over,
    np.negative: lambda z: ComplexPair(-z.real, -z.imag),
    np.positive: lambda z: z,
    np.conjugate: ComplexPair.conj,
    np.square: lambda z: times(z, z),
    np.reciprocal: lambda z: over(ComplexPair(1.0, 0.0), z),
    np.absolute: lambda z: np.hypot(z.real, z.imag),
    np.exp: exponential,
    np.log: lambda z: ComplexPair(np.log(np.hypot(z.real, z.imag)), angle(z)),
}
LINEAR = frozenset(
    {
        np.sum, np.mean, np.cumsum, np.diff, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.squeeze,
        np.expand_dims, np.broadcast_to, np.flip, np.roll, np.repeat, np.tile, np.take, np.diagonal,
        np.fft.fftshift, np.fft.ifftshift,
    }
)  # fmt: skip
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.real: lambda val: val.real,
    np.imag: lambda val: val.imag,
    np.angle: angle,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a: a.size,
    np.iscomplexobj: lambda x: True,
    np.isrealobj: lambda x: False,
}
OPERATORS: dict[str, Any] = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide}
for _operator, _ufunc in OPERATORS.items():
    setattr(ComplexPair, f"__{_operator}__", lambda self, other, _f=_ufunc: _f(self, other))
    setattr(ComplexPair, f"__r{_operator}__", lambda self, other, _f=_ufunc: _f(other, self))
SIGNS: dict[str, Any] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute}
for _operator, _ufunc in SIGNS.items():
    setattr(ComplexPair, f"__{_operator}__", lambda self, _f=_ufunc: _f(self))
