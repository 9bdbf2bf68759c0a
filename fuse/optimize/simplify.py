"""Algebra that keeps the bits: arithmetic, comparisons, logic, conversions.

    %2 = multiply %0 1.0   =>   %0

Every rule holds for every bit pattern of its dtypes: NaN stays NaN, signs of zero stay, integers wrap as
before. So `x + 0.0` is not `x` (-0.0 + 0.0 is 0.0) while `x + -0.0` and `x - 0.0` are; `x * 0` is 0 for
integers only; `sqrt(square(x))` stays. Shapes and indices have their own passes.
"""

from __future__ import annotations

import numpy as np

from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.optimize.match import filled, is_constant, literal, map_like, scalar_source, with_shape
from fuse.optimize.rules import normalize, rule, rules_of

_BOOL = np.dtype(bool)


def simplify(graph: Graph) -> Graph:
    """The graph with fewer and cheaper elementwise ops, and the same bits."""
    return normalize(graph, RULES)


# The constant on the right that changes nothing. For floats the neutral element of add is -0.0, not 0.0.
_NEUTRAL = {
    "add": -0.0, "subtract": 0.0, "multiply": 1, "divide": 1, "power": 1, "left_shift": 0, "right_shift": 0,
    "bitwise_or": 0, "bitwise_xor": 0, "bitwise_and": -1, "logical_or": False, "logical_and": True,
    "logical_xor": False,
}  # fmt: skip
_COMMUTES = {
    "add",
    "multiply",
    "bitwise_or",
    "bitwise_xor",
    "bitwise_and",
    "logical_or",
    "logical_and",
    "logical_xor",
}


@rule(*_NEUTRAL)
def neutral_operand(node: Node) -> Node | None:
    """
    multiply(x, 1) => x
    multiply(1, x) => x
    add(x, -0.0) => x
    subtract(x, 0.0) => x
    divide(f, 1.0) => f
    power(f, 1.0) => f
    left_shift(i, 0) => i
    bitwise_and(u8, 255) stays
    logical_and(p, True) => p
    logical_xor(False, p) => p
    add(f, 0.0) stays
    """
    value, constant = node.inputs
    if node.op in _COMMUTES and literal(constant) is None:
        value, constant = constant, value
    if (
        value.dtype != node.dtype
        or value.dtype.kind not in "biuf"
        or not is_constant(constant, _NEUTRAL[node.op])
    ):
        return None
    return with_shape(value, node.shape)


@rule("floor_divide")
def integer_divided_by_one(node: Node) -> Node | None:
    """
    floor_divide(i, 1) => i
    floor_divide(f, 1.0) stays
    """
    value, divisor = node.inputs
    exact = value.dtype.kind in "iu" and value.dtype == node.dtype
    return with_shape(value, node.shape) if exact and is_constant(divisor, 1) else None


@rule("multiply", "bitwise_and", "logical_and")
def absorbing_zero(node: Node) -> Node | None:
    """
    multiply(i, 0) => filled(i, 0)
    bitwise_and(0, i) => filled(i, 0)
    logical_and(p, False) => filled(p, False)
    multiply(f, 0.0) stays
    """
    exact = all(operand.dtype == node.dtype and operand.dtype.kind in "biu" for operand in node.inputs)
    return filled(0, node) if exact and any(is_constant(operand, 0) for operand in node.inputs) else None


@rule("logical_or", "bitwise_or")
def absorbing_true(node: Node) -> Node | None:
    """
    logical_or(p, True) => filled(p, True)
    bitwise_or(True, p) => filled(p, True)
    """
    exact = all(operand.dtype == _BOOL for operand in node.inputs)
    return (
        filled(True, node) if exact and any(is_constant(operand, True) for operand in node.inputs) else None
    )


@rule("multiply")
def multiply_by_minus_one(node: Node) -> Node | None:
    """
    multiply(f, -1.0) => negative(f)
    multiply(-1, i) => negative(i)
    """
    value, factor = node.inputs if literal(node.inputs[0]) is None else reversed(node.inputs)
    exact = node.dtype.kind in "if" and value.dtype == factor.dtype == node.dtype
    if not exact or not is_constant(factor, -1):
        return None
    return build.elementwise("negative", with_shape(value, node.shape), location=node.location)


@rule("divide")
def divide_by_power_of_two(node: Node) -> Node | None:
    """
    divide(f, 4.0) => multiply(f, 0.25)
    divide(f, -0.5) => multiply(f, -2.0)
    divide(f, 3.0) stays
    divide(f, 0.0) stays

    The reciprocal of a power of two is exact, so both round the same real number.
    """
    value, divisor = node.inputs
    array = literal(divisor)
    if array is None or value.dtype.kind != "f" or not array.size or not _has_exact_reciprocal(array):
        return None
    factor = build.broadcast(build.constant(1 / array, array.dtype), divisor.shape)
    return build.elementwise("multiply", value, factor, location=node.location)


def _has_exact_reciprocal(array: np.ndarray) -> bool:
    """Powers of two whose reciprocal is a normal number."""
    with np.errstate(all="ignore"):
        mantissa, _ = np.frexp(array)
        reciprocal = np.abs(1 / array)
    limits = np.finfo(array.dtype)
    normal = (reciprocal >= limits.smallest_normal) & (reciprocal <= limits.max)
    return bool(np.all((np.abs(mantissa) == 0.5) & normal))


_POWERS = {2.0: "square", -1.0: "reciprocal", 0.5: "sqrt"}


@rule("power")
def small_power(node: Node) -> Node | None:
    """
    power(f, 2.0) => square(f)
    power(f, -1.0) => reciprocal(f)
    power(f64, 0.5) => sqrt(f64)
    power(f16, 0.5) stays
    power(i, 2) => square(i)
    power(f, 3.0) stays

    NumPy computes these exponents so when they are scalars, and only then; `power` with a whole array of
    exponents rounds differently. float16 has no such case for 0.5.
    """
    value, exponent = node.inputs
    scalar = scalar_source(exponent)
    array = literal(exponent) if scalar is not None else None
    op = _POWERS.get(float(array)) if array is not None and array.dtype.kind in "iuf" else None
    if op is None or value.dtype != node.dtype or (node.dtype.kind != "f" and op != "square"):
        return None
    if op == "sqrt" and node.dtype.itemsize == 2:
        return None
    return with_shape(build.elementwise(op, value, location=node.location), node.shape)


_INVOLUTIONS = {"negative", "logical_not", "invert"}


@rule(*_INVOLUTIONS)
def undone_twice(node: Node) -> Node | None:
    """
    negative(negative(x)) => x
    logical_not(logical_not(p)) => p
    invert(invert(i)) => i
    """
    (inner,) = node.inputs
    if inner.op != node.op or inner.inputs[0].dtype != node.dtype:
        return None
    return inner.inputs[0]


_SETTLED = {
    "absolute": {"absolute"}, "positive": {"positive"}, "rint": {"rint", "floor", "ceil", "trunc"},
    "floor": {"rint", "floor", "ceil", "trunc"}, "ceil": {"rint", "floor", "ceil", "trunc"},
    "trunc": {"rint", "floor", "ceil", "trunc"},
}  # fmt: skip


@rule(*_SETTLED)
def done_already(node: Node) -> Node | None:
    """
    floor(rint(f)) => rint(f)
    absolute(absolute(x)) => absolute(x)
    """
    (inner,) = node.inputs
    return inner if inner.op in _SETTLED[node.op] and inner.dtype == node.dtype else None


@rule("positive")
def positive(node: Node) -> Node | None:
    """positive(x) => x"""
    return node.inputs[0] if node.inputs[0].dtype == node.dtype else None


@rule("floor", "ceil", "trunc", "rint")
def round_integer(node: Node) -> Node | None:
    """floor(i) => i"""
    (value,) = node.inputs
    return value if value.dtype.kind in "iu" and value.dtype == node.dtype else None


@rule("absolute", "square")
def sign_does_not_matter(node: Node) -> Node | None:
    """
    absolute(negative(f)) => absolute(f)
    square(absolute(x)) => square(x)
    square(negative(f)) => square(f)
    absolute(negative(u8)) stays
    """
    (inner,) = node.inputs
    if inner.op not in ("negative", "absolute") or inner.dtype.kind not in "if" or inner.dtype != node.dtype:
        return None
    if node.op == "absolute" and inner.op == "absolute":
        return None
    return map_like(node, *inner.inputs)


@rule("add", "subtract")
def fold_negative(node: Node) -> Node | None:
    """
    add(x, negative(y)) => subtract(x, y)
    add(negative(y), x) => subtract(x, y)
    subtract(x, negative(y)) => add(x, y)
    """
    left, right = node.inputs
    if node.op == "add" and left.op == "negative" and right.op != "negative":
        left, right = right, left
    if right.op != "negative" or right.dtype.kind not in "iuf" or left.dtype != right.dtype:
        return None
    other = "subtract" if node.op == "add" else "add"
    return build.elementwise(other, left, right.inputs[0], location=node.location)


@rule("maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or", "bitwise_and", "bitwise_or")
def same_twice(node: Node) -> Node | None:
    """
    maximum(x, x) => x
    logical_and(p, p) => p
    """
    left, right = node.inputs
    return left if left is right and left.dtype == node.dtype else None


@rule("subtract", "bitwise_xor", "logical_xor")
def difference_with_itself(node: Node) -> Node | None:
    """
    subtract(i, i) => filled(i, 0)
    logical_xor(p, p) => filled(p, False)
    subtract(f, f) stays
    """
    left, right = node.inputs
    return (
        filled(0, node) if left is right and left.dtype == node.dtype and node.dtype.kind in "biu" else None
    )


_ON_BOOL = {
    "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
    "invert": "logical_not",
    "not_equal": "logical_xor", "multiply": "logical_and", "add": "logical_or", "maximum": "logical_or",
    "minimum": "logical_and",
}  # fmt: skip


@rule(*_ON_BOOL)
def one_spelling_of_logic(node: Node) -> Node | None:
    """
    bitwise_and(p, q) => logical_and(p, q)
    invert(p) => logical_not(p)
    not_equal(p, q) => logical_xor(p, q)
    maximum(p, q) => logical_or(p, q)
    """
    if any(operand.dtype != _BOOL for operand in node.inputs):
        return None
    return build.elementwise(_ON_BOOL[node.op], *node.inputs, location=node.location)


@rule("equal")
def equal_to_truth(node: Node) -> Node | None:
    """
    equal(p, True) => p
    equal(False, p) => logical_not(p)
    """
    value, constant = node.inputs if literal(node.inputs[0]) is None else reversed(node.inputs)
    if value.dtype != _BOOL or constant.dtype != _BOOL:
        return None
    if is_constant(constant, True):
        return with_shape(value, node.shape)
    return (
        build.elementwise("logical_not", with_shape(value, node.shape))
        if is_constant(constant, False)
        else None
    )


_OPPOSITE = {"equal": "not_equal", "not_equal": "equal"}
_OPPOSITE_ORDER = {
    "less": "greater_equal",
    "greater_equal": "less",
    "greater": "less_equal",
    "less_equal": "greater",
}


@rule("logical_not")
def negated_comparison(node: Node) -> Node | None:
    """
    logical_not(equal(x, y)) => not_equal(x, y)
    logical_not(less(i, j)) => greater_equal(i, j)
    logical_not(less(f, g)) stays
    """
    (inner,) = node.inputs
    opposite = _OPPOSITE.get(inner.op)
    if opposite is None and all(operand.dtype.kind in "biu" for operand in inner.inputs):
        opposite = _OPPOSITE_ORDER.get(inner.op)
    return build.elementwise(opposite, *inner.inputs, location=node.location) if opposite else None


@rule("logical_xor")
def xor_with_true(node: Node) -> Node | None:
    """
    logical_xor(p, True) => logical_not(p)
    logical_xor(True, p) => logical_not(p)
    """
    value, constant = node.inputs if literal(node.inputs[0]) is None else reversed(node.inputs)
    if value.dtype != _BOOL or not is_constant(constant, True) or constant.dtype != _BOOL:
        return None
    return build.elementwise("logical_not", with_shape(value, node.shape), location=node.location)


@rule("select")
def select_decided(node: Node) -> Node | None:
    """
    select(True, x, y) => x
    select(False, x, y) => y
    select(p, x, x) => x
    """
    condition, then, otherwise = node.inputs
    if then is otherwise:
        return with_shape(then, node.shape)
    for truth, chosen in ((True, then), (False, otherwise)):
        if is_constant(condition, truth):
            return with_shape(chosen, node.shape)
    return None


@rule("select")
def select_negated(node: Node) -> Node | None:
    """select(logical_not(p), x, y) => select(p, y, x)"""
    condition, then, otherwise = node.inputs
    if condition.op != "logical_not" or condition.inputs[0].dtype != _BOOL:
        return None
    return build.elementwise("select", condition.inputs[0], otherwise, then, location=node.location)


@rule("select")
def select_again(node: Node) -> Node | None:
    """
    select(p, select(p, x, y), z) => select(p, x, z)
    select(p, x, select(p, y, z)) => select(p, x, z)
    """
    condition, then, otherwise = node.inputs
    if then.op == "select" and then.inputs[0] is condition:
        return build.elementwise("select", condition, then.inputs[1], otherwise, location=node.location)
    if otherwise.op == "select" and otherwise.inputs[0] is condition:
        return build.elementwise("select", condition, then, otherwise.inputs[2], location=node.location)
    return None


@rule("select")
def select_of_truth(node: Node) -> Node | None:
    """
    select(p, True, False) => p
    select(p, False, True) => logical_not(p)
    """
    condition, then, otherwise = node.inputs
    if node.dtype != _BOOL:
        return None
    if is_constant(then, True) and is_constant(otherwise, False):
        return with_shape(condition, node.shape)
    negated = is_constant(then, False) and is_constant(otherwise, True)
    return build.elementwise("logical_not", with_shape(condition, node.shape)) if negated else None


@rule("isnan", "isinf", "isfinite")
def integers_are_finite(node: Node) -> Node | None:
    """
    isnan(convert(i32, float64)) => filled(p, False)
    isfinite(convert(p, float32)) => filled(p, True)
    isfinite(convert(i32, float16)) stays
    """
    (value,) = node.inputs
    source = value.inputs[0] if value.op == "convert" and value.dtype.kind == "f" else value
    if source.dtype.kind not in "biu" or (value.dtype.itemsize == 2 and source.dtype.itemsize > 1):
        return None
    return filled(node.op == "isfinite", node)


@rule("convert")
def convert_to_same(node: Node) -> Node | None:
    """make("convert", x, dtype=x.dtype) => x"""
    return node.inputs[0] if node.inputs[0].dtype == node.dtype else None


@rule("convert")
def convert_twice(node: Node) -> Node | None:
    """
    convert(convert(i32, int64), float64) => convert(i32, float64)
    convert(convert(i32, float64), int32) => i32
    convert(convert(f32, float64), float32) => f32
    convert(convert(i32, float64), float32) => convert(i32, float32)
    convert(convert(i64, float64), int64) stays
    convert(convert(i32, float64), int8) stays
    """
    (inner,) = node.inputs
    if inner.op != "convert" or not _holds(inner.dtype, inner.inputs[0].dtype):
        return None
    (value,) = inner.inputs
    # What C does with a float that the integer cannot hold is the machine's choice, and differs between
    # widths.
    if inner.dtype.kind == "f" and node.dtype.kind in "iu" and not _holds(node.dtype, value.dtype):
        return None
    return build.convert(value, node.dtype)


def _holds(wide: np.dtype, narrow: np.dtype) -> bool:
    """Whether `wide` has every number of `narrow`; unlike NumPy's "safe", float64 does not hold int64."""
    if wide.kind not in "biuf" or narrow.kind not in "biuf":
        return False
    if wide.kind == "f" and narrow.kind in "iu":
        bits = 8 * narrow.itemsize - (narrow.kind == "i")
        return bool(bits <= np.finfo(wide).nmant + 1)
    return np.can_cast(narrow, wide, "safe")


@rule("convert")
def convert_truth_and_select(node: Node) -> Node | None:
    """convert(select(p, 1, 0), float64) => select(p, convert(1, float64), convert(0, float64))"""
    (inner,) = node.inputs
    if inner.op != "select" or any(literal(operand) is None for operand in inner.inputs[1:]):
        return None
    return build.elementwise(
        "select", inner.inputs[0], *(build.convert(operand, node.dtype) for operand in inner.inputs[1:])
    )


@rule("bitcast")
def bitcast_twice(node: Node) -> Node | None:
    """bitcast(bitcast(f64, int64), uint64) => bitcast(f64, uint64)"""
    (inner,) = node.inputs
    return build.bitcast(inner.inputs[0], node.dtype) if inner.op == "bitcast" else None


@rule("bitcast")
def bitcast_to_same(node: Node) -> Node | None:
    """make("bitcast", x, dtype=x.dtype) => x"""
    return node.inputs[0] if node.inputs[0].dtype == node.dtype else None


RULES = rules_of(globals())
