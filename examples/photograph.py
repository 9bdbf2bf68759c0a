"""A photograph: resized by fancy indexing, normalised, thresholded, and its channels' statistics taken.

Image code as it is written with NumPy alone: integer pixels, broadcasting over channels, masks over pixels.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_sample_image

import fuse
from fuse.integrations.jit.function import JitFunction

MEAN = np.array([0.485, 0.456, 0.406])
DEVIATION = np.array([0.229, 0.224, 0.225])
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
MANY = 6_000_000


def rows() -> np.ndarray:
    """`china.jpg`: 427 × 640 pixels, three channels of 0 to 255."""
    return load_sample_image("china.jpg")


def many_rows(count: int) -> np.ndarray:
    """A mosaic of the photograph with about `count` pixels."""
    image = rows()
    times = max(1, round((count / image[..., 0].size) ** 0.5))
    return np.tile(image, (times, times, 1))


def resize(image: np.ndarray, step: int) -> np.ndarray:
    """Every `step`-th pixel both ways, from the middle of each square."""
    down = np.arange(step // 2, image.shape[0], step)
    across = np.arange(step // 2, image.shape[1], step)
    return image[down[:, None], across]


def build() -> JitFunction[[np.ndarray], dict[str, np.ndarray]]:
    """There is nothing to fit."""

    @fuse.jit
    def run(image: np.ndarray) -> dict[str, np.ndarray]:
        """Statistics of a thumbnail's channels, and which of its pixels are bright."""
        small = resize(image, 2)
        normal = (small / 255 - MEAN) / DEVIATION
        bright = (small * LUMINANCE).sum(axis=-1) > 160
        red, green, blue = normal[..., 0], normal[..., 1], normal[..., 2]
        return {
            "bright": bright,
            "mean": normal.mean(axis=(0, 1)),
            "deviation": normal.std(axis=(0, 1)),
            "sky": np.array([red[bright].mean(), green[bright].mean(), blue[bright].mean()]),
        }

    return run
