"""Graphs that know a length only by its symbol: `ones_like(x)` reads nothing of `x`.

Such a program needs an array of that length among its inputs all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fuse.ir.node import Node, walk
from fuse.ir.types import Dim, SizeOf, Symbol


def symbols(shape: Iterable[Dim | None]) -> Iterator[Symbol]:
    """The symbols of a shape."""
    for dim in shape:
        if isinstance(dim, Symbol):
            yield dim
        elif isinstance(dim, SizeOf):
            yield from symbols(dim.operands)


def witnesses(outputs: Sequence[Node], inputs: Iterable[Node], candidates: Iterable[Node]) -> list[Node]:
    """Those candidates whose arrays tell the lengths that the inputs do not."""
    told = {dim for node in inputs for dim in node.shape}
    missing = {dim for node in walk(outputs) for dim in symbols(node.shape)} - told
    found = []
    for node in candidates:
        if not missing:
            break
        if node.op == "input" and not missing.isdisjoint(node.shape):
            missing.difference_update(node.shape)
            found.append(node)
    return found
