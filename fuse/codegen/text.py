"""The `CompareText` stage: rows of UTF-8 against one text; the order of bytes is the order of code points.

for row in rows:
    start, stop = offsets[row], offsets[row + 1]
    equal, not_equal: the lengths differ, or some byte does
    other relations: the sign of the first differing byte, else of the difference of the lengths
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.dtypes import I8, I32, I64, POINTER, word
from fuse.codegen.frame import Frame, Span, at
from fuse.codegen.loops import counted_loop, minimum
from fuse.plan.kernels import CompareText

_RELATIONS = {
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
}  # fmt: skip


def emit_compare_text(frame: Frame, stage: CompareText, span: Span) -> None:
    """Write the truth of the comparison for each row of the tile."""
    b = frame.builder
    offsets, data, text = (frame.pointer(buffer) for buffer in (stage.offsets, stage.data, stage.text))
    length, result = frame.length(stage.text), frame.tile_pointer(stage.result)
    sign_of = _sign_function(b.module, only_equality=stage.relation in ("equal", "not_equal"))
    with counted_loop(b, word(0), span.rows, 1, "row") as row:
        place = at(b, offsets, b.add(span.origin, row), 8)
        start, stop = b.load(place, typ=I64), b.load(at(b, place, word(1), 8), typ=I64)
        sign = b.call(sign_of, [at(b, data, start, 1), b.sub(stop, start), text, length])
        holds = b.icmp_signed(_RELATIONS[stage.relation], sign, ir.Constant(I32, 0))
        b.store(b.zext(holds, I8), at(b, result, row, 1))


def _sign_function(module: ir.Module, only_equality: bool) -> ir.Function:
    """`int sign(left, left bytes, right, right bytes)`: below, at or above 0 as left is below, equal or above
    right.
    """
    name = "text.differ" if only_equality else "text.order"
    if name in module.globals:
        found: ir.Function = module.globals[name]
        return found
    kind = ir.FunctionType(I32, [POINTER, I64, POINTER, I64])
    function = ir.Function(module, kind, name)
    function.linkage = "internal"
    _fill_sign(function, only_equality)
    return function


def _fill_sign(function: ir.Function, only_equality: bool) -> None:
    b = ir.IRBuilder(function.append_basic_block("entry"))
    left, left_bytes, right, right_bytes = function.args
    if only_equality:
        with b.if_then(b.icmp_signed("!=", left_bytes, right_bytes), likely=True):
            b.ret(ir.Constant(I32, 1))
    with counted_loop(b, word(0), minimum(b, left_bytes, right_bytes)) as i:
        x, y = (b.zext(b.load(at(b, pointer, i, 1), typ=I8), I32) for pointer in (left, right))
        with b.if_then(b.icmp_signed("!=", x, y)):
            b.ret(b.sub(x, y))
    shorter = b.icmp_signed("<", left_bytes, right_bytes)
    longer = b.icmp_signed(">", left_bytes, right_bytes)
    b.ret(b.sub(b.zext(longer, I32), b.zext(shorter, I32)))
