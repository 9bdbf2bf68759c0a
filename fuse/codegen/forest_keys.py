"""The first half of the "walk" and "row" strategies: features become integers in the order of the floats.

    for each numerical column:
        bits = value + 0.0, read as an integer                   64 rows, or the one row
        key  = ~bits where negative else bits | sign
        column = nan_key where NaN, zero_key where |value| <= limit, else key
    categorical sets: fuse/codegen/forest_sets.py
    the last column = 1                                          not 0: LLVM would call memset

What the tables mean: fuse/plan/forest_keys.py.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.forest_sets import emit_sets
from fuse.codegen.forest_stage import Stage, each, splat
from fuse.codegen.scalar import DOUBLE, INT32, INT64, constant, lanes_of, with_element
from fuse.plan.forest_bitvector import BLOCK

_LANES = 16
_GROUPS = BLOCK // _LANES


def key_type(stage: Stage) -> ir.IntType:
    """The type of a key."""
    return INT32 if stage.code.key_bytes == 4 else INT64


def column_address(stage: Stage, column: ir.Value) -> ir.Value:
    """Where the keys of a column begin; `stage.slots` holds the columns one behind the other."""
    rows = 1 if stage.code.is_row else BLOCK
    return stage.at(stage.slots, stage.builder.mul(column, INT64(rows)), key_type(stage))


def emit_keys(stage: Stage, row: ir.Value) -> None:
    """Fill all columns for the rows of the block that begins at `row`."""
    b, count = stage.builder, stage.pointers["column_count"]
    each(b, 0, count, lambda column: _emit_column(stage, column, row), "column")
    if stage.code.has_categorical:
        emit_sets(
            stage,
            lambda feature: _values(stage, feature, row),
            lambda column, words: _store(
                stage, column, [stage.scalar.int_cast(w, key_type(stage)) for w in words]
            ),
        )
    last = b.sub(stage.pointers["slot_count"], INT64(1))
    kind = key_type(stage)
    is_row = stage.code.is_row
    one = constant(kind if is_row else ir.VectorType(kind, _LANES), 1)
    _store(stage, last, [one] * (1 if is_row else _GROUPS))


def _values(stage: Stage, feature: ir.Value, row: ir.Value) -> list[ir.Value]:
    """The block's values of a feature: four vectors, or the value of the one row."""
    if not stage.code.is_row:
        return stage.values(feature, row, _GROUPS, _LANES)
    start = stage.builder.add(stage.builder.mul(feature, INT64(stage.code.tile)), row)
    return [stage.builder.load(stage.at(stage.features, start, stage.element), typ=stage.element)]


def _store(stage: Stage, column: ir.Value, parts: list[ir.Value]) -> None:
    address = column_address(stage, column)
    for place, part in enumerate(parts):
        target = stage.at(address, place * lanes_of(part.type), key_type(stage))
        stage.builder.store(part, target, align=stage.code.key_bytes)


def _emit_column(stage: Stage, column: ir.Value, row: ir.Value) -> None:
    b, kind = stage.builder, key_type(stage)
    feature, of_nan, of_zero = (stage.field("columns", column, 4, place, INT64) for place in range(3))
    limit = stage.field("columns", column, 4, 3, DOUBLE)
    of_nan, of_zero = (b.trunc(key, kind) if kind != INT64 else key for key in (of_nan, of_zero))
    parts = [_emit_key(stage, value, of_nan, of_zero, limit) for value in _values(stage, feature, row)]
    _store(stage, column, parts)


def _emit_key(
    stage: Stage, value: ir.Value, of_nan: ir.Value, of_zero: ir.Value, limit: ir.Value
) -> ir.Value:
    b, s, kind = stage.builder, stage.scalar, key_type(stage)
    if stage.code.is_single and kind == INT64:
        value = s.fpext(value)
    lanes = lanes_of(value.type)
    bits = s.bitcast(s.add(value, 0.0), kind)
    sign = 1 << (kind.width - 1)
    key = s.select(s.icmp("<", bits, 0), s.not_(bits), s.or_(bits, sign))
    if stage.code.has_missing_zero:
        limit = splat(b, limit if kind == INT64 else s.fptrunc(limit), lanes)
        key = s.select(s.fcmp("<=", s.abs(value), limit), splat(b, of_zero, lanes), key)
    found: ir.Value = s.select(s.isnan(value), splat(b, of_nan, lanes), key)
    assert found.type == with_element(value.type, kind)
    return found
