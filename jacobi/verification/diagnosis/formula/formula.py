"""The formula of a claim: its places, the values seen there, and what may be put into it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from inspect import unwrap
from types import FunctionType
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from jacobi.finite_difference import fresh
from jacobi.verification.diagnosis.formula.source import Place, Source, called_name, places, source_of

SWITCHES = ("maximum", "relu", "heaviside", "abs", "max", "clip")  # that do one thing or another to their arguments


class Edit(NamedTuple):
    """What to put where, and which slip that undoes."""

    identifier: str
    replacements: tuple[tuple[Place, ast.expr], ...]
    what: str = ""  # instead of the usual sentence


class Formula(NamedTuple):
    """The places of a formula and the values seen there.

    Attributes
    ----------
    places : list of Place
        The sub-expressions.
    seen : dict
        Their values, by the identity of their nodes, where these are arrays or numbers.
    material : dict
        Expressions that may be inserted, with their values: sub-expressions, variables in scope.
    names : dict
        Those of them that are variables.
    sizes : dict
        Sizes of the problem above 1, and how to write them.
    numpy : str
        The name of NumPy in the formula's scope; "" if it has none.
    switched : set of str
        The expressions that the function, or the formula, compares with zero.
    decides : bool
        Whether the formula itself compares anything with zero.
    functions : set of str
        The user's functions that the formula, or the differentiated function, calls.
    """

    places: list[Place]
    seen: dict[int, Any]
    material: dict[str, Any]
    names: dict[str, Any]
    sizes: dict[int, str]
    numpy: str
    switched: set[str]
    decides: bool
    functions: set[str]

    def values(self, rank: int | None = None) -> Iterator[tuple[Place, Any]]:
        """The places that hold numbers of the formula, with their values."""
        for place in self.places:
            value = self.seen.get(id(place.node))
            if place.role == "value" and value is not None and (rank is None or np.ndim(value) == rank):
                yield place, value

    def edit(self, identifier: str, place: Place, text: str, what: str = "", **parts: ast.expr | str) -> Edit:
        """Write an expression into a place; names in ``text`` stand for ``parts``."""
        return Edit(identifier, ((place, self.write(text, **parts)),), what)

    def write(self, text: str, **parts: ast.expr | str) -> ast.expr:
        """An expression whose names stand for ``parts``, and ``np`` for NumPy."""
        nodes = {k: ast.parse(v, mode="eval").body if isinstance(v, str) else v for k, v in parts.items()}
        nodes["np"] = ast.Name(self.numpy, ast.Load())
        return Substitution(nodes).visit(ast.parse(text, mode="eval").body)  # type: ignore[no-any-return]


class Substitution(ast.NodeTransformer):
    """Replaces names by expressions."""

    def __init__(self, nodes: dict[str, ast.expr]) -> None:
        self.nodes = nodes

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace one name."""
        return self.nodes.get(node.id, node)


def formula_of(source: Source, function: Callable[..., Any] | None, args: tuple[Any, ...]) -> Formula:
    """The formula of a claim about a function, or of a function that it calls, with the values at some arguments."""
    listed, seen = places(source), observed(source, args)
    parameters = source.parameters(args)
    names = {name: value for name, value in (source.around | parameters).items() if is_numeric(value)}
    for place in listed:
        if isinstance(place.node, ast.Name | ast.Attribute) and place.role == "value" and id(place.node) in seen:
            names[ast.unparse(place.node)] = seen[id(place.node)]
    stock = Stock(dict(names))
    for place in listed:
        if place.role == "value" and id(place.node) in seen:
            stock.add(place.node, seen[id(place.node)])
    numpy = next((name for name, value in source.function.__globals__.items() if value is np), "")
    stock.functions |= {name for name, value in source.around.items() if isinstance(value, FunctionType)}
    decides = bool(stock.switched)
    if function is not None:
        stock.add_function(function, source, args)
    material, switched, functions = distinct(stock.material), stock.switched, stock.functions
    return Formula(listed, seen, material, names, sizes(names), numpy, switched, decides, functions)


class Stock:
    """The expressions that may be inserted into a formula, with their values, and those that are compared with 0."""

    def __init__(self, material: dict[str, Any]) -> None:
        self.material = material
        self.switched: set[str] = set()
        self.functions: set[str] = set()

    def add(self, node: ast.expr, value: Any) -> None:
        """Keep a sub-expression, and what it compares with 0."""
        if not isinstance(node, ast.Constant) and not isinstance(getattr(node, "operand", None), ast.Constant):
            self.material.setdefault(ast.unparse(node), value)
        if isinstance(node, ast.Compare):
            self.switched.add(ast.unparse(node.left))
        elif isinstance(node, ast.Call) and called_name(node) in SWITCHES:
            self.switched |= {ast.unparse(argument) for argument in node.args if not isinstance(argument, ast.Constant)}

    def add_function(self, function: Callable[..., Any], claim: Source, args: tuple[Any, ...]) -> None:
        """Add the sub-expressions of the differentiated function that can be written in the claim's names."""
        source = source_of(unwrap(function))
        if source is None:
            return
        pairs = zip(source.parameters(args), claim.parameters(args), strict=False)
        renamed: dict[str, ast.expr] = {name: ast.Name(new, ast.Load()) for name, new in pairs}
        ours = claim.function.__globals__ | claim.captured
        shared = {name: value for name, value in source.around.items() if ours.get(name) is value}
        self.functions |= {name for name, value in shared.items() if isinstance(value, FunctionType)}
        known = set(claim.parameters(args)) | set(shared)
        seen = observed(source, args)
        for place in places(source):
            if place.role == "value" and id(place.node) in seen:
                node = Substitution(renamed).visit(copy.deepcopy(place.node))
                if {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} <= known:
                    self.add(node, seen[id(place.node)])
            statement: Any = place.statement
            if isinstance(statement, ast.Assign) and place.is_root and isinstance(statement.targets[0], ast.Name):
                renamed[statement.targets[0].id] = Substitution(renamed).visit(copy.deepcopy(place.node))


def operation(node: ast.AST, *kinds: type[ast.operator]) -> TypeGuard[ast.BinOp]:
    """Whether a node is a binary operation of one of these kinds."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, kinds)


def observed(source: Source, args: tuple[Any, ...]) -> dict[int, Any]:
    """The numbers that the sub-expressions of a function have in a call, by the identity of their nodes."""
    seen: dict[int, Any] = {}
    memo: dict[int, Any] = {}
    listed = places(source)
    definition = copy.deepcopy(source.definition, memo)

    def observe(number: int, value: Any) -> Any:
        if is_numeric(value):
            seen[id(listed[number].node)] = fresh(value)
        return value

    for number, place in enumerate(listed):
        call = ast.Call(ast.Name("observe_", ast.Load()), [ast.Constant(number), memo[id(place.node)]], [])
        place._replace(parent=memo[id(place.parent)]).put(ast.copy_location(call, place.node))
    try:
        source.build(definition, observe_=observe)(*fresh(args))
    except Exception:
        return seen
    return seen


def is_numeric(value: Any) -> bool:
    """Whether a value is an array of real numbers, or a number."""
    return isinstance(value, np.ndarray | np.generic | int | float) and np.asarray(value).dtype.kind in "fiub"


def distinct(material: dict[str, Any]) -> dict[str, Any]:
    """Of expressions with equal values, the shortest."""
    shortest: dict[Any, str] = {}
    for text in sorted(material, key=len):
        value = np.asarray(material[text])
        shortest.setdefault((value.shape, value.dtype.kind, value.tobytes()), text)
    kept = set(shortest.values())
    return {text: value for text, value in material.items() if text in kept}


def sizes(names: dict[str, Any]) -> dict[int, str]:
    """The sizes of the problem above 1, and how to write them."""
    found: dict[int, str] = {}
    for name, value in names.items():
        if isinstance(value, int | np.integer) and value > 1:
            found.setdefault(int(value), name)
    for name, value in names.items():
        for axis, length in enumerate(np.shape(value)):
            found.setdefault(length, f"{name}.shape[{axis}]")
        found.setdefault(int(np.size(value)), f"{name}.size")
    return {size: text for size, text in found.items() if size > 1}
