"""Functions of ``scipy.special``: derivatives entry by entry, places where formulas break, and refusals."""

import numpy as np
import pytest
from scipy import special

import jacobi as jb
import jacobi.rules.special
from jacobi.errors import NoRuleError
from jacobi.finite_difference import finite_difference
from jacobi.rules import REFUSED, REGISTRY
from jacobi.rules.registry import NoClosedForm

UFUNCS = [f for name in dir(special) if isinstance(f := getattr(special, name), np.ufunc)]
RULES = [operation for operation in REGISTRY.values() if operation.name.startswith("scipy.special.")]
WITHOUT = [
    pytest.param(rule, k, id=f"{rule.name}-{partial.operand}")
    for rule in RULES
    for k, partial in enumerate(rule.partials)
    if isinstance(partial, NoClosedForm)
    and any(types[k] != "l" for types in rule.function.types)  # else SciPy takes no floating numbers there
]


def sample(rule, shape):
    """A call whose first operand has a shape, and the positions of its variables."""
    for arguments, _ in rule.samples(np.random.default_rng(3)):
        if np.shape(arguments[0]) == shape:
            return arguments, [
                k for k, x in enumerate(arguments) if isinstance(x, np.ndarray) and x.dtype.kind == "f"
            ]
    raise AssertionError(f"no sample has the shape {shape}")


def assert_within(found, expected, bound):
    assert np.all(np.isfinite(found))
    assert np.all(bound <= 1e-4 * (1 + np.abs(expected)))
    assert np.all(np.abs(found - expected) <= 5 * bound + 1e-12 * (1 + np.abs(expected)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_derivative_by_every_operand(rule):
    arguments, variables = sample(rule, (3,))
    assert variables
    for k in variables:
        J = jb.jacobian(rule.function, k)(*arguments)
        assert_within(J.toarray(), *finite_difference(rule.function, k)(*arguments))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_second_derivative_by_every_pair_of_operands(rule):
    arguments, variables = sample(rule, ())
    for k in variables:
        slope = jb.gradient(lambda *operands: np.sum(rule.function(*operands)), k)
        for m in variables:
            H = jb.jacobian(slope, m)(*arguments)
            assert_within(H.toarray(), *finite_difference(slope, m)(*arguments))


@pytest.mark.parametrize("function", UFUNCS, ids=lambda function: function.__name__)
def test_every_ufunc_has_a_rule_or_is_refused(function):
    assert (function in REGISTRY) != (function in REFUSED)


# Operands without a derivative


def test_no_operand_is_silently_constant():
    assert [rule.name for rule in RULES if None in rule.partials] == []


@pytest.mark.filterwarnings("ignore:.*truncated to an integer")
@pytest.mark.filterwarnings("ignore:.*non-integer arg n is deprecated")
@pytest.mark.parametrize(("rule", "k"), WITHOUT)
def test_operands_without_a_derivative_raise_as_variables(rule, k):
    arguments = [np.asarray(x, dtype=float) for x in sample(rule, (3,))[0]]
    with pytest.raises(NoRuleError, match="as a constant") as caught:
        jb.jacobian(rule.function, k)(*arguments)
    assert f"{rule.name} cannot be differentiated by its operand {rule.partials[k].operand}" in str(
        caught.value
    )
    assert "test_special.py" in str(caught.value)


def test_operands_without_a_derivative_are_fine_as_arguments():
    a, x = np.array([1.5, 2.5]), np.array([0.5, 3.0])
    assert np.allclose(
        jb.jacobian(special.gammainc, 1)(a, x).diagonal(), x ** (a - 1) * np.exp(-x) / special.gamma(a)
    )


def test_refusals_name_the_function_and_a_cure():
    with pytest.raises(NoRuleError, match=r"zetac cannot be differentiated .*finite_difference"):
        jb.gradient(special.zetac)(2.0)
    with pytest.raises(NoRuleError, match=r"airy cannot be differentiated .*several arrays"):
        jb.gradient(lambda x: special.airy(x)[0])(2.0)
    with pytest.raises(NoRuleError, match="wrightomega"):
        jb.gradient(special.lambertw)(2.0)


# Functions of SciPy that call a ufunc which is not public


def test_zeta_by_its_second_argument():
    found = jb.gradient(lambda q: special.zeta(3.0, q))(0.7)
    assert found == pytest.approx(-3 * special.zeta(4.0, 0.7))
    with pytest.raises(NoRuleError):
        jb.gradient(special.zeta)(2.0)


def test_softplus():
    softplus = getattr(special, "softplus", lambda x: np.logaddexp(0, x))  # SciPy 1.15
    assert jb.gradient(softplus)(0.3) == pytest.approx(special.expit(0.3))


# Places where a formula could break: values from the series or the asymptotics of the function

SMOOTH = {
    "exprel": (special.exprel, 0.0, 1 / 2, 1 / 3),
    "spence": (special.spence, 1.0, -1.0, 1 / 2),
    "ellipk": (special.ellipk, 0.0, np.pi / 8, np.pi * 9 / 64),
    "ellipkm1": (special.ellipkm1, 1.0, -np.pi / 8, np.pi * 9 / 64),
    "ellipe": (special.ellipe, 0.0, -np.pi / 8, -np.pi * 3 / 64),
    "j0": (special.j0, 0.0, 0.0, -1 / 2),
    "j1": (special.j1, 0.0, 1 / 2, 0.0),
    "i1": (special.i1, 0.0, 1 / 2, 0.0),
    "struve": (lambda x: special.struve(1.0, x), 0.0, 0.0, 4 / (3 * np.pi)),
    "agm": (lambda x: special.agm(x, 2.0), 2.0, 1 / 2, -1 / 16),
    "elliprc": (lambda x: special.elliprc(x, 1.0), 1.0, -1 / 6, 3 / 20),
    "boxcox": (lambda p: special.boxcox(3.0, p), 0.0, np.log(3) ** 2 / 2, np.log(3) ** 3 / 3),
    "inv_boxcox": (lambda p: special.inv_boxcox(1.0, p), 0.0, -np.e / 2, np.e * (1 / 4 + 2 / 3)),
    "legendre, right end": (lambda x: special.eval_legendre(4, x), 1.0, 10.0, 45.0),
    "legendre, left end": (lambda x: special.eval_legendre(4, x), -1.0, -10.0, 45.0),
    "legendre, constant": (lambda x: special.eval_legendre(0.0, x), 0.3, 0.0, 0.0),
    "legendre, degree below zero": (lambda x: special.eval_legendre(-3, x), 0.3, 0.9, 3.0),
    "chebyshev, degree below zero": (lambda x: special.eval_chebyu(-4, x), 0.3, -2.4, -8.0),
    "hermite, constant": (lambda x: special.eval_hermite(0, x), 0.3, 0.0, 0.0),
    "exponential integral": (lambda x: special.expn(1, x), 1.0, -np.exp(-1), 2 * np.exp(-1)),
    "exponential integral of order 0": (lambda x: special.expn(0, x), 1.0, -2 * np.exp(-1), 5 * np.exp(-1)),
    "gammainc": (lambda x: special.gammainc(1.0, x), 0.0, 1.0, -1.0),
    "xlogy": (lambda y: special.xlogy(0.0, y), 0.0, 0.0, 0.0),
    "log_ndtr": (special.log_ndtr, 0.0, np.sqrt(2 / np.pi), -2 / np.pi),
    "tklmbda, outside": (lambda x: special.tklmbda(x, 1.5), -3.0, 0.0, 0.0),
    "psi, left of zero": (special.psi, -0.5, np.pi**2 / 2 + 4, float(special.polygamma(2, -0.5))),
    "all trials": (lambda p: special.bdtr(4, 4, p), 0.3, 0.0, 0.0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_where_formulas_have_a_quotient(name):
    function, x, first, second = SMOOTH[name]
    assert jb.gradient(function)(x) == pytest.approx(first, rel=1e-12, abs=1e-15)
    assert jb.hessian(function)(x).toarray().item() == pytest.approx(second, rel=1e-12, abs=1e-15)


FAR = {
    "expit": (special.expit, [-800.0, 800.0], [0.0, 0.0]),
    "log_expit": (special.log_expit, [-800.0, 800.0], [1.0, 0.0]),
    "log_ndtr": (special.log_ndtr, [-1e6, -1e3, 50.0], [1e6 + 1e-6, 1e3 + 1e-3 - 2e-9, 0.0]),
    "ndtr": (special.ndtr, [-50.0, 50.0], [0.0, 0.0]),
    "ndtri_exp": (special.ndtri_exp, [-5e5], [1 / (1e3 - 7.8261e-3)]),
    "erf": (special.erf, [-40.0, 40.0], [0.0, 0.0]),
    "erfcx": (special.erfcx, [1e3], [-1 / (np.sqrt(np.pi) * 1e6)]),
    "gammainc": (lambda x: special.gammainc(2.0, x), [900.0], [0.0]),
    "stdtr": (lambda t: special.stdtr(1.0, t), [-1e6, 1e6], [1e-12 / np.pi] * 2),
    "k0e": (special.k0e, [1e4], [-np.sqrt(np.pi / 8) * 1e-6]),
    "ellipk": (special.ellipk, [-1e6], [(np.log(4e3) - 1) / 2e9]),
    "pseudo_huber": (lambda r: special.pseudo_huber(1.0, r), [-1e200, 1e200], [-1.0, 1.0]),
    "logit": (special.logit, [1e-150], [1e150]),
    "psi": (special.psi, [1e8], [1e-8]),
}


@pytest.mark.parametrize("name", FAR)
def test_far_out(name):
    function, x, slope = FAR[name]
    with np.errstate(over="ignore"):
        found = jb.jacobian(function)(np.array(x)).diagonal()
        second = jb.hessian(lambda x: np.sum(function(x)))(np.array(x)).diagonal()
    assert found == pytest.approx(slope, rel=1e-4, abs=1e-300)
    assert np.all(np.isfinite(second))


def test_log_ndtr_loses_no_digits_on_the_left():
    """``phi / Phi`` by its continued fraction at -30."""
    fraction = 30.0
    for k in range(60, 0, -1):
        fraction = 30.0 + k / fraction
    assert jb.gradient(special.log_ndtr)(-30.0) == pytest.approx(fraction, rel=1e-14)


def test_complete_and_incomplete_integrals_agree():
    for incomplete, complete in ((special.ellipkinc, special.ellipk), (special.ellipeinc, special.ellipe)):
        for periods in (1, 3, 4):
            found = jb.gradient(incomplete, 1)(periods * np.pi / 2, 0.3)
            assert found == pytest.approx(periods * jb.gradient(complete)(0.3), rel=1e-12)


def test_losses_share_nothing_at_their_corner():
    assert jb.gradient(special.huber, (0, 1))(1.0, 3.0) == (2.0, 1.0)
    assert jb.gradient(special.huber, (0, 1))(1.0, -0.5) == (0.0, -0.5)
    delta, r = 2.0, 1e-4
    assert jb.gradient(special.pseudo_huber)(delta, r) == pytest.approx(r**4 / (4 * delta**3), rel=1e-6)
