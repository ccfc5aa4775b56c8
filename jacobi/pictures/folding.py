"""Folding: a long circuit becomes a short one, whose boxes stand for the rounds of a loop or for lines of code.

A part of a circuit can be folded into one box when its steps follow each other in the order in which they ran, because
then no way leads out of it and back in.  Loops are folded first; where that is not enough, the operations that stand
on one line; and then neighbours, evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import groupby
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from jacobi.expressions import Step

NEAREST = 8  # the next repetitions of an operation that are tried as the beginning of the next round


class Group(NamedTuple):
    """Steps that are drawn as one box.

    Attributes
    ----------
    steps : tuple of Step
        The steps, in order.
    rounds : int
        How often the same operations are repeated; 1 where they are not.
    kind : hashable
        Equal for groups that do the same.
    """

    steps: tuple[Step, ...]
    rounds: int
    kind: Hashable


def folded(steps: Sequence[Step], largest: int) -> list[Group]:
    """Operations in at most ``largest`` groups; every one by itself if there are no more."""
    groups = [Group((step,), 1, kind) for step, kind in zip(steps, kinds_of(steps), strict=True)]
    for fold in (loops, lines, lambda found: evenly(found, largest)):
        if len(groups) <= largest:
            break
        groups = fold(groups)
    return groups


def kinds_of(steps: Sequence[Step]) -> list[Hashable]:
    """What each step is: equal for the repetitions of an operation in a loop, which stand at one place in the code."""
    positions: dict[Any, list[Any]] = {}  # an instruction may have several offsets, but one line and column
    kinds: list[Hashable] = []
    for step in steps:
        operation: Any = step.operation
        place: Hashable = None
        if step.place is not None:
            code, offset = step.place
            if code not in positions:
                positions[code] = list(code.co_positions())
            place = code, positions[code][offset // 2]  # two bytes per instruction
        kinds.append((operation.name, place, np.shape(step.value)))
    return kinds


def loops(groups: list[Group]) -> list[Group]:
    """Every repeated run of groups as one group; the shortest periods first, which are those of inner loops."""
    while period := shortest_period([group.kind for group in groups]):
        groups = list(rounds_folded(groups, period))
    return groups


def shortest_period(kinds: Sequence[Hashable]) -> int:
    """The smallest distance at which some run of groups is repeated at once; 0 if none is."""
    following: dict[Hashable, list[int]] = {}
    for place, kind in enumerate(kinds):
        following.setdefault(kind, []).append(place)
    best = 0
    for places in following.values():
        for k, start in enumerate(places):
            for other in places[k + 1 : k + 1 + NEAREST]:
                period = other - start
                if best and period >= best:
                    break
                if kinds[start:other] == kinds[other : other + period]:
                    best = period
                    break
    return best


def rounds_folded(groups: list[Group], period: int) -> Iterator[Group]:
    """The groups, where those that are repeated with a period are one."""
    kinds = [group.kind for group in groups]
    start = 0
    while start < len(groups):
        body, count = kinds[start : start + period], 1
        while kinds[start + count * period : start + (count + 1) * period] == body:
            count += 1
        if count > 1:
            yield merged(groups[start : start + count * period], count, tuple(body))
            start += count * period
        else:
            yield groups[start]
            start += 1


def lines(groups: list[Group]) -> list[Group]:
    """Neighbours that stand on one line of the user's code as one group."""
    return together(groups, lambda place, group: group.steps[0].line)


def evenly(groups: list[Group], largest: int) -> list[Group]:
    """Neighbours in as many groups as there may be."""
    size = ceil(len(groups) / largest)
    return together(groups, lambda place, group: place // size)


def together(groups: list[Group], key: Callable[[int, Group], Hashable]) -> list[Group]:
    """Neighbours with equal keys as one group."""
    runs = [[group for _, group in run] for _, run in groupby(enumerate(groups), lambda pair: key(*pair))]
    return [merged(run, 1, tuple(group.kind for group in run)) if len(run) > 1 else run[0] for run in runs]


def merged(groups: Sequence[Group], rounds: int, kind: Hashable) -> Group:
    """Neighbouring groups as one, which keeps what an inner loop was."""
    return Group(tuple(step for group in groups for step in group.steps), rounds, (kind, rounds))
