"""The page on the architecture names every room of the house, on its floor, and no other."""

import re
from pathlib import Path

from test_house import FLOORS, TOP

import jacobi as jb

PACKAGE = Path(jb.__file__).parent
PAGE = PACKAGE.parent / "docs" / "explanation" / "architecture.md"
ROOMS = {p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.name[0] != "_" and p.suffix in ("", ".py")}


def test_the_page_names_every_room_on_its_floor():
    rows = re.findall(r"^\| (\d) \| `(\w+)` \| ", PAGE.read_text(), re.M)
    assert {room: int(floor) for floor, room in rows} == {room: FLOORS.get(room, TOP) for room in ROOMS}
    assert rows == sorted(rows, key=lambda row: int(row[0]))


def test_the_files_to_read_first_are_there():
    named = re.findall(r"`(\w+/\w+\.py)`", PAGE.read_text())
    assert len(named) > 3
    for name in named:
        assert (PACKAGE / name).is_file() or (PACKAGE.parent / name).is_file(), name
