"""What Python saw of the data: the same answer replays, another one records again."""

from typing import Any

import numpy as np
import pandas as pd

import fuse
from tests.integrations.jit.oracle import check


@fuse.jit
def branches(x: Any) -> Any:
    if x.sum() > 0:
        return np.sqrt(np.abs(x))
    if np.any(x < -100):
        return x * 0
    return -x, x.min()


def test_each_branch_is_recorded_once() -> None:
    branches.clear()
    ones = np.ones(20)
    for x in (ones, -ones, -200 * ones, ones, -ones, -200 * ones, 2 * ones, -3 * ones):
        check(branches, x)
    assert (branches.stats().recorded, branches.stats().replayed) == (3, 5)


def test_a_number_taken_out_is_guarded_exactly() -> None:
    @fuse.jit
    def centred(x: Any) -> Any:
        return x - float(x[2:].max())

    for top in (1.0, 2.0, 1.0, np.nan, np.nan, -0.0, 0.0):
        check(centred, np.full(10, top))


def test_more_answers_than_plans() -> None:
    @fuse.jit
    def shifted(x: Any, k: Any) -> Any:
        return x + int(k[0:2].sum())

    for k in [*range(12), 11, 0]:
        check(shifted, np.arange(5.0), np.full(5, k))


def test_values_computed_before_a_guard_are_used_after_it() -> None:
    @fuse.jit
    def scaled(x: Any) -> Any:
        norm = np.sqrt((x * x).sum())
        return x / norm if norm > 1 else x

    for factor in (1.0, 0.001, 2.0, 0.002):
        check(scaled, np.arange(1.0, 9.0) * factor, ulps=4)
    assert scaled.stats().recorded == 2


def test_a_library_step_between() -> None:
    @fuse.jit
    def ranked(x: Any) -> Any:
        order = np.argsort(x * 2, kind="stable")
        return x[order] + 1, np.sort(x) if x.mean() > 0 else order

    for shift in (1.0, -1.0, 1.0, -1.0):
        check(ranked, np.array([3.0, 1.0, 2.0, 0.5]) * shift)


def test_rows_kept_by_a_mask_across_a_step() -> None:
    @fuse.jit
    def picked(df: Any) -> Any:
        limit = df["a"].median()
        kept = df[df["a"] > limit]
        return kept["b"] * 2 + kept["a"]

    generator = np.random.default_rng(0)
    for rows in (30, 31, 30):
        check(picked, pd.DataFrame(generator.normal(size=(rows, 2)), columns=["a", "b"]))


def test_loops_over_python_values() -> None:
    @fuse.jit
    def powers(x: Any, degree: int) -> Any:
        return [x**k for k in range(degree)]

    for degree in (2, 3, 2):
        check(powers, np.arange(1.0, 6.0), degree)
    assert powers.stats().recorded == 2


def test_lengths_that_python_looks_at() -> None:
    @fuse.jit
    def mean(x: Any) -> Any:
        return x.sum() / len(x), x.shape

    for rows in (10, 20, 10):
        check(mean, np.ones(rows))
    assert mean.stats().recorded == 2


def test_lengths_that_must_agree() -> None:
    @fuse.jit
    def padded(x: Any, y: Any) -> Any:
        return np.concatenate([x, x]) + y

    for rows in (5, 6, 5):
        check(padded, np.ones(rows), np.ones(2 * rows))
    check(padded, np.ones(5), np.ones(7))
