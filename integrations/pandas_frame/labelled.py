"""Columns of text and of categories: comparing them with constants, membership, and mapping.

Categories are compared by code, text by the IR's string comparison. What is missing equals nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.pandas_frame.columns import (
    CategoryColumn,
    Column,
    SelectedColumn,
    Selection,
    TextColumn,
)
from fuse.integrations.pandas_frame.operators import apply
from fuse.integrations.pandas_frame.unsupported import Refused, Unsupported
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Dim

MOST_CONSTANTS = 32
_UFUNC: Mapping[str, str] = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def full(value: Any, length: Dim, dtype: Any = None) -> Node:
    """A column of one value."""
    return build.broadcast(build.constant(value, dtype), (length,))


def any_of(conditions: Sequence[Node], length: Dim) -> Node:
    """Where any of the conditions holds."""
    result = conditions[0] if conditions else full(False, length)
    for condition in conditions[1:]:
        result = build.elementwise("logical_or", result, condition)
    return result


class Text:
    """A `str` column, its filters put off until after the comparison."""

    def __init__(self, column: Column) -> None:
        selections: list[Selection] = []
        column = column.resolved()
        while isinstance(column, SelectedColumn):
            selections.append(column.selection)
            column = column.base.resolved()
        if not isinstance(column, TextColumn):
            raise Unsupported(f"a column of dtype {column.dtype} is not compiled")
        self.text, self.validity, self._selections = column.text, column.validity, tuple(reversed(selections))

    def kept(self, node: Node) -> Node:
        """A node over all rows, reduced to the rows of this column."""
        for selection in self._selections:
            node = selection.of(node)
        return node

    def compare(self, name: str, value: str) -> Node:
        """The comparison over all rows; missing text gives false, and true for `ne`."""
        result = build.elementwise(_UFUNC[name], self.text, build.constant(value))
        if self.validity is None:
            return result
        if name == "ne":
            missing = build.elementwise("logical_not", self.validity)
            return build.elementwise("logical_or", result, missing)
        return build.elementwise("logical_and", result, self.validity)

    def missing(self) -> Node:
        """Where there is no text, over all rows."""
        if self.validity is None:
            return full(False, self.text.shape[0])
        return build.elementwise("logical_not", self.validity)


def compare(column: Column, name: str, value: Any) -> Node:
    """A column of text or categories against one constant."""
    resolved = column.resolved()
    if isinstance(resolved, CategoryColumn):
        return _compare_category(resolved, name, value)
    text = Text(resolved)
    if not isinstance(value, str):
        raise Unsupported("text is compared with text only")
    return text.kept(text.compare(name, value))


def _compare_category(column: CategoryColumn, name: str, value: Any) -> Node:
    if name not in ("eq", "ne"):
        raise Refused("the order of categories is left to pandas")
    if not pd.api.types.is_hashable(value) or not np.isscalar(value):
        raise Unsupported("categories are compared with scalars only")
    categories = column.dtype.categories
    if value not in categories:
        return full(name == "ne", column.length)
    return apply(_UFUNC[name], column.codes, categories.get_loc(value))


def is_missing(column: Column) -> Node:
    """Where a column of text or categories has no value."""
    resolved = column.resolved()
    if isinstance(resolved, CategoryColumn):
        return apply("equal", resolved.codes, -1)
    text = Text(resolved)
    return text.kept(text.missing())


def is_in(column: Column, values: Sequence[Any]) -> Node:
    """Membership of text or categories in a list of constants."""
    resolved = column.resolved()
    if isinstance(resolved, CategoryColumn):
        return _category_is_in(resolved, values)
    text = Text(resolved)
    if not all(isinstance(value, str) for value in values) or len(values) > MOST_CONSTANTS:
        raise Unsupported("membership of text in a long list, or in one that is not all text")
    return text.kept(any_of([text.compare("eq", value) for value in values], text.text.shape[0]))


def _category_is_in(column: CategoryColumn, values: Sequence[Any]) -> Node:
    """As `Categorical.isin`: a missing constant finds missing rows."""
    wanted = pd.array(list(values), dtype=object)
    codes = column.dtype.categories.get_indexer_for(wanted)
    codes = codes[np.asarray(pd.isna(wanted)) | (codes >= 0)]
    if len(codes) > MOST_CONSTANTS:
        raise Unsupported("membership in a long list")
    return any_of([apply("equal", column.codes, int(code)) for code in codes], column.length)
