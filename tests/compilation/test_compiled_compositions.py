"""Random functions, compiled in every way, agree with themselves traced, at three points each."""

import numpy as np
import pytest
from alike import quietly, same
from compositions import Composition

import jacobi as jb


def ways(c):
    """What can be compiled of a composition, by name."""
    f, arguments = c.f, c.arguments
    everything = tuple(range(len(arguments)))
    u = c.rng.uniform(0.5, 1, np.shape(f(*arguments)))
    directions = tuple(c.rng.normal(size=a.shape) for a in arguments)

    def weighted(*arguments):
        return np.sum(f(*arguments) * u)

    return {
        "plain": f,
        "value and Jacobian": jb.value_and_jacobian(f, everything),
        "value and gradient": jb.value_and_gradient(weighted, everything),
        "Hessian": jb.hessian(weighted),
        "csr": jb.jacobian(f, format="csr"),
        "array": jb.jacobian(f, format="array"),
        "jvp": lambda *arguments: jb.jvp(f, arguments, directions),
        "vjp": lambda *arguments: jb.vjp(f, *arguments)[1](u),
    }


def outcome(function, arguments):
    """The result, or the error where the function is not defined at this point."""
    try:
        return quietly(function, *arguments), None
    except (ValueError, IndexError, np.linalg.LinAlgError, jb.errors.JacobiError) as error:
        return None, type(error)


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_compositions(first):
    compared = 0
    for seed in range(first, first + 20):
        c = Composition(seed)
        points = [
            c.arguments,
            [a + 1e-3 * c.rng.normal(size=a.shape) + c.rng.choice([0, 0.5]) for a in c.arguments],
            [-a for a in c.arguments],
        ]
        for name, way in ways(c).items():
            if outcome(way, points[0])[1] is not None:
                continue
            try:
                compiled = quietly(jb.compile, way, *points[0])
                for point in points:
                    expected, error = outcome(way, point)
                    found, problem = outcome(compiled, point)
                    assert error is problem
                    if error is None:
                        same(found, expected, 1e-9)
                        compared += 1
            except Exception as error:
                error.add_note(f"{name} of\n{c}")
                raise
    assert compared > 200, "hardly anything was compared"
