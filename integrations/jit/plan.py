"""A recording made replayable: programs between library steps, guards, and what to give back.

    arrays of the call, arrays of the surroundings
      -> Run (a compiled program) -> Check (guards on what it gave) -> Call (a library step) -> Run …
      -> write-backs into the arguments, result

All values of a replay stand in one list that the steps extend, so a step names its sources by position.
Guards are computed in the same pass as what follows them: in the usual case they hold. Once they failed, an
entry has several plans, and those are linked `apart`: a program of its own before each check, shared between
plans that have it in common, so that choosing a path is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fuse import config, engine
from fuse.integrations.capture import watching
from fuse.integrations.capture.cutting import cut_at, placeholder
from fuse.integrations.capture.lengths import witnesses
from fuse.integrations.capture.recording import Guard, LibraryStep, SizeGuard
from fuse.integrations.capture.report import Fallback
from fuse.integrations.capture.watching import Watch
from fuse.integrations.jit.results import Template
from fuse.integrations.jit.surroundings import Surroundings
from fuse.integrations.jit.writeback import WriteBack
from fuse.ir.node import Node, walk
from fuse.ir.types import Type

Array = Any
Event = Guard | SizeGuard | LibraryStep

_KEPT = frozenset({"reduce", "scan", "arg_reduce", "dot", "forest", "opaque"})
"""Ops whose value is small or dear: a later program reads it instead of computing it again."""
_VIEWS = frozenset({"input", "constant", "slice", "reshape", "transpose", "broadcast", "bitcast"})
"""Ops whose array may be the memory of an argument or of a constant."""


@dataclass(frozen=True)
class Trace:
    """What a recording found: inputs (arguments, then surroundings), events, template and write-backs."""

    inputs: tuple[Node, ...]
    captured: tuple[Array, ...]
    events: tuple[Event, ...]
    template: Template
    writes: tuple[WriteBack, ...]
    surroundings: Surroundings
    fallbacks: tuple[Fallback, ...] = ()
    tainted: str | None = None
    order_matters: bool = False
    watched: Mapping[Watch, tuple[Node, ...]] = field(default_factory=dict)
    errors: tuple[str, ...] | None = None
    filters: Sequence[Any] = ()

    def holds(self) -> bool:
        """Whether what the function read beside its arguments is the same, NumPy's error state included."""
        return self.surroundings.holds() and (self.errors is None or watching.error_state() == self.errors)

    def wanted(self) -> list[Node]:
        """The nodes of the result and of the write-backs."""
        return [*self.template.nodes, *(node for write in self.writes for node in write.template.nodes)]


@dataclass(slots=True)
class Run:
    """Run a program on values by position; the values it gives are appended."""

    program: engine.Program
    sources: tuple[int, ...]
    nodes: tuple[Node, ...]


@dataclass(slots=True)
class Check:
    """The value at a position must have these bits."""

    position: int
    expected: tuple[Any, ...]
    text: str


@dataclass(slots=True)
class CheckSize:
    """The array at a position must have this length along axis 0."""

    position: int
    length: int
    text: str


@dataclass(slots=True)
class Call:
    """Run a library function; the arrays it gives are appended."""

    step: LibraryStep
    sources: tuple[int, ...]


Step = Run | Check | CheckSize | Call
Memo = dict[int, tuple[list[Array], bool]]


@dataclass(slots=True)
class Plan:
    """Steps, and where the nodes of the trace's template and write-backs stand when they are through.

    `second_look` finds which of the watched calls met an error, when a kernel doubts.
    """

    trace: Trace
    steps: tuple[Step, ...]
    positions: tuple[int, ...]
    copied: frozenset[int]
    second_look: SecondLook

    def values(self, arrays: Sequence[Array], memo: Memo) -> list[Array] | None:
        """The arrays of `positions`; None when a guard does not hold.

        Warns as NumPy would; NumpyWarns when it would do more than that.
        """
        found = [*arrays, *self.trace.captured]
        doubtful = False
        for step in self.steps:
            outcome = _take(step, found, memo)
            if outcome is None:
                return None
            doubtful |= outcome
        if doubtful:
            self.second_look.take(found)
        return [apart(array, arrays) for array in self.pick(found)]

    def resumed(
        self, arrays: Sequence[Array], known: Mapping[Node, Array], doubtful: bool
    ) -> list[Array] | None:
        """The same right after the recording, which has already called the library and computed what Python
        saw; None when something it presumed does not hold.
        """
        found = [*arrays, *self.trace.captured]
        for step in self.steps:
            nodes = step.nodes if isinstance(step, Run) else ()
            if isinstance(step, Call):
                found += [known[node] for node in step.step.outputs]
                continue
            if nodes and all(node in known for node in nodes):
                found += [known[node] for node in nodes]
                continue
            outcome = _take(step, found, {})
            if outcome is None:
                return None
            doubtful |= outcome
        if doubtful:
            self.second_look.take(found)
        return [apart(array, arrays) for array in self.pick(found)]

    def pick(self, found: Sequence[Array]) -> list[Array]:
        """What leaves the plan; memory that belongs to somebody else is copied."""
        return [
            own(found[position]) if index in self.copied else found[position]
            for index, position in enumerate(self.positions)
        ]

    @property
    def program(self) -> engine.Program | None:
        """The one program of a plan that is nothing but that."""
        if len(self.steps) != 1 or self.trace.writes or self.trace.captured or self.copied:
            return None
        if self.trace.order_matters:
            return None
        step = self.steps[0]
        count = len(self.trace.inputs)
        whole = isinstance(step, Run) and step.sources == tuple(range(count))
        in_order = self.positions == tuple(range(count, count + len(self.positions)))
        return step.program if isinstance(step, Run) and whole and in_order else None


@dataclass(slots=True)
class SecondLook:
    """The watched calls of a trace; `where` says at which position the value of a node stands.

    The program that looks is made when it is needed first.
    """

    trace: Trace
    linker: Linker
    where: Mapping[Node, int]
    checks: Sequence[watching.Check] | None = None
    program: tuple[engine.Program, list[Node]] | None = None

    def take(self, found: Sequence[Array]) -> None:
        """Warn of what the calls met; NumpyWarns when NumPy does more than warn at the end."""
        if not config.current().warn:
            return
        if self.checks is None:
            self.checks = watching.checks_of(self.trace.watched)
            conditions = [check.condition for check in self.checks]
            self.program = self.linker.program(conditions, self.where) if conditions else None
        if self.program is not None:
            program, sources = self.program
            holds = program.run([found[self.where[source]] for source in sources])
            watching.tell_together(watching.met(self.checks, holds), tuple(self.trace.filters))


def _take(step: Step, found: list[Array], memo: Memo) -> bool | None:
    """Run a step: whether it doubts, None when a guard does not hold."""
    match step:
        case Run(program, sources, _):
            known = memo.get(id(program))
            if known is None:
                known = memo[id(program)] = program.run_doubting([found[source] for source in sources])
            found += known[0]
            return known[1]
        case Check(position, expected, _):
            return False if fingerprint(found[position]) == expected else None
        case CheckSize(position, length, _):
            return False if found[position].shape[0] == length else None
        case Call(library, sources):
            given = [found[source] for source in sources]
            results = library.function(*given)
            if not library.fits(given, results):
                return None
            found += results
    return False


def fingerprint(value: Any) -> tuple[Any, ...]:
    """A value by its bits, for comparing what Python saw."""
    array = np.asarray(value)
    content = array.tolist() if array.dtype.kind in "OT" else array.tobytes()
    return array.dtype.str if array.dtype.kind != "T" else "str", array.shape, content


def own(array: Array) -> Array:
    """A copy, but for what nobody writes to: text, and objects that pandas keeps."""
    return array.copy() if isinstance(array, np.ndarray) and array.dtype.kind != "O" else array


def apart(array: Array, arguments: Sequence[Array]) -> Array:
    """An array that is not in the memory of an argument: what a recording evaluated may be."""
    if not isinstance(array, np.ndarray):
        return array
    shares = any(isinstance(a, np.ndarray) and np.may_share_memory(array, a) for a in arguments)
    return own(array) if shares else array


@dataclass
class Linker:
    """Turns traces of one signature into plans. Programs and placeholders are shared between them."""

    programs: dict[tuple[Any, ...], engine.Program] = field(default_factory=dict)
    placeholders: dict[tuple[Any, ...], Node] = field(default_factory=dict)

    def link(self, trace: Trace, apart: bool) -> Plan:
        """The plan of a trace."""
        where = {node: position for position, node in enumerate(trace.inputs)}
        count = len(trace.inputs)
        steps: list[Step] = []
        segments = list(_segments(trace.events, apart))
        wanted = trace.wanted()
        for number, events in enumerate(segments):
            later = [n for rest in segments[number + 1 :] for n in _needed(rest)] + wanted
            ends_with_call = isinstance(events[-1], LibraryStep)
            speculative = number == len(segments) - 1 and not apart and not ends_with_call
            steps += _size_checks(events, where)
            events = _checked_early(events, where, steps)
            needed = _needed(events) + (wanted if speculative else [])
            count = self._run(needed, [] if speculative else later, where, count, steps)
            count = _follow(events, where, count, steps)
        self._run(wanted, [], where, count, steps)
        given = _as_compiled(steps)
        final = [given.get(node, node) for node in wanted]
        copied = frozenset(borrowed(final, len(trace.template.nodes)))
        positions = tuple(where[node] for node in wanted)
        return Plan(trace, tuple(steps), positions, copied, SecondLook(trace, self, where))

    def _run(
        self,
        needed: Sequence[Node],
        later: Sequence[Node],
        where: dict[Node, int],
        count: int,
        steps: list[Step],
    ) -> int:
        missing = [node for node in dict.fromkeys(needed) if node not in where]
        if not missing:
            return count
        ahead = {node.id for node in walk(later)} if later else set()
        kept = [
            n
            for n in walk(missing)
            if n.op in _KEPT and n.id in ahead and n not in where and n not in missing
        ]
        outputs = missing + kept
        program, sources = self.program(outputs, where)
        steps.append(Run(program, tuple(where[node] for node in sources), tuple(outputs)))
        where.update({node: count + offset for offset, node in enumerate(outputs)})
        return count + len(outputs)

    def program(
        self, outputs: Sequence[Node], where: Mapping[Node, int]
    ) -> tuple[engine.Program, list[Node]]:
        """The program of the outputs, cut at what is known, and the known nodes that it reads."""
        graph, inputs = cut_at(outputs, where, self._placeholder)
        inputs = {node: inputs[node] for node in sorted(inputs, key=where.__getitem__)}
        inputs.update({node: node for node in witnesses(graph, inputs.values(), where)})
        key = (tuple(graph), tuple(inputs.values()))
        program = self.programs.get(key)
        if program is None:
            program = self.programs[key] = engine.compile(graph, list(inputs.values()))
        return program, list(inputs)

    def _placeholder(self, node: Node, type_: Type) -> Node:
        key = (node.id, type_)
        if key not in self.placeholders:
            self.placeholders[key] = placeholder(node, type_)
        return self.placeholders[key]


def _segments(events: Iterable[Event], apart: bool) -> Iterator[list[Event]]:
    """Stretches that end with a library step; when `apart`, every guard is one too."""
    current: list[Event] = []
    for event in events:
        current.append(event)
        if apart or isinstance(event, LibraryStep):
            yield current
            current = []
    if current:
        yield current


def _needed(events: Iterable[Event]) -> list[Node]:
    found: list[Node] = []
    for event in events:
        if isinstance(event, Guard):
            found.append(event.node)
        elif isinstance(event, LibraryStep):
            found += event.inputs
    return found


def _size_checks(events: Iterable[Event], where: dict[Node, int]) -> list[Step]:
    """Lengths are known before anything runs."""
    found: list[Step] = []
    for event in events:
        if isinstance(event, SizeGuard):
            position = next(p for node, p in where.items() if event.dim in node.shape[:1])
            found.append(CheckSize(position, event.value, f"{event.dim.name} is {event.value}"))
    return found


def _checked_early(events: Sequence[Event], where: dict[Node, int], steps: list[Step]) -> list[Event]:
    """The events without the guards on values that are there already: those are checked before anything else
    runs, so that no program meets what a library step gave in vain.
    """
    later: list[Event] = []
    for event in events:
        if isinstance(event, Guard) and event.node in where:
            _follow([event], where, 0, steps)
        else:
            later.append(event)
    return later


def _follow(events: Iterable[Event], where: dict[Node, int], count: int, steps: list[Step]) -> int:
    """The checks and the call that come after a program."""
    for event in events:
        if isinstance(event, Guard):
            steps.append(Check(where[event.node], fingerprint(event.value), guard_text(event)))
        elif isinstance(event, LibraryStep):
            steps.append(Call(event, tuple(where[node] for node in event.inputs)))
            where.update({node: count + offset for offset, node in enumerate(event.outputs)})
            count += len(event.outputs)
    return count


def guard_text(guard: Guard) -> str:
    """What Python saw, and where."""
    place = f" at {guard.node.location}" if guard.node.location else ""
    return f"{guard.node.op}{place} is {np.asarray(guard.value)!s}"


def _as_compiled(steps: Iterable[Step]) -> dict[Node, Node]:
    """What each program computes for a node: simplified, it may be an input."""
    found: dict[Node, Node] = {}
    for step in steps:
        if isinstance(step, Run):
            found.update(zip(step.nodes, step.program.results, strict=True))
    return found


def borrowed(wanted: Sequence[Node], results: int) -> Iterator[int]:
    """Outputs whose array is that of an earlier output or, among results, may be an input's or a constant's.

    What is written back into an argument is copied there anyway; but of several, one may be another's memory.
    """
    seen: set[Node] = set()
    several = len(wanted) - results > 1
    for index, node in enumerate(wanted):
        source = node
        while source.op in _VIEWS and source.inputs:
            source = source.inputs[0]
        is_owned = index < results or several
        if node in seen or (is_owned and source.op in ("input", "constant")):
            yield index
        seen.add(node)
