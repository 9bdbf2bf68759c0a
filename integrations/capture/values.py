"""Which arrays stand behind which nodes, and evaluation.

`bind` gives the input node of a concrete array, `values` the arrays of nodes. A node that was evaluated once
is remembered as long as it lives, and later graphs are cut there.

Borrowing: a NumPy array that enters a lazy expression could be written to before the expression runs. A small
one is copied; a large one is write-protected while a pending expression reads it, that is, while its input
node lives, so that the write raises instead of changing a result.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fuse import config, engine
from fuse.integrations.capture.cutting import cut_at
from fuse.integrations.capture.lengths import witnesses
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.watching import Watched, watches_of
from fuse.ir import build
from fuse.ir.node import Node, walk

Array = Any

_lock = threading.RLock()
_arrays: weakref.WeakKeyDictionary[Node, Array] = weakref.WeakKeyDictionary()
_borrowed: dict[int, weakref.ref[Node]] = {}
_returns: dict[int, weakref.finalize[..., Node]] = {}


def bind(array: Array, *, frozen: bool = False) -> Node:
    """The input node for this array: one node per object while the node lives.

    `frozen` says that nobody writes to the array (a pandas column, a result of ours): it is neither copied
    nor protected. Inside a recording, arguments of the jitted function keep the node that the recording gave
    them, and other arrays are captured by reference.
    """
    recording = current_recording()
    if recording is not None:
        found = recording.find(array)
        return found if found is not None else recording.captured(array)
    with _lock:
        reference = _borrowed.get(id(array))
        node = reference() if reference is not None else None
        return node if node is not None else _bind_new(array, frozen)


def _bind_new(array: Array, frozen: bool) -> Node:
    is_numpy = isinstance(array, np.ndarray)
    writeable = is_numpy and array.flags.writeable and not frozen
    if writeable and array.nbytes < config.current().borrow_bytes:
        array = array.copy()
        writeable, is_shared = False, False
    else:
        is_shared = True
    node = build.new_input(_dtype(array), tuple(array.shape))
    _arrays[node] = array
    if is_shared:
        _borrowed[id(array)] = weakref.ref(node)
        _returns[id(array)] = weakref.finalize(
            node, _give_back, id(array), weakref.ref(array) if writeable else None
        )
    if writeable:
        array.flags.writeable = False
    return node


def _dtype(array: Array) -> np.dtype:
    dtype: np.dtype = array.dtype
    return dtype


def _give_back(identity: int, array: weakref.ref[np.ndarray] | None) -> None:
    with _lock:
        _borrowed.pop(identity, None)
        _returns.pop(identity, None)
        target = array() if array is not None else None
        if target is not None:
            target.flags.writeable = True


def release(array: np.ndarray) -> None:
    """End the borrowing of an array that is about to be written to: expressions that still read it get a
    copy.
    """
    with _lock:
        reference, give_back = _borrowed.get(id(array)), _returns.get(id(array))
        node = reference() if reference is not None else None
        if node is None or give_back is None:
            return
        _arrays[node] = array.copy()
        give_back()


def known(node: Node) -> Array | None:
    """The array behind a node, if it is an input or was evaluated."""
    recording = current_recording()
    if recording is not None and node in recording.bindings:
        return recording.bindings[node]
    return _arrays.get(node)


def remember(node: Node, array: Array) -> None:
    """Keep an evaluated value as long as its node lives."""
    recording = current_recording()
    if recording is not None:
        recording.bindings[node] = array
    else:
        _arrays[node] = array


def values(nodes: Sequence[Node]) -> list[Array]:
    """The arrays of nodes, evaluated together in as few passes as the planner finds."""
    pending = [node for node in dict.fromkeys(nodes) if not is_known(node)]
    if pending:
        arrays, doubtful = _evaluate(*cut(pending))
        watched = _doubted(pending) if doubtful else {}
        for node, array in zip(pending, arrays, strict=True):
            remember(node, array)
        if watched:
            from fuse.integrations.capture.doubts import report

            report(watched)
    return [known(node) for node in nodes]


def is_known(node: Node) -> bool:
    """Whether there is an array behind a node."""
    return known(node) is not None


def _doubted(pending: Sequence[Node]) -> Watched:
    """The calls to look at a second time. Those in a recording are looked at when it is through."""
    recording = current_recording()
    if recording is None:
        return watches_of(pending, is_known)
    recording.doubtful = True
    return {}


def values_apart(nodes: Sequence[Node]) -> list[Array]:
    """The arrays of nodes, without remembering them."""
    return _evaluate(*cut(nodes))[0]


def _evaluate(outputs: list[Node], bindings: Mapping[Node, Array]) -> tuple[list[Array], bool]:
    """The arrays, and whether something may have gone wrong on the way; in a recording, with an array for
    each length that the outputs know by its symbol only.
    """
    recording = current_recording()
    extra = witnesses(outputs, bindings, recording.bindings) if recording is not None else []
    if recording is None or not extra:
        return engine.evaluate_doubting(outputs, bindings)
    inputs = [*bindings, *extra]
    return engine.compile(outputs, inputs).run_doubting(
        [recording.bindings[n] if n in extra else bindings[n] for n in inputs]
    )


def updated(node: Node, base: Node | None) -> tuple[Array, bool]:
    """The array of a node, now, and whether something may have gone wrong; the memory of `base` may be taken
    for it, of which the caller knows that nobody else reads it. Nothing is remembered, and the base stands
    for nothing afterwards.
    """
    outputs, bindings = cut([node])
    memory = bindings.get(base) if base is not None else None
    if base is None or memory is None:
        (array,), doubtful = engine.evaluate_doubting(outputs, bindings)
        return array, doubtful
    others = (array for source, array in bindings.items() if source is not base)
    shared = any(isinstance(other, np.ndarray) and np.may_share_memory(memory, other) for other in others)
    (array,), doubtful = engine.evaluate_doubting(outputs, bindings, () if shared else (base,))
    with _lock:
        _arrays.pop(base, None)
        give_back = _returns.get(id(memory))
        if give_back is not None:
            give_back()
    return array, doubtful


def cut(nodes: Sequence[Node]) -> tuple[list[Node], Mapping[Node, Array]]:
    """The nodes rewritten so that what is already evaluated is an input, and the arrays of all inputs."""
    arrays = {node: array for node in walk(nodes) if (array := known(node)) is not None}
    outputs, inputs = cut_at(nodes, arrays)
    return outputs, {source: arrays[node] for node, source in inputs.items()}
