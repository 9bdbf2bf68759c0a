"""Estimators of estimators: the same answers as the library, with parts that are compiled and parts that are
not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # makes the halving searches known
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from fuse.integrations.capture.report import report

CLASSES = {2: np.array([0, 1]), 3: np.array([1, 4, 7]), "text": np.array(["ant", "bee", "cat"], object)}
SCORES = ("predict_proba", "decision_function", "predict_log_proba")


@pytest.fixture
def X(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(120, 4))


def labels(X: np.ndarray, kind: Any) -> np.ndarray:
    """A target of some classes that the features say something about."""
    table = CLASSES[kind]
    score = X[:, 0] + 0.5 * X[:, 1] ** 2
    return table[np.digitize(score, np.quantile(score, np.arange(1, len(table)) / len(table)))]


def numbers(X: np.ndarray, count: int = 1) -> np.ndarray:
    target = np.stack([X[:, 0] * 2 + np.sin(X[:, 1]) + k * X[:, 2] for k in range(count)], 1)
    return target[:, 0] if count == 1 else target


def variants(X: np.ndarray) -> list[Any]:
    """The same rows as other containers and dtypes, and one row."""
    return [X, X.astype(np.float32), (X * 3).astype(np.int64), X[:1], np.asfortranarray(X)]


def check_all(worlds: Any, model: Any, X: np.ndarray, *methods: str) -> None:
    for given in variants(X):
        for method in methods:
            if hasattr(model, method):
                worlds.check(model, given, method, rtol=1e-12)


def linear_and_trees() -> list[tuple[str, Any]]:
    return [
        ("a", LogisticRegression()),
        ("b", DecisionTreeClassifier(max_depth=3, random_state=0)),
        ("c", make_pipeline(StandardScaler(), LogisticRegression(C=0.1))),
    ]


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("weights", [None, [1, 2, 0.5]])
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting_classifier(worlds: Any, X: np.ndarray, kind: Any, weights: Any, voting: str) -> None:
    model = VotingClassifier(linear_and_trees(), voting=voting, weights=weights).fit(X, labels(X, kind))
    check_all(worlds, model, X, "predict", "predict_proba", "transform")


def test_votes_not_flattened(worlds: Any, X: np.ndarray) -> None:
    model = VotingClassifier(linear_and_trees(), voting="soft", flatten_transform=False).fit(X, labels(X, 3))
    worlds.check(model, X, "transform", rtol=1e-12)


def test_voting_in_frames(worlds: Any, X: np.ndarray) -> None:
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(120)[::-1])
    model = VotingClassifier(linear_and_trees(), voting="soft").fit(frame, labels(X, 3))
    worlds.check(model.set_output(transform="pandas"), frame, "transform", rtol=1e-12)
    worlds.check(model, frame, "predict")
    worlds.same_error(model, "predict", frame.drop(columns="c"))


@pytest.mark.parametrize("weights", [None, [3, 1]])
def test_voting_regressor(worlds: Any, X: np.ndarray, weights: Any) -> None:
    parts = [("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=4)), ("dropped", "drop")]
    model = VotingRegressor(parts, weights=None if weights is None else [*weights, 9]).fit(X, numbers(X))
    check_all(worlds, model, X, "predict", "transform")


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("method", ["auto", "predict", "decision_function"])
def test_stacking_classifier(worlds: Any, X: np.ndarray, kind: Any, passthrough: bool, method: str) -> None:
    parts = [("a", LogisticRegression()), ("b", make_pipeline(MinMaxScaler(), LogisticRegression()))]
    model = StackingClassifier(parts, passthrough=passthrough, stack_method=method, cv=3)
    check_all(worlds, model.fit(X, labels(X, kind)), X, "predict", "predict_proba", "decision_function")
    check_all(worlds, model, X, "transform")


def test_stacking_regressor(worlds: Any, X: np.ndarray) -> None:
    parts = [("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=4)), ("dropped", "drop")]
    for passthrough in (False, True):
        model = StackingRegressor(parts, LinearRegression(), passthrough=passthrough, cv=3).fit(X, numbers(X))
        check_all(worlds, model, X, "predict", "transform")


def test_stacking_of_a_frame_with_numbers_of_several_kinds(worlds: Any, X: np.ndarray) -> None:
    frame = pd.DataFrame(X, columns=list("abcd")).assign(e=np.arange(120) % 7)
    model = StackingClassifier([("a", LogisticRegression(max_iter=1000))], passthrough=True, cv=3)
    model.fit(frame, labels(X, 3))
    worlds.check(model, frame, "predict_proba", "transform", rtol=1e-11)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("part", [None, LogisticRegression(), RidgeClassifier()], ids=str)
@pytest.mark.parametrize("max_features", [1.0, 0.5])
def test_bagging_classifier(worlds: Any, X: np.ndarray, kind: Any, part: Any, max_features: float) -> None:
    model = BaggingClassifier(part, n_estimators=5, max_features=max_features, random_state=0)
    model.fit(X, labels(X, kind))
    check_all(worlds, model, X, "predict", "predict_proba", "decision_function")


def test_bagging_of_logarithms(worlds: Any, X: np.ndarray) -> None:
    model = BaggingClassifier(LogisticRegression(), n_estimators=4, random_state=0).fit(X, labels(X, 3))
    worlds.check(model, X, "predict_log_proba", rtol=1e-12)


def test_bagged_parts_that_saw_fewer_classes(worlds: Any, X: np.ndarray) -> None:
    y = labels(X, 2)
    y[:2] = 9
    part = make_pipeline(StandardScaler(), LogisticRegression())  # takes no weights, so it gets fewer rows
    seed = next(s for s in range(50) if _sees_fewer(s, part, X, y))
    model = BaggingClassifier(part, n_estimators=6, random_state=seed, max_samples=0.9).fit(X, y)
    worlds.check(model, X, "predict", "predict_proba", rtol=1e-12)


def _sees_fewer(seed: int, part: Any, X: np.ndarray, y: np.ndarray) -> bool:
    model = BaggingClassifier(part, n_estimators=6, random_state=seed, max_samples=0.9).fit(X, y)
    return any(len(found.classes_) < len(model.classes_) for found in model.estimators_)


@pytest.mark.parametrize("part", [None, Ridge()], ids=str)
@pytest.mark.parametrize("bootstrap_features", [False, True])
def test_bagging_regressor(worlds: Any, X: np.ndarray, part: Any, bootstrap_features: bool) -> None:
    model = BaggingRegressor(
        part, n_estimators=9, random_state=1, bootstrap_features=bootstrap_features, max_features=0.75
    ).fit(X, numbers(X))
    check_all(worlds, model, X, "predict")


def test_many_bagged_trees_are_one_forest_with_the_same_bits(worlds: Any, X: np.ndarray) -> None:
    with_nan = X.copy()
    with_nan[::7, 2] = np.nan
    model = BaggingClassifier(n_estimators=120, random_state=0).fit(with_nan, labels(X, 3))
    worlds.check(model, with_nan, "predict", "predict_proba")
    worlds.check(BaggingRegressor(n_estimators=80, random_state=0).fit(X, numbers(X)), X, "predict")


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("part", [None, DecisionTreeClassifier(max_depth=3), LogisticRegression()], ids=str)
def test_adaboost_classifier(worlds: Any, X: np.ndarray, kind: Any, part: Any) -> None:
    model = AdaBoostClassifier(part, n_estimators=8, random_state=0).fit(X, labels(X, kind))
    check_all(worlds, model, X, "predict", *SCORES)


@pytest.mark.parametrize("part", [None, Ridge()], ids=str)
def test_adaboost_regressor(worlds: Any, X: np.ndarray, part: Any) -> None:
    model = AdaBoostRegressor(part, n_estimators=12, random_state=0).fit(X, numbers(X))
    expected, result = worlds.falls_back(model, "predict", X, "sorts each row")
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-12)
    assert model.estimator_weights_.size >= 2


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("part", [LogisticRegression(), DecisionTreeClassifier(max_depth=3)], ids=str)
@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
@pytest.mark.parametrize("ensemble", [True, False])
def test_calibration(worlds: Any, X: np.ndarray, kind: Any, part: Any, method: str, ensemble: bool) -> None:
    y = labels(X, kind)
    if method == "temperature" and kind == 3:
        y = np.unique(y, return_inverse=True)[1]  # its loss takes classes for places, unchecked: 7 is outside
    model = CalibratedClassifierCV(part, method=method, cv=3, ensemble=ensemble).fit(X, y)
    check_all(worlds, model, X, "predict", "predict_proba")


def test_calibration_of_a_fitted_estimator(worlds: Any, X: np.ndarray) -> None:
    frozen = FrozenEstimator(LogisticRegression().fit(X[:60], labels(X, 3)[:60]))
    model = CalibratedClassifierCV(frozen, cv=3).fit(X[60:], labels(X, 3)[60:])
    check_all(worlds, model, X, "predict", "predict_proba")


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(
    "part", [LogisticRegression(), DecisionTreeClassifier(max_depth=2), Ridge()], ids=str
)
def test_one_versus_rest(worlds: Any, X: np.ndarray, kind: Any, part: Any) -> None:
    model = OneVsRestClassifier(part).fit(X, labels(X, kind))
    check_all(worlds, model, X, "predict", *SCORES[:2])


def test_several_labels(worlds: Any, X: np.ndarray) -> None:
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0.3, np.ones(120, bool)], 1).astype(int)
    with pytest.warns(UserWarning, match="present in all training examples"):
        model = OneVsRestClassifier(LogisticRegression()).fit(X, y)
    check_all(worlds, model, X, "predict", *SCORES[:2])


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("part", [LogisticRegression(), DecisionTreeClassifier(max_depth=2)], ids=str)
def test_one_versus_one(worlds: Any, X: np.ndarray, kind: Any, part: Any) -> None:
    model = OneVsOneClassifier(part).fit(X, labels(X, kind))
    check_all(worlds, model, X, "predict", "decision_function")


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("part", [LogisticRegression(), DecisionTreeClassifier(max_depth=2)], ids=str)
def test_output_codes(worlds: Any, X: np.ndarray, kind: Any, part: Any) -> None:
    model = OutputCodeClassifier(part, code_size=2.5, random_state=0).fit(X, labels(X, kind))
    check_all(worlds, model, X, "predict")


def test_several_targets(worlds: Any, X: np.ndarray) -> None:
    check_all(worlds, MultiOutputRegressor(Ridge()).fit(X, numbers(X, 3)), X, "predict")
    y = np.stack([labels(X, 2), labels(X, 3)], 1)
    model = MultiOutputClassifier(LogisticRegression()).fit(X, y)
    check_all(worlds, model, X, "predict")
    expected, result = worlds.run(model, "predict_proba", X)
    assert isinstance(result, list) and len(result) == len(expected)
    for one, other in zip(expected, result, strict=True):
        worlds.same(one, other, 1e-12)


def test_chains(worlds: Any, X: np.ndarray) -> None:
    check_all(worlds, RegressorChain(Ridge(), order=[2, 0, 1]).fit(X, numbers(X, 3)), X, "predict")
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0.3, X.sum(1) > 0], 1).astype(int)
    for method in ("predict", "predict_proba", "decision_function"):
        model = ClassifierChain(LogisticRegression(), order=[1, 2, 0], chain_method=method).fit(X, y)
        check_all(worlds, model, X, "predict", *SCORES)


@pytest.mark.parametrize(
    "transformer", [StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()], ids=str
)
@pytest.mark.parametrize("targets", [1, 2])
def test_scaled_targets(worlds: Any, X: np.ndarray, transformer: Any, targets: int) -> None:
    model = TransformedTargetRegressor(Ridge(), transformer=transformer).fit(X, numbers(X, targets))
    check_all(worlds, model, X, "predict")


def test_targets_through_functions(worlds: Any, X: np.ndarray) -> None:
    y = np.exp(numbers(X))
    check_all(
        worlds, TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp).fit(X, y), X, "predict"
    )
    check_all(worlds, TransformedTargetRegressor(Ridge()).fit(X, y), X, "predict")
    inverse = FunctionTransformer(np.log1p, np.expm1, validate=True)
    check_all(worlds, TransformedTargetRegressor(Ridge(), transformer=inverse).fit(X, y), X, "predict")


def test_an_inverse_without_converter_is_a_step(worlds: Any, X: np.ndarray) -> None:
    model = TransformedTargetRegressor(Ridge(), transformer=PowerTransformer()).fit(X, numbers(X))
    expected, result = worlds.falls_back(model, "predict", X, "the inverse of PowerTransformer")
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-12)


def searches() -> list[Any]:
    part, grid = LogisticRegression(), {"C": [0.1, 1.0, 10.0]}
    return [
        GridSearchCV(part, grid, cv=3),
        RandomizedSearchCV(part, grid, n_iter=2, cv=3, random_state=0),
        HalvingGridSearchCV(part, grid, cv=3, random_state=0),
        HalvingRandomSearchCV(part, grid, n_candidates=3, cv=3, random_state=0),
    ]


@pytest.mark.parametrize("search", searches(), ids=lambda search: type(search).__name__)
def test_searches(worlds: Any, X: np.ndarray, search: Any) -> None:
    check_all(worlds, search.fit(X, labels(X, 3)), X, "predict", *SCORES)


def test_a_search_over_transformers(worlds: Any, X: np.ndarray) -> None:
    scores = make_pipeline(StandardScaler(), MinMaxScaler())
    model = GridSearchCV(scores, {"standardscaler__with_mean": [True, False]}, scoring=_constant_score)
    check_all(worlds, model.fit(X), X, "transform")


def _constant_score(estimator: BaseEstimator, X: np.ndarray, y: Any = None) -> float:
    return 0.0


def test_a_search_without_refit_has_no_predict(worlds: Any, X: np.ndarray) -> None:
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, refit=False, cv=3).fit(X, labels(X, 2))
    with pytest.raises(AttributeError):
        search.predict(worlds.lazy(X))


@pytest.mark.parametrize("pos_label", [None, 0, 1])
@pytest.mark.parametrize("method", ["auto", "predict_proba", "decision_function"])
def test_thresholds(worlds: Any, X: np.ndarray, pos_label: Any, method: str) -> None:
    part, y = LogisticRegression(), labels(X, 2)
    for threshold in ("auto", 0.7):
        model = FixedThresholdClassifier(
            part, threshold=threshold, pos_label=pos_label, response_method=method
        )
        check_all(worlds, model.fit(X, y), X, "predict", *SCORES)
    tuned = TunedThresholdClassifierCV(part, response_method=method, cv=3).fit(X, y)
    check_all(worlds, tuned, X, "predict", *SCORES)


def test_a_threshold_for_a_fitted_estimator(worlds: Any, X: np.ndarray) -> None:
    part = LogisticRegression().fit(X, np.array(["no", "yes"])[labels(X, 2)])
    model = FixedThresholdClassifier(FrozenEstimator(part), threshold=0.3, pos_label="no")
    worlds.check(model.fit(X, part.predict(X)), X, "predict", "predict_proba", rtol=1e-12)


def test_self_training(worlds: Any, X: np.ndarray) -> None:
    y = labels(X, 3).copy()
    y[::3] = -1
    model = SelfTrainingClassifier(LogisticRegression()).fit(X, y)
    check_all(worlds, model, X, "predict", *SCORES)


@pytest.mark.parametrize(
    "model",
    [
        VotingClassifier(
            [("a", KNeighborsClassifier(algorithm="kd_tree")), ("b", LogisticRegression())], voting="soft"
        ),
        StackingClassifier(
            [("a", KNeighborsClassifier(algorithm="kd_tree")), ("b", LogisticRegression())], cv=3
        ),
        BaggingClassifier(KNeighborsClassifier(algorithm="kd_tree"), n_estimators=2, random_state=0),
        OneVsRestClassifier(KNeighborsClassifier(algorithm="kd_tree")),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_part_without_converter_is_a_step(worlds: Any, X: np.ndarray, model: Any) -> None:
    model.fit(X, labels(X, 3))
    expected = model.predict_proba(X)
    result = model.predict_proba(worlds.lazy(X))
    calls = {found.call for found in report().fallbacks}
    assert calls == {"sklearn.KNeighborsClassifier.predict_proba"}
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-12)


def bad_inputs(X: np.ndarray) -> dict[str, Any]:
    with_nan, with_infinity = X.copy(), X.copy()
    with_nan[3, 1], with_infinity[5, 0] = np.nan, np.inf
    return {"nan": with_nan, "infinity": with_infinity, "narrow": X[:, :3], "empty": X[:0]}


def failing() -> list[Any]:
    part, tree = LogisticRegression(), DecisionTreeClassifier(max_depth=2)
    return [
        VotingClassifier([("a", part), ("b", tree)]),
        StackingClassifier([("a", part), ("b", tree)], cv=3),
        BaggingClassifier(n_estimators=3),
        AdaBoostClassifier(n_estimators=3),
        CalibratedClassifierCV(part, cv=3),
        OneVsRestClassifier(part),
        OneVsOneClassifier(part),
        OutputCodeClassifier(part, random_state=3),
        GridSearchCV(part, {"C": [1.0]}, cv=3),
        SelfTrainingClassifier(part),
        TransformedTargetRegressor(Ridge()),
        VotingRegressor([("a", KNeighborsRegressor())]),
    ]


@pytest.mark.parametrize("model", failing(), ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("fault", ["nan", "infinity", "narrow", "empty"])
def test_errors_are_the_librarys(worlds: Any, X: np.ndarray, model: Any, fault: str) -> None:
    y = labels(X, 3)
    y[::5] = -1 if isinstance(model, SelfTrainingClassifier) else y[::5]
    model.fit(X, y)
    given = bad_inputs(X)[fault]
    try:
        expected = model.predict(given)
    except ValueError:
        worlds.same_error(model, "predict", given)
    else:
        np.testing.assert_array_equal(np.asarray(model.predict(worlds.lazy(given))), expected)
