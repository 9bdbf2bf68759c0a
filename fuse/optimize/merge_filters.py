"""A chain of filters becomes one mask over the original rows and one `compress` for each column that
survives.

    %3 = compress %0 %1 : float64[count(%1)]
    %4 = less %3 %2 : bool[count(%1)]                (%2 is 0-d)
    %5 = compress %3 %4 : float64[count(%4)]
=>
    %3 = less %0 %2 : bool[n]
    %4 = logical_and %1 %3 : bool[n]
    %5 = compress %0 %4 : float64[count(%4)]

The second mask is lifted: elementwise over filtered columns and scalars, it is the same function over the
whole columns. What is computed between the filters stays behind the (now single) filter. A chain is left
alone when its second mask or any value it filters depends on the filtered rows as a whole (a gather, a dot,
an order), because a filtered and a merged value would then have lengths that are equal but not known to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fuse.ir import build
from fuse.ir.node import Graph, Node, make
from fuse.ir.ops import count_of
from fuse.ir.rewrite import rebuild
from fuse.ir.types import Count
from fuse.optimize.match import MAPS, map_like
from fuse.optimize.notes import note
from fuse.optimize.rules import pinned


def merge_filters(graph: Graph) -> Graph:
    """The graph with chains of filters merged, the innermost pair first."""
    refused: set[Node] = set(pinned(graph))
    while True:
        merge = _next_merge(graph, refused)
        if merge is None:
            return graph
        graph = Graph(
            tuple(rebuild(graph.outputs, lambda node, inputs: None, merge.replaced, {merge.mask: merge.both}))
        )
        note("filters merged into one mask")


@dataclass(frozen=True)
class _Merge:
    """The second mask of a chain, the mask that stands for both, and what the values it filters become."""

    mask: Node
    both: Node
    replaced: dict[Node, Node]


@dataclass(frozen=True)
class _Chain:
    """Two filters in a row, and what was found for the nodes between them; None when it cannot move."""

    first: Node
    second: Node
    lifted: dict[Node, Node | None] = field(default_factory=dict)
    dense: dict[Node, Node | None] = field(default_factory=dict)


def _next_merge(graph: Graph, refused: set[Node]) -> _Merge | None:
    """The first chain that can be merged; masks that cannot are added to `refused`."""
    filtered: dict[Node, list[Node]] = {}
    for node in graph.nodes():
        if node.op == "compress" and _first_mask(node.inputs[1]) is not None:
            filtered.setdefault(node.inputs[1], []).append(node)
    for mask, users in filtered.items():
        if mask not in refused:
            merge = _merge(mask, users)
            if merge is not None:
                return merge
            refused.add(mask)
    return None


def _first_mask(mask: Node) -> Node | None:
    """The mask whose survivors this mask looks at."""
    (rows,) = mask.shape
    return rows.mask if isinstance(rows, Count) else None


def _merge(mask: Node, users: list[Node]) -> _Merge | None:
    first = _first_mask(mask)
    assert first is not None
    chain = _Chain(first, mask)
    whole = _moved(mask, chain.lifted, lambda node: _lift(node, chain))
    if whole is None or whole.shape != first.shape:
        return None
    both = build.elementwise("logical_and", first, whole, location=mask.location)
    replaced = {}
    for user in users:
        dense = _moved(user.inputs[0], chain.dense, lambda node: _filter(node, chain, both))
        if dense is None:
            return None
        replaced[user] = dense
    return _Merge(mask, both, replaced)


def _moved(root: Node, found: dict[Node, Node | None], move: Callable[[Node], Node | None]) -> Node | None:
    """`move` applied bottom up to the elementwise ops above the filters; no recursion."""
    stack = [root]
    while stack:
        node = stack[-1]
        missing = [source for source in node.inputs if source not in found] if _is_between(node) else []
        if node in found or not missing:
            stack.pop()
            if node not in found:
                found[node] = move(node)
        else:
            stack.extend(missing)
    return found[root]


def _is_between(node: Node) -> bool:
    return node.op in MAPS or (node.op == "stack" and node.attrs["axis"] > 0)


def _lift(node: Node, chain: _Chain) -> Node | None:
    """The value over the rows before the first filter, whose survivors are `node`."""
    if not node.shape or node.op == "constant":
        return None if node.shape else node
    if node.op == "compress":
        return node.inputs[0] if node.inputs[1] is chain.first else None
    if node.op == "broadcast":
        (source,) = node.inputs
        rows = chain.first.shape + node.shape[1:]
        return build.broadcast(source, rows) if not source.shape or len(source.shape) < len(rows) else None
    return _over(node, [chain.lifted[source] for source in node.inputs]) if _is_between(node) else None


def _filter(node: Node, chain: _Chain, both: Node) -> Node | None:
    """The value behind both filters, of which `node` is the one behind the first."""
    if not node.shape:
        return node
    if node.op == "compress":
        return build.compress(node.inputs[0], both) if node.inputs[1] is chain.first else None
    if node.op == "broadcast":
        (source,) = node.inputs
        rows = count_of(both), *node.shape[1:]
        return build.broadcast(source, rows) if len(source.shape) < len(rows) else None
    return _over(node, [chain.dense[source] for source in node.inputs]) if _is_between(node) else None


def _over(node: Node, operands: list[Node | None]) -> Node | None:
    found = [operand for operand in operands if operand is not None]
    if len(found) < len(operands):
        return None
    return make("stack", found, node.attrs, node.location) if node.op == "stack" else map_like(node, *found)
