"""`fuse.pandas.Series`: a pandas Series whose values may still be a graph.

The recorders are functions of the object and pandas' arguments; `METHODS` says which public name each
stands for. What they do not know they leave to pandas by raising `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.doubts import watch_nodes
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import values
from fuse.integrations.pandas_frame import labelled, lazy_manager, missing
from fuse.integrations.pandas_frame.columns import Column, Selection, ValueColumn, is_value_dtype
from fuse.integrations.pandas_frame.fallback import as_state, pandas_code
from fuse.integrations.pandas_frame.operands import (
    aligned,
    array_node,
    column_operand,
    lazy_array,
    result_name,
)
from fuse.integrations.pandas_frame.operators import BINARY, COMPARISONS, UNARY, apply, date_constant
from fuse.integrations.pandas_frame.reductions import REDUCTIONS, without_values
from fuse.integrations.pandas_frame.rows import Rows, known_length
from fuse.integrations.pandas_frame.state import SeriesState
from fuse.integrations.pandas_frame.unsupported import Refused, Unsupported
from fuse.ir.float_errors import SILENT
from fuse.ir.node import Node

_NO_DEFAULT = pd.api.extensions.no_default


class Series(lazy_manager.Deferring, pd.Series):
    """A pandas Series, computed when its values are needed."""

    @property
    def _constructor(self) -> Callable[..., Series]:
        return Series

    @property
    def _constructor_expanddim(self) -> Callable[..., Any]:
        from fuse.integrations.pandas_frame.frame import DataFrame

        return DataFrame

    def _constructor_from_mgr(self, mgr: Any, axes: Any) -> Series:
        made: Any = Series._from_mgr(mgr, axes)  # type: ignore[attr-defined]
        object.__setattr__(made, "_name", None)
        series: Series = made
        return series

    def _constructor_expanddim_from_mgr(self, mgr: Any, axes: Any) -> Any:
        from fuse.integrations.pandas_frame.frame import DataFrame

        return DataFrame._from_mgr(mgr, axes)  # type: ignore[attr-defined]

    def __fuse_node__(self) -> Node | None:
        """The 1-D node of the values, None for columns that are more than a NumPy array."""
        state = as_state(self)
        return state.column.node if is_value_dtype(state.column.dtype) else None


def wrap(real: Any) -> Any:
    """A fuse series over a plain one; the data is shared under copy-on-write."""
    return lazy_manager.adopt(Series, real)


def made(column: Column | Node, rows: Rows, name: Any, like: Any = None) -> Series:
    """A lazy series."""
    found = ValueColumn(column) if isinstance(column, Node) else column
    return lazy_manager.defer(Series, SeriesState(found, rows), name, like)


def lazy_scalar(node: Node) -> Any:
    """A 0-d result: a NumPy scalar now, or in a recording a lazy one."""
    if current_recording() is None:
        return values([node])[0][()]
    return lazy_array(node, scalar=True)


def binary(name: str, reflected: bool = False) -> Callable[..., Any]:
    """The recorder of an operator."""

    def operator(self: Series, other: Any) -> Any:
        if isinstance(other, pd.DataFrame):
            return NotImplemented
        state = as_state(self)
        if not is_value_dtype(state.column.dtype):
            if name not in COMPARISONS:
                raise Refused(f"{name} of a column of dtype {state.column.dtype}")
            node = labelled.compare(state.column, name, other)
            return made(node, state.rows, self.name, self)
        node = _combine(name, state, other, reflected)
        return made(node, state.rows, result_name(self, other), self)

    return operator


def _combine(name: str, state: SeriesState, other: Any, reflected: bool) -> Node:
    node = state.column.node
    if node.dtype.kind == "M" and name in COMPARISONS and not isinstance(other, pd.Series | np.ndarray):
        return BINARY[name](node, date_constant(other, node.dtype))
    if isinstance(other, str):
        raise Refused("text beside numbers")
    operand = column_operand(state.rows, node.dtype, other)
    return BINARY[name](operand, node) if reflected else BINARY[name](node, operand)


def flexible(name: str, reflected: bool = False) -> Callable[..., Any]:
    """The recorder of a method form: `add`, `rsub`, …"""
    operator = binary(name, reflected)

    def method(self: Series, other: Any, level: Any = None, fill_value: Any = None, axis: Any = 0) -> Any:
        if level is not None or fill_value is not None or axis not in (0, "index"):
            raise Unsupported("level, fill_value or axis")
        if isinstance(other, pd.DataFrame):
            raise Refused("a frame beside a series")
        return operator(self, other)

    return method


def in_place(name: str) -> Callable[..., Any]:
    """The recorder of `+=` and its like: the object gets the result, so every name of it sees the new
    values."""
    operator = binary(name)

    def method(self: Series, other: Any) -> Any:
        result = operator(self, other)
        state = lazy_manager.state_of(result) if isinstance(result, Series) else None
        if state is None or state.column.dtype != as_state(self).column.dtype:
            raise Unsupported("an operation in place that changes the dtype")
        lazy_manager.replace_state(self, state)
        return self

    return method


def unary(function: Callable[[Node], Node]) -> Callable[..., Any]:
    """The recorder of `-x`, `~x`, `abs(x)`."""

    def method(self: Series) -> Any:
        state = as_state(self)
        return made(function(state.column.node), state.rows, self.name, self)

    return method


def reduction(name: str) -> Callable[..., Any]:
    """The recorder of `sum`, `mean`, …; also as NumPy's functions call them, with `dtype=None,
    out=None`."""
    function, known = REDUCTIONS[name]

    def method(self: Series, axis: Any = None, **arguments: Any) -> Any:
        if axis not in (None, 0, "index"):
            raise Refused("a series has one axis")
        given = {key: value for key, value in arguments.items() if not _is_default(key, value)}
        if set(given) - known or not all(isinstance(value, int | bool) for value in given.values()):
            raise Unsupported(f"an argument of {name}")
        column = as_state(self).column
        node = function(column, **given)
        nothing = without_values(name, column) if current_recording() is None else None
        if nothing is None:
            return lazy_scalar(node)
        result, is_nothing = values([node, nothing])
        return np.nan if is_nothing else result[()]

    return method


def _is_default(key: str, value: Any) -> bool:
    return value is None or (key in ("numeric_only", "bool_only", "keepdims") and value is False)


def getitem(self: Series, key: Any) -> Any:
    """Rows by a bool mask with the same labels; slices without labels."""
    state = as_state(self)
    return lazy_manager.defer(Series, state.select(selection_of(state.rows, key)), self.name, self)


def selection_of(rows: Rows, key: Any) -> Selection:
    """A mask with the same rows as a selection."""
    if isinstance(key, pd.Series):
        mask = aligned(rows, key).column.node
    elif (lazy := array_node(key)) is not None or isinstance(key, np.ndarray):
        if (key if lazy is None else lazy).dtype != np.dtype(bool):
            raise Unsupported("rows by something that is not a bool mask")
        mask = column_operand(rows, np.dtype(bool), key)
    else:
        raise Unsupported("rows by something that is not a bool mask")
    if mask.dtype != np.dtype(bool):
        raise Unsupported("rows by something that is not a bool mask")
    return Selection(mask)


def where(inverted: bool) -> Callable[..., Any]:
    """The recorder of `where`, and of `mask`, which is `where` of the opposite."""

    def method(self: Series, cond: Any, other: Any = _NO_DEFAULT, *, inplace: bool = False) -> Any:
        if inplace or callable(cond) or callable(other):
            raise Unsupported("inplace or callables")
        state = as_state(self)
        condition = selection_of(state.rows, cond).mask
        assert condition is not None
        condition = missing.opposite(condition) if inverted else condition
        value = state.column.node
        filler = np.nan if other is _NO_DEFAULT else other
        if isinstance(filler, pd.Series | np.ndarray) or array_node(filler) is not None:
            filler = column_operand(state.rows, value.dtype, filler)
        return made(missing.choose(condition, value, filler), state.rows, self.name, self)

    return method


def clip(self: Series, lower: Any = None, upper: Any = None) -> Any:
    state = as_state(self)
    return made(missing.clip(state.column.node, lower, upper), state.rows, self.name, self)


def fillna(self: Series, value: Any) -> Any:
    if not np.isscalar(value) and not isinstance(value, pd.Timestamp):
        raise Unsupported("fillna by something that is not a scalar")
    state = as_state(self)
    return made(missing.fill(state.column, value), state.rows, self.name, self)


def isna(self: Series) -> Any:
    state = as_state(self)
    return made(missing.is_missing(state.column), state.rows, self.name, self)


def notna(self: Series) -> Any:
    state = as_state(self)
    return made(missing.opposite(missing.is_missing(state.column)), state.rows, self.name, self)


def isin(self: Series, values: Any) -> Any:
    state = as_state(self)
    return made(missing.is_in(state.column, values), state.rows, self.name, self)


_BETWEEN = {"both": ("ge", "le"), "left": ("ge", "lt"), "right": ("gt", "le"), "neither": ("gt", "lt")}


def between(self: Series, left: Any, right: Any, inclusive: str = "both") -> Any:
    if inclusive not in _BETWEEN:
        raise Refused("inclusive")
    low, high = _BETWEEN[inclusive]
    return binary("and")(binary(low)(self, left), binary(high)(self, right))


def map_(self: Series, func: Any = None, na_action: Any = None) -> Any:
    if type(func) is not dict or na_action is not None:
        raise Unsupported("map by something that is not a dict")
    state = as_state(self)
    return made(missing.map_values(state.column, func), state.rows, self.name, self)


def astype(self: Series, dtype: Any, errors: str = "raise") -> Any:
    if errors != "raise" or isinstance(dtype, Mapping):
        raise Unsupported("astype with errors or by name")
    state = as_state(self)
    return made(missing.converted(state.column, dtype), state.rows, self.name, self)


def round_(self: Series, decimals: int = 0) -> Any:
    if not isinstance(decimals, int):
        raise Refused("decimals")
    state = as_state(self)
    return made(missing.rounded(state.column.node, decimals), state.rows, self.name, self)


def head(self: Series, n: int = 5) -> Any:
    if not isinstance(n, int | np.integer):
        raise Refused("n")
    return lazy_manager.defer(
        Series, as_state(self).select(Selection(bounds=(None, int(n), 1))), self.name, self
    )


def tail(self: Series, n: int = 5) -> Any:
    if not isinstance(n, int | np.integer):
        raise Refused("n")
    bounds = (-int(n), None, 1) if n else (0, 0, 1)
    return lazy_manager.defer(Series, as_state(self).select(Selection(bounds=bounds)), self.name, self)


def copy(self: Series, deep: bool = True) -> Any:
    return lazy_manager.defer(Series, as_state(self), self.name, self)


def to_frame(self: Series, name: Any = _NO_DEFAULT) -> Any:
    from fuse.integrations.pandas_frame import frame

    state = as_state(self)
    label = self.name if name is _NO_DEFAULT else name
    labels = pd.RangeIndex(1) if label is None and name is _NO_DEFAULT else pd.Index([label])
    return frame.made((state.column,), labels, state.rows, self)


def pipe(self: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(func, tuple):
        raise Unsupported("pipe with a keyword")
    return func(self, *args, **kwargs)


def to_numpy(self: Series, dtype: Any = None, copy: bool = False, na_value: Any = _NO_DEFAULT) -> Any:
    if na_value is not _NO_DEFAULT:
        raise Unsupported("na_value")
    return _array(self, dtype, copy)


def _array(self: Series, dtype: Any = None, copy: Any = False) -> Any:
    """The values: in a recording a lazy array; otherwise pandas' own, which are read-only where they are
    shared."""
    if current_recording() is None:
        with pandas_code:
            return pd.Series.to_numpy(self, dtype, bool(copy))
    from fuse.ir import build

    node = as_state(self).column.node
    return lazy_array(build.convert(node, np.dtype(dtype)) if dtype is not None else node)


# The ufuncs that pandas sends to its operators, which know pandas' rules.
_OPERATORS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "true_divide": "truediv",
    "floor_divide": "floordiv", "remainder": "mod", "power": "pow", "equal": "eq", "not_equal": "ne",
    "less": "lt",
    "less_equal": "le", "greater": "gt", "greater_equal": "ge", "bitwise_and": "and", "bitwise_or": "or",
    "bitwise_xor": "xor",
}  # fmt: skip
_SECOND_NAMES = {"radians": "deg2rad", "degrees": "rad2deg"}
_UNARY_OPERATORS = {
    "negative": "__neg__",
    "positive": "__pos__",
    "absolute": "__abs__",
    "invert": "__invert__",
}


def array_ufunc(self: Series, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's ufuncs on a column: pandas' operators where pandas has one, otherwise NumPy's promotion."""
    name = ufunc.__name__
    if method != "__call__" or kwargs:
        raise Unsupported(f"numpy.{name} with options")
    if name in _UNARY_OPERATORS:
        return unary(UNARY[_UNARY_OPERATORS[name]])(self)
    if name in _OPERATORS:
        left, right = inputs
        if isinstance(left, Series):
            return binary(_OPERATORS[name])(left, right)
        return binary(_OPERATORS[name], reflected=True)(right, left)
    return _plain_ufunc(self, ufunc, inputs)


def _plain_ufunc(self: Series, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    from fuse.ir.scalar_ops import SCALAR_OPS

    name = _SECOND_NAMES.get(ufunc.__name__, ufunc.__name__)
    if name not in SCALAR_OPS or ufunc.nout != 1 or getattr(np, ufunc.__name__, None) is not ufunc:
        raise Unsupported(f"numpy.{ufunc.__name__} is not compiled")
    state = as_state(self)
    operands = [_ufunc_operand(state, value) for value in inputs]
    names = {value.name for value in inputs if isinstance(value, pd.Series)}
    result = apply(name, *operands)
    if name not in SILENT:  # pandas silences its operators, not NumPy's functions
        watch_nodes(ufunc.__name__, [result], [value for value in operands if isinstance(value, Node)])
    return made(result, state.rows, names.pop() if len(names) == 1 else None, self)


def _ufunc_operand(state: SeriesState, value: Any) -> Any:
    """A node, or a scalar: NumPy's are strong here."""
    if isinstance(value, pd.DataFrame):
        raise Unsupported("a ufunc of a frame and a series")
    lazy = array_node(value)
    node = lazy if lazy is not None and not lazy.shape else None
    if node is None and isinstance(value, np.number | np.bool_):
        return value
    if node is None:
        node = column_operand(state.rows, np.dtype(np.float64), value)
    if isinstance(node, Node) and node.dtype.kind not in "biuf":
        raise Unsupported("a ufunc of dates")
    return node


def ufunc_of_column(ufunc: np.ufunc, column: Column, rows: Rows) -> Node:
    """A ufunc with one operand over a column."""
    node = lazy_manager.state_of(_plain_ufunc(made(column, rows, None), ufunc, (made(column, rows, None),)))
    found: Node = node.column.node
    return found


def representation_rows() -> int:
    """The rows at either end that pandas may print."""
    return pd.get_option("display.max_rows") or 60


def representation(self: Series) -> str:
    """Only the rows that are shown are evaluated."""
    state = lazy_manager.state_of(self)
    shown = representation_rows()
    if state is None or not isinstance(state.rows.length, int) or state.rows.length <= 2 * shown:
        with pandas_code:
            return pd.Series.__repr__(self)
    total = known_length(state.rows.length)
    parts = [state.select(Selection(bounds=bounds)).real() for bounds in ((0, shown, 1), (-shown, None, 1))]
    with pandas_code:
        edges = pd.concat(parts).rename(self.name)
        text = pd.Series.__repr__(edges)
    return text.replace(f"Length: {len(edges)}", f"Length: {total}")


METHODS: Mapping[str, Callable[..., Any]] = {
    **{f"__{name}__": binary(name) for name in BINARY},
    **{f"__r{name}__": binary(name, True) for name in BINARY if name not in COMPARISONS},
    **{f"__i{name}__": in_place(name) for name in BINARY if name not in COMPARISONS},
    **{name: flexible(name) for name in BINARY if name not in ("and", "or", "xor")},
    **{
        f"r{name}": flexible(name, True)
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
    },
    "div": flexible("truediv"),
    "divide": flexible("truediv"),
    "rdiv": flexible("truediv", True),
    "multiply": flexible("mul"),
    "subtract": flexible("sub"),
    **{name: unary(function) for name, function in UNARY.items()},
    **{name: reduction(name) for name in REDUCTIONS},
    "__getitem__": getitem,
    "__array_ufunc__": array_ufunc,
    "where": where(False),
    "mask": where(True),
    "clip": clip,
    "fillna": fillna,
    "isna": isna,
    "isnull": isna,
    "notna": notna,
    "notnull": notna,
    "isin": isin,
    "between": between,
    "map": map_,
    "astype": astype,
    "round": round_,
    "head": head,
    "tail": tail,
    "copy": copy,
    "to_frame": to_frame,
    "pipe": pipe,
    "to_numpy": to_numpy,
}
