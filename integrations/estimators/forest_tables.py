"""The text form of a LightGBM model, read into the tables of the `forest` op.

The text is read instead of the JSON dump because it is several times faster for many trees and prints every
threshold and leaf with 17 digits, which is the exact double. Left out: linear trees, whose leaves are models.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fuse.integrations.estimators.features import Unsupported
from fuse.ir.forest import CATEGORICAL, DEFAULT_LEFT, ZERO_THRESHOLD, ForestTables

_CATEGORICAL_BIT, _DEFAULT_LEFT_BIT, _MISSING_SHIFT, _MISSING_BITS = 1, 2, 2, 3


@dataclass(frozen=True)
class BoostedModel:
    """What prediction needs of a model.

    objective: its name and parameters, such as `("binary", {"sigmoid": "1"})`; "" for a custom one.
    outputs: trees per iteration, which is also the number of raw scores a row.
    averaged: the sum is divided by the number of iterations (random forests).
    """

    objective: str
    parameters: Mapping[str, str]
    outputs: int
    feature_count: int
    feature_names: tuple[str, ...]
    averaged: bool
    trees: tuple[Mapping[str, str], ...]

    @property
    def iterations(self) -> int:
        return len(self.trees) // self.outputs


def read_model(text: str) -> BoostedModel:
    """The model from what `Booster.model_to_string` gives."""
    head, *trees = text.split("\nTree=")
    header = _fields(head)
    name, *parameters = header.get("objective", "").split(" ")
    return BoostedModel(
        objective=name,
        parameters=dict(_parameter(word) for word in parameters),
        outputs=int(header["num_tree_per_iteration"]),
        feature_count=int(header["max_feature_idx"]) + 1,
        feature_names=tuple(header["feature_names"].split(" ")),
        averaged="\naverage_output\n" in head + "\n",
        trees=tuple(_fields(tree.split("\nend of trees", 1)[0]) for tree in trees),
    )


def _fields(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def _parameter(word: str) -> tuple[str, str]:
    name, _, value = word.partition(":")
    return name, value


def to_tables(model: BoostedModel, start: int, count: int) -> ForestTables:
    """The trees of `count` iterations from iteration `start`, each output's in their order."""
    chosen = model.trees[start * model.outputs : (start + count) * model.outputs]
    builder = _Builder()
    for tree in chosen:
        builder.add(tree)
    output = np.tile(np.arange(model.outputs, dtype=np.int32), count)
    return builder.tables(output, np.zeros(model.outputs))


class _Builder:
    """Flat arrays that grow tree by tree."""

    def __init__(self) -> None:
        self._parts: dict[str, list[np.ndarray]] = {
            name: [] for name in ("feature", "threshold", "left", "right", "flags", "leaf", "categories")
        }
        self._roots: list[int] = []
        self._nodes = self._leaves = self._words = 0

    def add(self, tree: Mapping[str, str]) -> None:
        """One tree; its nodes and leaves come after those of the trees before."""
        if tree.get("is_linear", "0") != "0":
            raise Unsupported("linear trees")
        leaf = _numbers(tree["leaf_value"], np.float64)
        is_leaf = int(tree["num_leaves"]) == 1
        self._roots.append(~self._leaves if is_leaf else self._nodes)
        if not is_leaf:
            self._add_nodes(tree)
        self._parts["leaf"].append(leaf)
        self._leaves += len(leaf)

    def _add_nodes(self, tree: Mapping[str, str]) -> None:
        decision = _numbers(tree["decision_type"], np.int64)
        threshold = _numbers(tree["threshold"], np.float64)
        categorical = (decision & _CATEGORICAL_BIT) != 0
        threshold = np.where(categorical, threshold, _without_tiny(threshold))
        if categorical.any():
            offsets = self._add_categories(tree)
            threshold[categorical] = offsets[threshold[categorical].astype(np.int64)]
        flags = (decision >> _MISSING_SHIFT) & _MISSING_BITS
        flags |= np.where(decision & _DEFAULT_LEFT_BIT, DEFAULT_LEFT, 0) | np.where(
            categorical, CATEGORICAL, 0
        )
        self._parts["feature"].append(_numbers(tree["split_feature"], np.int32))
        self._parts["threshold"].append(threshold)
        self._parts["flags"].append(flags)
        for side in ("left", "right"):
            self._parts[side].append(self._children(_numbers(tree[f"{side}_child"], np.int64)))
        self._nodes += len(decision)

    def _children(self, child: np.ndarray) -> np.ndarray:
        """Node indices, or ~leaf, moved behind the trees before."""
        return np.where(child >= 0, child + self._nodes, ~(~child + self._leaves))

    def _add_categories(self, tree: Mapping[str, str]) -> np.ndarray:
        """Append the bit sets, each behind its word count; where each begins."""
        bounds = _numbers(tree["cat_boundaries"], np.int64)
        words = _numbers(tree["cat_threshold"], np.uint32)
        sets = [words[a:b] for a, b in itertools.pairwise(bounds)]
        sizes = np.array([len(bits) + 1 for bits in sets])
        offsets = self._words + np.concatenate([[0], np.cumsum(sizes)[:-1]])
        for bits in sets:
            self._parts["categories"] += [np.array([len(bits)], np.uint32), bits]
        self._words += int(sizes.sum())
        return offsets

    def tables(self, output: np.ndarray, base: np.ndarray) -> ForestTables:
        """Everything added so far."""
        arrays = {name: _joined(parts) for name, parts in self._parts.items()}
        return ForestTables.from_arrays(**arrays, roots=np.array(self._roots), output=output, base=base)


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _numbers(text: str, dtype: type) -> np.ndarray:
    return np.fromstring(text, dtype, sep=" ")


def _without_tiny(threshold: np.ndarray) -> np.ndarray:
    """Thresholds for values as they come, where LightGBM first takes |v| <= 1e-35 as zero.

    A threshold in [-1e-35, 0) sends none of them left, one in [0, 1e-35] all of them.
    """
    below = (threshold >= -ZERO_THRESHOLD) & (threshold < 0)
    above = (threshold >= 0) & (threshold <= ZERO_THRESHOLD)
    return np.where(below, np.nextafter(-ZERO_THRESHOLD, -np.inf), np.where(above, ZERO_THRESHOLD, threshold))


def search_tree(sorted_values: np.ndarray) -> ForestTables:
    """One tree that gives, for a value, its position among these: how many of them are smaller (the last at
    most).

    A table of categories is then data that the forest kernel walks, not code that grows with it.
    """
    count = len(sorted_values)
    nodes = list(_halves(0, count))
    feature = np.zeros(len(nodes))
    threshold = np.array([sorted_values[middle - 1] for _, middle, _ in nodes], float)
    place = {(low, high): position for position, (low, _, high) in enumerate(nodes)}
    left = [place.get((low, middle), ~low) for low, middle, _ in nodes]
    right = [place.get((middle, high), ~middle) for _, middle, high in nodes]
    return ForestTables.from_arrays(
        feature=feature, threshold=threshold, left=np.array(left), right=np.array(right),
        flags=np.zeros(len(nodes)), roots=np.array([0 if nodes else ~0]), output=np.zeros(1),
        leaf=np.arange(count), categories=np.zeros(0), base=np.zeros(1),
    )  # fmt: skip


def _halves(low: int, high: int) -> Iterator[tuple[int, int, int]]:
    if high - low > 1:
        middle = (low + high) // 2
        yield low, middle, high
        yield from _halves(low, middle)
        yield from _halves(middle, high)
