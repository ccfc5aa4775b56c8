"""Uncertain measurements carried through formulas: by the Jacobian, and by drawing a hundred thousand samples.

Run it with ``python examples/error_propagation.py``.
"""

import time

import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse import block_diag, csr_array

import jacobi as jb

SAMPLES = 100_000


def gravity(length, period):
    """The acceleration of gravity from a pendulum."""
    return 4 * np.pi**2 * length / period**2


def polar(p):
    """Distance and bearing of points seen from the origin, ``p`` of shape (points, 2)."""
    return np.stack([np.hypot(p[:, 0], p[:, 1]), np.arctan2(p[:, 1], p[:, 0])], axis=1)


def range_of_a_throw(v):
    """Where a ball with air resistance lands; the solver is opaque, so its derivative is numerical."""

    def fall(t, s):
        speed = np.hypot(s[2], s[3])
        return [s[2], s[3], -0.01 * speed * s[2], -9.81 - 0.01 * speed * s[3]]

    def ground(t, s):
        return s[1] + 1e-9

    ground.terminal, ground.direction = True, -1
    speed, angle = v
    start = [0.0, 0.0, speed * np.cos(angle), speed * np.sin(angle)]
    return solve_ivp(fall, (0, 20), start, events=ground, rtol=1e-10, atol=1e-10).y[0, -1]


def main():
    """Print four propagations."""
    rng = np.random.default_rng(0)
    print("1. Two independent measurements: a pendulum of 1.000(2) m, period 2.006(4) s")
    g, variance = jb.propagate(gravity, 1.000, 0.002**2, 2.006, 0.004**2)
    samples = gravity(rng.normal(1.000, 0.002, SAMPLES), rng.normal(2.006, 0.004, SAMPLES))
    print(f"   g = {g:.3f} +- {np.sqrt(variance):.3f} m/s^2   (samples: {samples.mean():.3f} +- {samples.std():.3f})\n")

    print("2. Correlated coordinates, turned to distance and bearing: the blocks stay blocks")
    points = np.array([[3.0, 4.0], [-1.0, 2.0], [5.0, 0.5]])
    block = np.array([[0.04, 0.018], [0.018, 0.01]])
    seen, spread = jb.propagate(polar, points, block_diag([csr_array(block)] * 3, format="csr"))
    drawn = np.random.default_rng(1).multivariate_normal(np.zeros(2), block, (SAMPLES, 3))
    sampled = polar((points + drawn).reshape(-1, 2)).reshape(-1, 3, 2).std(axis=0)
    for (r, a), (dr, da), (sr, sa) in zip(seen, np.sqrt(spread.diagonal()).reshape(3, 2), sampled, strict=True):
        print(f"   r = {r:.3f} +- {dr:.3f}   bearing = {a:+.3f} +- {da:.3f}   (samples: {sr:.3f}, {sa:.3f})")
    print(f"   {spread.nnz} numbers are kept of {6 * 6}\n")

    print("3. A million readings, calibrated one by one, then their increments")
    raw = np.linspace(0.1, 2.0, 1_000_000)
    began = time.perf_counter()
    volts, variances = jb.propagate(lambda x: 1.2 * np.log1p(x) + 0.03 * x**2, raw, np.full(raw.size, 1e-4))
    took = time.perf_counter() - began
    _, increments = jb.propagate(np.diff, volts, jb.Jacobian.from_diagonal(variances))
    print(
        f"   variances in, variances out: {variances.shape} in {took:.2f} s; the full matrix would take "
        f"{raw.size**2 * 8 / 1e12:.0f} TB"
    )
    print(
        f"   the covariance of increments is {increments.structure}: neighbours share a reading, correlation "
        f"{increments.rows(500_000)[0, 500_001] / increments.diagonal()[500_000]:.2f}\n"
    )

    print("4. An opaque function: a throw of 25(0.5) m/s at 0.70(0.02) rad, with air resistance")
    began = time.perf_counter()
    landing, variance = jb.propagate(range_of_a_throw, [25.0, 0.70], [0.5**2, 0.02**2])
    took = time.perf_counter() - began
    tries = [range_of_a_throw(v) for v in rng.normal([25.0, 0.70], [0.5, 0.02], (50, 2))]
    print(
        f"   it lands at {landing:.2f} +- {np.sqrt(variance):.2f} m, {took:.2f} s   "
        f"(50 samples: +- {np.std(tries, ddof=1):.2f} m)"
    )


if __name__ == "__main__":
    main()
