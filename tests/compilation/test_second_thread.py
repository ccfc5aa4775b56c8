"""Large arrays are evaluated in two threads, whoever else does so, and whatever happens there."""

import multiprocessing
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import jacobi as jb
from jacobi.compilation import blocks

N = 3 * blocks.THREADED + 17


def wave(x):
    return np.tanh(x) * x + np.exp(-(x**2))


X = np.linspace(-2, 2, N)
EXPECTED = jb.jacobian(wave)(X).diagonal()


@pytest.mark.parametrize("size", [1, 1000, blocks.THREADED - 1, blocks.THREADED, blocks.THREADED + 1, N, 10**6])
def test_pieces_cover_everything_once(size):
    seen, piece = np.zeros(size, int), blocks.piece_of(size, 2)

    def block(start, stop):
        for i in range(start, stop, piece):
            seen[i : min(i + piece, stop)] += 1

    blocks.in_blocks(block, size)
    assert (seen == 1).all()


def test_a_few_sums_are_not_worth_a_second_thread():
    def sums(x):
        return x[1:] - x[:-1] * 2.0 + x[1:] * x[:-1]

    for function, size, threads in ((sums, 70_000, 1), (sums, 10**6, 2), (wave, 60_000, 1), (wave, 70_000, 2)):
        x = np.linspace(0.0, 1.0, size)
        F = jb.compile(function, x)
        assert ("in_blocks" in F.source) == (threads == 2), (function, size)
        np.testing.assert_array_equal(F(x), function(x))


def test_the_thread_stays():
    F = jb.compile(jb.jacobian(wave), X)
    F(X)
    count, thread = threading.active_count(), blocks.SECOND.thread
    for _ in range(5):
        F(X)
    assert threading.active_count() == count and blocks.SECOND.thread is thread and thread.daemon


def test_many_threads_at_once():
    F, wrong = jb.compile(jb.jacobian(wave), X), []

    def work():
        for _ in range(10):
            if not np.allclose(F(X).diagonal(), EXPECTED, rtol=1e-14, atol=0):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("place", ["first half", "second half", "both"])
def test_errors_come_through(place):
    def block(start, stop):
        if place == "both" or (start == 0) == (place == "first half"):
            raise MemoryError(place)
        time.sleep(0.01)

    with pytest.raises(MemoryError, match=place):
        blocks.in_blocks(block, N)
    done = []
    blocks.in_blocks(lambda start, stop: done.append((start, stop)), N)  # and it can be used again
    assert len(done) == 2


def test_nothing_is_held_afterwards():
    import gc
    import weakref

    class Array(np.ndarray):
        pass

    array = np.zeros(4).view(Array)
    seen = weakref.ref(array)
    blocks.in_blocks(lambda start, stop, a=array: a.sum(), N)
    del array
    time.sleep(0.05)
    gc.collect()
    assert seen() is None


def in_child(queue):
    queue.put(float(np.abs(jb.compile(jb.jacobian(wave), X)(X).diagonal() - EXPECTED).max()))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python warns of forks where there are threads")
def test_a_forked_process_has_a_thread_of_its_own():
    jb.compile(jb.jacobian(wave), X)(X)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) < 1e-13
    child.join(timeout=10)
    assert child.exitcode == 0


AT_THE_END = """
import numpy as np, jacobi as jb
x = np.linspace(0, 1, 300_000)
F = jb.compile(jb.jacobian(lambda x: np.tanh(x) * np.sin(x) * np.exp(x)), x)
F(x)
class Logger:
    def __del__(self, F=F, x=x):
        print(F(x).shape)
keep = Logger()
"""


def test_a_call_while_the_interpreter_ends_comes_to_an_end():
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "(300000, 300000)", done.stderr
