"""The program ``examples/notes.py`` runs, and its table is right."""

import runpy
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "examples" / "notes.py"


def test_the_table_of_the_example(capsys):
    runpy.run_path(str(PROGRAM), run_name="__main__")
    table, _, count = capsys.readouterr().out.strip().rpartition("\n")
    right, _, printed_wrong = table.partition("Printed wrong")
    assert " NO\n" not in right
    assert " yes\n" not in printed_wrong
    assert count == (
        f"{right.count(' yes')} of {right.count(' yes')} formulas agree; "
        f"of {printed_wrong.count(' NO')} that are printed wrong, 0 agree."
    )
