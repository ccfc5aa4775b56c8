"""Circuits show the right numbers, nothing on them overlaps, large ones are folded, and they can be saved."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from circuits import (
    EVERY,
    NOTES,
    OTHERS,
    SCALAR,
    neuron,
    of_parameters,
    patterns,
    product_of_sum,
    recurrent,
    sigmoid_neuron,
    staged,
    stencil,
    straight,
    trajectory,
)
from geometry import SVG, Picture

import jacobi as jb
from jacobi.pictures import converters
from jacobi.pictures.diagram import LARGEST
from jacobi.pictures.flow import flow
from jacobi.pictures.layering import Block, Link, crossings, layout, spread


def names(found):
    return [function.__name__ for function in found]


def drawn(f, *args, **options):
    return jb.circuit(f, *args, **options).diagram


def outlets(f, *args, **options):
    """What is written on the wires, by the box that they leave."""
    boxes = drawn(f, *args, **options).boxes
    return [(" ".join(box.lines), *((out.value, out.gradient) for out in box.outlets)) for box in boxes[:-1]]


# The numbers ------------------------------------------------------------------------------------------------------


def test_the_product_of_a_sum_of_the_notes():
    assert outlets(product_of_sum, -2.0, 5.0, -4.0) == [
        ("x", ("−2", "−4")),
        ("y", ("5", "−4")),
        ("z", ("−4", "3")),
        ("+", ("3", "−4")),
        ("×", ("−12", "1")),
    ]


def test_the_neuron_of_the_notes():
    # As the figure of the notes, which rounds to two places.
    found = outlets(sigmoid_neuron, *NOTES[sigmoid_neuron], digits=2)
    assert found == [
        ("w0", ("2", "−0.2")),
        ("x0", ("−1", "0.39")),
        ("w1", ("−3", "−0.39")),
        ("x1", ("−2", "−0.59")),
        ("w2", ("−3", "0.2")),
        ("×", ("−2", "0.2")),
        ("×", ("6", "0.2")),
        ("+", ("4", "0.2")),
        ("+", ("1", "0.2")),
        ("× −1", ("−1", "−0.2")),
        ("exp", ("0.37", "−0.53")),
        ("+ 1", ("1.4", "−0.53")),
        ("1 / ·", ("0.73", "1")),
    ]


def test_the_gates_of_the_notes():
    assert dict(entry for entry in outlets(patterns, *NOTES[patterns]) if entry[0] in "xyzw") == {
        "x": ("3", "−8"),
        "y": ("−4", "6"),
        "z": ("2", "2"),
        "w": ("−1", "0"),
    }


@pytest.mark.parametrize("f", SCALAR, ids=names(SCALAR))
def test_the_gradients_at_the_inputs(f):
    args = SCALAR[f]
    found = flow(f, args, None)
    wanted = jb.gradient(f, argnums=tuple(range(len(args))))(*args)
    inputs = [step for step in found.steps if step.number in found.names]
    assert len(inputs) == len(args)
    for step, gradient in zip(inputs, wanted, strict=True):
        np.testing.assert_allclose(found.totals[step.number].tensor().reshape(np.shape(gradient)), gradient, rtol=1e-12)


@pytest.mark.parametrize("f", EVERY, ids=names(EVERY))
def test_the_gradient_of_a_variable_is_the_sum_over_its_wires(f):
    found = flow(f, EVERY[f], None)
    for step in found.steps:
        wires = [(s.number, k) for s in found.steps for k, parent in s.parents if parent is step]
        shares = [found.shares[wire].toarray() for wire in wires if wire in found.shares]
        if step is not found.output and step.number in found.totals:
            np.testing.assert_allclose(sum(shares), found.totals[step.number].toarray(), rtol=1e-10, atol=1e-14)


def test_the_branches_of_a_wire_show_their_shares():
    diagram = drawn(staged, 3.0, -4.0)
    x = next(k for k, box in enumerate(diagram.boxes) if box.lines == ("x",))
    shares = [wire.share.replace("−", "-") for wire in diagram.wires if wire.source == x]
    total = diagram.boxes[x].outlets[0].gradient
    assert len(shares) == 3 and sum(map(float, shares)) == pytest.approx(float(total), abs=0.01)
    assert all(not wire.share for wire in drawn(product_of_sum, -2.0, 5.0, -4.0).wires)


def test_a_vector_output_shows_structures():
    found = outlets(stencil, np.arange(8.0))
    assert found[0] == ("u", ("(8,) norm 11.8", "banded 8×8"))
    assert [entry[0] for entry in found[2:]] == ["[2:]", "[1:-1]", "× 2", "−", "[:-2]", "+", "[1:-1] ="]
    assert found[1] == ("array", ("(8,) norm 0", ""))
    assert found[-1][1] == ("(8,) norm 0", "identity 8×8")


def test_the_text_of_a_box_holds_its_local_jacobians():
    boxes = {box.lines[0]: box for box in drawn(product_of_sum, -2.0, 5.0, -4.0).boxes}
    assert boxes["×"].title.splitlines()[1:] == ["by operand 1: −4", "by z: 3"]
    assert boxes["×"].title.startswith("numpy.multiply, circuits.py:")
    box = drawn(lambda w: w * np.array([1.0, 2.0]), np.ones(2)).boxes[1]
    assert box.title.splitlines()[1:] == ["by w: diagonal 2×2 [1 0; 0 2]"]
    assert drawn(np.abs, np.zeros(2)).boxes[1].title.endswith("at a kink: a convention gives the derivative")
    assert "kink" not in drawn(np.abs, np.ones(2)).boxes[1].title


@pytest.mark.parametrize(
    ("f", "lines"),
    [
        (lambda x: 1 - x, ("1 − ·",)),
        (lambda x: x - 1, ("− 1",)),
        (lambda x: 2 * x, ("× 2",)),
        (lambda x: 2**x, ("2 ** ·",)),
        (lambda x: x**3, ("** 3",)),
        (lambda x: np.maximum(0, x), ("max(0, ·)",)),
        (lambda x: np.ones((3, 2)) @ x, ("(3, 2) @ ·",)),
        (lambda x: np.sum(x, axis=0), ("sum", "axis=0")),
        (lambda x: x[..., [1, 0]], ("[..., array (2,)]",)),
        (lambda x: x[::-1], ("[::-1]",)),
        (lambda x: np.concatenate([x, x, [1.0]]), None),
    ],
)
def test_what_is_written_in_a_box(f, lines):
    operations = [box for box in drawn(f, np.array([0.5, 1.5])).boxes if box.kind == "operation"]
    assert len(operations) >= 1
    assert lines is None or operations[-1].lines == lines


def test_assignments_are_named_by_their_places():
    def f(x):
        y = np.zeros_like(x)
        y[0] = x[1]
        y[1:] = 2 * x[1:]
        return y

    assert drawn(f, np.ones(3)).boxes[-2].lines == ("[0], [1:] =",)


# The arguments ----------------------------------------------------------------------------------------------------


def test_arguments_have_their_names():
    def inputs(f, *args, **options):
        return [box.lines[0] for box in drawn(f, *args, **options).boxes if box.kind == "input"]

    assert inputs(of_parameters, *OTHERS[of_parameters]) == ["layer['W']", "layer['b']", "x"]
    assert inputs(np.maximum, 1.0, 2.0) in (["x0", "x1"], ["x1", "x2"])  # older ufuncs tell no names
    assert inputs(lambda x, *rest: x * rest[0] + rest[1], 1.0, 2.0, 3.0) == ["x", "rest[0]", "rest[1]"]
    assert inputs(lambda points: points[0] * points[1][0], [np.ones(2), (np.ones(2),)]) == ["points[0]", "points[1][0]"]


def test_what_is_not_differentiated_by_has_a_value_and_no_gradient():
    w, X, b = SCALAR[neuron]
    found = dict(entry[:2] for entry in outlets(neuron, w, X, b, argnums=0))
    assert found["X"][1] == "" and found["w"][1] != "" and "+ 0.5" in found
    labels = np.array([1, 0])
    scores = np.array([[1.0, 2.0], [3.0, 5.0]])
    picture = drawn(lambda s, rows: s[np.arange(2), rows].sum(), scores, labels)
    assert [box.lines[0] for box in picture.boxes] == ["s", "[array (2,), array (2,)]", "sum", "f"]


def test_integers_are_numbers():
    assert outlets(product_of_sum, -2, 5, -4) == outlets(product_of_sum, -2.0, 5.0, -4.0)


def test_an_argument_that_does_not_matter():
    assert outlets(lambda x, y: 3 * y, 1.0, 2.0)[0] == ("x", ("1", "0"))
    diagram = drawn(lambda x: np.ones(2), 1.0)
    assert not diagram.wires and diagram.boxes[-1].outlets[0].value == "[1, 1]"
    assert len(drawn(lambda x: x, 1.0).wires) == 1


def test_bad_requests():
    with pytest.raises(jb.errors.InputError, match="digits"):
        jb.circuit(np.sin, 1.0, digits=0)
    with pytest.raises(jb.errors.InputError):
        jb.circuit(np.sin, 1.0, argnums=1)


# The picture ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", EVERY, ids=names(EVERY))
def test_nothing_overlaps(f):
    svg = jb.circuit(f, *EVERY[f]).to_svg()
    assert list(Picture(svg).faults()) == []


def test_the_geometry_sees_an_overlap():
    svg = jb.circuit(product_of_sum, -2.0, 5.0, -4.0).to_svg()
    root = ElementTree.fromstring(svg)
    first, second, *_ = root.iter(f"{SVG}text")
    second.set("y", first.get("y")), second.set("x", first.get("x"))
    assert any("overlap" in fault for fault in Picture(ElementTree.tostring(root)).faults())
    box = next(root.iter(f"{SVG}rect"))
    box.set("x", str(float(box.get("x")) - 15))
    assert any("runs through" in fault for fault in Picture(ElementTree.tostring(root)).faults())


@pytest.mark.parametrize("f", EVERY, ids=names(EVERY))
def test_the_texts_of_a_diagram_are_on_its_picture(f):
    circuit = jb.circuit(f, *EVERY[f])
    boxes, wires = circuit.diagram.boxes, circuit.diagram.wires
    wanted = [line for box in boxes for line in box.lines]
    wanted += [text for box in boxes for out in box.outlets for text in (out.value, out.gradient) if text]
    wanted += [wire.share for wire in wires if wire.share]
    root = ElementTree.fromstring(circuit.to_svg())
    assert sorted(text.text for text in root.iter(f"{SVG}text")) == sorted(wanted)
    assert all(box.title in {title.text for title in root.iter(f"{SVG}title")} for box in boxes)


def test_a_picture_is_the_same_in_every_process():
    code = "import jacobi as jb; from circuits import *; print(jb.circuit(crowded, *SCALAR[crowded]).to_svg())"
    path = f"{Path(__file__).parent}:{Path(jb.__file__).parents[1]}"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONPATH": path, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and b"<svg" in runs[0]


def test_colours_suit_light_and_dark_pages():
    svg = jb.circuit(np.sin, 1.0)._repr_svg_()
    assert "prefers-color-scheme: dark" in svg and "currentColor" in svg
    assert "background" not in svg
    style = svg[svg.index("<style>") : svg.index("</style>")]
    rules = [line for line in style.splitlines()[1:] if "{" in line and not line.startswith("@")]
    assert all("jacobi-circuit" in rule for rule in rules)  # nothing else on the page is touched


# The layout -------------------------------------------------------------------------------------------------------


def test_heights_are_the_nearest_ones_that_keep_the_gaps():
    assert spread([5.0, 0.0, 20.0], [1.0, 1.0, 1.0], [2.0, 2.0]) == [1.5, 3.5, 20.0]
    assert spread([5.0, 0.0], [3.0, 1.0], [1.0]) == [3.5, 4.5]
    rng = np.random.default_rng(1)
    wanted, weights = rng.normal(size=6), rng.uniform(1, 2, size=6)
    found = np.array(spread(wanted, weights, [0.3] * 5))
    assert (np.diff(found) >= 0.3 - 1e-12).all()
    cost = np.sum(weights * (found - wanted) ** 2)
    for _ in range(200):
        other = found + rng.normal(scale=0.05, size=6)
        if (np.diff(other) >= 0.3).all():
            assert np.sum(weights * (other - wanted) ** 2) > cost - 1e-12


def test_a_tree_has_no_crossings():
    # Leaves in an order that crosses as much as it can.
    pairs = [(0, 6), (3, 6), (1, 7), (4, 7), (2, 8), (5, 8), (8, 9), (6, 9), (7, 10), (9, 10)]
    entered = [0] * 11
    links = []
    for source, target in pairs:
        links.append(Link(source, 0, target, entered[target]))
        entered[target] += 1
    blocks = [Block(0, 20, 20, 18, 18, tuple(18.0 * k for k in range(count)), (0.0,)) for count in entered]
    plan = layout(blocks, links)
    layers = [place.column for place in plan.places]
    order = [[] for _ in plan.columns]
    for number in sorted(range(len(layers)), key=lambda k: plan.places[k].y):
        order[layers[number]].append(number)
    assert crossings(order, layers, [s for tree in plan.trees.values() for s in tree]) == 0


# Folding ----------------------------------------------------------------------------------------------------------


def test_a_loop_is_folded():
    diagram = drawn(recurrent, *SCALAR[recurrent])
    assert [box.lines for box in diagram.boxes] == [
        ("x",),
        ("w",),
        ("30 rounds", "×  […]  +  tanh"),
        ("sum",),
        ("recurrent",),
    ]
    folded = diagram.boxes[2]
    assert folded.kind == "folded" and folded.title.startswith("120 operations\ncircuits.py:")
    # What the wires into a folded box show is what the whole function gives.
    by_w = jb.gradient(recurrent, 1)(*SCALAR[recurrent])
    assert float(diagram.boxes[1].outlets[0].gradient.replace("−", "-")) == pytest.approx(by_w, rel=1e-2)


def test_many_results_of_a_loop_leave_it_together():
    diagram = drawn(trajectory, *OTHERS[trajectory])
    assert [box.lines[0] for box in diagram.boxes] == ["x", "30 rounds", "stack", "trajectory"]
    assert diagram.boxes[1].outlets[0].value == "30 arrays"


def test_nested_loops_are_folded():
    def nested(x):
        for _ in range(4):
            for _ in range(16):
                x = np.sin(x)
            x = x * x
        return np.cos(x) + x

    rounds = [box.lines for box in drawn(nested, 0.5).boxes]
    assert rounds == [("x",), ("4 rounds", "sin  ×"), ("cos",), ("+",), ("nested",)]


def test_a_long_function_without_loops_is_folded_by_lines():
    diagram = drawn(straight, *OTHERS[straight])
    assert [box.kind for box in diagram.boxes] == ["input", "folded", "folded", "folded", "output"]
    assert [len(box.title.splitlines()) for box in diagram.boxes[1:-1]] == [2, 2, 2]


def test_many_lines_are_folded_evenly():
    source = "def long(x):\n" + "".join(
        f"    y{k} = np.sin({'x' if not k else f'y{k - 1}'}) * {k}.5\n" for k in range(90)
    )
    space = {"np": np}
    exec(compile(source + "    return y89\n", "long.py", "exec"), space)
    boxes = drawn(space["long"], 0.5).boxes
    assert LARGEST / 2 < sum(box.kind == "folded" for box in boxes) <= LARGEST


def test_a_short_loop_is_not_folded():
    def short(x):
        for _ in range(5):
            x = np.sin(x)
        return x

    assert [box.lines[0] for box in drawn(short, 0.5).boxes] == ["x", *5 * ["sin"], "short"]


def test_a_large_graph_takes_little_time():
    def long(x):
        for _ in range(3000):
            x = np.sin(x) * 1.01
        return x

    assert len(drawn(long, 0.5).boxes) == 3


# Files ------------------------------------------------------------------------------------------------------------


def test_saving(tmp_path):
    circuit = jb.circuit(product_of_sum, -2.0, 5.0, -4.0)
    for ending, beginning in ((".svg", "<svg"), (".html", "<!DOCTYPE html>"), (".dot", "digraph")):
        circuit.save(tmp_path / f"c{ending}")
        assert (tmp_path / f"c{ending}").read_text(encoding="utf-8").startswith(beginning)
    assert circuit.to_svg() in circuit.to_html()
    with pytest.raises(jb.errors.InputError, match=r"\.svg, \.html, \.dot, \.png"):
        circuit.save(tmp_path / "c.pdf")


def test_dot():
    dot = jb.circuit(lambda x: np.sum(x["a"] * 2), {"a": np.ones(2)}).to_dot()
    assert "n0 [label=\"x['a']\", shape=plaintext" in dot
    assert 'n0 -> n1 [label="[1, 1]\\n[2, 2]"];' in dot
    assert dot.count("->") == 3 and dot.endswith("}\n")


def test_a_png_needs_a_converter(tmp_path, monkeypatch):
    circuit = jb.circuit(np.sin, 1.0)
    monkeypatch.setattr(converters, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImportError, match=r"cairosvg .*rsvg-convert.*Save the picture as \.svg"):
        circuit.save(tmp_path / "c.png")
    program = tmp_path / "rsvg-convert"
    program.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:], sys.stdin.read()[:4])\n")
    program.chmod(0o755)
    circuit.save(tmp_path / "c.png")
    written = (tmp_path / "c.png").read_text()
    assert "--format=png" in written and written.endswith("<svg\n")
