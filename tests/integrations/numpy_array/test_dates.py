"""Dates and time spans in programs, against NumPy: NaT, units, numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.integrations.numpy_array.worlds import Program, check, lazily, recorded, symbolic

WORLDS = (lazily, recorded, symbolic)
UNITS = ["s", "ms", "us", "ns", "D"]


def write(np: Any, d: Any, s: Any) -> Any:
    d[3:7] = d[0]
    d[1] = np.datetime64("2020-01-01")
    s[d > d[0]] = s[1]
    s[0] = np.timedelta64("NaT")
    d += s
    return d - d[::-1]


PROGRAMS: dict[str, Program] = {
    "differences": lambda np, d, s: (d - d[::-1], np.diff(d), d - np.datetime64("2000-01-01")),
    "sums": lambda np, d, s: (d + s, s + s, d - s, d + 5),
    "comparisons": lambda np, d, s: (d < d[::-1], d == d, d != d, s >= s[::-1], d > np.datetime64("2001")),
    "units": lambda np, d, s: (d - d.astype("M8[D]"), d.astype("M8[ms]") + s.astype("m8[ms]")),
    "integers": lambda np, d, s: (d.astype("i8") // 2, s.astype("i8"), d.astype("i8").astype(d.dtype)),
    "spans over spans": lambda np, d, s: (s / s[::-1], s // s[::-1], s % s[::-1], divmod(s, s[::-1])[1]),
    "spans in a unit": lambda np, d, s: (s / np.timedelta64(1, "s"), s / np.timedelta64(7, "h")),
    "spans and numbers": lambda np, d, s: (3 * s, s * 1.5, s / 2.5, s / 2, s // 3, s * np.inf, s / 0.0),
    "signs": lambda np, d, s: (-s, abs(s), +s, np.sign(s)),
    "tests": lambda np, d, s: (np.isnat(d), np.isnan(s), np.isfinite(d), np.isinf(s)),
    "extremes": lambda np, d, s: (np.maximum(d, d[::-1]), np.fmin(s, s[::-1]), np.fmax(d, d[::-1])),
    "reductions": lambda np, d, s: (d.max(), np.min(s), np.argmin(d), s.sum(), s.mean(), np.cumsum(s)),
    "choices": lambda np, d, s: np.where(np.isnat(d), np.datetime64("1970-01-01"), d),
    "a mask": lambda np, d, s: d[d > d[0]] - d[0],
    "shapes": lambda np, d, s: np.stack([d, d[::-1]]).T[2:5] - d[0],
    "the calendar": lambda np, d, s: (
        d.astype("M8[Y]").astype("i8") + 1970, (d.astype("M8[D]").astype("i8") - 4) % 7
    ),
    "integer arrays": lambda np, d, s: (s * np.arange(len(s), dtype="i4"), s * (d > d[3])),
    "functions of NumPy": lambda np, d, s: (np.sort(d), np.unique(s), np.clip(s, s[0], s[1])),
    "writes": write,
    "no loop": lambda np, d, s: d + d,
    "no number": lambda np, d, s: d * 2,
    "no float": lambda np, d, s: d + 5.5,
}  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str, unit: str) -> None:
    rng = np.random.default_rng(7)
    longest = {"s": 10**9, "ms": 10**12, "us": 10**15, "ns": 10**18, "D": 10**4}[unit]
    for size in (9, 150):
        dates = rng.integers(0, longest, size).astype(f"M8[{unit}]")
        spans = rng.integers(-1000, 1000, size).astype(f"m8[{unit}]")
        dates[5] = spans[4] = "NaT"
        spans[6] = 0
        check(PROGRAMS[name], dates, spans, worlds=WORLDS)


@pytest.mark.parametrize("name", ["differences", "sums", "comparisons", "spans over spans"])
def test_nothing(name: str) -> None:
    check(PROGRAMS[name], np.zeros(0, "M8[s]"), np.zeros(0, "m8[s]"), worlds=WORLDS)
