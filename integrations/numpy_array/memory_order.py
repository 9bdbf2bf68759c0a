"""In which order NumPy would lay out the elements of an array that is not computed yet.

Results of ours are in C order; those of NumPy keep the order of their operands. Whether `ravel` or `reshape`
gives a view or a copy hangs on that, and with it which arrays see a later write. So this follows a graph as
NumPy would: views have the strides of views, an elementwise result the order that NumPy's own iterator
chooses, everything else C order. Arguments of a recording are what they are in its first call; a plan in
which it matters serves calls with arguments in C order only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from fuse.integrations.capture.values import known
from fuse.ir.node import Node, dependencies, walk
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Shape

Order = tuple[int, ...]
Strides = tuple[int, ...]
_OPEN = 5
"""What a length is taken for that is not known."""

_strides: weakref.WeakKeyDictionary[Node, Strides] = weakref.WeakKeyDictionary()


def order_of(node: Node) -> Order | None:
    """The axes of a value from the slowest to the fastest in memory; None for a vector."""
    if node.type.rank < 2:
        return None
    for each in walk([node], lambda n: () if n in _strides else dependencies(n)):
        if each not in _strides:
            _strides[each] = _RULES.get(each.op, _in_c_order)(each)
    return _order(_numbers(node.shape), _strides[node])


def order_of_array(array: np.ndarray) -> Order | None:
    """The same of an array."""
    return None if array.ndim < 2 else _order(array.shape, array.strides)


def remember(node: Node, order: Order) -> None:
    """A node stands for an array that NumPy would have in this order."""
    _strides[node] = contiguous(_numbers(node.shape), order)


def contiguous(shape: Sequence[int], order: Order | None) -> Strides:
    """Strides, in elements, of an array without gaps whose axes are in this order."""
    strides, width = [0] * len(shape), 1
    for axis in reversed(order if order is not None else range(len(shape))):
        strides[axis] = width
        width *= max(shape[axis], 1)
    return tuple(strides)


def laid_out(array: np.ndarray, order: Order) -> np.ndarray:
    """The array's elements in memory of this order."""
    back = tuple(int(axis) for axis in np.argsort(order))
    return np.ascontiguousarray(array.transpose(order)).transpose(back)


def _order(shape: Sequence[int], strides: Strides) -> Order:
    """Axes of one element stay where they are."""
    order = list(range(len(shape)))
    long = [axis for axis in order if shape[axis] != 1]
    ranked = sorted(long, key=lambda axis: -abs(strides[axis]))
    for place, axis in zip(long, ranked, strict=True):
        order[place] = axis
    return tuple(order)


def _numbers(shape: Shape) -> tuple[int, ...]:
    return tuple(dim if isinstance(dim, int) else _OPEN for dim in shape)


def _in_c_order(node: Node) -> Strides:
    return contiguous(_numbers(node.shape), None)


def _input(node: Node) -> Strides:
    array = known(node)
    return array.strides if isinstance(array, np.ndarray) else _in_c_order(node)


def _elementwise(node: Node) -> Strides:
    """What NumPy's iterator allocates: asked with operands of two elements along each axis."""
    shape = _numbers(node.shape)
    operands = [(_numbers(source.shape), _strides[source]) for source in node.inputs if source.shape]
    if all(_order(dims, strides) == tuple(range(len(dims))) for dims, strides in operands):
        return contiguous(shape, None)
    small = [
        as_strided(np.empty(1, np.int8), [min(dim, 2) for dim in dims], strides) for dims, strides in operands
    ]
    flags = [*([["readonly"]] * len(small)), ["writeonly", "allocate"]]
    iterator = np.nditer([*small, None], ["zerosize_ok"], flags, [np.dtype(np.int8)] * (len(small) + 1))  # type: ignore[arg-type]  # None asks for an output
    found = iterator.operands[-1]
    return contiguous(shape, _order(shape, found.strides))


def _concatenated(node: Node) -> Strides:
    shape = _numbers(node.shape)
    return contiguous(shape, _order(shape, _strides[node.inputs[0]]))


def _reduced(node: Node) -> Strides:
    (source,) = node.inputs
    kept = [axis for axis in range(source.type.rank) if axis not in node.attrs["axes"]]
    shape = _numbers(node.shape)
    return contiguous(shape, _order(shape, tuple(_strides[source][axis] for axis in kept)))


def _transposed(node: Node) -> Strides:
    return tuple(_strides[node.inputs[0]][axis] for axis in node.attrs["axes"])


def _sliced(node: Node) -> Strides:
    steps = [step or 1 for _, _, step in node.attrs["slices"]]
    source = _strides[node.inputs[0]]
    return tuple(stride * step for stride, step in zip(source, steps, strict=False)) + source[len(steps) :]


def _broadcast(node: Node) -> Strides:
    (source,) = node.inputs
    missing = node.type.rank - source.type.rank
    pairs = zip(_strides[source], source.shape, node.shape[missing:], strict=True)
    return (0,) * missing + tuple(0 if dim == 1 != wide else stride for stride, dim, wide in pairs)


def _reshaped(node: Node) -> Strides:
    """A view where NumPy gives one."""
    (source,) = node.inputs
    shape, target = _numbers(source.shape), _numbers(node.shape)
    view = as_strided(np.empty(1, np.int8), shape, _strides[source])
    try:
        view.shape = target
    except (AttributeError, ValueError):
        return contiguous(target, None)
    return view.strides


def _same_memory(node: Node) -> Strides:
    return _strides[node.inputs[0]]


_RULES: Mapping[str, Callable[[Node], Strides]] = {
    **dict.fromkeys(SCALAR_OPS, _elementwise), "convert": _elementwise, "bitcast": _elementwise,
    "input": _input, "transpose": _transposed, "slice": _sliced, "broadcast": _broadcast,
    "reshape": _reshaped, "update_slice": _same_memory, "masked_scatter": _same_memory,
    "concatenate": _concatenated, "reduce": _reduced,
}  # fmt: skip
