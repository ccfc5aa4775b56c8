"""Functions that NumPy's dispatch cannot reach, under SciPy's names: for plain arrays and for traced values alike.

NumPy hands the calls of its own functions, and of the ufuncs of ``scipy.special``, to traced values.  SciPy's other
functions turn their arguments into plain arrays, and a derivative would be lost; in a traced function write
``jacobi.functions.expm(X)`` instead of ``scipy.linalg.expm(X)``.

>>> import numpy as np
>>> from jacobi import jacobian
>>> jacobian(lambda X: expm(X) @ np.ones(2))(np.zeros((2, 2))).shape
(2, 4)
"""

from __future__ import annotations

from typing import NoReturn

from jacobi.rules.functions.activation import gelu, log_softmax, logsumexp, relu, sigmoid, silu, softmax, softplus
from jacobi.rules.functions.build import (
    block_diag,
    circulant,
    convolution_matrix,
    cumulative_trapezoid,
    hankel,
    multigammaln,
    polygamma,
    simpson,
    toeplitz,
    trapezoid,
)
from jacobi.rules.functions.equations import (
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_sylvester,
    solve_toeplitz,
)
from jacobi.rules.functions.lu import lu_factor, lu_solve
from jacobi.rules.functions.matrices import coshm, cosm, expm, expm_frechet, logm, sinhm, sinm, sqrtm, tanhm, tanm
from jacobi.rules.functions.solve import cho_factor, cho_solve, cholesky, det, inv, solve, solve_triangular

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "convolution_matrix",
    "coshm",
    "cosm",
    "cumulative_trapezoid",
    "det",
    "expm",
    "expm_frechet",
    "gelu",
    "hankel",
    "inv",
    "log_softmax",
    "logm",
    "logsumexp",
    "lu_factor",
    "lu_solve",
    "multigammaln",
    "polygamma",
    "relu",
    "sigmoid",
    "silu",
    "simpson",
    "sinhm",
    "sinm",
    "softmax",
    "softplus",
    "solve",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_toeplitz",
    "solve_triangular",
    "sqrtm",
    "tanhm",
    "tanm",
    "toeplitz",
    "trapezoid",
]


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"jacobi.functions has no function {name!r}. It has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
