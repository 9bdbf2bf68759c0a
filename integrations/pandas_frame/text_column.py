"""pandas' Arrow-backed `str` columns as text buffers, without a copy where Arrow allows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fuse.runtime.text import TextArray


def is_text(dtype: Any) -> bool:
    """Whether a pandas dtype is `str` stored by Arrow."""
    return (
        isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow" and isinstance(dtype.na_value, float)
    )


def text_buffers(array: Any) -> tuple[TextArray, np.ndarray | None]:
    """Offsets and bytes of a `str` array, and where it has a value (None when nothing is missing).

    Chunks are joined, which copies; one chunk is shared.
    """
    import pyarrow as pa

    chunked = array.__arrow_array__()
    arrow = chunked.combine_chunks() if isinstance(chunked, pa.ChunkedArray) else chunked
    if isinstance(arrow, pa.ChunkedArray):
        arrow = arrow.chunk(0) if arrow.num_chunks else pa.array([], pa.large_string())
    if arrow.type != pa.large_string():
        arrow = arrow.cast(pa.large_string())
    _, offsets, data = arrow.buffers()
    return TextArray(_offsets(offsets, arrow.offset, len(arrow)), _bytes(data)), _validity(arrow)


def _offsets(buffer: Any, start: int, length: int) -> np.ndarray:
    if buffer is None or not buffer.size:
        return np.zeros(length + 1, np.int64)
    return np.frombuffer(buffer, np.int64)[start : start + length + 1]


def _bytes(buffer: Any) -> np.ndarray:
    return np.zeros(0, np.uint8) if buffer is None else np.frombuffer(buffer, np.uint8)


def _validity(arrow: Any) -> np.ndarray | None:
    if not arrow.null_count:
        return None
    return np.asarray(arrow.is_valid().to_numpy(zero_copy_only=False))
