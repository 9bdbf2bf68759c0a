"""Bars say yes and no where they should, at the limit and for what is not a number."""

from __future__ import annotations

import pytest

from bench.case import Bar, Kind, Reading, finding

LIMITS: tuple[tuple[Kind, float, Reading, Reading], ...] = (
    ("faster", 8.0, Reading(8.0, 1.0, 8.0, -7.0), Reading(7.9, 1.0, 7.9, -6.9)),
    ("slower", 1.0, Reading(1.0, 1.0, 1.0, 0.0), Reading(1.0, 1.1, 1 / 1.1, 0.1)),
    ("extra", 20e-6, Reading(1e-6, 21e-6, 1 / 21, 20e-6), Reading(1e-6, 22e-6, 1 / 22, 21e-6)),
    ("within", 15e-6, Reading(None, 15e-6), Reading(None, 16e-6)),
)


@pytest.mark.parametrize(("kind", "limit", "good", "bad"), LIMITS)
def test_limits(kind: Kind, limit: float, good: Reading, bad: Reading) -> None:
    assert Bar(kind, limit).is_met(good)
    assert not Bar(kind, limit).is_met(bad)


@pytest.mark.parametrize("kind", ["faster", "slower", "extra", "within"])
def test_nothing_measured_meets_no_bar(kind: Kind) -> None:
    assert not Bar(kind, 1.0).is_met(Reading(None, None))


def test_what_a_row_shows_is_what_its_bar_is_about() -> None:
    reading = Reading(2e-3, 1e-3, 2.0, -1e-3)
    assert finding(reading, None) == finding(reading, Bar("faster", 8)) == "2.00 ×"
    assert finding(reading, Bar("slower", 1)) == "time 0.50 ×"
    assert finding(reading, Bar("extra", 20e-6)) == "-1000.0 µs"
    assert finding(Reading(None, 1e-3), Bar("within", 1.0)) == ""


def test_bars_read_as_in_the_table() -> None:
    bars = [Bar("faster", 8), Bar("slower", 1), Bar("extra", 20e-6), Bar("within", 15e-6), Bar("within", 0.4)]
    assert [str(bar) for bar in bars] == ["≥ 8 ×", "time ≤ 1 ×", "≤ +20 µs", "≤ 15 µs", "≤ 400 ms"]
