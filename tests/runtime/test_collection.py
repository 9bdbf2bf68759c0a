"""Rarer collections inside a block, the program's own thresholds after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fuse.runtime.collection import YOUNG, rare_collections


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_blocks_nest_and_leave_nothing_behind(thresholds: tuple[int, int, int]) -> None:
    with pytest.raises(KeyError), rare_collections():
        with rare_collections():
            assert gc.get_threshold()[0] == YOUNG
        assert gc.get_threshold()[0] == YOUNG
        raise KeyError
    assert gc.get_threshold() == thresholds


def test_a_collector_that_is_off_stays_off() -> None:
    gc.set_threshold(0)
    with rare_collections():
        assert gc.get_threshold()[0] == 0


def test_a_threshold_set_inside_stays() -> None:
    with rare_collections():
        gc.set_threshold(1234, 5, 6)
    assert gc.get_threshold() == (1234, 5, 6)


def test_threads(thresholds: tuple[int, int, int]) -> None:
    def block(_: int) -> None:
        with rare_collections():
            assert gc.get_threshold()[0] == YOUNG

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(block, range(200)))
    assert gc.get_threshold() == thresholds
