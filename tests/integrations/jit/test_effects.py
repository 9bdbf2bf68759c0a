"""Effects on arguments and on the world, and what cannot be kept as a plan."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse
from fuse import config
from tests.integrations.jit.oracle import check

COUNT = 0
LOG: list[Any] = []


@fuse.jit
def writes(x: Any, y: Any) -> Any:
    x[2:5] = y[2:5] * 2
    x *= 2
    x[x > 8] = -1.0
    return x.sum()


def test_an_array_that_is_written_to() -> None:
    for _ in range(3):
        check(writes, np.arange(10.0), np.ones(10))
    assert writes.stats().recorded == 1


def test_one_array_given_twice() -> None:
    @fuse.jit
    def both(x: Any, y: Any) -> Any:
        x += 1
        return y * 2

    for _ in range(2):
        one = np.arange(5.0)
        result = both(one, one)
        np.testing.assert_array_equal(one, np.arange(5.0) + 1)
        np.testing.assert_array_equal(result, one * 2)
    check(both, np.arange(5.0), np.arange(5.0))


def test_arrays_that_overlap() -> None:
    @fuse.jit
    def both(x: Any, y: Any) -> Any:
        x += 1
        return y * 2

    for _ in range(2):
        own, plain = np.arange(6.0), np.arange(6.0)
        result, expected = both(own[1:], own[:-1]), both.py_func(plain[1:], plain[:-1])
        np.testing.assert_array_equal(own, plain)
        np.testing.assert_array_equal(result, expected)


def test_a_column_that_is_added() -> None:
    @fuse.jit
    def widen(df: Any) -> None:
        df["sum"] = df["a"] + df["b"]
        df["a"] = df["a"] * 2

    for rows in (6, 9):
        check(widen, pd.DataFrame({"a": np.arange(float(rows)), "b": 1.0}))


def test_a_frame_that_is_written_to_and_returned() -> None:
    @fuse.jit
    def widen(df: Any) -> Any:
        df["sum"] = df["a"] + df["b"]
        return df

    for _ in range(2):
        frame = pd.DataFrame({"a": np.arange(6.0), "b": 1.0})
        assert widen(frame) is frame
        np.testing.assert_array_equal(frame["sum"], np.arange(6.0) + 1)


def test_nothing_is_written_when_the_function_fails() -> None:
    @fuse.jit
    def fails(x: Any) -> Any:
        x[1:] = 0
        if x[2:].sum() == 0:
            raise RuntimeError("after writing")
        return x

    x = np.arange(5.0)
    try:
        fails(x)
    except RuntimeError as error:
        assert str(error) == "after writing"
    else:
        raise AssertionError("no error")
    assert fails.stats().plain == 0


@fuse.jit
def counts(x: Any) -> Any:
    global COUNT
    COUNT = COUNT + 1
    LOG.append(x * 2)
    return x + COUNT


def test_effects_on_globals_happen_at_every_call() -> None:
    LOG.clear()
    for number in range(1, 4):
        np.testing.assert_array_equal(counts(np.arange(4.0)), np.arange(4.0) + number)
    assert COUNT == 3
    assert [type(entry) for entry in LOG] == [np.ndarray] * 3
    assert counts.stats().replayed == 0
    assert counts.stats().reasons


def test_effects_on_closures_and_lists() -> None:
    total = 0

    @fuse.jit
    def adds(x: Any, out: list[Any]) -> Any:
        nonlocal total
        total += 1
        out.append(x * total)

    found: list[Any] = [1]
    for _ in range(2):
        adds(np.arange(3.0), found)
    assert total == 2
    assert found[0] == 1
    np.testing.assert_array_equal(found[1:], [np.arange(3.0), np.arange(3.0) * 2])


@dataclass
class Result:
    values: Any
    name: str


def test_objects_of_the_users_classes() -> None:
    @fuse.jit
    def wrapped(x: Any) -> Any:
        return Result(x * 2, "twice")

    for factor in (1.0, 2.0):
        result = wrapped(np.arange(4.0) * factor)
        assert type(result.values) is np.ndarray
        np.testing.assert_array_equal(result.values, np.arange(4.0) * factor * 2)


def test_random_numbers_are_new_at_every_call() -> None:
    generator = np.random.default_rng(0)

    @fuse.jit
    def noisy(x: Any) -> Any:
        return x + generator.normal(size=4), x + np.random.rand(4)

    results = [np.concatenate(noisy(np.zeros(4))) for _ in range(3)]
    assert len({result.tobytes() for result in results}) == 3


@pytest.mark.parametrize("borrow", [1 << 20, 8])
def test_memory_that_is_read_before_it_is_written_to(borrow: int) -> None:
    def plain(x: Any) -> Any:
        made = np.ndarray((2, 6), buffer=bytearray(96))
        made[0] = x
        before = made[0] * 2.0
        made[1] = made[0] - 1.0
        between = before + made[1]
        made[...] = -1.0
        return before, between, made + x

    jitted = fuse.jit(plain)
    with config.config(borrow_bytes=borrow, min_rows=0):
        for shift in range(3):
            x = np.arange(6.0) + shift
            for found, expected in zip(jitted(x), plain(x), strict=True):
                np.testing.assert_array_equal(found, expected)


def test_an_array_made_by_its_class() -> None:
    @fuse.jit
    def filled(x: Any) -> Any:
        made = np.ndarray((3, len(x)), dtype=x.dtype)
        other = np.ndarray(len(x))
        other[:] = 1.0
        made[0], made[1:] = x, x * 2 + other
        return made

    for _ in range(3):
        check(filled, np.arange(5.0))
    assert filled.stats().recorded <= 2  # a length was looked at
