"""The tables and lists of the page on benchmarks, from the figures of a run."""

from typing import Any, NamedTuple

import numpy as np
from workload import Workload


class Figures(NamedTuple):
    """What was found for a workload.

    Attributes
    ----------
    workload : Workload
        What was done.
    times : dict
        Seconds of a call: ``f``, ``traced``, ``compiled``, ``by hand`` and other systems.
    set_up : float
        Seconds that compiling took.
    memory : float
        The peak of memory as a part of its limit.
    set_ups, forms, failed : dict
        Of other systems: seconds of the set-up, the form of the result, a line on what went wrong.
    """

    workload: Workload
    times: dict[str, float]
    set_up: float
    memory: float
    set_ups: dict[str, float]
    forms: dict[str, str]
    failed: dict[str, str]

    @property
    def name(self) -> str:
        """The workload and its size."""
        return f"{self.workload.name}, {self.workload.size}"

    def ratio(self, other: str) -> Any:
        """How many times the compiled derivative's time another one takes."""
        return self.times.get(other, np.nan) / self.times["compiled"]


def unit(t):
    """A time with a unit."""
    return f"{t:.3g} s" if t >= 1 else f"{t * 1e3:.3g} ms" if t >= 1e-3 else f"{t * 1e6:.3g} µs"


def headed(titles, rows, left=2):
    """A table whose first columns are text."""
    marks = ["---"] * left + ["---:"] * (len(titles) - left)
    return ["| " + " | ".join(cells) + " |" for cells in (titles, marks, *rows)]


def main(found):
    """The main table."""
    rows = []
    for figures in found:
        workload, times = figures.workload, figures.times
        hand = unit(times["by hand"]) if "by hand" in times else ""
        ratio = f"{1 / figures.ratio('by hand'):.2f}" if hand else ""
        target = f"<= {workload.compiled_target:g}" if hand else ""
        own = [unit(times["f"]), unit(times["traced"]), unit(figures.set_up), unit(times["compiled"])]
        rows.append([workload.name, workload.size, *own, hand, ratio, target, f"{figures.memory:.2f}"])
    titles = ["workload", "size", "f", "traced", "set-up", "compiled", "by hand", "compiled / by hand", "target"]
    return headed([*titles, "memory / limit"], rows)


def ratios(found, names):
    """How many times longer other systems take than the compiled derivative."""
    names = [name for name in names if any(name in figures.times for figures in found)]
    rows = []
    for figures in found:
        cells = [cell(figures, name) for name in names]
        if any(cells):
            rows.append([figures.workload.name, figures.workload.size, figures.workload.form, *cells])
    return headed(["workload", "size", "form", *names], rows, 3)


def cell(figures, name):
    """A ratio, bold where the other system is faster, with the form of its result where that is another one."""
    if name in figures.failed:
        return "failed" if figures.failed[name].startswith("failed") else "left out"
    if name not in figures.times:
        return ""
    ratio = figures.ratio(name)
    text = f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"
    text = f"**{text}**" if ratio < 1 else text
    return text if figures.forms[name] == figures.workload.form else f"{text} {figures.forms[name]}"


def set_ups(found, names):
    """How long systems take before their first result is there."""
    names = [name for name in names if any(name in figures.set_ups for figures in found)]
    rows = [
        [figures.workload.name, figures.workload.size, unit(figures.set_up)]
        + [unit(figures.set_ups[name]) if name in figures.set_ups else "" for name in names]
        for figures in found
        if figures.set_ups
    ]
    return headed(["workload", "size", "jacobi", *names], rows)


def faster(found, names):
    """The workloads where another system takes less time than the compiled derivative."""
    lines = []
    for figures in found:
        ahead = sorted((figures.ratio(name), name) for name in names if figures.ratio(name) < 1)
        if ahead:
            lines.append(f"- {figures.name}: {', '.join(f'{name} {ratio:.2f}' for ratio, name in ahead)}.")
    return lines or ["Nowhere."]


def failures(found):
    """What did not take part, and why."""
    lines = [f"- {figures.name}: {name}: {line}" for figures in found for name, line in figures.failed.items()]
    return lines or ["Nothing."]


def misses(found, untold):
    """The figures that lie above their targets."""
    lines = []
    for figures in found:
        workload, times = figures.workload, figures.times
        by_hand, by_f = 1 / figures.ratio("by hand"), times["traced"] / times["f"]
        if by_hand > workload.compiled_target:
            lines.append(
                f"- {figures.name}: compiled takes {by_hand:.2f} times the closed form ({workload.compiled_target:g})."
            )
        if workload.traced_target and by_f > workload.traced_target:
            lines.append(f"- {figures.name}: traced takes {by_f:.1f} times f ({workload.traced_target:g}).")
        if figures.memory > 1:
            lines.append(f"- {figures.name}: the peak of memory is {figures.memory:.2f} of its limit.")
        for name in untold if workload.lead else []:
            if figures.ratio(name) < 1:
                lines.append(f"- {figures.name}: {name} takes {figures.ratio(name):.2f} of the compiled time (1).")
    return lines or ["All targets are met."]


def slopes(found):
    """By which power of the size the time grows, for workloads of several sizes, at the upper end."""
    by_name: dict[str, list[Figures]] = {}
    for figures in found:
        by_name.setdefault(figures.workload.name, []).append(figures)
    rows = []
    for name, family in by_name.items():
        small, large = family[-2:] if len(family) > 2 else (family[0], family[0])
        growth = np.size(large.workload.arguments[0]) / np.size(small.workload.arguments[0])
        if growth > 4:
            slope = np.log(large.times["compiled"] / small.times["compiled"]) / np.log(growth)
            rows.append([name, f"{small.workload.size} to {large.workload.size}", f"{slope:.2f}"])
    return headed(["workload", "sizes", "slope"], rows)
