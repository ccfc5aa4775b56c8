"""The names that the text of a derivation may use, and what each of them means: a closed set, and nothing else is run.

The functions are those that the library knows (a rule, or a plain answer), found under the names by which people import
them: ``exp``, ``np.exp``, ``np.linalg.det``, ``special.expit``, ``scipy.linalg.expm`` and `jacobi.functions`.
"""

from __future__ import annotations

import builtins
import difflib
import inspect
import operator
from collections.abc import Callable, Iterable
from functools import cache, reduce
from typing import Any

import numpy as np

from jacobi.rules import REFUSED, REGISTRY
from jacobi.rules.calls import parameter_names

Function = Callable[..., Any]


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


ROOTS = ("np", "numpy", "scipy", "special", "linalg", "fft", "jb", "jacobi", "functions", "math")
CONSTANTS = {"pi": np.pi, "e": np.e, "inf": np.inf, "newaxis": None, "euler_gamma": np.euler_gamma}
ATTRIBUTES = words(
    "T mT shape size ndim real sign logabsdet eigenvalues eigenvectors U S Vh Q R"
)  # the second half are the parts of what slogdet, eigh, svd and qr give
METHODS = words(
    """sum mean prod var std max min cumsum cumprod trace dot ravel transpose swapaxes squeeze repeat take diagonal clip
    argmax argmin argsort any all nonzero reshape flatten round copy conj conjugate item"""
)
METHODS_CURE = f"Text may use .T .mT .shape .size .ndim and the methods {', '.join(sorted(METHODS))}."
GREEK = words(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda_ lam mu nu xi omicron pi rho sigma tau upsilon
    phi chi psi omega"""
)
# NumPy's functions that make arrays need no rule; those that write into one are left out: arrays are never changed.
MAKERS = words(
    """arange eye identity full ones zeros tri tril_indices triu_indices diag_indices indices bartlett blackman hamming
    hanning kaiser"""
)
MOST = 32  # arguments of a call
WRITERS = words("copyto fill_diagonal place put put_along_axis putmask empty_like")
INSTEAD = {  # what people write in formulas, and NumPy's name for it
    "tr": "trace(A)", "Tr": "trace(A)", "ln": "log(x)", "lg": "log10(x)", "logdet": "slogdet(A)[1]", "vec": "ravel(A)",
    "sgn": "sign(x)", "avg": "mean(x)", "inverse": "inv(A)", "rank": "matrix_rank(A)", "Diag": "diag(x)",
    "fro": "norm(A)", "logistic": "sigmoid(x)", "indicator": "(x > 0)", "hadamard": "A * B", "tg": "tan(x)",
    "cot": "1 / tan(x)", "sec": "1 / cos(x)", "csc": "1 / sin(x)", "coth": "1 / tanh(x)", "sech": "1 / cosh(x)",
    "float": "x", "int": "floor(x)",
}  # fmt: skip


# Python's own functions -------------------------------------------------------------------------------------------


def array(values: Any, *_: Any) -> Any:
    """An array of numbers and traced values: nested lists are stacked."""
    if isinstance(values, (list, tuple)):
        return np.stack([array(value) for value in values]) if values else np.zeros(0)
    return values


def extreme(pair: Function, whole: Function) -> Function:
    """``max(x)`` of one array, and ``max(0, x)`` of several, entry by entry."""

    def of(*values: Any, **keywords: Any) -> Any:
        if len(values) == 1:
            return whole(array(values[0]), **keywords)
        return reduce(pair, map(array, values))

    return of


def total(values: Any, axis: Any = None, **keywords: Any) -> Any:
    """The sum of an array, or of the terms of a generator (then the second argument is where it starts)."""
    if isinstance(values, list):
        return reduce(operator.add, map(array, values), 0.0 if axis is None else axis)
    return np.sum(values, axis, **keywords)


def length(values: Any) -> int:
    """The size of the first axis."""
    return len(values) if isinstance(values, (list, tuple)) else np.shape(values)[0]


PYTHON: dict[str, Function] = {
    "max": extreme(np.maximum, np.max), "min": extreme(np.minimum, np.min), "sum": total, "len": length, "abs": np.abs,
    "range": range, "zip": zip, "enumerate": enumerate, "pow": operator.pow, "array": array,
}  # fmt: skip


# Look-up ----------------------------------------------------------------------------------------------------------


def known(module: Any) -> dict[str, Function]:
    """The functions of a module that the library knows, by name."""
    found = {}
    for name, function in vars(module).items():
        plain = not name.startswith("_") and callable(function) and not isinstance(function, type)
        if plain and name not in WRITERS and (function in REGISTRY or function in REFUSED):
            found[name] = function
    return found


@cache
def tables() -> dict[str, dict[str, Function]]:
    """The functions by name, under every prefix; the empty prefix has all of them."""
    from scipy import special

    import jacobi.rules.library
    import jacobi.rules.special  # noqa: F401
    from jacobi import functions

    ours = {name: getattr(functions, name) for name in functions.__all__}
    makers = {name: getattr(np, name) for name in MAKERS} | {"array": array, "asarray": array}
    numpy = known(np) | makers
    linalg = known(np.linalg)
    fft = known(np.fft) | {"fftfreq": np.fft.fftfreq, "rfftfreq": np.fft.rfftfreq}
    of_special = known(special) | {name: f for name, f in ours.items() if hasattr(special, name)}
    bare = of_special | fft | ours | linalg | numpy | PYTHON
    prefixes = {
        "np numpy": numpy, "np.linalg numpy.linalg": linalg, "np.fft numpy.fft scipy.fft fft": fft,
        "special scipy.special": of_special, "scipy.linalg": linalg | ours, "linalg": ours | linalg,
        "jb.functions jacobi.functions functions": ours, "": bare,
    }  # fmt: skip
    return {prefix: table for together, table in prefixes.items() for prefix in together.split() or [""]}


def function(name: str) -> Function | None:
    """The function of a name with or without prefix, or None.

    Examples
    --------
    >>> function("np.linalg.det") is function("det") is np.linalg.det
    True
    >>> function("np.load") is None
    True
    """
    prefix, _, last = name.rpartition(".")
    return tables().get(prefix, {}).get(last)


@cache
def room(function: Function) -> int:
    """How many arguments a call may have without names: no more than come before ``out``, which would be changed."""
    if isinstance(function, np.ufunc):
        return function.nin
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        known = parameter_names(function)
        return known.index("out") if "out" in known else MOST
    written = "out" in parameters and parameters["out"].kind is not inspect.Parameter.KEYWORD_ONLY
    return list(parameters).index("out") if written else MOST


def constant(name: str) -> Any:
    """The constant of a name with or without prefix.

    Raises `KeyError` for a name that is none.
    """
    prefix, _, last = name.rpartition(".")
    if prefix not in ("", "np", "numpy", "math") or (not prefix and last == "newaxis"):
        raise KeyError(name)
    return CONSTANTS[last]


def may_be_a_variable(name: str) -> bool:
    """Whether a bare name that is not called stands for an array: any that names no function, and Greek letters."""
    return len(name) == 1 or name in GREEK or (name not in tables()[""] and not hasattr(builtins, name))


def may_be_unknown(name: str) -> bool:
    """Whether a bare name that is called may stand for a function that the reader has not given: ``f(x)``.

    A name that looks like a slip of a known one may not: ``sofmax`` would be differentiated as something else.
    """
    return not (hasattr(builtins, name) or name in INSTEAD or name in ROOTS or nearest(name))


def nearest(name: str, among: Iterable[str] | None = None) -> str | None:
    """The known name that a misspelt one of four letters or more resembles."""
    last = name.rpartition(".")[2]
    if len(last) < 4:
        return None
    found = difflib.get_close_matches(last, tables()[""] if among is None else among, 1, 0.8)
    return found[0] if found else None


def cure(name: str) -> str:
    """What to write instead of the name of a function that text may not use."""
    last = name.rpartition(".")[2]
    if last in INSTEAD:
        return f"Write {INSTEAD[last]}."
    if function(last) is not None:
        return f"Write {last}(...) without prefix."
    close = nearest(name)
    if close is not None:
        return f"Did you mean {close}?"
    what = "the functions of NumPy, np.linalg, scipy.special and jacobi.functions that have a derivative rule"
    return f"Text may use {what}; anything else goes into a Python function, which derive takes as well."
