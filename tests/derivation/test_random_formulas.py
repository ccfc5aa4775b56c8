"""Random formulas: what is derived is the derivative, whatever the operators and however they are nested.

Run as a script for a long series: ``python tests/derivation/test_random_formulas.py 3000``.
"""

import re
import sys
from collections import Counter

import numpy as np
import pytest

import jacobi as jb
from jacobi.derivation.derive import DerivationError, Mistaken
from jacobi.errors import InputError
from tests.derivation.agreement import arguments, assert_holds
from tests.derivation.random_text import ELEMENTWISE, SHAPES, Maker

SCALARS = [
    "sum(x**2)", "x @ y", "norm(x)", "norm(x)**2", "mean(exp(x))", "logsumexp(x)", "x @ S @ y", "sum(abs(x))", "var(x)",
    "std(x)", "max(x)", "sum(maximum(0, x))", "trace(outer(x, x) @ S)", "prod(x)", "sum(sin(A @ x))", "a", "sum(x) * a",
    "sum(softmax(x) * y)", "sum(log1p(x**2))", "slogdet(S + outer(x, x))[1]", "x @ solve(S, x)", "x[0] * x[-1]",
    "sum(x[1:] * x[:-1])", "sum(cumsum(x) * y)", "sum(where(x > 0, x, 2 * x))",
]  # fmt: skip
OUTER = ["exp({})", "log(1 + ({})**2)", "sqrt(1 + ({})**2)", "tanh({})", "({})**3", "1 / (2 + ({})**2)", "-({})"]


def shapes_of(text):
    """The shapes of the arguments in a text."""
    return {name: shape for name, shape in SHAPES.items() if re.search(rf"(?<!\.)\b{name}\b", text)}


def random_formula(seed):
    """A random text, one of its arguments and their shapes."""
    rng = np.random.default_rng(seed)
    maker = Maker(rng)
    shape = maker.choice([(), (), (), ("n",), ("m", "n")])
    text = maker.made(shape, maker.choice((1, 2, 3)))
    shapes = shapes_of(text)
    return text, maker.choice(list(shapes)) if shapes else None, shapes


def outcome(seed):
    """What becomes of a random formula: "holds", "refused", "mistaken" or "no point"; what is derived is checked."""
    text, wrt, shapes = random_formula(seed)
    if wrt is None:
        return "no argument"
    try:
        d = jb.derive(text, wrt=wrt, shapes=shapes)
    except Mistaken:  # found out before it was shown: degenerate formulas, which have no derivative anywhere
        return "mistaken"
    except DerivationError:
        return "refused"
    except InputError:
        return "no point"
    values = d.jacobian.sizes.another().sample(np.random.default_rng(seed + 1))
    J = jb.jacobian(lambda *v: d.jacobian.sizes.program(**dict(zip(values, v, strict=True))), list(values).index(wrt))
    right = J(*values.values()).toarray()
    if np.isfinite(right).all():
        np.testing.assert_allclose(d(**values), right, rtol=1e-6, atol=1e-7 * (1 + np.abs(right).max(initial=0)))
    return "holds"


@pytest.mark.parametrize("first", range(0, 120, 10))
def test_random_formulas(first):
    found = Counter(outcome(seed) for seed in range(first, first + 10))
    assert found["holds"] >= 8, found


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_functions_entry_by_entry(function):
    form = function if "{}" in function else f"{function}({{}})"
    holds(form.replace("{}", "x"), "x")
    holds(f"y * {form.replace('{}', 'x')}", "x")
    holds(f"sum(B * {form.replace('{}', 'A')})", "A")


def holds(text, wrt):
    """Derive a text and compare; a kink or a pole at a point of the second is no matter."""
    d = jb.derive(text, wrt=wrt, shapes=shapes_of(text))
    assert_holds(d, text, wrt, arguments(d, positive=True))


@pytest.mark.parametrize("first", SCALARS)
def test_sums_and_products_of_scalars(first):
    wrt = "x" if "x" in shapes_of(first) else "a"
    k = SCALARS.index(first)
    others = [SCALARS[(k + step) % len(SCALARS)] for step in (1, 5, 11)]
    for text in [f"{first} + 3", *(form.format(first) for form in OUTER[k % 2 :: 2])]:
        holds(text, wrt)
    for other in others:
        holds(f"{first} + {other}", wrt)
        holds(f"({first}) * ({other})", wrt)


@pytest.mark.parametrize("left, right", [(a, b) for a in ("x", "A", "S") for b in ("x", "y", "R", "S", "C")])
def test_matrix_products(left, right):
    shapes = {"x": ("n",), "y": ("n",), "A": ("m", "n"), "S": ("n", "n"), "R": ("n", "n"), "C": ("n", "k")}
    for sign in ("{} @ {}", "dot({}, {})", "matmul({}, {})"):
        text = sign.format(left, right)
        for wrt in {left, right}:
            d = jb.derive(text, wrt=wrt, shapes={name: shapes[name] for name in (left, right)})
            assert d.jacobian.tree.kind != "tensor"
            assert_holds(d, text, wrt, arguments(d))


def series(count):
    """A long series; prints what was refused."""
    found = Counter()
    for seed in range(1000, 1000 + count):
        result = outcome(seed)
        found[result] += 1
        if result not in ("holds", "no argument"):
            print(seed, result, *random_formula(seed)[:2])
    print(dict(found))


if __name__ == "__main__":
    series(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
