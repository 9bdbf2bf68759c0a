"""The rules a graph must keep, checked between all passes under tests.

Nodes are typed at birth, so what is left to check is what a pass could break: that every node is still the
interned one, that its type is what the op table says today, and that a stage's graph holds only its ops.
"""

from __future__ import annotations

from fuse.errors import VerifyError
from fuse.ir.node import Graph, make
from fuse.ir.ops import OPS
from fuse.ir.text import to_text


def verify(graph: Graph, after: str, like: Graph | None = None) -> None:
    """Raise VerifyError, naming the pass and printing the graph, when a rule is broken.

    `like` is the graph before the pass: the outputs must have kept their number and types.
    """
    for node in graph.nodes():
        if node.op not in OPS:
            raise VerifyError(f"after {after}: unknown op {node.op!r} in\n{to_text(graph)}")
        if make(node.op, node.inputs, node.attrs) is not node:
            raise VerifyError(f"after {after}: {node!r} is not interned, in\n{to_text(graph)}")
        if OPS[node.op].infer(tuple(i.type for i in node.inputs), node.attrs) != node.type:
            raise VerifyError(f"after {after}: {node!r} has the wrong type, in\n{to_text(graph)}")
    if like is not None:
        _verify_outputs(graph, like, after)


def _verify_outputs(graph: Graph, like: Graph, after: str) -> None:
    before, now = [n.type for n in like.outputs], [n.type for n in graph.outputs]
    ranks = [(t.dtype, t.rank) for t in before], [(t.dtype, t.rank) for t in now]
    if ranks[0] != ranks[1]:
        raise VerifyError(f"after {after}: the outputs were {before} and are {now}, in\n{to_text(graph)}")
