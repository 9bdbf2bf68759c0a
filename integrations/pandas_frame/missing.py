"""Missing values, choices and membership: `isna`, `fillna`, `where`, `clip`, `isin`, `map`, `round`,
`astype`.

pandas keeps the dtype of a column where the new values fit (`np_can_hold_element`) and widens it
otherwise, but only if a value is really replaced; then the data is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import truth
from fuse.integrations.pandas_frame import labelled
from fuse.integrations.pandas_frame.columns import CategoryColumn, Column, ValueColumn, is_value_dtype
from fuse.integrations.pandas_frame.labelled import MOST_CONSTANTS, any_of, full
from fuse.integrations.pandas_frame.operators import apply, date_constant
from fuse.integrations.pandas_frame.unsupported import Refused, Unsupported
from fuse.ir import build
from fuse.ir.node import Node

_LARGEST_EXACT = 2**53


def opposite(condition: Node) -> Node:
    """Where a condition does not hold."""
    return build.elementwise("logical_not", condition)


def nan_of(node: Node) -> Node:
    """Where a value node is NaN or NaT."""
    if node.dtype.kind == "f":
        return build.elementwise("isnan", node)
    if node.dtype.kind in "mM":
        return build.elementwise("isnat", node)
    return full(False, node.shape[0])


def is_missing(column: Column) -> Node:
    """Where a column has no value."""
    return nan_of(column.node) if is_value_dtype(column.dtype) else labelled.is_missing(column)


def fill(column: Column, value: Any) -> Column:
    """`fillna` with one scalar that the dtype can hold."""
    resolved = column.resolved()
    if isinstance(resolved, CategoryColumn):
        return _fill_category(resolved, value)
    node = column.node
    if node.dtype.kind in "biu":
        return column
    if node.dtype.kind == "M":
        filler = date_constant(value, node.dtype)
    else:
        filler = held(node.dtype, value)
    return ValueColumn(build.elementwise("select", nan_of(node), filler, node))


def _fill_category(column: CategoryColumn, value: Any) -> Column:
    if not np.isscalar(value) or value not in column.dtype.categories:
        raise Refused("the value is no category")
    missing, code = apply("equal", column.codes, -1), column.dtype.categories.get_loc(value)
    filler = build.constant(code, column.codes.dtype)
    return CategoryColumn(column.dtype, build.elementwise("select", missing, filler, column.codes))


def held(dtype: np.dtype, value: Any) -> Node:
    """A number as a constant of a dtype that holds it exactly; Unsupported where pandas would widen the
    dtype."""
    fits: Any = False
    if isinstance(value, bool | np.bool_):
        fits = dtype.kind == "b"
    elif isinstance(value, int | np.integer) and dtype.kind in "iu":
        fits = np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    elif isinstance(value, int | float | np.integer | np.floating) and dtype.kind == "f":
        number = float(value)
        is_small = not np.isfinite(number) or abs(number) <= float(np.finfo(dtype).max)
        fits = is_small and (bool(np.isnan(number)) or float(dtype.type(number)) == value)
    elif isinstance(value, float | np.floating) and dtype.kind in "iu" and float(value).is_integer():
        fits = np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    if not fits:
        raise Unsupported(f"{value!r} does not fit {dtype}")
    return build.constant(dtype.type(value))


def choose(condition: Node, value: Node, other: Any) -> Node:
    """`value.where(condition, other)` for a scalar or a node of other values."""
    if isinstance(other, Node):
        if other.dtype != value.dtype:
            raise Unsupported("where over columns of two dtypes")
        return build.elementwise("select", condition, value, other)
    if value.dtype.kind in "mM":
        filler = (
            build.constant(np.array("NaT", value.dtype))
            if _is_nan(other)
            else date_constant(other, value.dtype)
        )
        return build.elementwise("select", condition, value, filler)
    try:
        filler = held(value.dtype, other)
    except Unsupported:
        return _widened(condition, value, other)
    return build.elementwise("select", condition, value, filler)


def _is_nan(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _widened(condition: Node, value: Node, other: Any) -> Node:
    """A float into a column of 32 or 64 bit integers makes it float64, if it replaces anything."""
    is_wide = value.dtype.kind in "iu" and value.dtype.itemsize >= 4
    if not is_wide or not isinstance(other, float | np.floating):
        raise Unsupported(f"{other!r} widens a column of {value.dtype}")
    if not truth(build.reduce("any", opposite(condition)), usual=True):
        return value
    if value.dtype.itemsize == 4 and not _is_nan(other) and np.float32(other) == other:
        raise Unsupported("pandas chooses the float by the value")
    return build.elementwise(
        "select", condition, build.convert(value, np.float64), build.constant(float(other))
    )


def clip(value: Node, lower: Any, upper: Any) -> Node:
    """`clip` with scalars: pandas' two steps, NaN kept, bounds in any order."""
    bounds: list[Any] = [None if bound is None or _is_nan(bound) else bound for bound in (lower, upper)]
    if any(bound is not None and not isinstance(bound, int | float | np.number) for bound in bounds):
        raise Unsupported("clip with bounds that are not numbers")
    if value.dtype.kind not in "iuf":
        raise Unsupported(f"clip of {value.dtype}")
    if None not in bounds:
        bounds = [min(bounds), max(bounds)]
    for bound, comparison in zip(bounds, ("greater_equal", "less_equal"), strict=True):
        if bound is not None:
            number = bound.item() if isinstance(bound, np.generic) else bound
            inside = build.elementwise("logical_or", nan_of(value), apply(comparison, value, number))
            value = choose(inside, value, number)
    return value


def is_in(column: Column, values: Any) -> Node:
    """Membership in a short list of constants, with pandas' rules for NaN."""
    if isinstance(values, str) or not pd.api.types.is_list_like(values):
        raise Refused("isin takes lists")
    if isinstance(values, Mapping | pd.Series | pd.DataFrame) or hasattr(values, "__fuse_node__"):
        raise Unsupported("isin with something that is not a list of constants")
    constants = list(values)
    if not is_value_dtype(column.dtype):
        return labelled.is_in(column, constants)
    return _value_is_in(column.node, constants)


def _value_is_in(node: Node, constants: Sequence[Any]) -> Node:
    if len(constants) > MOST_CONSTANTS or not all(
        _comparable(node.dtype, constant) for constant in constants
    ):
        raise Unsupported("isin with many constants, or of other types than the column")
    conditions = [
        nan_of(node) if _is_nan(constant) else apply("equal", node, constant) for constant in constants
    ]
    return any_of(conditions, node.shape[0])


def _comparable(dtype: np.dtype, constant: Any) -> bool:
    """Whether equality with this constant is exact and of the column's own kind."""
    if isinstance(constant, bool | np.bool_) or dtype.kind == "b":
        return dtype.kind == "b" and isinstance(constant, bool | np.bool_)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return isinstance(constant, int | np.integer) and info.min <= int(constant) <= info.max
    if dtype != np.float64 or not isinstance(constant, int | float | np.integer | np.floating):
        return False
    return isinstance(constant, float | np.floating) or abs(int(constant)) <= _LARGEST_EXACT


def map_values(column: Column, mapping: Mapping[Any, Any]) -> Column:
    """`map(dict)`: numbers by a chain of choices, categories by a table; what is not a key becomes NaN."""
    if hasattr(type(mapping), "__missing__") or not mapping:
        raise Unsupported("map with a default or without keys")
    resolved = column.resolved()
    if isinstance(resolved, CategoryColumn):
        return _map_category(resolved, mapping)
    kinds = {isinstance(value, bool | np.bool_) for value in mapping.values()}
    table = np.asarray(list(mapping.values()))
    if len(kinds) > 1 or table.dtype.kind not in "biuf" or table.ndim != 1 or len(table) > MOST_CONSTANTS:
        raise Unsupported("map to values that are not numbers, or with many keys")
    keys = list(mapping)
    if is_value_dtype(column.dtype):
        node = column.node
        conditions = [_value_is_in(node, [key]) for key in keys]
    else:
        conditions = [labelled.is_in(column, [key]) for key in keys]
    return ValueColumn(_chain(conditions, table))


def _chain(conditions: Sequence[Node], table: np.ndarray) -> Node:
    found = any_of(conditions, conditions[0].shape[0])
    if truth(build.reduce("any", opposite(found)), usual=False):
        if table.dtype.kind == "b" or (table.dtype.kind in "iu" and table.dtype.itemsize < 4):
            raise Unsupported("a missing key changes the dtype")
        table = table.astype(
            np.result_type(table.dtype, np.float64) if table.dtype.kind != "f" else table.dtype
        )
        result = full(np.nan, conditions[0].shape[0], table.dtype)
    else:
        result = full(table[-1], conditions[0].shape[0])
    for condition, value in zip(conditions, table, strict=True):
        result = build.elementwise("select", condition, build.constant(value), result)
    return result


def _map_category(column: CategoryColumn, mapping: Mapping[Any, Any]) -> Column:
    """pandas maps one row of each category; the column takes from that table."""
    has_missing = truth(build.reduce("any", apply("equal", column.codes, -1)), usual=False)
    count = len(column.dtype.categories)
    codes = np.arange(count + has_missing)
    codes[count:] = -1
    sample = pd.Series(pd.Categorical.from_codes(codes, dtype=column.dtype)).map(mapping)
    if isinstance(sample.dtype, pd.CategoricalDtype):
        return CategoryColumn(sample.dtype, _looked_up(column, sample.cat.codes.to_numpy()))
    if not is_value_dtype(sample.dtype):
        raise Unsupported(f"map to {sample.dtype}")
    return ValueColumn(_looked_up(column, sample.to_numpy()))


def _looked_up(column: CategoryColumn, table: np.ndarray) -> Node:
    """The table at each code; -1 takes the last entry."""
    if not len(table):
        raise Unsupported("a column without categories")
    return build.gather(build.constant(table), build.convert(column.codes, np.int64))


def rounded(value: Node, decimals: int) -> Node:
    """NumPy's `round`: scale, round half to even, scale back; integers are kept."""
    if value.dtype.kind in "bM" or (value.dtype.kind in "iu" and decimals >= 0):
        return value
    if value.dtype.kind != "f":
        raise Unsupported(f"round of {value.dtype} to {decimals}")
    if decimals == 0:
        return apply("rint", value)
    up, down = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    scale = float(10 ** abs(decimals))
    return apply(down, apply("rint", apply(up, value, scale)), scale)


def converted(column: Column, dtype: Any) -> Column:
    """`astype`: between NumPy dtypes; floats to integers are checked for NaN and infinity."""
    target = pd.api.types.pandas_dtype(dtype)
    if target == column.dtype:
        return column
    if not isinstance(target, np.dtype) or target.kind not in "biuf" or target == np.float16:
        raise Unsupported(f"astype from {column.dtype} to {target}")
    node = column.node
    if node.dtype.kind in "mM":
        if target != np.int64:
            raise Unsupported(f"astype from {node.dtype} to {target}")
        return ValueColumn(build.bitcast(node, np.int64))
    if node.dtype.kind == "f" and target.kind in "iu":
        usable = build.elementwise("isfinite", node)
        if target.kind == "u":
            usable = build.elementwise("logical_and", usable, apply("greater_equal", node, 0))
        if truth(build.reduce("any", opposite(usable)), usual=False):
            raise Unsupported("values that an integer cannot hold")
    return ValueColumn(build.convert(node, target))
