"""Renderings of a report: as text, as Markdown, as HTML, and as plain Python for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, isfinite, isnan, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from jacobi.verification.drawing import STYLE, heat_map, picture
from jacobi.verification.slips import SLIPS

if TYPE_CHECKING:
    from jacobi.verification.report import Entry, Report

SHOWN = 5  # entries in the table


# What there is to say, once for all formats -----------------------------------------------------------------------


def subject(report: Report) -> tuple[str, str, str]:
    """Who is compared with whom, and how large it is: the names of the claim and the function, and the shape."""
    claim, function = report.claim or "the claim", report.function or "the function"
    if report.verdict == "invalid":
        return claim, function, ""
    return claim, function, f", {prod(report.out_shape)} x {prod(report.in_shape)}, {report.layout} layout"


def verdict(report: Report) -> str:
    """The verdict with its reason."""
    return f"{report.verdict} ({report.reason})" if report.reason else report.verdict


def explanation(report: Report) -> str:
    """The sentence for a person; the general one of the slip where there is none for the case.

    A correct claim needs none: the line with the resolution says how far it was tested.
    """
    return "" if report.verdict == "correct" else one_line(report.explanation or SLIPS.get(report.diagnosis or "", ""))


def table(report: Report) -> list[list[str]]:
    """The worst entries, under a line of titles; empty for a correct claim, whose differences are rounding."""
    if report.verdict == "correct" or not report.worst:
        return []
    worst = report.worst[:SHOWN]
    titles = ["output", "input", "claimed", "reference", "ratio"]
    rows = [cells(entry) for entry in worst]
    if any(not isnan(entry.left) or not isnan(entry.right) for entry in worst):
        titles.append("slopes left, right")
        for row, entry in zip(rows, worst, strict=True):
            known = not (isnan(entry.left) and isnan(entry.right))
            row.append(f"{entry.left:.6g}, {entry.right:.6g}" if known else "")
    return [titles, *rows]


def cells(entry: Entry) -> list[str]:
    """One line of the table, without the slopes."""
    claimed, reference = apart(entry.claimed, entry.reference)
    kink = not (isnan(entry.left) and isnan(entry.right))
    if isnan(entry.reference):
        reference = "kink" if kink else "no value"
    elif not isfinite(entry.error):
        reference += " (kink)" if kink else " (unknown)"
    elif entry.error > 0:
        reference += f" ± {rounded_up(entry.error)}"
    known = isfinite(entry.claimed) and isfinite(entry.reference) and entry.reference != 0
    ratio = apart(entry.claimed / entry.reference, 1.0)[0] if known else "-"
    return [index("y", entry.output), index("x", entry.input), claimed, reference, ratio]


def remarks(report: Report) -> Iterator[tuple[str, str]]:
    """The lines below the table: a label and a sentence each."""
    others = [candidate for candidate in report.candidates if candidate.identifier != report.diagnosis]
    for candidate in others:
        yield "also fits", f"{candidate.identifier}: {one_line(candidate.sentence)}"
    told = report.max_error > report.tolerance or not isfinite(report.tolerance)  # at a kink it is none
    if report.verdict == "wrong" and isfinite(report.max_error) and told:
        allowed = f", where {rounded_up(report.tolerance)} would pass" if isfinite(report.tolerance) else ""
        yield "largest error", f"{report.max_error:.6g}{allowed}"
    for note in report.notes:
        yield "note", one_line(note)
    if report.points:
        found = [point.verdict for point in report.points]
        counts = ", ".join(f"{found.count(name)} {name}" for name in dict.fromkeys(found))
        yield "other points", counts
    if report.missed:
        yield "could be missed", one_line(report.missed)
    if isfinite(report.resolution):
        yield "resolution", f"a relative error above {rounded_up(report.resolution)} would have been seen"
    calls = f"{count(report.calls)} of the function, {count(report.claim_calls)} of the claim"
    if report.calls or report.claim_calls:
        yield "cost", f"{f'{report.method}; ' if report.method else ''}{calls}; seed {report.seed}"
    if report.replay:
        yield "repeat with", one_line(report.replay)


# Words and numbers ------------------------------------------------------------------------------------------------


def count(calls: int) -> str:
    """A number of calls."""
    return f"{calls} call" if calls == 1 else f"{calls} calls"


def one_line(sentence: str) -> str:
    """A sentence without line breaks."""
    return " ".join(sentence.split())


def index(name: str, position: Sequence[int]) -> str:
    """An entry of an array as Python writes it: ``y[0, 2]``, or ``y`` for a scalar."""
    return f"{name}[{', '.join(map(str, position))}]" if len(position) else name


def place(name: str, shape: tuple[int, ...], position: int) -> str:
    """The same for a position in the flattened array."""
    return index(name, [int(k) for k in np.unravel_index(position, shape)]) if shape else name


def apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers with six digits, or with as many as show that they differ."""
    for digits in range(6, 18):
        words = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if words[0] != words[1] or first == second:
            break
    return words


def rounded_up(bound: float) -> str:
    """A bound rounded up to one digit."""
    if not isfinite(bound):
        return str(bound)
    mantissa, exponent = f"{bound:.12e}".split("e")
    return f"{float(f'{ceil(float(mantissa))}e{exponent}'):.1g}"


# The formats ------------------------------------------------------------------------------------------------------


def text(report: Report) -> str:
    """The report as text of fixed width."""
    claim, function, size = subject(report)
    lines = [f"{verdict(report)}: {claim} as the derivative of {function}{size}"]
    if why := explanation(report):
        lines.append(f"  {report.diagnosis}: {why}" if report.diagnosis else f"  {why}")
    rows = table(report)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        lines.append("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    lines += [f"  {label}: {sentence}" for label, sentence in remarks(report)]
    return "\n".join(lines)


def markdown(report: Report) -> str:
    """The report as Markdown; whatever comes from the user is escaped."""
    claim, function, size = subject(report)
    paragraphs = [f"**{marked(verdict(report))}**: {code(claim)} as the derivative of {code(function)}{size}"]
    if why := explanation(report):  # after a word of ours, because a paragraph could begin like a list or a title
        paragraphs.append(f"**{marked(report.diagnosis or 'why')}**: {marked(why)}")
    if rows := table(report):
        lines = [[marked(cell) for cell in row] for row in rows]
        lines.insert(1, ["---"] * len(rows[0]))
        paragraphs.append("\n".join(f"| {' | '.join(row)} |" for row in lines))
    if lists := [f"* {label}: {marked(sentence)}" for label, sentence in remarks(report)]:
        paragraphs.append("\n".join(lists))
    return "\n\n".join(paragraphs)


def code(name: str) -> str:
    """A name as a code span of Markdown; what is no name of Python is escaped instead."""
    return f"`{name}`" if re.fullmatch(r"[\w.]+", name) else marked(name)


def marked(sentence: str) -> str:
    """A sentence in which nothing is Markdown or HTML any more."""
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", escape(one_line(sentence), quote=False))


def fragment(report: Report) -> str:
    """The report as a piece of HTML that stands on light and on dark ground."""
    claim, function, size = subject(report)
    parts = [f'<div class="jacobi-report">{STYLE}']
    parts.append(
        f'<p><strong class="{escape(report.verdict)}">{escape(verdict(report))}</strong>: <code>{escape(claim)}</code> '
        f"as the derivative of <code>{escape(function)}</code>{escape(size)}</p>"
    )
    if why := explanation(report):
        slip = f"<strong>{escape(report.diagnosis)}</strong>: " if report.diagnosis else ""
        parts.append(f"<p>{slip}{escape(why)}</p>")
    heat = heat_map(report)
    if heat is not None:
        parts.append(picture(report, heat))
    if rows := table(report):
        head, *body = (("th" if k == 0 else "td", row) for k, row in enumerate(rows))
        lines = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in (head, *body))
        parts.append(f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>")
    listed = "".join(f"<li>{label}: {escape(sentence)}</li>" for label, sentence in remarks(report))
    parts.append(f"<ul>{listed}</ul></div>")
    return "".join(parts)


def page(report: Report) -> str:
    """The report as a page of HTML that needs no other file."""
    title = escape(f"{report.verdict}: {report.claim or 'a derivative'}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>body {{ margin: 2em; font-family: system-ui, sans-serif }}</style></head>"
        f"<body>{fragment(report)}</body></html>\n"
    )


def plain(value: Any, limit: int | None) -> Any:
    """A value as JSON knows it; arrays above the limit are replaced by their shape."""
    if hasattr(value, "as_dict"):
        return value.as_dict(limit)
    if isinstance(value, np.ndarray):
        if limit is not None and value.size > limit:
            return {"shape": list(value.shape), "omitted": value.size}
        return plain(value.tolist(), limit)
    if isinstance(value, np.generic):
        return plain(value.item(), limit)
    if hasattr(value, "_asdict"):
        return {name: plain(part, limit) for name, part in value._asdict().items()}
    if isinstance(value, (tuple, list)):
        return [plain(part, limit) for part in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
