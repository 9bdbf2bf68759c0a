"""Arrays full of what goes wrong: NaN, infinities, both zeros, subnormals, the ends of the integers."""

from __future__ import annotations

import numpy as np

DTYPES: tuple[np.dtype, ...] = (
    *map(np.dtype, (bool, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)),
    *map(np.dtype, (np.float16, np.float32, np.float64)),
)
FLOATS = tuple(dtype for dtype in DTYPES if dtype.kind == "f")
INTEGERS = tuple(dtype for dtype in DTYPES if dtype.kind in "iu")


def special_values(dtype: np.dtype) -> np.ndarray:
    """The hard cases of a dtype, most telling first."""
    if dtype.kind == "b":
        return np.array([True, False])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return np.array([0, 1, 2, limits.max, limits.min, limits.max - 1, 3, 7, 100, limits.min + 1], dtype)
    limits = np.finfo(dtype)
    special = [0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0, 0.5, 2.0, -3.7, limits.max, -limits.max]
    tiny = [limits.smallest_subnormal, -limits.smallest_subnormal, limits.smallest_normal, limits.eps]
    return np.array([*special, *tiny, 709.5, 1e4, 0.1, -0.7], dtype)


def random_array(dtype: np.dtype, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Half ordinary numbers, half special ones."""
    special = special_values(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        ordinary = rng.integers(0 if dtype.kind == "u" else -9, 10, shape)
    else:
        ordinary = rng.normal(0, 2, shape)
    return np.asarray(
        np.where(
            rng.random(shape) < 0.5, ordinary.astype(dtype), special[rng.integers(0, special.size, shape)]
        )
    )
