"""A batch of photographs: resize by fancy indexing, normalise in float32, whiten the colours, argmax; NumPy.

The photographs are crops of those that come with scikit-learn, uint8. Each is read at every second row and
column by two arrays of places, as augmenting code does; the whitening matrix is that of the batch's colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_sample_images

import fuse
from bench.case import Bar, Case, Row
from bench.rounds import Settings, compare

IMAGES, SIDE, RESIZED = 64, 192, 96


class Batch(NamedTuple):
    """Photographs (image, row, column, colour), the places to read, and the statistics of the colours."""

    photographs: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    whitening: np.ndarray


def photographs(count: int, side: int, resized: int) -> Batch:
    """Random crops."""
    rng = np.random.default_rng(0)
    sources = load_sample_images().images
    crops = []
    for number in range(count):
        source = sources[number % len(sources)]
        top, left = (int(rng.integers(0, length - side)) for length in source.shape[:2])
        crops.append(source[top : top + side, left : left + side])
    batch = np.stack(crops)
    places = np.arange(resized) * side // resized
    colours = batch.reshape(-1, 3) / np.float32(255)
    mean, deviation = colours.mean(axis=0), colours.std(axis=0)
    values, vectors = np.linalg.eigh(np.cov(((colours - mean) / deviation).T))
    return Batch(batch, places, places, mean, deviation, (vectors / np.sqrt(values)).astype(np.float32))


def strongest(batch: Batch) -> np.ndarray:
    """The number of the whitened colour that is largest, for every pixel of the smaller photographs."""
    small = batch.photographs[:, batch.rows[:, None], batch.columns].astype(np.float32)
    normal = (small / 255 - batch.mean) / batch.deviation
    return (normal @ batch.whitening).argmax(axis=-1)


jitted = fuse.jit(strongest)


def rows(settings: Settings) -> Iterator[Row]:
    batch = photographs(IMAGES, SIDE, RESIZED)
    size = f"{IMAGES} × {RESIZED} × {RESIZED} × 3 uint8"
    case = Case(size, lambda: strongest(batch), lambda: jitted(batch), Bar("faster", 4))
    yield from compare("image_batch", case, settings)
