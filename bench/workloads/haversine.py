"""Great-circle distances of 4e6 places from one, float64, NumPy.

The formula of Weld's `weldnumpy` example, in degrees, miles out; NumPy makes a new array of every line's
every operation. The places lie all over the earth.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

SIZE = 4_000_000
EARTH_RADIUS = 3959.0
NEW_YORK = (40.671, -73.985)


def random_data(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes in degrees."""
    rng = np.random.default_rng(1)
    return rng.uniform(-90, 90, size), rng.uniform(-180, 180, size)


def haversine(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Miles from New York."""
    lat1, lon1 = map(np.deg2rad, NEW_YORK)
    lat2, lon2 = np.deg2rad(lat), np.deg2rad(lon)
    dlat, dlon = lat2 - lat1, lon2 - lon1
    a = np.sin(dlat / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(dlon / 2) ** 2
    return 2 * np.arcsin(np.sqrt(a)) * EARTH_RADIUS


jitted = fuse.jit(haversine)


def rows(settings: Settings) -> Iterator[Row]:
    data = random_data(SIZE)
    case = Case(
        "4e6 float64",
        lambda: haversine(*data),
        lambda: jitted(*data),
        Bar("faster", 10),
        tolerance=1e-12,
    )
    yield from compare("haversine", case, settings)
