"""Curves of time against size, on logarithmic axes, as SVG files that are the same for the same figures."""

import numpy as np

FAMILIES = {
    "elementwise": "elementwise",
    "Broyden tridiagonal, csr": "broyden",
    "Burgers, csr": "burgers",
    "Brusselator, csr": "brusselator",
}
GREY = "#7f8790"  # reads on white and on black
# Hues of middle lightness, for the same reason.
COLOURS = {
    "compiled": "#d9480f",
    "traced": "#e8890c",
    "by hand": "#2f9e44",
    "f": GREY,
    "JAX": "#1c7ed6",
    "JAX + asdex": "#1c7ed6",
    "JAX + sparsejac": "#4dabf7",
    "JAX, vmap": "#4dabf7",
    "PyTorch": "#9c36b5",
    "PyTorch, vmap": "#c77ddb",
    "CasADi": "#12a5a5",
    "CasADi, C code": "#12a5a5",
    "autograd": "#b08968",
    "SciPy differences": "#868e96",
    "numdifftools": "#ad8a00",
}
STYLES = {
    **dict.fromkeys(("JAX", "PyTorch", "CasADi, C code", "SciPy differences"), "--"),
    **dict.fromkeys(("JAX, vmap", "PyTorch, vmap"), "-."),
}
SETTINGS = {
    "svg.hashsalt": "jacobi",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def drawn(found, folder):
    """Write a picture for every family that was measured; the lines of the page that show them."""
    lines = []
    for name, file in FAMILIES.items():
        family = [figures for figures in found if figures.workload.name == name]
        if len(family) > 1:
            folder.mkdir(exist_ok=True)
            draw(family, folder / f"{file}.svg")
            lines += [f"![{name}: time of a call against the number of entries]({folder.name}/{file}.svg)", ""]
    return lines[:-1]


def draw(family, path):
    """One picture: a curve for every contestant."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
        for contestant in [c for c in COLOURS if any(c in figures.times for figures in family)]:
            points = [figures for figures in family if contestant in figures.times]
            sizes = [np.size(figures.workload.arguments[0]) for figures in points]
            times = [figures.times[contestant] for figures in points]
            axes.plot(
                sizes,
                times,
                STYLES.get(contestant, "-"),
                marker="o",
                markersize=3,
                color=COLOURS[contestant],
                linewidth=2.4 if contestant == "compiled" else 1.2,
                label=contestant,
            )
        slope_one(axes, family)
        axes.set(xscale="log", yscale="log", xlabel="entries of x", ylabel="seconds", title=family[0].workload.name)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, color=GREY, alpha=0.2, linewidth=0.6)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)


def slope_one(axes, family):
    """A thin line of slope 1, below the compiled time."""
    sizes = np.array([np.size(figures.workload.arguments[0]) for figures in family], float)
    line = family[-1].times["compiled"] * sizes / sizes[-1] / 3
    axes.plot(sizes, line, color=GREY, linewidth=0.7, linestyle=":", label="slope 1", zorder=0)
