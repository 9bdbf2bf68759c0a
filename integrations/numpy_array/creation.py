"""Functions that make arrays from no array: zeros, full, arange, array, asarray and their kin.

Outside of a recording NumPy makes the elements and the array wraps them. Inside, small known contents become
constants of the graph, `zeros(n)` a broadcast constant and `arange` of integers an iota; see `sources`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array import layout, sources
from fuse.integrations.numpy_array.base import (
    LazyArray,
    Unsupported,
    from_array,
    from_node,
    join,
    length,
)
from fuse.integrations.numpy_array.elementwise import node
from fuse.integrations.numpy_array.fallback import run_quietly
from fuse.integrations.numpy_array.operands import (
    check_assignable,
    fitted,
    given_node,
    is_derived,
    is_numeric,
)
from fuse.ir import build

_CONSTANT = 1024
"""Arrays of up to so many elements made inside a recording are constants of its graph."""


def known(array: np.ndarray) -> LazyArray:
    """An array of known elements that nobody else holds."""
    if current_recording() is not None and array.size <= _CONSTANT and is_numeric(array.dtype):
        return from_node(build.constant(array))
    return from_array(array)


_COPY_MODES: Mapping[Any, Any] = {
    np._CopyMode.ALWAYS: True, np._CopyMode.IF_NEEDED: None, np._CopyMode.NEVER: False,
}  # fmt: skip


def array(
    object: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False,
    ndmin: int = 0, like: Any = None, ndmax: int | None = None,
) -> Any:  # fmt: skip
    """`np.array(object, dtype)`; a list of lazy arrays is stacked in the graph."""
    copy = _COPY_MODES.get(copy, copy)
    if isinstance(object, LazyArray) and ndmin > 0 and ndmax is None and like is None:
        return _with_axes(array(object, dtype, copy=copy, order=order), ndmin)
    found = _lazy(object) if like is None and not ndmin and ndmax is None else None
    if found is None or not (dtype is None or is_numeric(np.dtype(dtype))) or not _has_order(found, order):
        asked = {"dtype": dtype, "order": order, "subok": subok, "ndmin": ndmin, "ndmax": ndmax}
        return _made_by_numpy(
            object, {name: value for name, value in asked.items() if value is not None}, copy
        )
    if dtype is not None and np.dtype(dtype) != found._dtype:
        np.array(np.empty(0, found._dtype), dtype=dtype, copy=None if copy else copy)
        found = from_node(found._node) if found._scalar else found
        return found.astype(dtype)  # type: ignore[attr-defined]  # the array class has it
    same = isinstance(object, LazyArray) and not object._scalar
    return from_node(found._node) if copy or not same else found


def _with_axes(found: Any, count: int) -> Any:
    """The array with at least so many axes, new ones in front."""
    missing = count - len(found.shape)
    return found.reshape((1,) * missing + found.shape) if missing > 0 else found


def _has_order(found: LazyArray, order: Any) -> bool:
    """Whether the elements are as `order` asks; results of ours are in C order."""
    return order in ("K", "A", None) or (order == "C" and layout.may_be_in_c_order(found))


def _made_by_numpy(object: Any, options: Mapping[str, Any], copy: Any) -> Any:
    if _has_lazy(object):
        return run_quietly(np.array, (object,), {**options, "copy": copy})
    made = np.array(object, copy=copy, **options)
    return known(made) if type(made) is np.ndarray else made


def _has_lazy(value: Any) -> bool:
    return isinstance(value, LazyArray) or (type(value) in (list, tuple) and any(map(_has_lazy, value)))


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None, like: Any = None
) -> Any:
    """`np.asarray(a, dtype)`: a real array is wrapped, its memory shared; a lazy one is itself."""
    if type(a) is np.ndarray and copy is not True and order in (None, "K", "A"):
        found = np.asarray(a, dtype)
        return from_array(found, pinned=found is a)
    return array(a, dtype, copy=copy, order=order or "K")


def asanyarray(a: Any, *args: Any, **options: Any) -> Any:
    """`np.asanyarray(a, dtype)`: arrays of a class derived from NumPy's stay what they are."""
    return np.asanyarray(a, *args, **options) if is_derived(a) else asarray(a, *args, **options)


def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """`np.ascontiguousarray(a, dtype)`: an array that is in C order is itself, another one is copied.

    A recording does not know which, so what is written to either ends it.
    """
    found = asarray(a, dtype)
    if isinstance(found, LazyArray) and not found._dims:
        return found.reshape((1,))  # type: ignore[attr-defined]  # the array class has it
    if not isinstance(found, LazyArray) or found is not a:
        return found
    if current_recording() is None:
        found._storage.materialise()
        if layout.shadow(found).flags.c_contiguous:
            return found
        in_order = from_node(found._node)
        in_order._storage.order = tuple(range(len(found._dims))) if len(found._dims) > 1 else None
        return in_order
    copy = from_node(found._node)
    copy._storage.shared = found._storage.shared = True
    return copy


def _lazy(value: Any) -> LazyArray | None:
    if isinstance(value, LazyArray):
        return value
    if type(value) in (list, tuple) or hasattr(type(value), "__fuse_node__"):
        try:
            found = given_node(value)
        except Unsupported:  # NumPy stacks them, or says why not
            return None
        return None if found is None else from_node(found)
    return None


def _filled(value: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """`np.zeros`, `np.ones` and, because nobody may depend on its elements, `np.empty`."""

    @functools.wraps(function)
    def create(shape: Any, dtype: Any = float, order: str = "C", **options: Any) -> Any:
        return (
            full(shape, value, dtype)
            if _records(dtype, options)
            else join(function(shape, dtype, order, **options))
        )

    return create


def _records(dtype: Any, options: Mapping[str, Any]) -> bool:
    return current_recording() is not None and not options and is_numeric(np.dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", **options: Any) -> Any:
    """`np.full(shape, fill_value)`."""
    value = given_node(fill_value)
    if value is None and current_recording() is None:
        return join(np.full(shape, fill_value, dtype, order, **options))  # type: ignore[call-overload]  # any order
    if value is None:
        value = build.constant(np.full((), fill_value, dtype) if np.ndim(fill_value) == 0 else fill_value)
    if dtype is not None:
        value = build.convert(value, dtype)
    wanted = tuple(int(n) for n in ((shape,) if isinstance(shape, int | np.integer) else tuple(shape)))
    if min(wanted, default=0) < 0:
        np.zeros(wanted)
    check_assignable(tuple(map(length, value.shape)), wanted)
    return from_node(fitted(value, wanted))


def arange(*args: Any, **kwargs: Any) -> Any:
    """`np.arange(start, stop, step, dtype)`."""
    plain = [a.item() if isinstance(a, LazyArray) else a for a in args]  # type: ignore[attr-defined]  # as above
    source = _source("arange", plain, kwargs)
    if source is not None:
        return source
    if current_recording() is None or kwargs or not all(type(a) is int for a in plain) or len(plain) > 3:
        return known(np.arange(*plain, **kwargs))
    bounds = range(*plain)
    counted = build.iota(len(bounds))
    scaled = node("multiply", counted, build.constant(bounds.step, np.int64)) if bounds.step != 1 else counted
    return from_node(node("add", scaled, build.constant(bounds.start, np.int64)) if bounds.start else scaled)


def _source(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> LazyArray | None:
    """The call as a node without memory, inside a recording."""
    if current_recording() is None or name not in sources.SOURCES:
        return None
    return sources.recorded(name, args, kwargs)


def _made(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers only: a source of the graph where it is one, else NumPy computes it."""

    @functools.wraps(function)
    def create(*args: Any, **kwargs: Any) -> Any:
        plain = [a._observe()[()] if isinstance(a, LazyArray) and not a._dims else a for a in args]
        source = _source(function.__name__, plain, kwargs)
        if source is not None:
            return source
        result = function(*plain, **kwargs)
        return known(result) if type(result) is np.ndarray else join(result)

    return create


class Builtin:
    """A function that is no method of a class whose attribute it is, as NumPy's functions written in C."""

    def __init__(self, function: Callable[..., Any], numpys: Callable[..., Any]) -> None:
        functools.update_wrapper(self, numpys)
        self._call = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.__name__,)  # type: ignore[attr-defined]  # the wrapper has it


def _named(name: str) -> Callable[..., Any]:
    """The way back from a pickle."""
    return CREATION[name]


CREATION: Mapping[str, Callable[..., Any]] = {
    "array": Builtin(array, np.array), "asarray": Builtin(asarray, np.asarray),
    "asanyarray": Builtin(asanyarray, np.asanyarray),
    "ascontiguousarray": Builtin(ascontiguousarray, np.ascontiguousarray),
    "zeros": Builtin(_filled(0, np.zeros), np.zeros), "empty": Builtin(_filled(0, np.empty), np.empty),
    "arange": Builtin(arange, np.arange),
    "ones": _filled(1, np.ones), "full": functools.wraps(np.full)(full),
    "linspace": _made(np.linspace), "logspace": _made(np.logspace), "geomspace": _made(np.geomspace),
    "eye": _made(np.eye), "identity": _made(np.identity), "tri": _made(np.tri), "indices": _made(np.indices),
}  # fmt: skip
