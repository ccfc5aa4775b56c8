"""NumPy source text, read by Python's parser and run by an interpreter that knows nothing but arithmetic on arrays.

Every form of expression becomes a small function of the values of the names; what is not listed in `FORMS`, and every
name that is not listed in `jacobi.derivation.names`, is an error before anything runs.  The operations are those of the
values themselves, so the same text runs on arrays and on traced values.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from jacobi.derivation import names
from jacobi.derivation.source_text import NOT_TEXT, Text
from jacobi.derivation.stand_ins import stand_in
from jacobi.errors import JacobiError
from jacobi.rules import REFUSED

Scope: TypeAlias = dict[str, Any]
Evaluate: TypeAlias = Callable[[Scope], Any]


def power(base: Any, exponent: Any) -> Any:
    """``base ** exponent``, but whole numbers without end are not computed."""
    if type(base) is int and type(exponent) is int:
        if abs(exponent) > 1000:
            raise ValueError("the exponent of a whole number is at most 1000 here; write 2.0 ** x for large ones")
        return base**exponent if exponent >= 0 else float(base) ** exponent
    return base**exponent


BINARY: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: power,
    ast.MatMult: operator.matmul, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}  # fmt: skip
UNARY: dict[type[ast.AST], Callable[..., Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_, ast.Invert: operator.invert,
}  # fmt: skip
COMPARISONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
CURES = {  # by what is met where it cannot stand
    ast.BitXor: "Write ** for a power: x**2.",
    ast.Lambda: "Pass a Python function to derive instead of text.",
    ast.AugAssign: "Write z = z + ... under a new name.",
    ast.FunctionDef: "Pass the Python function itself to derive instead of its text.",
    ast.For: "Write sum(... for i in range(3)), or pass a Python function.",
    ast.Import: "NumPy's names are there already: leave the import out.",
    ast.ImportFrom: "NumPy's names are there already: leave the import out.",
}


class Interpreter:
    """What a text means: functions of the values of its arguments.

    Parameters
    ----------
    source : str
        The text.
    arguments : iterable of str
        Names that are known to be arrays; they win over constants such as ``e``.
    letters : iterable of str
        Names that stand for sizes.

    Attributes
    ----------
    used, letters, assigned, unknown
        Arguments, sizes, intermediate results and unknown functions that occur, in this order.
    result : str or None
        The name that the text gives to its result.
    """

    def __init__(self, source: str, arguments: Iterable[str] = (), letters: Iterable[str] = ()):
        self.text = Text(source)
        self.given = frozenset(arguments)
        self.sizes = frozenset(letters) - self.given
        self.used: dict[str, tuple[int, int]] = {}  # with the place of the first occurrence
        self.letters: dict[str, None] = {}
        self.assigned: dict[str, None] = {}
        self.unknown: dict[str, ast.AST] = {}
        self.loops: list[str] = []
        self.result: str | None = None
        last = self.text.statements[-1]
        try:
            self.steps = [self.statement(node, node is last) for node in self.text.statements]
        except RecursionError:
            raise self.text.error(last, "the text is nested too deeply", "Name its parts: z = ...") from None
        self.used = dict(sorted(self.used.items(), key=lambda item: item[1]))
        for name, node in self.unknown.items():
            if name in self.used or name in self.assigned or name in self.letters:
                raise self.text.error(node, *self._called(name))

    def run(self, values: Scope) -> tuple[Any, Scope]:
        """The result, and the intermediate results by name."""
        scope = dict(values)
        for step in self.steps[:-1]:
            step(scope)
        value = names.array(self.steps[-1](scope))
        return value, {name: scope[name] for name in self.assigned}

    # statements

    def statement(self, node: ast.stmt, last: bool) -> Evaluate:
        """An assignment, or the result."""
        if isinstance(node, ast.Expr) and last:
            return self.value(node.value)
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            evaluate = self.value(node.value)
            target = node.targets[0]
            found = target.elts if isinstance(target, ast.Tuple) and not last else [target]
            if all(isinstance(part, ast.Name) for part in found):
                if last and isinstance(target, ast.Name):
                    self.result = target.id
                    return evaluate
                return self.assignment(node, evaluate, [part.id for part in found if isinstance(part, ast.Name)])
        cure = CURES.get(type(node), NOT_TEXT)
        if isinstance(node, ast.Expr):
            cure = "Give it a name, z = ...; only the last line is the result."
        raise self.text.error(node, f"{self.text.part(node)} is not part of a formula", cure)

    def assignment(self, node: ast.Assign, evaluate: Evaluate, targets: list[str]) -> Evaluate:
        """``z = ...`` and ``s, l = ...``."""
        for name in targets:
            if name in self.used or name in self.letters or name in self.given:
                what = f"{name} is an argument and gets another value"
                raise self.text.error(node, what, "Give the intermediate result a name of its own.")
            self.assigned[name] = None
        if isinstance(node.targets[0], ast.Name):
            return lambda scope: scope.__setitem__(targets[0], evaluate(scope))

        def store(scope: Scope) -> None:
            parts = list(evaluate(scope))
            if len(parts) != len(targets):
                raise self.text.error(
                    node, f"{len(parts)} values for {len(targets)} names", "Write one name for each value."
                )
            scope.update(zip(targets, parts, strict=True))

        return store

    # expressions

    def value(self, node: ast.expr) -> Evaluate:
        """The meaning of an expression."""
        form = FORMS.get(type(node))
        if form is None:
            raise self.text.error(node, f"{self.text.part(node)} cannot stand in text", CURES.get(type(node), NOT_TEXT))
        return form(self, node)

    def applied(
        self,
        node: ast.expr,
        function: Callable[..., Any],
        parts: list[ast.expr],
        keywords: dict[str, ast.expr] | None = None,
    ) -> Evaluate:
        """A function of the values of some parts; whatever it raises names this part of the text."""
        read = self.value if keywords is None else self.argument
        evaluate = [read(part) for part in parts]
        named = {name: self.argument(part) for name, part in (keywords or {}).items()}

        def apply(scope: Scope) -> Any:
            values = [of(scope) for of in evaluate]
            options = {name: of(scope) for name, of in named.items()}
            try:
                return function(*values, **options)
            except Exception as error:
                if hasattr(error, "expression"):
                    raise
                raise self.failure(node, parts, values, error) from error

        return apply

    def argument(self, node: ast.expr) -> Evaluate:
        """A part of a call; only there may a word stand, such as ``"ij,j->i"``."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return lambda scope: node.value
        return self.value(node)

    def failure(self, node: ast.expr, parts: list[ast.expr], values: list[Any], error: Exception) -> Exception:
        """What an operation raised, with the place in the text and the shapes of its operands."""
        shapes = [
            f"{self.text.part(part)} has the shape {np.shape(value)}"
            for part, value in zip(parts, values, strict=True)
            if hasattr(value, "shape") and not isinstance(part, ast.Constant)
        ]
        if isinstance(error, JacobiError):
            located = self.text.error(node, str(error).rstrip("."), "It happens here:")
            error.args = (str(located), *error.args[1:])
            error.expression = located.expression  # type: ignore[attr-defined]
            return error
        reason = str(error).rstrip(".") or type(error).__name__
        cure = f"Here {', and '.join(dict.fromkeys(shapes))}." if shapes else "Check the values it is given."
        return self.text.error(node, f"{self.text.part(node)} cannot be evaluated: {reason}", cure)

    def constant(self, node: ast.Constant) -> Evaluate:
        """A number."""
        number = node.value
        if number is not None and number is not Ellipsis and type(number) not in (int, float, bool):
            what = f"{self.text.part(node)} is not a real number"
            raise self.text.error(node, what, "Text may use real numbers; words stand only in calls.")
        return lambda scope: number

    def name(self, node: ast.Name) -> Evaluate:
        """A variable, a size or a constant."""
        name = node.id
        if name not in self.loops and name not in self.assigned and name not in self.given:
            if name.startswith("_"):
                raise self.text.error(node, f"{name} begins with an underscore", "Choose another name.")
            if name in self.sizes:
                self.letters[name] = None
            elif name in names.CONSTANTS:
                return lambda scope: names.CONSTANTS[name]
            elif not names.may_be_a_variable(name):
                what = f"{name} is the name of a function, and stands here without (...)"
                raise self.text.error(node, what, f"Call it, as in {name}(x), or give the array another name.")
        if not (name in self.loops or name in self.assigned or name in self.letters):
            place = node.lineno, node.col_offset
            self.used[name] = min(place, self.used.get(name, place))
        return lambda scope: scope[name]

    def binary(self, node: ast.BinOp) -> Evaluate:
        """``a + b`` and its kind; lists of numbers are arrays."""
        function = BINARY.get(type(node.op))
        if function is None:
            cure = CURES.get(type(node.op), NOT_TEXT)
            raise self.text.error(node, f"{self.text.part(node)} uses an operator that formulas do not have", cure)
        operation = function

        def combine(left: Any, right: Any) -> Any:
            left, right = (names.array(side) if isinstance(side, list) else side for side in (left, right))
            return operation(left, right)

        return self.applied(node, combine, [node.left, node.right])

    def unary(self, node: ast.UnaryOp) -> Evaluate:
        """``-a`` and its kind."""
        return self.applied(node, UNARY[type(node.op)], [node.operand])

    def compare(self, node: ast.Compare) -> Evaluate:
        """``a < b``, and ``a < b < c`` entry by entry."""
        functions = [COMPARISONS.get(type(kind)) for kind in node.ops]
        if None in functions:
            raise self.text.error(node, f"{self.text.part(node)} is no comparison of numbers", "Write < <= > >= == !=.")

        def holds(*values: Any) -> Any:
            found = [f(a, b) for f, a, b in zip(functions, values, values[1:], strict=False) if f is not None]
            return reduce(np.logical_and, found)

        return self.applied(node, holds, [node.left, *node.comparators])

    def boolean(self, node: ast.BoolOp) -> Evaluate:
        """``a and b``, ``a or b`` of single conditions."""
        function = all if isinstance(node.op, ast.And) else any
        return self.applied(node, lambda *values: function(values), list(node.values))

    def conditional(self, node: ast.IfExp) -> Evaluate:
        """``a if condition else b``."""
        condition = self.applied(node, bool, [node.test])
        then, otherwise = self.value(node.body), self.value(node.orelse)
        return lambda scope: then(scope) if condition(scope) else otherwise(scope)

    def sequence(self, node: ast.List | ast.Tuple) -> Evaluate:
        """``[a, b]`` and ``(a, b)``."""
        parts = [self.value(part) for part in node.elts]
        kind = list if isinstance(node, ast.List) else tuple
        return lambda scope: kind(part(scope) for part in parts)

    def subscript(self, node: ast.Subscript) -> Evaluate:
        """``x[1:, None]``."""
        return self.applied(node, operator.getitem, [node.value, node.slice])

    def slice(self, node: ast.Slice) -> Evaluate:
        """``start:stop:step``."""
        ends = [self.value(end or ast.Constant(None)) for end in (node.lower, node.upper, node.step)]
        return lambda scope: slice(*(end(scope) for end in ends))

    def comprehension(self, node: ast.GeneratorExp | ast.ListComp) -> Evaluate:
        """``... for i in range(3) if ...``: the list of the values."""
        before = len(self.loops)
        stages: list[tuple[list[str], bool, Evaluate, list[Evaluate]]] = []
        for generator in node.generators:
            source = self.value(generator.iter)
            target = generator.target
            found = target.elts if isinstance(target, ast.Tuple) else [target]
            targets = [part.id for part in found if isinstance(part, ast.Name)]
            if len(targets) < len(found) or generator.is_async:
                raise self.text.error(target, "a loop needs plain names", "Write for i in range(3).")
            self.loops += targets
            stages.append((targets, target is found[0], source, [self.value(test) for test in generator.ifs]))
        element = self.value(node.elt)
        del self.loops[before:]

        def values(scope: Scope, depth: int = 0) -> Iterator[Any]:
            if depth == len(stages):
                yield element(scope)
                return
            targets, single, source, tests = stages[depth]
            for item in source(scope):
                inner = scope | ({targets[0]: item} if single else dict(zip(targets, item, strict=True)))
                if all(test(inner) for test in tests):
                    yield from values(inner, depth + 1)

        return lambda scope: list(values(scope))

    def attribute(self, node: ast.Attribute) -> Evaluate:
        """``X.T``, ``np.pi``."""
        dotted = self.dotted(node)
        if dotted is not None:
            try:
                number = names.constant(dotted)
            except KeyError:
                what = f"{dotted} is not a constant that text may use"
                raise self.text.error(node, what, "Text may use np.pi and np.e; functions are called.") from None
            return lambda scope: number
        if node.attr not in names.ATTRIBUTES:
            self.value(node.value)  # a fault inside is the one to name
            cure = f"Call it: {self.text.part(node)}(...)." if node.attr in names.METHODS else names.METHODS_CURE
            raise self.text.error(node, f"arrays have no {node.attr} here", cure)
        return self.applied(node, operator.attrgetter(node.attr), [node.value])

    def call(self, node: ast.Call) -> Evaluate:
        """``exp(x)``, ``x.sum()``, and ``f(x)`` of a function that is not known."""
        keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg not in (None, "out")}
        if len(keywords) < len(node.keywords) or any(isinstance(part, ast.Starred) for part in node.args):
            raise self.text.error(node, "a call with *, ** or out= cannot stand in text", "Write the arguments out.")
        options = {name: part for name, part in keywords.items() if name is not None}
        dotted = self.dotted(node.func)
        if dotted is None and isinstance(node.func, ast.Attribute):
            method = node.func.attr
            if method not in names.METHODS:
                self.value(node.func.value)  # a fault inside is the one to name
                raise self.text.error(node.func, f"arrays have no method {method} here", names.METHODS_CURE)
            parts = [node.func.value, *node.args]
            self.only_reads(node, names.function(f"np.{method}"), len(parts))
            return self.applied(node, lambda x, *rest, **named: getattr(x, method)(*rest, **named), parts, options)
        if dotted is None and not isinstance(node.func, ast.Name):
            self.value(node.func)
            what = f"{self.text.part(node.func)} is followed by (...), as if it were a function"
            raise self.text.error(node.func, what, "Write products with * or @.")
        name = self.text.part(node.func) if dotted is None else dotted
        function = self.function(node, name)
        self.only_reads(node, function, len(node.args))
        return self.applied(node, function, list(node.args), options)

    def only_reads(self, node: ast.Call, function: Callable[..., Any] | None, count: int) -> None:
        """Refuse an argument that NumPy would write into."""
        if function is not None and count > names.room(function):
            what = f"{self.text.part(node)} has an argument too many, which NumPy would write into"
            raise self.text.error(node, what, "Name the parameters: axis=0.")

    def function(self, node: ast.Call, name: str) -> Callable[..., Any]:
        """What a name that is called stands for."""
        if name in self.given or name in self.assigned or name in self.loops or name in self.sizes:
            raise self.text.error(node.func, *self._called(name))
        function = names.function(name)
        if function in REFUSED:
            raise self.text.error(node.func, f"{name} cannot be differentiated", REFUSED[function])
        if function is not None:
            return function
        simple = "." not in name and not name.startswith("_") and names.may_be_unknown(name)
        if not simple:
            raise self.text.error(node.func, f"{name} is not a function that text may use", names.cure(name))
        if len(node.args) != 1 or node.keywords:
            what = f"{name} is an unknown function, and such functions act entry by entry on one array"
            raise self.text.error(node, what, f"Write {name}(x) with one argument. {names.cure(name)}")
        self.unknown[name] = node.func
        return stand_in(name)

    def _called(self, name: str) -> tuple[str, str]:
        """What is wrong with a call of an array, and what to write instead."""
        return f"{name} is an array, and stands before (...) as if it were a function", f"Write {name} * (...)."

    def dotted(self, node: ast.expr) -> str | None:
        """The full name of something in a module, such as ``np.linalg.det``; None for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not parts or not isinstance(node, ast.Name) or node.id not in names.ROOTS:
            return None
        if node.id in self.given or node.id in self.assigned or node.id in self.loops:
            return None
        return ".".join([node.id, *reversed(parts)])


FORMS: dict[type[ast.AST], Callable[[Interpreter, Any], Evaluate]] = {
    ast.Constant: Interpreter.constant, ast.Name: Interpreter.name, ast.BinOp: Interpreter.binary,
    ast.UnaryOp: Interpreter.unary, ast.Compare: Interpreter.compare, ast.BoolOp: Interpreter.boolean,
    ast.IfExp: Interpreter.conditional, ast.List: Interpreter.sequence, ast.Tuple: Interpreter.sequence,
    ast.Subscript: Interpreter.subscript, ast.Slice: Interpreter.slice, ast.GeneratorExp: Interpreter.comprehension,
    ast.ListComp: Interpreter.comprehension, ast.Attribute: Interpreter.attribute, ast.Call: Interpreter.call,
}  # fmt: skip
