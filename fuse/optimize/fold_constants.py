"""Ops over nothing but constants are computed now, by the interpreter.

    %0 = constant [1.0,2.0] : float64[2]
    %1 = constant 3.0 : float64[]
    %2 = multiply %0 %1 : float64[2]
    return %2
=>
    %0 = constant [3.0,6.0] : float64[2]
    return %0

Left out: `opaque` (it runs exactly once, at run time), `forest` (the tables are code for a kernel),
`broadcast` and `iota` (their short form is worth more than their elements), and results too large to carry
around.
"""

from __future__ import annotations

import numpy as np

from fuse.ir import build
from fuse.ir.interpret import Sizes, evaluate
from fuse.ir.node import Graph, Node
from fuse.ir.ops import OPS
from fuse.optimize.match import LARGEST_CONSTANT
from fuse.optimize.rules import normalize, rule, rules_of

_FOLDED = tuple(
    name for name, op in OPS.items() if op.kind != "source" and name not in {"opaque", "forest", "broadcast"}
)


def fold_constants(graph: Graph) -> Graph:
    """The graph with constant subexpressions evaluated."""
    return normalize(graph, RULES)


@rule(*_FOLDED)
def evaluate_constants(node: Node) -> Node | None:
    """
    multiply([1.0, 2.0], 3.0) => [3.0, 6.0]
    convert([1.5, -2.5], int64) => [1, -2]
    multiply(f, 3.0) stays
    """
    if any(operand.op != "constant" for operand in node.inputs):
        return None
    if not all(isinstance(length, int) for length in node.shape) or np.prod(node.shape) > LARGEST_CONSTANT:
        return None
    with np.errstate(all="ignore"):
        value = _evaluated(node)
    return None if value is None else build.constant(value)


def _evaluated(node: Node) -> np.ndarray | None:
    """A gather out of range is left for run time, where it raises what it should."""
    try:
        return evaluate(node, [operand.attrs["value"].array for operand in node.inputs], Sizes())
    except IndexError:
        return None


@rule("broadcast")
def broadcast_of_one_value(node: Node) -> Node | None:
    """
    broadcast([[2.0, 2.0]], 3, 2) => broadcast(2.0, 3, 2)
    broadcast([1.0, 2.0], 3, 2) stays
    """
    (source,) = node.inputs
    if source.op != "constant" or not source.shape or source.dtype.kind == "T":
        return None
    first = source.attrs["value"].array.reshape(-1)[:1]
    if (
        not first.size
        or source.attrs["value"].array.tobytes() != first.tobytes() * source.attrs["value"].array.size
    ):
        return None
    return build.broadcast(build.constant(first[0], source.dtype), node.shape)


RULES = rules_of(globals())
