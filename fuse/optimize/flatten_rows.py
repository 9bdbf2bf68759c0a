"""What surrounds a product of rows is computed on rows too: a matrix, whatever axes the array had.

    %1 = multiply %0 %s : float64[h,w,3]                      %1 = reshape %0 shape=(h*w,3) : float64[h*w,3]
    %2 = reshape %1 shape=(h*w,3) : float64[h*w,3]            %2 = multiply %1 %s : float64[h*w,3]
    %4 = dot %2 %3 : float64[h*w,3]                     =>    %4 = dot %2 %3 : float64[h*w,3]
    %5 = reshape %4 shape=(h,w,3) : float64[h,w,3]            %5 = arg_reduce %4 axis=1 : int64[h*w]
    %6 = arg_reduce %5 axis=2 : int64[h,w]                    %6 = reshape %5 shape=(h,w) : int64[h,w]

A picture times a matrix of colours is such a product: its columns then stand side by side in one loop. A
reshape of memory is a view and costs nothing. Left out: an operand that repeats along some of the row axes
only.
"""

from __future__ import annotations

from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.ir.types import Shape
from fuse.optimize.match import ELEMENTWISE, MAPS, map_like
from fuse.optimize.rules import normalize, rule, rules_of

_LONGEST_CHAIN = 64
"""Maps in front of a product that are moved at once."""


def flatten_rows(graph: Graph) -> Graph:
    """The graph with the maps around products of rows on matrices."""
    return normalize(graph, RULES)


@rule("dot")
def maps_of_rows(node: Node) -> Node | None:
    """
    dot(make("reshape", sqrt(f234), shape=(6, 4)), f43) => dot(sqrt(make("reshape", f234, shape=(6, 4))), f43)
    dot(make("reshape", add(f234, broadcast(f4, 2, 3, 4)), shape=(6, 4)), f43) =>
        dot(add(make("reshape", f234, shape=(6, 4)), broadcast(f4, 6, 4)), f43)
    dot(make("reshape", f234, shape=(6, 4)), f43) stays
    """
    left, right = node.inputs
    if left.op != "reshape" or not _joins_rows(left.inputs[0].shape, left.shape):
        return None
    flat = _on_rows(left.inputs[0], left.shape, _LONGEST_CHAIN)
    return None if flat is None else build.dot(flat, right, node.location)


@rule("arg_reduce", "reduce")
def fold_of_rows(node: Node) -> Node | None:
    """
    arg_reduce("argmax", make("reshape", dot(f34, f43), shape=(1, 3, 3)), axis=2) =>
        make("reshape", arg_reduce("argmax", dot(f34, f43), axis=1), shape=(1, 3))
    reduce("max", make("reshape", dot(f34, f43), shape=(1, 3, 3)), axes=(2,)) =>
        make("reshape", reduce("max", dot(f34, f43), axes=(1,)), shape=(1, 3))
    reduce("max", make("reshape", dot(f34, f43), shape=(1, 3, 3)), axes=(1,)) stays
    """
    (value,) = node.inputs
    rows = _rows_behind(value)
    axes = node.attrs["axes"] if node.op == "reduce" else (node.attrs["axis"],)
    if rows is None or tuple(axes) != (value.type.rank - 1,):
        return None
    kind = node.attrs["kind"]
    if node.op == "reduce":
        folded = build.reduce(kind, rows, (1,), node.location)
    else:
        folded = build.arg_reduce(kind, rows, 1, node.location)
    return build.reshape(folded, node.shape)


@rule(*ELEMENTWISE)
def map_behind_rows(node: Node) -> Node | None:
    """
    add(make("reshape", dot(f34, f43), shape=(1, 3, 3)), broadcast(f3, 1, 3, 3)) =>
        make("reshape", add(dot(f34, f43), broadcast(f3, 3, 3)), shape=(1, 3, 3))
    sqrt(make("reshape", dot(f34, f43), shape=(1, 3, 3))) =>
        make("reshape", sqrt(dot(f34, f43)), shape=(1, 3, 3))
    add(make("reshape", dot(f34, f43), shape=(1, 3, 3)), f133) stays
    """
    found = [_rows_behind(operand) for operand in node.inputs]
    shapes = {rows.shape for rows in found if rows is not None}
    if len(shapes) != 1:
        return None
    (shape,) = shapes
    operands = [
        rows or _repeated_row(operand, shape) for rows, operand in zip(found, node.inputs, strict=True)
    ]
    if any(operand is None for operand in operands):
        return None
    mapped = map_like(node, *(operand for operand in operands if operand is not None))
    return build.reshape(mapped, node.shape)


def _joins_rows(shape: Shape, matrix: Shape) -> bool:
    """Whether a matrix has the rows of an array of more axes."""
    return len(shape) > 2 == len(matrix) and shape[-1] == matrix[-1]


def _rows_behind(value: Node) -> Node | None:
    """The matrix computed from a product whose rows were given more axes."""
    if value.op != "reshape" or not _joins_rows(value.shape, value.inputs[0].shape):
        return None
    return value.inputs[0] if _comes_from_product(value.inputs[0]) else None


def _comes_from_product(matrix: Node) -> bool:
    for _ in range(_LONGEST_CHAIN):
        if matrix.op not in MAPS:
            break
        matrix = next((operand for operand in matrix.inputs if operand.shape), matrix)
    return matrix.op in ("dot", "stack") and matrix.type.rank == 2


def _on_rows(value: Node, shape: Shape, budget: int) -> Node | None:
    """A map of arrays as one of matrices; None for what is no map."""
    if value.op not in MAPS or not budget:
        return None
    operands = []
    for operand in value.inputs:
        row = _repeated_row(operand, shape)
        if row is None and (operand.op == "broadcast" or operand.shape != value.shape):
            return None
        operands.append(row or _on_rows(operand, shape, budget - 1) or build.reshape(operand, shape))
    return map_like(value, *operands)


def _repeated_row(operand: Node, shape: Shape) -> Node | None:
    """A scalar, or one row for all rows of the matrix."""
    if not operand.shape:
        return operand
    if operand.op != "broadcast":
        return None
    (source,) = operand.inputs
    if not source.shape:
        return build.broadcast(source, shape)
    if source.shape[-1] != shape[-1] or any(length != 1 for length in source.shape[:-1]):
        return None
    return build.broadcast(build.reshape(source, shape[-1:]), shape)


RULES = rules_of(globals())
