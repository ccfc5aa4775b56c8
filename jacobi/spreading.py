"""Work that is spread by a map over threads, processes or machines, tells of its progress, and can be interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from numbers import Integral
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from jacobi.errors import InputError, at_users_line

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

Workers: TypeAlias = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
Progress: TypeAlias = Callable[[int, int], Any]

SECONDS = 0.1  # between two states of the line on a terminal
LINES = 4  # where the standard error stream is no terminal


@dataclass(frozen=True)
class Spread:
    """How work is spread.

    Attributes
    ----------
    map : callable
        Called like Python's ``map``, with a function and a list of parts of the work.
    tell : callable
        Told how much is done, and how much there is to do.
    """

    map: Workers
    tell: Progress

    def results(self, work: Callable[[Any], Any], parts: Sequence[Any]) -> Generator[Any, None, None]:
        """What becomes of the parts of some work, in their order; parts not begun when this is closed are dropped.

        Raises
        ------
        InputError
            If the parts cannot be sent to where the work is done, or the map is no map.
        """
        found: Iterable[Any] = ()
        count = 0
        try:
            found = self.map(Numbered(work), list(enumerate(parts)))
            for count, result in enumerate(found, 1):
                if callable(getattr(result, "result", None)):
                    what = f"workers= gave a {type(result).__name__} instead of what it stands for"
                    cure = "Wait for each: (future.result() for future in client.map(function, parts))."
                    raise InputError(at_users_line(what, cure))
                if not isinstance(result, tuple) or result[0] != count - 1:
                    what = f"workers= gave something else than the result of part {count} of {len(parts)}"
                    cure = "Give a function that does what map does, in the same order: pool.map, or pool.imap."
                    raise InputError(at_users_line(what, cure))
                yield result[1]
        except Exception as problem:
            clearer = explained(problem, work, parts)
            if clearer is None:
                raise
            raise clearer from problem
        finally:
            if isinstance(found, Generator):  # that of an executor takes back what has not begun
                found.close()
        if count != len(parts):
            what = f"workers= gave {count} results for {len(parts)} parts"
            raise InputError(at_users_line(what, "Give a function that does what map does."))


@dataclass(frozen=True)
class Numbered:
    """Some work on a part that knows its number, which comes back with the result."""

    work: Callable[[Any], Any]

    def __call__(self, part: tuple[int, Any]) -> tuple[int, Any]:
        """The number of the part, and what becomes of it."""
        return part[0], self.work(part[1])


def silent(done: int, total: int) -> None:
    """Tell nobody."""


ALONE = Spread(map, silent)  # one part after another, here


def spreading(
    workers: Workers | int | None, progress: Progress | bool | None, unit: str
) -> AbstractContextManager[Spread]:
    """Spread some work as the user asks for, and tidy up behind it, also where it is interrupted.

    Parameters
    ----------
    workers : int or callable, optional
        A number of processes, -1 for one for each processor, or a function that is called like ``map``.
    progress : bool or callable, optional
        Whether to write a line, or what to call instead.
    unit : str
        What is counted.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> with spreading(None, lambda done, total: print(done, "of", total), "numbers") as spread:
    ...     for k, square in enumerate(spread.results(lambda x: x * x, [2, 3]), 1):
    ...         spread.tell(k, 2)
    1 of 2
    2 of 2
    """
    if not (workers is None or callable(workers) or is_count(workers)):
        given = f"a {type(workers).__name__}" if hasattr(workers, "map") else repr(workers)
        what = f"workers= is {given}: neither a number of processes nor a function that is called like map"
        raise InputError(at_users_line(what, "Write workers=4, workers=-1, or workers=pool.map."))
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        what = f"progress={progress!r} is no function"
        raise InputError(at_users_line(what, "Write progress=True, or give a function of two numbers."))
    return opened(workers, progress, unit)


def is_count(workers: Any) -> bool:
    """Whether workers are given by their number, as SciPy takes it."""
    return isinstance(workers, Integral) and not isinstance(workers, bool) and (int(workers) > 0 or workers == -1)


@contextmanager
def opened(workers: Workers | int | None, progress: Progress | bool | None, unit: str) -> Iterator[Spread]:
    """The same, when it has been found to make sense."""
    with ExitStack() as stack:
        tell = stack.enter_context(line(unit, sys.stderr)) if progress is True else progress or silent
        if isinstance(workers, Integral) and workers != 1:
            workers = stack.enter_context(processes(int(workers)))
        yield Spread(workers if callable(workers) else map, tell)


@contextmanager
def processes(count: int) -> Iterator[Workers]:
    """The map of a number of processes of this machine, which end with the context; -1 is one for each processor."""
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(None if count == -1 else count, initializer=ignore_interrupts)
    try:
        yield pool.map
    except BaseException:  # nobody waits for the results any more
        terminate(pool)
        raise
    pool.shutdown()


def terminate(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool at once, whatever they are at."""
    running = list((pool._processes or {}).values())  # Python 3.14 has terminate_workers for this
    pool.shutdown(wait=False, cancel_futures=True)
    for process in running:
        process.terminate()
    for process in running:
        process.join()


def ignore_interrupts() -> None:
    """Leave it to the process that began the work to be interrupted, and to end the others."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def explained(problem: Exception, work: Callable[[Any], Any], parts: Sequence[Any]) -> InputError | None:
    """What went wrong on the way to the workers, if it did so there."""
    from concurrent.futures import BrokenExecutor

    if isinstance(problem, BrokenExecutor):
        what = "a worker ended before its work was done"
        cure = (
            "It must be able to import the function: define it in a module, and in a script begin the work below "
            '`if __name__ == "__main__":`.'
        )
        return InputError(at_users_line(what, cure))
    here = unsendable((work, *parts[:1]))
    if here is None or not (type(here) is type(problem) and str(here) == str(problem)):
        return None
    what = f"the work cannot be sent to another process: {problem}"
    cure = "Define functions at the top of a module instead of inside another one or as lambda, or use threads."
    return InputError(at_users_line(what, cure))


def unsendable(thing: Any) -> Exception | None:
    """Why something cannot be sent to another process; None if it can."""
    import pickle

    try:
        pickle.dumps(thing)
    except Exception as problem:  # whatever the user's objects raise
        return problem
    return None


@contextmanager
def line(unit: str, stream: TextIO) -> Iterator[Progress]:
    """One line that tells of the progress and is written anew; a few lines where the stream is no terminal."""
    terminal = stream.isatty()
    began = written = monotonic()
    shown = 0  # of LINES where it is no terminal

    def tell(done: int, total: int) -> None:
        nonlocal written, shown
        now = monotonic()
        if terminal and (done == total or now - written >= SECONDS):
            written = now
        elif not terminal and done * LINES // total > shown:
            shown = done * LINES // total
        else:
            return
        text = f"{done} of {total} {unit}, {now - began:.0f} s"
        stream.write(f"\r{text}" if terminal else f"{text}\n")
        stream.flush()

    try:
        yield tell
    finally:
        if terminal and written > began:
            stream.write("\n")
            stream.flush()
