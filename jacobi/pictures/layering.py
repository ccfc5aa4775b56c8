"""Layered layout of a diagram: columns, an order with few crossings, and heights at which wires run straight.

The way of Sugiyama, Tagawa and Toda (1981): every block gets the column after the last of its predecessors, a wire that
passes a column gets a place of its own there, barycentres order the columns, and heights are the least squares solution
that keeps the order and the distances.  Texts belong to the blocks, so where blocks do not overlap no text does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple

SWEEPS = 12  # for the order
SETTLING = 120  # sweeps for the heights
SPACE = 12.0  # between the blocks of a column
PASSING = 7.0  # half the height that a wire needs in a column that it passes
STRAIGHT = 6.0  # how much more it counts that a passing wire is straight


class Block(NamedTuple):
    """What the layout needs to know of a box.

    Attributes
    ----------
    lead, body, tail : float
        The widths of the texts before it, of the box, and of the texts behind it.
    up, down : float
        How far it reaches above and below its middle, texts included.
    inlets, outlets : tuple of float
        The heights at which wires enter and leave, from the middle.
    """

    lead: float
    body: float
    tail: float
    up: float
    down: float
    inlets: tuple[float, ...]
    outlets: tuple[float, ...]


class Link(NamedTuple):
    """A wire between blocks: from an outlet of one to an inlet of another."""

    source: int
    outlet: int
    target: int
    inlet: int


class Column(NamedTuple):
    """A column: where it begins, where its boxes begin and end, where it ends."""

    left: float
    body: float
    tail: float
    right: float


class Segment(NamedTuple):
    """A part of a wire between neighbouring columns, between places that are numbered like blocks, and then on."""

    source: int
    leaving: float
    target: int
    arriving: float


class Place(NamedTuple):
    """Where a block stands, or where a wire passes: the column, and the height of its middle."""

    column: int
    y: float


class Layout(NamedTuple):
    """Where everything is.

    Attributes
    ----------
    columns : list of Column
        The columns from left to right.
    places : list of Place
        The places of the blocks, and then those of passing wires.
    trees : dict
        The segments of all wires from an outlet, by the block and the number of the outlet.
    width, height : float
        The size of all.
    """

    columns: list[Column]
    places: list[Place]
    trees: dict[tuple[int, int], list[Segment]]
    width: float
    height: float


def layout(blocks: Sequence[Block], links: Sequence[Link]) -> Layout:
    """Lay out blocks that are given in an order in which links lead from earlier to later ones."""
    layers = layers_of(len(blocks), links)
    every = list(blocks)
    trees = with_passing(every, layers, links)
    segments = [segment for tree in trees.values() for segment in tree]
    order = ordered(layers, segments)
    heights = heights_of(every, order, segments)
    top = min((y - block.up for y, block in zip(heights, every, strict=True)), default=0.0)
    heights = [y - top for y in heights]
    columns = columns_of(every, order, heights, layers, segments)
    bottom = max((y + block.down for y, block in zip(heights, every, strict=True)), default=0.0)
    places = [Place(layer, y) for layer, y in zip(layers, heights, strict=True)]
    return Layout(columns, places, trees, columns[-1].right if columns else 0.0, bottom)


def layers_of(count: int, links: Sequence[Link]) -> list[int]:
    """The column of every block: after its predecessors; what has none stands right before its first use."""
    layers = [0] * count
    for link in sorted(links, key=lambda link: link.source):
        layers[link.target] = max(layers[link.target], layers[link.source] + 1)
    fed = {link.target for link in links}
    uses: dict[int, int] = {}
    for link in links:
        uses[link.source] = min(uses.get(link.source, layers[link.target]), layers[link.target])
    return [layer if block in fed else uses.get(block, 1) - 1 for block, layer in enumerate(layers)]


def with_passing(blocks: list[Block], layers: list[int], links: Sequence[Link]) -> dict[tuple[int, int], list[Segment]]:
    """The segments of the wires; places where wires pass a column are appended to the blocks and the columns.

    All wires from one outlet share their way as long as they can.
    """
    trees: dict[tuple[int, int], list[Segment]] = {}
    for source, outlet in sorted({(link.source, link.outlet) for link in links}):
        mine = [link for link in links if (link.source, link.outlet) == (source, outlet)]
        tree = trees[source, outlet] = []
        start, leaving = source, blocks[source].outlets[outlet]
        for layer in range(layers[source] + 1, max(layers[link.target] for link in mine) + 1):
            for link in mine:
                if layers[link.target] == layer:
                    tree.append(Segment(start, leaving, link.target, blocks[link.target].inlets[link.inlet]))
            if any(layers[link.target] > layer for link in mine):
                blocks.append(Block(0.0, 0.0, 0.0, PASSING, PASSING, (0.0,), (0.0,)))
                layers.append(layer)
                tree.append(Segment(start, leaving, len(blocks) - 1, 0.0))
                start, leaving = len(blocks) - 1, 0.0
    return trees


# The order in the columns -----------------------------------------------------------------------------------------


def ordered(layers: Sequence[int], segments: Sequence[Segment]) -> list[list[int]]:
    """The blocks of every column from top to bottom, with few crossings."""
    rank = from_the_end(layers, segments)
    best: list[list[int]] = []
    fewest = inf
    for key in (rank.__getitem__, lambda block: block):
        order = [sorted(column, key=key) for column in columns_of_layers(layers)]
        for sweep in range(SWEEPS):
            count = crossings(order, layers, segments)
            if count < fewest:
                best, fewest = order, count
            order = swept(order, segments, forwards=sweep % 2 == 0)
    return exchanged(best, layers, segments)


def columns_of_layers(layers: Sequence[int]) -> list[list[int]]:
    """The blocks of every column."""
    columns: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for block, layer in enumerate(layers):
        columns[layer].append(block)
    return columns


def from_the_end(layers: Sequence[int], segments: Sequence[Segment]) -> list[int]:
    """The rank of every block when one goes back from the last column and takes the upper inlet first.

    Nothing crosses in this order if every outlet has one wire, because then the circuit is a tree.
    """
    before: dict[int, list[Segment]] = {}
    for segment in sorted(segments, key=lambda segment: segment.arriving):
        before.setdefault(segment.target, []).append(segment)
    ranks: dict[int, int] = {}
    stack = sorted(range(len(layers)), key=lambda block: layers[block])
    while stack:
        block = stack.pop()
        if block not in ranks:
            ranks[block] = len(ranks)
            stack += [segment.source for segment in reversed(before.get(block, []))]
    return [ranks[block] for block in range(len(layers))]


def exchanged(order: list[list[int]], layers: Sequence[int], segments: Sequence[Segment]) -> list[list[int]]:
    """Neighbours in a column change places as long as that leaves fewer crossings."""
    best, fewest = order, crossings(order, layers, segments)
    improved = fewest > 0
    while improved:
        improved = False
        for layer, column in enumerate(best):
            for k in range(len(column) - 1):
                tried = [*column[:k], column[k + 1], column[k], *column[k + 2 :]]
                other = [*best[:layer], tried, *best[layer + 1 :]]
                if (count := crossings(other, layers, segments)) < fewest:
                    best, fewest, column, improved = other, count, tried, True
    return best


def swept(order: list[list[int]], segments: Sequence[Segment], forwards: bool) -> list[list[int]]:
    """The columns one after the other, each sorted by the mean position of what it is connected with."""
    rank = {block: float(k) for column in order for k, block in enumerate(column)}
    result = [list(column) for column in order]
    for column in result if forwards else reversed(result):
        sums: dict[int, list[float]] = {block: [] for block in column}
        for segment in segments:
            mine, other = (segment.target, segment.source) if forwards else (segment.source, segment.target)
            port = segment.leaving if forwards else segment.arriving
            if mine in sums:
                sums[mine].append(rank[other] + port / 1000)  # the upper inlet first
        means = {block: sum(found) / len(found) if found else rank[block] for block, found in sums.items()}
        column.sort(key=lambda block: (means[block], rank[block]))
        rank.update({block: float(k) for k, block in enumerate(column)})
    return result


def crossings(order: list[list[int]], layers: Sequence[int], segments: Sequence[Segment]) -> int:
    """How many pairs of segments cross."""
    rank = {block: k for column in order for k, block in enumerate(column)}
    gaps: dict[int, list[tuple[tuple[int, float], tuple[int, float]]]] = {}
    for s in segments:
        ends = ((rank[s.source], s.leaving), (rank[s.target], s.arriving))
        gaps.setdefault(layers[s.source], []).append(ends)
    return sum(
        (a[0] < b[0] and a[1] > b[1]) or (a[0] > b[0] and a[1] < b[1])
        for gap in gaps.values()
        for k, a in enumerate(gap)
        for b in gap[:k]
    )


# Heights and columns ----------------------------------------------------------------------------------------------


def heights_of(blocks: Sequence[Block], order: list[list[int]], segments: Sequence[Segment]) -> list[float]:
    """Heights at which wires are nearly straight and blocks keep their order and distance."""
    heights = [0.0] * len(blocks)
    for column in order:
        for above, below in pairwise(column):
            heights[below] = heights[above] + distance(blocks, above, below)
    pulls: list[list[tuple[int, float, float, bool]]] = [[] for _ in blocks]  # whom to follow, how far off, how much
    for s in segments:
        passing = sum(not blocks[end].body for end in (s.source, s.target))
        weight = STRAIGHT**passing
        pulls[s.target].append((s.source, s.leaving - s.arriving, weight, True))
        pulls[s.source].append((s.target, s.arriving - s.leaving, weight, False))
    for sweep in range(SETTLING + 1):
        sides = ((True,), (False,), (True, False))[2 if sweep == SETTLING else sweep % 2]
        for column in order if True in sides else reversed(order):
            wanted, weights = [], []
            for block in column:
                found = [(heights[other] + off, w) for other, off, w, side in pulls[block] if side in sides]
                total = sum(w for _, w in found)
                wanted.append(sum(y * w for y, w in found) / total if found else heights[block])
                weights.append(total if found else 0.1)
            gaps = [distance(blocks, above, below) for above, below in pairwise(column)]
            for block, y in zip(column, spread(wanted, weights, gaps), strict=True):
                heights[block] = y
    return heights


def distance(blocks: Sequence[Block], above: int, below: int) -> float:
    """The least distance of the middles of two neighbours in a column."""
    return blocks[above].down + SPACE + blocks[below].up


def spread(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The heights nearest to the wanted ones, in the sense of weighted least squares, that keep the gaps.

    Without the gaps between them the heights must not decrease: isotonic regression, by pooling adjacent violators.
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    pools: list[tuple[float, float, int]] = []  # the mean, its weight, and how many share it
    for y, weight, offset in zip(wanted, weights, offsets, strict=False):
        mean, total, count = y - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, more, others = pools.pop()
            mean, total, count = (mean * total + other * more) / (total + more), total + more, count + others
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def columns_of(
    blocks: Sequence[Block],
    order: list[list[int]],
    heights: Sequence[float],
    layers: Sequence[int],
    segments: Sequence[Segment],
) -> list[Column]:
    """The columns from left to right, with room between them for the curves of the wires."""
    rises = [0.0] * len(order)  # the largest rise of a wire behind a column
    for s in segments:
        rise = abs(heights[s.target] + s.arriving - heights[s.source] - s.leaving)
        rises[layers[s.source]] = max(rises[layers[s.source]], rise)
    columns: list[Column] = []
    left = 0.0
    for column, rise in zip(order, rises, strict=True):
        body = left + max(blocks[block].lead for block in column)
        tail = body + max(blocks[block].body for block in column)
        right = tail + max(blocks[block].tail for block in column)
        columns.append(Column(left, body, tail, right))
        left = right + min(16.0 + 0.4 * rise, 70.0)
    return columns
