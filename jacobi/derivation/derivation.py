"""`Derivation`: a derivative as a formula, with the way there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jacobi.derivation.formula import Formula
from jacobi.derivation.naming import named
from jacobi.derivation.presentation import as_html, as_markdown, as_text
from jacobi.notation.latex import derivative, latex, letter
from jacobi.notation.text import text
from jacobi.notation.tree import Tree


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


@dataclass(frozen=True, repr=False)
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
        The Jacobian in the layout that was asked for (the Hessian, for ``order=2``).
    gradient : Formula or None
        For scalar functions: the same shaped like the argument.
    steps : tuple of Line
        The derivation.
    sum_over_samples : tree or None
        The formula as a sum over samples, if it is one; ``sum_form`` is its text.
    change : tree or None
        The change of the result for a change of the argument, ``A dX B``; ``differential`` is its text.
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
    sum_over_samples: Tree | None
    change: Tree | None
    assumptions: tuple[str, ...]
    identities: tuple[str, ...]
    domain: tuple[str, ...]
    remarks: tuple[str, ...]
    compare: Any

    @property
    def sum_form(self) -> str:
        """The derivative of a scalar as a sum over samples, as text; "" where it is none."""
        return "" if self.sum_over_samples is None else text(self.sum_over_samples)

    @property
    def differential(self) -> str:
        """The change of the result for a small change of the argument, for arrays by arrays; "" for others."""
        return "" if self.change is None else text(self.change)

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
        docstring = f"The derivative of {self.function} by {self.wrt}: {self.formula}"
        return self.jacobian.source_named("derivative", docstring)

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

    @cached_property
    def results(self) -> tuple[Line, ...]:
        """The results as equations: the formula, the gradient, the sum over samples and the differential."""
        name = f"d{self.function_name()}/d{self.wrt}"
        mark = derivative(self.function_name(), self.wrt)
        found = [Line("result", name, self.formula, self.jacobian.shape, "", f"{mark} = {self.latex()}")]
        if self.definitions:
            names = ", ".join(f"{one} = {text(body)}" for one, body in self.definitions)
            found.append(Line("result", "", f"{self.short} with {names}", ()))
        if self.gradient is not None:
            function, wrt = letter(self.function_name()), letter(self.wrt)
            equation = rf"\nabla_{{{wrt}}} {function} = {self.gradient.latex()}"
            found.append(Line("result", "gradient", self.gradient.formula, self.gradient.shape, "", equation))
        if self.sum_over_samples is not None:
            equation = f"{mark} = {latex(self.sum_over_samples)}"
            found.append(Line("result", "as a sum", self.sum_form, (), "", equation))
        if self.change is not None:
            equation = rf"\mathrm d {letter(self.function_name())} = {latex(self.change)}"
            found.append(Line("result", "differential", self.differential, (), "", equation))
        return tuple(found)

    @cached_property
    def _named(self) -> tuple[Tree, list[tuple[str, Tree]]]:
        taken = {*self.jacobian.names, *self.jacobian.constants, *self.jacobian.sizes.letters}
        return named(self.jacobian.tree, taken)

    @property
    def short(self) -> str:
        """The formula with names for what occurs in it twice; see ``definitions``."""
        return text(self._named[0])

    @property
    def definitions(self) -> tuple[tuple[str, Tree], ...]:
        """The names in ``short``, and what they stand for; empty where no name makes the formula shorter."""
        return tuple(self._named[1])

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the formula holds, what it assumes, and what it shows."""
        return (
            *(f"valid where {condition}" for condition in self.domain),
            *(f"uses {assumption}" for assumption in self.assumptions),
            *self.remarks,
        )

    def function_name(self) -> str:
        """What the result is called in equations."""
        return next((line.left for line in reversed(self.steps) if line.part == "variable"), "f")

    def __repr__(self) -> str:
        return f"<derivative of {self.function} by {self.wrt}: {self.formula}>"

    def __str__(self) -> str:
        return as_text(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_markdown_(self) -> str:
        return as_markdown(self)

    def _repr_html_(self) -> str:
        return as_html(self)
