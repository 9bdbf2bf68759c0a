"""Where the elements of arrays live: a storage cell holds an expression, later the array it gave.

Values in the graph never change, the cell does: an in-place operation puts another expression into it, and
every array over the cell sees that. States of a cell:

    pending    `node` is the expression, `array` is None
    concrete   `array` is the result; `readers` are the nodes that stand for it in graphs, while they live
    pinned     concrete for good: the user has the buffer, so later in-place operations write into it

A cell made inside a recording stays pending, because the recording needs the graph; what is observed there is
remembered by the recording.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from fuse.integrations.capture.doubts import report
from fuse.integrations.capture.recording import Recording, SharedWrite, current_recording, inside
from fuse.integrations.capture.values import bind, is_known, known, release, remember, updated, values
from fuse.integrations.capture.watching import watches_of
from fuse.integrations.numpy_array import memory_order
from fuse.integrations.numpy_array.pattern import Noted, Pattern
from fuse.integrations.numpy_array.views import Step, update
from fuse.ir.node import Node, walk
from fuse.ir.types import Shape
from fuse.plan.cost import RECOMPUTE_LIMIT, operation_cost

_COMPANIONS = 32
"""How many pending cells are looked at for evaluation in one pass; looking costs a walk of their graph."""

_DEEPEST = 256
"""Ops below one another up to which an expression is kept pending: longer ones repay themselves no more."""
_UPDATES = 64
"""After so many in-place operations a pending cell is evaluated: a loop over elements is no endless graph."""


class Leaf:
    """The present content of a cell in patterns, as long as the leaf lives. Its node is made when somebody
    asks, and then is a reader of the cell like any other.
    """

    __slots__ = ("__weakref__", "_node", "_storage", "array")

    def __init__(self, storage: Storage, array: np.ndarray) -> None:
        self._storage = weakref.ref(storage)
        self.array = array
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        """The input that stands for the content in graphs."""
        if self._node is None:
            self._node = bind(self.array, frozen=True)
            storage = self._storage()
            if storage is not None and storage.array is self.array:
                storage.readers.append(weakref.ref(self._node))
        return self._node


class Storage:
    """One cell. `origin` is the argument node of a jitted function whose array the cell stands for.

    Of a `shared` cell a library made a view that the recording knows nothing of.
    """

    __slots__ = (
        "__weakref__", "_leaf", "_node", "array", "is_reshaped", "is_written", "leaves", "order", "origin",
        "pattern", "pinned", "readers", "recording", "shared", "trail", "updates",
    )  # fmt: skip

    array: np.ndarray | None
    order: memory_order.Order | None
    readers: list[weakref.ref[Node]]

    def __init__(
        self,
        array: np.ndarray | None,
        node: Node | None,
        *,
        pinned: bool = False,
        recording: Recording | None = None,
    ) -> None:
        self.array = array
        self._node = node
        self.pattern: Pattern | None = None
        self.leaves: tuple[Leaf, ...] = ()
        self.trail: tuple[Noted, ...] = ()
        self._leaf: weakref.ref[Leaf] | None = None
        self.pinned = pinned
        self.readers = []
        self.recording = recording
        self.origin: Node | None = None
        self.shared = False
        self.updates = 0
        self.order = None
        self.is_reshaped = False
        self.is_written = False

    @property
    def node(self) -> Node | None:
        """The expression; a cell that has a pattern gets it when somebody asks."""
        if self._node is None and self.pattern is not None:
            self._node = self.pattern.over([leaf.node for leaf in self.leaves], self.trail)
        return self._node

    @node.setter
    def node(self, node: Node | None) -> None:
        self._node, self.pattern, self.leaves, self.trail = node, None, (), ()

    @property
    def is_pending(self) -> bool:
        """Whether there is an expression, without asking for it."""
        return self._node is not None or self.pattern is not None

    def has_readers(self) -> bool:
        """Whether an expression reads the present content."""
        return self._living_leaf() is not None or bool(self._living_readers())

    def leaf(self) -> Leaf:
        """What stands for the present content in patterns; of concrete elements that only this cell writes
        to.
        """
        leaf = self._living_leaf()
        if leaf is None:
            assert self.array is not None
            leaf = Leaf(self, self.array)
            self._leaf = weakref.ref(leaf)
        return leaf

    def _living_leaf(self) -> Leaf | None:
        leaf = self._leaf() if self._leaf is not None else None
        return leaf if leaf is not None and leaf.array is self.array else None

    def read(self) -> Node:
        """The node that stands for the present content in the graph that is being made."""
        recording = current_recording()
        if self.node is not None and self.recording is recording:
            return self.node
        array = self.materialise()
        if recording is not None:
            return recording.find(array) or recording.captured(array)
        leaf = self._living_leaf()
        if leaf is not None:
            return leaf.node
        for node in self._living_readers():
            if is_static(node.shape) and self._is_read_by(node, array):
                return node
        node = bind(array, frozen=not self.pinned)
        if self.order is not None:
            memory_order.remember(node, self.order)
        self.readers.append(weakref.ref(node))
        return node

    def _is_read_by(self, node: Node, array: np.ndarray) -> bool:
        """Whether a node stands for the present content. The user may have changed a pinned array since."""
        copy = known(node)
        if copy is array or not self.pinned:
            return copy is array
        return isinstance(copy, np.ndarray) and _same_bytes(copy, array)

    def materialise(self) -> np.ndarray:
        """The elements, evaluated if they were pending. Not to be written to."""
        if self.array is not None:
            return self.array
        assert self.node is not None
        if self.recording is not None and self.recording is current_recording():
            array: np.ndarray = values([self.node])[0]
            return array
        with inside(self.recording):
            array = _evaluate(self)
        self.recording = None
        return array

    def writable(self) -> np.ndarray:
        """The concrete array for writing: no pending expression reads it.

        Not for cells of a running recording.
        """
        array = self.materialise()
        if self.pinned and self.has_readers():
            evaluate_pending()
            release(array)
        elif self.has_readers() or not (array.flags.writeable or self.pinned):
            self.array = array = array.copy("K")
            self.readers = []
        return array

    def pin(self) -> np.ndarray:
        """The concrete array for handing out: from now on the cell and this buffer are the same memory."""
        self.materialise()
        if self.has_readers():
            evaluate_pending()
        array = self.writable()
        self.pinned = True
        return array

    def replace(self, node: Node) -> None:
        """An in-place operation: the content becomes this expression, of the same type."""
        recording = current_recording()
        if self.shared:
            raise SharedWrite("an array is written to of which a function of NumPy made a view")
        if recording is not None and self.is_reshaped:
            recording.order_matters = True
        if self.pinned or self.recording is not recording:
            self._write_through(node, recording)
            return
        self.order = self.memory_order()
        if self.order is not None:
            memory_order.remember(node, self.order)
        self.is_written = True
        self.array, self.node, self.readers = None, node, []
        if recording is None:
            _pending.add(self)
            self.updates += 1
            if self.updates >= _UPDATES:
                self.materialise()

    def memory_order(self) -> memory_order.Order | None:
        """In which order NumPy would have the elements; see there."""
        if self.order is not None or self.pinned:
            return self.order
        if self.array is not None:
            return memory_order.order_of_array(self.array)
        assert self.node is not None
        return memory_order.order_of(self.node)

    def lay_out(self) -> None:
        """Put the elements into the order that NumPy would have them in."""
        array, order = self.array, self.order
        if array is not None and order is not None and memory_order.order_of_array(array) != order:
            self.array, self.readers = memory_order.laid_out(array, order), []

    def update(self, steps: Sequence[Step], node: Node) -> None:
        """An in-place operation on the view that these steps give, whose elements become this expression.

        Of a part of the elements it is done now, outside of recordings: they are computed straight to their
        place, in the memory of this cell when no expression reads it, else in other memory that the rest is
        copied to. So a loop of writes is no expression that grows.
        """
        if current_recording() is None and not (self.shared or self.pinned):
            if self.node is None or update(self.node, steps, node) is not node:
                self.materialise()
            if self.recording is None and self.node is None:
                node = node if is_static(node.shape) else bind(values([node])[0], frozen=True)
                self._update_now(steps, node)
                return
        self.replace(update(self.read(), steps, node))

    def _update_now(self, steps: Sequence[Step], node: Node) -> None:
        array = self.materialise()
        self.order = self.memory_order()
        is_free = array.flags.writeable and not self.has_readers()
        base = self.read()
        whole = update(base, steps, node)
        if whole is node:
            self.replace(node)
            return
        _settle_dear(node)
        watched = watches_of([node], is_known)
        found, doubtful = updated(whole, base if is_free else None)
        others = (known(source) for source in walk([whole]) if not (is_free and source is base))
        if not found.flags.writeable or any(_shares(found, other) for other in others):
            found = found.copy()
        self.array, self.readers = found, []
        self.lay_out()
        if doubtful:
            report(watched)

    def _write_through(self, node: Node, recording: Recording | None) -> None:
        if recording is not None:
            recording.taint("an array from outside the function is written to")
        result = values([node])[0]
        del node
        with inside(None):
            target = self.writable()
            if recording is not None:
                recording.written(target)
            np.copyto(target, result)

    def _living_readers(self) -> list[Node]:
        found = [node for reference in self.readers if (node := reference()) is not None]
        self.readers = [weakref.ref(node) for node in found]
        return found

    def settle(self, array: np.ndarray, foreign: Iterable[np.ndarray]) -> None:
        """The expression gave `array`; `foreign` are the arrays of others that it may be a view of."""
        node = self.node
        if node is not None and self.order is None and self.recording is None:
            self.order = memory_order.order_of(node)
        if not array.flags.writeable or any(np.may_share_memory(array, other) for other in foreign):
            array = array.copy()
            if node is not None:
                remember(node, array)  # the other memory may be written to
        self.array, self.node, self.updates = array, None, 0
        if node is not None:
            self.readers = [weakref.ref(node)]


def _settle_dear(node: Node) -> None:
    """Evaluate the pending cells that an expression is made of, if they are dear or grow in a loop: whoever
    holds them wants them again. A cell that is this expression itself is mostly about to go.
    """
    cells = [cell for cell in list(_pending) if cell.node is not None and cell.node is not node]
    if not cells:
        return
    below = {source: operation_cost(source) for source in walk([node]) if known(source) is None}
    within = [cell for cell in cells if cell.node in below]
    dear = [cell for cell in within if cell.updates or _cost(cell.node, below) > RECOMPUTE_LIMIT]
    if dear:
        _settle_all(dear)


def _cost(node: Node | None, costs: Mapping[Node, float]) -> float:
    return sum(costs.get(source, 0.0) for source in walk([node])) if node is not None else 0.0


def _shares(array: np.ndarray, other: Any) -> bool:
    return isinstance(other, np.ndarray) and np.may_share_memory(array, other)


def _same_bytes(left: np.ndarray, right: np.ndarray) -> bool:
    if left.shape != right.shape or not (left.flags.c_contiguous and right.flags.c_contiguous):
        return False
    return np.array_equal(left.reshape(-1).view(np.uint8), right.reshape(-1).view(np.uint8))


_pending: weakref.WeakSet[Storage] = weakref.WeakSet()


def pending(node: Node) -> Storage:
    """A cell over an expression; outside of recordings one that grew deep is evaluated."""
    recording = current_recording()
    storage = Storage(None, node, recording=recording)
    if recording is None:
        _pending.add(storage)
        if node.depth >= _DEEPEST:
            storage.materialise()
    return storage


def pending_again(pattern: Pattern, leaves: tuple[Leaf, ...], trail: tuple[Noted, ...]) -> Storage:
    """A cell over the expression that a pattern is with these leaves in its places, made by calls noted like
    this; not in a recording.
    """
    storage = Storage(None, None)
    storage.pattern, storage.leaves, storage.trail = pattern, leaves, trail
    _pending.add(storage)
    return storage


def is_wanted_elsewhere(cell: Storage) -> bool:
    """Whether other pending cells read the same elements and may be worth keeping once they are computed."""
    if len(_pending) < 2:
        return False
    others = [other for other in list(_pending) if other is not cell and other.is_pending]
    return any(
        other.pattern is None or (other.pattern.is_dear and not set(other.leaves).isdisjoint(cell.leaves))
        for other in others
    )


def is_static(shape: Shape) -> bool:
    """Whether every length is known."""
    return all(isinstance(dim, int) for dim in shape)


def evaluate_pending() -> None:
    """Compute every pending cell, and so let go of the arrays that they read.

    One that fails is left: it raises when it is observed itself.
    """
    waiting = [storage for storage in _pending if storage.node is not None]
    if not waiting:
        return
    try:
        _settle_all(waiting)
    except Exception:  # noqa: BLE001  # see above
        for storage in waiting:
            with suppress(Exception):
                _settle_all([storage])


def _evaluate(target: Storage) -> np.ndarray:
    """Evaluate a cell, with those others that come out of the same pass over the data.

    If that fails (an index out of range in another expression), the target alone.
    """
    companions = _companions(target) if target.recording is None else []
    try:
        _settle_all([target, *companions])
    except Exception:  # what another expression raises is raised when it is observed itself
        if not companions:
            raise
        _settle_all([target])
    assert target.array is not None
    return target.array


def _settle_all(group: Sequence[Storage]) -> None:
    nodes = [storage.node for storage in group if storage.node is not None]
    foreign = [array for node in walk(nodes) if isinstance(array := known(node), np.ndarray)]
    arrays = values(nodes)
    for storage, array in zip(group, arrays, strict=True):
        storage.settle(np.asarray(array), foreign)
        foreign.append(storage.array if storage.array is not None else array)
        _pending.discard(storage)


def _companions(target: Storage) -> list[Storage]:
    """Pending cells of the target's shape, or scalars, that read some of the same data.

    In the order in which they were recorded: the same program again is then the same graph, and planned once.
    """
    assert target.node is not None
    data = _data(target.node)
    shapes = (target.node.shape, ())
    others = {s.node: s for s in list(_pending) if s.node is not None and s.node.shape in shapes}
    in_order = sorted(others, key=lambda node: node.id)[:_COMPANIONS]
    return [others[n] for n in in_order if others[n] is not target and not data.isdisjoint(_data(n))]


def _data(node: Node) -> set[Any]:
    return {source.id for source in walk([node]) if source.op == "input" or known(source) is not None}
