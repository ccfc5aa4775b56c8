"""A formula: one tree that is printed as text, LaTeX and NumPy source, and evaluated by running that source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from jacobi import functions as library
from jacobi import layout
from jacobi.derivation.sizes import Sizes
from jacobi.derivation.stand_ins import stand_in
from jacobi.derivation.tokens import number
from jacobi.errors import InputError, at_users_line
from jacobi.notation.latex import latex
from jacobi.notation.parts import parts
from jacobi.notation.source import evaluate, source
from jacobi.notation.text import text
from jacobi.notation.tree import TENSOR, Apply, Entrywise, Identity, Number, Ones, Size, Tree

# what lets traced values pass, in place of functions of SciPy
DISPATCHING = {name: getattr(library, name) for name in library.__all__}


@dataclass(frozen=True)
class Formula:
    """A formula of the arguments of a program.

    Attributes
    ----------
    tree : Tree
        The formula.
    sizes : Sizes
        The names and shapes of the arguments.
    shape : tuple
        The shape of the value, in letters.
    matrix : bool
        Whether a row is evaluated as a matrix ``(1, n)``, as Jacobians are.
    constants : mapping
        The values of arrays that are no arguments.
    """

    tree: Tree
    sizes: Sizes
    shape: tuple[Any, ...]
    matrix: bool
    constants: Mapping[str, Any]

    def __str__(self) -> str:
        return text(self.tree)

    def __repr__(self) -> str:
        return f"<formula {self}>"

    @property
    def formula(self) -> str:
        """The formula as a line of text."""
        return text(self.tree)

    def latex(self) -> str:
        """The formula in LaTeX."""
        return latex(self.tree)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    @cached_property
    def source(self) -> str:
        """The NumPy source of a function that evaluates the formula."""
        return self.source_named("derivative")

    def source_named(self, name: str, docstring: str = "") -> str:
        """The source of a function of another name."""
        matrix = self.matrix and self.plain
        signature = [*self.names, *self.constants, *self.functions]
        text = source(self.tree, signature, self.size_code, name=name, docstring=docstring, matrix=matrix)
        if self.plain or not (self.matrix or self.zero):
            return text
        head, _, result = text.rpartition("    return ")  # an array with the axes of both sides, or zero
        shape = ", ".join(self.count_code(side) for side in self.shape)
        shape = f"({shape}{',' if len(self.shape) == 1 else ''})"
        what = f"np.zeros({shape})" if self.zero else f"np.reshape({result.strip()}, {shape})"
        return f"{head}    return {what}\n"

    @property
    def zero(self) -> bool:
        """Whether the formula is 0."""
        return self.tree == Number(Fraction(0))

    @property
    def plain(self) -> bool:
        """Whether the source of the formula gives a matrix as it is."""
        return self.tree.kind != TENSOR and not self.zero

    def count_code(self, side: Any) -> str:
        """The code for the number of rows or columns, a product of sizes."""
        codes = []
        for token in str(side).split():
            code = re.sub(r"[^\W\d]\w*", lambda letter: self.code_of_letters.get(letter[0], letter[0]), token)
            codes.append(code if token.isidentifier() or token.isdigit() else f"({code})")
        return " * ".join(codes)

    @property
    def names(self) -> list[str]:
        """The arguments of the function, in order."""
        return [*self.sizes.program.arguments, *self.sizes.program.letters]

    @cached_property
    def size_code(self) -> dict[str, str]:
        """The code that gives every size, also those of identities between arrays of several axes."""
        return self.code_of_letters | {size: self.count_code(size) for size in self.products}

    @cached_property
    def code_of_letters(self) -> dict[str, str]:
        """The code that gives the size of every letter: ``{"N": "X.shape[0]"}``."""
        found: dict[str, str] = {}
        for letter in self.sizes.letters:
            place = self.sizes.where(letter)
            if letter in self.sizes.program.letters:
                found[letter] = letter
            elif place is not None:
                found[letter] = f"{place[0]}.shape[{place[1]}]"
        return found

    @cached_property
    def products(self) -> set[str]:
        """The sizes that are no letters, such as ``"m n"`` of an identity between matrices, and ``"2*n"``."""
        found = {part.size for part in parts(self.tree) if isinstance(part, (Identity, Ones))}
        found |= {part.name for part in parts(self.tree) if isinstance(part, Size)}
        found |= {size for part in parts(self.tree) if isinstance(part, Entrywise) for _, size in part.sizes}
        return {size for size in found if isinstance(size, str) and not size.isidentifier() and not size.isdigit()}

    def __call__(self, *positional: Any, **values: Any) -> Any:
        """The value: arguments by position or by name; sizes follow from the shapes."""
        given = {name: values.pop(name) for name in self.functions if name in values}
        missing = [name for name in self.functions if name not in given]
        if missing:
            what = f"the formula holds {missing[0].replace('_prime', chr(39))}, and no function is given for it"
            raise InputError(at_users_line(what, f"Write {missing[0]}=function, such as {missing[0]}=np.cos."))
        return self.value(self.sizes.program.values(positional, self.with_letters(values)), given)

    def with_letters(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values with the sizes that the text names, read off the shapes where they are not given."""
        result = dict(values)
        for letter in self.sizes.program.letters:
            place = self.sizes.where(letter)
            if letter not in result and place is not None and place[0] in values:
                result[letter] = np.shape(values[place[0]])[place[1]]
        return result

    @cached_property
    def functions(self) -> dict[str, Any]:
        """The functions that were unknown in the program, with what stands for them in checks, by argument name."""
        names = {part.name for part in parts(self.tree) if isinstance(part, Apply)}
        unknown = [name for name in names if name.rstrip("'") in self.sizes.program.unknown_functions]
        return {name.replace("'", "_prime"): stand_in(name.rstrip("'"), name.count("'")) for name in sorted(unknown)}

    def value(self, named: Mapping[str, Any], functions: Mapping[str, Any] | None = None) -> Any:
        """The value for arrays, or for nodes, by name; unknown functions are stood in for."""
        arrays = {
            name: value if hasattr(type(value), "__array_function__") else np.asarray(value, dtype=float)
            for name, value in {**named, **self.constants}.items()
            if name not in self.sizes.program.letters
        }
        numbers = self.numbers(arrays, named)
        numbers |= {size: layout.size([number(token, numbers) for token in size.split()]) for size in self.products}
        arrays |= self.functions if functions is None else functions
        value = evaluate(self.tree, arrays, numbers, matrix=self.matrix and self.plain, library=DISPATCHING)
        if self.plain or not (self.matrix or self.zero):
            return value
        shape = [layout.size([number(token, numbers) for token in str(side).split()]) for side in self.shape]
        return np.zeros(shape) if self.zero else np.reshape(value, shape)

    def numbers(self, arrays: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, int]:
        """The number of every letter at these arrays; a contradiction is an error that names both places."""
        found: dict[str, int] = {}
        places: dict[str, str] = {}
        for name, shape in self.sizes.shapes.items():
            given = np.shape(arrays[name])
            if len(given) != len(shape):
                what = f"{name} has the shape {given}, but the formula was derived for {len(shape)} axes"
                raise InputError(at_users_line(what, f"Its shape is ({', '.join(map(str, shape))})."))
            for axis, (letter, count) in enumerate(zip(shape, given, strict=True)):
                place = f"axis {axis} of {name}"
                if isinstance(letter, str) and letter.isidentifier():
                    if found.setdefault(letter, count) != count:
                        what = f"{letter} is {found[letter]} on {places[letter]} and {count} on {place}"
                        raise InputError(at_users_line(what, "Give arrays whose sizes fit together."))
                    places.setdefault(letter, place)
        for letter in self.sizes.program.letters:
            found[letter] = int(named[letter])
        for shape in self.sizes.shapes.values():
            for token in shape:
                if isinstance(token, str) and token not in found:
                    found[token] = number(token, found)
        return found
