"""What it means that a compiled function and the function itself agree."""

import warnings

import numpy as np

import jacobi as jb


def parts(result):
    """The arrays of a result, in tuples, lists and dictionaries; matrices in full."""
    if isinstance(result, dict):
        return [part for key in sorted(result) for part in parts(result[key])]
    if isinstance(result, (tuple, list)):
        return [part for entry in result for part in parts(entry)]
    if isinstance(result, jb.Jacobian) or hasattr(result, "tocsr"):
        return [result.toarray()]
    if hasattr(result, "matmat"):  # a linear operator
        return [result @ np.eye(result.shape[1])]
    return [] if result is None else [np.asarray(result)]


def quietly(function, *arguments, **keywords):
    """The result, without NumPy's warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*arguments, **keywords)


def same(found, expected, rounding=1e-10):
    """Fail unless two results have the same types, shapes and numbers."""
    __tracebackhide__ = True
    arrays = isinstance(found, (np.ndarray, np.generic)) and isinstance(expected, (np.ndarray, np.generic, float))
    assert arrays or type(found) is type(expected)
    if isinstance(found, jb.Jacobian):
        assert (found.out_shape, found.in_shape) == (expected.out_shape, expected.in_shape)
    for one, other in zip(parts(found), parts(expected), strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        if one.dtype.kind == "U":
            assert one == other
            continue
        with np.errstate(all="ignore"):
            finite = np.abs(other[np.isfinite(other)])
        np.testing.assert_allclose(one, other, rounding, rounding * finite.max(initial=1e-300))


def agrees(function, *points, rounding=1e-10, recordings=None):
    """Fail unless a function compiled at the first point agrees with itself at all points; gives it compiled."""
    __tracebackhide__ = True
    compiled = quietly(jb.compile, function, *points[0])
    for point in points:
        same(compiled(*point), quietly(function, *point), rounding)
    if recordings is not None:
        assert len(compiled.recordings) == recordings, compiled.recordings
    return compiled
