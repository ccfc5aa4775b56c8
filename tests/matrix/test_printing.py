"""What is shown of a Jacobian is what it is: entry by entry for small ones, by terms and a picture for large ones."""

import re
import sys
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import jacobi as jb
from jacobi import Jacobian
from jacobi.matrix import printing

BANDED = jb.jacobian(lambda x: x[2:] - 2 * x[1:-1] + x[:-2])(np.arange(1000.0))


def test_a_small_matrix_is_shown_entry_by_entry():
    J = jb.jacobian(lambda x: np.stack([x[0] * x[1], x[1]]))(np.array([2.0, -0.125, 1e6]))
    assert str(J).splitlines() == ["-0.125       2       .", "     .       1       .", repr(J)]


def test_an_entry_that_is_zero_by_chance_is_no_dot():
    assert str(Jacobian.from_diagonal(np.array([0.0, 1.0]))).splitlines()[:2] == ["0  .", ".  1"]


def test_a_large_matrix_is_shown_by_its_terms():
    assert str(BANDED).splitlines() == [
        repr(BANDED),
        "3 terms, 2994 entries",
        "  1: 998 entries",
        "  -2: 998 entries",
        "  1: 998 entries",
    ]
    J = -2 * Jacobian.kron(np.ones((20, 30)), np.ones((5, 7)))
    assert str(J) == repr(J)  # one term
    J = J + Jacobian.from_dense(np.ones((100, 210)), (20, 5), (30, 7))
    assert str(J).splitlines()[1:] == [
        "2 terms, 42000 entries",
        "  -2 * array (20, 30) * array (5, 7): 21000 entries",
        "  array (100, 210): 21000 entries",
    ]


def test_many_terms_are_not_all_listed():
    x = np.linspace(1, 2, 50)
    J = jb.jacobian(lambda x: sum(np.roll(x, k) * (x + k) for k in range(9)))(x)
    lines = str(J).splitlines()
    assert len(lines) == 2 + min(len(J.terms), printing.LISTED + 1)
    assert len(J.terms) <= printing.LISTED or lines[-1] == f"  and {len(J.terms) - printing.LISTED} more"


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_matrices(shape):
    J = Jacobian.zero(shape[:1], shape[1:])
    assert str(J).endswith(repr(J)) and "Jacobian, zero" in J._repr_html_()
    assert J._repr_latex_() is None


def test_nothing_large_is_formed_to_print():
    J = Jacobian.from_diagonal(np.ones(10**6 + 1))
    assert len(str(J)) < 400 and len(J._repr_html_()) < 2000
    huge = Jacobian.kron(np.ones((3000, 3000)), np.ones((3000, 3000)))  # 8.1e13 entries
    assert "kronecker" in str(huge) and "<svg" not in huge._repr_html_()


# Notebooks --------------------------------------------------------------------------------------------------------


def test_a_small_matrix_is_a_table():
    J = Jacobian.from_diagonal(np.array([1.5, -2.0]))
    page = J._repr_html_()
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert cells == ["1.5", ".", ".", "-2"]
    assert page.count('class="zero"') == 2 and "(2,) &lt;- (2,)" in page


def test_a_large_matrix_has_a_small_picture():
    page = BANDED._repr_html_()
    picture = ElementTree.fromstring(re.search(r"<svg.*</svg>", page, re.S)[0])
    marks = [
        (int(rect.get("y")) // printing.SIDE, int(rect.get("x")) // printing.SIDE)
        for rect in picture
        if rect.get("class") != "frame"
    ]
    assert len(marks) == len(set(marks)) and all(abs(i - j) <= 1 for i, j in marks)
    assert {i for i, _ in marks} == set(range(printing.CELLS))
    assert "currentColor" in page and "background: transparent" in page


def test_the_picture_shows_what_share_of_a_cell_is_filled():
    rng = np.random.default_rng(0)
    mask = rng.uniform(size=(50, 130)) < 0.3
    J = Jacobian.from_dense(np.where(mask, 1.0, 0.0)) @ Jacobian.identity(130)
    S = Jacobian.from_sparse(J.tocsr() * 1.0)
    rows, columns = (np.arange(n) * 40 // n for n in mask.shape)
    stored = S.tocsr()
    stored.data[:] = 1
    wanted = np.zeros((40, 40))
    areas = np.zeros((40, 40))
    np.add.at(wanted, (rows[:, None], columns), stored.toarray())
    np.add.at(areas, (rows[:, None], columns), 1)
    np.testing.assert_allclose(printing.filling(S), wanted / areas)


def test_places_that_two_terms_share_count_once():
    J = Jacobian.from_diagonal(np.ones(30)) + Jacobian.from_dense(np.ones((30, 30)))
    assert J.nnz == 930 and printing.filling(J).max() == 1


def test_latex():
    assert Jacobian.from_diagonal(np.array([2.0, -1e-10]))._repr_latex_() == (
        r"$\displaystyle \begin{pmatrix} 2 & \cdot \\ \cdot & -1 \cdot 10^{-10} \end{pmatrix}$"
    )
    inexact = Jacobian.from_dense(np.array([[np.inf, -np.inf, np.nan]]))._repr_latex_()
    assert r"\infty & -\infty & \mathrm{nan}" in inexact
    assert BANDED._repr_latex_() is None


# matplotlib, in whose place stands what records the calls ------------------------------------------------------------


class Axes:
    def __init__(self):
        self.calls = []
        self.figure = SimpleNamespace(colorbar=lambda image, ax: self.calls.append(("colorbar", (), {})))

    def __getattr__(self, name):
        return lambda *args, **keywords: self.calls.append((name, args, keywords))


def test_spy_draws_on_the_axes_that_are_given():
    axes = Axes()
    assert BANDED.spy(ax=axes, markersize=5) is axes
    calls = {name: (args, keywords) for name, args, keywords in axes.calls}
    assert calls["set_xlabel"][0] == ("input (1000,)",) and calls["set_ylabel"][0] == ("output (998,)",)
    (drawn,), keywords = calls["spy"]
    assert drawn.nnz == 2994 and keywords == {"markersize": 5, "precision": "present"}


def test_a_heat_map_is_symmetric_about_zero():
    axes = Axes()
    J = Jacobian.from_dense(np.array([[1.0, -3.0], [np.inf, np.nan]]))
    assert J.heat_map(ax=axes) is axes
    calls = {name: (args, keywords) for name, args, keywords in axes.calls}
    (full,), keywords = calls["imshow"]
    np.testing.assert_array_equal(full, J.toarray())
    assert (keywords["vmin"], keywords["vmax"]) == (-3, 3) and "colorbar" in calls


def test_new_axes_are_made_where_none_are_given(monkeypatch):
    axes, pyplot = Axes(), ModuleType("matplotlib.pyplot")
    pyplot.subplots = lambda: (None, axes)
    monkeypatch.setitem(sys.modules, "matplotlib", ModuleType("matplotlib"))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    assert BANDED.spy() is axes and Jacobian.identity(2).heat_map() is axes


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (BANDED.spy, BANDED.heat_map):
        with pytest.raises(ImportError, match=r"pip install jacobi-calculus\[plot\]"):
            draw()
