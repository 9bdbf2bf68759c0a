"""Rebuilding graphs: replace nodes, and everything above them follows. No recursion."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fuse.ir.node import Node, make, walk
from fuse.ir.types import Count, SizeOf, Type


def substitute(outputs: Sequence[Node], replaced: Mapping[Node, Node]) -> list[Node]:
    """The outputs with each key of `replaced` exchanged for its value, unchanged parts shared."""
    return rebuild(outputs, lambda node, inputs: None, replaced)


def rebuild(
    outputs: Sequence[Node],
    rule: Callable[[Node, tuple[Node, ...]], Node | None],
    replaced: Mapping[Node, Node] | None = None,
    recounted: Mapping[Node, Node] | None = None,
) -> list[Node]:
    """Bottom up: `rule(node, new inputs)` gives the new node, or None to keep the op over the new inputs.

    Lengths that count a key of `recounted` count its value instead, while the mask itself stays what it is.
    """
    result: dict[int, Node] = {node.id: other for node, other in (replaced or {}).items()}
    counts: Mapping[int, Node] = result
    if recounted:
        counts = ChainMap({mask.id: other for mask, other in recounted.items()}, result)
    for node in walk(outputs):
        if node.id not in result:
            inputs = tuple([result[i.id] for i in node.inputs])
            result[node.id] = rule(node, inputs) or with_inputs(node, inputs, counts)
    return [result[node.id] for node in outputs]


def with_inputs(node: Node, inputs: tuple[Node, ...], renamed: Mapping[int, Node]) -> Node:
    """The same op over other inputs; the masks that its attributes count are renamed too."""
    if inputs == node.inputs and not node.masks:
        return node
    attrs = {name: _renamed(value, renamed) for name, value in node.attrs.items()}
    if inputs == node.inputs and all(attrs[name] is node.attrs[name] for name in attrs):
        return node
    if node.op == "compress":
        attrs["count"] = _count(inputs[1])
    return make(node.op, inputs, attrs, node.location)


def _count(mask: Node) -> Any:
    from fuse.ir.ops import count_of

    return count_of(mask)


def renamed(value: Any, masks: Mapping[int, Node]) -> Any:
    """A type, shape or attribute whose dimensions count the new masks; itself when nothing changes."""
    return _renamed(value, masks)


def _renamed(value: Any, renamed: Mapping[int, Node]) -> Any:
    if isinstance(value, Count):
        mask = renamed.get(value.mask.id, value.mask)
        return value if mask is value.mask else _count(mask)
    if isinstance(value, SizeOf):
        operands = tuple(_renamed(operand, renamed) for operand in value.operands)
        same = all(a is b for a, b in zip(operands, value.operands, strict=True))
        return value if same else _size(value.function, operands)
    if isinstance(value, Type):
        shape = _renamed(value.shape, renamed)
        return value if shape is value.shape else Type(value.dtype, shape)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        items = tuple(_renamed(item, renamed) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _size(function: str, operands: tuple[Any, ...]) -> Any:
    from fuse.ir.types import size

    return size(function, *operands)
