"""Plans on disk: a later process that has the same graph neither optimizes nor plans.

An entry holds what running needs: kernels, bindings, tables, library steps, and the nodes that these name. Of
the graph below them it keeps the types alone: what only the inside of a kernel computes comes back as a hole,
a node of its type without inputs. Inputs and the symbols of their lengths are those of the program that reads
the entry.

An entry is found by all that a plan depends on: the graph (fuse/plan/graph_key.py), the settings of the
optimizer and the planner, the target, the versions of Python and NumPy, and the sources of fuse, told by size
and time as Python tells those of its byte code. Whatever goes wrong means: plan anew. Reading an entry may
run code, as loading object code does, so it comes from the same folder under the same conditions
(fuse/runtime/cache.py), and names nothing but classes of fuse and NumPy.

Left out: small graphs, which are planned as fast as read; graphs with calls into libraries; and all of it
while a stage is dumped or bugs are to raise, since the road has to be walked then.
"""

from __future__ import annotations

import io
import itertools
import logging
import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fuse import config
from fuse.ir.node import ConstantArray, Graph, Node, make
from fuse.ir.types import SizeOf, Symbol, Type, size
from fuse.plan.graph_key import NoKey, graph_key
from fuse.plan.steps import KernelStep, Plan
from fuse.runtime import cache, sources

SMALL = 16
"""Values up to which a graph is planned as fast as its plan is read."""
_WHOLE = frozenset({
    "constant", "input", "slice", "reshape", "transpose", "broadcast", "bitcast", "convert", "reduce",
})  # fmt: skip
"""Ops at which the runner, or whoever asks whose memory a result is, looks through to the operands."""
_HOLLOW = frozenset({"forest"})
"""Ops whose attributes are large, and of which nobody asks more than the type."""

_log = logging.getLogger("fuse")


@dataclass(frozen=True)
class Entry:
    """The place of one plan, and the names that it has in this process."""

    key: str
    inputs: tuple[Node, ...]
    symbols: tuple[Symbol, ...]
    outputs: tuple[Node, ...]

    def load(self) -> Plan | None:
        """The plan that an earlier process left here."""
        content = cache.get(self.key)
        if content is None:
            return None
        try:
            plan = _Reader(content, self).load()
            if not isinstance(plan, Plan) or not self._fits(plan):
                raise pickle.UnpicklingError("it is no plan of this graph")
            return plan
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it: plan anew
            _log.debug("stored plan: %s: %s", type(error).__name__, error)
            return None

    def store(self, plan: Plan) -> None:
        """Leave a plan for later processes, if it can be written."""
        try:
            content = _written(plan, self)
        except Exception as error:  # noqa: BLE001  # it is planned anew next time
            _log.debug("a plan is not stored: %s: %s", type(error).__name__, error)
        else:
            cache.put(self.key, content)

    def _fits(self, plan: Plan) -> bool:
        pairs = zip(plan.outputs, self.outputs, strict=True)
        same = all(
            found.dtype == wanted.dtype and found.type.rank == wanted.type.rank for found, wanted in pairs
        )
        return same and plan.inputs == self.inputs


def entry_of(graph: Graph, inputs: Sequence[Node]) -> Entry | None:
    """Where the plan of a graph is kept under the current settings; None for nowhere."""
    settings = config.current()
    if settings.cache == "0" or settings.dump or settings.raise_internal:
        return None
    if sum(1 for _ in graph.nodes()) <= SMALL:
        return None
    try:
        found = graph_key(graph, inputs)
    except NoKey:
        return None
    versions = f"{sys.implementation.cache_tag} {sys.byteorder} {np.__version__}"
    chosen = (sorted(settings.disable), sorted(settings.schedule), settings.target)
    key = sources.key("plan", versions, str(chosen), found.text())
    return Entry(key, tuple(inputs), tuple(found.symbols), graph.outputs)


_holes = itertools.count()


def hole(type_: Type) -> Node:
    """A value that a kernel computes: equal to no other, and all that is known of it is its type."""
    return make("opaque", (), {"function": f"hole {next(_holes)}", "type": type_})


class _Writer(pickle.Pickler):
    """Writes a plan; what the reading process has of its own is written as numbers."""

    def __init__(self, file: io.BytesIO, entry: Entry, whole: frozenset[Node]) -> None:
        super().__init__(file, protocol=5)
        self.whole = whole
        self.numbers: dict[Any, int] = {node: number for number, node in enumerate(entry.inputs)}
        self.symbols = {symbol: ~number for number, symbol in enumerate(entry.symbols)}

    def persistent_id(self, value: Any) -> int | None:
        if type(value) is Node:
            return self.numbers.get(value)
        return self.symbols[value] if type(value) is Symbol else None

    def reducer_override(self, value: Any) -> Any:
        if type(value) is Node:
            if value.op in _WHOLE or value in self.whole:
                return make, (value.op, value.inputs, dict(value.attrs))
            return hole, (value.type,)
        if type(value) is SizeOf:
            return size, (value.function, *value.operands)
        if type(value) is ConstantArray:
            return ConstantArray, (value.array,)
        return NotImplemented


def _written(plan: Plan, entry: Entry) -> bytes:
    file = io.BytesIO()
    library = {step.node for step in plan.steps if not isinstance(step, KernelStep)}
    named = {node for node in _named(plan) if node.op not in _HOLLOW}
    _Writer(file, entry, frozenset(library | named)).dump(plan)
    return file.getvalue()


def _named(plan: Plan) -> Iterator[Node]:
    """The nodes that kernels read and store."""
    for step in plan.steps:
        if isinstance(step, KernelStep):
            yield from step.results
            yield from (update.node for update in step.updates)
            yield from (binding.node for binding in step.bindings if binding.node is not None)


class _Reader(pickle.Unpickler):
    """Reads a plan over the inputs and symbols of an entry; of classes it knows those of fuse and NumPy."""

    def __init__(self, content: bytes, entry: Entry) -> None:
        super().__init__(io.BytesIO(content))
        self.entry = entry

    def persistent_load(self, number: int) -> Node | Symbol:
        return self.entry.inputs[number] if number >= 0 else self.entry.symbols[~number]

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("fuse", "numpy"):
            raise pickle.UnpicklingError(f"a plan holds no {module}.{name}")
        return super().find_class(module, name)
