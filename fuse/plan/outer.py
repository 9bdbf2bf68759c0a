"""Matrices that pair every row with every column, folded without being stored.

    distance[i, k] = f(x[i], y[i], …, c[k], d[k], …)          nearest[i] = argmin over k of distance[i, k]

Each element combines values that repeat along the row with values that repeat along the column, so the rows
can be the lanes of a vector loop and the columns a loop inside it over small arrays in memory, whatever their
number. Left out: matrices with an operand of their own shape, whose elements lie the wrong way for such a
loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fuse.ir import build
from fuse.ir.node import Node, walk
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Count, Dim

LONGEST_BODY = 1024
"""Values of an element's computation up to which it is one loop body; code must not grow without end."""


@dataclass(frozen=True)
class Outer:
    """body: what an element is computed from, operands first, the last one is the element; rows, columns,
    scalars: for those of its nodes that are no computation, the 1-D or 0-d node to read.
    """

    body: tuple[Node, ...]
    rows: dict[Node, Node]
    columns: dict[Node, Node]
    scalars: dict[Node, Node]


def outer_form(matrix: Node, can_emit: Callable[[Node], bool]) -> Outer | None:
    """How a matrix pairs rows with columns; None when it does not, or when `can_emit` refuses a step."""
    if matrix.type.rank != 2 or isinstance(matrix.shape[1], Count):
        return None
    found = Outer((), {}, {}, {})
    body: list[Node] = []

    def computes(node: Node) -> bool:
        return node.shape == matrix.shape and (node.op in SCALAR_OPS or node.op == "convert")

    for node in walk([matrix], lambda node: node.inputs if computes(node) else ()):
        if node.dtype == np.float16 or node.dtype.kind == "c":
            return None
        if computes(node):
            if not can_emit(node):
                return None
        elif not _is_repeated(node, matrix, found):
            return None
        body.append(node)
        if len(body) > LONGEST_BODY:
            return None
    if not (found.rows and found.columns):
        return None
    return Outer(tuple(body), found.rows, found.columns, found.scalars)


def _is_repeated(node: Node, matrix: Node, found: Outer) -> bool:
    """Sort an operand of the computation by the axis that it is repeated along."""
    if not node.shape:
        found.scalars[node] = node
        return True
    if node.op != "broadcast" or node.shape != matrix.shape:
        return False
    (source,) = node.inputs
    lengths: tuple[Dim, ...] = (1,) * (2 - len(source.shape)) + source.shape
    if lengths == (1, 1):
        found.scalars[node] = _flattened(source, ())
    elif lengths[1] == 1:
        found.rows[node] = _flattened(source, lengths[:1])
    elif lengths[0] == 1:
        found.columns[node] = _flattened(source, lengths[1:])
    else:
        return False
    return True


def _flattened(source: Node, shape: tuple[Dim, ...]) -> Node:
    while source.op == "reshape" and source.shape != shape:
        (source,) = source.inputs
    return build.reshape(source, shape)


def is_ordered(dtype: np.dtype) -> bool:
    """Whether values of this dtype have a least and a greatest one that code can start from."""
    return dtype.kind in "biu" or dtype in (np.float32, np.float64)
