"""Other systems, on the same functions: what is not installed is left out.

A system has one way or several to do a workload; each gives a `Contestant`.  The fastest way counts.
"""

import time
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from peers import (
    autograd_reverse,
    casadi_functions,
    differences,
    jax_compiled,
    jax_sparse,
    sympy_source,
    torch_func,
)
from peers.contestant import Contestant, Way, entries

PATIENCE = 20.0  # seconds that a set-up may be expected to take
START = 1.0  # seconds of a set-up that are not expected to grow with the size


class System(NamedTuple):
    """A system: the modules it needs, the ways it knows, and how close its results have to be.

    ``told`` says what it is told of the structure, if anything.
    """

    modules: tuple[str, ...]
    ways: tuple[Way, ...]
    tolerance: float = 1e-8
    told: str = ""


APART = "that entries, or samples, do not meet"
SYSTEMS = {
    "SciPy differences": System(("scipy",), differences.SCIPY, 1e-3),
    "numdifftools": System(("numdifftools",), differences.NUMDIFFTOOLS, 1e-6),
    "autograd": System(("autograd",), autograd_reverse.WAYS),
    "SymPy": System(("sympy",), sympy_source.WAYS),
    "CasADi": System(("casadi",), casadi_functions.WAYS),
    "CasADi, C code": System(("casadi",), casadi_functions.IN_C),
    "PyTorch": System(("torch",), torch_func.WAYS),
    "JAX": System(("jax",), jax_compiled.WAYS),
    "JAX + asdex": System(("jax", "asdex"), jax_sparse.ASDEX),
    "JAX + sparsejac": System(("jax", "sparsejac"), jax_sparse.SPARSEJAC, told="the pattern"),
    "JAX, vmap": System(("jax",), jax_compiled.MAPPED, told=APART),
    "PyTorch, vmap": System(("torch",), torch_func.MAPPED, told=APART),
}


class Entry(NamedTuple):
    """A system that takes part: its contestant and the seconds that its set-up took."""

    contestant: Contestant
    set_up: float


class Peers:
    """The systems that are installed, and what is known of their set-up."""

    def __init__(self, systems=None):
        systems = SYSTEMS if systems is None else systems
        self.systems = {name: system for name, system in systems.items() if all(map(find_spec, system.modules))}
        self.before: dict[tuple[Way, str], tuple[float, int]] = {}  # seconds of a set-up, and its size
        self.chosen: dict[tuple[str, str], Way] = {}
        for system in self.systems.values():
            for module in system.modules:
                import_module(module)  # what that takes is not counted

    def enter(self, workload, agree):
        """The systems that can do a workload, and a line on each one that failed.

        Parameters
        ----------
        workload : Workload
            What to do.
        agree : callable
            ``agree(name, result, tolerance)`` raises an error where a result is wrong.
        """
        entered: dict[str, Entry] = {}
        failed: dict[str, str] = {}
        for name, system in self.systems.items():
            best = np.inf
            for way in self.ways(name, workload):
                try:
                    entry, passed = self.entry(way, workload, lambda r, n=name, s=system: agree(n, r, s.tolerance))
                except Exception as error:  # whatever it is, the run goes on
                    failed[name] = one_line(error)
                    continue
                if passed < best:
                    entered[name], best = entry, passed
                    self.chosen[name, workload.name] = way
        return entered, {name: line for name, line in failed.items() if name not in entered}

    def ways(self, name, workload):
        """The ways to try: all that can, unless trying them took long at a smaller size."""
        ways = [way for way in self.systems[name].ways if way.can(workload)]
        best = self.chosen.get((name, workload.name))
        slow = any(self.before.get((way, workload.name), (0, 0))[0] > START for way in ways)
        return [best] if slow and best in ways else ways

    def entry(self, way, workload, agree):
        """One way: set up, compared, and called once more for the time of a call."""
        size = np.size(workload.arguments[0]) if workload.form in ("csr", "diagonal", "blocks") else entries(workload)
        passed, smaller = self.before.get((way, workload.name), (0.0, size))
        if (expected := (passed - START) * size / smaller) > PATIENCE:
            raise TimeoutError(f"left out: the set-up would take about {expected:.0f} s")
        begin = time.perf_counter()
        contestant = way.prepare(workload)
        arguments = contestant.place(*workload.arguments)
        result = contestant.call(*arguments)
        set_up = time.perf_counter() - begin
        self.before[way, workload.name] = set_up, size
        agree(contestant.numbers(result))
        begin = time.perf_counter()
        contestant.call(*arguments)
        return Entry(contestant, set_up), time.perf_counter() - begin


def one_line(error):
    """What went wrong, on one short line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    if lines[0].startswith("left out"):
        return lines[0]
    differences = [line for line in lines if line.startswith("Max absolute difference")]
    if isinstance(error, AssertionError) and differences:
        return f"failed: other numbers than ours. {differences[0]}"
    return f"failed: {type(error).__name__}: {lines[0]}"[:160]
