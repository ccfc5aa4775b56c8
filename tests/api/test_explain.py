"""``explain`` names every operation with its line, the structure of its local Jacobians and the distance to kinks."""

import numpy as np

import jacobi as jb

X = np.array([[1.0, 2.0], [3.0, -1.0], [-1.0, -1.0]])


def neuron(w, b):
    z = X @ w + b
    a = np.maximum(0, z)
    return np.mean(a**2)


def test_every_operation_is_listed_with_its_line():
    found = jb.explain(neuron, np.array([1.0, 0.5]), 0.25, argnums=(0, 1)).operations
    names = [operation.name for operation in found]
    assert names == ["numpy.matmul", "numpy.add", "numpy.maximum", "numpy.square", "numpy.mean"]
    lines = [int(operation.line.removeprefix("test_explain.py:")) for operation in found]
    assert np.diff([neuron.__code__.co_firstlineno, *lines]).tolist() == [1, 0, 1, 1, 0]


def test_the_local_jacobians_are_listed_with_their_structure():
    found = jb.explain(neuron, np.array([1.0, 0.5]), 0.25, argnums=(0, 1)).operations
    assert [(f.operand, f.shape, f.structure) for f in found[1].factors] == [
        ("t1", (3, 3), "identity"),
        ("x1", (3, 1), "column"),
    ]
    assert found[0].factors[0].nnz == X.size
    assert "x0: dense (3, 2)" in str(jb.explain(neuron, np.array([1.0, 0.5]), 0.25))


def test_the_distance_to_the_nearest_kink():
    w, b = np.array([1.0, 0.5]), 0.25
    relu = jb.explain(neuron, w, b).operations[2]
    assert relu.distance == np.abs(X @ w + b).min()
    at_kink = jb.explain(np.abs, np.array([1.0, 0.0])).operations[0]
    assert at_kink.distance == 0
    assert jb.explain(np.exp, 1.0).operations[0].distance == np.inf


def test_a_constant_function_has_no_operations():
    assert jb.explain(lambda x: 1.0, 2.0).operations == ()

