"""Jacobi relaxation of a plane: two arrays of 1000 × 1000 in turn, 50 sweeps, NumPy.

The least that a sweep takes: one pass that reads one array and writes the other. NumPy makes five.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fuse
import fuse.numpy
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIDE, SWEEPS = 1000, 50


def plane() -> np.ndarray:
    """Where the relaxation starts."""
    return np.random.default_rng(0).random((SIDE, SIDE))


def relax(a: Any, b: Any) -> Any:
    """Each inner point becomes the mean of itself and its four neighbours, again and again."""
    for _ in range(SWEEPS // 2):
        b[1:-1, 1:-1] = 0.2 * (a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
        a[1:-1, 1:-1] = 0.2 * (b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1])
    return a


jitted = fuse.jit(relax)


def lazily(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same on fuse's own arrays."""
    return np.asarray(relax(fuse.numpy.array(a), fuse.numpy.array(b)))


def rows(settings: Settings) -> Iterator[Row]:
    a = plane()
    size = f"{SIDE} × {SIDE}, {SWEEPS} sweeps"
    for way, function in (("", jitted), (", fuse.numpy", lazily)):
        case = Case(
            size + way,
            lambda: relax(a.copy(), a.copy()),
            lambda function=function: function(a.copy(), a.copy()),
            Bar("faster", 4),
            threads=2,
        )
        yield from compare("jacobi_2d", case, settings)
