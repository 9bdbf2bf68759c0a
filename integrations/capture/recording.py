"""One run of a jitted function on lazy stand-ins: what it read, what Python looked at, which steps it called.

A recording can be replayed when all that Python saw of the data is kept as a guard and every call into a
library went through `call_library`; otherwise `taint` says why not, and the function is recorded anew at each
call (its kernels still come from the cache).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fuse import config
from fuse.integrations.capture.location import user_location
from fuse.ir import build
from fuse.ir.node import Node, located
from fuse.ir.types import Shape, Symbol

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


class PresumptionFailed(BaseException):  # a `try` of the user's is not to catch it, nor those below
    """The data are not what a recording presumed, or may not be: the driver records again and looks."""


class NumpyWarns(Exception):
    """The function does something that NumPy answers with more than a warning: the plain function runs."""


class SharedWrite(BaseException):
    """The function writes to memory that a library's result shares with an array: the plain function runs."""


class SymbolicMismatch(BaseException):
    """Two lengths with different symbols must be equal: the driver records again with static shapes."""


@dataclass(frozen=True)
class LibraryStep:
    """A call into a library between two stretches of graph.

    `function` takes the arrays of `inputs` and returns the arrays of `outputs`.
    """

    function: Callable[..., tuple[Array, ...]]
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]

    def fits(self, given: Sequence[Array], found: Sequence[Array]) -> bool:
        """Whether a library gave what the graph behind the step was recorded for: these dtypes, and lengths
        that are those of the recording or those of the inputs that they were taken for.
        """
        lengths = _lengths(self.inputs, given)
        return len(found) == len(self.outputs) and all(
            array.dtype == node.dtype and _has_shape(array.shape, node.shape, lengths)
            for node, array in zip(self.outputs, found, strict=True)
        )


def _has_shape(actual: Sequence[int], expected: Shape, lengths: Mapping[Symbol, int]) -> bool:
    """Whether numbers are the lengths of a type as far as those are known; computed ones are not."""
    known = [lengths.get(dim, dim) if isinstance(dim, Symbol) else dim for dim in expected]
    return len(actual) == len(expected) and all(
        length == dim for length, dim in zip(actual, known, strict=True) if isinstance(dim, int)
    )


def _lengths(nodes: Sequence[Node], arrays: Sequence[Array]) -> dict[Symbol, int]:
    """What the symbols in the shapes of nodes stand for."""
    return {
        dim: length
        for node, array in zip(nodes, arrays, strict=True)
        for dim, length in zip(node.shape, array.shape, strict=True)
        if isinstance(dim, Symbol)
    }


@dataclass
class Recording:
    """What a run of the function left behind. `events` are guards and library steps in order.

    `fallbacks` are the reports of steps that ran in a library. A recording that `presumes` takes the usual
    answer to a question about the data without looking; `presumed` says that it did, and the first run of the
    plan checks it. `watched` are the calls that NumPy might warn about, with their results (watching.py);
    `doubtful` says that a kernel may have met an error. `watchable`: there are such calls, though the error
    state may ignore them; `filters` are the warning filters that it began under. `draws`: steps draw random
    numbers. `order_matters` says that something was
    written to what was reshaped, so that the result hangs on the order of the arguments' elements in memory.
    """

    bindings: dict[Node, Array] = field(default_factory=dict)
    arguments: dict[int, Node] = field(default_factory=dict)
    events: list[Guard | SizeGuard | LibraryStep] = field(default_factory=list)
    surroundings: dict[Node, Array] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)
    fallbacks: list[Any] = field(default_factory=list)
    tainted: str | None = None
    order_matters: bool = False
    presumes: bool = False
    presumed: bool = False
    draws: bool = False
    watched: dict[Any, tuple[Node, ...]] = field(default_factory=dict)
    doubtful: bool = False
    watchable: bool = False
    filters: Sequence[Any] = field(default_factory=lambda: tuple(warnings.filters))

    def argument(self, array: Array, node: Node) -> Node:
        """Make `node` the stand-in of an argument's array."""
        self.bindings[node] = array
        self.arguments[id(array)] = node
        self.kept.append(array)
        return node

    def find(self, array: Array) -> Node | None:
        """The node of an array that is an argument or the result of a step, and still what it was then."""
        node = self.arguments.get(id(array))
        return None if node is not None and self._has_changed(node) else node

    def captured(self, array: Array) -> Node:
        """The node of an array from the function's surroundings; every replay reads the same object anew.

        A small one could be written to behind the recording's back, which then knows what it was.
        """
        node = build.new_input(array.dtype, tuple(array.shape))
        self.surroundings[node] = array
        self.argument(array, node)
        if _is_small_memory(array):
            self.bindings[node] = array.copy()
        return node

    def written(self, array: Array) -> None:
        """An array is about to be written to in the middle of the recording, which cannot be kept: what was
        recorded until now reads what it was, and what follows reads it anew.
        """
        for node, bound in self.bindings.items():
            if isinstance(bound, np.ndarray) and np.may_share_memory(bound, array):
                self.bindings[node] = bound.copy()
        for held in self.kept:
            if isinstance(held, np.ndarray) and np.may_share_memory(held, array):
                self.arguments.pop(id(held), None)

    def _has_changed(self, node: Node) -> bool:
        """Whether an array from the surroundings was written to since it was read; such a recording ends
        with this call.
        """
        array, before = self.surroundings.get(node), self.bindings.get(node)
        if array is None or array is before or not isinstance(before, np.ndarray):
            return False
        if array.tobytes() == before.tobytes():
            return False
        self.taint("an array is written to after the function has read it")
        return True

    def close(self) -> None:
        """Look once more at what was read."""
        for node in self.surroundings:
            self._has_changed(node)

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


def _is_small_memory(array: Array) -> bool:
    """Whether an array is one that Python may write to, and cheap to copy."""
    is_plain = isinstance(array, np.ndarray) and not array.dtype.hasobject
    return is_plain and bool(array.flags.writeable) and array.nbytes <= config.current().borrow_bytes


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
    shaped: Callable[[tuple[int, ...]], tuple[Any, ...]] | None = None,
) -> tuple[Node, ...]:
    """Run a library function on materialised inputs, now; its results join the graph as inputs.

    In a recording the call becomes a step that every replay runs again; `shaped` may then give a result's
    shape in dimensions of the graph. Without it, a result as long as an input is taken to always be; a replay
    that finds otherwise is not used.
    """
    from fuse.integrations.capture.values import bind, values

    given = values(inputs)
    arrays = function(*given)
    recording_now = current_recording()
    if recording_now is None:
        return tuple(bind(array, frozen=True) for array in arrays)
    shaped = shaped or _as_long_as(inputs, given)
    outputs = tuple(build.new_input(array.dtype, shaped(tuple(array.shape))) for array in arrays)
    for array, node in zip(arrays, outputs, strict=True):
        recording_now.argument(array, node)
    recording_now.events.append(LibraryStep(function, inputs, outputs))
    return outputs


def _as_long_as(
    inputs: Sequence[Node], given: Sequence[Array]
) -> Callable[[tuple[int, ...]], tuple[Any, ...]]:
    """Shapes whose first length is an input's symbol where that is as long."""
    symbols = {length: dim for dim, length in _lengths(inputs, given).items()}

    def shaped(shape: tuple[int, ...]) -> tuple[Any, ...]:
        return (symbols.get(shape[0], shape[0]), *shape[1:]) if shape else ()

    return shaped
