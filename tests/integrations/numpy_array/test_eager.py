"""Operations on few elements that are there run in NumPy at once; the rest is recorded, and planned once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fuse.numpy as fnp
from fuse import config, engine

SMALL, LARGE = 1_000, 40_000
"""Elements of float64: below and above the limit that these tests set."""


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    with config.config(min_rows=10, eager_bytes=1 << 16):
        yield


def is_there(value: Any) -> bool:
    return value._storage.array is not None


CALLS: list[Callable[[Any, Any], Any]] = [
    lambda np, x: x + x,
    lambda np, x: np.exp(x),
    lambda np, x: x[::2] * 2.0,
    lambda np, x: np.roll(x, 3),
    lambda np, x: x.astype(np.float32),
    lambda np, x: np.where(x > 0.5, x, 0.0),
    lambda np, x: np.cumsum(x),
]


@pytest.mark.parametrize("call", CALLS)
def test_small_arrays_are_computed_at_once(call: Callable[[Any, Any], Any]) -> None:
    plain = np.random.default_rng(0).random(SMALL)
    found = call(fnp, fnp.array(plain))
    assert is_there(found)
    np.testing.assert_array_equal(np.asarray(found), call(np, plain))


@pytest.mark.parametrize("call", CALLS[:5])
def test_large_arrays_are_recorded(call: Callable[[Any, Any], Any]) -> None:
    plain = np.random.default_rng(0).random(LARGE)
    found = call(fnp, fnp.array(plain))
    assert not is_there(found)
    np.testing.assert_allclose(np.asarray(found), call(np, plain), rtol=1e-6)


def test_bytes_count_and_not_elements() -> None:
    assert is_there(fnp.array(np.ones(LARGE, np.uint8)) + np.uint8(1))
    assert not is_there(fnp.array(np.ones(LARGE, np.float32)) + np.float32(1))


def test_a_large_result_of_small_arrays_is_recorded() -> None:
    x = fnp.array(np.arange(300.0))
    assert not is_there(x[:, None] - x)
    assert not is_there(fnp.outer(x, x))
    assert is_there(x[:20, None] - x[:20])


def test_nothing_is_done_at_once_without_a_minimum() -> None:
    with config.config(min_rows=0):
        assert not is_there(fnp.array(np.ones(3)) + 1)


def test_shapes_that_do_not_fit_are_numpys_error() -> None:
    with pytest.raises(ValueError, match="could not be broadcast"):
        fnp.array(np.ones(300)) + fnp.array(np.ones(400))


def test_the_same_program_with_living_intermediates_is_planned_once() -> None:
    x = fnp.array(np.random.default_rng(0).random(LARGE))

    def program() -> np.ndarray:
        names = [x * float(k) + 1.0 for k in range(2, 12)]
        total = sum(names[1:], names[0])
        return np.asarray(total)

    first = program()
    before = len(engine._programs.found)
    for _ in range(10):
        np.testing.assert_array_equal(program(), first)
    assert len(engine._programs.found) <= before + 1
