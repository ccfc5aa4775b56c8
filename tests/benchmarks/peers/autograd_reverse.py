"""HIPS autograd: reverse mode on NumPy."""

from importlib import import_module

import numpy as np

from peers.contestant import Contestant, Way, as_asked, form_of_array, whole


def autograd_reverse(workload):
    """``autograd.jacobian``, ``grad`` and ``hessian``."""
    import autograd

    xp = import_module("autograd.numpy")
    transform = {
        "jacobian": autograd.jacobian,
        "gradient": autograd.grad,
        "several": lambda f: autograd.grad(f, (0, 1, 2)),
        "hessian": autograd.hessian,
    }[workload.kind]
    derivative = transform(lambda *arguments: workload.function(xp, *arguments))
    return Contestant(
        derivative,
        lambda *arguments: arguments,
        lambda result: as_asked(workload, np.asarray(result)),
        form_of_array(workload),
    )


WAYS = (Way(autograd_reverse, whole),)
