"""Blocks: entrywise instructions on large arrays are evaluated in pieces that fit into the cache, by two threads.

Fresh pages of memory cost more than the arithmetic at a million numbers, so whole arrays are made for results only.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from queue import SimpleQueue
from typing import Any

import numpy as np

from jacobi.compilation.instructions import Check, Fill, Instruction, Part, Program, Value

LARGE = 2**15  # entries from which on blocks pay
PIECE = 2**15  # entries of a piece
THREADED = 2**16  # entries from which on a second thread pays
THREADED_PIECE = 2**16  # with two threads: smaller ones wait for Python's lock too often
FUNCTIONS = {
    np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan, np.arcsin, np.arccos,
    np.arctan, np.arctan2, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.power, np.float_power,
    np.cbrt, np.logaddexp, np.hypot,
}  # fmt: skip
DEAR = 6  # times as long as a sum: what a function of these takes
WORTH_WAKING = 2**19  # sums of two numbers that take several times as long as to wake up a thread
AHEAD = 2**13  # entries that the first thread does until the second one has woken up
LINE = 64  # entries that pieces are multiples of, so that no two threads write into one line of the cache
FEW = 2  # instructions that are not worth a block


def in_pieces(part: Part) -> bool:
    """Whether an instruction can be evaluated piece by piece."""
    if isinstance(part, (Check, Fill)) or part.target.size < LARGE or not part.entrywise:
        return False
    function = part.keywords.get("comparison", part.function)
    shapes = {value.shape for value in part.arguments if isinstance(value, Value)}  # constants as well
    plain = isinstance(function, np.ufunc) and function.nout == 1 and "O" not in function.types[0]
    return plain and shapes <= {(), part.target.shape} and part.target.dtype.kind in "fb"


def gathered(program: Sequence[Part]) -> Program:
    """The same program, with instructions of one shape that are evaluated in pieces as much together as possible.

    Checks keep their place: what follows may not even be defined where they fail.
    """
    if not any(map(in_pieces, program)):
        return list(program)
    result: Program = []
    part: list[Instruction | Fill] = []
    for item in program:
        if isinstance(item, Check):
            result += [*reordered(part), item]
            part = []
        else:
            part.append(item)
    return result + reordered(part)


def reordered(part: Sequence[Instruction | Fill]) -> Program:
    """Instructions whose operands are ready: first all others, then all of one shape that go in pieces, and so on."""
    position = {instruction.target.number: k for k, instruction in enumerate(part)}
    missing = [len({v.number for v in i.operands} & position.keys()) for i in part]
    users: dict[int, list[int]] = {}
    for k, instruction in enumerate(part):
        for number in {v.number for v in instruction.operands} & position.keys():
            users.setdefault(number, []).append(k)
    kinds = [instruction.target.shape if in_pieces(instruction) else None for instruction in part]
    ready: dict[Any, list[int]] = {}
    for k, count in enumerate(missing):
        if not count:
            ready.setdefault(kinds[k], []).append(k)
    for queue in ready.values():
        heapify(queue)
    result: Program = []
    kind: Any = None
    while any(ready.values()):
        if not ready.get(kind):
            kind = None if ready.get(None) else min((q[0], kind) for kind, q in ready.items() if q)[1]
        instruction = part[heappop(ready[kind])]
        result.append(instruction)
        for k in users.get(instruction.target.number, ()):
            missing[k] -= 1
            if not missing[k]:
                heappush(ready.setdefault(kinds[k], []), k)
    return result


def runs(program: Sequence[Part]) -> Iterator[Any]:
    """The program with runs of instructions of one shape that are evaluated in pieces as lists."""
    run: list[Any] = []
    for part in program:
        fits = in_pieces(part)
        if run and not (fits and part.target.shape == run[0].target.shape):  # type: ignore[union-attr]
            yield from finished(run)
            run = []
        if fits:
            run.append(part)
        else:
            yield part
    yield from finished(run)


def finished(run: list[Instruction]) -> Iterator[Any]:
    """A run as a block, or as single instructions where there are few."""
    if len(run) > FEW:
        yield run
    else:
        yield from run


def in_two_threads(run: Sequence[Instruction]) -> bool:
    """Whether half of a run should be left to a second thread: a few sums are done before it has woken up."""
    work = sum(DEAR if instruction.function in FUNCTIONS else 1 for instruction in run)
    size = run[0].target.size
    return size >= THREADED and size * work >= WORTH_WAKING


def piece_of(size: int, threads: int) -> int:
    """How many entries a piece of an array has: with two threads, those of the first are all of this length."""
    if threads == 1:
        return min(size, PIECE)
    own = size // 2 + AHEAD
    return -(-own // (-(-own // THREADED_PIECE) * LINE)) * LINE


def in_blocks(
    block: Callable[[int, int], None], size: int, ending: Callable[[], bool] = sys.is_finalizing
) -> None:
    """Evaluate all pieces, nearly half of them in a second thread: NumPy releases the lock."""
    piece = piece_of(size, 2)
    middle = min(-(-(size // 2 + AHEAD) // piece) * piece, size)
    if ending() or not SECOND.lock.acquire(blocking=False):  # somebody else has the second thread
        block(0, size)
        return
    try:
        failed: list[BaseException] = []

        def second() -> None:
            try:
                with np.errstate(all="ignore"):
                    block(middle, size)
            except BaseException as problem:
                failed.append(problem)

        done = SECOND.begin(second)
        try:
            block(0, middle)
        finally:
            done.acquire()
    finally:
        SECOND.lock.release()
    if failed:
        raise failed[0]


class SecondThread:
    """A thread that stays and waits for work, since to start one takes as long as the work on 50,000 numbers.

    Attributes
    ----------
    lock : Lock
        Held by whoever uses the thread.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tasks: SimpleQueue[Any] = SimpleQueue()
        self.thread: threading.Thread | None = None

    def begin(self, work: Callable[[], None]) -> threading.Lock:
        """Have something done; the lock that is returned can be acquired when it is."""
        if self.thread is None or not self.thread.is_alive():  # at first, and in a process that was forked
            self.tasks = SimpleQueue()
            self.thread = threading.Thread(target=run_all, args=(self.tasks,), name="jacobi", daemon=True)
            self.thread.start()
        done = threading.Lock()
        done.acquire()
        self.tasks.put((work, done))
        return done


def run_all(tasks: SimpleQueue[Any]) -> None:
    """Do whatever comes, for ever."""
    while True:
        work, done = tasks.get()
        work()
        del work  # with the arrays that it holds
        done.release()


SECOND = SecondThread()
