"""The diagram of a circuit before it is laid out: boxes, what leaves them, and wires, with all their texts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jacobi.differentiate.kinks import distances
from jacobi.expressions import Step
from jacobi.matrix import Jacobian
from jacobi.pictures import wording
from jacobi.pictures.flow import Flow
from jacobi.pictures.folding import Group, folded

LARGEST = 40  # boxes of operations; longer circuits are folded
MANY = 3  # wires between the same boxes; more are drawn as one
LISTED = 8  # operations that are named in a folded box, and lines in the text of a box


class Outlet(NamedTuple):
    """What leaves a box.

    Attributes
    ----------
    value, gradient : str
        What is written above and below the wire.
    title : str
        The text that appears under the pointer.
    """

    value: str
    gradient: str
    title: str = ""


class Box(NamedTuple):
    """An operation, an argument of the function, a constant, several operations in one, or the result.

    Attributes
    ----------
    kind : {"input", "constant", "operation", "folded", "output"}
        What it is.
    lines : tuple of str
        What is written in it.
    title : str
        The text that appears under the pointer: the operation, its line in the user's code, its local Jacobians.
    outlets : tuple of Outlet
        What leaves it: one variable, or those of a folded box that are used elsewhere.
    inlets : int
        How many wires enter it.
    """

    kind: str
    lines: tuple[str, ...]
    title: str
    outlets: tuple[Outlet, ...]
    inlets: int


class Wire(NamedTuple):
    """A wire from an outlet of a box to an inlet of another one.

    Attributes
    ----------
    source, outlet : int
        Where it begins.
    target, inlet : int
        Where it ends.
    share : str
        The part of the gradient that comes through this wire, where the variable has several wires.
    """

    source: int
    outlet: int
    target: int
    inlet: int
    share: str


class Diagram(NamedTuple):
    """Boxes, in an order in which wires lead from earlier to later ones, and wires."""

    name: str
    boxes: list[Box]
    wires: list[Wire]


def diagram(flow: Flow, name: str, digits: int) -> Diagram:
    """The diagram of a function.

    Parameters
    ----------
    flow : Flow
        What flows through the function.
    name : str
        The name of the result.
    digits : int
        The significant digits of all numbers.
    """
    return Writer(flow, digits).diagram(name)


class Writer:
    """Writes the diagram of a function.

    Attributes
    ----------
    groups : list of Group
        The steps of every box; the inputs first.
    home : dict
        The box of a step, by the number of the step.
    outlets : list of list of list of Step
        For every box, what leaves it; several variables that go the same way leave it together.
    """

    def __init__(self, flow: Flow, digits: int):
        self.flow = flow
        self.digits = digits
        self.output = flow.output if isinstance(flow.output, Step) else None
        self.scalar = np.size(flow.output.value if self.output else flow.output) == 1
        sources = [step for step in flow.steps if step.operation is None]
        operations = [step for step in flow.steps if step.operation is not None]
        self.groups = [Group((step,), 1, None) for step in sources] + folded(operations, LARGEST)
        self.home = {step.number: box for box, group in enumerate(self.groups) for step in group.steps}
        self.uses = self._uses()
        self.outlets = [self._outlets(group) for group in self.groups]

    def diagram(self, name: str) -> Diagram:
        """The whole diagram."""
        wires = self._wires()
        inlets = [sum(wire.target == box for wire in wires) for box in range(len(self.groups) + 1)]
        boxes = [self._box(box, group, inlets[box]) for box, group in enumerate(self.groups)]
        last = Outlet("", "") if self.output else Outlet(self._value([]), "")
        boxes.append(Box("output", (name,), f"{name}, the result", (last,), inlets[-1]))
        return Diagram(name, boxes, wires)

    def _uses(self) -> dict[int, list[tuple[int, int, int]]]:
        """The wires that leave each step for another box: that box, the step there, and its operand."""
        uses: dict[int, list[tuple[int, int, int]]] = {}
        for step in self.flow.steps:
            box = self.home[step.number]
            for operand, parent in step.parents:
                if self.home[parent.number] != box:
                    uses.setdefault(parent.number, []).append((box, step.number, operand))
        if self.output:
            uses.setdefault(self.output.number, []).append((len(self.groups), self.output.number, -1))
        return uses

    def _outlets(self, group: Group) -> list[list[Step]]:
        """The variables that leave a box: one by one, or together where many go the same way."""
        leaving = [step for step in group.steps if step.number in self.uses]
        if len(leaving) <= MANY:
            return [[step] for step in leaving or group.steps[-1:]]
        ways: dict[tuple[int, ...], list[Step]] = {}
        for step in leaving:
            ways.setdefault(tuple(sorted({use[0] for use in self.uses[step.number]})), []).append(step)
        bundles = [[steps] if len(steps) > MANY else [[step] for step in steps] for steps in ways.values()]
        return [steps for bundle in bundles for steps in bundle]

    def _wires(self) -> list[Wire]:
        """All wires; the inlets of an operation are in the order of its operands."""
        found: list[tuple[int, int, int, int, list[Jacobian]]] = []
        for source, outlets in enumerate(self.outlets):
            for outlet, steps in enumerate(outlets):
                ends: dict[tuple[int, int], list[Jacobian]] = {}
                for step in steps:
                    for target, number, operand in self.uses.get(step.number, ()):
                        alone = len(steps) == 1 and target < len(self.groups) and len(self.groups[target].steps) == 1
                        shares = ends.setdefault((target, operand if alone else -1), [])
                        if (number, operand) in self.flow.shares:
                            shares.append(self.flow.shares[number, operand])
                found += [(target, operand, source, outlet, shares) for (target, operand), shares in ends.items()]
        wires: list[Wire] = []
        for target, _, source, outlet, shares in sorted(found, key=lambda wire: wire[:4]):
            forked = sum(other[2:4] == (source, outlet) for other in found) > 1
            inlet = sum(wire.target == target for wire in wires)
            alone = len(self.outlets[source][outlet]) == 1
            share = self._derivative(sum(shares[1:], shares[0])) if forked and alone and shares else ""
            wires.append(Wire(source, outlet, target, inlet, share))
        return wires

    # the texts

    def _box(self, box: int, group: Group, inlets: int) -> Box:
        """A box with its texts."""
        step, outlets = group.steps[0], tuple(map(self._outlet, self.outlets[box]))
        if len(group.steps) > 1:
            return Box("folded", self._folded_lines(group), self._folded_title(group), outlets, inlets)
        if step.operation is not None:
            return Box("operation", wording.label(step, self.digits), self._title(step), outlets, inlets)
        if (name := self.flow.names.get(step.number)) is not None:
            return Box("input", (name,), f"{name}: argument of shape {np.shape(step.value)}", outlets, inlets)
        return Box("constant", ("array",), f"an array of shape {np.shape(step.value)}", outlets, inlets)

    def _outlet(self, steps: list[Step]) -> Outlet:
        """The texts of what leaves a box."""
        if len(steps) > 1:
            return Outlet(f"{len(steps)} arrays", "")
        total = self.flow.totals.get(steps[0].number)
        value, gradient = self._value(steps), self._derivative(total)
        below = "gradient" if self.scalar else "Jacobian"
        return Outlet(value, gradient, f"value {value}" + (f"\n{below} {gradient}" if gradient else ""))

    def _value(self, steps: list[Step]) -> str:
        return wording.array(steps[0].value if steps else self.flow.output, self.digits)

    def _derivative(self, matrix: Jacobian | None) -> str:
        return wording.derivative(matrix, self.scalar, self.digits)

    def _title(self, step: Step) -> str:
        """The operation, its line, and its local Jacobians."""
        assert step.operation is not None
        lines = [f"{step.operation.name}{f', {step.line}' if step.line else ''}"]
        for operand, parent in step.parents[:LISTED]:
            if (step.number, operand) in self.flow.locals:
                name = self.flow.names.get(parent.number, f"operand {operand + 1}")
                lines.append(wording.local(name, self.flow.locals[step.number, operand], self.digits))
        if any(wire[0] == step.number for wire in self.flow.locals):
            distance = distances(step)
            if distance is not None and np.any(np.ravel(distance) == 0):
                lines.append("at a kink: a convention gives the derivative")
        return "\n".join(lines)

    def _folded_lines(self, group: Group) -> tuple[str, ...]:
        """How often something is repeated, and what."""
        period = len(group.steps) // group.rounds
        names: dict[str, None] = {}
        for k in range(period):
            labels = {wording.label(step, self.digits)[0] for step in group.steps[k::period]}
            names.setdefault(labels.pop() if len(labels) == 1 else wording.sign(group.steps[k]))
        text = "  ".join(list(names)[:LISTED]) + (" …" if len(names) > LISTED else "")
        return f"{group.rounds} rounds" if group.rounds > 1 else f"{len(group.steps)} operations", text

    def _folded_title(self, group: Group) -> str:
        """How many operations there are, and the lines of the user's code that hold them."""
        lines = list(dict.fromkeys(step.line for step in group.steps if step.line))
        shown = lines[:LISTED] + (["…"] if len(lines) > LISTED else [])
        return "\n".join([f"{len(group.steps)} operations", *shown])
