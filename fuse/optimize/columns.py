"""An analysis: the columns of a matrix, as nodes.

A column is a 1-D node over the rows, or a 0-d node where every row holds the same value. The columns of a
forest or of a narrow product are picked from its result. Left out: a wide product, which BLAS computes as a
whole, and a gathered table.
"""

from __future__ import annotations

import numpy as np

from fuse.ir import build
from fuse.ir.node import Node
from fuse.optimize.match import with_shape

# A matrix that was put together from columns is split up to this width, a plain input up to the smaller one:
# its columns cost a strided read each.
WIDEST_TABLE = 256
WIDEST_INPUT = 32
WIDEST_RESULT = 64
NARROW_DOT = 64 * 64
"""Multiplications a row up to which a matrix product is part of a loop; beyond, BLAS wins by far."""


def width_of(matrix: Node) -> int | None:
    """The number of columns of a matrix, when it is one and the number is known."""
    if len(matrix.shape) != 2 or not isinstance(matrix.shape[1], int):
        return None
    width: int = matrix.shape[1]
    return width


def is_table(node: Node) -> bool:
    """Whether a matrix is a row of columns side by side, not too many."""
    width = width_of(node)
    return node.op == "stack" and node.attrs["axis"] == 1 and width is not None and 0 < width <= WIDEST_TABLE


def is_row_model(node: Node) -> bool:
    """Whether a matrix is the result of a forest or of a narrow product, computed row by row."""
    width = width_of(node)
    if node.op not in ("forest", "dot") or not width or width > WIDEST_RESULT:
        return False
    inner = node.inputs[0].shape[-1]
    return node.op == "forest" or (isinstance(inner, int) and inner * width <= NARROW_DOT)


def parts_of(matrix: Node) -> list[Node] | None:
    """The columns of a table or of the result of a row model; None for any other matrix."""
    if is_table(matrix):
        return list(matrix.inputs)
    if is_row_model(matrix):
        return [build.column(matrix, j) for j in range(width_of(matrix) or 0)]
    return None


def columns_of(matrix: Node) -> list[Node] | None:
    """The columns, when the form of the matrix gives each without computing the others; None otherwise."""
    width = width_of(matrix)
    if not width or width > WIDEST_TABLE:
        return None
    parts = parts_of(matrix)
    if parts is not None:
        return parts
    if matrix.op == "broadcast":
        return _repeated(matrix.inputs[0], matrix, width)
    if matrix.op == "reshape" and matrix.inputs[0].shape == matrix.shape[:1]:
        return [matrix.inputs[0]]
    return None


def _repeated(source: Node, matrix: Node, width: int) -> list[Node] | None:
    """The columns of a broadcast: of a scalar, of a row, or of a single column."""
    if not source.shape:
        return [source] * width
    if source.shape[-1] == 1 or (len(source.shape) == 2 and source.shape[0] != 1):
        column_only = len(source.shape) == 2 and source.shape[0] == matrix.shape[0] and source.shape[1] == 1
        if column_only and source.shape[0] != 1:
            return [build.reshape(source, source.shape[:1])] * width
        if source.shape[-1] != 1:
            return None
        return [build.reshape(source, ())] * width if all(length == 1 for length in source.shape) else None
    row = build.reshape(source, (width,))
    return [element(row, j) for j in range(width)]


def element(row: Node, index: int) -> Node:
    """One element of a 1-D value as a 0-d node."""
    if row.op == "constant":
        return build.constant(row.attrs["value"].array[index], row.dtype)
    if row.op == "stack":
        return row.inputs[index]
    return build.reshape(build.slice_(row, [(index, index + 1, 1)]), ())


def table(columns: list[Node], matrix: Node) -> Node:
    """The columns side by side again, as many rows as `matrix`."""
    return build.stack([with_shape(column, matrix.shape[:1]) for column in columns], 1)


def constant_column(column: Node) -> np.ndarray | None:
    """The 0-d array of a column whose every element is the same constant."""
    while column.op == "broadcast":
        (column,) = column.inputs
    if column.op != "constant" or column.shape:
        return None
    array: np.ndarray = column.attrs["value"].array
    return array
