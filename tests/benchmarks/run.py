"""Benchmarks: jacobi traced and compiled, against the function, closed forms by hand and other systems, in one run.

``python tests/benchmarks/run.py`` prints the tables; ``--write`` puts them into ``docs/benchmarks.md`` and the curves
beside it, ``--quick`` leaves the largest sizes out, ``--without-peers`` the other systems, and ``--only TEXT`` all
workloads without this text in their names.  Every result is compared with the closed form before anything is timed.
"""

import argparse
import os
import platform
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import curves
import measuring
import numpy as np
import tables
from peers import Peers
from workload import nbytes
from workloads import workloads

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
PICTURES = PAGE.with_suffix("")
MARK = "<!-- figures: written by tests/benchmarks/run.py -->"
SLACK = 2**17  # bytes of small things that the limit of memory does not count


def agree(workload, name, found, expected, tolerance=1e-9):
    """Raise an error unless two results have the same numbers."""
    pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for one, other in pairs:
        one, other = workload.numbers(one), workload.numbers(other)
        scale = np.abs(other).max(initial=0)
        what = f"{workload.name}, {workload.size}: {name}"
        np.testing.assert_allclose(one, other, tolerance, tolerance * scale, err_msg=what)


def measured(workload, peers):
    """The figures of a workload: seconds, bytes, and what is known of other systems."""
    traced = workload.transform(workload.plain)
    arguments = workload.arguments
    compiled, set_up = measuring.set_up(traced, arguments)
    new = tuple(a * 1.01 if k == 0 else a for k, a in enumerate(arguments))
    ours = {"f": workload.plain, "traced": traced, "compiled": compiled}
    if workload.by_hand is not None:
        ours["by hand"] = workload.by_hand
        agree(workload, "compiled", compiled(*new), workload.by_hand(*new))
    agree(workload, "compiled and traced", compiled(*new), traced(*new))
    expected = traced(*arguments)
    entered, failed = peers.enter(workload, lambda name, found, t: agree(workload, name, found, expected, t))
    contestants = [(function, new) for function in ours.values()]
    contestants += [(entry.contestant.call, entry.contestant.place(*new)) for entry in entered.values()]
    times = dict(zip([*ours, *entered], measuring.seconds(contestants), strict=True))
    memory, result = measuring.peak(compiled, new)
    limit = measuring.bytes_of(result) + nbytes(new) + 3 * measuring.largest_intermediate(workload.plain, new)
    return tables.Figures(
        workload,
        times,
        set_up,
        memory / (limit + SLACK),
        {name: entry.set_up for name, entry in entered.items()},
        {name: entry.contestant.form for name, entry in entered.items()},
        failed,
    )


def import_times():
    """Milliseconds that importing NumPy takes, and jacobi on top of it."""
    code = (
        "import time; a = time.perf_counter(); import numpy; b = time.perf_counter(); import jacobi;"
        "print(b - a, time.perf_counter() - b)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = partial(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    runs = [[float(t) for t in run().stdout.split()] for _ in range(7)]
    return min(run[0] for run in runs) * 1e3, min(run[1] for run in runs) * 1e3


def cores():
    """How many cores the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def versions(systems):
    """The other systems that took part."""
    modules = sorted({module for system in systems.values() for module in system.modules} - {"scipy"})
    return ", ".join(f"{module} {version(module)}" for module in ["scipy", *modules])


def page(options):
    """All tables, and the figures that they are made of."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    kernels = os.environ.get("OPENBLAS_CORETYPE", "as NumPy chooses")
    peers = Peers({} if options.without_peers else None)
    found = []
    for workload in workloads(largest=not options.quick):
        if options.only in f"{workload.name}, {workload.size}":
            found.append(measured(workload, peers))
            print(tables.main(found[-1:])[-1], flush=True)
    numpy_time, ours = import_times()
    pictures = curves.drawn(found, PICTURES) if options.write and find_spec("matplotlib") else []
    told = {name for name, system in peers.systems.items() if system.told}
    untold = [name for name in peers.systems if name not in told]
    lines = [
        f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()} {platform.machine()}, "
        f"{cores()} cores; BLAS on {threads} of them, with kernels {kernels}; "
        f"the load of the machine was {load:.1f} at the start.",
        "", *tables.main(found),
        "", "### Above the target", "", *tables.misses(found, untold),
    ]  # fmt: skip
    if peers.systems:
        lines += ["", "### Other systems", "", f"With {versions(peers.systems)}.", ""]
        lines += ["Not told the structure:", "", *tables.ratios(found, untold)]
        if told:
            lines += ["", "Told something of it:", "", *tables.ratios(found, sorted(told))]
        lines += ["", "#### Where another system is faster", "", *tables.faster(found, list(peers.systems))]
        lines += ["", "#### Set-up", "", *tables.set_ups(found, list(peers.systems))]
        lines += ["", "#### Left out and failed", "", *tables.failures(found)]
    lines += ["", "### Growth", "", "The time of the compiled derivative grows like the size to this power.", ""]
    lines += [*tables.slopes(found), "", *pictures] if pictures else tables.slopes(found)
    lines += [
        "", "### Import", "",
        f"`import jacobi` takes {ours:.0f} ms on top of {numpy_time:.0f} ms for `import numpy` "
        "(target: at most 40 ms).",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put tables and curves into docs")
    parser.add_argument("--quick", action="store_true", help="leave the largest sizes out")
    parser.add_argument("--without-peers", action="store_true", help="leave other systems out")
    parser.add_argument("--only", metavar="TEXT", default="", help="only workloads with this text in their names")
    options = parser.parse_args()
    figures = page(options)
    print(figures)
    if options.write:
        head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        PAGE.write_text(f"{head}{MARK}\n\n{figures}\n", encoding="utf-8")
