"""LightGBM: raw scores with the same bits for models of all kinds, transformed ones within 2 ulp."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from fuse.integrations.capture.report import report
from fuse.ir.forest import ZERO_THRESHOLD

ROWS = 400
TINY = [0.0, 1e-35, ZERO_THRESHOLD, 5e-36, 1.1e-35]
LARGE = [np.inf, 3e9, 1e30, 0.5, 0.99, 39.99, 31, 32, 63, 64, 2.0**31, 2.0**31 - 1]
EDGES = np.array([*TINY, *LARGE, *(-value for value in TINY + LARGE), np.nan])
OBJECTIVES = {
    "binary": {"sigmoid": 1.7},
    "multiclass": {"num_class": 3},
    "multiclassova": {"num_class": 3, "sigmoid": 0.8},
    "regression": {},
    "regression_l1": {"reg_sqrt": True},
    "huber": {},
    "fair": {},
    "poisson": {},
    "quantile": {},
    "mape": {},
    "gamma": {},
    "tweedie": {},
    "cross_entropy": {},
    "cross_entropy_lambda": {},
    "lambdarank": {},
    "rank_xendcg": {},
}


def training_data(rng: np.random.Generator, missing: str) -> np.ndarray:
    X = rng.normal(size=(ROWS, 5))
    X[:, 1] = np.round(X[:, 1])
    X[:, 4] = rng.integers(0, 70, ROWS)
    X[rng.random(X.shape) < 0.15] = 0.0
    if missing != "none":
        X[rng.random(X.shape) < 0.1] = np.nan
    return X


def target(rng: np.random.Generator, objective: str, X: np.ndarray) -> np.ndarray:
    signal = np.nan_to_num(X[:, 0]) + 0.03 * np.nan_to_num(X[:, 4]) + rng.normal(size=ROWS) * 0.3
    if objective.startswith(("multiclass", "lambdarank", "rank")):
        return np.digitize(signal, np.quantile(signal, [0.3, 0.7])).astype(float)
    if objective in ("binary", "cross_entropy", "cross_entropy_lambda"):
        return (signal > np.median(signal)).astype(float)
    return np.abs(signal) + 0.1


def trained(
    rng: np.random.Generator, objective: str, missing: str = "nan", *, categorical: bool = False, **more: Any
) -> Any:
    X = training_data(rng, missing)
    settings = {
        "objective": objective,
        "verbose": -1,
        "num_threads": 1,
        "num_leaves": 15,
        "min_data_in_leaf": 5,
        "min_data_per_group": 5,
        "cat_smooth": 1,
        "use_missing": missing != "none",
        "zero_as_missing": missing == "zero",
        **OBJECTIVES.get(objective, {}),
        **more,
    }
    group = [ROWS // 4] * 4 if objective in ("lambdarank", "rank_xendcg") else None
    names = [4] if categorical else []
    data = lightgbm.Dataset(X, target(rng, objective, X), group=group, categorical_feature=names)
    return lightgbm.train(settings, data, 6)


def test_data(rng: np.random.Generator) -> np.ndarray:
    X = training_data(rng, "nan")
    X[:60] = rng.choice(EDGES, size=(60, 5))
    return X


test_data.__test__ = False  # type: ignore[attr-defined]  # data, not a test


def ulps(expected: np.ndarray, found: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        distance = np.abs(expected - found) / np.spacing(np.maximum(np.abs(expected), np.abs(found)))
    return float(np.max(np.where(expected == found, 0.0, distance), initial=0.0))


@pytest.mark.parametrize("missing", ["nan", "zero", "none"])
@pytest.mark.parametrize("categorical", [False, True])
@pytest.mark.parametrize("boosting", ["gbdt", "rf", "dart"])
@pytest.mark.parametrize("objective", ["binary", "multiclass", "regression"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_raw_scores_have_the_same_bits(
    worlds: Any, rng: np.random.Generator, missing: str, categorical: bool, boosting: str, objective: str
) -> None:
    bagging = {"bagging_freq": 1, "bagging_fraction": 0.6} if boosting == "rf" else {}
    model = trained(rng, objective, missing, categorical=categorical, boosting=boosting, **bagging)
    X = test_data(rng)
    worlds.check(model, X, "predict", raw_score=True)
    worlds.check(model, X.astype("float32"), "predict", raw_score=True)
    worlds.check(model, X, "predict", raw_score=True, start_iteration=1, num_iteration=3)
    worlds.check(model, X, "predict", raw_score=True, start_iteration=4, num_iteration=30)
    expected, found = worlds.run(model, "predict", X)
    assert ulps(expected, np.asarray(found)) <= 4


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective(worlds: Any, rng: np.random.Generator, objective: str) -> None:
    model = trained(rng, objective)
    X = test_data(rng)
    worlds.check(model, X, "predict", raw_score=True)
    expected, found = worlds.run(model, "predict", X)
    found = np.asarray(found)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert ulps(expected, found) <= (4 if objective == "multiclass" else 2)


def test_a_custom_objective(worlds: Any, rng: np.random.Generator) -> None:
    def squares(scores: np.ndarray, data: Any) -> tuple[np.ndarray, np.ndarray]:
        return scores - data.get_label(), np.ones_like(scores)

    X = training_data(rng, "nan")
    model = lightgbm.train({"objective": squares, "verbose": -1}, lightgbm.Dataset(X, X[:, 1] > 0), 4)
    worlds.check(model, test_data(rng), "predict")


def test_trees_of_one_leaf(worlds: Any, rng: np.random.Generator) -> None:
    X = rng.normal(size=(50, 2))
    model = lightgbm.train({"verbose": -1, "min_data_in_leaf": 50}, lightgbm.Dataset(X, np.full(50, 2.5)), 3)
    worlds.check(model, X, "predict")


def test_integers(worlds: Any, rng: np.random.Generator) -> None:
    model = trained(rng, "regression")
    X = rng.integers(-(2**40), 2**40, (50, 5))
    X[:25] = rng.integers(-5, 70, (25, 5))
    worlds.check(model, X, "predict", raw_score=True)
    worlds.check(model, pd.DataFrame(X), "predict", raw_score=True)
    worlds.check(model, X > 0, "predict", raw_score=True)


def test_best_iteration_and_more_training(worlds: Any, rng: np.random.Generator) -> None:
    X = training_data(rng, "nan")
    data = lightgbm.Dataset(X, target(rng, "regression", X), free_raw_data=False)
    model = lightgbm.train({"verbose": -1}, data, 5, keep_training_booster=True)
    worlds.check(model, X, "predict")
    model.update()
    worlds.check(model, X, "predict")
    model.rollback_one_iter()
    model.best_iteration = 2
    worlds.check(model, X, "predict")
    worlds.check(model, X, "predict", num_iteration=-1)
    model.set_leaf_output(model.num_trees() - 1, 0, 123.0)
    worlds.check(model, X, "predict", num_iteration=-1)


def test_a_model_from_text(worlds: Any, rng: np.random.Generator) -> None:
    model = trained(rng, "multiclass", categorical=True)
    worlds.check(
        lightgbm.Booster(model_str=model.model_to_string()), test_data(rng), "predict", raw_score=True
    )


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["int", "str"])
def test_classifier(worlds: Any, rng: np.random.Generator, classes: int, kind: str) -> None:
    X = training_data(rng, "nan")
    y = rng.integers(0, classes, ROWS)
    labels = y * 2 + 1 if kind == "int" else np.array(["no", "yes", "so"])[y]
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(X, labels)
    worlds.check(model, X, "predict")
    worlds.check(model, X, "predict", raw_score=True)
    worlds.check(model, X, "predict_proba", raw_score=True, num_iteration=2)
    worlds.check(model, X, "decision_function")
    expected, found = worlds.run(model, "predict_proba", X)
    assert ulps(expected, np.asarray(found)) <= 4


def test_regressor(worlds: Any, rng: np.random.Generator) -> None:
    X = training_data(rng, "nan")
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, boosting_type="dart").fit(
        X, np.nan_to_num(X[:, 0])
    )
    worlds.check(model, X, "predict")
    worlds.same_error(model, "predict", X[:, :3])
    with pytest.raises(lightgbm.sklearn.LGBMNotFittedError, match="not fitted"):
        lightgbm.LGBMRegressor().predict(worlds.lazy(X))


def categorical_frame(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "city": pd.Categorical(rng.choice(["Rome", "Oslo", "Lima", "Bern"], ROWS)),
            "amount": rng.normal(size=ROWS).astype("float32"),
            "size": pd.Categorical(rng.integers(0, 40, ROWS)),
            "count": rng.integers(0, 9, ROWS),
            "flag": rng.random(ROWS) > 0.5,
        }
    )


def test_categories_of_a_frame(worlds: Any, rng: np.random.Generator) -> None:
    frame = categorical_frame(rng)
    y = frame["city"].isin(["Rome", "Lima"]) ^ (frame["size"].astype(int) % 3 == 0) ^ frame["flag"]
    model = lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, min_data_per_group=1, cat_smooth=1).fit(
        frame, y
    )
    worlds.check(model, frame, "predict", raw_score=True)
    other = frame.copy()
    other["city"] = pd.Categorical(rng.choice(["Lima", "Paris", "Rome"], ROWS), ["Paris", "Lima", "Rome"])
    other.loc[::9, "city"] = None
    other["size"] = pd.Categorical(other["size"].astype(int) % 7 + 30)
    worlds.check(model, other, "predict", raw_score=True)
    worlds.check(model.booster_, other, "predict", raw_score=True)
    expected, found = worlds.run(model, "predict_proba", other)
    assert ulps(expected, np.asarray(found)) <= 2


def test_wrong_columns_are_lightgbms_business(worlds: Any, rng: np.random.Generator) -> None:
    frame = categorical_frame(rng)
    model = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(frame, frame["amount"])
    worlds.same_error(model, "predict", frame.drop(columns="count"))
    worlds.same_error(model, "predict", frame.assign(city=frame["city"].astype("str")))
    worlds.same_error(model, "predict", frame.assign(count=frame["count"].astype("category")))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_columns_count_by_position_whatever_their_names(worlds: Any, rng: np.random.Generator) -> None:
    """As in LightGBM, which looks at names only to warn."""
    frame = pd.DataFrame(rng.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
    model = lightgbm.LGBMRegressor(n_estimators=9, verbose=-1).fit(frame, frame["a"] - frame["c"])
    for given in (frame[["c", "b", "a"]], frame.set_axis(["b", "c", "a"], axis=1), frame.add_suffix("_")):
        worlds.check(model, given, "predict")
        worlds.check(model.booster_, given, "predict")
    assert not report().fallbacks


@pytest.mark.parametrize("option", ["pred_leaf", "pred_contrib"])
def test_leaves_and_contributions_are_the_librarys(
    worlds: Any, rng: np.random.Generator, option: str
) -> None:
    model = trained(rng, "binary")
    expected, result = worlds.falls_back(model, "predict", test_data(rng), option, **{option: True})
    np.testing.assert_array_equal(expected, result)


def test_linear_trees_are_the_librarys(worlds: Any, rng: np.random.Generator) -> None:
    X = rng.normal(size=(ROWS, 3))
    model = lightgbm.train({"verbose": -1, "linear_tree": True}, lightgbm.Dataset(X, X[:, 0] * X[:, 1]), 3)
    expected, result = worlds.falls_back(model, "predict", X, "linear trees")
    np.testing.assert_array_equal(expected, result)


def test_options_of_the_library(worlds: Any, rng: np.random.Generator) -> None:
    model = trained(rng, "binary")
    options = {"pred_early_stop": True, "pred_early_stop_freq": 1}
    expected, result = worlds.falls_back(model, "predict", test_data(rng), "pred_early_stop", **options)
    np.testing.assert_array_equal(expected, result)
    worlds.check(model, test_data(rng), "predict", raw_score=True, num_threads=1)
