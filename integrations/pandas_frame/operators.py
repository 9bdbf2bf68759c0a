"""pandas' arithmetic, comparison and logic on one-column nodes and scalars.

Promotion is NumPy's, asked of the ufunc; what pandas adds to NumPy stands here: NumPy scalars count as
Python scalars, integer `//` and `%` by zero give inf and NaN (a dtype that depends on the data, so the
data is asked), `-` of bools inverts, operators that pandas forbids on bools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import truth
from fuse.integrations.pandas_frame.unsupported import Refused, Unsupported
from fuse.ir import build
from fuse.ir.node import Node

Operand: TypeAlias = "Node | bool | int | float"
_BOOL = np.dtype(bool)


def apply(name: str, *operands: Any) -> Node:
    """NumPy's ufunc of this name with NumPy's promotion; Python scalars are weak, as in NumPy.

    Refused where no loop takes the operands or a Python int does not fit.
    """
    dtypes = _resolved(name, tuple(_kind(operand) for operand in operands))
    return build.elementwise(name, *map(_converted, operands, dtypes))


def _kind(operand: Any) -> Any:
    if isinstance(operand, Node):
        return operand.dtype
    if isinstance(operand, np.generic):
        return operand.dtype
    return _BOOL if isinstance(operand, bool) else type(operand)


@cache
def _resolved(name: str, kinds: tuple[Any, ...]) -> tuple[np.dtype, ...]:
    try:
        found: tuple[np.dtype, ...] = getattr(np, name).resolve_dtypes((*kinds, None))[:-1]
    except TypeError as error:
        raise Refused(str(error)) from None
    if any(dtype.kind not in "biufmM" or dtype == np.float16 for dtype in found):
        raise Unsupported(f"{name} of {', '.join(map(str, kinds))} is not compiled")
    return found


def _converted(operand: Any, dtype: np.dtype) -> Node:
    if isinstance(operand, Node):
        return build.convert(operand, dtype)
    try:
        return build.constant(operand, dtype)
    except OverflowError as error:
        raise Refused(str(error)) from None


def scalar(value: Any) -> bool | int | float:
    """A number as pandas' operators see it: NumPy's integers and floats are weak like Python's."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating) and not isinstance(value, np.longdouble):
        return float(value)
    raise Unsupported(f"an operand of type {type(value).__name__} is not compiled")


def _is_bool(operand: Any) -> bool:
    return isinstance(operand, bool) or (isinstance(operand, Node) and operand.dtype == _BOOL)


def _is_integer(operand: Any) -> bool:
    if isinstance(operand, Node):
        return operand.dtype.kind in "iu"
    return isinstance(operand, int) and not isinstance(operand, bool)


def _is_time(operand: Any) -> bool:
    return isinstance(operand, Node) and operand.dtype.kind in "mM"


def _numeric(left: Any, right: Any) -> None:
    if _is_time(left) or _is_time(right):
        raise Unsupported("arithmetic of dates is not compiled")


def _forbidden_on_bools(left: Any, right: Any) -> None:
    if _is_bool(left) and _is_bool(right):
        raise Refused("pandas forbids this operator on bools")


def _arithmetic(name: str) -> Callable[[Any, Any], Node]:
    def operator(left: Any, right: Any) -> Node:
        _numeric(left, right)
        return apply(name, left, right)

    return operator


def _divide(left: Any, right: Any) -> Node:
    _numeric(left, right)
    _forbidden_on_bools(left, right)
    return apply("divide", left, right)


def _any(condition: Node) -> Node:
    return build.reduce("any", condition) if condition.shape else condition


def _has_zero(divisor: Any) -> bool:
    return (
        divisor == 0
        if not isinstance(divisor, Node)
        else truth(_any(apply("equal", divisor, 0)), usual=False)
    )


def _floor_divide(left: Any, right: Any) -> Node:
    """NumPy's, unless a zero divisor turns the result into float64 (`pandas.core.ops.missing`)."""
    _numeric(left, right)
    _forbidden_on_bools(left, right)
    result = apply("floor_divide", left, right)
    if result.dtype != np.float64 and _has_zero(right):
        raise Unsupported("// by zero changes the dtype")
    return result


def _remainder(left: Any, right: Any) -> Node:
    """NumPy's, unless a zero divisor turns an integer result into float64."""
    _numeric(left, right)
    _forbidden_on_bools(left, right)
    result = apply("remainder", left, right)
    if result.dtype.kind != "f" and _has_zero(right):
        raise Unsupported("% by zero changes the dtype")
    return result


# What NumPy's `array ** scalar` computes instead of a power, for floating-point arrays.
_POWERS: Mapping[float, str] = {2.0: "square", 0.5: "sqrt", 1.0: "positive", -1.0: "reciprocal"}


def _power(left: Any, right: Any) -> Node:
    _numeric(left, right)
    _forbidden_on_bools(left, right)
    if _is_bool(left):
        raise Unsupported("powers of bools are left to pandas")
    if isinstance(left, Node) and left.dtype.kind == "f" and not isinstance(right, Node) and right in _POWERS:
        return apply(_POWERS[float(right)], left)
    both_integers = _is_integer(left) and _is_integer(right)
    if both_integers and (isinstance(right, Node) or right < 0):
        raise Unsupported("whether a power of integers exists depends on the exponents")
    return apply("power", left, right)


def _comparison(name: str) -> Callable[[Any, Any], Node]:
    def operator(left: Any, right: Any) -> Node:
        if _is_time(left) != _is_time(right):
            raise Refused("dates compare with dates only")
        if _is_time(left) and left.dtype != right.dtype:
            raise Unsupported("dates of different units are compared by pandas")
        try:
            return apply(name, left, right)
        except Refused as refused:
            raise Unsupported(refused.reason) from None

    return operator


def _logic(bitwise: str) -> Callable[[Any, Any], Node]:
    """`&`, `|`, `^`: of two bools, or bit by bit of two integers."""

    def operator(left: Any, right: Any) -> Node:
        if (_is_bool(left) and _is_bool(right)) or (_is_integer(left) and _is_integer(right)):
            return apply(bitwise, left, right)
        raise Refused("logic over operands that are neither two bools nor two integers")

    return operator


BINARY: Mapping[str, Callable[[Any, Any], Node]] = {
    "add": _arithmetic("add"),
    "sub": _arithmetic("subtract"),
    "mul": _arithmetic("multiply"),
    "truediv": _divide,
    "floordiv": _floor_divide,
    "mod": _remainder,
    "pow": _power,
    "eq": _comparison("equal"),
    "ne": _comparison("not_equal"),
    "lt": _comparison("less"),
    "le": _comparison("less_equal"),
    "gt": _comparison("greater"),
    "ge": _comparison("greater_equal"),
    "and": _logic("bitwise_and"),
    "or": _logic("bitwise_or"),
    "xor": _logic("bitwise_xor"),
}
COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
LOGIC = frozenset({"and", "or", "xor"})

# Operators whose dtype depends on data, of which pandas looks at whole blocks of a frame at once.
DATA_DEPENDENT = frozenset({"floordiv", "mod"})


def _no_dates(value: Node) -> None:
    if value.dtype.kind not in "biuf":
        raise Refused("dates have no sign")


def negate(value: Node) -> Node:
    """`-x`; of bools the inverse."""
    _no_dates(value)
    return apply("logical_not" if value.dtype == _BOOL else "negative", value)


def positive(value: Node) -> Node:
    """`+x`."""
    _no_dates(value)
    return value


def invert(value: Node) -> Node:
    """`~x`; Refused for floats."""
    _no_dates(value)
    return apply("invert", value)


def absolute(value: Node) -> Node:
    """`abs(x)`."""
    _no_dates(value)
    return apply("absolute", value)


UNARY: Mapping[str, Callable[[Node], Node]] = {
    "__neg__": negate,
    "__pos__": positive,
    "__invert__": invert,
    "__abs__": absolute,
    "abs": absolute,
}


def date_constant(value: Any, dtype: np.dtype) -> Node:
    """A date (Timestamp, datetime, datetime64 or text) in the unit of a column.

    Refused for what pandas does not compare with dates; Unsupported where the unit is too coarse for the
    date.
    """
    if not isinstance(value, str | datetime | np.datetime64):
        raise Refused(f"{type(value).__name__} does not compare with dates")
    try:
        moment: Any = pd.Timestamp(value)
    except ValueError as error:
        raise Refused(str(error)) from None
    if moment is pd.NaT or moment.tzinfo is not None:
        raise Unsupported("a missing date, or one with a time zone, is compared by pandas")
    stored = moment.to_datetime64()
    converted = stored.astype(dtype)
    if converted.astype(stored.dtype) != stored or np.isnat(converted):
        raise Unsupported(f"{value} is no multiple of the column's unit")
    return build.constant(converted)
