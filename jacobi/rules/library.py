"""The rest of NumPy: importing this module adds rules that are not needed by most code, so that they load when met."""

import jacobi.rules.building
import jacobi.rules.decompositions
import jacobi.rules.differences
import jacobi.rules.fourier
import jacobi.rules.functions
import jacobi.rules.matrix_products
import jacobi.rules.signals
import jacobi.rules.singular_values
import jacobi.rules.sorting
import jacobi.rules.statistics  # noqa: F401
