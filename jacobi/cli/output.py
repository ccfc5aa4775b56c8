"""What the command line prints: colours on terminals only, plain letters for streams that know no others.

Whoever reads the output may close it early, as ``| head -1`` does: the rest is dropped without a word.
"""

from __future__ import annotations

import codecs
import errno
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TextIO

from jacobi.cli.outcomes import UsageError

COLOURS = {"green": 32, "red": 31, "yellow": 33}
CLOSED = (errno.EPIPE, errno.EINVAL)  # of a pipe whose reader is gone; Windows reports the second
SPELLED = {
    "∂": "d", "∘": "o", "·": ".", "−": "-", "⁻": "-", "×": "x", "⊗": "(x)", "≠": "!=", "≤": "<=", "≥": ">=", "±": "+-",
    "∞": "inf", "…": "...", "‖": "||", "─": "-", "│": "|", "├": "|", "└": "`", "⌊": "floor(", "⌈": "ceil(", "⌋": ")",
    "⌉": ")", "λ": "lambda", "Λ": "Lambda",
}  # fmt: skip
RAISED = {"<super>": "^", "<sub>": "_"}  # by the mark that Unicode has for such letters


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text, in the letters that the stream knows; a reader that has gone away is no error."""
    stream = stream or sys.stdout
    if stream is None:  # a process without streams
        return
    try:
        print(encodable(text, stream), file=stream, flush=True)
    except OSError as error:
        discard(stream)
        if error.errno not in CLOSED and stream is sys.stdout:
            raise UsageError(f"cannot write the output: {error.strerror}") from error


def complain(command: str, message: str) -> None:
    """Say in one line on stderr what is wrong; lines that point into a source text are left out."""
    lines = (line.strip() for line in message.splitlines() if not line.startswith("    "))
    say(f"{coloured(f'{command}:', 'red', sys.stderr)} {' '.join(filter(None, lines))}", sys.stderr)


def written(file: str, text: str) -> None:
    """Write a file that the command line names."""
    try:
        Path(file).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {file}: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def flushed() -> Iterator[None]:
    """What was printed reaches its reader before the process ends, or is dropped if there is none any more."""
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except OSError:
                discard(stream)


def discard(stream: TextIO) -> None:
    """Let the stream lead nowhere, so that Python does not fail again when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a file
        pass


# Colours ----------------------------------------------------------------------------------------------------------


def coloured(text: str, colour: str, stream: TextIO | None = None) -> str:
    """The text in a colour, if the stream shows colours."""
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if shows_colours(stream or sys.stdout) else text


def shows_colours(stream: TextIO | None) -> bool:
    """Whether a stream shows colours: a terminal does, and ``NO_COLOR`` and ``FORCE_COLOR`` overrule that."""
    try:
        terminal = stream is not None and os.isatty(stream.fileno())
    except (OSError, ValueError):  # no stream of the process, but one that collects text
        return False
    if os.environ.get("NO_COLOR") or stream is None:
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    able = sys.platform != "win32" or "WT_SESSION" in os.environ  # older consoles of Windows print the codes
    return terminal and able and os.environ.get("TERM") != "dumb"


# Letters ----------------------------------------------------------------------------------------------------------


def encodable(text: str, stream: TextIO) -> str:
    """The text itself if the encoding of the stream has all its letters, else the text in plain ones."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return plain(text)
    return text


def is_unicode(stream: TextIO | None) -> bool:
    """Whether the encoding of a stream is UTF-8, as pictures and pages are."""
    return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name == "utf-8"


def plain(text: str) -> str:
    """The text in ASCII.

    Examples
    --------
    >>> plain("2 (Xw − y)ᵀ X, A⁻¹ with λ₁₂ ≠ 0")
    '2 (Xw - y)^T X, A^-1 with lambda_12 != 0'
    """
    return "".join(mark + "".join(map(spelled, run)) for mark, run in groupby(text, key=mark_of))


def mark_of(letter: str) -> str:
    """What is written before letters such as ᵀ and ₁ when they stand on the line."""
    return "" if letter.isascii() else RAISED.get(unicodedata.decomposition(letter).partition(" ")[0], "")


def spelled(letter: str) -> str:
    """A letter in ASCII."""
    if letter.isascii():
        return letter
    if letter in SPELLED:
        return SPELLED[letter]
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"] and len(words) == 4:
        return words[3].capitalize() if words[1] == "CAPITAL" else words[3].lower()
    simple = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return simple or letter.encode("ascii", "backslashreplace").decode()
