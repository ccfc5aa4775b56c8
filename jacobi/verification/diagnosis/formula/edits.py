"""Repairs of a formula: the single edit of the user's own line that makes a wrong claim right."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import thread_time
from types import FunctionType
from typing import Any, TypeAlias

import numpy as np

from jacobi.finite_difference import fresh, measure
from jacobi.verification.claims import UnfitClaim, read
from jacobi.verification.diagnosis.formula.alterations import (
    arguments,
    axes,
    comparisons,
    constants,
    exponents,
    functions,
    indexes,
    orders,
    products,
    removals,
    scales,
    signs,
    transposes,
)
from jacobi.verification.diagnosis.formula.formula import Edit, Formula, formula_of
from jacobi.verification.diagnosis.formula.insertions import (
    decisions,
    diagonals,
    divisors,
    factors,
    masks,
    squares,
    terms,
)
from jacobi.verification.diagnosis.formula.source import Source, called_name, source_of
from jacobi.verification.evidence import Array, Evidence
from jacobi.verification.slips import SLIPS, Candidate
from jacobi.verification.watched import Watched

Generator: TypeAlias = Callable[[Formula], Iterator[Edit]]

COMMON, LITERALS, INSERTED, CONSTANTS = 0.9, 0.85, 0.8, 0.6  # how far a repair of this kind is to be trusted
EDITS: tuple[tuple[Generator, float], ...] = (  # the commonest first
    (comparisons, COMMON),  # before the signs: that of what is compared inverts the mask too
    (signs, COMMON),
    (indexes, COMMON),
    (axes, COMMON),
    (transposes, COMMON),
    (orders, COMMON),
    (products, COMMON),
    (functions, COMMON),
    (exponents, COMMON),
    (removals, LITERALS),
    (constants, LITERALS),
    (scales, CONSTANTS),
    (arguments, COMMON),
    (diagonals, COMMON),
    (decisions, COMMON),
    (squares, INSERTED),
    (masks, INSERTED),
    (factors, INSERTED),
    (terms, INSERTED),
    (divisors, CONSTANTS),
)

MOST_EDITS = 3000
MOST_SECONDS = 1.2
MOST_ENTRIES = 2.5e7  # of an array that an edit could make by accident
NEARBY = 0.05  # how far the points for confirmation lie from the given one, relative to its entries
POINTS = 2
WHOLE = {-1.0: "sign_flip", 2.0: "factor_two_missing", 0.5: "factor_two_extra"}  # by right / given


def edits(evidence: Evidence) -> list[Candidate]:
    """The single edits of the claim's formula that make it right, the best first.

    An edit is reported if the edited function equals the established derivative at the given point, on every entry, and
    at random points nearby, along random directions.  The function itself is never changed; only functions are edited
    that do nothing but compute a result, and whose source is certain.

    Parameters
    ----------
    evidence : Evidence
        What is known about a wrong claim.

    Returns
    -------
    list of Candidate
        At most one for each identifier; empty if the claim is no function whose source is at hand.

    Examples
    --------
    >>> x, known = np.array([0.5, 1.0, 2.0]), np.ones((1, 3), dtype=bool)
    >>> f, claim = lambda x: np.sum(np.sin(x) * x), lambda x: np.cos(x) * x + np.cos(x)
    >>> right, given = np.cos(x) * x + np.sin(x), claim(x)
    >>> evidence = Evidence(
    ...     right[None], given, given[None], 1e-9 * known, known, (), (3,), "gradient", f, (x,), 0, claim
    ... )
    >>> best = edits(evidence)[0]
    >>> best.identifier, best.repair
    ('wrong_function', 'np.cos(x) * x + np.sin(x)')
    """
    if evidence.claim is None or not evidence.known.any():
        return []
    if evidence.claimed is not None and evidence.proves(evidence.claimed):
        return []
    source = source_of(plain(evidence.claim))
    if source is None or possible_entries(source, (*evidence.args, evidence.right)) > MOST_ENTRIES:
        return []
    with quiet():
        search = Search(source, evidence)
        found = list(search.candidates()) or list(search.candidates_in_helpers())
    return sorted(found, key=lambda candidate: -candidate.weight)


def plain(function: Any) -> Any:
    """The function that the user wrote."""
    return function.function if isinstance(function, Watched) else function


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings, and with NumPy's global random numbers as they were."""
    state = np.random.get_state()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)


def possible_entries(source: Source, values: Iterable[Any]) -> float:
    """How many entries an array may have that an edited formula makes of these values by accident."""
    arrays = [value for value in (*values, *source.around.values()) if isinstance(value, np.ndarray)]
    longest = float(max([1, *(length for array in arrays for length in array.shape)]))
    names = {called_name(node) for node in ast.walk(source.definition)}
    largest = float(max([1, *(array.size for array in arrays)])) if names & {"kron", "einsum"} else longest
    return max(largest**2, longest ** max([2, *(array.ndim for array in arrays)]))


class Search:
    """Tries the edits of one formula and keeps what the numbers prove.

    Parameters
    ----------
    source : Source
        The function to edit: the claim, or one that the claim calls.
    evidence : Evidence
        What is known about the claim.
    caller : Source, optional
        The claim, if the function to edit is called by it.
    """

    def __init__(self, source: Source, evidence: Evidence, caller: Source | None = None) -> None:
        self.source, self.evidence, self.caller = source, evidence, caller
        self.deadline = thread_time() + MOST_SECONDS
        self.nearby: list[tuple[tuple[Any, ...], Array, Array, Array]] | None = None

    def candidates_in_helpers(self) -> Iterator[Candidate]:
        """The edits of a function of the user that the claim calls."""
        for function in self.source.around.values():
            if not isinstance(function, FunctionType) or function is plain(self.evidence.f):
                continue
            helper = source_of(function)
            if helper is not None:
                search = Search(helper, self.evidence, self.source)
                search.deadline, search.nearby = self.deadline, self.nearby
                yield from search.candidates()

    def whole(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The claim, if the function to edit were this one."""
        if self.caller is None:
            return function
        name = next(name for name, value in self.caller.around.items() if value is self.source.function)
        return self.caller.calling(name, function).build()

    def candidates(self) -> Iterator[Candidate]:
        """The edits that repair the claim, one for each identifier."""
        before = self.value(self.whole(self.source.build()), self.evidence.args)
        if before is None or not same(before, self.evidence.given):
            return  # the source does not do what the claim did
        found: set[str] = set()
        tried = 0
        formula = self.formula()
        if possible_entries(self.source, formula.seen.values()) > MOST_ENTRIES:
            return
        for generator, weight in EDITS:
            for edit in generator(formula):
                tried += 1
                if tried > MOST_EDITS or thread_time() > self.deadline:
                    return
                if edit.identifier in found or not self.repairs(edit):
                    continue
                identifier, weight_of_edit = self.named(edit, weight, formula)
                if identifier not in found:
                    found |= {identifier, edit.identifier}
                    yield self.candidate(identifier, edit, weight_of_edit)

    def value(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """What a function returns, or None for an error: an edit that cannot be computed does not fit."""
        try:
            return function(*fresh(args))
        except Exception:
            return None

    def edited(self, edit: Edit) -> Callable[..., Any] | None:
        """The function with an edit; None if that is no Python."""
        for place, new in edit.replacements:
            place.put(ast.copy_location(new, place.node))
        try:
            return self.whole(self.source.build())
        except (SyntaxError, ValueError, TypeError, KeyError):
            return None
        finally:
            for place, _ in reversed(edit.replacements):
                place.put(place.node)

    def matrix(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Array | None:
        """What a function returns, in numerator layout."""
        value, evidence = self.value(function, args), self.evidence
        try:
            return read(value, evidence.layout, "C", evidence.out_shape, evidence.in_shape).dense()
        except (UnfitClaim, TypeError, ValueError):
            return None

    def repairs(self, edit: Edit) -> bool:
        """Whether an edit makes the claim right, at the given point and nearby."""
        function = self.edited(edit)
        matrix = None if function is None else self.matrix(function, self.evidence.args)
        if function is None or matrix is None or not self.evidence.proves(matrix):
            return False
        if not self.evidence.right[self.evidence.known].any() and not edit.identifier.startswith("mask"):
            return False  # too much is zero to tell which edit is meant
        if self.nearby is None:
            self.nearby = list(self.slopes())
        return bool(self.nearby) and all(self.confirmed(function, *point) for point in self.nearby)

    def formula(self) -> Formula:
        """The formula, with the values at a point nearby if it can be computed there: it is less special."""
        evidence, called = self.evidence, list[tuple[Any, ...]]()

        def record(*args: Any, **keywords: Any) -> Any:
            called.append(fresh(args))
            return function(*args, **keywords)

        function = self.source.build()
        nearby = self.moved(evidence.argnum % len(evidence.args), NEARBY, np.random.default_rng(1))
        args = nearby if self.value(self.whole(record), nearby) is not None else evidence.args
        if args is evidence.args:
            self.value(self.whole(record), args)
        if self.caller is not None:
            return formula_of(self.source, None, called[-1] if called else ())
        return formula_of(self.source, plain(evidence.f), args)

    def slopes(self) -> Iterator[tuple[tuple[Any, ...], Array, Array, Array]]:
        """Points nearby: the arguments, a direction, the slope of the function along it and a bound on its error."""
        evidence, random = self.evidence, np.random.default_rng(0)
        position, good = evidence.argnum % len(evidence.args), 0
        for shrink in (1.0, 1.0, 0.1, 0.1, 0.01):
            if good == POINTS:
                return
            args = self.moved(position, shrink * NEARBY, random)
            x = np.asarray(args[position], dtype=np.float64)
            direction = scale(x) * random.standard_normal(x.shape)

            def along(t: Any, args: tuple[Any, ...] = args, direction: Array = direction) -> Any:
                there = args[position] + t * direction
                return evidence.f(*args[:position], there, *args[position + 1 :])

            try:
                slope = measure(along, (0.0,))
            except Exception:  # no values there
                continue
            if np.isfinite(slope.error).any() and len(slope.value) == len(evidence.right):
                good += 1
                yield args, direction.ravel(), slope.value[:, 0], slope.error[:, 0]

    def moved(self, position: int, by: float, random: np.random.Generator) -> tuple[Any, ...]:
        """The arguments at a random point nearby."""
        args = list(fresh(self.evidence.args))
        x = np.asarray(args[position], dtype=np.float64)
        moved = x + by * scale(x) * random.uniform(-1.0, 1.0, x.shape)
        if getattr(args[position], "dtype", None) == np.float32:
            moved = moved.astype(np.float32)
        args[position] = moved if moved.ndim else moved[()]
        return tuple(args)

    def confirmed(
        self, function: Callable[..., Any], args: tuple[Any, ...], direction: Array, slope: Array, error: Array
    ) -> bool:
        """Whether an edited claim gives the slope of the function along a direction."""
        matrix = self.matrix(function, args)
        if matrix is None:
            return False
        size = np.abs(matrix) @ np.abs(direction)
        known = error <= 1e-3 * np.max(size)
        tolerance = np.where(self.evidence.known, self.evidence.tolerance, 0.0) @ np.abs(direction)
        near = np.abs(matrix @ direction - slope) <= 5.0 * error + tolerance + 1e-10 * size
        return bool(known.any() and np.all(near | ~known)) or not (size.any() or slope.any())

    def named(self, edit: Edit, weight: float, formula: Formula) -> tuple[str, float]:
        """The identifier of a repair; that of the whole if it changes all entries by one factor."""
        claimed, right, known = self.evidence.claimed, self.evidence.right, self.evidence.known
        if edit.identifier.startswith("one_over_n"):
            return edit.identifier, INSERTED
        if edit.identifier == "mask_missing" and not formula.decides:
            return edit.identifier, COMMON  # a formula without a case distinction has none in a wrong place
        if edit.identifier not in ("coefficient", "term_sign", "sign_flip") or claimed is None:
            return edit.identifier, weight
        size = float(claimed[known] @ claimed[known])
        ratio = float(claimed[known] @ right[known]) / size if size else 0.0
        if self.evidence.proves(ratio * claimed) and self.off_by(ratio):
            large = dict.fromkeys((float(size) for size in formula.sizes), "one_over_n_extra")
            small = dict.fromkeys((1.0 / size for size in formula.sizes), "one_over_n_missing")
            for factor, identifier in (large | small | WHOLE).items():
                if abs(ratio - factor) <= 1e-6 * abs(factor):
                    return identifier, COMMON
        return ("term_sign" if edit.identifier == "sign_flip" else edit.identifier), weight

    def off_by(self, ratio: float) -> bool:
        """Whether the claim is off by a factor nearby as well."""
        before = self.whole(self.source.build())

        def repaired(*args: Any) -> Any:
            return ratio * np.asarray(before(*args))

        return all(self.confirmed(repaired, *point) for point in self.nearby or ())

    def candidate(self, identifier: str, edit: Edit, weight: float) -> Candidate:
        """The edit in words, with the line before and after."""
        statements = list({id(place.statement): place.statement for place, _ in edit.replacements}.values())
        before = [written(statement) for statement in statements]
        for place, new in edit.replacements:
            place.put(new)
        after = [written(statement) for statement in statements]
        for place, _ in reversed(edit.replacements):
            place.put(place.node)
        changes = [
            f"line {getattr(statement, 'lineno', 0)}: `{old}` should be `{new}`"
            for statement, old, new in zip(statements, before, after, strict=True)
        ]
        sentence = f"{edit.what or SLIPS[identifier]}: {'; '.join(changes)}"
        return Candidate(identifier, sentence, "; ".join(after), weight)


def scale(x: Array) -> Array:
    """The natural size of each entry of a point."""
    magnitude = np.abs(x)
    usual = float(np.median(magnitude[magnitude > 0])) if magnitude.any() else 1.0
    return np.where(magnitude > 0.05 * usual, magnitude, usual)


def same(value: Any, given: Array) -> bool:
    """Whether a value has the numbers of the claim."""
    dense = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    return dense.shape == given.shape and bool(np.allclose(dense, given, rtol=1e-9, atol=0.0, equal_nan=True))


def written(statement: ast.AST) -> str:
    """A statement as it is quoted: the formula it returns, the assignment, the condition."""
    if isinstance(statement, ast.Lambda):
        return ast.unparse(statement.body)
    if isinstance(statement, ast.If):
        return f"if {ast.unparse(statement.test)}"
    if isinstance(statement, ast.Return) and statement.value is not None:
        return ast.unparse(statement.value)
    return ast.unparse(statement)
