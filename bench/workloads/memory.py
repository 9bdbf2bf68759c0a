"""Peak memory of one call beside that of arguments and results, in a process of its own.

A chain of 20 elementwise operations over 4e6 float64, jitted and lazily, and the k-means assignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fuse
import fuse.numpy
from bench.case import Row, fact
from bench.memory import Arrays, MemoryCase, Peak, peak
from bench.rounds import Settings
from bench.workloads import kmeans

SIZE, FEW = 4_000_000, 200_000
MEBI = 1 << 20
EXTRA = 16 * MEBI
RATIO = 1.2


def vectors(few: bool) -> Arrays:
    """Two vectors."""
    x, y = np.random.default_rng(0).random((2, FEW if few else SIZE))
    return x, y


def points(few: bool) -> Arrays:
    """Points and centres."""
    rows, centres = kmeans.random_data()
    return (rows[:FEW].copy() if few else rows), centres


def chain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Twenty operations, each of which NumPy gives an array of its own."""
    a = (x + y) * 2.0
    b = np.sqrt(a * a + y) / (y + 1.0)
    c = np.exp(-b) + np.abs(a - b)
    d = np.maximum(c, 0.5) * np.minimum(b, 2.0)
    return (d - a) * (c + b) + d / x


def lazily(x: np.ndarray, y: np.ndarray) -> Any:
    """The same on arrays of `fuse.numpy`."""
    return np.asarray(chain(fuse.numpy.asarray(x), fuse.numpy.asarray(y)))


CASES = {
    "chain of 20, jit": MemoryCase(fuse.jit(chain), vectors),
    "chain of 20, fuse.numpy": MemoryCase(lazily, vectors),
    "k-means": MemoryCase(kmeans.jitted, points),
}


def rows(settings: Settings) -> Iterator[Row]:
    for name in CASES:
        yield _row(name, peak(name))


def _row(name: str, found: Peak) -> Row:
    if name == "k-means":
        return fact("memory", name, 1, f"{found.ratio:.2f} ×", f"≤ {RATIO:g} × data", found.ratio <= RATIO)
    extra = f"{found.extra / MEBI:+.1f} MiB"
    return fact("memory", name, 1, extra, f"≤ +{EXTRA // MEBI} MiB", found.extra <= EXTRA)
