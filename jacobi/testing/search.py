"""`check_jacobian`: a derivative is checked at points that hypothesis draws; the simplest failing one becomes code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobi.testing.assertion import assert_jacobian
from jacobi.testing.strategies import hypothesis

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def check_jacobian(
    f: Any,
    claim: Any,
    given: SearchStrategy[Any] | Sequence[SearchStrategy[Any]],
    *,
    examples: int = 50,
    seed: int = 0,
    undecidable: str = "pass",
    **options: Any,
) -> None:
    """Raise an error with the simplest point at which a claimed derivative is not right.

    Parameters
    ----------
    f, claim : callable
        The function and its derivative, which takes the same arguments.
    given : strategy, or a sequence of strategies
        One for each argument, of hypothesis or of `jacobi.testing.strategies`.
    examples : int
        How many points are tried.
    seed : int
        The seed of the search, and of the checks.
    undecidable : {"pass", "fail"}
        What becomes of points where the claim cannot be decided: hypothesis likes the places where kinks are.
    **options
        Whatever `jacobi.check` takes.

    Raises
    ------
    AssertionError
        If the claim is not right at a point.  The text holds the point as code and the report.

    Examples
    --------
    >>> import numpy as np
    >>> from jacobi.testing import strategies
    >>> check_jacobian(lambda x: x**2, lambda x: np.diag(2 * x), strategies.box((2,)))
    >>> check_jacobian(lambda x: x**2, lambda x: np.diag(np.abs(2 * x)), strategies.box((2,)))
    Traceback (most recent call last):
        ...
    AssertionError: the simplest point at which it fails:
    x = np.array([..., ...])
    ...
    """
    __tracebackhide__ = True
    hypothesis()
    from random import Random

    from hypothesis import find, settings, strategies
    from hypothesis.errors import NoSuchExample

    alone = [given] if hasattr(given, "example") else list(given)
    first: list[str] = []

    def failure(arguments: Sequence[Any]) -> AssertionError | None:
        """The failure at a point; None where the check passes, or fails otherwise than at the first failing point."""
        try:
            assert_jacobian(f, claim, *arguments, undecidable=undecidable, rng=seed, **options)
        except AssertionError as error:
            verdict = error.report.verdict  # type: ignore[attr-defined]
            first.append(verdict)
            return error if verdict == first[0] else None
        return None

    limits = settings(max_examples=examples, deadline=None, database=None)
    try:
        simplest = find(
            strategies.tuples(*alone), lambda point: failure(point) is not None, settings=limits, random=Random(seed)
        )
    except NoSuchExample:
        return
    point = "\n".join(f"{name} = {as_code(value)}" for name, value in zip(names(len(simplest)), simplest, strict=True))
    raise AssertionError(f"the simplest point at which it fails:\n{point}\n{failure(simplest)}") from None


def names(count: int) -> list[str]:
    """Names for the arguments: ``x``, or ``x0``, ``x1`` and so on."""
    return ["x"] if count == 1 else [f"x{k}" for k in range(count)]


def as_code(value: Any) -> str:
    """A value as Python that makes it again.

    >>> import numpy as np
    >>> as_code(np.array([[1.0, np.inf]]))
    'np.array([[1.0, np.inf]])'
    """
    if isinstance(value, np.ndarray):
        kind = "" if value.dtype in (np.float64, np.int64) and value.size else f", dtype={value.dtype.name!r}"
        inside = re.sub(r"\b(nan|inf)\b", r"np.\1", repr(value.tolist()))
        shape = f".reshape{value.shape}" if value.ndim > 1 and not value.size else ""
        return f"np.array({inside}{kind}){shape}"
    return repr(value.item() if isinstance(value, np.generic) else value)
