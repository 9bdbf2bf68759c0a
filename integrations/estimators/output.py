"""What container a transformer gives back: scikit-learn's `set_output`, read from scikit-learn's own
functions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fuse.integrations.estimators.features import Features, Unsupported, Value


def output_of(estimator: Any) -> str:
    """ "default", "pandas" or "polars"."""
    from sklearn.utils._set_output import _auto_wrap_is_configured, _get_output_config

    if not _auto_wrap_is_configured(estimator):
        return "default"
    configured: str = _get_output_config("transform", estimator)["dense"]
    return configured


def wants_frame(estimator: Any) -> bool:
    """Whether the transformer was asked for pandas frames."""
    return output_of(estimator) == "pandas"


def framed(estimator: Any, features: Features, value: Value) -> Value:
    """The result of `transform` in the container that was asked for; names by `get_feature_names_out`."""
    output = output_of(estimator)
    if output == "default" or not isinstance(value, Features):
        return value
    if output != "pandas":
        raise Unsupported(f"{output} output")
    if value.is_sparse:
        raise Unsupported("sparse output in a frame")
    names = estimator.get_feature_names_out()
    columns = (replace(column, name=name) for column, name in zip(value.table(), names, strict=True))
    index = value.index if value.is_frame else features.index
    return Features(
        tuple(columns), is_frame=True, index=index, length=features.rows if len(names) == 0 else value.rows
    )
