"""The geometry of an SVG picture of a circuit: the rectangles of its texts and boxes, and points on its wires."""

import math
import re
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"

# Advance widths of DejaVu Sans, one of the widest fonts in use, in parts of the size, rounded up.
WIDTHS = {
    letter: width
    for width, letters in {
        0.35: "'IJijl ,./:;\\|·",
        0.45: "()-[]ft!r",
        0.5: '"*_`',
        0.55: "?csz",
        0.6: "FLkvxy",
        0.65: "$0123456789EPSTYabdeghnopqu{}",
        0.75: "ABCKRVXZNU",
        0.9: "&DGHOQ#+<=>^w~−×∞M",
        1.0: "%@Wm…",
    }.items()
    for letter in letters
}


class Rectangle(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other):
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def contains(self, x, y):
        """Whether a point is inside, and not on the edge; numbers in the file have one decimal."""
        return self.left + 0.11 < x < self.right - 0.11 and self.top + 0.11 < y < self.bottom - 0.11

    def holds(self, other):
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Picture:
    """The texts, the frames and the wires of a picture."""

    def __init__(self, svg):
        root = ElementTree.fromstring(svg)
        left, top, width, height = map(float, root.get("viewBox").split())
        self.page = Rectangle(left, top, left + width, top + height, "page")
        self.texts = [rectangle_of_text(text) for text in root.iter(f"{SVG}text")]
        self.kinds = [text.get("class") for text in root.iter(f"{SVG}text")]
        self.boxes = [rectangle_of_box(box) for box in root.iter(f"{SVG}rect")]
        self.wires = [points(path.get("d")) for path in root.iter(f"{SVG}path")]

    def faults(self):
        """All that overlaps and should not, in words."""
        for first, second in combinations(self.texts, 2):
            if first.meets(second):
                yield f"the texts {first.what} and {second.what} overlap"
        for first, second in combinations(self.boxes, 2):
            if first.meets(second):
                yield f"the boxes at {first[:2]} and {second[:2]} overlap"
        for text, kind in zip(self.texts, self.kinds, strict=True):
            for box in self.boxes:
                if text.meets(box) and not (kind == "label" and box.holds(text)):
                    yield f"the text {text.what} and the box at {box[:2]} overlap"
        for thing in (*self.texts, *self.boxes):
            if not self.page.holds(thing):
                yield f"{thing.what} leaves the page"
            for wire in self.wires:
                if any(thing.contains(x, y) for x, y in wire):
                    yield f"a wire runs through {thing.what}"


def rectangle_of_text(text):
    size, x, base = (float(text.get(name)) for name in ("font-size", "x", "y"))
    width = size * sum(WIDTHS[letter] for letter in text.text)
    left = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
    return Rectangle(left, base - 0.76 * size, left + width, base + 0.24 * size, text.text)


def rectangle_of_box(box):
    left, top, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
    return Rectangle(left, top, left + width, top + height, "a box")


def points(path):
    """Points on a path of the commands M, H and C, close to each other."""
    here = (0.0, 0.0)
    found = []
    for command, numbers in re.findall(r"([MHC])([^MHC]*)", path):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            here = tuple(values)
            continue
        ends = [*zip(values[::2], values[1::2], strict=True)] if command == "C" else [(values[0], here[1])]
        corners = [here, *ends]
        for k in range(101):
            t = k / 100
            weights = [math.comb(len(ends), i) * t**i * (1 - t) ** (len(ends) - i) for i in range(len(corners))]
            x, y = (sum(map(math.prod, zip(weights, side, strict=True))) for side in zip(*corners, strict=True))
            found.append((x, y))
        here = ends[-1]
    return found
