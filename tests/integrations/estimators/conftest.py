"""Two worlds for one call: the library on real objects, and the interpreted graph of the same call on lazy
ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse.numpy
import fuse.sklearn  # noqa: F401  # makes estimators record
from fuse import config
from fuse.integrations.capture import values as captured
from fuse.integrations.capture.report import report
from fuse.integrations.numpy_array.base import LazyArray, from_array
from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.frame import wrap
from fuse.ir.interpret import interpret

COMPILED = captured.engine.evaluate


@pytest.fixture(autouse=True)
def same_models_every_time() -> None:
    """Estimators without a `random_state` draw from NumPy's global generator."""
    np.random.seed(0)


@pytest.fixture(autouse=True)
def interpreted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is recorded, however small, and evaluated by the interpreter."""
    monkeypatch.setattr(captured.engine, "evaluate", interpret)
    report().clear()
    with config.config(min_rows=0, raise_internal=True), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Data was loaded from", UserWarning)
        yield
    report().clear()


@pytest.fixture(params=["interpreted", "compiled"])
def both_ways(request: pytest.FixtureRequest, interpreted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are run a second time through the whole compiler."""
    if request.param == "compiled":
        monkeypatch.setattr(captured.engine, "evaluate", COMPILED)


class Worlds:
    """Runs a method in both worlds and compares what comes out."""

    def lazy(self, real: Any) -> Any:
        """The lazy twin of an array or a frame."""
        return wrap(real.copy()) if isinstance(real, pd.DataFrame) else from_array(real.copy())

    def run(self, estimator: Any, method: str, X: Any, **options: Any) -> tuple[Any, Any]:
        """(what the library gives, what the graph gives), and that the graph was recorded and not run by the
        library.
        """
        expected = getattr(estimator, method)(X, **options)
        result = getattr(estimator, method)(self.lazy(X), **options)
        assert not report().fallbacks, report()
        return expected, result

    def check(self, estimator: Any, X: Any, *methods: str, rtol: float = 0.0, **options: Any) -> None:
        """The same values (bits unless `rtol`), dtypes, shapes and names."""
        for method in methods or ("transform",):
            expected, result = self.run(estimator, method, X, **options)
            self.same(expected, result, rtol)

    def same(self, expected: Any, result: Any, rtol: float = 0.0) -> None:
        """Two results of a method."""
        if isinstance(expected, pd.DataFrame):
            assert isinstance(result, lazy_manager.Deferring)
            bounds = {"rtol": rtol, "atol": rtol} if rtol else {}
            pd.testing.assert_frame_equal(expected, pd.DataFrame(result), check_exact=rtol == 0.0, **bounds)
            return
        if expected.dtype.kind in "biuf":
            assert isinstance(result, LazyArray)
        found = np.asarray(result)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        if rtol and expected.dtype.kind == "f":
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)
        else:
            np.testing.assert_array_equal(found, expected)
            if expected.dtype.kind == "f":
                np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))

    def same_error(self, estimator: Any, method: str, X: Any, **options: Any) -> Exception:
        """Both worlds raise the same class with the same message."""
        with pytest.raises(Exception) as expected:  # whatever the library raises
            getattr(estimator, method)(X, **options)
        with pytest.raises(type(expected.value)) as found:
            getattr(estimator, method)(self.lazy(X), **options)
        assert str(found.value) == str(expected.value)
        return found.value

    def falls_back(self, estimator: Any, method: str, X: Any, reason: str, **options: Any) -> Any:
        """The library runs, the result is its own, and the report says why."""
        expected = getattr(estimator, method)(X, **options)
        result = getattr(estimator, method)(self.lazy(X), **options)
        reasons = [found.reason for found in report().fallbacks]
        assert any(reason in found for found in reasons), reasons
        report().clear()
        return expected, result


@pytest.fixture
def worlds() -> Worlds:
    return Worlds()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
