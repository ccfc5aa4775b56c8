"""The examination of an installation, for `jacobi doctor`: whether it is sound, and who owns its import name."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

import jacobi

OURS = "jacobi-calculus"
EXTRAS = {"matplotlib": "plot", "pytest": "test", "hypothesis": "test"}  # and the extras that install them


class Finding(NamedTuple):
    """One line of the examination.

    Attributes
    ----------
    sound : bool
        Whether all is well.
    what : str
        What was looked at.
    text : str
        What was found, and what to do about it.
    """

    sound: bool
    what: str
    text: str

    def __str__(self) -> str:
        return f"{'  ' if self.sound else '! '}{self.what:<14} {self.text}"


def examine() -> list[Finding]:
    """Look at versions, the import name, optional packages, and let every job do a small piece of work.

    Examples
    --------
    >>> findings = examine()
    >>> [finding.what for finding in findings][:2]
    ['jacobi', 'Python']
    """
    return [*versions(), import_name(packages_distributions()), *extras(), *self_test()]


def versions() -> Iterator[Finding]:
    """What is running, and from where."""
    import scipy

    yield Finding(True, "jacobi", f"{jacobi.__version__}, loaded from {Path(jacobi.__file__).parent}")
    yield Finding(True, "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding(True, "NumPy, SciPy", f"{np.__version__}, {scipy.__version__}")


def import_name(owners: Mapping[str, Sequence[str]]) -> Finding:
    """Whether two distributions install a package called jacobi: then one has overwritten files of the other.

    Parameters
    ----------
    owners : mapping
        The distributions by the packages that they install, as ``importlib.metadata`` tells them.

    Examples
    --------
    >>> import_name({"jacobi": ["jacobi-calculus"]}).sound
    True
    >>> print(import_name({"jacobi": ["jacobi", "jacobi-calculus"]}).text)
    jacobi, jacobi-calculus install the same package: pip uninstall jacobi, then pip install --force-reinstall \
jacobi-calculus
    """
    found = sorted(set(owners.get("jacobi", ())))
    others = [name for name in found if name != OURS]
    if others:
        cure = f"pip uninstall {' '.join(others)}, then pip install --force-reinstall {OURS}"
        return Finding(False, "import name", f"{', '.join(found)} install the same package: {cure}")
    return Finding(True, "import name", f"jacobi belongs to {OURS}" if found else "jacobi is used without installation")


def extras() -> Iterator[Finding]:
    """Packages that some functions can use; none is needed."""
    for name, extra in EXTRAS.items():
        try:
            text = version(name)
        except PackageNotFoundError:
            text = f'not installed; pip install "{OURS}[{extra}]" brings it'
        yield Finding(True, name, text)


def computes() -> bool:
    """A Jacobian with its structure."""
    J = jacobi.jacobian(lambda x: np.tanh(x) * x)(np.linspace(-1, 1, 1000))
    return bool(J.structure == "diagonal" and np.isclose(J.diagonal()[-1], np.tanh(1) + 1 - np.tanh(1) ** 2))


def verifies() -> bool:
    """A right derivative, and a slip."""
    x = np.array([0.5, 1.0, 2.0])
    right = jacobi.check(lambda x: x**2, lambda x: np.diag(2 * x), x)
    slip = jacobi.check(lambda x: x**2, lambda x: np.diag(x), x)
    return bool(right) and slip.diagnosis == "factor_two_missing"


def derives() -> bool:
    """A formula, evaluated."""
    d = jacobi.derive("sum((X @ w)**2)", wrt="w", shapes={"X": ("N", "n"), "w": ("n",)})
    X, w = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]]), np.array([1.0, -2.0])
    return bool(np.allclose(np.asarray(d(X=X, w=w)), 2 * (X @ w) @ X))


JOBS: dict[str, Callable[[], bool]] = {"compute": computes, "verify": verifies, "derive": derives}


def self_test(jobs: Mapping[str, Callable[[], bool]] = JOBS) -> Iterator[Finding]:
    """Whether each job gives the right result on a small example."""
    for name, job in jobs.items():
        began = perf_counter()
        try:
            sound, text = job(), "right"
        except Exception as problem:  # of an installation that is broken in whatever way
            sound, text = False, f"{type(problem).__name__}: {problem}"
        yield Finding(sound, name, f"{text if sound or text != 'right' else 'wrong'}, {perf_counter() - began:.2f} s")
