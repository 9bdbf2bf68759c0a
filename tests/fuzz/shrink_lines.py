"""The smallest program of lines that still fails, in the fewest calls: what a long run prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tests.fuzz.array_arguments import Call
from tests.fuzz.numpy_programs import NumpyProgram

T = TypeVar("T")
Fails = Callable[[NumpyProgram, tuple[Call, ...]], bool]


def shrink_lines(
    program: NumpyProgram, calls: Sequence[Call], fails: Fails
) -> tuple[NumpyProgram, tuple[Call, ...]]:
    """Without what is not needed of calls, lines and results, in this order, until nothing more can go."""
    found = tuple(calls)
    before = None
    while before != (program, found):
        before = (program, found)
        found = _fewest(found, lambda some: fails(program, some))
        whole, kept = program, found
        lines = _fewest(program.lines, lambda some: fails(dataclasses.replace(whole, lines=some), kept))
        program = whole = dataclasses.replace(program, lines=lines)
        returned = _fewest(
            program.returned, lambda some: fails(dataclasses.replace(whole, returned=some), kept)
        )
        program = dataclasses.replace(program, returned=returned)
    return program, found


def _fewest(items: tuple[T, ...], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """A part of the items that fails and of which no item can go: halves first, then single ones."""
    size = len(items)
    while size:
        for smaller in _without(items, size):
            if fails(smaller):
                items = smaller
                break
        else:
            size //= 2
        size = min(size, len(items))
    return items


def _without(items: tuple[T, ...], size: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), size):
        yield items[:start] + items[start + size :]
