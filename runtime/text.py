"""A column of text as Arrow lays it out: offsets into one buffer of UTF-8 bytes.

No copy of pandas' buffers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class TextArray:
    """Text values; what is missing has length 0 and is told apart by a separate bool array.

    offsets: int64[rows + 1]; data: uint8[bytes].
    """

    offsets: np.ndarray
    data: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        return np.dtypes.StringDType()

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.offsets) - 1,)

    @property
    def nbytes(self) -> int:
        return int(self.offsets.nbytes + self.data.nbytes)

    def to_numpy_strings(self) -> np.ndarray:
        """The values as NumPy's StringDType; a copy, for the interpreter."""
        content = self.data.tobytes()
        bounds = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        return np.array([content[a:b].decode() for a, b in bounds], self.dtype)
