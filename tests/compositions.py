"""Random functions for tests: operations of all families, composed line by line.

A composition is a piece of source, drawn from a seed: every line applies one operation to values of earlier lines.
So a failure shows a function that can be pasted and run as it stands.
"""

import re
import warnings

import numpy as np
from scipy import special

import jacobi as jb
from jacobi import functions

SPACE = {"np": np, "jb": jb, "functions": functions, "special": special}
SMALL = 40  # entries of the largest array in a composition


# Drawing ----------------------------------------------------------------------------------------------------------


class Draw:
    """Draws the parts of a line that fit the values at hand.

    Attributes
    ----------
    values : dict
        The arrays of the lines so far, by name, in order.
    """

    def __init__(self, rng, values):
        self.rng, self.values = rng, values

    def one(self, *choices):
        """One of some choices."""
        return choices[self.rng.integers(len(choices))]

    def name(self, condition=lambda v: True):
        """A value that fulfils a condition, more likely a late one."""
        names = [name for name, value in self.values.items() if condition(value)]
        if not names:
            raise LookupError
        weights = 3.0 ** np.arange(len(names))
        return str(self.rng.choice(names, p=weights / weights.sum()))

    def array(self, low=1, high=9):
        """A value with so many axes."""
        return self.name(lambda v: low <= v.ndim <= high)

    def numbers(self, shape):
        """An array of constants, as source."""
        entries = self.rng.uniform(-1.5, 1.5, shape).round(2)
        return f"np.array({entries.tolist()})" if np.ndim(entries) else str(float(entries))

    def partner(self, name):
        """A value, or constants, that broadcast against a value."""
        shape = self.values[name].shape
        kind = self.rng.random()
        if kind < 0.5:
            return self.name(lambda v: broadcast(v.shape, shape))
        if kind < 0.6:
            return f"{self.rng.uniform(0.3, 1.5):.2f}"
        keep = self.rng.integers(len(shape) + 1)
        return self.numbers(tuple(int(n) if self.rng.random() < 0.7 else 1 for n in shape[len(shape) - keep :]))

    def axis(self, name):
        """An axis, from either end."""
        ndim = self.values[name].ndim
        return int(self.rng.integers(-ndim, ndim))

    def axes(self, name):
        """Axes to reduce: none, one or several."""
        ndim = self.values[name].ndim
        kind = self.rng.random()
        if kind < 0.3:
            return None
        if kind < 0.7:
            return self.axis(name)
        return tuple(int(k) for k in self.rng.permutation(ndim)[: self.rng.integers(1, ndim + 1)])

    def keepdims(self):
        """Sometimes the keyword."""
        return self.one("", "", ", keepdims=True")

    def order(self, name):
        """The axes in another order."""
        return tuple(int(k) for k in self.rng.permutation(self.values[name].ndim))

    def shape(self, name):
        """Another shape of the same size, perhaps with -1."""
        rest, parts = self.values[name].size, []
        while rest > 1 and len(parts) < 3:
            part = int(self.rng.choice([d for d in range(1, rest + 1) if rest % d == 0]))
            parts.append(part)
            rest //= part
        parts.append(rest)
        if self.rng.random() < 0.3:
            parts[self.rng.integers(len(parts))] = -1
        return tuple(parts)

    def slice(self, length):
        """A slice of an axis that is not empty."""
        while True:
            limits = [int(self.rng.integers(-length, length + 1)) if self.rng.random() < 0.6 else None for _ in "ab"]
            step = self.one(None, None, 1, 2, -1, -2)
            if len(range(length)[slice(*limits, step)]):
                begin, end = ("" if limit is None else limit for limit in limits)
                return f"{begin}:{end}" + (f":{step}" if step else "")

    def positions(self, length, count=None):
        """Positions on an axis, with repeats."""
        count = int(self.rng.integers(1, 4)) if count is None else count
        return [int(k) for k in self.rng.integers(-length, length, count)]

    def basic(self, name):
        """A basic index: slices, numbers, None, an ellipsis."""
        parts, shape = [], self.values[name].shape
        for length in shape[: self.rng.integers(1, len(shape) + 1)]:
            parts.append(self.one(self.slice(length), self.slice(length), ":", str(self.positions(length, 1)[0])))
            if self.rng.random() < 0.1:
                parts.append("None")
        if self.rng.random() < 0.2:
            parts.insert(self.rng.integers(len(parts) + 1), "...")
            if parts.index("...") == 0 and len(parts) < 1 + len(shape):
                parts[1:] = [self.slice(n) for n in shape[len(shape) - len(parts) + 1 :]]
        return ", ".join(parts)

    def index(self, name):
        """An index of any kind."""
        shape = self.values[name].shape
        kind = self.rng.random()
        if kind < 0.4:
            return self.basic(name)
        if kind < 0.5:
            return f"{name} > {self.rng.uniform(-0.5, 0.2):.2f}"
        if kind < 0.6 and len(shape) > 1:
            return f"np.ix_({self.positions(shape[0])}, {self.positions(shape[1])})"
        count = int(self.rng.integers(1, 4))
        parts = [self.one(str(self.positions(n, count)), self.slice(n), str(self.positions(n, count))) for n in shape]
        if self.rng.random() < 0.3:
            parts[0] = str([[k] for k in self.positions(shape[0], 2)])
        return ", ".join(parts[: self.rng.integers(1, len(parts) + 1)])


def broadcast(*shapes):
    """Whether arrays of these shapes broadcast to a small one."""
    try:
        return int(np.prod(np.broadcast_shapes(*shapes))) <= SMALL
    except ValueError:
        return False


# The families -----------------------------------------------------------------------------------------------------


def elementwise(d):
    v = d.name()
    return d.one(
        f"np.sin({v})", f"np.cos({v})", f"np.tanh({v})", f"np.exp(-{v}**2)", f"np.exp({v} / 3)", f"np.arctan({v})",
        f"np.sqrt(1 + {v}**2)", f"np.log1p({v}**2)", f"{v}**3", f"{v}**2", f"-{v}", f"np.abs({v})", f"2 * {v} - 1",
        f"1 / (2 + {v}**2)", f"np.logaddexp({v}, 0)", f"np.maximum({v}, 0)", f"np.minimum({v}, 0.3)", f"3 - {v}",
        f"np.clip({v}, -0.7, 0.9)", f"np.square({v})", f"np.sinh({v} / 4)", f"np.abs({v})**1.5", f"{v} / 2",
        f"np.where({v} > 0, {v}, 0.1 * {v})", f"np.expm1({v} / 3)", f"np.float_power(1.5, {v})", f"1.3**{v}",
        f"np.sign({v}) * {v}", f"np.reciprocal(3 + np.cos({v}))", f"np.log(np.cosh({v}))", f"np.nan_to_num({v})",
        f"special.erf({v})", f"special.expit({v})", f"special.gammaln(2.5 + np.sin({v}))", f"np.sinc({v} / 3)",
        f"functions.softplus({v})", f"functions.gelu({v})", f"functions.relu({v})", f"np.arcsinh({v})", f"np.fabs({v})",
        f"np.piecewise({v}, [{v} < 0, {v} >= 0], [lambda t: -t, lambda t: t**2])", f"np.exp2({v} / 3)", f"abs({v})",
        f"np.arcsin(0.9 * np.tanh({v}))", f"np.degrees({v}) / 60", f"{v} % 1.7", f"np.cbrt(3 + np.tanh({v}))", f"+{v}",
    )  # fmt: skip


def broadcasting(d):
    v = d.name()
    w = d.partner(v)
    v, w = d.one((v, w), (w, v))
    return d.one(
        f"{v} + {w}", f"{v} - {w}", f"{v} * {w}", f"{v} * {w}", f"{v} / (2 + ({w})**2)", f"np.maximum({v}, {w})",
        f"np.minimum({v}, {w})", f"np.hypot(1 + {v}, {w})", f"np.arctan2({v}, 2 + np.cos({w}))",
        f"np.logaddexp({v}, {w})", f"np.where({v} > {w}, {v}, {w} * 2)", f"(1.5 + np.tanh({v}))**({w})",
        f"np.add(*np.broadcast_arrays({v}, {w}))", f"np.fmax({v}, {w})", f"np.copysign({v}, {w})",
        f"np.fmod({v}, 1 + ({w})**2)",
        f"np.select([{v} > 0.3, {w} > 0], [{v}, {w}], {v} * {w})", f"special.xlogy(1 + ({v})**2, 1 + ({w})**2)",
        f"np.remainder({v}, 1 + ({w})**2)", f"np.float_power(1 + ({v})**2, {w})", f"np.logaddexp2({v}, {w})",
    )  # fmt: skip


def outer(d):
    v, w = d.array(0, 2), d.array(0, 2)
    if d.values[v].size * d.values[w].size > SMALL:
        return broadcasting(d)
    return d.one(
        f"np.multiply.outer({v}, {w})", f"np.outer({v}, {w})", f"np.subtract.outer({v}, {w})", f"np.kron({v}, {w})",
        f"np.add.outer({v}, {w})", f"np.tensordot({v}, {w}, axes=0)", f"np.maximum.outer({v}, {w})",
    )  # fmt: skip


def reductions(d):
    v = d.array()
    axes, keep = d.axes(v), d.keepdims()
    axis = d.axis(v)
    return d.one(
        f"np.sum({v}, axis={axes}{keep})", f"{v}.mean(axis={axes}{keep})", f"np.prod({v}, axis={axes}{keep})",
        f"np.max({v}, axis={axes}{keep})", f"{v}.min(axis={axes}{keep})", f"{v}.sum(axis={axes}{keep})",
        f"np.var({v}, axis={axes}{keep})", f"np.std({v}, axis={axes}{keep})", f"np.median({v}, axis={axis}{keep})",
        f"np.linalg.norm({v}, axis={axis}{keep})", f"np.ptp({v}, axis={axis})", f"np.trapezoid({v}, axis={axis})",
        f"np.average({v}, axis={axis})", f"np.linalg.norm({v})",
        f"np.quantile({v}, 0.3, axis={axis}{keep})", f"np.add.reduce({v}, axis={axis})", f"np.nansum({v}, axis={axes})",
        f"functions.logsumexp({v}, axis={axis})", f"functions.softmax({v}, axis={axis})",
        f"np.linalg.norm({v}, 1, axis={axis})", f"np.maximum.reduce({v}, axis={axis})", f"np.nanmean({v}, axis={axes})",
        f"np.average({v}, axis={axis}, weights={d.rng.uniform(0.5, 2, d.values[v].shape[axis]).round(2).tolist()})",
        f"np.var({v}, axis={axis}, ddof=-1{keep})", f"np.count_nonzero({v} > 0) * {v}",
        f"np.linalg.vector_norm({v}, axis={axes}{keep})",
        f"np.argmax({v}) * {v}.max()", f"functions.log_softmax({v}, axis={axis})", f"np.nanstd({v}, axis={axes})",
    )  # fmt: skip


def products(d):
    v = d.array()
    shape = d.values[v].shape
    kind = d.rng.random()
    if kind < 0.35:
        return einsum(d)
    if kind < 0.5:
        w = d.name(lambda w: w.ndim >= 1 and matmul_fits(d.values[v], w))
        return d.one(f"{v} @ {w}", f"np.matmul({v}, {w})", f"np.tanh({v}) @ np.cos({w})")
    columns, rows = int(d.rng.integers(1, 4)), int(d.rng.integers(1, 4))
    right, left = d.numbers((shape[-1], columns)), d.numbers((rows, shape[-2 if len(shape) > 1 else -1]))
    axis = d.axis(v)
    return d.one(
        f"{v} @ {right}", f"{left} @ {v}", f"np.dot({v}, {right})", f"np.tensordot({v}, {v}, axes={len(shape)})",
        f"np.inner({v}, {d.numbers((rows, shape[-1]))})", f"{v} @ {d.numbers(shape[-1:])}", f"np.vdot({v}, {v})",
        f"np.tensordot({v}, {d.numbers((columns, shape[axis]))}, axes=({axis}, 1))", f"np.vecdot({v}, {v})",
        f"{v} @ np.swapaxes({v}, -1, -2)" if len(shape) > 1 else f"{v} @ {v}",
        f"np.linalg.multi_dot([{left}, {v}, {right}])" if len(shape) == 2 else f"np.outer({v}, {v})",
        f'np.einsum("...i,...i", {v}, {v})', f'np.einsum("...i,ij->...j", {v}, {right})',
        f'np.einsum("i...->...", {v})',
        f"np.tensordot({v}, {v}, axes=({axis}, {axis}))",
        f"np.matvec({left}, np.swapaxes({v}, -1, {max(-2, -len(shape))}))",
        f"np.vecmat({v}, {right})", f"{v}.dot({right})",
    )  # fmt: skip


def matmul_fits(v, w):
    """Whether the product exists and is small."""
    try:
        return (v @ w).size <= SMALL
    except ValueError:
        return False


def einsum(d):
    """A sum over random letters: diagonals, transposes, sums and contractions, with one to three operands."""
    letters, sizes, inputs, names = "ijklm", {}, [], []
    for _ in range(int(d.rng.integers(1, 4))):
        name = d.array()
        text = ""
        for length in d.values[name].shape:
            fitting = [k for k in letters if sizes.get(k, length) == length]
            if not fitting:
                raise LookupError
            text += d.one(*fitting)
            sizes[text[-1]] = length
        inputs.append(text)
        names.append(name)
    used = sorted(set("".join(inputs)))
    chosen = [used[k] for k in d.rng.permutation(len(used))[: d.rng.integers(0, min(3, len(used)) + 1)]]
    if d.rng.random() < 0.15:
        operands = [f"{n}, {[letters.index(k) for k in t]}" for n, t in zip(names, inputs, strict=True)]
        return f"np.einsum({', '.join(operands)})"
    return f'np.einsum("{",".join(inputs)}->{"".join(chosen)}", {", ".join(names)})'


def moves(d):
    v = d.array()
    axis, other = d.axis(v), d.axis(v)
    shift = int(d.rng.integers(-3, 4))
    pads = tuple((int(a), int(b)) for a, b in d.rng.integers(0, 2, (d.values[v].ndim, 2)))
    mode = d.one("constant", "edge", "wrap", "symmetric", "reflect")
    return d.one(
        f"{v}.reshape({d.shape(v)})", f"np.reshape({v}, {d.shape(v)}, order='F')", f"{v}.T", f"{v}.ravel()",
        f"np.transpose({v}, {d.order(v)})", f"np.swapaxes({v}, {axis}, {other})", f"np.moveaxis({v}, {axis}, {other})",
        f"np.flip({v}, {axis})", f"np.flip({v})", f"np.roll({v}, {shift}, axis={axis})", f"np.roll({v}, {shift})",
        f"np.expand_dims({v}, {axis})", f"np.squeeze({v})", f"np.ravel({v}, order='F')", f"np.atleast_3d({v})",
        f"np.tile({v}, {d.one(2, (2, 1), (1, 2))})", f"np.repeat({v}, 2, axis={axis})", f"{v}[..., None]",
        f"np.repeat({v}, {[int(k) for k in d.rng.integers(0, 3, d.values[v].shape[axis])]}, axis={axis})",
        f"np.broadcast_to({v}, {(2, *d.values[v].shape)})", f"np.pad({v}, {pads}, mode='{mode}')", f"np.diagflat({v})",
        f"np.resize({v}, {(2, 3)})", f"{v}.flatten()", f"np.rot90(np.atleast_2d({v}), {shift})", f"np.atleast_2d({v})",
        f"np.lib.stride_tricks.sliding_window_view({v}, {min(2, d.values[v].shape[axis])}, axis={axis})",
    )  # fmt: skip


def matrices(d):
    v = d.array(2)
    k = int(d.rng.integers(-1, 2))
    return d.one(
        f"np.tril({v}, {k})", f"np.triu({v}, {k})", f"np.trace({v})", f"np.diagonal({v}, {k})", f"np.fliplr({v})",
        f"np.diagonal({v}, 0, -1, 0)", f"np.rot90({v}, axes=(-1, 0))", f"{v}.diagonal({k})",
        f"np.linalg.matrix_transpose({v})",
    )  # fmt: skip


def indexing(d):
    v = d.array()
    axis = d.axis(v)
    length = d.values[v].shape[axis]
    pick = d.positions(length)
    return d.one(
        f"{v}[{d.basic(v)}]", f"{v}[{d.basic(v)}]", f"{v}[{d.index(v)}]", f"{v}[{d.index(v)}]", f"{v}[{d.index(v)}]",
        f"np.take({v}, {pick}, axis={axis})", f"{v}.take({d.positions(d.values[v].size)})",
        f"np.take_along_axis({v}, np.argsort({v}, axis={axis}), axis={axis})", f"np.delete({v}, 0, axis={axis})",
        f"np.compress({[bool(k % 2) for k in range(length)]}, {v}, axis={axis})", f"np.extract({v} > 0, {v})",
        f"{v}[np.argmax({v}, axis=0)]", f"np.split({v}, [1], axis={axis})[0]",
        f"np.array_split({v}, 2, axis={axis})[0]",
        f"np.choose([0, 1, 0], [{v}.ravel()[0], {v}.ravel()[-1]])", f"np.partition({v}, 0, axis={axis})",
    )  # fmt: skip


def assignment(d):
    """Values written into a copy, or into zeros, through an index or a view, perhaps with an operator."""
    v = d.array()
    place = d.index(v)
    if ">" in place:
        place = str((d.values[v] > 0).tolist())  # a mask that stays the same
        place = f"np.array({place})"
    target = eval(f"v[{place}]", {"v": d.values[v], "np": np})
    source = d.one("0.5 * ", "np.sin") + f"({d.name(lambda w: fits(w.shape, target.shape))})"
    start = d.one(f"{v}.copy()", f"np.zeros_like({v})", f"1 * {v}", f"np.ones_like({v})", f"np.full_like({v}, 0.5)")
    operator = d.one("=", "=", "+=", "-=", "*=")
    lines = [f"new = {start}"]
    kind = d.rng.random()
    if kind < 0.15:
        lines.append(f"view = new.{d.one('T', 'ravel()', 'reshape(-1)')}")
        lines.append(f"view[{d.one('0', '-1', '::2', '...')}] {operator} {d.name(lambda w: w.ndim == 0)}")
    elif kind < 0.3 and not re.search(r"None|\.\.\.", place):
        lines.append(f"np.{d.one('add', 'subtract')}.at(new, np.s_[{place}], {source})")
    else:
        lines.append(f"new[{place}] {operator} {source}")
    if d.rng.random() < 0.3:
        lines.append(f"new[{d.basic(v)}] {d.one('*=', '+=')} {d.rng.uniform(0.5, 2):.2f}")
    return lines


def fits(shape, target):
    """Whether an array can be assigned to a place."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def joining(d):
    v = d.array()
    shape, axis = d.values[v].shape, d.axis(v)
    w = d.name(lambda w: w.ndim == len(shape) and rest(w.shape, axis) == rest(shape, axis))
    u = d.name(lambda u: u.shape == shape)
    new = int(d.rng.integers(-len(shape) - 1, len(shape) + 1))
    return d.one(
        f"np.concatenate([{v}, {w}], axis={axis})", f"np.concatenate(({v}, {w}, {v}), axis={axis})",
        f"np.concatenate([{v}, np.zeros_like({w})], axis={axis})", f"np.stack([{v}, {u}], axis={new})",
        f"np.stack([{u}, 2 * {v}], axis={new})", f"np.append({v}, {u})", f"np.hstack([{v}, {u}])",
        f"np.vstack([{v}, {u}])", f"np.column_stack([{v}, {u}])", f"np.dstack([{v}, {u}])", f"np.block([{v}, {u}])",
        f"np.insert({v}, 1, {w}.ravel()[0], axis={axis})", f"np.stack([{v}.ravel()[0], 1.0, {u}.ravel()[-1]])",
        f"np.stack([{v}, {d.numbers(shape)}], axis={new})", f"np.meshgrid({v}.ravel()[:3], {u}.ravel()[:3])[1]",
    )  # fmt: skip


def rest(shape, axis):
    """A shape without one axis."""
    return np.delete(shape, axis).tolist()


def factorisations(d):
    v = d.array(2)
    n = d.values[v].shape[-2]
    square = f"(np.eye({n}) * 2 + {v} @ np.swapaxes({v}, -1, -2))"
    vector = d.numbers((n,)) if d.values[v].ndim == 2 else d.numbers((n, 2))
    skew = f"({square} + np.triu({d.numbers((n, n))}, 1))"
    w = d.name(lambda w: w.ndim in (1, 2) and w.shape[0] == n and (w.ndim == 1) <= (d.values[v].ndim == 2))
    return d.one(
        f"np.linalg.inv({skew})", f"np.linalg.det({skew})", f"np.linalg.slogdet({square})[1]", f"np.linalg.pinv({v})",
        f"np.linalg.solve({skew}, {vector})", f"np.linalg.solve({square}, {w})", f"np.linalg.cholesky({square})",
        f"np.linalg.eigvalsh({square})", f"np.linalg.svd({v}, compute_uv=False)", f"np.linalg.matrix_power({skew}, 2)",
        f"np.linalg.qr({square})[1]", f"functions.expm({square} / 9)", f"np.linalg.norm({v}, 'nuc', axis=(-2, -1))",
        f"np.linalg.solve({skew}, {v})", f"functions.sqrtm({square})" if d.values[v].ndim == 2 else f"{v} * 2",
        f"functions.solve_triangular(np.linalg.cholesky({square}), {vector}, lower=True)",
        f"np.linalg.eigh({square})[0]",
        f"np.linalg.lstsq({v}, {d.numbers((n,))}, rcond=None)[0]" if d.values[v].ndim == 2 else f"{v} - 1",
        f"np.abs(np.linalg.eigh({square})[1])", f"np.abs(np.linalg.svd({v} + 0.1, full_matrices=False)[0])",
        f"np.linalg.matrix_norm({v}, 2)", f"np.linalg.cond({square})", f"np.linalg.matrix_power({square}, -1)",
        f"functions.cho_solve(functions.cho_factor({square}), {vector})" if d.values[v].ndim == 2 else f"{v} + 1",
        f"np.linalg.tensorinv({square}, 1)" if d.values[v].ndim == 2 else f"{v} + 2",
    )  # fmt: skip


def scans(d):
    v = d.array()
    axis = d.axis(v)
    kernel = d.numbers((2,))
    return d.one(
        f"np.sort({v}, axis={axis})", f"np.cumsum({v}, axis={axis})", f"np.cumprod({v}, axis={axis})",
        f"np.sort({v}, None)",
        f"np.diff({v}, axis={axis})", f"np.cumsum({v})", f"np.gradient({v}, axis={axis})",
        f"np.diff({v}, 2, axis={axis})",
        f"np.convolve({v}.ravel(), {kernel}, '{d.one('full', 'same', 'valid')}')",
        f"np.add.accumulate({v}, axis={axis})",
        f"np.interp({v}, [-2.0, -0.5, 1.0, 3.0], [0.3, 1.0, -1.0, 0.5])", f"np.fft.rfft({v}, axis={axis}).real",
        f"np.abs(np.fft.fft({v}, axis={axis}))**2", f"np.convolve({v}.ravel(), {v}.ravel())", f"np.ediff1d({v})",
        f"np.percentile({v}, [20, 70], axis={axis})", f"np.fft.irfft(np.fft.rfft({v}.ravel()), {d.values[v].size})",
        f"np.where({d.numbers(d.values[v].shape)} > 0, {v}, 0)", f"np.select([{v} > 0.5, {v} < 0], [{v}, {v}**2])",
        f"np.polyval({v}.ravel()[:3], {v})", f"np.cov({v}.ravel()[None])",
        f"np.bincount(np.array([0, 1, 1]), {v}.ravel()[:1].repeat(3))",
        f"np.cross({v}.ravel()[:1].repeat(3) * [1, 2, 3], [0.5, -1.0, 2.0])", f"np.vander({v}.ravel()[:3])",
        f"np.trapezoid(np.sin({v}), {v}, axis={axis})", f"np.gradient({v}, 0.5, axis={axis})",
        f"np.unwrap({v}, axis={axis})",
        f"np.cumulative_sum({v}, axis={axis}, include_initial=True)", f"np.correlate({v}.ravel(), {kernel}, 'full')",
        f"np.apply_along_axis(lambda t: t * t[0], {axis}, {v})",
        f"np.interp([0.1, 0.6], [0.0, 0.5, 1.0], {v}.ravel()[:1].repeat(3))",
        f"jb.gradient(lambda t: np.sum(np.sin(t) * {v}))({v})", f"jb.jacobian(lambda t: t**2 * {v})({v}).diagonal()",
        f"np.stack([{v}[k] * k for k in range(len({v}))])", f"sum(t**2 for t in {v})",
        f"np.unstack({v}, axis={axis})[0] * 2",
        f"jb.jvp(lambda t: np.tanh(t) * {v}, ({v},), ({v},))[1]", f"np.bincount([0, 1, 1], {v}.ravel()[:1].repeat(3))",
    )  # fmt: skip


def loops(d):
    """Stencils and recursions as simulations have them, along the first axis."""
    v = d.array()
    count, weight = d.rng.integers(2, 5), f"{d.rng.uniform(0.1, 0.6):.2f}"
    step = d.one(
        f"new = new + {weight} * np.sin(np.roll(new, 1, axis=0))",
        f"new[1:-1] = {weight} * (new[2:] + new[:-2]) - 0.1 * new[1:-1]**2",
        f"new[1:] = new[1:] - {weight} * new[1:] * (new[1:] - new[:-1])",
        f"new[k % len(new)] = {weight} * new[(k + 1) % len(new)] * np.cos({v}[-1])",
        f"new[::2] += {weight} * {v}[::2]",
        f"new = new + {weight} * (np.roll(new, -1, axis=-1) - 2 * new + np.roll(new, 1, axis=-1)) * {v}",
        f"new = np.tanh(new) + {weight} * new.mean(axis=0)",
    )
    recursion = [f"new = np.empty_like({v})", f"new[0] = {v}[0]", f"for k in range(1, len({v})):"]
    if d.rng.random() < 0.3:
        return [*recursion, f"    new[k] = {weight} * new[k - 1] + np.sin({v}[k])"]
    return [f"new = {v}.copy()", f"for k in range({count}):", f"    {step}"]


FAMILIES = (
    elementwise, elementwise, broadcasting, broadcasting, outer, reductions, reductions, products, products,
    moves, moves, matrices, indexing, indexing, assignment, joining, factorisations, scans, loops,
)  # fmt: skip


# Compositions -----------------------------------------------------------------------------------------------------


class Composition:
    """A random function of one or two arrays, a point, and its source.

    Attributes
    ----------
    source : str
        The definition of ``f``.
    arguments : list of arrays
        The point.
    """

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.seed, self.rng = seed, rng
        shapes = [self.shape() for _ in range(rng.integers(1, 3))]
        self.arguments = [rng.uniform(-2, 2, shape).round(3) for shape in shapes]
        names = "xy"[: len(shapes)]
        values = dict(zip(names, self.arguments, strict=True))
        self.lines, depth = [], rng.integers(3, 9)
        for _ in range(200):
            if len(values) == len(shapes) + depth:
                break
            name = f"v{len(values) - len(shapes)}"
            try:
                drawn = FAMILIES[rng.integers(len(FAMILIES))](Draw(rng, values))
            except LookupError:
                continue
            lines = [line.replace("new", name) for line in drawn] if isinstance(drawn, list) else [f"{name} = {drawn}"]
            value = evaluated(lines, name, values)
            if value is not None:
                values[name] = value
                self.lines += lines
        self.lines.append(f"return {self.result(list(values))}")
        self.source = f"def f({', '.join(names)}):\n" + "".join(f"    {line}\n" for line in self.lines)
        space = dict(SPACE)
        exec(self.source, space)
        self.f = space["f"]

    def shape(self):
        """A shape: mostly of short axes, sometimes one or two longer ones."""
        kind = self.rng.random()
        if kind < 0.15:
            return (int(self.rng.integers(5, 12)),)
        if kind < 0.3:
            return int(self.rng.integers(3, 6)), int(self.rng.integers(2, 8))
        return tuple(int(n) for n in self.rng.integers(1, 4, self.rng.choice([0, 1, 2, 2, 3])))

    def result(self, names):
        """The last value; mostly with all others that are not used, so that no line is idle."""
        *others, last = names
        used = set(re.findall(r"\w+", " ".join(self.lines)))
        text = " ".join(line.partition("=")[2] if line.startswith("v") else line for line in self.lines)
        idle = [name for name in others if name not in set(re.findall(r"\w+", text)) and name in used | {"x", "y"}]
        if not idle or self.rng.random() < 0.3:
            return last
        return f"np.concatenate([{', '.join(f'np.ravel({name})' for name in (*idle, last))}])"

    def __str__(self):
        point = "".join(f"{n} = np.array({a.tolist()})\n" for n, a in zip("xy", self.arguments, strict=False))
        return f"# composition {self.seed}\n{self.source}{point}"


def evaluated(lines, name, values):
    """The value of some lines on plain arrays, or None if they do not give a small array of moderate numbers."""
    space = SPACE | {key: value.copy() for key, value in values.items()}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            exec("\n".join(lines), space)
    except (ValueError, IndexError, TypeError, np.linalg.LinAlgError):
        return None
    except AttributeError:  # a function that NumPy 2.0 does not have
        return None
    value = np.asarray(space[name])
    moderate = value.dtype == float and 0 < value.size <= SMALL and value.ndim <= 4 and np.all(np.abs(value) < 30)
    return value if moderate else None
