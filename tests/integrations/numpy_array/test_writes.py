"""Writes to parts of arrays, as loops and stencils make them: NumPy's effect in every world."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config
from fuse.integrations.numpy_array.base import LazyArray
from tests.integrations.jit.oracle import check as check_jitted
from tests.integrations.numpy_array.worlds import check

GENERATOR = np.random.default_rng(5)
MATRIX, OTHER = GENERATOR.random((30, 40)), GENERATOR.random((30, 40))
CUBE = GENERATOR.random((9, 10, 11))


def jacobi(np: Any, a: Any, b: Any) -> Any:
    for _ in range(3):
        b[1:-1, 1:-1] = 0.2 * (a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
        a[1:-1, 1:-1] = 0.2 * (b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1])
    return a + b


def in_one_array(np: Any, a: Any, b: Any) -> Any:
    for _ in range(4):
        a[1:-1, 1:-1] = 0.25 * (a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
    return a


def shallow_water(np: Any, a: Any, b: Any) -> Any:
    for _ in range(3):
        slope = np.roll(a, -1, axis=0) - np.roll(a, 1, axis=0)
        b -= 0.1 * slope
        a[:] = a - 0.1 * (np.roll(b, -1, axis=1) - np.roll(b, 1, axis=1))
        a[0], a[-1] = 0.0, a[-2]
    return a * b


def elimination(np: Any, a: Any, b: Any) -> Any:
    for k in range(5):
        for i in range(k + 1, 8):
            a[i, k:] -= a[k, k:] * (a[i, k] / a[k, k])
    return a


def views_see_writes(np: Any, a: Any, b: Any) -> Any:
    row, turned, part = a[3], a.T, a[::2, 5:30:3]
    a[1:5, 2:20] = b[1:5, 2:20] * 2
    turned[4] = 7
    part[1:-1] += b[2:15:1, :9]
    a.reshape(-1)[17:600:5] = -1.5
    return row, turned, part, a


def values_are_as_before_the_write(np: Any, a: Any, b: Any) -> Any:
    before = a * 2
    seen = a[5:9] + 1
    a[4:20] = b[4:20] + a[3:19]
    after = a * 2
    a[:, 1:] = a[:, :-1]
    a[1:] += a[:-1]
    return before, seen, after


def values_used_again(np: Any, a: Any, b: Any) -> Any:
    values = a[1:] * b[:-1]
    a[1:] = values
    b[1:] = values + 1
    values[3:9] = 5
    return values


def of_other_dtypes(np: Any, a: Any, b: Any) -> Any:
    whole = np.zeros((30, 40), dtype=np.int32)
    whole[2:, 3:] = a[2:, 3:] * 100
    whole[:, 5] = 3.7
    single = a.astype(np.float32)
    single[1:-1] = b[1:-1]
    single[0] += 1
    return whole, single


def nested_views(np: Any, a: Any, b: Any) -> Any:
    outer = a[2:20, 3:30]
    inner = outer[1:-1].T[2:9]
    inner[...] = b[3:19, 5:12].T - 1
    inner[1] *= 3
    return outer, inner


def backwards_and_empty(np: Any, a: Any, b: Any) -> Any:
    a[::-1] = a
    a[:, ::-2] = b[:, 1::2]
    a[7:7] = 3
    a[..., None][2:9] = b[2:9, :, None]
    return a


def chosen_places(np: Any, a: Any, b: Any) -> Any:
    a[a > 0.8] = 0
    a[b < 0.1] = b[b < 0.1] * 3
    a[[1, 5, 7]] = b[[2, 2, 3]]
    a[[1, 1, 4], [2, 2, 9]] = [5, 6, 7]
    rows = np.array([0, 3, 3, 20])
    a[rows[:, None], np.array([1, 8])] += 1
    np.put(b, [3, 77, -1], [1, 2, 3])
    np.fill_diagonal(b, 9)
    np.place(b, b > 0.9, [0.5, 0.25])
    np.copyto(a, b, where=a < 0.5)
    np.putmask(a, a > 2, 2)
    return a, b


def accumulated(np: Any, a: Any, b: Any) -> Any:
    counts = np.zeros(40)
    np.add.at(counts, np.array([1, 1, 2, 39, 1]), 1.5)
    np.add.at(a, (np.array([1, 1, 2]), np.array([4, 4, 5])), 2)
    np.subtract.at(b, [0, 0], a[:2])
    np.negative.at(a, [3, 3, 5])
    np.maximum.at(counts, [7, 8], 4)
    return counts


def whole_and_parts(np: Any, a: Any, b: Any) -> Any:
    kept = np.sqrt(np.sqrt(np.sqrt(a) / 3) / 7)
    for i in range(6):
        a[:] = a * 0.5 + b
        b += a
        a[1:-1] = kept[1:-1] - b[2:]
        kept -= i
        b[...] = kept * a
    return kept


PROGRAMS = [
    jacobi, in_one_array, shallow_water, elimination, views_see_writes, values_are_as_before_the_write,
    whole_and_parts, values_used_again, of_other_dtypes, nested_views, backwards_and_empty, chosen_places,
    accumulated,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_programs(program: Any) -> None:
    check(program, MATRIX, OTHER)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_jitted_programs_write_to_plain_arrays(program: Any) -> None:
    with config.config(min_rows=0, raise_internal=True):
        jitted = fuse.jit(lambda a, b: program(np, a, b))
        for _ in range(2):
            check_jitted(jitted, MATRIX, OTHER)
            check_jitted(jitted, MATRIX.T.copy().T[:, :], OTHER[:, ::-1])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_arrays_whose_memory_the_user_has(program: Any) -> None:
    a, b = MATRIX.copy(), OTHER.copy()
    program(np, a, b)
    with config.config(min_rows=0, raise_internal=True):
        mine, yours = MATRIX.copy(), OTHER.copy()
        program(fnp, fnp.asarray(mine), fnp.asarray(yours))
    np.testing.assert_array_equal(mine, a)
    np.testing.assert_array_equal(yours, b)


def test_three_axes() -> None:
    def heat(np: Any, a: Any) -> Any:
        b = np.zeros_like(a)
        for _ in range(3):
            b[1:-1, 1:-1, 1:-1] = a[1:-1, 1:-1, 1:-1] + 0.1 * (a[2:, 1:-1, 1:-1] - a[:-2, 1:-1, 1:-1])
            a, b = b, a
            a[:, 0, :], a[..., -1] = 1.0, a[..., 0]
        return a, b

    check(heat, CUBE)


def test_a_write_is_done_at_once_and_in_the_same_memory() -> None:
    with config.config(min_rows=0, raise_internal=True):
        a, b = fnp.array(MATRIX), fnp.array(OTHER)
        memory = a._storage.array
        for _ in range(50):
            a[1:-1] = b[2:] * 2
            assert a._storage.node is None
        assert a._storage.array is memory
        reader = a * 1
        a[1:-1] = b[:-2] * 3
        assert a._storage.array is not memory
        np.testing.assert_array_equal(np.asarray(reader)[1:-1], OTHER[2:] * 2)
        np.testing.assert_array_equal(np.asarray(a)[1:-1], OTHER[:-2] * 3)


def test_a_failing_write_leaves_the_array() -> None:
    with config.config(min_rows=0, raise_internal=True):
        a, table = fnp.array(np.arange(300.0)), fnp.array(np.arange(50.0))
        places = fnp.array(np.arange(290) % 60) * 1
        with pytest.raises(IndexError):
            a[5:295] = table[places]
        np.testing.assert_array_equal(np.asarray(a), np.arange(300.0))
        assert isinstance(a, LazyArray)


def test_expressions_do_not_grow_without_end() -> None:
    with config.config(min_rows=0, raise_internal=True):
        x, y = fnp.array(MATRIX), fnp.array(OTHER)
        expected, other = MATRIX.copy(), OTHER.copy()
        for _ in range(600):
            x = x * 0.5 + y
            y[:] = y * 0.25
            expected, other = expected * 0.5 + other, other * 0.25
            for cell in (x._storage, y._storage):
                assert cell.node is None or cell.node.depth <= 256
        np.testing.assert_array_equal(np.asarray(x), expected)
