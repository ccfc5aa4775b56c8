"""Operations of linear algebra: inverse, solution, determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobi.matrix import Jacobian, dispatchable, einstein
from jacobi.rules.reductions import product_of_others
from jacobi.rules.registry import composed, rule
from jacobi.rules.samples import Call, Samples

SOURCE = "Magnus & Neudecker, Matrix Differential Calculus, ch. 8"


def well_conditioned(*shapes: tuple[int, ...], right: tuple[tuple[int, ...], ...] = ()) -> Samples:
    """Calls with square matrices away from singular ones, and right-hand sides."""

    def generate(rng: np.random.Generator) -> Any:
        for k, shape in enumerate(shapes):
            matrix = rng.uniform(-0.5, 0.5, shape) + 1.5 * np.eye(shape[-1])
            call: Call = ((matrix, *((rng.normal(size=right[k]),) if right else ())), {})
            yield call

    return generate


def batch(x: Any, core: int) -> tuple[Any, ...]:
    """The labels of the leading axes of a stack of matrices, counted from the right."""
    return tuple(range(core - x.ndim, 0))


def inverse(y: Any, a: Any) -> Jacobian:
    """``dY = -Y dA Y``."""
    stack = batch(a, 2)
    return einstein(
        ((*stack, "i", "l"), (*stack, "k", "j"), (*stack, "i", "k"), (*stack, "j", "l")),
        y.shape,
        a.shape,
        y,
        y,
        coefficient=-1,
    )


def solve_labels(y: Any, a: Any, b: Any) -> tuple[Any, Any, Any, Any]:
    """The labels of the stacks of ``a``, ``b`` and ``y``, and of the columns of ``b``."""
    columns = () if b.ndim == 1 else ("column",)
    core = 1 + len(columns)
    return batch(a, 2), batch(b, core), batch(y, core), columns


def solve_by_matrix(y: Any, a: Any, b: Any) -> Jacobian:
    """``dY = -A^-1 dA Y``."""
    of_a, _, of_y, columns = solve_labels(y, a, b)
    subscripts = ((*of_y, "i", *columns), (*of_a, "k", "j"), (*of_a, "i", "k"), (*of_y, "j", *columns))
    return einstein(subscripts, y.shape, a.shape, np.linalg.inv(a), y, coefficient=-1)


def solve_by_right_side(y: Any, a: Any, b: Any) -> Jacobian:
    """``dY = A^-1 dB``."""
    of_a, of_b, of_y, columns = solve_labels(y, a, b)
    subscripts = ((*of_y, "i", *columns), (*of_b, "k", *columns), (*of_a, "i", "k"))
    return einstein(subscripts, y.shape, b.shape, np.linalg.inv(a))


def transposed_inverse(y: Any, a: Any) -> Jacobian:
    """``d log |det A| = tr(A^-1 dA)``."""
    stack = batch(a, 2)
    return einstein((stack, (*stack, "i", "j"), (*stack, "j", "i")), y.shape, a.shape, np.linalg.inv(a))


def cofactor_matrix(y: Any, a: Any) -> Jacobian:
    """``d det(A) = tr(C^T dA)`` with the cofactors ``C``."""
    stack = batch(a, 2)
    return einstein((stack, (*stack, "i", "j"), (*stack, "i", "j")), y.shape, a.shape, cofactors(a))


@dispatchable
def cofactors(a: Any) -> Any:
    """The cofactors ``det(A) A^-T`` of a matrix, the gradient of its determinant; singular matrices have them too."""
    try:
        return np.linalg.det(a)[..., None, None] * np.swapaxes(np.linalg.inv(a), -1, -2)
    except np.linalg.LinAlgError:
        u, values, vt = np.linalg.svd(a)
        sign = np.linalg.det(u) * np.linalg.det(vt)
        result: Any = sign[..., None, None] * (u * product_of_others(values, -1)[..., None, :]) @ vt
        return result


def cofactors_by_matrix(c: Any, a: Any) -> Jacobian:
    """``dC_ij / dA_kl = (C_ij C_kl - C_il C_kj) / det(A)``, which needs an inverse."""
    stack = batch(a, 2)
    rows, columns = (*stack, "i", "j"), (*stack, "k", "l")
    scale = 1 / np.linalg.det(a)
    crossed = (*stack, "i", "l"), (*stack, "k", "j")
    straight = einstein((rows, columns, rows, columns, stack), c.shape, a.shape, c, c, scale)
    result: Jacobian = straight - einstein((rows, columns, *crossed, stack), c.shape, a.shape, c, c, scale)
    return result


@dispatchable
def log_abs_det(a: Any) -> Any:
    """The logarithm of the absolute value of the determinant."""
    return np.linalg.slogdet(a).logabsdet


@dispatchable
def sign_of_det(a: Any) -> Any:
    """The sign of the determinant."""
    return np.linalg.slogdet(a).sign


SQUARE = ((3, 3), (1, 1), (4, 2, 2), (2, 1, 3, 3))

rule(np.linalg.inv, inverse, samples=well_conditioned(*SQUARE), source=SOURCE)
rule(
    np.linalg.solve,
    solve_by_matrix,
    solve_by_right_side,
    samples=well_conditioned(
        (3, 3), (3, 3), (4, 2, 2), (4, 2, 2), (2, 2), (2, 2), right=((3,), (3, 2), (2,), (4, 2, 3), (4, 2, 3), (2, 1))
    ),
    source=SOURCE,
)
rule(np.linalg.det, cofactor_matrix, samples=well_conditioned(*SQUARE), source=SOURCE)
rule(cofactors, cofactors_by_matrix, samples=well_conditioned(*SQUARE), source="derivative of det(A) A^-T")
rule(log_abs_det, transposed_inverse, samples=well_conditioned(*SQUARE), source=SOURCE)
rule(
    sign_of_det,
    lambda y, a: Jacobian.zero(y.shape, a.shape),
    samples=well_conditioned(*SQUARE),
    piecewise_constant=True,
)
composed(
    np.linalg.slogdet,
    lambda a: type(np.linalg.slogdet(np.eye(1)))(sign_of_det(a), log_abs_det(a)),
    samples=well_conditioned(*SQUARE),
)
