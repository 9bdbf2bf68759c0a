"""The driver: runs the pipeline to a fixed point. Only it verifies, times, dumps, disables and stops.

A pass that fails is a bug of ours; outside of tests the graph from before the pass goes on and the note says
so.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from fuse import config
from fuse.ir.node import Graph
from fuse.ir.text import to_text
from fuse.ir.verify import verify
from fuse.optimize.notes import collecting
from fuse.optimize.pipeline import PIPELINE, Pass

# Passes feed one another; four rounds have been enough for every pipeline seen, the bound is against a bug.
_MAX_ROUNDS = 8


@dataclass(frozen=True)
class PassNote:
    """What one run of a pass did, for `explain`: its lines, the size of the graph, and its seconds."""

    name: str
    lines: tuple[str, ...]
    nodes_before: int
    nodes_after: int
    seconds: float

    def __str__(self) -> str:
        text = "; ".join(self.lines) or "rewrote the graph"
        return f"{self.name}: {text} ({self.nodes_before} -> {self.nodes_after} nodes)"


def optimize(graph: Graph) -> Graph:
    """The graph after all passes of the pipeline; the same outputs in number, order and type."""
    return optimize_traced(graph)[0]


def optimize_traced(graph: Graph) -> tuple[Graph, list[PassNote]]:
    """The optimized graph, and a note for each run of a pass that changed it."""
    settings = config.current()
    passes = [entry for entry in PIPELINE if entry.name not in settings.disable]
    notes: list[PassNote] = []
    settled: dict[str, Graph] = {}
    for _ in range(_MAX_ROUNDS):
        before = graph
        for entry in passes:
            if settled.get(entry.name) is not graph:
                current, graph = graph, _run(entry, graph, notes)
                if graph is current:
                    settled[entry.name] = graph
        if graph is before:
            break
    return graph, notes


def _run(entry: Pass, graph: Graph, notes: list[PassNote]) -> Graph:
    """One pass over the graph, with everything the driver owes it."""
    if entry.needs and not any(node.op in entry.needs for node in graph.nodes()):
        return graph
    started = time.perf_counter()
    with collecting() as lines:
        after = _contained(entry, graph, lines)
    if after is not graph and all(a is b for a, b in zip(after.outputs, graph.outputs, strict=True)):
        after = graph
    seconds = time.perf_counter() - started
    if after is not graph or lines:
        notes.append(PassNote(entry.name, tuple(lines), _size(graph), _size(after), seconds))
    if after is not graph and "optimize" in config.current().dump:
        print(f"# after {entry.name} ({seconds * 1e3:.2f} ms)\n{to_text(after)}\n", file=sys.stderr)
    return after


def _contained(entry: Pass, graph: Graph, lines: list[str]) -> Graph:
    if config.current().raise_internal:
        after = entry.run(graph)
        if after is not graph:
            verify(after, entry.name, like=graph)
        return after
    try:
        return entry.run(graph)
    except Exception as error:  # noqa: BLE001  # a bug of ours must not reach the user; the note is the report
        lines.append(f"failed and was left out, please report: {type(error).__name__}: {error}")
        return graph


def _size(graph: Graph) -> int:
    return sum(1 for _ in graph.nodes())
