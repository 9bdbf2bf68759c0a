"""Long programs over few elements run as they were written; larger ones, and strict ones, are compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuse
from fuse import config
from fuse.integrations.jit import worth


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worth, "LONG", 20)


def steps(x: Any) -> Any:
    for shift in range(30):
        x = np.sqrt(x * x + shift)
    return x


def test_few_elements_are_left_to_the_function() -> None:
    jitted, x = fuse.jit(steps), np.arange(100.0)
    with config.config(min_rows=50):  # more than in each, and fewer than given
        for shift in range(3):
            np.testing.assert_array_equal(jitted(x + shift), steps(x + shift))
    assert jitted.stats().plain == 0
    with config.config(min_rows=101):
        jitted.clear()
        jitted(x)
    assert jitted.stats().plain == 1


def test_the_function_is_recorded_once_for_each_length() -> None:
    @fuse.jit
    def by_rows(x: Any) -> Any:
        out = np.zeros(x.shape)
        for row in range(1, len(x)):
            out[row] = out[row - 1] + np.sqrt(x[row])
        return out

    with config.config(min_rows=64):
        for turn in range(3):
            for columns in (8, 200):
                x = np.full((40, columns), turn + 1.0)
                np.testing.assert_array_equal(by_rows(x), by_rows.py_func(x))
        statistics = by_rows.stats()
        assert statistics.plain == 3  # of the narrow ones all
        assert statistics.replayed == 2  # of the wide ones all but the first
        assert "few elements" in str(fuse.report())


def test_strict_means_compiled() -> None:
    @fuse.jit(strict=True)
    def strict(x: Any) -> Any:
        return steps(x)

    with config.config(min_rows=1000):
        np.testing.assert_array_equal(strict(np.arange(10.0)), steps(np.arange(10.0)))
        assert strict.stats().plain == 0


def test_effects_happen_once() -> None:
    seen: list[int] = []

    @fuse.jit
    def logged(x: Any) -> Any:
        seen.append(len(seen))
        for _ in range(40):
            x = x[1:] - x[:-1]
        return x

    with config.config(min_rows=60):
        logged(np.arange(100.0))
    assert seen == [0]


def test_random_numbers_are_drawn_once() -> None:
    def noisy(x: Any) -> Any:
        for _ in range(40):
            x = x[1:] - x[:-1]
        return x + np.random.normal(size=x.shape)

    with config.config(min_rows=90):
        np.random.seed(1)
        found = fuse.jit(noisy)(np.arange(100.0))
        np.random.seed(1)
        np.testing.assert_allclose(found, noisy(np.arange(100.0)))
