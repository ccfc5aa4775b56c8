"""``derive`` on every derivative that the notes print: the formula as derived, next to the one that is printed.

The notes are those of ``notes.py``.  The functions, the points and the printed derivatives are taken over from
``check_the_notes.py``; this file only adds every function as a text, from which its formula is derived.  A formula is
compared with the numerical derivative of the function, and what is printed is compared with the formula.

Run it with ``python examples/derive_the_notes.py``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import check_the_notes
import numpy as np
from check_the_notes import Printed
from notes import sigmoid

import jacobi as jb

LINES = {line.name: line for lines in check_the_notes.parts().values() for line in lines}


class Rule(NamedTuple):
    """A function of the notes as a text.

    ``arguments`` names the arguments, in the order in which the function takes them, with their shapes; further names
    of the text, and unknown functions with their derivatives, have values in ``given``.  ``lines`` are the lines of the
    notes that print a derivative of the function, each with what it prints; a line that is named after what it prints
    has ``""``.
    """

    text: str
    arguments: Mapping[str, str]
    lines: Mapping[str, str]
    given: Mapping[str, Any] = {}

    def pairs(self) -> Iterator[tuple[Printed, str]]:
        """The lines, each with the argument by which it differentiates."""
        for name in self.lines:
            yield LINES[name], list(self.arguments)[LINES[name].argnum]

    def printed(self, name: str) -> str:
        """What a line prints."""
        return self.lines[name] or name.partition(": ")[2]


def neuron() -> list[Rule]:
    """A neuron, from its loss inwards."""
    samples = {"w": "n", "b": "", "X": "N, n", "y": "N"}
    one = {"w": "n", "x": "n", "b": ""}
    sides = {"w": ("0^T", "x^T", "0^T"), "x": ("0^T", "w^T", "0^T"), "b": ("0", "1", "0")}
    return [
        Rule(
            "mean((y - maximum(0, X @ w + b))**2)",
            samples,
            {
                "squared error by w": "2/N sum_i e_i x_i^T, where z_i > 0",
                "squared error by b": "2/N sum_i e_i, where z_i > 0",
                "C by w: 1/N sum 2v dv/dw": "",
                "C by w: cases of -2v x^T": "",
                "C by w: cases of -2(y-z) x^T": "",
                "C by w: cases around the sum": "-2/N sum (y - z) x^T if z > 0",
                "C by w: 2/N sum e x^T": "",
                "squared error by w: no mask": "2/N sum e x^T",
                "C by b: 1/N sum 2v dv/db": "",
                "C by b: cases of -2(y-z)": "",
                "C by b: cases around the sum": "-2/N sum (y - z) if z > 0",
                "C by b: 2/N sum e": "",
            },
        ),
        Rule("sum((y - maximum(0, X @ w + b))**2) / n", samples, {"C with 1/n by w": "1/N sum 2v dv/dw"}),
        Rule(
            "maximum(0, dot(w, x) + b)",
            one,
            {
                f"max(0, w.x+b), z {sign} 0, by {name}": printed[k]
                for k, sign in enumerate("<>=")
                for name, printed in sides.items()
            }
            | {
                "activation by x, z <= 0: 0^T": "",
                "activation by x, z > 0: dz/dw = x": "x",
                "activation by x, z <= 0: 0": "",
                "activation by w, z > 0: x": "",
                "max(0, w.x+b) by x: x^T": "",
            },
        ),
        Rule("dot(w, x) + b", one, {"w . x + b by w: x^T + 0^T": "", "w . x + b by b: 0 + 1": ""}),
        Rule("maximum(0, z)", {"z": ""}, {f"max(0, z), z {sign}": "" for sign in ("< 0: 0", "> 0: 1", "= 0: 0")}),
        Rule("maximum(0, x)", {"x": "n"}, {"max(0, x) by x: a column": "[1(x > 0)]"}),
    ]


def vectors() -> list[Rule]:
    """The rules for vectors."""
    both, scaled = {"w": "n", "x": "n"}, {"x": "n", "z": ""}
    sine_and_square = {"f": np.sin, "f_prime": np.cos, "g": np.square, "g_prime": lambda x: 2 * x}
    B = np.random.default_rng(1).normal(size=(2, 3))
    return [
        Rule("x", {"x": "n"}, {"x by x": "I"}),
        Rule("w + x", both, {"w + x by w": "I", "w + x by x": "I"}),
        Rule("w - x", both, {"w - x by w": "I", "w - x by x": "-I"}),
        Rule("w * x", both, {"w o x by w": "diag(x)", "w o x by x": "diag(w)", "w o x by w: diag(w)": ""}),
        Rule("w / x", both, {"w / x by w": "diag(1 / x)", "w / x by x": "diag(-w / x^2)"}),
        Rule(
            "f(w) * g(x)",
            both,
            {"f(w) o g(x) by w: diag": "diag(f'(w) o g(x))", "f(w) o g(x) by x: diag": "diag(f(w) o g'(x))"},
            sine_and_square,
        ),
        Rule(
            "w[0] * x",
            both,
            {"[f_1(w) o g_i(x)] by w: diag": "diag(x)", "[f_1(w) o g_i(x)] by x: diag": "diag(w)"},
        ),
        Rule("x + z", scaled, {"x + z by x": "I", "x + z by z": "1"}),
        Rule("x * z", scaled, {"x z by x": "I z", "x z by z": "x"}),
        Rule("sum(x)", {"x": "n"}, {"sum(x) by x": "1^T", "sum(u) by u: 1^T": ""}),
        Rule("sum((B @ x)**2)", {"x": "n", "B": "m, n"}, {"sum(f(x)): sum_i df_i/dx_j": ""}, {"B": B}),
        Rule("sum(x * z)", scaled, {"sum(x z) by x": "z 1^T", "sum(x z) by z": "sum(x)"}),
        Rule("sum(v[:-1] * v[-1])", {"v": "n"}, {"sum(x z): [dy/dx dy/dz]": "[z 1^T, sum(x)]"}),
        Rule(
            "dot(w, x)",
            both,
            {
                "w . x by w": "x^T",
                "w . x by x": "w^T",
                "w . x by w: [x_1, ..., x_n]": "",
                "w . x by w, the data times 1000": "x^T",
            },
        ),
        Rule("sum(w * x)", both, {f"sum(w o x) by w: {printed}": "" for printed in ("1^T", "1^T diag(x)", "x^T")}),
        Rule("3 * p[0]**2 * p[1]", {"p": "2"}, {"3 x^2 y": "[6 y x, 3 x^2]"}),
        Rule(
            "stack([3 * p[0]**2 * p[1], 2 * p[0] + p[1]**8])",
            {"p": "2"},
            {"[3 x^2 y, 2 x + y^8]": "[6 y x, 3 x^2; 2, 8 y^7]"},
        ),
    ]


def chains() -> list[Rule]:
    """The chain rules."""
    number = {"x": ""}
    rng = np.random.default_rng(2)
    A, B = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))
    return [
        Rule("x + x**2", number, {"x + x^2 by x": "1 + 2 x", "x + x^2: total derivative": "1 + 1 (2 x)"}),
        Rule(
            "x * x**2 + sin(exp(x))",
            number,
            {
                "df/dx + sum df/du_i du_i/dx": "df/dx + sum df/du_i du_i/dx",
                "df/du . du/dx": "df/du . du/dx",
                "df/du du/dx, row by column": "df/du du/dx",
            },
        ),
        Rule("stack([x**2, 3 * x])", number, {"[x^2, 3 x] by x": "[2 x, 3]"}),
        Rule(
            "stack([log(x**2), sin(3 * x)])",
            number,
            {
                "[ln(x^2), sin(3x)] by x": "[2 / x, 3 cos(3 x)]",
                "f(g(x)), scalar form": "[1/x^2 2 x + 0, 0 + cos(3 x) 3]",
                "f(g(x)), df/dg dg/dx": "diag(1/x^2, cos(3 x)) [2 x, 3]",
            },
        ),
        Rule("stack([log(g[0]), sin(g[1])])", {"g": "2"}, {"[ln g1, sin g2] by g": "diag(1/g_1, cos(g_2))"}),
        Rule(
            "A @ sin(B @ x)**2",
            {"x": "n", "A": "m, k", "B": "k, n"},
            {"f(g(x)), m by k times k by n": "df/dg dg/dx"},
            {"A": A, "B": B},
        ),
        Rule(
            "sin(x**2)", {"x": "n"}, {"sin(x^2) by x": "diag(cos(x^2) 2 x)", "f(g(x)), diag(df/dg dg/dx)": "the same"}
        ),
    ]


def scalars() -> list[Rule]:
    """The rules for functions of one number."""
    number = {"x": ""}
    functions = {"f": np.sin, "f_prime": np.cos, "g": np.exp, "g_prime": np.exp}
    return [
        Rule("c + 0 * x", {"x": "", "c": ""}, {"c: 0": ""}, {"c": 99.0}),
        Rule("c * f(x)", {"x": "", "c": ""}, {"c f": "c df/dx"}, functions | {"c": 3.0}),
        Rule("3 * x", number, {"3 x": "3"}),
        Rule("x**n", {"x": "", "n": ""}, {"x^n: n x^(n-1)": ""}, {"n": 5.0}),
        Rule("x**3", number, {"x^3: 3 x^2": ""}),
        Rule("x**2", number, {"x^2: 2 x": "", "x^2 at 5: 10": ""}),
        Rule("f(x) + g(x)", number, {"f + g": "df/dx + dg/dx"}, functions),
        Rule("x**2 + 3 * x", number, {"x^2 + 3 x: 2 x + 3": ""}),
        Rule("f(x) - g(x)", number, {"f - g": "df/dx - dg/dx"}, functions),
        Rule("x**2 - 3 * x", number, {"x^2 - 3 x: 2 x - 3": ""}),
        Rule("f(x) * g(x)", number, {"f g: f dg + df g": ""}, functions),
        Rule("x**2 * x", number, {"x^2 x: x^2 + x 2 x": "", "x^2 x: 3 x^2": ""}),
        Rule("f(g(x))", number, {"f(g(x)): df/du du/dx": "", "f(g(x)): du/dx df/du": ""}, functions),
        Rule("log(x**2)", number, {"ln x^2: 1/x^2 2 x": "", "ln x^2: 2 / x": ""}),
    ]


def gates() -> list[Rule]:
    """The gates that circuits are made of, and the sigmoid function."""
    two = {"x": "", "y": ""}
    return [
        Rule("x * y", two, {"x y by x": "y", "x y by y": "x"}),
        Rule("v[0] * v[1]", {"v": "2"}, {"grad(x y): [y, x]": ""}),
        Rule("q * z", {"q": "", "z": ""}, {"q z by q": "z", "q z by z": "q"}),
        Rule("x + y", two, {"x + y by x": "1", "x + y by y": "1", "xpy by x": "1", "xpy by y": "1"}),
        Rule(
            "maximum(x, y)",
            two,
            {
                "max(x, y) by x": "1(x > y)",
                "max(x, y) by y": "1(y > x)",
                "max(x, y) by x: 1(x >= y)": "",
                "max(x, y) by y: 1(y >= x)": "",
                "max(x, y) by x where x = y": "1(x >= y)",
            },
        ),
        Rule("1 / x", {"x": ""}, {"1 / x by x": "-1 / x^2"}),
        Rule("c + x", {"x": "", "c": ""}, {"c + x by x": "1"}, {"c": 1.0}),
        Rule("exp(x)", {"x": ""}, {"e^x by x": "e^x"}),
        Rule("a * x", {"x": "", "a": ""}, {"a x by x": "a"}, {"a": -1.0}),
        Rule(
            "1 / (1 + exp(-x))",
            {"x": ""},
            {
                "sigmoid(x) by x": "(1 - s(x)) s(x)",
                "sigmoid: e^-x / (1+e^-x)^2": "",
                "sigmoid: plus 1, minus 1": "(1+e^-x-1)/(1+e^-x) 1/(1+e^-x)",
                "sigmoid at 1: (1 - 0.73) 0.73": "",
                "sigmoid at 1: about 0.2": "0.2",
                "sigmoid(1) = -0.73": "(1 + 0.73) (-0.73)",
                "sigx by x": "(1 - sigx) sigx",
                "sigy by y": "(1 - sigy) sigy",
            },
        ),
    ]


def circuits() -> list[Rule]:
    """Gates in a row, and the backward passes of the notes step by step."""
    three, four = {"x": "", "y": "", "z": ""}, {"x": "", "y": "", "z": "", "w": ""}
    sigx, sigy, xpy = sigmoid(3.0), sigmoid(-4.0), 3.0 - 4.0
    num, den = 3.0 + sigy, sigx + xpy**2
    rng = np.random.default_rng(0)
    dD = [rng.normal(size=shape) for shape in ((5, 10), (10, 3), (5, 3))][-1]
    return [
        Rule(
            "(x + y) * z", three, {f"(x + y) z by {name}": printed for name, printed in zip("xyz", "zzq", strict=True)}
        ),
        Rule(
            "2 * (x * y + maximum(z, w))",
            four,
            {
                f"2 (x y + max(z, w)) by {name}": printed
                for name, printed in zip("xyzw", ("2 y", "2 x", "2", "0"), strict=True)
            },
        ),
        Rule(
            "1 / (1 + exp(-(w[0] * x[0] + w[1] * x[1] + w[2])))",
            {"w": "3", "x": "2"},
            {"sigmoid neuron by w": "[x_0, x_1, 1] (1 - f) f", "sigmoid neuron by x": "[w_0, w_1] (1 - f) f"},
        ),
        Rule(
            "(x + expit(y)) / (expit(x) + (x + y)**2)",
            {"x": "", "y": ""},
            {"staged function by x": "dx, in stages", "staged function by y": "dy, in stages"},
        ),
        Rule("num * invden", {"num": "", "invden": ""}, {"dnum": "invden"}, {"invden": 1 / den}),
        Rule("num * invden", {"invden": "", "num": ""}, {"dinvden": "num"}, {"num": num}),
        Rule("num * (1.0 / den)", {"den": "", "num": ""}, {"dden": "(-1 / den^2) num"}, {"num": num}),
        Rule("sigx + xpysqr", {"sigx": "", "xpysqr": ""}, {"den by sigx": "1"}, {"xpysqr": xpy**2}),
        Rule("sigx + xpysqr", {"xpysqr": "", "sigx": ""}, {"den by xpysqr": "1"}, {"sigx": sigx}),
        Rule("xpy**2", {"xpy": ""}, {"xpysqr by xpy": "2 xpy"}),
        Rule("x + sigy", {"x": "", "sigy": ""}, {"num by x": "1"}, {"sigy": sigy}),
        Rule("x + sigy", {"sigy": "", "x": ""}, {"num by sigy": "1"}, {"x": 3.0}),
        Rule("W @ X", {"W": "m, k", "X": "k, n"}, {"W.dot(X) by W": "I (x) X^T", "W.dot(X) by X": "W (x) I"}),
        Rule(
            "sum(dD * (W @ X))",
            {"W": "m, k", "X": "k, n", "dD": "m, n"},
            {"dW = dD.dot(X.T)": "dD X^T", "dX = W.T.dot(dD)": "W^T dD"},
            {"dD": dD},
        ),
    ]


PARTS = [
    ("A neuron and its loss", neuron),
    ("Rules for vectors", vectors),
    ("Chain rules", chains),
    ("Rules for scalars", scalars),
    ("Gates", gates),
    ("Circuits", circuits),
]


@cache
def derived(text: str, arguments: tuple[tuple[str, str], ...], wrt: str) -> Any:
    """The derivation of a function that is given as a text."""
    return jb.derive(text, wrt=wrt, shapes=dict(arguments))


class Comparison(NamedTuple):
    """A line of the notes: the formula as derived, what is printed, and whether both are right.

    ``numerical`` and ``agrees`` are None at a kink, where there is no derivative.
    """

    line: Printed
    formula: str
    printed: str
    numerical: bool | None
    agrees: bool | None


def compare(rule: Rule, line: Printed, wrt: str) -> Comparison:
    """Evaluate a formula where the line does, and compare it with the numerical derivative and with what is printed."""
    derivation = derived(rule.text, tuple(rule.arguments.items()), wrt)
    form = derivation.gradient if line.layout == "gradient" else derivation
    point = tuple(np.asarray(value, dtype=float) for value in line.point)
    wanted = {*rule.arguments, *derivation.jacobian.functions}
    known = dict(zip(rule.arguments, point, strict=False)) | dict(rule.given)
    values = {name: value for name, value in known.items() if name in wanted}
    right = derivation(**values)
    numerical, error = jb.finite_difference(line.f, line.argnum)(*point)
    as_printed = line.derivative(*line.point) if callable(line.derivative) else line.derivative
    if not np.all(np.isfinite(error)):
        return Comparison(line, form.formula, rule.printed(line.name), None, None)
    close = right.shape == numerical.shape and np.all(np.abs(right - numerical) <= error + 1e-12 * np.abs(right))
    result = np.asarray(form(**values))
    other = np.array(as_printed, dtype=float, ndmin=result.ndim)
    agrees = other.shape == result.shape and np.allclose(other, result, rtol=line.rtol or 1e-10, atol=1e-12)
    return Comparison(line, form.formula, rule.printed(line.name), bool(close), bool(agrees))


def comparisons() -> Iterator[tuple[str, Rule, list[Comparison]]]:
    """All lines, by rule, with the title of the part."""
    for title, rules in PARTS:
        for rule in rules():
            yield title, rule, [compare(rule, line, wrt) for line, wrt in rule.pairs()]


ANSWERS = {True: "yes", False: "NO", None: "kink"}


def main() -> None:
    """Derive the gradient of the loss step by step, then print the table, and count."""
    first = neuron()[0]
    print(derived(first.text, tuple(first.arguments.items()), "w"), end="\n\n")
    counts: Counter[tuple[bool | None, bool | None]] = Counter()
    differ, last = [], ""
    for title, rule, lines in comparisons():
        if title != last:
            print(f"{title:<38} {'derived':<42} {'numerical?':<11} {'printed':<34} agrees?")
            last = title
        print(f"  {rule.text}")
        for line, formula, printed, numerical, agrees in lines:
            counts[numerical, agrees] += 1
            print(f"    {line.name:<34} {formula:<42} {ANSWERS[numerical]:<11} {printed:<34} {ANSWERS[agrees]}")
            if agrees is False:
                differ.append(f"  {line.name}: derived {formula}")
    print("\nWhat is printed and differs:", *differ, sep="\n")
    right = sum(count for (numerical, _), count in counts.items() if numerical)
    same = sum(count for (_, agrees), count in counts.items() if agrees)
    print(
        f"\n{right} of {counts.total() - counts[None, None]} formulas equal the numerical derivative, "
        f"{same} agree with what is printed; {counts[None, None]} stand at a kink."
    )


if __name__ == "__main__":
    main()
