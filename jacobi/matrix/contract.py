"""Contraction: a product of terms is planned from the wirings alone, then carried out on the factors.

A factor whose indices are all on another factor is absorbed by broadcasting, two factors that share a summed
index meet in a matrix product, and factors that share nothing stay apart.  So do factors whose product would
be much larger than both of them: a matrix of low rank is not multiplied out before somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from jacobi import layout
from jacobi.matrix.meet import Meeting, Nothing, meet
from jacobi.matrix.plan import (
    Plan,
    add_up,
    carry_out,
    diagonal,
    gathered,
    matrix_product,
    multiply,
    permutation,
    progression,
    reshape,
    take_index,
)
from jacobi.matrix.sparse import one_step
from jacobi.matrix.wiring import (
    Side,
    Wiring,
    affine,
    canonical,
    distinct,
    grid,
    is_number_system,
    straightened,
    substituted,
)

__all__ = ["Draft", "Plan", "carry_out"]

# Prices, in units of reading one number from memory (about a nanosecond)
BLAS_SPEED = 8  # multiplications and additions of a matrix product in that time
WRITE = 3  # an element-wise product: two reads and a write to fresh memory
STEP = 1000  # one call of a NumPy function

# A matrix product that is larger than this, and so many times as large as its factors, waits for an exit.
LARGE, GROWTH = 2**16, 8


class Draft:
    """A product in the making: slots with the indices on their axes, both sides, and the program so far."""

    def __init__(self, slots: list[tuple[int, ...]], sizes: dict[int, int], rows: Side, columns: Side):
        self.slots: dict[int, tuple[int, ...]] = dict(enumerate(slots))
        self.sizes = sizes
        self.rows = rows
        self.columns = columns
        self.program: list[tuple[Callable[..., Any], int, Any, Any]] = []
        self.scale = 1
        self.price = 0.0
        self.joined = False
        self.everything = False

    def carry(self, axes: tuple[int, ...], shape: tuple[int, ...]) -> None:
        """Add a factor with these indices on its axes; an axis of length 1 broadcasts and is dropped."""
        slot = len(self.slots)
        self.slots[slot] = tuple(k for k, count in zip(axes, shape, strict=True) if count != 1)
        if len(self.slots[slot]) != len(axes):
            self.emit(reshape, slot, slot, tuple(count for count in shape if count != 1))
        self.merge_equal_axes(slot)

    @classmethod
    def of_product(cls, left: Wiring, right: Wiring) -> Plan | None:
        """Plan ``left @ right``."""
        step = one_step(left, right)
        if step is not None:
            draft = cls([tuple(range(len(step.sizes)))], dict(enumerate(step.sizes)), step.rows, step.columns)
            draft.emit(step.operation, 0, (0, 1), step.argument)
            draft.price = step.price + WRITE * draft.volume(draft.sizes)
            return draft.finish()
        shift = len(left.sizes)
        sizes = dict(enumerate(left.sizes + right.sizes))
        right_rows = (right.rows[0], tuple((k + shift, tie) for k, tie in right.rows[1]))
        right_columns = (right.columns[0], tuple((k + shift, tie) for k, tie in right.columns[1]))
        frozen = {k for k, tie in left.rows[1] + right_columns[1] if type(tie) is not int}
        try:
            meeting = meet(left.columns, right_rows, sizes, frozen)
        except Nothing:
            return None
        slots = [*left.factors, *(tuple(k + shift for k in factor) for factor in right.factors)]
        draft = cls(slots, sizes, left.rows, right_columns)
        draft.substitute(meeting)
        return draft.finish()

    def finish(self) -> Plan:
        """Contract, tidy and number the indices."""
        self.rows, self.columns = straightened(self.rows), straightened(self.columns)
        self.leave_out()
        self.contract()
        self.rows = self.add_up_places(self.rows, self.columns)
        self.columns = self.add_up_places(self.columns, self.rows)
        if self.joined:
            self.add_up_entries()
        self.count_upwards()
        self.fuse()
        slots = tuple(self.slots)
        wiring, _ = canonical(self.sizes, [self.slots[s] for s in slots], self.rows, self.columns)
        price = self.price + STEP * len(self.program)
        return Plan(tuple(self.program), slots, wiring, self.scale, price)

    # substitution

    def substitute(self, meeting: Meeting) -> None:
        """Replace indices by the expressions that were found for them, in the sides and on the factors."""
        self.put({index: meeting.resolved(index) for index in meeting.found})
        left = {k for index in meeting.sizes for k, _ in meeting.resolved(index)[1]}
        self.sizes = {k: self.sizes[k] for k in left}
        self.joined = meeting.joined

    def leave_out(self) -> None:
        """Take the indices that nothing carries out of the sum: their summands are equal."""
        carried = {k for k, _ in self.rows[1] + self.columns[1]}.union(*self.slots.values())
        for k in self.sizes.keys() - carried:
            self.scale *= self.sizes.pop(k)

    def put(self, expressions: dict[int, Side]) -> None:
        """Replace indices by expressions."""
        self.rows = substituted(self.rows, expressions, self.sizes)
        self.columns = substituted(self.columns, expressions, self.sizes)
        for slot in self.slots:
            self.index_factor(slot, expressions)

    def index_factor(self, slot: int, expressions: dict[int, Side]) -> None:
        """Read a factor at the places that the expressions say."""
        axes = self.slots[slot]
        if not any(k in expressions for k in axes):
            return
        wanted = [expressions.get(k, (0, ((k, 1),))) for k in axes]
        sizes = self.sizes
        renamed: list[int] = []
        key: list[Any] = []
        shape: list[int] = []
        lines: list[tuple[int, Any]] = []
        plain_key, plain_shape = True, True
        for k, (offset, ties) in zip(axes, wanted, strict=True):
            indices = tuple(index for index, _ in ties)
            if not ties:
                key.append(offset)
                plain_key = False
            elif len(ties) == 1 and type(ties[0][1]) is int:
                (step,) = (step for _, step in ties)
                key.append(progression(offset, step, sizes[indices[0]]))
                plain_key &= offset == 0 and step == 1 and sizes[indices[0]] == sizes[k]
            elif offset == 0 and is_number_system(ties, sizes, sizes[k]):
                indices = tuple(index for index, _ in sorted(ties, key=lambda tie: -tie[1]))
                key.append(slice(None))
                plain_shape = False
            elif len(ties) == 1 and sum(index == indices[0] for _, t in wanted for index, _ in t) == 1:
                lines.append((sum(type(part) is slice for part in key), offset + ties[0][1]))
                key.append(slice(None))
            else:
                self.gather(slot, axes, wanted)
                return
            renamed.extend(indices)
            shape.extend(sizes[index] for index in indices)
        if not plain_key:
            self.emit(take_index, slot, slot, tuple(key))
        for axis, positions in lines:
            self.emit(take_index, slot, slot, (*(slice(None),) * axis, positions))
            self.price += 4 * prod(shape)
        if not plain_shape:
            self.emit(reshape, slot, slot, tuple(shape))
        self.slots[slot] = tuple(renamed)
        self.merge_equal_axes(slot)

    def gather(self, slot: int, axes: tuple[int, ...], wanted: list[Side]) -> None:
        """Read a factor at irregular places: all its axes are indexed by arrays at once."""
        order = tuple(dict.fromkeys(index for _, ties in wanted for index, _ in ties))
        key = tuple(grid(expression, order, self.sizes) for expression in wanted)
        if len(order) == 1:
            key = tuple(np.ascontiguousarray(places.ravel()) for places in key)
        self.emit(take_index, slot, slot, key)
        self.price += prod(self.sizes[k] for k in order) * 4
        self.slots[slot] = order

    def merge_equal_axes(self, slot: int) -> None:
        """An index on two axes of a factor stands for its diagonal."""
        axes = list(self.slots[slot])
        while len(set(axes)) < len(axes):
            index = next(k for k in axes if axes.count(k) > 1)
            first = axes.index(index)
            second = axes.index(index, first + 1)
            self.emit(diagonal, slot, slot, (first, second))
            axes = [k for position, k in enumerate(axes) if position not in (first, second)] + [index]
        self.slots[slot] = tuple(axes)

    def emit(self, operation: Callable[..., Any], destination: int, sources: Any, argument: Any) -> None:
        """Append an instruction."""
        self.program.append((operation, destination, sources, argument))

    # contraction

    def contract(self) -> None:
        """Sum the indices that stand on no side, and absorb factors that fit on another one."""
        kept = {k for k, _ in self.rows[1] + self.columns[1]}
        while True:
            self.absorb(lambda a, b: set(a) == set(b))
            summed = {k for axes in self.slots.values() for k in axes if k not in kept}
            if not summed:
                break
            alone = self.summed_alone(summed)
            if not alone and not self.contract_cheapest_pair(summed, kept):
                break
        self.absorb(lambda a, b: set(a) <= set(b))

    def summed_alone(self, summed: set[int]) -> bool:
        """Sum the indices that only one factor carries."""
        done = False
        for slot, axes in list(self.slots.items()):
            others = set().union(*(a for s, a in self.slots.items() if s != slot))
            mine = [k for k in axes if k in summed and k not in others]
            if mine:
                self.emit(add_up, slot, slot, tuple(axes.index(k) for k in mine))
                self.price += self.volume(axes)
                self.slots[slot] = tuple(k for k in axes if k not in mine)
                done = True
        return done

    def contract_cheapest_pair(self, summed: set[int], kept: set[int]) -> bool:
        """Multiply the two factors for which it is cheapest and sum over what only they carry.

        Returns False, and leaves them apart, when the result would be too large.
        """
        best: Any = None
        slots = list(self.slots)
        for position, a in enumerate(slots):
            for b in slots[position + 1 :]:
                shared = set(self.slots[a]) & set(self.slots[b])
                if not shared & summed:
                    continue
                others = set(kept).union(*(self.slots[s] for s in slots if s not in (a, b)))
                over = {k for k in shared if k in summed and k not in others}
                union = set(self.slots[a]) | set(self.slots[b])
                result = self.volume(union - over)
                grows = result > max(self.volume(self.slots[a]), self.volume(self.slots[b]))
                rank = (not over, grows, self.volume(union) + result)
                if best is None or rank < best[0]:
                    best = (rank, a, b, over, result)
        _, a, b, over, result = best
        held = self.volume(self.slots[a]) + self.volume(self.slots[b])
        if not self.everything and result > max(LARGE, GROWTH * held):
            return False
        if over:
            self.matrix_multiply(a, b, over)
        else:
            self.broadcast_multiply(a, b)
        return True

    def absorb(self, fits: Callable[[Any, Any], bool]) -> None:
        """Multiply factors together while one fits on another."""
        again = len(self.slots) > 1
        while again:
            again = False
            slots = sorted(self.slots, key=lambda s: self.volume(self.slots[s]))
            for position, small in enumerate(slots):
                for large in slots[position + 1 :]:
                    if fits(self.slots[small], self.slots[large]):
                        self.broadcast_multiply(*sorted((small, large)))
                        again = len(self.slots) > 1
                        break
                else:
                    continue
                break

    def broadcast_multiply(self, a: int, b: int) -> None:
        """The element-wise product of two slots; the axes of the larger one come first."""
        left, right = self.slots[a], self.slots[b]
        main = left if len(left) >= len(right) else right
        order = (*main, *(k for k in (*left, *right) if k not in main))
        order = tuple(dict.fromkeys(order))
        keys = (self.placed(a, order), self.placed(b, order))
        self.emit(multiply, a, (a, b), keys)
        self.price += WRITE * self.volume(order)
        self.slots[a] = order
        del self.slots[b]

    def placed(self, slot: int, order: tuple[int, ...]) -> Any:
        """The key of new axes that lines a slot up with an order of indices; it is transposed if need be."""
        axes = self.slots[slot]
        inner = tuple(k for k in order if k in axes)
        if inner != axes:
            self.emit(np.transpose, slot, slot, tuple(axes.index(k) for k in inner))
        if inner == order:
            return None
        leading = len(order) - len(inner)
        if order[leading:] == inner:
            return None
        return tuple(slice(None) if k in axes else None for k in order)

    def matrix_multiply(self, a: int, b: int, over: set[int]) -> None:
        """Two slots meet in a matrix product that sums over the indices ``over``."""
        left, right = self.slots[a], self.slots[b]
        batch = tuple(k for k in left if k in right and k not in over)
        shared = tuple(k for k in left if k in over)
        if batch and len(batch) + len(shared) == len(left) == len(right):
            self.broadcast_multiply(a, b)  # one number per batch entry: BLAS has no use here
            return
        rows = tuple(k for k in left if k not in right)
        columns = tuple(k for k in right if k not in left)
        left_order, right_order = (*batch, *rows, *shared), (*batch, *shared, *columns)
        result = (*batch, *rows, *columns)
        counts = tuple(self.sizes[k] for k in batch)
        width, height, inner = self.volume(columns), self.volume(rows), self.volume(shared)
        vector_left = not rows and not batch
        vector_right = not columns and not batch
        left_shape = (inner,) if vector_left else (*counts, height, inner)
        right_shape = (inner,) if vector_right else (*counts, inner, width)
        product_shape = (*counts, *(() if vector_left else (height,)), *(() if vector_right else (width,)))
        shape = tuple(self.sizes[k] for k in result)
        how = (
            permutation(left, left_order),
            None if left_shape == self.shape(left_order) else left_shape,
            permutation(right, right_order),
            None if right_shape == self.shape(right_order) else right_shape,
            None if product_shape == shape else shape,
        )
        self.emit(matrix_product, a, (a, b), how)
        self.price += self.volume(batch) * height * width * inner / BLAS_SPEED
        self.price += self.volume(left) + self.volume(right) + WRITE * self.volume(result)
        self.slots[a] = result
        del self.slots[b]

    def volume(self, axes: Any) -> int:
        """The number of values of some indices together."""
        return prod(self.sizes[k] for k in axes)

    def shape(self, axes: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes of some indices."""
        return tuple(self.sizes[k] for k in axes)

    def add_up_places(self, side: Side, other: Side) -> Side:
        """Add up the entries of a factor that an index on this side only sends to the same place."""
        offset, ties = side
        result: list[tuple[int, Any]] = []
        for k, places in ties:
            slot = self.only_carrier(k)
            line: Any = ((k, places),)
            if type(places) is not int and slot is not None and k not in dict(other[1]):
                once, group = distinct(places)
                if once.size < places.size:
                    self.gather_axis(slot, k, group, once.size)
                    first, line = affine(k, once)
                    offset += first
            result.extend(line)
        return offset, tuple(result)

    def add_up_entries(self) -> None:
        """Add up the entries of a factor that an index on both sides sends to the same place."""
        rows, columns = dict(self.rows[1]), dict(self.columns[1])
        for k in rows.keys() & columns.keys():
            slot = self.only_carrier(k)
            if slot is None or type(rows[k]) is int or type(columns[k]) is int:
                continue
            first = int(columns[k].min())
            width = int(columns[k].max()) + 1 - first
            once, group = distinct(rows[k] * width + columns[k] - first)
            if once.size < group.size:
                self.gather_axis(slot, k, group, once.size)
                rows[k], columns[k] = once // width, once % width + first
        self.rows = straightened((self.rows[0], tuple(rows.items())))
        self.columns = straightened((self.columns[0], tuple(columns.items())))

    def only_carrier(self, k: int) -> int | None:
        """The slot of the only factor that carries an index; None if there are several or none."""
        carriers = [slot for slot, axes in self.slots.items() if k in axes]
        return carriers[0] if len(carriers) == 1 else None

    def gather_axis(self, slot: int, k: int, group: Any, count: int) -> None:
        """Add up the entries along one axis of a factor, group by group."""
        axes, before = self.slots[slot], self.shape(self.slots[slot])
        self.price += 4 * WRITE * prod(before)
        self.sizes[k] = count
        after = self.shape(axes)
        ties = [(axis, step) for axis, step in enumerate(layout.strides(after)) if after[axis] > 1]
        ties = [(axis, group * step if axes[axis] == k else step) for axis, step in ties]
        if count == 1:
            self.slots[slot] = tuple(index for index in axes if index != k)
            after = self.shape(self.slots[slot])
            del self.sizes[k]
        self.emit(gathered, slot, slot, ((0, tuple(ties)), before, after))

    def count_upwards(self) -> None:
        """Let every index count upwards on its first side, so that equal matrices have equal wirings."""
        first = dict(self.columns[1]) | dict(self.rows[1])
        down = [k for k, tie in first.items() if type(tie) is int and tie < 0]
        if down:
            self.put({k: (self.sizes[k] - 1, ((k, -1),)) for k in down})

    def fuse(self) -> None:
        """Make one index of two that always move together, so that equal matrices have equal wirings."""
        again = True
        while again:
            again = False
            present = list(dict.fromkeys(k for k, _ in self.rows[1] + self.columns[1]))
            for outer in present:
                for inner in present:
                    if outer != inner and self.fusible(outer, inner):
                        self.fuse_pair(outer, inner)
                        again = True
                        break
                if again:
                    break

    def fusible(self, outer: int, inner: int) -> bool:
        """Whether two indices are the two digits of one."""
        for _, ties in (self.rows, self.columns):
            steps = dict(ties)
            if (outer in steps) != (inner in steps):
                return False
            if outer in steps:
                big, small = steps[outer], steps[inner]
                if type(big) is not int or type(small) is not int or big != small * self.sizes[inner]:
                    return False
        for axes in self.slots.values():
            if (outer in axes) != (inner in axes):
                return False
            if outer in axes and axes.index(inner) != axes.index(outer) + 1:
                return False
        return True

    def fuse_pair(self, outer: int, inner: int) -> None:
        """Replace two indices by one."""
        self.sizes[inner] *= self.sizes[outer]
        for slot, axes in self.slots.items():
            if outer in axes:
                self.slots[slot] = tuple(k for k in axes if k != outer)
                self.emit(reshape, slot, slot, self.shape(self.slots[slot]))
        self.rows = (self.rows[0], tuple(tie for tie in self.rows[1] if tie[0] != outer))
        self.columns = (self.columns[0], tuple(tie for tie in self.columns[1] if tie[0] != outer))
