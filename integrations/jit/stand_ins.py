"""The lazy objects that a function gets in the place of its arguments, and what it did to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fuse.integrations.capture.recording import Recording
from fuse.integrations.jit.carriers import kind_of
from fuse.integrations.jit.results import Template
from fuse.integrations.jit.signature import Call
from fuse.integrations.jit.writeback import WriteBack
from fuse.ir.node import Node


class StandIns:
    """One lazy object per carried object of a call, and copies of the containers that hold them.

    carried: the caller's objects. positions: where in it each stand-in's original is, by the stand-in's
    identity. containers: (the caller's, the copy that the function gets, that copy as it was).
    """

    def __init__(self, call: Call, nodes: tuple[Node, ...]) -> None:
        self.carried = [value for value, _, _ in call.carried]
        self.containers: list[tuple[Any, Any, Any]] = []
        self._call = call
        self._lazy: list[Any] = []
        self._before: list[list[Node]] = []
        start = 0
        for value, carrier, count in call.carried:
            self._lazy.append(carrier.stand_in(value, nodes[start : start + count]))
            self._before.append(carrier.nodes(self._lazy[-1]))
            start += count
        self.positions = {id(lazy): position for position, lazy in enumerate(self._lazy)}

    def of(self, value: Any) -> Any:
        """The stand-in of an argument."""
        kind = kind_of(value)
        if kind == "carried":
            position = self._call.positions.get(id(value))
            return value if position is None else self._lazy[position]
        return self._container(value) if kind == "container" else value

    def _container(self, value: Any) -> Any:
        if isinstance(value, tuple):
            items = map(self.of, value)
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        copy = value.copy()
        if isinstance(value, dict):
            copy.update({key: self.of(item) for key, item in value.items()})
        else:
            copy[:] = map(self.of, value)
        self.containers.append((value, copy, copy.copy()))
        return copy

    def writes(self, run: Recording) -> Iterator[WriteBack]:
        """The arguments whose content or labels are no longer those they came with."""
        rows = zip(self._lazy, self._before, self._call.carried, strict=True)
        for position, (lazy, before, (value, carrier, _)) in enumerate(rows):
            if carrier.nodes(lazy) != before or _labels(lazy) != _labels(value):
                yield WriteBack(position, Template(lazy, {}, run))


def _labels(value: Any) -> list[Any]:
    """What an object calls its columns, or itself."""
    has_columns = hasattr(type(value), "columns")  # asking a Series itself would look at its labels
    return list(value.columns) if has_columns else [getattr(value, "name", None)]
