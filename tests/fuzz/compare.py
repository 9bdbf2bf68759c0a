"""Equal by bits, NaN equal to NaN whatever its payload; or within a tolerance that special values do not
enjoy.
"""

from __future__ import annotations

import numpy as np

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    """Same dtype, shape and bits; the sign of zero counts, the payload of a NaN does not."""
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    if left.dtype.kind == "c":
        return same_bits(left.real, right.real) and same_bits(left.imag, right.imag)
    if left.dtype.kind in "mM":
        return bool(np.array_equal(left.astype(np.int64), right.astype(np.int64)))
    if left.dtype.kind != "f":
        return bool(np.array_equal(left, right))
    return bool(np.all(_bits_agree(left, right)))


def _bits_agree(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    unsigned = _UNSIGNED[left.dtype.itemsize]
    bits = np.ascontiguousarray(left).view(unsigned) == np.ascontiguousarray(right).view(unsigned)
    return np.asarray(bits.reshape(left.shape) | (np.isnan(left) & np.isnan(right)))


def within_ulps(left: np.ndarray, right: np.ndarray, ulps: float, floor: float = 0.0) -> bool:
    """Same dtype and shape, and each element at most so many units in the last place (of `floor`, if larger)
    away.
    """
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    if left.dtype.kind != "f":
        return bool(np.array_equal(left, right))
    with np.errstate(all="ignore"):
        distance = np.abs(left - right)
        near = distance <= ulps * np.spacing(
            np.maximum(np.maximum(np.abs(left), np.abs(right)), left.dtype.type(floor))
        )
    return bool(np.all(_bits_agree(left, right) | (left == right) | near))
