"""A plan made ready to run: every node has a slot, every step knows its slots, constants stand in theirs."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fuse import config
from fuse.execution.binding import (
    Bound,
    Form,
    address_of,
    bind,
    follows_rows,
    form_over_axes,
    form_over_rows,
)
from fuse.execution.code import Code, code_for
from fuse.execution.finish import close_gaps, combine, is_finite
from fuse.execution.launch import Launched, Launcher
from fuse.execution.replay import Failed
from fuse.execution.replays import Replays
from fuse.execution.tape import Tape
from fuse.execution.updates import copy, key_of, whole_of
from fuse.ir.interpret import Sizes, evaluate
from fuse.ir.node import Node
from fuse.ir.types import Count, Dim, SizeOf, Symbol
from fuse.plan.axes import Walk
from fuse.plan.kernels import Layout
from fuse.plan.steps import Binding, KernelStep, LibraryStep, Plan, Step, Update, UpdateStep
from fuse.runtime import buffers

Array = Any
_MOST_FORMS = 64
"""Layouts of arrays that a kernel remembers."""


class Rerun(Exception):
    """The plan does not fit these arrays (no rows, an index outside its table): interpret instead."""


class Runner:
    """Runs a plan. Holds no data of a run, so several threads may run it at once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.slots: dict[Node, int] = {}
        self.template: list[Array] = []
        self.inputs = [(self.slot(node), node.shape, _has_symbols(node.shape)) for node in plan.inputs]
        self.steps = [self._prepare(step) for step in plan.steps]
        self.outputs = [self.slot(node) for node in plan.outputs]
        self.released = self._released()
        self.addresses = {
            slot: address_of(array) for slot, array in enumerate(self.template) if array is not None
        }
        self.replays = self._replays()

    def _replays(self) -> Replays | None:
        """One step alone is no chain, and what text is made of is no array."""
        chain = [step for step in self.plan.steps if not isinstance(step, LibraryStep)]
        bindings = (b for step in chain if isinstance(step, KernelStep) for b in step.bindings)
        if len(chain) < 2 or any(binding.kind in ("offsets", "data") for binding in bindings):
            return None
        return Replays(self._run, [array for array in self.template if array is not None])

    def slot(self, node: Node) -> int:
        """The place of a node's value; a constant's value stands there from the start."""
        if node not in self.slots:
            self.slots[node] = len(self.template)
            self.template.append(node.attrs["value"].array if node.op == "constant" else None)
        return self.slots[node]

    def _prepare(self, step: Step) -> _KernelRun | _LibraryRun | _UpdateRun | _ViewRun:
        if isinstance(step, UpdateStep):
            return _UpdateRun(self, step)
        if isinstance(step, LibraryStep):
            return _ViewRun(self, step) if _is_plain_view(step.node) else _LibraryRun(self, step)
        return _KernelRun(self, step)

    def _released(self) -> list[tuple[int, ...]]:
        """For each step the slots that nothing behind it needs: their memory serves the steps that follow."""
        kept = {*self.outputs, *(n for n, array in enumerate(self.template) if array is not None)}
        found: list[tuple[int, ...]] = []
        for step in reversed(self.steps):
            found.append(tuple(slot for slot in dict.fromkeys(step.slots) if slot not in kept))
            kept.update(step.slots)
        return found[::-1]

    def run(self, arrays: Sequence[Array]) -> tuple[list[Array], bool]:
        """The values of the plan's outputs, and whether some operation may have overflowed, divided by zero
        or been invalid. Raises Rerun when the plan does not fit the arrays.
        """
        if self.replays is None:
            return self._run(arrays)
        try:
            return self.replays.run(arrays)
        except Failed as error:
            raise Rerun from error

    def _run(self, arrays: Sequence[Array], tape: Tape | None = None) -> tuple[list[Array], bool]:
        values, sizes = self.template.copy(), Sizes()
        for (slot, shape, symbolic), array in zip(self.inputs, arrays, strict=True):
            values[slot] = array
            if symbolic:
                sizes.bind(shape, array.shape)
        doubtful = False
        for step, released in zip(self.steps, self.released, strict=True):
            doubtful |= step.run(values, sizes, tape)
            for slot in released:
                values[slot] = None
        return [values[slot] for slot in self.outputs], doubtful


def _has_symbols(shape: Sequence[Dim]) -> bool:
    return any(isinstance(dim, Symbol | Count | SizeOf) for dim in shape)


class _LibraryRun:
    """One node by the interpreter."""

    __slots__ = ("node", "slot", "slots", "sources")

    def __init__(self, runner: Runner, step: LibraryStep) -> None:
        self.node = step.node
        self.sources = [runner.slot(source) for source in step.node.inputs]
        self.slot = runner.slot(step.node)
        self.slots = [*self.sources, self.slot]

    def run(self, values: list[Array], sizes: Sizes, tape: Tape | None) -> bool:
        operands = [_real(values[source]) for source in self.sources]
        errors: list[str] = []
        try:
            with np.errstate(all="call", under="ignore", call=lambda error, _: errors.append(error)):
                value = evaluate(self.node, operands, sizes)
        except IndexError as error:
            raise Rerun from error
        values[self.slot] = value
        if tape is not None and not (self.node.op in _VIEW_OPS and _is_within(value, operands[0])):
            tape.fail()
        first = self.node.shape[0] if self.node.shape else None
        if isinstance(first, Count):
            sizes.count(first.mask, value.shape[0])
        _learn_count(self.node, value, sizes)
        return bool(errors)


_VIEW_OPS = frozenset({"slice", "transpose", "reshape", "broadcast", "bitcast"})


def _is_within(view: Array, array: Array) -> bool:
    """Whether an array is a view of another, and not a copy."""
    return type(view) is type(array) is np.ndarray and np.may_share_memory(view, array)


_VIEWS: Mapping[str, Callable[[Node], Callable[[Array], Array]]] = {
    "slice": lambda node: operator.itemgetter(key_of(node.attrs["slices"])),
    "transpose": lambda node: operator.methodcaller("transpose", node.attrs["axes"]),
    "reshape": lambda node: operator.methodcaller("reshape", node.attrs["shape"]),
}


def _is_plain_view(node: Node) -> bool:
    return node.op in _VIEWS and node.dtype.kind != "T" and not _has_symbols(node.shape)


class _ViewRun:
    """A view of an array of known lengths."""

    __slots__ = ("slot", "slots", "source", "view")

    def __init__(self, runner: Runner, step: LibraryStep) -> None:
        self.source, self.slot = runner.slot(step.node.inputs[0]), runner.slot(step.node)
        self.slots = [self.source, self.slot]
        self.view = _VIEWS[step.node.op](step.node)

    def run(self, values: list[Array], sizes: Sizes, tape: Tape | None) -> bool:
        values[self.slot] = self.view(values[self.source])
        if tape is not None and not _is_within(values[self.slot], values[self.source]):
            tape.fail()
        return False


class _Place:
    """Where an update's result comes from and goes to."""

    __slots__ = ("base", "in_place", "key", "slots", "values", "whole")

    def __init__(self, runner: Runner, update: Update) -> None:
        self.base, self.values = (runner.slot(node) for node in update.node.inputs)
        self.whole = runner.slot(update.node)
        self.key = key_of(update.node.attrs["slices"])
        self.in_place = update.in_place
        self.slots = [self.base, self.values, self.whole]

    def make(self, values: list[Array], tape: Tape | None) -> Array:
        """The whole, and in it the part that is to be written."""
        base = _real(values[self.base])
        whole = values[self.whole] = whole_of(base, self.key, tape, in_place=self.in_place)
        return whole[self.key]


class _UpdateRun:
    """An update with elements that are there."""

    __slots__ = ("place", "slots")

    def __init__(self, runner: Runner, step: UpdateStep) -> None:
        self.place = _Place(runner, step.update)
        self.slots = self.place.slots

    def run(self, values: list[Array], sizes: Sizes, tape: Tape | None) -> bool:
        elements = _real(values[self.place.values])
        copy(self.place.make(values, tape), elements, tape)
        return False


def _learn_count(node: Node, value: Array, sizes: Sizes) -> None:
    """A reduction that counts a mask tells the length of what the mask keeps."""
    if node.op != "reduce" or node.attrs["kind"] != "sum":
        return
    (source,) = node.inputs
    counts_mask = source.op == "convert" and source.dtype == np.int64 and source.type.rank == 1
    if counts_mask and source.inputs[0].dtype == np.dtype(bool):
        sizes.count(source.inputs[0], int(value))


def _real(value: Array) -> Array:
    return value.to_numpy_strings() if hasattr(value, "to_numpy_strings") else value


class _KernelRun:
    """One kernel: its arrays, its results, and the code for the layouts seen so far."""

    def __init__(self, runner: Runner, step: KernelStep) -> None:
        self.step, self.kernel, self.runner = step, step.kernel, runner
        self.sources = [self._source(runner, binding) for binding in step.bindings]
        self.updates = [_Place(runner, update) for update in step.updates]
        written = {place.values for place in self.updates}
        self.results = [
            (runner.slot(node), node, "part" if runner.slot(node) in written else self._result_kind(node))
            for node in step.results
        ]
        self.is_plain = all(kind in ("domain", "part") for _, _, kind in self.results)
        self.slots = [
            *(slot for slot, _ in self.sources),
            *(slot for slot, _, _ in self.results),
            *(slot for place in self.updates for slot in place.slots),
        ]
        self.codes: dict[tuple[Layout, str], Code] = {}
        shape = step.domain.shape
        self.static = None if _has_symbols(shape) else tuple(int(str(dim)) for dim in shape)
        self.follows = follows_rows(self.kernel)
        self.moving = [slot for (slot, _), does in zip(self.sources, self.follows, strict=True) if does]
        self.forms: dict[tuple[tuple[int, ...], ...], Form] = {}
        self.tables = [place for place, buffer in enumerate(self.kernel.buffers) if buffer.role == "table"]
        self.launcher = Launcher(step)
        self.constants: list[int | None] | None = None

    def _source(self, runner: Runner, binding: Binding) -> tuple[int, Callable[[Array], Array] | None]:
        if binding.table is not None:
            runner.template.append(binding.table.array)
            return len(runner.template) - 1, None
        assert binding.node is not None
        if binding.kind != "value":
            return runner.slot(binding.node), operator.attrgetter(binding.kind)
        column = binding.column
        return runner.slot(binding.node), None if column is None else operator.itemgetter(
            (slice(None), column)
        )

    def run(self, values: list[Array], sizes: Sizes, tape: Tape | None) -> bool:
        shape = self.static if self.static is not None else sizes.shape(self.step.domain.shape)
        if 0 in shape:
            raise Rerun
        self._allocate(values, sizes, shape, tape)
        given = [values[slot] for slot in self.moving]
        form = self._form(values, shape) if self.is_plain else None
        if form is None:
            walk = None if len(shape) == 1 else self._walk(values, shape)
            self._allocate_partials(values, shape, walk)
            form = self._new_form(values, shape, walk)
        bound = bind(form, arrays := self._arrays(values), self._addresses(arrays))
        if tape is not None and self._are_copied(values, given, arrays):
            tape.fail()
        launched = self.launcher.launch(self._code(bound), bound, self._matrices(bound.arrays), tape)
        if launched.failed:
            raise Rerun
        if self.is_plain:
            return launched.doubtful
        partials = [values[slot] for slot, _, kind in self.results if kind == "reduce"]
        doubtful = self._finish(values, sizes, bound, launched) or launched.doubtful
        if tape is not None:
            results = [values[slot] for slot, _, kind in self.results if kind == "reduce"]
            tape.folds += results
            if not all(map(_is_within, results, partials)):
                tape.fail()
        return doubtful

    # Before

    def _allocate(self, values: list[Array], sizes: Sizes, shape: tuple[int, ...], tape: Tape | None) -> None:
        for slot, node, kind in self.results:
            if kind == "domain":
                values[slot] = buffers.empty(shape, node.dtype)
            elif kind == "kept":
                values[slot] = buffers.empty((shape[0], *sizes.shape(node.shape[1:])), node.dtype)
            elif kind == "other":
                values[slot] = buffers.empty(sizes.shape(node.shape), node.dtype)
        for place in self.updates:
            values[place.values] = place.make(values, tape)

    def _allocate_partials(self, values: list[Array], shape: tuple[int, ...], walk: Walk | None) -> None:
        """Room for one value a unit of each reduction."""
        block = self.kernel.schedule.block
        if self.step.domain.steps:
            assert walk is not None
            units = math.prod(self._folded(walk.lengths, walk.length))
        else:
            units = (
                -(-shape[0] // block) if walk is None else math.prod(walk.lengths) * -(-walk.length // block)
            )
        for slot, node, kind in self.results:
            if kind == "reduce":
                values[slot] = np.empty(units, node.dtype)

    def _folded(self, outer: tuple[int, ...], inner: int) -> tuple[int, int, int]:
        """What a kernel of steps leaves: (outer elements, units along the steps, inner elements)."""
        return math.prod(outer[:-1]), -(-outer[-1] // self.kernel.schedule.steps), inner

    def _walk(self, values: list[Array], shape: tuple[int, ...]) -> Walk:
        """How to walk several axes. Arrays whose reduced axes do not make one are copied so that they do."""
        moving, domain = self.moving, self.step.domain
        walk = domain.walk(shape, [values[slot] for slot in moving])
        if walk is not None:
            return walk
        order = domain.order()
        for slot in moving:
            values[slot] = np.ascontiguousarray(values[slot].transpose(order)).transpose(np.argsort(order))
        walk = domain.walk(shape, [values[slot] for slot in moving])
        assert walk is not None, "contiguous axes collapse"
        return walk

    def _result_kind(self, node: Node) -> str:
        """How a result's array is made: in the domain's shape, one value a unit, as many rows as are kept at
        most.
        """
        if node.op == "reduce":
            return "reduce"
        mask = self.step.domain.mask
        if mask is not None and node.shape and node.shape[0] == Count(mask):
            return "kept"
        return "domain" if node.shape == self.step.domain.shape else "other"

    def _form(self, values: list[Array], shape: tuple[int, ...]) -> Form:
        """The form of a call that folds nothing: the same for the same strides."""
        key = (shape, *[values[slot].strides for slot in self.moving])
        form = self.forms.get(key)
        if form is None:
            if len(self.forms) > _MOST_FORMS:
                self.forms.clear()
            walk = None if len(shape) == 1 else self._walk(values, shape)
            form = self.forms[key] = self._new_form(values, shape, walk)
        return form

    def _new_form(self, values: list[Array], shape: tuple[int, ...], walk: Walk | None) -> Form:
        arrays = self._arrays(values)
        if walk is None:
            return form_over_rows(self.follows, arrays, shape[0])
        return form_over_axes(self.follows, arrays, walk)

    def _arrays(self, values: list[Array]) -> list[Array]:
        """The array of each buffer."""
        arrays = [values[slot] if take is None else take(values[slot]) for slot, take in self.sources]
        for place in self.tables:
            if arrays[place].ndim == 1 and arrays[place].strides[0] != arrays[place].itemsize:
                arrays[place] = np.ascontiguousarray(arrays[place])
        return arrays

    def _are_copied(self, values: list[Array], given: Sequence[Array], arrays: Sequence[Array]) -> bool:
        """Whether some arrays had to be laid out anew for the kernel."""
        moved = any(values[slot] is not array for slot, array in zip(self.moving, given, strict=True))
        tables = ((values[self.sources[place][0]], arrays[place]) for place in self.tables)
        return moved or not all(np.may_share_memory(*pair) for pair in tables)

    def _addresses(self, arrays: Sequence[Array]) -> list[int]:
        if self.constants is None:
            known = self.runner.addresses
            self.constants = [known.get(slot) if take is None else None for slot, take in self.sources]
        return [
            address_of(array) if known is None else known
            for array, known in zip(arrays, self.constants, strict=True)
        ]

    def _matrices(self, arrays: Sequence[Array]) -> list[int]:
        words = [0] * (2 * len(arrays))
        for place in self.tables:
            strides = arrays[place].strides
            words[2 * place : 2 * place + 2] = (*strides[:2], 0, 0)[:2]
        return words

    def _code(self, bound: Bound) -> Code:
        key = (bound.layout, config.current().target)
        code = self.codes.get(key)
        if code is None:
            code = self.codes[key] = code_for(self.kernel, bound.layout)
        return code

    # After

    def _finish(self, values: list[Array], sizes: Sizes, bound: Bound, launched: Launched) -> bool:
        """Make values of what the units left; whether one of them is infinite or no number."""
        doubtful = False
        keeps = self.launcher.keeps
        kept = sum(launched.counts) if keeps else 0
        if keeps:
            assert self.step.domain.mask is not None
            sizes.count(self.step.domain.mask, kept)
        for slot, node, kind in self.results:
            if kind == "reduce":
                values[slot] = self._reduced(node, values[slot], bound, sizes)
                _learn_count(node, values[slot], sizes)
                doubtful |= not is_finite(values[slot])
            elif kind == "kept":
                values[slot] = self._dense(values[slot], launched, kept)
        return doubtful

    def _reduced(self, node: Node, partials: Array, bound: Bound, sizes: Sizes) -> Array:
        if self.step.domain.steps:
            folded = partials.reshape(self._folded(bound.outer, bound.inner))
            return np.asarray(combine(node.attrs["kind"], folded.swapaxes(1, 2))).reshape(
                sizes.shape(node.shape)
            )
        if not self.step.domain.reduced:
            return np.asarray(combine(node.attrs["kind"], partials))
        table = partials.reshape(math.prod(bound.outer), -1)
        return np.asarray(combine(node.attrs["kind"], table)).reshape(sizes.shape(node.shape))

    def _dense(self, output: Array, launched: Launched, kept: int) -> Array:
        if not launched.in_order:
            close_gaps(output, launched.counts, self.kernel.schedule.block)
        if 2 * kept < output.shape[0]:
            dense = buffers.empty((kept, *output.shape[1:]), output.dtype)
            dense[...] = output[:kept]
            return dense
        return output[:kept]
