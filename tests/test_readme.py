"""The commands of the README are the ones that the gate runs, to the letter."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


def test_the_readme_has_two_commands() -> None:
    assert len(COMMANDS) == 2
    assert COMMANDS[0].endswith("examples/neuron.py")
    assert "-m pytest" in COMMANDS[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_line_that_starts_from_nothing(command: str) -> None:
    assert "\n" not in command
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_gate_runs_the_command(command: str) -> None:
    assert f"\nstep '{command}'\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
