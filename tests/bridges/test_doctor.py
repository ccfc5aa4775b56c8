"""`jacobi doctor` and `jacobi explain` at the command line: what a sound installation, and a broken one, look like."""

import sys

import numpy as np
import pytest

from jacobi.bridges import doctor
from jacobi.cli import main


def test_a_sound_installation(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert np.__version__ in lines[2]
    assert not [line for line in lines if line.startswith("!")]
    assert sum(" right, " in line for line in lines) == 3


def test_two_owners_of_the_name(monkeypatch, capsys):
    owners = {"jacobi": ["jacobi", "jacobi-calculus"], "numpy": ["numpy"]}
    monkeypatch.setattr(doctor, "packages_distributions", lambda: owners)
    assert main(["doctor"]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("!")]
    assert "pip uninstall jacobi," in line and "--force-reinstall jacobi-calculus" in line


def test_two_installed_distributions_are_seen(tmp_path, monkeypatch):
    for name in ("jacobi", "jacobi_calculus"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        (folder / "RECORD").write_text("jacobi/__init__.py,,\n")
        (folder / "top_level.txt").write_text("jacobi\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    finding = doctor.import_name(doctor.packages_distributions())
    assert not finding.sound and "jacobi, jacobi-calculus" in finding.text


def test_a_job_that_fails_is_named():
    def broken():
        raise ImportError("cannot import name 'check'")

    wrong, raising = doctor.self_test({"compute": lambda: False, "verify": broken})
    assert not wrong.sound and wrong.text.startswith("wrong")
    assert not raising.sound and "ImportError: cannot import name 'check'" in str(raising)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        "import math\nimport numpy as np\n\n"
        "def loss(w, X):\n    return np.sum(np.maximum(0, X @ w))\n\n"
        "def opaque(x):\n    return math.sin(x)\n"
    )
    return path


def test_explain(model, capsys):
    assert main(["explain", f"{model}:loss", "--at", "w=[1, 2]", "--shape", "X=3,2"]) == 0
    text = capsys.readouterr().out
    table, _, _ = text.partition("\n\n")
    assert [line.split()[1] for line in table.splitlines()[1:]] == ["numpy.matmul", "numpy.maximum", "numpy.sum"]
    assert "model.py:5" in text
    assert main(["explain", f"{model}:loss", "--at", "w=[1, 2]", "--shape", "X=3,2", "--wrt", "X"]) == 0
    assert "x1: kronecker (3, 6)" in capsys.readouterr().out


def test_explain_says_why_not(model, capsys):
    assert main(["explain", f"{model}:opaque", "--at", "0.5"]) == 1
    assert "math.sin" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        main(["explain", f"{model}:missing", "--at", "0.5"])
    assert usage.value.code == 4
