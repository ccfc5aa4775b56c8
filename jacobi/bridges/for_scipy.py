"""`for_scipy`: a derivative that was written by hand is verified before a solver relies on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from warnings import warn

import numpy as np

from jacobi.errors import InputError, JacobiError, at_users_line

if TYPE_CHECKING:
    from jacobi.verification.report import Report


class DerivativeError(JacobiError, ValueError):
    """A derivative that was given to a solver is wrong.

    Attributes
    ----------
    report : Report
        Where it is wrong, and which slip it looks like.
    """

    def __init__(self, report: Report, hint: str = ""):
        super().__init__(f"{report}{hint and chr(10)}{hint}")
        self.report = report


class Guarded:
    """A derivative that is checked at the first call with arguments of new shapes, and passes all calls through.

    Attributes
    ----------
    function, derivative : callable
        What was given to `for_scipy`.
    reports : dict
        The report of every check, by the shapes of the arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        derivative: Callable[..., Any],
        argnum: int | slice,
        points: Any,
        options: dict[str, Any],
    ):
        self.function, self.derivative = function, derivative
        self.argnum, self.points, self.options = argnum, points, options
        self.reports: dict[Any, Report] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The derivative, after a check where these shapes are new.

        Raises
        ------
        DerivativeError
            If the check finds it wrong, or no derivative of the function at all.
        """
        shapes = (*map(shape_of, args), *((name, shape_of(value)) for name, value in sorted(kwargs.items())))
        if shapes not in self.reports:
            self.reports[shapes] = self.verified(args, kwargs)
        return self.derivative(*args, **kwargs)

    def __repr__(self) -> str:
        checks = ", ".join(report.verdict for report in self.reports.values())
        return f"<guarded derivative {name_of(self.derivative)} of {name_of(self.function)}: {checks or 'not checked'}>"

    def verified(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Report:
        """The report at a point; an error where the derivative is wrong there or near it."""
        from jacobi.verification.check import check, seed_of
        from jacobi.verification.points import finite_there, others

        f, claim, argnum = self.function, self.derivative, self.argnum
        if kwargs:
            f, claim = partial(f, **kwargs), partial(claim, **kwargs)
        if isinstance(argnum, slice):
            chosen = range(len(args))[argnum]
            args = (joined([args[k] for k in chosen]), *args)
            f, claim, argnum = Stacked(f, chosen), Stacked(claim, chosen), 0
        report = check(f, claim, *args, argnum=argnum, **self.options)
        refuse(report, other_argument(report, claim, args))
        seed = seed_of(self.options["rng"])
        for arguments in others(self.points, args, argnum, finite_there(f), seed) if self.points else ():
            there = check(f, claim, *arguments, argnum=argnum, **self.options)
            if there.verdict == "wrong":  # it may be undefined there, where a solver does not go
                refuse(there, f"  {report.verdict} at the solver's point, but wrong near it")
            report = replace(report, points=(*report.points, there))
        if not report and not any(report.points):
            warn(
                at_users_line(
                    f"{name_of(self.derivative)} could not be verified: {report.explanation or report.reason}",
                    "Start the solver at another point, or give points= to check at.",
                ),
                RuntimeWarning,
                stacklevel=3,
            )
        return report


class Stacked:
    """A function of several arguments as a function of all of them in one vector, which comes first."""

    def __init__(self, function: Callable[..., Any], positions: range):
        self.function, self.positions = function, positions
        self.__name__ = name_of(function)

    def __call__(self, vector: Any, *args: Any) -> Any:
        """The function with the arguments at the positions taken from the vector."""
        arguments, start = list(args), 0
        for k in self.positions:
            shape = np.shape(args[k])
            stop = start + int(np.prod(shape))
            arguments[k] = vector[start:stop].reshape(shape)
            start = stop
        return self.function(*arguments)


def for_scipy(
    f: Callable[..., Any],
    jac: Callable[..., Any],
    *,
    argnum: int | slice = 0,
    layout: str = "numerator",
    points: Any = 1,
    budget: int | float = 100,
    rtol: float | None = None,
    rng: Any = None,
) -> Guarded:
    """Guard a hand-written derivative, so that a solver never works with a wrong one.

    The result takes the place of ``jac`` in ``least_squares``, ``root``, ``minimize``, ``solve_ivp``, ``curve_fit``,
    ``NonlinearConstraint``.  At its first call, and whenever arguments have new shapes, `check` compares ``jac`` with
    the derivative of ``f`` at the solver's point and near it.  All calls are then passed through.

    Parameters
    ----------
    f : callable
        The function that the solver gets.
    jac : callable
        Takes the arguments of ``f`` and returns its derivative in any form that `check` takes: an array, a sparse
        matrix, a ``LinearOperator``, a `Jacobian`; for one output also a vector like the argument, as ``minimize``
        wants it.
    argnum : int or slice
        The argument that is differentiated by: 0, or 1 for the ``f(t, y)`` of ``solve_ivp``.  A slice stands for all
        parameters of ``curve_fit``, ``argnum=slice(1, None)``: one column each.
    layout : {"numerator", "gradient", "denominator"}
        The layout of ``jac``; ``"gradient"`` where one output has an argument of several axes.
    points : int, sequence of tuples, or callable
        Other points to check at: how many near the first one, or which.  0 stays at the solver's point.
    budget : int or float
        How many calls of ``f`` (an int) or seconds (a float) each check may take.
    rtol : float, optional
        A relative error that is allowed in every entry, for a derivative that is approximate on purpose.
    rng : int or numpy.random.Generator, optional
        The seed of random choices.

    Returns
    -------
    Guarded
        A callable.  Its ``reports`` hold what was found.

    Raises
    ------
    DerivativeError
        When the solver calls it, if ``jac`` is wrong; its text is the report, with the slip that it looks like.
    InputError
        If ``f`` or ``jac`` cannot be called.

    Warns
    -----
    RuntimeWarning
        If nothing could be decided, because there is a kink at all points, for instance.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import root
    >>> def f(x):
    ...     return np.array([x[0] ** 2 + x[1] - 3, x[0] - x[1]])
    >>> def jac(x):
    ...     return np.array([[2 * x[0], 1.0], [1.0, -1.0]])
    >>> root(f, [1.0, 2.0], jac=for_scipy(f, jac)).x.round(4)
    array([1.3028, 1.3028])
    >>> root(f, [1.0, 2.0], jac=for_scipy(f, lambda x: jac(x).T[::-1]))
    Traceback (most recent call last):
    ...
    jacobi.bridges.for_scipy.DerivativeError: wrong...
    """
    for function in (f, jac):
        if not callable(function):
            what = f"{type(function).__name__} is not a function"
            raise InputError(at_users_line(what, "Write for_scipy(f, jac), with both functions themselves."))
    options = {"layout": layout, "budget": budget, "rtol": rtol, "rng": rng}
    return Guarded(f, jac, argnum, points, options)


def refuse(report: Report, hint: str) -> None:
    """Raise the report of a derivative that is wrong, or none."""
    if report.verdict in ("wrong", "invalid"):
        raise DerivativeError(report, hint)


def other_argument(report: Report, claim: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """A hint at the argument that a claim of the wrong shape belongs to, as that of ``solve_ivp`` to its second."""
    if report.verdict != "invalid":
        return ""
    try:
        shape = np.shape(claim(*args))
    except Exception:  # the report says what happened
        return ""
    rows = int(np.prod(report.out_shape))
    fitting = [k for k, a in enumerate(args) if shape == (rows, np.size(a)) and np.shape(a) != report.in_shape]
    return f"  it has the shape of a derivative by argument {fitting[0]}: argnum={fitting[0]}" if fitting else ""


def joined(arguments: list[Any]) -> Any:
    """Arguments in one vector."""
    return np.concatenate([np.ravel(np.asarray(a, float)) for a in arguments])


def shape_of(value: Any) -> Any:
    """What tells the arguments of one call from those of another: the shapes of arrays and numbers, else the type."""
    if isinstance(value, (int, float)):
        return ()
    return getattr(value, "shape", type(value).__name__)


def name_of(function: Any) -> str:
    """A function's name."""
    return str(getattr(function, "__name__", type(function).__name__))
