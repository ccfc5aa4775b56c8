"""The command line: ``jacobi check FILE.py:f :df --at "x=[1, 2, 3]"``, ``jacobi derive "sum(x**2)"`` and others.

Every sub-command has a file of its own that ends in its `Command`; `COMMANDS` lists them.  What a command needs is
imported when it runs, after its arguments are known to be right, so that ``jacobi --help`` is quick.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from jacobi.cli import check, circuit, derive, doctor, explain
from jacobi.cli.check import STATUS
from jacobi.cli.command import Command, Parser, Version
from jacobi.cli.outcomes import INTERRUPTED, REFUSED, USAGE, Failure, UsageError
from jacobi.cli.output import complain, flushed
from jacobi.cli.user_code import reason
from jacobi.errors import InputError, JacobiError

__all__ = ["COMMANDS", "STATUS", "main"]

COMMANDS: dict[str, Command] = {
    "check": check.COMMAND,
    "derive": derive.COMMAND,
    "explain": explain.COMMAND,
    "circuit": circuit.COMMAND,
    "doctor": doctor.COMMAND,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``jacobi``; those of the process by default.

    Returns
    -------
    int
        The exit status of ``check``: 0 correct, 1 wrong, 2 undecidable, 3 invalid; of the others: 0, or 1 where they
        cannot do what they are asked for.  A command line that makes no sense ends the process with status 4.
    """
    with flushed():
        name = "jacobi"
        try:
            options = parsed(sys.argv[1:] if arguments is None else arguments)
            name = options.name
            return int(options.run(options))
        except Failure as failure:
            complain(name, str(failure))
            return failure.status
        except (UsageError, InputError) as error:
            complain(name, reason(error))
            raise SystemExit(USAGE) from error
        except JacobiError as error:
            complain(name, reason(error))
            return REFUSED
        except MemoryError:
            complain(name, "there is not enough memory. Write smaller sizes")
            return REFUSED
        except KeyboardInterrupt:
            complain(name, "interrupted")
            return INTERRUPTED


def parsed(words: Sequence[str]) -> Namespace:
    """The options that the words of a command line stand for."""
    parser = Parser(
        prog="jacobi",
        description="Jacobians and matrix calculus, in numerator layout.",
        epilog="jacobi COMMAND --help shows the options of a command, and examples.",
    )
    parser.add_argument("--version", action=Version, help="show the version, and where it was loaded from")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        own = commands.add_parser(name, help=command.purpose, description=command.purpose, epilog=command.epilog())
        command.declare(own)
        own.set_defaults(run=command.run, name=own.prog)
    # A value may begin with a minus, as -x**2 and -1e3 do.  No option has one letter, apart from -h.
    return parser.parse_args([f" {word}" if is_value(word) else word for word in words])


def is_value(word: str) -> bool:
    """Whether a word that begins with a minus is a value and no option."""
    return word.startswith("-") and not word.startswith("--") and word != "-h"
