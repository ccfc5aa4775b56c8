"""What flows through a traced function: values forwards, and derivatives of the output backwards along the wires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Any, NamedTuple

import numpy as np

from jacobi.arguments import Argnums, Call, is_structure, tree_of
from jacobi.differentiate import trace
from jacobi.differentiate.accumulate import as_arrays, relevant
from jacobi.expressions import Step
from jacobi.matrix import Jacobian

Wire = tuple[int, int]  # the number of the step that it goes into, and the position of the operand there


class Flow(NamedTuple):
    """A traced function with all that flows through it.

    Attributes
    ----------
    steps : list of Step
        What the result is made of, and the inputs, in the order in which they ran.
    names : dict
        The names of the arguments of the function, by the numbers of their steps.
    output : Step or array
        The result; an array where it depends on no argument.
    locals : dict
        The local Jacobian along every wire that depends on the arguments.
    shares : dict
        The derivative of the output along one wire alone.
    totals : dict
        The derivative of the output by the result of a step: the sum over the wires that leave it.
    """

    steps: list[Step]
    names: dict[int, str]
    output: Any
    locals: dict[Wire, Jacobian]
    shares: dict[Wire, Jacobian]
    totals: dict[int, Jacobian]


def flow(f: Callable[..., Any], arguments: Sequence[Any], argnums: Argnums | None) -> Flow:
    """Trace a function and send the derivative of its output back through every step.

    Parameters
    ----------
    f : callable
        A function of arrays in plain NumPy.
    arguments : sequence
        Its arguments.
    argnums : int or sequence of int, optional
        The arguments to differentiate by; all numbers and floating arrays by default.
    """
    numbers = differentiable(arguments) if argnums is None else argnums
    call = Call(f, arguments, numbers)
    traced = trace(call.function, call.arrays, {}, call.positions)
    taken_apart = set(np.ravel(np.arange(len(arguments))[numbers]).tolist())
    told = names_of(f, arguments, taken_apart)
    names = {step.number: told[position] for position, step in traced.inputs.items()}
    output = traced.output
    inputs = [traced.inputs[position] for position in call.positions]
    if not isinstance(output, Step):
        zeros = {s.number: Jacobian.zero(np.shape(output), np.shape(s.value)) for s in inputs}
        return Flow(inputs, names, output, {}, {}, zeros)
    steps = ancestors(output)
    unused = [step for step in inputs if step not in steps]
    with np.errstate(all="ignore"):  # where a derivative is infinite or undefined, the picture shows it
        return Flow(unused + steps, names, output, *backwards(output, inputs))


def ancestors(output: Step) -> list[Step]:
    """The steps that a result is made of, in the order in which they ran."""
    found = {output.number: output}
    stack = [output]
    while stack:
        for _, parent in stack.pop().parents:
            if parent.number not in found:
                found[parent.number] = parent
                stack.append(parent)
    return [found[number] for number in sorted(found)]


def backwards(
    output: Step, inputs: Sequence[Step]
) -> tuple[dict[Wire, Jacobian], dict[Wire, Jacobian], dict[int, Jacobian]]:
    """The local Jacobians, the shares of the wires, and their sums: the chain rule from the output to the inputs."""
    local: dict[Wire, Jacobian] = {}
    shares: dict[Wire, Jacobian] = {}
    totals = {output.number: Jacobian.identity(np.shape(output.value))}
    steps = relevant(output, inputs)
    active = {step.number for step in steps}
    ends = {step.number for step in inputs}
    for step in steps:
        total = totals[step.number]
        wanted = [(operand, parent) for operand, parent in step.parents if parent.number in active]
        if step.operation is None or step.number in ends:
            continue
        found = locals_of(step, [operand for operand, _ in wanted])
        for (operand, parent), matrix in zip(wanted, found, strict=True):
            wire = step.number, operand
            local[wire] = matrix
            shares[wire] = share = total @ matrix
            known = totals.get(parent.number)
            totals[parent.number] = share if known is None else known + share
    for step in inputs:
        totals.setdefault(step.number, Jacobian.zero(np.shape(output.value), np.shape(step.value)))
    return local, shares, totals


def locals_of(step: Step, operands: Sequence[int]) -> list[Jacobian]:
    """The local Jacobians of a step by some of its operands."""
    operation: Any = step.operation
    value, arguments = as_arrays(step)
    if operation.piecewise_constant:
        return [Jacobian.zero(np.shape(value), np.shape(arguments[operand])) for operand in operands]
    traced = [operand for operand, _ in step.parents]
    found: list[Jacobian] = operation.locals(operands, value, arguments, step.keywords, traced)
    return found


# The arguments ----------------------------------------------------------------------------------------------------


def differentiable(arguments: Sequence[Any]) -> list[int]:
    """The positions of all numbers, floating arrays and structures of arrays; of all arguments if there are none."""
    found = [position for position, argument in enumerate(arguments) if is_differentiable(argument)]
    return found or list(range(len(arguments)))


def is_differentiable(argument: Any) -> bool:
    """Whether one differentiates by such an argument without being told to: arrays of integers are positions."""
    if is_structure(argument):
        return True
    kind, size = np.asarray(argument).dtype.kind, np.ndim(argument)
    return kind == "f" or (kind in "iu" and size == 0)


def names_of(f: Callable[..., Any], arguments: Sequence[Any], taken_apart: set[int]) -> list[str]:
    """The names of the arguments as the function declares them; of every part of those that are taken apart."""
    names: list[str] = []
    for parameter in parameters(f):
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{k}]" for k in range(len(arguments) - len(names))]
        names.append(parameter.name)
    names += [f"x{position}" for position in range(len(names), len(arguments))]
    return [
        path
        for position, (name, argument) in enumerate(zip(names, arguments, strict=False))
        for path in (paths(name, tree_of(argument)) if position in taken_apart else [name])
    ]


def parameters(f: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a function; none where it has no signature, such as a ufunc."""
    try:
        return list(signature(f).parameters.values())
    except (TypeError, ValueError):
        return []


def paths(name: str, tree: Any) -> list[str]:
    """The names of the arrays in a structure, such as ``layer['W']`` and ``points[0]``."""
    if isinstance(tree, dict):
        return [path for key, part in tree.items() for path in paths(f"{name}[{key!r}]", part)]
    if isinstance(tree, (tuple, list)):
        fields = [f"{name}.{field}" for field in getattr(tree, "_fields", ())]
        fields = fields or [f"{name}[{k}]" for k in range(len(tree))]
        return [path for field, part in zip(fields, tree, strict=True) for path in paths(field, part)]
    return [name]
