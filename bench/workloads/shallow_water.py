"""Waves on shallow water: heights and two speeds of 1000 × 1000 on a torus by `np.roll`, 20 steps, NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIDE, STEPS = 1000, 20


def pond() -> np.ndarray:
    """Heights with a drop in the middle."""
    places = np.linspace(-1, 1, SIDE)
    return 1 + 0.1 * np.exp(-50 * (places[:, None] ** 2 + places**2))


def waves(height: Any) -> Any:
    """The heights after all steps, by central differences."""
    east, north = np.zeros_like(height), np.zeros_like(height)
    for _ in range(STEPS):
        east = east - 0.1 * (np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1))
        north = north - 0.1 * (np.roll(height, -1, axis=0) - np.roll(height, 1, axis=0))
        flow = np.roll(east, -1, axis=1) - np.roll(east, 1, axis=1)
        height = height - 0.1 * height * (flow + np.roll(north, -1, axis=0) - np.roll(north, 1, axis=0))
    return height


jitted = fuse.jit(waves)


def rows(settings: Settings) -> Iterator[Row]:
    height = pond()
    case = Case(
        f"{SIDE} × {SIDE}, {STEPS} steps",
        lambda: waves(height),
        lambda: jitted(height),
        Bar("faster", 4),
        threads=2,
    )
    yield from compare("shallow_water", case, settings)
