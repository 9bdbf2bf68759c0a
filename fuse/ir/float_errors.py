"""Where an op meets what NumPy warns of, as bool nodes: division by zero, overflow, invalid operation.

An operation on floats is invalid where it makes a NaN of operands that are none. Where it makes an infinity
of finite operands it overflowed, or divided by zero: a logarithm always, a quotient where its divisor is
zero. Integers meet both in division, and casts to integers what lies outside the range of C's conversion.
Reductions and matrix products are judged by their results: what passes through infinity and comes back is
not seen. Where C libraries differ (powers with infinite exponents) the rule of the others holds. Underflow,
which NumPy ignores unless asked, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from fuse.ir import build
from fuse.ir.float_steps import float_steps
from fuse.ir.node import Node, make

DIVIDE, OVER, INVALID = "divide", "over", "invalid"
"""The kinds, by NumPy's names of them in `errstate`, in the order in which it reports them."""
WORDS: Mapping[str, str] = {DIVIDE: "divide by zero", OVER: "overflow", INVALID: "invalid value"}
"""What NumPy's messages call them."""

_POLES = frozenset({"log", "log2", "log10", "log1p", "arctanh"})
"""Their only way from finite operands to infinity is division by zero."""
_DIVISOR = {"divide": 1, "floor_divide": 1, "reciprocal": 0, "power": 0}
"""The operand whose zeros make infinities that are divisions by zero."""
_COMPARES = frozenset({"logaddexp", "logaddexp2"})
"""They compare the operands, which is invalid for any NaN."""
SILENT = frozenset({
    "positive", "negative", "absolute", "fabs", "conjugate", "sign", "copysign", "signbit", "modf",
    "heaviside", "maximum", "minimum", "fmax", "fmin", "rint", "floor", "ceil", "trunc", "isnan", "isinf",
    "isfinite", "isnat", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor",
    "invert", "left_shift", "right_shift", "bitwise_count", "gcd", "lcm", "arctan", "arctan2", "tanh",
    "arcsinh", "select", "erf", "erfc", "gammaln",
})  # fmt: skip
"""Elementwise functions of which NumPy, and SciPy, warn in no case, of real numbers."""
_ORDERED = frozenset({"less", "less_equal", "greater", "greater_equal"})

Errors = list[tuple[str, Node]]


def is_silent(op: str, dtypes: Iterable[np.dtype]) -> bool:
    """Whether NumPy warns of nothing when it computes this with operands of these dtypes."""
    is_complex = any(dtype.kind == "c" for dtype in dtypes)
    return op in SILENT and not (is_complex and (op in _ORDERED or op == "absolute"))


def errors_of(node: Node, mask: Node | None = None) -> Errors:
    """The kinds of errors that an op may meet, each with a 0-d bool value: whether it does.

    mask: the elements that count, in a shape that broadcasts with the op's.
    """
    found = _RULES.get(node.op, _elementwise)(node)
    return [(kind, _anywhere(_where(mask, condition))) for kind, condition in found]


def _where(mask: Node | None, condition: Node) -> Node:
    if mask is None or not mask.shape:
        return condition if mask is None else _and(condition, mask)
    shape = max(mask.shape, condition.shape, key=lambda dims: (len(dims), sum(dim != 1 for dim in dims)))
    return _and(build.broadcast(condition, shape), build.broadcast(mask, shape))


def _anywhere(condition: Node) -> Node:
    return build.reduce("any", condition) if condition.shape else condition


def _test(op: str, *operands: Node) -> Node:
    return make(op, operands)


def _and(*conditions: Node) -> Node:
    first, *rest = conditions
    for condition in rest:
        first = _test("logical_and", first, condition)
    return first


def _not(condition: Node) -> Node:
    return _test("logical_not", condition)


def _number(value: float, like: Node) -> Node:
    return build.constant(np.asarray(value).astype(like.dtype))


def _elementwise(node: Node) -> Errors:
    kinds = {value.dtype.kind for value in node.inputs}
    if kinds & {"c", "m"}:
        return _of_steps(node) + list(_comparison(node) if "c" in kinds else _span_division(node))
    if node.op in SILENT or not node.inputs:
        return []
    if node.dtype.kind in "iu":
        return list(_integer_division(node))
    from fuse.ir.scalar_ops import SCALAR_OPS

    if node.op not in SCALAR_OPS or node.dtype.kind != "f":
        return []
    floats = [value for value in node.inputs if value.dtype.kind == "f"]
    fresh = [] if node.op in _COMPARES else [_not(_test("isnan", value)) for value in floats]
    invalid = _and(_test("isnan", node), *fresh)
    infinite = _and(_test("isinf", node), *(_test("isfinite", value) for value in floats))
    found = list(_infinity(node, infinite))
    if node.op == "floor_divide":  # what is left of an infinite quotient is infinity less infinity
        invalid = _test("logical_or", invalid, dict(found)[OVER])
    return [*found, (INVALID, invalid)]


def _of_steps(node: Node) -> Errors:
    """Those of the operations on floats that an op on complex numbers or spans consists of."""
    found = [
        (kind, _where(step.where, condition))
        for step in float_steps(node)
        for kind, condition in _RULES.get(step.node.op, _elementwise)(step.node)
    ]
    return [(kind, _any_of(each for name, each in found if name == kind)) for kind in dict(found)]


def _any_of(conditions: Iterable[Node]) -> Node:
    first, *rest = conditions
    for condition in rest:
        first = _test("logical_or", first, condition)
    return first


def _comparison(node: Node) -> Iterator[tuple[str, Node]]:
    """They are ordered by their real parts, where those are equal by the others: none may be NaN."""
    if node.op in _ORDERED:
        (a, b), (c, d) = ((_test("real", value), _test("imag", value)) for value in node.inputs)
        real, rest = (_test("logical_or", *(_test("isnan", x) for x in both)) for both in ((a, c), (b, d)))
        yield INVALID, _test("logical_or", real, _and(_test("equal", a, c), rest))


def _span_division(node: Node) -> Iterator[tuple[str, Node]]:
    """Of spans by spans, rounded down: NaT is no number of times anything, and a rest may be NaT."""
    if node.op not in ("floor_divide", "remainder"):
        return
    value, divisor = node.inputs
    zero = _test("equal", divisor, build.constant(np.zeros((), divisor.dtype)))
    yield DIVIDE, _and(zero, _not(_test("isnat", value)))
    if node.op == "floor_divide":
        yield INVALID, _test("logical_or", _test("isnat", value), _test("isnat", divisor))


def _infinity(node: Node, infinite: Node) -> Iterator[tuple[str, Node]]:
    """What made an infinity of finite operands."""
    if node.op in _POLES:
        yield DIVIDE, infinite
    elif node.op in _DIVISOR:
        divisor = node.inputs[_DIVISOR[node.op]]
        zero = _test("equal", divisor, _number(0, divisor))
        yield DIVIDE, _and(infinite, zero)
        yield OVER, _and(infinite, _not(zero))
    else:
        yield OVER, infinite


def _integer_division(node: Node) -> Iterator[tuple[str, Node]]:
    if node.op == "reciprocal":  # NumPy divides floats and casts
        zero = _test("equal", node.inputs[0], _number(0, node))
        yield from ((DIVIDE, zero), (INVALID, zero))
    if node.op not in ("floor_divide", "remainder", "fmod"):
        return
    value, divisor = node.inputs
    yield DIVIDE, _test("equal", divisor, _number(0, divisor))
    if node.op == "floor_divide" and node.dtype.kind == "i":
        least = _number(np.iinfo(node.dtype).min, value)
        yield OVER, _and(_test("equal", divisor, _number(-1, divisor)), _test("equal", value, least))


def _conversion(node: Node) -> Errors:
    """C converts to an int32 or int64 and keeps the low bits; the largest uint64 are reached another way.

    To uint32 NumPy's vector loop and the rest of the same array differ; what an int64 holds is let pass here.
    """
    (value,) = node.inputs
    if value.dtype.kind == node.dtype.kind == "c":
        half = np.dtype(f"f{node.dtype.itemsize // 2}")
        halves = (build.convert(_test(part, value), half) for part in ("real", "imag"))
        found = [condition for each in halves if each.op == "convert" for _, condition in _conversion(each)]
        return [(OVER, _any_of(found))] if found else []
    if value.dtype.kind != "f" or node.dtype.kind not in "fiu":
        return []
    if node.dtype.kind == "f":
        shorter = node.dtype.itemsize < value.dtype.itemsize
        return [(OVER, _and(_test("isinf", node), _test("isfinite", value)))] if shorter else []
    wide = value if value.dtype.itemsize == 8 else build.convert(value, np.float64)
    bits = 64 if node.dtype.itemsize == 8 or node.dtype == np.dtype(np.uint32) else 32
    low = -(2.0 ** (bits - 1)) - (bits == 32)  # what truncates to the least int32 fits as well
    high = 2.0 ** (64 if node.dtype == np.dtype(np.uint64) else bits - 1)
    above = _test("greater_equal" if bits == 64 else "greater", wide, _number(low, wide))
    return [(INVALID, _not(_and(above, _test("less", wide, _number(high, wide)))))]


def _reduction(node: Node) -> Errors:
    (value,) = node.inputs
    if node.attrs["kind"] not in ("sum", "prod") or node.dtype.kind != "f":
        return []
    axes = node.attrs["axes"]
    has_nan = build.reduce("any", _test("isnan", value), axes)
    has_inf = build.reduce("any", _test("isinf", value), axes)
    overflow = _and(_test("isinf", node), _not(has_inf))
    return [(OVER, overflow), (INVALID, _and(_test("isnan", node), _not(has_nan)))]


def _scan(node: Node) -> Errors:
    """A NaN behind no NaN, an infinity behind none."""
    (value,) = node.inputs
    if node.attrs["kind"] not in ("sum", "prod") or node.dtype.kind != "f":
        return []
    has_nan, has_inf = (
        build.scan("any", _test(test, value), node.attrs["axis"]) for test in ("isnan", "isinf")
    )
    overflow = _and(_test("isinf", node), _not(has_inf))
    return [(OVER, overflow), (INVALID, _and(_test("isnan", node), _not(has_nan)))]


def _product(node: Node) -> Errors:
    """Of the whole matrices: a NaN of no NaN, an infinity of none."""
    if node.dtype.kind != "f":
        return []
    has_nan, has_inf = (
        [_anywhere(_test(test, value)) for value in (*node.inputs, node)] for test in ("isnan", "isinf")
    )
    return [
        (OVER, _and(has_inf[-1], *map(_not, has_inf[:-1]))),
        (INVALID, _and(has_nan[-1], *map(_not, has_nan[:-1]))),
    ]


_RULES: Mapping[str, Callable[[Node], Errors]] = {
    "convert": _conversion,
    "reduce": _reduction,
    "scan": _scan,
    "dot": _product,
    "spacing": lambda node: [],  # NumPy's answers depend on the dtype
}
