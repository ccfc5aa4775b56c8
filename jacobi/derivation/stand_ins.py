"""Unknown functions: a formula with ``f(W @ x)`` needs an ``f`` that can be evaluated, and whose derivative is ``f'``.

The stand-in of a name is a smooth function, the same in every run: a sum of three waves whose frequencies and phases
come from the name.  No derivative of it is a multiple of another one, so that ``f`` and ``f''`` cannot be mistaken.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from jacobi.rules import dispatchable, elementwise
from jacobi.rules.registry import attached

WAVES = 3


@cache
def stand_in(name: str, order: int = 0) -> Callable[[Any], Any]:
    """The stand-in of an unknown function, or a derivative of it, as an elementwise operation with a rule.

    Parameters
    ----------
    name : str
        The name of the function.
    order : int
        Which derivative; the operation is then called ``f'``, ``f''`` ...

    Examples
    --------
    >>> import jacobi as jb
    >>> f = stand_in("f")
    >>> jb.jacobian(f)(np.arange(3.0)).structure
    'diagonal'
    >>> bool(np.allclose(jb.gradient(f)(0.5), stand_in("f", 1)(0.5)))
    True
    >>> stand_in("f", 2).__name__
    "f''"
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    frequencies = np.array([0.6, 1.1, 1.9]) * rng.uniform(0.8, 1.2, WAVES)
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    heights = rng.uniform(0.5, 1.0, WAVES)

    def values(x: Any) -> Any:
        waves = np.sin(np.multiply.outer(x, frequencies) + phases + order * np.pi / 2)
        return waves @ (heights * frequencies**order)

    values.__name__ = values.__qualname__ = name + "'" * order
    function = dispatchable(values)
    attached(elementwise(function, lambda y, x: stand_in(name, order + 1)(x), name=values.__name__))
    return function
