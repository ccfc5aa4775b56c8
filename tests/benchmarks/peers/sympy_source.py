"""SymPy: the derivative as expressions, printed as Python source by ``lambdify``; for a few numbers."""

import numpy as np

from peers.contestant import Contestant, Way

MOST = 3  # numbers


class Names:
    """SymPy under NumPy's names, as far as the functions of a few numbers use them."""

    def __getattr__(self, name):
        import sympy

        return getattr(sympy, name)

    def stack(self, entries):
        return list(entries)


def few_numbers(workload):
    """Whether all arguments are a few numbers."""
    return sum(np.size(a) for a in workload.arguments) <= MOST


def lambdified(workload):
    """``sympy.lambdify`` with common subexpressions named, on Python's numbers."""
    import sympy

    arguments = [
        sympy.symbols([f"{letter}{k}" for k in range(np.size(a))]) if np.ndim(a) else sympy.Symbol(letter)
        for letter, a in zip("xyz", workload.arguments, strict=False)
    ]
    value = workload.function(Names(), *arguments)
    if workload.kind == "jacobian":
        rows = [[sympy.diff(entry, symbol) for symbol in arguments[0]] for entry in value]
        source = sympy.lambdify(arguments[0], rows, "math", cse=True)

        def call(x):
            return np.array(source(*x.tolist()))
    else:
        several = [sympy.diff(value, symbol) for symbol in arguments]
        call = sympy.lambdify(arguments, several if workload.kind == "several" else several[0], "math", cse=True)
    return Contestant(call, lambda *numbers: numbers, tuple if workload.kind == "several" else np.asarray, "array")


WAYS = (Way(lambdified, few_numbers),)
