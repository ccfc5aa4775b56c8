"""PyTorch: ``torch.func``, in double precision, on all cores."""

from functools import partial

import numpy as np

from peers.contestant import Contestant, Way, apart, as_asked, form_of_array, whole, whole_jacobian


class Names:
    """PyTorch under NumPy's names, as far as the workloads use them."""

    def __init__(self):
        import torch

        self.torch = torch

    def __getattr__(self, name):
        return getattr(self.torch, {"concatenate": "cat"}.get(name, name))

    def maximum(self, x, bound):
        return self.torch.clamp(x, min=bound)


def contestant(derivative, form, numbers):
    """A derivative on tensors."""
    import torch

    def place(*arguments):
        return tuple(torch.as_tensor(np.asarray(a, dtype=float)) for a in arguments)

    return Contestant(derivative, place, numbers, form)


def full(workload, mode):
    """The full derivative: ``mode`` is the name of the transformation for Jacobians."""
    import torch

    transform = {
        "jacobian": getattr(torch.func, mode),
        "gradient": torch.func.grad,
        "several": partial(torch.func.grad, argnums=(0, 1, 2)),
        "hessian": torch.func.hessian,
    }[workload.kind]
    derivative = transform(partial(workload.function, Names()))
    return contestant(derivative, form_of_array(workload), lambda r: as_asked(workload, r))


def reverse(workload):
    """``torch.func.jacrev``, ``grad`` or ``hessian``."""
    return full(workload, "jacrev")


def forward(workload):
    """``torch.func.jacfwd``."""
    return full(workload, "jacfwd")


def mapped(workload):
    """``torch.func.vmap`` of the derivative of one entry, or of one sample: told that they do not meet."""
    import torch

    xp = Names()
    if workload.form == "diagonal":
        derivative = torch.func.vmap(torch.func.grad(partial(workload.function, xp)))
    else:

        def one(row, *others):
            return workload.function(xp, row[None], *others)[0]

        derivative = torch.func.vmap(torch.func.jacrev(one), (0, *(None for _ in workload.arguments[1:])))
    return contestant(derivative, workload.form, np.asarray)


WAYS = (Way(reverse, whole), Way(forward, whole_jacobian))
MAPPED = (Way(mapped, apart),)
