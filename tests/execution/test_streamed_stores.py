"""Large outputs are written past the caches where every vector is aligned, and hold the same bits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fuse
from fuse.execution.launch import Launcher
from fuse.plan import assemble
from fuse.plan.schedule import Schedule


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What counts as large is made small."""
    choose = assemble.choose_schedule

    def chosen(*arguments: Any) -> Schedule:
        return dataclasses.replace(choose(*arguments), stream=1 << 12)

    monkeypatch.setattr(assemble, "choose_schedule", chosen)
    with fuse.config(min_rows=0, cache="0"):
        yield


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The launcher's decisions, in order."""
    seen: list[bool] = []
    decide = Launcher._streams

    def asked(launcher: Launcher, *arguments: Any) -> bool:
        seen.append(decide(launcher, *arguments))
        return seen[-1]

    monkeypatch.setattr(Launcher, "_streams", asked)
    return seen


FUNCTIONS: list[Callable[..., Any]] = [
    lambda x: x + 1,
    lambda x: x > 0,
    lambda x: (x * 2, x < 3),
    lambda x: np.exp(x / 100),
    lambda x: (x + 1, (x * x).sum()),
    lambda x: np.where(x > 0, x, -x).astype(np.float32),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8])
@pytest.mark.parametrize("size", [20_000, 16_384, 40_001, 65_535])
def test_streamed_outputs(function: Callable[..., Any], dtype: Any, size: int, streamed: list[bool]) -> None:
    x = np.random.default_rng(size).integers(-50, 50, size).astype(dtype)
    for found, expected in zip(
        np.atleast_1d(*_parts(fuse.jit(function)(x))), np.atleast_1d(*_parts(function(x))), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert found.dtype == expected.dtype
    assert True in streamed


def _parts(value: Any) -> tuple[Any, ...]:
    parts = value if isinstance(value, tuple) else (value,)
    return (*parts, 0)


def test_rows_that_do_not_begin_at_a_line_are_not(streamed: list[bool]) -> None:
    x = np.random.default_rng(0).random((300, 200))[:, :131]
    np.testing.assert_array_equal(fuse.jit(lambda x: x * 3.0)(x), x * 3.0)
    np.testing.assert_array_equal(fuse.jit(lambda x: x[:, :, None] * 3.0)(x), x[:, :, None] * 3.0)
    assert streamed == [False, False]


def test_rows_that_do_are(streamed: list[bool]) -> None:
    x = np.random.default_rng(0).random((300, 200))[:, :128]
    np.testing.assert_array_equal(fuse.jit(lambda x: x * 3.0)(x), x * 3.0)
    assert streamed == [True]


def test_few_bytes_are_not(streamed: list[bool]) -> None:
    x = np.random.default_rng(0).random(500)
    np.testing.assert_array_equal(fuse.jit(lambda x: x * 3.0)(x), x * 3.0)
    assert streamed == [False]
