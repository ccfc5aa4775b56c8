"""Every operation of the registry keeps the contract of its rule: one test per operation and property."""

import numpy as np
import pytest

import jacobi.rules.special  # noqa: F401
from jacobi.errors import InputError, NoRuleError
from jacobi.rules import REGISTRY, Elementwise, Rule
from jacobi.testing import check_rule, checks, rule_of

OPERATIONS = {id(rule): rule for rule in REGISTRY.values() if rule.kind in ("primitive", "composed")}
CHECKS = [
    pytest.param(check, id=f"{operation.name}-{name}")
    for operation in OPERATIONS.values()
    if operation.samples is not None
    for name, check in checks(operation)
]


@pytest.mark.parametrize("check", CHECKS)
def test_property(check):
    check()


def test_every_operation_has_samples():
    assert [operation.name for operation in OPERATIONS.values() if operation.samples is None] == []


UFUNCS = [operation for operation in OPERATIONS.values() if isinstance(operation.function, np.ufunc)]


@pytest.mark.parametrize("operation", UFUNCS, ids=lambda operation: operation.name)
def test_elementwise_samples_hold_axes_of_every_kind(operation):
    """Scalars, axes of length 0 and 1, and arrays that are not square."""
    if isinstance(operation, Elementwise):
        shapes = {np.shape(part) for call, _ in operation.samples(np.random.default_rng(0)) for part in call}
        assert () in shapes
        assert any(0 in shape for shape in shapes)
        assert any(1 in shape for shape in shapes)
        assert any(len(set(shape)) > 1 for shape in shapes)


def test_every_key_is_the_function_of_its_operation():
    """An operation registered under two names (np.max and np.amax) is one operation; nothing else is."""
    for function, operation in REGISTRY.items():
        if operation.function is not function:
            assert operation.name == f"numpy.{function.__name__.removeprefix('a')}"


def test_no_definition_calls_itself():
    assert [o.name for f, o in REGISTRY.items() if o.kind == "composed" and o.evaluate is f] == []


DENSE = [rule for rule in OPERATIONS.values() if isinstance(rule, Rule) and rule.dense]


@pytest.mark.parametrize("rule", DENSE, ids=lambda rule: rule.name)
def test_dense_rules_say_why_and_need_it(rule, monkeypatch):
    """A full matrix is stored for a reason, and without the reason the property fails."""
    assert len(rule.dense.split()) > 2
    monkeypatch.setattr(rule, "dense", "")
    with pytest.raises(AssertionError, match="stores an array"):
        dict(checks(rule))["structure"]()


def test_long_running_sums_store_few_numbers():
    """The Jacobian of a running sum of n numbers is held in about 2 n numbers."""
    from jacobi import jacobian

    x = np.arange(10_007.0)
    J = jacobian(np.cumsum)(x)
    assert J.nbytes < 3 * x.nbytes
    assert np.array_equal(J @ x, np.cumsum(x))


def test_operations_are_found_by_every_name():
    assert rule_of(np.tanh) is rule_of(rule_of(np.tanh)) is REGISTRY[np.tanh]
    assert rule_of((np.add, "reduce")) is REGISTRY[np.add, "reduce"]


def test_what_cannot_be_checked_is_an_error():
    with pytest.raises(InputError, match="plain values"):
        check_rule(np.less)
    with pytest.raises(NoRuleError):
        check_rule(np.histogram)


def test_other_random_numbers():
    check_rule(np.arctan2, rng=np.random.default_rng(7))
    check_rule(np.linalg.solve, rng=11)
