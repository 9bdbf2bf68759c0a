"""Calls that NumPy runs: arrays go in evaluated, arrays that come out join the graph.

In a recording such a call is a step of the plan that every replay runs again; Python values it returned are
guarded. Where a result is a view of an argument, neither may be written to afterwards: SharedWrite makes the
plain function run. A function that writes to its first argument gets a copy, and the copy becomes the array's
new content.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fuse.integrations.capture.recording import call_library, current_recording
from fuse.integrations.capture.report import fallback
from fuse.integrations.numpy_array.base import LazyArray, from_node, join, make
from fuse.integrations.numpy_array.operands import is_derived
from fuse.integrations.numpy_array.storage import Storage
from fuse.integrations.numpy_array.warnings_of import at_once
from fuse.ir.node import Node
from fuse.ir.types import Shape

Function = Callable[..., Any]


class _Slot(NamedTuple):
    """Stands for the n-th array in the arguments or results of a step."""

    place: int
    kind: type[Any] = np.ndarray


def run(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any], name: str, reason: str) -> Any:
    """`function(*args, **kwargs)` in NumPy, reported. Raises StrictModeError in strict mode."""
    fallback(name, reason)
    args, kwargs = out_by_name(function, args, kwargs)
    target = kwargs.get("out")
    if isinstance(target, LazyArray) and not target._scalar:
        return _run_into(target, function, args, kwargs)
    return run_quietly(function, args, kwargs)


def out_by_name(
    function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments with an output array among them given by its name."""
    place = _place_of_out(function) if isinstance(function, type(np.sum)) else None
    if place is None or place >= len(args):
        return args, kwargs
    names = list(inspect.signature(function).parameters)[place:]
    return args[:place], {**dict(zip(names, args[place:], strict=False)), **kwargs}


@functools.cache
def _place_of_out(function: Function) -> int | None:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    by_place = [name for name, parameter in parameters.items() if parameter.kind in _BY_PLACE]
    return by_place.index("out") if "out" in by_place else None


_BY_PLACE = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


def _run_into(target: LazyArray, function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """NumPy writes to the memory of the output, or inside a recording to a copy that becomes its content."""
    if current_recording() is None:
        memory = target._writable()
        function(*unwrapped(tuple(args)), **{**unwrapped(dict(kwargs)), "out": memory})
        return target

    itself = {place for place, value in enumerate(args) if value is target}

    def filled(before: np.ndarray, *rest: Any, **options: Any) -> np.ndarray:
        memory = before.copy()
        operands = [memory if place in itself else value for place, value in enumerate(rest)]
        function(*operands, **options, out=memory)
        return memory

    others = {name: value for name, value in kwargs.items() if name != "out"}
    target._write(_run_step(filled, ((target, *args), others), target._dims)._node)
    return target


def run_quietly(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The same without a report: for what NumPy has to do anyway, such as drawing random numbers."""
    if current_recording() is not None:
        return _run_step(function, (tuple(args), dict(kwargs)))
    result = _called(function, unwrapped(tuple(args)), unwrapped(dict(kwargs)))
    if pin_what_is_shared(result, (*args, *kwargs.values())):
        result = _called(function, unwrapped(tuple(args)), unwrapped(dict(kwargs)))
    for value in (*args, *kwargs.values()):
        if isinstance(value, LazyArray) and result is value._storage.array and not value._views:
            return value
    return join(result)


def pin_what_is_shared(result: Any, given: Sequence[Any]) -> bool:
    """Pin the arrays of which NumPy gave views, so that writes through either are seen in both.

    True when an array moved for that.
    """
    found: list[np.ndarray] = []
    _taken_apart(result, found)
    arrays: list[LazyArray] = []
    _collect(tuple(given), arrays)
    moved = False
    for lazy in arrays:
        memory = lazy._storage.array
        if memory is not None and not lazy._scalar and _is_view_of(memory, found):
            moved |= lazy._storage.pin() is not memory
    return moved


def _collect(value: Any, found: list[LazyArray]) -> None:
    if isinstance(value, LazyArray):
        found.append(value)
    elif isinstance(value, tuple | list):
        for item in value:
            _collect(item, found)


def _called(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What a ufunc warns of, it warns of at the user's line."""
    if isinstance(function, np.ufunc):
        return at_once(function.__name__, function, *args, **kwargs)
    return function(*args, **kwargs)


def unwrapped(value: Any) -> Any:
    """Lazy arrays as real ones, also inside lists, tuples and dictionaries."""
    if isinstance(value, LazyArray):
        elements = value._elements
        return elements[()] if value._scalar else elements
    return _mapped(value, unwrapped)


def _mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    if type(value) in (tuple, list):
        return type(value)(function(item) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(function, value))
    if type(value) is dict:
        return {key: function(item) for key, item in value.items()}
    return value


def _run_step(
    function: Function, arguments: tuple[tuple[Any, ...], dict[str, Any]], shape: Shape | None = None
) -> Any:
    """A step of a recording; `shape` is that of its one result in the recording's dimensions, if known."""
    nodes: list[Node] = []
    sources: list[Storage] = []
    template = _lifted(arguments, nodes, sources)
    forms: list[Any] = []
    shared: list[set[int]] = []

    def step(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        args, kwargs = _filled(template, arrays)
        found: list[np.ndarray] = []
        form = _taken_apart(_called(function, args, kwargs), found)
        if not forms:
            forms.append(form)
            shared.append({n for n, array in enumerate(found) if _is_view_of(array, arrays)})
        return tuple(found)

    outputs = call_library(step, tuple(nodes), None if shape is None else lambda _: shape)
    for storage in sources if shared[0] else ():
        storage.shared = True
    return _put_together(forms[0], outputs, shared[0])


def _is_view_of(array: np.ndarray, others: Sequence[Any]) -> bool:
    return any(isinstance(other, np.ndarray) and np.may_share_memory(array, other) for other in others)


def _lifted(value: Any, nodes: list[Node], sources: list[Storage]) -> Any:
    if isinstance(value, LazyArray):
        nodes.append(value._node)
        sources.append(value._storage)
        return _Slot(len(nodes) - 1, np.generic if value._scalar else np.ndarray)
    return _mapped(value, lambda item: _lifted(item, nodes, sources))


def _filled(value: Any, arrays: Sequence[np.ndarray]) -> Any:
    if isinstance(value, _Slot):
        array = arrays[value.place]
        return array[()] if value.kind is np.generic else array
    return _mapped(value, lambda item: _filled(item, arrays))


def _taken_apart(value: Any, found: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray | np.generic | bool | int | float) and not is_derived(value):
        found.append(np.asarray(value))
        return _Slot(len(found) - 1, _kind(value))
    return _mapped(value, lambda item: _taken_apart(item, found))


def _kind(value: Any) -> type[Any]:
    """What a result is: an array, a NumPy scalar, or a Python number."""
    if isinstance(value, np.ndarray | np.generic):
        return np.ndarray if isinstance(value, np.ndarray) else np.generic
    return type(value)


def _put_together(form: Any, nodes: Sequence[Node], shared: Container[int]) -> Any:
    if not isinstance(form, _Slot):
        if not isinstance(form, tuple | list | dict | type(None)):
            recording = current_recording()
            assert recording is not None
            recording.taint(f"NumPy returned a {type(form).__name__}")
        return _mapped(form, lambda item: _put_together(item, nodes, shared))
    array = from_node(nodes[form.place], scalar=form.kind is np.generic)
    array._storage.shared = form.place in shared
    return array if form.kind in (np.ndarray, np.generic) else array._observe().item()


def run_on_copy(
    function: Function,
    target: LazyArray,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    name: str,
    reason: str,
) -> None:
    """`function(target, *args, **kwargs)`, which writes to its first argument and returns nothing.

    In a recording it writes to a copy, which becomes the array's content.
    """
    fallback(name, reason)

    itself = {place for place, value in enumerate(args) if value is target}

    def updated(array: np.ndarray, *rest: Any, **options: Any) -> np.ndarray:
        changed = array.copy()
        operands = [changed if place in itself else value for place, value in enumerate(rest)]
        function(changed, *operands, **options)
        return changed

    if current_recording() is not None:
        target._write(_run_step(updated, ((target, *args), dict(kwargs)), target._dims)._node)
        return
    memory = target._writable()
    operands = [memory if place in itself else unwrapped(value) for place, value in enumerate(args)]
    function(memory, *operands, **unwrapped(dict(kwargs)))


def from_buffer(array: np.ndarray) -> LazyArray:
    """An array over memory that somebody else may also write to."""
    return make(Storage(array, None, pinned=True))
