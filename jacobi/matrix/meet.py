"""Where two terms meet: the columns of the left one are the rows of the right one, so their indices are tied.

The positions on the shared side must be equal: ``o2 + sum(s_i * i) = o1 + sum(t_j * j)``.  The equation falls
apart into digits (like the digits of a number whose bases are the strides), and every digit is solved by
*substitution*: an index is replaced by an affine map of other indices, or by an array of positions.  Slices
meet in slices, reshapes split an index, and only what is truly irregular is joined entry by entry, as in a
product of sparse matrices.
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd, prod
from typing import Any

import numpy as np

from jacobi.matrix.wiring import Side, Ties, affine, grid, injective, substituted

Expression = Side  # what an index is replaced by: offset + sum of (stride * index) or positions[index]
Tied = tuple[int, Any, int, int]  # index, stride or positions, lowest and highest contribution


class Nothing(Exception):
    """The two sides share no position: the product is zero."""


class Meeting:
    """The solution of the equation of two sides, collected digit by digit.

    Attributes
    ----------
    sizes : dict
        The sizes of all indices, the new ones included.
    found : dict
        For every index that is replaced, the expression it is replaced by.
    frozen : set
        Indices that carry positions elsewhere: they may be replaced by one index only.
    joined : bool
        Whether entries were paired one by one; several pairs may then lie at one place.
    """

    def __init__(self, sizes: dict[int, int], frozen: set[int]):
        self.sizes = sizes
        self.found: dict[int, Expression] = {}
        self.frozen = frozen
        self.joined = False

    def new(self, size: int) -> int:
        """A fresh index."""
        index = max(self.sizes, default=-1) + 1
        self.sizes[index] = size
        return index

    def resolved(self, index: int) -> Expression:
        """What is to be put for an index, down to indices that stay."""
        expression = self.found.get(index)
        if expression is None:
            return 0, ((index, 1),)
        inner = {index: self.resolved(index) for index, _ in expression[1]}
        return substituted(expression, inner, self.sizes)


def meet(left: Side, right: Side, sizes: dict[int, int], frozen: set[int]) -> Meeting:
    """Solve ``left = right`` for the indices of both; raises `Nothing` when no position is shared."""
    meeting = Meeting(sizes, frozen)
    if left[0] == right[0] and len(left[1]) == len(right[1]):
        pairs = list(zip(left[1], right[1], strict=True))
        if all(
            type(s) is int and type(t) is int and s == t and s > 0 and sizes[i] == sizes[j]
            for (i, s), (j, t) in pairs
        ) and injective((s, sizes[i]) for (i, s), _ in pairs):
            for (i, _), (j, _) in pairs:
                meeting.found[j] = (0, ((i, 1),))
            return meeting
    left_offset, left_ties = upright(left, meeting)
    right_offset, right_ties = upright(right, meeting)
    for step in bases(left_ties + right_ties):
        o_left, o_right = left_offset % step, right_offset % step
        if not (within(meeting, left_ties, o_left, step) and within(meeting, right_ties, o_right, step)):
            continue
        low_left, left_ties = split(meeting, left_ties, step)
        low_right, right_ties = split(meeting, right_ties, step)
        solve_digit(meeting, (o_left, low_left), (o_right, low_right))
        left_offset, right_offset = left_offset - o_left, right_offset - o_right
    solve_digit(meeting, (left_offset, left_ties), (right_offset, right_ties))
    return meeting


def bases(ties: list[Tied]) -> list[int]:
    """The steps at which the equation may fall apart."""
    steps = {tie if type(tie) is int else int(np.gcd.reduce(tie)) for _, tie, _, _ in ties}
    return sorted(step for step in steps if step > 1)


def upright(side: Side, meeting: Meeting) -> tuple[int, list[Tied]]:
    """The side with positive strides: an index that counts down is replaced by one that counts up."""
    offset, ties = side
    result: list[Tied] = []
    for index, tie in ties:
        count = meeting.sizes[index]
        if type(tie) is not int:
            result.append((index, tie, int(tie.min()), int(tie.max())))
            continue
        if tie < 0:
            flipped = meeting.new(count)
            meeting.found[index] = (count - 1, ((flipped, -1),))
            if index in meeting.frozen:
                meeting.frozen.add(flipped)
            offset += tie * (count - 1)
            index, tie = flipped, -tie
        result.append((index, tie, 0, tie * (count - 1)))
    return offset, result


def within(meeting: Meeting, ties: list[Tied], offset: int, step: int) -> bool:
    """Whether the ties move by whole steps or stay inside one digit, so that nothing is carried over."""
    lowest = highest = offset
    for tied in ties:
        if not whole(tied[1], step):
            lowest += tied[2]
            highest += step - tied[1] if divisible(meeting, tied, step) else tied[3]
    return lowest >= 0 and highest < step


def whole(tie: Any, step: int) -> bool:
    """Whether a tie moves by whole steps."""
    return tie % step == 0 if type(tie) is int else bool((tie % step == 0).all())


def divisible(meeting: Meeting, tied: Tied, step: int) -> bool:
    """Whether an index runs through the digit below a step several times, from end to end."""
    index, tie = tied[:2]
    if type(tie) is not int or step % tie or index in meeting.frozen:
        return False
    return meeting.sizes[index] * tie > step and meeting.sizes[index] % (step // tie) == 0


def split(meeting: Meeting, ties: list[Tied], step: int) -> tuple[list[Tied], list[Tied]]:
    """The ties that move within a digit, and those that move by whole steps; divisible indices give both."""
    low: list[Tied] = []
    high: list[Tied] = []
    for tied in ties:
        index, tie = tied[:2]
        if whole(tie, step):
            high.append(tied)
        elif divisible(meeting, tied, step):
            inside = step // tie
            rounds = meeting.sizes[index] // inside
            outer, inner = meeting.new(rounds), meeting.new(inside)
            meeting.found[index] = (0, ((outer, inside), (inner, 1)))
            high.append((outer, step, 0, step * (rounds - 1)))
            low.append((inner, tie, 0, step - tie))
        else:
            low.append(tied)
    return low, high


def solve_digit(meeting: Meeting, left: tuple[int, list[Tied]], right: tuple[int, list[Tied]]) -> None:
    """Solve one digit by the cheapest means that is exact."""
    (left_offset, left_ties), (right_offset, right_ties) = left, right
    if not left_ties and not right_ties:
        if left_offset != right_offset:
            raise Nothing
        return
    one_each = len(left_ties) == 1 and len(right_ties) == 1
    if one_each and solve_progression(meeting, left_offset, left_ties[0], right_offset, right_ties[0]):
        return
    for single, single_offset, others, others_offset in (
        (left_ties, left_offset, right_ties, right_offset),
        (right_ties, right_offset, left_ties, left_offset),
    ):
        if len(single) == 1 and solve_for_one(meeting, single[0], single_offset, others, others_offset):
            return
    for digits, digits_offset, others, others_offset in (
        (left_ties, left_offset, right_ties, right_offset),
        (right_ties, right_offset, left_ties, left_offset),
    ):
        if solve_by_digits(meeting, digits, digits_offset, others, others_offset):
            return
    join(meeting, left, right)


def solve_progression(meeting: Meeting, o2: int, left: Tied, o1: int, right: Tied) -> bool:
    """``o2 + s i = o1 + t j`` for one index on each side: the solutions are an arithmetic progression."""
    i, s = left[:2]
    j, t = right[:2]
    if type(s) is not int or type(t) is not int:
        return False
    n, m = meeting.sizes[i], meeting.sizes[j]
    common, apart = gcd(s, t), o1 - o2
    if apart % common:
        raise Nothing
    di, dj = t // common, s // common
    i0 = (apart // common * pow(dj, -1, di)) % di if di > 1 else 0
    j0 = (s * i0 - apart) // t
    first = max(-(i0 // di), -(j0 // dj))
    last = min((n - 1 - i0) // di, (m - 1 - j0) // dj)
    count = last - first + 1
    if count <= 0:
        raise Nothing
    i0, j0 = i0 + di * first, j0 + dj * first
    if count == 1:
        meeting.found[i], meeting.found[j] = (i0, ()), (j0, ())
    elif i0 == 0 and di == 1 and count == n:
        meeting.found[j] = (j0, ((i, dj),))
    elif j0 == 0 and dj == 1 and count == m:
        meeting.found[i] = (i0, ((j, di),))
    else:
        k = meeting.new(count)
        meeting.found[i], meeting.found[j] = (i0, ((k, di),)), (j0, ((k, dj),))
    return True


def solve_for_one(
    meeting: Meeting, single: Tied, offset: int, others: list[Tied], others_offset: int
) -> bool:
    """One index on one side is an affine map of the indices on the other, when it is always in range."""
    index, stride = single[:2]
    if type(stride) is not int or (index in meeting.frozen and len(others) > 1):
        return False
    apart = others_offset - offset
    if not others:
        value, rest = divmod(apart, stride)
        if rest or not 0 <= value < meeting.sizes[index]:
            raise Nothing
        meeting.found[index] = (value, ())
        return True
    if len(others) == 1 and type(others[0][1]) is not int:
        other, positions = others[0][:2]
        value, rest = np.divmod(positions + apart, stride)
        good = (rest == 0) & (value >= 0) & (value < meeting.sizes[index])
        if not good.all():
            kept = np.flatnonzero(good)
            if not kept.size:
                raise Nothing
            k = meeting.new(kept.size)
            meeting.found[other] = affine(k, kept)
            meeting.found[index] = affine(k, value[kept])
        else:
            meeting.found[index] = affine(other, value)
        return True
    if apart % stride or any(type(t) is not int or t % stride for _, t, _, _ in others):
        return False
    lowest = (apart + sum(t[2] for t in others)) // stride
    highest = (apart + sum(t[3] for t in others)) // stride
    if lowest < 0 or highest >= meeting.sizes[index]:
        return False
    meeting.found[index] = (apart // stride, tuple((other, t // stride) for other, t, _, _ in others))
    return True


def solve_by_digits(
    meeting: Meeting, digits: list[Tied], offset: int, others: list[Tied], others_offset: int
) -> bool:
    """The indices of one side are the digits of the positions on the other (a mixed radix system)."""
    strides = [(tie, meeting.sizes[index], index) for index, tie, _, _ in digits]
    if not digits or any(type(tie) is not int for tie, _, _ in strides):
        return False
    strides.sort()
    if any(larger[0] != smaller[0] * smaller[1] for smaller, larger in pairwise(strides)):
        return False
    k, positions = flattened(meeting, others, others_offset)
    value, rest = np.divmod(positions - offset, strides[0][0])
    good = (rest == 0) & (value >= 0) & (value < prod(count for _, count, _ in strides))
    if not good.all():
        kept = np.flatnonzero(good)
        if not kept.size:
            raise Nothing
        narrowed = meeting.new(kept.size)
        meeting.found[k] = affine(narrowed, kept)
        k, value = narrowed, value[kept]
    for _, count, index in strides:
        value, digit = np.divmod(value, count)
        meeting.found[index] = affine(k, digit)
    return True


def flattened(meeting: Meeting, ties: list[Tied], offset: int) -> tuple[int, Any]:
    """One index that runs over all values of some indices, and the positions it stands for."""
    if len(ties) == 1:
        index, tie = ties[0][:2]
        line = np.arange(meeting.sizes[index]) * tie if type(tie) is int else tie
        return index, line + offset
    order = tuple(index for index, *_ in ties)
    counts = tuple(meeting.sizes[index] for index in order)
    k = meeting.new(prod(counts))
    rest = np.arange(prod(counts))
    for index, count in zip(reversed(order), reversed(counts), strict=True):
        rest, digit = np.divmod(rest, count)
        meeting.found[index] = affine(k, digit)
    pairs: Ties = tuple((index, tie) for index, tie, _, _ in ties)
    positions = np.broadcast_to(grid((offset, pairs), order, meeting.sizes), counts).ravel()
    return k, positions


def join(meeting: Meeting, left: tuple[int, list[Tied]], right: tuple[int, list[Tied]]) -> None:
    """Find all pairs of equal positions by sorting, as in a product of two sparse matrices."""
    meeting.joined = True
    i, left_positions = flattened(meeting, left[1], left[0])
    j, right_positions = flattened(meeting, right[1], right[0])
    order = np.argsort(right_positions, kind="stable")
    ordered = right_positions[order]
    begin = np.searchsorted(ordered, left_positions, side="left")
    count = np.searchsorted(ordered, left_positions, side="right") - begin
    total = int(count.sum())
    if not total:
        raise Nothing
    of_left = np.repeat(np.arange(left_positions.size), count)
    within_run = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
    of_right = order[np.repeat(begin, count) + within_run]
    k = meeting.new(total)
    meeting.found[i], meeting.found[j] = affine(k, of_left), affine(k, of_right)
