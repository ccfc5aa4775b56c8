"""`assert_jacobian`: a derivative written by hand is right, or the test fails with the report of what is wrong."""

from __future__ import annotations

from typing import Any

from jacobi.errors import InputError
from jacobi.verification.check import check
from jacobi.verification.report import Report

UNDECIDABLE = ("fail", "pass")


def assert_jacobian(f: Any, claim: Any, *args: Any, undecidable: str = "fail", **options: Any) -> Report:
    """Raise an error unless a claimed derivative is right.

    Parameters
    ----------
    f : callable
        The function, written in plain NumPy.
    claim : callable, array, sparse matrix or Jacobian
        Its derivative, or a function that takes the same arguments and returns it.
    *args
        The point: the arguments of ``f``.
    undecidable : {"fail", "pass"}
        What becomes of a claim that cannot be decided, at a kink for instance.
    **options
        Whatever `jacobi.check` takes: ``argnum``, ``layout``, ``rtol``, ``budget``, ``rng``, ``points``.

    Returns
    -------
    Report
        The report of `jacobi.check`.

    Raises
    ------
    AssertionError
        If the claim is not right.  Its text is the report, which it also holds as ``error.report``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0])
    >>> report = assert_jacobian(lambda x: x**2, lambda x: np.diag(2 * x), x)
    >>> assert_jacobian(lambda x: x**2, lambda x: np.diag(x), x)
    Traceback (most recent call last):
        ...
    AssertionError: wrong: ...
    """
    __tracebackhide__ = True
    if undecidable not in UNDECIDABLE:
        raise InputError(f'undecidable={undecidable!r} is not known. Write "fail" or "pass"')
    report = check(f, claim, *args, **options)
    if report or (report.verdict == "undecidable" and undecidable == "pass"):
        return report
    failure = AssertionError(str(report))
    failure.report = report  # type: ignore[attr-defined]
    raise failure
