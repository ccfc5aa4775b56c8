"""Where a function is looked at: values and shapes of its arguments, and which of them is differentiated by."""

from __future__ import annotations

import argparse
from ast import literal_eval
from collections.abc import Callable, Sequence
from typing import Any

from jacobi.cli.command import natural
from jacobi.cli.outcomes import UsageError


def declare_point(parser: argparse.ArgumentParser) -> None:
    """The options that say where a function is looked at, and by which argument."""
    add = parser.add_argument
    add("--at", action="append", default=[], metavar="VALUE", help='an argument: "x=[1, 2]", "[1, 2]", or x=@file.npy')
    add("--shape", action="append", default=[], metavar="NAME=SIZES", help=SHAPE)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--argnum", type=int, metavar="N", help="the argument to differentiate by, from 0")
    which.add_argument("--wrt", metavar="NAME", help="the same by its name")
    add("--seed", type=natural, default=0, metavar="N", help="the seed of all random choices")


SHAPE = "a random argument: x=3,4; letters stand for sizes, X=N,n; a number is b="


def point_of(f: Callable[..., Any], options: argparse.Namespace) -> tuple[list[Any], int]:
    """The arguments, and which of them is differentiated by."""
    arguments = arguments_of(f, options)
    refuse_unfit(f, arguments)
    argnum = position(f, options.wrt.strip()) if options.wrt else options.argnum or 0
    if not 0 <= argnum < len(arguments):
        raise UsageError(f"there is no argument {argnum} among {len(arguments)}. Count from 0, or write --wrt NAME")
    arguments[argnum] = floating(arguments[argnum])
    return arguments, argnum


def arguments_of(f: Callable[..., Any], options: argparse.Namespace) -> list[Any]:
    """The arguments of the call: values by name or by position, and random ones of given shapes."""
    import numpy as np

    from jacobi.verification.sampling import MissingArguments, in_order, parameters, sampled

    named: dict[str, Any] = {}
    positional = []
    for text in options.at:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier():
            positional.append(parsed(text))
        elif name in named:
            raise UsageError(f"{name} is given two values. Write one of them")
        else:
            named[name] = parsed(value)
    shapes = shapes_of(options.shape)
    if twice := named.keys() & shapes.keys():
        raise UsageError(f"{min(twice)} is given by value and by shape. Write one of them")
    try:
        if not named and not shapes:
            free = [p.name for p in parameters(f) if p.default is p.empty][len(positional) :]
            if free:
                raise MissingArguments(getattr(f, "__name__", "the function"), free)
            return positional
        named |= sampled(shapes, np.random.default_rng(options.seed))
        names = [p.name for p in parameters(f) if p.name not in named]
        if len(positional) > len(names):
            raise UsageError(f"{len(positional)} values without a name are too many. Write --at NAME=VALUE")
        return list(in_order(f, named | dict(zip(names, positional, strict=False))))
    except MissingArguments as error:
        first = error.names[0]
        raise UsageError(f'{error}. Write --at "{first}=[1, 2, 3]" or --shape {first}=3') from error


def is_numeric(value: Any) -> bool:
    """Whether a value is a number or an array of numbers."""
    import numpy as np

    return np.asarray(value).dtype.kind in "biufc"


def refuse_unfit(f: Callable[..., Any], arguments: Sequence[Any]) -> None:
    """Refuse more arguments than a function takes, and functions that cannot be called by position."""
    from inspect import signature

    try:
        form = signature(f)
    except (TypeError, ValueError):  # some functions written in C
        return
    try:
        form.bind(*arguments)
    except TypeError as error:
        name = getattr(f, "__name__", "the function")
        raise UsageError(f"{name}{form} cannot be called with {len(arguments)} values: {error}") from error


def shapes_of(texts: Sequence[str]) -> dict[str, Any]:
    """The shapes of arguments by name."""
    from jacobi.verification.sampling import named_shape

    shapes: dict[str, Any] = {}
    for text in texts:
        name, shape = named_shape(text)
        if name in shapes:
            raise UsageError(f"{name} is given two shapes. Write one of them")
        shapes[name] = shape
    return shapes


def parsed(text: str) -> Any:
    """A value of the command line: a Python literal, with lists as arrays, or ``@file.npy``."""
    import numpy as np

    text = text.strip()
    if text.startswith("@"):
        return stored(text[1:])
    try:
        value = literal_eval(text)
        return np.array(value) if isinstance(value, (list, tuple)) else value
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UsageError(
            f"{text!r} is no value. Write a number, a list with rows of equal lengths such as [1, 2, 3], or @file.npy"
        ) from error


def stored(file: str) -> Any:
    """The array in a file that NumPy wrote."""
    import numpy as np

    try:
        array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise UsageError(f"{file} is no file of an array of numbers. Write it with np.save") from error
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{file} holds several arrays. Write one array with np.save")
    return array


def floating(value: Any) -> Any:
    """Integers as floating numbers: a point of a derivative is real, even if it is written 1 and not 1.0."""
    import numpy as np

    integers = np.asarray(value).dtype.kind in "iu"
    return np.asarray(value, dtype=float)[()] if integers else value


def position(f: Callable[..., Any], name: str) -> int:
    """The position of an argument."""
    from jacobi.verification.sampling import parameters

    names = [p.name for p in parameters(f)]
    if name not in names:
        raise UsageError(f"there is no argument {name}. --wrt takes one of {', '.join(names) or 'none'}")
    return names.index(name)
