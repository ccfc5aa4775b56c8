"""JAX: compiled by XLA, in double precision, with arguments on the device and results left there."""

from functools import cache, partial

import numpy as np

from peers.contestant import Contestant, Way, apart, as_asked, form_of_array, whole, whole_jacobian


@cache
def double_precision():
    """JAX, told to compute in double precision, and started."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.jit(jax.numpy.sin)(1.0)
    return jax


def finished(function, *arguments):
    """The result of a function on the device, waited for."""
    import jax

    return jax.block_until_ready(function(*arguments))


def contestant(workload, derivative, form, numbers):
    """A compiled derivative."""
    jax = double_precision()
    return Contestant(
        partial(finished, jax.jit(derivative)),
        lambda *arguments: tuple(jax.block_until_ready(jax.numpy.asarray(a, dtype=float)) for a in arguments),
        numbers,
        form,
    )


def full(workload, mode):
    """The full derivative: ``mode`` is the name of the transformation for Jacobians."""
    jax = double_precision()
    transform = {
        "jacobian": getattr(jax, mode),
        "gradient": jax.grad,
        "several": partial(jax.grad, argnums=(0, 1, 2)),
        "hessian": jax.hessian,
    }[workload.kind]
    derivative = transform(lambda *arguments: workload.function(jax.numpy, *arguments))
    return contestant(workload, derivative, form_of_array(workload), lambda r: as_asked(workload, np.asarray(r)))


def reverse(workload):
    """``jax.jit(jax.jacrev(f))``, ``grad`` or ``hessian``."""
    return full(workload, "jacrev")


def forward(workload):
    """``jax.jit(jax.jacfwd(f))``."""
    return full(workload, "jacfwd")


def mapped(workload):
    """``jax.vmap`` of the derivative of one entry, or of one sample: told that they do not meet."""
    jax = double_precision()
    if workload.form == "diagonal":
        derivative = jax.vmap(jax.grad(partial(workload.function, jax.numpy)))
    else:

        def one(row, *others):
            return workload.function(jax.numpy, row[None], *others)[0]

        derivative = jax.vmap(jax.jacrev(one), (0, *(None for _ in workload.arguments[1:])))
    return contestant(workload, derivative, workload.form, np.asarray)


WAYS = (Way(reverse, whole), Way(forward, whole_jacobian))
MAPPED = (Way(mapped, apart),)
