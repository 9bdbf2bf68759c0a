"""Linear models and PCA: within 1e-12 of scikit-learn, the same classes, the same errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge

CLASSIFIER_METHODS = ("predict", "predict_proba", "decision_function", "predict_log_proba")


@pytest.mark.parametrize("model", [LinearRegression(), Ridge(), Lasso(0.01), ElasticNet(0.01)], ids=str)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_regressors(
    worlds: Any, rng: np.random.Generator, model: Any, fit_intercept: bool, dtype: str
) -> None:
    X = (rng.normal(size=(80, 6)) * 10).astype(dtype)
    y = X @ rng.normal(size=6) + rng.normal(size=80)
    model.set_params(fit_intercept=fit_intercept)
    rtol = 1e-12 if dtype != "float32" else 2e-6
    worlds.check(
        model.fit(X, y.astype("float32" if dtype == "float32" else "float64")), X, "predict", rtol=rtol
    )
    worlds.check(model.fit(X, np.column_stack([y, -2 * y])), X, "predict", rtol=rtol)


@pytest.mark.parametrize("classes", [2, 3, 80])
@pytest.mark.parametrize("kind", ["int", "bool", "str", "object", "float"])
def test_logistic_regression(worlds: Any, rng: np.random.Generator, classes: int, kind: str) -> None:
    if kind == "bool" and classes != 2:
        pytest.skip("bool has two classes")
    X = rng.normal(size=(400, 5))
    y = np.arange(400) % classes
    labels = {
        "int": y * 3 - 1,
        "bool": y == 1,
        "float": y * 2.0,
        "str": np.array([f"c{n}" for n in range(classes)])[y],
        "object": np.array([f"c{n}" for n in range(classes)], dtype=object)[y],
    }[kind]
    model = LogisticRegression(max_iter=20 if classes < 10 else 3, tol=1.0).fit(X, labels)
    worlds.check(model, X, "predict")
    worlds.check(model, X, *CLASSIFIER_METHODS[1:], rtol=1e-12)


def test_frames_and_float32(worlds: Any, rng: np.random.Generator) -> None:
    frame = pd.DataFrame({"a": rng.normal(size=50), "b": rng.integers(0, 5, 50), "c": rng.random(50) > 0.5})
    model = LogisticRegression().fit(frame, frame["a"] > 0)
    worlds.check(model, frame, *CLASSIFIER_METHODS, rtol=1e-12)
    X = frame.to_numpy("float32")
    worlds.check(LogisticRegression().fit(X, X[:, 0] > 0), X, *CLASSIFIER_METHODS, rtol=2e-6)


def test_large_decisions_do_not_overflow(worlds: Any, rng: np.random.Generator) -> None:
    X = rng.normal(size=(60, 3))
    model = LogisticRegression().fit(X, X[:, 0] > 0)
    worlds.check(model, X * 1e6, "predict", "predict_proba", rtol=1e-12)
    model = LogisticRegression().fit(X, np.arange(60) % 3)
    worlds.check(model, X * 1e6, "predict", "predict_proba", rtol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(worlds: Any, rng: np.random.Generator, value: float) -> None:
    X = rng.normal(size=(60, 3))
    models = LinearRegression().fit(X, X[:, 0]), LogisticRegression().fit(X, X[:, 0] > 0), PCA(2).fit(X)
    X[7, 2] = value
    for model, method in zip(models, ("predict", "predict_proba", "transform"), strict=True):
        worlds.same_error(model, method, X)


def test_other_numbers_of_features(worlds: Any, rng: np.random.Generator) -> None:
    X = rng.normal(size=(60, 3))
    worlds.same_error(LogisticRegression().fit(X, X[:, 0] > 0), "predict", X[:, :2])
    worlds.same_error(LinearRegression().fit(X, X[:, 0]), "predict", X[:, 0])


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
@pytest.mark.parametrize("width", [6, 70])
def test_pca(worlds: Any, rng: np.random.Generator, whiten: bool, dtype: str, width: int) -> None:
    X = (rng.normal(size=(100, width)) * 10).astype(dtype)
    model = PCA(4, whiten=whiten).fit(X)
    worlds.check(model, X, rtol=1e-11 if dtype != "float32" else 1e-4)
    model.set_output(transform="pandas")
    worlds.check(model, X, rtol=1e-11 if dtype != "float32" else 1e-4)


def test_subclasses(worlds: Any, rng: np.random.Generator) -> None:
    class Renamed(LinearRegression):
        pass

    class Doubled(LinearRegression):
        def predict(self, X: Any) -> Any:
            return super().predict(X) * 2

    X = rng.normal(size=(60, 3))
    worlds.check(Renamed().fit(X, X[:, 0]), X, "predict", rtol=1e-12)
    worlds.check(Doubled().fit(X, X[:, 0]), X, "predict", rtol=1e-12)
