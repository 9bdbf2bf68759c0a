"""The "packed_row" strategy: one row over the tables of the "packed" one; the planes of a tree side by side.

    slots of the row, a byte each
    for each tree in order:
        left = all leaves, a byte of 8 leaves a plane, as one vector
        for each step: left &= keep where slots[test] > bin              the tests of all planes at once
        leaf = the lowest member of left, read as one integer
        for k in range(width): out[output of the tree + k] += values[k][leaf]

What the tables hold: fuse/plan/forest_bins.py, fuse/plan/forest_bitvector.py.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.forest_sets import emit_sets
from fuse.codegen.forest_stage import INT8, INT16, Stage, each, fold_loop
from fuse.codegen.forest_walk import each_value
from fuse.codegen.scalar import DOUBLE, INT32, INT64
from fuse.ir.forest import ZERO_THRESHOLD
from fuse.plan.forest_bins import CHUNK

_TREE_FIELDS = 4


def emit_packed_row(stage: Stage, out: ir.Value) -> None:
    """Fill the outputs at `out` for the row."""
    each(stage.builder, 0, stage.pointers["output_count"], lambda k: _emit_base(stage, out, k), "output")
    each(stage.builder, 0, stage.pointers["column_count"], lambda c: _emit_column(stage, c), "column")
    if stage.code.has_categorical:
        emit_sets(
            stage,
            lambda feature: [_value(stage, feature)],
            lambda slot, words: _store(stage, slot, words[0]),
        )
    each(stage.builder, 0, stage.pointers["tree_count"], lambda tree: _emit_tree(stage, tree, out), "tree")


def _emit_base(stage: Stage, out: ir.Value, output: ir.Value) -> None:
    stage.builder.store(stage.field("base", output, 1, 0, DOUBLE), _output(stage, out, output))


def _output(stage: Stage, out: ir.Value, output: ir.Value) -> ir.Value:
    return stage.at(out, stage.builder.mul(output, INT64(stage.code.tile)), DOUBLE)


def _value(stage: Stage, feature: ir.Value) -> ir.Value:
    place = stage.builder.mul(feature, INT64(stage.code.tile))
    return stage.builder.load(stage.at(stage.features, place, stage.element), typ=stage.element)


def _store(stage: Stage, slot: ir.Value, word: ir.Value) -> None:
    stage.builder.store(stage.builder.trunc(word, INT8), stage.at(stage.slots, slot, INT8))


# Slots


def _emit_column(stage: Stage, column: ir.Value) -> None:
    """All slots of a numerical feature."""
    value = _value(stage, stage.field("columns", column, 8, 0, INT64))
    count = _emit_count(stage, column, value)
    first, stop = (stage.field("columns", column, 8, place, INT64) for place in (4, 5))
    each(stage.builder, first, stop, lambda slot: _emit_slot(stage, slot, value, count), "slot")


def _emit_count(stage: Stage, column: ir.Value, value: ir.Value) -> ir.Value:
    """How many thresholds are below the value: those before its cell, and a binary search inside."""
    b, s = stage.builder, stage.scalar
    low, scale = (_number(stage, "columns", column, 8, place) for place in (6, 7))
    last = _number(stage, "last_cell", column, 1, 0)
    position = s.mul(s.sub(value, low), scale)
    position = s.select(s.fcmp(">", position, 0.0), position, 0.0)
    cell = b.zext(s.to_int(s.select(s.fcmp("<", position, last), position, last), INT32), INT64)
    cells = stage.at(stage.pointers["cells"], stage.field("columns", column, 8, 1, INT64), INT16)
    start = b.zext(b.load(stage.at(cells, cell, INT16), typ=INT16), INT64)
    begin, steps = (stage.field("columns", column, 8, place, INT64) for place in (2, 3))
    thresholds = stage.at(stage.pointers["thresholds"], begin, stage.element)

    def search(index: ir.Value, counts: list[ir.Value]) -> list[ir.Value]:
        (count,) = counts
        width = b.shl(INT64(1), b.sub(b.sub(steps, INT64(1)), index))
        probe = stage.at(thresholds, b.sub(b.add(count, width), INT64(1)), stage.element)
        below = s.fcmp("<", b.load(probe, typ=stage.element), value)
        return [b.select(below, b.add(count, width), count)]

    (count,) = fold_loop(b, INT64(0), steps, [start], search, "search")
    return count


def _number(stage: Stage, name: str, column: ir.Value, width: int, place: int) -> ir.Value:
    number = stage.field(name, column, width, place, DOUBLE)
    return stage.scalar.fptrunc(number) if stage.code.is_single else number


def _emit_slot(stage: Stage, slot: ir.Value, value: ir.Value, count: ir.Value) -> None:
    b, s = stage.builder, stage.scalar
    offset, of_nan, of_zero = (stage.field("slots", slot, 4, place, INT32) for place in (0, 1, 2))
    local = b.sub(b.trunc(count, INT32), offset)
    local = s.select(s.icmp(">", local, 0), local, 0)
    local = s.select(s.icmp("<", local, CHUNK), local, CHUNK)
    if stage.code.has_missing_zero:
        is_zero = s.and_(s.fcmp("<=", s.abs(value), ZERO_THRESHOLD), s.icmp(">=", of_zero, 0))
        local = s.select(is_zero, of_zero, local)
    _store(stage, slot, s.select(s.isnan(value), of_nan, local))


# Trees


def _emit_tree(stage: Stage, tree: ir.Value, out: ir.Value) -> None:
    b, planes = stage.builder, stage.code.planes
    begin, steps, leaf, output = (
        stage.field("trees", tree, _TREE_FIELDS, place, INT64) for place in range(_TREE_FIELDS)
    )
    size = INT64(4 * planes)
    tests = stage.at(stage.pointers["tests"], b.mul(begin, size), INT8)
    kind = ir.VectorType(INT8, planes)

    def step(index: ir.Value, left: list[ir.Value]) -> list[ir.Value]:
        return [_emit_step(stage, stage.at(tests, b.mul(index, size), INT8), left[0], kind)]

    full = ir.Constant(kind, [ir.Constant(INT8, -1)] * planes)
    (left,) = fold_loop(b, INT64(0), steps, [full], step, "step")
    place = _emit_lowest(stage, left)

    def add(k: ir.Value) -> None:
        row = b.add(leaf, b.mul(k, INT64(8 * planes)))
        value = b.load(stage.at(stage.pointers["leaf"], b.add(row, place), DOUBLE), typ=DOUBLE)
        address = _output(stage, out, b.add(output, k))
        b.store(stage.plus(b.load(address, typ=DOUBLE), value), address)

    each_value(stage, add)


def _emit_step(stage: Stage, test: ir.Value, left: ir.Value, kind: ir.Type) -> ir.Value:
    """The members that stay after the tests of a step, one a plane."""
    b, s, planes = stage.builder, stage.scalar, stage.code.planes
    slots: ir.Value = ir.Constant(kind, ir.Undefined)
    for plane in range(planes):
        place = b.zext(b.load(stage.at(test, plane, INT16), typ=INT16, align=1), INT64)
        slots = b.insert_element(slots, b.load(stage.at(stage.slots, place, INT8), typ=INT8), INT32(plane))
    bins, keep = (b.load(stage.at(test, part * planes, INT8), typ=kind, align=1) for part in (2, 3))
    stays = b.sext(b.not_(b.icmp_unsigned(">", slots, bins)), kind)
    return s.and_(left, s.or_(keep, stays))


def _emit_lowest(stage: Stage, left: ir.Value) -> ir.Value:
    """The number of the lowest member: the planes in order are the bytes of an integer."""
    b, planes = stage.builder, stage.code.planes
    whole = b.bitcast(left, ir.IntType(8 * planes))
    lowest = b.cttz(whole, ir.Constant(ir.IntType(1), 1))
    return lowest if planes == 8 else b.zext(lowest, INT64)
