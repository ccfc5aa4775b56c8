"""Benchmarks: jacobi traced and compiled, against the function, closed forms by hand and other systems, in one run.

``python tests/benchmarks/run.py`` prints the tables; ``--write`` puts them into ``docs/benchmarks.md`` as well, and
``--quick`` leaves the largest sizes out.  Every result is compared with the closed form before anything is timed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import platform
import subprocess
import sys
from pathlib import Path

import measuring
import numpy as np
from peers import ADAPTERS, peers
from workloads import nbytes, workloads

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
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


def measured(workload):
    """The figures of a workload."""
    traced = workload.transform(workload.plain)
    arguments = workload.arguments
    compiled, set_up = measuring.set_up(traced, arguments)
    new = tuple(a * 1.01 if k == 0 else a for k, a in enumerate(arguments))
    contestants = {"f": workload.plain, "traced": traced, "compiled": compiled}
    if workload.by_hand is not None:
        contestants["by hand"] = workload.by_hand
        agree(workload, "compiled", compiled(*new), workload.by_hand(*new))
    agree(workload, "compiled and traced", compiled(*new), traced(*new))
    for name, derivative, tolerance in peers(workload):
        agree(workload, name, derivative(*arguments), traced(*arguments), tolerance)
        contestants[name] = derivative
    times = dict(zip(contestants, measuring.seconds(list(contestants.values()), new), strict=True))
    memory, result = measuring.peak(compiled, new)
    limit = measuring.bytes_of(result) + nbytes(new) + 3 * measuring.largest_intermediate(workload.plain, new)
    return {"set-up": set_up, "memory": memory, "limit": limit + SLACK, **times}


def table(results):
    """The main table."""
    lines = [
        "| workload | size | f | traced | set-up | compiled | by hand | compiled / by hand | target | memory / limit |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for workload, found in results:
        hand = found.get("by hand", np.nan)
        ratio = f"{found['compiled'] / hand:.2f}" if hand == hand else ""
        lines.append(
            f"| {workload.name} | {workload.size} | {unit(found['f'])} | {unit(found['traced'])} "
            f"| {unit(found['set-up'])} | {unit(found['compiled'])} | {unit(hand) if hand == hand else ''} | {ratio} "
            f"| {f'<= {workload.compiled_target:g}' if ratio else ''} | {found['memory'] / found['limit']:.2f} |"
        )
    return lines


def table_of_peers(results):
    """How many times longer other systems take than the compiled Jacobian."""
    names = [name for name in ADAPTERS if any(name in found for _, found in results)]
    lines = [f"| workload | size | {' | '.join(names)} |", f"| --- | --- | {' | '.join('---:' for _ in names)} |"]
    for workload, found in results:
        if any(name in found for name in names):
            cells = [f"{found[name] / found['compiled']:,.1f}" if name in found else "" for name in names]
            lines.append(f"| {workload.name} | {workload.size} | {' | '.join(cells)} |")
    return lines


def slopes(results):
    """By which power of the size the time grows, for workloads of several sizes, at the upper end."""
    lines = ["| workload | sizes | slope |", "| --- | --- | ---: |"]
    by_name = {}
    for workload, found in results:
        by_name.setdefault(workload.name, []).append((np.size(workload.arguments[0]), workload.size, found["compiled"]))
    for name, rows in by_name.items():
        (small, first, before), (large, last, after) = rows[-2:] if len(rows) > 2 else (rows[0], rows[0])
        if large > 10 * small or (large > 4 * small and "csr" in name):
            slope = np.log(after / before) / np.log(large / small)
            lines.append(f"| {name} | {first} to {last} | {slope:.2f} |")
    return lines


def import_times():
    """Milliseconds that importing NumPy takes, and jacobi on top of it."""
    code = (
        "import time; a = time.perf_counter(); import numpy; b = time.perf_counter(); import jacobi;"
        "print(b - a, time.perf_counter() - b)"
    )
    runs = [
        [float(t) for t in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()]
        for _ in range(7)
    ]
    return min(run[0] for run in runs) * 1e3, min(run[1] for run in runs) * 1e3


def unit(t):
    """A time with a unit."""
    return f"{t * 1e3:.3g} ms" if t >= 1e-3 else f"{t * 1e6:.3g} µs"


def misses(results):
    """The figures that lie above their targets."""
    lines = []
    for workload, found in results:
        name = f"{workload.name}, {workload.size}"
        if "by hand" in found and found["compiled"] > workload.compiled_target * found["by hand"]:
            ratio = found["compiled"] / found["by hand"]
            lines.append(f"- {name}: compiled takes {ratio:.2f} times the closed form ({workload.compiled_target:g}).")
        if workload.traced_target and found["traced"] > workload.traced_target * found["f"]:
            ratio = found["traced"] / found["f"]
            lines.append(f"- {name}: traced takes {ratio:.1f} times f ({workload.traced_target:g}).")
        if found["memory"] > found["limit"]:
            lines.append(f"- {name}: the peak of memory is {found['memory'] / found['limit']:.2f} of its limit.")
    return lines or ["All targets are met."]


def page(quick):
    """All tables."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    results = []
    for workload in workloads(largest=not quick):
        results.append((workload, measured(workload)))
        print(table(results[-1:])[-1], flush=True)
    numpy_time, ours = import_times()
    return "\n".join([
        f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, BLAS on one thread; the load of the machine was {load:.1f} at the start.",
        "", *table(results),
        "", "### Above the target", "", *misses(results),
        "", "### Other systems", "", "How many times longer they take than the compiled derivative; those that are not "
        "installed are left out, and so are results of more than four million entries.", "", *table_of_peers(results),
        "", "### Growth", "", "The time of the compiled derivative grows like the size to this power.", "",
        *slopes(results),
        "", "### Import", "",
        f"`import jacobi` takes {ours:.0f} ms on top of {numpy_time:.0f} ms for `import numpy` "
        "(target: at most 40 ms).",
    ])  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="leave the largest sizes out")
    options = parser.parse_args()
    figures = page(options.quick)
    print(figures)
    if options.write:
        head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        PAGE.write_text(f"{head}{MARK}\n\n{figures}\n", encoding="utf-8")
