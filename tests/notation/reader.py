"""Reads ASCII formulas back and evaluates them, so that text that is read otherwise than it was meant is found."""

from __future__ import annotations

import re
from itertools import chain

import numpy as np
from formulas import FUNCTIONS, RELATIONS

TOKEN = re.compile(
    r"(?P<kronecker> \(x\) )|(?P<hadamard> o )|(?P<relation> (?:>=|<=|>|<) )|(?P<sign> [+-] )|(?P<over> ?/ ?)"
    r"|(?P<mask>1\[)|(?P<mark>\^(?:-1|-T|T))|(?P<entrywise>\^\(o)|(?P<power>\^)|(?P<norm>\|\|(?:_[F2])?)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"
    r"|(?P<name>[A-Za-z]\w*)|(?P<part>\[[-\d:, ]+\])|(?P<other>[-()\],])|(?P<space> )"
)
WHOLE = {
    "diag": lambda v: np.diag(v[:, 0]),
    "diagonal": lambda A: np.diag(A)[:, None],
    "tr": np.trace,
    "max": np.maximum,
}


class Reader:
    """Evaluates a formula from left to right by recursive descent; all sizes are ``size``."""

    def __init__(self, text, values, size):
        self.values, self.size = values, size
        self.tokens, end = [], 0
        for found in TOKEN.finditer(text):
            assert found.start() == end, text[end:]
            end = found.end()
            self.tokens.append((found.lastgroup, found[0]))
        assert end == len(text), text[end:]
        self.tokens.append(("end", ""))
        self.at = 0

    def read(self):
        value = self.sum()
        assert self.kind == "end", self.tokens[self.at :]
        return value

    @property
    def kind(self):
        return self.tokens[self.at][0]

    @property
    def word(self):
        return self.tokens[self.at][1]

    def take(self, word=None):
        taken = self.word
        assert word is None or taken == word, (taken, word)
        self.at += 1
        return taken

    def sum(self):
        negative = self.word == "-" and self.take()
        total = -self.operation() if negative else self.operation()
        while self.kind == "sign":
            total = total + self.operation() if self.take() == " + " else total - self.operation()
        return total

    def operation(self):
        result, first = self.product(), self.kind
        while self.kind in ("hadamard", "kronecker", "over"):
            assert self.kind == first, "different operators need parentheses"
            self.take()
            right = self.product()
            if first == "kronecker":
                result = np.kron(result, right)
            else:
                result = result * right if first == "hadamard" else result / right
        return result

    def product(self):
        factors = [self.factor()]
        while self.kind == "space":
            self.take()
            factors.append(self.factor())
        if len(factors) > 1:  # a 1 among factors is the vector of ones
            factors = [np.ones((self.size, 1)) if factor is ONE else factor for factor in factors]
        result = 1.0
        for factor in chain(*(factor if isinstance(factor, list) else [factor] for factor in factors)):
            result = result @ factor if np.ndim(result) and np.ndim(factor) else result * factor
            if np.shape(result) == (1, 1):
                result = result[0, 0]
        return result

    def factor(self):
        value = self.primary()
        while self.kind in ("mark", "power", "entrywise", "part"):
            ones = value is ONE and self.kind == "mark"
            last = value.pop() if isinstance(value, list) else np.ones((self.size, 1)) if ones else value
            new = {"^T": np.transpose, "^-1": np.linalg.inv, "^-T": lambda A: np.linalg.inv(A).T}.get(self.word)
            if new:
                self.take()
                last = new(last)
            elif self.kind == "part":
                piece = eval(f"whole{self.take()}", {"whole": last.ravel() if 1 in last.shape else last})
                last = piece[:, None] if piece.ndim == 1 else piece
            elif self.kind == "entrywise":
                self.take()
                last = last ** self.primary()
                self.take(")")
            else:
                self.take("^")
                last = last ** (self.number() if self.kind == "number" else self.grouped())
            value = [*value, last] if isinstance(value, list) else last
        return value

    def number(self):
        return float(self.take())

    def grouped(self):
        self.take("(")
        value = self.sum()
        self.take(")")
        return value

    def primary(self):
        if self.kind == "mask":
            self.take()
            left = self.sum()
            relation = RELATIONS[self.take().strip()]
            value = relation(left, self.sum()).astype(float)
            self.take("]")
            return value
        if self.kind == "norm":
            self.take("||")
            inside = self.sum()
            largest = self.take() == "||_2"
            return np.linalg.svd(inside)[1][0] if largest else np.sqrt(np.sum(inside**2))
        if self.kind == "number":
            return ONE if self.word == "1" and self.take() else self.number()
        if self.word == "(":
            return self.grouped()
        return self.name()

    def name(self):
        name = self.take()
        if self.word == "(":
            self.take()
            arguments = [self.sum()]
            while self.word == ",":
                self.take()
                self.take(" ")
                arguments.append(self.sum())
            self.take(")")
            return (WHOLE | FUNCTIONS)[name](*arguments)
        if name in self.values:
            return self.values[name]
        return [self.values[letter] for letter in name]  # variables of one letter side by side


ONE = np.float64(1)
