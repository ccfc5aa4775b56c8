"""Every operation with a rule has a name in source, and the table names nothing that does not exist."""

import importlib
import re

import numpy as np
import pytest

from jacobi.notation import names
from jacobi.notation.names import DEFINITIONS, FUNCTIONS, source_of
from jacobi.rules import REGISTRY, Elementwise, full_name

INTERNAL = {"quotient", "indicator", "astype", "filled"}  # written as other nodes, or not as formulas at all


def elementwise_names():
    for function, operation in REGISTRY.items():
        name = operation.name or full_name(function)
        if isinstance(operation, Elementwise) and name not in INTERNAL and not name.endswith("_derivative"):
            yield name.rpartition(".")[2]


def found(name):
    """The object that source calls."""
    called, module = source_of(name)
    if module:
        return getattr(importlib.import_module(module), called)
    called = called.partition("(")[0]
    home = np
    for part in called.split(".")[1:]:
        home = getattr(home, part)
    return home


def test_elementwise_rules_have_source():
    assert [name for name in elementwise_names() if name not in DEFINITIONS and not callable(found(name))] == []


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_table_names_what_exists(name):
    assert name in DEFINITIONS or callable(found(name))
    function = FUNCTIONS[name]
    arguments = [1] + [2] * ("{1}" in function.latex)
    for field in (function.text, function.latex):
        assert "{0}" not in field or "1" in field.format(*arguments)
    assert re.fullmatch(r"[\w.]*(\(\{0\}\)\[\d\])?", function.source)


def test_identifiers():
    assert names.identifier("x1") == "x1"
    with pytest.raises(TypeError, match="lambda"):
        names.identifier("lambda")
