"""A cluster of Dask does the work, through the three lines that the documentation gives."""

import time

import numpy as np
import pytest

import jacobi as jb
from jacobi.errors import InputError

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")  # those of another library are its own


@pytest.fixture(scope="module", params=(True, False), ids=("processes", "threads"))
def client(request):
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=request.param, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def over_dask(client):
    def over_dask(function, parts):
        futures = client.map(function, parts, pure=False)
        return (future.result() for future in futures)

    return over_dask


A, X = np.random.default_rng(0).normal(size=(3, 12)), np.random.default_rng(1).normal(size=12)


def test_differences(over_dask):
    seen = []
    for f in (lambda x: np.tanh(A @ x), lambda x: (1e8 + np.tanh(A @ x)) - 1e8):
        J, error = jb.finite_difference(f)(X)
        spread = jb.finite_difference(f, workers=over_dask, progress=lambda done, total: seen.append((done, total)))
        np.testing.assert_array_equal((J, error), spread(X))
    assert seen == 2 * [(k, 12) for k in range(1, 13)]


@pytest.mark.parametrize("points", (None, 4))
@pytest.mark.parametrize("factor", (1, 2))
def test_checks(over_dask, factor, points):
    def f(x):
        return np.tanh(A @ x)

    def claim(x):
        return factor * (1 - np.tanh(A @ x) ** 2)[:, None] * A

    alone, spread = (
        jb.check(f, claim, X, points=points, budget=10_000, workers=workers) for workers in (None, over_dask)
    )
    assert spread.verdict == ("correct" if factor == 1 else "wrong")
    for here, there in zip((alone, *(alone.points or ())), (spread, *(spread.points or ())), strict=True):
        for name in ("verdict", "diagnosis", "calls", "max_error", "tolerance", "resolution", "worst", "notes"):
            assert repr(getattr(here, name)) == repr(getattr(there, name))  # slopes can be NaN
        np.testing.assert_array_equal(here.reference, there.reference)


def test_jacobians_of_chunks(over_dask):
    batch = np.random.default_rng(2).normal(size=(50, 4))
    whole = jb.jacobian(np.tanh)(batch)
    chunks = list(over_dask(lambda X: jb.jacobian(np.tanh)(X), np.array_split(batch, 3)))
    assert {J.structure for J in chunks} == {"diagonal"}
    np.testing.assert_array_equal(np.concatenate([J.diagonal() for J in chunks]), whole.diagonal())


def test_futures_are_no_results(client):
    with pytest.raises(InputError, match=r"a Future instead.*future\.result\(\)"):
        jb.finite_difference(np.sin, workers=client.map)(X)


def test_what_nobody_waits_for_is_cancelled(client, over_dask):
    def stop(done, total):
        raise StopAsyncIteration

    def slow(x):
        time.sleep(0.01)
        return x**2

    with pytest.raises(StopAsyncIteration):
        jb.finite_difference(slow, workers=over_dask, progress=stop)(np.ones(200))
    client.submit(int, 1, pure=False).result(timeout=15)  # all of the work takes half a minute
    for _ in range(200):
        if sum(map(len, client.processing().values())) == 0:
            break
        time.sleep(0.05)
    assert sum(map(len, client.processing().values())) == 0
