"""A table is its columns: ops on a matrix made of columns become ops on each column.

    %2 = stack %0 %1 axis=1 : float64[n,2]
    %3 = constant [1.0,2.0] : float64[2]
    %4 = broadcast %3 shape=(n,2) : float64[n,2]
    %5 = multiply %2 %4 : float64[n,2]
=>
    %2 = multiply %0 1.0 : float64[n]
    %3 = multiply %1 2.0 : float64[n]
    %4 = stack %2 %3 axis=1 : float64[n,2]

After this a column that nobody reads is dead, a constant of one column is a scalar, and fusion sees one
domain: rows. A plain matrix is split where a forest or a dot with few weights reads what was computed from
it. Sums along a row become a balanced tree of additions (the order inside a `reduce` is ours); `argmax` along
a row a chain of selects in which the first NaN wins.
"""

from __future__ import annotations

import functools

import numpy as np

from fuse.ir import build
from fuse.ir.node import Graph, Node, walk
from fuse.ir.types import element_count
from fuse.optimize.columns import (
    NARROW_DOT,
    WIDEST_INPUT,
    WIDEST_TABLE,
    columns_of,
    is_row_model,
    is_table,
    parts_of,
    table,
    width_of,
)
from fuse.optimize.match import MAPS, map_like
from fuse.optimize.rules import normalize, rule, rules_of

# Along a row: more columns than this are a reduction of their own kind, not an expression.
_WIDEST_ROW = 64
# Any last axis up to this length is written out; it is too short for a loop of its own.
_SHORT_ROW = 8
# Values of an expression that is written out along an axis; code must not grow without end.
_LONGEST_EXPRESSION = 512


def split_columns(graph: Graph) -> Graph:
    """The graph with tables taken apart into columns."""
    return normalize(graph, RULES)


@rule(*MAPS)
def map_over_table(node: Node) -> Node | None:
    """
    exp(stack(f, g, axis=1)) => stack(exp(f), exp(g), axis=1)
    add(stack(f, g, axis=1), broadcast([1.0, 2.0], 7, 2)) => stack(add(f, 1.0), add(g, 2.0), axis=1)
    add(stack(f, g, axis=1), s) => stack(add(f, s), add(g, s), axis=1)
    multiply(stack(f, g, axis=1), broadcast(make("reshape", h, shape=(7, 1)), 7, 2)) =>
        stack(multiply(f, h), multiply(g, h), axis=1)
    """
    if len(node.shape) != 2 or not any(is_table(x) or is_row_model(x) for x in node.inputs):
        return None
    width = node.shape[1]
    split = [columns_of(operand) if operand.shape else [operand] * width for operand in node.inputs]
    found = [columns for columns in split if columns is not None]
    if len(found) < len(split):
        return None
    return table([map_like(node, *operands) for operands in zip(*found, strict=True)], node)


@rule("concatenate")
def tables_side_by_side(node: Node) -> Node | None:
    """
    concatenate(stack(x, y, axis=1), stack(z, axis=1), axis=1) => stack(x, y, z, axis=1)
    concatenate(make("reshape", x, shape=(7, 1)), make("reshape", y, shape=(7, 1)), axis=1) =>
        stack(x, y, axis=1)
    """
    width = width_of(node)
    if node.attrs["axis"] != 1 or not width or width > WIDEST_TABLE:
        return None
    split = [columns_of(part) for part in node.inputs]
    found = [columns for columns in split if columns is not None]
    if len(found) < len(split) or all(part.op == "broadcast" for part in node.inputs):
        return None
    return table([column for columns in found for column in columns], node)


@rule("transpose")
def transposed_stack(node: Node) -> Node | None:
    """
    make("transpose", stack(x, y, axis=0), axes=(1, 0)) => stack(x, y, axis=1)
    make("transpose", stack(x, y, axis=1), axes=(1, 0)) => stack(x, y, axis=0)
    """
    (inner,) = node.inputs
    if inner.op != "stack" or node.attrs["axes"] != (1, 0):
        return None
    return build.stack(inner.inputs, 1 - inner.attrs["axis"])


@rule("compress")
def filtered_table(node: Node) -> Node | None:
    """compress(stack(x, y, axis=1), p) => stack(compress(x, p), compress(y, p), axis=1)"""
    matrix, mask = node.inputs
    parts = parts_of(matrix)
    if parts is None:
        return None
    return build.stack([build.compress(column, mask) for column in parts], 1)


@rule("reduce")
def reduce_each_column(node: Node) -> Node | None:
    """
    reduce("sum", stack(x, y, axis=1), axes=(0,)) => stack(reduce("sum", x), reduce("sum", y), axis=0)
    reduce("all", stack(p, q, axis=1), axes=(0,)) => stack(reduce("all", p), reduce("all", q), axis=0)
    """
    (matrix,) = node.inputs
    parts = parts_of(matrix)
    if parts is None or node.attrs["axes"] != (0,):
        return None
    return build.stack([build.reduce(node.attrs["kind"], x, location=node.location) for x in parts], 0)


@rule("reduce")
def reduce_whole_table(node: Node) -> Node | None:
    """
    reduce("any", stack(p, q, axis=1), axes=(0, 1)) => logical_or(reduce("any", p), reduce("any", q))
    reduce("max", stack(f, g, axis=1), axes=(0, 1)) => maximum(reduce("max", f), reduce("max", g))
    """
    (matrix,) = node.inputs
    parts = parts_of(matrix)
    if parts is None or node.attrs["axes"] != (0, 1) or node.dtype.kind not in "biuf":
        return None
    return _joined(node, [build.reduce(node.attrs["kind"], x, location=node.location) for x in parts])


_JOINS = {
    "sum": "add", "prod": "multiply", "min": "minimum", "max": "maximum", "fmin": "fmin", "fmax": "fmax",
    "any": "logical_or", "all": "logical_and",
}  # fmt: skip


@rule("reduce")
def reduce_each_row(node: Node) -> Node | None:
    """
    reduce("max", stack(f, g, h, axis=1), axes=(1,)) => maximum(maximum(f, g), h)
    reduce("sum", stack(f64, g, axis=1), axes=(1,)) => add(f64, g)

    float16 is summed in float32, as NumPy does.
    """
    (matrix,) = node.inputs
    parts = parts_of(matrix)
    if parts is None or node.attrs["axes"] != (1,) or len(parts) > _WIDEST_ROW:
        return None
    return _joined(node, parts) if node.dtype.kind in "biuf" else None


def _joined(node: Node, columns: list[Node]) -> Node:
    """Values folded in pairs, as the reduction `node` folds its elements."""
    kind = node.attrs["kind"]
    widened = kind in ("sum", "prod") and node.dtype == np.float16
    columns = [build.convert(column, np.float32) for column in columns] if widened else columns
    join = functools.partial(build.elementwise, _JOINS[kind], location=node.location)
    while len(columns) > 1:
        pairs = [join(*columns[i : i + 2]) for i in range(0, len(columns) - 1, 2)]
        columns = pairs + columns[2 * len(pairs) :]
    return build.convert(columns[0], node.dtype)


@rule("reduce")
def reduce_short_axis(node: Node) -> Node | None:
    """
    reduce("sum", f22, axes=(1,)) => add(column(f22, 0), column(f22, 1))
    reduce("sum", f22, axes=(0,)) stays

    A last axis of a few elements, such as the channels of a picture, is too short for a loop of its own.
    """
    (value,) = node.inputs
    rank = value.type.rank
    if node.attrs["axes"] != (rank - 1,) or node.dtype.kind not in "biuf" or is_table(value):
        return None
    return _joined(node, _along_last_axis(value)) if _is_written_out(value) else None


def _is_written_out(value: Node) -> bool:
    """Whether the last axis is so short that its elements are expressions side by side.

    Of pairs, as in `x[:, None, :] - y[None, :, :]`, it may be longer: they would otherwise all be stored.
    """
    length = value.shape[-1]
    if value.type.rank < 2 or not isinstance(length, int) or not 1 < length <= _WIDEST_ROW:
        return False
    if length <= _SHORT_ROW:
        return True
    computed = [node for node in walk([value]) if node.op in MAPS and node.shape == value.shape]
    pairs = value.type.rank > 2 and value.op in MAPS
    repeats = any(source.op == "broadcast" for node in computed for source in node.inputs)
    return pairs and repeats and length * len(computed) <= _LONGEST_EXPRESSION


def _along_last_axis(value: Node) -> list[Node]:
    rest = [(0, None, 1)] * (value.type.rank - 1)
    length = int(str(value.shape[-1]))
    return [
        build.reshape(build.slice_(value, [*rest, (j, j + 1, 1)]), value.shape[:-1]) for j in range(length)
    ]


@rule("arg_reduce")
def best_column_of_row(node: Node) -> Node | None:
    """
    arg_reduce("argmax", stack(f, axis=1), axis=1) => filled(f, 0, int64)
    arg_reduce("argmax", stack(i, j, axis=1), axis=1) => select(greater(j, i), 1, filled(i, 0, int64))
    """
    (matrix,) = node.inputs
    parts = parts_of(matrix)
    if parts is None or node.attrs["axis"] != 1 or len(parts) > _WIDEST_ROW:
        return None
    return _best_of(node, parts) if matrix.dtype.kind in "biuf" else None


@rule("arg_reduce")
def best_of_short_axis(node: Node) -> Node | None:
    """
    arg_reduce("argmin", f22, axis=1) =>
        select(logical_and(logical_not(greater_equal(column(f22, 1), column(f22, 0))),
        equal(column(f22, 0), column(f22, 0))), 1, filled(column(f22, 0), 0, int64))
    arg_reduce("argmin", f22, axis=0) stays

    Left out: pairs of rows and columns, for which the planner has a loop over the columns.
    """
    (value,) = node.inputs
    rank, length = value.type.rank, value.shape[-1]
    if node.attrs["axis"] != rank - 1 or rank < 2 or value.dtype.kind not in "biuf" or is_table(value):
        return None
    if not isinstance(length, int) or not 1 < length <= _SHORT_ROW or _only_repeats(value):
        return None
    return _best_of(node, _along_last_axis(value))


def _only_repeats(value: Node) -> bool:
    """Whether a value is computed from nothing that has its shape."""
    computed = [node for node in walk([value]) if node.shape == value.shape and node.op in MAPS]
    sources = {source for node in computed for source in node.inputs if source.shape == value.shape}
    return bool(computed) and all(source.op in MAPS or source.op == "broadcast" for source in sources)


def _best_of(node: Node, columns: list[Node]) -> Node:
    """The place of the best column, the first of equal ones."""
    best, *others = columns
    position = build.broadcast(build.constant(0, node.dtype), node.shape)
    for index, column in enumerate(others, 1):
        wins = _wins(column, best, node.attrs["kind"])
        position = build.elementwise("select", wins, build.constant(index, node.dtype), position)
        best = build.elementwise("select", wins, column, best)
    return position


def _wins(column: Node, best: Node, kind: str) -> Node:
    """Strictly better, or the first NaN: a NaN beats anything but an earlier NaN."""
    if column.dtype.kind != "f":
        return build.elementwise("greater" if kind == "argmax" else "less", column, best)
    # Not (column <= best) is column > best or a NaN on either side; what is left is that best must not be the
    # NaN.
    worse = build.elementwise("less_equal" if kind == "argmax" else "greater_equal", column, best)
    has_value = build.elementwise("equal", best, best)
    return build.elementwise("logical_and", build.elementwise("logical_not", worse), has_value)


@rule("arg_reduce")
def best_row_of_column(node: Node) -> Node | None:
    """
    arg_reduce("argmin", stack(x, y, axis=1), axis=0) =>
        stack(arg_reduce("argmin", x, axis=0), arg_reduce("argmin", y, axis=0), axis=0)
    """
    (matrix,) = node.inputs
    if not is_table(matrix) or node.attrs["axis"] != 0:
        return None
    return build.stack([build.arg_reduce(node.attrs["kind"], x, 0, node.location) for x in matrix.inputs], 0)


@rule("forest")
def computed_features(node: Node) -> Node | None:
    """
    forest(exp(f22)) => forest(stack(exp(column(f22, 0)), exp(column(f22, 1)), axis=1))
    forest(f22) stays
    """
    (features,) = node.inputs
    width = width_of(features)
    if features.op not in MAPS or not width or width > WIDEST_INPUT:
        return None
    return build.forest(_split(features, width), node.attrs["tables"], node.location)


@rule("dot")
def computed_factors(node: Node) -> Node | None:
    """
    dot(exp(f22), [1.0, 2.0]) => dot(stack(exp(column(f22, 0)), exp(column(f22, 1)), axis=1), [1.0, 2.0])
    dot(exp(f22), f22) => dot(stack(exp(column(f22, 0)), exp(column(f22, 1)), axis=1), f22)
    dot(f22, [1.0, 2.0]) stays
    """
    features, weights = node.inputs
    width = width_of(features)
    if features.op not in MAPS or not _is_small_table(weights) or not width or width > WIDEST_INPUT:
        return None
    return build.dot(_split(features, width), weights, node.location)


def _is_small_table(weights: Node) -> bool:
    """Whether a product by these weights is part of a loop over rows."""
    size = element_count(weights.shape)
    return weights.op == "constant" or (
        weights.op == "input" and isinstance(size, int) and size <= NARROW_DOT
    )


def _split(features: Node, width: int) -> Node:
    """One level: each column is the op over picked columns, which `push_slices` moves towards the inputs."""
    split = [
        [operand] * width if not operand.shape else _picked(operand, width) for operand in features.inputs
    ]
    return table([map_like(features, *operands) for operands in zip(*split, strict=True)], features)


def _picked(matrix: Node, width: int) -> list[Node]:
    return columns_of(matrix) or [build.column(matrix, j) for j in range(width)]


@rule("reshape")
def single_column(node: Node) -> Node | None:
    """make("reshape", stack(x, axis=1), shape=(7,)) => x"""
    (matrix,) = node.inputs
    return matrix.inputs[0] if is_table(matrix) and matrix.inputs[0].shape == node.shape else None


RULES = rules_of(globals())
