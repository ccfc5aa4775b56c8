"""The options of a check, the forms and layouts of claims, what a check leaves untouched, and chains of claims."""

import random
import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import jacobi as jb
from jacobi.errors import InputError
from jacobi.verification import check, check_chain

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 3))
B = RNG.normal(size=(2, 5))
X = np.array([1.0, 2.0, 3.0])
M = RNG.normal(size=(3, 2))


def product(x):
    return A @ x


def sandwich(M):
    return A @ M @ B


def inner(w, x):
    return np.dot(w, x)


def residuals(w, X, y=0.0, *, scale=2.0):
    return scale * (X @ w - y)


# Forms ------------------------------------------------------------------------------------------------------------

FORMS = {
    "array": lambda J: J,
    "nested list": lambda J: J.tolist(),
    "tuple of tuples": lambda J: tuple(map(tuple, J)),
    "Fortran order": np.asfortranarray,
    "read-only": lambda J: np.broadcast_to(J, J.shape),
    "non-contiguous": lambda J: np.repeat(J, 2, axis=1)[:, ::2],
    "reversed": lambda J: J[::-1, ::-1].copy()[::-1, ::-1],
    "matrix": np.matrix,
    "tensor": lambda J: J.reshape(4, 3),
    "objects": lambda J: J.astype(object),
    "float32": lambda J: J.astype(np.float32),
    "csr array": sparse.csr_array,
    "csc matrix": sparse.csc_matrix,
    "coo array": sparse.coo_array,
    "dia matrix": sparse.dia_matrix,
    "lil array": sparse.lil_array,
    "dok matrix": sparse.dok_matrix,
    "bsr array": sparse.bsr_array,
    "operator": aslinearoperator,
    "Jacobian": lambda J: jb.Jacobian.from_dense(J, (4,), (3,)),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_claim(form):
    make = FORMS[form]
    assert check(product, make(A), X).verdict == "correct"
    assert check(product, lambda x: make(A), X).verdict == "correct"
    wrong = A * (1 + 1e-3 * (np.arange(12).reshape(4, 3) == 7))
    report = check(product, make(wrong), X)
    assert report.verdict == "wrong" and (report.worst[0].output, report.worst[0].input) == ((2,), (1,))
    assert check(product, make(A.T.copy()) if form not in ("tensor", "Jacobian") else A.T, X).verdict != "correct"


def test_a_float32_claim_is_judged_by_its_own_precision():
    J = np.diag(np.cos(X))
    assert check(np.sin, J.astype(np.float32), X).verdict == "correct"
    assert check(np.sin, J * (1 + 1e-6), X).verdict == "wrong"
    assert check(np.sin, (J * (1 + 1e-4)).astype(np.float32), X).verdict == "wrong"


@pytest.mark.parametrize(
    "claim",
    [
        lambda x: np.full((3, 4), np.nan),
        lambda x: np.ma.masked_array(A, A > 0),
        lambda x: A.astype(complex),
        lambda x: sparse.csr_array(A.astype(complex)),
        lambda x: A.astype(str),
        lambda x: [[1.0, 2.0], [3.0]],
        lambda x: print,
        lambda x: A[None],
        lambda x: np.zeros((0,)),
        lambda x: LinearOperator((4, 3), matvec=lambda v: 1 / 0, dtype=float),
        lambda x: LinearOperator((4, 3), matvec=lambda v: np.full(4, np.nan), dtype=float),
    ],
)
def test_what_is_no_derivative_is_never_correct(claim):
    assert check(product, claim, X).verdict in ("wrong", "invalid")


# Layouts ----------------------------------------------------------------------------------------------------------


def columns(J, out_shape, in_shape):
    """A matrix whose rows and columns number the entries of arrays column by column."""
    T = J.reshape(*out_shape, *in_shape)
    rows = [np.ravel_multi_index(k[::-1], out_shape) for k in np.ndindex(out_shape[::-1])]
    inputs = [np.ravel_multi_index(k[::-1], in_shape) for k in np.ndindex(in_shape[::-1])]
    return T.reshape(J.shape)[np.ix_(rows, inputs)]


KRON = np.kron(A, B.T)  # by M, row by row

LAYOUTS = {
    "matrix": (sandwich, KRON, M, {}),
    "tensor": (sandwich, KRON.reshape(4, 5, 3, 2), M, {}),
    "matrix, order F": (sandwich, np.kron(B.T, A), M, {"order": "F"}),
    "sparse, order F": (sandwich, sparse.csr_array(np.kron(B.T, A)), M, {"order": "F"}),
    "denominator": (sandwich, KRON.T, M, {"layout": "denominator"}),
    "denominator tensor": (sandwich, KRON.T.reshape(3, 2, 4, 5), M, {"layout": "denominator"}),
    "denominator, order F": (sandwich, np.kron(B.T, A).T, M, {"layout": "denominator", "order": "F"}),
    "denominator, sparse": (sandwich, sparse.csc_array(KRON.T), M, {"layout": "denominator"}),
    "denominator, operator": (sandwich, aslinearoperator(KRON.T), M, {"layout": "denominator"}),
    "gradient": (lambda M: np.sum(M**2), 2 * M, M, {"layout": "gradient"}),
    "gradient of an output of shape (1,)": (lambda M: np.sum(M**2, keepdims=True)[0], 2 * M, M, {"layout": "gradient"}),
    "gradient of a vector": (lambda x: np.sum(x**2), 2 * X, X, {"layout": "gradient"}),
    "row": (lambda x: np.sum(x**2), 2 * X[None], X, {}),
    "vector for one output": (lambda x: np.sum(x**2), 2 * X, X, {}),
    "column in denominator layout": (lambda x: np.sum(x**2), 2 * X[:, None], X, {"layout": "denominator"}),
    "shaped like the argument": (lambda M: np.sum(M**2), 2 * M, M, {}),
    "by a number": (lambda t: t * X, X[:, None], 2.0, {}),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layouts(case):
    f, claim, x, options = LAYOUTS[case]
    assert check(f, claim, x, **options).verdict == "correct"
    assert check(f, -claim, x, **options).verdict == "wrong"


def test_orders_are_told_apart():
    np.testing.assert_array_equal(columns(KRON, (4, 5), (3, 2)), np.kron(B.T, A))
    assert check(sandwich, np.kron(B.T, A), M).verdict == "wrong"
    assert check(sandwich, KRON, M, order="F").verdict == "wrong"


@pytest.mark.parametrize(
    ("f", "claim", "layout", "other"),
    [
        (product, np.zeros((3, 4)), "numerator", "denominator"),
        (product, np.zeros((4, 3)), "denominator", "numerator"),
        (lambda x: np.sum(x**2), np.zeros((3, 1)), "numerator", "denominator"),
        (lambda x: np.sum(x**2), np.zeros((1, 3)), "gradient", "numerator"),
        (product, np.zeros(3), "gradient", "numerator"),
    ],
)
def test_another_layout_that_fits_is_said(f, claim, layout, other):
    report = check(f, claim + np.nan, X, layout=layout)
    assert report.verdict != "correct" and f"layout={other!r}" in report.explanation


# Arguments --------------------------------------------------------------------------------------------------------


def test_other_arguments():
    w, X = np.array([0.5, -1.0]), RNG.normal(size=(3, 2))
    assert check(inner, lambda w, x: w, w, X[0], argnum=1).verdict == "correct"
    assert check(inner, lambda w, x: w, w, X[0], argnum=-1).verdict == "correct"
    assert check(inner, lambda w, x: w, w, X[0], argnum=0).verdict == "wrong"
    assert check(residuals, lambda w, X: 2 * X, w, X).verdict == "correct"
    assert check(residuals, lambda w, X, y: 2 * X, w, X, np.ones(3)).verdict == "correct"
    assert check(residuals, -2 * np.eye(3), w, X, np.ones(3), argnum=2).verdict == "correct"


def test_arguments_in_containers():
    def model(x, parameters):
        return parameters["W"] @ x + parameters["b"][0]

    parameters = {"W": A.copy(), "b": [np.ones(4)]}
    assert check(model, lambda x, p: p["W"], X, parameters).verdict == "correct"
    assert check(model, lambda x, p: -p["W"], X, parameters).verdict == "wrong"
    assert check(model, A.T, X, parameters, argnum=1).verdict == "invalid"

    def overwriting(x, parameters):
        parameters["W"] *= 2
        return parameters["W"] @ x

    report = check(overwriting, lambda x, p: 2 * p["W"], X, parameters)
    assert report.verdict == "correct" and any("changes its argument 1" in note for note in report.notes)
    np.testing.assert_array_equal(parameters["W"], A)


def test_a_method_a_partial_and_a_callable_object():
    class Layer:
        def forward(self, x):
            return np.tanh(A @ x)

        def __call__(self, x):
            return self.forward(x)

        def jacobian(self, x):
            return (1 - np.tanh(A @ x) ** 2)[:, None] * A

    layer = Layer()
    assert check(layer.forward, layer.jacobian, X).verdict == "correct"
    assert check(layer, layer.jacobian, X).verdict == "correct"


# Options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "rows"}, "layout='rows'"),
        ({"order": "K"}, "order='K'"),
        ({"argnum": 1}, "argnum=1"),
        ({"argnum": (0, 1)}, "is no position"),
        ({"argnum": True}, "is no position"),
        ({"rtol": -1.0}, "rtol"),
        ({"rtol": np.nan}, "rtol"),
        ({"budget": 0}, "budget"),
        ({"budget": -1.0}, "budget"),
        ({"rng": "seed"}, "rng"),
        ({"rng": -1}, "rng"),
        ({"points": 3}, "at one point only"),
        ({"shapes": {"x": (3,)}}, "both arguments and shapes"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(InputError, match=message):
        check(product, A, X, **options)


def test_no_arguments_and_no_function():
    with pytest.raises(InputError, match="there are 0 arguments"):
        check(product, A)
    with pytest.raises(InputError, match="not a function"):
        check(A, product, X)
    with pytest.raises(InputError, match="points="):
        check(product, lambda x: A, X, points="many")


def right_at_one_point(x):
    return np.diag(2 * X)


@pytest.mark.parametrize(
    "points", [3, [np.array([0.5, 1.0, 1.5])], [(np.array([0.5, 1.0, 1.5]),)], lambda rng: (rng.normal(size=3),)]
)
def test_other_points(points):
    assert check(np.square, lambda x: np.diag(2 * x), X, points=points).verdict == "correct"
    report = check(np.square, right_at_one_point, X, points=points)
    assert report.verdict == "wrong" and "wrong at point 1" in report.explanation
    assert len(report.points) == (1 if isinstance(points, list) else 3)


def test_a_point_without_all_arguments():
    with pytest.raises(InputError, match="2 arguments, and the given one 1"):
        check(np.square, right_at_one_point, X, points=[(X, X)])


def test_points_stay_where_the_function_has_values():
    report = check(np.log, lambda x: np.diag(1 / x), np.array([1e-3, 1.0]), points=10)
    assert report.verdict == "correct" and all(point.verdict == "correct" for point in report.points)


def mean_square(X, w, y):
    return np.mean((X @ w - y) ** 2)


SHAPES = {"X": ("N", "n"), "w": ("n",), "y": ("N",)}


def test_shapes():
    right = check(mean_square, lambda X, w, y: 2 / y.size * (X @ w - y) @ X, argnum=1, shapes=SHAPES)
    assert right.verdict == "correct" and len(right.points) == 3
    wrong = check(mean_square, lambda X, w, y: (X @ w - y) @ X, argnum=1, shapes=SHAPES)  # right for N = 2
    assert wrong.verdict == "wrong" and "of 3 sizes" in wrong.explanation
    assert check(lambda x: x**2, lambda x: np.diag(2 * x), shapes={"x": 4}).verdict == "correct"


@pytest.mark.parametrize("make", [lambda: 7, lambda: np.random.default_rng(7)])
def test_a_seed_repeats_the_report(make):
    f = lambda x: np.sum(np.sin(x))  # noqa: E731
    x = np.linspace(0, 1, 500)
    reports = [check(f, lambda x: np.cos(x) * 1.01, x, rng=make(), budget=60, points=2) for _ in range(2)]
    assert reports[0].seed == reports[1].seed
    assert str(reports[0]) == str(reports[1])
    assert [str(p) for p in reports[0].points] == [str(p) for p in reports[1].points]


@pytest.mark.parametrize(("f", "claim"), [(np.sin, lambda x: np.diag(np.cos(x))), (product, lambda x: A)])
@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_the_cost_of_a_right_claim(f, claim, n):
    x = np.random.default_rng(n).normal(size=n if f is np.sin else 3)
    report = check(f, claim, x)
    assert report.verdict == "correct"
    assert report.calls <= 14 * x.size + 35


def test_the_replay_line_repeats_the_verdict():
    def f(x, y):
        return x * y

    def df(x, y):
        return np.diag(x)

    report = check(f, df, X, 2 * X)
    assert eval(report.replay, {"jb": jb, "np": np, "f": f, "df": df}).verdict == report.verdict


# What a check leaves alone ----------------------------------------------------------------------------------------


def test_nothing_global_changes():
    np.random.seed(1)
    random.seed(1)
    before = np.random.get_state()[1].copy(), random.getstate(), np.geterr(), list(warnings.filters)
    for claim in (lambda x: np.diag(2 * x), lambda x: np.diag(x), lambda x: 2 * x, lambda x: 1 / 0):
        check(lambda x: x**2, claim, X, points=2)
    after = np.random.get_state()[1], random.getstate(), np.geterr(), list(warnings.filters)
    np.testing.assert_array_equal(before[0], after[0])
    assert before[1:] == after[1:]


def test_nothing_of_the_users_changes():
    def overwriting(x, y):
        x += 1
        y[0] = 0.0
        return x * y

    x, y, J = X.copy(), X.copy(), np.diag(X)
    check(overwriting, J, x, y)
    check(overwriting, lambda x, y: np.multiply(y, 2, out=y), x, y)
    for array, expected in ((x, X), (y, X), (J, np.diag(X))):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("flags", [{"invalid": "raise", "divide": "raise", "over": "raise", "under": "raise"}])
def test_floating_point_errors_of_the_user_do_not_disturb(flags):
    with np.errstate(**flags):
        assert check(np.log, lambda x: np.diag(1 / x), np.array([1e-3, 1.0])).verdict == "correct"
        assert np.geterr() == {**np.geterr(), **flags}


def test_warnings_of_the_function_are_not_errors():
    def warning(x):
        warnings.warn("look out", RuntimeWarning, stacklevel=1)
        return x**2

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(warning, lambda x: np.diag(2 * x), X).verdict == "correct"


class Odd(Exception):
    pass


def raising(problem, when):
    """A function that raises at some of its calls."""
    calls = [0]

    def f(x):
        calls[0] += 1
        if when(calls[0]):
            raise problem
        return x**2

    return f


PROBLEMS = [
    Odd(),
    ValueError(),
    TypeError(),
    KeyError(),
    IndexError(),
    RecursionError(),
    MemoryError(),
    AssertionError(),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("when", [lambda k: True, lambda k: k > 1, lambda k: k > 2, lambda k: k > 20, lambda k: k % 2])
def test_exceptions_never_escape(problem, when):
    claim = lambda x: np.diag(2 * x)  # noqa: E731
    assert check(raising(problem, when), claim, X).verdict in ("invalid", "undecidable", "correct")
    assert check(raising(problem, when), lambda x: np.diag(x), X, points=1).verdict in (
        "invalid",
        "undecidable",
        "wrong",
    )
    assert check(lambda x: x**2, raising(problem, lambda k: True), X).verdict == "invalid"
    assert check(lambda x: x**2, raising(problem, when), X, points=1).verdict != "correct"


@pytest.mark.parametrize("problem", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("when", [lambda k: True, lambda k: k > 10])
def test_the_user_can_still_stop_it(problem, when):
    with pytest.raises(problem):
        check(raising(problem(), when), lambda x: np.diag(2 * x), X)


# Chains -----------------------------------------------------------------------------------------------------------


def relu(z):
    return np.maximum(z, 0.0)


def mask(z):
    return np.diag(1.0 * (z > 0))


def neuron(claims, **options):
    """The neuron of the notes, ``mean((y - max(0, X w + b))**2)``, as a chain of four functions."""
    rng = np.random.default_rng(3)
    N, n = 6, 3
    data, b, y = rng.normal(size=(N, n)), 0.1, rng.normal(size=N)
    right = {
        "affine": (lambda w: data @ w + b, lambda w: data),
        "relu": (relu, mask),
        "error": (lambda a: a - y, lambda a: np.eye(N)),
        "mean square": (lambda e: np.mean(e**2), lambda e: 2 / N * e),
    }
    links = [(f, claims.get(name, claim)) for name, (f, claim) in right.items()]
    return check_chain(links, rng.normal(size=n), **options)


def test_a_right_chain():
    report = neuron({})
    assert report and report.verdict == "correct" and report.first_wrong is None
    assert report.product.verdict == "correct" and len(report.factors) == 4
    assert "product: correct" in str(report)


@pytest.mark.parametrize(
    ("name", "claim", "position"),
    [
        ("affine", lambda w: np.zeros((6, 3)), 0),
        ("relu", lambda z: np.eye(z.size), 1),
        ("relu", lambda z: np.diag(1.0 * (z < 0)), 1),
        ("error", lambda a: -np.eye(a.size), 2),
        ("mean square", lambda e: 2 * e, 3),
        ("mean square", lambda e: np.array([1.0, 2.0]), 3),
        ("relu", lambda z: 1 / 0, 1),
    ],
)
def test_the_first_wrong_factor_is_named(name, claim, position):
    report = neuron({name: claim})
    assert not report and report.first_wrong == position and report.product is None
    assert f"factor {position + 1} (" in report.explanation


def test_two_errors_that_cancel_in_the_product_are_seen():
    report = neuron({"error": lambda a: -np.eye(a.size), "mean square": lambda e: -2 / e.size * e})
    assert report.verdict == "wrong" and report.first_wrong == 2


def test_a_chain_in_other_layouts():
    links = [(product, A.T), (np.tanh, lambda z: np.diag(1 - np.tanh(z) ** 2)), (np.sum, np.ones((4, 1)))]
    assert check_chain(links, X, layout="denominator").verdict == "correct"
    assert check_chain(links, X).first_wrong == 0


def test_a_chain_with_forms_mixed():
    links = [
        (product, sparse.csr_array(A)),
        (np.tanh, lambda z: jb.Jacobian.from_diagonal(1 - np.tanh(z) ** 2)),
        (lambda z: z[::-1], aslinearoperator(np.eye(4)[::-1])),
        (np.sum, [1.0, 1.0, 1.0, 1.0]),
    ]
    report = check_chain(links, X)
    assert report.verdict == "correct", report


def test_a_chain_of_matrices():
    links = [(sandwich, KRON), (lambda Y: np.sum(Y**2), lambda Y: 2 * Y)]
    assert check_chain(links, M).verdict == "correct"


def test_a_chain_stops_where_a_function_fails():
    report = check_chain([(product, A), (lambda z: 1 / 0, np.eye(4)), (np.sum, np.ones(4))], X)
    assert report.verdict == "invalid" and report.first_wrong == 1 and len(report.factors) == 2


@pytest.mark.parametrize("links", [[], [product], [(product,)], [(A, product)], None, 3])
def test_what_is_no_chain(links):
    with pytest.raises(InputError, match="list of pairs"):
        check_chain(links, X)
