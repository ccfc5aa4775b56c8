"""The coverage table is the one that the library would write, and every refusal has a reason."""

from pathlib import Path

import pytest

from jacobi.coverage import entries, versions

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"


def test_the_table_is_not_stale():
    page = PAGE.read_text()
    if versions() not in page:
        pytest.skip(f"the table is of other versions than {versions()}")
    written = set(page.splitlines())
    missing = [str(line) for lines in entries().values() for line in lines if str(line) not in written]
    assert missing == [], "run python -m jacobi.coverage docs/coverage.md"


def test_every_refusal_has_a_reason():
    for lines in entries().values():
        for line in lines:
            assert line.status in {"rule", "zero", "composed", "plain", "refused"}
            assert line.status != "refused" or len(line.note) > 20, line
            assert "planned" not in line.note
