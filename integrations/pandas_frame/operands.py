"""What stands beside a column in an operator: another column with the same rows, an array, a lazy array,
a scalar."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.values import bind
from fuse.integrations.pandas_frame.columns import is_value_dtype
from fuse.integrations.pandas_frame.fallback import as_state
from fuse.integrations.pandas_frame.operators import scalar
from fuse.integrations.pandas_frame.rows import Rows, same_rows
from fuse.integrations.pandas_frame.state import SeriesState
from fuse.integrations.pandas_frame.unsupported import Unsupported
from fuse.ir import build
from fuse.ir.node import Node


def aligned(rows: Rows, other: Any) -> SeriesState:
    """The state of a series with the same rows; Unsupported where pandas has to align."""
    state: SeriesState = as_state(other)
    if not same_rows(rows, state.rows):
        raise Unsupported("the row labels differ, so pandas aligns them")
    return state


def array_node(value: Any) -> Node | None:
    """The node of a lazy NumPy array, None for anything else."""
    loaded = sys.modules.get("fuse.integrations.numpy_array.base")
    if loaded is None or not isinstance(value, loaded.LazyArray):
        return None
    node: Node = value._node
    return node


def lazy_array(node: Node, *, scalar: bool = False) -> Any:
    """A lazy NumPy array over a node, or what stands for a NumPy scalar."""
    import fuse.integrations.numpy_array.array  # noqa: F401  # the class registers itself
    from fuse.integrations.numpy_array.base import from_node

    return from_node(node, scalar=scalar)


def column_operand(rows: Rows, dtype: np.dtype, other: Any) -> Any:
    """The other operand of an operator on a column of `dtype`: a node, or a Python scalar."""
    if isinstance(other, pd.Series):
        return aligned(rows, other).column.node
    node = array_node(other)
    if node is not None:
        return _lazy_operand(rows, dtype, node)
    if isinstance(other, np.ndarray):
        return _array_operand(rows, other)
    return scalar(other)


def _array_operand(rows: Rows, array: np.ndarray) -> Any:
    if not array.ndim:
        return scalar(array[()])
    if type(array) is not np.ndarray or not is_value_dtype(array.dtype) or array.shape != (rows.length,):
        raise Unsupported("an array of another length or dtype")
    return bind(array)


def _lazy_operand(rows: Rows, dtype: np.dtype, node: Node) -> Node:
    if node.type.rank == 1 and node.shape[0] == rows.length:
        return node
    if node.type.rank:
        raise Unsupported("an array whose length is not known to be that of the column")
    return weak(node, dtype)


def weak(node: Node, dtype: np.dtype) -> Node:
    """A NumPy scalar as pandas' operators treat it: like a Python scalar, it does not widen a column."""
    kinds = node.dtype.kind + dtype.kind
    if kinds in ("ff", "if", "uf"):
        return build.convert(node, dtype)
    if kinds in ("fi", "fu", "fb"):
        return build.convert(node, np.float64)
    if kinds[0] == "b" or node.dtype == dtype:
        return node
    raise Unsupported("an integer that is not known yet beside a column of another integer dtype")


def result_name(left: Any, right: Any) -> Any:
    """The name of a binary operation's result: kept when both names agree."""
    if not isinstance(right, pd.Series | pd.Index):
        return left.name
    same = left.name is right.name or bool(left.name == right.name)
    return left.name if same else None
