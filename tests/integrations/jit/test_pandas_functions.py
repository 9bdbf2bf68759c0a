"""Realistic pandas feature code: frames and series in and out, with labels, dtypes and row labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse
from tests.integrations.jit.oracle import check


def frame(rows: int, seed: int = 0, index: Any = None) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    amount = generator.normal(10, 20, rows)
    amount[::7] = np.nan
    return pd.DataFrame(
        {
            "amount": amount,
            "count": generator.integers(0, 9, rows),
            "flag": generator.random(rows) > 0.5,
            "ts": pd.to_datetime("2024-02-28")
            + pd.to_timedelta(generator.integers(0, 10**6, rows), unit="s"),
            "city": pd.Series(generator.choice(["oslo", "rome", "bonn"], rows), dtype="category"),
            "note": generator.choice(["a", "bb", ""], rows),
        },
        index=index,
    )


def derived(df: Any) -> Any:
    return df.assign(ratio=df["amount"] / (df["count"] + 1), hour=df["ts"].dt.hour, big=df["amount"] > 12)


def filtered(df: Any) -> Any:
    return df[(df["amount"] > 0) & df["flag"]]


def one_column(df: Any) -> Any:
    return df["amount"].fillna(0.0) * 2 + df["count"]


def matrix(df: Any) -> Any:
    return np.column_stack([df["amount"].fillna(-1.0), df["count"], df["ts"].dt.day_of_week])


def statistics(df: Any) -> Any:
    return {"mean": df["amount"].mean(), "most": df["count"].max(), "rows": len(df)}


def by_category(df: Any) -> Any:
    return np.where(df["city"] == "rome", df["amount"], 0.0)


def text(df: Any) -> Any:
    return df["amount"].where(df["note"] == "bb", 0.0)


def grouped(df: Any) -> Any:
    df = df[df["count"] > 2]
    return df.groupby("count")["amount"].sum()


FUNCTIONS = [derived, filtered, one_column, matrix, statistics, by_category, text, grouped]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_same_as_pandas(function: Callable[..., Any]) -> None:
    jitted = fuse.jit(function)
    for seed, rows in enumerate((40, 9, 3000, 40)):
        check(jitted, frame(rows, seed), ulps=4)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_same_with_row_labels(function: Callable[..., Any]) -> None:
    jitted = fuse.jit(function)
    for rows in (40, 30):
        check(jitted, frame(rows, rows, pd.Index(np.arange(rows)[::-1] * 10, name="key")), ulps=4)


@pytest.mark.parametrize("function", [derived, filtered, one_column, matrix, by_category, text])
def test_lengths_need_no_new_recording(function: Callable[..., Any]) -> None:
    jitted = fuse.jit(function)
    for rows in (40, 9, 500):
        jitted(frame(rows, rows))
    assert (jitted.stats().recorded, jitted.stats().replayed) == (1, 2)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_few_rows(function: Callable[..., Any], rows: int) -> None:
    check(fuse.jit(function), frame(rows), ulps=4)


def test_results_are_plain_pandas() -> None:
    for function, kind in ((derived, pd.DataFrame), (one_column, pd.Series)):
        jitted = fuse.jit(function)
        assert [type(jitted(frame(20))) for _ in range(2)] == [kind] * 2


def test_another_dtype_or_column_is_another_signature() -> None:
    jitted = fuse.jit(one_column)
    check(jitted, frame(20))
    check(jitted, frame(20).astype({"count": "int8"}))
    check(jitted, frame(20).assign(more=1))
    assert jitted.stats().recorded == len(jitted.signatures) == 3


def test_writing_to_a_result_leaves_the_argument_alone() -> None:
    @fuse.jit
    def wider(df: Any) -> Any:
        return df.assign(twice=df["amount"] * 2)

    for _ in range(2):
        source = frame(20)
        before = source.copy()
        result = wider(source)
        result.loc[0, "count"] = 99
        result["amount"] = 0.0
        pd.testing.assert_frame_equal(source, before)
