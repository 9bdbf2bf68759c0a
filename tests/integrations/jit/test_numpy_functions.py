"""Realistic NumPy functions: what the jitted one gives is what the plain one gives, at the first call and
later.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuse
from tests.integrations.jit.oracle import check


def polynomial(x: Any, y: Any) -> Any:
    return 3.0 * x * x - 2.0 * x * y + y / 7.0 - 1


def standardise(x: Any, y: Any) -> Any:
    return np.where(np.abs(x) > 1.5, y, x), x > y


def features(x: Any, y: Any) -> Any:
    ratio = x / (np.abs(y) + 1e-3)
    return np.column_stack([ratio, np.clip(x, -1, 1), np.maximum(x, y), x.astype(np.float32)])


def summary(x: Any, y: Any) -> Any:
    return {"low": x.min(), "high": np.max(y), "any": np.any(x > 5), "count": np.count_nonzero(x > y)}


def selected(x: Any, y: Any) -> Any:
    return x[x > 0] * 2, y[(x > 0) & (y < 0)]


def sliced(x: Any, y: Any) -> Any:
    return x[1:] - x[:-1], y[::2], x[::-1] + y


def nested(x: Any, y: Any) -> Any:
    def scaled(v: Any, by: float = 2.0) -> Any:
        return v * by

    return [scaled(x), (scaled(y, by=0.5), {"both": scaled(x + y)})]


def mixed_dtypes(x: Any, y: Any) -> Any:
    whole = np.rint(x * 10).astype(np.int32)
    return whole // 3, whole % np.int8(3), whole + np.uint8(200), whole > y


def constants_only(x: Any, y: Any) -> Any:
    return 1, "text", None, (2.5, -0.0), x


def two_outputs_of_one_node(x: Any, y: Any) -> Any:
    return x + y, x + y


def as_they_are(x: Any, y: Any) -> Any:
    return x.copy(), +y, np.array(x)


FUNCTIONS = [
    polynomial, standardise, features, summary, selected, sliced, nested, mixed_dtypes, constants_only,
    two_outputs_of_one_node, as_they_are,
]  # fmt: skip


def data(rows: int, seed: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(2, rows))
    x[:: max(rows // 5, 1)] = np.nan
    return x, y


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_same_as_plain(function: Callable[..., Any]) -> None:
    jitted = fuse.jit(function)
    for seed, rows in enumerate((50, 7, 5000, 50)):
        with np.errstate(all="ignore"):
            check(jitted, *data(rows, seed))


@pytest.mark.parametrize("function", [polynomial, standardise, features, selected, mixed_dtypes])
def test_lengths_need_no_new_recording(function: Callable[..., Any]) -> None:
    jitted = fuse.jit(function)
    for seed, rows in enumerate((50, 7, 500, 51)):
        with np.errstate(all="ignore"):
            jitted(*data(rows, seed))
    assert jitted.stats().recorded == 1
    assert jitted.stats().replayed == 3


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_few_rows(function: Callable[..., Any], rows: int) -> None:
    jitted = fuse.jit(function)
    with np.errstate(all="ignore"):
        for _ in range(2):
            plain = _outcome(function, *data(rows, 1))
            assert type(_outcome(jitted, *data(rows, 1))) is type(plain)
            check(jitted, *data(rows, 1))


def _outcome(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "layout",
    [
        lambda a: a[::2],
        lambda a: a[::-1],
        lambda a: np.asfortranarray(a.reshape(-1, 10))[:, 0],
        lambda a: a[3:],
    ],
)
def test_any_layout_of_memory(layout: Callable[[Any], Any]) -> None:
    jitted = fuse.jit(polynomial)
    x, y = data(1000, 3)
    check(jitted, x, y)
    check(jitted, layout(x), layout(y))
    check(jitted, layout(x), layout(y).copy())


def test_results_are_nobody_elses_memory() -> None:
    jitted = fuse.jit(as_they_are)
    x, y = data(100, 0)
    for _ in range(2):
        results = jitted(x, y)
        assert not any(np.shares_memory(result, source) for result in results for source in (x, y))
        first, second = fuse.jit(two_outputs_of_one_node)(x, y)
        assert not np.shares_memory(first, second)


def test_an_argument_comes_back_as_itself() -> None:
    @fuse.jit
    def same(x: Any) -> Any:
        return x, [x]

    x, _ = data(10, 0)
    for _ in range(2):
        first, (second,) = same(x)
        assert first is x
        assert second is x


def test_matrices_and_scalars_of_numpy() -> None:
    @fuse.jit
    def weighted(matrix: Any, weights: Any, bias: Any) -> Any:
        return (matrix * weights).sum(axis=1) + bias

    generator = np.random.default_rng(0)
    for rows in (20, 30):
        matrix = generator.integers(-5, 5, (rows, 3)).astype(float)
        check(weighted, matrix, np.array([1.0, 2.0, 4.0]), np.float64(rows))
    assert weighted.stats().recorded == 1
