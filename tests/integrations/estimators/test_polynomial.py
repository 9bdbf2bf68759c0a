"""PolynomialFeatures with every option, and functions as transformers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, (2, 3), (0, 2), (3, 3)])
@pytest.mark.parametrize("interaction_only", [False, True])
@pytest.mark.parametrize("include_bias", [False, True])
def test_options(
    worlds: Any, rng: np.random.Generator, degree: Any, interaction_only: bool, include_bias: bool
) -> None:
    if degree == 0 and not include_bias:
        pytest.skip("scikit-learn refuses to fit this")
    X = rng.normal(size=(30, 4))
    worlds.check(
        PolynomialFeatures(degree, interaction_only=interaction_only, include_bias=include_bias).fit(X), X
    )


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_dtypes(worlds: Any, rng: np.random.Generator, dtype: str) -> None:
    X = (rng.normal(size=(30, 3)) * 9).astype(dtype)
    worlds.check(PolynomialFeatures(3).fit(X), X)


def test_frames_and_errors(worlds: Any, rng: np.random.Generator) -> None:
    frame = pd.DataFrame({"a": rng.normal(size=20), "b": rng.integers(0, 5, 20)})
    model = PolynomialFeatures().set_output(transform="pandas").fit(frame)
    worlds.check(model, frame)
    frame.loc[3, "a"] = np.nan
    worlds.same_error(model, "transform", frame)


def test_functions(worlds: Any, rng: np.random.Generator) -> None:
    X = np.abs(rng.normal(size=(30, 3)))
    worlds.check(FunctionTransformer(np.log1p).fit(X), X)
    worlds.check(FunctionTransformer().fit(X), X)
    worlds.check(FunctionTransformer(np.round, kw_args={"decimals": 2}).fit(X), X)
    worlds.check(FunctionTransformer(lambda X: X[:, 1:] + 1, validate=True).fit(X), X)
    worlds.check(
        FunctionTransformer(np.sqrt, feature_names_out="one-to-one").fit(X).set_output(transform="pandas"), X
    )


def test_functions_of_frames(worlds: Any, rng: np.random.Generator) -> None:
    frame = pd.DataFrame({"a": rng.normal(size=20), "b": rng.integers(0, 5, 20)})
    worlds.check(FunctionTransformer(lambda f: f.assign(c=f["a"] / f["b"])).fit(frame), frame)


def test_an_error_of_the_function_is_raised(worlds: Any, rng: np.random.Generator) -> None:
    def fail(X: Any) -> Any:
        raise KeyError("mine")

    X = rng.normal(size=(5, 2))
    assert isinstance(worlds.same_error(FunctionTransformer(fail).fit(X), "transform", X), KeyError)
