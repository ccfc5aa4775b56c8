"""The test of the tests: `check_rule` finds every kind of wrong rule."""

import numpy as np
import pytest

from jacobi.matrix import Jacobian, einstein
from jacobi.rules import REGISTRY, Composed, Elementwise, Move, Rule, registry
from jacobi.rules.moves import selection
from jacobi.rules.reductions import reduced
from jacobi.rules.samples import apart, broadcast, calls, over_axes, positive, real
from jacobi.testing import check_rule

MATRICES = calls(((2, 3), (3, 4)))


def elementwise(function, *partials, domain=real, **options):
    domains = domain if isinstance(domain, tuple) else (domain,) * len(partials)
    return Elementwise(function, partials, **{"samples": broadcast(*domains), **options})


def move(function, by, samples):
    operation = Move(function, (by,), samples=samples)
    operation.parameters = frozenset(operation.names[1:])
    return operation


WRONG = {
    "sign": elementwise(np.cos, lambda y, x: np.sin(x)),
    "factor": elementwise(np.square, lambda y, x: x),
    "slightly wrong factor": elementwise(np.square, lambda y, x: 2.000001 * x),
    "lost reciprocal": elementwise(np.log, lambda y, x: x, domain=positive),
    "lost chain rule": elementwise(np.tanh, lambda y, x: 1 - y),
    "zero": elementwise(np.sin, lambda y, x: 0 * x),
    "partials exchanged": elementwise(np.multiply, lambda z, x, y: x, lambda z, x, y: y),
    "second operand forgotten": elementwise(np.multiply, lambda z, x, y: y, None),
    "said to be constant": elementwise(np.sin, lambda y, x: np.cos(x), piecewise_constant=True),
    "transposed": Rule(
        np.matmul,
        (
            lambda y, a, b: einstein("il;ik;kl", y.shape, a.shape, b),
            lambda y, a, b: einstein("il;kl;ik", y.shape, b.shape, np.reshape(np.transpose(a), a.shape)),
        ),
        samples=MATRICES,
    ),
    "transposed inverse": Rule(
        np.linalg.inv,
        (lambda y, a: einstein("il;kj;ki;jl", y.shape, a.shape, y, y, coefficient=-1),),
        samples=lambda rng: (((rng.uniform(-0.5, 0.5, (3, 3)) + 1.5 * np.eye(3),), {}),),
    ),
    "lost mean": Rule(
        np.mean,
        (lambda y, a, axis=None, keepdims=False: reduced(y, a, axis),),
        samples=over_axes(empty=False),
    ),
    "wrong axis": Rule(
        np.sum,
        (lambda y, a, axis=None, keepdims=False: reduced(y, a, None if axis is None else 0),),
        samples=calls(((2, 2), {"axis": 1})),
    ),
    "first of the ties only": Rule(
        np.max,
        (lambda y, a, axis=None, keepdims=False: reduced(y, a, axis, np.ones(a.shape)),),
        samples=over_axes(apart, empty=False),
    ),
    "off by one": move(
        np.roll,
        lambda y, x, shift, axis=None: selection(y.shape, x.shape, lambda p: np.roll(p, shift + 1, axis)),
        calls(((5,), {"shift": 2})),
    ),
    "reversed selection": move(
        np.ravel, lambda y, x, order="C": selection(y.shape, x.shape, lambda p: np.ravel(p)[::-1]), calls((2, 3))
    ),
    "selection with weights": move(
        np.ravel, lambda y, x, order="C": einstein("a;a;a", y.shape, (x.size,), np.ones(x.size)), calls((3,))
    ),
    "dense": Rule(
        np.sum, (lambda y, a, axis=None, keepdims=False: dense(y, a),), samples=calls(((2, 3), {"axis": 0}))
    ),
    "wrong shape": Rule(
        np.ravel, (lambda y, x: Jacobian.identity(x.shape),), samples=calls((2, 3))
    ),
    "peeking at values": elementwise(np.absolute, lambda y, x: np.where(x > 0, 1.0, -1.0)),
    "peeking with a branch": elementwise(np.absolute, lambda y, x: 1 if (x > 0).all() else np.sign(x)),
    "a wrong second derivative": elementwise(np.square, lambda y, x: 2 * getattr(x, "value", x)),
    "float64 for float32": elementwise(np.sin, lambda y, x: np.cos(x) * np.ones(x.shape)),
    "changed operand": elementwise(np.sin, lambda y, x: spoiled(x)),
    "a kink among the samples": elementwise(np.fabs, lambda y, x: np.sign(x), kink=lambda y, x: x > 0),
    "a domain with kinks": elementwise(np.fabs, lambda y, x: np.sign(x), domain=lambda rng, shape: np.zeros(shape)),
    "wrong definition": Composed(np.hypot, lambda x, y: np.sqrt(x * x + y), broadcast(positive, positive)),
}  # fmt: skip


def dense(y, a):
    """The right Jacobian of a sum over the first axis, stored in full."""
    full = np.tile(np.eye(y.size), a.shape[0])
    return Jacobian.from_dense(full, y.shape, a.shape)


def spoiled(x):
    """The right derivative, at the price of the operand."""
    y = np.cos(x)
    if type(x) is np.ndarray and x.flags.writeable:
        x += 1
    return y


class Dense(Elementwise):
    """An elementwise operation that stores its diagonal in a full matrix."""

    def local(self, operand, y, arguments, keywords, traced=()):
        return Jacobian.from_dense(np.diag(y), y.shape, y.shape)


WRONG["diagonal in a full matrix"] = Dense(np.exp, (lambda y, x: y,), samples=calls((3,)))


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rule_is_found(name, monkeypatch):
    wrong = WRONG[name]
    monkeypatch.setitem(REGISTRY, wrong.function, wrong)
    with pytest.raises(AssertionError) as caught:
        check_rule(wrong)
    assert f"in {wrong.name.removeprefix('numpy.')}(" in str(caught.value)


def test_the_same_rules_without_the_slip_pass(monkeypatch):
    for right in (
        elementwise(np.cos, lambda y, x: -np.sin(x)),
        elementwise(np.multiply, lambda z, x, y: y, lambda z, x, y: x),
        elementwise(np.absolute, lambda y, x: np.sign(x), kink=lambda y, x: x == 0),
        Composed(np.hypot, lambda x, y: np.sqrt(x * x + y * y), broadcast(positive, positive)),
    ):
        monkeypatch.setitem(REGISTRY, right.function, right)
        check_rule(right)


def test_the_worst_entry_is_named(monkeypatch):
    wrong = elementwise(np.square, lambda y, x: x, samples=calls((2, 3)))
    monkeypatch.setitem(REGISTRY, np.square, wrong)
    with pytest.raises(AssertionError, match=r"J by operand 0\[\d, \d\] is .* by finite differences\nin square\(array"):
        check_rule(np.square)


def test_own_ufunc_declared_from_outside(monkeypatch):
    """What a user does: declare a rule for a ufunc that the library does not know, and prove it."""
    monkeypatch.delitem(REGISTRY, np.exp2)
    registry.elementwise(np.exp2, lambda y, x: y * float(np.log(2)), domain=real)
    monkeypatch.setitem(REGISTRY, np.exp2, REGISTRY[np.exp2])
    check_rule(np.exp2)
