"""Operations that answer at once with plain values: comparisons, tests, positions, shapes.

Their results do not change when their operands move a little, so nothing is lost, and a user's ``if``, ``while`` and
index arithmetic go on with plain booleans and integers.
"""

from __future__ import annotations

import numpy as np

from jacobi.rules.registry import refused, silent

silent(
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.isfinite, np.isnan, np.isinf, np.signbit, np.isclose, np.allclose, np.array_equal, np.array_equiv,
    np.isneginf, np.isposinf, np.iscomplex, np.isreal, np.iscomplexobj, np.isrealobj,
    np.any, np.all, np.count_nonzero,
)  # fmt: skip
silent(np.argmax, np.argmin, np.argsort, np.searchsorted, np.nonzero, np.flatnonzero, np.argwhere, np.digitize)
silent(
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type,
    np.array_repr, np.array_str, np.array2string,
)  # fmt: skip
refused("It gives complex numbers; only real functions have a Jacobian here.", np.angle, np.imag, np.emath.sqrt)
refused(
    "It works on the bits of integers; there is no derivative.",
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.packbits, np.unpackbits,
    *([np.bitwise_count] if hasattr(np, "bitwise_count") else []),
)  # fmt: skip
refused("It is defined for integers; there is no derivative.", np.gcd, np.lcm)
refused(
    "It is defined for dates; there is no derivative.",
    np.isnat, np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string,
)  # fmt: skip
refused("It takes a number apart into mantissa and exponent. Use np.log2 and np.floor.", np.frexp)
refused("It moves to the next floating-point number. Use x itself.", np.nextafter)
refused("It turns complex arrays into real ones where it can; traced values are real already.", np.real_if_close)
