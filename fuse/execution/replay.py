"""A taped run again, over other arrays of the same lengths and strides: one call, however many kernels.

The words of all launches stand in one block, behind a table of (code, arguments, control). A word that is an
address is kept relative to the memory that it points into; a call adds what that memory's address is now.
Memories are the inputs and what the taped run made: ranges of addresses, so that memory which the run used
twice is used twice again. A range with a result in it is made anew in every call, the others lie in one
arena.

Refused are tapes that write to what was given, that read what was neither given nor written before, and those
whose results are views of inputs.
"""

from __future__ import annotations

import ctypes
import functools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fuse.execution.binding import address_of
from fuse.execution.finish import is_finite
from fuse.execution.tape import Launch, Span, Tape
from fuse.plan.kernels import DOUBT, ERROR
from fuse.runtime import buffers, cache, loader, sources

_ALIGN = 64
_WORD = 8


class NoReplay(Exception):
    """A tape that cannot be replayed."""


class Failed(Exception):
    """A kernel met data that it has no answer to, such as an index outside its table."""


class Replay:
    """A tape made ready. inputs, constants: what the run was given; outputs: what it gave.

    Raises NoReplay for a tape that cannot be replayed.
    """

    def __init__(
        self,
        tape: Tape,
        inputs: Sequence[np.ndarray],
        constants: Sequence[np.ndarray],
        outputs: Sequence[np.ndarray],
    ) -> None:
        if tape.failed or not tape.launches:
            raise NoReplay("the run did more than launch kernels")
        self._held = constants, [launch.code for launch in tape.launches]
        given = {id(array): number for number, array in enumerate(inputs)}
        made = [array for array in outputs if id(array) not in given]
        memory = _Memory(tape, inputs, constants, made)
        memory.check(tape, [*made, *tape.folds])
        self._sizes = memory.sizes
        self._given = [given.get(id(array)) for array in outputs]
        self._made = [memory.view(array) for array in made]
        self._folds = [memory.view(array) for array in tape.folds]
        self._words = _words(tape.launches, memory)

    def run(self, arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], bool]:
        """The results, and whether some operation may have overflowed, divided by zero or been invalid."""
        words = self._words
        made = [_Room.of(size) for size in self._sizes]
        block = words.block.copy()
        own = address_of(block)
        bases = [*map(address_of, arrays), *(room.address for room in made), own]
        block[words.places] += np.array(bases)[words.memories]
        _relaunch()(own, words.launches)
        doubtful = bool(block[words.told].any())
        if doubtful and block[words.errors].any():
            raise Failed
        doubtful = doubtful or not all(is_finite(view.within(made)) for view in self._folds)
        results = (view.within(made) for view in self._made)
        return [next(results) if n is None else arrays[n] for n in self._given], doubtful


class _Room(NamedTuple):
    """Memory of one run. `address` begins a cache line, so many bytes behind the start."""

    memory: np.ndarray
    start: int
    address: int

    @classmethod
    def of(cls, size: int) -> _Room:
        """Room for so many bytes."""
        memory = buffers.empty(size + _ALIGN, np.uint8)
        address = address_of(memory)
        return cls(memory, -address % _ALIGN, address + -address % _ALIGN)


class _View(NamedTuple):
    """An array in memory that a run makes; offset in bytes."""

    memory: int
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    strides: tuple[int, ...]

    def within(self, made: Sequence[_Room]) -> np.ndarray:
        """The array in the memory of this run."""
        room = made[self.memory]
        return np.ndarray(self.shape, self.dtype, room.memory, room.start + self.offset, self.strides)


class _Ranges:
    """Ranges of addresses; those that meet are one."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans: list[Span] = []
        for span in sorted(spans):
            if self.spans and span.start < self.spans[-1].stop:
                self.spans[-1] = Span(self.spans[-1].start, max(span.stop, self.spans[-1].stop))
            else:
                self.spans.append(span)
        self.starts = [span.start for span in self.spans]

    def find(self, span: Span) -> int | None:
        """The range that a span meets."""
        place = bisect_right(self.starts, span.start) - 1
        if place >= 0 and span.start < self.spans[place].stop:
            return place
        place += 1
        return place if place < len(self.spans) and self.spans[place].start < span.stop else None


class _Memory:
    """Whose memory the addresses of a taped run are.

    Numbered are first the inputs, then what is made anew: the arena, which begins with the working memory of
    kernels, and each range that holds results; behind them, the block of words.
    """

    def __init__(
        self,
        tape: Tape,
        inputs: Sequence[np.ndarray],
        constants: Sequence[np.ndarray],
        results: Sequence[np.ndarray],
    ) -> None:
        spans = [Span.of(array) for array in inputs]
        self.given, self.fixed = _Ranges(spans), _Ranges([Span.of(array) for array in constants])
        if len(self.given.spans) < len(inputs) or any(self.fixed.find(span) is not None for span in spans):
            raise NoReplay("inputs share memory")
        in_order = sorted(range(len(inputs)), key=lambda number: spans[number])
        self.inputs = [(number, address_of(inputs[number])) for number in in_order]
        used = [pointer.span for launch in tape.launches for pointer in launch.pointers]
        used += [Span.of(array) for array in (*results, *tape.folds)]
        self.made = _Ranges([span for span in used if self.is_made(span)])
        self.sizes = [max(launch.scratch.size for launch in tape.launches)]
        self.places = self._placed({self.made.find(Span.of(array)) for array in results})
        self.arena, self.words = len(inputs), len(inputs) + len(self.sizes)

    def _placed(self, with_results: set[int | None]) -> Mapping[int, tuple[int, int]]:
        """Of each range that was made, the memory and the offset; it lies as before to a cache line."""
        places: dict[int, tuple[int, int]] = {}
        for number, span in enumerate(self.made.spans):
            memory = len(self.sizes) if number in with_results else 0
            if memory:
                self.sizes.append(0)
            begin = -(-self.sizes[memory] // _ALIGN) * _ALIGN + span.start % _ALIGN
            places[number] = memory, begin
            self.sizes[memory] = begin + span.stop - span.start
        return places

    def is_made(self, span: Span) -> bool:
        """Whether these bytes were made by the run, not given."""
        return self.given.find(span) is None and self.fixed.find(span) is None

    def place(self, address: int, span: Span) -> tuple[int, int] | None:
        """The memory that an address points into and the bytes from its start; None if it never moves."""
        found = self.given.find(span)
        if found is not None:
            number, first = self.inputs[found]
            return number, address - first
        if self.fixed.find(span) is not None:
            return None
        memory, offset = self._made_at(address, span)
        return self.arena + memory, offset

    def _made_at(self, address: int, span: Span) -> tuple[int, int]:
        found = self.made.find(span)
        if found is None:
            raise NoReplay("a result is a view of an input")
        memory, offset = self.places[found]
        return memory, offset + address - self.made.starts[found]

    def view(self, array: np.ndarray) -> _View:
        """An array that the run made."""
        place = self._made_at(address_of(array), Span.of(array))
        return _View(*place, array.shape, array.dtype, array.strides)

    def check(self, tape: Tape, wanted: Sequence[np.ndarray]) -> None:
        """Whether all that is read, and wanted, was written before; and nothing that was given."""
        spans = [pointer.span for launch in tape.launches for pointer in launch.pointers]
        spans += map(Span.of, wanted)
        edges = np.unique([edge for span in spans for edge in span])
        written = np.zeros(len(edges), bool)

        def part(span: Span) -> slice:
            return slice(*np.searchsorted(edges, span).tolist())

        for launch in tape.launches:
            for pointer in launch.pointers:
                is_made = self.is_made(pointer.span)
                if pointer.writes and not is_made:
                    raise NoReplay("a kernel writes to what was given")
                if not pointer.writes and is_made and not written[part(pointer.span)].all():
                    raise NoReplay("a kernel reads what Python wrote")
            for pointer in launch.pointers:
                if pointer.writes:
                    written[part(pointer.span)] = True
        for array in wanted:
            span = Span.of(array)
            if not (array.size and self.is_made(span) and written[part(span)].all()):
                raise NoReplay("a result is a view of an input, or Python's")


class _Words(NamedTuple):
    """A block of words, where addresses are in it and of which memory.

    launches: entries of the table; errors: where kernels say that they failed; told: there, and where they
    say that they are in doubt.
    """

    block: np.ndarray
    places: np.ndarray
    memories: np.ndarray
    errors: np.ndarray
    told: np.ndarray
    launches: int


def _words(launches: Sequence[Launch], memory: _Memory) -> _Words:
    copy_rows, begin = _library()[_COPY_ROWS], _ENTRY * len(launches)
    table: list[int] = []
    words: list[int] = []
    moving: list[tuple[int, int]] = []  # (place, memory)
    controls: list[int] = []
    for launch in launches:
        start = begin + len(words)
        arguments = list(launch.arguments)
        for pointer in launch.pointers:
            place = memory.place(pointer.address, pointer.span)
            if place is not None:
                moving.append((start + pointer.place, place[0]))
                arguments[pointer.place] = place[1]
        if launch.scratch.size:
            moving.append((start + launch.scratch.place, memory.arena))
            arguments[launch.scratch.place] = 0
        control = start + len(arguments)
        controls += [control] if launch.control else []
        moving += [(len(table) + 1, memory.words), (len(table) + 2, memory.words)]
        table += [launch.code.address if launch.code else copy_rows, start * _WORD, control * _WORD]
        words += [*arguments, *launch.control]
    errors, doubts = (np.array(controls, np.int64) + word for word in (ERROR, DOUBT))
    block, told = np.array([*table, *words]), np.concatenate([errors, doubts])
    places, memories = np.array(moving).T
    return _Words(block, places, memories, errors, told, len(launches))


_RELAUNCH, _COPY_ROWS, _ENTRY = "relaunch", "copy_rows", 3


@functools.cache
def _library() -> loader.Library:
    from fuse.codegen.relaunch import emit_relaunch_module
    from fuse.codegen.target import compile_to_object, current_target

    target = current_target()
    key = sources.key("relaunch", target.key)
    object_code = cache.get(key)
    if object_code is None:
        object_code = compile_to_object(emit_relaunch_module(target), target)
        cache.put(key, object_code)
    return loader.load(object_code, (_RELAUNCH, _COPY_ROWS))


@functools.cache
def _relaunch() -> ctypes._CFunctionType:
    """The C function; it is called without the interpreter's lock."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(_library()[_RELAUNCH])
