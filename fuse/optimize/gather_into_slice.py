"""A gather by evenly spaced positions is a slice, which is a view and costs nothing.

    %1 = iota dtype=int64 length=320 : int64[320]
    %2 = constant 2 : int64[]
    %3 = multiply %1 %2 : int64[320]
    %4 = gather %0 %3 mode=raise : uint8[320,3]
=>
    %1 = slice %0 slices=((0,640,2),(0,None,1)) : uint8[320,3]

This is how a picture is resized: every n-th row by an index array. Left out: positions that the data decide,
a table of unknown length (the positions could lie outside it), and repeated or uneven positions.
"""

from __future__ import annotations

import numpy as np

from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Graph, Node, walk
from fuse.optimize.match import LARGEST_CONSTANT
from fuse.optimize.rules import normalize, rule, rules_of

_LARGEST_EXPRESSION = 32


def gather_into_slice(graph: Graph) -> Graph:
    """The graph with gathers by evenly spaced positions replaced by slices."""
    return normalize(graph, RULES)


@rule("gather")
def evenly_spaced(node: Node) -> Node | None:
    """
    gather(f, multiply(iota(3), 2)) => f[0:5:2]
    gather(f, subtract(4, iota(2))) => f[4:2:-1]
    gather(f, multiply(iota(3), 0)) stays
    """
    table, index = node.inputs
    length = table.shape[0]
    positions = _positions(index) if isinstance(length, int) else None
    if positions is None or positions.min() < 0 or positions.max() >= length:
        return None
    steps = np.diff(positions)
    step = int(steps[0]) if steps.size else 1
    if step == 0 or (steps != step).any():
        return None
    first, behind = int(positions[0]), int(positions[-1]) + (1 if step > 0 else -1)
    bounds = (first, behind if behind >= 0 else None, step)
    return build.slice_(table, [bounds, *[(0, None, 1)] * (table.type.rank - 1)])


def _positions(index: Node) -> np.ndarray | None:
    """The values of an index that depends on no input and is not too long."""
    if index.type.rank != 1 or not isinstance(index.shape[0], int):
        return None
    if not 0 < index.shape[0] <= LARGEST_CONSTANT:
        return None
    nodes = []
    for node in walk([index]):
        nodes.append(node)
        if node.op in ("input", "opaque") or len(nodes) > _LARGEST_EXPRESSION:
            return None
    return np.asarray(interpret([index], {})[0]).astype(np.int64)


RULES = rules_of(globals())
