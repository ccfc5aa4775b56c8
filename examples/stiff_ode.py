"""A stiff differential equation: the Brusselator with diffusion, solved with and without an exact Jacobian.

``u_t = 1 + u^2 v - 4 u + a u_xx``, ``v_t = 3 u - u^2 v + a v_xx``: two chemicals that oscillate while they diffuse (E.
Hairer and G. Wanner, "Solving Ordinary Differential Equations II", section IV.10).  Implicit methods solve linear
systems with the Jacobian.  SciPy estimates it by differences unless it is given.

Run it with ``python examples/stiff_ode.py``.
"""

import time

import numpy as np
from scipy.integrate import solve_ivp

import jacobi as jb

N = 60
DIFFUSION = 0.02 * (N + 1) ** 2


def brusselator(t, y):
    """The right-hand side; the two chemicals alternate in ``y``, (2 N,)."""
    u, v = y[0::2], y[1::2]
    wide_u = np.concatenate([[1.0], u, [1.0]])
    wide_v = np.concatenate([[3.0], v, [3.0]])
    reaction = u**2 * v
    slope = np.zeros_like(y)
    slope[0::2] = 1 + reaction - 4 * u + DIFFUSION * (wide_u[2:] - 2 * u + wide_u[:-2])
    slope[1::2] = 3 * u - reaction + DIFFUSION * (wide_v[2:] - 2 * v + wide_v[:-2])
    return slope


def by_hand(t, y):
    """The Jacobian as somebody might write it, with one slip: the chemicals are mixed up beside the diagonal."""
    u, v = y[0::2], y[1::2]
    J = np.zeros((y.size, y.size))
    even, odd = np.arange(0, y.size, 2), np.arange(1, y.size, 2)
    J[even, even] = 2 * u * v - 4 - 2 * DIFFUSION
    J[odd, even] = u**2
    J[even, odd] = 3 - 2 * u * v
    J[odd, odd] = -(u**2) - 2 * DIFFUSION
    J[even[1:], even[:-1]] = J[even[:-1], even[1:]] = DIFFUSION
    J[odd[1:], odd[:-1]] = J[odd[:-1], odd[1:]] = DIFFUSION
    return J


class Counted:
    """A function that counts its calls; SciPy does not count those for its differences."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args):
        self.calls += np.shape(args[1])[1] if np.ndim(args[1]) == 2 else 1
        return self.function(*args)


def start():
    """The chemicals at time 0."""
    x = np.arange(1, N + 1) / (N + 1)
    y = np.empty(2 * N)
    y[0::2], y[1::2] = 1 + np.sin(2 * np.pi * x), 3.0
    return y


def main():
    """Print what each way costs and how exact it is."""
    y = start()
    traced = jb.jacobian(brusselator, 1, format="csc")
    end = solve_ivp(brusselator, (0, 5), y, method="Radau", rtol=1e-9, atol=1e-11, jac=traced).y[:, -1]
    J = jb.jacobian(brusselator, 1)(0.0, y)
    print(
        f"Brusselator with diffusion: {y.size} unknowns, time 0 to 5; the Jacobian is {J.structure}, "
        f"{J.tocsr().nnz} of {y.size**2} entries\n"
    )
    ways = {
        "differences": {},
        "differences, pattern given": {"jac_sparsity": J.tocsr()},
        "jb.jacobian": {"jac": traced},
    }
    print(f"   {'Jacobian':<28} {'seconds':>8} {'calls of f':>11} {'largest error':>14}")
    for name, options in ways.items():
        counted = Counted(brusselator)
        began = time.perf_counter()
        found = solve_ivp(counted, (0, 5), y, method="BDF", rtol=1e-6, atol=1e-8, **options)
        took = time.perf_counter() - began
        error = np.abs(found.y[:, -1] - end).max()
        print(f"   {name:<28} {took:>8.3f} {counted.calls:>11} {error:>14.1e}")
    print("\nA Jacobian by hand, guarded:")
    try:
        solve_ivp(brusselator, (0, 5), y, method="BDF", jac=jb.for_scipy(brusselator, by_hand, argnum=1))
    except jb.errors.JacobiError as refused:
        report = refused.report
        print(f"   {report.verdict}, before the first step: {report.explanation}")


if __name__ == "__main__":
    main()
