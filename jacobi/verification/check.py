"""``check``: the verdict on a derivative that was worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from threading import current_thread, main_thread
from typing import Any
from warnings import catch_warnings

import numpy as np

from jacobi.errors import InputError, at_users_line
from jacobi.spreading import ALONE, Progress, Spread, Workers, spreading
from jacobi.verification.claims import LAYOUTS, Claim, UnfitClaim, applied, call, is_value, read
from jacobi.verification.entrywise import compare_entries
from jacobi.verification.evidence import Evidence
from jacobi.verification.points import blind_spots, finite_there, holds_nearby, others, over_points, over_shapes
from jacobi.verification.probes import compare_directions
from jacobi.verification.problem import Invalid, Problem, pose
from jacobi.verification.report import Report
from jacobi.verification.watched import Watched, name_of
from jacobi.verification.witnesses import Traced, traced

CALLS_PER_INPUT, OTHER_CALLS = 13, 35  # of a numerical Jacobian in the usual case
SECONDS = 20.0  # that a comparison of every entry may take without a budget
MOST_CALLS = 1e12  # without any limit on the time
LARGEST = 4_000_000  # entries of such a comparison
DIAGNOSED = 1_000_000  # entries of a matrix that slips are looked for in


@dataclass(frozen=True)
class Options:
    """The options of a check, as its documentation describes them."""

    argnum: int
    layout: str
    order: str
    rtol: float
    budget: float | None
    seed: int


def check(
    f: Callable[..., Any],
    claim: Any,
    *args: Any,
    argnum: int = 0,
    layout: str = "numerator",
    order: str = "C",
    rtol: float | None = None,
    budget: float | None = None,
    rng: Any = None,
    points: Any = None,
    shapes: Any = None,
    workers: Workers | int | None = None,
    progress: Progress | bool = False,
) -> Report:
    """Tell whether a derivative that was worked out by hand is right, and if not, which slip it looks like.

    The claim is compared with the numerical Jacobian of `f`, which has an error bound for every entry, and with the
    traced one where `f` can be traced.  There is no absolute tolerance.

    Parameters
    ----------
    f : callable
        The function, of arrays and numbers.  It need not be traceable; it may raise ``ValueError`` or
        ``ArithmeticError`` outside its domain.
    claim : callable, array, nested list, sparse matrix, LinearOperator or Jacobian
        The derivative by argument `argnum`, or a function of the same arguments that returns it.
    *args
        The arguments at which to compare.  They are never changed.
    argnum : int
        The position of the argument to differentiate by.
    layout : {"numerator", "gradient", "denominator"}
        ``"numerator"``: a matrix ``(y.size, x.size)`` or the tensor ``y.shape + x.shape``; ``"gradient"``: shaped like
        the argument, for scalar functions; ``"denominator"``: the transpose of the first.
    order : {"C", "F"}
        How the rows and columns of a matrix number the entries of arrays: row by row, or column by column as the
        ``vec`` of textbooks does.
    rtol : float, optional
        A relative error that is allowed in every entry.  It can only loosen what the error bounds demand.
    budget : int or float, optional
        How many calls of `f` (an int) or seconds (a float) may be spent.  Where a comparison of every entry needs more,
        random directions are compared, and a wrong entry is searched by bisection.  By default 20 seconds.
    rng : int or numpy.random.Generator, optional
        The seed of random choices; 0 by default.
    points : int, sequence of tuples, or callable, optional
        Other points to compare at: for how many to move the argument that is differentiated by, tuples of all
        arguments, or a function of a generator that returns such a tuple.  The claim must be a function.
    shapes : dict, optional
        Instead of ``args``: the shape of every argument by its name, with letters or numbers, such as
        ``{"X": ("N", "n"), "w": ("n",)}``.  The formula is compared at several sizes, 1 among them.
    workers : int or map-like callable, optional
        As for `finite_difference`.  With ``points`` or ``shapes`` every part of the work is the comparison at one
        point, else it is the differences by some entries of the argument.  The verdict and all numbers are
        the same.
    progress : bool or callable
        True writes a line to the standard error stream.  A callable is given the number of points that are done and
        that of all; where there is only one, that of the entries of the argument.

    Returns
    -------
    Report
        Its truth value tells whether the claim is correct; ``print`` shows the reasons.

    Raises
    ------
    InputError
        If the options make no sense, or `f` or the claim cannot be sent to the processes of ``workers``.
        What is wrong with `f`, the claim or the arguments is the report's to say.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> bool(check(lambda x: x**2, lambda x: np.diag(2 * x), x))
    True
    >>> report = check(lambda x: x**2, lambda x: np.diag(x), x)
    >>> report.verdict, report.diagnosis
    ('wrong', 'factor_two_missing')
    """
    seed = seed_of(rng)
    options = Options(checked_argnum(args, argnum, shapes), layout, order, checked_rtol(rtol), budget, seed)
    check_options(f, options, points, shapes, claim)
    unit = "entries" if points is None and shapes is None else "points"
    with spreading(workers, progress, unit) as spread:
        compare = partial(at_points, f, claim, options, spread)
        if shapes is not None:
            return over_shapes(compare, f, shapes, seed)
        if points is None:
            return compare([args])[0]
        moved = others(points, args, options.argnum, finite_there(f), seed)
        first, *rest = compare([args, *moved])
        return over_points(first, rest)


def at_points(
    f: Callable[..., Any], claim: Any, options: Options, spread: Spread, points: Sequence[tuple[Any, ...]]
) -> list[Report]:
    """The reports at some points; what is spread are the points, or the entries of a single one."""
    reports = []
    with catch_warnings(action="ignore"):
        if len(points) == 1:
            return [at_point(f, claim, options, points[0], spread)]
        for report in spread.results(partial(at_point, f, claim, options), points):
            reports.append(report)
            spread.tell(len(reports), len(points))
    return reports


def at_point(
    f: Callable[..., Any], claim: Any, options: Options, args: tuple[Any, ...], spread: Spread = ALONE
) -> Report:
    """The report at one point."""
    # In another process nobody has turned warnings off yet.  Other threads share what this one sets, and its end.
    alone = current_thread() is main_thread()
    with np.errstate(all="ignore"), catch_warnings(action="ignore") if alone else nullcontext():
        return quiet_report(f, claim, options, args, spread)


def quiet_report(f: Callable[..., Any], claim: Any, options: Options, args: tuple[Any, ...], spread: Spread) -> Report:
    """The same, where floating point warnings are off."""
    about: dict[str, Any] = {
        "seed": options.seed,
        "layout": options.layout,
        "function": name_of(f, "f"),
        "claim": "the given value" if is_value(claim) else name_of(claim, "claim"),
        "replay": replay(f, claim, args, options),
    }
    try:
        problem = pose(f, args, options.argnum, spread)
    except Invalid as problem_with_input:
        return Report("invalid", problem_with_input.reason, explanation=str(problem_with_input), **about)
    about |= {"out_shape": problem.out_shape, "in_shape": problem.in_shape}
    formula = None if is_value(claim) else Watched(claim, name_of(claim, "the claim"))
    try:
        value = claim if formula is None else call(formula, problem.args)
        given = read(value, options.layout, options.order, problem.out_shape, problem.in_shape)
        report = against_witnesses(problem, given, claim, options)
    except UnfitClaim as unfit:
        report = misfit(problem, unfit, claim, options)
    if formula is not None:
        report.notes += tuple(formula.notes)
        report.claim_calls = formula.calls
    report.notes += tuple(note for note in problem.f.notes if note not in report.notes)
    report.calls = problem.f.calls
    return replace(report, **about)


def against_witnesses(problem: Problem, given: Claim, claim: Any, options: Options) -> Report:
    """The report on a claim whose shape fits."""
    m, n = given.shape
    tracing = traced(problem.f.function, problem.args, options.argnum)
    if not affordable(problem, options.budget):
        rng = np.random.default_rng(options.seed)
        calls = calls_allowed(problem, options.budget)
        report = compare_directions(problem, given, tracing, options.rtol, calls, rng)
        if given.form == "operator":
            report = adjoint_tested(report, given, options.seed)
        if report.verdict == "wrong" and m * n <= DIAGNOSED and isinstance(tracing, Traced) and report.worst:
            right = tracing.jacobian.toarray().astype(float)
            tolerance = 1e-7 * np.abs(right)
            return diagnosed(report, problem, given.given, given.dense(), right, tolerance, None, claim, options)
        return report
    report, decision = compare_entries(problem, given, tracing, options.rtol)
    if given.form == "operator":
        report = adjoint_tested(report, given, options.seed)
    if report.verdict == "wrong":
        known = decision.wrong | decision.correct
        return diagnosed(
            report, problem, given.given, report.claimed, decision.reference, decision.tolerance, known, claim, options
        )
    if report.verdict == "correct":
        report.notes += tuple(blind_spots(problem, decision.reference))
        report.notes += tracing.one_sided if isinstance(tracing, Traced) else ()
        if not is_value(claim) and holds_nearby(problem, claim, options.layout, options.order, options.seed) is False:
            report.notes += ("right at this point, but not at a point nearby: compare at others with points=5",)
    else:
        report.explanation = OPEN[report.reason]
    if isinstance(tracing, str):
        report.notes += (f"not traceable, so the numerical derivative is the only witness: {tracing.splitlines()[0]}",)
    return report


OPEN = {
    "kink": "the function has a kink here: the claim lies between the slopes of both sides, and none is the derivative",
    "jump": "the function jumps here and has no derivative",
    "diverging slope": "the slope has no bound here, so there is no derivative",
    "no value": "the function has no finite value here",
    "noise": "the function is too noisy to tell",
    "precision": "the numbers are too coarse to tell",
    "witnesses disagree": "the traced and the numerical derivative contradict each other, and neither is trusted",
}


def adjoint_tested(report: Report, given: Claim, seed: int) -> Report:
    """The same report after the test whether ``rmatvec`` of an operator is the transpose of its ``matvec``."""
    operator = given.matrix
    rng = np.random.default_rng(seed)
    u, v = rng.choice([-1.0, 1.0], operator.shape[0]), rng.choice([-1.0, 1.0], operator.shape[1])
    forward = applied(operator.matvec, v).ravel()
    try:
        back = applied(operator.rmatvec, u).ravel()
    except (UnfitClaim, AttributeError) as problem:
        return replace(report, notes=(*report.notes, f"the adjoint of the operator was not tested: {problem}"))
    rounding = 1e-9 * max(np.abs(u) @ np.abs(forward), np.abs(back) @ np.abs(v))
    if abs(u @ forward - back @ v) <= rounding:
        return replace(report, notes=(*report.notes, "adjoint test passed: <u, J v> = <J^T u, v>"))
    text = f"rmatvec is not the transpose of matvec: <u, J v> = {u @ forward:.6g}, but <J^T u, v> = {back @ v:.6g}"
    return replace(report, verdict="wrong", reason="", explanation=text, notes=(*report.notes, text))


def diagnosed(
    report: Report,
    problem: Problem,
    given: Any,
    claimed: Any,
    right: Any,
    tolerance: Any,
    known: Any,
    claim: Any,
    options: Options,
) -> Report:
    """The report on a wrong claim with the slips that it looks like."""
    from jacobi.verification.diagnosis import diagnose, explain

    if right.size > DIAGNOSED:
        return report
    finite = np.isfinite(right)
    evidence = Evidence(
        right=right,
        given=claimed if given is None else given,
        claimed=claimed,
        tolerance=np.where(np.isfinite(tolerance), tolerance, 0.0),
        known=finite if known is None else known & finite,
        out_shape=problem.out_shape,
        in_shape=problem.in_shape,
        layout=options.layout,
        f=problem.f.function,
        args=problem.args,
        argnum=options.argnum,
        claim=None if is_value(claim) else claim,
    )
    try:
        found = diagnose(evidence)
    except Exception as problem:  # it calls the functions of the user in ways that they may not be made for
        note = f"the search for the slip failed: {type(problem).__name__}: {problem}"
        return replace(report, explanation=where_wrong(report), notes=(*report.notes, note))
    text = explain(found[0]) if found else where_wrong(report)
    return replace(report, diagnosis=found[0].identifier if found else None, explanation=text, candidates=found)


def where_wrong(report: Report) -> str:
    """What to say where no slip fits."""
    if report.explanation or not report.worst or report.verdicts is None or report.claimed is None:
        return report.explanation
    missing = int(np.isnan(report.claimed).sum())
    if missing:
        return f"{missing} entries of the claim are NaN where the function has a derivative"
    count = int((report.verdicts == "wrong").sum())
    return f"{count} of {report.verdicts.size} entries are wrong, in no way that has a name here"


def misfit(problem: Problem, unfit: UnfitClaim, claim: Any, options: Options) -> Report:
    """The report on a claim whose shape does not fit: wrong where its numbers show a slip, else invalid."""
    text = str(unfit)
    reason = "complex" if "complex" in text else "the claim does not fit"
    report = Report("invalid", reason, explanation=text, notes=tuple(problem.notes))
    m, n = problem.shape
    if unfit.given is None or not unfit.given.size or m * n > DIAGNOSED or (options.layout == "gradient" and m != 1):
        return report
    tracing = traced(problem.f.function, problem.args, options.argnum)
    if affordable(problem, options.budget):
        blank = Claim((m, n), "dense", None, 2.0**-52, np.full((m, n), np.nan))
        _, decision = compare_entries(problem, blank, tracing, options.rtol)
        unit = 64 * float(np.finfo(unfit.given.dtype).eps)
        right, tolerance = decision.reference, decision.tolerance + unit * decision.size
    elif isinstance(tracing, Traced):
        right = tracing.jacobian.toarray().astype(float)
        tolerance = np.zeros_like(right)
    else:
        return report
    tolerance = np.maximum(tolerance, 1e-7 * np.abs(right))
    found = diagnosed(report, problem, unfit.given, None, right, tolerance, np.isfinite(right), claim, options)
    if found.diagnosis is None:
        return report
    return replace(found, verdict="wrong", reason="", explanation=f"{text}. {found.explanation}", reference=right)


def affordable(problem: Problem, budget: float | None) -> bool:
    """Whether every entry can be compared."""
    m, n = problem.shape
    return m * n <= LARGEST and CALLS_PER_INPUT * n + OTHER_CALLS <= calls_allowed(problem, budget)


def calls_allowed(problem: Problem, budget: float | None) -> int:
    """How many calls of the function may be made."""
    if isinstance(budget, (int, np.integer)):
        return int(budget)
    return int(min((SECONDS if budget is None else budget) / max(problem.seconds, 1e-5), MOST_CALLS))


def replay(f: Any, claim: Any, args: tuple[Any, ...], options: Options) -> str:
    """A line of code that repeats the check."""
    written = [name_of(f, "f"), "claim" if is_value(claim) else name_of(claim, "claim"), *map(as_code, args)]
    defaults = {"argnum": 0, "layout": "numerator", "order": "C", "rtol": 0.0, "budget": None}
    written += [f"{k}={getattr(options, k)!r}" for k, default in defaults.items() if getattr(options, k) != default]
    return f"jb.check({', '.join([*written, f'rng={options.seed}'])})"


def as_code(value: Any) -> str:
    """An argument as code; large arrays by their shape only."""
    if isinstance(value, np.ndarray):
        if value.size > 50:
            return f"<array {value.shape}>"
        dtype = "" if value.dtype == float else f", dtype={value.dtype.name!r}"
        return f"np.array({value.tolist()!r}{dtype})"
    return repr(value.item() if isinstance(value, np.generic) else value)


def checked_argnum(args: tuple[Any, ...], argnum: Any, shapes: Any) -> int:
    """The position of the argument to differentiate by."""
    if isinstance(argnum, bool) or not isinstance(argnum, (int, np.integer)):
        raise InputError(at_users_line(f"argnum={argnum!r} is no position", "Check one argument at a time: argnum=1."))
    if shapes is not None:
        if args:
            raise InputError(at_users_line("both arguments and shapes= are given", "Give one of them."))
        return int(argnum)
    if not -len(args) <= argnum < len(args):
        raise InputError(
            at_users_line(
                f"argnum={argnum}, but there are {len(args)} arguments",
                "Write check(f, df, x), with all arguments of f.",
            )
        )
    return int(argnum) % len(args)


def checked_rtol(rtol: Any) -> float:
    """The relative error that is allowed."""
    if rtol is None:
        return 0.0
    if not 0 <= rtol < 1:
        raise InputError(at_users_line(f"rtol={rtol!r}", "A relative error is a number below 1, such as rtol=1e-3."))
    return float(rtol)


def check_options(f: Any, options: Options, points: Any, shapes: Any, claim: Any) -> None:
    """Refuse options that make no sense."""
    if not callable(f):
        raise InputError(
            at_users_line(f"{type(f).__name__} is not a function", "Write check(f, df, x), with the function itself.")
        )
    if options.layout not in LAYOUTS:
        known = ", ".join(map(repr, LAYOUTS))
        raise InputError(at_users_line(f"layout={options.layout!r} is not known", f"The layouts are {known}."))
    if options.order not in ("C", "F"):
        raise InputError(at_users_line(f"order={options.order!r} is not known", "The orders are 'C' and 'F'."))
    if options.budget is not None and not options.budget > 0:
        raise InputError(
            at_users_line(f"budget={options.budget!r}", "Give a number of calls (an int) or of seconds (a float).")
        )
    if (points is not None or shapes is not None) and is_value(claim):
        raise InputError(
            at_users_line("a value holds at one point only", "Give the claim as a function to compare at other points.")
        )


def seed_of(rng: Any) -> int:
    """The seed of random choices."""
    if rng is None:
        return 0
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**31))
    if isinstance(rng, (int, np.integer)) and rng >= 0:
        return int(rng)
    raise InputError(at_users_line(f"rng={rng!r}", "Give a seed, such as rng=0, or a numpy.random.Generator."))
