"""The properties that the rule of every operation has, each a function that checks it on one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobi.differentiate import jacobians, trace
from jacobi.differentiate.accumulate import local_jacobians
from jacobi.differentiate.trace import without_rule
from jacobi.expressions import Graph, Node, Step, evaluate
from jacobi.matrix import Jacobian
from jacobi.matrix.term import Term
from jacobi.rules import REGISTRY, Elementwise, Move, Rule
from jacobi.testing.cases import Case, everything, of_one, replaced
from jacobi.testing.numbers import agree, explain, rounding, slope_along, slope_of, within
from jacobi.transforms import gradient, jacobian, jvp, vjp


def check_value(case: Case) -> None:
    """Tracing changes neither the value nor its type, and the operands stay as they are."""
    __tracebackhide__ = True
    before = [x.copy() for x in case.variables]
    traced = trace(case, case.variables, {}, range(len(before)))
    expected, found = np.asarray(case.value), traced.value
    assert found.shape == expected.shape, f"the traced value has shape {found.shape}, not {expected.shape}"
    assert found.dtype == expected.dtype, f"the traced value has type {found.dtype}, not {expected.dtype}"
    exact = isinstance(case.rule, Rule)
    agree(found, expected, 0 if exact else rounding(expected), "the traced value", "NumPy")
    for k, (x, copy) in enumerate(zip(case.variables, before, strict=True)):
        assert np.array_equal(x, copy, equal_nan=True), f"operand {k} was changed"


def check_jacobian(case: Case) -> None:
    """The Jacobian by all operands together agrees with finite differences."""
    __tracebackhide__ = True
    found = jacobian(case, everything(case))(*case.variables)
    for k, (J, x) in enumerate(zip(found, case.variables, strict=True)):
        assert J.out_shape == case.value.shape, f"J by operand {k} has the output shape {J.out_shape}"
        assert J.in_shape == x.shape, f"J by operand {k} has the input shape {J.in_shape}, not {x.shape}"
        assert J.toarray().shape == (case.value.size, x.size), f"J by operand {k} is {J.toarray().shape}"
        function = of_one(case, k)
        slope, bound = slope_along(function, x, case.directions[k])
        product = J.toarray() @ case.directions[k].ravel()
        if not within(product, slope, bound + rounding(J.toarray())):
            explain(function, x, J, f"J by operand {k}")
            agree(product, slope, bound, f"J by operand {k} times a direction", "finite differences")


def check_alone(case: Case) -> None:
    """By each operand alone, with the others as constants, the Jacobian is the same (away from ties)."""
    __tracebackhide__ = True
    together = jacobian(case, everything(case))(*case.variables)
    numbers = [float(x) if x.ndim == 0 else x for x in case.variables]
    for k, (J, x) in enumerate(zip(together, case.variables, strict=True)):
        size = rounding(J.toarray())
        for constants, what in ((case.variables, "beside arrays"), (numbers, "beside Python numbers")):
            alone = jacobian(of_one(case, k, constants))(x)
            agree(alone.toarray(), J.toarray(), size, f"J by operand {k} alone, {what},", "J by all operands")


def check_adjoint(case: Case) -> None:
    """``<u, J v> = <J^T u, v>`` with the matrix-free products, and ``J v`` is that of the matrix."""
    __tracebackhide__ = True
    found = jacobian(case, everything(case))(*case.variables)
    _, forward = jvp(case, tuple(case.variables), tuple(case.directions))
    _, pullback = vjp(case, *case.variables)
    covectors = pullback(case.weights)
    covectors = covectors if isinstance(covectors, tuple) else (covectors,)
    expected = np.zeros(case.value.size)
    total, size = 0.0, 1.0
    for k, (J, v, w) in enumerate(zip(found, case.directions, covectors, strict=True)):
        assert w.shape == v.shape, f"vjp gives shape {w.shape} for operand {k} of shape {v.shape}"
        expected = expected + J @ v.ravel()
        total += float(np.sum(w * v))
        size += float(np.sum(np.abs(J.toarray())))
    assert np.shape(forward) == case.value.shape, f"jvp gives shape {np.shape(forward)}, not {case.value.shape}"
    agree(np.ravel(forward), expected, 1e-12 * size, "jvp", "J @ v")
    agree(np.asarray(total), np.sum(case.weights * forward), 1e-12 * size, "<J^T u, v> of vjp", "<u, J v> of jvp")


def check_again(case: Case) -> None:
    """The derivative of the gradient agrees with finite differences of the gradient."""
    __tracebackhide__ = True
    if getattr(case.rule, "once", ""):
        return

    def gradients(*variables: Any) -> Any:
        return np.concatenate([np.ravel(g) for g in gradient(case.weighted, everything(case))(*variables)])

    product = np.zeros(sum(x.size for x in case.variables))
    for J, v in zip(jacobian(gradients, everything(case))(*case.variables), case.directions, strict=True):
        product = product + J @ v.ravel()

    def along(t: Any) -> Any:
        return gradients(*(x + (t - 1) * v for x, v in zip(case.variables, case.directions, strict=True)))

    slope, bound = slope_of(along, product.size)
    agree(product, slope, bound + rounding(product), "the second derivative along a direction", "finite differences")


def check_nodes(case: Case) -> None:
    """The Jacobian recorded at one point and evaluated at another is the Jacobian at the other point."""
    __tracebackhide__ = True
    graph = Graph(REGISTRY, without_rule)
    inputs = [graph.input(x if x.ndim else x[()]) for x in case.variables]
    recorded = jacobian(case, everything(case))(*(Node(graph, step) for step in inputs))
    expected = jacobian(case, everything(case))(*case.elsewhere)
    values = {step.number: x for step, x in zip(inputs, case.elsewhere, strict=True)}
    for k, (J, numbers) in enumerate(zip(recorded, expected, strict=True)):
        found = evaluated(graph, J, values)
        size = rounding(numbers.toarray())
        what = f"J by operand {k} recorded and evaluated"
        agree(found.toarray(), numbers.toarray(), size, what, "the rule on arrays")


def check_needs(case: Case) -> None:
    """The rule gives the same without the values that it says it does not look at."""
    __tracebackhide__ = True
    for step in trace(case, case.variables, {}, everything(case)).graph.steps:
        operation: Any = step.operation
        if operation is None or operation.piecewise_constant:
            continue
        values = [a.value if isinstance(a, Step) else a for a in step.arguments]
        traced = tuple(position for position, _ in step.parents)
        result, operands = operation.needed(traced)
        others = [value if k in operands or k not in traced else unseen(value) for k, value in enumerate(values)]
        y = step.value if result else unseen(step.value)
        with np.errstate(all="ignore"):
            expected = operation.locals(traced, step.value, values, step.keywords, traced)
            found = operation.locals(traced, y, others, step.keywords, traced)
        for operand, J, reference in zip(traced, found, expected, strict=True):
            what = f"J of {operation.name} by operand {operand} without {values} looked at"
            agree(J.toarray(), reference.toarray(), 0, what, "the rule with all values")


def unseen(value: Any) -> Any:
    """An array of the same shape and type, without the values."""
    kind = np.asarray(value).dtype
    return np.broadcast_to(np.full((), np.nan if kind.kind == "f" else 0, kind), np.shape(value))


def check_structure(case: Case) -> None:
    """No array of the size of the Jacobian is stored, and as few numbers as the kind of operation promises."""
    __tracebackhide__ = True
    traced = trace(case, case.variables, {}, everything(case))
    steps = traced.graph.steps
    check_spaces(steps)
    largest = max([1, *(np.size(step.value) for step in steps)])
    dense = any(getattr(step.operation, "dense", "") for step in steps)
    for k, J in enumerate(jacobians(traced, everything(case))):
        stored = [factor.size for term in J.terms for factor in term.factors]
        ties = [tie for term in J.terms for _, tie in term.wiring.rows[1] + term.wiring.columns[1]]
        positions = sum(tie.size for tie in ties if type(tie) is not int)
        what = f"J by operand {k} ({J.structure}, {J.out_shape} <- {J.in_shape})"
        if isinstance(case.rule, Elementwise):
            assert sum(stored) <= max(case.value.size, 1), f"{what} stores {sum(stored)} numbers"
            assert not positions, f"{what} stores {positions} positions"
            if J.out_shape == J.in_shape and J.shape[0] > 1:
                assert J.structure in ("zero", "identity", "diagonal"), f"{what} is not diagonal"
        if isinstance(case.rule, Move):
            assert not stored, f"{what} stores numbers"
            assert positions <= 2 * case.value.size, f"{what} stores {positions} positions"
        if case.rule.piecewise_constant:
            assert not J.terms, f"{what} is not zero"
        if not dense:
            assert max(stored, default=0) <= largest, f"{what} stores an array of {max(stored)} numbers"


def check_spaces(steps: Sequence[Step]) -> None:
    """Every local Jacobian maps the space of its operand to the space of the result."""
    __tracebackhide__ = True
    for step in steps:
        arguments = [a.value if isinstance(a, Step) else a for a in step.arguments]
        for operand, parent in step.parents:
            local = step.operation.local(operand, step.value, arguments, step.keywords)  # type: ignore[union-attr]
            found, expected = (local.in_shape, local.out_shape), (parent.value.shape, step.value.shape)
            assert found == expected, f"the rule by operand {operand} maps (from, to) {found}, not {expected}"


def check_types(case: Case) -> None:
    """float32 stays float32 where NumPy keeps it, and integers give what the same floating numbers give."""
    __tracebackhide__ = True
    exact = jacobian(case, everything(case))(*case.variables)
    singles = [x.astype(np.float32) for x in case.variables]
    y = np.asarray(case(*singles))
    traced = trace(case, singles, {}, everything(case))
    assert traced.value.dtype == y.dtype, f"for float32 the traced value has type {traced.value.dtype}, not {y.dtype}"
    found = jacobians(traced, everything(case))
    for k, (J, reference) in enumerate(zip(found, exact, strict=True)):
        if y.dtype == np.float32:
            assert J.dtype == np.float32, f"J by operand {k} is {J.dtype} for float32"
            assert J.toarray().dtype == np.float32, f"J.toarray() by operand {k} is {J.toarray().dtype} for float32"
            single_precision([J], f"J by operand {k}")
        size = 2e-3 * (1 + np.max(np.abs(reference.toarray()), initial=0))
        agree(J.toarray(), reference.toarray(), size, f"J by operand {k} in float32", "float64")
    if y.dtype == np.float32 and isinstance(traced.output, Step):
        inputs = [traced.inputs[k] for k in everything(case)]
        for edges in local_jacobians(traced, traced.output, inputs).values():
            single_precision([local for _, local in edges], "a local Jacobian")
    check_integers(case)


def single_precision(matrices: Sequence[Jacobian], what: str) -> None:
    """No factor takes more memory than float32."""
    __tracebackhide__ = True
    for factor in (factor for J in matrices for term in J.terms for factor in term.factors):
        assert factor.dtype == np.float32, f"{what} stores {factor.dtype} for float32"


def check_integers(case: Case) -> None:
    """Integers as variables, and as constants beside a variable, give what floating numbers give."""
    __tracebackhide__ = True
    wholes = [np.copysign(np.ceil(np.abs(x)), x) for x in case.variables]
    if not all(np.isfinite(x).all() for x in wholes):
        return  # no integer is NaN
    integers = [x.astype(int) for x in wholes]
    try:
        floating = jacobian(case, everything(case))(*wholes)
    except (np.linalg.LinAlgError, ValueError):
        return  # rounded operands may lie outside the domain
    promoted = jacobian(case, everything(case))(*integers)
    for k, (J, reference) in enumerate(zip(promoted, floating, strict=True)):
        assert J.dtype.kind == "f", f"J by operand {k} is {J.dtype} for integers"
        agree(J.toarray(), reference.toarray(), 0, f"J by operand {k} of integers", "floating numbers")
        if len(wholes) > 1:
            beside = [*integers[:k], wholes[k], *integers[k + 1 :]]
            try:
                value = np.asarray(case(*beside))
            except (TypeError, ValueError):
                continue
            if value.dtype.kind == "f":
                mixed = jacobian(case, k)(*beside)
                plain = jacobian(of_one(case, k, wholes))(wholes[k])
                size = rounding(plain.toarray())
                agree(mixed.toarray(), plain.toarray(), size, f"J by operand {k} beside integers", "floating numbers")


def check_memory(case: Case) -> None:
    """Operands that are read-only, reversed, strided or in Fortran order give the same and are not changed."""
    __tracebackhide__ = True
    expected = jacobian(case, everything(case))(*case.variables)
    for name, layout in LAYOUTS.items():
        arranged = [layout(x) for x in case.variables]
        for x in arranged:
            x.flags.writeable = False
        found = jacobian(case, everything(case))(*arranged)
        for k, (J, reference) in enumerate(zip(found, expected, strict=True)):
            size = rounding(reference.toarray())
            agree(J.toarray(), reference.toarray(), size, f"J by operand {k}, {name}", "plain operands")
        for x, original in zip(arranged, case.variables, strict=True):
            assert np.array_equal(x, original, equal_nan=True), f"an operand was changed ({name})"
    traced = trace(case, case.variables, {}, everything(case))
    if isinstance(traced.output, Step):
        before = [np.copy(step.value) for step in traced.graph.steps]
        local_jacobians(traced, traced.output, [traced.inputs[k] for k in everything(case)])
        for step, value in zip(traced.graph.steps, before, strict=True):
            assert np.array_equal(step.value, value, equal_nan=value.dtype.kind == "f"), f"the rule changes {step}"


def check_kinks(case: Case) -> None:
    """The samples keep away from the places that the rule declares as kinks."""
    __tracebackhide__ = True
    if getattr(case.rule, "kink", None) is not None:
        assert isinstance(case.rule, Rule)
        arguments, keywords = case.rule.operands(*replaced(case.call, iter(case.variables)))
        distance = case.rule.distance(case.value, *arguments, **keywords)
        assert np.all(distance != 0), "the rule declares a kink at a sample"


PROPERTIES: dict[str, Callable[[Case], None]] = {
    "value": check_value,
    "jacobian": check_jacobian,
    "alone": check_alone,
    "adjoint": check_adjoint,
    "again": check_again,
    "nodes": check_nodes,
    "needs": check_needs,
    "structure": check_structure,
    "types": check_types,
    "memory": check_memory,
    "kinks": check_kinks,
}

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "in Fortran order": lambda x: np.array(x, order="F"),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x.copy(),
    "reversed": lambda x: x[::-1].copy()[::-1] if x.ndim else x.copy(),
}


def evaluated(graph: Graph, J: Jacobian, values: dict[int, Any]) -> Jacobian:
    """A Jacobian whose factors are nodes, with numbers for them at new values of the inputs."""
    terms = []
    for term in J.terms:
        nodes = [factor for factor in term.factors if isinstance(factor, Node)]
        numbers = iter(evaluate(graph.steps, values, [node.current() for node in nodes]))
        factors = tuple(np.asarray(next(numbers)) if isinstance(f, Node) else f for f in term.factors)
        terms.append(Term(term.coefficient, factors, term.wiring))
    return Jacobian(terms, J.out_shape, J.in_shape)
