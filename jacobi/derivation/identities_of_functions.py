"""Identities of functions: ``log exp u = u``, ``1 / (1 + e^-u) = sigma(u)`` ..., one declaration each."""

# ruff: noqa: D103  (the statement of an identity is in its decorator)
from __future__ import annotations

import numpy as np

from jacobi.derivation.algebra import constant, contracted, from_leaf, number_of, transposed
from jacobi.derivation.expression import Call, Constant, Expression
from jacobi.derivation.identities import (
    calls,
    lone_factor,
    of_functions,
    term_shape,
)
from jacobi.derivation.meaning import inverted


@of_functions("1 / c is a number")
def reciprocal_of_number(call: Call) -> Expression | None:
    if call.name != "reciprocal":
        return None
    (inside,) = call.arguments
    number = number_of(inside)
    lone = lone_factor(inside)
    if number is None and lone and isinstance(lone[0], Constant) and not inside.shape:
        number = lone[0].value
    return constant(1 / number, inside.shape) if number else None


@of_functions("1 / (u v) = (1 / u) (1 / v)")
def reciprocal_of_product(call: Call) -> Expression | None:
    if call.name != "reciprocal" or len(call.arguments[0].terms) != 1 or len(call.arguments[0].terms[0].factors) < 2:
        return None
    found = inverted(call.arguments[0])
    return None if found == from_leaf(call, found.shape) else found


@of_functions("a function of 0 is a number")
def at_zero(call: Call) -> Expression | None:
    function = getattr(np, call.name, None)
    if (
        not call.elementwise
        or len(call.arguments) != 1
        or call.arguments[0].terms
        or not isinstance(function, np.ufunc)
    ):
        return None
    with np.errstate(all="ignore"):
        value = float(function(0.0))
    return constant(value, call.arguments[0].shape) if np.isfinite(value) else None


@of_functions("log exp u = u")
def log_of_exp(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name == "log" else None
    return inner[0].arguments[0] if inner and isinstance(inner[0], Call) and inner[0].name == "exp" else None


@of_functions("exp log u = u")
def exp_of_log(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name == "exp" else None
    return inner[0].arguments[0] if inner and isinstance(inner[0], Call) and inner[0].name == "log" else None


@of_functions("1 / (1 + e^u) = σ(-u)")
def sigmoid(call: Call) -> Expression | None:
    if call.name != "reciprocal" or len(call.arguments[0].terms) != 2:
        return None
    inside = call.arguments[0]
    for one, other in (inside.terms, inside.terms[::-1]):
        lone = lone_factor(Expression(inside.shape, (other,)))
        if one.coefficient == 1 and not one.factors and lone and isinstance(lone[0], Call) and lone[0].name == "exp":
            return from_leaf(Call("expit", (-lone[0].arguments[0],)), inside.shape)
    return None


@of_functions("log sum e^u = logsumexp(u)")
def logsumexp(call: Call) -> Expression | None:
    if call.name != "log" or len(call.arguments[0].terms) != 1:
        return None
    (term,) = call.arguments[0].terms
    found = list(calls(term, "exp"))
    if len(term.factors) != 1 or not found or term.coefficient != 1:
        return None
    _, inner, on = found[0]
    summed = [k for k, axis in enumerate(on) if not set(axis) & term.outer]
    kept = tuple(axis for k, axis in enumerate(on) if k not in summed)
    if not summed or kept != term.axes:
        return None
    axis = () if len(summed) == len(on) else (("axis", summed[0]),)
    if len(summed) > 1 and axis:
        return None
    return from_leaf(Call("logsumexp", inner.arguments, axis, elementwise=False), call.arguments[0].shape)


@of_functions("e^(u - logsumexp(u)) = softmax(u)")
def shifted_exponential(call: Call) -> Expression | None:
    if call.name != "exp":
        return None
    (inside,) = call.arguments
    for term in inside.terms:
        found = list(calls(term, "logsumexp"))
        if len(term.factors) != 1 or not found or term.coefficient != -1:
            continue
        _, total, on = found[0]
        axis = dict(total.parameters).get("axis")
        kept = tuple(digits for k, digits in enumerate(term.axes) if axis is not None and k != axis)
        if on == kept and Expression(inside.shape, tuple(t for t in inside.terms if t != term)) == total.arguments[0]:
            return from_leaf(Call("softmax", total.arguments, total.parameters, elementwise=False), inside.shape)
    return None


@of_functions("exp log softmax = softmax, log softmax in one")
def log_softmax(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name in ("exp", "log") else None
    wanted, new = ("log_softmax", "softmax") if call.name == "exp" else ("softmax", "log_softmax")
    if inner and isinstance(inner[0], Call) and inner[0].name == wanted:
        return from_leaf(Call(new, inner[0].arguments, inner[0].parameters, False), call.arguments[0].shape)
    return None


@of_functions("sqrt(u)^2 = u, sqrt of a square is an absolute value")
def root_of_square(call: Call) -> Expression | None:
    if call.name != "sqrt" or len(call.arguments[0].terms) != 1:
        return None
    (term,) = call.arguments[0].terms
    if term.coefficient != 1 or len(term.factors) != 2 or term.factors[0] != term.factors[1]:
        return None
    leaf, on = term.factors[0]
    if on == term.axes:
        return from_leaf(Call("abs", (from_leaf(leaf, call.arguments[0].shape),)), call.arguments[0].shape)
    if not term.axes and len(on) in (1, 2) and len({k for axis in on for k in axis}) == len(on):
        inside = from_leaf(leaf, term_shape(on, term))
        return from_leaf(Call("norm", (inside,), (("axis", None),), elementwise=False), ())
    return None


@of_functions("max(u, 0) = max(0, u)")
def zero_first(call: Call) -> Expression | None:
    if call.name not in ("maximum", "minimum", "fmax", "fmin") or len(call.arguments) != 2:
        return None
    left, right = call.arguments
    if number_of(right) is None or number_of(left) is not None:
        return None
    return from_leaf(Call(call.name, (right, left)), left.shape if left.shape else right.shape)


@of_functions("max(0, u) written relu(u)")
def relu(call: Call) -> Expression | None:
    if call.name != "relu":
        return None
    return from_leaf(Call("maximum", (constant(0), call.arguments[0])), call.arguments[0].shape)


@of_functions("A^-1 b is the solution of A x = b")
def solution(call: Call) -> Expression | None:
    if call.name != "solve" or len(call.arguments[0].shape) != 2:
        return None
    a, b = call.arguments
    inverse = from_leaf(Call("inv", (a,), (), elementwise=False), a.shape)
    rest = range(2, 1 + len(b.shape))
    return contracted([inverse, b], [(0, 1), (1, *rest)], (0, *rest))


@of_functions("cof(A) = det(A) A^-T")
def cofactors(call: Call) -> Expression | None:
    if call.name != "cofactors" or len(call.arguments[0].shape) != 2:
        return None
    inverse = from_leaf(Call("inv", call.arguments, (), elementwise=False), call.arguments[0].shape)
    determinant = from_leaf(Call("det", call.arguments, (), elementwise=False), ())
    return contracted([determinant, transposed(inverse, (1, 0))], [(), (0, 1)], (0, 1))


@of_functions("(A^-1)^-1 = A")
def double_inverse(call: Call) -> Expression | None:
    inner = lone_factor(call.arguments[0]) if call.name in ("inv", "reciprocal") else None
    return inner[0].arguments[0] if inner and isinstance(inner[0], Call) and inner[0].name == call.name else None
