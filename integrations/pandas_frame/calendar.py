"""The fields of a date by integer arithmetic on the days and the time since 1970.

Days become year, month and day with Howard Hinnant's `civil_from_days` (public domain): shift the epoch
to 1 March of a year 0 so that leap days are last, cut into eras of 146,097 days. Shifting by whole eras
makes every number non-negative, so the divisions by constants are unsigned, 32 bits wide where the unit
allows (us and ns reach 292,000 years; s and ms need 64 bits). The one division of a 64-bit time is a
multiplication by a reciprocal in float64 with its error of at most one taken back, so it is exact.

Where there is no date (NaT) the numbers are arbitrary; the caller puts NaN or False.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fuse.ir import build
from fuse.ir.node import Node

UNITS: Mapping[str, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SECONDS_PER_DAY = 86_400
_DAYS_PER_ERA = 146_097
_DAYS_TO_MARCH_0 = 719_468
_INT32 = np.dtype(np.int32)
_INT64 = np.dtype(np.int64)


def _op(name: str, left: Node, right: Node | int) -> Node:
    return build.elementwise(
        name, left, right if isinstance(right, Node) else build.constant(right, left.dtype)
    )


def floor_divide_wide(value: Node, divisor: int) -> tuple[Node, Node]:
    """Quotient and remainder of an int64 by a constant above 1; exact as long as the quotient is below
    2**52."""
    if divisor == 1:
        return value, build.broadcast(build.constant(0, _INT64), value.shape)
    floating = build.convert(value, np.float64)
    scaled = build.elementwise("multiply", floating, build.constant(1.0 / divisor))
    guess = build.convert(build.elementwise("floor", scaled), _INT64)
    rest = _op("subtract", value, _op("multiply", guess, divisor))
    low, high = _op("less", rest, 0), _op("greater_equal", rest, divisor)
    step = _op("subtract", build.convert(high, _INT64), build.convert(low, _INT64))
    return _op("add", guess, step), _op("subtract", rest, _op("multiply", step, divisor))


@dataclass(frozen=True, eq=False)
class Calendar:
    """The fields of a datetime64 node with unit s, ms, us or ns. Every field is int32, every test bool."""

    value: Node

    @cached_property
    def _unit(self) -> int:
        return UNITS[np.datetime_data(self.value.dtype)[0]]

    @cached_property
    def _split(self) -> tuple[Node, Node]:
        return floor_divide_wide(build.bitcast(self.value, _INT64), self._unit * _SECONDS_PER_DAY)

    @cached_property
    def _second(self) -> tuple[Node, Node]:
        """Second of the day (int32) and what is left of it in the unit (int64)."""
        second, rest = floor_divide_wide(self._split[1], self._unit)
        return build.convert(second, _INT32), rest

    @cached_property
    def _word(self) -> np.dtype:
        """The unsigned type that holds the shifted days."""
        return np.dtype(np.uint32 if self._unit >= 10**6 else np.uint64)

    @property
    def _eras(self) -> int:
        """Whole eras that make every day non-negative."""
        return 1_000 if self._word == np.uint32 else 10**9

    @cached_property
    def _days(self) -> Node:
        shifted = _op("add", self._split[0], _DAYS_TO_MARCH_0 + self._eras * _DAYS_PER_ERA)
        return build.convert(shifted, self._word)

    @cached_property
    def _era(self) -> tuple[Node, Node, Node]:
        """Era, year of the era, day of the year that begins in March (all unsigned)."""
        era = _op("floor_divide", self._days, _DAYS_PER_ERA)
        day = _op("subtract", self._days, _op("multiply", era, _DAYS_PER_ERA))
        leaps = _op("add", day, _op("floor_divide", day, 36_524))
        leaps = _op("subtract", leaps, _op("floor_divide", day, 1_460))
        year = _op("floor_divide", _op("subtract", leaps, _op("floor_divide", day, 146_096)), 365)
        before = _op("add", _op("multiply", year, 365), _op("floor_divide", year, 4))
        before = _op("subtract", before, _op("floor_divide", year, 100))
        return era, year, build.convert(_op("subtract", day, before), _INT32)

    @cached_property
    def _month_from_march(self) -> Node:
        return _op("floor_divide", _op("add", _op("multiply", self._era[2], 5), 2), 153)

    @cached_property
    def year(self) -> Node:
        era, of_era, _ = self._era
        march = _op("add", _op("multiply", era, 400), of_era)
        signed = _op("subtract", build.convert(march, _INT64), self._eras * 400)
        return _op(
            "add", build.convert(signed, _INT32), build.convert(_op("less_equal", self.month, 2), _INT32)
        )

    @cached_property
    def month(self) -> Node:
        late = build.convert(_op("greater_equal", self._month_from_march, 10), _INT32)
        return _op("subtract", _op("add", self._month_from_march, 3), _op("multiply", late, 12))

    @cached_property
    def day(self) -> Node:
        before = _op("floor_divide", _op("add", _op("multiply", self._month_from_march, 153), 2), 5)
        return _op("add", _op("subtract", self._era[2], before), 1)

    @cached_property
    def hour(self) -> Node:
        return _op("floor_divide", self._second[0], 3_600)

    @cached_property
    def minute(self) -> Node:
        minutes = _op("floor_divide", self._second[0], 60)
        return _op("subtract", minutes, _op("multiply", self.hour, 60))

    @cached_property
    def second(self) -> Node:
        minutes = _op("floor_divide", self._second[0], 60)
        return _op("subtract", self._second[0], _op("multiply", minutes, 60))

    @cached_property
    def _fraction(self) -> Node:
        """What is left of the second, in the unit."""
        return build.convert(self._second[1], _INT32)

    @cached_property
    def microsecond(self) -> Node:
        if self._unit > 10**6:
            return _op("floor_divide", self._fraction, self._unit // 10**6)
        return _op("multiply", self._fraction, 10**6 // self._unit)

    @cached_property
    def nanosecond(self) -> Node:
        if self._unit <= 10**6:
            return build.broadcast(build.constant(0, _INT32), self.value.shape)
        return _op("subtract", self._fraction, _op("multiply", self.microsecond, 1_000))

    @cached_property
    def dayofweek(self) -> Node:
        """Monday is 0. Day 0 of the shifted count (1 March of year 0) is a Wednesday; an era is whole
        weeks."""
        return build.convert(_op("remainder", _op("add", self._days, 2), 7), _INT32)

    @cached_property
    def is_leap_year(self) -> Node:
        fourth = _op("equal", _op("bitwise_and", self.year, 3), 0)
        hundredth = _op("equal", _op("remainder", self.year, 100), 0)
        four_hundredth = _op("equal", _op("remainder", self.year, 400), 0)
        common = build.elementwise("logical_and", hundredth, build.elementwise("logical_not", four_hundredth))
        return build.elementwise("logical_and", fourth, build.elementwise("logical_not", common))

    @cached_property
    def dayofyear(self) -> Node:
        """From the year that begins in March: January starts 306 days into it."""
        since_january = _op("subtract", self._era[2], 305)
        leap = build.convert(self.is_leap_year, _INT32)
        from_march = _op("add", _op("add", self._era[2], 60), leap)
        return build.elementwise("select", _op("less_equal", self.month, 2), since_january, from_march)

    @cached_property
    def quarter(self) -> Node:
        return _op("add", _op("floor_divide", _op("subtract", self.month, 1), 3), 1)

    @cached_property
    def days_in_month(self) -> Node:
        """30, and one more in months that are odd up to July and even after; February apart."""
        odd = _op("bitwise_and", _op("add", self.month, _op("right_shift", self.month, 3)), 1)
        february = _op("add", build.convert(self.is_leap_year, _INT32), 28)
        return build.elementwise("select", _op("equal", self.month, 2), february, _op("add", odd, 30))

    @cached_property
    def is_month_start(self) -> Node:
        return _op("equal", self.day, 1)

    @cached_property
    def is_month_end(self) -> Node:
        return _op("equal", self.day, self.days_in_month)

    def _in_months(self, remainder: int, every: int) -> Node:
        return _op("equal", _op("remainder", self.month, every), remainder)

    @cached_property
    def is_quarter_start(self) -> Node:
        return build.elementwise("logical_and", self.is_month_start, self._in_months(1, 3))

    @cached_property
    def is_quarter_end(self) -> Node:
        return build.elementwise("logical_and", self.is_month_end, self._in_months(0, 3))

    @cached_property
    def is_year_start(self) -> Node:
        return build.elementwise("logical_and", self.is_month_start, self._in_months(1, 12))

    @cached_property
    def is_year_end(self) -> Node:
        return build.elementwise("logical_and", self.is_month_end, self._in_months(0, 12))

    @cached_property
    def midnight(self) -> Node:
        """The date without its time, in the same dtype."""
        start = _op("multiply", self._split[0], self._unit * _SECONDS_PER_DAY)
        return build.bitcast(start, self.value.dtype)


FIELDS: Mapping[str, Callable[[Any], Node]] = {
    name: getattr(Calendar, attribute).__get__
    for name, attribute in {
        **{
            name: name
            for name in [
                "year",
                "month",
                "day",
                "hour",
                "minute",
                "second",
                "microsecond",
                "nanosecond",
                "dayofweek",
                "dayofyear",
                "quarter",
                "days_in_month",
                "is_leap_year",
                "is_month_start",
                "is_month_end",
                "is_quarter_start",
                "is_quarter_end",
                "is_year_start",
                "is_year_end",
            ]
        },
        "weekday": "dayofweek",
        "day_of_week": "dayofweek",
        "day_of_year": "dayofyear",
        "daysinmonth": "days_in_month",
    }.items()
}
