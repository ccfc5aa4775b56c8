"""Random programs of views, assignments and in-place operators mean what NumPy means by them."""

import random

import numpy as np
import pytest

import jacobi as jb

INDICES = [
    "0", "1", "-1", "[0]", "1:", "::2", "::-1", ":, 1", ":, 1:3", "..., 2", "1, 2", "0, 1:", "1, None", "2, ...",
    "[0, 2]", ":, [1, 0]", "mask",
]  # fmt: skip
VIEWS = ["T", "reshape(-1)", "copy()", "ravel()", "T.copy()", "swapaxes(0, -1)"]
MASK = np.arange(12).reshape(3, 4) % 3 == 0


def program(seed):
    """The source of a function of twelve numbers that writes into an array and into views of views of it."""
    chance = random.Random(seed)
    lines = [chance.choice(["y = x.reshape(3, 4) * 1.0", "y = np.zeros_like(x.reshape(3, 4))"])]
    count = chance.randint(3, 9)
    for k in range(count):
        source = f"v{chance.randint(0, k - 1)}" if k and chance.random() < 0.6 else "y"
        place, kind = f"{source}[{chance.choice(INDICES)}]", chance.random()
        number = f"x[{chance.randint(0, 11)}]"
        if kind < 0.3:
            lines.append(f"v{k} = {place}")
        elif kind < 0.4:
            lines.append(f"v{k} = {source}.{chance.choice(VIEWS)}")
        elif kind < 0.6:
            value = chance.choice([number, "2.0", "x[1] * x[2]"])
            lines += [f"{place} {chance.choice(['=', '+=', '*='])} {value}", f"v{k} = {source}"]
        elif kind < 0.7:
            lines += [f"v{k} = {source}", f"v{k} {chance.choice(['+=', '*='])} {chance.choice([number, '3.0'])}"]
        elif kind < 0.8:
            value = chance.choice(["x[:4]", "y[1]", "y[0] * x[7]", "1.0"])
            lines += [f"y[{chance.randint(0, 2)}] = {value}", f"v{k} = y"]
        elif kind < 0.9:
            lines += [f"for row in y: row += {number}", f"v{k} = y[1]"]
        else:
            lines.append(f"v{k} = {source} * {number}")
    results = ", ".join(["np.ravel(y)", *(f"np.ravel(v{k})" for k in range(count))])
    return "def f(x):\n    " + "\n    ".join([*lines, f"return np.concatenate([{results}])"])


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_values_and_jacobians_are_those_of_numpy(first):
    tried = 0
    for seed in range(first, first + 50):
        source = program(seed)
        scope = {"np": np, "mask": MASK}
        exec(source, scope)
        f, x = scope["f"], np.linspace(0.5, 2.0, 12) + 0.1 * np.random.default_rng(seed).random(12)
        try:
            expected = f(x.copy())
        except (IndexError, ValueError, TypeError):
            continue  # no program of NumPy
        tried += 1
        value, J = jb.value_and_jacobian(f)(x)
        np.testing.assert_allclose(value, expected, rtol=1e-12, err_msg=source)
        steps = 1e-6 * np.eye(12)
        slopes = np.stack([(f(x + step) - f(x - step)) / 2e-6 for step in steps], axis=1)
        size = max(1.0, np.abs(slopes).max())
        np.testing.assert_allclose(J.toarray(), slopes, rtol=1e-4, atol=1e-4 * size, err_msg=source)
    assert tried > 20
