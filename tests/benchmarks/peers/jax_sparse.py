"""Sparse Jacobians with JAX: asdex, which finds the pattern, and sparsejac, which is told it."""

import numpy as np
from scipy.sparse import csr_array, diags_array

from peers.contestant import Way, csr_maker
from peers.jax_compiled import contestant, double_precision


def may_be_sparse(workload):
    """Whether the matrix has few entries, or may have."""
    return workload.form in ("csr", "diagonal", "repeated block")


def pattern_is_known(workload):
    """Whether the closed form has the pattern."""
    return workload.form in ("csr", "diagonal")


def flat_function(workload):
    """The function of a flat first argument, with a flat result, on JAX."""
    jax = double_precision()
    shape = np.shape(workload.arguments[0])

    def function(v, *others):
        result = workload.function(jax.numpy, v.reshape(shape), *others)
        return result if workload.kind == "hessian" else result.reshape(-1)

    return function


def with_flat_argument(found):
    """A contestant whose first argument is handed over flat."""
    return found._replace(place=lambda x, *others, place=found.place: place(np.ravel(x), *others))


def asdex_coloured(workload):
    """asdex: the pattern is found from the function and coloured, then all is compiled by ``jax.jit``."""
    import asdex

    double_precision()
    f = flat_function(workload)
    samples = (np.ravel(workload.arguments[0]), *map(np.asarray, workload.arguments[1:]))
    if workload.kind == "hessian":
        coloring = asdex.hessian_coloring(f, *samples)
        compressed = asdex.compressed_hessian_from_coloring(f, coloring)
    else:
        coloring = asdex.jacobian_coloring(f, *samples)
        compressed = asdex.compressed_jacobian_from_coloring(f, coloring)
    matrix = csr_maker(coloring.sparsity.rows, coloring.sparsity.cols, workload.shape)
    found = contestant(
        workload,
        lambda *arguments: asdex.decompress_data(compressed(*arguments), coloring),
        "csr",
        lambda data: matrix(np.asarray(data)),
    )
    return with_flat_argument(found)


def sparsejac_told(workload, mode):
    """sparsejac with the pattern of the closed form."""
    import sparsejac

    jax = double_precision()
    from jax.experimental import sparse

    pattern = workload.by_hand(*workload.arguments)
    pattern = csr_array(diags_array(pattern) if pattern.ndim == 1 else pattern)
    pattern.sort_indices()
    entries = pattern.tocoo()
    places = jax.numpy.asarray(np.stack([entries.row, entries.col], 1))
    told = sparse.BCOO((jax.numpy.ones(entries.nnz), places), shape=pattern.shape)
    derivative = getattr(sparsejac, mode)(flat_function(workload), told)
    matrix = csr_maker(entries.row, entries.col, pattern.shape)
    return contestant(
        workload, lambda *arguments: derivative(*arguments).data, "csr", lambda data: matrix(np.asarray(data))
    )


def sparsejac_reverse(workload):
    """``sparsejac.jacrev``."""
    return sparsejac_told(workload, "jacrev")


def sparsejac_forward(workload):
    """``sparsejac.jacfwd``."""
    return sparsejac_told(workload, "jacfwd")


ASDEX = (Way(asdex_coloured, may_be_sparse),)
SPARSEJAC = (Way(sparsejac_reverse, pattern_is_known), Way(sparsejac_forward, pattern_is_known))
