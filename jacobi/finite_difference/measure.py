"""The numerical Jacobian of any function of arrays, with a bound on the error of every entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jacobi.finite_difference.column import SAFETY, Column
from jacobi.finite_difference.ladder import Array, Indices, Mask
from jacobi.finite_difference.point import Point
from jacobi.spreading import ALONE, Progress, Spread, Workers, spreading

FEWEST = 32  # parts that columns are divided into, as long as there are so many
LARGEST = 4  # columns in a part where there are many


@dataclass(slots=True)
class NumericalJacobian:
    """A numerical Jacobian and what is known about it; ``m`` outputs, ``n`` inputs."""

    value: Array  # (m, n)
    error: Array  # (m, n): inf at kinks, jumps and slopes without limit, NaN where there are no values
    one_sided: Mask  # (m, n): where the function has values on one side only
    noise: Array  # (m,) size of the errors of the function's own values, beyond their rounding
    calls: int
    sides: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    """Left and right slope of the entries whose error is inf."""


def finite_difference(
    f: Callable[..., Any], argnum: int = 0, *, workers: Workers | int | None = None, progress: Progress | bool = False
) -> Callable[..., tuple[Array, Array]]:
    """Return a function that gives the numerical Jacobian of `f` and a bound on its error.

    Every entry is the limit of difference quotients over a ladder of steps.  The step is chosen for each
    entry by consistency with all smaller ones, so neither a kink close by, nor a mixture of scales, nor
    cancellation inside `f`, nor the edge of its domain needs attention.  A smooth column costs twelve calls
    of `f`, a difficult one up to some hundreds, no further than ``0.42 * max(abs(x[j]), 1)`` from `x`.

    Parameters
    ----------
    f : callable
        Takes arrays or numbers and returns a number, an array of any rank, or a list of numbers.  It is
        called with fresh copies (of a list to differentiate by: with an array), and may raise ``ValueError``
        or ``ArithmeticError`` outside its domain.
    argnum : int
        Position of the argument ``x`` to differentiate by.
    workers : int or map-like callable, optional
        As in SciPy: how many processes to start (-1: one for each processor), or a function that is called like
        ``map`` with a function and a list of parts of the work, such as the ``map`` of an executor of
        `concurrent.futures`.  What is found is the same, to the last bit.
    progress : bool or callable
        True writes a line to the standard error stream.  A callable is given the number of entries of ``x`` that
        are done, and that of all.

    Returns
    -------
    callable
        Takes the arguments of `f` and returns ``J`` and ``err``, both float64 of shape ``(y.size, x.size)``,
        rows and columns in C order.  The derivative lies in ``J ± err``.  ``err`` is inf where there is a
        kink, a jump or no finite slope, and NaN (like ``J``) where `f` or `x` is not finite.  Where `f` is
        defined on one side only, the slope is that side's.

    Raises
    ------
    InputError
        By the returned function, for an argument or a result that is not an array of real numbers, and for a function
        that cannot be sent to the processes of ``workers``.
    ShapeError
        By the returned function, when the shape of the result changes from call to call.

    Notes
    -----
    The extrapolation of difference quotients is L. F. Richardson's (1911), the table with its own error
    estimate that of C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in
    Engineering Software 4 (1982) 75-76.  The choice of the step is O. V. Lepski's, "On a problem of adaptive
    estimation in Gaussian white noise", Theory of Probability and its Applications 35 (1991) 454-466.  Noise
    is told from detail by tables of differences: J. J. Moré and S. M. Wild, "Estimating computational noise",
    SIAM Journal on Scientific Computing 33 (2011) 1292-1314.

    A bound from finitely many values is no proof.  Detail that lies below a hundred roundings of the values,
    or is narrower than the smallest step (about 1e-14, relative to `x`), cannot be seen.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi.finite_difference import finite_difference
    >>> x = np.array([0.5, 2.0])
    >>> J, err = finite_difference(lambda x: [x[0] * x[1], np.sin(x[0]), abs(x[1] - 2)])(x)
    >>> np.round(J, 6)
    array([[2.      , 0.5     ],
           [0.877583, 0.      ],
           [0.      , 0.      ]])
    >>> bool(abs(J[1, 0] - np.cos(0.5)) <= err[1, 0] < 1e-9)
    True
    >>> float(err[2, 1])  # a kink
    inf
    """

    def jacobian_with_error(*args: Any, **kwargs: Any) -> tuple[Array, Array]:
        with spreading(workers, progress, "entries") as spread:
            found = measure(f, args, argnum, kwargs, spread)
        return found.value, found.error

    return jacobian_with_error


def measure(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnum: int = 0,
    kwargs: dict[str, Any] | None = None,
    spread: Spread = ALONE,
) -> NumericalJacobian:
    """The numerical Jacobian of `f` at `args` with everything that is known about it."""
    with np.errstate(all="ignore"):
        return measure_at(Point(f, args, argnum, kwargs or {}), spread=spread)


def measure_at(point: Point, expected: Sequence[Array] = (), spread: Spread = ALONE) -> NumericalJacobian:
    """The numerical Jacobian at a point.

    Slopes that agree with one of the `expected` Jacobians, (m, n) each, are not looked at any further.

    What a column has taught helps the later ones, but only from the end of its round on: rounds are of 1, 1, 2, 4, 8
    and so on columns, whoever works on them.  So all rounds can be worked on at once as long as there is nothing to
    learn, and the numbers never depend on who does the work.
    """
    m, n = point.y.size, point.x.size
    guesses = np.array(expected).reshape(len(expected), m, n)
    value, error = np.full((2, m, n), np.nan)
    result = NumericalJacobian(value, error, np.zeros((m, n), dtype=np.bool_), np.zeros(m), point.calls)
    columns = np.flatnonzero(np.isfinite(point.x))
    if not m or not columns.size:
        return result
    quiet = point.noise()
    lessons = learned = Lessons(quiet, np.zeros(m, dtype=np.bool_))
    done = 0
    while done < columns.size:
        parts = [Part(point, some, guesses[:, :, some], quiet, lessons) for some in groups(columns, done)]
        with closing(spread.results(measured, parts)) as results:
            for part, (found, taught, remarks) in zip(parts, results, strict=True):
                value[:, part.columns], error[:, part.columns] = found.value, found.error
                result.one_sided[:, part.columns] = found.one_sided
                result.sides |= found.sides
                point.join(found.calls, remarks)
                done += part.columns.size
                spread.tell(done, columns.size)
                learned = learned.and_then(taught)
                if ends_round(done) and learned != lessons:
                    break  # the other parts knew too little
        lessons = learned
    result.noise, result.calls = lessons.heard, point.calls
    return result


def groups(columns: Indices, start: int) -> Iterator[Indices]:
    """The columns from some number on in parts, none of which belongs to two rounds."""
    while start < columns.size:
        a_round = columns[start : max(2 * start, 1)]
        yield from np.array_split(a_round, max(min(a_round.size, FEWEST), -(-a_round.size // LARGEST)))
        start += a_round.size


def ends_round(done: int) -> bool:
    """Whether a round ends after so many columns: powers of two."""
    return done & (done - 1) == 0


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What columns have taught that helps others, for every output, (m,)."""

    heard: Array  # noise where all inputs moved, or single ones
    small_first: Mask  # the function varies over the size of an entry, not over 1

    def and_then(self, later: Lessons) -> Lessons:
        """These and later ones."""
        return Lessons(np.maximum(self.heard, later.heard), later.small_first)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Lessons)
            and np.array_equal(self.heard, other.heard)
            and np.array_equal(self.small_first, other.small_first)
        )


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """Some columns of a numerical Jacobian, with all that it takes to measure them; it can be sent elsewhere."""

    point: Point
    columns: Indices
    expected: Array  # (any number, m, columns)
    quiet: Array  # (m,) noise when all inputs move
    lessons: Lessons


def measured(part: Part) -> tuple[NumericalJacobian, Lessons, list[str]]:
    """The columns of a part, none of which learns from another, what they teach, and what else was noticed."""
    point = part.point.apart()
    good = np.isfinite(point.y)
    heard, small_first = part.lessons.heard, part.lessons.small_first
    value, error = np.full((2, good.size, part.columns.size), np.nan)
    found = NumericalJacobian(value, error, np.zeros(value.shape, dtype=np.bool_), heard, 0)
    with np.errstate(all="ignore"):  # which does not hold in other threads of itself
        for k, j in enumerate(part.columns):
            column = Column(point, int(j), part.quiet, part.lessons.heard, part.expected[:, :, k])
            small_first = column.explore(part.lessons.small_first)
            heard = np.maximum(heard, column.heard)
            slopes = column.found
            value[good, k], error[good, k] = slopes.value[good], SAFETY * slopes.error[good]
            found.one_sided[good, k] = slopes.one_sided[good]
            for i in np.flatnonzero(np.isinf(slopes.error)):
                found.sides[int(i), int(j)] = float(slopes.left[i]), float(slopes.right[i])
    found.noise, found.calls = heard, point.calls
    return found, Lessons(heard, small_first), point.remarks()
