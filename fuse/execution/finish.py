"""After the loops: partial results of units to one value, survivors of units to one dense array."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

_COMBINE: Mapping[str, Callable[..., Any]] = {
    "sum": np.add, "prod": np.multiply, "min": np.minimum, "max": np.maximum,
    "fmin": np.fmin, "fmax": np.fmax,
    "any": np.logical_or, "all": np.logical_and,
}  # fmt: skip


def combine(kind: str, partials: np.ndarray) -> np.ndarray:
    """Fold the last axis by a fixed tree: neighbours in pairs, then pairs of pairs.

    A float sum keeps what each addition rounds off (Knuth's two-sum) and adds it at the end.
    """
    if kind == "sum" and partials.dtype.kind == "f" and partials.shape[-1] > 2:
        return _compensated_sum(partials)
    with np.errstate(all="ignore"):
        return _tree(_COMBINE[kind], partials)


def is_finite(value: np.ndarray) -> bool:
    """Whether every element is a finite number; of a single one without a call of NumPy's."""
    if value.dtype.kind != "f":
        return True
    return math.isfinite(value) if value.ndim == 0 else bool(np.isfinite(value).all())


def _tree(function: Callable[..., Any], partials: np.ndarray) -> np.ndarray:
    while partials.shape[-1] > 1:
        even = partials.shape[-1] & ~1
        paired = function(partials[..., 0:even:2], partials[..., 1:even:2])
        odd = even != partials.shape[-1]
        partials = np.concatenate([paired, partials[..., even:]], axis=-1) if odd else paired
    first: np.ndarray = partials[..., 0]
    return first


def _compensated_sum(partials: np.ndarray) -> np.ndarray:
    lost: list[np.ndarray] = []

    def two_sum(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        total: np.ndarray = left + right
        part = total - left
        lost.append((left - (total - part)) + (right - part))
        return total

    with np.errstate(invalid="ignore", over="ignore"):
        folded = _tree(two_sum, partials)
        rest = sum(np.add.reduce(level, axis=-1) for level in reversed(lost))
        counts = np.isfinite(folded) & (rest != 0)
        result: np.ndarray = np.where(counts, folded + rest, folded).astype(partials.dtype)
        return result


def close_gaps(output: np.ndarray, counts: Sequence[int], block: int) -> None:
    """Move each unit's survivors, which stand at the start of the unit's own rows, behind those of the unit
    before.
    """
    end = counts[0]
    for unit in range(1, len(counts)):
        count, start = counts[unit], unit * block
        if end != start and count:
            output[end : end + count] = output[start : start + count]
        end += count
