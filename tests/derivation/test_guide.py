"""The formulas that a reader expects, letter by letter, and every one of them executed."""

import numpy as np
import pytest

import jacobi as jb
from tests.derivation.agreement import arguments, assert_holds

X, XN = dict(X=("n", "p"), B=("n", "n"), C=("p", "p")), ("N", "n")
LOSS = dict(X=XN, w="n", b=(), y="N")
CROSS = dict(z="n", y="n")

# text, wrt, shapes, assumptions, Jacobian, gradient (None where the result is an array)
FORMULAS = [
    ("mean((y - maximum(0, X @ w + b))**2)", "w", LOSS, {},
     "(2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X", "(2/N) Xᵀ (1[Xw + b > 0] ∘ (Xw + b - y))"),
    ("mean((y - maximum(0, X @ w + b))**2)", "b", LOSS, {},
     "(2/N) 1[Xw + b > 0]ᵀ (Xw + b - y)", "(2/N) 1[Xw + b > 0]ᵀ (Xw + b - y)"),
    ("w * x", "w", dict(w="n", x="n"), {}, "diag(x)", None),
    ("maximum(0, W @ x + b)", "W", dict(W=("m", "n"), x="n", b="m"), {}, "diag(1[Wx + b > 0]) ⊗ xᵀ", None),
    ("maximum(0, W @ x + b)", "x", dict(W=("m", "n"), x="n", b="m"), {}, "diag(1[Wx + b > 0]) W", None),
    ("exp(z)/sum(exp(z))", "z", dict(z="n"), {}, "diag(softmax(z)) - softmax(z) softmax(z)ᵀ", None),
    ("-sum(y*log(exp(z)/sum(exp(z))))", "z", CROSS, {}, "(1ᵀ y) softmax(z)ᵀ - yᵀ", "(1ᵀ y) softmax(z) - y"),
    ("-sum(y*log_softmax(z))", "z", CROSS, {"y": "sum to one"}, "softmax(z)ᵀ - yᵀ", "softmax(z) - y"),
    ("sum(log(1 + exp(-y * (X @ w))))", "w", dict(X=XN, w="n", y="N"), {},
     "-(y ∘ σ(-y ∘ Xw))ᵀ X", "-Xᵀ (y ∘ σ(-y ∘ Xw))"),
    ("-sum(y*log(expit(X@w)) + (1-y)*log(1-expit(X@w)))", "w", dict(X=XN, w="n", y="N"), {},
     "(σ(Xw) - y)ᵀ X", "Xᵀ (σ(Xw) - y)"),
    ("log(det(X))", "X", dict(X=("n", "n")), {}, "vec(X⁻ᵀ)ᵀ", "X⁻ᵀ"),
    ("slogdet(X)[1]", "X", dict(X=("n", "n")), {}, "vec(X⁻ᵀ)ᵀ", "X⁻ᵀ"),
    ("det(X)", "X", dict(X=("n", "n")), {}, "det(X) vec(X⁻ᵀ)ᵀ", "det(X) X⁻ᵀ"),
    ("log(det(X.T @ X))", "X", dict(X=("n", "p")), {}, "2 vec(X (Xᵀ X)⁻¹)ᵀ", "2 X (Xᵀ X)⁻¹"),
    ("A @ X @ B", "X", dict(A=("m", "n"), X=("n", "p"), B=("p", "q")), {}, "A ⊗ Bᵀ", None),
    ("trace(X.T @ B @ X @ C)", "X", X, {}, "vec(BXC + Bᵀ X Cᵀ)ᵀ", "BXC + Bᵀ X Cᵀ"),
    ("trace(X.T @ B @ X @ C)", "X", X, {"B": "symmetric", "C": "symmetric"}, "2 vec(BXC)ᵀ", "2 BXC"),
    ("trace(X.T @ B @ X)", "X", dict(X=("n", "p"), B=("n", "n")), {}, "vec((B + Bᵀ) X)ᵀ", "(B + Bᵀ) X"),
    ("x @ A @ x", "x", dict(x="n", A=("n", "n")), {}, "xᵀ (A + Aᵀ)", "(A + Aᵀ) x"),
    ("x @ A @ x", "x", dict(x="n", A=("n", "n")), {"A": "symmetric"}, "2 xᵀ A", "2 Ax"),
    ("norm(A @ x - b)**2", "x", dict(x="n", A=("m", "n"), b="m"), {}, "2 (Ax - b)ᵀ A", "2 Aᵀ (Ax - b)"),
    ("x / norm(x)", "x", dict(x="n"), {}, "(1 / ‖x‖) (I - (1 / ‖x‖²) x xᵀ)", None),
    ("sum((R - U @ V.T)**2)", "U", dict(R=("m", "n"), U=("m", "k"), V=("n", "k")), {},
     "2 vec((U Vᵀ - R) V)ᵀ", "2 (U Vᵀ - R) V"),
    ("solve(A, b)", "A", dict(A=("n", "n"), b="n"), {}, "-A⁻¹ ⊗ bᵀ A⁻ᵀ", None),
    ("solve(A, b)", "b", dict(A=("n", "n"), b="n"), {}, "A⁻¹", None),
    ("inv(X)", "X", dict(X=("n", "n")), {}, "-X⁻¹ ⊗ X⁻ᵀ", None),
    ("cumsum(x)", "x", dict(x="n"), {}, "tril(1 1ᵀ)", None),
    ("sort(x)", "x", dict(x="n"), {}, "take(I, argsort(x), axis=0)", None),
    ("convolve(a, x)", "x", dict(a="k", x="n"), {}, "convolution_matrix(a, n, mode=full)", None),
    ("x[1:]**2 - x[:-1]", "x", dict(x="n"), {}, "2 diag(x[1:]) I[1:] - I[:-1]", None),
    ("concatenate([x, 2 * u])", "u", dict(x="n", u="m"), {}, "2 eye(m, n+m, n)ᵀ", None),
    ("X.T", "X", dict(X=("m", "n")), {}, "K", None),
    ("exp(X)", "X", dict(X=("m", "n")), {}, "diag(vec(exp(X)))", None),
    ("softmax(X, axis=1)", "X", dict(X=("m", "n")), {},
     "diag(vec(softmax(X, axis=1))) - diag(vec(softmax(X, axis=1))) (I ⊗ 1 1ᵀ) diag(vec(softmax(X, axis=1)))", None),
    ("max(x)", "x", dict(x="n"), {}, "1[x = max(x)]ᵀ", "1[x = max(x)]"),
    ("prod(x)", "x", dict(x="n"), {}, "prod(x) (1 / x)ᵀ", "prod(x) (1 / x)"),
    ("var(x)", "x", dict(x="n"), {}, "(2/n) (x - (1/n) 1ᵀ x)ᵀ", "(2/n) (x - (1/n) 1ᵀ x)"),
    ("sum(log(sum(exp(X @ W), axis=1)))", "W", dict(X=XN, W=("n", "k")), {},
     "vec(Xᵀ softmax(XW, axis=1))ᵀ", "Xᵀ softmax(XW, axis=1)"),
    ("softmax(Q @ K.T / sqrt(d), axis=1) @ V", "V", dict(Q=("m", "d"), K=("n", "d"), V=("n", "v")), {},
     "softmax((1 / sqrt(d)) Q Kᵀ, axis=1) ⊗ I", None),
]  # fmt: skip
POSITIVE = ("log(det(X))", "prod(x)")


@pytest.mark.parametrize("text, wrt, shapes, assume, formula, gradient", FORMULAS)
def test_formula(text, wrt, shapes, assume, formula, gradient):
    d = jb.derive(text, wrt=wrt, shapes=shapes, assume=assume)
    assert d.formula == formula
    assert (d.gradient.formula if d.gradient else None) == gradient
    for seed in range(2):
        assert_holds(d, text, wrt, arguments(d, seed, assume, positive=text in POSITIVE))


def test_likelihood_of_a_normal_distribution():
    text = "-N/2*slogdet(S)[1] - 0.5*sum(((X - mu) @ inv(S)) * (X - mu))"
    shapes = dict(X=("N", "n"), mu="n", S=("n", "n"))
    d = jb.derive(text, wrt="S", shapes=shapes)
    assert d.gradient.formula == "(1/2) S⁻ᵀ (X - 1 muᵀ)ᵀ (X - 1 muᵀ) S⁻ᵀ - (N/2) S⁻ᵀ"
    assert_holds(d, text, "S", arguments(d))
    by_mean = jb.derive(text, wrt="mu", shapes=shapes, assume={"S": "symmetric"})
    assert by_mean.sum_form == "Σᵢ (xᵢ - mu)ᵀ S⁻¹"
    assert by_mean.assumptions == ("S = S^T",)


def test_normalization():
    text = "(x - mean(x))/sqrt(var(x) + eps)"
    d = jb.derive(text, wrt="x", shapes=dict(x="n", eps=()))
    assert d.short == "(1 / sqrt(s)) (I - (1/n) 1 1ᵀ - (1 / (n s)) h hᵀ)"
    assert [name for name, _ in d.definitions] == ["s", "h"]
    assert "with s = var(x) + eps, h = x - (1/n) 1ᵀ x" in str(d)
    assert_holds(d, text, "x", arguments(d, positive=True))


def test_attention_by_its_queries():
    text = "softmax(Q @ K.T / sqrt(d), axis=1) @ V"
    d = jb.derive(text, wrt="Q", shapes=dict(Q=("m", "d"), K=("n", "d"), V=("n", "v")))
    assert d.formula.startswith("(1 / sqrt(d)) (I ⊗ Vᵀ) (diag(vec(softmax(") and d.formula.endswith("(I ⊗ K)")
    assert_holds(d, text, "Q", arguments(d))


NEURON = """\
mean((y - maximum(0, X @ w + b))**2)   y: (N,)   X: (N, n)   w: (n,)   b: ()
1. intermediate variables
   z = Xw + b       (N,)
   a = max(0, z)    (N,)
   v = y - a        (N,)
   s = v²           (N,)
   C = (1/N) 1ᵀ s
2. their derivatives (numerator layout)
   dz/dw = X                (N, n)
   da/dz = diag(1[z > 0])   (N, N)
   dv/da = -I               (N, N)
   ds/dv = 2 diag(v)        (N, N)
   dC/ds = (1/N) 1ᵀ         (1, N)
3. chain rule
   dC/dw = dC/ds ds/dv dv/da da/dz dz/dw                               chain rule
         = (1/N) 1ᵀ · 2 diag(v) · (-I) · diag(1[z > 0]) · X
   dC/ds = (1/N) 1ᵀ                                         (1, N)
   dC/dv = (2/N) vᵀ                                         (1, N)
   dC/da = -(2/N) vᵀ                                        (1, N)
   dC/dz = -(2/N) (1[z > 0] ∘ v)ᵀ                           (1, N)
   dC/dw = -(2/N) (1[z > 0] ∘ v)ᵀ X                         (1, n)
4. substitute
   dC/dw = -(2/N) (1[Xw + b > 0] ∘ (y - max(0, Xw + b)))ᵀ X              definitions
         = (2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X                       1[u > 0] ∘ max(0, u) = 1[u > 0] ∘ u; \
-(u - v) = v - u
5. result
   dC/dw    = (2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X          (1, n)
   gradient = (2/N) Xᵀ (1[Xw + b > 0] ∘ (Xw + b - y))          (n,)
   as a sum = (2/N) Σᵢ 1[xᵢᵀ w + b > 0] (xᵢᵀ w + b - yᵢ) xᵢᵀ
   valid where no entry of Xw + b equals 0 (there the derivative by it is taken as 0)"""


def test_the_derivation_of_the_neuron():
    d = jb.derive("mean((y - maximum(0, X @ w + b))**2)", wrt="w", shapes=LOSS)
    lines, expected = str(d).splitlines(), NEURON.splitlines()
    assert [" ".join(line.split()) for line in lines] == [" ".join(line.split()) for line in expected]
    assert "t1 = X @ w + b" in d.source


def test_the_sum_form_is_the_formula():
    d = jb.derive("mean((y - maximum(0, X @ w + b))**2)", wrt="w", shapes=LOSS)
    values = arguments(d)
    X, w, b, y = (values[name] for name in "Xwby")
    total = sum((x @ w + b > 0) * (x @ w + b - t) * x for x, t in zip(X, y, strict=True))
    np.testing.assert_allclose(d(**values)[0], 2 / len(y) * total)


@pytest.mark.parametrize(
    "options, formula, shape",
    [
        ({}, "A ⊗ Bᵀ", ("m q", "n p")),
        ({"vec": "F"}, "Bᵀ ⊗ A", ("m q", "n p")),
        ({"layout": "denominator"}, "Aᵀ ⊗ B", ("n p", "m q")),
        ({"layout": "denominator", "vec": "F"}, "B ⊗ Aᵀ", ("n p", "m q")),
    ],
)
def test_layouts(options, formula, shape):
    d = jb.derive("A @ X @ B", wrt="X", shapes=dict(A=("m", "n"), X=("n", "p"), B=("p", "q")), **options)
    assert (d.formula, d.jacobian.shape) == (formula, shape)
    turned = options.get("layout") == "denominator"
    assert_holds(d, "A @ X @ B", "X", arguments(d), transposed=turned, column_major=options.get("vec") == "F")
    assert turned == any("denominator" in remark for remark in d.remarks)


def test_notebooks_show_the_steps():
    d = jb.derive("sum((X @ w)**2)", wrt="w", shapes=dict(X=("N", "n")))
    for shown in (d._repr_html_(), d._repr_markdown_()):
        assert "chain rule" in shown and r"\mathrm d" in shown and "result" in shown
    assert d._repr_html_().count("<table>") == len({line.part for line in (*d.steps, *d.results)})


@pytest.mark.parametrize(
    "text, shapes, condition",
    [
        ("sum(abs(x))", dict(x="n"), "no entry of x is 0"),
        ("norm(x)", dict(x="n"), "x ≠ 0"),
        ("log(det(x))", dict(x=("n", "n")), "x is invertible"),
        ("sum(log(x))", dict(x="n"), "x > 0"),
        ("max(x)", dict(x="n"), "the largest entry of x is attained once"),
        ("sort(x)", dict(x="n"), "all entries of x are different"),
        ("sum(1 / x)", dict(x="n"), "x ≠ 0"),
        ("std(x)", dict(x="n"), "not all equal"),
        ("sum(maximum(x, 2 * x - 1))", dict(x="n"), "differ in every entry"),
    ],
)
def test_the_domain_is_told(text, shapes, condition):
    d = jb.derive(text, wrt="x", shapes=shapes)
    assert any(condition in told for told in d.domain), d.domain
