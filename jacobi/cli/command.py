"""What a sub-command consists of, and how its words are parsed."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import jacobi
from jacobi.cli.outcomes import USAGE
from jacobi.cli.output import complain, say


class Command(NamedTuple):
    """A sub-command.

    Attributes
    ----------
    purpose : str
        What it is for, in a sentence.
    declare : callable
        Declares its arguments.
    run : callable
        Runs it; returns the exit status.
    examples : tuple of str
        Command lines that show how it is used.
    remark : str
        What there is to know about the examples.
    statuses : str
        What its exit statuses mean; `USAGE` is the same for all.
    """

    purpose: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    examples: tuple[str, ...]
    remark: str
    statuses: str

    def epilog(self) -> str:
        """What ``--help`` says below the options."""
        examples = "\n".join(f"  {example}" for example in self.examples)
        remark = f"\n{self.remark}\n" if self.remark else ""
        return f"examples:\n{examples}\n{remark}\nexit status: {self.statuses}, {USAGE} the command makes no sense"


class Parser(argparse.ArgumentParser):
    """A parser that complains in one line, with an exit status of its own: argparse's 2 means undecidable here."""

    def __init__(self, **keywords: Any):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **keywords)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more."""
        complain(self.prog, f"{message} (see {self.prog} --help)")
        raise SystemExit(USAGE)


class Version(argparse.Action):
    """``--version``: another distribution has the same import name, so the place of the package belongs to it."""

    def __init__(self, option_strings: list[str], dest: str, **keywords: Any):
        super().__init__(option_strings, dest, nargs=0, **keywords)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Print the version and where the package was loaded from."""
        say(f"jacobi {jacobi.__version__}, loaded from {os.path.dirname(os.path.abspath(jacobi.__file__))}")
        raise SystemExit(0)


def natural(text: str) -> int:
    """A whole number from 0 on, as the value of an option."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text.strip()!r} is no whole number from 0 on")
    return value
