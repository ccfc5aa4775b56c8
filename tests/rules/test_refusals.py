"""Nothing that lacks a rule gives a number: every function of NumPy either has a rule or raises `NoRuleError`."""

import inspect

import numpy as np
import pytest

import jacobi as jb
from jacobi.errors import JacobiError, NoRuleError, TraceError
from jacobi.rules import REFUSED, REGISTRY

VECTOR = np.array([0.3, 0.7, 1.9])
MATRIX = np.array([[2.0, 0.3], [0.3, 1.5]])


def dispatching():
    """Every function of NumPy that hands its call to a foreign class, and every ufunc."""
    found = {}
    for module in (np, np.linalg):
        for name in sorted(vars(module)):
            function = getattr(module, name)
            if isinstance(function, np.ufunc) or hasattr(function, "_implementation"):
                found.setdefault(function, f"{module.__name__}.{name}")
    return {name: function for function, name in found.items()}


FUNCTIONS = dispatching()
WITHOUT_RULE = {name: f for name, f in FUNCTIONS.items() if f not in REGISTRY}

ARGUMENTS = {  # what to call with, where an array in every required place is not what the function takes
    "numpy.apply_along_axis": lambda x: (np.sum, 0, x),
    "numpy.apply_over_axes": lambda x: (np.sum, x, 0),
    "numpy.block": lambda x: ([x, x],),
    "numpy.broadcast_arrays": lambda x: (x, x),
    "numpy.choose": lambda x: (np.array([0, 1, 0]), [x, x]),
    "numpy.column_stack": lambda x: ((x, x),),
    "numpy.copyto": lambda x: (x, x),
    "numpy.delete": lambda x: (x, 1),
    "numpy.dstack": lambda x: ((x, x),),
    "numpy.einsum_path": lambda x: ("i,i", x, x),
    "numpy.full_like": lambda x: (x, x),
    "numpy.hstack": lambda x: ((x, x),),
    "numpy.insert": lambda x: (x, 1, x[0]),
    "numpy.ix_": lambda x: (x, x),
    "numpy.lexsort": lambda x: ((x, x),),
    "numpy.linalg.multi_dot": lambda x: ((x, x),),
    "numpy.meshgrid": lambda x: (x, x),
    "numpy.piecewise": lambda x: (x, [VECTOR > 0.5], [1.0, 2.0]),
    "numpy.save": lambda x: ("never_written.npy", x),
    "numpy.savetxt": lambda x: ("never_written.txt", x),
    "numpy.savez": lambda x: ("never_written.npz", x),
    "numpy.savez_compressed": lambda x: ("never_written.npz", x),
    "numpy.select": lambda x: ([VECTOR > 0.5], [x]),
    "numpy.unravel_index": lambda x: (x, (4, 4)),
    "numpy.vstack": lambda x: ((x, x),),
}

# Functions written in C that need two arguments; they tell their parameters from NumPy 2.4 on only.
PAIRS = {
    np.busday_count, np.busday_offset, np.can_cast, np.may_share_memory, np.ravel_multi_index, np.shares_memory,
    np.unravel_index,
}  # fmt: skip


def required(function):
    """How many arguments a function needs."""
    if isinstance(function, np.ufunc):
        return function.nin
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return 2 if function in PAIRS else 1
    return max(1, sum(p.kind in kinds and p.default is p.empty for p in parameters))


def call(name, x):
    """A plausible call of a function with traced operands."""
    arguments = ARGUMENTS[name](x) if name in ARGUMENTS else (x,) * required(FUNCTIONS[name])
    return FUNCTIONS[name](*arguments)


def test_the_functions_are_seen():
    assert len(FUNCTIONS) > 330
    assert {np.sin, np.sort, np.linalg.svd, np.concatenate} <= set(FUNCTIONS.values())


@pytest.mark.parametrize("name", WITHOUT_RULE)
@pytest.mark.parametrize("point", [VECTOR, MATRIX], ids=["vector", "matrix"])
def test_functions_without_rule_raise(name, point):
    """The error is raised in the function, before anything could make a number of it."""
    reached = []

    def f(x):
        reached.append(call(name, x))
        return np.sum(x)

    with pytest.raises(NoRuleError) as caught:
        jb.jacobian(f)(point)
    assert not reached
    message = str(caught.value)
    assert WITHOUT_RULE[name].__name__ in message
    assert "test_refusals.py" in message or "conftest" in message


WITH_METHODS = [
    name
    for name, f in FUNCTIONS.items()
    if isinstance(f, np.ufunc) and f.nin == 2 and f.nout == 1 and f.signature is None
]


@pytest.mark.parametrize("method", ["reduce", "accumulate", "reduceat", "outer", "at"])
@pytest.mark.parametrize("name", WITH_METHODS)
def test_methods_of_ufuncs_have_a_rule_or_raise(name, method):
    ufunc = FUNCTIONS[name]
    if (ufunc, method) in REGISTRY:
        return
    arguments = {"reduceat": ([0, 1],), "outer": (VECTOR,), "at": ([0, 1], VECTOR[:2])}.get(method, ())
    with pytest.raises(NoRuleError, match=method):
        jb.jacobian(lambda x: getattr(ufunc, method)(x, *arguments))(VECTOR)


@pytest.mark.filterwarnings("ignore:`in1d` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("function", [f for f, o in REGISTRY.items() if o.kind == "silent"], ids=lambda f: f.__name__)
def test_silent_functions_give_plain_values(function):
    """No node comes out, so nothing that looks traced has lost its derivative."""
    seen = []

    def f(x):
        extra = {np.result_type: (), np.can_cast: (float,), np.digitize: ([0.5, 1.0],), np.full_like: (1.0,)}
        others = extra.get(function, (x,) * (required(function) - 1))
        try:
            seen.append(function(x, *others))
        except JacobiError:
            raise
        except (TypeError, ValueError):
            seen.append(None)
        return np.sum(x)

    with np.errstate(all="ignore"):
        jb.jacobian(f)(VECTOR)
    parts = seen[0] if isinstance(seen[0], tuple) else (seen[0],)
    assert all(type(part).__module__.split(".")[0] in ("numpy", "builtins") for part in parts)


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_refused_functions_say_why(function):
    name = next((name for name, f in FUNCTIONS.items() if f is function), None)
    with pytest.raises(NoRuleError) as caught:
        jb.jacobian(lambda x: np.sum(call(name, x) if name else function(*[x] * required(function))))(VECTOR)
    assert REFUSED[function] in str(caught.value)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, dtype=np.float32),
        lambda x: np.sum(x, where=VECTOR > 0.5),
        lambda x: np.sum(x, initial=1.0),
        lambda x: np.add(x, x, where=VECTOR > 0.5),
        lambda x: np.add(x, x, dtype=np.float32),
        lambda x: np.add(x, x, out=np.zeros(3)),
        lambda x: np.take(x, [0, 1], out=np.zeros(2)),
        lambda x: np.max(x, initial=1.0),
        lambda x: np.var(x, mean=1.0),
        lambda x: np.concatenate([x, x], dtype=np.float32),
        lambda x: np.concatenate([x, x], out=np.zeros(6)),
        lambda x: np.stack([x, x], out=np.zeros((2, 3))),
        lambda x: np.matmul(x, x, out=np.zeros(())),
        lambda x: np.einsum("i,i", x, x, dtype=np.float32),
        lambda x: np.einsum("i,i", x, x, out=np.zeros(())),
        lambda x: np.cumsum(x, dtype=np.float32),
        lambda x: np.nan_to_num(x, copy=False),
        lambda x: np.where(x),
        lambda x: np.add.reduce(x, initial=1.0),
    ],
)  # fmt: skip
def test_parameters_without_rule_raise(f):
    """A parameter that the rule does not know is an error, never left out."""
    with pytest.raises(TraceError):
        jb.jacobian(f)(VECTOR)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.array(x),
        lambda x: np.asarray(x),
        lambda x: np.full(3, x),
        lambda x: np.vectorize(lambda t: t)(x),
        lambda x: float(x[0]),
        lambda x: __import__("math").sin(x[0]),
        lambda x: np.r_[x, x],
        lambda x: np.zeros(3).__setitem__(slice(None), x),
        lambda x: x + 1j,
        lambda x: np.sqrt(x.astype(complex)),
        lambda x: np.emath.sqrt(x),
    ],
)  # fmt: skip
def test_what_cannot_be_seen_is_an_error_of_the_library_or_right(f):
    try:
        J = jb.jacobian(f)(VECTOR)
    except JacobiError:
        return
    expected, error = jb.finite_difference(f)(VECTOR) if hasattr(jb, "finite_difference") else (None, None)
    if expected is not None:
        assert np.all(np.abs(J.toarray() - expected) <= 5 * error)
