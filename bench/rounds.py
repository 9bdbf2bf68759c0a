"""Who is timed when: both sides in turns, inside one process.

The first of a round is the second of the next, so that what slows the machine for a while slows both. Timer
and statistics are pytest-benchmark's.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from pytest_benchmark.stats import Stats
from pytest_benchmark.timers import default_timer
from threadpoolctl import threadpool_limits

import fuse
from bench.case import Case, Reading, Row, finding
from bench.equality import check

Call = Callable[[], Any]
Timer = Callable[[], float]


@dataclass(frozen=True)
class Settings:
    """quick: fewer rounds of the same sizes. threads: numbers of threads to try. timer: what is read before
    and after a call.
    """

    quick: bool = False
    threads: tuple[int, ...] = (1, 2)
    timer: Timer = default_timer

    @property
    def budget(self) -> float:
        """Seconds to spend on the rounds of one case."""
        return 2.0 if self.quick else 8.0

    @property
    def fewest(self) -> int:
        """Rounds, however long they take."""
        return 3 if self.quick else 7

    @property
    def most(self) -> int:
        """Rounds, however short they are."""
        return 15 if self.quick else 41


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Both sides with this many threads: ours, and the pools of BLAS and OpenMP in the libraries."""
    with fuse.config(num_threads=count), threadpool_limits(count):
        yield


def interleave(
    library: Call, ours: Call, settings: Settings, calls: int = 1, timer: Timer = default_timer
) -> Measured:
    """Time both in turns until the budget is spent."""
    measured = Measured(Stats(), Stats())
    gc.collect()
    gc.disable()
    try:
        while measured.wants_more(settings):
            sides = [(library, measured.library), (ours, measured.fuse)]
            for call, stats in sides if measured.rounds % 2 == 0 else reversed(sides):
                stats.update(seconds(call, calls, timer))
    finally:
        gc.enable()
    return measured


def seconds(call: Call, calls: int = 1, timer: Timer = default_timer) -> float:
    """Seconds of one call, the mean of several."""
    start = timer()
    for _ in range(calls):
        call()
    return float(timer() - start) / calls


@dataclass
class Measured:
    """The rounds so far; entry i of both sides is of the same round."""

    library: Stats
    fuse: Stats

    @property
    def rounds(self) -> int:
        return min(len(self.library.data), len(self.fuse.data))

    def wants_more(self, settings: Settings) -> bool:
        """Whether another round is due."""
        spent = sum(self.library.data) + sum(self.fuse.data)
        return self.rounds < settings.fewest or (spent < settings.budget and self.rounds < settings.most)

    def reading(self) -> Reading:
        """Medians."""
        pairs = list(zip(self.library.data, self.fuse.data, strict=True))
        return Reading(
            median(self.library.data),
            median(self.fuse.data),
            median(theirs / ours for theirs, ours in pairs),
            median(ours - theirs for theirs, ours in pairs),
        )


def compare(
    workload: str, case: Case, settings: Settings, counts: tuple[int, ...] | None = None
) -> Iterator[Row]:
    """One row for each number of threads; results are compared before each. The bar is for one of them."""
    for count in counts or settings.threads:
        with threads(count):
            expected = case.library()
            start = default_timer()
            actual = case.fuse()
            first = default_timer() - start
            check(expected, actual, case.tolerance, case.absolute)
            check(expected, case.fuse(), case.tolerance, case.absolute)
            measured = interleave(case.library, case.fuse, settings, case.calls, settings.timer)
        reading, bar = measured.reading(), case.bar if count == case.threads else None
        met = None if bar is None else bar.is_met(reading)
        shown = finding(reading, case.bar)
        yield Row(workload, case.size, count, reading, shown, str(bar or ""), met, first, measured.rounds)
