"""Other systems, on the same functions: what is not installed is left out.

Every adapter takes a workload and gives a function of its arguments, or None where the system cannot do it.  None of
them is told the structure of the Jacobian, so a result of more than `LARGEST` entries is not asked for.
"""

from importlib import import_module
from importlib.util import find_spec

import numpy as np

LARGEST = 4_000_000  # entries of a full result


def scipy_differences(workload):
    """Forward differences by ``scipy.optimize.approx_fprime``."""
    from scipy.optimize import approx_fprime

    if workload.kind not in ("jacobian", "gradient"):
        return None

    def derivative(x, *others):
        def flat(v):
            return np.ravel(workload.plain(v.reshape(np.shape(x)), *others))

        found = approx_fprime(np.ravel(x), flat)
        return found.reshape(np.shape(x)) if workload.kind == "gradient" else found

    return derivative


def numdifftools_differences(workload):
    """Extrapolated differences by numdifftools."""
    import numdifftools

    if workload.kind != "jacobian":
        return None
    return lambda x, *others: numdifftools.Jacobian(lambda v: workload.plain(v, *others))(x)


def autograd_reverse(workload):
    """Reverse mode by HIPS autograd."""
    import autograd

    xp = import_module("autograd.numpy")
    transform = {"jacobian": autograd.jacobian, "gradient": autograd.grad, "hessian": autograd.hessian}
    if workload.kind not in transform:
        return None
    return transform[workload.kind](lambda *arguments: workload.function(xp, *arguments))


def jax_jit(workload):
    """JAX, compiled; in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    transform = {"jacobian": jax.jacrev, "gradient": jax.grad, "hessian": jax.hessian}
    if workload.kind not in transform:
        return None
    compiled = jax.jit(transform[workload.kind](lambda *arguments: workload.function(jax.numpy, *arguments)))
    arguments = tuple(map(jax.numpy.asarray, workload.arguments))

    def derivative(*_):  # the arrays are on the device already
        return compiled(*arguments).block_until_ready()

    return derivative


class TorchNames:
    """PyTorch under NumPy's names, as far as the workloads use them."""

    def __init__(self):
        import torch

        self.torch = torch

    def __getattr__(self, name):
        return getattr(self.torch, {"concatenate": "cat"}.get(name, name))

    def maximum(self, x, bound):
        return self.torch.clamp(x, min=bound)

    def roll(self, x, shift, axis):
        return self.torch.roll(x, shift, axis)


def torch_func(workload):
    """``torch.func``."""
    import torch

    transform = {"jacobian": torch.func.jacrev, "gradient": torch.func.grad, "hessian": torch.func.hessian}
    if workload.kind not in transform:
        return None
    xp = TorchNames()
    found = transform[workload.kind](lambda *arguments: workload.function(xp, *arguments))
    arguments = tuple(torch.as_tensor(np.asarray(a)) for a in workload.arguments)
    return lambda *_: found(*arguments).numpy()


ADAPTERS = {
    "SciPy differences": ("scipy", scipy_differences, 1e-2),
    "numdifftools": ("numdifftools", numdifftools_differences, 1e-6),
    "autograd": ("autograd", autograd_reverse, 1e-8),
    "JAX": ("jax", jax_jit, 1e-8),
    "PyTorch": ("torch", torch_func, 1e-8),
}


def peers(workload):
    """The installed systems that can do a workload: name, function and tolerance."""
    size = np.size(workload.arguments[0])
    rows = {"jacobian": np.size(workload.plain(*workload.arguments)), "gradient": 1, "hessian": size}
    if rows.get(workload.kind, np.inf) * size > LARGEST:
        return []
    found = []
    for name, (module, adapter, tolerance) in ADAPTERS.items():
        derivative = adapter(workload) if find_spec(module) else None
        if derivative is not None:
            found.append((name, derivative, tolerance))
    return found
