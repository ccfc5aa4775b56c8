"""Measuring: contestants take turns, and the smallest of three rounds' medians counts."""

import time
import tracemalloc
from statistics import median

import numpy as np

import jacobi as jb
from jacobi.differentiate import trace

ROUNDS, BATCHES = 3, 5
BATCH = 0.01  # seconds
WARM_UP = 0.1  # seconds, in which the threads of the contestant before come to rest and its own wake up
QUICK = 500  # calls in a batch from which on a contestant has no threads
LONG = 0.05  # seconds: contestants that take longer get fewer batches


def seconds(contestants):
    """The time of a call of every contestant, which is a function and its arguments."""
    counts, batches = zip(*(repeats(*contestant) for contestant in contestants), strict=True)
    best = [np.inf] * len(contestants)
    for turn in range(ROUNDS):
        for k, (function, arguments) in enumerate(contestants):
            if batches[k] == 1 and turn:
                continue
            times = []
            if counts[k] < QUICK:
                begin = time.perf_counter()
                while time.perf_counter() - begin < WARM_UP:
                    function(*arguments)
            for _ in range(batches[k]):
                begin = time.perf_counter()
                for _ in range(counts[k]):
                    function(*arguments)
                times.append((time.perf_counter() - begin) / counts[k])
            best[k] = min(best[k], median(times))
    return best


def repeats(function, arguments):
    """How many calls make a batch, and how many batches a turn."""
    count = 1
    while True:
        begin = time.perf_counter()
        for _ in range(count):
            function(*arguments)
        passed = time.perf_counter() - begin
        if passed > BATCH / 2:
            batches = BATCHES if passed < LONG else 3 if passed < 10 * LONG else 1
            return max(1, round(count * BATCH / passed)), batches
        count *= 4


def set_up(transform, arguments):
    """The compiled function, and the smallest of three times that it took to compile."""
    best, compiled = np.inf, None
    for _ in range(3):
        begin = time.perf_counter()
        compiled = jb.compile(transform, *arguments)
        best = min(best, time.perf_counter() - begin)
    return compiled, best


def peak(function, arguments):
    """The largest amount of memory that a call holds, its result included, in bytes."""
    function(*arguments)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = function(*arguments)
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


def bytes_of(result):
    """The size of a result."""
    if isinstance(result, (tuple, list)):
        return sum(map(bytes_of, result))
    if hasattr(result, "indptr"):
        return result.data.nbytes  # the pattern is shared by all results
    return int(getattr(result, "nbytes", 8))


def largest_intermediate(function, arguments):
    """The size of the largest array that the function makes."""
    traced = trace(function, arguments, {}, [0])
    return max(np.asarray(step.value).nbytes for step in traced.graph.steps)
