"""Heat that spreads in a cube: two arrays of 100 × 100 × 100 in turn, 50 steps, NumPy.

The least that a step takes: one pass that reads one array and writes the other. NumPy makes some fifteen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fuse
import fuse.numpy
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIDE, STEPS = 100, 50


def cube() -> np.ndarray:
    """Where the heat is at the start."""
    return np.random.default_rng(0).random((SIDE, SIDE, SIDE))


def step(new: Any, old: Any) -> None:
    """One step of time: second differences along each axis."""
    inner = old[1:-1, 1:-1, 1:-1]
    new[1:-1, 1:-1, 1:-1] = (
        inner
        + 0.125 * (old[2:, 1:-1, 1:-1] - 2.0 * inner + old[:-2, 1:-1, 1:-1])
        + 0.125 * (old[1:-1, 2:, 1:-1] - 2.0 * inner + old[1:-1, :-2, 1:-1])
        + 0.125 * (old[1:-1, 1:-1, 2:] - 2.0 * inner + old[1:-1, 1:-1, :-2])
    )


def spread(a: Any, b: Any) -> Any:
    """The heat after all steps."""
    for _ in range(STEPS // 2):
        step(b, a)
        step(a, b)
    return a


jitted = fuse.jit(spread)


def lazily(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same on fuse's own arrays."""
    return np.asarray(spread(fuse.numpy.array(a), fuse.numpy.array(b)))


def rows(settings: Settings) -> Iterator[Row]:
    a = cube()
    size = f"{SIDE} × {SIDE} × {SIDE}, {STEPS} steps"
    for way, function in (("", jitted), (", fuse.numpy", lazily)):
        case = Case(
            size + way,
            lambda: spread(a.copy(), a.copy()),
            lambda function=function: function(a.copy(), a.copy()),
            Bar("faster", 4),
            threads=2,
        )
        yield from compare("heat_3d", case, settings)
