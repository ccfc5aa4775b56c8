"""Newton's method on the Bratu problem, with a sparse Jacobian that nobody wrote down.

``-(u_xx + u_yy) = p exp(u)`` on the unit square with ``u = 0`` on its border describes ignition: heat is made faster
than it flows away when ``p`` exceeds about 6.81, and no solution is left.  The residual below is five slices of
NumPy; its Jacobian comes out with five entries in a row, and SciPy factors it.

Run it with ``python examples/newton_on_bratu.py``.
"""

import time

import numpy as np
from scipy.sparse.linalg import splu

import jacobi as jb

N = 48  # inner points along each side


def residual(u, p):
    """What is left of the equation at the inner points, (N, N)."""
    padded = np.zeros_like(u, shape=(N + 2, N + 2))
    padded[1:-1, 1:-1] = u
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return (N + 1) ** 2 * (4 * u - around) - p * np.exp(u)


def newton(u, p, steps=15, small=1e-9):
    """The solution near ``u`` with the norms of the residual on the way."""
    value_and_jacobian = jb.value_and_jacobian(residual, format="csc")
    norms = []
    for _ in range(steps):
        r, J = value_and_jacobian(u, p)
        norms.append(float(np.abs(r).max()))
        if norms[-1] < small:
            break
        u = u - splu(J).solve(r.ravel()).reshape(u.shape)
    return u, norms


@jb.implicit(residual)
def solution(p):
    """The lower solution for a heating ``p``; differentiated by the implicit function theorem."""
    return newton(np.zeros((N, N)), p)[0]


def hottest(p):
    """The temperature in the middle."""
    return np.max(solution(p))


def main():
    """Print how Newton's method converges and how near ignition is."""
    u = np.zeros((N, N))
    start = time.perf_counter()
    J = jb.jacobian(residual)(u, 1.0)
    took = time.perf_counter() - start
    print(f"Bratu's problem on {N} x {N} points: {u.size} unknowns")
    print(f"1. The Jacobian: {J.structure}, {J.tocsr().nnz} entries, {1e3 * took:.1f} ms")
    print(f"   as a full matrix it would take {u.size**2 * 8 / 2**20:.0f} MiB")
    v = np.random.default_rng(0).normal(size=u.shape)
    h = 1e-6
    differences = (residual(u + h * v, 1.0) - residual(u - h * v, 1.0)) / (2 * h)
    apart = np.abs(J @ v.ravel() - differences.ravel()).max() / np.abs(differences).max()
    print(f"   J v against differences: {apart:.0e}\n")

    print("2. Newton's method at p = 6: the residual is squared in every step")
    u, norms = newton(u, 6.0)
    for step, norm in enumerate(norms):
        print(f"   step {step}   |r| = {norm:.1e}")
    print(f"   hottest point: {u.max():.6f}\n")

    print("3. How it answers to heating, by the implicit function theorem")
    print("      p    max u    d(max u)/dp   by differences")
    slopes = []
    for p in (1.0, 4.0, 6.0, 6.7):
        slope = float(jb.gradient(hottest)(p))
        differences = (hottest(p + 1e-4) - hottest(p - 1e-4)) / 2e-4
        slopes.append((p, slope))
        print(f"   {p:4.1f}  {hottest(p):7.4f}  {slope:12.6f}  {differences:12.6f}")
    # Near a fold at P the slope grows like 1/sqrt(P - p): two slopes tell P.
    (p, s), (q, t) = slopes[-2:]
    print(f"   the slope grows without bound: it points to ignition at p = {(t**2 * q - s**2 * p) / (t**2 - s**2):.2f}")


if __name__ == "__main__":
    main()
