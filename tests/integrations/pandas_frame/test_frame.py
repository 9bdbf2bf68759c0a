"""DataFrame: columns, rows, operators, reductions, errors, the user's frame, pickling, in both worlds."""

from __future__ import annotations

import operator
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse.pandas as fpd
from fuse import config
from fuse.errors import StrictModeError
from fuse.integrations.capture.report import report
from fuse.integrations.pandas_frame import lazy_manager
from tests.integrations.pandas_frame.worlds import assert_same, check, plain, table


def features(pd: Any, df: Any) -> Any:
    """The pipeline of the design: filter, new columns, dates, categories, text."""
    df = df[df["g"] > 0]
    df["hour"] = df["t"].dt.hour
    df["ratio"] = np.log1p(df.j) / (df.i.abs() + 1e-3)
    df["flag"] = (df.c == "x") | (df.s != "yy")
    return df.assign(double=lambda d: d.ratio * 2).drop(columns=["o", "n"]).rename(columns={"f": "first"})


def test_pipeline_stays_lazy_and_agrees() -> None:
    check(features, lazy=True)
    check(lambda pd, df: features(pd, df).drop(columns="h").mean(numeric_only=True))
    check(lambda pd, df: features(pd, df).head(7), lazy=True)
    check(lambda pd, df: features(pd, df).groupby("hour")["ratio"].sum())
    check(lambda pd, df: features(pd, df).sort_values("ratio").reset_index())


def test_columns() -> None:
    check(lambda pd, df: df["f"], lazy=True)
    check(lambda pd, df: df.f, lazy=True)
    check(lambda pd, df: df[["i", "f"]], lazy=True)
    check(lambda pd, df: df[["i", "i"]])
    check(lambda pd, df: df[[]])
    check(lambda pd, df: df["nothing"])
    check(lambda pd, df: df[["f", "nothing"]])
    check(lambda pd, df: df.nothing)
    check(lambda pd, df: df.drop(columns="f"), lazy=True)
    check(lambda pd, df: df.drop(columns=["f", "nothing"]))
    check(lambda pd, df: df.drop("f", axis=1), lazy=True)
    check(lambda pd, df: df.drop(index=[0, 1]))
    check(lambda pd, df: df.rename(columns=str.upper), lazy=True)
    check(lambda pd, df: df.rename(columns={"f": "g"}))
    check(lambda pd, df: df.columns)
    check(lambda pd, df: list(df))
    check(lambda pd, df: "f" in df)
    check(lambda pd, df: df.dtypes)
    check(lambda pd, df: df[["f"]].dtypes)
    check(lambda pd, df: df.f.dtype)
    check(
        lambda pd, df: [
            len(df),
            df.shape,
            df.size,
            df.ndim,
            df.empty,
            df[df.g > 0].shape,
            len(df.f[df.g > 0]),
        ]
    )


def test_write_columns() -> None:
    def write(value: Any) -> Any:
        def function(pd: Any, df: Any) -> Any:
            df["new"] = value(df)
            df["f"] = value(df)
            return df

        return function

    values: list[Any] = [
        lambda df: df.i * 2, lambda df: 1, lambda df: 2.5, lambda df: True, lambda df: "text",
        lambda df: None,
        lambda df: np.arange(257), lambda df: np.arange(3), lambda df: [1] * 257, lambda df: df.i[df.g > 0],
        lambda df: np.float32(3), lambda df: df.c, lambda df: df.s, lambda df: df.m.dt.year,
    ]  # fmt: skip
    for value in values:
        check(write(value))

    def twice(pd: Any, df: Any) -> Any:
        before, column = df, df["f"]
        df["f"] = df["f"] + 1
        df.insert(1, "inserted", df["i"])
        del df["g"]
        popped = df.pop("h")
        df.columns = [*df.columns[:-1], "last"]
        return before, column, df, popped

    check(twice)


def test_attribute_write_and_locations() -> None:
    def write(pd: Any, df: Any) -> Any:
        df = df[["f", "i", "j"]] * 1
        df.f = df.i + 0.5
        df.loc[df.i > 0, "f"] = 0.0
        df.loc[3, "i"] = 77
        df.iloc[4, 1] = 78
        df.at[5, "i"] = 79
        return df

    check(write)


@pytest.mark.parametrize("cut", [0.0, 100.0, -100.0])
def test_rows(cut: float) -> None:
    check(lambda pd, df: df[df.g > cut], lazy=True)
    check(lambda pd, df: df[df.g > cut][df.g > 0.5])
    check(lambda pd, df: df.loc[df.g > cut], lazy=True)
    check(lambda pd, df: df.loc[df.g > cut, "f"], lazy=True)
    check(lambda pd, df: df.loc[df.g > cut, ["f", "s"]], lazy=True)
    check(lambda pd, df: df.loc[df.g > cut, "f":"h"])
    check(lambda pd, df: df[(df.g > cut).to_numpy()], lazy=True)
    check(lambda pd, df: df[df.g > cut].iloc[:3], lazy=True)
    check(lambda pd, df: df[df.g > cut].index)
    check(lambda pd, df: df[df.g > cut][["f", "c", "s", "o", "n"]])


def test_rows_by_other_means() -> None:
    check(lambda pd, df: df[:5])
    check(lambda pd, df: df.iloc[2:9], lazy=True)
    check(lambda pd, df: df.iloc[-3:], lazy=True)
    check(lambda pd, df: df.iloc[3])
    check(lambda pd, df: df.loc[3, "f"])
    check(lambda pd, df: df.loc[[3, 4]])
    check(lambda pd, df: df.tail(3), lazy=True)
    check(lambda pd, df: df.head(-250), lazy=True)
    check(lambda pd, df: df.query("g > 0 and i < 3"))
    check(lambda pd, df: df[[True] * 257])
    check(lambda pd, df: df[np.ones(3, bool)])
    with pytest.warns(UserWarning, match="reindexed"):
        check(lambda pd, df: df[(df.g > 0)[::-1]])


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lt", "eq", "ne"])
def test_operators(name: str) -> None:
    function = getattr(operator, name)
    for scalar in (2, 0, 0.5, -1, "x"):
        check(lambda pd, df, scalar=scalar: function(df[["f", "g", "h", "j", "k"]], scalar))
        check(lambda pd, df, scalar=scalar: function(scalar, df[["f", "j"]]))
    check(lambda pd, df: function(df[["f", "j"]], df[["f", "j"]]))
    check(lambda pd, df: function(df[["f", "j"]], df[["j", "f"]]))
    check(lambda pd, df: function(df[["f", "j"]], df["f"]))
    check(lambda pd, df: function(df["f"], df[["f", "j"]]))
    check(lambda pd, df: function(df, 2))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "name", ["sum", "mean", "min", "max", "std", "var", "count", "any", "all", "prod", "median"]
)
def test_reductions(name: str) -> None:
    check(lambda pd, df: getattr(df[["f", "g"]], name)())
    check(lambda pd, df: getattr(df[["f", "g", "i", "b"]], name)())
    check(lambda pd, df: getattr(df[["h"]], name)())
    check(lambda pd, df: getattr(df[["i", "k"]], name)())
    check(lambda pd, df: getattr(df[["f", "g"]], name)(axis=1))
    check(lambda pd, df: getattr(df[df.g > 0][["f", "g"]], name)())
    check(lambda pd, df: getattr(df[["f", "s"]], name)())
    if name not in ("any", "all", "count"):
        check(lambda pd, df: getattr(df.drop(columns="h"), name)(numeric_only=True))


def test_elementwise_methods() -> None:
    numbers = ["f", "g", "h", "i", "b"]
    check(lambda pd, df: df.isna(), table()[[*numbers, "t", "m", "c", "s"]], lazy=True)
    check(lambda pd, df: df.notna())
    check(lambda pd, df: df[numbers].fillna(0))
    check(lambda pd, df: df.fillna({"f": 1.0, "c": "x", "nothing": 3}), lazy=True)
    check(lambda pd, df: df[["f", "i"]].clip(-1, 1), lazy=True)
    check(lambda pd, df: df[["f", "i"]].round(1), lazy=True)
    check(lambda pd, df: df.round({"f": 1}))
    check(lambda pd, df: df[["g", "i"]].astype("float32"), lazy=True)
    check(lambda pd, df: df.astype({"g": "float32", "i": float}), lazy=True)
    check(lambda pd, df: df.astype({"nothing": "float32"}))
    check(lambda pd, df: abs(df[["f", "i"]]), lazy=True)
    check(lambda pd, df: -df[["f", "b"]], lazy=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        check(lambda pd, df: np.exp(df[["f", "i"]]), lazy=True)
        check(lambda pd, df: np.add(df[["f", "i"]], 1), lazy=True)


def test_arrays() -> None:
    for labels in (["f", "g"], ["f", "i"], ["h", "u"], ["i", "k", "b"], ["g", "w"], ["t", "m"]):
        check(lambda pd, df, labels=labels: df[labels].to_numpy())
        check(lambda pd, df, labels=labels: df[labels].values)
        check(lambda pd, df, labels=labels: np.asarray(df[labels]))
    check(lambda pd, df: df.f.to_numpy(dtype="float32"))
    check(lambda pd, df: np.asarray(df.f * 2))
    check(lambda pd, df: np.column_stack([df.f, df.i]))


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows(rows: int) -> None:
    frame = table(rows)
    check(features, frame)
    check(lambda pd, df: df[["f", "g", "i"]].sum(), frame)
    check(lambda pd, df: df[["f", "g"]].mean(), frame)
    check(lambda pd, df: df[["i", "j"]].min(), frame)
    check(lambda pd, df: df.f.where(df.b, 1), frame)
    check(lambda pd, df: df.i // df.j, frame)


def test_labels_that_are_not_unique_or_of_several_levels() -> None:
    twice = pd.DataFrame([[1, 2.0], [3, 4.0]], columns=["a", "a"])
    levels = pd.DataFrame([[1, 2.0], [3, 4.0]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    for frame in (twice, levels):
        check(lambda pd, df: df["a"], frame)
        check(lambda pd, df: df + 1, frame)
        check(lambda pd, df: df.sum(), frame)


def test_isinstance_and_conversion() -> None:
    frame = fpd.from_pandas(table())
    assert isinstance(frame, pd.DataFrame) and isinstance(frame, fpd.DataFrame)
    assert isinstance(frame["f"] + 1, pd.Series) and isinstance(frame["f"] + 1, fpd.Series)
    assert type(plain(frame)) is pd.DataFrame
    assert np.shares_memory(plain(frame)["g"].to_numpy(), frame["g"].to_numpy())


def test_functions_give_our_frames() -> None:
    frame = fpd.from_pandas(table())
    joined = fpd.concat([frame, frame])
    assert isinstance(joined, fpd.DataFrame)
    assert_same(joined, pd.concat([table(), table()]))
    assert isinstance(fpd.merge(frame, frame, on="i"), fpd.DataFrame)
    assert isinstance(fpd.DataFrame({"a": [1]}), fpd.DataFrame)
    assert fpd.Timestamp is pd.Timestamp and fpd.NaT is pd.NaT and fpd.api is pd.api
    assert set(dir(pd)) <= set(dir(fpd))


def test_pickle_of_a_lazy_frame() -> None:
    frame = fpd.from_pandas(table())
    lazy = frame[frame["g"] > 0]
    restored = pickle.loads(pickle.dumps(lazy))
    assert isinstance(restored, fpd.DataFrame)
    pd.testing.assert_frame_equal(plain(restored), table()[table()["g"] > 0])
    series = pickle.loads(pickle.dumps(frame["f"] + 1))
    pd.testing.assert_series_equal(plain(series), table()["f"] + 1)


def test_writes_to_the_users_frame_come_too_late() -> None:
    user = table()
    frame = fpd.from_pandas(user)
    pending = frame["g"] * 2
    want = user["g"] * 2
    del frame
    user.loc[:, "g"] = -1.0
    pd.testing.assert_series_equal(plain(pending), want)


def test_writes_to_a_result_do_not_reach_pending_expressions() -> None:
    frame = fpd.from_pandas(table())
    first = frame["g"] * 2
    second = first + 1
    want = table()["g"] * 2 + 1
    assert len(repr(first)) > 0
    first.iloc[:] = 7.0
    pd.testing.assert_series_equal(plain(second), want)


def test_writes_to_a_result_do_not_reach_the_user() -> None:
    user = table()
    frame = fpd.from_pandas(user)
    for part in (frame[["g", "i"]], frame.copy(), frame.iloc[:], frame.head(300)):
        part.loc[0, "g"] = 99.0
        column = part["i"]
        column.iloc[0] = 99
    pd.testing.assert_frame_equal(user, table())
    assert_same(frame, table())


def test_arrays_given_to_a_frame_stay_the_users() -> None:
    frame, array = fpd.from_pandas(table()), np.zeros(257)
    frame["new"] = array
    array[:] = 1.0
    assert frame["new"].sum() == 0.0
    frame.loc[0, "new"] = 5.0
    assert array[0] == 1.0


@pytest.mark.parametrize("rows", [3, 257])
def test_repr(rows: int) -> None:
    frame = table(rows)
    for function in (
        lambda df: df[["f", "i", "s", "c"]], lambda df: df.f + 1, lambda df: df[df.g > 0],
        lambda df: df.c, lambda df: df.i,
    ):  # fmt: skip
        assert repr(function(fpd.from_pandas(frame))) == repr(function(frame))


def test_repr_evaluates_only_what_it_shows() -> None:
    lazy = fpd.from_pandas(table())["f"] + 1
    assert "Length: 257" in repr(lazy)
    assert lazy_manager.state_of(lazy) is not None


def test_report_and_strict_mode() -> None:
    frame = fpd.from_pandas(table())
    report().clear()
    assert frame["f"].sum() and len(frame) and repr(frame) and not report().fallbacks
    frame.sort_values("f")
    (found,) = report().fallbacks
    assert found.call == "pandas.DataFrame.sort_values" and report().fallbacks[found] == 1
    assert found.location is not None and found.location.file == __file__
    with config.config(strict=True), pytest.raises(StrictModeError, match="sort_values"):
        frame.sort_values("f")


def test_few_rows_are_left_to_pandas() -> None:
    with config.config(min_rows=1000):
        frame = fpd.from_pandas(table())
        assert lazy_manager.state_of(frame["f"] + 1) is None
        assert_same(features(fpd, frame), features(pd, table()))


def test_attributes_and_flags() -> None:
    def labelled(pd: Any, df: Any) -> Any:
        df.attrs["source"] = "a file"
        return df[df.g > 0][["f", "i"]] * 2

    assert check(labelled).attrs == {"source": "a file"}


def test_estimators_accept_frames() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    frame = fpd.from_pandas(table())
    scaler = preprocessing.StandardScaler().fit(frame[["g", "i"]] * 1)
    assert list(scaler.feature_names_in_) == ["g", "i"]
    want = preprocessing.StandardScaler().fit_transform(table()[["g", "i"]])
    np.testing.assert_allclose(scaler.transform(frame[["g", "i"]] * 1), want, rtol=1e-12)


def test_other_methods_run_in_pandas() -> None:
    check(lambda pd, df: df.merge(df[["i", "g"]].head(5), on="i"))
    check(lambda pd, df: df.describe())
    check(lambda pd, df: df.f.value_counts())
    check(lambda pd, df: df.groupby("i").agg({"f": "mean", "g": ["min", "max"]}))
    check(lambda pd, df: df.f.rolling(3).mean())
    check(lambda pd, df: df.s.str.upper())
    check(lambda pd, df: df.apply(lambda row: row["g"] + row["i"], axis=1))
    check(lambda pd, df: df.T.shape)
    check(lambda pd, df: df.to_dict("list")["i"])
    check(lambda pd, df: df.f.sort_values().index)
    check(lambda pd, df: df.f.cumsum())
    check(lambda pd, df: df.cat)
    check(lambda pd, df: df.c.cat.codes, lazy=True)
    check(lambda pd, df: df.c.cat.categories)
    check(lambda pd, df: df.c.cat.add_categories(["new"]))
    check(lambda pd, df: df.pipe(lambda d: d.f * 2), lazy=True)
    check(lambda pd, df: df.f.to_frame("x"), lazy=True)
    check(lambda pd, df: df.eval("f + g"))
    check(lambda pd, df: bool(df.f))
