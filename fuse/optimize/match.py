"""What passes ask about nodes: is it this constant, is it known to be finite, which value repeats along which
axis.

Constants are compared by bits where it matters: -0.0 is not 0.0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Shape

ELEMENTWISE = tuple(SCALAR_OPS)
MAPS = (*ELEMENTWISE, "convert", "bitcast")
# What one constant may hold when a pass makes it; the number stands here and nowhere else.
LARGEST_CONSTANT = 1_000_000


def literal(node: Node) -> np.ndarray | None:
    """The array of a constant, also behind broadcasts (not repeated then); None for anything else."""
    while node.op == "broadcast":
        (node,) = node.inputs
    if node.op != "constant":
        return None
    array: np.ndarray = node.attrs["value"].array
    return array


def is_constant(node: Node, value: float | bool) -> bool:
    """Whether every element is this number, the sign of zero included; False for empty and text constants.

    >>> is_constant(build.constant(-0.0), 0.0)
    False
    """
    array = literal(node)
    if array is None or not array.size or array.dtype.kind not in "biuf":
        return False
    signs = np.signbit(array) == np.signbit(value) if array.dtype.kind == "f" else True
    return bool(np.all((array == value) & signs))


def filled(value: float | bool, node: Node) -> Node:
    """This number in the dtype and shape of `node`."""
    return build.broadcast(build.constant(value, node.dtype), node.shape)


def scalar_source(node: Node) -> Node | None:
    """The 0-d node that every element of `node` repeats; None when there is none."""
    while node.op == "broadcast":
        (node,) = node.inputs
    return node if not node.shape else None


def with_shape(node: Node, shape: Shape) -> Node:
    """A 0-d node repeated to a shape; any other node as it is."""
    return node if node.shape else build.broadcast(node, shape)


def map_like(node: Node, *operands: Node) -> Node:
    """The elementwise op of `node` over other operands."""
    from fuse.ir.node import make

    return make(node.op, operands, node.attrs, node.location)


def map_operands(node: Node, change: Callable[[Node], Node]) -> Node:
    """The elementwise op of `node` over its changed operands; 0-d operands stand for every element and stay.

    >>> x = build.new_input(np.dtype(float), (4,))
    >>> total = build.elementwise("add", x, build.constant(1.0))
    >>> map_operands(total, lambda operand: build.reshape(operand, (2, 2))).shape
    (2, 2)
    """
    return map_like(node, *(change(operand) if operand.shape else operand for operand in node.inputs))


def is_finite(node: Node) -> bool:
    """Whether no element can be NaN or infinite, by the node's own form: integers, bools, and floats made of
    them.
    """
    while node.op in ("reshape", "broadcast", "slice", "transpose", "compress"):
        node = node.inputs[0]
    if node.dtype.kind in "biu":
        return True
    if node.op == "constant":
        return node.dtype.kind == "f" and bool(np.isfinite(node.attrs["value"].array).all())
    if node.op == "select":
        return all(is_finite(operand) for operand in node.inputs[1:])
    if node.op != "convert":
        return False
    (source,) = node.inputs
    # Only float16 is too small for some integer: 65504 is its largest number.
    narrow = source.dtype.kind == "b" or source.dtype.itemsize == 1
    return source.dtype.kind in "biu" and (narrow or node.dtype.itemsize > 2)


def row_of_constants(node: Node, width: int) -> np.ndarray | None:
    """The `width` numbers that every row of a constant matrix holds; None for anything else."""
    array = literal(node)
    if array is None or array.ndim > 2 or array.dtype.kind != "f":
        return None
    if array.ndim == 2:
        if array.shape[0] != 1:
            return None
        array = array[0]
    return np.broadcast_to(array, (width,))
