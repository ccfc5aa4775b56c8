"""A curve fitted to measurements, with the uncertainty of its parameters from the Jacobian at the solution.

The data are "Misra1a" of the Statistical Reference Datasets of NIST: dental research on monomolecular adsorption
(D. Misra, 1978), ``volume = b1 (1 - exp(-b2 pressure))``.  NIST certifies the estimates and their standard
deviations to eleven digits, https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml.

Run it with ``python examples/curve_fit.py``.
"""

import numpy as np
from scipy.optimize import least_squares

import jacobi as jb

PRESSURE = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
VOLUME = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
CERTIFIED = np.array([2.3894212918e02, 5.5015643181e-04])
CERTIFIED_DEVIATION = np.array([2.7070075241e00, 7.2668688436e-06])
FAR_START = np.array([500.0, 0.0001])  # NIST's, meant to be difficult


def curve(b, pressure):
    """The adsorbed volume."""
    return b[0] * (1 - np.exp(-b[1] * pressure))


def residual(b):
    """Model minus measurement."""
    return curve(b, PRESSURE) - VOLUME


def by_hand(b):
    """The Jacobian of the residual, by hand."""
    decay = np.exp(-b[1] * PRESSURE)
    return np.stack([1 - decay, b[0] * PRESSURE * decay], axis=1)


def fitted():
    """The estimates and their covariance ``s^2 (J^T J)^-1``."""
    guarded = jb.for_scipy(residual, by_hand)
    found = least_squares(residual, FAR_START, guarded, x_scale="jac", method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
    J = jb.jacobian(residual)(found.x).toarray()
    R = np.linalg.qr(J, mode="r")  # J^T J = R^T R, without squaring the condition of J
    inverse = np.linalg.inv(R)
    variance = found.fun @ found.fun / (VOLUME.size - found.x.size)
    return found, variance * inverse @ inverse.T


def digits(found, certified):
    """How many digits agree."""
    return float(np.min(-np.log10(np.abs(found - certified) / np.abs(certified) + 1e-16)))


def main():
    """Print the fit, its uncertainty, and the band around the curve."""
    found, covariance = fitted()
    deviation = np.sqrt(np.diag(covariance))
    print("Misra1a (NIST): volume = b1 (1 - exp(-b2 pressure)), 14 measurements")
    print(f"   started at b1 = {FAR_START[0]:g}, b2 = {FAR_START[1]:g}; {found.nfev} calls\n")
    print(f"   {'':4} {'estimate':>18} {'certified':>18} {'deviation':>14} {'certified':>14}")
    for k in range(2):
        print(
            f"   b{k + 1:<3} {found.x[k]:>18.10e} {CERTIFIED[k]:>18.10e} "
            f"{deviation[k]:>14.6e} {CERTIFIED_DEVIATION[k]:>14.6e}"
        )
    print(
        f"   digits that agree: {digits(found.x, CERTIFIED):.1f} of the estimates, "
        f"{digits(deviation, CERTIFIED_DEVIATION):.1f} of the deviations"
    )
    print(f"   correlation of b1 and b2: {covariance[0, 1] / deviation.prod():.4f}\n")

    ahead = np.array([100.0, 400.0, 760.0, 1000.0, 2000.0])
    volume, spread = jb.propagate(lambda b: curve(b, ahead), found.x, covariance)
    _, without = jb.propagate(lambda b: curve(b, ahead), found.x, deviation**2)
    print("The curve with its standard deviation; the last column forgets the correlation")
    for p, v, s, t in zip(ahead, volume, np.sqrt(np.diag(spread)), np.sqrt(np.diag(without)), strict=True):
        print(f"   pressure {p:6.0f}   volume {v:8.3f} +- {s:6.3f}   (+- {t:6.3f})")


if __name__ == "__main__":
    main()
