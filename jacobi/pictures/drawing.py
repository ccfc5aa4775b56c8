"""A diagram as SVG: boxes as large as their texts, values above and gradients below the wires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain
from typing import NamedTuple

from jacobi.pictures.diagram import Box, Diagram
from jacobi.pictures.layering import Block, Link, Segment, layout

SIZE = {"label": 14.0, "value": 12.0, "gradient": 12.0}  # of the letters, by what the text is
LINE = 17.0  # from one line in a box to the next
PADDING = 9.0
ABOVE, BELOW = 5.0, 14.0  # from a wire to the base lines of the texts above and below
REACH = 18.0  # what a wire with texts needs above and below
NARROW = 9.0  # what a wire without texts needs
MARGIN = 10.0

# Advance widths in parts of the size, not smaller than in the usual sans-serif fonts; the widest of these is Verdana's.
WIDTHS = {
    **dict.fromkeys("ijlI.,:;'|![]()/ ·", 0.47),
    **dict.fromkeys("frtJ-*", 0.56),
    **dict.fromkeys("mwMWOQGD@%…_", 1.01),
    **dict.fromkeys("+<>=−×∞~^#&", 0.84),
}
WIDTH = {False: 0.66, True: 0.8}  # of other letters and digits, by whether they are capitals

# A file of its own has the colours of the reader's system. In a page only the page knows whether it is light or dark:
# names and lines have the colour of its text, and ``light-dark`` asks for its scheme.
STYLE = """<style>
svg.jacobi-circuit:root { color: #1f2328 }
.jacobi-circuit { font-family: "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif }
.jacobi-circuit path { fill: none; stroke: currentColor; stroke-opacity: 0.6 }
.jacobi-circuit rect { fill: currentColor; fill-opacity: 0.06; stroke: currentColor }
.jacobi-circuit .folded rect { stroke-dasharray: 5 3 }
.jacobi-circuit .label, .jacobi-circuit circle { fill: currentColor }
.jacobi-circuit .value { fill: #1a7f37 }
.jacobi-circuit .gradient { fill: #cf222e }
@supports (color: light-dark(#000, #fff)) {
.jacobi-circuit .value { fill: light-dark(#1a7f37, #4cc38a) }
.jacobi-circuit .gradient { fill: light-dark(#cf222e, #ff7b72) }
}
@media (prefers-color-scheme: dark) {
svg.jacobi-circuit:root { color: #e6edf3 }
svg.jacobi-circuit:root .value { fill: #4cc38a }
svg.jacobi-circuit:root .gradient { fill: #ff7b72 }
}
</style>"""


class Text(NamedTuple):
    """A text on the picture, with the place of the beginning, middle or end of its base line."""

    x: float
    y: float
    text: str
    kind: str
    anchor: str = "start"

    def svg(self) -> Iterator[str]:
        """The element; none for an empty text."""
        if self.text:
            place = f'x="{self.x:.1f}" y="{self.y:.1f}"'
            look = f'class="{self.kind}" font-size="{SIZE[self.kind]:g}" text-anchor="{self.anchor}"'
            yield f"<text {place} {look}>{escape(self.text)}</text>"


def width(text: str, kind: str) -> float:
    """The room that a text takes in a line, in any of the usual fonts."""
    return SIZE[kind] * sum(WIDTHS.get(letter, WIDTH[letter.isupper()]) for letter in text)


# Blocks -----------------------------------------------------------------------------------------------------------


def blocks(diagram: Diagram) -> list[Block]:
    """The boxes with the room for their texts."""
    shares: list[dict[int, str]] = [{} for _ in diagram.boxes]
    for wire in diagram.wires:
        shares[wire.target][wire.inlet] = wire.share
    return [
        block(box, [mine.get(inlet, "") for inlet in range(box.inlets)])
        for box, mine in zip(diagram.boxes, shares, strict=True)
    ]


def block(box: Box, shares: Sequence[str]) -> Block:
    """One box with the room for the texts in it, before it and behind it."""
    inlets, outlets = ports(len(shares), REACH if any(shares) else NARROW), ports(len(box.outlets), REACH)
    body = max(width(line, "label") for line in box.lines) + 2 * (0.0 if bare(box) else PADDING)
    up = down = half(box, inlets, outlets)
    if any(outlet.value for outlet in box.outlets):
        up, down = max(up, REACH - outlets[0]), max(down, outlets[-1] + REACH)
    if any(shares):
        down = max(down, inlets[-1] + REACH)
    lead = max((width(share, "gradient") + 2 * ABOVE for share in shares if share), default=0.0)
    texts = [width(text, "value") for outlet in box.outlets for text in (outlet.value, outlet.gradient) if text]
    tail = max(texts) + 2 * ABOVE if texts else 0.0
    return Block(lead, max(body, 2 * PADDING), tail, up, down, inlets, outlets)


def bare(box: Box) -> bool:
    """Whether a box is a name without a frame."""
    return box.kind in ("input", "constant", "output")


def half(box: Box, inlets: Sequence[float], outlets: Sequence[float]) -> float:
    """Half the height of the frame of a box: for its lines, and for all that enters and leaves it."""
    lines = len(box.lines) * LINE / 2 + (0.0 if bare(box) else PADDING / 2)
    return max(lines, *(NARROW + abs(y) for y in (*inlets, *outlets)))


def ports(count: int, reach: float) -> tuple[float, ...]:
    """The heights of wires side by side, from the middle of a box, with room for texts between them."""
    return tuple((k - (count - 1) / 2) * 2 * reach for k in range(count))


# SVG --------------------------------------------------------------------------------------------------------------


def svg(diagram: Diagram) -> str:
    """The picture of a diagram: a whole SVG file that can also stand in a page."""
    return Drawing(diagram).svg()


class Drawing:
    """A diagram with the place of everything.

    Attributes
    ----------
    diagram : Diagram
        The boxes and wires.
    shapes : list of Block
        The sizes of the boxes.
    plan : Layout
        Where they are.
    """

    def __init__(self, diagram: Diagram):
        self.diagram = diagram
        self.shapes = blocks(diagram)
        self.plan = layout(self.shapes, [Link(*wire[:4]) for wire in diagram.wires])

    def svg(self) -> str:
        """The whole file."""
        across, down = (f"{length + 2 * MARGIN:.0f}" for length in (self.plan.width, self.plan.height))
        view = f'width="{across}" height="{down}" viewBox="{-MARGIN:g} {-MARGIN:g} {across} {down}"'
        name = escape(f"circuit of {self.diagram.name}")
        head = f'<svg xmlns="http://www.w3.org/2000/svg" class="jacobi-circuit" {view} role="img" aria-label="{name}">'
        numbers = range(len(self.shapes))
        wires, boxes = map(self.leaving, numbers), map(self.box, numbers)
        return "\n".join([head, STYLE, *chain(*wires), *self.shares(), *chain(*boxes), "</svg>\n"])

    def frame(self, number: int) -> tuple[float, float, float]:
        """Where a box begins and ends, and the height of its middle."""
        place = self.plan.places[number]
        column = self.plan.columns[place.column]
        middle, reach = (column.body + column.tail) / 2, self.shapes[number].body / 2
        return middle - reach, middle + reach, place.y

    def leaving(self, number: int) -> Iterator[str]:
        """What leaves a box: wires as far as they go, with the value and the gradient at their beginning."""
        column = self.plan.columns[self.plan.places[number].column]
        for k, outlet in enumerate(self.diagram.boxes[number].outlets):
            _, end, middle = self.frame(number)
            y = middle + self.shapes[number].outlets[k]
            yield "<g>"
            yield from titled(outlet.title)
            if tree := self.plan.trees.get((number, k)):
                gap = ABOVE if bare(self.diagram.boxes[number]) else 0.0
                yield f'<path d="M{end + gap:.1f} {y:.1f}H{column.right:.1f}{"".join(map(self.curve, tree))}"/>'
                yield from self.forks(tree)
            x = column.tail + ABOVE
            yield from Text(x, y - ABOVE, outlet.value, "value").svg()
            yield from Text(x, y + BELOW, outlet.gradient, "gradient").svg()
            yield "</g>"

    def curve(self, segment: Segment) -> str:
        """A wire from column to column, and then on to the box, or past it."""
        source, target = self.plan.places[segment.source], self.plan.places[segment.target]
        column = self.plan.columns[target.column]
        left, right = self.plan.columns[source.column].right, column.left
        y, to = source.y + segment.leaving, target.y + segment.arriving
        end = column.right
        if segment.target < len(self.shapes):
            end = self.frame(segment.target)[0]
            end -= ABOVE if bare(self.diagram.boxes[segment.target]) else 0.0
        half = (left + right) / 2
        bend = "" if abs(to - y) < 0.05 else f"C{half:.1f} {y:.1f} {half:.1f} {to:.1f} {right:.1f} {to:.1f}"
        return f"M{left:.1f} {y:.1f}{bend}H{end:.1f}"

    def forks(self, tree: Sequence[Segment]) -> Iterator[str]:
        """A dot where a wire branches."""
        starts = [(segment.source, segment.leaving) for segment in tree]
        for source, leaving in dict.fromkeys(starts):
            if starts.count((source, leaving)) > 1:
                place = self.plan.places[source]
                x = self.plan.columns[place.column].right
                yield f'<circle cx="{x:.1f}" cy="{place.y + leaving:.1f}" r="2.5"/>'

    def shares(self) -> Iterator[str]:
        """The parts of gradients, before the boxes from which they come."""
        for wire in self.diagram.wires:
            place = self.plan.places[wire.target]
            y = place.y + self.shapes[wire.target].inlets[wire.inlet]
            x = self.plan.columns[place.column].body - ABOVE
            yield from Text(x, y + BELOW, wire.share, "gradient", "end").svg()

    def box(self, number: int) -> Iterator[str]:
        """A box with its lines."""
        box, shape = self.diagram.boxes[number], self.shapes[number]
        left, right, y = self.frame(number)
        yield f'<g class="{box.kind}">'
        yield from titled(box.title)
        if not bare(box):
            reach = half(box, shape.inlets, shape.outlets)
            size = f'width="{right - left:.1f}" height="{2 * reach:.1f}"'
            yield f'<rect x="{left:.1f}" y="{y - reach:.1f}" {size} rx="6"/>'
        first = y - (len(box.lines) - 1) * LINE / 2 + SIZE["label"] * 0.36  # base lines lie below the middle of letters
        for k, line in enumerate(box.lines):
            yield from Text((left + right) / 2, first + k * LINE, line, "label", "middle").svg()
        yield "</g>"


def titled(title: str) -> Iterator[str]:
    """The text that appears under the pointer."""
    if title:
        yield f"<title>{escape(title)}</title>"
