"""Fourier transforms, written with real operations so that every step has a small Jacobian.

A transform of length ``p q`` is one of length ``p``, a multiplication by phases, and one of length ``q`` (Cooley and
Tukey), so only matrices of the prime factors' size are stored; a large prime is a circular convolution (Bluestein).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, dispatchable, einstein
from jacobi.rules.complex_pairs import FUNCTIONS, ComplexPair, as_pair, is_real, times
from jacobi.rules.differences import part
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import calls

LARGEST_MATRIX = 64  # a longer transform is split into shorter ones


@lru_cache(maxsize=256)
def phases(rows: int, columns: int, length: int, dtype: Any) -> tuple[Any, Any]:
    """Cosine and sine of ``2 pi j k / length``."""
    turns = np.multiply.outer(np.arange(rows), np.arange(columns)) % length * (2 * np.pi / length)
    return np.cos(turns).astype(dtype), np.sin(turns).astype(dtype)


@dispatchable
def waves(x: Any, kind: int) -> Any:
    """``sum_j x_j cos(2 pi j k / n)`` (kind 0), or with the sine (kind 1), along the last axis."""
    n = x.shape[-1]
    return np.matmul(x, phases(n, n, n, x.dtype)[kind])


def by_signal(y: Any, x: Any, kind: int) -> Jacobian:
    """The matrix of cosines or sines, the same for every line."""
    n, lines = x.shape[-1], range(x.ndim - 1)
    labels = ((*lines, "k"), (*lines, "j"), ("j", "k"))
    return einstein(labels, y.shape, x.shape, phases(n, n, n, x.dtype)[kind])


rule(
    waves,
    by_signal,
    samples=calls(((4,), 0), ((5,), 1), ((2, 3), 0)),
    dense="every frequency hears the whole signal",
    name="waves",
)


def waved(z: ComplexPair, sign: int) -> ComplexPair:
    """A short transform, by the matrices of cosines and sines."""
    if is_real(z):
        return ComplexPair(waves(z.real, 0), sign * waves(z.real, 1))
    return ComplexPair(waves(z.real, 0) - sign * waves(z.imag, 1), sign * waves(z.real, 1) + waves(z.imag, 0))


def turned(z: ComplexPair, cosine: Any, sine: Any) -> ComplexPair:
    """The product with ``cosine + i sine``; an imaginary part that is no array is 0."""
    return times(z, ComplexPair(cosine, sine))


def transformed(z: ComplexPair, sign: int) -> ComplexPair:
    """``sum_j z_j exp(sign 2 pi i j k / n)`` along the last axis."""
    n = z.shape[-1]
    if n <= LARGEST_MATRIX:
        return waved(z, sign)
    outer = divisor(n)
    if outer == 1:
        return chirped(z, sign)
    inner = n // outer  # j = inner * a + b and k = c + outer * d
    start = z.shape[:-1]

    def part_of(x: Any, change: Callable[[Any], Any]) -> Any:
        return x if type(x) is float else change(x)

    def through(z: ComplexPair, change: Callable[[Any], Any]) -> ComplexPair:
        return ComplexPair(part_of(z.real, change), part_of(z.imag, change))

    table = through(z, lambda x: np.swapaxes(np.reshape(x, (*start, outer, inner)), -1, -2))
    table = through(transformed(table, sign), lambda x: np.swapaxes(x, -1, -2))  # rows c, columns b
    cosine, sine = phases(outer, inner, n, z.real.dtype)
    table = transformed(turned(table, cosine, sign * sine), sign)  # rows c, columns d
    return through(table, lambda x: np.reshape(np.swapaxes(x, -1, -2), (*start, n)))


def divisor(n: int) -> int:
    """The largest divisor up to the square root."""
    return next(k for k in range(int(np.sqrt(n)), 0, -1) if n % k == 0)


def chirped(z: ComplexPair, sign: int) -> ComplexPair:
    """A transform of prime length as a circular convolution of a power of two: ``2 j k = j^2 + k^2 - (k - j)^2``."""
    n = z.shape[-1]
    length = 1 << (2 * n - 1).bit_length()
    turns = np.arange(n) ** 2 % (2 * n) * (np.pi / n)
    chirp = np.exp(1j * sign * turns)
    kernel = np.zeros(length, complex)
    kernel[:n] = chirp.conj()
    kernel[length - n + 1 :] = chirp[1:][::-1].conj()
    spectrum = np.fft.fft(kernel)
    dtype = z.real.dtype

    def multiply(z: ComplexPair, factor: Any) -> ComplexPair:
        return turned(z, factor.real.astype(dtype), factor.imag.astype(dtype))

    padded = resized(multiply(z, chirp), length)
    product = multiply(transformed(padded, -1), spectrum / length)
    return multiply(transformed(product, 1)[..., :n], chirp)


def resized(z: ComplexPair, n: int) -> ComplexPair:
    """The pair cut, or filled with zeros, to length ``n`` along the last axis."""

    def change(x: Any) -> Any:
        if type(x) is float or n == x.shape[-1]:
            return x
        if n < x.shape[-1]:
            return x[..., :n]
        return np.concatenate([x, np.zeros((*x.shape[:-1], n - x.shape[-1]), x.dtype)], axis=-1)

    return ComplexPair(change(z.real), change(z.imag))


def scale(n: int, norm: str | None, inverse: bool) -> float:
    """The factor in front of a transform."""
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    if norm == "ortho":
        return float(1 / np.sqrt(n))
    return 1 / n if inverse == (norm in (None, "backward")) else 1.0


def along(axis: int, z: ComplexPair, transform: Callable[[ComplexPair], Any]) -> Any:
    """A transform of the last axis, along another one."""

    def moved(x: Any, source: int, destination: int) -> Any:
        return x if type(x) is float else np.moveaxis(x, source, destination)

    result = transform(ComplexPair(moved(z.real, axis, -1), moved(z.imag, axis, -1)))
    if isinstance(result, ComplexPair):
        return ComplexPair(moved(result.real, -1, axis), moved(result.imag, -1, axis))
    return moved(result, -1, axis)


def fft(a: Any, n: Any = None, axis: int = -1, norm: str | None = None, *, inverse: bool = False) -> ComplexPair:
    """``numpy.fft.fft`` and, with the other sign, ``numpy.fft.ifft``."""
    z = as_pair(a)
    length = z.shape[axis] if n is None else n
    if length < 1:
        raise ValueError(f"Invalid number of FFT data points ({length}) specified.")
    factor = scale(length, norm, inverse)

    def transform(z: ComplexPair) -> ComplexPair:
        result = transformed(resized(z, length), 1 if inverse else -1)
        return result if factor == 1 else ComplexPair(result.real * factor, result.imag * factor)

    return along(axis, z, transform)  # type: ignore[no-any-return]


def rfft(a: Any, n: Any = None, axis: int = -1, norm: str | None = None) -> ComplexPair:
    """``numpy.fft.rfft``: the transform of real numbers up to half of the sampling frequency."""
    if np.iscomplexobj(a):
        raise TraceError(at_users_line("rfft takes real numbers", "Use np.fft.fft."))
    full = fft(a, n, axis, norm)
    return full[part(axis, full.ndim, slice(0, full.shape[axis] // 2 + 1))]


def irfft(a: Any, n: Any = None, axis: int = -1, norm: str | None = None) -> Any:
    """``numpy.fft.irfft``: real numbers from the transform up to half of the sampling frequency."""
    z = as_pair(a)
    length = 2 * (z.shape[axis] - 1) if n is None else n
    if length < 1:
        raise ValueError(f"Invalid number of FFT data points ({length}) specified.")

    def transform(z: ComplexPair) -> Any:
        half = resized(z, length // 2 + 1)
        mirrored = slice((length - 1) // 2, 0, -1)
        real = np.concatenate([half.real, half.real[..., mirrored]], axis=-1)
        if is_real(half):
            return transformed(ComplexPair(real, 0.0), 1).real
        imag = np.concatenate([half.imag, -half.imag[..., mirrored]], axis=-1)
        return transformed(ComplexPair(real, imag), 1).real

    return along(axis, z, transform) * scale(length, norm, True)


def several(one: Callable[..., Any], first: Callable[..., Any] | None, default: Any) -> Callable[..., Any]:
    """A transform along several axes: ``one`` along each, and ``first`` along the last of them."""

    def transform(a: Any, s: Any = None, axes: Any = default, norm: str | None = None) -> Any:
        rank = np.ndim(a)
        axes = tuple(range(rank) if s is None else range(rank - len(s), rank)) if axes is None else tuple(axes)
        lengths: Sequence[Any] = (None,) * len(axes) if s is None else tuple(s)
        lengths = [np.shape(a)[axis] if n == -1 else n for n, axis in zip(lengths, axes, strict=True)]
        steps = [(one, n, axis) for n, axis in zip(lengths, axes, strict=True)]
        if first is not None:
            steps[-1] = (first, *steps[-1][1:])
        for function, n, axis in steps if first is irfft else reversed(steps):
            a = function(a, n, axis, norm)
        return a

    return transform


def ifft(a: Any, n: Any = None, axis: int = -1, norm: str | None = None) -> ComplexPair:
    """``numpy.fft.ifft``."""
    return fft(a, n, axis, norm, inverse=True)


SWAPPED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def hfft(a: Any, n: Any = None, axis: int = -1, norm: str | None = None) -> Any:
    """``numpy.fft.hfft``: the real transform of a signal with Hermitian symmetry."""
    return irfft(as_pair(a).conj(), n, axis, SWAPPED.get(norm, norm))


def ihfft(a: Any, n: Any = None, axis: int = -1, norm: str | None = None) -> ComplexPair:
    """``numpy.fft.ihfft``: the inverse of ``hfft``."""
    return rfft(a, n, axis, SWAPPED.get(norm, norm)).conj()


SIGNALS = calls(
    (5,),
    ((4,), {"n": 3, "norm": "ortho"}),
    ((4,), {"n": 5}),
    (2, 3),
    ((3, 2), {"axis": 0, "norm": "forward"}),
)
IMAGES = calls((2, 3), ((3, 4), {"s": (2, 5), "axes": (0, 1)}), ((2, 3, 2), {"axes": (1, 0)}))
TRANSFORMS = {
    **{one.__name__: one for one in (fft, ifft, rfft, irfft, hfft, ihfft)},
    **{f"{one.__name__}2": several(one, None, (-2, -1)) for one in (fft, ifft)},
    **{f"{one.__name__}n": several(one, None, None) for one in (fft, ifft)},
    "rfft2": several(fft, rfft, (-2, -1)),
    "rfftn": several(fft, rfft, None),
    "irfft2": several(ifft, irfft, (-2, -1)),
    "irfftn": several(ifft, irfft, None),
}
for _name, _transform in TRANSFORMS.items():
    FUNCTIONS[getattr(np.fft, _name)] = _transform
    composed(getattr(np.fft, _name), _transform, samples=IMAGES if _name[-1] in "2n" else SIGNALS)
