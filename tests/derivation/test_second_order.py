"""Hessians as formulas, and what their form shows."""

import numpy as np
import pytest

import jacobi as jb
from jacobi.derivation.stand_ins import stand_in
from jacobi.errors import InputError
from tests.derivation.agreement import arguments, assert_holds

XN = ("N", "n")
HESSIANS = [
    ("log(sum(exp(z)))", "z", dict(z="n"), {}, "diag(softmax(z)) - softmax(z) softmax(z)ᵀ", "diag(p) - p pᵀ"),
    ("-sum(y*log(exp(z)/sum(exp(z))))", "z", dict(z="n", y="n"), {},
     "(1ᵀ y) (diag(softmax(z)) - softmax(z) softmax(z)ᵀ)", ""),
    ("sum(log(1 + exp(-y * (X @ w))))", "w", dict(X=XN, w="n", y="N"), {"y": "y**2 = 1"},
     "Xᵀ diag(σ(-y ∘ Xw) ∘ σ(y ∘ Xw)) X", "weights are not negative"),
    ("sum(log(1 + exp(X @ w)))", "w", dict(X=XN, w="n"), {}, "Xᵀ diag(σ(-Xw) ∘ σ(Xw)) X", "weights are not negative"),
    ("norm(A @ x - b)**2", "x", dict(x="n", A=("m", "n"), b="m"), {}, "2 Aᵀ A", "weights are not negative"),
    ("mean((y - X @ w)**2) + norm(w)**2", "w", dict(X=XN, w="n", y="N"), {}, "2 I + (2/N) Xᵀ X",
     "weights are not negative"),
    ("mean((y - maximum(0, X @ w + b))**2)", "w", dict(X=XN, w="n", b=(), y="N"), {},
     "(2/N) Xᵀ diag(1[Xw + b > 0]) X", "weights are not negative"),
    ("x @ A @ x", "x", dict(x="n", A=("n", "n")), {"A": "positive definite"}, "2 A", "weights are not negative"),
    ("x @ A @ x", "x", dict(x="n", A=("n", "n")), {"A": "symmetric"}, "2 A", ""),
    ("sum(x**3)", "x", dict(x="n"), {}, "6 diag(x)", ""),
    ("sum(x**3)", "x", dict(x="n"), {"x": "positive"}, "6 diag(x)", "weights are not negative"),
    ("slogdet(X)[1]", "X", dict(X=("n", "n")), {}, "-(X⁻ᵀ ⊗ X⁻¹) K", ""),
    ("sum((R - U @ V.T)**2)", "U", dict(R=("m", "n"), U=("m", "k"), V=("n", "k")), {}, "2 (I ⊗ Vᵀ V)", ""),
    ("sum(f(W @ x))", "x", dict(W=("m", "n"), x="n"), {}, "Wᵀ diag(f''(Wx)) W", ""),
]  # fmt: skip


@pytest.mark.parametrize("text, wrt, shapes, assume, formula, remark", HESSIANS)
def test_hessian(text, wrt, shapes, assume, formula, remark):
    d = jb.derive(text, wrt=wrt, shapes=shapes, assume=assume, order=2)
    assert d.formula == formula
    told = [line for line in d.remarks if "semidefinite" in line]
    assert bool(told) == bool(remark) and all(remark in line for line in told)
    if "f(" in text:
        return
    values = arguments(d, assume=assume)
    assert_holds(d, text, wrt, values, order=2)
    if remark:
        assert np.linalg.eigvalsh(d(**values)).min() > -1e-10


def test_unknown_functions_have_derivatives():
    shapes = dict(W=("m", "n"), x="n")
    d = jb.derive("f(W @ x)", wrt="x", shapes=shapes)
    assert d.formula == "diag(f'(Wx)) W" and d.check()
    W, x = np.arange(6.0).reshape(2, 3), np.array([0.1, 0.2, -0.3])
    np.testing.assert_allclose(d(W=W, x=x, f_prime=np.cos), np.diag(np.cos(W @ x)) @ W)
    np.testing.assert_allclose(d(W=W, x=x, f_prime=stand_in("f", 1)), jb.jacobian(lambda x: stand_in("f")(W @ x))(x))
    with pytest.raises(InputError, match="f'"):
        d(W=W, x=x)


def test_an_array_has_no_hessian():
    with pytest.raises(InputError, match="scalar functions"):
        jb.derive("x**2", wrt="x", shapes=dict(x="n"), order=2)
