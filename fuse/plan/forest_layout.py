"""Decision trees as the flat tables that the forest kernel reads, and the few facts its code depends on.

Missing values, categories and the order of floats are dealt with once per feature and not once per node;
after that a test is one comparison of integers. Three strategies:

- "bitvector", when every tree has at most 64 leaves: features become bytes, trees sets of leaves that tests
  remove, 64 rows at a time (fuse/plan/forest_bins.py, fuse/plan/forest_bitvector.py);
- "walk" for larger trees, whose thresholds are too many to be counted: rows walk a flat table of nodes side
  by side (fuse/plan/forest_keys.py, fuse/plan/forest_walk.py);
- "row", for a kernel that runs a single row: the same tables, but trees walk side by side, nothing is set up;
- "packed" and "packed_row", for modules that are sent over a network: "bitvector" with tests of a third of
  the bytes, and a single row over those very tables, so that a module holds one set of them.

Left out: the loops (fuse/codegen/forest.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import numpy as np

from fuse.ir.forest import MISSING_MASK, MISSING_ZERO, ForestTables
from fuse.ir.node import ConstantArray
from fuse.plan.forest_bins import bins
from fuse.plan.forest_bitvector import BLOCK, MAX_LEAVES, bitvector_tables, packed_tests, planes_for
from fuse.plan.forest_keys import keys
from fuse.plan.forest_levels import Levels, levels
from fuse.plan.forest_walk import fits_short, lines_ahead, walk_tables

ROWS, MANY_ROWS = 1024, 8192
"""Rows that go through the trees together, and how many when the trees outgrow the second-level cache."""
_SLOT_CACHE = 1 << 18
"""Bytes of slots that should stay in the second-level cache while all trees read them."""
_KEY_CACHE = 1 << 20
"""Bytes of keys: they are read in order, so they may stand in the way of the second-level cache."""
_TREE_CACHE = 1 << 14
"""Bytes of tables of the trees that should stay in the first-level cache while rows go through them."""
_LARGE = 1 << 19
"""Bytes of all trees from which the next one is brought to the second-level cache ahead of its walkers."""

Strategy = Literal["bitvector", "walk", "row", "packed", "packed_row"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


SINGLE_ROW: frozenset[Strategy | None] = frozenset({"row", "packed_row"})
_SETS: Mapping[Strategy, Strategy] = {"bitvector": "walk", "packed": "walk", "packed_row": "row"}
"""The strategies with sets of leaves, and what they give way to where a tree has too many."""


@dataclass(frozen=True)
class ForestCode:
    """All that the code of a forest stage depends on: never the number, size or values of its trees.

    strategy: see above; is_single: the features are float32; planes: bytes of a leaf set, 1, 2, 4 or 8 (0 but
    for "bitvector"); key_bytes: bytes of a key, 4 or 8 (0 for "bitvector"); has_categorical: some test is
    categorical; has_missing_zero: some test takes zero for missing; is_wide: a leaf holds values of several
    outputs; has_permute: the target picks 8 doubles out of 8 by one instruction (AVX-512); tile: rows of the
    feature buffer; rounds_to_single: every sum is rounded to float32.
    """

    strategy: Strategy
    is_single: bool
    planes: int
    key_bytes: int
    has_categorical: bool
    has_missing_zero: bool
    is_wide: bool
    has_permute: bool = False
    tile: int = 1024
    rounds_to_single: bool = False

    @property
    def is_row(self) -> bool:
        """Whether there is a single row."""
        return self.strategy in SINGLE_ROW

    @property
    def is_packed(self) -> bool:
        """Whether a test has four bytes."""
        return self.strategy in ("packed", "packed_row")


@dataclass(frozen=True, eq=False)
class ForestLayout:
    """The tables of one forest.

    code: what the kernel is compiled for; arrays: those that the kernel reads, by name; sizes:
    int64 values that it takes, by name; scratch_bytes: working memory for each thread, 64-byte aligned.
    """

    code: ForestCode
    arrays: Mapping[str, ConstantArray]
    sizes: Mapping[str, int]
    scratch_bytes: int


_WALK_POINTERS = (
    "columns", "sets", "members", "trees", "nodes", "tests", "exits", "ahead", "leaf", "base"
)  # fmt: skip
_SET_POINTERS = (
    "columns", "last_cell", "cells", "thresholds", "slots", "sets", "members", "trees", "tests", "leaf",
    "base",
)  # fmt: skip
POINTERS: Mapping[Strategy, tuple[str, ...]] = {
    "bitvector": _SET_POINTERS,
    "walk": _WALK_POINTERS,
    "row": _WALK_POINTERS,
    "packed": _SET_POINTERS,
    "packed_row": _SET_POINTERS,
}  # fmt: skip
"""The names in `ForestLayout.arrays`; each is a pointer argument of the kernel."""
SIZES = ("column_count", "set_group_count", "first_set", "slot_count", "tree_count", "output_count", "width",
         "blocks_per_pass", "trees_per_pass")  # fmt: skip
"""The names in `ForestLayout.sizes`: slot_count are the slots or columns of keys of a block, of which
`column_count` come from numbers and those from `first_set` on from categorical sets.
"""


def layout(
    tables: ForestTables,
    dtype: np.dtype | type = np.float64,
    strategy: Strategy | None = None,
    tile: int | None = None,
    has_permute: bool = False,
) -> ForestLayout:
    """The flat tables for the kernel, over features of dtype float32 or float64.

    strategy: None chooses; "bitvector" gives way to "walk" where a tree has more than 64 leaves, and the
    packed ones likewise. tile: rows of the kernel's feature buffer, a multiple of 64; None chooses, and one
    row it is for "row" and "packed_row".
    """
    found = levels(tables)
    most_leaves = int(found.leaf_count.max(initial=1))
    strategy = strategy or "bitvector"
    if most_leaves > MAX_LEAVES:
        strategy = _SETS.get(strategy, strategy)
    if tile is not None and strategy not in SINGLE_ROW and tile % BLOCK:
        raise ValueError(f"the tile is {tile} rows; it must be a multiple of {BLOCK}")
    kind = cast(type, np.dtype(dtype).type)
    code = ForestCode(
        strategy=strategy, is_single=kind is np.float32, planes=0, key_bytes=0, has_categorical=False,
        has_missing_zero=_has_missing_zero(tables), is_wide=tables.width > 1, has_permute=has_permute,
        tile=1 if strategy in SINGLE_ROW else tile or ROWS, rounds_to_single=tables.rounds_to_single,
    )  # fmt: skip
    if strategy in _SETS:
        return _bitvector(tables, found, kind, replace(code, planes=planes_for(most_leaves)))
    return _walk(tables, found, kind, code, most_leaves, tile)


def _base(tables: ForestTables) -> ConstantArray:
    """The base as doubles, which hold every float32."""
    return ConstantArray(tables.base.array.astype(np.float64)) if tables.rounds_to_single else tables.base


def _has_missing_zero(tables: ForestTables) -> bool:
    return bool(((tables.flags.array & MISSING_MASK) == MISSING_ZERO).any())


def _bitvector(tables: ForestTables, found: Levels, dtype: type, code: ForestCode) -> ForestLayout:
    binned = bins(tables, dtype)
    trees, tests, leaf = bitvector_tables(tables, binned, found, code.planes)
    arrays = {name: getattr(binned, name) for name in POINTERS["bitvector"][:7]}
    if code.is_packed:
        tests = packed_tests(tests)
    arrays |= {"trees": trees, "tests": tests, "leaf": leaf}
    block_bytes = (1 if code.is_row else BLOCK) * max(binned.slot_count, 1)
    blocks = 1 if code.is_row else _blocks_per_pass(_SLOT_CACHE, block_bytes, code.tile)
    sizes = {
        "column_count": len(binned.columns), "set_group_count": len(binned.sets),
        "first_set": len(binned.slots), "slot_count": binned.slot_count, "blocks_per_pass": blocks,
        **_tree_sizes(tables, tests.nbytes + leaf.nbytes),
    }  # fmt: skip
    code = replace(code, has_categorical=bool(binned.sets.size))
    return ForestLayout(code, _constants(arrays) | {"base": _base(tables)}, sizes, blocks * block_bytes)


def _walk(
    tables: ForestTables, found: Levels, dtype: type, code: ForestCode, most_leaves: int, tile: int | None
) -> ForestLayout:
    keyed = keys(tables, dtype)
    if dtype is np.float32 and not fits_short(keyed.count, most_leaves):
        keyed = keys(tables, np.float64)
    walk = walk_tables(tables, keyed, found)
    is_large = walk.nodes.nbytes > _LARGE and code.strategy == "walk"
    key_bytes = keyed.node_key.dtype.itemsize
    block_bytes = (1 if code.is_row else BLOCK) * key_bytes * keyed.count
    rows = MANY_ROWS if is_large and tile is None else code.tile
    blocks = _blocks_per_pass(_KEY_CACHE, block_bytes, rows)
    if tile is None and is_large:
        rows = max(ROWS, 1 << (blocks * BLOCK).bit_length() - 1)
    arrays = {
        "columns": keyed.columns, "sets": keyed.sets, "members": keyed.members, "trees": walk.trees,
        "nodes": walk.nodes, "tests": walk.tests, "exits": walk.exits, "leaf": walk.leaf,
        "ahead": lines_ahead(walk, blocks) if is_large else np.zeros((tables.tree_count, 2), np.int64),
    }  # fmt: skip
    sizes = {
        "column_count": len(keyed.columns), "set_group_count": len(keyed.sets),
        "first_set": len(keyed.columns), "slot_count": keyed.count, "blocks_per_pass": blocks,
        **_tree_sizes(tables, walk.nodes.nbytes + walk.tests.nbytes),
    }  # fmt: skip
    code = replace(code, key_bytes=key_bytes, has_categorical=bool(keyed.sets.size), tile=rows)
    constants = _constants(arrays) | {"base": _base(tables)}
    return ForestLayout(code, constants, sizes, blocks * block_bytes)


def _blocks_per_pass(cache: int, block_bytes: int, rows: int) -> int:
    """How many blocks' slots stay in the cache while all trees read them."""
    return min(max(cache // block_bytes, 1), max(rows // BLOCK, 1))


def _tree_sizes(tables: ForestTables, tree_bytes: int) -> dict[str, int]:
    """Counts, and how many trees stay in the cache while blocks go through them."""
    one_tree = max(tree_bytes // max(tables.tree_count, 1), 1)
    return {
        "tree_count": tables.tree_count, "output_count": tables.base.array.size, "width": tables.width,
        "trees_per_pass": max(_TREE_CACHE // one_tree, 1),
    }  # fmt: skip


def _constants(arrays: Mapping[str, np.ndarray]) -> dict[str, ConstantArray]:
    """The arrays as they are, without a copy."""
    for array in arrays.values():
        array.flags.writeable = False
    return {name: ConstantArray(array) for name, array in arrays.items()}
