"""Shapes as people write them: one reader for all forms, and numbers in place of letters."""

import numpy as np
import pytest

import jacobi as jb
from jacobi.errors import InputError
from jacobi.notation.shapes import letters_in, number, numbers_of, shape_of
from jacobi.verification.sampling import sampled

SHAPES = {
    "": (),
    "()": (),
    "3": (3,),
    "3,": (3,),
    "(3,)": (3,),
    "3, 4": (3, 4),
    "[N, n]": ("N", "n"),
    " N ": ("N",),
    "n-1,N": ("n - 1", "N"),
    "2*(n+1)": ("2 * (n + 1)",),
    "(n+1)*(m+1)": ("(n + 1) * (m + 1)",),
    "λ": ("λ",),
}


@pytest.mark.parametrize("text, shape", SHAPES.items())
def test_text_is_read(text, shape):
    assert shape_of("x", text) == shape == shape_of("x", shape) == shape_of("x", list(shape))


def test_a_single_size_is_a_vector():
    assert shape_of("x", 3) == shape_of("x", np.int64(3)) == (3,)


NO_SHAPES = [
    -1, (2, -1), 1.5, True, None, "-1", "1.5", "3;4", "3 4", "3,,4", ",", "x=3", "3),(4", "²", "\0", "n**2", "f(n)",
    "n[0]", "'n'", "n for n in n", "import os", "9" * 5000, "n" + "+n" * 5000, "(" * 500,
]  # fmt: skip


@pytest.mark.parametrize("shape", NO_SHAPES)
def test_what_is_no_shape(shape):
    with pytest.raises(InputError, match="is not a size"):
        shape_of("x", shape)


def test_numbers_for_letters():
    shapes = {"X": "N, n", "d": ("n // 2", 4), "b": ()}
    assert letters_in(shapes) == ("N", "n")
    assert numbers_of(shapes, {"N": 3, "n": 7}) == {"X": (3, 7), "d": (3, 4), "b": ()}
    assert number("(n + 1) / 2", {"n": 7}) == 4


@pytest.mark.parametrize("token", ["n - 8", "n / 2", "n // (n - 7)", "m"])
def test_sizes_that_are_no_whole_numbers(token):
    with pytest.raises(InputError, match=r"no whole number for n = 7|how large m is"):
        number(token, {"n": 7})


def test_letters_are_drawn_all_different():
    letters = [f"n{k}" for k in range(30)]
    found = sampled({letter: (letter, f"{letter} - 2") for letter in letters}, np.random.default_rng(0))
    shapes = [found[letter].shape for letter in letters]
    assert len({rows for rows, _ in shapes}) == 30 and all(columns == rows - 2 >= 1 for rows, columns in shapes)


def test_derive_reads_the_same_text():
    forms = ("X=N,n", "(N, n)", ("N", "n"))
    shapes = [form.removeprefix("X=") if isinstance(form, str) else form for form in forms]
    found = {jb.derive("sum((X @ w)**2)", wrt="w", shapes={"X": shape}).formula for shape in shapes}
    assert len(found) == 1


def test_verified_functions_may_be_given_letters():
    @jb.verified(lambda X, w: X, argnum=1, at={"X": "N, n", "w": "n"})
    def product(X, w):
        return X @ w

    from jacobi.verification.verified import PAIRS

    pair = PAIRS.pop()
    X, w = pair.arguments(np.random.default_rng(1))
    assert X.shape[1] == w.size != X.shape[0]
