"""The workloads of the benchmarks.

A function takes the array library as its first argument, so that every contestant runs the same code.  By hand means:
the closed form as somebody would write it who knows the structure, with index patterns made beforehand.
"""

from functools import partial

import matrices
import networks
import numpy as np
import stencils
from workload import Workload, nbytes, products

import jacobi as jb

CSR, ARRAY = partial(jb.jacobian, format="csr"), partial(jb.jacobian, format="array")
MILLION = 1_000_000


def blocks_of(f):
    """The Jacobian of every sample: a stack of blocks."""
    J = jb.jacobian(f)
    return lambda z, *others: J(z, *others).blocks()


def tiny():
    """Functions of a few numbers."""
    yield Workload("polynomial of two numbers", "2", matrices.polynomial, ARRAY, matrices.polynomial_by_hand,
                   (np.array([1.2, 0.7]),), compiled_target=2)  # fmt: skip
    yield Workload("staged function", "1", matrices.staged, jb.gradient, matrices.staged_by_hand, (1.3,), "gradient",
                   compiled_target=1.5)  # fmt: skip
    yield Workload("(x + y) z", "1", matrices.product, partial(jb.gradient, argnums=(0, 1, 2)),
                   lambda x, y, z: (z, z, x + y), (1.3, 0.2, 0.7), "several", compiled_target=1.5)  # fmt: skip


def growing(rng):
    """An elementwise function and stencils, of 10 to a million numbers."""
    for n in (10, 100, 1_000, 10_000, 100_000, MILLION):
        yield Workload("elementwise", f"{n:,}", stencils.wave, jb.jacobian, stencils.wave_by_hand,
                       (rng.normal(size=n),), "jacobian", "diagonal", products,
                       0.55 if n == MILLION else 1.3 if n > 10_000 else 2, 5 if n == MILLION else None,
                       lead=n >= 1_000)  # fmt: skip
    for n in (100, 1_000, 10_000, 100_000, MILLION):
        limits = {"compiled_target": 1.3 if n > 1_000 else 2, "traced_target": 5 if n == MILLION else None}
        form = {"form": "csr", "numbers": products, "lead": n >= 10_000, **limits}
        x = rng.normal(size=n)
        yield Workload("Broyden tridiagonal, csr", f"{n:,}", stencils.broyden, CSR, stencils.broyden_by_hand(n), (x,),
                       **form)  # fmt: skip
        yield Workload("Burgers, csr", f"{n:,}", stencils.burgers, CSR, stencils.burgers_by_hand(n), (x,), **form)
    for n in (10, 32, 100, 225, 700):
        yield Workload("Brusselator, csr", f"2 x {n} x {n}", stencils.brusselator(n), CSR,
                       stencils.brusselator_by_hand(n), (rng.uniform(0.5, 2, 2 * n * n),), "jacobian", "csr", products,
                       1.3 if n > 10 else 2, 5 if n == 700 else None, lead=n >= 100)  # fmt: skip


def networks_of_layers(rng):
    """Losses and layers."""
    for n in (100, 10_000, 200_000):
        arguments = (rng.normal(size=100), 0.1, rng.normal(size=(n, 100)), rng.normal(size=n))
        yield Workload("neuron, gradient", f"{n:,} x 100", networks.neuron, jb.gradient, networks.neuron_by_hand,
                       arguments, "gradient", compiled_target=1.3 if n > 100 else 2,
                       traced_target=5 if n == 200_000 else None, lead=n >= 10_000)  # fmt: skip
    for n in (10, 100, 1_000):
        weights = [rng.normal(size=(n, n)) / n**0.5 for _ in range(3)]
        yield Workload("dense network", f"{n:,}", networks.network, ARRAY, networks.network_by_hand,
                       (rng.normal(size=n), *weights), compiled_target=1.3 if n > 10 else 2,
                       lead=n >= 100)  # fmt: skip
    n, narrow = 1_000, 16
    weights = [rng.normal(size=shape) / 30 for shape in ((n, n), (narrow, n), (n, narrow), (n, n))]
    yield Workload("network with a bottleneck", "1000-1000-16-1000-1000", networks.network, ARRAY,
                   networks.bottleneck_by_hand, (rng.normal(size=n), *weights), lead=True)  # fmt: skip
    for n in (100, 1_000):
        weights = [rng.normal(size=(n, n)) for _ in range(2)]
        yield Workload("rectified network", f"{n:,}", networks.rectified, ARRAY, networks.rectified_by_hand,
                       (rng.normal(size=n), *weights), lead=True)  # fmt: skip
    yield Workload("softmax per sample, blocks", "2,000 x 10", networks.softmax, blocks_of, networks.softmax_by_hand,
                   (rng.normal(size=(2_000, 10)),), "samples", "blocks", lead=True)  # fmt: skip
    batch, V, W = rng.normal(size=(1_000, 20)), rng.normal(size=(20, 20)) / 4, rng.normal(size=(20, 10)) / 4
    yield Workload("layers per sample, blocks", "1,000 x 20-20-10", networks.layers, blocks_of,
                   networks.layers_by_hand, (batch, V, W), "samples", "blocks", lead=True)  # fmt: skip


def functions_of_matrices(rng):
    """Derivatives by a matrix."""
    yield Workload("W x by W, block kept", "300 x 300", matrices.product_with_vector, jb.jacobian, None,
                   (rng.normal(size=(300, 300)), rng.normal(size=300)), "jacobian", "repeated block", products,
                   lead=True)  # fmt: skip
    for n in (60, 300):
        X, A, B = (rng.normal(size=(n, n)) for _ in range(3))
        yield Workload("A X B by X, factors kept", f"{n}", matrices.sandwich, jb.jacobian, None, (X, A, B), "jacobian",
                       "factors", products, lead=True)  # fmt: skip
    X, A, B = (rng.normal(size=(60, 60)) for _ in range(3))
    yield Workload("A X B by X, dense", "60", matrices.sandwich, ARRAY, lambda X, A, B: np.kron(A, B.T), (X, A, B),
                   "jacobian", numbers=products)  # fmt: skip
    for n in (60, 300):
        X = n * np.eye(n) + rng.normal(size=(n, n))
        yield Workload("log det, gradient", f"{n}", matrices.log_det, jb.gradient, matrices.inverse_gradient, (X,),
                       "gradient", lead=True)  # fmt: skip


def hessians(rng):
    """Second derivatives."""
    for n in (30, 300, 1_000):
        arguments = (rng.normal(size=n) / n, rng.normal(size=(2 * n, n)), np.sign(rng.normal(size=2 * n)))
        yield Workload("logistic regression, Hessian", f"{n:,}", matrices.logistic, jb.hessian,
                       matrices.logistic_by_hand, arguments, "hessian", numbers=products,
                       compiled_target=1.3 if n > 30 else 2, lead=True)  # fmt: skip
    yield Workload("quadratic form, Hessian", "1,000", matrices.quadratic, jb.hessian, lambda x, Q: Q + Q.T,
                   (rng.normal(size=1_000), rng.normal(size=(1_000, 1_000))), "hessian", numbers=products,
                   lead=True)  # fmt: skip
    U, V = rng.normal(size=(50, 5)), rng.normal(size=(60, 5))
    yield Workload("matrix factorisation, Hessian", "50 x 60, rank 5", matrices.factorisation, jb.hessian,
                   matrices.factorisation_by_hand, (U, V, rng.normal(size=(50, 60))), "hessian", "repeated block",
                   products, lead=True)  # fmt: skip
    arguments = [rng.normal(size=shape) for shape in (50, (50, 50), (50, 50), 50)]
    yield Workload("rectified network, Hessian", "50", networks.rectified_loss, jb.hessian,
                   networks.rectified_loss_by_hand, tuple(arguments), "hessian", numbers=products, compiled_target=2,
                   lead=True)  # fmt: skip


def workloads(largest: bool = True) -> list[Workload]:
    """All workloads; the largest sizes can be left out."""
    rng = np.random.default_rng(0)
    result = [*tiny(), *growing(rng), *networks_of_layers(rng), *functions_of_matrices(rng), *hessians(rng)]
    return result if largest else [w for w in result if nbytes(w.arguments) < 2_000_000]
