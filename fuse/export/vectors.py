"""Test vectors: inputs and what Python computes for them, exact to the bit.

An array stands in them as {"dtype": …, "base64": …}, with "shape" for several axes and "scalar" for a single
number; text, categories and labels as they are. Results have the structure that the wrapper gives back.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fuse.ir.types import dtype_name

Array = Any


def encoded(values: Array) -> dict[str, Any]:
    """An array."""
    array = np.asarray(values)
    content = np.ascontiguousarray(array).tobytes()
    found: dict[str, Any] = {"dtype": dtype_name(array.dtype), "base64": base64.b64encode(content).decode()}
    return (
        found
        if array.ndim == 1
        else found | ({"shape": list(array.shape)} if array.ndim else {"scalar": True})
    )


def result(form: Mapping[str, Any], arrays: Sequence[Array]) -> Any:
    """What `predict` gives."""
    nested = _nested(form, arrays, result)
    if nested is not _NONE:
        return nested
    if "codes" in form:
        return _labelled(arrays[form["codes"]], form["categories"])
    if "labels" in form:
        return _labelled(arrays[form["array"]], form["labels"])
    return encoded(arrays[form["array"]])


def one(form: Mapping[str, Any], arrays: Sequence[Array]) -> Any:
    """What `predictOne` gives, from the result of a single row."""
    nested = _nested(form, arrays, one)
    if nested is not _NONE:
        return nested
    if "codes" in form or "labels" in form:
        return result(form, arrays)[0]
    array = np.asarray(arrays[form["array"]])
    if array.ndim == 2:
        return [encoded(value) for value in array[0]]
    return encoded(array.reshape(-1)[0])


_NONE = object()


def _nested(form: Mapping[str, Any], arrays: Sequence[Array], inner: Any) -> Any:
    if "value" in form:
        return form["value"]
    for key in ("tuple", "list"):
        if key in form:
            return [inner(part, arrays) for part in form[key]]
    if "dict" in form:
        return {str(key): inner(part, arrays) for key, part in form["dict"]}
    if "frame" in form:
        return {str(key): inner(part, arrays) for key, part in form["frame"]}
    return inner(form["series"], arrays) if "series" in form else _NONE


def _labelled(codes: Array, labels: Sequence[Any]) -> list[Any]:
    return [labels[code] if 0 <= code < len(labels) else None for code in np.asarray(codes).tolist()]
