"""What a recorded function read outside its arguments, and whether all of that is still the same.

A plan bakes in the globals, closure cells and objects that the function looked at. Each is kept as the object
it was, so a check is a row of identity comparisons. Containers and the attributes of objects (an estimator is
fitted again in place by new attributes) are compared by the identities of what they hold. Arrays are not
looked into, as a plan reads them anew at every call.

Fitted arrays of estimators are part of a plan as constants, so their content is compared as well:
`model.intercept_ += 0.3` leaves the same array with another content.

Left out: changes inside objects that keep their state elsewhere than in `__dict__` (but for the number of
trees of a booster), items of collections with more than `_WIDE` entries below their own identity, and single
elements of large fitted arrays that change places.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable
from types import CellType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

import numpy as np

from fuse.integrations.capture.location import is_users
from fuse.integrations.jit.streams import Streams

_MISSING: Any = object()
_DEPTH = 10
_WIDE = 64
_MOST = 512
_ATOMS = (type(None), bool, int, float, complex, str, bytes, ModuleType, FunctionType)
_MAPPINGS = (dict, MappingProxyType)
_LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy")
_COUNTED = {("lightgbm.basic", "Booster"): "num_trees"}
"""Objects that change behind their attributes, and the method that tells."""
_SMALL_ARRAY, _SAMPLE = 1 << 18, 1 << 10
"""Bytes up to which all of a fitted array is looked at, elements of a larger one."""
_TINY_ARRAY = 1 << 12
"""The same for a single row, which takes a microsecond."""


class Surroundings:
    """Everything that was read, as it was. Filled while recording; `holds` is asked before each replay."""

    __slots__ = ("_arrays", "_cells", "_codes", "_contents", "_counts", "_names", "_seen", "streams")

    def __init__(self) -> None:
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._cells: list[tuple[CellType, Any]] = []
        self._codes: list[tuple[FunctionType, CodeType]] = []
        self._contents: list[tuple[Any, list[int], list[Any]]] = []
        self._arrays: list[tuple[np.ndarray, Any]] = []
        self._counts: list[tuple[Callable[[], Any], Any]] = []
        self._seen: dict[Any, Any] = {}
        self.streams = Streams()

    def name(self, mapping: dict[str, Any], name: str) -> None:
        """Note that a global name was read."""
        key = (id(mapping), name)
        if key not in self._seen:
            value = mapping.get(name, _MISSING)
            self._seen[key] = mapping
            self._names.append((mapping, name, value))
            self.state(value)

    def cell(self, cell: CellType) -> None:
        """Note that a closure cell was read."""
        if id(cell) not in self._seen:
            value = _content(cell)
            self._seen[id(cell)] = cell
            self._cells.append((cell, value))
            self.state(value)

    def code(self, function: FunctionType) -> None:
        """Note that a function was called; reloading tools exchange its code."""
        self._codes.append((function, function.__code__))

    def state(self, value: Any, depth: int = _DEPTH, is_fitted: bool = False) -> None:
        """Note what an object holds, and what that holds; `is_fitted`: it belongs to an estimator."""
        if isinstance(value, _ATOMS) or id(value) in self._seen or depth == 0 or len(self._contents) >= _MOST:
            return
        if isinstance(value, np.ndarray):
            self._array(value, is_fitted)
            return
        self._seen[id(value)] = value
        if self.streams.note(value):
            return
        if isinstance(value, tuple):
            self._descend(value, depth, is_fitted)
        elif isinstance(value, dict | list | set):
            self._keep(value, depth, is_fitted)
        elif (attributes := _attributes(value)) is not None:
            self._count(value)
            self._keep(attributes, depth, is_fitted or not _is_of_user(type(value)))
            for kind in type(value).__mro__:
                self.state(kind, depth - 1)

    def _keep(self, container: Any, depth: int, is_fitted: bool) -> None:
        held = [*container, *container.values()] if isinstance(container, _MAPPINGS) else [*container]
        self._contents.append((container, list(map(id, held)), held))
        self._descend(held, depth, is_fitted)

    def _descend(self, items: Iterable[Any], depth: int, is_fitted: bool) -> None:
        items = list(items)
        if len(items) <= 2 * _WIDE:
            for item in items:
                self.state(item, depth - 1, is_fitted)

    def _array(self, array: np.ndarray, is_fitted: bool) -> None:
        if is_fitted and not array.dtype.hasobject and array.dtype.kind != "T":
            self._seen[id(array)] = array
            self._arrays.append((array, _stamp(array, _SMALL_ARRAY)))

    def _count(self, value: Any) -> None:
        kind = type(value)
        method = _COUNTED.get((kind.__module__, kind.__qualname__))
        if method is not None:
            self._counts.append((getattr(value, method), getattr(value, method)()))

    def holds(self) -> bool:
        """Whether everything is still the same object."""
        for mapping, name, value in self._names:
            if mapping.get(name, _MISSING) is not value:
                return False
        for cell, value in self._cells:
            if _content(cell) is not value:
                return False
        for function, code in self._codes:
            if function.__code__ is not code:
                return False
        for container, identities, _ in self._contents:
            if type(container) is dict:
                if [*map(id, container), *map(id, container.values())] != identities:
                    return False
            elif _identities(container) != identities:
                return False
        if any(count() != before for count, before in self._counts):
            return False
        return all(_stamp(array, _SMALL_ARRAY) == before for array, before in self._arrays)

    def watch(self) -> Callable[[], bool]:
        """`holds` in a form that is fast enough for a single row: names, cells and code by identity, what
        containers hold by equality, which looks at identity first.
        """
        names, cells, codes, counts = self._names, self._cells, self._codes, self._counts
        arrays = [(array, _stamp(array, _TINY_ARRAY)) for array, _ in self._arrays]
        held = [
            (container.values if isinstance(container, _MAPPINGS) else container.__iter__, _values(container))
            for container, _, _ in self._contents
        ]

        def holds() -> bool:
            try:
                for mapping, name, value in names:
                    if mapping.get(name, _MISSING) is not value:
                        return False
                for cell, value in cells:
                    if _content(cell) is not value:
                        return False
                for function, code in codes:
                    if function.__code__ is not code:
                        return False
                for values, before in held:
                    if tuple(values()) != before:
                        return False
                for count, number in counts:
                    if count() != number:
                        return False
                for array, stamp in arrays:
                    if (array.tobytes() if array.nbytes <= _TINY_ARRAY else _stamp(array, 0)) != stamp:
                        return False
            except Exception:  # noqa: BLE001  # values that cannot be compared are other values
                return False
            return True

        return holds

    def changed(self) -> list[Any]:
        """The containers and attribute dictionaries that hold something else now."""
        return [
            container for container, identities, _ in self._contents if _identities(container) != identities
        ]

    def undo(self) -> None:
        """Put back what containers, attributes and closure cells held, and the states of random generators,
        before the function runs once more.
        """
        self.streams.rewind()
        for container, identities, held in self._contents:
            if _identities(container) != identities:
                _restore(container, held)
        for cell, value in self._cells:
            if _content(cell) is not value and value is not _MISSING:
                cell.cell_contents = value

    def changed_cells(self) -> list[CellType]:
        """The closure cells that hold something else now."""
        return [cell for cell, value in self._cells if _content(cell) is not value]


def _stamp(array: np.ndarray, whole: int) -> Any:
    """The bytes of a tiny array, a checksum of one of up to `whole` bytes, that of some elements of a larger
    one; with the sum of all words where `whole` allows for the time it takes.
    """
    if array.nbytes <= _TINY_ARRAY:
        return array.tobytes()
    if array.nbytes <= whole:
        return _checksum(array)
    flat = array.reshape(-1, order="A")
    sample = _checksum(flat[:: -(-flat.size // _SAMPLE)])
    has_words = whole > _TINY_ARRAY and flat.itemsize <= 8
    return (sample, flat.view(f"u{flat.itemsize}").sum()) if has_words else sample


def _checksum(array: np.ndarray) -> int:
    words: Any = np.ascontiguousarray(array).view(np.uint8)
    return zlib.crc32(words)


def _values(container: Any) -> tuple[Any, ...]:
    return tuple(container.values() if isinstance(container, _MAPPINGS) else container)


def _identities(container: Any) -> list[int]:
    if isinstance(container, _MAPPINGS):
        return [*map(id, container), *map(id, container.values())]
    return list(map(id, container))


def _restore(container: Any, held: list[Any]) -> None:
    """A dictionary's keys stand before its values."""
    if isinstance(container, list):
        container[:] = held
    elif isinstance(container, dict | set):
        container.clear()
        half = len(held) // 2
        container.update(zip(held[:half], held[half:], strict=True) if isinstance(container, dict) else held)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _is_of_user(kind: type) -> bool:
    """Whether a class stands in a file of the user."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return file is not None and is_users(file)


def _attributes(value: Any) -> Any:
    """The dictionary of an instance or of a class of the user; None for arrays and tables, whose caches come
    and go.
    """
    if isinstance(value, type):
        return vars(value) if _is_of_user(value) else None
    kind = type(value)
    if kind.__module__.split(".")[0] in _LIBRARIES or hasattr(kind, "__fuse_inline__"):
        return None
    found = getattr(value, "__dict__", None)
    return found if type(found) is dict else None
