"""NumPy's names and order of entries for CasADi's symbols, as far as the workloads use them."""

from types import SimpleNamespace

import casadi


class Array:
    """A CasADi expression as an array of at most two dimensions, whose entries are counted row by row.

    Parameters
    ----------
    value : casadi.SX or casadi.MX
        A column for a vector, else a matrix.
    shape : tuple of int
        NumPy's shape.
    """

    def __init__(self, value, shape):
        self.value, self.shape = value, shape

    def __getitem__(self, key):
        if len(self.shape) == 1 and isinstance(key, slice):
            return Array(self.value[key], (len(range(*key.indices(self.shape[0]))),))
        if len(self.shape) == 1 and key == (slice(None), None):
            return Array(self.value, (self.shape[0], 1))
        return Array(self.value[key], ())

    def reshape(self, *shape):
        flat = self.value if len(self.shape) < 2 else casadi.vec(self.value.T)
        if len(shape) == 1:
            return Array(flat, (flat.numel(),))
        return Array(casadi.reshape(flat, shape[1], shape[0]).T, shape)

    @property
    def T(self):
        return self if len(self.shape) < 2 else Array(self.value.T, self.shape[::-1])

    def __matmul__(self, other):
        left = self.value.T if len(self.shape) == 1 else self.value
        shape = self.shape[:-1] + other.shape[1:]
        product = casadi.mtimes(left, other.value)
        return Array(product.T if len(self.shape) == 1 and len(shape) == 1 else product, shape)

    def __pow__(self, power):
        return Array(self.value**power, self.shape)

    def __neg__(self):
        return Array(-self.value, self.shape)

    def __len__(self):
        return self.shape[0]


def operation(function, swap=False):
    """An operation of two operands; a column is repeated where the other one is a matrix."""

    def method(self, other):
        other = other if isinstance(other, Array) else Array(other, ())
        a, b = (other, self) if swap else (self, other)
        shape = max(a.shape, b.shape, key=lambda s: (len(s), s))
        a, b = (
            casadi.repmat(x.value, 1, shape[1]) if len(shape) == 2 and x.shape[1:] == (1,) else x.value for x in (a, b)
        )
        return Array(function(a, b), shape)

    return method


for name, function in {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "truediv": lambda a, b: a / b,
}.items():
    setattr(Array, f"__{name}__", operation(function))
    setattr(Array, f"__r{name}__", operation(function, swap=True))


def elementwise(function):
    return lambda x: Array(function(x.value), x.shape)


def concatenate(parts):
    return Array(casadi.vertcat(*(part.value for part in parts)), (sum(len(part) for part in parts),))


def total(x, axis=None):
    if axis is None:
        return Array(casadi.sum1(casadi.sum2(x.value)), ())
    return Array(casadi.sum2(x.value), x.shape[:1])


def roll(x, shift, axis):
    if axis == 0:
        value = casadi.vertcat(x.value[-shift:, :], x.value[:-shift, :])
    else:
        value = casadi.horzcat(x.value[:, -shift:], x.value[:, :-shift])
    return Array(value, x.shape)


NAMES = SimpleNamespace(
    sin=elementwise(casadi.sin),
    tanh=elementwise(casadi.tanh),
    exp=elementwise(casadi.exp),
    log=elementwise(casadi.log),
    maximum=lambda x, bound: Array(casadi.fmax(x.value, bound), x.shape),
    concatenate=concatenate,
    stack=lambda parts: Array(casadi.vertcat(*(part.value for part in parts)), (len(parts),)),
    sum=total,
    mean=lambda x: total(x) / x.value.numel(),
    roll=roll,
    linalg=SimpleNamespace(slogdet=lambda X: (None, Array(casadi.log(casadi.det(X.value)), ()))),
)
