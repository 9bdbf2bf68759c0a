"""Reductions are spelled one way, so that equal subresults are one node, and do no work that is known.

    %2 = logical_not %0 ; %3 = reduce %2 kind=any    =>    %2 = reduce %0 kind=all ; %3 = logical_not %2

Sharing a pass over the data between different reductions of one column (mean, var, min, max) is the
planner's; equal reductions are one node by interning. What is done here is exact: integers, bools, and order
statistics of values that do not change. Float sums are not regrouped.
"""

from __future__ import annotations

import numpy as np

from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.optimize.match import filled, scalar_source
from fuse.optimize.rules import normalize, rule, rules_of

_DUALS = {"any": "all", "all": "any"}
_IDEMPOTENT = frozenset({"min", "max", "fmin", "fmax", "any", "all"})


def share_reductions(graph: Graph) -> Graph:
    """The graph with reductions in their canonical form."""
    return normalize(graph, RULES)


@rule("reduce")
def reduce_nothing(node: Node) -> Node | None:
    """reduce("max", m, axes=()) => m"""
    return node.inputs[0] if not node.attrs["axes"] and node.inputs[0].type == node.type else None


@rule("reduce")
def reduce_negated_truth(node: Node) -> Node | None:
    """
    reduce("any", logical_not(p)) => logical_not(reduce("all", p))
    reduce("all", logical_not(p)) => logical_not(reduce("any", p))
    """
    (value,) = node.inputs
    dual = _DUALS.get(node.attrs["kind"])
    if dual is None or value.op != "logical_not" or value.inputs[0].dtype != np.dtype(bool):
        return None
    return build.elementwise(
        "logical_not", build.reduce(dual, value.inputs[0], node.attrs["axes"], node.location)
    )


_ON_BOOL = {"min": "all", "max": "any", "fmin": "all", "fmax": "any", "prod": "all", "sum": "any"}


@rule("reduce")
def reduce_truth(node: Node) -> Node | None:
    """
    reduce("max", p) => reduce("any", p)
    reduce("min", p) => reduce("all", p)
    """
    (value,) = node.inputs
    kind = _ON_BOOL.get(node.attrs["kind"])
    if kind is None or value.dtype != np.dtype(bool):
        return None
    return build.reduce(kind, value, node.attrs["axes"], node.location)


@rule("reduce")
def reduce_in_steps(node: Node) -> Node | None:
    """
    reduce("sum", reduce("sum", mi, axes=(0,))) => reduce("sum", mi)
    reduce("any", reduce("any", mp, axes=(1,))) => reduce("any", mp)
    reduce("sum", reduce("sum", f34, axes=(0,))) stays
    """
    (inner,) = node.inputs
    kind = node.attrs["kind"]
    if inner.op != "reduce" or inner.attrs["kind"] != kind or node.dtype.kind not in "biu":
        return None
    (value,) = inner.inputs
    left = [axis for axis in range(len(value.shape)) if axis not in inner.attrs["axes"]]
    axes = {*inner.attrs["axes"], *(left[axis] for axis in node.attrs["axes"])}
    return build.reduce(kind, value, sorted(axes), node.location)


@rule("reduce")
def reduce_repeated_value(node: Node) -> Node | None:
    """
    reduce("max", broadcast(s, 3, 4)) => s
    reduce("max", broadcast(s, 3, 4), axes=(1,)) => broadcast(s, 3)
    reduce("sum", broadcast(i0, 3, 4)) => multiply(i0, 12)
    """
    (value,) = node.inputs
    scalar = scalar_source(value) if value.op == "broadcast" else None
    lengths = [value.shape[axis] for axis in node.attrs["axes"]]
    if scalar is None or not all(isinstance(length, int) and length > 0 for length in lengths):
        return None
    if node.attrs["kind"] in _IDEMPOTENT:
        return build.broadcast(scalar, node.shape)
    times = int(np.prod(lengths, dtype=np.int64))
    if node.attrs["kind"] != "sum" or node.dtype.kind not in "iu" or times > np.iinfo(node.dtype).max:
        return None
    product = build.elementwise("multiply", scalar, filled(times, scalar))
    return build.broadcast(product, node.shape)


RULES = rules_of(globals())
