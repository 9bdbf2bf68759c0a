"""Reductions of a column with pandas' rules for missing values, dtypes and empty columns
(`pandas.core.nanops`).

Each gives a 0-d node. What NumPy would do with NaN replaced by the identity is done in one pass with the
count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import truth
from fuse.integrations.pandas_frame.columns import Column, is_value_dtype
from fuse.integrations.pandas_frame.missing import is_missing, nan_of, opposite
from fuse.integrations.pandas_frame.operators import apply
from fuse.integrations.pandas_frame.unsupported import Unsupported
from fuse.ir import build
from fuse.ir.node import Node

_FLOAT64 = np.dtype(np.float64)


def _select(condition: Node, then: Node, otherwise: Node) -> Node:
    return build.elementwise("select", condition, then, otherwise)


def _number(value: Any, dtype: Any) -> Node:
    return build.constant(np.asarray(value).astype(dtype))


def _count(valid: Node) -> Node:
    return build.reduce("sum", build.convert(valid, np.int64))


def count(column: Column) -> Node:
    """How many values are there, int64."""
    return _count(opposite(is_missing(column)))


def _numeric(column: Column, name: str) -> Node:
    if not is_value_dtype(column.dtype) or column.dtype.kind not in "biuf":
        raise Unsupported(f"{name} of {column.dtype} is not compiled")
    return column.node


def _nulled(result: Node, present: Node, least: int) -> Node:
    """NaN when fewer than `least` values are there."""
    if least <= 0:
        return result
    return _select(apply("less", present, least), _number(np.nan, result.dtype), result)


def _accumulate(kind: str, identity: int) -> Callable[..., Node]:
    def reduction(column: Column, skipna: bool = True, min_count: int = 0) -> Node:
        node = _numeric(column, kind)
        if node.dtype.kind != "f":
            if min_count > 0:
                raise Unsupported("min_count of integers may change the dtype")
            wide = np.uint64 if node.dtype.kind == "u" else np.int64
            return build.reduce(kind, build.convert(node, wide))
        filled = _select(nan_of(node), _number(identity, node.dtype), node) if skipna else node
        return _nulled(build.reduce(kind, filled), count(column) if min_count > 0 else filled, min_count)

    return reduction


def mean(column: Column, skipna: bool = True) -> Node:
    """Sum over count: float64 for integers, the column's own dtype for floats; NaN for nothing."""
    node = _numeric(column, "mean")
    missing = nan_of(node)
    dtype = node.dtype if node.dtype.kind == "f" else _FLOAT64
    filled = (
        _select(missing, _number(0, dtype), node)
        if skipna and node.dtype.kind == "f"
        else build.convert(node, dtype)
    )
    present = build.convert(_count(opposite(missing)), dtype)
    return build.elementwise("divide", build.reduce("sum", filled), present)


def variance(column: Column, skipna: bool = True, ddof: int = 1) -> Node:
    """Two passes in float64, given back in the column's own floating-point dtype."""
    node = _numeric(column, "var")
    valid = opposite(nan_of(node))
    wide = build.convert(node, _FLOAT64)
    present = build.convert(_count(valid), _FLOAT64)
    zero = _number(0, _FLOAT64)
    filled = _select(valid, wide, zero) if node.dtype.kind == "f" and skipna else wide
    average = build.elementwise("divide", build.reduce("sum", filled), present)
    squares = build.elementwise("square", build.elementwise("subtract", average, wide))
    if node.dtype.kind == "f" and skipna:
        squares = _select(valid, squares, zero)
    freedom = apply("subtract", present, float(ddof))
    result = build.elementwise("divide", build.reduce("sum", squares), freedom)
    result = _select(apply("less_equal", present, float(ddof)), _number(np.nan, _FLOAT64), result)
    return build.convert(result, node.dtype) if node.dtype.kind == "f" else result


def deviation(column: Column, skipna: bool = True, ddof: int = 1) -> Node:
    """The square root of the variance."""
    return build.elementwise("sqrt", variance(column, skipna, ddof))


def _extreme(kind: str) -> Callable[..., Node]:
    def reduction(column: Column, skipna: bool = True) -> Node:
        node = _numeric(column, kind)
        if node.dtype.kind != "f":
            if not _has_rows(column):
                raise Unsupported(f"{kind} of no rows changes the dtype")
            return build.reduce(kind, node)
        result = build.reduce(f"f{kind}" if skipna else kind, node)
        return _nulled(result, count(column), 1) if skipna else _empty_is_nan(result, column)

    return reduction


def _has_rows(column: Column) -> bool:
    if isinstance(column.length, int):
        return column.length > 0
    return truth(apply("greater", _rows(column), 0), usual=True)


def _rows(column: Column) -> Node:
    return build.reduce("sum", build.broadcast(build.constant(np.int64(1)), (column.length,)))


def _empty_is_nan(result: Node, column: Column) -> Node:
    return _nulled(result, _rows(column), 1)


def _truth(kind: str) -> Callable[..., Node]:
    def reduction(column: Column, skipna: bool = True) -> Node:
        node = _numeric(column, kind)
        truth = apply("not_equal", node, 0) if node.dtype.kind != "b" else node
        if node.dtype.kind == "f" and skipna:
            truth = _select(nan_of(node), _number(kind == "all", bool), truth)
        return build.reduce(kind, truth)

    return reduction


def without_values(name: str, column: Column) -> Node | None:
    """Where pandas answers with Python's NaN rather than one of the column's dtype: no value, or no row,
    at all."""
    if name == "mean":
        return apply("equal", count(column), 0)
    return apply("equal", _rows(column), 0) if name in ("var", "std", "min", "max") else None


# name: (reduction, the arguments of pandas that it knows)
REDUCTIONS: Mapping[str, tuple[Callable[..., Node], frozenset[str]]] = {
    "sum": (_accumulate("sum", 0), frozenset({"skipna", "min_count"})),
    "prod": (_accumulate("prod", 1), frozenset({"skipna", "min_count"})),
    "product": (_accumulate("prod", 1), frozenset({"skipna", "min_count"})),
    "mean": (mean, frozenset({"skipna"})),
    "min": (_extreme("min"), frozenset({"skipna"})),
    "max": (_extreme("max"), frozenset({"skipna"})),
    "var": (variance, frozenset({"skipna", "ddof"})),
    "std": (deviation, frozenset({"skipna", "ddof"})),
    "any": (_truth("any"), frozenset({"skipna"})),
    "all": (_truth("all"), frozenset({"skipna"})),
    "count": (count, frozenset()),
}
