"""The pytest plugin: derivatives are checked with the seed and the budget of the session.

It is loaded by pytest where the distribution is installed, and does nothing until it is used:

* the fixture ``jacobian_check(f, df, x)`` is `jacobi.testing.assert_jacobian` with the options of the session;
* ``@pytest.mark.jacobian(points=5)`` gives it options for one test;
* the functions of test modules that are paired with their derivatives by `jacobi.verified` become tests, and those of
  other modules with ``--jacobi-verified=MODULE``.

This file imports nothing but pytest, and the rest of the library when a derivative is checked.  What it cannot avoid
is that Python runs ``jacobi/__init__.py`` before any module of the package: whatever that file imports, every session
of pytest pays for.  ``-p no:jacobi`` switches the plugin off.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from jacobi.verification.report import Report
    from jacobi.verification.verified import Pair

PROPERTY = "jacobi_resolution"  # the name under which a test report carries what was checked
SHOWN = 5  # lines of the summary


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("jacobi", "derivatives")
    group.addoption("--jacobi-seed", type=int, default=0, metavar="N", help="seed of all checks of derivatives")
    group.addoption("--jacobi-budget", type=number, metavar="N", help="budget of a check of a derivative")
    group.addoption(
        "--jacobi-verified",
        action="append",
        default=[],
        metavar="MODULE",
        help="check the verified functions of a module",
    )
    group.addoption(
        "--jacobi-shape",
        action="append",
        default=[],
        metavar="NAME=SIZES",
        help="shape of an argument of verified functions that do not say where to check them: x=3,4",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "jacobian(**options): options of jacobian_check for this test, such as points=5")


def number(text: str) -> float:
    """An integer or a floating number, as it was written."""
    return int(text) if text.strip().isdigit() else float(text)


def session_options(config: pytest.Config) -> dict[str, Any]:
    """The options of a check that hold for the session."""
    options = {"rng": config.getoption("--jacobi-seed"), "budget": config.getoption("--jacobi-budget")}
    return {name: value for name, value in options.items() if value is not None}


def checked(item: pytest.Item, f: Any, claim: Any, *args: Any, **options: Any) -> Report:
    """`assert_jacobian`, with the resolution kept in the report of the test."""
    __tracebackhide__ = True
    from jacobi.testing import assert_jacobian

    report = None
    try:
        report = assert_jacobian(f, claim, *args, **options)
    except AssertionError as error:
        report = getattr(error, "report", None)
        raise
    finally:
        if report is not None:
            what = f"{report.claim or 'the claim'} of {report.function or 'the function'}"
            item.user_properties.append((PROPERTY, [float(report.resolution), what]))
    return report


@pytest.fixture
def jacobian_check(request: pytest.FixtureRequest) -> Callable[..., Report]:
    """``jacobian_check(f, df, *args, **options)``: fail unless ``df`` is the derivative of ``f`` at this point."""
    options = session_options(request.config)
    for mark in reversed(list(request.node.iter_markers("jacobian"))):  # the closest mark comes last and wins
        options |= mark.kwargs

    def check(f: Any, claim: Any, *args: Any, **own: Any) -> Report:
        __tracebackhide__ = True
        return checked(request.node, f, claim, *args, **{**options, **own})

    return check


# Verified functions as tests --------------------------------------------------------------------------------------


class PairItem(pytest.Item):
    """The test of a function that is paired with its derivative."""

    def __init__(self, *, pair: Pair, **keywords: Any):
        super().__init__(**keywords)
        self.pair = pair

    def runtest(self) -> None:
        """Check the pair, or skip it where nothing says at which point."""
        __tracebackhide__ = True
        import numpy as np

        from jacobi.verification.sampling import MissingArguments, named_shape

        options = session_options(self.config)
        shapes = dict(map(named_shape, self.config.getoption("--jacobi-shape")))
        try:
            arguments = self.pair.arguments(np.random.default_rng(options["rng"]), shapes)
        except MissingArguments as error:
            cures = " ".join(f"--jacobi-shape {name}=SIZES" for name in error.names)
            pytest.skip(f"{error}: give at= to verified, or {cures} to pytest")
        pair = self.pair
        checked(self, pair.function, pair.derivative, *arguments, argnum=pair.argnum, layout=pair.layout, **options)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report alone: the traceback of a wrong derivative says nothing more."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the function is defined."""
        code = getattr(self.pair.function, "__code__", None)
        if code is None:
            return self.path, None, self.name
        return Path(code.co_filename), code.co_firstlineno - 1, self.name


def items_of(parent: pytest.Collector, module: Any, name: str = "") -> list[PairItem]:
    """The tests of the pairs of a module; none, and nothing is imported, where nobody pairs anything."""
    verified = sys.modules.get("jacobi.verification.verified")
    if verified is None:
        return []
    names: dict[str, int] = {}
    items = []
    for pair in verified.pairs_of(module):
        names[pair.name] = names.get(pair.name, 0) + 1
        repeated = f"[{names[pair.name]}]" if names[pair.name] > 1 else ""
        nodeid = f"{name}::{pair.name}{repeated}" if name else None  # None: that of the parent
        items.append(PairItem.from_parent(parent, name=f"{pair.name}{repeated}", nodeid=nodeid, pair=pair))
    return items


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Add the pairs of a test module to its tests."""
    report = yield
    if type(collector) is pytest.Module and report.passed:  # a subclass collects something else, such as doctests
        report.result = [*(report.result or []), *items_of(collector, collector.obj)]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the pairs of the modules that the command line names."""
    for name in config.getoption("--jacobi-verified"):
        try:
            module = import_module(name)
        except ImportError as error:
            raise pytest.UsageError(f"--jacobi-verified={name}: {error}") from error
        found = items_of(session, module, name)
        if not found:
            raise pytest.UsageError(f"--jacobi-verified={name}: no function in it is decorated with jacobi.verified")
        present = {id(item.pair) for item in items if isinstance(item, PairItem)}
        items += [item for item in found if id(item.pair) not in present]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the checks with the worst resolutions: those that would have seen least."""
    resolutions = [
        (*value, report.nodeid)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if not resolutions:
        return
    # NaN, where nothing was decided, is the worst
    resolutions.sort(key=lambda line: line[0] if line[0] == line[0] else float("inf"), reverse=True)
    seed = config.getoption("--jacobi-seed")
    terminalreporter.section(f"derivatives: {len(resolutions)} checked, seed {seed}, coarsest resolutions")
    for resolution, what, nodeid in resolutions[:SHOWN]:
        terminalreporter.line(f"{resolution:8.1e}  {what}  {nodeid}")
