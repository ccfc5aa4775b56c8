"""``jacobi explain``: the operations that a function consists of, and the order in which their Jacobians multiply."""

from __future__ import annotations

import argparse

import jacobi
from jacobi.cli.command import Command
from jacobi.cli.output import say
from jacobi.cli.points import declare_point, point_of
from jacobi.cli.user_code import loaded, running


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi explain``."""
    parser.add_argument("function", metavar="FILE.py:f", help="the function")
    declare_point(parser)


def run(options: argparse.Namespace) -> int:
    """Print the operations that a function consists of."""
    _, f = loaded(options.function)
    arguments, argnum = point_of(f, options)
    with running():
        explanation = jacobi.explain(f, *arguments, argnums=argnum)
    say(str(explanation))
    return 0


COMMAND = Command(
    purpose="Show the operations that a function consists of, with their local Jacobians.",
    declare=declare,
    run=run,
    examples=(
        "jacobi explain model.py:loss --shape X=N,n --shape w=n --shape y=N",
        'jacobi explain model.py:loss --at "w=[1, 2]" --shape X=5,2 --shape y=5 --wrt X',
    ),
    remark="In the examples, model.py defines loss(w, X, y).",
    statuses="0, or 1 where the function cannot be traced",
)
