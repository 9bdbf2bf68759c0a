"""What a function returned: a template over the plan's arrays, from which every replay makes real objects.

Lazy objects become real ones by their carrier, the stand-in of an argument becomes the argument, containers
are made anew, and constants are what they are. Anything else (an object of a class of the user's) cannot be
made twice: the recording is tainted, and what is lazy in its attributes is exchanged for real objects in
place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import Recording
from fuse.integrations.jit.carriers import kind_of, lazy_carrier
from fuse.ir.node import Node

Array = Any
Make = Callable[[Sequence[Array], Sequence[Any]], Any]
"""From the arrays of the template's nodes and the call's carried objects to the result."""


class Template:
    """The shape of a result. `nodes` are the nodes it needs, in the order that `make` takes their arrays."""

    __slots__ = ("_arguments", "_recording", "make", "nodes", "single")

    def __init__(self, value: Any, arguments: Mapping[int, int], recording: Recording) -> None:
        self.nodes: list[Node] = []
        self._arguments = arguments
        self._recording = recording
        self.single: Callable[[Sequence[Array]], Any] | None = None
        self.make: Make = self._of(value)
        found = lazy_carrier(value)
        if found is not None and id(value) not in arguments:
            self.single = found.rebuild(value)

    def _of(self, value: Any) -> Make:
        position = self._arguments.get(id(value))
        if position is not None:
            return lambda arrays, carried: carried[position]
        found = lazy_carrier(value)
        if found is not None:
            return self._lazy(found.nodes(value), found.rebuild(value))
        kind = kind_of(value)
        if kind == "container":
            return self._container(value)
        if kind == "thing" and not _is_timeless(value):
            return self._object(value)
        if kind == "carried":
            return self._real(value)
        return lambda arrays, carried: value

    def _lazy(self, nodes: list[Node], rebuild: Callable[[Sequence[Array]], Any]) -> Make:
        start = len(self.nodes)
        self.nodes += nodes
        stop = len(self.nodes)
        return lambda arrays, carried: rebuild(arrays[start:stop])

    def _container(self, value: Any) -> Make:
        if isinstance(value, dict):
            keys, makes = list(value), [self._of(item) for item in value.values()]
            return lambda arrays, carried: _again(
                value, zip(keys, (m(arrays, carried) for m in makes), strict=True)
            )
        makes = [self._of(item) for item in value]
        return lambda arrays, carried: _again(value, [make(arrays, carried) for make in makes])

    def _real(self, value: Any) -> Make:
        """A real array: the same object if it is from the surroundings, else a copy each time."""
        if any(value is array for array in self._recording.surroundings.values()):
            return lambda arrays, carried: value
        if isinstance(value, np.ndarray) or hasattr(value, "copy"):
            return lambda arrays, carried: value.copy()
        return lambda arrays, carried: value

    def _object(self, value: Any) -> Make:
        self._recording.taint(f"it returns an object of class {type(value).__name__}")
        state = getattr(value, "__dict__", None)
        if type(state) is not dict:
            return lambda arrays, carried: value
        makes = {name: self._of(item) for name, item in state.items() if holds_lazy(item)}

        def make(arrays: Sequence[Array], carried: Sequence[Any]) -> Any:
            state.update({name: part(arrays, carried) for name, part in makes.items()})
            return value

        return make


def _again(original: Any, items: Any) -> Any:
    """A new container of the same class."""
    kind = type(original)
    if hasattr(original, "_fields"):
        return kind(*items)
    if kind in (tuple, list, dict):
        return kind(items)
    result = original.copy() if isinstance(original, dict | list) else kind(items)
    if isinstance(result, dict):
        result.update(items)
    elif isinstance(result, list):
        result[:] = items
    return result


def _is_timeless(value: Any) -> bool:
    """Things that are the same at every call by their nature."""
    return isinstance(value, ModuleType | FunctionType) or value is Ellipsis or value is NotImplemented


def holds_lazy(value: Any, depth: int = 4) -> bool:
    """Whether a lazy object is in here."""
    if lazy_carrier(value) is not None:
        return True
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds_lazy(item, depth - 1) for item in value.values())
    if isinstance(value, tuple | list | set):
        return any(holds_lazy(item, depth - 1) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return (
            any(holds_lazy(item, depth - 1) for item in vars(value).values())
            if hasattr(value, "__dict__")
            else False
        )
    return False
