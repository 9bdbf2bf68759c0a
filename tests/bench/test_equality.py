"""Different results never pass for the same, whatever kind of result it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.equality import DifferentResult, check, describe, difference

FRAME = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", "y"]}, index=[3, 5])

SAME = [
    1,
    2.5,
    np.float32(2),
    np.array([1.0, np.nan, np.inf]),
    FRAME,
    FRAME["a"],
    (1, [2.0]),
    {"k": FRAME},
    "text",
]

DIFFERENT: list[tuple[Any, Any]] = [
    (1, 1.0),
    (np.ones(2), np.ones(2, np.float32)),
    (np.ones(2), np.ones((2, 1))),
    (np.array([1, 2]), np.array([1, 3])),
    (np.array([1.0]), np.array([np.nan])),
    (np.array([np.inf]), np.array([-np.inf])),
    (np.array([1.0]), np.array([np.inf])),
    ((1.0,), (1.0, 2.0)),
    ((1.0,), [1.0]),
    ({"a": 1}, {"b": 1}),
    (FRAME, FRAME["a"]),
    (FRAME, FRAME.rename(columns={"a": "c"})),
    (FRAME, FRAME.reset_index(drop=True)),
    (FRAME, FRAME.assign(b=["x", "z"])),
    (FRAME["a"], FRAME["a"].rename("c")),
    (FRAME["a"], FRAME["a"].reset_index(drop=True)),
]


@pytest.mark.parametrize("value", SAME, ids=lambda value: type(value).__name__)
def test_a_result_is_the_same_as_its_copy(value: Any) -> None:
    twin = value.copy() if hasattr(value, "copy") else value
    assert difference(value, twin) == 0.0
    assert describe(value, twin) == "same bits"


@pytest.mark.parametrize(("expected", "actual"), DIFFERENT)
def test_what_differs_in_kind_is_told(expected: Any, actual: Any) -> None:
    with pytest.raises(DifferentResult):
        difference(expected, actual)


def test_the_difference_is_the_largest_and_relative() -> None:
    expected, actual = np.array([1.0, 100.0, -4.0]), np.array([1.0, 101.0, -4.0])
    assert difference(expected, actual) == pytest.approx(1 / 101)
    assert difference((expected, 0.0), (actual, 0.0)) == pytest.approx(1 / 101)
    assert difference(expected, actual, absolute=1.0) == 0.0
    assert describe(expected, actual) == "largest relative difference 9.9e-03"


def test_check_allows_the_tolerance_and_no_more() -> None:
    expected, actual = np.array([1.0]), np.array([1.0 + 1e-9])
    assert check(expected, actual, 1e-8) > 0
    with pytest.raises(DifferentResult, match="allowed are 1e-10"):
        check(expected, actual, 1e-10)
