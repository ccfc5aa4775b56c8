"""The program that starts processes runs as a user runs it: they import its functions."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_spread_the_work():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    program = [sys.executable, str(ROOT / "examples" / "spread_the_work.py")]
    ran = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120, check=True)
    differences, check, chunks = ran.stdout.splitlines()
    assert differences.endswith("equal to the last bit: True")
    assert "4 points: correct" in check
    assert chunks.endswith("1000 samples from 4 chunks: (1000, 2, 3)")
    assert [text.split(",")[0] for text in ran.stderr.splitlines()] == [f"{k} of 4 points" for k in range(1, 5)]
