"""Is what was recorded worth a plan?

A loop of Python over few elements becomes a graph of thousands of operations. Planning takes longer than
thousands of calls of the function as it was written, and the kernels of so few elements win little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from fuse.ir.interpret import Sizes
from fuse.ir.node import Node, walk
from fuse.ir.types import Shape

LONG = 1000
"""Operations up to which a function is planned whatever its arrays are."""
_FREE = frozenset({
    "input", "constant", "slice", "reshape", "transpose", "broadcast", "bitcast", "update_slice",
})  # fmt: skip


def is_long_and_light(
    wanted: Iterable[Node], inputs: Sequence[Node], arrays: Sequence[Any], few: int
) -> bool:
    """Whether a graph has many operations, and those fewer elements than `few` on average."""
    sizes = Sizes()
    for node, array in zip(inputs, arrays, strict=True):
        sizes.bind(node.shape, array.shape)
    operations = [node for node in walk(wanted) if node.op not in _FREE]
    elements = sum(_elements(node.shape, sizes) for node in operations)
    return len(operations) > LONG and elements < few * len(operations)


def _elements(shape: Shape, sizes: Sizes) -> int:
    """How many; rows whose number the data decides count as one."""
    try:
        return prod(sizes.shape(shape))
    except KeyError:
        return 1
