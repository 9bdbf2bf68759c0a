"""Decision trees as the flat tables that the forest kernel reads, and the few facts its code depends on.

Every test is first reduced to `slot > bin` on bytes (fuse/plan/forest_bins.py), 64 rows at a time, so missing
values and categories are dealt with once per feature and not once per node. Then one of two strategies:

- "bitvector" (QuickScorer: Lucchese et al., SIGIR 2015), when every tree has at most 64 leaves: leaves are
  numbered from left to right, and a test that goes right removes the leaves of its left subtree. What is left
  after all tests, in any order, is a set whose lowest member is the row's leaf. The set is kept in bytes of 8
  leaves ("planes"), and a test stands only in the planes that it changes.
- "traverse" for all others: the nodes of a tree breadth first, siblings side by side, and leaves that lead to
  themselves, so that rows walk on in lock-step, without a branch, until the last has arrived.

Left out: the loops (fuse/codegen/forest.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fuse.ir.forest import MISSING_MASK, MISSING_ZERO, ForestTables
from fuse.plan.forest_bins import Bins, bins

BLOCK = 64
"""Rows that go through the trees together; also the bytes of a slot."""
MAX_LEAVES = 64
_SLOT_CACHE = 1 << 18
"""Bytes of slots that should stay in the second-level cache while all trees read them."""
_TREE_CACHE = 1 << 14
"""Bytes of tables of the trees that should stay in the first-level cache while rows go through them."""
NEVER = 255
"""The bin that no slot exceeds."""
_BYTES = 0x01010101

Strategy = Literal["bitvector", "traverse"]


@dataclass(frozen=True)
class ForestCode:
    """All that the code of a forest stage depends on: never the number, size or values of its trees.

    strategy: see above; planes: bytes of a leaf set, 1, 2, 4 or 8 (0 for "traverse"); has_categorical: some
    test is categorical; has_missing_zero: some test takes zero for missing; has_permute: the target picks 8
    doubles out of 8 by one instruction (AVX-512); tile: rows of the feature buffer.
    """

    strategy: Strategy
    planes: int
    has_categorical: bool
    has_missing_zero: bool
    has_permute: bool = False
    tile: int = 1024


@dataclass(frozen=True, eq=False)
class ForestLayout:
    """The tables of one forest.

    code: what the kernel is compiled for; arrays: contiguous arrays that the kernel reads, by name; sizes:
    int64 values that it takes, by name; scratch_bytes: working memory for each thread, 64-byte aligned.
    """

    code: ForestCode
    arrays: Mapping[str, np.ndarray]
    sizes: Mapping[str, int]
    scratch_bytes: int


POINTERS = ("columns", "last_cell", "cells", "thresholds", "slots", "sets", "members",
            "trees", "tests", "leaf", "base")  # fmt: skip
"""The names in `ForestLayout.arrays`; each is a pointer argument of the kernel."""
SIZES = ("column_count", "set_group_count", "first_set_slot", "slot_count", "tree_count", "output_count",
         "blocks_per_pass", "trees_per_pass")  # fmt: skip
"""The names in `ForestLayout.sizes`."""


def layout(tables: ForestTables, tile: int = 1024, has_permute: bool = False) -> ForestLayout:
    """The flat tables for the kernel; `tile` is the row count of its feature buffer, a multiple of 64.

    trees: int64[trees, 4], a row is where the tree begins in `tests`, how many steps it takes ("bitvector"),
    where its values begin in `leaf`, and its output;
    tests: "bitvector": uint32[steps, planes, 3], one test a plane: slot * 64, bin and mask of the leaves that
    stay, both repeated four times; "traverse": uint64[nodes], slot * 64 << 32 | child << 8 | bin;
    leaf: float64, for "bitvector" 8 * planes a tree, for "traverse" one a node.
    """
    if tile % BLOCK:
        raise ValueError(f"the tile is {tile} rows; it must be a multiple of {BLOCK}")
    binned, walk = bins(tables), _walk(tables)
    strategy: Strategy = "bitvector" if walk.leaf_count.max(initial=1) <= MAX_LEAVES else "traverse"
    planes = _planes(int(walk.leaf_count.max(initial=1))) if strategy == "bitvector" else 0
    trees, tests, leaf = (
        _bitvector(tables, binned, walk, planes) if planes else _traverse(tables, binned, walk)
    )
    trees[:, 3] = tables.output.array
    code = ForestCode(strategy, planes, bool(binned.sets.size), _has_missing_zero(tables), has_permute, tile)
    arrays = {name: getattr(binned, name) for name in POINTERS[:7]}
    arrays |= {"trees": trees, "tests": tests, "leaf": leaf, "base": tables.base.array}
    slot_bytes = BLOCK * max(binned.slot_count, 1)
    blocks_per_pass = min(max(_SLOT_CACHE // slot_bytes, 1), tile // BLOCK)
    tree_bytes = (tests.nbytes + leaf.nbytes) // max(tables.tree_count, 1)
    sizes = {
        "column_count": len(binned.columns), "set_group_count": len(binned.sets),
        "first_set_slot": len(binned.slots), "slot_count": binned.slot_count,
        "tree_count": tables.tree_count, "output_count": tables.base.array.size,
        "blocks_per_pass": blocks_per_pass, "trees_per_pass": max(_TREE_CACHE // max(tree_bytes, 1), 1),
    }  # fmt: skip
    return ForestLayout(code, arrays, sizes, blocks_per_pass * slot_bytes)


def _has_missing_zero(tables: ForestTables) -> bool:
    return bool(((tables.flags.array & MISSING_MASK) == MISSING_ZERO).any())


def _planes(leaves: int) -> int:
    return next(planes for planes in (1, 2, 4, 8) if leaves <= 8 * planes)


@dataclass(frozen=True, eq=False)
class _Walk:
    """All nodes and leaves of all trees, tree after tree, breadth first, siblings side by side.

    node: index of a node, or ~leaf; tree: which tree; child: place of the left child, its own for a leaf;
    count, first: how many leaves lie below, and the number of the leftmost in the tree; begin, leaf_count: of
    each tree: where it begins, and its leaves.
    """

    node: np.ndarray
    tree: np.ndarray
    child: np.ndarray
    count: np.ndarray
    first: np.ndarray
    begin: np.ndarray
    leaf_count: np.ndarray


def _walk(tables: ForestTables) -> _Walk:
    left, right = tables.left.array.astype(np.int64), tables.right.array.astype(np.int64)
    node, tree = tables.roots.array.astype(np.int64), np.arange(tables.tree_count)
    nodes, trees = [node], [tree]
    while (node >= 0).any():
        inner, tree = node[node >= 0], np.repeat(tree[node >= 0], 2)
        node = np.stack([left[inner], right[inner]], axis=1).reshape(-1)
        nodes.append(node)
        trees.append(tree)
    count, first = _leaf_ranges(nodes)
    order = np.argsort(np.concatenate(trees), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    by_tree = np.concatenate(trees)[order]
    child = _children(nodes, place)[order]
    begin = np.searchsorted(by_tree, np.arange(tables.tree_count))
    leaf_count = count[order][begin] if order.size else np.zeros(0, np.int64)
    return _Walk(np.concatenate(nodes)[order], by_tree, child, count[order], first[order], begin, leaf_count)


def _leaf_ranges(nodes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """For the nodes of each level: how many leaves are below, and the number of the leftmost of them."""
    counts = [np.ones(level.size, np.int64) for level in nodes]
    firsts = [np.zeros(level.size, np.int64) for level in nodes]
    for depth in range(len(nodes) - 2, -1, -1):
        counts[depth][nodes[depth] >= 0] = counts[depth + 1].reshape(-1, 2).sum(axis=1)
    for depth in range(len(nodes) - 1):
        inherited = firsts[depth][nodes[depth] >= 0]
        firsts[depth + 1][0::2] = inherited
        firsts[depth + 1][1::2] = inherited + counts[depth + 1][0::2]
    return np.concatenate(counts), np.concatenate(firsts)


def _children(nodes: list[np.ndarray], place: np.ndarray) -> np.ndarray:
    child = place.copy()
    begin = 0
    for level in nodes[:-1]:
        inner = begin + np.flatnonzero(level >= 0)
        begin += level.size
        child[inner] = place[begin + 2 * np.arange(inner.size)]
    return child


def _bitvector(
    tables: ForestTables, binned: Bins, walk: _Walk, planes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trees = np.zeros((tables.tree_count, 4), np.int64)
    inner = np.flatnonzero(walk.node >= 0)
    keep = _kept_leaves(walk.first[inner], walk.count[walk.child[inner]], planes)
    step, steps = _steps(walk.tree[inner], keep != NEVER, tables.tree_count)
    trees[:, 0], trees[:, 1] = np.cumsum(steps) - steps, steps
    trees[:, 2] = np.arange(tables.tree_count) * 8 * planes
    tests = np.zeros((int(steps.sum()), planes, 3), np.uint32)
    tests[:, :, 1:] = NEVER * _BYTES
    which, plane = np.nonzero(keep != NEVER)
    row = trees[walk.tree[inner[which]], 0] + step[which, plane]
    node = walk.node[inner[which]]
    tests[row, plane, 0] = binned.node_slot[node] * BLOCK
    tests[row, plane, 1] = binned.node_bin[node] * np.uint32(_BYTES)
    tests[row, plane, 2] = keep[which, plane] * np.uint32(_BYTES)
    leaf = np.zeros((tables.tree_count, 8 * planes))
    ends = walk.node < 0
    leaf[walk.tree[ends], walk.first[ends]] = tables.leaf.array[~walk.node[ends]]
    return trees, tests, leaf


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


def _traverse(tables: ForestTables, binned: Bins, walk: _Walk) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    trees = np.zeros((tables.tree_count, 4), np.int64)
    trees[:, 0] = trees[:, 2] = walk.begin
    inner = walk.node >= 0
    node = np.where(inner, walk.node, 0)
    slot, bin_ = np.zeros(node.size, np.uint64), np.full(node.size, NEVER, np.uint64)
    leaf = np.zeros(node.size)
    slot[inner], bin_[inner] = binned.node_slot[node[inner]], binned.node_bin[node[inner]]
    leaf[~inner] = tables.leaf.array[~walk.node[~inner]]
    child = (walk.child - walk.begin[walk.tree]).astype(np.uint64)
    tests = slot * np.uint64(BLOCK) << np.uint64(32) | child << np.uint64(8) | bin_
    return trees, tests, leaf
