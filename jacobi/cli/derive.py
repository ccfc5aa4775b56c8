"""``jacobi derive``: the closed matrix formula of a derivative."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any

import jacobi
from jacobi.cli.command import Command
from jacobi.cli.outcomes import UsageError
from jacobi.cli.output import say, written
from jacobi.cli.points import shapes_of
from jacobi.cli.user_code import loaded, running


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi derive``."""
    add = parser.add_argument
    add("expression", metavar="EXPR", help='NumPy source text, such as "sum((X @ w - y)**2)"; or a function, FILE.py:f')
    add("--wrt", metavar="NAME", help="the argument to differentiate by")
    add("--shape", action="append", default=[], metavar="NAME=SIZES", help="letters or numbers: X=N,n; a number is b=")
    add("--assume", action="append", default=[], metavar="NAME=WHAT", help='"A=symmetric"; or a statement, "y**2 = 1"')
    add("--order", type=int, choices=(1, 2), default=1, help="2 for the Hessian of a scalar function")
    add("--gradient", action="store_true", help="shaped like the argument, for scalar functions")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="print the formula in LaTeX")
    form.add_argument("--source", action="store_true", help="print the NumPy source of a function that evaluates it")
    form.add_argument("--steps", action="store_true", help="print the derivation")
    form.add_argument("--html", metavar="FILE", help="write all of it as a page of HTML")


def run(options: argparse.Namespace) -> int:
    """Derive a formula and print it."""
    text = options.expression.strip()
    expression: Any = text
    if text.endswith(".py") or text.rpartition(":")[0].endswith(".py"):
        _, expression = loaded(text)
    given: dict[str, Any] = {"shapes": shapes_of(options.shape), "assume": assumptions_of(options.assume)}
    wrt = options.wrt and options.wrt.strip()
    with running():
        derivation = jacobi.derive(expression, wrt=wrt, order=options.order, **given)
    if options.gradient and derivation.gradient is None:
        raise UsageError(f"--gradient belongs to the first derivative of a scalar function; {text} gives none")
    formula: Any = derivation.gradient if options.gradient else derivation
    if options.html:
        written(options.html, page(derivation))
    if options.latex:
        say(formula.latex())
    else:
        say(formula.source if options.source else str(derivation) if options.steps else formula.formula)
    return 0


def assumptions_of(texts: Sequence[str]) -> dict[str, str]:
    """What is assumed of arguments, by name: ``A=symmetric``, or a statement that begins with it, ``y**2 = 1``."""
    assumed: dict[str, str] = {}
    for text in texts:
        found = re.match(r"\s*([^\W\d]\w*)\s*(=(?!=))?\s*(.+)", text)
        if not found:
            raise UsageError(f"{text!r} is no assumption. Write the name and what holds of it: A=symmetric")
        name, equals, what = found.groups()
        if name in assumed:
            raise UsageError(f"two things are assumed of {name}. Write one of them")
        assumed[name] = what.strip() if equals else text.strip()
    return assumed


PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ margin: 2em; font-family: sans-serif }}
pre {{ overflow-x: auto; line-height: 1.4 }}</style>
<h1>{title}</h1>
{parts}
</html>
"""


def page(derivation: Any) -> str:
    """A derivation as a page of HTML that needs nothing from elsewhere."""
    from html import escape

    parts = {"Derivation": str(derivation), "LaTeX": derivation.latex(), "NumPy": derivation.source}
    title = f"The derivative of {derivation.function} by {derivation.wrt}"
    written_out = (f"<h2>{heading}</h2>\n<pre>{escape(text)}</pre>" for heading, text in parts.items())
    return PAGE.format(title=escape(title), parts="\n".join(written_out))


COMMAND = Command(
    purpose="Give the closed matrix formula of a derivative.",
    declare=declare,
    run=run,
    examples=(
        'jacobi derive "mean((y - X @ w)**2)" --wrt w --shape X=N,n --shape w=n --shape y=N',
        'jacobi derive "x @ A @ x" --wrt x --assume A=symmetric --gradient --latex',
        'jacobi derive "sum(log(1 + exp(-y * (X @ w))))" --wrt w --assume "y**2 = 1" --order 2 --source',
    ),
    remark="",
    statuses="0, or 1 where no formula can be given",
)
