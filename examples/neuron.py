"""The affine-ReLU-MSE neuron on real data: its gradient by jacobi, by hand and by differences, then training.

The cost is ``C(w, b) = mean((y - max(0, X w + b))^2)``.  The closed formula is that of T. Parr and J. Howard, "The
Matrix Calculus You Need For Deep Learning" (arXiv 1802.01528); the data are those of B. Efron, T. Hastie,
I. Johnstone and R. Tibshirani, "Least Angle Regression" (2004), see ``data/README.md``.

Run it with ``python examples/neuron.py``.
"""

from pathlib import Path

import numpy as np

import jacobi as jb

DATA = Path(__file__).parent / "data" / "diabetes.csv"


def standardised(columns):
    """Columns with mean 0 and standard deviation 1, with both."""
    mean, deviation = columns.mean(axis=0), columns.std(axis=0)
    return (columns - mean) / deviation, mean, deviation


def activation(w, b, X):
    """The neuron: affine, then rectified."""
    return np.maximum(0, X @ w + b)


def cost(w, b, X, y):
    """The mean squared error of the neuron."""
    return np.mean((y - activation(w, b, X)) ** 2)


def gradient_by_hand(w, b, X, y):
    """The closed formulas: ``(2/N) (1[z > 0] o e)^T X`` by w, and the sum of the same errors by b."""
    z = X @ w + b
    e = (z > 0) * (z - y)
    return 2 / len(y) * e @ X, 2 / len(y) * e.sum()


def local_jacobians(w, b, X, y):
    """The links of the chain from w to the cost, outermost first: name, local Jacobian."""
    z = X @ w + b
    a = np.maximum(0, z)
    v = y - a
    s = v**2
    return [
        ("C = mean(s)", jb.local.mean(s)[0]),
        ("s = v ** 2", jb.local.square(v)[0]),
        ("v = y - a", jb.local.subtract(y, a)[1]),
        ("a = max(0, z)", jb.local.maximum(0, z)[0]),
        ("z = X w + b", jb.local.matmul(X, w)[1]),
    ]


def describe(links):
    """One line per local Jacobian: its shape, its structure, what is kept and what the full matrix would take."""
    print(f"   {'operation':<15} {'shape':>11}  {'structure':<10} {'kept':>9}  {'full matrix':>12}")
    for name, J in links:
        rows, columns = J.shape
        print(
            f"   {name:<15} {f'{rows} x {columns}':>11}  {J.structure:<10} {J.nbytes:>7} B  "
            f"{rows * columns * J.dtype.itemsize:>10} B"
        )


def train(w, b, X, y, most_steps=20_000, small=1e-10):
    """Gradient descent with a step from the curvature of the cost, until the gradient vanishes."""
    ones = np.ones((len(y), 1))
    step = len(y) / (2 * np.linalg.norm(np.hstack([X, ones]), 2) ** 2)
    value_and_gradient = jb.value_and_gradient(cost, argnums=(0, 1))
    history = []
    for _ in range(most_steps):
        value, (by_w, by_b) = value_and_gradient(w, b, X, y)
        history.append(float(value))
        if np.sqrt(by_w @ by_w + by_b**2) < small:
            break
        w, b = w - step * by_w, b - step * by_b
    return w, b, history


def relative(found, expected):
    """The largest difference, relative to the largest entry."""
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def main():
    """Print the report."""
    table = np.genfromtxt(DATA, delimiter=",", skip_header=1)
    names = DATA.read_text().split("\n", 1)[0].strip().split(",")
    X, _, _ = standardised(table[:, :-1])
    _, _, deviation = standardised(table[:, -1])
    y = table[:, -1] / deviation  # stays positive, as a rectified neuron's output
    N, n = X.shape
    print(f"Diabetes data: {N} patients, {n} variables; C(w, b) = mean((y - max(0, X w + b))^2)\n")

    rng = np.random.default_rng(0)
    w, b = rng.normal(size=n), 0.5
    print("1. The derivative at a random point, three ways")
    by_w, by_b = jb.gradient(cost, argnums=(0, 1))(w, b, X, y)
    hand_w, hand_b = gradient_by_hand(w, b, X, y)
    differences_w, error_w = jb.finite_difference(cost)(w, b, X, y)
    differences_b, error_b = jb.finite_difference(cost, argnum=1)(w, b, X, y)
    print(f"   {np.sum(X @ w + b > 0)} of {N} units are active")
    print(f"   dC/dw = {np.array2string(by_w[:4], precision=4)} ...,  dC/db = {by_b:.4f}")
    print(f"   against the closed formula      by w: {relative(by_w, hand_w):.1e}   by b: {relative(by_b, hand_b):.1e}")
    print(
        f"   against finite differences      by w: {relative(by_w, differences_w[0]):.1e}   "
        f"by b: {relative(by_b, differences_b[0]):.1e}"
    )
    within = np.all(np.abs(by_w - differences_w[0]) <= error_w[0]) and abs(by_b - differences_b[0, 0]) <= error_b[0, 0]
    print(f"   within their own error bound:   {'yes' if within else 'NO'}\n")

    print("2. The chain rule: dC/dw = dC/ds ds/dv dv/da da/dz dz/dw")
    links = local_jacobians(w, b, X, y)
    describe(links)
    product = jb.chain(*(J for _, J in links))
    print(f"   their product is the {product.structure} dC/dw, up to {relative(product.toarray()[0], by_w):.1e}\n")

    print("3. Gradient descent")
    w, b, history = train(np.zeros(n), float(y.mean()), X, y)
    fitted = np.hstack([X, np.ones((N, 1))])
    least_squares, *_ = np.linalg.lstsq(fitted, y, rcond=None)
    best = float(np.mean((y - fitted @ least_squares) ** 2))
    for step in sorted({0, 1, 10, 100, len(history) - 1}):
        if step < len(history):
            print(f"   step {step:>5}   C = {history[step]:.12f}")
    active = np.sum(X @ w + b > 0)
    print(f"   least squares without the ReLU: C = {best:.12f}")
    if active == N:
        print("   all units are active, so both minimise the same cost:")
    else:
        print(f"   {active} of {N} units are active; the ReLU lets the neuron do better or worse than a line:")
    print(f"   C - C(least squares) = {history[-1] - best:.1e},  largest difference of w: "
          f"{np.max(np.abs(w - least_squares[:-1])):.1e}")
    order = np.argsort(-np.abs(w))[:3]
    print("   largest weights: " + ", ".join(f"{names[k]} {w[k]:+.3f}" for k in order))


if __name__ == "__main__":
    main()
