"""What people write for the derivative of an elementary function ``y = f(x)``: a table of wrong partial derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# What people write for the derivative of a function of x with the value y.
WRONG_DERIVATIVES: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "sin": {"sin(x)": lambda y, x: y, "-sin(x)": lambda y, x: -y, "cos(x)^2": lambda y, x: np.cos(x) ** 2},
    "cos": {"cos(x)": lambda y, x: y, "sin(x)": lambda y, x: np.sin(x), "-cos(x)": lambda y, x: -y},
    "tan": {
        "1/cos(x)": lambda y, x: 1 / np.cos(x),
        "1 - tan(x)^2": lambda y, x: 1 - y * y,
        "1/(1 + x^2)": lambda y, x: 1 / (1 + x * x),
        "cos(x)^2": lambda y, x: np.cos(x) ** 2,
    },
    "tanh": {
        "1 - y": lambda y, x: 1 - y,
        "1 + y^2": lambda y, x: 1 + y * y,
        "y (1 - y)": lambda y, x: y * (1 - y),
        "1 - x^2": lambda y, x: 1 - x * x,
        "y": lambda y, x: y,
        "y^2": lambda y, x: y * y,
        "1/cosh(x)": lambda y, x: 1 / np.cosh(x),
        "1 - tanh(y)^2": lambda y, x: 1 - np.tanh(y) ** 2,
    },
    "sigmoid": {
        "y": lambda y, x: y,
        "1 - y": lambda y, x: 1 - y,
        "y (1 + y)": lambda y, x: y * (1 + y),
        "1 - y^2": lambda y, x: 1 - y * y,
        "x (1 - x)": lambda y, x: x * (1 - x),
        "y (y - 1)": lambda y, x: y * (y - 1),
        "y^2": lambda y, x: y * y,
        "sigmoid'(y)": lambda y, x: np.exp(-y) / (1 + np.exp(-y)) ** 2,
    },
    "sinh": {"sinh(x)": lambda y, x: y, "-cosh(x)": lambda y, x: -np.cosh(x), "cos(x)": lambda y, x: np.cos(x)},
    "cosh": {"cosh(x)": lambda y, x: y, "-sinh(x)": lambda y, x: -np.sinh(x), "-sin(x)": lambda y, x: -np.sin(x)},
    "exp": {
        "x": lambda y, x: x,
        "x exp(x)": lambda y, x: x * y,
        "x exp(x - 1)": lambda y, x: x * np.exp(x - 1),
        "log(x)": lambda y, x: np.log(x),
        "1/x": lambda y, x: 1 / x,
    },
    "log": {
        "log(x)": lambda y, x: y,
        "x": lambda y, x: x,
        "exp(x)": lambda y, x: np.exp(x),
        "1/log(x)": lambda y, x: 1 / y,
        "1/x^2": lambda y, x: 1 / (x * x),
        "1/(x log(10))": lambda y, x: 1 / (x * np.log(10)),
    },
    "log2": {"1/x": lambda y, x: 1 / x, "log(2)/x": lambda y, x: np.log(2) / x},
    "log10": {"1/x": lambda y, x: 1 / x, "log(10)/x": lambda y, x: np.log(10) / x},
    "log1p": {"1/x": lambda y, x: 1 / x, "1 + x": lambda y, x: 1 + x},
    "expm1": {"exp(x) - 1": lambda y, x: y},
    "exp2": {"2^x": lambda y, x: y, "x 2^(x-1)": lambda y, x: x * y / 2, "2^x / log(2)": lambda y, x: y / np.log(2)},
    "arctan": {
        "1/(1 - x^2)": lambda y, x: 1 / (1 - x * x),
        "1/sqrt(1 + x^2)": lambda y, x: 1 / np.sqrt(1 + x * x),
        "1/sqrt(1 - x^2)": lambda y, x: 1 / np.sqrt(1 - x * x),
        "1/(1 + x)": lambda y, x: 1 / (1 + x),
    },
    "arcsin": {
        "1/sqrt(1 + x^2)": lambda y, x: 1 / np.sqrt(1 + x * x),
        "1/(1 - x^2)": lambda y, x: 1 / (1 - x * x),
        "1/(1 + x^2)": lambda y, x: 1 / (1 + x * x),
    },
    "arccos": {"-1/(1 - x^2)": lambda y, x: -1 / (1 - x * x), "-1/sqrt(1 + x^2)": lambda y, x: -1 / np.sqrt(1 + x * x)},
    "absolute": {"|x|": lambda y, x: y, "x": lambda y, x: x},
    "erf": {"exp(-x^2)": lambda y, x: np.exp(-x * x), "1 - y^2": lambda y, x: 1 - y * y},
    "softplus": {"1 - sigmoid(x)": lambda y, x: np.exp(-y), "exp(x)": lambda y, x: np.exp(x)},
}
WRONG_DERIVATIVES["expit"] = WRONG_DERIVATIVES["sigmoid"]
