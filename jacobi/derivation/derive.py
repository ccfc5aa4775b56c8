"""``derive``: the closed matrix formula of a derivative, with the way there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jacobi.derivation.algebra import contracted, transposed, variable
from jacobi.derivation.assumptions import identities_of
from jacobi.derivation.derivation import Derivation, Line, Verification
from jacobi.derivation.domain import domain_of
from jacobi.derivation.expression import Expression, Unreadable, within
from jacobi.derivation.formula import Formula
from jacobi.derivation.meaning import Meaning
from jacobi.derivation.program import read
from jacobi.derivation.reading import Reader
from jacobi.derivation.refusals import DerivationError, Mistaken
from jacobi.derivation.remarks import semidefinite
from jacobi.derivation.sizes import Sizes, assign
from jacobi.derivation.steps import Story
from jacobi.derivation.summands import sum_over_samples
from jacobi.derivation.tokens import letters_in
from jacobi.derivation.tracing import Traced, telling, traced
from jacobi.errors import InputError, JacobiError, at_users_line
from jacobi.expressions import Step
from jacobi.finite_difference import measure
from jacobi.notation.compose import transpose
from jacobi.notation.parts import parts, rebuilt
from jacobi.notation.tree import Apply, Entrywise, Tree
from jacobi.transforms import jacobian

POINTS = 2  # random points at which a formula is executed before it is shown
AGREEMENT = 1e-6
KINDS = ("positive definite", "positive")  # the assumptions that show the sign of a Hessian
ROUNDING = 1e-13
STRANGE = (TypeError, AttributeError, IndexError, KeyError)  # of operations that cannot be derived
MOST_SECONDS = 10.0
SKIPPED = (0, 3, 5)  # a number of the program may look like a size: then other sizes tell


def derive(
    expression: str | Callable[..., Any],
    wrt: str | None = None,
    shapes: Mapping[str, Any] | None = None,
    assume: Mapping[str, Any] | None = None,
    order: int = 1,
    vec: str = "C",
    layout: str = "numerator",
) -> Derivation:
    """Derive the closed matrix formula of a derivative.

    Parameters
    ----------
    expression : str or callable
        NumPy source text, such as ``"mean((y - X @ w)**2)"``, with names with or without ``np.``; or a Python function.
    wrt : str
        The argument to differentiate by; it may be left out where there is only one.
    shapes : dict, optional
        The shape of every argument: letters or numbers, ``{"X": ("N", "n"), "b": ()}``.  Shapes that are not given are
        found by running the expression, as far as it determines them.
    assume : dict, optional
        What holds of arguments: ``{"A": "symmetric"}``; also ``"positive definite"``, ``"orthogonal"``,
        ``"sum to one"``, ``"idempotent"``, ``"positive"`` and ``"y**2 = 1"``.
    order : {1, 2}
        2 for the Hessian of a scalar function.
    vec : {"C", "F"}
        How matrices are flattened: row by row as in NumPy, or column by column as in the ``vec`` of textbooks.
    layout : {"numerator", "denominator"}
        Rows by the entries of the result and columns by those of the argument, or the other way round.

    Returns
    -------
    Derivation
        The formula as text, LaTeX and NumPy source, and the steps; it can be called.

    Raises
    ------
    InputError
        For text that cannot be read, and shapes that contradict each other.
    DerivationError
        Where no formula can be given.  Every formula is executed and compared with the derivative before it is shown.

    Examples
    --------
    >>> d = derive("mean((y - maximum(0, X @ w + b))**2)", wrt="w",
    ...            shapes={"X": ("N", "n"), "w": ("n",), "b": (), "y": ("N",)})
    >>> print(d.formula)
    (2/N) (1[Xw + b > 0] ∘ (Xw + b - y))ᵀ X
    """
    if order not in (1, 2):
        raise InputError(at_users_line(f"order={order!r}", "Give 1 for the first derivative, 2 for the Hessian."))
    if layout not in ("numerator", "denominator"):
        cure = f"Write vec={layout!r}." if layout in ("C", "F") else "Give 'numerator' or 'denominator'."
        raise InputError(at_users_line(f"layout={layout!r}", cure))
    if vec not in ("C", "F"):
        raise InputError(at_users_line(f"vec={vec!r}", "Give 'C' for row by row, 'F' for column by column."))
    named = dict(shapes or {})
    program = read(expression, letters=[letter for letter in letters_in(named) if letter not in named])
    name = chosen(wrt, program.arguments)
    rng = np.random.default_rng(0)
    plain = {key: value for key, value in (assume or {}).items()}
    sizes = assign(program, shapes, rng, plain)
    found: list[Derivation] = []
    problem: Mistaken | None = None
    for skipped in SKIPPED:
        work = Work(sizes, name, plain, layout == "denominator", vec, skipped)
        try:
            with within(MOST_SECONDS):
                first = work.first(rng)
                derivation = first if order == 1 else work.second(first, rng)
        except Mistaken as mistake:
            problem = mistake
            continue
        except JacobiError:
            raise
        except STRANGE as strange:
            what = f"no formula for the derivative of {program.text} by {name}: {type(strange).__name__}: {strange}"
            raise DerivationError(at_users_line(what, "Use jacobian(f) for numbers.")) from strange
        # a number of the program that looked like a size at one set of sizes does not at another
        found.append(derivation)
        agreeing = [other for other in found if other.formula == derivation.formula]
        if not sizes.letters or len(agreeing) > 1:
            return agreeing[0]
    if problem is not None:
        raise problem
    return found[-1]


def chosen(wrt: str | None, arguments: tuple[str, ...]) -> str:
    """The argument to differentiate by."""
    if wrt is None and len(arguments) == 1:
        return arguments[0]
    if wrt not in arguments:
        what = "wrt= is missing" if wrt is None else f"{wrt!r} is no argument"
        raise InputError(at_users_line(what, f"The arguments are {', '.join(arguments)}."))
    return wrt


class Work:
    """One derivation: the program, the argument, and what is assumed."""

    def __init__(self, sizes: Sizes, wrt: str, assume: Mapping[str, Any], turned: bool, vec: str, skipped: int):
        self.sizes, self.telling = feasible(sizes, telling(sizes, skipped), assume)
        self.wrt, self.assume, self.turned, self.vec = wrt, assume, turned, vec
        self.identities = identities_of(assume)

    def first(self, rng: np.random.Generator) -> Derivation:
        """The first derivative."""
        found = traced(self.telling, self.telling.sample(rng, self.assume))
        return self.derivation(found, 1, self.sizes.program.text, self.program_of_arguments, rng)

    def program_of_arguments(self, **values: Any) -> Any:
        """The program."""
        return self.sizes.program(**values)

    def second(self, first: Derivation, rng: np.random.Generator) -> Derivation:
        """The Hessian: the derivative of the formula of the gradient."""
        gradient = first.gradient
        if gradient is None:
            raise InputError(
                at_users_line(
                    f"the Hessian belongs to scalar functions, and {first.function} has the shape "
                    f"{first.jacobian.shape[:-1]}",
                    "Reduce it, for example with sum, or derive the first order only.",
                )
            )

        def run(**values: Any) -> Any:
            return gradient.value(values)

        found = traced(self.telling, self.telling.sample(rng, self.assume), run)
        return self.derivation(found, 2, f"gradient of {self.sizes.program.text}", run, rng)

    def derivation(
        self, found: Traced, order: int, function: str, run: Callable[..., Any], rng: np.random.Generator
    ) -> Derivation:
        """The derivation from a traced program."""
        source, output = found.inputs[self.wrt], found.output
        inputs = {step.number: name for name, step in found.inputs.items()}
        meaning = Meaning(found.graph, inputs, found.sizes.letters.values())
        turned = ("symmetric", "positive definite", "positive semidefinite")
        symmetric = tuple(name for name, what in self.assume.items() if set(turned) & {what, *np.atleast_1d(what)})
        reader = Reader({size: letter for letter, size in found.sizes.letters.items()}, symmetric)
        story: Story | None = None
        used: list[str] = []
        steps: Sequence[Line] = ()
        domain: Sequence[str] = ()
        try:
            if isinstance(output, Step):
                story = Story(found, self.wrt, reader, meaning, self.identities)
                J = story.result()
                used = story.used
                steps = story.lines()
                domain = domain_of(found, output, source, meaning, reader)
            else:
                shape = (*np.shape(output), *np.shape(source.value))
                J = Expression(shape, ())
            outer = len(np.shape(output.value if isinstance(output, Step) else output))
            shown = Formula(
                self.matrix(J, outer, story, reader),
                self.sizes,
                self.jacobian_shape(J, outer, reader),
                True,
                meaning.constants,
            )
            gradient = None
            if J.shape[:outer] == () and order == 1:
                letters = tuple(reader.size(size) for size in J.shape)
                gradient = Formula(reader.array(J), self.sizes, letters, False, meaning.constants)
            samples = sum_over_samples(J, reader) if order == 1 else None
            change = self.change(J, outer, reader)
        except Unreadable as problem:
            raise DerivationError(
                at_users_line(
                    f"no formula for the derivative of {function} by {self.wrt}: index notation cannot say {problem}",
                    "Use jacobian(f) for numbers.",
                )
            ) from None
        except np.linalg.LinAlgError as singular:
            raise DerivationError(
                at_users_line(
                    f"the derivative of {function} by {self.wrt} cannot be computed at a random point ({singular})",
                    'Say what holds of the arguments, as in assume={"A": "positive definite"}.',
                )
            ) from singular
        statements = {identity.statement for identity in self.identities}
        result = Derivation(
            function=function,
            wrt=self.wrt,
            order=order,
            jacobian=shown,
            gradient=gradient,
            steps=tuple(steps),
            sum_over_samples=samples,
            change=change,
            assumptions=tuple(statement for statement in used if statement in statements),
            identities=tuple(statement for statement in used if statement not in statements),
            domain=tuple(domain),
            remarks=self.remarks(J, outer, order),
            compare=self.comparison(run, outer),
        )
        try:
            executed = result.check(POINTS, rng)
        except (ArithmeticError, IndexError, ValueError) as problem:  # such as a singular matrix
            raise DerivationError(
                at_users_line(
                    f"the formula {result.formula} for the derivative of {function} by {self.wrt} cannot be computed "
                    f"at a random point ({problem}), so it is not shown",
                    'Say what holds of the arguments, as in assume={"A": "positive definite"}.',
                )
            ) from problem
        if not executed:
            raise Mistaken(
                at_users_line(
                    f"the formula {result.formula} for the derivative of {function} by {self.wrt} does not hold at a "
                    f"random point (relative error {executed.error:.1g}), so it is not shown",
                    "Does the function depend on values in another way than through NumPy's operations?",
                )
            )
        return result

    def matrix(self, J: Expression, outer: int, story: Story | None, reader: Reader) -> Tree:
        """The Jacobian in the layout that is wanted; as the product of local ones, where index notation is needed."""
        flat = reordered(J, outer) if self.vec == "F" else J
        if self.turned:
            ndim = len(J.shape)
            turned = reader.jacobian(transposed(flat, (*range(outer, ndim), *range(outer))), ndim - outer)
            return column_by_column(turned) if self.vec == "F" else turned
        found = reader.jacobian(flat, outer)
        found = column_by_column(found) if self.vec == "F" else found
        if story is None or self.vec == "F" or not any(isinstance(part, Entrywise) for part in parts(found)):
            return found
        return story.product() or found

    def jacobian_shape(self, J: Expression, outer: int, reader: Reader) -> tuple[Any, ...]:
        """The shape of the matrix in letters."""
        sides = []
        for shape in (J.shape[:outer], J.shape[outer:]):
            letters = [str(reader.size(size)) for size in shape if size != 1]
            sides.append(" ".join(letters) if letters else 1)
        return tuple(sides[::-1] if self.turned else sides)

    def change(self, J: Expression, outer: int, reader: Reader) -> Tree | None:
        """The formula as a differential, for arrays by arrays."""
        inner = len(J.shape) - outer
        if outer > 2 or inner > 2 or (outer < 2 and inner < 2):
            return None
        rows, columns = range(outer), range(outer, outer + inner)
        change = variable(f"d{self.wrt}", J.shape[outer:])
        body = contracted([J, change], [(*rows, *columns), columns], rows, whole=True)
        return reader.array(body)

    def remarks(self, J: Expression, outer: int, order: int) -> tuple[str, ...]:
        """What the form shows."""
        found = ["denominator layout: the transpose of the Jacobian"] if self.turned else []
        if order == 2:
            assumed = [[name for name, what in self.assume.items() if kind in np.atleast_1d(what)] for kind in KINDS]
            found += [remark for remark in [semidefinite(J, *assumed)] if remark]
        if len(J.shape) - outer > 1 or outer > 1:
            how = "row by row, as NumPy does" if self.vec == "C" else "column by column"
            found.append(f"matrices are flattened {how}")
        return tuple(found)

    def point(self, sizes: Sizes, derivation: Derivation, rng: np.random.Generator) -> dict[str, Any]:
        """Random values at which the formula can be computed: with positive numbers, where it must be."""
        values = sizes.sample(rng, self.assume)
        with np.errstate(all="ignore"):
            if not np.isfinite(np.asarray(derivation.jacobian.value(values), float)).all():
                free = [name for name in sizes.shapes if name not in self.assume]
                values |= {name: np.abs(values[name]) for name in free}
        return values

    def comparison(self, run: Callable[..., Any], outer: int) -> Callable[..., Verification]:
        """The function that compares the formula with traced and numerical derivatives."""

        def compare(derivation: Derivation, points: int, rng: np.random.Generator) -> Verification:
            error, numerical = 0.0, True
            for k in range(points):
                sizes = self.sizes if k % 2 == 0 else self.sizes.another()
                values = self.point(sizes, derivation, rng)
                names = list(values)
                position = names.index(self.wrt)

                def f(*arguments: Any, names: list[str] = names) -> Any:
                    return run(**dict(zip(names, arguments, strict=True)))

                with np.errstate(all="ignore"):
                    J = jacobian(f, position)(*values.values())
                    right = J.toarray(order=self.vec)
                    right = right.T if self.turned else right
                    claimed = np.asarray(derivation.jacobian.value(values), float)
                    if claimed.ndim != 2 and claimed.size == right.size:  # a tensor; rows and columns are told apart
                        claimed = claimed.reshape(right.shape)
                    size = np.abs(right).max(initial=0.0)
                    gap = np.abs(claimed - right).max(initial=0.0) if claimed.shape == right.shape else np.inf
                    whole = size if size > ROUNDING else 1.0  # a derivative of 0 comes out as rounding errors
                    error = max(error, float(gap / whole)) if gap == gap else np.inf
                    if k == 0 and right.size <= 4000 and not J.kinks:
                        seen = measure(f, tuple(values.values()), position)
                        bound = 5 * seen.error + AGREEMENT * size
                        near = np.abs(seen.value - J.toarray()) <= bound
                        numerical = numerical and bool((near | ~np.isfinite(seen.error)).all())
            return Verification(points, error, numerical)

        return compare


def feasible(sizes: Sizes, large: Sizes, assume: Mapping[str, Any]) -> tuple[Sizes, Sizes]:
    """The sizes to check and to derive with: with as many rows as columns, or more, if it must be so."""
    return (
        sizes if works(sizes, assume) else backwards(sizes),
        large if works(large, assume) else backwards(large),
    )


def backwards(sizes: Sizes) -> Sizes:
    """The same sizes, but the first letter has the number of the last."""

    def turned(letters: Mapping[str, int]) -> dict[str, int]:
        return dict(zip(letters, list(letters.values())[::-1], strict=True))

    return replace(sizes, letters=turned(sizes.letters), others=turned(sizes.others), domains={})


def works(sizes: Sizes, assume: Mapping[str, Any]) -> bool:
    """Whether there are values at which the program can be computed."""
    try:
        sizes.sample(np.random.default_rng(0), assume)
    except InputError:
        return False
    return True


def column_by_column(whole: Tree) -> Tree:
    """The tree with every ``vec`` of a transpose as the ``vec`` of the matrix itself, column by column."""

    def change(part: Tree) -> Tree:
        if isinstance(part, Apply) and part.name == "vec" and not part.parameters:
            return replace(part, arguments=(transpose(part.arguments[0]),), parameters=(("order", "F"),))
        return part

    return rebuilt(whole, change)


def reordered(J: Expression, outer: int) -> Expression:
    """A Jacobian whose arrays are flattened column by column."""
    ndim = len(J.shape)
    return transposed(J, (*range(outer - 1, -1, -1), *range(ndim - 1, outer - 1, -1)))
