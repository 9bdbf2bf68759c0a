"""What things cost, in rough machine operations per element and bytes, and the constants of the machine."""

from __future__ import annotations

from fuse.ir.node import Node
from fuse.ir.scalar_ops import SCALAR_OPS

OPERATION_NS = 0.04
"""One vectorised operation on one element, on one thread."""
BYTE_NS = 0.035
"""One byte streamed from or to memory."""
WAKE_NS = 45_000.0
"""Waking a thread."""
RECOMPUTE_LIMIT = 24.0
"""Operations that are cheaper to repeat than to store and load an element (16 bytes, plus the page fault)."""
TREE_OPERATIONS = 30.0
PAIR_OPERATIONS = 100.0
"""Of a row against all columns of an outer form, whose number may not be known."""


def operation_cost(node: Node) -> float:
    """Operations per element of this op alone."""
    if node.op in SCALAR_OPS:
        scale = 2.0 if node.dtype.itemsize == 8 else 1.0
        return SCALAR_OPS[node.op].cost * scale
    if node.op == "forest":
        return TREE_OPERATIONS * float(node.attrs["tables"].tree_count)
    if node.op == "dot":
        return float(_columns(node.inputs[1]) * _length(node.inputs[1]))
    return {
        "scan": RECOMPUTE_LIMIT + 1,
        "gather": 6.0,
        "compress": 3.0,
        "convert": 1.0,
        "arg_reduce": PAIR_OPERATIONS,
    }.get(node.op, 0.0)


def _columns(matrix: Node) -> int:
    return int(matrix.shape[1]) if matrix.type.rank == 2 and isinstance(matrix.shape[1], int) else 1


def _length(matrix: Node) -> int:
    return int(matrix.shape[0]) if isinstance(matrix.shape[0], int) else 1
