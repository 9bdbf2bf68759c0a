"""Operations that are found again by their structure: values, dtypes and errors as the first time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fuse.numpy as fnp
from fuse import config, engine
from fuse.integrations.numpy_array import repetition
from fuse.integrations.numpy_array.base import LazyArray

GENERATOR = np.random.default_rng(11)
MATRIX, OTHER = GENERATOR.random((30, 40)), GENERATOR.random((30, 40))


@pytest.fixture(autouse=True)
def everything_is_recorded() -> Iterator[None]:
    with config.config(min_rows=0, raise_internal=True):
        yield


def both(program: Any, *arrays: np.ndarray, times: int = 3) -> None:
    """The program in NumPy, and again and again in fuse on fresh arrays."""
    own = [array.copy() for array in arrays]
    expected = program(np, *own)
    for _ in range(times):
        lazy = [fnp.array(array) for array in arrays]
        found = program(fnp, *lazy)
        for one, other in zip([*expected, *own], [*found, *lazy], strict=True):
            actual = np.asarray(other)
            assert actual.dtype == one.dtype
            assert actual.tobytes() == np.ascontiguousarray(one).tobytes()


def test_a_repeated_step_makes_no_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = fnp.array(MATRIX), fnp.array(OTHER)
    expected, other = MATRIX.copy(), OTHER.copy()

    def step(a: Any, b: Any) -> None:
        b[1:-1, 1:-1] = 0.25 * (a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] - a[:-2, 1:-1])
        a[1:-1] = b[1:-1] * 2.0

    for _ in range(2):
        step(a, b)
        step(expected, other)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "evaluate_doubting", _fail)
        patch.setattr(repetition, "substitute", _fail)
        for _ in range(5):
            step(a, b)
            step(expected, other)
    np.testing.assert_array_equal(np.asarray(a), expected)
    np.testing.assert_array_equal(np.asarray(b), other)


def _fail(*args: Any, **options: Any) -> Any:
    raise AssertionError("the ordinary way was taken")


def test_values_are_those_of_the_time_of_recording() -> None:
    def program(np: Any, a: Any, b: Any) -> Any:
        kept = []
        for _ in range(4):
            before = a[1:] + b[:-1]
            kept.append(before)
            a[1:] = b[1:] * 3.0
            kept.append(a[1:] + b[:-1])
            b[1:-1] = a[:-2] + before[:-1]
        return kept

    both(program, MATRIX, OTHER)


def test_what_the_ordinary_way_made_of_a_repeated_expression_reads_too() -> None:
    def program(np: Any, a: Any, b: Any) -> Any:
        kept = []
        for _ in range(4):
            total = a[1:] + b[1:]
            kept.append(np.maximum(total, 0.5))
            kept.append(np.roll(total, 1))
            del total
            a[2:] = b[2:] * 3.0
            b[...] = a
        return kept

    both(program, MATRIX, OTHER)


def test_one_array_in_several_places_is_not_several_arrays() -> None:
    def program(np: Any, a: Any, b: Any) -> Any:
        kept = []
        for one, other in ((a, b), (a, a), (b, a), (b, b)):
            kept.append((one + other) * (other - one) + one)
            one[1:-1] = (one[2:] + other[:-2]) * one[1:-1]
            kept.append(one + 0.0)
        return kept

    both(program, MATRIX, OTHER)


def test_numbers_are_told_apart() -> None:
    def program(np: Any, a: Any, b: Any) -> Any:
        numbers = (0.0, -0.0, 1, 1.0, True, float("nan"), 2**40, -1)
        return [function(a, x) for x in numbers for function in (lambda a, x: a * x, lambda a, x: x - a)]

    both(program, MATRIX, OTHER)
    both(program, (MATRIX * 100).astype(np.int64), OTHER)
    both(program, MATRIX.astype(np.float32), OTHER)


def test_dtypes_and_shapes_are_told_apart() -> None:
    def program(np: Any, a: Any, b: Any) -> Any:
        a[1:-1] = b[:-2] + b[2:]
        return (a + b, a / b[:1], b - a[:, :1])

    for dtype in (np.float64, np.float32, np.int16, np.uint8):
        for rows in (30, 17, 30):
            both(program, (MATRIX[:rows] * 90 + 1).astype(dtype), (OTHER[:rows] * 90 + 1).astype(dtype))
    both(program, MATRIX, (OTHER * 9 + 1).astype(np.float32))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a, b: a[1.0:3],
        lambda a, b: a[1:3] + b[1:7],
        lambda a, b: a.__setitem__(slice(1, 3), b[1:7] * 2),
        lambda a, b: a.__setitem__(slice(1, 3), (b[1:7] + b[1:7])),
        lambda a, b: a[::0],
        lambda a, b: a[50],
    ],
)
def test_errors_come_again(wrong: Any) -> None:
    with pytest.raises((IndexError, ValueError, TypeError)) as expected:
        wrong(MATRIX.copy(), OTHER.copy())
    for _ in range(3):
        a, b = fnp.array(MATRIX), fnp.array(OTHER)
        a[1:3], a[1:3] + b[1:3]  # as keys that are known
        with pytest.raises(type(expected.value)) as found:
            np.asarray(wrong(a, b))
        assert str(found.value) == str(expected.value)


def test_raising_errstate_is_obeyed_the_second_time() -> None:
    for raises in (False, True, False, True):
        a, b = fnp.array(MATRIX), fnp.array(OTHER * 0)
        with np.errstate(divide="raise" if raises else "ignore"):
            if raises:
                with pytest.raises(FloatingPointError):
                    np.asarray(a / b)
            else:
                assert np.isinf(np.asarray(a / b)).all()


def test_arrays_whose_memory_the_user_has() -> None:
    a, b = fnp.array(MATRIX), fnp.array(OTHER)
    expected, other = MATRIX.copy(), OTHER.copy()
    for step in range(4):
        b[1:-1] = a[1:-1] * 2.0
        other[1:-1] = expected[1:-1] * 2.0
        mine = np.asarray(a)
        mine[:] = step
        expected[:] = step
        pending = a[:, 1:] + b[:, 1:]
        mine[:] = -1
        np.testing.assert_array_equal(np.asarray(pending), expected[:, 1:] + other[:, 1:])
        expected[:] = -1
    np.testing.assert_array_equal(np.asarray(b), other)


def test_views_and_transposed_targets() -> None:
    def program(np: Any, a: Any, b: Any) -> Any:
        turned, part = a.T, b[2:-2]
        for _ in range(4):
            turned[1:-1] = part.reshape(-1)[:1] + turned[2:] * 2.0
            part[1:, ::2] = part[:-1, ::2] * 0.5
            part[0] = 3.0
        return a[::-1] + 0.0, part * 1.0

    both(program, MATRIX, OTHER)


def test_memory_does_not_grow() -> None:
    a, b = fnp.array(MATRIX), fnp.array(OTHER)
    for step in range(300):
        b[1:] = a[1:] * float(step)
        a[1:] = b[:-1] + 1.0
    assert all(len(pattern.results) <= 64 for pattern in repetition._sources.values())
    assert len(repetition._sources) <= repetition._MOST + 1
    assert isinstance(a, LazyArray)


def _warned(program: Any, np_: Any, a: Any, b: Any) -> list[tuple[str, int]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        program(np_, a, b)
    return [(str(warning.message), warning.lineno) for warning in found]


def test_warnings_come_again_at_the_lines_of_their_calls() -> None:
    def program(np: Any, a: Any, b: Any) -> None:
        for step in range(3):
            quotient = a[1:] / b[:-1]
            with np.errstate(all="ignore"):
                quiet = b[1:] / b[:-1]
            total = quotient * 1e308
            a[1:] = total + quiet
            np.asarray(quotient - step)

    zeros = OTHER.copy()
    zeros[3, 4] = 0
    with config.config(warn=True):
        expected = _warned(program, np, MATRIX.copy(), zeros.copy())
        assert any("divide by zero" in message for message, _ in expected)
        for _ in range(3):
            found = _warned(program, fnp, fnp.array(MATRIX), fnp.array(zeros))
            assert set(found) == set(expected)


def test_a_constant_that_was_evaluated_is_no_place() -> None:
    """While a node of it lives, its cell is read as the constant that it was made of."""
    other = fnp.array(np.arange(3.0))
    for value in (1.0, 5.0, 2.0):
        filled = fnp.full_like(other, value)
        node = filled._node
        assert repr(filled)
        np.testing.assert_array_equal(filled + other, np.arange(3.0) + value)
        assert node.op == "broadcast"
