"""How far down the road to code a program goes: what each of the runs of a user program proves.

recorded: the graph as it was recorded, interpreted: the front end alone (views, writes, aliases, replays).
optimized: the graph after all passes, interpreted: front end and optimizer, at a tenth of the time.
compiled: planned, turned into machine code and run: everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fuse import engine
from fuse.errors import InternalError
from fuse.ir.interpret import interpret
from fuse.ir.node import Graph, Node, located
from fuse.optimize.driver import optimize


class _Interpreted(engine.Program):
    """A program whose graph is interpreted instead of compiled."""

    optimizes = False

    def __init__(
        self, outputs: Sequence[Node], inputs: Sequence[Node], donated: Collection[Node] = ()
    ) -> None:
        self.graph = Graph(tuple(outputs))
        self.inputs = tuple(inputs)
        self.donated = frozenset(donated)
        try:
            with located(None):
                self.made = optimize(self.graph) if self.optimizes else self.graph
        except Exception as error:
            raise InternalError(f"optimizing a graph failed: {error}") from error

    @property
    def results(self) -> tuple[Node, ...]:
        return self.made.outputs

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        slots = {node.attrs["slot"]: array for node, array in zip(self.inputs, arrays, strict=True)}
        bindings = dict(zip(self.inputs, arrays, strict=True))
        bindings.update((node, slots[node.attrs["slot"]]) for node in self.made.inputs())
        return interpret(self.made.outputs, bindings)

    def run_doubting(self, arrays: Sequence[Any]) -> tuple[list[Any], bool]:
        return self.run(arrays), False


class _Optimized(_Interpreted):
    optimizes = True


ENGINES: dict[str, type[engine.Program]] = {
    "recorded": _Interpreted, "optimized": _Optimized, "compiled": engine.Program,
}  # fmt: skip


@contextmanager
def running(name: str) -> Iterator[None]:
    """Programs made inside the block run so."""
    before, engine.Program = engine.Program, ENGINES[name]  # type: ignore[misc]  # the one place a run is chosen
    found, engine._programs = engine._programs, engine._Programs()
    try:
        yield
    finally:
        engine.Program = before  # type: ignore[misc]
        engine._programs = found
