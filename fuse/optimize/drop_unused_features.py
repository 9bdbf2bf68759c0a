"""Features that no split tests, and columns whose weight is zero, are not computed and not read.

    forest(stack(a, b, c)), trees that test column 2   =>   forest(stack(c)), trees that test column 0

A column that stands twice in the matrix is kept once. A zero weight is dropped only where the column is known
to be finite (bools, integers): 0 * NaN is NaN, and the library says so too.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fuse.ir import build
from fuse.ir.forest import ForestTables
from fuse.ir.node import ConstantArray, Graph, Node
from fuse.optimize.match import filled, is_finite
from fuse.optimize.notes import note
from fuse.optimize.rules import normalize, rule, rules_of


def drop_unused_features(graph: Graph) -> Graph:
    """The graph without the columns that no model reads."""
    return normalize(graph, RULES)


@rule("forest")
def features_without_split(node: Node) -> Node | None:
    """forest(f22) stays"""
    (features,) = node.inputs
    if features.op != "stack" or features.attrs["axis"] != 1:
        return None
    tables: ForestTables = node.attrs["tables"]
    columns = features.inputs
    tested = [columns[int(position)] for position in tables.used_features()] or [columns[0]]
    kept = list(dict.fromkeys(tested))
    if len(kept) == len(columns):
        return None
    places = {column: place for place, column in enumerate(kept)}
    renumbered = np.array([places.get(column, 0) for column in columns], np.int32)[tables.feature.array]
    note(f"{len(columns) - len(kept)} of {len(columns)} features are tested by no split")
    return build.forest(
        build.stack(kept, 1), dataclasses.replace(tables, feature=ConstantArray(renumbered)), node.location
    )


@rule("dot")
def columns_without_weight(node: Node) -> Node | None:
    """
    dot(stack(convert(p, float64), f64, axis=1), [0.0, 2.0]) => dot(stack(f64, axis=1), [2.0])
    dot(stack(f64, g, axis=1), [0.0, 2.0]) stays
    """
    features, weights = node.inputs
    if features.op != "stack" or features.attrs["axis"] != 1 or weights.op != "constant":
        return None
    array = weights.attrs["value"].array
    weighted = np.any(array.reshape(array.shape[0], -1) != 0, axis=1)
    kept = [j for j, column in enumerate(features.inputs) if weighted[j] or not is_finite(column)]
    if len(kept) == len(features.inputs):
        return None
    note(f"{len(features.inputs) - len(kept)} columns have no weight")
    if not kept:
        return filled(0, node)
    return build.dot(
        build.stack([features.inputs[j] for j in kept], 1), build.constant(array[kept]), node.location
    )


RULES = rules_of(globals())
