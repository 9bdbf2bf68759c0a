"""Where writes to a part of an array are done: by a kernel, in place or in other memory; same values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fuse import config, engine
from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Node, make
from fuse.plan.steps import KernelStep, LibraryStep, UpdateStep

ROWS, COLUMNS = 40, 50
INSIDE = ((1, -1, 1), (1, -1, 1))
F64 = np.dtype(np.float64)


def _input(seed: int, shape: tuple[int, ...] = (ROWS, COLUMNS)) -> tuple[Node, np.ndarray]:
    return build.new_input(F64, shape), np.random.default_rng(seed).random(shape)


def _stencil(a: Node) -> Node:
    """The sum of the neighbours above and to the left, for the inner elements."""
    return make(
        "add",
        (
            build.slice_(a, ((0, -2, 1), (1, -1, 1))),
            build.slice_(a, ((1, -1, 1), (0, -2, 1))),
        ),
    )


def _steps(program: engine.Program, kind: type) -> list:
    return [step for step in program.runner.plan.steps if isinstance(step, kind)]


def _updates(program: engine.Program) -> list[bool]:
    """Of each update that a kernel makes, whether it is in place."""
    return [update.in_place for step in _steps(program, KernelStep) for update in step.updates]


def _agree(program: engine.Program, arrays: Sequence[np.ndarray]) -> None:
    before = [array.copy() for array in arrays]
    expected = interpret(program.graph.outputs, dict(zip(program.inputs, before, strict=True)))
    for threads in (1, 2):
        with config.config(num_threads=threads):
            found = program.run(arrays)
        for left, right in zip(expected, found, strict=True):
            np.testing.assert_array_equal(left, right)
    for left, right in zip(before, arrays, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_kernel_writes_to_the_part() -> None:
    (a, x), (b, y) = _input(0), _input(1)
    program = engine.compile([build.update_slice(b, _stencil(a), INSIDE)], [a, b])
    assert _updates(program) == [False]
    assert not _steps(program, UpdateStep)
    _agree(program, [x, y])


def test_two_arrays_in_turn_stay_two_arrays() -> None:
    (a, x), (b, y) = _input(0), _input(1)
    now, other = a, b
    for _ in range(6):
        now, other = build.update_slice(other, _stencil(now), INSIDE), now
    program = engine.compile([now, other], [a, b])
    assert _updates(program) == [False, False, True, True, True, True]
    _agree(program, [x, y])


def test_an_array_that_a_kernel_reads_beside_its_place_is_not_overwritten() -> None:
    a, x = _input(0)
    now = a
    for _ in range(4):
        now = build.update_slice(now, _stencil(now), INSIDE)
    program = engine.compile([now], [a])
    assert _updates(program) == [False] * 4
    _agree(program, [x])


def test_a_base_that_is_read_later_is_not_overwritten() -> None:
    (a, x), (b, y) = _input(0), _input(1)
    base = make("multiply", (b, b))
    first = build.update_slice(base, _stencil(a), INSIDE)
    view = build.transpose(base, (1, 0))
    second = build.update_slice(view, build.transpose(make("square", (first,)), (1, 0)), ((0, None, 1),) * 2)
    program = engine.compile([first, make("add", (view, second)), base], [a, b])
    _agree(program, [x, y])


def test_a_small_part_of_an_array_that_is_read_is_computed_apart() -> None:
    a, x = _input(0, (300, 300))
    found = make("sqrt", (a,))
    for row in range(1, 5):
        part = ((row, row + 1, 1), (0, None, 1))
        above = build.slice_(found, ((row - 1, row, 1), (0, None, 1)))
        found = build.update_slice(found, make("subtract", (build.slice_(found, part), above)), part)
    program = engine.compile([found], [a])
    assert [step.update.in_place for step in _steps(program, UpdateStep)] == [True] * 4
    _agree(program, [x])


def test_results_share_no_memory() -> None:
    (a, x), (b, y) = _input(0), _input(1)
    values = _stencil(a)
    whole = build.update_slice(make("sqrt", (b,)), values, INSIDE)
    program = engine.compile([whole, values, build.transpose(values, (1, 0))], [a, b])
    _agree(program, [x, y])
    first, *others = program.run([x, y])
    assert not any(np.may_share_memory(first, other) for other in others)


@pytest.mark.parametrize(
    "slices",
    [
        ((0, None, 2), (0, None, 1)),
        ((None, None, -1), (3, 20, 1)),
        ((5, 6, 1), (0, None, 1)),
        ((-3, None, 1), (None, -4, 3)),
        ((7, 7, 1), (0, None, 1)),
    ],
)
def test_parts_of_every_kind(slices: tuple[tuple[int | None, int | None, int], ...]) -> None:
    (a, x), (b, y) = _input(0), _input(1)
    values = make("square", (build.slice_(a, slices),))
    base = make("sqrt", (b,))
    program = engine.compile([build.update_slice(base, values, slices)], [a, b])
    _agree(program, [x, np.asfortranarray(y)])


def test_elements_that_are_there_are_copied_in_place() -> None:
    (a, x), (b, y) = _input(0), _input(1)
    base = make("sqrt", (b,))
    found = base
    for row in range(5):
        part = ((row, row + 1, 1), (0, None, 1))
        found = build.update_slice(found, build.slice_(a, part), part)
    program = engine.compile([found], [a, b])
    assert [step.update.in_place for step in _steps(program, UpdateStep)] == [True] * 5
    assert not any(step.node.op == "update_slice" for step in _steps(program, LibraryStep))
    _agree(program, [x, y])


@pytest.mark.parametrize("step", [1, -1])
def test_a_base_that_the_same_kernel_makes(step: int) -> None:
    """It is not there yet when the kernel starts: the update is a step of its own."""
    (a, x), (m, y) = _input(0, (ROWS,)), _input(1, (ROWS,))
    kept = build.compress(a, make("less", (m, build.constant(0.5))))
    base, values = make("sqrt", (kept,)), make("square", (kept,))
    whole = ((None, None, step),)
    for outputs in (
        [build.update_slice(base, base, whole)],
        [build.update_slice(base, values, whole), values],
        [build.update_slice(base, values, whole), base],
    ):
        _agree(engine.compile(outputs, [a, m]), [x, y])


def test_a_broadcast_base_is_not_written_to() -> None:
    (a, x), (row, y) = _input(0), _input(1, (COLUMNS,))
    found = build.update_slice(build.broadcast(row, (ROWS, COLUMNS)), _stencil(a), INSIDE)
    again = build.update_slice(found, make("square", (build.slice_(a, INSIDE),)), INSIDE)
    _agree(engine.compile([again], [a, row]), [x, y])


def test_a_donated_input_gives_its_memory() -> None:
    (a, x), (b, y) = _input(0), _input(1)
    graph = build.update_slice(b, _stencil(a), INSIDE)
    (expected,) = interpret([graph], {a: x, b: y})
    program = engine.Program([graph], [a, b], [b])
    assert _updates(program) == [True]
    (found,) = program.run([x, y])
    assert np.shares_memory(found, y)
    np.testing.assert_array_equal(found, expected)


def test_a_kernel_that_may_fail_does_not_write_to_a_donated_input() -> None:
    (a, x), (b, y) = _input(0, (500,)), _input(1, (500,))
    places = build.new_input(np.dtype(np.int64), (400,))
    graph = build.update_slice(b, build.gather(a, places), ((0, 400, 1),))
    program = engine.Program([graph], [a, b, places], [b])
    before = y.copy()
    wrong = np.arange(400) + 200
    with pytest.raises(IndexError):
        program.run([x, y, wrong])
    np.testing.assert_array_equal(y, before)
    (found,) = program.run([x, y, np.arange(400)])
    np.testing.assert_array_equal(found, np.concatenate([x[:400], before[400:]]))


def test_short_and_odd_rows() -> None:
    for length in (3, 9, 31, 33, 64, 65, 100):
        (a, x), (b, y) = _input(0, (70, length)), _input(1, (70, length))
        program = engine.compile([build.update_slice(b, _stencil(a), INSIDE)], [a, b])
        _agree(program, [x, y])
