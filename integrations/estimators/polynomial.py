"""PolynomialFeatures, and FunctionTransformer, which is the user's function on lazy features."""

from __future__ import annotations

from typing import Any

from fuse.integrations.estimators.arithmetic import call, full
from fuse.integrations.estimators.checks import validated
from fuse.integrations.estimators.features import Features, Unsupported, Value, array_of
from fuse.integrations.estimators.registry import converter
from fuse.integrations.estimators.scalers import refuse_sparse
from fuse.ir.node import Node


@converter("sklearn.preprocessing.PolynomialFeatures", "transform")
def polynomial_features(estimator: Any, features: Features) -> Features:
    """Products of features, each from the product of one factor less, as scikit-learn multiplies them."""
    refuse_sparse(features)
    X = validated(estimator, features)
    combinations = estimator._combinations(
        X.width,
        estimator._min_degree,
        estimator._max_degree,
        estimator.interaction_only,
        estimator.include_bias,
    )
    products: dict[tuple[int, ...], Node] = {(): full(1, X.dtypes[0], X.rows)}
    products.update({(position,): column for position, column in enumerate(X.columns())})
    return array_of([_product(combination, products) for combination in combinations])


def _product(factors: tuple[int, ...], products: dict[tuple[int, ...], Node]) -> Node:
    if factors not in products:
        products[factors] = call("multiply", _product(factors[1:], products), products[factors[:1]])
    return products[factors]


@converter("sklearn.preprocessing.FunctionTransformer", "transform")
def function_transformer(estimator: Any, features: Features) -> Value:
    """The function itself, called on lazy features."""
    from fuse.integrations.estimators import border

    if estimator.validate:
        refuse_sparse(features)
        features = validated(estimator, features, None)
    if estimator.func is None:
        return features
    refuse_sparse(features)
    result = border.features_of(estimator.func(border.to_lazy(features), **(estimator.kw_args or {})))
    if result is None:
        raise Unsupported("the function gives back neither an array of two dimensions nor a frame")
    named = result.is_frame and estimator.feature_names_out is not None
    if named and result.names != list(estimator.get_feature_names_out()):
        raise Unsupported("the function names its columns otherwise than get_feature_names_out")
    return result
