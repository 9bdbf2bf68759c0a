"""One function, two worlds: plain pandas, and fuse.pandas over the same data. Results and exceptions
must agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import fuse.pandas as fpd
from fuse.integrations.pandas_frame import lazy_manager

ROWS = 257


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """A column of every kind, with what is missing in those that can miss something."""
    rng = np.random.default_rng(seed)
    floats = rng.normal(size=rows) * 10
    floats[rng.random(rows) < 0.1] = np.nan
    floats[rng.random(rows) < 0.05] = np.inf
    dates = rng.integers(-(2**33), 2**33, rows).astype("M8[s]")
    missing_dates = dates.astype("M8[ns]").copy()
    missing_dates[rng.random(rows) < 0.1] = "NaT"
    return pd.DataFrame(
        {
            "f": floats,
            "g": np.where(rng.random(rows) < 0.3, 0.0, rng.normal(size=rows)),
            "h": rng.normal(size=rows).astype("float32"),
            "i": rng.integers(-5, 6, rows),
            "j": rng.integers(1, 9, rows),
            "k": rng.integers(-100, 100, rows).astype("int32"),
            "u": rng.integers(0, 200, rows).astype("uint8"),
            "b": rng.random(rows) < 0.5,
            "t": dates,
            "m": missing_dates,
            "c": pd.Categorical.from_codes(rng.integers(-1, 3, rows), ["x", "y", "zz"]),
            "d": pd.Categorical.from_codes(rng.integers(0, 3, rows), [10, 20, 30]),
            "s": pd.Series(rng.choice(np.array(["x", "yy", "é", "", None], object), rows), dtype="str"),
            "w": pd.Series(rng.choice(["x", "yy", "long text here"], rows), dtype="str"),
            "o": pd.Series([(n,) for n in range(rows)], dtype=object),
            "n": pd.array(rng.integers(0, 5, rows), dtype="Int64"),
        }
    )


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result, or the exception."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001  # the exception is what is compared
        return error


def assert_same(got: Any, want: Any) -> None:
    """Same kind, dtype, labels, values; exceptions of the same type and message."""
    if isinstance(want, BaseException):
        assert type(got) is type(want) and str(got) == str(want), f"{got!r}, not {want!r}"
    elif isinstance(want, pd.DataFrame):
        assert isinstance(got, pd.DataFrame), f"{got!r}"
        assert got.attrs == want.attrs
        pd.testing.assert_frame_equal(plain(got), want, check_exact=False, rtol=tolerance(want), atol=0)
    elif isinstance(want, pd.Series):
        assert isinstance(got, pd.Series), f"{got!r}"
        pd.testing.assert_series_equal(plain(got), want, check_exact=False, rtol=tolerance(want), atol=0)
    elif isinstance(want, pd.Index):
        pd.testing.assert_index_equal(got, want)
    elif isinstance(want, np.ndarray):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
    elif isinstance(want, list | tuple):
        assert len(got) == len(want)
        for left, right in zip(got, want, strict=True):
            assert_same(left, right)
    else:
        assert type(got) is type(want), f"{type(got)}, not {type(want)}"
        if isinstance(want, float | np.floating):
            relative = 1e-6 if isinstance(want, np.float32) else 1e-12
            np.testing.assert_allclose(got, want, rtol=relative, equal_nan=True)
        elif not (got is want or (pd.isna(got) and pd.isna(want))):
            assert got == want


def tolerance(want: Any) -> float:
    """Transcendental functions may differ by an ulp, sums by their order."""
    dtypes = want.dtypes if isinstance(want, pd.DataFrame) else [want.dtype]
    return 1e-6 if np.dtype("float32") in list(dtypes) else 1e-12


def plain(value: Any) -> Any:
    """The plain object behind one of ours."""
    from fuse.integrations.pandas_frame import unwrap

    return unwrap(value)


def check(
    function: Callable[..., Any], frame: pd.DataFrame | None = None, *, lazy: bool | None = None
) -> Any:
    """Run `function(pandas module, frame)` in both worlds; `lazy` says whether the result must be
    unevaluated."""
    frame = table() if frame is None else frame
    before = frame.copy(deep=True)
    want = outcome(function, pd, frame.copy())
    got = outcome(function, fpd, fpd.from_pandas(frame))
    if lazy is not None:
        assert isinstance(got, lazy_manager.Deferring), repr(got)
        assert (lazy_manager.state_of(got) is not None) is lazy
    assert_same(got, want)
    pd.testing.assert_frame_equal(frame, before)
    return got
