"""The report of a check: the verdict on a derivative with everything that it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jacobi.verification import drawing, golden, rendering
from jacobi.verification.slips import Candidate

VERDICTS = ("correct", "wrong", "undecidable", "invalid")


class Entry(NamedTuple):
    """One entry of the Jacobian, as the check saw it.

    Attributes
    ----------
    output, input : tuple of int
        The index in the output and in the argument, in their own shapes.
    claimed : float
        What was claimed.
    reference : float
        The established derivative.
    error : float
        A bound on the error of ``reference``; inf at a kink, NaN where there is no value.
    verdict : {"correct", "wrong", "undecidable"}
        The verdict on this entry.
    left, right : float
        The one-sided slopes where they differ, else NaN.
    """

    output: tuple[int, ...]
    input: tuple[int, ...]
    claimed: float
    reference: float
    error: float
    verdict: str
    left: float = np.nan
    right: float = np.nan


@dataclass(eq=False)  # equality of arrays has no truth value
class Report:
    """The verdict on a claimed derivative; true only if the verdict is ``"correct"``.

    ``print(report)`` says what was found; a notebook shows the same with a picture of the entries.

    Attributes
    ----------
    verdict : {"correct", "wrong", "undecidable", "invalid"}
        What was found.  One wrong entry makes the whole claim wrong.
    reason : str
        Why the claim is undecidable (``kink``, ``jump``, ``diverging slope``, ``precision``, ``noise``, ``no value``,
        ``witnesses disagree``) or invalid; else empty.
    diagnosis : str or None
        The slip that a wrong claim looks like, an identifier of `jacobi.verification.slips.SLIPS`.
    explanation : str
        One or two sentences for a person, with the evidence and the repair.
    candidates : tuple of Candidate
        All slips that fit, best first.
    max_error : float
        The largest ``|claimed - reference|`` of all decided entries.
    tolerance : float
        How large that difference may be at the same entry.
    resolution : float
        The smallest error, relative to the size of its entry, that would have been seen everywhere.
    worst : tuple of Entry
        At most five entries, the worst first.
    reference : array or None
        The established derivative, ``(y.size, x.size)`` in numerator layout; None where only directions were tried.
    claimed : array or None
        The claim in the same layout.
    error : array or None
        A bound on the error of every entry of ``reference``.
    verdicts : array of str or None
        The verdict on every entry, of the same shape.
    method : str
        ``"every entry"`` or ``"random directions"``, and the witnesses.
    missed : str
        What the method could have missed.
    notes : tuple of str
        What else was noticed: changed arguments, noise, kinks, float32, a degenerate point.
    calls, claim_calls : int
        How often the function and the claim were called.
    seed : int
        The seed of all random choices.
    out_shape, in_shape : tuple of int
        The shapes of the output and of the argument.
    layout : str
        The layout of the claim.
    function, claim : str
        The names of what was compared.
    points : tuple of Report
        The reports at the other points that were tried.
    replay : str
        A line of code that repeats the check.
    """

    verdict: str
    reason: str = ""
    diagnosis: str | None = None
    explanation: str = ""
    candidates: tuple[Candidate, ...] = ()
    max_error: float = np.nan
    tolerance: float = np.nan
    resolution: float = np.nan
    worst: tuple[Entry, ...] = ()
    reference: NDArray[Any] | None = None
    claimed: NDArray[Any] | None = None
    error: NDArray[Any] | None = None
    verdicts: NDArray[Any] | None = None
    method: str = ""
    missed: str = ""
    notes: tuple[str, ...] = ()
    calls: int = 0
    claim_calls: int = 0
    seed: int = 0
    out_shape: tuple[int, ...] = ()
    in_shape: tuple[int, ...] = ()
    layout: str = "numerator"
    function: str = ""
    claim: str = ""
    points: tuple[Report, ...] = field(default=(), repr=False)
    replay: str = ""

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    def __str__(self) -> str:
        return rendering.text(self)

    def __repr__(self) -> str:
        cause = self.diagnosis or self.reason
        return f"<Report: {self.verdict}{f' ({cause})' if cause else ''}>"

    @property
    def entries(self) -> NDArray[Any]:
        """Every entry that the report knows of, as a structured array.

        The fields are ``row`` and ``column`` (in the Jacobian), ``output`` and ``input`` (the index in their own
        shapes), ``claimed``, ``reference``, ``error``, ``verdict``, and the one-sided slopes ``left`` and ``right``,
        which are NaN where there is one slope or where they were not kept.

        Examples
        --------
        >>> import numpy as np
        >>> entry = Entry((1,), (0, 2), claimed=1.0, reference=2.0, error=0.0, verdict="wrong")
        >>> report = Report("wrong", worst=(entry,), out_shape=(2,), in_shape=(2, 3))
        >>> report.entries["reference"], report.entries["column"]
        (array([2.]), array([2]))
        """
        shapes = self.out_shape, self.in_shape
        slopes = {(entry.output, entry.input): entry for entry in self.worst}
        if self.reference is None or self.claimed is None:
            known = list(self.worst)
        else:
            verdicts = np.full(self.reference.shape, "") if self.verdicts is None else self.verdicts
            errors = np.full(self.reference.shape, np.nan) if self.error is None else self.error
            places = [list(np.ndindex(shape)) for shape in shapes]
            columns = (self.claimed.flat, self.reference.flat, errors.flat, verdicts.flat)
            indices = ((output, input) for output in places[0] for input in places[1])
            known = [Entry(*index, *numbers) for index, *numbers in zip(indices, *columns, strict=True)]
        numbers = ["claimed", "reference", "error", "left", "right"]
        table = np.empty(
            len(known),
            [
                ("row", np.intp),
                ("column", np.intp),
                ("output", np.intp, (len(self.out_shape),)),
                ("input", np.intp, (len(self.in_shape),)),
                *((name, np.float64) for name in numbers),
                ("verdict", "U11"),
            ],
        )
        for row, entry in zip(table, known, strict=True):
            seen = slopes.get((entry.output, entry.input), entry)
            row["row"], row["column"] = (
                np.ravel_multi_index(index, shape) if shape else 0
                for index, shape in zip((entry.output, entry.input), shapes, strict=True)
            )
            row["output"], row["input"], row["verdict"] = entry.output, entry.input, entry.verdict
            for name in numbers:
                row[name] = getattr(seen if name in ("left", "right") else entry, name)
        return table

    def as_dict(self, limit: int | None = 10_000) -> dict[str, Any]:
        """All fields as plain Python, ready for JSON.

        Infinite numbers and NaN become strings.

        Parameters
        ----------
        limit : int or None
            An array with more entries is replaced by its shape; None keeps all.

        Examples
        --------
        >>> Report("wrong", diagnosis="sign_flip", max_error=2.0).as_dict()["max_error"]
        2.0
        """
        return {item.name: rendering.plain(getattr(self, item.name), limit) for item in fields(self)}

    def to_markdown(self) -> str:
        """The report as Markdown.

        Examples
        --------
        >>> print(Report("correct", function="f", claim="df").to_markdown())
        **correct**: `df` as the derivative of `f`, 1 x 1, numerator layout
        """
        return rendering.markdown(self)

    def to_html(self) -> str:
        """The report as a page of its own, with a picture of the claimed entries against the established ones.

        Examples
        --------
        >>> page = Report("correct", function="<f>").to_html()
        >>> "&lt;f&gt;" in page and "<f>" not in page
        True
        """
        return rendering.page(self)

    def _repr_html_(self) -> str:
        return rendering.fragment(self)

    def _repr_markdown_(self) -> str:
        return rendering.markdown(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the claimed entries against the established ones with matplotlib.

        Wrong entries are red, the redder the larger the relative error; entries at kinks are hatched.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            If matplotlib is missing: it comes with ``pip install jacobi-calculus[plot]``.
        InputError
            If the report holds no entries, because only random directions were tried.
        """
        return drawing.plot(self, ax)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the derivative and the claim to a golden file, with all their digits.

        Parameters
        ----------
        path : str or path
            A JSON file; `compare` reads it.

        Raises
        ------
        InputError
            If the report holds no entries, because the check was invalid or only random directions were tried.
        """
        golden.save(self, path)

    def compare(self, path: str | PathLike[str]) -> golden.Comparison:
        """Whether a derivation still holds: the same verdict, derivative and claim as in a golden file.

        Parameters
        ----------
        path : str or path
            What `save` wrote when the derivation was checked at the same point.

        Returns
        -------
        Comparison
            True if all is the same within the error bounds; its text says what differs.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> whole = {"reference": np.eye(2), "claimed": np.eye(2), "error": np.zeros((2, 2))}
        >>> shapes = {"out_shape": (2,), "in_shape": (2,)}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "identity.json")
        ...     Report("correct", **whole, **shapes).save(path)
        ...     bool(Report("correct", **whole, **shapes).compare(path))
        ...     print(Report("wrong", **{**whole, "claimed": -np.eye(2)}, **shapes).compare(path))
        True
        it no longer holds: the verdict was correct and is wrong; 2 of 4 claimed entries have changed, the worst at \
        y[0], x[0] from 1.0 to -1.0
        """
        return golden.compare(self, path)
