"""Ops are done before their operands are repeated, and scalars are not repeated at all.

    %2 = broadcast %0 shape=(n) : float64[n]          (%0 and %1 are 0-d)
    %3 = multiply %2 %1 : float64[n]
=>
    %2 = multiply %0 %1 : float64[]
    %3 = broadcast %2 shape=(n) : float64[n]

An elementwise op takes 0-d operands as they are, so a repeated scalar beside a whole operand is dropped.
"""

from __future__ import annotations

from fuse.ir import build
from fuse.ir.node import Graph, Node, make
from fuse.optimize.match import ELEMENTWISE, MAPS, map_like, scalar_source
from fuse.optimize.rules import normalize, rule, rules_of


def sink_broadcasts(graph: Graph) -> Graph:
    """The graph with broadcasts moved towards the outputs."""
    return normalize(graph, RULES)


@rule("broadcast")
def broadcast_twice(node: Node) -> Node | None:
    """broadcast(broadcast(m, 2, 3, 4), 5, 2, 3, 4) => broadcast(m, 5, 2, 3, 4)"""
    (inner,) = node.inputs
    return build.broadcast(inner.inputs[0], node.shape) if inner.op == "broadcast" else None


@rule("broadcast")
def broadcast_to_same(node: Node) -> Node | None:
    """make("broadcast", m, shape=(3, 4)) => m"""
    (value,) = node.inputs
    return value if value.shape == node.shape else None


@rule(*ELEMENTWISE)
def drop_repeated_scalar(node: Node) -> Node | None:
    """add(m, broadcast(s, 3, 4)) => add(m, s)"""
    scalars = [scalar_source(operand) if operand.op == "broadcast" else None for operand in node.inputs]
    kept = [scalar or operand for scalar, operand in zip(scalars, node.inputs, strict=True)]
    if not any(scalars) or all(not operand.shape for operand in kept):
        return None
    return map_like(node, *kept)


@rule(*MAPS)
def map_before_broadcast(node: Node) -> Node | None:
    """
    add(broadcast(s, 3, 4), broadcast(t, 3, 4)) => broadcast(add(s, t), 3, 4)
    add(broadcast(v, 5, n), broadcast(w, 5, n)) => broadcast(add(v, w), 5, n)
    add(broadcast(v, 5, n), s) => broadcast(add(v, s), 5, n)
    negative(broadcast(v, 5, n)) => broadcast(negative(v), 5, n)
    """
    sources = [operand.inputs[0] if operand.op == "broadcast" else operand for operand in node.inputs]
    if not any(operand.op == "broadcast" for operand in node.inputs):
        return None
    if any(operand.shape and operand.op != "broadcast" for operand in node.inputs):
        return None
    if len({source.shape for source in sources if source.shape}) > 1:
        return None
    return make("broadcast", (map_like(node, *sources),), {"shape": node.shape}, node.location)


RULES = rules_of(globals())
