"""A two-layer classifier trained with a backward pass written by hand, which `check` verifies layer by layer.

It tells from ten measurements whether the disease of a patient progresses faster than the median; the diabetes data
are described in ``data/README.md``.

Run it with ``python examples/two_layer_classifier.py``.
"""

from pathlib import Path

import numpy as np

import jacobi as jb

DATA = Path(__file__).parent / "data" / "diabetes.csv"
HIDDEN = 3


def affine(X, W, b):
    """One affine layer for all samples."""
    return X @ W + b


def affine_backward(X, W, upstream):
    """The gradients of a loss by ``X``, ``W`` and ``b``, from its gradient by the layer's output."""
    return upstream @ W.T, X.T @ upstream, upstream.sum(axis=0)


def relu(Z):
    """What is positive."""
    return np.maximum(0, Z)


def relu_backward(Z, upstream):
    """The gradient by ``Z``."""
    return upstream * (Z > 0)


def cross_entropy(S, labels):
    """The mean of ``-log softmax(S)[label]`` over the samples."""
    S = S - np.max(S, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(S), axis=1)) - S[np.arange(len(labels)), labels])


def cross_entropy_backward(S, labels):
    """The gradient by the scores: softmax minus one-hot, divided by the number of samples."""
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    P[np.arange(len(labels)), labels] -= 1
    return P / len(labels)


def loss(parameters, X, labels):
    """The loss of the whole network."""
    W1, b1, W2, b2 = parameters
    return cross_entropy(affine(relu(affine(X, W1, b1)), W2, b2), labels)


def loss_and_gradients(parameters, X, labels):
    """The same with the gradients by all parameters: forward, then backward by hand."""
    W1, b1, W2, b2 = parameters
    Z = affine(X, W1, b1)
    A = relu(Z)
    S = affine(A, W2, b2)
    by_S = cross_entropy_backward(S, labels)
    by_A, by_W2, by_b2 = affine_backward(A, W2, by_S)
    _, by_W1, by_b1 = affine_backward(X, W1, relu_backward(Z, by_A))
    return cross_entropy(S, labels), (by_W1, by_b1, by_W2, by_b2)


def checks(X, labels, parameters):
    """A report for each layer, and for each parameter of the whole network."""
    W1, b1, W2, b2 = parameters
    Z, u = affine(X, W1, b1), np.random.default_rng(1).normal(size=(len(X), HIDDEN))
    S = affine(relu(Z), W2, b2)

    def projected(X, W, b):  # a layer is tested along a random upstream gradient
        return np.sum(u * affine(X, W, b))

    for k, name in enumerate(("X", "W", "b")):
        yield (
            f"affine by {name}",
            jb.check(
                projected, lambda X, W, b, k=k: affine_backward(X, W, u)[k], X, W1, b1, argnum=k, layout="gradient"
            ),
        )
    yield "relu", jb.check(lambda Z: np.sum(u * relu(Z)), lambda Z: relu_backward(Z, u), Z, layout="gradient")
    yield "cross entropy", jb.check(cross_entropy, cross_entropy_backward, S, labels, layout="gradient")
    for k, name in enumerate(("W1", "b1", "W2", "b2")):

        def of_one(p, k=k):
            return loss((*parameters[:k], p, *parameters[k + 1 :]), X, labels)

        def gradient_of_one(p, k=k):
            return loss_and_gradients((*parameters[:k], p, *parameters[k + 1 :]), X, labels)[1][k]

        yield f"loss by {name}", jb.check(of_one, gradient_of_one, parameters[k], layout="gradient")


def data():
    """Standardised measurements, labels, and which patients are held back."""
    table = np.genfromtxt(DATA, delimiter=",", skip_header=1)
    X = (table[:, :-1] - table[:, :-1].mean(axis=0)) / table[:, :-1].std(axis=0)
    labels = (table[:, -1] > np.median(table[:, -1])).astype(int)
    held_back = np.random.default_rng(0).permutation(len(X)) < 100
    return X, labels, held_back


def accuracy(parameters, X, labels):
    """Which part of the patients is classified rightly."""
    W1, b1, W2, b2 = parameters
    return np.mean(np.argmax(affine(relu(affine(X, W1, b1)), W2, b2), axis=1) == labels)


def main():
    """Print the reports, the training, and what a slip would have looked like."""
    X, labels, held_back = data()
    rng = np.random.default_rng(3)
    n = X.shape[1]
    parameters = (rng.normal(size=(n, HIDDEN)) / np.sqrt(n), 0.1 * rng.normal(size=HIDDEN),
                  rng.normal(size=(HIDDEN, 2)) / np.sqrt(HIDDEN), 0.1 * rng.normal(size=2))  # fmt: skip
    few = slice(0, 6)
    print(f"{len(X)} patients, {n} measurements; {n} -> {HIDDEN} -> 2\n\n1. The backward pass by hand, layer by layer")
    for name, report in checks(X[few], labels[few], parameters):
        print(f"   {name:<15} {report.verdict:<8} every error above {report.resolution:.0e} would have been seen")

    print("\n2. The usual slip: the derivative of the loss without 1/N")
    S = affine(relu(affine(X, *parameters[:2])), *parameters[2:])[few]

    def slip(S, labels):
        return len(labels) * cross_entropy_backward(S, labels)

    report = jb.check(cross_entropy, slip, S, labels[few], layout="gradient")
    print(f"   {report.verdict}: {report.explanation}")

    print("\n3. Training")
    train, test = (X[~held_back], labels[~held_back]), (X[held_back], labels[held_back])
    for step in range(301):
        value, gradients = loss_and_gradients(parameters, *train)
        if step % 100 == 0:
            print(
                f"   step {step:>3}   loss {value:.4f}   right: {accuracy(parameters, *train):.0%} of those seen, "
                f"{accuracy(parameters, *test):.0%} of the others"
            )
        parameters = tuple(p - 0.3 * g for p, g in zip(parameters, gradients, strict=True))
    _, by_hand = loss_and_gradients(parameters, *train)
    traced = jb.gradient(loss)(parameters, *train)
    apart = max(np.abs(a - b).max() for a, b in zip(by_hand, traced, strict=True))
    print(f"   after training, by hand and by jb.gradient differ by {apart:.0e}")


if __name__ == "__main__":
    main()
