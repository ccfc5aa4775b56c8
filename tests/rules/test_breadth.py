"""Every function that NumPy dispatches is declared, and the less common ones keep their structure and conventions."""

import numpy as np
import pytest

import jacobi as jb
from jacobi.differentiate import trace
from jacobi.errors import InputError, JacobiError, NoRuleError, TraceError
from jacobi.rules import REFUSED, REGISTRY
from jacobi.rules.sorting import order_statistics

RNG = np.random.default_rng(5)


def dispatched():
    """The names of all functions that hand their call to a foreign class, and of all ufuncs."""
    found = {}
    for module in (np, np.linalg, np.fft, np.lib.stride_tricks):
        for name in sorted(vars(module)):
            function = getattr(module, name)
            if isinstance(function, np.ufunc) or hasattr(function, "_implementation"):
                found.setdefault(function, f"{module.__name__}.{name}")
    return found


def test_every_dispatched_function_is_listed():
    """It has a rule, answers with plain values, or is refused with a reason."""
    functions = dispatched()
    assert len(functions) > 340
    assert [name for function, name in functions.items() if function not in REGISTRY and function not in REFUSED] == []
    assert [functions[f] for f in functions if f in REGISTRY and f in REFUSED] == []
    assert all(reason.endswith(".") for reason in REFUSED.values())


def agrees(f, *arguments):
    """The Jacobian by the first argument agrees with finite differences; returns it."""
    J = jb.jacobian(f)(*arguments)
    numerical, error = jb.finite_difference(lambda x: f(x, *arguments[1:]))(arguments[0])
    assert np.all(np.abs(J.toarray() - numerical) <= 5 * error + 1e-12)
    return J


def curvature_agrees(f, x):
    """The Hessian agrees with finite differences of the gradient."""
    numerical, error = jb.finite_difference(jb.gradient(f))(x)
    assert np.all(np.abs(jb.hessian(f)(x).toarray() - numerical) <= 5 * error + 1e-11)


VECTOR = np.array([0.3, -1.2, 2.5, 0.9, -0.4, 1.7, 0.1])
MATRIX = np.array([[0.3, -1.2, 2.5, 0.9], [1.1, 0.4, -0.7, 2.0], [-0.2, 1.6, 0.8, -1.9]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.median(x**2) * np.ptp(x),
        lambda x: np.quantile(x**3, 0.4),
        lambda x: np.sort(np.sin(x)) @ np.arange(7.0) ** 2 * x[0],
        lambda x: np.average(x**2, weights=np.exp(x)),
        lambda x: np.sum(np.cov(np.reshape(x[:6], (2, 3))) ** 2),
        lambda x: np.corrcoef(x[:4], x[3:])[0, 1],
        lambda x: np.sum(np.gradient(x**2) ** 2),
        lambda x: np.trapezoid(x**2, np.cumsum(np.exp(x))),
        lambda x: np.sum(np.convolve(x, x[:3], "same") ** 2),
        lambda x: np.sum(np.convolve(x, x[:3], "valid") ** 2),
        lambda x: np.sum(np.correlate(x, x[2:5], "full") ** 3),
        lambda x: np.sum(np.interp(x, np.linspace(-2, 3, 9), np.arange(9.0) ** 2) ** 2),
        lambda x: np.sum(np.interp(np.array([0.4, 1.9]), np.cumsum(np.exp(x)), x) ** 2),
        lambda x: np.polyval(x[:3], x[3]) ** 2,
        lambda x: np.sum(np.pad(x, 2, "reflect") ** 3),
        lambda x: np.sum(np.vander(x, 4) ** 2),
        lambda x: np.sum(np.cross(x[:3], x[3:6]) ** 2),
        lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 3),
        lambda x: np.sum(np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(x**2)) ** 2),
    ],
)
def test_second_derivatives(f):
    curvature_agrees(f, VECTOR)


# Sorting --------------------------------------------------------------------------------------------------------


def test_sorting_is_a_permutation():
    J = jb.jacobian(np.sort)(VECTOR)
    assert J.structure == "permutation"
    assert J.nbytes <= 2 * 8 * VECTOR.size
    assert jb.jacobian(lambda x: np.sort(x)[-1])(VECTOR).toarray().tolist() == [[0, 0, 1, 0, 0, 0, 0]]


def test_sorting_twice_gives_the_identity():
    assert np.array_equal(jb.jacobian(lambda x: np.sort(-np.sort(-x)))(VECTOR).toarray(), np.eye(7)[np.argsort(VECTOR)])


def test_ties_are_kinks():
    tied = np.array([1.0, 3.0, 1.0, 2.0])
    sort = REGISTRY[np.sort]
    assert sort.kink(np.sort(tied), tied, axis=-1).tolist() == [True, True, False, False]
    steps = [s for s in trace(np.median, (tied,), {}, (0,)).graph.steps if s.operation is REGISTRY[order_statistics]]
    kinks = [s.operation.kink(s.value, s.arguments[0].value, **s.keywords) for s in steps]
    assert [kink.tolist() for kink in kinks] == [[True], [False]]


@pytest.mark.parametrize("kth", [0, 3, -1, (1, 4)])
def test_partition(kth):
    agrees(lambda x: np.partition(x, kth), VECTOR)


def test_positions_that_are_changed_later_do_not_matter():
    def f(x):
        places = np.array([0, 1])
        y = np.take_along_axis(x, places, 0)
        places[0] = 3
        return y

    assert jb.jacobian(f)(VECTOR).toarray()[:, :2].tolist() == [[1, 0], [0, 1]]


def test_nan_goes_through_quantiles():
    x = np.array([[1.0, 2.0, 5.0], [3.0, np.nan, 4.0]])
    y, _ = jb.value_and_jacobian(lambda x: np.median(x, axis=1))(x)
    assert np.array_equal(y, [2.0, np.nan], equal_nan=True)
    y, J = jb.value_and_jacobian(lambda x: np.nanmedian(x, axis=1))(x)
    assert y.tolist() == [2.0, 3.5]
    assert J.toarray().tolist() == [[0, 1, 0, 0, 0, 0], [0, 0, 0, 0.5, 0, 0.5]]


def test_the_level_of_a_quantile_is_a_variable_as_well():
    def f(q, x):
        return np.quantile(x, q)

    J = agrees(f, np.array(0.4), np.sort(VECTOR))
    assert np.isclose(J.toarray()[0, 0], 6 * (np.sort(VECTOR)[3] - np.sort(VECTOR)[2]))


# Structure ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_a_filter_stores_its_kernel(mode):
    kernel = np.array([1.0, -2.0, 3.0, 0.5])
    J = jb.jacobian(lambda x: np.convolve(x, kernel, mode))(np.zeros(100_000))
    assert J.nbytes < 1000
    x = RNG.normal(size=100_000)
    assert np.allclose(J @ x, np.convolve(x, kernel, mode), atol=1e-12)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("p", "q"), [(9, 4), (9, 5), (4, 9), (5, 9), (6, 6), (1, 3), (130, 71), (70, 70)])
@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_convolutions(function, p, q, mode):
    a, v = RNG.normal(size=p), RNG.normal(size=q)
    by_a, by_v = jb.jacobian(lambda a, v: function(a, v, mode), (0, 1))(a, v)
    assert np.allclose(by_a @ a, function(a, v, mode))
    assert np.allclose(by_v @ v, function(a, v, mode))
    assert np.allclose(by_a.toarray(), np.array([function(e, v, mode) for e in np.eye(p)]).T)
    assert np.allclose(by_v.toarray(), np.array([function(a, e, mode) for e in np.eye(q)]).T)


def test_sliding_windows_store_nothing():
    view = np.lib.stride_tricks.sliding_window_view
    J = jb.jacobian(lambda x: view(x, 50))(np.zeros(1000))
    assert J.nbytes == 0
    assert jb.gradient(lambda x: np.sum(view(x, 3)))(np.zeros(5)).tolist() == [1, 2, 3, 2, 1]


def test_differences_are_banded():
    J = jb.jacobian(np.diff)(np.zeros(100_000))
    assert J.nbytes <= 2 * 8 * 100_000
    assert agrees(np.diff, VECTOR).structure == "banded"


def test_interpolation_stores_two_numbers_a_point():
    nodes, points = np.linspace(0, 1, 1000), RNG.random(5000)
    J = jb.jacobian(lambda fp: np.interp(points, nodes, fp))(nodes**2)
    assert J.nnz == 10_000
    assert np.allclose(J @ np.cos(nodes), np.interp(points, nodes, np.cos(nodes)))
    assert jb.jacobian(lambda x: np.interp(x, nodes, nodes**2))(points).structure == "diagonal"


def test_cross_products_are_blocks():
    J = jb.jacobian(lambda a: np.cross(a, MATRIX[:, 1:]))(MATRIX[:, :3].copy())
    assert J.structure == "block diagonal"
    assert J.blocks().shape == (3, 3, 3)


# Fourier transforms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 7, 64, 66, 67, 90, 143, 150])
def test_fourier_transforms_of_every_kind_of_length(n):
    """Short ones, products, and prime lengths above that of the largest matrix."""
    x = RNG.normal(size=n)
    J = jb.jacobian(lambda x: np.fft.fft(x).imag)(x)
    assert np.allclose(J.toarray(), np.fft.fft(np.eye(n)).imag, atol=1e-12)
    J = jb.jacobian(lambda x: np.fft.ifft(np.fft.fft(x) * np.exp(1j * np.arange(n))).real)(x)
    expected = np.fft.ifft(np.fft.fft(np.eye(n), axis=0) * np.exp(1j * np.arange(n))[:, None], axis=0).real
    assert np.allclose(J.toarray(), expected, atol=1e-12)


def test_a_long_transform_stores_no_matrix():
    x = RNG.normal(size=2**16)
    g = jb.gradient(lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 2))(x)
    spectrum = np.fft.rfft(x)
    expected = 2 * x.size * np.fft.ifft(spectrum, x.size).real
    assert np.allclose(g, expected, rtol=1e-9, atol=1e-6)


def test_convolution_by_the_transform():
    h = RNG.normal(size=7)
    agrees(lambda x: np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(h), 7), VECTOR)
    agrees(lambda x, h: np.fft.irfft(np.fft.rfft(x) * np.conj(np.fft.rfft(h)), 7), VECTOR, h)


@pytest.mark.parametrize(
    "f",
    [
        lambda F, x: (x * F).imag,
        lambda F, x: np.multiply(x, F).real,
        lambda F, x: (F / (2 + 1j) - 3j + x).real,
        lambda F, x: (1 - (VECTOR * 1j) * F).imag,
        lambda F, x: (x / F).real,
        lambda F, x: np.angle(F[1:4]),
        lambda F, x: (F * F.conj() / 7).real,
        lambda F, x: (np.log(F[1:]) + np.exp(F[1:] / 9)).imag,
        lambda F, x: abs(np.square(F) ** 2 - +F),
        lambda F, x: np.real(np.reciprocal(-F)),
        lambda F, x: np.imag(np.roll(F.reshape(7, 1).T, 2, axis=1).sum(axis=0)),
        lambda F, x: F.mean().real + np.sum(F).imag,
        lambda F, x: np.fft.fftshift(F).real,
        lambda F, x: np.fft.hfft(F[:4], 7),
        lambda F, x: np.fft.ihfft(x).imag,
    ],
)
def test_complex_arithmetic_on_the_way(f):
    agrees(lambda x: f(np.fft.fft(x), x), VECTOR)
    F = np.fft.fft(VECTOR)
    assert np.allclose(jb.value_and_jacobian(lambda x: f(np.fft.fft(x), x))(VECTOR)[0], f(F, VECTOR))


def test_transforms_of_images():
    agrees(lambda x: np.fft.irfft2(np.fft.rfft2(x) * np.fft.rfft2(MATRIX[::-1]), (3, 4), (0, 1)), MATRIX)
    agrees(lambda x: np.abs(np.fft.fftn(x, axes=(1, 0)))[1:], MATRIX)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sqrt(np.fft.fft(x)),
        lambda x: np.fft.fft(x) ** 0.5,
        lambda x: np.stack([x, np.fft.fft(x)]),
        lambda x: np.where(VECTOR > 0, x, np.fft.fft(x)),
        lambda x: np.sort(np.fft.fft(x)),
    ],
)
def test_unknown_complex_operations_name_a_cure(f):
    with pytest.raises(NoRuleError, match=r"F\.real"):
        jb.jacobian(f)(VECTOR)


def test_a_complex_result_is_refused():
    with pytest.raises(InputError, match="ComplexPair"):
        jb.jacobian(np.fft.fft)(VECTOR)


# Conventions and refusals ---------------------------------------------------------------------------------------


def test_padding_with_traced_constants():
    J = agrees(lambda x: np.pad(x[1:3], 1, constant_values=(x[0] ** 2, x[3])), VECTOR)
    assert J.toarray()[0].tolist() == [2 * VECTOR[0], 0, 0, 0, 0, 0, 0]


def test_select_takes_the_first_condition_that_holds():
    f = lambda x: np.select([x > 2, x > 0], [x**2, 3 * x], default=-1.0)  # noqa: E731
    assert agrees(f, VECTOR).structure == "diagonal"
    g = lambda x: np.piecewise(x, [x < 0, x > 1], [lambda v: -v, np.square, 0.5])  # noqa: E731
    assert agrees(g, VECTOR).structure == "diagonal"


def test_split_and_join():
    assert agrees(lambda x: np.hstack(np.split(x, [2, 5])[::-1]), VECTOR).structure == "permutation"
    assert agrees(lambda x: np.block([[x[:3], x[3:5]], [np.ones(4), x[0]]]), VECTOR).structure == "selection"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.median(x, out=np.zeros(())),
        lambda x: np.nansum(x, dtype=np.float32),
        lambda x: np.quantile(x, 0.5, weights=np.ones(7), method="inverted_cdf"),
        lambda x: np.quantile(x, 0.5, method="closest_observation"),
        lambda x: np.linspace(x[0], 1, dtype=int),
        lambda x: np.pad(x, 1, "empty"),
        lambda x: np.pad(x, 2, "reflect", reflect_type="odd"),
        lambda x: np.polyfit(np.arange(7.0), x, 1, full=True),
        lambda x: np.bincount(x),
        lambda x: np.poly(np.outer(x, x)),
        lambda x: np.cross(x[:2], x[2:4]),
        lambda x: np.cov(x[:1]),
        lambda x: np.unique(x),
        lambda x: np.histogram(x),
        lambda x: np.roots(x),
        lambda x: np.geomspace(x[0], x[1]),
        lambda x: np.save("never_written.npy", x),
    ],
)
def test_what_has_no_rule_raises_an_error_of_the_library(f):
    with pytest.raises(JacobiError) as caught:
        jb.jacobian(f)(VECTOR)
    assert isinstance(caught.value, TraceError)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.median(x, out=None, overwrite_input=False),
        lambda x: np.linspace(x[0], x[1], 3, dtype=None, device=None),
        lambda x: np.nanmean(x, dtype=None, out=None),
        lambda x: np.sort(x, kind="mergesort"),
    ],
)
def test_parameters_that_change_nothing_are_accepted(f):
    agrees(f, VECTOR)


def test_bins_of_weights():
    labels = np.array([0, 2, 0, 1, 2, 2, 0])
    J = agrees(lambda w: np.bincount(labels, weights=w), VECTOR)
    assert J.structure == "sparse"
    assert np.array_equal(J @ VECTOR, np.bincount(labels, weights=VECTOR))


@pytest.mark.parametrize("points", [9, 10])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_of_a_parabola_are_exact_by_the_coordinates_as_well(points, edge_order):
    x = np.cumsum(RNG.uniform(0.5, 1.0, points))
    agrees(lambda x: np.gradient(np.sin(x), x, edge_order=edge_order), x)
