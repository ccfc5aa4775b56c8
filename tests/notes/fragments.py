"""The code fragments of the CS231n notes, as they are printed, without their comments.

A forward pass computes f from the inputs; a backward pass computes the derivative ``dv`` of f by every
variable v.  The copies of the notes agree on every fragment.  They write ``math.exp``; `run` puts NumPy's in
its place, or leaves it.
"""

import re
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

NUMPY_FOR_MATH = SimpleNamespace(exp=np.exp)


class Fragment(NamedTuple):
    """A program of the notes: the sources of its inputs, its forward pass and its backward pass."""

    name: str
    inputs: str
    forward: str
    backward: str

    def __str__(self) -> str:
        return self.name

    def values(self) -> dict[str, Any]:
        """All variables after the program as printed."""
        return run(self.inputs + self.forward + self.backward)

    def output(self, **given: Any) -> Any:
        """The value of f, with some variables given instead of computed."""
        left = "".join(line for line in self.forward.splitlines(True) if assigned(line) not in given)
        return run(left, **(self.values_of_inputs() | given))["f"]

    def values_of_inputs(self) -> dict[str, Any]:
        """The variables that the program starts from."""
        return run(self.inputs)

    def variables(self) -> list[str]:
        """The variables of the forward pass, inputs first, without the output."""
        return [*self.values_of_inputs(), *(v for v in map(assigned, self.forward.splitlines()) if v != "f")]


def assigned(line: str) -> str:
    """The variable that a line assigns."""
    found = re.match(r"(\w+) \+?= ", line)
    assert found, f"no assignment: {line!r}"
    return found[1]


def run(source: str, math: Any = NUMPY_FOR_MATH, **variables: Any) -> dict[str, Any]:
    """The variables after a program."""
    names = {"math": math, "np": np, **variables}
    exec(compile(source, "fragment.py", "exec"), names)
    return {name: value for name, value in names.items() if name not in ("math", "np", "__builtins__")}


PRODUCT_OF_SUM = Fragment(
    name="(x + y) z",
    inputs="""\
x = -2; y = 5; z = -4
""",
    forward="""\
q = x + y
f = q * z
""",
    backward="""\
dfdz = q
dfdq = z
dfdx = 1.0 * dfdq
dfdy = 1.0 * dfdq
""",
)

SIGMOID_NEURON = Fragment(
    name="sigmoid neuron",
    inputs="""\
w = [2,-3,-3]
x = [-1, -2]
""",
    forward="""\
dot = w[0]*x[0] + w[1]*x[1] + w[2]
f = 1.0 / (1 + math.exp(-dot))
""",
    backward="""\
ddot = (1 - f) * f
dx = [w[0] * ddot, w[1] * ddot]
dw = [x[0] * ddot, x[1] * ddot, 1.0 * ddot]
""",
)

STAGED = Fragment(
    name="(x + sigmoid(y)) / (sigmoid(x) + (x + y)^2)",
    inputs="""\
x = 3
y = -4
""",
    forward="""\
sigy = 1.0 / (1 + math.exp(-y))
num = x + sigy
sigx = 1.0 / (1 + math.exp(-x))
xpy = x + y
xpysqr = xpy**2
den = sigx + xpysqr
invden = 1.0 / den
f = num * invden
""",
    backward="""\
dnum = invden
dinvden = num
dden = (-1.0 / (den**2)) * dinvden
dsigx = (1) * dden
dxpysqr = (1) * dden
dxpy = (2 * xpy) * dxpysqr
dx = (1) * dxpy
dy = (1) * dxpy
dx += ((1 - sigx) * sigx) * dsigx
dx += (1) * dnum
dsigy = (1) * dnum
dy += ((1 - sigy) * sigy) * dsigy
""",
)

MATRIX_PRODUCT = """\
W = np.random.randn(5, 10)
X = np.random.randn(10, 3)
D = W.dot(X)
dD = np.random.randn(*D.shape)
dW = dD.dot(X.T)
dX = W.T.dot(dD)
"""
