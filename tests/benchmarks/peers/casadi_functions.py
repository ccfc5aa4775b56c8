"""CasADi: its ``Function`` with sparse results, called through buffers, and as C code compiled by gcc."""

import subprocess
from shutil import which
from tempfile import TemporaryDirectory

import numpy as np
from scipy.sparse import csr_array

from peers.contestant import Contestant, Way, as_asked, entries, form_of_array

MOST_SYMBOLS = 4_000  # entries of matrices that become symbols of their own
MOST_ENTRIES = 100_000  # of a full result of symbols
MOST_IN_A_JACOBIAN, MOST_IN_A_HESSIAN = 4_000_000, 200_000  # entries: the symbolic work grows faster than these
MOST_IN_C = 400  # numbers in the arguments of C code
SPARSE = ("csr", "diagonal", "blocks", "repeated block")  # forms that a csr array is the nearest thing to


def symbols(workload, kind):
    """A flat symbol for the first argument and symbols for the others, and all as arrays."""
    from peers.casadi_arrays import Array

    first, *others = map(np.shape, workload.arguments)
    x = kind.sym("x", int(np.prod(first, dtype=int)))
    named = [x, *(kind.sym(f"a{k}", *(shape or (1, 1))) for k, shape in enumerate(others))]
    arrays = [Array(x, (x.numel(),)).reshape(*first) if len(first) > 1 else Array(x, first)]
    return named, arrays + [Array(a, shape) for a, shape in zip(named[1:], others, strict=True)]


def function_of(workload, kind):
    """A CasADi function whose result has its entries in the order of a C array, or of csr, and its form."""
    import casadi

    from peers.casadi_arrays import NAMES

    named, arrays = symbols(workload, kind)
    value = workload.function(NAMES, *arrays)
    if workload.kind == "several":
        derivative = casadi.jacobian(value.value, casadi.vertcat(*named))
    elif workload.kind == "gradient":
        derivative = casadi.gradient(value.value, named[0]).T
    elif workload.kind == "hessian":
        derivative = casadi.hessian(value.value, named[0])[0]
    else:
        derivative = casadi.jacobian(value.reshape(-1).value if value.shape else value.value, named[0])
    ordered = derivative.T  # CasADi stores columns
    form = "csr" if workload.form in SPARSE else form_of_array(workload)
    return casadi.Function("derivative", named, [ordered if form == "csr" else casadi.densify(ordered)]), form


def contestant(workload, function, form):
    """A function of CasADi, called through buffers: nothing is copied."""
    buffer, evaluate = function.buffer()
    out = np.empty(function.nnz_out(0))
    buffer.set_res(0, memoryview(out))
    held = []

    def place(*arguments):
        held[:] = [np.ravel(np.asarray(a, dtype=float), order="F" if k else "C") for k, a in enumerate(arguments)]
        held[:] = [np.ascontiguousarray(a) for a in held]
        for k, a in enumerate(held):
            buffer.set_arg(k, memoryview(a))
        return ()

    def call():
        evaluate()
        return out

    sparsity = function.sparsity_out(0)

    def numbers(data):
        if form != "csr":
            return as_asked(workload, data)
        matrix = csr_array((data.copy(), sparsity.row(), sparsity.colind()), shape=workload.shape)
        if workload.form != "blocks":
            return matrix
        samples = len(workload.arguments[0])
        return matrix.tobsr(tuple(n // samples for n in workload.shape)).data

    return Contestant(call, place, numbers, form)


def scalars(workload):
    """One symbol for every number."""
    import casadi

    return contestant(workload, *function_of(workload, casadi.SX))


def matrices(workload):
    """One symbol for every array."""
    import casadi

    return contestant(workload, *function_of(workload, casadi.MX))


def c_code(workload):
    """The function of scalars as C code, compiled with ``gcc -O3``."""
    import casadi

    function, form = function_of(workload, casadi.SX)
    writer = casadi.CodeGenerator("derivative.c")
    writer.add(function)
    options = ["-O3", "-march=native", "-fPIC", "-shared"]
    with TemporaryDirectory() as folder:
        writer.generate(f"{folder}/")
        subprocess.run(["gcc", *options, "derivative.c", "-o", "derivative.so", "-lm"], cwd=folder, check=True)
        return contestant(workload, casadi.external("derivative", f"{folder}/derivative.so"), form)


def few_symbols(workload):
    """Whether every number may be a symbol."""
    few = np.ndim(workload.arguments[0]) < 2 and sum(np.size(a) for a in workload.arguments[1:]) <= MOST_SYMBOLS
    return few and (workload.form in ("csr", "diagonal") or entries(workload) <= MOST_ENTRIES)


def sparse_or_small(workload):
    """Whether the result is sparse, or can be held nevertheless."""
    most = MOST_IN_A_HESSIAN if workload.kind == "hessian" else MOST_IN_A_JACOBIAN
    return workload.form in ("csr", "diagonal", "blocks") or entries(workload) <= most


def short(workload):
    """Whether the C code is short enough for a compiler."""
    return which("gcc") is not None and sum(np.size(a) for a in workload.arguments) <= MOST_IN_C


WAYS = (Way(matrices, sparse_or_small), Way(scalars, few_symbols))
IN_C = (Way(c_code, short),)
