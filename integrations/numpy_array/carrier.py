"""NumPy arrays and scalars at the border of a jitted function (see `capture/arguments.py`).

A real array is one array; a NumPy scalar is a 0-d one. A lazy result becomes a real array, a lazy scalar the
NumPy scalar that NumPy would have returned. An argument that the function wrote to is known by `written`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array.array import ndarray
from fuse.integrations.numpy_array.base import LazyArray, make
from fuse.integrations.numpy_array.operands import is_recorded
from fuse.integrations.numpy_array.storage import Storage
from fuse.ir.node import Node


class NumpyCarrier:
    """Arrays and scalars of the dtypes that are recorded; see
    `integrations.capture.arguments.Carrier`.
    """

    def accepts(self, value: Any) -> bool:
        """Whether this is a plain array, a NumPy scalar or a lazy array of a dtype that is recorded."""
        kind = type(value)
        if kind is np.ndarray or isinstance(value, np.generic):
            return is_recorded(value.dtype)
        return kind is ndarray and is_recorded(value.dtype)

    def signature(self, value: Any) -> Hashable:
        """dtype, rank, and whether it is a scalar."""
        return "numpy", value.dtype, value.ndim, _is_scalar(value)

    def arrays(self, value: Any) -> list[np.ndarray]:
        """The array itself, not a copy."""
        return [value._elements if isinstance(value, LazyArray) else np.asarray(value)]

    def stand_in(self, value: Any, nodes: Sequence[Node]) -> LazyArray:
        """A lazy array over an input of the current recording."""
        (node,) = nodes
        storage = Storage(None, node, recording=current_recording())
        storage.origin = node
        return make(storage, scalar=_is_scalar(value))

    def is_lazy(self, value: Any) -> bool:
        """Whether this is a lazy array."""
        return isinstance(value, LazyArray)

    def nodes(self, value: LazyArray) -> list[Node]:
        """The one node."""
        return [value._node]

    def rebuild(self, value: LazyArray) -> Callable[[Sequence[np.ndarray]], Any]:
        """From the node's array to a real, writable array, or to a NumPy scalar."""
        return _scalar if value._scalar else _array

    def written(self, value: LazyArray) -> Node | None:
        """What an argument's array has become, when the function wrote to its stand-in: to be copied back."""
        storage = value._storage
        return storage.node if storage.origin is not None and storage.is_written else None


def _is_scalar(value: Any) -> bool:
    return isinstance(value, np.generic) or (isinstance(value, LazyArray) and value._scalar)


def _scalar(arrays: Sequence[np.ndarray]) -> np.generic:
    found: Any = arrays[0][()]
    return found  # type: ignore[no-any-return]  # an element of a 0-d array is a scalar


def _array(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """An array that is its own: elements that repeat in memory are written out."""
    (array,) = arrays
    repeats = any(n > 1 and not stride for n, stride in zip(array.shape, array.strides, strict=True))
    return array.copy() if repeats or not array.flags.writeable else array


CARRIER = NumpyCarrier()
