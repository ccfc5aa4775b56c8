"""``check_chain``: a chain of hand-written local Jacobians, in which the first wrong factor is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobi.errors import InputError, at_users_line
from jacobi.finite_difference import fresh
from jacobi.verification.check import check
from jacobi.verification.report import Report
from jacobi.verification.watched import name_of

Link = tuple[Callable[..., Any], Any]


@dataclass(frozen=True)
class ChainReport:
    """The verdicts on the factors of a chain and on their product; true if all are correct.

    Attributes
    ----------
    factors : tuple of Report
        The report on every local Jacobian, in the order in which the functions are applied.
    product : Report or None
        The report on the product; None if a factor is wrong, because the product is then wrong as well.
    first_wrong : int or None
        The position of the first factor that is not correct.
    """

    factors: tuple[Report, ...]
    product: Report | None
    first_wrong: int | None

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    @property
    def verdict(self) -> str:
        """The verdict on the whole chain: that of the first factor that is not correct."""
        if self.first_wrong is not None:
            return self.factors[self.first_wrong].verdict
        return "correct" if self.product is None else self.product.verdict

    @property
    def explanation(self) -> str:
        """Which factor is the first wrong one, and what is wrong with it."""
        if self.first_wrong is None:
            return "" if self.product is None else self.product.explanation
        report = self.factors[self.first_wrong]
        return f"factor {self.first_wrong + 1} ({report.function}): {report.explanation}"

    def __str__(self) -> str:
        lines = [f"{k}. {report.function}: {report.verdict}" for k, report in enumerate(self.factors, 1)]
        if self.product is not None:
            lines.append(f"product: {self.product.verdict}")
        return "\n".join([f"{self.verdict} {self.explanation}".rstrip(), *lines])


def check_chain(links: Sequence[Link], x: Any, **options: Any) -> ChainReport:
    """Check hand-written local Jacobians one by one, each at the value that reaches it, and their product.

    Parameters
    ----------
    links : sequence of pairs
        Functions of one argument in the order in which they are applied, each with its local Jacobian: an array, or a
        function of the same argument.
    x : array
        Where the first function starts.
    **options
        Those of `check`, for every factor.

    Returns
    -------
    ChainReport
        True if all factors are correct; names the first that is not.

    Raises
    ------
    InputError
        If ``links`` is no sequence of pairs.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    >>> links = [(lambda x: A @ x, A), (np.tanh, lambda z: np.diag(1 - np.tanh(z))), (np.sum, np.ones(3))]
    >>> report = check_chain(links, np.array([0.1, 0.2]))
    >>> report.verdict, report.first_wrong
    ('wrong', 1)
    """
    pairs = isinstance(links, (tuple, list)) and all(
        isinstance(link, (tuple, list)) and len(link) == 2 for link in links
    )
    if not links or not pairs or not all(callable(link[0]) for link in links):
        raise InputError(
            at_users_line(
                "a chain is a list of pairs",
                "Write check_chain([(f1, df1), (f2, df2)], x); f1 is applied first.",
            )
        )
    reports: list[Report] = []
    values = [x]
    for function, claim in links:
        report = check(function, claim, values[-1], **options)
        reports.append(report)
        if report.verdict == "invalid":
            break
        with np.errstate(all="ignore"):
            values.append(np.asarray(function(fresh(values[-1])), float)[()])
    first = next((k for k, report in enumerate(reports) if report.verdict != "correct"), None)
    product = None if first is not None else check_product(links, reports, x, **options)
    return ChainReport(tuple(reports), product, first)


def check_product(links: Sequence[Link], reports: Sequence[Report], x: Any, **options: Any) -> Report | None:
    """The report on the product of factors that are all correct."""
    product = None
    for report in reports:
        if report.claimed is None:
            return None
        product = report.claimed if product is None else report.claimed @ product

    def composed(value: Any) -> Any:
        for function, _ in links:
            value = function(value)
        return value

    names = [name_of(function, f"f{k}") for k, (function, _) in enumerate(links, 1)]
    composed.__name__ = " of ".join(reversed(names))
    kept = {name: value for name, value in options.items() if name in ("rtol", "budget", "rng")}
    return check(composed, product, x, **kept)
