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

    A float sum keeps what each addition rounds off (Knuth's two-sum), adds that up along the same tree, and
    adds it at the end. Exported code does the same (fuse/export/combine.py).
    """
    if partials.shape[-1] == 1:
        return partials[..., 0]
    if kind == "sum" and partials.dtype.kind == "f":
        return _compensated_sum(partials)
    with np.errstate(all="ignore"):
        return _tree(partials, _COMBINE[kind])


def is_finite(value: np.ndarray) -> bool:
    """Whether every element is a finite number; of a single one without a call of NumPy's."""
    if value.dtype.kind != "f":
        return True
    return math.isfinite(value) if value.ndim == 0 else bool(np.isfinite(value).all())


def _tree(values: np.ndarray, function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Pairs along the last axis; an odd one out goes on to the next level."""
    while values.shape[-1] > 1:
        even = values.shape[-1] & ~1
        paired = function(values[..., 0:even:2], values[..., 1:even:2])
        odd = even != values.shape[-1]
        values = np.concatenate([paired, values[..., even:]], axis=-1) if odd else paired
    first: np.ndarray = values[..., 0]
    return first


def _compensated_sum(partials: np.ndarray) -> np.ndarray:
    """The first axis pairs what is summed with what was rounded off."""

    def add(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        total = left[0] + right[0]
        part = total - left[0]
        lost = (left[0] - (total - part)) + (right[0] - part)
        return np.stack([total, (left[1] + right[1]) + lost])

    with np.errstate(invalid="ignore", over="ignore"):
        folded, rest = _tree(np.stack([partials, np.zeros_like(partials)]), add)
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
