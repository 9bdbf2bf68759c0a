"""Random data: dates of every unit, extreme integers, missing values and infinities, tables without rows."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuse import config
from tests.integrations.pandas_frame.worlds import check

FLOATS = hnp.arrays(np.float64, st.integers(0, 30), elements=st.floats(width=64))
INTEGERS = hnp.arrays(np.int64, st.integers(0, 30), elements=st.integers(-(2**63), 2**63 - 1))
FIELDS = ["year", "month", "day", "hour", "second", "microsecond", "day_of_week", "day_of_year", "quarter"]
LIMITS = {"s": 10**12, "ms": 10**15, "us": 2**63 - 1, "ns": 2**63 - 1}


def in_both_worlds(function: Any, frame: pd.DataFrame) -> None:
    with config.config(min_rows=0, raise_internal=True):
        check(function, frame)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(deadline=None, max_examples=60)
@given(FLOATS, st.floats(width=64))
def test_floats(values: np.ndarray, scalar: float) -> None:
    frame = pd.DataFrame({"a": values, "b": values[::-1]})
    for function in (
        operator.add,
        operator.mul,
        operator.truediv,
        operator.floordiv,
        operator.mod,
        operator.lt,
    ):
        in_both_worlds(lambda pd, df, function=function: function(df.a, df.b), frame)
        in_both_worlds(lambda pd, df, function=function: function(df.a, scalar), frame)
    in_both_worlds(lambda pd, df: df[df.a > df.b], frame)
    in_both_worlds(lambda pd, df: df.a.clip(-1.0, 1.0), frame)
    in_both_worlds(lambda pd, df: df.a.isin([scalar, np.nan]), frame)
    for name in ("min", "max", "count", "any", "all"):
        in_both_worlds(lambda pd, df, name=name: getattr(df.a, name)(), frame)


@settings(deadline=None, max_examples=60)
@given(INTEGERS, st.integers(-(2**63), 2**63 - 1))
def test_integers(values: np.ndarray, scalar: int) -> None:
    frame = pd.DataFrame({"a": values, "b": values[::-1]})
    functions = (
        operator.add,
        operator.sub,
        operator.mul,
        operator.floordiv,
        operator.mod,
        operator.le,
        operator.xor,
    )
    for function in functions:
        in_both_worlds(lambda pd, df, function=function: function(df.a, df.b), frame)
        in_both_worlds(lambda pd, df, function=function: function(df.a, scalar), frame)
    in_both_worlds(lambda pd, df: df.a.isin([scalar, 0]), frame)
    in_both_worlds(lambda pd, df: df.a.where(df.a > 0, scalar), frame)
    for name in ("sum", "min", "max", "prod", "count"):
        in_both_worlds(lambda pd, df, name=name: getattr(df.a, name)(), frame)


@pytest.mark.parametrize("unit", list(LIMITS))
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_dates(unit: str, data: Any) -> None:
    limit = LIMITS[unit]
    stamps = st.lists(st.one_of(st.integers(-limit, limit), st.just(-(2**63))), max_size=20)
    frame = pd.DataFrame({"t": np.array(data.draw(stamps), np.int64).view(f"M8[{unit}]")})
    for field in FIELDS:
        in_both_worlds(lambda pd, df, field=field: getattr(df.t.dt, field), frame)
    in_both_worlds(lambda pd, df: df.t.isna(), frame)
