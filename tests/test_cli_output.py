"""What the command line prints: colours, letters that a stream lacks, readers that go away, and how soon it starts."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jacobi as jb
from jacobi.cli import main
from jacobi.cli.output import plain, shows_colours

ROOT = Path(jb.__file__).parents[1]
MODEL = "def f(x):\n    return x**2\ndef df(x):\n    return 2 * x\n"
RED, GREEN = "\033[31m", "\033[32m"
NO_STREAM = Path("/dev/full")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder with the file `model.py`, and no wishes about colours."""
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def process(*words, **keywords):
    """The command line in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | keywords.pop("env", {})
    return subprocess.run([sys.executable, "-m", "jacobi", *words], env=environment, **keywords)


# colours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forced, refused, colours",
    [(None, None, False), ("1", None, True), ("1", "1", False), (None, "1", False), ("", "", False), ("1", "", True)],
)
def test_colours_for_a_file(forced, refused, colours, monkeypatch, capfd):
    for name, value in {"FORCE_COLOR": forced, "NO_COLOR": refused}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    assert main(["check", "model.py:f", ":df", "--at", "2"]) == 0
    assert capfd.readouterr().out.startswith(f"{GREEN}correct\033[0m: df" if colours else "correct: df")
    with pytest.raises(SystemExit):
        main(["check", "none.py:f", ":df"])
    assert capfd.readouterr().err.startswith(f"{RED}jacobi check:\033[0m " if colours else "jacobi check: ")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_colours_on_a_terminal(monkeypatch):
    import pty

    leader, follower = pty.openpty()
    with open(follower, "w") as terminal:
        assert shows_colours(terminal)
        monkeypatch.setenv("NO_COLOR", "1")
        assert not shows_colours(terminal)
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("TERM", "dumb")
        assert not shows_colours(terminal)
    os.close(leader)


def test_no_colours_in_collected_text(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main(["check", "model.py:f", ":df", "--at", "2"]) == 0
    assert sys.stdout.getvalue().startswith("correct: df")


# letters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437", "cp932", "utf-8"])
def test_every_encoding_can_be_printed(encoding, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    commands = (
        ["derive", "inv(A) @ b", "--wrt", "A"],
        ["derive", "sum(log(λ * x))", "--wrt", "λ", "--steps"],
        ["circuit", "model.py:f", "--at", "-2"],
    )
    assert [main(command) for command in commands] == [0, 0, 0]
    text = stream.buffer.getvalue().decode(encoding)
    assert "-A^-1 (x) b^T A^-T\n" in text or "-A⁻¹ ⊗ bᵀ A⁻ᵀ\n" in text
    assert "?" not in text and ("∂" in text or "d" in text)


def test_a_picture_is_the_same_in_every_encoding(monkeypatch):
    from html import unescape

    pictures = []
    for encoding in ("ascii", "cp1252", "utf-8"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["circuit", "model.py:f", "--at", "-2"]) == 0
        pictures.append(stream.buffer.getvalue())
    assert pictures[0] == pictures[1] and pictures[0].isascii() and not pictures[2].isascii()
    assert unescape(pictures[0].decode()) == unescape(pictures[2].decode())


@pytest.mark.parametrize(
    "text, spelled",
    {
        "2 (Xw − y)ᵀ X": "2 (Xw - y)^T X",
        "A⁻¹ ∘ Bᵀ": "A^-1 o B^T",
        "∂f/∂x₁₂": "df/dx_12",
        "‖x‖² ≠ 0": "||x||^2 != 0",
        "Σ Γ λ ψ": "Sigma Gamma lambda psi",
        "é": "e",
        "\udc80": "\\udc80",
        "世": "\\u4e16",
    }.items(),
)
def test_plain_letters(text, spelled):
    assert plain(text) == spelled


# readers ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize("words", [["derive", "sum(x**2)", "--steps"], ["check", "--help"]], ids=["derive", "help"])
def test_a_reader_that_goes_away(words):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = process(*words, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not NO_STREAM.exists(), reason="no device that is full")
@pytest.mark.parametrize("words", [["derive", "x"], ["--version"]], ids=["derive", "version"])
def test_a_disk_that_is_full(words):
    with NO_STREAM.open("w") as full:
        done = process(*words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 4 and len(done.stderr.splitlines()) == 1
    assert "cannot write the output: No space left on device" in done.stderr


def test_a_process_without_streams(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["derive", "x"]) == 0
    with pytest.raises(SystemExit):
        main(["derive", "x ^"])


# the start --------------------------------------------------------------------------------------------------------


def test_help_loads_nothing_that_it_does_not_need():
    code = """
import sys
from jacobi.cli import main
for words in (["--help"], ["check", "--help"], ["--version"]):
    try:
        main(words)
    except SystemExit:
        pass
heavy = {"scipy", "matplotlib", "jacobi.verification", "jacobi.derivation", "jacobi.pictures", "jacobi.compilation"}
sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
