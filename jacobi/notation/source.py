"""Trees as NumPy source: a function that evaluates the formula cheaply and can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jacobi.errors import InputError
from jacobi.notation import tree as t
from jacobi.notation.lowering import Lowering
from jacobi.notation.names import identifier
from jacobi.notation.program import ATOM, COMPARISON, Program, words


def source(
    tree: t.Tree,
    signature: Sequence[str],
    sizes: Mapping[str, str],
    name: str = "derivative",
    docstring: str = "",
    *,
    matrix: bool = False,
    names: Mapping[str, t.Tree] | None = None,
) -> str:
    """Write the NumPy source of a function that evaluates a tree.

    Parameters
    ----------
    tree : Tree
        The formula.
    signature : sequence of str
        The names of the arguments.  A symbol ``x_i`` whose ``x`` is no argument is row ``i`` of the argument ``X``.
    sizes : mapping of str to str
        The source of every size: ``{"N": "X.shape[0]"}``.
    name, docstring : str
        Those of the function.
    matrix : bool
        Whether to return a matrix always: a row as one row, a vector as one column, a scalar as one entry.
        A row is a 1-D array otherwise.
    names : mapping of str to Tree, optional
        Intermediate results by name: symbols of that name stand for them, and they become variables.

    Examples
    --------
    >>> X, w = t.Symbol("X", t.MATRIX), t.Symbol("w", t.VECTOR)
    >>> print(source(t.Product((t.Transpose(w), t.Diagonal(w), X)), ["X", "w"], {}))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def derivative(X, w):
        return (w * w) @ X
    """
    return _written(tree, signature, sizes, name, docstring, matrix, names or {})[0]


def evaluate(
    tree: t.Tree,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    *,
    matrix: bool = False,
    names: Mapping[str, t.Tree] | None = None,
    library: Mapping[str, Any] | None = None,
) -> Any:
    """Evaluate a tree by running its source.

    Parameters
    ----------
    tree : Tree
        The formula.
    values : mapping of str to array
        The values of its symbols: arrays, traced values or, of unknown functions, functions.
    sizes : mapping of str to int
        The sizes.
    matrix, names
        As in `source`.
    library : mapping of str to function, optional
        What stands for functions of SciPy that would not let traced values pass, such as ``softmax``.

    Examples
    --------
    >>> v = t.Symbol("v", t.VECTOR)
    >>> evaluate(t.Product((t.Transpose(t.Ones("n")), t.Diagonal(v))), {"v": np.array([1.0, 2.0])}, {"n": 2})
    array([1., 2.])
    """
    numbers = {letter: str(int(size)) for letter, size in sizes.items()}
    text, imports = _written(tree, list(values), numbers, "formula", "", matrix, names or {})
    namespace: dict[str, Any] = {}
    exec(compile(text, "<formula>", "exec"), namespace)
    for _, function, called in imports:
        if library and function in library:
            namespace[called] = library[function]
    result = namespace["formula"](**values)
    return np.asarray(result) if isinstance(result, (bool, int, float, np.generic)) else result


def _written(
    tree: t.Tree,
    signature: Sequence[str],
    sizes: Mapping[str, str],
    name: str,
    docstring: str,
    matrix: bool,
    names: Mapping[str, t.Tree],
) -> tuple[str, list[tuple[str, ...]]]:
    """The source, and its imports as (module, function, name here)."""
    lowering = Lowering(signature, sizes, names)
    code = lowering.chains.numeric(lowering.code(tree))
    if matrix:
        code = _as_matrix(lowering.program, code, tree.kind)
    named = {lowering.code(part): identifier(given) for given, part in names.items()}
    imports = lowering.program.imports(code)
    fixed = ["np", *signature, *lowering.loops, *(called for _, _, called in imports)]
    once = [*fixed, *names]
    twice = next((word for word in once if once.count(word) > 1), None)
    if twice:
        raise InputError(f"The name {twice!r} would stand for two things in the source. Choose another one.")
    taken = {*fixed, *words(" ".join(sizes.values()))}
    quotes = docstring.replace("\\", "\\\\").replace('"', '\\"')
    lines = ([f'"""{quotes}"""'] if docstring else []) + lowering.program.lines(code, named, taken)
    head = ["import numpy as np"]
    for module, function, called in imports:
        head.append(f"from {module} import {function}" + (f" as {called}" if called != function else ""))
    definition = f"def {identifier(name)}({', '.join(map(identifier, signature))}):"
    return "\n".join([*head, "", "", definition, *(f"    {line}" for line in lines), ""]), imports


def _as_matrix(program: Program, code: int, kind: str) -> int:
    """The instruction for an array of a kind with two axes."""
    if kind == t.TENSOR:
        raise InputError("An array of more than two axes is no matrix. Write it with matrix=False and reshape it.")
    shape = {t.ROW: "{0}[None, :]", t.VECTOR: "{0}[:, None]", t.SCALAR: "np.reshape({0}, (1, 1))"}.get(kind)
    if shape is None:
        return code
    return program.add(shape, code, needs=(COMPARISON if kind == t.SCALAR else ATOM,))
