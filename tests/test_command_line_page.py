"""The page on the command line, and the examples of ``--help``: every command runs, and prints what is shown."""

import argparse
import doctest
import re
import shlex
import sys
from pathlib import Path

import pytest

from jacobi.cli import COMMANDS, main

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "command_line.md").read_text(encoding="utf-8")
MODEL = re.search(r"^```py\n(.*?)^```$", PAGE, re.M | re.S)[1]
CONSOLES = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
SECTIONS = dict(re.findall(r"^## jacobi (\w+)\n(.*?)(?=^## )", PAGE, re.M | re.S))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """A command line, run in a folder with the `model.py` of the page: its status, and what it printed."""
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(line):
        name, *words = shlex.split(line)
        assert name == "jacobi"
        return main(words), *capfd.readouterr()

    return run


@pytest.mark.parametrize("console", CONSOLES, ids=[text.splitlines()[0][2:40] for text in CONSOLES])
def test_the_examples_of_the_page(console, run):
    status = None
    for example in re.split(r"^\$ ", console, flags=re.M)[1:]:
        line, _, shown = example.partition("\n")
        if line == "echo $?":
            assert shown == f"{status}\n"
            continue
        status, out, err = run(line)
        assert doctest.OutputChecker().check_output(shown, out, FLAGS), f"{line}\n{out}{err}"


EXAMPLES = [example for command in COMMANDS.values() for example in command.examples]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_help(example, run):
    status, _, err = run(example)
    assert (status, err) == (0, "")


def test_the_help_shows_them(capsys):
    for name, command in COMMANDS.items():
        with pytest.raises(SystemExit):
            main([name, "--help"])
        shown = capsys.readouterr().out
        assert command.examples and all(f"\n  {example}\n" in shown for example in command.examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_has_every_option(name):
    parser = argparse.ArgumentParser()
    COMMANDS[name].declare(parser)
    options = {word for action in parser._actions for word in action.option_strings} - {"-h", "--help"}
    assert options == set(re.findall(r"`(--\w+)[` ]", SECTIONS[name]))
