"""`implicit`: a solver differentiated by the implicit function theorem, without looking inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from jacobi.bridges.primitive import declared, signature_of
from jacobi.errors import InputError, ShapeError, at_users_line
from jacobi.matrix import Jacobian, einstein
from jacobi.matrix.given import is_node
from jacobi.transforms import jacobian

Function = TypeVar("Function", bound=Callable[..., Any])

LARGEST = 2**30  # bytes that the derivative of a solution may take, if it is a full matrix
DIAGONAL = ("identity", "scalar", "diagonal")


def implicit(g: Callable[..., Any], *, fixed_point: bool = False, tol: float = 1e-6) -> Callable[[Function], Function]:
    """Differentiate what solves ``g(x, *p) = 0`` for ``x``, whatever it does inside.

    By the implicit function theorem ``dx/dp = -(dg/dx)^-1 dg/dp`` at the solution.  Both factors come from tracing
    ``g`` once, with their structure: a sparse ``dg/dx`` is factored as a sparse matrix, and where it is (block)
    diagonal the solution keeps that structure.

    Parameters
    ----------
    g : callable
        ``g(x, *p)`` in plain NumPy, with as many entries as ``x``.  For a minimum of a cost, its gradient in ``x``:
        ``g = gradient(cost)``.
    fixed_point : bool
        Whether ``g`` is a step with ``x = g(x, *p)`` instead.
    tol : float
        How far the returned solution may be from the root, relative to its largest entry (or to 1), as measured by a
        Newton step.  The derivative at a point that is no root is the derivative of something else.

    Returns
    -------
    callable
        A decorator for the function ``solve(*p)`` that returns ``x``.  It gets plain arrays.

    Raises
    ------
    InputError
        When differentiated: if the solution is no root, or ``dg/dx`` is singular there.
    ShapeError
        When differentiated: if ``g`` and ``x`` differ in size.

    Notes
    -----
    The theorem is U. Dini's (1878); its use for differentiating optimisers and fixed points is described in
    A. Griewank and A. Walther, "Evaluating Derivatives" (2008), section 15.  Derivatives of any order follow, because
    the formula is differentiated again.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import brentq
    >>> from jacobi import gradient
    >>> @implicit(lambda x, p: x * np.exp(x) - p)
    ... def lambert(p):
    ...     return brentq(lambda x: x * np.exp(x) - p, 0.0, 10.0, xtol=1e-14)
    >>> float(gradient(lambert)(np.e).round(12)), round(1 / (2 * np.e), 12)
    (0.183939720586, 0.183939720586)
    """
    if not callable(g):
        what = f"{type(g).__name__} is not a function"
        raise InputError(at_users_line(what, "Write @implicit(g), with g(x, *p) = 0 at the solution."))

    def residual(x: Any, *p: Any) -> Any:
        return x - g(x, *p) if fixed_point else g(x, *p)

    def declare(solve: Function) -> Function:
        form = signature_of(solve)
        name = solve.__qualname__

        def together(operands: Sequence[int], x: Any, *p: Any) -> list[Jacobian]:
            numbers = (0, *(k + 1 for k in operands))
            by_x, *by_p = jacobian(residual, argnums=numbers)(x, *p)
            values = [a.value if is_node(a) else a for a in (x, *p)]
            plain = by_x if numeric(by_x) else jacobian(residual)(*values)
            refuse_other_points(name, residual, plain, values, tol)
            return [solved(by_x, J) * -1.0 for J in by_p]

        return declared(solve, form, len(form.parameters), name, together=together)

    return declare


def refuse_other_points(name: str, residual: Callable[..., Any], by_x: Jacobian, values: list[Any], tol: float) -> None:
    """Raise where a returned solution is not close to a root that depends smoothly on the parameters."""
    x = np.asarray(values[0])
    left = np.asarray(residual(*values), dtype=float)
    if left.size != x.size:
        what = f"{name} returned {x.size} numbers, and g has {left.size}"
        raise ShapeError(at_users_line(what, "Give as many equations as unknowns."))
    try:
        correction = solved(by_x, Jacobian.from_dense(left.reshape(-1, 1), x.shape, (1,))).toarray()
    except np.linalg.LinAlgError:
        correction = np.array([np.nan])
    if not np.isfinite(correction).all():
        what = f"dg/dx is singular at what {name} returned: the solution is no smooth function of its parameters"
        raise InputError(at_users_line(what, "Give another equation for it, or leave the singular point."))
    distance = np.abs(correction).max(initial=0.0)
    if distance > tol * max(np.abs(x).max(initial=0.0), 1.0):
        what = f"what {name} returned is no root of g: a Newton step moves it by {distance:.2g}"
        raise InputError(at_users_line(what, "Let the solver converge further, or loosen tol=."))


def solved(A: Jacobian, B: Jacobian) -> Jacobian:
    """``A^-1 B``, with as much structure as can be kept."""
    shape = A.out_shape
    if A.shape[0] == A.shape[1] and A.structure in DIAGONAL:
        inverse = Jacobian.from_diagonal(np.reshape(1 / A.diagonal(), A.in_shape))
        product: Jacobian = inverse @ Jacobian(B.terms, A.in_shape, B.in_shape, B.dtype)
        return product
    if A.structure == "block diagonal" and A.in_shape == shape and numeric(A):
        blocks = np.linalg.inv(A.blocks())
        space = (blocks.shape[0], blocks.shape[1])
        inverse = einstein("bi;bk;bik", space, space, blocks)
        product = Jacobian(inverse.terms, A.in_shape, shape, A.dtype) @ B
        return product
    if B.shape[0] * B.shape[1] * B.dtype.itemsize > LARGEST:
        what = f"the derivative of a solution, a full matrix of shape {B.shape}, takes too much memory"
        raise MemoryError(at_users_line(what, "Differentiate by fewer parameters at once."))
    if numeric(A) and A.nnz < A.shape[0] * A.shape[1] // 8:
        from scipy.sparse.linalg import splu

        try:
            found = splu(A.tocsc().astype(float)).solve(np.asarray(B.toarray(), float))
        except RuntimeError as problem:  # SciPy's word for a singular matrix
            raise np.linalg.LinAlgError(str(problem)) from None
    else:
        found = np.linalg.solve(A.toarray(), B.toarray())
    return Jacobian.from_dense(found, A.in_shape, B.in_shape)


def numeric(A: Jacobian) -> bool:
    """Whether a Jacobian holds numbers, and no nodes."""
    return not any(is_node(factor) for term in A.terms for factor in term.factors)
