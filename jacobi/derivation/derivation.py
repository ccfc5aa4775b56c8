"""`Derivation`: a derivative as a formula, with the way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jacobi.derivation.formula import Formula


@dataclass(frozen=True)
class Line:
    """One step of a derivation.

    Attributes
    ----------
    part : str
        ``"variable"``, ``"local derivative"``, ``"chain rule"``, ``"substitution"``, ``"sum"`` or ``"gradient"``.
    left, right : str
        The equation, as text.
    shape : tuple
        The shape of both sides, in letters.
    rule : str
        The rule or the identity that was used.
    latex : str
        The equation in LaTeX.
    """

    part: str
    left: str
    right: str
    shape: tuple[Any, ...]
    rule: str = ""
    latex: str = ""


@dataclass(frozen=True)
class Verification:
    """The outcome of `Derivation.check`; true if the formula holds.

    Attributes
    ----------
    points : int
        At how many random points the formula was compared.
    error : float
        The largest difference from the traced derivative, relative to the largest entry.
    numerical : bool
        Whether finite differences agree within their bound.
    """

    points: int
    error: float
    numerical: bool

    def __bool__(self) -> bool:
        return self.numerical and self.error < 1e-6


@dataclass(frozen=True)
class Derivation:
    """A derivative as a formula: print it to see the derivation.

    Attributes
    ----------
    function : str
        What was differentiated.
    wrt : str
        By which argument.
    order : int
        1, or 2 for the Hessian.
    jacobian : Formula
        The Jacobian in numerator layout (the Hessian, for ``order=2``).
    gradient : Formula or None
        For scalar functions: the same shaped like the argument.
    steps : tuple of Line
        The derivation.
    sum_form : str
        The formula as a sum over samples, or empty.
    differential : str
        The formula as a differential, ``dY = A dX B``.
    assumptions : tuple of str
        The assumptions that were used.
    identities : tuple of str
        The identities that were used.
    domain : tuple of str
        Where the formula holds.
    remarks : tuple of str
        What else the form shows, such as that a Hessian is positive semidefinite.
    """

    function: str
    wrt: str
    order: int
    jacobian: Formula
    gradient: Formula | None
    steps: tuple[Line, ...]
    sum_form: str
    differential: str
    assumptions: tuple[str, ...]
    identities: tuple[str, ...]
    domain: tuple[str, ...]
    remarks: tuple[str, ...]
    compare: Any

    @property
    def formula(self) -> str:
        """The Jacobian as a line of text."""
        return self.jacobian.formula

    def latex(self) -> str:
        """The Jacobian in LaTeX."""
        return self.jacobian.latex()

    @cached_property
    def source(self) -> str:
        """The NumPy source of a function that gives the Jacobian, always a matrix."""
        what = "The second derivative" if self.order == 2 else "The derivative"
        return self.jacobian.source_named("derivative", f"{what} of {self.function} by {self.wrt}: {self.formula}")

    def __call__(self, *positional: Any, **values: Any) -> Any:
        """The Jacobian, a matrix, for arguments by position or by name."""
        return np.atleast_2d(self.jacobian(*positional, **values))

    def check(self, points: int = 3, rng: int | np.random.Generator = 0) -> Verification:
        """Compare the formula with traced and numerical derivatives at random points, all sizes different.

        Parameters
        ----------
        points : int
            How many points.
        rng : int or Generator
            The seed.

        Examples
        --------
        >>> from jacobi.derivation import derive
        >>> bool(derive("sum(x**3)", wrt="x", shapes={"x": ("n",)}).check())
        True
        """
        return self.compare(self, points, np.random.default_rng(rng))  # type: ignore[no-any-return]

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_markdown_(self) -> str:
        lines = [f"$$ {line.latex} $$" for line in self.steps if line.latex]
        return "\n\n".join([*lines, *(f"- {remark}" for remark in (*self.domain, *self.remarks))])

    def __str__(self) -> str:
        parts: list[str] = [self.title()]
        first, second = self.part("variable"), self.part("local derivative")
        if first:
            parts += ["1. intermediate variables", *table(first)]
            parts += ["2. their derivatives (numerator layout)", *table(second)]
        for number, (title, part) in enumerate(((CHAIN, "chain rule"), (SUBSTITUTE, "substitution")), 3):
            lines = self.part(part)
            if lines:
                parts += [f"{number}. {title}", *table(lines)]
        result = [Line("", f"d{self.function_name()}/d{self.wrt}", self.formula, self.jacobian.shape)]
        if self.gradient is not None:
            result.append(Line("", "gradient", self.gradient.formula, self.gradient.shape))
        if self.sum_form:
            result.append(Line("", "as a sum", self.sum_form, ()))
        if self.differential:
            result.append(Line("", "differential", self.differential, ()))
        parts += ["result", *table(result)]
        parts += [f"   valid where {condition}" for condition in self.domain]
        parts += [f"   uses {assumption}" for assumption in self.assumptions]
        parts += [f"   {remark}" for remark in self.remarks]
        return "\n".join(parts)

    def function_name(self) -> str:
        """What the result is called in equations."""
        return next((line.left for line in reversed(self.steps) if line.part == "variable"), "f")

    def title(self) -> str:
        """The function and the shapes of its arguments."""
        shapes = self.jacobian.sizes.shapes
        return "   ".join([self.function, *(f"{name}: {shown(shape)}" for name, shape in shapes.items())])

    def part(self, name: str) -> list[Line]:
        """The lines of one part."""
        return [line for line in self.steps if line.part == name]


CHAIN, SUBSTITUTE = "chain rule", "substitute"


def shown(shape: Sequence[Any]) -> str:
    """A shape as text: ``(N, n)``, ``(n,)``, ``()``."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def table(lines: Sequence[Line]) -> list[str]:
    """Equations in columns: both sides, the shape, the rule."""
    left = max(len(line.left) for line in lines)
    right = max(len(line.right) for line in lines)
    shapes = [shown(line.shape) if line.shape else "" for line in lines]
    return [
        f"   {line.left:<{left}} = {line.right:<{right}}   {shape:<8}   {line.rule}".rstrip()
        for line, shape in zip(lines, shapes, strict=True)
    ]
