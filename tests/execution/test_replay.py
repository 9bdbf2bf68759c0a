"""Plans of several kernels that run again and again: taped, compared, replayed; always what NumPy gives."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fuse
from fuse import config
from fuse.errors import InternalError
from fuse.execution import replays
from fuse.execution.replay import NoReplay, Replay
from fuse.execution.tape import Tape

Array = np.ndarray


@pytest.fixture(autouse=True)
def small_arrays() -> Iterator[None]:
    with config.config(min_rows=0):
        yield


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each replay that ran."""
    runs: list[int] = []
    run = Replay.run

    def counted(self: Replay, arrays: Any) -> Any:
        result = run(self, arrays)
        runs.append(len(arrays))
        return result

    monkeypatch.setattr(Replay, "run", counted)
    return runs


def recurrence(a: Array, b: Array) -> Array:
    """Rows that each need the row before."""
    out = np.empty(a.shape)
    out[0] = a[0]
    for row in range(1, len(a)):
        out[row, 1:] = np.sqrt(np.abs(out[row - 1, :-1])) * b[row, 1:] + a[row, 1:]
        out[row, 0] = 1.0
    return out


def columns(a: Array, b: Array) -> Array:
    """Written into arguments, column by column, behind copies of what is left."""
    b[:, 1:-1] += a[:, 2:] - a[:, :-2]
    for column in range(1, 4):
        a[1:-1, column] = a[1:-1, column - 1] * 0.5 + b[1:-1, column]
    return a + b


def scaled(a: Array, b: Array) -> tuple[Array, Array, np.float64]:
    """Reductions on the way."""
    below = a - a.max()
    scaled = below / np.abs(b).max()
    return scaled, scaled[::2] * 2.0, (scaled * below).sum()


def relaxed(a: Array, b: Array) -> tuple[Array, Array]:
    """Two arrays that take turns."""
    for _ in range(5):
        b[1:-1] = (a[:-2] + a[1:-1] + a[2:]) / 3
        a[1:-1] = (b[:-2] + b[1:-1] + b[2:]) / 3
    return a.T, b


def whole_numbers(a: Array, b: Array) -> Array:
    counts = (a * 10).astype(np.int32)
    for _ in range(3):
        counts[1:] = counts[1:] // 3 + counts[:-1]
    return np.where(counts > 2, counts, -counts) + b.astype(np.int8)


PROGRAMS = (recurrence, columns, scaled, relaxed, whole_numbers)


def pair(seed: int, shape: tuple[int, int] = (12, 70)) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    return random.normal(size=shape), random.normal(size=shape)


def results(function: Callable[..., Any], arrays: tuple[Array, ...]) -> list[Array]:
    found = function(*arrays)
    return [*map(np.asarray, found if isinstance(found, tuple) else (found,)), *arrays]


def same(function: Callable[..., Any], plain: Callable[..., Any], *arrays: Array) -> None:
    ours, theirs = tuple(a.copy("K") for a in arrays), tuple(a.copy("K") for a in arrays)
    for found, expected in zip(results(function, ours), results(plain, theirs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, strict=True)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_same_with_other_data(program: Callable[..., Any], replayed: list[int]) -> None:
    jitted = fuse.jit(program)
    for seed in range(6):
        same(jitted, program, *pair(seed))
    assert len(replayed) == 4  # the first beside the plan


@pytest.mark.parametrize("program", PROGRAMS)
def test_other_lengths_and_strides_are_other_replays(program: Callable[..., Any]) -> None:
    jitted = fuse.jit(program)
    for seed in range(4):
        for shape in ((12, 70), (5, 90)):
            a, b = pair(seed, shape)
            same(jitted, program, a, b)
            same(jitted, program, np.asfortranarray(a), b[::-1, ::-1])


@pytest.mark.parametrize("program", PROGRAMS)
def test_results_are_memory_of_their_own(program: Callable[..., Any]) -> None:
    jitted = fuse.jit(program)
    kept, before = [], []
    for seed in range(7):
        found = results(jitted, pair(seed))
        kept.append(found)
        before.append([array.copy() for array in found])
    for found, copies in zip(kept, before, strict=True):
        for array, copy in zip(found, copies, strict=True):
            assert array.tobytes() == copy.tobytes()
            assert array.flags.writeable


def test_what_the_data_decides_is_decided_anew() -> None:
    def picked(a: Array, places: Array) -> Array:
        table = np.cumsum(a) * 2
        found = table[places] + 1
        found[1:] = found[:-1] * a[0]
        return found

    jitted, a = fuse.jit(picked), np.arange(1.0, 20.0)
    for shift in range(6):
        places = np.arange(10) + shift
        np.testing.assert_array_equal(jitted(a, places), picked(a, places))
    with pytest.raises(IndexError) as ours:
        jitted(a, np.arange(10) + 15)
    with pytest.raises(IndexError) as theirs:
        picked(a, np.arange(10) + 15)
    assert str(ours.value) == str(theirs.value)


def test_filters_are_never_replayed(replayed: list[int]) -> None:
    def kept(a: Array, b: Array) -> Array:
        rows = a[a > 0] * 2
        return rows - rows.mean() + b.sum()

    jitted = fuse.jit(kept)
    for seed in range(6):
        a, b = (array.ravel() for array in pair(seed))
        np.testing.assert_allclose(jitted(a, b), kept(a, b), rtol=1e-13)
    assert not replayed


def test_the_same_array_twice() -> None:
    jitted = fuse.jit(recurrence)
    for seed in range(5):
        a, _ = pair(seed)
        np.testing.assert_array_equal(jitted(a, a), recurrence(a, a))
        np.testing.assert_array_equal(jitted(a[1:], a[:-1]), recurrence(a[1:], a[:-1]))


def test_doubts_of_a_replay() -> None:
    def divided(a: Array) -> Array:
        out = np.ones(a.shape)
        for row in range(1, len(a)):
            out[row] = out[row - 1] / a[row]
        return out

    jitted, ones = fuse.jit(divided), np.ones((6, 4))
    zeros = ones.copy()
    zeros[3, 2] = 0.0
    with np.errstate(all="raise"):
        for _ in range(5):
            assert (jitted(ones) == 1).all()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        expected = divided(zeros)
        wanted = [str(warning.message) for warning in seen]
        seen.clear()
        np.testing.assert_array_equal(jitted(zeros), expected)
    assert {str(warning.message) for warning in seen} <= set(wanted)


def test_threads_replay_at_once() -> None:
    jitted = fuse.jit(relaxed)
    for seed in range(4):
        same(jitted, relaxed, *pair(seed))

    def run(seed: int) -> None:
        with config.config(min_rows=0):
            same(jitted, relaxed, *pair(seed))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(200)))


def test_a_replay_that_differs_is_reported_and_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replays, "_same", lambda one, other: False)
    for raises in (True, False):
        jitted = fuse.jit(recurrence)
        with config.config(raise_internal=raises):
            for turn in range(5):
                if raises and turn >= 2:
                    with pytest.raises(InternalError):
                        jitted(*pair(turn))
                else:
                    same(jitted, recurrence, *pair(turn))
    assert any("differs" in record.message for record in caplog.records)


def test_a_copy_is_taped_by_rows() -> None:
    random = np.random.default_rng(0)
    base = random.normal(size=(4, 6, 5))
    for target_of in (lambda a: a, lambda a: a.transpose(2, 0, 1), lambda a: a[:, ::-1]):
        source, target = target_of(base), target_of(np.zeros_like(base))
        tape = Tape()
        target[...] = source
        tape.copied(target, source)
        expected = target.copy()
        with pytest.raises(NoReplay):  # the target is Python's own, and not made by the run
            Replay(tape, [base], [target], [target])
        replay = Replay(tape, [base], [], [target])
        again, doubtful = replay.run([base * 2])
        assert not doubtful
        np.testing.assert_array_equal(again[0], expected * 2)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (lambda a, b: [a, a[1:]], lambda a, b: [b]),
        (lambda a, b: [a, b], lambda a, b: [b]),
        (lambda a, b: [a], lambda a, b: [a[1:]]),
        (lambda a, b: [a], lambda a, b: [b, np.zeros(3)]),
        (lambda a, b: [], lambda a, b: [b]),
    ],
    ids=["inputs overlap", "writes to an input", "view of an input", "Python's result", "unknown source"],
)
def test_tapes_that_are_refused(inputs: Any, outputs: Any) -> None:
    a, b = np.arange(6.0), np.zeros(6)
    b[...] = a
    tape = Tape()
    tape.copied(b, a)
    with pytest.raises(NoReplay):
        Replay(tape, inputs(a, b), [], outputs(a, b))


def test_a_failed_or_empty_tape() -> None:
    tape = Tape()
    with pytest.raises(NoReplay):
        Replay(tape, [], [], [])
    tape.copied(np.zeros(2), np.zeros(3))
    assert tape.failed
    tape, a = Tape(), np.zeros(4)
    tape.copied(a[::-1], a)
    assert tape.failed
