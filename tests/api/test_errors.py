"""What cannot be differentiated raises an error that names the user's line and the cure; nothing is changed."""

import math
import re

import numpy as np
import pytest
import scipy.linalg

import jacobi as jb
from jacobi.errors import InputError, JacobiError, NoRuleError, ShapeError, TraceError

X = np.array([1.0, 2.0, 3.0])


def into_plain_entry(x):
    out = np.zeros(3)
    out[0] = x[0]
    return out


def into_plain_array(x):
    out = np.zeros(3)
    out[:] = x
    return out


def into_plain_sum(x):
    out = np.ones(3)
    out += x
    return out


def kept(x, box=[]):  # noqa: B006
    box.append(x)
    return x * box[0]


class Tensor:
    """Stands in for an array of another library."""

    __module__ = "torch"


REFUSED = {
    "math": (lambda x: math.sin(x[0]), TraceError, "np.sin"),
    "float": (lambda x: float(x[0]) * x, TraceError, "float"),
    "int": (lambda x: int(x[0]) * x, TraceError, "int"),
    "range": (lambda x: sum(x[0] for _ in range(x[1])), TraceError, "index"),
    "format": (lambda x: f"{float(x[0]):.3f}", TraceError, "derivative"),
    "plain entry": (into_plain_entry, TraceError, "np.zeros_like"),
    "plain array": (into_plain_array, TraceError, "np.zeros_like"),
    "plain +=": (into_plain_sum, TraceError, "y = y + "),
    "asarray": (lambda x: np.asarray(x), TraceError, "np.stack"),
    "array of arrays": (lambda x: np.array([x, x]), TraceError, "np.stack"),
    "scipy.linalg": (lambda x: scipy.linalg.expm(np.outer(x, x)), TraceError, "jacobi.functions"),
    "vectorize": (lambda x: np.vectorize(math.sin)(x), TraceError, "jacobi.functions"),
    "out=": (lambda x: np.sin(x, out=np.zeros(3)), TraceError, "out="),
    "where=": (lambda x: np.sum(x, where=X > 1), TraceError, "where="),
    "complex constant": (lambda x: x * 1j, InputError, "complex"),
    "complex array": (lambda x: x * np.ones(3, complex), InputError, "complex"),
    "None": (lambda x: None, InputError, "return"),
    "text": (lambda x: "abc", InputError, "str"),
    "dict": (lambda x: {"a": x}, InputError, "dict"),
    "ragged": (lambda x: [x, x[:2]], InputError, "concatenate"),
    "complex result": (lambda x: 1j, InputError, "complex"),
    "other library": (lambda x: x * Tensor(), InputError, "torch.Tensor"),
    "attribute": (lambda x: x.clone(), AttributeError, "clone"),
    "kept": (kept, TraceError, "after its trace"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_line_and_the_cure(name):
    function, kind, word = REFUSED[name]
    if name == "kept":
        jb.jacobian(function)(X)
    with pytest.raises(kind) as caught:
        jb.jacobian(function)(X)
    message = str(caught.value)
    assert word in message
    line = re.search(r"test_errors\.py:(\d+)", message)
    assert line, message
    first = function.__code__.co_firstlineno
    assert first <= int(line.group(1)) <= first + 4
    assert "np" in message or "." in message


@pytest.mark.parametrize(
    "argument",
    [X + 1j, "abc", None, Tensor(), np.array(["a"]), [[1.0], [1.0, 2.0]], np.ma.masked_array(X, X > 1), {1.0, 2.0}],
    ids=["complex", "str", "None", "tensor", "strings", "ragged", "masked", "set"],
)
@pytest.mark.parametrize("transform", [jb.jacobian, jb.gradient, jb.hessian, jb.value_and_jacobian])
def test_arguments_that_are_no_arrays(transform, argument):
    with pytest.raises(InputError):
        transform(lambda x: np.sum(x))(argument)


def test_misuse_of_the_transforms():
    with pytest.raises(InputError, match="not its value"):
        jb.jacobian(3.0)
    with pytest.raises(InputError, match="argument 1"):
        jb.jacobian(np.sin, argnums=1)(X)
    with pytest.raises(InputError, match="format"):
        jb.jacobian(np.sin, format="dense")
    with pytest.raises(ShapeError, match="scalar"):
        jb.gradient(np.sin)(X)
    with pytest.raises(ShapeError, match="direction"):
        jb.jvp(np.sin, (X,), (X[:2],))
    with pytest.raises(InputError, match="direction"):
        jb.jvp(np.sin, (X,), ())
    with pytest.raises(InputError, match="tuples"):
        jb.jvp(np.sin, X, X)
    with pytest.raises(ShapeError, match="covector"):
        jb.vjp(np.sin, X)[1](X[:2])
    with pytest.raises(InputError, match="one argument"):
        jb.hessian(np.sum, argnums=(0, 1))
    with pytest.raises(ShapeError, match="the left takes 3 numbers, the right gives 2"):
        jb.jacobian(lambda x: x[:2])(X) @ jb.jacobian(lambda x: x[:2])(X)
    assert issubclass(ShapeError, ValueError) and issubclass(NoRuleError, TypeError)
    assert all(issubclass(kind, JacobiError) for kind in (ShapeError, InputError, TraceError))


def test_what_has_no_rule_names_the_operation():
    with pytest.raises(NoRuleError, match=r"numpy\.unique"):
        jb.jacobian(lambda x: np.unique(x))(X)


def test_a_buffer_that_is_written_again_does_no_harm():
    def reused(x):
        buffer, total = np.zeros(3), 0
        for k in range(3):
            buffer[:] = k
            total = total + buffer * x
        return total

    np.testing.assert_array_equal(jb.jacobian(reused)(X).toarray(), 3 * np.eye(3))

    def large(x):
        buffer = np.zeros(30_000)
        y = buffer * x
        buffer[:] = 1
        return y + buffer * x

    with pytest.raises(TraceError, match="changed in place"):
        jb.jacobian(large)(np.ones(30_000))


def test_arrays_of_the_user_are_neither_changed_nor_shared():
    x, w = X.copy(), np.array([3.0, 4.0, 5.0])
    large_x, large_w = np.ones(30_000), np.full(30_000, 2.0)
    J, L = jb.jacobian(lambda x: x * w)(x), jb.jacobian(lambda x: large_w * x)(large_x)
    y, K = jb.value_and_jacobian(np.exp)(x)
    value, pullback = jb.vjp(lambda x: x * large_w, large_x)
    g = jb.gradient(lambda x: x @ w)(x)
    assert (x == X).all()
    for array in (x, w, large_x, large_w, y, g, value):
        array *= 100
    np.testing.assert_array_equal(J.diagonal(), [3.0, 4.0, 5.0])
    np.testing.assert_array_equal(L.diagonal(), np.full(30_000, 2.0))
    np.testing.assert_array_equal(K.diagonal(), np.exp(X))
    np.testing.assert_array_equal(pullback(np.ones(30_000)), np.full(30_000, 2.0))


def test_nan_and_infinity_pass_through():
    x = np.array([np.nan, np.inf, -np.inf, 0.0])
    d = jb.jacobian(lambda x: x * x)(x).diagonal()
    np.testing.assert_array_equal(d, [np.nan, np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(jb.jacobian(np.sqrt)(np.array([0.0])).toarray(), [[np.inf]])


def test_a_point_in_the_place_of_argnums():
    for transform in (jb.jacobian, jb.gradient, jb.hessian, jb.value_and_jacobian, jb.value_and_gradient):
        with pytest.raises(InputError, match=r"jacobian\(f\)\(x\)"):
            transform(np.sum, X)


def test_large_arrays_are_read_only_while_they_are_in_use():
    X = np.ones(30_000)

    def writes_a_constant(x):
        c = np.ones(x.size)
        y = x * c
        c[777] = 50.0
        return y

    def writes_its_argument(x):
        y = x * x
        X[777] = 30.0
        return y

    for function in (writes_a_constant, writes_its_argument):
        with pytest.raises(TraceError, match="changed in place"):
            jb.jacobian(function)(X)
        assert X.flags.writeable
    small = np.ones(3)

    def writes_a_small_argument(x):
        y = x * x
        small[1] = 30.0
        return y

    assert jb.jacobian(writes_a_small_argument)(small).diagonal().tolist() == [2.0, 2.0, 2.0]


def test_nothing_traced_is_left_over():
    kept = []
    (_, aux) = jb.jacobian(lambda x: (x * 2, np.array([x[0], x[1]])), has_aux=True)(X)
    assert aux.dtype == float
    jb.jacobian(lambda x: (kept.append(x), x * 2)[1])(X)
    with pytest.raises(TraceError, match="after its trace"):
        np.sin(kept[0])
    J, aux = jb.jacobian(lambda x: (lambda e: (e, e))(np.exp(x)), has_aux=True)(X)
    aux[:] = 0
    np.testing.assert_array_equal(J.diagonal(), np.exp(X))
    with pytest.raises(InputError, match="argnums"):
        jb.jacobian(np.sin, ())
    assert jb.jvp(np.sin, (X,), (None,))[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("call", "message"), [
    (lambda: jb.compile(jb.jacobian(np.sin)), "no arguments to record"),
    (lambda: jb.hessian(lambda p: np.sum(p["w"] ** 2))({"w": np.ones(2)}), "argument 0 is a dictionary"),
    (lambda: jb.jacobian(jb.primitive(lambda x: x * 2))(np.ones(2)), r"write @primitive\(df\) above the function"),
    (lambda: jb.propagate(np.sin, np.ones(2), np.array([-1.0, 1.0])), "negative variance, -1"),
    (lambda: jb.propagate(np.sin, np.ones(2), np.array([[0.1, 0.3], [0.0, 0.2]])), "is not symmetric"),
    (lambda: jb.propagate(np.sin, 1.0, -0.5), "negative variance, -0.5"),
])  # fmt: skip
def test_slips_of_calls(call, message):
    with pytest.raises(jb.errors.InputError, match=message):
        call()


def test_a_vectorized_function_is_not_taken_for_one_of_scipy():
    with pytest.raises(jb.errors.NoRuleError, match=r"^sin \(vectorized\) has no derivative rule"):
        jb.jacobian(lambda x: np.frompyfunc(math.sin, 1, 1)(x))(np.ones(2))
