"""The command line: ``jacobi check FILE.py:f FILE.py:df --at "x=[1, 2, 3]"`` and ``jacobi derive "sum(x**2)"``.

A sub-command is one entry of `COMMANDS`: what it is for, the function that declares its arguments, and the function
that runs it and returns the exit status.  What a command needs is imported when it runs, after its arguments are known
to be right.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from ast import literal_eval
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from html import escape
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import jacobi
from jacobi.errors import InputError, JacobiError, users_line

if TYPE_CHECKING:
    from jacobi.verification.report import Report

STATUS = {"correct": 0, "wrong": 1, "undecidable": 2, "invalid": 3}
REFUSED = 1  # the exit status where no formula can be given
USAGE = 4  # the exit status of a command line that makes no sense
LAYOUTS = ("numerator", "gradient", "denominator")


class UsageError(Exception):
    """The command line makes no sense; the message says what to write instead."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors have an exit status of their own: 2 means undecidable here."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how the command is written."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``jacobi``; those of the process by default.

    Returns
    -------
    int
        The exit status of ``check``: 0 correct, 1 wrong, 2 undecidable, 3 invalid; of ``derive``: 0, or 1 where no
        formula can be given.  A command line that makes no sense ends the process with status 4.
    """
    parser = Parser(prog="jacobi", description="Jacobians and matrix calculus, in numerator layout.")
    parser.add_argument("--version", action="version", version=f"jacobi {jacobi.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        own = commands.add_parser(name, help=command.purpose, description=command.purpose, epilog=command.epilog)
        command.declare(own)
        own.set_defaults(run=command.run, parser=own)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except UsageError as error:
        options.parser.error(str(error))
    return status


# check ------------------------------------------------------------------------------------------------------------


def declare_check(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi check``."""
    add = parser.add_argument
    add("function", metavar="FILE.py:f", help="the function")
    add("claim", metavar="FILE.py:df", help="its derivative; :df is one in the same file")
    declare_point(parser)
    add("--layout", choices=LAYOUTS, default="numerator", help="the layout of the derivative")
    add("--points", type=int, metavar="N", help="how many other points to check it at")
    add("--json", action="store_true", help="print the report as JSON")
    add("--html", metavar="FILE", help="write the report as a page of HTML, too")


def declare_point(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where a function is looked at, and by which argument."""
    add = parser.add_argument
    add("--at", action="append", default=[], metavar="VALUE", help='an argument: "x=[1, 2]", "[1, 2]", or x=@file.npy')
    add("--shape", action="append", default=[], metavar="NAME=SIZES", help="a random argument: x=3,4; a number is x=")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--argnum", type=int, metavar="N", help="the argument to differentiate by, from 0")
    which.add_argument("--wrt", metavar="NAME", help="the same by its name")
    add("--seed", type=int, default=0, metavar="N", help="the seed of all random choices")


def run_check(options: argparse.Namespace) -> int:
    """Check a derivative and print the report."""
    with redirect_stdout(sys.stderr if options.json else sys.stdout):  # what the user's code prints is no JSON
        report = checked(options)
    print(json.dumps(report.as_dict(), allow_nan=False) if options.json else report)
    if options.html:
        written(options.html, report.to_html())
    return STATUS[report.verdict]


def checked(options: argparse.Namespace) -> Report:
    """The report of the check that the command line asks for."""
    path, f = loaded(options.function)
    _, claim = loaded(options.claim, path)
    arguments, argnum = point_of(f, options)

    from jacobi.verification.check import check

    choices = {"argnum": argnum, "layout": options.layout, "points": options.points, "rng": options.seed}
    try:
        return check(f, claim, *arguments, **choices)
    except InputError as error:
        raise UsageError(str(error)) from error


def point_of(f: Callable[..., Any], options: argparse.Namespace) -> tuple[list[Any], int]:
    """The arguments, and which of them is differentiated by."""
    arguments = arguments_of(f, options)
    argnum = position(f, options.wrt) if options.wrt else options.argnum or 0
    if not 0 <= argnum < len(arguments):
        raise UsageError(f"there is no argument {argnum} among {len(arguments)}. Count from 0, or write --wrt NAME")
    arguments[argnum] = floating(arguments[argnum])
    return arguments, argnum


def loaded(target: str, other: Path | None = None) -> tuple[Path, Callable[..., Any]]:
    """The file and the function that ``FILE.py:name`` means; ``:name`` is one of the other file."""
    file, colon, name = target.rpartition(":")
    if not colon or not name.isidentifier() or not (file or other):
        raise UsageError(f"{target!r} names no function. Write FILE.py:name")
    path = Path(file).resolve() if file else other
    assert path is not None
    function = getattr(module_of(path), name, None)
    if not callable(function):
        raise UsageError(f"{path.name} has no function {name}. It has {', '.join(functions_of(path)) or 'none'}")
    return path, function


MODULES: dict[Path, ModuleType] = {}  # by their files, so that a file is run once


def module_of(path: Path) -> ModuleType:
    """The module that a file makes; its neighbours can be imported as when it is run."""
    if path in MODULES:
        return MODULES[path]
    name = f"{path.stem}_of_the_command_line"  # no other module's name
    specification = spec_from_file_location(name, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise UsageError(f"{path} is no Python file")
    module = module_from_spec(specification)
    sys.modules[name] = module  # pickle and dataclasses look for it
    sys.path.insert(0, str(path.parent))
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a script that exits must not decide the status of the check
        raise UsageError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
    MODULES[path] = module
    return module


def functions_of(path: Path) -> list[str]:
    """The names of the functions that a file defines."""
    module = module_of(path)
    return [
        name
        for name, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
    ]


def arguments_of(f: Callable[..., Any], options: argparse.Namespace) -> list[Any]:
    """The arguments of the call: values by name or by position, and random ones of given shapes."""
    import numpy as np

    from jacobi.verification.sampling import MissingArguments, in_order, named_shape, parameters, sampled

    named, positional = {}, []
    for text in options.at:
        name, equals, value = text.partition("=")
        if equals and name.strip().isidentifier():
            named[name.strip()] = parsed(value)
        else:
            positional.append(parsed(text))
    try:
        shapes = dict(map(named_shape, options.shape))
        if twice := named.keys() & shapes.keys():
            raise UsageError(f"{min(twice)} is given by value and by shape. Write one of them")
        if not named and not shapes:
            free = [p.name for p in parameters(f) if p.default is p.empty][len(positional) :]
            if free:
                raise MissingArguments(getattr(f, "__name__", "the function"), free)
            return positional
        named |= sampled(shapes, np.random.default_rng(options.seed))
        names = [p.name for p in parameters(f) if p.name not in named]
        if len(positional) > len(names):
            raise UsageError(f"{len(positional)} values without a name are too many. Write --at NAME=VALUE")
        return list(in_order(f, named | dict(zip(names, positional, strict=False))))
    except MissingArguments as error:
        first = error.names[0]
        raise UsageError(f'{error}. Write --at "{first}=[1, 2, 3]" or --shape {first}=3') from error
    except InputError as error:
        raise UsageError(str(error)) from error


def parsed(text: str) -> Any:
    """A value of the command line: a Python literal, with lists as arrays, or ``@file.npy``."""
    import numpy as np

    text = text.strip()
    try:
        if text.startswith("@"):
            return np.load(text[1:], allow_pickle=False)
        value = literal_eval(text)
        return np.array(value) if isinstance(value, (list, tuple)) else value
    except OSError as error:
        raise UsageError(f"cannot read {text[1:]}: {error.strerror or error}") from error
    except (ValueError, SyntaxError, TypeError) as error:
        raise UsageError(
            f"{text!r} is no value. Write a number, a list with rows of equal lengths such as [1, 2, 3], or @file.npy"
        ) from error


def floating(value: Any) -> Any:
    """Integers as floating numbers: a point of a derivative is real, even if it is written 1 and not 1.0."""
    import numpy as np

    integers = np.asarray(value).dtype.kind in "iu"
    return np.asarray(value, dtype=float)[()] if integers else value


def position(f: Callable[..., Any], name: str) -> int:
    """The position of an argument."""
    from jacobi.verification.sampling import parameters

    names = [p.name for p in parameters(f)]
    if name not in names:
        raise UsageError(f"there is no argument {name}. --wrt takes one of {', '.join(names) or 'none'}")
    return names.index(name)


# derive -----------------------------------------------------------------------------------------------------------


def declare_derive(parser: argparse.ArgumentParser) -> None:
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


def run_derive(options: argparse.Namespace) -> int:
    """Derive a formula and print it; the exit status says whether there is one."""
    expression: Any = options.expression
    if expression.rpartition(":")[0].endswith(".py"):
        _, expression = loaded(expression)
    given: dict[str, Any] = {"shapes": shapes_of(options.shape), "assume": assumptions_of(options.assume)}
    try:
        with redirect_stdout(sys.stderr):  # what the user's code prints is no formula
            derivation = jacobi.derive(expression, wrt=options.wrt, order=options.order, **given)
    except JacobiError as error:
        reason = str(error).replace(f" ({users_line()})", "")  # a line of the script that runs the command
        if isinstance(error, InputError):
            raise UsageError(reason) from error
        print(reason, file=sys.stderr)
        return REFUSED
    if options.gradient and derivation.gradient is None:
        raise UsageError(f"--gradient belongs to the first derivative of a scalar function; {expression} gives none")
    formula: Any = derivation.gradient if options.gradient else derivation
    if options.html:
        written(options.html, page(derivation))
    if options.latex:
        print(formula.latex())
    else:
        print(formula.source if options.source else derivation if options.steps else formula.formula)
    return 0


def shapes_of(texts: Sequence[str]) -> dict[str, str]:
    """The shapes of arguments by name; what a size may be is for `derive` to say."""
    shapes: dict[str, str] = {}
    for text in texts:
        name, equals, sizes = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier():
            raise UsageError(f"{text!r} is no shape. Write the name and the sizes: X=N,n; a number is b=")
        if name in shapes:
            raise UsageError(f"{name} is given two shapes. Write one of them")
        shapes[name] = sizes
    return shapes


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
<style>body {{ margin: 2em; font-family: sans-serif }} pre {{ overflow-x: auto; line-height: 1.4 }}</style>
<h1>{title}</h1>
{parts}
</html>
"""


def page(derivation: Any) -> str:
    """A derivation as a page of HTML that needs nothing from elsewhere."""
    parts = {"Derivation": str(derivation), "LaTeX": derivation.latex(), "NumPy": derivation.source}
    title = f"The derivative of {derivation.function} by {derivation.wrt}"
    written_out = (f"<h2>{heading}</h2>\n<pre>{escape(text)}</pre>" for heading, text in parts.items())
    return PAGE.format(title=escape(title), parts="\n".join(written_out))


def written(file: str, text: str) -> None:
    """Write a file that the command line names."""
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


# explain and doctor -----------------------------------------------------------------------------------------------


def declare_explain(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi explain``."""
    parser.add_argument("function", metavar="FILE.py:f", help="the function")
    declare_point(parser)


def run_explain(options: argparse.Namespace) -> int:
    """Print the operations that a function consists of."""
    _, f = loaded(options.function)
    arguments, argnum = point_of(f, options)
    try:
        with redirect_stdout(sys.stderr):
            explanation = jacobi.explain(f, *arguments, argnums=argnum)
    except JacobiError as error:
        print(error, file=sys.stderr)
        return REFUSED
    print(explanation)
    return 0


def declare_circuit(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``jacobi circuit``."""
    parser.add_argument("function", metavar="FILE.py:f", help="the function")
    declare_point(parser)
    parser.add_argument("--out", metavar="FILE", help="write .svg, .html, .dot or .png; SVG is printed otherwise")


def run_circuit(options: argparse.Namespace) -> int:
    """Draw the circuit of a function, by all its arguments unless one is chosen."""
    _, f = loaded(options.function)
    arguments, argnum = point_of(f, options)
    chosen = options.wrt is not None or options.argnum is not None
    if not chosen:
        arguments = list(map(floating, arguments))
    try:
        with redirect_stdout(sys.stderr):  # what the user's code prints is no picture
            circuit = jacobi.circuit(f, *arguments, argnums=argnum if chosen else None)
        if options.out:
            circuit.save(options.out)
        else:
            print(circuit.to_svg(), end="")
    except JacobiError as error:
        print(error, file=sys.stderr)
        return REFUSED
    except ImportError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot write {options.out}: {error.strerror}") from error
    return 0


def declare_doctor(parser: argparse.ArgumentParser) -> None:
    """``jacobi doctor`` takes no arguments."""


def run_doctor(options: argparse.Namespace) -> int:
    """Print what was found; the exit status says whether all is well."""
    from jacobi.bridges.doctor import examine

    findings = examine()
    print(*findings, sep="\n")
    return 0 if all(finding.sound for finding in findings) else REFUSED


class Command(NamedTuple):
    """A sub-command.

    Attributes
    ----------
    purpose, epilog : str
        What it is for, and an example.
    declare : callable
        Declares its arguments.
    run : callable
        Runs it; returns the exit status.
    """

    purpose: str
    epilog: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = {
    "check": Command(
        "Say whether a derivative that was worked out by hand is right.",
        'Example: jacobi check model.py:loss model.py:dloss --at "w=[1, 2]" --shape X=5,2 --wrt w. '
        "Exit status: 0 correct, 1 wrong, 2 undecidable, 3 invalid, 4 the command makes no sense.",
        declare_check,
        run_check,
    ),
    "derive": Command(
        "Give the closed matrix formula of a derivative.",
        'Example: jacobi derive "mean((y - X @ w)**2)" --wrt w --shape X=N,n --shape w=n --shape y=N --latex. '
        "Exit status: 0, or 1 where no formula can be given, 4 the command makes no sense.",
        declare_derive,
        run_derive,
    ),
    "explain": Command(
        "Show the operations that a function consists of, with their local Jacobians.",
        'Example: jacobi explain model.py:loss --at "w=[1, 2]" --shape X=5,2. '
        "Exit status: 0, or 1 where the function cannot be traced, 4 the command makes no sense.",
        declare_explain,
        run_explain,
    ),
    "circuit": Command(
        "Draw the circuit of a function, with values and gradients on every wire.",
        'Example: jacobi circuit model.py:loss --at "w=[1, 2]" --shape X=5,2 --out loss.svg. '
        "Exit status: 0, or 1 where the function cannot be traced, 4 the command makes no sense.",
        declare_circuit,
        run_circuit,
    ),
    "doctor": Command(
        "Look at the installation: versions, who owns the import name, and a small test of each job.",
        "Example: jacobi doctor. Exit status: 0 sound, 1 not.",
        declare_doctor,
        run_doctor,
    ),
}
