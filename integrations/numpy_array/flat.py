"""`a.flat`: NumPy's iterator over the elements, which takes lazy arrays as indices and gives lazy arrays.

In a recording there is no memory to iterate over: reading is a step of NumPy's, and writing gives the array
another content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fuse.integrations.numpy_array.base import LazyArray, join
from fuse.integrations.numpy_array.fallback import run, run_on_copy, unwrapped

_REASON = "it has no compiled form"


class Flat:
    """The iterator over an array's own memory; writes go there."""

    def __init__(self, elements: np.ndarray) -> None:
        self._iterator = elements.flat

    def __getitem__(self, key: Any) -> Any:
        return join(self._iterator[unwrapped(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._iterator[unwrapped(key)] = unwrapped(value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterator)

    def __next__(self) -> Any:
        return next(self._iterator)

    def __len__(self) -> int:
        return len(self._iterator)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._iterator, dtype=dtype)

    def __eq__(self, other: object) -> Any:
        return join(self._iterator == unwrapped(other))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


class RecordedFlat:
    """The same in a recording."""

    def __init__(self, array: LazyArray) -> None:
        self._array = array

    def __getitem__(self, key: Any) -> Any:
        return run(_get, (self._array, key), {}, "numpy.ndarray.flat", _REASON)

    def __setitem__(self, key: Any, value: Any) -> None:
        run_on_copy(_set, self._array, (key, value), {}, "numpy.ndarray.flat", _REASON)

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])

    def __len__(self) -> int:
        return len(self[:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def __eq__(self, other: object) -> Any:
        return self[:] == other

    def __getattr__(self, name: str) -> Any:
        return getattr(self[:], name)


def _get(array: np.ndarray, key: Any) -> Any:
    return array.flat[key]


def _set(array: np.ndarray, key: Any, value: Any) -> None:
    array.flat[key] = value
