"""Trees of at most 64 leaves as sets of leaves that tests remove (QuickScorer: Lucchese et al., SIGIR 2015).

Leaves are numbered from left to right, and a test that goes right removes the leaves of its left subtree.
What is left after all tests, in any order, is a set whose lowest member is the row's leaf. The set is kept in
bytes of 8 leaves ("planes"), and a test stands only in the planes that it changes. Every test is `slot > bin`
on bytes (fuse/plan/forest_bins.py).
"""

from __future__ import annotations

import numpy as np

from fuse.ir.forest import ForestTables
from fuse.plan.forest_bins import Bins
from fuse.plan.forest_levels import Levels

BLOCK = 64
"""Rows that go through the trees together; also the bytes of a slot."""
MAX_LEAVES = 64
NEVER = 255
"""The bin that no slot exceeds, and the plane from which nothing is removed."""
_BYTES = 0x01010101


def planes_for(leaves: int) -> int:
    """Bytes of a set of so many leaves: 1, 2, 4 or 8."""
    return next(planes for planes in (1, 2, 4, 8) if leaves <= 8 * planes)


def bitvector_tables(
    tables: ForestTables, binned: Bins, levels: Levels, planes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(trees, tests, leaf).

    trees: int64[trees, 4], a row is where the tree begins in `tests`, its steps, where its values begin in
    `leaf`, and its first output; tests: uint32[steps, planes, 3], one test a plane: slot * 64, bin and mask
    of the leaves that stay, both repeated four times; leaf: float64[trees, width, 8 * planes].
    """
    found = levels.tests()
    keep = _kept_leaves(found.first, found.count_left, planes)
    step, steps = _steps(found.tree, keep != NEVER, tables.tree_count)
    begin = np.cumsum(steps) - steps
    tests = np.zeros((int(steps.sum()), planes, 3), np.uint32)
    tests[:, :, 1:] = NEVER * _BYTES
    which, plane = np.nonzero(keep != NEVER)
    row, node = begin[found.tree[which]] + step[which, plane], found.node[which]
    tests[row, plane, 0] = binned.node_slot[node] * BLOCK
    tests[row, plane, 1] = binned.node_bin[node] * np.uint32(_BYTES)
    tests[row, plane, 2] = keep[which, plane] * np.uint32(_BYTES)
    values = np.arange(tables.tree_count) * 8 * planes * tables.width
    trees = np.stack([begin, steps, values, tables.output.array], axis=1).astype(np.int64)
    return trees, tests, _leaf_values(tables, levels, planes)


def packed_tests(tests: np.ndarray) -> np.ndarray:
    """uint8[steps, 4 * planes]: of each step first the slots, uint16, then the bins, then the kept leaves.

    OverflowError when there are more slots than that.
    """
    slots = tests[:, :, 0] // BLOCK
    if slots.size and int(slots.max()) > np.iinfo(np.uint16).max:
        raise OverflowError(f"{int(slots.max()) + 1} slots; packed tests tell {1 << 16} apart")
    steps, planes = slots.shape
    parts = [np.ascontiguousarray(slots.astype("<u2")).view(np.uint8).reshape(steps, 2 * planes)]
    parts += [(tests[:, :, place] & NEVER).astype(np.uint8) for place in (1, 2)]
    return np.concatenate(parts, axis=1)


def _leaf_values(tables: ForestTables, levels: Levels, planes: int) -> np.ndarray:
    values = np.zeros((tables.tree_count, tables.width, 8 * planes))
    for node, tree, first in zip(levels.node, levels.tree, levels.first, strict=True):
        ends = node < 0
        values[tree[ends], :, first[ends]] = tables.leaf.array[~node[ends]]
    return values


def _kept_leaves(first: np.ndarray, count: np.ndarray, planes: int) -> np.ndarray:
    """uint8[nodes, planes]: the leaves that stay when the left subtree, `count` from `first`, is removed."""
    edge = 8 * np.arange(planes)
    low = np.clip(first[:, None] - edge, 0, 8)
    high = np.clip((first + count)[:, None] - edge, 0, 8)
    kept: np.ndarray = NEVER - ((1 << high) - (1 << low))
    return kept.astype(np.uint8)


def _steps(tree: np.ndarray, present: np.ndarray, tree_count: int) -> tuple[np.ndarray, np.ndarray]:
    """The step of each test in each of its planes, and the steps of each tree: the most of any plane."""
    before = np.cumsum(present, axis=0) - present
    begin = np.searchsorted(tree, np.arange(tree_count + 1))
    padded = np.concatenate([before, present.sum(axis=0, keepdims=True)])
    per_tree = padded[begin[1:]] - padded[begin[:-1]]
    return before - padded[begin[tree]], per_tree.max(axis=1, initial=0)
