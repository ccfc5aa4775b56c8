"""``jacobi doctor``: whether the installation is sound."""

from __future__ import annotations

import argparse

from jacobi.cli.command import Command
from jacobi.cli.outcomes import REFUSED
from jacobi.cli.output import coloured, say


def declare(parser: argparse.ArgumentParser) -> None:
    """``jacobi doctor`` takes no arguments."""


def run(options: argparse.Namespace) -> int:
    """Print what was found."""
    from jacobi.bridges.doctor import examine

    findings = examine()
    for finding in findings:
        mark, line = str(finding)[:2], str(finding)[2:]
        say(mark + (line if finding.sound else coloured(line, "red")))
    return 0 if all(finding.sound for finding in findings) else REFUSED


COMMAND = Command(
    purpose="Look at the installation: versions, who owns the import name, and a small test of each job.",
    declare=declare,
    run=run,
    examples=("jacobi doctor",),
    remark="",
    statuses="0 sound, 1 not",
)
