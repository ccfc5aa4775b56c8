"""``jacobi circuit``: the circuit of a function, with values and gradients on every wire."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import jacobi
from jacobi.cli.command import Command
from jacobi.cli.outcomes import UsageError
from jacobi.cli.output import is_unicode, say
from jacobi.cli.points import declare_point, floating, point_of
from jacobi.cli.user_code import loaded, running
from jacobi.errors import InputError


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi circuit``."""
    parser.add_argument("function", metavar="FILE.py:f", help="the function")
    declare_point(parser)
    parser.add_argument("--out", metavar="FILE", help="write .svg, .html, .dot or .png; SVG is printed otherwise")


def run(options: argparse.Namespace) -> int:
    """Draw the circuit of a function, by all its arguments unless one is chosen."""
    _, f = loaded(options.function)
    arguments, argnum = point_of(f, options)
    chosen = options.wrt is not None or options.argnum is not None
    if not chosen:
        arguments = list(map(floating, arguments))
    with running():
        circuit = jacobi.circuit(f, *arguments, argnums=argnum if chosen else None)
    if options.out:
        save(circuit, options.out)
    else:
        svg = circuit.to_svg().removesuffix("\n")
        # letters as numbers mean the same in every encoding
        say(svg if is_unicode(sys.stdout) else svg.encode("ascii", "xmlcharrefreplace").decode())
    return 0


def save(circuit: Any, file: str) -> None:
    """Write the picture to a file that the command line names."""
    try:
        circuit.save(file)
    except (ImportError, InputError, ValueError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


COMMAND = Command(
    purpose="Draw the circuit of a function, with values and gradients on every wire.",
    declare=declare,
    run=run,
    examples=(
        'jacobi circuit model.py:loss --at "w=[1, 2]" --shape X=5,2 --shape y=5 --out loss.svg',
        "jacobi circuit model.py:loss --shape X=N,n --shape w=n --shape y=N --wrt w --out loss.html",
    ),
    remark="In the examples, model.py defines loss(w, X, y).",
    statuses="0, or 1 where the function cannot be traced",
)
