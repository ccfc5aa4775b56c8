"""``jacobi check``: whether a derivative that was worked out by hand is right."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jacobi.cli.command import Command, natural
from jacobi.cli.outcomes import UsageError
from jacobi.cli.output import coloured, say, written
from jacobi.cli.points import declare_point, is_numeric, point_of, shapes_of
from jacobi.cli.user_code import definition, loaded, raised_at, running, said

if TYPE_CHECKING:
    from jacobi.verification.report import Report

STATUS = {"correct": 0, "wrong": 1, "undecidable": 2, "invalid": 3}
COLOURS = {"correct": "green", "wrong": "red", "undecidable": "yellow", "invalid": "yellow"}
LAYOUTS = ("numerator", "gradient", "denominator")


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi check``."""
    add = parser.add_argument
    add("function", metavar="FILE.py:f", help="the function")
    add("claim", metavar="FILE.py:df", help="its derivative; :df is one in the same file")
    declare_point(parser)
    add("--layout", choices=LAYOUTS, default="numerator", help="the layout of the derivative")
    add("--points", type=natural, metavar="N", help="how many other points to check it at")
    add("--json", action="store_true", help="print the report as JSON")
    add("--html", metavar="FILE", help="write the report as a page of HTML, too")


def run(options: argparse.Namespace) -> int:
    """Check a derivative and print the report."""
    path, f = loaded(options.function)
    _, claim = loaded(options.claim, path)
    arguments, argnum = point_of(f, options)
    if not is_numeric(arguments[argnum]):
        raise UsageError(f"argument {argnum} is {arguments[argnum]!r}. Write a number, or a list of numbers")
    with running(STATUS["invalid"]):
        report = checked(f, claim, arguments, argnum, options)
        if report.verdict == "invalid":
            report = replace(report, notes=(*report.notes, *failures((f, claim), arguments)))
    if options.html:
        written(options.html, report.to_html())
    if options.json:
        import json

        places = {"place": definition(claim), "function_place": definition(f)}
        say(json.dumps(report.as_dict() | places, allow_nan=False))
    else:
        verdict = coloured(report.verdict, COLOURS[report.verdict])
        say(verdict + str(report).removeprefix(report.verdict))
    return STATUS[report.verdict]


def checked(
    f: Callable[..., Any], claim: Callable[..., Any], arguments: list[Any], argnum: int, options: argparse.Namespace
) -> Report:
    """The report; at several sizes if letters stand for them in the shapes of all arguments."""
    from jacobi.verification.check import check

    shapes = shapes_of(options.shape)
    letters = {size for shape in shapes.values() for size in shape if isinstance(size, str)}
    if options.at or options.points or not letters or not all(letter.isidentifier() for letter in letters):
        point: dict[str, Any] = {"points": options.points}
    else:
        arguments, point = [], {"shapes": shapes}
    return check(f, claim, *arguments, argnum=argnum, layout=options.layout, rng=options.seed, **point)


def failures(functions: tuple[Callable[..., Any], ...], arguments: list[Any]) -> list[str]:
    """Where in the user's code the functions raise an exception, found by calling them once more."""
    found = []
    for function in functions:
        try:
            function(*deepcopy(arguments))
        except Exception as error:
            if where := raised_at(error):
                found.append(f"{said(error).partition(':')[0]} was raised at {where}")
    return list(dict.fromkeys(found))


COMMAND = Command(
    purpose="Say whether a derivative that was worked out by hand is right.",
    declare=declare,
    run=run,
    examples=(
        "jacobi check model.py:loss :dloss --shape X=N,n --shape w=n --shape y=N",
        'jacobi check model.py:loss :dloss --at "w=[1, 2]" --shape X=5,2 --shape y=5 --points 3',
        "jacobi check model.py:loss model.py:dloss --shape X=5,2 --shape w=2 --shape y=5 --wrt w --json",
    ),
    remark="In the examples, model.py defines loss(w, X, y) and its derivative by w, dloss(w, X, y).",
    statuses="0 correct, 1 wrong, 2 undecidable, 3 invalid",
)
