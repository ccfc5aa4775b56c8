"""The table of function names: how a function is called in text, in LaTeX and in NumPy source."""

from __future__ import annotations

from collections.abc import Callable, Collection
from fractions import Fraction
from keyword import iskeyword
from typing import Any, NamedTuple

import numpy as np

from jacobi.errors import InputError
from jacobi.notation.tree import SCALAR, Apply, Hadamard, Inverse, Number, Power, Product, Quotient, Transpose, Tree


class Function(NamedTuple):
    """The names of a function.

    Attributes
    ----------
    text, latex : str
        A name, ``{0}`` standing for the first argument in a template; empty for the function's own name.
    source : str
        Likewise, with the name of NumPy, as ``np.sin``, or a bare name that is imported.
    module : str
        From where ``source`` is imported, if it does not start with ``np.``.
    compound : bool
        Whether the name is a function of a function, such as ``log Γ``, so that a power of it needs parentheses.
    """

    text: str = ""
    latex: str = ""
    source: str = ""
    module: str = ""
    compound: bool = False


SPECIAL, LINALG = "scipy.special", "scipy.linalg"

# A function that is not here is called by its own name, in NumPy or in SciPy: see `source_of`.
FUNCTIONS: dict[str, Function] = {
    # the operators of LaTeX
    **{
        name: Function(latex="\\" + name)
        for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "exp", "log")
    },
    "min": Function(latex=r"\min"),
    "max": Function(latex=r"\max"),
    "amin": Function("min", r"\min"),
    "amax": Function("max", r"\max"),
    "minimum": Function("min", r"\min"),
    "maximum": Function("max", r"\max"),
    "fmin": Function("min", r"\min", "np.fmin"),
    "fmax": Function("max", r"\max", "np.fmax"),
    "log2": Function(latex=r"\log_2"),
    "log10": Function(latex=r"\log_{{10}}"),
    "arcsinh": Function(latex=r"\operatorname{arsinh}"),
    "arccosh": Function(latex=r"\operatorname{arcosh}"),
    "arctanh": Function(latex=r"\operatorname{artanh}"),
    # brackets and roots
    "absolute": Function("|{0}|", r"\lvert {0}\rvert", "np.abs"),
    "abs": Function("|{0}|", r"\lvert {0}\rvert", "np.abs"),
    "fabs": Function("|{0}|", r"\lvert {0}\rvert"),
    "floor": Function("⌊{0}⌋", r"\lfloor {0}\rfloor"),
    "ceil": Function("⌈{0}⌉", r"\lceil {0}\rceil"),
    "sqrt": Function(latex=r"\sqrt{{{0}}}"),
    "cbrt": Function(latex=r"\sqrt[3]{{{0}}}"),
    # activations
    "relu": Function("max(0, {0})", r"\max(0,{0})"),
    "expit": Function("σ", r"\sigma", "expit", SPECIAL),
    "sigmoid": Function("σ", r"\sigma", "expit", SPECIAL),
    "softmax": Function(source="softmax", module=SPECIAL),
    "log_softmax": Function(latex=r"\log\operatorname{softmax}", source="log_softmax", module=SPECIAL, compound=True),
    "logsumexp": Function(source="logsumexp", module=SPECIAL),
    # matrices
    "det": Function(latex=r"\det", source="np.linalg.det"),
    "slogdet": Function("log|det({0})|", r"\log\lvert\det({0})\rvert", "np.linalg.slogdet({0})[1]", compound=True),
    "log_abs_det": Function("log|det({0})|", r"\log\lvert\det({0})\rvert", "np.linalg.slogdet({0})[1]", compound=True),
    "sign_of_det": Function("sign(det({0}))", r"\operatorname{{sign}}(\det({0}))", "np.linalg.slogdet({0})[0]"),
    "inv": Function(source="np.linalg.inv"),
    "vec": Function(source="np.ravel"),
    "symmetric_eigenvalues": Function("eigvalsh", r"\operatorname{eigvalsh}", "np.linalg.eigvalsh"),
    "symmetric_eigenvectors": Function("eigenvectors", r"\operatorname{eigenvectors}", "np.linalg.eigh({0})[1]"),
    **{
        name: Function(source=name, module=LINALG)
        for name in (
            "expm", "logm", "sqrtm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm", "solve_triangular",
            "solve_sylvester", "solve_continuous_lyapunov", "solve_discrete_lyapunov", "solve_toeplitz", "toeplitz",
            "circulant", "hankel", "block_diag", "convolution_matrix", "expm_frechet",
        )
    },
    # special functions
    "gamma": Function("Γ", r"\Gamma"),
    "gammaln": Function("log Γ", r"\log\Gamma", compound=True),
    "loggamma": Function("log Γ", r"\log\Gamma", compound=True),
    "digamma": Function("ψ", r"\psi"),
    "psi": Function("ψ", r"\psi"),
    "zeta": Function("ζ", r"\zeta"),
    "ndtr": Function("Φ", r"\Phi"),
    "log_ndtr": Function("log Φ", r"\log\Phi", compound=True),
    "ndtri": Function("Φ⁻¹", r"\Phi^{-1}"),
    "beta": Function(latex=r"\operatorname{B}"),
    "log_expit": Function("log σ", r"\log\sigma", compound=True),
    "jv": Function(latex="J_{{{0}}}({1})"),
    "yv": Function(latex="Y_{{{0}}}({1})"),
    "iv": Function(latex="I_{{{0}}}({1})"),
    "kv": Function(latex="K_{{{0}}}({1})"),
    "j0": Function(latex="J_0"),
    "j1": Function(latex="J_1"),
    "y0": Function(latex="Y_0"),
    "y1": Function(latex="Y_1"),
    "i0": Function(latex="I_0", source="i0", module=SPECIAL),
    "i1": Function(latex="I_1"),
    "k0": Function(latex="K_0"),
    "k1": Function(latex="K_1"),
}  # fmt: skip


def number(value: int) -> Number:
    """An exact number."""
    return Number(Fraction(value))


def _of(name: str, *arguments: Tree) -> Apply:
    """A function that acts entry by entry, of the kind of its last argument."""
    return Apply(name, arguments, arguments[-1].kind)


# Functions whose source is another formula.
DEFINITIONS: dict[str, Callable[..., Tree]] = {
    "relu": lambda x: _of("maximum", number(0), x),
    "softplus": lambda x: _of("logaddexp", number(0), x),
    "silu": lambda x: Hadamard((x, _of("expit", x))),
    "gelu": lambda x: Hadamard((x, _of("ndtr", x))),
    "square": lambda x: Power(x, number(2)),
    "reciprocal": lambda x: Quotient(number(1), x),
    "negative": lambda x: Product((number(-1), x)),
    "multiply": lambda x, y: Hadamard((x, y)),
    "divide": lambda x, y: Quotient(x, y),
    "power": lambda x, y: Power(x, y),
    "cofactors": lambda X: Product((Apply("det", (X,), SCALAR), Transpose(Inverse(X)))),
}


def identifier(name: str) -> str:
    """The name, if it can be a variable of generated source; an `InputError` for keywords and the like.

    >>> identifier("x_1")
    'x_1'
    """
    if not name.isidentifier() or iskeyword(name) or (name.startswith("__") and name.endswith("__")):
        raise InputError(f"{name!r} cannot be the name of a variable in Python source. Use letters, digits and _.")
    return name


def source_of(name: str, arguments: Collection[str] = ()) -> tuple[str, str]:
    """What a function is called in source, and the module from which it is imported, if any.

    A function that neither NumPy nor SciPy has may be one of the ``arguments`` of the generated function.

    >>> source_of("sin"), source_of("erf"), source_of("f'", ["f_prime"])
    (('np.sin', ''), ('erf', 'scipy.special'), ('f_prime', ''))
    """
    known = FUNCTIONS.get(name, Function())
    if known.source:
        return known.source, known.module
    called = identifier(name.replace("'", "_prime"))
    for prefix, home, module in _homes() if called == name and not name.startswith("_") else ():
        found = getattr(home, name, None)
        if callable(found) and not isinstance(found, type):
            return prefix + name, module
    if called not in arguments:
        raise InputError(f"Neither NumPy nor SciPy has a function {name!r}: pass it as an argument named {called!r}.")
    return called, ""


def _homes() -> list[tuple[str, Any, str]]:
    """Where functions live: the prefix in source, the module, and its name for importing."""
    from scipy import linalg, special

    return [("np.", np, ""), ("np.linalg.", np.linalg, ""), ("", special, SPECIAL), ("", linalg, LINALG)]
