"""Edits that insert what is missing in a formula: a mask, a factor of the chain rule, a term, an inverse.

Everything inserted is made of sub-expressions of the claim and of the function, of names in scope and of NumPy.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from jacobi.verification.diagnosis.formula.alterations import LEAVES, arguments, orders, transposes
from jacobi.verification.diagnosis.formula.formula import Edit, Formula, operation
from jacobi.verification.diagnosis.formula.source import Place, called_name

DERIVATIVES = {  # of y = function(x), as people write them
    "sin": ("np.cos(x)",), "cos": ("-np.sin(x)", "np.sin(x)"), "exp": ("y",), "log": ("1 / x",), "square": ("2 * x",),
    "tanh": ("1 - y**2",), "sinh": ("np.cosh(x)",), "cosh": ("np.sinh(x)",), "sqrt": ("1 / (2 * y)",),
    "tan": ("1 + y**2",), "arctan": ("1 / (1 + x**2)",), "log1p": ("1 / (1 + x)",), "abs": ("np.sign(x)",),
    "sigmoid": ("y * (1 - y)",), "expit": ("y * (1 - y)",), "reciprocal": ("-1 / x**2",),
}  # fmt: skip
SQUASHED = ("a * (1 - a)", "1 - a**2", "1 - a")  # derivatives of a sigmoid and of tanh, from their values


def spread(value: Any, factor: Any) -> Iterator[str]:
    """How to write ``t`` so that it multiplies the rows, or the columns, of a value without enlarging it."""
    shape, by = np.shape(value), np.shape(factor)
    if len(by) <= len(shape) and all(b in (1, s) for s, b in zip(shape[len(shape) - len(by) :], by, strict=True)):
        yield "t"
    if len(shape) == 2 and len(by) == 1 and by[0] == shape[0]:
        yield "t[:, None]"


def proportional(value: Any, other: Any) -> bool:
    """Whether two arrays differ by one factor only."""
    if np.shape(value) != np.shape(other) or np.size(value) < 2:
        return False
    left, right = value * np.vdot(other, other), other * np.vdot(other, value)
    return bool(np.max(np.abs(left - right)) <= 1e-9 * np.max(np.abs(left)))


def diagonals(formula: Formula) -> Iterator[Edit]:
    """Make a diagonal matrix of a vector."""
    for place, _ in formula.values(rank=1):
        if formula.numpy and (place.is_root or isinstance(place.parent, ast.BinOp | ast.Call)):
            yield formula.edit("diagonal_as_vector", place, "np.diag(a)", a=place.node)


def squares(formula: Formula) -> Iterator[Edit]:
    """Use the symmetric part of a square matrix, or its inverse."""
    for place, value in formula.values(rank=2):
        if value.shape[0] == value.shape[1]:
            if formula.numpy:
                yield formula.edit("inverse_missing", place, "np.linalg.inv(a)", a=place.node)
            yield formula.edit("symmetric_only", place, "(a + a.T) / 2", a=place.node)
            yield formula.edit("term_dropped", place, "a + a.T", a=place.node)
            if operation(node := place.node, ast.Mult) and ast.unparse(node.left) == "2":
                yield formula.edit("symmetric_only", place, "a + a.T", a=node.right)


def switches(formula: Formula) -> Iterator[tuple[str, Any]]:
    """The masks that may be missing: of arrays with both signs, and of numbers that are switched on and off."""
    for text, value in formula.material.items():
        switch = getattr(value, "dtype", None) == np.bool_ or np.all((value == 0) | (value == 1))
        if np.ndim(value) and switch and 0.0 < np.mean(value) < 1.0:
            yield text, value
        elif (np.any(value > 0) and np.any(value < 0)) or text in formula.switched:
            yield f"({text} > 0)", value > 0


def masks(formula: Formula) -> Iterator[Edit]:
    """Multiply by a mask."""
    found = sorted(switches(formula), key=lambda mask: mask[0][1:-5] not in formula.switched)
    for mask, on in found:
        for place, value in formula.values():
            if getattr(value, "dtype", None) != np.bool_ and not isinstance(place.node, ast.Constant):
                for text in spread(value, on):
                    yield formula.edit("mask_missing", place, f"a * {text}", a=place.node, t=mask)


def decisions(formula: Formula) -> Iterator[Edit]:
    """Decide entry by entry what is decided once for all of them."""
    for place, _ in formula.values(rank=0):
        inner = undecided(formula, place.node)
        if inner is None:
            continue
        mask, on = inner
        yield Edit("mask_outside_sum", ((place, mask),))
        always: tuple[tuple[Place, ast.expr], ...] = ((place, ast.Constant(True)),)
        outer = next((p for p in formula.places if p.node is place.parent), None)
        if outer is not None and operation(outer.node, ast.Mult):
            other = "right" if place.field == "left" else "left"
            always = ((outer, getattr(outer.node, other)),)
        elif outer is not None and isinstance(outer.node, ast.IfExp):
            always = ((outer, outer.node.body),)
        for target, value in formula.values():
            within = {id(node) for node in ast.walk(place.node)}
            if np.ndim(value) and id(target.node) not in within:
                for text in spread(value, on):
                    masked = (target, formula.write(f"a * {text}", a=target.node, t=mask))
                    yield Edit("mask_outside_sum", (*always, masked))


def undecided(formula: Formula, node: ast.expr) -> tuple[ast.expr, Any] | None:
    """The mask, and its value, that was reduced to one decision."""

    def array(call: ast.AST, names: tuple[str, ...]) -> ast.expr | None:
        if not isinstance(call, ast.Call) or called_name(call) not in names:
            return None
        return call.args[0] if call.args else getattr(call.func, "value", None)

    mask = array(node, ("all", "any"))
    if mask is not None and np.ndim(on := formula.seen.get(id(mask), 0.0)):
        return mask, on
    if isinstance(node, ast.Compare):
        z = array(node.left, ("sum", "mean", "max", "min", "prod", "median"))
        if z is not None and np.ndim(value := formula.seen.get(id(z), 0.0)):
            return ast.Compare(z, node.ops, node.comparators), np.asarray(value) > 0
    return None


def factor_places(formula: Formula) -> list[tuple[Place, Any]]:
    """Where a factor may be missing, the whole right side of a line first."""
    found = [(p, v) for p, v in formula.values() if p.is_root or isinstance(p.parent, ast.BinOp | ast.Call)]
    found = [(p, v) for p, v in found if not isinstance(p.node, ast.Constant)]
    return sorted(found, key=lambda seen: not seen[0].is_root)


def factors(formula: Formula) -> Iterator[Edit]:
    """Multiply by a factor of the chain rule."""
    found = [*inner_derivatives(formula), *formula.material.items()]
    found = [(factor, size) for factor, size in found if not isinstance(size, int)]
    positions = factor_places(formula)
    for factor, size in found:
        for place, value in positions:
            for text in spread(value, size):
                yield formula.edit("factor_dropped", place, f"a * {text}", a=place.node, t=factor)
            if np.ndim(value) and np.ndim(size) == 2:
                if np.shape(value)[-1] == np.shape(size)[0]:
                    yield formula.edit("factor_dropped", place, "a @ t", a=place.node, t=factor)
                if np.shape(value)[0] == np.shape(size)[1]:
                    yield formula.edit("factor_dropped", place, "t @ a", a=place.node, t=factor)


def divisors(formula: Formula) -> Iterator[Edit]:
    """Divide by what may be missing in a denominator."""
    for place, value in factor_places(formula):
        for factor, size in formula.material.items():
            if not isinstance(size, int) and factor not in ast.unparse(place.node):
                for text in () if proportional(value, size) else spread(value, size):
                    yield formula.edit("factor_dropped", place, f"a / {text}", a=place.node, t=factor)


def inner_derivatives(formula: Formula) -> Iterator[tuple[str, Any]]:
    """The derivatives of the elementary functions in the formula, then guesses for other values."""
    for text, value in formula.material.items():
        node: Any = ast.parse(text, mode="eval").body
        for template in DERIVATIVES.get(called_name(node), ()):
            if len(node.args) == 1 and (formula.numpy or "np." not in template):
                yield ast.unparse(formula.write(template, x=node.args[0], y=node)), value
        if operation(node, ast.Pow):
            yield ast.unparse(formula.write("n * x**(n - 1)", x=node.left, n=node.right)), value
    for text, value in formula.material.items():
        switch = np.all((value == 0) | (value == 1))
        if not switch and isinstance(ast.parse(text, mode="eval").body, LEAVES):
            for template in SQUASHED:
                yield ast.unparse(formula.write(template, a=text)), value


def terms(formula: Formula) -> Iterator[Edit]:
    """Add a term: another sub-expression, or a copy of a term with variables swapped or transposed."""
    for place, value in factor_places(formula):
        if operation(place.parent, ast.Add, ast.Sub):
            continue  # the sum itself is a place as well
        summands = set(summands_of(place.node))
        copies = [edit for change in (transposes, arguments, orders) for edit in change(formula)]
        for term in dict.fromkeys(varied(place.node, copies)):
            yield formula.edit("term_dropped", place, "a + t", a=place.node, t=term)
        for sign in "+-":
            yield formula.edit("term_dropped", place, f"a {sign} 1", a=place.node)
        for term, other in formula.material.items():
            if ast.unparse(place.node) in term or term in summands or proportional(value, other):
                continue  # that is a factor
            if "t" in spread(value, other) and getattr(other, "dtype", None) != np.bool_:
                yield formula.edit("term_dropped", place, "a + t", a=place.node, t=term)
                yield formula.edit("term_dropped", place, "a - t", a=place.node, t=term)
                yield formula.edit("term_dropped", place, "a + 2 * t", a=place.node, t=term)
                yield formula.edit("term_dropped", place, "a - 2 * t", a=place.node, t=term)
            if np.ndim(value) == 2 and np.shape(other) == np.shape(value)[::-1]:
                yield formula.edit("term_dropped", place, "a + t.T", a=place.node, t=term)
        vectors = {name: np.size(v) for name, v in formula.names.items() if np.ndim(v) == 1 and np.ndim(value) == 2}
        for u, v in product(vectors, repeat=2):
            if formula.numpy and (vectors[u], vectors[v]) == np.shape(value):
                yield formula.edit("term_dropped", place, "a + np.outer(u, v)", a=place.node, u=u, v=v)
                yield formula.edit("term_dropped", place, "a - np.outer(u, v)", a=place.node, u=u, v=v)


def summands_of(node: ast.expr) -> Iterator[str]:
    """The text of the terms of a sum."""
    if operation(node, ast.Add, ast.Sub):
        yield from (*summands_of(node.left), *summands_of(node.right))
    else:
        yield ast.unparse(node).removeprefix("-")


def varied(node: ast.expr, copies: list[Edit]) -> Iterator[str]:
    """The text of an expression after each of the edits inside it."""
    inside = {id(part) for part in ast.walk(node)}
    for edit in copies:
        place, new = edit.replacements[0]
        if id(place.node) in inside and place.node is not node:
            place.put(new)
            text = ast.unparse(node)
            place.put(place.node)
            yield text
