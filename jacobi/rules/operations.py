"""Operations: what is known of a function that traced values may meet, in one of a few forms."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from jacobi.errors import TraceError, at_users_line
from jacobi.matrix import Jacobian, einstein
from jacobi.rules.calls import as_it_is_now, full_name, is_default, parameter_names, unknown_parameter

Partial = Callable[..., Any]
Needs = tuple[bool, Container[int]]
EVERYTHING: Needs = True, range(2**31)


class Rule:
    """An operation with a derivative that is recorded as one step.

    Attributes
    ----------
    name : str
        ``numpy.sin`` and the like, for messages and as a label.
    partials : tuple
        The rule by each operand; None for an operand without a derivative.
    arity : int or None
        The number of array operands; None where there may be any number.
    samples : callable
        ``samples(rng)`` gives calls ``(arguments, keywords)`` in the domain, for tests.
    kink : callable or None
        Tells where ``y`` has no derivative: how far the operands are from such a place (0 there; the sign does not
        count), or truth values.  It broadcasts to ``y``.
    source : str
        Where the result comes from, if it is not in every textbook.
    each : callable or None
        For any number of operands: ``each(operand, y, *operands, **parameters)``.
    together : callable or None
        The same for several operands at once: ``together(operands, y, *operands, **parameters)`` gives a list.
    dense : str
        Why a full matrix is stored, where nothing smaller holds the Jacobian.
    once : str
        Why the rule cannot be differentiated again.
    needs : (bool, container of int)
        Whether the rule looks at the entries of the result, and at those of which operands.
    """

    kind = "primitive"
    moves = False

    def __init__(
        self,
        function: Any,
        partials: Sequence[Partial | None],
        *,
        name: str | None = None,
        evaluate: Callable[..., Any] | None = None,
        each: Partial | None = None,
        together: Partial | None = None,
        unpack: Callable[..., Any] | None = None,
        samples: Callable[[np.random.Generator], Any] | None = None,
        kink: Partial | None = None,
        source: str = "",
        dense: str = "",
        once: str = "",
        needs: Needs = EVERYTHING,
        piecewise_constant: bool = False,
    ):
        self.function = function
        self.name = name or full_name(function)
        self.evaluate: Callable[..., Any] = function if evaluate is None else evaluate
        self.partials = tuple(partials)
        self.each = each
        self.together = together
        self.unpack = unpack
        self.samples = samples
        self.kink = kink
        self.source = source
        self.dense = dense
        self.once = once
        self.needs = needs
        self.piecewise_constant = piecewise_constant
        self.arity: int | None = None if each is not None or together is not None else len(self.partials)
        self.regular = isinstance(function, np.ufunc)

    def __repr__(self) -> str:
        return f"<rule of {self.name}>"

    def distance(self, y: Any, *operands: Any, **parameters: Any) -> Any:
        """How far the operands are from a kink, by the entry of ``y``; inf where only kinks are known."""
        found = np.asarray(np.inf if self.kink is None else self.kink(y, *operands, **parameters))
        distance = np.where(found, 0.0, np.inf) if found.dtype.kind == "b" else np.abs(found)
        return np.broadcast_to(distance, np.shape(y))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters of the function, in their order."""
        return () if self.regular else parameter_names(self.function)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The parameters that the rule knows."""
        model = self.each or self.together or next((p for p in self.partials if p is not None), None)
        return frozenset() if model is None or self.regular else frozenset(parameter_names(model))

    def operands(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call in the form in which it is recorded: operands first, parameters by name."""
        if self.unpack is not None:
            arguments, keywords = self.unpack(*arguments, **keywords)
            return arguments, {name: as_it_is_now(value) for name, value in keywords.items()}
        keywords = {name: value for name, value in keywords.items() if not is_default(name, value)}
        if self.regular:
            self._refuse(keywords)
            return arguments, keywords
        assert self.arity is not None
        while len(arguments) < self.arity and self.names[len(arguments)] in keywords:
            arguments = (*arguments, keywords.pop(self.names[len(arguments)]))
        if not self.arity <= len(arguments) <= max(self.arity, len(self.names)):
            raise TraceError(
                at_users_line(f"{self.name} of {len(arguments)} arguments has no rule", f"Give it {self.arity} arrays.")
            )
        for name, value in zip(self.names[self.arity :], arguments[self.arity :], strict=False):
            if not is_default(name, value):
                keywords[name] = value
        self._refuse({name: value for name, value in keywords.items() if name not in self.parameters})
        return arguments[: self.arity], {name: as_it_is_now(value) for name, value in keywords.items()}

    def _refuse(self, keywords: dict[str, Any]) -> None:
        for name in keywords:
            raise unknown_parameter(self.name, name)

    def local(
        self,
        operand: int,
        y: Any,
        arguments: Sequence[Any],
        keywords: dict[str, Any],
        traced: Sequence[int] = (),
    ) -> Jacobian:
        """The local Jacobian by one operand.

        Parameters
        ----------
        operand : int
            Which of the operands.
        y : array
            The value of the operation.
        arguments, keywords
            Its operands and parameters.
        traced : sequence of int
            Which operands are variables (all by default); ties with constants have their own convention.
        """
        result: Jacobian
        if self.together is not None:
            (result,) = self.together((operand,), y, *arguments, **keywords)
            return result
        if self.each is not None:
            result = self.each(operand, y, *arguments, **keywords)
            return result
        partial = self.partials[operand]
        if partial is None:
            return Jacobian.zero(np.shape(y), np.shape(arguments[operand]))
        result = partial(y, *arguments, **keywords)
        return result

    def needed(self, traced: tuple[int, ...]) -> Needs:
        """Whether the derivatives by some operands look at the result, and at which operands."""
        return self.needs

    def locals(
        self, operands: Sequence[int], y: Any, arguments: Sequence[Any], keywords: dict[str, Any], traced: Sequence[int]
    ) -> Sequence[Jacobian]:
        """The local Jacobians by several operands."""
        if self.together is not None:
            return self.together(operands, y, *arguments, **keywords)  # type: ignore[no-any-return]
        return [self.local(operand, y, arguments, keywords, traced) for operand in operands]


class Elementwise(Rule):
    """An operation that acts entry by entry, with broadcasting."""

    def __init__(self, function: Any, partials: Sequence[Partial | None], *, alone: Any = None, **options: Any):
        super().__init__(function, partials, **options)
        self.arity = len(self.partials)
        self.alone = alone  # the partials where the other operands are constants
        self.known_needs: dict[tuple[int, ...], Needs] = {}

    def needed(self, traced: tuple[int, ...]) -> Needs:
        """Whether the partials look at the result, and at which operands."""
        known = self.known_needs.get(traced)
        if known is None:
            ours = all(getattr(partial, "__module__", "").startswith("jacobi.") for partial in self.partials if partial)
            asked = ours and self.kink is None  # the rule of a user may look at values, and go another way for others
            known = self.known_needs[traced] = looked_at(self, traced) if asked else EVERYTHING
        return known

    def local(
        self,
        operand: int,
        y: Any,
        arguments: Sequence[Any],
        keywords: dict[str, Any],
        traced: Sequence[int] = (),
    ) -> Jacobian:
        """The local Jacobian by one operand: diagonal up to broadcasting."""
        partials = self.alone if self.alone is not None and len(traced) == 1 else self.partials
        partial = partials[operand]
        shape = np.shape(arguments[operand])
        if partial is None:
            return Jacobian.zero(y.shape, shape)
        return diagonal(partial(y, *arguments, **keywords), y.shape, shape)


class Untouchable:
    """Stands for a value in a call of a partial derivative, and raises an error when that does anything with it."""

    __array_priority__ = 1e9

    def __getattr__(self, name: str) -> Any:
        raise TouchedError(name)

    def __array_ufunc__(self, *args: Any, **keywords: Any) -> Any:
        raise TouchedError("ufunc")

    def __array_function__(self, *args: Any, **keywords: Any) -> Any:
        raise TouchedError("function")


class TouchedError(Exception):
    """Something was done with a value that was kept back."""


def looked_at(operation: Elementwise, traced: tuple[int, ...]) -> Needs:
    """What the partials of an elementwise operation look at, found out by keeping one value after the other back."""
    partials = operation.alone if operation.alone is not None and len(traced) == 1 else operation.partials
    wanted = [partial for k in traced if (partial := partials[k]) is not None]

    def look(kept_back: int) -> bool:
        # Numbers that no rule has a short cut for, as it might have for zeros and ones.
        values: list[Any] = [np.array([0.7310585786 / (k + 1)]) for k in range(len(partials) + 1)]
        values[kept_back] = stranger = Untouchable()
        try:
            with np.errstate(all="ignore"):
                return any(partial(*values) is stranger for partial in wanted)
        except Exception:  # whatever it has done with the value, it has looked at it
            return True

    return look(0), frozenset(k for k in range(len(partials)) if look(k + 1))


class Move(Rule):
    """An operation that moves entries around: its Jacobian is a selection."""

    moves = True

    @cached_property
    def parameters(self) -> frozenset[str]:
        """All parameters of the function: a move is run again on positions."""
        return frozenset(self.names[1:]) - {"out"}


def diagonal(partial: Any, out_shape: tuple[int, ...], in_shape: tuple[int, ...]) -> Jacobian:
    """The Jacobian of an elementwise operation from its partial derivative: diagonal up to broadcasting."""
    if type(partial) is int or type(partial) is float:
        return multiple(partial, out_shape, in_shape)
    if partial.shape == out_shape == in_shape and out_shape:
        return Jacobian.from_diagonal(partial)
    labels = tuple(range(len(out_shape)))
    subscripts = (labels, labels[len(labels) - len(in_shape) :], labels[len(labels) - len(partial.shape) :])
    return einstein(subscripts, out_shape, in_shape, partial)


@lru_cache(maxsize=1024)
def multiple(number: float, out_shape: tuple[int, ...], in_shape: tuple[int, ...]) -> Jacobian:
    """A multiple of the identity, up to broadcasting."""
    if number == 0:
        return Jacobian.zero(out_shape, in_shape)
    labels = tuple(range(len(out_shape)))
    return einstein((labels, labels[len(out_shape) - len(in_shape) :]), out_shape, in_shape, coefficient=number)


class Composed:
    """An operation defined through others; they are recorded in its place."""

    kind = "composed"
    arity: int | None = None
    regular = True
    piecewise_constant = False
    moves = False
    kink = None

    def __init__(self, function: Any, definition: Callable[..., Any], samples: Any = None, name: str | None = None):
        self.function = function
        self.name = name or full_name(function)
        self.evaluate = definition
        self.samples = samples

    def operands(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Composed operations take their calls as they come."""
        return arguments, keywords


class Silent(Composed):
    """An operation that answers with plain values: its result does not change with its operands."""

    kind = "silent"


class Fresh(Composed):
    """An operation that gives an array to be filled, such as ``zeros_like``: it depends on nothing."""

    kind = "fresh"
