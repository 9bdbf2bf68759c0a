"""The table of single operations: every one runs, and gives the same here and there."""

from __future__ import annotations

import numpy as np
import pytest

import fuse
import fuse.numpy
from bench.equality import check
from bench.operations import Operation, operations
from bench.single_ops import Timing, measure, observed

OPERATIONS = operations()
SIZE = 900


def test_names_are_told_apart() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("part", range(8))
def test_every_operation_is_numpys(part: int) -> None:
    for operation in OPERATIONS[part::8]:
        plain = operation.make(np.random.default_rng(part), SIZE)
        lazy = tuple(fuse.numpy.array(array) for array in plain)
        with fuse.config(min_rows=0), np.errstate(all="ignore"):
            check(
                observed(operation.run(np, *plain)), observed(operation.run(fuse.numpy, *lazy)), 1e-5, 1e-12
            )


def test_only_what_is_slower_in_proportion_and_in_time_is_behind() -> None:
    assert Timing("slow", 10, 1e-3, 1.3e-3).is_behind
    assert not Timing("a little slow", 10, 1e-3, 1.1e-3).is_behind
    assert not Timing("slow but short", 10, 1e-6, 15e-6).is_behind


def test_a_measurement_compares_first() -> None:
    def wrong(xp: object, x: np.ndarray) -> np.ndarray:
        return x if xp is np else x + 1

    operation = Operation("wrong", wrong, lambda rng, size: (np.ones(size),))
    with pytest.raises(AssertionError, match="differ"):
        measure(operation, 10)
