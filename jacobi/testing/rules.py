"""`check_rule`: the rule of one operation is proved by its properties, on calls drawn from its domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import jacobi.rules.library  # noqa: F401
from jacobi.differentiate.trace import without_rule
from jacobi.errors import InputError
from jacobi.rules import REGISTRY, Composed, Rule
from jacobi.testing.cases import Case
from jacobi.testing.properties import PROPERTIES


def check_rule(operation: Any, rng: Any = 0) -> None:
    """Check the rule of an operation on calls drawn from its domain.

    The properties are those of `checks`; all of them hold for every operation of the library.

    Parameters
    ----------
    operation : callable
        A function or ufunc with a rule, such as ``np.sin`` or one that you declared with `jacobi.rules`.
    rng : int or numpy.random.Generator
        Where the random operands come from.

    Raises
    ------
    AssertionError
        If a property fails; the message names the call and the worst entry.
    InputError
        If the operation has no rule, or a rule without samples.

    Examples
    --------
    >>> import numpy as np
    >>> check_rule(np.tanh)
    """
    __tracebackhide__ = True
    for _, check in checks(operation, rng):
        check()


def checks(operation: Any, rng: Any = 0) -> Iterator[tuple[str, Callable[[], None]]]:
    """The properties of the rule of an operation, each as a name and a function that checks it.

    =============  ==============================================================================================
    ``value``      tracing changes neither the value nor its type, and the operands stay as they are
    ``jacobian``   the Jacobian agrees with finite differences within their bound
    ``alone``      so it does by each operand when the others are constants
    ``adjoint``    ``<u, J v> = <J^T u, v>`` with the matrix-free products
    ``again``      the derivative of the gradient agrees with finite differences of the gradient
    ``nodes``      the rule recorded at one point and evaluated at another is the rule at the other point
    ``needs``      the rule gives the same without the values that it says it does not look at
    ``structure``  no array of the size of the Jacobian is stored, and as few numbers as the kind promises
    ``types``      float32 stays float32, integers are promoted
    ``memory``     operands that are read-only, reversed, strided or in Fortran order give the same
    ``kinks``      the samples keep away from the places that the rule declares as kinks
    =============  ==============================================================================================

    Parameters
    ----------
    operation, rng
        As for `check_rule`.
    """
    rule = rule_of(operation)
    seed = int(rng.integers(2**32)) if isinstance(rng, np.random.Generator) else rng
    for name, check in PROPERTIES.items():
        yield name, partial(check_cases, rule, check, seed)


def rule_of(operation: Any) -> Rule | Composed:
    """The rule of a function, of a pair like ``(np.add, "reduce")``, or the rule itself."""
    if not isinstance(operation, (Rule, Composed)):
        operation = REGISTRY.get(operation) or without_rule(operation)
    if operation.kind not in ("primitive", "composed"):
        raise InputError(f"{operation.name} answers with plain values: there is no rule to check")
    if operation.samples is None:
        raise InputError(f"{operation.name} has no samples: declare them with samples= (or domain=)")
    return operation  # type: ignore[no-any-return]


def check_cases(rule: Rule | Composed, check: Callable[[Case], None], seed: int) -> None:
    """Check a property on all samples of a rule."""
    __tracebackhide__ = True
    rng = np.random.default_rng(seed)
    calls, others = list(rule.samples(rng)), list(rule.samples(rng))  # type: ignore[misc]
    if not calls:
        raise InputError(f"{rule.name} has no samples")
    for call, other in zip(calls, others, strict=True):
        case = Case(rule, call, other, rng)
        try:
            with np.errstate(all="ignore"):
                check(case)
        except AssertionError as error:
            raise AssertionError(f"{error}\nin {case}") from None
        except Exception as error:
            error.add_note(f"in {case}")
            raise
