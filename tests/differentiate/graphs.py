"""Random graphs of local Jacobians of all structures, each with the full matrices that they must give."""

from typing import NamedTuple

import numpy as np
import scipy.sparse

from jacobi.expressions import Step
from jacobi.matrix import Jacobian, einstein


class Sample(NamedTuple):
    """A graph, its ends, and the full Jacobians of the output by the inputs."""

    edges: dict[int, list[tuple[int, Jacobian]]]
    output: Step
    inputs: list[Step]
    expected: list[np.ndarray]


def step(number, size):
    """A vertex."""
    return Step(None, (), {}, (), np.zeros(size), number)


def numbers(rng, *shape):
    """Small whole numbers, whose sums and products are exact in every order."""
    return rng.integers(-2, 3, size=shape).astype(float)


def dense(rng, m, n):
    return Jacobian.from_dense(numbers(rng, m, n))


def low_rank(rng, m, n):
    return einstein("i;j;ir;rj", (m,), (n,), numbers(rng, m, 2), numbers(rng, 2, n))


def sparse(rng, m, n):
    count = int(rng.integers(0, m + n))
    at = rng.integers(0, m, count), rng.integers(0, n, count)
    return Jacobian.from_sparse(scipy.sparse.coo_array((numbers(rng, count), at), shape=(m, n)))


def ones(rng, m, n):
    return einstein("i;j", (m,), (n,), coefficient=float(rng.integers(1, 4)))


def zero(rng, m, n):
    return Jacobian.zero(m, n)


def diagonal(rng, m, n):
    return Jacobian.from_diagonal(numbers(rng, m))


def identity(rng, m, n):
    return Jacobian.identity(m)


def shifted(rng, m, n):
    """The identity, and a diagonal beside it."""
    return Jacobian.identity(m) + einstein("i;j;i;j", (m,), (n,), numbers(rng, m), numbers(rng, n))


def kronecker(rng, m, n):
    a, b = (next(k for k in (3, 2, 1) if size % k == 0) for size in (m, n))
    return Jacobian.kron(numbers(rng, a, b), numbers(rng, m // a, n // b))


ANY = (dense, dense, low_rank, sparse, ones, kronecker, zero)
SQUARE = (diagonal, diagonal, identity, shifted)


def local(rng, m, n):
    """A Jacobian of any structure that fits between two spaces."""
    makers = (*ANY, *SQUARE, *SQUARE) if m == n else ANY
    return makers[rng.integers(len(makers))](rng, m, n)


def graph(rng, inner=8, inputs=2, sizes=(1, 2, 6, 6, 6, 9, 12)):
    """A graph with some vertices that lead nowhere, and several edges between the same two at times."""
    count = inputs + int(rng.integers(0, inner + 1)) + 1
    steps = [step(number, int(rng.choice(sizes))) for number in range(count)]
    totals = [{k: np.eye(steps[k].value.size)} for k in range(inputs)]
    edges = {}
    for vertex in steps[inputs:]:
        total = {}
        edges[vertex.number] = []
        for operand in rng.integers(0, vertex.number, int(rng.integers(1, 4))):
            m, n = vertex.value.size, steps[operand].value.size
            J = local(rng, m, n)
            if J.terms:
                edges[vertex.number].append((int(operand), J))
                for k, inner_total in totals[operand].items():
                    total[k] = total.get(k, 0) + J.toarray() @ inner_total
        totals.append(total)
    output = steps[-1]
    expected = [totals[-1].get(k, np.zeros((output.value.size, steps[k].value.size))) for k in range(inputs)]
    return Sample(dict(reversed(edges.items())), output, steps[:inputs], expected)


def chain(*sizes):
    """A chain of full matrices without numbers, from the output to the input: a single one stands for all entries."""
    last = len(sizes) - 1
    edges = {
        last - k: [(last - k - 1, Jacobian.from_dense(np.broadcast_to(1.0, sizes[k : k + 2])))] for k in range(last)
    }
    return edges, step(last, sizes[0]), [step(0, sizes[-1])]
