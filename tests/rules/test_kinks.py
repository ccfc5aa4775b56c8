"""Where there is no derivative, the declared convention holds."""

import numpy as np
import pytest

import jacobi as jb
from jacobi.rules import REGISTRY, Elementwise
from jacobi.rules.elementwise import quotient

ZERO = np.array([0.0, -1.0, 2.0])


def diagonal(f, *arguments, argnums=0):
    return jb.jacobian(f, argnums)(*arguments).diagonal()


@pytest.mark.parametrize("f", [np.abs, np.fabs, abs])
def test_absolute_value_has_derivative_zero_at_zero(f):
    assert diagonal(f, ZERO).tolist() == [0, -1, 1]


@pytest.mark.parametrize(
    "relu",
    [
        lambda x: np.maximum(0, x),
        lambda x: np.maximum(x, 0.0),
        lambda x: np.maximum(np.zeros(3), x),
        lambda x: np.fmax(0, x),
        lambda x: -np.minimum(0, -x),
        lambda x: np.clip(x, 0, None),
        lambda x: np.where(x > 0, x, 0),
        lambda x: x * (x > 0),
    ],
)
def test_relu_has_derivative_zero_at_zero(relu):
    assert diagonal(relu, ZERO).tolist() == [0, 0, 1]


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_variables_that_tie_share_equally(f):
    left, right = (J.diagonal() for J in jb.jacobian(f, (0, 1))(ZERO, np.array([0.0, 5.0, 2.0])))
    assert left[[0, 2]].tolist() == right[[0, 2]].tolist() == [0.5, 0.5]
    assert sorted([left[1], right[1]]) == [0, 1]


@pytest.mark.parametrize("f", [np.maximum, np.minimum])
def test_a_variable_that_ties_with_itself_has_the_whole(f):
    assert diagonal(lambda x: f(x, x), ZERO).tolist() == [1, 1, 1]


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_a_variable_that_ties_with_a_constant_gets_nothing(f):
    assert diagonal(lambda x: f(x, ZERO), ZERO).tolist() == [0, 0, 0]
    assert diagonal(lambda x: f(ZERO, x), ZERO).tolist() == [0, 0, 0]


def test_clip_gives_nothing_at_its_bounds():
    assert diagonal(lambda x: np.clip(x, -1, 2), np.array([-2.0, -1.0, 0.5, 2.0, 3.0])).tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("f", [np.max, np.min, np.amax, np.amin, lambda x: x.max(), lambda x: np.maximum.reduce(x)])
def test_tied_entries_of_an_extreme_share_equally(f):
    assert jb.gradient(f)(np.array([3.0, 3.0, 3.0])).tolist() == pytest.approx([1 / 3] * 3)


def test_tied_entries_share_along_an_axis():
    x = np.array([[1.0, 5.0, 5.0], [2.0, 2.0, 1.0]])
    J = jb.jacobian(lambda x: np.max(x, axis=1))(x)
    assert J.toarray().tolist() == [[0, 0.5, 0.5, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0]]


@pytest.mark.parametrize(
    "norm",
    [
        np.linalg.norm,
        lambda x: np.linalg.norm(x, 1),
        lambda x: np.hypot(x[0], x[1]),
        np.std,
    ],
)
def test_norms_have_derivative_zero_at_the_origin(norm):
    """As the absolute value, which is the norm of one number."""
    assert jb.gradient(norm)(np.zeros(2)).tolist() == [0, 0]


def test_sign_and_steps_have_derivative_zero():
    for f in (np.sign, np.floor, np.ceil, np.rint, np.trunc, lambda x: np.heaviside(x, 0.5)):
        assert diagonal(f, ZERO).tolist() == [0, 0, 0]


def test_powers_at_zero():
    """``x**0`` is constant, ``x**1`` is linear: their derivatives at 0 are no 0/0."""
    x, p = np.zeros(3), np.array([0.0, 1.0, 2.0])
    assert diagonal(lambda x: x**p, x).tolist() == [0, 1, 0]
    assert diagonal(lambda p: x**p, p).tolist()[1:] == [0, 0]
    for number, expected in ((0, 0), (1, 1), (2, 0), (0.0, 0), (1.0, 1), (3, 0)):
        assert diagonal(lambda x, number=number: x**number, x).tolist() == [expected] * 3
        assert diagonal(lambda x, number=number: np.power(x, number), x).tolist() == [expected] * 3


def test_products_with_zeros():
    x = np.array([0.0, 2.0, 3.0])
    assert jb.gradient(np.prod)(x).tolist() == [6, 0, 0]
    assert jb.gradient(np.prod)(np.array([0.0, 2.0, 0.0])).tolist() == [0, 0, 0]
    assert jb.jacobian(np.cumprod)(x).toarray().tolist() == [[1, 0, 0], [2, 0, 0], [6, 0, 0]]


def test_sinc_is_smooth_at_zero():
    x = np.array([0.0, 1e-3])
    assert diagonal(np.sinc, x)[0] == 0
    second = jb.hessian(lambda x: np.sum(np.sinc(x)))(x).diagonal()
    assert second == pytest.approx(-np.pi**2 / 3, rel=1e-5)


AT = {
    np.absolute: (ZERO,),
    np.fabs: (ZERO,),
    np.sqrt: (np.abs(ZERO),),
    np.cbrt: (ZERO,),
    np.maximum: (ZERO, np.array([0.0, 1.0, 1.0])),
    np.minimum: (ZERO, np.array([0.0, 1.0, 1.0])),
    np.fmax: (ZERO, np.array([0.0, 1.0, 1.0])),
    np.fmin: (ZERO, np.array([0.0, 1.0, 1.0])),
    np.copysign: (ZERO, np.ones(3)),
    np.sign: (ZERO,),
    np.floor: (np.array([0.0, 0.5, 1.5]),),
    np.ceil: (np.array([0.0, 0.5, 1.5]),),
    np.trunc: (np.array([1.0, 0.0, -1.5]),),
    np.rint: (np.array([0.5, 0.0, 1.0]),),
    np.floor_divide: (np.array([2.0, 3.0, 5.0]), np.full(3, 2.0)),
    np.remainder: (np.array([2.0, 3.0, 5.0]), np.full(3, 2.0)),
    np.fmod: (np.array([2.0, 3.0, 5.0]), np.full(3, 2.0)),
    np.heaviside: (ZERO, np.ones(3)),
    np.hypot: (ZERO, np.zeros(3)),
    np.arctan2: (ZERO, np.zeros(3)),
    quotient: (ZERO, np.array([0.0, 1.0, 1.0])),
    np.nan_to_num: (np.array([np.inf, 1.0, 2.0]),),
}


@pytest.mark.parametrize("function", AT, ids=lambda function: function.__name__)
def test_kinks_are_declared_where_they_are(function):
    """The first entry stands at a kink, the others do not."""
    y = function(*AT[function])
    assert (REGISTRY[function].distance(y, *AT[function]) == 0).tolist() == [True, False, False]


@pytest.mark.parametrize("function", [np.max, np.min, np.std], ids=lambda function: function.__name__)
def test_kinks_of_reductions_are_declared_where_they_are(function):
    x = np.array([[1.0, 1.0], [1.0, 2.0]])
    assert (REGISTRY[function].distance(function(x, axis=1), x, axis=1) == 0).tolist() == [True, False]
    kept = REGISTRY[function].distance(function(x, axis=1, keepdims=True), x, axis=1, keepdims=True)
    assert (kept == 0).tolist() == [[True], [False]]


def test_every_declared_kink_is_tested():
    kinked = {f for f, o in REGISTRY.items() if getattr(o, "kink", None) and isinstance(o, Elementwise)}
    assert {f for f in kinked if REGISTRY[f].name.startswith(("numpy.", "quotient"))} == set(AT)
