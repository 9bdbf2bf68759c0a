"""Which carrier takes a value apart: found by the value's type, loaded when the library is.

A value is carried (by its library's `Carrier`), a container of values, a constant (part of the signature) or
a thing (known by its identity). `kind_of` decides once a type.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import importlib
import pathlib
import sys
import uuid
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any, Literal

import numpy as np

from fuse.integrations.capture.arguments import Carrier

Kind = Literal["carried", "container", "float", "constant", "thing"]

_CARRIERS = {
    "numpy": ("fuse.integrations.numpy_array.carrier", "NumpyCarrier"),
    "pandas": ("fuse.integrations.pandas_frame.carrier", "PandasCarrier"),
}
_CONTAINERS = (tuple, list, dict)
_CONSTANTS = (
    type(None), bool, int, str, bytes, enum.Enum, np.dtype, type, slice, range, frozenset, uuid.UUID,
    pathlib.PurePath, dt.date, dt.time, dt.timedelta, dt.tzinfo, decimal.Decimal, fractions.Fraction,
)  # fmt: skip
_kinds: dict[type, Kind] = {}


@cache
def carrier(library: str) -> Carrier:
    """The carrier of a library's objects."""
    module, name = _CARRIERS[library]
    found: Carrier = getattr(importlib.import_module(module), name)()
    return found


def carrier_of(value: Any) -> Carrier | None:
    """The carrier that takes this object apart; None when it cannot be. A pending table is evaluated."""
    if lazy_carrier(value) is not None:
        getattr(value, "_mgr", None)
    return next((found for found in _loaded() if found.accepts(value)), None)


def taken_apart(found: Carrier, value: Any) -> tuple[Hashable, list[Any]]:
    """Signature and arrays of an object, in one go where the carrier can."""
    at_once = getattr(found, "take_apart", None)
    if at_once is None:
        return found.signature(value), found.arrays(value)
    taken: tuple[Hashable, list[Any]] = at_once(value)
    return taken


def lazy_carrier(value: Any) -> Carrier | None:
    """The carrier whose lazy object this is."""
    if not type(value).__module__.startswith("fuse."):
        return None
    return next((found for found in _loaded() if found.is_lazy(value)), None)


def _loaded() -> Iterator[Carrier]:
    """NumPy always is; whoever holds a table has loaded pandas."""
    yield carrier("numpy")
    if "pandas" in sys.modules:
        yield carrier("pandas")


def kind_of(value: Any) -> Kind:
    """How a value enters a signature."""
    kind = type(value)
    found = _kinds.get(kind)
    if found is None:
        found = _kinds[kind] = _classify(value)
    return found


def _classify(value: Any) -> Kind:
    if isinstance(value, np.ndarray | np.generic) or _is_table(value) or lazy_carrier(value) is not None:
        return "carried"
    if isinstance(value, _CONTAINERS):
        return "container"
    if isinstance(value, float | complex):
        return "float"
    if isinstance(value, _CONSTANTS):
        return "constant"
    return "thing"


def _is_table(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series | pandas.Index)


def float_key(value: Any) -> Hashable:
    """By bits: 0.0 and -0.0 differ, a NaN equals itself."""
    if type(value) is float:
        return "f", value.hex()
    if isinstance(value, np.generic):
        return "g", value.dtype.str, repr(value) if value.dtype.hasobject else value.tobytes()
    return "c", type(value), repr(value)
