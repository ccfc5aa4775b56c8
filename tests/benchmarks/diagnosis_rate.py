"""How often the slip in a wrong derivative is named: planted slips, three ways, with fresh data and sizes.

``python tests/benchmarks/diagnosis_rate.py`` prints the rates; ``--seeds 5`` takes more data, ``--way file`` one way,
``--missed`` lists what was not named first, ``--write`` puts the table into the documentation.  The ways:

* ``array``: the right matrix, changed by a matrix operation, as numbers;
* ``file``: the formula with a change in its text, as a function with source;
* ``exec``: the same function without source, so that only numbers and the traced function can tell.

A slip counts as named first if the first candidate has its identifier, or that of a slip that gives the same numbers:
one without free constants that is proved with fresh data of the same sizes as well.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from diagnosis_problems import Problem, Slip, problems

import jacobi as jb

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "how_the_verdict_is_reached.md"
MARK = "<!-- figures: written by tests/benchmarks/diagnosis_rate.py -->"
WAYS = ("array", "file", "exec")
# Slips with constants of their own, which fit much: they are no other name for a slip without them.
FREE = {
    *("scaled", "scaled_slightly", "noise", "row_factor", "column_factor", "rank_one_missing", "coefficient"),
    *("wrong_entry", "wrong_row", "wrong_rows", "wrong_column", "wrong_columns", "missing_entries", "wrong_point"),
}


class Result(NamedTuple):
    """What was said of a planted slip."""

    way: str
    problem: str
    slip: str
    detail: str
    candidates: list[str]
    exact: bool
    first: bool
    among: bool
    seconds: float


# Matrix operations ------------------------------------------------------------------------------------------------

Plant = Callable[[Any, "Pose"], Any]


class Pose(NamedTuple):
    """A problem with data: what an operation on its right matrix may ask for."""

    problem: Problem
    f: Callable[..., Any]
    args: tuple[Any, ...]
    argnum: int
    out_shape: tuple[int, ...]
    in_shape: tuple[int, ...]
    rng: np.random.Generator

    def right(self, args: tuple[Any, ...] | None = None) -> Any:
        """The right matrix, (m, n)."""
        value = self.problem.code(self.problem.derivative, "right")(*(args or self.args))
        m, n = int(np.prod(self.out_shape)), int(np.prod(self.in_shape))
        return np.asarray(value, float).reshape(m, n)


def lines(J: Any, p: Pose, axis: int, count: int) -> Any:
    """Some rows, or columns, at random."""
    if J.shape[axis] < 2 * count + 1 or J.shape[1 - axis] < 2:
        return None
    return p.rng.choice(J.shape[axis], count, replace=False)


def changed(axis: int, count: int) -> Plant:
    def plant(J: Any, p: Pose) -> Any:
        chosen = lines(J, p, axis, count)
        if chosen is None:
            return None
        claim = J.copy()
        index = chosen if axis == 0 else (slice(None), chosen)
        claim[index] = claim[index] * p.rng.uniform(1.5, 3.0, claim[index].shape) + 0.1 * np.abs(J).max()
        return claim

    return plant


def factors(axis: int) -> Plant:
    def plant(J: Any, p: Pose) -> Any:
        d = p.rng.uniform(0.3, 3.0, J.shape[axis])
        full = np.count_nonzero(J, axis=1 - axis).min(initial=2) > 1
        return J * (d[:, None] if axis == 0 else d) if full and min(J.shape) > 2 else None

    return plant


def swapped(axis: int) -> Plant:
    def plant(J: Any, p: Pose) -> Any:
        if J.shape[axis] < 3 or J.shape[1 - axis] < 2:
            return None
        a, b = p.rng.choice(J.shape[axis], 2, replace=False)
        order = np.arange(J.shape[axis])
        order[[a, b]] = b, a
        return np.take(J, order, axis)

    return plant


def squared(change: Callable[[Any], Any]) -> Plant:
    """A change of the gradient by a square matrix."""

    def plant(J: Any, p: Pose) -> Any:
        if len(J) != 1 or len(p.in_shape) != 2 or p.in_shape[0] != p.in_shape[1]:
            return None
        return change(J.reshape(p.in_shape)).reshape(1, -1)

    return plant


def size(p: Pose) -> int:
    """A size of the problem."""
    known = [n for argument in p.args for n in np.shape(argument) if n > 2]
    return int(p.rng.choice(known)) if known else 0


def noisy(J: Any, p: Pose) -> Any:
    return J * (1 + 1e-6 * p.rng.standard_normal(J.shape)) if np.count_nonzero(J) > 2 else None


def one_entry(J: Any, p: Pose) -> Any:
    if J.size < 3:
        return None
    claim = J.copy()
    places = np.argwhere(J)
    claim[tuple(places[p.rng.integers(len(places))])] *= p.rng.uniform(1.3, 3.0)
    return claim


def vec_order(J: Any, p: Pose) -> Any:
    if min(len(p.out_shape), len(p.in_shape)) == 2 and min(*p.out_shape, *p.in_shape) > 1:
        order = [np.arange(np.prod(s)).reshape(s).ravel(order="F") for s in (p.out_shape, p.in_shape)]
        return J[np.ix_(*order)]
    if len(p.in_shape) == 2 and min(p.in_shape) > 1:
        return J[:, np.arange(J.shape[1]).reshape(p.in_shape).ravel(order="F")]
    return None


def masked(inverted: bool) -> Plant:
    """Rows that are zero in the right matrix: filled, or exchanged with the others."""

    def plant(J: Any, p: Pose) -> Any:
        on = J.any(axis=1)
        if on.all() or on.sum() < 2 or (~on).sum() < 2 or p.problem.name != "rectified layer":
            return None
        W = p.args[0]
        return np.where(on[:, None], 0.0, W) if inverted else W.copy()

    return plant


def band_shifted(J: Any, p: Pose) -> Any:
    if p.problem.name not in ("second difference", "Burgers") or len(J) < 3:
        return None
    band = np.diag(J, 2)
    return J - np.eye(*J.shape, 2) * J + np.pad(np.diag(band[:-1]), ((0, 1), (3, 0)))


def rank_one(J: Any, p: Pose) -> Any:
    return (
        J + np.abs(J).max() * np.outer(p.rng.normal(size=len(J)), p.rng.normal(size=J.shape[1]))
        if min(J.shape) > 2
        else None
    )


def elsewhere(J: Any, p: Pose) -> Any:
    """The derivative at ``-x`` or at ``2 x``."""
    if any(word in " ".join(p.problem.shapes[p.problem.by]) for word in ("+", "det", "spd")):
        return None
    factor = p.rng.choice([-1.0, 2.0])
    args = (*p.args[: p.argnum], factor * p.args[p.argnum], *p.args[p.argnum + 1 :])
    return p.right(args)


def without_entries(J: Any, p: Pose) -> Any:
    """A band, or the blocks of unequal indices, left out."""
    if len(J) < 3 or J.shape[1] < 4 or p.problem.name not in ("second difference", "Burgers"):
        return None
    return np.where(np.eye(*J.shape, 2, dtype=bool), 0.0, J)


def kronecker(J: Any, p: Pose) -> Any:
    if p.problem.name != "product of three matrices":
        return None
    return np.kron(p.args[2].T, p.args[1])


def square(J: Any) -> bool:
    return len(J) == J.shape[1] > 2


OPERATIONS: dict[str, Plant] = {
    "transposed": lambda J, p: J.T if min(J.shape) > 1 else None,
    "column_for_row": lambda J, p: J.T if len(J) == 1 < J.shape[1] else None,
    "flattened": lambda J, p: J.ravel() if min(J.shape) > 1 else None,
    "diagonal_as_vector": lambda J, p: np.diag(J) if square(J) and np.array_equal(J, np.diag(np.diag(J))) else None,
    "off_diagonal_dropped": lambda J, p: np.diag(np.diag(J)) if square(J) else None,
    "summed_over_outputs": lambda J, p: J.sum(axis=0) if len(J) > 2 else None,
    "sign_flip": lambda J, p: -J,
    "factor_two_missing": lambda J, p: 0.5 * J,
    "factor_two_extra": lambda J, p: 2 * J,
    "one_over_n_missing": lambda J, p: size(p) * J if size(p) else None,
    "one_over_n_extra": lambda J, p: J / size(p) if size(p) else None,
    "scaled": lambda J, p: p.rng.uniform(1.2, 1.8) * J if J.size > 2 else None,
    "scaled_slightly": lambda J, p: 1.001 * J if J.size > 2 else None,
    "noise": noisy,
    "rolled": lambda J, p: np.roll(J, 1, axis=p.rng.integers(2)) if min(J.shape) > 2 else None,
    "wrong_entry": one_entry,
    "wrong_row": changed(0, 1),
    "wrong_rows": changed(0, 2),
    "wrong_column": changed(1, 1),
    "wrong_columns": changed(1, 2),
    "swapped_rows": swapped(0),
    "swapped_columns": swapped(1),
    "vec_order": vec_order,
    "symmetric_convention": squared(lambda G: G + G.T - np.diag(np.diag(G))),
    "symmetrised": squared(lambda G: (G + G.T) / 2),
    "triangle_only": squared(np.tril),
    "zero": lambda J, p: 0 * J,
    "kron_order": kronecker,
    "row_factor": factors(0),
    "column_factor": factors(1),
    "mask_missing": masked(inverted=False),
    "mask_inverted": masked(inverted=True),
    "band_shifted": band_shifted,
    "rank_one_missing": rank_one,
    "missing_entries": without_entries,
    "wrong_point": elsewhere,
}


# Planting ---------------------------------------------------------------------------------------------------------


def posed(problem: Problem, sizes: dict[str, int], seed: int, data: int = 0) -> Pose:
    """A problem with random data; other data leave the random choices of an operation as they are."""
    rng = np.random.default_rng(seed)
    args = problem.arguments(sizes, np.random.default_rng([seed, data]))
    f = problem.code(problem.function, "f")
    argnum = list(problem.shapes).index(problem.by)
    return Pose(problem, f, args, argnum, np.shape(f(*args)), np.shape(args[argnum]), rng)


def sizes_of(problem: Problem, rng: np.random.Generator, equal: bool) -> dict[str, int]:
    """The sizes of a problem: all different, or all equal."""
    letters = [*problem.letters(), "n"]
    numbers = rng.permutation([3, 4, 5, 6, 7]) if not equal else [int(rng.integers(3, 6))] * 5
    return {letter: int(number) for letter, number in zip(dict.fromkeys(letters), numbers, strict=False)}


def claims(problem: Problem, way: str, slip: Slip | None, name: str) -> Callable[[Pose], Any]:
    """How the wrong claim is made from data."""
    if slip is None:

        def operated(p: Pose) -> Any:
            right = p.right()
            claim = OPERATIONS[name](right, p) if right.any() else None
            if claim is None or problem.layout == "numerator" or claim.shape != (1, int(np.prod(p.in_shape))):
                return claim
            return claim.reshape(p.in_shape)

        return operated
    return lambda p: problem.code(problem.slipped(slip), "claim", with_source=way == "file")


def judged(p: Pose, claim: Any) -> Any:
    """The report on a claim."""
    return jb.check(p.f, claim, *p.args, argnum=p.argnum, layout=p.problem.layout)


def measured(problem: Problem, way: str, slip: Slip | None, name: str, seed: int, equal: bool) -> Iterator[Result]:
    """What is said of a planted slip; nothing where it is none at this point, or makes no array."""
    rng = np.random.default_rng([seed, equal])
    make, sizes = claims(problem, way, slip, name), sizes_of(problem, rng, equal)
    p = posed(problem, sizes, seed)
    claim = make(p)
    if claim is None:
        return
    start = perf_counter()
    report = judged(p, claim)
    seconds = perf_counter() - start
    if report.verdict in ("correct", "undecidable") or "raised" in report.explanation:
        return
    if slip and report.claimed is not None and not report.claimed.any():
        return  # nothing but zeros, which no longer tell why
    found = [candidate.identifier for candidate in report.candidates]
    exact = found[:1] == [name]
    alias: set[str] = set()
    if found and not exact:
        again = posed(problem, sizes, seed, data=1)
        repeated = make(again)
        if repeated is not None:
            alias = {c.identifier for c in judged(again, repeated).candidates} & set(found) - FREE
    first = exact or bool(found and found[0] in alias)
    among = name in found or bool(alias)
    detail = f"{slip.old} -> {slip.new}" if slip else ("square" if equal else "")
    yield Result(way, problem.name, name, detail, found, exact, first, among, seconds)


def results(ways: tuple[str, ...], seeds: range, file: str = "diagnosis_problems.txt") -> Iterator[Result]:
    """Everything that is measured."""
    for problem in problems(file):
        for seed in seeds:
            for way in ways:
                planted: list[tuple[Slip | None, str]] = [(slip, slip.identifier) for slip in problem.slips]
                if way == "array":
                    planted = [(None, name) for name in OPERATIONS]
                for slip, name in planted:
                    for equal in (False, True):
                        yield from measured(problem, way, slip, name, seed, equal)


# The table --------------------------------------------------------------------------------------------------------


def table(found: list[Result]) -> Iterator[str]:
    """The rates, by way and by identifier."""
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in found:
        groups[f"all, {result.way}"].append(result)
    for result in sorted(found, key=lambda result: result.slip):
        groups[f"`{result.slip}`"].append(result)
    yield "| slip | planted | named first | of these by that very name | among the candidates |"
    yield "| --- | --- | --- | --- | --- |"
    for name, group in groups.items():
        rates = [f"{sum(getattr(r, kind) for r in group) / len(group):.0%}" for kind in ("first", "exact", "among")]
        yield f"| {name} | {len(group)} | {' | '.join(rates)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--kept-back", action="store_true", help="the problems that nothing was adjusted to")
    parser.add_argument("--missed", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    file = "diagnosis_problems_kept_back.txt" if options.kept_back else "diagnosis_problems.txt"
    found = list(results(tuple(options.way or WAYS), seeds, file))
    if options.missed:
        missed = Counter((r.way, r.problem, r.slip, r.detail, *r.candidates) for r in found if not r.first)
        for words, times in sorted(missed.items()):
            print(times, *words[:3], f"[{words[3]}]", "said:", *words[4:])
    lines = list(table(found))
    seconds = sorted(result.seconds for result in found)
    lines += ["", f"Time of a check: median {seconds[len(seconds) // 2]:.2f} s, largest {seconds[-1]:.2f} s."]
    print("\n".join(lines))
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        before, _, rest = text.partition(MARK)
        after = rest.partition(MARK)[2]
        PAGE.write_text(f"{before}{MARK}\n{chr(10).join(lines)}\n{MARK}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
