"""The coverage table is the one that the library would write, and every refusal has a reason."""

from pathlib import Path

from jacobi.coverage import entries

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"


def test_the_table_is_not_stale():
    written = set(PAGE.read_text().splitlines())
    missing = [str(line) for lines in entries().values() for line in lines if str(line) not in written]
    assert missing == [], "run python -m jacobi.coverage docs/coverage.md"


def test_every_refusal_has_a_reason():
    for lines in entries().values():
        for line in lines:
            assert line.status in {"rule", "zero", "composed", "plain", "refused"}
            assert line.status != "refused" or len(line.note) > 20, line
            assert "planned" not in line.note
