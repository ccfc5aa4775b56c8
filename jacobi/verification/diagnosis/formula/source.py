"""The source of a user's function: finds it, lists the places of its formula, and builds the function again.

Only what is certain is used: a definition counts as the source of a function if it compiles to the same code, and a
function with effects beyond its own variables is left alone.
"""

from __future__ import annotations

import ast
import copy
import dis
import linecache
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jacobi.finite_difference import fresh

Definition: TypeAlias = ast.FunctionDef | ast.Lambda

EFFECTS = (
    *(ast.Global, ast.Nonlocal, ast.With, ast.AsyncWith, ast.Try, ast.Delete, ast.Yield, ast.YieldFrom, ast.Await),
    *(ast.While, ast.Import, ast.ImportFrom, ast.AsyncFor, ast.ClassDef),  # an edited loop may never end
)
EFFECTFUL_CALLS = {
    *("print", "open", "exec", "eval", "input", "compile", "setattr", "delattr", "globals", "exit", "quit"),
    *("__import__", "save", "savez", "savetxt", "tofile", "write", "system", "sleep", "seed", "default_rng"),
    *("setflags", "seterr", "set_printoptions", "next", "random"),
}
EFFECTFUL_INSTRUCTIONS = {"STORE_GLOBAL", "STORE_ATTR", "DELETE_GLOBAL", "DELETE_ATTR", "IMPORT_NAME"}
GENERATORS = (np.random.Generator, np.random.RandomState)
# Of these calls, the arguments from the given position on are no numbers of the formula.
SHAPES = {
    **dict.fromkeys(("zeros", "ones", "eye", "identity", "full", "arange", "linspace", "range", "len", "enumerate"), 0),
    **dict.fromkeys(("zip", "zeros_like", "ones_like", "empty_like", "empty", "size", "shape", "ndim"), 0),
    **dict.fromkeys(("reshape", "broadcast_to", "tile", "repeat", "transpose", "swapaxes", "moveaxis", "roll"), 1),
    **dict.fromkeys(("expand_dims", "astype", "take", "squeeze", "flip", "norm"), 1),
}
REDUCTIONS = {"sum", "mean", "prod", "max", "min", "std", "var", "all", "any", "cumsum", "argmax", "argmin"}
FUTURE = sum(1 << bit for bit in range(17, 25))  # the flags of `from __future__` in a code object


class Place(NamedTuple):
    """A sub-expression and where it stands."""

    node: ast.expr
    parent: ast.AST
    field: str
    number: int | None  # in a list of expressions
    role: str  # "value", "axis", "index" or "shape"
    statement: ast.AST  # the statement, or the body of a lambda, that it is a part of

    @property
    def is_root(self) -> bool:
        """Whether it is the whole right side of its statement."""
        return self.parent is self.statement or isinstance(self.parent, ast.Lambda)

    def put(self, node: ast.expr) -> None:
        """Put another expression into this place."""
        if self.number is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.number] = node


@dataclass
class Source:
    """A function and a definition that compiles to the same code.

    Attributes
    ----------
    function : function
        The user's function, without the object that it is bound to.
    definition : ast node
        Its definition without decorators, defaults and annotations, which are taken from ``function``.
    arguments : tuple
        What comes before the arguments of a call: the object of a method, the arguments of a partial function.
    keywords : dict
        The keywords of a partial function.
    """

    function: FunctionType
    definition: Definition
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] | None = None
    imports: tuple[ast.stmt, ...] = ()  # of its module: names that are imported compile to other code

    def __post_init__(self) -> None:
        known, code = self.function.__globals__, self.function.__code__
        self.referenced = {name: known[name] for name in code.co_names if name in known}  # global variables
        self.captured = {}  # variables of enclosing functions
        for name, cell in zip(code.co_freevars, self.function.__closure__ or (), strict=True):
            with suppress(ValueError):  # of a cell that is still empty
                self.captured[name] = cell.cell_contents
        self.scope = {**known, **{name: guarded(value) for name, value in self.referenced.items()}}
        self.cells = {name: guarded(value) for name, value in self.captured.items()}

    @property
    def around(self) -> dict[str, Any]:
        """The values of all variables that the function takes from outside."""
        return self.referenced | self.captured

    def calling(self, name: str, function: Callable[..., Any]) -> Source:
        """The same function, for which a name stands for another function."""
        other = copy.copy(self)
        other.scope, other.cells = {**self.scope, name: function}, {**self.cells, name: function}
        return other

    def code(self, definition: Definition, extra: tuple[str, ...] = ()) -> CodeType:
        """Compile a definition inside the scope of the function; ``extra`` are further variables around it."""
        outer = (*self.function.__code__.co_freevars, *extra)
        inner: ast.stmt = ast.Return(definition) if isinstance(definition, ast.Lambda) else definition
        shell = ast.parse(f"def scope({', '.join(outer)}): pass")
        shell.body[0].body = [inner]  # type: ignore[attr-defined]
        shell.body[:0] = self.imports  # compiled, but never run
        ast.fix_missing_locations(shell)
        flags = self.function.__code__.co_flags & FUTURE
        module = compile(shell, self.function.__code__.co_filename, "exec", flags, True)
        return first_code(first_code(module))

    def build(self, definition: Definition | None = None, **extra: Any) -> Callable[..., Any]:
        """The function as its definition says now, with copies of what it refers to that cannot be written to."""
        code = self.code(definition or self.definition, tuple(extra))
        cells = tuple(CellType((self.cells | extra)[name]) for name in code.co_freevars)
        built = FunctionType(code, self.scope, self.function.__name__, self.function.__defaults__, cells)
        built.__kwdefaults__ = self.function.__kwdefaults__
        return partial(built, *self.arguments, **(self.keywords or {}))

    def parameters(self, args: tuple[Any, ...]) -> dict[str, Any]:
        """The positional parameters and their values in a call."""
        names = self.function.__code__.co_varnames[: self.function.__code__.co_argcount]
        return dict(zip(names, (*self.arguments, *args), strict=False))

    def is_module(self, node: ast.AST) -> bool:
        """Whether an expression is the name of a module, such as ``np`` or ``np.linalg``."""
        if isinstance(node, ast.Attribute):
            return self.is_module(node.value)
        return isinstance(node, ast.Name) and isinstance(self.scope.get(node.id), ModuleType)


def source_of(function: Any) -> Source | None:
    """The source of a function, method, partial or callable object; None if it is not certain, or has effects."""
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    while not isinstance(function, FunctionType):
        if isinstance(function, partial):
            arguments, keywords = (*function.args, *arguments), {**function.keywords, **keywords}
            function = function.func
        elif isinstance(function, MethodType):
            arguments, function = (function.__self__, *arguments), function.__func__
        elif isinstance(call := vars(type(function)).get("__call__"), FunctionType):
            arguments, function = (function, *arguments), call
        else:
            return None
    for definition, imports in definitions(function.__code__, function.__globals__):
        source = Source(function, bare(definition), arguments, keywords, imports)
        if same_code(source.code(source.definition), function.__code__):
            return None if has_effects(source) else source
    return None


def definitions(code: CodeType, scope: dict[str, Any]) -> Iterator[tuple[Definition, tuple[ast.stmt, ...]]]:
    """The definitions that begin where the code does, with the imports of their module."""
    tree = parsed("".join(linecache.getlines(code.co_filename, scope)))
    imports = tuple(node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            first = node.lineno
        elif isinstance(node, ast.FunctionDef) and code.co_name == node.name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        else:
            continue
        if first == code.co_firstlineno:
            yield node, imports


@lru_cache(maxsize=4)
def parsed(text: str) -> ast.Module:
    """A file as a tree; an empty one if it is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def bare(definition: Definition) -> Definition:
    """A definition without decorators, defaults and annotations."""
    stripped = copy.copy(definition)
    stripped.args = copy.deepcopy(definition.args)
    stripped.args.defaults, stripped.args.kw_defaults = [], []
    for argument in ast.walk(stripped.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    stripped.args.kw_defaults = [None] * len(stripped.args.kwonlyargs)
    if isinstance(stripped, ast.FunctionDef):
        stripped.decorator_list, stripped.returns = [], None
    return stripped


def first_code(code: CodeType) -> CodeType:
    """The first function defined in a piece of code."""
    return next(constant for constant in code.co_consts if isinstance(constant, CodeType))


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same."""
    fields = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_kwonlyargcount")
    if any(getattr(one, field) != getattr(other, field) for field in fields):
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    return all(
        same_code(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else repr(a) == repr(b)
        for a, b in zip(one.co_consts, other.co_consts, strict=True)
    )


def has_effects(source: Source) -> bool:
    """Whether running the function, or an edit of it, may do more than compute a result."""
    nodes = list(ast.walk(source.definition))
    if any(isinstance(node, EFFECTS) for node in nodes):
        return True
    local = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in local):
                return True
            if source.arguments:  # an edit might make the local variable another name of a part of the object
                return True
    return reaches_effects(source.function.__code__, [*source.around.values(), *source.arguments], set())


def reaches_effects(code: CodeType, values: list[Any], looked_at: set[CodeType]) -> bool:
    """Whether code calls something with effects, itself or through the user's functions that it names."""
    if code in looked_at:
        return False
    looked_at.add(code)
    names, inner = set(code.co_names), [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    if names & EFFECTFUL_CALLS or any(isinstance(value, GENERATORS) for value in values):
        return True
    if {instruction.opname for instruction in dis.get_instructions(code)} & EFFECTFUL_INSTRUCTIONS:
        return True
    called = [value for value in values if isinstance(value, FunctionType)]
    called += [m for v in values for n in names if isinstance(m := getattr(type(v), n, None), FunctionType)]
    return any(reaches_effects(constant, values, looked_at) for constant in inner) or any(
        reaches_effects(function.__code__, outside(function), looked_at)
        for function in called
        if not (function.__module__ or "").startswith(("numpy", "scipy", "jacobi"))
    )


def outside(function: FunctionType) -> list[Any]:
    """The values of the variables that a function takes from outside."""
    scope = function.__globals__
    found = [scope[name] for name in function.__code__.co_names if name in scope]
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # of a cell that is still empty
            found.append(cell.cell_contents)
    return found


def guarded(value: Any) -> Any:
    """A copy of an array that cannot be written to; copies of containers; everything else as it is."""
    if isinstance(value, np.ndarray):
        value = value.copy(order="K")
        value.flags.writeable = False
        return value
    return fresh(value)


def places(source: Source) -> list[Place]:
    """The sub-expressions of a formula, outer ones first."""
    written = {
        node.value.id
        for node in ast.walk(source.definition)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    }
    found: list[Place] = []

    def visit(node: ast.AST, parent: ast.AST, field: str, index: int | None, role: str, statement: ast.AST) -> None:
        if isinstance(node, ast.expr) and not isinstance(node, ast.Slice | ast.Starred) and role != "function":
            found.append(Place(node, parent, field, index, role, statement))
        for name, children in ast.iter_fields(node):
            for i, child in enumerate(children) if isinstance(children, list) else [(None, children)]:
                if isinstance(child, ast.AST) and (inner := role_of(node, name, i, child, role)):
                    root = child if isinstance(child, ast.stmt) else statement
                    visit(child, node, name, i, inner, root)

    def role_of(node: ast.AST, field: str, index: int | None, child: ast.AST, role: str) -> str:
        """The role of a part of a node, or "" to leave it out."""
        if role == "function":  # the name of a method, or the definition itself
            role = "value"
        if isinstance(node, ast.Assert | ast.Raise | ast.JoinedStr) or isinstance(child, ast.JoinedStr | ast.arguments):
            return ""
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and field != "value":
            return ""
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in written for t in node.targets):
            return ""  # what is written to must stay the function's own
        if isinstance(node, ast.For | ast.comprehension):
            return {"target": "", "iter": "shape"}.get(field, role)
        if isinstance(node, ast.NamedExpr) and field == "target":
            return ""
        if isinstance(node, ast.Expr) and isinstance(child, ast.Constant):
            return ""  # a docstring
        if isinstance(node, ast.Subscript) and field == "slice":
            return "index" if role == "value" else role
        if isinstance(node, ast.keyword):
            return "axis" if node.arg in ("axis", "keepdims") and role == "value" else "shape"
        if isinstance(node, ast.Attribute) and node.attr in ("shape", "size", "ndim", "dtype"):
            return "shape"
        if isinstance(node, ast.Call):
            return role_in_call(node, field, index, role)
        return "" if source.is_module(child) else role

    def role_in_call(call: ast.Call, field: str, index: int | None, role: str) -> str:
        name = called_name(call)
        named = isinstance(call.func, ast.Name) or source.is_module(getattr(call.func, "value", call.func))
        method = isinstance(call.func, ast.Attribute) and not named
        if field == "func":
            return "" if named else "function"
        position = (index or 0) + method
        if field == "args" and name in SHAPES and position >= SHAPES[name]:
            return "shape"
        return "axis" if field == "args" and name in REDUCTIONS and position and role == "value" else role

    visit(source.definition, source.definition, "", None, "function", source.definition)
    return found


def called_name(node: ast.AST) -> str:
    """The last name of what is called: ``sum`` for ``np.sum(x)`` and ``x.sum()``; "" for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
