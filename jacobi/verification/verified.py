"""`verified`: a function and its hand-written derivative belong together, and pytest checks that they still do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from jacobi.errors import InputError
from jacobi.layout import Shape
from jacobi.verification.sampling import in_order, parameters, sampled

F = TypeVar("F", bound=Callable[..., Any])
Point = tuple[Any, ...] | Callable[[np.random.Generator], Any] | Mapping[str, Shape | int]


@dataclass(frozen=True, eq=False)
class Pair:
    """A function with the derivative that somebody wrote for it.

    Attributes
    ----------
    function, derivative : callable
        Both take the same arguments.
    layout : {"numerator", "gradient", "denominator"}
        The layout of the derivative.
    argnum : int
        The argument that is differentiated by.
    at : tuple, callable, mapping, or None
        Where to check it, as for `verified`.
    """

    function: Callable[..., Any]
    derivative: Callable[..., Any]
    layout: str
    argnum: int
    at: Point | None

    @property
    def name(self) -> str:
        """The name of the function inside its module."""
        return str(getattr(self.function, "__qualname__", None) or getattr(self.function, "__name__", "function"))

    @property
    def home(self) -> dict[str, Any] | None:
        """The global variables of the module that the pair stands in."""
        spaces = (getattr(part, "__globals__", None) for part in (self.function, self.derivative))
        return next((space for space in spaces if space is not None), None)

    def arguments(self, rng: np.random.Generator, shapes: Mapping[str, Shape] | None = None) -> tuple[Any, ...]:
        """The point of the check.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where random numbers come from.
        shapes : mapping
            The shapes of arguments by name, for a pair that has no ``at``; names that it does not take are ignored.

        Raises
        ------
        InputError
            If nothing says what to take for an argument.
        """
        if isinstance(self.at, tuple):
            return self.at
        if callable(self.at):
            point = self.at(rng)
            return point if isinstance(point, tuple) else (point,)
        taken = {p.name for p in parameters(self.function)}
        known = {name: shape for name, shape in (shapes or {}).items() if name in taken}
        return in_order(self.function, sampled(known if self.at is None else self.at, rng))


PAIRS: list[Pair] = []  # in the order of their declaration


def verified(
    derivative: Callable[..., Any], *, layout: str = "numerator", argnum: int = 0, at: Point | None = None
) -> Callable[[F], F]:
    """Pair a function with its hand-written derivative, so that ``pytest`` checks it.

    The function behaves as before.  The pairs of test modules are checked by pytest without asking, those of other
    modules by ``pytest --jacobi-verified=MODULE``.

    Parameters
    ----------
    derivative : callable
        Takes the arguments of the function; ``f.derivative`` afterwards.
    layout : {"numerator", "gradient", "denominator"}
        The layout of what it returns.
    argnum : int
        The argument that is differentiated by.
    at : tuple, callable or mapping, optional
        Where to check it: the tuple of arguments; a function that makes such a tuple with a random generator; or the
        shapes of arguments by name, for random ones.  Without it the pair is checked only where
        ``pytest --jacobi-shape NAME=SIZES`` says the shapes.

    Returns
    -------
    callable
        A decorator.

    Raises
    ------
    InputError
        If ``derivative`` is not callable, or ``at`` is none of the above.

    Examples
    --------
    >>> import numpy as np
    >>> @verified(lambda x: np.diag(2 * x), at={"x": (3,)})
    ... def squares(x):
    ...     return x**2
    >>> x = np.array([1.0, 2.0])
    >>> squares(x), squares.derivative(x)
    (array([1., 4.]), array([[2., 0.],
           [0., 4.]]))
    """
    if not callable(derivative):
        raise InputError("verified takes the derivative, a function of the same arguments. Write @verified(df)")
    if not (at is None or callable(at) or isinstance(at, (tuple, Mapping))):
        raise InputError(
            f"at={type(at).__name__} says no point. "
            'Write the tuple of arguments, at=(x,), or their shapes, at={"x": (3,)}, or a function of a generator'
        )

    def pair(function: F) -> F:
        @wraps(function)
        def same(*args: Any, **keywords: Any) -> Any:
            return function(*args, **keywords)

        same.derivative = derivative  # type: ignore[attr-defined]
        PAIRS.append(Pair(function, derivative, layout, argnum, at))
        return same  # type: ignore[return-value]

    return pair


def pairs_of(module: ModuleType) -> list[Pair]:
    """The pairs that stand in a module, in the order of their declaration.

    They are found by the global variables that they see and not by the name of the module, which several files may
    share.
    """
    return [pair for pair in PAIRS if pair.home is vars(module)]
