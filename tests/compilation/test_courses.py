"""Functions whose course depends on values: compiled, they notice it, and masks follow the arguments."""

import numpy as np
import pytest
from alike import agrees, quietly, same

import jacobi as jb

X = np.array([0.3, -1.2, 2.1, 0.7, -0.4])
Y = np.array([-0.9, 0.2, 0.1, -1.7, 1.3])


def halved(x):
    count = 0
    while np.sum(x**2) > 1:
        x, count = x / 2, count + 1
    return np.sum(x) * count


def written(x):
    z = x.copy()
    z[0] = z[1] * 3
    z += 1
    z[1:] *= x[:-1]
    return z


COURSES = {
    "branch": lambda x: x**2 if x.sum() > 0 else x**3,
    "while": halved,
    "argmax": lambda x: x[np.argmax(x)] ** 2,
    "argsort": lambda x: x[np.argsort(x)] ** 2,
    "order changed": lambda x: x[np.argsort(x)[::-1]] * np.arange(x.size),
    "mask as an index": lambda x: x[x > 0] ** 2,
    "two masks": lambda x: np.where((x > 0) & (x < 1), x**2, x),
    "not a mask": lambda x: x * ~(x > 0),
    "how many": lambda x: x * (x > 0).sum(),
    "share": lambda x: x * np.mean(x > 0),
    "count": lambda x: x * np.count_nonzero(x > 0),
    "question about a list": lambda x: x * (2 if np.any([x[0] > 0, x[1] > 0]) else 3),
    "whole number": lambda x: x[: 1 + int(np.floor(abs(x[0]) * 3))] ** 2,
    "whole numbers": lambda x: x[np.abs(x).astype(int) % 5] ** 2,
    "searchsorted": lambda x: x * np.searchsorted([-1.0, 0.0, 1.0], x[0]),
    "digitize": lambda x: np.array([1.0, 2.0, 3.0, 4.0])[np.digitize(x, [-1.0, 0.0, 1.0])] * x,
    "allclose": lambda x: np.sum(x) if np.allclose(x, X) else np.sum(x**2),
    "comparison of numbers": lambda x: x * 2 if x[0] < x[1] < 3 else x * x[0],
    "loop": lambda x: sum(t**2 for t in x if t > 0),
}
MASKS = {  # no check is needed
    "mask as a factor": lambda x: x * (x > 0),
    "sum of masks": lambda x: x * ((x > 0) + (x < 1)),
    "product of masks": lambda x: x * ((x > 0) * (x < 1)),
    "where": lambda x: np.where(x > 0, x**3, x**2),
    "where of two": lambda x: np.where(np.logical_and(x > 0, x < 1), x**3, x**2),
    "sort": lambda x: np.sort(x) ** 2,
    "median": lambda x: np.median(x) ** 2,
    "max": lambda x: np.max(x) ** 2,
    "clip": lambda x: np.clip(x, -0.5, 0.5) ** 2,
    "relu": lambda x: np.maximum(x, 0) + np.abs(x),
    "writing": written,
    "interpolation": lambda x: np.interp(x, [-1, 0, 1], [0, 1, 0]),
    "rounding": lambda x: np.round(x) * x,
}


@pytest.mark.parametrize("name", [*COURSES, *MASKS])
@pytest.mark.parametrize("transform", [jb.value_and_jacobian, lambda f: f], ids=["derivative", "plain"])
def test_every_course_is_noticed(name, transform):
    function = (COURSES | MASKS)[name]
    F = agrees(transform(function), (X,), (-X,), (Y,), (4 * X,), (np.zeros(5),), (X,))
    if name in MASKS and name not in ("sort", "median", "interpolation"):
        assert len(F.recordings) == 1


def test_recordings_tell_why():
    F = agrees(jb.jacobian(COURSES["branch"]), (X,), (-X,), (X[:3],), recordings=3)
    assert F.recordings == ["for the first time", "a branch on values went another way",
                            "x is float64 (3,), recorded for float64 (5,)"]  # fmt: skip
    for point in (X, -X, X[:3], -X, X):
        F(point)
    assert len(F.recordings) == 3


def test_a_function_with_too_many_courses_is_traced():
    rng = np.random.default_rng(0)
    points = [(rng.normal(size=8),) for _ in range(30)]
    F = agrees(jb.jacobian(COURSES["argsort"]), *points)
    assert len(F.recordings) == 8


def test_an_answer_that_is_changed_later_is_still_checked():
    def function(x):
        order = np.argsort(x)
        picked = x[order] * 2
        order[:] = 0
        return picked

    agrees(function, (X,), (Y,), (X,), recordings=2)


def test_undefined_values_take_a_course_as_well():
    point = np.array([1, np.nan, 2, 3, 4])
    agrees(jb.gradient(lambda x: np.sum(x) if np.argmax(x) == 1 else np.sum(x**2)), (X,), (point,), (point,))


def test_a_singular_matrix_raises_as_it_does_in_numpy():
    F = jb.compile(jb.jacobian(np.linalg.inv), np.eye(3))
    with pytest.raises(np.linalg.LinAlgError):
        F(np.ones((3, 3)))
    np.testing.assert_array_equal(F(np.eye(3)).toarray(), -np.eye(9))


NUMBERS = {
    "root": np.sqrt,
    "power": lambda x: x**1.3,
    "inverse": lambda x: 1 / x,
    "inverse power": lambda x: x**-1,
    "log": np.log,
    "exp": np.exp,
    "large": lambda x: (x * 1e200) ** 7,
    "sin": np.sin,
    "logaddexp": lambda x: np.logaddexp(x, 1.0),
    "sinh": lambda x: np.sinh(x) / x,
    "maximum": lambda x: np.maximum(x, 1.0) * x,
    "sign": lambda x: np.sign(x) * x,
    "remainder": lambda x: x % 3.0,
    "floor": lambda x: np.floor(x) * x,
    "arccos": np.arccos,
    "to itself": lambda x: x**x,
    "absolute": np.abs,
    "bool": lambda x: x * ((x > 0) + (x < 1)),
    "where": lambda x: np.where(x > 0, x * x, x),
    "sum": lambda x: np.sum(x) * np.mean(x),
    "written": lambda x: np.stack([x, 2.0, x * x])[2],
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_behave_as_those_of_numpy(name):
    points = [(v,) for v in (2.5, -8.0, 0.0, 1000.0, -1000.0, np.inf, -np.inf, np.nan, 1e-300)]
    agrees(jb.value_and_gradient(NUMBERS[name]), *points, rounding=1e-12)
    F = quietly(jb.compile, NUMBERS[name], 2.5)
    for (v,) in points:
        same(F(v), quietly(NUMBERS[name], np.float64(v)), 1e-12)


def test_a_long_program_of_numbers_is_repeated_with_those_of_numpy():
    weights = np.array([1.0, 2.0, 3.0])

    def f(x):
        y = x
        for k in range(60):
            y = np.log(y + k) * 1.5 + y / (k + 1)
        return np.concatenate([weights * x, np.stack([y])])

    F = agrees(jb.value_and_jacobian(f), (2.5,), (-3.0,), (0.0,), (1e308,), (3.5,), recordings=1)
    assert len(F.source.splitlines()) > 100
