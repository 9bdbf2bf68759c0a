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
    smaller = _smaller(program, tuple(calls), fails)
    return smaller if smaller == (program, tuple(calls)) else shrink_lines(*smaller, fails)


def _smaller(
    program: NumpyProgram, calls: tuple[Call, ...], fails: Fails
) -> tuple[NumpyProgram, tuple[Call, ...]]:
    calls = _fewest(calls, lambda some: fails(program, some))
    lines = _fewest(program.lines, lambda some: fails(dataclasses.replace(program, lines=some), calls))
    shorter = dataclasses.replace(program, lines=lines)
    returned = _fewest(
        program.returned, lambda some: fails(dataclasses.replace(shorter, returned=some), calls)
    )
    return dataclasses.replace(shorter, returned=returned), calls


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
