"""Text and LaTeX: the formulas of books, parentheses that cannot be misread, and LaTeX that is well formed."""

import re
from fractions import Fraction

import numpy as np
import pytest
from formulas import SIZES, Formulas, interpret, number, times
from reader import Reader

from jacobi.notation import tree as t
from jacobi.notation.latex import latex
from jacobi.notation.text import text

A, B, C, R, U, V, W, X = (t.Symbol(name, t.MATRIX) for name in "ABCRUVWX")
p, u, v, w, x, y, z = (t.Symbol(name, t.VECTOR) for name in "puvwxyz")
b = t.Symbol("b", t.SCALAR)
T, D = t.Transpose, t.Diagonal


def P(*factors):
    return t.Product(factors)


def H(*factors):
    return t.Hadamard(factors)


def S(*terms):
    return t.Sum(terms)


def f(name, *arguments):
    return t.Apply(name, arguments, arguments[-1].kind)


def positive(tree):
    return t.Mask(">", tree, number(0))


Xw_b = S(P(X, w), b)
ERROR = S(Xw_b, times(-1, y))
TWO_OVER_N = t.Quotient(number(2), t.Size("N"))
x_i, y_i = t.Symbol("x", t.VECTOR, "i"), t.Symbol("y", t.SCALAR, "i")
SAMPLE = S(P(T(w), x_i), b)

GOLDEN = [
    (
        P(TWO_OVER_N, T(H(positive(Xw_b), ERROR)), X),
        "(2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X",
        "(2/N) (1[Xw + b > 0] o (Xw + b - y))^T X",
        r"\frac{2}{N}\left(\mathbf 1[Xw+b>0]\odot(Xw+b-y)\right)^{\top}X",
    ),
    (
        P(number(2), t.Quotient(number(1), t.Size("N")), T(t.Ones("N")), H(positive(Xw_b), ERROR)),
        "(2/N) 1ᵀ (1[Xw + b > 0] ∘ (Xw + b - y))",
        "(2/N) 1^T (1[Xw + b > 0] o (Xw + b - y))",
        r"\frac{2}{N}\mathbf 1^{\top}\left(\mathbf 1[Xw+b>0]\odot(Xw+b-y)\right)",
    ),
    (
        P(TWO_OVER_N, t.SumOver("i", P(positive(SAMPLE), S(SAMPLE, times(-1, y_i)), T(x_i)))),
        "(2/N) Σᵢ 1[wᵀ xᵢ + b > 0] (wᵀ xᵢ + b - yᵢ) xᵢᵀ",
        "(2/N) sum_i 1[w^T x_i + b > 0] (w^T x_i + b - y_i) x_i^T",
        r"\frac{2}{N}\sum_{i} \mathbf 1[w^{\top}x_{i}+b>0](w^{\top}x_{i}+b-y_{i})x_{i}^{\top}",
    ),
    (D(x), "diag(x)", "diag(x)", r"\operatorname{diag}(x)"),
    (
        t.Kronecker(D(positive(S(P(W, x), b))), T(x)),
        "diag(1[Wx + b > 0]) ⊗ xᵀ",
        "diag(1[Wx + b > 0]) (x) x^T",
        r"\operatorname{diag}(\mathbf 1[Wx+b>0])\otimes x^{\top}",
    ),
    (
        S(D(p), P(number(-1), p, T(p))),
        "diag(p) - p pᵀ",
        "diag(p) - p p^T",
        r"\operatorname{diag}(p)-pp^{\top}",
    ),
    (
        P(number(-1), T(X), H(y, f("expit", H(times(-1, y), P(X, w))))),
        "-Xᵀ (y ∘ σ(-y ∘ Xw))",
        "-X^T (y o expit(-y o Xw))",
        r"-X^{\top}\left(y\odot\sigma(-y\odot Xw)\right)",
    ),
    (
        P(number(-1), t.Kronecker(T(t.Inverse(X)), t.Inverse(X)), t.Commutation("n", "n")),
        "-(X⁻ᵀ ⊗ X⁻¹) K",
        "-(X^-T (x) X^-1) K",
        r"-(X^{-\top}\otimes X^{-1})K",
    ),
    (t.Kronecker(A, T(B)), "A ⊗ Bᵀ", "A (x) B^T", r"A\otimes B^{\top}"),
    (
        S(P(B, X, C), P(T(B), X, T(C))),
        "BXC + Bᵀ X Cᵀ",
        "BXC + B^T X C^T",
        r"BXC+B^{\top}XC^{\top}",
    ),
    (
        P(number(-2), S(R, times(-1, P(U, T(V)))), V),
        "-2 (R - U Vᵀ) V",
        "-2 (R - U V^T) V",
        r"-2(R-UV^{\top})V",
    ),
    (
        t.Kronecker(times(2, t.Identity("n")), P(T(V), V)),
        "2 I ⊗ Vᵀ V",
        "2 I (x) V^T V",
        r"2I\otimes V^{\top}V",
    ),
    (
        times(-1, t.Kronecker(t.Inverse(A), T(x))),
        "-A⁻¹ ⊗ xᵀ",
        "-A^-1 (x) x^T",
        r"-A^{-1}\otimes x^{\top}",
    ),
    (
        P(D(f("f'", P(W, x))), W),
        "diag(f'(Wx)) W",
        "diag(f'(Wx)) W",
        r"\operatorname{diag}(f'(Wx))W",
    ),
    (
        P(t.Quotient(number(1), t.Norm(x)), S(t.Identity("n"), times(-1, P(y, T(y))))),
        "(1 / ‖x‖) (I - y yᵀ)",
        "(1 / ||x||) (I - y y^T)",
        r"\frac{1}{\lVert x\rVert}(I-yy^{\top})",
    ),
    (P(T(times(-2, H(v, positive(z)))), X), "(-2 (v ∘ 1[z > 0]))ᵀ X", "(-2 (v o 1[z > 0]))^T X", None),
    (S(x, P(number(-2), y)), "x - 2 y", "x - 2 y", "x-2y"),
    (f("softmax", z), "softmax(z)", "softmax(z)", r"\operatorname{softmax}(z)"),
    (f("maximum", number(0), z), "max(0, z)", "max(0, z)", r"\max(0,z)"),
    (t.Power(v, number(2)), "v²", "v^2", "v^{2}"),
    (t.Power(A, number(2)), "A ∘ A", "A o A", r"A\odot A"),
    (t.Power(A, number(3)), "A^(∘3)", "A^(o3)", r"A^{\circ 3}"),
    (times(Fraction(-3, 2), A), "-(3/2) A", "-(3/2) A", r"-\frac{3}{2}A"),
    (t.Quotient(t.Size("N"), number(2)), "N/2", "N/2", r"\frac{N}{2}"),
    (t.Norm(X, "fro"), "‖X‖_F", "||X||_F", r"\lVert X\rVert_F"),
    (t.Trace(P(T(A), B)), "tr(Aᵀ B)", "tr(A^T B)", r"\operatorname{tr}(A^{\top}B)"),
    (t.Part(S(x, y), "1:", t.VECTOR), "(x + y)[1:]", "(x + y)[1:]", "(x+y)[1:]"),
    (t.Mask(">=", z, y), "1[z ≥ y]", "1[z >= y]", r"\mathbf 1[z\ge y]"),
    (t.Entrywise(("i", "i"), ((v, ("i",)),), ()), "(δᵢⱼ vᵢ)ᵢⱼ", "(delta_ij v_i)_ij", r"(\delta_{ij} v_{i})_{ij}"),
    (t.Symbol("W1", t.MATRIX, "k"), "W1ₖ", "W1_k", "W_{1,k}"),
    (t.Symbol("x_hat", t.VECTOR), "x_hat", "x_hat", r"x_{\mathrm{hat}}"),
    (P(t.Symbol("mu", t.SCALAR), x), "mu x", "mu x", r"\mu x"),
]


@pytest.mark.parametrize(("tree", "unicode", "plain", "tex"), GOLDEN, ids=[row[2] for row in GOLDEN])
def test_golden_formulas(tree, unicode, plain, tex):
    assert text(tree) == unicode
    assert text(tree, ascii=True) == plain
    assert plain.isascii()
    assert tex is None or latex(tree) == tex


PARENTHESES = [
    (P(T(S(A, B)), C), "(A + B)ᵀ C"),
    (times(-1, S(x, y)), "-(x + y)"),
    (S(x, times(-1, S(y, times(-1, z)))), "x - (y - z)"),
    (P(A, S(B, C)), "A (B + C)"),
    (T(P(A, B)), "(AB)ᵀ"),
    (P(T(number(1)), T(b), x), "bx"),
    (S(b, T(S(b, b))), "b + (b + b)"),
    (t.Power(P(t.Size("N"), t.Size("N")), number(2)), "(N N)²"),
    (T(T(A)), "(Aᵀ)ᵀ"),
    (t.Power(times(-1, x), number(2)), "(-x)²"),
    (t.Power(t.Power(x, number(2)), number(3)), "(x²)³"),
    (H(x, times(-1, y)), "x ∘ (-y)"),
    (H(x, S(y, z)), "x ∘ (y + z)"),
    (H(x, t.Quotient(y, z)), "x ∘ (y / z)"),
    (t.Quotient(x, P(b, b)), "x / (bb)"),
    (t.Quotient(t.Quotient(x, y), z), "(x / y) / z"),
    (times(-1, times(-1, x)), "x"),
    (times(-1, H(times(-1, x), y)), "-(-x ∘ y)"),
    (t.Kronecker(H(x, y), z), "(x ∘ y) ⊗ z"),
    (P(t.SumOver("i", y_i), x), "(Σᵢ yᵢ) x"),
    (t.SumOver("i", S(y_i, b)), "Σᵢ (yᵢ + b)"),
    (S(t.SumOver("i", y_i), b), "Σᵢ yᵢ + b"),
    (H(t.SumOver("i", x_i), y), "(Σᵢ xᵢ) ∘ y"),
    (P(P(T(v), w), u), "(vᵀ w) u"),
    (P(x, t.Power(b, t.Symbol("T", t.SCALAR))), "x b^T"),
]


@pytest.mark.parametrize(("tree", "expected"), PARENTHESES, ids=[row[1] for row in PARENTHESES])
def test_parentheses(tree, expected):
    assert text(tree) == expected


def test_letters_side_by_side_are_never_a_longer_name():
    long = t.Symbol("Xw", t.VECTOR)
    assert text(S(P(X, w), long)) == "X w + Xw"
    e, x, q = (t.Symbol(letter, t.SCALAR) for letter in "exp")
    assert text(P(e, x, q, S(x, q))) == "e x p (x + p)"


def test_signs_that_are_also_names_of_variables():
    assert text(P(t.Symbol("I", t.MATRIX), t.Identity("n"))) == "I Iₙ"
    o = t.Symbol("o", t.VECTOR)
    assert text(H(o, x), ascii=True) == "o (o) x"
    assert text(t.Power(x, t.Symbol("T", t.SCALAR)), ascii=True) == "x^(T)"
    assert latex(P(t.Symbol("sigma", t.SCALAR), f("expit", x))) == r"\sigma\operatorname{expit}(x)"


def same(found, truth):
    found, truth = np.asarray(found), np.asarray(truth)
    return found.size == truth.size and np.allclose(found.ravel(), truth.ravel(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("block", range(10))
def test_text_is_read_as_it_was_meant(block):
    for seed in range(100 * block, 100 * block + 100):
        formulas = Formulas(seed, ("n",), bare_ones=False)
        tree, values, sizes = formulas.any(), formulas.values(), SIZES | {"N": 5}
        if seed % 5 == 0:
            tree = t.Kronecker(tree, formulas.any())
        truth = interpret(tree, values, sizes)
        columns = {name: np.reshape(array, shape_of(name, formulas)) for name, array in values.items()}
        plain = text(tree, ascii=True)
        read = Reader(plain, columns | {"N": 5.0, "I": np.eye(SIZES["n"])}, SIZES["n"]).read()
        assert same(read, truth), f"seed {seed}: {plain}"


def shape_of(name, formulas):
    for (rows, columns), names in formulas.names.items():
        if name in names:
            return (SIZES.get(rows, 1), SIZES.get(columns, 1)) if rows or columns else ()
    return (SIZES["n"],) * 2


def test_the_reader_notices_missing_parentheses():
    values = {"A": np.array([[1.0, 2.0], [3.0, 4.0]]), "x": np.array([[1.0], [2.0]])}
    assert same(Reader("A (x + x)", values, 2).read(), 2 * values["A"] @ values["x"])
    assert not same(Reader("Ax + x", values, 2).read(), 2 * values["A"] @ values["x"])
    with pytest.raises(AssertionError):
        Reader("x o x / x", values, 2).read()


PIECE = re.compile(
    r"\\left[(\[]|\\right[)\]]|\\lVert|\\rVert|\\lvert|\\rvert|\\[A-Za-z]+|\\.|[{}()\[\]^_]|[^\\{}()\[\]^_]"
)
CLOSING = {
    "}": "{",
    ")": "(",
    "]": "[",
    r"\right)": r"\left(",
    r"\right]": r"\left[",
    r"\rVert": r"\lVert",
    r"\rvert": r"\lvert",
}


def well_formed(tex):
    """What is wrong with LaTeX, or None: brackets that do not match, or two superscripts on one base."""
    pieces = PIECE.findall(tex)
    if "".join(pieces) != tex:
        return "characters that belong to nothing"
    opened, raised = [], [set()]
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if piece in CLOSING.values():
            opened.append(piece)
            if not (before in "^_" and before):
                raised[-1] = set()
            raised.append(set())
        elif piece in CLOSING:
            if not opened or opened.pop() != CLOSING[piece]:
                return f"{piece} closes nothing"
            raised.pop()
            if piece != "}":
                raised[-1] = set()
        elif piece in ("^", "_"):
            if piece in raised[-1]:
                return f"two {piece} on one base"
            raised[-1].add(piece)
        elif not (before and before in "^_"):
            raised[-1] = set()
    return f"{opened} stay open" if opened else None


@pytest.mark.parametrize("tex", [r"x^{2}^{3}", r"\left(x", "x)", r"\frac{a}{b", r"(x]", r"\left(x)"])
def test_bad_latex_is_noticed(tex):
    assert well_formed(tex)


@pytest.mark.parametrize("tex", [r"x^{2}y^{3}", r"x_{i}^{2}", r"\left(x^{2}\right)^{3}", r"\lVert X\rVert_F^{2}"])
def test_good_latex_passes(tex):
    assert well_formed(tex) is None


@pytest.mark.parametrize("block", range(10))
def test_latex_is_well_formed(block):
    for seed in range(100 * block, 100 * block + 100):
        tree = Formulas(seed, indices=True).any()
        tree = t.SumOver("i", tree) if seed % 7 == 0 else tree
        assert well_formed(latex(tree)) is None, f"seed {seed}: {latex(tree)}"


@pytest.mark.parametrize(
    "tree", [row[0] for row in GOLDEN + PARENTHESES], ids=[row[2] for row in GOLDEN] + [row[1] for row in PARENTHESES]
)
def test_golden_latex_is_well_formed(tree):
    assert well_formed(latex(tree)) is None
