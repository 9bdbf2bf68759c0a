"""Partial results to one value, survivors of units to one array."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fuse.execution.finish import close_gaps, combine


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1001])
def test_partials_fold_along_the_last_axis(count: int) -> None:
    partials = np.random.default_rng(count).standard_normal((3, count))
    np.testing.assert_array_equal(combine("max", partials), partials.max(axis=-1))
    exact = [math.fsum(row) for row in partials.tolist()]
    np.testing.assert_allclose(combine("sum", partials), exact, rtol=0, atol=1e-15 * count)


def test_what_additions_round_off_is_not_lost() -> None:
    partials = np.array([1e16, 1.0, -1e16, 1.0])
    assert combine("sum", partials) == 2.0


def test_infinite_sums_stay_infinite() -> None:
    assert combine("sum", np.array([np.inf, 1.0, 2.0])) == np.inf
    assert np.isnan(combine("sum", np.array([np.inf, -np.inf, 2.0])))


def test_survivors_move_together() -> None:
    output = np.array([1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 6, 7])
    close_gaps(output, [2, 1, 4], 4)
    assert output[:7].tolist() == [1, 2, 3, 4, 5, 6, 7]
