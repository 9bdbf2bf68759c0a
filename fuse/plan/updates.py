"""Where writes to a part of an array go: no copy of the rest, and the new elements straight to their place.

    step 1: %v = kernel over %a                         step 1: %u[1:-1] <- kernel over %a
    step 2: %u = update_slice %b %v [1:-1]       =>

The kernel that computes the new elements stores them into the result of the update. That result takes over
the memory of its base when nobody reads the base any more (a time loop then goes back and forth between two
arrays); otherwise it is new memory, and what lies outside of the part is copied from the base. An update
whose elements no kernel computes is a step of its own, in place under the same condition.

Nobody reads the base any more when no value over the same memory is read by a later step, is a result of the
plan, or is read by the kernel itself; a small part of an array that its kernel reads is computed apart and
copied to its place. Memory of inputs belongs to others, unless they are donated: then the caller wants the
result in it. Where a step may fail on the way, after which all is computed anew from the inputs, those are
not written to.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fuse.ir.node import Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Shape
from fuse.plan.classify import VIEWS, role_of
from fuse.plan.kernels import Map
from fuse.plan.steps import KernelStep, LibraryStep, Step, Update, UpdateStep

_FRESH = frozenset({
    "concatenate", "stack", "gather", "compress", "masked_scatter", "dot", "forest", "reduce", "iota",
    "convert",
})  # fmt: skip
_SMALL_PART = 3
"""A part below this fraction of the whole is written twice rather than the rest once: what a copy costs."""
_TYPICAL_LENGTH = 1000
"""What a length that is not known is taken for."""


def place_updates(steps: Sequence[Step], outputs: Sequence[Node], donated: Collection[Node]) -> list[Step]:
    """The steps with updates where they cost least."""
    if not any(map(_is_update, steps)):
        return list(steps)
    placing = _Placing(steps, outputs, donated)
    return list(placing.placed())


def _is_update(step: Step) -> bool:
    return isinstance(step, LibraryStep) and step.node.op == "update_slice"


@dataclass(eq=False)
class _Memory:
    """Values that may lie in the same memory: the steps that will read it, in order. `owned`: nothing outside
    of the plan does.
    """

    owned: bool = True
    donated: bool = False
    reads: list[int] = field(default_factory=list)

    def add(self, reads: Iterable[int]) -> None:
        for read in reads:
            heapq.heappush(self.reads, read)

    def is_read_after(self, number: int, but: int) -> bool:
        """Whether a step behind this one reads it, other than once the step `but`."""
        while self.reads and self.reads[0] <= number:
            heapq.heappop(self.reads)
        return bool(self.reads) and self.reads != [but]


class _Placing:
    """A walk over the steps that knows what lies where at each of them."""

    def __init__(self, steps: Sequence[Step], outputs: Sequence[Node], donated: Collection[Node]) -> None:
        self.steps, self.donated = steps, donated
        self.memories: dict[Node, _Memory] = {}
        self.reads: dict[Node, list[int]] = {}
        self.updates: dict[Node, list[int]] = {}
        self.done: set[int] = set()
        self.given_away = {_seen_through(node) for node in outputs}
        for number, step in enumerate(steps):
            for node in _sources(step):
                self.reads.setdefault(node, []).append(number)
            if isinstance(step, LibraryStep) and _is_update(step):
                self.updates.setdefault(step.node.inputs[1], []).append(number)
        for node in outputs:
            self.reads.setdefault(node, []).append(len(steps))

    def placed(self) -> Iterator[Step]:
        for number, step in enumerate(self.steps):
            if isinstance(step, KernelStep):
                for node in step.results:
                    self.put(node, _Memory())
                updates = tuple(self.hosted(number, step))
                yield replace(step, updates=updates) if updates else step
            elif number not in self.done and isinstance(step, LibraryStep):
                yield self.library(number, step)

    def library(self, number: int, step: LibraryStep) -> Step:
        """A step that stays; an update among them is in place if it can be."""
        node = step.node
        if node.op == "update_slice":
            in_place = self.is_free(number, number, node.inputs[0])
            self.put(node, self.memory(node.inputs[0]) if in_place else _Memory())
            return UpdateStep(Update(node, in_place))
        if node.op in VIEWS:
            self.put(node, self.memory(node.inputs[0]))
        elif _is_fresh(node):
            self.put(node, _Memory())
        else:
            for source in node.inputs:
                self.memory(source).owned = False
            self.put(node, _Memory(owned=False))
        return step

    def memory(self, node: Node) -> _Memory:
        if node not in self.memories:
            is_donated = node in self.donated
            self.put(node, _Memory(is_donated, is_donated))
        return self.memories[node]

    def put(self, node: Node, memory: _Memory) -> None:
        """Note where a value lies."""
        self.memories[node] = memory
        if memory.owned:
            memory.add(self.reads.get(node, ()))

    def hosted(self, number: int, step: KernelStep) -> Iterator[Update]:
        """The updates that a kernel makes, one for a result."""
        if step.domain.mask is not None or step.domain.reduced:
            return
        for node in step.results:
            later = self.updates.get(node, ())
            if not later or not _fills_domain(node, step) or node in self.given_away:
                continue
            (found, *_) = later
            update = self.steps[found]
            assert isinstance(update, LibraryStep)
            base = update.node.inputs[0]
            if base in step.results or (base not in self.memories and role_of(base) != "leaf"):
                continue  # it is not there yet when the place is made
            memory = self.memory(base)
            is_read = any(self.memories.get(b.node) is memory for b in step.bindings if b.node is not None)
            is_free = self.is_free(number, found, base)
            if is_free and is_read and _is_small_part(update.node):
                continue
            self.done.add(found)
            whole = memory if is_free and not is_read else _Memory()
            self.put(update.node, whole)
            self.put(node, whole)
            yield Update(update.node, is_free and not is_read)

    def is_free(self, number: int, update: int, base: Node) -> bool:
        """Whether the memory of a base is free from this step on but for the update itself, which stands at
        another place.
        """
        memory = self.memory(base)
        if not memory.owned or (memory.donated and any(map(_can_fail, self.steps[number:]))):
            return False
        return not memory.is_read_after(number, update)


def _sources(step: Step) -> Iterator[Node]:
    if isinstance(step, KernelStep):
        results = set(step.results)
        yield from {b.node: None for b in step.bindings if b.node is not None and b.node not in results}
    elif isinstance(step, LibraryStep):
        yield from dict.fromkeys(step.node.inputs)


def _seen_through(node: Node) -> Node:
    """The value whose memory a result may be."""
    while node.inputs and (node.op in VIEWS or node.op == "bitcast"):
        (node,) = node.inputs
    return node


def _is_fresh(node: Node) -> bool:
    """Whether a library step gives memory of its own; any other result may be a view of an operand."""
    row = SCALAR_OPS.get(node.op)
    return node.op in _FRESH or (row is not None and isinstance(row.meaning, np.ufunc))


def _fills_domain(node: Node, step: KernelStep) -> bool:
    return node.op != "reduce" and node.shape == step.domain.shape


def _is_small_part(update: Node) -> bool:
    """Whether an update is cheaper by way of other memory for the new elements than for all elements."""
    base, values = update.inputs
    return _SMALL_PART * _estimated_size(values.shape) < _estimated_size(base.shape)


def _estimated_size(shape: Shape) -> int:
    return math.prod(dim if isinstance(dim, int) else _TYPICAL_LENGTH for dim in shape)


def _can_fail(step: Step) -> bool:
    """Whether a step may end in computing all anew."""
    if isinstance(step, LibraryStep):
        return step.node.op not in VIEWS and step.node.op != "update_slice"
    if not isinstance(step, KernelStep):
        return False
    bodies = [stage.body for stage in step.kernel.stages if isinstance(stage, Map)]
    return any(i.op == "gather" and "raise" in str(i.attr) for body in bodies for i in body)
