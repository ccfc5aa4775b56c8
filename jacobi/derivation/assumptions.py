"""What may be assumed of arguments, as identities that hold under it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jacobi.derivation.expression import Call, Leaf, Term, Variable
from jacobi.derivation.identities import Identity, alone, contracted_to_identity, lone_factor, with_factors
from jacobi.errors import InputError, at_users_line

Apply = Callable[[Term], Any]


def is_argument(leaf: Leaf, name: str) -> bool:
    """Whether a factor is the argument of a name."""
    return leaf == Variable(name)


def is_symmetric(leaf: Leaf, name: str) -> bool:
    """Whether a factor is a symmetric argument, or its inverse."""
    if isinstance(leaf, Call) and leaf.name == "inv":
        inner = lone_factor(leaf.arguments[0])
        return inner is not None and is_symmetric(inner[0], name)
    return is_argument(leaf, name)


def symmetric(name: str) -> Identity:
    """``A = A^T``: the axes of ``A`` may be exchanged, and are brought into one order."""

    def apply(term: Term) -> list[Term] | None:
        for k, (leaf, on) in enumerate(term.factors):
            if len(on) == 2 and on[0] != on[1] and is_symmetric(leaf, name):
                turned = with_factors(term, {k}, [(leaf, on[::-1])])
                if repr(turned) < repr(term):
                    return [turned]
        return None

    return Identity(f"{name} = {name}^T", apply)


def orthogonal(name: str) -> Identity:
    """``Q^T Q = Q Q^T = I``."""

    def apply(term: Term) -> list[Term] | None:
        found = [k for k, (leaf, _) in enumerate(term.factors) if is_argument(leaf, name)]
        for j in found:
            for k in found:
                (a, b), (c, d) = term.factors[j][1], term.factors[k][1]
                if j < k and len(a) == len(b) == len(c) == len(d) == 1:
                    if a == c and alone(term, a[0], {j, k}):
                        return [contracted_to_identity(term, {j, k}, b, d)]
                    if b == d and alone(term, b[0], {j, k}):
                        return [contracted_to_identity(term, {j, k}, a, c)]
        return None

    return Identity(f"{name}^T {name} = I", apply)


def sum_to_one(name: str) -> Identity:
    """``sum(y) = 1``."""

    def apply(term: Term) -> list[Term] | None:
        for k, (leaf, on) in enumerate(term.factors):
            if is_argument(leaf, name) and len(on) == 1 and len(on[0]) == 1 and alone(term, on[0][0], {k}):
                return [with_factors(term, {k}, gone=on[0])]
        return None

    return Identity(f"sum({name}) = 1", apply)


def square_is_one(name: str) -> Identity:
    """``y_i^2 = 1``."""

    def apply(term: Term) -> list[Term] | None:
        seen: dict[Any, int] = {}
        for k, (leaf, on) in enumerate(term.factors):
            if is_argument(leaf, name):
                if on in seen:
                    return [with_factors(term, {k, seen[on]})]
                seen[on] = k
        return None

    return Identity(f"{name}_i^2 = 1", apply)


def idempotent(name: str) -> Identity:
    """``P P = P``."""

    def apply(term: Term) -> list[Term] | None:
        found = [(k, on) for k, (leaf, on) in enumerate(term.factors) if is_argument(leaf, name) and len(on) == 2]
        for j, (a, b) in found:
            for k, (c, d) in found:
                if j != k and b == c and len(b) == 1 and alone(term, b[0], {j, k}):
                    return [with_factors(term, {j, k}, [(Variable(name), (a, d))], gone=b)]
        return None

    return Identity(f"{name} {name} = {name}", apply)


def positive(name: str) -> Identity:
    """``|x| = x`` and ``sign(x) = 1``."""

    def apply(term: Term) -> list[Term] | None:
        for k, (leaf, on) in enumerate(term.factors):
            if isinstance(leaf, Call) and leaf.name in ("abs", "sign"):
                inner = lone_factor(leaf.arguments[0])
                if inner is not None and is_argument(inner[0], name):
                    return [with_factors(term, {k}, [] if leaf.name == "sign" else [(inner[0], on)])]
        return None

    return Identity(f"{name} > 0", apply)


ASSUMPTIONS: dict[str, tuple[Callable[[str], Identity], ...]] = {
    "symmetric": (symmetric,),
    "positive definite": (symmetric,),
    "positive semidefinite": (symmetric,),
    "orthogonal": (orthogonal,),
    "orthonormal": (orthogonal,),
    "sum to one": (sum_to_one,),
    "idempotent": (idempotent,),
    "positive": (positive,),
}


def identities_of(assume: Mapping[str, Any]) -> list[Identity]:
    """The identities that hold under assumptions such as ``{"A": "symmetric", "y": "y**2 = 1"}``."""
    found: list[Identity] = []
    for name, what in assume.items():
        for one in (what,) if isinstance(what, str) else what:
            plain = one.replace(" ", "")
            if plain in (f"{name}**2=1", f"{name}**2==1", f"{name}^2=1"):
                found.append(square_is_one(name))
            elif one in ASSUMPTIONS:
                found += [make(name) for make in ASSUMPTIONS[one]]
            else:
                known = ", ".join(repr(key) for key in ASSUMPTIONS)
                raise InputError(
                    at_users_line(f"{one!r} cannot be assumed of {name}", f"Write one of {known}, '{name}**2 = 1'.")
                )
    return found
