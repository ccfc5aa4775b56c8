"""Variants of an operation: what a person may have taken it for, in the function or in its derivative.

A term is dropped or has the wrong sign, a factor is dropped, another variable stands in its place, a matrix is inverted
or not, a sum runs along another axis, another function is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jacobi.expressions import Step
from jacobi.rules.operations import Elementwise
from jacobi.rules.registry import REGISTRY
from jacobi.verification.diagnosis.chain_rule.edge import ORDINALS, Edge, Matrix, compact
from jacobi.verification.diagnosis.chain_rule.network import place, short_name
from jacobi.verification.evidence import Array
from jacobi.verification.slips import SLIPS, Candidate

CONFUSED = (
    *((np.sin, np.cos), (np.tanh, np.sin), (np.tanh, np.arctan), (np.tanh, np.tan), (np.sinh, np.cosh)),
    *((np.exp, np.expm1), (np.log, np.log1p), (np.log, np.log2), (np.log, np.log10), (np.exp, np.exp2)),
    *((np.sqrt, np.square), (np.sqrt, np.cbrt), (np.maximum, np.minimum), (np.log, np.exp)),
)
LINEAR, SCALING, PRODUCTS = ("add", "subtract"), ("multiply", "divide"), ("matmul", "dot", "inner")
SUMS = {"sum": np.mean, "mean": np.sum}


class Variant(NamedTuple):
    """An operation in place of another.

    Attributes
    ----------
    identifier : str
        The name of the slip.
    says, cure : str
        What was done, and what to do instead; ``{}`` stands for the operation.
    operation, arguments, keywords
        What is called.
    scale : mapping of int to float
        What the local Jacobians by some operands are multiplied by.
    weight : float
        How well it fits.
    replaced : bool
        Whether another function is called.
    """

    identifier: str
    says: str
    cure: str
    operation: Any
    arguments: list[Any]
    keywords: dict[str, Any]
    scale: Mapping[int, float] = {}
    weight: float = 0.75
    replaced: bool = False

    def value(self) -> Any:
        """The value of the variant."""
        return np.asarray(self.operation.evaluate(*self.arguments, **self.keywords))

    def local(self, edge: Edge, value: Any) -> Matrix:
        """The local Jacobian of the variant by the operand of an edge."""
        matrix = self.operation.local(edge.operand, value, self.arguments, self.keywords, edge.traced)
        return self.scale.get(edge.operand, 1.0) * compact(matrix)

    def candidate(self, step: Step) -> Candidate:
        """The report of the slip at a step."""
        where = place(step)
        sentence = f"{SLIPS[self.identifier]}: {self.says.format(where)}"
        return Candidate(self.identifier, sentence, self.cure.format(where), self.weight)


class Replacement(NamedTuple):
    """Another value of an operand; its local Jacobian is multiplied by ``scale``."""

    identifier: str
    value: Any
    says: str  # "operand" stands for the operand and {} for the operation
    scale: float = 1.0
    weight: float = 0.75


def variants(step: Step, values: Mapping[str, Any]) -> Iterator[Variant]:
    """The variants of a step.

    Parameters
    ----------
    step : Step
        The step, with its operation and arguments.
    values : mapping of str to array
        The variables of the function, by what they are called.
    """
    operation: Any = step.operation
    arguments = [argument.value if isinstance(argument, Step) else argument for argument in step.arguments]
    for k, argument in enumerate(arguments[: len(ORDINALS)]):
        if not isinstance(argument, (np.ndarray, np.floating, float)) or np.asarray(argument).dtype.kind != "f":
            continue
        made_by = step.arguments[k].operation if isinstance(step.arguments[k], Step) else None
        operand = f"the {ORDINALS[k]} operand"
        for other in replacements(operation, np.asarray(argument), short_name(made_by) if made_by else "", values):
            changed = [other.value if i == k else argument for i, argument in enumerate(arguments)]
            says, cure = other.says.replace("operand", operand), f"{operand} of {{}} must stand as in the function"
            scale = {k: other.scale}
            yield Variant(other.identifier, says, cure, operation, changed, step.keywords, scale, other.weight)
    yield from other_calls(step, short_name(operation), arguments)


def replacements(operation: Any, value: Array, made_by: str, values: Mapping[str, Any]) -> Iterator[Replacement]:
    """What may stand in the place of an operand."""
    name, elementwise = short_name(operation), isinstance(operation, Elementwise)
    missing = "operand of {} is missing"
    if name in LINEAR:
        yield Replacement("term_dropped", 0 * value, missing, scale=0.0)
        yield Replacement("term_sign", -value, "operand of {} has the wrong sign", scale=-1.0, weight=0.74)
    elif name in SCALING or (name in PRODUCTS and value.ndim == 1):
        mask = 0.0 < value.mean() < 1.0 and bool(np.all((value == 0) | (value == 1)))
        for one in (1.0, -1.0) if made_by == "negative" else (1.0,):
            dropped = "mask_missing" if mask else "factor_dropped"
            yield Replacement(dropped, np.full_like(value, one), missing, scale=0.0)
        if mask:
            yield Replacement("mask_inverted", 1 - value, "operand of {} is 0 where it should be 1, and 1 where 0")
    if not elementwise and value.ndim == 2 and value.shape[0] == value.shape[1] > 1:
        if np.linalg.cond(value) < 1e8:
            yield Replacement("inverse_missing", np.linalg.inv(value), "operand of {} stands for its inverse")
        if not np.array_equal(value, value.T):
            for identifier, weight in (("missing_transpose", 0.72), ("extra_transpose", 0.7), ("symmetric_only", 0.65)):
                says = "operand of {} was taken for its own transpose"
                yield Replacement(identifier, value.T, says, weight=weight)
    if name not in LINEAR and (elementwise or name in PRODUCTS):
        for other, numbers in values.items():
            if np.shape(numbers) == value.shape and not np.array_equal(numbers, value):
                says = f"{other} stands where operand of {{}} belongs"
                yield Replacement("wrong_argument", np.asarray(numbers), says, weight=0.7)


def other_calls(step: Step, name: str, arguments: list[Any]) -> Iterator[Variant]:
    """The same arguments in another function, along another axis, with another exponent."""
    operation, keywords = step.operation, step.keywords
    axis = keywords.get("axis")
    if isinstance(axis, (int, np.integer)) and len(arguments) == 1:
        rank = np.ndim(arguments[0])
        for other in set(range(rank)) - {int(axis) % rank}:
            again = {**keywords, "axis": other}
            says = f"{{}} was taken along axis {other}"
            yield Variant("axis", says, "use the right axis", operation, arguments, again)
    if name in SUMS and SUMS[name] in REGISTRY:
        other = REGISTRY[SUMS[name]]
        says = f"{short_name(other)} stands for {{}}"
        yield Variant("sum_for_mean", says, "use {}", other, arguments, keywords, replaced=True)
    for group in CONFUSED:
        names = [function.__name__ for function in group]
        for function, other_name in zip(group, names, strict=True):
            if name in names and other_name != name and function in REGISTRY:
                says = f"{other_name} stands for {{}}"
                other = REGISTRY[function]
                yield Variant("wrong_function", says, "use {}", other, arguments, keywords, replaced=True)
