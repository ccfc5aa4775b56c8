"""Functions of our own under SciPy's names, which NumPy's dispatch cannot reach: offered as `jacobi.functions`."""

import jacobi.rules.functions.activation
import jacobi.rules.functions.build
import jacobi.rules.functions.equations
import jacobi.rules.functions.lu
import jacobi.rules.functions.matrices
import jacobi.rules.functions.solve  # noqa: F401
