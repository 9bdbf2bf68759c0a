"""The state of a lazy array, and what every operation needs of it: its node, its elements, a view, a write.

`integrations/numpy_array/array.py` puts NumPy's interface on top; the operations in between know only this
class. An array that stands for a NumPy scalar (a full reduction, an element) has `_scalar` set: it is
immutable, and it prints and pickles as that scalar.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from fuse import config
from fuse.integrations.capture.location import user_location
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import values
from fuse.integrations.numpy_array import views
from fuse.integrations.numpy_array.storage import Storage, is_static, pending
from fuse.integrations.numpy_array.views import Step
from fuse.ir import build
from fuse.ir.node import Location, Node
from fuse.ir.types import SIZE_FUNCTIONS, Count, Dim, Shape, Symbol

NUMPY = "numpy"
_KEPT = 1 << 20
"""Bytes of an array below which views of it remember their elements."""


class Unsupported(Exception):
    """Raised inside the front end: this call is not recorded, for the reason given; NumPy runs it."""


class LazyArray:
    """A view over a storage cell."""

    __slots__ = ("__weakref__", "_found", "_scalar", "_storage", "_views")

    array_class: ClassVar[type[LazyArray]]
    _storage: Storage
    _views: tuple[Step, ...]
    _scalar: bool
    _found: tuple[np.ndarray, tuple[Step, ...], np.ndarray] | None
    """The elements of a view, and what they are a view of: of few, since that is kept alive."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        LazyArray.array_class = cls

    @property
    def _node(self) -> Node:
        """The value of the array in the graph."""
        node = self._storage.read()
        return views.apply(node, self._views) if self._views else node

    @property
    def _elements(self) -> np.ndarray:
        """The concrete elements, evaluated if need be.

        Shares memory with the storage; not to be written to.
        """
        array = self._storage.materialise()
        return self._seen_in(array) if self._views else array

    def _seen_in(self, array: np.ndarray) -> np.ndarray:
        """The elements of the view, in those of its storage."""
        found = self._found
        if found is not None and found[0] is array and found[1] is self._views:
            return found[2]
        elements = array
        for step in self._views:
            elements = step.on_array(elements)
        if array.nbytes < _KEPT:
            self._found = array, self._views, elements
        return elements

    def _buffer(self) -> np.ndarray:
        """The elements as memory that the user may keep and write to."""
        recording = current_recording()
        if recording is not None:
            recording.taint("a buffer of an array left the graph")
            copy = self._elements.copy()
            recording.kept.append(copy)  # its address may be all that the function keeps of it
            return copy
        array = self._storage.pin()
        for step in self._views:
            array = step.on_array(array)
        return array

    def _writable(self) -> np.ndarray:
        """The elements for NumPy to write to, outside of recordings."""
        array = self._storage.writable()
        for step in self._views:
            array = step.on_array(array)
        return array

    @property
    def _dtype(self) -> np.dtype:
        array = self._storage.array
        if array is not None:
            dtype = array.dtype
        else:
            assert self._storage.node is not None
            dtype = self._storage.node.dtype
        return views.dtype_of(dtype, self._views) if dtype.kind == "c" and self._views else dtype

    @property
    def _dims(self) -> Shape:
        """The shape, lengths that are not known yet as symbols."""
        array = self._storage.array
        if array is None or (current_recording() is not None):
            return self._node.shape
        return self._elements.shape if self._views else array.shape

    def _view(self, step: Step) -> LazyArray:
        """A view of this view. What NumPy makes of a scalar is an array of its own."""
        if self._scalar:
            return make(pending(self._node), (step,))
        return make(self._storage, (*self._views, step))

    def _write(self, node: Node) -> None:
        """Replace all elements; `node` has the type of the array."""
        if self._views:
            self._storage.update(self._views, node)
        else:
            self._storage.replace(node)

    def _observe(self) -> np.ndarray:
        """The elements, because Python wants to know them; a recording keeps a guard."""
        recording = current_recording()
        if recording is None:
            return self._elements
        node = self._node
        array: np.ndarray = values([node])[0]
        recording.guard(node, array)
        return array


def make(storage: Storage, steps: tuple[Step, ...] = (), *, scalar: bool = False) -> LazyArray:
    """An array over a storage."""
    array = object.__new__(LazyArray.array_class)
    array._storage = storage
    array._views = steps
    array._scalar = scalar
    array._found = None
    return array


def from_node(node: Node, *, scalar: bool = False) -> LazyArray:
    """A new array with this value."""
    return make(pending(node), scalar=scalar)


def from_array(array: np.ndarray, *, pinned: bool = False) -> LazyArray:
    """An array over concrete elements; `pinned` when others hold the same memory."""
    return make(Storage(array, None, pinned=pinned))


def join(result: Any) -> Any:
    """What NumPy returned, with its arrays made ours: tuples, lists and named tuples keep their form.

    An array that is a view of something shares its memory for good.
    """
    if type(result) is np.ndarray:
        return from_array(result, pinned=result.base is not None)
    if type(result) in (tuple, list):
        return type(result)(join(item) for item in result)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*map(join, result))
    return result


class Few(NamedTuple):
    """What counts as few: arrays with fewer elements than `rows`, or of fewer bytes than `size`."""

    rows: int
    size: int

    def __contains__(self, elements: object) -> bool:
        assert isinstance(elements, np.ndarray)
        return elements.size < self.rows or elements.nbytes < self.size


_NONE = Few(0, 0)
_latest: tuple[object, Few] = None, _NONE


def few() -> Few:
    """What NumPy computes at once, since recording it would take longer; nothing inside a recording."""
    global _latest
    if current_recording() is not None:
        return _NONE
    settings = config.current()
    known, limit = _latest
    if known is not settings:
        limit = Few(settings.min_rows, settings.eager_bytes) if settings.min_rows else _NONE
        _latest = settings, limit
    return limit


def small(array: LazyArray, limit: Few) -> np.ndarray | np.generic | None:
    """The elements when they are there already and few."""
    elements = array._storage.array
    if elements is None:
        return None
    if array._views:
        elements = array._seen_in(elements)
    if elements.size >= limit.rows and elements.nbytes >= limit.size:
        return None
    return elements[()] if array._scalar else elements


def location() -> Location | None:
    """The user's line, for nodes of this front end."""
    return user_location(NUMPY)


def length(dim: Dim | None) -> int:
    """A length as an int; a recording notes that Python depends on it."""
    if dim is None or isinstance(dim, int):
        return dim  # type: ignore[return-value]  # None is a missing bound of a slice, passed on to its function
    if isinstance(dim, Count):
        return int(from_node(count_node(dim))._observe())
    if isinstance(dim, Symbol):
        recording = current_recording()
        assert recording is not None, f"{dim} outside of a recording"
        return recording.size(dim)
    return SIZE_FUNCTIONS[dim.function](*map(length, dim.operands))


def count_node(dim: Count) -> Node:
    """How many elements of a mask are true, as an int64 scalar."""
    return build.reduce("sum", build.convert(dim.mask, np.int64))


def lengths(array: LazyArray) -> tuple[int, ...]:
    """The shape in ints. Outside of recordings an unknown length is known after evaluation."""
    dims = array._dims
    if is_static(dims):
        return dims  # type: ignore[return-value]  # just checked
    if current_recording() is None:
        return array._elements.shape
    return tuple(map(length, dims))
