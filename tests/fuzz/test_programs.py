"""A fixed number of random user programs in every test run, and what longer runs found, each as one program.

`python -m tests.fuzz programs --count N --seed S` runs as many as one likes.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse
from fuse import config
from tests.fuzz.pipelines import random_pipeline
from tests.fuzz.programs import UserProgram, random_user_program
from tests.fuzz.worlds import CALLS, complaint, difference

pytestmark = pytest.mark.fuzz
FEW = tuple(CALLS[number] for number in (0, 2, 3, 4, 7))


@pytest.mark.parametrize("seed", range(24))
def test_random_programs_do_the_same_in_all_worlds(seed: int) -> None:
    program = random_user_program(seed, 8)
    assert complaint(program, calls=FEW) is None, program.source


@pytest.mark.parametrize("seed", range(6))
def test_random_pipelines_do_the_same_in_all_worlds(seed: int) -> None:
    program, models = random_pipeline(seed)
    assert complaint(program, models, calls=FEW) is None, program.source


def test_the_same_seed_is_the_same_program() -> None:
    assert random_user_program(5) == random_user_program(5)


def test_a_wrong_world_is_found() -> None:
    """The jitted function reads a global that the plain one sees otherwise."""
    program = UserProgram(1, ("x = v + wrong()",), ("x",), frozenset(), 0, "tuple")
    calls = iter(range(10**6))
    said = complaint(program, {"wrong": lambda: next(calls)}, calls=CALLS[:1])
    assert said is not None
    assert "differ" in said


FOUND: dict[str, tuple[str, ...]] = {
    "bounds that no integer of the dtype exceeds": ("x = np.clip(z, -1, 1), np.clip(z, 0, 10**6)",),
    "a sum of truths along an axis counts no filter": ("x = np.nanmax(M, axis=0), np.nanmean(M, axis=1)",),
    "a constant behind a small filter": ("m = df['m'] <= -1", "x = m - df['m'][m].mean()"),
    "a slice of a small filter": ("x = df[df['m']]['m'].head(3)",),
    "a mask for an array from outside": (
        "m = df['i'].isin([1, 2, 3]).to_numpy() > 0",
        "x = (df['d'] - pd.Timestamp('2001-02-03')).dt.days.to_numpy()[m], (df['u'] != 3).to_numpy()[m] * 0",
    ),
    "an extremum nobody reads, of a filter that keeps nothing": ("y = M[M[:, 0] > 0]", "y.argmax()", "x = y"),
    "a ufunc that pandas sends to an operator": ("x = np.int8(5) % df['j']",),
    "numbers of Python from a method of pandas": ("x = df['t'] * df['t'].nunique(), df['b'].is_unique",),
    "writes before an exception": (
        "k[k > 0] = 0",
        "df['b'] = df['b'] * 2",
        "if np.isnan(h).any():\n        raise ValueError('missing')",
        "x = k",
    ),
    "the length of what NumPy gave": (
        "y = np.roll(z, 2)",
        "x = np.ones(len(y)), y[::-1] + 1, np.unique(df['j'].to_numpy()) * 2",
    ),
    "a result of pandas without arrays in the graph": ("x = np.rint(df['m']), df['m'].mask(df['m'])",),
    "a frame that pandas changed": ("df.iloc[0, 0] = 9", "x = df['d'].dt.day"),
    "text after a method of pandas": ("x = df['g'].astype('str') == 'x'",),
    "a view that NumPy made": ("y = np.split(z, [3])[0]", "y += 1", "x = z * 2"),
    "a view of higher rank": ("y = np.atleast_2d(z)", "y[...] = 7", "x = z * 2"),
    "ties of float16": ("y = h * 0", "x = np.minimum(-y, y), np.maximum(y, -y), np.fmax(-y, y)"),
}


@pytest.mark.parametrize("name", FOUND)
def test_programs_that_once_differed(name: str) -> None:
    for layout in (2, 144):
        program = UserProgram(7, FOUND[name], ("x",), frozenset(), layout, "tuple")
        assert complaint(program, calls=FEW) is None, program.source


def _both(function: Callable[..., Any], *calls: Any) -> None:
    jitted = fuse.jit(function)
    with config.config(raise_internal=True, min_rows=1, eager_bytes=0):
        for call in calls:
            expected, found = function(call.copy()), jitted(call.copy())
            assert difference(expected, found, 0.0) is None


@pytest.mark.parametrize("dtype", ["object", "float16", "complex128", "string"])
def test_the_length_of_a_frame_that_the_graph_sees_no_column_of(dtype: str) -> None:
    def summary(frame: Any) -> Any:
        return len(frame), frame["m"].head(2), frame["m"].shape

    frames = [pd.DataFrame({"m": pd.Series([1, 0] * rows).astype(dtype)}) for rows in (4, 9, 4)]
    _both(summary, *frames)


def test_threads_of_the_user_share_a_function() -> None:
    def program(x: Any) -> Any:
        return (x[x > 0] * 3 + 1).sum(), np.where(x > 0, x, -x), x[x < 0]

    jitted = fuse.jit(program)
    data = [np.arange(-rows, rows, dtype=np.int64) for rows in (3, 50, 700, 9000, 40, 8)]
    with config.config(raise_internal=True, min_rows=1, eager_bytes=0):
        context = [contextvars.copy_context() for _ in data]
        with ThreadPoolExecutor(3) as pool:
            runs = [pool.submit(c.run, jitted, x) for c, x in zip(context, data, strict=True)]
        assert all(
            difference(program(x), run.result(), 0.0) is None for x, run in zip(data, runs, strict=True)
        )


def test_effects_happen_once_however_often_a_function_is_recorded() -> None:
    seen: list[int] = []

    def remainder(column: Any, given: list[int]) -> Any:
        seen.append(len(given))
        given.append(3)
        return column % column

    jitted, given = fuse.jit(remainder), []
    with config.config(raise_internal=True, min_rows=1, eager_bytes=0):
        for values in ([1, 2, 3], [1, 0, 3], [1, 2, 0]):
            jitted(pd.Series(values), given)
    assert seen == [0, 1, 2]
    assert given == [3, 3, 3]


def test_what_was_appended_before_a_write_is_the_value_before_it() -> None:
    def program(array: Any, given: list[Any]) -> Any:
        array[0] = 99
        given.append(array.sum())
        array[1:] *= 2
        if array[1] > 3:
            raise ValueError("big")
        return array

    jitted = fuse.jit(program)
    for values in ([1.0, 1, 1], [1.0, 2, 3]):
        ours, theirs = (np.array(values), []), (np.array(values), [])
        with config.config(raise_internal=True, min_rows=1, eager_bytes=0):
            for function, (array, given) in ((jitted, ours), (program, theirs)):
                try:
                    function(array, given)
                except ValueError:
                    assert values[1] == 2
        assert ours[1] == theirs[1]
        assert np.array_equal(ours[0], theirs[0])


@pytest.mark.parametrize("order", ["C", "F"])
def test_writing_to_a_ravel_writes_where_numpys_does(order: Any) -> None:
    def program(a: np.ndarray) -> float:
        flat = a.ravel()
        flat[:2] = 7.0
        return float(a.sum())

    compiled = fuse.jit(program)
    for _ in range(3):
        ours, theirs = (np.array(np.arange(60.0).reshape(20, 3), order=order) for _ in range(2))
        assert compiled(ours) == program(theirs)
        np.testing.assert_array_equal(ours, theirs)
