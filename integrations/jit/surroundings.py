"""What a recorded function read outside its arguments, and whether all of that is still the same.

A plan bakes in the globals, closure cells and objects that the function looked at. Each is kept as the object
it was, so a check is a row of identity comparisons. Containers and the attributes of objects (an estimator is
fitted again in place by new attributes) are compared by the identities of what they hold. Arrays are not
looked into: a plan reads them anew at every call.

Left out: changes inside objects that keep their state elsewhere than in `__dict__`, and items of collections
with more than `_WIDE` entries below their own identity.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import CellType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from fuse.integrations.capture.location import is_users

_MISSING: Any = object()
_DEPTH = 10
_WIDE = 64
_MOST = 512
_ATOMS = (type(None), bool, int, float, complex, str, bytes, ModuleType, FunctionType)
_MAPPINGS = (dict, MappingProxyType)
_LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy")


class Surroundings:
    """Everything that was read, as it was. Filled while recording; `holds` is asked before each replay."""

    __slots__ = ("_cells", "_codes", "_contents", "_names", "_seen")

    def __init__(self) -> None:
        self._names: list[tuple[dict[str, Any], str, Any]] = []
        self._cells: list[tuple[CellType, Any]] = []
        self._codes: list[tuple[FunctionType, CodeType]] = []
        self._contents: list[tuple[Any, list[int], list[Any]]] = []
        self._seen: dict[Any, Any] = {}

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

    def state(self, value: Any, depth: int = _DEPTH) -> None:
        """Note what an object holds, and what that holds."""
        if isinstance(value, _ATOMS) or id(value) in self._seen or depth == 0 or len(self._contents) >= _MOST:
            return
        self._seen[id(value)] = value
        if isinstance(value, tuple):
            self._descend(value, depth)
        elif isinstance(value, dict | list | set):
            self._keep(value, depth)
        elif (attributes := _attributes(value)) is not None:
            self._keep(attributes, depth)
            for kind in type(value).__mro__:
                self.state(kind, depth - 1)

    def _keep(self, container: Any, depth: int) -> None:
        held = [*container, *container.values()] if isinstance(container, _MAPPINGS) else [*container]
        self._contents.append((container, list(map(id, held)), held))
        self._descend(held, depth)

    def _descend(self, items: Iterable[Any], depth: int) -> None:
        items = list(items)
        if len(items) <= 2 * _WIDE:
            for item in items:
                self.state(item, depth - 1)

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
        return True

    def changed(self) -> list[Any]:
        """The containers and attribute dictionaries that hold something else now."""
        return [
            container for container, identities, _ in self._contents if _identities(container) != identities
        ]

    def undo(self) -> None:
        """Put back what containers, attributes and closure cells held, before the function runs once more."""
        for container, identities, held in self._contents:
            if _identities(container) != identities:
                _restore(container, held)
        for cell, value in self._cells:
            if _content(cell) is not value and value is not _MISSING:
                cell.cell_contents = value

    def changed_cells(self) -> list[CellType]:
        """The closure cells that hold something else now."""
        return [cell for cell, value in self._cells if _content(cell) is not value]


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


def _attributes(value: Any) -> Any:
    """The dictionary of an instance or of a class of the user; None for arrays and tables, whose caches come
    and go.
    """
    if isinstance(value, type):
        file = getattr(sys.modules.get(value.__module__), "__file__", None)
        return vars(value) if file is not None and is_users(file) else None
    kind = type(value)
    if kind.__module__.split(".")[0] in _LIBRARIES or hasattr(kind, "__fuse_inline__"):
        return None
    found = getattr(value, "__dict__", None)
    return found if type(found) is dict else None
