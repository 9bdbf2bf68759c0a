"""Linear models and PCA: matrix products (within 1e-12 of BLAS), then scikit-learn's own formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fuse.integrations.estimators.arithmetic import (
    call,
    fold,
    inplace,
    matmul,
    parameter,
    remembered,
)
from fuse.integrations.estimators.checks import FLOATS_32, validated
from fuse.integrations.estimators.features import Features, Labels, Unsupported
from fuse.integrations.estimators.registry import converter
from fuse.ir import build
from fuse.ir.node import Node

_REGRESSORS = ("LinearRegression", "Ridge", "Lasso", "ElasticNet")

MANY_CLASSES = 64
"""Up to this many classes the softmax is written class by class, which fuses with the product before it."""


def regressor(estimator: Any, features: Features) -> Node:
    """X @ coef + intercept."""
    X = validated(estimator, features, None)
    return _affine(X, np.asarray(estimator.coef_), estimator.intercept_)


for _name in _REGRESSORS:
    converter(f"sklearn.linear_model.{_name}", "predict")(regressor)


def _affine(X: Features, coefficients: np.ndarray, intercept: Any) -> Node:
    product = matmul(X.matrix(), _weights(coefficients))
    if isinstance(intercept, np.ndarray):
        return call("add", product, parameter(intercept))
    return call("add", product, intercept)


def _weights(coefficients: np.ndarray) -> Node:
    """The coefficients as the right operand of the product."""
    node: Node = remembered(
        coefficients, "transposed", lambda array: build.constant(np.ascontiguousarray(array.T))
    )
    return node


def _scores(estimator: Any, features: Features) -> Node:
    scores = _affine(validated(estimator, features, None), estimator.coef_, estimator.intercept_)
    is_single = len(scores.shape) > 1 and scores.shape[1] == 1
    return build.reshape(scores, scores.shape[:1]) if is_single else scores


@converter("sklearn.linear_model.LogisticRegression", "decision_function")
def decision_function(estimator: Any, features: Features) -> Node:
    """X @ coef.T + intercept, 1-D for two classes."""
    return _scores(estimator, features)


@converter("sklearn.linear_model.LogisticRegression", "predict")
def predict(estimator: Any, features: Features) -> Node | Labels:
    """The class where the decision is positive, or the class of the largest one."""
    scores = _scores(estimator, features)
    if len(scores.shape) == 1:
        return classes_at(estimator.classes_, build.convert(call("greater", scores, 0), np.intp))
    return classes_at(estimator.classes_, build.arg_reduce("argmax", scores, 1))


@converter("sklearn.linear_model.LogisticRegression", "predict_proba")
def predict_proba(estimator: Any, features: Features) -> Node:
    """Logistic function of the decision for two classes, softmax for more."""
    scores = _scores(estimator, features)
    if len(estimator.classes_) > MANY_CLASSES:
        return _wide_softmax(scores)
    if len(estimator.classes_) > 2:
        return build.stack(softmax([build.column(scores, k) for k in range(scores.shape[1])]), 1)
    if len(scores.shape) != 1:
        raise Unsupported("one-versus-rest probabilities of a multinomial fit of two classes")
    positive = logistic(scores)
    return build.stack([call("subtract", 1, positive), positive], 1)


@converter("sklearn.linear_model.LogisticRegression", "predict_log_proba")
def predict_log_proba(estimator: Any, features: Features) -> Node:
    """Logarithm of the probabilities."""
    return call("log", predict_proba(estimator, features))


def classes_at(classes: np.ndarray, codes: Node) -> Node | Labels:
    """`classes[codes]`; codes are known to be in range."""
    if classes.dtype.kind not in "biuf":
        return Labels(codes, classes)
    return build.gather(parameter(classes), codes, "clip")


def logistic(values: Node, steepness: float = 1.0) -> Node:
    """1 / (1 + exp(-steepness * x))."""
    exponent = call("negative", values) if steepness == 1.0 else call("multiply", -steepness, values)
    return call("divide", 1, call("add", 1, call("exp", exponent)))


def softmax(columns: Sequence[Node]) -> list[Node]:
    """exp(x - max) / sum over the columns, each row by itself, the sum from left to right.

    Working column by column keeps a row in registers.
    """
    largest = fold("maximum", columns)
    exponentials = [call("exp", call("subtract", column, largest)) for column in columns]
    total = fold("add", exponentials)
    return [call("divide", value, total) for value in exponentials]


def _wide_softmax(scores: Node) -> Node:
    rows = scores.shape[0]
    largest = build.reshape(build.reduce("max", scores, (1,)), (rows, 1))
    exponentials = call("exp", call("subtract", scores, largest))
    total = build.reshape(build.reduce("sum", exponentials, (1,)), (rows, 1))
    return call("divide", exponentials, total)


@converter("sklearn.decomposition.PCA", "transform")
def pca(estimator: Any, features: Features) -> Features:
    """X @ components.T - mean @ components.T, divided by the deviations when whitening."""
    X = validated(estimator, features, FLOATS_32)
    components = estimator.components_
    product = matmul(X.matrix(), _weights(components))
    product = inplace("subtract", product, build.constant(estimator.mean_ @ components.T))
    if estimator.whiten:
        scale = np.sqrt(estimator.explained_variance_)
        scale[scale < np.finfo(scale.dtype).eps] = np.finfo(scale.dtype).eps
        product = inplace("divide", product, build.constant(scale))
    return Features(whole=product)
