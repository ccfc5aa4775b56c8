"""A report says the same in every format, survives whatever stands in a name, and golden files see what has changed."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import jacobi as jb
from jacobi.verification import drawing, golden
from jacobi.verification.check import check
from jacobi.verification.rendering import apart, rounded_up
from jacobi.verification.report import Entry, Report
from jacobi.verification.slips import SLIPS, Candidate

NASTY = "<script>alert('`x|y`')</script>\n| a *b* [c](d) \\ $e$ &amp; \"q\""


def squares(x):
    return x**2


def half(x):
    return np.diag(x)


def right(x):
    return np.diag(2 * x)


def of(reference, claimed, verdicts=None, **fields):
    """A report of given matrices, with the verdicts that exact numbers give."""
    reference, claimed = np.asarray(reference, float), np.asarray(claimed, float)
    verdicts = np.where(reference == claimed, "correct", "wrong") if verdicts is None else np.asarray(verdicts)
    order = ("wrong", "undecidable", "correct")
    total = next(name for name in order if (verdicts == name).any())
    fields = {"out_shape": reference.shape[:1], "in_shape": reference.shape[1:], **fields}
    error = fields.pop("error", np.zeros(reference.shape))
    return Report(total, reference=reference, claimed=claimed, error=error, verdicts=verdicts, **fields)


@pytest.fixture
def wrong():
    kinked = np.array([["wrong", "correct", "undecidable"], ["correct"] * 3])
    worst = (
        Entry((0,), (0, 0), -1.0, 1.0, 1.2e-12, "wrong"),
        Entry((0,), (0, 2), 0.25, np.nan, np.inf, "undecidable", 0.0, 1.0),
    )
    return of(
        [[1, 2, np.nan], [3, 4, 0]],
        [[-1, 2, 0.25], [3, 4, 0]],
        kinked,
        in_shape=(1, 3),
        diagnosis="wrong_entry",
        explanation="only y[0] by x[0, 0] is wrong:\n it has the opposite sign.",
        candidates=(Candidate("wrong_entry", "it", "-1", 0.9), Candidate("wrong_row", "the row", "", 0.1)),
        worst=worst,
        max_error=2.0,
        tolerance=1.2e-12,
        resolution=3.1e-10,
        notes=("the function changed its argument",),
        calls=31,
        claim_calls=1,
        method="every entry",
        function="loss",
        claim="dloss",
        replay="jb.check(loss, dloss, x)",
        points=(Report("correct"), Report("wrong"), Report("correct")),
    )


def test_the_text(wrong):
    assert str(wrong).splitlines() == [
        "wrong: dloss as the derivative of loss, 2 x 3, numerator layout",
        "  wrong_entry: only y[0] by x[0, 0] is wrong: it has the opposite sign.",
        "    output  input    claimed  reference  ratio  slopes left, right",
        "    y[0]    x[0, 0]  -1       1 ± 2e-12  -1",
        "    y[0]    x[0, 2]  0.25     kink       -      0, 1",
        "  also fits: wrong_row: the row",
        "  largest error: 2, where 2e-12 would pass",
        "  note: the function changed its argument",
        "  other points: 2 correct, 1 wrong",
        "  resolution: a relative error above 4e-10 would have been seen",
        "  cost: every entry; 31 calls of the function, 1 call of the claim; seed 0",
        "  repeat with: jb.check(loss, dloss, x)",
    ]
    assert repr(wrong) == "<Report: wrong (wrong_entry)>"
    assert repr(Report("undecidable", reason="kink")) == "<Report: undecidable (kink)>"


def test_a_diagnosis_without_a_sentence_gets_the_general_one():
    assert SLIPS["sign_flip"] in str(Report("wrong", diagnosis="sign_flip"))


def test_five_entries_are_shown():
    entries = tuple(Entry((k,), (0,), 1.0, 2.0, 0.0, "wrong") for k in range(7))
    shown = re.findall(r"^    y\[", str(Report("wrong", worst=entries)), re.M)
    assert len(shown) == 5


def test_a_correct_claim_shows_no_rounding_errors(wrong):
    report = Report("correct", worst=wrong.worst, max_error=3e-17, tolerance=1e-12)
    assert str(report) == "correct: the claim as the derivative of the function, 1 x 1, numerator layout"


@pytest.mark.parametrize("first, second", [(1.0, 1.0000001), (5.0, 5 + 1e-14), (-3.0, 3.0), (np.nan, 1.0), (2.0, 2.0)])
def test_numbers_that_differ_look_different(first, second):
    words = apart(first, second)
    assert (words[0] == words[1]) == (first == second)


@pytest.mark.parametrize("bound", [0.0, 3e-9, 9.5e-10, 1e-300, 5e-324, 1.0, 12.0])
def test_bounds_are_rounded_up_to_one_digit(bound):
    written = rounded_up(bound)
    assert float(written) >= bound * (1 - 1e-12)
    assert float(written) <= max(2 * bound, 5e-324)
    assert len(written.split("e")[0].replace(".", "").strip("0")) <= 1


@pytest.mark.parametrize("bound", [np.inf, np.nan])
def test_bounds_that_are_none(bound):
    assert rounded_up(bound) == str(bound)


def test_as_dict_is_json(wrong):
    content = json.loads(json.dumps(wrong.as_dict(), allow_nan=False))
    assert content["reference"] == [[1.0, 2.0, "nan"], [3.0, 4.0, 0.0]]
    assert content["worst"][1]["error"] == "inf"
    assert content["worst"][0]["input"] == [0, 0]
    assert content["candidates"][0]["identifier"] == "wrong_entry"
    assert [point["verdict"] for point in content["points"]] == ["correct", "wrong", "correct"]
    assert content["verdicts"][0][2] == "undecidable"
    assert set(content) == set(Report.__dataclass_fields__)


def test_large_arrays_are_left_out_of_the_dictionary():
    content = of(np.ones((200, 100)), np.ones((200, 100))).as_dict()
    assert content["reference"] == {"shape": [200, 100], "omitted": 20_000}
    assert of(np.ones((2, 3)), np.ones((2, 3))).as_dict(limit=None)["reference"] == [[1.0] * 3] * 2


def test_numpy_numbers_become_python_numbers():
    report = Report("correct", max_error=np.float32(0.5), calls=np.int64(3))
    content = report.as_dict()
    assert type(content["max_error"]) is float and type(content["calls"]) is int


# Markdown and HTML ------------------------------------------------------------------------------------------------


def test_markdown_has_one_cell_per_column(wrong):
    lines = [line for line in wrong.to_markdown().splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert len(lines) == 4 and bars == {7}
    assert wrong._repr_markdown_() == wrong.to_markdown()


@pytest.mark.parametrize("field", ["function", "claim", "explanation", "replay", "method", "reason"])
def test_nothing_from_the_user_is_markup(field):
    report = Report("wrong", calls=1, notes=(NASTY,), **{field: NASTY})
    markdown = report.to_markdown()
    assert "<" not in markdown
    assert not re.search(r"(?<!\\)[|`\[\]$]", markdown)
    assert all(line == "" or line.startswith("*") for line in markdown.splitlines())
    assert "<script" not in report.to_html() and "alert(&#x27;" in report.to_html()


class Outline(HTMLParser):
    """Checks that the elements of a page are closed in order, and collects what it refers to."""

    VOID = ("meta",)

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(page):
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_html_is_well_formed_and_self_contained(wrong):
    found = outline(wrong.to_html())
    assert found.links == [] and "script" not in found.tags
    assert found.tags.count("table") == 1 and found.tags.count("svg") == 1
    outline(wrong._repr_html_())
    assert wrong._repr_html_() in wrong.to_html()


def test_html_stands_on_dark_ground(wrong):
    page = wrong.to_html()
    assert "light-dark(" in page and "currentColor" in page
    assert re.findall(r"background: (\w+)", page) == ["transparent"] * 3
    assert "#fff" not in page and "#000" not in page


def svg_of(report):
    return ET.fromstring(re.search(r"<svg.*</svg>", report.to_html(), re.S)[0])


def cells_of(svg, verdict):
    return [cell for cell in svg.iter("{http://www.w3.org/2000/svg}g") if cell.get("class") == verdict]


def test_the_picture_has_a_cell_for_every_entry(wrong):
    svg = svg_of(wrong)
    assert [len(cells_of(svg, verdict)) for verdict in ("wrong", "undecidable", "correct")] == [1, 1, 4]
    titles = [cell[0].text for cell in cells_of(svg, "wrong")]
    assert titles == ["row 0, column 0: wrong, claimed -1, established 1"]
    hatched = [cell for verdict in drawing.VERDICTS for cell in cells_of(svg, verdict) if len(cell) == 3]
    assert hatched == cells_of(svg, "undecidable")


def test_a_large_matrix_is_drawn_in_blocks_that_hide_no_wrong_entry():
    claimed = np.ones((300, 130))
    claimed[77, 100] = 1 + 1e-6
    report = of(np.ones((300, 130)), claimed)
    heat = drawing.heat_map(report)
    assert heat.verdicts.shape == (40, 40)
    (i,), (j,) = np.nonzero(heat.verdicts == drawing.VERDICTS.index("wrong"))
    assert heat.edges[0][i] <= 77 < heat.edges[0][i + 1] and heat.edges[1][j] <= 100 < heat.edges[1][j + 1]
    assert len(cells_of(svg_of(report), "wrong")) == 1


def test_the_colour_grows_with_the_relative_error():
    reference = np.full((1, 5), 1e-9)
    heat = drawing.heat_map(of(reference, reference * (1 - np.array([1e-12, 1e-9, 1e-6, 1e-3, 1]))))
    assert np.all(np.diff(heat.strength[0]) > 0) and heat.strength[0, -1] == 1
    assert drawing.heat_map(of([[np.nan, 1.0]], [[2.0, 1.0]])).strength[0, 0] == 1, "wrong beside a kink"


@pytest.mark.parametrize(
    "report",
    [Report("invalid"), Report("wrong", reference=np.eye(2)), of(np.ones((0, 3)), np.ones((0, 3)), [["wrong"]])],
)
def test_without_entries_there_is_no_picture(report):
    assert drawing.heat_map(report) is None
    outline(report.to_html())
    with pytest.raises(jb.errors.InputError, match="no entries to draw"):
        report.plot()


def test_plotting_without_matplotlib_says_what_to_install(wrong, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install jacobi-calculus\[plot\]"):
        wrong.plot()


class Canvas:
    """Axes that write down what is drawn on them."""

    def __init__(self):
        self.drawn = {}

    def __getattr__(self, name):
        return lambda *arguments, **options: self.drawn.setdefault(name, []).append((arguments, options))


def test_what_is_plotted(wrong):
    canvas = Canvas()
    assert wrong.plot(canvas) is canvas
    (image,), options = canvas.drawn["imshow"][0]
    assert image.shape == (2, 3, 4) and options["extent"] == (-0.5, 2.5, 1.5, -0.5)
    assert tuple(image[0, 0, :3]) == drawing.COLOURS["wrong"] and tuple(image[0, 1, :3]) == drawing.COLOURS["correct"]
    (corners, _), hatched = canvas.drawn["fill"][0]
    assert len(canvas.drawn["fill"]) == 1 and corners.tolist() == [1.5, 2.5, 2.5, 1.5] and hatched["hatch"]


def test_matplotlib_draws_it(wrong):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = wrong.plot()
    ax.figure.canvas.draw()
    assert ax.get_title() == "wrong: wrong_entry"
    __import__("matplotlib.pyplot").pyplot.close(ax.figure)


# Entries and golden files -----------------------------------------------------------------------------------------


def test_entries_are_the_matrix_in_order(wrong):
    entries = wrong.entries
    assert list(zip(entries["row"], entries["column"], strict=True)) == list(np.ndindex(2, 3))
    assert entries["input"].tolist()[2] == [0, 2] and entries["output"].tolist()[2] == [0]
    np.testing.assert_array_equal(entries["reference"].reshape(2, 3), wrong.reference)
    kink = entries[entries["verdict"] == "undecidable"]
    assert (kink["left"], kink["right"]) == (0.0, 1.0)
    assert np.isnan(entries["left"]).sum() == 5


def test_entries_without_a_matrix_are_the_worst():
    report = Report("wrong", worst=(Entry((), (1, 1), 1.0, 2.0, 0.0, "wrong"),), in_shape=(2, 3))
    assert report.entries["column"].tolist() == [4] and report.entries["row"].tolist() == [0]
    assert Report("invalid").entries.shape == (0,)


def test_a_golden_file_keeps_all_digits_and_kinks(tmp_path):
    reference = np.array([[0.1, 1 / 3, np.nan], [np.pi, -0.0, 1e-300]])
    report = of(reference, np.nan_to_num(reference), error=np.where(np.isnan(reference), np.inf, 0))
    report.save(tmp_path / "golden.json")
    assert report.compare(tmp_path / "golden.json")
    assert str(report.compare(tmp_path / "golden.json")) == "it still holds"
    content = json.loads((tmp_path / "golden.json").read_text())
    np.testing.assert_array_equal(golden.numbers(content["reference"], (2, 3)), reference)


CHANGES = {
    "the derivative": (lambda r: {"reference": r.reference * 1.001}, "entries of the derivative have changed"),
    "the claim": (
        lambda r: {"claimed": np.add(r.claimed, [[0, 1e-9], [0, 0]])},
        r"1 of 4 claimed entries .* y\[0\], x\[1\]",
    ),
    "a kink": (lambda r: {"reference": np.array([[np.nan, 2], [3, 4.0]])}, "1 of 4 entries of the derivative"),
    "the claim is lost": (lambda r: {"claimed": np.full((2, 2), np.nan)}, "4 of 4 claimed"),
    "the verdict": (lambda r: {"verdict": "undecidable"}, "the verdict was correct and is undecidable"),
    "the shape": (lambda r: {"in_shape": (2, 1)}, r"the argument had shape \(2,\) and has shape \(2, 1\)"),
    "no entries": (lambda r: {"reference": None}, "no entries to compare"),
}


@pytest.mark.parametrize("change, message", CHANGES.values(), ids=CHANGES)
def test_what_has_changed(change, message, tmp_path):
    report = of([[1, 2], [3, 4]], [[1, 2], [3, 4]], error=np.full((2, 2), 1e-12))
    report.save(tmp_path / "golden.json")
    for name, value in change(report).items():
        setattr(report, name, value)
    comparison = report.compare(tmp_path / "golden.json")
    assert not comparison
    assert re.search(message, str(comparison))


def test_error_bounds_are_no_change(tmp_path):
    report = of([[1, 2]], [[1, 2]], error=np.array([[1e-9, 1e-9]]))
    report.save(tmp_path / "golden.json")
    report.reference = np.add(report.reference, [[1.5e-9, 0]])
    report.claimed = report.claimed * (1 + 4e-16)
    assert report.compare(tmp_path / "golden.json")


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(jb.errors.InputError, match=r"invalid.*Save the report of a check of every entry"):
        Report("invalid").save(tmp_path / "golden.json")
    assert not (tmp_path / "golden.json").exists()


# The reports of real checks ---------------------------------------------------------------------------------------


def test_the_report_of_a_check():
    report = check(squares, half, np.array([1.0, 2.0]))
    lines = str(report).splitlines()
    assert lines[0] == "wrong: half as the derivative of squares, 2 x 2, numerator layout"
    assert lines[1].startswith("  factor_two_missing: ")
    assert any(line.endswith("0.5") for line in lines[2:5])
    assert "2 x 2" in report.to_markdown() and outline(report.to_html()).tags.count("svg") == 1
    json.dumps(report.as_dict(), allow_nan=False)
    assert len(report.entries) == 4


def test_a_check_against_its_golden_file(tmp_path):
    x = np.array([1.0, 2.0])
    check(squares, right, x).save(tmp_path / "squares.json")
    assert check(lambda x: x * x, lambda x: 2 * np.diag(x), x).compare(tmp_path / "squares.json")
    assert not check(squares, half, x).compare(tmp_path / "squares.json")
    assert not check(squares, right, 2 * x).compare(tmp_path / "squares.json")


def test_the_text_of_a_check_is_the_same_each_time():
    texts = {str(check(squares, half, np.array([1.0, 2.0]))) for _ in range(3)}
    assert len(texts) == 1
