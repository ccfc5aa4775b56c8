"""Golden files: a checked derivative with all its digits, to see that it still holds after a change of the code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jacobi.errors import InputError
from jacobi.verification.rendering import place, plain

if TYPE_CHECKING:
    from jacobi.verification.report import Report

KEPT = ("function", "claim", "layout", "out_shape", "in_shape", "verdict", "seed")
NUMBERS = {"reference": "entries of the derivative", "claimed": "claimed entries"}
ROUNDING = 64 * np.finfo(np.float64).eps  # what another order of the same operations may change, relative to the row


@dataclass(frozen=True)
class Comparison:
    """What became of a derivation since its golden file was written; true if it still holds.

    Attributes
    ----------
    changes : tuple of str
        What differs, one part of a sentence each.
    """

    changes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.changes

    def __str__(self) -> str:
        return f"it no longer holds: {'; '.join(self.changes)}" if self.changes else "it still holds"


def save(report: Report, path: str | PathLike[str]) -> None:
    """Write what `compare` needs; floating numbers are written with all their digits."""
    if report.reference is None or report.claimed is None or report.error is None:
        raise InputError(
            f"there are no entries to save: the verdict is {report.verdict}"
            f"{f' ({report.reason})' if report.reason else ''}. Save the report of a check of every entry"
        )
    content = {name: plain(getattr(report, name), None) for name in (*KEPT, *NUMBERS, "error")}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, allow_nan=False)
        file.write("\n")


def compare(report: Report, path: str | PathLike[str]) -> Comparison:
    """Compare a report with a golden file, entry by entry."""
    with open(path, encoding="utf-8") as file:
        golden = json.load(file)
    changes = []
    if golden["verdict"] != report.verdict:
        changes.append(f"the verdict was {golden['verdict']} and is {report.verdict}")
    for name, what in (("out_shape", "the output"), ("in_shape", "the argument")):
        then, now = tuple(golden[name]), getattr(report, name)
        if then != now:
            changes.append(f"{what} had shape {then} and has shape {now}")
    if report.reference is None or report.claimed is None or report.error is None:
        changes.append("there are no entries to compare")
    elif tuple(golden["out_shape"] + golden["in_shape"]) == report.out_shape + report.in_shape:
        errors = numbers(golden["error"], report.error.shape) + report.error
        for name, what in NUMBERS.items():
            now = getattr(report, name)
            changes += difference(report, numbers(golden[name], now.shape), now, errors, what)
    return Comparison(tuple(changes))


def numbers(content: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """An array from a golden file, where NaN and infinite numbers are strings."""
    return np.asarray(content, dtype=np.float64).reshape(shape)


def difference(report: Report, then: Any, now: Any, errors: Any, what: str) -> list[str]:
    """What has changed in one matrix, as at most one part of a sentence.

    Where there was no value (at a kink) and is none, nothing has changed; a value against none is a change.
    """
    with np.errstate(invalid="ignore"):
        size = np.max(np.abs(np.where(np.isfinite(now), now, 0)), axis=1, keepdims=True, initial=0)
        bound = np.where(np.isfinite(errors), errors, 0) + ROUNDING * size
        gap = np.where(np.isnan(then) & np.isnan(now) | (then == now), 0, np.abs(now - then))
    gap = np.nan_to_num(gap, nan=np.inf)
    changed = gap > bound
    if not changed.any():
        return []
    i, j = np.unravel_index(int(np.argmax(np.where(changed, gap, -1))), gap.shape)
    where = f"{place('y', report.out_shape, int(i))}, {place('x', report.in_shape, int(j))}"
    return [
        f"{np.count_nonzero(changed)} of {gap.size} {what} have changed, "
        f"the worst at {where} from {then[i, j]} to {now[i, j]}"
    ]
