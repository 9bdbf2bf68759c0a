"""LightGBM: trees as tables, then the objective's output transform, in LightGBM's own order of operations.

Columns of a frame are bound by name when the model knows the same names in another order; LightGBM itself
goes by position and gives nonsense silently. Otherwise everything is LightGBM's: the conversion of features
to float, the training categories of a categorical column, the choice of iterations.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fuse.integrations.estimators.arithmetic import call
from fuse.integrations.estimators.checks import check_features, check_rows
from fuse.integrations.estimators.features import Column, Features, Labels, Refused, Unsupported
from fuse.integrations.estimators.forest_tables import BoostedModel, read_model, to_tables
from fuse.integrations.estimators.linear import classes_at, logistic, softmax
from fuse.integrations.estimators.registry import converter
from fuse.ir import build
from fuse.ir.forest import ForestTables
from fuse.ir.node import Node

_OPTIONS = (
    "raw_score start_iteration num_iteration pred_leaf pred_contrib validate_features "
    "num_threads n_jobs verbose verbosity"
)


Columns = list[Node]
Parameters = Mapping[str, str]


def _identity(scores: Columns, parameters: Parameters) -> Columns:
    return scores


def _signed_square(scores: Columns, parameters: Parameters) -> Columns:
    """sign(x) * x * x, for a regression on the square root."""
    if "sqrt" not in parameters:
        return scores
    return [call("multiply", call("multiply", call("sign", x), x), x) for x in scores]


def _sigmoid(scores: Columns, parameters: Parameters) -> Columns:
    return [logistic(x, float(parameters.get("sigmoid", 1))) for x in scores]


def _softmax(scores: Columns, parameters: Parameters) -> Columns:
    return softmax(scores)


def _exponential(scores: Columns, parameters: Parameters) -> Columns:
    return [call("exp", x) for x in scores]


def _log1p_exp(scores: Columns, parameters: Parameters) -> Columns:
    return [call("log1p", call("exp", x)) for x in scores]


# An objective's name in the model file: its `ConvertOutput`. "" is a custom objective.
TRANSFORMS: Mapping[str, Callable[[Columns, Parameters], Columns]] = {
    "": _identity,
    "custom": _identity,
    "none": _identity,
    "regression": _signed_square,
    "regression_l1": _signed_square,
    "quantile": _signed_square,
    "mape": _signed_square,
    "huber": _identity,
    "fair": _identity,
    "poisson": _exponential,
    "gamma": _exponential,
    "tweedie": _exponential,
    "binary": _sigmoid,
    "multiclass": _softmax,
    "multiclassova": _sigmoid,
    "cross_entropy": _sigmoid,
    "cross_entropy_lambda": _log1p_exp,
    "lambdarank": _identity,
    "rank_xendcg": _identity,
}


class _Read:
    """A model as it was read, and the state of the booster that tells whether it still is that model."""

    def __init__(self, booster: Any, stamp: tuple[Any, ...]) -> None:
        self.stamp = stamp
        self.model = read_model(booster.model_to_string(num_iteration=-1, start_iteration=0))
        self._tables: dict[tuple[int, int], ForestTables] = {}

    def tables(self, start: int, count: int) -> ForestTables:
        if (start, count) not in self._tables:
            self._tables[start, count] = to_tables(self.model, start, count)
        return self._tables[start, count]


_models: weakref.WeakKeyDictionary[Any, _Read] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _read(booster: Any) -> _Read:
    trees = booster.num_trees()
    last = booster.get_leaf_output(trees - 1, 0) if trees else 0.0
    bounds = (booster.lower_bound(), booster.upper_bound()) if trees else ()
    stamp = (booster._handle.value, trees, last, *bounds)
    with _lock:
        found = _models.get(booster)
        if found is None or found.stamp != stamp:
            found = _models[booster] = _Read(booster, stamp)
        return found


@converter("lightgbm.Booster", "predict", options=f"{_OPTIONS} data_has_header")
def predict_booster(booster: Any, features: Features, **options: Any) -> Node:
    """Sum of leaves in the order of the trees, then the objective's transform."""
    read = _read(booster)
    return _predict(booster, read, features, **options)


def _predict(
    booster: Any,
    read: _Read,
    features: Features,
    raw_score: bool = False,
    start_iteration: int = 0,
    num_iteration: int | None = None,
    **options: Any,
) -> Node:
    refused = [name for name in ("pred_leaf", "pred_contrib", "validate_features") if options.get(name)]
    if refused:
        raise Unsupported(f"{refused[0]}=True")
    if num_iteration is None:
        num_iteration = booster.best_iteration if start_iteration <= 0 else -1
    matrix = _as_lightgbm_reads(features, booster.pandas_categorical)
    if features.width != read.model.feature_count:
        raise Refused(f"{features.width} features for a model of {read.model.feature_count}")
    return _transformed(
        read, matrix, *_iterations(read.model, start_iteration, num_iteration), raw_score=raw_score
    )


def _iterations(model: BoostedModel, start: int, count: int) -> tuple[int, int]:
    """LightGBM's `InitPredict`: from where, and how many."""
    start = min(max(start, 0), model.iterations)
    left = model.iterations - start
    return start, min(count, left) if count > 0 else left


def _transformed(read: _Read, matrix: Node, start: int, count: int, *, raw_score: bool) -> Node:
    model = read.model
    scores = build.forest(matrix, read.tables(start, count))
    if raw_score:
        return build.column(scores, 0) if model.outputs == 1 else scores
    if model.objective not in TRANSFORMS:
        raise Unsupported(f"objective {model.objective!r}")
    columns = [build.column(scores, output) for output in range(model.outputs)]
    if model.averaged:
        columns = [call("divide", column, float(count)) for column in columns]
    columns = TRANSFORMS[model.objective](columns, model.parameters)
    return columns[0] if model.outputs == 1 else build.stack(columns, 1)


def _as_lightgbm_reads(features: Features, training: list[list[Any]] | None) -> Node:
    """The matrix of floats: training codes for categories, float32 for an array of integers."""
    check_rows(features)
    if features.is_frame:
        return _frame_matrix(features, training)
    if not features.is_numeric:
        raise Unsupported("text where numbers are needed")
    matrix = features.matrix()
    if matrix.dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        return matrix
    return build.convert(matrix, np.float32)


def _frame_matrix(features: Features, training: list[list[Any]] | None) -> Node:
    table = features.table()
    categorical = [column for column in table if column.labels is not None]
    if any(column.labels is None and not column.is_numeric for column in table):
        raise Refused("columns of text")
    if training is None and categorical:
        raise Refused("categorical columns, and a model that knows no training categories")
    if len(categorical) != len(training or []):
        raise Refused("another number of categorical columns than in training")
    known = iter(training or [])
    codes = {id(column): _training_codes(column, next(known)) for column in categorical}
    columns = [codes.get(id(column), column.node) for column in table]
    dtype = np.result_type(np.float32, *(column.dtype for column in columns))
    return build.stack([build.convert(column, dtype) for column in columns], 1)


def _training_codes(column: Column, training: list[Any]) -> Node:
    """Codes of the frame's categories as codes of the training categories; what is unknown or missing is
    NaN.
    """
    assert column.labels is not None
    place = {label: float(position) for position, label in enumerate(training)}
    table = np.array([np.nan, *(place.get(label, np.nan) for label in column.labels.tolist())])
    codes = build.convert(column.node, np.int64)
    return build.gather(build.constant(table), call("add", codes, 1), "clip")


def _scores(estimator: Any, features: Features, options: Mapping[str, Any]) -> Node:
    """`LGBMModel.predict`."""
    from lightgbm.sklearn import LGBMNotFittedError  # type: ignore[attr-defined]  # not in its __all__

    if not estimator.__sklearn_is_fitted__():
        raise LGBMNotFittedError("Estimator not fitted, call fit before exploiting the model.")
    overrides = [
        name
        for name in estimator.get_params()
        if name.startswith(("pred_", "predict_")) or "_predict" in name
    ]
    if overrides:
        raise Unsupported(f"the parameter {overrides[0]}")
    booster = estimator._Booster
    read = _read(booster)
    if not features.is_frame:
        check_features(estimator, features)
    return _predict(booster, read, features, **options)


@converter("lightgbm.LGBMRegressor", "predict", options=_OPTIONS)
def predict_regressor(estimator: Any, features: Features, **options: Any) -> Node:
    """As the booster."""
    return _scores(estimator, features, options)


@converter("lightgbm.LGBMRanker", "predict", options=_OPTIONS)
def predict_ranker(estimator: Any, features: Features, **options: Any) -> Node:
    """As the booster."""
    return _scores(estimator, features, options)


@converter(
    "lightgbm.LGBMClassifier", "decision_function", options="start_iteration num_iteration validate_features"
)
def decide(estimator: Any, features: Features, **options: Any) -> Node:
    """The raw score of the booster."""
    return _scores(estimator, features, {**options, "raw_score": True})


@converter("lightgbm.LGBMClassifier", "predict_proba", options=_OPTIONS)
def predict_proba(estimator: Any, features: Features, **options: Any) -> Node:
    """As the booster; for two classes 1 - p and p."""
    scores = _scores(estimator, features, options)
    if options.get("raw_score"):
        return scores
    if callable(estimator._objective):
        raise Unsupported("probabilities of a custom objective, which LightGBM warns about")
    if estimator._n_classes > 2:
        return scores
    return build.stack([call("subtract", 1.0, scores), scores], 1)


@converter("lightgbm.LGBMClassifier", "predict", options=_OPTIONS)
def predict_classifier(estimator: Any, features: Features, **options: Any) -> Node | Labels:
    """The class of the largest probability."""
    if options.get("raw_score"):
        return predict_proba(estimator, features, **options)
    probabilities = predict_proba(estimator, features, **options)
    if estimator._n_classes <= 2:
        negative, positive = probabilities.inputs
        codes = build.convert(call("greater", positive, negative), np.intp)
    else:
        codes = build.arg_reduce("argmax", probabilities, 1)
    return classes_at(estimator.classes_, codes)
