"""The only file that knows the whole road: graph, optimize, plan, generate, load, run.

A bug on the way never reaches the user: it is an InternalError here, on which `evaluate` interprets the graph
and a jitted function runs as it was written, except under `fuse.config(raise_internal=True)`, which the tests
set. What the data decides (no rows, an index outside its table) is interpreted too, so that the answer and
the exception are NumPy's.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuse import config
from fuse.errors import InternalError
from fuse.execution.finish import is_finite
from fuse.execution.runner import Rerun, Runner
from fuse.ir.interpret import interpret
from fuse.ir.node import Graph, Node, located, walk
from fuse.ir.text import to_text
from fuse.optimize.driver import PassNote, optimize_traced
from fuse.plan.planner import make_plan
from fuse.plan.steps import Plan, step_text
from fuse.plan.stored import entry_of
from fuse.runtime.collection import rare_collections

Array = Any
_log = logging.getLogger("fuse")


@dataclass(frozen=True)
class Road:
    """What the compiler made of a graph on the way: `optimized`, with notes of the passes, and the plan."""

    optimized: Graph
    notes: Sequence[PassNote]
    plan: Plan


class Program:
    """A graph made ready to run again and again with other arrays. InternalError when the compiler fails.

    The plan may be that of an earlier process; the road to it is then walked when somebody asks for it.
    """

    def __init__(
        self, outputs: Sequence[Node], inputs: Sequence[Node], donated: Collection[Node] = ()
    ) -> None:
        self.graph = Graph(tuple(outputs))
        self.inputs = tuple(inputs)
        self.donated = frozenset(donated)
        self._settings = config.current()
        self._walked: Road | None = None
        try:
            with rare_collections():
                self.runner = Runner(self._plan())
            self._is_doubtful = self._folds_errors()
        except InternalError:
            raise
        except Exception as error:
            raise InternalError(f"planning a graph failed: {error}") from error

    def _plan(self) -> Plan:
        with located(None):  # what is made on the way stands at no line of the user
            entry = entry_of(self.graph, self.inputs) if not self.donated else None
            plan = entry.load() if entry is not None else None
        if plan is None:
            plan = self.road().plan
            if entry is not None:
                entry.store(plan)
        return plan

    def road(self) -> Road:
        """The road from the graph to the plan, walked once, under the settings that the program was made
        under. InternalError when the compiler fails.
        """
        if self._walked is None:
            made = self._settings
            try:
                with located(None), config.config(disable=made.disable, schedule=made.schedule):
                    optimized, notes = self._optimized()
                    self._walked = Road(optimized, notes, self._planned(optimized))
            except Exception as error:
                raise InternalError(f"planning a graph failed: {error}") from error
        return self._walked

    def _optimized(self) -> tuple[Graph, Sequence[PassNote]]:
        if "graph" in config.current().dump:
            _dump("graph", to_text(self.graph, locations=True))
        return optimize_traced(self.graph)

    def _planned(self, optimized: Graph) -> Plan:
        plan = make_plan(optimized, self.inputs, donated=self.donated)
        if "kernels" in config.current().dump:
            for number, step in enumerate(plan.steps):
                _dump(f"step {number}", step_text(step))
        return plan

    def _folds_errors(self) -> bool:
        """Whether the optimizer computed an infinity or a NaN, which then no run computes."""
        given = set(self.graph.nodes())
        constants = [node for node in self.runner.slots if node.op == "constant" and node not in given]
        return not all(is_finite(node.attrs["value"].array) for node in constants)

    @property
    def optimized(self) -> Graph:
        """The graph after the optimizer."""
        return self.road().optimized

    @property
    def notes(self) -> Sequence[PassNote]:
        """What the passes did."""
        return self.road().notes

    @property
    def plan(self) -> Plan:
        """The steps, over the nodes of `optimized`."""
        return self.road().plan

    @property
    def results(self) -> tuple[Node, ...]:
        """What is computed for each output: simplified, it may be an input or a view of one."""
        return self.runner.plan.outputs

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The arrays of the outputs, given those of the inputs, in order."""
        return self.run_doubting(arrays)[0]

    def run_doubting(self, arrays: Sequence[Array]) -> tuple[list[Array], bool]:
        """The same, and whether some operation may have overflowed, divided by zero or been invalid."""
        try:
            values, doubtful = self.runner.run(arrays)
            return values, doubtful or self._is_doubtful
        except Rerun:
            return interpret(self.graph.outputs, dict(zip(self.inputs, arrays, strict=True))), True
        except Exception as error:
            raise InternalError(f"running a graph failed: {error}") from error


def _dump(title: str, text: str) -> None:
    sys.stderr.write(f"--- {title}\n{text}\n")


def compile(outputs: Sequence[Node], inputs: Sequence[Node]) -> Program:  # noqa: A001  # the field's word
    """The program of these outputs; `inputs` is the order in which `run` takes the arrays."""
    return Program(outputs, inputs)


class _Programs:
    """The programs of graphs evaluated lately, by structure: inputs numbered in order of appearance."""

    def __init__(self, limit: int = 512) -> None:
        self.limit = limit
        self.found: OrderedDict[Any, Program] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, outputs: Sequence[Node], donated: Collection[Node] = ()) -> tuple[Program, list[Node]]:
        order = list(walk(outputs))
        inputs = [node for node in order if node.op == "input"]
        settings = config.current()
        given = tuple(place for place, node in enumerate(inputs) if node in donated)
        key = (_structure(order, outputs), given, settings.disable, settings.schedule)
        with self.lock:
            program = self.found.get(key)
            if program is not None:
                self.found.move_to_end(key)
                return program, inputs
        program = self._add(key, outputs, inputs, given)
        return program, inputs

    def _add(
        self, key: Any, outputs: Sequence[Node], inputs: Sequence[Node], donated: Sequence[int]
    ) -> Program:
        results, stand_ins = _renumbered(outputs, inputs)
        program = Program(results, stand_ins, [stand_ins[place] for place in donated])
        with self.lock:
            self.found[key] = program
            while len(self.found) > self.limit:
                self.found.popitem(last=False)
        return program


def _renumbered(outputs: Sequence[Node], inputs: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """The same graph over inputs of its own, so that a cached program keeps no array of the user's alive."""
    from fuse.ir.build import new_input
    from fuse.ir.rewrite import renamed, with_inputs

    new: dict[int, Node] = {}
    for node in walk(outputs):  # in order, so that a length that counts a mask counts the renumbered one
        if node.op == "input":
            new[node.id] = new_input(node.dtype, renamed(node.type, new).shape)
        else:
            new[node.id] = with_inputs(node, tuple(new[i.id] for i in node.inputs), new)
    return [new[node.id] for node in outputs], [new[node.id] for node in inputs]


def _structure(order: Sequence[Node], outputs: Sequence[Node]) -> Any:
    """A key equal for graphs of equal structure."""
    number = {node: place for place, node in enumerate(order)}
    rows = []
    for node in order:
        attrs = tuple((name, _plain(value, number)) for name, value in node.attrs.items() if name != "slot")
        rows.append((node.op, tuple(number[i] for i in node.inputs), attrs))
    return tuple(rows), tuple(number[node] for node in outputs)


def _plain(value: Any, number: Mapping[Node, int]) -> Any:
    """An attribute with the masks that dimensions name replaced by their numbers."""
    from fuse.ir.types import Count, SizeOf, Type

    if isinstance(value, Count):
        return "count", number[value.mask]
    if isinstance(value, SizeOf):
        return value.function, tuple(_plain(operand, number) for operand in value.operands)
    if isinstance(value, Type):
        return value.dtype, _plain(value.shape, number)
    if isinstance(value, tuple):
        return tuple(_plain(item, number) for item in value)
    return value


_programs = _Programs()


def program_of(outputs: Sequence[Node], donated: Collection[Node] = ()) -> tuple[Program, list[Node]]:
    """The program that evaluates graphs of this structure, and the inputs of this one in the order in which
    it takes their arrays.
    """
    return _programs.get(outputs, donated)


def evaluate(
    outputs: Sequence[Node], bindings: Mapping[Node, Array], donated: Collection[Node] = ()
) -> list[Array]:
    """The arrays of the outputs, given an array for every input they need. The memory of donated inputs,
    which nobody else may look at, may become that of a result.
    """
    return evaluate_doubting(outputs, bindings, donated)[0]


def evaluate_doubting(
    outputs: Sequence[Node], bindings: Mapping[Node, Array], donated: Collection[Node] = ()
) -> tuple[list[Array], bool]:
    """The same, and whether some operation may have overflowed, divided by zero or been invalid."""
    try:
        program, inputs = _programs.get(outputs, donated)
        return program.run_doubting([bindings[node] for node in inputs])
    except InternalError as error:
        if config.current().raise_internal:
            raise
        _log.warning("fuse interprets a graph, please report this: %s", error, exc_info=error)
        return interpret(outputs, bindings), True
