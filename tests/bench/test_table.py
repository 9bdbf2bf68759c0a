"""What a row looks like, and what the last line says."""

from __future__ import annotations

from bench.case import Reading, Row, fact
from bench.table import COLUMNS, cells, milliseconds, summary

TIMED = Row("add", "1e6", 1, Reading(0.0123, 0.001, 12.3, -0.0113), "12.30 ×", "≥ 8 ×", True)
MISSED = Row("mul", "10", 1, Reading(None, 20e-6), "", "≤ 15 µs", False)


def test_a_row_has_a_cell_for_every_column() -> None:
    assert cells(TIMED) == ("add", "1e6", "1", "12.30", "1.00", "12.30 ×", "≥ 8 ×", "met")
    assert cells(MISSED) == ("mul", "10", "1", "", "0.0200", "", "≤ 15 µs", "missed")
    assert cells(fact("plan", "kernels", 1, "2", "1", False))[3:] == ("", "", "2", "1", "missed")
    assert {len(cells(row)) for row in (TIMED, MISSED)} == {len(COLUMNS)}


def test_milliseconds_have_about_four_digits() -> None:
    texts = [milliseconds(seconds) for seconds in (12.345, 0.12345, 0.0012345, 12.345e-6, None)]
    assert texts == ["12345", "123.5", "1.23", "0.0123", ""]


def test_the_summary_names_what_was_missed() -> None:
    assert summary([TIMED]) == "1 bars met, 0 missed"
    assert summary([TIMED, MISSED, MISSED]) == "1 bars met, 2 missed: mul 10; mul 10"
