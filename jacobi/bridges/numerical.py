"""`jacobi`: the numerical derivative under the name, and with the shapes, that users of the package jacobi know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jacobi.errors import InputError, ShapeError, at_users_line
from jacobi.finite_difference import measure
from jacobi.spreading import Progress, Spread, Workers, spreading

Array = NDArray[np.float64]

PROBES = 2.0  # how many error bounds a random direction may be off in a diagonal Jacobian
SHARP = 1e-6  # a relative error below which an entry needs no second scale
METHODS = (None, -1, 0, 1)


def jacobi(
    fn: Callable[..., Any],
    x: ArrayLike,
    *args: Any,
    diagonal: bool = False,
    method: int | None = None,
    mask: ArrayLike | None = None,
    rtol: float = 0,
    maxiter: int = 10,
    maxgrad: int = 3,
    step: tuple[float, float] | None = None,
    diagnostic: dict[str, Any] | None = None,
    workers: Workers | int | None = None,
    progress: Progress | bool = False,
) -> tuple[Array, Array]:
    """The numerical derivative of a function and a bound on its error.

    The same call as in the distribution ``jacobi``, on top of `finite_difference`: the error is a bound, inf at a
    kink, and ``diagonal=True`` is verified.  For plain NumPy code `jacobian` is exact and faster.

    Parameters
    ----------
    fn : callable
        ``fn(x, *args)``; returns a number or an array.
    x : array_like
        Where to differentiate; of any shape.
    *args
        Further arguments, which are not differentiated by.
    diagonal : bool
        Whether ``fn`` acts entry by entry.  All entries are moved at once, so the number of calls does not depend on
        their number; one random direction verifies it.
    method : {None, -1, 0, 1}
        1 never calls ``fn`` with a smaller entry than in ``x``, -1 with no larger one.  0 and None find out by
        themselves on which sides ``fn`` has values.
    mask : array_like of bool, optional
        Which entries of ``x`` to differentiate by; the derivative by the others is given as 0.
    rtol, maxiter, maxgrad, step
        Accepted, and without effect: the step is chosen for each entry, and the error is as small as can be had.
    diagnostic : dict, optional
        Filled with the number of calls of ``fn``, ``"call"``.
    workers : int or map-like callable, optional
    progress : bool or callable
        As for `finite_difference`; ``diagonal`` needs too few calls to use them.

    Returns
    -------
    value, error : array
        Of shape ``y.shape + x.shape``, or ``y.shape`` if ``diagonal``.

    Raises
    ------
    InputError
        If the options make no sense, or ``fn`` is no real function; with ``diagonal``, if an output depends on more
        than its own entry.
    ShapeError
        With ``diagonal``, if the result has another shape than ``x``.

    Examples
    --------
    >>> import numpy as np
    >>> value, error = jacobi(lambda x: np.array([x[0] * x[1], x[0] - x[1]]), [2.0, 3.0])
    >>> value.round(9)
    array([[ 3.,  2.],
           [ 1., -1.]])
    >>> bool((error < 1e-9).all())
    True
    >>> jacobi(np.sin, [0.0, np.pi / 3, np.pi], diagonal=True)[0].round(9)
    array([ 1. ,  0.5, -1. ])
    """
    point = np.array(x, dtype=float)
    chosen = checked(point, method, mask, maxiter, maxgrad, step)
    if diagonal:
        value, error, calls = along_diagonal(fn, point, args, method)
        outside = ~chosen if point.ndim else np.zeros(value.shape, dtype=bool)
        value[outside] = error[outside] = 0.0
    else:
        with spreading(workers, progress, "entries") as spread:
            value, error, calls = by_columns(fn, point, args, np.flatnonzero(chosen), method, spread)
    if diagnostic is not None:
        diagnostic["call"] = calls
    return value, error


def checked(point: Array, method: Any, mask: Any, maxiter: int, maxgrad: int, step: Any) -> NDArray[np.bool_]:
    """The entries to differentiate by, after a look at the options."""
    wrong = {
        f"method={method!r}": (method not in METHODS, "The methods are None, -1, 0 and 1."),
        f"maxiter={maxiter!r}": (maxiter <= 0, "Give a positive number."),
        f"maxgrad={maxgrad!r}": (maxgrad < 0, "Give a number that is not negative."),
        f"step={step!r}": (
            step is not None and not (0 < step[0] < 0.5 and 0 < step[1] < 1),
            "Give a step below 0.5 and a factor below 1.",
        ),
    }
    for what, (bad, cure) in wrong.items():
        if bad:
            raise OptionError(at_users_line(what, cure))
    if mask is None:
        return np.ones(point.shape, dtype=bool)
    chosen = np.asarray(mask)
    if chosen.dtype != bool or chosen.shape != point.shape:
        what = f"the mask is {chosen.dtype} of shape {chosen.shape}, and x has the shape {point.shape}"
        raise OptionError(at_users_line(what, "Give a boolean array of the shape of x."))
    return chosen


class OptionError(InputError, ValueError):
    """An option that makes no sense; a ``ValueError`` as in the distribution ``jacobi``."""


@dataclass(frozen=True)
class Restricted:
    """A function of some entries of its first argument; it can be sent to another process.

    Attributes
    ----------
    function : callable
        The function of the whole argument.
    point : array
        The whole argument.
    entries : array of int
        Which entries of it are free.
    side : int or None
        1 where no entry may become smaller than in ``point``, -1 where none may become larger.
    """

    function: Callable[..., Any]
    point: Array
    entries: NDArray[np.intp]
    side: int | None

    def __call__(self, values: Array, *args: Any) -> Any:
        """The function where these entries have other values."""
        if self.side and np.any(self.side * (values - self.point.flat[self.entries]) < 0):
            raise ValueError("on the other side")  # there the function counts as undefined
        whole = self.point.copy()
        whole.flat[self.entries] = values
        return self.function(whole, *args)


def by_columns(
    fn: Callable[..., Any],
    point: Array,
    args: tuple[Any, ...],
    chosen: NDArray[np.intp],
    method: int | None,
    spread: Spread,
) -> tuple[Array, Array, int]:
    """The derivative by every chosen entry, with its error and the number of calls."""
    out_shape = np.shape(fn(point.copy(), *args))
    value, error = np.zeros((2, prod(out_shape), point.size))
    restricted = Restricted(fn, point, chosen, method)
    found = measure(restricted, (point.flat[chosen], *args), spread=spread)
    value[:, chosen], error[:, chosen] = found.value, found.error
    shape = out_shape + point.shape
    return value.reshape(shape), error.reshape(shape), found.calls + 1


def along_diagonal(
    fn: Callable[..., Any], point: Array, args: tuple[Any, ...], method: int | None
) -> tuple[Array, Array, int]:
    """The diagonal of the derivative of a function that acts entry by entry; verified by a random direction.

    The function is taken along ``x + (u - 1) d`` near ``u = 1``: the rounding of ``u`` then stands for that of ``x``.
    """
    out_shape = np.shape(fn(point.copy(), *args))
    if point.ndim and out_shape != point.shape:
        what = f"diagonal=True, but the result has the shape {out_shape} and x the shape {point.shape}"
        raise ShapeError(at_users_line(what, "It is for functions that act entry by entry."))
    if not prod(out_shape):
        return np.zeros(out_shape), np.zeros(out_shape), 1
    size = np.abs(point)
    scale = np.where(np.isfinite(point), np.maximum(size, 1.0), 1.0)
    value, error, calls = along(fn, point, args, scale, method)
    coarse = ~(error <= SHARP * np.abs(value)) & (size > 0) & (size < 0.1)
    if np.any(coarse):  # a function such as log varies over the size of a small entry
        finer = np.where(coarse, size, scale)
        again, bound, more = along(fn, point, args, finer, method)
        better = ~(error <= bound) & ~np.isnan(bound)
        value, error = np.where(better, again, value), np.where(better, bound, error)
        scale, calls = finer, calls + more
    if point.size > 1:
        signs = np.random.default_rng(0).uniform(0.5, 1.0, point.shape)
        signs *= 1.0 if method in (-1, 1) else np.random.default_rng(1).choice([-1.0, 1.0], point.shape)
        probe, bound, more = along(fn, point, args, scale * signs, method)
        calls += more
        apart = np.abs(probe - value)
        wrong = apart > PROBES * (error + bound) + 1e-9 * np.abs(value)
        if np.any(wrong & np.isfinite(error + bound)):
            index = tuple(int(k) for k in np.argwhere(wrong)[0])
            what = f"diagonal=True, but output {index} depends on more than its own entry of x"
            raise InputError(at_users_line(what, "Leave diagonal=True out, or use jb.jacobian, which keeps structure."))
    return value, error, calls


def along(
    fn: Callable[..., Any], point: Array, args: tuple[Any, ...], direction: Array, method: int | None
) -> tuple[Array, Array, int]:
    """The derivative of every output by its own entry, if all entries move along a direction at once."""

    def moved(u: Any, *args: Any) -> Any:
        if method and method * (float(u) - 1.0) < 0:
            raise ValueError("on the other side")
        return fn(point + (u - 1.0) * direction, *args)

    found = measure(moved, (np.array(1.0), *args))
    shape = np.shape(fn(point.copy(), *args))
    with np.errstate(all="ignore"):
        value = found.value.reshape(shape) / direction
        error = found.error.reshape(shape) / np.abs(direction)
    return value, error, found.calls + 1
