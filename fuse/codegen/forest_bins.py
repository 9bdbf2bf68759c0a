"""The first half of the forest stage: 64 rows of float64 features become bytes, one slot after the other.

    for each numerical feature:
        cell  = clamp((value - low) * scale, 0, last)            64 rows at once, in groups of 8
        count = cells[cell]
        for step in 2**(steps - 1), ..., 2, 1:                   binary search inside the cell
            count += step where thresholds[count + step - 1] < value
        for each slot of the feature:
            slot = nan_bin where NaN, zero_bin where a missing zero, else clamp(count - offset, 0, 255)
    for each group of up to 32 categorical sets of one feature:
        word = members[category]                                 one load a row for all sets
        for each set: slot = not (word & 1); word >>= 1

What the tables mean and why the count is exact: fuse/plan/forest_bins.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from llvmlite import ir

from fuse.codegen.scalar import DOUBLE, INT32, INT64, Scalar, constant
from fuse.ir.forest import ZERO_THRESHOLD
from fuse.plan.forest_bins import CHUNK
from fuse.plan.forest_layout import BLOCK, ForestCode

INT8, INT16 = ir.IntType(8), ir.IntType(16)
LANES = 8
GROUPS = BLOCK // LANES
DOUBLES, WORDS = ir.VectorType(DOUBLE, LANES), ir.VectorType(INT32, LANES)
BLOCK_BYTES, BLOCK_WORDS = ir.VectorType(INT8, BLOCK), ir.VectorType(INT32, BLOCK)
_TOGETHER = 4
"""Groups of 8 rows that are searched side by side, to hide the latency of the loads."""
_NAN_CODE = 1 << 30


@dataclass(frozen=True)
class Stage:
    """What every part of the stage needs: where to emit, the tables, and the slots of the block's rows."""

    builder: ir.IRBuilder
    code: ForestCode
    pointers: Mapping[str, ir.Value]
    features: ir.Value
    slots: ir.Value

    @property
    def scalar(self) -> Scalar:
        return Scalar(self.builder)

    def at(self, base: ir.Value, index: ir.Value | int, element: ir.Type) -> ir.Value:
        """The address of an element."""
        position = index if isinstance(index, ir.Value) else INT64(index)
        return self.builder.gep(base, [position], source_etype=element)

    def field(self, name: str, row: ir.Value, width: int, position: int, element: ir.Type) -> ir.Value:
        """One number of a table whose rows are `width` numbers."""
        index = self.builder.add(self.builder.mul(row, INT64(width)), INT64(position))
        return self.builder.load(self.at(self.pointers[name], index, element), typ=element)

    def slot(self, index: ir.Value) -> ir.Value:
        """The address of a slot's bytes."""
        return self.at(self.slots, self.builder.mul(index, INT64(BLOCK)), INT8)


def fold_loop(
    builder: ir.IRBuilder,
    start: ir.Value,
    stop: ir.Value,
    carried: Sequence[ir.Value],
    body: Callable[[ir.Value, list[ir.Value]], Sequence[ir.Value]],
    name: str,
) -> list[ir.Value]:
    """`for index in range(start, stop): carried = body(index, carried)`; the carried values after it."""
    before = builder.block
    head = builder.append_basic_block(f"{name}.head")
    inside = builder.append_basic_block(f"{name}.body")
    after = builder.append_basic_block(f"{name}.end")
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(INT64, name=name)
    values = [builder.phi(value.type) for value in carried]
    builder.cbranch(builder.icmp_signed("<", index, stop), inside, after)
    builder.position_at_end(inside)
    results = body(index, list(values))
    following = builder.add(index, INT64(1), flags=["nsw"])
    for phi, first, last in zip([index, *values], [start, *carried], [following, *results], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(last, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return values


def each(
    builder: ir.IRBuilder, start: ir.Value | int, stop: ir.Value, body: Callable[[ir.Value], None], name: str
) -> None:
    """`for index in range(start, stop): body(index)`"""

    def step(index: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
        body(index)
        return []

    first = start if isinstance(start, ir.Value) else INT64(start)
    fold_loop(builder, first, stop, [], step, name)


def entry_alloca(builder: ir.IRBuilder, kind: ir.Type, name: str) -> ir.Value:
    """Stack memory of the function, made once whatever loop the builder is in."""
    with builder.goto_entry_block():
        memory = builder.alloca(kind, name=name)
        memory.align = BLOCK
    memory.type = ir.PointerType()  # llvmlite types it by its element; all other pointers are opaque
    return memory


def emit_bins(stage: Stage, counts: ir.Value, row: ir.Value) -> None:
    """Fill all slots for the 64 rows from `row`; `counts` is memory for <64 x i32>."""
    columns = stage.pointers["column_count"]
    each(stage.builder, 0, columns, lambda column: _emit_column(stage, counts, column, row), "column")
    if stage.code.has_categorical:
        _emit_sets(stage, row)


def _emit_column(stage: Stage, counts: ir.Value, column: ir.Value, row: ir.Value) -> None:
    b = stage.builder
    feature = stage.field("columns", column, 8, 0, INT64)

    def part(index: ir.Value) -> None:
        first = b.mul(index, INT64(LANES * _TOGETHER))
        values = _load_values(stage, feature, b.add(row, first), _TOGETHER)
        found = _emit_search(stage, column, values)
        target = stage.at(counts, first, INT32)
        for group, (value, count) in enumerate(zip(values, found, strict=True)):
            code = _count_code(stage, value, count)
            b.store(code, stage.at(target, group * LANES, INT32), align=4 * LANES)

    each(b, 0, INT64(GROUPS // _TOGETHER), part, "part")
    first, stop = (stage.field("columns", column, 8, place, INT64) for place in (4, 5))
    each(b, first, stop, lambda slot: _emit_slot(stage, counts, slot), "slot")


def _load_values(stage: Stage, feature: ir.Value, row: ir.Value, groups: int) -> list[ir.Value]:
    b = stage.builder
    start = b.add(b.mul(feature, INT64(stage.code.tile)), row)
    base = stage.at(stage.features, start, DOUBLE)
    return [b.load(stage.at(base, LANES * group, DOUBLE), align=8, typ=DOUBLES) for group in range(groups)]


def _emit_search(stage: Stage, column: ir.Value, values: list[ir.Value]) -> list[ir.Value]:
    """How many thresholds are below each value; NaN gives any count."""
    b, s = stage.builder, stage.scalar
    cells = stage.at(stage.pointers["cells"], stage.field("columns", column, 8, 1, INT64), INT16)
    thresholds = stage.at(stage.pointers["thresholds"], stage.field("columns", column, 8, 2, INT64), DOUBLE)
    steps = stage.field("columns", column, 8, 3, INT64)
    low, scale = (splat(b, stage.field("columns", column, 8, place, DOUBLE), LANES) for place in (6, 7))
    last = splat(b, stage.field("last_cell", column, 1, 0, DOUBLE), LANES)
    starts = []
    for value in values:
        position = s.mul(s.sub(value, low), scale)
        position = s.select(s.fcmp(">", position, 0.0), position, 0.0)
        cell = s.to_int(s.select(s.fcmp("<", position, last), position, last), INT32)
        starts.append(b.zext(gather(stage, cells, cell, INT16), WORDS))

    def search(index: ir.Value, counts: list[ir.Value]) -> list[ir.Value]:
        step = b.shl(INT32(1), b.trunc(b.sub(b.sub(steps, INT64(1)), index), INT32))
        width, ahead = splat(b, step, LANES), splat(b, b.sub(step, INT32(1)), LANES)
        probes = [gather(stage, thresholds, s.add(count, ahead), DOUBLE) for count in counts]
        below = [s.fcmp("<", probe, value) for probe, value in zip(probes, values, strict=True)]
        return [s.add(count, s.select(more, width, 0)) for count, more in zip(counts, below, strict=True)]

    return fold_loop(b, INT64(0), steps, starts, search, "search")


def gather(stage: Stage, base: ir.Value, index: ir.Value, element: ir.Type) -> ir.Value:
    """base[index] per lane, one load a lane."""
    b = stage.builder
    found: ir.Value = ir.Constant(ir.VectorType(element, index.type.count), ir.Undefined)
    for lane in range(index.type.count):
        position = b.zext(b.extract_element(index, INT32(lane)), INT64)
        entry = b.load(stage.at(base, position, element), typ=element)
        found = b.insert_element(found, entry, INT32(lane))
    return found


def splat(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """A vector of equal lanes."""
    kind = ir.VectorType(value.type, lanes)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, INT32(0))
    mask = ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), mask)


def _count_code(stage: Stage, value: ir.Value, count: ir.Value) -> ir.Value:
    """The count in one word with what slots treat apart: ~count for a zero, a code for NaN."""
    s = stage.scalar
    if stage.code.has_missing_zero:
        count = s.select(s.fcmp("<=", s.abs(value), ZERO_THRESHOLD), s.not_(count), count)
    return s.select(s.isnan(value), _NAN_CODE, count)


def _emit_slot(stage: Stage, counts: ir.Value, slot: ir.Value) -> None:
    b, s = stage.builder, stage.scalar
    offset, of_nan, of_zero = (
        splat(b, stage.field("slots", slot, 4, place, INT32), BLOCK) for place in (0, 1, 2)
    )
    code = b.load(counts, align=BLOCK, typ=BLOCK_WORDS)
    count, keeps_count = code, constant(BLOCK_WORDS, -1)
    if stage.code.has_missing_zero:
        is_zero = s.icmp("<", code, 0)
        count = s.select(is_zero, s.not_(code), code)
        keeps_count = s.select(is_zero, of_zero, -1)
    local = s.sub(count, offset)
    local = s.select(s.icmp(">", local, 0), local, 0)
    local = s.select(s.icmp("<", local, CHUNK), local, CHUNK)
    if stage.code.has_missing_zero:
        local = s.select(s.icmp("<", keeps_count, 0), local, keeps_count)
    local = s.select(s.icmp("==", code, _NAN_CODE), of_nan, local)
    b.store(b.trunc(local, BLOCK_BYTES), stage.slot(slot), align=BLOCK)


def _emit_sets(stage: Stage, row: ir.Value) -> None:
    groups, first = stage.pointers["set_group_count"], stage.pointers["first_set_slot"]

    def group(index: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        words = _emit_members(stage, index, row)
        return [_emit_membership(stage, words, carried[0], stage.field("sets", index, 4, 3, INT64))]

    fold_loop(stage.builder, INT64(0), groups, [first], group, "sets")


def _emit_members(stage: Stage, group: ir.Value, row: ir.Value) -> ir.Value:
    """The membership words of 64 rows; a category outside the table has the zero word after it."""
    b, s = stage.builder, stage.scalar
    feature, limit, begin = (stage.field("sets", group, 4, place, INT64) for place in (0, 1, 2))
    members = stage.at(stage.pointers["members"], begin, INT32)
    beyond = splat(b, b.sitofp(limit, DOUBLE), LANES)
    parts = []
    for value in _load_values(stage, feature, row, GROUPS):
        inside = s.and_(s.fcmp(">", value, -1.0), s.fcmp("<", value, beyond))
        category = s.to_int(s.select(inside, value, beyond), INT32)
        parts.append(gather(stage, members, category, INT32))
    while len(parts) > 1:
        parts = [joined(b, low, high) for low, high in zip(parts[0::2], parts[1::2], strict=True)]
    return parts[0]


def joined(builder: ir.IRBuilder, low: ir.Value, high: ir.Value) -> ir.Value:
    """One vector of the lanes of two."""
    lanes = 2 * low.type.count
    mask = ir.Constant(ir.VectorType(INT32, lanes), list(range(lanes)))
    return builder.shuffle_vector(low, high, mask)


def _emit_membership(stage: Stage, words: ir.Value, first: ir.Value, size: ir.Value) -> ir.Value:
    """A slot for each set of a group, 0 inside and 1 outside; the slot after the last."""
    b, s = stage.builder, stage.scalar

    def member(index: ir.Value, carried: list[ir.Value]) -> list[ir.Value]:
        outside = s.xor(s.and_(carried[0], 1), 1)
        b.store(b.trunc(outside, BLOCK_BYTES), stage.slot(b.add(first, index)), align=BLOCK)
        return [s.lshr(carried[0], 1)]

    fold_loop(b, INT64(0), size, [words], member, "set")
    return b.add(first, size)
