"""Random formulas of every kind, their symbols, and an interpreter that knows nothing but dense matrices."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from random import Random
from string import ascii_letters

import numpy as np

from jacobi.notation import tree as t

SIZES = {"l": 2, "m": 3, "n": 4, "q": 6}  # q = l m, so that Kronecker products fit
SPLITS = {"q": (("l", "m"), ("m", "l"), ("q", ""), ("", "q"))}
KINDS = {(False, False): t.SCALAR, (True, False): t.VECTOR, (False, True): t.ROW, (True, True): t.MATRIX}
RESERVED = set("oIKTNe")  # signs of the ASCII text, and the e of numbers
LETTERS = [letter for letter in ascii_letters if letter not in RESERVED]


def number(value):
    return t.Number(Fraction(value))


def times(factor, tree):
    return t.Product((number(factor), tree))


def kind(rows, columns):
    return KINDS[bool(rows), bool(columns)]


class Formulas:
    """Draws formulas of given sizes; an empty size is 1."""

    def __init__(self, seed, sizes=tuple(SIZES), *, indices=False, bare_ones=True):
        self.random = Random(seed)
        self.sizes = sizes
        self.indices = indices
        self.bare_ones = bare_ones
        shapes = list(product(("", *sizes), repeat=2))
        self.names = {shape: (LETTERS[k], f"{LETTERS[k]}_{k}") for k, shape in enumerate(shapes)}
        self.squares = {size: f"{LETTERS[len(shapes) + k]}" for k, size in enumerate(sizes)}

    def values(self):
        """Values for all symbols."""
        rng = np.random.default_rng(self.random.randrange(10**9))
        found = {}
        for (rows, columns), names in self.names.items():
            shape = tuple(SIZES[size] for size in (rows, columns) if size)
            for name in names:
                found[name] = rng.uniform(-1, 1, shape)
        for size, name in self.squares.items():
            found[name] = 2 * np.eye(SIZES[size]) + rng.uniform(-0.3, 0.3, (SIZES[size],) * 2)
        return found

    def any(self, depth=4):
        """A formula of any kind."""
        return self.draw(*(self.random.choice(("", *self.sizes)) for _ in range(2)), depth)

    def symbol(self, rows, columns):
        weights = (5, 1)
        return t.Symbol(self.random.choices(self.names[rows, columns], weights)[0], kind(rows, columns))

    def draw(self, rows, columns, depth):
        """A formula with these numbers of rows and columns."""
        if depth == 0 or self.random.random() < 0.1:
            return self.leaf(rows, columns)
        makers = [self.sum, self.product, self.product, self.product, self.hadamard, self.function, self.transpose]
        makers += [self.quotient, self.power, self.mask, self.scaled, self.kronecker]
        makers += [self.diagonal, self.inverse, self.diagonal] * (rows == columns != "")
        makers += [self.trace, self.norm] * (rows == columns == "")
        makers += [self.diagonal_of] * (rows != "" and columns == "")
        makers += [self.entrywise] * self.indices
        makers += [self.part] * (columns == "" or (rows == "m" and "q" in self.sizes))
        return self.random.choice(makers)(rows, columns, depth - 1)

    def leaf(self, rows, columns):
        choices = [self.symbol(rows, columns)] * 4
        if rows == columns:
            plain = number(self.random.choice([2, 3, Fraction(2, 3), Fraction(-1, 2), -2]))
            choices += [t.Identity(rows)] if rows else [plain, t.Size("N")]
        if rows and not columns and self.bare_ones:
            choices.append(t.Ones(rows))
        if columns and not rows:
            choices.append(t.Transpose(t.Ones(columns)))
        if rows == columns == "q":
            choices.append(t.Commutation(*self.random.choice((("l", "m"), ("m", "l"), ("q", 1)))))
        return self.random.choice(choices)

    def sum(self, rows, columns, depth):
        return t.Sum(tuple(self.draw(rows, columns, depth) for _ in range(self.random.choice((2, 2, 3)))))

    def product(self, rows, columns, depth):
        count = self.random.choice((1, 1, 2, 3))
        inner = [self.random.choice(("", *self.sizes)) for _ in range(count)]
        ends = [rows, *inner, columns]
        factors = [self.draw(*pair, depth) for pair in pairwise(ends)]
        if ("", "") in pairwise(ends):  # a scalar stands in front of a product, not in it
            return self.scaled(rows, columns, depth)
        if self.random.random() < 0.3:
            factors.insert(0, self.draw("", "", depth))
        if not self.bare_ones and len(factors) > 1 and columns == "" and self.random.random() < 0.2 and inner[-1]:
            factors[-1] = t.Ones(inner[-1])
        made = t.Product(tuple(factors))
        return made if made.kind == kind(rows, columns) else self.scaled(rows, columns, depth)

    def scaled(self, rows, columns, depth):
        scalar = self.random.choice([number(-1), number(2), number(Fraction(-2, 3)), t.Number(0.25), t.Size("N")])
        size = t.Quotient(number(self.random.choice((1, 2, -3))), t.Size("N"))
        body = self.draw(rows, columns, depth)
        return t.Product(self.random.choice([(scalar, body), (scalar, size, body), (size, body)]))

    def hadamard(self, rows, columns, depth):
        return t.Hadamard(tuple(self.draw(rows, columns, depth) for _ in range(self.random.choice((2, 2, 3)))))

    def function(self, rows, columns, depth):
        inner = t.Apply("tanh", (self.draw(rows, columns, depth),), kind(rows, columns))
        name = self.random.choice(["exp", "sin", "expit", "relu", "softplus", "maximum"] + ["softmax"] * (not columns))
        if name == "softmax" and not rows:
            name = "sin"
        arguments = (number(0), inner) if name == "maximum" else (inner,)
        return t.Apply(name, arguments, kind(rows, columns))

    def transpose(self, rows, columns, depth):
        return t.Transpose(self.draw(columns, rows, depth))

    def quotient(self, rows, columns, depth):
        below = t.Sum((number(1), t.Power(self.draw("", "", depth), number(2))))
        return t.Quotient(self.draw(rows, columns, depth), self.random.choice([below, t.Size("N"), number(3)]))

    def power(self, rows, columns, depth):
        if self.random.random() < 0.5:
            return t.Power(self.draw(rows, columns, depth), number(2))
        base = t.Apply(
            "exp", (t.Apply("tanh", (self.draw(rows, columns, depth),), kind(rows, columns)),), kind(rows, columns)
        )
        return t.Power(base, number(self.random.choice([-1, -2, Fraction(1, 2), Fraction(-1, 2), Fraction(1, 3)])))

    def mask(self, rows, columns, depth):
        relation = self.random.choice([">", "<", ">=", "<="])
        return t.Mask(relation, self.draw(rows, columns, depth), number(Fraction(1, 7)))

    def diagonal(self, rows, columns, depth):
        return t.Diagonal(self.draw(rows, "", depth))

    def inverse(self, rows, columns, depth):
        square = t.Symbol(self.squares[rows], t.MATRIX)
        positive = t.Diagonal(t.Apply("exp", (t.Apply("tanh", (self.draw(rows, "", depth),), t.VECTOR),), t.VECTOR))
        found = t.Inverse(self.random.choice([square, t.Transpose(square), positive]))
        return self.random.choice([found, t.Product((found, self.draw(rows, columns, depth)))])

    def trace(self, rows, columns, depth):
        size = self.random.choice(self.sizes)
        return t.Trace(self.draw(size, size, depth))

    def norm(self, rows, columns, depth):
        if self.random.random() < 0.5:
            return t.Norm(self.draw(self.random.choice(self.sizes), "", depth))
        return t.Norm(self.draw(*self.random.choices(self.sizes, k=2), depth), self.random.choice(("fro", "2")))

    def diagonal_of(self, rows, columns, depth):
        return t.DiagonalOf(self.draw(rows, rows, depth))

    def part(self, rows, columns, depth):
        if rows == "m" and "q" in self.sizes:
            index = self.random.choice(["3:", "::2", ":-3", "-3:"])
            return t.Part(self.draw("q", columns, depth), index, kind(rows, columns))
        other = self.random.choice(self.sizes)
        if rows:
            return t.Part(self.draw(rows, other, depth), ":, 1", t.VECTOR)
        whole, index = self.random.choice([((other, ""), "-1"), ((other, other), "0, 1"), (("", other), "1")])
        return t.Part(self.draw(*whole, depth), index, t.SCALAR)

    def kronecker(self, rows, columns, depth):
        above, below = (self.random.choice(SPLITS.get(size, ((size, ""), ("", size)))) for size in (rows, columns))
        made = t.Kronecker(self.draw(above[0], below[0], depth), self.draw(above[1], below[1], depth))
        return made if made.kind == kind(rows, columns) else self.scaled(rows, columns, depth)

    def entrywise(self, rows, columns, depth):
        axes = [("i", rows)] * bool(rows) + [
            ("j" if columns != rows or self.random.random() < 0.7 else "i", columns)
        ] * bool(columns)
        middle = self.random.choice(self.sizes)
        sizes = dict([*axes, ("k", middle)])
        factors = []
        for _ in range(self.random.choice((1, 2, 3))):
            on = self.random.choices(list(sizes), k=self.random.choice((0, 1, 2)))
            shape = [sizes[index] for index in on] + [""] * (2 - len(on))
            factors.append((self.draw(*shape, min(depth, 1)), tuple(on)))
        if not any("k" in on for _, on in factors):
            factors.append((self.symbol(middle, ""), ("k",)))
        made = t.Entrywise(tuple(index for index, _ in axes), tuple(factors), tuple(sizes.items()))
        return t.Transpose(made) if kind(rows, columns) == t.ROW else made


FUNCTIONS = {
    "exp": np.exp,
    "sin": np.sin,
    "tanh": np.tanh,
    "expit": lambda x: 1 / (1 + np.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(0, x),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "maximum": np.maximum,
    "softmax": lambda x: np.exp(x) / np.sum(np.exp(x)),
}
RELATIONS = {">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal}


def interpret(tree, values, sizes):
    """The value of a formula: scalars are 0-d, all others have two axes, and nothing is done cleverly."""

    def of(part):
        return interpret(part, values, sizes)

    def length(size):
        return size if isinstance(size, int) else sizes[size]

    def chain(factors):
        result = 1.0
        for value in map(of, factors):
            result = result @ value if np.ndim(result) and np.ndim(value) else result * value
            if np.ndim(result) and np.shape(result) == (1, 1):
                result = result[0, 0]
        return result

    match tree:
        case t.Symbol(name, of_kind):
            array = np.asarray(values[name])
            return {t.VECTOR: array.reshape(-1, 1), t.ROW: array.reshape(1, -1)}.get(of_kind, array)
        case t.Number(value):
            return np.float64(value)
        case t.Size(name):
            return np.float64(length(name))
        case t.Sum(terms):
            return sum(map(of, terms[1:]), of(terms[0]))
        case t.Product(factors):
            return chain(factors)
        case t.Hadamard(factors):
            return np.prod(np.stack(np.broadcast_arrays(*map(of, factors))), axis=0)
        case t.Quotient(above, below):
            return of(above) / of(below)
        case t.Power(base, exponent):
            return of(base) ** of(exponent)
        case t.Apply(name, arguments):
            return FUNCTIONS[name](*map(of, arguments))
        case t.Part(inner, index, of_kind):
            whole = of(inner).ravel() if inner.kind in (t.VECTOR, t.ROW) else of(inner)
            piece = eval(f"whole[{index}]", {"whole": whole})
            return {t.VECTOR: piece.reshape(-1, 1), t.ROW: piece.reshape(1, -1)}.get(of_kind, piece)
        case t.Mask(relation, left, right):
            return RELATIONS[relation](of(left), of(right)).astype(float)
        case t.Diagonal(vector):
            return np.diag(of(vector)[:, 0])
        case t.DiagonalOf(matrix):
            return np.diag(of(matrix))[:, None]
        case t.Transpose(inner):
            return of(inner).T
        case t.Inverse(inner):
            return np.linalg.inv(of(inner))
        case t.Kronecker(left, right):
            return np.kron(of(left), of(right))
        case t.Ones(size):
            return np.ones((length(size), 1))
        case t.Identity(size):
            return np.eye(length(size))
        case t.Commutation(rows, columns):
            m, n = length(rows), length(columns)
            K = np.zeros((m * n, m * n))
            for i, j in np.ndindex(m, n):
                K[j * m + i, i * n + j] = 1
            return K
        case t.Trace(inner):
            return np.sum(np.diag(of(inner)))
        case t.Norm(inner, order):
            largest = order == "2" and inner.kind == t.MATRIX
            return np.linalg.svd(of(inner))[1][0] if largest else np.sqrt(np.sum(of(inner) ** 2))
        case t.Entrywise(indices, factors, lengths):
            return entrywise(indices, [(of(factor), factor.kind, on) for factor, on in factors], dict(lengths), length)
    raise NotImplementedError(tree)


def entrywise(indices, factors, lengths, length):
    """Index notation, one entry after the other."""
    all_indices = list(lengths)
    result = np.zeros([length(lengths[index]) for index in indices])
    flat = [(value.ravel() if of_kind in (t.VECTOR, t.ROW) else value, on) for value, of_kind, on in factors]
    for at in np.ndindex(*(length(lengths[index]) for index in all_indices)):
        place = dict(zip(all_indices, at, strict=True))
        entry = np.prod([value[tuple(place[index] for index in on)] for value, on in flat])
        result[tuple(place[index] for index in indices)] += entry
    return result[:, None] if result.ndim == 1 else result
