"""SimpleImputer: a select between the value and the statistic, and columns that say what was missing."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fuse.integrations.estimators.arithmetic import call, full, scalar, select
from fuse.integrations.estimators.categories import fill_missing, is_missing
from fuse.integrations.estimators.checks import FLOATS, check_features, check_fitted, check_rows, validated
from fuse.integrations.estimators.features import Column, Features, Unsupported, array_of
from fuse.integrations.estimators.registry import converter
from fuse.integrations.estimators.scalers import refuse_sparse
from fuse.ir import build
from fuse.ir.node import Node


@converter("sklearn.impute.SimpleImputer", "transform")
def simple_imputer(estimator: Any, features: Features) -> Features:
    """Where a value is missing, the column's statistic; optionally, columns of what was missing."""
    refuse_sparse(features)
    check_fitted(estimator)
    if estimator._fit_dtype.kind == "O":
        return _impute_text(estimator, features)
    X = _validated(estimator, features)
    dtype, marker = X.dtypes[0], estimator.missing_values
    masks = [_mask(column, marker) for column in X.columns()]
    kept = _kept(estimator, X)
    statistics = estimator.statistics_.astype(estimator._fill_dtype, copy=False)
    filled = [select(masks[i], scalar(statistics[i], dtype), X.columns()[i]) for i in kept]
    return array_of([*filled, *(build.convert(mask, dtype) for mask in _indicated(estimator, masks))])


def _validated(estimator: Any, features: Features) -> Features:
    marker = estimator.missing_values
    is_nan = isinstance(marker, float) and np.isnan(marker)
    if not is_nan and (isinstance(marker, bool | str) or not isinstance(marker, int | float | np.number)):
        raise Unsupported(f"missing_values={marker!r}")
    keep = None if estimator.strategy in ("most_frequent", "constant") else FLOATS
    X = validated(estimator, features, keep, allow_nan=is_nan)
    dtype = X.dtypes[0]
    if dtype.kind not in "iuf":
        raise Unsupported(f"imputing {dtype}")
    if estimator.strategy == "constant" and not np.can_cast(estimator._fill_dtype, dtype, "same_kind"):
        raise Unsupported(f"filling {dtype} with {estimator._fill_dtype}")
    return X


def _mask(column: Node, marker: Any) -> Node:
    if not (isinstance(marker, float) and np.isnan(marker)):
        return call("equal", column, marker)
    return call("isnan", column) if column.dtype.kind == "f" else full(False, bool, column.shape[0])


def _kept(estimator: Any, X: Features) -> list[int]:
    """The features that have a statistic; the others are dropped, with scikit-learn's warning."""
    if estimator.keep_empty_features:
        return list(range(X.width))
    invalid = np.array([is_missing(value) for value in estimator.statistics_.tolist()], bool)
    if invalid.any():
        names = getattr(estimator, "feature_names_in_", np.arange(X.width))
        warnings.warn(
            f"Skipping features without any observed values: {names[invalid]}. At least one "
            f"non-missing value is needed for imputation with strategy='{estimator.strategy}'.",
            stacklevel=2,
        )
    return np.flatnonzero(~invalid).tolist()


def _indicated(estimator: Any, masks: list[Node]) -> list[Node]:
    """The masks that `add_indicator` appends."""
    if not estimator.add_indicator:
        return []
    indicator = estimator.indicator_
    if indicator.features == "missing-only" and indicator.error_on_new:
        raise Unsupported("an indicator that raises for features newly missing")
    positions = indicator.features_ if indicator.features == "missing-only" else range(len(masks))
    return [masks[int(position)] for position in positions]


def _impute_text(estimator: Any, features: Features) -> Features:
    """Text and categories, as an array of objects holds them; only NaN is a missing value here."""
    check_features(estimator, features)
    check_rows(features)
    marker = estimator.missing_values
    if not (isinstance(marker, float) and np.isnan(marker)) or estimator.add_indicator:
        raise Unsupported("text with other missing values than NaN, or with an indicator")
    statistics = estimator.statistics_.tolist()
    table = features.table()
    if any(column.is_numeric for column in table) or not all(isinstance(value, str) for value in statistics):
        raise Unsupported("numbers imputed as objects")
    return Features(
        tuple(_filled(*pair) for pair in zip(table, statistics, strict=True)), length=features.rows
    )


def _filled(column: Column, value: str) -> Column:
    if column.labels is not None and not all(isinstance(label, str) for label in column.labels.tolist()):
        raise Unsupported("categories that are no text, imputed as objects")
    filled = fill_missing(column, value)
    return Column(filled.node, None, filled.labels, filled.missing, kept=filled.kept)
