"""Programs that repeat: an operation that was recorded once is found again by its structure.

    for step in range(1000):
        a[1:-1] = 0.5 * (a[:-2] + a[2:])

The second time round no graph is made, nothing is optimized, and nothing is looked up by the structure of a
whole graph. A pending cell that an operator made has a `Pattern`, its expression over places in the stead of
arrays, and the nodes that fill the places. A pattern remembers what became of it: by ufunc and other operand
the pattern of the result, by target the program of a write. The cell's own node is made from the pattern when
somebody asks for it (`Storage.node`). What is not remembered takes the ordinary way, and then is.

Left out: recordings, which need the graph; arrays whose memory the user has, since their content may change;
shapes that are not known yet; everything but operators, slices and writes to large parts by slices.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fuse import config, engine
from fuse.errors import InternalError
from fuse.integrations.capture.doubts import report
from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import is_known
from fuse.integrations.capture.watching import modes_now, moment_now, watches_of
from fuse.integrations.numpy_array.base import LazyArray, make
from fuse.integrations.numpy_array.basic_index import Indexed, as_basic
from fuse.integrations.numpy_array.indexing import LARGE_PART
from fuse.integrations.numpy_array.operands import is_numeric
from fuse.integrations.numpy_array.pattern import Call, Noted, Pattern
from fuse.integrations.numpy_array.storage import Leaf, Storage, is_wanted_elsewhere, pending_again
from fuse.integrations.numpy_array.views import Step, apply, update
from fuse.ir import build
from fuse.ir.float_errors import SILENT, is_silent
from fuse.ir.node import Node, walk
from fuse.ir.rewrite import substitute

Views = tuple[Step, ...]
_MOST = 2048
"""Patterns of arrays in memory that are remembered; then all are forgotten."""
_MOST_RESULTS = 64
"""Results that one pattern remembers: a number that changes in every step makes a new one each time."""
_NUMBERS = frozenset({int, float})
_QUIET = frozenset({"ignore", "warn"})
_DEEPEST = 128
"""Longer expressions take the ordinary way, which evaluates them some time."""


_sources: dict[Any, Pattern] = {}
"""The patterns of arrays in memory."""


# Operators


class _Source(NamedTuple):
    """An operand: its pattern, what fills the places, and the calls on the way."""

    pattern: Pattern
    leaves: tuple[Leaf, ...]
    trail: tuple[Noted, ...]


class _Operands(NamedTuple):
    """The first lazy operand; the other one as part of a key, the leaves that it adds, and its trail."""

    first: Pattern
    other: Any
    leaves: tuple[Leaf, ...]
    added: tuple[Leaf, ...]
    trail: tuple[Noted, ...]


def _operands(inputs: Sequence[Any]) -> _Operands | None:
    """None for what is not remembered."""
    left, right = inputs if len(inputs) == 2 else (inputs[0], None)
    is_number = type(left) in _NUMBERS
    one = _source(right if is_number else left)
    if one is None:
        return None
    if is_number or type(right) in _NUMBERS or len(inputs) == 1:
        value = left if is_number else right
        return _Operands(one.pattern, (type(value), repr(value), is_number), one.leaves, (), one.trail)
    other = _source(right)
    if other is None:
        return None
    leaves = one.leaves
    added: list[Leaf] = []
    places: list[int] = []
    for leaf in other.leaves:
        if leaf in leaves:
            places.append(leaves.index(leaf))
        elif leaf in added:
            places.append(len(leaves) + added.index(leaf))
        else:
            places.append(len(leaves) + len(added))
            added.append(leaf)
    key = (other.pattern, tuple(places))
    return _Operands(one.pattern, key, leaves, tuple(added), one.trail + other.trail)


def _source(value: Any) -> _Source | None:
    if not isinstance(value, LazyArray):
        return None
    storage = value._storage
    array = storage.array
    if array is None:
        pattern = storage.pattern
        if pattern is None or value._views:
            return None
        return _Source(pattern, storage.leaves, storage.trail)
    if storage.pinned or value._scalar or not is_numeric(array.dtype):
        return None
    key = (array.dtype, array.shape, value._views)
    try:
        pattern = _sources.get(key)
    except TypeError:  # an index with an array among its bounds
        return None
    if pattern is None:
        place = build.new_input(array.dtype, array.shape)
        if len(_sources) > _MOST:
            _sources.clear()
        pattern = _sources[key] = Pattern(apply(place, value._views), (place,))
    return _Source(pattern, (storage.leaf(),), ())


def combined(ufunc: np.ufunc, inputs: Sequence[Any]) -> LazyArray | None:
    """A ufunc on operands of patterns on which it was recorded before."""
    if len(inputs) > 2 or current_recording() is not None:
        return None
    operands = _operands(inputs)
    if operands is None:
        return None
    pattern = operands.first.results.get((ufunc, operands.other))
    if pattern is None:
        return None
    state: Any = np.geterr()
    if state["under"] != "ignore" or not _QUIET.issuperset(state.values()):
        return None
    trail = operands.trail if ufunc.__name__ in SILENT else (*operands.trail, _noted(state))
    return make(pending_again(pattern, operands.leaves + operands.added, trail))


def _noted(state: Any) -> Noted:
    """A call at the user's line, under this error state."""
    modes = modes_now(state)
    return Noted(modes, moment_now() if modes is not None else None)


def remember_result(ufunc: np.ufunc, inputs: Sequence[Any], found: Any) -> None:
    """Keep what became of a ufunc on operands of these patterns."""
    if len(inputs) > 2 or ufunc.nout > 1 or current_recording() is not None:
        return
    if not isinstance(found, LazyArray) or found._views or found._scalar:
        return
    node = found._storage.node
    if node is None or found._storage.recording is not None or node.depth > _DEEPEST:
        return
    operands = _operands(inputs)
    if operands is None or len(operands.first.results) >= _MOST_RESULTS:
        return
    if ufunc.__name__ in SILENT and not is_silent(ufunc.__name__, (value.dtype for value in node.inputs)):
        return
    places = operands.first.places + tuple(map(_place_for, operands.added))
    leaves = operands.leaves + operands.added
    nodes = [leaf.node for leaf in leaves]
    (expression,) = substitute([node], dict(zip(nodes, places, strict=True)))
    if {source for source in walk([expression]) if source.op == "input"} != set(places):
        return  # an operand became a constant of the expression, or is another's
    trail, calls = operands.trail, _calls(operands, places)
    if ufunc.__name__ not in SILENT:
        trail = (*trail, noted := _noted(np.geterr()))
        noted.watched = weakref.ref(node)
        calls = (*calls, Call(ufunc.__name__, expression, _nodes_of(operands, places)))
    pattern = operands.first.results[ufunc, operands.other] = Pattern(expression, places, calls)
    cell = found._storage
    cell.pattern, cell.leaves, cell.trail = pattern, leaves, trail


def _other_filled(operands: _Operands, places: tuple[Node, ...]) -> tuple[Pattern, dict[Node, Node]] | None:
    """The pattern of the second operand, and what its places are among those of both; None for a number."""
    other, *numbers = operands.other
    if not isinstance(other, Pattern):
        return None
    return other, dict(zip(other.places, [places[number] for number in numbers[0]], strict=True))


def _nodes_of(operands: _Operands, places: tuple[Node, ...]) -> tuple[Node, ...]:
    second = _other_filled(operands, places)
    if second is None:
        return (operands.first.node,)
    return (operands.first.node, *substitute([second[0].node], second[1]))


def _calls(operands: _Operands, places: tuple[Node, ...]) -> tuple[Call, ...]:
    second = _other_filled(operands, places)
    if second is None:
        return operands.first.calls
    return operands.first.calls + tuple(call.over(second[1]) for call in second[0].calls)


def _place_for(leaf: Leaf) -> Node:
    return build.new_input(leaf.array.dtype, leaf.array.shape)


# Writes


@dataclass(frozen=True)
class Write:
    """The program of a write. `order`: for each input the place of its array among the leaves, or -1 for the
    array that is written to.
    """

    program: engine.Program
    order: tuple[int, ...]
    settings: object


class Target(NamedTuple):
    """A part of concrete elements that a pattern is to be written to.

    views: the part; place: the array's own place among the leaves, or -1; is_free: nobody reads the array.
    """

    pattern: Pattern
    leaves: tuple[Leaf, ...]
    storage: Storage
    key: tuple[np.dtype, tuple[int, ...], Views, int, bool]


def target(a: LazyArray, key: Any, values: Any) -> Target | None:
    """What `a[key] = values` writes to; None for what takes the ordinary way."""
    storage = a._storage
    array = storage.array
    if array is None or storage.pinned or storage.shared or current_recording() is not None:
        return None
    cell = values._storage if isinstance(values, LazyArray) and not values._views else None
    if cell is None or cell.array is not None or cell.pattern is None or cell.recording is not None:
        return None
    basic = as_basic(key)
    if basic is None:
        return None
    shape = a._elements.shape if a._views else array.shape
    views = (*a._views, Indexed(basic if Ellipsis in basic else (*basic, Ellipsis), shape))
    is_free = array.flags.writeable and not storage.has_readers()
    leaf = None if is_free else storage.leaf()
    place = cell.leaves.index(leaf) if leaf in cell.leaves else -1
    return Target(cell.pattern, cell.leaves, storage, (array.dtype, array.shape, views, place, is_free))


def written(found: Target, values: LazyArray) -> bool:
    """Whether the write was done before like this, and now is done."""
    pattern, leaves, storage, key = found
    try:
        write = pattern.writes.get(key)
    except TypeError:  # an index with an array among its bounds
        return False
    if write is None or write.settings is not config.current():
        return False
    if is_wanted_elsewhere(values._storage):
        return False
    array, arrays = storage.array, [leaf.array for leaf in leaves]
    assert array is not None
    if key[-1] and any(np.may_share_memory(array, other) for other in arrays):
        return False
    try:
        (whole,), doubtful = write.program.run_doubting([arrays[p] if p >= 0 else array for p in write.order])
    except InternalError:
        return False
    order = storage.memory_order() if whole.strides != array.strides else None
    storage.array, storage.readers = whole, []
    if order is not None:
        storage.order = order
        storage.lay_out()
    if doubtful and any(noted.modes is not None for noted in values._storage.trail):
        node = values._storage.node
        assert node is not None
        report(watches_of([node], is_known))
    return True


def remember_write(found: Target) -> None:
    """Keep the program of a write that took the ordinary way: of all elements of a large part."""
    pattern, key = found.pattern, found.key
    dtype, shape, views, place, is_free = key
    base = pattern.places[place] if place >= 0 else build.new_input(dtype, shape)
    part = apply(base, views)
    if part.shape != pattern.node.shape or dtype != pattern.node.dtype or is_small_part(part, base):
        return
    whole = update(base, views, pattern.node)
    try:
        program, inputs = engine.program_of([whole], [base] if is_free else [])
    except InternalError:
        return
    if program.results[0].op == "update_slice" and _has_hash(key):
        places = {node: number for number, node in enumerate(pattern.places)}
        order = tuple(places.get(node, -1) for node in inputs)
        pattern.writes[key] = Write(program, order, config.current())


def _has_hash(key: Any) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def is_small_part(part: Node, base: Node) -> bool:
    """Whether the ordinary way has NumPy copy the new elements to their place."""
    return LARGE_PART * int(np.prod(part.shape)) < int(np.prod(base.shape))
