"""One run of a jitted function on lazy stand-ins: what it read, what Python looked at, which steps it called.

A recording can be replayed when all that Python saw of the data is kept as a guard and every call into a
library went through `call_library`; otherwise `taint` says why not, and the function is recorded anew at each
call (its kernels still come from the cache).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fuse.integrations.capture.location import user_location
from fuse.ir import build
from fuse.ir.node import Node, located
from fuse.ir.types import Symbol

Array = Any


@dataclass(frozen=True)
class Guard:
    """A value that Python looked at: the plan holds while the node still gives this value."""

    node: Node
    value: Any


@dataclass(frozen=True)
class SizeGuard:
    """A length that Python looked at: the plan holds while the symbol still stands for this many elements."""

    dim: Symbol
    value: int


class PresumptionFailed(Exception):
    """The data are not what a recording presumed, or may not be: the driver records again and looks."""


class SymbolicMismatch(Exception):
    """Two lengths with different symbols must be equal: the driver records again with static shapes."""


@dataclass(frozen=True)
class LibraryStep:
    """A call into a library between two stretches of graph.

    `function` takes the arrays of `inputs` and returns the arrays of `outputs`.
    """

    function: Callable[..., tuple[Array, ...]]
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]


@dataclass
class Recording:
    """What a run of the function left behind. `events` are guards and library steps in order.

    `fallbacks` are the reports of steps that ran in a library. A recording that `presumes` takes the usual
    answer to a question about the data without looking; `presumed` says that it did, and the first run of the
    plan checks it.
    """

    bindings: dict[Node, Array] = field(default_factory=dict)
    arguments: dict[int, Node] = field(default_factory=dict)
    events: list[Guard | SizeGuard | LibraryStep] = field(default_factory=list)
    surroundings: dict[Node, Array] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)
    fallbacks: list[Any] = field(default_factory=list)
    tainted: str | None = None
    presumes: bool = False
    presumed: bool = False

    def argument(self, array: Array, node: Node) -> Node:
        """Make `node` the stand-in of an argument's array."""
        self.bindings[node] = array
        self.arguments[id(array)] = node
        self.kept.append(array)
        return node

    def find(self, array: Array) -> Node | None:
        """The node of an array that is an argument or the result of a step."""
        return self.arguments.get(id(array))

    def captured(self, array: Array) -> Node:
        """The node of an array from the function's surroundings; every replay reads the same object anew."""
        node = build.new_input(array.dtype, tuple(array.shape))
        self.surroundings[node] = array
        return self.argument(array, node)

    def guard(self, node: Node, value: Any) -> None:
        """Note that Python looked at the value of a node."""
        self.events.append(Guard(node, value))

    def size(self, dim: Symbol) -> int:
        """The length a symbol stands for in this run, noted as a guard. KeyError for a symbol of no input."""
        for node, array in self.bindings.items():
            if dim in node.shape:
                value = int(array.shape[node.shape.index(dim)])
                self.events.append(SizeGuard(dim, value))
                return value
        raise KeyError(f"no input of this recording has the length {dim.name!r}")

    def taint(self, reason: str) -> None:
        """Note that data left the graph in a way that cannot be replayed."""
        self.tainted = self.tainted or reason


_current: ContextVar[Recording | None] = ContextVar("fuse_recording", default=None)


def current_recording() -> Recording | None:
    """The recording of the jitted function that is running, if one is."""
    return _current.get()


@contextmanager
def recording(presumes: bool = False) -> Iterator[Recording]:
    """Record what happens inside the block."""
    found = Recording(presumes=presumes)
    token = _current.set(found)
    try:
        with located(user_location):
            yield found
    finally:
        _current.reset(token)


@contextmanager
def inside(recording: Recording | None) -> Iterator[None]:
    """Continue a recording, or step outside of all with None, for a block."""
    token = _current.set(recording)
    try:
        yield
    finally:
        _current.reset(token)


def truth(node: Node, usual: bool) -> bool:
    """The truth of a 0-d bool about the data, where `usual` is what it nearly always is.

    In a recording it becomes a guard; one that presumes answers `usual` at once.
    """
    from fuse.integrations.capture.values import values

    run = current_recording()
    if run is not None and run.presumes:
        run.presumed = True
        run.guard(node, np.bool_(usual))
        return usual
    answer = bool(values([node])[0])
    if run is not None:
        run.guard(node, np.bool_(answer))
    return answer


def call_library(
    function: Callable[..., tuple[Array, ...]],
    inputs: tuple[Node, ...],
    shaped: Callable[[tuple[int, ...]], tuple[Any, ...]] = tuple,
) -> tuple[Node, ...]:
    """Run a library function on materialised inputs, now; its results join the graph as inputs.

    In a recording the call becomes a step that every replay runs again; `shaped` may then give a result's
    shape in dimensions of the graph, where its lengths are those of the inputs and not numbers of this run.
    """
    from fuse.integrations.capture.values import bind, values

    arrays = function(*values(inputs))
    recording_now = current_recording()
    if recording_now is None:
        return tuple(bind(array, frozen=True) for array in arrays)
    outputs = tuple(build.new_input(array.dtype, shaped(tuple(array.shape))) for array in arrays)
    for array, node in zip(arrays, outputs, strict=True):
        recording_now.argument(array, node)
    recording_now.events.append(LibraryStep(function, inputs, outputs))
    return outputs
