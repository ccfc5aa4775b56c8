"""A formula against three others: the traced Jacobian, finite differences, and its own source, at fresh sizes."""

import numpy as np
from scipy import linalg, special

import jacobi as jb
from jacobi.derivation.derivation import Derivation
from jacobi.derivation.program import read
from jacobi.derivation.random_points import assumption
from jacobi.derivation.tokens import letters_in

SIZES = (6, 4, 3, 5, 2)  # of the letters in the order in which they occur
NAMESPACE = {**vars(special), **vars(np.linalg), **vars(np), "softmax": special.softmax}


def arguments(d: Derivation, seed=0, assume=None, positive=False):
    """Random arguments of a derivation at sizes that it has not seen."""
    rng = np.random.default_rng(seed)
    shapes = d.jacobian.sizes.shapes
    sizes = dict(zip(letters_in(shapes), SIZES, strict=False))
    values = {}
    for name, shape in shapes.items():
        here = tuple(eval(str(token), {}, sizes) for token in shape)
        value = rng.uniform(0.3, 1.5, here) if positive else rng.normal(size=here)
        if len(here) == 2 and here[0] == here[1]:
            value = value + 2 * here[0] * np.eye(here[0]) if not (assume or {}).get(name) else value
        if (assume or {}).get(name):
            value = assumption(name, assume[name]).draw(rng, here)
        values[name] = np.asarray(value)[()]
    return values | {letter: sizes[letter] for letter in d.jacobian.sizes.program.letters}


def executed(source, values):
    """The value of generated source."""
    namespace = {}
    exec(compile(source, "<derived>", "exec"), namespace)
    return namespace["derivative"](**values)


def assert_holds(d: Derivation, text, wrt, values, order=1, transposed=False, column_major=False):
    """The formula, its source and its gradient agree with the traced and the numerical Jacobian."""
    program = read(text, letters=letters_in(d.jacobian.sizes.shapes))
    names = list(values)
    k = names.index(wrt)

    def f(*positional):
        return program(**dict(zip(names, positional, strict=True)))

    if order == 2:
        H = jb.hessian(f, k)(*values.values()).toarray()
        np.testing.assert_allclose(d(**values), H, rtol=1e-7, atol=1e-9)

        def slope(*positional):
            return jb.gradient(f, k)(*positional)

        J, error = jb.finite_difference(slope, k)(*values.values())
    else:
        J, error = jb.finite_difference(f, k)(*values.values())
        order_of_axes = "F" if column_major else "C"
        traced = jb.jacobian(f, k)(*values.values()).toarray(order=order_of_axes)
        np.testing.assert_allclose(d(**values), traced.T if transposed else traced, rtol=1e-7, atol=1e-9)
    if not transposed and not column_major:
        assert np.all((np.abs(d(**values) - J) <= 5 * error + 1e-6 * (1 + np.abs(J))) | ~np.isfinite(error))
    assert d(**values).ndim == 2
    np.testing.assert_allclose(executed(d.source, values), d(**values), rtol=1e-12, atol=1e-12)
    if d.gradient is not None:
        gradient = d.gradient(**values)
        assert np.shape(gradient) == np.shape(values[wrt]) or not np.any(gradient)
        np.testing.assert_allclose(np.ravel(gradient), np.ravel(jb.gradient(f, k)(*values.values())), atol=1e-9)


__all__ = ["NAMESPACE", "arguments", "assert_holds", "executed", "linalg"]
