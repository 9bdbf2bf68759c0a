"""A method of pandas as a step of a recording: objects are made from arrays, the method runs, its result
is taken apart.

The graph after the step depends on the labels and dtypes of the result. The step therefore also gives
whether they are those of the recording, and the recording keeps a guard on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fuse.integrations.capture.recording import call_library, current_recording, inside
from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.carrier import PandasCarrier, state_over
from fuse.integrations.pandas_frame.fallback import as_state, method_of, pandas_code
from fuse.integrations.pandas_frame.operands import array_node, lazy_array
from fuse.integrations.pandas_frame.state import assembler
from fuse.integrations.pandas_frame.unsupported import Unsupported
from fuse.ir.node import Node

Array = Any
NOT_CARRIED: Any = object()
_CARRIER = PandasCarrier()
_MUTATING = frozenset({"__setitem__", "__delitem__", "insert", "pop", "update", "isetitem"})


@dataclass(frozen=True)
class _Slot:
    """Where an argument is made from arrays of the step."""

    start: int
    stop: int
    make: Callable[[Sequence[Array]], Any]


def library_step(base: type, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The lazy result of `base.name(*args, **kwargs)`, or NOT_CARRIED where the graph cannot hold it."""
    inputs: list[Node] = []
    try:
        template = _template((args, dict(kwargs)), inputs, {})
    except Unsupported as unsupported:
        return _refused(name, unsupported.reason)
    changes = name.split(".")[-1] in _MUTATING or bool(kwargs.get("inplace"))
    step = _Step(method_of(base, name), template, changes)
    step.expect(inputs)
    if not step.is_carried:
        return _refused(name, "its result is no table, column or number")
    same, *nodes = call_library(step, tuple(inputs))
    step.fixed = all(isinstance(dim, int) for node in nodes for dim in node.shape)
    recording = current_recording()
    assert recording is not None
    recording.guard(same, True)
    return step.results(args[0], nodes)


def _refused(name: str, reason: str) -> Any:
    recording = current_recording()
    if recording is not None:
        recording.taint(f"pandas' {name} is run anew at each call: {reason}")
    return NOT_CARRIED


def _template(value: Any, inputs: list[Node], slots: dict[int, _Slot]) -> Any:
    """The arguments with slots in the place of what comes from arrays; one object is one slot, because pandas
    asks which operand is `self`.
    """
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(_template(item, inputs, slots) for item in value)
    if type(value) is dict:
        return {key: _template(item, inputs, slots) for key, item in value.items()}
    if isinstance(value, pd.DataFrame | pd.Series):
        if id(value) not in slots:
            nodes, make = assembler(as_state(value), value.name if value.ndim == 1 else None)
            slots[id(value)] = _slot(inputs, nodes, make)
        return slots[id(value)]
    node = array_node(value)
    if node is not None:
        return _slot(inputs, (node,), lambda arrays: arrays[0])
    if callable(value) and not isinstance(value, type | np.ufunc) and hasattr(value, "__code__"):
        raise Unsupported("it takes a function of the user")
    return value


def _slot(inputs: list[Node], nodes: Sequence[Node], make: Callable[[Sequence[Array]], Any]) -> _Slot:
    start = len(inputs)
    inputs.extend(nodes)
    return _Slot(start, len(inputs), make)


def _filled(template: Any, arrays: Sequence[Array], made: dict[_Slot, Any]) -> Any:
    if isinstance(template, _Slot):
        if template not in made:
            made[template] = template.make(arrays[template.start : template.stop])
        return made[template]
    if type(template) in (list, tuple):
        return type(template)(_filled(item, arrays, made) for item in template)
    if type(template) is dict:
        return {key: _filled(item, arrays, made) for key, item in template.items()}
    return template


class _Step:
    """The function of a step; it remembers what its first result looked like."""

    def __init__(self, method: Callable[..., Any], template: Any, changes: bool) -> None:
        self._method, self._template, self._changes = method, template, changes
        self._expected: list[Any] = []
        self._shapes: list[tuple[int, ...]] = []
        self._first: tuple[Array, ...] | None = None
        self.fixed = False
        self.is_carried = False

    def expect(self, inputs: Sequence[Node]) -> None:
        """Run once, now, to see what the results are."""
        from fuse.integrations.capture.values import values

        self._examples = self._run(values(inputs))
        self.is_carried = all(map(_is_carried, self._examples))
        if self.is_carried:
            self._expected = [_form(result) for result in self._examples]
            self._first = (np.asarray(True), *_taken_apart(self._examples))
            self._shapes = [array.shape for array in self._first]

    def _run(self, arrays: Sequence[Array]) -> list[Any]:
        args, kwargs = _filled(self._template, arrays, {})
        with inside(None), pandas_code:
            result = self._method(*args, **kwargs)
        return [args[0], result] if self._changes else [result]

    def __call__(self, *arrays: Array) -> tuple[Array, ...]:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        results = self._run(arrays)
        if not all(map(_is_carried, results)) or [_form(result) for result in results] != self._expected:
            return self._different()
        found = (np.asarray(True), *_taken_apart(results))
        if self.fixed and [array.shape for array in found] != self._shapes:
            return self._different()
        return found

    def _different(self) -> tuple[Array, ...]:
        """Something for every output, and that it must not be used."""
        count = len(self._shapes) - 1
        return (np.asarray(False), *(np.zeros(shape) for shape in self._shapes[1 : 1 + count]))

    def results(self, owner: Any, nodes: Sequence[Node]) -> Any:
        """The lazy results over the output nodes; an object that the method changes gets its new state."""
        position, found = 0, []
        for example in self._examples:
            count = len(_taken_apart([example]))
            found.append(_stand_in(example, nodes[position : position + count]))
            position += count
        if self._changes:
            lazy_manager.replace_state(
                owner, state_over(self._examples[0], nodes[: len(_taken_apart(self._examples[:1]))])
            )
        self._examples = []
        return found[-1]


def _is_carried(result: Any) -> bool:
    return result is None or _is_number(result) or _is_array(result) or _CARRIER.accepts(result)


def _is_number(result: Any) -> bool:
    return isinstance(result, bool | int | float | np.number | np.bool_)


def _is_array(result: Any) -> bool:
    return type(result) is np.ndarray and result.dtype.kind in "biufmM"


def _form(result: Any) -> Any:
    if result is None:
        return None
    if _is_number(result):
        return "number", type(result)
    if _is_array(result):
        return "array", result.dtype, result.ndim
    return _CARRIER.signature(result)


def _taken_apart(results: Sequence[Any]) -> list[Array]:
    found: list[Array] = []
    for result in results:
        if _is_number(result) or _is_array(result):
            found.append(np.asarray(result))
        elif result is not None:
            found.extend(_CARRIER.arrays(result))
    return found


def _stand_in(example: Any, nodes: Sequence[Node]) -> Any:
    if example is None:
        return None
    if type(example) in (bool, int, float):
        return _looked_at(example, nodes[0])
    if _is_number(example) or _is_array(example):
        return lazy_array(nodes[0], scalar=_is_number(example))
    return _CARRIER.stand_in(example, nodes)


def _looked_at(number: Any, node: Node) -> Any:
    """A Python number is given as it is: it is weak in arithmetic, and Python may look at it unseen."""
    recording = current_recording()
    assert recording is not None
    recording.guard(node, np.asarray(number))
    return number
