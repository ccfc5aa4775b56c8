"""Blocks: entrywise instructions on large arrays are evaluated in pieces that fit into the cache, by two threads.

Fresh pages of memory cost more than the arithmetic at a million numbers, so whole arrays are made for results only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any

import numpy as np

from jacobi.compilation.instructions import Instruction

LARGE = 2**15  # entries from which on blocks pay
BLOCK = 2**13  # entries of a piece
THREADED = 2**18  # entries from which on a second thread pays
FEW = 2  # instructions that are not worth a block


def runs(program: Sequence[Any], held: Set[int]) -> Iterator[Any]:
    """The program with runs of entrywise instructions of one large shape as lists.

    Parameters
    ----------
    program : sequence
        Instructions and checks, in order.
    held : set of int
        The numbers of the values that are returned.
    """
    run: list[Instruction] = []
    for part in program:
        fits = isinstance(part, Instruction) and in_pieces(part)
        if run and not (fits and part.target.shape == run[0].target.shape):
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


def in_pieces(instruction: Instruction) -> bool:
    """Whether an instruction can be evaluated piece by piece."""
    target = instruction.target
    if target.size < LARGE or not instruction.entrywise:
        return False
    function = instruction.keywords.get("comparison", instruction.function)
    shapes = {value.shape for value in instruction.operands}
    return isinstance(function, np.ufunc) and shapes <= {(), target.shape} and target.dtype.kind in "fb"


def in_blocks(block: Callable[[int, int], None], size: int) -> None:
    """Evaluate all pieces, half of them in a second thread where there are many: NumPy releases the lock."""
    if size < THREADED:
        block(0, size)
        return
    middle = size // 2
    failed: list[BaseException] = []

    def second() -> None:
        try:
            with np.errstate(all="ignore"):
                block(middle, size)
        except BaseException as problem:
            failed.append(problem)

    thread = threading.Thread(target=second)
    thread.start()
    try:
        block(0, middle)
    finally:
        thread.join()
    if failed:
        raise failed[0]
