"""mypy, in strict mode, knows of every public name what ``public_api.py`` says behind each line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import jacobi as jb

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("public_api.py")


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """What mypy says, by the number of the line."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--follow-imports=silent", str(FILE)]
    command += ["--python-version", f"{sys.version_info.major}.{sys.version_info.minor}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    found: dict[int, str] = {}
    for number, text in re.findall(r"public_api\.py:(\d+): (.*)", done.stdout):
        found.setdefault(int(number), text)
    return found


def test_every_line(messages):
    said = {}
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        call, _, comment = line.partition("  # ")
        if call.startswith("reveal_type(") or comment.startswith("error: "):
            said[number] = comment
    for number, comment in said.items():
        message = messages.get(number, "nothing")
        if comment.startswith("error: "):
            assert message.startswith("error: ") and message.endswith(f"[{comment.removeprefix('error: ')}]"), message
        else:
            revealed = re.search('Revealed type is "(.*)"', message)
            assert revealed and plain(revealed[1]) == comment, f"line {number}: {message}"
    assert set(messages) == set(said), {n: messages[n] for n in messages.keys() - said.keys()}


def plain(revealed: str) -> str:
    """A type as newer versions of mypy write it."""
    text = re.sub(r"\bbuiltins\.|\?|\*(?=[,\]]|$)", "", revealed)
    return re.sub(r"Union\[(.*), None\]", r"\1 | None", text).replace("args: ", "").replace("kwargs: ", "")


def test_no_public_name_is_of_any_type(tmp_path):
    pytest.importorskip("mypy")
    names = [*jb.__all__, "local.multiply", "functions.softmax", *(f"testing.{name}" for name in jb.testing.__all__)]
    file = tmp_path / "every_name.py"
    file.write_text("import jacobi as jb\n" + "".join(f"reveal_type(jb.{name})\n" for name in names))
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    revealed = dict(re.findall(r"every_name\.py:(\d+): note: Revealed type is \"(.*)\"", done.stdout))
    assert len(revealed) == len(names), done.stdout
    assert [name for name, text in zip(names, revealed.values(), strict=True) if plain(text) == "Any"] == []


def test_names_that_are_imported_later_are_known_to_type_checkers():
    source = Path(jb.__file__).read_text()
    block = source.partition("if TYPE_CHECKING:")[2].partition("\n\n")[0]
    known = {name.strip() for names in re.findall(r"import (.+)", block) for name in names.split(",")}
    assert known == set(jb.LATER)
