"""Edits that change what stands in a formula: signs, operators, order, functions, exponents, axes, numbers, names.

A generator looks at a `Formula` and yields `Edit`s: which slip it would be, and what to put where.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from jacobi.verification.diagnosis.formula.formula import Edit, Formula, operation
from jacobi.verification.diagnosis.formula.source import called_name

LEAVES = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
COMPARISONS = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
CONFUSED = (  # functions that are taken for each other
    ("sin", "cos"), ("sinh", "cosh", "tanh", "sin", "cos"), ("tan", "tanh", "arctan"), ("exp", "log", "expm1"),
    ("log", "log1p", "log2", "log10"), ("sqrt", "square"), ("maximum", "minimum"), ("max", "min", "sum"),
    ("argmax", "argmin"), ("abs", "sign"), ("sign", "abs"), ("inv", "pinv", "det"), ("det", "inv"), ("tril", "triu"),
    ("cumsum", "sum"), ("sigmoid", "tanh"), ("expit", "logit"), ("ones", "zeros"), ("zeros", "ones"),
    ("ones_like", "zeros_like"), ("arcsin", "arccos"), ("cbrt", "sqrt"), ("any", "all"), ("prod", "sum"),
)  # fmt: skip
BANDS = ("eye", "roll", "diag", "tri", "tril", "triu")
ELEMENTARY = {name for group in CONFUSED for name in group}
OTHER_AXES = {"0": (1, None), "1": (0, None), "-1": (0, None), "None": (0, 1)}


def signs(formula: Formula) -> Iterator[Edit]:
    """Change the sign of the whole, of a term, of an argument."""
    for place, _ in formula.values():
        if isinstance(place.node, ast.UnaryOp) and isinstance(place.node.op, ast.USub):
            yield formula.edit("term_sign", place, "a", a=place.node.operand)
    for place, _ in formula.values():
        node, parent = place.node, place.parent
        if operation(node, ast.Add, ast.Sub):
            sign = "-" if isinstance(node.op, ast.Add) else "+"
            yield formula.edit("term_sign", place, f"a {sign} b", a=node.left, b=node.right)
        elif ast.unparse(node).startswith("-"):
            continue
        first_term = operation(parent, ast.Add, ast.Sub) and place.field == "left"
        if place.is_root or first_term or isinstance(parent, ast.Call):
            yield formula.edit("sign_flip" if place.is_root else "term_sign", place, "-a", a=node)


def transposes(formula: Formula) -> Iterator[Edit]:
    """Transpose a matrix, or do not."""
    for place, _ in formula.values(rank=2):
        node = place.node
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield formula.edit("extra_transpose", place, "a", a=node.value)
        elif called_name(node) in ("transpose", "swapaxes"):
            call: Any = node
            yield formula.edit("extra_transpose", place, "a", a=call.args[0] if call.args else call.func.value)
        elif not (isinstance(place.parent, ast.Attribute) and place.parent.attr == "T"):
            yield formula.edit("missing_transpose", place, "a.T", a=node)


def orders(formula: Formula) -> Iterator[Edit]:
    """Swap the operands of what does not commute."""
    for place, _ in formula.values():
        node: Any = place.node
        if operation(node, ast.MatMult):
            yield formula.edit("wrong_order", place, "b @ a", a=node.left, b=node.right)
            if operation(node.left, ast.MatMult):
                x, a, b = node.left.left, node.left.right, node.right
                yield formula.edit("wrong_order", place, "x @ b @ a", x=x, a=a, b=b)
        elif operation(node, ast.Div):
            yield formula.edit("wrong_order", place, "b / a", a=node.left, b=node.right)
        elif operation(node, ast.Sub):
            yield formula.edit("term_sign", place, "b - a", a=node.left, b=node.right)
        elif called_name(node) in ("kron", "outer", "dot", "matmul", "cross") and len(node.args) == 2:
            name = "kron_order" if called_name(node) == "kron" else "wrong_order"
            yield formula.edit(name, place, "f(b, a)", f=node.func, a=node.args[0], b=node.args[1])


def products(formula: Formula) -> Iterator[Edit]:
    """Exchange the elementwise and the matrix product."""
    for place, _ in formula.values():
        node: Any = place.node
        if operation(node, ast.MatMult):
            yield formula.edit("matmul_for_elementwise", place, "a * b", a=node.left, b=node.right)
        elif operation(node, ast.Mult):
            yield formula.edit("elementwise_for_matmul", place, "a @ b", a=node.left, b=node.right)
            if formula.numpy:
                yield formula.edit("elementwise_for_matmul", place, "np.outer(a, b)", a=node.left, b=node.right)
        elif called_name(node) in ("dot", "matmul", "outer", "multiply") and len(node.args) == 2:
            a, b = node.args
            if called_name(node) != "multiply":
                yield formula.edit("matmul_for_elementwise", place, "a * b", a=a, b=b)
            if called_name(node) != "matmul":
                yield formula.edit("elementwise_for_matmul", place, "a @ b", a=a, b=b)


def functions(formula: Formula) -> Iterator[Edit]:
    """Call another elementary function, or none."""
    for place, _ in formula.values():
        node: Any = place.node
        name = called_name(node)
        if name in ("sum", "mean") and isinstance(node.func, ast.Attribute):
            func = ast.Attribute(node.func.value, {"sum": "mean", "mean": "sum"}[name], ast.Load())
            yield Edit("sum_for_mean", ((place, ast.Call(func, node.args, node.keywords)),))
        for other in dict.fromkeys(other for group in CONFUSED if name in group for other in group if other != name):
            if isinstance(node.func, ast.Attribute):
                func = ast.Attribute(node.func.value, other, ast.Load())
                yield Edit("wrong_function", ((place, ast.Call(func, node.args, node.keywords)),))
            elif formula.numpy and hasattr(np, other):
                func = ast.Attribute(ast.Name(formula.numpy, ast.Load()), other, ast.Load())
                yield Edit("wrong_function", ((place, ast.Call(func, node.args, node.keywords)),))
        if isinstance(getattr(node, "func", None), ast.Name) or name in ELEMENTARY:
            for other in formula.functions:
                if other != ast.unparse(node.func):
                    called = ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
                    yield Edit("wrong_function", ((place, called),))
        if name and len(node.args) == 1:
            yield formula.edit("wrong_function", place, "a", f"{name} does not belong there", a=node.args[0])


def comparisons(formula: Formula) -> Iterator[Edit]:
    """Invert a mask."""
    for place, value in formula.values():
        node: Any = place.node
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
            inverted = ast.Compare(node.left, [COMPARISONS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
            yield Edit("mask_inverted", ((place, inverted),))
        elif called_name(node) == "where" and len(node.args) == 3:
            c, a, b = node.args
            yield formula.edit("mask_inverted", place, "f(c, b, a)", f=node.func, c=c, a=a, b=b)
        elif isinstance(node, ast.IfExp):
            yield formula.edit("mask_inverted", place, "b if c else a", c=node.test, a=node.body, b=node.orelse)
        elif isinstance(node, ast.Name) and np.all((value == 0) | (value == 1)):
            yield formula.edit("mask_inverted", place, "1 - a", a=node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
            yield formula.edit("mask_inverted", place, "a", a=node.operand)
        elif operation(node, ast.Sub) and np.all((value == 0) | (value == 1)):
            yield formula.edit("mask_inverted", place, "b", b=node.right)


def exponents(formula: Formula) -> Iterator[Edit]:
    """Change, drop or insert an exponent."""
    for place, _ in formula.values():
        node: Any = place.node
        if operation(node, ast.Pow):
            for power in (f"({ast.unparse(node.right)}) {by} 1" for by in "+-"):
                known = formula.seen.get(id(node.right))
                literal = isinstance(node.right, ast.Constant | ast.UnaryOp) and known is not None
                text = repr(known + (1 if "+" in power else -1)) if literal else power  # type: ignore[operator]
                yield formula.edit("exponent", place, "a**b", a=node.left, b=text)
            yield formula.edit("exponent", place, "a", a=node.left)
        elif operation(place.parent, ast.Pow):
            continue
        elif isinstance(node, LEAVES) or operation(place.parent, ast.Div):
            yield formula.edit("exponent", place, "a**2", a=node)
            if operation(place.parent, ast.Div) and place.field == "right":
                yield formula.edit("exponent", place, "a**3", a=node)
                if formula.numpy:
                    yield formula.edit("exponent", place, "np.sqrt(a)", a=node)


def axes(formula: Formula) -> Iterator[Edit]:
    """Sum over another axis, keep it or not, spread a vector along another axis."""
    for place in formula.places:
        if place.role == "axis" and isinstance(place.node, ast.Constant):
            axis = place.node.value
            others: tuple[Any, ...] = (not axis,) if isinstance(axis, bool) else OTHER_AXES.get(str(axis), ())
            for other in others:
                yield Edit("axis", ((place, ast.Constant(other)),))
        node: Any = place.node
        reduced = place.role == "value" and called_name(node) in ("sum", "mean", "max", "min", "prod")
        for axis in (0, 1) if reduced and not node.keywords and len(node.args) <= 1 else ():
            keyword = ast.keyword("axis", ast.Constant(axis))
            yield Edit("axis", ((place, ast.Call(node.func, node.args, [keyword])),))
    for place, _ in formula.values(rank=1):
        if isinstance(place.parent, ast.BinOp) and not operation(place.parent, ast.MatMult):
            yield formula.edit("axis", place, "a[:, None]", "spread along the wrong axis", a=place.node)
    for place, _ in formula.values(rank=2):
        node = place.node
        text = ast.unparse(node).replace("np.newaxis", "None") if isinstance(node, ast.Subscript) else ""
        for spread, other in (("[:, None]", "a[None, :]"), ("[None, :]", "a[:, None]")):
            if text.endswith(spread):
                yield formula.edit("axis", place, other, "spread along the wrong axis", a=node.value)


def arguments(formula: Formula) -> Iterator[Edit]:
    """Put another variable; one of another shape may belong where the claim has a wrong one."""
    for place, value in formula.values():
        if isinstance(place.node, ast.Name | ast.Attribute) and ast.unparse(place.node) in formula.names:
            for name, other in formula.names.items():
                if name != ast.unparse(place.node) and np.ndim(other) == np.ndim(value):
                    yield formula.edit("wrong_argument", place, "a", a=name)


def scales(formula: Formula) -> Iterator[Edit]:
    """Multiply or divide the whole, or one term, by 2 or by a size of the problem."""
    for place, _ in sorted(formula.values(), key=lambda seen: not seen[0].is_root):
        term = operation(place.parent, ast.Add, ast.Sub) and not operation(place.node, ast.Add, ast.Sub)
        if place.is_root or term or isinstance(place.parent, ast.Call):
            yield formula.edit("coefficient", place, "2 * a", a=place.node)
            yield formula.edit("coefficient", place, "a / 2", a=place.node)
            for size in formula.sizes.values() if place.is_root or term else ():
                yield formula.edit("one_over_n_missing", place, "a / N", a=place.node, N=size)
                yield formula.edit("one_over_n_extra", place, "N * a", a=place.node, N=size)


def constants(formula: Formula) -> Iterator[Edit]:
    """Change a number that stands in the formula."""
    for place, value in formula.values(rank=0):
        exponent = operation(place.parent, ast.Pow) and place.field == "right"
        if isinstance(place.node, ast.Constant) and not isinstance(value, bool | np.bool_) and not exponent:
            half = value // 2 if isinstance(value, int) and value % 2 == 0 else value / 2
            factor = operation(place.parent, ast.Mult)  # to make it 1 is to remove it
            for other in dict.fromkeys(k for k in (2 * value, half, value + 1, value - 1) if k != 1 or not factor):
                yield formula.edit("coefficient", place, repr(other))
            for size in formula.sizes.values():
                yield formula.edit("coefficient", place, "a", a=size)


def removals(formula: Formula) -> Iterator[Edit]:
    """Remove a term or a factor."""
    for place, _ in formula.values():
        node: Any = place.node
        if operation(node, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult):
            what = "one term too many" if operation(node, ast.Add, ast.Sub) else "one factor too many"
            yield formula.edit("coefficient", place, "a", what, a=node.left)
            if operation(node, ast.Sub):
                yield formula.edit("coefficient", place, "-a", what, a=node.right)
            elif operation(node, ast.Div):
                yield formula.edit("coefficient", place, "1 / a", what, a=node.right)
            else:
                yield formula.edit("coefficient", place, "a", what, a=node.right)


def indexes(formula: Formula) -> Iterator[Edit]:
    """Take the next entry, or swap two indices."""
    integers = {name for name, value in formula.names.items() if isinstance(value, int | np.integer)}
    for place in formula.places:
        node: Any = place.node
        if place.role == "shape" and called_name(place.parent) in BANDS and type(getattr(node, "value", None)) is int:
            for by in (1, -1):
                yield formula.edit("band_shifted", place, repr(node.value + by))
        if place.role != "index":
            continue
        if isinstance(node, ast.Constant) and type(node.value) is int:
            for by in (1, -1):
                yield formula.edit("wrong_index", place, repr(node.value + by))
        elif isinstance(node, ast.Tuple) and all(isinstance(index, ast.Name | ast.BinOp) for index in node.elts):
            yield Edit("wrong_index", ((place, ast.Tuple(node.elts[::-1], ast.Load())),))
        elif isinstance(node, ast.Name):
            for other in sorted(integers - {node.id}):
                yield formula.edit("wrong_index", place, "a", a=other)
            for text in ("a + 1", "a - 1"):
                yield formula.edit("wrong_index", place, text, a=node)
