"""Work that is spread gives the same numbers, tells of its progress, says what is wrong, and can be interrupted."""

import io
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import jacobi as jb
from jacobi.errors import InputError, ShapeError
from jacobi.spreading import ALONE, Spread, line, silent

differences = import_module("jacobi.finite_difference.measure")
ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 12))
X = RNG.normal(size=12)
FIELDS = ("value", "error", "one_sided", "noise")


def dense(x):
    return np.tanh(A @ x)


def noisy(x):
    return (1e8 + np.tanh(A @ x)) - 1e8


def noisy_from_the_third(x):
    return x[0] + x[1] + (1e8 + np.tanh(A[:, 2:] @ x[2:])) - 1e8


def of_many_scales(x):
    return np.log(np.abs(x)).sum() + np.sin(x)


def with_kinks(x):
    return np.maximum(x, 0) + np.abs(x - 1)


def with_an_edge(x):
    if (x > 1.0).any():
        raise ValueError("outside")
    return np.sqrt(1.0 - x) ** 3


POINTS = {
    dense: X,
    noisy: X,
    noisy_from_the_third: X,
    of_many_scales: 10.0 ** RNG.uniform(-8, 8, size=12),
    with_kinks: np.concatenate([np.zeros(3), np.ones(2), X[:5]]),
    with_an_edge: np.append(np.ones(3), X[:5] - 4),
    np.sin: np.append(X[:6], [np.nan, np.inf, 1.0]),
    np.square: np.array(0.5),
    np.arctan: RNG.normal(size=200),
}


def eager(work, parts):
    return list(map(work, parts))


def backwards(work, parts):
    return [work(part) for part in reversed(parts)][::-1]


def pickled(work, parts):
    return [pickle.loads(pickle.dumps(work(*pickle.loads(pickle.dumps([part]))))) for part in parts]


@pytest.fixture
def threads():
    with ThreadPoolExecutor(3) as pool:
        yield pool.map


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool.map


# --------------------------------------------------------- the same numbers


@pytest.mark.parametrize("spread_by", (eager, backwards, pickled), ids=lambda f: f.__name__)
@pytest.mark.parametrize("function", POINTS, ids=lambda f: f.__name__)
def test_the_numbers_do_not_depend_on_who_does_the_work(function, spread_by):
    x = POINTS[function]
    alone = differences.measure(function, (x,))
    spread = differences.measure(function, (x,), spread=Spread(spread_by, silent))
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(alone, name), getattr(spread, name))
    assert (alone.calls, alone.sides) == (spread.calls, spread.sides)


def test_threads_and_processes(threads, processes):
    J, error = jb.finite_difference(noisy)(X)
    for spread_by in (threads, processes):
        spread_J, spread_error = jb.finite_difference(noisy, workers=spread_by)(X)
        np.testing.assert_array_equal(J, spread_J)
        np.testing.assert_array_equal(error, spread_error)


def test_nothing_is_done_twice_where_there_is_nothing_to_learn(threads):
    calls = []

    def counted(x):
        calls.append(1)
        return dense(x)

    found = differences.measure(counted, (X,), spread=Spread(threads, silent))
    assert len(calls) == found.calls


def test_columns_are_divided_within_rounds():
    for n in (1, 2, 3, 31, 64, 100, 263, 1000):
        columns = np.arange(n)
        start = 0
        while True:
            parts = list(differences.groups(columns, start))
            np.testing.assert_array_equal(np.concatenate([columns[:start], *parts]), columns)
            for part in parts:  # first and last lie between the same two powers of two
                assert part[0] == part[-1] == 0 or int(part[0]).bit_length() == int(part[-1]).bit_length()
                assert part.size <= differences.LARGEST
            start = max(2 * start, 1)
            if start >= n:
                break


@pytest.mark.parametrize("options", ({}, {"method": 1}, {"mask": np.arange(12) % 3 == 0}), ids=str)
def test_jacobi_is_spread_as_well(options, processes):
    alone, spread = {}, {}
    expected = jb.jacobi(noisy, X, diagnostic=alone, **options)
    found = jb.jacobi(noisy, X, diagnostic=spread, workers=processes, **options)
    np.testing.assert_array_equal(expected, found)
    assert alone == spread


# --------------------------------------------------------- checks


def right(x):
    return (1 - np.tanh(A @ x) ** 2)[:, None] * A


def twice(x):
    return 2 * right(x)


def transposed(x):
    return right(x).T


def steps_of_relu(x):
    return np.diag((x > 0) * 1.0 + np.sign(x - 1))


def slope_at_the_edge(x):
    return np.diag(-1.5 * np.sqrt(1.0 - x))


CHECKS = [
    (dense, right, {}),
    (dense, right, {"points": 3}),
    (dense, twice, {}),
    (dense, twice, {"points": 2}),
    (dense, transposed, {"points": [X + 1, X + 2]}),
    (noisy, right, {}),
    (with_kinks, steps_of_relu, {}),
    (with_kinks, steps_of_relu, {"points": 2}),
    (with_an_edge, slope_at_the_edge, {}),
    (with_an_edge, slope_at_the_edge, {"points": 2}),
    (dense, X, {}),
    (np.linalg.norm, right, {"points": 1}),
]


def everything(report):
    """All that a report says, with the reports at its points; how many more slips are found is a matter of time."""
    parts = {name: repr(value) for name, value in vars(report).items() if name not in ("points", "candidates")}
    return parts, [everything(other) for other in report.points or ()]


@pytest.mark.parametrize(("function", "claim", "options"), CHECKS, ids=range(len(CHECKS)))
def test_the_report_does_not_depend_on_who_does_the_work(function, claim, options, processes, threads):
    options = {"budget": 10_000, **options}
    expected = everything(jb.check(function, claim, POINTS.get(function, X), **options))
    for spread_by in (backwards, threads, processes):
        report = jb.check(function, claim, POINTS.get(function, X), workers=spread_by, **options)
        assert everything(report) == expected


def outer(w, X):
    return np.tanh(X @ w)


def derivative_of_outer(w, X):
    return (1 - np.tanh(X @ w) ** 2)[:, None] * X


@pytest.mark.parametrize("claim", (derivative_of_outer, outer), ids=lambda f: f.__name__)
def test_sizes_are_spread_as_points_are(claim, processes):
    shapes = {"w": "n", "X": "N, n"}
    expected = everything(jb.check(outer, claim, shapes=shapes))
    assert everything(jb.check(outer, claim, shapes=shapes, workers=processes)) == expected


def test_what_is_seen_elsewhere_is_noted_here(processes):
    for spread_by in (None, processes):
        report = jb.check(with_an_edge, slope_at_the_edge, POINTS[with_an_edge], workers=spread_by)
        assert any("raises ValueError at other points" in note for note in report.notes)


def test_warnings_in_threads_leave_the_filters_alone(threads):
    def complaining(x):
        warnings.warn("complaint", stacklevel=1)
        return x**2

    before = list(warnings.filters)
    report = jb.check(complaining, lambda x: np.diag(2 * x), np.arange(1.0, 4.0), points=6, workers=threads)
    assert report and warnings.filters == before


# --------------------------------------------------------- progress


def told(work):
    seen = []
    work(lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    return seen


def test_progress_is_counted_in_entries_and_in_points(threads):
    assert told(lambda tell: jb.finite_difference(dense, progress=tell)(X)) == [(k, 12) for k in range(1, 13)]
    for spread_by in (None, threads):
        for function in (dense, noisy, noisy_from_the_third):
            of_entries = told(lambda tell, f=function, w=spread_by: jb.jacobi(f, X, progress=tell, workers=w))
            assert of_entries == [(k, 12) for k in range(1, 13)]
        of_points = told(lambda tell, w=spread_by: jb.check(dense, right, X, points=2, progress=tell, workers=w))
        assert of_points == [(1, 3), (2, 3), (3, 3)]
    assert told(lambda tell: jb.check(dense, right, X, budget=10_000, progress=tell))[-1] == (12, 12)


def test_silent_by_default_and_a_few_lines_where_there_is_no_terminal(capsys):
    jb.finite_difference(dense)(X)
    jb.check(dense, right, X, points=2)
    assert capsys.readouterr() == ("", "")
    jb.finite_difference(dense, progress=True)(X)
    out, err = capsys.readouterr()
    assert not out
    assert [text.split(",")[0] for text in err.splitlines()] == [f"{k} of 12 entries" for k in (3, 6, 9, 12)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_one_line_on_a_terminal():
    screen = Terminal()
    with line("entries", screen) as tell:
        for done in range(1, 1001):
            tell(done, 1000)
    text = screen.getvalue()
    assert text.count("\n") == 1 and text.endswith("\n") and text.startswith("\r")
    assert text.count("\r") < 50 and text.split("\r")[-1].startswith("1000 of 1000 entries")
    screen = Terminal()
    with pytest.raises(KeyboardInterrupt), line("entries", screen) as tell:
        tell(2, 2)
        raise KeyboardInterrupt
    assert screen.getvalue().endswith("\n")  # what is written next begins a line


# --------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("workers", (0, -2, True, 1.5, "four"))
def test_workers_that_are_none(workers):
    with pytest.raises(InputError, match=r"test_spreading\.py:.*Write workers=4, workers=-1, or workers=pool\.map"):
        jb.finite_difference(dense, workers=workers)(X)


def test_an_executor_is_not_its_map():
    with ThreadPoolExecutor() as pool, pytest.raises(InputError, match=r"a ThreadPoolExecutor.*workers=pool\.map"):
        jb.check(dense, right, X, workers=pool)


def test_one_worker_is_nobody_else():
    np.testing.assert_array_equal(jb.finite_difference(dense, workers=1)(X), jb.finite_difference(dense)(X))


def test_progress_that_is_no_function():
    with pytest.raises(InputError, match="Write progress=True"):
        jb.jacobi(dense, X, progress="yes")


def test_functions_that_cannot_be_sent(processes):
    for work in (
        lambda: jb.finite_difference(lambda x: x**2, workers=processes)(X),
        lambda: jb.jacobi(lambda x: x**2, X, workers=processes),
        lambda: jb.check(lambda x: x**2, right, X, workers=processes),
        lambda: jb.check(dense, lambda x: right(x), X, workers=processes, points=2),
    ):
        with pytest.raises(InputError, match=r"cannot be sent .*test_spreading\.py.*top of a module.*threads"):
            work()


def test_compiled_functions_cannot_be_sent(processes):
    compiled = jb.compile(jb.jacobian(dense), X)
    with pytest.raises(InputError, match="compile it where it is needed"):
        jb.check(dense, compiled, X, workers=processes, points=2)


def test_an_error_of_the_function_stays_what_it_is(threads):
    def wrong(x):
        return x + "1" if threading.current_thread() is not threading.main_thread() else x

    with pytest.raises(TypeError, match="add"):
        jb.finite_difference(wrong, workers=threads)(X)
    with pytest.raises(ShapeError, match="shape"):
        jb.finite_difference(lambda x: x[: 1 + (x[0] == X[0])], workers=threads)(X)


def dies_elsewhere(x):
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    return x


def test_a_worker_that_dies():
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        pytest.raises(InputError, match="a worker ended before its work was done"),
    ):
        jb.finite_difference(dies_elsewhere, workers=pool.map)(X)


def test_maps_that_are_none():
    def futures(work, parts):
        return [Future() for _ in parts]

    with pytest.raises(InputError, match=r"a Future instead.*future\.result\(\)"):
        jb.finite_difference(dense, workers=futures)(X)
    with pytest.raises(InputError, match="39 results for 40 parts"):
        list(Spread(lambda work, parts: eager(work, parts[:-1]), silent).results(abs, list(range(40))))
    for broken in (
        lambda work, parts: eager(work, parts[::-1]),
        lambda work, parts: eager(work, parts[1:]),
        lambda work, parts: [*eager(work, parts), (99, None)],
        lambda work, parts: [None for _ in parts],
    ):
        with pytest.raises(InputError, match="in the same order"):
            jb.finite_difference(dense, workers=broken)(X)


def test_a_number_of_numpy_is_a_number_of_workers():
    J, _ = jb.finite_difference(np.sin, workers=np.int64(1))(X)
    np.testing.assert_allclose(np.diag(J), np.cos(X), rtol=1e-8)


# --------------------------------------------------------- interruptions


def test_who_listens_to_the_progress_can_stop_the_work():
    calls = []

    def counted(x):
        calls.append(1)
        time.sleep(1e-3)
        return x**2

    def stop(done, total):
        raise StopAsyncIteration

    with ThreadPoolExecutor(1) as pool, pytest.raises(StopAsyncIteration):
        jb.finite_difference(counted, workers=pool.map, progress=stop)(X)
    assert len(calls) < 100  # of 170: what had not begun was dropped


INTERRUPTED = """
import multiprocessing, os, time
import numpy as np
import jacobi as jb

others = set()

def slow(x):
    time.sleep(0.1)
    return x**2

def tell(done, total):
    others.update(process.pid for process in multiprocessing.active_children())
    print(done, flush=True)

def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

if __name__ == "__main__":
    try:
        jb.finite_difference(slow, workers=2, progress=tell)(np.ones(100))
    except KeyboardInterrupt:
        print("interrupted", len(others), any(map(alive, others)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send this signal to one process")
def test_an_interrupt_ends_the_processes_at_once(tmp_path):
    program = tmp_path / "interrupted.py"
    program.write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, program], env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout.readline() == "1\n"
            running.send_signal(signal.SIGINT)
            rest, _ = running.communicate(timeout=60)  # minutes less than all of the work
        finally:
            running.kill()
    assert rest.splitlines()[-1] == "interrupted 2 False"
    assert running.returncode == 0


def test_alone_is_pythons_own_map():
    assert ALONE.map is map and list(ALONE.results(abs, [-1, 2])) == [1, 2]
