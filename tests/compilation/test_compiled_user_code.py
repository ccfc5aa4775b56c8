"""Unchanged user code, compiled in every way, agrees with itself traced: at new points and at new shapes."""

import sys
from pathlib import Path

import numpy as np
import pytest
from alike import agrees

import jacobi as jb

sys.path.insert(0, str(Path(__file__).parents[1] / "user_code"))
from test_user_code import CASES, SCALAR

each = {"ids": lambda case: case.function.__name__}


def moved(arguments):
    """A point nearby."""
    rng = np.random.default_rng(7)
    floats = [isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arguments]
    return tuple(a + 0.01 * rng.normal(size=np.shape(a)) if f else a for a, f in zip(arguments, floats, strict=True))


def points(case):
    """A point, one nearby, one of other shapes, and the second again."""
    first = case.at(case.small)
    return first, moved(first), case.at(case.small + 2), moved(first)


@pytest.mark.parametrize("case", CASES, **each)
@pytest.mark.parametrize("format", [None, "array", "csr"])
def test_jacobian(case, format):
    agrees(jb.jacobian(case.function, format=format), *points(case))


@pytest.mark.parametrize("case", CASES, **each)
def test_value_and_jacobian_by_all_arguments(case):
    agrees(jb.value_and_jacobian(case.function, tuple(case.by)), *points(case))


@pytest.mark.parametrize("case", CASES, **each)
def test_plain_function(case):
    if isinstance(case.function(*case.at(case.small)), (np.ndarray, float)):
        agrees(case.function, *points(case))


@pytest.mark.parametrize("case", SCALAR, **each)
@pytest.mark.parametrize("transform", [jb.gradient, jb.value_and_gradient, jb.hessian])
def test_gradient_and_hessian(case, transform):
    agrees(transform(case.function), *points(case), rounding=1e-9)


@pytest.mark.parametrize("case", CASES, **each)
def test_products(case):
    arguments = case.at(case.small)
    rng = np.random.default_rng(3)
    v = rng.normal(size=arguments[0].shape)
    u = rng.normal(size=np.shape(case.function(*arguments)))

    def forward(v, x, *others):
        return jb.jvp(case.function, (x, *others), (v, *(None for _ in others)))

    floats = [k for k, a in enumerate(arguments) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    floats = [0, 2] if case.function.__name__ == "natural_spline" else floats  # the other is written into a plain one

    def backward(u, *some):
        def function(*some):
            whole = list(arguments)
            for k, a in zip(floats, some, strict=True):
                whole[k] = a
            return case.function(*whole)

        y, pullback = jb.vjp(function, *some)
        return y, pullback(u)

    agrees(forward, (v, *arguments), (-v, *moved(arguments)))
    agrees(backward, (u, *(arguments[k] for k in floats)), (-u, *(moved(arguments)[k] for k in floats)))
