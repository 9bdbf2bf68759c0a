"""What is compared with what, which bar it has to clear, and the row of the table that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["faster", "slower", "extra", "within"]


class Reading(NamedTuple):
    """Seconds of one call, medians; `ratio` and `extra` are medians over rounds, so that a slow moment
    hits both.
    """

    library: float | None
    fuse: float | None
    ratio: float = float("nan")
    extra: float = float("nan")


@dataclass(frozen=True)
class Bar:
    """A promise about a reading.

    faster: the library takes at least `limit` times as long. slower: fuse takes at most `limit` times as
    long. extra: fuse takes at most `limit` seconds more. within: fuse takes at most `limit` seconds.
    """

    kind: Kind
    limit: float

    def __str__(self) -> str:
        return _TEXT[self.kind](self.limit)

    def is_met(self, reading: Reading) -> bool:
        """Whether the promise holds; what is not a number holds none."""
        return _IS_MET[self.kind](reading, self.limit)


_TEXT: Mapping[Kind, Callable[[float], str]] = {
    "faster": lambda limit: f"≥ {limit:g} ×",
    "slower": lambda limit: f"time ≤ {limit:g} ×",
    "extra": lambda limit: f"≤ +{limit * 1e6:g} µs",
    "within": lambda limit: f"≤ {limit * 1e6:g} µs" if limit < 1e-3 else f"≤ {limit * 1e3:g} ms",
}
_IS_MET: Mapping[Kind, Callable[[Reading, float], bool]] = {
    "faster": lambda reading, limit: reading.ratio >= limit,
    "slower": lambda reading, limit: 1 / reading.ratio <= limit,
    "extra": lambda reading, limit: reading.extra <= limit,
    "within": lambda reading, limit: reading.fuse is not None and reading.fuse <= limit,
}


@dataclass(frozen=True)
class Case:
    """The same work by the libraries and by fuse; both take no arguments and give what is compared.

    bar: what must hold with so many `threads`. tolerance: relative difference that the results may have.
    absolute: differences up to this do not count (results that cancel). calls: how many make one measurement.
    """

    size: str
    library: Callable[[], Any]
    fuse: Callable[[], Any]
    bar: Bar | None = None
    tolerance: float = 0.0
    absolute: float = 0.0
    calls: int = 1
    threads: int = 1


@dataclass(frozen=True)
class Row:
    """One line of the table. `first` is the seconds of fuse's first call, which records and compiles.

    finding: what is shown in place of the ratio. met: None when there is no bar.
    """

    workload: str
    size: str
    threads: int
    reading: Reading
    finding: str
    bar: str = ""
    met: bool | None = None
    first: float | None = None
    rounds: int = 0


def fact(workload: str, size: str, threads: int, finding: str, bar: str, met: bool) -> Row:
    """A row about something other than time."""
    return Row(workload, size, threads, Reading(None, None), finding, bar, met)


def finding(reading: Reading, bar: Bar | None) -> str:
    """The number that the bar is about; the ratio where there is no bar."""
    if bar is not None and bar.kind == "extra":
        return f"{reading.extra * 1e6:+.1f} µs"
    if bar is not None and bar.kind == "slower":
        return f"time {1 / reading.ratio:.2f} ×"
    return "" if reading.library is None else f"{reading.ratio:.2f} ×"
