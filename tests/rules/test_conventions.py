"""What NumPy users type on arrays means the same on traced arrays, and its Jacobian is right."""

import operator

import numpy as np
import pytest

import jacobi as jb
from jacobi.errors import JacobiError
from jacobi.finite_difference import finite_difference

VECTOR = np.array([0.5, -1.25, 2.0, 0.75, -0.3, 1.1])
MATRIX = np.array([[0.5, -1.25, 2.0], [0.75, -0.3, 1.1]])
SCALAR = np.float64(0.7)
MASK = np.array([True, False, True, True, False, False])


def same(f, x):
    """The value, its type and the Jacobian of a function that uses arrays like a NumPy user."""
    y, J = jb.value_and_jacobian(f)(x)
    expected = np.asarray(f(x.copy()))
    assert np.shape(y) == expected.shape
    assert np.asarray(y).dtype == expected.dtype
    np.testing.assert_array_equal(y, expected)
    numerical, error = finite_difference(f)(x)
    assert J.shape == numerical.shape
    assert np.all(np.abs(J.toarray() - numerical) <= 5 * error + 1e-12)


METHODS = {
    "x.sum()": lambda x: x.sum(),
    "x.sum(0)": lambda x: x.sum(0),
    "x.sum(axis=-1)": lambda x: x.sum(axis=-1),
    "x.sum(axis=1, keepdims=True)": lambda x: x.sum(axis=1, keepdims=True),
    "x.mean()": lambda x: x.mean(),
    "x.mean(axis=0)": lambda x: x.mean(axis=0),
    "x.mean(axis=(0, 1))": lambda x: x.mean(axis=(0, 1)),
    "x.prod()": lambda x: x.prod(),
    "x.var()": lambda x: x.var(),
    "x.var(ddof=1)": lambda x: x.var(ddof=1),
    "x.std(axis=1)": lambda x: x.std(axis=1),
    "x.max()": lambda x: x.max(),
    "x.max(axis=0)": lambda x: x.max(axis=0),
    "x.min(1)": lambda x: x.min(1),
    "x.cumsum()": lambda x: x.cumsum(),
    "x.cumsum(axis=1)": lambda x: x.cumsum(axis=1),
    "x.cumprod()": lambda x: x.cumprod(),
    "x.trace()": lambda x: x.trace(),
    "x.diagonal()": lambda x: x.diagonal(),
    "x.dot(y)": lambda x: x.dot(np.arange(6.0).reshape(3, 2)),
    "x.T": lambda x: x.T,
    "x.mT": lambda x: x.mT,
    "x.transpose()": lambda x: x.transpose(),
    "x.transpose(1, 0)": lambda x: x.transpose(1, 0),
    "x.transpose((1, 0))": lambda x: x.transpose((1, 0)),
    "x.swapaxes(0, 1)": lambda x: x.swapaxes(0, 1),
    "x.reshape(3, 2)": lambda x: x.reshape(3, 2),
    "x.reshape((3, 2))": lambda x: x.reshape((3, 2)),
    "x.reshape(-1)": lambda x: x.reshape(-1),
    "x.reshape([6])": lambda x: x.reshape([6]),
    "x.reshape(3, -1, order='F')": lambda x: x.reshape(3, -1, order="F"),
    "x.ravel()": lambda x: x.ravel(),
    "x.ravel('F')": lambda x: x.ravel("F"),
    "x.flatten()": lambda x: x.flatten(),
    "x.flatten('F')": lambda x: x.flatten("F"),
    "x.squeeze()": lambda x: x[None].squeeze(),
    "x.squeeze(0)": lambda x: x[None].squeeze(0),
    "x.repeat(2)": lambda x: x.repeat(2),
    "x.repeat(2, axis=0)": lambda x: x.repeat(2, axis=0),
    "x.take([0, 4])": lambda x: x.take([0, 4]),
    "x.clip(-1, 1)": lambda x: x.clip(-1, 1),
    "x.clip(max=1)": lambda x: x.clip(max=1),
    "x.round()": lambda x: x.round(),
    "x.round(1)": lambda x: x.round(1),
    "x.copy()": lambda x: x.copy(),
    "x.astype(float)": lambda x: x.astype(float),
    "x.astype(int)": lambda x: x.astype(int) * x,
    "x.conj()": lambda x: x.conj(),
    "x.real": lambda x: x.real,
    "x.imag": lambda x: x * 1.0 + x.imag,
    "x.item()": lambda x: x[:1, :1].item() * 2,
    "x.item(3)": lambda x: x.item(3),
    "x.item(1, 2)": lambda x: x.item(1, 2),
    "x.flat": lambda x: np.stack([t * k for k, t in enumerate(x.flat)]),
    "x.tolist()": lambda x: np.stack([row[0] for row in x.tolist()]),
    "x.shape": lambda x: x * x.shape[1],
    "x.size": lambda x: x / x.size,
    "x.ndim": lambda x: x**x.ndim,
    "x.dtype": lambda x: x * np.ones(3, dtype=x.dtype),
    "x.nbytes": lambda x: x * (x.nbytes + x.itemsize),
    "x.any(), x.all()": lambda x: x if x.any() and not (x > 0).all() else 2 * x,
    "x.argmax()": lambda x: x.ravel()[x.argmax()],
    "x.argmin(axis=1)": lambda x: x[[0, 1], x.argmin(axis=1)],
    "x.argsort()": lambda x: x[0][x[0].argsort()],
    "x.nonzero()": lambda x: x[x.nonzero()],
    "len(x)": lambda x: x / len(x),
    "abs(x)": lambda x: abs(x),
    "-x": lambda x: -x,
    "+x": lambda x: +x,
    "round(x[0, 0])": lambda x: x * round(x[0, 0]),
    "np.add.reduce": lambda x: np.add.reduce(x),
    "np.add.reduce(axis=1)": lambda x: np.add.reduce(x, axis=1),
    "np.multiply.reduce": lambda x: np.multiply.reduce(x),
    "np.maximum.reduce": lambda x: np.maximum.reduce(x, axis=1),
    "np.add.accumulate": lambda x: np.add.accumulate(x),
    "np.multiply.outer": lambda x: np.multiply.outer(x, [1.0, 2.0]),
    "np.subtract.outer": lambda x: np.subtract.outer(x[0], x[1]),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_and_attributes(name):
    same(METHODS[name], MATRIX)


ARITHMETIC = {
    "numbers": lambda x: 2 * x + 1 - x / 3,
    "numbers on the left": lambda x: 2 - 3 / (x * x + 1),
    "integers of NumPy": lambda x: np.int64(2) * x,
    "floats of NumPy": lambda x: np.float64(2) * x + x * np.float64(3),
    "booleans": lambda x: x * True + x * (x > 0),
    "2 ** x": lambda x: 2**x,
    "x ** 2": lambda x: x**2,
    "x ** 3": lambda x: x**3,
    "x ** -1": lambda x: x**-1,
    "x ** 0": lambda x: x**0,
    "x ** 0.5": lambda x: abs(x) ** 0.5,
    "x ** 2.0": lambda x: x**2.0,
    "x ** np.array(2)": lambda x: x ** np.array(2),
    "pow(x, 2)": lambda x: pow(x, 2),
    "x // 2": lambda x: x * (x // 0.7),
    "x % 2": lambda x: x % 2,
    "2 % x": lambda x: 2 % x,
    "divmod": lambda x: np.stack(divmod(x, 0.7)),
    "x @ x": lambda x: x @ x,
    "x @ A": lambda x: x @ np.arange(12.0).reshape(6, 2),
    "A @ x": lambda x: np.arange(12.0).reshape(2, 6) @ x,
    "array + x": lambda x: np.arange(6.0) + x,
    "array * x": lambda x: np.arange(6.0) * x,
    "array - x": lambda x: np.arange(6.0) - x,
    "array / x": lambda x: np.arange(6.0) / x,
    "array ** x": lambda x: np.arange(1.0, 7.0) ** x,
    "list * x": lambda x: [1, 2, 3, 4, 5, 6] * x,
    "x * list": lambda x: x * [1, 2, 3, 4, 5, 6],
    "integer array * x": lambda x: np.arange(6) * x,
    "float32 array * x": lambda x: np.arange(6, dtype=np.float32) * x,
    "comparisons": lambda x: np.where((x > 0) & (x <= 1), x**2, -x),
    "x == x": lambda x: x * (x == x),
    "x != 0": lambda x: x[x != 0],
    "a branch": lambda x: x * 2 if x[0] > 0 else x * 3,
    "a branch on any": lambda x: x * 2 if (x > 0).any() else x * 3,
    "a loop": lambda x: sum((x**k for k in range(3)), np.zeros(6)),
    "sum": lambda x: sum(x),
    "max": lambda x: max(x) * 2,
    "min": lambda x: min(x),
    "sorted": lambda x: np.stack(sorted(x)),
    "zip": lambda x: np.stack([a * b for a, b in zip(x, x[::-1], strict=True)]),
    "enumerate": lambda x: np.stack([k * t for k, t in enumerate(x)]),
    "list(x)": lambda x: np.stack(list(x)[::2]),
    "reversed": lambda x: np.stack(list(reversed(x))),
    "a, *b = x": lambda x: (lambda a, *b: a * b[0])(*x),
    "np.array of parts": lambda x: np.array([x[0] * x[1], x[2], 1.0]),
    "np.array of rows": lambda x: np.array([[x[0], x[1]], [x[2], 0.0]]),
    "a list": lambda x: [x[0], x[1] * 2],
    "a tuple of lists": lambda x: ([x[0], 1], [x[1], x[2]]),
    "f-string": lambda x: x * len(f"{x[0]:.2f}"),
    "isinstance": lambda x: x * (1 if isinstance(x, str) else 2),
    "operator.mul": lambda x: operator.mul(x, x),
    "hasattr": lambda x: x * (2 if hasattr(x, "shape") else 3),
    "np.shape, np.size": lambda x: x * (np.shape(x)[0] + np.size(x) + np.ndim(x)),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_operators_and_builtins(name):
    same(ARITHMETIC[name], VECTOR)


INDICES = {
    "2": 2, "-1": -1, "np.int64": np.int64(2), "0-d array": np.array(3), "empty tuple": (),
    "slice": slice(1, 4), "step": slice(None, None, 2), "reversed": slice(None, None, -1),
    "list": [0, 2], "empty list": [], "repeated": [1, 1, 0], "negative positions": [-1, -2],
    "array": np.array([[0, 1], [2, 3]]), "unsigned": np.array([1, 2], dtype=np.uint8),
    "mask": MASK, "mask as list": MASK.tolist(),
    "None": None, "ellipsis": Ellipsis, "ellipsis and None": (..., None),
}  # fmt: skip


@pytest.mark.parametrize("name", INDICES)
def test_indexing_vectors(name):
    same(lambda x: x[INDICES[name]] * 2, VECTOR)


PAIRS = {
    "row": 1, "entry": (1, 2), "column": (slice(None), 1), "kept column": (slice(None), [1]),
    "block": (slice(0, 1), slice(1, None)), "last": (..., -1), "new axis": (slice(None), None, 1),
    "reversed": (slice(None, None, -1), slice(None, None, -2)), "rows": [1, 0, 1],
    "pairs": ([0, 1], [2, 0]), "ix": np.ix_([0, 1], [2, 0]), "separated": ([0, 1], None, [0, 2]),
    "mask": MATRIX > 0, "mask of rows": np.array([True, False]),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_indexing_matrices(name):
    same(lambda x: x[PAIRS[name]] * 2, MATRIX)


@pytest.mark.parametrize("f", [
    lambda x: x + 1, lambda x: x.sum(), lambda x: x.max(), lambda x: np.dot(x, x), lambda x: np.ones(3) * x,
    lambda x: x.reshape(1, 1), lambda x: x.ravel(), lambda x: x[()], lambda x: x[None], lambda x: x.T,
    lambda x: np.stack([x, 2 * x]), lambda x: x.item() ** 2, lambda x: x.copy(), lambda x: x.astype(float),
    lambda x: 3.0, lambda x: np.sin(x) if x > 0 else x,
])  # fmt: skip
def test_scalars(f):
    same(f, SCALAR)
    assert jb.jacobian(f)(0.7).toarray().tolist() == jb.jacobian(f)(SCALAR).toarray().tolist()


def in_place(x):
    y = 2 * x
    y += x
    y -= 1
    y *= x
    y /= 2
    y **= 2
    return y


def seen_by_others(x):
    y = 2 * x
    z = y
    y += 1
    return z * x


def not_seen_by_copies(x):
    y = 2 * x
    z = y.copy()
    y *= 3
    return z + y


def rebound_scalar(x):
    total = 0
    for t in x:
        total += t * t
    return total


def rebound_entry(x):
    t = x[0]
    t += 1
    return t * x


def shifted(x):
    y = np.zeros_like(x)
    y[1:] = x[:-1] ** 2
    y[0] = 3 * x[0]
    return y


def added_to_parts(x):
    y = x * 1.0
    y[1:] += x[:-1]
    y[MASK] *= 2
    y[-1] = 0
    return y


def filled_by_loop(x):
    y = np.zeros_like(x)
    for k in range(len(x)):
        y[k] = x[k] * x[k - 1]
    return y


@pytest.mark.parametrize("f", [in_place, seen_by_others, not_seen_by_copies, rebound_scalar, rebound_entry,
                               shifted, added_to_parts, filled_by_loop])  # fmt: skip
def test_changes_in_place(f):
    same(f, VECTOR)


def view_follows(x):
    y = 2 * x
    view = y[1:4]
    y += 1
    return view * 2


def base_follows(x):
    y = 2 * x
    view = y[1:4]
    view += 1
    return y


def reshaped_follows(x):
    y = 2 * x
    view = y.reshape(2, 3)
    view *= 3
    return y


def transposed_follows(x):
    y = (2 * x).reshape(2, 3)
    view = y.T
    y[0] = 1.0
    return view


def argument_itself(x):
    x *= 2
    return x


def into_wider(x):
    y = x[:1] * 1.0
    y += x
    return y


@pytest.mark.parametrize("f", [view_follows, base_follows, reshaped_follows, transposed_follows])
def test_views_are_right_or_an_error(f):
    """An array that shares memory with a changed one is never wrong without a word."""
    try:
        jb.jacobian(f)(VECTOR)
    except JacobiError:
        return
    same(f, VECTOR)


def test_arguments_are_never_changed():
    x = VECTOR.copy()
    J = jb.jacobian(argument_itself)(x)
    assert np.array_equal(x, VECTOR)
    assert np.array_equal(J.toarray(), 2 * np.eye(6))


def test_in_place_growth_is_an_error_as_in_numpy():
    with pytest.raises(ValueError, match="broadcast"):
        jb.jacobian(into_wider)(VECTOR)


def test_out_of_bounds_is_the_error_of_numpy():
    with pytest.raises(IndexError):
        jb.jacobian(lambda x: x[7])(VECTOR)
    with pytest.raises(ValueError, match="shape"):
        jb.jacobian(lambda x: x.reshape(4, 2))(VECTOR)
    with pytest.raises(ValueError, match="broadcast"):
        jb.jacobian(lambda x: x + np.ones(5))(VECTOR)
    with pytest.raises(ValueError):
        jb.jacobian(lambda x: np.ones((2, 5)) @ x)(VECTOR)
    with pytest.raises(TypeError):
        jb.jacobian(lambda x: len(x[0]))(VECTOR)
    with pytest.raises(TypeError):
        jb.jacobian(lambda x: [t for t in x[0]])(VECTOR)
    with pytest.raises(AttributeError):
        jb.jacobian(lambda x: x.no_such_thing)(VECTOR)
