"""The graph interpreter: the meaning of the IR, in plain NumPy, one function per op.

It is the oracle of every test of a pass or of generated code, the executor where no code can be generated,
and the step that runs an op without an emitter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fuse.ir.forest import evaluate_forest
from fuse.ir.node import Node, walk
from fuse.ir.ops import OPS
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import SIZE_FUNCTIONS, Count, Dim, Shape, SizeOf, Symbol

Array = Any


class Sizes:
    """The lengths of one run: what each symbol stands for."""

    def __init__(self) -> None:
        self.symbols: dict[Symbol, int] = {}
        self.counts: dict[int, int] = {}

    def bind(self, shape: Shape, actual: tuple[int, ...]) -> None:
        """Learn the symbols of an input's shape from an array."""
        for dim, length in zip(shape, actual, strict=True):
            if isinstance(dim, Symbol):
                self.symbols[dim] = length
            elif isinstance(dim, Count):
                self.count(dim.mask, length)

    def count(self, mask: Node, length: int) -> None:
        """Learn how many rows a mask keeps."""
        self.counts[mask.id] = length

    def __getitem__(self, dim: Dim) -> int:
        if isinstance(dim, int):
            return dim
        if isinstance(dim, Symbol):
            return self.symbols[dim]
        if isinstance(dim, Count):
            return self.counts[dim.mask.id]
        return SIZE_FUNCTIONS[dim.function](
            *(self[o] if isinstance(o, Symbol | Count | SizeOf) else o for o in dim.operands)
        )

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """The numbers of a shape."""
        return tuple([dim if type(dim) is int else self[dim] for dim in shape])


def interpret(outputs: Sequence[Node], bindings: Mapping[Node, Array]) -> list[Array]:
    """The values of the outputs, given an array for every input node."""
    values: dict[int, Array] = {}
    sizes = Sizes()
    for node, array in bindings.items():
        values[node.id] = as_array(node, array)
        sizes.bind(node.shape, values[node.id].shape)
    with np.errstate(all="ignore"):
        for node in walk(outputs):
            if node.id not in values:
                values[node.id] = evaluate(node, [values[i.id] for i in node.inputs], sizes)
            if node.dtype == np.dtype(bool) and node.type.rank == 1:
                sizes.count(node, int(np.count_nonzero(values[node.id])))
    return [values[node.id] for node in outputs]


def as_array(node: Node, value: Array) -> np.ndarray:
    """What is bound to an input, as the array the interpreter computes with."""
    if node.dtype.kind == "T" and hasattr(value, "to_numpy_strings"):
        return np.asarray(value.to_numpy_strings())
    return np.asarray(value)


def evaluate(node: Node, operands: Sequence[np.ndarray], sizes: Sizes) -> np.ndarray:
    """One op on arrays; the result has exactly the dtype of the node."""
    if node.op in SCALAR_OPS:
        return np.asarray(SCALAR_OPS[node.op].meaning(*operands)).astype(node.dtype, copy=False)
    return np.asarray(_MEANINGS[node.op](node, sizes, *operands))


def _convert(node: Node, sizes: Sizes, value: np.ndarray) -> np.ndarray:
    return value.astype(node.dtype)


def _iota(node: Node, sizes: Sizes) -> np.ndarray:
    return np.arange(sizes[node.attrs["length"]]).astype(node.dtype)


def _concatenate(node: Node, sizes: Sizes, *values: np.ndarray) -> np.ndarray:
    return np.concatenate(values, axis=node.attrs["axis"])


def _stack(node: Node, sizes: Sizes, *values: np.ndarray) -> np.ndarray:
    return np.stack(values, axis=node.attrs["axis"])


def as_slices(slices: Sequence[tuple[int | None, int | None, int | None]]) -> tuple[slice, ...]:
    """The `slices` attribute as Python slice objects."""
    return tuple(slice(*bounds) for bounds in slices)


def _update_slice(node: Node, sizes: Sizes, base: np.ndarray, values: np.ndarray) -> np.ndarray:
    result = base.copy()
    result[as_slices(node.attrs["slices"])] = values
    return result


def _masked_scatter(
    node: Node, sizes: Sizes, base: np.ndarray, mask: np.ndarray, values: np.ndarray
) -> np.ndarray:
    result = base.copy()
    result[mask] = values
    return result


def _gather(node: Node, sizes: Sizes, table: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Along the axis as it lies in memory, so that NumPy need not copy the table to bring that axis first."""
    places, mode = indices.astype(np.intp, copy=False), node.attrs["mode"]
    order = _order_in_memory(table)
    if order is None:
        return np.take(table, places, axis=0, mode=mode)
    axis = order.index(0)
    taken = np.take(table.transpose(order), places, axis=axis, mode=mode)
    before, rank = order[:axis], places.ndim
    new = [*range(axis, axis + rank)]
    rest = {old: place for place, old in enumerate(before)}
    rest |= {old: axis + rank + place for place, old in enumerate(order[axis + 1 :])}
    return taken.transpose(*new, *(rest[old] for old in range(1, table.ndim)))


def _order_in_memory(table: np.ndarray) -> list[int] | None:
    """The axes as they lie in memory when they are merely permuted; None when they are in order, or cut."""
    if table.ndim < 2 or table.flags.c_contiguous:
        return None
    order = sorted(range(table.ndim), key=lambda axis: -table.strides[axis])
    return order if table.transpose(order).flags.c_contiguous else None


_FOLDS: Mapping[str, np.ufunc] = {
    "sum": np.add, "prod": np.multiply, "min": np.minimum, "max": np.maximum, "fmin": np.fmin,
    "fmax": np.fmax, "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip


def _reduce(node: Node, sizes: Sizes, value: np.ndarray) -> np.ndarray:
    """An empty min or max has no value in NumPy; here it is the identity, and front ends raise beforehand."""
    from fuse.ir.ops import identity

    kind, axes = node.attrs["kind"], node.attrs["axes"]
    if kind in ("sum", "prod"):
        return np.asarray(_FOLDS[kind].reduce(value, axis=axes, dtype=node.dtype))
    if kind in ("any", "all"):
        return np.asarray(_FOLDS[kind].reduce(value, axis=axes))
    if value.size:
        return np.asarray(_FOLDS[kind].reduce(value, axis=axes))
    return np.full(
        tuple(n for axis, n in enumerate(value.shape) if axis not in axes), identity(kind, node.dtype)
    )


def _scan(node: Node, sizes: Sizes, value: np.ndarray) -> np.ndarray:
    fold = _FOLDS[node.attrs["kind"]]
    return np.asarray(fold.accumulate(value, axis=node.attrs["axis"], dtype=node.dtype))


def _arg_reduce(node: Node, sizes: Sizes, value: np.ndarray) -> np.ndarray:
    function = np.argmin if node.attrs["kind"] == "argmin" else np.argmax
    return np.asarray(function(value, axis=node.attrs["axis"]))


def _opaque(node: Node, sizes: Sizes, *values: np.ndarray) -> np.ndarray:
    return np.asarray(node.attrs["function"](*values))


_MEANINGS: Mapping[str, Callable[..., Any]] = {
    "constant": lambda node, sizes: node.attrs["value"].array,
    "iota": _iota,
    "convert": _convert,
    "bitcast": lambda node, sizes, value: np.ascontiguousarray(value).view(node.dtype).reshape(value.shape),
    "broadcast": lambda node, sizes, value: np.broadcast_to(value, sizes.shape(node.shape)),
    "reshape": lambda node, sizes, value: value.reshape(sizes.shape(node.shape)),
    "transpose": lambda node, sizes, value: value.transpose(node.attrs["axes"]),
    "slice": lambda node, sizes, value: value[as_slices(node.attrs["slices"])],
    "concatenate": _concatenate,
    "stack": _stack,
    "gather": _gather,
    "compress": lambda node, sizes, value, mask: value[mask],
    "masked_scatter": _masked_scatter,
    "update_slice": _update_slice,
    "reduce": _reduce,
    "scan": _scan,
    "arg_reduce": _arg_reduce,
    "dot": lambda node, sizes, left, right: np.dot(left, right),
    "forest": lambda node, sizes, features: evaluate_forest(node.attrs["tables"], features),
    "opaque": _opaque,
}

INTERPRETED = frozenset(_MEANINGS) | frozenset(SCALAR_OPS) | {"input"}
assert frozenset(OPS) == INTERPRETED, frozenset(OPS) ^ INTERPRETED
