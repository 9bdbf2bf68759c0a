"""Plain function against jitted function: same types, dtypes, shapes, labels and bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def assert_same(actual: Any, expected: Any, ulps: int = 0) -> None:
    """Equal structures of equal real objects; floats may differ by `ulps`."""
    assert type(actual) is type(expected), (type(actual), type(expected))
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key in expected:
            assert_same(actual[key], expected[key], ulps)
    elif isinstance(expected, tuple | list):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other, ulps)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(actual, expected, check_exact=not ulps, rtol=ulps * 2e-16, atol=0)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(actual, expected, check_exact=not ulps, rtol=ulps * 2e-16, atol=0)
    elif isinstance(expected, np.ndarray | np.generic):
        assert actual.dtype == expected.dtype
        assert actual.shape == expected.shape
        if ulps and expected.dtype.kind == "f":
            np.testing.assert_allclose(actual, expected, rtol=ulps * np.finfo(expected.dtype).eps, atol=0)
        else:
            assert actual.tobytes() == expected.tobytes() or np.array_equal(actual, expected, equal_nan=True)
    else:
        assert actual == expected or (actual != actual and expected != expected)


def copied(value: Any) -> Any:
    """A deep copy of arguments, so that both worlds start from the same."""
    if isinstance(value, tuple | list):
        return type(value)(map(copied, value))
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value.copy() if hasattr(value, "copy") else value


def check(jitted: Any, *args: Any, ulps: int = 0) -> Any:
    """Call both, also for effects on the arguments; the jitted result."""
    plain_args, own_args = copied(args), copied(args)
    expected = _outcome(jitted.py_func, plain_args)
    actual = _outcome(jitted, own_args)
    assert_same(actual, expected, ulps)
    assert_same(own_args, plain_args, ulps)
    return actual


def _outcome(function: Callable[..., Any], args: Any) -> Any:
    try:
        return function(*args)
    except Exception as error:  # noqa: BLE001  # whatever the library raises is the oracle
        return type(error).__name__, str(error)
