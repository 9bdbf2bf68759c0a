"""The forest stage: the loops that evaluate decision trees for a tile of rows. Tables, not code.

    out[k][row] = base[k]
    for each block of 64 rows:
        slots = bytes or keys of the features    (fuse/codegen/forest_bins.py, fuse/codegen/forest_keys.py)
        for each tree: find the leaf of each row and add its values
                                        (fuse/codegen/forest_bitvector.py, fuse/codegen/forest_walk.py)

A single row has its own loops (fuse/codegen/forest_row.py and forest_packed_row.py). Blocks and trees are
taken in runs, so that the tables of a run of trees stay in the cache while a run of blocks goes through
them. The leaf values are added one tree after the other, in the order of the trees: the bits are those of
`fuse.ir.forest.evaluate_forest`. The code depends on `ForestCode` alone. Only plain LLVM vector operations
are used, so it works on every target. Left out: what the tables hold and which strategy to take
(fuse/plan/forest_layout.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llvmlite import ir

from fuse.codegen.forest_bins import emit_bins
from fuse.codegen.forest_bitvector import emit_bitvector
from fuse.codegen.forest_keys import emit_keys
from fuse.codegen.forest_packed_row import emit_packed_row
from fuse.codegen.forest_row import emit_row
from fuse.codegen.forest_stage import (
    BLOCK_WORDS,
    GROUPS,
    INT8,
    LANES,
    Stage,
    each,
    entry_alloca,
    rows_of,
    splat,
)
from fuse.codegen.forest_walk import emit_walk
from fuse.codegen.scalar import DOUBLE, INT64
from fuse.plan.forest_bitvector import BLOCK
from fuse.plan.forest_layout import ForestCode


def emit_forest(
    builder: ir.IRBuilder,
    code: ForestCode,
    pointers: Mapping[str, ir.Value],
    features: ir.Value,
    count: ir.Value,
    out: ir.Value,
) -> None:
    """Emit the loops at the builder's position and leave it after them.

    pointers: the arrays of `ForestLayout.arrays` as pointers and `ForestLayout.sizes` as i64, by name, and
    "scratch", `ForestLayout.scratch_bytes` bytes of this thread, 64-byte aligned;
    features: double* or float*, feature j of row r at features[j * tile + r], readable up to the next
    multiple of 64 rows, with any contents there; count: i64, rows in this tile, at most `tile`;
    out: double*, output k of row r goes to out[k * tile + r], writable up to the next multiple of 64 rows.
    For "row" and "packed_row" there is one row, and nothing is read or written behind it.
    """
    if code.is_row:
        emit = emit_packed_row if code.is_packed else emit_row
        emit(Stage(builder, code, pointers, features, pointers["scratch"]), out)
        return
    emit_slots, emit_tree = _loops(builder, code)
    blocks = builder.udiv(builder.add(count, INT64(BLOCK - 1)), INT64(BLOCK))

    def batch(start: ir.Value, stop: ir.Value) -> None:
        def stage_of(block: ir.Value) -> tuple[Stage, ir.Value, ir.Value]:
            row = builder.mul(block, INT64(BLOCK))
            slots_before = builder.mul(builder.sub(block, start), pointers["slot_count"])
            offset = builder.mul(slots_before, INT64(BLOCK * max(code.key_bytes, 1)))
            slots = builder.gep(pointers["scratch"], [offset], source_etype=INT8)
            stage = Stage(builder, code, pointers, features, slots)
            return stage, row, stage.at(out, row, DOUBLE)

        def prepare(block: ir.Value) -> None:
            stage, row, target = stage_of(block)
            _emit_base(stage, target)
            emit_slots(stage, row)

        def add_trees(first: ir.Value, last: ir.Value) -> None:
            def add_block(block: ir.Value) -> None:
                stage, _, target = stage_of(block)
                each(
                    builder,
                    first,
                    last,
                    lambda tree: emit_tree(stage, tree, target, builder.sub(block, start)),
                    "tree",
                )

            each(builder, start, stop, add_block, "block")

        each(builder, start, stop, prepare, "prepare")
        _each_run(builder, pointers["tree_count"], pointers["trees_per_pass"], add_trees, "trees")

    _each_run(builder, blocks, pointers["blocks_per_pass"], batch, "blocks")


def _loops(
    builder: ir.IRBuilder, code: ForestCode
) -> tuple[Callable[[Stage, ir.Value], None], Callable[[Stage, ir.Value, ir.Value, ir.Value], None]]:
    """What fills the slots of the block that begins at a row, and what adds a tree to a block's outputs."""
    if code.strategy == "walk":
        return emit_keys, emit_walk
    counts = entry_alloca(builder, BLOCK_WORDS, "counts")
    return lambda stage, row: emit_bins(stage, counts, row), emit_bitvector


def _each_run(
    builder: ir.IRBuilder,
    count: ir.Value,
    size: ir.Value,
    body: Callable[[ir.Value, ir.Value], None],
    name: str,
) -> None:
    """`for start in range(0, count, size): body(start, min(start + size, count))`"""

    def run(index: ir.Value) -> None:
        start = builder.mul(index, size)
        end = builder.add(start, size)
        body(start, builder.select(builder.icmp_signed("<", end, count), end, count))

    runs = builder.udiv(builder.add(count, builder.sub(size, INT64(1))), size)
    each(builder, 0, runs, run, name)


def _emit_base(stage: Stage, target: ir.Value) -> None:
    b = stage.builder

    def output(k: ir.Value) -> None:
        base = splat(b, stage.field("base", k, 1, 0, DOUBLE), LANES)
        for group in range(GROUPS):
            b.store(base, rows_of(stage, target, k, group * LANES), align=8)

    each(b, 0, stage.pointers["output_count"], output, "output")
