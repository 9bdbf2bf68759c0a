"""Both sides are timed in turns, by a clock of the test; and only after their results were compared."""

from __future__ import annotations

import numpy as np
import pytest

import fuse
from bench.case import Bar, Case
from bench.equality import DifferentResult
from bench.rounds import Settings, compare, interleave, threads
from fuse.runtime.threads import get_num_threads


class Clock:
    """Time passes only when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[str] = []

    def __call__(self) -> float:
        return self.now

    def work(self, name: str, seconds: float) -> None:
        self.order.append(name)
        self.now += seconds


def test_sides_take_turns_in_going_first() -> None:
    clock = Clock()
    found = interleave(
        lambda: clock.work("library", 2.0), lambda: clock.work("fuse", 0.5), Settings(quick=True), timer=clock
    )
    assert found.rounds == 3
    assert clock.order == ["library", "fuse", "fuse", "library", "library", "fuse"]
    assert found.reading() == (2.0, 0.5, 4.0, -1.5)


def test_short_calls_are_timed_more_often_but_not_for_ever() -> None:
    clock, settings = Clock(), Settings(quick=True)
    found = interleave(lambda: clock.work("", 1e-6), lambda: clock.work("", 1e-6), settings, timer=clock)
    assert found.rounds == settings.most


def test_a_measurement_may_be_of_many_calls() -> None:
    clock = Clock()
    found = interleave(
        lambda: clock.work("library", 1.0), lambda: clock.work("fuse", 0.25), Settings(quick=True), 10, clock
    )
    assert clock.order.count("fuse") == 10 * found.rounds
    assert found.reading().fuse == 0.25


def test_the_reading_is_of_rounds_not_of_medians() -> None:
    """One side's slow moment does not stand beside the other side's quick one."""
    clock = Clock()
    times = iter([(1.0, 0.5), (10.0, 5.0), (2.0, 1.0)])
    pairs = [pair for pair in times for _ in range(2)]
    library, ours = (iter([pair[side] for pair in pairs[::2]]) for side in (0, 1))
    found = interleave(
        lambda: clock.work("", next(library)),
        lambda: clock.work("", next(ours)),
        Settings(quick=True),
        timer=clock,
    )
    assert found.reading().ratio == 2.0


def test_both_sides_get_the_threads() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threads(1):
        assert get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} <= {1}


def test_rows_for_every_number_of_threads_and_a_bar_for_one() -> None:
    x = np.arange(10.0)
    case = Case("ten", lambda: x + 1, lambda: x + 1, Bar("faster", 1e9))
    one, two = compare("add", case, Settings(quick=True, threads=(1, 2)))
    assert (one.threads, one.bar, one.met) == (1, "≥ 1e+09 ×", False)
    assert (two.threads, two.bar, two.met) == (2, "", None)


def test_a_different_result_is_not_timed() -> None:
    case = Case("one", lambda: np.ones(1), lambda: np.zeros(1))
    with pytest.raises(DifferentResult):
        list(compare("wrong", case, Settings(quick=True)))


def test_a_later_different_result_is_not_timed_either() -> None:
    answers = iter([1.0, 2.0])
    case = Case("one", lambda: 1.0, lambda: next(answers))
    with pytest.raises(DifferentResult):
        list(compare("wrong", case, Settings(quick=True, threads=(1,))))


def test_settings_of_fuse_are_back_afterwards() -> None:
    before = fuse.config.current()
    with threads(1):
        pass
    assert fuse.config.current() == before
